/* What op.def says, as an enum and a table. */
#ifndef VG_IR_OP_H
#define VG_IR_OP_H

#include <stdbool.h>
#include <stdint.h>

typedef enum vg_dtype { VG_F32, VG_I32 } vg_dtype;   /* VG_F32 is double in a float64 program */

typedef enum vg_op {
    VG_OP_none,
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) VG_OP_##name,
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) VG_OP_##name,
#include "op.def"
#undef VG_MAP
#undef VG_OP
    VG_OP_COUNT
} vg_op;

/* How the type of an elementwise result follows from its operands'. */
typedef enum vg_types {
    VG_TYPES_none,
    VG_TYPES_keep,    /* all operands of one type (an integer among floats is converted), which the result keeps */
    VG_TYPES_real,    /* operands are converted to float, the result is float */
    VG_TYPES_test,    /* operands of one type, the result is int32 0 or 1 */
    VG_TYPES_select,  /* the first operand is a condition (not zero being true), the others as keep */
    VG_TYPES_toint,   /* any -> int32 */
    VG_TYPES_toreal   /* any -> float */
} vg_types;

enum {
    VG_FLAG_pure   = 0,        /* may merge with an equal node */
    VG_FLAG_map    = 1,        /* elementwise, with NumPy's broadcasting */
    VG_FLAG_draws  = 2,        /* random: carries its identity, never merges with another's */
    VG_FLAG_reads  = 4,        /* reads what changes between steps: a variable, an input, step */
    VG_FLAG_effect = 8,        /* a root: summary, expect, update, fetch, initial */
    VG_FLAG_holder = 16,       /* stands until differentiate: grad, replace */
    VG_FLAG_view   = 32,       /* the result is its operand's memory */
    VG_FLAG_leaf   = 64,       /* no operands */
    VG_FLAG_real   = 128       /* computes in float: integer operands are converted */
};

/* The layout of an attribute, word by word: letters of the row's attr string.
 *   name:i integer   name:f double (its bits)   name:s vg_str   name:d vg_dim   name:S vg_shape (the result's)
 * A `*` behind the last letter means any number of them. */
/* What an operator costs: its FLOPs and the bytes it reads and writes (ir/cost.h). */
typedef enum vg_cost {
    VG_COST_zero,      /* no work of its own */
    VG_COST_map,       /* the row's FLOPs for each element; every operand is read */
    VG_COST_copy,      /* reads as much as it writes */
    VG_COST_random,    /* about 40 FLOPs a number drawn */
    VG_COST_reduce,    /* one FLOP for each element of the operand */
    VG_COST_addn,      /* one for each element of each further operand */
    VG_COST_matmul,    /* 2 n m k */
    VG_COST_conv,      /* 2 for each element of the result and of one filter */
    VG_COST_softmax    /* about 13 for each element of the first operand: an exponential, a sum, a division */
} vg_cost;

typedef struct vg_op_row {
    const char *name;
    uint8_t     least, most;    /* operands; most 255 is any number */
    vg_types    types;
    uint32_t    flags;
    const char *attr;
    bool        has_gradient;
    vg_cost     cost;
    double      flops;          /* of a map, per element */
    const char *doc;
} vg_op_row;

extern const vg_op_row vg_op_rows[VG_OP_COUNT];

/* VG_OP_none when there is no such row. */
vg_op vg_op_find(const char *name);
/* A map row's value in double: what folding, host scalars and compile-time numbers use. */
double vg_op_scalar(vg_op op, const double *operands);
/* The same of a row whose types keep integers, in int32 that wraps. */
int32_t vg_op_integer(vg_op op, const int32_t *operands);
/* As a person writes it: "+", "@"; the row's name where there is no sign. */
const char *vg_op_sign(vg_op op);

/* One field of a row's attr string. */
typedef struct vg_field {
    const char *name;     /* `length` bytes, not terminated */
    uint32_t    length;
    char        kind;     /* i f s d S */
    bool        any;      /* any number of words from here on */
} vg_field;
/* The fields one after the other: `*at` begins as the row's attr string and goes on behind each field. False behind the
 * last. */
bool vg_op_next_field(const char **at, vg_field *field);
/* The field that word `word` of an attribute belongs to; false behind the last. */
bool vg_op_field(vg_op op, uint32_t word, vg_field *field);
/* Whether an attribute of `count` words fits the row's fields. */
bool vg_op_takes_words(vg_op op, uint32_t count);

static inline bool vg_op_is(vg_op op, uint32_t flag) { return (vg_op_rows[op].flags & flag) != 0; }

#endif
