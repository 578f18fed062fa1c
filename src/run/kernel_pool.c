/* Poolings: over the windows of each channel of each image, which overlap where the stride is less than the kernel. A
 * row of windows is taken at once, one element of each after the other, so that they lie side by side in vectors. */
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
typedef struct images { vg_real *large; const vg_real *other; void *small; int64_t place; } images;
typedef void (*each_windows)(const images *i, const windows *w);

/* other: of the shape of `large`, or NULL */
static void over(const vg_view *large, const vg_view *other, const vg_view *small, const uint64_t *words,
                 each_windows each) {
    const vg_window w = vg_window_of_pool(words);
    const int64_t height = large->dims[2], width = large->dims[3], rows = small->dims[2], columns = small->dims[3];
    images i = { .large = large->data, .other = other ? other->data : NULL, .small = small->data };
    if (small->count == 0) return;
    for (int64_t image = 0; image < small->dims[0] * small->dims[1]; image++) {
        for (int64_t r = 0; r < rows; r++) {
            const int64_t top = r * w.stride[0] - w.before[0], bottom = top + w.kernel[0];
            windows at = { .window = &w, .top = top < 0 ? 0 : top, .bottom = bottom > height ? height : bottom,
                           .width = width };
            for (at.column = 0; at.column < columns; at.column += MOST) {
                at.count = columns - at.column < MOST ? columns - at.column : MOST;
                each(&i, &at);
                i.place += at.count;
            }
        }
        i.large += height * width;
        if (i.other) i.other += height * width;
    }
}

/* ---- the largest: a NaN counts as it, as in max */

/* Without a branch; of numbers and of vectors: larger, or a NaN beside a number. */
#define BETTER(value, best) ((((value) <= (best)) == 0) & ((best) == (best)))

/* One element of each of `count` windows, which lie `stride` apart. */
static inline __attribute__((always_inline)) void larger(const vg_real *row, int64_t stride, int64_t count,
                                                         int32_t place, vg_real *restrict best,
                                                         int32_t *restrict found) {
    for (int64_t k = 0; k < count; k++) {
        const vg_real value = row[k * stride];
        const bool better = BETTER(value, best[k]);
        found[k] = better ? place + (int32_t)(k * stride) : found[k];
        best[k] = better ? value : best[k];
    }
}

/* Where it is in each window: as y * width + x. */
static void find_largest(const vg_real *image, const windows *w, int32_t *found) {
    const int64_t stride = w->window->stride[1];
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

static void largest_places(const images *i, const windows *w) {
    find_largest(i->large, w, (int32_t *)i->small + i->place);
}

static void largest_values(const images *i, const windows *w) {
    int32_t found[MOST];
    find_largest(i->large, w, found);
    for (int64_t k = 0; k < w->count; k++) ((vg_real *)i->small)[i->place + k] = i->large[found[k]];
}

/* Into `large` what lies in `small`, to where `other` has its largest. */
static void give_largest(const images *i, const windows *w) {
    int32_t found[MOST];
    find_largest(i->other, w, found);
    for (int64_t k = 0; k < w->count; k++) i->large[found[k]] += ((const vg_real *)i->small)[i->place + k];
}

/* ---- the same of windows of 2 by 2 that do not overlap, none in the padding, side by side in vectors */

#ifdef VG_REAL_double
typedef int64_t lane;        /* a mask's lanes are as wide as a real's */
#else
typedef int32_t lane;
#endif
typedef enum wanted { PLACES, VALUES, ADJOINT } wanted;

/* Windows at `image`, of rows `width` long, and at `small`; `place` is where the first begins in its image. Even and odd
 * elements are taken apart within the halves of a vector, where that is cheaper: then the windows stand in another order. */
#define FOURS(count, even, odd, order, low, high)                                                                     \
    typedef vg_real real_##count __attribute__((vector_size(count * sizeof(vg_real))));                        \
    typedef lane lane_##count __attribute__((vector_size(count * sizeof(vg_real))));                           \
    typedef int32_t found_##count __attribute__((vector_size(count * sizeof(int32_t))));                       \
    static inline __attribute__((always_inline)) void fours_##count(wanted what, const vg_real *image,         \
                                                                    vg_real *adjoint, int64_t width,           \
                                                                    int32_t place, void *small) {              \
        real_##count left, right, largest[2];                                                                  \
        lane_##count in[2];       /* the right one of a row is the largest */                                  \
        for (int y = 0; y < 2; y++) {                                                                          \
            memcpy(&left, image + y * width, sizeof left);                                                     \
            memcpy(&right, image + y * width + count, sizeof right);                                           \
            const real_##count a = __builtin_shufflevector(left, right, even);                                 \
            const real_##count b = __builtin_shufflevector(left, right, odd);                                  \
            in[y] = BETTER(b, a);                                                                              \
            largest[y] = (real_##count)(((lane_##count)b & in[y]) | ((lane_##count)a & ~in[y]));               \
        }                                                                                                      \
        const lane_##count below = BETTER(largest[1], largest[0]);                                             \
        if (what == PLACES) {                                                                                  \
            lane_##count first = { 0 };                                                                        \
            for (lane k = 0; k < count; k++) first[k] = place + 2 * k;                                         \
            /* a mask is -1 */                                                                                 \
            const lane_##count beyond = ((in[1] - (lane)width) & below) | (in[0] & ~below);                    \
            const lane_##count at = first - __builtin_shufflevector(beyond, beyond, order);                    \
            const found_##count narrow = __builtin_convertvector(at, found_##count);                           \
            memcpy(small, &narrow, sizeof narrow);                                                             \
        } else if (what == VALUES) {                                                                           \
            const lane_##count value = ((lane_##count)largest[1] & below) | ((lane_##count)largest[0] & ~below); \
            const lane_##count ordered = __builtin_shufflevector(value, value, order);                         \
            memcpy(small, &ordered, sizeof ordered);                                                           \
        } else {                                                                                               \
            lane_##count value;                                                                                \
            memcpy(&value, small, sizeof value);                                                               \
            value = __builtin_shufflevector(value, value, order);                                              \
            for (int y = 0; y < 2; y++) {                                                                      \
                const lane_##count own = value & (y ? below : ~below), a = own & ~in[y], b = own & in[y];      \
                const lane_##count one = __builtin_shufflevector(a, b, low);                                   \
                const lane_##count two = __builtin_shufflevector(a, b, high);                                  \
                memcpy(adjoint + y * width, &one, sizeof one);                                                 \
                memcpy(adjoint + y * width + count, &two, sizeof two);                                         \
            }                                                                                                  \
        }                                                                                                      \
    }
#define _ ,
FOURS(8, 0 _ 2 _ 8 _ 10 _ 4 _ 6 _ 12 _ 14, 1 _ 3 _ 9 _ 11 _ 5 _ 7 _ 13 _ 15, 0 _ 1 _ 4 _ 5 _ 2 _ 3 _ 6 _ 7,
      0 _ 8 _ 1 _ 9 _ 4 _ 12 _ 5 _ 13, 2 _ 10 _ 3 _ 11 _ 6 _ 14 _ 7 _ 15)
FOURS(4, 0 _ 2 _ 4 _ 6, 1 _ 3 _ 5 _ 7, 0 _ 1 _ 2 _ 3, 0 _ 4 _ 1 _ 5, 2 _ 6 _ 3 _ 7)
#undef FOURS
#undef _

/* At least four in a row, the last few of which are compared twice. Of five to seven eight are compared: what is no window
 * of the row is of the next one's, which comes later and writes it anew. */
static inline __attribute__((always_inline)) void over_fours(wanted what, const vg_view *of, const vg_view *large,
                                                             const vg_view *small) {
    const int64_t height = large->dims[2], width = large->dims[3], rows = small->dims[2], columns = small->dims[3];
    const int64_t planes = small->dims[0] * small->dims[1];
    const size_t size = vg_element_size(small->dtype);
    const vg_real *image = of->data;
    vg_real *adjoint = large->data;
    char *at = small->data;
#define AT(fours, from)                                                                                        \
    fours(what, image + 2 * (r * width + (from)), adjoint + 2 * (r * width + (from)), width,                     \
          (int32_t)(2 * (r * width + (from))), at + (size_t)(from) * size)
    for (int64_t k = 0; k < planes; k++, image += height * width, adjoint += height * width) {
        for (int64_t r = 0; r < rows; r++, at += (size_t)columns * size) {
            const bool next = k + 1 < planes || r + 1 < rows;
            int64_t c = 0;
            for (; c + 8 <= columns; c += 8) AT(fours_8, c);
            if (c == columns) continue;
            if (c > 0) AT(fours_8, columns - 8);
            else if (columns > 4 && next) AT(fours_8, 0);
            else {
                AT(fours_4, 0);
                AT(fours_4, columns - 4);
            }
        }
        if (what != ADJOINT) continue;      /* what no window sees */
        for (int64_t y = 0; width > 2 * columns && y < 2 * rows; y++) adjoint[y * width + width - 1] = 0;
        if (height > 2 * rows) memset(adjoint + 2 * rows * width, 0, (size_t)width * sizeof *adjoint);
    }
#undef AT
}

static bool in_fours(const vg_window *w, const vg_view *small) {
    bool fours = small->dims[3] >= 4;
    for (int axis = 0; axis < 2; axis++)
        fours = fours && w->kernel[axis] == 2 && w->stride[axis] == 2 && w->before[axis] == 0 && w->behind[axis] == 0;
    return fours;
}

void VG_KERNEL(pool_argmax)(const vg_work *work) {
    const vg_window w = vg_window_of_pool(work->words);
    if (in_fours(&w, work->out)) over_fours(PLACES, &work->in[0], &work->in[0], work->out);
    else over(&work->in[0], NULL, work->out, work->words, largest_places);
}

void VG_KERNEL(pool_max)(const vg_work *work) {
    const vg_window w = vg_window_of_pool(work->words);
    if (in_fours(&w, work->out)) over_fours(VALUES, &work->in[0], &work->in[0], work->out);
    else over(&work->in[0], NULL, work->out, work->words, largest_values);
}

void VG_KERNEL(pool_max_input)(const vg_work *work) {
    const vg_window w = vg_window_of_pool(work->words);
    if (in_fours(&w, &work->in[1])) {
        over_fours(ADJOINT, &work->in[0], work->out, &work->in[1]);
    } else {
        memset(work->out->data, 0, (size_t)work->out->count * sizeof(vg_real));
        over(work->out, &work->in[0], &work->in[1], work->words, give_largest);
    }
}

/* ---- sums, in double; and their adjoint */

static void total(const images *i, const windows *w) {
    const int64_t stride = w->window->stride[1];
    double sum[MOST] = { 0 };
    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t kx = 0; kx < w->window->kernel[1]; kx++) {
            int64_t from, to;
            const vg_real *const row = i->large + y * w->width + within(w, kx, &from, &to);
            if (stride == 1) for (int64_t k = from; k < to; k++) sum[k] += (double)row[k];
            else if (stride == 2) for (int64_t k = from; k < to; k++) sum[k] += (double)row[2 * k];
            else for (int64_t k = from; k < to; k++) sum[k] += (double)row[k * stride];
        }
    for (int64_t k = 0; k < w->count; k++) ((vg_real *)i->small)[i->place + k] = (vg_real)sum[k];
}

static void add(const images *i, const windows *w) {
    const vg_real *const values = (const vg_real *)i->small + i->place;
    const int64_t stride = w->window->stride[1];
    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t kx = 0; kx < w->window->kernel[1]; kx++) {
            int64_t from, to;
            vg_real *const row = i->large + y * w->width + within(w, kx, &from, &to);
            if (stride == 1) VG_INDEPENDENT for (int64_t k = from; k < to; k++) row[k] += values[k];
            else VG_INDEPENDENT for (int64_t k = from; k < to; k++) row[k * stride] += values[k];
        }
}

void VG_KERNEL(pool_sum)(const vg_work *work) { over(&work->in[0], NULL, work->out, work->words, total); }

void VG_KERNEL(pool_spread)(const vg_work *work) {
    memset(work->out->data, 0, (size_t)work->out->count * sizeof(vg_real));
    over(work->out, NULL, &work->in[0], work->words + 1, add);
}
