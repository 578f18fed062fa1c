/* A graph as JSON lines, a node a line, for other programs. */
#include <stdlib.h>

#include "api/look.h"
#include "base/json.h"

typedef struct lines {
    vg_model       *model;
    const vg_graph *graph;
    const vg_planned *planned;      /* NULL: of a graph that is not planned */
    uint32_t        turn, pass;
    uint32_t       *first, *next;   /* by node its first name, + 1; by name the next one of the same node, + 1 */
    vg_text        *out;
} lines;

/* Of each node, in the order in which they were bound. */
static void sort_names(lines *l) {
    const vg_graph *graph = l->graph;
    l->first = vg_mem_alloc(&l->model->mem, vg_graph_count(graph) * sizeof *l->first);
    l->next = vg_mem_alloc(&l->model->mem, graph->names.count * sizeof *l->next);
    for (uint32_t k = graph->names.count; k-- > 0;) {
        uint32_t *head = &l->first[graph->names.items[k].node];
        l->next[k] = *head;
        *head = k + 1;
    }
}

static void free_names(lines *l) {
    vg_mem_free(&l->model->mem, l->first);
    vg_mem_free(&l->model->mem, l->next);
}

static json_t *operand_list(const vg_graph *graph, vg_node node) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < graph->operand_count.items[node]; k++)
        list = vg_json_add(list, json_integer(vg_operand(graph, node, k)));
    return list;
}

/* Numbers, and the names of dimensions that are not known yet: [128, "batch"]. */
static json_t *shape_list(const lines *l, vg_node node) {
    const vg_ir *ir = l->graph->ir;
    vg_dim dims[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(&ir->dims, vg_node_shape(l->graph, node), dims);
    json_t *list = json_array();
    for (uint32_t k = 0; k < rank; k++) {
        int64_t number;
        vg_text text = vg_text_new(&l->model->mem);
        if (vg_dim_is_number(&ir->dims, dims[k], &number)) {
            list = vg_json_add(list, json_integer(number));
            continue;
        }
        vg_dim_text(&ir->dims, &ir->strings, dims[k], &text);
        list = vg_json_add(list, json_string(vg_text_c(&text)));
        vg_text_free(&text);
    }
    return list;
}

static json_t *name_list(const lines *l, vg_node node) {
    const vg_graph *graph = l->graph;
    json_t *list = json_array();
    for (uint32_t k = l->first[node]; k; k = l->next[k - 1])
        list = vg_json_add(list, json_string(vg_strings_text(&graph->ir->strings, graph->names.items[k - 1].path)));
    return list;
}

static json_t *add_plan(const lines *l, vg_node node, json_t *object) {
    const vg_planned *p = l->planned;
    object = vg_json_put(object, "turn", json_integer(l->turn));
    object = vg_json_put(object, "pass", json_integer(l->pass));
    if (p->schedule.stores[node]) return vg_json_put(object, "in_variable", json_true());
    if (p->plan.offset[node] < 0) return object;
    object = vg_json_put(object, "at", json_integer(p->plan.offset[node]));
    return vg_json_put(object, "bytes", json_integer((json_int_t)p->plan.bytes[node]));
}

static json_t *node_object(const lines *l, vg_node node) {
    const vg_graph *graph = l->graph;
    const vg_place place = graph->place.items[node];
    const vg_position position = vg_sources_position(&graph->ir->diags.sources, place.span.begin);
    json_t *object = json_object();
    object = vg_json_put(object, "id", json_integer(node));
    object = vg_json_put(object, "op", json_string(vg_op_rows[vg_node_op(graph, node)].name));
    object = vg_json_put(object, "operands", operand_list(graph, node));
    object = vg_json_put(object, "dtype", json_string(vg_node_dtype(graph, node) == VG_I32 ? "i32" : "f32"));
    object = vg_json_put(object, "shape", shape_list(l, node));
    if (l->first[node]) object = vg_json_put(object, "names", name_list(l, node));
    if (position.source) {
        object = vg_json_put(object, "file", json_string(position.source->name));
        object = vg_json_put(object, "line", json_integer(position.line));
    }
    if (place.forward) object = vg_json_put(object, "gradient_of", json_integer(place.forward));
    return l->planned ? add_plan(l, node, object) : object;
}

static void add_line(const lines *l, vg_node node) {
    json_t *object = node_object(l, node);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text) vg_mem_fail(&l->model->mem);
    void *owned = vg_mem_own(&l->model->mem, free, text);
    vg_text_format(l->out, "%s\n", text);
    vg_mem_disown(&l->model->mem, owned, true);
}

void vg_look_json(vg_model *model, const vg_graph *graph, vg_text *out) {
    lines l = { .model = model, .graph = graph, .out = out };
    sort_names(&l);
    for (vg_node node = 1; node < vg_graph_count(graph); node++) add_line(&l, node);
    free_names(&l);
}

void vg_look_json_plan(vg_model *model, const vg_planned *planned, uint32_t turn, vg_text *out) {
    const vg_schedule *schedule = &planned->schedule;
    lines l = { .model = model, .graph = &model->unit.graph[1], .planned = planned, .turn = turn, .out = out };
    sort_names(&l);
    for (; l.pass < schedule->step_count; l.pass++)
        for (uint32_t k = schedule->step[l.pass]; k < schedule->step[l.pass + 1]; k++) add_line(&l, schedule->order[k]);
    free_names(&l);
}
