/* Loads a model with what the options change, and shows its diagnostics. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

static vg_status apply_change(vg_model *model, const vg_cli_change *change) {
    switch (change->kind) {
    case VG_CLI_SET:     return vg_model_set(model, change->name, change->value);
    case VG_CLI_DATA:    return vg_model_data(model, change->name, change->value);
    case VG_CLI_SUMMARY: return vg_model_summary(model, change->value);
    case VG_CLI_INPUT:   return vg_model_input(model, change->name, change->value);
    }
    return VG_OK;
}

char *vg_cli_checkpoint_path(const char *path) {
    static const char end[] = ".safetensors";
    const size_t length = strlen(path);
    struct stat status;
    if (length >= sizeof end && strcmp(path + length - (sizeof end - 1), end) == 0) {
        return vg_cli_format("%s", path);
    }
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode) ? vg_cli_format("%s/checkpoint%s", path, end) : NULL;
}

/* Of the model's file, or of a checkpoint. A checkpoint whose values are looked at also says what the data were. */
static vg_status load(const vg_cli_options *options, vg_model *model, const char *path) {
    const bool looks = options->verb->bit & (VG_CLI_PRINT | VG_CLI_EVAL | VG_CLI_PREDICT);
    char *checkpoint = vg_cli_checkpoint_path(path), *values = vg_cli_values_path(options);
    vg_status status = VG_OK;
    if (checkpoint) {
        status = vg_model_load_checkpoint(model, checkpoint);
    } else if (looks && values) {
        status = vg_model_recall_data(model, values);
    }
    if (!checkpoint && status == VG_OK) {
        status = vg_model_load_file(model, path);
    }
    free(checkpoint);
    free(values);
    return status;
}

/* All of them, so that all mistakes are shown at once. */
static vg_status apply_options(const vg_cli_options *options, char *const *fetches, int fetch_count, vg_model *model) {
    vg_status status = VG_OK;
    for (size_t i = 0; i < options->change_count; i++) {
        status = vg_cli_worse(status, apply_change(model, &options->changes[i]));
    }
    for (size_t i = 0; i < options->dump_count; i++) {
        if (vg_model_dump(model, options->dumps[i], vg_cli_write, options->output) != VG_OK) {
            status = vg_cli_usage(options->verb, "--dump takes elaborate or a pass (differentiate, simplify, arrange), not '%s'",
                                  options->dumps[i]);
        }
    }
    for (int i = 0; i < fetch_count; i++) {
        uint32_t index;
        status = vg_cli_worse(status, vg_model_fetch(model, fetches[i], &index));
    }
    if (options->batch) {
        status = vg_cli_worse(status, vg_model_batch(model, options->batch));
    }
    if (options->steps) {
        status = vg_cli_worse(status, vg_model_steps(model, options->steps));
    }
    if (options->has_seed) {
        status = vg_cli_worse(status, vg_model_seed(model, options->seed));
    }
    return status;
}

vg_status vg_cli_load(const vg_cli_options *options, const char *path, char *const *fetches, int fetch_count,
                      vg_watching watching, vg_model **model) {
    *model = NULL;
    vg_model *made = vg_model_new();
    if (!made) {
        vg_cli_complain("there is not enough memory");
        return VG_FAILED_RESOURCE;
    }
    vg_status status = apply_options(options, fetches, fetch_count, made);
    vg_model_watch(made, watching);
    if (status == VG_OK) {
        status = load(options, made, path);
    }
    vg_cli_explain(options, made, 0);
    if (status != VG_OK) {
        vg_model_free(made);
        return status;
    }
    *model = made;
    return VG_OK;
}

void vg_cli_explain(const vg_cli_options *options, const vg_model *model, size_t from) {
    if (vg_model_diagnostics(model) > from) {
        vg_cli_flush(options->output);
        vg_model_explain(model, from, vg_cli_has_colour(options, stderr), vg_cli_write, options->messages);
    }
}
