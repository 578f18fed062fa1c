/* Every parameter of every library function, given what it cannot take: one mistake is one message, whatever it is and
 * wherever it stands. The functions are those of builtin.def and op.def, so a new one is tested by being there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "front/builtin.h"
#include "vgraph.h"

enum { PARAMETERS = 8, TEXT = 1024 };

static const char model_text[] =
    "data d = xor(10)\n"
    "var W: [3] = 1\n"
    "x = ones([2, 3]) * W\n"
    "h[1] = x\n"
    "i = arange(2)\n"
    "images = ones([2, 2, 5, 5])\n";

/* What each parameter takes, by its name, or by its function's and its own. */
static const struct { const char *name, *argument; } right[] = {
    { "x", "x" },          { "axis", "0" },  { "keep", "false" }, { "shape", "[2, 3]" }, { "perm", "[1, 0]" },
    { "list", "[x, x]" },  { "widths", "1" }, { "value", "0" },   { "i", "i" },          { "n", "3" },
    { "k", "0" },          { "a", "0" },     { "b", "1" },        { "c", "i" },          { "dist", "normal()" },
    { "y", "sum(x)" },     { "v", "W" },     { "w", "W" },        { "pattern", "\"**\"" }, { "sel", "[x, x]" },
    { "mean", "0" },       { "std", "1" },   { "lo", "0" },       { "hi", "1" },         { "p", "0.5" },
    { "gain", "1" },       { "file", "\"" VG_TESTS "/golden/errors/parts/good.npy\"" },
    { "conv2d.x", "images" }, { "conv2d.w", "ones([2, 2, 3, 3])" }, { "stride", "1" },     { "pad", "1" },
    { "dilation", "1" },      { "groups", "1" },                    { "max_pool2d.x", "images" },
    { "max_pool2d.k", "2" },  { "avg_pool2d.x", "images" },         { "avg_pool2d.k", "2" },
};

/* What it does not: a message each, but for the parameter that takes it. Of those marked `perhaps` some can be taken:
 * there is a message or none. */
static const struct { const char *argument, *taken_by, *code; bool perhaps; } wrong[] = {
    { "relu", NULL, NULL, false },        { "normal()", "dist", NULL, false }, { "d", NULL, NULL, false },
    { "d.features", NULL, NULL, false },  { "sgd(0.1)", NULL, NULL, false },   { "h", NULL, NULL, false },
    { "\"text\"", NULL, NULL, false },    { "missing", NULL, "unknown-name", false },
    { "[1, missing]", NULL, "unknown-name", false }, { "grad(missing, W)", NULL, "unknown-name", false },
    { "all", NULL, NULL, true },          { "true", NULL, NULL, true },        { "[]", NULL, NULL, true },
    { "[x, relu]", NULL, NULL, true },    { "[[1], 2]", NULL, NULL, true },    { "-99", NULL, NULL, true },
    { "2.5", NULL, NULL, true },          { "1e30", NULL, NULL, true },        { "inf", NULL, NULL, true },
    { "x", NULL, NULL, true },            { "i", NULL, NULL, true },           { "h[*]", NULL, NULL, true },
    { "[1, 1]", NULL, NULL, true },       { "[0, 1]", NULL, NULL, true },
    { "[[0, 1], [2, -1]]", NULL, NULL, true },
    { "[1, 1, 1, 1, 1, 1, 1, 1, 1]", NULL, NULL, true },                       { "W", NULL, NULL, true },
    { "dim(x, 0)", NULL, NULL, true },    { "[x]", NULL, NULL, true },         { "vars", NULL, NULL, true },
    { "sum(x)", NULL, NULL, true },       { "-1", NULL, NULL, true },          { "0", NULL, NULL, true },
};

typedef struct function {
    const char *name;
    uint32_t    count;
    char        names[PARAMETERS][16];
    bool        required[PARAMETERS];
} function;

/* "x, axis = all" as names, and whether they have no default. */
static function read_function(const char *name, const char *parameters) {
    function f = { .name = name };
    for (const char *at = parameters; *at; f.count++) {
        const size_t end = strcspn(at, ","), length = strcspn(at, " ,=");
        assert_true(f.count < PARAMETERS && length < sizeof f.names[0]);
        memcpy(f.names[f.count], at, length);
        f.required[f.count] = !memchr(at, '=', end);
        at += end;
        at += strspn(at, ", ");
    }
    return f;
}

static const char *right_argument(const function *f, uint32_t k) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s.%s", f->name, f->names[k]);
    for (size_t j = 0; j < sizeof right / sizeof *right; j++)
        if (strcmp(right[j].name, whole) == 0) return right[j].argument;
    for (size_t j = 0; j < sizeof right / sizeof *right; j++)
        if (strcmp(right[j].name, f->names[k]) == 0) return right[j].argument;
    fail_msg("%s: what does '%s' take?", f->name, f->names[k]);
    return "";
}

/* The required arguments in order, and `wrong` in the place of parameter k. */
static void write_call(const function *f, uint32_t k, const char *argument, char *text) {
    int at = snprintf(text, TEXT, "%sz = %s(", model_text, f->name);
    const char *comma = "";
    for (uint32_t j = 0; j < f->count; j++) {
        if (!f->required[j] && j != k) continue;
        const char *given = j == k ? argument : right_argument(f, j);
        if (f->required[j]) at += snprintf(text + at, TEXT - (size_t)at, "%s%s", comma, given);
        else at += snprintf(text + at, TEXT - (size_t)at, "%s%s = %s", comma, f->names[j], given);
        comma = ", ";
    }
    snprintf(text + at, TEXT - (size_t)at, ")\n");
}

/* How many messages the model has; the first one's code. */
static size_t messages_of(const char *text, char code[64]) {
    vg_diagnostic first = { .code = "" };
    vg_model *model = vg_model_new();
    assert_non_null(model);
    const vg_status status = vg_model_load_text(model, "model.nn", text, strlen(text));
    const size_t count = vg_model_diagnostics(model);
    if (count) vg_model_diagnostic(model, 0, &first);
    snprintf(code, 64, "%s", first.code);
    if ((status == VG_OK) != (count == 0)) fail_msg("status %d with %zu messages:\n%s", status, count, text);
    vg_model_free(model);
    return count;
}

static unsigned try_parameter(const function *f, uint32_t k) {
    char text[TEXT], code[64];
    unsigned bad = 0;
    for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
        const bool taken = wrong[j].taken_by && strcmp(wrong[j].taken_by, f->names[k]) == 0;
        const bool pattern = strcmp(f->names[k], "pattern") == 0;
        write_call(f, k, wrong[j].argument, text);
        const size_t count = messages_of(text, code);
        if (count <= 1 && (wrong[j].perhaps || taken || count == 1 || pattern) &&
            (!wrong[j].code || strcmp(wrong[j].code, code) == 0)) continue;
        print_error("%s, parameter '%s': %zu messages, the first %s, of\n%s", f->name, f->names[k], count, code,
                    strstr(text, "z = "));
        bad++;
    }
    return bad;
}

static unsigned try_function(const char *name, const char *parameters) {
    const function f = read_function(name, parameters);
    unsigned bad = 0;
    for (uint32_t k = 0; k < f.count; k++) bad += try_parameter(&f, k);
    return bad;
}

static void library_functions(void **state) {
    unsigned bad = 0;
    char text[TEXT], code[64];
    (void)state;
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++) {
        const vg_builtin_row *row = &vg_builtin_rows[k];
        if (row->flags & VG_BUILTIN_LIBRARY) continue;   /* not to be called by a model */
        const function f = read_function(row->name, row->parameters);
        write_call(&f, PARAMETERS, NULL, text);
        if (!(row->flags & VG_BUILTIN_VALUE) && messages_of(text, code)) fail_msg("%s, of\n%s", code, text);
        bad += try_function(row->name, row->parameters);
    }
    assert_int_equal(bad, 0);
}

/* Those of op.def that a model can call. */
static void elementwise_functions(void **state) {
    static const char *const parameters[] = { "", "x", "a, b", "c, a, b" };
    unsigned bad = 0, called = 0;
    char text[TEXT], code[64];
    (void)state;
    for (uint32_t op = 1; op < VG_OP_COUNT; op++) {
        const vg_op_row *row = &vg_op_rows[op];
        if (!(row->flags & VG_FLAG_map)) continue;
        const function f = read_function(row->name, parameters[row->least]);
        write_call(&f, PARAMETERS, NULL, text);
        if (messages_of(text, code)) continue;           /* an operator, which has a sign and no name */
        bad += try_function(row->name, parameters[row->least]);
        called++;
    }
    assert_int_equal(bad, 0);
    assert_true(called > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(library_functions), cmocka_unit_test(elementwise_functions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
