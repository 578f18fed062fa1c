/* gradcheck through the public header, and, from below, what it says when a derivative is wrong: a stop_gradient that
 * is not held is a derivative that differences do not agree with. And the loader's epochs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/gradcheck.h"

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
        { "var w: [10, 10] ~ normal(0, 1)\nloss = mean(exp(w @ w))\n" TRAIN, 1, 36 }
    };
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        vg_model *model = model_of(models[k].text);
        rows r = { .count = 0 };
        assert_int_equal(vg_model_gradcheck(model, &(vg_gradcheck_options){ .seed = 3 }, note, &r), VG_OK);
        assert_int_equal(r.count, models[k].variables);
        for (uint32_t i = 0; i < r.count; i++) {
            assert_true(r.list[i].ok && r.list[i].blame == NULL && r.list[i].worst < 1e-5);
            assert_true(r.list[i].checked + r.list[i].skipped >= models[k].least && r.list[i].checked > 0);
        }
        vg_model_free(model);
    }
}

/* Every entry of a relu at zero is beside a kink; w alone would not stay at zero, a little off its initial value. */
static void test_kink(void **state) {
    (void)state;
    vg_model *model = model_of("var w: [4] = 0\nloss = sum(relu(w - stop_gradient(w)))\n" TRAIN);
    rows r = { .count = 0 };
    assert_int_equal(vg_model_gradcheck(model, &(vg_gradcheck_options){ .seed = 1 }, note, &r), VG_OK);
    assert_true(r.list[0].checked == 0 && r.list[0].skipped == 4 && r.list[0].ok);
    vg_model_free(model);
}

/* A gradient that is zero, exactly or up to the loss's rounding, is one that was checked. */
static void test_zero(void **state) {
    (void)state;
    static const char *const models[] = {
        "var w: [] = 0.5\nloss = mean(cross_entropy(dense(x, 10) + w, y))\n",
        "var w: [] = 0.5\nloss = 1000 + mean(cross_entropy(dense(x, 10) + w, y))\n",
        "var w: [3] = 0\nloss = mean(square(dense(x, 1))) + sum(w ^ 3)\n",
        "var w: [3] = 0\nloss = mean(square(dense(x, 1))) + sum(cos(w))\n",
        "var w: [3] = 1e-9\nloss = 1 + mean(abs(dense(x, 1))) + sum(w ^ 2)\n"
    };
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        char text[512];
        rows r = { .count = 0 };
        snprintf(text, sizeof text, "%s%s%s", MOONS, models[k], TRAIN);
        vg_model *model = model_of(text);
        assert_int_equal(vg_model_gradcheck(model, &(vg_gradcheck_options){ .seed = 1 }, note, &r), VG_OK);
        for (uint32_t i = 0; i < r.count; i++) {
            if (strcmp(r.list[i].variable, "w") != 0) continue;
            assert_true(r.list[i].ok && r.list[i].skipped == 0 && r.list[i].checked > 0 && r.list[i].worst <= 1e-5);
        }
        vg_model_free(model);
    }
}

static void test_no_loss(void **state) {
    (void)state;
    vg_model *model = model_of("var w: [4] = 0\n");
    assert_int_equal(vg_model_gradcheck(model, &(vg_gradcheck_options){ .seed = 1 }, note, &(rows){ .count = 0 }), VG_FAILED_MODEL);
    vg_model_free(model);
}

static void test_refused(void **state) {
    (void)state;
    vg_model *model = model_of("var w: [4] = 1\nvar v: [4] = 1\nloss = sum(w * v)\n" TRAIN);
    rows r = { .stop = true };
    assert_int_equal(vg_model_gradcheck(model, &(vg_gradcheck_options){ .seed = 1 }, note, &r), VG_FAILED_RESOURCE);
    assert_int_equal(r.count, 1);
    vg_model_free(model);
}

/* ---- the blame */

typedef struct blamed { vg_model *model; vg_run *run; const char *text; } blamed;

static vg_status blame(void *user) {
    blamed *b = user;
    const vg_graph *from = &b->model->elaborated[1];
    const vg_str path = vg_strings_c(&b->model->ir.strings, "h.W");
    vg_graph faithful, graph;
    vg_node loss = 0;
    if (vg_run_prepare(b->run, 0) != VG_OK) return VG_FAILED_MODEL;
    for (uint32_t k = 0; k < from->roots.count; k++)
        if (vg_node_op(from, from->roots.items[k]) == VG_OP_loss) loss = vg_operand(from, from->roots.items[k], 0);
    vg_graph_init(&faithful, from->ir, VG_EMIT_FAITHFUL);
    vg_graph_init(&graph, from->ir, VG_EMIT_FAITHFUL);
    vg_gradcheck_copy(from, &faithful, &loss, 1, false);
    vg_gradcheck_fetch(&faithful, loss, 0);
    vg_pass_differentiate(&faithful, &graph);
    b->text = vg_gradcheck_blame(b->run, &graph, path, (vg_random_key){ 1, 0 });
    vg_graph_free(&graph);
    vg_graph_free(&faithful);
    return VG_OK;
}

static void check_blame(const char *text, const char *wanted) {
    blamed b = { .model = model_of(text) };
    assert_int_equal(vg_run_new(b.model, &(vg_run_options){ .float64 = true }, &b.run), VG_OK);
    assert_int_equal(vg_model_guard(b.model, &b.run->mem, blame, &b), VG_OK);
    assert_string_equal(b.text, wanted);
    vg_run_free(b.run);
    vg_model_free(b.model);
}

static void test_blame(void **state) {
    (void)state;
    check_blame(MOONS "h = dense(x, 4, tanh)\n  g = stop_gradient(h)   # here\nloss = mean(square(h * g))\n" TRAIN,
                "'stop_gradient' at test.nn:5:7: g = stop_gradient(h)   # here");
    check_blame(MOONS "h = dense(x, 4, tanh)\nloss = mean(softmax(h)[:, 0])\n" TRAIN,
                "no single operator: each one's own derivative is right");
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
            vg_loader_next(&loader, BATCH);
            vg_loader_next(&again, BATCH);
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
    vg_loader_next(&loader, BATCH);
    vg_loader_next(&loader, BATCH);
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
        cmocka_unit_test(test_no_loss), cmocka_unit_test(test_refused), cmocka_unit_test(test_blame),
        cmocka_unit_test(test_epochs)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
