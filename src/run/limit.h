/* What a core of this machine can do at most, measured: what a row's time is compared with. */
#ifndef VG_RUN_LIMIT_H
#define VG_RUN_LIMIT_H

#include "base/mem.h"
#include "run/kernel.h"

enum { VG_LIMIT_PRODUCT = 384, VG_LIMIT_COPIES = 5 };
typedef struct vg_limit_copy { double bytes, rate; } vg_limit_copy;      /* read and written, and that a second */

typedef struct vg_limits {
    double        product;                    /* FLOP/s of a product of VG_LIMIT_PRODUCT rows, columns and depth */
    vg_limit_copy copy[VG_LIMIT_COPIES];      /* rising: what the caches hold is copied faster */
} vg_limits;

/* The best of several tries each, on the caller's thread; about a tenth of a second. real: 4 or 8. */
vg_limits vg_limits_measure(vg_mem *mem, const vg_kernels *kernels, uint32_t real);
/* The seconds that so much work needs at least: its arithmetic at the product's rate or its traffic at that of a copy
 * of so many bytes, whichever is longer. */
double vg_limits_seconds(const vg_limits *limits, double flops, double bytes);

#endif
