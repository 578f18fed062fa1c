/* Sizes of convolutions (conv.h). */
#include "run/conv.h"

enum { BLOCK_BYTES = 128 << 10 };      /* of unfolded windows: half of a small second-level cache */

vg_conv vg_conv_of(vg_op op, const vg_work *work, uint32_t real) {
    const vg_view *images = op == VG_OP_conv2d_input ? work->out : &work->in[0];
    const vg_view *filters = op == VG_OP_conv2d_filter ? work->out : &work->in[1];
    const vg_view *result = op == VG_OP_conv2d ? work->out : &work->in[op == VG_OP_conv2d_input ? 0 : 1];
    const uint64_t *words = work->words + (op == VG_OP_conv2d ? 0 : 1);      /* behind the shape */
    vg_conv c = {
        .window = vg_window_of_conv(words, filters->dims[2], filters->dims[3]),
        .images = images->dims[0], .groups = (int64_t)words[8],
        .inputs = filters->dims[1], .outputs = filters->dims[0] / (int64_t)words[8],
        .height = images->dims[2], .width = images->dims[3],
        .rows = result->dims[2], .columns = result->dims[3]
    };
    const vg_window *w = &c.window;
    c.depth = c.inputs * w->kernel[0] * w->kernel[1];
    c.direct = true;
    for (int axis = 0; axis < 2; axis++)
        c.direct = c.direct && w->kernel[axis] == 1 && w->stride[axis] == 1 && w->before[axis] == 0 && w->behind[axis] == 0;
    const int64_t row = c.depth * c.columns * real, fit = row > 0 ? BLOCK_BYTES / row : c.rows;
    c.block = c.direct || fit > c.rows ? c.rows : fit < 1 ? 1 : fit;
    return c;
}

int64_t vg_conv_scratch(const vg_conv *c) { return c->direct ? 0 : c->depth * c->block * c->columns; }
