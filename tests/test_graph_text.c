/* A graph's text: printed, read back, refused where it is broken. */
#include "graph_fixture.h"

#include <stdio.h>
#include <string.h>

#include "ir/build.h"

static const char everything[] =
    "%1 = input() path=\"x\" type=0 : f32[batch, 4]    # x\n"
    "%2 = input() path=\"y\" type=1 : i32[batch]    # y, labels[1, 2]\n"
    "%3 = variable() path=\"h[1].W\" : f32[4, 10]    # h[1].W\n"
    "%4 = matmul(%1, %3) ta=0 tb=0 : f32[batch, 10]    # logits at models/a.nn:2:5\n"
    "%5 = pick(%4, %2) : f32[batch]\n"
    "%6 = dimension() dim=2 * batch - 1 : f32[]    # at models/a.nn:1:1\n"
    "%7 = constant() data=[1, 0.1, -inf, nan, 1e-05, -3] type=0 : f32[3, 2]\n"
    "%8 = random_normal() path=\"a \\\"b\\\" \\\\ \\x0a\" number=3 fixed=0 a=0 b=0.5 : f32[2]\n"
    "%9 = slice(%4) bounds=[0, batch, 1, 4] : f32[batch, 3]\n"
    "%10 = place(%9) origin=[0, 1] : f32[batch, 10]    # gradient of %4\n"
    "%11 = pad(%9) value=-0.5 widths=[0, 0, 1, 2] : f32[batch, 6]    # at models/a.nn:2:9 gradient of %9\n"
    "%12 = iota() count=batch * batch + 7 : i32[batch * batch + 7]\n"
    "%13 = sum(%5) keep=0 axes=[] : f32[]    # loss\n"
    "%14 = grad(%13, %3) group=1 : f32[4, 10]    # grad(loss, h[1].W)\n"
    "%15 = update(%3) path=\"h[1].W\" turn=1 every=1 : f32[4, 10]\n"
    "%16 = expect(%13, %6) index=0 every=0 : f32[]\n";

static void text_round_trip(void **state) {
    fixture *f = *state;
    vg_graph graph, again;
    static const char model[] = "x = 1\ny = é + x * 3\n";
    assert_int_not_equal(vg_sources_add(&f->ir.diags.sources, VG_SOURCE_MODEL, "models/a.nn", model, strlen(model)), 0);
    fixture_read(f, &graph, everything);
    const char *text = fixture_text(f, &graph);
    assert_string_equal(text, everything);
    assert_null(vg_verify(&graph, false));
    assert_int_equal(graph.roots.count, 2);
    assert_int_equal(graph.names.count, 7);
    fixture_read(f, &again, text);
    assert_string_equal(fixture_text(f, &again), everything);
}

static void dot_shows_every_node(void **state) {
    fixture *f = *state;
    vg_graph graph;
    vg_text dot = vg_text_new(&f->mem);
    fixture_read(f, &graph, everything);
    vg_print_dot(&graph, &dot);
    assert_non_null(strstr(vg_text_c(&dot), "label=\"matmul\\nf32[batch, 10]\\nlogits\""));
    assert_non_null(strstr(vg_text_c(&dot), "n3 -> n4;"));
    assert_non_null(strstr(vg_text_c(&dot), "n16 ["));
    vg_graph_name(&graph, vg_strings_c(&f->ir.strings, "a \"b\" \\"), 1);
    vg_print_dot(&graph, &dot);
    assert_non_null(strstr(vg_text_c(&dot), "a \\\"b\\\" \\\\"));
}

/* A constant too long for the text is named by its number, which the same ir reads back. */
static void long_constants_are_named(void **state) {
    fixture *f = *state;
    vg_graph graph, again;
    double elements[VG_PRINT_ELEMENTS + 1] = { 0 };
    const vg_dim count = vg_dim_number(&f->ir.dims, VG_PRINT_ELEMENTS + 1);
    vg_graph_init(&graph, &f->ir, VG_EMIT_FAITHFUL);
    vg_build_constant(&graph, vg_shape_of(&f->ir.dims, &count, 1), elements, VG_PRINT_ELEMENTS + 1, VG_F32);
    assert_string_equal(fixture_text(f, &graph), "%1 = constant() data=1 type=0 : f32[257]\n");
    fixture_read(f, &again, fixture_text(f, &graph));
    assert_int_equal(again.attr.items[1], graph.attr.items[1]);
}

/* Whatever stands in for a place, a place is a source's or none. */
static void places(void **state) {
    fixture *f = *state;
    static const char text[] = "x = 1\n\xc3\xa9y\n";
    static const struct { const char *place; uint32_t offset; } table[] = {
        { "a.nn:1:1", 1 }, { "a.nn:2:2", 9 }, { "a.nn:2:3", 10 }, { "a.nn:2:4", 0 }, { "a.nn:9:1", 0 }, { "b.nn:1:1",
        0 },
        { "ab.nn:1:1", 0 }, { "a.nn:0:1", 0 },
    };
    const uint32_t source = vg_sources_add(&f->ir.diags.sources, VG_SOURCE_MODEL, "a.nn", text, strlen(text));
    const uint32_t base = f->ir.diags.sources.list.items[source].base;
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        vg_graph graph;
        char line[100];
        snprintf(line, sizeof line, "\t%%1 = step() turn=0 : i32[]    # at %s\n", table[k].place);
        fixture_read(f, &graph, line);
        const uint32_t begin = graph.place.items[1].span.begin;
        if (table[k].offset) assert_int_equal(begin, base + table[k].offset - 1);
        else assert_true(begin < base || begin > base + strlen(text));
    }
}

static void broken_texts_are_reported(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {
        "%2 = step() turn=0 : i32[]", "%1 = nothing() : f32[]", "%1 = step( turn=0 : i32[]", "%1 = step() : i32[]",
        "%1 = step() turn=0 : f32[]", "%1 = step() turn=99999999999999999999 : i32[]",
        "%1 = step() turn=-9223372036854775809 : i32[]", "%1 = step() turn=9223372036854775808 : i32[]",
        "%1 = neg(%1) : f32[]",
        "%1 = neg() : f32[]", "%1 = fill() value=x type=0 : f32[]", "%1 = fill() value=\n1 type=0 : f32[]",
        "%1 = fill() value=1 type=7 : f32[]", "%1 = fill() value=1 type=0 : f32[-3]",
        "%1 = fill() value=1 type=0 : f32[9223372036854775807, 2]",
        "%1 = fill() value=1 type=0 : f32[1,1,1,1,1,1,1,1,1]", "%1 = input() path=\"x type=0 : f32[]",
        "%1 = constant() data=0 type=0 : f32[]",
        "%1 = constant() data=[1, 2] type=0 : f32[3]", "%1 = constant() data=[1, 2 type=0 : f32[2]",
        "%1 = neg(%0) : f32[]", "%1 = constant() data=-1 type=0 : f32[]", "%1 = step() turn=0 : i32[] what",
        "%1 = step() turn=0 : i32[] # , ,", "%1 = step() turn=0 : i32[] # a at b",
        "%1 = step() turn=0 : i32[] # at 1:1", "%1 = step() turn=0 : i32[] # at a:b:1",
        "%1 = step() turn=0 : i32[]\n%2 = neg(%1, %1) : i32[]", "%1 = step() turn=0 : i32[] # a gradient of %9",
        "%", "%1", "%1 =", "hello", "%1 = iota() count=a * a * a * a * a * a * a * a * a : i32[1]",
    };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        vg_graph graph;
        const uint32_t before = f->ir.diags.list.count;
        vg_graph_init(&graph, &f->ir, VG_EMIT_FAITHFUL);
        if (vg_read(&graph, "test", texts[k]) || f->ir.diags.list.count != before + 1) fail_msg("accepted: %s",
        texts[k]);
        vg_graph_free(&graph);
    }
}

/* Every text with one byte changed is read or refused, and what is read verifies. */
static void damaged_texts_do_no_harm(void **state) {
    fixture *f = *state;
    char text[sizeof everything];
    static const char bytes[] = { '\0', '\n', '0', '9', '-', ' ', '[', ')', '%', '"', 'a', '\x80' };
    for (size_t at = 0; at + 1 < sizeof everything; at++) {
        vg_graph graph;
        memcpy(text, everything, sizeof text);
        text[at] = bytes[at * 7 % sizeof bytes];
        vg_graph_init(&graph, &f->ir, VG_EMIT_FAITHFUL);
        vg_read(&graph, "test", text);
        const char *wrong = vg_verify(&graph, false);
        if (wrong) fail_msg("byte %zu: %s", at, wrong);
        vg_graph_free(&graph);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_start, fixture_end)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(text_round_trip), CASE(dot_shows_every_node), CASE(long_constants_are_named), CASE(places),
        CASE(broken_texts_are_reported), CASE(damaged_texts_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
