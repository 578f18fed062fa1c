/* Which nodes a program runs, when and how often. */
#include "pass_fixture.h"

static const char model[] =
    "%1 = variable() path=\"a\" : f32[3]    # a\n"
    "%2 = step() turn=0 : i32[]\n"
    "%3 = fill() value=2 type=0 : f32[]\n"
    "%4 = float(%2) : f32[]\n"
    "%5 = mul(%3, %4) : f32[]    # rate\n"
    "%6 = iota() count=3 : i32[3]\n"
    "%7 = float(%6) : f32[3]    # ramp\n"
    "%8 = mul(%1, %7) : f32[3]    # z\n"
    "%9 = reshape(%8) : f32[3, 1]\n"
    "%10 = sum(%9) keep=0 axes=[] : f32[]    # loss\n"
    "%11 = mul(%10, %5) : f32[]\n"
    "%12 = random_normal() path=\"n\" number=0 fixed=0 a=0 b=1 : f32[3]\n"
    "%13 = add(%1, %12) : f32[3]    # next\n"
    "%14 = cos(%1) : f32[3]    # watched\n"
    "%15 = sin(%1) : f32[3]    # second\n"
    "%16 = random_normal() path=\"a\" number=0 fixed=1 a=0 b=1 : f32[3]    # start\n"
    "%17 = loss(%11) turn=1 : f32[]\n"
    "%18 = update(%13) path=\"a\" turn=1 every=1 : f32[3]\n"
    "%19 = summary(%14) tag=\"w\" kind=1 every=10 turn=1 : f32[3]\n"
    "%20 = summary(%8) tag=\"z\" kind=1 every=7 turn=1 : f32[3]\n"
    "%21 = summary(%15) tag=\"s\" kind=1 every=10 turn=2 : f32[3]\n"
    "%22 = initial(%16) path=\"a\" : f32[3]\n"
    "%23 = fetch(%15) index=0 : f32[3]\n"
    "%24 = expect(%10, %14) index=0 every=5 : f32[]\n";

typedef struct schedule_case {
    const char *what;
    vg_part     part;
    uint32_t    turn;
    bool        updates;
    const char *order;
} schedule_case;

static const schedule_case schedule_cases[] = {
    { "a step of the first turn", VG_PART_STEP, 1, true, "8 10 11 12 13 14 15 19 20 " },
    { "the same without updates: no draw", VG_PART_STEP, 1, false, "8 10 11 14 15 19 20 " },
    { "the second turn has its summary alone", VG_PART_STEP, 2, true, "15 21 " },
    { "a turn that has nothing", VG_PART_STEP, 3, true, "" },
    { "initial values", VG_PART_INITIAL, 1, true, "16 " },
    { "an evaluation has the summaries of all turns", VG_PART_EVALUATION, 0, false, "8 14 15 " },
    { "fetches alone", VG_PART_FETCHES, 1, false, "15 " },
};

static void check_order(const schedule_case *row) {
    fixture     f;
    vg_graph    graph;
    vg_schedule schedule;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, model);
    vg_schedule_make(&schedule, &f.mem, &graph, row->part, row->turn, row->updates);
    vg_text order = vg_text_new(&f.mem);
    for (uint32_t n = 0; n < schedule.order_count; n++) vg_text_format(&order, "%u ", schedule.order[n]);
    if (strcmp(vg_text_c(&order), row->order) != 0) {
        fail_msg("%s: expected %s, got %s", row->what, row->order, vg_text_c(&order));
    }
    vg_schedule_release(&schedule);
    fixture_end(&f);
}

static void test_order(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof schedule_cases / sizeof *schedule_cases; k++) check_order(&schedule_cases[k]);
}

static void test_phases(void **state) {
    static const struct { vg_node node; vg_phase phase; } expected[] = {
        { 1, VG_PHASE_device }, { 2, VG_PHASE_host },  { 3, VG_PHASE_host },    { 4, VG_PHASE_host },
        { 5, VG_PHASE_host },   { 6, VG_PHASE_once },  { 7, VG_PHASE_once },    { 8, VG_PHASE_device },
        { 9, VG_PHASE_device }, { 11, VG_PHASE_device }, { 12, VG_PHASE_device }, { 16, VG_PHASE_dead },
    };
    fixture     f;
    vg_graph    graph;
    vg_schedule schedule;
    (void)state;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, model);
    vg_schedule_make(&schedule, &f.mem, &graph, VG_PART_STEP, 1, true);
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        assert_int_equal(schedule.phase[expected[k].node], expected[k].phase);
    }
    vg_schedule_release(&schedule);
    fixture_end(&f);
}

/* The cadences of a node, as the numbers of steps, "1" being always. */
static const char *cadences_text(fixture *f, const vg_schedule *schedule, vg_node node) {
    vg_text text = vg_text_new(&f->mem);
    for (uint32_t bit = 0; bit < schedule->cadence_count; bit++) {
        if ((schedule->cadences[node] >> bit & 1) == 0) continue;
        vg_text_format(&text, "%u ", bit == 0 ? 1 : (unsigned)schedule->cadence_every[bit]);
    }
    return vg_text_c(&text);
}

static void test_cadences(void **state) {
    fixture     f;
    vg_graph    graph;
    vg_schedule schedule;
    (void)state;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, model);
    vg_schedule_make(&schedule, &f.mem, &graph, VG_PART_STEP, 1, true);
    assert_int_equal(schedule.cadence_every[0], 0);
    assert_string_equal(cadences_text(&f, &schedule, 14), "10 5 ");    /* watched, and shown by an expect */
    assert_string_equal(cadences_text(&f, &schedule, 8), "1 7 5 ");    /* the loss needs it always */
    assert_string_equal(cadences_text(&f, &schedule, 13), "1 ");
    assert_string_equal(cadences_text(&f, &schedule, 16), "");
    vg_schedule_release(&schedule);
    fixture_end(&f);
}

/* Cadences are bits of one word: those that find no bit left become always, which is never too seldom. */
static void test_more_cadences_than_bits(void **state) {
    fixture     f;
    vg_graph    g;
    vg_schedule schedule;
    vg_node     watched[100];
    (void)state;
    FIXTURE_BEGIN(&f);
    vg_graph_init(&g, f.ir, VG_EMIT_FAITHFUL);
    vg_node a = make_variable(&g, VG_SHAPE_SCALAR, "a", 0);
    for (uint32_t k = 0; k < 100; k++) {
        watched[k] = vg_build_map1(&g, VG_OP_exp, a);
        vg_word words[4] = { vg_strings_format(&f.ir->strings, "s%u", k), VG_SUMMARY_SCALAR, k + 2, 1 };
        vg_emit(&g, VG_OP_summary, &watched[k], 1, vg_attr_of(f.ir, words, 4));
    }
    vg_schedule_make(&schedule, &f.mem, &g, VG_PART_STEP, 1, true);
    assert_int_equal(schedule.cadence_count, 64);
    for (uint32_t k = 0; k < 100; k++) {
        uint64_t cadences = schedule.cadences[watched[k]];
        if (k < 63) assert_int_equal(schedule.cadence_every[__builtin_ctzll(cadences)], k + 2);
        else assert_int_equal(cadences, 1);
    }
    vg_schedule_release(&schedule);
    fixture_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_cadences),
        cmocka_unit_test(test_more_cadences_than_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
