/* Dimensions: what is equal has one id, and arithmetic is that of polynomials. */
#include "graph_fixture.h"

typedef struct symbols { vg_dim batch, n; } symbols;

static symbols two_symbols(fixture *f) {
    const vg_span span = { 0, 0 };
    vg_dims *d = &f->ir.dims;
    const vg_symbol batch = vg_dims_symbol(d, vg_strings_c(&f->ir.strings, "batch"), span);
    const vg_symbol n = vg_dims_symbol(d, vg_strings_c(&f->ir.strings, "n"), span);
    return (symbols){ vg_dim_symbol(d, batch), vg_dim_symbol(d, n) };
}

static void assert_text(fixture *f, vg_dim dim, const char *expected) {
    vg_text text = vg_text_new(&f->mem);
    vg_dim_text(&f->ir.dims, &f->ir.strings, dim, &text);
    assert_string_equal(vg_text_c(&text), expected);
}

/* a * batch^i * n^j + c */
static vg_dim term(fixture *f, symbols s, int64_t a, int i, int j, int64_t c) {
    vg_dims *d = &f->ir.dims;
    vg_dim product = vg_dim_number(d, a);
    while (i--) product = vg_dim_multiply(d, product, s.batch);
    while (j--) product = vg_dim_multiply(d, product, s.n);
    return vg_dim_add(d, product, vg_dim_number(d, c));
}

static void equal_is_same_id(void **state) {
    fixture *f = *state;
    vg_dims *d = &f->ir.dims;
    const symbols s = two_symbols(f);
    assert_int_not_equal(s.batch, s.n);
    assert_int_equal(vg_dim_add(d, s.batch, s.n), vg_dim_add(d, s.n, s.batch));
    assert_int_equal(vg_dim_multiply(d, s.batch, s.n), vg_dim_multiply(d, s.n, s.batch));
    assert_int_equal(vg_dim_add(d, s.batch, s.batch), vg_dim_multiply(d, vg_dim_number(d, 2), s.batch));
    assert_int_equal(vg_dim_subtract(d, vg_dim_add(d, s.batch, s.n), s.n), s.batch);
    assert_int_equal(vg_dim_subtract(d, s.batch, s.batch), vg_dim_number(d, 0));
    /* (batch + n) * (batch - n) = batch^2 - n^2 */
    const vg_dim left = vg_dim_multiply(d, vg_dim_add(d, s.batch, s.n), vg_dim_subtract(d, s.batch, s.n));
    const vg_dim right = vg_dim_subtract(d, vg_dim_multiply(d, s.batch, s.batch), vg_dim_multiply(d, s.n, s.n));
    assert_int_equal(left, right);
}

static void texts(void **state) {
    fixture *f = *state;
    const symbols s = two_symbols(f);
    assert_text(f, 0, "?");
    assert_text(f, term(f, s, 0, 0, 0, 0), "0");
    assert_text(f, term(f, s, 0, 0, 0, -7), "-7");
    assert_text(f, s.batch, "batch");
    assert_text(f, term(f, s, 2, 1, 0, 0), "2 * batch");
    assert_text(f, term(f, s, -1, 1, 1, 3), "-batch * n + 3");
    assert_text(f, term(f, s, 1, 0, 2, -1), "n * n - 1");
    assert_text(f, term(f, s, 3, VG_DIM_DEGREE - 1, 1, 0),
                "3 * batch * batch * batch * batch * batch * batch * batch * n");
    assert_text(f, vg_dim_number(&f->ir.dims, INT64_MIN), "-9223372036854775808");
}

static void division_is_exact_or_none(void **state) {
    fixture *f = *state;
    vg_dims *d = &f->ir.dims;
    const symbols s = two_symbols(f);
    const vg_dim square = vg_dim_subtract(d, vg_dim_multiply(d, s.batch, s.batch), vg_dim_multiply(d, s.n, s.n));
    const struct { vg_dim a, b, quotient; } table[] = {
        { vg_dim_number(d, 12), vg_dim_number(d, 4), vg_dim_number(d, 3) },
        { vg_dim_number(d, 12), vg_dim_number(d, 5), 0 },
        { vg_dim_number(d, 12), vg_dim_number(d, 0), 0 },
        { vg_dim_number(d, 0), s.batch, vg_dim_number(d, 0) },
        { term(f, s, 6, 1, 1, 0), term(f, s, 2, 1, 0, 0), term(f, s, 3, 0, 1, 0) },
        { term(f, s, 6, 1, 0, 3), vg_dim_number(d, 3), term(f, s, 2, 1, 0, 1) },
        { term(f, s, 6, 1, 0, 3), s.batch, 0 },
        { square, vg_dim_add(d, s.batch, s.n), vg_dim_subtract(d, s.batch, s.n) },
        { s.batch, s.n, 0 },
        { vg_dim_number(d, INT64_MIN), vg_dim_number(d, -1), 0 },
        { vg_dim_number(d, INT64_MIN), vg_dim_number(d, 2), 0 },   /* its negative, on the way, does not fit */
        { 0, s.batch, 0 },
        { s.batch, 0, 0 },
        /* what is taken away on the way does not fit */
        { term(f, s, 4, 2, 0, 0), term(f, s, 1, 1, 0, INT64_MAX), 0 },
        { term(f, s, 1, 2, 0, 0), term(f, s, 1, 1, 0, INT64_MIN), 0 },
        { vg_dim_add(d, term(f, s, 1, 2, 0, 0), term(f, s, INT64_MAX, 1, 0, 0)), term(f, s, 1, 1, 0, -1), 0 },
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        assert_int_equal(vg_dim_divide(d, table[k].a, table[k].b), table[k].quotient);
}

static void what_does_not_fit_is_none(void **state) {
    fixture *f = *state;
    vg_dims *d = &f->ir.dims;
    const symbols s = two_symbols(f);
    const vg_dim most = vg_dim_number(d, INT64_MAX);
    assert_int_equal(vg_dim_add(d, most, vg_dim_number(d, 1)), 0);
    assert_int_equal(vg_dim_multiply(d, most, vg_dim_number(d, 2)), 0);
    assert_int_equal(vg_dim_subtract(d, vg_dim_number(d, 0), vg_dim_number(d, INT64_MIN)), 0);
    vg_dim power = s.batch;
    for (int k = 1; k < VG_DIM_DEGREE; k++) power = vg_dim_multiply(d, power, s.batch);
    assert_int_not_equal(power, 0);
    assert_int_equal(vg_dim_multiply(d, power, s.batch), 0);
    assert_int_equal(vg_dim_add(d, 0, s.batch), 0);
    assert_int_equal(vg_dim_subtract(d, s.batch, 0), 0);
    assert_int_equal(vg_dim_multiply(d, 0, s.batch), 0);
    assert_int_equal(vg_dim_multiply(d, s.batch, 0), 0);
    assert_false(vg_dim_is(d, 0, 0));
    vg_dim sum = vg_dim_number(d, 0);
    for (int k = 0; k < VG_DIM_TERMS; k++) {
        const vg_symbol more = vg_dims_symbol(d, 0, (vg_span){ 0, 0 });
        sum = vg_dim_add(d, sum, vg_dim_symbol(d, more));
    }
    assert_int_not_equal(sum, 0);
    assert_int_equal(vg_dim_add(d, sum, s.batch), 0);
    assert_int_equal(vg_dim_multiply(d, sum, vg_dim_add(d, s.batch, s.n)), 0);
}

static void comparisons_hold_for_every_size(void **state) {
    fixture *f = *state;
    vg_dims *d = &f->ir.dims;
    const symbols s = two_symbols(f);
    const struct { vg_dim a, b; vg_answer answer; } table[] = {
        { vg_dim_number(d, 3), vg_dim_number(d, 3), VG_ALWAYS },
        { vg_dim_number(d, 4), vg_dim_number(d, 3), VG_NEVER },
        { vg_dim_number(d, 1), s.batch, VG_ALWAYS },
        { vg_dim_number(d, 2), s.batch, VG_SOMETIMES },
        { s.batch, vg_dim_number(d, 128), VG_SOMETIMES },
        { s.batch, vg_dim_number(d, 0), VG_NEVER },
        { s.batch, term(f, s, 2, 1, 0, 0), VG_ALWAYS },
        { term(f, s, 1, 1, 0, 1), s.batch, VG_NEVER },
        { s.batch, s.n, VG_SOMETIMES },
        { s.batch, term(f, s, 1, 1, 1, 0), VG_SOMETIMES },
        { vg_dim_number(d, INT64_MIN), vg_dim_number(d, 1), VG_SOMETIMES },   /* the difference does not fit */
        { vg_dim_number(d, 0), term(f, s, INT64_MAX, 1, 0, 1), VG_SOMETIMES },
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        assert_int_equal(vg_dim_at_most(d, table[k].a, table[k].b), table[k].answer);
}

static void values(void **state) {
    fixture *f = *state;
    const symbols s = two_symbols(f);
    const int64_t given[] = { 0, 128, 10 };
    assert_int_equal(vg_dim_value(&f->ir.dims, term(f, s, 2, 1, 1, -1), given), 2559);
    assert_int_equal(vg_dim_value(&f->ir.dims, term(f, s, -1, 0, 1, 3), given), -7);
    const int64_t large[] = { 0, INT64_MAX / 2, 3 };
    assert_true(vg_dim_value(&f->ir.dims, term(f, s, 1, 1, 1, 0), large) == INT64_MAX);
    const int64_t most[] = { 0, INT64_MAX, 2 };
    assert_true(vg_dim_value(&f->ir.dims, term(f, s, 1, 1, 0, 1), most) == INT64_MAX);
    assert_int_equal(vg_dim_value(&f->ir.dims, term(f, s, 1, 0, VG_DIM_DEGREE, 0), most), 1 << VG_DIM_DEGREE);
}

static void shapes(void **state) {
    fixture *f = *state;
    vg_dims *d = &f->ir.dims;
    const symbols s = two_symbols(f);
    const vg_dim list[] = { s.batch, vg_dim_number(d, 28), vg_dim_number(d, 28) };
    const vg_shape shape = vg_shape_of(d, list, 3);
    vg_dim copy[VG_RANK_LIMIT];
    assert_int_equal(vg_shape_of(d, NULL, 0), VG_SHAPE_SCALAR);
    assert_int_equal(vg_shape_of(d, list, 3), shape);
    assert_int_not_equal(vg_shape_of(d, list, 2), shape);
    assert_int_equal(vg_shape_list(d, shape, copy), 3);
    assert_memory_equal(copy, list, sizeof list);
    assert_int_equal(vg_shape_size(d, shape), term(f, s, 784, 1, 0, 0));
    assert_int_equal(vg_shape_size(d, VG_SHAPE_SCALAR), vg_dim_number(d, 1));
    const vg_dim large[] = { vg_dim_number(d, INT64_MAX), vg_dim_number(d, 2) }, bad[] = { s.batch, 0 };
    assert_int_equal(vg_shape_size(d, vg_shape_of(d, large, 2)), 0);
    assert_int_equal(vg_shape_of(d, bad, 2), 0);
    vg_text text = vg_text_new(&f->mem);
    vg_shape_text(d, &f->ir.strings, shape, &text);
    assert_string_equal(vg_text_c(&text), "[batch, 28, 28]");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_start, fixture_end)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(equal_is_same_id), CASE(texts), CASE(division_is_exact_or_none), CASE(what_does_not_fit_is_none),
        CASE(comparisons_hold_for_every_size), CASE(values), CASE(shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
