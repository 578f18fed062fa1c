/* Gradient rules of the operators that move, pick and place elements. */
#include "pass/gradient.h"

VG_RULE(reshape) {
    out[0] = vg_build_reshape(graph, adjoint, vg_node_shape(graph, vg_operand(graph, node, 0)));
}

VG_RULE(transpose) {
    uint32_t       count, inverse[VG_RANK_LIMIT];
    const vg_word *perm = vg_attr_words(graph->ir, graph->attr.items[node], &count);
    for (uint32_t k = 0; k < count; k++) inverse[perm[k]] = k;
    out[0] = vg_build_transpose(graph, adjoint, inverse);
}

VG_RULE(broadcast) {
    out[0] = adjoint;       /* the sweep sums it back to the operand's shape */
}

/* The sweep joins what the slices of one value give (adjoint.c). */
VG_RULE(slice) {
    uint32_t       count;
    const vg_word *bounds = vg_attr_words(graph->ir, graph->attr.items[node], &count);
    vg_word        words[1 + VG_RANK_LIMIT];
    words[0] = vg_node_shape(graph, vg_operand(graph, node, 0));
    for (uint32_t k = 0; k < count / 2; k++) words[1 + k] = bounds[2 * k];
    out[0] = emit_with(graph, VG_OP_place, adjoint, vg_attr_of(graph->ir, words, 1 + count / 2));
}

/* The part of `adjoint` where an operand of `part`'s shape lies that begins at `origin`. */
static vg_node slice_at(vg_graph *graph, vg_node adjoint, const vg_dim *origin, vg_node part) {
    vg_dims *dims = &graph->ir->dims;
    vg_dim   list[VG_RANK_LIMIT], bounds[2 * VG_RANK_LIMIT];
    uint32_t rank = vg_shape_list(dims, vg_node_shape(graph, part), list);
    for (uint32_t k = 0; k < rank; k++) {
        bounds[2 * k] = origin[k];
        bounds[2 * k + 1] = vg_dim_add(dims, origin[k], list[k]);
    }
    return vg_build_slice(graph, adjoint, bounds);
}

VG_RULE(place) {
    uint32_t rank = vg_node_rank(graph, node);
    for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
        vg_dim origin[VG_RANK_LIMIT];
        for (uint32_t axis = 0; axis < rank; axis++) {
            origin[axis] = (vg_dim)attr_word(graph, node, 1 + k * rank + axis);
        }
        out[k] = slice_at(graph, adjoint, origin, vg_operand(graph, node, k));
    }
}

static void begin_origin(vg_graph *graph, vg_dim *origin) {
    vg_dim zero = vg_dim_number(&graph->ir->dims, 0);
    for (uint32_t k = 0; k < VG_RANK_LIMIT; k++) origin[k] = zero;
}

VG_RULE(concat) {
    vg_dims *dims = &graph->ir->dims;
    uint32_t axis = (uint32_t)attr_word(graph, node, 0);
    vg_dim   origin[VG_RANK_LIMIT];
    begin_origin(graph, origin);
    for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
        vg_node part = vg_operand(graph, node, k);
        out[k] = slice_at(graph, adjoint, origin, part);
        origin[axis] = vg_dim_add(dims, origin[axis], vg_shape_dim(dims, vg_node_shape(graph, part), axis));
    }
}

VG_RULE(pad) {
    vg_dim   origin[VG_RANK_LIMIT];
    uint32_t rank = vg_node_rank(graph, node);
    for (uint32_t k = 0; k < rank; k++) origin[k] = (vg_dim)attr_word(graph, node, 1 + 2 * k);
    out[0] = slice_at(graph, adjoint, origin, vg_operand(graph, node, 0));
}

VG_RULE(flip) {
    out[0] = emit_with(graph, VG_OP_flip, adjoint, graph->attr.items[node]);
}

/* ---- by index; scatter is the adjoint of gather, spread that of pick, and the other way round */

VG_RULE(gather) {
    vg_word words[2] = { vg_node_shape(graph, vg_operand(graph, node, 0)), attr_word(graph, node, 0) };
    vg_node operands[2] = { adjoint, vg_operand(graph, node, 1) };
    out[0] = vg_emit(graph, VG_OP_scatter, operands, 2, vg_attr_of(graph->ir, words, 2));
}

VG_RULE(scatter) {
    vg_word axis = attr_word(graph, node, 1);
    vg_node operands[2] = { adjoint, vg_operand(graph, node, 1) };
    out[0] = vg_emit(graph, VG_OP_gather, operands, 2, vg_attr_of(graph->ir, &axis, 1));
}

VG_RULE(pick) {
    vg_node a = vg_operand(graph, node, 0), i = vg_operand(graph, node, 1);
    vg_word width = vg_shape_dim(&graph->ir->dims, vg_node_shape(graph, a), vg_node_rank(graph, a) - 1);
    vg_word words[2] = { width, vg_node_rank(graph, i) == vg_node_rank(graph, a) };
    out[0] = vg_emit(graph, VG_OP_spread, (vg_node[]){ adjoint, i }, 2, vg_attr_of(graph->ir, words, 2));
}

VG_RULE(spread) {
    vg_node operands[2] = { adjoint, vg_operand(graph, node, 1) };
    out[0] = vg_emit(graph, VG_OP_pick, operands, 2, 0);
}
