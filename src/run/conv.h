/* The sizes of a convolution or of one of its adjoints, and how it is cut into products. */
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
    int64_t   block;                /* rows of the result whose windows are unfolded at once, so that they stay in cache */
    bool      direct;               /* 1 x 1, not strided, not padded: the images are their own windows */
} vg_conv;

/* `real`: 4 or 8, the bytes of a float element. */
vg_conv  vg_conv_of(vg_op op, const vg_work *work, uint32_t real);
/* Elements of the unfolded windows [depth, block * columns]. */
int64_t  vg_conv_scratch(const vg_conv *conv);

#endif
