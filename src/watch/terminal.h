/* The parts of the terminal sink: the progress line (terminal.c), and the text at the end of a run. */
#ifndef VG_WATCH_TERMINAL_H
#define VG_WATCH_TERMINAL_H

#include "base/str.h"
#include "watch/family.h"

typedef struct vg_style { bool colour, unicode; uint32_t columns; } vg_style;

/* Appends a family of scalars as a table of first and last values. */
void vg_show_scalars(vg_text *out, const vg_family *family, vg_style style);
/* Appends a family's distributions below each other on one common axis, of its first and of its last step. */
void vg_show_distributions(vg_text *out, const vg_family *family, vg_style style);

/* ---- shared by the two: text in columns */

/* `text` in bold, or as it is. */
void vg_show_title(vg_text *out, const char *text, vg_style style);
/* Characters, not bytes. */
uint32_t vg_show_width(const char *text);
/* `text` in exactly `width` characters, its beginning cut when it is longer. */
void vg_show_label(vg_text *out, const char *text, uint32_t width, vg_style style);
/* The line that says which rows were left out; nothing when none were. */
void vg_show_thinned(vg_text *out, const vg_family *family, vg_style style);

#endif
