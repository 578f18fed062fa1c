/* What a kernel needs beside its operands and its result, known before the first step. */
#include "run/blas.h"
#include "run/conv.h"
#include "run/kernel.h"

static uint64_t orthogonal(const vg_view *out) {
    const int64_t rows = out->rank ? out->dims[0] : 1, columns = rows ? out->count / rows : 0;
    const int64_t height = rows > columns ? rows : columns, width = rows > columns ? columns : rows;
    return ((uint64_t)out->count + vg_blas_orthogonal_scratch(height, width)) * sizeof(double);
}

uint64_t vg_kernel_scratch(vg_op op, const vg_work *work, uint32_t real) {
    const vg_view *out = work->out;
    const bool reduces = op == VG_OP_sum || op == VG_OP_prod || op == VG_OP_max || op == VG_OP_min;
    if (reduces) return (uint64_t)out->count * sizeof(double);      /* an accumulator an element */
    if (op == VG_OP_conv2d || op == VG_OP_conv2d_input || op == VG_OP_conv2d_filter) {
        const vg_conv conv = vg_conv_of(op, work, real);
        return (uint64_t)vg_conv_scratch(&conv) * real;
    }
    return op == VG_OP_random_orthogonal ? orthogonal(out) : 0;
}
