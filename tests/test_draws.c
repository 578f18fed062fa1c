/* Random kernels: moments, limits, orthogonality, and that a number depends on its key and place alone. */
#include "tensor.h"

enum { COUNT = 20000 };

typedef struct draw { vg_op op; double a, b; uint64_t seed, path, number, step, batch; uint32_t turn; bool fixed; } draw;

static tensor drawn(draw d, shape s, bool wide) {
    tensor out = tensor_new(s, VG_F32);
    vg_context context = { .seed = d.seed, .step = d.step, .turn = d.turn, .batch = d.batch };
    const uint64_t words[6] = { 0, d.path, d.number, d.fixed, vg_word_real(d.a), vg_word_real(d.b) };
    tensor_call(d.op, wide, &out, NULL, 0, words, 6, &context);
    assert_int_equal(context.fault, VG_FAULT_none);
    return out;
}

static void test_moments(void **state) {
    (void)state;
    static const struct { draw draw; double mean, std, low, high; } rows[] = {
        { { .op = VG_OP_random_normal, .a = 2, .b = 3 }, 2, 3, -INFINITY, INFINITY },
        { { .op = VG_OP_random_uniform, .a = -1, .b = 3 }, 1, 1.1547005383792515, -1, 3 },
        { { .op = VG_OP_random_truncated, .a = 1, .b = 0.5 }, 1, 0.5 * 0.87962566103423978, 0, 2 },
        { { .op = VG_OP_random_bernoulli, .a = 0.3 }, 0.3, 0.45825756949558399, 0, 1 }
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        tensor t = drawn(rows[k].draw, (shape)SHAPE(COUNT), false);
        double sum = 0, square = 0;
        for (int i = 0; i < COUNT; i++) {
            sum += t.data[i];
            assert_true(t.data[i] >= rows[k].low && t.data[i] <= rows[k].high);
        }
        const double mean = sum / COUNT;
        for (int i = 0; i < COUNT; i++) square += (t.data[i] - mean) * (t.data[i] - mean);
        assert_near(mean, rows[k].mean, 0.03, vg_op_rows[rows[k].draw.op].name, 0);
        assert_near(sqrt(square / COUNT), rows[k].std, 0.02, vg_op_rows[rows[k].draw.op].name, 1);
        free(t.data);
    }
}

/* A wide uniform draw must not round up to its excluded end. */
static void test_uniform_end(void **state) {
    (void)state;
    tensor t = drawn((draw){ .op = VG_OP_random_uniform, .a = 1 - 0x1p-24, .b = 1 }, (shape)SHAPE(COUNT), false);
    for (int i = 0; i < COUNT; i++) assert_true(t.data[i] < 1);
    free(t.data);
}

static bool same(tensor a, tensor b, int64_t count) {
    bool equal = true;
    for (int64_t i = 0; i < count; i++) equal = equal && a.data[i] == b.data[i];
    free(a.data), free(b.data);
    return equal;
}

static void test_identity(void **state) {
    (void)state;
    static const vg_op ops[] = { VG_OP_random_normal, VG_OP_random_uniform, VG_OP_random_truncated };
    const shape small = SHAPE(101), large = SHAPE(3, 67);
    for (size_t k = 0; k < 3; k++) {
        const draw d = { .op = ops[k], .a = 0, .b = 1, .seed = 1, .path = 5, .number = 1, .step = 3, .turn = 1 };
        draw other = d, later = d, fixed = d;
        assert_true(same(drawn(d, small, false), drawn(d, large, false), 101));      /* the place alone, not the shape */
        tensor wide = drawn(d, small, true), narrow = drawn(d, small, false);
        for (int i = 0; i < 101; i++) assert_true((double)(float)wide.data[i] == narrow.data[i]);
        free(wide.data), free(narrow.data);
        for (int change = 0; change < 6; change++) {
            other = d;
            if (change == 0) other.seed = 2;
            else if (change == 1) other.path = 6;
            else if (change == 2) other.number = 2;
            else if (change == 3) other.step = 4;
            else if (change == 4) other.turn = 2;
            else other.batch = 3;
            assert_false(same(drawn(d, small, false), drawn(other, small, false), 101));
        }
        other = later = d;      /* an evaluation's batch has the same numbers in every step and turn */
        other.batch = later.batch = 3;
        later.step = 9;
        later.turn = 2;
        assert_true(same(drawn(other, small, false), drawn(later, small, false), 101));
        other.batch = 4;
        assert_false(same(drawn(other, small, false), drawn(later, small, false), 101));
        later = d;
        fixed.fixed = later.fixed = true;
        later.batch = 3;
        later.step = 9;
        later.turn = 2;
        assert_true(same(drawn(fixed, small, false), drawn(later, small, false), 101));
        assert_false(same(drawn(fixed, small, false), drawn(d, small, false), 101));
    }
}

static void check_orthogonal(shape s, int64_t rows, int64_t columns, bool wide) {
    const double gain = 1.5;
    tensor t = drawn((draw){ .op = VG_OP_random_orthogonal, .a = gain, .seed = 3, .fixed = true }, s, wide);
    const bool tall = rows >= columns;
    const int64_t vectors = tall ? columns : rows, length = tall ? rows : columns;
    const int64_t step = tall ? 1 : columns, along = tall ? columns : 1;
    for (int64_t i = 0; i < vectors; i++)
        for (int64_t j = 0; j <= i; j++) {
            double dot = 0;
            for (int64_t k = 0; k < length; k++) dot += t.data[i * step + k * along] * t.data[j * step + k * along];
            assert_near(dot, i == j ? gain * gain : 0, wide ? 1e-12 : 1e-5, "orthogonal", i * vectors + j);
        }
    free(t.data);
}

static void test_orthogonal(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        check_orthogonal((shape)SHAPE(20, 20), 20, 20, wide != 0);
        check_orthogonal((shape)SHAPE(30, 7), 30, 7, wide != 0);
        check_orthogonal((shape)SHAPE(7, 30), 7, 30, wide != 0);
        check_orthogonal((shape)SHAPE(4, 3, 2, 2), 4, 12, wide != 0);
        check_orthogonal((shape)SHAPE(1, 1), 1, 1, wide != 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments), cmocka_unit_test(test_uniform_end), cmocka_unit_test(test_identity), cmocka_unit_test(test_orthogonal)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
