/* A tensor's distribution: special values counted apart, exact moments of the finite ones, and fixed buckets read
 * from the float's own bits. Sums run in eight lanes joined in a fixed tree, in double. */
#include "run/kernel.h"

#include <math.h>
#include <string.h>

enum { LANES = 8, SHIFT_F32 = 20, SHIFT_F64 = 49 };

static double joined(double *lane) {
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) lane[k] += lane[k + half];
    return lane[0];
}

static inline uint32_t bits_f32(float value) { uint32_t bits; memcpy(&bits, &value, sizeof bits); return bits; }
static inline uint64_t bits_f64(double value) { uint64_t bits; memcpy(&bits, &value, sizeof bits); return bits; }

/* The bucket of a finite value that is not zero. Among negative ones, one less in the bits moves a value on an edge
 * to the bucket that begins there. */
static inline uint32_t key_f32(float value) {
    const uint32_t bits = bits_f32(value);
    return (bits - (bits >> 31)) >> SHIFT_F32;
}
static inline uint32_t key_f64(double value) {
    const uint64_t bits = bits_f64(value);
    return (uint32_t)((bits - (bits >> 63)) >> SHIFT_F64);
}
/* An integer's key among those of floats, without rounding it to one. */
static inline uint32_t key_i32(int32_t value) {
    const uint32_t key = key_f64((double)value);
    const uint32_t sign = key >> 14, magnitude = key & 0x3fff;
    return (sign << 11) | (magnitude - ((1023 - 127) << 3));
}

/* Counts and sums in a first pass, squares around the mean in a second, the buckets in a third. `finite` keeps the loops
 * free of branches; what is no bucket's counts in `dump`, a key that only NaNs have. */
#define DISTRIBUTION(name, TYPE, key_of, KEYS, DUMP)                                                           \
    static void name##_moments(const TYPE *values, int64_t count, vg_distribution *out) {                      \
        double sum[LANES] = { 0 }, square[LANES] = { 0 }, centred[LANES] = { 0 };                              \
        double low = INFINITY, high = -INFINITY;                                                               \
        uint64_t zeros = 0, nans = 0, finite = 0;                                                              \
        for (int64_t i = 0; i < count; i++) {                                                                  \
            const double x = (double)values[i];                                                                \
            const bool fine = x - x == 0;                                                                      \
            const double y = fine ? x : 0;                                                                     \
            zeros += x == 0;                                                                                   \
            nans += x != x;                                                                                    \
            finite += fine;                                                                                    \
            sum[i % LANES] += y;                                                                               \
            square[i % LANES] += y * y;                                                                        \
            low = fine && x < low ? x : low;                                                                   \
            high = fine && x > high ? x : high;                                                                \
        }                                                                                                      \
        out->count = (uint64_t)count;                                                                          \
        out->zeros = zeros;                                                                                    \
        out->nans = nans;                                                                                      \
        out->infs = (uint64_t)count - finite - nans;                                                           \
        out->min = out->max = out->mean = out->std = out->rms = 0;                                             \
        if (finite == 0) return;                                                                               \
        const double n = (double)finite, mean = joined(sum) / n;                                               \
        for (int64_t i = 0; i < count; i++) {                                                                  \
            const double x = (double)values[i], y = x - x == 0 ? x - mean : 0;                                 \
            centred[i % LANES] += y * y;                                                                       \
        }                                                                                                      \
        out->min = low;                                                                                        \
        out->max = high;                                                                                       \
        out->mean = mean;                                                                                      \
        out->std = sqrt(joined(centred) / n);                                                                  \
        out->rms = sqrt(joined(square) / n);                                                                   \
    }                                                                                                          \
    void name(const TYPE *values, int64_t count, vg_distribution *out) {                                       \
        name##_moments(values, count, out);                                                                    \
        for (int64_t i = 0; i < count; i++) {                                                                  \
            const TYPE x = values[i];                                                                          \
            const bool none = x == 0 || x - x != 0;                                                            \
            out->keys[none ? (DUMP) : key_of(x)]++;                                                            \
        }                                                                                                      \
        out->keys[DUMP] = 0;                                                                                   \
        _Static_assert((DUMP) < (KEYS), "the dump is a counter");                                              \
    }
DISTRIBUTION(vg_distribution_of_f32, float, key_f32, VG_KEYS_F32, 0x7ff)
DISTRIBUTION(vg_distribution_of_f64, double, key_f64, VG_KEYS_F64, 0x3fff)
DISTRIBUTION(vg_distribution_of_i32, int32_t, key_i32, VG_KEYS_F32, 0x7ff)
#undef DISTRIBUTION

/* magnitude: the bucket's place among those of its sign; the smallest normal number is 2^least_exponent. */
static void edges(uint32_t magnitude, bool negative, int least_exponent, double *low, double *high) {
    double edge[2];
    for (uint32_t k = 0; k < 2; k++) {
        const uint32_t exponent = (magnitude + k) >> 3, part = (magnitude + k) & 7;
        edge[k] = exponent == 0 ? ldexp(part, least_exponent - 3) : ldexp(8 + part, least_exponent - 3 + (int)exponent - 1);
    }
    *low = negative ? -edge[1] : edge[0];
    *high = negative ? -edge[0] : edge[1];
}

void vg_key_edges_f32(uint32_t key, double *low, double *high) {
    edges(key & 0x7ff, (key >> 11) != 0, -126, low, high);
}

void vg_key_edges_f64(uint32_t key, double *low, double *high) {
    edges(key & 0x3fff, (key >> 14) != 0, -1022, low, high);
}
