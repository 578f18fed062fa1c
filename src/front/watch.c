/* summary, expect, and what the caller wants to read: the roots that watch. */
#include "front/elaborator.h"

/* The block whose loss a gradient is of; of anything else the first. */
static uint32_t turn_of_gradient(const vg_elaborator *e, vg_node y) {
    for (uint32_t k = 0; k < e->losses.count; k++)
        if (e->losses.items[k] == y) return k + 1;
    return 1;
}

uint32_t vg_gradient_turn(vg_elaborator *e, vg_node node) {
    const vg_graph *g = e->graph;
    for (uint32_t n = e->gradient_turn.count; n < vg_graph_count(g); n++) {
        uint32_t turn = n > 0 && vg_node_op(g, n) == VG_OP_grad ? turn_of_gradient(e, vg_operand(g, n, 0)) : 0;
        for (uint32_t k = 0; n > 0 && k < g->operand_count.items[n]; k++) {
            const uint32_t other = e->gradient_turn.items[vg_operand(g, n, k)];
            if (other) turn = turn == 0 || turn == other ? other : 1;
        }
        vg_vec_push(e->mem, &e->gradient_turn, turn);
    }
    return e->gradient_turn.items[node];
}

static bool every_of(vg_elaborator *e, vg_tree_id tree, uint64_t *every) {
    int64_t number;
    *every = 1;
    if (!tree) return true;
    if (!vg_evaluate_whole(e, tree, "every", &number)) return false;
    if (number >= 1) {
        *every = (uint64_t)number;
        return true;
    }
    vg_report(e->diags, setting_range, vg_tree_span(e->tree, tree), e->frame->call, "every", "1",
              vg_arena_format(&e->arena, "%lld", (long long)number));
    return false;
}

/* ---- summaries */

typedef struct vg_summary_statement {
    vg_summary_kind kind;
    uint64_t every;
    vg_str   as;             /* 0: none */
    bool     several;        /* expressions */
} vg_summary_statement;

/* [n, h, w] or [n, 1 or 3, h, w] */
static bool is_image(vg_elaborator *e, vg_node node) {
    int64_t channels;
    uint32_t rank = vg_node_rank(e->graph, node);
    if (rank != 4) return rank == 3;
    vg_dim dim = vg_shape_dim(&e->ir->dims, vg_node_shape(e->graph, node), 1);
    return vg_dim_is_number(&e->ir->dims, dim, &channels) && (channels == 1 || channels == 3);
}

/* False after reporting that what the summary shows is not of its kind's shape. */
static bool check_summary_shape(vg_elaborator *e, vg_summary_kind kind, vg_node node, vg_span span) {
    vg_shape shape = vg_node_shape(e->graph, node);
    if (kind == VG_SUMMARY_SCALAR && vg_node_rank(e->graph, node) != 0)
        vg_report(e->diags, summary_not_scalar, span, e->frame->call, vg_shape_shown(e, shape));
    else if (kind == VG_SUMMARY_IMAGE && !is_image(e, node))
        vg_report(e->diags, summary_not_image, span, e->frame->call, vg_shape_shown(e, shape));
    else return true;
    return false;
}

static void add_summary(vg_elaborator *e, const vg_summary_statement *s, vg_str tag, vg_node node, vg_span span) {
    uint64_t key = (uint64_t)s->kind << 32 | tag;
    const uint32_t turn = vg_gradient_turn(e, node);
    if (!e->training && (s->kind != VG_SUMMARY_SCALAR || turn)) return;      /* those of evaluation */
    uint32_t old = vg_map_get(&e->tag_map, key);
    if (old) {
        vg_report(e->diags, tag_twice, span, e->frame->call, vg_text_of(e, tag));
        vg_diags_note(e->diags, e->tags.items[old - 1], "the first summary of this tag");
        return;
    }
    vg_vec_push(e->mem, &e->tags, span);
    vg_map_put(e->mem, &e->tag_map, key, e->tags.count);
    if (!check_summary_shape(e, s->kind, node, span)) return;
    vg_word words[4] = { tag, s->kind, s->every, turn ? turn : 1 };
    vg_here(e, span);
    vg_emit(e->graph, VG_OP_summary, &node, 1, vg_attr_of(e->ir, words, 4));
}

static bool is_gradient(vg_elaborator *e, vg_tree_id tree) {
    vg_value value;
    vg_entry entry;
    if (vg_tree_kind(e->tree, tree) != VG_K_call) return false;
    vg_tree_id callee = e->tree->a.items[tree];
    if (vg_tree_kind(e->tree, callee) != VG_K_name || vg_tree_count(e->tree, e->tree->b.items[tree]) != 2) return false;
    return vg_tree_name(e->tree, callee) == vg_strings_find(&e->ir->strings, "grad", 4) &&
           vg_name_find(e, vg_tree_name(e->tree, callee), &value, &entry) && !entry;
}

/* The path of what a gradient is taken with respect to: its entry's, else its text. */
static vg_str path_or_text(vg_elaborator *e, vg_tree_id tree, vg_node node) {
    vg_entry entry = vg_map_get(&e->node_entry, node);
    if (!entry) entry = vg_evaluate_place(e, tree);
    vg_str path = entry ? vg_entry_path(e, entry) : 0;
    return path ? path : vg_expression_text(e, tree);
}

/* The first part of the tag (behind it stands /PATH for a selection's members), by LANGUAGE.md, Summaries. */
static vg_str tag_head(vg_elaborator *e, const vg_summary_statement *s, vg_tree_id tree, vg_value value) {
    vg_strings *strings = &e->ir->strings;
    bool gradient = is_gradient(e, tree), single = value.kind == VG_V_tensor;
    vg_str text = vg_expression_text(e, tree);
    if (gradient) {
        uint32_t arguments = e->tree->b.items[tree];
        vg_tree_id y = e->tree->b.items[vg_tree_item(e->tree, arguments, 0)];
        vg_tree_id v = e->tree->b.items[vg_tree_item(e->tree, arguments, 1)];
        const char *of = vg_text_of(e, vg_expression_text(e, y));
        if (single) {
            vg_node node = vg_operand(e->graph, value.id, 1);
            text = vg_strings_format(strings, "grad(%s)/%s", of, vg_text_of(e, path_or_text(e, v, node)));
        } else {
            text = vg_strings_format(strings, "grad(%s)", of);
        }
    } else if (single) {
        text = path_or_text(e, tree, value.id);
    }
    if (!s->as) return text;
    return s->several ? vg_strings_format(strings, "%s/%s", vg_text_of(e, s->as), vg_text_of(e, text)) : s->as;
}

/* A list of tensors as a selection, of the paths [0], [1], ...; another value as it is. */
static vg_value list_members(vg_elaborator *e, vg_value list, vg_span span) {
    uint32_t count = vg_list_count(&e->values, list);
    bool tensors = count > 0;
    for (uint32_t k = 0; k < count; k++) tensors &= vg_list_item(&e->values, list, k).kind == VG_V_tensor;
    if (!tensors) return list;
    vg_selected *items = VG_ARRAY(&e->arena, vg_selected, count);
    for (uint32_t k = 0; k < count; k++)
        items[k] = (vg_selected){ vg_strings_format(&e->ir->strings, "[%u]", k),
                                  vg_to_tensor(e, vg_list_item(&e->values, list, k), false, span) };
    return vg_value_selection(&e->values, items, count);
}

static void summary_expression(vg_elaborator *e, const vg_summary_statement *s, vg_tree_id tree) {
    vg_span span = vg_tree_span(e->tree, tree);
    vg_binding outer = vg_binding_refuse(e, "a summary",
        vg_strings_format(&e->ir->strings, "summary %s", vg_text_of(e, vg_expression_text(e, tree))));
    vg_value value = vg_evaluate(e, tree);
    if (value.kind == VG_V_poison) goto done;
    if (value.kind == VG_V_list) value = list_members(e, value, span);
    if (value.kind != VG_V_selection) {
        value = vg_value_tensor(vg_to_tensor(e, value, false, span));
        if (value.kind == VG_V_tensor) add_summary(e, s, tag_head(e, s, tree, value), value.id, span);
        goto done;
    }
    vg_str head = tag_head(e, s, tree, value);
    for (uint32_t k = 0; k < vg_selection_count(&e->values, value); k++) {
        vg_selected item = vg_selection_item(&e->values, value, k);
        add_summary(e, s, vg_strings_format(&e->ir->strings, "%s/%s", vg_text_of(e, head), vg_text_of(e, item.path)),
                    item.node, span);
    }
done:
    e->binding = outer;
}

void vg_elaborate_summary(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id name = e->tree->a.items[statement];
    uint32_t list = e->tree->b.items[statement], more = e->tree->c.items[statement];
    const char *kind = vg_text_of(e, vg_tree_name(e->tree, name));
    vg_summary_statement s = { .kind = VG_SUMMARY_SCALAR, .several = vg_tree_count(e->tree, list) > 1 };
    if (__builtin_strcmp(kind, "histogram") == 0) s.kind = VG_SUMMARY_HISTOGRAM;
    else if (__builtin_strcmp(kind, "image") == 0) s.kind = VG_SUMMARY_IMAGE;
    else if (__builtin_strcmp(kind, "scalar") != 0) {
        vg_report(e->diags, summary_kind, vg_tree_span(e->tree, name), e->frame->call, kind);
        return;
    }
    vg_tree_id as = vg_tree_extra(e->tree, more, 0);
    if (as) s.as = vg_evaluate_string(e, as);
    if (!every_of(e, vg_tree_extra(e->tree, more, 1), &s.every)) return;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++)
        summary_expression(e, &s, vg_tree_item(e->tree, list, k));
}

/* ---- expect */

static vg_value element_of(vg_elaborator *e, vg_value value, uint32_t k) {
    return value.kind == VG_V_selection ? vg_value_tensor(vg_selection_item(&e->values, value, k).node) : value;
}

static void add_expect(vg_elaborator *e, vg_expectation row, const vg_value *values, uint32_t count) {
    vg_node operands[3];
    for (uint32_t k = 0; k < count; k++) {
        operands[k] = vg_to_tensor(e, values[k], false, row.span);
        if (!operands[k]) return;
    }
    vg_vec_push(e->mem, &e->unit->expectations, row);
    vg_word words[2] = { e->unit->expectations.count - 1, row.every };
    vg_here(e, row.span);
    vg_emit(e->graph, VG_OP_expect, operands, count, vg_attr_of(e->ir, words, 2));
}

/* What a failure shows behind the condition's value: scalars and tensors, of a selection each member's. */
static void show(vg_elaborator *e, vg_expectation *row, vg_tree_id tree, vg_value value, vg_value values[3],
                 uint32_t *count) {
    bool pair = value.kind == VG_V_selection && values[0].kind == VG_V_selection &&
                vg_selection_count(&e->values, value) == vg_selection_count(&e->values, values[0]);
    bool plain = value.kind == VG_V_tensor || value.kind == VG_V_number || value.kind == VG_V_dim;
    if (*count == 3 || !(pair || plain)) return;
    row->shown[*count - 1] = vg_expression_text(e, tree);
    values[(*count)++] = value;
}

/* The condition and what is shown with it: the sides of a comparison, a call's first arguments. Returns how many. */
static uint32_t condition(vg_elaborator *e, vg_tree_id tree, vg_str draws, vg_expectation *row, vg_value values[3]) {
    vg_kind kind = vg_tree_kind(e->tree, tree);
    vg_tree_id a = e->tree->a.items[tree], b = e->tree->b.items[tree];
    uint32_t count = 1;
    if (kind >= VG_K_eq && kind <= VG_K_ge) {
        vg_value left = vg_evaluate(e, a), right = vg_evaluate(e, b);
        values[0] = vg_operate(e, kind, left, right, vg_tree_span(e->tree, tree));
        show(e, row, a, left, values, &count);
        show(e, row, b, right, values, &count);
        return count;
    }
    values[0] = vg_evaluate(e, tree);
    if (kind != VG_K_call || values[0].kind == VG_V_poison) return count;
    if (vg_map_get(&e->draw_numbers, draws)) return count;       /* evaluated again it would be another draw */
    for (uint32_t k = 0; k < vg_tree_count(e->tree, b) && count < 3; k++) {
        vg_tree_id argument = e->tree->b.items[vg_tree_item(e->tree, b, k)];
        show(e, row, argument, vg_evaluate(e, argument), values, &count);
    }
    return count;
}

void vg_elaborate_expect(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id tree = e->tree->a.items[statement], message = e->tree->b.items[statement];
    vg_expectation row = { .text = vg_expression_text(e, tree), .span = vg_tree_span(e->tree, tree) };
    if (!every_of(e, e->tree->c.items[statement], &row.every)) return;
    if (message) row.message = vg_evaluate_string(e, message);
    vg_str draws = vg_strings_format(&e->ir->strings, "expect %s", vg_text_of(e, row.text));
    vg_binding outer = vg_binding_refuse(e, "an expect", draws);
    vg_value values[3] = { { 0 } };
    uint32_t count = condition(e, tree, draws, &row, values);
    e->binding = outer;
    if (values[0].kind == VG_V_poison || !e->training) return;
    if (values[0].kind != VG_V_selection) {
        add_expect(e, row, values, count);
        return;
    }
    vg_str text = row.text;
    for (uint32_t k = 0; k < vg_selection_count(&e->values, values[0]); k++) {
        vg_value one[3];
        for (uint32_t j = 0; j < count; j++) one[j] = element_of(e, values[j], k);
        row.text = vg_strings_format(&e->ir->strings, "%s/%s", vg_text_of(e, text),
                                     vg_text_of(e, vg_selection_item(&e->values, values[0], k).path));
        add_expect(e, row, one, count);
    }
}

/* ---- fetch */

void vg_elaborate_fetch(vg_elaborator *e, const vg_override *fetch, uint32_t index) {
    vg_str text = vg_expression_text(e, fetch->tree);
    vg_str draws = vg_strings_format(&e->ir->strings, "fetch %s", vg_text_of(e, text));
    vg_binding outer = vg_binding_refuse(e, "a value to print", draws);
    vg_value value = vg_evaluate(e, fetch->tree);
    e->binding = outer;
    if (value.kind == VG_V_selection && vg_selection_count(&e->values, value) == 1) value = element_of(e, value, 0);
    if (value.kind == VG_V_selection) {
        vg_report(e->diags, fetch_selection, fetch->span, 0, vg_text_of(e, text),
                  vg_arena_format(&e->arena, "%u", vg_selection_count(&e->values, value)));
        return;
    }
    vg_node node = vg_to_tensor(e, value, false, vg_tree_span(e->tree, fetch->tree));
    if (!node) return;
    if (e->training) vg_vec_push(e->mem, &e->unit->fetches, text);
    vg_word words[1] = { index };
    vg_emit(e->graph, VG_OP_fetch, &node, 1, vg_attr_of(e->ir, words, 1));
}
