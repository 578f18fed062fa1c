/* Sweeps (see adjoint.h). Contributions to one adjoint are kept in the order of the sweep (consumers by falling id,
 * of one consumer by operand) and summed in that order by one n-ary node when the sweep reaches the node they are
 * for. What slices of it contribute becomes one `place` node, which writes every part once and stands behind the
 * others; so a value that is sliced n times costs n parts, not n values of its full size. */
#include <string.h>

#include "ir/build.h"
#include "pass/adjoint.h"
#include "pass/cone.h"
#include "pass/pass.h"

typedef struct contribution {
    struct contribution *next;
    vg_node              value;
    bool                 part;      /* a `place` node that a slice made */
} contribution;

typedef struct adjoint {
    contribution *first, *last;
    uint32_t      wholes, parts;
    vg_node       value;            /* their sum, once it is needed; 0 before */
} adjoint;

struct vg_sweep {
    vg_cone cone;                   /* the nodes with contributions */
    VG_VEC(adjoint) adjoints;       /* by place in the cone */
};

void vg_adjoints_init(vg_adjoints *adjoints, vg_graph *graph) {
    *adjoints = (vg_adjoints){ .graph = graph, .mem = graph->ir->mem };
    vg_arena_init(&adjoints->arena, adjoints->mem);
}

void vg_adjoints_release(vg_adjoints *adjoints) {
    for (uint32_t k = 0; k < adjoints->sweeps.count; k++) {
        vg_cone_release(&adjoints->sweeps.items[k]->cone);
        vg_vec_free(adjoints->mem, &adjoints->sweeps.items[k]->adjoints);
    }
    vg_vec_free(adjoints->mem, &adjoints->sweeps);
    vg_vec_free(adjoints->mem, &adjoints->wanted);
    vg_vec_free(adjoints->mem, &adjoints->buffer);
    vg_map_free(adjoints->mem, &adjoints->index);
    vg_arena_release(&adjoints->arena);
}

/* Brings `wanted` up to the nodes emitted since. */
static void extend_wanted(vg_adjoints *adjoints) {
    const vg_graph *graph = adjoints->graph;
    uint32_t        count = vg_graph_count(graph);
    if (adjoints->wanted.count < count) {
        vg_vec_reserve(adjoints->mem, &adjoints->wanted, count - adjoints->wanted.count);
    }
    for (vg_node node = adjoints->wanted.count; node < count; node++) {
        uint8_t wanted = 0;
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
            wanted |= adjoints->wanted.items[vg_operand(graph, node, k)];
        }
        adjoints->wanted.items[node] = wanted;
    }
    adjoints->wanted.count = count;
}

void vg_adjoints_want(vg_adjoints *adjoints, vg_node node) {
    extend_wanted(adjoints);
    adjoints->wanted.items[node] = 1;
}

/* Gradient nodes stand where the node stands that they are derived for. */
static void stand_at(vg_graph *graph, vg_node forward) {
    const vg_place *place = &graph->place.items[forward];
    graph->here = (vg_place){ place->span, place->call, forward };
}

static adjoint *adjoint_of(vg_adjoints *adjoints, vg_sweep *sweep, vg_node node) {
    uint32_t place = vg_cone_add(&sweep->cone, node);
    if (place == sweep->adjoints.count) vg_vec_push(adjoints->mem, &sweep->adjoints, (adjoint){ 0 });
    return &sweep->adjoints.items[place];
}

static vg_sweep *sweep_of(vg_adjoints *adjoints, vg_node y) {
    uint32_t place = vg_map_get(&adjoints->index, y);
    if (place != 0) return adjoints->sweeps.items[place - 1];
    vg_sweep *sweep = VG_NEW(&adjoints->arena, vg_sweep);
    vg_cone_init(&sweep->cone, adjoints->mem);
    vg_vec_push(adjoints->mem, &adjoints->sweeps, sweep);
    vg_map_put(adjoints->mem, &adjoints->index, y, adjoints->sweeps.count);
    vg_vec_push(adjoints->mem, &sweep->adjoints, (adjoint){ 0 });   /* places count from 1 */
    if (vg_node_dtype(adjoints->graph, y) == VG_F32) {
        stand_at(adjoints->graph, y);
        adjoint_of(adjoints, sweep, y)->value = vg_build_scalar(adjoints->graph, 1);
    }
    return sweep;
}

static void contribute(vg_adjoints *adjoints, vg_sweep *sweep, vg_node consumer, vg_node operand, vg_node value) {
    vg_graph *graph = adjoints->graph;
    if (!adjoints->wanted.items[operand] || vg_node_dtype(graph, operand) != VG_F32) return;
    value = vg_build_unbroadcast(graph, value, vg_node_shape(graph, operand));
    contribution *item = VG_NEW(&adjoints->arena, contribution);
    item->value = value;
    item->part = vg_node_op(graph, consumer) == VG_OP_slice && vg_node_op(graph, value) == VG_OP_place;
    adjoint *to = adjoint_of(adjoints, sweep, operand);
    if (to->last) to->last->next = item;
    else to->first = item;
    to->last = item;
    if (item->part) to->parts++;
    else to->wholes++;
}

/* One `place` of all parts; the nodes of the single ones are left dead. */
static vg_node join_parts(vg_adjoints *adjoints, const adjoint *from, vg_shape shape) {
    vg_graph *graph = adjoints->graph;
    uint32_t  rank = vg_shape_rank(&graph->ir->dims, shape), count = 0;
    vg_node  *parts = VG_ARRAY(&adjoints->arena, vg_node, from->parts);
    vg_word  *words = VG_ARRAY(&adjoints->arena, vg_word, 1 + (size_t)from->parts * rank);
    words[0] = shape;
    for (const contribution *item = from->first; item; item = item->next) {
        if (!item->part) continue;
        uint32_t       word_count;
        const vg_word *own = vg_attr_words(graph->ir, graph->attr.items[item->value], &word_count);
        memcpy(words + 1 + (size_t)count * rank, own + 1, rank * sizeof *words);
        parts[count++] = vg_operand(graph, item->value, 0);
    }
    return vg_emit(graph, VG_OP_place, parts, count, vg_attr_of(graph->ir, words, 1 + count * rank));
}

/* The sum of all contributions to the adjoint of `node`. */
static vg_node settle(vg_adjoints *adjoints, vg_sweep *sweep, vg_node node) {
    vg_graph *graph = adjoints->graph;
    adjoint  *at = &sweep->adjoints.items[vg_cone_find(&sweep->cone, node)];
    if (at->value != 0) return at->value;
    stand_at(graph, node);
    uint32_t joins = at->parts > 1 ? at->parts : 0, count = 0;
    vg_node *terms = VG_ARRAY(&adjoints->arena, vg_node, at->wholes + at->parts);
    for (const contribution *item = at->first; item; item = item->next) {
        if (!item->part || joins == 0) terms[count++] = item->value;
    }
    if (joins > 0) terms[count++] = join_parts(adjoints, at, vg_node_shape(graph, node));
    at->value = count == 1 ? terms[0]
              : count == 2 ? vg_build_map2(graph, VG_OP_add, terms[0], terms[1])
                           : vg_build_addn(graph, terms, count);
    return at->value;
}

/* Hands the adjoint of the highest waiting node on to its operands. */
static void pass_on(vg_adjoints *adjoints, vg_sweep *sweep) {
    vg_graph *graph = adjoints->graph;
    vg_node   node = vg_cone_take(&sweep->cone);
    vg_node   value = settle(adjoints, sweep, node);
    const vg_gradient_table *table = graph->ir->gradients ? graph->ir->gradients : &vg_gradients;
    vg_gradient_rule rule = table->rules[vg_node_op(graph, node)];
    if (!rule || value == 0) return;
    uint32_t count = graph->operand_count.items[node];
    adjoints->buffer.count = 0;
    vg_vec_reserve(adjoints->mem, &adjoints->buffer, count);
    memset(adjoints->buffer.items, 0, count * sizeof *adjoints->buffer.items);
    stand_at(graph, node);
    rule(graph, node, value, adjoints->buffer.items);
    for (uint32_t k = 0; k < count; k++) {
        vg_node result = adjoints->buffer.items[k];
        if (result != 0) contribute(adjoints, sweep, node, vg_operand(graph, node, k), result);
    }
}

vg_node vg_adjoints_of(vg_adjoints *adjoints, vg_node y, vg_node v) {
    extend_wanted(adjoints);
    vg_sweep *sweep = sweep_of(adjoints, y);
    while (vg_cone_next(&sweep->cone) > v && !adjoints->graph->full) pass_on(adjoints, sweep);
    return vg_cone_find(&sweep->cone, v) ? settle(adjoints, sweep, v) : 0;
}
