/* Floats of 16 bits, and the bits of others, as numbers. */
#ifndef VG_BASE_HALF_H
#define VG_BASE_HALF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float vg_single_of_bits(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* bfloat16: the upper half of a float. */
static inline float vg_bfloat_of_bits(uint16_t bits) { return vg_single_of_bits((uint32_t)bits << 16); }

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 mantissa bits. */
static inline float vg_half_of_bits(uint16_t bits) {
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 31, mantissa = bits & 0x3FF;
    if (exponent == 0) {      /* 0 and subnormals */
        const float number = ldexpf((float)mantissa, -24);
        return sign ? -number : number;
    }
    if (exponent == 31) return vg_single_of_bits(sign | 0x7F800000u | mantissa << 13);
    return vg_single_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

#endif
