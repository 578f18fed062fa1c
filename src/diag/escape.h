/* Text from outside (models, file names, arguments) made safe to show: control characters, invalid UTF-8 and what
 * turns the reading direction around appear as \n, \x1b, \u202e, never raw. */
#ifndef VG_DIAG_ESCAPE_H
#define VG_DIAG_ESCAPE_H

#include "base/str.h"

/* One character as it is shown. */
typedef struct vg_glyph {
    char     text[12];   /* NUL-terminated */
    uint32_t bytes;      /* it takes in the source: at least 1 */
    uint32_t width;      /* columns on a terminal: 0 for combining marks, 2 for wide characters */
} vg_glyph;

/* The character at `text`, which has `left` > 0 bytes. */
vg_glyph vg_glyph_at(const char *text, size_t left);
/* Appends `length` bytes as shown, at most `limit` columns; what is left out is marked with "...". */
void vg_escape(vg_text *out, const char *bytes, size_t length, size_t limit);

#endif
