/* Random graphs, run in every way that there is: step by step, in groups, by one to four threads. All of it is the same,
 * bit by bit: the initial variables, what is fetched and watched at each step, the variables behind it, and what stops it. */
#include "random_graph.h"

#include <math.h>

#include "run/pool.h"
#include "run/program.h"

/* wavers: the threads take every other step together, one alone the others. */
typedef struct way { const char *name; bool no_fuse; uint32_t threads; bool wavers; } way;
static const way ways[] = {
    { "step by step", true, 1, false }, { "groups", false, 1, false }, { "groups, two threads", false, 2, false },
    { "groups, two threads or one", false, 2, true }, { "groups, three threads", false, 3, false },
    { "step by step, four threads", true, 4, false }
};
enum { WAYS = sizeof ways / sizeof *ways, SHARED_WAYS = 4, STEPS = 4 };

/* A graph being run in one way. */
typedef struct machine {
    vg_store   store;
    vg_program program;
    vg_context context;
    bool       fine, wavers;
} machine;

typedef struct bench {
    fixture      f;
    vg_graph     graph;
    vg_unit      unit;
    random_graph random;
    uint32_t     real;
    const vg_kernels *kernels;      /* NULL: the best */
} bench;

static void make_machine(bench *b, machine *m, const way *w) {
    vg_mem *mem = &b->f.mem;
    vg_program initial;
    vg_store_init(&m->store, mem, b->real);
    if (b->kernels) m->store.kernels = b->kernels;
    const vg_program_options first = { .part = VG_PART_INITIAL, .no_fuse = w->no_fuse };
    const vg_program_options options = { .part = VG_PART_STEP, .turn = 1, .updates = true, .no_fuse = w->no_fuse,
                                         .pool = vg_pool_new(mem, w->threads) };
    assert_true(vg_program_make(&initial, mem, &b->unit, &b->graph, &m->store, first, b->random.symbols, b->real));
    assert_true(vg_program_make(&m->program, mem, &b->unit, &b->graph, &m->store, options, b->random.symbols, b->real));
    vg_context context = { .seed = b->random.seed };
    m->fine = vg_program_execute(&initial, &context, 1);
    m->wavers = w->wavers;
    m->context = context;
    vg_program_release(&initial);
}

/* As a run does it: nothing is updated behind a fault or where the loss is no number. */
static void take_step(bench *b, machine *m, uint64_t step, uint64_t steps) {
    const vg_program *program = &m->program;
    m->context = (vg_context){ .seed = b->random.seed, .step = step, .turn = 1 };
    if (m->wavers) m->program.pace.state = step % 2 ? VG_PACE_together : VG_PACE_alone;
    m->fine = vg_program_execute(&m->program, &m->context, steps);
    bool applies = m->fine;
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        if (root->op != VG_OP_loss) continue;
        applies = applies && isfinite(vg_view_get(&program->views.items[root->view], 0, b->real));
    }
    if (applies) vg_program_apply(&m->program, &m->context, steps);
}

static bool same_bits(const vg_view *a, const vg_view *b, uint32_t real) {
    if (a->count != b->count || a->dtype != b->dtype) return false;
    if (memcmp(a->data, b->data, vg_view_bytes(a, real)) == 0) return true;
    for (int64_t i = 0; i < a->count; i++) {
        const double x = vg_view_get(a, i, real), y = vg_view_get(b, i, real);
        if (x != y && !(isnan(x) && isnan(y))) return false;      /* which NaN it is depends on who computes it */
    }
    return true;
}

static bool same_distribution(const vg_distribution *a, const vg_distribution *b) {
    if (a->count != b->count || a->zeros != b->zeros || a->nans != b->nans || a->infs != b->infs) return false;
    if (memcmp(&a->min, &b->min, 5 * sizeof a->min) != 0 || a->tally_count != b->tally_count) return false;
    for (uint32_t k = 0; k < a->tally_count; k++)
        if (a->tallies[k].key != b->tallies[k].key || a->tallies[k].count != b->tallies[k].count) return false;
    return true;
}

static void differ(const bench *b, const way *w, uint64_t step, const char *what, uint32_t number) {
    vg_text text = vg_text_new(b->f.ir->mem);
    vg_print(&b->graph, &text);
    fputs(vg_text_c(&text), stderr);
    print_error("seed %u, %u bytes, %s, step %u: %s %u is another\n", (unsigned)b->random.seed, b->real, w->name,
                (unsigned)step, what, number);
    fail();
}

static void compare_variables(const bench *b, const machine *a, const machine *m, const way *w, uint64_t step) {
    for (uint32_t k = 0; k < a->store.slots.count; k++) {
        const vg_slot *slot = &a->store.slots.items[k];
        const uint32_t other = vg_map_get(&m->store.map, slot->path);
        assert_true(other > 0);
        if (!same_bits(&slot->view, &m->store.slots.items[other - 1].view, b->real)) differ(b, w, step, "variable", k);
    }
}

/* What stopped a step is the same; then the values behind it need not be. */
static void compare(const bench *b, const machine *a, const machine *m, const way *w, uint64_t step, uint64_t steps) {
    const uint64_t due = vg_program_due(&a->program, step, steps, true);
    compare_variables(b, a, m, w, step);
    if (a->fine != m->fine || a->program.fault_node != m->program.fault_node ||
        a->context.fault_at != m->context.fault_at || a->context.fault_value != m->context.fault_value) differ(b, w, step, "fault at node", a->program.fault_node);
    assert_int_equal(a->program.roots.count, m->program.roots.count);
    for (uint32_t k = 0; k < a->program.roots.count && a->fine; k++) {
        const vg_root_row *root = &a->program.roots.items[k], *other = &m->program.roots.items[k];
        if ((root->cadences & due) == 0 || root->op == VG_OP_update) continue;
        if (vg_is_step(&a->program.schedule, &b->graph, root->node)) {
            if (!same_distribution(&a->program.taken.items[root->taken], &m->program.taken.items[other->taken]))
                differ(b, w, step, "histogram", root->node);
        } else if (!same_bits(&a->program.views.items[root->view], &m->program.views.items[other->view], b->real)) {
            differ(b, w, step, "root", root->node);
        }
    }
}

static void begin(bench *b, uint32_t real) {
    FIXTURE_BEGIN(&b->f);
    vg_graph_init(&b->graph, b->f.ir, VG_EMIT_FAITHFUL);
    b->unit = (vg_unit){ .ir = b->f.ir };
    b->real = real;
}

/* Runs the graph in the ways with several threads, or in those with one; in how many of them threads share it. */
static uint32_t check_ways(bench *b, bool threads, uint64_t from, uint64_t steps) {
    machine machines[WAYS];
    uint32_t shared = 0;
    for (uint32_t k = 0; k < WAYS; k++) {
        if (k > 0 && (ways[k].threads > 1) != threads) continue;
        make_machine(b, &machines[k], &ways[k]);
        if (k == 0) continue;
        compare_variables(b, &machines[0], &machines[k], &ways[k], 0);
        shared += machines[k].program.schedule.threads > 1;
    }
    for (uint64_t step = from; step < steps; step++) {
        if (threads && step + 1 == steps) break;
        take_step(b, &machines[0], step, steps);
        for (uint32_t k = 1; k < WAYS; k++) {
            if ((ways[k].threads > 1) != threads) continue;
            take_step(b, &machines[k], step, steps);
            compare(b, &machines[0], &machines[k], &ways[k], step, steps);
        }
        if (!machines[0].fine) break;      /* so does a run */
    }
    return shared;
}

/* ---- random graphs */

/* threads: a burden is added that is never run. Some are by the kernels whose products are not cut. */
static uint32_t check_seed(uint64_t seed, bool threads) {
    bench b = { .random = { .fault = seed % 11 == 3, .infinite = seed % 13 == 5 } };
    begin(&b, seed % 4 ? 4 : 8);
    if (seed % 6 == 1) b.kernels = vg_kernels_of(VG_ISA_base, b.real);
    if (threads) {
        b.random.g = &b.graph;
        add_burden(&b.random);
    }
    make_random_graph(&b.random, &b.graph, seed, (int64_t)(seed % 5 == 0 ? 1 : seed % 7 * 3 + 2));
    const uint32_t shared = check_ways(&b, threads, threads, STEPS);
    fixture_end(&b.f);
    return shared;
}

static void test_groups(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) assert_int_equal(check_seed(seed, false), 0);
}

static void test_threads(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) assert_int_equal(check_seed(seed, true), SHARED_WAYS);
}

/* ---- faults */

/* What is gathered at places of which each is out of range, where `value` is anything finite. */
static void gather_wrong(vg_graph *g, vg_node value, vg_word index) {
    vg_node places = vg_build_map1(g, VG_OP_int, vg_build_map2(g, VG_OP_mul, value, vg_build_scalar(g, 0)));
    places = vg_build_map2(g, VG_OP_add, places, vg_build_fill(g, VG_SHAPE_SCALAR, 70, VG_I32));
    const vg_node operands[] = { value, places };
    const vg_node part = vg_emit(g, VG_OP_gather, operands, 2, vg_attr_of(g->ir, (vg_word[]){ 0 }, 1));
    vg_emit(g, VG_OP_fetch, &part, 1, vg_attr_of(g->ir, &index, 1));
}

/* Of two, the first in the graph is told, though threads come upon the other one first, and each upon rows of its own. */
static void test_first_fault(void **state) {
    (void)state;
    bench b = { .random.seed = 1 };
    int64_t symbols[2] = { 0 };
    begin(&b, 4);
    vg_graph *g = &b.graph;
    b.random.g = g;
    b.random.symbols = symbols;
    add_burden(&b.random);
    vg_dims *dims = &b.f.ir->dims;
    const vg_shape shape = vg_shape_of(dims, (vg_dim[]){ vg_dim_number(dims, 64), vg_dim_number(dims, 3) }, 2);
    const vg_node x = random_draw(&b.random, shape, false);
    gather_wrong(g, vg_build_reduce(g, VG_OP_sum, vg_build_map1(g, VG_OP_sin, x), 1, false), 0);
    gather_wrong(g, x, 1);
    assert_int_equal(check_ways(&b, true, 1, STEPS), SHARED_WAYS);
    fixture_end(&b.f);
}

/* ---- instruction sets: the same but for rounding */

static void assert_near(const bench *b, const vg_view *x, const vg_view *y) {
    const double tolerance = b->real == 4 ? 2e-4 : 1e-11;
    for (int64_t i = 0; i < x->count; i++) {
        const double have = vg_view_get(x, i, b->real), want = vg_view_get(y, i, b->real);
        if (fabs(have - want) > tolerance * fmax(1, fabs(want)))
            fail_msg("seed %u, %u bytes: %.17g and %.17g", (unsigned)b->random.seed, b->real, have, want);
    }
}

static void check_sets(uint64_t seed, uint32_t real) {
    bench b = { .random.smooth = true, .kernels = vg_kernels_of(VG_ISA_base, real) };
    machine base, other;
    begin(&b, real);
    make_random_graph(&b.random, &b.graph, seed, 5);
    make_machine(&b, &base, &ways[1]);
    for (uint64_t step = 0; step < 2; step++) take_step(&b, &base, step, 2);
    for (vg_isa isa = VG_ISA_base + 1; isa < VG_ISA_COUNT; isa++) {
        b.kernels = vg_kernels_of(isa, real);
        if (b.kernels == NULL) continue;
        make_machine(&b, &other, &ways[1]);
        for (uint64_t step = 0; step < 2; step++) take_step(&b, &other, step, 2);
        for (uint32_t k = 0; k < base.store.slots.count; k++) {
            const vg_slot *slot = &base.store.slots.items[k];
            assert_near(&b, &other.store.slots.items[vg_map_get(&other.store.map, slot->path) - 1].view, &slot->view);
        }
        for (uint32_t k = 0; k < base.program.roots.count; k++) {
            const vg_root_row *root = &base.program.roots.items[k];
            const vg_view *have = &other.program.views.items[other.program.roots.items[k].view];
            if (root->op == VG_OP_fetch || root->op == VG_OP_loss) assert_near(&b, have, &base.program.views.items[root->view]);
        }
    }
    fixture_end(&b.f);
}

static void test_instruction_sets(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        check_sets(seed, 4);
        check_sets(seed, 8);
    }
}

/* ---- single rules */

static const char *const corners[] = {
    /* a value of the same length that is read through a broadcast must outlive a member before its reader */
    "%1 = random_normal() path=\"r\" number=0 fixed=0 a=0 b=1 : f32[4]\n%2 = tanh(%1) : f32[4]\n"
    "%3 = softmax(%2) axis=0 : f32[4]\n%4 = broadcast(%3) : f32[1, 4]\n"
    "%5 = random_normal() path=\"q\" number=0 fixed=0 a=0 b=1 : f32[1, 4]\n%6 = sin(%5) : f32[1, 4]\n"
    "%7 = add(%6, %4) : f32[1, 4]\n%8 = fetch(%6) index=0 : f32[1, 4]\n%9 = fetch(%7) index=1 : f32[1, 4]\n",
    /* the same with a batch of one */
    "%1 = random_normal() path=\"r\" number=0 fixed=0 a=0 b=1 : f32[4]\n%2 = softmax(%1) axis=0 : f32[4]\n"
    "%3 = broadcast(%2) : f32[batch, 4]\n%4 = random_normal() path=\"q\" number=0 fixed=0 a=0 b=1 : f32[batch, 4]\n"
    "%5 = sin(%4) : f32[batch, 4]\n%6 = add(%5, %3) : f32[batch, 4]\n%7 = fetch(%5) index=0 : f32[batch, 4]\n"
    "%8 = fetch(%6) index=1 : f32[batch, 4]\n",
    /* a broadcast to the shape that there is */
    "%1 = random_normal() path=\"r\" number=0 fixed=0 a=0 b=1 : f32[4]\n%2 = tanh(%1) : f32[4]\n"
    "%3 = broadcast(%2) : f32[4]\n%4 = add(%3, %2) : f32[4]\n%5 = fetch(%4) index=0 : f32[4]\n",
    /* a gradient of which a histogram is taken, in the group of its update */
    "%1 = random_normal() path=\"r\" number=0 fixed=1 a=0 b=1 : f32[4]\n%2 = initial(%1) path=\"v\" : f32[4]\n"
    "%3 = variable() path=\"v\" : f32[4]\n%4 = sin(%3) : f32[4]\n%5 = sub(%3, %4) : f32[4]\n"
    "%6 = summary(%4) tag=\"g\" kind=1 every=1 turn=1 : f32[4]\n%7 = update(%5) path=\"v\" turn=1 every=1 : f32[4]\n",
    /* a loss that is no number, made of the new value of a variable */
    "%1 = fill() value=2 type=0 : f32[]\n%2 = initial(%1) path=\"v\" : f32[]\n%3 = variable() path=\"v\" : f32[]\n"
    "%4 = neg(%3) : f32[]\n%5 = log(%4) : f32[]\n%6 = loss(%5) turn=1 : f32[]\n"
    "%7 = update(%4) path=\"v\" turn=1 every=1 : f32[]\n",
    /* an initial value that is read again behind the variable */
    "%1 = random_normal() path=\"r\" number=0 fixed=1 a=0 b=1 : f32[4]\n%2 = sin(%1) : f32[4]\n"
    "%3 = initial(%2) path=\"v\" : f32[4]\n%4 = variable() path=\"v\" : f32[4]\n%5 = neg(%4) : f32[4]\n"
    "%6 = initial(%5) path=\"w\" : f32[4]\n%7 = neg(%2) : f32[4]\n%8 = exp(%7) : f32[4]\n"
    "%9 = initial(%8) path=\"u\" : f32[4]\n%10 = variable() path=\"w\" : f32[4]\n%11 = fetch(%10) index=0 : f32[4]\n",
    /* an update that is not due at the last step */
    "%1 = fill() value=2 type=0 : f32[3]\n%2 = initial(%1) path=\"v\" : f32[3]\n%3 = variable() path=\"v\" : f32[3]\n"
    "%4 = neg(%3) : f32[3]\n%5 = update(%4) path=\"v\" turn=1 every=2 : f32[3]\n",
    /* another variable's update reads the new value, and the old one behind it */
    "%1 = random_normal() path=\"r\" number=0 fixed=1 a=0 b=1 : f32[4]\n%2 = initial(%1) path=\"v\" : f32[4]\n"
    "%3 = initial(%1) path=\"w\" : f32[4]\n%4 = variable() path=\"v\" : f32[4]\n%5 = variable() path=\"w\" : f32[4]\n"
    "%6 = sin(%4) : f32[4]\n%7 = add(%5, %6) : f32[4]\n%8 = add(%7, %4) : f32[4]\n"
    "%9 = update(%6) path=\"v\" turn=1 every=1 : f32[4]\n%10 = update(%8) path=\"w\" turn=1 every=1 : f32[4]\n",
    /* an initial value that is a convolution with a bias, whose own initial value is made behind the convolution */
    "%1 = random_normal() path=\"x\" number=0 fixed=1 a=0 b=1 : f32[1, 2, 3, 3]\n"
    "%2 = random_normal() path=\"w\" number=0 fixed=1 a=0 b=1 : f32[2, 2, 1, 1]\n"
    "%3 = conv2d(%1, %2) stride_h=1 stride_w=1 dilation_h=1 dilation_w=1 top=0 bottom=0 left=0 right=0 groups=1 "
    ": f32[1, 2, 3, 3]\n%4 = random_normal() path=\"r\" number=0 fixed=1 a=0 b=1 : f32[1, 2, 1, 1]\n"
    "%5 = initial(%4) path=\"b\" : f32[1, 2, 1, 1]\n%6 = variable() path=\"b\" : f32[1, 2, 1, 1]\n"
    "%7 = add(%3, %6) : f32[1, 2, 3, 3]\n%8 = initial(%7) path=\"c\" : f32[1, 2, 3, 3]\n",
    /* an index out of range among constants */
    "%1 = iota() count=4 : i32[4]\n%2 = iota() count=3 : i32[3]\n%3 = gather(%2, %1) axis=0 : i32[4]\n"
    "%4 = fetch(%3) index=0 : i32[4]\n",
};

static void check_corner(const char *text, uint32_t real, int64_t batch) {
    bench b = { .random.seed = 1 };
    begin(&b, real);
    read_graph(&b.f, &b.graph, text);
    const char *wrong = vg_verify(&b.graph, true);
    if (wrong) fail_msg("%s", wrong);
    int64_t symbols[4] = { 0, batch, batch, batch };
    b.random.symbols = symbols;
    check_ways(&b, false, 0, STEPS);
    fixture_end(&b.f);
}

static void test_corners(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof corners / sizeof *corners; k++)
        for (int64_t batch = 1; batch < 3; batch++) {
            check_corner(corners[k], 4, batch);
            check_corner(corners[k], 8, batch);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corners), cmocka_unit_test(test_groups), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_first_fault), cmocka_unit_test(test_instruction_sets)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
