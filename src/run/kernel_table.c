/* The dispatch table of one precision: a row that is work and has no kernel does not link. */
#include "run/kernel_real.h"

const vg_kernel VG_PRECISE(vg_kernels)[VG_OP_COUNT] = {
#define ROW(name) [VG_OP_##name] = VG_KERNEL(name),
    VG_WORK_ROWS(ROW)
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) ROW(name)
#include "op.def"
#undef VG_MAP
#undef VG_OP
#undef ROW
};
