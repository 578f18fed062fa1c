/* Shape rules of reductions, of what works along an axis, of indices, and of matmul. */
#include "ir/build.h"
#include "ir/emit.h"
#include "ir/survey.h"

/* ---- reductions */

/* The largest of nothing does not exist. */
static bool not_empty(const vg_infer *infer, uint32_t axis) {
    if (!vg_dim_is(&infer->ir->dims, vg_shape_dim(&infer->ir->dims, vg_infer_shape(infer, 0), axis), 0)) return true;
    vg_reject(infer, axis_empty, vg_op_sign(infer->draft->op), vg_infer_shape_text(infer, vg_infer_shape(infer, 0)));
    return false;
}

bool vg_infer_reduce(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim list[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), list);
    const bool extreme = infer->draft->op == VG_OP_max || infer->draft->op == VG_OP_min;
    uint32_t reduced = infer->word_count > 1 ? 0 : (1u << rank) - 1, left = 0;
    for (uint32_t k = 1; k < infer->word_count; k++) {
        uint32_t axis;
        if (!vg_infer_axis(infer, 0, k, &axis)) return false;
        if (reduced >> axis & 1) {
            vg_reject(infer, axis_twice, vg_op_sign(infer->draft->op), vg_infer_number_text(infer, axis));
            return false;
        }
        reduced |= 1u << axis;
    }
    for (uint32_t k = 0; k < rank; k++) {
        if (reduced >> k & 1) {
            if (extreme && !not_empty(infer, k)) return false;
            if (infer->words[0]) list[left++] = vg_dim_number(dims, 1);
        } else {
            list[left++] = list[k];
        }
    }
    if (infer->draft->op == VG_OP_prod && !vg_infer_want(infer, 0, VG_F32)) return false;
    return vg_infer_result(infer, vg_shape_of(dims, list, left), vg_infer_dtype(infer, 0));
}

bool vg_infer_arg(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim list[VG_RANK_LIMIT];
    uint32_t axis;
    if (!vg_infer_axis(infer, 0, 0, &axis) || !not_empty(infer, axis)) return false;
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), list);
    for (uint32_t k = axis; k + 1 < rank; k++) list[k] = list[k + 1];
    return vg_infer_result(infer, vg_shape_of(dims, list, rank - 1), VG_I32);
}

/* [VG_SURVEY_ROWS, units] */
bool vg_infer_survey(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    uint32_t axis = 0;
    const bool whole = (int64_t)infer->words[0] == VG_SURVEY_WHOLE;
    if (!vg_infer_want(infer, 0, VG_F32) || (!whole && !vg_infer_axis(infer, 0, 0, &axis))) return false;
    const vg_dim list[2] = { vg_dim_number(dims, VG_SURVEY_ROWS),
                             whole ? vg_dim_number(dims, 1) : vg_shape_dim(dims, vg_infer_shape(infer, 0), axis) };
    return vg_infer_result(infer, vg_shape_of(dims, list, 2), VG_F32);
}

/* Running sums and softmax: along an axis, in float. */
bool vg_infer_same(vg_infer *infer) {
    uint32_t axis;
    return vg_infer_want(infer, 0, VG_F32) && vg_infer_axis(infer, 0, 0, &axis) &&
           vg_infer_result(infer, vg_infer_shape(infer, 0), VG_F32);
}

/* Of an operand and the result's adjoint, which has its shape. */
bool vg_infer_log_softmax_input(vg_infer *infer) {
    if (!vg_infer_want(infer, 1, VG_F32) || !vg_infer_same(infer)) return false;
    if (vg_infer_shape(infer, 1) == vg_infer_shape(infer, 0)) return true;
    vg_reject(infer, operand_unfit, vg_op_sign(infer->draft->op), vg_infer_type_text(infer, 1));
    return false;
}

bool vg_infer_addn(vg_infer *infer) {
    for (uint32_t k = 1; k < infer->draft->count; k++) {
        if (!vg_infer_want(infer, k, vg_infer_dtype(infer, 0))) return false;
        if (vg_infer_shape(infer, k) == vg_infer_shape(infer, 0)) continue;
        vg_reject(infer, operand_unfit, "addn", vg_infer_type_text(infer, k));
        return false;
    }
    return vg_infer_result(infer, vg_infer_shape(infer, 0), vg_infer_dtype(infer, 0));
}

/* ---- indices */

/* `shape` with `axis` replaced by the dimensions of `indices`; 0 beyond the rank limit (reported). */
static vg_shape gathered(const vg_infer *infer, vg_shape shape, vg_shape indices, uint32_t axis) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim from[VG_RANK_LIMIT], at[VG_RANK_LIMIT], list[2 * VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, shape, from), more = vg_shape_list(dims, indices, at);
    uint32_t count = 0;
    for (uint32_t k = 0; k < axis; k++) list[count++] = from[k];
    for (uint32_t k = 0; k < more; k++) list[count++] = at[k];
    for (uint32_t k = axis + 1; k < rank; k++) list[count++] = from[k];
    if (count <= VG_RANK_LIMIT) return vg_shape_of(dims, list, count);
    vg_reject(infer, rank_limit, vg_op_sign(infer->draft->op), vg_infer_number_text(infer, count),
              vg_infer_number_text(infer, VG_RANK_LIMIT));
    return 0;
}

bool vg_infer_gather(vg_infer *infer) {
    uint32_t axis;
    if (!vg_infer_indices(infer, 1) || !vg_infer_axis(infer, 0, 0, &axis)) return false;
    const vg_shape shape = gathered(infer, vg_infer_shape(infer, 0), vg_infer_shape(infer, 1), axis);
    return shape && vg_infer_result(infer, shape, vg_infer_dtype(infer, 0));
}

bool vg_infer_scatter(vg_infer *infer) {
    const vg_shape shape = (vg_shape)infer->words[0];
    const vg_word axis = infer->words[1];
    if (!vg_infer_indices(infer, 1)) return false;
    if (axis >= vg_shape_rank(&infer->ir->dims, shape) ||
        gathered(infer, shape, vg_infer_shape(infer, 1), (uint32_t)axis) != vg_infer_shape(infer, 0)) {
        vg_reject(infer, operand_unfit, "scatter", vg_infer_type_text(infer, 0));
        return false;
    }
    return vg_infer_dimensions(infer, shape) && vg_infer_result(infer, shape, vg_infer_dtype(infer, 0));
}

/* Operand 1 has the shape of operand 0's rows; with `several`, an axis behind that will do. */
static bool chooses(const vg_infer *infer, bool several) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim list[VG_RANK_LIMIT], at[VG_RANK_LIMIT];
    if (!vg_infer_indices(infer, 1)) return false;
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), list);
    const uint32_t count = vg_shape_list(dims, vg_infer_shape(infer, 1), at);
    const vg_shape rows = rank ? vg_shape_of(dims, list, rank - 1) : 0;
    const bool many = several && count == rank;
    if (rank && (many || count + 1 == rank) && vg_shape_of(dims, at, rank - 1) == rows) return true;
    vg_reject(infer, pick_mismatch, vg_infer_type_text(infer, 0), vg_infer_type_text(infer, 1));
    vg_infer_explain(infer);
    return false;
}

/* One element of each row, or several. */
bool vg_infer_pick(vg_infer *infer) {
    return chooses(infer, true) && vg_infer_result(infer, vg_infer_shape(infer, 1), vg_infer_dtype(infer, 0));
}

bool vg_infer_cross_entropy(vg_infer *infer) {
    return vg_infer_want(infer, 0, VG_F32) && chooses(infer, false) &&
           vg_infer_result(infer, vg_infer_shape(infer, 1), VG_F32);
}

bool vg_infer_cross_entropy_input(vg_infer *infer) {
    if (!vg_infer_want(infer, 0, VG_F32) || !vg_infer_want(infer, 2, VG_F32) || !chooses(infer, false)) return false;
    if (vg_infer_shape(infer, 2) == vg_infer_shape(infer, 1))
        return vg_infer_result(infer, vg_infer_shape(infer, 0), VG_F32);
    vg_reject(infer, operand_unfit, vg_op_sign(infer->draft->op), vg_infer_type_text(infer, 2));
    return false;
}

bool vg_infer_spread(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim list[VG_RANK_LIMIT];
    if (!vg_infer_indices(infer, 1)) return false;
    const bool many = infer->words[1] != 0;
    const uint32_t rank = vg_shape_list(dims, vg_infer_shape(infer, 0), list);
    if ((many ? rank == 0 : rank == VG_RANK_LIMIT) || vg_infer_shape(infer, 0) != vg_infer_shape(infer, 1)) {
        vg_reject(infer, operand_unfit, "spread", vg_infer_type_text(infer, 1));
        return false;
    }
    const uint32_t last = many ? rank - 1 : rank;
    list[last] = (vg_dim)infer->words[0];
    const vg_shape shape = vg_shape_of(dims, list, last + 1);
    return vg_infer_dimensions(infer, shape) && vg_infer_result(infer, shape, vg_infer_dtype(infer, 0));
}

/* ---- matmul */

static bool matrices(const vg_infer *infer) {
    for (uint32_t k = 0; k < 2; k++) {
        if (!vg_infer_want(infer, k, VG_F32)) return false;
        if (vg_infer_rank(infer, k) >= 2) continue;
        vg_reject(infer, matmul_rank, vg_infer_shape_text(infer, vg_infer_shape(infer, k)));
        vg_infer_explain(infer);
        return false;
    }
    return true;
}

/* A shape whose rows may lie outside of the last batch axis as if they did not, and the other way round. */
static uint32_t swap_rows(const vg_infer *infer, uint32_t k, vg_dim *list, uint32_t rank) {
    bool swapped = false;
    for (uint32_t j = 2; j < infer->word_count; j++) swapped = swapped || infer->words[j] == k;
    if (swapped && rank > 2) {
        const vg_dim rows = list[rank - 3];
        list[rank - 3] = list[rank - 2];
        list[rank - 2] = rows;
    }
    return rank;
}

static bool infer_product(vg_infer *infer) {
    vg_dims *dims = &infer->ir->dims;
    vg_dim a[VG_RANK_LIMIT], b[VG_RANK_LIMIT], list[VG_RANK_LIMIT];
    if (!matrices(infer)) return false;
    const uint32_t ra = swap_rows(infer, 0, a, vg_shape_list(dims, vg_infer_shape(infer, 0), a));
    const uint32_t rb = swap_rows(infer, 1, b, vg_shape_list(dims, vg_infer_shape(infer, 1), b));
    const bool ta = infer->words[0] != 0, tb = infer->words[1] != 0;
    const uint32_t rows = ta ? ra - 1 : ra - 2, inner_a = ta ? ra - 2 : ra - 1;      /* a: [..., rows, inner] */
    const uint32_t columns = tb ? rb - 2 : rb - 1, inner_b = tb ? rb - 1 : rb - 2;   /* b: [..., inner, columns] */
    if (a[inner_a] != b[inner_b]) {
        vg_reject(infer, matmul_mismatch, vg_infer_shape_text(infer, vg_infer_shape(infer, 0)),
                  vg_infer_shape_text(infer, vg_infer_shape(infer, 1)), vg_infer_dim_text(infer, a[inner_a]),
                  vg_infer_dim_text(infer, b[inner_b]));
        vg_infer_explain(infer);
        vg_infer_explain_axis(infer, 0, inner_a);
        vg_infer_explain_axis(infer, 1, inner_b);
        return false;
    }
    const vg_shape leading_a = vg_shape_of(dims, a, ra - 2), leading_b = vg_shape_of(dims, b, rb - 2);
    const vg_shape leading = vg_shape_broadcast(infer->ir, leading_a, leading_b);
    if (!leading) {
        vg_reject(infer, matmul_batch, vg_infer_shape_text(infer, leading_a), vg_infer_shape_text(infer, leading_b));
        vg_infer_explain(infer);
        return false;
    }
    const uint32_t rank = vg_shape_list(dims, leading, list);
    list[rank] = a[rows];
    list[rank + 1] = b[columns];
    swap_rows(infer, 2, list, rank + 2);
    return vg_infer_result(infer, vg_shape_of(dims, list, rank + 2), VG_F32);
}

bool vg_infer_matmul(vg_infer *infer) { return infer_product(infer); }

bool vg_infer_product(vg_infer *infer) {
    if (!infer_product(infer)) return false;
    if (infer->draft->count == 2 || vg_infer_shape(infer, 2) == infer->draft->shape) return true;
    vg_reject(infer, operand_unfit, "product", vg_infer_type_text(infer, 2));
    return false;
}
