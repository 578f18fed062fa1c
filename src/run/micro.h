/* The micro-kernel of products: a tile of c is kept in registers, as many as there are, while the sums run.
 * For the files compiled for each precision and instruction set, and with contraction of a * b + c allowed. */
#ifndef VG_RUN_MICRO_H
#define VG_RUN_MICRO_H

#include "run/product.h"

#if defined __AVX512F__
enum { VG_VECTOR_BYTES = 64, VG_TILE_ROWS = 12 };
#elif defined __AVX2__
enum { VG_VECTOR_BYTES = 32, VG_TILE_ROWS = 6 };
#elif defined __aarch64__
enum { VG_VECTOR_BYTES = 16, VG_TILE_ROWS = 12 };
#else
enum { VG_VECTOR_BYTES = 16, VG_TILE_ROWS = 6 };
#endif
enum { VG_MICRO_LANES = VG_VECTOR_BYTES / sizeof(vg_real), VG_TILE_VECTORS = 2,
       VG_TILE_COLUMNS = VG_TILE_VECTORS * VG_MICRO_LANES };
_Static_assert((int)VG_TILE_ROWS <= VG_PRODUCT_ROWS && (int)VG_TILE_COLUMNS <= VG_PRODUCT_COLUMNS,
               "scratch is measured by these");

/* In memory a vector lies at any element. */
typedef vg_real vg_vector __attribute__((vector_size(VG_VECTOR_BYTES)));
typedef vg_real vg_loose __attribute__((vector_size(VG_VECTOR_BYTES), aligned(sizeof(vg_real)), may_alias));

/* Element (i, p) of a is a[i * row + p * step]. Row p of b lies at b + p * b_step; where it is scattered at b + places[p]. */
typedef struct vg_micro_tile {
    const vg_real *a; int64_t row, step;
    const vg_real *b; int64_t b_step; const int64_t *places;
    int64_t depth;
} vg_micro_tile;

/* c [rows, vectors * VG_MICRO_LANES] = (add: c +) a @ b. All but the tile and c are constants where it is called. */
static inline __attribute__((always_inline)) void vg_tile_multiply(const vg_micro_tile *t, int rows, int vectors,
                                                                   bool scattered, bool add, vg_real *c, int64_t ldc) {
    vg_vector sum[VG_TILE_ROWS][VG_TILE_VECTORS];
    const vg_real *restrict a = t->a, *restrict b = t->b;
    const int64_t row = t->row, step = t->step, b_step = t->b_step, depth = t->depth;
    const int64_t *restrict places = t->places;
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) sum[i][v] = (vg_vector){ 0 };
    for (int64_t p = 0; p < depth; p++, a += step) {
        vg_vector line[VG_TILE_VECTORS];
        const vg_real *const at = scattered ? b + places[p] : b;
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) line[v] = *(const vg_loose *)(at + v * VG_MICRO_LANES);
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            const vg_real x = a[i * row];
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) sum[i][v] += x * line[v];
        }
        if (!scattered) b += b_step;
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            vg_loose *to = (vg_loose *)(c + i * ldc + v * VG_MICRO_LANES);
            if (add) sum[i][v] += *to;
            *to = sum[i][v];
        }
}

/* Micro-kernels are one function for each height of a tile: X(1) X(2) ... */
#if defined __AVX512F__ || defined __aarch64__
#define VG_TILE_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
#define VG_TILE_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif

/* A tile computed beside c, where it ends within a vector. */
typedef vg_real vg_beside[VG_TILE_ROWS * VG_TILE_COLUMNS];
static inline void vg_tile_place(const vg_real *beside, int64_t rows, int64_t columns, bool add, vg_real *c,
                                 int64_t ldc) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++) {
            vg_real *to = &c[i * ldc + k];
            *to = add ? *to + beside[i * VG_TILE_COLUMNS + k] : beside[i * VG_TILE_COLUMNS + k];
        }
}

#endif
