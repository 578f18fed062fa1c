/* Calls: which argument belongs to which parameter, defaults, signatures, and running a function's body. */
#include "diag/suggest.h"
#include "front/elaborator.h"

bool vg_spend(vg_elaborator *e, vg_span span) {
    if (e->work < VG_WORK_LIMIT) {
        e->work++;
        return true;
    }
    if (!e->work_reported)
        vg_report(e->diags, limit_work, span, e->frame->call, vg_arena_format(&e->arena, "%d", VG_WORK_LIMIT));
    e->work_reported = true;
    return false;
}

/* ---- frames */

/* For who wants to see what the model is made of. */
static void note_definition(vg_elaborator *e, uint32_t function) {
    vg_function *f = &e->values.functions.items[function];
    if (e->training && !f->called) vg_vec_push(e->mem, &e->unit->definitions, f->tree);
    f->called = true;
}

vg_frame *vg_frame_push(vg_elaborator *e, vg_frame_kind kind, uint32_t function, vg_entry scope, vg_span span) {
    vg_frame *frame = VG_NEW(&e->arena, vg_frame);
    const vg_function *f = &e->values.functions.items[function];
    frame->caller = e->frame;
    frame->kind = kind;
    frame->function = function;
    frame->scope = scope;
    frame->top = f->top;
    frame->call = vg_diags_call(e->diags, e->frame->call, kind == VG_FRAME_layer ? VG_CALL_LAYER : VG_CALL_FUNCTION,
                                span, f->name, 0);
    e->frame = frame;
    e->frames++;
    note_definition(e, function);
    vg_vec_push(e->mem, &e->active, function);
    return frame;
}

void vg_frame_pop(vg_elaborator *e) {
    vg_frame *frame = e->frame;
    e->frame = frame->caller;
    e->frames--;
    e->active.count--;
    vg_vec_free(e->mem, &frame->locals);
    vg_vec_free(e->mem, &frame->loops);
}

void vg_local_add(vg_elaborator *e, vg_str name, vg_value value, vg_span span) {
    vg_local local = { name, value, span };
    vg_vec_push(e->mem, &e->frame->locals, local);
}

/* No recursion, and not too deep. */
bool vg_may_call(vg_elaborator *e, uint32_t function, vg_span span) {
    const char *name = vg_text_of(e, e->values.functions.items[function].name);
    for (uint32_t k = 0; k < e->active.count; k++)
        if (e->active.items[k] == function) {
            vg_report(e->diags, recursion, span, e->frame->call, name);
            return false;
        }
    if (e->frames < VG_FRAME_LIMIT) return true;
    vg_report(e->diags, limit_calls, span, e->frame->call, vg_arena_format(&e->arena, "%d", VG_FRAME_LIMIT));
    return false;
}

/* ---- parameters */

uint32_t vg_function_parameters(const vg_elaborator *e, const vg_function *function) {
    return e->tree->b.items[function->tree];
}

vg_tree_id vg_function_block(const vg_elaborator *e, const vg_function *function) {
    uint32_t c = e->tree->c.items[function->tree];
    if (function->kind == VG_F_initializer) return vg_tree_extra(e->tree, c, 1);
    if (function->kind == VG_F_optimizer) return vg_tree_extra(e->tree, c, 2);
    return c;
}

static void report_signature(vg_elaborator *e, vg_tree_id parameter, vg_node node, vg_span span) {
    vg_tree_id signature = e->tree->c.items[parameter];
    const vg_strings *strings = &e->ir->strings;
    vg_report(e->diags, argument_shape, span, e->frame->call,
              vg_strings_text(strings, vg_tree_name(e->tree, e->tree->a.items[parameter])),
              vg_shape_shown(e, vg_node_shape(e->graph, node)),
              vg_strings_text(strings, vg_expression_text(e, signature)));
    vg_diags_note(e->diags, vg_tree_span(e->tree, parameter), "the parameter");
}

static vg_local *local_find(vg_elaborator *e, vg_str name) {
    for (uint32_t k = e->frame->locals.count; k-- > 0;)
        if (e->frame->locals.items[k].name == name) return &e->frame->locals.items[k];
    return NULL;
}

/* One dimension of a signature against one of the argument: binds a new name, or compares. */
static bool match_dim(vg_elaborator *e, vg_tree_id item, vg_dim dim, vg_dim *wanted) {
    vg_value value;
    *wanted = dim;
    if (vg_tree_kind(e->tree, item) == VG_K_name) {
        vg_local *local = local_find(e, vg_tree_name(e->tree, item));
        if (!local) {
            vg_local_add(e, vg_tree_name(e->tree, item), vg_dim_value_of(e, dim), vg_tree_span(e->tree, item));
            return true;
        }
        value = local->value;
    } else {
        value = vg_evaluate(e, item);
    }
    return vg_to_dim(e, value, "a signature's dimension", vg_tree_span(e->tree, item), wanted);
}

static bool match_signature(vg_elaborator *e, vg_tree_id parameter, vg_node node, vg_span span) {
    vg_tree_id signature = e->tree->c.items[parameter];
    uint32_t items = e->tree->b.items[signature], count = vg_tree_count(e->tree, items), open = count;
    if (e->tree->a.items[signature] && vg_node_dtype(e->graph, node) != VG_I32) {
        vg_report(e->diags, argument_integer, span, e->frame->call,
                  vg_text_of(e, vg_tree_name(e->tree, e->tree->a.items[parameter])));
        return false;
    }
    for (uint32_t k = 0; k < count; k++)
        if (vg_tree_kind(e->tree, vg_tree_item(e->tree, items, k)) == VG_K_ellipsis) open = k;
    uint32_t rank = vg_node_rank(e->graph, node);
    if (open == count ? rank != count : rank + 1 < count) {
        report_signature(e, parameter, node, span);
        return false;
    }
    for (uint32_t k = 0; k < count; k++) {
        if (k == open) continue;
        uint32_t axis = k < open ? k : rank - (count - k);
        vg_dim dim = vg_shape_dim(&e->ir->dims, vg_node_shape(e->graph, node), axis), wanted;
        if (!match_dim(e, vg_tree_item(e->tree, items, k), dim, &wanted)) return false;
        if (wanted == dim) continue;
        vg_text text = vg_text_new(e->mem), have = vg_text_new(e->mem);
        vg_dim_text(&e->ir->dims, &e->ir->strings, wanted, &text);
        vg_dim_text(&e->ir->dims, &e->ir->strings, dim, &have);
        report_signature(e, parameter, node, span);
        vg_diags_note(e->diags, vg_tree_span(e->tree, vg_tree_item(e->tree, items, k)),
                      "axis %u must be %s here, and is %s", axis, vg_text_c(&text), vg_text_c(&have));
        vg_text_free(&text);
        vg_text_free(&have);
        return false;
    }
    return true;
}

bool vg_bind_parameters(vg_elaborator *e, const vg_function *function, const vg_value *arguments, const vg_span *spans,
                        vg_span call) {
    uint32_t list = vg_function_parameters(e, function), count = vg_tree_count(e->tree, list);
    for (uint32_t k = 0; k < count; k++) {
        vg_tree_id parameter = vg_tree_item(e->tree, list, k), name = e->tree->a.items[parameter];
        vg_value value = arguments[k];
        vg_span span = spans[k].end ? spans[k] : call;
        if (spans[k].end)
            vg_diags_argument(e->diags, e->frame->call, vg_tree_name(e->tree, name), vg_tree_span(e->tree, name), span);
        if (value.kind == VG_V_absent) value = vg_evaluate(e, e->tree->b.items[parameter]);
        if (value.kind == VG_V_poison) return false;
        if (e->tree->c.items[parameter]) {
            vg_node node = vg_to_tensor(e, value, e->tree->a.items[e->tree->c.items[parameter]] != 0, span);
            if (!node || !match_signature(e, parameter, node, span)) return false;
            value = vg_value_tensor(node);
        }
        vg_local_add(e, vg_tree_name(e->tree, name), value, vg_tree_span(e->tree, name));
    }
    return true;
}

/* ---- bodies */

static const char *refusal(vg_frame_kind kind) {
    switch (kind) {
    case VG_FRAME_def:         return "a def";
    case VG_FRAME_initializer: return "an initializer";
    case VG_FRAME_optimizer:   return "an optimizer";
    case VG_FRAME_top: case VG_FRAME_layer: break;
    }
    return NULL;
}

static vg_frame_kind frame_kind(vg_function_kind kind) {
    if (kind == VG_F_initializer) return VG_FRAME_initializer;
    return kind == VG_F_optimizer ? VG_FRAME_optimizer : VG_FRAME_def;
}

vg_value vg_run_function(vg_elaborator *e, uint32_t function, const vg_value *arguments, const vg_span *spans,
                         vg_span span, const vg_local *locals, uint32_t local_count, vg_entry scope) {
    if (!vg_may_call(e, function, span)) return vg_value_poison();
    vg_function f = e->values.functions.items[function];
    vg_frame_kind kind = frame_kind(f.kind);
    vg_str path = e->binding.draw_path;
    if (!path && e->binding.entry) path = vg_entry_path(e, e->binding.entry);
    vg_binding outer = vg_binding_refuse(e, refusal(kind), path);
    if (!scope) scope = vg_entry_add(e, 0, f.name, VG_E_scope, span);
    vg_frame *frame = vg_frame_push(e, kind, function, scope, span);
    vg_value result = vg_value_poison();
    if (vg_bind_parameters(e, &f, arguments, spans, span)) {
        for (uint32_t k = 0; k < local_count; k++) vg_local_add(e, locals[k].name, locals[k].value, locals[k].span);
        vg_tree_id body = vg_function_block(e, &f);
        if (vg_tree_kind(e->tree, body) == VG_K_block) {
            vg_execute_block(e, body);
            result = frame->returned ? frame->result : vg_value_absent();
        } else {
            result = vg_evaluate(e, body);
        }
    }
    vg_frame_pop(e);
    e->binding = outer;
    if (result.kind == VG_V_absent && kind != VG_FRAME_optimizer) {
        const char *name = vg_text_of(e, f.name);
        vg_report(e->diags, no_return, vg_tree_span(e->tree, e->tree->a.items[f.tree]), 0, name);
        result = vg_value_poison();
    }
    return result;
}

/* ---- arguments */

typedef struct vg_arguments {
    vg_value   values[VG_ARGUMENT_LIMIT];
    vg_span    spans[VG_ARGUMENT_LIMIT];
    vg_str     names[VG_ARGUMENT_LIMIT];
    bool       required[VG_ARGUMENT_LIMIT];
    uint32_t   count;
    vg_tree_id weights;            /* of a layer's call; not evaluated */
} vg_arguments;

static bool list_parameters(vg_elaborator *e, const vg_function *f, vg_arguments *out, vg_span span) {
    if (f->kind == VG_F_builtin || f->kind == VG_F_map) {
        out->count = vg_builtin_parameters(e, f, out->names, out->required);
        return true;
    }
    uint32_t list = vg_function_parameters(e, f);
    out->count = vg_tree_count(e->tree, list);
    if (out->count > VG_ARGUMENT_LIMIT) {
        vg_report(e->diags, limit_parameters, span, e->frame->call,
                  vg_arena_format(&e->arena, "%d", VG_ARGUMENT_LIMIT));
        return false;
    }
    for (uint32_t k = 0; k < out->count; k++) {
        vg_tree_id parameter = vg_tree_item(e->tree, list, k);
        out->names[k] = vg_tree_name(e->tree, e->tree->a.items[parameter]);
        out->required[k] = e->tree->b.items[parameter] == 0;
    }
    return true;
}

static void note_parameters(vg_elaborator *e, const vg_arguments *a, const char *wanted) {
    vg_suggest suggest;
    vg_suggest_start(&suggest, wanted);
    vg_text all = vg_text_new(e->mem);
    for (uint32_t k = 0; k < a->count; k++) {
        const char *name = vg_text_of(e, a->names[k]);
        vg_suggest_offer(&suggest, name);
        vg_text_format(&all, "%s%s", k ? ", " : "", name);
    }
    if (vg_suggest_best(&suggest))
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    else
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "it takes (%s)", vg_text_c(&all));
    vg_text_free(&all);
}

/* The parameter that argument k (a tree ARGUMENT) is for; -1 after reporting. */
static int parameter_of(vg_elaborator *e, const vg_function *f, const vg_arguments *a, vg_tree_id argument, uint32_t k,
                        bool *named) {
    vg_tree_id name = e->tree->a.items[argument];
    vg_span span = vg_tree_span(e->tree, argument);
    const char *function = vg_text_of(e, f->name);
    if (!name) {
        if (*named) vg_report0(e->diags, positional_behind_named, span, e->frame->call);
        else if (k >= a->count) {
            vg_report(e->diags, too_many_arguments, span, e->frame->call, function,
                      vg_arena_format(&e->arena, "%u", a->count));
            note_parameters(e, a, "");
        } else return (int)k;
        return -1;
    }
    *named = true;
    const char *text = vg_text_of(e, vg_tree_name(e->tree, name));
    for (uint32_t p = 0; p < a->count; p++) {
        if (a->names[p] != vg_tree_name(e->tree, name)) continue;
        if (!a->spans[p].end) return (int)p;
        vg_report(e->diags, argument_twice, vg_tree_span(e->tree, name), e->frame->call, text);
        return -1;
    }
    vg_report(e->diags, unknown_argument, vg_tree_span(e->tree, name), e->frame->call, function, text);
    note_parameters(e, a, text);
    return -1;
}

static bool is_weights(vg_elaborator *e, const vg_function *f, vg_tree_id argument) {
    vg_tree_id name = e->tree->a.items[argument];
    if (f->kind != VG_F_layer || !name) return false;
    return vg_tree_name(e->tree, name) == vg_strings_find(&e->ir->strings, "weights", 7);
}

/* Evaluates the arguments of a call in their order of writing. False after reporting, or when one is poison. */
static bool evaluate_arguments(vg_elaborator *e, const vg_function *f, vg_tree_id call, vg_arguments *a) {
    uint32_t list = e->tree->b.items[call];
    bool named = false, fine = true;
    for (uint32_t k = 0; k < a->count; k++) a->values[k] = vg_value_absent();
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id argument = vg_tree_item(e->tree, list, k), value = e->tree->b.items[argument];
        if (is_weights(e, f, argument)) {
            a->weights = value;
            named = true;
            continue;
        }
        int p = parameter_of(e, f, a, argument, k, &named);
        vg_value result = vg_evaluate(e, value);
        if (p < 0 || result.kind == VG_V_poison) {
            fine = false;
            if (p >= 0) a->spans[p] = vg_tree_span(e->tree, value);
            continue;
        }
        a->values[p] = result;
        a->spans[p] = vg_tree_span(e->tree, value);
    }
    if (!fine) return false;
    for (uint32_t k = 0; k < a->count; k++) {
        if (!a->required[k] || a->spans[k].end) continue;
        vg_report(e->diags, missing_argument, vg_tree_span(e->tree, call), e->frame->call,
                  vg_text_of(e, f->name), vg_text_of(e, a->names[k]));
        return false;
    }
    return true;
}

/* ---- the call */

static vg_value bind_later(vg_elaborator *e, uint32_t function, const vg_arguments *a, vg_span span) {
    uint32_t kind = e->values.functions.items[function].kind;
    vg_value list = vg_value_list(&e->values, a->values, a->count);
    vg_bound bound = { function, list.id, a->spans, span, e->frame->call };
    vg_vec_push(e->mem, &e->values.bound, bound);
    uint32_t id = e->values.bound.count - 1;
    if (kind == VG_F_optimizer) return (vg_value){ VG_V_optimizer, id, 0 };
    vg_distribution_row row = { VG_OP_none, 0, 0, id };
    vg_vec_push(e->mem, &e->values.distributions, row);
    return (vg_value){ VG_V_distribution, e->values.distributions.count - 1, 0 };
}

typedef struct vg_application { uint32_t function; const vg_span *spans; uint32_t count; vg_span span; } vg_application;

static vg_value apply(vg_elaborator *e, void *user, const vg_value *values) {
    const vg_application *call = user;
    vg_function f = e->values.functions.items[call->function];
    if (f.kind == VG_F_map) return vg_apply_map(e, (vg_op)f.tree, values, call->count, call->span);
    if (f.kind == VG_F_builtin) return vg_call_builtin(e, f.tree, values, call->spans, call->span);
    return vg_run_function(e, call->function, values, call->spans, call->span, NULL, 0, 0);
}

static vg_value call_function(vg_elaborator *e, uint32_t function, const vg_arguments *a, vg_span span) {
    vg_function f = e->values.functions.items[function];
    if (f.kind == VG_F_layer) return vg_call_layer(e, function, a->values, a->spans, a->weights, span);
    if (f.kind == VG_F_initializer || f.kind == VG_F_optimizer) return bind_later(e, function, a, span);
    bool maps = false;
    for (uint32_t k = 0; k < a->count; k++) maps |= a->values[k].kind == VG_V_selection;
    if (f.kind == VG_F_builtin && vg_builtin_takes_selections(f.tree)) maps = false;
    vg_application call = { function, a->spans, a->count, span };
    if (maps) return vg_map_selections(e, a->values, a->count, span, apply, &call);
    return apply(e, &call, a->values);
}

vg_value vg_call_expression(vg_elaborator *e, vg_tree_id call) {
    vg_tree_id name = e->tree->a.items[call];
    vg_entry entry;
    vg_value callee = vg_tree_kind(e->tree, name) == VG_K_name ? vg_name_value(e, name, &entry) : vg_evaluate(e, name);
    vg_span span = vg_tree_span(e->tree, call);
    if (callee.kind == VG_V_poison) return callee;
    if (callee.kind != VG_V_function) {
        vg_report(e->diags, not_function, vg_tree_span(e->tree, name), e->frame->call,
                  vg_value_noun(callee.kind));
        if (callee.kind == VG_V_string)
            vg_diags_note(e->diags, (vg_span){ 0, 0 }, "a function is given by its name, without quotes: %s",
                          vg_text_of(e, callee.id));
        return vg_value_poison();
    }
    vg_function f = e->values.functions.items[callee.id];
    vg_arguments *a = VG_NEW(&e->arena, vg_arguments);
    if (!list_parameters(e, &f, a, span)) return vg_value_poison();
    e->binding.inside += f.kind == VG_F_layer;
    bool fine = evaluate_arguments(e, &f, call, a);
    e->binding.inside -= f.kind == VG_F_layer;
    if (!fine) return vg_value_poison();
    return call_function(e, callee.id, a, span);
}
