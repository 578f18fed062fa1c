/* Deep-learning arithmetic that theory predicts: what becomes of a signal, and of its gradient, in a deep network
 * with random weights. (Single layers are in test_theory_layers.c, optimizers in test_theory_training.c.)
 *
 * The argument of all these tests is one. In a layer z = h W with independent weights of mean 0 and variance s / n
 * the elements of z, given h, are independent normal numbers of variance s * mean(h^2): exactly for normal weights,
 * nearly for others, since each is a sum of n terms. So mean(f(z)^2) is a mean of n independent numbers, of relative
 * variance v / n with v = E[f^4] / E[f^2]^2 - 1, and the logarithm of a mean square takes a step of variance v / n at
 * every layer: a random walk. Over L layers and S seeds the mean growth of the logarithm per layer has therefore
 *     standard error sqrt(v / (n L S)), and, as E[log(1 + e)] = -E[e^2] / 2, a shift of -v / (2 n).
 * On the way back the gradient g is multiplied by f'(z) and then by W'. Given g, the mean of (g f')^2 has the
 * relative variance 3 (E[f'^4] / E[f'^2]^2 - 1) / n (3 is the kurtosis of g's elements), and the product with W' adds
 * 2 / n. The examples of a batch share the weights; where nothing else is said they are counted as one. */
#include "theory_fixture.h"

#define DEEP                                                                          \
    "const width = 192; const depth = 50; const examples = 1\n"                       \
    "const act = relu; const init = he_normal(); const bias = 0\n"                    \
    "const mean_in = 0; const deviation = 1\n"                                        \
    "layer block(x: [n, d], units) {\n"                                               \
    "    var W: [d, units] ~ init\n"                                                  \
    "    var b: [units]    ~ normal(0, bias)\n"                                       \
    "    z = x @ W + b\n"                                                             \
    "    return act(z)\n"                                                             \
    "}\n"                                                                             \
    "h[0] = mean_in + deviation * sample(normal(0, 1), [examples, width])\n"          \
    "for l in 1..depth { h[l] = block(h[l-1], width) }\n"                             \
    "loss = sum(h[depth] * sample(normal(0, 1), [examples, width]))\n"
#define FORWARD  "stack(mean(square(h[*].z)))"               /* of layers 1 to depth */
#define BACKWARD "stack(mean(square(grad(loss, h[*]))))"     /* of layers 0 to depth */

enum { WIDTH = 192, SEEDS = 4 };

/* ---- He et al. 2015, "Delving deep into rectifiers"
 *
 * relu keeps half of the mean square, E[relu(z)^2] = q / 2 for z ~ N(0, q). The mean square of z is therefore
 * multiplied by n Var(w) / 2 per layer: 1 for he_normal and he_uniform, 1/2 for lecun's 1 / n. E[relu^4] = 3 q^2 / 2
 * makes v = 6 - 1. With the slope a below 0 (equation 15) 1/2 becomes (1 + a^2) / 2, and
 *     v = 6 (1 + a^4) / (1 + a^2)^2 - 1.
 * Dropout that keeps a share k divides the second moment by k and the fourth by k^3 (Hendrycks, Gimpel 2016,
 * "Adjusting for dropout variance"), and so v + 1 by k. The derivative is 1 or a, each with probability 1/2: the
 * gradient's factor and v come out the same. */
typedef struct he_row { const char *act, *init; double gain_squared, slope, keep; } he_row;

static const he_row rectified[] = {
    { "relu",    "he_normal()",             2, 0,   1 },
    { "relu",    "he_uniform()",            2, 0,   1 },
    { "relu",    "lecun_normal()",          1, 0,   1 },
    { "relu",    "lecun_uniform(gain = 2)", 4, 0,   1 },
    { "leaky",   "he_normal()",             2, 0.5, 1 },
    { "thinned", "he_normal()",             2, 0,   0.5 },
};

static unsigned check_rectified(const he_row *row) {
    enum { DEPTH = 50 };
    const vg_experiment e = {
        .model = "def leaky(x) = leaky_relu(x, slope = 0.5)\ndef thinned(x) = dropout(relu(x), 0.5)\n" DEEP,
        .fetch = { FORWARD, BACKWARD }, .set = { { "act", row->act, 0 }, { "init", row->init, 0 } },
    };
    const double a = row->slope * row->slope;
    const double factor = row->gain_squared * (1 + a) / 2 / row->keep;
    const double v = 6 * (1 + a * a) / ((1 + a) * (1 + a)) / row->keep - 1;
    const double want = log2(factor) - v / (2 * WIDTH) / log(2);
    const double error = sqrt(v / (WIDTH * (DEPTH - 1) * SEEDS)) / log(2);
    double values[FETCHES][LENGTH], forward = 0, backward = 0;
    vg_model *model = load_experiment(&e);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        measure(&e, model, seed, values);
        forward += log2(values[0][DEPTH - 1] / values[0][0]) / (DEPTH - 1) / SEEDS;
        backward += log2(values[1][0] / values[1][DEPTH]) / DEPTH / SEEDS;
    }
    vg_model_free(model);
    return differs(row->init, row->act, forward, want, ERRORS * error) +
           differs(row->init, "its gradient", backward, want, ERRORS * error);
}

static void test_rectified(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof rectified / sizeof *rectified; k++) wrong += check_rectified(&rectified[k]);
    assert_int_equal(wrong, 0);
}

/* ---- Klambauer et al. 2017, "Self-normalizing neural networks"
 *
 * With lecun_normal (s = 1) a layer makes of the mean square q of its input
 *     the mean m' = E[selu(sqrt(q) z)] and the mean square q' = E[selu(sqrt(q) z)^2],
 * and (m, q) = (0, 1) is the fixed point. There dq'/dq = 0.7826 (the paper's Jacobian, with dm'/dq = 0.0888), so a
 * deviation shrinks by a fifth in each layer. Layers all along the way are compared with the iterated map.
 *
 * An error e of q becomes (dq'/dq) e, and each layer adds its own, of variance Var(selu^2) / n; the mean's is
 * Var(selu) / n, the input's Var(x^2) / n. In the mean over B examples whose pre-activations correlate by c only the
 * share 1/B + (1 - 1/B) c of these variances is left (functions of z correlate no more than z itself, by Mehler's
 * expansion); c follows c' = E[selu(u) selu(v)] / q'. Since the map is curved, each example's own errors, of which
 * nothing is averaged out, shift q by (d^2q'/dq^2) / 2 times their variance. */
static double selu(double z) { return 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * expm1(z)); }
static double selu_slope(double z) { return 1.0507009873554805 * (z > 0 ? 1 : 1.6732632423543772 * exp(z)); }

/* d E[f(sqrt(q) z)^power] / dq */
static double change(vg_function f, double q, int power) {
    const double by = 1e-3 * q;
    return (average(f, q + by, power) - average(f, q - by, power)) / (2 * by);
}

/* d^2 E[f(sqrt(q) z)^2] / dq^2 */
static double curvature(vg_function f, double q) {
    const double by = 1e-2 * q;
    return (average(f, q + by, 2) - 2 * average(f, q, 2) + average(f, q - by, 2)) / (by * by);
}

enum { EXAMPLES = 64 };

/* A layer's mean and mean square; the latter's variance in the mean over examples and seeds, and in one example; the
 * correlation between examples. */
typedef struct layer_state { double mean, square, variance, single, correlation; } layer_state;

static double share_left(double correlation) { return (1.0 / EXAMPLES + (1 - 1.0 / EXAMPLES) * correlation) / SEEDS; }

static layer_state first_layer(double mean, double deviation) {
    const double s = deviation * deviation, square = mean * mean + s, own = (2 * s * s + 4 * mean * mean * s) / WIDTH;
    return (layer_state){ mean, square, own / EXAMPLES / SEEDS, own, mean * mean / square };
}

/* The state behind one more layer; *error is the mean's standard error. */
static layer_state next_layer(layer_state at, double *error) {
    const double q = at.square, left = share_left(at.correlation), pull = change(selu, q, 2);
    const double mean = average(selu, q, 1), square = average(selu, q, 2);
    const double own = (average(selu, q, 4) - square * square) / WIDTH;
    *error = sqrt(pow(change(selu, q, 1), 2) * at.variance + (square - mean * mean) / WIDTH * left);
    return (layer_state){ .mean = mean, .square = square + curvature(selu, q) / 2 * at.single,
                          .variance = pull * pull * at.variance + own * left, .single = pull * pull * at.single + own,
                          .correlation = pair_average(selu, q, at.correlation, 1) / square };
}

static unsigned check_selu(double mean, double deviation) {
    enum { DEPTH = 24 };
    const vg_experiment e = {
        .model = DEEP, .fetch = { "stack(mean(h[*]))", "stack(mean(square(h[*])))" },
        .set = { { "act", "selu", 0 }, { "init", "lecun_normal()", 0 }, { "depth", NULL, DEPTH },
                 { "examples", NULL, EXAMPLES }, { "mean_in", NULL, mean }, { "deviation", NULL, deviation } },
    };
    double values[FETCHES][LENGTH], means[DEPTH + 1] = { 0 }, squares[DEPTH + 1] = { 0 }, error;
    vg_model *model = load_experiment(&e);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        measure(&e, model, seed, values);
        for (unsigned l = 0; l <= DEPTH; l++) means[l] += values[0][l] / SEEDS;
        for (unsigned l = 0; l <= DEPTH; l++) squares[l] += values[1][l] / SEEDS;
    }
    vg_model_free(model);
    layer_state at = first_layer(mean, deviation);
    unsigned wrong = 0;
    for (unsigned l = 1; l <= DEPTH; l++) {
        char name[64];
        snprintf(name, sizeof name, "selu from mean %g, deviation %g: layer %u", mean, deviation, l);
        at = next_layer(at, &error);
        if (l % 4 != 0 && l != 1) continue;
        wrong += differs(name, "mean", means[l], at.mean, ERRORS * error);
        wrong += differs(name, "mean square", squares[l], at.square, ERRORS * sqrt(at.variance));
    }
    return wrong + differs("the map", "mean", at.mean, 0, 0.01) + differs("the map", "mean square", at.square, 1, 0.02);
}

static void test_selu(void **state) {
    (void)state;
    unsigned wrong = differs("selu", "its fixed point's mean", average(selu, 1, 1), 0, 1e-5);
    wrong += differs("selu", "its fixed point's mean square", average(selu, 1, 2), 1, 1e-5);
    wrong += differs("selu", "its Jacobian", change(selu, 1, 1), 0.088834, 1e-5);
    wrong += differs("selu", "its Jacobian", change(selu, 1, 2), 0.782648, 1e-5);
    wrong += check_selu(0, 2) + check_selu(0, 0.3) + check_selu(1, 0.5) + check_selu(-0.5, 1.5);
    assert_int_equal(wrong, 0);
}

/* ---- Poole et al. 2016, "Exponential expressivity in deep neural networks through transient chaos"; Schoenholz et
 * al. 2017, "Deep information propagation"
 *
 * With weights of variance sigma_w^2 / n and biases of sigma_b^2 the mean square of z follows
 *     q' = sigma_w^2 E[f(sqrt(q) z)^2] + sigma_b^2,
 * and the gradient's is multiplied at each layer by chi = sigma_w^2 E[f'(sqrt(q) z)^2]. Nets start at the fixed point
 * q*, or, where that is 0, at a q so small that f is nearly linear; then chi is taken along the way. At sigma_w = 1,
 * sigma_b = 0 a tanh net is critical: gradients neither vanish nor explode. For f = sigmoid, sigma_w = 1, |f'| <= 1/4
 * means chi <= 1/16. (Sigmoid with sigma_w^2 = 128 is models/deep_sigmoid.nn, whose 128 inputs of a unit have weights
 * of variance 1.)
 *
 * On the way forward each layer adds to q an error of variance sigma_w^4 Var(f^2) / n, the input one of sigma_w^4 2
 * E[x^2]^2 / n; an error e becomes (dq'/dq) e in the next layer, and the curvature of the map shifts q. The mean of
 * z^2 has 2 / n of its own. The gradient's own noise is v = 3 E[f'^4] / E[f'^2]^2 - 1, as above; besides, the error
 * of layer k's q changes log(chi) there and, through q, in the layers behind, in sum C[k] = d log(chi)/dq + (dq'/dq)
 * C[k+1] times itself. The two noises depend on the same z, so their standard deviations are added. */
typedef struct mean_field {
    const char *act;
    vg_function f, slope;
    double sigma_w, sigma_b, start;     /* start: the first q; 0: the fixed point */
} mean_field;

static double slope_of_tanh(double z) { return 1 - tanh(z) * tanh(z); }
static double sigmoid(double z) { return 1 / (1 + exp(-z)); }
static double slope_of_sigmoid(double z) { return sigmoid(z) * (1 - sigmoid(z)); }

static const mean_field wide[] = {
    { "tanh", tanh, slope_of_tanh, 0.8, 0, 1e-4 },
    { "tanh", tanh, slope_of_tanh, 0.8, 0.3, 0 },
    { "tanh", tanh, slope_of_tanh, 1.0, 0, 1e-4 },
    { "tanh", tanh, slope_of_tanh, 1.5, 0, 0 },
    { "tanh", tanh, slope_of_tanh, 1.5, 0.5, 0 },
    { "tanh", tanh, slope_of_tanh, 2.5, 0, 0 },
    { "sigmoid", sigmoid, slope_of_sigmoid, 1, 0, 0 },
    { "sigmoid", sigmoid, slope_of_sigmoid, 11.313708498984761, 0, 0 },
    { "selu", selu, selu_slope, 1, 0, 0 },
};

static double next_square(const mean_field *m, double q) {
    return m->sigma_w * m->sigma_w * average(m->f, q, 2) + m->sigma_b * m->sigma_b;
}

static double chi(const mean_field *m, double q) { return m->sigma_w * m->sigma_w * average(m->slope, q, 2); }

static double first_square(const mean_field *m) {
    double q = m->start != 0 ? m->start : 1;
    for (unsigned k = 0; m->start == 0 && k < 200; k++) q = next_square(m, q);
    return q;
}

enum { DEPTH = 30 };

typedef struct forecast { double growth, growth_error, square, square_error; } forecast;   /* logarithms, of one net */

static forecast predict(const mean_field *m, double q, double input) {
    const double w4 = pow(m->sigma_w, 4);
    double squares[DEPTH], errors[DEPTH], pulls[DEPTH], variance = 0, shift = 0;
    double growth = 0, own = 0, carried = 0, forward = 0;
    for (unsigned l = 0; l < DEPTH; l++, q = next_square(m, q)) {
        const double before = l ? squares[l - 1] : 0, pull = l ? pulls[l - 1] : 0;
        const double spread = l ? average(m->f, before, 4) - pow(average(m->f, before, 2), 2) : 2 * input * input;
        squares[l] = q;
        pulls[l] = m->sigma_w * m->sigma_w * change(m->f, q, 2);
        errors[l] = w4 * spread / WIDTH;
        shift = l ? pull * shift + m->sigma_w * m->sigma_w * curvature(m->f, before) / 2 * variance : 0;
        variance = pull * pull * variance + errors[l];
        growth += log(chi(m, q));
        own += (3 * average(m->slope, q, 4) / pow(average(m->slope, q, 2), 2) - 1) / WIDTH;
    }
    for (unsigned l = DEPTH; l-- > 0;) {
        carried = change(m->slope, squares[l], 2) / average(m->slope, squares[l], 2) + pulls[l] * carried;
        forward += carried * carried * errors[l];
    }
    const double last = squares[DEPTH - 1], relative = variance / (last * last) + 2.0 / WIDTH;
    return (forecast){ .growth = growth - own / 2, .growth_error = sqrt(own) + sqrt(forward),
                       .square = log(last) + shift / last - relative / 2, .square_error = sqrt(relative) };
}

static unsigned check_mean_field(const mean_field *m) {
    const double q = first_square(m), input = (q - m->sigma_b * m->sigma_b) / (m->sigma_w * m->sigma_w);
    char init[64], name[64];
    snprintf(init, sizeof init, "lecun_normal(gain = %.17g)", m->sigma_w);
    snprintf(name, sizeof name, "%s, sigma_w %.3g, sigma_b %g", m->act, m->sigma_w, m->sigma_b);
    const vg_experiment e = {
        .model = DEEP, .fetch = { FORWARD, BACKWARD },
        .set = { { "act", m->act, 0 }, { "init", init, 0 }, { "bias", NULL, m->sigma_b }, { "depth", NULL, DEPTH },
                 { "deviation", NULL, sqrt(input) } },
    };
    double values[FETCHES][LENGTH], growth = 0, square = 0;
    vg_model *model = load_experiment(&e);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        measure(&e, model, seed, values);
        square += log(values[0][DEPTH - 1]) / SEEDS;
        growth += log(values[1][0] / values[1][DEPTH]) / SEEDS;
    }
    vg_model_free(model);
    const forecast want = predict(m, q, input);
    return differs(name, "log of the last z^2", square, want.square, ERRORS * want.square_error / sqrt(SEEDS)) +
           differs(name, "log of gradient^2", growth, want.growth, ERRORS * want.growth_error / sqrt(SEEDS));
}

static void test_mean_field(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof wide / sizeof *wide; k++) wrong += check_mean_field(&wide[k]);
    assert_int_equal(wrong, 0);
}

/* ---- Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks"
 *
 * In a linear net the gradient is multiplied by W' alone. An orthogonal W keeps its norm, whatever the depth, up to
 * rounding: n roundings of random sign in a product, and in W itself, are about sqrt(n) units u in the last place, L
 * layers at most L times that. It is the same for the states of a recurrent net whose U is orthogonal, as the
 * library's rnn has it (Arjovsky, Shah, Bengio 2016, "Unitary evolution recurrent neural networks").
 *
 * With normal weights of the same variance 1 / n the norm is kept in the mean only: |W'g|^2 / |g|^2 is chi^2 of n
 * degrees over n, independent from layer to layer, so that log |g|^2 after L layers has
 *     mean L (psi(n/2) - log(n/2)), about -L / n, and variance L psi'(n/2), about 2 L / n.
 * Its mean over S seeds has the standard error sqrt(variance / S), its variance sqrt(2 / S) of itself. */
static unsigned check_kept(const char *name, const vg_experiment *e, unsigned count, double tolerance) {
    double values[FETCHES][LENGTH];
    unsigned wrong = 0;
    measure_once(e, values);
    for (unsigned k = 0; k < count; k++)
        wrong += differs(name, "norm", values[0][k] / values[0][count - 1], 1, tolerance);
    return wrong;
}

static void test_orthogonal(void **state) {
    (void)state;
    enum { LAYERS = 100, UNITS = 64, TIMES = 60, STATES = 32 };
    unsigned wrong = 0;
    for (unsigned wide_numbers = 0; wide_numbers < 2; wide_numbers++) {
        const double u = wide_numbers ? ldexp(1, -53) : ldexp(1, -24);
        const vg_experiment deep = {
            .model = DEEP, .fetch = { "stack(norm(grad(loss, h[*])))" }, .float64 = wide_numbers,
            .set = { { "act", "identity", 0 }, { "init", "orthogonal()", 0 }, { "depth", NULL, LAYERS },
                     { "width", NULL, UNITS }, { "examples", NULL, 3 } },
        };
        const vg_experiment recurrent = {
            .model = "r = rnn(sample(normal(0, 1), [3, 60, 4]), 32, act = identity)\n"
                     "loss = sum(r.h[59] * sample(normal(0, 1), [3, 32]))\n",
            .fetch = { "stack(norm(grad(loss, r.h[*])))" }, .float64 = wide_numbers,
        };
        wrong += check_kept("orthogonal layers", &deep, LAYERS + 1, LAYERS * sqrt(UNITS) * u);
        wrong += check_kept("an orthogonal recurrence", &recurrent, TIMES, TIMES * sqrt(STATES) * u);
    }
    assert_int_equal(wrong, 0);
}

static void test_normal_product(void **state) {
    (void)state;
    enum { LAYERS = 100, UNITS = 32, RUNS = 64 };
    const vg_experiment e = {
        .model = DEEP, .fetch = { BACKWARD },
        .set = { { "act", "identity", 0 }, { "init", "lecun_normal()", 0 }, { "depth", NULL, LAYERS },
                 { "width", NULL, UNITS } },
    };
    const double x = UNITS / 2;    /* psi and psi' by their asymptotic series */
    const double want = LAYERS * (-1 / (2 * x) - 1 / (12 * x * x));
    const double variance = LAYERS * (1 / x + 1 / (2 * x * x) + 1 / (6 * x * x * x));
    double values[FETCHES][LENGTH], sum = 0, squares = 0;
    vg_model *model = load_experiment(&e);
    for (unsigned seed = 1; seed <= RUNS; seed++) {
        measure(&e, model, seed, values);
        const double growth = log(values[0][0] / values[0][LAYERS]);
        sum += growth / RUNS;
        squares += (growth - want) * (growth - want) / RUNS;
    }
    vg_model_free(model);
    unsigned wrong = differs("normal layers", "mean of the log", sum, want, ERRORS * sqrt(variance / RUNS));
    wrong += differs("normal layers", "variance of the log", squares, variance, ERRORS * variance * sqrt(2.0 / RUNS));
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rectified), cmocka_unit_test(test_selu), cmocka_unit_test(test_mean_field),
        cmocka_unit_test(test_orthogonal), cmocka_unit_test(test_normal_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
