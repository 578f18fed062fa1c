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

/* [..., rows, batch, columns] of [..., batch, rows, columns], or the other way round. */
static tensor swapped(const tensor *from, bool wide) {
    shape s = { .rank = from->rank };
    uint64_t perm[VG_RANK_LIMIT];
    vg_context context = { 0 };
    for (uint32_t k = 0; k < s.rank; k++) perm[k] = k + 3 == s.rank ? k + 1 : k + 2 == s.rank ? k - 1 : k;
    for (uint32_t k = 0; k < s.rank; k++) s.dims[k] = from->dims[perm[k]];
    tensor to = tensor_new(s, VG_F32);
    tensor_call(VG_OP_transpose, wide, &to, from, 1, perm, s.rank, &context);
    return to;
}

/* What lies swapped gives the bits of what does not, and is added to the third operand's. */
static void check_product(shape sa, shape sb, shape so, bool ta, bool tb, bool wide) {
    vg_context context = { 0 };
    tensor in[3] = { tensor_new(sa, VG_F32), tensor_new(sb, VG_F32), tensor_new(so, VG_F32) };
    tensor plain = tensor_new(so, VG_F32), sum = tensor_new(so, VG_F32), other[3];
    for (uint32_t k = 0; k < 3; k++) {
        tensor_fill(&in[k], 1 + k, -1, 1);
        other[k] = swapped(&in[k], wide);
    }
    tensor_call(VG_OP_matmul, wide, &plain, in, 2, (uint64_t[]){ ta, tb }, 2, &context);
    tensor_call(VG_OP_add, wide, &sum, (tensor[]){ plain, in[2] }, 2, NULL, 0, &context);
    for (uint32_t swap = 0; swap < 8; swap++) {
        uint64_t words[5] = { ta, tb };
        uint32_t count = 2;
        tensor own[3], out = tensor_new(so, VG_F32);
        for (uint32_t k = 0; k < 3; k++) {
            own[k] = swap >> k & 1 ? other[k] : in[k];
            if (swap >> k & 1) words[count++] = k;
        }
        for (uint32_t k = 0; k < out.rank; k++) out.dims[k] = own[2].dims[k];
        for (uint32_t operands = 2; operands <= 3; operands++) {
            tensor_call(VG_OP_product, wide, &out, own, operands, words, count, &context);
            tensor back = swap >> 2 & 1 ? swapped(&out, wide) : out;
            const tensor *want = operands == 3 ? &sum : &plain;
            for (int64_t i = 0; i < back.count; i++) assert_true(back.data[i] == want->data[i]);
            if (swap >> 2 & 1) free(back.data);
        }
        free(out.data);
    }
    for (uint32_t k = 0; k < 3; k++) free(in[k].data), free(other[k].data);
    free(plain.data), free(sum.data);
}

static void test_product(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++)
        for (int t = 0; t < 4; t++) {
            const bool ta = (t & 1) != 0, tb = (t & 2) != 0;
            check_product(ta ? (shape)SHAPE(2, 3, 5, 7) : (shape)SHAPE(2, 3, 7, 5),
                          tb ? (shape)SHAPE(2, 3, 4, 5) : (shape)SHAPE(2, 3, 5, 4), (shape)SHAPE(2, 3, 7, 4), ta, tb,
                          wide != 0);
            check_product(ta ? (shape)SHAPE(2, 3, 33, 70) : (shape)SHAPE(2, 3, 70, 33),
                          tb ? (shape)SHAPE(3, 40, 33) : (shape)SHAPE(3, 33, 40), (shape)SHAPE(2, 3, 70, 40), ta, tb,
                          wide != 0);
            check_product(ta ? (shape)SHAPE(1, 9, 6) : (shape)SHAPE(1, 6, 9),
                          tb ? (shape)SHAPE(4, 17, 9) : (shape)SHAPE(4, 9, 17), (shape)SHAPE(4, 6, 17), ta, tb,
                          wide != 0);
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
        cmocka_unit_test(test_product),          cmocka_unit_test(test_addn_and_iota)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
