/* The graph: columns (struct of arrays), ids are uint32_t, 0 is none. An operand's id is smaller than its node's,
 * so id order is a topological order. Made only by vg_emit (ir/emit.c), which infers shape and type; rewriting
 * passes copy into a fresh graph, so dead nodes drop out by not being copied. */
#ifndef VG_IR_GRAPH_H
#define VG_IR_GRAPH_H

#include "base/str.h"
#include "diag/diag.h"
#include "ir/dim.h"
#include "ir/op.h"

typedef uint32_t vg_node;
typedef uint32_t vg_attr;    /* interned words; 0 is none */
typedef uint64_t vg_word;    /* an integer, an id, or a double's bits */

enum { VG_NODE_LIMIT = 1 << 24 };

typedef struct vg_constant { vg_shape shape; vg_dtype dtype; const double *elements; uint64_t count; } vg_constant;

typedef struct vg_attr_row { uint32_t first, count, chain; } vg_attr_row;

/* What all graphs of a model share. */
typedef struct vg_ir {
    vg_mem    *mem;
    vg_arena   arena;
    vg_strings strings;
    vg_dims    dims;
    vg_diags   diags;
    VG_VEC(vg_word) words;                                       /* the attributes, behind each other */
    VG_VEC(vg_attr_row) attrs;
    vg_map     attr_map;
    VG_VEC(vg_constant) constants;                               /* from 1 */
    uint32_t   groups;                                           /* grad calls so far: see op grad */
    /* For tests: other gradient rules than the pass's own (pass/pass.h); NULL: those. */
    const struct vg_gradient_table *gradients;
} vg_ir;

void    vg_ir_init(vg_ir *ir, vg_mem *mem);
vg_attr vg_attr_of(vg_ir *ir, const vg_word *words, uint32_t count);   /* 0 words: 0 */
/* The words of an attribute; valid until the next vg_attr_of. */
const vg_word *vg_attr_words(const vg_ir *ir, vg_attr attr, uint32_t *count);
static inline vg_word vg_word_real(double value) { vg_word w; __builtin_memcpy(&w, &value, 8); return w; }
static inline double  vg_real_word(vg_word word) { double v; __builtin_memcpy(&v, &word, 8); return v; }

/* Where a node comes from. */
typedef struct vg_place {
    vg_span  span;      /* the expression */
    vg_call  call;      /* the calls and loops it stands in */
    vg_node  forward;   /* of a gradient node: the forward node (in the same graph) it was derived for, else 0 */
} vg_place;

/* What emit does beside appending. It may be changed between any two emits; only nodes emitted while merging are
 * ever found again, so what was emitted faithfully keeps its identity. */
typedef enum vg_emit_mode {
    VG_EMIT_FAITHFUL,    /* nothing: while the file is elaborated, and for the originals that differentiate copies */
    VG_EMIT_FOLD,        /* folds, and merges equal pure nodes */
    VG_EMIT_GRADIENT     /* the same, but alias and stop_gradient are kept: gradients may still be asked for */
} vg_emit_mode;

typedef struct vg_named { vg_str path; vg_node node; } vg_named;

typedef struct vg_graph {
    vg_ir *ir;
    VG_VEC(uint8_t)  op;                                         /* vg_op */
    VG_VEC(uint8_t)  dtype;
    VG_VEC(uint32_t) first, operand_count;                       /* into operands */
    VG_VEC(vg_node)  operands;
    VG_VEC(vg_shape) shape;
    VG_VEC(vg_attr)  attr;
    VG_VEC(vg_place) place;
    VG_VEC(vg_node)  roots;                                      /* effect nodes, in order */
    VG_VEC(vg_named) names;                                      /* path -> node, many to one, in order of binding */
    vg_map           seen;                                       /* hash -> newest node emitted while merging */
    VG_VEC(vg_node)  chain;                                      /* next older node with the same hash */
    vg_emit_mode     mode;
    bool             full;                                       /* the node limit was reached and reported */
    vg_place         here;                                       /* given to the next nodes */
} vg_graph;

void vg_graph_init(vg_graph *graph, vg_ir *ir, vg_emit_mode mode);
/* Room for `count` nodes with `operands` operands in all, so that the columns of a large graph need not grow. */
void vg_graph_reserve(vg_graph *graph, uint32_t count, uint32_t operands);
void vg_graph_free(vg_graph *graph);
static inline uint32_t vg_graph_count(const vg_graph *graph) { return graph->op.count; }   /* ids are 1..count-1 */

/* The only door: appends (or finds) a node. Returns 0 when an operand is 0, and after it has reported that
 * operands do not fit at graph->here. Operands are converted to the type the row asks for. `operands` may lie in the
 * graph's own columns. */
vg_node vg_emit(vg_graph *graph, vg_op op, const vg_node *operands, uint32_t count, vg_attr attr);
/* Copies node `from` of another graph (same ir) onto new operands of the same shapes and types, its place with it.
 * place.forward is mapped through `map` (old id -> new id) when that is not NULL. */
vg_node vg_emit_copy(vg_graph *graph, const vg_graph *other, vg_node from, const vg_node *operands, const vg_node *map);
void    vg_graph_name(vg_graph *graph, vg_str path, vg_node node);

/* Only where no later node refers to it can an operand list be read while emitting: vg_emit may move the columns. */
static inline const vg_node *vg_operands(const vg_graph *graph, vg_node node) {
    return graph->operands.items + graph->first.items[node];
}
static inline vg_node vg_operand(const vg_graph *graph, vg_node node, uint32_t k) {
    return vg_operands(graph, node)[k];
}
static inline vg_op   vg_node_op(const vg_graph *graph, vg_node node) { return (vg_op)graph->op.items[node]; }
static inline vg_shape vg_node_shape(const vg_graph *graph, vg_node node) { return graph->shape.items[node]; }
static inline vg_dtype vg_node_dtype(const vg_graph *graph, vg_node node) { return (vg_dtype)graph->dtype.items[node]; }
static inline uint32_t vg_node_rank(const vg_graph *graph, vg_node node) {
    return vg_shape_rank(&graph->ir->dims, graph->shape.items[node]);
}

/* The uniform value of a fill (or of a host-known scalar constant): true and *value. */
bool vg_node_uniform(const vg_graph *graph, vg_node node, double *value);

/* "f32[batch, 784]", in ir->arena. */
const char *vg_node_type_text(const vg_graph *graph, vg_node node);

/* Checks every invariant: ids, ranks, types, shapes inferred again, attributes, placeholders gone when
 * `differentiated`. Returns NULL, or what is wrong and where (in ir->arena). Called after every pass. */
const char *vg_verify(const vg_graph *graph, bool differentiated);

/* Text that vg_read reads back, one node a line; behind `#` its names, its place, the node it is a gradient of:
 *   %5 = matmul(%1, %4) ta=0 tb=0 : f32[batch, 128]    # h[1].z, s at models/a.nn:24:12 gradient of %3
 * The shape in an attribute is the result's, so the type says it. A constant's elements stand in the text up to
 * VG_PRINT_ELEMENTS of them; a longer one is named by its number and can be read back into the same ir only. */
enum { VG_PRINT_ELEMENTS = 256 };
void vg_print(const vg_graph *graph, vg_text *out);
void vg_print_dot(const vg_graph *graph, vg_text *out);
/* Reads printed text into an empty graph: names, numbers of nodes and gradients' forward nodes are kept, places where
 * their source is among the diagnostics' sources. A symbol is the ir's of that name, else a new one. False after
 * reporting at the place in `text`, which becomes a source called `name`. */
bool vg_read(vg_graph *graph, const char *name, const char *text);

#endif
