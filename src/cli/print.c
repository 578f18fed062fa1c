/* vgraph print: the values of expressions at the first step. */
#include <string.h>

#include "cli.h"

typedef enum print_format { PRINT_TEXT, PRINT_JSON, PRINT_NPY } print_format;
static const char *const formats[] = { "text", "json", "npy" };   /* in the order of print_format */
enum { FORMATS = sizeof formats / sizeof *formats };

static vg_status read_format(const vg_cli_options *options, print_format *format) {
    *format = PRINT_TEXT;
    if (options->format) {
        size_t i = 0;
        while (i < FORMATS && strcmp(options->format, formats[i]) != 0) {
            i++;
        }
        if (i == FORMATS) {
            return vg_cli_usage(options->verb, "--format is text, json or npy, not '%s'", options->format);
        }
        *format = (print_format)i;
    }
    if (*format == PRINT_NPY && (!options->out || options->argument_count != 2)) {
        return vg_cli_usage(options->verb, "--format npy takes one expression, and --out FILE");
    }
    return VG_OK;
}

static bool print_tensor(FILE *stream, const vg_tensor *tensor, const char *dtype, print_format format) {
    switch (format) {
    case PRINT_TEXT: vg_cli_tensor_text(stream, tensor, dtype); return true;
    case PRINT_JSON: return vg_cli_tensor_json(stream, tensor, dtype);
    case PRINT_NPY:  return vg_cli_tensor_npy(stream, tensor, dtype);
    }
    return true;
}

static vg_status print_all(const vg_cli_options *options, vg_run *run, FILE *stream, print_format format) {
    for (int i = 1; i < options->argument_count; i++) {
        vg_tensor tensor;
        const vg_status status = vg_run_fetch(run, (uint32_t)i - 1, &tensor);
        if (status != VG_OK) {
            return status;
        }
        const char *dtype = tensor.integer ? "i32" : options->float64 ? "f64" : "f32";
        if (!print_tensor(stream, &tensor, dtype, format)) {
            return VG_FAILED_RESOURCE;
        }
    }
    return VG_OK;
}

static vg_status write_values(const vg_cli_options *options, vg_run *run, print_format format) {
    vg_cli_result result;
    if (!vg_cli_result_open(&result, options->out)) {
        return VG_FAILED_RESOURCE;
    }
    const vg_status status = print_all(options, run, result.file, format);
    return vg_cli_result_close(&result, status == VG_OK) ? status : vg_cli_worse(status, VG_FAILED_RESOURCE);
}

/* A loss that is not finite is no reason to hide the values: looking for it is what they are printed for. */
static vg_status print_step(const vg_cli_options *options, vg_model *model, print_format format) {
    const vg_run_options run_options = { .steps = 1, .seed = options->seed, .has_seed = options->has_seed,
                                         .float64 = options->float64 };
    vg_run *run;
    vg_status status = vg_run_new(model, &run_options, &run);
    if (status != VG_OK) {
        return status;
    }
    status = vg_cli_load_values(options, run);
    if (status == VG_OK) {
        status = vg_run_step(run);
    }
    if (status == VG_OK || status == VG_FAILED_NUMBERS) {
        status = vg_cli_worse(status, write_values(options, run, format));
    }
    vg_run_free(run);
    return status;
}

vg_status vg_cli_print(const vg_cli_options *options) {
    print_format format;
    vg_status status = read_format(options, &format);
    if (status != VG_OK) {
        return status;
    }
    vg_model *model;
    status = vg_cli_load(options, options->arguments[0], options->arguments + 1, options->argument_count - 1, VG_WATCH_NOTHING, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    status = print_step(options, model, format);
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
