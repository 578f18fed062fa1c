/* Executing a program: host scalars, then the flat steps that are due, one kernel call each, by one thread or by all of a
 * pool, which meet between levels. Nothing allocates. */
#include "run/pool.h"
#include "run/program.h"

#include <math.h>
#include <string.h>

uint64_t vg_program_due(const vg_program *program, uint64_t step, uint64_t steps, bool last_counts) {
    if (last_counts && step + 1 == steps) return UINT64_MAX;
    uint64_t due = 0;
    for (uint32_t bit = 0; bit < program->schedule.cadence_count; bit++) {
        const uint64_t every = program->schedule.cadence_every[bit];
        const bool now = every == VG_CADENCE_SPARSE ? vg_is_sparsely_due(step, steps)
                       : every == VG_CADENCE_RARE ? vg_is_rarely_due(step)
                       : every == VG_CADENCE_FIRST ? vg_is_at_first_due(step) : every == 0 || step % every == 0;
        if (now) due |= (uint64_t)1 << bit;
    }
    return due;
}

/* ---- steps */

/* Counted beside, then kept as long as the program is: only the buckets that are not empty. */
static void take_histogram(vg_program *program, const vg_step_row *row, const vg_worker *worker) {
    const vg_view *view = &program->views.items[row->first_in];
    vg_distribution *taken = &program->taken.items[row->taken];
    vg_tally *own = taken->tallies;
    taken->tallies = worker->tallies;
    if (view->dtype == VG_I32) vg_distribution_of_i32(view->data, view->count, worker->counters, taken);
    else if (program->real == 8) vg_distribution_of_f64(view->data, view->count, worker->counters, taken);
    else vg_distribution_of_f32(view->data, view->count, worker->counters, taken);
    memcpy(own, worker->tallies, taken->tally_count * sizeof *own);
    taken->tallies = own;
}

static vg_work work_of(const vg_program *program, const vg_step_row *row, vg_worker *worker) {
    return (vg_work){
        .out = &program->views.items[row->out],
        .in = &program->views.items[row->first_in],
        .in_count = row->in_count,
        .words = &program->words.items[row->first_word],
        .word_count = row->word_count,
        .context = &worker->context,
        .group = row->group
    };
}

/* Calls the kernel; true when a fault of its is now the worker's, which another node's, later in the graph, gives way
 * to. A worker that has one keeps it meanwhile: the others look there before they store. */
static bool run_kernel(const vg_step_row *row, vg_work *work, vg_worker *worker) {
    vg_context *const context = &worker->context, own;
    bool fails;
    if (context->fault == VG_FAULT_none) {
        row->kernel(work);
        fails = context->fault != VG_FAULT_none;
    } else {
        own = *context;
        own.fault = VG_FAULT_none;
        work->context = &own;
        row->kernel(work);
        fails = own.fault != VG_FAULT_none && row->node < worker->fault_node;
        if (fails) *context = own;
    }
    if (fails) worker->fault_node = row->node;
    return fails;
}

static void call(vg_program *program, const vg_step_row *row, vg_worker *worker) {
    if (row->kernel == NULL) {
        take_histogram(program, row, worker);
        return;
    }
    vg_work work = work_of(program, row, worker);
    run_kernel(row, &work, worker);
}

/* The rows [from, to) of a view. */
static vg_view cut(const vg_program *program, const vg_view *view, int64_t from, int64_t to) {
    vg_view part = *view;
    const int64_t each = view->dims[0] > 0 ? view->count / view->dims[0] : 0;
    part.data = (char *)view->data + (uint64_t)(from * each) * (view->dtype == VG_I32 ? sizeof(int32_t) : program->real);
    part.dims[0] = to - from;
    part.count = (to - from) * each;
    return part;
}

/* Thread t's rows of a step that is cut. A group cuts itself; other kernels see views of the rows. */
static void call_part(vg_program *program, const vg_step_row *row, uint32_t t) {
    vg_worker *worker = &program->workers[t];
    const vg_view *whole = &program->views.items[row->out];
    const int64_t unit = row->share.unit, each = whole->dims[0] / unit;
    const int64_t from = each * vg_share_begin(unit, t, program->schedule.threads);
    const int64_t to = each * vg_share_begin(unit, t + 1, program->schedule.threads);
    vg_view out, in[VG_SHARE_OPERANDS];
    vg_work work = work_of(program, row, worker);
    if (from == to) return;
    work.from = from;
    work.to = to;
    if (row->group == NULL) {
        out = cut(program, whole, from, to);
        for (uint32_t k = 0; k < row->in_count; k++)
            in[k] = row->share.whole >> k & 1 ? work.in[k] : cut(program, &work.in[k], from, to);
        work.out = &out;
        work.in = in;
    }
    if (!run_kernel(row, &work, worker)) return;
    const vg_view *indices = &program->views.items[row->first_in + 1];
    if (!(row->share.whole >> 1 & 1)) worker->context.fault_at += from * (indices->count / indices->dims[0]);
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
        if (row->fixed && program->once_done) continue;
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
static bool may_store(const vg_program *program) {
    for (uint32_t t = 0; t < program->schedule.threads; t++)
        if (program->workers[t].context.fault != VG_FAULT_none) return false;
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        if (root->op == VG_OP_loss && !isfinite(vg_view_get(&program->views.items[root->view], 0, program->real)))
            return false;
    }
    return true;
}

static bool is_due(const vg_program *program, const vg_step_row *row) {
    return (row->cadences & (row->stores ? program->updates_due : program->due)) != 0;
}

static void run_alone(vg_program *program) {
    uint32_t next = 0;
    bool asked = false, stores = false;
    for (uint32_t k = 0; k < program->steps.count; k++) {
        const vg_step_row *row = &program->steps.items[k];
        if (program->part == VG_PART_INITIAL) initialise(program, k, &next);
        if (!is_due(program, row)) continue;
        if (row->stores && !asked) stores = may_store(program);
        asked = asked || row->stores;
        if (!row->stores || stores) call(program, row, &program->workers[0]);
        vg_profile_lap(program->profile, program->first_line + k);
    }
    if (program->part == VG_PART_INITIAL) initialise(program, program->steps.count, &next);
}

/* One thread of several. All go through the same levels and so meet equally often. */
static void run_shared(void *user, uint32_t t) {
    vg_program *program = user;
    vg_profile *const profile = t == 0 ? program->profile : NULL;
    uint32_t level = 0;
    bool asked = false, stores = false;
    vg_profile_lap(profile, VG_LAP_waiting);
    for (uint32_t k = 0; k < program->steps.count; k++) {
        const vg_step_row *row = &program->steps.items[k];
        if (!is_due(program, row)) continue;
        if (row->share.level != level) {
            vg_pool_meet(program->pool);
            vg_profile_lap(profile, VG_LAP_waiting);
        }
        level = row->share.level;
        if (row->stores && !asked) stores = may_store(program);
        asked = asked || row->stores;
        if (row->stores && !stores) continue;
        if (row->share.cut) call_part(program, row, t);
        else if (row->share.owner == t) call(program, row, &program->workers[t]);
        else continue;
        vg_profile_lap(profile, program->first_line + k);
    }
}

/* Together, or alone while that takes less time. */
static void run_paced(vg_program *program) {
    const double begun = vg_os_seconds();
    if (vg_pace_is_together(&program->pace)) {
        vg_pool_run(program->pool, run_shared, program);
        vg_profile_lap(program->profile, VG_LAP_waiting);
    } else {
        run_alone(program);
    }
    vg_pace_add(&program->pace, vg_os_seconds() - begun);
}

/* The first fault, in the order of nodes and of elements, whoever came upon it. */
static void find_fault(vg_program *program, vg_context *context) {
    const vg_worker *first = NULL;
    for (uint32_t t = 0; t < program->schedule.threads; t++) {
        const vg_worker *w = &program->workers[t];
        if (w->context.fault == VG_FAULT_none) continue;
        if (first == NULL || w->fault_node < first->fault_node ||
            (w->fault_node == first->fault_node && w->context.fault_at < first->context.fault_at)) first = w;
    }
    program->fault_node = 0;
    if (first == NULL) return;
    *context = first->context;
    program->fault_node = first->fault_node;
}

bool vg_program_execute(vg_program *program, vg_context *context, uint64_t steps) {
    for (uint32_t t = 0; t < program->schedule.threads; t++) {
        vg_context *own = &program->workers[t].context;
        void *const scratch = own->scratch;
        *own = *context;
        own->scratch = scratch;
        own->scratch_bytes = program->scratch_bytes;
    }
    program->due = vg_program_due(program, context->step, steps, true);
    program->updates_due = vg_program_due(program, context->step, steps, false);
    compute_host(program, context);
    if (!program->once_done)
        for (uint32_t k = 0; k < program->once.count; k++) call(program, &program->once.items[k], &program->workers[0]);
    program->once_done = true;
    vg_profile_lap(program->profile, VG_LAP_scalars);
    if (program->schedule.threads > 1) run_paced(program);
    else run_alone(program);
    find_fault(program, context);
    return context->fault == VG_FAULT_none;
}
