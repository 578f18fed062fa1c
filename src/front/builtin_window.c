/* Library functions on images [n, channels, height, width]: convolution and pooling. As PyTorch's; pad = "same" as
 * TensorFlow's: ceil(length / stride) windows, the odd element of padding at the end. */
#include <string.h>

#include "front/builtin.h"
#include "ir/build.h"
#include "ir/window.h"

static vg_value tensor(vg_node node) { return vg_value_tensor(node); }

/* A whole number of at least `least`, or a pair of them, for height and width. */
static bool pair(const vg_built_call *c, uint32_t k, vg_value value, int64_t least, int64_t out[2]) {
    const vg_values *values = &c->e->values;
    const bool list = value.kind == VG_V_list && vg_list_count(values, value) == 2;
    for (uint32_t axis = 0; axis < 2; axis++) {
        const vg_value item = list ? vg_list_item(values, value, axis) : value;
        if (item.kind == VG_V_poison) return false;
        if (vg_value_whole(item, &out[axis]) && out[axis] >= least && out[axis] <= INT32_MAX) continue;
        const bool many = item.kind == VG_V_list && vg_list_count(values, item) != 2;
        if (least == 0)
            vg_report(c->e->diags, window_pad, vg_built_span(c, k), c->e->frame->call, vg_value_found(c->e, item));
        else
            vg_report(c->e->diags, window_argument, vg_built_span(c, k), c->e->frame->call,
                      many ? vg_arena_format(&c->e->arena, "a list of %u", vg_list_count(values, item))
                           : vg_value_found(c->e, item));
        return false;
    }
    return true;
}

static bool optional_pair(const vg_built_call *c, uint32_t k, int64_t fallback, int64_t out[2]) {
    out[0] = out[1] = fallback;
    return c->a[k].kind == VG_V_absent || pair(c, k, c->a[k], 1, out);
}

/* pad = "same": as much as ceil(length / stride) windows need. */
static bool pad_same(const vg_built_call *c, uint32_t k, vg_node images, vg_window *window) {
    const vg_dims *dims = &c->e->ir->dims;
    const vg_shape shape = vg_node_shape(c->e->graph, images);
    for (uint32_t axis = 0; axis < 2; axis++) {
        const vg_dim dim = vg_shape_dim(dims, shape, 2 + axis);
        int64_t length;
        if (!vg_dim_is_number(dims, dim, &length)) {
            vg_report(c->e->diags, window_same, vg_built_span(c, k), c->e->frame->call, vg_shape_shown(c->e, shape));
            return false;
        }
        const int64_t stride = window->stride[axis], windows = (length + stride - 1) / stride;
        const int64_t lacks = (windows - 1) * stride + vg_window_span(window, (int)axis) - length;
        window->before[axis] = lacks > 0 ? lacks / 2 : 0;
        window->behind[axis] = lacks > 0 ? lacks - lacks / 2 : 0;
    }
    return true;
}

/* pad: "same", a number, [of height, of width], or [[top, bottom], [left, right]]. */
static bool padding(const vg_built_call *c, uint32_t k, vg_node images, vg_window *window) {
    vg_elaborator *e = c->e;
    const vg_value value = c->a[k];
    if (value.kind == VG_V_absent) return true;
    if (value.kind == VG_V_string && strcmp(vg_text_of(e, value.id), "same") == 0)
        return pad_same(c, k, images, window);
    const bool nested = value.kind == VG_V_list && vg_list_count(&e->values, value) == 2 &&
                        vg_list_item(&e->values, value, 0).kind == VG_V_list;
    for (uint32_t axis = 0; nested && axis < 2; axis++) {
        int64_t sides[2];
        if (!pair(c, k, vg_list_item(&e->values, value, axis), 0, sides)) return false;
        window->before[axis] = sides[0];
        window->behind[axis] = sides[1];
    }
    if (nested) return true;
    if (!pair(c, k, value, 0, window->before)) return false;
    memcpy(window->behind, window->before, sizeof window->behind);
    return true;
}

/* Four axes; what is wrong is said by the operator's own rule where a window is worked out, before it by this. */
static bool is_images(const vg_built_call *c, vg_node node) {
    if (vg_node_rank(c->e->graph, node) == 4) return true;
    vg_report(c->e->diags, window_rank, c->span, c->e->frame->call, vg_builtin_rows[c->row].name,
              "images [n, channels, height, width]",
              vg_shape_shown(c->e, vg_node_shape(c->e->graph, node)));
    vg_shape_explain(c->e->graph, &node, 1);
    return false;
}

/* A kernel's height and width. */
vg_value vg_call_pair(const vg_built_call *c) {
    int64_t both[2];
    if (!pair(c, 0, c->a[0], 1, both)) return vg_value_poison();
    const vg_value items[2] = { vg_value_number((double)both[0]), vg_value_number((double)both[1]) };
    return vg_value_list(&c->e->values, items, 2);
}

/* ---- conv2d(x, w, stride, pad, dilation, groups) */

vg_value vg_call_conv2d(const vg_built_call *c) {
    enum { STRIDE = 2, PAD, DILATION, GROUPS };
    vg_elaborator *e = c->e;
    const vg_node nodes[2] = { vg_built_tensor(c, 0), vg_built_tensor(c, 1) };
    vg_window w = { .kernel = { 1, 1 } };
    int64_t groups = 1;
    if (!nodes[0] || !nodes[1] || !is_images(c, nodes[0]) || !is_images(c, nodes[1])) return vg_value_poison();
    for (int axis = 0; axis < 2; axis++)      /* of a filter whose size is no number the operator's rule complains */
        vg_dim_is_number(&e->ir->dims, vg_shape_dim(&e->ir->dims, vg_node_shape(e->graph, nodes[1]), 2 + (uint32_t)axis),
                         &w.kernel[axis]);
    if (!optional_pair(c, STRIDE, 1, w.stride) || !optional_pair(c, DILATION, 1, w.dilation)) return vg_value_poison();
    if (!padding(c, PAD, nodes[0], &w)) return vg_value_poison();
    const vg_value number = c->a[GROUPS];
    if (number.kind == VG_V_poison) return number;
    if (number.kind != VG_V_absent && (!vg_value_whole(number, &groups) || groups < 1)) {
        vg_report(e->diags, not_count, vg_built_span(c, GROUPS), e->frame->call, "groups", vg_value_found(c->e, number));
        return vg_value_poison();
    }
    const vg_word words[VG_CONV_WORDS] = {
        (vg_word)w.stride[0], (vg_word)w.stride[1], (vg_word)w.dilation[0], (vg_word)w.dilation[1],
        (vg_word)w.before[0], (vg_word)w.behind[0], (vg_word)w.before[1], (vg_word)w.behind[1], (vg_word)groups
    };
    vg_here(e, c->span);
    return tensor(vg_emit(e->graph, VG_OP_conv2d, nodes, 2, vg_attr_of(e->ir, words, VG_CONV_WORDS)));
}

/* ---- poolings (x, k, stride = k, pad = 0) */

static bool pool_words(const vg_built_call *c, vg_node images, vg_word words[VG_POOL_WORDS]) {
    enum { KERNEL = 1, STRIDE, PAD };
    vg_window w = { .dilation = { 1, 1 } };
    if (!is_images(c, images) || !pair(c, KERNEL, c->a[KERNEL], 1, w.kernel)) return false;
    memcpy(w.stride, w.kernel, sizeof w.stride);
    if (c->a[STRIDE].kind != VG_V_absent && !pair(c, STRIDE, c->a[STRIDE], 1, w.stride)) return false;
    if (!padding(c, PAD, images, &w)) return false;
    for (uint32_t axis = 0; axis < 2; axis++) {
        words[axis] = (vg_word)w.kernel[axis];
        words[2 + axis] = (vg_word)w.stride[axis];
        words[4 + 2 * axis] = (vg_word)w.before[axis];
        words[5 + 2 * axis] = (vg_word)w.behind[axis];
    }
    vg_here(c->e, c->span);
    return true;
}

vg_value vg_call_max_pool2d(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_word words[VG_POOL_WORDS];
    const vg_node x = vg_built_tensor(c, 0);
    if (!x || !pool_words(c, x, words)) return vg_value_poison();
    const vg_node images = vg_build_float(e->graph, x);
    return tensor(vg_emit(e->graph, VG_OP_pool_max, &images, 1, vg_attr_of(e->ir, words, VG_POOL_WORDS)));
}

vg_value vg_call_avg_pool2d(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_word words[VG_POOL_WORDS];
    const vg_node x = vg_built_tensor(c, 0);
    if (!x || !pool_words(c, x, words)) return vg_value_poison();
    const vg_node sum = vg_emit(e->graph, VG_OP_pool_sum, &x, 1, vg_attr_of(e->ir, words, VG_POOL_WORDS));
    return tensor(vg_build_map2(e->graph, VG_OP_div, sum, sum ? vg_build_scalar(e->graph, (double)(words[0] * words[1])) : 0));
}
