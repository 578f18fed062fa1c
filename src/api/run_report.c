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

/* "example 3", or "example 3 at [1, 2]" of an operand with more axes. */
static const char *example_text(vg_run *run, const vg_view *indices, int64_t at) {
    int64_t width = 1;
    for (uint32_t k = 1; k < indices->rank; k++) width *= indices->dims[k];
    run->message.length = 0;
    vg_text_format(&run->message, "example %lld", (long long)(at / width));
    vg_run_add_place(run, indices, at, 1);
    return vg_text_c(&run->message);
}

vg_status vg_run_report_fault(vg_run *run, const vg_program *program, const vg_context *context) {
    const vg_node node = program->fault_node;
    const vg_place *place = &program->graph->place.items[node];
    if (context->fault == VG_FAULT_lapack) {
        vg_report0(&run->model->ir.diags, orthogonal_failed, place->span, place->call);
        return VG_FAILED_RESOURCE;
    }
    const vg_view *indices = &program->views.items[program->view_of[vg_operand(program->graph, node, 1)]];
    vg_report(&run->model->ir.diags, index_out_of_range, place->span, place->call,
              vg_run_number(run, context->fault_value), example_text(run, indices, context->fault_at),
              vg_run_number(run, context->fault_limit - 1));
    return VG_FAILED_RESOURCE;
}
