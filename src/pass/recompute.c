/* What is rather computed again than kept. The gradient reads what the forward part has made long before, from memory that
 * is far by then; a value that takes one operation on another one that is kept anyway costs less to make once more, in
 * the pass that reads it, than to write and to read. The same operation gives the same bits. */
#include "pass/pass.h"

enum { FORWARD = 1, ELEMENTWISE = 2, OTHERWISE = 4 };      /* who reads a value: the latter two of the gradient */

/* The only operand that is as large as the node itself, of an operator that takes hardly any time; 0: none. */
static vg_node made_of(const vg_graph *g, vg_node node) {
    const vg_op op = vg_node_op(g, node);
    vg_node whole = 0;
    double value;
    if (!vg_op_is(op, VG_FLAG_map) || vg_op_rows[op].flops > 1 || g->place.items[node].forward != 0) return 0;
    for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
        const vg_node operand = vg_operand(g, node, k);
        if (vg_node_shape(g, operand) != vg_node_shape(g, node)) continue;
        if (whole != 0 || vg_node_uniform(g, operand, &value)) return 0;
        whole = operand;
    }
    return whole;
}

static void find_readers(const vg_graph *g, uint8_t *readers) {
    for (vg_node node = 1; node < vg_graph_count(g); node++) {
        const bool gradient = g->place.items[node].forward != 0, map = vg_op_is(vg_node_op(g, node), VG_FLAG_map);
        for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
            const vg_node operand = vg_operand(g, node, k);
            const bool alike = map && vg_node_shape(g, operand) == vg_node_shape(g, node);
            readers[operand] |= !gradient ? FORWARD : alike ? ELEMENTWISE : OTHERWISE;
        }
    }
}

bool vg_find_recomputed(const vg_graph *g, vg_mem *mem, uint8_t *again) {
    const uint32_t count = vg_graph_count(g);
    uint8_t *readers = vg_mem_alloc(mem, count), *makes = vg_mem_alloc(mem, count);
    bool any = false;
    find_readers(g, readers);
    for (vg_node node = 1; node < count; node++) {      /* a first time: what two are made of is kept for both */
        const vg_node from = readers[node] == (FORWARD | ELEMENTWISE) ? made_of(g, node) : 0;
        if (from != 0 && makes[from] < 2) makes[from]++;
    }
    for (vg_node node = 1; node < count; node++) {
        const vg_node from = readers[node] == (FORWARD | ELEMENTWISE) ? made_of(g, node) : 0;
        again[node] = from != 0 && !again[from] && (makes[from] > 1 || readers[from] > FORWARD);
        any = any || again[node];
    }
    vg_mem_free(mem, makes);
    vg_mem_free(mem, readers);
    return any;
}
