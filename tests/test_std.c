/* What the standard library's text does where formulas break: derivatives of every order at kinks, infinities and NaN
 * in branches not taken, dropout's ends, initial values, and sgd's rule step by step. Ordinary values are compared with
 * PyTorch's by test_reference. */
#include "language_fixture.h"

#define TRAIN(optimizer) \
    "var w: [] = 1\nloss = 3 * w\ntrain loss { optimizer = " optimizer "\n steps = 9 }\n"
#define DERIVATIVES(f) "a = x\ny = " f "\ng = grad(sum(y), x)\nh = grad(sum(g), x)\nk = grad(sum(h), x)\n"

static const vg_row rows[] = {
    { "softplus is smooth at 0", "var x: [3] = [0, -200, 200]\n" DERIVATIVES("softplus(x)"),
      .wants = { { "y", "[3] 0.69314718056 0 200" }, { "g", "[3] 0.5 0 1" }, { "h", "[3] 0.25 0 0" },
                 { "k", "[3] 0 0 0" } } },
    { "softplus at the ends", "var x: [3] = [-inf, inf, 0 * inf]\n" DERIVATIVES("softplus(x)"),
      .wants = { { "y", "[3] 0 inf nan" }, { "g", "[3] 0 1 nan" } } },
    { "binary_cross_entropy is smooth at 0",
      "var x: [3] = [0, 100, -100]\n" DERIVATIVES("binary_cross_entropy(x, [1, 1, 1])"),
      .wants = { { "y", "[3] 0.69314718056 0 100" }, { "g", "[3] -0.5 0 -1" }, { "h", "[3] 0.25 0 0" } } },
    { "binary_cross_entropy of a small loss", "var x: [1] = [15]\ny = binary_cross_entropy(x, [1])\n",
      .wants = { { "y * 1e6", "[1] 0.305902273" } } },
    { "clamp's gradient is 1 at its bounds",
      "var x: [5] = [-2, -1, 0, 1, 2]\n" "y = clamp(x, -1, 1)\ng = grad(sum(y), x)\n",
      .wants = { { "y", "[5] -1 -1 0 1 1" }, { "g", "[5] 0 1 1 1 0" } } },
    { "clamp keeps integers", "i = arange(4)\n", .wants = { { "clamp(i, 1, 2)", "int [4] 1 1 2 2" } } },
    { "hard pieces at their bounds",
      "var x: [4] = [-3, -1, 1, 3]\na = grad(sum(hard_sigmoid(x)), x)\nb = grad(sum(hard_tanh(x)), x)\n",
      .wants = { { "hard_sigmoid(x)", "[4] 0 0.333333333333 0.666666666667 1" }, { "a * 6", "[4] 0 1 1 0" },
        { "hard_tanh(x)", "[4] -1 -1 1 1" }, { "b", "[4] 0 0 0 0" } } },
    { "NaN stays NaN", "x = [0 * inf]\n",
      .wants = { { "elu(x)", "[1] nan" }, { "selu(x)", "[1] nan" }, { "mish(x)", "[1] nan" },
                 { "leaky_relu(x)", "[1] nan" },
        { "hard_sigmoid(x)", "[1] nan" }, { "hard_tanh(x)", "[1] nan" }, { "clamp(x, 0, 1)", "[1] nan" },
        { "std(x)", "nan" }, { "norm(x)", "nan" }, { "logsumexp(x)", "nan" }, { "huber(x, [0])", "nan" } } },
    { "no NaN from what elu does not take", "var x: [2] = [1000, -1000]\n" DERIVATIVES("elu(x, 2)"),
      .wants = { { "y", "[2] 1000 -2" }, { "g", "[2] 1 0" }, { "h", "[2] 0 0" } } },
    { "roots of zero", "var x: [2] = [0, 0]\ng = grad(norm(x) + rms(x) + std(x), x)\nh = grad(sum(g), x)\n",
      .wants = { { "norm(x)", "0" }, { "g", "[2] 0 0" }, { "h", "[2] 0 0" } } },
    { "softsign twice", "var x: [3] = [0, 1, -1]\n" DERIVATIVES("softsign(x)"),
      .wants = { { "y", "[3] 0 0.5 -0.5" }, { "g", "[3] 1 0.25 0.25" }, { "h", "[3] 0 -0.25 0.25" } } },
    { "logsumexp keeps its axes", "x = [[0, 0], [1, 1]]\n",
      .wants = { { "logsumexp(x, axis = 1, keep = true)", "[2, 1] 0.69314718056 1.69314718056" },
        { "logsumexp(x, axis = [0, 1])", "2.00640886" },
                 { "logsumexp(x, keep = true)", "[1, 1] 2.00640886" } }, .single = true },
    { "logsumexp of large numbers", "x = [1000, 1000]\n",
      .wants = { { "round((logsumexp(x) - 1000) * 1000)", "693" } }, .set = { NULL }, .single = true,
      .steps = 1 },
    { "cross_entropy of what cannot be", "x = [[0, -inf]]\n",
      .wants = { { "cross_entropy(x, arange(1))", "[1] 0" }, { "cross_entropy(x, [[1, 0]])", "[1] 0" },
                 { "cross_entropy(x, [[0.5, 0.5]])", "[1] inf" } } },
    { "dropout's ends", "var x: [3] = [1, inf, 3]\n",
      .wants = { { "dropout(x, 0)", "[3] 1 inf 3" }, { "dropout(x, 1)", "[3] 0 0 0" } } },
    { "no dropout in evaluation", "var x: [3] = [1, 2, 3]\n",
      .wants = { { "dropout(x, 0.5)", "[3] 1 2 3" } }, .evaluation = true },
    { "dropout scales what is left", "var x: [10000] = 1\nd = dropout(x, 0.75)\n",
      .wants = { { "max(d)", "4" }, { "min(d)", "0" }, { "round(mean(d) * 10)", "10" } } },
    { "an identity that is not square", "var W: [2, 3] ~ identity_init(gain = 2)\n",
      .wants = { { "W", "[2, 3] 2 0 0 0 2 0" } } },
    { "uniform initial values lie in their bounds",
      "var A: [100, 50] ~ glorot_uniform()\nvar B: [100, 50] ~ he_uniform()\nvar C: [100, 50] ~ lecun_uniform()\n",
      .wants = { { "max(abs(A)) <= 0.2", "int 1" }, { "max(abs(A)) > 0.199", "int 1" },
                 { "max(abs(B)) <= 0.06 ^ 0.5", "int 1" },
        { "max(abs(B)) > 0.2445", "int 1" }, { "max(abs(C)) <= 0.03 ^ 0.5", "int 1" },
                 { "max(abs(C)) > 0.1727", "int 1" } } },
    { "normal initial values have their deviation",
      "var A: [200, 300] ~ glorot_normal()\nvar B: [200, 300] ~ he_normal()\nvar C: [200, 300] ~ lecun_normal()\n",
      .wants = { { "round(std(A) / (2 / 500) ^ 0.5 * 50)", "50" }, { "round(std(B) * 10 * 50)", "50" },
                 { "round(std(C) / 0.005 ^ 0.5 * 50)", "50" } } },
    { "dense on the last of three axes",
      "var x: [2, 3, 4] = 1\nh = dense(x, 5, relu, init = identity_init(), bias = false)\n",
      .wants = { { "sum(h)", "24" }, { "shape(h)", "int [3] 2 3 5" } }, .variables = "x [2, 3, 4]; h.W [4, 5]" },
    { "sgd", TRAIN("sgd(rate = 0.1)"), .wants = { { "w", "0.4" } }, .steps = 3, .variables = "w" },
    { "sgd with decay", TRAIN("sgd(rate = 0.1, decay = 0.5)"), .wants = { { "w", "0.3175" } }, .steps = 3 },
    { "sgd with momentum", TRAIN("sgd(rate = 0.1, momentum = 0.9)"),
      .wants = { { "w", "0.13" } }, .steps = 3, .variables = "w; train.w.m" },
    { "Nesterov's sgd", TRAIN("sgd(rate = 0.1, momentum = 0.9, nesterov = true, decay = 0.5)"),
      .wants = { { "w", "-0.550325" } }, .steps = 3 },
};

#undef TRAIN
#undef DERIVATIVES

static void test_library(void **state) {
    (void)state;
    CHECK_ROWS(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_library) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
