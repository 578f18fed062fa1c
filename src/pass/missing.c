/* Why a gradient does not exist: y does not depend on v, or every path is cut by an operator that passes none. */
#include <string.h>

#include "pass/adjoint.h"

/* By rising id from v: which nodes up to y depend on it. */
static uint8_t *dependents(const vg_graph *graph, vg_node y, vg_node v) {
    uint8_t *depends = vg_mem_alloc(graph->ir->mem, (size_t)(y > v ? y : v) + 1);
    depends[v] = 1;
    for (vg_node node = v + 1; node <= y; node++) {
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
            depends[node] |= depends[vg_operand(graph, node, k)];
        }
    }
    return depends;
}

/* The first operator without a gradient on a path from y down to v, which y depends on. Where every operator of the
 * path has one (a condition of select, say), it is the last: the one that uses v. */
static vg_node first_block(const vg_graph *graph, vg_node y, vg_node v, const uint8_t *depends) {
    vg_node node = y, last = y;
    while (node != v && vg_op_rows[vg_node_op(graph, node)].has_gradient) {
        uint32_t k = 0;
        while (!depends[vg_operand(graph, node, k)]) k++;
        last = node;
        node = vg_operand(graph, node, k);
    }
    return node == v ? last : node;
}

enum { EXPRESSION_SHOWN = 40 };   /* characters of an expression in a message */

/* "'sum(x)'": the text that made a node, when it is short and stands in a model; else `otherwise`. */
static const char *written_text(const vg_graph *graph, vg_node node, const char *otherwise) {
    const vg_span    span = graph->place.items[node].span;
    const vg_source *source = vg_sources_at(&graph->ir->diags.sources, span.begin);
    const uint32_t   length = span.end - span.begin;
    if (!source || source->kind == VG_SOURCE_LIBRARY || length == 0 || length > EXPRESSION_SHOWN) return otherwise;
    const char *text = source->text + (span.begin - source->base);
    if (memchr(text, '\n', length)) return otherwise;
    return vg_arena_format(&graph->ir->arena, "'%.*s'", (int)length, text);
}

/* "'h[1].W'", or what it was made of where it has no name. */
static const char *name_text(const vg_graph *graph, vg_node node, const char *otherwise) {
    for (uint32_t k = 0; k < graph->names.count; k++) {
        if (graph->names.items[k].node != node) continue;
        return vg_arena_format(&graph->ir->arena, "'%s'",
                               vg_strings_text(&graph->ir->strings, graph->names.items[k].path));
    }
    return written_text(graph, node, otherwise);
}

void vg_gradient_missing(const vg_graph *graph, vg_node y, vg_node v, const vg_place *place) {
    vg_diags   *diags = &graph->ir->diags;
    const vg_span own = graph->place.items[y].span;
    /* A conversion that grad itself put in stands at its place. */
    const bool  converted = vg_node_op(graph, y) == VG_OP_float && own.begin == place->span.begin &&
                            own.end == place->span.end;
    const char *of = name_text(graph, converted ? vg_operand(graph, y, 0) : y, "the first argument of grad");
    const char *by = name_text(graph, v, "the second argument of grad");
    if (vg_node_dtype(graph, v) == VG_I32) {
        vg_report(diags, gradient_integer, place->span, place->call, by);
        return;
    }
    uint8_t *depends = dependents(graph, y, v);
    if (y > v && depends[y]) {
        vg_node     block = first_block(graph, y, v, depends);
        const char *sign = vg_op_sign(vg_node_op(graph, block));
        vg_report(diags, gradient_blocked, place->span, place->call, of, by, sign);
        vg_diags_note(diags, graph->place.items[block].span, "'%s' stands here", sign);
    } else {
        vg_report(diags, gradient_none, place->span, place->call, of, by);
    }
    vg_mem_free(graph->ir->mem, depends);
}
