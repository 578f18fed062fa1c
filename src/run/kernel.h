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

struct vg_group;
struct vg_tile;
struct vg_member;

/* words: the attribute's, with dimensions already numbers (int64_t); reals as bits (vg_real_word). A path (`s`) is
 * already the 64-bit hash of its text. */
typedef struct vg_work {
    const vg_view *out;
    const vg_view *in;                 /* one for each operand */
    uint32_t       in_count;
    const uint64_t *words;
    uint32_t       word_count;
    vg_context    *context;
    const struct vg_group *group;      /* of elementwise operators that run as one: see run/group.h */
    int64_t        from, to;           /* the rows (of the result's first axis) to compute; to 0: all */
} vg_work;

typedef void (*vg_kernel)(const vg_work *work);
typedef void (*vg_loop)(const struct vg_tile *tile, const struct vg_member *member);      /* run/group.h */

/* Instruction sets: `base` is what every machine of this kind has (x86-64 with SSE2; aarch64 with NEON). */
typedef enum vg_isa { VG_ISA_base, VG_ISA_avx2, VG_ISA_avx512, VG_ISA_COUNT } vg_isa;

struct vg_moments;

/* All that is compiled for one instruction set and one precision. */
typedef struct vg_kernels {
    const char *isa;
    bool        cuts;                  /* a product's bits do not depend on how its rows are cut (run/product.h) */
    vg_kernel   group;                 /* runs work->group */
    void      (*moments)(const void *values, int64_t count, struct vg_moments *part, uint32_t *counters);
    /* Of an elementwise row, by its types; of addn of three; of a reduction along the last axis. */
    vg_loop   (*loop)(vg_op op, vg_dtype out, vg_dtype in);
    vg_kernel   row[VG_OP_COUNT];      /* NULL for rows that are no work: leaves that live elsewhere, views, roots */
} vg_kernels;
/* real: 4 or 8, the bytes of a float element. NULL where this build or this machine does not have `isa`. */
const vg_kernels *vg_kernels_of(vg_isa isa, uint32_t real);
const vg_kernels *vg_kernels_best(uint32_t real);
/* Bytes of scratch that a call needs (0 for most): its operands, result and words are known, the values are not.
 * `real`: 4 or 8, the bytes of a float element. */
uint64_t vg_kernel_scratch(vg_op op, const vg_work *work, uint32_t real);

/* ---- the histogram's record: made where the value is, read by the runtime
 *
 * Values come in parts, each of which has moments of its own; whoever makes a part hands it over in pieces of any size,
 * in order. What is counted is the same in any order, so that counters belong to a thread. Which part a value lies in
 * follows from the tensor alone, and parts are joined in order: then the record's bits depend on neither threads nor
 * pieces. A tensor in one piece is cut into parts of VG_PART values. */
enum { VG_KEYS_F32 = 1 << 12, VG_KEYS_F64 = 1 << 15, VG_LANES = 8, VG_PART = 1 << 15 };

/* sum, square: of differences from `shift`, the first finite value, once there is one. Lanes: kernel_moments.c. */
typedef struct vg_moments {
    double   sum[VG_LANES], square[VG_LANES], low[VG_LANES], high[VG_LANES];
    uint64_t count, zeros, nans, infs;
    double   shift;
    bool     shifted;
} vg_moments;

/* counters: VG_LANES for each of VG_KEYS_F64 keys (f64) or VG_KEYS_F32 (f32, and integers in either precision), by the
 * float's top bits: sign, exponent, three of the mantissa. Zeros are counted, too, 0 in the first bucket and -0 in the
 * last of its sign, which is no finite number's. All 0 before the first value of a tensor. */
void vg_moments_start(vg_moments *part);
void vg_moments_add_f32(const float *values, int64_t count, vg_moments *part, uint32_t *counters);
void vg_moments_add_f64(const double *values, int64_t count, vg_moments *part, uint32_t *counters);
void vg_moments_add_i32(const int32_t *values, int64_t count, vg_moments *part, uint32_t *counters);
/* One value and its key. */
void vg_moments_add_one(vg_moments *part, uint32_t *counters, double value, uint32_t key);

typedef struct vg_tally { uint32_t key; uint64_t count; } vg_tally;
typedef struct vg_distribution {
    uint64_t  count, zeros, nans, infs;
    double    min, max, mean, std, rms;
    vg_tally *tallies;     /* the caller's, room for one of every key: buckets that are not empty, rising */
    uint32_t  tally_count;
} vg_distribution;
void vg_distribution_start(vg_distribution *out);
void vg_distribution_join(vg_distribution *out, const vg_moments *part);
/* After the last part: `sets` threads' counters, which are all 0 again. wide: the keys are VG_KEYS_F64. */
void vg_distribution_finish(vg_distribution *out, uint32_t *const *counters, uint32_t sets, bool wide);
/* All of it for a tensor in one piece. */
void vg_distribution_of_f32(const float *values, int64_t count, uint32_t *counters, vg_distribution *out);
void vg_distribution_of_f64(const double *values, int64_t count, uint32_t *counters, vg_distribution *out);
void vg_distribution_of_i32(const int32_t *values, int64_t count, uint32_t *counters, vg_distribution *out);
/* The edges of bucket `key`: low <= x < high, for negative ones too: there a value on an edge belongs to the bucket of
 * the next smaller magnitude. Rising values have rising keys among the positive, falling ones among the negative. */
void vg_key_edges_f32(uint32_t key, double *low, double *high);
void vg_key_edges_f64(uint32_t key, double *low, double *high);

#endif
