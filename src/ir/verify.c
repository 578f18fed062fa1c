/* Every invariant of a graph, checked after each pass: what a pass breaks is found here, not in a wrong number. */
#include <inttypes.h>

#include "ir/emit.h"

typedef struct checker {
    const vg_graph *graph;
    bool            differentiated;
    uint32_t        roots;       /* effect nodes so far */
} checker;

static const char *wrong(const vg_graph *g, vg_node node, const char *what) {
    const vg_op op = vg_node_op(g, node);
    return vg_arena_format(&g->ir->arena, "%%%" PRIu32 " = %s: %s", node,
                           op < VG_OP_COUNT ? vg_op_rows[op].name : "?", what);
}

static bool word_good(const vg_ir *ir, char kind, vg_word word) {
    if (kind == 's') return word < ir->strings.text.count;
    if (kind == 'd') return word && word < ir->dims.rows.count;
    if (kind == 'S') return word && word < ir->dims.shapes.count;
    return true;
}

/* An attribute has the words that the row's fields ask for, and ids inside it exist. */
static bool words_good(const vg_ir *ir, vg_op op, const vg_word *words, uint32_t count) {
    const char *at = vg_op_rows[op].attr;
    vg_field field;
    uint32_t k = 0;
    while (vg_op_next_field(&at, &field)) {
        if (!field.any && k == count) return false;
        const uint32_t end = field.any ? count : k + 1;
        for (; k < end; k++)
            if (!word_good(ir, field.kind, words[k])) return false;
    }
    return k == count;
}

/* NULL, or what is wrong with the lists that belong to a node. */
static const char *check_lists(const vg_graph *g, vg_node node, vg_op op) {
    uint32_t words_count;
    const uint32_t count = g->operand_count.items[node];
    const vg_op_row *row = &vg_op_rows[op];
    if (count < row->least || (row->most != 255 && count > row->most)) return "wrong number of operands";
    if ((uint64_t)g->first.items[node] + count > g->operands.count) return "operands outside the column";
    for (uint32_t k = 0; k < count; k++) {
        const vg_node operand = vg_operand(g, node, k);
        if (operand == 0 || operand >= node) return "an operand does not stand before it";
        if (vg_op_is(vg_node_op(g, operand), VG_FLAG_effect)) return "an operand is a root";
    }
    if (g->attr.items[node] >= g->ir->attrs.count) return "no such attribute";
    const vg_word *words = vg_attr_words(g->ir, g->attr.items[node], &words_count);
    if (!words_good(g->ir, op, words, words_count)) return "the attribute does not fit the row";
    if (g->shape.items[node] == 0 || g->shape.items[node] >= g->ir->dims.shapes.count) return "no such shape";
    if (g->dtype.items[node] > VG_I32) return "no such type";
    return NULL;
}

/* The shape and type that the row's rule gives are the columns'. */
static const char *check_inferred(const vg_graph *g, vg_node node, vg_op op) {
    /* Rules only read the operands; a draft owns its list because folding rewrites it. */
    vg_draft draft = { .op = op, .count = g->operand_count.items[node], .attr = g->attr.items[node] };
    draft.operands = (vg_node *)vg_operands(g, node);
    if (!vg_infer_draft(g, &draft, true)) return "the operands do not fit";
    if (draft.shape != vg_node_shape(g, node)) return "the shape is not the one that follows";
    if (draft.dtype != vg_node_dtype(g, node)) return "the type is not the one that follows";
    return NULL;
}

static const char *check_node(checker *c, vg_node node) {
    const vg_graph *g = c->graph;
    const vg_op op = vg_node_op(g, node);
    if (op == VG_OP_none || op >= VG_OP_COUNT) return "no such operator";
    const char *bad = check_lists(g, node, op);
    if (!bad) bad = check_inferred(g, node, op);
    if (bad) return bad;
    if (c->differentiated && vg_op_is(op, VG_FLAG_holder)) return "a placeholder is left";
    if (g->place.items[node].forward >= g->op.count) return "a gradient of a node that is not there";
    if (!vg_op_is(op, VG_FLAG_effect)) return NULL;
    if (c->roots >= g->roots.count || g->roots.items[c->roots] != node) return "not in the list of roots";
    c->roots++;
    return NULL;
}

const char *vg_verify(const vg_graph *graph, bool differentiated) {
    checker c = { graph, differentiated, 0 };
    const uint32_t count = vg_graph_count(graph);
    if (graph->dtype.count != count || graph->first.count != count || graph->operand_count.count != count ||
        graph->shape.count != count || graph->attr.count != count || graph->place.count != count ||
        graph->chain.count != count)
        return "the columns differ in length";
    for (vg_node node = 1; node < count; node++) {
        const char *bad = check_node(&c, node);
        if (bad) return wrong(graph, node, bad);
    }
    if (c.roots != graph->roots.count) return "the list of roots has more than the effect nodes";
    for (uint32_t k = 0; k < graph->names.count; k++) {
        const vg_named named = graph->names.items[k];
        if (named.node == 0 || named.node >= count || named.path >= graph->ir->strings.text.count)
            return vg_arena_format(&graph->ir->arena, "name %" PRIu32 " names no node", k);
    }
    return NULL;
}
