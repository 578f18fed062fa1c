/* Whose time it is: for each step of a program what it computes, how people call it, and what it costs. */
#include "api/timing.h"

#include <string.h>

#include "ir/cost.h"

uint32_t vg_timing_lines(vg_run *run) {
    uint32_t lines = VG_LAP_COUNT;
    for (uint32_t k = 0; k < run->turn_count; k++) {
        run->turns[k].program.first_line = lines;
        lines += run->turns[k].program.steps.count;
    }
    return lines;
}

/* One program's nodes and what they are called. */
typedef struct namer {
    const vg_run     *run;
    const vg_program *program;
    const vg_graph   *graph;
    vg_ir            *ir;
    const char      **names;      /* by node: the first it was given; NULL */
    uint8_t          *mark;       /* by node, all 0 between two steps */
} namer;

static const char *path_of(const namer *n, vg_node node, uint32_t word) {
    uint32_t count;
    return vg_run_text(n->run, (vg_str)vg_attr_words(n->ir, n->graph->attr.items[node], &count)[word]);
}

/* ---- names */

static void find_names(namer *n) {
    const vg_graph *graph = n->graph;
    for (uint32_t k = 0; k < graph->names.count; k++) {
        const char **name = &n->names[graph->names.items[k].node];
        if (*name == NULL) *name = vg_run_text(n->run, graph->names.items[k].path);
    }
    for (vg_node node = 1; node < vg_graph_count(graph); node++) {
        const vg_op op = vg_node_op(graph, node);
        if (op == VG_OP_variable || op == VG_OP_input) n->names[node] = path_of(n, node, 1);
    }
}

/* The same elements, or as good as the same. */
static bool is_transparent(vg_op op) {
    return op == VG_OP_reshape || op == VG_OP_broadcast || op == VG_OP_alias || op == VG_OP_stop_gradient ||
           op == VG_OP_float;
}

static vg_node seen_through(const namer *n, vg_node node) {
    while (n->names[node] == NULL && is_transparent(vg_node_op(n->graph, node))) node = vg_operand(n->graph, node, 0);
    return node;
}

static bool is_infix(const namer *n, vg_node node) {
    const char first = *vg_op_sign(vg_node_op(n->graph, node));
    return n->names[node] == NULL && n->graph->operand_count.items[node] == 2 && !(first >= 'a' && first <= 'z');
}

static void say_value(const namer *n, vg_node node, uint32_t depth, vg_text *out);

/* An operand that has a sign itself stands in parentheses; a product binds tighter than all of them. */
static void say_operand(const namer *n, vg_node node, uint32_t depth, vg_text *out) {
    node = seen_through(n, node);
    const bool apart = depth > 0 && is_infix(n, node) && vg_node_op(n->graph, node) != VG_OP_matmul;
    if (apart) vg_text_format(out, "(");
    say_value(n, node, depth, out);
    if (apart) vg_text_format(out, ")");
}

static void say_call(const namer *n, vg_node node, uint32_t depth, vg_text *out) {
    enum { SHOWN = 2 };
    const uint32_t count = n->graph->operand_count.items[node];
    vg_text_format(out, "%s(", vg_op_rows[vg_node_op(n->graph, node)].name);
    for (uint32_t k = 0; k < count && k < SHOWN; k++) {
        if (k) vg_text_format(out, ", ");
        say_value(n, vg_operand(n->graph, node, k), depth, out);
    }
    vg_text_format(out, count > SHOWN ? ", ..)" : ")");
}

/* Its name, or the operator with its operands' names: "x @ h[1].W", "log_softmax(logits)". */
static void say_value(const namer *n, vg_node node, uint32_t depth, vg_text *out) {
    node = seen_through(n, node);
    const vg_op op = vg_node_op(n->graph, node);
    double value;
    char number[32];
    if (n->names[node]) {
        vg_text_format(out, "%s", n->names[node]);
    } else if (vg_node_uniform(n->graph, node, &value)) {
        vg_text_format(out, "%s", vg_number_text(number, value));
    } else if (n->graph->operand_count.items[node] == 0) {
        vg_text_format(out, "%s", vg_op_rows[op].name);
    } else if (depth == 0) {
        vg_text_format(out, "..");
    } else if (is_infix(n, node)) {
        say_operand(n, vg_operand(n->graph, node, 0), depth - 1, out);
        vg_text_format(out, " %s ", vg_op_sign(op));
        say_operand(n, vg_operand(n->graph, node, 1), depth - 1, out);
    } else {
        say_call(n, node, depth - 1, out);
    }
}

/* A gradient that an optimizer gets is bound there as "train.h[1].W.d", which no name of the model's can be: `train` is
 * a word of the language. "h[1].W", in the arena; NULL for others. */
static const char *trained(const namer *n, vg_node node) {
    const char *name = n->names[node];
    if (name == NULL || strncmp(name, "train", 5) != 0 || (name[5] != '.' && name[5] != '[')) return NULL;
    const char *begin = strchr(name, '.'), *end = strrchr(name, '.');
    return begin && end > begin ? vg_arena_copy(&n->ir->arena, begin + 1, (size_t)(end - begin - 1)) : NULL;
}

static const char *name_of(const namer *n, vg_node node) {
    enum { DEPTH = 2 };
    const vg_graph *graph = n->graph;
    const vg_node forward = graph->place.items[node].forward, update = n->program->schedule.stores[node];
    if (vg_node_op(graph, node) == VG_OP_summary) return path_of(n, node, 0);      /* its tag */
    if (update) return vg_arena_format(&n->ir->arena, "new %s", path_of(n, update, 0));
    const char *path = forward ? trained(n, node) : NULL;
    if (path) return vg_arena_format(&n->ir->arena, "gradient of %s", path);
    vg_text text = vg_text_new(n->ir->mem);
    if (forward && n->names[node] == NULL) {
        vg_text_format(&text, "gradient of ");
        node = forward;
    }
    say_value(n, node, DEPTH, &text);
    const char *name = vg_arena_copy(&n->ir->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return name;
}

static const char *shape_of(const namer *n, vg_node node) {
    if (vg_node_op(n->graph, node) == VG_OP_summary) node = vg_operand(n->graph, node, 0);
    vg_text text = vg_text_new(n->ir->mem);
    vg_shape_text(&n->ir->dims, &n->ir->strings, vg_node_shape(n->graph, node), &text);
    const char *shape = vg_arena_copy(&n->ir->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return shape;
}

/* ---- operators */

static const char *operator_of(const namer *n, vg_node node) {
    const vg_op op = vg_node_op(n->graph, node);
    return op == VG_OP_summary ? "histogram" : vg_op_rows[op].name;
}

/* A value that is repeated within a group is read where it lies: nothing is done for it. */
static bool is_work(const namer *n, vg_node node) {
    return vg_node_op(n->graph, node) != VG_OP_broadcast || !n->program->schedule.inner[node];
}

/* Each operator once, in order: "mul+sub+update". */
static const char *operators_of(const namer *n, const vg_node *nodes, uint32_t count) {
    vg_text text = vg_text_new(n->ir->mem);
    bool stores = false;
    for (uint32_t k = 0; k < count; k++) {
        bool seen = !is_work(n, nodes[k]);
        for (uint32_t j = 0; j < k && !seen; j++)
            seen = is_work(n, nodes[j]) && vg_node_op(n->graph, nodes[j]) == vg_node_op(n->graph, nodes[k]);
        if (!seen) vg_text_format(&text, "%s%s", text.length ? "+" : "", operator_of(n, nodes[k]));
        stores = stores || n->program->schedule.stores[nodes[k]];
    }
    if (stores) vg_text_format(&text, "+update");
    const char *operators = vg_arena_copy(&n->ir->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return operators;
}

/* ---- costs */

static double bytes_of(const namer *n, vg_node node) {
    const vg_view *view = &n->program->views.items[n->program->view_of[node]];
    return (double)vg_view_bytes(view, n->program->real);
}

/* Of nodes that run as one only what goes in and out counts: each value once. */
static vg_node_cost cost_of(const namer *n, const vg_node *nodes, uint32_t count) {
    const vg_graph *graph = n->graph;
    const vg_program *program = n->program;
    vg_node_cost all = { 0, 0 };
    for (uint32_t k = 0; k < count; k++) {
        const vg_node_cost cost = vg_node_cost_of(graph, nodes[k], program->symbols, program->real);
        all.flops += cost.flops;
        all.bytes += cost.bytes;
    }
    if (count == 1) return all;
    all.bytes = 0;
    for (uint32_t k = 0; k < count; k++) n->mark[nodes[k]] = 1;
    for (uint32_t k = 0; k < count; k++) {
        if (!program->schedule.inner[nodes[k]] && program->view_of[nodes[k]]) all.bytes += bytes_of(n, nodes[k]);
        for (uint32_t j = 0; j < graph->operand_count.items[nodes[k]]; j++) {
            const vg_node operand = vg_operand(graph, nodes[k], j);
            if (!n->mark[operand] && program->view_of[operand]) all.bytes += bytes_of(n, operand);
            n->mark[operand] = 1;
        }
    }
    for (uint32_t k = 0; k < count; k++) {
        n->mark[nodes[k]] = 0;
        for (uint32_t j = 0; j < graph->operand_count.items[nodes[k]]; j++) n->mark[vg_operand(graph, nodes[k], j)] = 0;
    }
    return all;
}

/* Of a step that is cut the caller's thread has a part. */
static double part_of(const vg_program *program, const vg_step_row *row) {
    if (!row->share.cut || row->share.unit == 0) return 1;
    return (double)vg_share_begin(row->share.unit, 1, program->schedule.threads) / (double)row->share.unit;
}

/* ---- rows */

/* What is shown of several nodes: the variable that is written, else the last that has a name, else the last. */
static vg_node shown(const namer *n, const vg_node *nodes, uint32_t count) {
    vg_node best = nodes[count - 1];
    for (uint32_t k = 0; k < count; k++)
        if (n->names[nodes[k]]) best = nodes[k];
    for (uint32_t k = 0; k < count; k++)
        if (n->program->schedule.stores[nodes[k]]) best = nodes[k];
    return best;
}

static vg_timing_row row_of(const namer *n, uint32_t step, const vg_line *line, const vg_limits *limits) {
    const vg_program *program = n->program;
    const vg_diags *diags = &n->ir->diags;
    const vg_node *nodes = &program->schedule.order[program->schedule.step[step]];
    const uint32_t count = program->schedule.step[step + 1] - program->schedule.step[step];
    const vg_node node = shown(n, nodes, count);
    const vg_place *place = &n->graph->place.items[node];
    const vg_position at = vg_sources_position(&diags->sources, vg_diags_place(diags, place->span, place->call).begin);
    const vg_node_cost cost = cost_of(n, nodes, count);
    const double part = part_of(program, &program->steps.items[step]);
    return (vg_timing_row){
        .what = operators_of(n, nodes, count), .computes = true, .name = name_of(n, node), .shape = shape_of(n, node),
        .file = at.source ? at.source->name : "", .line = at.line, .nodes = count, .calls = line->calls,
        .seconds = line->seconds, .flops = line->calls * part * cost.flops, .bytes = line->calls * part * cost.bytes,
        .limit = line->calls * vg_limits_seconds(limits, part * cost.flops, part * cost.bytes)
    };
}

static uint32_t add_program(vg_run *run, const vg_program *program, const vg_line *lines, const vg_limits *limits,
                            vg_timing_row *rows) {
    const uint32_t nodes = vg_graph_count(program->graph);
    uint32_t count = 0;
    namer n = { .run = run, .program = program, .graph = program->graph, .ir = program->graph->ir };
    n.names = vg_mem_alloc(&run->mem, nodes * sizeof *n.names);
    n.mark = vg_mem_alloc(&run->mem, nodes);
    find_names(&n);
    for (uint32_t step = 0; step < program->steps.count; step++) {
        const vg_line *line = &lines[program->first_line + step];
        if (line->calls > 0) rows[count++] = row_of(&n, step, line, limits);
    }
    vg_mem_free(&run->mem, n.mark);
    vg_mem_free(&run->mem, n.names);
    return count;
}

vg_timing_row *vg_timing_rows(vg_run *run, const vg_line *lines, const vg_limits *limits, size_t *count) {
    static const char *const parts[VG_LAP_COUNT] = {
        [VG_LAP_loading] = "loading", [VG_LAP_scalars] = "scalars", [VG_LAP_waiting] = "waiting",
        [VG_LAP_recording] = "recording", [VG_LAP_updates] = "updates", [VG_LAP_rest] = "the rest"
    };
    vg_timing_row *rows = vg_mem_alloc(&run->mem, vg_timing_lines(run) * sizeof *rows);
    *count = 0;
    for (uint32_t k = 0; k < run->turn_count; k++)
        *count += add_program(run, &run->turns[k].program, lines, limits, rows + *count);
    for (uint32_t k = 0; k < VG_LAP_COUNT; k++) {
        const vg_line *line = &lines[k];
        if (line->calls > 0)
            rows[(*count)++] = (vg_timing_row){ .what = parts[k], .calls = line->calls, .seconds = line->seconds };
    }
    return rows;
}
