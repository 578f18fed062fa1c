/* const, var, state, update: declarations, initial values and draws. */
#include "front/elaborator.h"
#include "ir/build.h"

/* ---- const */

vg_override *vg_override_find(vg_elaborator *e, vg_str name) {
    for (uint32_t k = 0; k < e->front->sets.count; k++)
        if (e->front->sets.items[k].name == name) return &e->front->sets.items[k];
    return NULL;
}

static bool is_compile_time(vg_elaborator *e, vg_value value, vg_span span) {
    if (!vg_spend(e, span)) return true;
    if (value.kind == VG_V_tensor || value.kind == VG_V_selection || value.kind == VG_V_family) return false;
    if (value.kind != VG_V_list) return true;
    for (uint32_t k = 0; k < vg_list_count(&e->values, value); k++)
        if (!is_compile_time(e, vg_list_item(&e->values, value, k), span)) return false;
    return true;
}

static vg_use_const *use_const_find(vg_elaborator *e, vg_str name) {
    for (uint32_t k = e->use_consts.count; k-- > 0;)
        if (e->use_consts.items[k].name == name && !e->use_consts.items[k].used) return &e->use_consts.items[k];
    return NULL;
}

void vg_declare_const(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id name = e->tree->a.items[statement], expression = e->tree->b.items[statement];
    vg_override *set = vg_override_find(e, vg_tree_name(e->tree, name));
    vg_use_const *given = use_const_find(e, vg_tree_name(e->tree, name));
    vg_value value;
    if (given) given->used = true;
    if (set) {
        set->used = true;
        expression = set->tree;
    }
    value = given && !set ? given->value : vg_evaluate(e, expression);
    vg_span span = given && !set ? given->span : vg_tree_span(e->tree, expression);
    if (!is_compile_time(e, value, span)) {
        vg_report(e->diags, const_tensor, span, e->frame->call, vg_text_of(e, vg_tree_name(e->tree, name)),
                  vg_value_noun(value.kind));
        value = vg_value_poison();
    }
    vg_entry entry = vg_bind_entry(e, name, NULL, 0, VG_E_const);
    if (entry) vg_bind_value(e, entry, value);
}

/* ---- draws */

static vg_node draw_op(vg_elaborator *e, const vg_distribution_row *row, vg_shape shape, bool fixed, vg_str path) {
    uint32_t number = 0;
    if (!fixed) path = vg_draw_path(e, &number);
    vg_word words[6] = { shape, path, number, fixed, vg_word_real(row->a), vg_word_real(row->b) };
    return vg_emit(e->graph, row->op, NULL, 0, vg_attr_of(e->ir, words, 6));
}

/* An initialiser by fan: its body is run for the shape. */
static vg_value by_shape(vg_elaborator *e, uint32_t bound, vg_shape shape, vg_span span) {
    vg_bound b = e->values.bound.items[bound];
    vg_function f = e->values.functions.items[b.function];
    vg_dim dims[VG_RANK_LIMIT];
    vg_value items[VG_RANK_LIMIT], arguments[VG_ARGUMENT_LIMIT];
    uint32_t rank = vg_shape_list(&e->ir->dims, shape, dims);
    for (uint32_t k = 0; k < rank; k++) items[k] = vg_dim_value_of(e, dims[k]);
    vg_value list = { VG_V_list, b.list, 0 };
    for (uint32_t k = 0; k < vg_list_count(&e->values, list); k++) arguments[k] = vg_list_item(&e->values, list, k);
    vg_tree_id name = vg_tree_extra(e->tree, e->tree->c.items[f.tree], 0);
    vg_value shown = vg_value_list(&e->values, items, rank);
    vg_local local = { vg_tree_name(e->tree, name), shown, vg_tree_span(e->tree, name) };
    return vg_run_function(e, b.function, arguments, b.spans, span, &local, 1, 0);
}

vg_node vg_draw(vg_elaborator *e, vg_value distribution, vg_shape shape, bool fixed, vg_str path, vg_span span) {
    vg_distribution_row row = e->values.distributions.items[distribution.id];
    vg_here(e, span);
    if (row.op != VG_OP_none) return draw_op(e, &row, shape, fixed, path);
    vg_value value = by_shape(e, row.bound, shape, span);
    if (value.kind == VG_V_poison) return 0;
    if (value.kind == VG_V_distribution) return vg_draw(e, value, shape, fixed, path, span);
    vg_node node = vg_to_tensor(e, value, false, span);
    if (!node || vg_node_shape(e->graph, node) == shape) return node;
    if (vg_node_rank(e->graph, node) == 0) return vg_build_broadcast(e->graph, node, shape);
    vg_report(e->diags, initial_shape, span, e->frame->call, vg_shape_shown(e, vg_node_shape(e->graph, node)),
              vg_shape_shown(e, shape));
    return 0;
}

/* ---- var and state */

static bool variable_shape(vg_elaborator *e, vg_tree_id tree, vg_shape *shape) {
    vg_dim dims[VG_RANK_LIMIT];
    int64_t number;
    if (!vg_to_shape(e, vg_evaluate(e, tree), vg_tree_span(e->tree, tree), shape)) return false;
    uint32_t rank = vg_shape_list(&e->ir->dims, *shape, dims);
    for (uint32_t k = 0; k < rank; k++) {
        if (vg_dim_is_number(&e->ir->dims, dims[k], &number)) continue;
        vg_report(e->diags, variable_open, vg_tree_span(e->tree, tree), e->frame->call, vg_shape_shown(e, *shape));
        return false;
    }
    return true;
}

/* What an initial value may not depend on; 0 when it is fine. An input is named before the batch that it brings. */
static vg_node bad_initial(vg_elaborator *e, vg_node node) {
    VG_VEC(vg_node) stack = { NULL, 0, 0 };
    vg_map seen = { 0 };
    vg_node bad = 0;
    bool decided = false;
    uint32_t word_count;
    vg_vec_push(e->mem, &stack, node);
    while (stack.count && !decided) {
        vg_node next = vg_vec_pop(&stack);
        if (vg_map_get(&seen, next)) continue;
        vg_map_put(e->mem, &seen, next, 1);
        vg_op op = vg_node_op(e->graph, next);
        decided = op == VG_OP_input || op == VG_OP_step ||
                  (vg_op_is(op, VG_FLAG_draws) && !vg_attr_words(e->ir, e->graph->attr.items[next], &word_count)[3]);
        if (decided || op == VG_OP_dimension) bad = next;
        for (uint32_t k = 0; k < e->graph->operand_count.items[next]; k++)
            vg_vec_push(e->mem, &stack, vg_operand(e->graph, next, k));
    }
    vg_vec_free(e->mem, &stack);
    vg_map_free(e->mem, &seen);
    return bad;
}

/* As the model's text has it. */
static const char *bad_initial_text(vg_elaborator *e, vg_node node) {
    const vg_op op = vg_node_op(e->graph, node);
    uint32_t count;
    const vg_word *words = vg_attr_words(e->ir, e->graph->attr.items[node], &count);
    if (op == VG_OP_input) return vg_text_of(e, (vg_str)words[1]);
    if (op == VG_OP_dimension) {
        vg_text text = vg_text_new(e->mem);
        vg_dim_text(&e->ir->dims, &e->ir->strings, (vg_dim)words[0], &text);
        return vg_arena_copy(&e->arena, text.text, text.length);
    }
    return op == VG_OP_step ? "step" : "sample(...)";
}

/* The node of a variable's initial value; 0 after reporting. */
static vg_node initial_value(vg_elaborator *e, vg_tree_id init, vg_shape shape, vg_str path) {
    vg_tree_id expression = e->tree->a.items[init];
    vg_span span = vg_tree_span(e->tree, expression);
    vg_value value = vg_evaluate(e, expression);
    if (value.kind == VG_V_poison) return 0;
    if (vg_tree_kind(e->tree, init) == VG_K_init_draw) {
        if (value.kind == VG_V_distribution) return vg_draw(e, value, shape, true, path, span);
        vg_report(e->diags, not_distribution, span, e->frame->call, vg_value_noun(value.kind));
        if (value.kind == VG_V_function)
            vg_diags_note(e->diags, (vg_span){ 0, 0 }, "write the call: %s()",
                          vg_text_of(e, e->values.functions.items[value.id].name));
        return 0;
    }
    if (value.kind == VG_V_distribution) {
        vg_report0(e->diags, initial_distribution, span, e->frame->call);
        return 0;
    }
    vg_node node = vg_to_tensor(e, value, false, span);
    if (!node) return 0;
    vg_node bad = bad_initial(e, node);
    if (bad) {
        vg_report(e->diags, initial_depends, span, e->frame->call, bad_initial_text(e, bad));
        return 0;
    }
    if (vg_node_shape(e->graph, node) == shape) return vg_build_float(e->graph, node);
    if (vg_node_rank(e->graph, node) == 0) return vg_build_broadcast(e->graph, vg_build_float(e->graph, node), shape);
    vg_report(e->diags, initial_shape, span, e->frame->call, vg_shape_shown(e, vg_node_shape(e->graph, node)),
              vg_shape_shown(e, shape));
    return 0;
}

enum { MADE_AGAIN = (int)(1u << 30) };   /* in variable_rows: found in evaluation too */

/* The table's row: made when training is elaborated, found again for evaluation. 0 after reporting. */
static uint32_t variable_row(vg_elaborator *e, vg_variable variable) {
    if (e->training) {
        vg_vec_push(e->mem, &e->unit->variables, variable);
        return e->unit->variables.count;
    }
    uint32_t row = vg_map_get(&e->variable_rows, variable.path) & ~(uint32_t)MADE_AGAIN;
    if (row) vg_map_put(e->mem, &e->variable_rows, variable.path, row | MADE_AGAIN);
    if (row && e->unit->variables.items[row - 1].shape == variable.shape) return row;
    vg_report(e->diags, variables_differ, variable.span, variable.call, vg_text_of(e, variable.path));
    return 0;
}

void vg_variables_compare(vg_elaborator *e) {
    for (uint32_t k = 0; k < e->unit->variables.count && !e->training; k++) {
        const vg_variable *variable = &e->unit->variables.items[k];
        if (!variable->optimizer && !(vg_map_get(&e->variable_rows, variable->path) & MADE_AGAIN))
            vg_report(e->diags, variables_differ, variable->span, variable->call, vg_text_of(e, variable->path));
    }
}

static void make_variable(vg_elaborator *e, vg_tree_id statement, vg_entry entry, vg_shape shape) {
    vg_tree_id init = e->tree->c.items[statement];
    vg_str path = vg_entry_path(e, entry);
    vg_span span = vg_tree_span(e->tree, e->tree->a.items[statement]);
    vg_variable variable = {
        .path = path, .shape = shape, .dtype = VG_F32, .trainable = vg_tree_kind(e->tree, statement) == VG_K_var,
        .optimizer = e->frame->kind == VG_FRAME_optimizer, .span = span, .call = e->frame->call,
        .initial = vg_expression_text(e, init)
    };
    vg_entry_at(e, entry)->open = true;
    vg_node initial = initial_value(e, init, shape, path);
    vg_entry_at(e, entry)->open = false;
    uint32_t row = variable_row(e, variable);
    if (!row) return;
    vg_word words[2] = { shape, path };
    vg_here(e, span);
    vg_node node = vg_emit(e->graph, VG_OP_variable, NULL, 0, vg_attr_of(e->ir, words, 2));
    vg_word name[1] = { path };
    if (initial) vg_emit(e->graph, VG_OP_initial, &initial, 1, vg_attr_of(e->ir, name, 1));
    vg_entry_at(e, entry)->variable = row;
    if (node) vg_map_put(e->mem, &e->node_entry, node, entry);
    vg_bind_value(e, entry, vg_value_tensor(node));
}

/* The variable of the same name in the call whose weights are used. */
static void share_variable(vg_elaborator *e, vg_tree_id statement, vg_entry entry, vg_entry shares, vg_shape shape) {
    vg_tree_id name = e->tree->a.items[statement];
    vg_entry made = vg_entry_find(e, shares, vg_tree_name(e->tree, name));
    const vg_entry_row *row = vg_entry_at(e, entry);
    if (made && row->index_count)
        made = vg_entry_find_member(e, made, e->indices.items + row->first_index, row->index_count);
    if (e->frame->weights_failed) return;
    e->frame->weights_failed = true;
    if (!made || !vg_entry_at(e, made)->variable) {
        vg_report(e->diags, weights_missing, vg_tree_span(e->tree, name), e->frame->call,
                  vg_text_of(e, vg_entry_path(e, shares)), vg_text_of(e, vg_tree_name(e->tree, name)));
        return;
    }
    vg_shape have = e->unit->variables.items[vg_entry_at(e, made)->variable - 1].shape;
    if (have != shape) {
        vg_report(e->diags, weights_shape, vg_tree_span(e->tree, name), e->frame->call,
                  vg_text_of(e, vg_entry_path(e, made)), vg_shape_shown(e, have), vg_shape_shown(e, shape));
        return;
    }
    e->frame->weights_failed = false;
    vg_node pending = vg_entry_at(e, made)->pending;
    vg_entry_at(e, entry)->kind = VG_E_value;
    vg_entry_at(e, entry)->shares = made;
    vg_entry_at(e, entry)->value = pending ? vg_value_tensor(pending) : vg_entry_at(e, made)->value;
}

void vg_declare_variable(vg_elaborator *e, vg_tree_id statement) {
    bool trainable = vg_tree_kind(e->tree, statement) == VG_K_var;
    vg_tree_id name = e->tree->a.items[statement];
    vg_frame_kind kind = e->frame->kind;
    if (kind == VG_FRAME_def || kind == VG_FRAME_initializer || (kind == VG_FRAME_optimizer && trainable)) {
        vg_report(e->diags, variable_refused, vg_tree_span(e->tree, statement), e->frame->call,
                  kind == VG_FRAME_def ? "a def" : kind == VG_FRAME_optimizer ? "an optimizer" : "an initializer");
        vg_bind_entry(e, name, NULL, 0, VG_E_value);   /* swallows what follows */
        return;
    }
    vg_shape shape;
    bool shaped = variable_shape(e, e->tree->b.items[statement], &shape);
    vg_entry entry = vg_bind_entry(e, name, NULL, 0, VG_E_variable);
    if (!entry || !shaped) return;
    vg_entry shares = vg_entry_at(e, e->frame->scope)->shares;
    if (shares) share_variable(e, statement, entry, shares, shape);
    else make_variable(e, statement, entry, shape);
}

/* ---- update */

/* The variable's entry; *shared: it was made by the call whose weights this one uses. 0 after reporting. */
static vg_entry update_target(vg_elaborator *e, vg_tree_id target, bool *shared) {
    vg_entry entry = vg_evaluate_place(e, target);
    vg_value value = entry ? vg_entry_value(e, entry, vg_tree_span(e->tree, target)) : vg_value_absent();
    if (!entry && e->frame->kind == VG_FRAME_optimizer) {        /* `update p`: the optimizer's variable */
        value = vg_evaluate(e, target);
        if (value.kind == VG_V_tensor) entry = vg_map_get(&e->node_entry, value.id);
    } else if (!entry) {
        value = vg_evaluate(e, target);
    }
    *shared = entry && vg_entry_at(e, entry)->shares && !vg_entry_at(e, entry)->variable;
    if (*shared) entry = vg_entry_at(e, entry)->shares;
    if (entry && !vg_entry_at(e, entry)->variable && value.kind == VG_V_tensor)
        entry = vg_map_get(&e->node_entry, value.id);            /* another name of a variable */
    if (entry && vg_entry_at(e, entry)->variable) return entry;
    if (value.kind != VG_V_poison)
        vg_report(e->diags, update_target, vg_tree_span(e->tree, target), e->frame->call,
                  vg_text_of(e, vg_expression_text(e, target)));
    return 0;
}

/* Updates of a shared state follow each other: a later call sees what an earlier one makes of it. */
static void add_update(vg_elaborator *e, vg_entry variable, vg_node value, vg_span span, bool shared) {
    bool in_optimizer = e->frame->kind == VG_FRAME_optimizer;
    vg_pending_update update = { variable, value, span, e->frame->call, in_optimizer ? e->block : 1,
                                 in_optimizer ? e->block_every : 1, in_optimizer, 0 };
    uint32_t before = vg_entry_at(e, variable)->updates;
    for (uint32_t k = before; k; k = e->updates.items[k - 1].previous) {
        vg_pending_update *old = &e->updates.items[k - 1];
        if (old->turn != update.turn) continue;
        if (shared) {
            old->value = value;
            vg_entry_at(e, variable)->pending = e->training ? value : 0;
            return;
        }
        vg_report(e->diags, updated_twice, span, e->frame->call, vg_text_of(e, vg_entry_path(e, variable)));
        vg_diags_note(e->diags, old->span, "updated here");
        return;
    }
    update.previous = before;
    vg_vec_push(e->mem, &e->updates, update);
    vg_entry_at(e, variable)->updates = e->updates.count;
    vg_entry_at(e, variable)->pending = e->training ? value : 0;   /* in evaluation nothing is updated */
}

void vg_declare_update(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id target = e->tree->a.items[statement], expression = e->tree->b.items[statement];
    if (e->frame->kind == VG_FRAME_def || e->frame->kind == VG_FRAME_initializer) {
        vg_report0(e->diags, update_refused, vg_tree_span(e->tree, statement), e->frame->call);
        return;
    }
    bool shared;
    vg_entry entry = update_target(e, target, &shared);
    vg_binding outer = e->binding;
    if (!outer.refuses) {
        vg_str path = entry ? vg_entry_path(e, entry) : 0;
        e->binding = (vg_binding){ .entry = e->frame->scope,
                                   .draw_path = vg_strings_format(&e->ir->strings, "update %s", vg_text_of(e, path)) };
    }
    vg_node node = vg_evaluate_tensor(e, expression);
    e->binding = outer;
    if (!entry || !node) return;
    const vg_variable *variable = &e->unit->variables.items[vg_entry_at(e, entry)->variable - 1];
    vg_span span = vg_tree_span(e->tree, expression);
    vg_here(e, span);
    node = vg_build_float(e->graph, node);
    if (node && vg_node_rank(e->graph, node) == 0 && variable->shape != VG_SHAPE_SCALAR)
        node = vg_build_broadcast(e->graph, node, variable->shape);
    if (!node) return;
    if (vg_node_shape(e->graph, node) != variable->shape) {
        vg_report(e->diags, update_shape, span, e->frame->call, vg_text_of(e, variable->path),
                  vg_shape_shown(e, variable->shape), vg_shape_shown(e, vg_node_shape(e->graph, node)));
        return;
    }
    add_update(e, entry, node, vg_tree_span(e->tree, statement), shared);
}

void vg_updates_emit(vg_elaborator *e) {
    for (uint32_t k = 0; e->training && k < e->updates.count; k++) {
        vg_pending_update u = e->updates.items[k];
        vg_word words[3] = { vg_entry_path(e, u.variable), u.turn, u.every };
        e->graph->here = (vg_place){ u.span, u.call, 0 };
        vg_emit(e->graph, VG_OP_update, &u.value, 1, vg_attr_of(e->ir, words, 3));
    }
}
