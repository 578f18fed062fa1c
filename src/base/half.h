/* Floats of 16 bits, and the bits of others, as numbers. */
#ifndef VG_BASE_HALF_H
#define VG_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float vg_single_of_bits(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* bfloat16: the upper half of a float. */
static inline float vg_bfloat_of_bits(uint16_t bits) { return vg_single_of_bits((uint32_t)bits << 16); }

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 mantissa bits. Exact: every half is a float. Its exponent is moved into a
 * float's; what is below its smallest normal number is so many 2^-24. */
static inline float vg_half_of_bits(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    if (exponent == 0) {
        float small = (float)fraction * 0x1p-24f;
        return sign ? -small : small;
    }
    exponent = exponent == 31 ? 255 : exponent + 112;
    return vg_single_of_bits(sign | exponent << 23 | fraction << 13);
}

#endif
