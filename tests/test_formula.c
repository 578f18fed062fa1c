/* The formulas of op.def as folding uses them: their ends and corners, and the two columns beside each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "ir/op.h"

static void scalars(void **state) {
    (void)state;
    const struct { vg_op op; double a, b, value; } table[] = {
        { VG_OP_maximum, NAN, 1, NAN }, { VG_OP_maximum, 1, NAN, NAN }, { VG_OP_minimum, 1, NAN, NAN },
        { VG_OP_minimum, 2, 1, 1 },     { VG_OP_maximum, 2, 1, 2 },     { VG_OP_mod, -7, 3, 2 },
        { VG_OP_mod, 7, -3, -2 },       { VG_OP_int, 1e30, 0, 2147483647 }, { VG_OP_int, -1e30, 0, -2147483648.0 },
        { VG_OP_int, NAN, 0, 0 },       { VG_OP_int, -2.9, 0, -2 },     { VG_OP_sigmoid, -800, 0, 0 },
        { VG_OP_sigmoid, 800, 0, 1 },   { VG_OP_sigmoid, 0, 0, 0.5 },   { VG_OP_round, 2.5, 0, 2 },
        { VG_OP_isinf, -INFINITY, 0, 1 }, { VG_OP_isnan, INFINITY, 0, 0 }, { VG_OP_relu, NAN, 0, NAN },
        { VG_OP_relu, -1, 0, 0 },       { VG_OP_and, 2, 0, 0 },         { VG_OP_sign, -3, 0, -1 },
        { VG_OP_sigmoid, NAN, 0, NAN },
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        const double value = vg_op_scalar(table[k].op, (const double[]){ table[k].a, table[k].b, 0 });
        if (isnan(table[k].value) ? !isnan(value) : value != table[k].value)
            fail_msg("%s(%g, %g) = %g", vg_op_rows[table[k].op].name, table[k].a, table[k].b, value);
    }
    assert_true(vg_op_scalar(VG_OP_sigmoid, (const double[]){ -700 }) > 0);
}

/* Where both columns have a meaning they say the same of small whole numbers. */
static void integers_compute_as_reals_do(void **state) {
    (void)state;
    static const int32_t some[] = { -3, 0, 1, 5 };
    for (uint32_t op = 1; op < VG_OP_COUNT; op++) {
        if (!vg_op_is(op, VG_FLAG_map) || vg_op_rows[op].types == VG_TYPES_real) continue;
        for (unsigned k = 0; k < 64; k++) {
            const int32_t i[] = { some[k % 4], some[k / 4 % 4], some[k / 16] };
            const double x[] = { i[0], i[1], i[2] };
            if (vg_op_integer(op, i) != vg_op_scalar(op, x))
                fail_msg("%s(%d, %d, %d)", vg_op_rows[op].name, i[0], i[1], i[2]);
        }
    }
}

static void integers_wrap(void **state) {
    (void)state;
    static const struct { vg_op op; int32_t a, b, value; } table[] = {
        { VG_OP_add, INT32_MAX, 1, INT32_MIN }, { VG_OP_sub, INT32_MIN, 1, INT32_MAX }, { VG_OP_mul, 65536, 65536, 0 },
        { VG_OP_neg, INT32_MIN, 0, INT32_MIN }, { VG_OP_abs, INT32_MIN, 0, INT32_MIN }, { VG_OP_abs, -7, 0, 7 },
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        assert_int_equal(vg_op_integer(table[k].op, (const int32_t[]){ table[k].a, table[k].b, 0 }), table[k].value);
}

static void rows(void **state) {
    (void)state;
    for (uint32_t op = 1; op < VG_OP_COUNT; op++) assert_int_equal(vg_op_find(vg_op_rows[op].name), op);
    assert_int_equal(vg_op_find("nothing"), VG_OP_none);
    assert_true(vg_op_rows[VG_OP_mul].has_gradient);
    assert_false(vg_op_rows[VG_OP_sign].has_gradient);
    assert_string_equal(vg_op_sign(VG_OP_matmul), "@");
    assert_string_equal(vg_op_sign(VG_OP_tanh), "tanh");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars), cmocka_unit_test(integers_compute_as_reals_do), cmocka_unit_test(integers_wrap),
        cmocka_unit_test(rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
