/* The graph: what emit folds, merges and converts, and where it ends. */
#include "graph_fixture.h"

#include <stdio.h>
#include <string.h>

#include "ir/build.h"

/* ---- folding: the graph's text, copied node by node into a folding graph; what is left that the root needs */

typedef struct fold_row { const char *text, *folded; } fold_row;

#define X "%1 = input() path=\"x\" type=0 : f32[batch, 3]\n"
#define Y "%1 = input() path=\"x\" type=0 : f32[2, 3, 4]\n"
#define I "%1 = input() path=\"i\" type=1 : i32[4]\n"
#define IMAGES "%1 = input() path=\"x\" type=0 : f32[2, 3, 4, 8]\n%2 = input() path=\"d\" type=0 : f32[2, 3, 2, 4]\n"
#define POOLED IMAGES FILL(3, 0)
#define POOL " kernel_h=2 kernel_w=2 stride_h=2 stride_w=2 top=0 bottom=0 left=0 right=0 : "
#define FILL(n, value) "%" #n " = fill() value=" #value " type=0 : f32[]\n"
#define FOLDED_X X "%2 = fetch(%1) index=0 : f32[batch, 3]\n"

static const fold_row folds[] = {
    { X FILL(2, 1) "%3 = mul(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X FILL(2, 1) "%3 = mul(%2, %1) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X FILL(2, 0) "%3 = add(%2, %1) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X FILL(2, 0) "%3 = sub(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X FILL(2, 1) "%3 = div(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X FILL(2, 1) "%3 = pow(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X FILL(2, 2) "%3 = pow(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n",
      X "%2 = square(%1) : f32[batch, 3]\n%3 = fetch(%2) index=0 : f32[batch, 3]\n" },
    { X FILL(2, 0.5) "%3 = pow(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n",
      X "%2 = sqrt(%1) : f32[batch, 3]\n%3 = fetch(%2) index=0 : f32[batch, 3]\n" },
    { X "%2 = neg(%1) : f32[batch, 3]\n%3 = neg(%2) : f32[batch, 3]\n"
        "%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X "%2 = alias(%1) : f32[batch, 3]\n%3 = stop_gradient(%2) : f32[batch, 3]\n%4 = float(%3) : f32[batch, 3]\n"
        "%5 = fetch(%4) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X "%2 = transpose(%1) perm=[1, 0] : f32[3, batch]\n%3 = transpose(%2) perm=[1, 0] : f32[batch, 3]\n"
        "%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X "%2 = reshape(%1) : f32[3 * batch]\n%3 = reshape(%2) : f32[batch, 3]\n"
        "%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X "%2 = broadcast(%1) : f32[batch, 3]\n%3 = fetch(%2) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X FILL(2, 1) "%3 = select(%2, %1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    { X "%2 = fill() value=0 type=0 : f32[batch, 3]\n%3 = addn(%2, %1, %2) : f32[batch, 3]\n"
        "%4 = fetch(%3) index=0 : f32[batch, 3]\n", FOLDED_X },
    /* x * 0 stays: x may be NaN */
    { X FILL(2, 0) "%3 = mul(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n",
      X FILL(2, 0) "%3 = mul(%1, %2) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n" },
    /* a larger neutral operand still repeats the other */
    { "%1 = input() path=\"x\" type=0 : f32[3]\n%2 = fill() value=1 type=0 : f32[2, 3]\n%3 = mul(%1, %2) : f32[2, 3]\n"
      "%4 = fetch(%3) index=0 : f32[2, 3]\n",
      "%1 = input() path=\"x\" type=0 : f32[3]\n%2 = broadcast(%1) : f32[2, 3]\n%3 = fetch(%2) index=0 : f32[2, 3]\n" },
    /* uniform values, in double and in int32 that wraps */
    { FILL(1, 0.1) FILL(2, 0.2) "%3 = add(%1, %2) : f32[]\n%4 = fetch(%3) index=0 : f32[]\n",
      FILL(1, 0.30000000000000004) "%2 = fetch(%1) index=0 : f32[]\n" },
    { "%1 = fill() value=2147483647 type=1 : i32[2]\n%2 = fill() value=1 type=1 : i32[]\n%3 = add(%1, %2) : i32[2]\n"
      "%4 = fetch(%3) index=0 : i32[2]\n", "%1 = fill() value=-2147483648 type=1 : i32[2]\n"
      "%2 = fetch(%1) index=0 : i32[2]\n" },
    { FILL(1, -7.9) "%2 = int(%1) : i32[]\n%3 = fetch(%2) index=0 : i32[]\n",
      "%1 = fill() value=-7 type=1 : i32[]\n%2 = fetch(%1) index=0 : i32[]\n" },
    { "%1 = fill() value=0.5 type=0 : f32[4, 2]\n%2 = sum(%1) keep=0 axes=[0] : f32[2]\n"
        "%3 = fetch(%2) index=0 : f32[2]\n",
      "%1 = fill() value=2 type=0 : f32[2]\n%2 = fetch(%1) index=0 : f32[2]\n" },
    { "%1 = fill() value=0.5 type=0 : f32[4, 2]\n%2 = transpose(%1) perm=[1, 0] : f32[2, 4]\n"
        "%3 = fetch(%2) index=0 : f32[2, 4]\n",
      "%1 = fill() value=0.5 type=0 : f32[2, 4]\n%2 = fetch(%1) index=0 : f32[2, 4]\n" },
    { "%1 = constant() data=[3] type=0 : f32[1]\n%2 = exp(%1) : f32[1]\n%3 = fetch(%2) index=0 : f32[1]\n",
      "%1 = fill() value=20.085536923187668 type=0 : f32[1]\n%2 = fetch(%1) index=0 : f32[1]\n" },
    { I "%2 = int(%1) : i32[4]\n%3 = fetch(%2) index=0 : i32[4]\n", I "%2 = fetch(%1) index=0 : i32[4]\n" },
    { FILL(1, -3000000000) "%2 = neg(%1) : f32[]\n%3 = fetch(%2) index=0 : f32[]\n",
      FILL(1, 3000000000) "%2 = fetch(%1) index=0 : f32[]\n" },
    { X "%2 = sum(%1) keep=0 axes=[] : f32[]\n%3 = sum(%2) keep=0 axes=[] : f32[]\n%4 = fetch(%3) index=0 : f32[]\n",
      X "%2 = sum(%1) keep=0 axes=[] : f32[]\n%3 = fetch(%2) index=0 : f32[]\n" },
    { "%1 = fill() value=3 type=1 : i32[4]\n%2 = sum(%1) keep=0 axes=[] : i32[]\n%3 = fetch(%2) index=0 : i32[]\n",
      "%1 = fill() value=12 type=1 : i32[]\n%2 = fetch(%1) index=0 : i32[]\n" },
    { "%1 = fill() value=0 type=0 : f32[3]\n%2 = fill() value=0 type=0 : f32[3]\n%3 = addn(%1, %2, %1) : f32[3]\n"
      "%4 = fetch(%3) index=0 : f32[3]\n", "%1 = fill() value=0 type=0 : f32[3]\n%2 = fetch(%1) index=0 : f32[3]\n" },
    /* a sum that wraps, and one over a length not known yet, are left to the run */
    { "%1 = fill() value=2000000000 type=1 : i32[4]\n%2 = sum(%1) keep=0 axes=[] : i32[]\n"
        "%3 = fetch(%2) index=0 : i32[]\n",
      "%1 = fill() value=2000000000 type=1 : i32[4]\n%2 = sum(%1) keep=0 axes=[] : i32[]\n"
      "%3 = fetch(%2) index=0 : i32[]\n" },
    { "%1 = fill() value=2 type=0 : f32[batch]\n%2 = sum(%1) keep=0 axes=[] : f32[]\n%3 = fetch(%2) index=0 : f32[]\n",
      "%1 = fill() value=2 type=0 : f32[batch]\n%2 = sum(%1) keep=0 axes=[] : f32[]\n"
      "%3 = fetch(%2) index=0 : f32[]\n" },
    /* a square of something that grows is a power still */
    { "%1 = input() path=\"x\" type=0 : f32[3]\n%2 = fill() value=2 type=0 : f32[2, 3]\n%3 = pow(%1, %2) : f32[2, 3]\n"
      "%4 = fetch(%3) index=0 : f32[2, 3]\n",
      "%1 = input() path=\"x\" type=0 : f32[3]\n%2 = fill() value=2 type=0 : f32[2, 3]\n%3 = pow(%1, %2) : f32[2, 3]\n"
      "%4 = fetch(%3) index=0 : f32[2, 3]\n" },
    /* moves of moves are one move */
    { X "%2 = broadcast(%1) : f32[1, batch, 3]\n%3 = broadcast(%2) : f32[5, batch, 3]\n"
        "%4 = fetch(%3) index=0 : f32[5, batch, 3]\n",
      X "%2 = broadcast(%1) : f32[5, batch, 3]\n%3 = fetch(%2) index=0 : f32[5, batch, 3]\n" },
    { Y "%2 = transpose(%1) perm=[1, 2, 0] : f32[3, 4, 2]\n%3 = transpose(%2) perm=[1, 0, 2] : f32[4, 3, 2]\n"
      "%4 = fetch(%3) index=0 : f32[4, 3, 2]\n",
      Y "%2 = transpose(%1) perm=[2, 1, 0] : f32[4, 3, 2]\n%3 = fetch(%2) index=0 : f32[4, 3, 2]\n" },
    /* what is made of values that are repeated alike is made before they are repeated */
    { X "%2 = broadcast(%1) : f32[5, batch, 3]\n" FILL(3, 2) "%4 = mul(%3, %2) : f32[5, batch, 3]\n"
      "%5 = mul(%4, %2) : f32[5, batch, 3]\n%6 = fetch(%5) index=0 : f32[5, batch, 3]\n",
      X FILL(2, 2) "%3 = mul(%2, %1) : f32[batch, 3]\n%4 = mul(%3, %1) : f32[batch, 3]\n"
      "%5 = broadcast(%4) : f32[5, batch, 3]\n%6 = fetch(%5) index=0 : f32[5, batch, 3]\n" },
    { Y "%2 = broadcast(%1) : f32[5, 2, 3, 4]\n%3 = input() path=\"z\" type=0 : f32[4]\n"
      "%4 = broadcast(%3) : f32[5, 2, 3, 4]\n%5 = add(%2, %4) : f32[5, 2, 3, 4]\n"
      "%6 = fetch(%5) index=0 : f32[5, 2, 3, 4]\n",
      Y "%2 = broadcast(%1) : f32[5, 2, 3, 4]\n%3 = input() path=\"z\" type=0 : f32[4]\n"
      "%4 = broadcast(%3) : f32[5, 2, 3, 4]\n%5 = add(%2, %4) : f32[5, 2, 3, 4]\n"
      "%6 = fetch(%5) index=0 : f32[5, 2, 3, 4]\n" },
    /* a uniform value is one element, unless it makes the shape */
    { X "%2 = fill() value=2 type=0 : f32[batch, 3]\n%3 = mul(%2, %1) : f32[batch, 3]\n"
      "%4 = fetch(%3) index=0 : f32[batch, 3]\n",
      X FILL(2, 2) "%3 = mul(%2, %1) : f32[batch, 3]\n%4 = fetch(%3) index=0 : f32[batch, 3]\n" },
    { X "%2 = fill() value=2 type=0 : f32[4, 1, 3]\n%3 = mul(%2, %1) : f32[4, batch, 3]\n"
      "%4 = fetch(%3) index=0 : f32[4, batch, 3]\n",
      X "%2 = fill() value=2 type=0 : f32[4, 1, 3]\n%3 = mul(%2, %1) : f32[4, batch, 3]\n"
      "%4 = fetch(%3) index=0 : f32[4, batch, 3]\n" },
    /* a transposed operand is a flag */
    { Y "%2 = transpose(%1) perm=[0, 2, 1] : f32[2, 4, 3]\n%3 = matmul(%1, %2) ta=0 tb=0 : f32[2, 3, 3]\n"
      "%4 = fetch(%3) index=0 : f32[2, 3, 3]\n",
      Y "%2 = matmul(%1, %1) ta=0 tb=1 : f32[2, 3, 3]\n%3 = fetch(%2) index=0 : f32[2, 3, 3]\n" },
    { Y "%2 = transpose(%1) perm=[1, 0, 2] : f32[3, 2, 4]\n%3 = matmul(%2, %2) ta=0 tb=1 : f32[3, 2, 2]\n"
      "%4 = fetch(%3) index=0 : f32[3, 2, 2]\n",
      Y "%2 = transpose(%1) perm=[1, 0, 2] : f32[3, 2, 4]\n%3 = matmul(%2, %2) ta=0 tb=1 : f32[3, 2, 2]\n"
      "%4 = fetch(%3) index=0 : f32[3, 2, 2]\n" },
    { X "%2 = transpose(%1) perm=[1, 0] : f32[3, batch]\n%3 = matmul(%2, %1) ta=0 tb=0 : f32[3, 3]\n"
        "%4 = fetch(%3) index=0 : f32[3, 3]\n",
      X "%2 = matmul(%1, %1) ta=1 tb=0 : f32[3, 3]\n%3 = fetch(%2) index=0 : f32[3, 3]\n" },
    /* what a pooling chose is looked at in its place: by relu's derivative, and by a sum over whole images */
    { POOLED "%4 = gt(%1, %3) : i32[2, 3, 4, 8]\n%5 = pool_max_input(%1, %2)" POOL "f32[2, 3, 4, 8]\n"
      "%6 = select(%4, %5, %3) : f32[2, 3, 4, 8]\n%7 = sum(%6) keep=0 axes=[0, 2, 3] : f32[3]\n"
      "%8 = fetch(%7) index=0 : f32[3]\n",
      POOLED "%4 = pool_max(%1)" POOL "f32[2, 3, 2, 4]\n%5 = gt(%4, %3) : i32[2, 3, 2, 4]\n"
      "%6 = select(%5, %2, %3) : f32[2, 3, 2, 4]\n%7 = sum(%6) keep=0 axes=[0, 2, 3] : f32[3]\n"
      "%8 = fetch(%7) index=0 : f32[3]\n" },
    { POOLED "%4 = pool_max_input(%1, %2)" POOL "f32[2, 3, 4, 8]\n%5 = sum(%4) keep=0 axes=[0, 2] : f32[3, 8]\n"
      "%6 = sum(%4) keep=0 axes=[] : f32[]\n%7 = fetch(%5) index=0 : f32[3, 8]\n%8 = fetch(%6) index=0 : f32[]\n",
      IMAGES "%3 = pool_max_input(%1, %2)" POOL "f32[2, 3, 4, 8]\n%4 = sum(%3) keep=0 axes=[0, 2] : f32[3, 8]\n"
      "%5 = sum(%2) keep=0 axes=[0, 1, 2, 3] : f32[]\n%6 = fetch(%4) index=0 : f32[3, 8]\n"
      "%7 = fetch(%5) index=0 : f32[]\n" },
    /* not where something else is asked, or stays where it is not */
    { POOLED "%4 = gt(%3, %1) : i32[2, 3, 4, 8]\n%5 = pool_max_input(%1, %2)" POOL "f32[2, 3, 4, 8]\n"
      "%6 = select(%4, %5, %3) : f32[2, 3, 4, 8]\n%7 = fetch(%6) index=0 : f32[2, 3, 4, 8]\n",
      POOLED "%4 = gt(%3, %1) : i32[2, 3, 4, 8]\n%5 = pool_max_input(%1, %2)" POOL "f32[2, 3, 4, 8]\n"
      "%6 = select(%4, %5, %3) : f32[2, 3, 4, 8]\n%7 = fetch(%6) index=0 : f32[2, 3, 4, 8]\n" },
    { POOLED "%4 = gt(%1, %3) : i32[2, 3, 4, 8]\n%5 = pool_max_input(%1, %2)" POOL "f32[2, 3, 4, 8]\n"
      "%6 = select(%4, %5, %1) : f32[2, 3, 4, 8]\n%7 = fetch(%6) index=0 : f32[2, 3, 4, 8]\n",
      POOLED "%4 = gt(%1, %3) : i32[2, 3, 4, 8]\n%5 = pool_max_input(%1, %2)" POOL "f32[2, 3, 4, 8]\n"
      "%6 = select(%4, %5, %1) : f32[2, 3, 4, 8]\n%7 = fetch(%6) index=0 : f32[2, 3, 4, 8]\n" },
    /* equal pure nodes merge, roots and draws of another identity do not */
    { X "%2 = tanh(%1) : f32[batch, 3]\n%3 = tanh(%1) : f32[batch, 3]\n%4 = sub(%2, %3) : f32[batch, 3]\n"
        "%5 = fetch(%4) index=0 : f32[batch, 3]\n%6 = fetch(%4) index=0 : f32[batch, 3]\n",
      X "%2 = tanh(%1) : f32[batch, 3]\n%3 = sub(%2, %2) : f32[batch, 3]\n"
        "%4 = fetch(%3) index=0 : f32[batch, 3]\n%5 = fetch(%3) index=0 : f32[batch, 3]\n" },
};

/* What simplify does: the nodes that a root needs, in id order, through a folding graph twice (the second copy drops
 * what the first left behind). */
static void copy_living(const vg_graph *from, vg_graph *into) {
    const uint32_t count = vg_graph_count(from);
    bool *alive = calloc(count, sizeof *alive);
    vg_node *map = calloc(count, sizeof *map);
    for (uint32_t k = 0; k < from->roots.count; k++) alive[from->roots.items[k]] = true;
    for (vg_node n = count - 1; n > 0; n--)
        for (uint32_t k = 0; alive[n] && k < from->operand_count.items[n]; k++) alive[vg_operand(from, n, k)] = true;
    for (vg_node n = 1; n < count; n++) {
        vg_node operands[8];
        if (!alive[n]) continue;
        for (uint32_t k = 0; k < from->operand_count.items[n]; k++) operands[k] = map[vg_operand(from, n, k)];
        map[n] = vg_emit_copy(into, from, n, operands, map);
        assert_int_not_equal(map[n], 0);
    }
    free(alive);
    free(map);
}

static void folding(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < sizeof folds / sizeof *folds; k++) {
        vg_graph read, once, twice;
        fixture_read(f, &read, folds[k].text);
        vg_graph_init(&once, &f->ir, VG_EMIT_FOLD);
        vg_graph_init(&twice, &f->ir, VG_EMIT_FOLD);
        copy_living(&read, &once);
        copy_living(&once, &twice);
        assert_null(vg_verify(&once, true));
        assert_null(vg_verify(&twice, true));
        assert_string_equal(fixture_text(f, &twice), folds[k].folded);
    }
}

static void modes_keep_identities(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, X);
    const vg_node one = vg_build_scalar(&g, 1), first = vg_build_map1(&g, VG_OP_exp, 1);
    assert_int_not_equal(vg_build_map1(&g, VG_OP_exp, 1), first);
    assert_int_not_equal(vg_build_map2(&g, VG_OP_mul, 1, one), 1);
    g.mode = VG_EMIT_GRADIENT;
    const vg_node gradient = vg_build_map1(&g, VG_OP_exp, 1);
    assert_int_not_equal(gradient, first);                                     /* the faithful one is not found */
    assert_int_equal(vg_build_map1(&g, VG_OP_exp, 1), gradient);
    assert_int_equal(vg_build_map2(&g, VG_OP_mul, 1, one), 1);
    const vg_node alias = vg_build_map1(&g, VG_OP_alias, 1);
    assert_int_not_equal(alias, 1);
    assert_int_not_equal(vg_build_map1(&g, VG_OP_alias, 1), alias);
    assert_int_not_equal(vg_build_map1(&g, VG_OP_stop_gradient, 1), 1);
    g.mode = VG_EMIT_FAITHFUL;
    assert_int_not_equal(vg_build_map1(&g, VG_OP_exp, 1), gradient);
    g.mode = VG_EMIT_FOLD;
    assert_int_equal(vg_build_map1(&g, VG_OP_exp, 1), gradient);
    assert_int_equal(vg_build_map1(&g, VG_OP_alias, 1), 1);
    assert_null(vg_verify(&g, true));
}

static void draws_are_their_identity(void **state) {
    fixture *f = *state;
    vg_graph g;
    vg_graph_init(&g, &f->ir, VG_EMIT_FOLD);
    vg_word words[] = { VG_SHAPE_SCALAR, vg_strings_c(&f->ir.strings, "noise"), 0, 0, vg_word_real(0),
                        vg_word_real(1) };
    const vg_node a = vg_emit(&g, VG_OP_random_normal, NULL, 0, vg_attr_of(&f->ir, words, 6));
    assert_int_equal(vg_emit(&g, VG_OP_random_normal, NULL, 0, vg_attr_of(&f->ir, words, 6)), a);
    words[2] = 1;
    assert_int_not_equal(vg_emit(&g, VG_OP_random_normal, NULL, 0, vg_attr_of(&f->ir, words, 6)), a);
}

static void conversions(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, I "%2 = fill() value=2 type=1 : i32[]\n%3 = input() path=\"x\" type=0 : f32[4]\n");
    const vg_node sum = vg_build_map2(&g, VG_OP_add, 1, 3);
    assert_int_equal(vg_node_op(&g, vg_operand(&g, sum, 0)), VG_OP_float);
    const vg_node scaled = vg_build_map2(&g, VG_OP_mul, 3, 2);
    assert_int_equal(vg_node_op(&g, vg_operand(&g, scaled, 1)), VG_OP_fill);   /* made again, not converted */
    assert_string_equal(vg_node_type_text(&g, vg_operand(&g, scaled, 1)), "f32[]");
    /* padding keeps integers when the value is one */
    static const struct { double value; vg_dtype dtype; } pads[] = { { 7, VG_I32 }, { 0.5, VG_F32 }, { 3e9, VG_F32 } };
    const vg_dim one = vg_dim_number(&f->ir.dims, 1);
    for (size_t k = 0; k < sizeof pads / sizeof *pads; k++) {
        const vg_word words[] = { vg_word_real(pads[k].value), one, one };
        const vg_node padded = vg_emit(&g, VG_OP_pad, (const vg_node[]){ 1 }, 1, vg_attr_of(&f->ir, words, 3));
        assert_int_equal(vg_node_dtype(&g, padded), pads[k].dtype);
    }
}

/* A part of an attribute's own words may be made an attribute, also when the column has to move for it. */
static void attributes_of_attributes(void **state) {
    fixture *f = *state;
    vg_word words[50];
    uint32_t count;
    for (uint32_t k = 0; k < 50; k++) words[k] = 1000 + k;
    const vg_attr all = vg_attr_of(&f->ir, words, 50);
    for (uint32_t first = 1; first < 50; first++) {
        const vg_attr part = vg_attr_of(&f->ir, vg_attr_words(&f->ir, all, &count) + first, 50 - first);
        const vg_word *have = vg_attr_words(&f->ir, part, &count);
        assert_int_equal(count, 50 - first);
        assert_memory_equal(have, words + first, count * sizeof *have);
        assert_int_equal(vg_attr_of(&f->ir, words + first, count), part);
    }
}

static void builders(void **state) {
    fixture *f = *state;
    vg_graph g;
    fixture_read(f, &g, X);
    const vg_dim batch = vg_dim_symbol(&f->ir.dims, 1), zero = vg_dim_number(&f->ir.dims, 0);
    const vg_dim two = vg_dim_number(&f->ir.dims, 2);
    const uint32_t swap[] = { 1, 0 };
    const double elements[] = { 1, 2 };
    const vg_node mean = vg_build_mean(&g, 1, 3, false), turned = vg_build_transpose(&g, 1, swap);
    const vg_node part = vg_build_slice(&g, 1, (const vg_dim[]){ zero, batch, zero, two });
    const vg_node pair = vg_build_constant(&g, vg_shape_of(&f->ir.dims, &two, 1), elements, 2, VG_F32);
    const vg_node chosen = vg_build_select(&g, vg_build_dimension(&g, zero), part, pair);
    vg_build_addn(&g, (const vg_node[]){ mean, mean, mean }, 3);
    assert_int_equal(vg_build_addn(&g, &turned, 1), turned);
    assert_int_equal(vg_build_reduce(&g, VG_OP_sum, 1, 0, true), 1);
    assert_string_equal(vg_node_type_text(&g, chosen), "f32[batch, 2]");
    assert_null(vg_verify(&g, true));
    assert_string_equal(fixture_text(f, &g), X
                        "%2 = sum(%1) keep=0 axes=[0, 1] : f32[]\n"
                        "%3 = dimension() dim=3 * batch : f32[]\n"
                        "%4 = div(%2, %3) : f32[]\n"
                        "%5 = transpose(%1) perm=[1, 0] : f32[3, batch]\n"
                        "%6 = slice(%1) bounds=[0, batch, 0, 2] : f32[batch, 2]\n"
                        "%7 = constant() data=[1, 2] type=0 : f32[2]\n"
                        "%8 = fill() value=0 type=0 : f32[]\n"
                        "%9 = select(%8, %6, %7) : f32[batch, 2]\n"
                        "%10 = addn(%4, %4, %4) : f32[]\n");
}

/* ---- the limit */

static void the_node_limit_is_reported_once(void **state) {
    fixture *f = *state;
    vg_graph g;
    vg_graph_init(&g, &f->ir, VG_EMIT_FAITHFUL);
    vg_build_scalar(&g, 1);
    g.op.count = VG_NODE_LIMIT + 1;                       /* as if it were full; nothing below reads the columns */
    const vg_attr attr = g.attr.items[1];
    assert_int_equal(vg_emit(&g, VG_OP_fill, NULL, 0, attr), 0);
    g.here.span = (vg_span){ 1, 2 };
    assert_int_equal(vg_emit(&g, VG_OP_fill, NULL, 0, attr), 0);
    assert_true(g.full);
    assert_int_equal(f->ir.diags.list.count, 1);
    assert_int_equal(f->ir.diags.list.items[0].code, VG_D_limit_nodes);
    /* merging, or converting an operand, ends as quietly */
    g.mode = VG_EMIT_FOLD;
    assert_int_equal(vg_build_map1(&g, VG_OP_exp, 1), 0);
    g.dtype.items[1] = VG_I32;
    assert_int_equal(vg_build_matmul(&g, 1, 1, false, false), 0);
    assert_int_equal(f->ir.diags.list.count, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_start, fixture_end)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(folding), CASE(modes_keep_identities), CASE(draws_are_their_identity), CASE(conversions),
        CASE(attributes_of_attributes), CASE(builders), CASE(the_node_limit_is_reported_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
