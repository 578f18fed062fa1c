/* Gradient rules of the convolutions and poolings.
 *
 * A convolution y = C(x, w) is linear in both operands; so are its adjoints, by the images I(d, w) and by the filters
 * F(x, d). Each is the adjoint of the others, so the three close under differentiation. */
#include "ir/window.h"
#include "pass/gradient.h"

/* The words of a convolution behind the shape that an adjoint's begin with; `skip` is 1 for an adjoint. */
static vg_attr with_shape(vg_graph *graph, vg_node node, uint32_t skip, vg_shape shape, uint32_t count) {
    vg_word words[1 + VG_CONV_WORDS] = { shape };
    for (uint32_t k = 0; k < count; k++) words[1 + k] = attr_word(graph, node, skip + k);
    return vg_attr_of(graph->ir, shape ? words : words + 1, shape ? count + 1 : count);
}

static vg_node convolve(vg_graph *graph, vg_node node, vg_node images, vg_node filters) {
    const vg_attr attr = with_shape(graph, node, 1, 0, VG_CONV_WORDS);
    return vg_emit(graph, VG_OP_conv2d, (vg_node[]){ images, filters }, 2, attr);
}

/* The adjoint by the images, which have `shape`. */
static vg_node by_input(vg_graph *graph, vg_node node, uint32_t skip, vg_shape shape, vg_node adjoint, vg_node filters) {
    const vg_attr attr = with_shape(graph, node, skip, shape, VG_CONV_WORDS);
    return vg_emit(graph, VG_OP_conv2d_input, (vg_node[]){ adjoint, filters }, 2, attr);
}

static vg_node by_filter(vg_graph *graph, vg_node node, uint32_t skip, vg_shape shape, vg_node images, vg_node adjoint) {
    const vg_attr attr = with_shape(graph, node, skip, shape, VG_CONV_WORDS);
    return vg_emit(graph, VG_OP_conv2d_filter, (vg_node[]){ images, adjoint }, 2, attr);
}

VG_RULE(conv2d) {
    const vg_node images = vg_operand(graph, node, 0), filters = vg_operand(graph, node, 1);
    out[0] = by_input(graph, node, 0, vg_node_shape(graph, images), adjoint, filters);
    out[1] = by_filter(graph, node, 0, vg_node_shape(graph, filters), images, adjoint);
}

VG_RULE(conv2d_input) {
    const vg_node d = vg_operand(graph, node, 0), filters = vg_operand(graph, node, 1);
    out[0] = convolve(graph, node, adjoint, filters);
    out[1] = by_filter(graph, node, 1, vg_node_shape(graph, filters), adjoint, d);
}

VG_RULE(conv2d_filter) {
    const vg_node images = vg_operand(graph, node, 0), d = vg_operand(graph, node, 1);
    out[0] = by_input(graph, node, 1, vg_node_shape(graph, images), d, adjoint);
    out[1] = convolve(graph, node, images, adjoint);
}

VG_RULE(pool_max) {
    const vg_node images = vg_operand(graph, node, 0);
    out[0] = vg_emit(graph, VG_OP_pool_max_input, (vg_node[]){ images, adjoint }, 2, graph->attr.items[node]);
}

/* The last two axes as one. */
static vg_node join_pixels(vg_graph *graph, vg_node node) {
    vg_dims *dims = &graph->ir->dims;
    vg_dim list[VG_RANK_LIMIT];
    vg_shape_list(dims, vg_node_shape(graph, node), list);
    list[2] = vg_dim_multiply(dims, list[2], list[3]);
    return vg_build_reshape(graph, node, vg_shape_of(dims, list, 3));
}

/* Where the largest are does not change with the images: what is given to them is picked from there. */
VG_RULE(pool_max_input) {
    const vg_node at = emit_with(graph, VG_OP_pool_argmax, vg_operand(graph, node, 0), graph->attr.items[node]);
    const vg_node pixels[2] = { join_pixels(graph, adjoint), join_pixels(graph, at) };
    out[1] = vg_build_reshape(graph, vg_emit(graph, VG_OP_pick, pixels, 2, 0),
                              vg_node_shape(graph, vg_operand(graph, node, 1)));
}

VG_RULE(pool_sum) {
    const vg_shape shape = vg_node_shape(graph, vg_operand(graph, node, 0));
    out[0] = emit_with(graph, VG_OP_pool_spread, adjoint, with_shape(graph, node, 0, shape, VG_POOL_WORDS));
}

VG_RULE(pool_spread) {
    out[0] = emit_with(graph, VG_OP_pool_sum, adjoint, with_shape(graph, node, 1, 0, VG_POOL_WORDS));
}
