/* Gradient rules of the reductions, running sums and softmax. */
#include "pass/gradient.h"

/* The axes, as bits, that a reduction runs over. */
static uint32_t reduced_axes(const vg_graph *graph, vg_node node) {
    uint32_t       count, axes = 0;
    const vg_word *words = vg_attr_words(graph->ir, graph->attr.items[node], &count);
    uint32_t       rank = vg_node_rank(graph, vg_operand(graph, node, 0));
    if (count <= 1) return (1u << rank) - 1;
    for (uint32_t k = 1; k < count; k++) axes |= 1u << words[k];
    return axes;
}

/* `value` has the shape of the reduction `node`: the same with length 1 where it ran, which broadcasts against the
 * operand. */
static vg_node keep_axes(vg_graph *graph, vg_node node, vg_node value) {
    vg_dims *dims = &graph->ir->dims;
    vg_dim   list[VG_RANK_LIMIT];
    uint32_t rank = vg_shape_list(dims, vg_node_shape(graph, vg_operand(graph, node, 0)), list);
    uint32_t axes = reduced_axes(graph, node);
    for (uint32_t k = 0; k < rank; k++) {
        if (axes & 1u << k) list[k] = vg_dim_number(dims, 1);
    }
    return vg_build_reshape(graph, value, vg_shape_of(dims, list, rank));
}

VG_RULE(sum) {
    vg_shape shape = vg_node_shape(graph, vg_operand(graph, node, 0));
    out[0] = vg_build_broadcast(graph, keep_axes(graph, node, adjoint), shape);
}

/* The product of the others: product / a where no factor is zero; where one is, only that one has others that are
 * not; where more are, nobody has. (A derivative of this is right where no factor is zero.) */
VG_RULE(prod) {
    vg_node  a = vg_operand(graph, node, 0), one = vg_build_scalar(graph, 1), none = vg_build_scalar(graph, 0);
    uint32_t axes = reduced_axes(graph, node);
    vg_node  zero = compare(graph, VG_OP_eq, a, 0);
    vg_node  zeros = vg_build_reduce(graph, VG_OP_sum, zero, axes, true);
    vg_node  factor = vg_build_select(graph, zero, one, a);
    vg_node  product = vg_build_reduce(graph, VG_OP_prod, factor, axes, true);
    vg_node  no_zeros = vg_build_map2(graph, VG_OP_eq, zeros, vg_build_fill(graph, VG_SHAPE_SCALAR, 0, VG_I32));
    vg_node  one_zero = vg_build_map2(graph, VG_OP_eq, zeros, vg_build_fill(graph, VG_SHAPE_SCALAR, 1, VG_I32));
    vg_node  at_zero = vg_build_select(graph, vg_build_map2(graph, VG_OP_and, zero, one_zero), product, none);
    vg_node  others = vg_build_select(graph, no_zeros, divide(graph, product, factor), at_zero);
    out[0] = multiply(graph, keep_axes(graph, node, adjoint), others);
}

/* Shared equally among the elements that are the extreme one. */
static void share(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    vg_node a = vg_operand(graph, node, 0);
    vg_node ties = vg_build_map2(graph, VG_OP_eq, a, keep_axes(graph, node, node));
    ties = vg_build_float(graph, ties);
    vg_node count = vg_build_reduce(graph, VG_OP_sum, ties, reduced_axes(graph, node), true);
    out[0] = multiply(graph, ties, divide(graph, keep_axes(graph, node, adjoint), count));
}

VG_RULE(max) {
    share(graph, node, adjoint, out);
}

VG_RULE(min) {
    share(graph, node, adjoint, out);
}

/* Element k reaches the sums from k on. */
VG_RULE(cumsum) {
    vg_attr axis = graph->attr.items[node];     /* the same one word for flip's only axis */
    vg_node sums = emit_with(graph, VG_OP_cumsum, emit_with(graph, VG_OP_flip, adjoint, axis), axis);
    out[0] = emit_with(graph, VG_OP_flip, sums, axis);
}

static vg_node sum_along(vg_graph *graph, vg_node node, vg_node a) {
    return vg_build_reduce(graph, VG_OP_sum, a, 1u << attr_word(graph, node, 0), true);
}

VG_RULE(softmax) {
    vg_node mean = sum_along(graph, node, multiply(graph, adjoint, node));
    out[0] = multiply(graph, node, subtract(graph, adjoint, mean));
}

VG_RULE(log_softmax) {
    vg_node operands[2] = { vg_operand(graph, node, 0), adjoint };
    out[0] = vg_emit(graph, VG_OP_log_softmax_input, operands, 2, graph->attr.items[node]);
}

/* b - s * sum(b), s = softmax(a): by b d - sum(s * d), by a softmax's rule for the adjoint -sum(b) * d of s. */
VG_RULE(log_softmax_input) {
    vg_node shares = emit_with(graph, VG_OP_softmax, vg_operand(graph, node, 0), graph->attr.items[node]);
    vg_node other = subtract(graph, adjoint, sum_along(graph, node, multiply(graph, shares, adjoint)));
    vg_node sum = sum_along(graph, node, vg_operand(graph, node, 1));
    out[0] = negate(graph, multiply(graph, sum, multiply(graph, shares, other)));
    out[1] = other;
}

VG_RULE(cross_entropy) {
    vg_node operands[3] = { vg_operand(graph, node, 0), vg_operand(graph, node, 1), adjoint };
    out[0] = vg_emit(graph, VG_OP_cross_entropy_input, operands, 3, 0);
}

/* c * (s - one), s = softmax(a), one: 1 at i. By c it is sum(s * d) - d[i], by a softmax's rule for the adjoint c * d of
 * s. */
VG_RULE(cross_entropy_input) {
    vg_node  a = vg_operand(graph, node, 0), i = vg_operand(graph, node, 1), c = vg_operand(graph, node, 2);
    uint32_t last = vg_node_rank(graph, a) - 1;
    vg_word  axis = last;
    vg_node  shares = emit_with(graph, VG_OP_softmax, a, vg_attr_of(graph->ir, &axis, 1));
    vg_node  mean = vg_build_reduce(graph, VG_OP_sum, multiply(graph, shares, adjoint), 1u << last, true);
    vg_node  rows = vg_build_reshape(graph, c, vg_node_shape(graph, mean));
    out[0] = multiply(graph, rows, multiply(graph, shares, subtract(graph, adjoint, mean)));
    vg_node picked = vg_emit(graph, VG_OP_pick, (vg_node[]){ adjoint, i }, 2, 0);
    out[2] = subtract(graph, vg_build_reshape(graph, mean, vg_node_shape(graph, c)), picked);
}
