/* What the formulas of op.def are written in. Whoever compiles them (vg_op_scalar, the kernels) includes this file
 * with VG_FORMULA_REAL_float or VG_FORMULA_REAL_double defined, and puts each formula where a, b, c are values of a
 * type T: float or double for the column `real`, int32_t for the column `integer`. So one formula gives the same
 * meaning to folding, to host scalars and to every kernel. */
#ifndef VG_IR_FORMULA_H
#define VG_IR_FORMULA_H

#include <math.h>
#include <stdint.h>

#if defined VG_FORMULA_REAL_float
typedef float vg_formula_real;
#define VG_M(function) function##f
#elif defined VG_FORMULA_REAL_double
typedef double vg_formula_real;
#define VG_M(function) function
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
#define VG_SIGMOID(a) vg_formula_sigmoid(a)
#define VG_TOINT(a)   vg_formula_toint(a)

/* exp is only taken of what is not positive: it cannot overflow, and the small tail keeps all its digits. */
static inline vg_formula_real vg_formula_sigmoid(vg_formula_real a) {
    const vg_formula_real e = VG_M(exp)(-VG_M(fabs)(a));
    return (a < 0 ? e : 1) / (1 + e);
}

/* Towards zero; beyond int32 its nearest end, NaN is 0. */
static inline int32_t vg_formula_toint(vg_formula_real a) {
    if (a != a) return 0;
    if (a >= (vg_formula_real)2147483648.0) return INT32_MAX;
    if (a <= (vg_formula_real)-2147483648.0) return INT32_MIN;
    return (int32_t)a;
}

#endif
