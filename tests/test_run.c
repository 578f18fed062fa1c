/* Runs through the public header: what they compute, what they say, how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "api/run.h"

enum { RECORDS = 4096 };

typedef struct seen { vg_record list[RECORDS]; char messages[RECORDS][120]; uint32_t count, refuse_at; } seen;

static bool watch(void *user, const vg_record *record) {
    seen *s = user;
    assert_true(s->count < RECORDS);
    s->list[s->count] = *record;
    s->messages[s->count][0] = '\0';
    if (record->message) strncat(s->messages[s->count], record->message, 119);
    s->count++;
    return s->refuse_at == 0 || s->count < s->refuse_at;
}

static vg_model *model_of(const char *text) {
    vg_model *model = vg_model_new();
    if (vg_model_load_text(model, "test.nn", text, strlen(text)) != VG_OK) {
        vg_diagnostic d = { .message = "" };
        vg_model_diagnostic(model, 0, &d);
        fail_msg("%u: %s", d.line, d.message);
    }
    return model;
}

static vg_run *run_of(vg_model *model, seen *s, vg_run_options options) {
    vg_run *run = NULL;
    if (s) {
        options.watch = watch;
        options.user = s;
    }
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    return run;
}

static const char *last_code(const vg_model *model) {
    vg_diagnostic d = { .code = "" };
    const size_t count = vg_model_diagnostics(model);
    if (count > 0) vg_model_diagnostic(model, count - 1, &d);
    return d.code;
}

static double variable(vg_run *run, const char *name) {
    vg_tensor tensor;
    for (size_t k = 0; k < vg_run_variables(run); k++) {
        assert_int_equal(vg_run_variable(run, k, &tensor), VG_OK);
        if (strcmp(tensor.name, name) == 0) return tensor.elements[0];
    }
    fail_msg("no variable %s", name);
    return 0;
}

/* ---- what is computed */

#define MOONS "data points = moons(count = 200)\ninput x: [batch, 2] = points.features\ninput y: [batch] = points.target\n"

static const char learns[] =
    MOONS
    "h = dense(x, 8, tanh)\n"
    "loss = mean(cross_entropy(dense(h, 2), y))\n"
    "train loss {\n optimizer = sgd(rate = 0.5)\n batch = 32\n steps = 40\n}\n"
    "summary scalar loss every 7\n"
    "summary histogram h\n"
    "expect finite(loss)\n";

static void test_records(void **state) {
    (void)state;
    seen *s = calloc(1, sizeof *s);
    vg_model *model = model_of(learns);
    vg_run *run = run_of(model, s, (vg_run_options){ 0 });
    assert_int_equal(vg_run_steps(run), 40);
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    uint64_t steps = 0, scalars = 0, histograms = 0;
    double first = 0, last = 0;
    for (uint32_t k = 0; k < s->count; k++) {
        const vg_record *record = &s->list[k];
        if (record->kind == VG_RECORD_STEP) {
            if (steps == 0) first = record->value;
            last = record->value;
            assert_int_equal(record->step, steps++);
        } else if (record->kind == VG_RECORD_SCALAR) {
            assert_true(record->step % 7 == 0 || record->step == 39);
            assert_int_equal(record->step, steps);      /* before the step's own record */
            scalars++;
        } else if (record->kind == VG_RECORD_HISTOGRAM) {
            assert_string_equal(record->tag, "h");
            histograms++;
        }
    }
    assert_true(steps == 40 && scalars == 7 && histograms == 40 && last < first);
    assert_int_equal(s->list[0].kind, VG_RECORD_START);
    assert_int_equal(s->list[s->count - 2].kind, VG_RECORD_EXPECT);
    assert_true(s->list[s->count - 2].ok && s->list[s->count - 2].last);
    assert_int_equal(s->list[s->count - 1].kind, VG_RECORD_DONE);
    assert_int_equal(s->list[s->count - 1].step, 40);
    vg_run_free(run);
    vg_model_free(model);
    free(s);
}

/* The same seed is the same bits; another is not; float64 is close. */
static double final_loss(vg_run_options options) {
    seen *s = calloc(1, sizeof *s);
    vg_model *model = model_of(learns);
    vg_run *run = run_of(model, s, options);
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    double loss = 0;
    for (uint32_t k = 0; k < s->count; k++)
        if (s->list[k].kind == VG_RECORD_STEP) loss = s->list[k].value;
    vg_run_free(run);
    vg_model_free(model);
    free(s);
    return loss;
}

static void test_repeatable(void **state) {
    (void)state;
    const double loss = final_loss((vg_run_options){ 0 });
    assert_true(loss == final_loss((vg_run_options){ 0 }));
    assert_true(loss == final_loss((vg_run_options){ .seed = 1, .has_seed = true }));
    assert_true(loss != final_loss((vg_run_options){ .seed = 2, .has_seed = true }));
    const double wide = final_loss((vg_run_options){ .float64 = true });
    assert_true(wide != loss && fabs(wide - loss) < 1e-4 * loss);
}

/* Updates read what was there before the turn; the rate may follow the block's steps. */
static void test_updates(void **state) {
    (void)state;
    vg_model *model = model_of("state a: [] = 1\nstate b: [] = 10\nupdate a = b\nupdate b = a\nvar u: [] = 0\nl = u * 1\n"
                               "train l {\n optimizer = sgd(rate = step)\n steps = 6\n}\n");
    vg_run *run = run_of(model, NULL, (vg_run_options){ 0 });
    assert_int_equal(vg_run_step(run), VG_OK);
    assert_true(variable(run, "a") == 10 && variable(run, "b") == 1);
    assert_int_equal(vg_run_step(run), VG_OK);
    assert_true(variable(run, "a") == 1 && variable(run, "b") == 10);
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    assert_true(variable(run, "u") == -(0 + 1 + 2 + 3 + 4 + 5));
    vg_run_free(run);
    vg_model_free(model);
}

static void test_without_training(void **state) {
    (void)state;
    seen *s = calloc(1, sizeof *s);
    vg_model *model = model_of("state n: [] = 3\nupdate n = n + 1\nsummary scalar n\n");
    vg_run *run = run_of(model, s, (vg_run_options){ .steps = 3 });
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    double wanted = 3;
    for (uint32_t k = 0; k < s->count; k++)
        if (s->list[k].kind == VG_RECORD_SCALAR) assert_true(s->list[k].value == wanted++);
    assert_true(wanted == 6);
    vg_run_free(run);
    free(s);
    vg_model_free(model);
}

static void test_fetch_and_feed(void **state) {
    (void)state;
    vg_model *model = vg_model_new();
    vg_tensor tensor;
    uint32_t index = 9;
    const char text[] = "input x: [batch, 2]\nvar w: [2] = [1, 2]\ny = x * w\nloss = sum(y)\ntrain loss {\n batch = 2\n steps = 5\n}\n";
    assert_int_equal(vg_model_fetch(model, "y", &index), VG_OK);
    assert_int_equal(vg_model_load_text(model, "test.nn", text, sizeof text - 1), VG_OK);
    vg_run *run = run_of(model, NULL, (vg_run_options){ 0 });
    assert_int_equal(vg_run_fetch(run, index, &tensor), VG_FAILED_USAGE);      /* nothing was computed yet */
    assert_int_equal(vg_run_step(run), VG_FAILED_USAGE);
    assert_string_equal(last_code(model), "input-not-fed");
    vg_run_free(run);
    run = run_of(model, NULL, (vg_run_options){ 0 });
    const double values[4] = { 1, 2, 3, 4 };
    assert_int_equal(vg_run_feed(run, "z", values, 4), VG_FAILED_USAGE);
    assert_int_equal(vg_run_feed(run, "x", values, 3), VG_FAILED_USAGE);
    assert_string_equal(last_code(model), "feed-count");
    assert_int_equal(vg_run_feed(run, "x", values, 4), VG_OK);
    assert_int_equal(vg_run_step(run), VG_OK);
    assert_int_equal(vg_run_fetch(run, index, &tensor), VG_OK);
    assert_true(tensor.rank == 2 && tensor.shape[0] == 2 && tensor.shape[1] == 2 && tensor.count == 4 && !tensor.integer);
    for (int k = 0; k < 4; k++) assert_true(tensor.elements[k] == values[k] * (k % 2 + 1));      /* before the update */
    assert_int_equal(vg_run_fetch(run, index + 1, &tensor), VG_FAILED_USAGE);
    vg_run_free(run);
    vg_model_free(model);
}

/* An evaluation changes nothing and shrinks its batch to a small test split. */
static void test_evaluation(void **state) {
    (void)state;
    vg_model *model = model_of(learns);
    vg_run *run = run_of(model, NULL, (vg_run_options){ .evaluation = true, .steps = 3 });
    const double before = variable(run, "h.W");
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    assert_true(variable(run, "h.W") == before);
    vg_run_free(run);
    vg_model_free(model);
}

/* ---- how runs end */

static const struct ending { const char *text; vg_status status; uint64_t steps; const char *code; } endings[] = {
    { "state n: [] = 0\nupdate n = n + 1\nexpect n < 2\n", VG_FAILED_EXPECT, 5, "" },
    { "var w: [] = 1\nloss = w * 1e30\ntrain loss {\n optimizer = sgd(rate = 1e30)\n steps = 5\n}\n", VG_FAILED_NUMBERS, 2,
      "loss-not-finite" },
    { MOONS "loss = mean(cross_entropy(dense(x, 2), y + 1))\ntrain loss {\n batch = 8\n steps = 5\n}\n", VG_FAILED_RESOURCE, 0,
      "label-out-of-range" },
    { MOONS "loss = mean(cross_entropy(dense(x, 1), one_hot(y, 1)))\ntrain loss {\n batch = 8\n steps = 5\n}\n",
      VG_FAILED_RESOURCE, 0, "index-out-of-range" },
    /* numbers before expect */
    { "var w: [] = 1\nloss = w * 1e30\ntrain loss {\n optimizer = sgd(rate = 1e30)\n steps = 5\n}\nexpect w > 1\n",
      VG_FAILED_NUMBERS, 2, "loss-not-finite" }
};

static void test_endings(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        seen *s = calloc(1, sizeof *s);
        vg_model *model = model_of(endings[k].text);
        vg_run *run = run_of(model, s, (vg_run_options){ .steps = 5 });
        assert_int_equal(vg_run_all(run, NULL), endings[k].status);
        assert_string_equal(last_code(model), endings[k].code);
        const vg_record *done = &s->list[s->count - 1];
        assert_true(done->kind == VG_RECORD_DONE && done->step == endings[k].steps && done->status == endings[k].status);
        vg_run_free(run);
        vg_model_free(model);
        free(s);
    }
}

static void test_expect(void **state) {
    (void)state;
    seen *s = calloc(1, sizeof *s);
    vg_model *model = model_of("state n: [3] = [0, 1, 2]\nupdate n = n + 1\nexpect n < 5, \"too large\" every 2\n");
    vg_run *run = run_of(model, s, (vg_run_options){ .steps = 6 });
    assert_int_equal(vg_run_all(run, NULL), VG_FAILED_EXPECT);
    uint32_t first = 0, end = 0;
    for (uint32_t k = 0; k < s->count; k++)
        if (s->list[k].kind == VG_RECORD_EXPECT) *(s->list[k].last ? &end : &first) = k;
    assert_true(first > 0 && end > first && !s->list[first].ok && !s->list[end].ok);
    assert_int_equal(s->list[first].step, 4);      /* at 3 it fails, too, but is not looked at */
    assert_string_equal(s->messages[first], "too large: n is 5 at [1]");
    assert_int_equal(s->list[end].failures, 1);
    vg_run_free(run);
    vg_model_free(model);
    free(s);
}

static void test_stopping(void **state) {
    (void)state;
    seen *s = calloc(1, sizeof *s);
    const volatile int stop = 1;
    vg_model *model = model_of(learns);
    vg_run *run = run_of(model, s, (vg_run_options){ 0 });
    assert_int_equal(vg_run_all(run, &stop), VG_INTERRUPTED);
    assert_int_equal(s->list[s->count - 1].step, 1);
    vg_run_free(run);
    s->count = 0;
    s->refuse_at = 6;
    run = run_of(model, s, (vg_run_options){ 0 });
    assert_int_equal(vg_run_all(run, NULL), VG_FAILED_RESOURCE);
    assert_true(s->list[s->count - 1].kind == VG_RECORD_DONE && s->list[s->count - 1].step < 40);
    vg_run_free(run);
    vg_model_free(model);
    free(s);
}

static void test_too_few(void **state) {
    (void)state;
    vg_model *model = vg_model_new();
    const char text[] = MOONS "loss = mean(dense(x, 1))\ntrain loss {\n batch = 1000\n steps = 1\n}\n";
    vg_run *run = NULL;
    vg_status status = vg_model_load_text(model, "test.nn", text, sizeof text - 1);
    if (status == VG_OK) status = vg_run_new(model, NULL, &run);
    assert_int_equal(status, VG_FAILED_MODEL);
    assert_string_equal(last_code(model), "too-few-examples");
    vg_model_free(model);
}

/* Whichever allocation fails: an answer, not a crash, and nothing is lost. */
static void test_memory(void **state) {
    (void)state;
    vg_model *model = model_of(learns);
    vg_run *run = NULL;
    vg_status status = VG_FAILED_RESOURCE;
    for (uint64_t call = 1; status != VG_OK; call++) {
        model->mem.calls = 0;
        model->mem.fail_at = call;
        status = vg_run_new(model, NULL, &run);
        assert_true(status == VG_OK || (status == VG_FAILED_RESOURCE && run == NULL));
        if (status != VG_OK) assert_int_equal(strncmp(last_code(model), "memory-", 7), 0);
        assert_true(call < 100000);
    }
    model->mem.fail_at = 0;
    run->mem.fail_at = 0;
    assert_int_equal(vg_run_step(run), VG_OK);
    vg_run_free(run);
    vg_model_free(model);
}

/* What is too large is named, before any of it is touched. */
static void test_needs(void **state) {
    (void)state;
#define NEEDS(total) "the model needs " total " of memory or more, which cannot be had here: the largest part is "
    static const struct { const char *text, *message; uint32_t line; } models[] = {
        { "var a: [2, 2] ~ normal(0, 1)\nvar b: [1000000, 1000000] ~ normal(0, 1)\n",
          NEEDS("4.0 TB") "variable 'b', 4.0 TB", 2 },
        { "var b: [1000, 1000, 1000000] = 0\ninput x: [batch, 2000000, 1000000]\nsummary scalar mean(x)\n",
          NEEDS("260.0 TB") "input 'x', 256.0 TB", 2 },
        { "x = sample(normal(0, 1), [450000, 450000])\nsummary scalar max(x)\n",
          NEEDS("810.0 GB") "a value of shape [450000, 450000], 810.0 GB", 1 }
    };
#undef NEEDS
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        vg_model *model = model_of(models[k].text);
        vg_run *run = NULL;
        vg_diagnostic d = { .message = "" };
        assert_int_equal(vg_run_new(model, NULL, &run), VG_FAILED_RESOURCE);
        assert_int_equal(vg_model_diagnostics(model), 1);
        vg_model_diagnostic(model, 0, &d);
        assert_string_equal(d.message, models[k].message);
        assert_string_equal(d.code, "memory-needed");
        assert_int_equal(d.line, models[k].line);
        vg_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),  cmocka_unit_test(test_repeatable),     cmocka_unit_test(test_updates),
        cmocka_unit_test(test_without_training), cmocka_unit_test(test_fetch_and_feed), cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_endings),  cmocka_unit_test(test_expect),         cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_too_few),  cmocka_unit_test(test_memory),     cmocka_unit_test(test_needs)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
