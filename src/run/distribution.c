/* A tensor's distribution, joined from the moments of its parts (kernel_moments.c): special values counted apart, exact
 * moments of the finite ones, and fixed buckets read from the float's own bits. */
#include "run/kernel.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { LANES = VG_LANES, SHIFT_F64 = 49, BIAS = (1023 - 127) << 3 };

/* ---- a part */

void vg_moments_start(vg_moments *part) {
    *part = (vg_moments){ .shifted = false };
    for (int k = 0; k < LANES; k++) {
        part->low[k] = INFINITY;
        part->high[k] = -INFINITY;
    }
}

void vg_moments_add_one(vg_moments *part, uint32_t *counters, double x, uint32_t key) {
    const uint64_t lane = part->count++ % LANES;
    if (!isfinite(x)) {
        part->nans += isnan(x) != 0;
        part->infs += isinf(x) != 0;
        return;
    }
    if (!part->shifted) part->shift = x;
    part->shifted = true;
    const double from = x - part->shift;
    part->sum[lane] += from;
    part->square[lane] += from * from;
    part->low[lane] = x < part->low[lane] ? x : part->low[lane];
    part->high[lane] = x > part->high[lane] ? x : part->high[lane];
    part->zeros += x == 0;
    counters[key * LANES + lane]++;
}

static inline uint64_t bits_of(double value) { uint64_t bits; memcpy(&bits, &value, sizeof bits); return bits; }
static inline double double_of(uint64_t bits) { double value; memcpy(&value, &bits, sizeof value); return value; }

/* The bucket of a magnitude. */
static uint32_t key_of(double magnitude, bool wide) {
    const uint32_t key = (uint32_t)(bits_of(magnitude) >> SHIFT_F64);
    return wide || magnitude == 0 ? key : magnitude < FLT_MIN ? (uint32_t)(magnitude * 0x1p129) : key - BIAS;
}

/* Among those of floats, without rounding to one. A negative integer on an edge belongs to the bucket of the next
 * smaller magnitude. */
static inline uint32_t key_i32(int32_t value) {
    const uint32_t negative = value < 0;
    const uint32_t key = (uint32_t)((bits_of(fabs((double)value)) - negative) >> SHIFT_F64) - BIAS;
    return (key + negative * (VG_KEYS_F32 / 2)) * (value != 0);
}

void vg_moments_add_i32(const int32_t *values, int64_t count, vg_moments *part, uint32_t *counters) {
    for (int64_t i = 0; i < count; i++) vg_moments_add_one(part, counters, (double)values[i], key_i32(values[i]));
}

/* ---- parts joined */

static double joined(const double *lanes) {
    double lane[LANES];
    memcpy(lane, lanes, sizeof lane);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) lane[k] += lane[k + half];
    return lane[0];
}

void vg_distribution_start(vg_distribution *out) {
    *out = (vg_distribution){ .tallies = out->tallies };
}

/* By their means and the sums of squares about them, in which nothing cancels: Chan, Golub and LeVeque, "Algorithms for
 * computing the sample variance: analysis and recommendations", 1983. Until the end `std` is that sum of squares. */
void vg_distribution_join(vg_distribution *out, const vg_moments *part) {
    const double before = (double)(out->count - out->nans - out->infs);
    const double there = (double)(part->count - part->nans - part->infs), all = before + there;
    out->count += part->count;
    out->zeros += part->zeros;
    out->nans += part->nans;
    out->infs += part->infs;
    if (there == 0) return;
    const double sum = joined(part->sum), mean = part->shift + sum / there, between = mean - out->mean;
    const double about = joined(part->square) - sum * (sum / there);
    if (before == 0) out->min = out->max = part->shift;
    out->std += about < 0 ? 0 : about;
    out->std += before == 0 ? 0 : between * between * (before * (there / all));
    out->mean = before == 0 ? mean : out->mean + between * (there / all);
    for (int k = 0; k < LANES; k++) {
        out->min = part->low[k] < out->min ? part->low[k] : out->min;
        out->max = part->high[k] > out->max ? part->high[k] : out->max;
    }
}

/* What was counted under a key; nothing is any more. */
static uint64_t take(uint32_t *const *counters, uint32_t sets, uint32_t key) {
    uint64_t count = 0;
    for (uint32_t s = 0; s < sets; s++) {
        uint32_t *lane = counters[s] + key * LANES;
        for (int k = 0; k < LANES; k++) count += lane[k];
        memset(lane, 0, LANES * sizeof *lane);
    }
    return count;
}

/* From the largest magnitude down, of both signs, until all are found: a look at the keys in use. Negative ones come in
 * rising order; positive ones are put down from the end. */
static void take_all(vg_distribution *out, uint32_t *const *counters, uint32_t sets, bool wide) {
    const uint32_t half = wide ? VG_KEYS_F64 / 2 : VG_KEYS_F32 / 2;
    const uint64_t total = out->count - out->nans - out->infs - out->zeros;
    const uint64_t negative_zeros = take(counters, sets, half - 1);
    const uint64_t first = take(counters, sets, 0) - (out->zeros - negative_zeros);
    const double largest = fmax(fabs(out->min), fabs(out->max));
    uint32_t count = 0, end = 2 * half;
    uint64_t found = 0;
    for (uint32_t magnitude = key_of(largest, wide) + 1; found < total && magnitude-- > 0;) {
        const uint64_t below = take(counters, sets, half + magnitude);
        const uint64_t above = magnitude == 0 ? first : take(counters, sets, magnitude);
        if (below > 0) out->tallies[count++] = (vg_tally){ half + magnitude, below };
        if (above > 0) out->tallies[--end] = (vg_tally){ magnitude, above };
        found += below + above;
    }
    assert(found == total);
    memmove(out->tallies + count, out->tallies + end, (2 * half - end) * sizeof *out->tallies);
    out->tally_count = count + 2 * half - end;
}

void vg_distribution_finish(vg_distribution *out, uint32_t *const *counters, uint32_t sets, bool wide) {
    const double finite = (double)(out->count - out->nans - out->infs);
    if (finite > 0) {
        const double variance = isnan(out->std) ? INFINITY : out->std / finite;
        out->std = sqrt(variance);
        out->rms = sqrt(variance + out->mean * out->mean);
    }
    take_all(out, counters, sets, wide);
}

#define WHOLE(suffix, TYPE, wide)                                                                              \
    void vg_distribution_of_##suffix(const TYPE *values, int64_t count, uint32_t *counters, vg_distribution *out) { \
        vg_distribution_start(out);                                                                            \
        for (int64_t i = 0; i < count; i += VG_PART) {                                                         \
            vg_moments part;                                                                                   \
            vg_moments_start(&part);                                                                           \
            vg_moments_add_##suffix(values + i, count - i < VG_PART ? count - i : VG_PART, &part, counters);   \
            vg_distribution_join(out, &part);                                                                  \
        }                                                                                                      \
        vg_distribution_finish(out, &counters, 1, wide);                                                       \
    }
WHOLE(f32, float, false)
WHOLE(f64, double, true)
WHOLE(i32, int32_t, false)
#undef WHOLE

/* ---- edges */

/* A double's first bits are a key's; a float's exponent counts from elsewhere, and its subnormal numbers are equal steps
 * of 2^-129. */
static double edge_f32(uint32_t magnitude) {
    return magnitude < 8 ? magnitude * 0x1p-129 : double_of((uint64_t)(magnitude + BIAS) << SHIFT_F64);
}

void vg_key_edges_f32(uint32_t key, double *low, double *high) {
    const uint32_t magnitude = key % (VG_KEYS_F32 / 2);
    const bool negative = key >= VG_KEYS_F32 / 2;
    *low = negative ? -edge_f32(magnitude + 1) : edge_f32(magnitude);
    *high = negative ? -edge_f32(magnitude) : edge_f32(magnitude + 1);
}

void vg_key_edges_f64(uint32_t key, double *low, double *high) {
    const uint64_t sign = (uint64_t)(key >= VG_KEYS_F64 / 2), magnitude = key % (VG_KEYS_F64 / 2);
    *low = double_of(sign << 63 | (magnitude + sign) << SHIFT_F64);
    *high = double_of(sign << 63 | (magnitude + 1 - sign) << SHIFT_F64);
}
