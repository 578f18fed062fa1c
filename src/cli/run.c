/* vgraph run: trains a model and lets the sinks watch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { SINK_LIMIT = 5 };

/* path: what complaints name; NULL: standard output or error, which are told of at the end of the program. */
typedef struct named_sink {
    vg_sink    *sink;
    const char *path;
    bool        shows;         /* the whole of a run that goes on, not only what comes now */
} named_sink;
typedef struct watchers {
    named_sink  list[SINK_LIMIT];
    size_t      count;
    bool        quiet;
    vg_sink    *queue;         /* in front of the sinks in the list; NULL: there are none */
    const char *folder;        /* of a run that goes on; else NULL */
    uint64_t    from;          /* the step at which it does */
} watchers;

/* What a run that goes on has recorded before the step at which it does. */
static bool hand_earlier(void *user, const vg_record *record) {
    const watchers *all = user;
    const bool kept = record->kind == VG_RECORD_SCALAR || record->kind == VG_RECORD_HISTOGRAM ||
                      record->kind == VG_RECORD_IMAGE;
    for (size_t i = 0; i < all->count && kept && record->step < all->from; i++) {
        if (all->list[i].shows) {
            vg_sink_watch(all->list[i].sink, record);
        }
    }
    return true;
}

static void show_earlier(watchers *all, uint64_t from) {
    vg_archive *archive = vg_archive_open(all->folder);
    all->from = from;
    if (!archive || !vg_archive_replay(archive, hand_earlier, all)) {
        fprintf(stderr, "note: the report has the steps from %llu on: %s\n", (unsigned long long)from,
                archive ? vg_archive_error(archive) : "there is not enough memory");
    }
    vg_archive_close(archive);
}

/* All sinks see every record, also after one has failed. */
static bool hand_out(void *user, const vg_record *record) {
    watchers *all = user;
    bool fine = true;
    for (size_t i = 0; i < all->count; i++) {
        fine &= vg_sink_watch(all->list[i].sink, record);
    }
    if (record->kind == VG_RECORD_START && record->step > 0 && all->folder) {
        show_earlier(all, record->step + (record->step >= record->steps));      /* with what was recorded at the end */
    }
    if (all->quiet && record->kind == VG_RECORD_EXPECT && record->last && !record->ok) {
        vg_cli_complain("expect failed %llu times: %s", (unsigned long long)record->failures, record->tag);
    }
    return fine;
}

static bool watch(void *user, const vg_record *record) {
    const watchers *all = user;
    return all->queue ? vg_sink_watch(all->queue, record) : hand_out(user, record);
}

static void complain_about(const char *path, const char *error) {
    if (path && strcmp(path, "-") == 0 && strcmp(error, strerror(EPIPE)) == 0) {
        return;      /* whoever read it has gone, and knows */
    }
    if (path && strcmp(path, "-") == 0) {
        vg_cli_complain("cannot write to standard output: %s", error);
    } else if (path) {
        vg_cli_complain("cannot write '%s': %s", path, error);
    }
}

/* error: where the sink's maker left why; read only now that it has been called. */
static bool add_sink(watchers *all, vg_sink *sink, const char *path, const char *const *error) {
    if (!sink) {
        complain_about(path, *error);
        return false;
    }
    if (vg_sink_note(sink) && !all->quiet) {
        fprintf(stderr, "note: %s\n", vg_sink_note(sink));
    }
    all->list[all->count++] = (named_sink){ sink, path, false };
    return true;
}

/* The summary goes to standard output, unless JSON lines do. */
static vg_sink *terminal_sink(const vg_cli_options *options, bool files) {
    vg_cli_stream *stream = options->jsonl && strcmp(options->jsonl, "-") == 0 ? options->messages : options->output;
    const vg_terminal_options terminal = {
        .progress = STDERR_FILENO, .live = vg_cli_is_terminal(stderr),
        .colour = vg_cli_has_colour(options, stream->file),
        .unicode = vg_cli_has_unicode(), .columns = vg_cli_columns(stream->file, 100),
        .progress_columns = vg_cli_columns(stderr, 0), .progress_rows = vg_cli_rows(stderr),
        .files = files, .write = vg_cli_write, .user = stream
    };
    return vg_sink_terminal(&terminal);
}

/* The sinks that leave files in the run's folder. */
static bool add_file_sinks(watchers *all, const vg_cli_options *options, const vg_run_options *run, vg_model *model,
                           const char *folder) {
    const char *error = NULL;
    const char **overrides = vg_cli_alloc(options->change_count, sizeof *overrides);
    for (size_t i = 0; i < options->change_count; i++) {
        overrides[i] = options->changes[i].text;
    }
    const vg_journal_options journal = { overrides, options->change_count, options->command, run, NULL };
    const bool fine = add_sink(all, vg_sink_journal(folder, model, &journal, &error), folder, &error) &&
                      add_sink(all, vg_sink_tensorboard(folder, model, &error), folder, &error) &&
                      add_sink(all, vg_sink_report(folder, model, &journal, &error), folder, &error);
    if (fine) {
        all->list[all->count - 1].shows = true;
    }
    free(overrides);
    return fine;
}

/* `folder` is NULL when no files are wanted. */
static bool open_sinks(watchers *all, const vg_cli_options *options, const vg_run_options *run, vg_model *model,
                       const char *folder) {
    const char *error = "there is not enough memory";
    if (folder && !add_file_sinks(all, options, run, model, folder)) {
        return false;
    }
    if (options->jsonl && !add_sink(all, vg_sink_json(options->jsonl, &error), options->jsonl, &error)) {
        return false;
    }
    if (!options->quiet) {
        vg_sink *terminal = terminal_sink(options, folder != NULL);
        if (!terminal) {      /* it says no more than that */
            vg_cli_complain("%s", error);
            return false;
        }
        add_sink(all, terminal, NULL, &error);
        all->list[all->count - 1].shows = true;
    }
    if (all->count && !(all->queue = vg_sink_queue(hand_out, all, &error))) {
        vg_cli_complain("%s", error);
        return false;
    }
    return true;
}

/* The journal comes last: it notes the run's errors. */
static vg_status close_sinks(watchers *all) {
    vg_status status = VG_OK;
    const char *none;
    vg_sink_close(all->queue, &none);   /* of its own it has nothing to complain about */
    while (all->count) {
        const named_sink *last = &all->list[--all->count];
        const char *error;
        if (!vg_sink_close(last->sink, &error)) {
            complain_about(last->path, error);
            status = VG_FAILED_RESOURCE;
        }
    }
    return status;
}

/* Where files are left, and checkpoints; of a run that goes on, the folder that it is in. NULL: none, or with
 * *status. */
static char *make_folder(const vg_cli_options *options, const vg_model *model, vg_run *run, vg_status *status) {
    if (options->no_files) {
        return NULL;
    }
    char *folder = options->resume ? vg_cli_resume_folder(options, vg_model_name(model), status)
                                   : vg_cli_folder_make(options, "runs", vg_model_name(model), status);
    if (*status == VG_OK && options->out && !vg_cli_folder_create(folder)) {
        *status = VG_FAILED_RESOURCE;
    }
    if (*status == VG_OK && !vg_cli_folder_lock(folder)) {
        *status = VG_FAILED_RESOURCE;
    }
    if (*status == VG_OK && options->resume) {
        *status = vg_cli_resume(run, folder);
    }
    if (*status == VG_OK) {
        *status = vg_run_checkpoints(run, folder, options->checkpoint_every);
    }
    return folder;
}

/* A run that goes on, but has done all its steps and told of it: its exit status is that one's. */
static bool has_ended(const vg_cli_options *options, const vg_run *run, const char *folder, vg_status *status) {
    vg_archive *archive = options->resume ? vg_archive_open(folder) : NULL;
    const vg_archive_info *info = archive && !vg_archive_error(archive) ? vg_archive_info_of(archive) : NULL;
    /* Where something could not be written it is written now. */
    const bool told = info && info->done && info->status != VG_FAILED_RESOURCE;
    const bool ended = told && vg_run_done(run) >= vg_run_steps(run);
    if (ended) {
        *status = info->status;
        fprintf(stderr, "nothing is left to do: the run in %s has done %llu of %llu steps\n", folder,
                (unsigned long long)vg_run_done(run), (unsigned long long)vg_run_steps(run));
    }
    vg_archive_close(archive);
    return ended;
}

static vg_status train(const vg_cli_options *options, vg_model *model) {
    watchers all = { .quiet = options->quiet };
    const vg_run_options run_options = {
        .steps = options->steps, .seed = options->seed, .has_seed = options->has_seed, .float64 = options->float64,
        .threads = (uint32_t)options->threads, .no_fuse = options->no_fuse,
        .evidence = !options->no_files, .watch = watch, .user = &all
    };
    vg_run *run;
    vg_status status = vg_run_new(model, &run_options, &run);
    if (status != VG_OK) {
        return status;
    }
    if (!options->resume) {
        status = vg_cli_load_values(options, run);
    }
    char *folder = status == VG_OK ? make_folder(options, model, run, &status) : NULL;
    all.folder = options->resume ? folder : NULL;
    if (status == VG_OK && folder && has_ended(options, run, folder, &status)) {
        vg_run_free(run);
        free(folder);
        return status;
    }
    if (status == VG_OK && !open_sinks(&all, options, &run_options, model, folder)) {
        status = VG_FAILED_RESOURCE;
    }
    if (status == VG_OK) {
        status = vg_run_all(run, vg_cli_stop_listen());
        if (folder && !options->quiet) {
            vg_cli_flush(options->output);
            fprintf(stderr, "the run is in %s: see %s/report.html\n", folder, folder);
        }
    }
    status = vg_cli_worse(status, close_sinks(&all));
    vg_run_free(run);
    free(folder);
    return status;
}

vg_status vg_cli_run(const vg_cli_options *options) {
    if (options->out && options->no_files) {
        return vg_cli_usage(options->verb, "--out and --no-files contradict each other");
    }
    if (options->no_files && (options->resume || options->checkpoint_every)) {
        return vg_cli_usage(options->verb, "--no-files and %s contradict each other",
                            options->resume ? "--resume" : "--checkpoint-every");
    }
    if (options->resume && options->load) {
        return vg_cli_usage(options->verb, "--resume goes on with the run's own values, and --load begins with others");
    }
    if (options->dump_count && options->jsonl && strcmp(options->jsonl, "-") == 0) {
        return vg_cli_usage(options->verb, "--dump and --jsonl - would both write to standard output");
    }
    vg_model *model;
    const vg_watching watching = options->no_watch ? VG_WATCH_NOTHING : VG_WATCH_SOME;
    vg_status status = vg_cli_load(options, options->arguments[0], NULL, 0, watching, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    status = train(options, model);
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
