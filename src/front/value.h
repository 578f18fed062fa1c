/* What an expression is worth while the graph is built. Compile-time values and tensors (nodes) alike are a vg_value;
 * what does not fit into one lies in tables of vg_values, by id. Values are never changed once made. */
#ifndef VG_FRONT_VALUE_H
#define VG_FRONT_VALUE_H

#include "base/str.h"
#include "front/tree.h"
#include "ir/graph.h"

typedef enum vg_value_kind {
    VG_V_poison,         /* what is left of a mistake already reported: swallows what follows */
    VG_V_absent,         /* an argument that was not given and has no default */
    VG_V_number,         /* number */
    VG_V_dim,            /* id: a vg_dim that is no number */
    VG_V_bool,           /* id: 0 or 1 */
    VG_V_string,         /* id: vg_str */
    VG_V_list,           /* id: values->lists; number 1: a shape, which as a tensor is int32 */
    VG_V_function,       /* id: values->functions */
    VG_V_distribution,   /* id: values->distributions */
    VG_V_optimizer,      /* id: values->bound: an optimizer with its arguments */
    VG_V_data,           /* id: index of unit->datasets */
    VG_V_column,         /* id: index of unit->datasets; number: the column */
    VG_V_tensor,         /* id: vg_node */
    VG_V_selection,      /* id: values->selections */
    VG_V_family,         /* id: an entry: `h` where only h[1], h[2] ... are bound */
    VG_V_axes            /* `all` */
} vg_value_kind;

typedef struct vg_value { vg_value_kind kind; uint32_t id; double number; } vg_value;

typedef enum vg_function_kind {
    VG_F_def, VG_F_layer, VG_F_initializer, VG_F_optimizer,
    VG_F_builtin,        /* tree: a row of the builtin table */
    VG_F_map             /* tree: the vg_op of an elementwise row */
} vg_function_kind;

typedef struct vg_function {
    vg_function_kind kind;
    vg_str     name;
    uint32_t   tree;     /* the statement */
    uint32_t   top;      /* the entry of the file's top level where it was written */
    bool       called;
} vg_function;

/* A function with its arguments, to be run later: an optimizer (for p, g) or an initialiser by fan (for shape). */
typedef struct vg_bound {
    uint32_t       function, list;      /* list: the arguments' values */
    const vg_span *spans;               /* the arguments; end 0: not given */
    vg_span        span;                /* of the call, within `call` */
    vg_call        call;
} vg_bound;

typedef struct vg_distribution_row {
    vg_op    op;         /* random_normal ...; VG_OP_none: bound */
    double   a, b;
    uint32_t bound;      /* values->bound */
} vg_distribution_row;

typedef struct vg_selected { vg_str path; vg_node node; } vg_selected;
typedef struct vg_run_of { uint32_t first, count; } vg_run_of;

typedef struct vg_values {
    vg_mem *mem;
    VG_VEC(vg_value)    items;        /* the lists' elements */
    VG_VEC(vg_run_of)   lists;
    VG_VEC(vg_function) functions;
    VG_VEC(vg_bound)    bound;
    VG_VEC(vg_distribution_row) distributions;
    VG_VEC(vg_selected) selected;     /* the selections' elements */
    VG_VEC(vg_run_of)   selections;
} vg_values;

static inline vg_value vg_value_poison(void) { return (vg_value){ VG_V_poison, 0, 0 }; }
static inline vg_value vg_value_absent(void) { return (vg_value){ VG_V_absent, 0, 0 }; }
static inline vg_value vg_value_number(double number) { return (vg_value){ VG_V_number, 0, number }; }
static inline vg_value vg_value_bool(bool truth) { return (vg_value){ VG_V_bool, truth, 0 }; }
/* Poison when the node is 0. */
static inline vg_value vg_value_tensor(vg_node node) {
    return (vg_value){ node ? VG_V_tensor : VG_V_poison, node, 0 };
}
/* Copies `count` values. */
vg_value vg_value_list(vg_values *values, const vg_value *items, uint32_t count);
uint32_t vg_list_count(const vg_values *values, vg_value list);
vg_value vg_list_item(const vg_values *values, vg_value list, uint32_t k);
vg_value vg_value_selection(vg_values *values, const vg_selected *items, uint32_t count);
uint32_t vg_selection_count(const vg_values *values, vg_value selection);
vg_selected vg_selection_item(const vg_values *values, vg_value selection, uint32_t k);
bool vg_value_whole(vg_value value, int64_t *whole);   /* a number without fraction, below 2^53 */
/* Compares at most *left pairs of items, and counts them off; false when that is too few. */
bool vg_value_equal(const vg_values *values, vg_value a, vg_value b, uint32_t *left);
/* "a number", "a list", "the function 'relu'": for messages. */
const char *vg_value_noun(vg_value_kind kind);

#endif
