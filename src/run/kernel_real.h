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

/* True when index `at` lies within [0, limit); else it is noted. */
static inline bool vg_index_fits(vg_context *context, const int32_t *indices, int64_t at, int64_t limit) {
    if (indices[at] >= 0 && indices[at] < limit) return true;
    vg_fault_index(context, at, indices[at], limit);
    return false;
}

/* True when all indices, operand 1, lie within [0, limit); else the first that does not is noted. Looked at without a
 * branch, so that it costs little beside what is then done with them. */
static inline bool vg_indices_fit(const vg_work *work, int64_t limit) {
    const int32_t *indices = work->in[1].data;
    const int64_t count = work->in[1].count;
    int32_t outside = 0;
    for (int64_t k = 0; k < count; k++) outside |= (int32_t)((indices[k] < 0) | (indices[k] >= limit));
    for (int64_t k = 0; outside && k < count; k++) vg_index_fits(work->context, indices, k, limit);
    return !outside;
}

/* Every row that is work: what vg_kernels holds. */
#define VG_WORK_ROWS(X)                                                                                        \
    X(sum) X(prod) X(max) X(min) X(argmax) X(argmin) X(survey) X(cumsum)                                                  \
    X(transpose) X(broadcast) X(slice) X(place) X(concat) X(pad) X(flip)                                        \
    X(gather) X(scatter) X(pick) X(spread) X(iota) \
    X(addn) X(matmul) X(product) X(softmax) X(log_softmax) X(log_softmax_input) X(cross_entropy)                \
    X(cross_entropy_input)                                                                                      \
    X(conv2d) X(conv2d_input) X(conv2d_filter) X(pool_argmax) X(pool_max) X(pool_max_input)                        \
    X(pool_sum) X(pool_spread)                                                                                  \
    X(random_normal) X(random_truncated) X(random_uniform) X(random_bernoulli) X(random_orthogonal)

void VG_VARIANT(vg_group_run)(const vg_work *work);
void VG_VARIANT(vg_moments_add)(const vg_real *values, int64_t count, vg_moments *part, uint32_t *counters);
void VG_VARIANT(vg_distance)(const vg_real *now, const vg_real *before, int64_t count, double *moved, double *norm);
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
