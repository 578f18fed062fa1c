/* The memory plan: nothing is overwritten before it was read for the last time, and little is wasted. */
#include "base/random.h"
#include "pass/space.h"
#include "pass_fixture.h"

typedef struct planned {
    vg_schedule schedule;
    vg_plan     plan;
} planned;

static bool make_plan(fixture *f, planned *p, const vg_graph *graph, int64_t batch) {
    int64_t *symbols = vg_mem_alloc(&f->mem, (f->ir->dims.symbols.count + 1) * sizeof *symbols);
    for (uint32_t k = 0; k <= f->ir->dims.symbols.count; k++) symbols[k] = batch;
    vg_schedule_make(&p->schedule, &f->mem, graph, VG_PART_STEP, 1, true);
    return vg_plan_make(&p->plan, &f->mem, graph, &p->schedule, symbols, 4);
}

static void release_plan(planned *p) {
    vg_plan_release(&p->plan);
    vg_schedule_release(&p->schedule);
}

/* ---- a run without numbers: every 64 bytes of the arena remember which value was written there last */

static vg_node memory_of(const vg_graph *graph, vg_node node) {
    while (vg_op_is(vg_node_op(graph, node), VG_FLAG_view)) node = vg_operand(graph, node, 0);
    return node;
}

static void assert_holds(const planned *p, const vg_graph *graph, const vg_node *cells, vg_node operand) {
    vg_node base = memory_of(graph, operand);
    assert_int_equal(p->plan.offset[operand], p->plan.offset[base]);
    if (p->plan.offset[base] == VG_PLAN_NONE) return;
    for (uint64_t at = 0; at < p->plan.bytes[base]; at += 64) {
        assert_int_equal(cells[((uint64_t)p->plan.offset[base] + at) / 64], base);
    }
}

static bool overlap(const vg_plan *plan, vg_node a, vg_node b) {
    return plan->offset[a] < plan->offset[b] + (int64_t)plan->bytes[b] &&
           plan->offset[b] < plan->offset[a] + (int64_t)plan->bytes[a];
}

static void assert_sound(fixture *f, const planned *p, const vg_graph *graph) {
    vg_node *cells = vg_mem_alloc(&f->mem, p->plan.size / 64 * sizeof *cells);
    for (uint32_t at = 0; at < p->schedule.order_count; at++) {
        vg_node node = p->schedule.order[at];
        if (vg_op_is(vg_node_op(graph, node), VG_FLAG_effect)) {      /* a histogram */
            assert_holds(p, graph, cells, vg_operand(graph, node, 0));
            continue;
        }
        assert_int_not_equal(p->plan.offset[node], VG_PLAN_NONE);
        assert_int_equal(p->plan.offset[node] % 64, 0);
        assert_true((uint64_t)p->plan.offset[node] + p->plan.bytes[node] <= p->plan.size);
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
            vg_node operand = vg_operand(graph, node, k);
            assert_holds(p, graph, cells, operand);
            if (p->plan.offset[operand] == VG_PLAN_NONE || !overlap(&p->plan, node, operand)) continue;
            assert_true(vg_op_is(vg_node_op(graph, node), VG_FLAG_map));      /* in place: element by element */
            assert_int_equal(p->plan.offset[node], p->plan.offset[operand]);
            assert_int_equal(p->plan.bytes[node], p->plan.bytes[operand]);
        }
        for (uint64_t cell = 0; cell < p->plan.bytes[node]; cell += 64) {
            cells[((uint64_t)p->plan.offset[node] + cell) / 64] = node;
        }
    }
    for (uint32_t r = 0; r < graph->roots.count; r++) {
        vg_node root = graph->roots.items[r];
        if (p->schedule.phase[root] == VG_PHASE_dead || vg_is_step(&p->schedule, graph, root)) continue;
        for (uint32_t k = 0; k < graph->operand_count.items[root]; k++) {
            assert_holds(p, graph, cells, vg_operand(graph, root, k));
        }
    }
    assert_true(p->plan.size >= p->plan.bound);
    vg_mem_free(&f->mem, cells);
}

/* ---- random graphs */

static uint32_t draw(uint64_t seed, uint64_t *count, uint32_t bound) {
    return (uint32_t)vg_random_below((vg_random_key){ seed, 1 }, (*count)++, bound);
}

/* Maps, reductions that are broadcast again, transposes, views: each of nodes of several sizes made before. */
static void make_random(vg_graph *g, uint64_t seed) {
    vg_dims *dims = &g->ir->dims;
    vg_str   name = vg_strings_c(&g->ir->strings, "batch");
    vg_dim   batch = vg_dim_symbol(dims, vg_dims_symbol(dims, name, (vg_span){ 0, 0 }));
    uint64_t count = 0;
    vg_node  made[200];
    for (uint32_t k = 0; k < 200; k++) {
        vg_dim  side = vg_dim_multiply(dims, batch, vg_dim_number(dims, 1 + draw(seed, &count, 3)));
        vg_node a = k ? made[draw(seed, &count, k)] : 0;
        uint32_t choice = k < 3 ? 0 : draw(seed, &count, 8);
        vg_dim  list[2];
        if (a) vg_shape_list(dims, vg_node_shape(g, a), list);
        if (choice == 0) made[k] = make_variable(g, vg_shape_of(dims, (vg_dim[]){ side, batch }, 2), "v", k);
        else if (choice == 1) made[k] = vg_build_transpose(g, a, (uint32_t[]){ 1, 0 });
        else if (choice == 2) made[k] = vg_build_reshape(g, a, vg_shape_of(dims, (vg_dim[]){ list[1], list[0] }, 2));
        else if (choice == 3) made[k] = vg_build_map2(g, VG_OP_add, a, vg_build_reduce(g, VG_OP_sum, a, 2, true));
        else if (choice == 4) made[k] = vg_build_map2(g, VG_OP_mul, a, vg_build_map1(g, VG_OP_sin, a));
        else if (choice == 5) made[k] = vg_build_matmul(g, a, a, false, true);
        else made[k] = vg_build_map1(g, VG_OP_exp, a);
        if (draw(seed, &count, 10) > 0) continue;
        vg_emit(g, VG_OP_fetch, &made[k], 1, vg_attr_of(g->ir, (vg_word[]){ k }, 1));
    }
}

static void check_random(uint64_t seed) {
    fixture  f;
    vg_graph graph;
    planned  p;
    FIXTURE_BEGIN(&f);
    vg_graph_init(&graph, f.ir, seed % 2 ? VG_EMIT_FAITHFUL : VG_EMIT_FOLD);
    make_random(&graph, seed);
    assert_true(make_plan(&f, &p, &graph, (int64_t)(seed % 5 * 3 + 1)));
    assert_sound(&f, &p, &graph);
    release_plan(&p);
    fixture_end(&f);
}

static void test_random_graphs(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) check_random(seed);
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
    assert_true(make_plan(&f, &p, &simplified, 100));
    assert_sound(&f, &p, &simplified);
    assert_true(p.plan.size * 10 <= p.plan.bound * 11);
    release_plan(&p);
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
    assert_true(make_plan(&f, &p, &graph, 16));
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

static void assert_refused(const char *text, int64_t batch, const char *code) {
    fixture  f;
    vg_graph graph;
    planned  p;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, text);
    assert_false(make_plan(&f, &p, &graph, batch));
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_deep_net),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_refused_sizes),
        cmocka_unit_test(test_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
