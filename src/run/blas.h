/* The door to OpenBLAS and its LAPACK: one file includes their headers. Single-threaded: what computes with it stands
 * between vg_blas_enter and vg_blas_leave, which put the host program's thread setting back. */
#ifndef VG_RUN_BLAS_H
#define VG_RUN_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/* One thread from here on, until the last of those that have entered, on whatever thread, leaves. Nests. */
void vg_blas_enter(void);
/* A number that the host has set meanwhile stays. */
void vg_blas_leave(void);
/* c [m, n] = op(a) [m, k] @ op(b) [k, n], row by row, dense; c is overwritten (beta 0). k = 0 gives zeros. */
void vg_blas_product_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                         float *c);
void vg_blas_product_f64(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const double *a, const double *b,
                         double *c);
/* The same of rows that lie lda, ldb, ldc elements apart; `add`: c + op(a) @ op(b) (beta 1). */
void vg_blas_multiply_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                          int64_t ldb, bool add, float *c, int64_t ldc);
void vg_blas_multiply_f64(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const double *a, int64_t lda,
                          const double *b, int64_t ldb, bool add, double *c, int64_t ldc);
/* a [rows, columns], rows >= columns, column by column: replaced by Q of its QR decomposition with the signs of R's
 * diagonal made positive. False if LAPACK fails. */
bool     vg_blas_orthogonal(int64_t rows, int64_t columns, double *a, double *work, uint64_t work_count);
uint64_t vg_blas_orthogonal_scratch(int64_t rows, int64_t columns);    /* doubles */
const char *vg_blas_version(void);

#endif
