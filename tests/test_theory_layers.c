/* Deep-learning arithmetic that theory predicts: fans, what the tutorial's sigmoids do to a batch's gradient,
 * residual blocks, dropout, normalisation. The errors are worked out as in test_theory.c. */
#include "theory_fixture.h"

/* ---- fans: Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"; He et
 * al. 2015
 *
 * A linear layer [in, out] multiplies the mean square of what flows forward by Var(w) in, of what flows back by
 * Var(w) out. Lecun's 1 / in keeps the first, 1 / out (he_out below is twice that) the second, glorot's 2 / (in +
 * out) makes their arithmetic mean 1: each is off by as much as the other, to the other side. Both are kept only
 * where the two are equal. Of an orthogonal matrix the longer side's vectors have squares 1 / max(in, out) in the
 * mean.
 *
 * Given B rows x of independent elements the sum of squares of x W has the relative variance (2 / out) tr(G^2) /
 * tr(G)^2 with G = x x', and tr(G^2) / tr(G)^2 = 1 / B + 1 / in in the mean. Uniform and orthogonal weights vary
 * less. */
typedef double (*vg_variance)(double in, double out);
static double by_in(double in, double out) { (void)out; return 1 / in; }
static double by_in_twice(double in, double out) { (void)out; return 2 / in; }
static double by_out_twice(double in, double out) { (void)in; return 2 / out; }
static double by_both(double in, double out) { return 2 / (in + out); }
static double by_longer(double in, double out) { return 1 / fmax(in, out); }

static const struct { const char *init; vg_variance variance; } fans[] = {
    { "lecun_normal()", by_in },        { "lecun_uniform()", by_in }, { "he_normal()", by_in_twice },
    { "he_uniform()", by_in_twice },    { "he_out()", by_out_twice }, { "glorot_normal()", by_both },
    { "glorot_uniform()", by_both },    { "orthogonal()", by_longer },
};

enum { ROWS = 64, SEEDS = 4 };

/* The first two fetches, means over the seeds. */
static void measure_means(const vg_experiment *e, double *forward, double *backward) {
    double values[FETCHES][LENGTH];
    vg_model *model = load_experiment(e);
    *forward = *backward = 0;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        measure(e, model, seed, values);
        *forward += values[0][0] / SEEDS;
        *backward += values[1][0] / SEEDS;
    }
    vg_model_free(model);
}

static unsigned check_fan(const char *init, vg_variance variance, double in, double out) {
    const vg_experiment e = {
        .model = "const inputs = 1; const units = 1; const init = he_normal()\n"
                 "initializer he_out() for shape { return normal(0, sqrt(2 / fan_out(shape))) }\n"
                 "x = sample(normal(0, 1), [64, inputs])\n"
                 "y = dense(x, units, init = init)\n"
                 "g = sample(normal(0, 1), [64, units])            # what comes back\n"
                 "forward  = mean(square(y)) / mean(square(x))\n"
                 "backward = mean(square(grad(sum(y * g), x))) / mean(square(g))\n",
        .fetch = { "forward", "backward" },
        .set = { { "inputs", NULL, in }, { "units", NULL, out }, { "init", init, 0 } },
    };
    const double s = variance(in, out);
    double forward, backward;
    char name[64];
    snprintf(name, sizeof name, "%s of [%g, %g]", init, in, out);
    measure_means(&e, &forward, &backward);
    const double error = sqrt(2 / out * (1.0 / ROWS + 1 / in) / SEEDS);
    const double error_back = sqrt(2 / in * (1.0 / ROWS + 1 / out) / SEEDS);
    return differs(name, "forward", forward / (s * in), 1, ERRORS * error) +
           differs(name, "backward", backward / (s * out), 1, ERRORS * error_back);
}

/* A filter [out, in, k, k] adds up in k^2 terms; back to a pixel come out k^2, fewer at an edge: all that 10 by 10
 * places send is spread over 12 by 12 pixels. G is of patches now, which overlap: tr(G^2) / tr(G)^2 is 1 / (in k^2)
 * and, over the number of patches, the sum of the squares of the shares that one has in common with its neighbours,
 * (1/9 + 4/9 + 1 + 4/9 + 1/9)^2 = 361/81 for k = 3. */
static unsigned check_filter(double in, double out) {
    const vg_experiment e = {
        .model = "const inputs = 1; const units = 1\n"
                 "x = sample(normal(0, 1), [8, inputs, 12, 12])\n"
                 "y = conv(x, units, 3, pad = 0, init = he_normal())\n"
                 "g = sample(normal(0, 1), [8, units, 10, 10])\n"
                 "forward  = mean(square(y)) / mean(square(x))\n"
                 "backward = mean(square(grad(sum(y * g), x))) / mean(square(g))\n",
        .fetch = { "forward", "backward" }, .set = { { "inputs", NULL, in }, { "units", NULL, out } },
    };
    double forward, backward;
    measure_means(&e, &forward, &backward);
    const double overlap = 361.0 / 81 / (8 * 100);
    const double error = sqrt(2 / out * (overlap + 1 / (9 * in)) / SEEDS);
    const double error_back = sqrt(2 / in * (overlap + 1 / (9 * out)) / SEEDS);
    return differs("a filter", "forward", forward, 2, ERRORS * 2 * error) +
           differs("a filter", "backward", backward / (2 * out / in * 100 / 144), 1, ERRORS * error_back);
}

static void test_fans(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof fans / sizeof *fans; k++) {
        wrong += check_fan(fans[k].init, fans[k].variance, 256, 64);
        wrong += check_fan(fans[k].init, fans[k].variance, 64, 256);
    }
    wrong += check_filter(8, 32) + check_filter(32, 8);
    assert_int_equal(wrong, 0);
}

/* ---- models/deep_sigmoid.nn: why the gradients of its weights narrow towards the input
 *
 * 128 inputs with weights of variance 1 are sigma_w^2 = 128. q = 128 E[sigmoid(z)^2] is 57 and most units are
 * saturated, yet the mean square of one example's gradient does not shrink: 128 E[sigmoid'(z)^2] is 1.11 (a row in
 * test_theory.c). What shrinks is what the examples of a batch have in common, and the gradient of a weight is their
 * sum. Where two examples' z correlate by c they are seldom both in the narrow range where sigmoid' is not 0, and the
 * product of their gradients is multiplied per layer by
 *     chi(c) = sigma_w^2 E[sigmoid'(u) sigmoid'(v)],  u, v of variance q and correlation c
 * (Schoenholz et al. 2017). c follows c' = sigma_w^2 E[sigmoid(u) sigmoid(v)] / q; that of two drawn digits' images
 * is about 0.46, which gives 0.46, 0.72, 0.82 and 0.87 in the four layers and chi = 0.37, 0.46, 0.54 and 0.60: on the
 * way back through them the root mean square of what they share falls to a quarter, fastest at the end.
 *
 * The relative variance per layer is at most (3 k - 1) / n with k = E[(s'(u) s'(v))^2] / E[s'(u) s'(v)]^2, and less
 * by what the mean over the pairs of a batch averages out. So the logarithm's shift is between -v / (2 n) and 0; it
 * is taken as half of that, and the half counts as an error. All examples begin with one gradient in common. */
static double sigmoid(double z) { return 1 / (1 + exp(-z)); }
static double slope_of_sigmoid(double z) { return sigmoid(z) * (1 - sigmoid(z)); }

static void test_narrowing(void **state) {
    (void)state;
    enum { WIDTH = 256, DEPTH = 4, RUNS = 16 };
    const double sigma_squared = 128;
    double q = sigma_squared / 4, c = 0.46, want = 0, variance = 0, values[FETCHES][LENGTH], growth = 0;
    for (unsigned k = 0; k < 30; k++) q = sigma_squared * average(sigmoid, q, 2);
    const vg_experiment e = {
        .model = "const width = 256; const depth = 4; const examples = 32; const deviation = 1; const c = 1\n"
                 "own    = sample(normal(0, deviation), [examples, width])\n"
                 "common = sample(normal(0, deviation), [1, width])\n"
                 "h[0] = sqrt(c) * common + sqrt(1 - c) * own\n"
                 "const weights = normal(0, sqrt(128 / width))\n"
                 "for l in 1..depth { h[l] = dense(h[l-1], width, act = sigmoid, init = weights) }\n"
                 "loss = sum(h[depth] * sample(normal(0, 1), [1, width]))\n"
                 "def in_common(g) {                            # the mean of g_a . g_b over all pairs a, b\n"
                 "    return (sum(square(sum(g, axis = 0))) - sum(square(g))) / (examples * (examples - 1))\n"
                 "}\n",
        .fetch = { "stack(in_common(grad(loss, h[*])))" },
        .set = { { "c", NULL, c }, { "deviation", NULL, sqrt(q / sigma_squared) } },
    };
    for (unsigned l = 1; l <= DEPTH; l++, c = sigma_squared * pair_average(sigmoid, q, c, 1) / q) {
        const double shared = pair_average(slope_of_sigmoid, q, c, 1);
        const double v = (3 * pair_average(slope_of_sigmoid, q, c, 2) / (shared * shared) - 1) / WIDTH;
        want += log(sigma_squared * shared) - v / 4;
        variance += v;
    }
    vg_model *model = load_experiment(&e);
    for (unsigned seed = 1; seed <= RUNS; seed++) {
        measure(&e, model, seed, values);
        growth += log(values[0][0] / values[0][DEPTH]) / RUNS;
    }
    vg_model_free(model);
    const double tolerance = ERRORS * sqrt(variance / RUNS) + variance / 4;
    assert_int_equal(differs("deep_sigmoid", "gradient in common", growth, want, tolerance), 0);
}

/* ---- residual blocks: He et al. 2016, "Identity mappings in deep residual networks"
 *
 * h + relu(h W) V with he_normal W and V of variance r / n: the second term has r times the mean square of h and, V's
 * sign being even, no correlation with it, so that a block multiplies mean squares by 1 + r, forward and back. Over L
 * blocks
 *     r = 1: 2^L;  r = 1 / L: (1 + 1/L)^L < e;  r = 1 / l in block l: the product telescopes to L + 1, polynomial.
 * A net without the shortcut would multiply by r: r = 1 / L, for once, by L^-L.
 *
 * Relative to |h|^2 the term 2 h . f has the variance 4 r / n, |f|^2 that of relu and of V together, r^2 (5 + 2) / n:
 * the logarithm's step has the variance v / n, v = (4 r + 7 r^2) / (1 + r)^2, and the shift -v / (2 n). */
typedef struct blocks { const char *name; double by_block, by_depth; } blocks;   /* r = l^by_block L^by_depth */

static unsigned check_residual(const blocks *b) {
    enum { WIDTH = 128, DEPTH = 32, RUNS = 16 };
    const vg_experiment e = {
        .model = "const width = 128; const depth = 32; const by_block = 0; const by_depth = 0\n"
                 "layer block(x: [n, d], r) {\n"
                 "    inner = dense(x, d, act = relu, init = he_normal())\n"
                 "    outer = dense(inner, d, init = lecun_normal(gain = sqrt(r)))\n"
                 "    return x + outer\n"
                 "}\n"
                 "h[0] = sample(normal(0, 1), [1, width])\n"
                 "for l in 1..depth { h[l] = block(h[l-1], l ^ by_block * depth ^ by_depth) }\n"
                 "loss = sum(h[depth] * sample(normal(0, 1), [1, width]))\n",
        .fetch = { "stack(mean(square(h[*])))", "stack(mean(square(grad(loss, h[*]))))" },
        .set = { { "by_block", NULL, b->by_block }, { "by_depth", NULL, b->by_depth } },
    };
    double values[FETCHES][LENGTH], forward = 0, backward = 0, want = 0, variance = 0;
    for (unsigned l = 1; l <= DEPTH; l++) {
        const double r = pow(l, b->by_block) * pow(DEPTH, b->by_depth);
        const double v = (4 * r + 7 * r * r) / ((1 + r) * (1 + r)) / WIDTH;
        want += log(1 + r) - v / 2;
        variance += v / RUNS;
    }
    vg_model *model = load_experiment(&e);
    for (unsigned seed = 1; seed <= RUNS; seed++) {
        measure(&e, model, seed, values);
        forward += log(values[0][DEPTH] / values[0][0]) / RUNS;
        backward += log(values[1][0] / values[1][DEPTH]) / RUNS;
    }
    vg_model_free(model);
    return differs(b->name, "forward", forward, want, ERRORS * sqrt(variance)) +
           differs(b->name, "backward", backward, want, ERRORS * sqrt(variance));
}

static void test_residual(void **state) {
    (void)state;
    static const blocks rows[] = {
        { .name = "blocks as large as their input" },
        { .name = "blocks of variance 1 / depth", .by_depth = -1 },
        { .name = "block l of variance 1 / l", .by_block = -1 },
    };
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) wrong += check_residual(&rows[k]);
    assert_int_equal(wrong, 0);
}

/* ---- dropout: Srivastava et al. 2014
 *
 * Each of N elements x becomes x / (1 - p) with probability 1 - p, else 0: the mean stays, the mean square (the
 * variance, where the mean is 0) is divided by 1 - p. Given x, the sum's variance is sum(x^2) p / (1 - p), that of
 * the sum of squares sum(x^4) p / (1 - p)^3. The gradient takes the same mask. In evaluation nothing happens. */
static void test_dropout(void **state) {
    (void)state;
    enum { COUNT = 40000 };
    const double p = 0.3;
    vg_experiment e = {
        .model = "x = sample(normal(0.5, 1), [40000])\n"
                 "y = dropout(x, 0.3)\n",
        .fetch = { "mean(y) - mean(x)", "mean(y ^ 2)", "mean(x ^ 2)", "mean(x ^ 4)",
                   "max(abs(grad(sum(y), x) * x - y))", "max(abs(y - x))" },
    };
    double values[FETCHES][LENGTH];
    measure_once(&e, values);
    const double square = values[2][0], fourth = values[3][0];
    unsigned wrong = differs("dropout", "mean", values[0][0], 0, ERRORS * sqrt(square * p / (1 - p) / COUNT));
    wrong += differs("dropout", "mean square", values[1][0], square / (1 - p),
                     ERRORS * sqrt(fourth * p / pow(1 - p, 3) / COUNT));
    wrong += differs("dropout", "gradient", values[4][0], 0, 1e-5);
    assert_true(values[5][0] > 1);
    e.evaluation = true;
    measure_once(&e, values);
    wrong += differs("dropout in evaluation", "change", values[5][0], 0, 0);
    assert_int_equal(wrong, 0);
}

/* ---- normalisation: Ioffe, Szegedy 2015, "Batch normalization"; van Laarhoven 2017, "L2 regularization versus batch
 * and weight normalization"
 *
 * Behind batch_norm(x W) the loss does not change with W's length, L(a W) = L(W). Therefore dL/dW at a W is dL/dW at
 * W divided by a, and at right angles to W (to each unit's weights; behind layer_norm and rms_norm, to W as a whole).
 * So a step of sgd can only make W longer, by Pythagoras: |W - rate g|^2 = |W|^2 + rate^2 |g|^2. All of it up to
 * rounding, which in float64 is below 1e-12 of the numbers compared; epsilon, the one thing that knows W's length, is
 * 0. */
static unsigned check_scale(const char *layer) {
    vg_experiment e = {
        .model = "const scale = 1; const normalise = rms_norm\n"
                 "x = sample(normal(1, 2), [32, 12])\n"
                 "h = dense(x, 8, init = normal(0, scale), bias = false)\n"
                 "n = normalise(h, epsilon = 0)\n"
                 "loss = sum(tanh(n) * sample(normal(0, 1), [32, 8]))\n"
                 "g = grad(loss, h.W)\n"
                 "train loss { optimizer = sgd(rate = 0.1); params = vars(\"h.W\") }\n"
                 "state before: [12, 8] = 0\n"
                 "state change: [12, 8] = 0\n"
                 "update before = h.W\n"
                 "update change = 0.1 * g\n",
        .fetch = { "loss", "norm(g)", "sum(g * h.W) / norm(g) / norm(h.W)", "sum(h.W ^ 2) - sum(before ^ 2)",
                   "sum(change ^ 2)", "max(abs(sum(g * h.W, axis = 0)))" },
        .set = { { "normalise", layer, 0 }, { "scale", NULL, 1 } }, .float64 = true,
    };
    double one[FETCHES][LENGTH], three[FETCHES][LENGTH], later[FETCHES][LENGTH];
    measure_once(&e, one);
    e.set[1].number = 3;
    measure_once(&e, three);
    e.steps = 2;
    measure_once(&e, later);
    unsigned wrong = differs(layer, "loss at 3 W", three[0][0] / one[0][0], 1, 1e-12);
    wrong += differs(layer, "gradient at 3 W", three[1][0] / one[1][0], 1.0 / 3, 1e-12);
    wrong += differs(layer, "cosine of g and W", one[2][0], 0, 1e-12);
    wrong += differs(layer, "growth by a step", later[3][0] / later[4][0], 1, 1e-9);
    if (!strcmp(layer, "batch_norm")) wrong += differs(layer, "a unit's g . W", one[5][0], 0, 1e-12 * one[1][0]);
    return wrong;
}

static void test_scale(void **state) {
    (void)state;
    assert_int_equal(check_scale("batch_norm") + check_scale("layer_norm") + check_scale("rms_norm"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fans),    cmocka_unit_test(test_narrowing), cmocka_unit_test(test_residual),
        cmocka_unit_test(test_dropout), cmocka_unit_test(test_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
