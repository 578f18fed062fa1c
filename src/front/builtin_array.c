/* Library functions on arrays: reductions, shape, constants. As NumPy's where it has them. */
#include "front/builtin.h"
#include "ir/build.h"

static vg_value tensor(vg_node node) { return vg_value_tensor(node); }

static uint32_t dims_of(const vg_built_call *c, vg_node node, vg_dim *dims) {
    return vg_shape_list(&c->e->ir->dims, vg_node_shape(c->e->graph, node), dims);
}

static vg_attr words(const vg_built_call *c, const vg_word *list, uint32_t count) {
    return vg_attr_of(c->e->ir, list, count);
}

/* ---- reductions */

static vg_value reduce(const vg_built_call *c, vg_op op) {
    vg_node x = vg_built_tensor(c, 0);
    uint32_t mask;
    bool keep;
    if (!x || !vg_built_axes(c, 1, vg_node_rank(c->e->graph, x), &mask) || !vg_built_bool(c, 2, false, &keep))
        return vg_value_poison();
    if (op == VG_OP_prod) x = vg_build_float(c->e->graph, x);
    return tensor(vg_build_reduce(c->e->graph, op, x, mask, keep));
}

vg_value vg_call_sum(const vg_built_call *c) { return reduce(c, VG_OP_sum); }
vg_value vg_call_max(const vg_built_call *c) { return reduce(c, VG_OP_max); }
vg_value vg_call_min(const vg_built_call *c) { return reduce(c, VG_OP_min); }
vg_value vg_call_prod(const vg_built_call *c) { return reduce(c, VG_OP_prod); }

vg_value vg_call_mean(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    uint32_t mask;
    bool keep;
    if (!x || !vg_built_axes(c, 1, vg_node_rank(c->e->graph, x), &mask) || !vg_built_bool(c, 2, false, &keep))
        return vg_value_poison();
    return tensor(vg_build_mean(c->e->graph, vg_build_float(c->e->graph, x), mask, keep));
}

/* What has one axis as its attribute. */
static vg_value along(const vg_built_call *c, vg_op op, bool real) {
    vg_node x = vg_built_tensor(c, 0);
    uint32_t axis;
    if (!x || !vg_built_axis(c, 1, vg_node_rank(c->e->graph, x), -1, &axis)) return vg_value_poison();
    if (real) x = vg_build_float(c->e->graph, x);
    vg_word word[1] = { axis };
    return tensor(vg_emit(c->e->graph, op, &x, 1, words(c, word, 1)));
}

vg_value vg_call_argmax(const vg_built_call *c) { return along(c, VG_OP_argmax, false); }
vg_value vg_call_argmin(const vg_built_call *c) { return along(c, VG_OP_argmin, false); }
vg_value vg_call_cumsum(const vg_built_call *c) { return along(c, VG_OP_cumsum, true); }
vg_value vg_call_softmax(const vg_built_call *c) { return along(c, VG_OP_softmax, true); }
vg_value vg_call_log_softmax(const vg_built_call *c) { return along(c, VG_OP_log_softmax, true); }

/* ---- shape */

/* The dimension that -1 stands for: the elements over the product of the others; 0 when that does not divide. */
static vg_dim rest_of(const vg_built_call *c, vg_node x, const vg_dim *dims, uint32_t rank, uint32_t open) {
    vg_dims *all = &c->e->ir->dims;
    vg_dim product = vg_dim_number(all, 1);
    for (uint32_t k = 0; k < rank && product; k++)
        if (k != open) product = vg_dim_multiply(all, product, dims[k]);
    return product ? vg_dim_divide(all, vg_shape_size(all, vg_node_shape(c->e->graph, x)), product) : 0;
}

vg_value vg_call_reshape(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_node x = vg_built_tensor(c, 0);
    vg_value list = c->a[1];
    vg_dim dims[VG_RANK_LIMIT] = { 0 };
    if (list.kind == VG_V_number || list.kind == VG_V_dim) list = vg_value_list(&e->values, &c->a[1], 1);
    if (list.kind != VG_V_list || vg_list_count(&e->values, list) > VG_RANK_LIMIT) {
        if (list.kind != VG_V_poison)
            vg_report(e->diags, not_shape, vg_built_span(c, 1), e->frame->call, vg_value_noun(list.kind));
        return vg_value_poison();
    }
    uint32_t rank = vg_list_count(&e->values, list), open = VG_RANK_LIMIT;
    for (uint32_t k = 0; k < rank; k++) {
        vg_value item = vg_list_item(&e->values, list, k);
        if (item.kind == VG_V_number && item.number == -1 && open == VG_RANK_LIMIT) open = k;
        else if (!vg_to_dim(e, item, "a dimension", vg_built_span(c, 1), &dims[k])) return vg_value_poison();
    }
    if (!x) return vg_value_poison();
    if (open < VG_RANK_LIMIT && !(dims[open] = rest_of(c, x, dims, rank, open))) {
        vg_report(e->diags, reshape_rest, vg_built_span(c, 1), e->frame->call,
                  vg_shape_shown(e, vg_node_shape(e->graph, x)));
        return vg_value_poison();
    }
    return tensor(vg_build_reshape(e->graph, x, vg_shape_of(&e->ir->dims, dims, rank)));
}

vg_value vg_call_transpose(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_node x = vg_built_tensor(c, 0);
    if (!x) return vg_value_poison();
    uint32_t rank = vg_node_rank(e->graph, x), perm[VG_RANK_LIMIT], mask = 0;
    for (uint32_t k = 0; k < rank; k++) perm[k] = rank - 1 - k;
    if (c->a[1].kind != VG_V_absent) {
        if (!vg_built_axes(c, 1, rank, &mask)) return vg_value_poison();
        bool fits = c->a[1].kind == VG_V_list && mask == (1u << rank) - 1;
        for (uint32_t k = 0; k < rank && fits; k++) {
            int64_t axis = 0;
            vg_value_whole(vg_list_item(&e->values, c->a[1], k), &axis);
            perm[k] = (uint32_t)(axis < 0 ? axis + rank : axis);
        }
        if (!fits) {
            vg_report(e->diags, perm_wrong, vg_built_span(c, 1), e->frame->call,
                      vg_arena_format(&e->arena, "%u", rank));
            return vg_value_poison();
        }
    }
    return tensor(rank < 2 ? x : vg_build_transpose(e->graph, x, perm));
}

vg_value vg_call_flatten(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_node x = vg_built_tensor(c, 0);
    vg_dim dims[VG_RANK_LIMIT];
    if (!x) return vg_value_poison();
    uint32_t rank = dims_of(c, x, dims), from = 0;
    if (rank && !vg_built_axis(c, 1, rank, 0, &from)) return vg_value_poison();
    vg_dim product = vg_dim_number(&e->ir->dims, 1);
    for (uint32_t k = from; k < rank; k++) product = vg_dim_multiply(&e->ir->dims, product, dims[k]);
    dims[from] = product;
    return tensor(vg_build_reshape(e->graph, x, vg_shape_of(&e->ir->dims, dims, from + 1)));
}

vg_value vg_call_concat(const vg_built_call *c) {
    uint32_t count, axis;
    vg_node *nodes = vg_built_nodes(c, 0, &count);
    if (!nodes || !vg_built_axis(c, 1, vg_node_rank(c->e->graph, nodes[0]), 0, &axis)) return vg_value_poison();
    vg_word word[1] = { axis };
    return tensor(vg_emit(c->e->graph, VG_OP_concat, nodes, count, words(c, word, 1)));
}

static vg_node insert_axis(const vg_built_call *c, vg_node x, uint32_t axis) {
    vg_dim dims[VG_RANK_LIMIT + 1];
    uint32_t rank = dims_of(c, x, dims);
    if (rank == VG_RANK_LIMIT) {
        vg_report(c->e->diags, limit_rank, c->span, c->e->frame->call,
                  vg_arena_format(&c->e->arena, "%d", VG_RANK_LIMIT));
        return 0;
    }
    for (uint32_t k = rank; k > axis; k--) dims[k] = dims[k - 1];
    dims[axis] = vg_dim_number(&c->e->ir->dims, 1);
    return vg_build_reshape(c->e->graph, x, vg_shape_of(&c->e->ir->dims, dims, rank + 1));
}

vg_value vg_call_stack(const vg_built_call *c) {
    uint32_t count, axis;
    vg_node *nodes = vg_built_nodes(c, 0, &count);
    if (!nodes || !vg_built_axis(c, 1, vg_node_rank(c->e->graph, nodes[0]) + 1, 0, &axis)) return vg_value_poison();
    vg_shape shape = vg_node_shape(c->e->graph, nodes[0]);
    for (uint32_t k = 0; k < count; k++) {
        if (vg_node_shape(c->e->graph, nodes[k]) != shape) {
            vg_report(c->e->diags, stack_shapes, vg_built_span(c, 0), c->e->frame->call, vg_shape_shown(c->e, shape),
                      vg_shape_shown(c->e, vg_node_shape(c->e->graph, nodes[k])));
            return vg_value_poison();
        }
        nodes[k] = insert_axis(c, nodes[k], axis);
    }
    vg_word word[1] = { axis };
    return tensor(vg_emit(c->e->graph, VG_OP_concat, nodes, count, words(c, word, 1)));
}

vg_value vg_call_expand(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    uint32_t axis;
    if (!x || !vg_built_axis(c, 1, vg_node_rank(c->e->graph, x) + 1, 0, &axis)) return vg_value_poison();
    return tensor(insert_axis(c, x, axis));
}

vg_value vg_call_squeeze(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_node x = vg_built_tensor(c, 0);
    vg_dim dims[VG_RANK_LIMIT], kept[VG_RANK_LIMIT];
    uint32_t mask, count = 0;
    if (!x || !vg_built_axes(c, 1, vg_node_rank(e->graph, x), &mask)) return vg_value_poison();
    bool given = c->a[1].kind != VG_V_absent && c->a[1].kind != VG_V_axes;
    uint32_t rank = dims_of(c, x, dims);
    for (uint32_t k = 0; k < rank; k++) {
        bool one = vg_dim_is(&e->ir->dims, dims[k], 1), asked = mask >> k & 1;
        if (given && asked && !one) {
            vg_report(e->diags, squeeze_length, vg_built_span(c, 1), e->frame->call,
                      vg_arena_format(&e->arena, "%u", k));
            return vg_value_poison();
        }
        if (!one || !asked) kept[count++] = dims[k];
    }
    return tensor(vg_build_reshape(e->graph, x, vg_shape_of(&e->ir->dims, kept, count)));
}

/* widths: n, [before, behind], or [[before, behind], ...] */
static bool pad_width(const vg_built_call *c, uint32_t axis, uint32_t side, uint32_t rank, vg_dim *out) {
    vg_values *values = &c->e->values;
    vg_value value = c->a[1];
    bool list = value.kind == VG_V_list && vg_list_count(values, value) > 0;
    if (list && vg_list_item(values, value, 0).kind == VG_V_list) {
        if (vg_list_count(values, value) != rank) value = vg_value_absent();
        else value = vg_list_item(values, value, axis);
    }
    if (value.kind == VG_V_list)
        value = vg_list_count(values, value) == 2 ? vg_list_item(values, value, side) : vg_value_absent();
    if (value.kind == VG_V_number || value.kind == VG_V_dim)
        return vg_to_dim(c->e, value, "a width", vg_built_span(c, 1), out);
    if (value.kind != VG_V_poison)
        vg_report(c->e->diags, pad_widths, vg_built_span(c, 1), c->e->frame->call,
                  vg_arena_format(&c->e->arena, "%u", rank));
    return false;
}

vg_value vg_call_pad(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    double value;
    vg_word word[1 + 2 * VG_RANK_LIMIT];
    if (!x || !vg_built_number(c, 2, 0, &value)) return vg_value_poison();
    uint32_t rank = vg_node_rank(c->e->graph, x);
    word[0] = vg_word_real(value);
    for (uint32_t k = 0; k < 2 * rank; k++) {
        vg_dim width;
        if (!pad_width(c, k / 2, k % 2, rank, &width)) return vg_value_poison();
        word[1 + k] = width;
    }
    return tensor(vg_emit(c->e->graph, VG_OP_pad, &x, 1, words(c, word, 1 + 2 * rank)));
}

vg_value vg_call_broadcast(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    vg_shape shape;
    if (!x || !vg_to_shape(c->e, c->a[1], vg_built_span(c, 1), &shape)) return vg_value_poison();
    return tensor(vg_build_broadcast(c->e->graph, x, shape));
}

vg_value vg_call_flip(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    uint32_t mask, count = 0;
    vg_word word[VG_RANK_LIMIT];
    if (!x || !vg_built_axes(c, 1, vg_node_rank(c->e->graph, x), &mask)) return vg_value_poison();
    for (uint32_t k = 0; k < VG_RANK_LIMIT; k++)
        if (mask >> k & 1) word[count++] = k;
    return tensor(count ? vg_emit(c->e->graph, VG_OP_flip, &x, 1, words(c, word, count)) : x);
}

vg_value vg_call_gather(const vg_built_call *c) {
    vg_node nodes[2] = { vg_built_tensor(c, 0), vg_to_tensor(c->e, c->a[1], true, vg_built_span(c, 1)) };
    uint32_t axis;
    vg_here(c->e, c->span);
    if (!nodes[0] || !nodes[1] || !vg_built_axis(c, 2, vg_node_rank(c->e->graph, nodes[0]), 0, &axis))
        return vg_value_poison();
    vg_word word[1] = { axis };
    return tensor(vg_emit(c->e->graph, VG_OP_gather, nodes, 2, words(c, word, 1)));
}

vg_value vg_call_pick(const vg_built_call *c) {
    vg_node nodes[2] = { vg_built_tensor(c, 0), vg_to_tensor(c->e, c->a[1], true, vg_built_span(c, 1)) };
    vg_here(c->e, c->span);
    return tensor(vg_emit(c->e->graph, VG_OP_pick, nodes, 2, 0));
}

/* ---- what a shape says */

vg_value vg_call_shape(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    vg_dim dims[VG_RANK_LIMIT];
    vg_value items[VG_RANK_LIMIT];
    if (!x) return vg_value_poison();
    uint32_t rank = dims_of(c, x, dims);
    for (uint32_t k = 0; k < rank; k++) items[k] = vg_dim_value_of(c->e, dims[k]);
    vg_value list = vg_value_list(&c->e->values, items, rank);
    list.number = 1;
    return list;
}

vg_value vg_call_dim(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    uint32_t axis;
    if (!x || !vg_built_axis(c, 1, vg_node_rank(c->e->graph, x), 0, &axis)) return vg_value_poison();
    return vg_dim_value_of(c->e, vg_shape_dim(&c->e->ir->dims, vg_node_shape(c->e->graph, x), axis));
}

vg_value vg_call_rank(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    return x ? vg_value_number(vg_node_rank(c->e->graph, x)) : vg_value_poison();
}

vg_value vg_call_size(const vg_built_call *c) {
    vg_node x = vg_built_tensor(c, 0);
    if (!x) return vg_value_poison();
    return vg_dim_value_of(c->e, vg_shape_size(&c->e->ir->dims, vg_node_shape(c->e->graph, x)));
}

/* ---- constants */

static vg_value fill(const vg_built_call *c, double value) {
    vg_shape shape;
    if (!vg_to_shape(c->e, c->a[0], vg_built_span(c, 0), &shape)) return vg_value_poison();
    return tensor(vg_build_fill(c->e->graph, shape, value, VG_F32));
}

vg_value vg_call_zeros(const vg_built_call *c) { return fill(c, 0); }
vg_value vg_call_ones(const vg_built_call *c) { return fill(c, 1); }

vg_value vg_call_full(const vg_built_call *c) {
    vg_shape shape;
    if (c->a[1].kind == VG_V_number) return fill(c, c->a[1].number);
    vg_node value = vg_built_tensor(c, 1);
    if (!value || !vg_to_shape(c->e, c->a[0], vg_built_span(c, 0), &shape)) return vg_value_poison();
    return tensor(vg_build_broadcast(c->e->graph, value, shape));
}

static vg_node iota(const vg_built_call *c, uint32_t k) {
    vg_dim count;
    if (!vg_to_dim(c->e, c->a[k], "how many", vg_built_span(c, k), &count)) return 0;
    vg_word word[1] = { count };
    return vg_emit(c->e->graph, VG_OP_iota, NULL, 0, words(c, word, 1));
}

vg_value vg_call_arange(const vg_built_call *c) { return tensor(iota(c, 0)); }

vg_value vg_call_eye(const vg_built_call *c) {
    vg_node row = iota(c, 0);
    if (!row) return vg_value_poison();
    vg_node same = vg_build_map2(c->e->graph, VG_OP_eq, insert_axis(c, row, 1), insert_axis(c, row, 0));
    return tensor(vg_build_float(c->e->graph, same));
}

vg_value vg_call_one_hot(const vg_built_call *c) {
    vg_graph *graph = c->e->graph;
    const vg_node i = vg_to_tensor(c->e, c->a[0], true, vg_built_span(c, 0)), row = iota(c, 1);
    if (!i || !row) return vg_value_poison();
    if (vg_node_dtype(c->e->graph, i) != VG_I32) {
        vg_report(c->e->diags, index_not_integer, vg_built_span(c, 0), c->e->frame->call, "one_hot");
        return vg_value_poison();
    }
    const vg_word words[] = { vg_shape_dim(&c->e->ir->dims, vg_node_shape(graph, row), 0), 0 };      /* width, many */
    const vg_node operands[] = { vg_build_fill(graph, vg_node_shape(graph, i), 1, VG_F32), i };
    return tensor(vg_emit(graph, VG_OP_spread, operands, 2, vg_attr_of(c->e->ir, words, 2)));
}

vg_value vg_call_linspace(const vg_built_call *c) {
    double a, b;
    int64_t count;
    if (!vg_built_number(c, 0, 0, &a) || !vg_built_number(c, 1, 0, &b)) return vg_value_poison();
    if (c->a[2].kind == VG_V_number && c->a[2].number > VG_LIST_LIMIT) {
        vg_report(c->e->diags, limit_list, vg_built_span(c, 2), c->e->frame->call,
                  vg_arena_format(&c->e->arena, "%d", VG_LIST_LIMIT));
        return vg_value_poison();
    }
    if (!vg_value_whole(c->a[2], &count) || count < 1) {
        if (c->a[2].kind != VG_V_poison)
            vg_report(c->e->diags, not_count, vg_built_span(c, 2), c->e->frame->call, "the number of points",
                      vg_value_found(c->e, c->a[2]));
        return vg_value_poison();
    }
    double *elements = VG_ARRAY(&c->e->ir->arena, double, count);
    for (int64_t k = 0; k < count; k++)
        elements[k] = k == count - 1 && k ? b : a + (b - a) * (double)k / (double)(count > 1 ? count - 1 : 1);
    vg_dim dims[1] = { vg_dim_number(&c->e->ir->dims, count) };
    vg_shape shape = vg_shape_of(&c->e->ir->dims, dims, 1);
    return tensor(vg_build_constant(c->e->graph, shape, elements, (uint64_t)count, VG_F32));
}
