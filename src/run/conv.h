/* The sizes of a convolution or of one of its adjoints, and how it is cut into products. All of it by shapes alone.
 *
 * The images' rows are copied once for each place across the filters (kx), shifted by it, to where they lie one behind
 * the other, padding included: strips. There the windows need not be unfolded further (im2col; Chellapilla, Puri,
 * Simard 2006): what element (channel, ky, kx) of the filters sees are consecutive elements, from a place that says ky.
 *
 *   result [outputs, pixels] = filters [outputs, depth] @ windows [depth, pixels]
 *   filters' adjoint [outputs, depth] = result's adjoint [outputs, pixels] @ windows' [pixels, depth]
 *
 * The adjoint by the images of a convolution that is not strided is a convolution of the result's adjoint with filters
 * that are turned around. Of one that is strided, the products [depth, pixels] are added to what the windows saw. */
#ifndef VG_RUN_CONV_H
#define VG_RUN_CONV_H

#include "ir/window.h"
#include "run/kernel.h"

typedef struct vg_conv {
    vg_window window;
    int64_t   images, groups;
    int64_t   inputs, outputs;      /* channels of one group */
    int64_t   height, width;        /* of an image */
    int64_t   rows, columns;        /* of a result */
    int64_t   depth;                /* inputs * kernel height * kernel width: what a product sums over */
    bool      turned;               /* a convolution in the place of an adjoint by the images */
    /* at once, so that it stays in cache */
    int64_t   channels, block;      /* channels of a group; rows of the result */
    int64_t   together;             /* by filter: images */
    int64_t   first, all;           /* by filter: of a group's outputs, the first at work and how many there are */
    /* strips [together, channels, kernel width, phases, plane]; a plane is `lines` rows of `columns` and some more */
    int64_t   phases, lines, plane; /* line l of phase f is the image's row l * stride + f */
    bool      masked;               /* planes are the whole image, shifted, but for the padding: masks [kernel width, plane] */
    /* bytes from the scratch's beginning */
    uint64_t  places_at, filters_at, masks_at, strips_at, tails_at, scratch;
} vg_conv;

/* `real`: 4 or 8, the bytes of a float element. By filter, of one group, the result may be some of the filters alone:
 * those from work->from on. */
vg_conv vg_conv_of(vg_op op, const vg_work *work, uint32_t real);

#ifdef VG_REAL
#include "run/kernel_real.h"

/* Some pixels of a result: filters @ windows. */
typedef struct vg_sweep {
    const vg_real *filters;         /* tiles [depth, height] of them, tile_step apart; the last one filled up */
    int64_t height, tile_step, outputs;
    const vg_real *strips;          /* from the first pixel on */
    const int64_t *places;          /* [depth] in strips */
    int64_t depth, pixels;
    bool    add;
    const vg_real *bias;            /* [outputs]: added at the end; NULL: none */
    bool    relu;                   /* then applied */
    vg_real *result; int64_t result_step;      /* [outputs, pixels] */
} vg_sweep;
void VG_VARIANT(vg_conv_sweep)(const vg_sweep *sweep);
/* Filters in a tile: at most what a micro-kernel takes, and about as many in all. */
int64_t VG_VARIANT(vg_conv_tile)(int64_t outputs);

/* Some pixels of some images: the adjoint @ windows', summed over them all. */
typedef struct vg_gather {
    const vg_real *strips; int64_t strips_step;         /* to the next image's */
    const int64_t *places;
    const vg_real *adjoint; int64_t adjoint_step, adjoint_row;      /* [images, outputs, pixels]: to the next of each */
    vg_real *tails;                 /* scratch [images, outputs, VG_PRODUCT_COLUMNS], 64-byte aligned */
    int64_t images, outputs, depth, pixels;
    bool    add;
    vg_real *sum; int64_t sum_step;                     /* [outputs, depth] */
} vg_gather;
void VG_VARIANT(vg_conv_gather)(const vg_gather *gather);
#endif

#endif
