/* Copies what the roots need into a graph that folds and merges, and once more without what folding left behind. */
#include "pass/pass.h"

typedef struct extent { uint32_t nodes, operands; } extent;

/* How much lives. */
static extent mark_live(const vg_graph *graph, uint8_t *live) {
    extent all = { 0, 0 };
    for (uint32_t k = 0; k < graph->roots.count; k++) live[graph->roots.items[k]] = 1;
    for (vg_node node = vg_graph_count(graph); node-- > 1;) {
        if (!live[node]) continue;
        all.nodes++;
        all.operands += graph->operand_count.items[node];
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) live[vg_operand(graph, node, k)] = 1;
    }
    return all;
}

/* A name goes with its node; one of a dead node is dropped. */
static void copy_live(const vg_graph *from, vg_graph *into) {
    vg_mem  *mem = into->ir->mem;
    uint32_t count = vg_graph_count(from);
    uint8_t *live = vg_mem_alloc(mem, count);
    vg_node *map = vg_mem_alloc(mem, count * sizeof *map);
    VG_VEC(vg_node) operands = { 0 };
    const extent all = mark_live(from, live);
    vg_graph_reserve(into, all.nodes, all.operands);
    for (vg_node node = 1; node < count && !into->full; node++) {
        if (!live[node]) continue;
        operands.count = 0;
        vg_vec_reserve(mem, &operands, from->operand_count.items[node]);
        for (uint32_t k = 0; k < from->operand_count.items[node]; k++) {
            operands.items[k] = map[vg_operand(from, node, k)];
        }
        map[node] = vg_emit_copy(into, from, node, operands.items, map);
    }
    for (uint32_t k = 0; k < from->names.count; k++) {
        vg_node node = map[from->names.items[k].node];
        if (node != 0) vg_graph_name(into, from->names.items[k].path, node);
    }
    vg_vec_free(mem, &operands);
    vg_mem_free(mem, map);
    vg_mem_free(mem, live);
}

void vg_pass_simplify(const vg_graph *from, vg_graph *into) {
    vg_graph folded;
    vg_graph_init(&folded, into->ir, VG_EMIT_FOLD);
    copy_live(from, &folded);
    into->mode = VG_EMIT_FAITHFUL;      /* what is folded and merged stays so */
    copy_live(&folded, into);
    into->mode = VG_EMIT_FOLD;
    vg_graph_free(&folded);
}
