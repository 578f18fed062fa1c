/* The language: tensors. Types, broadcasting, products, slices, dimensions that data tells, and numbers as tensors. */
#include "language_fixture.h"

#define X "x = reshape(arange(6), [2, 3])\nf = float(x)\n"

static const vg_row types[] = {
    { "integers stay integers where values only move", X "i = arange(3)",
      .wants = { { "x", "int [2, 3] 0 1 2 3 4 5" }, { "transpose(x)", "int [3, 2] 0 3 1 4 2 5" },
        { "x[1]", "int [3] 3 4 5" }, { "gather(x, [1, 0])", "int [2, 3] 3 4 5 0 1 2" },
        { "concat([i, i])", "int [6] 0 1 2 0 1 2" }, { "stack([i, i])", "int [2, 3] 0 1 2 0 1 2" },
        { "select(i > 1, i, 0)", "int [3] 0 0 2" }, { "maximum(i, 1)", "int [3] 1 1 2" },
        { "minimum(i, 1)", "int [3] 0 1 1" }, { "min(i)", "int 0" }, { "max(x, axis = 0)", "int [3] 3 4 5" },
        { "abs(i - 1)", "int [3] 1 0 1" }, { "clamp(i, 0, 1)", "int [3] 0 1 1" }, { "flip(i)", "int [3] 2 1 0" },
        { "pad(i, 1)", "int [5] 0 0 1 2 0" }, { "broadcast(i, [2, 3])", "int [2, 3] 0 1 2 0 1 2" },
        { "expand(i, 0)", "int [1, 3] 0 1 2" }, { "squeeze(expand(i, 0))", "int [3] 0 1 2" } } },
    { "one float among them makes a float", X "i = arange(3)",
      .wants = { { "concat([i, f[0]])", "[6] 0 1 2 0 1 2" }, { "select(i > 1, i, 0.5)", "[3] 0.5 0.5 2" },
        { "maximum(i, 0.5)", "[3] 0.5 1 2" }, { "clamp(i, 0.5, 1)", "[3] 0.5 1 1" },
        { "stack([i, f[0]])", "[2, 3] 0 1 2 0 1 2" }, { "concat([i, [7]])", "int [4] 0 1 2 7" },
        { "concat([i, [0.5]])", "[4] 0 1 2 0.5" } } },
    { "arithmetic of integers", X "i = arange(3)",
      .wants = { { "i + 1", "int [3] 1 2 3" }, { "i * 2 - 1", "int [3] -1 1 3" }, { "-i", "int [3] 0 -1 -2" },
        { "sum(x)", "int 15" }, { "sum(x, axis = 1)", "int [2] 3 12" }, { "i / 2", "[3] 0 0.5 1" },
        { "i ^ 2", "[3] 0 1 4" }, { "mean(i)", "1" }, { "exp(i - i)", "[3] 1 1 1" },
        { "i + 0.5", "[3] 0.5 1.5 2.5" }, { "i * 1.0", "int [3] 0 1 2" },
        { "x @ transpose(x)", "[2, 2] 5 14 14 50" }, { "prod(i + 1)", "6" }, { "sqrt(i * i)", "[3] 0 1 2" },
        { "cumsum(i, 0)", "[3] 0 1 3" }, { "mod(i, 2)", "[3] 0 1 0" } } },
    { "what is integer", X "i = arange(3)",
      .wants = { { "f > 2", "int [2, 3] 0 0 0 1 1 1" }, { "f > 2 and f < 5", "int [2, 3] 0 0 0 1 1 0" },
        { "not f", "int [2, 3] 1 0 0 0 0 0" }, { "f or 0", "int [2, 3] 0 1 1 1 1 1" },
        { "argmax(f)", "int [2] 2 2" }, { "argmin(f, axis = 0)", "int [3] 0 0 0" }, { "arange(2)", "int [2] 0 1" },
        { "step", "int 0" }, { "f == 3", "int [2, 3] 0 0 0 1 0 0" }, { "isnan(f)[0]", "int [3] 0 0 0" },
        { "isinf(1 / f)[0]", "int [3] 1 0 0" }, { "finite(f)", "int 1" } } },
    { "conversions", "x = full([3], 1) * [-1.7, 0.2, 2.9]",
      .wants = { { "int(x)", "int [3] -1 0 2" }, { "float(int(x))", "[3] -1 0 2" },
        { "float(x > 0)", "[3] 0 1 1" } } },
    { "logic of tensors, not zero being true", "a = zeros([3]) + [0, 2, -1]",
      .wants = { { "a and 1", "int [3] 0 1 1" }, { "a and a > 0", "int [3] 0 1 0" }, { "not a", "int [3] 1 0 0" },
        { "a or not a", "int [3] 1 1 1" } } },
    { "a float index", "x = ones([3])\ny = gather(x, x)", .error = "index-type" },
    { "a shape is a list of whole numbers", "x = zeros([2, 3])",
      .wants = { { "shape(x)", "int [2] 2 3" }, { "shape(x)[1]", "3" }, { "rank(x)", "2" }, { "dim(x, -1)", "3" },
        { "size(x)", "6" } } },
};

static const vg_row broadcasting[] = {
    { "NumPy's rule", X,
      .wants = { { "f + [10, 20, 30]", "[2, 3] 10 21 32 13 24 35" }, { "f * [[1], [2]]", "[2, 3] 0 1 2 6 8 10" },
        { "f + 1", "[2, 3] 1 2 3 4 5 6" }, { "[[1], [2]] - [[10, 20]]", "[2, 2] -9 -19 -8 -18" },
        { "expand(f, 1) + expand(f[0], 0)", "[2, 1, 3] 0 2 4 3 5 7" } } },
    { "shapes that do not fit", X "y = f + ones([2])", .error = "shape-mismatch" },
    { "a symbolic dimension that appears twice", "input x: [batch, 1]\ninput y: [batch]\nd = x - y",
      .error = "broadcast-twice" },
    { "the same by hand", "data p = xor(100)\ninput x: [batch, 2] = p.features\nd = x[:, 0:1] - expand(x[:, 0], 0)",
      .wants = { { "sum(d)", "0" }, { "shape(d)[0] == 32", "int 1" } } },
    { "a batch of 1 is not a batch of anything", "input x: [batch, 4]\nz = x + ones([4, batch])",
      .error = "shape-mismatch" },
};

static const vg_row products[] = {
    { "matrices and vectors", "a = [[1, 2], [3, 4]]\nx = ones([2])",
      .wants = { { "a @ a", "[2, 2] 7 10 15 22" }, { "a @ x", "[2] 3 7" }, { "x @ a", "[2] 4 6" },
        { "x @ x", "2" } } },
    { "batched over leading dimensions", "a = float(reshape(arange(12), [3, 2, 2]))\nb = [[1, 0], [0, 2]]",
      .wants = { { "(a @ b)[2]", "[2, 2] 8 18 10 22" }, { "shape(b @ a)", "int [3] 3 2 2" },
        { "(b @ a)[1]", "[2, 2] 4 5 12 14" }, { "(a @ [1, 1])", "[3, 2] 1 5 9 13 17 21" } } },
    { "inner dimensions that differ", "a = ones([2, 3]) @ ones([2, 3])", .error = "matmul-mismatch" },
    { "a scalar", "a = ones([2, 3]) @ 2", .error = "matmul-scalar" },
};

static const vg_row slices[] = {
    { "from 0, the end excluded, negative from the end", X,
      .wants = { { "f[0:1, 1:]", "[1, 2] 1 2" }, { "f[-1, -2:]", "[2] 4 5" }, { "f[:, 1]", "[2] 1 4" },
        { "f[1]", "[3] 3 4 5" }, { "f[:, :-1]", "[2, 2] 0 1 3 4" }, { "f[:][0, 0]", "0" }, { "f[0, 0]", "0" },
        { "f[0:0]", "[0, 3]" } } },
    { "bounds are expressions", "const k = 1\n" X,
      .wants = { { "f[:, k:2*k+1]", "[2, 2] 1 2 4 5" }, { "f[k, [0, 2][1]]", "5" } } },
    { "of a member", X "h[1] = f", .wants = { { "h[1][0, 1]", "1" }, { "(h[1])[1][2]", "5" } } },
    { "too many indices", X "a = f[0, 0, 0]", .error = "too-many-indices" },
    { "an index outside", X "a = f[2]", .error = "index-range" },
    { "a tensor as an index", X "a = f[x[0]]", .error = "index-tensor" },
    { "a symbolic end", "data p = xor(100)\ninput x: [batch, 2] = p.features\ny = x[1:batch]\nz = x[0:batch-1]",
      .wants = { { "shape(y)", "int [2] 31 2" }, { "shape(y - z)[0]", "31" } } },
};

#define IN "data p = xor(100)\ninput x: [batch, 2] = p.features\n"
static const vg_row dimensions[] = {
    { "computed with", IN,
      .wants = { { "2 * batch", "64" }, { "size(x) / 2", "32" }, { "size(x) / batch", "2" }, { "batch - 1", "31" },
        { "dim(x, 0)", "32" }, { "batch / 3", "10.666666666667" }, { "shape(concat([x, x]))", "int [2] 64 2" },
        { "size(x) == 2 * batch", "int 1" }, { "-batch + 2 * batch", "32" }, { "batch * batch", "1024" },
        { "batch ^ 2", "1024" }, { "sqrt(2 * batch)", "8" } } },
    { "checked symbolically", IN "y = concat([x, x])\nz = reshape(y, [2 * batch, 2]) + ones([batch + batch, 1])",
      .wants = { { "shape(z)", "int [2] 64 2" } } },
    { "reshape with -1", IN,
      .wants = { { "shape(reshape(x, [-1]))", "int [1] 64" }, { "shape(reshape(x, [2, -1]))", "int [2] 2 32" },
        { "shape(reshape(x, [-1, 1, 2]))", "int [3] 32 1 2" }, { "shape(flatten(x))", "int [1] 64" } } },
    { "right only because the batch happens to be that", IN "y = x + ones([32, 1])", .error = "shape-mismatch" },
    { "an if on it", IN "a = if batch > 10 then 1 else 2", .error = "not-bool" },
    { "a comparison that does not depend on it", IN "a = if size(x) == 2 * batch then 1 else 2",
      .wants = { { "a", "1" } } },
    { "a loop's bound", IN "for i in 1..batch {\nt = i\n}", .error = "not-whole" },
    { "a list's index", IN "a = [1, 2][batch]", .error = "not-whole" },
    { "a variable's shape", IN "var W: [batch, 2] = 0", .error = "variable-open" },
    { "a dimension named in an input's shape", "data d = digits(count = 200)\ninput x: [batch, h, w] = d.images\n"
      "a = h * w\nvar W: [h, w] = 1", .wants = { { "a", "784" } }, .variables = "W [28, 28]" },
    { "a dimension may have the name of a library's function",
      "data d = digits(count = 200)\ninput x: [step, size, rank] = d.images",
      .wants = { { "step", "32" }, { "size * rank", "784" } } },
    { "a column read as another shape", "data d = digits(count = 200)\ninput x: [batch, 784] = d.images\n"
      "input z: [batch, 1, 28, 28] = d.images",
      .wants = { { "sum(x) - sum(z)", "0" }, { "shape(z)", "int [4] 32 1 28 28" } } },
    { "a column that does not fit", "data d = digits(count = 200)\ninput x: [batch, 783] = d.images",
      .error = "column-shape" },
    { "signatures bind dimensions", "layer f(x: [n, d], y: [n, k]) {\nreturn n * 100 + d * 10 + k\n}\n"
      "def g(x: [a, ..., b]) = a * 10 + b\nu = f(ones([2, 3]), ones([2, 4]))",
      .wants = { { "u", "234" }, { "g(ones([5, 6]))", "56" }, { "g(ones([5, 1, 1, 6]))", "56" } } },
    { "a name that occurs twice must agree", "def f(x: [n, n]) = n\na = f(ones([2, 3]))", .error = "argument-shape" },
    { "a number must agree", "def f(x: [n, 3]) = n\na = f(ones([2, 3]))\nb = f(ones([2, 4]))",
      .error = "argument-shape" },
    { "the rank must agree", "def f(x: [n]) = n\na = f(ones([2, 3]))", .error = "argument-shape" },
    { "the dimensions behind ...", "def f(x: [..., d]) = d\ndef g(x: [n, c, ...]) = c",
      .wants = { { "f(ones([4]))", "4" }, { "f(ones([3, 2]))", "2" }, { "g(ones([3, 2]))", "2" },
        { "g(ones([3, 2, 5]))", "2" } } },
    { "'...' twice", "def f(x: [..., n, ...]) = n", .error = "ellipsis-twice" },
    { "integer signatures", "def f(i: int[n]) = sum(i)\na = f([1, 2])", .wants = { { "a", "int 3" } } },
    { "integer signatures refuse floats", "def f(i: int[n]) = sum(i)\na = f(ones([2]))", .error = "argument-integer" },
    { "a signature with an earlier parameter", "def f(n, x: [n, d]) = d\na = f(2, ones([2, 3]))",
      .wants = { { "a", "3" } } },
    { "a signature's mistake", "def f(n, x: [n, d]) = d\na = f(3, ones([2, 3]))", .error = "argument-shape" },
};
#undef IN

static const vg_row constants[] = {
    { "numbers and lists of them are tensors", "x = ones([2])",
      .wants = { { "x + 2", "[2] 3 3" }, { "sum([1, 2, 3])", "6" }, { "[1, 2] * x", "[2] 1 2" },
        { "[[1, 2], [3, 4]] @ x", "[2] 3 7" }, { "mean([[1, 3]])", "2" }, { "[1, 2] * 2", "[2] 2 4" },
        { "-[1, 2]", "[2] -1 -2" }, { "[1, 2] - [0, 1]", "[2] 1 1" }, { "exp([0])", "[1] 1" } } },
    { "lists that are none", "a = sum([[1, 2], [3]])", .error = "list-not-tensor" },
    { "constants", "x = 1",
      .wants = { { "zeros([2])", "[2] 0 0" }, { "ones([1, 2])", "[1, 2] 1 1" }, { "full([2], 7)", "[2] 7 7" },
        { "linspace(0, 1, 5)", "[5] 0 0.25 0.5 0.75 1" }, { "eye(2)", "[2, 2] 1 0 0 1" },
        { "linspace(2, 3, 1)", "[1] 2" }, { "zeros([])", "0" }, { "ones(3)", "[3] 1 1 1" },
        { "full([2], ones([]) * 3)", "[2] 3 3" }, { "arange(0)", "int [0]" } } },
};
#undef X

static void test_types(void **state) { (void)state; CHECK_ROWS(types); }
static void test_broadcasting(void **state) { (void)state; CHECK_ROWS(broadcasting); }
static void test_products(void **state) { (void)state; CHECK_ROWS(products); }
static void test_slices(void **state) { (void)state; CHECK_ROWS(slices); }
static void test_dimensions(void **state) { (void)state; CHECK_ROWS(dimensions); }
static void test_constants(void **state) { (void)state; CHECK_ROWS(constants); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),  cmocka_unit_test(test_broadcasting), cmocka_unit_test(test_products),
        cmocka_unit_test(test_slices), cmocka_unit_test(test_dimensions),   cmocka_unit_test(test_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
