/* Dimensions: interned polynomials with integer coefficients in symbols (`batch`, `2*batch`, `batch*784`).
 * Shapes: interned lists of dimensions. Equal is same id, so checks on shapes never look at numbers that only a
 * run knows. */
#ifndef VG_IR_DIM_H
#define VG_IR_DIM_H

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "diag/source.h"

typedef uint32_t vg_dim;     /* 0: none (an error, or "any") */
typedef uint32_t vg_symbol;  /* from 1 */
typedef uint32_t vg_shape;   /* 0: none; VG_SHAPE_SCALAR is [] */

enum { VG_SHAPE_SCALAR = 1, VG_RANK_LIMIT = 8, VG_DIM_TERMS = 64, VG_DIM_DEGREE = 8 };

/* One product: coefficient * s1 * s2 * ..., symbols rising, 0 behind the last. */
typedef struct vg_term { int64_t coefficient; vg_symbol symbols[VG_DIM_DEGREE]; } vg_term;

typedef struct vg_dim_row { uint32_t first_term, term_count; uint32_t chain; } vg_dim_row;
typedef struct vg_symbol_row { vg_str name; vg_span span; } vg_symbol_row;   /* where it was named */
typedef struct vg_shape_row { uint32_t first_dim, rank; uint32_t chain; vg_dim size; } vg_shape_row;

typedef struct vg_dims {
    vg_mem               *mem;
    VG_VEC(vg_symbol_row) symbols;
    VG_VEC(vg_term)       terms;
    VG_VEC(vg_dim_row)    rows;
    VG_VEC(vg_dim)        lists;    /* the shapes' dimensions, behind each other */
    VG_VEC(vg_shape_row)  shapes;
    vg_map                dim_map, shape_map;
    vg_dim                one;      /* the number 1, which is asked for all the time */
} vg_dims;

void      vg_dims_init(vg_dims *dims, vg_mem *mem);
vg_symbol vg_dims_symbol(vg_dims *dims, vg_str name, vg_span span);           /* a new one */
vg_dim    vg_dim_symbol(vg_dims *dims, vg_symbol symbol);
vg_dim    vg_dim_number(vg_dims *dims, int64_t number);
bool      vg_dim_is_number(const vg_dims *dims, vg_dim dim, int64_t *number);
bool      vg_dim_is(const vg_dims *dims, vg_dim dim, int64_t number);
/* 0 when the result does not fit (VG_DIM_TERMS, VG_DIM_DEGREE, 63 bits). */
vg_dim    vg_dim_add(vg_dims *dims, vg_dim a, vg_dim b);
vg_dim    vg_dim_subtract(vg_dims *dims, vg_dim a, vg_dim b);
vg_dim    vg_dim_multiply(vg_dims *dims, vg_dim a, vg_dim b);
vg_dim    vg_dim_divide(vg_dims *dims, vg_dim a, vg_dim b);                   /* 0 unless it divides exactly */
/* What is known of a <= b for every value of the symbols from 1 up. */
typedef enum vg_answer { VG_NEVER, VG_SOMETIMES, VG_ALWAYS } vg_answer;
vg_answer vg_dim_at_most(vg_dims *dims, vg_dim a, vg_dim b);
/* The number with values[symbol] put in, symbols counting from 1. It can be negative; INT64_MAX: it does not fit. */
int64_t   vg_dim_value(const vg_dims *dims, vg_dim dim, const int64_t *values);
void      vg_dim_text(const vg_dims *dims, const vg_strings *strings, vg_dim dim, vg_text *out);   /* 2 * batch */

vg_shape  vg_shape_of(vg_dims *dims, const vg_dim *list, uint32_t rank);      /* rank <= VG_RANK_LIMIT; 0 if a dim is */
uint32_t  vg_shape_rank(const vg_dims *dims, vg_shape shape);
vg_dim    vg_shape_dim(const vg_dims *dims, vg_shape shape, uint32_t axis);
/* Copies the dimensions out; returns the rank. The list has VG_RANK_LIMIT places. */
uint32_t  vg_shape_list(const vg_dims *dims, vg_shape shape, vg_dim *list);
vg_dim    vg_shape_size(const vg_dims *dims, vg_shape shape);                 /* of elements; 0 when it does not fit */
void      vg_shape_text(const vg_dims *dims, const vg_strings *strings, vg_shape shape, vg_text *out);   /* [2, 3] */

#endif
