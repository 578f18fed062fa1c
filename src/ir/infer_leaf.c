/* Shape rules of leaves, placeholders and roots. */
#include "ir/emit.h"

/* Word 0 is the result's shape. */
static bool given_shape(vg_infer *infer, vg_dtype dtype) {
    const vg_shape shape = (vg_shape)infer->words[0];
    return vg_infer_dimensions(infer, shape) && vg_infer_result(infer, shape, dtype);
}

/* Word 2 is a vg_dtype. */
static bool typed_leaf(vg_infer *infer) {
    const vg_word type = infer->words[2];
    if (type != VG_F32 && type != VG_I32) {
        vg_reject(infer, operand_unfit, vg_op_sign(infer->draft->op), vg_infer_number_text(infer, (int64_t)type));
        return false;
    }
    return given_shape(infer, (vg_dtype)type);
}

bool vg_infer_fill(vg_infer *infer) { return typed_leaf(infer); }

bool vg_infer_input(vg_infer *infer) { return typed_leaf(infer); }

bool vg_infer_constant(vg_infer *infer) {
    const vg_ir *ir = infer->ir;
    const vg_word data = infer->words[1];
    const vg_dim size = vg_shape_size(&ir->dims, (vg_shape)infer->words[0]);
    if (data == 0 || data >= ir->constants.count || !size ||
        !vg_dim_is(&ir->dims, size, (int64_t)ir->constants.items[data].count)) {
        vg_reject(infer, operand_unfit, "constant", vg_infer_shape_text(infer, (vg_shape)infer->words[0]));
        return false;
    }
    return typed_leaf(infer);
}

bool vg_infer_variable(vg_infer *infer) { return given_shape(infer, VG_F32); }

bool vg_infer_random(vg_infer *infer) { return given_shape(infer, VG_F32); }

bool vg_infer_step(vg_infer *infer) { return vg_infer_result(infer, VG_SHAPE_SCALAR, VG_I32); }

bool vg_infer_dimension(vg_infer *infer) { return vg_infer_result(infer, VG_SHAPE_SCALAR, VG_F32); }

bool vg_infer_iota(vg_infer *infer) {
    const vg_dim count = (vg_dim)infer->words[0];
    const vg_shape shape = vg_shape_of(&infer->ir->dims, &count, 1);
    return vg_infer_dimensions(infer, shape) && vg_infer_result(infer, shape, VG_I32);
}

bool vg_infer_grad(vg_infer *infer) {
    if (vg_infer_shape(infer, 0) != VG_SHAPE_SCALAR) {
        vg_reject(infer, grad_not_scalar, vg_infer_type_text(infer, 0));
        return false;
    }
    return vg_infer_result(infer, vg_infer_shape(infer, 1), VG_F32);
}

bool vg_infer_replace(vg_infer *infer) {
    if (infer->draft->count % 2 == 0) {
        vg_reject(infer, operand_unfit, "replace", vg_infer_type_text(infer, infer->draft->count - 1));
        return false;
    }
    for (uint32_t k = 1; k < infer->draft->count; k += 2) {
        if (vg_infer_shape(infer, k) == vg_infer_shape(infer, k + 1) &&
            vg_infer_dtype(infer, k) == vg_infer_dtype(infer, k + 1)) continue;
        vg_reject(infer, replace_mismatch, vg_infer_type_text(infer, k), vg_infer_type_text(infer, k + 1));
        return false;
    }
    return vg_infer_result(infer, vg_infer_shape(infer, 0), vg_infer_dtype(infer, 0));
}

bool vg_infer_effect(vg_infer *infer) {
    return vg_infer_result(infer, vg_infer_shape(infer, 0), vg_infer_dtype(infer, 0));
}
