/* sweep.json: what was tried, and what came of it, for other programs. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep.h"

enum { FORMAT = 1, DIGITS = 9 };

/* The parts are made by functions that return NULL without memory; json_pack then answers NULL for the whole. */

/* JSON has no NaN and no infinity; a text need not be UTF-8. */
static json_t *number(double value) {
    return isnan(value) ? json_string("nan")
         : isinf(value) ? json_string(value > 0 ? "inf" : "-inf") : json_real(value);
}

static json_t *text(const char *value) {
    json_t *made = json_string(value);
    return made ? made : json_string("(no UTF-8)");
}

static json_t *append(json_t *list, json_t *item) {
    if (list && json_array_append_new(list, item) != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *set(json_t *object, const char *key, json_t *item) {
    if (object && json_object_set_new(object, key, item) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *setting_list(const vg_cli_grid *sweep) {
    json_t *list = json_array();
    for (size_t i = 0; i < sweep->setting_count; i++) {
        json_t *values = json_array();
        for (size_t j = 0; j < sweep->settings[i].count; j++) {
            values = append(values, text(sweep->settings[i].values[j]));
        }
        list = append(list, json_pack("{s:o, s:o}", "name", text(sweep->settings[i].name), "values", values));
    }
    return list;
}

static json_t *scalar_object(const vg_cli_sweep_run *run, bool test) {
    json_t *object = json_object();
    for (size_t i = 0; i < run->scalar_count; i++) {
        if (run->scalars[i].test == test) {
            object = set(object, run->scalars[i].tag, number(run->scalars[i].value));
        }
    }
    return object;
}

static json_t *run_object(const vg_cli_grid *sweep, const vg_cli_sweep_run *run) {
    const char *slash = strrchr(run->folder, '/');
    char *wrong = vg_cli_sweep_wrong(run);
    json_t *values = json_object();
    for (size_t i = 0; i < sweep->setting_count; i++) {
        values = set(values, sweep->settings[i].name, text(run->values[i]));
    }
    json_t *object = json_pack("{s:o, s:s, s:o, s:s}", "run", text(run->name),
                               "folder", slash ? slash + 1 : run->folder, "set", values, "wrong", wrong);
    free(wrong);
    if (run->state == VG_CLI_ENDED) {
        object = set(object, "exit", json_integer((json_int_t)run->status));
    }
    if (run->read) {
        object = set(object, "steps_done", json_integer((json_int_t)run->steps));
        object = set(object, "seconds", json_real(run->seconds));
        object = set(object, "last", scalar_object(run, false));
        object = set(object, "last_test", scalar_object(run, true));
    }
    return object;
}

static char *whole_text(const vg_cli_grid *sweep) {
    json_t *runs = json_array();
    for (size_t k = 0; k < sweep->run_count; k++) {
        runs = append(runs, run_object(sweep, &sweep->runs[k]));
    }
    json_t *object = json_pack("{s:i, s:s, s:o, s:i, s:i, s:i, s:o}", "format", FORMAT, "version", vg_version(),
                               "model", text(sweep->model), "jobs", (int)sweep->jobs, "threads", (int)sweep->threads,
                               "exit", (int)vg_cli_sweep_status(sweep), "settings", setting_list(sweep));
    object = set(object, "runs", runs);
    char *made = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(object);
    return made;
}

/* Beside its place first: whoever reads it never sees half of it. */
bool vg_cli_sweep_write_json(const vg_cli_grid *sweep) {
    char *path = vg_cli_format("%s/sweep.json", sweep->folder), *beside = vg_cli_format("%s.new", path);
    char *made = whole_text(sweep);
    FILE *file = made ? fopen(beside, "we") : NULL;
    bool fine = file && fprintf(file, "%s\n", made) > 0;
    if (file && fclose(file) != 0) {
        fine = false;
    }
    fine = fine && rename(beside, path) == 0;
    if (!fine) {
        vg_cli_complain("cannot write '%s': %s", path, made ? strerror(errno) : "there is not enough memory");
        unlink(beside);
    }
    free(made);
    free(path);
    free(beside);
    return fine;
}
