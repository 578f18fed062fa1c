/* The language: files that a model reads while it is built, load("a.npy") and text("a.txt"), and where their paths
 * start. */
#include "language_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

/* An array of bytes, [n] or [n / 2, 2]. */
static void write_array(const char *name, const char *bytes, unsigned count, bool pairs) {
    char dict[118 + 1], shape[32];
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    snprintf(shape, sizeof shape, pairs ? "%u, 2" : "%u,", pairs ? count / 2 : count);
    const int length = snprintf(dict, sizeof dict, "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", shape);
    fprintf(file, "\x93NUMPY%c%c%c%c%s%*s\n", 1, 0, 118, 0, dict, 117 - length, "");
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

#define BOOK "\ninput now: [batch, 2] = book.now\ninput next: [batch, 2] = book.next"
static const vg_row rows[] = {
    { "an array", "a = load(\"a.npy\")\nb = load(\"b.npy\") / 2",
      .wants = { { "a", "int [4] 1 2 3 4" }, { "b", "[2, 2] 2.5 3 3.5 4" }, { "b[1, :] @ [[1], [10]]", "[1] 43.5" },
        { "sum(a - load(\"a.npy\"))", "int 0" }, { "gather(load(\"b.npy\"), load(\"c.npy\"))", "int [1, 2] 7 8" } } },
    { "its dimensions are numbers", "a = load(\"b.npy\")\nvar W: shape(a) = a",
      .wants = { { "W", "[2, 2] 5 6 7 8" } }, .variables = "W [2, 2]" },
    { "it has gradients", "a = float(load(\"b.npy\"))\nl = sum(a ^ 2)",
      .wants = { { "grad(l, a)", "[2, 2] 10 12 14 16" } } },
    { "while evaluating, too", "a = load(\"a.npy\") + dropout(zeros([4]), 0.5)", .evaluation = true,
      .wants = { { "a", "[4] 1 2 3 4" } } },
    { "in a loop", "for i in 1..3 { a = load(\"{if i == 2 then \"a\" else \"c\"}.npy\") * i }",
      .wants = { { "a[2]", "int [4] 2 4 6 8" }, { "a[3]", "int [1] 3" } } },
    { "through a function", "def read(name, by = load) = by(\"{name}.npy\")\na = read(\"a\")",
      .wants = { { "a", "int [4] 1 2 3 4" } } },
    { "it is no const", "const a = load(\"a.npy\")", .error = "const-tensor" },
    { "its shape does not fit", "a = load(\"a.npy\") @ ones([3, 1])", .error = "matmul-mismatch" },
    { "a text", "data book = text(\"book.txt\", length = 2, test = 0)" BOOK,
      .wants = { { "book.classes", "4" }, { "book.count", "49" }, { "shape(next)", "int [2] 32 2" } } },
    { "its last part for tests", "data book = text(\"book.txt\", 2, test = 0.3)" BOOK,
      .wants = { { "book.count", "34" }, { "max(abs(now[:, 1] - next[:, 0]))", "int 0" }, { "max(next)", "int 3" } } },
    { "drawn sentences", "data book = sentences(count = 60, length = 2)" BOOK,
      .wants = { { "book.classes", "30" }, { "book.count", "48" }, { "max(abs(now[:, 1] - next[:, 0]))", "int 0" },
        { "shape(now)", "int [2] 32 2" } } },
    { "a length that is a const's", "const l = 2\ndata book = sentences(60, length = l)\n"
      "input x: int[batch, n] = book.now", .set = { "l=3" }, .wants = { { "shape(x)", "int [2] 32 3" } } },
};

static const vg_row missing[] = {
    { "a text", "data book = text(\"nowhere.txt\", 2)" BOOK "\nx = one_hot(now, book.classes)\n"
      "y = x @ ones([book.classes, 3])\nconst n = book.count", .error = "data-failed" },
    { "an array", "a = load(\"nowhere.npy\")\nb = a + 1\nvar w: shape(a) = b", .error = "load-failed" },
};

/* ---- where paths start: the model lies in the folder above the current one */

typedef struct path_row { const char *name, *model, *expression, *value, *set, *data; } path_row;
static const path_row paths[] = {
    { "the model's folder", "a = load(\"a.npy\")", "a", "int [4] 1 2 3 4", NULL, NULL },
    { "a used file's folder", "use \"parts/used.nn\"", "from_parts", "int [2, 2] 9 9 9 9", NULL, NULL },
    { "a file named by an option", "const k = \"b\"\na = load(\"{k}.npy\")", "a[0, 0]", "int 9", "\"parts/d\"", NULL },
    { "a value asked for", "a = 1", "load(\"a.npy\")", "int [2] 30 40", NULL, NULL },
    { "a text", "data book = text(\"book.txt\", 2)", "book.classes", "4", NULL, NULL },
    { "a text given by an option", "data book = text(\"book.txt\", 2)", "book.classes", "2", NULL,
      "text(\"book.txt\", 2)" },
};

static unsigned check_path(const char *path, const path_row *row) {
    uint32_t index;
    vg_run *run = NULL;
    vg_tensor tensor = { 0 };
    vg_model *model = vg_model_new();
    vg_model_fetch(model, row->expression, &index);
    if (row->set) vg_model_set(model, "k", row->set);
    if (row->data) vg_model_data(model, "book", row->data);
    vg_status status = vg_model_load_text(model, path, row->model, strlen(row->model));
    if (status == VG_OK) status = vg_run_new(model, NULL, &run);
    if (status == VG_OK) status = vg_run_step(run);
    if (status == VG_OK) status = vg_run_fetch(run, 0, &tensor);
    const bool fine = status == VG_OK && value_fits(&tensor, row->value, 1e-6);
    if (!fine) {
        print_error("%s: want %s\n", row->name, row->value);
        vg_model_explain(model, 0, false, to_stderr, NULL);
        if (tensor.elements) print_value(&tensor);
    }
    vg_run_free(run);
    vg_model_free(model);
    return !fine;
}

/* ---- the files */

static const char *const files[] = { "a.npy", "b.npy", "c.npy", "book.txt", "parts/d.npy", "parts/used.nn", "parts",
                                     "here/a.npy", "here/book.txt", "here" };
static char folder[64], outside[1024];

static int make_files(void **state) {
    (void)state;
    strcpy(folder, "/tmp/vgraph-files-XXXXXX");
    if (!getcwd(outside, sizeof outside) || !mkdtemp(folder) || chdir(folder)) return -1;
    if (mkdir("parts", 0700) || mkdir("here", 0700)) return -1;
    write_array("a.npy", "\1\2\3\4", 4, false);
    write_array("b.npy", "\5\6\7\10", 4, true);
    write_array("c.npy", "\1", 1, false);
    write_array("parts/d.npy", "\11\11\11\11", 4, true);
    write_array("here/a.npy", "\36\50", 2, false);
    write_text("parts/used.nn", "from_parts = load(\"d.npy\")\n");
    char text[101] = "";
    while (strlen(text) < 100) strcat(text, "badac");
    write_text("book.txt", text);
    write_text("here/book.txt", "xyxyxyxyy");
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    int failed = chdir(folder);
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) failed |= remove(files[k]);
    failed |= chdir(outside);
    return failed | rmdir(folder);
}

static void test_files(void **state) { (void)state; CHECK_ROWS(rows); }
static void test_missing(void **state) { (void)state; CHECK_ROWS(missing); }

static void test_paths(void **state) {
    (void)state;
    unsigned wrong = 0;
    char path[128];
    snprintf(path, sizeof path, "%s/model.nn", folder);
    assert_int_equal(chdir("here"), 0);
    for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) wrong += check_path(path, &paths[k]);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files), cmocka_unit_test(test_missing), cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
