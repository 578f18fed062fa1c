/* The test split while training (eval_every): every scalar summary without a gradient in it, computed with `training`
 * false over the whole split, in the order of its examples. Its programs share the run's variables and the memory of
 * its inputs, which each training step fills anew; loaders and draws of the training are not touched. */
#include <math.h>

#include "api/run.h"
#include "run/blas.h"

/* The data set of the first input that has one says how many examples there are; NULL without data. */
static const vg_dataset *first_dataset(const vg_run *run) {
    for (uint32_t k = 0; k < run->unit->inputs.count; k++)
        if (vg_run_dataset(run, k)) return vg_run_dataset(run, k);
    return NULL;
}

/* ---- making */

/* Full batches, and what is left behind them. */
static void cut(vg_run *run) {
    vg_evaluation *evaluation = &run->evaluation;
    const vg_dataset *set = first_dataset(run);
    const uint32_t batch = run->turns[0].batch;
    evaluation->examples = set ? set->test_count : batch;
    if (evaluation->examples == 0) return;
    evaluation->sizes[VG_EVAL_FULL] = batch < evaluation->examples ? batch : evaluation->examples;
    evaluation->sizes[VG_EVAL_REST] = evaluation->examples % evaluation->sizes[VG_EVAL_FULL];
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (evaluation->sizes[k]) evaluation->symbols[k] = vg_run_symbols(run, evaluation->sizes[k]);
}

void vg_run_eval_sizes(vg_run *run) {
    vg_evaluation *evaluation = &run->evaluation;
    *evaluation = (vg_evaluation){ .every = run->unit->eval_every, .best = INFINITY };
    const bool wanted = run->options.watch != NULL || run->unit->checkpoint_best;
    if (run->options.evaluation || run->options.fetches_only || !wanted) evaluation->every = 0;
    if (evaluation->every) cut(run);
}

static bool make_programs(vg_run *run, vg_part part) {
    vg_evaluation *evaluation = &run->evaluation;
    const vg_program_options options = { .part = part, .no_fuse = run->options.no_fuse, .pool = run->pool };
    const vg_graph *graph = &run->unit->graph[0];
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (evaluation->sizes[k] && !vg_program_make(&evaluation->programs[k], &run->mem, run->unit, graph, &run->store,
                                                     options, evaluation->symbols[k], run->real)) return false;
    evaluation->batch = vg_mem_alloc(&run->mem, evaluation->sizes[VG_EVAL_FULL] * sizeof *evaluation->batch);
    return true;
}

static bool make_sums(vg_run *run) {
    vg_evaluation *evaluation = &run->evaluation;
    const uint32_t roots = evaluation->programs[VG_EVAL_FULL].roots.count;
    if (roots == 0) {
        vg_report0(&run->model->ir.diags, nothing_to_evaluate, run->unit->eval_span, 0);
        return false;
    }
    evaluation->sums = vg_mem_alloc(&run->mem, roots * sizeof *evaluation->sums);
    return true;
}

bool vg_run_eval_make(vg_run *run) {
    return run->evaluation.every == 0 || (make_programs(run, VG_PART_EVALUATION) && make_sums(run));
}

/* ---- evaluating */

/* `size` examples from the split's `begin`-th on; a data set that is over begins again. */
static vg_status load_batch(vg_run *run, uint64_t begin, uint32_t size) {
    uint32_t *batch = run->evaluation.batch;
    vg_run_load_settle(run);
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

/* The batch that begins with example `begin`; *which: of its size. */
static vg_status execute(vg_run *run, vg_context *context, uint64_t begin, uint32_t *which) {
    vg_evaluation *evaluation = &run->evaluation;
    *which = evaluation->examples - begin >= evaluation->sizes[VG_EVAL_FULL] ? VG_EVAL_FULL : VG_EVAL_REST;
    vg_program *program = &evaluation->programs[*which];
    const vg_status loaded = load_batch(run, begin, evaluation->sizes[*which]);
    if (loaded != VG_OK) return loaded;
    vg_run_load_bind(run, evaluation->bindings[*which]);
    context->batch++;
    if (program->uses_blas) vg_blas_enter();
    const bool fine = vg_program_execute(program, context, run->steps);
    if (program->uses_blas) vg_blas_leave();
    return fine ? VG_OK : vg_run_report_fault(run, program, context);
}

static vg_status add_batch(vg_run *run, vg_context *context, uint64_t begin) {
    vg_evaluation *evaluation = &run->evaluation;
    uint32_t which;
    const vg_status status = execute(run, context, begin, &which);
    if (status != VG_OK) return status;
    const vg_program *program = &evaluation->programs[which];
    const uint32_t size = evaluation->sizes[which];
    for (uint32_t k = 0; k < program->roots.count; k++)
        evaluation->sums[k] += size * vg_view_get(&program->views.items[program->roots.items[k].view], 0, run->real);
    return VG_OK;
}

static vg_status emit_means(vg_run *run) {
    const vg_evaluation *evaluation = &run->evaluation;
    const vg_program *program = &evaluation->programs[VG_EVAL_FULL];
    vg_status status = VG_OK;
    for (uint32_t k = 0; k < program->roots.count; k++) {
        uint32_t count;
        const vg_attr attr = program->graph->attr.items[program->roots.items[k].node];
        const vg_word *words = vg_attr_words(&run->model->ir, attr, &count);      /* tag, kind, every, turn */
        const double mean = evaluation->sums[k] / evaluation->examples;
        if (words[1] == VG_SUMMARY_BEST) {
            status = vg_run_keep_best(run, mean);
            continue;
        }
        vg_run_emit(run, (vg_record){ .kind = VG_RECORD_SCALAR, .step = run->done, .test = true,
                                      .tag = vg_run_text(run, (vg_str)words[0]),
                                      .value = run->real == 8 ? mean : (double)(float)mean });
    }
    return status;
}

static bool is_due(const vg_run *run) {
    const vg_evaluation *evaluation = &run->evaluation;
    if (evaluation->every == 0 || evaluation->done == run->done + 1) return false;
    return run->done % evaluation->every == 0 || run->done == run->steps;
}

static vg_status evaluate(vg_run *run) {
    vg_evaluation *evaluation = &run->evaluation;
    vg_context context = { .seed = run->context.seed, .step = run->done, .turn = 1 };
    for (uint32_t k = 0; k < evaluation->programs[VG_EVAL_FULL].roots.count; k++) evaluation->sums[k] = 0;
    for (uint64_t begin = 0; begin < evaluation->examples; begin += evaluation->sizes[VG_EVAL_FULL]) {
        const vg_status status = add_batch(run, &context, begin);
        if (status != VG_OK) return status;
    }
    evaluation->done = run->done + 1;
    return emit_means(run);
}

vg_status vg_run_evaluate(vg_run *run) {
    return is_due(run) ? evaluate(run) : VG_OK;
}

/* ---- when somebody asks */

/* Programs for the whole test split, made when first asked for. False after reporting. */
static bool make_late(vg_run *run, vg_part part) {
    if (run->evaluation.sizes[VG_EVAL_FULL]) return true;
    const vg_dataset *set = first_dataset(run);
    if (!vg_model_evaluation(run->model)) return false;
    cut(run);
    if (run->evaluation.sizes[VG_EVAL_FULL] == 0) {
        vg_report(&run->model->ir.diags, nothing_to_test, ((vg_span){ 0, 0 }), 0, vg_run_text(run, set->name));
        return false;
    }
    for (uint32_t k = 0; k < run->unit->inputs.count; k++) {
        const vg_dataset *other = vg_run_dataset(run, k);
        if (!other || !other->fed || other->test_count == set->test_count) continue;
        vg_report(&run->model->ir.diags, fed_counts, run->unit->inputs.items[k].span, 0, vg_run_text(run, set->name),
                  vg_run_number(run, set->test_count), vg_run_text(run, other->name),
                  vg_run_number(run, other->test_count));
        return false;
    }
    if (!make_programs(run, part)) return false;
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (run->evaluation.sizes[k])
            run->evaluation.bindings[k] = vg_run_load_bindings(run, &run->evaluation.programs[k]);
    return true;
}

typedef struct asking {
    vg_run *run;
    bool  (*each)(void *user, uint64_t first, uint64_t count, uint64_t examples);
    void   *user;
} asking;

static vg_status test(void *user) {
    vg_run *run = ((const asking *)user)->run;
    const bool made = make_late(run, VG_PART_EVALUATION) && (run->evaluation.sums || make_sums(run));
    return made ? evaluate(run) : vg_model_status(run->model);
}

vg_status vg_run_test(vg_run *run, uint64_t *examples) {
    asking a = { .run = run };
    if (examples) *examples = 0;
    if (run->options.fetches_only) return VG_FAILED_USAGE;
    const vg_status status = vg_model_guard(run->model, &run->mem, test, &a);
    if (examples) *examples = run->evaluation.examples;
    return status;
}

/* The fetches are those of the batch that was computed last. */
static void take_fetches(vg_run *run, const vg_program *program) {
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        uint32_t count;
        const vg_word *words = vg_attr_words(&run->model->ir, program->graph->attr.items[root->node], &count);
        vg_fetched *fetched = &run->fetches[words[0]];
        fetched->view = &program->views.items[root->view];
        fetched->tensor.shape = fetched->view->dims;
        fetched->tensor.count = (size_t)fetched->view->count;
        vg_run_fetch_keep(run, fetched);
    }
    run->fetched = true;
}

static vg_status predict(void *user) {
    const asking *a = user;
    vg_run *run = a->run;
    if (!make_late(run, VG_PART_FETCHES)) return vg_model_status(run->model);
    vg_evaluation *evaluation = &run->evaluation;
    vg_context context = { .seed = run->context.seed, .turn = 1 };
    for (uint64_t begin = 0; begin < evaluation->examples; begin += evaluation->sizes[VG_EVAL_FULL]) {
        uint32_t which;
        const vg_status status = execute(run, &context, begin, &which);
        if (status != VG_OK) return status;
        take_fetches(run, &evaluation->programs[which]);
        if (!a->each(a->user, begin, evaluation->sizes[which], evaluation->examples)) return VG_FAILED_RESOURCE;
    }
    return VG_OK;
}

vg_status vg_run_predict(vg_run *run, bool (*each)(void *user, uint64_t first, uint64_t count, uint64_t examples),
                         void *user) {
    asking a = { run, each, user };
    if (!run->options.fetches_only || !run->options.evaluation) return VG_FAILED_USAGE;
    return vg_model_guard(run->model, &run->mem, predict, &a);
}
