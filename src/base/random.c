/* Philox by Random123 (random.h): the stream is its key; the block's index and the turn are its counter. */
#include "base/random.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <Random123/philox.h>

static inline philox4x32_ctr_t block_at(vg_random_key key, uint64_t index) {
    philox4x32_ctr_t counter = {
        { (uint32_t)index, (uint32_t)(index >> 32), (uint32_t)key.turn, (uint32_t)(key.turn >> 32) }
    };
    philox4x32_key_t words = { { (uint32_t)key.stream, (uint32_t)(key.stream >> 32) } };
    return philox4x32_R(10, counter, words);
}

void vg_random_block(vg_random_key key, uint64_t index, uint32_t out[4]) {
    philox4x32_ctr_t block = block_at(key, index);
    for (int i = 0; i < 4; i++) {
        out[i] = block.v[i];
    }
}

/* Number `index` as 64 bits: one half of a block. */
static uint64_t bits_at(vg_random_key key, uint64_t index) {
    uint32_t block[4];
    vg_random_block(key, index / 2, block);
    const uint32_t *half = block + 2 * (index % 2);
    return half[0] | (uint64_t)half[1] << 32;
}

static double to_uniform(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }
static double to_open(uint64_t bits) { return ((double)(bits >> 12) + 0.5) * 0x1p-52; }

double vg_random_uniform(vg_random_key key, uint64_t index) { return to_uniform(bits_at(key, index)); }
double vg_random_open(vg_random_key key, uint64_t index) { return to_open(bits_at(key, index)); }

/* ---- many at once */

enum { TOGETHER = 64 };
/* Blocks behind each other, word by word, so that compilers make several at once. */
typedef struct blocks { uint32_t words[4][TOGETHER]; } blocks;

static uint64_t bits_of(const blocks *b, uint32_t half, uint32_t k) {
    return b->words[2 * half][k] | (uint64_t)b->words[2 * half + 1][k] << 32;
}

static void make_blocks(vg_random_key key, uint64_t first, uint32_t count, blocks *out) {
    for (uint32_t k = 0; k < count; k++) {
        philox4x32_ctr_t block = block_at(key, first + k);
        for (int i = 0; i < 4; i++) {
            out->words[i][k] = block.v[i];
        }
    }
}

void vg_random_uniforms(vg_random_key key, uint64_t first, uint32_t count, double *out) {
    while (count > 0) {
        blocks some;
        double values[2 * TOGETHER];
        uint32_t half = first % 2, room = 2 * TOGETHER - half, now = count < room ? count : room;
        uint32_t needed = (half + now + 1) / 2;
        make_blocks(key, first / 2, needed, &some);
        for (uint32_t k = 0; k < needed; k++) {
            values[2 * k] = to_uniform(bits_of(&some, 0, k));
            values[2 * k + 1] = to_uniform(bits_of(&some, 1, k));
        }
        memcpy(out, values + half, now * sizeof *out);
        first += now;
        count -= now;
        out += now;
    }
}

/* What Box and Muller's formula is made of: a number in (0, 1), and an angle. */
typedef struct polar { double open[TOGETHER], angle[TOGETHER]; } polar;

static void make_polar(vg_random_key key, uint64_t first, uint32_t pairs, polar *out) {
    blocks some;
    make_blocks(key, first, pairs, &some);
    for (uint32_t k = 0; k < pairs; k++) {
        out->open[k] = to_open(bits_of(&some, 0, k));
        out->angle[k] = 2 * M_PI * to_uniform(bits_of(&some, 1, k));
    }
}

/* Loops of one kind each: those without a call are vectorized, and of the others many calls are under way at once. */
static void to_normal(const polar *from, uint32_t pairs, double *out) {
    double radius[TOGETHER];
    for (uint32_t k = 0; k < pairs; k++) {
        radius[k] = -2 * log(from->open[k]);
    }
    for (uint32_t k = 0; k < pairs; k++) {
        radius[k] = sqrt(radius[k]);
    }
    for (uint32_t k = 0; k < pairs; k++) {
        const double angle = from->angle[k];      /* one number, so that both are computed by one call */
        out[2 * k] = radius[k] * cos(angle);
        out[2 * k + 1] = radius[k] * sin(angle);
    }
}

static void some_normal_pairs(vg_random_key key, uint64_t first, uint32_t pairs, double *out) {
    polar some;
    make_polar(key, first, pairs, &some);
    to_normal(&some, pairs, out);
}

void vg_random_normal_pairs(vg_random_key key, uint64_t first, uint32_t pairs, double *out) {
    for (uint32_t begin = 0, now; begin < pairs; begin += now) {
        now = pairs - begin < TOGETHER ? pairs - begin : TOGETHER;
        some_normal_pairs(key, first + begin, now, out + 2 * (size_t)begin);
    }
}

void vg_random_normal_pair(vg_random_key key, uint64_t pair, double out[2]) {
    some_normal_pairs(key, pair, 1, out);
}

void vg_random_normals_f64(vg_random_key key, double mean, double deviation, double *out, uint64_t count) {
    for (uint64_t begin = 0; begin < count; begin += 2 * TOGETHER) {
        double values[2 * TOGETHER];
        const uint32_t now = count - begin < 2 * TOGETHER ? (uint32_t)(count - begin) : 2 * TOGETHER;
        some_normal_pairs(key, begin / 2, (now + 1) / 2, values);
        for (uint32_t k = 0; k < now; k++) {
            out[begin + k] = mean + deviation * values[k];
        }
    }
}

/* ---- many floats: the functions of the C library, one number at a time, take most of the time that normal numbers
 * cost. What follows computes them for several at once, to within a few units in the last place of a double, and looks
 * whether that could change the float; if so, which hardly ever happens, they are computed by the library. */

/* FreeBSD's and musl's log (msun, e_log.c), for numbers between 0 and 1 that are not subnormal. */
static inline double fast_log(double x) {
    const uint64_t half_root = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000, large = 0x4330000000000000;   /* 2^52 */
    uint64_t bits, exponent;
    double m, k;
    memcpy(&bits, &x, sizeof bits);
    bits += one - half_root;
    exponent = bits >> 52 | large;
    bits = (bits & 0x000fffffffffffff) + half_root;      /* m in [sqrt(1/2), sqrt(2)), x = m * 2^k */
    memcpy(&m, &bits, sizeof m);
    memcpy(&k, &exponent, sizeof k);
    k -= 0x1p52 + 1023;
    const double f = m - 1, s = f / (2 + f), z = s * s, square = 0.5 * f * f;
    const double rest = z * (6.666666666666735130e-01 + z * (3.999999999940941908e-01 + z * (2.857142874366239149e-01
                      + z * (2.222219843214978396e-01 + z * (1.818357216161805012e-01 + z * (1.531383769920937332e-01
                      + z * 1.479819860511658591e-01))))));
    return s * (square + rest) + k * 1.90821492927058770002e-10 - square + f + k * 6.93147180369123816490e-01;
}

/* The same library's sine and cosine (k_sin.c, k_cos.c), for angles from 0 to 2 pi. */
static inline void fast_sine(double angle, double *sine, double *cosine) {
    const double round = 0x1.8p52, quarter = angle * 6.36619772367581382433e-01 + round - round;   /* 0, 1, ... 4 */
    double r = angle - quarter * 1.57079632673412561417e+00;
    r -= quarter * 6.07710050630396597660e-11;
    r -= quarter * 2.02226624879595063154e-21;
    const double z = r * r, half = 0.5 * z, w = 1 - half;
    const double s = r + z * r * (-1.66666666666666324348e-01 + z * (8.33333333332248946124e-03
                   + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06
                   + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
    const double c = w + (1 - w - half + z * z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03
                   + z * (2.48015872894767294178e-05 + z * (-2.75573143513906633035e-07
                   + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11))))));
    const double up = quarter == 1 || quarter == 3 ? c : s, along = quarter == 1 || quarter == 3 ? s : c;
    *sine = quarter == 2 || quarter == 3 ? -up : up;
    *cosine = quarter == 1 || quarter == 2 ? -along : along;
}

/* Relative to what the library gives: twice two functions of a few units of 2^-53 each are well below. */
static const double DOUBT = 0x1p-46;

/* Whether each number is the float that the library's would be rounded to. */
static bool fast_normals(const polar *from, double mean, double deviation, float *out) {
    double values[2 * TOGETHER];
    uint32_t doubtful = 0;
    for (uint32_t k = 0; k < TOGETHER; k++) {
        double sine, cosine, radius = sqrt(-2 * fast_log(from->open[k]));
        fast_sine(from->angle[k], &sine, &cosine);
        values[2 * k] = radius * cosine;
        values[2 * k + 1] = radius * sine;
    }
    for (uint32_t k = 0; k < 2 * TOGETHER; k++) {
        const double part = deviation * values[k], value = mean + part, doubt = (fabs(part) + fabs(value)) * DOUBT;
        const float low = (float)(value - doubt), high = (float)(value + doubt);
        out[k] = low;
        doubtful |= low != high;      /* or either is NaN */
    }
    return doubtful == 0;
}

void vg_random_normals_f32(vg_random_key key, double mean, double deviation, float *out, uint64_t count) {
    for (uint64_t begin = 0; begin < count; begin += 2 * TOGETHER) {
        polar some;
        float floats[2 * TOGETHER];
        const uint32_t now = count - begin < 2 * TOGETHER ? (uint32_t)(count - begin) : 2 * TOGETHER;
        make_polar(key, begin / 2, TOGETHER, &some);
        if (!fast_normals(&some, mean, deviation, floats)) {
            double values[2 * TOGETHER];
            to_normal(&some, TOGETHER, values);
            for (uint32_t k = 0; k < now; k++) {
                floats[k] = (float)(mean + deviation * values[k]);
            }
        }
        memcpy(out + begin, floats, now * sizeof *out);
    }
}

/* ---- one */

static uint64_t below(uint64_t bits, uint64_t bound) { return (uint64_t)((unsigned __int128)bits * bound >> 64); }

uint64_t vg_random_below(vg_random_key key, uint64_t index, uint64_t bound) {
    return below(bits_at(key, index), bound);
}

void vg_random_shuffle(vg_random_key key, uint32_t *order, uint32_t count) {
    blocks some;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i % (2 * TOGETHER);
        if (at == 0) {
            make_blocks(key, i / 2, TOGETHER, &some);
        }
        uint32_t other = (uint32_t)below(bits_of(&some, at % 2, at / 2), (uint64_t)i + 1);
        order[i] = order[other];   /* itself when other is i */
        order[other] = i;
    }
}
