/* summary image: which pictures of a tensor are recorded, and as which bytes. */
#include "api/run.h"
#include "language_fixture.h"

typedef struct seen { char text[2048]; unsigned count; } seen;

/* "tag@step 2x[1, 2, 1] -1..3: 0 255 ...": count, height, width, channels, range, bytes */
static bool listen(void *user, const vg_record *record) {
    seen *all = user;
    const vg_image *image = record->image;
    const size_t size = sizeof all->text;
    size_t at = strlen(all->text);
    assert_int_equal(image != NULL, record->kind == VG_RECORD_IMAGE);
    if (!image) return true;
    all->count++;
    at += (size_t)snprintf(all->text + at, size - at, "%s%s@%u %ux[%u, %u, %u] %.6g..%.6g:", at ? "; " : "",
                           record->tag, (unsigned)record->step, image->count, image->height, image->width,
                           image->channels, image->min, image->max);
    const size_t bytes = (size_t)image->count * image->height * image->width * image->channels;
    for (size_t k = 0; k < bytes && at < size; k++)
        at += (size_t)snprintf(all->text + at, size - at, " %u", image->pixels[k]);
    return true;
}

typedef struct image_row {
    const char *name, *model;
    unsigned    steps;
    const char *records;
    bool        evaluation;
} image_row;

static const image_row rows[] = {
    { "scaled from the smallest to the largest", "a = 1 * [[[0, 1], [2, 4]]]\nsummary image a", 1,
      "a@0 1x[2, 2, 1] 0..4: 0 64 128 255", false },
    { "all of a record together", "a = 1.0 * [[[-1, 0]], [[1, 3]]]\nsummary image a", 1,
      "a@0 2x[1, 2, 1] -1..3: 0 64 128 255", false },
    { "one channel", "a = reshape(arange(4), [2, 1, 1, 2])\nsummary image a", 1,
      "a@0 2x[1, 2, 1] 0..3: 0 85 170 255", false },
    { "three channels, of a pixel side by side", "a = reshape(arange(12), [2, 3, 1, 2]) / 11\nsummary image a", 1,
      "a@0 2x[1, 2, 3] 0..1: 0 46 93 23 70 116 139 185 232 162 209 255", false },
    { "the first eight", "a = reshape(arange(20), [10, 1, 2])\nsummary image a", 1,
      "a@0 8x[1, 2, 1] 0..15: 0 17 34 51 68 85 102 119 136 153 170 187 204 221 238 255", false },
    { "one number is grey", "a = 7 * ones([2, 1, 1])\nsummary image a", 1, "a@0 2x[1, 1, 1] 7..7: 128 128", false },
    { "what is not finite", "a = [[[1, 3, 2]]] * [[[1, 1, 1]]]\n"
      "b = concat([a, a / 0, 0 - a / 0, (a - a) / 0], axis = 2)\nsummary image b", 1,
      "b@0 1x[1, 12, 1] 1..3: 0 255 128 255 255 255 0 0 0 0 0 0", false },
    { "nothing is finite", "a = log(0 - ones([1, 1, 2]))\nsummary image a, 0 - log(zeros([1, 1, 1]))", 1,
      "a@0 1x[1, 2, 1] 0..0: 0 0; 0 - log(zeros([1, 1, 1]))@0 1x[1, 1, 1] 0..0: 255", false },
    { "no pixels, no record", "summary image zeros([0, 2, 2]), zeros([2, 0, 2])", 1, "", false },
    { "now and then, and at the end", "state n: [1, 1, 2] = [[[0, 1]]]\nupdate n = n + 1\nsummary image n every 2", 4,
      "n@0 1x[1, 2, 1] 0..1: 0 255; n@2 1x[1, 2, 1] 2..3: 0 255; n@3 1x[1, 2, 1] 3..4: 0 255", false },
    { "members of a selection, a tag", "h[1] = zeros([1, 1, 1])\nh[2] = ones([1, 1, 1])\n"
      "summary image h[*] as \"t\"", 1, "t/h[1]@0 1x[1, 1, 1] 0..0: 128; t/h[2]@0 1x[1, 1, 1] 1..1: 128", false },
    { "a gradient", "var w: [1, 1, 2] = [[[1, 3]]]\nsummary image grad(sum(w ^ 2), w)", 1,
      "grad(sum(w ^ 2))/w@0 1x[1, 2, 1] 2..6: 0 255", false },
    { "evaluation has none", "summary image ones([1, 1, 1])", 1, "", true },
};

static void test_rows(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t k = 0; k < 2 * sizeof rows / sizeof *rows; k++) {
        const image_row *row = &rows[k / 2];
        seen all = { .count = 0 };
        vg_run *run = NULL;
        vg_model *model = vg_model_new();
        vg_model_steps(model, row->steps);
        vg_status status = vg_model_load_text(model, "model.nn", row->model, strlen(row->model));
        const vg_run_options options = { .watch = listen, .user = &all, .evaluation = row->evaluation,
                                         .float64 = k % 2 };
        if (status == VG_OK) status = vg_run_new(model, &options, &run);
        if (status == VG_OK) status = vg_run_all(run, NULL);
        if (status != VG_OK || strcmp(all.text, row->records) != 0) {
            print_error("%s:\n    want %s\n    have %s\n", row->name, row->records, all.text);
            vg_model_explain(model, 0, false, to_stderr, NULL);
            wrong++;
        }
        vg_run_free(run);
        vg_model_free(model);
    }
    assert_int_equal(wrong, 0);
}

static vg_model *model_of(const char *text) {
    vg_model *model = vg_model_new();
    assert_int_equal(vg_model_load_text(model, "model.nn", text, strlen(text)), VG_OK);
    return model;
}

/* The differences of doubles may be as large as no double is, or as small as the smallest. */
static void test_ranges(void **state) {
    (void)state;
    seen all = { .count = 0 };
    vg_run *run;
    vg_model *model = model_of("a = [[[-1.7e308, 0, 1.7e308]]] * ones([1, 1, 3])\n"
                               "b = [[[0, 5e-324]]] * ones([1, 1, 2])\nsummary image a, b");
    const vg_run_options options = { .watch = listen, .user = &all, .float64 = true };
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    assert_string_equal(all.text, "a@0 1x[1, 3, 1] -1.7e+308..1.7e+308: 0 128 255; "
                                  "b@0 1x[1, 2, 1] 0..4.94066e-324: 0 255");
    vg_run_free(run);
    vg_model_free(model);
}

/* What a batch stands for is known when the run is made: the record's memory, too. No step allocates. */
static void test_memory(void **state) {
    (void)state;
    seen all = { .count = 0 };
    vg_run *run;
    vg_model *model = model_of("data d = digits(count = 40)\ninput x: [batch, 784] = d.images\nvar w: [] = 1\n"
                               "loss = w * mean(x)\ntrain loss { batch = 5; steps = 6 }\n"
                               "summary image reshape(x, [batch, 28, 28]) every 2");
    const vg_run_options options = { .watch = listen, .user = &all };
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    const uint64_t calls = run->mem.calls, model_calls = model->mem.calls;
    assert_int_equal(vg_run_all(run, NULL), VG_OK);
    assert_true(run->mem.calls == calls && model->mem.calls == model_calls);
    assert_int_equal(all.count, 4);      /* steps 0, 2, 4, 5 */
    assert_non_null(strstr(all.text, "reshape(x, [batch, 28, 28])@0 5x[28, 28, 1] 0.."));
    vg_run_free(run);
    vg_model_free(model);
}

static void test_too_large(void **state) {
    (void)state;
    vg_run *run;
    vg_diagnostic d = { .message = "" };
    vg_model *model = model_of("a = zeros([1, 2, 16385])\nsummary scalar mean(a)\nsummary image a");
    assert_int_equal(vg_run_new(model, NULL, &run), VG_FAILED_MODEL);
    assert_int_equal(vg_model_diagnostics(model), 1);
    vg_model_diagnostic(model, 0, &d);
    assert_string_equal(d.message, "an image of 16385 by 2 pixels is too large to be recorded: 16384 a side is the "
                                   "limit");
    assert_int_equal(d.line, 3);
    vg_model_free(model);
}

static const vg_row mistakes[] = {
    { "a matrix", "summary image ones([2, 2])", .error = "summary-not-image" },
    { "five axes", "summary image ones([1, 1, 1, 2, 2])", .error = "summary-not-image" },
    { "two channels", "summary image ones([1, 2, 2, 2])", .error = "summary-not-image" },
    { "as many channels as examples", "input x: [batch, 4]\nsummary image reshape(x, [1, batch, 2, 2])",
      .error = "summary-not-image" },
    { "a tag twice", "a = ones([1, 2, 2])\nsummary image a\nsummary image a", .error = "tag-twice" },
};

static void test_mistakes(void **state) { (void)state; CHECK_ROWS(mistakes); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_ranges), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
