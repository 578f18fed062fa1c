/* What emit makes simpler on the way in: uniform values are computed in double, operations that change nothing
 * give their operand, moves of moves become one move. What could change a NaN or an infinity is left alone: x * 0 is
 * not 0. */
#include "ir/emit.h"

#include <math.h>

#include "ir/build.h"

static bool uniform_is(const vg_graph *g, vg_node node, double value) {
    double have;
    return vg_node_uniform(g, node, &have) && have == value;
}

static vg_op operand_op(const vg_graph *g, const vg_draft *d, uint32_t k) { return vg_node_op(g, d->operands[k]); }

/* The operand as the result: repeated when the other operand made it larger. */
static vg_node as_result(vg_graph *g, const vg_draft *d, vg_node x) {
    return vg_node_dtype(g, x) == d->dtype ? vg_build_broadcast(g, x, d->shape) : 0;
}

/* ---- elementwise */

/* All operands uniform: computed now. */
static vg_node fold_uniform(vg_graph *g, const vg_draft *d) {
    double values[3], result;
    int32_t integers[3];
    bool whole = true;
    for (uint32_t k = 0; k < d->count; k++) {
        if (!vg_node_uniform(g, d->operands[k], &values[k])) return 0;
        whole = whole && vg_node_dtype(g, d->operands[k]) == VG_I32;
        integers[k] = values[k] >= INT32_MIN && values[k] <= INT32_MAX ? (int32_t)values[k] : 0;
        whole = whole && integers[k] == values[k];
    }
    if (d->dtype == VG_I32 && whole) result = vg_op_integer(d->op, integers);
    else result = vg_op_scalar(d->op, values);
    return vg_build_fill(g, d->shape, result, d->dtype);
}

/* Operators with a uniform neutral element on the right, and for add and mul on the left. */
static vg_node fold_neutral(vg_graph *g, const vg_draft *d) {
    const vg_node a = d->operands[0], b = d->operands[1];
    const double neutral = d->op == VG_OP_add || d->op == VG_OP_sub ? 0 : 1;
    if (uniform_is(g, b, neutral)) return as_result(g, d, a);
    if ((d->op == VG_OP_add || d->op == VG_OP_mul) && uniform_is(g, a, neutral)) return as_result(g, d, b);
    if (d->op == VG_OP_pow && vg_node_shape(g, a) == d->shape) {
        if (uniform_is(g, b, 2)) return vg_build_map1(g, VG_OP_square, a);
        if (uniform_is(g, b, 0.5)) return vg_build_map1(g, VG_OP_sqrt, a);
    }
    return 0;
}

/* relu's derivative of what came to a pooling's largest, zeros elsewhere: the largest tell which of them stay, so that
 * what is looked at is as few as the windows. */
static vg_node fold_pooled(vg_graph *g, const vg_draft *d) {
    const vg_node test = d->operands[0], spread = d->operands[1];
    if (vg_node_op(g, spread) != VG_OP_pool_max_input || vg_node_op(g, test) != VG_OP_gt) return 0;
    const vg_node images = vg_operand(g, spread, 0), bound = vg_operand(g, test, 1);
    double value;
    if (vg_operand(g, test, 0) != images || !vg_node_uniform(g, bound, &value) || vg_node_rank(g, bound) > 0) return 0;
    if (!uniform_is(g, d->operands[2], 0) || vg_node_rank(g, d->operands[2]) > 0) return 0;
    const vg_attr window = g->attr.items[spread];
    const vg_node largest = vg_emit(g, VG_OP_pool_max, &images, 1, window);
    const vg_node positive = vg_build_map2(g, VG_OP_gt, largest, bound);
    const vg_node stays = vg_build_select(g, positive, vg_operand(g, spread, 1), d->operands[2]);
    return vg_emit(g, VG_OP_pool_max_input, (vg_node[]){ images, stays }, 2, window);
}

static vg_node fold_select(vg_graph *g, const vg_draft *d) {
    double condition;
    if (!vg_node_uniform(g, d->operands[0], &condition)) return fold_pooled(g, d);
    return as_result(g, d, d->operands[condition != 0 ? 1 : 2]);
}

/* Of values that are repeated alike, and scalars: computed before it is repeated. */
static vg_node fold_repeated(vg_graph *g, const vg_draft *d) {
    vg_node operands[3];
    vg_shape shape = 0;
    for (uint32_t k = 0; k < d->count; k++) {
        operands[k] = d->operands[k];
        if (vg_node_rank(g, operands[k]) == 0) continue;
        if (operand_op(g, d, k) != VG_OP_broadcast || vg_node_shape(g, operands[k]) != d->shape) return 0;
        operands[k] = vg_operand(g, operands[k], 0);
        if (shape && vg_node_shape(g, operands[k]) != shape) return 0;
        shape = vg_node_shape(g, operands[k]);
    }
    return shape ? vg_build_broadcast(g, vg_emit(g, d->op, operands, d->count, d->attr), d->shape) : 0;
}

/* Of a uniform value beside one that has all of the shape one element is enough. */
static void shrink_uniform(vg_graph *g, vg_draft *d) {
    double value;
    bool whole = false;
    for (uint32_t k = 0; k < d->count; k++)
        whole = whole || (vg_node_shape(g, d->operands[k]) == d->shape && !vg_node_uniform(g, d->operands[k], &value));
    for (uint32_t k = 0; k < d->count && whole; k++)
        if (vg_node_rank(g, d->operands[k]) > 0 && vg_node_uniform(g, d->operands[k], &value))
            d->operands[k] = vg_build_fill(g, VG_SHAPE_SCALAR, value, vg_node_dtype(g, d->operands[k]));
}

static vg_node fold_map(vg_graph *g, vg_draft *d) {
    const vg_node a = d->operands[0];
    if (d->op == VG_OP_alias || d->op == VG_OP_stop_gradient) return g->mode == VG_EMIT_GRADIENT ? 0 : a;
    const vg_node uniform = fold_uniform(g, d);
    if (uniform) return uniform;
    const vg_node repeated = fold_repeated(g, d);
    if (repeated) return repeated;
    shrink_uniform(g, d);
    if (d->op == VG_OP_float || d->op == VG_OP_int) return vg_node_dtype(g, a) == d->dtype ? a : 0;
    if (d->op == VG_OP_neg && operand_op(g, d, 0) == VG_OP_neg) return vg_operand(g, a, 0);
    if (d->op == VG_OP_select) return fold_select(g, d);
    if (d->op == VG_OP_add || d->op == VG_OP_sub || d->op == VG_OP_mul || d->op == VG_OP_div || d->op == VG_OP_pow)
        return fold_neutral(g, d);
    return 0;
}

/* ---- moves */

static vg_node fold_transpose(vg_graph *g, const vg_draft *d) {
    uint32_t count, perm[VG_RANK_LIMIT];
    bool same = true;
    vg_node a = d->operands[0];
    const vg_word *words = vg_attr_words(g->ir, d->attr, &count);
    for (uint32_t k = 0; k < count; k++) perm[k] = (uint32_t)words[k];
    const bool twice = vg_node_op(g, a) == VG_OP_transpose;
    if (twice) {
        const vg_word *inner = vg_attr_words(g->ir, g->attr.items[a], &count);
        for (uint32_t k = 0; k < count; k++) perm[k] = (uint32_t)inner[perm[k]];
        a = vg_operand(g, a, 0);
    }
    for (uint32_t k = 0; k < count; k++) same = same && perm[k] == k;
    if (same) return a;
    return twice ? vg_build_transpose(g, a, perm) : 0;
}

static vg_node fold_move(vg_graph *g, const vg_draft *d) {
    double value;
    const vg_node a = d->operands[0];
    if (vg_node_op(g, a) == VG_OP_fill && vg_node_uniform(g, a, &value))
        return vg_build_fill(g, d->shape, value, d->dtype);
    if (d->op == VG_OP_transpose) return fold_transpose(g, d);
    if (vg_node_shape(g, a) == d->shape && d->op != VG_OP_flip) return a;   /* a slice of all of it, too */
    if (d->op == VG_OP_reshape && vg_node_op(g, a) == VG_OP_reshape)
        return vg_build_reshape(g, vg_operand(g, a, 0), d->shape);
    if (d->op == VG_OP_broadcast && vg_node_op(g, a) == VG_OP_broadcast)
        return vg_build_broadcast(g, vg_operand(g, a, 0), d->shape);
    return 0;
}

/* ---- sums and products */

/* Over whole images, what came to a pooling's largest: it came there once. */
static vg_node fold_pooled_sum(vg_graph *g, const vg_draft *d) {
    uint32_t count, axes = 0;
    const vg_word *words = vg_attr_words(g->ir, d->attr, &count);
    for (uint32_t k = 1; k < count; k++) axes |= 1u << words[k];
    if (count <= 1) axes = 0xf;
    const vg_node given = vg_operand(g, d->operands[0], 1);
    return (axes & 0xc) == 0xc ? vg_build_reduce(g, VG_OP_sum, given, axes, words[0] != 0) : 0;
}

/* A sum over nothing is its operand; of a uniform value it is the value times the number of elements. */
static vg_node fold_sum(vg_graph *g, const vg_draft *d) {
    vg_dims *dims = &g->ir->dims;
    const vg_node a = d->operands[0];
    int64_t count;
    double value;
    if (vg_node_rank(g, a) == 0) return a;
    if (vg_node_op(g, a) == VG_OP_pool_max_input) return fold_pooled_sum(g, d);
    const vg_dim size = vg_shape_size(dims, vg_node_shape(g, a)), left = vg_shape_size(dims, d->shape);
    const vg_dim each = vg_dim_divide(dims, size, left);
    if (!each || !vg_dim_is_number(dims, each, &count) || !vg_node_uniform(g, a, &value)) return 0;
    value *= (double)count;
    if (d->dtype == VG_I32 && fabs(value) > INT32_MAX) return 0;
    return vg_build_fill(g, d->shape, value, d->dtype);
}

/* Drops the zeros; rewrites the draft when something is left to add. */
static vg_node fold_addn(vg_graph *g, vg_draft *d) {
    uint32_t left = 0;
    const vg_node first = d->operands[0];
    for (uint32_t k = 0; k < d->count; k++)
        if (!uniform_is(g, d->operands[k], 0)) d->operands[left++] = d->operands[k];
    if (left == 0) return first;
    d->count = left;
    return left <= 2 ? vg_build_addn(g, d->operands, left) : 0;
}

/* The operand of a transpose that swaps the last two axes, else 0. */
static vg_node untransposed(const vg_graph *g, vg_node node) {
    uint32_t rank;
    if (vg_node_op(g, node) != VG_OP_transpose) return 0;
    const vg_word *perm = vg_attr_words(g->ir, g->attr.items[node], &rank);
    for (uint32_t k = 0; k + 2 < rank; k++)
        if (perm[k] != k) return 0;
    return rank >= 2 && perm[rank - 2] == rank - 1 ? vg_operand(g, node, 0) : 0;
}

/* A transposed operand becomes a flag: the product reads it the other way round. */
static vg_node fold_matmul(vg_graph *g, vg_draft *d) {
    uint32_t count;
    const vg_word *words = vg_attr_words(g->ir, d->attr, &count);
    vg_word flags[2] = { words[0], words[1] };
    for (uint32_t k = 0; k < 2; k++)
        for (vg_node inner; (inner = untransposed(g, d->operands[k])); flags[k] = !flags[k]) d->operands[k] = inner;
    d->attr = vg_attr_of(g->ir, flags, 2);
    return 0;
}

/* ---- cross-entropy */

/* Whether `axis`, the only word of the attribute, is the last of an operand. */
static bool along_last(const vg_graph *g, vg_attr axis, vg_node operand) {
    uint32_t count;
    return vg_attr_words(g->ir, axis, &count)[0] + 1 == vg_node_rank(g, operand);
}

/* One log-probability of each row: what else there is of them need not be made. */
static vg_node fold_pick(vg_graph *g, const vg_draft *d) {
    const vg_node chances = d->operands[0];
    if (vg_node_op(g, chances) != VG_OP_log_softmax || !along_last(g, g->attr.items[chances], chances)) return 0;
    if (vg_node_rank(g, d->operands[1]) == vg_node_rank(g, chances)) return 0;      /* several of each */
    const vg_node operands[2] = { vg_operand(g, chances, 0), d->operands[1] };
    return vg_build_map1(g, VG_OP_neg, vg_emit(g, VG_OP_cross_entropy, operands, 2, 0));
}

/* Its adjoint: zeros but for one of each row. */
static vg_node fold_log_softmax_input(vg_graph *g, const vg_draft *d) {
    uint32_t count;
    const vg_node spread = d->operands[1];
    if (vg_node_op(g, spread) != VG_OP_spread || !along_last(g, d->attr, d->operands[0])) return 0;
    if (vg_attr_words(g->ir, g->attr.items[spread], &count)[1]) return 0;
    const vg_node indices = vg_operand(g, spread, 1), given = vg_build_map1(g, VG_OP_neg, vg_operand(g, spread, 0));
    return vg_emit(g, VG_OP_cross_entropy_input, (vg_node[]){ d->operands[0], indices, given }, 3, 0);
}

bool vg_fold_looks_into(vg_op op) {
    return op == VG_OP_fill || op == VG_OP_constant || op == VG_OP_neg || op == VG_OP_transpose ||
           op == VG_OP_reshape || op == VG_OP_broadcast || op == VG_OP_pool_max_input || op == VG_OP_log_softmax ||
           op == VG_OP_spread;
}

vg_node vg_fold(vg_graph *graph, vg_draft *draft) {
    if (vg_op_is(draft->op, VG_FLAG_map)) return fold_map(graph, draft);
    if (draft->op == VG_OP_transpose || draft->op == VG_OP_reshape || draft->op == VG_OP_broadcast ||
        draft->op == VG_OP_slice || draft->op == VG_OP_flip) return fold_move(graph, draft);
    if (draft->op == VG_OP_sum) return fold_sum(graph, draft);
    if (draft->op == VG_OP_addn) return fold_addn(graph, draft);
    if (draft->op == VG_OP_matmul) return fold_matmul(graph, draft);
    if (draft->op == VG_OP_pick) return fold_pick(graph, draft);
    if (draft->op == VG_OP_log_softmax_input) return fold_log_softmax_input(graph, draft);
    return 0;
}
