/* train blocks: parameters, gradients, clipping, and the optimizer's updates. */
#include <string.h>

#include "front/settings.h"
#include "ir/build.h"

/* ---- which variables */

static bool passes(const vg_graph *graph, vg_node node) {
    vg_op op = vg_node_op(graph, node);
    return vg_node_dtype(graph, node) == VG_F32 && (vg_op_rows[op].has_gradient || vg_op_is(op, VG_FLAG_holder));
}

/* Marks what `loss` depends on by a path that passes a gradient. */
static uint8_t *mark_ancestors(vg_elaborator *e, vg_node loss) {
    uint8_t *mark = vg_mem_alloc(e->mem, (size_t)loss + 1);
    mark[loss] = 1;
    for (vg_node n = loss; n > 0; n--) {
        if (!mark[n] || !passes(e->graph, n)) continue;
        for (uint32_t k = 0; k < e->graph->operand_count.items[n]; k++) mark[vg_operand(e->graph, n, k)] = 1;
    }
    return mark;
}

static vg_value default_params(vg_elaborator *e, vg_node loss, vg_tree_id loss_tree) {
    uint8_t *mark = mark_ancestors(e, loss);
    uint32_t count = 0;
    vg_selected *items = VG_ARRAY(&e->arena, vg_selected, e->unit->variables.count + 1);
    for (vg_node n = 1; n <= loss; n++) {
        if (!mark[n] || vg_node_op(e->graph, n) != VG_OP_variable) continue;
        vg_entry entry = vg_map_get(&e->node_entry, n);
        if (!entry || !e->unit->variables.items[vg_entry_at(e, entry)->variable - 1].trainable) continue;
        items[count++] = (vg_selected){ vg_entry_path(e, entry), n };
    }
    vg_mem_free(e->mem, mark);
    if (count) return vg_value_selection(&e->values, items, count);
    vg_report(e->diags, nothing_to_train, vg_tree_span(e->tree, loss_tree), e->frame->call,
              vg_text_of(e, vg_expression_text(e, loss_tree)));
    return vg_value_poison();
}

/* Variables that a setting names, each once; `taken` is told by the variable's number. */
typedef struct vg_chosen { vg_selected *items; uint32_t count; bool *taken; } vg_chosen;

static bool add_variables(vg_elaborator *e, vg_value value, vg_span span, vg_chosen *chosen) {
    uint32_t length = value.kind == VG_V_list ? vg_list_count(&e->values, value)
                    : value.kind == VG_V_selection ? vg_selection_count(&e->values, value) : 1;
    if (value.kind == VG_V_poison || !vg_spend(e, span)) return false;
    for (uint32_t k = 0; k < length; k++) {
        vg_node node = value.kind == VG_V_selection ? vg_selection_item(&e->values, value, k).node : value.id;
        if (value.kind == VG_V_list) {
            if (!add_variables(e, vg_list_item(&e->values, value, k), span, chosen)) return false;
            continue;
        }
        bool tensor = value.kind == VG_V_tensor || value.kind == VG_V_selection;
        vg_entry entry = tensor ? vg_map_get(&e->node_entry, node) : 0;
        uint32_t number = entry ? vg_entry_at(e, entry)->variable - 1 : 0;
        if (!entry || !e->unit->variables.items[number].trainable) {
            vg_report0(e->diags, not_variables, span, e->frame->call);
            return false;
        }
        if (!chosen->taken[number]) chosen->items[chosen->count++] = (vg_selected){ vg_entry_path(e, entry), node };
        chosen->taken[number] = true;
    }
    return true;
}

/* The trainable variables of a setting's value: a variable, a selection, a list of them. False after reporting. */
static bool choose_variables(vg_elaborator *e, vg_value value, vg_span span, vg_chosen *chosen) {
    uint32_t count = e->unit->variables.count;
    *chosen = (vg_chosen){ VG_ARRAY(&e->arena, vg_selected, count), 0, VG_ARRAY(&e->arena, bool, count) };
    return add_variables(e, value, span, chosen);
}

static vg_value chosen_params(vg_elaborator *e, vg_tree_id tree) {
    vg_chosen chosen;
    if (!choose_variables(e, vg_evaluate(e, tree), vg_tree_span(e->tree, tree), &chosen)) return vg_value_poison();
    if (chosen.count) return vg_value_selection(&e->values, chosen.items, chosen.count);
    vg_report0(e->diags, params_empty, vg_tree_span(e->tree, tree), e->frame->call);
    return vg_value_poison();
}

/* ---- gradients and clipping */

vg_node vg_gradient_node(vg_elaborator *e, vg_node y, vg_node v, uint32_t group) {
    vg_node operands[2] = { y, v };
    vg_word words[1] = { group };
    return vg_emit(e->graph, VG_OP_grad, operands, 2, vg_attr_of(e->ir, words, 1));
}

static bool positive_setting(vg_elaborator *e, vg_tree_id tree, vg_node *out) {
    vg_value value = vg_evaluate(e, tree);
    if (value.kind == VG_V_number && !(value.number > 0)) {
        char number[32];
        vg_report(e->diags, clip_range, vg_tree_span(e->tree, tree), e->frame->call,
                  vg_number_text(number, value.number));
        return false;
    }
    *out = vg_to_tensor(e, value, false, vg_tree_span(e->tree, tree));
    if (*out && vg_node_rank(e->graph, *out) != 0) {
        vg_report0(e->diags, clip_scalar, vg_tree_span(e->tree, tree), e->frame->call);
        return false;
    }
    return *out != 0;
}

static void clip_value(vg_elaborator *e, vg_tree_id tree, vg_node *gradients, uint32_t count) {
    vg_node limit;
    if (!positive_setting(e, tree, &limit)) return;
    vg_node low = vg_build_map1(e->graph, VG_OP_neg, limit);
    for (uint32_t k = 0; k < count; k++)
        gradients[k] = vg_build_map2(e->graph, VG_OP_maximum, low,
                                     vg_build_map2(e->graph, VG_OP_minimum, gradients[k], limit));
}

/* All of the block together: g * min(1, limit / (|g| + 1e-6)), as PyTorch's clip_grad_norm_. */
static void clip_norm(vg_elaborator *e, vg_tree_id tree, vg_node *gradients, uint32_t count) {
    vg_node limit;
    if (!positive_setting(e, tree, &limit)) return;
    vg_node *squares = VG_ARRAY(&e->arena, vg_node, count);
    for (uint32_t k = 0; k < count; k++) {
        vg_node square = vg_build_map1(e->graph, VG_OP_square, gradients[k]);
        uint32_t rank = vg_node_rank(e->graph, square);
        squares[k] = vg_build_reduce(e->graph, VG_OP_sum, square, (1u << rank) - 1, false);
    }
    vg_node norm = vg_build_map1(e->graph, VG_OP_sqrt, vg_build_addn(e->graph, squares, count));
    vg_node safe = vg_build_map2(e->graph, VG_OP_add, norm, vg_build_scalar(e->graph, 1e-6));
    vg_node scale = vg_build_map2(e->graph, VG_OP_minimum, vg_build_map2(e->graph, VG_OP_div, limit, safe),
                                  vg_build_scalar(e->graph, 1));
    for (uint32_t k = 0; k < count; k++) gradients[k] = vg_build_map2(e->graph, VG_OP_mul, gradients[k], scale);
}

/* ---- the optimizer */

/* train.h[1].W: where the optimizer of h[1].W keeps its states. */
static vg_entry mirror(vg_elaborator *e, vg_entry base, vg_entry entry) {
    vg_entry_row row = *vg_entry_at(e, entry);
    if (entry == e->root || !row.parent) return base;
    vg_entry up = mirror(e, base, row.parent);
    if (row.index_count) {
        vg_entry member = vg_entry_find_member(e, up, e->indices.items + row.first_index, row.index_count);
        if (member) return member;
        int64_t indices[VG_RANK_LIMIT * 2];
        memcpy(indices, e->indices.items + row.first_index, row.index_count * sizeof *indices);
        member = vg_entry_member(e, up, indices, row.index_count, row.span);
        vg_entry_at(e, member)->kind = VG_E_scope;
        return member;
    }
    vg_entry found = vg_entry_find(e, up, row.name);
    vg_entry_kind kind = row.kind == VG_E_family ? VG_E_family : VG_E_scope;
    return found ? found : vg_entry_add(e, up, row.name, kind, row.span);
}

static vg_value default_optimizer(vg_elaborator *e, vg_span span) {
    vg_entry entry = vg_entry_find(e, e->library, vg_strings_c(&e->ir->strings, "sgd"));
    vg_function f = e->values.functions.items[vg_entry_at(e, entry)->value.id];
    vg_value arguments[VG_ARGUMENT_LIMIT];
    uint32_t count = vg_tree_count(e->tree, vg_function_parameters(e, &f));
    for (uint32_t k = 0; k < count; k++) arguments[k] = vg_value_absent();
    arguments[0] = vg_value_number(0.01);
    static const vg_span none[VG_ARGUMENT_LIMIT];
    const uint32_t list = vg_value_list(&e->values, arguments, count).id;
    const vg_bound bound = { vg_entry_at(e, entry)->value.id, list, none, span, 0 };
    vg_vec_push(e->mem, &e->values.bound, bound);
    return (vg_value){ VG_V_optimizer, e->values.bound.count - 1, 0 };
}

static void run_optimizer(vg_elaborator *e, vg_value optimizer, vg_node p, vg_node g, vg_entry train) {
    vg_bound bound = e->values.bound.items[optimizer.id];
    vg_function f = e->values.functions.items[bound.function];
    uint32_t more = e->tree->c.items[f.tree];
    vg_value list = { VG_V_list, bound.list, 0 }, arguments[VG_ARGUMENT_LIMIT];
    for (uint32_t k = 0; k < vg_list_count(&e->values, list); k++) arguments[k] = vg_list_item(&e->values, list, k);
    vg_tree_id p_name = vg_tree_extra(e->tree, more, 0), g_name = vg_tree_extra(e->tree, more, 1);
    vg_local locals[2] = {
        { vg_tree_name(e->tree, p_name), vg_value_tensor(p), vg_tree_span(e->tree, p_name) },
        { vg_tree_name(e->tree, g_name), vg_value_tensor(g), vg_tree_span(e->tree, g_name) }
    };
    vg_entry scope = mirror(e, train, vg_map_get(&e->node_entry, p));
    vg_binding outer = vg_binding_refuse(e, "an optimizer", vg_entry_path(e, scope));
    uint32_t before = e->updates.count, errors = e->diags->list.count;
    vg_run_function(e, bound.function, arguments, bound.spans, bound.span, locals, 2, scope);
    e->binding = outer;
    bool updates = false;
    vg_entry variable = vg_map_get(&e->node_entry, p);
    for (uint32_t k = before; k < e->updates.count; k++) updates |= e->updates.items[k].variable == variable;
    if (!updates && errors == e->diags->list.count)
        vg_report(e->diags, optimizer_no_update, vg_tree_span(e->tree, e->tree->a.items[f.tree]), 0,
                  vg_text_of(e, f.name), vg_text_of(e, locals[0].name));
}

/* takes: by the variable's number; NULL: all. */
typedef struct vg_pair { const bool *takes; vg_value optimizer; } vg_pair;

/* One optimizer for all, or pairs [selection, optimizer]. Returns how many pairs; 0 after reporting. */
static uint32_t optimizer_pairs(vg_elaborator *e, vg_tree_id tree, vg_span block, vg_pair *pairs, uint32_t limit) {
    vg_span span = tree ? vg_tree_span(e->tree, tree) : block;
    vg_value value = tree ? vg_evaluate(e, tree) : default_optimizer(e, block);
    pairs[0] = (vg_pair){ NULL, value };
    if (value.kind == VG_V_poison) return 0;
    if (value.kind == VG_V_optimizer) return 1;
    uint32_t count = value.kind == VG_V_list ? vg_list_count(&e->values, value) : 0;
    bool fits = count > 0 && count <= limit;
    for (uint32_t k = 0; k < count && fits; k++) {
        vg_value item = vg_list_item(&e->values, value, k);
        fits = item.kind == VG_V_list && vg_list_count(&e->values, item) == 2 &&
               vg_list_item(&e->values, item, 1).kind == VG_V_optimizer;
        if (!fits) break;
        vg_chosen chosen;
        if (!choose_variables(e, vg_list_item(&e->values, item, 0), span, &chosen)) return 0;
        pairs[k] = (vg_pair){ chosen.taken, vg_list_item(&e->values, item, 1) };
    }
    if (fits) return count;
    vg_report(e->diags, not_optimizer, span, e->frame->call, vg_value_noun(value.kind));
    if (value.kind == VG_V_function)
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "write the call: %s(rate = 0.01)",
                      vg_text_of(e, e->values.functions.items[value.id].name));
    return 0;
}

/* The first that takes the variable. */
static const vg_pair *pair_of(vg_elaborator *e, const vg_pair *pairs, uint32_t count, vg_node variable) {
    uint32_t number = vg_entry_at(e, vg_map_get(&e->node_entry, variable))->variable - 1;
    for (uint32_t k = 0; k < count; k++)
        if (!pairs[k].takes || pairs[k].takes[number]) return &pairs[k];
    return NULL;
}

/* train, or train[2] for the second block: where the states of a block's optimizers lie. */
static vg_entry states_of_block(vg_elaborator *e, uint32_t block) {
    vg_str name = vg_strings_c(&e->ir->strings, "train");
    vg_entry train = vg_entry_find(e, e->root, name);
    int64_t number = block;
    if (!train) train = vg_entry_add(e, e->root, name, VG_E_scope, (vg_span){ 0, 0 });
    if (block == 1) return train;
    vg_entry member = vg_entry_member(e, train, &number, 1, (vg_span){ 0, 0 });
    vg_entry_at(e, member)->kind = VG_E_scope;
    return member;
}

static void elaborate_updates(vg_elaborator *e, const vg_settings *s, vg_node loss, vg_value params) {
    vg_pair pairs[64];
    uint32_t pair_count = optimizer_pairs(e, s->tree[VG_S_optimizer], e->graph->here.span, pairs, 64);
    uint32_t count = vg_selection_count(&e->values, params), group = ++e->ir->groups;
    vg_node *gradients = VG_ARRAY(&e->arena, vg_node, count);
    for (uint32_t k = 0; k < count; k++)
        gradients[k] = vg_gradient_node(e, loss, vg_selection_item(&e->values, params, k).node, group);
    if (s->tree[VG_S_clip_value]) clip_value(e, s->tree[VG_S_clip_value], gradients, count);
    if (s->tree[VG_S_clip_norm]) clip_norm(e, s->tree[VG_S_clip_norm], gradients, count);
    vg_entry train = states_of_block(e, e->block);
    uint32_t errors = e->diags->list.count;
    for (uint32_t k = 0; k < count && pair_count && errors == e->diags->list.count; k++) {
        vg_selected variable = vg_selection_item(&e->values, params, k);
        const vg_pair *pair = pair_of(e, pairs, pair_count, variable.node);
        if (pair) run_optimizer(e, pair->optimizer, variable.node, gradients[k], train);
        else vg_report(e->diags, no_optimizer_for, vg_tree_span(e->tree, s->tree[VG_S_optimizer]), e->frame->call,
                       vg_text_of(e, variable.path));
    }
}

/* ---- the block */

static vg_node loss_node(vg_elaborator *e, vg_tree_id tree) {
    vg_node loss = vg_evaluate_tensor(e, tree);
    if (!loss) return 0;
    if (vg_node_rank(e->graph, loss) == 0 && vg_node_dtype(e->graph, loss) == VG_F32) return loss;
    const char *text = vg_text_of(e, vg_expression_text(e, tree));
    vg_report(e->diags, loss_not_scalar, vg_tree_span(e->tree, tree), e->frame->call, text,
              vg_shape_shown(e, vg_node_shape(e->graph, loss)), text);
    return 0;
}

/* Block `k`, from 0. */
static void elaborate_block(vg_elaborator *e, const vg_settings *blocks, uint32_t k) {
    const vg_settings *settings = &blocks[k];
    vg_tree_id statement = e->trains.items[k].statement, loss_tree = e->tree->a.items[statement];
    e->block = k + 1;
    e->block_every = vg_settings_every(e, blocks, k);
    vg_node loss = loss_node(e, loss_tree);
    vg_vec_push(e->mem, &e->losses, loss);
    if (loss) {
        vg_tree_id named = settings->tree[VG_S_params];
        vg_value params = named ? chosen_params(e, named) : default_params(e, loss, loss_tree);
        vg_here(e, vg_tree_span(e->tree, loss_tree));
        vg_word words[1] = { e->block };
        vg_emit(e->graph, VG_OP_loss, &loss, 1, vg_attr_of(e->ir, words, 1));
        if (params.kind == VG_V_selection) elaborate_updates(e, settings, loss, params);
    } else if (settings->tree[VG_S_optimizer]) {
        vg_evaluate(e, settings->tree[VG_S_optimizer]);   /* its mistakes are shown all the same */
    }
    if (e->training) {
        vg_block block = { vg_expression_text(e, loss_tree), vg_settings_batch(e, blocks, k), e->block_every,
                           settings->tree[VG_S_params] != 0, vg_tree_span(e->tree, statement) };
        vg_vec_push(e->mem, &e->unit->blocks, block);
    }
    e->block = 0;
}

void vg_elaborate_trains(vg_elaborator *e) {
    vg_frame *top = e->frame;
    const vg_settings *blocks = vg_settings_read(e);
    vg_settings_run(e, blocks);
    for (uint32_t k = 0; k < e->trains.count; k++) {
        e->frame = e->trains.items[k].frame;
        const char *path = k ? vg_arena_format(&e->arena, "train[%u]", k + 1) : "train";
        vg_binding outer = vg_binding_refuse(e, "a train block", vg_strings_c(&e->ir->strings, path));
        elaborate_block(e, blocks, k);
        e->binding = outer;
    }
    e->frame = top;
}
