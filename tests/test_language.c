/* The language: compile-time values. Numbers, strings, lists, choices, loops, functions, and what an operator binds. */
#include "language_fixture.h"

static const vg_row numbers[] = {
    { "numbers", "x = 1",
      .wants = { { "3", "3" }, { "1_000", "1000" }, { "0.5", "0.5" }, { "1e-3", "0.001" }, { "2.5E2", "250" },
        { "pi", "3.14159265358979" }, { "inf", "inf" }, { "-inf", "-inf" } } },
    { "binding strength", "x = 1",
      .wants = { { "2 + 3 * 4", "14" }, { "2 * 3 ^ 2", "18" }, { "-2 ^ 2", "-4" }, { "2 ^ -1", "0.5" },
        { "2 ^ 3 ^ 2", "512" }, { "8 / 4 / 2", "1" }, { "10 - 4 - 3", "3" }, { "(2 + 3) * 4", "20" },
        { "-2 * 3", "-6" }, { "2 * -3", "-6" }, { "not 1 == 2", "int 1" }, { "not true or true", "int 1" },
        { "true or false and false", "int 1" }, { "1 + 1 == 2 and 3 > 2", "int 1" },
        { "if true then 1 else 2 + 3", "1" }, { "if false then 1 else if true then 2 else 3", "2" },
        { "(if false then 1 else 2) + 3", "5" }, { "-[1, 2][0] ^ 2", "-1" }, { "2 ^ [1, 2][1]", "4" } } },
    { "compile-time arithmetic", "x = 1",
      .wants = { { "7 / 2", "3.5" }, { "mod(7, 3)", "1" }, { "mod(-7, 3)", "2" }, { "floor(7 / 2)", "3" },
        { "ceil(1.2)", "2" }, { "round(2.5)", "2" }, { "abs(-3)", "3" }, { "sqrt(16)", "4" }, { "exp(0)", "1" },
        { "log(1)", "0" }, { "maximum(2, 3)", "3" }, { "minimum(2, 3)", "2" }, { "clamp(5, 0, 1)", "1" },
        { "sign(-2)", "-1" }, { "1 / 0", "inf" }, { "0 / 0", "nan" }, { "select(1 > 2, 3, 4)", "4" },
        { "square(3)", "9" }, { "relu(-1)", "0" }, { "int(2.7)", "2" }, { "int(-2.7)", "-2" },
        { "sigmoid(0)", "0.5" }, { "tanh(0)", "0" } } },
    { "compile-time functions of the library are compile-time numbers",
      "var a: [square(2)] = 0\nvar b: [relu(3)] = 0\nvar c: [int(2.7)] = 0\nvar d: [clamp(9, 0, 2)] = 0\n"
      "var e: [leaky_relu(2)] = 0\nvar f: [identity(1)] = 0\nvar g: [gelu(0) + 1] = 0\nvar h: [maximum(1, 2)] = 0",
      .wants = { { "shape(a)", "int [1] 4" } }, .variables = "a [4]; b [3]; c [2]; d [2]; e [2]; f [1]; g [1]; h [2]" },
    { "comparison and logic of numbers", "x = 1",
      .wants = { { "1 < 2", "int 1" }, { "2 <= 2", "int 1" }, { "1 > 2", "int 0" }, { "2 >= 3", "int 0" },
        { "1 == 1", "int 1" }, { "1 != 1", "int 0" }, { "true and false", "int 0" }, { "true == true", "int 1" },
        { "\"a\" == \"a\"", "int 1" }, { "\"a\" != \"b\"", "int 1" }, { "[1, 2] == [1, 2]", "int 1" },
        { "[1, 2] == [1, 3]", "int 0" }, { "relu == relu", "int 1" }, { "relu == tanh", "int 0" } } },
    { "and, or stop where it is decided", "const n = 0\na = n != 0 and 1 / [][0] > 1\nb = n == 0 or [][0] == 1",
      .wants = { { "a", "int 0" }, { "b", "int 1" } } },
};

static const vg_row strings[] = {
    { "interpolation", "const n = 3\nconst s = \"a{n}b{n + 0.5}c\"\n"
      "const t = \"\\{n} {true} {[1, 2]} {relu} {\"x\"}\"",
      .wants = { { "s == \"a3b3.5c\"", "int 1" }, { "t == \"\\{n} true [1, 2] relu x\"", "int 1" },
        { "\"\\n\" == \"\\t\"", "int 0" } } },
    { "a string that is too long",
      "const a = [\"xxxxxxxxxxxxxxxx\" for k in 1..1000]\nconst b = \"{a}{a}{a}{a}{a}\"",
      .error = "limit-string" },
    { "a string picks variables", "for i in 1..2 {\nvar W: [i] = i\n}\nconst k = 2\n"
      "def w2(n) = total(vars(\"W[{n}]\"))\nt = sum(w2(k))", .wants = { { "t", "4" } } },
};

static const vg_row lists[] = {
    { "lists", "l = [1, 2, 3]\nm = l + [4]\ne = []\nn = [[1, 2], [3, 4]]",
      .wants = { { "l[0]", "1" }, { "l[-1]", "3" }, { "len(m)", "4" }, { "m[3]", "4" }, { "len(e)", "0" },
        { "n[1][0]", "3" }, { "l[1:]", "[2] 2 3" }, { "l[:2]", "[2] 1 2" }, { "l[-2:]", "[2] 2 3" },
        { "l[1:2]", "[1] 2" }, { "n", "[2, 2] 1 2 3 4" }, { "[1, 2,]", "[2] 1 2" },
        { "len([l, 1, \"a\", relu])", "4" } } },
    { "built lists", "n = 4",
      .wants = { { "[k * k for k in 1..n]", "[4] 1 4 9 16" }, { "[k for k in 0..5 if mod(k, 2) == 0]", "[3] 0 2 4" },
        { "len([k for k in 2..1])", "0" }, { "[[i * j for j in 1..2] for i in 1..2]", "[2, 2] 1 2 2 4" },
        { "[1, 3] + [k for k in 1..2]", "[4] 1 3 1 2" } } },
    { "lists of tensors and functions", "x = ones([2])\nf = [relu, tanh]\nl = [x, x * 2]",
      .wants = { { "l[1]", "[2] 2 2" }, { "f[0](-1)", "0" }, { "total(l)", "[2] 3 3" },
        { "stack(l)", "[2, 2] 1 1 2 2" }, { "concat(l)", "[4] 1 1 2 2" },
        { "stack(l, axis = 1)", "[2, 2] 1 2 1 2" }, { "len(l)", "2" } } },
    { "an index outside", "l = [1, 2]\nx = l[2]", .error = "list-range" },
    { "an index that is not whole", "l = [1, 2]\nx = l[0.5]", .error = "not-whole" },
    { "more items than a tensor of a list may have",
      "a = [1 for k in 1..10000]\nb = [a for k in 1..10000]\nc = sum(b)", .error = "limit-list" },
    { "a slice outside", "l = [1, 2]\nx = l[1:3]", .error = "list-range" },
};

static const vg_row choices[] = {
    { "if binds in the scope around it", "const deep = true\nif deep {\na = 1\n} else {\na = 2\nb = 3\n}\nc = a",
      .wants = { { "c", "1" } } },
    { "else if", "const n = 2\nif n == 1 { a = 1 } else if n == 2 { a = 20 } else { a = 3 }",
      .wants = { { "a", "20" } } },
    { "if without else", "const n = 2\nif n == 1 { a = 1 }\na = 5", .wants = { { "a", "5" } } },
    { "the other branch is not looked at", "if false { a = nowhere } else { a = 1 }\nb = if true then 2 else nowhere",
      .wants = { { "a", "1" }, { "b", "2" } } },
    { "else on a line of its own", "if false { a = 1 }\nelse { a = 2 }\nb = if false\nthen 1\nelse 3",
      .wants = { { "a", "2" }, { "b", "3" } } },
    { "a condition that is a tensor", "x = ones([])\nif x > 0 { a = 1 }", .error = "not-bool" },
    { "a condition that is a number", "if 1 { a = 1 }", .error = "not-bool" },
    { "definitions in if", "const deep = true\nif deep {\ndef f(x) = x + 1\n} else {\ndef f(x) = x\n}\na = f(1)",
      .wants = { { "a", "2" } } },
    { "a definition in a loop", "for i in 1..2 {\ndef f(x) = x\na = f(1)\n}", .error = "not-top-level" },
    { "a const in a layer", "layer f(x) {\nconst y = 1\nreturn x * y\n}\na = f(1)", .error = "not-top-level" },
    { "var in if", "const big = true\nif big { var W: [3] = 1 }\ns = sum(W)", .wants = { { "s", "3" } },
      .variables = "W [3]" },
};

static const vg_row functions[] = {
    { "def", "def f(a, b = 2) = a * 10 + b\ndef g(x) {\ny = x + 1\nreturn y * y\n}",
      .wants = { { "f(1)", "12" }, { "f(1, 3)", "13" }, { "f(b = 5, a = 2)", "25" }, { "g(2)", "9" },
        { "f(g(0))", "12" } } },
    { "a default uses earlier parameters", "def f(a, b = a + 1, c = a * b) = c",
      .wants = { { "f(2)", "6" }, { "f(2, c = 1)", "1" } } },
    { "functions are values", "const act = square\ndef twice(f, x) = f(f(x))\ndef inc(x) = x + 1\nconst g = inc",
      .wants = { { "twice(act, 2)", "16" }, { "twice(inc, 2)", "4" }, { "g(1)", "2" },
        { "(if true then relu else tanh)(-3)", "0" } } },
    { "known in the whole file", "a = f(1)\ndef f(x) = g(x) + 1\ndef g(x) = x * 2", .wants = { { "a", "3" } } },
    { "a def hides the library's for the file, not inside it",
      "def square(x) = x + 100\ndef mean(x) = 7\nx = full([2], 3)",
      .wants = { { "square(1)", "101" }, { "variance(x)", "0" }, { "mean(x)", "7" }, { "mse(x, x - 1)", "1" } } },
    { "return in a loop or choice ends the body", "def f(n) {\nif n > 2 { return 1 }\nfor i in 1..5 {\n"
      "if i == n { return 10 * i }\n}\nreturn 0\n}",
      .wants = { { "f(3)", "1" }, { "f(2)", "20" }, { "f(0)", "0" } } },
    { "a body sees the top level, not its caller's names", "k = 5\ndef f(x) = x + k\ndef g(k) = f(k)",
      .wants = { { "g(1)", "6" } } },
    { "a body does not see its caller's names", "def f(x) = x + inner\ndef g(x) {\ninner = 1\nreturn f(x)\n}\na = g(1)",
      .error = "unknown-name" },
    { "parameters and own names hide outer ones", "x = 1\ny = 2\ndef f(x) {\ny = x * 10\nreturn y\n}",
      .wants = { { "f(3)", "30" }, { "y", "2" } } },
    { "a function may return a list", "def two(x) = [x, x + 1]\np = two(4)",
      .wants = { { "p[1]", "5" }, { "two(1)[0]", "1" } } },
    { "recursion", "def f(x) = g(x)\ndef g(x) = f(x)\na = f(1)", .error = "recursion" },
    { "a library's name on its own right side", "data digits = digits(count = 100)\nexp = exp(0)\n"
      "mean = mean([1, 2, 3])", .wants = { { "exp", "1" }, { "mean", "2" }, { "digits.count", "80" } } },
    { "; ends a statement", "a = 1; b = 2; def f(x) = x + 1; c = f(b)", .wants = { { "a", "1" }, { "c", "3" } } },
    { "a newline inside brackets and behind an operator", "a = (1\n+ 2)\nb = 1 +\n2\nc = [1,\n2\n]\nd = a ^\n2",
      .wants = { { "a + b", "6" }, { "c", "[2] 1 2" }, { "d", "9" } } },
    { "names may be words of other statements", "y = 1\ndef f(data, state = 2) = data + state\nz = f(1)",
      .wants = { { "z", "3" } } },
    { "names with other letters", "größe = 2\nλ = größe + 1", .wants = { { "λ", "3" } } },
};

static void test_numbers(void **state) { (void)state; CHECK_ROWS(numbers); }
static void test_strings(void **state) { (void)state; CHECK_ROWS(strings); }
static void test_lists(void **state) { (void)state; CHECK_ROWS(lists); }
static void test_choices(void **state) { (void)state; CHECK_ROWS(choices); }
static void test_functions(void **state) { (void)state; CHECK_ROWS(functions); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_strings), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_choices), cmocka_unit_test(test_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
