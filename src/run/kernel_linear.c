/* Products and sums of whole tensors: matmul, product, addn. */
#include "run/kernel_real.h"

#include "run/product.h"

enum { A = 0, B = 1, C = 2 };

/* The operands and the result whose rows lie outside of the last batch axis, as bits. words: ta, tb, these. */
static uint32_t swaps_of(const vg_work *work) {
    uint32_t swap = 0;
    for (uint32_t k = 2; k < work->word_count; k++) swap |= 1u << work->words[k];
    return swap;
}

/* The matrices of an operand or of the result. batch: strides, in elements, along the result's batch axes, 0 where they
 * are repeated; row: from a row to the next. */
typedef struct layout { int64_t dims[VG_RANK_LIMIT], batch[VG_RANK_LIMIT], rows, columns, row; } layout;

/* `rank`: of the result's batch axes. */
static layout layout_of(const vg_view *view, uint32_t rank, bool swapped) {
    int64_t strides[VG_RANK_LIMIT], dims[VG_RANK_LIMIT];
    const uint32_t own = view->rank - 2, missing = rank - own;
    vg_walk_strides(view->dims, view->rank, strides);
    for (uint32_t k = 0; k < view->rank; k++) dims[k] = view->dims[k];
    if (swapped) {
        const int64_t stride = strides[own], length = dims[own];
        strides[own] = strides[own - 1];
        strides[own - 1] = stride;
        dims[own] = dims[own - 1];
        dims[own - 1] = length;
    }
    layout l = { .rows = dims[own], .columns = dims[own + 1], .row = strides[own] };
    for (uint32_t k = missing; k < rank; k++) {
        l.dims[k] = dims[k - missing];
        l.batch[k] = l.dims[k] == 1 ? 0 : strides[k - missing];
    }
    return l;
}

/* One product for each matrix of the batch. */
static void multiply_batch(const vg_work *work, vg_product product, uint32_t rank) {
    const uint32_t swap = swaps_of(work);
    const layout a = layout_of(&work->in[A], rank, swap >> A & 1), b = layout_of(&work->in[B], rank, swap >> B & 1);
    const layout c = layout_of(work->out, rank, swap >> C & 1);
    int64_t at[VG_RANK_LIMIT] = { 0 };
    product.m = c.rows;
    product.n = c.columns;
    product.k = product.ta ? a.rows : a.columns;
    product.lda = a.row;
    product.ldb = b.row;
    product.ldc = c.row;
    for (;;) {
        VG_VARIANT(vg_product_run)(&product, work->context->scratch);
        uint32_t axis = rank;
        const vg_real *const right = product.b;
        for (; axis > 0; axis--) {
            const uint32_t k = axis - 1;
            const int64_t steps = ++at[k] < c.dims[k] ? 1 : 1 - c.dims[k];      /* on, or back to the first */
            product.a += steps * a.batch[k];
            product.b += steps * b.batch[k];
            product.c += steps * c.batch[k];
            if (steps == 1) break;
            at[k] = 0;
        }
        if (axis == 0) return;
        product.same_b = product.b == right;
    }
}

static void multiply(const vg_work *work) {
    const vg_view *a = &work->in[A], *b = &work->in[B], *out = work->out;
    const bool ta = work->words[0] != 0, tb = work->words[1] != 0;
    const uint32_t batch = out->rank - 2;
    const int64_t n = out->dims[out->rank - 1], k = a->dims[a->rank - (ta ? 2 : 1)], m = out->dims[out->rank - 2];
    const bool columns = ta && batch == 0 && work->to > 0;      /* a part of the result's rows: of a's columns */
    if (out->count == 0) return;
    vg_product product = { .ta = ta, .tb = tb, .m = m, .n = n, .k = k,
                           .a = (const vg_real *)a->data + (columns ? work->from : 0), .lda = a->dims[a->rank - 1],
                           .b = b->data, .ldb = tb ? k : n, .c = out->data, .ldc = n, .add = work->in_count > C };
    if (product.add && out->data != work->in[C].data)
        memcpy(out->data, work->in[C].data, (size_t)out->count * sizeof(vg_real));
    if (b->rank > 2 || (ta && batch > 0) || work->word_count > 2) {
        multiply_batch(work, product, batch);
    } else {      /* the rows of all matrices are the rows of one */
        product.m *= vg_extent(out, 0, batch);
        VG_VARIANT(vg_product_run)(&product, work->context->scratch);
    }
}

void VG_KERNEL(matmul)(const vg_work *work) { multiply(work); }
void VG_KERNEL(product)(const vg_work *work) { multiply(work); }

/* Left to right in one pass, so that any number of operands is read once and the sum written once; the first four of
 * each element at once. The sum may lie in the place of any operand: so it is written last. */
#define ADD_ALL(name, TYPE, ACC)                                                                               \
    static void name(const vg_work *work) {                                                                    \
        enum { BLOCK = 512 };                                                                                  \
        const uint32_t many = work->in_count;                                                                  \
        for (int64_t from = 0; from < work->out->count; from += BLOCK) {                                       \
            const int64_t left = work->out->count - from, count = left < BLOCK ? left : BLOCK;                 \
            TYPE *out = (TYPE *)work->out->data + from, sum[BLOCK], *to = many > 4 ? sum : out;                \
            const TYPE *part[4];                                                                               \
            for (uint32_t k = 0; k < 4; k++)                                                                   \
                part[k] = (const TYPE *)work->in[k < many ? k : 0].data + from;                                \
            const TYPE *a = part[0], *b = part[1], *c = part[2], *d = part[3];                                 \
            if (many == 1) {                                                                                   \
                VG_INDEPENDENT                                                                                 \
                for (int64_t i = 0; i < count; i++) to[i] = a[i];                                              \
            } else if (many == 2) {                                                                            \
                VG_INDEPENDENT                                                                                 \
                for (int64_t i = 0; i < count; i++) to[i] = (TYPE)((ACC)a[i] + (ACC)b[i]);                     \
            } else if (many == 3) {                                                                            \
                VG_INDEPENDENT                                                                                 \
                for (int64_t i = 0; i < count; i++) to[i] = (TYPE)((ACC)a[i] + (ACC)b[i] + (ACC)c[i]);         \
            } else {                                                                                           \
                VG_INDEPENDENT                                                                                 \
                for (int64_t i = 0; i < count; i++) to[i] = (TYPE)((ACC)a[i] + (ACC)b[i] + (ACC)c[i] + (ACC)d[i]); \
            }                                                                                                  \
            for (uint32_t k = 4; k < many; k++) {                                                              \
                const TYPE *next = (const TYPE *)work->in[k].data + from;                                      \
                TYPE *last = k + 1 == many ? out : sum;                                                        \
                VG_INDEPENDENT                                                                                 \
                for (int64_t i = 0; i < count; i++) last[i] = (TYPE)((ACC)sum[i] + (ACC)next[i]);              \
            }                                                                                                  \
        }                                                                                                      \
    }
ADD_ALL(add_real, vg_real, vg_real)
ADD_ALL(add_whole, int32_t, uint32_t)
#undef ADD_ALL

void VG_KERNEL(addn)(const vg_work *work) {
    if (work->out->dtype == VG_I32) add_whole(work);
    else add_real(work);
}
