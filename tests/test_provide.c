/* Data that the host program provides, in the place of a model's: the same bits as the program's own source of the same
 * examples, in both precisions, with and without loading ahead; who asks, for what, and what happens when it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "api/run.h"

static const char text[] =
    "data digits = mnist(\"/nowhere\")\n"
    "input x: [batch, 784] = digits.images\n"
    "input y: [batch] = digits.labels\n"
    "logits = dense(relu(dense(x, 16)), digits.classes)\n"
    "loss = mean(cross_entropy(logits, y))\n"
    "train loss {\n    batch = 64\n    steps = 12\n    eval_every = 5\n    optimizer = sgd(rate = 0.1)\n}\n"
    "summary scalar loss\n";

/* A source of the host's that hands on the program's own digits, and looks at how it is asked. */
typedef struct host {
    vg_mem      mem;
    vg_dataset  set;
    _Atomic int within;                 /* asked by so many threads at once */
    _Atomic unsigned asked, at_once, wrong;
    unsigned    fails_at;               /* the question that is not answered; 0: none */
} host;

static bool gather(void *user, size_t column, const uint32_t *examples, size_t count, void *out) {
    host *h = user;
    if (atomic_fetch_add(&h->within, 1) > 0) h->at_once++;
    for (size_t k = 0; k < count; k++) h->wrong += examples[k] >= h->set.count;
    h->wrong += column > 1 || count == 0;
    const bool fine = ++h->asked != h->fails_at;
    usleep(50);      /* so that whoever asks meanwhile is seen */
    if (fine) vg_dataset_gather(&h->set, (uint32_t)column, examples, (uint32_t)count, out, false);
    atomic_fetch_sub(&h->within, 1);
    return fine;
}

static const vg_provider_column columns[] = {
    { .name = "images", .rank = 2, .shape = { 28, 28 } }, { .name = "labels", .integer = true, .classes = 10 }
};

static void host_open(host *h) {
    jmp_buf escape;
    vg_data_error error;
    *h = (host){ .fails_at = 0 };
    vg_mem_init(&h->mem);
    h->mem.escape = &escape;
    if (setjmp(escape)) fail();
    h->set = (vg_dataset){ .mem = &h->mem, .folder = "", .test = -1 };
    for (uint32_t k = 0; k < vg_source_row_count; k++)
        if (strcmp(vg_source_rows[k].name, "digits") == 0) h->set.source = &vg_source_rows[k];
    for (uint32_t k = 0; k < h->set.source->parameter_count; k++)
        h->set.arguments[k].number = h->set.source->parameters[k].number;
    h->set.arguments[0] = (vg_argument){ .number = 600, .given = true };
    assert_true(vg_dataset_describe(&h->set, &error) && vg_dataset_load(&h->set, &error));
}

static vg_provider provider_of(host *h, uint64_t train) {
    return (vg_provider){ columns, 2, 600, train, gather, h };
}

typedef struct heard { double values[64]; unsigned count; } heard;

static bool hear(void *user, const vg_record *record) {
    heard *to = user;
    if (record->kind == VG_RECORD_SCALAR) to->values[to->count++] = record->value;
    return true;
}

static vg_status train(vg_model *model, vg_run_options options, heard *to, bool ahead) {
    vg_run *run;
    options.watch = hear;
    options.user = to;
    vg_status status = vg_run_new(model, &options, &run);
    if (status != VG_OK) return status;
    run->ahead.wanted = run->ahead.wanted && ahead;
    status = vg_run_all(run, NULL);
    vg_run_free(run);
    return status;
}

/* The program's own source of the same examples, and the host's. */
static void test_same(void **state) {
    (void)state;
    static host h;
    host_open(&h);
    for (unsigned k = 0; k < 8; k++) {
        const vg_run_options options = { .float64 = k & 1, .threads = k & 2 ? 2 : 1 };
        heard own = { .count = 0 }, provided = { .count = 0 };
        vg_model *model = vg_model_new();
        assert_int_equal(vg_model_data(model, "digits", "digits(count = 600)"), VG_OK);
        assert_int_equal(vg_model_load_text(model, "m.nn", text, sizeof text - 1), VG_OK);
        assert_int_equal(train(model, options, &own, true), VG_OK);
        vg_model_free(model);
        h.asked = 0;
        const vg_provider provider = provider_of(&h, 0);
        model = vg_model_new();
        assert_int_equal(vg_model_provide(model, "digits", &provider), VG_OK);
        assert_int_equal(vg_model_load_text(model, "m.nn", text, sizeof text - 1), VG_OK);
        assert_int_equal(train(model, options, &provided, k & 4), VG_OK);
        vg_model_free(model);
        assert_true(own.count == 12 + 4 && provided.count == own.count);      /* steps, and 0, 5, 10, 12 on the test split */
        assert_memory_equal(own.values, provided.values, own.count * sizeof *own.values);
        assert_true(h.asked >= 2 * (12 + 4 * 2) && h.at_once == 0 && h.wrong == 0);
    }
    vg_mem_release(&h.mem);
}

/* A split of the host's own: the first `train` examples are trained on, the others are the test split. */
static void test_split(void **state) {
    (void)state;
    static host h;
    host_open(&h);
    const vg_provider provider = provider_of(&h, 590);
    vg_model *model = vg_model_new();
    vg_run *run;
    assert_int_equal(vg_model_provide(model, "digits", &provider), VG_OK);
    assert_int_equal(vg_model_load_text(model, "m.nn", text, sizeof text - 1), VG_OK);
    assert_int_equal(vg_run_new(model, &(vg_run_options){ .evaluation = true }, &run), VG_OK);
    assert_int_equal(run->turns[0].batch, 10);
    assert_int_equal(vg_run_step(run), VG_OK);
    for (uint32_t k = 0; k < 10; k++) assert_int_equal(run->loaders[0].batch[k], 590 + k);
    vg_run_free(run);
    vg_model_free(model);
    vg_mem_release(&h.mem);
}

static vg_diagnostic last(const vg_model *model) {
    vg_diagnostic d = { .code = "", .message = "" };
    const size_t count = vg_model_diagnostics(model);
    if (count) vg_model_diagnostic(model, count - 1, &d);
    return d;
}

/* Whichever question is not answered, ahead of the step, within it, or of the test split: a clear end. */
static void test_failing(void **state) {
    (void)state;
    static host h;
    host_open(&h);
    for (unsigned at = 1; at <= 24; at++)
        for (unsigned ahead = 0; ahead < 2; ahead++) {
            heard provided = { .count = 0 };
            h.asked = 0;
            h.fails_at = at;
            const vg_provider provider = provider_of(&h, 0);
            vg_model *model = vg_model_new();
            assert_int_equal(vg_model_provide(model, "digits", &provider), VG_OK);
            assert_int_equal(vg_model_load_text(model, "m.nn", text, sizeof text - 1), VG_OK);
            assert_int_equal(train(model, (vg_run_options){ .threads = 1 }, &provided, ahead), VG_FAILED_RESOURCE);
            assert_int_equal(vg_model_diagnostics(model), 1);
            assert_string_equal(last(model).code, "data-failed");
            assert_non_null(strstr(last(model).message, "data 'digits': the program that provides it could not give column '"));
            assert_true(last(model).line == 2 || last(model).line == 3);
            vg_model_free(model);
        }
    vg_mem_release(&h.mem);
}

/* ---- what cannot be provided */

static bool never(void *user, size_t column, const uint32_t *examples, size_t count, void *out) {
    (void)user, (void)column, (void)examples, (void)count, (void)out;
    return false;
}

static const struct { const char *why; vg_provider provider; } wrong[] = {
    { "no function", { columns, 2, 600, 0, NULL, NULL } },
    { "no columns", { NULL, 0, 600, 0, never, NULL } },
    { "count", { columns, 2, 0, 0, never, NULL } },
    { "count", { columns, 2, 1ull << 31, 0, never, NULL } },
    { "more examples are to train on", { columns, 2, 600, 601, never, NULL } },
    { "more than 16", { columns, 17, 600, 0, never, NULL } },
    { "no name", { (const vg_provider_column[]){ { .name = "" } }, 1, 600, 0, never, NULL } },
    { "one name", { (const vg_provider_column[]){ { .name = "a" }, { .name = "a" } }, 2, 600, 0, never, NULL } },
    { "4 axes", { (const vg_provider_column[]){ { .name = "a", .rank = 5 } }, 1, 600, 0, never, NULL } },
    { "length 0", { (const vg_provider_column[]){ { .name = "a", .rank = 2, .shape = { 3, 0 } } }, 1, 600, 0, never, NULL } },
    { "larger than", { (const vg_provider_column[]){ { .name = "a", .rank = 2, .shape = { 1 << 16, 1 << 16 } } }, 1, 600, 0,
      never, NULL } },
    { "of integers", { (const vg_provider_column[]){ { .name = "a", .classes = 3 } }, 1, 600, 0, never, NULL } }
};

static void test_wrong(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        vg_model *model = vg_model_new();
        assert_int_equal(vg_model_provide(model, "digits", &wrong[k].provider), VG_FAILED_USAGE);
        assert_string_equal(last(model).code, "provided-wrong");
        if (!strstr(last(model).message, wrong[k].why)) fail_msg("%s: %s", wrong[k].why, last(model).message);
        vg_model_free(model);
    }
}

static void test_names(void **state) {
    (void)state;
    const vg_provider provider = { columns, 2, 600, 0, never, NULL };
    vg_model *model = vg_model_new();
    assert_int_equal(vg_model_provide(model, "digits", &provider), VG_OK);
    assert_int_equal(vg_model_provide(model, "digits", &provider), VG_FAILED_USAGE);
    assert_string_equal(last(model).code, "option-twice");
    assert_int_equal(vg_model_data(model, "digits", "digits()"), VG_FAILED_USAGE);
    assert_string_equal(last(model).code, "option-twice");
    vg_model_free(model);
    model = vg_model_new();
    assert_int_equal(vg_model_data(model, "digits", "digits()"), VG_OK);
    assert_int_equal(vg_model_provide(model, "digits", &provider), VG_FAILED_USAGE);
    vg_model_free(model);
    model = vg_model_new();
    assert_int_equal(vg_model_provide(model, "digit", &provider), VG_OK);
    assert_int_equal(vg_model_load_text(model, "m.nn", "data digits = digits()\n", 23), VG_FAILED_USAGE);
    assert_string_equal(last(model).code, "unused-provided");
    assert_int_equal(vg_model_provide(model, "more", &provider), VG_FAILED_USAGE);      /* it is loaded */
    assert_string_equal(last(model).code, "loaded-twice");
    vg_model_free(model);
    model = vg_model_new();      /* a column that the model asks for and the host has not */
    assert_int_equal(vg_model_provide(model, "d", &provider), VG_OK);
    static const char asks[] = "data d = digits()\ninput x: [batch] = d.weights\n";
    assert_int_equal(vg_model_load_text(model, "m.nn", asks, sizeof asks - 1), VG_FAILED_MODEL);
    assert_string_equal(last(model).code, "no-column");
    vg_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same), cmocka_unit_test(test_split), cmocka_unit_test(test_failing),
        cmocka_unit_test(test_wrong), cmocka_unit_test(test_names)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
