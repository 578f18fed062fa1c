/* Executing a program: host scalars, then the flat steps that are due, one kernel call each. Nothing allocates. */
#include "run/program.h"

#include <math.h>
#include <string.h>

uint64_t vg_program_due(const vg_program *program, uint64_t step, uint64_t steps, bool last_counts) {
    if (last_counts && step + 1 == steps) return UINT64_MAX;
    uint64_t due = 0;
    for (uint32_t bit = 0; bit < program->schedule.cadence_count; bit++) {
        const uint64_t every = program->schedule.cadence_every[bit];
        if (every == 0 || step % every == 0) due |= (uint64_t)1 << bit;
    }
    return due;
}

/* ---- steps */

/* Counted beside, then kept as long as the program is: only the buckets that are not empty. */
static void take_histogram(vg_program *program, const vg_step_row *row) {
    const vg_view *view = &program->views.items[row->first_in];
    vg_distribution *taken = &program->taken.items[row->taken];
    vg_tally *own = taken->tallies;
    taken->tallies = program->tallies;
    if (view->dtype == VG_I32) vg_distribution_of_i32(view->data, view->count, program->counters, taken);
    else if (program->real == 8) vg_distribution_of_f64(view->data, view->count, program->counters, taken);
    else vg_distribution_of_f32(view->data, view->count, program->counters, taken);
    memcpy(own, program->tallies, taken->tally_count * sizeof *own);
    taken->tallies = own;
}

static void call(vg_program *program, const vg_step_row *row, vg_context *context) {
    if (row->kernel == NULL) {
        take_histogram(program, row);
        return;
    }
    const vg_work work = {
        .out = &program->views.items[row->out],
        .in = &program->views.items[row->first_in],
        .in_count = row->in_count,
        .words = &program->words.items[row->first_word],
        .word_count = row->word_count,
        .context = context,
        .group = row->group
    };
    row->kernel(&work);
    if (context->fault != VG_FAULT_none && program->fault_node == 0) program->fault_node = row->node;
}

/* ---- scalars on the host */

/* The number of the step; of a block, of its own updates. */
static double own_step(const vg_unit *unit, uint64_t turn, uint64_t step) {
    const uint64_t every = turn > 0 && turn <= unit->blocks.count ? unit->blocks.items[turn - 1].every : 1;
    return (double)(every > 1 ? step / every : step);
}

static double host_value(const vg_program *program, vg_node node, const vg_context *context) {
    const vg_graph *graph = program->graph;
    const vg_op op = vg_node_op(graph, node);
    uint32_t count = 0;
    double value = 0, operands[3] = { 0 };
    if (vg_node_uniform(graph, node, &value)) return value;
    const vg_word *words = vg_attr_words(graph->ir, graph->attr.items[node], &count);
    if (op == VG_OP_step) return own_step(program->unit, words[0], context->step);
    if (op == VG_OP_dimension) return (double)vg_dim_value(&graph->ir->dims, (vg_dim)words[0], program->symbols);
    for (uint32_t k = 0; k < graph->operand_count.items[node]; k++)
        operands[k] = program->host_values[program->host_of[vg_operand(graph, node, k)] - 1];
    return vg_op_scalar(op, operands);
}

static void compute_host(vg_program *program, const vg_context *context) {
    for (uint32_t k = 0; k < program->host.count; k++) {
        const vg_host_row *row = &program->host.items[k];
        program->host_values[k] = host_value(program, row->node, context);
        vg_view_set(&program->views.items[row->view], 0, program->real, program->host_values[k]);
    }
}

/* ---- variables */

static void copy_to(const vg_program *program, const vg_root_row *root, const void *from) {
    const vg_view *to = &program->store->slots.items[root->slot].view;
    memcpy(to->data, from, vg_view_bytes(to, program->real));
}

void vg_program_apply(vg_program *program, const vg_context *context, uint64_t steps) {
    const uint64_t due = vg_program_due(program, context->step, steps, false);
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t k = 0; k < program->roots.count; k++) {
            const vg_root_row *root = &program->roots.items[k];
            if (root->op != VG_OP_update || root->stored || (root->cadences & due) == 0) continue;
            const vg_view *value = &program->views.items[root->view];
            if (pass == 0 && root->staging)
                memcpy(root->staging, value->data, vg_view_bytes(value, program->real));
            else if (pass == 1)
                copy_to(program, root, root->staging ? root->staging : value->data);
        }
}

/* Writes the initial values that are ready after `done` steps. */
static void initialise(vg_program *program, uint32_t done, uint32_t *next) {
    for (; *next < program->roots.count; (*next)++) {
        const vg_root_row *root = &program->roots.items[*next];
        if (root->after > done) return;
        if (root->op == VG_OP_initial) copy_to(program, root, program->views.items[root->view].data);
    }
}

/* Nothing is written into a variable once an index was out of range or where a loss is no number. */
static bool may_store(const vg_program *program, const vg_context *context) {
    if (context->fault != VG_FAULT_none) return false;
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        if (root->op == VG_OP_loss && !isfinite(vg_view_get(&program->views.items[root->view], 0, program->real)))
            return false;
    }
    return true;
}

static void run_steps(vg_program *program, vg_context *context, uint64_t due) {
    uint32_t next = 0;
    bool asked = false, stores = false;
    for (uint32_t k = 0; k < program->steps.count; k++) {
        const vg_step_row *row = &program->steps.items[k];
        if (program->part == VG_PART_INITIAL) initialise(program, k, &next);
        if ((row->cadences & due) == 0) continue;
        if (row->stores && !asked) stores = may_store(program, context);
        asked = asked || row->stores;
        if (!row->stores || stores) call(program, row, context);
    }
    if (program->part == VG_PART_INITIAL) initialise(program, program->steps.count, &next);
}

bool vg_program_execute(vg_program *program, vg_context *context, uint64_t steps) {
    context->scratch = program->scratch;
    context->scratch_bytes = program->scratch_bytes;
    program->fault_node = 0;
    compute_host(program, context);
    if (!program->once_done)
        for (uint32_t k = 0; k < program->once.count; k++) call(program, &program->once.items[k], context);
    program->once_done = true;
    run_steps(program, context, vg_program_due(program, context->step, steps, true));
    return context->fault == VG_FAULT_none;
}
