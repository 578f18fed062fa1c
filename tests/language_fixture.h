/* Tables of small models and what their expressions are worth, read through the public header in both precisions. */
#ifndef VG_TESTS_LANGUAGE_FIXTURE_H
#define VG_TESTS_LANGUAGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vgraph.h"

enum { WANTS = 24, SETTINGS = 4 };

/* "[2] 1 2" is a float tensor, "int [2] 1 2" an integer one, "3" a scalar. */
typedef struct vg_want { const char *expression, *value; } vg_want;

typedef struct vg_row {
    const char *name, *model;
    vg_want     wants[WANTS];
    unsigned    steps;                  /* taken before the values are read; 0: one */
    const char *variables;              /* "h[1].W [4, 2]; h[1].b [2]": all of them, in order */
    const char *set[SETTINGS], *data[SETTINGS];      /* "name=expression" */
    const char *error;                  /* the one diagnostic's code; nothing is run then */
    bool        evaluation, single;     /* single: in float32 only */
} vg_row;

/* ---- models */

typedef vg_status (*vg_give)(vg_model *model, const char *name, const char *expression);

static void give_settings(vg_model *model, const char *const *list, vg_give give) {
    for (unsigned k = 0; k < SETTINGS && list[k]; k++) {
        const char *sign = strchr(list[k], '=');
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(sign - list[k]), list[k]);
        give(model, name, sign + 1);
    }
}

static bool to_stderr(void *user, const char *bytes, size_t length) {
    (void)user;
    return fwrite(bytes, 1, length, stderr) == length;
}

/* The model with its fetches in order, loaded; *status is how that went. */
static vg_model *load_row(const vg_row *row, vg_status *status) {
    vg_model *model = vg_model_new();
    assert_non_null(model);
    give_settings(model, row->set, vg_model_set);
    give_settings(model, row->data, vg_model_data);
    for (uint32_t k = 0, index; k < WANTS && row->wants[k].expression; k++) {
        vg_model_fetch(model, row->wants[k].expression, &index);
    }
    *status = vg_model_load_text(model, "model.nn", row->model, strlen(row->model));
    return model;
}

/* ---- values */

/* Writes a tensor's type as a want begins: "int [2, 3]", "[2]", "". */
static void type_text(const vg_tensor *tensor, char *text, size_t size) {
    int at = snprintf(text, size, "%s", tensor->integer ? "int " : "");
    for (uint32_t k = 0; k < tensor->rank; k++) {
        at += snprintf(text + at, size - (size_t)at, "%s%lld", k ? ", " : "[", (long long)tensor->shape[k]);
    }
    if (tensor->rank) snprintf(text + at, size - (size_t)at, "]");
}

static bool near(double have, double want, double tolerance) {
    if (isnan(want) || isnan(have)) return isnan(want) && isnan(have);
    if (isinf(want) || isinf(have)) return have == want;
    return fabs(have - want) <= tolerance * fmax(1, fabs(want));
}

static bool value_fits(const vg_tensor *tensor, const char *want, double tolerance) {
    char type[128];
    type_text(tensor, type, sizeof type);
    if (strncmp(want, type, strlen(type)) != 0) return false;
    want += strlen(type);
    if (!tensor->rank && *want == '[') return false;
    for (size_t k = 0; k < tensor->count; k++) {
        char *end;
        const double number = strtod(want, &end);
        if (end == want || !near(tensor->elements[k], number, tolerance)) return false;
        want = end;
    }
    return want[strspn(want, " ")] == '\0';
}

static void print_value(const vg_tensor *tensor) {
    char type[128];
    type_text(tensor, type, sizeof type);
    print_error("    have %s ", type);
    for (size_t k = 0; k < tensor->count && k < 64; k++) print_error("%.12g ", tensor->elements[k]);
    print_error("\n");
}

/* ---- rows */

static unsigned check_variables(const vg_row *row, vg_run *run) {
    char all[4096] = "";
    for (size_t k = 0; k < vg_run_variables(run); k++) {
        vg_tensor tensor;
        char type[128];
        assert_int_equal(vg_run_variable(run, k, &tensor), VG_OK);
        type_text(&tensor, type, sizeof type);
        const size_t at = strlen(all);
        snprintf(all + at, sizeof all - at, "%s%s%s%s", k ? "; " : "", tensor.name, *type ? " " : "", type);
    }
    if (strcmp(all, row->variables) == 0) return 0;
    print_error("%s: variables\n    want %s\n    have %s\n", row->name, row->variables, all);
    return 1;
}

static unsigned check_values(const vg_row *row, vg_run *run, double tolerance) {
    unsigned wrong = 0;
    for (uint32_t k = 0; k < WANTS && row->wants[k].expression; k++) {
        vg_tensor tensor = { 0 };
        const vg_status status = vg_run_fetch(run, k, &tensor);
        if (status == VG_OK && value_fits(&tensor, row->wants[k].value, tolerance)) continue;
        print_error("%s%s: %s\n    want %s\n", row->name, tolerance < 1e-6 ? " (float64)" : "",
                    row->wants[k].expression, row->wants[k].value);
        if (status == VG_OK) print_value(&tensor);
        wrong++;
    }
    return wrong;
}

static unsigned run_row(const vg_row *row, vg_model *model, bool wide) {
    const vg_run_options options = { .float64 = wide, .evaluation = row->evaluation };
    vg_run *run;
    if (vg_run_new(model, &options, &run) != VG_OK) {
        print_error("%s: no run\n", row->name);
        vg_model_explain(model, 0, false, to_stderr, NULL);
        return 1;
    }
    unsigned wrong = row->variables ? check_variables(row, run) : 0;
    for (unsigned k = 0; k < (row->steps ? row->steps : 1) && !wrong; k++) {
        if (vg_run_step(run) == VG_OK) continue;
        print_error("%s: step %u failed\n", row->name, k);
        vg_model_explain(model, 0, false, to_stderr, NULL);
        wrong++;
    }
    if (!wrong) wrong = check_values(row, run, wide ? 1e-9 : 2e-5);
    vg_run_free(run);
    return wrong;
}

/* Exactly one message, of the row's code; without a code, none. */
static unsigned check_load(const vg_row *row, vg_model *model, vg_status status) {
    vg_diagnostic first;
    if (!row->error) {
        if (status == VG_OK) return 0;
    } else if (vg_model_diagnostics(model) == 1 && vg_model_diagnostic(model, 0, &first)) {
        if (strcmp(first.code, row->error) == 0) return 0;
    }
    print_error("%s: want %s, have %zu messages\n", row->name, row->error ? row->error : "no error",
                vg_model_diagnostics(model));
    vg_model_explain(model, 0, false, to_stderr, NULL);
    return 1;
}

static unsigned check_row(const vg_row *row) {
    vg_status status;
    vg_model *model = load_row(row, &status);
    unsigned wrong = check_load(row, model, status);
    if (!wrong && !row->error) {
        wrong = run_row(row, model, false);
        if (!row->single) wrong += run_row(row, model, true);
    }
    vg_model_free(model);
    return wrong;
}

static void check_rows(const vg_row *rows, size_t count) {
    unsigned wrong = 0;
    for (size_t k = 0; k < count; k++) wrong += check_row(&rows[k]);
    assert_int_equal(wrong, 0);
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof *(rows))

#endif
