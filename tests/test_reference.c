/* Numbers from another system: tests/reference/ holds small models with the values, gradients, gradients of gradients
 * and trained variables that PyTorch finds in them (reference/make.py made them). Each is run in both precisions.
 * Layers draw their initial values, which PyTorch cannot repeat: a case `set`s them to known numbers instead, below
 * the public header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "api/run.h"

/* |a - b| at most this much of the largest |b| of a tensor. */
static const double tolerance_32 = 1e-5, tolerance_64 = 1e-12;

typedef struct reference {
    json_t      *test;          /* the case at hand */
    const char  *name;
    bool         float64;
    double       tolerance;
    json_int_t   numbers;       /* compared */
    double       worst[2];      /* error in float32, float64, as a share of what is allowed */
    unsigned     wrong;         /* cases */
    bool         complained;    /* about this case */
} reference;

static void complain(reference *r, const char *what, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void complain(reference *r, const char *what, const char *format, ...) {
    char    text[500];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    print_error("%s (%s), %s: %s\n", r->name, r->float64 ? "float64" : "float32", what, text);
    if (!r->complained) r->wrong++;
    r->complained = true;
}

/* What is not finite is written as a string. */
static double number_of(const json_t *value) {
    return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

static bool alike(reference *r, double found, double expected, double allowed) {
    if (isnan(expected)) return isnan(found);
    if (isinf(expected)) return found == expected;
    const double error = fabs(found - expected);
    if (error > r->worst[r->float64] * allowed) r->worst[r->float64] = error / allowed;
    return error <= allowed;    /* false for NaN */
}

/* One tensor against its part of the expected values, which holds one such part for every step. */
static void compare(reference *r, const json_t *expected, const vg_tensor *found, size_t part) {
    const char   *name = json_string_value(json_object_get(expected, "name"));
    const json_t *shape = json_object_get(expected, "shape"), *values = json_object_get(expected, "values");
    double largest = 0;
    bool   fits = found->rank == json_array_size(shape) && (part + 1) * found->count <= json_array_size(values);
    for (uint32_t k = 0; fits && k < found->rank; k++)
        fits = found->shape[k] == json_integer_value(json_array_get(shape, k));
    if (!fits) {
        complain(r, name, "another shape, rank %u, %zu elements", found->rank, found->count);
        return;
    }
    if (found->integer != (json_is_true(json_object_get(expected, "integer")))) complain(r, name, "another type");
    for (size_t i = 0; i < found->count; i++) {
        const double size = fabs(number_of(json_array_get(values, part * found->count + i)));
        if (isfinite(size) && size > largest) largest = size;
    }
    for (size_t i = 0; i < found->count; i++) {
        const double value = number_of(json_array_get(values, part * found->count + i));
        r->numbers++;
        if (alike(r, found->elements[i], value, r->tolerance * largest)) continue;
        complain(r, name, "step %zu, element %zu is %.17g, not %.17g", part, i, found->elements[i], value);
        return;
    }
}

static void feed(reference *r, vg_run *run) {
    const char *path;
    json_t     *values;
    json_object_foreach(json_object_get(r->test, "feed"), path, values) {
        const size_t count = json_array_size(values);
        double      *numbers = malloc((count + 1) * sizeof *numbers);
        assert_non_null(numbers);
        for (size_t i = 0; i < count; i++) numbers[i] = json_number_value(json_array_get(values, i));
        if (vg_run_feed(run, path, numbers, count) != VG_OK) complain(r, path, "cannot be fed");
        free(numbers);
    }
}

/* The variable's place among the run's; false after complaining. */
static bool find_variable(reference *r, vg_run *run, const char *name, size_t *place) {
    const vg_strings *strings = &run->model->ir.strings;
    for (*place = 0; *place < vg_run_variables(run); ++*place)
        if (strcmp(vg_strings_text(strings, run->store.slots.items[run->variable_slots[*place]].path), name) == 0)
            return true;
    complain(r, name, "no such variable");
    return false;
}

static void set_variables(reference *r, vg_run *run) {
    const char *path;
    json_t     *values;
    json_object_foreach(json_object_get(r->test, "set"), path, values) {
        size_t place;
        if (!find_variable(r, run, path, &place)) continue;
        const vg_view *view = &run->store.slots.items[run->variable_slots[place]].view;
        if (view->count != (int64_t)json_array_size(values)) {
            complain(r, path, "%lld elements, %zu are set", (long long)view->count, json_array_size(values));
            continue;
        }
        for (int64_t i = 0; i < view->count; i++)
            vg_view_set(view, i, run->real, number_of(json_array_get(values, (size_t)i)));
    }
}

static void compare_variables(reference *r, vg_run *run) {
    size_t  index;
    json_t *expected;
    json_array_foreach(json_object_get(r->test, "variables"), index, expected) {
        const char *name = json_string_value(json_object_get(expected, "name"));
        size_t      place;
        vg_tensor   variable;
        if (!find_variable(r, run, name, &place)) continue;
        if (vg_run_variable(run, place, &variable) != VG_OK) complain(r, name, "has no value");
        else compare(r, expected, &variable, 0);
    }
}

static bool show(void *user, const char *bytes, size_t length) {
    (void)user;
    print_error("%.*s", (int)length, bytes);
    return true;
}

static void run_case(reference *r, vg_model *model) {
    const json_t *fetches = json_object_get(r->test, "fetch"), *special = json_object_get(r->test, "tolerance");
    const size_t  steps = (size_t)json_integer_value(json_object_get(r->test, "steps"));
    const vg_run_options options = { .steps = steps, .float64 = r->float64,
                                     .evaluation = json_is_true(json_object_get(r->test, "evaluation")) };
    vg_run       *run;
    r->tolerance = r->float64 ? tolerance_64 : special ? json_number_value(special) : tolerance_32;
    if (vg_run_new(model, &options, &run) != VG_OK) {
        complain(r, "run", "does not start");
        return;
    }
    set_variables(r, run);
    feed(r, run);
    for (size_t step = 0; step < steps; step++) {
        const vg_status status = vg_run_step(run);
        if (status != VG_OK) complain(r, "run", "step %zu ends with %d", step, (int)status);
        for (uint32_t k = 0; k < json_array_size(fetches); k++) {
            vg_tensor tensor;
            if (vg_run_fetch(run, k, &tensor) != VG_OK) complain(r, "fetch", "%u has no value", k);
            else compare(r, json_array_get(fetches, k), &tensor, step);
        }
    }
    compare_variables(r, run);
    vg_run_free(run);
}

static void load_case(reference *r) {
    vg_model     *model = vg_model_new();
    const char   *text = json_string_value(json_object_get(r->test, "text"));
    const json_t *batch = json_object_get(r->test, "batch");
    size_t        index;
    json_t       *fetch;
    assert_non_null(model);
    r->complained = false;
    if (batch) vg_model_batch(model, (uint64_t)json_integer_value(batch));
    json_array_foreach(json_object_get(r->test, "fetch"), index, fetch) {
        uint32_t number;
        vg_model_fetch(model, json_string_value(json_object_get(fetch, "name")), &number);
        assert_int_equal(number, index);
    }
    if (vg_model_load_text(model, "case.nn", text, strlen(text)) != VG_OK) {
        complain(r, "model", "does not load");
    } else {
        for (int precision = 0; precision < 2; precision++) {
            r->float64 = precision == 0;
            run_case(r, model);
        }
    }
    vg_model_explain(model, 0, false, show, NULL);
    vg_model_free(model);
}

static void check_file(void **state) {
    char         path[600];
    json_error_t error;
    reference    r = { .numbers = 0 };
    size_t       index;
    snprintf(path, sizeof path, "%s/reference/%s.json", VG_TESTS, (const char *)*state);
    json_t *file = json_load_file(path, 0, &error);
    if (file == NULL) fail_msg("%s:%d: %s", path, error.line, error.text);
    json_array_foreach(json_object_get(file, "cases"), index, r.test) {
        r.name = json_string_value(json_object_get(r.test, "name"));
        load_case(&r);
    }
    print_message("%s: %zu cases, %lld numbers, at worst %.2g (float32) and %.2g (float64) of what is allowed\n",
                  (const char *)*state, index, (long long)r.numbers, r.worst[0], r.worst[1]);
    assert_int_equal(r.wrong, 0);
    assert_true(r.numbers > 0);
    assert_int_equal(r.numbers, 2 * json_integer_value(json_object_get(file, "numbers")));
    json_decref(file);
}

#define FILE_TEST(name) { name, check_file, NULL, NULL, (void *)(uintptr_t)name }

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST("elementwise"), FILE_TEST("reduce"), FILE_TEST("arrange"), FILE_TEST("network"),
        FILE_TEST("train"), FILE_TEST("corners"), FILE_TEST("large"), FILE_TEST("window"), FILE_TEST("layers"),
        FILE_TEST("norms"), FILE_TEST("recurrent"), FILE_TEST("optimizers"), FILE_TEST("edges"),
        FILE_TEST("chance"), FILE_TEST("turns"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
