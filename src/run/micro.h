/* The micro-kernels of convolutions: how much of a result is kept in registers, as many as there are, while the sums run.
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
/* Of a mask as wide as a real: all ones or 0. */
#ifdef VG_REAL_double
typedef int64_t vg_lane;
#else
typedef int32_t vg_lane;
#endif
typedef vg_lane vg_lanes __attribute__((vector_size(VG_VECTOR_BYTES)));

/* Micro-kernels are one function for each height of a tile: X(1) X(2) ... */
#if defined __AVX512F__ || defined __aarch64__
#define VG_TILE_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
#define VG_TILE_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif

#endif
