/* Which elementwise nodes run as one group, and when each step runs.
 *
 * A node joins the group of the step that reads it first, if that is elementwise over the same shape and due as often: it
 * is then computed there, and its operands are ready by then. Whoever else reads it comes later and finds it stored. So a
 * group never waits for itself. Where rows are short enough to stay in the first-level cache, what reduces each of
 * them to one number joins, too, and what is computed of such numbers.
 *
 * In id order all updates come last. Here they run as soon as their gradient is there and nobody reads the variable any
 * more, so that the gradient is still in the cache; so do histograms. Nothing is written into a variable before what can
 * stop the step (an index out of range, a loss that is not finite) has been computed. */
#include <stdlib.h>
#include <string.h>

#include "pass/pass.h"

typedef struct use { vg_node user; bool direct; } use;      /* direct: not through a view */

typedef struct fuser {
    vg_schedule    *schedule;
    const vg_graph *graph;
    vg_node  *base;          /* by node: whose memory it is */
    vg_node  *leader;        /* by node of the order: the last node of its group */
    vg_node  *next;          /* by node: the next member of its group: behind the leader the others by rising id */
    vg_shape *over;          /* by leader: the shape that its group goes over */
    uint8_t  *members, *outputs;      /* by leader */
    uint32_t *first_use;     /* by node: into uses; ends where the next one's begin */
    use      *uses;
    uint8_t  *read_last;     /* by node: a root reads it when all is done */
    uint8_t  *loss;          /* by node: it is one */
} fuser;

static bool is_step(const fuser *f, vg_node node) { return f->leader[node] != 0; }

/* ---- who reads what */

static void find_bases(fuser *f) {
    const vg_graph *g = f->graph;
    vg_find_bases(g, f->base);
    for (uint32_t k = 0; k < f->schedule->order_count; k++) f->leader[f->schedule->order[k]] = f->schedule->order[k];
    for (uint32_t k = 0; k < g->roots.count; k++) {
        const vg_node root = g->roots.items[k];
        if (f->schedule->phase[root] == VG_PHASE_dead || vg_is_step(f->schedule, g, root)) continue;
        for (uint32_t j = 0; j < g->operand_count.items[root]; j++) f->read_last[f->base[vg_operand(g, root, j)]] = 1;
        if (vg_node_op(g, root) == VG_OP_loss) f->loss[f->base[vg_operand(g, root, 0)]] = 1;
    }
}

static void find_uses(fuser *f, vg_mem *mem) {
    const vg_graph *g = f->graph;
    const uint32_t count = vg_graph_count(g), order_count = f->schedule->order_count;
    const vg_node *order = f->schedule->order;
    uint32_t *next = vg_mem_alloc(mem, (count + 1) * sizeof *next);
    for (uint32_t k = 0; k < order_count; k++)
        for (uint32_t j = 0; j < g->operand_count.items[order[k]]; j++)
            f->first_use[f->base[vg_operand(g, order[k], j)] + 1]++;
    for (vg_node node = 1; node <= count; node++) f->first_use[node] += f->first_use[node - 1];
    for (vg_node node = 0; node <= count; node++) next[node] = f->first_use[node];
    f->uses = vg_mem_alloc(mem, f->first_use[count] * sizeof *f->uses);
    for (uint32_t k = 0; k < order_count; k++)
        for (uint32_t j = 0; j < g->operand_count.items[order[k]]; j++) {
            const vg_node operand = vg_operand(g, order[k], j), base = f->base[operand];
            f->uses[next[base]++] = (use){ order[k], operand == base };
        }
    vg_mem_free(mem, next);
}

/* ---- groups */

/* A sum of three is one: of more it is left to its kernel, which goes through all of them at once. */
static bool is_elementwise(const fuser *f, vg_node node) {
    const vg_op op = vg_node_op(f->graph, node);
    return vg_op_is(op, VG_FLAG_map) || op == VG_OP_broadcast
        || (op == VG_OP_addn && f->graph->operand_count.items[node] == 3);
}

/* Whether a shape is another with rows, of a length that a tile has as a whole, become one element. */
static bool is_row_of(const fuser *f, vg_shape shape, vg_shape whole) {
    const vg_dims *dims = &f->graph->ir->dims;
    const uint32_t rank = vg_shape_rank(dims, whole);
    int64_t row;
    if (rank < 2 || vg_shape_rank(dims, shape) != rank || !vg_dim_is(dims, vg_shape_dim(dims, shape, rank - 1), 1))
        return false;
    for (uint32_t k = 0; k + 1 < rank; k++)
        if (vg_shape_dim(dims, shape, k) != vg_shape_dim(dims, whole, k)) return false;
    return vg_dim_is_number(dims, vg_shape_dim(dims, whole, rank - 1), &row) && row > 1 && row <= VG_GROUP_ROW;
}

/* The shape whose rows a node reduces to one element each; 0: it does something else. */
static vg_shape reduced_shape(const fuser *f, vg_node node) {
    const vg_graph *g = f->graph;
    const vg_op op = vg_node_op(g, node);
    if (op != VG_OP_sum && op != VG_OP_prod && op != VG_OP_max && op != VG_OP_min) return 0;
    uint32_t count;
    const vg_word *words = vg_attr_words(g->ir, g->attr.items[node], &count);      /* keep, axes... */
    const vg_shape shape = vg_node_shape(g, vg_operand(g, node, 0));
    const bool rows = count == 2 && words[0] != 0 && words[1] + 1 == vg_shape_rank(&g->ir->dims, shape);
    return rows && is_row_of(f, vg_node_shape(g, node), shape) ? shape : 0;
}

/* The shape that a group goes over of which this node is the first; 0: it can be in none. */
static vg_shape own_shape(const fuser *f, vg_node node) {
    return is_elementwise(f, node) ? vg_node_shape(f->graph, node) : reduced_shape(f, node);
}

/* The shape that the leader's group goes over when the node has joined; 0: it can not. A group of numbers for each row
 * that are joined by what makes such of rows goes over the rows. */
static vg_shape joint_shape(const fuser *f, vg_node leader, vg_node node) {
    const vg_shape over = f->over[leader], own = own_shape(f, node);
    if (over == 0 || own == 0) return 0;
    if (own == over || (is_elementwise(f, node) && is_row_of(f, own, over))) return over;
    const bool elementwise = over == vg_node_shape(f->graph, leader) && is_elementwise(f, leader);
    return elementwise && !is_elementwise(f, node) && is_row_of(f, over, own) ? own : 0;
}

static bool holds(const vg_node *list, uint32_t count, vg_node node) {
    for (uint32_t k = 0; k < count; k++)
        if (list[k] == node) return true;
    return false;
}

/* What a member reads from outside, added to `list`; false when there is no room. */
static bool add_inputs(const fuser *f, vg_node leader, vg_node member, vg_node joining, vg_node *list, uint32_t *count) {
    for (uint32_t k = 0; k < f->graph->operand_count.items[member]; k++) {
        const vg_node operand = vg_operand(f->graph, member, k);
        if (operand == joining || f->leader[operand] == leader || holds(list, *count, operand)) continue;
        if (*count == VG_GROUP_INPUTS) return false;
        list[(*count)++] = operand;
    }
    return true;
}

static bool has_room(const fuser *f, vg_node leader, vg_node joining, bool stored) {
    vg_node list[VG_GROUP_INPUTS];
    uint32_t count = 0;
    if (f->members[leader] + 1 >= VG_GROUP_MEMBERS || f->outputs[leader] + stored + 1 > VG_GROUP_OUTPUTS) return false;
    for (vg_node member = leader; member != 0; member = f->next[member])
        if (!add_inputs(f, leader, member, joining, list, &count)) return false;
    return add_inputs(f, leader, joining, joining, list, &count);
}

static void try_to_join(fuser *f, vg_node node) {
    vg_node leader = 0;
    f->over[node] = own_shape(f, node);
    if (f->over[node] == 0 || f->loss[node]) return;      /* updates wait for a loss: it goes with nobody later */
    if (f->schedule->part == VG_PART_INITIAL && f->read_last[node]) return;      /* so do readers of the variable */
    for (uint32_t k = f->first_use[node]; k < f->first_use[node + 1]; k++) {
        const vg_node own = f->leader[f->uses[k].user];
        if (leader == 0 || own < leader) leader = own;
    }
    const vg_shape joint = leader ? joint_shape(f, leader, node) : 0;
    if (joint == 0 || f->schedule->cadences[leader] != f->schedule->cadences[node]) return;
    bool stored = f->read_last[node];
    for (uint32_t k = f->first_use[node]; k < f->first_use[node + 1]; k++) {
        if (f->leader[f->uses[k].user] != leader) stored = true;
        else if (!f->uses[k].direct) return;
    }
    if (!has_room(f, leader, node, stored)) return;
    f->over[leader] = joint;
    f->leader[node] = leader;
    f->members[leader]++;
    f->outputs[leader] = (uint8_t)(f->outputs[leader] + stored);
    f->schedule->inner[node] = !stored;
    f->next[node] = f->next[leader];      /* the leader stays in front of them */
    f->next[leader] = node;
}

/* ---- what is written straight into a variable */

static vg_word word_of(const fuser *f, vg_node node, uint32_t k) {
    uint32_t count;
    return vg_attr_words(f->graph->ir, f->graph->attr.items[node], &count)[k];
}

/* A new value may take its variable's memory when its group alone reads it, and the old value is read by members before
 * it, or by steps that come earlier. The old value must not be read when all is done. */
static bool may_store(const fuser *f, vg_node value, vg_node update, vg_node variable) {
    const vg_schedule *s = f->schedule;
    if (!is_step(f, value) || !is_elementwise(f, value) || s->stores[value] != 0) return false;
    if (s->cadences[value] != s->cadences[update] || vg_op_is(vg_node_op(f->graph, value), VG_FLAG_draws)) return false;
    for (uint32_t k = f->first_use[value]; k < f->first_use[value + 1]; k++)
        if (f->leader[f->uses[k].user] != f->leader[value]) return false;
    if (variable == 0) return true;
    if (f->read_last[variable]) return false;
    for (uint32_t k = f->first_use[variable]; k < f->first_use[variable + 1]; k++) {
        const use *u = &f->uses[k];
        if (f->leader[u->user] != f->leader[value]) continue;
        const vg_node operand = u->direct ? variable : 0;
        if (operand == 0 || u->user > value || vg_node_shape(f->graph, variable) != vg_node_shape(f->graph, value))
            return false;
    }
    return true;
}

enum { SEVERAL = UINT32_MAX };

/* By path: the node that reads the variable; 0 is none. */
static vg_node *find_variables(const fuser *f, vg_mem *mem) {
    const vg_graph *g = f->graph;
    vg_node *variables = vg_mem_alloc(mem, g->ir->strings.text.count * sizeof *variables);
    for (vg_node node = 1; node < vg_graph_count(g); node++) {
        if (vg_node_op(g, node) != VG_OP_variable || f->schedule->phase[node] == VG_PHASE_dead) continue;
        vg_node *variable = &variables[word_of(f, node, 1)];
        *variable = *variable ? SEVERAL : node;
    }
    return variables;
}

/* By node: how many roots read it when all is done (two is many). */
static uint8_t *count_readers(const fuser *f, vg_mem *mem) {
    const vg_graph *g = f->graph;
    uint8_t *readers = vg_mem_alloc(mem, vg_graph_count(g));
    for (uint32_t k = 0; k < g->roots.count; k++) {
        const vg_node root = g->roots.items[k];
        if (f->schedule->phase[root] == VG_PHASE_dead || vg_is_step(f->schedule, g, root)) continue;
        for (uint32_t j = 0; j < g->operand_count.items[root]; j++) {
            uint8_t *count = &readers[f->base[vg_operand(g, root, j)]];
            if (*count < 2) (*count)++;
        }
    }
    return readers;
}

/* A step that stores does not run where something has failed: then it may make nothing that anybody else reads. */
static void drop_mixed_stores(fuser *f) {
    for (uint32_t k = 0; k < f->schedule->order_count; k++) {
        const vg_node leader = f->schedule->order[k];
        bool mixed = false;
        if (f->leader[leader] != leader) continue;
        for (vg_node member = leader; member != 0; member = f->next[member])
            mixed = mixed || (!f->schedule->inner[member] && f->schedule->stores[member] == 0);
        for (vg_node member = leader; member != 0 && mixed; member = f->next[member]) f->schedule->stores[member] = 0;
    }
}

/* By update: at most one a variable and one a value; `old` is filled with the node that reads the variable. */
static void find_stores(fuser *f, vg_mem *mem, vg_node *old) {
    const vg_graph *g = f->graph;
    vg_node *variables = find_variables(f, mem);
    uint8_t *readers = count_readers(f, mem);
    for (uint32_t k = 0; k < g->roots.count; k++) {
        const vg_node root = g->roots.items[k];
        if (f->schedule->phase[root] == VG_PHASE_dead || vg_node_op(g, root) != VG_OP_update) continue;
        const vg_node value = vg_operand(g, root, 0), variable = variables[word_of(f, root, 0)];
        if (variable == SEVERAL || f->base[value] != value || readers[value] != 1) continue;
        if (!may_store(f, value, root, variable)) continue;
        f->schedule->stores[value] = root;
        old[value] = variable;
    }
    drop_mixed_stores(f);
    vg_mem_free(mem, readers);
    vg_mem_free(mem, variables);
}

/* ---- the order of steps */

/* Where a step runs: the k-th in id order has rank 2 k + 2, what follows right behind it 2 k + 3. */
typedef struct ranked { uint64_t rank; uint32_t step; } ranked;

static int compare(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

typedef struct sorter {
    const fuser *f;
    uint32_t  count;
    uint32_t *step_of;       /* by node: its step in id order */
    vg_node  *leaders;       /* by step in id order */
    ranked   *ranks;         /* the same; rank 0: not known yet */
    const vg_node *old;      /* by node that stores: the variable it writes, as it is read */
    uint64_t  guard;         /* the rank of the last step that can stop all */
} sorter;

static void find_steps(sorter *s) {
    const vg_schedule *schedule = s->f->schedule;
    for (uint32_t k = 0; k < schedule->order_count; k++) {
        const vg_node node = schedule->order[k];
        if (s->f->leader[node] == node) s->leaders[s->count++] = node;
    }
    for (uint32_t step = 0; step < s->count; step++)
        for (vg_node member = s->leaders[step]; member != 0; member = s->f->next[member]) s->step_of[member] = step;
}

static bool is_store(const sorter *s, uint32_t step) {
    for (vg_node member = s->leaders[step]; member != 0; member = s->f->next[member])
        if (s->f->schedule->stores[member] != 0) return true;
    return false;
}

static void rank_fixed(sorter *s) {
    const fuser *f = s->f;
    for (uint32_t step = 0; step < s->count; step++) {
        const vg_node leader = s->leaders[step];
        ranked *own = &s->ranks[step];
        *own = (ranked){ 2 * (uint64_t)step + 2, step };
        if (vg_is_histogram(f->graph, leader)) {
            const vg_node base = f->base[vg_operand(f->graph, leader, 0)];
            own->rank = is_step(f, base) ? s->ranks[s->step_of[base]].rank + 1 : 1;
        } else if (is_store(s, step)) {
            own->rank = 0;
        }
        const bool stops = vg_can_fault(vg_node_op(f->graph, leader)) || f->loss[leader];      /* a loss leads its group */
        if (stops && own->rank > s->guard) s->guard = own->rank;
    }
}

/* Raises *rank above that of another step; false when that is not known yet. */
static bool follow(const sorter *s, uint32_t other, uint64_t *rank) {
    if (s->ranks[other].rank == 0) return false;
    if (s->ranks[other].rank > *rank) *rank = s->ranks[other].rank;
    return true;
}

/* The rank behind all that a member needs: its operands, and whoever reads the variable that it writes. */
static bool follow_needs(const sorter *s, uint32_t step, vg_node member, uint64_t *rank) {
    const fuser *f = s->f;
    for (uint32_t k = 0; k < f->graph->operand_count.items[member]; k++) {
        const vg_node base = f->base[vg_operand(f->graph, member, k)];
        if (is_step(f, base) && s->step_of[base] != step && !follow(s, s->step_of[base], rank)) return false;
    }
    const vg_node variable = f->schedule->stores[member] ? s->old[member] : 0;
    for (uint32_t k = f->first_use[variable]; variable != 0 && k < f->first_use[variable + 1]; k++) {
        const uint32_t reader = s->step_of[f->uses[k].user];
        if (reader != step && !follow(s, reader, rank)) return false;
    }
    return true;
}

/* Updates in id order. One for which no place is found stays where it was and writes beside the variable. */
static void rank_updates(sorter *s) {
    for (uint32_t step = 0; step < s->count; step++) {
        if (s->ranks[step].rank != 0) continue;
        uint64_t rank = s->guard;
        bool placed = true;
        for (vg_node member = s->leaders[step]; member != 0 && placed; member = s->f->next[member])
            placed = follow_needs(s, step, member, &rank);
        s->ranks[step].rank = placed ? rank + 1 : 2 * (uint64_t)step + 2;
        for (vg_node member = s->leaders[step]; member != 0 && !placed; member = s->f->next[member])
            s->f->schedule->stores[member] = 0;
    }
}

/* The schedule's order and steps anew. A group's members lie by rising id. */
static void write_order(const sorter *s) {
    vg_schedule *schedule = s->f->schedule;
    uint32_t at = 0;
    for (uint32_t k = 0; k < s->count; k++) {
        schedule->step[k] = at;
        vg_node list[VG_GROUP_MEMBERS];
        uint32_t count = 0;
        for (vg_node member = s->leaders[s->ranks[k].step]; member != 0; member = s->f->next[member]) list[count++] = member;
        for (uint32_t j = 1; j < count; j++) schedule->order[at++] = list[j];
        schedule->order[at++] = list[0];
    }
    schedule->step[s->count] = at;
    schedule->step_count = s->count;
}

static void sort_steps(fuser *f, vg_mem *mem, const vg_node *old) {
    const uint32_t count = vg_graph_count(f->graph);
    sorter s = { .f = f, .old = old };
    s.step_of = vg_mem_alloc(mem, count * sizeof *s.step_of);
    s.leaders = vg_mem_alloc(mem, f->schedule->order_count * sizeof *s.leaders);
    find_steps(&s);
    s.ranks = vg_mem_alloc(mem, s.count * sizeof *s.ranks);
    rank_fixed(&s);
    rank_updates(&s);
    qsort(s.ranks, s.count, sizeof *s.ranks, compare);
    write_order(&s);
    vg_mem_free(mem, s.ranks);
    vg_mem_free(mem, s.leaders);
    vg_mem_free(mem, s.step_of);
}

void vg_fuse(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph) {
    const uint32_t count = vg_graph_count(graph);
    vg_arena arena;
    vg_arena_init(&arena, mem);
    fuser f = { .schedule = schedule, .graph = graph };
    f.base = VG_ARRAY(&arena, vg_node, count);
    f.leader = VG_ARRAY(&arena, vg_node, count);
    f.next = VG_ARRAY(&arena, vg_node, count);
    f.over = VG_ARRAY(&arena, vg_shape, count);
    f.members = VG_ARRAY(&arena, uint8_t, count);
    f.outputs = VG_ARRAY(&arena, uint8_t, count);
    f.first_use = VG_ARRAY(&arena, uint32_t, count + 2);
    f.read_last = VG_ARRAY(&arena, uint8_t, count);
    f.loss = VG_ARRAY(&arena, uint8_t, count);
    find_bases(&f);
    find_uses(&f, mem);
    for (uint32_t k = schedule->order_count; k-- > 0;) try_to_join(&f, schedule->order[k]);
    vg_node *old = VG_ARRAY(&arena, vg_node, count);
    find_stores(&f, mem, old);
    sort_steps(&f, mem, old);
    vg_mem_free(mem, f.uses);
    vg_arena_release(&arena);
    vg_finish(schedule, mem, graph);
}
