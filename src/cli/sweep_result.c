/* What the runs of a sweep have come to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "series.h"
#include "sweep.h"

/* The first fault that is nothing else's consequence, or else the first fault. */
static const char *first_fault(const vg_archive_info *info) {
    const char *fault = NULL;
    for (size_t i = 0; i < info->finding_count; i++) {
        const vg_finding *finding = &info->findings[i];
        if (finding->severity != VG_SEVERITY_FAULT) {
            continue;
        }
        if (!finding->follows) {
            return finding->rule;
        }
        fault = fault ? fault : finding->rule;
    }
    return fault;
}

static void take_scalars(vg_cli_sweep_run *run, const vg_cli_log *log) {
    run->scalars = vg_cli_alloc(log->count, sizeof *run->scalars);
    for (int test = 0; test < 2; test++) {
        for (size_t i = 0; i < log->count; i++) {
            const vg_cli_series *series = &log->series[i];
            if (series->kind == VG_RECORD_SCALAR && series->test == test) {
                const vg_cli_point *last = &series->points[series->count - 1];
                run->scalars[run->scalar_count++] = (vg_cli_value){ vg_cli_format("%s", series->tag), test, last->step,
                                                                    last->value };
            }
        }
    }
}

/* A run that did not come so far has left nothing. */
void vg_cli_sweep_read(vg_cli_sweep_run *run) {
    struct stat status;
    char *path = vg_cli_format("%s/run.json", run->folder);
    const bool there = stat(path, &status) == 0;
    free(path);
    if (!there) {
        return;
    }
    vg_cli_log log;
    if (vg_cli_log_read(&log, run->folder)) {
        const char *fault = first_fault(log.info);
        run->read = true;
        run->steps = log.info->steps_done;
        run->seconds = log.info->seconds;
        run->fault = fault ? vg_cli_format("%s", fault) : NULL;
        take_scalars(run, &log);
    } else {
        run->status = vg_cli_worse(run->status, VG_FAILED_RESOURCE);
    }
    vg_cli_log_free(&log);
}

static const char *status_text(const vg_cli_sweep_run *run) {
    if (run->state == VG_CLI_WAITING) {
        return "not run";
    }
    switch (run->status) {
    case VG_OK:              return "";
    case VG_FAILED_MODEL:    return "wrong model";
    case VG_FAILED_USAGE:    return "wrong option";
    case VG_FAILED_EXPECT:   return "expect failed";
    case VG_FAILED_RESOURCE: return run->signal ? "killed" : "data, disk or memory";
    case VG_FAILED_NUMBERS:  return "NaN loss";
    case VG_INTERRUPTED:     return "interrupted";
    }
    return "ended unexpectedly";
}

char *vg_cli_sweep_wrong(const vg_cli_sweep_run *run) {
    const char *status = status_text(run);
    return vg_cli_format("%s%s%s", status, *status && run->fault ? ": " : "", run->fault ? run->fault : "");
}

vg_status vg_cli_sweep_status(const vg_cli_grid *sweep) {
    vg_status status = sweep->interrupted ? VG_INTERRUPTED : VG_OK;
    for (size_t k = 0; k < sweep->run_count; k++) {
        if (sweep->runs[k].state == VG_CLI_ENDED) {
            status = vg_cli_worse(status, sweep->runs[k].status);
        }
    }
    return status;
}

/* The first run that said the same. */
static const vg_cli_sweep_run *said_before(const vg_cli_grid *sweep, size_t run) {
    for (size_t k = 0; k < run; k++) {
        if (sweep->runs[k].said.length && strcmp(sweep->runs[k].said.bytes, sweep->runs[run].said.bytes) == 0) {
            return &sweep->runs[k];
        }
    }
    return NULL;
}

void vg_cli_sweep_show_failures(const vg_cli_grid *sweep, FILE *stream) {
    enum { MOST = 10 };
    size_t shown = 0;
    for (size_t k = 0; k < sweep->run_count; k++) {
        const vg_cli_sweep_run *run = &sweep->runs[k];
        if (run->said.length == 0 || said_before(sweep, k) || shown++ >= MOST) {
            continue;
        }
        fprintf(stream, "%s:\n%s%s", run->name, run->said.bytes,
                run->said.bytes[run->said.length - 1] == '\n' ? "" : "\n");
    }
    if (shown > MOST) {
        fprintf(stream, "and %zu runs more that said something else\n", shown - MOST);
    }
}
