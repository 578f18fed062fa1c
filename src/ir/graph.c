/* What all graphs of a model share (attributes, constants), and a graph's columns. */
#include "ir/graph.h"

#include <assert.h>
#include <string.h>

void vg_ir_init(vg_ir *ir, vg_mem *mem) {
    memset(ir, 0, sizeof *ir);
    ir->mem = mem;
    vg_arena_init(&ir->arena, mem);
    vg_strings_init(&ir->strings, mem);
    vg_dims_init(&ir->dims, mem);
    vg_diags_init(&ir->diags, mem, &ir->strings);
    vg_vec_reserve(mem, &ir->words, 256);
    vg_vec_push(mem, &ir->attrs, (vg_attr_row){ 0 });   /* attribute 0 has no words */
    vg_vec_push(mem, &ir->constants, (vg_constant){ 0 });
}

vg_attr vg_attr_of(vg_ir *ir, const vg_word *words, uint32_t count) {
    if (!count) return 0;
    const uint64_t key = vg_hash_words(words, count * sizeof *words, 2);
    const vg_attr newest = vg_map_get(&ir->attr_map, key);
    for (vg_attr a = newest; a; a = ir->attrs.items[a].chain)
        if (ir->attrs.items[a].count == count &&
            !memcmp(ir->words.items + ir->attrs.items[a].first, words, count * sizeof *words)) return a;
    /* A part of another attribute's words may be given: they move when the column grows. */
    const bool own = words >= ir->words.items && words < ir->words.items + ir->words.count;
    const size_t offset = own ? (size_t)(words - ir->words.items) : 0;
    const vg_attr made = ir->attrs.count;
    const vg_attr_row row = { ir->words.count, count, newest };
    vg_vec_push(ir->mem, &ir->attrs, row);
    vg_vec_reserve(ir->mem, &ir->words, count);
    memcpy(ir->words.items + ir->words.count, own ? ir->words.items + offset : words, count * sizeof *words);
    ir->words.count += count;
    vg_map_put(ir->mem, &ir->attr_map, key, made);
    return made;
}

const vg_word *vg_attr_words(const vg_ir *ir, vg_attr attr, uint32_t *count) {
    *count = ir->attrs.items[attr].count;
    return ir->words.items + ir->attrs.items[attr].first;
}

void vg_graph_init(vg_graph *graph, vg_ir *ir, vg_emit_mode mode) {
    memset(graph, 0, sizeof *graph);
    graph->ir = ir;
    graph->mode = mode;
    /* Node 0 is none. */
    vg_vec_push(ir->mem, &graph->op, VG_OP_none);
    vg_vec_push(ir->mem, &graph->dtype, VG_F32);
    vg_vec_push(ir->mem, &graph->first, 0);
    vg_vec_push(ir->mem, &graph->operand_count, 0);
    vg_vec_push(ir->mem, &graph->shape, 0);
    vg_vec_push(ir->mem, &graph->attr, 0);
    vg_vec_push(ir->mem, &graph->place, (vg_place){ 0 });
    vg_vec_push(ir->mem, &graph->chain, 0);
    vg_vec_reserve(ir->mem, &graph->operands, 16);
}

void vg_graph_reserve(vg_graph *graph, uint32_t count, uint32_t operands) {
    vg_mem *mem = graph->ir->mem;
    vg_vec_reserve(mem, &graph->op, count);
    vg_vec_reserve(mem, &graph->dtype, count);
    vg_vec_reserve(mem, &graph->first, count);
    vg_vec_reserve(mem, &graph->operand_count, count);
    vg_vec_reserve(mem, &graph->operands, operands);
    vg_vec_reserve(mem, &graph->shape, count);
    vg_vec_reserve(mem, &graph->attr, count);
    vg_vec_reserve(mem, &graph->place, count);
    vg_vec_reserve(mem, &graph->chain, count);
}

void vg_graph_free(vg_graph *graph) {
    vg_mem *mem = graph->ir->mem;
    vg_vec_free(mem, &graph->op);
    vg_vec_free(mem, &graph->dtype);
    vg_vec_free(mem, &graph->first);
    vg_vec_free(mem, &graph->operand_count);
    vg_vec_free(mem, &graph->operands);
    vg_vec_free(mem, &graph->shape);
    vg_vec_free(mem, &graph->attr);
    vg_vec_free(mem, &graph->place);
    vg_vec_free(mem, &graph->roots);
    vg_vec_free(mem, &graph->names);
    vg_vec_free(mem, &graph->chain);
    vg_map_free(mem, &graph->seen);
}

void vg_graph_name(vg_graph *graph, vg_str path, vg_node node) {
    assert(node && node < graph->op.count);
    vg_vec_push(graph->ir->mem, &graph->names, ((vg_named){ path, node }));
}

bool vg_node_uniform(const vg_graph *graph, vg_node node, double *value) {
    uint32_t count;
    const vg_word *words = vg_attr_words(graph->ir, graph->attr.items[node], &count);
    if (vg_node_op(graph, node) == VG_OP_fill) {
        *value = vg_real_word(words[1]);
        return true;
    }
    if (vg_node_op(graph, node) == VG_OP_constant && graph->ir->constants.items[words[1]].count == 1) {
        *value = graph->ir->constants.items[words[1]].elements[0];
        return true;
    }
    return false;
}

const char *vg_node_type_text(const vg_graph *graph, vg_node node) {
    vg_ir *ir = graph->ir;
    vg_text text = vg_text_new(ir->mem);
    vg_text_format(&text, "%s", vg_node_dtype(graph, node) == VG_I32 ? "i32" : "f32");
    vg_shape_text(&ir->dims, &ir->strings, vg_node_shape(graph, node), &text);
    const char *copy = vg_arena_copy(&ir->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copy;
}
