/* softmax, log_softmax and its adjoint, cross-entropy and its adjoint against naive sums in double. */
#include "tensor.h"

/* -INFINITY where `gaps`: its exponential is 0. */
static void check_softmax(shape s, bool logarithm, uint64_t axis, double offset, bool gaps, bool wide) {
    vg_context context = { 0 };
    tensor in = tensor_new(s, VG_F32), out = tensor_new(s, VG_F32);
    tensor_fill(&in, axis, offset - 3, offset + 3);
    for (int64_t i = 0; gaps && i < in.count; i += 7) in.data[i] = -INFINITY;
    tensor_call(logarithm ? VG_OP_log_softmax : VG_OP_softmax, wide, &out, &in, 1, &axis, 1, &context);
    for (int64_t first = 0; first < in.count; first++) {      /* of its line */
        int64_t index[VG_RANK_LIMIT];
        double total = 0;
        tensor_index(&in, first, index);
        if (index[axis] > 0) continue;
        for (; index[axis] < s.dims[axis]; index[axis]++) total += exp(in.data[tensor_at(&in, index)] - offset);
        for (index[axis] = 0; index[axis] < s.dims[axis]; index[axis]++) {
            const int64_t i = tensor_at(&in, index);
            const double wanted = in.data[i] - offset - log(total);
            if (in.data[i] == -INFINITY) assert_true(out.data[i] == (logarithm ? -INFINITY : 0));
            else assert_near(out.data[i], logarithm ? wanted : exp(wanted), wide ? 1e-12 : 1e-6, "softmax", i);
        }
    }
    free(in.data), free(out.data);
}

/* Short rows and long ones, few columns and many: each has a path of its own. */
static const shape softmax_shapes[] = {
    SHAPE(3, 4, 5), SHAPE(1, 1), SHAPE(2, 2), SHAPE(300, 10), SHAPE(5, 15), SHAPE(5, 16), SHAPE(9, 61), SHAPE(2, 2047),
    SHAPE(2, 2049), SHAPE(1, 5000), SHAPE(9, 300), SHAPE(600, 9), SHAPE(3, 17, 128), SHAPE(2, 3, 129), SHAPE(0, 3)
};

static void test_softmax(void **state) {
    (void)state;
    for (int k = 0; k < 8; k++)
        for (size_t n = 0; n < sizeof softmax_shapes / sizeof *softmax_shapes; n++)
            for (uint64_t axis = 0; axis < softmax_shapes[n].rank; axis++) {
                const shape s = softmax_shapes[n];
                check_softmax(s, (k & 1) != 0, axis, k & 4 ? 1000 : 0, (k & 4) && s.dims[axis] > 7, (k & 2) != 0);
            }
}

/* b - softmax(a) * sum(b) along an axis. */
static void check_log_softmax_input(shape s, uint64_t axis, bool wide) {
    vg_context context = { 0 };
    tensor in[2] = { tensor_new(s, VG_F32), tensor_new(s, VG_F32) }, out = tensor_new(s, VG_F32);
    tensor_fill(&in[0], axis, -3, 3);
    tensor_fill(&in[1], axis + 5, -1, 2);
    tensor_call(VG_OP_log_softmax_input, wide, &out, in, 2, &axis, 1, &context);
    for (int64_t first = 0; first < out.count; first++) {
        int64_t index[VG_RANK_LIMIT];
        double total = 0, given = 0;
        tensor_index(&out, first, index);
        if (index[axis] > 0) continue;
        for (; index[axis] < s.dims[axis]; index[axis]++) {
            total += exp(in[0].data[tensor_at(&out, index)]);
            given += in[1].data[tensor_at(&out, index)];
        }
        for (index[axis] = 0; index[axis] < s.dims[axis]; index[axis]++) {
            const int64_t i = tensor_at(&out, index);
            const double wanted = in[1].data[i] - exp(in[0].data[i]) / total * given;
            assert_near(out.data[i], wanted, wide ? 1e-12 : 1e-6, "log_softmax_input", i);
        }
    }
    free(in[0].data), free(in[1].data), free(out.data);
}

static void test_log_softmax_input(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++)
        for (size_t n = 0; n < sizeof softmax_shapes / sizeof *softmax_shapes; n++)
            for (uint64_t axis = 0; axis < softmax_shapes[n].rank; axis++)
                check_log_softmax_input(softmax_shapes[n], axis, wide != 0);
}

/* The labels of rows [height, width]: the first class, the last, and others. */
static void fill_labels(tensor *labels, int64_t width) {
    for (int64_t r = 0; r < labels->count; r++)
        labels->data[r] = (double)(r % 3 == 0 ? r % width : width - 1 - r % width);
}

/* With the bits of log_softmax's elements, and the adjoint with those of softmax's. */
static void check_cross_entropy(int64_t height, int64_t width, double offset, bool gaps, bool wide) {
    vg_context context = { 0 };
    const shape s = SHAPE(height, width), rows = SHAPE(height);
    const uint64_t axis = 1;
    tensor in[3] = { tensor_new(s, VG_F32), tensor_new(rows, VG_I32), tensor_new(rows, VG_F32) };
    tensor out = tensor_new(rows, VG_F32), back = tensor_new(s, VG_F32);
    tensor chances = tensor_new(s, VG_F32), shares = tensor_new(s, VG_F32);
    tensor_fill(&in[0], 7, offset - 3, offset + 3);
    tensor_fill(&in[2], 8, -1, 1);
    fill_labels(&in[1], width);
    for (int64_t i = 0; gaps && i < in[0].count; i += 7)
        if ((int64_t)in[1].data[i / width] != i % width) in[0].data[i] = -INFINITY;
    tensor_call(VG_OP_log_softmax, wide, &chances, in, 1, &axis, 1, &context);
    tensor_call(VG_OP_softmax, wide, &shares, in, 1, &axis, 1, &context);
    tensor_call(VG_OP_cross_entropy, wide, &out, in, 2, NULL, 0, &context);
    tensor_call(VG_OP_cross_entropy_input, wide, &back, in, 3, NULL, 0, &context);
    assert_int_equal(context.fault, VG_FAULT_none);
    for (int64_t i = 0; i < back.count; i++) {
        const int64_t row = i / width, label = (int64_t)in[1].data[row];
        const double hit = i % width == label ? 1 : 0;
        if (hit > 0) assert_true(out.data[row] == -chances.data[i]);
        const double below = wide ? shares.data[i] - hit : (double)(float)(shares.data[i] - hit);
        const double wanted = below * in[2].data[row];
        assert_true(back.data[i] == (wide ? wanted : (double)(float)wanted));
    }
    for (int k = 0; k < 3; k++) free(in[k].data);
    free(out.data), free(back.data), free(chances.data), free(shares.data);
}

static void test_cross_entropy(void **state) {
    (void)state;
    static const int64_t heights[] = { 0, 1, 2, 15, 16, 17, 128, 129, 300 };
    static const int64_t widths[] = { 1, 2, 3, 10, 15, 16, 17, 61, 1023, 2047, 2048, 5000 };
    for (unsigned k = 0; k < 4; k++)
        for (size_t h = 0; h < sizeof heights / sizeof *heights; h++)
            for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
                if (heights[h] * widths[w] < 100000)
                    check_cross_entropy(heights[h], widths[w], k & 2 ? 1000 : 0, (k & 2) != 0, (k & 1) != 0);
}

/* Of a row that is nearly sure, what is left to learn keeps its digits: log(1 + 2 e^-20). */
static void test_cross_entropy_small(void **state) {
    (void)state;
    for (int64_t width = 3; width < 40; width += 20)
        for (int wide = 0; wide < 2; wide++) {
            vg_context context = { 0 };
            tensor in[2] = { tensor_new((shape)SHAPE(1, width), VG_F32), tensor_new((shape)SHAPE(1), VG_I32) };
            tensor out = tensor_new((shape)SHAPE(1), VG_F32);
            for (int64_t i = 0; i < width; i++) in[0].data[i] = i == 1 ? 20 : i < 3 ? 0 : -200;
            in[1].data[0] = 1;
            tensor_call(VG_OP_cross_entropy, wide != 0, &out, in, 2, NULL, 0, &context);
            const double wanted = log1p(2 * exp(-20));
            assert_near(out.data[0] / wanted, 1, wide ? 1e-7 : 1e-6, "cross_entropy", 0);
            free(in[0].data), free(in[1].data), free(out.data);
        }
}

/* Of both, in short rows and in long ones; the rows whose index is in range are as they are. */
static void test_cross_entropy_faults(void **state) {
    (void)state;
    for (int64_t width = 3; width < 40; width += 20)
        for (int adjoint = 0; adjoint < 2; adjoint++) {
            vg_context context = { 0 };
            tensor in[3] = { tensor_new((shape)SHAPE(4, width), VG_F32), tensor_new((shape)SHAPE(4), VG_I32),
                             tensor_new((shape)SHAPE(4), VG_F32) };
            tensor out = tensor_new(adjoint ? (shape)SHAPE(4, width) : (shape)SHAPE(4), VG_F32);
            for (int64_t r = 0; r < 4; r++) in[2].data[r] = 1, in[1].data[r] = r == 1 ? (double)width : r == 2 ? -1 : 0;
            const vg_op op = adjoint ? VG_OP_cross_entropy_input : VG_OP_cross_entropy;
            tensor_call(op, false, &out, in, adjoint ? 3 : 2, NULL, 0, &context);
            assert_int_equal(context.fault, VG_FAULT_index);
            assert_int_equal(context.fault_at, 1);
            assert_int_equal(context.fault_value, width);
            assert_int_equal(context.fault_limit, width);
            const double each = 1 / (double)width;
            assert_near(out.data[0], adjoint ? each - 1 : log((double)width), 1e-6, "first", 0);
            assert_near(out.data[out.count - 1], adjoint ? each : log((double)width), 1e-6, "last", 0);
            for (int k = 0; k < 3; k++) free(in[k].data);
            free(out.data);
        }
}

/* A NaN, or an infinity, makes its own line NaN and no other. */
static void test_softmax_nan(void **state) {
    (void)state;
    static const shape shapes[] = { SHAPE(6, 5), SHAPE(6, 50), SHAPE(6, 3000), SHAPE(40, 6) };
    for (unsigned k = 0; k < 16; k++) {
        vg_context context = { 0 };
        const shape s = shapes[k % 4];
        const uint64_t axis = s.dims[0] == 40 ? 0 : 1;
        tensor in = tensor_new(s, VG_F32), out = tensor_new(s, VG_F32);
        int64_t index[VG_RANK_LIMIT];
        tensor_fill(&in, (uint64_t)k, -3, 3);
        const int64_t bad = in.count / 2 + (k & 8 ? 0 : 3);
        in.data[bad] = k & 4 ? INFINITY : NAN;
        tensor_index(&in, bad, index);
        const int64_t line = index[1 - axis];
        tensor_call(k & 8 ? VG_OP_log_softmax : VG_OP_softmax, false, &out, &in, 1, &axis, 1, &context);
        for (int64_t i = 0; i < in.count; i++) {
            tensor_index(&in, i, index);
            assert_int_equal(isnan(out.data[i]) != 0, index[1 - axis] == line);
        }
        free(in.data), free(out.data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax),             cmocka_unit_test(test_log_softmax_input),
        cmocka_unit_test(test_cross_entropy),       cmocka_unit_test(test_cross_entropy_small),
        cmocka_unit_test(test_cross_entropy_faults), cmocka_unit_test(test_softmax_nan)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
