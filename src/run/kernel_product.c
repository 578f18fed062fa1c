/* Our own matrix product (product.h), in the manner of Goto and van de Geijn (2008): a micro-kernel (product_tile.h)
 * keeps a tile of c in registers, as many as the instruction set has. It reads operands where they lie, or copies of
 * them in the order that it needs, where that was measured to pay: when their lines are far apart, or transposed.
 *
 * Compiled with contraction of a * b + c allowed, which the other kernels are not. */
#include "run/product.h"

#include "run/blas.h"

/* A tile is ROWS of two vectors, or TALL of one. MASKS: a vector may be loaded and stored in part. HALVES: of vectors
 * half as long there are two a cycle. */
#if defined __AVX512F__
#include <immintrin.h>
#define VECTOR_BYTES 64
#define TWOS   LONG
#define MASKS  1
#define HALVES 1
#elif defined __AVX2__
#include <immintrin.h>
#define VECTOR_BYTES 32
#define MASKS  1
#define HALVES 0
#define TWOS   SHORT
#else
#define MASKS  0
#define HALVES 0
#define VECTOR_BYTES 16
#if defined __aarch64__
#define TWOS   LONG
#else
#define TWOS   SHORT
#endif
#endif
#if defined __AVX512F__ || defined __aarch64__
enum { ROWS = 12 };
#else
enum { ROWS = 6 };
#endif
enum { TALL = 12, LANES = VECTOR_BYTES / sizeof(vg_real), VECTORS = 2, COLUMNS = VECTORS * LANES };
_Static_assert((int)ROWS <= VG_PRODUCT_ROWS && (int)COLUMNS <= VG_PRODUCT_COLUMNS, "scratch is measured by these");
_Static_assert(VG_PRODUCT_WIDTH % COLUMNS == 0 && VG_PRODUCT_HEIGHT % ROWS == 0, "blocks are whole tiles");

/* Element (i, p) of an operand, i of rows or columns of c and p of k, is at[i * across + p * deep]. */
typedef struct operand { const vg_real *at; int64_t across, deep; } operand;

/* Some rows and columns of c: right.across is 1, and its last vector has `last` columns. */
typedef struct tile { operand left, right; int64_t depth, last; } tile;

#define TILE(name) name##_whole
#define TILE_BYTES VECTOR_BYTES
#include "run/product_tile.h"
#if HALVES
#define TILE(name) name##_half
#define TILE_BYTES (VECTOR_BYTES / 2)
#include "run/product_tile.h"
#endif

/* One function for each kind of columns (two vectors, two of which the last may be part of one, one, half a one) and
 * each height of a tile. */
#define KIND(name, width, vectors, some)                                                                       \
    static inline __attribute__((always_inline)) void tile_##name(const tile *t, int rows, bool add, vg_real *c, \
                                                                  int64_t ldc) {                               \
        multiply_##width(t, rows, vectors, some, add, c, ldc);                                                 \
    }
#define MICRO(kind, rows)                                                                                      \
    static __attribute__((noinline)) void kind##_##rows(const tile *t, bool add, vg_real *c, int64_t ldc) {    \
        tile_##kind(t, rows, add, c, ldc);                                                                     \
    }
#define NAME(kind, rows) kind##_##rows,
#define SHORT(X, kind) X(kind, 1) X(kind, 2) X(kind, 3) X(kind, 4) X(kind, 5) X(kind, 6)
#define LONG(X, kind) SHORT(X, kind) X(kind, 7) X(kind, 8) X(kind, 9) X(kind, 10) X(kind, 11) X(kind, 12)
KIND(two, whole, 2, false)
KIND(one, whole, 1, false)
TWOS(MICRO, two)
LONG(MICRO, one)
#if MASKS
KIND(two_some, whole, 2, true)
KIND(one_some, whole, 1, true)
TWOS(MICRO, two_some)
LONG(MICRO, one_some)
#endif
#if HALVES
KIND(half, half, 1, true)
LONG(MICRO, half)
#endif

typedef enum kind { TWO, ONE, TWO_SOME, ONE_SOME, HALF, KINDS } kind;
typedef void (*micro)(const tile *t, bool add, vg_real *c, int64_t ldc);
static const micro micros[KINDS][TALL] = {
    [TWO] = { TWOS(NAME, two) },
    [ONE] = { LONG(NAME, one) },
#if MASKS
    [TWO_SOME] = { TWOS(NAME, two_some) },
    [ONE_SOME] = { LONG(NAME, one_some) },
#endif
#if HALVES
    [HALF] = { LONG(NAME, half) },
#endif
};
#undef KIND
#undef MICRO
#undef NAME
#undef SHORT
#undef LONG
#undef TWOS

static inline kind kind_of(int64_t columns) {
    if (HALVES && columns <= LANES / 2) return HALF;
    if (columns % LANES == 0 || !MASKS) return columns > LANES ? TWO : ONE;
    return columns > LANES ? TWO_SOME : ONE_SOME;
}

/* ---- copies: panels [count / width][depth][width] of a matrix; what fills up the last one reaches no element of c */

/* from [depth, count], rows ld apart */
static inline __attribute__((always_inline)) void copy_rows(const vg_real *from, int64_t ld, int64_t depth,
                                                            int64_t count, int64_t width, vg_real *to) {
    int64_t j = 0;
    for (; j + width <= count; j += width)
        for (int64_t p = 0; p < depth; p++, to += width) memcpy(to, from + p * ld + j, (size_t)width * sizeof *to);
    for (int64_t p = 0; j < count && p < depth; p++, to += width) {
        const vg_real *row = from + p * ld + j;
        int64_t k = 0, own = count - j;
        for (; k + LANES <= own; k += LANES) *(loose_whole *)(to + k) = *(const loose_whole *)(row + k);
#if MASKS
        if (k < own && k + LANES <= width) *(loose_whole *)(to + k) = load_whole(row + k, first_whole(own - k));
        else
#endif
        for (; k < own; k++) to[k] = row[k];
    }
}

#ifndef VG_REAL_double
typedef float eight __attribute__((vector_size(32)));
typedef float eight_loose __attribute__((vector_size(32), aligned(4), may_alias));
#define MIX __builtin_shufflevector
static inline __attribute__((always_inline)) void transpose(const eight *from, eight *to) {
    eight r[8], s[8];
    for (int i = 0; i < 8; i += 2) {
        s[i] = MIX(from[i], from[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        s[i + 1] = MIX(from[i], from[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++) {
            r[i + 2 * k] = MIX(s[i + k], s[i + 2 + k], 0, 1, 8, 9, 4, 5, 12, 13);
            r[i + 2 * k + 1] = MIX(s[i + k], s[i + 2 + k], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        to[i] = MIX(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        to[i + 4] = MIX(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}
#undef MIX

/* 8 rows of 8 floats, ld apart, become 8 columns, `width` apart. */
static inline void turn(const float *from, int64_t ld, float *to, int64_t width) {
    eight in[8], out[8];
    for (int i = 0; i < 8; i++) in[i] = *(const eight_loose *)(from + i * ld);
    transpose(in, out);
    for (int i = 0; i < 8; i++) *(eight_loose *)(to + i * width) = out[i];
}
#else
static inline void turn(const double *from, int64_t ld, double *to, int64_t width) {
    for (int p = 0; p < 8; p++)
        for (int k = 0; k < 8; k++) to[p * width + k] = from[k * ld + p];
}
#endif

/* Fewer: rows [count <= 8][deep <= 8]. */
#if MASKS && !defined VG_REAL_double
static void turn_some(const float *from, int64_t ld, int64_t count, int64_t deep, float *to, int64_t width) {
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)deep), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    eight in[8], out[8];
    for (int i = 0; i < 8; i++) in[i] = (eight)_mm256_maskload_ps(from + (i < count ? i : 0) * ld, mask);
    transpose(in, out);
#pragma GCC unroll 8
    for (int p = 0; p < 8; p++)
        if (p < deep) *(eight_loose *)(to + p * width) = out[p];
}
#else
static void turn_some(const vg_real *from, int64_t ld, int64_t count, int64_t deep, vg_real *to, int64_t width) {
    for (int64_t p = 0; p < deep; p++)
        for (int64_t k = 0; k < count; k++) to[p * width + k] = from[k * ld + p];
}
#endif

/* from [count, depth], rows ld apart */
static void copy_columns(const vg_real *from, int64_t ld, int64_t depth, int64_t count, int64_t width, vg_real *to) {
    for (int64_t j = 0; j < count; j += width, to += depth * width)
        for (int64_t k = 0, own; k < width && j + k < count; k += 8) {
            own = count - j < width ? count - j - k : width - k;
            const vg_real *row = from + (j + k) * ld;
            int64_t p = 0;
            for (; own >= 8 && p + 8 <= depth; p += 8) turn(row + p, ld, to + p * width + k, width);
            for (; p < depth; p += 8)
                turn_some(row + p, ld, own < 8 ? own : 8, depth - p < 8 ? depth - p : 8, to + p * width + k, width);
        }
}

/* ---- blocks */

/* Some rows, columns and depth of a product; turned, the columns of c are the rows of the block. */
typedef struct block {
    tile     tile;                      /* the first: where the operands lie, or copies of them */
    int64_t  rows, columns;
    int64_t  left_tile;                 /* to the next tile of left, if it is copied; else 0 */
    int64_t  right_panel;               /* to the next COLUMNS of right */
    vg_real *c; int64_t ldc;
    bool     turned, add;
} block;

/* A tile that is computed apart: blocks of 8 x 8. It is put to rows of c or, turned, to columns. */
enum { APART_ROWS = (TALL + 7) / 8 * 8, APART = COLUMNS < 8 ? 8 : COLUMNS };

static void put(const vg_real *from, int64_t rows, int64_t columns, bool add, vg_real *c, int64_t ldc) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            c[i * ldc + k] = add ? c[i * ldc + k] + from[i * APART + k] : from[i * APART + k];
}

static __attribute__((noinline)) void put_turned(const vg_real *from, int64_t rows, int64_t columns, bool add,
                                                 vg_real *c, int64_t ldc) {
    enum { FEW = 4 };
    vg_real lines[APART * APART_ROWS] __attribute__((aligned(64)));
    if (rows < FEW) {
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = 0; k < columns; k++)
                c[k * ldc + i] = add ? c[k * ldc + i] + from[i * APART + k] : from[i * APART + k];
        return;
    }
    for (int64_t i = 0; i < rows; i += 8)
        for (int64_t k = 0; k < columns; k += 8) turn(from + i * APART + k, APART, lines + k * APART_ROWS + i, APART_ROWS);
    for (int64_t k = 0; k < columns; k++, c += ldc) {
        const vg_real *line = lines + k * APART_ROWS;
#if MASKS
        for (int64_t i = 0; i < rows; i += LANES) {
            const int64_t count = rows - i < LANES ? rows - i : LANES;
            const mask_whole mask = first_whole(count);
            vector_whole v = *(const vector_whole *)(line + i);
            if (add) v += load_whole(c + i, mask);
            store_whole(c + i, v, mask, count);
        }
#else
        for (int64_t i = 0; i < rows; i++) c[i] = add ? c[i] + line[i] : line[i];
#endif
    }
}

/* Columns [from, from + columns) of a block, at most COLUMNS. */
static void multiply_panel(block *b, int64_t from, int64_t columns) {
    const micro *const heights = micros[kind_of(columns)];
    const bool beside = b->turned || (!MASKS && columns % LANES != 0);
    const int64_t most = columns > LANES || b->left_tile ? ROWS : TALL, ldc = b->ldc, across = b->tile.left.across;
    const int64_t down = b->left_tile ? b->left_tile : most * across;
    const vg_real *const left = b->tile.left.at, *const right = b->tile.right.at;
    vg_real *c = b->c + from * (b->turned ? ldc : 1);
    b->tile.right.at += from / COLUMNS * b->right_panel + from % COLUMNS;
    b->tile.last = columns > LANES ? columns - LANES : columns;
    for (int64_t still = b->rows; still > 0;) {
        int64_t rows = still < most ? still : most;
        if (still > most && still < 2 * most && !b->left_tile) rows = (still + 1) / 2;
        if (beside) {
            vg_real apart[APART_ROWS * APART] __attribute__((aligned(64)));
            heights[rows - 1](&b->tile, false, apart, APART);
            (b->turned ? put_turned : put)(apart, rows, columns, b->add, c, ldc);
        } else {
            heights[rows - 1](&b->tile, b->add, c, ldc);
        }
        still -= rows;
        b->tile.left.at += rows == most ? down : rows * across;
        c += rows * (b->turned ? 1 : ldc);
    }
    b->tile.left.at = left;
    b->tile.right.at = right;
}

/* Two vectors at once; what is more than one by no more than half of one, is one and a half. */
static void multiply_panels(block *b) {
    for (int64_t j = 0, columns; j < b->columns; j += columns) {
        const int64_t still = b->columns - j;
        const bool halves = HALVES && still > LANES && still <= LANES + LANES / 2;
        columns = halves ? LANES : still < COLUMNS ? still : COLUMNS;
        multiply_panel(b, j, columns);
    }
}

/* Whether lines of an operand that are far from each other stay in the second-level cache. */
static inline bool is_near(operand o, int64_t depth) {
    enum { NEAR = 128 * 1024 };
    return depth * o.deep * (int64_t)sizeof(vg_real) <= NEAR;
}

/* Rows by rows: where the left is transposed, what a tile needs is copied in order, if that pays. */
static void multiply_rows(block *b, vg_real *copy) {
    enum { FEW = 64 };        /* columns that do not pay for a copy */
    const operand left = b->tile.left;
    const bool copies = left.deep != 1 && b->rows > ROWS && b->columns > FEW && !is_near(left, b->tile.depth);
    const int64_t most = copies ? VG_PRODUCT_HEIGHT : b->rows, rows = b->rows;
    if (copies) {
        b->tile.left = (operand){ copy, 1, ROWS };
        b->left_tile = ROWS * b->tile.depth;
    }
    for (int64_t row = 0; row < rows; row += most, b->c += most * (b->turned ? 1 : b->ldc)) {
        b->rows = rows - row < most ? rows - row : most;
        if (copies) copy_rows(left.at + row * left.across, left.deep, b->tile.depth, b->rows, ROWS, copy);
        multiply_panels(b);
    }
}

/* Vectors along k are turned into such along the columns; others are read where they lie, unless a copy pays. */
static void place_right(block *b, vg_real *copy) {
    enum { FEW = 10 * ROWS };      /* rows that do not pay for a copy */
    const operand right = b->tile.right;
    const bool straight = right.across == 1;
    const bool few = b->rows <= FEW || b->columns <= COLUMNS || is_near(right, b->tile.depth);
    b->right_panel = COLUMNS;
    if (straight && few && (MASKS || b->columns % LANES == 0)) return;
    const int64_t width = b->columns <= LANES ? LANES : COLUMNS, depth = b->tile.depth;
    b->tile.right = (operand){ copy, 1, width };
    b->right_panel = depth * width;
    if (!straight) copy_columns(right.at, right.across, depth, b->columns, width, copy);
    else if (width == LANES) copy_rows(right.at, right.deep, depth, b->columns, LANES, copy);
    else copy_rows(right.at, right.deep, depth, b->columns, COLUMNS, copy);
}

/* Whether vectors along the rows of c take less time than such along its columns, in sixteenths of a cycle measured:
 * of a multiply-add for each 32 bytes begun, of an element of the right that is turned, and of one of c. */
static inline bool turns(const vg_product *p) {
    enum { ADD = 8, TURN = 6, PUT = 16, BEGUN = 32 / sizeof(vg_real) };
    if (!p->ta && !p->tb) return false;
    const int64_t depth = p->k < VG_PRODUCT_DEPTH ? p->k : VG_PRODUCT_DEPTH;
    const int64_t along = ADD * p->m * ((p->n + BEGUN - 1) / BEGUN) + (p->tb ? TURN * p->n : 0);
    const int64_t turned = ADD * p->n * ((p->m + BEGUN - 1) / BEGUN) + (p->ta ? 0 : TURN * p->m);
    return (along - turned) * depth > PUT * p->m * p->n;
}

/* Block by block. */
static __attribute__((noinline)) void multiply(const block *whole, vg_real *scratch) {
    const int64_t depth = whole->tile.depth, columns = whole->columns;
    const int64_t width = columns < VG_PRODUCT_WIDTH ? (columns + COLUMNS - 1) / COLUMNS * COLUMNS : VG_PRODUCT_WIDTH;
    vg_real *const copy_left = scratch + width * (depth < VG_PRODUCT_DEPTH ? depth : VG_PRODUCT_DEPTH);
    for (int64_t column = 0; column < columns; column += VG_PRODUCT_WIDTH)
        for (int64_t from = 0; from < depth; from += VG_PRODUCT_DEPTH) {
            block b = *whole;
            b.columns = columns - column < VG_PRODUCT_WIDTH ? columns - column : VG_PRODUCT_WIDTH;
            b.tile.depth = depth - from < VG_PRODUCT_DEPTH ? depth - from : VG_PRODUCT_DEPTH;
            b.tile.left.at += from * b.tile.left.deep;
            b.tile.right.at += column * b.tile.right.across + from * b.tile.right.deep;
            b.c += column * (b.turned ? b.ldc : 1);
            b.add |= from > 0;
            place_right(&b, scratch);
            multiply_rows(&b, copy_left);
        }
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
    const operand a = { p->a, p->ta ? 1 : p->lda, p->ta ? p->lda : 1 };
    const operand b = { p->b, p->tb ? p->ldb : 1, p->tb ? 1 : p->ldb };
    const bool turned = turns(p);
    block whole = { .tile = { .left = turned ? b : a, .right = turned ? a : b, .depth = p->k },
                    .rows = turned ? p->n : p->m, .columns = turned ? p->m : p->n,
                    .c = p->c, .ldc = p->ldc, .turned = turned, .add = p->add };
    const bool panel = whole.columns <= COLUMNS && p->k <= VG_PRODUCT_DEPTH && whole.tile.right.across == 1;
    if (panel && (MASKS || whole.columns % LANES == 0)) multiply_panels(&whole);
    else multiply(&whole, scratch);
}
