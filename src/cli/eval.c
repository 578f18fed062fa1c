/* vgraph eval: the scalar summaries over the test split, with the values of a checkpoint. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct values { char **tags; double *values; size_t count; vg_sink *json; } values;

static bool watch(void *user, const vg_record *record) {
    values *all = user;
    if (record->kind != VG_RECORD_SCALAR) {
        return true;
    }
    all->tags = vg_cli_resize(all->tags, all->count + 1, sizeof *all->tags);
    all->values = vg_cli_resize(all->values, all->count + 1, sizeof *all->values);
    all->tags[all->count] = vg_cli_format("%s", record->tag);
    all->values[all->count++] = record->value;
    return !all->json || vg_sink_watch(all->json, record);
}

static void show(const vg_cli_options *options, const values *all, uint64_t examples) {
    FILE *stream = options->jsonl && strcmp(options->jsonl, "-") == 0 ? stderr : stdout;
    int widest = 0;
    for (size_t i = 0; i < all->count; i++) {
        const int width = (int)strlen(all->tags[i]);
        widest = width > widest ? width : widest;
    }
    fprintf(stream, "%llu test examples\n", (unsigned long long)examples);
    for (size_t i = 0; i < all->count; i++) {
        fprintf(stream, "  %-*s  %.6g\n", widest, all->tags[i], all->values[i]);
    }
}

static vg_status evaluate(const vg_cli_options *options, vg_model *model, values *all) {
    const vg_run_options run_options = { .steps = 1, .float64 = options->float64, .threads = (uint32_t)options->threads,
                                         .evaluation = true, .watch = watch, .user = all };
    vg_run *run;
    uint64_t examples;
    vg_status status = vg_run_new(model, &run_options, &run);
    if (status != VG_OK) {
        return status;
    }
    status = vg_cli_load_values(options, run);
    if (status == VG_OK) {
        status = vg_run_test(run, &examples);
    }
    if (status == VG_OK) {
        show(options, all, examples);
    }
    vg_run_free(run);
    return status;
}

vg_status vg_cli_eval(const vg_cli_options *options) {
    values all = { 0 };
    vg_model *model;
    const char *error = NULL;
    vg_status status = vg_cli_needs_values(options);
    if (status == VG_OK) {
        status = vg_cli_load(options, options->arguments[0], NULL, 0, VG_WATCH_NOTHING, &model);
    }
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    if (options->jsonl && !(all.json = vg_sink_json(options->jsonl, &error))) {
        vg_cli_complain("cannot write '%s': %s", options->jsonl, error);
        status = VG_FAILED_RESOURCE;
    }
    if (status == VG_OK) {
        status = evaluate(options, model, &all);
    }
    if (!vg_sink_close(all.json, &error)) {
        vg_cli_complain("cannot write '%s': %s", options->jsonl, error);
        status = vg_cli_worse(status, VG_FAILED_RESOURCE);
    }
    vg_cli_explain(options, model, known);
    for (size_t i = 0; i < all.count; i++) {
        free(all.tags[i]);
    }
    free(all.tags);
    free(all.values);
    vg_model_free(model);
    return status;
}
