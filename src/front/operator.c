/* Operators on values: compile-time arithmetic, dimensions, tensors, and the mapping over selections. */
#include <math.h>

#include "front/elaborator.h"
#include "ir/build.h"

static vg_op op_of(vg_kind kind) {
    switch ((int)kind) {
    case VG_K_add:      return VG_OP_add;
    case VG_K_subtract: return VG_OP_sub;
    case VG_K_multiply: return VG_OP_mul;
    case VG_K_divide:   return VG_OP_div;
    case VG_K_power:    return VG_OP_pow;
    case VG_K_negate:   return VG_OP_neg;
    case VG_K_not:      return VG_OP_not;
    case VG_K_and:      return VG_OP_and;
    case VG_K_or:       return VG_OP_or;
    case VG_K_eq:       return VG_OP_eq;
    case VG_K_ne:       return VG_OP_ne;
    case VG_K_lt:       return VG_OP_lt;
    case VG_K_le:       return VG_OP_le;
    case VG_K_gt:       return VG_OP_gt;
    case VG_K_ge:       return VG_OP_ge;
    }
    return VG_OP_matmul;
}

static const char *sign_of(vg_kind kind) {
    switch ((int)kind) {
    case VG_K_add:      return "+";
    case VG_K_subtract: case VG_K_negate: return "-";
    case VG_K_multiply: return "*";
    case VG_K_divide:   return "/";
    case VG_K_power:    return "^";
    case VG_K_not:      return "not";
    case VG_K_and:      return "and";
    case VG_K_or:       return "or";
    case VG_K_eq:       return "==";
    case VG_K_ne:       return "!=";
    case VG_K_lt:       return "<";
    case VG_K_le:       return "<=";
    case VG_K_gt:       return ">";
    case VG_K_ge:       return ">=";
    }
    return "@";
}

static bool is_logic(vg_kind kind) { return kind == VG_K_and || kind == VG_K_or || kind == VG_K_not; }
static bool is_comparison(vg_kind kind) { return kind >= VG_K_eq && kind <= VG_K_ge; }

/* ---- selections */

/* The k-th element of a selection, or the value itself. */
static vg_value element(const vg_elaborator *e, vg_value value, uint32_t k) {
    return value.kind == VG_V_selection ? vg_value_tensor(vg_selection_item(&e->values, value, k).node) : value;
}

/* The selection that decides the length, or false after reporting lengths that differ. */
static bool selection_lead(vg_elaborator *e, const vg_value *values, uint32_t count, vg_span span, vg_value *lead) {
    lead->kind = VG_V_absent;
    for (uint32_t k = 0; k < count; k++) {
        if (values[k].kind != VG_V_selection) continue;
        if (lead->kind == VG_V_absent) *lead = values[k];
        uint32_t one = vg_selection_count(&e->values, *lead), two = vg_selection_count(&e->values, values[k]);
        if (one == two) continue;
        vg_report(e->diags, selection_lengths, span, e->frame->call, vg_arena_format(&e->arena, "%u", one),
                  vg_arena_format(&e->arena, "%u", two));
        return false;
    }
    return true;
}

vg_value vg_map_selections(vg_elaborator *e, const vg_value *values, uint32_t count, vg_span span,
                           vg_value (*apply)(vg_elaborator *e, void *user, const vg_value *values), void *user) {
    vg_value lead;
    if (!selection_lead(e, values, count, span, &lead)) return vg_value_poison();
    uint32_t length = vg_selection_count(&e->values, lead);
    vg_selected *items = VG_ARRAY(&e->arena, vg_selected, length);
    vg_value one[VG_ARGUMENT_LIMIT];
    for (uint32_t k = 0; k < length; k++) {
        for (uint32_t j = 0; j < count; j++) one[j] = element(e, values[j], k);
        vg_node node = vg_to_tensor(e, apply(e, user, one), false, span);
        if (!node) return vg_value_poison();
        items[k] = (vg_selected){ vg_selection_item(&e->values, lead, k).path, node };
    }
    return vg_value_selection(&e->values, items, length);
}

/* ---- elementwise functions */

typedef struct vg_map_call { vg_op op; uint32_t count; vg_span span; } vg_map_call;

static vg_value map_one(vg_elaborator *e, void *user, const vg_value *values) {
    const vg_map_call *call = user;
    return vg_apply_map(e, call->op, values, call->count, call->span);
}

/* All of them compile-time numbers (truths, for select's condition): the result is a number. */
static bool map_numbers(vg_op op, const vg_value *values, uint32_t count, vg_value *out) {
    double operands[3];
    for (uint32_t k = 0; k < count; k++) {
        bool truth = values[k].kind == VG_V_bool && op == VG_OP_select && k == 0;
        if (values[k].kind != VG_V_number && !truth) return false;
        operands[k] = truth ? values[k].id : values[k].number;
    }
    *out = vg_value_number(vg_op_scalar(op, operands));
    return true;
}

vg_value vg_apply_map(vg_elaborator *e, vg_op op, const vg_value *values, uint32_t count, vg_span span) {
    vg_value number;
    bool integer = false;
    for (uint32_t k = 0; k < count; k++)
        if (values[k].kind == VG_V_poison) return vg_value_poison();
    for (uint32_t k = 0; k < count; k++)
        if (values[k].kind == VG_V_selection) {
            vg_map_call call = { op, count, span };
            return vg_map_selections(e, values, count, span, map_one, &call);
        }
    if (map_numbers(op, values, count, &number)) return number;
    for (uint32_t k = op == VG_OP_select; k < count; k++)
        integer |= values[k].kind == VG_V_tensor && vg_node_dtype(e->graph, values[k].id) == VG_I32;
    vg_node nodes[3];
    for (uint32_t k = 0; k < count; k++) nodes[k] = vg_to_tensor(e, values[k], integer, span);
    vg_here(e, span);
    return vg_value_tensor(vg_emit(e->graph, op, nodes, count, 0));
}

/* ---- compile-time operators */

static vg_value operate_numbers(vg_kind kind, double a, double b) {
    double operands[2] = { a, b };
    if (is_comparison(kind)) return vg_value_bool(vg_op_scalar(op_of(kind), operands) != 0);
    return vg_value_number(vg_op_scalar(op_of(kind), operands));
}

static vg_dim dim_of(vg_elaborator *e, vg_value value) {
    int64_t whole;
    if (value.kind == VG_V_dim) return value.id;
    if (value.kind == VG_V_absent) return vg_dim_number(&e->ir->dims, 0);
    return vg_value_whole(value, &whole) ? vg_dim_number(&e->ir->dims, whole) : 0;
}

/* Arithmetic and comparison of symbolic dimensions. False when the result is none: then it is a tensor. */
static bool operate_dims(vg_elaborator *e, vg_kind kind, vg_value a, vg_value b, vg_value *out) {
    vg_dims *dims = &e->ir->dims;
    vg_dim x = dim_of(e, a), y = dim_of(e, b), result = 0;
    int64_t difference;
    if (!x || !y) return false;
    if (is_comparison(kind)) {
        vg_dim less = vg_dim_subtract(dims, x, y);
        if (!less || !vg_dim_is_number(dims, less, &difference)) return false;
        *out = operate_numbers(kind, (double)difference, 0);
        return true;
    }
    if (kind == VG_K_add) result = vg_dim_add(dims, x, y);
    if (kind == VG_K_subtract) result = vg_dim_subtract(dims, x, y);
    if (kind == VG_K_multiply) result = vg_dim_multiply(dims, x, y);
    if (kind == VG_K_divide && y != vg_dim_number(dims, 0)) result = vg_dim_divide(dims, x, y);
    if (kind == VG_K_negate) result = vg_dim_subtract(dims, vg_dim_number(dims, 0), x);
    if (!result) return false;
    *out = vg_dim_value_of(e, result);
    return true;
}

static vg_value join_lists(vg_elaborator *e, vg_value a, vg_value b, vg_span span) {
    uint32_t one = vg_list_count(&e->values, a), two = vg_list_count(&e->values, b);
    if (one + two > VG_LIST_LIMIT) {
        vg_report(e->diags, limit_list, span, e->frame->call, vg_arena_format(&e->arena, "%d", VG_LIST_LIMIT));
        return vg_value_poison();
    }
    vg_value *items = VG_ARRAY(&e->arena, vg_value, one + two);
    for (uint32_t k = 0; k < one; k++) items[k] = vg_list_item(&e->values, a, k);
    for (uint32_t k = 0; k < two; k++) items[one + k] = vg_list_item(&e->values, b, k);
    return vg_value_list(&e->values, items, one + two);
}

static bool is_plain(vg_value value) { return value.kind == VG_V_number || value.kind == VG_V_bool; }

/* What can be decided without a tensor. */
static bool operate_constants(vg_elaborator *e, vg_kind kind, vg_value a, vg_value b, vg_span span, vg_value *out) {
    bool unary = b.kind == VG_V_absent;
    bool numbers = a.kind == VG_V_number && (unary || b.kind == VG_V_number);
    bool truths = a.kind == VG_V_bool && (unary || b.kind == VG_V_bool);
    if (numbers && !is_logic(kind) && kind != VG_K_matmul) {
        *out = operate_numbers(kind, a.number, b.number);
        return true;
    }
    if (truths && is_logic(kind)) {
        *out = vg_value_bool(kind == VG_K_not ? !a.id : kind == VG_K_and ? a.id && b.id : a.id || b.id);
        return true;
    }
    bool left = a.kind == VG_V_number || a.kind == VG_V_dim;
    bool right = unary || b.kind == VG_V_number || b.kind == VG_V_dim;
    bool dims = left && right && (a.kind == VG_V_dim || b.kind == VG_V_dim);
    if (dims && !is_logic(kind) && operate_dims(e, kind, a, b, out)) return true;
    if (a.kind == VG_V_list && b.kind == VG_V_list && kind == VG_K_add) {
        *out = join_lists(e, a, b, span);
        return true;
    }
    bool same = a.kind == b.kind && a.kind != VG_V_tensor && a.kind != VG_V_selection && a.kind != VG_V_dim;
    if (same && (kind == VG_K_eq || kind == VG_K_ne)) {
        uint32_t work = VG_WORK_LIMIT - e->work;
        *out = vg_value_bool(vg_value_equal(&e->values, a, b, &work) == (kind == VG_K_eq));
        e->work = VG_WORK_LIMIT - work;
        if (!vg_spend(e, span)) *out = vg_value_poison();
        return true;
    }
    return false;
}

/* ---- the matrix product: vectors become matrices for it, as NumPy's */

static vg_node reshape_insert(vg_elaborator *e, vg_node node, uint32_t axis) {
    vg_dim dims[VG_RANK_LIMIT + 1];
    uint32_t rank = vg_shape_list(&e->ir->dims, vg_node_shape(e->graph, node), dims);
    for (uint32_t k = rank; k > axis; k--) dims[k] = dims[k - 1];
    dims[axis] = vg_dim_number(&e->ir->dims, 1);
    return vg_build_reshape(e->graph, node, vg_shape_of(&e->ir->dims, dims, rank + 1));
}

static vg_node reshape_drop(vg_elaborator *e, vg_node node, uint32_t axis) {
    vg_dim dims[VG_RANK_LIMIT];
    uint32_t rank = vg_shape_list(&e->ir->dims, vg_node_shape(e->graph, node), dims);
    for (uint32_t k = axis; k + 1 < rank; k++) dims[k] = dims[k + 1];
    return vg_build_reshape(e->graph, node, vg_shape_of(&e->ir->dims, dims, rank - 1));
}

static vg_value operate_matmul(vg_elaborator *e, vg_value a, vg_value b, vg_span span) {
    vg_node x = vg_to_tensor(e, a, false, span), y = vg_to_tensor(e, b, false, span);
    if (!x || !y) return vg_value_poison();
    uint32_t left = vg_node_rank(e->graph, x), right = vg_node_rank(e->graph, y);
    vg_here(e, span);
    if (!left || !right) {
        vg_report0(e->diags, matmul_scalar, span, e->frame->call);
        return vg_value_poison();
    }
    if (left == 1) x = reshape_insert(e, x, 0);
    if (right == 1) y = reshape_insert(e, y, 1);
    vg_node z = vg_build_matmul(e->graph, vg_build_float(e->graph, x), vg_build_float(e->graph, y), false, false);
    if (z && right == 1) z = reshape_drop(e, z, vg_node_rank(e->graph, z) - 1);
    if (z && left == 1) z = reshape_drop(e, z, vg_node_rank(e->graph, z) - (right == 1 ? 1 : 2));
    return vg_value_tensor(z);
}

/* ---- all together */

typedef struct vg_operation { vg_kind kind; bool unary; vg_span span; } vg_operation;

static vg_value operate_one(vg_elaborator *e, void *user, const vg_value *values) {
    const vg_operation *o = user;
    return vg_operate(e, o->kind, values[0], o->unary ? vg_value_absent() : values[1], o->span);
}

static void report_operands(vg_elaborator *e, vg_kind kind, vg_value a, vg_value b, vg_span span) {
    const char *sign = sign_of(kind);
    if (b.kind == VG_V_absent) {
        vg_report(e->diags, operand_kind, span, e->frame->call, sign, vg_value_noun(a.kind));
    } else {
        vg_report(e->diags, operand_kinds, span, e->frame->call, sign, vg_value_noun(a.kind), vg_value_noun(b.kind));
    }
    vg_value family = a.kind == VG_V_family ? a : b;
    if (family.kind == VG_V_family) {
        const char *path = vg_text_of(e, vg_entry_path(e, family.id));
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "name one member, '%s[k]', or all of them, '%s[*]'", path, path);
    }
    if ((a.kind == VG_V_function || b.kind == VG_V_function))
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "to call a function write its arguments: f(x)");
}

vg_value vg_operate(vg_elaborator *e, vg_kind kind, vg_value a, vg_value b, vg_span span) {
    vg_value out, both[2] = { a, b };
    bool unary = b.kind == VG_V_absent;
    if (a.kind == VG_V_poison || b.kind == VG_V_poison) return vg_value_poison();
    if (a.kind == VG_V_selection || b.kind == VG_V_selection) {
        vg_operation operation = { kind, unary, span };
        return vg_map_selections(e, both, unary ? 1 : 2, span, operate_one, &operation);
    }
    if (operate_constants(e, kind, a, b, span, &out)) return out;
    bool fits = vg_is_tensor_like(a) && (unary || vg_is_tensor_like(b));
    bool node = a.kind == VG_V_tensor || b.kind == VG_V_tensor || a.kind == VG_V_dim || b.kind == VG_V_dim;
    bool truth = (a.kind == VG_V_bool || b.kind == VG_V_bool) && !is_logic(kind);
    if (!fits || truth || (!node && (is_plain(a) || is_plain(b)) && kind == VG_K_add) || (!node && is_logic(kind))) {
        report_operands(e, kind, a, b, span);
        return vg_value_poison();
    }
    if (kind == VG_K_matmul) return operate_matmul(e, a, b, span);
    return vg_apply_map(e, op_of(kind), both, unary ? 1 : 2, span);
}
