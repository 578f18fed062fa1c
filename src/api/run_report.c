/* How a run speaks: records go to its watcher, what ends it to the diagnostics. */
#include "api/run.h"
#include "base/os.h"

double vg_run_seconds(const vg_run *run) { return run->started < 0 ? 0 : vg_os_seconds() - run->started; }

void vg_run_emit(vg_run *run, vg_record record) {
    if (run->options.watch && !run->options.watch(run->options.user, &record)) run->refused = true;
}

const char *vg_run_text(const vg_run *run, vg_str id) { return vg_strings_text(&run->model->ir.strings, id); }

const char *vg_run_number(vg_run *run, int64_t number) {
    return vg_arena_format(&run->model->ir.arena, "%lld", (long long)number);
}

void vg_run_add_place(vg_run *run, const vg_view *view, int64_t at, uint32_t first) {
    int64_t index[VG_RANK_LIMIT];
    if (view->rank <= first) return;
    for (uint32_t k = view->rank; k-- > first; at /= view->dims[k]) index[k] = at % view->dims[k];
    for (uint32_t k = first; k < view->rank; k++)
        vg_text_format(&run->message, "%s%lld", k == first ? " at [" : ", ", (long long)index[k]);
    vg_text_format(&run->message, "]");
}

/* " of example 3", or " of example 3 at [1, 2]" of an operand with more axes; nothing of a single index. */
static const char *example_text(vg_run *run, const vg_view *indices, int64_t example, int64_t at) {
    run->message.length = 0;
    if (indices->rank > 0) vg_text_format(&run->message, " of example %lld", (long long)example);
    vg_run_add_place(run, indices, at, 1);
    return vg_text_c(&run->message);
}

/* Which example of the data set that is, when there is one set only: mini-batches are shuffled. */
static void note_example(vg_run *run, const vg_context *context, int64_t example, bool examples) {
    const vg_evaluation *evaluation = &run->evaluation;
    const bool training = context == &run->context;
    const vg_loader *loader = run->loader_count == 1 ? &run->loaders[0] : NULL;
    vg_diags *diags = &run->model->ir.diags;
    const vg_span nowhere = { 0, 0 };
    const char *batch = training ? "the mini-batch of step" : "the evaluation at step";
    const unsigned long long step = (unsigned long long)context->step;
    if (examples && loader && (training || evaluation->batch))
        vg_diags_note(diags, nowhere, "in %s %llu; example %lld is number %u of the data set '%s'", batch, step,
                      (long long)example, training ? loader->batch[example] : evaluation->batch[example],
                      vg_run_text(run, loader->set->name));
    else
        vg_diags_note(diags, nowhere, "in %s %llu", batch, step);
}

vg_status vg_run_report_fault(vg_run *run, const vg_program *program, const vg_context *context) {
    vg_diags *diags = &run->model->ir.diags;
    const vg_node node = program->fault_node;
    const vg_place *place = &program->graph->place.items[node];
    if (context->fault == VG_FAULT_lapack) {
        vg_report0(diags, orthogonal_failed, place->span, place->call);
        return VG_FAILED_RESOURCE;
    }
    const vg_view *indices = &program->views.items[program->view_of[vg_operand(program->graph, node, 1)]];
    const int64_t examples = indices->rank > 0 ? indices->dims[0] : 1;
    const int64_t example = context->fault_at / (indices->count / examples);
    const char *index = vg_run_number(run, context->fault_value), *most = vg_run_number(run, context->fault_limit - 1);
    const char *whose = example_text(run, indices, example, context->fault_at);
    const vg_op op = vg_node_op(program->graph, node);
    if (op == VG_OP_pick || op == VG_OP_cross_entropy || op == VG_OP_cross_entropy_input)
        vg_report(diags, label_out_of_range, place->span, place->call, index, whose, most);
    else
        vg_report(diags, index_out_of_range, place->span, place->call, index, whose, most);
    note_example(run, context, example, run->unit->batch && examples == program->symbols[run->unit->batch]);
    return VG_FAILED_RESOURCE;
}
