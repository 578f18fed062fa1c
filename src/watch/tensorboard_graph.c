/* The model's graph as TensorBoard's GraphDef. `/` makes its nested boxes: a path h[1].W becomes h/h[1]/W; a node
 * without a name stands in the box of the named node it is computed for, a gradient's in the same box under
 * gradients/. */
#include <string.h>

#include "tensorboard.pb-c.h"
#include "watch/tensorboard.h"

/* More nodes than that and TensorBoard's layout does not end; 32,768 nodes are about 4 MB. */
enum { NODES_SHOWN = 1 << 15 };
static const char too_large[] = "the event file is without the graph, which has more than the 32,768 nodes that "
                                "TensorBoard can lay out";

typedef struct graph_names {
    const vg_graph *graph;
    vg_arena       *arena;
    vg_str         *path;     /* by node: its first name, or 0 */
    vg_node        *owner;    /* by node: the named node or root in whose box it stands; 0: none */
    char          **text;     /* by node: its name in the GraphDef */
} graph_names;

/* h[1].W -> h/h[1]/W. Blanks go: t[1, 2] -> t/t[1,2]. */
static char *nested(vg_arena *arena, const char *path) {
    char *out = vg_arena_alloc(arena, 2 * strlen(path) + 2);
    size_t used = 0, begin = 0;   /* of this component in `out` */
    for (const char *c = path; *c; c++) {
        if (*c == '[' && used > begin) {   /* the family's name is a box of its own */
            const size_t length = used - begin;
            out[used] = '/';
            memcpy(out + used + 1, out + begin, length);
            begin = used + 1;
            used += length + 1;
        }
        if (*c == '.') {
            out[used++] = '/';
            begin = used;
        } else if (*c != ' ') {
            out[used++] = *c;
        }
    }
    return out;
}

/* Consumers have larger ids, so going down every node knows its first consumer's owner when its turn comes. */
static void find_owners(graph_names *names) {
    const vg_graph *g = names->graph;
    for (uint32_t i = 0; i < g->names.count; i++) {
        const vg_named *named = &g->names.items[i];
        if (names->path[named->node] == 0) {
            names->path[named->node] = named->path;
        }
    }
    for (vg_node node = vg_graph_count(g) - 1; node > 0; node--) {
        if (names->path[node] || vg_op_is(vg_node_op(g, node), VG_FLAG_effect)) {
            names->owner[node] = node;
        }
        for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
            names->owner[vg_operand(g, node, k)] = names->owner[node];
        }
    }
}

/* The box that a node's unnamed companions stand in. */
static const char *box_of(const graph_names *names, vg_node node) {
    const vg_node owner = names->owner[node];
    if (owner == 0) {
        return "other";
    }
    if (names->path[owner]) {
        return nested(names->arena, vg_strings_text(&names->graph->ir->strings, names->path[owner]));
    }
    return vg_op_rows[vg_node_op(names->graph, owner)].name;
}

/* Paths have no '.' left after nesting, so OP.ID is nobody else's name. */
static char *name_of(const graph_names *names, vg_node node) {
    const vg_graph *g = names->graph;
    if (names->path[node]) {
        return nested(names->arena, vg_strings_text(&g->ir->strings, names->path[node]));
    }
    const vg_node forward = g->place.items[node].forward;
    const char *box = box_of(names, forward ? forward : node);
    return vg_arena_format(names->arena, "%s%s/%s.%u", forward ? "gradients/" : "", box,
                           vg_op_rows[vg_node_op(g, node)].name, node);
}

static VgTb__Shape *shape_message(const vg_graph *g, vg_node node, vg_arena *arena) {
    vg_dim list[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(&g->ir->dims, vg_node_shape(g, node), list);
    VgTb__Shape *shape = VG_NEW(arena, VgTb__Shape);
    vg_tb__shape__init(shape);
    shape->n_dim = rank;
    shape->dim = VG_ARRAY(arena, VgTb__Dim *, rank);
    for (uint32_t axis = 0; axis < rank; axis++) {
        VgTb__Dim *dim = shape->dim[axis] = VG_NEW(arena, VgTb__Dim);
        vg_tb__dim__init(dim);
        dim->has_size = true;
        if (!vg_dim_is_number(&g->ir->dims, list[axis], &dim->size)) {
            dim->size = -1;   /* known when the batch is */
        }
    }
    return shape;
}

static VgTb__Attr *shape_attribute(const vg_graph *g, vg_node node, vg_arena *arena) {
    char *key = vg_arena_format(arena, "_output_shapes");
    VgTb__List *list = VG_NEW(arena, VgTb__List);
    vg_tb__list__init(list);
    list->n_shape = 1;
    list->shape = VG_NEW(arena, VgTb__Shape *);
    list->shape[0] = shape_message(g, node, arena);
    VgTb__AttrValue *value = VG_NEW(arena, VgTb__AttrValue);
    vg_tb__attr_value__init(value);
    value->list = list;
    VgTb__Attr *attribute = VG_NEW(arena, VgTb__Attr);
    vg_tb__attr__init(attribute);
    attribute->key = key;
    attribute->value = value;
    return attribute;
}

static VgTb__Node *node_message(const graph_names *names, vg_node node) {
    const vg_graph *g = names->graph;
    VgTb__Node *message = VG_NEW(names->arena, VgTb__Node);
    vg_tb__node__init(message);
    message->name = names->text[node];
    message->op = (char *)(uintptr_t)vg_op_rows[vg_node_op(g, node)].name;   /* protobuf-c only reads it */
    message->n_input = g->operand_count.items[node];
    message->input = VG_ARRAY(names->arena, char *, message->n_input);
    for (uint32_t k = 0; k < message->n_input; k++) {
        message->input[k] = names->text[vg_operand(g, node, k)];
    }
    if (vg_node_shape(g, node)) {
        message->n_attr = 1;
        message->attr = VG_NEW(names->arena, VgTb__Attr *);
        message->attr[0] = shape_attribute(g, node, names->arena);
    }
    return message;
}

const char *vg_tensorboard_graph_missing(const vg_graph *graph) {
    return vg_graph_count(graph) - 1 > NODES_SHOWN ? too_large : NULL;   /* node 0 is none */
}

vg_bytes vg_tensorboard_graph(const vg_graph *graph, vg_arena *arena) {
    const uint32_t count = vg_graph_count(graph);
    if (count < 2 || vg_tensorboard_graph_missing(graph)) {
        return (vg_bytes){ NULL, 0 };
    }
    graph_names names = { graph, arena, VG_ARRAY(arena, vg_str, count), VG_ARRAY(arena, vg_node, count),
                          VG_ARRAY(arena, char *, count) };
    find_owners(&names);
    VgTb__Versions versions = VG_TB__VERSIONS__INIT;
    versions.has_producer = true;
    versions.producer = 1;
    VgTb__Graph message = VG_TB__GRAPH__INIT;
    message.versions = &versions;
    message.n_node = count - 1;
    message.node = VG_ARRAY(arena, VgTb__Node *, count - 1);
    for (vg_node node = 1; node < count; node++) {
        names.text[node] = name_of(&names, node);
        message.node[node - 1] = node_message(&names, node);
    }
    uint8_t *packed = vg_arena_alloc(arena, vg_tb__graph__get_packed_size(&message));
    return (vg_bytes){ packed, vg_tb__graph__pack(&message, packed) };
}
