/* Our own matrix product (product.h), in the manner of Goto and van de Geijn (2008): panels of b are copied so that a
 * micro-kernel reads them in order; a is read where it lies, or copied too where it is transposed. The micro-kernel keeps
 * a tile of c in registers: as many as the instruction set has.
 *
 * Compiled with contraction of a * b + c allowed, which the other kernels are not. */
#include "run/micro.h"

#include "run/blas.h"

enum { ROWS = VG_TILE_ROWS, LANES = VG_MICRO_LANES, COLUMNS = VG_TILE_COLUMNS };
_Static_assert(VG_PRODUCT_WIDTH % COLUMNS == 0 && VG_PRODUCT_HEIGHT % ROWS == 0, "blocks are whole tiles");

/* For each height of a tile, one of one vector and one of two. */
typedef void (*micro)(const vg_micro_tile *t, bool add, vg_real *c, int64_t ldc);
#define MICRO(rows, vectors)                                                                                   \
    static __attribute__((noinline)) void micro_##rows##_##vectors(const vg_micro_tile *t, bool add, vg_real *c, int64_t ldc) { \
        vg_tile_multiply(t, rows, vectors, false, add, c, ldc);                                                \
    }
#define BOTH(rows) MICRO(rows, 1) MICRO(rows, 2)
#define PAIR(rows) { micro_##rows##_1, micro_##rows##_2 },
VG_TILE_HEIGHTS(BOTH)
static const micro micros[ROWS][VG_TILE_VECTORS] = { VG_TILE_HEIGHTS(PAIR) };
#undef MICRO
#undef BOTH
#undef PAIR

/* ---- copies: panels [count / width][depth][width] of a matrix, the last one filled up with zeros */

/* from [depth, count], rows ld apart */
static inline __attribute__((always_inline)) void copy_rows(const vg_real *from, int64_t ld, int64_t depth,
                                                            int64_t count, int64_t width, vg_real *to) {
    for (int64_t j = 0; j < count; j += width) {
        const int64_t own = count - j < width ? count - j : width;
        for (int64_t p = 0; p < depth; p++, to += width) {
            if (own == width) {
                memcpy(to, from + p * ld + j, (size_t)width * sizeof *to);
            } else {
                for (int64_t k = 0; k < own; k++) to[k] = from[p * ld + j + k];
                for (int64_t k = own; k < width; k++) to[k] = 0;
            }
        }
    }
}

#ifndef VG_REAL_double
typedef float eight __attribute__((vector_size(32)));
typedef float eight_loose __attribute__((vector_size(32), aligned(4), may_alias));
#define MIX __builtin_shufflevector
/* 8 rows of 8 floats, ld apart, become 8 columns, `width` apart. */
static inline void turn(const float *from, int64_t ld, float *to, int64_t width) {
    eight r[8], s[8];
    for (int i = 0; i < 8; i++) r[i] = *(const eight_loose *)(from + i * ld);
    for (int i = 0; i < 8; i += 2) {
        s[i] = MIX(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = MIX(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++) {
            r[i + 2 * k] = MIX(s[i + k], s[i + 2 + k], 0, 1, 8, 9, 4, 5, 12, 13);
            r[i + 2 * k + 1] = MIX(s[i + k], s[i + 2 + k], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        *(eight_loose *)(to + i * width) = MIX(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(eight_loose *)(to + (i + 4) * width) = MIX(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}
#undef MIX
#else
static inline void turn(const double *from, int64_t ld, double *to, int64_t width) {
    for (int p = 0; p < 8; p++)
        for (int k = 0; k < 8; k++) to[p * width + k] = from[k * ld + p];
}
#endif

/* from [count, depth], rows ld apart */
static void copy_columns(const vg_real *from, int64_t ld, int64_t depth, int64_t count, int64_t width, vg_real *to) {
    for (int64_t j = 0; j < count; j += width, to += depth * width) {
        const int64_t own = count - j < width ? count - j : width, whole = own / 8 * 8, deep = depth / 8 * 8;
        for (int64_t p = 0; p < deep; p += 8)
            for (int64_t k = 0; k < whole; k += 8) turn(from + (j + k) * ld + p, ld, to + p * width + k, width);
        for (int64_t p = 0; p < depth; p++) {
            for (int64_t k = p < deep ? whole : 0; k < own; k++) to[p * width + k] = from[(j + k) * ld + p];
            for (int64_t k = own; k < width; k++) to[p * width + k] = 0;
        }
    }
}

/* ---- blocks */

/* A block of the product: some of its rows, columns and depth. Both operands are where they lie, or copied. */
typedef struct block {
    const vg_product *product;
    int64_t  row, rows, column, columns, depth;
    const vg_real *a, *b;         /* of the block's first row, column and depth */
    int64_t  a_row, a_step, a_tile, b_step, b_panel;      /* to the next row, depth, tile; depth, panel */
    bool     add;
} block;

static void multiply_block(const block *b) {
    const vg_product *p = b->product;
    for (int64_t j = 0; j < b->columns; j += COLUMNS) {
        const int64_t columns = b->columns - j < COLUMNS ? b->columns - j : COLUMNS;
        vg_micro_tile t = { .row = b->a_row, .step = b->a_step, .b = b->b + j / COLUMNS * b->b_panel, .b_step = b->b_step,
                   .depth = b->depth };
        for (int64_t i = 0; i < b->rows; i += ROWS) {
            const int64_t rows = b->rows - i < ROWS ? b->rows - i : ROWS;
            vg_real *c = p->c + (b->row + i) * p->ldc + b->column + j;
            t.a = b->a + i / ROWS * b->a_tile;
            const micro multiply = micros[rows - 1][columns > LANES];
            if (columns % LANES == 0) {
                multiply(&t, b->add, c, p->ldc);
            } else {
                vg_beside beside __attribute__((aligned(64)));
                multiply(&t, false, beside, COLUMNS);
                vg_tile_place(beside, rows, columns, b->add, c, p->ldc);
            }
        }
    }
}

/* Rows by rows: a transposed one is copied, so that what a tile needs lies in order. */
static void multiply_rows(block *b, int64_t from, vg_real *copy) {
    const vg_product *p = b->product;
    enum { ENOUGH = 64 };      /* columns from which on a copy of a pays */
    const bool copies = p->ta && b->columns > ENOUGH && p->m > ROWS;
    const int64_t most = copies ? VG_PRODUCT_HEIGHT : p->m;
    for (b->row = 0; b->row < p->m; b->row += most) {
        b->rows = p->m - b->row < most ? p->m - b->row : most;
        b->a = p->ta ? p->a + from * p->lda + b->row : p->a + b->row * p->lda + from;
        b->a_row = p->ta ? 1 : p->lda;
        b->a_step = p->ta ? p->lda : 1;
        b->a_tile = ROWS * b->a_row;
        if (copies) {
            copy_rows(b->a, p->lda, b->depth, b->rows, ROWS, copy);
            b->a = copy;
            b->a_row = 1;
            b->a_step = ROWS;
            b->a_tile = ROWS * b->depth;
        }
        multiply_block(b);
    }
}

/* b is read where it lies when few rows would use a copy and its vectors are whole. */
static void place_b(block *b, int64_t from, vg_real *copy) {
    const vg_product *p = b->product;
    enum { FEW = 4 * ROWS };
    const vg_real *at = p->tb ? p->b + b->column * p->ldb + from : p->b + from * p->ldb + b->column;
    if (!p->tb && p->m <= FEW && b->columns % LANES == 0) {
        b->b = at;
        b->b_step = p->ldb;
        b->b_panel = COLUMNS;
        return;
    }
    const int64_t width = b->columns <= LANES ? LANES : COLUMNS;
    b->b = copy;
    b->b_step = width;
    b->b_panel = b->depth * width;
    if (p->tb) copy_columns(at, p->ldb, b->depth, b->columns, width, copy);
    else if (width == LANES) copy_rows(at, p->ldb, b->depth, b->columns, LANES, copy);
    else copy_rows(at, p->ldb, b->depth, b->columns, COLUMNS, copy);
}

void VG_VARIANT(vg_product_run)(const vg_product *product, void *scratch) {
    const vg_product *p = product;
    if (p->m == 0 || p->n == 0) return;
    for (int64_t row = 0; p->k == 0 && !p->add && row < p->m; row++)
        memset(p->c + row * p->ldc, 0, (size_t)p->n * sizeof *p->c);
    enum { TINY = 16 * 16 * 16 };      /* below, a call of BLAS costs more than the work */
    if (VG_PRODUCT_BY_BLAS && p->m * p->n * p->k > TINY) {
        VG_PRECISE(vg_blas_multiply)(p->ta, p->tb, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, p->add, p->c, p->ldc);
        return;
    }
    vg_real *const copy_b = scratch;
    const int64_t width = p->n < VG_PRODUCT_WIDTH ? (p->n + COLUMNS - 1) / COLUMNS * COLUMNS : VG_PRODUCT_WIDTH;
    vg_real *const copy_a = copy_b + width * (p->k < VG_PRODUCT_DEPTH ? p->k : VG_PRODUCT_DEPTH);
    for (int64_t column = 0; column < p->n; column += VG_PRODUCT_WIDTH)
        for (int64_t from = 0; from < p->k; from += VG_PRODUCT_DEPTH) {
            block b = { .product = p, .column = column, .add = p->add || from > 0 };
            b.columns = p->n - column < VG_PRODUCT_WIDTH ? p->n - column : VG_PRODUCT_WIDTH;
            b.depth = p->k - from < VG_PRODUCT_DEPTH ? p->k - from : VG_PRODUCT_DEPTH;
            place_b(&b, from, copy_b);
            multiply_rows(&b, from, copy_a);
        }
}
