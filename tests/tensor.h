/* For the tests of kernels: small tensors of doubles, and calling a kernel of either precision on them. */
#ifndef VG_TESTS_TENSOR_H
#define VG_TESTS_TENSOR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/graph.h"
#include "run/kernel.h"

typedef struct tensor {
    vg_dtype dtype;
    uint32_t rank;
    int64_t  dims[VG_RANK_LIMIT];
    int64_t  count;
    double  *data;
} tensor;

/* A shape, as tables write it. */
typedef struct shape { uint32_t rank; int64_t dims[VG_RANK_LIMIT]; } shape;
#define SHAPE(...) { sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), { __VA_ARGS__ } }
#define SCALAR { 0, { 0 } }

static inline tensor tensor_new(shape s, vg_dtype dtype) {
    tensor t = { dtype, s.rank, { 0 }, 1, NULL };
    for (uint32_t k = 0; k < s.rank; k++) t.count *= t.dims[k] = s.dims[k];
    t.data = calloc((size_t)t.count + 1, sizeof *t.data);
    return t;
}

/* Numbers that look random and are the same each time; whole ones in low..high for integers. */
static inline void tensor_fill(tensor *t, uint64_t seed, double low, double high) {
    for (int64_t i = 0; i < t->count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const double part = (double)(seed >> 40) / (double)(1 << 24);
        t->data[i] = t->dtype == VG_I32 ? floor(low + part * (high - low)) : (double)(float)(low + part * (high - low));
    }
}

static inline int64_t tensor_at(const tensor *t, const int64_t *index) {
    int64_t at = 0;
    for (uint32_t k = 0; k < t->rank; k++) at = at * t->dims[k] + index[k];
    return at;
}

/* The multi-index of element `at`. */
static inline void tensor_index(const tensor *t, int64_t at, int64_t *index) {
    for (uint32_t k = t->rank; k-- > 0; at /= t->dims[k]) index[k] = at % t->dims[k];
}

static inline vg_view view_of(const tensor *t, bool wide) {
    const bool whole = t->dtype == VG_I32;
    vg_view view = { .dtype = t->dtype, .rank = t->rank, .count = t->count };
    memcpy(view.dims, t->dims, sizeof view.dims);
    view.data = calloc((size_t)t->count + 1, whole ? sizeof(int32_t) : wide ? sizeof(double) : sizeof(float));
    for (int64_t i = 0; i < t->count; i++) {
        if (whole) ((int32_t *)view.data)[i] = (int32_t)t->data[i];
        else if (wide) ((double *)view.data)[i] = t->data[i];
        else ((float *)view.data)[i] = (float)t->data[i];
    }
    return view;
}

static inline double view_get(const vg_view *view, bool wide, int64_t i) {
    if (view->dtype == VG_I32) return ((int32_t *)view->data)[i];
    return wide ? ((double *)view->data)[i] : (double)((float *)view->data)[i];
}

/* Equal up to `tolerance`, relative to the larger of 1 and the value; NaN equals NaN. */
static inline void assert_near(double got, double wanted, double tolerance, const char *what, int64_t at) {
    const double scale = fabs(wanted) > 1 ? fabs(wanted) : 1;
    const bool same = got == wanted || (isnan(got) && isnan(wanted)) || fabs(got - wanted) <= tolerance * scale;
    if (!same) fail_msg("%s, element %lld: got %.17g, wanted %.17g", what, (long long)at, got, wanted);
}

/* Calls the row's kernel; `out` has its shape and type, and receives the values. Every instruction set of the machine
 * must give them, up to the rounding of products that are added at once. */
static inline void tensor_call(vg_op op, bool wide, tensor *out, const tensor *in, uint32_t in_count,
                               const uint64_t *words, uint32_t word_count, vg_context *context) {
    vg_view views[8], result = view_of(out, wide);
    for (uint32_t k = 0; k < in_count; k++) views[k] = view_of(&in[k], wide);
    const vg_work work = { .out = &result, .in = views, .in_count = in_count, .words = words, .word_count = word_count,
                           .context = context };
    context->scratch_bytes = vg_kernel_scratch(op, &work, wide ? 8 : 4);
    context->scratch = aligned_alloc(64, (context->scratch_bytes + 64) / 64 * 64);
    for (vg_isa isa = VG_ISA_base; isa < VG_ISA_COUNT; isa++) {
        const vg_kernels *kernels = vg_kernels_of(isa, wide ? 8 : 4);
        if (kernels == NULL) continue;
        kernels->row[op](&work);
        for (int64_t i = 0; i < out->count; i++) {
            const double value = view_get(&result, wide, i);
            if (isa > VG_ISA_base) assert_near(value, out->data[i], wide ? 1e-12 : 2e-5, kernels->isa, i);
            out->data[i] = value;
        }
    }
    for (uint32_t k = 0; k < in_count; k++) free(views[k].data);
    free(result.data);
    free(context->scratch);
}

#endif
