/* For the files that are compiled for each precision and instruction set (VG_ISA), kernel_*.c: their names and the
 * little that all kernels share. */
#ifndef VG_RUN_KERNEL_REAL_H
#define VG_RUN_KERNEL_REAL_H

#include <math.h>
#include <string.h>

#include "run/kernel.h"
#include "run/walk.h"

typedef VG_REAL vg_real;

#ifdef VG_REAL_double
#define VG_FORMULA_REAL_double
#define VG_PRECISE(name) name##_f64
#else
#define VG_FORMULA_REAL_float
#define VG_PRECISE(name) name##_f32
#endif
/* A name of this precision; and of this instruction set, too. */
#define VG_JOIN(name, isa) name##_##isa
#define VG_JOIN_EXPANDED(name, isa) VG_JOIN(name, isa)
#define VG_VARIANT(name) VG_JOIN_EXPANDED(VG_PRECISE(name), VG_ISA)
#define VG_KERNEL(name) VG_VARIANT(vg_kernel_##name)

#include "ir/formula.h"

/* In front of a loop whose turns do not depend on each other, though its result may lie in an operand's place. */
#ifdef __clang__
#define VG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define VG_INDEPENDENT _Pragma("GCC ivdep")
#endif

static inline size_t vg_element_size(vg_dtype dtype) { return dtype == VG_I32 ? sizeof(int32_t) : sizeof(vg_real); }

/* The product of dims[from..to). */
static inline int64_t vg_extent(const vg_view *view, uint32_t from, uint32_t to) {
    int64_t count = 1;
    for (uint32_t k = from; k < to; k++) count *= view->dims[k];
    return count;
}

static inline void vg_fault_index(vg_context *context, int64_t at, int64_t value, int64_t limit) {
    if (context->fault != VG_FAULT_none) return;
    context->fault = VG_FAULT_index;
    context->fault_at = at;
    context->fault_value = value;
    context->fault_limit = limit;
}

/* Every row that is work: what vg_kernels holds. */
#define VG_WORK_ROWS(X)                                                                                        \
    X(sum) X(prod) X(max) X(min) X(argmax) X(argmin) X(cumsum)                                                  \
    X(transpose) X(broadcast) X(slice) X(place) X(concat) X(pad) X(flip)                                        \
    X(gather) X(scatter) X(pick) X(spread) X(iota) \
    X(addn) X(matmul) X(softmax) X(log_softmax)                                                                 \
    X(conv2d) X(conv2d_input) X(conv2d_filter) X(pool_argmax) X(pool_max) X(pool_max_input)                        \
    X(pool_sum) X(pool_spread)                                                                                  \
    X(random_normal) X(random_truncated) X(random_uniform) X(random_bernoulli) X(random_orthogonal)

void VG_VARIANT(vg_group_run)(const vg_work *work);
void VG_VARIANT(vg_moments_add)(const vg_real *values, int64_t count, vg_moments *part, uint32_t *counters);
vg_loop VG_VARIANT(vg_map_loop)(vg_op op, vg_dtype out, vg_dtype in);
vg_loop VG_VARIANT(vg_reduce_loop)(vg_op op, vg_dtype out);      /* of a row each: of sum, prod, max, min */
#define VG_DECLARE(name) void VG_KERNEL(name)(const vg_work *work);
VG_WORK_ROWS(VG_DECLARE)
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) VG_DECLARE(name)
#include "op.def"
#undef VG_MAP
#undef VG_OP
#undef VG_DECLARE

#endif
