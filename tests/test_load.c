/* Mini-batches loaded ahead of the step: the same examples in the same order as a loader of one's own gives, whoever
 * gathers them and wherever they lie. And nothing is allocated by a step but the first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/run.h"

/* ---- the system's allocator, counted; a sanitizer has one of its own, and there only the library's door counts */

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { COUNTED = false };
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
enum { COUNTED = false };
#define SANITIZED
#endif
#endif
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ && !defined SANITIZED && defined __GLIBC__
enum { COUNTED = true };
static _Atomic uint64_t allocations;
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *malloc(size_t bytes) { allocations++; return __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { allocations++; return __libc_calloc(count, bytes); }
void *realloc(void *block, size_t bytes) { allocations++; return __libc_realloc(block, bytes); }
#else
static uint64_t allocations;
#endif

/* ---- runs */

typedef struct option { const char *name, *text; } option;

static vg_model *load(const char *text, const char *file, const option *options) {
    vg_model *model = vg_model_new();
    for (; options && options->name; options++) assert_int_equal(vg_model_set(model, options->name, options->text), VG_OK);
    const vg_status status = file ? vg_model_load_file(model, file) : vg_model_load_text(model, "m.nn", text, strlen(text));
    if (status != VG_OK) fail_msg("%s", model->ir.diags.list.items[0].text);
    return model;
}

static vg_run *begin(vg_model *model, vg_run_options options) {
    vg_run *run = NULL;
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    return run;
}

/* What every step's batch should be: loaders and memory of the test's own. */
typedef struct expected { vg_loader loader; float *images; int32_t *labels; } expected;

static void expect_make(expected *e, vg_run *run, uint32_t largest) {
    const vg_loader *theirs = &run->loaders[0];
    const vg_strings *strings = &run->model->ir.strings;
    vg_loader_init(&e->loader, &run->mem, strings, theirs->set, false, true, run->context.seed, largest);
    e->images = vg_mem_alloc(&run->mem, largest * 784 * sizeof *e->images);
    e->labels = vg_mem_alloc(&run->mem, largest * sizeof *e->labels);
}

static const void *slot_data(const vg_run *run, uint32_t input) {
    return run->store.slots.items[run->inputs[input].slot].view.data;
}

/* The next batch lies where the run's inputs are, and a turn's program reads it there. */
static void check_batch(expected *e, const vg_run *run, const vg_turn *turn) {
    vg_loader_next(&e->loader, turn->batch, e->loader.batch);
    vg_dataset_gather(e->loader.set, 0, e->loader.batch, turn->batch, e->images, false);
    vg_dataset_gather(e->loader.set, 1, e->loader.batch, turn->batch, e->labels, false);
    assert_memory_equal(slot_data(run, 0), e->images, turn->batch * 784 * sizeof *e->images);
    assert_memory_equal(slot_data(run, 1), e->labels, turn->batch * sizeof *e->labels);
    assert_memory_equal(run->loaders[0].batch, e->loader.batch, turn->batch * sizeof *e->loader.batch);
}

/* ---- turns of different batches, not all of them in every step */

static const char turns[] =
    "data digits = digits(count = 700)\n"
    "input x: [batch, 784] = digits.images\n"
    "input y: [batch] = digits.labels\n"
    "a = dense(reshape(x, [batch, 28, 28])[:, 3, :], 10)\n"
    "b = dense(x, 10)\n"
    "first = mean(cross_entropy(a, y))\n"
    "second = mean(cross_entropy(b, y)) + 0 * mean(x)\n"
    "train first {\n    batch = 200\n    steps = 12\n    params = vars(\"a.*\")\n    optimizer = sgd(rate = 0.1)\n    eval_every = 3\n}\n"
    "train second {\n    batch = 130\n    every = 3\n    params = vars(\"b.*\")\n    optimizer = sgd(rate = 0.1)\n}\n"
    "summary scalar first, second\n";

typedef struct heard { double value[256]; unsigned count, tests; } heard;

static bool hear(void *user, const vg_record *record) {
    heard *h = user;
    if (record->kind != VG_RECORD_SCALAR) return true;
    h->tests += record->test;
    h->value[h->count++] = record->value;
    return true;
}

/* Scalars of 12 steps; `ahead`: whether a thread may load. */
static void listen(heard *h, bool ahead) {
    *h = (heard){ .count = 0 };
    vg_model *model = load(turns, NULL, NULL);
    vg_run *run = begin(model, (vg_run_options){ .threads = ahead ? 1 : 2, .watch = hear, .user = h });
    assert_int_equal(run->ahead.wanted, vg_thread_cores() > (ahead ? 1 : 2));
    run->ahead.wanted = run->ahead.wanted && ahead;      /* without it the threads that compute share the work */
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    vg_run_free(run);
    vg_model_free(model);
}

static void test_the_same_with_and_without(void **state) {
    (void)state;
    static heard with, without;
    listen(&with, true);
    listen(&without, false);
    assert_int_equal(with.tests, 10);      /* two scalars before steps 0, 3, 6, 9 and at the end */
    assert_int_equal(with.count, without.count);
    assert_memory_equal(with.value, without.value, with.count * sizeof *with.value);
}

static const char one_turn[] =
    "data digits = digits(count = 500)\n"
    "input x: [batch, 784] = digits.images\n"
    "input y: [batch] = digits.labels\n"
    "h = dense(x, 10)\n"
    "loss = mean(cross_entropy(h, y))\n"
    "train loss {\n    batch = 90\n    steps = 20\n    optimizer = sgd(rate = 0.1)\n}\n";

static void test_batches_are_the_loaders(void **state) {
    (void)state;
    expected e;
    vg_model *model = load(one_turn, NULL, NULL);
    vg_run *run = begin(model, (vg_run_options){ .threads = 1 });
    expect_make(&e, run, 90);
    const void *places[2] = { slot_data(run, 0), run->inputs[0].coming };
    unsigned used[2] = { 0 };
    for (uint32_t step = 0; step < 25; step++) {      /* further than `steps` says: nothing is ahead there */
        assert_int_equal(vg_run_step(run), VG_OK);
        check_batch(&e, run, &run->turns[0]);
        used[0] += slot_data(run, 0) == places[0];
        used[1] += slot_data(run, 0) == places[1];
    }
    assert_int_equal(used[0] + used[1], 25);
    assert_true(run->ahead.wanted == (places[1] != NULL));
    vg_run_free(run);
    vg_model_free(model);
}

/* Runs that end while a batch is on its way, that never began, and that go on side by side. */
static void test_runs_end_at_any_time(void **state) {
    (void)state;
    vg_model *model = load(one_turn, NULL, NULL);
    expected e[3];
    vg_run *runs[3];
    for (uint32_t steps = 0; steps < 4; steps++) {
        vg_run *run = begin(model, (vg_run_options){ .threads = 1 });
        for (uint32_t k = 0; k < steps; k++) assert_int_equal(vg_run_step(run), VG_OK);
        vg_run_free(run);
    }
    for (uint32_t k = 0; k < 3; k++) {
        runs[k] = begin(model, (vg_run_options){ .has_seed = true, .seed = 5 + k });
        expect_make(&e[k], runs[k], 90);
    }
    for (uint32_t step = 0; step < 10; step++)
        for (uint32_t k = 0; k < 3; k++) {
            assert_int_equal(vg_run_step(runs[k]), VG_OK);
            check_batch(&e[k], runs[k], &runs[k]->turns[0]);
        }
    for (uint32_t k = 0; k < 3; k++) vg_run_free(runs[k]);
    vg_model_free(model);
}

/* Small batches are gathered by the step itself. */
static void test_small_batches_have_no_thread(void **state) {
    (void)state;
    vg_model *model = load(one_turn, NULL, (option[]){ { "train.batch", "10" }, { NULL, NULL } });
    vg_run *run = begin(model, (vg_run_options){ .threads = 1 });
    assert_int_equal(vg_run_step(run), VG_OK);
    assert_false(run->ahead.wanted);
    assert_null(run->ahead.thread);
    vg_run_free(run);
    vg_model_free(model);
}

/* ---- allocations */

static bool ignore(void *user, const vg_record *record) {
    *(uint64_t *)user += record->kind;
    return true;
}

/* Everything that the model watches is watched. */
static void test_steps_allocate_nothing(void **state) {
    (void)state;
    static const struct { const char *file; option options[3]; } rows[] = {
        { "models/deep_sigmoid.nn", { { NULL, NULL } } },
        { "models/cure_normalisation.nn", { { NULL, NULL } } },
        { "models/xor.nn", { { NULL, NULL } } },
        { "models/lenet.nn", { { "train.batch", "16" }, { NULL, NULL } } },
        { "models/vae.nn", { { "train.batch", "64" }, { NULL, NULL } } },
        { "models/gan.nn", { { NULL, NULL } } },
        { "models/wgan_gp.nn", { { NULL, NULL } } },
        { "models/gru.nn", { { NULL, NULL } } },
        { "models/maml.nn", { { NULL, NULL } } }
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t records = 0;
        vg_model *model = load(NULL, rows[i].file, rows[i].options);
        vg_run *run = begin(model, (vg_run_options){ .steps = 6, .watch = ignore, .user = &records });
        assert_int_equal(vg_run_step(run), VG_OK);
        const uint64_t calls = run->mem.calls + model->mem.calls, system = allocations;
        for (uint32_t step = 1; step < 6; step++) assert_int_equal(vg_run_step(run), VG_OK);
        if (allocations != system) print_error("%s: %llu\n", rows[i].file, (unsigned long long)(allocations - system));
        assert_int_equal(run->mem.calls + model->mem.calls, calls);
        assert_int_equal(allocations, system);
        assert_true(records > 0 && (system > 0) == COUNTED);
        vg_run_free(run);
        vg_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_with_and_without), cmocka_unit_test(test_batches_are_the_loaders),
        cmocka_unit_test(test_runs_end_at_any_time), cmocka_unit_test(test_small_batches_have_no_thread),
        cmocka_unit_test(test_steps_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
