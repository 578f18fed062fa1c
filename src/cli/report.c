/* vgraph report RUN...: report.html of one run, made again from its folder, or of several side by side. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "past.h"

/* ---- which runs */

typedef struct runs { vg_cli_past *list; size_t count; } runs;

/* The last part of a path. */
static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Takes both texts over. */
static void add_run(runs *all, char *folder, char *name) {
    all->list = vg_cli_resize(all->list, all->count + 1, sizeof *all->list);
    all->list[all->count++] = (vg_cli_past){ folder, name };
}

/* A sweep's folder stands for its runs that have left something. False after saying why. */
static bool add_sweep(runs *all, const char *folder, const char *path) {
    json_error_t error;
    json_t *sweep = json_load_file(path, 0, &error);
    if (!sweep) {
        vg_cli_complain("%s: byte %d: %s", path, error.position, error.text);
        return false;
    }
    size_t i;
    json_t *run;
    json_array_foreach(json_object_get(sweep, "runs"), i, run) {
        const char *name = json_string_value(json_object_get(run, "run"));
        const char *own = json_string_value(json_object_get(run, "folder"));
        char *whole = vg_cli_format("%s/%s", folder, own ? own : "");
        char *journal = vg_cli_format("%s/run.json", whole);
        if (name && own && access(journal, R_OK) == 0) {
            add_run(all, whole, vg_cli_format("%s", name));
        } else {
            free(whole);
        }
        free(journal);
    }
    json_decref(sweep);
    return true;
}

static bool list_runs(const vg_cli_options *options, runs *all) {
    bool fine = true;
    for (int i = 0; i < options->argument_count && fine; i++) {
        char *folder = vg_cli_format("%s", options->arguments[i]);
        for (size_t length = strlen(folder); length > 1 && folder[length - 1] == '/'; length--) {
            folder[length - 1] = '\0';
        }
        char *sweep = vg_cli_format("%s/sweep.json", folder);
        if (access(sweep, F_OK) == 0) {
            fine = add_sweep(all, folder, sweep);
            free(folder);
        } else {
            add_run(all, folder, vg_cli_format("%s", base_of(folder)));
        }
        free(sweep);
    }
    return fine;
}

/* ---- several */

/* The folder that holds all of them, or this one. */
static char *common_folder(const runs *all) {
    const char *first = all->list[0].folder, *slash = strrchr(first, '/');
    const size_t length = slash ? (size_t)(slash - first) : 0;
    for (size_t i = 1; i < all->count; i++) {
        const char *folder = all->list[i].folder, *own = strrchr(folder, '/');
        if (!slash || !own || (size_t)(own - folder) != length || strncmp(folder, first, length) != 0) {
            return vg_cli_format(".");
        }
    }
    return slash ? vg_cli_format("%.*s", (int)length, first) : vg_cli_format(".");
}

/* A path as part of an address. */
static char *quoted(const char *path) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/=,()+@";
    char *made = vg_cli_alloc(3 * strlen(path) + 1, 1), *to = made;
    for (; *path; path++) {
        to += strchr(plain, *path) ? snprintf(to, 2, "%c", *path) : snprintf(to, 4, "%%%02X", (unsigned char)*path);
    }
    return made;
}

/* The run's own report, as seen from `out`; NULL: it has none. */
static char *link_of(const char *folder, const char *out) {
    const size_t length = strlen(out);
    char *report = vg_cli_format("%s/report.html", folder), *whole = realpath(report, NULL), *link = NULL;
    if (whole && strncmp(report, out, length) == 0 && report[length] == '/') {
        link = quoted(report + length + 1);
    } else if (whole) {
        char *address = quoted(whole);
        link = vg_cli_format("file://%s", address);
        free(address);
    }
    free(report);
    free(whole);
    return link;
}

bool vg_cli_report_runs(const char *out, const vg_cli_past *list, size_t count) {
    vg_report_run *told = vg_cli_alloc(count, sizeof *told);
    const char *error = NULL;
    bool fine = true;
    for (size_t i = 0; i < count; i++) {
        told[i] = (vg_report_run){ list[i].name, NULL, NULL };
        if (!list[i].folder) {
            continue;
        }
        told[i] = (vg_report_run){ list[i].name, link_of(list[i].folder, out), vg_archive_open(list[i].folder) };
        error = told[i].archive ? vg_archive_error(told[i].archive) : "there is not enough memory";
        if (error) {
            vg_cli_complain("%s", error);
            fine = false;
        }
    }
    if (fine && !vg_report_runs(out, told, count, &error)) {
        vg_cli_complain("cannot make '%s/report.html': %s", out, error);
        fine = false;
    }
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)told[i].link);
        vg_archive_close(told[i].archive);
    }
    free(told);
    return fine;
}

/* ---- one */

/* "--set depth=8", as run.json keeps it. */
static vg_status change_again(vg_model *model, const char *text) {
    const char *blank = strchr(text, ' '), *equals = strchr(text, '=');
    vg_status status = VG_OK;
    if (blank && strncmp(text, "--summary ", 10) == 0) {
        return vg_model_summary(model, blank + 1);
    }
    if (blank && equals > blank) {
        char *name = vg_cli_format("%.*s", (int)(equals - blank - 1), blank + 1);
        status = strncmp(text, "--set ", 6) == 0 ? vg_model_set(model, name, equals + 1)
               : strncmp(text, "--data ", 7) == 0 ? vg_model_data(model, name, equals + 1) : VG_OK;
        free(name);
    }
    return status;
}

/* The model as it was run: the page shows its graph. */
static vg_status load_again(vg_model *model, const vg_archive_info *info) {
    vg_status status = info->batch ? vg_model_batch(model, info->batch) : VG_OK;
    for (size_t i = 0; i < info->override_count; i++) {
        status = vg_cli_worse(status, change_again(model, info->overrides[i]));
    }
    return status == VG_OK ? vg_model_load_text(model, info->model, info->source, strlen(info->source)) : status;
}

static vg_status replay(vg_archive *archive, vg_model *model, const char *out) {
    const vg_archive_info *info = vg_archive_info_of(archive);
    const vg_run_options run = { .seed = info->seed, .has_seed = true, .float64 = info->float64,
                                 .threads = info->threads };
    const vg_journal_options journal = { .overrides = info->overrides, .override_count = info->override_count,
                                         .run = &run, .archive = archive };
    const char *error = NULL;
    vg_sink *sink = vg_sink_report(out, model, &journal, &error);
    const bool replayed = sink && vg_archive_replay(archive, vg_sink_watch, sink);
    const bool written = !sink || vg_sink_close(sink, &error);
    error = error ? error : replayed ? NULL : vg_archive_error(archive);
    if (!replayed || !written) {
        vg_cli_complain("cannot make '%s/report.html': %s", out, error);
    }
    return replayed && written ? VG_OK : VG_FAILED_RESOURCE;
}

static vg_status report_run(const vg_cli_options *options, const vg_cli_past *past, const char *out) {
    vg_archive *archive = vg_archive_open(past->folder);
    vg_model *model = vg_model_new();
    const char *error = archive && model ? vg_archive_error(archive) : "there is not enough memory";
    vg_status status = VG_FAILED_RESOURCE;
    if (error) {
        vg_cli_complain("%s", error);
    } else {
        status = load_again(model, vg_archive_info_of(archive));
        vg_cli_explain(options, model, 0);
        status = status == VG_OK ? replay(archive, model, out) : status;
    }
    vg_model_free(model);
    vg_archive_close(archive);
    return status;
}

/* A run that came to its end has left its report, which tells more than its folder keeps. */
static bool has_report(const vg_cli_past *past) {
    char *path = vg_cli_format("%s/report.html", past->folder);
    const bool there = access(path, R_OK) == 0;
    free(path);
    return there;
}

static vg_status report_all(const vg_cli_options *options, const runs *all) {
    if (all->count == 0) {
        vg_cli_complain("the sweep has no run that has left anything");
        return VG_FAILED_RESOURCE;
    }
    char *out = options->out ? vg_cli_format("%s", options->out)
              : all->count == 1 ? vg_cli_format("%s", all->list[0].folder) : common_folder(all);
    const vg_status status = all->count == 1 && !options->out && has_report(&all->list[0]) ? VG_OK
                           : all->count == 1 ? report_run(options, &all->list[0], out)
                           : vg_cli_report_runs(out, all->list, all->count) ? VG_OK : VG_FAILED_RESOURCE;
    if (status == VG_OK) {
        fprintf(options->output->file, "%s/report.html\n", out);
    }
    free(out);
    return status;
}

vg_status vg_cli_report(const vg_cli_options *options) {
    runs all = { 0 };
    const vg_status status = list_runs(options, &all) ? report_all(options, &all) : VG_FAILED_RESOURCE;
    for (size_t i = 0; i < all.count; i++) {
        free(all.list[i].folder);
        free(all.list[i].name);
    }
    free(all.list);
    return status;
}
