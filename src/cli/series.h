/* What a run's folder holds, by tag: for the verbs that read runs again (sweep, diff). */
#ifndef VG_CLI_SERIES_H
#define VG_CLI_SERIES_H

#include "cli.h"

typedef struct vg_cli_point {
    uint64_t step;
    double   value;         /* a scalar's; a histogram's rms; 0 of images */
    uint64_t digest;        /* of all that the record says: equal records have equal ones */
} vg_cli_point;

typedef struct vg_cli_series {
    char          *tag;
    vg_record_kind kind;    /* SCALAR, HISTOGRAM, IMAGE */
    bool           test;
    vg_cli_point  *points;
    size_t         count, capacity;
} vg_cli_series;

typedef struct vg_cli_log {
    vg_archive    *archive;      /* NULL: it could not be read */
    const vg_archive_info *info;
    vg_cli_series *series;       /* in order of appearance */
    size_t         count, capacity, next;
} vg_cli_log;

/* Reads `folder`. False after saying why. To be freed in any case. */
bool vg_cli_log_read(vg_cli_log *log, const char *folder);
void vg_cli_log_free(vg_cli_log *log);
/* The series of that name and kind, looked for from the place `near` on; NULL: there is none. */
const vg_cli_series *vg_cli_log_find(const vg_cli_log *log, const vg_cli_series *like, size_t near);

/* The place of the least (-1) or greatest (1) value of a series; its count: all are NaN. */
size_t vg_cli_series_best(const vg_cli_series *series, int direction);

#endif
