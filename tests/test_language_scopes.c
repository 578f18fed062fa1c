/* The language: where names live. Bindings, loops and families, layers' scopes, and variables shared by weights. */
#include "language_fixture.h"

/* A layer in one line, for the rows below. */
#define FC "layer fc(x: [n, d], k) {\nvar W: [d, k] = 1\nz = x @ W\nreturn z\n}\nx = ones([1, 2])\n"

static const vg_row bindings[] = {
    { "bound once", "a = 1\na = 2", .error = "bound-twice" },
    { "a member is bound once", "h[1] = 1\nh[1] = 2", .error = "bound-twice" },
    { "a name and a family", "h = 1\nh[1] = 2", .error = "bound-twice" },
    { "known from behind its own statement on", "a = a + 1", .error = "unknown-name" },
    { "a member is known from behind its own statement on", "h[0] = 1\nh[1] = h[1] + 1", .error = "no-family-member" },
    { "a variable is known from behind its own statement on", "var W: [2] = W", .error = "unknown-name" },
    { "not known before", "a = b\nb = 1", .error = "unknown-name" },
    { "one more name of the same node", "x = ones([2])\ns = x\nl = sum(s ^ 2)",
      .wants = { { "grad(l, x)", "[2] 2 2" } } },
    { "indices", "h[-1] = 1\nh[2, 3] = 5\nh[2 * 2] = 7",
      .wants = { { "h[-1]", "1" }, { "h[2, 3]", "5" }, { "h[4]", "7" } } },
    { "an index that is not whole", "h[0.5] = 1", .error = "not-whole" },
    { "a member that is not there", "h[1] = 1\na = h[2]", .error = "no-family-member" },
};

static const vg_row loops[] = {
    { "a plain name makes members", "for i in 1..3 {\nt = i * 10\nu = t + 1\n}",
      .wants = { { "t[2]", "20" }, { "u[3]", "31" }, { "total(u[*])", "63" } } },
    { "nested loops, outermost first", "for i in 1..2 {\nfor j in 5..6 {\nt = 10 * i + j\n}\n}",
      .wants = { { "t[2, 5]", "25" } } },
    { "both ends included, none the other way round", "for i in 1..0 {\na = nowhere\n}\nfor i in 2..2 {\nb = i\n}",
      .wants = { { "b[2]", "2" } } },
    { "var and state in a loop", "for i in 1..2 {\nvar W: [i] = i\nstate s: [1] = 0\n}",
      .wants = { { "W[2]", "[2] 2 2" } }, .variables = "W[1] [1]; s[1] [1]; W[2] [2]; s[2] [1]" },
    { "in the body the name is this turn's value", "x = arange(6)\nfor i in 1..2 {\nt = reshape(x, [2, 3])\n"
      "u = t[1, :] * i\n}", .wants = { { "u[2]", "int [3] 6 8 10" } } },
    { "families written out", "h[0] = 1\nfor i in 1..4 {\nh[i] = h[i-1] * 2\n}", .wants = { { "h[4]", "16" } } },
    { "two indices", "for i in 0..1 { for j in 0..1 {\nh[i, j] = i * 2 + j\n} }", .wants = { { "h[1, 0]", "2" } } },
    { "after the loop the name says which turn's", "for i in 1..2 {\nt = i\n}\na = t", .error = "loop-name-outside" },
    { "behind an inner loop, too", "for i in 1..2 { for j in 1..2 {\nt = i\n}\nu = t\n}",
      .error = "loop-name-outside" },
    { "and its members by all indices", "for i in 1..2 { for j in 1..2 {\nt = i * j\n}\nu = t[i, 2]\n}",
      .wants = { { "u[2]", "4" } } },
    { "before its line the name is not known in any turn", "for i in 1..2 {\nu = t\nt = i\n}",
      .error = "unknown-name" },
    { "a plain name knows no other turn", "for i in 1..2 {\nt = if i == 1 then 1 else t[i-1]\n}",
      .error = "unknown-name" },
    { "the library's function in every turn", "for i in 1..2 {\nrelu = relu(i - 2)\n}",
      .wants = { { "relu[1]", "0" }, { "relu[2]", "0" } } },
    { "a name bound outside", "x = 1\nfor i in 1..2 {\nx = x + 1\n}", .error = "bound-outside-loop" },
    { "a name bound in the loop around", "for i in 1..2 {\nt = 1\nfor j in 1..2 {\nt = 2\n}\n}",
      .error = "bound-twice" },
    { "a loop's name may not hide", "i = 1\nfor i in 1..2 {\na = i\n}", .error = "bound-twice" },
    { "a loop's name is free again", "for i in 1..2 { a = i }\nfor i in 5..6 { b = i }", .wants = { { "b[6]", "6" } } },
    { "members of another loop", "for i in 1..3 {\nt = i\n}\nfor i in 1..3 {\nu = t[4 - i]\n}",
      .wants = { { "u[1]", "3" } } },
    { "bounds are constants", "const n = 3\nx = ones([n, 2])\nfor i in 1..dim(x, 0) {\nt = x[i - 1, 0]\n}",
      .wants = { { "t[3]", "1" } } },
    { "a bound that data tells", "input x: [batch]\nfor i in 1..batch {\nt = i\n}", .error = "not-whole" },
    { "a bound that is no whole number", "for i in 1..2.5 {\nt = i\n}", .error = "not-whole" },
    { "a summary sees its own turn", "for i in 1..2 {\nsummary scalar t\nexpect t == i\nt = i\n}",
      .wants = { { "t[2]", "2" } } },
    { "a hundred turns of a recurrence", "h[0] = 0\nfor i in 1..100 { h[i] = h[i-1] + i }",
      .wants = { { "h[100]", "5050" } } },
};

static const vg_row layers[] = {
    { "a binding owns the one call", FC "h[1] = fc(x, 2)\nh[2] = relu(fc(h[1], 3)) + 1",
      .wants = { { "h[2]", "[1, 3] 5 5 5" }, { "h[2].z", "[1, 3] 4 4 4" }, { "shape(h[2].W)", "int [2] 2 3" } },
      .variables = "h[1].W [2, 2]; h[2].W [2, 3]" },
    { "a call in a layer call's arguments gets its layer's name", FC "a = fc(fc(x, 3), 4)",
      .wants = { { "a.fc.W", "[2, 3] 1 1 1 1 1 1" } }, .variables = "a.fc.W [2, 3]; a.W [3, 4]" },
    { "two calls in a binding", FC "layer wide(x: [n, d]) {\nvar V: [d] = 1\nreturn x * V\n}\na = fc(x, 2) + wide(x)",
      .wants = { { "a", "[1, 2] 3 3" } }, .variables = "a.fc.W [2, 2]; a.wide.V [2]" },
    { "two calls of one layer in a binding", FC "a = fc(x, 2) + fc(x, 2)", .error = "layer-name-taken" },
    { "the call counts, not where it stands", FC "def twice(x) = 2 * x\na = twice(fc(x, 2))\nb = [fc(x, 1)][0]\n"
      "c = (if true then fc(x, 1) else 0)", .variables = "a.W [2, 2]; b.W [2, 1]; c.W [2, 1]" },
    { "layers within layers", FC "layer two(x: [n, d], k) {\na = fc(x, k)\nb = fc(a, k)\nreturn b\n}\n"
      "h = two(x, 3)", .wants = { { "h.a.z", "[1, 3] 2 2 2" }, { "h.b.W[0, :]", "[3] 1 1 1" } },
      .variables = "h.a.W [2, 3]; h.b.W [3, 3]" },
    { "a call in a return", FC "layer two(x: [n, d], k) {\na = fc(x, k)\nreturn fc(a, 1)\n}\nh = two(x, 3)",
      .variables = "h.a.W [2, 3]; h.fc.W [3, 1]" },
    { "its scope has members, but no value", "layer two(x) {\nreturn dense(x, 2)\n}\nh = two(ones([1, 2]))\n"
      "b = h.dense.b\n" "c = h.dense", .error = "scope-no-value" },
    { "nor have the optimizer's scopes", "for i in 1..2 {\nvar w: [] = 1\n}\ntrain w[1] { optimizer = sgd(1, 0.5) }\n"
      "summary scalar train.w[1].m, train.w[1]", .error = "scope-no-value" },
    { "loops in a layer", FC "layer deep(x: [n, d]) {\nh[0] = x\nfor i in 1..2 {\nh[i] = fc(h[i-1], d)\n}\n"
      "for i in 1..2 {\nvar b: [i] = i\n}\nreturn h[2]\n}\nm = deep(x)",
      .wants = { { "m.h[1].W[0, 1]", "1" }, { "m.b[2]", "[2] 2 2" } },
      .variables = "m.h[1].W [2, 2]; m.h[2].W [2, 2]; m.b[1] [1]; m.b[2] [2]" },
    { "layers in loops by plain names", FC "for i in 1..2 {\nt = fc(x, i)\n}",
      .variables = "t[1].W [2, 1]; t[2].W [2, 2]" },
    { "one call in a built list is several", FC "h = [fc(x, 1) for i in 1..1]", .variables = "h.fc.W [2, 1]" },
    { "a layer that is a value", FC "const f = fc\na = f(x, 2)\nlayer g(x: [n, d], make) {\nreturn make(x, 1)\n}\n"
      "b = g(x, fc)", .variables = "a.W [2, 2]; b.fc.W [2, 1]" },
    { "without variables", "layer two(x) {\nreturn 2 * x\n}\na = two(3)", .wants = { { "a", "6" } } },
    { "a layer may return a list", FC "layer pair(x: [n, d]) {\nvar W: [d] = 3\nreturn [x * W, x]\n}\np = pair(x)",
      .wants = { { "p[0]", "[1, 2] 3 3" }, { "p.W", "[2] 3 3" } } },
    { "a layer's dimensions hide outer names", FC "const d = 7\nh = fc(x, d)", .variables = "h.W [2, 7]" },
    { "in a def", FC "def f(x) = fc(x, 2)\na = f(x)", .error = "layer-refused" },
    { "in a summary", FC "summary scalar sum(fc(x, 2))", .error = "layer-refused" },
    { "in an expect", FC "expect sum(fc(x, 2)) > 0", .error = "layer-refused" },
    { "in a train", FC "train sum(fc(x, 2)) { }", .error = "layer-refused" },
    { "outside a binding in the scope around", FC "state s: [1, 2] = 0\nupdate s = dense(x, 2)\nh = dense(x, 1)",
      .variables = "s [1, 2]; dense.W [2, 2]; dense.b [2]; h.W [2, 1]; h.b [1]",
      .wants = { { "dense.b", "[2] 0 0" }, { "relu(2)", "2" } } },
    { "where its name is taken", FC "state s: [1, 2] = 0\nupdate s = fc(x, 2)", .error = "layer-name-taken" },
    { "twice in a return", "layer two(x: [n, d]) {\nreturn dense(dense(x, 3), 1)\n}\nh = two(ones([1, 2]))",
      .error = "layer-name-taken" },
    { "in an initializer", FC "initializer f() for shape { return sum(fc(x, 2)) }\nvar W: [2] ~ f()",
      .error = "layer-refused" },
    { "in an optimizer", FC "var w: [] = 0\noptimizer o() for p, g { update p = sum(fc(x, 2)) }\n"
      "train w { optimizer = o() }", .error = "layer-refused" },
    { "neither bound nor used", FC "fc(x, 2)", .error = "unused-value" },
    { "a name for a scope that is taken", FC "layer two(x: [n, d]) {\nfc = x\nreturn fc(x, 1) + sum(x)\n}\n"
      "h = two(x)", .error = "not-function" },
};

#define CELL \
    "layer cell(x: [n, d], s: [n, k]) {\nvar W: [d, k] = 1\nvar U: [k, k] = 1\nz = x @ W + s @ U\nreturn z\n}\n" \
    "x = ones([1, 2])\n"
static const vg_row sharing[] = {
    { "weights of an earlier call", FC "a = fc(x, 2)\nb = fc(x * 3, 2, weights = a)",
      .wants = { { "b", "[1, 2] 6 6" }, { "b.z", "[1, 2] 6 6" }, { "grad(sum(b), a.W)", "[2, 2] 3 3 3 3" } },
      .variables = "a.W [2, 2]" },
    { "the binding's own family in a loop", CELL "s[0] = zeros([1, 1])\nfor t in 1..3 {\n"
      "s[t] = cell(x, s[t-1], weights = s[1])\n}",
      .wants = { { "s[3]", "[1, 1] 6" }, { "s[2].z", "[1, 1] 4" }, { "len(s[*])", "4" } },
      .variables = "s[1].W [2, 1]; s[1].U [1, 1]" },
    { "inner layers' too", FC "layer two(x: [n, d], k) {\na = fc(x, k)\nvar c: [k] = 2\nreturn fc(a, d) * sum(c)\n"
      "}\n" "p = two(x, 3)\nq = two(p, 3, weights = p)\nr = two(p, 3, weights = q)",
      .variables = "p.a.W [2, 3]; p.c [3]; p.fc.W [3, 2]",
      .wants = { { "q - r", "[1, 2] 0 0" }, { "q.a", "[1, 3] 72 72 72" } } },
    { "loops within shared layers", "layer deep(x) {\nfor i in 1..2 {\nvar b: [2] = i\n}\nreturn x + b[1] + b[2]\n"
      "}\np = deep(0)\nq = deep(10, weights = p)", .variables = "p.b[1] [2]; p.b[2] [2]",
      .wants = { { "q", "[2] 13 13" } } },
    { "another layer", FC "layer other(x: [n, d], k) {\nvar W: [d, k] = 1\nreturn x @ W\n}\na = fc(x, 2)\n"
      "b = other(x, 2, weights = a)", .error = "weights-other" },
    { "another shape", FC "a = fc(x, 2)\nb = fc(x, 3, weights = a)", .error = "weights-shape" },
    { "what is no call", FC "a = x + 1\nb = fc(x, 3, weights = a)", .error = "weights-other" },
    { "a call that comes later", FC "b = fc(x, 2, weights = a)\na = fc(x, 2)", .error = "weights-other" },
    { "patterns see a shared variable once", FC "a = fc(x, 2)\nb = fc(x, 2, weights = a)",
      .wants = { { "len(vars)", "1" } } },
    { "updates of a shared state follow each other", "layer count(x) {\nstate n: [] = 0\nupdate n = n + x\n"
      "return n\n}\na = count(1)\nb = count(10, weights = a)\nc = count(100, weights = b)", .steps = 2,
      .wants = { { "a", "111" }, { "b", "112" }, { "c", "122" } }, .variables = "a.n" },
    { "but not in evaluation", "layer count(x) {\nstate n: [] = 7\nupdate n = n + x\nreturn n\n}\na = count(1)\n"
      "b = count(10, weights = a)", .steps = 2, .evaluation = true, .wants = { { "b", "7" } } },
    { "an update of what is not the call's own", "state n: [] = 0\nlayer count(x) {\nupdate n = n + x\nreturn x\n"
      "}\na = count(1)\nb = count(10, weights = a)", .error = "updated-twice" },
};
#undef CELL
#undef FC

static void test_bindings(void **state) { (void)state; CHECK_ROWS(bindings); }
static void test_loops(void **state) { (void)state; CHECK_ROWS(loops); }
static void test_layers(void **state) { (void)state; CHECK_ROWS(layers); }
static void test_sharing(void **state) { (void)state; CHECK_ROWS(sharing); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bindings), cmocka_unit_test(test_loops), cmocka_unit_test(test_layers),
        cmocka_unit_test(test_sharing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
