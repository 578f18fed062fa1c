/* Elementary functions of one float, for op.def's formulas in float32 kernels. Each is a straight line of arithmetic,
 * bit operations and selections, without a branch, a table or a call, so that compilers vectorise a loop over it for
 * SSE2, AVX2, AVX-512 and NEON alike, and an element's bits do not depend on where in the loop it stands. Subnormal
 * arguments and results keep all their digits; NaN, infinities and the sign of zero are C99 Annex F's.
 *
 * Methods are those of Muller, "Elementary Functions", 3rd ed. 2016: arguments reduced in two steps (Cody and Waite
 * 1980: ln 2 as a part whose product with a small whole number is exact, and the rest); rounding to a whole number by
 * adding 3 * 2^22, which leaves it in the low bits; the rounding error of a sum got back (Dekker's Fast2Sum 1971); a
 * polynomial for what is left. The polynomials are minimax, their coefficients tests/reference/minimax.py's.
 * Contraction must be off (-ffp-contract=off): a + (b - a) is meant as it stands.
 *
 * Largest error over all 2^32 floats, in units of the last place (ulp), against the C library's double functions:
 *                 exp    expm1  log    log1p  tanh   sigmoid erf
 *   fused         0.894  1.146  0.877  0.891  1.293  1.470   1.082
 *   not fused     0.927  1.300  0.923  0.929  1.293  1.649   1.393
 * With a fused multiply-add the bits are the same for every instruction set and compiler, and so they are without. */
#ifndef VG_IR_FUNCTION_H
#define VG_IR_FUNCTION_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* a * b + c, rounded once where the machine does that in one instruction. */
#if defined __FMA__ || defined __aarch64__
#define VG_FMA(a, b, c) __builtin_fmaf(a, b, c)
#else
#define VG_FMA(a, b, c) ((a) * (b) + (c))
#endif

static inline uint32_t vg_function_bits(float a) {
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline float vg_function_float(uint32_t bits) {
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* ln 2 to 40 bits: the first part has 15 of them, so that a product with a number of 8 bits is exact. */
#define VG_LN2_HIGH 0x1.62e4p-1f
#define VG_LN2_LOW  0x1.7f7d1cp-20f
#define VG_ROUNDER  0x1.8p23f
#define VG_ONE_BITS 0x3f800000u
#define VG_SIGN_BIT 0x80000000u
#define VG_POWER_BITS 0xff800000u   /* sign and exponent */
#define VG_ROOT_BITS 0x3f3504f3u    /* sqrt(1/2) */

/* a = n * ln 2 + rest, |rest| <= ln 2 / 2, and e^rest = 1 + rest + rest^2 * curve. */
typedef struct vg_reduced {
    float    rest, curve;
    float    high, low;         /* rest before it is rounded: high is exact, low small */
    uint32_t n;                 /* modulo 2^22 */
} vg_reduced;

/* n is at most `most`: for a larger a, infinity among them, high grows instead, and with it what is made of it. a is
 * above -2^15. The polynomial's relative error in e^rest - 1 is 2^-26.0. */
static inline vg_reduced vg_function_reduce(float a, int32_t most) {
    const int32_t end = most == INT32_MAX ? most : (int32_t)vg_function_bits(VG_ROUNDER) + most;
    const int32_t bits = (int32_t)vg_function_bits(VG_FMA(a, 0x1.715476p+0f, VG_ROUNDER));
    const int32_t near = bits < end ? bits : end;
    const float n = vg_function_float((uint32_t)near) - VG_ROUNDER;
    const float high = VG_FMA(n, -VG_LN2_HIGH, a), r = VG_FMA(n, -VG_LN2_LOW, high);
    float p = 0x1.6bec44p-10f;
    p = VG_FMA(p, r, 0x1.122866p-7f);
    p = VG_FMA(p, r, 0x1.5556c4p-5f);
    p = VG_FMA(p, r, 0x1.5554b0p-3f);
    p = VG_FMA(p, r, 0x1.fffffep-2f);
    return (vg_reduced){ r, p, high, n * -VG_LN2_LOW, (uint32_t)near };
}

/* e^rest - 1 but for high, and the whole, in which rest is rounded. */
static inline float vg_function_small(const vg_reduced r) { return VG_FMA(r.rest * r.rest, r.curve, r.low); }
static inline float vg_function_above(const vg_reduced r) { return VG_FMA(r.rest * r.rest, r.curve, r.rest); }

/* 2^n for n from -127 (then 0) to 127. */
static inline float vg_function_power(uint32_t n) { return vg_function_float((n << 23) + VG_ONE_BITS); }

static inline float vg_function_signed(float magnitude, float sign) {
    return vg_function_float(vg_function_bits(magnitude) | (vg_function_bits(sign) & VG_SIGN_BIT));
}

/* Below -104 it is 0 in float; from n = 150 on the factors' product is infinite. A NaN is neither less nor greater: it
 * stays. 2^n is two factors, as it may lie beyond either end: the first product is exact, the second rounds. */
static inline float vg_function_exp(float a) {
    const vg_reduced r = vg_function_reduce(-104 > a ? -104 : a, 150);
    const uint32_t half = r.n >> 1;
    return (1 + (r.high + vg_function_small(r))) * vg_function_power(half) * vg_function_power(r.n - half);
}

/* 2^n * ((1 - 2^-n) + (e^rest - 1)); what the sums lose is added at the end. 2^(1-n) stands for 2^-n and 2^(n-1) for
 * 2^n, as n is up to 128. */
static inline float vg_function_expm1(float a) {
    const vg_reduced r = vg_function_reduce(-20 > a ? -20 : a, 128);
    const float down = 0.5f * vg_function_power(1 - r.n), one = 1 - down;
    const float sum = one + r.high, lost = (r.high - (sum - one)) + ((1 - one) - down);
    const float y = (sum + (vg_function_small(r) + lost)) * 2 * vg_function_power(r.n - 1);
    return vg_function_signed(a > 89 ? INFINITY : y, a);
}

/* Near 0 an odd polynomial, of relative error 2^-27.1; else 1 - 2 / (e^(2|a|) + 1). From 9.02 on it is 1 in float. */
static inline float vg_function_tanh(float a) {
    const float t = fabsf(a), square = t * t;
    float p = -0x1.697112p-8f;
    p = VG_FMA(p, square, 0x1.4f5efep-6f);
    p = VG_FMA(p, square, -0x1.b7cff8p-5f);
    p = VG_FMA(p, square, 0x1.1103f2p-3f);
    p = VG_FMA(p, square, -0x1.555524p-2f);
    const vg_reduced r = vg_function_reduce(2 * t, 64);
    const float e = (1 + vg_function_above(r)) * vg_function_power(r.n);
    return vg_function_signed(t < 0.65f ? VG_FMA(t * square, p, t) : 1 - 2 / (e + 1), a);
}

/* With n and rest of -|a|, S = 2^-n and P = e^rest it is q = P / (S + P), or what that leaves of 1. Sum and P are made
 * 2^-64 times as large, to keep S in range; taking that back may make the result subnormal: the small tail keeps all
 * its digits. q is corrected once: by 1 / (S + P) times P - q * (S + P), whose parts nearly cancel. */
static inline float vg_function_sigmoid(float a) {
    const float down = vg_function_signed(a, -1), scale = 0x1p-64f;
    const vg_reduced n = vg_function_reduce(-104 > down ? -104 : down, INT32_MAX);
    const float s = vg_function_float(VG_ONE_BITS - (64u << 23) - (n.n << 23)), above = vg_function_above(n);
    const float p = VG_FMA(above, scale, scale), r = 1 / (s + p), q = VG_FMA(r, above, r);
    const float left = VG_FMA(-q, s, 1) + VG_FMA(-q, p, above), y = VG_FMA(r, left, q) * scale;
    return a < 0 ? y : 1 - y;
}

/* k * ln 2 + log(1 + f) + rest, |f| < 0.42. The polynomial's relative error in log(1 + f) is 2^-27.2. */
static inline float vg_function_log_sum(float k, float f, float rest) {
    float p = -0x1.38b66cp-4f;
    p = VG_FMA(p, f, 0x1.055c7ep-3f);
    p = VG_FMA(p, f, -0x1.0d84aap-3f);
    p = VG_FMA(p, f, 0x1.22da4ep-3f);
    p = VG_FMA(p, f, -0x1.54722cp-3f);
    p = VG_FMA(p, f, 0x1.999fd6p-3f);
    p = VG_FMA(p, f, -0x1.000228p-2f);
    p = VG_FMA(p, f, 0x1.555556p-2f);
    const float whole = k * VG_LN2_HIGH, sum = whole + f, lost = f - (sum - whole);
    return sum + VG_FMA(f * f, VG_FMA(p, f, -0.5f), lost + rest);
}

/* y where a is positive and finite, as its logarithm. One selection after another: GCC repeats nested ones. */
static inline float vg_function_log_ends(float a, float y) {
    const float above = a < INFINITY ? y : a, end = a == 0 ? -INFINITY : above;
    return a < 0 ? NAN : end;
}

/* a = 2^k * m, m between sqrt(1/2) and sqrt(2); subnormals are made normal first. */
static inline float vg_function_log(float a) {
    const int small = a < 0x1p-126f;
    const uint32_t bits = vg_function_bits(small ? a * 0x1p25f : a), above = bits - VG_ROOT_BITS;
    const float k = (float)(((int32_t)above >> 23) - (small ? 25 : 0));
    const float m = vg_function_float(bits - (above & VG_POWER_BITS));
    return vg_function_log_ends(a, vg_function_log_sum(k, m - 1, k * VG_LN2_LOW));
}

/* The sum 1 + a is split like log's argument; what it lost (Knuth's TwoSum) is added to f, and what that sum loses to
 * the logarithm, of which the derivative there is about 1 - f. */
static inline float vg_function_log1p(float a) {
    const float u = 1 + a, back = u - 1, lost = (1 - (u - back)) + (a - back);
    const uint32_t bits = vg_function_bits(u), above = bits - VG_ROOT_BITS;
    const float k = (float)((int32_t)above >> 23), high = vg_function_float(bits - (above & VG_POWER_BITS)) - 1;
    const float low = 0.5f * vg_function_power(1 - (above >> 23)) * lost;
    const float f = high + low, rest = low - (f - high);
    const float y = vg_function_log_sum(k, f, VG_FMA(k, VG_LN2_LOW, VG_FMA(-f, rest, rest)));
    return vg_function_signed(vg_function_log_ends(u, y), a);
}

/* Near 0 a + a * S(a^2), of relative error 2^-29.0; else 1 - exp(L(|a|)), L = log(1 - erf), which adds a relative error
 * of 2^-29.7. From 3.92 on it is 1 in float. */
static inline float vg_function_erf(float a) {
    const float size = fabsf(a), square = size * size;
    float s = 0x1.496a28p-14f;
    s = VG_FMA(s, square, -0x1.a3f6f0p-11f);
    s = VG_FMA(s, square, 0x1.5405a6p-8f);
    s = VG_FMA(s, square, -0x1.b7f904p-6f);
    s = VG_FMA(s, square, 0x1.ce2cf6p-4f);
    s = VG_FMA(s, square, -0x1.81273ep-2f);
    s = VG_FMA(s, square, 0x1.06eba8p-3f);
    const int32_t bits = (int32_t)vg_function_bits(size), four = (int32_t)vg_function_bits(4);
    const float t = vg_function_float((uint32_t)(bits < four ? bits : four));   /* a NaN stays in size */
    float l = 0x1.86dd52p-13f;
    l = VG_FMA(l, t, -0x1.825aecp-9f);
    l = VG_FMA(l, t, 0x1.65cb72p-6f);
    l = VG_FMA(l, t, -0x1.a6533ap-4f);
    l = VG_FMA(l, t, -0x1.46baeep-1f);
    l = VG_FMA(l, t, -0x1.2088eap+0f);
    l = VG_FMA(l, t, -0x1.661d8cp-12f);
    const vg_reduced r = vg_function_reduce(l, INT32_MAX);
    const float far = 1 - (1 + (r.high + vg_function_small(r))) * vg_function_power(r.n);
    return vg_function_signed(size >= 1 ? far : VG_FMA(size, s, size), a);
}

#undef VG_LN2_HIGH
#undef VG_LN2_LOW
#undef VG_ROUNDER
#undef VG_ONE_BITS
#undef VG_SIGN_BIT
#undef VG_POWER_BITS
#undef VG_ROOT_BITS
#endif
