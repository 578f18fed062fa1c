/* Sizes of convolutions, and how they are cut (conv.h). */
#include "run/conv.h"

#include "run/product.h"

enum { STRIPS_BYTES = 128 << 10 };      /* half of a small second-level cache */

static int64_t clamp(int64_t count, int64_t least, int64_t most) {
    return count > most ? most : count < least ? least : count;
}
static int64_t quotient_up(int64_t count, int64_t by) { return (count + by - 1) / by; }

/* Lines beyond a block's own that its windows reach. */
static int64_t beyond(const vg_conv *c) { return (vg_window_span(&c->window, 0) - 1) / c->window.stride[0]; }

/* Channels as deep as a product goes at once, then as many rows as fit. */
static void cut_result(vg_conv *c, int64_t line) {
    const int64_t taps = c->window.kernel[0] * c->window.kernel[1];
    c->channels = clamp(VG_PRODUCT_DEPTH / taps, 1, c->inputs);
    c->block = clamp(STRIPS_BYTES / (c->channels * line) - beyond(c), 1, c->rows);
    c->together = 1;
}

/* Few channels of several images, as joining the lanes of a sum costs as much as some vectors of pixels. */
static void cut_filter(vg_conv *c, int64_t line) {
    enum { ENOUGH = 1024 };      /* pixels */
    const int64_t channel = (c->rows + beyond(c)) * line;
    const int64_t wanted = clamp(quotient_up(ENOUGH, c->rows * c->columns), 1, c->images);
    c->channels = clamp(STRIPS_BYTES / (wanted * channel), 1, c->inputs);
    c->together = clamp(STRIPS_BYTES / (c->channels * channel), 1, c->images);
    c->block = channel > STRIPS_BYTES ? clamp(STRIPS_BYTES / line - beyond(c), 1, c->rows) : c->rows;
}

/* The windows of some rows as they are, for products: a strided adjoint by the images. */
static void cut_windows(vg_conv *c, uint32_t real) {
    c->block = clamp(STRIPS_BYTES / (c->depth * c->columns * real), 1, c->rows);
    c->strips_at = vg_product_scratch(c->depth, c->block * c->columns, c->outputs, real);
    c->strips_at = (c->strips_at + 63) / 64 * 64;
    c->scratch = c->strips_at + (uint64_t)(c->depth * c->block * c->columns) * real;
}

/* Where in the scratch `count` elements lie. */
static uint64_t take(vg_conv *c, int64_t count, uint64_t size) {
    const uint64_t at = c->scratch;
    c->scratch += ((uint64_t)count * size + 63) / 64 * 64;
    return at;
}

static void lay_out(vg_conv *c, vg_op op, uint32_t real) {
    const vg_window *w = &c->window;
    const int64_t cache_line = 64 / real, taps = w->kernel[0] * w->kernel[1];
    c->lines = c->block + beyond(c);
    /* An odd number of cache lines, so that planes do not meet in the same sets. */
    c->plane = (quotient_up(c->lines * c->columns, cache_line) | 1) * cache_line;
    c->masked = w->stride[0] == 1 && w->stride[1] == 1 && c->width == c->columns;
    c->places_at = take(c, c->channels * taps, sizeof(int64_t));
    if (c->masked) c->masks_at = take(c, quotient_up(c->rows, c->block) * w->kernel[1] * c->plane, real);
    c->strips_at = take(c, c->together * c->channels * w->kernel[1] * c->phases * c->plane + VG_PRODUCT_COLUMNS, real);
    if (op == VG_OP_conv2d_filter) c->tails_at = take(c, c->together * c->outputs * VG_PRODUCT_COLUMNS, real);
    else c->filters_at = take(c, c->groups * (c->outputs + VG_PRODUCT_ROWS) * c->depth, real);
}

/* The convolution of the result's adjoint that gives the images'. */
static void turn(vg_conv *c) {
    const vg_conv own = *c;
    for (int axis = 0; axis < 2; axis++)
        c->window.before[axis] = vg_window_span(&c->window, axis) - 1 - c->window.before[axis];
    c->inputs = own.outputs;
    c->outputs = own.inputs;
    c->height = own.rows;
    c->width = own.columns;
    c->rows = own.height;
    c->columns = own.width;
    c->depth = c->inputs * c->window.kernel[0] * c->window.kernel[1];
    c->turned = true;
}

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
    c.all = result->dims[1] / c.groups;
    c.first = c.all > c.outputs ? work->from : 0;
    if (images->count == 0 || filters->count == 0 || result->count == 0) return c;      /* nothing to sum */
    const bool strided = w->stride[0] > 1 || w->stride[1] > 1;
    if (op == VG_OP_conv2d_input && strided) {
        cut_windows(&c, real);
        return c;
    }
    if (op == VG_OP_conv2d_input) turn(&c);
    c.phases = clamp(vg_window_span(w, 0), 1, w->stride[0]);
    const int64_t line = w->kernel[1] * c.phases * c.columns * real;      /* bytes, of one channel */
    if (op == VG_OP_conv2d_filter) cut_filter(&c, line);
    else cut_result(&c, line);
    lay_out(&c, op, real);
    return c;
}
