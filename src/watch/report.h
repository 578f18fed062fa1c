/* The parts of the report sink: what is kept of a run's values (report_keep.c), how a distribution is stored
 * (report_cells.c), images (report_images.c), the graph (report_graph.c), and the page that shows them (report.c, with
 * the text of the page from src/watch/report).
 *
 * The page reads, besides JSON, one block of binary columns: little-endian, behind each other in the order of the
 * JSON's lists, zlib-compressed, base64. `real` is float64 in a float64 run, else float32.
 *   a curve of P points:  u32[P] steps since the point before, real[P] means; when a point is several records also
 *                         real[P] minima and real[P] maxima
 *   a film of F frames:   u32[F] steps since the frame before, real[F] mean, std, min, max each, u32[F] zeros,
 *                         u32[F] NaN and infinite ones, u32[F] all, i16[F] octave, u8[F] kept, then the cells:
 *                         2 * kept bytes for each frame */
#ifndef VG_WATCH_REPORT_H
#define VG_WATCH_REPORT_H

#include <jansson.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "ir/graph.h"
#include "ir/unit.h"
#include "vgraph.h"
#include "watch/sink.h"

/* ---- report_cells.c */

/* A distribution's magnitudes by sign, in cells that are counted inwards from the octave [2^o, 2^(o+1)) of the largest:
 * four to an octave, in the next eight two, then one, and one for all that is smaller. A byte is
 * 63 * sqrt(n / the most in a cell), rounded up. The innermost cells are left out while together they have less than
 * 1/512 of the elements, in both signs as many. */
enum { VG_CELLS_QUARTERS = 16, VG_CELLS_HALVES = 16, VG_CELLS_OCTAVES = 16,
       VG_CELLS = VG_CELLS_QUARTERS + VG_CELLS_HALVES + VG_CELLS_OCTAVES + 1 };

typedef struct vg_cells {
    int16_t octave;               /* o */
    uint8_t kept;                 /* cells of each sign; 0: there is nothing but zeros */
    uint8_t bytes[2 * VG_CELLS];  /* kept positive ones from the outside in, then kept negative ones */
} vg_cells;

void vg_cells_of(const vg_histogram *histogram, vg_cells *out);

/* ---- report_keep.c */

/* Scalars: beyond VG_CURVE_POINTS two neighbours become one point, so that no peak is lost. */
typedef struct vg_point { uint64_t step; double mean, min, max; } vg_point;   /* step: the first one's */
typedef struct vg_curve {
    const char *tag;
    bool     test;
    uint64_t seen, stride;        /* records that came; a point is so many */
    double   first, last;         /* values, of which means of several know nothing */
    VG_VEC(vg_point) points;
} vg_curve;

/* Histograms: when the packed bytes of all are too many, every second frame of the longest films goes, but not the
 * newest. */
typedef struct vg_frame {
    uint64_t step, index;         /* index: among those that came */
    double   mean, std, min, max;
    uint64_t count, zeros, lost;
    int16_t  octave;
    uint8_t  kept;
} vg_frame;
typedef struct vg_film {
    const char *tag;
    uint64_t seen, stride;
    VG_VEC(vg_frame) frames;
    VG_VEC(uint8_t)  cells;
} vg_film;

typedef struct vg_keep {
    vg_mem  *mem;
    vg_arena *arena;              /* for the tags */
    size_t   curve_points, film_bytes, curve_limit, film_limit;   /* in all; the limits of one curve and of all films */
    VG_VEC(vg_curve *) curves;
    VG_VEC(vg_film *)  films;
    vg_map   by_tag;              /* hash -> place + 1 in its list */
    uint64_t left_out;            /* records of tags beyond VG_KEEP_TAGS */
} vg_keep;

enum { VG_KEEP_TAGS = 4096, VG_CURVE_POINTS = 1 << 14, VG_CURVES_POINTS = 1 << 19, VG_FILM_LEAST = 64,
       VG_FILMS_BYTES = 14000000 };

void    vg_keep_init(vg_keep *keep, vg_arena *arena);
void    vg_keep_add(vg_keep *keep, const vg_record *record);   /* a SCALAR or HISTOGRAM record */
/* The columns, and what the page is told about them; NULL without memory, or a new reference. */
void    vg_keep_columns(const vg_keep *keep, bool wide, vg_text *out);
json_t *vg_keep_curves(const vg_keep *keep);
json_t *vg_keep_films(const vg_keep *keep);

/* ---- report_images.c: of each tag some, evenly, and the newest */

enum { VG_STILLS = 6, VG_ALBUM_BYTES = 6 << 20 };

typedef struct vg_still { uint64_t step, index; vg_image image; uint8_t *pixels; const char **png; } vg_still;
typedef struct vg_sequence {
    const char *tag;
    uint64_t seen, stride;
    VG_VEC(vg_still) stills;
} vg_sequence;
typedef struct vg_album {
    vg_arena *arena;              /* for tags and PNGs */
    size_t  bytes;
    uint64_t left_out;            /* records that there was no room for */
    VG_VEC(vg_sequence) list;
    vg_map  by_tag;
} vg_album;

void    vg_album_add(vg_album *album, const vg_record *record);
/* Fills in the stills' png, base64. False when libpng fails. */
bool    vg_album_pack(vg_album *album);
json_t *vg_album_list(const vg_album *album);

/* ---- report_graph.c */

/* The graph's nodes as columns (the page's graph.js reads them); *missing says why there are none, a constant text.
 * Texts are made in the arena before the first JSON object: vg_report_graph, then vg_report_graph_object. */
typedef struct vg_report_graph vg_report_graph;
vg_report_graph *vg_report_graph_of(const vg_unit *unit, vg_arena *arena, const char **missing);
json_t *vg_report_graph_object(const vg_report_graph *graph);

/* ---- the pages, of one run and of several: before the data, and behind it; made by src/watch/report/embed.cmake */
extern const char vg_report_head[], vg_report_tail[], vg_report_runs_head[], vg_report_runs_tail[];
extern const size_t vg_report_head_length, vg_report_tail_length, vg_report_runs_head_length,
                    vg_report_runs_tail_length;

/* ---- report_write.c */

typedef struct vg_report_page {
    const char *head;
    size_t      head_length;
    const char *tail;
    size_t      tail_length;
} vg_report_page;
/* Writes the file. Takes `data` over (NULL is without memory) and frees the columns' text. */
bool vg_report_write(vg_sink *sink, vg_arena *arena, const char *path, const vg_report_page *page, json_t *data,
                     vg_text *columns);

#endif
