/* Products and what normalises along an axis: matmul, softmax, log_softmax, addn. */
#include "run/kernel_real.h"

#include "run/product.h"

/* The batch axes of a product: everything but the last two, in matrices. */
static void batch_strides(const vg_view *view, uint32_t rank, int64_t *strides) {
    const uint32_t own = view->rank - 2, missing = rank - own;
    int64_t dense[VG_RANK_LIMIT];
    vg_walk_strides(view->dims, own, dense);
    for (uint32_t k = 0; k < rank; k++) {
        const bool repeated = k < missing || view->dims[k - missing] == 1;
        strides[k] = repeated ? 0 : dense[k - missing];
    }
}

void VG_KERNEL(matmul)(const vg_work *work) {
    const vg_view *a = &work->in[0], *b = &work->in[1], *out = work->out;
    const bool ta = work->words[0] != 0, tb = work->words[1] != 0;
    const uint32_t batch = out->rank - 2;
    const bool columns = ta && batch == 0 && work->to > 0;      /* a part of the result's rows: of a's columns */
    const int64_t n = out->dims[out->rank - 1], k = a->dims[a->rank - (ta ? 2 : 1)];
    int64_t m = out->dims[out->rank - 2], batches = vg_extent(out, 0, batch);
    if (out->count == 0) return;
    if (b->rank == 2 && !ta) {      /* the rows of all matrices are the rows of one */
        m *= batches;
        batches = 1;
    }
    int64_t a_strides[VG_RANK_LIMIT], b_strides[VG_RANK_LIMIT];
    batch_strides(a, batch, a_strides);
    batch_strides(b, batch, b_strides);
    for (int64_t i = 0; i < batches; i++) {
        int64_t at_a = 0, at_b = 0, rest = i;
        for (uint32_t axis = batch; batches > 1 && axis-- > 0; rest /= out->dims[axis]) {
            at_a += rest % out->dims[axis] * a_strides[axis];
            at_b += rest % out->dims[axis] * b_strides[axis];
        }
        const vg_real *left = (const vg_real *)a->data + at_a * vg_extent(a, a->rank - 2, a->rank);
        const vg_real *right = (const vg_real *)b->data + at_b * vg_extent(b, b->rank - 2, b->rank);
        const vg_product product = { .ta = ta, .tb = tb, .m = m, .n = n, .k = k,
                                     .a = left + (columns ? work->from : 0), .lda = ta ? a->dims[a->rank - 1] : k, .b = right, .ldb = tb ? k : n,
                                     .c = (vg_real *)out->data + i * m * n, .ldc = n };
        VG_VARIANT(vg_product_run)(&product, work->context->scratch);
    }
}

/* The logarithm of the sum of exp(x - *top) and the largest element *top, of `count` elements `stride` apart. */
static double log_total(const vg_real *x, int64_t count, int64_t stride, double *top) {
    vg_real largest = x[0];
    for (int64_t i = 1; i < count; i++) {
        const vg_real value = x[i * stride];
        if (value > largest || value != value) largest = value;
    }
    double total = 0;
    for (int64_t i = 0; i < count; i++) total += exp((double)x[i * stride] - (double)largest);
    *top = (double)largest;
    return log(total);
}

static void softmax_line(const vg_real *x, vg_real *y, int64_t count, int64_t stride) {
    double top = 0;
    const double total = exp(log_total(x, count, stride, &top));
    for (int64_t i = 0; i < count; i++) y[i * stride] = (vg_real)(exp((double)x[i * stride] - top) / total);
}

static void log_softmax_line(const vg_real *x, vg_real *y, int64_t count, int64_t stride) {
    double top = 0;
    const double total = log_total(x, count, stride, &top);
    for (int64_t i = 0; i < count; i++) y[i * stride] = (vg_real)((double)x[i * stride] - top - total);
}

static void along(const vg_work *work, void (*line)(const vg_real *, vg_real *, int64_t, int64_t)) {
    const vg_view *in = &work->in[0];
    const uint32_t axis = (uint32_t)work->words[0];
    const int64_t outer = vg_extent(in, 0, axis), count = in->dims[axis], inner = vg_extent(in, axis + 1, in->rank);
    if (in->count == 0) return;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j++) {
            const int64_t first = o * count * inner + j;
            line((const vg_real *)in->data + first, (vg_real *)work->out->data + first, count, inner);
        }
}

void VG_KERNEL(softmax)(const vg_work *work) { along(work, softmax_line); }
void VG_KERNEL(log_softmax)(const vg_work *work) { along(work, log_softmax_line); }

/* Left to right in one pass, so that any number of operands is read once and the sum written once. */
#define ADD_ALL(name, TYPE, ACC)                                                                               \
    static void name(const vg_work *work) {                                                                    \
        enum { BLOCK = 512 };                                                                                  \
        TYPE *out = work->out->data;                                                                           \
        for (int64_t from = 0; from < work->out->count; from += BLOCK) {                                       \
            const int64_t left = work->out->count - from, count = left < BLOCK ? left : BLOCK;                 \
            ACC sum[BLOCK];                                                                                    \
            const TYPE *part = (const TYPE *)work->in[0].data + from;                                          \
            for (int64_t i = 0; i < count; i++) sum[i] = (ACC)part[i];                                         \
            for (uint32_t k = 1; k < work->in_count; k++) {                                                    \
                part = (const TYPE *)work->in[k].data + from;                                                  \
                for (int64_t i = 0; i < count; i++) sum[i] += (ACC)part[i];                                    \
            }                                                                                                  \
            for (int64_t i = 0; i < count; i++) out[from + i] = (TYPE)sum[i];                                  \
        }                                                                                                      \
    }
ADD_ALL(add_real, vg_real, vg_real)
ADD_ALL(add_whole, int32_t, uint32_t)
#undef ADD_ALL

void VG_KERNEL(addn)(const vg_work *work) {
    if (work->out->dtype == VG_I32) add_whole(work);
    else add_real(work);
}
