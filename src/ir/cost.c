/* FLOPs and bytes of a node (cost.h). */
#include "ir/cost.h"

static double elements(const vg_graph *g, vg_node node, const int64_t *symbols) {
    const vg_dims *dims = &g->ir->dims;
    const vg_shape shape = vg_node_shape(g, node);
    double product = 1;
    for (uint32_t k = 0; k < vg_shape_rank(dims, shape); k++)
        product *= (double)vg_dim_value(dims, vg_shape_dim(dims, shape, k), symbols);
    return product;
}

static double bytes_of(const vg_graph *g, vg_node node, const int64_t *symbols, uint32_t real) {
    return elements(g, node, symbols) * (vg_node_dtype(g, node) == VG_I32 ? 4 : real);
}

/* The length that a product sums over. */
static double inner_length(const vg_graph *g, vg_node node, const int64_t *symbols) {
    uint32_t count;
    const vg_word *flags = vg_attr_words(g->ir, g->attr.items[node], &count);
    const vg_node a = vg_operand(g, node, 0);
    bool swapped = false;
    for (uint32_t k = 2; k < count; k++) swapped = swapped || flags[k] == 0;
    const uint32_t rank = vg_node_rank(g, a), axis = flags[0] ? rank - (swapped ? 3 : 2) : rank - 1;
    return (double)vg_dim_value(&g->ir->dims, vg_shape_dim(&g->ir->dims, vg_node_shape(g, a), axis), symbols);
}

/* The pixels of the convolution's result, times a filter's elements: the same for it and for its two adjoints. */
static double conv_products(const vg_graph *g, vg_node node, const int64_t *symbols) {
    const vg_op op = vg_node_op(g, node);
    const vg_node filter = op == VG_OP_conv2d_filter ? node : vg_operand(g, node, 1);
    const vg_node result = op == VG_OP_conv2d ? node : vg_operand(g, node, op == VG_OP_conv2d_input ? 0 : 1);
    const vg_dims *dims = &g->ir->dims;
    const double filters = (double)vg_dim_value(dims, vg_shape_dim(dims, vg_node_shape(g, filter), 0), symbols);
    return filters > 0 ? elements(g, result, symbols) * elements(g, filter, symbols) / filters : 0;
}

vg_node_cost vg_node_cost_of(const vg_graph *g, vg_node node, const int64_t *symbols, uint32_t real) {
    const vg_op op = vg_node_op(g, node);
    const double out = elements(g, node, symbols), written = bytes_of(g, node, symbols, real);
    const uint32_t operands = g->operand_count.items[node];
    double read = 0;
    for (uint32_t k = 0; k < operands; k++) read += bytes_of(g, vg_operand(g, node, k), symbols, real);
    switch (vg_op_rows[op].cost) {
    case VG_COST_zero:    return (vg_node_cost){ 0, 0 };
    case VG_COST_map:     return (vg_node_cost){ out * vg_op_rows[op].flops, written + read };
    case VG_COST_copy:    return (vg_node_cost){ 0, 2 * written };
    case VG_COST_random:  return (vg_node_cost){ 40 * out, written };
    case VG_COST_reduce:  return (vg_node_cost){ elements(g, vg_operand(g, node, 0), symbols), written + read };
    case VG_COST_addn:    return (vg_node_cost){ out * (operands - 1), written + read };
    case VG_COST_matmul:  return (vg_node_cost){ 2 * out * inner_length(g, node, symbols), written + read };
    case VG_COST_conv:    return (vg_node_cost){ 2 * conv_products(g, node, symbols), written + read };
    case VG_COST_softmax: return (vg_node_cost){ 13 * elements(g, vg_operand(g, node, 0), symbols), written + read };
    }
    return (vg_node_cost){ 0, 0 };
}
