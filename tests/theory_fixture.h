/* Experiments whose outcome theory predicts: a model is run with several seeds, and what is read from it is compared
 * with a number worked out by hand or by an integral over the normal distribution, within an error worked out as
 * well. */
#ifndef VG_TESTS_THEORY_FIXTURE_H
#define VG_TESTS_THEORY_FIXTURE_H

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

enum { FETCHES = 6, SETTINGS = 8, LENGTH = 128 };

/* How many standard errors a measured value may be from the predicted one: beyond four lies one in 16,000. */
#define ERRORS 4.0

/* const NAME = text, or the number when there is no text */
typedef struct vg_setting { const char *name, *text; double number; } vg_setting;

typedef struct vg_experiment {
    const char *model, *fetch[FETCHES];
    vg_setting  set[SETTINGS];
    unsigned    steps;                  /* taken before the values are read; 0: one */
    bool        float64, evaluation;
} vg_experiment;

/* ---- running */

static inline bool to_stderr(void *user, const char *bytes, size_t length) {
    (void)user;
    return fwrite(bytes, 1, length, stderr) == length;
}

static inline void need(vg_model *model, vg_status status) {
    if (status != VG_OK) vg_model_explain(model, 0, false, to_stderr, NULL);
    assert_int_equal(status, VG_OK);
}

static inline vg_model *load_experiment(const vg_experiment *e) {
    vg_model *model = vg_model_new();
    assert_non_null(model);
    for (uint32_t k = 0, index; k < FETCHES && e->fetch[k]; k++) vg_model_fetch(model, e->fetch[k], &index);
    for (unsigned k = 0; k < SETTINGS && e->set[k].name; k++) {
        char number[32];
        snprintf(number, sizeof number, "%.17g", e->set[k].number);
        vg_model_set(model, e->set[k].name, e->set[k].text ? e->set[k].text : number);
    }
    need(model, vg_model_load_text(model, "model.nn", e->model, strlen(e->model)));
    return model;
}

/* The elements of each fetch after the experiment's last step. */
static inline void measure(const vg_experiment *e, vg_model *model, uint64_t seed, double values[FETCHES][LENGTH]) {
    const vg_run_options options = { .seed = seed, .has_seed = true, .float64 = e->float64,
                                     .evaluation = e->evaluation };
    vg_run *run;
    need(model, vg_run_new(model, &options, &run));
    for (unsigned k = 0; k < (e->steps ? e->steps : 1); k++) need(model, vg_run_step(run));
    for (uint32_t k = 0; k < FETCHES && e->fetch[k]; k++) {
        vg_tensor tensor;
        need(model, vg_run_fetch(run, k, &tensor));
        assert_true(tensor.count <= LENGTH);
        memcpy(values[k], tensor.elements, tensor.count * sizeof *tensor.elements);
    }
    vg_run_free(run);
}

/* One run, with seed 1. */
static inline void measure_once(const vg_experiment *e, double values[FETCHES][LENGTH]) {
    vg_model *model = load_experiment(e);
    measure(e, model, 1, values);
    vg_model_free(model);
}

/* ---- comparing */

/* 0 when `have` is within the tolerance. With SHOW_THEORY in the environment every comparison is printed, with how
 * many standard errors lie between the two. */
static inline unsigned differs(const char *name, const char *what, double have, double want, double tolerance) {
    const bool fine = fabs(have - want) <= tolerance;
    if (getenv("SHOW_THEORY")) {
        print_message("%-44s %-24s predicted %12.6g  measured %12.6g  %5.1f errors\n", name, what, want, have,
                      tolerance > 0 ? ERRORS * (have - want) / tolerance : 0);
    }
    if (!fine) print_error("%s: %s: have %.8g, want %.8g +- %.3g\n", name, what, have, want, tolerance);
    return fine ? 0 : 1;
}

/* ---- averages over a standard normal z, by the trapezoidal rule */

typedef double (*vg_function)(double);

/* E[f(sqrt(q) z)^power] */
static inline double average(vg_function f, double q, int power) {
    const double step = 0.01;
    double sum = 0;
    for (int k = -1000; k <= 1000; k++) {
        const double z = k * step;
        sum += pow(f(sqrt(q) * z), power) * exp(-z * z / 2);
    }
    return sum * step / sqrt(2 * acos(-1));
}

/* E[(f(u) f(v))^power] for normal u and v of variance q and correlation c */
static inline double pair_average(vg_function f, double q, double c, int power) {
    const double step = 0.05;
    double sum = 0;
    for (int j = -160; j <= 160; j++) {
        for (int k = -160; k <= 160; k++) {
            const double a = j * step, b = k * step;
            const double u = sqrt(q) * a, v = sqrt(q) * (c * a + sqrt(1 - c * c) * b);
            sum += pow(f(u) * f(v), power) * exp(-(a * a + b * b) / 2);
        }
    }
    return sum * step * step / (2 * acos(-1));
}

#endif
