/* The table of gradient rules, made from op.def: a row without a rule, and without the word that it has none, does
 * not link. */
#include "pass/gradient.h"

#define vg_gradient_none NULL
const vg_gradient_table vg_gradients = { {
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) [VG_OP_##name] = vg_gradient_##gradient,
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) [VG_OP_##name] = vg_gradient_##gradient,
#include "op.def"
#undef VG_MAP
#undef VG_OP
} };
#undef vg_gradient_none
