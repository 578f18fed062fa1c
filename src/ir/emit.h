/* What the files behind vg_emit share: a node about to be appended, the shape rules and the folding rules. */
#ifndef VG_IR_EMIT_H
#define VG_IR_EMIT_H

#include "ir/graph.h"

/* `operands` belongs to the draft: rules may rewrite it. */
typedef struct vg_draft {
    vg_op    op;
    vg_node *operands;
    uint32_t count;
    vg_attr  attr;
    vg_shape shape;
    vg_dtype dtype;
} vg_draft;

/* Appends the draft as it is. 0 when the graph is full. */
vg_node vg_emit_append(vg_graph *graph, const vg_draft *draft);

/* ---- shape and type rules (infer*.c), one per word in op.def's column `shape` */
typedef struct vg_infer {
    const vg_graph *graph;
    vg_ir          *ir;
    vg_draft       *draft;
    const vg_word  *words;
    uint32_t        word_count;
    bool            quiet;       /* report nothing: vg_verify only asks */
} vg_infer;

/* Sets draft->shape and ->dtype, or returns false after reporting. */
typedef bool (*vg_infer_rule)(vg_infer *infer);
bool vg_infer_draft(const vg_graph *graph, vg_draft *draft, bool quiet);

bool vg_infer_map(vg_infer *infer);
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc)
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) bool vg_infer_##shape(vg_infer *infer);
#include "op.def"
#undef VG_MAP
#undef VG_OP

static inline vg_shape vg_infer_shape(const vg_infer *i, uint32_t k) {
    return i->graph->shape.items[i->draft->operands[k]];
}
static inline vg_dtype vg_infer_dtype(const vg_infer *i, uint32_t k) {
    return (vg_dtype)i->graph->dtype.items[i->draft->operands[k]];
}
static inline uint32_t vg_infer_rank(const vg_infer *i, uint32_t k) {
    return vg_shape_rank(&i->ir->dims, vg_infer_shape(i, k));
}
/* The result: true, or false after reporting that a dimension does not fit (shape 0). */
bool vg_infer_result(vg_infer *infer, vg_shape shape, vg_dtype dtype);
/* Operand `k` has this type: emit converts, so anything else comes from a text or from a broken pass. */
bool vg_infer_want(const vg_infer *infer, uint32_t k, vg_dtype dtype);
/* Operand `k`, the indices of this row, is integer. */
bool vg_infer_indices(const vg_infer *infer, uint32_t k);
/* Every operand's shape as notes, unless quiet; and where an axis came from. */
void vg_infer_explain(const vg_infer *infer);
void vg_infer_explain_axis(const vg_infer *infer, uint32_t operand, uint32_t axis);
/* Word `word` names an axis of operand `k`. */
bool vg_infer_axis(const vg_infer *infer, uint32_t k, uint32_t word, uint32_t *axis);
/* Every dimension is not known to be negative. */
bool vg_infer_dimensions(const vg_infer *infer, vg_shape shape);

/* For messages, in ir->arena. */
const char *vg_infer_shape_text(const vg_infer *infer, vg_shape shape);
const char *vg_infer_dim_text(const vg_infer *infer, vg_dim dim);
const char *vg_infer_type_text(const vg_infer *infer, uint32_t k);
const char *vg_infer_number_text(const vg_infer *infer, int64_t number);

/* Reports at the graph's current place; the rule then returns false. */
#define vg_reject(infer, code, ...)                                                                              \
    do {                                                                                                         \
        if (!(infer)->quiet)                                                                                     \
            vg_report(&(infer)->ir->diags, code, (infer)->graph->here.span, (infer)->graph->here.call, __VA_ARGS__); \
    } while (0)

/* ---- folding (fold.c): a node that already has the draft's value, or 0; may simplify the draft in place. */
vg_node vg_fold(vg_graph *graph, vg_draft *draft);

#endif
