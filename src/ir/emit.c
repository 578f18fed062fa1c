/* The only door into a graph: converts the operands to the type the row asks for, infers shape and type, folds,
 * looks for an equal node, and appends. */
#include "ir/emit.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "ir/build.h"

enum { SMALL = 16 };   /* operand lists up to this are copied onto the stack */

vg_node vg_emit_append(vg_graph *graph, const vg_draft *draft) {
    vg_mem *mem = graph->ir->mem;
    const vg_node node = graph->op.count;
    if (node > VG_NODE_LIMIT) {
        if (!graph->full) {
            const char *limit = vg_arena_format(&graph->ir->arena, "%d", VG_NODE_LIMIT);
            vg_report(&graph->ir->diags, limit_nodes, graph->here.span, graph->here.call, limit);
        }
        graph->full = true;
        return 0;
    }
    vg_vec_push(mem, &graph->op, (uint8_t)draft->op);
    vg_vec_push(mem, &graph->dtype, (uint8_t)draft->dtype);
    vg_vec_push(mem, &graph->first, graph->operands.count);
    vg_vec_push(mem, &graph->operand_count, draft->count);
    vg_vec_push(mem, &graph->shape, draft->shape);
    vg_vec_push(mem, &graph->attr, draft->attr);
    vg_vec_push(mem, &graph->place, graph->here);
    vg_vec_push(mem, &graph->chain, 0);
    vg_vec_reserve(mem, &graph->operands, draft->count);
    if (draft->count)
        memcpy(graph->operands.items + graph->operands.count, draft->operands, draft->count * sizeof(vg_node));
    graph->operands.count += draft->count;
    if (vg_op_is(draft->op, VG_FLAG_effect)) vg_vec_push(mem, &graph->roots, node);
    return node;
}

/* ---- types */

/* From which operand on all must have one type, or UINT32_MAX. */
static uint32_t first_of_one_type(vg_op op) {
    const vg_types types = vg_op_rows[op].types;
    if (types == VG_TYPES_keep || types == VG_TYPES_test) return 0;
    if (types == VG_TYPES_select) return 1;
    if (op == VG_OP_concat || op == VG_OP_place || op == VG_OP_addn) return 0;
    return UINT32_MAX;
}

/* Rows that compute in float whatever they are given. */
static bool computes_in_float(const vg_graph *graph, const vg_draft *draft) {
    uint32_t count;
    if (draft->op == VG_OP_pad) {
        const double value = vg_real_word(vg_attr_words(graph->ir, draft->attr, &count)[0]);
        return !(value == rint(value) && fabs(value) <= INT32_MAX);
    }
    return vg_op_rows[draft->op].types == VG_TYPES_real || vg_op_is(draft->op, VG_FLAG_real);
}

static bool convert_operands(vg_graph *graph, vg_draft *draft) {
    uint32_t first = first_of_one_type(draft->op);
    bool any_float = false;
    if (computes_in_float(graph, draft)) {
        first = 0;
        any_float = true;
    }
    for (uint32_t k = first; k < draft->count; k++)
        any_float = any_float || vg_node_dtype(graph, draft->operands[k]) == VG_F32;
    for (uint32_t k = first; k < draft->count && any_float; k++) {
        draft->operands[k] = vg_build_float(graph, draft->operands[k]);
        if (!draft->operands[k]) return false;
    }
    return true;
}

/* ---- merging */

static bool merges(const vg_graph *graph, vg_op op) {
    return graph->mode != VG_EMIT_FAITHFUL && !vg_op_is(op, VG_FLAG_effect | VG_FLAG_holder) && op != VG_OP_alias;
}

static bool equals(const vg_graph *graph, vg_node node, const vg_draft *draft) {
    return vg_node_op(graph, node) == draft->op && graph->attr.items[node] == draft->attr &&
           vg_node_shape(graph, node) == draft->shape && vg_node_dtype(graph, node) == draft->dtype &&
           graph->operand_count.items[node] == draft->count &&
           (!draft->count || !memcmp(vg_operands(graph, node), draft->operands, draft->count * sizeof(vg_node)));
}

/* Folds the draft, finds its equal, or appends it. */
static vg_node finish(vg_graph *graph, vg_draft *draft) {
    if (graph->mode != VG_EMIT_FAITHFUL) {
        const vg_node folded = vg_fold(graph, draft);
        if (folded) return folded;
    }
    if (!merges(graph, draft->op)) return vg_emit_append(graph, draft);
    uint64_t key = vg_hash_pair((uint64_t)draft->op << 32 | draft->attr, (uint64_t)draft->shape << 1 | draft->dtype);
    for (uint32_t k = 0; k < draft->count; k++) key = vg_hash_pair(key, draft->operands[k]);
    const vg_node newest = vg_map_get(&graph->seen, key);
    for (vg_node n = newest; n; n = graph->chain.items[n])
        if (equals(graph, n, draft)) return n;
    const vg_node node = vg_emit_append(graph, draft);
    if (!node) return 0;
    graph->chain.items[node] = newest;
    vg_map_put(graph->ir->mem, &graph->seen, key, node);
    return node;
}

/* ---- the door */

static vg_node emit_draft(vg_graph *graph, vg_draft *draft) {
    if (!convert_operands(graph, draft) || !vg_infer_draft(graph, draft, false)) return 0;
    return finish(graph, draft);
}

/* Calls `work` with a draft whose operands are its own copy. */
static vg_node with_operands(vg_graph *graph, vg_draft draft, const vg_node *operands,
                             vg_node (*work)(vg_graph *, vg_draft *)) {
    vg_node small[SMALL];
    for (uint32_t k = 0; k < draft.count; k++)
        if (!operands[k]) return 0;
    draft.operands = draft.count <= SMALL ? small : vg_mem_alloc(graph->ir->mem, draft.count * sizeof(vg_node));
    if (draft.count) memcpy(draft.operands, operands, draft.count * sizeof(vg_node));
    vg_node *own = draft.operands;
    const vg_node node = work(graph, &draft);
    if (own != small) vg_mem_free(graph->ir->mem, own);
    return node;
}

vg_node vg_emit(vg_graph *graph, vg_op op, const vg_node *operands, uint32_t count, vg_attr attr) {
    const vg_op_row *row = &vg_op_rows[op];
    assert(count >= row->least && (row->most == 255 || count <= row->most));
    (void)row;
    return with_operands(graph, (vg_draft){ .op = op, .count = count, .attr = attr }, operands, emit_draft);
}

vg_node vg_emit_copy(vg_graph *graph, const vg_graph *other, vg_node from, const vg_node *operands,
                     const vg_node *map) {
    const vg_place before = graph->here;
    const vg_draft draft = { vg_node_op(other, from),   NULL, other->operand_count.items[from], other->attr.items[from],
                             vg_node_shape(other, from), vg_node_dtype(other, from) };
    assert(graph->ir == other->ir);
    graph->here = other->place.items[from];
    if (map && graph->here.forward) graph->here.forward = map[graph->here.forward];
    const vg_node node = with_operands(graph, draft, operands, finish);
    graph->here = before;
    return node;
}
