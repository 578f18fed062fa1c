/* Images as PNG files in memory, for the sinks that write them. */
#ifndef VG_WATCH_PNG_H
#define VG_WATCH_PNG_H

#include "base/arena.h"
#include "vgraph.h"

typedef struct vg_png { uint8_t *bytes; size_t length; } vg_png;

/* Image `index` of a record as a PNG (ISO/IEC 15948) of eight bits a channel, in the arena. False when libpng fails. */
bool        vg_png_make(const vg_image *image, uint32_t index, vg_arena *arena, vg_png *out);
/* What a sink says then. */
extern const char   vg_png_failed[];
/* The same as text: base64 (RFC 4648), padded. */
const char *vg_png_base64(const vg_png *png, vg_arena *arena);

/* Reads a PNG of eight bits a channel into place `index` of the image's pixels: the first one says how large all are
 * (height, width and channels), and *pixels is made for `image->count` of them. False when it cannot be read, or is of
 * another size. */
bool vg_png_read(const uint8_t *bytes, size_t length, vg_image *image, uint32_t index, vg_arena *arena,
                 uint8_t **pixels);

#endif
