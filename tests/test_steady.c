/* What a run takes of the machine: behind its first step no memory is asked for, whoever watches; a turn's memory is
 * little more than what has to live at once; runs beside each other take nothing from each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/look.h"
#include "gallery_fixture.h"

static gallery_model models[GALLERY];
static uint32_t model_count;

static const gallery_model *find_model(const char *name) {
    for (uint32_t k = 0; k < model_count; k++)
        if (!strcmp(models[k].name, name)) return &models[k];
    fail_msg("no %s", name);
    return NULL;
}

static bool count_records(void *user, const vg_record *record) {
    (void)record;
    (*(uint32_t *)user)++;
    return true;
}

/* ---- no allocation behind the first step */

static void check_allocations(const char *name, vg_run_options options) {
    char summaries[2][GALLERY_WIDTH] = { "histogram vars as \"v\"", "scalar rms(vars) as \"r\"" };
    const gallery_model *m = find_model(name);
    uint32_t records = 0;
    vg_run *run;
    vg_model *model = open_model(m, AS_IT_STANDS, summaries, 2);
    options.steps = 15;
    options.watch = count_records;
    options.user = &records;
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    assert_int_equal(vg_run_step(run), VG_OK);
    const uint64_t own = run->mem.calls, common = model->mem.calls;
    for (uint32_t step = 1; step < 15; step++) {
        const uint32_t before = records;
        assert_int_equal(vg_run_step(run), VG_OK);
        assert_true(records >= before + 2 * vg_run_variables(run) / 3);
        if (run->mem.calls == own && model->mem.calls == common) continue;
        fail_msg("%s, step %u: memory is asked for", name, step);
    }
    vg_run_free(run);
    vg_model_free(model);
}

static void test_allocations(void **state) {
    (void)state;
    check_allocations("deep_sigmoid", (vg_run_options){ .threads = 1 });
    check_allocations("deep_sigmoid", (vg_run_options){ .threads = 3 });
    check_allocations("spirals", (vg_run_options){ .threads = 1, .float64 = true });
    check_allocations("lenet", (vg_run_options){ .threads = 2 });
    check_allocations("cure_normalisation", (vg_run_options){ .threads = 1, .no_fuse = true });
    check_allocations("gru", (vg_run_options){ .threads = 1 });
    check_allocations("wgan_gp", (vg_run_options){ .threads = 1 });
    check_allocations("transformer", (vg_run_options){ .threads = 2 });
}

/* ---- memory */

static vg_status check_plans(void *user) {
    vg_model *model = user;
    for (uint32_t turn = 1; turn <= vg_look_turns(model); turn++) {
        vg_planned planned;
        assert_true(vg_look_plan(model, turn, &planned));
        const vg_plan *plan = &planned.plan;
        assert_true(planned.schedule.step_count < planned.schedule.order_count);      /* in groups */
        if (plan->size * 10 > plan->bound * 11)
            fail_msg("%s: %zu bytes, where %zu are alive at once", vg_model_name(model), (size_t)plan->size,
                     (size_t)plan->bound);
        vg_look_plan_release(model, &planned);
    }
    return VG_OK;
}

/* As large as they stand. */
static void test_peak(void **state) {
    (void)state;
    for (uint32_t k = 0; k < model_count; k++) {
        gallery_model whole = models[k];
        whole.options[0] = '\0';
        vg_model *model = open_model(&whole, AS_IT_STANDS, NULL, 0);
        assert_int_equal(vg_model_guard(model, NULL, check_plans, model), VG_OK);
        vg_model_free(model);
    }
}

/* ---- runs beside each other */

static void assert_same_variables(vg_run *a, vg_run *b) {
    for (size_t k = 0; k < vg_run_variables(a); k++) {
        vg_tensor x, y;
        assert_int_equal(vg_run_variable(a, k, &x), VG_OK);
        assert_int_equal(vg_run_variable(b, k, &y), VG_OK);
        assert_memory_equal(x.elements, y.elements, x.count * sizeof *x.elements);
    }
}

/* Two runs of one model take turns, each with its threads; one ends early, one begins late. */
static void test_runs(void **state) {
    (void)state;
    vg_run *alone, *first, *second;
    vg_model *model = open_model(find_model("deep_relu"), AS_IT_STANDS, NULL, 0);
    const vg_run_options one = { .threads = 1, .steps = 6 }, three = { .threads = 3, .steps = 6 };
    assert_int_equal(vg_run_new(model, &one, &alone), VG_OK);
    assert_int_equal(vg_run_new(model, &three, &first), VG_OK);
    assert_true(first->turns[0].program.schedule.threads == 3);
    vg_run_free(first);      /* before any step */
    assert_int_equal(vg_run_new(model, &three, &first), VG_OK);
    assert_int_equal(vg_run_new(model, &three, &second), VG_OK);
    for (uint32_t k = 0; k < 3; k++) {
        assert_int_equal(vg_run_step(alone), VG_OK);
        assert_int_equal(vg_run_step(first), VG_OK);
        assert_int_equal(vg_run_step(second), VG_OK);
    }
    assert_same_variables(alone, first);
    vg_run_free(first);
    for (uint32_t k = 0; k < 3; k++) {
        assert_int_equal(vg_run_step(second), VG_OK);
        assert_int_equal(vg_run_step(alone), VG_OK);
    }
    assert_same_variables(alone, second);
    vg_run_free(alone);
    vg_run_free(second);
    vg_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations), cmocka_unit_test(test_peak), cmocka_unit_test(test_runs)
    };
    model_count = read_gallery(models);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
