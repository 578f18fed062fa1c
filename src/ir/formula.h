/* What the formulas of op.def are written in. Whoever compiles them (vg_op_scalar, the kernels) includes this file
 * with VG_FORMULA_REAL_float or VG_FORMULA_REAL_double defined, and puts each formula where a, b, c are values of a
 * type T: float or double for the column `real`, int32_t for the column `integer`. So one formula gives the same
 * meaning to folding, to host scalars and to every kernel.
 *
 * VG_M(f) is the C library's function of that precision. VG_F(f) is an elementary function by which whole tensors go:
 * in float our own, which vectorises (ir/function.h), in double the C library's. */
#ifndef VG_IR_FORMULA_H
#define VG_IR_FORMULA_H

#include <math.h>
#include <stdint.h>

#if defined VG_FORMULA_REAL_float
typedef float vg_formula_real;
#define VG_M(function) function##f
#define VG_F(function) vg_function_##function
#define VG_SIGMOID(a) vg_function_sigmoid(a)
#include "ir/function.h"
#elif defined VG_FORMULA_REAL_double
typedef double vg_formula_real;
#define VG_M(function) function
#define VG_F(function) function
#define VG_SIGMOID(a) vg_formula_sigmoid(a)
#else
#error "define VG_FORMULA_REAL_float or VG_FORMULA_REAL_double before including ir/formula.h"
#endif

/* int32 arithmetic modulo 2^32: unsigned inside, so that nothing overflows. */
#define VG_WRAP(a, op, b) ((int32_t)((uint32_t)(a) op (uint32_t)(b)))
/* A NaN on either side is the result. */
#define VG_MAX(a, b)  vg_formula_pick((a) > (b) || (a) != (a), (a), (b))
#define VG_MIN(a, b)  vg_formula_pick((a) < (b) || (a) != (a), (a), (b))
#define vg_formula_pick(first, a, b) ((first) ? (a) : (b))
#define VG_ISINF(a)   (VG_M(fabs)(a) == (vg_formula_real)INFINITY)
#define VG_TOINT(a)   vg_formula_toint(a)

#ifdef VG_FORMULA_REAL_double
/* exp is only taken of what is not positive: it cannot overflow, and the small tail keeps all its digits. */
static inline double vg_formula_sigmoid(double a) {
    const double e = exp(-fabs(a));
    return (a < 0 ? e : 1) / (1 + e);
}
#endif

/* Towards zero; beyond int32 its nearest end, NaN is 0. */
static inline int32_t vg_formula_toint(vg_formula_real a) {
    if (a != a) return 0;
    if (a >= (vg_formula_real)2147483648.0) return INT32_MAX;
    if (a <= (vg_formula_real)-2147483648.0) return INT32_MIN;
    return (int32_t)a;
}

#endif
