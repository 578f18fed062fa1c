/* Source texts: model files, library files, and what the command line gives (--set, --summary). All texts lie
 * behind each other in one space of 32-bit offsets, so that a span is two numbers and names its file by itself. */
#ifndef VG_DIAG_SOURCE_H
#define VG_DIAG_SOURCE_H

#include "base/arena.h"
#include "base/vec.h"

/* Half open; {0, 0} is no place. */
typedef struct vg_span { uint32_t begin, end; } vg_span;

typedef enum vg_source_kind { VG_SOURCE_MODEL, VG_SOURCE_LIBRARY, VG_SOURCE_OPTION } vg_source_kind;

typedef struct vg_source {
    const char    *name;     /* as messages show it: "models/a.nn", "std/losses.nn", "--set act" */
    const char    *text;     /* NUL-terminated, `length` bytes before that */
    uint32_t       base;     /* the offset of text[0] */
    uint32_t       length;
    vg_source_kind kind;
} vg_source;

typedef struct vg_sources {
    vg_arena          *arena;
    VG_VEC(vg_source)  list;   /* by rising base; list.items[0] is a dummy of length 0 */
} vg_sources;

typedef struct vg_position { const vg_source *source; uint32_t line, column; } vg_position;   /* from 1 */

enum { VG_SOURCE_LIMIT = 16 << 20 };   /* bytes of one file */

void vg_sources_init(vg_sources *sources, vg_arena *arena);
/* Copies name and text. Returns its index, or 0 when the space of 2^31 bytes is full. */
uint32_t vg_sources_add(vg_sources *sources, vg_source_kind kind, const char *name, const char *text, size_t length);
const vg_source *vg_sources_at(const vg_sources *sources, uint32_t offset);   /* NULL for no place */
/* The column counts characters (UTF-8 code points), not bytes. */
vg_position vg_sources_position(const vg_sources *sources, uint32_t offset);

#endif
