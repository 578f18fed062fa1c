/* Making a run: data, storage, programs for the batch sizes, initial values. */
#include "api/judge.h"

#include "run/blas.h"
#include "run/pool.h"

static const char *number_of(vg_run *run, uint64_t number) {
    return vg_arena_format(&run->model->ir.arena, "%llu", (unsigned long long)number);
}

/* ---- data */

static vg_status load(vg_run *run, const vg_input *input) {
    vg_data_error error = { .argument = false };
    if (vg_dataset_load(input->dataset, &error)) return VG_OK;
    const char *name = vg_run_text(run, input->dataset->name);
    vg_report(&run->model->ir.diags, data_failed, input->span, 0, name, error.text);
    if (input->dataset->facts)
        vg_diags_note(&run->model->ir.diags, (vg_span){ 0, 0 }, "--data '%s=...' reads it from elsewhere", name);
    return VG_FAILED_RESOURCE;
}

/* The examples of the split in use. */
static uint32_t examples_of(const vg_run *run, const vg_dataset *set) {
    return run->options.evaluation ? set->test_count : set->train_count;
}

/* The loader of the input's data set, made for the first input that asks; its number + 1. */
static uint32_t loader_of(vg_run *run, const vg_dataset *set) {
    for (uint32_t k = 0; k < run->loader_count; k++)
        if (run->loaders[k].set == set) return k + 1;
    return 0;
}

static uint32_t largest_batch(const vg_run *run) {
    uint32_t largest = 1;
    for (uint32_t k = 0; k < run->turn_count; k++)
        if (run->turns[k].batch > largest) largest = run->turns[k].batch;
    return largest;
}

static uint32_t input_of(const vg_unit *unit, vg_str path) {
    uint32_t k = 0;
    while (unit->inputs.items[k].path != path) k++;
    return k;
}

/* Whose data are read: all, or, where nothing but fetches is computed, those that they depend on. */
static void find_inputs(vg_run *run) {
    const vg_unit *unit = run->unit;
    run->inputs = vg_mem_alloc(&run->mem, unit->inputs.count * sizeof *run->inputs);
    for (uint32_t k = 0; k < unit->inputs.count; k++)
        run->inputs[k].wanted = !run->options.no_data && !run->options.fetches_only;
    if (run->options.no_data || !run->options.fetches_only) return;
    const vg_graph *graph = &unit->graph[run->options.evaluation ? 0 : 1];
    uint8_t *mark = vg_mem_alloc(&run->mem, vg_graph_count(graph));
    for (vg_node node = vg_graph_count(graph); node-- > 1;) {
        const vg_op op = vg_node_op(graph, node);
        uint32_t count;
        if (!mark[node] && op != VG_OP_fetch) continue;
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) mark[vg_operand(graph, node, k)] = 1;
        if (op != VG_OP_input) continue;
        const vg_word *words = vg_attr_words(graph->ir, graph->attr.items[node], &count);      /* shape, path, type */
        run->inputs[input_of(unit, (vg_str)words[1])].wanted = true;
    }
    vg_mem_free(&run->mem, mark);
}

/* Where the examples of one input come from a file of its own (--input), so must those of all others that are read: a data
 * set has other ones. */
static vg_status check_files(const vg_run *run) {
    const vg_input *inputs = run->unit->inputs.items, *unfed = NULL;
    bool fed = false;
    for (uint32_t k = 0; k < run->unit->inputs.count; k++) {
        const vg_dataset *set = vg_run_dataset(run, k);
        fed = fed || (set && set->fed);
        if (set && !set->fed && !unfed) unfed = &inputs[k];
    }
    if (!fed || !unfed) return VG_OK;
    vg_report(&run->model->ir.diags, fed_missing, unfed->span, 0, vg_run_text(run, unfed->path));
    return VG_FAILED_USAGE;
}

static vg_status make_loaders(vg_run *run) {
    vg_unit *unit = run->unit;
    run->loaders = vg_mem_alloc(&run->mem, unit->inputs.count * sizeof *run->loaders);
    for (uint32_t k = 0; k < unit->inputs.count; k++) {
        const vg_input *input = &unit->inputs.items[k];
        if (vg_run_dataset(run, k) == NULL || loader_of(run, input->dataset)) continue;
        const vg_status status = load(run, input);
        if (status != VG_OK) return status;
        const uint32_t count = examples_of(run, input->dataset), batch = largest_batch(run);
        if (count < batch) {
            vg_report(&run->model->ir.diags, too_few_examples, input->span, 0, vg_run_text(run, input->dataset->name),
                      number_of(run, count), number_of(run, batch));
            return VG_FAILED_MODEL;
        }
        vg_loader_init(&run->loaders[run->loader_count++], &run->mem, &run->model->ir.strings, input->dataset,
                       run->options.evaluation, unit->shuffle, run->context.seed, batch);
    }
    return VG_OK;
}

/* In an evaluation the batch need not be full: a small test split is seen at once. */
static uint64_t batch_in_use(const vg_run *run, uint64_t batch) {
    if (batch == 0) batch = 1;
    for (uint32_t k = 0; run->options.evaluation && k < run->unit->inputs.count; k++) {
        const vg_dataset *set = vg_run_dataset(run, k);
        if (set && set->test_count > 0 && set->test_count < batch) batch = set->test_count;
    }
    return batch;
}

/* ---- storage */

static void slot_dims(const vg_run *run, vg_shape shape, const int64_t *symbols, int64_t *dims, uint32_t *rank) {
    vg_dim list[VG_RANK_LIMIT];
    *rank = vg_shape_list(&run->model->ir.dims, shape, list);
    for (uint32_t k = 0; k < *rank; k++) dims[k] = vg_dim_value(&run->model->ir.dims, list[k], symbols);
}

/* Inputs' slots hold the largest batch of all turns; variables come first, in their order. */
static void make_storage(vg_run *run) {
    const vg_unit *unit = run->unit;
    int64_t dims[VG_RANK_LIMIT];
    uint32_t rank = 0, widest = 0;
    for (uint32_t k = 0; k < run->turn_count; k++)
        if (run->turns[k].batch > run->turns[widest].batch) widest = k;
    run->variable_count = unit->variables.count;
    run->variable_slots = vg_mem_alloc(&run->mem, run->variable_count * sizeof *run->variable_slots);
    run->variables = vg_mem_alloc(&run->mem, run->variable_count * sizeof *run->variables);
    for (uint32_t k = 0; k < run->variable_count; k++) {
        const vg_variable *variable = &unit->variables.items[k];
        slot_dims(run, variable->shape, run->turns[0].symbols, dims, &rank);
        run->variable_slots[k] = vg_store_slot(&run->store, variable->path, dims, rank, variable->dtype);
    }
    for (uint32_t k = 0; k < unit->inputs.count; k++) {
        const vg_input *input = &unit->inputs.items[k];
        slot_dims(run, input->shape, run->turns[widest].symbols, dims, &rank);
        run->inputs[k].slot = vg_store_slot(&run->store, input->path, dims, rank, input->dtype);
        run->inputs[k].loader = vg_run_dataset(run, k) ? loader_of(run, input->dataset) : 0;
    }
}

static void make_observers(vg_run *run) {
    vg_mem *mem = &run->mem;
    const uint32_t keys = run->real == 8 ? VG_KEYS_F64 : VG_KEYS_F32;
    run->expects = vg_mem_alloc(mem, run->unit->expectations.count * sizeof *run->expects);
    run->buckets = vg_mem_alloc(mem, keys * sizeof *run->buckets);
    run->message = vg_text_new(mem);
    vg_run_fetches_make(run);
}

/* ---- programs */

/* One turn a train block; a model that trains nothing has one, too. Then the evaluation's batches. */
static void make_turns(vg_run *run) {
    const vg_unit *unit = run->unit;
    run->turn_count = unit->blocks.count && !run->options.fetches_only ? unit->blocks.count : 1;
    run->turns = vg_mem_alloc(&run->mem, run->turn_count * sizeof *run->turns);
    for (uint32_t k = 0; k < run->turn_count; k++) {
        const vg_block *block = unit->blocks.count ? &unit->blocks.items[k] : NULL;
        const uint64_t own = block ? block->batch : unit->batch_size;
        const uint64_t batch = batch_in_use(run, run->options.batch ? run->options.batch : own);
        run->turns[k].batch = batch > UINT32_MAX ? UINT32_MAX : (uint32_t)batch;
        run->turns[k].every = block && block->every ? block->every : 1;
        run->turns[k].symbols = vg_run_symbols(run, run->turns[k].batch);
    }
    vg_run_eval_sizes(run);
}

/* Which inputs a program reads. */
static void mark_read(vg_run *run, const vg_program *program) {
    for (vg_node node = 1; node < vg_graph_count(program->graph); node++) {
        uint32_t count;
        if (vg_node_op(program->graph, node) != VG_OP_input || program->schedule.cadences[node] == 0) continue;
        const vg_word *words = vg_attr_words(&run->model->ir, program->graph->attr.items[node], &count);
        run->inputs[input_of(run->unit, (vg_str)words[1])].read = true;
    }
}

static bool make_programs(vg_run *run) {
    const vg_graph *graph = &run->unit->graph[run->options.evaluation ? 0 : 1];
    for (uint32_t k = 0; k < run->turn_count; k++)
        if (!vg_program_make(&run->turns[k].program, &run->mem, run->unit, graph, &run->store,
                             (vg_program_options){ .part = vg_run_part(run), .turn = k + 1,
                                                   .updates = !run->options.evaluation, .no_fuse = run->options.no_fuse,
                                                   .pool = run->pool }, run->turns[k].symbols, run->real)) return false;
    if (!vg_run_eval_make(run)) return false;
    for (uint32_t k = 0; k < run->turn_count; k++) mark_read(run, &run->turns[k].program);
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (run->evaluation.sizes[k]) mark_read(run, &run->evaluation.programs[k]);
    return true;
}

/* Initial values are those of the training graph, whatever is run. */
static vg_status initialise(vg_run *run) {
    vg_program program;
    if (!vg_program_make(&program, &run->mem, run->unit, &run->unit->graph[1], &run->store, (vg_program_options){ .part = VG_PART_INITIAL,
                         .no_fuse = run->options.no_fuse }, run->turns[0].symbols, run->real)) return vg_model_status(run->model);
    if (program.uses_blas) vg_blas_enter();
    const bool fine = vg_program_execute(&program, &run->context, run->steps);
    if (program.uses_blas) vg_blas_leave();
    const vg_place place = program.graph->place.items[program.fault_node];
    vg_program_release(&program);
    if (fine) return VG_OK;
    vg_report0(&run->model->ir.diags, orthogonal_failed, place.span, place.call);
    return VG_FAILED_RESOURCE;
}

/* An input of a fixed length has no other batch than the model's. */
static vg_status check_options(vg_run *run) {
    const vg_ir *ir = &run->model->ir;
    const uint64_t batch = run->options.batch;
    if (run->options.fetches_only && run->unit->fetches.count == 0) {
        vg_report0(&run->model->ir.diags, nothing_to_fetch, ((vg_span){ 0, 0 }), 0);
        return VG_FAILED_USAGE;
    }
    if (batch > INT32_MAX) return VG_FAILED_USAGE;
    for (uint32_t k = 0; k < run->unit->inputs.count && batch; k++) {
        const vg_input *input = &run->unit->inputs.items[k];
        int64_t length;
        if (!vg_dim_is_number(&ir->dims, vg_shape_dim(&ir->dims, input->shape, 0), &length)) continue;
        if ((uint64_t)length == batch) continue;
        vg_report(&run->model->ir.diags, input_batch, input->span, 0, vg_run_text(run, input->path),
                  number_of(run, (uint64_t)length), number_of(run, batch));
        return VG_FAILED_MODEL;
    }
    return VG_OK;
}

static vg_status make(void *user) {
    vg_run *run = user;
    const vg_unit *unit = run->unit;
    vg_status status = check_options(run);
    if (status != VG_OK) return status;
    run->real = run->options.float64 ? 8 : 4;
    run->steps = run->options.steps ? run->options.steps : unit->steps ? unit->steps : 1;
    run->context.seed = run->options.has_seed ? run->options.seed : unit->seed;
    if (run->options.evaluation && !vg_model_evaluation(run->model)) return vg_model_status(run->model);
    vg_store_init(&run->store, &run->mem, run->real);
    run->pool = vg_pool_new(&run->mem, run->options.threads ? run->options.threads : vg_thread_cores());
    find_inputs(run);
    status = check_files(run);
    if (status != VG_OK) return status;
    make_turns(run);
    if (!vg_run_fits(run)) vg_mem_fail(&run->mem);
    status = make_loaders(run);
    if (status != VG_OK) return status;
    make_storage(run);
    if (!make_programs(run)) return vg_model_status(run->model);
    if (!run->options.evaluation && run->unit->variables.count == 0 && run->unit->inputs.count == 0 &&
        run->turns[0].program.roots.count == 0) {
        vg_report0(&run->model->ir.diags, nothing_to_run, ((vg_span){ 0, 0 }), 0);
        return vg_model_status(run->model);
    }
    vg_run_load_make(run);
    make_observers(run);
    if (!vg_run_images_make(run)) return vg_model_status(run->model);
    const vg_status initial = initialise(run);
    if (initial == VG_OK) vg_judge_make(run);
    return initial;
}

/* What was made goes first, to make room for the counting. */
static vg_status complain(void *user) {
    vg_run *run = user;
    vg_mem_release(&run->mem);
    find_inputs(run);
    make_turns(run);
    vg_run_report_needs(run);
    return VG_OK;
}

typedef struct birth { vg_model *model; vg_run *run; } birth;

/* The handle itself is the model's memory, all that it owns its own. */
static vg_status allocate(void *user) {
    birth *b = user;
    b->run = vg_mem_alloc(&b->model->mem, sizeof *b->run);
    return VG_OK;
}

vg_status vg_run_new(vg_model *model, const vg_run_options *options, vg_run **run) {
    birth b = { model, NULL };
    *run = NULL;
    if (!model->loaded) return VG_FAILED_MODEL;
    vg_status status = vg_model_guard(model, NULL, allocate, &b);
    if (status != VG_OK) return status;
    vg_mem_init(&b.run->mem);
    b.run->mem.calls = model->mem.calls;      /* the call that a test lets fail may be the run's */
    b.run->mem.fail_at = model->mem.fail_at;
    b.run->model = model;
    b.run->unit = &model->unit;
    b.run->started = -1;
    if (options) b.run->options = *options;
    status = vg_model_guard_or(model, &b.run->mem, make, complain, b.run);
    if (status == VG_OK) *run = b.run;
    else vg_run_free(b.run);
    return status;
}

void vg_run_free(vg_run *run) {
    if (run == NULL) return;
    vg_model *model = run->model;
    vg_run_load_end(run);
    vg_mem_release(&run->mem);
    vg_mem_free(&model->mem, run);
}
