/* Where every value lies in a turn's memory: from how long each is needed (liveness) to offsets.
 *
 * A value is made at its place in the schedule's order and dies at the last node that reads it; what a root reads
 * lives to the end of the turn. Views share their operand's place. */
#include "pass/pass.h"
#include "pass/space.h"

static const uint64_t size_limit = (uint64_t)1 << 48;

typedef struct planner {
    vg_plan           *plan;
    const vg_graph    *graph;
    const vg_schedule *schedule;
    vg_node  *base;       /* by node: the node whose memory it is (itself unless it is a view) */
    uint32_t *last;       /* by base: the step after which it is dead */
    uint32_t *block;      /* by base: its block in `space`, 0 when it has none (any more) */
    vg_space  space;
    VG_VEC(vg_life) lives;
    uint32_t *life;       /* by node with a place: in `lives` */
    uint32_t *read_level; /* by base: the level of its last reader so far + 1 */
    VG_VEC(vg_node) waiting;      /* dead, their memory not given back yet */
    uint64_t  alive;      /* bytes */
} planner;

/* ---- sizes */

static const char *shape_text(const vg_graph *graph, vg_node node) {
    vg_ir  *ir = graph->ir;
    vg_text text = vg_text_new(ir->mem);
    vg_shape_text(&ir->dims, &ir->strings, vg_node_shape(graph, node), &text);
    const char *copied = vg_arena_copy(&ir->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copied;
}

static void report_size(const vg_graph *graph, vg_node node) {
    const vg_place *place = &graph->place.items[node];
    vg_report(&graph->ir->diags, value_too_large, place->span, place->call, shape_text(graph, node));
}

static bool measure(const vg_graph *graph, vg_node node, const int64_t *symbols, uint32_t real, uint64_t *bytes) {
    vg_dim   list[VG_RANK_LIMIT];
    uint32_t rank = vg_shape_list(&graph->ir->dims, vg_node_shape(graph, node), list);
    uint64_t size = vg_node_dtype(graph, node) == VG_I32 ? 4 : real;
    bool     fits = true, empty = false;
    for (uint32_t k = 0; k < rank; k++) {
        int64_t length = vg_dim_value(&graph->ir->dims, list[k], symbols);
        if (length < 0) {
            const vg_place *place = &graph->place.items[node];
            vg_report(&graph->ir->diags, dimension_below_zero, place->span, place->call, shape_text(graph, node));
            return false;
        }
        if (length == 0) empty = true;
        else fits = !__builtin_mul_overflow(size, (uint64_t)length, &size) && size <= size_limit && fits;
    }
    if (!fits && !empty) {
        report_size(graph, node);
        return false;
    }
    *bytes = empty ? 0 : size;
    return true;
}

static bool measure_all(planner *p, const int64_t *symbols, uint32_t real) {
    for (vg_node node = 1; node < vg_graph_count(p->graph); node++) {
        if (p->schedule->phase[node] == VG_PHASE_dead) continue;
        if (!measure(p->graph, node, symbols, real, &p->plan->bytes[node])) return false;
    }
    return true;
}

/* ---- liveness */

static void find_lives(planner *p) {
    const vg_graph    *graph = p->graph;
    const vg_schedule *schedule = p->schedule;
    vg_find_bases(graph, p->base);
    for (uint32_t at = 0; at < schedule->step_count; at++) {
        for (uint32_t j = schedule->step[at]; j < schedule->step[at + 1]; j++) {
            vg_node node = schedule->order[j];
            p->last[node] = at;
            for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
                p->last[p->base[vg_operand(graph, node, k)]] = at;
            }
        }
    }
    for (vg_node node = 1; schedule->keeps && node < vg_graph_count(graph); node++) p->last[node] = schedule->step_count;
    for (uint32_t r = 0; r < graph->roots.count; r++) {
        vg_node root = graph->roots.items[r];
        if (schedule->phase[root] == VG_PHASE_dead || vg_is_step(schedule, graph, root)) continue;
        for (uint32_t k = 0; k < graph->operand_count.items[root]; k++) {
            p->last[p->base[vg_operand(graph, root, k)]] = schedule->step_count;
        }
    }
}

/* ---- places */

static void take(planner *p, vg_node node, uint32_t at) {
    const uint64_t bytes = vg_space_round(p->plan->bytes[node]);
    p->block[node] = vg_space_take(&p->space, bytes);
    p->life[node] = p->lives.count;
    vg_vec_push(p->space.mem, &p->lives, ((vg_life){ .begin = at, .end = UINT32_MAX, .bytes = bytes }));
    p->alive += bytes;
    if (p->alive > p->plan->bound) p->plan->bound = p->alive;
}

static void give(planner *p, vg_node base, uint32_t at) {
    vg_space_give(&p->space, p->block[base]);
    p->lives.items[p->life[base]].end = at;
    p->alive -= vg_space_round(p->plan->bytes[base]);
    p->block[base] = 0;
}

/* One thread has no levels. */
static uint32_t level_of(const planner *p, uint32_t at) {
    return p->schedule->threads < 2 ? at : p->schedule->share[at].level;
}

static bool in_step(const planner *p, uint32_t at, vg_node node) {
    for (uint32_t j = p->schedule->step[at]; j < p->schedule->step[at + 1]; j++)
        if (p->schedule->order[j] == node) return true;
    return false;
}

/* The memory that a member reads: a repeated value that has no place of its own is read where it comes from. */
static vg_node source(const planner *p, vg_node operand) {
    const bool through = vg_node_op(p->graph, operand) == VG_OP_broadcast && p->schedule->inner[operand];
    return p->base[through ? vg_operand(p->graph, operand, 0) : operand];
}

/* Whether a member of the step behind `node` reads `base`. */
static bool read_behind(const planner *p, uint32_t at, vg_node node, vg_node base) {
    for (uint32_t j = p->schedule->step[at + 1]; j-- > p->schedule->step[at] && p->schedule->order[j] != node;) {
        const vg_node member = p->schedule->order[j];
        for (uint32_t k = 0; k < p->graph->operand_count.items[member]; k++)
            if (source(p, vg_operand(p->graph, member, k)) == base) return true;
    }
    return false;
}

/* A product is added in the place of what it is added to. */
static bool adds_to(const planner *p, vg_node node, vg_node base) {
    const vg_graph *graph = p->graph;
    return vg_node_op(graph, node) == VG_OP_product && graph->operand_count.items[node] == 3
        && p->base[vg_operand(graph, node, 2)] == base && p->base[vg_operand(graph, node, 0)] != base
        && p->base[vg_operand(graph, node, 1)] != base;
}

/* An elementwise node reads element k before it writes element k, so it may take the place of an operand of its step that
 * is as long, of its type, and dies here; unless another thread may still read it, in a step of the same level. The same
 * length also means the same order: broadcasting only adds axes of 1. */
static bool take_over(planner *p, vg_node node, uint32_t at) {
    const vg_graph *graph = p->graph;
    const bool map = vg_op_is(vg_node_op(graph, node), VG_FLAG_map);
    if (!map && vg_node_op(graph, node) != VG_OP_product) return false;
    for (uint32_t j = p->schedule->step[at]; j < p->schedule->step[at + 1]; j++) {
        const vg_node member = p->schedule->order[j];
        if (vg_node_op(graph, member) == VG_OP_conv2d) continue;      /* reads more than the element that it writes */
        for (uint32_t k = 0; k < graph->operand_count.items[member]; k++) {
            vg_node operand = vg_operand(graph, member, k), base = p->base[operand];
            bool    dies = p->block[base] != 0 && p->last[base] == at && !in_step(p, at, base);
            if (!map && !adds_to(p, node, base)) continue;
            if (!dies || p->plan->bytes[operand] != p->plan->bytes[node] || read_behind(p, at, node, base) ||
                p->read_level[base] == level_of(p, at) + 1 ||
                vg_node_dtype(graph, operand) != vg_node_dtype(graph, node)) continue;
            p->block[node] = p->block[base];
            p->life[node] = p->life[base];
            p->block[base] = 0;
            return true;
        }
        if (member == node) return false;
    }
    return false;
}

static bool needs_place(const planner *p, vg_node node) {
    return !p->schedule->inner[node] && !p->schedule->stores[node] && !vg_op_is(vg_node_op(p->graph, node), VG_FLAG_effect);
}

static bool ends_level(const planner *p, uint32_t at) {
    const vg_schedule *s = p->schedule;
    return s->threads < 2 || at + 1 == s->step_count || s->share[at + 1].level != s->share[at].level;
}

/* Threads may still be behind with an earlier step of the same level: what dies in it is given back at its end. */
static void give_at(planner *p, uint32_t at, vg_node base) {
    if (ends_level(p, at)) {
        give(p, base, at);
        return;
    }
    p->last[base] = UINT32_MAX;      /* once */
    vg_vec_push(p->space.mem, &p->waiting, base);
}

static void give_dying(planner *p, uint32_t at) {
    for (uint32_t j = p->schedule->step[at]; j < p->schedule->step[at + 1]; j++) {
        const vg_node node = p->schedule->order[j];
        for (uint32_t k = 0; k < p->graph->operand_count.items[node]; k++) {
            vg_node base = p->base[vg_operand(p->graph, node, k)];
            p->read_level[base] = level_of(p, at) + 1;
            if (p->block[base] != 0 && p->last[base] == at) give_at(p, at, base);
        }
    }
    if (!ends_level(p, at)) return;
    for (uint32_t k = 0; k < p->waiting.count; k++) give(p, p->waiting.items[k], at);
    p->waiting.count = 0;
}

/* One after the other leaves gaps, in some graphs many: then all are placed once more, knowing how long each lives. */
static void pack(planner *p) {
    vg_plan *plan = p->plan;
    if (plan->size * 50 <= plan->bound * 51 || p->lives.count > VG_LIVES) return;
    const uint64_t size = vg_space_pack(p->space.mem, p->lives.items, p->lives.count);
    if (size >= plan->size) return;
    plan->size = size;
    for (uint32_t k = 0; k < p->schedule->order_count; k++) {
        const vg_node node = p->schedule->order[k];
        if (needs_place(p, node)) plan->offset[node] = (int64_t)p->lives.items[p->life[node]].offset;
    }
}

static bool place_turn(planner *p) {
    const vg_graph    *graph = p->graph;
    const vg_schedule *schedule = p->schedule;
    for (uint32_t at = 0; at < schedule->step_count; at++) {
        for (uint32_t j = schedule->step[at]; j < schedule->step[at + 1]; j++) {
            vg_node node = schedule->order[j];
            if (!needs_place(p, node)) continue;
            if (!take_over(p, node, at)) take(p, node, at);
            p->plan->offset[node] = (int64_t)vg_space_offset(&p->space, p->block[node]);
            if (p->space.size > size_limit) {
                report_size(graph, node);
                return false;
            }
        }
        give_dying(p, at);
    }
    p->plan->size = p->space.size;
    pack(p);
    return true;
}

/* What is computed once stays; its memory is never used again, so it lies one behind the other. */
static void place_kept(planner *p) {
    for (vg_node node = 1; node < vg_graph_count(p->graph); node++) {
        if (p->schedule->phase[node] != VG_PHASE_once || p->base[node] != node) continue;
        p->plan->kept[node] = (int64_t)p->plan->kept_size;
        p->plan->kept_size += vg_space_round(p->plan->bytes[node]);
    }
}

static void place_views(planner *p) {
    for (vg_node node = 1; node < vg_graph_count(p->graph); node++) {
        if (p->schedule->phase[node] == VG_PHASE_dead) continue;
        p->plan->offset[node] = p->plan->offset[p->base[node]];
        p->plan->kept[node] = p->plan->kept[p->base[node]];
    }
}

bool vg_plan_make(vg_plan *plan, vg_mem *mem, const vg_graph *graph, const vg_schedule *schedule,
                  const int64_t *symbols, uint32_t real) {
    uint32_t count = vg_graph_count(graph);
    *plan = (vg_plan){ 0 };
    vg_arena_init(&plan->arena, mem);
    plan->offset = VG_ARRAY(&plan->arena, int64_t, count);
    plan->kept = VG_ARRAY(&plan->arena, int64_t, count);
    plan->bytes = VG_ARRAY(&plan->arena, uint64_t, count);
    for (vg_node node = 0; node < count; node++) plan->offset[node] = plan->kept[node] = VG_PLAN_NONE;

    planner  p = { .plan = plan, .graph = graph, .schedule = schedule };
    vg_arena scratch;
    vg_arena_init(&scratch, mem);
    p.base = VG_ARRAY(&scratch, vg_node, count);
    p.last = VG_ARRAY(&scratch, uint32_t, count);
    p.read_level = VG_ARRAY(&scratch, uint32_t, count);
    p.block = VG_ARRAY(&scratch, uint32_t, count);
    p.life = VG_ARRAY(&scratch, uint32_t, count);
    vg_space_init(&p.space, mem);
    bool done = measure_all(&p, symbols, real);
    if (done) {
        find_lives(&p);
        place_kept(&p);
        done = place_turn(&p);
        place_views(&p);
    }
    vg_vec_free(mem, &p.waiting);
    vg_vec_free(mem, &p.lives);
    vg_space_release(&p.space);
    vg_arena_release(&scratch);
    return done;
}

void vg_plan_release(vg_plan *plan) {
    vg_arena_release(&plan->arena);
}
