/* Pictures in the files that people have: PNG (libpng) and JPEG (libjpeg-turbo), as bytes, and resized. */
#ifndef VG_DATA_PICTURE_H
#define VG_DATA_PICTURE_H

#include "data/source.h"

enum { VG_PICTURE_SIDE = 1 << 15 };      /* pixels: a larger one is refused */

typedef struct vg_picture {
    const char *path;                    /* for messages; belongs to the caller, as the bytes do */
    const char *bytes;                   /* of the file */
    size_t      length;
    bool        is_png;
    uint32_t    height, width, channels; /* 1: grey, 3: red, green, blue */
} vg_picture;

/* Whether a file begins as a PNG or a JPEG does. */
bool vg_picture_is(const char *bytes, size_t length);
/* Reads what the file says of its size. */
bool vg_picture_open(vg_picture *picture, const char *path, const char *bytes, size_t length, vg_data_error *error);
/* [height, width, channels] of 1 or 3 channels, whatever the file has; what is transparent lies on white. */
bool vg_picture_read(const vg_picture *picture, uint32_t channels, uint8_t *out, vg_data_error *error);

/* Another size for [height, width, channels]: each pixel is the mean of those around its place, weighted by a triangle
 * as wide as a pixel of the smaller picture (bilinear when it grows, and without aliases when it shrinks). `mem` is
 * for what is needed meanwhile. */
typedef struct vg_extent { uint32_t height, width; } vg_extent;
void vg_picture_resize(vg_mem *mem, const uint8_t *from, vg_extent old, uint32_t channels, uint8_t *to, vg_extent now);

/* Reads it, in this size, into one plane for each of 1 or 3 channels: [channels, height, width]. */
bool vg_picture_fit(vg_mem *mem, const vg_picture *picture, uint32_t channels, vg_extent size, uint8_t *out,
                    vg_data_error *error);

#endif
