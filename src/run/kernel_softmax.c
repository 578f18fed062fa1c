/* softmax and log_softmax along an axis, in passes that vectorise: the largest element is taken from each line, the
 * exponentials are made of many at once, and their sum, in double, divides them or gives the logarithm.
 *
 * A NaN is not larger than anything; its own exponential makes the sum NaN, and with it the line. */
#include "run/kernel_real.h"

#define EXP(x) VG_F(exp)(x)

/* BLOCK: numbers whose exponentials are made in one go; WIDTH: lines side by side; SHORT: of neighbours, a line that
 * leaves vectors empty. */
enum { LANES = 16, SUMS = 8, BLOCK = 2048, WIDTH = 128, SHORT = BLOCK / WIDTH };
_Static_assert(BLOCK % SUMS == 0, "a row's parts are cut at whole vectors");

static void exponentials(const vg_real *x, int64_t count, vg_real *y) {
    VG_INDEPENDENT
    for (int64_t i = 0; i < count; i++) y[i] = EXP(x[i]);
}

/* ---- a line of neighbours */

static inline vg_real larger(vg_real a, vg_real b) { return a > b ? a : b; }

static vg_real largest(const vg_real *x, int64_t count) {
    vg_real top[LANES];
    int64_t i = 0;
    for (int k = 0; k < LANES; k++) top[k] = -(vg_real)INFINITY;
    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++) top[k] = larger(x[i + k], top[k]);
    for (; i < count; i++) top[0] = larger(x[i], top[0]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) top[k] = larger(top[k + half], top[k]);
    return top[0];
}

/* In SUMS lanes, joined as a tree: the bits depend on the count alone. */
static double sum_of(const vg_real *x, int64_t count) {
    double sum[SUMS] = { 0 };
    int64_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int k = 0; k < SUMS; k++) sum[k] += (double)x[i + k];
    for (int k = 0; i + k < count; k++) sum[k] += (double)x[i + k];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* `total` is the sum of a line's exponentials. y holds them for softmax; for log_softmax it holds their logarithms, of
 * which none is above 0 and the total's is not below, so that nothing cancels. */
static void finish(vg_real *y, int64_t count, double total, bool logarithm) {
    const vg_real by = (vg_real)(logarithm ? log(total) : total);
    if (logarithm) {
        VG_INDEPENDENT
        for (int64_t i = 0; i < count; i++) y[i] -= by;
    } else {
        VG_INDEPENDENT
        for (int64_t i = 0; i < count; i++) y[i] /= by;
    }
}

/* Rows are taken as many at once as a block holds, so that short ones fill vectors; long ones part by part. */
static void rows(const vg_real *x, vg_real *y, int64_t height, int64_t count, bool logarithm) {
    vg_real block[BLOCK];
    const int64_t most = count < BLOCK ? BLOCK / count : 1;
    for (int64_t row = 0; row < height; row += most, x += most * count, y += most * count) {
        const int64_t own = height - row < most ? height - row : most;
        for (int64_t r = 0; r < own; r++) {
            const vg_real *from = x + r * count, top = largest(from, count);
            vg_real *to = y + r * count;
            VG_INDEPENDENT
            for (int64_t i = 0; i < count; i++) to[i] = from[i] - top;
        }
        double total = 0;
        for (int64_t at = 0; at < own * count; at += BLOCK) {
            const int64_t part = own * count - at < BLOCK ? own * count - at : BLOCK;
            vg_real *to = logarithm ? block : y + at;
            exponentials(y + at, part, to);
            if (most == 1) total += sum_of(to, part);
            for (int64_t r = 0; most > 1 && r < own; r++)
                finish(y + r * count, count, sum_of(to + r * count, count), logarithm);
        }
        if (most == 1) finish(y, count, total, logarithm);
    }
}

/* ---- lines that lie `stride` apart, `width` of them side by side */

static void columns(const vg_real *x, vg_real *y, int64_t count, int64_t stride, int64_t width, bool logarithm) {
    vg_real top[WIDTH], by[WIDTH], block[BLOCK];
    double total[WIDTH];
    for (int64_t j = 0; j < width; j++) top[j] = -(vg_real)INFINITY, total[j] = 0;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < width; j++) top[j] = larger(x[i * stride + j], top[j]);
    for (int64_t i = 0; i < count; i++) {
        VG_INDEPENDENT
        for (int64_t j = 0; j < width; j++) y[i * stride + j] = x[i * stride + j] - top[j];
    }
    const int64_t most = width == stride ? BLOCK / width : 1;      /* neighbours */
    for (int64_t i = 0; i < count; i += most) {
        const int64_t own = count - i < most ? count - i : most;
        vg_real *to = logarithm ? block : y + i * stride;
        exponentials(y + i * stride, own * width, to);
        for (int64_t k = 0; k < own; k++)
            for (int64_t j = 0; j < width; j++) total[j] += (double)to[k * width + j];
    }
    for (int64_t j = 0; j < width; j++) by[j] = (vg_real)(logarithm ? log(total[j]) : total[j]);
    for (int64_t i = 0; i < count; i++) {
        vg_real *line = y + i * stride;
        if (logarithm) {
            VG_INDEPENDENT
            for (int64_t j = 0; j < width; j++) line[j] -= by[j];
        } else {
            VG_INDEPENDENT
            for (int64_t j = 0; j < width; j++) line[j] /= by[j];
        }
    }
}

/* Short rows are turned, so that they lie side by side. */
static void short_rows(const vg_real *x, vg_real *y, int64_t height, int64_t count, bool logarithm) {
    vg_real turned[BLOCK];
    for (int64_t row = 0; row < height; row += WIDTH) {
        const int64_t own = height - row < WIDTH ? height - row : WIDTH;
        for (int64_t i = 0; i < count; i++)
            for (int64_t r = 0; r < own; r++) turned[i * own + r] = x[(row + r) * count + i];
        columns(turned, turned, count, own, own, logarithm);
        for (int64_t i = 0; i < count; i++)
            for (int64_t r = 0; r < own; r++) y[(row + r) * count + i] = turned[i * own + r];
    }
}

static void along(const vg_work *work, bool logarithm) {
    const vg_view *in = &work->in[0];
    const uint32_t axis = (uint32_t)work->words[0];
    const int64_t outer = vg_extent(in, 0, axis), count = in->dims[axis], inner = vg_extent(in, axis + 1, in->rank);
    const vg_real *x = in->data;
    vg_real *y = work->out->data;
    if (in->count == 0) return;
    if (inner == 1) {
        (count < SHORT ? short_rows : rows)(x, y, outer, count, logarithm);
        return;
    }
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j += WIDTH) {
            const int64_t first = o * count * inner + j;
            columns(x + first, y + first, count, inner, inner - j < WIDTH ? inner - j : WIDTH, logarithm);
        }
}

void VG_KERNEL(softmax)(const vg_work *work) { along(work, false); }
void VG_KERNEL(log_softmax)(const vg_work *work) { along(work, true); }
