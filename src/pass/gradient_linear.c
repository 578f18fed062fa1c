/* Gradient rules of the products and sums of several operands. */
#include "pass/gradient.h"

VG_RULE(addn) {
    for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) out[k] = adjoint;
}

/* [..., rows, k] as [rows of all, k], so that a product with one matrix sums over the batch by itself instead of
 * making a matrix for each member first. 0 when the number of rows is too large a polynomial. */
static vg_node flatten_rows(vg_graph *graph, vg_node a) {
    vg_dims *dims = &graph->ir->dims;
    vg_dim   list[VG_RANK_LIMIT];
    uint32_t rank = vg_shape_list(dims, vg_node_shape(graph, a), list);
    vg_dim   rows = list[0];
    for (uint32_t k = 1; k + 1 < rank && rows != 0; k++) rows = vg_dim_multiply(dims, rows, list[k]);
    if (rows == 0) return 0;
    return vg_build_reshape(graph, a, vg_shape_of(dims, (vg_dim[]){ rows, list[rank - 1] }, 2));
}

/* c = op(a) @ op(b), op the transposition or nothing. With c's adjoint d: op(a) gets d @ op(b)', op(b) gets
 * op(a)' @ d; where an operand is stored transposed, its adjoint is the transposed product. Batch dimensions that
 * were broadcast are summed by the sweep. */
VG_RULE(matmul) {
    vg_node a = vg_operand(graph, node, 0), b = vg_operand(graph, node, 1);
    bool    ta = attr_word(graph, node, 0) != 0, tb = attr_word(graph, node, 1) != 0;
    out[0] = ta ? vg_build_matmul(graph, b, adjoint, tb, true) : vg_build_matmul(graph, adjoint, b, false, !tb);
    if (!ta && vg_node_rank(graph, b) == 2 && vg_node_rank(graph, a) > 2) {
        vg_node rows = flatten_rows(graph, a), adjoint_rows = flatten_rows(graph, adjoint);
        if (rows != 0 && adjoint_rows != 0) {
            out[1] = tb ? vg_build_matmul(graph, adjoint_rows, rows, true, false)
                        : vg_build_matmul(graph, rows, adjoint_rows, true, false);
            return;
        }
    }
    out[1] = tb ? vg_build_matmul(graph, adjoint, a, true, ta) : vg_build_matmul(graph, a, adjoint, !ta, false);
}
