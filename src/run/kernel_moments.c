/* The moments of a run of values, and how many lie in each of the histogram's buckets, in one pass.
 *
 * A part sums d and d*d of d = x - shift in double, where shift is the part's own first finite value. Equal values have
 * d = 0, and so a deviation of exactly 0. Otherwise digits cancel when the squared sum of d is taken from the sum of
 * d*d. How many is bounded: when the value furthest from the shift lies D away from it, n values have a sum of d*d of
 * at most n*D*D; the shift is one of the values, too, and the squares about the mean of these two alone come to D*D/2.
 * So 2n of 2^53 is lost at most: 2^16 in a part of 2^15 values. Squares of doubles beyond 2^511 overflow.
 *
 * A value's lane is its place in the part, so that neither the pieces in which a part is handed over nor the width
 * of vectors change a bit. Each lane has counters of its own: equal neighbours do not wait for each other's store. */
#include "run/kernel_real.h"

/* How many values are looked at before it is noticed that one is not finite; how far counting lags behind, so that
 * scalar and vector instructions overlap and none waits for a key. */
enum { LANES = VG_LANES, BLOCK = 1024, LAG = 32 };

#ifdef VG_REAL_double
typedef uint64_t word;
typedef int64_t  mask;
enum { KEY_SHIFT = 49 };
#else
typedef uint32_t word;
typedef int32_t  mask;
enum { KEY_SHIFT = 20 };
#endif

/* Vectors as wide as registers are: WIDE doubles, and as many reals; MANY reals. */
#if defined __AVX512F__
enum { WIDTH = 64 };
#elif defined __AVX2__
enum { WIDTH = 32 };
#else
enum { WIDTH = 16 };
#endif
enum { WIDE = WIDTH / sizeof(double), BYTES = WIDTH < LANES * sizeof(vg_real) ? WIDTH : LANES * sizeof(vg_real),
       MANY = BYTES / sizeof(vg_real) };
typedef double  wide_doubles __attribute__((vector_size(WIDTH)));
typedef vg_real wide_reals __attribute__((vector_size(WIDE * sizeof(vg_real))));
typedef vg_real reals __attribute__((vector_size(BYTES)));
typedef word    words __attribute__((vector_size(BYTES)));
typedef mask    masks __attribute__((vector_size(BYTES)));

/* The bucket of a finite value. Among negative ones, one less in the bits moves a value on an edge to the bucket that
 * begins there. 0 comes to lie in the first bucket, -0 in VG_KEY_ZERO's. */
#define KEY_OF(bits) (((bits) - ((bits) >> (8 * sizeof(vg_real) - 1))) >> KEY_SHIFT)

static inline reals pick(masks which, reals a, reals b) { return (reals)((which & (masks)a) | (~which & (masks)b)); }

static inline void count_keys(const word *keys, int64_t count, uint32_t *counters, uint32_t by) {
    for (int64_t i = 0; i < count; i += LANES)
        for (int k = 0; k < LANES; k++) counters[(uint64_t)keys[i + k] * LANES + (uint64_t)k] += by;
}

static bool all_finite(const wide_doubles *lanes) {
    wide_doubles wrong = { 0 };
    for (int k = 0; k < LANES / WIDE; k++) wrong += lanes[k] - lanes[k];
    double all = 0;
    for (int k = 0; k < WIDE; k++) all += wrong[k];
    return all == 0;
}

/* Whole lanes of values, BLOCK at most, for a part that is shifted and whose next lane is the first. False, with
 * everything as it was, when one is not finite. */
static bool add_block(const vg_real *values, int64_t count, vg_moments *part, uint32_t *counters) {
    wide_doubles sum[LANES / WIDE], square[LANES / WIDE];
    reals low[LANES / MANY], high[LANES / MANY];
    words zeros[LANES / MANY] = { { 0 } };
    word keys[BLOCK];
    const double shift = part->shift;
    memcpy(sum, part->sum, sizeof sum);
    memcpy(square, part->square, sizeof square);
    for (int k = 0; k < LANES; k++) {
        low[k / MANY][k % MANY] = (vg_real)part->low[k];
        high[k / MANY][k % MANY] = (vg_real)part->high[k];
    }
    for (int64_t i = 0; i < count; i += LANES) {
        for (int k = 0; k < LANES / WIDE; k++) {
            wide_reals x;
            memcpy(&x, values + i + k * WIDE, sizeof x);
            const wide_doubles from = __builtin_convertvector(x, wide_doubles) - shift;
            sum[k] += from;
            square[k] += from * from;
        }
        for (int k = 0; k < LANES / MANY; k++) {
            reals x;
            memcpy(&x, values + i + k * MANY, sizeof x);
            low[k] = pick(x < low[k], x, low[k]);
            high[k] = pick(x > high[k], x, high[k]);
            zeros[k] -= (words)(x == 0);
            const words key = KEY_OF((words)x);
            memcpy(keys + i + k * MANY, &key, sizeof key);
        }
        if (i >= LAG) count_keys(keys + i - LAG, LANES, counters, 1);
    }
    const int64_t last = count < LAG ? 0 : count - LAG;
    count_keys(keys + last, count - last, counters, 1);
    if (!all_finite(square)) {
        count_keys(keys, count, counters, (uint32_t)-1);
        return false;
    }
    memcpy(part->sum, sum, sizeof sum);
    memcpy(part->square, square, sizeof square);
    for (int k = 0; k < LANES; k++) {
        part->low[k] = (double)low[k / MANY][k % MANY];
        part->high[k] = (double)high[k / MANY][k % MANY];
        part->zeros += zeros[k / MANY][k % MANY];
    }
    part->count += (uint64_t)count;
    return true;
}

void VG_VARIANT(vg_moments_add)(const vg_real *values, int64_t count, vg_moments *part, uint32_t *counters) {
    while (count > 0) {
        int64_t taken = (count < BLOCK ? count : BLOCK) / LANES * LANES;
        const bool lanes = part->shifted && part->count % LANES == 0 && taken > 0;
        if (!lanes) taken = 1;
        if (!lanes || !add_block(values, taken, part, counters))
            for (int64_t i = 0; i < taken; i++) {
                word bits;
                memcpy(&bits, &values[i], sizeof bits);
                vg_moments_add_one(part, counters, (double)values[i], (uint32_t)KEY_OF(bits));
            }
        values += taken;
        count -= taken;
    }
}
