/* eval_every: the scalar summaries over the whole test split while training, of data whose every number is known. */
#include <unistd.h>

#include "api/run.h"
#include "language_fixture.h"

/* ---- two data sets with splits of their own, as the four IDX files of mnist: an example is a label and one pixel of
 * 25 / 255 times the label */

static char folder[32] = "/tmp/vgraph-XXXXXX";
static const struct { const char *name; uint8_t count[2], labels[2][6]; } sets[] = {
    { "three", { 6, 3 }, { { 0, 1, 2, 0, 1, 2 }, { 1, 2, 9 } } },
    { "two", { 6, 2 }, { { 0, 1, 2, 0, 1, 2 }, { 4, 8 } } }
};
static const char *const files[2][2] = {
    { "train-images-idx3-ubyte", "train-labels-idx1-ubyte" }, { "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" }
};
enum { SETS = sizeof sets / sizeof *sets };

static void path_of(char path[128], unsigned set, unsigned split, unsigned column) {
    snprintf(path, 128, "%s/%s/%s", folder, sets[set].name, files[split][column]);
}

static void write_column(unsigned set, unsigned split, unsigned column) {
    const uint8_t count = sets[set].count[split];
    const uint8_t header[2][16] = { { 0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, 1 },
                                    { 0, 0, 8, 1, 0, 0, 0, count } };
    char path[128];
    path_of(path, set, split, column);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(header[column], 1, column == 0 ? 16 : 8, file);
    for (uint8_t i = 0; i < count; i++) fputc(sets[set].labels[split][i] * (column == 0 ? 25 : 1), file);
    assert_int_equal(fclose(file), 0);
}

static int make_files(void **state) {
    (void)state;
    char command[80];
    if (!mkdtemp(folder)) return 1;
    snprintf(command, sizeof command, "mkdir %s/three %s/two", folder, folder);
    if (system(command) != 0) return 1;
    for (unsigned k = 0; k < 4 * SETS; k++) write_column(k / 4, k / 2 % 2, k % 2);
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---- runs */

typedef struct heard {
    char     test[1024];         /* "tag@step=value; ...": over the test split */
    double   losses[64], watched[64];
    unsigned steps, scalars;     /* of the training */
    int      stop_at;            /* -1: never */
    volatile int stop;
} heard;

static bool listen(void *user, const vg_record *record) {
    heard *all = user;
    const size_t at = strlen(all->test);
    if (record->kind == VG_RECORD_STEP && all->steps < 64) {
        if ((int)record->step == all->stop_at) all->stop = 1;
        all->losses[all->steps++] = record->value;
    }
    if (record->kind != VG_RECORD_SCALAR) assert_false(record->test);
    else if (!record->test && all->scalars < 64) all->watched[all->scalars++] = record->value;
    else if (record->test)
        snprintf(all->test + at, sizeof all->test - at, "%s%s@%u=%.6g", at ? "; " : "", record->tag,
                 (unsigned)record->step, isnan(record->value) ? fabs(record->value) : record->value);
    return true;
}

static vg_model *model_of(const char *text) {
    char name[64];
    vg_model *model = vg_model_new();
    snprintf(name, sizeof name, "%s/model.nn", folder);
    if (vg_model_load_text(model, name, text, strlen(text)) == VG_OK) return model;
    vg_model_explain(model, 0, false, to_stderr, NULL);
    vg_model_free(model);
    fail_msg("the model is wrong: %s", text);
    return NULL;
}

static vg_status run_model(vg_model *model, heard *all, bool wide) {
    const vg_run_options options = { .watch = listen, .user = all, .float64 = wide };
    vg_run *run;
    *all = (heard){ .stop_at = all->stop_at };
    vg_status status = vg_run_new(model, &options, &run);
    if (status == VG_OK) status = vg_run_all(run, &all->stop);
    vg_run_free(run);
    return status;
}

static vg_status run_text(const char *text, heard *all) {
    vg_model *model = model_of(text);
    const vg_status status = run_model(model, all, false);
    vg_model_free(model);
    return status;
}

/* ---- what is evaluated, and when */

#define THREE "data d = mnist(\"three\")\ninput x: [batch, 1, 1] = d.images\ninput y: [batch] = d.labels\n"
#define TWO   "data e = mnist(\"two\")\ninput z: [batch] = e.labels\n"
#define LOSS  "var w: [] = 0\nloss = w * mean(y)\n"
#define TRAIN(settings) "train loss { optimizer = sgd(1); " settings " }\n"

typedef struct case_row { const char *name, *model, *test; } case_row;

static const case_row cases[] = {
    /* 1, 2 | 9: the mean of the batches' means would be 5.25 */
    { "a smaller last batch counts less", THREE LOSS TRAIN("batch = 2; steps = 1; eval_every = 1")
      "summary scalar mean(y), max(y)", "mean(y)@0=4; max(y)@0=4.33333; mean(y)@1=4; max(y)@1=4.33333" },
    { "the split at once", THREE LOSS TRAIN("batch = 3; steps = 1; eval_every = 9") "summary scalar mean(y), max(y)",
      "mean(y)@0=4; max(y)@0=9; mean(y)@1=4; max(y)@1=9" },
    { "one by one", THREE LOSS TRAIN("batch = 1; steps = 1; eval_every = 9") "summary scalar mean(y), y[0]",
      "mean(y)@0=4; y[0]@0=4; mean(y)@1=4; y[0]@1=4" },
    { "a split smaller than the batch", THREE LOSS TRAIN("batch = 6; steps = 1; eval_every = 9")
      "summary scalar mean(y), sum(y ^ 0)", "mean(y)@0=4; sum(y ^ 0)@0=3; mean(y)@1=4; sum(y ^ 0)@1=3" },
    { "inputs of one data set see the same examples", THREE LOSS TRAIN("batch = 2; steps = 1; eval_every = 9")
      "summary scalar sum(abs(x[:, 0, 0] * 10.2 - y)) < 1e-5 as \"same\"", "same@0=1; same@1=1" },
    { "another data set begins again: 4, 8 | 4", THREE TWO LOSS TRAIN("batch = 2; steps = 1; eval_every = 9")
      "summary scalar mean(z), mean(y)", "mean(z)@0=5.33333; mean(y)@0=4; mean(z)@1=5.33333; mean(y)@1=4" },
    { "... within a batch: 4, 8, 4", THREE TWO LOSS TRAIN("batch = 5; steps = 1; eval_every = 9")
      "summary scalar mean(z), sum(z)", "mean(z)@0=5.33333; sum(z)@0=16; mean(z)@1=5.33333; sum(z)@1=16" },
    { "the first input's decides", TWO THREE LOSS TRAIN("batch = 2; steps = 1; eval_every = 9")
      "summary scalar mean(z), mean(y)", "mean(z)@0=6; mean(y)@0=1.5; mean(z)@1=6; mean(y)@1=1.5" },
    { "every N steps before the update, and behind the last", "state n: [] = 0\nupdate n = n + 1\n" THREE LOSS
      TRAIN("batch = 2; steps = 5; eval_every = 2") "summary scalar n", "n@0=0; n@2=2; n@4=4; n@5=5" },
    { "the end is not told twice", "state n: [] = 0\nupdate n = n + 1\n" THREE LOSS
      TRAIN("batch = 2; steps = 4; eval_every = 2") "summary scalar n, step", "n@0=0; step@0=0; n@2=2; step@2=2; "
      "n@4=4; step@4=4" },
    { "whatever the summary's own every", THREE LOSS TRAIN("batch = 2; steps = 2; eval_every = 1")
      "summary scalar mean(y) every 2", "mean(y)@0=4; mean(y)@1=4; mean(y)@2=4" },
    { "what was trained is used", THREE LOSS TRAIN("batch = 6; steps = 1; eval_every = 9") "summary scalar w, loss",
      "w@0=0; loss@0=0; w@1=-1; loss@1=-4" },
    { "training is false", THREE LOSS TRAIN("batch = 2; steps = 1; eval_every = 9")
      "a = if training then 1 else 2\nb = mean(dropout(ones([batch]), 0.5))\nsummary scalar a, b",
      "a@0=2; b@0=1; a@1=2; b@1=1" },
    { "what training averages, evaluation uses", "state m: [] = 0\n" THREE
      "if training { u = mean(y); update m = u } else { u = m * 1 }\nvar w: [] = 0\nloss = w * u\n"
      TRAIN("batch = 6; steps = 1; eval_every = 9") "summary scalar u", "u@0=0; u@1=1" },
    { "gradients and histograms are left out", THREE LOSS TRAIN("batch = 2; steps = 1; eval_every = 9")
      "summary scalar grad(loss, w), mean(y), w + grad(loss, w)\nsummary histogram y",
      "mean(y)@0=4; mean(y)@1=4" },
    { "members of a selection", THREE "var w: [] = 1\nvar v: [] = 2\nloss = w * v * mean(y)\n"
      TRAIN("batch = 6; steps = 1; eval_every = 9") "summary scalar vars / 2", "vars / 2/w@0=0.5; vars / 2/v@0=1; "
      "vars / 2/w@1=-0.5; vars / 2/v@1=0.5" },
    { "without data, one batch", "var w: [] = 0\nloss = w * 2\n" TRAIN("steps = 3; eval_every = 2")
      "summary scalar w", "w@0=0; w@2=-4; w@3=-6" },
    { "what is not a number is recorded", THREE LOSS TRAIN("batch = 2; steps = 1; eval_every = 9")
      "l = log(0 - mean(y))\ni = mean(1 / (9 - y))\nsummary scalar l, i", "l@0=nan; i@0=inf; l@1=nan; i@1=inf" },
    { "no evaluation", THREE LOSS TRAIN("batch = 2; steps = 2") "summary scalar mean(y)", "" },
};

static void test_cases(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t k = 0; k < 2 * sizeof cases / sizeof *cases; k++) {
        const case_row *row = &cases[k / 2];
        heard all = { .stop_at = -1 };
        vg_model *model = model_of(row->model);
        const vg_status status = run_model(model, &all, k % 2);
        if (status != VG_OK || strcmp(all.test, row->test) != 0) {
            print_error("%s (status %d):\n    want %s\n    have %s\n", row->name, status, row->test, all.test);
            vg_model_explain(model, 0, false, to_stderr, NULL);
            wrong++;
        }
        vg_model_free(model);
    }
    assert_int_equal(wrong, 0);
}

/* Inputs that are fed are used as they are. */
static void test_fed(void **state) {
    (void)state;
    vg_model *model = model_of("input x: [batch]\nvar w: [] = 0\nloss = w * mean(x)\n"
                               TRAIN("batch = 2; steps = 1; eval_every = 9") "summary scalar mean(x), w");
    heard all = { .stop_at = -1 };
    const vg_run_options options = { .watch = listen, .user = &all };
    vg_run *run;
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    assert_int_equal(vg_run_feed(run, "x", (const double[]){ 3, 5 }, 2), VG_OK);
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    assert_string_equal(all.test, "mean(x)@0=4; w@0=0; mean(x)@1=4; w@1=-4");
    vg_run_free(run);
    vg_model_free(model);
}

/* ---- draws */

/* Batch k's own draw, whatever the batches' sizes are: r is weighted as their examples are. */
static void test_draws(void **state) {
    (void)state;
    static const char model[] = THREE LOSS "r = sample(uniform(0, 1), [])\n"
                                TRAIN("batch = %d; steps = 2; eval_every = 1") "summary scalar r";
    double means[4] = { 0 };
    for (int batch = 1; batch <= 3; batch++) {
        char text[512];
        float value[3];
        heard all = { .stop_at = -1 };
        snprintf(text, sizeof text, model, batch);
        assert_int_equal(run_text(text, &all), VG_OK);
        assert_int_equal(sscanf(all.test, "r@0=%f; r@1=%f; r@2=%f", &value[0], &value[1], &value[2]), 3);
        assert_true(value[0] == value[1] && value[1] == value[2]);      /* the batch's number keys, and not the step */
        assert_true(all.watched[0] != all.watched[1]);
        means[batch] = value[0];
    }
    const double first = means[3], second = 3 * means[2] - 2 * first, third = 3 * means[1] - first - second;
    assert_true(first > 0 && second > 0 && third > 0 && first < 1 && second < 1 && third < 1);
    assert_true(fabs(first - second) > 1e-3 && fabs(second - third) > 1e-3 && fabs(first - third) > 1e-3);
}

/* Training is the same bit for bit, with evaluations or without. */
static void test_training_unchanged(void **state) {
    (void)state;
    static const char model[] =
        "data d = moons(count = 100)\ninput x: [batch, 2] = d.features\ninput y: [batch] = d.target\n"
        "h = dropout(dense(x + sample(normal(0, 0.1), shape(x)), 8, relu), 0.3)\n"
        "loss = mean(cross_entropy(dense(h, 2), y))\n"
        "train loss { optimizer = sgd(0.5, momentum = 0.9); batch = 16; steps = 30%s }\nsummary scalar rms(h), loss\n";
    char without[1024], with[1024];
    heard quiet = { .stop_at = -1 }, evaluated = quiet;
    snprintf(without, sizeof without, model, "");
    snprintf(with, sizeof with, model, "; eval_every = 3");
    assert_int_equal(run_text(without, &quiet), VG_OK);
    assert_int_equal(run_text(with, &evaluated), VG_OK);
    assert_true(*quiet.test == '\0' && *evaluated.test);
    assert_true(quiet.steps == 30 && evaluated.steps == 30 && quiet.scalars == 60 && evaluated.scalars == 60);
    assert_memory_equal(quiet.losses, evaluated.losses, sizeof quiet.losses);
    assert_memory_equal(quiet.watched, evaluated.watched, sizeof quiet.watched);
    assert_true(quiet.losses[0] != quiet.losses[29]);
}

/* ---- how runs end */

static void test_endings(void **state) {
    (void)state;
    heard all = { .stop_at = 1 };
    static const char counts[] = "state n: [] = 0\nupdate n = n + 1\nvar w: [] = 1\nloss = w * 1e20\n"
                                 "train loss { optimizer = sgd(%s); steps = 5; eval_every = 9 }\nsummary scalar n\n";
    char text[256];
    snprintf(text, sizeof text, counts, "1e-9");
    assert_int_equal(run_text(text, &all), VG_INTERRUPTED);
    assert_string_equal(all.test, "n@0=0");
    all.stop_at = -1;
    snprintf(text, sizeof text, counts, "1e9");
    assert_int_equal(run_text(text, &all), VG_FAILED_NUMBERS);
    assert_string_equal(all.test, "n@0=0");
}

/* The label 9 of the test split's third example, the first of its batch. */
static void test_label(void **state) {
    (void)state;
    heard all = { .stop_at = -1 };
    vg_diagnostic d = { .code = "" };
    vg_model *model = model_of(THREE "loss = mean(cross_entropy(dense(flatten(x, 1), 3), y))\n"
                               TRAIN("batch = 2; steps = 3; eval_every = 2") "summary scalar loss");
    assert_int_equal(run_model(model, &all, false), VG_FAILED_RESOURCE);
    assert_int_equal(vg_model_diagnostics(model), 1);
    vg_model_diagnostic(model, 0, &d);
    assert_string_equal(d.message, "label 9 of example 0 is out of range: there are the classes 0..2");
    assert_true(all.steps == 0 && *all.test == '\0');
    vg_model_free(model);
}

static void test_nothing_to_evaluate(void **state) {
    (void)state;
    heard all = { .stop_at = -1 };
    vg_diagnostic d = { .code = "" };
    vg_model *model = model_of(THREE LOSS TRAIN("batch = 2; steps = 2; eval_every = 1") "summary scalar grad(loss, w)");
    assert_int_equal(run_model(model, &all, false), VG_FAILED_MODEL);
    vg_model_diagnostic(model, 0, &d);
    assert_string_equal(d.code, "nothing-to-evaluate");
    vg_model_free(model);
}

/* Whichever allocation fails, and when an evaluation alone is too large. */
static void test_memory(void **state) {
    (void)state;
    heard all = { .stop_at = -1 };
    vg_model *model = model_of(THREE LOSS TRAIN("batch = 2; steps = 2; eval_every = 1") "summary scalar mean(y)");
    vg_run *run = NULL;
    vg_status status = VG_FAILED_RESOURCE;
    const vg_run_options options = { .watch = listen, .user = &all };
    for (uint64_t call = 1; status != VG_OK; call++) {
        model->mem.calls = 0;
        model->mem.fail_at = call;
        status = vg_run_new(model, &options, &run);
        assert_true(status == VG_OK || (status == VG_FAILED_RESOURCE && run == NULL));
        assert_true(call < 100000);
    }
    model->mem.fail_at = run->mem.fail_at = 0;
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    vg_run_free(run);
    vg_model_free(model);

    vg_diagnostic d = { .message = "" };
    model = model_of("x = sample(normal(0, 1), if training then [2] else [450000, 450000])\nvar w: [] = 0\n"
                     "loss = w * 2\n" TRAIN("steps = 1; eval_every = 1") "summary scalar max(x)\n");
    assert_int_equal(vg_run_new(model, &options, &run), VG_FAILED_RESOURCE);
    vg_model_diagnostic(model, 0, &d);
    assert_string_equal(d.message, "the model needs 810.0 GB of memory or more, which cannot be had here: the largest "
                                   "part is a value of shape [450000, 450000], 810.0 GB");
    assert_int_equal(vg_run_new(model, NULL, &run), VG_OK);      /* nobody watches: nothing is evaluated */
    vg_run_free(run);
    vg_model_free(model);
}

/* ---- models that cannot be evaluated (more: golden/errors/eval_*.nn) */

static const vg_row mistakes[] = {
    { "no test split", "data d = moons(count = 50, test = 0)\ninput x: [batch, 2] = d.features\nvar w: [] = 0\n"
      "loss = w * mean(x)\ntrain loss { eval_every = 1 }", .error = "no-test-split" },
    { "no test split, and no evaluation", "data d = moons(count = 50, test = 0)\ninput x: [batch, 2] = d.features\n"
      "var w: [] = 0\nloss = w * mean(x)\ntrain loss { }", .wants = { { "loss", "0" } } },
    { "never", "var w: [] = 0\nloss = w * 1\ntrain loss { eval_every = 0 }", .error = "setting-range" },
    { "a fixed batch with a rest", "data d = moons(count = 50)\ninput x: [4, 2] = d.features\nvar w: [] = 0\n"
      "loss = w * mean(x)\ntrain loss { batch = 4; eval_every = 1 }", .error = "eval-batch" },
    { "a fixed batch without one", "data d = moons(count = 50)\ninput x: [5, 2] = d.features\nvar w: [] = 0\n"
      "loss = w * mean(x)\ntrain loss { batch = 5; eval_every = 1 }", .wants = { { "loss", "0" } } },
    { "by --set", "var w: [] = 0\nloss = w * 1\ntrain loss { }", .set = { "train.eval_every=0.5" },
      .error = "not-whole" },
};

static void test_mistakes(void **state) { (void)state; CHECK_ROWS(mistakes); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases), cmocka_unit_test(test_fed), cmocka_unit_test(test_draws),
        cmocka_unit_test(test_training_unchanged), cmocka_unit_test(test_endings), cmocka_unit_test(test_label), cmocka_unit_test(test_nothing_to_evaluate),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
