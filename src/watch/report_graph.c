/* The model's graph for the report: columns by node, so that thousands of nodes stay small. */
#include <string.h>

#include "watch/report.h"
#include "watch/sink.h"

/* More than that and nobody looks at them in a page. */
enum { NODES_SHOWN = 60000 };
static const char too_large[] = "The report is without the graph, which has more than 60,000 nodes.";

typedef VG_VEC(const char *) text_list;
typedef VG_VEC(json_int_t) number_list;

/* Lines are from 1; 0: no place. line: where the model says it, or calls what says it; inner_*: the place itself, when
 * that is in a file of the library; caller: the line of the outermost call of a layer or function. */
struct vg_report_graph {
    const vg_unit  *unit;
    const vg_graph *graph;
    vg_arena       *arena;
    vg_map          types, files, lines;         /* key -> index + 1, and offset -> line */
    text_list       type_texts, file_texts, operations;
    number_list     op, type, arity, operands, forward, line, caller, inner_file, inner_line;
    number_list     named, tagged, tag_kind, updates;   /* nodes */
    text_list       paths, tags, updated, variables, initials;
};

static void push(vg_report_graph *r, number_list *list, uint64_t number) {
    vg_vec_push(r->arena->mem, list, (json_int_t)number);
}

static void push_text(vg_report_graph *r, text_list *list, const char *text) {
    const char *copy = vg_sink_utf8(r->arena, text, strlen(text));
    vg_vec_push(r->arena->mem, list, copy);
}

static const char *text_of(const vg_report_graph *r, vg_str id) {
    return vg_strings_text(&r->graph->ir->strings, id);
}

/* The index of "f32[batch, 128]". */
static uint32_t type_of(vg_report_graph *r, vg_node node) {
    const vg_graph *g = r->graph;
    const vg_shape shape = vg_node_shape(g, node);
    const uint64_t key = vg_hash_pair(shape, vg_node_dtype(g, node));
    uint32_t place = vg_map_get(&r->types, key);
    if (!place) {
        vg_text text = vg_text_new(r->arena->mem);
        vg_text_format(&text, "%s", vg_node_dtype(g, node) == VG_I32 ? "i32" : "f32");
        vg_shape_text(&g->ir->dims, &g->ir->strings, shape, &text);
        push_text(r, &r->type_texts, vg_text_c(&text));
        vg_text_free(&text);
        place = r->type_texts.count;
        vg_map_put(r->arena->mem, &r->types, key, place);
    }
    return place - 1;
}

/* The line at an offset of the sources, each looked for once. */
static uint32_t line_at(vg_report_graph *r, uint32_t offset) {
    uint32_t line = vg_map_get(&r->lines, offset);
    if (!line && offset) {
        line = vg_sources_position(&r->graph->ir->diags.sources, offset).line;
        if (line) {
            vg_map_put(r->arena->mem, &r->lines, offset, line);
        }
    }
    return line;
}

static uint32_t file_of(vg_report_graph *r, const vg_source *source) {
    uint32_t place = vg_map_get(&r->files, source->base);
    if (!place) {
        push_text(r, &r->file_texts, source->name);
        place = r->file_texts.count;
        vg_map_put(r->arena->mem, &r->files, source->base, place);
    }
    return place - 1;
}

static const vg_source *source_at(const vg_report_graph *r, uint32_t offset) {
    return vg_sources_at(&r->graph->ir->diags.sources, offset);
}

/* 0 when the offset is not in the model's own file. */
static uint32_t model_line(vg_report_graph *r, uint32_t offset) {
    const vg_source *source = source_at(r, offset);
    return source && source->kind == VG_SOURCE_MODEL ? line_at(r, offset) : 0;
}

static void add_place(vg_report_graph *r, const vg_place *place) {
    const vg_diags *diags = &r->graph->ir->diags;
    const vg_source *own = source_at(r, place->span.begin);
    const bool elsewhere = own && own->kind != VG_SOURCE_MODEL;
    uint32_t caller = 0;
    for (vg_call call = place->call; call; call = diags->calls.items[call].parent) {
        const vg_call_row *row = &diags->calls.items[call];
        const uint32_t line = row->kind == VG_CALL_LOOP ? 0 : model_line(r, row->span.begin);
        caller = line ? line : caller;
    }
    const vg_span shown = elsewhere ? vg_diags_place(diags, place->span, place->call) : place->span;
    push(r, &r->line, model_line(r, shown.begin));
    push(r, &r->caller, caller);
    push(r, &r->inner_file, elsewhere ? file_of(r, own) + 1 : 0);
    push(r, &r->inner_line, elsewhere ? line_at(r, place->span.begin) : 0);
}

static void add_node(vg_report_graph *r, vg_node node) {
    const vg_graph *g = r->graph;
    push(r, &r->op, vg_node_op(g, node));
    push(r, &r->type, type_of(r, node));
    push(r, &r->arity, g->operand_count.items[node]);
    for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
        push(r, &r->operands, vg_operand(g, node, k));
    }
    push(r, &r->forward, g->place.items[node].forward);
    add_place(r, &g->place.items[node]);
    uint32_t count;
    const vg_word *words = vg_attr_words(g->ir, g->attr.items[node], &count);
    if (vg_node_op(g, node) == VG_OP_update) {
        push(r, &r->updates, node);
        push_text(r, &r->updated, text_of(r, (vg_str)words[0]));
    }
    if (vg_node_op(g, node) == VG_OP_summary) {
        push(r, &r->tagged, vg_operand(g, node, 0));
        push(r, &r->tag_kind, words[1]);
        push_text(r, &r->tags, text_of(r, (vg_str)words[0]));
    }
}

vg_report_graph *vg_report_graph_of(const vg_unit *unit, vg_arena *arena, const char **missing) {
    const vg_graph *g = &unit->graph[1];
    const uint32_t count = vg_graph_count(g);
    *missing = count > NODES_SHOWN ? too_large : NULL;
    if (*missing || count < 2) {
        return NULL;
    }
    vg_report_graph *r = VG_NEW(arena, vg_report_graph);
    r->unit = unit;
    r->graph = g;
    r->arena = arena;
    for (uint32_t k = 0; k < VG_OP_COUNT; k++) {
        push_text(r, &r->operations, vg_op_rows[k].name ? vg_op_rows[k].name : "");
    }
    for (vg_node node = 1; node < count; node++) {
        add_node(r, node);
    }
    for (uint32_t k = 0; k < g->names.count; k++) {
        push(r, &r->named, g->names.items[k].node);
        push_text(r, &r->paths, text_of(r, g->names.items[k].path));
    }
    for (uint32_t k = 0; k < unit->variables.count; k++) {
        if (!unit->variables.items[k].trainable) {
            continue;
        }
        push_text(r, &r->variables, text_of(r, unit->variables.items[k].path));
        push_text(r, &r->initials, text_of(r, unit->variables.items[k].initial));
    }
    return r;
}

/* ---- JSON: NULL without memory */

static json_t *numbers(const number_list *list) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < list->count && array; i++) {
        if (json_array_append_new(array, json_integer(list->items[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *texts(const text_list *list) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < list->count && array; i++) {
        if (json_array_append_new(array, json_string(list->items[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *vg_report_graph_object(const vg_report_graph *r) {
    if (!r) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o}",
        "operations", texts(&r->operations), "types", texts(&r->type_texts), "files", texts(&r->file_texts),
        "op", numbers(&r->op), "type", numbers(&r->type), "arity", numbers(&r->arity),
        "operands", numbers(&r->operands), "forward", numbers(&r->forward), "line", numbers(&r->line),
        "caller", numbers(&r->caller), "innerFile", numbers(&r->inner_file), "innerLine", numbers(&r->inner_line),
        "named", numbers(&r->named), "paths", texts(&r->paths), "tagged", numbers(&r->tagged),
        "tagKind", numbers(&r->tag_kind), "tags", texts(&r->tags), "updates", numbers(&r->updates),
        "updated", texts(&r->updated), "variables", texts(&r->variables),
        "initials", texts(&r->initials));
}
