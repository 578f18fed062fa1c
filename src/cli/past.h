/* Runs that are over, shown side by side (report.c). */
#ifndef VG_CLI_PAST_H
#define VG_CLI_PAST_H

#include "cli.h"

/* folder NULL: of a run that did not come to be. */
typedef struct vg_cli_past { char *folder, *name; } vg_cli_past;

/* report.html in `out`, about several runs. False after saying why. */
bool vg_cli_report_runs(const char *out, const vg_cli_past *list, size_t count);

#endif
