/* gradcheck through the public header, and with gradient rules that are wrong: it has to find them, and to name the
 * operator. And the loader's epochs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/run.h"
#include "pass/gradient.h"

static vg_model *model_of(const char *text) {
    vg_model *model = vg_model_new();
    if (vg_model_load_text(model, "test.nn", text, strlen(text)) != VG_OK) {
        vg_diagnostic d = { .message = "" };
        vg_model_diagnostic(model, 0, &d);
        fail_msg("%u: %s", d.line, d.message);
    }
    return model;
}

typedef struct rows { vg_gradcheck_row list[16]; uint32_t count; bool stop; } rows;

static bool note(void *user, const vg_gradcheck_row *row) {
    rows *r = user;
    r->list[r->count++] = *row;
    return !r->stop;
}

#define MOONS "data points = moons(count = 200)\ninput x: [batch, 2] = points.features\ninput y: [batch] = points.target\n"
#define TRAIN "train loss {\n batch = 16\n steps = 1\n}\n"

static vg_status check(vg_model *model, uint32_t order, rows *r) {
    r->count = 0;
    return vg_model_gradcheck(model, &(vg_gradcheck_options){ .seed = 3, .order = order }, note, r);
}

static void test_right(void **state) {
    (void)state;
    static const struct { const char *text; uint32_t variables; uint64_t least; } models[] = {
        { MOONS "h = dense(x, 8, tanh)\nloss = mean(cross_entropy(dense(h, 2), y))\n" TRAIN, 4, 2 },
        /* kinks, draws, what stop_gradient holds, a second derivative, a variable that the loss does not see */
        { MOONS "h = dense(x, 40, relu)\nloss = mean(cross_entropy(dense(h, 2), y))\n" TRAIN, 4, 2 },
        { MOONS "h = dense(x, 4) * sample(normal(1, 1), [4])\nloss = mean(square(h))\n" TRAIN, 2, 4 },
        { MOONS "h = dense(x, 4, tanh)\nloss = mean(square(h * stop_gradient(h)))\n" TRAIN, 2, 4 },
        { "var w: [3] = [1, 2, 3]\ninner = sum(w ^ 3)\nloss = sum(grad(inner, w) ^ 2)\n" TRAIN, 1, 3 },
        { "var w: [3] = [1, 2, 3]\nvar v: [2] = 1\nloss = sum(square(w))\n" TRAIN, 2, 2 },
        { "var w: [10, 10] ~ normal(0, 1)\nloss = mean(exp(w @ w))\n" TRAIN, 1, 36 },
        /* what is stopped is another value where something is replaced */
        { "var w: [3] = [1, 2, 3]\ninner = sum(stop_gradient(w ^ 2) * w)\nfast = w - 0.1 * grad(inner, w)\n"
          "loss = sum(square(replace(inner, w, fast))) + sum(replace(w * stop_gradient(w), w, fast))\n" TRAIN, 1, 3 },
        /* the sum of several blocks' losses */
        { "var w: [3] = [1, 2, 3]\nvar v: [3] = [3, 1, 2]\na = sum(w * v ^ 2)\nb = sum(exp(w) * v)\n"
          "train a {\n steps = 1\n}\ntrain b {\n}\n", 2, 3 },
        /* linear: the second derivative is zero */
        { "var w: [3] = [1, 2, 3]\nloss = sum(w)\n" TRAIN, 1, 3 },
        /* a state that is held, and an index */
        { MOONS "var e: [2, 5] ~ normal(0, 1)\nh = batch_norm(gather(e, y) + dense(x, 5))\n"
          "loss = mean(h ^ 3)\n" TRAIN, 5, 2 }
    };
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        vg_model *model = model_of(models[k].text);
        for (uint32_t order = 1; order <= 2; order++) {
            rows r = { .count = 0 };
            assert_int_equal(check(model, order, &r), VG_OK);
            assert_int_equal(r.count, models[k].variables);
            for (uint32_t i = 0; i < r.count; i++) {
                assert_true(r.list[i].ok && r.list[i].blame == NULL && r.list[i].worst <= 1e-7);
                assert_true(r.list[i].skipped == 0 && r.list[i].checked >= models[k].least);
            }
        }
        vg_model_free(model);
    }
}

/* Every entry of a relu at zero is beside a kink; w alone would not stay at zero, a little off its initial value. */
static void test_kink(void **state) {
    (void)state;
    vg_model *model = model_of("var w: [4] = 0\nloss = sum(relu(w - stop_gradient(w)))\n" TRAIN);
    for (uint32_t order = 1; order <= 2; order++) {
        rows r = { .count = 0 };
        assert_int_equal(check(model, order, &r), VG_OK);
        assert_true(r.list[0].checked == 0 && r.list[0].skipped == 4 && r.list[0].ok);
    }
    vg_model_free(model);
}

/* A gradient that is zero, exactly or up to the loss's rounding, is one that was checked. */
static void test_zero(void **state) {
    (void)state;
    static const char *const models[] = {
        "var w: [] = 0.5\nloss = mean(cross_entropy(dense(x, 10) + w, y))\n",
        "var w: [] = 0.5\nloss = 1000 + mean(cross_entropy(dense(x, 10) + w, y))\n",
        "var w: [3] = 1\nz = w - stop_gradient(w)\nloss = mean(square(dense(x, 1))) + sum(z ^ 3)\n",
        "var w: [3] = 1\nz = w - stop_gradient(w)\nloss = mean(square(dense(x, 1))) + sum(cos(z))\n",
        "var w: [3] = 1e-9\nloss = 1 + mean(abs(dense(x, 1))) + sum(w ^ 2)\n",
        "var w: [3] = 1\nz = w - stop_gradient(w) + [0, 1, 2]\nloss = mean(square(dense(x, 1))) + sum(square(relu(z)))\n"
    };
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        char text[512];
        rows r = { .count = 0 };
        snprintf(text, sizeof text, "%s%s%s", MOONS, models[k], TRAIN);
        vg_model *model = model_of(text);
        assert_int_equal(check(model, 1, &r), VG_OK);
        for (uint32_t i = 0; i < r.count; i++) {
            if (strcmp(r.list[i].variable, "w") != 0) continue;
            assert_true(r.list[i].ok && r.list[i].skipped == 0 && r.list[i].checked > 0 && r.list[i].worst <= 1e-7);
        }
        vg_model_free(model);
    }
}

static void test_no_loss(void **state) {
    (void)state;
    vg_model *model = model_of("var w: [4] = 0\n");
    assert_int_equal(check(model, 1, &(rows){ .count = 0 }), VG_FAILED_MODEL);
    vg_model_free(model);
}

static void test_refused(void **state) {
    (void)state;
    vg_model *model = model_of("var w: [4] = 1\nvar v: [4] = 1\nloss = sum(w * v)\n" TRAIN);
    for (uint32_t order = 1; order <= 3; order++) {
        rows r = { .stop = true };
        assert_int_equal(check(model, order, &r), order == 3 ? VG_FAILED_USAGE : VG_FAILED_RESOURCE);
        assert_int_equal(r.count, order == 3 ? 0 : 1);
    }
    vg_model_free(model);
}

/* ---- rules that are wrong */

static vg_node stopped(vg_graph *graph, vg_node a) { return vg_build_map1(graph, VG_OP_stop_gradient, a); }

static void tanh_negative(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    vg_gradient_tanh(graph, node, adjoint, out);
    out[0] = negate(graph, out[0]);
}

static void tanh_larger(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    vg_gradient_tanh(graph, node, adjoint, out);
    out[0] = scale(graph, out[0], 1.001);
}

static void tanh_hardly_larger(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    vg_gradient_tanh(graph, node, adjoint, out);
    out[0] = scale(graph, out[0], 1 + 1e-6);
}

static void relu_hardly_larger(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    vg_gradient_relu(graph, node, adjoint, out);
    out[0] = scale(graph, out[0], 1 + 1e-6);
}

static void tanh_infinite(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    out[0] = divide(graph, adjoint, subtract(graph, node, node));
}

/* Right in value; but the derivative of the derivative is lost. */
static void tanh_stopped(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    const vg_node slope = subtract(graph, vg_build_scalar(graph, 1), square(graph, node));
    out[0] = multiply(graph, adjoint, stopped(graph, slope));
}

static void exp_stopped(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    out[0] = multiply(graph, adjoint, stopped(graph, node));
}

/* Where the shapes do not show it. */
static void matmul_untransposed(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    const vg_node b = vg_operand(graph, node, 1);
    const vg_shape shape = vg_node_shape(graph, b);
    const vg_dims *dims = &graph->ir->dims;
    vg_gradient_matmul(graph, node, adjoint, out);
    const bool square = vg_shape_dim(dims, shape, 0) == vg_shape_dim(dims, shape, 1);
    const bool plain = !attr_word(graph, node, 0) && !attr_word(graph, node, 1);
    if (square && plain) out[0] = vg_build_matmul(graph, adjoint, b, false, false);
}

static void softmax_without_mean(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    out[0] = multiply(graph, adjoint, node);
}

static void select_swapped(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    vg_node right[3] = { 0 };
    vg_gradient_select(graph, node, adjoint, right);
    out[1] = right[2];
    out[2] = right[1];
}

static void square_halved(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out) {
    out[0] = multiply(graph, adjoint, vg_operand(graph, node, 0));
}

#define NET "var W: [2, 4] ~ normal(0, 1)\nvar V: [4, 4] ~ normal(0, 1)\n"
#define SQUARE "var W: [2, 2] ~ normal(0, 1)\nvar V: [2, 2] ~ normal(0, 1)\n"

static const struct {
    vg_op            op;
    vg_gradient_rule rule;
    const char      *text;
    bool             found[3];     /* by order */
    const char      *blame;
} wrongs[] = {
    { VG_OP_tanh, tanh_negative, MOONS NET "h = tanh(x @ W)   # here\nloss = mean(square(h @ V))\n" TRAIN,
      { false, true, true }, "'tanh' at test.nn:6:5: h = tanh(x @ W)   # here" },
    { VG_OP_tanh, tanh_larger, MOONS NET "h = tanh(x @ W)\nloss = mean(square(h @ V))\n" TRAIN,
      { false, true, true }, "'tanh' at test.nn:6:5: h = tanh(x @ W)" },
    /* two that play against each other */
    { VG_OP_tanh, tanh_larger, "var w: [3] = [0.1, 0.2, 0.3]\na = sum(tanh(w))\nb = -a\n"
      "train a {\n steps = 1\n}\ntrain b {\n}\n", { false, true, true }, "'tanh' at test.nn:2:9: a = sum(tanh(w))" },
    { VG_OP_tanh, tanh_infinite, MOONS NET "h = tanh(x @ W)\nloss = mean(square(h @ V))\n" TRAIN,
      { false, true, true }, "'tanh' at test.nn:6:5: h = tanh(x @ W)" },
    /* an error of a millionth in a gradient that is a ten-thousandth of the loss */
    { VG_OP_tanh, tanh_hardly_larger, MOONS NET "h = tanh(x @ W)\nloss = 1 + 1e-4 * mean(square(h @ V))\n" TRAIN,
      { false, true, true }, "'tanh' at test.nn:6:5: h = tanh(x @ W)" },
    { VG_OP_relu, relu_hardly_larger, MOONS "var W: [2, 64] ~ normal(0, 1)\nh = relu(x @ W)\n"
      "loss = 1 + 1e-4 * mean(square(dense(h, 8)))\n" TRAIN,
      { false, true, true }, "'relu' at test.nn:5:5: h = relu(x @ W)" },
    { VG_OP_tanh, tanh_stopped, MOONS NET "h = tanh(x @ W)\nloss = mean(square(h @ V))\n" TRAIN,
      { false, false, true }, "'tanh' at test.nn:6:5: h = tanh(x @ W)" },
    { VG_OP_exp, exp_stopped, "var w: [3] = [1, 2, 3]\nloss = sum(exp(w))\n" TRAIN,
      { false, false, true }, "'exp' at test.nn:2:12: loss = sum(exp(w))" },
    /* with a gradient in the loss, the first order is a second one; what is lost there is lost to the second, too */
    { VG_OP_exp, exp_stopped, "var w: [3] = [1, 2, 3]\ninner = sum(exp(w))\nloss = sum(square(grad(inner, w)))\n" TRAIN,
      { false, true, false }, "'exp' at test.nn:2:13: inner = sum(exp(w))" },
    { VG_OP_matmul, matmul_untransposed, MOONS SQUARE "h = tanh(x @ W)\ng = h @ V\nloss = mean(square(g))\n" TRAIN,
      { false, true, true }, "'matmul' at test.nn:7:5: g = h @ V" },
    { VG_OP_softmax, softmax_without_mean, MOONS NET "p = softmax(x @ W)\nloss = mean(square(p @ V))\n" TRAIN,
      { false, true, true }, "'softmax' at test.nn:6:5: p = softmax(x @ W)" },
    /* swapped twice is right again: of the wrong gradient this is the derivative */
    { VG_OP_select, select_swapped, MOONS NET "a = x @ W\nh = select(a > 0, a, a ^ 2)\nloss = mean(h)\n" TRAIN,
      { false, true, false }, "'select' at test.nn:7:5: h = select(a > 0, a, a ^ 2)" },
    /* an operator that only the gradient has: that of erf squares */
    { VG_OP_square, square_halved, "var w: [3] = [0.1, 0.2, 0.3]\nloss = sum(erf(w))\n" TRAIN,
      { false, false, true }, "'square' in the gradient of 'erf' at test.nn:2:12: loss = sum(erf(w))" }
};

static void test_wrong(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
        vg_gradient_table table = vg_gradients;
        vg_model *model = model_of(wrongs[k].text);
        table.rules[wrongs[k].op] = wrongs[k].rule;
        for (uint32_t order = 1; order <= 2; order++) {
            rows r = { .count = 0 };
            assert_int_equal(check(model, order, &r), VG_OK);      /* as it is, it is right */
            model->ir.gradients = &table;
            assert_int_equal(check(model, order, &r), wrongs[k].found[order] ? VG_FAILED_MODEL : VG_OK);
            model->ir.gradients = NULL;
            bool found = false;

            for (uint32_t i = 0; i < r.count; i++) {
                assert_int_equal(r.list[i].ok, r.list[i].blame == NULL);
                if (r.list[i].ok) continue;
                assert_true(r.list[i].worst > 1e-7);
                assert_string_equal(r.list[i].blame, wrongs[k].blame);
                found = true;
            }
            assert_int_equal(found, wrongs[k].found[order]);
        }
        vg_model_free(model);
    }
}

/* Without memory it ends, wherever that is, and leaves the model as it was. */
static void test_memory(void **state) {
    (void)state;
    vg_gradient_table table = vg_gradients;
    table.rules[VG_OP_tanh] = tanh_larger;
    for (uint32_t order = 1; order <= 2; order++) {
        vg_model *model = model_of(MOONS NET "h = tanh(x @ W)\nloss = mean(square(h @ V))\n" TRAIN);
        vg_status status = VG_FAILED_RESOURCE;
        rows r = { .count = 0 };
        uint32_t failures = 0;
        model->ir.gradients = &table;
        for (uint64_t n = 1; status == VG_FAILED_RESOURCE; n += 1 + n / 8) {
            model->mem.fail_at = model->mem.calls + n;
            status = check(model, order, &r);
            failures += status == VG_FAILED_RESOURCE;
        }
        assert_true(failures > 20);
        model->mem.fail_at = 0;
        assert_int_equal(check(model, order, &r), VG_FAILED_MODEL);
        assert_int_equal(r.count, 2);
        vg_model_free(model);
    }
}

/* ---- epochs */

enum { COUNT = 23, BATCH = 5 };

static void check_epochs(vg_mem *mem) {
    vg_strings strings;
    vg_loader loader, again;
    uint32_t split[COUNT], first[COUNT] = { 0 }, differ = 0;
    vg_strings_init(&strings, mem);
    for (uint32_t k = 0; k < COUNT; k++) split[k] = 100 + k;
    vg_dataset set = { .name = vg_strings_c(&strings, "points"), .train = split, .train_count = COUNT, .test_examples = split,
                       .test_count = COUNT };
    vg_loader_init(&loader, mem, &strings, &set, false, true, 1, BATCH);
    vg_loader_init(&again, mem, &strings, &set, false, true, 1, BATCH);
    for (uint32_t epoch = 0; epoch < 3; epoch++) {
        bool seen[COUNT] = { false };
        for (uint32_t b = 0; b < COUNT / BATCH; b++) {
            vg_loader_next(&loader, BATCH, loader.batch);
            vg_loader_next(&again, BATCH, again.batch);
            for (uint32_t k = 0; k < BATCH; k++) {
                const uint32_t example = loader.batch[k] - 100;
                assert_int_equal(loader.batch[k], again.batch[k]);
                assert_true(example < COUNT && !seen[example]);
                seen[example] = true;
                if (epoch == 0) first[b * BATCH + k] = example;
                else differ += first[b * BATCH + k] != example;
            }
        }
        assert_int_equal(loader.epoch, epoch);
    }
    assert_true(differ > 0);
    vg_loader_init(&loader, mem, &strings, &set, true, true, 1, BATCH);      /* a test split is seen in its order */
    vg_loader_next(&loader, BATCH, loader.batch);
    vg_loader_next(&loader, BATCH, loader.batch);
    for (uint32_t k = 0; k < BATCH; k++) assert_int_equal(loader.batch[k], 100 + BATCH + k);
}

static void test_epochs(void **state) {
    (void)state;
    vg_mem mem;
    jmp_buf escape;
    vg_mem_init(&mem);
    mem.escape = &escape;
    if (setjmp(escape)) fail_msg("out of memory");
    check_epochs(&mem);
    vg_mem_release(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),   cmocka_unit_test(test_kink),    cmocka_unit_test(test_zero),
        cmocka_unit_test(test_no_loss), cmocka_unit_test(test_refused), cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_epochs)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
