/* vgraph predict: values computed for a file's examples, or the test split, with the values of a checkpoint. They are
 * written batch by batch, so that their number has no bound. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef enum predict_format { PREDICT_CSV, PREDICT_JSON, PREDICT_NPY } predict_format;
static const char *const formats[] = { "csv", "json", "npy" };   /* in the order of predict_format */
enum { FORMATS = sizeof formats / sizeof *formats, RANK = 8 };

typedef struct predicting {
    const vg_cli_options *options;
    vg_model      *model;
    vg_run        *run;
    predict_format format;
    FILE          *file;
    vg_tensor     *values;      /* of this batch, by --fetch */
    vg_status      status;      /* why this verb itself has ended it */
} predicting;

/* ---- options */

static vg_status find_format(const vg_cli_options *options, predict_format *format) {
    const char *dot = options->out ? strrchr(options->out, '.') : NULL;
    const char *name = options->format ? options->format : dot ? dot + 1 : "csv";
    *format = PREDICT_CSV;
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(name, formats[i]) == 0 || (i == PREDICT_JSON && !options->format && strcmp(name, "jsonl") == 0)) {
            *format = (predict_format)i;
            return *format == PREDICT_NPY && options->fetch_count > 1
                 ? vg_cli_usage(options->verb, "a .npy file holds one value: give one --fetch") : VG_OK;
        }
    }
    return options->format ? vg_cli_usage(options->verb, "--format is csv, json or npy, not '%s'", name)
                           : vg_cli_usage(options->verb, "'%s' does not end with .csv, .json or .npy: say --format",
                                          options->out);
}

/* ---- writing */

static const char *dtype_of(const predicting *p, const vg_tensor *value) {
    return value->integer ? "i32" : p->options->float64 ? "f64" : "f32";
}

/* Of one example. */
static size_t width_of(const vg_tensor *value) {
    size_t width = 1;
    for (uint32_t axis = 1; axis < value->rank; axis++) {
        width *= (size_t)value->shape[axis];
    }
    return width;
}

/* A text of JSON; the program ends where there is no memory for it. */
static void put_text(FILE *file, const char *text) {
    json_t *string = json_string(text);
    char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    fputs(quoted ? quoted : "null", file);
    free(quoted);
}

/* A field of CSV (RFC 4180). */
static void put_field(FILE *file, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, file);
    }
    fputc('"', file);
}

static void put_number(const predicting *p, const vg_tensor *value, size_t at) {
    const double number = value->elements[at];
    const char *name = p->options->classes && value->integer && number >= 0
                     ? vg_model_class(p->model, p->options->classes, (size_t)number) : NULL;
    if (name) {
        (p->format == PREDICT_JSON ? put_text : put_field)(p->file, name);
    } else if (isfinite(number)) {
        fprintf(p->file, "%.*g", value->integer ? 10 : p->options->float64 ? 17 : 9, number);
    } else {
        const char *word = isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
        fprintf(p->file, p->format == PREDICT_JSON ? "\"%s\"" : "%s", word);
    }
}

/* "logits[2]", of images "h[0, 3]". */
static void put_title(FILE *file, const vg_tensor *value, size_t element) {
    size_t part = width_of(value);
    char *title = vg_cli_format("%s", value->name);
    for (uint32_t axis = 1; axis < value->rank; axis++) {
        const size_t extent = (size_t)value->shape[axis];
        part /= extent;
        char *longer = vg_cli_format("%s%s%zu%s", title, axis == 1 ? "[" : ", ", element / part % extent,
                                     axis + 1 == value->rank ? "]" : "");
        free(title);
        title = longer;
    }
    put_field(file, title);
    free(title);
}

static void write_csv(const predicting *p, uint64_t first, uint64_t count) {
    for (int i = 0; first == 0 && i < p->options->fetch_count; i++) {
        for (size_t k = 0; k < width_of(&p->values[i]); k++) {
            fputs(i || k ? "," : "", p->file);
            put_title(p->file, &p->values[i], k);
        }
    }
    fputs(first == 0 ? "\n" : "", p->file);
    for (size_t row = 0; row < count; row++) {
        for (int i = 0; i < p->options->fetch_count; i++) {
            const size_t width = width_of(&p->values[i]);
            for (size_t k = 0; k < width; k++) {
                fputs(i || k ? "," : "", p->file);
                put_number(p, &p->values[i], row * width + k);
            }
        }
        fputc('\n', p->file);
    }
}

/* The elements of an axis of one example in brackets. */
static void put_list(const predicting *p, const vg_tensor *value, uint32_t axis, size_t at, size_t count) {
    if (axis == value->rank) {
        put_number(p, value, at);
        return;
    }
    const size_t extent = (size_t)value->shape[axis], part = extent ? count / extent : 0;
    fputc('[', p->file);
    for (size_t i = 0; i < extent; i++) {
        fputs(i ? "," : "", p->file);
        put_list(p, value, axis + 1, at + i * part, part);
    }
    fputc(']', p->file);
}

/* An object a line for each example: {"logits":[...],"argmax(logits)":3} */
static void write_json(const predicting *p, uint64_t count) {
    for (size_t row = 0; row < count; row++) {
        for (int i = 0; i < p->options->fetch_count; i++) {
            const size_t width = width_of(&p->values[i]);
            fputs(i ? "," : "{", p->file);
            put_text(p->file, p->values[i].name);
            fputc(':', p->file);
            put_list(p, &p->values[i], 1, row * width, width);
        }
        fputs("}\n", p->file);
    }
}

static void write_npy(const predicting *p, uint64_t first, uint64_t examples) {
    const vg_tensor *value = &p->values[0];
    const char *dtype = dtype_of(p, value);
    int64_t shape[RANK];
    memcpy(shape, value->shape, value->rank * sizeof *shape);
    shape[0] = (int64_t)examples;
    if (first == 0) {
        vg_cli_npy_head(p->file, dtype, shape, value->rank);
    }
    vg_cli_npy_elements(p->file, dtype, value->elements, value->count);
}

static bool write_batch(void *user, uint64_t first, uint64_t count, uint64_t examples) {
    predicting *p = user;
    for (int i = 0; i < p->options->fetch_count; i++) {
        vg_tensor *value = &p->values[i];
        if (vg_run_fetch(p->run, (uint32_t)i, value) != VG_OK) {
            return false;
        }
        if (value->rank == 0 || (uint64_t)value->shape[0] != count) {
            vg_cli_complain("'%s' has no row for each example: its first dimension must be the batch", value->name);
            p->status = VG_FAILED_USAGE;
            return false;
        }
    }
    switch (p->format) {
    case PREDICT_CSV:  write_csv(p, first, count); break;
    case PREDICT_JSON: write_json(p, count); break;
    case PREDICT_NPY:  write_npy(p, first, examples); break;
    }
    return !ferror(p->file);
}

/* ---- the verb */

static vg_status predict(predicting *p, vg_model *model) {
    const vg_cli_options *options = p->options;
    const vg_run_options run_options = { .float64 = options->float64, .threads = (uint32_t)options->threads,
                                         .evaluation = true, .fetches_only = true };
    vg_cli_result result;
    vg_status status = vg_run_new(model, &run_options, &p->run);
    if (status != VG_OK) {
        return status;
    }
    status = vg_cli_load_values(options, p->run);
    if (status == VG_OK && !vg_cli_result_open(&result, options->out)) {
        status = VG_FAILED_RESOURCE;
    } else if (status == VG_OK) {
        p->file = result.file;
        status = vg_run_predict(p->run, write_batch, p);
        status = p->status != VG_OK ? p->status : status;
        if (!vg_cli_result_close(&result, status == VG_OK)) {
            status = vg_cli_worse(status, VG_FAILED_RESOURCE);
        }
    }
    vg_run_free(p->run);
    return status;
}

vg_status vg_cli_predict(const vg_cli_options *options) {
    predicting p = { .options = options };
    vg_model *model;
    vg_status status = vg_cli_needs_values(options);
    if (status == VG_OK && options->fetch_count == 0) {
        status = vg_cli_usage(options->verb, "'vgraph predict' needs --fetch: what is to be computed");
    }
    if (status == VG_OK) {
        status = find_format(options, &p.format);
    }
    if (status == VG_OK) {
        status = vg_cli_load(options, options->arguments[0], options->fetches, options->fetch_count, VG_WATCH_NOTHING,
                             &model);
    }
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    p.model = model;
    if (options->classes && !vg_model_class(model, options->classes, 0)) {
        vg_cli_usage(options->verb, "--classes: '%s' is no column of words, as points.target of a CSV file may be",
                     options->classes);
        vg_model_free(model);
        return VG_FAILED_USAGE;
    }
    if (options->classes && p.format == PREDICT_NPY) {
        vg_model_free(model);
        return vg_cli_usage(options->verb, "--classes writes words, and a .npy file holds numbers");
    }
    p.values = vg_cli_alloc((size_t)options->fetch_count, sizeof *p.values);
    status = predict(&p, model);
    vg_cli_explain(options, model, known);
    free(p.values);
    vg_model_free(model);
    return status;
}
