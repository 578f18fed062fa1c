/* The parts of reading a run's folder again: run.json (archive_info.c), event files (archive_events.c), and what a
 * value of theirs means (archive_values.c).
 *
 * Functions return false after vg_archive_fail, which keeps the first reason. */
#ifndef VG_WATCH_ARCHIVE_H
#define VG_WATCH_ARCHIVE_H

#include <jansson.h>

#include "base/arena.h"
#include "base/vec.h"
#include "tensorboard.pb-c.h"
#include "vgraph.h"

typedef struct vg_archive_expect { const char *text; uint64_t failures; } vg_archive_expect;

struct vg_archive {
    vg_mem      mem;
    vg_arena    arena;               /* for what lives as long */
    vg_archive_info info;
    json_t     *json;                /* run.json */
    VG_VEC(vg_archive_expect) expects;
    const char *error;
};

bool vg_archive_fail(vg_archive *archive, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- archive_info.c: fills in info and expects from run.json */

bool vg_archive_read_info(vg_archive *archive);

/* ---- archive_events.c: the event files of one folder, one behind the other */

typedef struct vg_event_stream {
    vg_archive  *archive;
    vg_arena     arena;              /* for the event */
    VG_VEC(const char *) paths;      /* in the order of their names, which begin with the time */
    VG_VEC(uint64_t) limits;         /* by path: events of this step and behind it were run again in a later file */
    uint32_t     next;               /* of the paths */
    void        *handle;             /* of the open file; NULL: none is */
    void        *file;               /* the FILE */
    uint64_t     at, size;           /* bytes: of the event, of the file */
    uint64_t     end;                /* behind the event */
    VgTb__Event *event;              /* NULL: there is no further one */
} vg_event_stream;

/* *found: the folder has event files. */
bool vg_event_stream_open(vg_event_stream *stream, vg_archive *archive, const char *folder, bool *found);
/* The next event with values, or none. The one before it is gone. */
bool vg_event_stream_next(vg_event_stream *stream);
void vg_event_stream_close(vg_event_stream *stream);
/* vg_archive_fail with the file and the event's first byte. */
bool vg_event_stream_fail(const vg_event_stream *stream, const char *what);

/* ---- archive_values.c */

typedef struct vg_replay { vg_watch watch; void *user; } vg_replay;

/* Hands on the records of the stream's event. False also when the watcher says so. */
bool vg_event_replay(vg_event_stream *stream, bool test, const vg_replay *replay);

#endif
