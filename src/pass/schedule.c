/* What of a graph one program runs: which nodes, when (vg_phase), how often (cadences), in which order. */
#include "pass/pass.h"

enum { CADENCE_LIMIT = 64 };

/* How often a root is due: its `every`, 1 being always. 0: not in this program. */
static uint64_t root_every(const vg_graph *graph, vg_node root, vg_part part, uint32_t turn, bool updates) {
    uint32_t       count;
    const vg_word *words = vg_attr_words(graph->ir, graph->attr.items[root], &count);
    vg_op          op = vg_node_op(graph, root);
    bool           step = part == VG_PART_STEP;
    uint64_t       every = 1, own_turn = 1;
    if (part == VG_PART_EVALUATION) return op == VG_OP_summary ? 1 : 0;
    if (part == VG_PART_FETCHES) return op == VG_OP_fetch ? 1 : 0;
    if (op == VG_OP_initial) return step ? 0 : 1;
    if (op == VG_OP_update) {
        if (!updates) return 0;
        own_turn = words[1];
        every = words[2];
    } else if (op == VG_OP_summary) {
        every = words[2];
        own_turn = words[3];
    } else if (op == VG_OP_evidence) {
        every = words[1];
        own_turn = words[2];
    } else if (op == VG_OP_expect) {
        every = words[1];
    } else if (op == VG_OP_loss) {
        own_turn = words[0];
    }
    if (!step || own_turn != turn) return 0;
    return every > 0 ? every : 1;
}

/* The bit of "every N steps". Where no bit is left, always is right too. */
static uint64_t cadence_bit(vg_schedule *schedule, uint64_t every) {
    if (every == 1) return 1;
    for (uint32_t k = 1; k < schedule->cadence_count; k++) {
        if (schedule->cadence_every[k] == every) return (uint64_t)1 << k;
    }
    if (schedule->cadence_count == CADENCE_LIMIT) return 1;
    schedule->cadence_every[schedule->cadence_count] = every;
    return (uint64_t)1 << schedule->cadence_count++;
}

static void mark_cadences(vg_schedule *schedule, const vg_graph *graph, vg_part part, uint32_t turn, bool updates) {
    for (uint32_t k = 0; k < graph->roots.count; k++) {
        vg_node  root = graph->roots.items[k];
        uint64_t every = root_every(graph, root, part, turn, updates);
        if (every > 0) schedule->cadences[root] = cadence_bit(schedule, every);
    }
    for (vg_node node = vg_graph_count(graph); node-- > 1;) {
        uint64_t cadences = schedule->cadences[node];
        if (cadences == 0) continue;
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
            schedule->cadences[vg_operand(graph, node, k)] |= cadences;
        }
    }
}

static bool host_leaf(const vg_graph *graph, vg_node node) {
    double value;
    vg_op  op = vg_node_op(graph, node);
    return op == VG_OP_dimension || op == VG_OP_step || vg_node_uniform(graph, node, &value);
}

/* By rising id, so that the operands are known. `constant` is set where a node depends on constants alone. */
static vg_phase phase_of(const vg_schedule *schedule, const vg_graph *graph, vg_node node, uint8_t *constant) {
    vg_op op = vg_node_op(graph, node);
    if (vg_op_is(op, VG_FLAG_effect)) return VG_PHASE_device;
    bool fixed = !vg_op_is(op, VG_FLAG_reads | VG_FLAG_draws);
    bool leaf = vg_op_is(op, VG_FLAG_leaf);
    bool host = vg_node_rank(graph, node) == 0 && (leaf ? host_leaf(graph, node) : vg_op_is(op, VG_FLAG_map));
    for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
        vg_node operand = vg_operand(graph, node, k);
        fixed = fixed && constant[operand];
        host = host && schedule->phase[operand] == VG_PHASE_host;
    }
    constant[node] = fixed;
    return host ? VG_PHASE_host : fixed ? VG_PHASE_once : VG_PHASE_device;
}

void vg_find_bases(const vg_graph *graph, vg_node *base) {
    for (vg_node node = 1; node < vg_graph_count(graph); node++)
        base[node] = vg_op_is(vg_node_op(graph, node), VG_FLAG_view) ? base[vg_operand(graph, node, 0)] : node;
}

bool vg_is_histogram(const vg_graph *graph, vg_node node) {
    if (vg_node_op(graph, node) != VG_OP_summary) return false;
    uint32_t count;
    return vg_attr_words(graph->ir, graph->attr.items[node], &count)[1] == VG_SUMMARY_HISTOGRAM;
}

bool vg_is_step(const vg_schedule *schedule, const vg_graph *graph, vg_node root) {
    return schedule->part == VG_PART_STEP && vg_is_histogram(graph, root);
}

/* Views share their operand's memory, variables and inputs lie elsewhere, other roots than a step's histograms are read
 * when all is done. */
static bool is_work(const vg_schedule *schedule, const vg_graph *graph, vg_node node) {
    vg_op op = vg_node_op(graph, node);
    if (schedule->phase[node] != VG_PHASE_device) return false;
    if (vg_op_is(op, VG_FLAG_effect)) return vg_is_step(schedule, graph, node);
    return !vg_op_is(op, VG_FLAG_view | VG_FLAG_reads);
}

void vg_schedule_make(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph, vg_part part, uint32_t turn,
                      bool updates) {
    uint32_t count = vg_graph_count(graph);
    *schedule = (vg_schedule){ .part = part, .cadence_count = 1 };
    vg_arena_init(&schedule->arena, mem);
    schedule->phase = VG_ARRAY(&schedule->arena, uint8_t, count);
    schedule->cadences = VG_ARRAY(&schedule->arena, uint64_t, count);
    schedule->cadence_every = VG_ARRAY(&schedule->arena, uint64_t, CADENCE_LIMIT);
    mark_cadences(schedule, graph, part, turn, updates);

    uint8_t *constant = vg_mem_alloc(mem, count);
    for (vg_node node = 1; node < count; node++) {
        if (schedule->cadences[node] == 0) continue;
        schedule->phase[node] = (uint8_t)phase_of(schedule, graph, node, constant);
    }
    vg_mem_free(mem, constant);
    /* Id order: gradients were emitted as their sweep went, from the last layer to the first. */
    schedule->order = VG_ARRAY(&schedule->arena, vg_node, count);
    for (vg_node node = 1; node < count; node++) {
        if (is_work(schedule, graph, node)) schedule->order[schedule->order_count++] = node;
    }
    schedule->step = VG_ARRAY(&schedule->arena, uint32_t, schedule->order_count + 1);
    for (uint32_t at = 0; at <= schedule->order_count; at++) schedule->step[at] = at;
    schedule->step_count = schedule->order_count;
    schedule->inner = VG_ARRAY(&schedule->arena, uint8_t, count);
    schedule->stores = VG_ARRAY(&schedule->arena, vg_node, count);
}

void vg_schedule_release(vg_schedule *schedule) {
    vg_arena_release(&schedule->arena);
}
