/* What a kernel sees. Kernels are compiled for float (suffix _f32) and double (_f64), and for each instruction set; every
 * op.def row that is work has vg_kernel_NAME in all of them. */
#ifndef VG_RUN_KERNEL_H
#define VG_RUN_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/dim.h"
#include "ir/op.h"

typedef struct vg_view {
    void    *data;                     /* row by row, dense; 64-byte aligned unless it is a view's */
    vg_dtype dtype;                    /* VG_F32: VG_REAL elements */
    uint32_t rank;
    int64_t  dims[VG_RANK_LIMIT];
    int64_t  count;
} vg_view;

typedef enum vg_fault_kind { VG_FAULT_none, VG_FAULT_index, VG_FAULT_lapack } vg_fault_kind;

/* What the step is, and what went wrong in it. */
typedef struct vg_context {
    uint64_t      seed, step;
    uint32_t      turn;
    uint64_t      batch;               /* in an evaluation: the batch's number + 1, which keys its draws; else 0 */
    vg_fault_kind fault;               /* the first of the step */
    int64_t       fault_at, fault_value, fault_limit;   /* which index, its value, the first not allowed */
    void         *scratch;             /* scratch_bytes, 64-byte aligned, for one kernel call */
    uint64_t      scratch_bytes;
} vg_context;

/* words: the attribute's, with dimensions already numbers (int64_t); reals as bits (vg_real_word). A path (`s`) is
 * already the 64-bit hash of its text. */
typedef struct vg_work {
    const vg_view *out;
    const vg_view *in;                 /* one for each operand */
    uint32_t       in_count;
    const uint64_t *words;
    uint32_t       word_count;
    vg_context    *context;
} vg_work;

typedef void (*vg_kernel)(const vg_work *work);

/* Instruction sets: `base` is what every machine of this kind has (x86-64 with SSE2; aarch64 with NEON). */
typedef enum vg_isa { VG_ISA_base, VG_ISA_avx2, VG_ISA_avx512, VG_ISA_COUNT } vg_isa;

/* All that is compiled for one instruction set and one precision. */
typedef struct vg_kernels {
    const char *isa;
    bool        cuts;                  /* a product's bits do not depend on how its rows are cut (run/product.h) */
    vg_kernel   row[VG_OP_COUNT];      /* NULL for rows that are no work: leaves that live elsewhere, views, roots */
} vg_kernels;
/* real: 4 or 8, the bytes of a float element. NULL where this build or this machine does not have `isa`. */
const vg_kernels *vg_kernels_of(vg_isa isa, uint32_t real);
const vg_kernels *vg_kernels_best(uint32_t real);
/* Bytes of scratch that a call needs (0 for most): its operands, result and words are known, the values are not.
 * `real`: 4 or 8, the bytes of a float element. */
uint64_t vg_kernel_scratch(vg_op op, const vg_work *work, uint32_t real);

/* ---- the histogram's record: filled by the summary kernel, read by the runtime */
enum { VG_KEYS_F32 = 1 << 12, VG_KEYS_F64 = 1 << 15 };
typedef struct vg_distribution {
    uint64_t  count, zeros, nans, infs;
    double    min, max, mean, std, rms;
    uint64_t *keys;        /* VG_KEYS_F32 (or _F64) counters, zeroed by the caller, by the float's top bits: sign,
                              exponent, three of the mantissa. Integers use the F32 keys in either precision. */
} vg_distribution;
void vg_distribution_of_f32(const float *values, int64_t count, vg_distribution *out);
void vg_distribution_of_f64(const double *values, int64_t count, vg_distribution *out);
void vg_distribution_of_i32(const int32_t *values, int64_t count, vg_distribution *out);
/* The edges of bucket `key`: low <= x < high, for negative ones too: there a value on an edge belongs to the bucket of
 * the next smaller magnitude. Rising values have rising keys among the positive, falling ones among the negative. */
void vg_key_edges_f32(uint32_t key, double *low, double *high);
void vg_key_edges_f64(uint32_t key, double *low, double *high);

#endif
