/* The language: what stands outside of the text. `use` with consts, --set, --data, --batch, --steps, --seed, feeds. */
#include "language_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static const vg_row sets[] = {
    { "a const", "const n = 2\na = n * 10", .set = { "n=3" }, .wants = { { "a", "30" } } },
    { "consts that use it follow", "const n = 2\nconst m = n + 1\na = m", .set = { "n=5" }, .wants = { { "a", "6" } } },
    { "the same expression syntax", "const act = sigmoid\nconst init = normal(0, 1)\nvar W: [2] ~ init\n"
      "a = act(-3)", .set = { "act=relu", "init=uniform(5, 5)" }, .wants = { { "a", "0" }, { "W", "[2] 5 5" } } },
    { "names above it are known", "const a = 4\nconst b = 1\nc = b", .set = { "b=a * 2" }, .wants = { { "c", "8" } } },
    { "the order does not matter", "const a = 1\nconst b = a\nc = b", .set = { "b=a + 1", "a=10" },
      .wants = { { "c", "11" } } },
    { "a list and a string", "const l = [1]\nconst s = \"x\"\na = total(l)\nb = s == \"y\"",
      .set = { "l=[1, 2, 3]", "s=\"y\"" }, .wants = { { "a", "6" }, { "b", "int 1" } } },
    { "a setting", "var w: [] = 0\nloss = (w - 1) ^ 2 / 2\ntrain loss { steps = 5 }",
      .set = { "train.steps=7", "train.optimizer=sgd(0.5)" }, .steps = 2,
      .wants = { { "w", "0.5" }, { "steps", "7" } } },
    { "a setting that the block does not have", "var w: [] = 0\nloss = (w - 1) ^ 2 / 2\ntrain loss { }",
      .set = { "train.clip_value=0.1", "train.optimizer=sgd(1)" }, .steps = 2, .wants = { { "w", "0.1" } } },
    { "epochs in the place of steps", "data p = xor(count = 100, test = 0)\ninput x: [batch, 2] = p.features\n"
      "var w: [] = 0\nloss = mean(x) * w\ntrain loss { steps = 5 }", .set = { "train.epochs=3" },
      .wants = { { "steps", "9" } } },
    { "steps in the place of epochs", "data p = xor(count = 100, test = 0)\ninput x: [batch, 2] = p.features\n"
      "var w: [] = 0\nloss = mean(x) * w\ntrain loss { epochs = 5 }", .set = { "train.steps=3" },
      .wants = { { "steps", "3" } } },
    { "what is no const", "n = 2", .set = { "n=3" }, .error = "unused-set" },
    { "what is not there", "const depth = 2", .set = { "dept=3" }, .error = "unused-set" },
    { "an unknown setting", "var w: [] = 0\ntrain w { }", .set = { "train.rate=3" }, .error = "unused-set" },
    { "a tensor", "const n = 2", .set = { "n=ones([2])" }, .error = "const-tensor" },
    { "another source", "data p = xor(100)\ninput x: [batch, 2] = p.features",
      .data = { "p=moons(count = 50, test = 0)" }, .wants = { { "p.count", "50" } } },
    { "a source that nothing uses", "data p = xor(100)", .data = { "q=xor(50)" }, .error = "unused-data" },
};

static const vg_row data[] = {
    { "columns, classes, count", "data p = spirals(count = 200)\ninput x: [batch, 2] = p.features\n"
      "input y: [batch] = p.target\nl = cross_entropy(ones([batch, p.classes]) * 1, y)",
      .wants = { { "p.count", "160" }, { "shape(x)", "int [2] 32 2" }, { "shape(l)", "int [1] 32" },
        { "max(y) < p.classes", "int 1" } } },
    { "an integer column is integer anyway", "data p = xor(100)\ninput y: [batch] = p.target\n"
      "input z: int[batch] = p.target", .wants = { { "sum(y) - sum(z)", "int 0" } } },
    { "int of floats", "data p = xor(100)\ninput x: int[batch, 2] = p.features", .error = "input-integer" },
    { "inputs of one data set see the same examples", "data p = xor(100)\ninput x: [batch, 2] = p.features\n"
      "input z: [batch, 2] = p.features", .steps = 5, .wants = { { "sum(abs(x - z))", "0" } } },
    { "a share for the tests", "data p = xor(count = 100, test = 0.5)\ndata q = xor(100, 0.1)",
      .wants = { { "p.count", "50" }, { "q.count", "80" } } },
    { "a share that is none", "data p = xor(count = 100, test = 1)", .error = "data-test-share" },
    { "an argument it does not have", "data p = xor(cont = 100)", .error = "unknown-argument" },
    { "no source", "data p = ones([2])", .error = "unknown-source" },
    { "a column it does not have", "data p = xor(100)\ninput x: [batch, 2] = p.feature", .error = "no-column" },
    { "chosen by a const", "const big = true\ndata p = if big then xor(200) else xor(100)",
      .wants = { { "p.count", "160" } } },
    { "digits", "data d = digits(count = 100, seed = 2)\ninput x: [batch, 784] = d.images\n"
      "input y: [batch] = d.labels",
      .wants = { { "d.classes", "10" }, { "min(x) >= 0 and max(x) <= 1 and max(x) > 0.5", "int 1" },
        { "max(y) <= 9", "int 1" } } },
    { "an input is not a column's name", "data p = xor(100)\ninput x: [batch, 2] = p", .error = "input-not-column" },
    { "an input's shape", "input x: batch", .error = "input-shape-form" },
};

/* ---- use */

static char folder[64];

static void write_file(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

typedef struct used_row { const char *name, *model, *expression, *value, *error, *set; } used_row;
static const used_row used[] = {
    { "that file's statements here", "use \"net.nn\"\nh = wide(ones([1, 2]))", "h", "[1, 2] 6 6", NULL, NULL },
    { "its names", "use \"net.nn\"\na = depth * 100", "a", "300", NULL, NULL },
    { "its consts set", "use \"net.nn\" (depth = 8)\na = twice_depth", "a", "16", NULL, NULL },
    { "--set comes first", "use \"net.nn\" (depth = 8)\na = twice_depth", "a", "10", NULL, "depth=5" },
    { "by an expression", "const n = 2\nuse \"net.nn\" (depth = n + 2)\na = twice_depth", "a", "8", NULL, NULL },
    { "once", "use \"net.nn\"\nuse \"net.nn\"\na = depth", "a", "3", NULL, NULL },
    { "relative to that file", "use \"parts/more.nn\"\na = more + depth", "a", "10", NULL, NULL },
    { "the same file by two ways", "use \"parts/more.nn\"\nuse \"net.nn\"\na = more + depth", "a", "10", NULL, NULL },
    { "its definitions see its names", "use \"net.nn\"\na = deep(1)", "a", "4", NULL, NULL },
    { "a name bound in both", "depth = 1\nuse \"net.nn\"", NULL, NULL, "bound-twice", NULL },
    { "a const it does not have", "use \"net.nn\" (width = 3)", NULL, NULL, "use-unknown-const", NULL },
    { "consts of one used already", "use \"net.nn\"\nuse \"net.nn\" (depth = 4)", NULL, NULL, "use-twice", NULL },
    { "a file that is not there", "use \"nowhere.nn\"\nh = wide(depth)", NULL, NULL, "file-failed", NULL },
    { "a file that uses itself", "use \"loop.nn\"\na = 1", "a", "1", NULL, NULL },
    { "a file that does not parse", "use \"broken.nn\"\nb = q + 1", NULL, NULL, "unclosed-bracket", NULL },
    { "the model file itself", "use \"model.nn\"\na = 1", "a", "1", NULL, NULL },
    { "a file with a mistake", "use \"wrong.nn\"", NULL, NULL, "unknown-name", NULL },
    { "an argument without a name", "use \"net.nn\" (3)", NULL, NULL, "use-argument", NULL },
};

static unsigned check_used(const used_row *row) {
    char path[128];
    uint32_t index;
    vg_run *run = NULL;
    vg_tensor tensor = { 0 };
    vg_diagnostic first = { .code = "" };
    snprintf(path, sizeof path, "%s/model.nn", folder);
    vg_model *model = vg_model_new();
    if (row->expression) vg_model_fetch(model, row->expression, &index);
    if (row->set) vg_model_set(model, "depth", strchr(row->set, '=') + 1);
    vg_status status = vg_model_load_text(model, path, row->model, strlen(row->model));
    bool fine;
    if (row->error) {
        fine = vg_model_diagnostics(model) == 1 && vg_model_diagnostic(model, 0, &first);
        fine = fine && strcmp(first.code, row->error) == 0;
    } else {
        if (status == VG_OK) status = vg_run_new(model, NULL, &run);
        if (status == VG_OK) status = vg_run_step(run);
        fine = status == VG_OK && vg_run_fetch(run, 0, &tensor) == VG_OK && value_fits(&tensor, row->value, 1e-6);
    }
    if (!fine) {
        print_error("%s: want %s%s\n", row->name, row->error ? row->error : "", row->value ? row->value : "");
        vg_model_explain(model, 0, false, to_stderr, NULL);
        if (tensor.elements) print_value(&tensor);
    }
    vg_run_free(run);
    vg_model_free(model);
    return !fine;
}

static void test_use(void **state) {
    (void)state;
    unsigned wrong = 0;
    strcpy(folder, "/tmp/vgraph-use-XXXXXX");
    assert_non_null(mkdtemp(folder));
    char parts[96];
    snprintf(parts, sizeof parts, "%s/parts", folder);
    assert_int_equal(mkdir(parts, 0700), 0);
    write_file("net.nn", "const depth = 3\ntwice_depth = 2 * depth\ndef deep(x) = x + depth\n"
               "layer wide(x: [n, d]) {\nvar W: [d] = depth\nreturn x * W * 2\n}\n");
    write_file("parts/more.nn", "use \"../net.nn\"\nmore = 7\n");
    write_file("loop.nn", "use \"loop.nn\"\n");
    write_file("wrong.nn", "q = nowhere\n");
    write_file("broken.nn", "q = (1 + 2\nr = 3\n");
    write_file("model.nn", "q = 1\n");
    for (size_t k = 0; k < sizeof used / sizeof *used; k++) wrong += check_used(&used[k]);
    static const char *const files[] = { "net.nn", "parts/more.nn", "loop.nn", "wrong.nn", "broken.nn", "model.nn",
                                         "parts", "" };
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, files[k]);
        remove(path);
    }
    assert_int_equal(wrong, 0);
}

/* ---- numbers of the run, and what is fed */

static void test_run_options(void **state) {
    (void)state;
    static const char text[] = "data p = xor(count = 100, test = 0)\ninput x: [batch, 2] = p.features\n"
                               "var w: [] ~ normal(0, 1)\nloss = mean(x) * w\nconst n = steps\nb = batch + 0\n"
                               "train loss { batch = 10; steps = 4; seed = 3 }\n";
    vg_model *model = vg_model_new();
    vg_tensor tensor;
    vg_run *run;
    uint32_t index;
    double first[2];
    assert_int_equal(vg_model_batch(model, 20), VG_OK);
    assert_int_equal(vg_model_steps(model, 6), VG_OK);
    vg_model_fetch(model, "[n, b, 0]", &index);
    vg_model_fetch(model, "w", &index);
    assert_int_equal(vg_model_load_text(model, "m.nn", text, strlen(text)), VG_OK);
    for (uint64_t seed = 0; seed < 2; seed++) {
        const vg_run_options options = { .seed = seed, .has_seed = true };
        assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
        assert_int_equal(vg_run_steps(run), 6);
        assert_int_equal(vg_run_step(run), VG_OK);
        assert_int_equal(vg_run_fetch(run, 0, &tensor), VG_OK);
        assert_true(value_fits(&tensor, "[3] 6 20 0", 0));
        assert_int_equal(vg_run_fetch(run, 1, &tensor), VG_OK);
        first[seed] = tensor.elements[0];
        vg_run_free(run);
    }
    assert_true(first[0] != first[1]);
    vg_model_free(model);
}

static void test_feeds(void **state) {
    (void)state;
    static const char text[] = "input x: [batch, 2]\ninput i: int[batch]\ny = x * 10\nj = i + 1\n";
    vg_model *model = vg_model_new();
    vg_tensor tensor;
    vg_run *run;
    uint32_t index;
    vg_model_batch(model, 2);
    vg_model_fetch(model, "y", &index);
    vg_model_fetch(model, "j", &index);
    assert_int_equal(vg_model_load_text(model, "m.nn", text, strlen(text)), VG_OK);
    assert_int_equal(vg_run_new(model, NULL, &run), VG_OK);
    assert_int_equal(vg_run_step(run), VG_FAILED_USAGE);
    vg_run_free(run);
    assert_int_equal(vg_run_new(model, NULL, &run), VG_OK);
    assert_int_equal(vg_run_feed(run, "x", (double[]){ 1, 2, 3, 4 }, 4), VG_OK);
    assert_int_equal(vg_run_feed(run, "i", (double[]){ 5, 6 }, 2), VG_OK);
    assert_int_equal(vg_run_step(run), VG_OK);
    assert_int_equal(vg_run_fetch(run, 0, &tensor), VG_OK);
    assert_true(value_fits(&tensor, "[2, 2] 10 20 30 40", 0));
    assert_int_equal(vg_run_fetch(run, 1, &tensor), VG_OK);
    assert_true(value_fits(&tensor, "int [2] 6 7", 0));
    vg_run_free(run);
    vg_model_free(model);
}

static void test_sets(void **state) { (void)state; CHECK_ROWS(sets); }
static void test_data(void **state) { (void)state; CHECK_ROWS(data); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets), cmocka_unit_test(test_data),  cmocka_unit_test(test_use),
        cmocka_unit_test(test_run_options), cmocka_unit_test(test_feeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
