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

/* EACH is a loop over all elements x, in lanes k: one for each thing to be found, simple enough for vector
 * instructions. x - x is 0 for finite x alone. */
#define EACH(statement)                                                                                        \
    do {                                                                                                       \
        int64_t i = 0;                                                                                         \
        for (; i + LANES <= count; i += LANES)                                                                 \
            for (int k = 0; k < LANES; k++) { const element x = values[i + k]; statement; }                    \
        for (int k = 0; i + k < count; k++) { const element x = values[i + k]; statement; }                    \
    } while (0)
#define ALL(x) true
#define FINITE(x) ((x) - (x) == 0)

/* The moments of the elements that are TAKEN, of which there are `taken`, one of them `one`. */
#define MOMENTS(name, TYPE, TAKEN)                                                                             \
    static void name(const TYPE *values, int64_t count, int64_t taken, TYPE one, vg_distribution *out) {       \
        typedef TYPE element;                                                                                  \
        double sum[LANES] = { 0 }, square[LANES] = { 0 }, centred[LANES] = { 0 };                              \
        element low[LANES], high[LANES];                                                                       \
        for (int k = 0; k < LANES; k++) low[k] = high[k] = one;                                                \
        EACH(sum[k] += TAKEN(x) ? (double)x : 0);                                                              \
        EACH(square[k] += TAKEN(x) ? (double)x * (double)x : 0);                                               \
        EACH(low[k] = TAKEN(x) && x < low[k] ? x : low[k]);                                                    \
        EACH(high[k] = TAKEN(x) && x > high[k] ? x : high[k]);                                                 \
        out->mean = joined(sum) / (double)taken;                                                               \
        const double mean = out->mean;                                                                         \
        EACH(const double from = (double)x - mean; centred[k] += TAKEN(x) ? from * from : 0);                  \
        for (int k = 1; k < LANES; k++) {                                                                      \
            low[0] = low[k] < low[0] ? low[k] : low[0];                                                        \
            high[0] = high[k] > high[0] ? high[k] : high[0];                                                   \
        }                                                                                                      \
        out->min = (double)low[0];                                                                             \
        out->max = (double)high[0];                                                                            \
        out->std = sqrt(joined(centred) / (double)taken);                                                      \
        out->rms = sqrt(joined(square) / (double)taken);                                                       \
    }

/* What is in no bucket is counted in `DUMP`, a key that only NaNs have: zeros and what is not finite. */
#define DISTRIBUTION(name, TYPE, key_of, KEYS, DUMP)                                                           \
    MOMENTS(name##_all, TYPE, ALL)                                                                             \
    MOMENTS(name##_finite, TYPE, FINITE)                                                                       \
    static void name##_count(const TYPE *values, int64_t count, vg_distribution *out) {                        \
        typedef TYPE element;                                                                                  \
        TYPE wrong[LANES] = { 0 };                                                                             \
        EACH(wrong[k] += x - x);                                                                               \
        for (int k = 1; k < LANES; k++) wrong[0] += wrong[k];                                                  \
        for (int64_t i = 0; wrong[0] != 0 && i < count; i++) {                                                 \
            out->nans += values[i] != values[i];                                                               \
            out->infs += values[i] == values[i] && !FINITE(values[i]);                                         \
        }                                                                                                      \
    }                                                                                                          \
    void name(const TYPE *values, int64_t count, vg_distribution *out) {                                       \
        *out = (vg_distribution){ .count = (uint64_t)count, .keys = out->keys };                               \
        name##_count(values, count, out);                                                                      \
        const uint64_t wrong = out->nans + out->infs;                                                          \
        const int64_t taken = count - (int64_t)wrong;                                                          \
        int64_t first = 0;                                                                                     \
        while (first < count && !FINITE(values[first])) first++;                                               \
        if (taken > 0) (wrong ? name##_finite : name##_all)(values, count, taken, values[first], out);         \
        for (int64_t i = 0; i < count; i++) {                                                                  \
            const TYPE x = values[i];                                                                          \
            out->keys[x == 0 || !FINITE(x) ? (DUMP) : key_of(x)]++;                                            \
        }                                                                                                      \
        out->zeros = out->keys[DUMP] - wrong;                                                                  \
        out->keys[DUMP] = 0;                                                                                   \
        _Static_assert((DUMP) < (KEYS), "the dump is a counter");                                              \
    }
DISTRIBUTION(vg_distribution_of_f32, float, key_f32, VG_KEYS_F32, 0x7ff)
DISTRIBUTION(vg_distribution_of_f64, double, key_f64, VG_KEYS_F64, 0x3fff)
DISTRIBUTION(vg_distribution_of_i32, int32_t, key_i32, VG_KEYS_F32, 0x7ff)
#undef DISTRIBUTION
#undef MOMENTS
#undef FINITE
#undef ALL
#undef EACH

/* magnitude: the bucket's place among those of its sign; the smallest normal number is 2^least_exponent. */
static void edges(uint32_t magnitude, bool negative, int least_exponent, double *low, double *high) {
    double edge[2];
    for (uint32_t k = 0; k < 2; k++) {
        const uint32_t exponent = (magnitude + k) >> 3, part = (magnitude + k) & 7;
        const uint32_t eighths = exponent == 0 ? part : 8 + part;
        edge[k] = ldexp(eighths, least_exponent - 3 + (exponent == 0 ? 0 : (int)exponent - 1));
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
