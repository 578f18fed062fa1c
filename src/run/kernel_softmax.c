/* softmax, log_softmax and its adjoint along an axis, cross-entropy and its adjoint along the last, in passes that
 * vectorise: the largest element is taken from each line, the exponentials are made of many at once, and their sum, in
 * double, divides them or gives the logarithm.
 *
 * A NaN is not larger than anything; its own exponential makes the sum NaN, and with it the line. */
#include "run/kernel_real.h"

#define EXP(x) VG_F(exp)(x)

/* BLOCK: numbers whose exponentials are made in one go; WIDTH: lines side by side; SHORT: of neighbours, a line that
 * leaves vectors empty. */
enum { LANES = 16, SUMS = 8, BLOCK = 2048, WIDTH = 128, SHORT = BLOCK / WIDTH };
_Static_assert(BLOCK % SUMS == 0, "a row's parts are cut at whole vectors");
_Static_assert(WIDTH % LANES == 0, "short rows side by side are whole vectors");

/* What is made of a line x with largest element top and the sum S of its exponentials: e / S, e = exp(x - top);
 * x - top - log(S); b - e / S * sum(b). */
typedef enum wanted { SHARES, LOGARITHMS, ADJOINT } wanted;

static void exponentials(const vg_real *x, int64_t count, vg_real *y) {
    VG_INDEPENDENT
    for (int64_t i = 0; i < count; i++) y[i] = EXP(x[i]);
}

/* A sum has at least the largest element's 1. What is above that may be small, where one element is nearly all: log1p
 * keeps its digits in float, too. */
static void logarithms(const double *total, int64_t count, vg_real *y) {
    VG_INDEPENDENT
    for (int64_t i = 0; i < count; i++) y[i] = VG_F(log1p)((vg_real)(total[i] - 1));
}

static void divisors(const double *total, int64_t count, wanted what, vg_real *by) {
    if (what == LOGARITHMS) logarithms(total, count, by);
    else for (int64_t i = 0; i < count; i++) by[i] = (vg_real)total[i];
}

/* ---- lines of neighbours */

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

/* How many rows are taken at once: as many as a block holds, so that short ones fill vectors; long ones go by parts. */
static int64_t rows_at_once(int64_t count) { return count < BLOCK ? BLOCK / count : 1; }

/* Of so many rows: their largest elements; less: what is left when these are taken away; e: its exponentials; and the
 * sums of those. less and e may be the same; NULL: not wanted. */
static void sum_rows(const vg_real *x, int64_t rows, int64_t count, vg_real *less, vg_real *e, vg_real *top,
                     double *total) {
    vg_real block[BLOCK];
    for (int64_t r = 0; r < rows; r++) top[r] = largest(x + r * count, count), total[r] = 0;
    for (int64_t at = 0; at < rows * count; at += BLOCK) {
        const int64_t part = rows * count - at < BLOCK ? rows * count - at : BLOCK, width = part < count ? part : count;
        vg_real *below = less ? less + at : block, *powers = e ? e + at : block;
        for (int64_t r = 0; r < rows; r++) {
            const vg_real *from = x + at + r * count, own = top[r];
            vg_real *to = below + r * count;
            VG_INDEPENDENT
            for (int64_t i = 0; i < width; i++) to[i] = from[i] - own;
        }
        exponentials(below, part, powers);
        for (int64_t r = 0; r < rows; r++) total[r] += sum_of(powers + r * count, width);
    }
}

/* y holds the exponentials; for logarithms their logarithms, of which none is above 0 and the total's is not below, so
 * that nothing cancels. */
static void finish_row(vg_real *y, const vg_real *b, int64_t count, vg_real by, wanted what) {
    const vg_real sum = what == ADJOINT ? (vg_real)sum_of(b, count) : 0;
    if (what == LOGARITHMS) {
        VG_INDEPENDENT
        for (int64_t i = 0; i < count; i++) y[i] -= by;
    } else if (what == SHARES) {
        VG_INDEPENDENT
        for (int64_t i = 0; i < count; i++) y[i] /= by;
    } else {
        VG_INDEPENDENT
        for (int64_t i = 0; i < count; i++) y[i] = b[i] - y[i] / by * sum;
    }
}

static void long_rows(const vg_real *x, const vg_real *b, vg_real *y, int64_t height, int64_t count, wanted what) {
    vg_real top[WIDTH], by[WIDTH];
    double total[WIDTH];
    const int64_t most = rows_at_once(count);
    for (int64_t row = 0; row < height; row += most) {
        const int64_t own = height - row < most ? height - row : most, at = row * count;
        sum_rows(x + at, own, count, y + at, what == LOGARITHMS ? NULL : y + at, top, total);
        divisors(total, own, what, by);
        for (int64_t r = 0; r < own; r++)
            finish_row(y + at + r * count, what == ADJOINT ? b + at + r * count : NULL, count, by[r], what);
    }
}

/* ---- lines that lie `stride` apart, `width` of them side by side */

/* As sum_rows; y is `less`, or `e` where that is wanted. It may be x. */
static void sum_columns(const vg_real *x, vg_real *y, int64_t count, int64_t stride, int64_t width, bool e,
                        vg_real *top, double *total) {
    vg_real block[BLOCK];
    for (int64_t j = 0; j < width; j++) top[j] = x[j], total[j] = 0;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < width; j++) top[j] = larger(x[i * stride + j], top[j]);
    for (int64_t i = 0; i < count; i++) {
        VG_INDEPENDENT
        for (int64_t j = 0; j < width; j++) y[i * stride + j] = x[i * stride + j] - top[j];
    }
    const int64_t most = width == stride ? BLOCK / width : 1;      /* neighbours */
    for (int64_t i = 0; i < count; i += most) {
        const int64_t own = count - i < most ? count - i : most;
        vg_real *to = e ? y + i * stride : block;
        exponentials(y + i * stride, own * width, to);
        for (int64_t k = 0; k < own; k++)
            for (int64_t j = 0; j < width; j++) total[j] += (double)to[k * width + j];
    }
}

static void finish_line(vg_real *y, const vg_real *b, int64_t width, const vg_real *by, const vg_real *sum,
                        wanted what) {
    if (what == LOGARITHMS) {
        VG_INDEPENDENT
        for (int64_t j = 0; j < width; j++) y[j] -= by[j];
    } else if (what == SHARES) {
        VG_INDEPENDENT
        for (int64_t j = 0; j < width; j++) y[j] /= by[j];
    } else {
        VG_INDEPENDENT
        for (int64_t j = 0; j < width; j++) y[j] = b[j] - y[j] / by[j] * sum[j];
    }
}

static void columns(const vg_real *x, const vg_real *b, vg_real *y, int64_t count, int64_t stride, int64_t width,
                    wanted what) {
    vg_real top[WIDTH], by[WIDTH], sum[WIDTH];
    double total[WIDTH];
    sum_columns(x, y, count, stride, width, what != LOGARITHMS, top, total);
    divisors(total, width, what, by);
    if (what == ADJOINT) {
        for (int64_t j = 0; j < width; j++) total[j] = 0;
        for (int64_t i = 0; i < count; i++)
            for (int64_t j = 0; j < width; j++) total[j] += (double)b[i * stride + j];
        for (int64_t j = 0; j < width; j++) sum[j] = (vg_real)total[j];
    }
    for (int64_t i = 0; i < count; i++)
        finish_line(y + i * stride, what == ADJOINT ? b + i * stride : NULL, width, by, sum, what);
}

/* Short rows are turned, so that they lie side by side: whole vectors of them, zeros for what is missing. */
static int64_t turn(const vg_real *x, int64_t rows, int64_t count, vg_real *turned) {
    const int64_t width = (rows + LANES - 1) / LANES * LANES;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t r = 0; r < rows; r++) turned[i * width + r] = x[r * count + i];
        for (int64_t r = rows; r < width; r++) turned[i * width + r] = 0;
    }
    return width;
}

static void turn_back(const vg_real *turned, int64_t rows, int64_t count, int64_t width, vg_real *y) {
    for (int64_t i = 0; i < count; i++)
        for (int64_t r = 0; r < rows; r++) y[r * count + i] = turned[i * width + r];
}

static void short_rows(const vg_real *x, const vg_real *b, vg_real *y, int64_t height, int64_t count, wanted what) {
    vg_real turned[BLOCK], other[BLOCK];
    for (int64_t row = 0; row < height; row += WIDTH) {
        const int64_t own = height - row < WIDTH ? height - row : WIDTH, at = row * count;
        const int64_t width = turn(x + at, own, count, turned);
        if (what == ADJOINT) turn(b + at, own, count, other);
        columns(turned, other, turned, count, width, width, what);
        turn_back(turned, own, count, width, y + at);
    }
}

/* in[0], and an adjoint's in[1], along the axis that is the first word */
static void along(const vg_work *work, wanted what) {
    const vg_view *in = &work->in[0];
    const uint32_t axis = (uint32_t)work->words[0];
    const int64_t outer = vg_extent(in, 0, axis), count = in->dims[axis], inner = vg_extent(in, axis + 1, in->rank);
    const vg_real *x = in->data, *b = what == ADJOINT ? work->in[1].data : x;
    vg_real *y = work->out->data;
    if (in->count == 0) return;
    if (inner == 1) {
        (count < SHORT ? short_rows : long_rows)(x, b, y, outer, count, what);
        return;
    }
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j += WIDTH) {
            const int64_t first = o * count * inner + j;
            columns(x + first, b + first, y + first, count, inner, inner - j < WIDTH ? inner - j : WIDTH, what);
        }
}

void VG_KERNEL(softmax)(const vg_work *work) { along(work, SHARES); }
void VG_KERNEL(log_softmax)(const vg_work *work) { along(work, LOGARITHMS); }
void VG_KERNEL(log_softmax_input)(const vg_work *work) { along(work, ADJOINT); }

/* ---- cross-entropy: -log(e / S) at a row's index, with the bits of log_softmax's element there */



static void entropies(const vg_real *x, const int32_t *at, int64_t rows, int64_t count, const vg_real *top,
                      const double *total, vg_real *y) {
    logarithms(total, rows, y);
    for (int64_t r = 0; r < rows; r++)
        y[r] -= at[r] >= 0 && at[r] < count ? x[r * count + at[r]] - top[r] : 0;
}

static void cross_long(const vg_real *x, const int32_t *at, const vg_real *c, int64_t rows, int64_t count, vg_real *y) {
    vg_real top[WIDTH];
    double total[WIDTH];
    sum_rows(x, rows, count, c ? y : NULL, c ? y : NULL, top, total);
    if (!c) entropies(x, at, rows, count, top, total, y);
    for (int64_t r = 0; c && r < rows; r++, y += count) {
        const vg_real by = (vg_real)total[r], factor = c[r];
        const bool fits = at[r] >= 0 && at[r] < count;
        const vg_real own = fits ? (y[at[r]] / by - 1) * factor : 0;
        VG_INDEPENDENT
        for (int64_t i = 0; i < count; i++) y[i] = y[i] / by * factor;
        if (fits) y[at[r]] = own;
    }
}

static void cross_short(const vg_real *x, const int32_t *at, const vg_real *c, int64_t rows, int64_t count,
                        vg_real *y) {
    vg_real turned[BLOCK], top[WIDTH], factor[WIDTH];
    double total[WIDTH];
    int32_t own[WIDTH];
    const int64_t width = turn(x, rows, count, turned);
    sum_columns(turned, turned, count, width, width, true, top, total);
    if (!c) {
        entropies(x, at, rows, count, top, total, y);
        return;
    }
    divisors(total, width, SHARES, top);
    for (int64_t r = 0; r < width; r++) factor[r] = r < rows ? c[r] : 0, own[r] = r < rows ? at[r] : 0;
    for (int64_t i = 0; i < count; i++) {
        vg_real *line = turned + i * width;
        VG_INDEPENDENT
        for (int64_t r = 0; r < width; r++) line[r] = (line[r] / top[r] - (own[r] == (int32_t)i ? 1 : 0)) * factor[r];
    }
    turn_back(turned, rows, count, width, y);
}

/* An index out of range is noted; what stands for its row is of no meaning. */
static void cross(const vg_work *work, const vg_real *c) {
    const vg_view *in = &work->in[0];
    const int64_t count = in->dims[in->rank - 1], height = work->in[1].count, step = c ? count : 1;
    const int64_t most = count < SHORT ? WIDTH : rows_at_once(count);
    const vg_real *x = in->data;
    const int32_t *at = work->in[1].data;
    vg_real *y = work->out->data;
    vg_indices_fit(work, count);
    if (count == 0) memset(y, 0, (size_t)work->out->count * sizeof *y);
    for (int64_t row = 0; row < height && count > 0; row += most)
        (count < SHORT ? cross_short : cross_long)(x + row * count, at + row, c ? c + row : NULL,
                                                   height - row < most ? height - row : most, count, y + row * step);
}

void VG_KERNEL(cross_entropy)(const vg_work *work) { cross(work, NULL); }
void VG_KERNEL(cross_entropy_input)(const vg_work *work) { cross(work, work->in[2].data); }
