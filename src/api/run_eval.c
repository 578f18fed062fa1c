/* The test split while training (eval_every): every scalar summary without a gradient in it, computed with `training`
 * false over the whole split, in the order of its examples. Its programs share the run's variables and the memory of
 * its inputs, which each training step fills anew; loaders and draws of the training are not touched. */
#include "api/run.h"
#include "run/blas.h"

/* The data set of the first input that has one says how many examples there are; NULL without data. */
static const vg_dataset *first_dataset(const vg_run *run) {
    for (uint32_t k = 0; k < run->unit->inputs.count; k++)
        if (vg_run_dataset(run, k)) return vg_run_dataset(run, k);
    return NULL;
}

/* ---- making */

void vg_run_eval_sizes(vg_run *run) {
    vg_evaluation *evaluation = &run->evaluation;
    const vg_dataset *set = first_dataset(run);
    const uint32_t batch = run->turns[0].batch;
    *evaluation = (vg_evaluation){ .every = run->unit->eval_every };
    if (run->options.evaluation || run->options.fetches_only || run->options.watch == NULL) evaluation->every = 0;
    if (evaluation->every == 0) return;
    evaluation->examples = set ? set->test_count : batch;
    evaluation->sizes[VG_EVAL_FULL] = batch < evaluation->examples ? batch : evaluation->examples;
    evaluation->sizes[VG_EVAL_REST] = evaluation->examples % evaluation->sizes[VG_EVAL_FULL];
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (evaluation->sizes[k]) evaluation->symbols[k] = vg_run_symbols(run, evaluation->sizes[k]);
}

bool vg_run_eval_make(vg_run *run) {
    vg_evaluation *evaluation = &run->evaluation;
    const vg_graph *graph = &run->unit->graph[0];
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (evaluation->sizes[k] && !vg_program_make(&evaluation->programs[k], &run->mem, run->unit, graph, &run->store,
                                                     (vg_program_options){ .part = VG_PART_EVALUATION,
                                                                           .no_fuse = run->options.no_fuse,
                                                                           .pool = run->pool },
                                                     evaluation->symbols[k], run->real))
            return false;
    if (evaluation->every == 0) return true;
    const uint32_t roots = evaluation->programs[VG_EVAL_FULL].roots.count;
    if (roots == 0) {
        vg_report0(&run->model->ir.diags, nothing_to_evaluate, run->unit->eval_span, 0);
        return false;
    }
    evaluation->batch = vg_mem_alloc(&run->mem, evaluation->sizes[VG_EVAL_FULL] * sizeof *evaluation->batch);
    evaluation->sums = vg_mem_alloc(&run->mem, roots * sizeof *evaluation->sums);
    return true;
}

/* ---- evaluating */

/* `size` examples from the split's `begin`-th on; a data set that is over begins again. */
static vg_status load_batch(vg_run *run, uint64_t begin, uint32_t size) {
    uint32_t *batch = run->evaluation.batch;
    for (uint32_t k = 0; k < run->unit->inputs.count; k++) {
        const vg_input *input = &run->unit->inputs.items[k];
        const vg_dataset *set = vg_run_dataset(run, k);
        if (set == NULL) continue;
        for (uint32_t i = 0; i < size; i++) batch[i] = set->test_examples[(begin + i) % set->test_count];
        if (!vg_dataset_read(set, input->column, batch, size, run->store.slots.items[run->inputs[k].slot].view.data,
                             run->real == 8)) return vg_run_report_gather(run, k);
    }
    return VG_OK;
}

static vg_status add_batch(vg_run *run, vg_context *context, uint64_t begin) {
    vg_evaluation *evaluation = &run->evaluation;
    const bool full = evaluation->examples - begin >= evaluation->sizes[VG_EVAL_FULL];
    vg_program *program = &evaluation->programs[full ? VG_EVAL_FULL : VG_EVAL_REST];
    const uint32_t size = evaluation->sizes[full ? VG_EVAL_FULL : VG_EVAL_REST];
    const vg_status loaded = load_batch(run, begin, size);
    if (loaded != VG_OK) return loaded;
    vg_run_load_bind(run, evaluation->bindings[full ? VG_EVAL_FULL : VG_EVAL_REST]);
    if (program->uses_blas) vg_blas_enter();
    const bool fine = vg_program_execute(program, context, run->steps);
    if (program->uses_blas) vg_blas_leave();
    if (!fine) return vg_run_report_fault(run, program, context);
    for (uint32_t k = 0; k < program->roots.count; k++)
        evaluation->sums[k] += size * vg_view_get(&program->views.items[program->roots.items[k].view], 0, run->real);
    return VG_OK;
}

static void emit_means(vg_run *run) {
    const vg_evaluation *evaluation = &run->evaluation;
    const vg_program *program = &evaluation->programs[VG_EVAL_FULL];
    for (uint32_t k = 0; k < program->roots.count; k++) {
        uint32_t count;
        const vg_attr attr = program->graph->attr.items[program->roots.items[k].node];
        const vg_word *words = vg_attr_words(&run->model->ir, attr, &count);      /* tag, kind, every, turn */
        const double mean = evaluation->sums[k] / evaluation->examples;
        vg_run_emit(run, (vg_record){ .kind = VG_RECORD_SCALAR, .step = run->done, .test = true,
                                      .tag = vg_run_text(run, (vg_str)words[0]),
                                      .value = run->real == 8 ? mean : (double)(float)mean });
    }
}

static bool is_due(const vg_run *run) {
    const vg_evaluation *evaluation = &run->evaluation;
    if (evaluation->every == 0 || evaluation->done == run->done + 1) return false;
    return run->done % evaluation->every == 0 || run->done == run->steps;
}

vg_status vg_run_evaluate(vg_run *run) {
    vg_evaluation *evaluation = &run->evaluation;
    if (!is_due(run)) return VG_OK;
    vg_context context = { .seed = run->context.seed, .step = run->done, .turn = 1 };
    for (uint32_t k = 0; k < evaluation->programs[VG_EVAL_FULL].roots.count; k++) evaluation->sums[k] = 0;
    for (uint64_t begin = 0; begin < evaluation->examples; begin += evaluation->sizes[VG_EVAL_FULL]) {
        context.batch++;
        const vg_status status = add_batch(run, &context, begin);
        if (status != VG_OK) return status;
    }
    evaluation->done = run->done + 1;
    emit_means(run);
    return VG_OK;
}
