/* Matrix products by our own kernels, for the files compiled for each precision and instruction set.
 *
 * Every element is the sum over k in order: by multiply-add where the instruction set has it, in blocks of
 * VG_PRODUCT_DEPTH that are added one after the other. So its bits depend on its row of a, its column of b and k alone,
 * not on how the rows and columns are cut, nor on which of the ways below a shape takes (tests/test_product.c).
 *
 * Measured on a Zen 4 core against OpenBLAS 0.3.21, with AVX-512 and its AVX-512 kernels (with AVX2 and its AVX2
 * kernels), ours takes .87 to .97 (.91 to 1.04) of its time from 128 x 128 x 128 on; of narrow ones, 128 x 10 x 128,
 * .98 (.94), with a transposed .92 (.63); of tiny ones, 32 x 16 x 16 and less, .5 to .95 (.4 to .65). One column of c,
 * 1024 x 1 x 128 with a as it is, takes 4.6 (1.04) times as long, as OpenBLAS cuts k into lanes; so does, in part, b
 * transposed with few rows and a long k (1.6 and .4 for 8 x 9 x 676). Without either instruction set ours takes 2.7
 * times as long, so that OpenBLAS has those. */
#ifndef VG_RUN_PRODUCT_H
#define VG_RUN_PRODUCT_H

#include <stdint.h>

enum {
    VG_PRODUCT_DEPTH = 256,      /* of k at once: a panel of b stays in the first-level cache */
    VG_PRODUCT_WIDTH = 512,      /* columns at once: the panels of b stay in the second-level cache */
    VG_PRODUCT_HEIGHT = 192,     /* rows at once, where a is copied to */
    VG_PRODUCT_ROWS = 12,        /* of the largest micro-kernel of any instruction set */
    VG_PRODUCT_COLUMNS = 32
};

/* Bytes of scratch for a product of [m, k] and [k, n]. real: 4 or 8. */
uint64_t vg_product_scratch(int64_t m, int64_t n, int64_t k, uint32_t real);

#ifdef VG_REAL
#if defined __AVX2__
#define VG_PRODUCT_BY_BLAS false
#else
#define VG_PRODUCT_BY_BLAS true      /* all but the smallest */
#endif
#include "run/kernel_real.h"

/* c [m, n] = op(a) [m, k] @ op(b) [k, n], with rows lda, ldb, ldc elements apart; add: c + the product. same_b: the
 * call before had this b, this shape and this scratch, so that a copy of b need not be made again. */
typedef struct vg_product {
    bool     ta, tb, add, same_b;
    int64_t  m, n, k;
    const vg_real *a; int64_t lda;
    const vg_real *b; int64_t ldb;
    vg_real *c; int64_t ldc;
} vg_product;

/* `scratch`: vg_product_scratch bytes, 64-byte aligned. */
void VG_VARIANT(vg_product_run)(const vg_product *product, void *scratch);
#endif

#endif
