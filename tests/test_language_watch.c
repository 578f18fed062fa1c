/* The language: what summaries and expects say, and when. */
#include "language_fixture.h"

typedef struct watch_row {
    const char *name, *model;
    unsigned    steps;
    const char *records;        /* "tag@step=value", "tag@step:count", "text@step failed", "text: failures" */
    bool        evaluation;
} watch_row;

#define COUNT "state n: [] = 0\nupdate n = n + 1\n"
#define LOSS "var w: [2] = 0\nloss = sum((w - [1, 2]) ^ 2) / 2\n"
static const watch_row rows[] = {
    { "every step", COUNT "summary scalar n", 3, "n@0=0; n@1=1; n@2=2", false },
    { "every three, and the last one", COUNT "summary scalar n every 3", 8, "n@0=0; n@3=3; n@6=6; n@7=7", false },
    { "the last one once", COUNT "const k = 1\nsummary scalar n every 2 * k + 1", 7, "n@0=0; n@3=3; n@6=6", false },
    { "before the update", LOSS "train loss { optimizer = sgd(0.5) }\nsummary scalar loss, sum(w)", 2,
      "loss@0=2.5; sum(w)@0=0; loss@1=0.625; sum(w)@1=1.5", false },
    { "a gradient", LOSS "train loss { }\nsummary scalar norm(grad(loss, w)) every 9\n"
      "summary histogram grad(loss, w) every 9", 1,
      "norm(grad(loss, w))@0=2.23607; grad(loss)/w@0:2", false },
    { "a number, an integer", "summary scalar 3, 1 + 1, argmax([1, 5])", 1, "3@0=3; 1 + 1@0=2; argmax([1, 5])@0=1",
      false },
    { "elements of all kinds are counted", "x = zeros([5]) + [0, 1, 2, -1, 0]\nsummary histogram x, x / 0, x[1:3]", 1,
      "x@0:5; x / 0@0:5; x[1:3]@0:2", false },
    { "a condition that holds", COUNT "expect n >= 0", 2, "n >= 0: 0", false },
    { "the first failure as it happens, the count at the end", COUNT "expect n < 2, \"too far\"", 5,
      "n < 2@2 failed; n < 2: 3", false },
    { "every element", COUNT "expect [0, 1, 2] * 1.5 + n < 4.5", 3,
      "[0, 1, 2] * 1.5 + n < 4.5@2 failed; [0, 1, 2] * 1.5 + n < 4.5: 1", false },
    { "every member", "var a: [] = 1\nvar b: [] = -1\nexpect vars > 0", 1,
      "vars > 0/b@0 failed; vars > 0/a: 0; vars > 0/b: 1", false },
    { "now and then", COUNT "expect n < 1 every 2", 4, "n < 1@2 failed; n < 1: 1", false },
    { "of the seen batch", LOSS "train loss { optimizer = sgd(1) }\nexpect loss > 0", 2,
      "loss > 0@1 failed; loss > 0: 1", false },
    { "compile-time conditions", "expect 1 < 2\nexpect not true", 1, "not true@0 failed; 1 < 2: 0; not true: 1",
      false },
    { "in a layer, of its call", "layer see(x) {\nexpect y > 1\ny = x * 2\nreturn y\n}\na = see(ones([]))\n"
      "b = see(zeros([]))", 1, "y > 1@0 failed; y > 1: 0; y > 1: 1", false },
    { "evaluation has scalars without gradients",
      LOSS "train loss { }\nsummary scalar loss, norm(grad(loss, w))\nsummary histogram w", 1,
      "loss@0=2.5", true },
};
#undef COUNT
#undef LOSS

typedef struct said { char text[2048]; } said;

static bool listen(void *user, const vg_record *record) {
    said *all = user;
    char line[256] = "";
    const unsigned step = (unsigned)record->step;
    if (record->kind == VG_RECORD_SCALAR) {
        snprintf(line, sizeof line, "%s@%u=%.6g", record->tag, step, record->value);
    } else if (record->kind == VG_RECORD_HISTOGRAM) {
        snprintf(line, sizeof line, "%s@%u:%u", record->tag, step, (unsigned)record->histogram->count);
    } else if (record->kind == VG_RECORD_EXPECT && record->last) {
        snprintf(line, sizeof line, "%s: %u", record->tag, (unsigned)record->failures);
    } else if (record->kind == VG_RECORD_EXPECT) {
        snprintf(line, sizeof line, "%s@%u failed", record->tag, step);
    }
    const size_t at = strlen(all->text);
    if (*line) snprintf(all->text + at, sizeof all->text - at, "%s%s", at ? "; " : "", line);
    return true;
}

static unsigned check_watch(const watch_row *row) {
    said have = { "" };
    vg_run *run = NULL;
    vg_model *model = vg_model_new();
    vg_model_steps(model, row->steps);
    vg_status status = vg_model_load_text(model, "model.nn", row->model, strlen(row->model));
    const vg_run_options options = { .watch = listen, .user = &have, .evaluation = row->evaluation };
    if (status == VG_OK) status = vg_run_new(model, &options, &run);
    if (status == VG_OK) status = vg_run_all(run, NULL);
    const bool ran = status == VG_OK || status == VG_FAILED_EXPECT;
    if (!ran) vg_model_explain(model, 0, false, to_stderr, NULL);
    if (run) vg_run_free(run);
    vg_model_free(model);
    if (ran && strcmp(have.text, row->records) == 0) return 0;
    print_error("%s:\n    want %s\n    have %s\n", row->name, row->records, have.text);
    return 1;
}

static void test_records(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) wrong += check_watch(&rows[k]);
    assert_int_equal(wrong, 0);
}

static const vg_row mistakes[] = {
    { "a kind there is not", "summary picture 1", .error = "summary-kind" },
    { "a scalar of several elements", "summary scalar ones([2])", .error = "summary-not-scalar" },
    { "a tag twice", "a = ones([])\nsummary scalar a\nsummary scalar a", .error = "tag-twice" },
    { "a tag twice by a name", "a = ones([])\nb = a + 1\nsummary scalar a as \"b\"\nsummary scalar b",
      .error = "tag-twice" },
    { "never", "summary scalar 1 every 0", .error = "setting-range" },
    { "every other what", "summary scalar 1 every 1.5", .error = "not-whole" },
    { "what is no tensor", "expect relu", .error = "not-tensor" },
};

static void test_mistakes(void **state) { (void)state; CHECK_ROWS(mistakes); }

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_records), cmocka_unit_test(test_mistakes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
