/* vgraph doctor FILE.nn: what is wrong with a network, and what to change. */
#include <string.h>
#include <unistd.h>

#include "cli.h"

typedef struct watchers { vg_sink *terminal, *json; } watchers;

static bool watch(void *user, const vg_record *record) {
    const watchers *all = user;
    const bool shown = !all->terminal || vg_sink_watch(all->terminal, record);
    return (!all->json || vg_sink_watch(all->json, record)) && shown;
}

static bool open_sinks(watchers *all, const vg_cli_options *options) {
    const char *error = "there is not enough memory";
    if (options->jsonl && !(all->json = vg_sink_json(options->jsonl, &error))) {
        vg_cli_complain("cannot write '%s': %s", options->jsonl, error);
        return false;
    }
    const bool taken = options->jsonl && strcmp(options->jsonl, "-") == 0;
    vg_cli_stream *stream = taken ? options->messages : options->output;
    const vg_terminal_options terminal = { .progress = vg_cli_is_terminal(stderr) ? STDERR_FILENO : -1,
                                           .live = vg_cli_is_terminal(stderr),
                                           .diagnose = true,
                                           .colour = vg_cli_has_colour(options, stream->file),
                                           .unicode = vg_cli_has_unicode(),
                                           .columns = vg_cli_columns(stream->file, 100),
                                           .write = vg_cli_write,
                                           .user = stream };
    all->terminal = vg_sink_terminal(&terminal);
    if (!all->terminal) {
        vg_cli_complain("%s", error);
    }
    return all->terminal != NULL;
}

static vg_status close_sink(vg_sink *sink, const char *what) {
    const char *error;
    if (vg_sink_close(sink, &error)) {
        return VG_OK;
    }
    vg_cli_complain("cannot write %s: %s", what, error);
    return VG_FAILED_RESOURCE;
}

static vg_status look(const vg_cli_options *options, vg_model *model) {
    enum { MOST = 200 };      /* steps, where none are asked for */
    watchers all = { 0 };
    vg_run_options run_options = { .steps = options->steps,
                                   .seed = options->seed,
                                   .has_seed = options->has_seed,
                                   .float64 = options->float64,
                                   .threads = (uint32_t)options->threads,
                                   .watch = watch,
                                   .user = &all };
    vg_run *run;
    vg_status status = vg_run_new(model, &run_options, &run);
    if (status == VG_OK && options->steps == 0 && vg_run_steps(run) > MOST) {
        vg_run_free(run);
        run_options.steps = MOST;
        status = vg_run_new(model, &run_options, &run);
    }
    if (status != VG_OK) {
        return status;
    }
    status = open_sinks(&all, options) ? vg_run_all(run, NULL) : VG_FAILED_RESOURCE;
    status = vg_cli_worse(status, close_sink(all.terminal, "to the terminal"));
    status = vg_cli_worse(status, close_sink(all.json, options->jsonl));
    vg_run_free(run);
    return status;
}

vg_status vg_cli_doctor(const vg_cli_options *options) {
    vg_model *model;
    vg_status status = vg_cli_load(options, options->arguments[0], NULL, 0, VG_WATCH_ALL, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    status = look(options, model);
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
