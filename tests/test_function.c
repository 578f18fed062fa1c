/* The functions of ir/function.h, as compiled here and as the kernels of this machine compute them: their largest
 * errors on a dense sample of all floats and around the places where they change their way, their ends, and that an
 * element's bits depend on its value alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "ir/function.h"
#include "run/kernel.h"

/* Odd, so that every vector width leaves a rest. */
enum { BLOCK = 1021 };

static double sigmoid(double a) { return a < 0 ? exp(a) / (1 + exp(a)) : 1 / (1 + exp(-a)); }

/* bound: the largest error over all floats, in ulp, with and without a fused multiply-add. */
static const struct function {
    const char *name;
    vg_op       op;
    float     (*own)(float);
    double    (*wanted)(double);
    double      bound, least, most;
} functions[] = {
    { "exp",     VG_OP_exp,     vg_function_exp,     exp,     0.90, 0, INFINITY },
    { "expm1",   VG_OP_expm1,   vg_function_expm1,   expm1,   1.22, -1, INFINITY },
    { "log",     VG_OP_log,     vg_function_log,     log,     0.88, -INFINITY, INFINITY },
    { "log1p",   VG_OP_log1p,   vg_function_log1p,   log1p,   0.93, -INFINITY, INFINITY },
    { "tanh",    VG_OP_tanh,    vg_function_tanh,    tanh,    1.30, -1, 1 },
    { "sigmoid", VG_OP_sigmoid, vg_function_sigmoid, sigmoid, 1.80, 0, 1 },
    { "erf",     VG_OP_erf,     vg_function_erf,     erf,     1.25, -1, 1 },
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static uint32_t bits_of(float a) {
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

static const vg_kernels *kernels;      /* of the instruction set under test */

static void call(vg_op op, float *out, float *in, int64_t count) {
    vg_context context = { 0 };
    const vg_view to = { out, VG_F32, 1, { count }, count }, from = { in, VG_F32, 1, { count }, count };
    kernels->row[op](&(vg_work){ .out = &to, .in = &from, .in_count = 1, .context = &context });
}

/* How far a value is from the wanted one, in units of the last place that floats have there. */
static double error_of(float value, double wanted) {
    const float rounded = (float)wanted;
    int exponent;
    if (isnan(wanted) || isnan(value)) return isnan(wanted) && isnan(value) ? 0 : INFINITY;
    if (value == rounded) return !signbit(value) == !signbit(rounded) ? 0 : INFINITY;
    if (isinf(value) || isinf(rounded)) return INFINITY;
    frexp(wanted, &exponent);
    return fabs(value - wanted) * ldexp(1, 24 - (exponent < -125 ? -125 : exponent));
}

static void check_value(const struct function *f, float a, float value, const char *whose) {
    const double error = error_of(value, f->wanted(a));
    if (error > f->bound) fail_msg("%s: %s(%a) = %a, %g ulp wrong", whose, f->name, (double)a, (double)value, error);
    if (value < f->least || value > f->most) fail_msg("%s: %s(%a) = %a", whose, f->name, (double)a, (double)value);
}

static void check_block(const struct function *f, float *in) {
    float out[BLOCK];
    call(f->op, out, in, BLOCK);
    for (int i = 0; i < BLOCK; i++) {
        check_value(f, in[i], out[i], "kernel");
        check_value(f, in[i], f->own(in[i]), "here");
    }
}

static void test_every_4099th_float(void **state) {
    (void)state;
    for (int k = 0; k < FUNCTIONS; k++) {
        for (uint64_t bits = 0; bits < UINT64_C(1) << 32;) {
            float in[BLOCK];
            for (int i = 0; i < BLOCK; i++, bits += 4099) in[i] = float_of((uint32_t)bits);
            check_block(&functions[k], in);
        }
    }
}

/* Where a polynomial gives way to another, a power of two to the next, and where results become subnormal, 0, 1 or
 * infinite. */
static void test_around_joints(void **state) {
    (void)state;
    static const float joints[] = {
        0.65f, 1, 0.34657359f, 1.0397208f, 0.70710678f, 1.41421356f, 0.41421356f, 0.29289322f, 4, 3.919f, 9.01f, 17.33f,
        16.63f, 44.36f, 87.336545f, 88.722839f, 89, 103.27893f, 103.97208f, 104, 0x1p-126f, 0x1p127f, 0x1p24f, 0x1p-24f,
    };
    for (int k = 0; k < FUNCTIONS; k++) {
        for (size_t joint = 0; joint < sizeof joints / sizeof *joints; joint++) {
            for (uint32_t sign = 0; sign < 2; sign++) {
                float in[BLOCK];
                for (int i = 0; i < BLOCK; i++)
                    in[i] = float_of((bits_of(joints[joint]) + (uint32_t)(i - BLOCK / 2)) | sign << 31);
                check_block(&functions[k], in);
            }
        }
    }
}

static void test_ends(void **state) {
    (void)state;
    const float tiny = 0x1p-149f, huge = 0x1.fffffep127f, inf = INFINITY;
    const struct { vg_op op; float a, wanted; } table[] = {
        { VG_OP_exp, inf, inf },        { VG_OP_exp, -inf, 0 },          { VG_OP_exp, huge, inf },
        { VG_OP_exp, -huge, 0 },        { VG_OP_exp, 0, 1 },             { VG_OP_exp, -tiny, 1 },
        { VG_OP_exp, 0x1.62e42ep6f, 0x1.ffff08p127f }, { VG_OP_exp, 0x1.62e43p6f, inf },
        { VG_OP_exp, -100, 27 * tiny },   { VG_OP_exp, -103.5f, tiny },    { VG_OP_exp, -104, 0 },
        { VG_OP_expm1, inf, inf },      { VG_OP_expm1, -inf, -1 },       { VG_OP_expm1, huge, inf },
        { VG_OP_expm1, -0.0f, -0.0f },  { VG_OP_expm1, 0, 0 },           { VG_OP_expm1, -tiny, -tiny },
        { VG_OP_expm1, -20, -1 },       { VG_OP_expm1, tiny, tiny },     { VG_OP_expm1, 0x1.62e43p6f, inf },
        { VG_OP_log, inf, inf },        { VG_OP_log, 0, -inf },          { VG_OP_log, -0.0f, -inf },
        { VG_OP_log, -tiny, NAN },      { VG_OP_log, -inf, NAN },        { VG_OP_log, 1, 0 },
        { VG_OP_log1p, inf, inf },      { VG_OP_log1p, -1, -inf },       { VG_OP_log1p, -huge, NAN },
        { VG_OP_log1p, -0.0f, -0.0f },  { VG_OP_log1p, tiny, tiny },     { VG_OP_log1p, -tiny, -tiny },
        { VG_OP_tanh, inf, 1 },         { VG_OP_tanh, -inf, -1 },        { VG_OP_tanh, -huge, -1 },
        { VG_OP_tanh, -0.0f, -0.0f },   { VG_OP_tanh, -tiny, -tiny },    { VG_OP_tanh, 9.02f, 1 },
        { VG_OP_sigmoid, inf, 1 },      { VG_OP_sigmoid, -inf, 0 },      { VG_OP_sigmoid, -huge, 0 },
        { VG_OP_sigmoid, huge, 1 },     { VG_OP_sigmoid, -0.0f, 0.5f },  { VG_OP_sigmoid, -100, 27 * tiny },
        { VG_OP_sigmoid, -103.5f, tiny }, { VG_OP_sigmoid, 18, 1 },
        { VG_OP_erf, inf, 1 },          { VG_OP_erf, -inf, -1 },         { VG_OP_erf, -huge, -1 },
        { VG_OP_erf, -0.0f, -0.0f },    { VG_OP_erf, -tiny, -tiny },     { VG_OP_erf, 3.92f, 1 },
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        float a = table[k].a, value;
        call(table[k].op, &value, &a, 1);
        if (isnan(table[k].wanted) ? !isnan(value) : bits_of(value) != bits_of(table[k].wanted))
            fail_msg("%s(%a) = %a", vg_op_rows[table[k].op].name, (double)a, (double)value);
    }
    for (int k = 0; k < FUNCTIONS; k++) {
        float a = NAN, value;
        call(functions[k].op, &value, &a, 1);
        assert_true(isnan(value) && isnan(functions[k].own(a)) && isnan(functions[k].own(-a)));
    }
}

/* In the middle of a vector, in the rest behind the last one, on its own, or written over its operand. */
static void test_bits_depend_on_the_value_alone(void **state) {
    (void)state;
    for (int k = 0; k < FUNCTIONS; k++) {
        float in[BLOCK], out[BLOCK], over[BLOCK];
        for (int i = 0; i < BLOCK; i++) in[i] = over[i] = (float)(i - 300) * 0.0625f + (float)(i % 7) * 0.001f;
        in[77] = over[77] = -101;
        call(functions[k].op, out, in, BLOCK);
        call(functions[k].op, over, over, BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            float alone;
            call(functions[k].op, &alone, &in[i], 1);
            if (isnan(out[i]) && isnan(alone) && isnan(over[i])) continue;
            if (bits_of(out[i]) != bits_of(alone) || bits_of(over[i]) != bits_of(alone))
                fail_msg("%s(%a): %a, alone %a, in place %a", functions[k].name, (double)in[i], (double)out[i],
                    (double)alone, (double)over[i]);
        }
    }
}

static void test_odd_functions_are_odd(void **state) {
    (void)state;
    static const vg_op odd[] = { VG_OP_tanh, VG_OP_erf };
    for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
        float in[2 * BLOCK], out[2 * BLOCK];
        for (int i = 0; i < BLOCK; i++) {
            in[i] = float_of((uint32_t)i * 2099999);
            in[i + BLOCK] = -in[i];
        }
        call(odd[k], out, in, 2 * BLOCK);
        for (int i = 0; i < BLOCK; i++) assert_true(out[i + BLOCK] == -out[i] || isnan(in[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_4099th_float), cmocka_unit_test(test_around_joints), cmocka_unit_test(test_ends),
        cmocka_unit_test(test_bits_depend_on_the_value_alone), cmocka_unit_test(test_odd_functions_are_odd),
    };
    int failed = 0;
    for (vg_isa isa = VG_ISA_base; isa < VG_ISA_COUNT; isa++) {
        kernels = vg_kernels_of(isa, sizeof(float));
        if (kernels) failed |= cmocka_run_group_tests_name(kernels->isa, tests, NULL, NULL);
    }
    return failed;
}
