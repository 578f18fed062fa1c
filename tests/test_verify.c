/* The verifier: a graph that is right passes, and each thing that a pass could break in it is found and named. */
#include "graph_fixture.h"

#include <string.h>

static const char model[] =
    "%1 = input() path=\"x\" type=0 : f32[batch, 4]    # x\n"
    "%2 = input() path=\"y\" type=1 : i32[batch]\n"
    "%3 = variable() path=\"W\" : f32[4, 10]\n"
    "%4 = matmul(%1, %3) ta=0 tb=0 : f32[batch, 10]\n"
    "%5 = pick(%4, %2) : f32[batch]\n"
    "%6 = slice(%4) bounds=[0, batch, 1, 4] : f32[batch, 3]    # gradient of %4\n"
    "%7 = sum(%5) keep=0 axes=[] : f32[]    # loss\n"
    "%8 = grad(%7, %3) group=1 : f32[4, 10]\n"
    "%9 = update(%3) path=\"W\" turn=1 every=1 : f32[4, 10]\n"
    "%10 = fetch(%7) index=0 : f32[]\n";

static void assert_wrong(const vg_graph *g, const char *what) {
    const char *wrong = vg_verify(g, false);
    if (!wrong || !strstr(wrong, what)) fail_msg("'%s' was expected, not '%s'", what, wrong ? wrong : "(right)");
}

/* One entry of a column has another value for a moment. */
#define BREAK(g, column, index, value, what)                                        \
    do {                                                                            \
        const __typeof__((g).column.items[index]) before = (g).column.items[index]; \
        (g).column.items[index] = (value);                                          \
        assert_wrong(&(g), (what));                                                 \
        (g).column.items[index] = before;                                           \
        assert_null(vg_verify(&(g), false));                                        \
    } while (0)

static void nodes(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, model);
    BREAK(g, op, 4, 255, "%4 = ?: no such operator");
    BREAK(g, op, 4, VG_OP_none, "no such operator");
    BREAK(g, dtype, 4, VG_I32, "the type is not the one that follows");
    BREAK(g, dtype, 4, 7, "no such type");
    BREAK(g, shape, 4, VG_SHAPE_SCALAR, "the shape is not the one that follows");
    BREAK(g, shape, 4, 0, "no such shape");
    BREAK(g, shape, 4, f->ir.dims.shapes.count, "no such shape");
    BREAK(g, place, 6, ((vg_place){ .forward = 11 }), "a gradient of a node that is not there");
}

static void operands(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, model);
    const uint32_t first = g.first.items[4], expect = g.first.items[10];
    BREAK(g, operand_count, 4, 1, "wrong number of operands");
    BREAK(g, operand_count, 4, 3, "wrong number of operands");
    BREAK(g, first, 4, g.operands.count - 1, "operands outside the column");
    BREAK(g, operands, first, 4, "an operand does not stand before it");
    BREAK(g, operands, first, 0, "an operand does not stand before it");
    BREAK(g, operands, first, 3, "the operands do not fit");
    BREAK(g, operands, expect, 9, "an operand is a root");
}

static void attributes(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, model);
    const vg_dim one = vg_dim_number(&f->ir.dims, 1);
    const vg_shape shapes = f->ir.dims.shapes.count;
    const vg_dim dims = f->ir.dims.rows.count;
    const vg_word nothing = f->ir.strings.text.count;
    const struct { vg_node node; uint32_t count; vg_word words[4]; } table[] = {
        { 3, 1, { g.shape.items[3] } },                       /* a word too few */
        { 3, 2, { g.shape.items[3], nothing } },              /* no such string */
        { 3, 2, { 0, 1 } },        { 3, 2, { shapes, 1 } },   /* no such shape */
        { 6, 4, { one, 0, 1, 1 } }, { 6, 4, { one, dims, one, one } },   /* no such dimension */
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        BREAK(g, attr, table[k].node, vg_attr_of(&f->ir, table[k].words, table[k].count),
              "the attribute does not fit the row");
    BREAK(g, attr, 3, f->ir.attrs.count, "no such attribute");
}

static void lists(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, model);
    BREAK(g, roots, 0, 10, "not in the list of roots");
    g.roots.count--;
    assert_wrong(&g, "%10 = fetch: not in the list of roots");
    g.roots.count++;
    vg_vec_push(&f->mem, &g.roots, 10);
    assert_wrong(&g, "more than the effect nodes");
    g.roots.count--;
    BREAK(g, names, 0, ((vg_named){ g.names.items[0].path, 0 }), "names no node");
    BREAK(g, names, 0, ((vg_named){ g.names.items[0].path, vg_graph_count(&g) }), "names no node");
    BREAK(g, names, 0, ((vg_named){ f->ir.strings.text.count, 1 }), "names no node");
    uint32_t *const counts[] = { &g.dtype.count, &g.first.count, &g.operand_count.count, &g.shape.count,
                                 &g.attr.count,  &g.place.count, &g.chain.count };
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        --*counts[k];
        assert_wrong(&g, "the columns differ in length");
        ++*counts[k];
    }
    assert_null(vg_verify(&g, false));
}
#undef BREAK

static void placeholders_are_gone_after_differentiate(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, model);
    assert_null(vg_verify(&g, false));
    assert_non_null(strstr(vg_verify(&g, true), "%8 = grad: a placeholder is left"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_start, fixture_end)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(nodes), CASE(operands), CASE(attributes), CASE(lists), CASE(placeholders_are_gone_after_differentiate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
