/* Convolutions and their adjoints as products: the windows of some rows of the result are unfolded side by side
 * (im2col; Chellapilla, Puri, Simard 2006) into a buffer that stays in cache, and one product takes them all.
 *
 *   filters [outputs, depth] @ windows [depth, block * columns] -> result [outputs, block * columns]
 *
 * The order of all sums depends on the shapes alone. */
#include "run/kernel_real.h"

#include "run/blas.h"
#include "run/conv.h"

/* One group of one image, and the rows of the result at work. */
typedef struct part { const vg_conv *conv; int64_t first, rows; } part;

/* Places [from, to) of a result's row whose element `start + place * stride` lies within an image's row. */
static void inside(int64_t start, int64_t stride, int64_t width, int64_t columns, int64_t *from, int64_t *to) {
    *from = start < 0 ? (-start + stride - 1) / stride : 0;
    *to = start < width ? (width - 1 - start) / stride + 1 : 0;
    if (*from > columns) *from = columns;
    if (*to > columns) *to = columns;
    if (*to < *from) *to = *from;
}

/* What one element (channel, ky, kx) of the filters sees: a line [rows, columns] of the unfolded windows. */
typedef void (*each_row)(vg_real *line, vg_real *image, int64_t start, const vg_conv *c);

static void read_row(vg_real *line, vg_real *image, int64_t start, const vg_conv *c) {
    int64_t from = c->columns, to = c->columns;
    const int64_t stride = c->window.stride[1];
    if (image) inside(start, stride, c->width, c->columns, &from, &to);
    for (int64_t x = 0; x < from; x++) line[x] = 0;
    if (stride == 1 && to > from) memcpy(line + from, image + (start + from), (size_t)(to - from) * sizeof *line);
    else for (int64_t x = from; x < to; x++) line[x] = image[start + x * stride];
    for (int64_t x = to; x < c->columns; x++) line[x] = 0;
}

static void add_row(vg_real *line, vg_real *image, int64_t start, const vg_conv *c) {
    int64_t from, to;
    const int64_t stride = c->window.stride[1];
    if (image == NULL) return;
    inside(start, stride, c->width, c->columns, &from, &to);
    if (stride == 1) {
        VG_INDEPENDENT for (int64_t x = from; x < to; x++) image[start + x] += line[x];
    } else {
        for (int64_t x = from; x < to; x++) image[start + x * stride] += line[x];
    }
}

/* Goes through windows [depth, rows * columns] and the image [inputs, height, width] that they see, row by row;
 * where a row lies in the padding, it is NULL. */
static void unfold(const part *p, vg_real *windows, vg_real *image, each_row row) {
    const vg_conv *c = p->conv;
    const vg_window *w = &c->window;
    for (int64_t channel = 0; channel < c->inputs; channel++)
        for (int64_t ky = 0; ky < w->kernel[0]; ky++)
            for (int64_t kx = 0; kx < w->kernel[1]; kx++) {
                const int64_t start = kx * w->dilation[1] - w->before[1];
                for (int64_t r = 0; r < p->rows; r++, windows += c->columns) {
                    const int64_t y = (p->first + r) * w->stride[0] + ky * w->dilation[0] - w->before[0];
                    const bool in = y >= 0 && y < c->height;
                    row(windows, in ? image + (channel * c->height + y) * c->width : NULL, start, c);
                }
            }
}

/* ---- the three products of one part; result: [outputs, rows * columns] of the whole, from the part's first row on */

typedef struct operands { vg_real *images, *filters, *result; } operands;
typedef void (*product)(const part *p, const operands *at, vg_real *windows, bool again);

static void forward(const part *p, const operands *at, vg_real *windows, bool again) {
    const vg_conv *c = p->conv;
    const int64_t count = p->rows * c->columns, pixels = c->rows * c->columns;
    (void)again;
    if (c->direct) windows = at->images;
    else unfold(p, windows, at->images, read_row);
    VG_PRECISE(vg_blas_multiply)(false, false, c->outputs, count, c->depth, at->filters, c->depth, windows, count, false,
                                 at->result, pixels);
}

static void by_input(const part *p, const operands *at, vg_real *windows, bool again) {
    const vg_conv *c = p->conv;
    const int64_t count = p->rows * c->columns, pixels = c->rows * c->columns;
    (void)again;
    if (c->direct) windows = at->images;
    VG_PRECISE(vg_blas_multiply)(true, false, c->depth, count, c->outputs, at->filters, c->depth, at->result, pixels,
                                 false, windows, count);
    if (!c->direct) unfold(p, windows, at->images, add_row);
}

/* again: the filters' adjoint holds the sum of the parts before. */
static void by_filter(const part *p, const operands *at, vg_real *windows, bool again) {
    const vg_conv *c = p->conv;
    const int64_t count = p->rows * c->columns, pixels = c->rows * c->columns;
    if (c->direct) windows = at->images;
    else unfold(p, windows, at->images, read_row);
    VG_PRECISE(vg_blas_multiply)(false, true, c->outputs, c->depth, count, at->result, pixels, windows, count, again,
                                 at->filters, c->depth);
}

static void convolve(const vg_work *work, vg_op op, const vg_view *images, const vg_view *filters,
                     const vg_view *result, product multiply) {
    const vg_conv c = vg_conv_of(op, work, sizeof(vg_real));
    vg_real *const windows = work->context->scratch;
    const int64_t pixels = c.rows * c.columns, area = c.height * c.width;
    const bool sums = op == VG_OP_conv2d_input ? !c.direct : images->count == 0 || result->count == 0;
    if (sums) memset(work->out->data, 0, (size_t)work->out->count * sizeof(vg_real));
    if (images->count == 0 || result->count == 0 || filters->count == 0) return;
    for (int64_t n = 0; n < c.images; n++)
        for (int64_t g = 0; g < c.groups; g++) {
            const int64_t group = n * c.groups + g;
            for (int64_t first = 0; first < c.rows; first += c.block) {
                const part p = { &c, first, c.rows - first < c.block ? c.rows - first : c.block };
                const operands at = { (vg_real *)images->data + group * c.inputs * area,
                                      (vg_real *)filters->data + g * c.outputs * c.depth,
                                      (vg_real *)result->data + group * c.outputs * pixels + first * c.columns };
                multiply(&p, &at, windows, n > 0 || first > 0);
            }
        }
}

void VG_KERNEL(conv2d)(const vg_work *work) {
    convolve(work, VG_OP_conv2d, &work->in[0], &work->in[1], work->out, forward);
}

void VG_KERNEL(conv2d_input)(const vg_work *work) {
    convolve(work, VG_OP_conv2d_input, work->out, &work->in[1], &work->in[0], by_input);
}

void VG_KERNEL(conv2d_filter)(const vg_work *work) {
    convolve(work, VG_OP_conv2d_filter, &work->in[0], work->out, &work->in[1], by_filter);
}
