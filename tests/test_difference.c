/* Judging derivatives of functions that are known: smooth ones, with kinks at all distances, with rounding. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/difference.h"

typedef double (*function)(double x);

static vg_judge judged(function f, double symbolic, double scale, double noise) {
    vg_judge judge = vg_judge_of(scale, f(0), noise, 1);
    judge.symbolic = symbolic;
    while (judge.step > 0) {
        vg_samples s = { .step = judge.step };
        bool told = false;
        while (s.count < VG_HALVINGS && !told) {
            const double step = ldexp(s.step, -(int)s.count);
            s.above[s.count] = f(step);
            s.below[s.count++] = f(-step);
            told = s.count >= 2 && vg_judge_hear(&judge, &s);
        }
    }
    return judge;
}

static double noise_along(function f) {
    double noise = INFINITY, values[2][VG_NOISE_POINTS];
    for (uint32_t round = 0; round < VG_NOISE_STEPS; round++) {
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < VG_NOISE_POINTS; i++) values[side][i] = f(vg_noise_distance(round, side, i));
        vg_noise_hear(&noise, values[0], values[1], f(0));
    }
    return noise;
}

/* ---- functions, with the derivative 1 at 0 where nothing else is said */

static double line(double x) { return x; }
static double exponential(double x) { return exp(x); }
static double sine(double x) { return 3 + sin(x); }
static double steep(double x) { return tanh(20 * x) / 20; }
static double far_up(double x) { return 1000 + sin(x); }
static double small(double x) { return 1e-3 * exp(x); }                      /* 1e-3 */
static double vanishing(double x) { return 2.3 + 1e-12 * sin(x); }           /* 1e-12 */
static double flat(double x) { (void)x; return 2.3; }                        /* 0 */
static double cubic(double x) { return 1 + x * x * x; }                      /* 0 */
/* Kinks: at 0, and at some distance from it. */
static double relu(double x) { return x > 0 ? x : 0; }
static double absolute(double x) { return 1 + fabs(x); }
static double kinked(double x, double at) { return 1 + x + (x > at ? 0.5 * (x - at) : 0); }
static double kink_far(double x) { return kinked(x, 0.003); }
static double kink_near(double x) { return kinked(x, 1e-4); }
static double kink_nearer(double x) { return kinked(x, -3e-6); }
static double kink_at_hand(double x) { return kinked(x, 1e-12); }
static double kink_faint(double x) { return 1 + x + (x > 0 ? 1e-5 * x : 0); }
static double bent(double x) { return 1 + x + (x > 0 ? x * x : 0); }         /* once differentiable */
static double jump(double x) { return x > 0 ? 2 + x : 1 + x; }
static double root(double x) { return sqrt(x); }                             /* no value below */
/* Sixty kinks of a thousandth each. */
static double crumpled(double x) {
    double sum = 1 + x;
    for (int k = -30; k < 30; k++) {
        const double at = (k + 0.4) * 1e-4;
        if ((x > at) == (at > 0)) sum += 1e-3 * fabs(x - at);
    }
    return sum;
}
/* A value that is the difference of large ones. */
static double rounded(double x) { return (0.3 + sin(x) + 1e6) - 1e6; }

static const struct { const char *name; function f; double derivative, scale; vg_verdict verdict; } functions[] = {
    { "a line", line, 1, 1, VG_VERDICT_fine },
    { "exp", exponential, 1, 1, VG_VERDICT_fine },
    { "sin", sine, 1, 1, VG_VERDICT_fine },
    { "steep", steep, 1, 1, VG_VERDICT_fine },
    { "far up", far_up, 1, 1, VG_VERDICT_fine },
    { "small", small, 1e-3, 1e-3, VG_VERDICT_fine },
    { "vanishing", vanishing, 1e-12, 1e-12, VG_VERDICT_fine },
    { "flat", flat, 0, 0, VG_VERDICT_fine },
    { "flat, in a tensor that is not", flat, 0, 1, VG_VERDICT_fine },
    { "cubic", cubic, 0, 0, VG_VERDICT_fine },
    { "relu", relu, 0, 1, VG_VERDICT_unsure },
    { "relu, as PyTorch does not", relu, 1, 1, VG_VERDICT_unsure },
    { "relu, the mean", relu, 0.5, 1, VG_VERDICT_unsure },
    { "abs", absolute, 0, 1, VG_VERDICT_unsure },
    { "abs, alone", absolute, 0, 0, VG_VERDICT_unsure },
    { "a kink far off", kink_far, 1, 1, VG_VERDICT_fine },
    { "a kink nearby", kink_near, 1, 1, VG_VERDICT_fine },
    { "a kink nearer", kink_nearer, 1.5, 1.5, VG_VERDICT_fine },
    { "a kink at hand", kink_at_hand, 1, 1, VG_VERDICT_unsure },
    { "a faint kink", kink_faint, 1, 1, VG_VERDICT_unsure },
    { "a bend", bent, 1, 1, VG_VERDICT_fine },
    { "a jump", jump, 1, 1, VG_VERDICT_unsure },
    { "a root", root, INFINITY, 1, VG_VERDICT_unsure },
    { "many kinks", crumpled, 1, 1, VG_VERDICT_fine },
    { "large ones' difference", rounded, 1, 1, VG_VERDICT_fine },
    /* wrong ones */
    { "a line", line, 0, 0, VG_VERDICT_wrong },
    { "exp", exponential, -1, 1, VG_VERDICT_wrong },
    { "exp", exponential, 1 + 2e-7, 1, VG_VERDICT_wrong },
    { "exp, of little weight", exponential, 1 + 2e-7, 10, VG_VERDICT_fine },
    { "exp", exponential, NAN, 1, VG_VERDICT_wrong },
    { "exp", exponential, INFINITY, 1, VG_VERDICT_wrong },
    { "steep", steep, 1 - 2e-7, 1, VG_VERDICT_wrong },
    { "far up", far_up, 1 + 2e-7, 1, VG_VERDICT_wrong },
    { "small", small, 1e-3 * (1 + 2e-7), 1e-3, VG_VERDICT_wrong },
    { "vanishing", vanishing, 2e-12, 2e-12, VG_VERDICT_wrong },
    { "flat", flat, 1e-9, 1e-9, VG_VERDICT_wrong },
    { "a kink far off", kink_far, 1 + 1e-6, 1, VG_VERDICT_wrong },
    { "a kink nearby", kink_near, 1.25, 1.25, VG_VERDICT_wrong },
    { "a bend", bent, 1 + 1e-6, 1, VG_VERDICT_wrong },
    { "many kinks", crumpled, 1 + 1e-6, 1, VG_VERDICT_wrong }
};

static void test_functions(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        const function f = functions[k].f;
        const double derivative = functions[k].derivative;
        const vg_judge j = judged(f, derivative, functions[k].scale, noise_along(f));
        if (j.verdict != functions[k].verdict)
            fail_msg("%s, %.9g: verdict %d, not %d", functions[k].name, derivative, j.verdict, functions[k].verdict);
        if (j.verdict == VG_VERDICT_fine) assert_true(j.off <= VG_TOLERANCE);
        if (j.verdict == VG_VERDICT_wrong) assert_true(j.off > VG_TOLERANCE);
        if (j.verdict == VG_VERDICT_unsure) assert_true(j.off == 0);
    }
}

/* What rounding hides is not wrong; what it does not, is. */
static double noisy(double x) {
    static uint64_t seed = 1;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return 1 + 1e-6 * sin(x) + 1e-12 * ((double)(seed >> 11) * 0x1p-53 - 0.5);
}

static void test_rounding(void **state) {
    (void)state;
    for (int k = 0; k < 200; k++) {
        const double noise = noise_along(noisy);
        assert_true(noise > 0.5e-13 && noise < 2e-12);      /* 1e-12 / sqrt(12) = 2.9e-13 */
        assert_int_equal(judged(noisy, 1e-6, 1e-6, noise).verdict, VG_VERDICT_fine);
        assert_int_equal(judged(noisy, 1.5e-6, 1.5e-6, noise).verdict, VG_VERDICT_wrong);
    }
}

/* The rounding of smooth functions is found to be what it is; kinks are not taken for it. */
static void test_noise(void **state) {
    (void)state;
    static const struct { function f; double least, most; } rows[] = {
        { exponential, 5e-17, 1e-15 }, { far_up, 5e-14, 1e-12 }, { small, 5e-20, 1e-18 }, { kink_near, 5e-17, 1e-15 },
        { kink_nearer, 5e-17, 1e-15 }, { rounded, 5e-12, 1e-9 }, { absolute, 5e-17, 1e-15 }
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        const double noise = noise_along(rows[k].f);
        if (noise < rows[k].least || noise > rows[k].most) fail_msg("row %zu: %g", k, noise);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions), cmocka_unit_test(test_rounding), cmocka_unit_test(test_noise)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
