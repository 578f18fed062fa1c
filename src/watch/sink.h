/* A sink is a ready-made watcher: it gets a run's records and leaves them somewhere. Each kind is one file with a
 * constant vg_sink_kind; the entry points of sink.c set the escape of the sink's own memory, so that a kind never
 * checks an allocation.
 *
 * A kind's functions return false after setting sink->error to a text that outlives the sink (a constant one, or
 * vg_sink_reason's). */
#ifndef VG_WATCH_SINK_H
#define VG_WATCH_SINK_H

#include "base/arena.h"
#include "base/file.h"
#include "vgraph.h"

typedef struct vg_sink_kind {
    size_t size;                                              /* of the kind's struct; its first member is a vg_sink */
    bool (*open)(vg_sink *sink, const void *options);         /* only what the kind adds; the rest is zero */
    bool (*watch)(vg_sink *sink, const vg_record *record);
    bool (*close)(vg_sink *sink);                             /* flush; memory and files are released afterwards */
} vg_sink_kind;

struct vg_sink {
    const vg_sink_kind *kind;
    vg_mem      mem;
    vg_disk     disk;
    const char *error;         /* why something failed: the first reason stays */
    const char *note;          /* what the sink leaves out, a constant text; NULL: nothing */
};

/* NULL with *error when it fails. */
vg_sink *vg_sink_new(const vg_sink_kind *kind, const void *options, const char **error);
/* Runs `body(sink, argument)` where a failed allocation may land; false then, too. */
bool vg_sink_guard(vg_sink *sink, bool (*body)(vg_sink *sink, const void *argument), const void *argument);
/* Notes why and returns false. */
bool vg_sink_fail(vg_sink *sink, const char *reason);
/* The text of an errno, constant. */
const char *vg_sink_reason(int error);
/* vg_file_replace: nobody ever sees half of the file. */
bool vg_sink_replace(vg_sink *sink, const char *path, const vg_piece *pieces, size_t count);
/* A copy in which bytes that are no UTF-8 have become U+FFFD: what the readers of our files insist on. */
const char *vg_sink_utf8(vg_arena *arena, const char *text, size_t length);

#endif
