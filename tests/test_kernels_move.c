/* Moving, indexing and linear kernels against naive loops over multi-indices. */
#include "tensor.h"

/* Each source element goes where `to` says; what no element reaches keeps `rest`. */
typedef bool (*mapping)(const tensor *in, const tensor *out, const uint64_t *words, int64_t *index);

static void check_move(vg_op op, shape from, shape to, const uint64_t *words, uint32_t word_count, double rest, mapping where) {
    for (int wide = 0; wide < 2; wide++)
        for (int whole = 0; whole < 2; whole++) {
            const vg_dtype dtype = whole ? VG_I32 : VG_F32;
            vg_context context = { 0 };
            tensor in = tensor_new(from, dtype), out = tensor_new(to, dtype);
            for (int64_t i = 0; i < in.count; i++) in.data[i] = (double)(i + 1);
            tensor_call(op, wide != 0, &out, &in, 1, words, word_count, &context);
            for (int64_t i = 0; i < out.count; i++) {
                int64_t index[VG_RANK_LIMIT];
                tensor_index(&out, i, index);
                const bool inside = where(&in, &out, words, index);
                assert_near(out.data[i], inside ? in.data[tensor_at(&in, index)] : rest, 0, vg_op_rows[op].name, i);
            }
            free(in.data), free(out.data);
        }
}

static bool transposed(const tensor *in, const tensor *out, const uint64_t *words, int64_t *index) {
    int64_t own[VG_RANK_LIMIT];
    for (uint32_t k = 0; k < out->rank; k++) own[words[k]] = index[k];
    memcpy(index, own, in->rank * sizeof *index);
    return true;
}

static void test_transpose(void **state) {
    (void)state;
    static const struct { shape from, to; uint64_t perm[4]; } rows[] = {
        { SHAPE(5, 7), SHAPE(7, 5), { 1, 0 } },
        { SHAPE(50, 33), SHAPE(33, 50), { 1, 0 } },
        { SHAPE(3, 4, 5), SHAPE(3, 5, 4), { 0, 2, 1 } },
        { SHAPE(3, 4, 5), SHAPE(5, 4, 3), { 2, 1, 0 } },
        { SHAPE(3, 4, 5), SHAPE(4, 3, 5), { 1, 0, 2 } },
        { SHAPE(2, 3, 4, 5), SHAPE(2, 4, 3, 5), { 0, 2, 1, 3 } },
        { SHAPE(2, 3, 4, 5), SHAPE(4, 5, 2, 3), { 2, 3, 0, 1 } },
        { SHAPE(2, 3, 4, 5), SHAPE(3, 5, 2, 4), { 1, 3, 0, 2 } },
        { SHAPE(1, 6), SHAPE(6, 1), { 1, 0 } },
        { SHAPE(0, 6), SHAPE(6, 0), { 1, 0 } }
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        check_move(VG_OP_transpose, rows[k].from, rows[k].to, rows[k].perm, rows[k].from.rank, 0, transposed);
}

static bool repeated(const tensor *in, const tensor *out, const uint64_t *words, int64_t *index) {
    (void)words;
    for (uint32_t k = 0; k < in->rank; k++) index[k] = in->dims[k] == 1 ? 0 : index[k + out->rank - in->rank];
    return true;
}

static void test_broadcast(void **state) {
    (void)state;
    static const struct { shape from, to; } rows[] = {
        { SCALAR, SHAPE(3, 4) }, { SHAPE(4), SHAPE(3, 4) }, { SHAPE(3, 1), SHAPE(3, 4) }, { SHAPE(1, 3, 1), SHAPE(2, 2, 3, 4) },
        { SHAPE(3, 4), SHAPE(3, 4) }, { SHAPE(1), SHAPE(0) }
    };
    const uint64_t words[1] = { 0 };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        check_move(VG_OP_broadcast, rows[k].from, rows[k].to, words, 1, 0, repeated);
}

static bool sliced(const tensor *in, const tensor *out, const uint64_t *words, int64_t *index) {
    (void)out;
    for (uint32_t k = 0; k < in->rank; k++) index[k] += (int64_t)words[2 * k];
    return true;
}

static bool padded(const tensor *in, const tensor *out, const uint64_t *words, int64_t *index) {
    (void)out;
    for (uint32_t k = 0; k < in->rank; k++) {
        index[k] -= (int64_t)words[1 + 2 * k];
        if (index[k] < 0 || index[k] >= in->dims[k]) return false;
    }
    return true;
}

static bool flipped(const tensor *in, const tensor *out, const uint64_t *words, int64_t *index) {
    (void)out, (void)words;
    index[0] = in->dims[0] - 1 - index[0];
    index[2] = in->dims[2] - 1 - index[2];
    return true;
}

static void test_parts(void **state) {
    (void)state;
    check_move(VG_OP_slice, (shape)SHAPE(5, 6), (shape)SHAPE(2, 6), (uint64_t[]){ 1, 3, 0, 6 }, 4, 0, sliced);
    check_move(VG_OP_slice, (shape)SHAPE(5, 6), (shape)SHAPE(5, 1), (uint64_t[]){ 0, 5, 4, 5 }, 4, 0, sliced);
    check_move(VG_OP_slice, (shape)SHAPE(5, 6), (shape)SHAPE(0, 6), (uint64_t[]){ 5, 5, 0, 6 }, 4, 0, sliced);
    check_move(VG_OP_slice, (shape)SHAPE(3, 4, 5), (shape)SHAPE(1, 2, 3), (uint64_t[]){ 2, 3, 1, 3, 2, 5 }, 6, 0, sliced);
    check_move(VG_OP_pad, (shape)SHAPE(2, 3), (shape)SHAPE(5, 4), (uint64_t[]){ vg_word_real(-2), 1, 2, 0, 1 }, 5, -2, padded);
    check_move(VG_OP_pad, (shape)SHAPE(0), (shape)SHAPE(3), (uint64_t[]){ vg_word_real(7), 1, 2 }, 3, 7, padded);
    check_move(VG_OP_flip, (shape)SHAPE(3, 4, 5), (shape)SHAPE(3, 4, 5), (uint64_t[]){ 0, 2 }, 2, 0, flipped);
}

static void test_place_and_concat(void **state) {
    (void)state;
    vg_context context = { 0 };
    tensor in[2] = { tensor_new((shape)SHAPE(2, 2), VG_F32), tensor_new((shape)SHAPE(2, 3), VG_F32) };
    tensor placed = tensor_new((shape)SHAPE(3, 4), VG_F32), joined = tensor_new((shape)SHAPE(2, 5), VG_F32);
    tensor_fill(&in[0], 1, 0, 1);
    tensor_fill(&in[1], 2, 0, 1);
    tensor_call(VG_OP_place, false, &placed, in, 2, (uint64_t[]){ 0, 0, 0, 1, 1 }, 5, &context);
    tensor_call(VG_OP_concat, false, &joined, in, 2, (uint64_t[]){ 1 }, 1, &context);
    for (int64_t i = 0; i < 3; i++)
        for (int64_t j = 0; j < 4; j++) {
            const double first = i < 2 && j < 2 ? in[0].data[i * 2 + j] : 0;
            const double second = i > 0 && j > 0 ? in[1].data[(i - 1) * 3 + j - 1] : 0;
            assert_near(placed.data[i * 4 + j], first + second, 1e-7, "place", i * 4 + j);
        }
    for (int64_t i = 0; i < 2; i++)
        for (int64_t j = 0; j < 5; j++)
            assert_near(joined.data[i * 5 + j], j < 2 ? in[0].data[i * 2 + j] : in[1].data[i * 3 + j - 2], 0, "concat", j);
    free(in[0].data), free(in[1].data), free(placed.data), free(joined.data);
}

/* ---- indices */

static void test_gather_and_scatter(void **state) {
    (void)state;
    for (uint64_t axis = 0; axis < 2; axis++)
        for (int whole = 0; whole < 2; whole++) {
            const vg_dtype dtype = whole ? VG_I32 : VG_F32;
            const shape taken = axis ? (shape)SHAPE(3, 2, 2) : (shape)SHAPE(2, 2, 4);
            vg_context context = { 0 };
            tensor in[2] = { tensor_new((shape)SHAPE(3, 4), dtype), tensor_new((shape)SHAPE(2, 2), VG_I32) };
            tensor out = tensor_new(taken, dtype), back = tensor_new((shape)SHAPE(3, 4), dtype);
            const double indices[4] = { 2, 0, 2, 1 };
            memcpy(in[1].data, indices, sizeof indices);
            tensor_fill(&in[0], 5, 0, 100);
            tensor_call(VG_OP_gather, false, &out, in, 2, &axis, 1, &context);
            for (int64_t i = 0; i < (axis ? 3 : 4); i++)
                for (int64_t k = 0; k < 4; k++) {
                    const int64_t from = axis ? i * 4 + (int64_t)indices[k] : (int64_t)indices[k] * 4 + i;
                    assert_near(out.data[axis ? i * 4 + k : k * 4 + i], in[0].data[from], 0, "gather", k);
                }
            tensor again[2] = { out, in[1] };
            tensor_call(VG_OP_scatter, false, &back, again, 2, (uint64_t[]){ 0, axis }, 2, &context);
            for (int64_t i = 0; i < 12; i++) {
                const int64_t index = axis ? i % 4 : i / 4;
                const double times = index == 2 ? 2 : index == 3 ? 0 : 1;
                assert_near(back.data[i], times * in[0].data[i], 1e-6, "scatter", i);
            }
            assert_int_equal(context.fault, VG_FAULT_none);
            free(in[0].data), free(in[1].data), free(out.data), free(back.data);
        }
}

static void test_pick_and_spread(void **state) {
    (void)state;
    vg_context context = { 0 };
    tensor in[2] = { tensor_new((shape)SHAPE(2, 3), VG_F32), tensor_new((shape)SHAPE(2), VG_I32) };
    tensor out = tensor_new((shape)SHAPE(2), VG_F32), back = tensor_new((shape)SHAPE(2, 3), VG_F32);
    tensor_fill(&in[0], 3, 0, 1);
    in[1].data[0] = 2;
    in[1].data[1] = 0;
    tensor_call(VG_OP_pick, false, &out, in, 2, NULL, 0, &context);
    assert_near(out.data[0], in[0].data[2], 0, "pick", 0);
    assert_near(out.data[1], in[0].data[3], 0, "pick", 1);
    tensor again[2] = { out, in[1] };
    tensor_call(VG_OP_spread, false, &back, again, 2, (uint64_t[]){ 3, 0 }, 2, &context);
    for (int64_t i = 0; i < 6; i++)
        assert_near(back.data[i], i == 2 || i == 3 ? in[0].data[i] : 0, 0, "spread", i);
    free(in[0].data), free(in[1].data), free(out.data), free(back.data);
}

/* An index out of range is noted, the first of the step, and reads nothing. */
static void test_index_faults(void **state) {
    (void)state;
    static const vg_op ops[] = { VG_OP_pick, VG_OP_gather, VG_OP_spread, VG_OP_scatter };
    for (size_t k = 0; k < 4; k++) {
        vg_context context = { 0 };
        const bool adjoint = k >= 2;
        tensor in[2] = { tensor_new(adjoint ? (shape)SHAPE(3) : (shape)SHAPE(3, 3), VG_F32), tensor_new((shape)SHAPE(3), VG_I32) };
        tensor out = tensor_new(k == 0 ? (shape)SHAPE(3) : k == 3 ? (shape)SHAPE(3) : (shape)SHAPE(3, 3), VG_F32);
        const uint64_t axis[2] = { k == 2 ? 3 : 0, 0 };
        in[1].data[1] = 3;
        in[1].data[2] = -1;
        tensor_fill(&in[0], 1, 1, 2);
        tensor_call(ops[k], false, &out, in, 2, axis, 2, &context);
        assert_int_equal(context.fault, VG_FAULT_index);
        assert_int_equal(context.fault_at, 1);
        assert_int_equal(context.fault_value, 3);
        assert_int_equal(context.fault_limit, 3);
        assert_true(out.data[out.count - 1] == 0 && out.data[0] != 0);
        free(in[0].data), free(in[1].data), free(out.data);
    }
}

/* ---- linear */

static void check_matmul(shape sa, shape sb, shape so, bool ta, bool tb, bool wide) {
    vg_context context = { 0 };
    tensor in[2] = { tensor_new(sa, VG_F32), tensor_new(sb, VG_F32) }, out = tensor_new(so, VG_F32);
    const int64_t inner = sa.dims[sa.rank - (ta ? 2 : 1)];
    tensor_fill(&in[0], 1, -1, 1);
    tensor_fill(&in[1], 2, -1, 1);
    tensor_call(VG_OP_matmul, wide, &out, in, 2, (uint64_t[]){ ta, tb }, 2, &context);
    for (int64_t i = 0; i < out.count; i++) {
        int64_t index[VG_RANK_LIMIT], own[2][VG_RANK_LIMIT];
        double wanted = 0;
        tensor_index(&out, i, index);
        for (uint32_t o = 0; o < 2; o++)
            for (uint32_t k = 0; k + 2 < in[o].rank; k++)
                own[o][k] = in[o].dims[k] == 1 ? 0 : index[k + out.rank - in[o].rank];
        for (int64_t k = 0; k < inner; k++) {
            own[0][sa.rank - (ta ? 1 : 2)] = index[out.rank - 2];
            own[0][sa.rank - (ta ? 2 : 1)] = k;
            own[1][sb.rank - (tb ? 1 : 2)] = k;
            own[1][sb.rank - (tb ? 2 : 1)] = index[out.rank - 1];
            wanted += in[0].data[tensor_at(&in[0], own[0])] * in[1].data[tensor_at(&in[1], own[1])];
        }
        assert_near(out.data[i], wanted, wide ? 1e-12 : 1e-5, "matmul", i);
    }
    free(in[0].data), free(in[1].data), free(out.data);
}

static void test_matmul(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++)
        for (int t = 0; t < 4; t++) {
            const bool ta = (t & 1) != 0, tb = (t & 2) != 0;
            check_matmul(ta ? (shape)SHAPE(5, 3) : (shape)SHAPE(3, 5), tb ? (shape)SHAPE(4, 5) : (shape)SHAPE(5, 4),
                         (shape)SHAPE(3, 4), ta, tb, wide != 0);
            check_matmul(ta ? (shape)SHAPE(2, 5, 3) : (shape)SHAPE(2, 3, 5), tb ? (shape)SHAPE(4, 5) : (shape)SHAPE(5, 4),
                         (shape)SHAPE(2, 3, 4), ta, tb, wide != 0);
            check_matmul(ta ? (shape)SHAPE(2, 1, 5, 3) : (shape)SHAPE(2, 1, 3, 5),
                         tb ? (shape)SHAPE(6, 4, 5) : (shape)SHAPE(6, 5, 4), (shape)SHAPE(2, 6, 3, 4), ta, tb, wide != 0);
            check_matmul(ta ? (shape)SHAPE(3, 40, 30) : (shape)SHAPE(3, 30, 40),
                         tb ? (shape)SHAPE(70, 40) : (shape)SHAPE(40, 70), (shape)SHAPE(3, 30, 70), ta, tb, wide != 0);
            check_matmul(ta ? (shape)SHAPE(2, 2, 9, 17) : (shape)SHAPE(2, 2, 17, 9),
                         tb ? (shape)SHAPE(2, 1, 16, 9) : (shape)SHAPE(2, 1, 9, 16), (shape)SHAPE(2, 2, 17, 16), ta, tb,
                         wide != 0);
            check_matmul(ta ? (shape)SHAPE(0, 3) : (shape)SHAPE(3, 0), tb ? (shape)SHAPE(4, 0) : (shape)SHAPE(0, 4),
                         (shape)SHAPE(3, 4), ta, tb, wide != 0);
            check_matmul(ta ? (shape)SHAPE(1, 1) : (shape)SHAPE(1, 1), tb ? (shape)SHAPE(4, 1) : (shape)SHAPE(1, 4),
                         (shape)SHAPE(1, 4), ta, tb, wide != 0);
        }
}

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

/* Any number of operands. */
static void check_addn(uint32_t count, vg_dtype dtype) {
    vg_context context = { 0 };
    tensor in[7] = { 0 }, out = tensor_new((shape)SHAPE(1100), dtype);
    for (uint32_t k = 0; k < count; k++) {
        in[k] = tensor_new((shape)SHAPE(1100), dtype);
        tensor_fill(&in[k], k, dtype == VG_I32 ? -100 : -1, dtype == VG_I32 ? 100 : 1);
    }
    tensor_call(VG_OP_addn, false, &out, in, count, NULL, 0, &context);
    for (int64_t i = 0; i < out.count; i++) {
        double wanted = 0;
        for (uint32_t k = 0; k < count; k++) wanted += in[k].data[i];
        assert_near(out.data[i], wanted, 1e-6, "addn", i);
    }
    for (uint32_t k = 0; k < count; k++) free(in[k].data);
    free(out.data);
}

static void test_addn_and_iota(void **state) {
    (void)state;
    vg_context context = { 0 };
    tensor numbers = tensor_new((shape)SHAPE(9), VG_I32);
    for (uint32_t count = 1; count <= 7; count++) {
        check_addn(count, VG_F32);
        check_addn(count, VG_I32);
    }
    tensor_call(VG_OP_iota, false, &numbers, NULL, 0, (uint64_t[]){ 9 }, 1, &context);
    for (int64_t i = 0; i < 9; i++) assert_true(numbers.data[i] == (double)i);
    free(numbers.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transpose),        cmocka_unit_test(test_broadcast),     cmocka_unit_test(test_parts),
        cmocka_unit_test(test_place_and_concat), cmocka_unit_test(test_gather_and_scatter),
        cmocka_unit_test(test_pick_and_spread),  cmocka_unit_test(test_index_faults),  cmocka_unit_test(test_matmul),
        cmocka_unit_test(test_softmax),          cmocka_unit_test(test_softmax_nan),
        cmocka_unit_test(test_addn_and_iota),
        cmocka_unit_test(test_log_softmax_input), cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_cross_entropy_small), cmocka_unit_test(test_cross_entropy_faults)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
