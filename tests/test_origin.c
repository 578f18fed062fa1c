/* Where a dimension came from, and the notes of a shape error that say so. */
#include "graph_fixture.h"

#include <stdio.h>
#include <string.h>

#include "ir/build.h"

static void an_error_says_where_each_length_came_from(void **state) {
    fixture *f = *state;
    vg_graph graph;
    fixture_read(f, &graph,
                 "%1 = input() path=\"x\" type=0 : f32[batch, 28, 28]\n"
                 "%2 = reshape(%1) : f32[batch, 784]\n"
                 "%3 = tanh(%2) : f32[batch, 784]    # h\n"
                 "%4 = variable() path=\"h[1].W\" : f32[128, 10]\n"
                 "%5 = transpose(%4) perm=[1, 0] : f32[10, 128]\n"
                 "%6 = sum(%5) keep=0 axes=[0] : f32[128]\n");
    vg_node leaf;
    uint32_t axis;
    vg_shape_origin(&graph, 6, 0, &leaf, &axis);
    assert_int_equal(leaf, 4);
    assert_int_equal(axis, 0);
    vg_shape_origin(&graph, 3, 0, &leaf, &axis);
    assert_int_equal(leaf, 1);
    assert_int_equal(vg_build_matmul(&graph, 3, 4, false, false), 0);
    const vg_diag *diag = &vg_vec_last(&f->ir.diags.list);
    assert_int_equal(diag->code, VG_D_matmul_mismatch);
    assert_int_equal(diag->note_count, 4);
    const vg_note *notes = f->ir.diags.notes.items + diag->first_note;
    assert_string_equal(notes[0].text, "left operand: h f32[batch, 784]");
    assert_string_equal(notes[1].text, "right operand: h[1].W f32[128, 10]");
    assert_string_equal(notes[2].text, "784 is axis 1 of 'reshape'");
    assert_string_equal(notes[3].text, "128 is axis 0 of variable h[1].W");
}

static void operands_are_named_in_notes(void **state) {
    fixture *f = *state;
    vg_graph graph;
    fixture_read(f, &graph,
                 "%1 = constant() data=[1, 2] type=0 : f32[2]\n"
                 "%2 = fill() value=0 type=0 : f32[3]    # zero\n"
                 "%3 = fill() value=1 type=1 : i32[2]\n");
    assert_int_equal(vg_build_select(&graph, 3, 1, 2), 0);
    const vg_diag *diag = &vg_vec_last(&f->ir.diags.list);
    assert_int_equal(diag->code, VG_D_shape_mismatch);
    assert_int_equal(diag->note_count, 5);
    const vg_note *notes = f->ir.diags.notes.items + diag->first_note;
    assert_string_equal(notes[0].text, "operand 1: i32[2]");
    assert_string_equal(notes[2].text, "operand 3: zero f32[3]");
    assert_string_equal(notes[3].text, "2 is axis 0 of a constant");
    assert_string_equal(notes[4].text, "3 is axis 0 of zero");
}

/* Each axis of the last node is followed to a node and its axis. */
static void origins(void **state) {
    fixture *f = *state;
    static const char leaves[] = "%1 = input() path=\"x\" type=0 : f32[batch, 5]\n"
                                 "%2 = variable() path=\"W\" : f32[5, 7]\n"
                                 "%3 = input() path=\"i\" type=1 : i32[batch, 3]\n";
    static const struct { const char *line; struct { vg_node node; uint32_t axis; } origin[3]; } table[] = {
        { "%4 = matmul(%1, %2) ta=0 tb=0 : f32[batch, 7]", { { 1, 0 }, { 2, 1 } } },
        { "%4 = matmul(%2, %1) ta=1 tb=1 : f32[7, batch]", { { 2, 1 }, { 1, 0 } } },
        { "%4 = gather(%2, %3) axis=0 : f32[batch, 3, 7]", { { 3, 0 }, { 3, 1 }, { 2, 1 } } },
        { "%4 = gather(%2, %3) axis=1 : f32[5, batch, 3]", { { 2, 0 }, { 3, 0 }, { 3, 1 } } },
        { "%4 = concat(%1, %1) axis=1 : f32[batch, 10]", { { 1, 0 }, { 4, 1 } } },
        { "%4 = sum(%2) keep=1 axes=[0] : f32[1, 7]", { { 4, 0 }, { 2, 1 } } },
        { "%4 = sum(%2) keep=1 axes=[] : f32[1, 1]", { { 4, 0 }, { 4, 1 } } },
        { "%4 = argmax(%2) axis=0 : i32[7]", { { 2, 1 } } },
        { "%4 = argmin(%2) axis=1 : i32[5]", { { 2, 0 } } },
        { "%4 = prod(%2) keep=0 axes=[1] : f32[5]", { { 2, 0 } } },
        { "%4 = max(%2) keep=0 axes=[0] : f32[7]", { { 2, 1 } } },
        { "%4 = min(%2) keep=1 axes=[1] : f32[5, 1]", { { 2, 0 }, { 4, 1 } } },
        { "%4 = mul(%2, %2) : f32[5, 7]", { { 2, 0 }, { 2, 1 } } },
        { "%4 = place(%1) origin=[0, 1] : f32[batch, 6]", { { 4, 0 }, { 4, 1 } } },
        { "%4 = iota() count=3 : i32[3]", { { 4, 0 } } },
        { "%4 = sum(%2) keep=0 axes=[] : f32[]\n%5 = grad(%4, %2) group=1 : f32[5, 7]", { { 2, 0 }, { 2, 1 } } },
        { "%4 = reshape(%1) : f32[1, batch, 5]\n%5 = matmul(%4, %2) ta=0 tb=0 : f32[1, batch, 7]",
          { { 4, 0 }, { 1, 0 }, { 2, 1 } } },
        { "%4 = sum(%2) keep=0 axes=[0] : f32[7]\n%5 = add(%4, %2) : f32[5, 7]", { { 2, 0 }, { 2, 1 } } },
        { "%4 = reshape(%2) : f32[35]\n%5 = reshape(%4) : f32[7, 5]", { { 5, 0 }, { 5, 1 } } },
        { "%4 = spread(%3, %3) width=9 many=0 : i32[batch, 3, 9]", { { 3, 0 }, { 3, 1 }, { 4, 2 } } },
        { "%4 = reshape(%2) : f32[5, 1, 7]", { { 2, 0 }, { 4, 1 }, { 2, 1 } } },
        { "%4 = broadcast(%2) : f32[2, 5, 7]", { { 4, 0 }, { 2, 0 }, { 2, 1 } } },
        { "%4 = pad(%1) value=0 widths=[0, 0, 1, 0] : f32[batch, 6]", { { 1, 0 }, { 4, 1 } } },
        { "%4 = softmax(%1) axis=1 : f32[batch, 5]", { { 1, 0 }, { 1, 1 } } },
        { "%4 = argmax(%1) axis=1 : i32[batch]\n%5 = cross_entropy(%1, %4) : f32[batch]", { { 1, 0 } } },
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        vg_graph graph;
        char text[400];
        snprintf(text, sizeof text, "%s%s\n", leaves, table[k].line);
        fixture_read(f, &graph, text);
        const vg_node last = vg_graph_count(&graph) - 1;
        for (uint32_t axis = 0; axis < vg_node_rank(&graph, last); axis++) {
            vg_node leaf;
            uint32_t leaf_axis;
            vg_shape_origin(&graph, last, axis, &leaf, &leaf_axis);
            if (leaf != table[k].origin[axis].node || leaf_axis != table[k].origin[axis].axis)
                fail_msg("axis %u of %s: node %u, axis %u", axis, table[k].line, leaf, leaf_axis);
        }
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_start, fixture_end)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_error_says_where_each_length_came_from), CASE(operands_are_named_in_notes), CASE(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
