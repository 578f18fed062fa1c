/* Which steps threads share, and where they wait for each other.
 *
 * A step is cut along the first axis of its result where its kernel can compute rows alone, else one thread has it. Steps
 * whose operands come from the same rows, or from the same thread, need no waiting between them; the others go to a later
 * level, before which all threads meet. So a batch goes through a whole net in parts, and the gradients of weights, which
 * need all of it, follow behind one meeting.
 *
 * How a step is cut changes no bit: each element is computed in the same way whatever rows go with it. */
#include <stdlib.h>
#include <string.h>

#include "ir/cost.h"
#include "ir/window.h"
#include "pass/pass.h"

/* Rough, of one core: what decides only who works, never what is computed. */
static const double FLOPS_PER_NS = 40, BYTES_PER_NS = 16, STEP_NS = 60, MEETING_NS = 1500;

enum { NOBODY = UINT32_MAX };

typedef struct sharer {
    vg_schedule    *s;
    const vg_graph *g;
    const int64_t  *symbols;
    uint32_t  threads;
    bool      cuts;          /* products may be cut */
    vg_node  *base;          /* by node */
    uint32_t *step_of;       /* by node: its step + 1; 0 is none */
    uint32_t *last_reader;   /* by node of a variable: the level behind that of its last reader */
    vg_mem   *mem;
    VG_VEC(double) load;     /* by level and thread: ns */
    uint32_t  guard;         /* the level behind what can stop the step */
} sharer;

/* ---- shapes as numbers */

static uint32_t rank_of(const sharer *h, vg_node node) { return vg_node_rank(h->g, node); }

static int64_t length(const sharer *h, vg_node node, uint32_t axis) {
    const vg_dims *dims = &h->g->ir->dims;
    return vg_dim_value(dims, vg_shape_dim(dims, vg_node_shape(h->g, node), axis), h->symbols);
}

static int64_t rows_of(const sharer *h, vg_node node) { return rank_of(h, node) ? length(h, node, 0) : 1; }

static const vg_word *words_of(const sharer *h, vg_node node, uint32_t *count) {
    return vg_attr_words(h->g->ir, h->g->attr.items[node], count);
}

static bool keeps_all(const sharer *h, vg_node node, vg_dim from, vg_dim to) {
    const vg_dims *dims = &h->g->ir->dims;
    return vg_dim_value(dims, from, h->symbols) == 0 && vg_dim_value(dims, to, h->symbols) == rows_of(h, node);
}

/* ---- which kernels compute rows alone, and which operands they then need the same rows of */

enum { WHOLE = 0, SAME = 1 };

static bool repeats(const sharer *h, vg_node node, vg_node operand) {
    return rank_of(h, operand) < rank_of(h, node) || (rows_of(h, operand) == 1 && rows_of(h, node) != 1);
}

static bool can_reduce(const sharer *h, vg_node node) {
    uint32_t count;
    const vg_word *words = words_of(h, node, &count);
    bool first = count <= 1;
    for (uint32_t k = 1; k < count; k++) first = first || words[k] == 0;
    return !first && rows_of(h, node) == rows_of(h, vg_operand(h->g, node, 0));
}

static bool can_gather(const sharer *h, vg_node node, uint8_t *needs) {
    uint32_t count;
    const bool first = words_of(h, node, &count)[0] == 0;
    needs[0] = first ? WHOLE : SAME;
    needs[1] = first ? SAME : WHOLE;
    return !first || rank_of(h, vg_operand(h->g, node, 1)) > 0;
}

/* Rows are what the last axis, along which is indexed, lies behind. */
static bool can_index(const sharer *h, vg_node node) {
    return rank_of(h, vg_node_op(h->g, node) == VG_OP_spread ? node : vg_operand(h->g, node, 0)) > 1;
}

static bool can_multiply(const sharer *h, vg_node node, uint8_t *needs) {
    uint32_t count;
    const vg_node b = vg_operand(h->g, node, 1);
    const bool ta = words_of(h, node, &count)[0] != 0, batched = rank_of(h, node) > 2;
    if (!h->cuts || (count > 2 && rank_of(h, node) == 3)) return false;      /* rows outside of what is the batch */
    needs[0] = ta && !batched ? WHOLE : SAME;
    needs[1] = batched && !repeats(h, node, b) && rank_of(h, b) > 2 ? SAME : WHOLE;
    return !batched || !repeats(h, node, vg_operand(h->g, node, 0));
}

/* True where rows of `node` can be computed alone; needs, of VG_SHARE_OPERANDS: of each operand the same rows, or all. */
static bool can_cut(const sharer *h, vg_node node, uint8_t *needs) {
    const vg_op op = vg_node_op(h->g, node);
    const uint32_t operands = h->g->operand_count.items[node];
    uint32_t count;
    const vg_word *words = words_of(h, node, &count);
    if (rank_of(h, node) == 0 || vg_op_is(op, VG_FLAG_effect) || operands > VG_SHARE_OPERANDS) return false;
    for (uint32_t k = 0; k < operands; k++) needs[k] = SAME;
    if (vg_op_is(op, VG_FLAG_map) || op == VG_OP_broadcast) {
        for (uint32_t k = 0; k < operands; k++) needs[k] = repeats(h, node, vg_operand(h->g, node, k)) ? WHOLE : SAME;
        return true;
    }
    switch ((int)op) {
    case VG_OP_sum: case VG_OP_prod: case VG_OP_max: case VG_OP_min: return can_reduce(h, node);
    case VG_OP_argmax: case VG_OP_argmin: case VG_OP_cumsum: case VG_OP_softmax: case VG_OP_log_softmax:
    case VG_OP_log_softmax_input: case VG_OP_concat: return words[0] != 0;
    case VG_OP_transpose: return words[0] == 0;
    case VG_OP_slice: return keeps_all(h, vg_operand(h->g, node, 0), (vg_dim)words[0], (vg_dim)words[1]);
    case VG_OP_pick: case VG_OP_spread: case VG_OP_cross_entropy: case VG_OP_cross_entropy_input:
        return can_index(h, node);
    case VG_OP_addn: case VG_OP_pool_argmax: case VG_OP_pool_max: case VG_OP_pool_max_input: case VG_OP_pool_sum:
    case VG_OP_pool_spread: return true;
    case VG_OP_conv2d: case VG_OP_conv2d_input: needs[1] = WHOLE; return true;
    case VG_OP_conv2d_filter: needs[0] = needs[1] = WHOLE; return words[VG_CONV_WORDS] == 1;      /* of one group */
    case VG_OP_gather: return can_gather(h, node, needs);
    case VG_OP_matmul: case VG_OP_product: return can_multiply(h, node, needs);
    default: return false;
    }
}

/* ---- levels */

static double *load_of(sharer *h, uint32_t level) {
    while (h->load.count < (level + 1) * h->threads) vg_vec_push(h->mem, &h->load, 0.0);
    return &h->load.items[level * h->threads];
}

static double cost_of(const sharer *h, uint32_t step) {
    double ns = STEP_NS;
    for (uint32_t k = h->s->step[step]; k < h->s->step[step + 1]; k++) {
        const vg_node_cost cost = vg_node_cost_of(h->g, h->s->order[k], h->symbols, sizeof(float));
        const double work = cost.flops / FLOPS_PER_NS, traffic = cost.bytes / BYTES_PER_NS;
        ns += work > traffic ? work : traffic;
    }
    return ns;
}

/* What one operand asks of a step: a level, and what it lets the step be cut or owned by there. */
typedef struct wish { uint32_t level; uint32_t owner; int64_t unit; bool cut; } wish;

/* The operand's step is at `level`; a step that reads it there must be cut alike, or have the same owner. */
static void ask(const sharer *h, wish *w, vg_node node, vg_node operand, uint8_t need) {
    const vg_node base = h->base[operand];
    if (h->step_of[base] == 0) return;
    const vg_share *from = &h->s->share[h->step_of[base] - 1];
    uint32_t level = from->level;
    bool stays = false;
    if (from->cut) {
        /* the same share of the rows, also where a view has split or joined axes behind the first */
        const int64_t rows = rows_of(h, node);
        stays = w->cut && need == SAME && rows_of(h, operand) == rows && rows % from->unit == 0
             && (w->level < level || w->unit == 0 || w->unit == from->unit);
        if (stays && w->level <= level) w->unit = from->unit;
    } else {
        stays = !w->cut && (w->level < level || w->owner == NOBODY || w->owner == from->owner);
        if (stays && w->level <= level) w->owner = from->owner;
    }
    if (!stays) level++;
    if (level <= w->level) return;
    w->level = level;
    if (!stays) {
        w->unit = 0;
        w->owner = NOBODY;
    }
}

static void ask_all(const sharer *h, wish *w, uint32_t step) {
    for (uint32_t k = h->s->step[step]; k < h->s->step[step + 1]; k++) {
        const vg_node node = h->s->order[k];
        uint8_t needs[VG_SHARE_OPERANDS] = { 0 };
        const bool cut = can_cut(h, node, needs);
        for (uint32_t j = 0; j < h->g->operand_count.items[node]; j++) {
            const vg_node operand = vg_operand(h->g, node, j);
            if (h->step_of[h->base[operand]] != step + 1) ask(h, w, node, operand, cut ? needs[j] : WHOLE);
        }
    }
}

/* Whether all of a step's nodes can be cut; the operands of its one kernel that it then needs whole, as bits. */
static bool can_cut_step(const sharer *h, uint32_t step, uint8_t *whole) {
    const uint32_t first = h->s->step[step], end = h->s->step[step + 1];
    const bool finished = vg_is_finished(h->s, h->g, step);
    *whole = 0;
    if (rows_of(h, h->s->order[end - 1]) < h->threads) return false;
    for (uint32_t k = first; k < end; k++) {
        uint8_t needs[VG_SHARE_OPERANDS] = { 0 };
        if (!can_cut(h, h->s->order[k], needs)) return false;
        const uint32_t operands = h->g->operand_count.items[h->s->order[k]];
        for (uint32_t j = 0; j < operands && k == first && (end - first == 1 || finished); j++)
            if (needs[j] == WHOLE) *whole |= (uint8_t)(1u << j);
    }
    if (finished) *whole |= (uint8_t)(1u << h->g->operand_count.items[h->s->order[first]]);      /* the bias */
    return true;
}

/* ---- what comes before a write into a variable */

static vg_word first_word(const sharer *h, vg_node node) {
    uint32_t count;
    return words_of(h, node, &count)[0];
}

static vg_str path_of(const sharer *h, vg_node variable) {
    uint32_t count;
    return (vg_str)words_of(h, variable, &count)[1];
}

/* Nobody reads a variable any more, and nothing can stop the step, at the level at which it is written. */
static void wait_for_readers(const sharer *h, wish *w, uint32_t step) {
    for (uint32_t k = h->s->step[step]; k < h->s->step[step + 1]; k++) {
        const vg_node update = h->s->stores[h->s->order[k]];
        if (update == 0) continue;
        const uint32_t readers = h->last_reader[first_word(h, update)];
        const uint32_t least = readers > h->guard ? readers : h->guard;
        if (least > w->level) *w = (wish){ .level = least, .owner = NOBODY, .cut = w->cut };
    }
}

static void note_readings(sharer *h, uint32_t step, uint32_t level) {
    for (uint32_t k = h->s->step[step]; k < h->s->step[step + 1]; k++) {
        const vg_node node = h->s->order[k];
        if (vg_can_fault(vg_node_op(h->g, node)) && level >= h->guard) h->guard = level + 1;
        for (uint32_t j = 0; j < h->g->operand_count.items[node]; j++) {
            const vg_node base = h->base[vg_operand(h->g, node, j)];
            if (vg_node_op(h->g, base) != VG_OP_variable) continue;
            uint32_t *last = &h->last_reader[path_of(h, base)];
            if (level >= *last) *last = level + 1;
        }
    }
}

static void mark_losses(const sharer *h, uint8_t *losses) {
    for (uint32_t k = 0; k < h->g->roots.count; k++) {
        const vg_node root = h->g->roots.items[k];
        if (vg_node_op(h->g, root) == VG_OP_loss && h->s->phase[root] != VG_PHASE_dead)
            losses[h->base[vg_operand(h->g, root, 0)]] = 1;
    }
}

static void place_step(sharer *h, uint32_t step) {
    vg_share *share = &h->s->share[step];
    wish w = { .owner = NOBODY, .cut = can_cut_step(h, step, &share->whole) };
    ask_all(h, &w, step);
    wait_for_readers(h, &w, step);
    double *load = load_of(h, w.level), ns = cost_of(h, step);
    share->level = w.level;
    share->cut = w.cut;
    share->unit = w.unit ? w.unit : rows_of(h, h->s->order[h->s->step[step + 1] - 1]);
    if (w.cut) {
        for (uint32_t t = 0; t < h->threads; t++) load[t] += ns / h->threads;
    } else {
        uint32_t owner = w.owner == NOBODY ? 0 : w.owner;
        for (uint32_t t = 1; t < h->threads && w.owner == NOBODY; t++) if (load[t] < load[owner]) owner = t;
        share->owner = owner;
        load[owner] += ns;
    }
    note_readings(h, step, w.level);
}

/* ---- whether it pays, and the new order */

static bool pays(const sharer *h) {
    double alone = 0, together = 0;
    for (uint32_t level = 0; level * h->threads < h->load.count; level++) {
        double longest = 0;
        for (uint32_t t = 0; t < h->threads; t++) {
            const double ns = h->load.items[level * h->threads + t];
            alone += ns;
            if (ns > longest) longest = ns;
        }
        together += longest + MEETING_NS;
    }
    return together < 0.85 * alone;
}

typedef struct placed { uint32_t level, step; } placed;

static int compare(const void *a, const void *b) {
    const placed *x = a, *y = b;
    if (x->level != y->level) return x->level < y->level ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

/* By levels, else as before. */
static void sort_steps(sharer *h, vg_mem *mem) {
    vg_schedule *s = h->s;
    placed *list = vg_mem_alloc(mem, s->step_count * sizeof *list);
    vg_node *order = vg_mem_alloc(mem, s->order_count * sizeof *order);
    uint32_t *first = vg_mem_alloc(mem, (s->step_count + 1) * sizeof *first), at = 0;
    vg_share *share = vg_mem_alloc(mem, s->step_count * sizeof *share);
    for (uint32_t k = 0; k < s->step_count; k++) list[k] = (placed){ s->share[k].level, k };
    qsort(list, s->step_count, sizeof *list, compare);
    for (uint32_t k = 0; k < s->step_count; k++) {
        const uint32_t step = list[k].step;
        first[k] = at;
        share[k] = s->share[step];
        for (uint32_t j = s->step[step]; j < s->step[step + 1]; j++) order[at++] = s->order[j];
    }
    first[s->step_count] = at;
    memcpy(s->order, order, s->order_count * sizeof *order);
    memcpy(s->step, first, (s->step_count + 1) * sizeof *first);
    memcpy(s->share, share, s->step_count * sizeof *share);
    vg_mem_free(mem, share);
    vg_mem_free(mem, first);
    vg_mem_free(mem, order);
    vg_mem_free(mem, list);
}

void vg_share_make(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph, const int64_t *symbols, uint32_t threads,
                   bool cuts) {
    const uint32_t count = vg_graph_count(graph);
    sharer h = { .s = schedule, .g = graph, .mem = mem, .symbols = symbols, .threads = threads, .cuts = cuts };
    schedule->threads = 1;
    schedule->share = VG_ARRAY(&schedule->arena, vg_share, schedule->step_count);
    if (threads < 2) return;
    vg_arena arena;
    vg_arena_init(&arena, mem);
    h.base = VG_ARRAY(&arena, vg_node, count);
    h.step_of = VG_ARRAY(&arena, uint32_t, count);
    h.last_reader = VG_ARRAY(&arena, uint32_t, graph->ir->strings.text.count);
    uint8_t *losses = VG_ARRAY(&arena, uint8_t, count);
    vg_find_bases(graph, h.base);
    for (uint32_t k = 0; k < schedule->step_count; k++)
        for (uint32_t j = schedule->step[k]; j < schedule->step[k + 1]; j++) h.step_of[schedule->order[j]] = k + 1;
    mark_losses(&h, losses);
    for (uint32_t k = 0; k < schedule->step_count; k++) {
        place_step(&h, k);
        for (uint32_t j = schedule->step[k]; j < schedule->step[k + 1]; j++)
            if (losses[schedule->order[j]] && schedule->share[k].level >= h.guard) h.guard = schedule->share[k].level + 1;
    }
    if (pays(&h)) {
        schedule->threads = threads;
        sort_steps(&h, mem);
    } else {
        memset(schedule->share, 0, schedule->step_count * sizeof *schedule->share);
    }
    vg_vec_free(mem, &h.load);
    vg_arena_release(&arena);
}
