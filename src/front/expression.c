/* What an expression is worth: literals, names, lists, members, choices. Operators, calls, subscripts and patterns
 * have files of their own. */
#include <assert.h>
#include <string.h>

#include "diag/suggest.h"
#include "front/elaborator.h"
#include "front/lexer.h"

void vg_here(vg_elaborator *e, vg_span span) { e->graph->here = (vg_place){ span, e->frame->call, 0 }; }

vg_str vg_expression_text(vg_elaborator *e, vg_tree_id expression) {
    vg_span span = vg_tree_span(e->tree, expression);
    const vg_source *source = vg_sources_at(&e->diags->sources, span.begin);
    if (!source) return 0;
    vg_text text = vg_text_new(e->mem);
    for (uint32_t at = span.begin; at < span.end; at++) {
        char c = source->text[at - source->base];
        if (c == '"') {   /* to its end: what looks like a comment in it is none */
            const char *string = source->text + (at - source->base);
            const char *behind = vg_lexer_string(string, source->text + (span.end - source->base), NULL);
            vg_text_add(&text, string, (size_t)(behind - string) - 1);
            at += (uint32_t)(behind - string) - 1;
        }
        if (c == '#')   /* a comment is none of it */
            while (c != '\n') c = source->text[++at - source->base];
        bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!space) vg_text_add(&text, &c, 1);
        else if (text.length && text.text[text.length - 1] != ' ') vg_text_add(&text, " ", 1);
    }
    vg_str id = vg_strings_add(&e->ir->strings, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return id;
}

static void add_value_text(vg_elaborator *e, vg_text *out, vg_value value, vg_span span) {
    char number[32];
    switch (value.kind) {
    case VG_V_number: vg_text_format(out, "%s", vg_number_text(number, value.number)); return;
    case VG_V_bool:   vg_text_format(out, "%s", value.id ? "true" : "false"); return;
    case VG_V_string: vg_text_format(out, "%s", vg_text_of(e, value.id)); return;
    case VG_V_dim:    vg_dim_text(&e->ir->dims, &e->ir->strings, value.id, out); return;
    case VG_V_function:
        vg_text_format(out, "%s", vg_text_of(e, e->values.functions.items[value.id].name));
        return;
    case VG_V_list:
        for (uint32_t k = 0; k < vg_list_count(&e->values, value) && out->length <= VG_STRING_LIMIT; k++) {
            vg_text_format(out, k ? ", " : "[");
            add_value_text(e, out, vg_list_item(&e->values, value, k), span);
        }
        vg_text_format(out, vg_list_count(&e->values, value) ? "]" : "[]");
        return;
    case VG_V_poison: case VG_V_absent: return;
    case VG_V_distribution: case VG_V_optimizer: case VG_V_data: case VG_V_column: case VG_V_tensor:
    case VG_V_selection: case VG_V_family: case VG_V_axes:
        vg_report(e->diags, text_of_value, span, e->frame->call, vg_value_noun(value.kind));
        return;
    }
}

vg_str vg_evaluate_string(vg_elaborator *e, vg_tree_id string) {
    uint32_t parts = e->tree->a.items[string];
    vg_text text = vg_text_new(e->mem);
    for (uint32_t k = 0; k < vg_tree_count(e->tree, parts); k++) {
        vg_tree_id part = vg_tree_item(e->tree, parts, k);
        if (vg_tree_kind(e->tree, part) == VG_K_string_text)
            vg_text_format(&text, "%s", vg_text_of(e, e->tree->a.items[part]));
        else
            add_value_text(e, &text, vg_evaluate(e, part), vg_tree_span(e->tree, part));
        if (text.length <= VG_STRING_LIMIT) continue;
        vg_report(e->diags, limit_string, vg_tree_span(e->tree, string), e->frame->call,
                  vg_arena_format(&e->arena, "%d", VG_STRING_LIMIT));
        vg_text_free(&text);
        return vg_strings_c(&e->ir->strings, "");
    }
    vg_str id = vg_strings_add(&e->ir->strings, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return id;
}

static vg_value take_list(vg_elaborator *e, uint32_t base) {
    uint32_t count = e->stack.count - base;
    vg_value list = vg_value_list(&e->values, count ? e->stack.items + base : NULL, count);
    e->stack.count = base;
    return list;
}

static vg_value evaluate_list(vg_elaborator *e, vg_tree_id expression) {
    uint32_t items = e->tree->a.items[expression], base = e->stack.count;
    bool poisoned = false;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, items); k++) {
        vg_value item = vg_evaluate(e, vg_tree_item(e->tree, items, k));
        poisoned |= item.kind == VG_V_poison;
        vg_vec_push(e->mem, &e->stack, item);
    }
    vg_value list = take_list(e, base);
    return poisoned ? vg_value_poison() : list;
}

/* [a for b in from..to if condition] */
static vg_value evaluate_build(vg_elaborator *e, vg_tree_id expression) {
    vg_tree_id item = e->tree->a.items[expression], name = e->tree->b.items[expression];
    uint32_t more = e->tree->c.items[expression], base = e->stack.count;
    vg_tree_id from_tree = vg_tree_extra(e->tree, more, 0), to_tree = vg_tree_extra(e->tree, more, 1);
    vg_tree_id condition = vg_tree_extra(e->tree, more, 2);
    int64_t from, to;
    bool whole = vg_evaluate_whole(e, from_tree, "where a list begins", &from);
    if (!vg_evaluate_whole(e, to_tree, "where a list ends", &to) || !whole) return vg_value_poison();
    if (to >= from && to - from >= VG_TURN_LIMIT) {
        vg_report(e->diags, limit_turns, vg_tree_span(e->tree, to_tree), e->frame->call,
                  vg_arena_format(&e->arena, "%lld", (long long)(to - from) + 1));
        return vg_value_poison();
    }
    vg_call call = e->frame->call;
    bool poisoned = false;
    for (int64_t k = from; k <= to; k++) {
        e->frame->call = vg_diags_call(e->diags, call, VG_CALL_LOOP, vg_tree_span(e->tree, name),
                                       vg_tree_name(e->tree, name), k);
        vg_local_add(e, vg_tree_name(e->tree, name), vg_value_number((double)k), vg_tree_span(e->tree, name));
        bool wanted = true;
        if (condition) poisoned |= !vg_evaluate_bool(e, condition, "a list's condition", &wanted);
        vg_value value = wanted ? vg_evaluate(e, item) : vg_value_absent();
        e->frame->locals.count--;
        poisoned |= value.kind == VG_V_poison;
        if (wanted) vg_vec_push(e->mem, &e->stack, value);
        if (poisoned) break;
    }
    e->frame->call = call;
    vg_value list = take_list(e, base);
    return poisoned ? vg_value_poison() : list;
}

/* ---- members */

static void report_no_member(vg_elaborator *e, vg_entry entry, vg_tree_id name) {
    const vg_strings *strings = &e->ir->strings;
    const char *wanted = vg_strings_text(strings, vg_tree_name(e->tree, name));
    const char *path = vg_strings_text(strings, vg_entry_path(e, entry));
    vg_report(e->diags, unknown_member, vg_tree_span(e->tree, name), e->frame->call, path, wanted);
    vg_suggest suggest;
    vg_suggest_start(&suggest, wanted);
    vg_text all = vg_text_new(e->mem);
    uint32_t count = 0;
    for (vg_entry c = vg_entry_at(e, entry)->first_child; c; c = vg_entry_at(e, c)->next) {
        if (vg_entry_at(e, c)->index_count) continue;
        const char *text = vg_strings_text(strings, vg_entry_at(e, c)->name);
        vg_suggest_offer(&suggest, text);
        if (count++ < 8) vg_text_format(&all, "%s%s", all.length ? ", " : "", text);
    }
    if (vg_suggest_best(&suggest))
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    else if (count)
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "it has %s%s", vg_text_c(&all), count > 8 ? ", ..." : "");
    vg_text_free(&all);
}

static vg_entry family_place(vg_elaborator *e, vg_tree_id subscript, vg_entry family) {
    uint32_t subs = e->tree->b.items[subscript], count = vg_tree_count(e->tree, subs);
    int64_t indices[VG_RANK_LIMIT * 2];
    if (count > VG_RANK_LIMIT * 2) return 0;
    for (uint32_t k = 0; k < count; k++) {
        vg_tree_id sub = vg_tree_item(e->tree, subs, k);
        vg_kind kind = vg_tree_kind(e->tree, sub);
        if (kind == VG_K_sub_all || kind == VG_K_sub_range) return 0;
        if (!vg_value_whole(vg_evaluate(e, sub), &indices[k])) return 0;
    }
    return vg_entry_find_member(e, family, indices, count);
}

vg_entry vg_evaluate_place(vg_elaborator *e, vg_tree_id expression) {
    vg_kind kind = vg_tree_kind(e->tree, expression);
    vg_value value;
    vg_entry entry = 0;
    if (kind == VG_K_group) return vg_evaluate_place(e, e->tree->a.items[expression]);
    if (kind == VG_K_name) {
        vg_str name = vg_tree_name(e->tree, expression);
        if (vg_name_find(e, name, &value, &entry) && value.kind != VG_V_function) return entry;
        /* A scope has no value, but members: those of a call outside a binding, and `train`. */
        entry = vg_entry_find(e, e->frame->scope, name);
        if (!entry) entry = vg_entry_find(e, e->frame->top, name);
        return entry && vg_entry_at(e, entry)->kind == VG_E_scope ? entry : 0;
    }
    if (kind == VG_K_subscript) {
        vg_entry family = vg_evaluate_place(e, e->tree->a.items[expression]);
        const vg_entry_kind of = family ? vg_entry_at(e, family)->kind : VG_E_value;
        if (of != VG_E_family && of != VG_E_scope) return 0;       /* a scope with members is `train` */
        return family_place(e, expression, family);
    }
    if (kind == VG_K_member) {
        vg_entry up = vg_evaluate_place(e, e->tree->a.items[expression]);
        return up ? vg_entry_find(e, up, vg_tree_name(e->tree, e->tree->b.items[expression])) : 0;
    }
    return 0;
}

vg_value vg_entry_value(vg_elaborator *e, vg_entry entry, vg_span span) {
    const vg_entry_row *row = vg_entry_at(e, entry);
    if (row->kind == VG_E_family) return (vg_value){ VG_V_family, entry, 0 };
    if (row->kind == VG_E_scope) {
        const char *path = vg_text_of(e, vg_entry_path(e, entry));
        vg_report(e->diags, scope_no_value, span, e->frame->call, path);
        if (strcmp(path, "train") == 0)
            vg_diags_note(e->diags, (vg_span){ 0, 0 }, "the optimizer's states of the first of %u blocks are train.NAME, "
                          "of the second train[2].NAME", e->trains.count);
    }
    return row->value;
}

static vg_value evaluate_member(vg_elaborator *e, vg_tree_id expression) {
    vg_tree_id base = e->tree->a.items[expression], name = e->tree->b.items[expression];
    vg_entry up = vg_evaluate_place(e, base);
    if (up && !vg_entry_at(e, up)->open && vg_entry_at(e, up)->kind != VG_E_data) {
        vg_entry child = vg_entry_find(e, up, vg_tree_name(e->tree, name));
        if (child) return vg_entry_value(e, child, vg_tree_span(e->tree, expression));
        const vg_entry_row *row = vg_entry_at(e, up);
        bool plain = row->kind == VG_E_value && row->value.kind == VG_V_poison && !row->first_child;
        if (plain) return vg_value_poison();
        if (row->kind != VG_E_family) {
            report_no_member(e, up, name);
            return vg_value_poison();
        }
    }
    vg_value value = vg_evaluate(e, base);
    if (value.kind == VG_V_poison) return value;
    if (value.kind == VG_V_data) return vg_data_member(e, value, name);
    if (value.kind == VG_V_family) {
        const char *path = vg_text_of(e, vg_entry_path(e, value.id));
        const char *member = vg_text_of(e, vg_tree_name(e->tree, name));
        vg_report(e->diags, member_of_family, vg_tree_span(e->tree, name), e->frame->call, path, member, path, member,
                  path, member);
        return vg_value_poison();
    }
    vg_report(e->diags, no_members, vg_tree_span(e->tree, name), e->frame->call, vg_value_noun(value.kind),
              vg_text_of(e, vg_tree_name(e->tree, name)));
    return vg_value_poison();
}

/* ---- what must be of one kind */

bool vg_evaluate_whole(vg_elaborator *e, vg_tree_id expression, const char *what, int64_t *out) {
    vg_value value = vg_evaluate(e, expression);
    if (value.kind == VG_V_poison) return false;
    if (vg_value_whole(value, out)) return true;
    const char *found = vg_value_noun(value.kind);
    char number[32];
    if (value.kind == VG_V_number) found = vg_number_text(number, value.number);
    vg_report(e->diags, not_whole, vg_tree_span(e->tree, expression), e->frame->call, what, found);
    return false;
}

bool vg_evaluate_bool(vg_elaborator *e, vg_tree_id expression, const char *what, bool *out) {
    vg_value value = vg_evaluate(e, expression);
    if (value.kind == VG_V_poison) return false;
    if (value.kind == VG_V_bool) {
        *out = value.id != 0;
        return true;
    }
    vg_span span = vg_tree_span(e->tree, expression);
    vg_report(e->diags, not_bool, span, e->frame->call, what, vg_value_noun(value.kind));
    if (value.kind == VG_V_tensor || value.kind == VG_V_dim)
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "it is decided when the graph is built; for a choice made while "
                      "running use select(c, a, b)");
    return false;
}

vg_node vg_evaluate_tensor(vg_elaborator *e, vg_tree_id expression) {
    vg_value value = vg_evaluate(e, expression);
    return vg_to_tensor(e, value, false, vg_tree_span(e->tree, expression));
}

static vg_value evaluate_if(vg_elaborator *e, vg_tree_id expression) {
    bool truth;
    if (!vg_evaluate_bool(e, e->tree->a.items[expression], "the condition of 'if'", &truth)) return vg_value_poison();
    return vg_evaluate(e, truth ? e->tree->b.items[expression] : e->tree->c.items[expression]);
}

/* `and` and `or` of compile-time values stop at the first that decides. */
static vg_value evaluate_logic(vg_elaborator *e, vg_tree_id expression, vg_kind kind) {
    vg_value a = vg_evaluate(e, e->tree->a.items[expression]);
    if (a.kind == VG_V_poison) return a;
    if (a.kind == VG_V_bool && (a.id != 0) == (kind == VG_K_or)) return a;
    vg_value b = vg_evaluate(e, e->tree->b.items[expression]);
    return vg_operate(e, kind, a, b, vg_tree_span(e->tree, expression));
}

static vg_value evaluate_binary(vg_elaborator *e, vg_tree_id expression, vg_kind kind) {
    vg_value a = vg_evaluate(e, e->tree->a.items[expression]);
    vg_value b = vg_evaluate(e, e->tree->b.items[expression]);
    return vg_operate(e, kind, a, b, vg_tree_span(e->tree, expression));
}

/* A name; of a function that is a value (vars, step), what it gives. */
static vg_value evaluate_name(vg_elaborator *e, vg_tree_id expression) {
    vg_entry entry;
    vg_value value = vg_name_value(e, expression, &entry);
    if (value.kind != VG_V_function) return value;
    const vg_function *f = &e->values.functions.items[value.id];
    if (f->kind != VG_F_builtin || !vg_builtin_is_value(f->tree)) return value;
    vg_value absent = vg_value_absent();
    vg_span none = { 0, 0 };
    return vg_call_builtin(e, f->tree, &absent, &none, vg_tree_span(e->tree, expression));
}

static vg_value evaluate_kind(vg_elaborator *e, vg_tree_id expression) {
    vg_tree *tree = e->tree;
    vg_kind kind = vg_tree_kind(tree, expression);
    switch (kind) {
    case VG_K_number: return vg_value_number(tree->numbers.items[tree->a.items[expression]]);
    case VG_K_string: return (vg_value){ VG_V_string, vg_evaluate_string(e, expression), 0 };
    case VG_K_bool:   return vg_value_bool(tree->a.items[expression] != 0);
    case VG_K_name:   return evaluate_name(e, expression);
    case VG_K_list:   return evaluate_list(e, expression);
    case VG_K_build:  return evaluate_build(e, expression);
    case VG_K_call:   return vg_call_expression(e, expression);
    case VG_K_subscript: return vg_is_pattern(e, expression) ? vg_select(e, expression) : vg_subscript(e, expression);
    case VG_K_member: return vg_is_pattern(e, expression) ? vg_select(e, expression) : evaluate_member(e, expression);
    case VG_K_member_star: case VG_K_member_deep: return vg_select(e, expression);
    case VG_K_negate: case VG_K_not:
        return vg_operate(e, kind, vg_evaluate(e, tree->a.items[expression]), vg_value_absent(),
                          vg_tree_span(tree, expression));
    case VG_K_and: case VG_K_or: return evaluate_logic(e, expression, kind);
    case VG_K_add: case VG_K_subtract: case VG_K_multiply: case VG_K_divide: case VG_K_matmul: case VG_K_power:
    case VG_K_eq: case VG_K_ne: case VG_K_lt: case VG_K_le: case VG_K_gt: case VG_K_ge:
        return evaluate_binary(e, expression, kind);
    case VG_K_if_else: return evaluate_if(e, expression);
    case VG_K_group:   return vg_evaluate(e, tree->a.items[expression]);
    case VG_K_none: case VG_K_string_text: case VG_K_argument: case VG_K_sub_all: case VG_K_sub_range: case VG_K_use:
    case VG_K_const: case VG_K_data: case VG_K_input: case VG_K_var: case VG_K_state: case VG_K_init_value:
    case VG_K_init_draw: case VG_K_update: case VG_K_bind: case VG_K_def: case VG_K_layer: case VG_K_initializer:
    case VG_K_optimizer: case VG_K_parameter: case VG_K_signature: case VG_K_ellipsis: case VG_K_for: case VG_K_if:
    case VG_K_block: case VG_K_return: case VG_K_train: case VG_K_setting: case VG_K_summary: case VG_K_expect:
    case VG_K_error:
        break;
    }
    return vg_value_poison();   /* what did not parse was reported */
}

vg_value vg_evaluate(vg_elaborator *e, vg_tree_id expression) {
    if (!expression) return vg_value_poison();
    if (!vg_spend(e, vg_tree_span(e->tree, expression))) return vg_value_poison();
    if (e->depth >= VG_EVALUATION_LIMIT) {
        vg_report(e->diags, limit_depth, vg_tree_span(e->tree, expression), e->frame->call,
                  vg_arena_format(&e->arena, "%d", VG_EVALUATION_LIMIT));
        return vg_value_poison();
    }
    e->depth++;
    vg_value value = evaluate_kind(e, expression);
    e->depth--;
    assert(value.kind != VG_V_poison || e->diags->list.count > 0);   /* what swallows the rest was reported */
    return value;
}
