/* Products as they run. Needs a folded graph, gives one in which
 *
 * - a product reads and writes the heads of an attention where they lie: [..., place, head, width] transposed to
 *   [..., head, place, width] is the same memory with other strides;
 * - products that are summed, as gradients that meet, add into the first one's memory, in the order of the graph; what
 *   else is summed with them comes behind. This is another order of additions than the sum's: so it is chosen by the
 *   graph without what only watches it, and a product that is watched by itself is made once more for that;
 * - the gradient computes again what is not worth keeping for it (recompute.c). */
#include <string.h>

#include "ir/build.h"
#include "pass/pass.h"

enum { LEFT = 0, RIGHT = 1, RESULT = 2 };

typedef struct arranger {
    const vg_graph *from;
    vg_graph *into;
    uint8_t  *live, *wanted; /* by node: a root needs it; one that does not only watch */
    uint32_t *uses;          /* by node: operands that it is, of wanted nodes if it is one */
    vg_node  *before;        /* by node: a product that is added to this one; 0 is none */
    vg_node  *total;         /* by node: the last of the products that a sum adds up; 0: it does not */
    uint8_t  *again;         /* by node: computed again where the gradient reads it */
    uint8_t  *needed;        /* by node: in the new graph, as it is */
    uint8_t  *summed;        /* by node: in the new graph, with what is before it */
    vg_node  *map, *sum;     /* by node: the new one; with what is before it */
} arranger;

/* A product with operands of `from`. */
typedef struct product {
    vg_node operands[2];
    bool    turned[2];                /* ta, tb */
    bool    swapped[3];
} product;

static bool watches(vg_op op) {
    return op == VG_OP_summary || op == VG_OP_expect || op == VG_OP_fetch || op == VG_OP_evidence;
}

static void count_uses(arranger *a) {
    const vg_graph *g = a->from;
    for (uint32_t k = 0; k < g->roots.count; k++) {
        a->live[g->roots.items[k]] = 1;
        a->wanted[g->roots.items[k]] = !watches(vg_node_op(g, g->roots.items[k]));
    }
    for (vg_node node = vg_graph_count(g); node-- > 1;)
        for (uint32_t k = 0; k < g->operand_count.items[node] && a->live[node]; k++) {
            a->live[vg_operand(g, node, k)] = 1;
            a->wanted[vg_operand(g, node, k)] |= a->wanted[node];
        }
    for (vg_node node = 1; node < vg_graph_count(g); node++)
        for (uint32_t k = 0; k < g->operand_count.items[node] && a->live[node]; k++) {
            const vg_node operand = vg_operand(g, node, k);
            a->uses[operand] += a->wanted[node] || !a->wanted[operand];
        }
}

/* Whether all that needs a product is `reader`; watching does not count. */
static bool is_only_for(const arranger *a, vg_node node, vg_node reader) {
    return vg_node_op(a->from, node) == VG_OP_matmul && a->uses[node] == 1 && a->wanted[node] == a->wanted[reader];
}

/* ---- heads */

/* How a transpose moves the last three axes, the others staying where they are. */
typedef enum turn { OTHER, SWAPS, BOTH, BACK } turn;

/* SWAPS: [h, p, w] of [p, h, w] or the other way round. BOTH: [h, w, p] of [p, h, w]. BACK: [p, h, w] of [h, w, p].
 * Only behind an axis of a batch, which threads share. */
static turn turn_of(const vg_graph *g, vg_node node) {
    uint32_t rank;
    if (vg_node_op(g, node) != VG_OP_transpose) return OTHER;
    const vg_word *perm = vg_attr_words(g->ir, g->attr.items[node], &rank);
    if (rank < 4) return OTHER;
    for (uint32_t k = 0; k + 3 < rank; k++)
        if (perm[k] != k) return OTHER;
    const vg_word first = perm[rank - 3] + 3 - rank, second = perm[rank - 2] + 3 - rank;
    if (first == 1) return second == 0 ? SWAPS : BOTH;
    return first == 2 && second == 0 ? BACK : OTHER;
}

static product product_of(const vg_graph *g, vg_node node) {
    uint32_t count;
    const vg_word *flags = vg_attr_words(g->ir, g->attr.items[node], &count);
    product p = { .operands = { vg_operand(g, node, LEFT), vg_operand(g, node, RIGHT) },
                  .turned = { flags[LEFT] != 0, flags[RIGHT] != 0 } };
    for (uint32_t k = 0; k < 2; k++) {
        const turn t = turn_of(g, p.operands[k]);
        if (t != SWAPS && t != BOTH) continue;
        p.operands[k] = vg_operand(g, p.operands[k], 0);
        p.swapped[k] = true;
        p.turned[k] ^= t == BOTH;
    }
    return p;
}

/* The other way round: op(b)' @ op(a)' is (op(a) @ op(b))'. */
static product reversed(product p) {
    return (product){ .operands = { p.operands[RIGHT], p.operands[LEFT] },
                      .turned = { !p.turned[RIGHT], !p.turned[LEFT] },
                      .swapped = { p.swapped[RIGHT], p.swapped[LEFT], p.swapped[RESULT] } };
}

/* The product that a node is, with transposes in front of it and behind it; false when it is none. */
static bool find_product(const arranger *a, vg_node node, product *p) {
    const vg_graph *g = a->from;
    const turn t = turn_of(g, node);
    const vg_node inner = t == SWAPS || t == BACK ? vg_operand(g, node, 0) : node;
    if (vg_node_op(g, inner) != VG_OP_matmul || (inner != node && !is_only_for(a, inner, node))) return false;
    *p = product_of(g, inner);
    if (t == BACK) *p = reversed(*p);
    p->swapped[RESULT] = inner != node;
    return true;
}

/* ---- sums */

/* A product that only this sum needs. */
static bool is_term(const arranger *a, vg_node sum, vg_node term) {
    return is_only_for(a, term, sum) && vg_node_shape(a->from, term) == vg_node_shape(a->from, sum);
}

/* Of a sum of whole tensors the products, if there are several: each but the first gets the one before it. */
static void find_sum(arranger *a, vg_node node) {
    const vg_graph *g = a->from;
    const vg_op op = vg_node_op(g, node);
    const uint32_t count = g->operand_count.items[node];
    if ((op != VG_OP_add && op != VG_OP_addn) || vg_node_dtype(g, node) != VG_F32) return;
    vg_node last = 0;
    for (uint32_t k = 0; k < count; k++) {      /* by rising id: a partial sum is there when the next product is made */
        vg_node next = 0;
        for (uint32_t j = 0; j < count; j++) {
            const vg_node term = vg_operand(g, node, j);
            if (term > last && is_term(a, node, term) && (next == 0 || term < next)) next = term;
        }
        if (next == 0) break;
        a->before[next] = last;
        last = next;
    }
    if (last != 0 && a->before[last] != 0) a->total[node] = last;
}

/* ---- what is needed of the old graph */

static void need(arranger *a, vg_node node) { a->needed[node] = 1; }

static void need_operands(arranger *a, vg_node node) {
    const vg_graph *g = a->from;
    product p;
    if (a->total[node]) {
        a->summed[a->total[node]] = 1;
        for (uint32_t k = 0; k < g->operand_count.items[node]; k++)
            if (!is_term(a, node, vg_operand(g, node, k))) need(a, vg_operand(g, node, k));
    } else if (find_product(a, node, &p)) {
        need(a, p.operands[LEFT]);
        need(a, p.operands[RIGHT]);
    } else {
        for (uint32_t k = 0; k < g->operand_count.items[node]; k++) need(a, vg_operand(g, node, k));
    }
}

static void find_needed(arranger *a) {
    const vg_graph *g = a->from;
    for (uint32_t k = 0; k < g->roots.count; k++) need(a, g->roots.items[k]);
    for (vg_node node = vg_graph_count(g); node-- > 1;) {
        if (a->needed[node] || a->summed[node]) need_operands(a, node);
        if (!a->summed[node]) continue;
        if (a->before[node]) a->summed[a->before[node]] = 1;
        else need(a, node);
    }
}

/* ---- the new graph */

static vg_node emit_product(arranger *a, const product *p, vg_node added) {
    const bool plain = added == 0 && !p->swapped[LEFT] && !p->swapped[RIGHT] && !p->swapped[RESULT];
    vg_word words[5] = { p->turned[LEFT], p->turned[RIGHT] };
    uint32_t count = 2;
    for (uint32_t k = 0; k < 3; k++)
        if (p->swapped[k]) words[count++] = k;
    const vg_node operands[3] = { a->map[p->operands[LEFT]], a->map[p->operands[RIGHT]], added };
    return vg_emit(a->into, plain ? VG_OP_matmul : VG_OP_product, operands, added ? 3 : 2,
                   vg_attr_of(a->into->ir, words, count));
}

/* The products' sum, and behind it the other terms. */
static vg_node emit_sum(arranger *a, vg_node node) {
    const vg_graph *g = a->from;
    const uint32_t count = g->operand_count.items[node];
    vg_node *terms = vg_mem_alloc(a->into->ir->mem, count * sizeof *terms);
    uint32_t left = 0;
    terms[left++] = a->sum[a->total[node]];
    for (uint32_t k = 0; k < count; k++)
        if (!is_term(a, node, vg_operand(g, node, k))) terms[left++] = a->map[vg_operand(g, node, k)];
    const vg_node sum = vg_build_addn(a->into, terms, left);
    vg_mem_free(a->into->ir->mem, terms);
    return sum;
}

static vg_node copy_again(arranger *a, vg_node node) {
    vg_node operands[3];      /* it is elementwise */
    for (uint32_t k = 0; k < a->from->operand_count.items[node]; k++) operands[k] = a->map[vg_operand(a->from, node, k)];
    return vg_emit_copy(a->into, a->from, node, operands, a->map);
}

static vg_node copy(arranger *a, vg_node node) {
    const vg_graph *g = a->from;
    const uint32_t count = g->operand_count.items[node];
    const bool gradient = g->place.items[node].forward != 0;
    vg_node few[8], *operands = count <= 8 ? few : vg_mem_alloc(a->into->ir->mem, count * sizeof *operands);
    for (uint32_t k = 0; k < count; k++) {
        const vg_node operand = vg_operand(g, node, k);
        operands[k] = gradient && a->again[operand] ? copy_again(a, operand) : a->map[operand];
    }
    const vg_node made = vg_emit_copy(a->into, g, node, operands, a->map);
    if (operands != few) vg_mem_free(a->into->ir->mem, operands);
    return made;
}

static void emit(arranger *a, vg_node node) {
    product p;
    const bool is_product = find_product(a, node, &p);
    a->into->here = a->from->place.items[node];
    a->into->here.forward = a->map[a->into->here.forward];
    if (a->needed[node]) {
        a->map[node] = a->total[node] ? emit_sum(a, node) : is_product ? emit_product(a, &p, 0) : copy(a, node);
    }
    if (!a->summed[node]) return;
    const vg_node before = a->before[node];
    a->sum[node] = before ? emit_product(a, &p, a->sum[before]) : a->map[node];
    if (!a->needed[node]) a->map[node] = a->sum[node];      /* for those that are derived for it */
}

static uint32_t count_needed(const arranger *a, uint32_t *operands) {
    uint32_t nodes = 0;
    for (vg_node node = 1; node < vg_graph_count(a->from); node++) {
        if (!a->needed[node] && !a->summed[node]) continue;
        nodes += a->needed[node] + a->summed[node];
        *operands += a->from->operand_count.items[node] + 1;
    }
    return nodes;
}

/* Heads in front of a product or behind it, or several products in one sum. */
static bool is_arranged(const vg_graph *g, vg_node node) {
    const vg_op op = vg_node_op(g, node);
    uint32_t products = 0;
    bool heads = false;
    if (op != VG_OP_matmul && op != VG_OP_transpose && op != VG_OP_add && op != VG_OP_addn) return false;
    for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
        products += vg_node_op(g, vg_operand(g, node, k)) == VG_OP_matmul;
        heads = heads || turn_of(g, vg_operand(g, node, k)) != OTHER;
    }
    if (op == VG_OP_matmul) return heads;
    return op == VG_OP_transpose ? products == 1 && turn_of(g, node) != OTHER : products > 1;
}

bool vg_arrange_changes(const vg_graph *graph) {
    for (vg_node node = 1; node < vg_graph_count(graph); node++)
        if (is_arranged(graph, node)) return true;
    uint8_t *again = vg_mem_alloc(graph->ir->mem, vg_graph_count(graph));
    const bool changes = vg_find_recomputed(graph, graph->ir->mem, again);
    vg_mem_free(graph->ir->mem, again);
    return changes;
}

void vg_pass_arrange(const vg_graph *from, vg_graph *into) {
    const uint32_t count = vg_graph_count(from);
    uint32_t operands = 0;
    const vg_place here = into->here;
    vg_arena arena;
    vg_arena_init(&arena, into->ir->mem);
    arranger a = { .from = from, .into = into };
    a.live = VG_ARRAY(&arena, uint8_t, count);
    a.wanted = VG_ARRAY(&arena, uint8_t, count);
    a.uses = VG_ARRAY(&arena, uint32_t, count);
    a.before = VG_ARRAY(&arena, vg_node, count);
    a.total = VG_ARRAY(&arena, vg_node, count);
    a.again = VG_ARRAY(&arena, uint8_t, count);
    a.needed = VG_ARRAY(&arena, uint8_t, count);
    a.summed = VG_ARRAY(&arena, uint8_t, count);
    a.map = VG_ARRAY(&arena, vg_node, count);
    a.sum = VG_ARRAY(&arena, vg_node, count);
    into->mode = VG_EMIT_FAITHFUL;      /* what is folded and merged stays so */
    count_uses(&a);
    for (vg_node node = 1; node < count; node++)
        if (a.live[node]) find_sum(&a, node);
    find_needed(&a);
    vg_find_recomputed(from, into->ir->mem, a.again);
    const uint32_t nodes = count_needed(&a, &operands);
    vg_graph_reserve(into, nodes, operands);
    for (vg_node node = 1; node < count && !into->full; node++)
        if (a.needed[node] || a.summed[node]) emit(&a, node);
    for (uint32_t k = 0; k < from->names.count; k++) {
        const vg_node node = from->names.items[k].node;
        if (a.needed[node] && a.map[node]) vg_graph_name(into, from->names.items[k].path, a.map[node]);
    }
    into->here = here;
    into->mode = VG_EMIT_FOLD;
    vg_arena_release(&arena);
}
