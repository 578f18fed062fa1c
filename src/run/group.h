/* A group: elementwise operators over one shape that run as one pass. The shape is gone through in tiles that stay in the
 * first-level cache; each operator is one loop over a tile, so that what only the group itself reads is never written to
 * memory. A single elementwise step is a group of one.
 *
 * Some of its values may be narrow: one number for each row along the last axis, as the sum of a row is. Then a tile
 * has whole rows, so that the sums are there before what is made of them, and operators on narrow values go down the
 * tile's rows as others go along them.
 *
 * A group names what it works on by places: first what it reads, then what it writes, then buffers of one tile. */
#ifndef VG_RUN_GROUP_H
#define VG_RUN_GROUP_H

#include <stddef.h>

#include "pass/pass.h"
#include "run/kernel.h"

enum {
    VG_GROUP_PLACES = VG_GROUP_INPUTS + VG_GROUP_OUTPUTS + VG_GROUP_MEMBERS,
    VG_GROUP_ARRAYS = VG_GROUP_INPUTS + VG_GROUP_OUTPUTS,
    VG_GROUP_AXES = VG_RANK_LIMIT + 2
};
_Static_assert(VG_GROUP_PLACES <= 64, "places are bits of a word");

/* What a loop sees: `rows` rows of `count` elements at each place. */
typedef struct vg_tile {
    int64_t rows, count;
    char   *at[VG_GROUP_PLACES];
    int64_t row[VG_GROUP_PLACES];          /* bytes from a row to the next */
    int64_t stride[VG_GROUP_PLACES];       /* elements from one to the next: 0 where it is repeated */
} vg_tile;

/* One operator of a group: places. */
typedef struct vg_member {
    vg_loop loop;
    uint8_t out, in[3], in_count;
    bool    flat;                          /* all its rows lie one behind the other: it can take them as one */
    bool    narrow;                        /* an elementwise operator on narrow values */
} vg_member;

typedef struct vg_group {
    uint32_t   inputs, outputs, buffers, member_count;
    vg_member *members;                    /* in order */
    uint8_t   *size;                       /* by place: of an element, in bytes */
    bool       whole_rows;                 /* some values are narrow: a tile has whole rows */
    uint64_t   narrow;                     /* the places that are, as bits */
    /* The shape, its neighbouring axes merged where every array goes through them as one. Always at least two axes. */
    uint32_t   rank;
    int64_t    dims[VG_GROUP_AXES];
    int64_t   *stride;                     /* by input and output: `pitch` of them, in elements */
    uint32_t   pitch;
    uint32_t   cut;                        /* the axis along which a part of the shape's first axis is taken: */
    int64_t    unit;                       /* that many of its steps to one of the first axis */
    int64_t    rows, columns;              /* of a tile */
} vg_group;

static inline int64_t *vg_group_stride(const vg_group *group, uint32_t array) {
    return group->stride + (size_t)array * group->pitch;
}

/* Takes the shape and how the `in` and the `out` (group->outputs views, dense) are repeated over it; then the tile, for
 * which the members must be known. group->stride has room for `pitch` >= rank of the shape + 2 an array. */
void vg_group_shape(vg_group *group, const vg_view *shape, const vg_view *in, const vg_view *out);
/* Bytes of one buffer, and of all. */
static inline uint64_t vg_group_buffer(const vg_group *group, uint32_t place) {
    const int64_t columns = group->narrow >> place & 1 ? 1 : group->columns;
    return ((uint64_t)(group->rows * columns) * group->size[place] + 63) / 64 * 64;
}
uint64_t vg_group_scratch(const vg_group *group);

#endif
