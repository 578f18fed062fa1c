/* The one file that knows OpenBLAS: see blas.h. LAPACK's routines are declared here, since their header comes with
 * another package than the routines, which OpenBLAS carries itself. */
#include "run/blas.h"

#include <cblas.h>
#include <string.h>

#include "base/thread.h"

void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork,
             int *info);
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau, double *work,
             const int *lwork, int *info);

enum { BLOCK = 64 };     /* columns that LAPACK works on at once */

/* OpenBLAS has one number of threads for the whole process, so this, which looks after it, is the process's, too. */
static struct { vg_word32 lock; uint32_t inside; int threads; } host;

static void lock(void) {
    while (atomic_exchange(&host.lock, 1) != 0) vg_thread_nap(&host.lock, 1, 100);
}

static void unlock(void) { atomic_store(&host.lock, 0); }

void vg_blas_enter(void) {
    lock();
    if (host.inside++ == 0) host.threads = openblas_get_num_threads();
    if (openblas_get_num_threads() != 1) openblas_set_num_threads(1);
    unlock();
}

void vg_blas_leave(void) {
    lock();
    if (--host.inside == 0 && host.threads != 1 && openblas_get_num_threads() == 1) openblas_set_num_threads(host.threads);
    unlock();
}

const char *vg_blas_version(void) { return openblas_get_config(); }

/* Leading dimensions must be at least 1 even where nothing is read. */
static int leading(int64_t columns) { return columns > 1 ? (int)columns : 1; }

#define PRODUCT(name, dense, TYPE, gemm)                                                                       \
    void name(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const TYPE *a, int64_t lda, const TYPE *b,    \
              int64_t ldb, bool add, TYPE *c, int64_t ldc) {                                                   \
        if (m == 0 || n == 0) return;                                                                          \
        for (int64_t row = 0; k == 0 && !add && row < m; row++)                                                \
            memset(c + row * ldc, 0, (size_t)n * sizeof *c);                                                   \
        if (k == 0) return;                                                                                    \
        gemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n,    \
             (int)k, 1, a, leading(lda), b, leading(ldb), add ? 1 : 0, c, leading(ldc));                       \
    }                                                                                                          \
    void dense(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const TYPE *a, const TYPE *b, TYPE *c) {     \
        name(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, false, c, n);                                      \
    }
PRODUCT(vg_blas_multiply_f32, vg_blas_product_f32, float, cblas_sgemm)
PRODUCT(vg_blas_multiply_f64, vg_blas_product_f64, double, cblas_dgemm)
#undef PRODUCT

uint64_t vg_blas_orthogonal_scratch(int64_t rows, int64_t columns) {
    (void)rows;
    return (uint64_t)columns * (2 + BLOCK);    /* tau, the signs, LAPACK's own */
}

bool vg_blas_orthogonal(int64_t rows, int64_t columns, double *a, double *work, uint64_t work_count) {
    const int m = (int)rows, n = (int)columns;
    const int left = (int)(work_count - 2 * (uint64_t)columns);
    double *tau = work, *sign = work + columns, *own = work + 2 * columns;
    int info = 0;
    dgeqrf_(&m, &n, a, &m, tau, own, &left, &info);
    if (info != 0) return false;
    for (int64_t c = 0; c < columns; c++) sign[c] = a[c * rows + c] < 0 ? -1 : 1;
    dorgqr_(&m, &n, &n, a, &m, tau, own, &left, &info);
    if (info != 0) return false;
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = 0; r < rows; r++) a[c * rows + r] *= sign[c];
    return true;
}
