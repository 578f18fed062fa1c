/* Every operator between values of every kind: each line has a value or one message, which tells of that line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "vgraph.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
enum { TEXT = 4096, FIRST_LINE = 7 };

static const char model_text[] =
    "data d = xor(40)\n"
    "input x: [batch, 2] = d.features\n"
    "var W: [2] = 1\n"
    "h[1] = x * W\n"
    "h[2] = x + W\n"
    "i = arange(2)\n";

/* One value of each kind. */
typedef enum worth { OTHER, LIST, NUMBER, MISSING } worth;
typedef struct operand { const char *text; worth worth; } operand;

static const operand operands[] = {
    { "2", NUMBER },           { "2.5", NUMBER },    { "x", NUMBER },     { "i", NUMBER },        { "batch", NUMBER },
    { "(if training then 1 else 2)", NUMBER },       { "[1, 2]", LIST },  { "[true]", LIST },     { "[]", LIST },
    { "[x]", LIST },           { "true", OTHER },    { "\"a\"", OTHER },  { "relu", OTHER },      { "dense", OTHER },
    { "normal()", OTHER },     { "sgd(0.1)", OTHER }, { "d", OTHER },     { "d.features", OTHER }, { "h", OTHER },
    { "h[*]", OTHER },         { "vars", OTHER },    { "all", OTHER },
    { "missing", MISSING },    { "[missing]", MISSING },
};
static const char *const signs[] = { "+", "-", "*", "/", "@", "^", "==", "!=", "<", "<=", ">", ">=", "and", "or" };

/* The messages of each line, from FIRST_LINE on; what the first of a line is. */
static void count_messages(const char *text, unsigned *lines, char codes[][32], unsigned count) {
    vg_model *model = vg_model_new();
    assert_non_null(model);
    vg_model_load_text(model, "model.nn", text, strlen(text));
    memset(lines, 0, count * sizeof *lines);
    for (size_t k = 0; k < vg_model_diagnostics(model); k++) {
        vg_diagnostic one;
        vg_model_diagnostic(model, k, &one);
        const unsigned at = one.line - FIRST_LINE;
        if (at >= count) fail_msg("%s at line %u of\n%s", one.code, one.line, text);
        if (!lines[at]++) snprintf(codes[at], 32, "%s", one.code);
    }
    vg_model_free(model);
}

static bool is_missing(const operand *a, const operand *b) { return a->worth == MISSING || b->worth == MISSING; }

/* Two mistakes are two messages; what `and` and `or` do not look at is none. */
static bool right_count(const operand *a, const operand *b, size_t sign, unsigned messages) {
    const bool logic = sign >= 12, product = sign == 4;
    if (a->worth == MISSING && b->worth == MISSING) return messages == (logic ? 1 : 2);
    if (is_missing(a, b)) return messages == 1 || (logic && a->worth != MISSING && messages == 0);
    if (a->worth == NUMBER && b->worth == NUMBER && !logic && !product) return messages == 0;
    return messages <= 1;
}

static unsigned check_pair(const operand *a, const operand *b) {
    char text[TEXT], codes[COUNT(signs)][32];
    unsigned lines[COUNT(signs)], bad = 0;
    int at = snprintf(text, TEXT, "%s", model_text);
    for (size_t k = 0; k < COUNT(signs); k++)
        at += snprintf(text + at, TEXT - (size_t)at, "y%zu = %s %s %s\n", k, a->text, signs[k], b->text);
    count_messages(text, lines, codes, COUNT(signs));
    for (size_t k = 0; k < COUNT(signs); k++) {
        const char *code = lines[k] ? codes[k] : "";
        const bool known = !is_missing(a, b) || !lines[k] || strcmp(code, "unknown-name") == 0;
        if (known && right_count(a, b, k, lines[k])) continue;
        print_error("%s %s %s: %u messages, the first %s\n", a->text, signs[k], b->text, lines[k], code);
        bad++;
    }
    return bad;
}

static void two_operands(void **state) {
    unsigned bad = 0;
    (void)state;
    for (size_t j = 0; j < COUNT(operands); j++)
        for (size_t k = 0; k < COUNT(operands); k++) bad += check_pair(&operands[j], &operands[k]);
    assert_int_equal(bad, 0);
}

/* What else a value of any kind can stand in. */
static const char *const places[] = {
    "-%s", "not %s", "if %s then 1 else 2", "[k for k in 1..3 if %s]", "[k for k in %s..3]", "[k for k in 1..%s]",
    "\"{%s}\"", "(%s)(1)", "(%s)[0]", "(%s)[0:1]", "(%s)[:, 0]", "(%s).W", "(%s).*", "(%s).**", "x[%s]",
    "x[%s:]", "x[:%s]",
    "[1, 2][%s]", "[1, 2][%s:]", "[1, 2][:%s]", "h[%s]", "h[%s:]", "h[%s, 1]", "replace(sum(x), W, %s)", "%s",
};

static void one_operand(void **state) {
    unsigned bad = 0;
    (void)state;
    for (size_t j = 0; j < COUNT(operands); j++) {
        char text[TEXT], codes[COUNT(places)][32];
        unsigned lines[COUNT(places)];
        int at = snprintf(text, TEXT, "%s", model_text);
        for (size_t k = 0; k < COUNT(places); k++) {
            at += snprintf(text + at, TEXT - (size_t)at, "y%zu = ", k);
            at += snprintf(text + at, TEXT - (size_t)at, places[k], operands[j].text);
            at += snprintf(text + at, TEXT - (size_t)at, "\n");
        }
        count_messages(text, lines, codes, COUNT(places));
        for (size_t k = 0; k < COUNT(places); k++) {
            if (lines[k] <= 1 && (lines[k] == 1 || operands[j].worth != MISSING)) continue;
            print_error(places[k], operands[j].text);
            print_error(": %u messages, the first %s\n", lines[k], lines[k] ? codes[k] : "");
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(two_operands), cmocka_unit_test(one_operand) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
