/* Mini-batches: gathered when a turn needs them, or, where they are large, by a thread while the turn before runs. What
 * that thread has made is taken over by exchanging two pieces of memory; the programs are told where their inputs are
 * now. The order of examples is the loader's, which goes on by one batch a turn either way: the bits are the same. */
#include <assert.h>

#include "api/run.h"
#include "base/os.h"
#include "run/pool.h"

/* Of a turn's inputs together: below, waking a thread costs more than gathering. */
enum { WORTHWHILE_BYTES = 128 << 10, SPIN = 4000 };

static vg_slot *slot_of(vg_run *run, const vg_input_state *input) { return &run->store.slots.items[input->slot]; }

/* Examples [from, to) of the batch; where `coming`, of the one that is made ahead. The number + 1 of the input that
 * could not be filled; 0: all could. */
static uint32_t gather_part(vg_run *run, bool coming, uint32_t from, uint32_t to) {
    for (uint32_t k = 0; k < run->unit->inputs.count; k++) {
        const vg_input_state *input = &run->inputs[k];
        if (input->loader == 0) continue;
        const vg_loader *loader = &run->loaders[input->loader - 1];
        const vg_view *view = &slot_of(run, input)->view;
        const uint32_t *batch = coming ? loader->coming : loader->batch;
        char *to_data = coming ? input->coming : view->data;
        if (!vg_dataset_read(loader->set, run->unit->inputs.items[k].column, batch + from, to - from,
                             to_data + from * (vg_view_bytes(view, run->real) / (size_t)view->dims[0]), run->real == 8))
            return k + 1;
    }
    return 0;
}

static void choose_examples(vg_run *run, uint32_t size, bool coming) {
    for (uint32_t k = 0; k < run->loader_count; k++)
        vg_loader_next(&run->loaders[k], size, coming ? run->loaders[k].coming : run->loaders[k].batch);
}

typedef struct sharing { vg_run *run; uint32_t size, threads; } sharing;

static void gather_share(void *user, uint32_t t) {
    const sharing *s = user;
    gather_part(s->run, false, (uint32_t)vg_share_begin(s->size, t, s->threads),
                (uint32_t)vg_share_begin(s->size, t + 1, s->threads));
}

/* At once, by the run's threads where that pays. */
static uint32_t gather(vg_run *run, const vg_turn *turn) {
    const uint32_t size = turn->batch;
    choose_examples(run, size, false);
    sharing s = { run, size, vg_pool_threads(run->pool) };
    if (!run->large || run->provided || s.threads == 1 || !vg_pace_is_together(&turn->program.pace))
        return gather_part(run, false, 0, size);
    vg_pool_run(run->pool, gather_share, &s);
    return 0;
}

/* ---- the thread */

static bool change(vg_ahead *ahead, vg_ahead_state from, vg_ahead_state to) {
    uint32_t seen = from;
    return atomic_compare_exchange_strong(&ahead->state, &seen, to);
}

static void say(vg_ahead *ahead, vg_ahead_state state) {
    atomic_store(&ahead->state, state);
    vg_thread_wake(&ahead->state);
}

static void work(void *user) {
    vg_run *run = user;
    vg_ahead *ahead = &run->ahead;
    for (;;) {
        const uint32_t seen = atomic_load(&ahead->state);
        if (seen == VG_AHEAD_over) return;
        if (change(ahead, VG_AHEAD_asked, VG_AHEAD_begun)) {
            choose_examples(run, ahead->batch, true);
            ahead->failed = gather_part(run, true, 0, ahead->batch);
            say(ahead, VG_AHEAD_made);
        } else if (seen != VG_AHEAD_asked) {
            vg_thread_wait(&ahead->state, seen, 0);
        }
    }
}

void vg_run_load_end(vg_run *run) {
    vg_ahead *ahead = &run->ahead;
    if (ahead->thread == NULL) return;
    if (vg_thread_is_here(ahead->thread)) {
        change(ahead, VG_AHEAD_asked, VG_AHEAD_idle);
        vg_thread_wait(&ahead->state, VG_AHEAD_begun, 0);
        say(ahead, VG_AHEAD_over);
    }
    vg_thread_join(ahead->thread);
    ahead->thread = NULL;
}

/* ---- making */

vg_binding *vg_run_load_bindings(vg_run *run, vg_program *program) {
    if (!run->ahead.wanted) return NULL;
    vg_binding *bindings = vg_mem_alloc(&run->mem, run->unit->inputs.count * sizeof *bindings);
    for (uint32_t k = 0; k < run->unit->inputs.count; k++)
        if (run->inputs[k].loader) vg_binding_make(&bindings[k], &run->mem, program, slot_of(run, &run->inputs[k]));
    return bindings;
}

void vg_run_load_make(vg_run *run) {
    uint64_t bytes = 0, batch = 0;
    for (uint32_t k = 0; k < run->unit->inputs.count; k++)
        if (run->inputs[k].loader) bytes += vg_view_bytes(&slot_of(run, &run->inputs[k])->view, run->real);
    for (uint32_t k = 0; k < run->turn_count; k++)
        if (run->turns[k].batch > batch) batch = run->turns[k].batch;
    for (uint32_t k = 0; k < run->loader_count; k++) run->provided = run->provided || run->loaders[k].set->gather;
    run->large = bytes >= WORTHWHILE_BYTES || run->provided;      /* how long the host takes is not known */
    if (!run->large || run->mem.bytes + bytes > vg_os_memory() || vg_thread_cores() <= vg_pool_threads(run->pool)) return;
    run->ahead.wanted = true;
    for (uint32_t k = 0; k < run->loader_count; k++)
        run->loaders[k].coming = vg_mem_alloc(&run->mem, batch * sizeof *run->loaders[k].coming);
    for (uint32_t k = 0; k < run->unit->inputs.count; k++) {
        vg_input_state *input = &run->inputs[k];
        if (input->loader) input->coming = vg_mem_alloc(&run->mem, vg_view_bytes(&slot_of(run, input)->view, run->real));
    }
    for (uint32_t k = 0; k < run->turn_count; k++) run->turns[k].bindings = vg_run_load_bindings(run, &run->turns[k].program);
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (run->evaluation.sizes[k]) run->evaluation.bindings[k] = vg_run_load_bindings(run, &run->evaluation.programs[k]);
}

/* ---- loading */

void vg_run_load_bind(vg_run *run, vg_binding *bindings) {
    for (uint32_t k = 0; bindings && k < run->unit->inputs.count; k++)
        if (run->inputs[k].loader) vg_binding_move(&bindings[k], slot_of(run, &run->inputs[k])->view.data);
}

static void exchange(void **a, void **b) {
    void *kept = *a;
    *a = *b;
    *b = kept;
}

static void take(vg_run *run) {
    for (uint32_t k = 0; k < run->loader_count; k++) {
        uint32_t *kept = run->loaders[k].batch;
        run->loaders[k].batch = run->loaders[k].coming;
        run->loaders[k].coming = kept;
    }
    for (uint32_t k = 0; k < run->unit->inputs.count; k++)
        if (run->inputs[k].loader) exchange(&slot_of(run, &run->inputs[k])->view.data, &run->inputs[k].coming);
}

vg_status vg_run_report_gather(vg_run *run, uint32_t k) {
    const vg_input *input = &run->unit->inputs.items[k];
    vg_report(&run->model->ir.diags, data_failed, input->span, 0, vg_run_text(run, input->dataset->name),
              vg_arena_format(&run->model->ir.arena, "the program that provides it could not give column '%s'",
                              input->dataset->columns[input->column].name));
    return VG_FAILED_RESOURCE;
}

/* Nobody touches the loaders now. */
static void note_place(vg_run *run) {
    for (uint32_t k = 0; k < run->loader_count; k++) {
        run->loaders[k].seen = run->loaders[k].next;
        run->loaders[k].seen_epoch = run->loaders[k].epoch;
    }
}

/* What nobody has begun is left to the step. */
static void settle(vg_ahead *ahead, uint32_t spin) {
    change(ahead, VG_AHEAD_asked, VG_AHEAD_idle);
    vg_thread_wait(&ahead->state, VG_AHEAD_begun, spin);
}

void vg_run_load_settle(vg_run *run) {
    if (run->provided && run->ahead.wanted) settle(&run->ahead, 0);
}

/* A thread that had no core to run on is not waited for. */
vg_status vg_run_take_batch(vg_run *run, vg_turn *turn) {
    vg_ahead *ahead = &run->ahead;
    uint32_t failed;
    if (!ahead->wanted) {
        failed = gather(run, turn);
        note_place(run);
        return failed ? vg_run_report_gather(run, failed - 1) : VG_OK;
    }
    settle(ahead, SPIN);
    if (change(ahead, VG_AHEAD_made, VG_AHEAD_idle)) {
        assert(ahead->batch == turn->batch);
        failed = ahead->failed;
        take(run);
    } else {
        failed = gather(run, turn);
    }
    note_place(run);
    vg_run_load_bind(run, turn->bindings);
    return failed ? vg_run_report_gather(run, failed - 1) : VG_OK;
}

/* The batch of the turn that comes after turn `k` of this step; 0 when none does. */
static uint32_t next_batch(const vg_run *run, uint32_t k) {
    const uint64_t step = run->context.step;
    uint64_t first = UINT64_MAX;
    uint32_t batch = 0;
    for (k++; k < run->turn_count; k++)
        if (step % run->turns[k].every == 0) return run->turns[k].batch;
    for (k = 0; k < run->turn_count; k++) {
        const uint64_t due = step - step % run->turns[k].every + run->turns[k].every;
        if (due >= first || due >= run->steps) continue;
        first = due;
        batch = run->turns[k].batch;
    }
    return batch;
}

void vg_run_load_ahead(vg_run *run, uint32_t turn) {
    vg_ahead *ahead = &run->ahead;
    if (!ahead->wanted || (ahead->batch = next_batch(run, turn)) == 0) return;
    if (ahead->thread == NULL && (ahead->thread = vg_thread_start(work, run)) == NULL) {
        ahead->wanted = false;
        return;
    }
    say(ahead, VG_AHEAD_asked);
}
