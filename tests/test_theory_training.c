/* Deep-learning arithmetic that theory predicts: what optimizers do where it can be worked out by hand, and the loss
 * before anything is learned. A value read in step T is that after T updates. */
#include "theory_fixture.h"

#include <complex.h>

/* The elements of the first fetch after so many updates, in float64, against `want`: a few hundred operations on
 * numbers of about 1 err by less than 1e-12. */
static unsigned check_after(const char *name, vg_experiment e, unsigned updates, const double *want, unsigned count) {
    double values[FETCHES][LENGTH];
    unsigned wrong = 0;
    e.steps = updates + 1;
    e.float64 = true;
    measure_once(&e, values);
    for (unsigned k = 0; k < count; k++) {
        char element[32];
        snprintf(element, sizeof element, "w[%u] after %u", k, updates);
        wrong += differs(name, element, values[0][k], want[k], 1e-12 * fmax(1, fabs(want[k])));
    }
    return wrong;
}

/* ---- a quadratic bowl, loss = sum(lambda w^2) / 2 from w = 1: Polyak 1964, "Some methods of speeding up the
 * convergence of iteration methods"; Nesterov 2004, "Introductory lectures on convex optimization"; Sutskever et al.
 * 2013
 *
 * Each coordinate follows w[t+1] = a w[t] - b w[t-1] with
 *     momentum:  a = 1 + beta - rate lambda,          b = beta,                     w[1] = 1 - rate lambda
 *     Nesterov:  a = (1 + beta) (1 - rate lambda),    b = beta (1 - rate lambda),   w[1] = 1 - (1 + beta) rate lambda
 * (decay adds to lambda) and so w[t] = A p^t + B q^t with p, q the roots of r^2 - a r + b. Without momentum that is
 * (1 - rate lambda)^t: it converges iff rate < 2 / lambda_max, with momentum iff rate < 2 (1 + beta) / lambda_max.
 * Where the roots are complex, in all of (1 - sqrt(beta))^2 < rate lambda < (1 + sqrt(beta))^2, |p| = sqrt(beta)
 * whatever lambda. */
typedef struct descent { double rate, momentum, decay; bool nesterov; } descent;

static const descent descents[] = {
    { 0.001, 0, 0, false },       { 2 / 101.0, 0, 0, false },   { 1.99 / 100, 0, 0, false },
    { 2.01 / 100, 0, 0, false },  { 0.01, 0, 3, false },        { 0.03, 0.9, 0, false },
    { 3.79 / 100, 0.9, 0, false }, { 3.81 / 100, 0.9, 0, false }, { 0.02, 0.5, 2, false },
    { 0.007, 0.9, 0, true },      { 0.012, 0.5, 1, true },
};

static double complex power(double complex x, unsigned n) { return n == 0 ? 1 : x * power(x, n - 1); }

static double descended(const descent *d, double lambda, unsigned t) {
    const double x = d->rate * (lambda + d->decay), beta = d->momentum;
    const double a = d->nesterov ? (1 + beta) * (1 - x) : 1 + beta - x;
    const double b = d->nesterov ? beta * (1 - x) : beta;
    const double first = d->nesterov ? 1 - (1 + beta) * x : 1 - x;
    const double complex root = csqrt(a * a - 4 * b), p = (a + root) / 2, q = (a - root) / 2;
    const double complex share = (first - q) / (p - q);
    return creal(share * power(p, t) + (1 - share) * power(q, t));
}

static void test_descent(void **state) {
    (void)state;
    enum { STEPS = 60 };
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof descents / sizeof *descents; k++) {
        const descent *d = &descents[k];
        const vg_experiment e = {
            .model = "const rate = 1; const momentum = 0; const decay = 0; const nesterov = false\n"
                     "var w: [3] = 1\n"
                     "loss = sum([1, 10, 100] * w ^ 2) / 2\n"
                     "train loss { optimizer = sgd(rate, momentum, nesterov, decay) }\n",
            .fetch = { "w" },
            .set = { { "rate", NULL, d->rate }, { "momentum", NULL, d->momentum }, { "decay", NULL, d->decay },
                     { "nesterov", d->nesterov ? "true" : "false", 0 } },
        };
        char name[64];
        snprintf(name, sizeof name, "rate %g, momentum %g%s", d->rate, d->momentum, d->nesterov ? ", Nesterov" : "");
        const double want[] = { descended(d, 1, STEPS), descended(d, 10, STEPS), descended(d, 100, STEPS) };
        wrong += check_after(name, e, STEPS, want, 3);
    }
    assert_int_equal(wrong, 0);
}

/* ---- the noise of sgd: Mandt, Hoffman, Blei 2017, "Stochastic gradient descent as approximate Bayesian inference"
 *
 * With a gradient w + e, e normal of variance 1, the recursion above is an autoregressive process of second order. w
 * comes to rest in a cloud of variance
 *     rate (1 + beta) / ((1 - beta) (2 (1 + beta) - rate)),
 * about rate / (2 (1 - beta)): momentum acts as a rate larger by 1 / (1 - beta). N coordinates give the variance with
 * a relative error of sqrt(2 / N); sqrt(0.9)^200 is what is left of the beginning. */
static void test_noise(void **state) {
    (void)state;
    enum { COUNT = 10000, STEPS = 200 };
    static const struct { double rate, momentum; } rows[] = { { 0.1, 0 }, { 0.5, 0 }, { 0.1, 0.9 }, { 1, 0.5 } };
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        const double rate = rows[k].rate, beta = rows[k].momentum;
        const vg_experiment e = {
            .model = "const rate = 1; const momentum = 0\n"
                     "var w: [10000] = 0\n"
                     "loss = sum(w ^ 2 / 2 + sample(normal(0, 1), [10000]) * w)\n"
                     "train loss { optimizer = sgd(rate = rate, momentum = momentum) }\n",
            .fetch = { "mean(w ^ 2)" }, .set = { { "rate", NULL, rate }, { "momentum", NULL, beta } },
            .steps = STEPS + 1,
        };
        const double want = rate * (1 + beta) / ((1 - beta) * (2 * (1 + beta) - rate));
        double values[FETCHES][LENGTH];
        measure_once(&e, values);
        wrong += differs("noise", "variance", values[0][0], want, ERRORS * want * sqrt(2.0 / COUNT));
    }
    assert_int_equal(wrong, 0);
}

/* ---- optimizers that divide by the gradient's size, on the loss sum(c w), whose gradient is always c
 *
 * adam: m and v are running means of c and c^2, corrected to be c and c^2 from the first step on, so each step is
 *     rate c / (|c| + epsilon): the rate itself, to the gradient's sign, be it 1e-3 or 1e3 (Kingma, Ba 2015, 2.1).
 *
 * A gradient that comes first in step T (from 1), after none, moves adam by
 *     rate (1 - beta1) / (1 - beta1^T) * sqrt((1 - beta2^T) / (1 - beta2)),
 * for large T rate (1 - beta1) / sqrt(1 - beta2) = 3.2 rate: the bound of the same section.
 *
 * adam with decay divides c + decay w by its own size: decay does not change the length of its first step. adamw
 * makes w shrink by 1 - rate decay, apart from the step (Loshchilov, Hutter 2019).
 *
 * lion: the sign itself, and the same shrinking (Chen et al. 2023).
 *
 * rmsprop: v begins at 0, uncorrected, and is 1 - alpha^t of c^2: step t (from 1) is rate / sqrt(1 - alpha^t).
 *
 * adagrad: v is t c^2, step t is rate / sqrt(t), in sum about 2 rate sqrt(T) (Duchi, Hazan, Singer 2011). */
static double sum_of_steps(double (*size)(double t), unsigned count) {
    double sum = 0;
    for (unsigned t = 1; t <= count; t++) sum += size(t);
    return sum;
}
static double rmsprop_step(double t) { return 1 / sqrt(1 - pow(0.99, t)); }
static double adagrad_step(double t) { return 1 / sqrt(t); }

/* Gradients 1e-3, -1, 1e3 from step `from` on: w is start * factor^updates, and `sum` to the gradient's sign. */
typedef struct steps {
    const char *optimizer;
    unsigned updates;
    double start, sum, factor, epsilon;
    unsigned from;
} steps;

static unsigned check_steps(const steps *s) {
    const vg_experiment e = {
        .model = "const start = 0; const from = 0; const optimizer = sgd(rate = 1)\n"
                 "var w: [3] = start\n"
                 "loss = sum([1e-3, -1, 1e3] * w) * (step >= from)\n"
                 "train loss { optimizer = optimizer }\n",
        .fetch = { "w" },
        .set = { { "start", NULL, s->start }, { "from", NULL, s->from }, { "optimizer", s->optimizer, 0 } },
    };
    const double kept = pow(s->factor, s->updates) * s->start;
    const double want[] = { kept - s->sum * 1e-3 / (1e-3 + s->epsilon), kept + s->sum / (1 + s->epsilon),
                            kept - s->sum * 1e3 / (1e3 + s->epsilon) };
    return check_after(s->optimizer, e, s->updates, want, 3);
}

static void test_steps(void **state) {
    (void)state;
    const double late = 0.01 * (1 - 0.9) / (1 - pow(0.9, 2000)) * sqrt((1 - pow(0.999, 2000)) / (1 - 0.999));
    const steps rows[] = {
        { "adam(rate = 0.01)", 1, 0, 0.01, 1, 1e-8, 0 },
        { "adam(rate = 0.01, epsilon = 1e-3)", 50, 5, 0.5, 1, 1e-3, 0 },
        { "adam(rate = 0.01, beta1 = 0.5, beta2 = 0.6)", 50, 5, 0.5, 1, 1e-8, 0 },
        { "adam(rate = 0.01, decay = 0.1, epsilon = 0)", 1, 5, 0.01, 1, 0, 0 },
        { "adam(rate = 0.01, epsilon = 1e-30)", 2000, 0, late, 1, 0, 1999 },
        { "adamw(rate = 0.01, decay = 20)", 1, 5, 0.01, 0.8, 1e-8, 0 },
        { "adamw(rate = 0.01, decay = 2)", 60, 5, 0, 0.98, 1e-8, 60 },
        { "lion(rate = 0.01)", 50, 5, 0.5, 1, 0, 0 },
        { "lion(rate = 0.01, decay = 20)", 1, 5, 0.01, 0.8, 0, 0 },
        { "rmsprop(rate = 0.01, epsilon = 0)", 50, 5, 0.01 * sum_of_steps(rmsprop_step, 50), 1, 0, 0 },
        { "adagrad(rate = 0.01, epsilon = 0)", 50, 5, 0.01 * sum_of_steps(adagrad_step, 50), 1, 0, 0 },
    };
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) wrong += check_steps(&rows[k]);
    assert_int_equal(wrong, 0);
}

/* ---- clipping: Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks"
 *
 * clip_norm shortens all gradients together to the limit and keeps their direction, so that a step of sgd is at most
 * rate * limit long. The gradients here are (3, 4, 0) and (12, 0), 13 long together. (1e-6 is PyTorch's, against 0 /
 * 0.) */
static void test_clipping(void **state) {
    (void)state;
    enum { STEPS = 4 };
    static const double limits[] = { 2, 12.5, 20 }, gradient[] = { 3, 4, 0, 12, 0 };
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        const vg_experiment e = {
            .model = "const limit = 1\n"
                     "var a: [3] = 0\n"
                     "var b: [2] = 0\n"
                     "loss = 3 * a[0] + 4 * a[1] + 0 * a[2] + 12 * b[0] + 0 * b[1]\n"
                     "train loss { optimizer = sgd(rate = 0.5); clip_norm = limit }\n",
            .fetch = { "concat([a, b])" }, .set = { { "limit", NULL, limits[k] } },
        };
        double want[5];
        for (unsigned i = 0; i < 5; i++) want[i] = -STEPS * 0.5 * fmin(1, limits[k] / (13 + 1e-6)) * gradient[i];
        wrong += check_after("clip_norm", e, STEPS, want, 5);
    }
    assert_int_equal(wrong, 0);
}

/* ---- the loss of a network that knows nothing
 *
 * Equal logits of K classes cost log K; the gradient by an example's logits, softmax - label, has the square (1 -
 * 1/K)^2 + (K - 1) / K^2 = 1 - 1/K, over N^2 for the mean of N. Logits that are normal with standard deviation s and
 * know nothing of the labels cost s^2 / 2 (1 - 1/K) - s^4 (K - 1) / (4 K^2) more, in the mean: the second and fourth
 * cumulants of K normal numbers. An example's loss has a standard deviation of about s. */
static void test_guessing(void **state) {
    (void)state;
    enum { COUNT = 40000, CLASSES = 10 };
    const vg_experiment e = {
        .model = "const s = 0.3\n"
                 "y = int(sample(uniform(0, 10), [40000]))\n"
                 "none = zeros([40000, 10])\n"
                 "some = s * sample(normal(0, 1), [40000, 10])\n"
                 "loss = mean(cross_entropy(none, y))\n",
        .fetch = { "loss", "norm(grad(loss, none))", "mean(cross_entropy(some, y))" },
    };
    const double k = CLASSES, s = 0.3;
    double values[FETCHES][LENGTH];
    measure_once(&e, values);
    unsigned wrong = differs("guessing", "loss", values[0][0], log(k), 1e-5);
    wrong += differs("guessing", "gradient", values[1][0], sqrt((1 - 1 / k) / COUNT), 1e-7);
    wrong += differs("guessing", "with scattered logits", values[2][0],
                     log(k) + s * s / 2 * (1 - 1 / k) - pow(s, 4) * (k - 1) / (4 * k * k), ERRORS * s / sqrt(COUNT));
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descent),  cmocka_unit_test(test_noise),    cmocka_unit_test(test_steps),
        cmocka_unit_test(test_clipping), cmocka_unit_test(test_guessing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
