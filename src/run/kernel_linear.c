/* Products and sums of whole tensors: matmul, addn. */
#include "run/kernel_real.h"

#include "run/product.h"

/* The batch axes of a product: everything but the last two, in elements. */
static void batch_strides(const vg_view *view, uint32_t rank, int64_t *strides) {
    const uint32_t own = view->rank - 2;
    vg_walk_repeated(view->dims, own, rank, strides);
    for (uint32_t k = 0; k < rank; k++) strides[k] *= vg_extent(view, own, view->rank);
}

/* One product for each matrix of the batch. */
static void multiply_batch(const vg_work *work, vg_product product, uint32_t rank) {
    const vg_view *a = &work->in[0], *b = &work->in[1], *out = work->out;
    int64_t a_strides[VG_RANK_LIMIT], b_strides[VG_RANK_LIMIT], at[VG_RANK_LIMIT] = { 0 };
    batch_strides(a, rank, a_strides);
    batch_strides(b, rank, b_strides);
    for (;;) {
        VG_VARIANT(vg_product_run)(&product, work->context->scratch);
        uint32_t axis = rank;
        const vg_real *const right = product.b;
        for (; axis > 0; axis--) {
            product.a += a_strides[axis - 1];
            product.b += b_strides[axis - 1];
            if (++at[axis - 1] < out->dims[axis - 1]) break;
            at[axis - 1] = 0;
            product.a -= out->dims[axis - 1] * a_strides[axis - 1];
            product.b -= out->dims[axis - 1] * b_strides[axis - 1];
        }
        if (axis == 0) return;
        product.c += product.m * product.n;
        product.same_b = product.b == right;
    }
}

void VG_KERNEL(matmul)(const vg_work *work) {
    const vg_view *a = &work->in[0], *b = &work->in[1], *out = work->out;
    const bool ta = work->words[0] != 0, tb = work->words[1] != 0;
    const uint32_t batch = out->rank - 2;
    const int64_t n = out->dims[out->rank - 1], k = a->dims[a->rank - (ta ? 2 : 1)], m = out->dims[out->rank - 2];
    const bool columns = ta && batch == 0 && work->to > 0;      /* a part of the result's rows: of a's columns */
    if (out->count == 0) return;
    vg_product product = { .ta = ta, .tb = tb, .m = m, .n = n, .k = k,
                           .a = (const vg_real *)a->data + (columns ? work->from : 0), .lda = a->dims[a->rank - 1],
                           .b = b->data, .ldb = tb ? k : n, .c = out->data, .ldc = n };
    if (b->rank > 2 || ta) {
        multiply_batch(work, product, batch);
    } else {      /* the rows of all matrices are the rows of one */
        product.m *= vg_extent(out, 0, batch);
        VG_VARIANT(vg_product_run)(&product, work->context->scratch);
    }
}

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
