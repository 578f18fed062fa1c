/* The model in a checkpoint: its texts and options go in, and come out again as a model that needs no file. */
#include "api/checkpoint.h"

#include <string.h>

#include "base/json.h"
#include "data/facts.h"

json_t *vg_checkpoint_own(vg_mem *mem, json_t *object) {
    if (!object) vg_mem_fail(mem);
    vg_json_own(mem, object);
    return object;
}

/* ---- in */

static json_t *source_list(const vg_model *model) {
    const vg_sources *sources = &model->ir.diags.sources;
    json_t *list = json_array();
    for (uint32_t k = 1; k < sources->list.count; k++) {
        const vg_source *source = &sources->list.items[k];
        if (source->kind != VG_SOURCE_MODEL) continue;
        json_t *pair = vg_json_add(json_array(), json_string(source->name));
        list = vg_json_add(list, vg_json_add(pair, json_stringn(source->text, source->length)));
    }
    return list;
}

/* [name, text] of each option, or its text where it has no name. */
static json_t *option_list(const vg_model *model, const vg_override *rows, uint32_t count) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < count; k++) {
        const vg_source *source = vg_sources_at(&model->ir.diags.sources, rows[k].span.begin);
        json_t *item = json_stringn(source->text, source->length);
        if (rows[k].name) {
            const char *name = vg_strings_text(&model->ir.strings, rows[k].name);
            item = vg_json_add(vg_json_add(json_array(), json_string(name)), item);
        }
        list = vg_json_add(list, item);
    }
    return list;
}

json_t *vg_checkpoint_describe(vg_model *model, vg_mem *mem) {
    const vg_front *front = &model->front;
    json_t *object = json_object(), *name = json_string(model->name);
    object = vg_json_put(object, "name", name ? name : json_string("model"));      /* a path need not be UTF-8 */
    object = vg_json_put(object, "sources", source_list(model));
    object = vg_json_put(object, "set", option_list(model, front->sets.items, front->sets.count));
    object = vg_json_put(object, "data", option_list(model, front->data.items, front->data.count));
    object = vg_json_put(object, "summary", option_list(model, front->summaries.items, front->summaries.count));
    object = vg_json_put(object, "batch", json_integer((json_int_t)front->batch));
    object = vg_json_put(object, "steps", json_integer((json_int_t)front->steps));
    if (front->has_seed) object = vg_json_put(object, "seed", json_integer((json_int_t)front->seed));
    return vg_checkpoint_own(mem, object);
}

/* ---- out */

static bool wrong(vg_model *model, const char *path, const char *what) {
    vg_report(&model->ir.diags, checkpoint_wrong, ((vg_span){ 0, 0 }), 0, path, what);
    return false;
}

bool vg_checkpoint_open(vg_model *model, vg_mem *mem, const char *path, bool ours, vg_safetensors *file) {
    vg_data_error error = { .argument = false };
    if (!vg_safetensors_open(file, mem, path, &error)) {
        vg_report(&model->ir.diags, checkpoint_failed, ((vg_span){ 0, 0 }), 0, error.text);
        return false;
    }
    const char *layout = vg_safetensors_metadata(file, "vgraph");
    if (!layout) return !ours || wrong(model, path, "it holds tensors, but no model: name the model's file, too");
    return strcmp(layout, VG_CHECKPOINT_LAYOUT) == 0 || wrong(model, path, "another version of vgraph has written it");
}

json_t *vg_checkpoint_object(vg_model *model, vg_mem *mem, const vg_safetensors *file, const char *key) {
    const char *text = vg_safetensors_metadata(file, key);
    json_error_t error;
    json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error) : NULL;
    if (object) return vg_checkpoint_own(mem, object);
    if (text && json_error_code(&error) == json_error_out_of_memory) vg_mem_fail(mem);
    vg_arena *arena = &model->ir.arena;
    if (text) wrong(model, file->path, vg_arena_format(arena, "its '%s' is no JSON: %s", key, error.text));
    else wrong(model, file->path, vg_arena_format(arena, "it has no '%s'", key));
    return NULL;
}

bool vg_checkpoint_is_loaded(vg_arena *arena, const char *tensor, const char **path) {
    static const char begin[] = "load(\"", end[] = "\")";
    const size_t length = strlen(tensor), around = sizeof begin - 1 + sizeof end - 1;
    if (length < around || strncmp(tensor, begin, sizeof begin - 1) != 0 ||
        strcmp(tensor + length - (sizeof end - 1), end) != 0) return false;
    if (path) *path = vg_arena_copy(arena, tensor + sizeof begin - 1, length - around);
    return true;
}

/* ---- a model of it */

typedef struct recalling { vg_model *model; const char *path; bool whole; } recalling;

static bool known(const vg_override *rows, uint32_t count, vg_str name) {
    for (uint32_t k = 0; k < count; k++)
        if (rows[k].name == name) return true;
    return false;
}

/* What the caller has set counts before what the checkpoint says. */
static vg_status add_named(vg_model *model, const json_t *list, bool data) {
    const vg_front *front = &model->front;
    vg_status status = VG_OK;
    for (size_t k = 0; k < json_array_size(list) && status == VG_OK; k++) {
        const json_t *pair = json_array_get(list, k);
        const char *name = json_string_value(json_array_get(pair, 0));
        const char *text = json_string_value(json_array_get(pair, 1));
        if (!name || !text) continue;
        const vg_str id = vg_strings_c(&model->ir.strings, name);
        const bool set = data ? known(front->data.items, front->data.count, id)
                              : known(front->sets.items, front->sets.count, id);
        if (set) continue;
        status = data ? vg_model_data(model, name, text) : vg_model_set(model, name, text);
    }
    return status;
}

static vg_status add_options(vg_model *model, const json_t *object) {
    vg_front *front = &model->front;
    vg_status status = add_named(model, json_object_get(object, "set"), false);
    if (status == VG_OK) status = add_named(model, json_object_get(object, "data"), true);
    const json_t *summaries = json_object_get(object, "summary");
    for (size_t k = 0; k < json_array_size(summaries) && status == VG_OK; k++) {
        const char *text = json_string_value(json_array_get(summaries, k));
        if (text) status = vg_model_summary(model, text);
    }
    const json_int_t batch = json_integer_value(json_object_get(object, "batch"));
    const json_int_t steps = json_integer_value(json_object_get(object, "steps"));
    const json_t *seed = json_object_get(object, "seed");
    if (!front->batch && batch > 0 && batch <= INT32_MAX) front->batch = (uint64_t)batch;
    if (!front->steps && steps > 0) front->steps = (uint64_t)steps;
    if (!front->has_seed && json_is_integer(seed)) {
        front->has_seed = true;
        front->seed = (uint64_t)json_integer_value(seed);
    }
    return status;
}

static void add_files(vg_model *model, const json_t *sources) {
    for (size_t k = 1; k < json_array_size(sources); k++) {
        const json_t *pair = json_array_get(sources, k), *text = json_array_get(pair, 1);
        const char *name = json_string_value(json_array_get(pair, 0));
        if (!name || !json_is_string(text)) continue;
        const size_t length = json_string_length(text);
        const vg_known_file file = { vg_strings_c(&model->ir.strings, name),
                                     vg_arena_copy(&model->ir.arena, json_string_value(text), length), length };
        vg_vec_push(&model->mem, &model->front.files, file);
    }
}

/* The data need not be aligned. */
static void read_whole(const vg_safetensor *tensor, double *elements) {
    for (uint64_t i = 0; i < tensor->count; i++) {
        int32_t number;
        memcpy(&number, (const char *)tensor->data + i * sizeof number, sizeof number);
        elements[i] = number;
    }
}

/* The arrays that `load` had read: constants of the model, as if it had read them now. */
static bool add_constants(vg_model *model, const vg_safetensors *file) {
    vg_ir *ir = &model->ir;
    for (uint32_t k = 0; k < file->tensors.count; k++) {
        const vg_safetensor *tensor = &file->tensors.items[k];
        const char *path;
        vg_dim dims[VG_RANK_LIMIT];
        if (!vg_checkpoint_is_loaded(&ir->arena, tensor->name, &path)) continue;
        if (strcmp(tensor->dtype, "F64") != 0 && strcmp(tensor->dtype, "I32") != 0)
            return wrong(model, file->path, vg_arena_format(&ir->arena, "the type of %s", tensor->name));
        const bool integer = tensor->dtype[0] == 'I';
        double *elements = vg_mem_alloc(&model->mem, tensor->count * sizeof *elements);
        if (integer) read_whole(tensor, elements);
        else memcpy(elements, tensor->data, tensor->count * sizeof *elements);
        for (uint32_t d = 0; d < tensor->rank; d++) dims[d] = vg_dim_number(&ir->dims, (int64_t)tensor->shape[d]);
        const vg_shape shape = vg_shape_of(&ir->dims, dims, tensor->rank);
        vg_vec_push(&model->mem, &ir->constants,
                    ((vg_constant){ shape, integer ? VG_I32 : VG_F32, elements, tensor->count }));
        const vg_loaded loaded = { vg_strings_c(&ir->strings, path), ir->constants.count - 1 };
        vg_vec_push(&model->mem, &model->front.loaded, loaded);
    }
    return true;
}

static bool add_facts(vg_model *model, const vg_safetensors *file) {
    const json_t *list = vg_checkpoint_object(model, &model->mem, file, VG_CHECKPOINT_DATA);
    if (!list) return false;
    for (size_t k = 0; k < json_array_size(list); k++) {
        vg_facts *facts = vg_facts_read(&model->ir.arena, json_array_get(list, k));
        if (!facts) return wrong(model, file->path, "what it says of a data set does not fit together");
        vg_vec_push(&model->mem, &model->front.facts, facts);
    }
    return true;
}

/* The model's text, with the files, arrays and options that it was made with. */
static vg_status build(vg_model *model, const vg_safetensors *file, const json_t *object) {
    const json_t *sources = json_object_get(object, "sources"), *main_source = json_array_get(sources, 0);
    const char *name = json_string_value(json_array_get(main_source, 0));
    const json_t *text = json_array_get(main_source, 1);
    if (!name || !json_is_string(text)) {
        wrong(model, file->path, "it does not say its model's text");
        return vg_model_status(model);
    }
    add_files(model, sources);
    if (!add_constants(model, file)) return vg_model_status(model);
    const vg_status status = add_options(model, object);
    return status == VG_OK ? vg_model_load_text(model, name, json_string_value(text), json_string_length(text)) : status;
}

static vg_status recall(void *user) {
    const recalling *r = user;
    vg_model *model = r->model;
    vg_safetensors file;
    if (!vg_checkpoint_open(model, &model->mem, r->path, r->whole, &file)) return vg_model_status(model);
    vg_status status = VG_OK;
    if (vg_safetensors_metadata(&file, "vgraph")) {      /* another program's file has nothing but tensors */
        const json_t *object = vg_checkpoint_object(model, &model->mem, &file, VG_CHECKPOINT_MODEL);
        if (!object || !add_facts(model, &file)) status = vg_model_status(model);
        else if (r->whole) status = build(model, &file, object);
    }
    vg_safetensors_close(&file);
    return status;
}

vg_status vg_model_load_checkpoint(vg_model *model, const char *path) {
    recalling r = { model, path, true };
    return vg_model_guard(model, NULL, recall, &r);
}

vg_status vg_model_recall_data(vg_model *model, const char *path) {
    recalling r = { model, path, false };
    return vg_model_guard(model, NULL, recall, &r);
}
