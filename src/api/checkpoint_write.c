/* Writing a checkpoint (checkpoint.h): when one is due, and what goes into it. */
#include "api/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/judge.h"
#include "base/json.h"
#include "data/facts.h"

/* ---- the texts */

static const char *text_of(vg_mem *mem, const json_t *object) {
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (!text) vg_mem_fail(mem);
    vg_mem_own(mem, free, text);
    return text;
}

static json_t *loader_list(const vg_run *run) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < run->loader_count; k++) {
        const vg_loader *loader = &run->loaders[k];
        json_t *place = vg_json_add(json_array(), json_string(vg_run_text(run, loader->set->name)));
        place = vg_json_add(place, json_integer((json_int_t)loader->seen_epoch));
        list = vg_json_add(list, vg_json_add(place, json_integer(loader->seen)));
    }
    return list;
}

static json_t *expect_list(const vg_run *run) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < run->unit->expectations.count; k++)
        list = vg_json_add(list, json_integer((json_int_t)run->expects[k].failures));
    return list;
}

static json_t *run_object(const vg_run *run) {
    json_t *object = json_object();
    object = vg_json_put(object, "step", json_integer((json_int_t)run->done));
    object = vg_json_put(object, "steps", json_integer((json_int_t)run->steps));
    object = vg_json_put(object, "seed", json_integer((json_int_t)run->context.seed));
    object = vg_json_put(object, "float64", json_boolean(run->real == 8));
    object = vg_json_put(object, "loaders", loader_list(run));
    object = vg_json_put(object, "expects", expect_list(run));
    object = vg_json_put(object, "evaluated", json_integer((json_int_t)run->evaluation.done));
    if (!isinf(run->evaluation.best)) object = vg_json_put(object, "best", json_real(run->evaluation.best));
    return object;
}

/* ---- the tensors */

typedef struct writing {
    vg_run     *run;
    vg_mem      mem;            /* of this file alone */
    const char *path;
} writing;

static void add_variables(const vg_run *run, vg_safetensor *tensors) {
    for (uint32_t k = 0; k < run->variable_count; k++) {
        const vg_view *view = &run->store.slots.items[run->variable_slots[k]].view;
        const vg_variable *variable = &run->unit->variables.items[k];
        vg_safetensor *tensor = &tensors[k];
        tensor->name = vg_run_text(run, variable->path);
        tensor->dtype = run->real == 8 ? "F64" : "F32";
        tensor->rank = view->rank;
        for (uint32_t d = 0; d < view->rank; d++) tensor->shape[d] = (uint64_t)view->dims[d];
        tensor->data = view->data;
    }
}

/* Constants hold doubles, whatever their type. */
static const void *constant_data(vg_mem *mem, const vg_constant *constant) {
    if (constant->dtype != VG_I32) return constant->elements;
    int32_t *numbers = vg_mem_alloc(mem, constant->count * sizeof *numbers);
    for (uint64_t i = 0; i < constant->count; i++) numbers[i] = (int32_t)constant->elements[i];
    return numbers;
}

static void add_loaded(const vg_run *run, vg_mem *mem, vg_arena *arena, vg_safetensor *tensors) {
    const vg_ir *ir = &run->model->ir;
    const vg_front *front = &run->model->front;
    for (uint32_t k = 0; k < front->loaded.count; k++) {
        const vg_constant *constant = &ir->constants.items[front->loaded.items[k].constant];
        vg_dim dims[VG_RANK_LIMIT];
        vg_safetensor *tensor = &tensors[k];
        tensor->name = vg_arena_format(arena, "load(\"%s\")", vg_run_text(run, front->loaded.items[k].path));
        tensor->dtype = constant->dtype == VG_I32 ? "I32" : "F64";
        tensor->rank = vg_shape_list(&ir->dims, constant->shape, dims);
        for (uint32_t d = 0; d < tensor->rank; d++) tensor->shape[d] = (uint64_t)vg_dim_value(&ir->dims, dims[d], NULL);
        tensor->data = constant_data(mem, constant);
    }
}

static vg_status report(const writing *w, int failed) {
    vg_report(&w->run->model->ir.diags, checkpoint_not_written, ((vg_span){ 0, 0 }), 0, w->path, strerror(failed));
    return VG_FAILED_RESOURCE;
}

static vg_status write(void *user) {
    writing *w = user;
    vg_run *run = w->run;
    vg_arena arena;
    vg_arena_init(&arena, &w->mem);
    const uint32_t loaded = run->model->front.loaded.count;
    uint32_t count = run->variable_count + loaded;
    vg_safetensor *tensors = VG_ARRAY(&arena, vg_safetensor, count + 1);
    add_variables(run, tensors);
    add_loaded(run, &w->mem, &arena, tensors + run->variable_count);
    size_t length;
    const void *kept = vg_judge_keep(run, &w->mem, &length);
    if (kept)
        tensors[count++] = (vg_safetensor){ .name = VG_CHECKPOINT_FINDINGS, .dtype = "U8", .rank = 1,
                                            .shape = { length }, .data = kept };
    json_t *facts = vg_checkpoint_own(&w->mem, vg_facts_list(run->unit, &run->model->ir.strings));
    json_t *place = vg_checkpoint_own(&w->mem, run_object(run));
    const vg_metadata pairs[] = {
        { "vgraph", VG_CHECKPOINT_LAYOUT },
        { VG_CHECKPOINT_MODEL, text_of(&w->mem, vg_checkpoint_describe(run->model, &w->mem)) },
        { VG_CHECKPOINT_DATA, text_of(&w->mem, facts) },
        { VG_CHECKPOINT_RUN, text_of(&w->mem, place) }
    };
    const int failed = vg_safetensors_write(&w->mem, &run->disk, w->path, tensors, count, pairs,
                                            sizeof pairs / sizeof *pairs);
    return failed ? report(w, failed) : VG_OK;
}

vg_status vg_run_save(vg_run *run, const char *path) {
    writing w = { .run = run, .path = path };
    vg_mem_init(&w.mem);
    w.mem.calls = run->mem.calls;      /* the call that a test lets fail may be one of these */
    w.mem.fail_at = run->mem.fail_at;
    const vg_status status = vg_model_guard(run->model, &w.mem, write, &w);
    run->mem.calls = w.mem.calls;
    vg_mem_release(&w.mem);
    return status;
}

/* ---- when */

static vg_status keep(vg_run *run, const char *name) {
    vg_run_emit(run, (vg_record){ .kind = VG_RECORD_CHECKPOINT, .step = run->done, .steps = run->steps, .tag = name });
    if (run->refused) return VG_FAILED_RESOURCE;
    vg_text path = vg_text_new(&run->mem);
    vg_text_format(&path, "%s/%s", vg_text_c(&run->checkpoints), name);
    const int failed = vg_folder_create(vg_text_c(&run->checkpoints));
    const writing w = { .run = run, .path = vg_text_c(&path) };
    const vg_status status = failed ? report(&w, failed) : vg_run_save(run, w.path);
    vg_text_free(&path);
    return status;
}

vg_status vg_run_keep(vg_run *run, bool ends) {
    const uint64_t every = run->checkpoint_every ? run->checkpoint_every : run->unit->checkpoint_every;
    if (run->checkpoints.length == 0 || run->options.evaluation || run->kept == run->done + 1) return VG_OK;
    if (!ends && (every == 0 || run->done == 0 || run->done % every != 0)) return VG_OK;
    run->kept = run->done + 1;
    return keep(run, "checkpoint.safetensors");
}

vg_status vg_run_keep_best(vg_run *run, double value) {
    if (!(value < run->evaluation.best)) return VG_OK;
    run->evaluation.best = value;
    return run->checkpoints.length ? keep(run, "best.safetensors") : VG_OK;
}

typedef struct placing { vg_run *run; const char *folder; } placing;

static vg_status place(void *user) {
    const placing *p = user;
    vg_text_free(&p->run->checkpoints);
    p->run->checkpoints = vg_text_new(&p->run->mem);
    if (p->folder) vg_text_format(&p->run->checkpoints, "%s", p->folder);
    return VG_OK;
}

vg_status vg_run_checkpoints(vg_run *run, const char *folder, uint64_t every) {
    placing p = { run, folder };
    run->checkpoint_every = every;
    return vg_model_guard(run->model, &run->mem, place, &p);
}
