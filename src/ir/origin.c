/* Where a dimension came from: the walk from a node's axis back to the leaf, reshape or product whose axis it is, and
 * the notes of shape errors made from it. */
#include <inttypes.h>

#include "ir/build.h"

/* The first operand that has the dimension at this axis, counted from behind (NumPy's alignment). */
static bool through_map(const vg_graph *g, vg_node *node, uint32_t *axis) {
    const vg_dims *dims = &g->ir->dims;
    const uint32_t behind = vg_node_rank(g, *node) - *axis;
    const vg_dim dim = vg_shape_dim(dims, vg_node_shape(g, *node), *axis);
    for (uint32_t k = 0; k < g->operand_count.items[*node]; k++) {
        const vg_node operand = vg_operand(g, *node, k);
        const uint32_t rank = vg_node_rank(g, operand);
        if (rank < behind || vg_shape_dim(dims, vg_node_shape(g, operand), rank - behind) != dim) continue;
        *node = operand;
        *axis = rank - behind;
        return true;
    }
    return false;
}

static bool through_matmul(const vg_graph *g, vg_node *node, uint32_t *axis) {
    uint32_t count;
    const vg_word *flags = vg_attr_words(g->ir, g->attr.items[*node], &count);
    const uint32_t rank = vg_node_rank(g, *node);
    if (*axis + 2 < rank) return through_map(g, node, axis);
    const uint32_t k = *axis + 1 == rank;                        /* columns come from the right one */
    const vg_node operand = vg_operand(g, *node, k);
    const uint32_t last = vg_node_rank(g, operand) - 1;
    *axis = (k == 0) == (flags[k] != 0) ? last : last - 1;
    *node = operand;
    return true;
}

static bool through_reduce(const vg_graph *g, vg_node *node, uint32_t *axis) {
    uint32_t count, reduced = 0, at = 0;
    const vg_word *words = vg_attr_words(g->ir, g->attr.items[*node], &count);
    const bool arg = vg_node_op(g, *node) == VG_OP_argmax || vg_node_op(g, *node) == VG_OP_argmin;
    const vg_node operand = vg_operand(g, *node, 0);
    for (uint32_t k = arg ? 0 : 1; k < count; k++) reduced |= 1u << words[k];
    if (!arg && count == 1) return false;
    if (!arg && words[0]) {
        if (reduced >> *axis & 1) return false;
    } else {
        for (uint32_t left = *axis; (reduced >> at & 1) || left; at++)
            if (!(reduced >> at & 1)) left--;
        *axis = at;
    }
    *node = operand;
    return true;
}

/* Axes before the first and behind the last that changed are the operand's. */
static bool through_reshape(const vg_graph *g, vg_node *node, uint32_t *axis) {
    const vg_dims *dims = &g->ir->dims;
    vg_dim to[VG_RANK_LIMIT], from[VG_RANK_LIMIT];
    const vg_node operand = vg_operand(g, *node, 0);
    const uint32_t rank = vg_shape_list(dims, vg_node_shape(g, *node), to);
    const uint32_t before = vg_shape_list(dims, vg_node_shape(g, operand), from);
    uint32_t front = 0, back = 0;
    while (front < rank && front < before && to[front] == from[front]) front++;
    while (back < rank && back < before && to[rank - 1 - back] == from[before - 1 - back]) back++;
    if (*axis >= front && *axis + back < rank) return false;
    if (*axis >= front) *axis = *axis + before - rank;
    *node = operand;
    return true;
}

/* Operand 0 has the same rank: the same axis when its length is the same. */
static bool through_same(const vg_graph *g, vg_node *node, uint32_t *axis) {
    const vg_dims *dims = &g->ir->dims;
    const vg_node operand = vg_operand(g, *node, 0);
    if (vg_node_rank(g, operand) <= *axis ||
        vg_shape_dim(dims, vg_node_shape(g, operand), *axis) != vg_shape_dim(dims, vg_node_shape(g, *node), *axis))
        return false;
    *node = operand;
    return true;
}

static bool through_gather(const vg_graph *g, vg_node *node, uint32_t *axis) {
    uint32_t count;
    const uint32_t at = (uint32_t)vg_attr_words(g->ir, g->attr.items[*node], &count)[0];
    const vg_node values = vg_operand(g, *node, 0), indices = vg_operand(g, *node, 1);
    const uint32_t more = vg_node_rank(g, indices);
    const bool index = *axis >= at && *axis < at + more;
    if (index) *axis -= at;
    else if (*axis >= at + more) *axis = *axis - more + 1;
    *node = index ? indices : values;
    return true;
}

/* The examples are the images', the channels as many as the filters. */
static bool through_conv(const vg_graph *g, vg_node *node, uint32_t *axis) {
    if (*axis > 1) return false;
    *node = vg_operand(g, *node, *axis);
    *axis = 0;
    return true;
}

/* One step back: the operand and its axis that the axis of `node` follows; false where it begins here. */
static bool step_back(const vg_graph *g, vg_node *node, uint32_t *axis) {
    const vg_op op = vg_node_op(g, *node);
    uint32_t count;
    if (vg_op_is(op, VG_FLAG_map) || op == VG_OP_broadcast) return through_map(g, node, axis);
    if (g->operand_count.items[*node] == 0 || op == VG_OP_place || op == VG_OP_scatter) return false;
    if (op == VG_OP_matmul) return through_matmul(g, node, axis);
    if (op == VG_OP_reshape) return through_reshape(g, node, axis);
    if (op == VG_OP_gather) return through_gather(g, node, axis);
    if (op == VG_OP_conv2d) return through_conv(g, node, axis);
    if (op == VG_OP_pick || op == VG_OP_cross_entropy) {
        *node = vg_operand(g, *node, 1);
        return true;
    }
    if (op == VG_OP_transpose) {
        *axis = (uint32_t)vg_attr_words(g->ir, g->attr.items[*node], &count)[*axis];
        *node = vg_operand(g, *node, 0);
        return true;
    }
    if (op == VG_OP_sum || op == VG_OP_prod || op == VG_OP_max || op == VG_OP_min || op == VG_OP_argmax ||
        op == VG_OP_argmin)
        return through_reduce(g, node, axis);
    if (op == VG_OP_grad) {
        *node = vg_operand(g, *node, 1);
        return true;
    }
    return through_same(g, node, axis);
}

void vg_shape_origin(const vg_graph *g, vg_node node, uint32_t axis, vg_node *leaf, uint32_t *leaf_axis) {
    while (step_back(g, &node, &axis)) continue;   /* ids fall: it ends */
    *leaf = node;
    *leaf_axis = axis;
}

/* The path that names a node, or NULL. */
static const char *name_of(const vg_graph *g, vg_node node) {
    uint32_t count;
    const vg_op op = vg_node_op(g, node);
    const vg_word *words = vg_attr_words(g->ir, g->attr.items[node], &count);
    if (op == VG_OP_variable || op == VG_OP_input) return vg_strings_text(&g->ir->strings, (vg_str)words[1]);
    for (uint32_t k = 0; k < g->names.count; k++)
        if (g->names.items[k].node == node) return vg_strings_text(&g->ir->strings, g->names.items[k].path);
    return NULL;
}

/* "variable h[1].W", "x", "a constant", "'reshape'"; in ir->arena or the strings. */
static const char *describe(const vg_graph *g, vg_node node) {
    const vg_op op = vg_node_op(g, node);
    const char *name = name_of(g, node);
    if (op == VG_OP_variable || op == VG_OP_input)
        return vg_arena_format(&g->ir->arena, "%s %s", vg_op_rows[op].name, name);
    if (name) return name;
    if (op == VG_OP_fill || op == VG_OP_constant) return "a constant";
    return vg_arena_format(&g->ir->arena, "'%s'", vg_op_sign(op));
}

void vg_shape_explain(const vg_graph *g, const vg_node *operands, uint32_t count) {
    static const char *const sides[] = { "left operand", "right operand" };
    enum { SHOWN = 8 };
    for (uint32_t k = 0; k < count && k < SHOWN; k++) {
        const char *name = name_of(g, operands[k]), *type = vg_node_type_text(g, operands[k]);
        const char *which = count == 1 ? "the operand" : count == 2 ? sides[k]
                          : vg_arena_format(&g->ir->arena, "operand %" PRIu32, k + 1);
        if (name) vg_diags_note(&g->ir->diags, (vg_span){ 0, 0 }, "%s: %s %s", which, name, type);
        else vg_diags_note(&g->ir->diags, (vg_span){ 0, 0 }, "%s: %s", which, type);
    }
}

void vg_shape_explain_axis(const vg_graph *g, vg_node node, uint32_t axis) {
    vg_node leaf;
    uint32_t leaf_axis;
    vg_text text = vg_text_new(g->ir->mem);
    vg_shape_origin(g, node, axis, &leaf, &leaf_axis);
    vg_dim_text(&g->ir->dims, &g->ir->strings, vg_shape_dim(&g->ir->dims, vg_node_shape(g, leaf), leaf_axis), &text);
    const vg_place *place = &g->place.items[leaf];
    vg_diags_note(&g->ir->diags, vg_diags_place(&g->ir->diags, place->span, place->call),
                  "%s is axis %" PRIu32 " of %s", vg_text_c(&text), leaf_axis, describe(g, leaf));
    vg_text_free(&text);
}
