/* Elementwise, reducing and arg kernels against naive loops over multi-indices, for shapes that reach every path:
 * dense, repeated scalars, rows and columns, axes of length 1 and 0, integers, NaN. */
#include "tensor.h"

static const char *const map_names[VG_OP_COUNT] = {
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) [VG_OP_##name] = #name,
#include "op.def"
#undef VG_MAP
#undef VG_OP
};

/* ---- elementwise */

typedef struct operands { shape in[3]; } operands;

static const operands broadcasts[] = {
    { { SHAPE(37), SHAPE(37), SHAPE(37) } },
    { { SHAPE(5, 7), SHAPE(7), SHAPE(5, 1) } },
    { { SCALAR, SHAPE(4, 6), SHAPE(6) } },
    { { SHAPE(4, 6), SCALAR, SCALAR } },
    { { SHAPE(3, 1, 5), SHAPE(4, 1), SHAPE(3, 4, 5) } },
    { { SHAPE(2, 3, 1, 2), SHAPE(1, 3, 4, 1), SHAPE(2) } },
    { { SHAPE(1, 1), SHAPE(1), SHAPE(1, 1) } },
    { { SCALAR, SCALAR, SCALAR } },
    { { SHAPE(0, 3), SHAPE(3), SCALAR } }
};

static shape broadcast(const shape *in, uint32_t count) {
    shape full = in[0];
    for (uint32_t k = 1; k < count; k++) {
        const shape wide = full.rank >= in[k].rank ? full : in[k], narrow = full.rank >= in[k].rank ? in[k] : full;
        full = wide;
        for (uint32_t axis = 0; axis < narrow.rank; axis++) {
            int64_t *dim = &full.dims[axis + wide.rank - narrow.rank];
            if (*dim == 1) *dim = narrow.dims[axis];
        }
    }
    return full;
}

/* The operand's element that NumPy's rule puts at an index of the result. */
static double repeated(const tensor *t, const tensor *out, const int64_t *index) {
    int64_t own[VG_RANK_LIMIT];
    for (uint32_t k = 0; k < t->rank; k++) own[k] = t->dims[k] == 1 ? 0 : index[k + out->rank - t->rank];
    return t->data[tensor_at(t, own)];
}

static vg_dtype result_type(vg_types types, vg_dtype in) {
    if (types == VG_TYPES_test || types == VG_TYPES_toint) return VG_I32;
    return types == VG_TYPES_real || types == VG_TYPES_toreal ? VG_F32 : in;
}

static void check_map(vg_op op, const operands *o, vg_dtype dtype, vg_dtype first, bool wide) {
    const uint32_t arity = vg_op_rows[op].least;
    const bool whole = dtype == VG_I32;
    vg_context context = { 0 };
    const shape full = broadcast(o->in, arity);
    tensor in[3] = { 0 }, out = tensor_new(full, result_type(vg_op_rows[op].types, dtype));
    for (uint32_t k = 0; k < arity; k++) {
        in[k] = tensor_new(o->in[k], k == 0 ? first : dtype);
        tensor_fill(&in[k], 7 * k + op, in[k].dtype == VG_I32 ? -3 : 0.1, in[k].dtype == VG_I32 ? 4 : 2.5);
    }
    tensor_call(op, wide, &out, in, arity, NULL, 0, &context);
    for (int64_t i = 0; i < out.count; i++) {
        int64_t index[VG_RANK_LIMIT];
        double values[3] = { 0 };
        tensor_index(&out, i, index);
        for (uint32_t k = 0; k < arity; k++) values[k] = repeated(&in[k], &out, index);
        assert_near(out.data[i], vg_op_scalar(op, values), wide || whole ? 1e-12 : 2e-6, map_names[op], i);
    }
    for (uint32_t k = 0; k < arity; k++) free(in[k].data);
    free(out.data);
}

static void test_map(void **state) {
    (void)state;
    for (vg_op op = 1; op < VG_OP_COUNT; op++) {
        if (map_names[op] == NULL) continue;
        const vg_types types = vg_op_rows[op].types;
        for (size_t k = 0; k < sizeof broadcasts / sizeof *broadcasts; k++)
            for (int wide = 0; wide < 2; wide++) {
                check_map(op, &broadcasts[k], VG_F32, VG_F32, wide != 0);
                if (types != VG_TYPES_real) check_map(op, &broadcasts[k], VG_I32, VG_I32, wide != 0);
                if (types != VG_TYPES_select) continue;
                check_map(op, &broadcasts[k], VG_F32, VG_I32, wide != 0);
                check_map(op, &broadcasts[k], VG_I32, VG_F32, wide != 0);
            }
    }
}

/* The planner may put a result in the place of an operand. */
static void test_in_place(void **state) {
    (void)state;
    enum { COUNT = 1003 };
    float *values = malloc(COUNT * sizeof *values), scale = 3;
    for (int i = 0; i < COUNT; i++) values[i] = (float)i;
    const vg_view view = { values, VG_F32, 1, { COUNT }, COUNT };
    const vg_view in[2] = { view, { &scale, VG_F32, 0, { 0 }, 1 } };
    vg_context context = { 0 };
    vg_kernels_best(4)->row[VG_OP_mul](&(vg_work){ .out = &view, .in = in, .in_count = 2, .context = &context });
    for (int i = 0; i < COUNT; i++) assert_true(values[i] == 3 * (float)i);
    free(values);
}

static void test_special_values(void **state) {
    (void)state;
    static const struct { vg_op op; double a, b, wanted; } rows[] = {
        { VG_OP_maximum, NAN, 1, NAN }, { VG_OP_maximum, 1, NAN, NAN }, { VG_OP_minimum, NAN, 1, NAN },
        { VG_OP_minimum, 1, NAN, NAN }, { VG_OP_relu, NAN, 0, NAN },    { VG_OP_relu, -1, 0, 0 },
        { VG_OP_isnan, NAN, 0, 1 },     { VG_OP_isinf, -INFINITY, 0, 1 }, { VG_OP_isinf, 1e30, 0, 0 },
        { VG_OP_sigmoid, -1000, 0, 0 }, { VG_OP_sigmoid, 1000, 0, 1 },  { VG_OP_sign, -0.0, 0, 0 },
        { VG_OP_mod, -1, 3, 2 },        { VG_OP_round, 2.5, 0, 2 },     { VG_OP_int, -2.7, 0, -2 },
        { VG_OP_div, 1, 0, INFINITY },  { VG_OP_ne, NAN, NAN, 1 },      { VG_OP_eq, NAN, NAN, 0 }
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (int wide = 0; wide < 2; wide++) {
            const vg_types types = vg_op_rows[rows[k].op].types;
            tensor in[2] = { tensor_new((shape)SCALAR, VG_F32), tensor_new((shape)SCALAR, VG_F32) };
            tensor out = tensor_new((shape)SCALAR, result_type(types, VG_F32));
            vg_context context = { 0 };
            in[0].data[0] = rows[k].a;
            in[1].data[0] = rows[k].b;
            tensor_call(rows[k].op, wide != 0, &out, in, vg_op_rows[rows[k].op].least, NULL, 0, &context);
            assert_near(out.data[0], rows[k].wanted, 0, map_names[rows[k].op], (int64_t)k);
            free(in[0].data), free(in[1].data), free(out.data);
        }
}

/* ---- reductions */

static const shape reduced[] = {
    SHAPE(1000), SHAPE(7, 33), SHAPE(33, 7), SHAPE(3, 4, 5), SHAPE(2, 3, 4, 5), SHAPE(1, 6, 1), SCALAR, SHAPE(3, 0), SHAPE(2, 1, 9)
};

static double start_of(vg_op op, bool whole) {
    if (op == VG_OP_prod) return 1;
    if (op == VG_OP_sum) return 0;
    const double end = whole ? INT32_MAX : (double)INFINITY;
    return op == VG_OP_max ? (whole ? INT32_MIN : -end) : end;
}

static double join(vg_op op, double a, double b) {
    if (op == VG_OP_sum) return a + b;
    if (op == VG_OP_prod) return a * b;
    if (isnan(a) || isnan(b)) return NAN;
    return op == VG_OP_max ? fmax(a, b) : fmin(a, b);
}

static void check_reduce(vg_op op, shape s, uint32_t axes, vg_dtype dtype, bool wide, double first) {
    const bool whole = dtype == VG_I32;
    vg_context context = { 0 };
    tensor in = tensor_new(s, dtype);
    shape kept = s;
    uint64_t words[1 + VG_RANK_LIMIT] = { 1 };
    uint32_t word_count = 1;
    for (uint32_t k = 0; k < s.rank; k++)
        if (axes >> k & 1) {
            kept.dims[k] = 1;
            words[word_count++] = k;
        }
    tensor out = tensor_new(kept, dtype), wanted = tensor_new(kept, dtype);
    tensor_fill(&in, op, whole ? -4 : 0.9, whole ? 5 : 1.1);
    if (!whole && in.count > 0 && first != 0) in.data[0] = first;
    for (int64_t i = 0; i < wanted.count; i++) wanted.data[i] = start_of(op, whole);
    for (int64_t i = 0; i < in.count; i++) {
        int64_t index[VG_RANK_LIMIT];
        tensor_index(&in, i, index);
        for (uint32_t k = 0; k < s.rank; k++)
            if (axes >> k & 1) index[k] = 0;
        double *to = &wanted.data[tensor_at(&wanted, index)];
        *to = join(op, *to, in.data[i]);
        if (whole) *to = (double)(int32_t)(uint32_t)(int64_t)*to;      /* products wrap around, and stay small as doubles */
    }
    tensor_call(op, wide, &out, &in, 1, words, word_count, &context);
    for (int64_t i = 0; i < out.count; i++)
        assert_near(out.data[i], wanted.data[i], wide || whole ? 1e-12 : 1e-6, vg_op_rows[op].name, i);
    free(in.data), free(out.data), free(wanted.data);
}

static void test_reduce(void **state) {
    (void)state;
    static const vg_op ops[] = { VG_OP_sum, VG_OP_prod, VG_OP_max, VG_OP_min };
    for (size_t o = 0; o < 4; o++)
        for (size_t k = 0; k < sizeof reduced / sizeof *reduced; k++)
            for (uint32_t axes = 1; axes < 1u << reduced[k].rank; axes++)
                for (int wide = 0; wide < 2; wide++) {
                    check_reduce(ops[o], reduced[k], axes, VG_F32, wide != 0, 0);
                    check_reduce(ops[o], reduced[k], axes, VG_F32, wide != 0, NAN);
                    check_reduce(ops[o], reduced[k], axes, VG_I32, wide != 0, 0);
                }
}

/* No axis named is all of them; and a float sum is as exact as one in double. */
static void test_reduce_all(void **state) {
    (void)state;
    vg_context context = { 0 };
    const uint64_t keep = 0;
    tensor in = tensor_new((shape)SHAPE(1000, 1000), VG_F32), out = tensor_new((shape)SCALAR, VG_F32);
    for (int64_t i = 0; i < in.count; i++) in.data[i] = (double)0.1f;
    tensor_call(VG_OP_sum, false, &out, &in, 1, &keep, 1, &context);
    assert_near(out.data[0], 1e6 * (double)0.1f, 1e-7, "sum", 0);
    free(in.data), free(out.data);
}

/* ---- along an axis */

static void test_arg(void **state) {
    (void)state;
    static const struct { double values[5]; int largest, smallest; } rows[] = {
        { { 1, 3, 2, 3, 1 }, 1, 0 }, { { 5, 4, 3, 2, 1 }, 0, 4 }, { { 1, NAN, 9, NAN, 0 }, 1, 1 }, { { 2, 2, 2, 2, 2 }, 0, 0 },
        { { -INFINITY, -INFINITY, 0, INFINITY, INFINITY }, 3, 0 }
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (uint64_t axis = 0; axis < 2; axis++)
            for (int wide = 0; wide < 2; wide++) {
                vg_context context = { 0 };
                tensor in = tensor_new(axis ? (shape)SHAPE(3, 5) : (shape)SHAPE(5, 3), VG_F32);
                tensor out = tensor_new((shape)SHAPE(3), VG_I32);
                for (int i = 0; i < 5; i++)
                    for (int j = 0; j < 3; j++) in.data[axis ? j * 5 + i : i * 3 + j] = rows[k].values[i];
                tensor_call(VG_OP_argmax, wide != 0, &out, &in, 1, &axis, 1, &context);
                for (int j = 0; j < 3; j++) assert_near(out.data[j], rows[k].largest, 0, "argmax", (int64_t)k);
                tensor_call(VG_OP_argmin, wide != 0, &out, &in, 1, &axis, 1, &context);
                for (int j = 0; j < 3; j++) assert_near(out.data[j], rows[k].smallest, 0, "argmin", (int64_t)k);
                free(in.data), free(out.data);
            }
}

static void check_cumsum(shape s, uint64_t axis, vg_dtype dtype, bool wide) {
    vg_context context = { 0 };
    tensor in = tensor_new(s, dtype), out = tensor_new(s, dtype);
    tensor_fill(&in, axis, -3, 4);
    tensor_call(VG_OP_cumsum, wide, &out, &in, 1, &axis, 1, &context);
    for (int64_t i = 0; i < in.count; i++) {
        int64_t index[VG_RANK_LIMIT];
        double wanted = 0;
        tensor_index(&in, i, index);
        for (int64_t last = index[axis], j = 0; j <= last; j++) {
            index[axis] = j;
            wanted += in.data[tensor_at(&in, index)];
        }
        assert_near(out.data[i], wanted, wide ? 1e-12 : 1e-6, "cumsum", i);
    }
    free(in.data), free(out.data);
}

static void test_cumsum(void **state) {
    (void)state;
    for (uint64_t axis = 0; axis < 3; axis++)
        for (int wide = 0; wide < 2; wide++) {
            check_cumsum((shape)SHAPE(3, 5, 4), axis, VG_F32, wide != 0);
            check_cumsum((shape)SHAPE(3, 5, 4), axis, VG_I32, wide != 0);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),        cmocka_unit_test(test_in_place), cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_reduce),     cmocka_unit_test(test_reduce_all), cmocka_unit_test(test_arg),
        cmocka_unit_test(test_cumsum)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
