/* The memory plan: nothing is overwritten before it was read for the last time, and little is wasted. */
#include "pass/space.h"
#include "plan_fixture.h"
#include "random_graph.h"

static const plan_way ways[] = { { false, 1 }, { true, 1 }, { false, 2 }, { true, 2 }, { true, 3 } };
enum { WAYS = sizeof ways / sizeof *ways };

/* All symbols stand for `batch`. */
static int64_t *symbols_of(fixture *f, int64_t batch) {
    int64_t *symbols = vg_mem_alloc(&f->mem, (f->ir->dims.symbols.count + 1) * sizeof *symbols);
    for (uint32_t k = 0; k <= f->ir->dims.symbols.count; k++) symbols[k] = batch;
    return symbols;
}

/* ---- random graphs */

/* Every way's plan; in how many ways threads share it. */
static uint32_t check_ways(fixture *f, const vg_graph *graph, const int64_t *symbols) {
    uint32_t shared = 0;
    for (uint32_t k = 0; k < WAYS; k++) {
        planned p;
        assert_true(make_plan(f, &p, graph, symbols, ways[k]));
        assert_sound(f, &p, graph);
        shared += p.schedule.threads > 1;
        release_plan(&p);
    }
    return shared;
}

/* Every second one has a burden for threads to share; the first few are simplified and arranged, too. */
static void check_random(uint64_t seed) {
    fixture      f;
    vg_graph     graph, simplified, arranged;
    random_graph random = { .seed = 0 };
    FIXTURE_BEGIN(&f);
    vg_graph_init(&graph, f.ir, VG_EMIT_FAITHFUL);
    random.g = &graph;
    if (seed % 2) add_burden(&random);
    make_random_graph(&random, &graph, seed, (int64_t)(seed % 5 * 3 + 1));
    if (seed < 20) run_pass(&f, vg_pass_simplify, &graph, &simplified);
    if (seed < 20) run_pass(&f, vg_pass_arrange, &simplified, &arranged);
    const uint32_t shared = check_ways(&f, seed < 20 ? &arranged : &graph, random.symbols);
    if (seed % 2) assert_int_equal(shared, 3);
    fixture_end(&f);
}

static void test_random_graphs(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 160; seed++) check_random(seed);
}

/* ---- a deep net: what is planned is close to what cannot be avoided */

static void check_net(uint32_t depth) {
    fixture  f;
    vg_graph graph, differentiated, simplified;
    planned  p;
    FIXTURE_BEGIN(&f);
    vg_graph_init(&graph, f.ir, VG_EMIT_FAITHFUL);
    make_deep_net(&graph, depth, 48);
    run_pass(&f, vg_pass_differentiate, &graph, &differentiated);
    run_pass(&f, vg_pass_simplify, &differentiated, &simplified);
    for (uint32_t k = 0; k < WAYS; k++) {
        assert_true(make_plan(&f, &p, &simplified, symbols_of(&f, 100), ways[k]));
        assert_sound(&f, &p, &simplified);
        assert_int_equal(p.schedule.threads, ways[k].threads);
        if (ways[k].threads == 1) assert_true(p.plan.size * 10 <= p.plan.bound * 11);
        release_plan(&p);
    }
    fixture_end(&f);
}

static void test_deep_net(void **state) {
    (void)state;
    for (uint32_t depth = 10; depth <= 1000; depth *= 10) check_net(depth);
}

/* ---- single rules */

typedef struct place_case {
    const char *what, *text;
    uint64_t    size, kept_size;   /* of the plan, for batch 16 */
} place_case;

#define VARIABLE "%1 = variable() path=\"a\" : f32[batch, 4]\n"
static const place_case place_cases[] = {
    { "a chain of maps stays in one place",
      VARIABLE "%2 = exp(%1) : f32[batch, 4]\n%3 = sin(%2) : f32[batch, 4]\n%4 = neg(%3) : f32[batch, 4]\n"
      "%5 = fetch(%4) index=0 : f32[batch, 4]\n", 256, 0 },
    { "an operand that is read later keeps its place",
      VARIABLE "%2 = exp(%1) : f32[batch, 4]\n%3 = sin(%2) : f32[batch, 4]\n%4 = mul(%3, %2) : f32[batch, 4]\n"
      "%5 = fetch(%4) index=0 : f32[batch, 4]\n", 512, 0 },
    { "so does one that a root reads",
      VARIABLE "%2 = exp(%1) : f32[batch, 4]\n%3 = sin(%2) : f32[batch, 4]\n"
      "%4 = summary(%2) tag=\"s\" kind=1 every=10 turn=1 : f32[batch, 4]\n"
      "%5 = fetch(%3) index=0 : f32[batch, 4]\n", 512, 0 },
    { "a view takes none, and keeps what it looks at alive",
      VARIABLE "%2 = exp(%1) : f32[batch, 4]\n%3 = reshape(%2) : f32[4*batch]\n%4 = cos(%1) : f32[batch, 4]\n"
      "%5 = fetch(%3) index=0 : f32[4*batch]\n%6 = fetch(%4) index=1 : f32[batch, 4]\n", 512, 0 },
    { "a map that repeats its operand does not overwrite it",
      VARIABLE "%2 = sum(%1) keep=1 axes=[1] : f32[batch, 1]\n%3 = exp(%2) : f32[batch, 1]\n"
      "%4 = mul(%1, %3) : f32[batch, 4]\n%5 = fetch(%4) index=0 : f32[batch, 4]\n", 320, 0 },
    { "nor does one of another type",
      VARIABLE "%2 = exp(%1) : f32[batch, 4]\n%3 = int(%2) : i32[batch, 4]\n"
      "%4 = fetch(%3) index=0 : i32[batch, 4]\n", 512, 0 },
    { "a product has a place of its own",
      "%1 = variable() path=\"a\" : f32[4, 4]\n%2 = exp(%1) : f32[4, 4]\n%3 = matmul(%2, %2) ta=0 tb=0 : f32[4, 4]\n"
      "%4 = fetch(%3) index=0 : f32[4, 4]\n", 128, 0 },
    { "what is computed once is kept elsewhere",
      "%1 = iota() count=20 : i32[20]\n%2 = float(%1) : f32[20]\n%3 = fetch(%2) index=0 : f32[20]\n", 0, 256 },
    { "places are multiples of 64, an empty value has one too",
      "%1 = variable() path=\"a\" : f32[0]\n%2 = exp(%1) : f32[0]\n%3 = sum(%2) keep=0 axes=[] : f32[]\n"
      "%4 = fetch(%3) index=0 : f32[]\n%5 = fetch(%2) index=1 : f32[0]\n", 128, 0 },
};
#undef VARIABLE

static void check_places(const place_case *row) {
    fixture  f;
    vg_graph graph;
    planned  p;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, row->text);
    assert_true(make_plan(&f, &p, &graph, symbols_of(&f, 16), ways[0]));
    assert_sound(&f, &p, &graph);
    if (p.plan.size != row->size || p.plan.kept_size != row->kept_size) {
        fail_msg("%s: %u and %u bytes", row->what, (unsigned)p.plan.size, (unsigned)p.plan.kept_size);
    }
    release_plan(&p);
    fixture_end(&f);
}

static void test_places(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof place_cases / sizeof *place_cases; k++) check_places(&place_cases[k]);
}

/* ---- convolutions that finish their sums */

typedef struct finish_case { const char *what, *text; uint32_t steps; } finish_case;

#define IMAGES                                                                                                 \
    "%1 = variable() path=\"x\" : f32[batch, 2, 5, 5]\n%2 = variable() path=\"w\" : f32[2, 2, 3, 3]\n"              \
    "%3 = variable() path=\"b\" : f32[1, 2, 1, 1]\n%4 = tanh(%1) : f32[batch, 2, 5, 5]\n"                           \
    "%5 = conv2d(%4, %2) stride_h=1 stride_w=1 dilation_h=1 dilation_w=1 top=1 bottom=1 left=1 right=1 groups=1 "   \
    ": f32[batch, 2, 5, 5]\n"
#define SUM "%6 = add(%5, %3) : f32[batch, 2, 5, 5]\n"
static const finish_case finish_cases[] = {
    { "a bias and relu", IMAGES SUM "%7 = relu(%6) : f32[batch, 2, 5, 5]\n%8 = fetch(%7) index=0 : f32[batch, 2, 5, 5]\n", 2 },
    { "a bias alone, on the left", IMAGES "%6 = add(%3, %5) : f32[batch, 2, 5, 5]\n"
      "%7 = fetch(%6) index=0 : f32[batch, 2, 5, 5]\n", 2 },
    { "the sum is read by others, too", IMAGES SUM "%7 = relu(%6) : f32[batch, 2, 5, 5]\n"
      "%8 = fetch(%7) index=0 : f32[batch, 2, 5, 5]\n%9 = fetch(%6) index=1 : f32[batch, 2, 5, 5]\n", 3 },
    { "so is what the convolution makes", IMAGES SUM "%7 = fetch(%6) index=0 : f32[batch, 2, 5, 5]\n"
      "%8 = fetch(%5) index=1 : f32[batch, 2, 5, 5]\n", 3 },
    { "not every sum is of a bias", IMAGES "%6 = add(%5, %4) : f32[batch, 2, 5, 5]\n"
      "%7 = fetch(%6) index=0 : f32[batch, 2, 5, 5]\n", 3 },
    { "nor of another thing", IMAGES "%6 = add(%5, %5) : f32[batch, 2, 5, 5]\n"
      "%7 = fetch(%6) index=0 : f32[batch, 2, 5, 5]\n", 3 },
    { "other groups stay behind it", IMAGES SUM "%7 = tanh(%6) : f32[batch, 2, 5, 5]\n"
      "%8 = fetch(%7) index=0 : f32[batch, 2, 5, 5]\n", 3 },
    { "a bias that is made before", "%1 = variable() path=\"x\" : f32[batch, 2, 5, 5]\n"
      "%2 = variable() path=\"w\" : f32[2, 2, 1, 1]\n%3 = sum(%2) keep=1 axes=[0, 2, 3] : f32[1, 2, 1, 1]\n"
      "%4 = conv2d(%1, %2) stride_h=1 stride_w=1 dilation_h=1 dilation_w=1 top=0 bottom=0 left=0 right=0 groups=1 "
      ": f32[batch, 2, 5, 5]\n%5 = add(%4, %3) : f32[batch, 2, 5, 5]\n"
      "%6 = fetch(%5) index=0 : f32[batch, 2, 5, 5]\n", 2 },
    { "and one that is made behind it", "%1 = variable() path=\"x\" : f32[batch, 2, 5, 5]\n"
      "%2 = variable() path=\"w\" : f32[2, 2, 1, 1]\n"
      "%3 = conv2d(%1, %2) stride_h=1 stride_w=1 dilation_h=1 dilation_w=1 top=0 bottom=0 left=0 right=0 groups=1 "
      ": f32[batch, 2, 5, 5]\n%4 = sum(%2) keep=1 axes=[0, 2, 3] : f32[1, 2, 1, 1]\n"
      "%5 = add(%3, %4) : f32[batch, 2, 5, 5]\n%6 = fetch(%5) index=0 : f32[batch, 2, 5, 5]\n", 3 },
};
#undef SUM
#undef IMAGES

static void check_finish(const finish_case *row, plan_way way) {
    fixture  f;
    vg_graph graph;
    planned  p;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, row->text);
    assert_true(make_plan(&f, &p, &graph, symbols_of(&f, 64), way));
    assert_sound(&f, &p, &graph);
    if (p.schedule.step_count != row->steps) fail_msg("%s: %u steps", row->what, (unsigned)p.schedule.step_count);
    release_plan(&p);
    fixture_end(&f);
}

static void test_finish(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof finish_cases / sizeof *finish_cases; k++)
        for (uint32_t way = 0; way < WAYS; way++)
            if (ways[way].fuse) check_finish(&finish_cases[k], ways[way]);
}

static void assert_refused(const char *text, int64_t batch, const char *code) {
    fixture  f;
    vg_graph graph;
    planned  p;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, text);
    assert_false(make_plan(&f, &p, &graph, symbols_of(&f, batch), ways[0]));
    assert_int_equal(f.ir->diags.list.count, 1);
    assert_string_equal(vg_code_rows[f.ir->diags.list.items[0].code].name, code);
    release_plan(&p);
    fixture_end(&f);
}

static void test_refused_sizes(void **state) {
    (void)state;
    assert_refused("%1 = input() path=\"x\" type=0 : f32[batch, batch, batch]\n"
                   "%2 = exp(%1) : f32[batch, batch, batch]\n"
                   "%3 = fetch(%2) index=0 : f32[batch, batch, batch]\n", (int64_t)1 << 21, "value_too_large");
    assert_refused("%1 = input() path=\"x\" type=0 : f32[batch - 5]\n%2 = fetch(%1) index=0 : f32[batch - 5]\n", 3,
                   "dimension_below_zero");
}

/* ---- the allocator of addresses */

static void test_space(void **state) {
    fixture  f;
    vg_space space;
    (void)state;
    FIXTURE_BEGIN(&f);
    vg_space_init(&space, &f.mem);
    uint32_t a = vg_space_take(&space, 1), b = vg_space_take(&space, 65), c = vg_space_take(&space, 64);
    assert_int_equal(vg_space_offset(&space, b), 64);
    assert_int_equal(vg_space_offset(&space, c), 192);
    vg_space_give(&space, a);
    vg_space_give(&space, b);                                       /* 0..192 is one free block now */
    uint32_t whole = vg_space_take(&space, 192);
    assert_int_equal(vg_space_offset(&space, whole), 0);
    assert_int_equal(space.size, 256);
    vg_space_give(&space, c);
    uint32_t longer = vg_space_take(&space, 640);                   /* the free end grows by what it lacks */
    assert_int_equal(vg_space_offset(&space, longer), 192);
    assert_int_equal(space.size, 832);
    vg_space_give(&space, whole);
    vg_space_give(&space, longer);
    uint32_t small = vg_space_take(&space, 64), rest = vg_space_take(&space, 768);
    assert_int_equal(vg_space_offset(&space, small), 0);
    assert_int_equal(vg_space_offset(&space, rest), 64);            /* all of it was one block again */
    vg_space_release(&space);
    fixture_end(&f);
}

/* Lives by chance: whoever lives at the same time lies apart, and three that fit do not waste anything. */
static void test_packing(void **state) {
    fixture f;
    vg_life three[] = { { 0, 1, 64, 0 }, { 1, 2, 128, 0 }, { 2, 3, 192, 0 } };      /* one by one it takes 384 */
    (void)state;
    FIXTURE_BEGIN(&f);
    assert_int_equal(vg_space_pack(&f.mem, three, 0), 0);
    assert_int_equal(vg_space_pack(&f.mem, three, 3), 320);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        random_graph r = { .seed = seed };
        const uint32_t count = 1 + chance(&r, 60);
        vg_life lives[60];
        for (uint32_t k = 0; k < count; k++) {
            lives[k] = (vg_life){ .begin = chance(&r, 100), .bytes = 64 * (1 + chance(&r, 20)) };
            lives[k].end = lives[k].begin + chance(&r, 30);
        }
        const uint64_t size = vg_space_pack(&f.mem, lives, count);
        for (uint32_t k = 0; k < count; k++) {
            assert_true(lives[k].offset % 64 == 0 && lives[k].offset + lives[k].bytes <= size);
            for (uint32_t j = 0; j < k; j++) {
                const vg_life *x = &lives[j], *y = &lives[k];
                const bool apart = x->offset >= y->offset + y->bytes || y->offset >= x->offset + x->bytes;
                assert_true(apart || x->begin > y->end || y->begin > x->end);
            }
        }
    }
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_deep_net),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_refused_sizes),
        cmocka_unit_test(test_space), cmocka_unit_test(test_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
