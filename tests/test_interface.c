/* The C interface as a program sees it that embeds the library: feeding, fetching, setting, inference without labels and
 * data, other batches, data of its own; runs in threads, and beside the host's own use of BLAS and fork. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cblas.h>
#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/run.h"
#include "run/blas.h"

/* ---- models */

static const char classifier[] =
    "data digits = digits(count = 400)\n"
    "input x: [batch, 784] = digits.images\n"
    "input y: [batch] = digits.labels\n"
    "h = relu(dense(x, 16))\n"
    "logits = dense(dropout(h, 0.5), digits.classes)\n"
    "loss = mean(cross_entropy(logits, y))\n"
    "train loss {\n    batch = 32\n    steps = 6\n    optimizer = sgd(rate = 0.1)\n}\n"
    "summary scalar loss\n"
    "expect loss < 100\n";

static vg_model *load(const char *text, const char *const *fetches) {
    vg_model *model = vg_model_new();
    for (uint32_t index; fetches && *fetches; fetches++) assert_int_equal(vg_model_fetch(model, *fetches, &index), VG_OK);
    if (vg_model_load_text(model, "m.nn", text, strlen(text)) != VG_OK) {
        vg_diagnostic d = { .message = "" };
        vg_model_diagnostic(model, 0, &d);
        fail_msg("%s:%u: %s", d.file, d.line, d.message);
    }
    return model;
}

static vg_run *begin(vg_model *model, vg_run_options options) {
    vg_run *run = NULL;
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    return run;
}

static void end(vg_model *model, vg_run *run) {
    vg_run_free(run);
    vg_model_free(model);
}

static const char *last_code(const vg_model *model) {
    vg_diagnostic d = { .code = "" };
    const size_t count = vg_model_diagnostics(model);
    if (count > 0) vg_model_diagnostic(model, count - 1, &d);
    return d.code;
}

static const char *const logits[] = { "logits", NULL };

/* ---- in and out */

static const char mixed[] =
    "input x: [batch, 2]\ninput i: int[batch]\ninput unused: [batch, 5]\nvar w: [2] = [1, 2]\n"
    "y = x * w\nj = i + 1\nloss = sum(y)\ntrain loss {\n batch = 2\n steps = 5\n optimizer = sgd(rate = 1)\n}\n";

static void test_inputs(void **state) {
    (void)state;
    vg_model *model = load(mixed, (const char *const[]){ "y", "j", NULL });
    vg_run *run = begin(model, (vg_run_options){ .batch = 3 });
    static const struct { const char *name; bool integer, needed; uint32_t rank; int64_t shape[2]; } want[] = {
        { "x", false, true, 2, { 3, 2 } }, { "i", true, true, 1, { 3 } }, { "unused", false, false, 2, { 3, 5 } } };
    vg_input_info input;
    assert_int_equal(vg_run_inputs(run), 3);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(vg_run_input(run, k, &input), VG_OK);
        assert_string_equal(input.name, want[k].name);
        assert_true(input.integer == want[k].integer && input.needed == want[k].needed && !input.has_data);
        assert_int_equal(input.rank, want[k].rank);
        assert_memory_equal(input.shape, want[k].shape, want[k].rank * sizeof *input.shape);
        assert_int_equal(input.count, want[k].shape[0] * (want[k].rank > 1 ? want[k].shape[1] : 1));
    }
    assert_int_equal(vg_run_input(run, 3, &input), VG_FAILED_USAGE);
    end(model, run);
}

/* The same numbers as doubles, floats and integers, in both precisions; what nobody reads need not be fed. */
static void test_feeds(void **state) {
    (void)state;
    const double doubles[] = { 1, 2, 3, 4 }, j[] = { 7, -1 };
    const float floats[] = { 1, 2, 3, 4 };
    const int32_t integers[] = { 1, 2, 3, 4 }, i[] = { 6, -2 };
    for (uint32_t type = 0; type < 3; type++)
        for (uint32_t wide = 0; wide < 2; wide++) {
            vg_model *model = load(mixed, (const char *const[]){ "y", "j", NULL });
            vg_run *run = begin(model, (vg_run_options){ .float64 = wide == 1 });
            vg_tensor tensor;
            vg_raw raw;
            assert_int_equal(vg_run_fetch_raw(run, 0, &raw), VG_FAILED_USAGE);      /* nothing is computed yet */
            if (type == VG_ELEMENTS_DOUBLE) assert_int_equal(vg_run_feed(run, "x", doubles, 4), VG_OK);
            if (type == VG_ELEMENTS_FLOAT) assert_int_equal(vg_run_feed_f32(run, "x", floats, 4), VG_OK);
            if (type == VG_ELEMENTS_INT32) assert_int_equal(vg_run_feed_i32(run, "x", integers, 4), VG_OK);
            assert_int_equal(vg_run_step(run), VG_FAILED_USAGE);
            assert_string_equal(last_code(model), "input-not-fed");
            if (type == VG_ELEMENTS_FLOAT) assert_int_equal(vg_run_feed_f32(run, "i", (const float[]){ 6.5f, -2.5f }, 2), VG_OK);
            else assert_int_equal(vg_run_feed_i32(run, "i", i, 2), VG_OK);
            assert_int_equal(vg_run_step(run), VG_OK);      /* goes on after what was forgotten */
            assert_int_equal(vg_run_fetch(run, 0, &tensor), VG_OK);
            for (int k = 0; k < 4; k++) assert_true(tensor.elements[k] == doubles[k] * (k % 2 + 1));
            assert_int_equal(vg_run_fetch_raw(run, 0, &raw), VG_OK);
            assert_int_equal(raw.type, wide ? VG_ELEMENTS_DOUBLE : VG_ELEMENTS_FLOAT);
            assert_true(raw.count == 4 && raw.rank == 2 && raw.shape[0] == 2 && raw.shape[1] == 2);
            for (int k = 0; k < 4; k++)
                assert_true((wide ? ((const double *)raw.elements)[k] : (double)((const float *)raw.elements)[k]) ==
                            tensor.elements[k]);
            assert_int_equal(vg_run_fetch(run, 1, &tensor), VG_OK);
            assert_true(tensor.integer && tensor.elements[0] == j[0] && tensor.elements[1] == j[1]);
            assert_int_equal(vg_run_fetch_raw(run, 1, &raw), VG_OK);
            assert_true(raw.type == VG_ELEMENTS_INT32 && ((const int32_t *)raw.elements)[0] == 7);
            end(model, run);
        }
}

/* What was fetched stays what it was in the step, whatever is fed, set and updated before it is read. */
static void test_fetches_stay(void **state) {
    (void)state;
    vg_model *model = load(mixed, (const char *const[]){ "w", "x", "reshape(x, [2 * batch])", "w + 0 * sum(x)", NULL });
    vg_run *run = begin(model, (vg_run_options){ 0 });
    const double want[4][4] = { { 1, 2 }, { 1, 2, 3, 4 }, { 1, 2, 3, 4 }, { 1, 2 } };
    vg_tensor tensor;
    assert_int_equal(vg_run_feed(run, "x", want[1], 4), VG_OK);
    assert_int_equal(vg_run_step(run), VG_OK);      /* w is updated: its gradient is the sum of x's columns */
    assert_int_equal(vg_run_feed(run, "x", (const double[]){ 9, 9, 9, 9 }, 4), VG_OK);
    assert_int_equal(vg_run_variable(run, 0, &tensor), VG_OK);
    assert_true(tensor.elements[0] == 1 - 4 && tensor.elements[1] == 2 - 6);
    assert_int_equal(vg_run_set_variable(run, "w", (const double[]){ 5, 6 }, 2), VG_OK);
    for (uint32_t k = 0; k < 4; k++) {
        assert_int_equal(vg_run_fetch(run, k, &tensor), VG_OK);
        assert_memory_equal(tensor.elements, want[k], tensor.count * sizeof *want[k]);
    }
    end(model, run);
}

static void test_set_variable(void **state) {
    (void)state;
    vg_model *model = load(mixed, (const char *const[]){ "y", NULL });
    vg_run *run = begin(model, (vg_run_options){ .evaluation = true });
    vg_tensor tensor;
    assert_int_equal(vg_run_set_variable(run, "v", (const double[]){ 5, 6 }, 2), VG_FAILED_USAGE);
    assert_string_equal(last_code(model), "variable-unknown");
    assert_int_equal(vg_run_set_variable(run, "w", (const double[]){ 5, 6, 7 }, 3), VG_FAILED_USAGE);
    assert_string_equal(last_code(model), "variable-count");
    assert_int_equal(vg_run_set_variable(run, "w", (const double[]){ 5, 6 }, 2), VG_OK);
    assert_int_equal(vg_run_variable(run, 0, &tensor), VG_OK);
    assert_true(tensor.elements[0] == 5 && tensor.elements[1] == 6);
    assert_int_equal(vg_run_feed(run, "x", (const double[]){ 1, 1, 2, 2 }, 4), VG_OK);
    assert_int_equal(vg_run_step(run), VG_OK);
    assert_int_equal(vg_run_fetch(run, 0, &tensor), VG_OK);
    assert_true(tensor.elements[0] == 5 && tensor.elements[3] == 12);
    end(model, run);
}

/* ---- inference */

/* Logits of the first `batch` examples of the test split, by the evaluation that the command line has. */
static float *judged(uint64_t batch, const double *images) {
    vg_model *model = load(classifier, logits);
    vg_run *run = begin(model, (vg_run_options){ .evaluation = true, .fetches_only = true, .no_data = true,
                                                 .batch = batch });
    vg_raw raw;
    vg_input_info input;
    assert_int_equal(vg_run_input(run, 1, &input), VG_OK);
    assert_true(!input.needed && !input.has_data);      /* labels */
    float *kept = calloc(batch * 10, sizeof *kept);
    assert_int_equal(vg_run_feed(run, "x", images, batch * 784), VG_OK);
    for (int k = 0; k < 20; k++) assert_int_equal(vg_run_step(run), VG_OK);      /* the model's steps are 6 */
    assert_int_equal(vg_run_fetch_raw(run, 0, &raw), VG_OK);
    assert_int_equal(raw.count, batch * 10);
    memcpy(kept, raw.elements, raw.count * sizeof *kept);
    for (size_t k = 0; k < vg_run_inputs(run); k++) assert_int_equal(run->loader_count, 0);
    assert_false(model->unit.datasets.items[0]->loaded);
    end(model, run);
    return kept;
}

static void test_inference(void **state) {
    (void)state;
    vg_model *model = load(classifier, (const char *const[]){ "logits", "x", NULL });
    vg_run *run = begin(model, (vg_run_options){ .evaluation = true });
    vg_tensor x;
    vg_raw raw;
    assert_int_equal(vg_run_step(run), VG_OK);
    assert_int_equal(vg_run_fetch(run, 1, &x), VG_OK);
    assert_int_equal(vg_run_fetch_raw(run, 0, &raw), VG_OK);
    const float *theirs = raw.elements;
    float *same = judged(32, x.elements), *one = judged(1, x.elements + 5 * 784);
    assert_memory_equal(same, theirs, raw.count * sizeof *theirs);
    for (int k = 0; k < 10; k++) assert_true(fabsf(one[k] - theirs[5 * 10 + k]) < 1e-4f);
    free(same);
    free(one);
    end(model, run);
}

static bool refuse(void *user, const vg_record *record) {
    *(unsigned *)user += record->kind == VG_RECORD_SCALAR || record->kind == VG_RECORD_EXPECT;
    return true;
}

/* Fetches alone: no summary, no expect, no update, in training, too; and there must be one. */
static void test_fetches_only(void **state) {
    (void)state;
    unsigned records = 0;
    vg_tensor before, after;
    vg_model *model = load(classifier, logits);
    vg_run *run = begin(model, (vg_run_options){ .fetches_only = true, .watch = refuse, .user = &records });
    assert_int_equal(vg_run_variable(run, 0, &before), VG_OK);
    double first = before.elements[0];
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    assert_int_equal(vg_run_variable(run, 0, &after), VG_OK);
    assert_true(after.elements[0] == first && records == 0);
    end(model, run);
    model = load(classifier, NULL);
    assert_int_equal(vg_run_new(model, &(vg_run_options){ .fetches_only = true }, &run), VG_FAILED_USAGE);
    assert_string_equal(last_code(model), "nothing-to-fetch");
    assert_null(run);
    vg_model_free(model);
}

/* Feeding, stepping and reading ask for no memory behind the first time. */
static void test_steady(void **state) {
    (void)state;
    double *images = calloc(32 * 784, sizeof *images);
    vg_model *model = load(classifier, logits);
    vg_run *run = begin(model, (vg_run_options){ .evaluation = true, .fetches_only = true, .no_data = true });
    vg_tensor tensor;
    vg_raw raw;
    uint64_t own = 0, common = 0;
    for (int k = 0; k < 50; k++) {
        images[k] = k;
        assert_int_equal(vg_run_feed(run, "x", images, 32 * 784), VG_OK);
        assert_int_equal(vg_run_step(run), VG_OK);
        assert_int_equal(vg_run_fetch(run, 0, &tensor), VG_OK);
        assert_int_equal(vg_run_fetch_raw(run, 0, &raw), VG_OK);
        if (k == 0) { own = run->mem.calls; common = model->mem.calls; }
        assert_true(run->mem.calls == own && model->mem.calls == common);
    }
    free(images);
    end(model, run);
}

/* ---- training */

/* A step goes on beyond `steps`, and learns: as a run of more steps does. */
static void test_beyond(void **state) {
    (void)state;
    vg_tensor a, b;
    vg_model *model = load(classifier, NULL);
    vg_run *few = begin(model, (vg_run_options){ .steps = 2 }), *many = begin(model, (vg_run_options){ .steps = 9 });
    for (int k = 0; k < 9; k++) {
        assert_int_equal(vg_run_step(few), VG_OK);
        assert_int_equal(vg_run_step(many), VG_OK);
    }
    assert_int_equal(vg_run_steps(few), 2);
    for (size_t k = 0; k < vg_run_variables(few); k++) {
        assert_int_equal(vg_run_variable(few, k, &a), VG_OK);
        assert_int_equal(vg_run_variable(many, k, &b), VG_OK);
        assert_memory_equal(a.elements, b.elements, a.count * sizeof *a.elements);
    }
    vg_run_free(few);
    end(model, many);
}

/* A batch of the run is what --batch is, and one that an input or the data cannot have is refused. */
static void test_batch(void **state) {
    (void)state;
    vg_tensor a, b;
    vg_run *other;
    vg_model *model = load(classifier, NULL), *given = vg_model_new();
    assert_int_equal(vg_model_batch(given, 20), VG_OK);
    assert_int_equal(vg_model_load_text(given, "m.nn", classifier, sizeof classifier - 1), VG_OK);
    vg_run *run = begin(model, (vg_run_options){ .batch = 20, .steps = 3 });
    other = begin(given, (vg_run_options){ .steps = 3 });
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    assert_int_equal(vg_run_all(other, NULL), VG_OK);
    for (size_t k = 0; k < vg_run_variables(run); k++) {
        assert_int_equal(vg_run_variable(run, k, &a), VG_OK);
        assert_int_equal(vg_run_variable(other, k, &b), VG_OK);
        assert_memory_equal(a.elements, b.elements, a.count * sizeof *a.elements);
    }
    end(given, other);
    vg_run_free(run);
    assert_int_equal(vg_run_new(model, &(vg_run_options){ .batch = 321 }, &run), VG_FAILED_MODEL);
    assert_string_equal(last_code(model), "too-few-examples");
    assert_int_equal(vg_run_new(model, &(vg_run_options){ .batch = UINT64_MAX }, &run), VG_FAILED_USAGE);
    vg_model_free(model);
    model = load("input x: [4, 2]\nvar w: [2] = 0\nloss = sum(x * w)\ntrain loss { batch = 4; steps = 1 }\n", NULL);
    assert_int_equal(vg_run_new(model, &(vg_run_options){ .batch = 5 }, &run), VG_FAILED_MODEL);
    assert_string_equal(last_code(model), "input-batch");
    vg_model_free(model);
}

/* ---- threads, forks, BLAS */

static const char small[] =
    "data spirals = spirals(count = 300)\ninput x: [batch, 2] = spirals.features\ninput y: [batch] = spirals.target\n"
    "h = tanh(dense(x, 64, init = orthogonal()))\nloss = mean(cross_entropy(dense(h, 2), y))\n"
    "train loss {\n    batch = 50\n    steps = 60\n    optimizer = adam(rate = 0.01)\n}\n"
    "summary scalar loss\nsummary histogram grad(loss, vars)\n";

typedef struct trained { uint64_t seed, records; double sum; vg_status status; } trained;

static bool add_up(void *user, const vg_record *record) {
    trained *t = user;
    t->records++;
    if (record->kind == VG_RECORD_SCALAR) t->sum += record->value;
    if (record->kind == VG_RECORD_HISTOGRAM) t->sum += record->histogram->rms * 3;
    return true;
}

static void *train(void *user) {
    trained *t = user;
    vg_model *model = vg_model_new();
    vg_run *run = NULL;
    vg_tensor tensor;
    t->status = vg_model_load_text(model, "m.nn", t->seed % 2 ? small : classifier,
                                   strlen(t->seed % 2 ? small : classifier));
    if (t->status == VG_OK)
        t->status = vg_run_new(model, &(vg_run_options){ .seed = t->seed, .has_seed = true, .threads = 2, .steps = 40,
                                                         .watch = add_up, .user = t }, &run);
    if (t->status == VG_OK) t->status = vg_run_all(run, NULL);
    for (size_t k = 0; t->status == VG_OK && k < vg_run_variables(run); k++) {
        t->status = vg_run_variable(run, k, &tensor);
        for (size_t i = 0; i < tensor.count; i++) t->sum += tensor.elements[i] * (double)(i + 1);
    }
    vg_run_free(run);
    vg_model_free(model);
    return NULL;
}

/* Two models at once give the bits that they give one after the other. */
static void test_threads(void **state) {
    (void)state;
    trained alone[2] = { { .seed = 1 }, { .seed = 2 } };
    for (int k = 0; k < 2; k++) train(&alone[k]);
    for (int again = 0; again < 3; again++) {
        trained both[2] = { { .seed = 1 }, { .seed = 2 } };
        pthread_t threads[2];
        for (int k = 0; k < 2; k++) assert_int_equal(pthread_create(&threads[k], NULL, train, &both[k]), 0);
        for (int k = 0; k < 2; k++) pthread_join(threads[k], NULL);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(both[k].status, VG_OK);
            assert_true(both[k].records > 40 && both[k].records == alone[k].records);
            assert_memory_equal(&both[k].sum, &alone[k].sum, sizeof both[k].sum);
        }
    }
}

/* The thread sanitizer ends a child that starts a thread. */
#if defined __SANITIZE_THREAD__
enum { CHILDREN_HAVE_THREADS = false };
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
enum { CHILDREN_HAVE_THREADS = false };
#else
enum { CHILDREN_HAVE_THREADS = true };
#endif
#else
enum { CHILDREN_HAVE_THREADS = true };
#endif

/* A child of the parent's process frees what the parent's threads work for, and makes its own. */
static void test_fork(void **state) {
    (void)state;
    vg_model *model = load(classifier, NULL);
    vg_run *run = begin(model, (vg_run_options){ .threads = 2 });
    assert_int_equal(vg_run_step(run), VG_OK);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        vg_run_free(run);
        vg_model_free(model);
        trained own = { .seed = 1 };
        if (CHILDREN_HAVE_THREADS) train(&own);
        _exit(own.status == VG_OK ? 0 : 1);
    }
    int how = 0;
    assert_true(child > 0 && waitpid(child, &how, 0) == child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_int_equal(vg_run_step(run), VG_OK);
    end(model, run);
}

enum { SIDE = 96 };

static void host_multiplies(void) {
    static float a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE];
    for (int k = 0; k < SIDE * SIDE; k++) { a[k] = 1; b[k] = 2; }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, a, SIDE, b, SIDE, 0, c, SIDE);
    for (int k = 0; k < SIDE * SIDE; k++) assert_true(c[k] == 2 * SIDE);
    assert_int_equal(openblas_get_num_threads(), 2);
}

static _Atomic bool over;

/* While another thread of the host steps a run. */
static void *host_looks(void *user) {
    unsigned *other = user;
    while (!over) *other += openblas_get_num_threads() != 2;
    return NULL;
}

static void test_blas(void **state) {
    (void)state;
    unsigned other = 0;
    pthread_t thread;
    openblas_set_num_threads(2);
    host_multiplies();
    vg_model *model = load(small, NULL);
    vg_run *run = begin(model, (vg_run_options){ .threads = 2 });      /* by LAPACK, for what is orthogonal */
    host_multiplies();
#if defined __x86_64__
    assert_int_equal(pthread_create(&thread, NULL, host_looks, &other), 0);
    for (int k = 0; k < 200; k++) assert_int_equal(vg_run_step(run), VG_OK);
    over = true;
    pthread_join(thread, NULL);
    assert_int_equal(other, 0);
#else
    (void)thread, (void)host_looks, (void)other;
#endif
    for (int k = 0; k < 5; k++) {
        assert_int_equal(vg_run_step(run), VG_OK);
        host_multiplies();
    }
    end(model, run);
    host_multiplies();
    openblas_set_num_threads(1);
}

/* Several within at once: the last one puts back what the first one found, unless the host has set another number. */
static void test_blas_nests(void **state) {
    (void)state;
    openblas_set_num_threads(2);
    vg_blas_enter();
    vg_blas_enter();
    assert_int_equal(openblas_get_num_threads(), 1);
    vg_blas_leave();
    assert_int_equal(openblas_get_num_threads(), 1);
    vg_blas_leave();
    assert_int_equal(openblas_get_num_threads(), 2);
    vg_blas_enter();
    openblas_set_num_threads(3);
    vg_blas_leave();
    assert_int_equal(openblas_get_num_threads(), 3);
    openblas_set_num_threads(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inputs), cmocka_unit_test(test_feeds), cmocka_unit_test(test_fetches_stay),
        cmocka_unit_test(test_set_variable), cmocka_unit_test(test_inference), cmocka_unit_test(test_fetches_only),
        cmocka_unit_test(test_steady), cmocka_unit_test(test_beyond), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_fork), cmocka_unit_test(test_blas),
        cmocka_unit_test(test_blas_nests)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
