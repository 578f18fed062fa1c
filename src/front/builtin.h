/* The library functions that are given in C: builtin.def's rows and what their code shares. */
#ifndef VG_FRONT_BUILTIN_H
#define VG_FRONT_BUILTIN_H

#include "front/elaborator.h"

typedef enum vg_builtin {
#define VG_BUILTIN(name, parameters, flags, doc) VG_BUILTIN_##name,
#include "front/builtin.def"
#undef VG_BUILTIN
    VG_BUILTIN_COUNT
} vg_builtin;

enum { VG_BUILTIN_SELECTIONS = 1, VG_BUILTIN_LIBRARY = 2, VG_BUILTIN_VALUE = 4 };

typedef struct vg_builtin_row { const char *name, *parameters; uint32_t flags; const char *doc; } vg_builtin_row;
extern const vg_builtin_row vg_builtin_rows[VG_BUILTIN_COUNT];

/* A call's arguments: one value for each parameter (absent ones included), and where each was written. */
typedef struct vg_built_call {
    vg_elaborator  *e;
    const vg_value *a;
    const vg_span  *spans;
    vg_span         span;
    uint32_t        row;           /* of builtin.def */
} vg_built_call;

typedef vg_value (*vg_builtin_code)(const vg_built_call *c);
#define VG_BUILTIN(name, parameters, flags, doc) vg_value vg_call_##name(const vg_built_call *c);
#include "front/builtin.def"
#undef VG_BUILTIN

/* Is this elementwise row a function of the language? The others are written as operators, or not at all. */
bool    vg_builtin_is_map(vg_op op);

/* Argument k as a tensor (integers stay integer); 0 after reporting. */
vg_node vg_built_tensor(const vg_built_call *c, uint32_t k);
bool    vg_built_bool(const vg_built_call *c, uint32_t k, bool fallback, bool *out);
/* One axis of `rank`, negative from the end; `fallback` when absent. */
bool    vg_built_axis(const vg_built_call *c, uint32_t k, uint32_t rank, int64_t fallback, uint32_t *axis);
/* Several axes as bits; absent or `all` is all of them. */
bool    vg_built_axes(const vg_built_call *c, uint32_t k, uint32_t rank, uint32_t *mask);
/* A compile-time number; reports a tensor with a hint. */
bool    vg_built_number(const vg_built_call *c, uint32_t k, double fallback, double *out);
/* The elements of a list or selection as tensors, in e->arena; NULL after reporting. */
vg_node *vg_built_nodes(const vg_built_call *c, uint32_t k, uint32_t *count);
static inline vg_span vg_built_span(const vg_built_call *c, uint32_t k) {
    return c->spans[k].end ? c->spans[k] : c->span;
}

#endif
