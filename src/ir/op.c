/* The rows of op.def as a table, and their formulas in double and in int32. */
#define VG_FORMULA_REAL_double
#include "ir/op.h"

#include <assert.h>
#include <string.h>

#include "ir/formula.h"

/* HAS_GRADIENT(none) is false, of any other word true. */
#define NONE_none x, false
#define SECOND(a, b, ...) b
#define SECOND_OF(...) SECOND(__VA_ARGS__, 0)
#define HAS_GRADIENT(gradient) SECOND_OF(NONE_##gradient, true)

const vg_op_row vg_op_rows[VG_OP_COUNT] = {
    [VG_OP_none] = { "none", 0, 0, VG_TYPES_none, 0, "", false, VG_COST_zero, 0, "no operator" },
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) \
    [VG_OP_##name] = { #name, arity, arity, VG_TYPES_##types, VG_FLAG_map, "", HAS_GRADIENT(gradient), VG_COST_map, \
                       flops, doc },
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) \
    [VG_OP_##name] = { #name, least, most, VG_TYPES_none, flags, attr, HAS_GRADIENT(gradient), \
                       VG_COST_##cost, 0, doc },
#include "op.def"
#undef VG_MAP
#undef VG_OP
};

vg_op vg_op_find(const char *name) {
    for (uint32_t op = VG_OP_none + 1; op < VG_OP_COUNT; op++)
        if (!strcmp(vg_op_rows[op].name, name)) return (vg_op)op;
    return VG_OP_none;
}

const char *vg_op_sign(vg_op op) {
    static const struct { vg_op op; const char *sign; } signs[] = {
        { VG_OP_neg, "-" },  { VG_OP_add, "+" },  { VG_OP_sub, "-" }, { VG_OP_mul, "*" },  { VG_OP_div, "/" },
        { VG_OP_pow, "^" },  { VG_OP_eq, "==" },  { VG_OP_ne, "!=" }, { VG_OP_lt, "<" },   { VG_OP_le, "<=" },
        { VG_OP_gt, ">" },   { VG_OP_ge, ">=" },  { VG_OP_matmul, "@" },
    };
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        if (signs[k].op == op) return signs[k].sign;
    return vg_op_rows[op].name;
}

bool vg_op_next_field(const char **at, vg_field *field) {
    if (!**at) return false;
    const char *colon = strchr(*at, ':');
    *field = (vg_field){ *at, (uint32_t)(colon - *at), colon[1], colon[2] == '*' };
    *at = colon + 2 + (colon[2] == ',' || colon[2] == '*');
    return true;
}

bool vg_op_field(vg_op op, uint32_t word, vg_field *field) {
    const char *at = vg_op_rows[op].attr;
    for (uint32_t k = 0; vg_op_next_field(&at, field); k++)
        if (k == word || field->any) return true;
    return false;
}

bool vg_op_takes_words(vg_op op, uint32_t count) {
    const char *at = vg_op_rows[op].attr;
    vg_field field;
    uint32_t least = 0;
    for (; vg_op_next_field(&at, &field); least++)
        if (field.any) return count >= least;
    return count == least;
}

double vg_op_scalar(vg_op op, const double *operands) {
    typedef double T;
    const uint32_t arity = vg_op_rows[op].most;
    const T a = operands[0], b = arity > 1 ? operands[1] : 0, c = arity > 2 ? operands[2] : 0;
    switch (op) {
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) case VG_OP_##name: return (double)(real);
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) case VG_OP_##name:
#include "op.def"
#undef VG_MAP
#undef VG_OP
    case VG_OP_none:
    case VG_OP_COUNT:
        break;
    }
    assert(false && "a map row");
    return 0;
}

int32_t vg_op_integer(vg_op op, const int32_t *operands) {
    const uint32_t arity = vg_op_rows[op].most;
    const int32_t a = operands[0], b = arity > 1 ? operands[1] : 0, c = arity > 2 ? operands[2] : 0;
    switch (op) {
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) case VG_OP_##name: return (integer);
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) case VG_OP_##name:
#include "op.def"
#undef VG_MAP
#undef VG_OP
    case VG_OP_none:
    case VG_OP_COUNT:
        break;
    }
    assert(false && "a map row");
    return 0;
}
