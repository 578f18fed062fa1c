/* The table of library functions given in C: registering, parameters, dispatch, and reading arguments. */
#include "front/builtin.h"

#include <math.h>
#include <string.h>

#include "ir/build.h"

#define S VG_BUILTIN_SELECTIONS
#define L VG_BUILTIN_LIBRARY
#define V VG_BUILTIN_VALUE
const vg_builtin_row vg_builtin_rows[VG_BUILTIN_COUNT] = {
#define VG_BUILTIN(name, parameters, flags, doc) { #name, parameters, flags, doc },
#include "front/builtin.def"
#undef VG_BUILTIN
};
#undef S
#undef L
#undef V

static const vg_builtin_code codes[VG_BUILTIN_COUNT] = {
#define VG_BUILTIN(name, parameters, flags, doc) vg_call_##name,
#include "front/builtin.def"
#undef VG_BUILTIN
};

bool vg_builtin_takes_selections(uint32_t row) { return (vg_builtin_rows[row].flags & VG_BUILTIN_SELECTIONS) != 0; }
bool vg_builtin_library_only(uint32_t row) { return (vg_builtin_rows[row].flags & VG_BUILTIN_LIBRARY) != 0; }
bool vg_builtin_is_value(uint32_t row) { return (vg_builtin_rows[row].flags & VG_BUILTIN_VALUE) != 0; }

/* Elementwise rows that the language writes as operators, or not at all. */
bool vg_builtin_is_map(vg_op op) {
    switch ((int)op) {
    case VG_OP_neg: case VG_OP_add: case VG_OP_sub: case VG_OP_mul: case VG_OP_div: case VG_OP_pow: case VG_OP_eq:
    case VG_OP_ne: case VG_OP_lt: case VG_OP_le: case VG_OP_gt: case VG_OP_ge: case VG_OP_and: case VG_OP_or:
    case VG_OP_not: case VG_OP_alias: case VG_OP_sigmoid_input: case VG_OP_tanh_input: return false;
    }
    return vg_op_is(op, VG_FLAG_map);
}

static void register_function(vg_elaborator *e, vg_function_kind kind, const char *name, uint32_t row) {
    vg_function f = { kind, vg_strings_c(&e->ir->strings, name), row, e->library, false };
    vg_vec_push(e->mem, &e->values.functions, f);
    vg_map_put(e->mem, &e->builtin_map, f.name, e->values.functions.count);
}

static void register_value(vg_elaborator *e, const char *name, vg_value value) {
    vg_entry entry = vg_entry_add(e, e->library, vg_strings_c(&e->ir->strings, name), VG_E_const, (vg_span){ 0, 0 });
    vg_entry_at(e, entry)->value = value;
}

void vg_builtins_register(vg_elaborator *e) {
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++) register_function(e, VG_F_builtin, vg_builtin_rows[k].name, k);
    for (uint32_t op = 1; op < VG_OP_COUNT; op++)
        if (vg_builtin_is_map((vg_op)op)) register_function(e, VG_F_map, vg_op_rows[op].name, op);
    register_value(e, "pi", vg_value_number(acos(-1.0)));
    register_value(e, "inf", vg_value_number((double)INFINITY));
    register_value(e, "all", (vg_value){ VG_V_axes, 0, 0 });
}

uint32_t vg_builtin_parameters(const vg_elaborator *e, const vg_function *function, vg_str *names, bool *required) {
    vg_strings *strings = &e->ir->strings;
    const char *text = "x";
    if (function->kind == VG_F_builtin) text = vg_builtin_rows[function->tree].parameters;
    else if (vg_op_rows[function->tree].least == 2) text = "a, b";
    else if (vg_op_rows[function->tree].least == 3) text = "c, a, b";
    uint32_t count = 0;
    for (const char *at = text; *at; count++) {
        size_t length = strcspn(at, " ,=");
        names[count] = vg_strings_add(strings, at, length);
        size_t end = strcspn(at, ",");
        required[count] = memchr(at, '=', end) == NULL;
        at += end;
        at += strspn(at, ", ");
    }
    return count;
}

vg_value vg_call_builtin(vg_elaborator *e, uint32_t row, const vg_value *arguments, const vg_span *spans,
                         vg_span span) {
    vg_built_call call = { e, arguments, spans, span, row };
    vg_here(e, span);
    return codes[row](&call);
}

/* ---- reading arguments */

vg_node vg_built_tensor(const vg_built_call *c, uint32_t k) {
    vg_node node = vg_to_tensor(c->e, c->a[k], false, vg_built_span(c, k));
    vg_here(c->e, c->span);
    return node;
}

bool vg_built_bool(const vg_built_call *c, uint32_t k, bool fallback, bool *out) {
    *out = fallback;
    if (c->a[k].kind == VG_V_absent) return true;
    if (c->a[k].kind == VG_V_bool) {
        *out = c->a[k].id != 0;
        return true;
    }
    vg_report(c->e->diags, not_bool, vg_built_span(c, k), c->e->frame->call, "this argument",
              vg_value_noun(c->a[k].kind));
    return false;
}

static bool axis_of(const vg_built_call *c, vg_value value, uint32_t rank, vg_span span, uint32_t *axis) {
    int64_t whole;
    char number[32];
    if (value.kind == VG_V_poison) return false;
    if (vg_value_whole(value, &whole)) {
        int64_t at = whole < 0 ? whole + rank : whole;
        if (at >= 0 && at < rank) {
            *axis = (uint32_t)at;
            return true;
        }
        vg_report(c->e->diags, axis_outside, span, c->e->frame->call, vg_number_text(number, (double)whole),
                  vg_arena_format(&c->e->arena, "%u", rank));
        return false;
    }
    vg_report(c->e->diags, not_whole, span, c->e->frame->call, "an axis",
              vg_value_found(c->e, value));
    return false;
}

bool vg_built_axis(const vg_built_call *c, uint32_t k, uint32_t rank, int64_t fallback, uint32_t *axis) {
    vg_value value = c->a[k].kind == VG_V_absent ? vg_value_number((double)fallback) : c->a[k];
    return axis_of(c, value, rank, vg_built_span(c, k), axis);
}

bool vg_built_axes(const vg_built_call *c, uint32_t k, uint32_t rank, uint32_t *mask) {
    vg_value value = c->a[k];
    uint32_t axis;
    *mask = (1u << rank) - 1;
    if (value.kind == VG_V_absent || value.kind == VG_V_axes) return true;
    *mask = 0;
    uint32_t count = value.kind == VG_V_list ? vg_list_count(&c->e->values, value) : 1;
    for (uint32_t j = 0; j < count; j++) {
        vg_value item = value.kind == VG_V_list ? vg_list_item(&c->e->values, value, j) : value;
        if (!axis_of(c, item, rank, vg_built_span(c, k), &axis)) return false;
        if (*mask >> axis & 1) {
            vg_report(c->e->diags, axis_again, vg_built_span(c, k), c->e->frame->call,
                      vg_arena_format(&c->e->arena, "%u", axis));
            return false;
        }
        *mask |= 1u << axis;
    }
    return true;
}

bool vg_built_number(const vg_built_call *c, uint32_t k, double fallback, double *out) {
    *out = fallback;
    if (c->a[k].kind == VG_V_absent) return true;
    if (c->a[k].kind == VG_V_number) {
        *out = c->a[k].number;
        return true;
    }
    if (c->a[k].kind == VG_V_poison) return false;
    vg_report(c->e->diags, not_number, vg_built_span(c, k), c->e->frame->call, vg_value_noun(c->a[k].kind));
    return false;
}

vg_node *vg_built_nodes(const vg_built_call *c, uint32_t k, uint32_t *count) {
    vg_elaborator *e = c->e;
    vg_value value = c->a[k];
    bool list = value.kind == VG_V_list;
    if (value.kind == VG_V_poison) return NULL;
    if (!list && value.kind != VG_V_selection) {
        vg_report(e->diags, not_list, vg_built_span(c, k), e->frame->call, vg_value_noun(value.kind));
        return NULL;
    }
    *count = list ? vg_list_count(&e->values, value) : vg_selection_count(&e->values, value);
    vg_node *nodes = VG_ARRAY(&e->arena, vg_node, *count + 1);
    bool integer = false;               /* beside an integer tensor whole numbers are integers */
    for (uint32_t j = 0; list && j < *count; j++) {
        vg_value item = vg_list_item(&e->values, value, j);
        integer |= item.kind == VG_V_tensor && vg_node_dtype(e->graph, item.id) == VG_I32;
    }
    for (uint32_t j = 0; j < *count; j++) {
        nodes[j] = list ? vg_to_tensor(e, vg_list_item(&e->values, value, j), integer, vg_built_span(c, k))
                        : vg_selection_item(&e->values, value, j).node;
        if (!nodes[j]) return NULL;
    }
    vg_here(e, c->span);
    if (*count) return nodes;
    vg_report0(e->diags, list_empty, vg_built_span(c, k), e->frame->call);
    return NULL;
}
