/* What nodes cost: FLOPs and bytes worked out by hand, for a batch of 32. */
#include "graph_fixture.h"

#include "ir/cost.h"

static const char graph_text[] =
    "%1 = input() path=\"x\" type=0 : f32[batch, 5]\n"
    "%2 = variable() path=\"W\" : f32[5, 7]\n"
    "%3 = matmul(%1, %2) ta=0 tb=0 : f32[batch, 7]\n"
    "%4 = tanh(%3) : f32[batch, 7]\n"
    "%5 = add(%4, %3) : f32[batch, 7]\n"
    "%6 = sum(%5) keep=0 axes=[1] : f32[batch]\n"
    "%7 = slice(%1) bounds=[0, batch, 1, 2] : f32[batch, 1]\n"
    "%8 = reshape(%7) : f32[batch]\n"
    "%9 = addn(%6, %8, %8) : f32[batch]\n"
    "%10 = softmax(%3) axis=1 : f32[batch, 7]\n"
    "%11 = argmax(%3) axis=1 : i32[batch]\n"
    "%12 = matmul(%1, %3) ta=1 tb=0 : f32[5, 7]\n"
    "%13 = cross_entropy(%3, %11) : f32[batch]\n";

static const struct { vg_node node; double flops, elements; uint32_t integers; } table[] = {
    { 1, 0, 0, 0 },
    { 3, 2 * 32 * 7 * 5, 32 * 7 + 32 * 5 + 5 * 7, 0 },
    { 4, 12 * 32 * 7, 2 * 32 * 7, 0 },
    { 5, 32 * 7, 3 * 32 * 7, 0 },
    { 6, 32 * 7, 32 * 7 + 32, 0 },
    { 7, 0, 2 * 32, 0 },                 /* of the slice, not of what it is cut from */
    { 8, 0, 0, 0 },
    { 9, 2 * 32, 4 * 32, 0 },
    { 10, 13 * 32 * 7, 2 * 32 * 7, 0 },
    { 11, 32 * 7, 32 * 7, 32 },          /* integers have four bytes in a float64 program, too */
    { 12, 2 * 5 * 7 * 32, 32 * 5 + 32 * 7 + 5 * 7, 0 },
    { 13, 13 * 32 * 7, 32 * 7 + 32, 32 },
};

static void costs(void **state) {
    fixture *f = *state;
    vg_graph graph;
    fixture_read(f, &graph, graph_text);
    const int64_t symbols[] = { 0, 32 };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        for (uint32_t real = 4; real <= 8; real += 4) {
            const vg_node_cost cost = vg_node_cost_of(&graph, table[k].node, symbols, real);
            assert_true(cost.flops == table[k].flops);
            assert_true(cost.bytes == table[k].elements * real + table[k].integers * 4);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(costs, fixture_start, fixture_end) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
