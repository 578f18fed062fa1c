/* A run without numbers: every 64 bytes of a turn's memory remember which value was written there last. Steps may be
 * groups, and threads may share them: then nothing that one thread writes between two meetings may be another's. */
#ifndef VG_TESTS_PLAN_FIXTURE_H
#define VG_TESTS_PLAN_FIXTURE_H

#include <stdlib.h>

#include "pass_fixture.h"

typedef struct planned {
    vg_schedule schedule;
    vg_plan     plan;
    const int64_t *symbols;
} planned;

/* How a schedule is made: with groups or without, for that many threads. */
typedef struct plan_way { bool fuse; uint32_t threads; } plan_way;

static inline bool make_plan(fixture *f, planned *p, const vg_graph *graph, const int64_t *symbols, plan_way way) {
    *p = (planned){ .symbols = symbols };
    vg_schedule_make(&p->schedule, &f->mem, graph, VG_PART_STEP, 1, true);
    if (way.fuse) vg_fuse(&p->schedule, &f->mem, graph);
    vg_share_make(&p->schedule, &f->mem, graph, symbols, way.threads, true);
    return vg_plan_make(&p->plan, &f->mem, graph, &p->schedule, symbols, 4);
}

static inline void release_plan(planned *p) {
    vg_plan_release(&p->plan);
    vg_schedule_release(&p->schedule);
}

/* A walk through the steps. */
typedef struct simulation {
    const planned  *p;
    const vg_graph *g;
    vg_node  *cells;        /* by 64 bytes */
    uint8_t  *stored;       /* by path: the variable has its new value */
    vg_mem   *mem;
    uint32_t  first, end;   /* the step's nodes in the order */
    bool      stores;       /* a step has stored */
} simulation;

static inline vg_node memory_of(const vg_graph *graph, vg_node node) {
    while (vg_op_is(vg_node_op(graph, node), VG_FLAG_view)) node = vg_operand(graph, node, 0);
    return node;
}

static inline vg_word path_word(const vg_graph *g, vg_node node, uint32_t word) {
    uint32_t count;
    return vg_attr_words(g->ir, g->attr.items[node], &count)[word];
}

static inline bool in_step(const simulation *s, vg_node node) {
    for (uint32_t k = s->first; k < s->end; k++)
        if (s->p->schedule.order[k] == node) return true;
    return false;
}

/* What a member reads in fact: a repeated value without a place is read where it comes from. */
static inline vg_node read_by(const simulation *s, vg_node operand) {
    const bool through = vg_node_op(s->g, operand) == VG_OP_broadcast && s->p->schedule.inner[operand];
    return memory_of(s->g, through ? vg_operand(s->g, operand, 0) : operand);
}

static inline void assert_holds(const simulation *s, vg_node operand) {
    const vg_plan *plan = &s->p->plan;
    const vg_node base = memory_of(s->g, operand);
    if (vg_node_op(s->g, base) == VG_OP_variable) assert_false(s->stored[path_word(s->g, base, 1)]);
    assert_int_equal(plan->offset[operand], plan->offset[base]);
    if (plan->offset[base] == VG_PLAN_NONE) return;
    for (uint64_t at = 0; at < plan->bytes[base]; at += 64)
        assert_int_equal(s->cells[((uint64_t)plan->offset[base] + at) / 64], base);
}

static inline bool overlap(const vg_plan *plan, vg_node a, vg_node b) {
    if (plan->offset[a] == VG_PLAN_NONE || plan->offset[b] == VG_PLAN_NONE) return false;
    return plan->offset[a] < plan->offset[b] + (int64_t)plan->bytes[b] &&
           plan->offset[b] < plan->offset[a] + (int64_t)plan->bytes[a];
}

/* Where a value lies: an update's may be its variable's memory, which is told by the path. */
static inline bool same_variable(const simulation *s, vg_node value, vg_node variable) {
    const vg_node update = s->p->schedule.stores[value];
    return update && vg_node_op(s->g, variable) == VG_OP_variable &&
           path_word(s->g, variable, 1) == path_word(s->g, update, 0);
}

/* A product that is added to `from`, and reads it for nothing else. */
static inline bool adds_to(const simulation *s, vg_node node, vg_node from) {
    if (vg_node_op(s->g, node) != VG_OP_product || s->g->operand_count.items[node] != 3) return false;
    return read_by(s, vg_operand(s->g, node, 2)) == from && read_by(s, vg_operand(s->g, node, 0)) != from
        && read_by(s, vg_operand(s->g, node, 1)) != from;
}

/* What is repeated is something else. */
static inline bool repeats_another(const simulation *s, vg_node node, vg_node from) {
    return vg_node_op(s->g, node) == VG_OP_broadcast && read_by(s, vg_operand(s->g, node, 0)) != from;
}

/* The member at `at` of the order writes over `from`, which the one at `reader` reads: allowed is only to read an element
 * before it is overwritten. What is as long is not repeated. */
static inline void assert_in_place(const simulation *s, uint32_t at, uint32_t reader, vg_node from) {
    const vg_node node = s->p->schedule.order[at];
    const bool sum = vg_node_op(s->g, node) == VG_OP_addn && s->g->operand_count.items[node] == 3;
    assert_true(vg_op_is(vg_node_op(s->g, node), VG_FLAG_map) || sum || adds_to(s, node, from) ||
                repeats_another(s, node, from));
    assert_true(reader <= at);
    assert_int_not_equal(vg_node_op(s->g, s->p->schedule.order[reader]), VG_OP_conv2d);      /* reads others, too */
    if (s->p->schedule.stores[node] == 0) assert_int_equal(s->p->plan.offset[node], s->p->plan.offset[from]);
    assert_int_equal(s->p->plan.bytes[node], s->p->plan.bytes[from]);
    assert_int_equal(vg_node_dtype(s->g, node), vg_node_dtype(s->g, from));
}

static inline void assert_reads(const simulation *s) {
    const vg_schedule *schedule = &s->p->schedule;
    for (uint32_t reader = s->first; reader < s->end; reader++)
        for (uint32_t k = 0; k < s->g->operand_count.items[schedule->order[reader]]; k++) {
            const vg_node operand = vg_operand(s->g, schedule->order[reader], k);
            const vg_node from = read_by(s, operand);
            if (in_step(s, from)) continue;
            assert_false(schedule->inner[from]);
            assert_holds(s, from);
            for (uint32_t at = s->first; at < s->end; at++) {
                const vg_node node = schedule->order[at];
                const bool shared = overlap(&s->p->plan, node, from) || same_variable(s, node, from);
                if (shared) assert_in_place(s, at, reader, from);
            }
        }
}

static inline void write_step(simulation *s) {
    const vg_plan *plan = &s->p->plan;
    for (uint32_t k = s->first; k < s->end; k++) {
        const vg_node node = s->p->schedule.order[k], update = s->p->schedule.stores[node];
        if (update) s->stored[path_word(s->g, update, 0)] = 1;
        s->stores = s->stores || update;
        if (vg_op_is(vg_node_op(s->g, node), VG_FLAG_effect) || s->p->schedule.inner[node] || update) {
            assert_int_equal(plan->offset[node], VG_PLAN_NONE);
            continue;
        }
        assert_int_not_equal(plan->offset[node], VG_PLAN_NONE);
        assert_int_equal(plan->offset[node] % 64, 0);
        assert_true((uint64_t)plan->offset[node] + plan->bytes[node] <= plan->size);
        for (uint32_t j = s->first; j < k; j++) assert_false(overlap(plan, node, s->p->schedule.order[j]));
        for (uint64_t cell = 0; cell < plan->bytes[node]; cell += 64)
            s->cells[((uint64_t)plan->offset[node] + cell) / 64] = node;
    }
}

/* A loss, or what can stop the step, comes before all that is written into variables. */
static inline void assert_before_stores(const simulation *s) {
    for (uint32_t k = s->first; k < s->end; k++) {
        const vg_node node = s->p->schedule.order[k];
        bool stops = vg_can_fault(vg_node_op(s->g, node));
        for (uint32_t r = 0; r < s->g->roots.count; r++) {
            const vg_node root = s->g->roots.items[r];
            if (vg_node_op(s->g, root) != VG_OP_loss) continue;
            stops = stops || memory_of(s->g, vg_operand(s->g, root, 0)) == node;
        }
        if (stops) assert_false(s->stores || s->p->schedule.stores[node]);
    }
}

/* ---- threads */

typedef struct access { vg_word space; uint64_t begin, end; uint32_t thread; bool write; } access;

typedef struct accesses { VG_VEC(access) list; } accesses;

static inline int compare_accesses(const void *a, const void *b) {
    const access *x = a, *y = b;
    if (x->space != y->space) return x->space < y->space ? -1 : 1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* Of one level: no two threads meet where one of them writes. */
static inline void assert_apart(accesses *a) {
    if (a->list.count > 1) qsort(a->list.items, a->list.count, sizeof *a->list.items, compare_accesses);
    for (uint32_t k = 0; k < a->list.count; k++) {
        const access *x = &a->list.items[k];
        for (uint32_t j = k + 1; j < a->list.count; j++) {
            const access *y = &a->list.items[j];
            if (y->space != x->space || y->begin >= x->end) break;
            assert_true(x->thread == y->thread || (!x->write && !y->write));
        }
    }
    a->list.count = 0;
}

static inline int64_t rows_of(const simulation *s, vg_node node) {
    const vg_dims *dims = &s->g->ir->dims;
    if (vg_node_rank(s->g, node) == 0) return 1;
    return vg_dim_value(dims, vg_shape_dim(dims, vg_node_shape(s->g, node), 0), s->p->symbols);
}

/* Whether a thread that computes rows of `node` reads operand k whole. */
static inline bool reads_whole(const simulation *s, const vg_share *share, vg_node node, uint32_t k) {
    const vg_node operand = vg_operand(s->g, node, k);
    if (vg_node_op(s->g, node) == VG_OP_conv2d) return share->whole >> k & 1;
    if (!vg_op_is(vg_node_op(s->g, node), VG_FLAG_map) && s->end - s->first == 1) return share->whole >> k & 1;
    return vg_node_rank(s->g, operand) < vg_node_rank(s->g, node) || rows_of(s, operand) != rows_of(s, node);
}

static inline void add_access(const simulation *s, accesses *a, uint32_t step, vg_node base, bool whole, bool write) {
    const vg_plan *plan = &s->p->plan;
    const vg_share *share = &s->p->schedule.share[step];
    const vg_node update = s->p->schedule.stores[base];
    access one = { .write = write };
    if (vg_node_op(s->g, base) == VG_OP_variable) one.space = 1 + path_word(s->g, base, 1);
    else if (update) one.space = 1 + path_word(s->g, update, 0);
    else if (plan->offset[base] == VG_PLAN_NONE) return;
    const uint64_t start = one.space ? 0 : (uint64_t)plan->offset[base];
    for (uint32_t t = 0; t < s->p->schedule.threads; t++) {
        one.thread = t;
        one.begin = start;
        one.end = start + plan->bytes[base];
        if (!share->cut && share->owner != t) continue;
        if (share->cut && !whole) {
            const uint64_t each = plan->bytes[base] / (uint64_t)share->unit;
            assert_int_equal(plan->bytes[base] % (uint64_t)share->unit, 0);
            one.begin = start + each * (uint64_t)vg_share_begin(share->unit, t, s->p->schedule.threads);
            one.end = start + each * (uint64_t)vg_share_begin(share->unit, t + 1, s->p->schedule.threads);
        }
        if (one.end > one.begin) vg_vec_push(s->mem, &a->list, one);
    }
}

static inline void add_accesses(const simulation *s, accesses *a, uint32_t step) {
    const vg_schedule *schedule = &s->p->schedule;
    for (uint32_t k = s->first; k < s->end; k++) {
        const vg_node node = schedule->order[k];
        const bool writes = !schedule->inner[node] && !vg_op_is(vg_node_op(s->g, node), VG_FLAG_effect);
        if (writes) add_access(s, a, step, node, false, true);
        for (uint32_t j = 0; j < s->g->operand_count.items[node]; j++) {
            const vg_node base = memory_of(s->g, vg_operand(s->g, node, j));
            if (!in_step(s, base)) add_access(s, a, step, base, reads_whole(s, &schedule->share[step], node, j), false);
        }
    }
}

/* ---- all of it */

static inline void assert_sound(fixture *f, const planned *p, const vg_graph *graph) {
    simulation s = { .p = p, .g = graph, .mem = &f->mem };
    accesses level = { 0 };
    s.cells = vg_mem_alloc(&f->mem, p->plan.size / 64 * sizeof *s.cells);
    s.stored = vg_mem_alloc(&f->mem, f->ir->strings.text.count);
    for (uint32_t step = 0; step < p->schedule.step_count; step++) {
        s.first = p->schedule.step[step];
        s.end = p->schedule.step[step + 1];
        if (step > 0 && p->schedule.share[step].level != p->schedule.share[step - 1].level) {
            assert_true(p->schedule.share[step].level > p->schedule.share[step - 1].level);
            assert_apart(&level);
        }
        assert_before_stores(&s);
        assert_reads(&s);
        write_step(&s);
        if (p->schedule.threads > 1) add_accesses(&s, &level, step);
    }
    assert_apart(&level);
    for (uint32_t r = 0; r < graph->roots.count; r++) {
        const vg_node root = graph->roots.items[r];
        if (p->schedule.phase[root] == VG_PHASE_dead || vg_is_step(&p->schedule, graph, root)) continue;
        const vg_node value = vg_operand(graph, root, 0);
        if (vg_node_op(graph, root) == VG_OP_update && p->schedule.stores[value] == root) continue;
        for (uint32_t k = 0; k < graph->operand_count.items[root]; k++) assert_holds(&s, vg_operand(graph, root, k));
    }
    assert_true(p->plan.size >= p->plan.bound);
    vg_vec_free(&f->mem, &level.list);
    vg_mem_free(&f->mem, s.stored);
    vg_mem_free(&f->mem, s.cells);
}

#endif
