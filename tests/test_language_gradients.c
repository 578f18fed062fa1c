/* The language: grad, replace and stop_gradient. Formulas to third order, what a gradient is taken with respect to,
 * and the values at kinks, which are PyTorch's. */
#include "language_fixture.h"

#define X "x = ones([3]) * [1, 2, 3]\n"

static const vg_row formulas[] = {
    { "first order", X,
      .wants = { { "grad(sum(x ^ 3), x)", "[3] 3 12 27" },
        { "grad(sum(exp(x)), x)", "[3] 2.718281828459 7.389056098931 20.085536923188" },
        { "grad(mean(x), x)", "[3] 0.333333333333 0.333333333333 0.333333333333" },
        { "grad(prod(x), x)", "[3] 6 3 2" }, { "grad(sum(x) ^ 2, x)", "[3] 12 12 12" },
        { "grad(max(x), x)", "[3] 0 0 1" }, { "grad(x @ x, x)", "[3] 2 4 6" },
        { "grad(norm(x), x)", "[3] 0.267261241912 0.534522483825 0.801783725737" } } },
    { "second order", X "y = sum(x ^ 3)\ng = grad(y, x)\nc = cos(x)\n",
      .wants = { { "grad(sum(g), x)", "[3] 6 12 18" }, { "grad(sum(g ^ 2), x)", "[3] 36 288 972" },
        { "grad(g[1], x)", "[3] 0 12 0" }, { "grad(sum(grad(sum(sin(x)), x)), x) + sin(x)", "[3] 0 0 0" } } },
    { "third order", X "g1 = grad(sum(x ^ 4), x)\ng2 = grad(sum(g1), x)\ng3 = grad(sum(g2), x)",
      .wants = { { "g3", "[3] 24 48 72" }, { "g2", "[3] 12 48 108" },
        { "grad(sum(grad(sum(grad(sum(exp(2 * x)), x)), x)), x) / exp(2 * x)", "[3] 8 8 8" },
        { "grad(sum(grad(sum(grad(sum(tanh(x)), x)), x)), x)[0]", "0.621626680771" } } },
    { "mixed", "a = ones([]) * 2\nb = ones([]) * 3\nf = a ^ 2 * b ^ 3",
      .wants = { { "grad(grad(f, a), b)", "108" }, { "grad(grad(f, b), a)", "108" },
        { "grad(grad(grad(f, a), b), b)", "72" } } },
    { "through a product", "var W: [2, 2] ~ identity_init()\nx = ones([1, 2]) * [1, 2]\ny = x @ W\nl = sum(y ^ 2)",
      .wants = { { "grad(l, W)", "[2, 2] 2 4 4 8" }, { "grad(l, x)", "[1, 2] 2 4" },
        { "grad(sum(grad(l, x) ^ 2), W)", "[2, 2] 16 32 32 64" } } },
    { "with respect to what folds look into", "b = zeros([2])\nt = transpose(ones([2, 2]) * [[1, 2], [3, 4]])\n"
      "x = ones([1, 2]) * [1, 2]\ny = sum((x @ t) ^ 2)\nn = -x\nz = sum((-n) ^ 3)",
      .wants = { { "grad(sum(grad(sum(b ^ 3 + b ^ 2), b)), b)", "[2] 2 2" },
        { "grad(sum(grad(y, x)), t)", "[2, 2] 16 36 22 50" }, { "grad(sum(grad(z, x)), n)", "[1, 2] -6 -12" } } },
    { "a gradient penalty", "var w: [] = 3\nx = ones([2]) * [1, -1]\nD = sum(w * x ^ 2)\n"
      "gap = mean((abs(grad(D, x)) - 1) ^ 2)", .wants = { { "gap", "25" }, { "grad(gap, w)", "20" } } },
};

static const vg_row targets[] = {
    { "any node", X "u = x * 2\ny = sum(u ^ 2)",
      .wants = { { "grad(y, u)", "[3] 4 8 12" }, { "grad(y, x)", "[3] 8 16 24" } } },
    { "a list", X "z = ones([])\ny = sum(x) * z",
      .wants = { { "grad(y, [x, z])[0]", "[3] 1 1 1" }, { "grad(y, [x, z])[1]", "6" } } },
    { "a selection", "var A: [2] = 1\nvar B: [2] = 3\ny = sum(A * B)",
      .wants = { { "concat(grad(y, vars))", "[4] 3 3 1 1" }, { "total(grad(y, vars))", "[2] 4 4" } } },
    { "of some of a selection the others' is zero", "var A: [2] = 1\nvar B: [2] = 3\ny = sum(A ^ 2)",
      .wants = { { "concat(grad(y, vars))", "[4] 2 2 0 0" } } },
    { "the node as a value of its own, not one written alike", X "a = x ^ 2\nb = x ^ 2\ny = sum(a) + 10 * sum(b)",
      .wants = { { "grad(y, a)", "[3] 1 1 1" }, { "grad(y, b)", "[3] 10 10 10" }, { "grad(y, x)", "[3] 22 44 66" } }
      },
    { "a name of the same node", X "a = x * 1\nb = a\ny = sum(a * b)",
      .wants = { { "grad(y, a)", "[3] 2 4 6" }, { "grad(y, b)", "[3] 2 4 6" } } },
    { "an input", "data p = xor(100)\ninput x: [batch, 2] = p.features\ny = sum(x * 3)",
      .wants = { { "mean(grad(y, x))", "3" } } },
    { "with respect to itself", X "y = sum(x)", .wants = { { "grad(y, y)", "1" } } },
    { "depends on nothing", X "a = x + 0\ny = sum(x)\ng = grad(y, a)", .error = "gradient-none" },
    { "a selection it depends on nothing of", "var A: [2] = 1\ny = ones([])\ng = grad(y, vars)",
      .error = "gradient-none" },
    { "no scalar", X "g = grad(x ^ 2, x)", .error = "grad-not-scalar" },
    { "an integer", "i = arange(3)\ng = grad(sum(float(i)), i)", .error = "gradient-integer" },
    { "blocked", X "g = grad(sum(floor(x)), x)", .error = "gradient-blocked" },
    { "a number", X "g = grad(sum(x), 3)", .error = "grad-not-node" },
    { "stop_gradient", X,
      .wants = { { "grad(sum(x * stop_gradient(x)), x)", "[3] 1 2 3" }, { "stop_gradient(x)", "[3] 1 2 3" } } },
    { "all stopped", X "g = grad(sum(stop_gradient(x)), x)", .error = "gradient-blocked" },
    { "one path is enough", X,
      .wants = { { "grad(sum(x * floor(x)), x)", "[3] 1 2 3" }, { "grad(sum(x * float(x > 1)), x)", "[3] 0 1 1" } }
      },
    { "through what moves", X "i = [2, 0]",
      .wants = { { "grad(sum(gather(x, i) ^ 2), x)", "[3] 2 0 6" }, { "grad(sum(x[1:] * x[:-1]), x)", "[3] 2 4 2" },
        { "grad(sum(concat([x, x * 2])), x)", "[3] 3 3 3" }, { "grad(sum(stack([x, x])), x)", "[3] 2 2 2" },
        { "grad(sum(flip(x) * x), x)", "[3] 6 4 2" }, { "grad(sum(pad(x, 1) ^ 2), x)", "[3] 2 4 6" },
        { "grad(sum(reshape(x, [3, 1]) * x), x)", "[3] 12 12 12" },
        { "grad(sum(broadcast(x, [2, 3])), x)", "[3] 2 2 2" }, { "grad(sum(cumsum(x, 0)), x)", "[3] 3 2 1" },
        { "grad(sum(x + ones([2, 1])), x)", "[3] 2 2 2" } } },
};

static const vg_row replaced[] = {
    { "computed with another value", X "y = sum(x ^ 2)\nz = replace(y, x, x + 1)",
      .wants = { { "z", "29" }, { "y", "14" } } },
    { "in the middle", X "u = x * 2\ny = sum(u * x)",
      .wants = { { "replace(y, u, x)", "14" }, { "replace(y, x, [0, 0, 1])", "2" } } },
    { "the gradient of what was replaced", X "y = sum(x ^ 2)\nz = replace(y, x, x * 3)",
      .wants = { { "grad(z, x)", "[3] 18 36 54" } } },
    { "a selection, a step ahead", "var A: [2] = 1\nvar B: [2] = 3\nl = sum(A ^ 2) + sum(B ^ 2)\n"
      "fast = replace(l, vars, vars - 0.1 * grad(l, vars))",
      .wants = { { "fast", "12.8" }, { "concat(grad(fast, vars))", "[4] 1.28 1.28 3.84 3.84" } } },
    { "a list", X "z = ones([])\ny = sum(x) * z", .wants = { { "replace(y, [x, z], [x * 2, z + 1])", "24" } } },
    { "at once, not one after the other", "a = ones([]) * 2\nb = ones([]) * 5\ny = a - b",
      .wants = { { "replace(y, [a, b], [b, a])", "3" } } },
    { "draws stay the same", "a = ones([3])\nr = sample(normal(0, 1), [3])\ny = sum(a * r)",
      .wants = { { "replace(y, a, a + 0) - y", "0" } } },
    { "nothing of it in there", X "y = sum(x)\nz = replace(y, x * 1, x)", .error = "replace-none" },
    { "another shape", X "y = sum(x)\nz = replace(y, x, ones([2]))", .error = "replace-shape" },
    { "within a gradient", X "y = sum(x ^ 2)\ng = sum(grad(y, x))", .wants = { { "replace(g, x, x * 10)", "120" } } },
};

#define G(of, at) "grad(sum(" of "), " at ")"
static const vg_row kinks[] = {
    { "at 0", "x = zeros([2]) + [0, -1]\nz = zeros([2])",
      .wants = { { G ( "relu(x)" , "x" ), "[2] 0 0" }, { G ( "abs(x)" , "x" ), "[2] 0 -1" },
        { "grad(norm(z), z)", "[2] 0 0" }, { "grad(rms(z), z)", "[2] 0 0" }, { "grad(std(z), z)", "[2] 0 0" },
        { G ( "relu(x) ^ 2" , "x" ), "[2] 0 0" }, { G ( "leaky_relu(x)" , "x" ), "[2] 0.01 0.01" } } },
    { "ties share", "x = ones([3])\ny = ones([3]) * [1, 2, 0]",
      .wants = { { "grad(max(x), x)", "[3] 0.333333333333 0.333333333333 0.333333333333" },
        { "grad(min(y * x), y)", "[3] 0 0 1" }, { G ( "maximum(x, y)" , "x" ), "[3] 0.5 0 1" },
        { G ( "minimum(x, y)" , "x" ), "[3] 0.5 1 0" }, { G ( "maximum(x, y)" , "y" ), "[3] 0.5 1 0" },
        { "grad(sum(max(stack([x, y]), axis = 0)), x)", "[3] 0.5 0 1" } } },
    { "bounds pass", "x = zeros([3]) + [0, 1, 2]",
      .wants = { { G ( "clamp(x, 0, 1)" , "x" ), "[3] 1 1 0" }, { G ( "hard_tanh(x)" , "x" ), "[3] 1 0 0" },
        { G ( "hard_sigmoid(x * 3)" , "x" ), "[3] 0.5 0 0" }, { G ( "elu(x)" , "x" ), "[3] 1 1 1" } } },
    { "a branch that is not taken", "x = zeros([2]) + [-1, 4]",
      .wants = { { G ( "select(x > 0, sqrt(select(x > 0, x, 1)), 0)" , "x" ), "[2] 0 0.25" },
        { G ( "select(x > 0, log(x), x)" , "x" ), "[2] 1 0.25" } } },
    { "powers at 0", "x = zeros([2])",
      .wants = { { G ( "x ^ 2" , "x" ), "[2] 0 0" }, { G ( "x ^ 1" , "x" ), "[2] 1 1" },
        { G ( "x ^ 0" , "x" ), "[2] 0 0" }, { "grad(sum(grad(sum(x ^ 2), x)), x)", "[2] 2 2" } } },
    { "no overflow", "x = zeros([2]) + [1000, -1000]",
      .wants = { { G ( "softplus(x)" , "x" ), "[2] 1 0" }, { G ( "sigmoid(x)" , "x" ), "[2] 0 0" },
        { G ( "log_softmax(x)[0:1]" , "x" ), "[2] 0 0" }, { "logsumexp(x)", "1000" },
        { "grad(logsumexp(x), x)", "[2] 1 0" }, { "grad(sum(binary_cross_entropy(x, zeros([2]))), x)", "[2] 1 0" } }
      },
};
#undef G
#undef X

static void test_formulas(void **state) { (void)state; CHECK_ROWS(formulas); }
static void test_targets(void **state) { (void)state; CHECK_ROWS(targets); }
static void test_replaced(void **state) { (void)state; CHECK_ROWS(replaced); }
static void test_kinks(void **state) { (void)state; CHECK_ROWS(kinks); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas), cmocka_unit_test(test_targets), cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_kinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
