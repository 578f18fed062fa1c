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

/* The last batch axis and the rows change places. */
static vg_node swap_rows(vg_graph *graph, vg_node a, bool swapped) {
    uint32_t perm[VG_RANK_LIMIT], rank = vg_node_rank(graph, a);
    if (!swapped || a == 0) return a;
    for (uint32_t k = 0; k < rank; k++) perm[k] = k + 3 == rank ? k + 1 : k + 2 == rank ? k - 1 : k;
    return vg_build_transpose(graph, a, perm);
}

/* c = op(a) @ op(b), op the transposition or nothing. With c's adjoint d: op(a) gets d @ op(b)', op(b) gets
 * op(a)' @ d; where an operand is stored transposed, its adjoint is the transposed product. Batch dimensions that
 * were broadcast are summed by the sweep. */
static void multiply_rule(vg_graph *graph, vg_node a, vg_node b, bool ta, bool tb, vg_node adjoint, vg_node *out) {
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

VG_RULE(matmul) {
    const bool ta = attr_word(graph, node, 0) != 0, tb = attr_word(graph, node, 1) != 0;
    multiply_rule(graph, vg_operand(graph, node, 0), vg_operand(graph, node, 1), ta, tb, adjoint, out);
}

/* As a matmul of transposes. */
VG_RULE(product) {
    const bool ta = attr_word(graph, node, 0) != 0, tb = attr_word(graph, node, 1) != 0;
    uint32_t count, swap = 0;
    const vg_word *words = vg_attr_words(graph->ir, graph->attr.items[node], &count);
    for (uint32_t k = 2; k < count; k++) swap |= 1u << words[k];
    const vg_node a = swap_rows(graph, vg_operand(graph, node, 0), swap & 1);
    const vg_node b = swap_rows(graph, vg_operand(graph, node, 1), swap & 2);
    if (graph->operand_count.items[node] == 3) out[2] = adjoint;
    multiply_rule(graph, a, b, ta, tb, swap_rows(graph, adjoint, swap & 4), out);
    for (uint32_t k = 0; k < 2; k++) {
        const vg_shape own = vg_node_shape(graph, k == 0 ? a : b);
        out[k] = swap_rows(graph, vg_build_unbroadcast(graph, out[k], own), swap >> k & 1);
    }
}
