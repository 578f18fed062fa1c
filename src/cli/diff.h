/* The parts of `vgraph diff`. */
#ifndef VG_CLI_DIFF_H
#define VG_CLI_DIFF_H

#include "series.h"

/* ---- diff_lines.c: "- 3  a line of a's", "+ 3  a line of b's" */
void vg_cli_diff_lines(FILE *stream, const char *a, const char *b);

/* ---- diff_values.c: shows the values that differ; true when none does */
bool vg_cli_diff_values(FILE *stream, const vg_cli_log *a, const vg_cli_log *b);

#endif
