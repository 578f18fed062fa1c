/* The language: draws. Each has its own key, so two equal ones differ, the same run is the same bits, and what is
 * added elsewhere changes no other number. Moments of the distributions. */
#include "language_fixture.h"

static const vg_row draws[] = {
    { "two equal draws differ", "a = sample(normal(0, 1), [3])\nb = sample(normal(0, 1), [3])\n"
      "c = [sample(uniform(), []) for k in 1..2]",
      .wants = { { "min(abs(a - b)) > 0", "int 1" }, { "c[0] == c[1]", "int 0" } } },
    { "two in one binding", "d = sample(normal(0, 1), [3]) - sample(normal(0, 1), [3])",
      .wants = { { "min(abs(d)) > 0", "int 1" } } },
    { "each time the text is elaborated", "def noise() = sample(normal(0, 1), [])\nlayer noisy(x) {\n"
      "return x + sample(normal(0, 1), [])\n}\nfor i in 1..2 {\nt = sample(normal(0, 1), [])\nu = noise()\n"
      "v = noisy(0)\n}\n" "w = noise() - noise()",
      .wants = { { "t[1] == t[2]", "int 0" }, { "u[1] == u[2]", "int 0" }, { "v[1] == v[2]", "int 0" },
        { "w == 0", "int 0" } } },
    { "one name is one draw", "a = sample(normal(0, 1), [3])\nb = a", .wants = { { "a - b", "[3] 0 0 0" } } },
    { "afresh in each turn", "a = sample(normal(0, 1), [3])\nstate before: [3] = 0\nupdate before = a", .steps = 2,
      .wants = { { "min(abs(a - before)) > 0", "int 1" } } },
    { "an initial value once", "var W: [3] ~ normal(0, 1)\nstate before: [3] = 0\nupdate before = W", .steps = 2,
      .wants = { { "W - before", "[3] 0 0 0" } } },
    { "initial values by their path", "var A: [3] ~ normal(0, 1)\nvar B: [3] ~ normal(0, 1)",
      .wants = { { "min(abs(A - B)) > 0", "int 1" } } },
    { "in an update", "state a: [] = 0\nstate b: [] = 0\nupdate a = sample(normal(0, 1), [])\n"
      "update b = sample(normal(0, 1), [])", .steps = 2, .wants = { { "a == b", "int 0" } } },
    { "an expect compares what it shows", "expect sample(uniform(), []) < 2", .wants = { { "1", "1" } } },
    { "a draw of a shape that data tells", "data p = xor(100)\ninput x: [batch, 2] = p.features\n"
      "n = sample(normal(0, 1), shape(x))",
      .wants = { { "shape(n)", "int [2] 32 2" }, { "rms(n) > 0.5", "int 1" } } },
    { "a parameter that is a tensor", "x = ones([])\na = sample(normal(x, 1), [2])", .error = "distribution-tensor" },
    { "no distribution", "a = sample(3, [2])", .error = "not-distribution" },
    { "in an initial value's expression", "var W: [2] = sample(normal(0, 1), [2])", .error = "initial-depends" },
    { "an initialiser by fan in sample", "a = sample(he_normal(), [1000, 10])",
      .wants = { { "abs(std(a) - sqrt(2 / 1000)) < 0.001", "int 1" } } },
};

/* Distributions of 40000 numbers: mean and standard deviation within 4 standard errors or so. */
#define M(name, dist, mean, std) \
    { name, "x = sample(" dist ", [40000])\nvar W: [200, 200] ~ " dist "\n" \
      "m = abs(mean(x) - (" mean ")) / (" std ")\ns = abs(std(x) / (" std ") - 1)\n" \
      "n = abs(mean(W) - (" mean ")) / (" std ")\nt = abs(std(W) / (" std ") - 1)", .single = true, \
      .wants = { { "m < 0.02", "int 1" }, { "s < 0.02", "int 1" }, { "n < 0.02", "int 1" }, { "t < 0.02", "int 1" } } }
#define F(name, dist, std) \
    { name, "var W: [300, 100] ~ " dist "\nm = abs(mean(W)) / (" std ")\ns = abs(std(W) / (" std ") - 1)", \
      .single = true, .wants = { { "m < 0.03", "int 1" }, { "s < 0.02", "int 1" } } }
static const vg_row moments[] = {
    M("normal", "normal(3, 2)", "3", "2"),
    M("truncated normal", "truncated_normal(1, 2)", "1", "2 * 0.87962566103423978"),
    M("uniform", "uniform(-1, 3)", "1", "4 / sqrt(12)"),
    M("bernoulli", "bernoulli(0.3)", "0.3", "sqrt(0.21)"),
    F("glorot_normal", "glorot_normal()", "sqrt(2 / 400)"),
    F("glorot_uniform", "glorot_uniform()", "sqrt(2 / 400)"),
    F("he_normal", "he_normal()", "sqrt(2 / 300)"),
    F("he_uniform", "he_uniform()", "sqrt(2 / 300)"),
    F("lecun_normal", "lecun_normal()", "sqrt(1 / 300)"),
    F("lecun_uniform", "lecun_uniform()", "sqrt(1 / 300)"),
    F("a gain", "glorot_normal(gain = 3)", "3 * sqrt(2 / 400)"),
    { "bounds", "x = sample(uniform(-1, 3), [10000])\ny = sample(truncated_normal(0, 1), [10000])\n"
      "z = sample(bernoulli(0.5), [100])", .single = true,
      .wants = { { "min(x) >= -1 and max(x) < 3", "int 1" }, { "max(abs(y)) <= 2", "int 1" },
        { "sum(z * (1 - z))", "0" } } },
    { "orthogonal", "var W: [4, 3] ~ orthogonal()\nvar V: [3, 4] ~ orthogonal(gain = 2)",
      .wants = { { "max(abs(transpose(W) @ W - eye(3))) < 1e-5", "int 1" },
        { "max(abs(V @ transpose(V) - 4 * eye(3))) < 1e-5", "int 1" } } },
    { "identity", "var W: [2, 3] ~ identity_init()\nvar V: [2, 2] ~ identity_init(5)",
      .wants = { { "W", "[2, 3] 1 0 0 0 1 0" }, { "V", "[2, 2] 5 0 0 5" } } },
    { "fans", "var W: [2, 2] = 0",
      .wants = { { "fan_in([3, 5])", "3" }, { "fan_out([3, 5])", "5" }, { "fan_in([8, 3, 2, 2])", "12" },
        { "fan_out([8, 3, 2, 2])", "32" } } },
    { "written by the user", "initializer mine(k = 2) for shape {\nreturn normal(0, k / fan_in(shape))\n}\n"
      "initializer ramp() for shape {\nreturn float(arange(shape[0]))\n}\n"
      "initializer one() for shape { return 1 }\n" "var A: [100, 400] ~ mine(k = 10)\nvar B: [3] ~ ramp()\n"
      "var C: [2] ~ one()", .single = true,
      .wants = { { "abs(std(A) / 0.1 - 1) < 0.02", "int 1" }, { "B", "[3] 0 1 2" }, { "C", "[2] 1 1" } } },
    { "one of another shape", "initializer ramp() for shape { return float(arange(7)) }\nvar B: [3] ~ ramp()",
      .error = "initial-shape" },
    { "ranges", "a = sample(normal(0, -1), [2])", .error = "distribution-range" },
};
#undef M
#undef F

/* ---- what is added elsewhere */

#define BASE \
    "data p = spirals(count = 400)\ninput x: [batch, 2] = p.features\ninput y: [batch] = p.target\n" \
    "layer fc(x: [n, d], k) {\nvar W: [d, k] ~ glorot_uniform()\nvar b: [k] ~ normal(0, 0.1)\n" \
    "z = x @ W + b + sample(normal(0, 0.01), [k])\nreturn dropout(relu(z), 0.2)\n}\n"
#define NET \
    "h[1] = fc(x, 8)\nh[2] = fc(h[1], 8)\nlogits = dense(h[2], p.classes)\nnoise = sample(uniform(), [4])\n" \
    "loss = mean(cross_entropy(logits, y))\nsummary scalar loss\n" \
    "train loss { batch = 16; steps = 5; optimizer = sgd(0.1, momentum = 0.9) }\n"

enum { STEPS = 3, NUMBERS = 1024 };

/* The elements of the base model's variables and values after some steps. */
static size_t numbers_of(const char *text, const char *more, double *numbers) {
    static const char *const expressions[] = { "loss",   "noise",  "x",        "h[2]",
                                               "h[1].W", "h[2].b", "logits.W", "train.h[2].W.m" };
    enum { COUNT = sizeof expressions / sizeof *expressions };
    uint32_t index;
    size_t count = 0;
    vg_run *run = NULL;
    vg_model *model = vg_model_new();
    for (uint32_t k = 0; k < COUNT; k++) vg_model_fetch(model, expressions[k], &index);
    if (more) vg_model_fetch(model, more, &index);
    if (more) vg_model_summary(model, "histogram grad(loss, h[*].W)");
    vg_status status = vg_model_load_text(model, "model.nn", text, strlen(text));
    if (status == VG_OK) status = vg_run_new(model, NULL, &run);
    for (uint32_t k = 0; k < STEPS && status == VG_OK; k++) status = vg_run_step(run);
    if (status != VG_OK) vg_model_explain(model, 0, false, to_stderr, NULL);
    assert_int_equal(status, VG_OK);
    for (uint32_t k = 0; k < COUNT; k++) {
        vg_tensor tensor;
        assert_int_equal(vg_run_fetch(run, k, &tensor), VG_OK);
        assert_true(count + tensor.count <= NUMBERS);
        memcpy(numbers + count, tensor.elements, tensor.count * sizeof *numbers);
        count += tensor.count;
    }
    vg_run_free(run);
    vg_model_free(model);
    return count;
}

typedef struct addition { const char *name, *text, *fetch; } addition;
static const addition additions[] = {
    { "the same again", BASE NET, NULL },
    { "a value to read and a summary from outside", BASE NET,
      "sum(sample(normal(0, 1), [7])) + sum(dropout(h[1], 0.5))" },
    { "a variable before", "var first: [3] ~ normal(0, 1)\n" BASE NET, NULL },
    { "a variable behind", BASE NET "var last: [3] ~ normal(0, 1)\n", NULL },
    { "a draw before and behind", "before = sample(uniform(), [4])\n" BASE NET
      "after = sample(uniform(), [4])\nexpect sum(after) < 100\n", NULL },
    { "a layer", BASE "extra = fc(fc(x, 4), 4)\n" NET "other = fc(h[2], 3)\n", NULL },
    { "summaries, some with draws", BASE "summary histogram sample(normal(0, 1), [10])\n"
      "summary histogram grad(loss, h[*]), vars\n" NET "summary scalar sum(sample(uniform(), [3])) every 2\n", NULL
      },
    { "an update with a draw", BASE "state s: [] = 0\nupdate s = sample(uniform(), [])\n" NET, NULL },
    { "another data set", "data q = moons(count = 300)\n" BASE NET
      "input v: [batch, 2] = q.features\nvar u: [2] ~ normal(0, 1)\nt = sum(v @ u)\nsummary scalar t\n", NULL },
    { "one more input of the data set", BASE "input more: [batch, 2] = p.features\n" NET
      "summary scalar sum(more)\n", NULL },
    { "a def, a loop, a choice", BASE "def f(x) = x + sample(normal(0, 1), [])\nfor i in 1..3 {\nq = f(i)\n}\n"
      "if true { r = f(1) }\n" NET, NULL },
};

static void test_additions(void **state) {
    (void)state;
    double base[NUMBERS], other[NUMBERS];
    const size_t count = numbers_of(BASE NET, NULL, base);
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof additions / sizeof *additions; k++) {
        assert_int_equal(numbers_of(additions[k].text, additions[k].fetch, other), count);
        if (memcmp(base, other, count * sizeof *base) == 0) continue;
        print_error("%s: other numbers\n", additions[k].name);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_draws(void **state) { (void)state; CHECK_ROWS(draws); }
static void test_moments(void **state) { (void)state; CHECK_ROWS(moments); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws), cmocka_unit_test(test_moments), cmocka_unit_test(test_additions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
