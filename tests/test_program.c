/* Programs made from graphs' texts: initial values that build on each other, updates applied together, scalars of
 * the step on the host, cadences, constants kept between steps, faults. */
#include "pass_fixture.h"

#include "run/program.h"

typedef struct bench { fixture f; vg_graph graph; vg_unit unit; vg_store store; vg_program initial, program; int64_t symbols[4]; } bench;

static void start(bench *b, const char *text, uint32_t real) {
    FIXTURE_BEGIN(&b->f);
    read_graph(&b->f, &b->graph, text);
    b->unit = (vg_unit){ .ir = b->f.ir };
    for (uint32_t k = 0; k < 4; k++) b->symbols[k] = 2;
    vg_store_init(&b->store, &b->f.mem, real);
    assert_true(vg_program_make(&b->initial, &b->f.mem, &b->unit, &b->graph, &b->store,
                                ((vg_program_options){ .part = VG_PART_INITIAL }), b->symbols, real));
    assert_true(vg_program_make(&b->program, &b->f.mem, &b->unit, &b->graph, &b->store,
                                ((vg_program_options){ .part = VG_PART_STEP, .turn = 1, .updates = true }), b->symbols, real));
    assert_true(vg_program_execute(&b->initial, &(vg_context){ .seed = 1 }, 1));
}

static void end(bench *b) {
    vg_program_release(&b->initial);
    vg_program_release(&b->program);
    vg_store_release(&b->store);
    fixture_end(&b->f);
}

static bool step(bench *b, uint64_t number, uint64_t steps) {
    vg_context context = { .seed = 1, .step = number, .turn = 1 };
    const bool fine = vg_program_execute(&b->program, &context, steps);
    vg_program_apply(&b->program, &context, steps);
    return fine;
}

static double variable(const bench *b, const char *path, int64_t i) {
    const uint32_t slot = vg_map_get(&b->store.map, vg_strings_find(&b->f.ir->strings, path, __builtin_strlen(path)));
    assert_true(slot > 0);
    return vg_view_get(&b->store.slots.items[slot - 1].view, i, b->store.real);
}

/* b begins as 2 * a + 1; the updates exchange the two. */
static const char exchange[] =
    "%1 = fill() value=3 type=0 : f32[2]\n"
    "%2 = initial(%1) path=\"a\" : f32[2]\n"
    "%3 = variable() path=\"a\" : f32[2]\n"
    "%4 = fill() value=2 type=0 : f32[]\n"
    "%5 = mul(%3, %4) : f32[2]\n"
    "%6 = fill() value=1 type=0 : f32[]\n"
    "%7 = add(%5, %6) : f32[2]\n"
    "%8 = initial(%7) path=\"b\" : f32[2]\n"
    "%9 = variable() path=\"b\" : f32[2]\n"
    "%10 = update(%9) path=\"a\" turn=1 every=1 : f32[2]\n"
    "%11 = update(%3) path=\"b\" turn=1 every=1 : f32[2]\n";

static void test_together(void **state) {
    (void)state;
    bench b;
    start(&b, exchange, 4);
    for (int64_t i = 0; i < 2; i++) assert_true(variable(&b, "a", i) == 3 && variable(&b, "b", i) == 7);
    step(&b, 0, 2);
    for (int64_t i = 0; i < 2; i++) assert_true(variable(&b, "a", i) == 7 && variable(&b, "b", i) == 3);
    step(&b, 1, 2);
    assert_true(variable(&b, "a", 0) == 3 && variable(&b, "b", 1) == 7);
    end(&b);
}

/* a counts 0.1 * step in double; b takes part every third step, not at the last one. */
static const char cadences[] =
    "%1 = fill() value=0 type=0 : f32[]\n"
    "%2 = initial(%1) path=\"a\" : f32[]\n"
    "%3 = initial(%1) path=\"b\" : f32[]\n"
    "%4 = step() turn=0 : i32[]\n"
    "%5 = float(%4) : f32[]\n"
    "%6 = fill() value=0.1 type=0 : f32[]\n"
    "%7 = mul(%5, %6) : f32[]\n"
    "%8 = update(%7) path=\"a\" turn=1 every=1 : f32[]\n"
    "%9 = variable() path=\"b\" : f32[]\n"
    "%10 = fill() value=1 type=0 : f32[]\n"
    "%11 = add(%9, %10) : f32[]\n"
    "%12 = update(%11) path=\"b\" turn=1 every=3 : f32[]\n"
    "%13 = summary(%11) tag=\"b\" kind=0 every=5 turn=1 : f32[]\n";

static void test_cadences(void **state) {
    (void)state;
    for (uint32_t real = 4; real <= 8; real += 4) {
        bench b;
        start(&b, cadences, real);
        for (uint64_t k = 0; k < 8; k++) {
            step(&b, k, 8);
            const double wanted = (double)k * 0.1;
            assert_true(variable(&b, "a", 0) == (real == 4 ? (double)(float)wanted : wanted));
            assert_true(variable(&b, "b", 0) == (double)(k / 3 + 1));
        }
        uint64_t due = 0;
        for (uint32_t k = 0; k < b.program.roots.count; k++) {
            const vg_root_row *root = &b.program.roots.items[k];
            if (root->op != VG_OP_summary) continue;
            for (uint64_t n = 0; n < 8; n++)
                if (vg_program_due(&b.program, n, 8, true) & root->cadences) due |= (uint64_t)1 << n;
        }
        assert_int_equal(due, 1 << 0 | 1 << 5 | 1 << 7);
        end(&b);
    }
}

/* What depends on constants alone is computed in the first step and kept; nothing allocates while stepping. */
static const char constants[] =
    "%1 = iota() count=4 : i32[4]\n"
    "%2 = float(%1) : f32[4]\n"
    "%3 = reshape(%2) : f32[2, 2]\n"
    "%4 = input() path=\"x\" type=0 : f32[batch, 2]\n"
    "%5 = matmul(%4, %3) ta=0 tb=0 : f32[batch, 2]\n"
    "%6 = fetch(%5) index=0 : f32[batch, 2]\n";

static void test_constants(void **state) {
    (void)state;
    bench b;
    start(&b, constants, 4);
    assert_int_equal(b.program.once.count, 2);
    assert_int_equal(b.program.steps.count, 1);
    const vg_view x = b.program.views.items[b.program.view_of[4]];
    for (int64_t i = 0; i < 4; i++) vg_view_set(&x, i, 4, (double)(1 + i));
    const uint64_t calls = b.f.mem.calls;
    for (uint64_t k = 0; k < 3; k++) assert_true(step(&b, k, 3));
    assert_int_equal(b.f.mem.calls, calls);
    const vg_view *y = &b.program.views.items[b.program.roots.items[0].view];
    const double wanted[4] = { 4, 7, 8, 15 };      /* [[1, 2], [3, 4]] @ [[0, 1], [2, 3]] */
    for (int64_t i = 0; i < 4; i++) assert_true(vg_view_get(y, i, 4) == wanted[i]);
    end(&b);
}

static const char faulty[] =
    "%1 = input() path=\"x\" type=0 : f32[batch, 3]\n"
    "%2 = input() path=\"i\" type=1 : i32[batch]\n"
    "%3 = pick(%1, %2) : f32[batch]\n"
    "%4 = fetch(%3) index=0 : f32[batch]\n";

static void test_fault(void **state) {
    (void)state;
    bench b;
    start(&b, faulty, 4);
    const vg_view i = b.program.views.items[b.program.view_of[2]];
    assert_true(step(&b, 0, 2));
    vg_view_set(&i, 1, 4, 3);
    assert_false(step(&b, 1, 2));
    assert_int_equal(b.program.fault_node, 3);
    end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together), cmocka_unit_test(test_cadences), cmocka_unit_test(test_constants), cmocka_unit_test(test_fault)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
