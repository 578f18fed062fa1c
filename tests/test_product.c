/* Our matrix products to the last bit: every element is one chain of multiply-adds over k, in blocks of
 * VG_PRODUCT_DEPTH, whatever the shape, wherever the operands lie, and however rows and columns are cut; nothing behind
 * an operand is read (a page that may not be touched follows each) and nothing beside c is written.
 *
 * test_product_f64.c compiles this file for double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef VG_REAL
#define VG_REAL float
#define VG_REAL_float
#endif
#define VG_ISA base
#include "base/random.h"
#include "run/product.h"

typedef void (*product)(const vg_product *, void *scratch);
#ifdef __x86_64__
void VG_JOIN_EXPANDED(VG_PRECISE(vg_product_run), avx2)(const vg_product *product, void *scratch);
void VG_JOIN_EXPANDED(VG_PRECISE(vg_product_run), avx512)(const vg_product *product, void *scratch);
#endif
static const product products[VG_ISA_COUNT] = {
    [VG_ISA_base] = VG_VARIANT(vg_product_run),
#ifdef __x86_64__
    [VG_ISA_avx2] = VG_JOIN_EXPANDED(VG_PRECISE(vg_product_run), avx2),
    [VG_ISA_avx512] = VG_JOIN_EXPANDED(VG_PRECISE(vg_product_run), avx512)
#endif
};

/* ---- memory whose end is the end of what may be touched */

typedef struct guarded { char *pages; size_t bytes; vg_real *data; } guarded;

static guarded guarded_new(int64_t count, size_t alignment) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), beyond = (size_t)1 << 24;
    const size_t own = ((size_t)count * sizeof(vg_real) + page - 1) / page * page;
    guarded g = { .bytes = own + beyond };
    g.pages = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.pages != MAP_FAILED);
    assert_int_equal(mprotect(g.pages + own, beyond, PROT_NONE), 0);
    const size_t at = own - (size_t)count * sizeof(vg_real);
    g.data = (vg_real *)(void *)(g.pages + at / alignment * alignment);
    return g;
}

static void guarded_free(guarded *g) { munmap(g->pages, g->bytes); }

/* ---- what is asked */

typedef struct sizes { int64_t m, n, k; } sizes;

static const sizes table[] = {
    { 1, 1, 1 }, { 1, 7, 3 }, { 2, 16, 32 }, { 3, 2, 9 }, { 4, 3, 8 }, { 5, 5, 5 }, { 6, 9, 17 }, { 7, 31, 12 },
    { 8, 9, 100 }, { 12, 12, 12 }, { 13, 17, 11 }, { 16, 2, 32 }, { 17, 33, 1 }, { 19, 24, 40 }, { 23, 25, 64 },
    { 24, 40, 3 }, { 30, 1, 70 }, { 1, 70, 30 }, { 32, 16, 16 }, { 32, 2, 16 }, { 50, 3, 21 }, { 64, 32, 64 },
    { 65, 66, 67 }, { 100, 10, 255 }, { 3, 10, 256 }, { 10, 4, 257 }, { 12, 48, 513 }, { 128, 1, 300 }, { 1, 128, 600 },
    { 200, 70, 30 }, { 130, 97, 260 }, { 9, 515, 20 }, { 26, 530, 258 }, { 200, 100, 258 }, { 4, 4, 0 }
};

/* The chain that product.h promises. */
static vg_real element(const vg_product *p, int64_t row, int64_t column) {
    vg_real c = p->add ? p->c[row * p->ldc + column] : 0;
    for (int64_t from = 0; from < p->k; from += VG_PRODUCT_DEPTH) {
        vg_real sum = 0;
        for (int64_t i = from; i < p->k && i < from + VG_PRODUCT_DEPTH; i++) {
            const vg_real a = p->ta ? p->a[i * p->lda + row] : p->a[row * p->lda + i];
            sum = VG_M(fma)(a, p->tb ? p->b[column * p->ldb + i] : p->b[i * p->ldb + column], sum);
        }
        c = p->add || from > 0 ? c + sum : sum;
    }
    return c;
}

/* Rows and columns of c: those of op(a) and op(b) that make them. */
static vg_product part(const vg_product *whole, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    vg_product p = *whole;
    p.m = rows;
    p.n = columns;
    p.a += row * (p.ta ? 1 : p.lda);
    p.b += column * (p.tb ? p.ldb : 1);
    p.c += row * p.ldc + column;
    return p;
}

static void run(product f, const vg_product *p) {
    const int64_t count = (int64_t)vg_product_scratch(p->m, p->n, p->k, sizeof(vg_real)) / (int64_t)sizeof(vg_real);
    guarded scratch = guarded_new(count, 64);
    f(p, scratch.data);
    guarded_free(&scratch);
}

/* Whole, or in pieces of `rows` and `columns`. */
static void run_cut(product f, const vg_product *whole, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < whole->m; i += rows)
        for (int64_t j = 0; j < whole->n; j += columns) {
            const int64_t height = whole->m - i < rows ? whole->m - i : rows;
            const int64_t width = whole->n - j < columns ? whole->n - j : columns;
            const vg_product p = part(whole, i, height, j, width);
            run(f, &p);
        }
}

static void fill(vg_real *data, int64_t count, uint64_t stream) {
    for (int64_t i = 0; i < count; i++)
        data[i] = (vg_real)(vg_random_uniform((vg_random_key){ stream, 0 }, (uint64_t)i) - 0.5);
}

/* Cuts of c into rows and columns; the first is none. */
static const sizes cuts[] = { { 1000, 1000, 0 }, { 5, 1000, 0 }, { 1000, 7, 0 }, { 13, 29, 0 } };

/* Each instruction set's product, whole and cut, where c was `before`. */
static void check(vg_product p, const vg_real *before, const vg_real *expected, int64_t count, unsigned form) {
    guarded c = guarded_new(count, sizeof(vg_real));
    p.c = c.data;
    for (vg_isa isa = VG_ISA_base; isa < VG_ISA_COUNT; isa++) {
        const vg_kernels *kernels = vg_kernels_of(isa, sizeof(vg_real));
        for (size_t k = 0; kernels && k < sizeof cuts / sizeof *cuts; k++) {
            memcpy(c.data, before, (size_t)count * sizeof *before);
            run_cut(products[isa], &p, cuts[k].m, cuts[k].n);
            for (int64_t i = 0; i < count; i++) {
                if (memcmp(&c.data[i], &expected[i], sizeof *expected) == 0) continue;
                if (!kernels->cuts && VG_M(fabs)(c.data[i] - expected[i]) < (vg_real)1e-4) continue;
                fail_msg("%s, [%d, %d] of k %d, form %u, cut %zu: element %d is %.17g, expected %.17g", kernels->isa,
                         (int)p.m, (int)p.n, (int)p.k, form, k, (int)i, (double)c.data[i], (double)expected[i]);
            }
        }
    }
    guarded_free(&c);
}

/* form: bits for ta, tb, add, and rows that lie farther apart than they are long. */
static void check_form(sizes s, unsigned form) {
    const bool ta = form & 1, tb = form & 2, add = form & 4;
    const int64_t slack = form & 8 ? 3 : 0, lda = (ta ? s.m : s.k) + slack, ldb = (tb ? s.k : s.n) + slack;
    const int64_t ldc = s.n + 2 * slack, a_rows = ta ? s.k : s.m, b_rows = tb ? s.n : s.k;
    const int64_t a_count = a_rows > 0 ? a_rows * lda - slack : 0, b_count = b_rows > 0 ? b_rows * ldb - slack : 0;
    const int64_t count = s.m * ldc - 2 * slack;
    guarded a = guarded_new(a_count, sizeof(vg_real)), b = guarded_new(b_count, sizeof(vg_real));
    guarded before = guarded_new(count, sizeof(vg_real)), expected = guarded_new(count, sizeof(vg_real));
    fill(a.data, a_count, 1);
    fill(b.data, b_count, 2);
    fill(before.data, count, 3);
    memcpy(expected.data, before.data, (size_t)count * sizeof(vg_real));
    const vg_product p = { .ta = ta, .tb = tb, .add = add, .m = s.m, .n = s.n, .k = s.k, .a = a.data, .lda = lda,
                           .b = b.data, .ldb = ldb, .c = before.data, .ldc = ldc };
    for (int64_t i = 0; i < s.m; i++)
        for (int64_t j = 0; j < s.n; j++) expected.data[i * ldc + j] = element(&p, i, j);
    check(p, before.data, expected.data, count, form);
    guarded_free(&a);
    guarded_free(&b);
    guarded_free(&before);
    guarded_free(&expected);
}

static void test_products(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        for (unsigned form = 0; form < 16; form++) check_form(table[k], form);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_products) };
    return cmocka_run_group_tests_name("product", tests, NULL, NULL);
}
