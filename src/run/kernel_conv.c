/* Convolutions and their adjoints (conv.h): the images copied into strips, and what the sums over them are of. The
 * order of all sums depends on the shapes alone. */
#include "run/kernel_real.h"

#include "run/conv.h"
#include "run/micro.h"

/* Places [from, to) of a result's row whose element `start + place * stride` lies within an image's row. */
static void inside(int64_t start, int64_t stride, int64_t width, int64_t columns, int64_t *from, int64_t *to) {
    *from = start < 0 ? (-start + stride - 1) / stride : 0;
    *to = start < width ? (width - 1 - start) / stride + 1 : 0;
    if (*from > columns) *from = columns;
    if (*to > columns) *to = columns;
    if (*to < *from) *to = *from;
}

/* Of so few elements that a call of memcpy would cost as much: aligned where it is written when they are many; the last
 * vector overlaps the one before. */
static inline void copy(vg_real *to, const vg_real *from, int64_t count) {
    enum { MANY = 4 * VG_MICRO_LANES };
    const int64_t off = (int64_t)((uintptr_t)to % VG_VECTOR_BYTES / sizeof *to);
    const int64_t head = count < VG_MICRO_LANES ? count : count >= MANY && off > 0 ? VG_MICRO_LANES - off : 0;
    for (int64_t k = 0; k < head; k++) to[k] = from[k];
    for (int64_t k = head; k < count; k += VG_MICRO_LANES) {
        const int64_t at = k + VG_MICRO_LANES > count ? count - VG_MICRO_LANES : k;
        *(vg_loose *)(to + at) = *(const vg_loose *)(from + at);
    }
}

/* What one place across the filters sees of a row, which is NULL where it lies in the padding. */
static void read_row(vg_real *line, const vg_real *row, int64_t start, const vg_conv *c) {
    int64_t from = c->columns, to = c->columns;
    const int64_t stride = c->window.stride[1];
    if (row) inside(start, stride, c->width, c->columns, &from, &to);
    for (int64_t x = 0; x < from; x++) line[x] = 0;
    if (stride == 1 && to > from) copy(line + from, row + (start + from), to - from);
    else for (int64_t x = from; x < to; x++) line[x] = row[start + x * stride];
    for (int64_t x = to; x < c->columns; x++) line[x] = 0;
}

/* ---- strips */

/* The lines of a plane that are rows `top + line` of an image as wide as the result: one copy of them all, shifted by
 * `start`, where what came from the rows beside is padding. */
static void read_plane(vg_real *plane, const vg_real *image, int64_t top, int64_t start, const vg_conv *c) {
    const int64_t width = c->width, size = c->height * width, all = c->lines * width;
    int64_t from, to, left, right;
    inside(top * width + start, 1, size, all, &from, &to);
    for (int64_t k = 0; k < from; k++) plane[k] = 0;
    copy(plane + from, image + (top * width + start + from), to - from);
    for (int64_t k = to; k < all; k++) plane[k] = 0;
    inside(start, 1, width, width, &left, &right);
    for (int64_t x = 0; x < left; x++)
        for (int64_t line = 0; line < c->lines; line++) plane[line * width + x] = 0;
    for (int64_t x = right; x < width; x++)
        for (int64_t line = 0; line < c->lines; line++) plane[line * width + x] = 0;
}

/* Where planes have elements of the image: all ones; where they have padding: 0. masks [blocks, kernel width, plane]. */
static void find_masks(const vg_conv *c, vg_lane *mask) {
    const vg_window *w = &c->window;
    for (int64_t first = 0; first < c->rows; first += c->block)
        for (int64_t kx = 0; kx < w->kernel[1]; kx++, mask += c->plane) {
            int64_t left, right, top, bottom;
            inside(kx * w->dilation[1] - w->before[1], 1, c->width, c->width, &left, &right);
            inside(first - w->before[0], 1, c->height, c->lines, &top, &bottom);
            memset(mask, 0, (size_t)c->plane * sizeof *mask);
            for (int64_t line = top; line < bottom; line++)
                memset(mask + line * c->width + left, -1, (size_t)(right - left) * sizeof *mask);
        }
}

/* The image whose first element is the `at`-th of `count`, each read `shift` further on. What is masked may be another
 * image's, but not what is no image's at all. */
static void read_masked(vg_real *plane, const vg_lane *mask, const vg_real *images, int64_t at, int64_t count,
                        int64_t shift, int64_t size) {
    const int64_t first = at + shift, rounded = (size + VG_MICRO_LANES - 1) / VG_MICRO_LANES * VG_MICRO_LANES;
    int64_t from = 0, to = rounded;
    while (from < to && first + from < 0) from += VG_MICRO_LANES;
    while (to > from && first + to > count) to -= VG_MICRO_LANES;
    for (int64_t k = 0; k < from; k++) plane[k] = mask[k] ? images[first + k] : 0;
    for (int64_t k = from; k < to; k += VG_MICRO_LANES) {
        const vg_vector line = *(const vg_loose *)(images + (first + k));
        *(vg_vector *)(plane + k) = (vg_vector)((vg_lanes)line & *(const vg_lanes *)(mask + k));
    }
    for (int64_t k = to; k < rounded; k++) plane[k] = mask[k] ? images[first + k] : 0;
}

/* Images [.., height, width] that strips are made of, `count` elements in all. */
typedef struct source { const vg_real *images; int64_t count; const vg_lane *masks; } source;

/* strips [channels, kernel width, phases, plane] of the image [channels, height, width] that begins at element `at`, for the
 * result's rows from `first` on. */
static void read_strips(vg_real *strips, const source *from, int64_t at, int64_t channels, int64_t first,
                        const vg_conv *c) {
    const vg_window *w = &c->window;
    const int64_t down = w->stride[0], area = c->height * c->width;
    const bool dense = down == 1 && w->stride[1] == 1 && c->width == c->columns;
    for (int64_t channel = 0; channel < channels; channel++, at += area)
        for (int64_t kx = 0; kx < w->kernel[1]; kx++)
            for (int64_t phase = 0; phase < c->phases; phase++, strips += c->plane) {
                const vg_real *const image = from->images + at;
                const int64_t start = kx * w->dilation[1] - w->before[1];
                const int64_t top = first * down + phase - w->before[0];
                if (c->masked) {
                    read_masked(strips, from->masks + (first / c->block * w->kernel[1] + kx) * c->plane, from->images, at,
                                from->count, top * c->width + start, c->lines * c->width);
                    continue;
                }
                if (dense) {
                    read_plane(strips, image, top, start, c);
                    continue;
                }
                for (int64_t line = 0; line < c->lines; line++) {
                    const int64_t y = top + line * down;
                    const bool in = y >= 0 && y < c->height;
                    read_row(strips + line * c->columns, in ? image + y * c->width : NULL, start, c);
                }
            }
}

/* Where in strips the elements (channel, ky, kx) of the filters see their first pixel. */
static void find_places(const vg_conv *c, int64_t *places) {
    const vg_window *w = &c->window;
    for (int64_t channel = 0; channel < c->channels; channel++)
        for (int64_t ky = 0; ky < w->kernel[0]; ky++)
            for (int64_t kx = 0; kx < w->kernel[1]; kx++) {
                const int64_t down = ky * w->dilation[0], phase = down % w->stride[0];
                const int64_t plane = (channel * w->kernel[1] + kx) * c->phases + phase;
                *places++ = plane * c->plane + down / w->stride[0] * c->columns;
            }
}

/* ---- the result */

/* Tiles [groups, tiles, depth, height] of the filters [groups * outputs, inputs, ...]. Turned, they come from
 * [groups * inputs, outputs, ...], read backwards. */
static void tile_filters(const vg_conv *c, const vg_real *filters, int64_t height, vg_real *to) {
    const int64_t taps = c->window.kernel[0] * c->window.kernel[1];
    for (int64_t g = 0; g < c->groups; g++)
        for (int64_t i = 0; i < c->outputs; i += height)
            for (int64_t channel = 0; channel < c->inputs; channel++)
                for (int64_t tap = 0; tap < taps; tap++)
                    for (int64_t k = i; k < i + height; k++) {
                        const int64_t straight = ((g * c->outputs + k) * c->inputs + channel) * taps + tap;
                        const int64_t turned = ((g * c->inputs + channel) * c->outputs + k + 1) * taps - 1 - tap;
                        *to++ = k < c->outputs ? filters[c->turned ? turned : straight] : 0;
                    }
}

/* What is done with an element when its sum is whole (conv.h). */
typedef struct finish { const vg_real *bias; bool relu; } finish;

static void convolve(const vg_conv *c, const vg_real *images, const vg_real *filters, const finish *end, vg_real *result,
                     char *scratch) {
    int64_t *const places = (int64_t *)(scratch + c->places_at);
    vg_real *const strips = (vg_real *)(scratch + c->strips_at), *const tiles = (vg_real *)(scratch + c->filters_at);
    const int64_t taps = c->window.kernel[0] * c->window.kernel[1], pixels = c->rows * c->columns;
    const int64_t height = VG_VARIANT(vg_conv_tile)(c->outputs), area = c->height * c->width;
    const int64_t tiles_step = (c->outputs + height - 1) / height * height * c->depth;      /* of a group */
    const source from = { images, c->images * c->groups * c->inputs * area, (vg_lane *)(scratch + c->masks_at) };
    find_places(c, places);
    if (c->masked) find_masks(c, (vg_lane *)(scratch + c->masks_at));
    tile_filters(c, filters, height, tiles);
    for (int64_t part = 0; part < c->images * c->groups; part++)
        for (int64_t first = 0; first < c->rows; first += c->block)
            for (int64_t channel = 0; channel < c->inputs; channel += c->channels) {
                const int64_t rows = c->rows - first < c->block ? c->rows - first : c->block;
                const int64_t channels = c->inputs - channel < c->channels ? c->inputs - channel : c->channels;
                read_strips(strips, &from, (part * c->inputs + channel) * area, channels, first, c);
                const bool last = channel + channels == c->inputs;
                const vg_sweep sweep = {
                    .filters = tiles + part % c->groups * tiles_step + channel * taps * height,
                    .height = height, .tile_step = c->depth * height, .outputs = c->outputs, .strips = strips,
                    .places = places, .depth = channels * taps, .pixels = rows * c->columns, .add = channel > 0,
                    .bias = last && end->bias ? end->bias + part % c->groups * c->outputs : NULL,
                    .relu = last && end->relu,
                    .result = result + part * c->outputs * pixels + first * c->columns, .result_step = pixels
                };
                VG_VARIANT(vg_conv_sweep)(&sweep);
            }
}

/* Sums of nothing. */
static void finish_empty(const vg_view *out, const finish *end) {
    const int64_t pixels = vg_extent(out, 2, 4);
    vg_real *to = out->data;
    for (int64_t part = 0; part < vg_extent(out, 0, 2); part++)
        for (int64_t k = 0; k < pixels; k++, to++) {
            const vg_real value = end->bias ? end->bias[part % out->dims[1]] : 0;
            *to = end->relu && value <= 0 ? 0 : value;
        }
}

/* A third operand [channels] is added; a word behind its own that is not 0 asks for relu then. */
void VG_KERNEL(conv2d)(const vg_work *work) {
    const vg_conv c = vg_conv_of(VG_OP_conv2d, work, sizeof(vg_real));
    const finish end = { work->in_count > 2 ? work->in[2].data : NULL,
                         work->word_count > VG_CONV_WORDS && work->words[VG_CONV_WORDS] != 0 };
    if (c.scratch == 0) finish_empty(work->out, &end);
    else convolve(&c, work->in[0].data, work->in[1].data, &end, work->out->data, work->context->scratch);
}

/* ---- by the images, where it is strided: products whose columns are added to what the windows saw */

static void add_row(const vg_real *line, vg_real *row, int64_t start, const vg_conv *c) {
    int64_t from, to;
    const int64_t stride = c->window.stride[1];
    inside(start, stride, c->width, c->columns, &from, &to);
    if (stride == 1) {
        VG_INDEPENDENT for (int64_t x = from; x < to; x++) row[start + x] += line[x];
    } else {
        for (int64_t x = from; x < to; x++) row[start + x * stride] += line[x];
    }
}

/* windows [depth, rows * columns], the result's from row `first` on, into an image [inputs, height, width] */
static void fold(const vg_real *windows, vg_real *image, int64_t first, int64_t rows, const vg_conv *c) {
    const vg_window *w = &c->window;
    for (int64_t channel = 0; channel < c->inputs; channel++)
        for (int64_t ky = 0; ky < w->kernel[0]; ky++)
            for (int64_t kx = 0; kx < w->kernel[1]; kx++)
                for (int64_t r = 0; r < rows; r++, windows += c->columns) {
                    const int64_t y = (first + r) * w->stride[0] + ky * w->dilation[0] - w->before[0];
                    if (y < 0 || y >= c->height) continue;
                    vg_real *const row = image + (channel * c->height + y) * c->width;
                    add_row(windows, row, kx * w->dilation[1] - w->before[1], c);
                }
}

static void convolve_back(const vg_conv *c, const vg_real *adjoint, const vg_real *filters, vg_real *images,
                          char *scratch) {
    vg_real *const windows = (vg_real *)(scratch + c->strips_at);
    const int64_t pixels = c->rows * c->columns, image = c->inputs * c->height * c->width;
    memset(images, 0, (size_t)(c->images * c->groups * image) * sizeof *images);
    for (int64_t part = 0; part < c->images * c->groups; part++)
        for (int64_t first = 0; first < c->rows; first += c->block) {
            const int64_t rows = c->rows - first < c->block ? c->rows - first : c->block, count = rows * c->columns;
            const vg_product product = {
                .ta = true, .m = c->depth, .n = count, .k = c->outputs,
                .a = filters + part % c->groups * c->outputs * c->depth, .lda = c->depth,
                .b = adjoint + part * c->outputs * pixels + first * c->columns, .ldb = pixels,
                .c = windows, .ldc = count
            };
            VG_VARIANT(vg_product_run)(&product, scratch);
            fold(windows, images + part * image, first, rows, c);
        }
}

void VG_KERNEL(conv2d_input)(const vg_work *work) {
    const vg_conv c = vg_conv_of(VG_OP_conv2d_input, work, sizeof(vg_real));
    const vg_real *adjoint = work->in[0].data, *filters = work->in[1].data;
    if (c.scratch == 0) memset(work->out->data, 0, (size_t)work->out->count * sizeof(vg_real));
    else if (c.turned) convolve(&c, adjoint, filters, &(finish){ NULL, false }, work->out->data, work->context->scratch);
    else convolve_back(&c, adjoint, filters, work->out->data, work->context->scratch);
}

/* ---- by the filters */

static void sum_over(const vg_conv *c, const vg_real *images, const vg_real *adjoint, vg_real *sum, char *scratch) {
    int64_t *const places = (int64_t *)(scratch + c->places_at);
    vg_real *const strips = (vg_real *)(scratch + c->strips_at);
    const int64_t taps = c->window.kernel[0] * c->window.kernel[1], pixels = c->rows * c->columns;
    const int64_t area = c->height * c->width, image = c->inputs * area;
    const int64_t step = c->channels * c->window.kernel[1] * c->phases * c->plane;
    const source from = { images, c->images * c->groups * image, (vg_lane *)(scratch + c->masks_at) };
    find_places(c, places);
    if (c->masked) find_masks(c, (vg_lane *)(scratch + c->masks_at));
    for (int64_t g = 0; g < c->groups; g++)
        for (int64_t channel = 0; channel < c->inputs; channel += c->channels)
            for (int64_t n = 0; n < c->images; n += c->together)
                for (int64_t first = 0; first < c->rows; first += c->block) {
                    const int64_t channels = c->inputs - channel < c->channels ? c->inputs - channel : c->channels;
                    const int64_t count = c->images - n < c->together ? c->images - n : c->together;
                    const int64_t rows = c->rows - first < c->block ? c->rows - first : c->block;
                    const int64_t output = (n * c->groups + g) * c->all + c->first;
                    for (int64_t k = 0; k < count; k++)
                        read_strips(strips + k * step, &from, ((n + k) * c->groups + g) * image + channel * area,
                                    channels, first, c);
                    const vg_gather gather = {
                        .strips = strips, .strips_step = step, .places = places,
                        .adjoint = adjoint + output * pixels + first * c->columns,
                        .adjoint_step = c->groups * c->all * pixels, .adjoint_row = pixels,
                        .tails = (vg_real *)(scratch + c->tails_at), .images = count, .outputs = c->outputs,
                        .depth = channels * taps, .pixels = rows * c->columns, .add = n > 0 || first > 0,
                        .sum = sum + g * c->outputs * c->depth + channel * taps, .sum_step = c->depth
                    };
                    VG_VARIANT(vg_conv_gather)(&gather);
                }
}

void VG_KERNEL(conv2d_filter)(const vg_work *work) {
    const vg_conv c = vg_conv_of(VG_OP_conv2d_filter, work, sizeof(vg_real));
    if (c.scratch == 0) memset(work->out->data, 0, (size_t)work->out->count * sizeof(vg_real));
    else sum_over(&c, work->in[0].data, work->in[1].data, work->out->data, work->context->scratch);
}
