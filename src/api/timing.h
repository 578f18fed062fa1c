/* What the files share that find out where a step's time goes (timing.c: the clock; timing_rows.c: whose time). */
#ifndef VG_API_TIMING_H
#define VG_API_TIMING_H

#include "api/run.h"
#include "run/limit.h"

/* By line of the profile (run/profile.h): per step, on average over all kinds of steps. */
typedef struct vg_line { double calls, seconds; } vg_line;

/* How many lines the run's programs have; tells each which are its own. */
uint32_t vg_timing_lines(vg_run *run);
/* The rows of the lines in which something happened: those of the programs, then the others. Allocated from the run's
 * memory; the texts are the model's. */
vg_timing_row *vg_timing_rows(vg_run *run, const vg_line *lines, const vg_limits *limits, size_t *count);

#endif
