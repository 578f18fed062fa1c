/* The parts of `vgraph sweep`: which runs there are (sweep_plan.c), the processes that do them (sweep_process.c), what
 * they left (sweep_result.c), and how it is shown (sweep_table.c, sweep_json.c). */
#ifndef VG_CLI_SWEEP_H
#define VG_CLI_SWEEP_H

#include <sys/types.h>

#include "cli.h"

enum { VG_CLI_SWEEP_MOST = 1000 };

/* One --set and the values to try. */
typedef struct vg_cli_setting { const char *name; char **values; size_t count; } vg_cli_setting;

/* The last value of a scalar; a column of the table by (tag, test). */
typedef struct vg_cli_value { const char *tag; bool test; uint64_t step; double value; } vg_cli_value;

typedef enum vg_cli_run_state { VG_CLI_WAITING, VG_CLI_RUNNING, VG_CLI_ENDED } vg_cli_run_state;

typedef struct vg_cli_buffer { char *bytes; size_t length, capacity; } vg_cli_buffer;

typedef struct vg_cli_sweep_run {
    char          *name;          /* "act=relu,depth=8": the settings that differ between runs */
    char          *folder;
    const char   **values;        /* by setting */
    vg_cli_run_state state;
    pid_t          process;
    int            messages, lines;   /* descriptors of what it says, and of its JSON lines; -1: closed */
    vg_cli_buffer  said, line;        /* said: its messages; line: the beginning of a JSON line */
    vg_status      status;        /* once it has ended */
    int            signal;        /* that ended it; 0: none */
    /* from its folder: */
    bool           read;
    uint64_t       steps;
    double         seconds;
    vg_cli_value  *scalars;       /* tags are the sweep's */
    size_t         scalar_count;
    char          *fault;         /* the rule of the first fault; NULL: none */
} vg_cli_sweep_run;

typedef struct vg_cli_grid {
    const vg_cli_options *options;
    const char       *model;
    char             *folder;
    vg_cli_setting   *settings;
    size_t            setting_count;
    vg_cli_sweep_run *runs;       /* in the order of the combinations: the last setting changes fastest */
    size_t            run_count;
    uint32_t          jobs, threads;   /* processes at a time, and the threads of each */
    vg_cli_stream    *lines;      /* where JSON lines go; NULL: nowhere */
    vg_cli_stream     file;       /* that, where it is a file of its own */
    bool              interrupted;
} vg_cli_grid;

/* ---- sweep_plan.c */

/* Splits the --set options and lists the combinations. VG_OK, or VG_FAILED_USAGE after saying why. */
vg_status vg_cli_sweep_plan(vg_cli_grid *sweep);
/* Gives each run its folder, once that of the sweep is known. */
void      vg_cli_sweep_name_folders(vg_cli_grid *sweep);
/* Whether this setting is what distinguishes runs. */
bool      vg_cli_sweep_varies(const vg_cli_grid *sweep, size_t setting);
void      vg_cli_sweep_free(vg_cli_grid *sweep);

/* ---- sweep_process.c: all runs; VG_FAILED_RESOURCE when JSON lines cannot be written: grid->lines tells why */
vg_status vg_cli_sweep_execute(vg_cli_grid *sweep);

/* ---- sweep_result.c */

/* Reads what an ended run has left in its folder. */
void        vg_cli_sweep_read(vg_cli_sweep_run *run);
/* "NaN loss", "SATURATED", "" when all is well; to be freed. */
char       *vg_cli_sweep_wrong(const vg_cli_sweep_run *run);
/* The exit status of the whole. */
vg_status   vg_cli_sweep_status(const vg_cli_grid *sweep);
/* What the runs that failed said, each thing once. */
void        vg_cli_sweep_show_failures(const vg_cli_grid *sweep, FILE *stream);

/* ---- sweep_table.c, sweep_json.c */

void vg_cli_sweep_show_table(const vg_cli_grid *sweep, FILE *stream, uint32_t columns);
/* sweep.json in the sweep's folder. False after saying why. */
bool vg_cli_sweep_write_json(const vg_cli_grid *sweep);

#endif
