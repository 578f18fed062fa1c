/* Shape rules of the convolutions and poolings. Height and width must be numbers: how many windows fit is a division
 * that rounds down, which dimensions known only by name do not have. */
#include "ir/emit.h"
#include "ir/window.h"

enum { LONGEST = 1 << 24 };      /* of a kernel, a stride, a dilation, a padding */

/* As a person wrote it. */
static const char *called(const vg_infer *infer) {
    const vg_op op = infer->draft->op;
    return op == VG_OP_pool_max ? "max_pool2d" : op == VG_OP_pool_sum ? "avg_pool2d" : vg_op_rows[op].name;
}

static bool words_fit(const vg_infer *infer, const vg_word *words, uint32_t count, uint32_t positive) {
    for (uint32_t k = 0; k < count; k++) {
        if (words[k] <= LONGEST && (words[k] > 0 || k >= positive)) continue;
        vg_reject(infer, window_number, called(infer), vg_infer_number_text(infer, (int64_t)words[k]),
                  vg_infer_number_text(infer, LONGEST));
        return false;
    }
    return true;
}

/* The lengths of the last two axes. */
static bool lengths_of(const vg_infer *infer, vg_shape shape, int64_t lengths[2]) {
    vg_dim list[VG_RANK_LIMIT];
    vg_shape_list(&infer->ir->dims, shape, list);
    for (int axis = 0; axis < 2; axis++) {
        if (vg_dim_is_number(&infer->ir->dims, list[2 + axis], &lengths[axis])) continue;
        vg_reject(infer, window_open, called(infer), vg_infer_dim_text(infer, list[2 + axis]),
                  vg_infer_shape_text(infer, shape));
        return false;
    }
    return true;
}

/* The windows along both axes of an image; where none fits it is reported. */
static bool count_windows(const vg_infer *infer, const vg_window *window, const int64_t lengths[2], int64_t counts[2]) {
    for (int axis = 0; axis < 2; axis++) {
        counts[axis] = vg_window_count(window, axis, lengths[axis]);
        if (counts[axis] > 0) continue;
        vg_reject(infer, window_large, vg_infer_number_text(infer, vg_window_span(window, axis)),
                  axis ? "width" : "height", vg_infer_number_text(infer, lengths[axis]),
                  vg_infer_number_text(infer, window->before[axis] + window->behind[axis]));
        return false;
    }
    return true;
}

static bool has_rank_4(const vg_infer *infer, vg_shape shape) {
    if (vg_shape_rank(&infer->ir->dims, shape) == 4) return true;
    const vg_op op = infer->draft->op;
    const bool pools = op == VG_OP_pool_max || op == VG_OP_pool_sum;
    vg_reject(infer, window_rank, called(infer),
              pools ? "images [n, channels, height, width]"
                    : "images [n, channels, height, width] and filters [out, in, height, width]",
              vg_infer_shape_text(infer, shape));
    vg_infer_explain(infer);
    return false;
}

/* ---- convolutions */

static bool channels_fit(const vg_infer *infer, vg_shape images, vg_shape filters, int64_t groups) {
    vg_dims *dims = &infer->ir->dims;
    const vg_dim have = vg_shape_dim(dims, images, 1), each = vg_shape_dim(dims, filters, 1);
    const vg_dim parts = vg_dim_number(dims, groups);
    if (vg_dim_multiply(dims, each, parts) != have) {
        vg_reject(infer, conv_channels, vg_infer_shape_text(infer, images), vg_infer_shape_text(infer, filters),
                  vg_infer_dim_text(infer, have), vg_infer_dim_text(infer, each), vg_infer_number_text(infer, groups));
        vg_infer_explain(infer);
        return false;
    }
    if (vg_dim_divide(dims, vg_shape_dim(dims, filters, 0), parts)) return true;
    vg_reject(infer, conv_groups, vg_infer_dim_text(infer, vg_shape_dim(dims, filters, 0)),
              vg_infer_number_text(infer, groups));
    return false;
}

/* The shape of conv2d(images, filters); 0 after reporting. */
static vg_shape convolved(const vg_infer *infer, vg_shape images, vg_shape filters, const vg_word *words) {
    vg_dims *dims = &infer->ir->dims;
    int64_t lengths[2], kernel[2], counts[2];
    if (!has_rank_4(infer, images) || !has_rank_4(infer, filters)) return 0;
    if (!words_fit(infer, words, 4, 4) || !words_fit(infer, words + 4, 4, 0) || !words_fit(infer, words + 8, 1, 1))
        return 0;
    if (!channels_fit(infer, images, filters, (int64_t)words[8])) return 0;
    if (!lengths_of(infer, images, lengths) || !lengths_of(infer, filters, kernel)) return 0;
    if (kernel[0] < 1 || kernel[1] < 1) {
        vg_reject(infer, window_number, called(infer), "0", vg_infer_number_text(infer, LONGEST));
        return 0;
    }
    const vg_window window = vg_window_of_conv(words, kernel[0], kernel[1]);
    if (!count_windows(infer, &window, lengths, counts)) return 0;
    const vg_dim list[4] = { vg_shape_dim(dims, images, 0), vg_shape_dim(dims, filters, 0),
                             vg_dim_number(dims, counts[0]), vg_dim_number(dims, counts[1]) };
    return vg_shape_of(dims, list, 4);
}

/* Both operands are float. */
static bool floats(const vg_infer *infer) {
    for (uint32_t k = 0; k < infer->draft->count; k++)
        if (!vg_infer_want(infer, k, VG_F32)) return false;
    return true;
}

bool vg_infer_conv2d(vg_infer *infer) {
    if (!floats(infer)) return false;
    const vg_shape shape = convolved(infer, vg_infer_shape(infer, 0), vg_infer_shape(infer, 1), infer->words);
    return shape && vg_infer_result(infer, shape, VG_F32);
}

/* An adjoint has the shape that the convolution gives; it comes from a gradient rule, so a person never sees this. */
static bool adjoint_fits(vg_infer *infer, vg_shape expected, uint32_t adjoint) {
    if (!expected) return false;
    if (expected == vg_infer_shape(infer, adjoint)) return vg_infer_result(infer, (vg_shape)infer->words[0], VG_F32);
    vg_reject(infer, operand_unfit, vg_op_sign(infer->draft->op), vg_infer_type_text(infer, adjoint));
    return false;
}

bool vg_infer_conv2d_input(vg_infer *infer) {
    const vg_shape images = (vg_shape)infer->words[0];
    return floats(infer) && adjoint_fits(infer, convolved(infer, images, vg_infer_shape(infer, 1), infer->words + 1), 0);
}

bool vg_infer_conv2d_filter(vg_infer *infer) {
    const vg_shape filters = (vg_shape)infer->words[0];
    return floats(infer) && adjoint_fits(infer, convolved(infer, vg_infer_shape(infer, 0), filters, infer->words + 1), 1);
}

/* ---- poolings */

/* No window may lie in the padding alone: it would have no largest element. */
static bool padding_fits(const vg_infer *infer, const vg_window *window) {
    for (int axis = 0; axis < 2; axis++) {
        if (window->before[axis] < window->kernel[axis] && window->behind[axis] < window->kernel[axis]) continue;
        vg_reject(infer, pool_padding, vg_infer_number_text(infer, window->kernel[axis]));
        return false;
    }
    return true;
}

static vg_shape pooled(const vg_infer *infer, vg_shape images, const vg_word *words) {
    vg_dims *dims = &infer->ir->dims;
    int64_t lengths[2], counts[2];
    if (!has_rank_4(infer, images)) return 0;
    if (!words_fit(infer, words, 4, 4) || !words_fit(infer, words + 4, 4, 0)) return 0;
    const vg_window window = vg_window_of_pool(words);
    if (!lengths_of(infer, images, lengths) || !padding_fits(infer, &window) ||
        !count_windows(infer, &window, lengths, counts)) return 0;
    vg_dim list[VG_RANK_LIMIT];
    vg_shape_list(dims, images, list);
    for (int axis = 0; axis < 2; axis++) list[2 + axis] = vg_dim_number(dims, counts[axis]);
    return vg_shape_of(dims, list, 4);
}

bool vg_infer_pool_argmax(vg_infer *infer) {
    if (!floats(infer)) return false;
    const vg_shape shape = pooled(infer, vg_infer_shape(infer, 0), infer->words);
    return shape && vg_infer_result(infer, shape, VG_I32);
}

bool vg_infer_pool_max(vg_infer *infer) {
    return vg_infer_pool_sum(infer);
}

bool vg_infer_pool_max_input(vg_infer *infer) {
    if (!floats(infer)) return false;
    const vg_shape images = vg_infer_shape(infer, 0), expected = pooled(infer, images, infer->words);
    if (!expected) return false;
    if (expected == vg_infer_shape(infer, 1)) return vg_infer_result(infer, images, VG_F32);
    vg_reject(infer, operand_unfit, vg_op_sign(infer->draft->op), vg_infer_type_text(infer, 1));
    return false;
}

bool vg_infer_pool_sum(vg_infer *infer) {
    if (!floats(infer)) return false;
    const vg_shape shape = pooled(infer, vg_infer_shape(infer, 0), infer->words);
    return shape && vg_infer_result(infer, shape, VG_F32);
}

bool vg_infer_pool_spread(vg_infer *infer) {
    return floats(infer) && adjoint_fits(infer, pooled(infer, (vg_shape)infer->words[0], infer->words + 1), 0);
}
