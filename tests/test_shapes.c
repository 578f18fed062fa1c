/* Shape and type rules: what each operator gives for what, and what it says when the operands do not fit. */
#include "graph_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ir/build.h"
#include "ir/emit.h"

enum { BATCH = -99 };   /* the symbol batch, where a word of an attribute is a dimension */

/* Words of the attribute behind the shape; `shape` is the attribute's, when the row has one. Either the type expected,
 * or the code of the error. */
typedef struct rule {
    vg_op       op;
    const char *operands[4];
    const char *shape;
    int         count, words[8];
    const char *type;
    vg_code     code;
} rule;

#define ERROR(name) NULL, VG_D_##name

static const rule rules[] = {
    /* broadcasting */
    { VG_OP_add, { "f32[batch, 784]", "f32[784]" }, NULL, 0, { 0 }, "f32[batch, 784]", 0 },
    { VG_OP_add, { "f32[batch, 1]", "f32[1, 784]" }, NULL, 0, { 0 }, "f32[batch, 784]", 0 },
    { VG_OP_add, { "f32[]", "f32[batch]" }, NULL, 0, { 0 }, "f32[batch]", 0 },
    { VG_OP_add, { "f32[2 * batch, 3]", "f32[batch + batch, 1]" }, NULL, 0, { 0 }, "f32[2 * batch, 3]", 0 },
    { VG_OP_add, { "f32[batch]", "f32[128]" }, NULL, 0, { 0 }, ERROR(shape_mismatch) },
    { VG_OP_add, { "f32[3, 2]", "f32[3]" }, NULL, 0, { 0 }, ERROR(shape_mismatch) },
    { VG_OP_add, { "f32[batch]", "f32[n]" }, NULL, 0, { 0 }, ERROR(shape_mismatch) },
    { VG_OP_add, { "f32[0]", "f32[1]" }, NULL, 0, { 0 }, "f32[0]", 0 },
    { VG_OP_sub, { "f32[batch, 1]", "f32[batch]" }, NULL, 0, { 0 }, ERROR(broadcast_twice) },
    { VG_OP_sub, { "f32[batch, 1]", "f32[1, batch]" }, NULL, 0, { 0 }, "f32[batch, batch]", 0 },
    { VG_OP_sub, { "f32[batch, batch]", "f32[batch]" }, NULL, 0, { 0 }, "f32[batch, batch]", 0 },
    { VG_OP_select, { "i32[4, 1]", "f32[3]", "f32[]" }, NULL, 0, { 0 }, "f32[4, 3]", 0 },
    { VG_OP_select, { "i32[4]", "f32[3]", "f32[]" }, NULL, 0, { 0 }, ERROR(shape_mismatch) },
    { VG_OP_add, { "f32[batch, batch, 1]", "f32[3]" }, NULL, 0, { 0 }, "f32[batch, batch, 3]", 0 },
    { VG_OP_add, { "f32[batch, batch, 1]", "f32[batch]" }, NULL, 0, { 0 }, ERROR(broadcast_twice) },
    { VG_OP_select, { "i32[4, 1]", "f32[3]", "f32[5]" }, NULL, 0, { 0 }, ERROR(shape_mismatch) },
    { VG_OP_select, { "i32[]", "f32[3]", "f32[5]" }, NULL, 0, { 0 }, ERROR(shape_mismatch) },
    { VG_OP_mul, { "f32[4000000000, 1]", "f32[1, 4000000000]" }, NULL, 0, { 0 }, ERROR(shape_limit) },
    /* types */
    { VG_OP_add, { "i32[3]", "i32[]" }, NULL, 0, { 0 }, "i32[3]", 0 },
    { VG_OP_add, { "i32[3]", "f32[]" }, NULL, 0, { 0 }, "f32[3]", 0 },
    { VG_OP_div, { "i32[3]", "i32[]" }, NULL, 0, { 0 }, "f32[3]", 0 },
    { VG_OP_lt, { "i32[3]", "f32[3]" }, NULL, 0, { 0 }, "i32[3]", 0 },
    { VG_OP_select, { "f32[]", "i32[2]", "i32[]" }, NULL, 0, { 0 }, "i32[2]", 0 },
    { VG_OP_select, { "f32[]", "i32[2]", "f32[]" }, NULL, 0, { 0 }, "f32[2]", 0 },
    { VG_OP_int, { "f32[2]" }, NULL, 0, { 0 }, "i32[2]", 0 },
    { VG_OP_exp, { "i32[2]" }, NULL, 0, { 0 }, "f32[2]", 0 },
    { VG_OP_concat, { "i32[2]", "f32[3]" }, NULL, 1, { 0 }, "f32[5]", 0 },
    { VG_OP_prod, { "i32[2, 3]" }, NULL, 1, { 0 }, "f32[]", 0 },
    { VG_OP_matmul, { "i32[2, 3]", "f32[3, 2]" }, NULL, 2, { 0, 0 }, "f32[2, 2]", 0 },
    /* reductions */
    { VG_OP_sum, { "f32[batch, 3]" }, NULL, 1, { 0 }, "f32[]", 0 },
    { VG_OP_sum, { "i32[batch, 3]" }, NULL, 2, { 0, 1 }, "i32[batch]", 0 },
    { VG_OP_sum, { "f32[batch, 3]" }, NULL, 2, { 1, 0 }, "f32[1, 3]", 0 },
    { VG_OP_sum, { "f32[batch, 3]" }, NULL, 2, { 1, 2 }, ERROR(axis_range) },
    { VG_OP_sum, { "f32[batch, 3]" }, NULL, 3, { 1, 1, 1 }, ERROR(axis_twice) },
    { VG_OP_sum, { "f32[0]" }, NULL, 1, { 0 }, "f32[]", 0 },
    { VG_OP_max, { "f32[0]" }, NULL, 1, { 0 }, ERROR(axis_empty) },
    { VG_OP_max, { "f32[0, 3]" }, NULL, 2, { 0, 1 }, "f32[0]", 0 },
    { VG_OP_argmax, { "f32[batch, 10]" }, NULL, 1, { 1 }, "i32[batch]", 0 },
    { VG_OP_argmax, { "f32[batch, 0]" }, NULL, 1, { 1 }, ERROR(axis_empty) },
    { VG_OP_argmin, { "f32[3]" }, NULL, 1, { -1 }, ERROR(axis_range) },
    { VG_OP_softmax, { "f32[batch, 10]" }, NULL, 1, { 1 }, "f32[batch, 10]", 0 },
    { VG_OP_cumsum, { "i32[3]" }, NULL, 1, { 1 }, ERROR(axis_range) },
    /* moves */
    { VG_OP_reshape, { "f32[batch, 28, 28]" }, "[batch, 784]", 0, { 0 }, "f32[batch, 784]", 0 },
    { VG_OP_reshape, { "f32[batch, 28, 28]" }, "[784 * batch]", 0, { 0 }, "f32[784 * batch]", 0 },
    { VG_OP_reshape, { "f32[batch, 28]" }, "[3584]", 0, { 0 }, ERROR(reshape_size) },
    { VG_OP_reshape, { "f32[4]" }, "[-2, -2]", 0, { 0 }, ERROR(dimension_negative) },
    { VG_OP_reshape, { "f32[4]" }, "[4000000000, 4000000000]", 0, { 0 }, ERROR(shape_limit) },
    { VG_OP_transpose, { "f32[batch, 2, 3]" }, NULL, 3, { 2, 0, 1 }, "f32[3, batch, 2]", 0 },
    { VG_OP_transpose, { "f32[batch, 2]" }, NULL, 2, { 0, 0 }, ERROR(transpose_axes) },
    { VG_OP_transpose, { "f32[batch, 2]" }, NULL, 1, { 0 }, ERROR(transpose_axes) },
    { VG_OP_transpose, { "f32[batch, 2]" }, NULL, 2, { 0, 70 }, ERROR(transpose_axes) },
    { VG_OP_broadcast, { "f32[1, 3]" }, "[batch, 3]", 0, { 0 }, "f32[batch, 3]", 0 },
    { VG_OP_broadcast, { "f32[2, 3]" }, "[3]", 0, { 0 }, ERROR(broadcast_shape) },
    { VG_OP_broadcast, { "f32[3]" }, "[batch]", 0, { 0 }, ERROR(broadcast_shape) },
    { VG_OP_broadcast, { "f32[]" }, "[-2, 2]", 0, { 0 }, ERROR(dimension_negative) },
    { VG_OP_slice, { "f32[batch, 10]" }, NULL, 2, { 0, 1 }, ERROR(operand_unfit) },
    { VG_OP_slice, { "f32[batch, 10]" }, NULL, 4, { 0, BATCH, 2, 5 }, "f32[batch, 3]", 0 },
    { VG_OP_slice, { "f32[batch]" }, NULL, 2, { 0, 1 }, "f32[1]", 0 },
    { VG_OP_slice, { "f32[batch]" }, NULL, 2, { 1, BATCH }, "f32[batch - 1]", 0 },
    { VG_OP_slice, { "f32[batch]" }, NULL, 2, { 0, 10 }, ERROR(slice_unsure) },
    { VG_OP_slice, { "f32[10]" }, NULL, 2, { 0, BATCH }, ERROR(slice_unsure) },
    { VG_OP_slice, { "f32[10]" }, NULL, 2, { 3, 11 }, ERROR(slice_range) },
    { VG_OP_slice, { "f32[10]" }, NULL, 2, { 5, 4 }, ERROR(slice_range) },
    { VG_OP_slice, { "f32[10]" }, NULL, 2, { -1, 4 }, ERROR(slice_range) },
    { VG_OP_slice, { "f32[10]" }, NULL, 2, { 4, 4 }, "f32[0]", 0 },
    { VG_OP_place, { "f32[2]", "f32[3]" }, "[5]", 2, { 0, 2 }, "f32[5]", 0 },
    { VG_OP_place, { "f32[2]", "f32[3]" }, "[5]", 2, { 0, 3 }, ERROR(operand_unfit) },
    { VG_OP_place, { "f32[2]", "f32[2]" }, "[5]", 2, { -1, 3 }, ERROR(operand_unfit) },
    { VG_OP_place, { "f32[2]", "f32[]" }, "[5]", 2, { 0, 0 }, ERROR(operand_unfit) },
    { VG_OP_place, { "f32[2]", "f32[2]" }, "[5]", 1, { 0 }, ERROR(operand_unfit) },
    { VG_OP_concat, { "f32[batch, 2]", "f32[batch, 2]" }, NULL, 1, { 2 }, ERROR(axis_range) },
    { VG_OP_concat, { "f32[batch, 2]", "f32[batch, 3]" }, NULL, 1, { 1 }, "f32[batch, 5]", 0 },
    { VG_OP_concat, { "f32[batch, 2]", "f32[n, 2]" }, NULL, 1, { 0 }, "f32[batch + n, 2]", 0 },
    { VG_OP_concat, { "f32[batch, 2]", "f32[batch, 3]" }, NULL, 1, { 0 }, ERROR(concat_mismatch) },
    { VG_OP_concat, { "f32[2]", "f32[2, 2]" }, NULL, 1, { 0 }, ERROR(concat_mismatch) },
    { VG_OP_pad, { "f32[batch, 3]" }, NULL, 5, { 0, 1, 0, 2, 3 }, "f32[batch + 1, 8]", 0 },
    { VG_OP_pad, { "f32[3]" }, NULL, 3, { 0, -1, 0 }, ERROR(pad_negative) },
    { VG_OP_pad, { "f32[3, 2]" }, NULL, 3, { 0, 1, 0 }, ERROR(operand_unfit) },
    { VG_OP_flip, { "f32[3, 2]" }, NULL, 1, { 2 }, ERROR(axis_range) },
    { VG_OP_flip, { "f32[3, 2]" }, NULL, 2, { 0, 1 }, "f32[3, 2]", 0 },
    { VG_OP_flip, { "f32[3, 2]" }, NULL, 2, { 1, 1 }, ERROR(axis_twice) },
    /* indices */
    { VG_OP_gather, { "f32[50, 8]", "i32[batch, 7]" }, NULL, 1, { 0 }, "f32[batch, 7, 8]", 0 },
    { VG_OP_gather, { "f32[50, 8]", "i32[]" }, NULL, 1, { 1 }, "f32[50]", 0 },
    { VG_OP_gather, { "f32[50, 8]", "f32[batch]" }, NULL, 1, { 0 }, ERROR(index_type) },
    { VG_OP_gather, { "f32[50, 8]", "i32[batch]" }, NULL, 1, { 2 }, ERROR(axis_range) },
    { VG_OP_gather, { "f32[1, 1, 1, 1, 1]", "i32[1, 1, 1, 1, 1]" }, NULL, 1, { 0 }, ERROR(rank_limit) },
    { VG_OP_scatter, { "f32[batch, 8]", "i32[batch]" }, "[50, 8]", 1, { 0 }, "f32[50, 8]", 0 },
    { VG_OP_scatter, { "f32[batch, 8]", "i32[n]" }, "[50, 8]", 1, { 0 }, ERROR(operand_unfit) },
    { VG_OP_scatter, { "f32[batch, 8]", "i32[batch]" }, "[50, 8]", 1, { 2 }, ERROR(operand_unfit) },
    { VG_OP_scatter, { "f32[batch, 8]", "f32[batch]" }, "[50, 8]", 1, { 0 }, ERROR(index_type) },
    { VG_OP_scatter, { "f32[batch, 8]", "i32[batch]" }, "[-2, 8]", 1, { 0 }, ERROR(dimension_negative) },
    { VG_OP_pick, { "f32[]", "i32[]" }, NULL, 0, { 0 }, ERROR(pick_mismatch) },
    { VG_OP_pick, { "f32[batch, 10]", "i32[batch]" }, NULL, 0, { 0 }, "f32[batch]", 0 },
    { VG_OP_pick, { "f32[batch, 10]", "i32[10]" }, NULL, 0, { 0 }, ERROR(pick_mismatch) },
    { VG_OP_pick, { "f32[batch, 10]", "f32[batch]" }, NULL, 0, { 0 }, ERROR(index_type) },
    { VG_OP_cross_entropy, { "f32[batch, 10]", "i32[batch]" }, NULL, 0, { 0 }, "f32[batch]", 0 },
    { VG_OP_cross_entropy, { "f32[batch, 10]", "i32[batch, 2]" }, NULL, 0, { 0 }, ERROR(pick_mismatch) },
    { VG_OP_cross_entropy, { "f32[batch, 10]", "f32[batch]" }, NULL, 0, { 0 }, ERROR(index_type) },
    { VG_OP_cross_entropy, { "i32[batch, 10]", "i32[batch]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
    { VG_OP_cross_entropy_input, { "f32[batch, 10]", "i32[batch]", "f32[batch]" }, NULL, 0, { 0 }, "f32[batch, 10]", 0 },
    { VG_OP_cross_entropy_input, { "f32[batch, 10]", "i32[10]", "f32[10]" }, NULL, 0, { 0 }, ERROR(pick_mismatch) },
    { VG_OP_cross_entropy_input, { "f32[batch, 10]", "i32[batch]", "f32[1]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
    { VG_OP_cross_entropy_input, { "f32[batch, 10]", "i32[batch]", "i32[batch]" }, NULL, 0, { 0 },
      ERROR(operand_unfit) },
    { VG_OP_log_softmax_input, { "f32[batch, 10]", "f32[batch, 10]" }, NULL, 1, { 0 }, "f32[batch, 10]", 0 },
    { VG_OP_log_softmax_input, { "f32[batch, 10]", "f32[batch, 1]" }, NULL, 1, { 0 }, ERROR(operand_unfit) },
    { VG_OP_log_softmax_input, { "f32[batch, 10]", "f32[batch, 10]" }, NULL, 1, { 2 }, ERROR(axis_range) },
    { VG_OP_spread, { "f32[batch]", "i32[batch]" }, NULL, 2, { 10, 0 }, "f32[batch, 10]", 0 },
    { VG_OP_spread, { "f32[batch]", "f32[batch]" }, NULL, 2, { 10, 0 }, ERROR(index_type) },
    { VG_OP_spread, { "f32[batch]", "i32[n]" }, NULL, 2, { 10, 0 }, ERROR(operand_unfit) },
    { VG_OP_spread, { "f32[1, 1, 1, 1, 1, 1, 1, 1]", "i32[1, 1, 1, 1, 1, 1, 1, 1]" }, NULL, 2, { 2, 0 },
      ERROR(operand_unfit) },
    { VG_OP_spread, { "f32[batch]", "i32[batch]" }, NULL, 2, { -1, 0 }, ERROR(dimension_negative) },
    /* products */
    { VG_OP_matmul, { "f32[batch, 784]", "f32[784, 128]" }, NULL, 2, { 0, 0 }, "f32[batch, 128]", 0 },
    { VG_OP_matmul, { "f32[784, batch]", "f32[128, 784]" }, NULL, 2, { 1, 1 }, "f32[batch, 128]", 0 },
    { VG_OP_matmul, { "f32[batch, 4, 7, 3]", "f32[4, 3, 5]" }, NULL, 2, { 0, 0 }, "f32[batch, 4, 7, 5]", 0 },
    { VG_OP_matmul, { "f32[batch, 784]", "f32[128, 10]" }, NULL, 2, { 0, 0 }, ERROR(matmul_mismatch) },
    { VG_OP_matmul, { "f32[784]", "f32[784, 10]" }, NULL, 2, { 0, 0 }, ERROR(matmul_rank) },
    { VG_OP_matmul, { "f32[2, 4, 3]", "f32[5, 3, 4]" }, NULL, 2, { 0, 0 }, ERROR(matmul_batch) },
    { VG_OP_product, { "f32[7, batch]", "f32[8, 7]", "f32[batch, 8]" }, NULL, 2, { 1, 1 }, "f32[batch, 8]", 0 },
    { VG_OP_product, { "f32[2, 7, 4, 3]", "f32[2, 9, 4, 3]" }, NULL, 4, { 0, 1, 0, 1 }, "f32[2, 4, 7, 9]", 0 },
    { VG_OP_product, { "f32[batch, 4, 7, 9]", "f32[9, 4, 3]" }, NULL, 4, { 0, 0, 1, 2 }, "f32[batch, 7, 4, 3]", 0 },
    { VG_OP_product, { "f32[7, 4, 3]", "f32[4, 5, 3]" }, NULL, 3, { 0, 1, 0 }, "f32[4, 7, 5]", 0 },
    { VG_OP_product, { "f32[4, 7, 3]", "f32[4, 5, 3]" }, NULL, 3, { 0, 1, 0 }, ERROR(matmul_batch) },
    { VG_OP_product, { "f32[3, 4]", "f32[4, 5]", "f32[5, 3]" }, NULL, 2, { 0, 0 }, ERROR(operand_unfit) },
    { VG_OP_addn, { "f32[3]", "f32[3]", "f32[3]" }, NULL, 0, { 0 }, "f32[3]", 0 },
    { VG_OP_addn, { "f32[3]", "f32[3]", "f32[1]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
    /* placeholders and leaves */
    { VG_OP_grad, { "f32[]", "f32[784, 128]" }, NULL, 1, { 1 }, "f32[784, 128]", 0 },
    { VG_OP_grad, { "f32[batch]", "f32[784, 128]" }, NULL, 1, { 1 }, ERROR(grad_not_scalar) },
    { VG_OP_replace, { "f32[]", "f32[3]", "f32[3]" }, NULL, 0, { 0 }, "f32[]", 0 },
    { VG_OP_replace, { "f32[]", "f32[3]", "f32[4]" }, NULL, 0, { 0 }, ERROR(replace_mismatch) },
    { VG_OP_replace, { "f32[]", "f32[3]", "i32[3]" }, NULL, 0, { 0 }, ERROR(replace_mismatch) },
    { VG_OP_replace, { "f32[]", "f32[3]", "f32[3]", "f32[]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
    { VG_OP_fill, { NULL }, "[3]", 2, { 1, VG_I32 }, "i32[3]", 0 },
    { VG_OP_fill, { NULL }, "[3]", 2, { 1, 7 }, ERROR(operand_unfit) },
    { VG_OP_fill, { NULL }, "[-2, 2]", 2, { 1, 0 }, ERROR(dimension_negative) },
    { VG_OP_fill, { NULL }, "[4000000000, 4000000000]", 2, { 1, 0 }, ERROR(shape_limit) },
    { VG_OP_constant, { NULL }, "[3]", 2, { 0, 0 }, ERROR(operand_unfit) },
    { VG_OP_constant, { NULL }, "[3]", 2, { 99, 0 }, ERROR(operand_unfit) },
    { VG_OP_iota, { NULL }, NULL, 1, { BATCH }, "i32[batch]", 0 },
    { VG_OP_iota, { NULL }, NULL, 1, { -3 }, ERROR(dimension_negative) },
};

/* The operands as inputs, and `batch` as symbol 1. */
static uint32_t make_operands(fixture *f, vg_graph *graph, const rule *row, vg_node *nodes) {
    char text[600] = "%1 = iota() count=batch : i32[batch]\n";
    uint32_t count = 0;
    for (; count < 4 && row->operands[count]; count++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%%%u = input() path=\"x%u\" type=%d : %s\n", count + 2, count,
                 row->operands[count][0] == 'i', row->operands[count]);
        nodes[count] = count + 2;
    }
    fixture_read(f, graph, text);
    return count;
}

/* The shape "[batch, 784]", by way of a node of it; one that no node has from its two numbers. */
static vg_shape shape_of(fixture *f, const char *shape) {
    char text[200];
    vg_graph graph;
    int64_t a, b;
    if (sscanf(shape, "[%" SCNd64 ", %" SCNd64 "]", &a, &b) == 2 && (a < 0 || a > INT32_MAX)) {
        const vg_dim list[] = { vg_dim_number(&f->ir.dims, a), vg_dim_number(&f->ir.dims, b) };
        return vg_shape_of(&f->ir.dims, list, 2);
    }
    snprintf(text, sizeof text, "%%1 = input() path=\"s\" type=0 : f32%s\n", shape);
    fixture_read(f, &graph, text);
    return vg_node_shape(&graph, 1);
}

static vg_attr make_attr(fixture *f, const rule *row) {
    vg_word words[16];
    vg_field field;
    uint32_t count = 0;
    if (row->shape) words[count++] = shape_of(f, row->shape);
    for (int k = 0; k < row->count; k++) {
        assert_true(vg_op_field(row->op, count, &field));
        const int word = row->words[k];
        if (field.kind == 'f') words[count++] = vg_word_real(word);
        else if (field.kind == 'd' && word == BATCH) words[count++] = vg_dim_symbol(&f->ir.dims, 1);
        else if (field.kind == 'd') words[count++] = vg_dim_number(&f->ir.dims, word);
        else words[count++] = (vg_word)(int64_t)word;
    }
    return vg_attr_of(&f->ir, words, count);
}

/* The verifier asks the same rules: they refuse as well, and say nothing. */
static void assert_refused_quietly(fixture *f, const vg_graph *graph, const rule *row, vg_node *nodes, uint32_t count) {
    const uint32_t before = f->ir.diags.list.count, notes = f->ir.diags.notes.count;
    vg_draft draft = { .op = row->op, .operands = nodes, .count = count, .attr = make_attr(f, row) };
    if (vg_infer_draft(graph, &draft, true)) fail_msg("%s of %s passed", vg_op_rows[row->op].name, row->operands[0]);
    assert_int_equal(f->ir.diags.list.count, before);
    assert_int_equal(f->ir.diags.notes.count, notes);
}

static void rules_of_operators(void **state) {
    fixture *f = *state;
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        const rule *row = &rules[k];
        vg_graph graph;
        vg_node nodes[4];
        const uint32_t count = make_operands(f, &graph, row, nodes);
        const uint32_t before = f->ir.diags.list.count, nodes_before = vg_graph_count(&graph);
        const uint32_t unique = (uint32_t)k + 1;   /* one report for each place and code */
        graph.here.span = (vg_span){ unique, unique };
        const vg_node node = vg_emit(&graph, row->op, nodes, count, make_attr(f, row));
        if (row->type) {
            if (!node) fail_msg("row %zu, %s: %s", k, vg_op_rows[row->op].name, vg_vec_last(&f->ir.diags.list).text);
            assert_string_equal(vg_node_type_text(&graph, node), row->type);
            assert_null(vg_verify(&graph, false));
        } else {
            if (node || f->ir.diags.list.count != before + 1 || vg_vec_last(&f->ir.diags.list).code != row->code)
                fail_msg("row %zu, %s: not the error expected", k, vg_op_rows[row->op].name);
            assert_true(vg_graph_count(&graph) <= nodes_before + 2);   /* nothing but conversions */
            assert_refused_quietly(f, &graph, row, nodes, count);
        }
        vg_graph_free(&graph);
    }
}

/* Emit converts operands; in a text, or after a broken pass, they may come as they should not. */
static void operands_of_another_type_are_refused(void **state) {
    fixture *f = *state;
    static const rule table[] = {
        { VG_OP_add, { "i32[3]", "f32[3]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
        { VG_OP_exp, { "i32[3]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
        { VG_OP_select, { "i32[3]", "f32[3]", "i32[3]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
        { VG_OP_addn, { "f32[3]", "i32[3]" }, NULL, 0, { 0 }, ERROR(operand_unfit) },
        { VG_OP_prod, { "i32[3]" }, NULL, 1, { 0 }, ERROR(operand_unfit) },
        { VG_OP_softmax, { "i32[3]" }, NULL, 1, { 0 }, ERROR(operand_unfit) },
        { VG_OP_concat, { "f32[3]", "i32[3]" }, NULL, 1, { 0 }, ERROR(operand_unfit) },
        { VG_OP_place, { "f32[2]", "i32[3]" }, "[5]", 2, { 0, 2 }, ERROR(operand_unfit) },
        { VG_OP_matmul, { "f32[3, 3]", "i32[3, 3]" }, NULL, 2, { 0, 0 }, ERROR(operand_unfit) },
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        vg_graph graph;
        vg_node nodes[4];
        const uint32_t count = make_operands(f, &graph, &table[k], nodes);
        const uint32_t before = f->ir.diags.list.count, unique = (uint32_t)k + 1;
        vg_draft draft = { .op = table[k].op, .operands = nodes, .count = count, .attr = make_attr(f, &table[k]) };
        assert_refused_quietly(f, &graph, &table[k], nodes, count);
        graph.here.span = (vg_span){ unique, unique };
        assert_false(vg_infer_draft(&graph, &draft, false));
        assert_int_equal(f->ir.diags.list.count, before + 1);
        assert_int_equal(vg_vec_last(&f->ir.diags.list).code, table[k].code);
        vg_graph_free(&graph);
    }
}

static void an_operand_of_none_gives_none(void **state) {
    fixture *f = *state;
    vg_graph graph;
    fixture_read(f, &graph, "%1 = step() turn=0 : i32[]\n");
    assert_int_equal(vg_build_map2(&graph, VG_OP_add, 1, 0), 0);
    assert_int_equal(vg_build_mean(&graph, 0, 1, false), 0);
    assert_int_equal(vg_build_reduce(&graph, VG_OP_sum, 0, 1, false), 0);
    assert_int_equal(vg_build_reshape(&graph, 0, VG_SHAPE_SCALAR), 0);
    assert_int_equal(vg_build_broadcast(&graph, 0, VG_SHAPE_SCALAR), 0);
    assert_int_equal(vg_build_reshape(&graph, 1, 0), 0);
    assert_int_equal(vg_build_broadcast(&graph, 1, 0), 0);
    assert_int_equal(vg_build_transpose(&graph, 0, NULL), 0);
    assert_int_equal(vg_build_unbroadcast(&graph, 0, VG_SHAPE_SCALAR), 0);
    assert_int_equal(vg_build_slice(&graph, 0, NULL), 0);
    assert_int_equal(f->ir.diags.list.count, 0);
    assert_int_equal(vg_graph_count(&graph), 2);
}

static void unbroadcast_is_the_adjoint_of_broadcast(void **state) {
    fixture *f = *state;
    static const char *const pairs[][2] = {
        { "[batch, 3]", "[batch, 3]" }, { "[batch, 3]", "[3]" },      { "[batch, 3]", "[1, 3]" },
        { "[batch, 3]", "[]" },         { "[5, batch, 3]", "[batch, 1]" },
    };
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
        vg_graph graph;
        char text[100];
        const vg_shape want = shape_of(f, pairs[k][1]);
        snprintf(text, sizeof text, "%%1 = input() path=\"x\" type=0 : f32%s\n", pairs[k][0]);
        fixture_read(f, &graph, text);
        const vg_node node = vg_build_unbroadcast(&graph, 1, want);
        assert_int_equal(vg_node_shape(&graph, node), want);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_start, fixture_end)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rules_of_operators), CASE(operands_of_another_type_are_refused),
        CASE(an_operand_of_none_gives_none), CASE(unbroadcast_is_the_adjoint_of_broadcast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
