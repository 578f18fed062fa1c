/* vgraph sweep FILE.nn --set NAME=A,B,...: all combinations of settings, each a run, in one table. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "past.h"
#include "sweep.h"

/* Cores that no run of its own takes are shared out: the bits are the same on any number of threads. */
static void share_cores(vg_cli_grid *sweep) {
    const uint32_t cores = vg_cores();
    const uint64_t asked = sweep->options->jobs ? sweep->options->jobs : cores;
    sweep->jobs = (uint32_t)(asked < sweep->run_count ? asked : sweep->run_count);
    sweep->threads = cores > sweep->jobs ? cores / sweep->jobs : 1;
}

/* The lines are appended, as a run's are. */
static bool open_lines(vg_cli_grid *sweep) {
    const char *path = sweep->options->jsonl;
    if (!path) {
        return true;
    }
    if (strcmp(path, "-") == 0) {
        sweep->lines = sweep->options->output;
        return true;
    }
    sweep->lines = &sweep->file;
    sweep->file.file = fopen(path, "ae");
    if (!sweep->file.file) {
        vg_cli_complain("cannot write '%s': %s", path, strerror(errno));
    }
    return sweep->file.file != NULL;
}

/* Of standard output the end of the program tells. */
static vg_status close_lines(vg_cli_grid *sweep) {
    vg_cli_stream *own = &sweep->file;
    if (own->file && fclose(own->file) != 0 && !own->error) {
        own->error = errno;
    }
    if (own->error) {
        vg_cli_complain("cannot write '%s': %s", sweep->options->jsonl, strerror(own->error));
    }
    return own->error ? VG_FAILED_RESOURCE : VG_OK;
}

/* About the runs that have left something; the others are named. */
static bool write_report(const vg_cli_grid *sweep) {
    vg_cli_past *list = vg_cli_alloc(sweep->run_count, sizeof *list);
    bool some = false;
    for (size_t k = 0; k < sweep->run_count; k++) {
        const vg_cli_sweep_run *run = &sweep->runs[k];
        list[k] = (vg_cli_past){ run->read ? run->folder : NULL, run->name };
        some = some || run->read;
    }
    const bool fine = !some || vg_cli_report_runs(sweep->folder, list, sweep->run_count);
    free(list);
    return fine;
}

static vg_status show_results(vg_cli_grid *sweep) {
    const vg_cli_options *options = sweep->options;
    vg_cli_stream *stream = sweep->lines == options->output ? options->messages : options->output;
    const bool told = write_report(sweep);
    vg_cli_sweep_show_failures(sweep, stderr);
    if (!options->quiet) {
        vg_cli_sweep_show_table(sweep, stream->file, vg_cli_columns(stream->file, 80));
        vg_cli_flush(stream);
        fprintf(stderr, "the sweep is in %s: see %s/report.html\n", sweep->folder, sweep->folder);
    }
    return vg_cli_sweep_write_json(sweep) && told ? VG_OK : VG_FAILED_RESOURCE;
}

static vg_status run_all(vg_cli_grid *sweep) {
    vg_status status = VG_OK;
    sweep->folder = vg_cli_folder_make(sweep->options, "sweeps", sweep->model, &status);
    if (!sweep->folder) {
        return status;
    }
    vg_cli_sweep_name_folders(sweep);
    if (!vg_cli_folder_create(sweep->folder) || !open_lines(sweep)) {
        return VG_FAILED_RESOURCE;
    }
    status = vg_cli_sweep_execute(sweep);
    status = vg_cli_worse(status, close_lines(sweep));
    status = vg_cli_worse(status, show_results(sweep));
    return vg_cli_worse(status, vg_cli_sweep_status(sweep));
}

/* The first combination is loaded here: what is wrong with an option is said once, before anything is made. What else may
 * be wrong with it need not be so with the others. */
static vg_status try_options(const vg_cli_grid *sweep) {
    vg_cli_options options = *sweep->options;
    options.changes = vg_cli_alloc(options.change_count, sizeof *options.changes);
    size_t setting = 0;
    for (size_t i = 0; i < options.change_count; i++) {
        options.changes[i] = sweep->options->changes[i];
        if (options.changes[i].kind == VG_CLI_SET) {
            options.changes[i].value = sweep->settings[setting++].values[0];
        }
    }
    vg_model *model;
    vg_cli_stream nowhere = { fopen("/dev/null", "w"), 0 };
    vg_cli_options quiet = options;
    quiet.messages = nowhere.file ? &nowhere : options.messages;
    vg_status status = vg_cli_load(&quiet, sweep->model, NULL, 0, VG_WATCH_NOTHING, &model);
    if (status == VG_OK) {
        vg_model_free(model);
    }
    if (status == VG_FAILED_USAGE) {
        status = vg_cli_load(&options, sweep->model, NULL, 0, VG_WATCH_NOTHING, &model);
    } else {
        status = VG_OK;
    }
    if (nowhere.file) {
        fclose(nowhere.file);
    }
    free(options.changes);
    return status;
}

vg_status vg_cli_sweep(const vg_cli_options *options) {
    vg_cli_grid sweep = { .options = options, .model = options->arguments[0] };
    vg_status status = vg_cli_sweep_plan(&sweep);
    if (status == VG_OK && access(sweep.model, R_OK) != 0) {   /* else each run would say so */
        vg_cli_complain("'%s' cannot be read: %s", sweep.model, strerror(errno));
        status = VG_FAILED_RESOURCE;
    }
    status = status == VG_OK ? try_options(&sweep) : status;
    if (status == VG_OK) {
        share_cores(&sweep);
        status = run_all(&sweep);
    }
    vg_cli_sweep_free(&sweep);
    return status;
}
