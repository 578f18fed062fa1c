/* Poolings: over the windows of each channel of each image, which overlap where the stride is less than the kernel. A row
 * of windows is taken at once, one element of each after the other, so that the windows lie side by side in vectors. */
#include "run/kernel_real.h"

#include "ir/window.h"

/* Some windows of a row: `count` of them from `column` on; rows [top, bottom) of the image, without the padding. */
enum { MOST = 64 };
typedef struct windows { const vg_window *window; int64_t top, bottom, column, count, width; } windows;

/* The windows [from, to) whose element kx lies in the image, and where it does in the image's row for window 0. */
static int64_t within(const windows *w, int64_t kx, int64_t *from, int64_t *to) {
    const int64_t stride = w->window->stride[1], start = w->column * stride + kx - w->window->before[1];
    *from = start < 0 ? (-start + stride - 1) / stride : 0;
    *to = start < w->width ? (w->width - 1 - start) / stride + 1 : 0;
    if (*to > w->count) *to = w->count;
    if (*from > *to) *from = *to;
    return start;
}

/* Calls `each` for all windows: with their image in `large` and their place in `small` [n, c, rows, columns]. */
typedef void (*each_windows)(vg_real *image, void *small, int64_t place, const windows *w);

static void over(const vg_view *large, const vg_view *small, const uint64_t *words, each_windows each) {
    const vg_window w = vg_window_of_pool(words);
    const int64_t height = large->dims[2], width = large->dims[3], rows = small->dims[2], columns = small->dims[3];
    int64_t place = 0;
    if (small->count == 0) return;
    for (int64_t image = 0; image < small->dims[0] * small->dims[1]; image++)
        for (int64_t r = 0; r < rows; r++) {
            const int64_t top = r * w.stride[0] - w.before[0], bottom = top + w.kernel[0];
            windows at = { .window = &w, .top = top < 0 ? 0 : top, .bottom = bottom > height ? height : bottom, .width = width };
            for (at.column = 0; at.column < columns; at.column += MOST) {
                at.count = columns - at.column < MOST ? columns - at.column : MOST;
                each((vg_real *)large->data + image * height * width, small->data, place, &at);
                place += at.count;
            }
        }
}

/* ---- the largest: a NaN counts as it, as in max */

/* Without a branch; of numbers and of vectors. */
#define BETTER(value, best) (((value) > (best)) | (((value) != (value)) & ((best) == (best))))

/* One element of each of `count` windows, which lie `stride` apart. */
static inline __attribute__((always_inline)) void larger(const vg_real *row, int64_t stride, int64_t count, int32_t place,
                                                         vg_real *restrict best, int32_t *restrict found) {
    for (int64_t k = 0; k < count; k++) {
        const vg_real value = row[k * stride];
        const bool better = BETTER(value, best[k]);
        found[k] = better ? place + (int32_t)(k * stride) : found[k];
        best[k] = better ? value : best[k];
    }
}

static void largest(vg_real *image, void *small, int64_t place, const windows *w) {
    const int64_t stride = w->window->stride[1];
    int32_t *const found = (int32_t *)small + place;
    vg_real best[MOST];
    for (int64_t k = 0; k < w->count; k++) {
        const int64_t left = (w->column + k) * stride - w->window->before[1];
        best[k] = (vg_real)-INFINITY;
        found[k] = (int32_t)(w->top * w->width + (left < 0 ? 0 : left));
    }
    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t kx = 0; kx < w->window->kernel[1]; kx++) {
            int64_t from, to;
            const int64_t first = y * w->width + within(w, kx, &from, &to) + from * stride;
            const vg_real *const row = image + first;
            if (stride == 1) larger(row, 1, to - from, (int32_t)first, best + from, found + from);
            else if (stride == 2) larger(row, 2, to - from, (int32_t)first, best + from, found + from);
            else larger(row, stride, to - from, (int32_t)first, best + from, found + from);
        }
}

/* Windows of 2 by 2 side by side, compared in vectors. A mask's lanes are as wide as a real's. */
#ifdef VG_REAL_double
typedef int64_t lane;
#else
typedef int32_t lane;
#endif
#define LANES(count, even, odd)                                                                                \
    typedef vg_real real_##count __attribute__((vector_size(count * sizeof(vg_real))));                        \
    typedef lane lane_##count __attribute__((vector_size(count * sizeof(vg_real))));                           \
    typedef int32_t found_##count __attribute__((vector_size(count * sizeof(int32_t))));                       \
    static inline __attribute__((always_inline)) void largest_of_four_##count(const vg_real *at, int64_t width, \
                                                                              int32_t place, int32_t *found) { \
        real_##count low, high, largest[2];                                                                    \
        lane_##count in[2], own, step;                                                                         \
        for (lane k = 0; k < count; k++) own[k] = place + 2 * k;                                               \
        step = own - own + 1;                                                                                  \
        for (int y = 0; y < 2; y++) {                                                                          \
            memcpy(&low, at + y * width, sizeof low);                                                          \
            memcpy(&high, at + y * width + count, sizeof high);                                                \
            const real_##count a = __builtin_shufflevector(low, high, even);                                   \
            const real_##count b = __builtin_shufflevector(low, high, odd);                                    \
            const lane_##count right = BETTER(b, a);                                                           \
            largest[y] = (real_##count)(((lane_##count)b & right) | ((lane_##count)a & ~right));               \
            in[y] = (right & step) + y * (lane)width;                                                          \
        }                                                                                                      \
        const lane_##count below = BETTER(largest[1], largest[0]);                                             \
        const lane_##count places = own + ((in[1] & below) | (in[0] & ~below));                                \
        const found_##count narrow = __builtin_convertvector(places, found_##count);                           \
        memcpy(found, &narrow, sizeof narrow);                                                                 \
    }
#define COMMA ,
LANES(8, 0 COMMA 2 COMMA 4 COMMA 6 COMMA 8 COMMA 10 COMMA 12 COMMA 14,
      1 COMMA 3 COMMA 5 COMMA 7 COMMA 9 COMMA 11 COMMA 13 COMMA 15)
LANES(4, 0 COMMA 2 COMMA 4 COMMA 6, 1 COMMA 3 COMMA 5 COMMA 7)
#undef LANES
#undef COMMA

/* Windows of 2 by 2 that do not overlap, none in the padding, at least four in a row; the last few of a row are compared
 * twice. */
static void largest_of_fours(const vg_view *large, const vg_view *small) {
    const int64_t height = large->dims[2], width = large->dims[3], rows = small->dims[2], columns = small->dims[3];
    const vg_real *image = large->data;
    int32_t *found = small->data;
    for (int64_t k = 0; k < small->dims[0] * small->dims[1]; k++, image += height * width)
        for (int64_t r = 0; r < rows; r++, found += columns) {
            const int32_t place = (int32_t)(2 * r * width);
            const vg_real *const at = image + place;
            const int64_t step = columns < 8 ? 4 : 8;
            for (int64_t c = 0; c < columns; c += step) {
                const int64_t from = c + step <= columns ? c : columns - step;
                if (step == 8) largest_of_four_8(at + 2 * from, width, place + 2 * (int32_t)from, found + from);
                else largest_of_four_4(at + 2 * from, width, place + 2 * (int32_t)from, found + from);
            }
        }
}

void VG_KERNEL(pool_argmax)(const vg_work *work) {
    const vg_window w = vg_window_of_pool(work->words);
    bool fours = work->out->dims[3] >= 4;
    for (int axis = 0; axis < 2; axis++)
        fours = fours && w.kernel[axis] == 2 && w.stride[axis] == 2 && w.before[axis] == 0 && w.behind[axis] == 0;
    if (fours) largest_of_fours(&work->in[0], work->out);
    else over(&work->in[0], work->out, work->words, largest);
}

/* ---- sums, in double; and their adjoint */

static void total(vg_real *image, void *small, int64_t place, const windows *w) {
    const int64_t stride = w->window->stride[1];
    double sum[MOST] = { 0 };
    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t kx = 0; kx < w->window->kernel[1]; kx++) {
            int64_t from, to;
            const vg_real *const row = image + y * w->width + within(w, kx, &from, &to);
            if (stride == 1) for (int64_t k = from; k < to; k++) sum[k] += (double)row[k];
            else if (stride == 2) for (int64_t k = from; k < to; k++) sum[k] += (double)row[2 * k];
            else for (int64_t k = from; k < to; k++) sum[k] += (double)row[k * stride];
        }
    for (int64_t k = 0; k < w->count; k++) ((vg_real *)small)[place + k] = (vg_real)sum[k];
}

static void add(vg_real *image, void *small, int64_t place, const windows *w) {
    const vg_real *const values = (const vg_real *)small + place;
    const int64_t stride = w->window->stride[1];
    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t kx = 0; kx < w->window->kernel[1]; kx++) {
            int64_t from, to;
            vg_real *const row = image + y * w->width + within(w, kx, &from, &to);
            if (stride == 1) VG_INDEPENDENT for (int64_t k = from; k < to; k++) row[k] += values[k];
            else VG_INDEPENDENT for (int64_t k = from; k < to; k++) row[k * stride] += values[k];
        }
}

void VG_KERNEL(pool_sum)(const vg_work *work) { over(&work->in[0], work->out, work->words, total); }

void VG_KERNEL(pool_spread)(const vg_work *work) {
    memset(work->out->data, 0, (size_t)work->out->count * sizeof(vg_real));
    over(work->out, &work->in[0], work->words + 1, add);
}
