/* Walking several arrays of one shape at once: strides of their own, axes that can be gone through as one merged.
 * The elementwise, reducing and moving kernels are each an inner loop called by vg_walk_run. */
#ifndef VG_RUN_WALK_H
#define VG_RUN_WALK_H

#include <stddef.h>

#include "run/kernel.h"

enum { VG_WALK_ARRAYS = 4 };

typedef struct vg_walk {
    uint32_t rank, arrays;
    int64_t  dims[VG_RANK_LIMIT];
    int64_t  stride[VG_WALK_ARRAYS][VG_RANK_LIMIT];   /* in elements; 0 where repeated */
    size_t   size[VG_WALK_ARRAYS];                    /* of an element, in bytes */
    char    *at[VG_WALK_ARRAYS];                      /* where the walk begins */
} vg_walk;

/* `count` elements along the last axis; array k's elements lie stride[k] apart. */
typedef void (*vg_inner)(int64_t count, char *const *at, const int64_t *stride);

/* A walk over `shape` (its dimensions alone are used), without arrays. */
vg_walk vg_walk_over(const vg_view *shape);
/* Adds an array of the whole shape with its dense strides / one repeated over it by NumPy's rule. */
void vg_walk_dense(vg_walk *walk, void *data, size_t size);
void vg_walk_repeat(vg_walk *walk, const vg_view *view, size_t size);
/* Strides of an array of `own` axes that NumPy's rule repeats over `rank`: 0 where it is repeated. */
void vg_walk_repeated(const int64_t *dims, uint32_t own, uint32_t rank, int64_t *strides);
/* Row by row strides of dims. */
void vg_walk_strides(const int64_t *dims, uint32_t rank, int64_t *strides);
/* Drops axes of length 1 and merges neighbours that every array goes through as one. */
void vg_walk_merge(vg_walk *walk);
/* Merges, then calls `inner` for every line along the last axis, in order. Nothing for an empty shape. */
void vg_walk_run(vg_walk *walk, vg_inner inner);

#endif
