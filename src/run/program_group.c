/* Making a group of a program from the nodes of one step (run/group.h): which places its members read and write. */
#include "run/program_make.h"

typedef struct gatherer {
    const vg_maker *m;
    vg_group *group;
    vg_node   inputs[VG_GROUP_INPUTS], outputs[VG_GROUP_OUTPUTS];
    uint8_t   place[VG_GROUP_MEMBERS];      /* by member */
    uint8_t   size[VG_GROUP_PLACES];
    vg_member members[VG_GROUP_MEMBERS];
    uint8_t   free_places[VG_GROUP_MEMBERS];
    uint32_t  free_count;
    const vg_node *nodes;
    uint32_t  node_count;
    vg_node   whole;                        /* of the shape that the group goes over */
} gatherer;

static vg_dtype type_of(const gatherer *g, vg_node node) { return vg_node_dtype(g->m->graph, node); }

static uint8_t bytes_of(const gatherer *g, vg_node node) {
    return type_of(g, node) == VG_I32 ? sizeof(int32_t) : (uint8_t)g->m->program->real;
}

static bool is_inner(const gatherer *g, vg_node node) { return g->m->program->schedule.inner[node] != 0; }

/* Its place among the members; the count when it is none. */
static uint32_t member_of(const gatherer *g, vg_node node) {
    uint32_t k = 0;
    while (k < g->node_count && g->nodes[k] != node) k++;
    return k;
}

/* One number a row, where others are all of it. */
static bool is_narrow(const gatherer *g, vg_node node) {
    return vg_node_shape(g->m->graph, node) != vg_node_shape(g->m->graph, g->whole);
}

static bool reduces(const gatherer *g, vg_node node) {
    const vg_op op = vg_node_op(g->m->graph, node);
    return op == VG_OP_sum || op == VG_OP_prod || op == VG_OP_max || op == VG_OP_min;
}

/* The shape of what is reduced, or of what is not one number a row: that with the longest rows. */
static void find_whole(gatherer *g) {
    int64_t longest = -1;
    for (uint32_t k = 0; k < g->node_count; k++) {
        const vg_node node = reduces(g, g->nodes[k]) ? vg_operand(g->m->graph, g->nodes[k], 0) : g->nodes[k];
        const vg_view view = vg_program_shape(g->m, node);
        const int64_t row = view.rank ? view.dims[view.rank - 1] : 1;
        if (row > longest) g->whole = node;
        if (row > longest) longest = row;
    }
}

/* A value that is repeated over a larger shape is read where it lies. */
static bool is_read_through(const gatherer *g, vg_node node) {
    return vg_node_op(g->m->graph, node) == VG_OP_broadcast && is_inner(g, node);
}

static uint8_t input_place(gatherer *g, vg_node node) {
    uint32_t k = 0;
    while (k < g->group->inputs && g->inputs[k] != node) k++;
    if (k == g->group->inputs) g->inputs[g->group->inputs++] = node;
    return (uint8_t)k;
}

static void find_inputs(gatherer *g) {
    const vg_graph *graph = g->m->graph;
    for (uint32_t k = 0; k < g->node_count; k++)
        for (uint32_t j = 0; j < graph->operand_count.items[g->nodes[k]]; j++) {
            const vg_node operand = vg_operand(graph, g->nodes[k], j);
            if (member_of(g, operand) < g->node_count) continue;
            g->size[input_place(g, operand)] = bytes_of(g, operand);
        }
}

/* A buffer of this size of elements, which may have held a value that is not read any more. */
static uint8_t buffer_place(gatherer *g, uint8_t bytes, bool narrow) {
    for (uint32_t k = 0; k < g->free_count; k++) {
        const uint8_t place = g->free_places[k];
        if (g->size[place] != bytes || (g->group->narrow >> place & 1) != narrow) continue;
        g->free_places[k] = g->free_places[--g->free_count];
        return place;
    }
    const uint8_t place = (uint8_t)(g->group->inputs + g->group->outputs + g->group->buffers++);
    g->size[place] = bytes;
    g->group->narrow |= (uint64_t)narrow << place;
    return place;
}

/* Outputs first, then a buffer for each inner value. */
static void find_places(gatherer *g) {
    const vg_graph *graph = g->m->graph;
    uint32_t last[VG_GROUP_MEMBERS];
    vg_group *group = g->group;
    for (uint32_t k = 0; k < g->node_count; k++) {
        last[k] = k;
        if (is_inner(g, g->nodes[k])) continue;
        g->place[k] = (uint8_t)(group->inputs + group->outputs);
        g->size[g->place[k]] = bytes_of(g, g->nodes[k]);
        g->outputs[group->outputs++] = g->nodes[k];
    }
    for (uint32_t k = g->node_count; k-- > 0;) {      /* who reads a repeated value reads what is repeated */
        const uint32_t until = is_read_through(g, g->nodes[k]) ? last[k] : k;
        for (uint32_t j = 0; j < graph->operand_count.items[g->nodes[k]]; j++) {
            const uint32_t operand = member_of(g, vg_operand(graph, g->nodes[k], j));
            if (operand < g->node_count && last[operand] < until) last[operand] = until;
        }
    }
    for (uint32_t k = 0; k < g->node_count; k++) {
        const vg_node node = g->nodes[k];
        if (is_read_through(g, node)) {
            const uint32_t operand = member_of(g, vg_operand(graph, node, 0));
            g->place[k] = operand < k ? g->place[operand] : input_place(g, vg_operand(graph, node, 0));
            continue;
        }
        if (is_inner(g, node)) g->place[k] = buffer_place(g, bytes_of(g, node), is_narrow(g, node));
        for (uint32_t j = 0; j < k; j++)
            if (last[j] == k && is_inner(g, g->nodes[j]) && !is_read_through(g, g->nodes[j]))
                g->free_places[g->free_count++] = g->place[j];
    }
}

static void find_members(gatherer *g) {
    const vg_graph *graph = g->m->graph;
    for (uint32_t k = 0; k < g->node_count; k++) {
        const vg_node node = g->nodes[k], first = vg_operand(graph, node, 0);
        const vg_op op = vg_node_op(graph, node) == VG_OP_broadcast ? VG_OP_alias : vg_node_op(graph, node);
        if (is_read_through(g, node)) continue;
        vg_member *member = &g->members[g->group->member_count++];
        *member = (vg_member){ .loop = g->m->store->kernels->loop(op, type_of(g, node), type_of(g, first)),
                               .out = g->place[k], .in_count = (uint8_t)graph->operand_count.items[node],
                               .narrow = is_narrow(g, node) && !reduces(g, node) };
        if (is_narrow(g, node)) g->group->whole_rows = true;
        for (uint32_t j = 0; j < member->in_count; j++) {
            const vg_node operand = vg_operand(graph, node, j);
            const uint32_t inside = member_of(g, operand);
            member->in[j] = inside < g->node_count ? g->place[inside] : input_place(g, operand);
        }
    }
}

static void *kept(const vg_maker *m, const void *from, size_t bytes) {
    return bytes ? memcpy(vg_arena_alloc(&m->program->arena, bytes), from, bytes) : NULL;
}

vg_group *vg_program_group(const vg_maker *m, const vg_node *nodes, uint32_t count, vg_step_row *row) {
    vg_program *program = m->program;
    vg_group group = { .inputs = 0 };
    gatherer g = { .m = m, .group = &group, .nodes = nodes, .node_count = count };
    find_whole(&g);
    find_inputs(&g);
    find_places(&g);
    find_members(&g);
    row->first_in = program->views.count;
    row->in_count = group.inputs;
    for (uint32_t k = 0; k < group.inputs; k++) vg_program_view(m, program->view_of[g.inputs[k]]);
    row->out = program->views.count;
    for (uint32_t k = 0; k < group.outputs; k++) vg_program_view(m, program->view_of[g.outputs[k]]);
    const vg_view *in = &program->views.items[row->first_in], *out = &program->views.items[row->out];
    const vg_view shape = vg_program_shape(m, g.whole);
    group.pitch = shape.rank + 2;
    group.members = kept(m, g.members, group.member_count * sizeof *g.members);
    group.size = kept(m, g.size, group.inputs + group.outputs + group.buffers);
    group.stride = VG_ARRAY(&program->arena, int64_t, (group.inputs + group.outputs) * group.pitch);
    vg_group_shape(&group, &shape, in, out);
    return kept(m, &group, sizeof group);
}
