/* The parts of the terminal sink: the progress line (terminal.c), and the text at the end of a run (terminal_*.c). */
#ifndef VG_WATCH_TERMINAL_H
#define VG_WATCH_TERMINAL_H

#include "base/map.h"
#include "base/str.h"
#include "watch/family.h"

typedef struct vg_style { bool colour, unicode; uint32_t columns; } vg_style;

/* Appends a family of scalars as a table of first and last values. */
void vg_show_scalars(vg_text *out, const vg_family *family, vg_style style);
/* Appends a family's distributions below each other on one common axis, of its first and of its last step. */
void vg_show_distributions(vg_text *out, const vg_family *family, vg_style style);

/* ---- while a run goes on (terminal_live.c) */

enum { VG_LIVE_LOSSES = 24 };
typedef struct vg_live {
    double   losses[VG_LIVE_LOSSES];      /* each the mean of `stride` steps, of all of the run */
    uint32_t count;
    uint64_t stride, pending;
    double   sum;
    uint32_t lines;                       /* drawn below the progress line */
} vg_live;

void vg_live_add(vg_live *live, double loss);
/* Appends the losses as a line of blocks. */
void vg_show_spark(vg_text *out, const vg_live *live, vg_style style);
/* Appends a row for each watched tensor as it is now, at most so many lines, each after a line's end; how many. */
uint32_t vg_show_live(vg_text *out, const vg_families *families, uint32_t lines, vg_style style);

/* Appends what is wrong, if anything is; with `notes` also what is only to be known. */
void vg_show_findings(vg_text *out, const vg_finding *findings, size_t count, bool notes, vg_style style);

/* ---- images: the newest of each tag. Only small ones are kept, to be drawn. */

enum { VG_GALLERY_LIMIT = 8 };

typedef struct vg_exhibit {
    char    *tag;
    uint64_t step;
    vg_image image;
    uint8_t *pixels;           /* a copy; NULL: too large to be drawn */
} vg_exhibit;

typedef struct vg_gallery {
    vg_mem  *mem;
    VG_VEC(vg_exhibit) list;   /* in order of appearance */
    vg_map   by_tag;           /* hash -> place in list + 1; VG_GALLERY_LIMIT + 1: left out */
    uint64_t left_out;
} vg_gallery;

/* An IMAGE record. */
void vg_gallery_add(vg_gallery *gallery, const vg_record *record);
/* Appends what images there are, and as many of each tag as fit beside each other. */
void vg_show_images(vg_text *out, const vg_gallery *gallery, vg_style style);

/* ---- shared: text in columns */

/* `text` in bold, or as it is. */
void vg_show_title(vg_text *out, const char *text, vg_style style);
/* Characters, not bytes. */
uint32_t vg_show_width(const char *text);
uint32_t vg_show_width_of(const char *text, size_t length);      /* of so many bytes */
/* `text` in exactly `width` characters, its beginning cut when it is longer. */
void vg_show_label(vg_text *out, const char *text, uint32_t width, vg_style style);
/* The line that says which rows were left out; nothing when none were. */
void vg_show_thinned(vg_text *out, const vg_family *family, vg_style style);

#endif
