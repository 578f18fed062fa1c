/* Poolings: over the windows of each channel of each image, which overlap where the stride is less than the kernel. */
#include "run/kernel_real.h"

#include "ir/window.h"

/* The elements of an image that one window covers: [top, bottom) by [left, right), without the padding. */
typedef struct cover { int64_t top, bottom, left, right; } cover;

static void clip(const vg_window *w, int axis, int64_t place, int64_t length, int64_t *from, int64_t *to) {
    *from = place * w->stride[axis] - w->before[axis];
    *to = *from + w->kernel[axis];
    if (*from < 0) *from = 0;
    if (*to > length) *to = length;
}

/* Calls `each` for every window: with its image in `large` and its place in `small` [n, c, rows, columns]. */
typedef void (*each_window)(vg_real *image, void *small, int64_t place, const cover *at, int64_t width);

static void over(const vg_view *large, const vg_view *small, const uint64_t *words, each_window each) {
    const vg_window w = vg_window_of_pool(words);
    const int64_t height = large->dims[2], width = large->dims[3], rows = small->dims[2], columns = small->dims[3];
    int64_t place = 0;
    if (small->count == 0) return;
    for (int64_t image = 0; image < small->dims[0] * small->dims[1]; image++) {
        vg_real *const data = (vg_real *)large->data + image * height * width;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++) {
                cover at;
                clip(&w, 0, r, height, &at.top, &at.bottom);
                clip(&w, 1, c, width, &at.left, &at.right);
                each(data, small->data, place++, &at, width);
            }
    }
}

/* A NaN counts as the largest, as in max. */
static void largest(vg_real *image, void *small, int64_t place, const cover *at, int64_t width) {
    int64_t found = at->top * width + at->left;
    vg_real best = image[found];
    for (int64_t y = at->top; y < at->bottom; y++)
        for (int64_t x = at->left; x < at->right; x++) {
            const vg_real value = image[y * width + x];
            const bool better = value > best || (value != value && best == best);
            found = better ? y * width + x : found;
            best = better ? value : best;
        }
    ((int32_t *)small)[place] = (int32_t)found;
}

static void total(vg_real *image, void *small, int64_t place, const cover *at, int64_t width) {
    double sum = 0;
    for (int64_t y = at->top; y < at->bottom; y++)
        for (int64_t x = at->left; x < at->right; x++) sum += (double)image[y * width + x];
    ((vg_real *)small)[place] = (vg_real)sum;
}

static void add(vg_real *image, void *small, int64_t place, const cover *at, int64_t width) {
    const vg_real value = ((const vg_real *)small)[place];
    for (int64_t y = at->top; y < at->bottom; y++)
        for (int64_t x = at->left; x < at->right; x++) image[y * width + x] += value;
}

void VG_KERNEL(pool_argmax)(const vg_work *work) { over(&work->in[0], work->out, work->words, largest); }

void VG_KERNEL(pool_sum)(const vg_work *work) { over(&work->in[0], work->out, work->words, total); }

void VG_KERNEL(pool_spread)(const vg_work *work) {
    memset(work->out->data, 0, (size_t)work->out->count * sizeof(vg_real));
    over(work->out, &work->in[0], work->words + 1, add);
}
