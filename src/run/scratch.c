/* What a kernel needs beside its operands and its result, known before the first step. */
#include "run/blas.h"
#include "run/conv.h"
#include "run/kernel.h"
#include "run/product.h"

static uint64_t orthogonal(const vg_view *out) {
    const int64_t rows = out->rank ? out->dims[0] : 1, columns = rows ? out->count / rows : 0;
    const int64_t height = rows > columns ? rows : columns, width = rows > columns ? columns : rows;
    return ((uint64_t)out->count + vg_blas_orthogonal_scratch(height, width)) * sizeof(double);
}

static int64_t rounded(int64_t count, int64_t to) { return (count + to - 1) / to * to; }
static int64_t at_most(int64_t count, int64_t most) { return count < most ? count : most; }

/* Copies of both operands' blocks, whichever of them gives the columns of tiles. */
uint64_t vg_product_scratch(int64_t m, int64_t n, int64_t k, uint32_t real) {
    const int64_t depth = at_most(k, VG_PRODUCT_DEPTH);
    int64_t most = 0;
    for (int turned = 0; turned < 2; turned++) {
        const int64_t columns = at_most(rounded(turned ? m : n, VG_PRODUCT_COLUMNS), VG_PRODUCT_WIDTH);
        const int64_t rows = at_most(rounded(turned ? n : m, VG_PRODUCT_ROWS), VG_PRODUCT_HEIGHT);
        if (columns + rows > most) most = columns + rows;
    }
    return (uint64_t)(most * depth) * real;
}

static uint64_t matmul(const vg_work *work, uint32_t real) {
    const vg_view *a = &work->in[0], *out = work->out;
    bool swapped = false;      /* a's rows lie outside of the last batch axis */
    for (uint32_t j = 2; j < work->word_count; j++) swapped = swapped || work->words[j] == 0;
    const int64_t k = a->dims[a->rank - (!work->words[0] ? 1 : swapped ? 3 : 2)], n = out->dims[out->rank - 1];
    return vg_product_scratch(n > 0 ? out->count / n : 0, n, k, real);
}

uint64_t vg_kernel_scratch(vg_op op, const vg_work *work, uint32_t real) {
    const vg_view *out = work->out;
    const bool reduces = op == VG_OP_sum || op == VG_OP_prod || op == VG_OP_max || op == VG_OP_min;
    if (reduces) return (uint64_t)out->count * sizeof(double);      /* an accumulator an element */
    if (op == VG_OP_conv2d || op == VG_OP_conv2d_input || op == VG_OP_conv2d_filter)
        return vg_conv_of(op, work, real).scratch;
    if (op == VG_OP_matmul || op == VG_OP_product) return matmul(work, real);
    return op == VG_OP_random_orthogonal ? orthogonal(out) : 0;
}
