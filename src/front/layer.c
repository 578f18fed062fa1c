/* Layer calls: where the scope of a call lies, whose variables it uses, and the identity of draws. */
#include "front/elaborator.h"

/* ---- how many outermost layer calls a binding's right side has */

static uint32_t count_list(vg_elaborator *e, uint32_t list);

static bool is_layer(vg_elaborator *e, vg_tree_id callee) {
    vg_kind kind = vg_tree_kind(e->tree, callee);
    vg_value value;
    vg_entry entry;
    if (kind == VG_K_group) return is_layer(e, e->tree->a.items[callee]);
    if (kind == VG_K_name) {
        if (!vg_name_find(e, vg_tree_name(e->tree, callee), &value, &entry)) return false;
    } else if (kind == VG_K_if_else || kind == VG_K_subscript) {
        value = vg_evaluate(e, callee);
    } else {
        return false;
    }
    return value.kind == VG_V_function && e->values.functions.items[value.id].kind == VG_F_layer;
}

/* 0, 1 or more; what a loop may make several of counts as several. */
static uint32_t count_calls(vg_elaborator *e, vg_tree_id tree) {
    if (!tree) return 0;
    vg_kind kind = vg_tree_kind(e->tree, tree);
    uint32_t a = e->tree->a.items[tree], b = e->tree->b.items[tree], c = e->tree->c.items[tree];
    bool truth;
    switch ((int)kind) {
    case VG_K_call:
        if (is_layer(e, a)) return 1;
        return count_calls(e, a) + count_list(e, b);
    case VG_K_list:      return count_list(e, a);
    case VG_K_build:     return 2 * count_calls(e, a);
    case VG_K_argument:  return count_calls(e, b);
    case VG_K_subscript: return count_calls(e, a);
    case VG_K_member: case VG_K_negate: case VG_K_not: case VG_K_group: return count_calls(e, a);
    case VG_K_if_else:   /* only one side is built */
        if (count_calls(e, b) + count_calls(e, c) == 0) return 0;
        if (!vg_evaluate_bool(e, a, "the condition of 'if'", &truth)) return 0;
        return count_calls(e, truth ? b : c);
    case VG_K_add: case VG_K_subtract: case VG_K_multiply: case VG_K_divide: case VG_K_matmul: case VG_K_power:
    case VG_K_eq: case VG_K_ne: case VG_K_lt: case VG_K_le: case VG_K_gt: case VG_K_ge: case VG_K_and: case VG_K_or:
        return count_calls(e, a) + count_calls(e, b);
    }
    return 0;
}

static uint32_t count_list(vg_elaborator *e, uint32_t list) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) count += count_calls(e, vg_tree_item(e->tree, list, k));
    return count;
}

vg_binding vg_binding_begin(vg_elaborator *e, vg_entry entry, vg_tree_id expression) {
    vg_binding outer = e->binding;
    if (outer.refuses) return outer;
    bool sole = count_calls(e, expression) == 1;
    e->binding = (vg_binding){ .entry = entry, .sole = sole };
    return outer;
}

vg_binding vg_binding_refuse(vg_elaborator *e, const char *why, vg_str draw_path) {
    vg_binding outer = e->binding;
    e->binding = (vg_binding){ .draw_path = draw_path, .refuses = why };
    return outer;
}

vg_str vg_draw_path(vg_elaborator *e, uint32_t *number) {
    vg_str path = e->binding.draw_path;
    if (!path && e->binding.entry) path = vg_entry_path(e, e->binding.entry);
    uint32_t count = vg_map_get(&e->draw_numbers, path) + 1;
    vg_map_put(e->mem, &e->draw_numbers, path, count);
    *number = count;
    return path;
}

/* ---- the scope of a call */

/* The entry that owns the variables of this call; 0 after reporting. */
static vg_entry call_scope(vg_elaborator *e, vg_str layer, vg_span span) {
    vg_binding *binding = &e->binding;
    const char *name = vg_text_of(e, layer);
    if (!binding->entry) {
        vg_report(e->diags, layer_refused, span, e->frame->call, name,
                  binding->refuses ? binding->refuses : "this place");
        return 0;
    }
    if (binding->sole && binding->inside == 0) return binding->entry;
    vg_entry taken = vg_entry_find(e, binding->entry, layer);
    if (!taken) return vg_entry_add(e, binding->entry, layer, VG_E_scope, span);
    vg_report(e->diags, layer_name_taken, span, e->frame->call, name,
              vg_text_of(e, vg_entry_path(e, taken)));
    if (vg_entry_at(e, taken)->span.end) vg_diags_note(e->diags, vg_entry_at(e, taken)->span, "taken here");
    return 0;
}

/* The entry that stands in the shared call where `entry` stands in the new one; 0: there is none. A call in another's
 * arguments comes before the call itself, so it may be a scope further out that says whose variables are used. */
static vg_entry counterpart(vg_elaborator *e, vg_entry entry) {
    const vg_entry_row *row = vg_entry_at(e, entry);
    if (!row->parent) return 0;
    vg_entry up = vg_entry_at(e, row->parent)->shares;
    if (!up) up = counterpart(e, row->parent);
    if (!up) return 0;
    if (!row->index_count) return vg_entry_find(e, up, row->name);
    return vg_entry_find_member(e, up, e->indices.items + row->first_index, row->index_count);
}

/* Whether the scope of a call lies in one that uses another's variables. */
static bool inherits(vg_elaborator *e, vg_entry scope) {
    vg_entry up = vg_entry_at(e, scope)->parent;
    while (up && !vg_entry_at(e, up)->shares) up = vg_entry_at(e, up)->parent;
    return up != 0;
}

static bool share(vg_elaborator *e, vg_entry scope, vg_entry from, uint32_t function, vg_span span) {
    const char *name = vg_text_of(e, e->values.functions.items[function].name);
    if (from == scope) return true;                      /* s[1] = cell(..., weights = s[1]): made here */
    if (from && !vg_entry_at(e, from)->layer && vg_entry_at(e, from)->value.kind == VG_V_poison) return false;
    if (!from || vg_entry_at(e, from)->layer != function + 1) {
        const char *path = from ? vg_text_of(e, vg_entry_path(e, from)) : "that";
        vg_report(e->diags, weights_other, span, e->frame->call, path, name);
        return false;
    }
    vg_entry made = vg_entry_at(e, from)->shares;
    vg_entry_at(e, scope)->shares = made ? made : from;
    return true;
}

vg_value vg_call_layer(vg_elaborator *e, uint32_t function, const vg_value *arguments, const vg_span *spans,
                       vg_tree_id weights, vg_span span) {
    vg_function f = e->values.functions.items[function];
    for (uint32_t k = 0; k < vg_tree_count(e->tree, vg_function_parameters(e, &f)); k++)
        if (arguments[k].kind == VG_V_selection) {
            vg_report(e->diags, layer_selection, spans[k], e->frame->call, vg_text_of(e, f.name));
            return vg_value_poison();
        }
    if (!vg_may_call(e, function, span)) return vg_value_poison();
    vg_entry scope = call_scope(e, f.name, span);
    if (!scope) return vg_value_poison();
    if (weights && !share(e, scope, vg_evaluate_place(e, weights), function, vg_tree_span(e->tree, weights)))
        return vg_value_poison();
    if (!weights && inherits(e, scope) && !share(e, scope, counterpart(e, scope), function, span))
        return vg_value_poison();
    vg_entry_at(e, scope)->layer = function + 1;
    vg_binding outer = e->binding;
    vg_frame *frame = vg_frame_push(e, VG_FRAME_layer, function, scope, span);
    e->binding = (vg_binding){ .entry = scope };
    vg_value result = vg_value_poison();
    bool bound = vg_bind_parameters(e, &f, arguments, spans, span);
    if (bound) {
        vg_execute_block(e, vg_function_block(e, &f));
        result = frame->returned ? frame->result : vg_value_absent();
    }
    vg_frame_pop(e);
    e->binding = outer;
    if (result.kind == VG_V_absent) {
        vg_report(e->diags, no_return, vg_tree_span(e->tree, e->tree->a.items[f.tree]), 0,
                  vg_text_of(e, f.name));
        result = vg_value_poison();
    }
    return result;
}
