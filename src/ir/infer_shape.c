/* Shape rules of what only moves values: reshape, transpose, broadcast, slice, place, concat, pad, flip. */
#include "ir/build.h"
#include "ir/emit.h"

bool vg_infer_reshape(vg_infer *infer) {
    const vg_dims *dims = &infer->ir->dims;
    const vg_shape from = vg_infer_shape(infer, 0), to = (vg_shape)infer->words[0];
    if (!vg_infer_dimensions(infer, to)) return false;
    const vg_dim have = vg_shape_size(dims, from), want = vg_shape_size(dims, to);
    if (want && have != want) {
        vg_reject(infer, reshape_size, vg_infer_shape_text(infer, from), vg_infer_shape_text(infer, to),
                  vg_infer_dim_text(infer, have), vg_infer_dim_text(infer, want));
        return false;
    }
    return vg_infer_result(infer, to, vg_infer_dtype(infer, 0));
}

bool vg_infer_transpose(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim from[VG_RANK_LIMIT], to[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), from);
    uint32_t seen = 0;
    bool good = infer->word_count == rank;
    for (uint32_t k = 0; good && k < rank; k++) {
        good = infer->words[k] < rank && !(seen >> infer->words[k] & 1);
        if (!good) break;
        seen |= 1u << infer->words[k];
        to[k] = from[infer->words[k]];
    }
    if (!good) {
        vg_reject(infer, transpose_axes, vg_infer_shape_text(infer, vg_infer_shape(infer, 0)), vg_infer_number_text(infer, rank));
        return false;
    }
    return vg_infer_result(infer, vg_shape_of(dims, to, rank), vg_infer_dtype(infer, 0));
}

bool vg_infer_broadcast(vg_infer *infer) {
    const vg_shape from = vg_infer_shape(infer, 0), to = (vg_shape)infer->words[0];
    if (!vg_infer_dimensions(infer, to)) return false;
    if (vg_shape_broadcast(infer->ir, from, to) != to) {
        vg_reject(infer, broadcast_shape, vg_infer_shape_text(infer, from), vg_infer_shape_text(infer, to));
        vg_infer_explain(infer);
        return false;
    }
    return vg_infer_result(infer, to, vg_infer_dtype(infer, 0));
}

/* 0 <= from <= to <= length for every value of the symbols, else reported. */
static bool slice_fits(const vg_infer *infer, uint32_t axis, vg_dim from, vg_dim to, vg_dim length) {
    vg_dims *dims = &infer->ir->dims;
    const vg_answer a = vg_dim_at_most(dims, vg_dim_number(dims, 0), from), b = vg_dim_at_most(dims, from, to),
                    c = vg_dim_at_most(dims, to, length);
    if (a == VG_ALWAYS && b == VG_ALWAYS && c == VG_ALWAYS) return true;
    if (a == VG_NEVER || b == VG_NEVER || c == VG_NEVER)
        vg_reject(infer, slice_range, vg_infer_dim_text(infer, from), vg_infer_dim_text(infer, to),
                  vg_infer_number_text(infer, axis), vg_infer_shape_text(infer, vg_infer_shape(infer, 0)));
    else
        vg_reject(infer, slice_unsure, vg_infer_dim_text(infer, from), vg_infer_dim_text(infer, to),
                  vg_infer_number_text(infer, axis), vg_infer_shape_text(infer, vg_infer_shape(infer, 0)));
    vg_infer_explain_axis(infer, 0, axis);
    return false;
}

bool vg_infer_slice(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim list[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), list);
    if (infer->word_count != 2 * rank) {
        vg_reject(infer, operand_unfit, "slice", vg_infer_type_text(infer, 0));
        return false;
    }
    for (uint32_t k = 0; k < rank; k++) {
        const vg_dim from = (vg_dim)infer->words[2 * k], to = (vg_dim)infer->words[2 * k + 1];
        if (!slice_fits(infer, k, from, to, list[k])) return false;
        list[k] = vg_dim_subtract(dims, to, from);
    }
    return vg_infer_result(infer, vg_shape_of(dims, list, rank), vg_infer_dtype(infer, 0));
}

bool vg_infer_place(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    const vg_shape shape = (vg_shape)infer->words[0];
    const uint32_t rank = vg_shape_rank(dims, shape);
    bool good = infer->word_count == 1 + infer->draft->count * rank;
    uint32_t bad = 0;
    for (uint32_t k = 0; good && k < infer->draft->count; k++) {
        bad = k;
        good = vg_infer_rank(infer, k) == rank && vg_infer_dtype(infer, k) == vg_infer_dtype(infer, 0);
        for (uint32_t axis = 0; good && axis < rank; axis++) {
            const vg_dim origin = (vg_dim)infer->words[1 + k * rank + axis];
            const vg_dim end = vg_dim_add(dims, origin, vg_shape_dim(dims, vg_infer_shape(infer, k), axis));
            good = vg_dim_at_most(dims, vg_dim_number(dims, 0), origin) == VG_ALWAYS && end &&
                   vg_dim_at_most(dims, end, vg_shape_dim(dims, shape, axis)) == VG_ALWAYS;
        }
    }
    if (!good) {
        vg_reject(infer, operand_unfit, "place", vg_infer_type_text(infer, bad));
        return false;
    }
    return vg_infer_dimensions(infer, shape) && vg_infer_result(infer, shape, vg_infer_dtype(infer, 0));
}

bool vg_infer_concat(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    uint32_t axis;
    vg_dim list[VG_RANK_LIMIT], own[VG_RANK_LIMIT];
    if (!vg_infer_axis(infer, 0, 0, &axis)) return false;
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), list);
    for (uint32_t k = 1; k < infer->draft->count; k++) {
        if (!vg_infer_want(infer, k, vg_infer_dtype(infer, 0))) return false;
        bool good = vg_shape_list(dims, vg_infer_shape(infer, k), own) == rank;
        for (uint32_t d = 0; good && d < rank; d++) good = d == axis || own[d] == list[d];
        if (!good) {
            vg_reject(infer, concat_mismatch, vg_infer_shape_text(infer, vg_infer_shape(infer, 0)),
                      vg_infer_shape_text(infer, vg_infer_shape(infer, k)),
                      vg_infer_number_text(infer, axis));
            vg_infer_explain(infer);
            return false;
        }
        list[axis] = vg_dim_add(dims, list[axis], own[axis]);
    }
    return vg_infer_result(infer, vg_shape_of(dims, list, rank), vg_infer_dtype(infer, 0));
}

bool vg_infer_pad(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim list[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), list);
    if (infer->word_count != 1 + 2 * rank) {
        vg_reject(infer, operand_unfit, "pad", vg_infer_type_text(infer, 0));
        return false;
    }
    for (uint32_t k = 0; k < 2 * rank; k++) {
        const vg_dim width = (vg_dim)infer->words[1 + k];
        if (vg_dim_at_most(dims, vg_dim_number(dims, 0), width) != VG_ALWAYS) {
            vg_reject(infer, pad_negative, vg_infer_dim_text(infer, width), vg_infer_number_text(infer, k / 2));
            return false;
        }
        list[k / 2] = vg_dim_add(dims, list[k / 2], width);
    }
    return vg_infer_result(infer, vg_shape_of(dims, list, rank), vg_infer_dtype(infer, 0));
}

bool vg_infer_flip(vg_infer *infer) {
    uint32_t axis, seen = 0;
    for (uint32_t k = 0; k < infer->word_count; k++) {
        if (!vg_infer_axis(infer, 0, k, &axis)) return false;
        if (seen >> axis & 1) {
            vg_reject(infer, axis_twice, "flip", vg_infer_number_text(infer, axis));
            return false;
        }
        seen |= 1u << axis;
    }
    return vg_infer_result(infer, vg_infer_shape(infer, 0), vg_infer_dtype(infer, 0));
}
