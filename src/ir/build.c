/* Short hands for vg_emit. */
#include "ir/build.h"

#include <assert.h>
#include <string.h>

vg_node vg_build_fill(vg_graph *g, vg_shape shape, double value, vg_dtype dtype) {
    const vg_word words[] = { shape, vg_word_real(value), dtype };
    return vg_emit(g, VG_OP_fill, NULL, 0, vg_attr_of(g->ir, words, 3));
}

vg_node vg_build_scalar(vg_graph *g, double value) { return vg_build_fill(g, VG_SHAPE_SCALAR, value, VG_F32); }

vg_node vg_build_constant(vg_graph *g, vg_shape shape, const double *elements, uint64_t count, vg_dtype dtype) {
    vg_ir *ir = g->ir;
    double *copy = vg_arena_alloc(&ir->arena, count * sizeof *copy);
    if (count) memcpy(copy, elements, count * sizeof *copy);
    vg_vec_push(ir->mem, &ir->constants, ((vg_constant){ shape, dtype, copy, count }));
    return vg_build_constant_again(g, ir->constants.count - 1);
}

vg_node vg_build_constant_again(vg_graph *g, uint32_t constant) {
    const vg_constant *row = &g->ir->constants.items[constant];
    const vg_word words[] = { row->shape, constant, row->dtype };
    return vg_emit(g, VG_OP_constant, NULL, 0, vg_attr_of(g->ir, words, 3));
}

vg_node vg_build_dimension(vg_graph *g, vg_dim dim) {
    int64_t number;
    if (vg_dim_is_number(&g->ir->dims, dim, &number)) return vg_build_scalar(g, (double)number);
    const vg_word word = dim;
    return vg_emit(g, VG_OP_dimension, NULL, 0, vg_attr_of(g->ir, &word, 1));
}

vg_node vg_build_map1(vg_graph *g, vg_op op, vg_node a) { return vg_emit(g, op, &a, 1, 0); }

vg_node vg_build_map2(vg_graph *g, vg_op op, vg_node a, vg_node b) {
    return vg_emit(g, op, (const vg_node[]){ a, b }, 2, 0);
}

vg_node vg_build_select(vg_graph *g, vg_node condition, vg_node a, vg_node b) {
    return vg_emit(g, VG_OP_select, (const vg_node[]){ condition, a, b }, 3, 0);
}

/* A fill is made again in the other type: one node, and no conversion at run time. */
vg_node vg_build_float(vg_graph *g, vg_node a) {
    if (!a || vg_node_dtype(g, a) == VG_F32) return a;
    double value;
    if (vg_node_op(g, a) == VG_OP_fill && vg_node_uniform(g, a, &value))
        return vg_build_fill(g, vg_node_shape(g, a), value, VG_F32);
    return vg_build_map1(g, VG_OP_float, a);
}

vg_node vg_build_reduce(vg_graph *g, vg_op op, vg_node a, uint32_t axes, bool keep) {
    vg_word words[1 + VG_RANK_LIMIT] = { keep };
    uint32_t count = 1;
    if (!a || !axes) return a;
    for (uint32_t axis = 0; axis < VG_RANK_LIMIT; axis++)
        if (axes >> axis & 1) words[count++] = axis;
    return vg_emit(g, op, &a, 1, vg_attr_of(g->ir, words, count));
}

vg_node vg_build_mean(vg_graph *g, vg_node a, uint32_t axes, bool keep) {
    if (!a || !axes) return vg_build_float(g, a);
    vg_dims *dims = &g->ir->dims;
    const vg_shape shape = vg_node_shape(g, a);
    vg_dim size = vg_dim_number(dims, 1);
    for (uint32_t axis = 0; axis < vg_shape_rank(dims, shape); axis++)
        if (axes >> axis & 1) size = vg_dim_multiply(dims, size, vg_shape_dim(dims, shape, axis));
    const vg_node sum = vg_build_reduce(g, VG_OP_sum, vg_build_float(g, a), axes, keep);
    return vg_build_map2(g, VG_OP_div, sum, sum ? vg_build_dimension(g, size) : 0);
}

vg_node vg_build_reshape(vg_graph *g, vg_node a, vg_shape shape) {
    const vg_word word = shape;
    if (!a || !shape) return 0;
    if (vg_node_shape(g, a) == shape) return a;
    return vg_emit(g, VG_OP_reshape, &a, 1, vg_attr_of(g->ir, &word, 1));
}

vg_node vg_build_broadcast(vg_graph *g, vg_node a, vg_shape shape) {
    const vg_word word = shape;
    if (!a || !shape) return 0;
    if (vg_node_shape(g, a) == shape) return a;
    return vg_emit(g, VG_OP_broadcast, &a, 1, vg_attr_of(g->ir, &word, 1));
}

vg_node vg_build_transpose(vg_graph *g, vg_node a, const uint32_t *perm) {
    vg_word words[VG_RANK_LIMIT];
    if (!a) return 0;
    const uint32_t rank = vg_node_rank(g, a);
    for (uint32_t k = 0; k < rank; k++) words[k] = perm[k];
    return vg_emit(g, VG_OP_transpose, &a, 1, vg_attr_of(g->ir, words, rank));
}

vg_node vg_build_matmul(vg_graph *g, vg_node a, vg_node b, bool ta, bool tb) {
    const vg_word words[] = { ta, tb };
    return vg_emit(g, VG_OP_matmul, (const vg_node[]){ a, b }, 2, vg_attr_of(g->ir, words, 2));
}

vg_node vg_build_addn(vg_graph *g, const vg_node *nodes, uint32_t count) {
    assert(count);
    if (count == 1) return nodes[0];
    if (count == 2) return vg_build_map2(g, VG_OP_add, nodes[0], nodes[1]);
    return vg_emit(g, VG_OP_addn, nodes, count, 0);
}

vg_node vg_build_unbroadcast(vg_graph *g, vg_node a, vg_shape shape) {
    const vg_dims *dims = &g->ir->dims;
    if (!a || vg_node_shape(g, a) == shape) return a;
    vg_dim have[VG_RANK_LIMIT], want[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, vg_node_shape(g, a), have), left = vg_shape_list(dims, shape, want);
    uint32_t axes = 0;
    assert(rank >= left);
    for (uint32_t k = 0; k < rank; k++)
        if (k < rank - left || have[k] != want[k - (rank - left)]) axes |= 1u << k;
    /* Without the new axes in front, and with length 1 where an axis of length 1 was repeated. */
    return vg_build_reshape(g, vg_build_reduce(g, VG_OP_sum, a, axes, rank == left), shape);
}

vg_node vg_build_slice(vg_graph *g, vg_node a, const vg_dim *bounds) {
    vg_word words[2 * VG_RANK_LIMIT];
    if (!a) return 0;
    const uint32_t count = 2 * vg_node_rank(g, a);
    for (uint32_t k = 0; k < count; k++) words[k] = bounds[k];
    return vg_emit(g, VG_OP_slice, &a, 1, vg_attr_of(g->ir, words, count));
}
