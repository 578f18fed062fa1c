/* A graph as text, one node a line, which read.c reads back. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph.h"

/* The names of a node are few, the names of a graph many: sorted once by node, in order of binding. */
typedef struct names {
    const vg_graph *graph;
    uint32_t       *first;      /* by node: into `order`; first[count] ends it */
    uint32_t       *order;      /* indices of graph->names */
} names;

static names names_by_node(const vg_graph *g) {
    vg_mem *mem = g->ir->mem;
    const uint32_t count = vg_graph_count(g);
    names n = { .graph = g };
    n.first = vg_mem_alloc(mem, (count + 2) * sizeof *n.first);
    n.order = vg_mem_alloc(mem, g->names.count * sizeof *n.order);
    for (uint32_t k = 0; k < g->names.count; k++) n.first[g->names.items[k].node + 2]++;
    for (uint32_t k = 1; k < count + 2; k++) n.first[k] += n.first[k - 1];
    for (uint32_t k = 0; k < g->names.count; k++) n.order[n.first[g->names.items[k].node + 1]++] = k;
    return n;
}

static void names_free(names *n) {
    vg_mem_free(n->graph->ir->mem, n->first);
    vg_mem_free(n->graph->ir->mem, n->order);
}

static void print_string(const char *string, vg_text *out) {
    vg_text_add(out, "\"", 1);
    for (const char *p = string; *p; p++) {
        if (*p == '"' || *p == '\\') vg_text_format(out, "\\%c", *p);
        else if ((unsigned char)*p < ' ') vg_text_format(out, "\\x%02x", (unsigned)*p);
        else vg_text_add(out, p, 1);
    }
    vg_text_add(out, "\"", 1);
}

static void print_elements(const vg_ir *ir, uint64_t data, vg_text *out) {
    const vg_constant *constant = &ir->constants.items[data];
    char number[32];
    if (constant->count > VG_PRINT_ELEMENTS) {
        vg_text_format(out, "%" PRIu64, data);
        return;
    }
    vg_text_format(out, "[");
    for (uint64_t k = 0; k < constant->count; k++)
        vg_text_format(out, "%s%s", k ? ", " : "", vg_number_text(number, constant->elements[k]));
    vg_text_format(out, "]");
}

static void print_word(const vg_ir *ir, char kind, vg_word word, vg_text *out) {
    char number[32];
    if (kind == 'i') vg_text_format(out, "%" PRId64, (int64_t)word);
    else if (kind == 'f') vg_text_format(out, "%s", vg_number_text(number, vg_real_word(word)));
    else if (kind == 's') print_string(vg_strings_text(&ir->strings, (vg_str)word), out);
    else if (kind == 'd') vg_dim_text(&ir->dims, &ir->strings, (vg_dim)word, out);
}

static void print_attr(const vg_graph *g, vg_node node, vg_text *out) {
    uint32_t count;
    vg_field field;
    const vg_op op = vg_node_op(g, node);
    const vg_word *words = vg_attr_words(g->ir, g->attr.items[node], &count);
    for (uint32_t k = 0; vg_op_field(op, k, &field); k++) {
        if (field.kind == 'S') continue;
        vg_text_format(out, " %.*s=", (int)field.length, field.name);
        if (op == VG_OP_constant && k == 1) {
            print_elements(g->ir, words[k], out);
        } else if (!field.any) {
            print_word(g->ir, field.kind, words[k], out);
        } else {
            for (uint32_t w = k; w < count; w++) {
                vg_text_format(out, w == k ? "[" : ", ");
                print_word(g->ir, field.kind, words[w], out);
            }
            vg_text_format(out, k < count ? "]" : "[]");
            break;
        }
    }
}

static void print_comment(const vg_graph *g, const names *n, vg_node node, vg_text *out) {
    const vg_place place = g->place.items[node];
    const vg_position position = vg_sources_position(&g->ir->diags.sources, place.span.begin);
    const uint32_t from = n->first[node], to = n->first[node + 1];
    if (from == to && !position.source && !place.forward) return;
    vg_text_format(out, "    #");
    for (uint32_t k = from; k < to; k++)
        vg_text_format(out, "%s %s", k > from ? "," : "",
                       vg_strings_text(&g->ir->strings, g->names.items[n->order[k]].path));
    if (position.source)
        vg_text_format(out, " at %s:%" PRIu32 ":%" PRIu32, position.source->name, position.line, position.column);
    if (place.forward) vg_text_format(out, " gradient of %%%" PRIu32, place.forward);
}

void vg_print(const vg_graph *graph, vg_text *out) {
    const vg_ir *ir = graph->ir;
    names n = names_by_node(graph);
    for (vg_node node = 1; node < vg_graph_count(graph); node++) {
        vg_text_format(out, "%%%" PRIu32 " = %s(", node, vg_op_rows[vg_node_op(graph, node)].name);
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++)
            vg_text_format(out, "%s%%%" PRIu32, k ? ", " : "", vg_operand(graph, node, k));
        vg_text_format(out, ")");
        print_attr(graph, node, out);
        vg_text_format(out, " : %s", vg_node_dtype(graph, node) == VG_I32 ? "i32" : "f32");
        vg_shape_text(&ir->dims, &ir->strings, vg_node_shape(graph, node), out);
        print_comment(graph, &n, node, out);
        vg_text_format(out, "\n");
    }
    names_free(&n);
}

/* ---- DOT */

/* A label's text: quotes and backslashes escaped. */
static void print_label(const char *text, vg_text *out) {
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') vg_text_add(out, "\\", 1);
        vg_text_add(out, p, 1);
    }
}

void vg_print_dot(const vg_graph *graph, vg_text *out) {
    const vg_ir *ir = graph->ir;
    names n = names_by_node(graph);
    vg_text_format(out, "digraph model {\n    node [shape=box, style=filled, fontname=\"monospace\"];\n");
    for (vg_node node = 1; node < vg_graph_count(graph); node++) {
        const vg_op op = vg_node_op(graph, node);
        const char *colour = graph->place.items[node].forward     ? "#ffe0cc"
                             : vg_op_is(op, VG_FLAG_effect)       ? "#d5f0d5"
                             : op == VG_OP_variable               ? "#cfe2ff"
                             : op == VG_OP_input                  ? "#e8d9ff"
                                                                  : "#f4f4f4";
        vg_text_format(out, "    n%" PRIu32 " [fillcolor=\"%s\", label=\"%s\\n%s", node, colour, vg_op_rows[op].name,
                       vg_node_dtype(graph, node) == VG_I32 ? "i32" : "f32");
        vg_shape_text(&ir->dims, &ir->strings, vg_node_shape(graph, node), out);
        for (uint32_t k = n.first[node]; k < n.first[node + 1]; k++) {
            vg_text_format(out, "\\n");
            print_label(vg_strings_text(&ir->strings, graph->names.items[n.order[k]].path), out);
        }
        vg_text_format(out, "\"];\n");
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++)
            vg_text_format(out, "    n%" PRIu32 " -> n%" PRIu32 ";\n", vg_operand(graph, node, k), node);
    }
    vg_text_format(out, "}\n");
    names_free(&n);
}
