/* The micro-kernel of products: a tile of c is kept in registers, as many as the instruction set has, while the sums run.
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
enum { VG_LANES = VG_VECTOR_BYTES / sizeof(vg_real), VG_TILE_VECTORS = 2, VG_TILE_COLUMNS = VG_TILE_VECTORS * VG_LANES };
_Static_assert((int)VG_TILE_ROWS <= VG_PRODUCT_ROWS && (int)VG_TILE_COLUMNS <= VG_PRODUCT_COLUMNS,
               "scratch is measured by these");

/* In memory a vector lies at any element. */
typedef vg_real vg_vector __attribute__((vector_size(VG_VECTOR_BYTES)));
typedef vg_real vg_loose __attribute__((vector_size(VG_VECTOR_BYTES), aligned(sizeof(vg_real)), may_alias));

/* Element (i, p) of a is a[i * row + p * step]. Row p of b lies at b + p * b_step; at b + places[p] where it is scattered. */
typedef struct vg_tile {
    const vg_real *a; int64_t row, step;
    const vg_real *b; int64_t b_step; const int64_t *places;
    int64_t depth;
} vg_tile;

/* c [rows, vectors * VG_LANES] = (add: c +) a @ b. All but the tile and c are constants where it is called. */
static inline __attribute__((always_inline)) void vg_tile_multiply(const vg_tile *t, int rows, int vectors,
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
        for (int v = 0; v < vectors; v++) line[v] = *(const vg_loose *)(at + v * VG_LANES);
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
            vg_loose *to = (vg_loose *)(c + i * ldc + v * VG_LANES);
            if (add) sum[i][v] += *to;
            *to = sum[i][v];
        }
}

/* One function for each height of a tile, and for one vector or two: name##s[rows - 1][vectors - 1]. */
typedef void (*vg_micro)(const vg_tile *t, bool add, vg_real *c, int64_t ldc);
#define VG_MICRO(name, rows, vectors, scattered)                                                               \
    static __attribute__((noinline)) void name##_##rows##_##vectors(const vg_tile *t, bool add, vg_real *c, int64_t ldc) { \
        vg_tile_multiply(t, rows, vectors, scattered, add, c, ldc);                                            \
    }
#define VG_MICRO_BOTH(name, rows, scattered) VG_MICRO(name, rows, 1, scattered) VG_MICRO(name, rows, 2, scattered)
#define VG_MICRO_PAIR(name, rows, scattered) { name##_##rows##_1, name##_##rows##_2 },
#define VG_MICRO_LOW(X, name, scattered)                                                                       \
    X(name, 1, scattered) X(name, 2, scattered) X(name, 3, scattered)                                          \
    X(name, 4, scattered) X(name, 5, scattered) X(name, 6, scattered)
#if defined __AVX512F__ || defined __aarch64__
#define VG_MICRO_ALL(X, name, scattered)                                                                       \
    VG_MICRO_LOW(X, name, scattered)                                                                           \
    X(name, 7, scattered) X(name, 8, scattered) X(name, 9, scattered)                                          \
    X(name, 10, scattered) X(name, 11, scattered) X(name, 12, scattered)
#else
#define VG_MICRO_ALL VG_MICRO_LOW
#endif
#define VG_MICROS(name, scattered)                                                                             \
    VG_MICRO_ALL(VG_MICRO_BOTH, name, scattered)                                                               \
    static const vg_micro name##s[VG_TILE_ROWS][VG_TILE_VECTORS] = { VG_MICRO_ALL(VG_MICRO_PAIR, name, scattered) };

/* A tile of c that ends within a vector is computed beside it. */
static inline void vg_tile_place(const vg_micro micros[][VG_TILE_VECTORS], const vg_tile *t, int64_t rows,
                                 int64_t columns, bool add, vg_real *c, int64_t ldc) {
    const vg_micro micro = micros[rows - 1][columns > VG_LANES];
    if (columns % VG_LANES == 0) {
        micro(t, add, c, ldc);
        return;
    }
    vg_real beside[VG_TILE_ROWS * VG_TILE_COLUMNS] __attribute__((aligned(64)));
    micro(t, false, beside, VG_TILE_COLUMNS);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++) {
            vg_real *to = &c[i * ldc + k];
            *to = add ? *to + beside[i * VG_TILE_COLUMNS + k] : beside[i * VG_TILE_COLUMNS + k];
        }
}

#endif
