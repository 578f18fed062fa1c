/* The language: what is seldom written. Initial values, data, strings, places, and mistakes that hide no other. */
#include "language_fixture.h"

#define X "var W: [3] = 1\nx = ones([2, 3]) * W\n"
#define IN "data p = xor(100)\ninput x: [batch, 2] = p.features\n"

static const vg_row arrays[] = {
    { "axes and dimensions of every kind", IN "a = reshape(arange(6), [2, 3])",
      .wants = { { "shape(reshape(x, 2 * batch))", "int [1] 64" },
        { "transpose(a, [-1, 0])", "int [3, 2] 0 3 1 4 2 5" },
        { "flip(a, [])", "int [2, 3] 0 1 2 3 4 5" }, { "shape(pad(x, batch))[0]", "96" },
        { "full([2], a[0, 1])", "int [2] 1 1" }, { "linspace(3, 5, 1)", "[1] 3" },
        { "fan_in([8, 3, 5, 5])", "75" }, { "fan_out([8, 3, 5, 5])", "200" },
        { "flatten(sum(a))", "int [1] 15" }, { "transpose(sum(a))", "int 15" } } },
    { "tensors of different ranks stacked", "a = stack([zeros([2, 3]), 1], 2)", .error = "stack-shapes" },
    { "pairs of widths for too few axes", "a = pad(ones([2, 3]), [[1, 1]])", .error = "pad-widths" },
    { "a list that is too long", "a = linspace(0, 1, 2000000)", .error = "limit-list" },
    { "a shape that is none", X "a = full(\"a\", W)", .error = "not-shape" },
    { "a list within too many lists", "a = zeros([1]) + [[[[[[[[[1]]]]]]]]]", .error = "list-not-tensor" },
    { "rows of different depth", "a = zeros([1]) + [[[1]], [2]]", .error = "list-not-tensor" },
    { "labels of the logits' shape", "a = cross_entropy(zeros([2, 3]), reshape(arange(6), [2, 3]))",
      .error = "label-shapes" },
    { "losses of no tensors", "a = mse(relu, 1)", .error = "not-tensor" },
    { "losses of no tensors behind one", X "a = mse(x, relu)", .error = "not-tensor" },
    { "logits of no tensor", X "a = binary_cross_entropy(relu, x)", .error = "not-tensor" },
    { "logits that are none", "a = cross_entropy(relu, [1])", .error = "not-tensor" },
    { "labels that are none", X "a = cross_entropy(x, relu)", .error = "not-tensor" },
    { "a distribution of a dimension", IN "a = sample(normal(batch, 1), [2])", .error = "distribution-tensor" },
};

static const vg_row initial[] = {
    { "an initializer that gives a tensor or a number", "initializer one() for shape { return 0.5 }\n"
      "initializer ramp() for shape { return arange(shape[0]) }\nvar A: [2, 2] ~ one()\nvar B: [3] ~ ramp()",
      .wants = { { "A", "[2, 2] 0.5 0.5 0.5 0.5" }, { "B", "[3] 0 1 2" } } },
    { "an initializer that gives another one",
      "initializer other() for shape { return he_normal(0) }\nvar A: [2, 2] ~ other()",
      .wants = { { "A", "[2, 2] 0 0 0 0" } } },
    { "a tensor of another shape", "initializer ramp() for shape { return arange(7) }\nvar A: [3] ~ ramp()",
      .error = "initial-shape" },
    { "no distribution", "initializer f() for shape { return relu }\nvar A: [3] ~ f()", .error = "not-tensor" },
    { "an initializer without its call", "var A: [3, 3] ~ he_normal", .error = "not-distribution" },
    { "that depends on the batch", IN "var b: [2] = ones([2]) * (batch - 1)", .error = "initial-depends" },
    { "that depends on an input", IN "var b: [2] = x[0] + x[0]", .error = "initial-depends" },
    { "that depends on a draw", "var b: [2] = sample(normal(), [2])", .error = "initial-depends" },
    { "another shape in evaluation", "var W: [if training then 2 else 3] = 0\nx = sum(W)",
      .error = "variables-differ" },
    { "a variable in one mode only", "if training {\nvar W: [2] = 0\n}", .error = "variables-differ" },
    { "a variable in an optimizer", "optimizer f(r) for p, g {\nvar q: [] = 0\nupdate p = p - g\n}\nvar w: [] = 1\n"
      "loss = w * w\n"
      "train loss { optimizer = f(1) }", .error = "variable-refused" },
    { "a state in an initializer", "initializer f() for shape {\nstate q: [] = 0\nreturn 0\n}\nvar w: [1] ~ f()",
      .error = "variable-refused" },
    { "an update in an initializer", "var w: [1] = 0\ninitializer f() for shape {\nupdate w = w\nreturn 0\n}\n"
      "var v: [1] ~ f()", .error = "update-refused" },
    { "an update of no variable", X "update x = x", .error = "update-target" },
    { "an update of a part", X "update W[0] = 1", .error = "update-target" },
    { "an update by a scalar", X "update W = sum(W)", .steps = 2, .wants = { { "W", "[3] 3 3 3" } } },
    { "an update of another shape", X "update W = ones([4])", .error = "update-shape" },
    { "an update by nothing", X "update W = missing", .error = "unknown-name" },
};

static const vg_row constants[] = {
    { "of every kind", "const t = true\nconst f = relu\nconst l = [1, [true, \"a\"]]\nconst n = normal(0, 0)\n"
      "const d = [relu, tanh]",
      .wants = { { "if t then f(-1) else 2", "0" }, { "l[0]", "1" }, { "sample(n, [2])", "[2] 0 0" },
        { "len(d)", "2" } } },
    { "a selection", X "h[1] = x\nconst c = h[*]", .error = "const-tensor" },
    { "a family", X "h[1] = x\nconst c = h", .error = "const-tensor" },
    { "a list with a tensor in it", X "const c = [1, [x]]", .error = "const-tensor" },
    { "set to another", "const a = 1\nconst b = a + 1", .set = { "a=5" }, .wants = { { "b", "6" } } },
    { "set to nothing", "const a = 1", .set = { "a=missing" }, .error = "unknown-name" },
    { "set, but there is none", "const a = 1", .set = { "aa=5" }, .error = "unused-set" },
    { "another source, but no such data", IN, .data = { "q=xor(50)" }, .error = "unused-data" },
    { "several sources", "data p = xor(10)\ndata q = xor(20)\na = p.count\nb = q.count",
      .data = { "q=moons(50)", "p=xor(30)" },
      .wants = { { "a", "24" }, { "b", "40" } } },
};

static const vg_row strings[] = {
    { "values in strings", "const l = [1, true, \"a\", [relu, []]]\nconst a = \"{l} {false} {1 / 4}\"\n"
      "const b = if a == \"[1, true, a, [relu, []]] false 0.25\" then 1 else 2",
      .wants = { { "b", "1" } } },
    { "a dimension in one", IN "a = \"{2 * batch}\"\nb = if a == \"2 * batch\" then 1 else 2",
      .wants = { { "b", "1" } } },
    { "a long list is cut", "a = \"{[i for i in 1..3000]}\"", .wants = { { "1", "1" } } },
    { "a tensor in one", X "a = \"{x}\"", .error = "text-of-value" },
    { "a distribution in a list in one", "a = \"{[1, normal()]}\"", .error = "text-of-value" },
};

/* The first and the last of each length of UTF-8, and what lies just outside. */
static const vg_row texts[] = {
    { "letters of every length", "\xc3\xa4 = 1\n\xe0\xa0\x80 = 2\n\xed\x9e\xa3 = 3\n\xf0\x90\x80\x80 = 4",
      .wants = { { "\xc3\xa4", "1" }, { "\xe0\xa0\x80", "2" }, { "\xed\x9e\xa3", "3" }, { "\xf0\x90\x80\x80", "4" } } },
    { "no letter", "a\xf4\x8f\xbf\xbf = 1", .error = "unknown-character" },
    { "two bytes that one could be", "\xc1\xbf = 1", .error = "text-encoding" },
    { "three bytes that two could be", "\xe0\x9f\xbf = 1", .error = "text-encoding" },
    { "half a pair", "\xed\xa0\x80 = 1", .error = "text-encoding" },
    { "four bytes that three could be", "\xf0\x8f\xbf\xbf = 1", .error = "text-encoding" },
    { "behind the last character", "\xf4\x90\x80\x80 = 1", .error = "text-encoding" },
    { "no first byte", "\xf5\x80\x80\x80 = 1", .error = "text-encoding" },
    { "a byte too few", "a = \"\xe6\xbc\"", .error = "text-encoding" },
    { "a byte too many", "\x80 = 1", .error = "text-encoding" },
};

static const vg_row data[] = {
    { "a source chosen", "const small = true\ndata p = if small then xor(10) else (xor(20))\n"
      "data q = (if not small then xor(10) else xor(40))",
      .wants = { { "p.count", "8" }, { "q.count", "32" }, { "p.classes", "2" } } },
    { "another share for tests", "data p = xor(10, test = 0.5)\ndata q = xor(10, test = 0)",
      .wants = { { "p.count", "5" }, { "q.count", "10" } } },
    { "no share", "data p = xor(10, test = 1)", .error = "data-test-share" },
    { "a share that is no number", "data p = xor(10, test = \"a\")", .error = "data-test-share" },
    { "an unknown share", "data p = xor(10, test = missing)", .error = "unknown-name" },
    { "an unknown count", "data p = xor(missing)", .error = "unknown-name" },
    { "a count in letters", "data p = xor(\"ten\")", .error = "data-argument-kind" },
    { "a folder in numbers", "data p = mnist(3)", .error = "data-argument-kind" },
    { "a count of no examples", "data p = xor(0)", .error = "data-wrong" },
    { "an argument twice", "data p = xor(10, count = 5)", .error = "argument-twice" },
    { "an argument misspelt", "data p = xor(cuont = 5)", .error = "unknown-argument" },
    { "an argument of another source", "data p = xor(folder = 5)", .error = "unknown-argument" },
    { "too many arguments", "data p = xor(1, 2, 3, 4)", .error = "too-many-arguments" },
    { "no folder", "data p = mnist()", .error = "missing-argument" },
    { "a folder that is not there", "data p = mnist(\"nowhere\")", .error = "data-failed" },
    { "no source", "data p = 3", .error = "data-not-source" },
    { "a member for a source", "data p = xor.a()", .error = "data-not-source" },
    { "a source misspelt", "data p = xro(10)", .error = "unknown-source" },
    { "a source chosen by nothing", "data p = if missing then xor(10) else xor(20)", .error = "unknown-name" },
    { "no such column", IN "input y: [batch] = p.labels", .error = "no-column" },
    { "a column of no data", "input x: [batch] = 3", .error = "input-not-column" },
    { "a shape that is none", "data p = xor(10)\ninput x: 3 = p.x", .error = "input-shape-form" },
    { "a shape of another type", "data p = xor(10)\ninput x: float[batch] = p.x", .error = "input-shape-form" },
    { "a shape with a slice in it", "data p = xor(10)\ninput x: int[batch, :] = p.target",
      .error = "input-shape-form" },
    { "a shape with a star in it", "data p = xor(10)\ninput x: int[*] = p.target", .error = "input-shape-form" },
    { "no batch", "data p = xor(10)\ninput x: [] = p.x", .error = "input-shape-form" },
    { "too many axes", "input x: [a, 1, 1, 1, 1, 1, 1, 1, 1]", .error = "input-shape-form" },
    { "too many axes of integers", "input x: int[a, 1, 1, 1, 1, 1, 1, 1, 1]", .error = "input-shape-form" },
    { "integers of floats", "data p = xor(10)\ninput x: int[batch] = p.x", .error = "input-integer" },
    { "a dimension that is none", "def f(x) = x\ndata p = xor(10)\ninput x: [batch, f] = p.features",
      .error = "not-dimension" },
    { "a dimension that is missing", "data p = xor(10)\ninput x: [batch, 1 + missing] = p.features",
      .error = "unknown-name" },
    { "a symbol where a number must be", "data p = digits(20)\ninput x: [batch, n] = p.images",
      .error = "column-shape" },
    { "a batch that is a number", "data p = xor(100)\ninput x: [32, 2] = p.features",
      .wants = { { "shape(x)", "int [2] 32 2" } } },
    { "a batch that is another number", "data p = xor(100)\ninput x: [16, 2] = p.features", .error = "input-batch" },
    { "a batch computed with", "data p = xor(100)\nconst n = 16\ninput x: [2 * n, 2] = p.features",
      .wants = { { "dim(x, 0)", "32" } } },
    { "fewer examples than the batch", "data p = xor(10)\ninput x: [batch, 2] = p.features",
      .error = "too-few-examples" },
    { "two data sets of one batch", "data p = xor(100)\ndata q = moons(50)\ninput x: [batch, 2] = p.features\n"
      "input y: [batch, 2] = q.features\nz = x - y",
      .wants = { { "shape(z)", "int [2] 32 2" } } },
};

static const vg_row places[] = {
    { "a sharing call of a family of families", X "s[1] = dense(x, 3)\nt[1, 2] = dense(x, 3, weights = s[1])",
      .wants = { { "t[1, 2] == s[1]", "int [2, 3] 1 1 1 1 1 1" } } },
    { "weights that are many", X "s[1] = dense(x, 3)\nt = dense(x, 3, weights = s[*])", .error = "weights-other" },
    { "weights of no layer", X "t = dense(x, 3, weights = x)", .error = "weights-other" },
    { "weights of another layer", "layer f(x) {\nvar W: [3, 3] = 0\nreturn x @ W\n}\n" X "s = f(x)\n"
      "t = dense(x, 3, weights = s)", .error = "weights-other" },
    { "weights that lack one", X "s = dense(x, 3, bias = false)\nt = dense(x, 3, weights = s)",
      .error = "weights-missing" },
    { "weights of another shape", X "s = dense(x, 3, bias = false)\nt = dense(x, 4, bias = false, weights = s)",
      .error = "weights-shape" },
    { "weights that are missing", X "t = dense(x, 3, weights = missing)", .error = "weights-other" },
    { "weights whose call failed", X "s = dense(missing, 3)\nt = dense(x, 3, weights = s)", .error = "unknown-name" },
    { "inner layers share as well", "layer two(x) {\nh[1] = dense(x, 3)\nh[2] = relu(dense(h[1], 3))\n"
      "y = dense(dense(h[2], 4), 3)\nreturn y\n}\n" X
      "a = two(x)\nb = two(x, weights = a)", .wants = { { "a == b", "int [2, 3] 1 1 1 1 1 1" },
        { "len(vars)", "9" } } },
    { "a layer chosen", X "const wide = true\na = (if wide then dense else dense)(x, 4)\nb = (dense)(x, 2)\n"
      "c = [dense][0](x, 2)\nd = if wide then dense(x, 5) else dense(x, 6)",
      .variables = "W [3]; a.W [3, 4]; a.b [4]; b.W [3, 2]; b.b [2]; c.W [3, 2]; c.b [2]; d.W [3, 5]; d.b [5]" },
    { "a layer chosen by nothing", X "a = if missing then dense(x, 4) else x", .error = "unknown-name" },
    { "a layer in a built list", X "a = [dense(x, k) for k in 1..2]", .error = "layer-name-taken" },
    { "a layer of one turn in a built list", X "a = [dense(x, k) for k in 1..1]",
      .variables = "W [3]; a.dense.W [3, 1]; a.dense.b [1]" },
    { "a member that is near", X "a = dense(x, 2)\nb = a.w", .error = "unknown-member" },
    { "a member that is far", X "a = dense(x, 2)\nb = a.something", .error = "unknown-member" },
    { "a member of nothing", X "a = missing\nb = a.W\nc = a.W.b", .error = "unknown-name" },
    { "a member of a family", X "h[1] = dense(x, 3)\na = h.W", .error = "member-of-family" },
    { "a member that is not bound", X "h[1] = x\nh[2] = x\nh[3] = x\nh[4] = x\nh[9] = x\na = h[7]",
      .error = "no-family-member" },
    { "a member with too many indices", X "h[1] = x\n"
      "a = h[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]", .error = "no-family-member" },
    { "a part of a list", "l = [1, 2, 3, 4]", .wants = { { "l[1:-1]", "[2] 2 3" }, { "l[-3:]", "[3] 2 3 4" },
      { "len(l[2:2])", "0" }, { "l[:]", "[4] 1 2 3 4" } } },
    { "a part outside", "l = [1, 2][1:9]", .error = "list-range" },
    { "a part the wrong way round", "l = [1, 2][2:1]", .error = "list-range" },
    { "an item outside", "l = [1, 2][2]", .error = "list-range" },
    { "two indices of a list", "l = [1, 2][0, 0]", .error = "list-one-index" },
    { "an index that is missing", X "h[1] = x\na = h[missing]", .error = "unknown-name" },
    { "where a slice begins that is missing", "a = [1, 2][missing:]", .error = "unknown-name" },
    { "where a slice ends that is missing", "a = [1, 2][:missing]", .error = "unknown-name" },
    { "where a list ends that is missing", "a = [k for k in 1..missing]", .error = "unknown-name" },
    { "a default that is missing", "def f(a, b = missing) = a\nx = f(1)", .error = "unknown-name" },
    { "a signature that needs a name that is missing", X "def f(a: [n, 2 * missing]) = a\ny = f(x)",
      .error = "unknown-name" },
    { "a signature of a function", "def f(a: [n]) = a\ny = f(relu)", .error = "not-tensor" },
    { "where a loop ends that is missing", "for i in 1..missing { t = i }\na = t[1]", .error = "unknown-name" },
    { "where a loop begins that is missing", "for i in missing..2 { t = i }\na = t[1]", .error = "unknown-name" },
    { "a choice that cannot be made", "if missing {\na = 1\nfor i in 1..2 { u = i }\nvar W: [1] = 0\n} else {\n"
      "b = 2\n}\nc = a + b + W", .error = "unknown-name" },
    { "a return of a choice that cannot be made", "def f(x) {\nif missing { return x }\n}\na = f(1) + f(2)",
      .error = "unknown-name" },
    { "return at the top", "return 1", .error = "return-outside" },
    { "return in an optimizer", "optimizer f(r) for p, g { return p }\nvar w: [] = 1\nloss = w * w\n"
      "train loss { optimizer = f(1) }", .error = "return-outside" },
};

static void test_arrays(void **state) { (void)state; CHECK_ROWS(arrays); }
static void test_initial(void **state) { (void)state; CHECK_ROWS(initial); }
static void test_constants(void **state) { (void)state; CHECK_ROWS(constants); }
static void test_strings(void **state) { (void)state; CHECK_ROWS(strings); }
static void test_texts(void **state) { (void)state; CHECK_ROWS(texts); }
static void test_data(void **state) { (void)state; CHECK_ROWS(data); }
static void test_places(void **state) { (void)state; CHECK_ROWS(places); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays),  cmocka_unit_test(test_initial), cmocka_unit_test(test_constants),
        cmocka_unit_test(test_strings), cmocka_unit_test(test_texts),   cmocka_unit_test(test_data),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
