/* Convolutions that finish their sums: a bias of each channel and relu are applied to a part of the result while it is in
 * registers, so that it is written once. The step of the convolution takes the nodes of the group that alone reads it.
 *
 * Not of matrix products, where it was tried: what a dense layer adds and applies is bound by its arithmetic, and takes
 * as long over a result of 64 KB, just made, as over 8 KB again and again. Applied to each tile as it is stored it
 * changed a step by -.3 to +.7 %; to panels of 32 columns by -.6 (4 or 64 layers of 128, sigmoid or tanh) to +.5 % (4
 * of 512, relu). An activation's adjoint takes longer there, by 1 to 3 % of a step of 64 layers: it reads the layer's
 * output, which is in no near cache any more, a few columns at a time. Nor are such an adjoint's columns summed in its
 * pass: a sum is bound by turning floats into doubles, .085 ns an element in any cache. Measured on a Zen 4 core. */
#include <string.h>

#include "pass/pass.h"

enum { NOBODY = 0, SEVERAL = UINT32_MAX };

typedef struct finisher {
    vg_schedule    *s;
    const vg_graph *g;
    vg_node  *base;          /* by node */
    uint32_t *step_of;       /* by node: its step + 1; 0 is none */
    uint32_t *reader;        /* by node: the step that alone reads it, each time as it is, + 1; NOBODY, SEVERAL */
    uint32_t *joined;        /* by step: the one whose nodes it takes, + 1; 0 is none */
    uint8_t  *gone;          /* by step: another one has its nodes */
} finisher;

static void note_reader(finisher *f, vg_node operand, uint32_t step) {
    const vg_node base = f->base[operand];
    uint32_t *reader = &f->reader[base];
    *reader = operand == base && (*reader == NOBODY || *reader == step) ? step : SEVERAL;
}

static void find_readers(finisher *f) {
    const vg_graph *g = f->g;
    for (uint32_t k = 0; k < f->s->step_count; k++)
        for (uint32_t j = f->s->step[k]; j < f->s->step[k + 1]; j++) {
            f->step_of[f->s->order[j]] = k + 1;
            for (uint32_t i = 0; i < g->operand_count.items[f->s->order[j]]; i++)
                note_reader(f, vg_operand(g, f->s->order[j], i), k + 1);
        }
    for (uint32_t k = 0; k < g->roots.count; k++) {
        const vg_node root = g->roots.items[k];
        if (f->s->phase[root] == VG_PHASE_dead || vg_is_step(f->s, g, root)) continue;
        for (uint32_t j = 0; j < g->operand_count.items[root]; j++) note_reader(f, vg_operand(g, root, j), SEVERAL);
    }
}

/* [1, channels, 1, 1], or without the first axis. */
static bool is_bias(const finisher *f, vg_node node, vg_node image) {
    const vg_dims *dims = &f->g->ir->dims;
    vg_dim list[VG_RANK_LIMIT], own[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, vg_node_shape(f->g, node), list);
    vg_shape_list(dims, vg_node_shape(f->g, image), own);
    if (rank < 3 || vg_node_dtype(f->g, node) != VG_F32) return false;
    return (rank == 3 || vg_dim_is(dims, list[0], 1)) && list[rank - 3] == own[1] && vg_dim_is(dims, list[rank - 2], 1) &&
           vg_dim_is(dims, list[rank - 1], 1);
}

/* Whether a bias is there when a step is due. */
static bool is_ready(const finisher *f, vg_node bias, uint32_t step) {
    return f->step_of[f->base[bias]] <= step;
}

/* The group: an addition of a bias, and relu. */
static bool can_finish(const finisher *f, uint32_t step, uint32_t group) {
    const vg_schedule *s = f->s;
    const vg_node conv = s->order[s->step[step]], *nodes = &s->order[s->step[group]];
    const uint32_t count = s->step[group + 1] - s->step[group];
    const vg_node last = nodes[count - 1];
    if (count > 2 || vg_node_op(f->g, nodes[0]) != VG_OP_add || s->cadences[conv] != s->cadences[last]) return false;
    if (count == 2 && (vg_node_op(f->g, last) != VG_OP_relu || s->inner[nodes[0]] == 0)) return false;
    const vg_node bias = vg_finish_bias(f->g, conv, nodes[0]);
    return s->stores[last] == 0 && bias != conv && is_bias(f, bias, conv) && is_ready(f, bias, step);
}

static void find_joined(finisher *f) {
    const vg_schedule *s = f->s;
    for (uint32_t k = 0; k < s->step_count; k++) {
        const vg_node node = s->order[s->step[k]];
        const uint32_t reader = f->reader[node];
        if (s->step[k + 1] - s->step[k] > 1 || vg_node_op(f->g, node) != VG_OP_conv2d) continue;
        if (reader == NOBODY || reader == SEVERAL || !can_finish(f, k, reader - 1)) continue;
        f->joined[k] = reader;
        f->gone[reader - 1] = 1;
        s->inner[node] = 1;
    }
}

static void write_order(const finisher *f, vg_node *order, uint32_t *first) {
    vg_schedule *s = f->s;
    uint32_t count = 0, steps = 0;
    for (uint32_t k = 0; k < s->step_count; k++) {
        if (f->gone[k]) continue;
        first[steps++] = count;
        for (uint32_t step = k + 1; step != 0; step = f->joined[step - 1])
            for (uint32_t j = s->step[step - 1]; j < s->step[step]; j++) order[count++] = s->order[j];
    }
    first[steps] = count;
    memcpy(s->order, order, count * sizeof *order);
    memcpy(s->step, first, (steps + 1) * sizeof *first);
    s->step_count = steps;
}

void vg_finish(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph) {
    const uint32_t count = vg_graph_count(graph);
    finisher f = { .s = schedule, .g = graph };
    vg_arena arena;
    if (schedule->part == VG_PART_INITIAL) return;      /* a bias may be a variable that is written on the way */
    vg_arena_init(&arena, mem);
    f.base = VG_ARRAY(&arena, vg_node, count);
    f.step_of = VG_ARRAY(&arena, uint32_t, count);
    f.reader = VG_ARRAY(&arena, uint32_t, count);
    f.joined = VG_ARRAY(&arena, uint32_t, schedule->step_count);
    f.gone = VG_ARRAY(&arena, uint8_t, schedule->step_count);
    vg_find_bases(graph, f.base);
    find_readers(&f);
    find_joined(&f);
    write_order(&f, VG_ARRAY(&arena, vg_node, schedule->order_count),
                VG_ARRAY(&arena, uint32_t, schedule->step_count + 1));
    vg_arena_release(&arena);
}
