/* sum, prod, max, min over any axes. One accumulator an output element; lines that are reduced are summed in eight
 * lanes joined in a fixed tree, lines that are kept go into their accumulators side by side. Sums and products of
 * floats accumulate in double. Order depends on the shape alone. */
#include "run/group.h"
#include "run/kernel_real.h"

enum { LANES = 8, WIDE = 16 };

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* accumulators [count] filled with the operation's neutral value; a line along the reduced last axis; a line along
 * a kept last axis; the accumulators written out. */
typedef struct operation {
    size_t   accumulator;    /* bytes */
    void   (*start)(void *accumulators, int64_t count);
    vg_inner line, side;
    void   (*rows)(void *accumulators, const void *from, int64_t rows, int64_t count, int64_t stride);
    void   (*columns)(void *accumulators, const void *from, int64_t rows, int64_t count, int64_t stride);
    void   (*finish)(const void *accumulators, void *out, int64_t count);
} operation;

#define OPERATION(op, TYPE, ACC, neutral, formula)                                                             \
    static void op##_start(void *accumulators, int64_t count) {                                                \
        ACC *to = accumulators;                                                                                \
        for (int64_t i = 0; i < count; i++) to[i] = (neutral);                                                 \
    }                                                                                                          \
    static inline ACC op##_join(ACC a, ACC b) { return (ACC)(formula); }                                       \
    static inline void op##_one(ACC *to, const TYPE *from, int64_t count, int64_t stride) {                    \
        ACC lane[LANES];                                                                                       \
        int64_t i = 0;                                                                                         \
        if (count < LANES) {      /* the tree without the lanes that would stay neutral, which change nothing */ \
            for (; i < count; i++) lane[i] = op##_join((neutral), (ACC)from[i * stride]);                      \
            for (int64_t half = LANES / 2; half > 0; half /= 2)                                                \
                for (int64_t k = 0; k < half && k + half < count; k++) lane[k] = op##_join(lane[k], lane[k + half]); \
            if (count > 0) *to = op##_join(*to, lane[0]);                                                      \
            return;                                                                                            \
        }                                                                                                      \
        for (int k = 0; k < LANES; k++) lane[k] = (neutral);                                                   \
        if (stride == 1)                                                                                       \
            for (; i + LANES <= count; i += LANES)                                                             \
                for (int k = 0; k < LANES; k++) lane[k] = op##_join(lane[k], (ACC)from[i + k]);                \
        for (; i < count; i++) lane[i % LANES] = op##_join(lane[i % LANES], (ACC)from[i * stride]);            \
        for (int half = LANES / 2; half > 0; half /= 2)                                                        \
            for (int k = 0; k < half; k++) lane[k] = op##_join(lane[k], lane[k + half]);                       \
        *to = op##_join(*to, lane[0]);                                                                         \
    }                                                                                                          \
    static void op##_line(int64_t count, char *const *at, const int64_t *stride) {                             \
        op##_one((ACC *)at[0], (const TYPE *)at[1], count, stride[1]);                                         \
    }                                                                                                          \
    static void op##_rows(void *accumulators, const void *from, int64_t rows, int64_t count, int64_t stride) { \
        for (int64_t r = 0; r < rows; r++) op##_one((ACC *)accumulators + r, (const TYPE *)from + r * stride, count, 1); \
    }                                                                                                          \
    static void op##_tile(const vg_tile *t, const vg_member *m) {                                              \
        const int64_t stride = t->stride[m->in[0]];                                                            \
        for (int64_t r = 0; r < t->rows; r++) {                                                                \
            const TYPE *from = (const TYPE *)(t->at[m->in[0]] + r * t->row[m->in[0]]);                         \
            ACC all = (neutral);                                                                               \
            if (stride == 1) op##_one(&all, from, t->count, 1);                                                \
            else op##_one(&all, from, t->count, stride);                                                       \
            *(TYPE *)(t->at[m->out] + r * t->row[m->out]) = (TYPE)all;                                         \
        }                                                                                                      \
    }                                                                                                          \
    static void op##_side(int64_t count, char *const *at, const int64_t *stride) {                             \
        ACC *to = (ACC *)at[0];                                                                                \
        const TYPE *from = (const TYPE *)at[1];                                                                \
        if (stride[0] == 1 && stride[1] == 1) {                                                                \
            VG_INDEPENDENT for (int64_t i = 0; i < count; i++) to[i] = op##_join(to[i], (ACC)from[i]);         \
        } else {                                                                                               \
            for (int64_t i = 0; i < count; i++) {                                                              \
                ACC *const one = &to[i * stride[0]];                                                           \
                *one = op##_join(*one, (ACC)from[i * stride[1]]);                                              \
            }                                                                                                  \
        }                                                                                                      \
    }                                                                                                          \
    /* What `side` does for each of many rows, `stride` apart, with `wide` columns' accumulators in registers. */   \
    static ALWAYS_INLINE void op##_some(int wide, ACC *to, const TYPE *from, int64_t rows, int64_t stride) {    \
        ACC part[WIDE];                                                                                        \
        for (int k = 0; k < wide; k++) part[k] = to[k];                                                        \
        for (int64_t r = 0; r < rows; r++)                                                                     \
            for (int k = 0; k < wide; k++) part[k] = op##_join(part[k], (ACC)from[r * stride + k]);             \
        for (int k = 0; k < wide; k++) to[k] = part[k];                                                        \
    }                                                                                                          \
    static void op##_columns(void *accumulators, const void *data, int64_t rows, int64_t count, int64_t stride) { \
        ACC *const to = accumulators;                                                                          \
        const TYPE *const from = data;                                                                         \
        int64_t c = 0;                                                                                         \
        for (; c + WIDE <= count; c += WIDE) op##_some(WIDE, to + c, from + c, rows, stride);                   \
        if (count - c >= 8) op##_some(8, to + c, from + c, rows, stride), c += 8;                               \
        if (count - c >= 4) op##_some(4, to + c, from + c, rows, stride), c += 4;                               \
        if (count - c >= 2) op##_some(2, to + c, from + c, rows, stride), c += 2;                               \
        if (count > c) op##_some(1, to + c, from + c, rows, stride);                                            \
    }                                                                                                          \
    static void op##_finish(const void *accumulators, void *out, int64_t count) {                              \
        const ACC *from = accumulators;                                                                        \
        TYPE *to = out;                                                                                        \
        for (int64_t i = 0; i < count; i++) to[i] = (TYPE)from[i];                                             \
    }                                                                                                          \
    static const operation op = { sizeof(ACC), op##_start, op##_line, op##_side, op##_rows, op##_columns, op##_finish };

OPERATION(sum_real,   vg_real, double,   0, a + b)
OPERATION(sum_whole,  int32_t, uint32_t, 0, a + b)       /* wraps around, as the elementwise sum does */
OPERATION(prod_real,  vg_real, double,   1, a * b)
OPERATION(prod_whole, int32_t, uint32_t, 1, a * b)
OPERATION(max_real,   vg_real, vg_real,  (vg_real)-INFINITY, VG_MAX(a, b))
OPERATION(max_whole,  int32_t, int32_t,  INT32_MIN,  VG_MAX(a, b))
OPERATION(min_real,   vg_real, vg_real,  (vg_real)INFINITY,  VG_MIN(a, b))
OPERATION(min_whole,  int32_t, int32_t,  INT32_MAX,  VG_MIN(a, b))
#undef OPERATION
#undef ALWAYS_INLINE

/* What sum_real_rows does, for several lines at a time, whose lanes are vectors. */
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef vg_real reals __attribute__((vector_size(LANES * sizeof(vg_real)), aligned(sizeof(vg_real)), may_alias));
#ifdef VG_REAL_double
typedef int64_t masks __attribute__((vector_size(LANES * sizeof(vg_real))));
#else
typedef int32_t masks __attribute__((vector_size(LANES * sizeof(vg_real))));
#endif

static inline __attribute__((always_inline)) double joined(const lanes *lane) {
    typedef double four __attribute__((vector_size(4 * sizeof(double))));
    typedef double two __attribute__((vector_size(2 * sizeof(double))));
    const four x = __builtin_shufflevector(*lane, *lane, 0, 1, 2, 3) + __builtin_shufflevector(*lane, *lane, 4, 5, 6, 7);
    const two y = __builtin_shufflevector(x, x, 0, 1) + __builtin_shufflevector(x, x, 2, 3);
    return y[0] + y[1];
}

/* mask: the lanes that the last elements of a line, which do not fill a vector, take; what is read behind them lies before
 * `end`. What is 0 changes no sum: none is -0. */
static inline __attribute__((always_inline)) void sum_some(int lines, double *to, const vg_real *from, int64_t count,
                                                           int64_t stride, const masks *mask, const vg_real *end) {
    const int64_t whole = count / LANES * LANES;
    const bool inside = end - from >= (lines - 1) * stride + whole + LANES;
    lanes sum[4];
#pragma GCC unroll 4
    for (int k = 0; k < lines; k++) sum[k] = (lanes){ 0 };
    for (int64_t i = 0; i < whole; i += LANES)
#pragma GCC unroll 4
        for (int k = 0; k < lines; k++)
            sum[k] += __builtin_convertvector(*(const reals *)(from + k * stride + i), lanes);
#pragma GCC unroll 4
    for (int k = 0; k < lines && whole < count; k++) {
        const vg_real *const last = from + k * stride + whole;
        reals rest = { 0 };
        if (inside) rest = (reals)((masks)*(const reals *)last & *mask);
        else for (int64_t j = 0; j < count - whole; j++) rest[j] = last[j];
        sum[k] += __builtin_convertvector(rest, lanes);
    }
#pragma GCC unroll 4
    for (int k = 0; k < lines; k++) to[k] += joined(&sum[k]);
}

static void sum_lines(void *accumulators, const void *data, int64_t rows, int64_t count, int64_t stride,
                      const void *end) {
    const vg_real *const from = data;
    masks mask;
    int64_t r = 0;
    for (int k = 0; k < LANES; k++) mask[k] = k < count % LANES ? -1 : 0;
    for (; r + 4 <= rows; r += 4)
        sum_some(4, (double *)accumulators + r, from + r * stride, count, stride, &mask, end);
    for (; r < rows; r++) sum_some(1, (double *)accumulators + r, from + r * stride, count, stride, &mask, end);
}

/* The bits of the reduced axes; words are keep, axes... (none: all). */
static uint32_t axes_of(const vg_work *work) {
    if (work->word_count <= 1) return (1u << work->in[0].rank) - 1;
    uint32_t axes = 0;
    for (uint32_t k = 1; k < work->word_count; k++) axes |= 1u << work->words[k];
    return axes;
}

/* The axes that are reduced, but for those of length 1, are the last ones, or the first: lines that lie one behind the
 * other, `count` long. */
typedef struct lines { int64_t rows, count; bool reduced, fine; } lines;

static lines lines_of(const vg_view *in, uint32_t axes) {
    lines l = { 1, 1, true, true };
    bool outer = false, any = false;
    for (uint32_t k = in->rank; k-- > 0;) {
        const bool reduced = (axes >> k & 1) != 0;
        if (in->dims[k] == 1) continue;
        if (!any) l.reduced = reduced;
        outer = outer || reduced != l.reduced;
        any = true;
        if (outer && reduced == l.reduced) l.fine = false;
        if (outer) l.rows *= in->dims[k];
        else l.count *= in->dims[k];
    }
    return l;
}

/* Axes of both kinds in turns. */
static void walk(const vg_view *in, uint32_t axes, const operation *op, void *accumulators) {
    vg_walk walk = vg_walk_over(in);
    int64_t stride = 1;
    walk.arrays = 1;
    walk.at[0] = accumulators;
    walk.size[0] = op->accumulator;
    for (uint32_t k = in->rank; k-- > 0;) {
        const bool reduced = (axes >> k & 1) != 0;
        walk.stride[0][k] = reduced ? 0 : stride;
        if (!reduced) stride *= in->dims[k];
    }
    vg_walk_dense(&walk, in->data, vg_element_size(in->dtype));
    vg_walk_merge(&walk);
    const bool last_reduced = walk.stride[0][walk.rank - 1] == 0;
    /* of images, say: the lines of each of them are added to the same channels */
    const bool channels = op == &sum_real && last_reduced && walk.rank == 3 && walk.stride[0][1] == 1 && walk.stride[0][0] == 0;
    for (int64_t k = 0; channels && k < walk.dims[0]; k++)
        sum_lines(accumulators, (const vg_real *)in->data + k * walk.stride[1][0], walk.dims[1], walk.dims[2], walk.stride[1][1],
                  (const vg_real *)in->data + in->count);
    if (!channels) vg_walk_run(&walk, last_reduced ? op->line : op->side);
}

static void reduce(const vg_work *work, const operation *op) {
    const vg_view *in = &work->in[0];
    const uint32_t axes = axes_of(work);
    void *const accumulators = work->context->scratch;
    op->start(accumulators, work->out->count);
    if (in->count > 0) {
        const lines l = lines_of(in, axes);
        if (!l.fine) walk(in, axes, op, accumulators);
        else if (op == &sum_real && l.reduced && l.count >= LANES)
            sum_lines(accumulators, in->data, l.rows, l.count, l.count, (const vg_real *)in->data + in->count);
        else (l.reduced ? op->rows : op->columns)(accumulators, in->data, l.rows, l.count, l.count);
    }
    op->finish(accumulators, work->out->data, work->out->count);
}

#define REDUCE(name)                                                                                           \
    void VG_KERNEL(name)(const vg_work *work) {                                                                \
        reduce(work, work->out->dtype == VG_I32 ? &name##_whole : &name##_real);                               \
    }
REDUCE(sum)
REDUCE(prod)
REDUCE(max)
REDUCE(min)
#undef REDUCE

/* Each row of a tile (group.h) by itself, as `rows` does it. */
vg_loop VG_VARIANT(vg_reduce_loop)(vg_op op, vg_dtype out) {
    const bool whole = out == VG_I32;
    if (op == VG_OP_sum) return whole ? sum_whole_tile : sum_real_tile;
    if (op == VG_OP_prod) return whole ? prod_whole_tile : prod_real_tile;
    if (op == VG_OP_max) return whole ? max_whole_tile : max_real_tile;
    return whole ? min_whole_tile : min_real_tile;
}
