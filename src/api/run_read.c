/* Values into a run and out of it: feeding inputs, reading fetches and variables. */
#include "api/run.h"

void vg_run_convert(const vg_run *run, const vg_view *view, double *elements) {
    for (int64_t i = 0; i < view->count; i++) elements[i] = vg_view_get(view, i, run->real);
}

typedef struct feeding { vg_run *run; const char *name; const double *values; size_t count; } feeding;

static vg_status feed(void *user) {
    const feeding *f = user;
    vg_ir *ir = &f->run->model->ir;
    const vg_span nowhere = { 0, 0 };
    const vg_str path = vg_strings_find(&ir->strings, f->name, __builtin_strlen(f->name));
    uint32_t k = 0;
    while (k < f->run->unit->inputs.count && f->run->unit->inputs.items[k].path != path) k++;
    if (path == 0 || k == f->run->unit->inputs.count) {
        vg_report(&ir->diags, feed_unknown, nowhere, 0, f->name);
        return VG_FAILED_USAGE;
    }
    vg_run_input *input = &f->run->inputs[k];
    const vg_view *view = &f->run->store.slots.items[input->slot].view;
    if (input->loader) {
        vg_report(&ir->diags, feed_has_data, nowhere, 0, f->name);
        return VG_FAILED_USAGE;
    }
    if (f->count != (size_t)view->count) {
        const char *wanted = vg_arena_format(&ir->arena, "%lld", (long long)view->count);
        vg_report(&ir->diags, feed_count, nowhere, 0, f->name, wanted, vg_arena_format(&ir->arena, "%zu", f->count));
        return VG_FAILED_USAGE;
    }
    for (int64_t i = 0; i < view->count; i++) vg_view_set(view, i, f->run->real, f->values[i]);
    input->fed = true;
    return VG_OK;
}

vg_status vg_run_feed(vg_run *run, const char *input, const double *values, size_t count) {
    return vg_model_guard(run->model, &run->mem, feed, &(feeding){ run, input, values, count });
}

vg_status vg_run_fetch(vg_run *run, uint32_t index, vg_tensor *out) {
    if (index >= run->unit->fetches.count || !run->fetched) return VG_FAILED_USAGE;
    if (run->fetches[index].elements == NULL) return VG_FAILED_USAGE;
    *out = run->fetches[index];
    return VG_OK;
}

size_t vg_run_variables(const vg_run *run) { return run->variable_count; }

typedef struct reading { vg_run *run; size_t index; } reading;

static vg_status read_variable(void *user) {
    const reading *r = user;
    vg_run *run = r->run;
    const vg_slot *slot = &run->store.slots.items[run->variable_slots[r->index]];
    vg_tensor *tensor = &run->variables[r->index];
    double *elements = (double *)tensor->elements;
    if (elements == NULL) elements = vg_mem_alloc(&run->mem, (size_t)slot->view.count * sizeof *elements);
    vg_run_convert(run, &slot->view, elements);
    const char *name = vg_strings_text(&run->model->ir.strings, slot->path);
    *tensor = (vg_tensor){ name, slot->view.dtype == VG_I32, slot->view.rank, slot->view.dims, (size_t)slot->view.count,
                           elements };
    return VG_OK;
}

vg_status vg_run_variable(vg_run *run, size_t index, vg_tensor *out) {
    if (index >= run->variable_count) return VG_FAILED_USAGE;
    const vg_status status = vg_model_guard(run->model, &run->mem, read_variable, &(reading){ run, index });
    if (status == VG_OK) *out = run->variables[index];
    return status;
}
