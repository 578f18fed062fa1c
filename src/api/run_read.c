/* Values into a run and out of it: feeding inputs, setting variables, reading fetches and variables. */
#include <string.h>

#include "api/run.h"

/* ---- in: the host's numbers, of one of three types, become those of a slot */

typedef struct given {
    vg_run     *run;
    const char *name;
    vg_elements type;
    const void *values;
    size_t      count;
} given;

static double number_at(const given *g, int64_t i) {
    switch (g->type) {
    case VG_ELEMENTS_FLOAT:  return ((const float *)g->values)[i];
    case VG_ELEMENTS_INT32:  return ((const int32_t *)g->values)[i];
    case VG_ELEMENTS_DOUBLE: break;
    }
    return ((const double *)g->values)[i];
}

static vg_elements elements_of(const vg_run *run, const vg_view *view) {
    return view->dtype == VG_I32 ? VG_ELEMENTS_INT32 : run->real == 8 ? VG_ELEMENTS_DOUBLE : VG_ELEMENTS_FLOAT;
}

static void take(const given *g, const vg_view *view) {
    if (elements_of(g->run, view) == g->type) {
        memcpy(view->data, g->values, vg_view_bytes(view, g->run->real));
        return;
    }
    for (int64_t i = 0; i < view->count; i++) vg_view_set(view, i, g->run->real, number_at(g, i));
}

static vg_str path_of(const given *g) {
    return vg_strings_find(&g->run->model->ir.strings, g->name, strlen(g->name));
}

static const vg_span nowhere = { 0, 0 };

static vg_status feed(void *user) {
    const given *g = user;
    vg_run *run = g->run;
    vg_ir *ir = &run->model->ir;
    const vg_str path = path_of(g);
    uint32_t k = 0;
    while (k < run->unit->inputs.count && run->unit->inputs.items[k].path != path) k++;
    if (path == 0 || k == run->unit->inputs.count) {
        vg_report(&ir->diags, feed_unknown, nowhere, 0, g->name);
        return VG_FAILED_USAGE;
    }
    vg_input_state *input = &run->inputs[k];
    const vg_view *view = &run->store.slots.items[input->slot].view;
    if (input->loader) {
        vg_report(&ir->diags, feed_has_data, nowhere, 0, g->name);
        return VG_FAILED_USAGE;
    }
    if (g->count != (size_t)view->count) {
        vg_report(&ir->diags, feed_count, nowhere, 0, g->name, vg_run_number(run, view->count),
                  vg_arena_format(&ir->arena, "%zu", g->count));
        return VG_FAILED_USAGE;
    }
    take(g, view);
    input->fed = run->given = true;
    return VG_OK;
}

static vg_status feed_numbers(vg_run *run, const char *input, vg_elements type, const void *values, size_t count) {
    return vg_model_guard(run->model, &run->mem, feed, &(given){ run, input, type, values, count });
}

vg_status vg_run_feed(vg_run *run, const char *input, const double *values, size_t count) {
    return feed_numbers(run, input, VG_ELEMENTS_DOUBLE, values, count);
}

vg_status vg_run_feed_f32(vg_run *run, const char *input, const float *values, size_t count) {
    return feed_numbers(run, input, VG_ELEMENTS_FLOAT, values, count);
}

vg_status vg_run_feed_i32(vg_run *run, const char *input, const int32_t *values, size_t count) {
    return feed_numbers(run, input, VG_ELEMENTS_INT32, values, count);
}

static vg_status set_variable(void *user) {
    const given *g = user;
    vg_run *run = g->run;
    vg_ir *ir = &run->model->ir;
    const vg_str path = path_of(g);
    uint32_t k = 0;
    while (k < run->variable_count && run->store.slots.items[run->variable_slots[k]].path != path) k++;
    if (path == 0 || k == run->variable_count) {
        vg_report(&ir->diags, variable_unknown, nowhere, 0, g->name);
        return VG_FAILED_USAGE;
    }
    const vg_view *view = &run->store.slots.items[run->variable_slots[k]].view;
    if (g->count != (size_t)view->count) {
        vg_report(&ir->diags, variable_count, nowhere, 0, g->name, vg_run_number(run, view->count),
                  vg_arena_format(&ir->arena, "%zu", g->count));
        return VG_FAILED_USAGE;
    }
    take(g, view);
    run->given = true;
    return VG_OK;
}

vg_status vg_run_set_variable(vg_run *run, const char *name, const double *values, size_t count) {
    return vg_model_guard(run->model, &run->mem, set_variable,
                          &(given){ run, name, VG_ELEMENTS_DOUBLE, values, count });
}

size_t vg_run_inputs(const vg_run *run) { return run->unit->inputs.count; }

vg_status vg_run_input(const vg_run *run, size_t index, vg_input_info *out) {
    if (index >= run->unit->inputs.count) return VG_FAILED_USAGE;
    const vg_input_state *input = &run->inputs[index];
    const vg_view *view = &run->store.slots.items[input->slot].view;
    *out = (vg_input_info){ vg_run_text(run, run->unit->inputs.items[index].path), view->dtype == VG_I32, view->rank,
                            view->dims, (size_t)view->count, input->loader != 0, input->read };
    return VG_OK;
}

/* ---- out: fetches */

/* Whether a step's update, or the host, may write the node's memory before the fetch is read. */
static bool may_change(const vg_program *program, vg_node node) {
    while (vg_op_is(vg_node_op(program->graph, node), VG_FLAG_view)) node = vg_operand(program->graph, node, 0);
    return vg_op_is(vg_node_op(program->graph, node), VG_FLAG_reads) || program->schedule.stores[node] != 0;
}

void vg_run_fetches_make(vg_run *run) {
    vg_mem *mem = &run->mem;
    const vg_program *program = &run->turns[0].program;
    run->fetches = vg_mem_alloc(mem, run->unit->fetches.count * sizeof *run->fetches);
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        if (root->op != VG_OP_fetch) continue;
        uint32_t count;
        const vg_word *words = vg_attr_words(&run->model->ir, program->graph->attr.items[root->node], &count);
        vg_fetched *fetched = &run->fetches[words[0]];
        const vg_view *view = fetched->view = &program->views.items[root->view];
        fetched->tensor = (vg_tensor){ vg_run_text(run, run->unit->fetches.items[words[0]]), view->dtype == VG_I32,
                                       view->rank, view->dims, (size_t)view->count, NULL };
        if (may_change(program, vg_operand(program->graph, root->node, 0)))
            fetched->kept = vg_mem_alloc(mem, vg_view_bytes(view, run->real));
    }
}

void vg_run_fetch_keep(const vg_run *run, const vg_fetched *fetched) {
    if (fetched->kept) memcpy(fetched->kept, fetched->view->data, vg_view_bytes(fetched->view, run->real));
}

static const vg_fetched *fetch_at(const vg_run *run, uint32_t index) {
    if (index >= run->unit->fetches.count || !run->fetched || run->fetches[index].view == NULL) return NULL;
    return &run->fetches[index];
}

vg_status vg_run_fetch_raw(const vg_run *run, uint32_t index, vg_raw *out) {
    const vg_fetched *fetched = fetch_at(run, index);
    if (fetched == NULL) return VG_FAILED_USAGE;
    *out = (vg_raw){ fetched->tensor.name, elements_of(run, fetched->view), fetched->tensor.rank, fetched->tensor.shape,
                     fetched->tensor.count, fetched->kept ? fetched->kept : fetched->view->data };
    return VG_OK;
}

void vg_run_convert(const vg_run *run, const vg_view *view, double *elements) {
    for (int64_t i = 0; i < view->count; i++) elements[i] = vg_view_get(view, i, run->real);
}

/* Into `tensor`, whose elements are made the first time. */
static void convert(vg_run *run, const vg_view *view, vg_tensor *tensor) {
    double *elements = (double *)tensor->elements;
    if (elements == NULL) elements = vg_mem_alloc(&run->mem, (size_t)view->count * sizeof *elements);
    vg_run_convert(run, view, elements);
    tensor->elements = elements;
}

typedef struct reading { vg_run *run; size_t index; } reading;

static vg_status read_fetch(void *user) {
    const reading *r = user;
    vg_fetched *fetched = &r->run->fetches[r->index];
    vg_view view = *fetched->view;
    if (fetched->kept) view.data = fetched->kept;
    convert(r->run, &view, &fetched->tensor);
    return VG_OK;
}

vg_status vg_run_fetch(vg_run *run, uint32_t index, vg_tensor *out) {
    const vg_fetched *fetched = fetch_at(run, index);
    if (fetched == NULL) return VG_FAILED_USAGE;
    const vg_status status = vg_model_guard(run->model, &run->mem, read_fetch, &(reading){ run, index });
    if (status == VG_OK) *out = fetched->tensor;
    return status;
}

/* ---- out: variables */

size_t vg_run_variables(const vg_run *run) { return run->variable_count; }

static vg_status read_variable(void *user) {
    const reading *r = user;
    vg_run *run = r->run;
    const vg_slot *slot = &run->store.slots.items[run->variable_slots[r->index]];
    vg_tensor *tensor = &run->variables[r->index];
    convert(run, &slot->view, tensor);
    *tensor = (vg_tensor){ vg_run_text(run, slot->path), slot->view.dtype == VG_I32, slot->view.rank, slot->view.dims,
                           (size_t)slot->view.count, tensor->elements };
    return VG_OK;
}

vg_status vg_run_variable(vg_run *run, size_t index, vg_tensor *out) {
    if (index >= run->variable_count) return VG_FAILED_USAGE;
    const vg_status status = vg_model_guard(run->model, &run->mem, read_variable, &(reading){ run, index });
    if (status == VG_OK) *out = run->variables[index];
    return status;
}
