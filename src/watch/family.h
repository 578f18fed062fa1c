/* What the end of a run is told from: the first and the last value of each tag, gathered in families. A family is
 * what one summary statement watches: grad(loss)/h[1].W and grad(loss)/h[2].W are rows of `grad(loss)`, h[1].b and
 * h[2].b, which differ in an index, of `h[*].b`; scalars without a '/' are one, and values over the test split are
 * apart from those of a step. A family of thousands keeps every n-th
 * row, so that memory does not grow with depth. */
#ifndef VG_WATCH_FAMILY_H
#define VG_WATCH_FAMILY_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "vgraph.h"

enum { VG_FAMILY_ROWS = 24, VG_FAMILY_LIMIT = 100 };

typedef struct vg_sample {
    uint64_t     step;
    double       value;        /* of a scalar */
    vg_histogram histogram;    /* buckets are the sample's own */
    vg_bucket   *buckets;
    size_t       capacity;
} vg_sample;

typedef struct vg_row {
    char    *tag;
    uint32_t index;            /* in its family, of all that came */
    uint32_t slot;
    vg_sample first, last;
} vg_row;

/* In the order in which they are shown. */
typedef enum vg_family_kind { VG_FAMILY_SCALARS, VG_FAMILY_TEST, VG_FAMILY_HISTOGRAMS, VG_FAMILY_KINDS } vg_family_kind;

typedef struct vg_family {
    char       *title;
    size_t      prefix;        /* bytes of a row's tag that the title says already */
    vg_family_kind kind;
    uint32_t    seen, stride;  /* rows that came; of these every stride-th is kept, and the newest */
    VG_VEC(vg_row *) rows;
} vg_family;

typedef struct vg_families {
    vg_mem  *mem;
    vg_arena arena;
    VG_VEC(vg_family) list;    /* in order of appearance */
    uint64_t left_out;         /* tags of families beyond VG_FAMILY_LIMIT */
    VG_VEC(vg_row *)  slots;   /* NULL: dropped */
    vg_map   by_key, by_tag;   /* hash -> index, slot + 1 */
} vg_families;

void vg_families_init(vg_families *families, vg_mem *mem);
/* A SCALAR or HISTOGRAM record. */
void vg_families_add(vg_families *families, const vg_record *record);

#endif
