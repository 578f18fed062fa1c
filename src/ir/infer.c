/* Shape and type rules: the table made from op.def, what the rules share, and the rule of elementwise operators,
 * NumPy's broadcasting on symbols: equal dimensions fit, the number 1 stretches, a symbol never equals a number. */
#include <assert.h>
#include <inttypes.h>

#include "ir/build.h"
#include "ir/emit.h"

static const vg_infer_rule rules[VG_OP_COUNT] = {
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) [VG_OP_##name] = vg_infer_map,
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) [VG_OP_##name] = vg_infer_##shape,
#include "op.def"
#undef VG_MAP
#undef VG_OP
};

bool vg_infer_draft(const vg_graph *graph, vg_draft *draft, bool quiet) {
    vg_infer infer = { .graph = graph, .ir = graph->ir, .draft = draft, .quiet = quiet };
    infer.words = vg_attr_words(graph->ir, draft->attr, &infer.word_count);
    assert(vg_op_takes_words(draft->op, infer.word_count));
    return rules[draft->op](&infer);
}

/* ---- what the rules share */

bool vg_infer_result(vg_infer *infer, vg_shape shape, vg_dtype dtype) {
    infer->draft->shape = shape;
    infer->draft->dtype = dtype;
    if (shape && vg_shape_size(&infer->ir->dims, shape)) return true;
    vg_reject(infer, shape_limit, vg_op_sign(infer->draft->op));
    vg_infer_explain(infer);
    return false;
}

bool vg_infer_want(const vg_infer *infer, uint32_t k, vg_dtype dtype) {
    if (vg_infer_dtype(infer, k) == dtype) return true;
    vg_reject(infer, operand_unfit, vg_op_sign(infer->draft->op), vg_infer_type_text(infer, k));
    return false;
}

bool vg_infer_indices(const vg_infer *infer, uint32_t k) {
    if (vg_infer_dtype(infer, k) == VG_I32) return true;
    vg_reject(infer, index_type, vg_op_sign(infer->draft->op), vg_infer_type_text(infer, k));
    return false;
}

bool vg_infer_axis(const vg_infer *infer, uint32_t k, uint32_t word, uint32_t *axis) {
    const int64_t value = (int64_t)infer->words[word];
    if (value >= 0 && value < vg_infer_rank(infer, k)) {
        *axis = (uint32_t)value;
        return true;
    }
    vg_reject(infer, axis_range, vg_op_sign(infer->draft->op), vg_infer_number_text(infer, value),
              vg_infer_type_text(infer, k));
    return false;
}

bool vg_infer_dimensions(const vg_infer *infer, vg_shape shape) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim list[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, shape, list);
    for (uint32_t k = 0; k < rank; k++) {
        int64_t number;
        if (!vg_dim_is_number(dims, list[k], &number) || number >= 0) continue;
        vg_reject(infer, dimension_negative, vg_infer_number_text(infer, number), vg_infer_shape_text(infer, shape));
        return false;
    }
    return true;
}

void vg_infer_explain(const vg_infer *infer) {
    if (!infer->quiet) vg_shape_explain(infer->graph, infer->draft->operands, infer->draft->count);
}

void vg_infer_explain_axis(const vg_infer *infer, uint32_t operand, uint32_t axis) {
    if (!infer->quiet) vg_shape_explain_axis(infer->graph, infer->draft->operands[operand], axis);
}

static const char *keep(vg_ir *ir, vg_text *text) {
    const char *copy = vg_arena_copy(&ir->arena, vg_text_c(text), text->length);
    vg_text_free(text);
    return copy;
}

const char *vg_infer_shape_text(const vg_infer *infer, vg_shape shape) {
    vg_text text = vg_text_new(infer->ir->mem);
    vg_shape_text(&infer->ir->dims, &infer->ir->strings, shape, &text);
    return keep(infer->ir, &text);
}

const char *vg_infer_dim_text(const vg_infer *infer, vg_dim dim) {
    vg_text text = vg_text_new(infer->ir->mem);
    vg_dim_text(&infer->ir->dims, &infer->ir->strings, dim, &text);
    return keep(infer->ir, &text);
}

const char *vg_infer_type_text(const vg_infer *infer, uint32_t k) {
    return vg_node_type_text(infer->graph, infer->draft->operands[k]);
}

const char *vg_infer_number_text(const vg_infer *infer, int64_t number) {
    return vg_arena_format(&infer->ir->arena, "%" PRId64, number);
}

/* ---- broadcasting */

/* The rule itself; where it fails, *clash is the axis counted from behind (0 the last). */
static vg_shape broadcast(vg_dims *dims, vg_shape a, vg_shape b, uint32_t *clash) {
    vg_dim la[VG_RANK_LIMIT], lb[VG_RANK_LIMIT], list[VG_RANK_LIMIT];
    if (a == b || b == VG_SHAPE_SCALAR) return a;
    if (a == VG_SHAPE_SCALAR) return b;
    const uint32_t ra = vg_shape_list(dims, a, la), rb = vg_shape_list(dims, b, lb), rank = ra > rb ? ra : rb;
    const vg_dim one = vg_dim_number(dims, 1);
    for (uint32_t k = 0; k < rank; k++) {
        const vg_dim da = k < ra ? la[ra - 1 - k] : one, db = k < rb ? lb[rb - 1 - k] : one;
        if (da != db && da != one && db != one) {
            *clash = k;
            return 0;
        }
        list[rank - 1 - k] = da == one ? db : da;
    }
    return vg_shape_of(dims, list, rank);
}

vg_shape vg_shape_broadcast(vg_ir *ir, vg_shape a, vg_shape b) {
    uint32_t clash;
    return broadcast(&ir->dims, a, b, &clash);
}

static uint32_t occurrences(const vg_dims *dims, vg_shape shape, vg_dim dim) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < vg_shape_rank(dims, shape); k++) count += vg_shape_dim(dims, shape, k) == dim;
    return count;
}

/* [batch, 1] with [batch] is [batch, batch]: nearly always a missing or a superfluous axis. */
static bool multiplies_symbol(const vg_infer *infer, vg_shape result) {
    const vg_dims *dims = &infer->ir->dims;
    uint32_t least = VG_RANK_LIMIT, most = 0;
    for (uint32_t k = 0; k < infer->draft->count; k++) {
        const uint32_t rank = vg_infer_rank(infer, k);
        if (vg_infer_shape(infer, k) == result) return false;
        if (rank < least) least = rank;
        if (rank > most) most = rank;
    }
    if (least == most) return false;
    for (uint32_t axis = 0; axis < vg_shape_rank(dims, result); axis++) {
        int64_t number;
        uint32_t before = 1;
        const vg_dim dim = vg_shape_dim(dims, result, axis);
        if (vg_dim_is_number(dims, dim, &number)) continue;
        for (uint32_t k = 0; k < infer->draft->count; k++) {
            const uint32_t own = occurrences(dims, vg_infer_shape(infer, k), dim);
            if (own > before) before = own;
        }
        if (occurrences(dims, result, dim) > before) return true;
    }
    return false;
}

/* Operand `k` does not fit those before it, in the axis `clash` from behind. */
static void report_clash(const vg_infer *infer, vg_shape before, uint32_t k, uint32_t clash) {
    const vg_dims *dims = &infer->ir->dims;
    const vg_shape own = vg_infer_shape(infer, k);
    const uint32_t axis = vg_shape_rank(dims, own) - 1 - clash;
    const vg_dim wanted = vg_shape_dim(dims, before, vg_shape_rank(dims, before) - 1 - clash);
    vg_reject(infer, shape_mismatch, vg_op_sign(infer->draft->op), vg_infer_shape_text(infer, before),
              vg_infer_shape_text(infer, own), vg_infer_dim_text(infer, wanted),
              vg_infer_dim_text(infer, vg_shape_dim(dims, own, axis)));
    vg_infer_explain(infer);
    for (uint32_t j = 0; j < k; j++) {
        const vg_shape shape = vg_infer_shape(infer, j);
        const uint32_t rank = vg_shape_rank(dims, shape);
        if (rank <= clash || vg_shape_dim(dims, shape, rank - 1 - clash) != wanted) continue;
        vg_infer_explain_axis(infer, j, rank - 1 - clash);
        break;
    }
    vg_infer_explain_axis(infer, k, axis);
}

static bool map_dtype(const vg_infer *infer, vg_dtype *dtype) {
    const vg_types types = vg_op_rows[infer->draft->op].types;
    const uint32_t first = types == VG_TYPES_select ? 1 : 0;
    switch (types) {
    case VG_TYPES_toint:
        *dtype = VG_I32;
        return true;
    case VG_TYPES_toreal:
        *dtype = VG_F32;
        return true;
    case VG_TYPES_real:
    case VG_TYPES_keep:
    case VG_TYPES_test:
    case VG_TYPES_select:
        *dtype = types == VG_TYPES_real ? VG_F32 : vg_infer_dtype(infer, first);
        for (uint32_t k = first; k < infer->draft->count; k++)
            if (!vg_infer_want(infer, k, *dtype)) return false;
        if (types == VG_TYPES_test) *dtype = VG_I32;
        return true;
    case VG_TYPES_none:
        break;
    }
    assert(false && "a map row");
    return false;
}

bool vg_infer_map(vg_infer *infer) {
    vg_dtype dtype;
    vg_shape shape = vg_infer_shape(infer, 0);
    if (!map_dtype(infer, &dtype)) return false;
    for (uint32_t k = 1; k < infer->draft->count; k++) {
        uint32_t clash = 0;
        const vg_shape both = broadcast(&infer->ir->dims, shape, vg_infer_shape(infer, k), &clash);
        if (!both) {
            report_clash(infer, shape, k, clash);
            return false;
        }
        shape = both;
    }
    if (multiplies_symbol(infer, shape)) {
        const uint32_t last = infer->draft->count - 1;
        vg_reject(infer, broadcast_twice, vg_op_sign(infer->draft->op),
                  vg_infer_shape_text(infer, vg_infer_shape(infer, last - 1)),
                  vg_infer_shape_text(infer, vg_infer_shape(infer, last)), vg_infer_shape_text(infer, shape));
        vg_infer_explain(infer);
        return false;
    }
    return vg_infer_result(infer, shape, dtype);
}
