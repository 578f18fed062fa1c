/* Where a step's time goes: what is counted of it, what it is called, and that measuring changes nothing. Never how long
 * anything takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "api/run.h"
#include "run/limit.h"

#define MODEL                                                                                                      \
    "data moons = moons(100, 0.1)\n"                                                                               \
    "input x: [batch, 2] = moons.features\n"                                                                         \
    "input y: [batch] = moons.target\n"                                                                            \
    "var W: [2, 16] ~ normal(0, 1)\n"                                                                              \
    "var b: [16] = 0\n"                                                                                            \
    "h = tanh(x @ W + b)\n"                                                                                        \
    "loss = mean(cross_entropy(dense(h, 2), y))\n"                                                                 \
    "train loss {\n optimizer = sgd(rate = 0.1)\n batch = 20\n steps = 5\n}\n"

static vg_model *model_of(const char *text) {
    vg_model *model = vg_model_new();
    if (vg_model_load_text(model, "test.nn", text, strlen(text)) != VG_OK) {
        vg_diagnostic d = { .message = "" };
        vg_model_diagnostic(model, 0, &d);
        fail_msg("%u: %s", d.line, d.message);
    }
    return model;
}

static vg_run *run_of(vg_model *model, vg_run_options options) {
    vg_run *run = NULL;
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    return run;
}

static const vg_timing_row *row_called(const vg_timing *timing, const char *what, const char *name) {
    for (size_t k = 0; k < timing->row_count; k++) {
        const vg_timing_row *row = &timing->rows[k];
        if (strcmp(row->what, what) == 0 && (name == NULL || strcmp(row->name, name) == 0)) return row;
    }
    for (size_t k = 0; k < timing->row_count; k++)
        print_error("%s: %s\n", timing->rows[k].what, timing->rows[k].name ? timing->rows[k].name : "");
    fail_msg("there is no row '%s' '%s'", what, name ? name : "");
    return NULL;
}

static void check_row(const vg_timing *timing, const char *what, const char *name, const char *shape, uint32_t line,
                      double flops, double bytes) {
    const vg_timing_row *row = row_called(timing, what, name);
    assert_true(row->computes);
    assert_string_equal(row->shape, shape);
    assert_string_equal(row->file, "test.nn");
    assert_int_equal(row->line, line);
    assert_true(row->calls == 1);
    assert_true(row->flops == flops);
    assert_true(row->bytes == bytes);
}

static void test_rows(void **state) {
    (void)state;
    vg_model *model = model_of(MODEL);
    vg_run *run = run_of(model, (vg_run_options){ .threads = 1 });
    vg_timing timing;
    assert_int_equal(vg_run_time(run, 30, &timing), VG_OK);
    assert_int_equal(timing.steps, 30);
    assert_int_equal(timing.threads, 1);
    assert_int_equal(timing.batch, 20);
    assert_true(timing.seconds > 0 && timing.product_rate > 0);
    double sum = 0;
    for (size_t k = 0; k < timing.row_count; k++) {
        const vg_timing_row *row = &timing.rows[k];
        assert_true(row->seconds >= 0 && row->calls > 0);
        if (row->computes) assert_true(row->nodes >= 1 && row->limit >= row->flops / timing.product_rate);
        else assert_true(row->name == NULL && row->flops == 0 && row->bytes == 0);
        sum += row->seconds;
    }
    assert_true(fabs(sum - timing.sum) <= 1e-9 * sum);
    /* 2 n m k; the operands and the result */
    check_row(&timing, "matmul", "x @ W", "[batch, 16]", 6, 2 * 20 * 2 * 16, 4 * (20 * 2 + 2 * 16 + 20 * 16));
    check_row(&timing, "matmul", "gradient of W", "[2, 16]", 6, 2 * 20 * 2 * 16, 4 * (20 * 2 + 20 * 16 + 2 * 16));
    /* one pass: the product and b are read, h is written; 12 for tanh, 1 to add */
    check_row(&timing, "add+tanh", "h", "[batch, 16]", 6, 20 * 16 * 13, 4 * (20 * 16 + 16 + 20 * 16));
    check_row(&timing, "mul+sub+update", "new W", "[2, 16]", 9, 2 * 2 * 16, 4 * (2 * 16 + 1 + 2 * 16 + 2 * 16));
    assert_true(row_called(&timing, "loading", NULL)->calls == 1);
    vg_run_free(run);
    vg_model_free(model);
}

/* One operator after the other: what passes between the two of a group is written and read. */
static void test_unfused(void **state) {
    (void)state;
    vg_model *model = model_of(MODEL);
    vg_run *run = run_of(model, (vg_run_options){ .threads = 1, .no_fuse = true, .float64 = true });
    vg_timing timing;
    assert_int_equal(vg_run_time(run, 4, &timing), VG_OK);
    check_row(&timing, "add", "x @ W + b", "[batch, 16]", 6, 20 * 16, 8 * (20 * 16 + 16 + 20 * 16));
    check_row(&timing, "tanh", "h", "[batch, 16]", 6, 20 * 16 * 12, 8 * 2 * 20 * 16);
    vg_run_free(run);
    vg_model_free(model);
}

/* What is due in some steps only counts for its share of them; the end of the run, where everything is, never comes. */
static void test_cadences(void **state) {
    (void)state;
    vg_model *model = model_of(MODEL "summary histogram h every 4\nsummary histogram W every 1000\n");
    vg_run *run = run_of(model, (vg_run_options){ .threads = 1 });
    vg_timing timing;
    assert_int_equal(vg_run_time(run, 40, &timing), VG_OK);
    assert_true(fabs(row_called(&timing, "histogram", "h")->calls - 0.25) < 1e-12);
    for (size_t k = 0; k < timing.row_count; k++)
        assert_true(!timing.rows[k].computes || strcmp(timing.rows[k].name, "W") != 0);
    vg_run_free(run);
    vg_model_free(model);
}

static void take_steps(vg_run *run, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) assert_int_equal(vg_run_step(run), VG_OK);
}

/* The variables are those of as many steps, and the run goes on. */
static void test_nothing_changes(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        vg_model *model = model_of(MODEL "summary histogram grad(loss, W)\n");
        vg_run *timed = run_of(model, (vg_run_options){ .threads = threads });
        vg_run *bare = run_of(model, (vg_run_options){ .threads = 1 });
        vg_timing timing;
        assert_int_equal(vg_run_time(timed, 17, &timing), VG_OK);
        assert_int_equal(vg_run_time(timed, 3, &timing), VG_OK);
        assert_int_equal(vg_run_steps(timed), 5);
        take_steps(timed, 2);
        take_steps(bare, (uint32_t)timed->done);
        for (size_t k = 0; k < vg_run_variables(bare); k++) {
            vg_tensor a, b;
            assert_int_equal(vg_run_variable(timed, k, &a), VG_OK);
            assert_int_equal(vg_run_variable(bare, k, &b), VG_OK);
            assert_memory_equal(a.elements, b.elements, a.count * sizeof *a.elements);
        }
        vg_run_free(timed);
        vg_run_free(bare);
        vg_model_free(model);
    }
}

/* Of several threads it is the caller's part: half of the rows of what is cut. */
static void test_threads(void **state) {
    (void)state;
    vg_model *model = model_of("var W: [512, 512] ~ normal(0, 1)\nx = sample(normal(0, 1), [512, 512])\n"
                               "loss = mean(tanh(x @ W))\ntrain loss { steps = 3 }\n");
    vg_run *run = run_of(model, (vg_run_options){ .threads = 2 });
    vg_timing timing;
    assert_int_equal(vg_run_time(run, 2, &timing), VG_OK);
    if (timing.threads == 2) {      /* the system may have given no thread */
        assert_true(row_called(&timing, "waiting", NULL)->calls >= 2);
        assert_true(row_called(&timing, "matmul", "x @ W")->flops < 2.0 * 512 * 512 * 512 * 0.6);
    }
    vg_run_free(run);
    vg_model_free(model);
}

static void test_failures(void **state) {
    (void)state;
    vg_model *model = model_of("var w: [1] = 1\nloss = mean(log(w - 2))\ntrain loss { steps = 3 }\n");
    vg_run *run = run_of(model, (vg_run_options){ .threads = 1 });
    vg_timing timing;
    assert_int_equal(vg_run_time(run, 5, &timing), VG_FAILED_NUMBERS);
    assert_int_equal(timing.row_count, 0);
    assert_int_equal(vg_run_time(run, 5, &timing), VG_FAILED_NUMBERS);
    vg_run_free(run);
    vg_model_free(model);
}

/* Whichever allocation fails: an answer, and a run that goes on where it stands. */
static void test_memory(void **state) {
    (void)state;
    vg_model *model = model_of(MODEL);
    vg_run *run = run_of(model, (vg_run_options){ .threads = 1 });
    vg_status status = VG_FAILED_RESOURCE;
    vg_timing timing;
    uint32_t failures = 0;
    for (uint64_t n = 1; status != VG_OK; n++) {
        run->mem.fail_at = run->mem.calls + n;
        status = vg_run_time(run, 4, &timing);
        failures += status == VG_FAILED_RESOURCE;
        run->mem.fail_at = 0;
        assert_int_equal(vg_run_steps(run), 5);
        take_steps(run, 1);
    }
    assert_true(failures > 10);
    vg_run_free(run);
    vg_model_free(model);
}

static void test_limits(void **state) {
    (void)state;
    const vg_limits limits = { 1e9, { { 10, 8 }, { 100, 4 }, { 1000, 2 }, { 2000, 2 }, { 3000, 1 } } };
    static const struct { double flops, bytes, seconds; } table[] = {
        { 0, 0, 0 }, { 3e9, 0, 3 }, { 0, 8, 1 }, { 3e9, 8, 3 }, { 0, 100, 25 }, { 0, 101, 50.5 }, { 0, 9000, 9000 }
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        assert_true(vg_limits_seconds(&limits, table[k].flops, table[k].bytes) == table[k].seconds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_unfused), cmocka_unit_test(test_cadences),
        cmocka_unit_test(test_nothing_changes), cmocka_unit_test(test_threads), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_limits)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
