/* survey: what each unit of a tensor does over a mini-batch (ir/survey.h), in one pass; and how far a variable has moved.
 *
 * LANES accumulators stand side by side in registers: of as many units, where these are neighbours; else of as many elements
 * of one unit, and they are joined in order at its end. Squares are of differences from the unit's first finite value, in
 * double, so that units that hardly vary have a variance of their own and not of rounding. Order depends on the shape
 * alone. */
#include "ir/survey.h"
#include "run/kernel_real.h"

/* Vectors as wide as registers are. */
#if defined __AVX512F__
enum { BYTES = 64 };
#elif defined __AVX2__
enum { BYTES = 32 };
#else
enum { BYTES = 16 };
#endif
enum { LANES = BYTES / sizeof(vg_real), WIDE = BYTES / sizeof(double), PARTS = LANES / WIDE };

#ifdef VG_REAL_double
typedef int64_t whole;
#define MAGNITUDE INT64_MAX
#else
typedef int32_t whole;
#define MAGNITUDE INT32_MAX
#endif
typedef vg_real reals __attribute__((vector_size(BYTES)));
typedef whole   wholes __attribute__((vector_size(BYTES)));
typedef double  doubles __attribute__((vector_size(BYTES)));
typedef vg_real some_reals __attribute__((vector_size(WIDE * sizeof(vg_real))));

typedef struct accumulators {
    doubles sum[PARTS], square[PARTS];
    reals   shift, min, max;
    wholes  active, low, high, zeros, tiny, wrong;
} accumulators;

/* some: there are values below or above; else neither is counted. */
typedef struct limits { vg_real low, high; bool some; } limits;

static inline reals pick(wholes which, reals a, reals b) { return (reals)((which & (wholes)a) | (~which & (wholes)b)); }

static inline accumulators begin(reals shift) {
    accumulators a = { .shift = shift };
    a.min = (reals){ 0 } + (vg_real)INFINITY;
    a.max = (reals){ 0 } - (vg_real)INFINITY;
    return a;
}

/* One element for each accumulator. */
static inline __attribute__((always_inline)) void add(accumulators *a, limits edge, bool edges, reals value) {
    const wholes finite = value - value == 0;
    const reals x = pick(finite, value, a->shift), size = (reals)((wholes)value & MAGNITUDE);
    a->min = pick(x < a->min, x, a->min);
    a->max = pick(x > a->max, x, a->max);
    a->active -= value > 0;
    if (edges) a->low -= value < edge.low;
    if (edges) a->high -= value > edge.high;
    a->zeros -= value == 0;
    a->tiny -= (size < (vg_real)0x1p-25) & (value != 0);
    a->wrong -= ~finite;
    for (size_t k = 0; k < PARTS; k++) {
        some_reals part, shift;
        memcpy(&part, (const char *)&x + k * sizeof part, sizeof part);
        memcpy(&shift, (const char *)&a->shift + k * sizeof shift, sizeof shift);
        const doubles from = __builtin_convertvector(part, doubles) - __builtin_convertvector(shift, doubles);
        a->sum[k] += from;
        a->square[k] += from * from;
    }
}

static inline reals load(const vg_real *from) {
    reals v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* What is not there is the shift, which is one of the unit's own values and adds nothing to the sums; the counts of it are
 * taken back. */
static inline reals load_some(const vg_real *from, int64_t count, reals shift) {
    memcpy(&shift, from, (size_t)count * sizeof *from);
    return shift;
}

static vg_real first_finite(const vg_real *values, int64_t count, int64_t step) {
    for (int64_t i = 0; i < count; i++)
        if (values[i * step] - values[i * step] == 0) return values[i * step];
    return 0;
}

/* ---- one unit's numbers */

typedef struct unit {
    double  sum, square;
    vg_real shift, min, max;
    int64_t active, low, high, zeros, tiny, wrong;
} unit;

static unit unit_of(const accumulators *a, int k) {
    return (unit){ a->sum[k / WIDE][k % WIDE], a->square[k / WIDE][k % WIDE], a->shift[k], a->min[k], a->max[k],
                   a->active[k], a->low[k], a->high[k], a->zeros[k], a->tiny[k], a->wrong[k] };
}

static unit joined(const accumulators *a) {
    unit all = unit_of(a, 0);
    for (int k = 1; k < LANES; k++) {
        const unit one = unit_of(a, k);
        all.sum += one.sum;
        all.square += one.square;
        all.min = one.min < all.min ? one.min : all.min;
        all.max = one.max > all.max ? one.max : all.max;
        all.active += one.active;
        all.low += one.low;
        all.high += one.high;
        all.zeros += one.zeros;
        all.tiny += one.tiny;
        all.wrong += one.wrong;
    }
    return all;
}

/* Takes back what `times` fillings with the shift have counted. */
static void take_back(unit *u, limits edge, int64_t times) {
    const vg_real x = u->shift;
    u->active -= times * (x > 0);
    u->low -= times * (edge.some && x < edge.low);
    u->high -= times * (edge.some && x > edge.high);
    u->zeros -= times * (x == 0);
    u->tiny -= times * ((x < 0 ? -x : x) < (vg_real)0x1p-25 && x != 0);
}

/* The unit becomes column `at` of out [VG_SURVEY_ROWS, units]; it has `count` elements. */
static void put(const unit *u, int64_t count, vg_real *out, int64_t units, int64_t at) {
    const double all = count > 0 ? (double)count : 1, finite = (double)(count - u->wrong);
    const double mean = finite > 0 ? u->sum / finite : 0;
    const double about = finite > 0 ? u->square / finite - mean * mean : 0;
    const double row[VG_SURVEY_ROWS] = {
        [VG_SURVEY_active] = (double)u->active / all,
        [VG_SURVEY_low] = (double)u->low / all,
        [VG_SURVEY_high] = (double)u->high / all,
        [VG_SURVEY_zeros] = (double)u->zeros / all,
        [VG_SURVEY_tiny] = (double)u->tiny / all,
        [VG_SURVEY_wrong] = (double)u->wrong / all,
        [VG_SURVEY_min] = finite > 0 ? (double)u->min : 0,
        [VG_SURVEY_max] = finite > 0 ? (double)u->max : 0,
        [VG_SURVEY_mean] = finite > 0 ? (double)u->shift + mean : 0,
        [VG_SURVEY_variance] = about > 0 ? about : 0
    };
    for (int r = 0; r < VG_SURVEY_ROWS; r++) out[r * units + at] = (vg_real)row[r];
}

/* ---- all units */

/* [count, units]: neighbours are of different units. */
static inline __attribute__((always_inline)) void survey_columns(const vg_real *values, int64_t count, int64_t units,
                                                                 limits edge, bool edges, vg_real *out) {
    for (int64_t from = 0; from < units; from += LANES) {
        const int64_t some = units - from < LANES ? units - from : LANES;
        reals shift = { 0 };
        for (int64_t k = 0; k < some; k++) shift[k] = first_finite(values + from + k, count, units);
        accumulators a = begin(shift);
        const vg_real *row = values + from;
        if (some == LANES)
            for (int64_t r = 0; r < count; r++, row += units) add(&a, edge, edges, load(row));
        else
            for (int64_t r = 0; r < count; r++, row += units) add(&a, edge, edges, load_some(row, some, shift));
        for (int k = 0; k < some; k++) {
            const unit u = unit_of(&a, k);
            put(&u, count, out, units, from + k);
        }
    }
}

/* [outer, units, inner] */
static inline __attribute__((always_inline)) void survey_lines(const vg_real *values, int64_t outer, int64_t units,
                                                               int64_t inner, limits edge, bool edges, vg_real *out) {
    for (int64_t at = 0; at < units; at++) {
        const vg_real *own = values + at * inner;
        const reals shift = (reals){ 0 } + (outer > 0 ? first_finite(own, inner, 1) : 0);
        accumulators a = begin(shift);
        for (int64_t o = 0; o < outer; o++, own += units * inner) {
            int64_t i = 0;
            for (; i + LANES <= inner; i += LANES) add(&a, edge, edges, load(own + i));
            if (i < inner) add(&a, edge, edges, load_some(own + i, inner - i, shift));
        }
        unit u = joined(&a);
        take_back(&u, edge, outer * ((LANES - inner % LANES) % LANES));
        put(&u, outer * inner, out, units, at);
    }
}

static void survey(const vg_real *values, int64_t outer, int64_t units, int64_t inner, limits edge, vg_real *out) {
    if (inner == 1 && edge.some) survey_columns(values, outer, units, edge, true, out);
    else if (inner == 1) survey_columns(values, outer, units, edge, false, out);
    else if (edge.some) survey_lines(values, outer, units, inner, edge, true, out);
    else survey_lines(values, outer, units, inner, edge, false, out);
}

/* words: axis, low, high */
void VG_KERNEL(survey)(const vg_work *work) {
    const vg_view *in = &work->in[0];
    const int64_t axis = (int64_t)work->words[0];
    double bounds[2];
    memcpy(bounds, work->words + 1, sizeof bounds);
    const limits edge = { (vg_real)bounds[0], (vg_real)bounds[1], !isinf(bounds[0]) || !isinf(bounds[1]) };
    if (axis == VG_SURVEY_WHOLE) {
        survey(in->data, 1, 1, in->count, edge, work->out->data);
        return;
    }
    survey(in->data, vg_extent(in, 0, (uint32_t)axis), in->dims[axis], vg_extent(in, (uint32_t)axis + 1, in->rank), edge,
           work->out->data);
}

/* ---- how far a variable has moved */

void VG_VARIANT(vg_distance)(const vg_real *now, const vg_real *before, int64_t count, double *moved, double *norm) {
    double far[2 * WIDE] = { 0 }, size[2 * WIDE] = { 0 };
    int64_t i = 0;
    for (; i + 2 * WIDE <= count; i += 2 * WIDE)
        for (int k = 0; k < 2 * WIDE; k++) {
            const double x = (double)before[i + k], d = (double)now[i + k] - x;
            far[k] += d * d;
            size[k] += x * x;
        }
    for (int k = 0; i + k < count; k++) {
        const double x = (double)before[i + k], d = (double)now[i + k] - x;
        far[k] += d * d;
        size[k] += x * x;
    }
    *moved = *norm = 0;
    for (int k = 0; k < 2 * WIDE; k++) {
        *moved += far[k];
        *norm += size[k];
    }
}
