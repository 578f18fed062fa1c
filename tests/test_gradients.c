/* Every operator that has a gradient, found by itself from op.def, against central differences in float64: the first
 * derivative and the derivative of the derivative. A row without an example here fails: a new operator needs one. */
#include "pass_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/program.h"

/* A graph's text whose last node is the operator. Variables named a.. are positive, s.. have both signs; variables
 * are never beside a kink, since their values are drawn and far more apart than the differences. */
#define A(n, shape) "%" #n " = variable() path=\"a" #n "\" : f32" shape "\n"
#define S(n, shape) "%" #n " = variable() path=\"s" #n "\" : f32" shape "\n"

#define LABELS(n) "%" #n " = constant() data=[2, 0] type=1 : i32[2]\n"
#define CONV(sh, sw, dh, dw, t, b, l, r, groups) \
    " stride_h=" #sh " stride_w=" #sw " dilation_h=" #dh " dilation_w=" #dw " top=" #t " bottom=" #b " left=" #l \
    " right=" #r " groups=" #groups " : "
#define POOL(kh, kw, sh, sw, t, b, l, r) \
    " kernel_h=" #kh " kernel_w=" #kw " stride_h=" #sh " stride_w=" #sw " top=" #t " bottom=" #b " left=" #l \
    " right=" #r " : "

static const struct example { vg_op op; const char *text; } examples[] = {
    { VG_OP_neg, S(1, "[3]") "%2 = neg(%1) : f32[3]\n" },
    { VG_OP_add, S(1, "[2, 3]") S(2, "[3]") "%3 = add(%1, %2) : f32[2, 3]\n" },
    { VG_OP_sub, S(1, "[2, 1]") S(2, "[1, 3]") "%3 = sub(%1, %2) : f32[2, 3]\n" },
    { VG_OP_mul, S(1, "[2, 3]") S(2, "[]") "%3 = mul(%1, %2) : f32[2, 3]\n" },
    { VG_OP_mul, S(1, "[3]") "%2 = mul(%1, %1) : f32[3]\n" },
    { VG_OP_div, S(1, "[2, 3]") A(2, "[2, 1]") "%3 = div(%1, %2) : f32[2, 3]\n" },
    { VG_OP_pow, A(1, "[2, 3]") S(2, "[3]") "%3 = pow(%1, %2) : f32[2, 3]\n" },
    { VG_OP_pow, S(1, "[3]") "%2 = fill() value=3 type=0 : f32[]\n%3 = pow(%1, %2) : f32[3]\n" },
    { VG_OP_mod, S(1, "[4]") A(2, "[4]") "%3 = mod(%1, %2) : f32[4]\n" },
    { VG_OP_maximum, S(1, "[2, 3]") S(2, "[3]") "%3 = maximum(%1, %2) : f32[2, 3]\n" },
    { VG_OP_minimum, S(1, "[2, 3]") S(2, "[3]") "%3 = minimum(%1, %2) : f32[2, 3]\n" },
    { VG_OP_abs, S(1, "[5]") "%2 = abs(%1) : f32[5]\n" },
    { VG_OP_exp, S(1, "[3]") "%2 = exp(%1) : f32[3]\n" },
    { VG_OP_log, A(1, "[3]") "%2 = log(%1) : f32[3]\n" },
    { VG_OP_log1p, A(1, "[3]") "%2 = log1p(%1) : f32[3]\n" },
    { VG_OP_expm1, S(1, "[3]") "%2 = expm1(%1) : f32[3]\n" },
    { VG_OP_sqrt, A(1, "[3]") "%2 = sqrt(%1) : f32[3]\n" },
    { VG_OP_rsqrt, A(1, "[3]") "%2 = rsqrt(%1) : f32[3]\n" },
    { VG_OP_square, S(1, "[3]") "%2 = square(%1) : f32[3]\n" },
    { VG_OP_sin, S(1, "[3]") "%2 = sin(%1) : f32[3]\n" },
    { VG_OP_cos, S(1, "[3]") "%2 = cos(%1) : f32[3]\n" },
    { VG_OP_erf, S(1, "[3]") "%2 = erf(%1) : f32[3]\n" },
    { VG_OP_sigmoid, S(1, "[3]") "%2 = sigmoid(%1) : f32[3]\n" },
    { VG_OP_tanh, S(1, "[3]") "%2 = tanh(%1) : f32[3]\n" },
    { VG_OP_sigmoid_input, S(1, "[3]") S(2, "[3]") "%3 = sigmoid_input(%1, %2) : f32[3]\n" },
    { VG_OP_tanh_input, S(1, "[2, 3]") S(2, "[3]") "%3 = tanh_input(%1, %2) : f32[2, 3]\n" },
    { VG_OP_relu, S(1, "[5]") "%2 = relu(%1) : f32[5]\n" },
    { VG_OP_select, S(1, "[2, 3]") S(2, "[3]") "%3 = constant() data=[1, 0, 1, 0, 0, 1] type=1 : i32[2, 3]\n"
                    "%4 = select(%3, %1, %2) : f32[2, 3]\n" },
    { VG_OP_float, S(1, "[3]") "%2 = float(%1) : f32[3]\n" },
    { VG_OP_alias, S(1, "[3]") "%2 = alias(%1) : f32[3]\n" },
    { VG_OP_sum, S(1, "[2, 3, 2]") "%2 = sum(%1) keep=0 axes=[0, 2] : f32[3]\n" },
    { VG_OP_sum, S(1, "[2, 3]") "%2 = sum(%1) keep=1 axes=[1] : f32[2, 1]\n" },
    { VG_OP_prod, S(1, "[2, 3]") "%2 = prod(%1) keep=0 axes=[1] : f32[2]\n" },
    { VG_OP_prod, A(1, "[2, 3]") "%2 = prod(%1) keep=1 axes=[0, 1] : f32[1, 1]\n" },
    { VG_OP_max, S(1, "[3, 4]") "%2 = max(%1) keep=0 axes=[0] : f32[4]\n" },
    { VG_OP_min, S(1, "[3, 4]") "%2 = min(%1) keep=1 axes=[1] : f32[3, 1]\n" },
    { VG_OP_cumsum, S(1, "[3, 4]") "%2 = cumsum(%1) axis=0 : f32[3, 4]\n" },
    { VG_OP_cumsum, S(1, "[3, 4]") "%2 = cumsum(%1) axis=1 : f32[3, 4]\n" },
    { VG_OP_reshape, S(1, "[2, 3]") "%2 = reshape(%1) : f32[6]\n" },
    { VG_OP_transpose, S(1, "[2, 3, 4]") "%2 = transpose(%1) perm=[2, 0, 1] : f32[4, 2, 3]\n" },
    { VG_OP_broadcast, S(1, "[3, 1]") "%2 = broadcast(%1) : f32[2, 3, 4]\n" },
    { VG_OP_slice, S(1, "[3, 4]") "%2 = slice(%1) bounds=[1, 3, 0, 2] : f32[2, 2]\n" },
    { VG_OP_place, S(1, "[2, 2]") S(2, "[1, 3]") "%3 = place(%1, %2) origin=[0, 0, 1, 1] : f32[3, 4]\n" },
    { VG_OP_concat, S(1, "[2, 2]") S(2, "[2, 3]") "%3 = concat(%1, %2) axis=1 : f32[2, 5]\n" },
    { VG_OP_pad, S(1, "[2, 3]") "%2 = pad(%1) value=0.5 widths=[1, 0, 0, 2] : f32[3, 5]\n" },
    { VG_OP_flip, S(1, "[2, 3]") "%2 = flip(%1) axes=[1] : f32[2, 3]\n" },
    { VG_OP_gather, S(1, "[3, 2]") "%2 = constant() data=[2, 0, 2, 1] type=1 : i32[2, 2]\n%3 = gather(%1, %2) axis=0 : f32[2, 2, 2]\n" },
    { VG_OP_gather, S(1, "[2, 3]") "%2 = constant() data=[2, 0] type=1 : i32[2]\n%3 = gather(%1, %2) axis=1 : f32[2, 2]\n" },
    { VG_OP_scatter, S(1, "[3, 2]") "%2 = constant() data=[1, 3, 1] type=1 : i32[3]\n%3 = scatter(%1, %2) axis=0 : f32[4, 2]\n" },
    { VG_OP_pick, S(1, "[2, 3]") "%2 = constant() data=[2, 0] type=1 : i32[2]\n%3 = pick(%1, %2) : f32[2]\n" },
    { VG_OP_spread, S(1, "[2]") "%2 = constant() data=[2, 0] type=1 : i32[2]\n%3 = spread(%1, %2) width=3 many=0 : f32[2, 3]\n" },
    { VG_OP_pick, S(1, "[2, 3]") "%2 = constant() data=[2, 0, 2, 1] type=1 : i32[2, 2]\n%3 = pick(%1, %2) : f32[2, 2]\n" },
    { VG_OP_spread, S(1, "[2, 2]") "%2 = constant() data=[2, 0, 1, 1] type=1 : i32[2, 2]\n"
                    "%3 = spread(%1, %2) width=3 many=1 : f32[2, 3]\n" },
    { VG_OP_conv2d, S(1, "[2, 2, 4, 3]") S(2, "[3, 2, 2, 3]") "%3 = conv2d(%1, %2)" CONV(1, 1, 1, 1, 0, 0, 0, 0, 1) "f32[2, 3, 3, 1]\n" },
    { VG_OP_conv2d, S(1, "[1, 4, 5, 4]") S(2, "[2, 2, 2, 2]") "%3 = conv2d(%1, %2)" CONV(2, 1, 2, 1, 1, 0, 0, 1, 2) "f32[1, 2, 2, 4]\n" },
    { VG_OP_conv2d_input, S(1, "[1, 2, 3, 2]") S(2, "[2, 2, 2, 2]") "%3 = conv2d_input(%1, %2)" CONV(2, 1, 1, 2, 1, 1, 0, 0, 1) "f32[1, 2, 4, 4]\n" },
    { VG_OP_conv2d_filter, S(1, "[2, 2, 3, 4]") S(2, "[2, 2, 2, 3]") "%3 = conv2d_filter(%1, %2)" CONV(1, 1, 1, 1, 0, 0, 0, 0, 2) "f32[2, 1, 2, 2]\n" },
    { VG_OP_pool_max, S(1, "[2, 1, 4, 8]") "%2 = pool_max(%1)" POOL(2, 2, 2, 2, 0, 0, 0, 0) "f32[2, 1, 2, 4]\n" },
    { VG_OP_pool_max, S(1, "[1, 2, 4, 3]") "%2 = pool_max(%1)" POOL(3, 2, 2, 1, 1, 0, 0, 1) "f32[1, 2, 2, 3]\n" },
    { VG_OP_pool_max_input, S(1, "[1, 2, 3, 9]") S(2, "[1, 2, 1, 4]") "%3 = pool_max_input(%1, %2)" POOL(2, 2, 2, 2, 0, 0, 0, 0) "f32[1, 2, 3, 9]\n" },
    { VG_OP_pool_sum, S(1, "[2, 1, 4, 3]") "%2 = pool_sum(%1)" POOL(3, 2, 2, 1, 1, 0, 0, 1) "f32[2, 1, 2, 3]\n" },
    { VG_OP_pool_spread, S(1, "[1, 2, 2, 2]") "%2 = pool_spread(%1)" POOL(2, 2, 1, 2, 0, 0, 1, 0) "f32[1, 2, 3, 3]\n" },
    { VG_OP_addn, S(1, "[3]") S(2, "[3]") "%3 = addn(%1, %2, %1) : f32[3]\n" },
    { VG_OP_matmul, S(1, "[2, 3]") S(2, "[3, 4]") "%3 = matmul(%1, %2) ta=0 tb=0 : f32[2, 4]\n" },
    { VG_OP_matmul, S(1, "[3, 2]") S(2, "[4, 3]") "%3 = matmul(%1, %2) ta=1 tb=1 : f32[2, 4]\n" },
    { VG_OP_matmul, S(1, "[3, 2]") S(2, "[3, 4]") "%3 = matmul(%1, %2) ta=1 tb=0 : f32[2, 4]\n" },
    { VG_OP_matmul, S(1, "[2, 3]") S(2, "[4, 3]") "%3 = matmul(%1, %2) ta=0 tb=1 : f32[2, 4]\n" },
    { VG_OP_matmul, S(1, "[2, 1, 2, 3]") S(2, "[2, 3, 2]") "%3 = matmul(%1, %2) ta=0 tb=0 : f32[2, 2, 2, 2]\n" },
    { VG_OP_matmul, S(1, "[2, 2, 3]") S(2, "[3, 2]") "%3 = matmul(%1, %2) ta=0 tb=0 : f32[2, 2, 2]\n" },
    { VG_OP_product, S(1, "[3, 2]") S(2, "[4, 3]") S(3, "[2, 4]")
      "%4 = product(%1, %2, %3) ta=1 tb=1 swap=[] : f32[2, 4]\n" },
    { VG_OP_product, S(1, "[2, 3, 2, 2]") S(2, "[2, 3, 2, 2]")
      "%3 = product(%1, %2) ta=0 tb=1 swap=[0, 1] : f32[2, 2, 3, 3]\n" },
    { VG_OP_product, S(1, "[2, 2, 3, 3]") S(2, "[3, 2, 2]") S(3, "[2, 3, 2, 2]")
      "%4 = product(%1, %2, %3) ta=1 tb=0 swap=[1, 2] : f32[2, 3, 2, 2]\n" },
    { VG_OP_softmax, S(1, "[2, 3]") "%2 = softmax(%1) axis=1 : f32[2, 3]\n" },
    { VG_OP_softmax, S(1, "[3, 2]") "%2 = softmax(%1) axis=0 : f32[3, 2]\n" },
    { VG_OP_log_softmax, S(1, "[2, 3]") "%2 = log_softmax(%1) axis=1 : f32[2, 3]\n" },
    { VG_OP_log_softmax_input, S(1, "[2, 3]") S(2, "[2, 3]") "%3 = log_softmax_input(%1, %2) axis=1 : f32[2, 3]\n" },
    { VG_OP_log_softmax_input, S(1, "[3, 2]") S(2, "[3, 2]") "%3 = log_softmax_input(%1, %2) axis=0 : f32[3, 2]\n" },
    { VG_OP_cross_entropy, S(1, "[2, 3]") LABELS(2) "%3 = cross_entropy(%1, %2) : f32[2]\n" },
    { VG_OP_cross_entropy, S(1, "[3]") "%2 = fill() value=1 type=1 : i32[]\n%3 = cross_entropy(%1, %2) : f32[]\n" },
    { VG_OP_cross_entropy_input, S(1, "[2, 3]") LABELS(2) S(3, "[2]") "%4 = cross_entropy_input(%1, %2, %3) : f32[2, 3]\n" },
    /* what folds into them */
    { VG_OP_pick, S(1, "[2, 3]") LABELS(2) "%3 = log_softmax(%1) axis=1 : f32[2, 3]\n%4 = pick(%3, %2) : f32[2]\n" },
    { VG_OP_log_softmax_input, S(1, "[2, 3]") LABELS(2) S(3, "[2]") "%4 = spread(%3, %2) width=3 many=0 : f32[2, 3]\n"
                    "%5 = log_softmax_input(%1, %4) axis=1 : f32[2, 3]\n" }
};
#undef LABELS
#undef A
#undef S
#undef CONV
#undef POOL

enum { EXAMPLES = sizeof examples / sizeof *examples, VARIABLES = 4, ELEMENTS = 96 };

static double drawn(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) * 0x1p-53;
}

/* sum(weights * value), with weights drawn once. */
static vg_node weighted(vg_graph *g, vg_node value, uint64_t *seed) {
    double weights[ELEMENTS];
    int64_t count = 0;
    const vg_shape shape = vg_node_shape(g, value);
    assert_true(vg_dim_is_number(&g->ir->dims, vg_shape_size(&g->ir->dims, shape), &count) && count <= ELEMENTS);
    for (int64_t k = 0; k < count; k++) weights[k] = 0.5 + drawn(seed);
    vg_node product = vg_build_map2(g, VG_OP_mul, value, vg_build_constant(g, shape, weights, (uint64_t)count, VG_F32));
    return vg_build_reduce(g, VG_OP_sum, product, (1u << vg_node_rank(g, value)) - 1, false);
}

static void fetch(vg_graph *g, vg_node node, uint32_t index) {
    vg_emit(g, VG_OP_fetch, &node, 1, vg_attr_of(g->ir, (vg_word[]){ index }, 1));
}

/* The example, and in fetches: the value differentiated, then its gradients. Squaring makes the first derivative of a
 * linear operator depend on the variables, too. Returns the number of variables. */
static uint32_t build(fixture *f, vg_graph *g, const struct example *example, bool second) {
    vg_node variables[VARIABLES], sums[VARIABLES];
    uint32_t count = 0;
    uint64_t seed = 3;
    read_graph(f, g, example->text);
    const vg_node last = vg_graph_count(g) - 1;
    assert_int_equal(vg_node_op(g, last), example->op);
    for (vg_node node = 1; node <= last; node++)
        if (vg_node_op(g, node) == VG_OP_variable) variables[count++] = node;
    vg_node y = weighted(g, vg_build_map1(g, VG_OP_square, last), &seed);
    for (uint32_t k = 0; second && k < count; k++) sums[k] = weighted(g, make_grad(g, y, variables[k], 1), &seed);
    if (second) y = vg_build_addn(g, sums, count);
    fetch(g, y, 0);
    for (uint32_t k = 0; k < count; k++) fetch(g, make_grad(g, y, variables[k], 2), 1 + k);
    return count;
}

static const vg_view *fetched(const vg_program *program, uint32_t index) {
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        uint32_t words;
        if (vg_attr_words(program->graph->ir, program->graph->attr.items[root->node], &words)[0] == index)
            return &program->views.items[root->view];
    }
    fail_msg("fetch %u is not there", index);
    return NULL;
}

static double value_of(vg_program *program) {
    vg_context context = { 0 };
    assert_true(vg_program_execute(program, &context, 1));
    return vg_view_get(fetched(program, 0), 0, 8);
}

static void compare(vg_program *program, vg_store *store, uint32_t variables, const char *name, bool second) {
    const double step = 1e-5;
    value_of(program);
    double gradients[VARIABLES][ELEMENTS], largest = 1e-3;
    for (uint32_t v = 0; v < variables; v++) {
        const vg_view *view = fetched(program, 1 + v);
        for (int64_t i = 0; i < view->count; i++) {
            gradients[v][i] = vg_view_get(view, i, 8);
            largest = fmax(largest, fabs(gradients[v][i]));
        }
    }
    for (uint32_t v = 0; v < variables; v++) {
        const vg_view *view = &store->slots.items[v].view;
        for (int64_t i = 0; i < view->count; i++) {
            const double value = vg_view_get(view, i, 8);
            vg_view_set(view, i, 8, value + step);
            const double above = value_of(program);
            vg_view_set(view, i, 8, value - step);
            const double below = value_of(program);
            vg_view_set(view, i, 8, value);
            const double numeric = (above - below) / (2 * step);
            if (!(fabs(numeric - gradients[v][i]) <= 1e-6 * largest))
                fail_msg("%s, %s derivative by variable %u[%d]: %.12g, but differences say %.12g", name,
                         second ? "second" : "first", v + 1, (int)i, gradients[v][i], numeric);
        }
    }
}

/* Slots for the variables of the text, in its order, with values that keep away from kinks. */
static void fill_store(vg_store *store, const vg_graph *g) {
    vg_dims *dims = &g->ir->dims;
    const int64_t symbols[1] = { 0 };
    uint64_t seed = 11;
    for (vg_node node = 1; node < vg_graph_count(g); node++) {
        if (vg_node_op(g, node) != VG_OP_variable) continue;
        uint32_t words, rank = vg_node_rank(g, node);
        int64_t lengths[VG_RANK_LIMIT];
        const vg_str path = (vg_str)vg_attr_words(g->ir, g->attr.items[node], &words)[1];
        for (uint32_t k = 0; k < rank; k++)
            lengths[k] = vg_dim_value(dims, vg_shape_dim(dims, vg_node_shape(g, node), k), symbols);
        const uint32_t slot = vg_store_slot(store, path, lengths, rank, VG_F32);
        const vg_view *view = &store->slots.items[slot].view;
        const bool positive = vg_strings_text(&g->ir->strings, path)[0] == 'a';
        for (int64_t i = 0; i < view->count; i++) {
            const double magnitude = 0.3 + 1.2 * drawn(&seed);
            vg_view_set(view, i, 8, positive || drawn(&seed) < 0.5 ? magnitude : -magnitude);
        }
    }
}

static void check(const struct example *example, bool second) {
    fixture f;
    FIXTURE_BEGIN(&f);
    vg_graph faithful, differentiated, simple;
    const uint32_t variables = build(&f, &faithful, example, second);
    run_pass(&f, vg_pass_differentiate, &faithful, &differentiated);
    run_pass(&f, vg_pass_simplify, &differentiated, &simple);
    vg_store store;
    vg_program program;
    const vg_unit unit = { .ir = f.ir };
    const int64_t symbols[1] = { 0 };
    vg_store_init(&store, &f.mem, 8);
    fill_store(&store, &faithful);
    assert_true(vg_program_make(&program, &f.mem, &unit, &simple, &store,
                                ((vg_program_options){ .part = VG_PART_STEP, .turn = 1, .updates = true }), symbols, 8));
    compare(&program, &store, variables, vg_op_rows[example->op].name, second);
    vg_program_release(&program);
    fixture_end(&f);
}

static void test_first(void **state) {
    (void)state;
    for (int k = 0; k < EXAMPLES; k++) check(&examples[k], false);
}

static void test_second(void **state) {
    (void)state;
    for (int k = 0; k < EXAMPLES; k++) check(&examples[k], true);
}

static void test_every_row(void **state) {
    (void)state;
    for (vg_op op = 1; op < VG_OP_COUNT; op++) {
        bool found = !vg_op_rows[op].has_gradient;
        for (int k = 0; k < EXAMPLES; k++) found = found || examples[k].op == op;
        if (!found) fail_msg("'%s' has a gradient and no example here", vg_op_rows[op].name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row), cmocka_unit_test(test_first), cmocka_unit_test(test_second)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
