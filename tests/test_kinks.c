/* Gradients where the derivative does not exist, or a formula for it would give 0 * inf: the values PyTorch gives. The
 * gradient test of all operators compares with differences, which say nothing there. */
#include <math.h>

#include "pass_fixture.h"
#include "run/program.h"

enum { ELEMENTS = 4 };

typedef struct kink {
    const char *name, *text;    /* variables a and, perhaps, b of [4]; the last node is y */
    double      a[ELEMENTS], b[ELEMENTS];
    double      gradient[ELEMENTS];         /* of sum(y) by the variable called `by` */
    char        by;
} kink;

#define A "%1 = variable() path=\"a\" : f32[4]\n%2 = "
#define AB "%1 = variable() path=\"a\" : f32[4]\n%2 = variable() path=\"b\" : f32[4]\n%3 = "
#define EXPONENT(value) \
    "%1 = variable() path=\"a\" : f32[4]\n%2 = fill() value=" value " type=0 : f32[]\n%3 = pow(%1, %2) : f32[4]\n"

static const kink kinks[] = {
    { "relu", A "relu(%1) : f32[4]\n", { -1, 0, -0.0, 2 }, { 0 }, { 0, 0, 0, 1 }, 'a' },
    { "abs", A "abs(%1) : f32[4]\n", { -1, 0, -0.0, 2 }, { 0 }, { -1, 0, 0, 1 }, 'a' },
    { "sqrt at 0 is steep", A "sqrt(%1) : f32[4]\n", { 0, 1, 4, 0.25 }, { 0 }, { INFINITY, 0.5, 0.25, 1 }, 'a' },
    { "maximum, left", AB "maximum(%1, %2) : f32[4]\n", { 1, 2, 3, 0 }, { 1, 1, 4, 0 }, { 0.5, 1, 0, 0.5 }, 'a' },
    { "maximum, right", AB "maximum(%1, %2) : f32[4]\n", { 1, 2, 3, 0 }, { 1, 1, 4, 0 }, { 0.5, 0, 1, 0.5 }, 'b' },
    { "minimum, left", AB "minimum(%1, %2) : f32[4]\n", { 1, 2, 3, 0 }, { 1, 1, 4, 0 }, { 0.5, 0, 1, 0.5 }, 'a' },
    { "minimum, right", AB "minimum(%1, %2) : f32[4]\n", { 1, 2, 3, 0 }, { 1, 1, 4, 0 }, { 0.5, 1, 0, 0.5 }, 'b' },
    { "max shares", A "max(%1) keep=0 axes=[] : f32[]\n", { 5, 1, 5, 2 }, { 0 }, { 0.5, 0, 0.5, 0 }, 'a' },
    { "min shares", A "min(%1) keep=1 axes=[0] : f32[1]\n", { 1, 1, 1, 1 }, { 0 }, { 0.25, 0.25, 0.25, 0.25 }, 'a' },
    { "prod without zeros", A "prod(%1) keep=0 axes=[] : f32[]\n", { 1, 2, 3, 4 }, { 0 }, { 24, 12, 8, 6 }, 'a' },
    { "prod with one", A "prod(%1) keep=0 axes=[] : f32[]\n", { 1, 0, 3, 4 }, { 0 }, { 0, 12, 0, 0 }, 'a' },
    { "prod with two", A "prod(%1) keep=0 axes=[] : f32[]\n", { 1, 0, 0, 4 }, { 0 }, { 0, 0, 0, 0 }, 'a' },
    { "a ^ 0", EXPONENT("0"), { -1, 0, 1, 2 }, { 0 }, { 0, 0, 0, 0 }, 'a' },
    { "a ^ 1", EXPONENT("1"), { -1, 0, 1, 2 }, { 0 }, { 1, 1, 1, 1 }, 'a' },
    { "a ^ 2", EXPONENT("2"), { -1, 0, 1, 2 }, { 0 }, { -2, 0, 2, 4 }, 'a' },
    { "a ^ 0.5", EXPONENT("0.5"), { 0, 1, 4, 0.25 }, { 0 }, { INFINITY, 0.5, 0.25, 1 }, 'a' },
    { "pow, base", AB "pow(%1, %2) : f32[4]\n", { 0, 0, 0, -2 }, { 0, 1, 2, 3 }, { 0, 1, 0, 12 }, 'a' },
    { "pow, exponent", AB "pow(%1, %2) : f32[4]\n", { 0, 0, 1, 2 }, { 0, 2, 5, 1 },
      { 0, 0, 0, 1.3862943611198906 }, 'b' },
    { "select leaves the other branch's NaN behind",
      AB "gt(%1, %2) : i32[4]\n%4 = log(%1) : f32[4]\n%5 = select(%3, %4, %1) : f32[4]\n",
      { 2, -1, 4, -3 }, { 0 }, { 0.5, 1, 0.25, 1 }, 'a' },
    { "mod", AB "mod(%1, %2) : f32[4]\n", { 5, -5, 7, 1 }, { 3, 3, -2, 4 }, { -1, 2, 4, 0 }, 'b' },
    { "a second derivative: a ^ 3 at 0",
      EXPONENT("3") "%4 = sum(%3) keep=0 axes=[] : f32[]\n%5 = grad(%4, %1) group=9 : f32[4]\n",
      { 0, 1, -1, 2 }, { 0 }, { 0, 6, -6, 12 }, 'a' },
    { "a second derivative: relu",
      A "relu(%1) : f32[4]\n%3 = square(%2) : f32[4]\n"
      "%4 = sum(%3) keep=0 axes=[] : f32[]\n%5 = grad(%4, %1) group=9 : f32[4]\n",
      { -1, 0, 1, 2 }, { 0 }, { 0, 0, 2, 2 }, 'a' },
};
#undef A
#undef AB
#undef EXPONENT

static vg_node find_variable(const vg_graph *graph, const char *path) {
    for (vg_node node = 1; node < vg_graph_count(graph); node++) {
        uint32_t count;
        if (vg_node_op(graph, node) != VG_OP_variable) continue;
        const vg_word *words = vg_attr_words(graph->ir, graph->attr.items[node], &count);
        if (strcmp(vg_strings_text(&graph->ir->strings, (vg_str)words[1]), path) == 0) return node;
    }
    fail_msg("no variable %s", path);
    return 0;
}

static void set_variables(fixture *f, vg_store *store, const kink *row) {
    for (uint32_t k = 0; k < store->slots.count; k++) {
        const vg_slot *slot = &store->slots.items[k];
        const double  *values = strcmp(vg_strings_text(&f->ir->strings, slot->path), "a") == 0 ? row->a : row->b;
        for (uint32_t i = 0; i < ELEMENTS; i++) vg_view_set(&slot->view, i, 8, values[i]);
    }
}

static void check_kink(const kink *row) {
    fixture    f;
    vg_graph   graph, differentiated, simplified;
    vg_store   store;
    vg_program program;
    FIXTURE_BEGIN(&f);
    read_graph(&f, &graph, row->text);
    vg_node y = vg_graph_count(&graph) - 1;
    vg_node total = vg_build_reduce(&graph, VG_OP_sum, y, (1u << vg_node_rank(&graph, y)) - 1, false);
    vg_node gradient = make_grad(&graph, total, find_variable(&graph, (char[]){ row->by, 0 }), 1);
    vg_emit(&graph, VG_OP_fetch, &gradient, 1, vg_attr_of(f.ir, (vg_word[]){ 0 }, 1));
    run_pass(&f, vg_pass_differentiate, &graph, &differentiated);
    run_pass(&f, vg_pass_simplify, &differentiated, &simplified);

    vg_unit    unit = { .ir = f.ir };
    int64_t    symbols[1] = { 0 };
    vg_context context = { .turn = 1 };
    vg_store_init(&store, &f.mem, 8);
    assert_true(vg_program_make(&program, &f.mem, &unit, &simplified, &store,
                                ((vg_program_options){ .part = VG_PART_STEP, .turn = 1, .updates = true }), symbols, 8));
    set_variables(&f, &store, row);
    assert_true(vg_program_execute(&program, &context, 1));
    const vg_view *found = &program.views.items[program.roots.items[0].view];
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        double value = vg_view_get(found, i, 8), expected = row->gradient[i];
        if (value == expected || fabs(value - expected) < 1e-12) continue;
        fail_msg("%s, element %u: expected %g, got %g", row->name, i, expected, value);
    }
    fixture_end(&f);
}

static void test_kinks(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof kinks / sizeof *kinks; k++) check_kink(&kinks[k]);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
