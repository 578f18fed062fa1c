/* Reading tensors into a run's variables, from a checkpoint or from another program's file. */
#include "api/checkpoint.h"

#include <string.h>

#include "base/half.h"
#include "data/facts.h"

enum { STATES = VG_LOADED_UNEXPECTED + 1 };

typedef struct reading {
    vg_run         *run;
    vg_mem          mem;             /* of this file alone */
    vg_arena        arena;
    const char     *path;
    vg_load_options options;
    bool            exact;           /* a run that goes on: every tensor must be there */
    vg_safetensors  file;
    vg_map          places;          /* a variable's path -> the tensor's place + 1 */
} reading;

/* ---- elements. Variables are floats; other programs' files may have them in other types. */

static bool is_float(const char *dtype) { return dtype[0] == 'F' || dtype[0] == 'B'; }

/* An element's bits; the data need not be aligned. */
static uint64_t bits_of(const vg_safetensor *tensor, uint64_t i) {
    const uint32_t size = vg_safetensor_size(tensor->dtype);
    uint64_t bits = 0;
    memcpy(&bits, (const char *)tensor->data + i * size, size);
    return bits;
}

static double float_of(const vg_safetensor *tensor, uint64_t i) {
    const uint64_t bits = bits_of(tensor, i);
    double wide;
    memcpy(&wide, &bits, sizeof wide);
    switch (vg_safetensor_size(tensor->dtype)) {
    case 8:  return wide;
    case 4:  return (double)vg_single_of_bits((uint32_t)bits);
    default: return (double)(tensor->dtype[0] == 'B' ? vg_bfloat_of_bits : vg_half_of_bits)((uint16_t)bits);
    }
}

static double whole_of(const vg_safetensor *tensor, uint64_t i) {
    const uint32_t unused = 64 - 8 * vg_safetensor_size(tensor->dtype);
    const uint64_t bits = bits_of(tensor, i);
    return tensor->dtype[0] == 'I' ? (double)((int64_t)(bits << unused) >> unused) : (double)bits;
}

static void copy(const reading *r, const vg_safetensor *tensor, const vg_view *view) {
    if (strcmp(tensor->dtype, r->run->real == 8 ? "F64" : "F32") == 0) {
        memcpy(view->data, tensor->data, vg_view_bytes(view, r->run->real));
        return;
    }
    for (int64_t i = 0; i < view->count; i++)
        vg_view_set(view, i, r->run->real, (is_float(tensor->dtype) ? float_of : whole_of)(tensor, (uint64_t)i));
}

/* ---- what fits */

static bool fits(const vg_safetensor *tensor, const vg_view *view) {
    const bool packed = strncmp(tensor->dtype, "F8", 2) == 0 || strcmp(tensor->dtype, "BOOL") == 0;
    bool same = tensor->rank == view->rank && !packed;
    for (uint32_t d = 0; d < view->rank && same; d++) same = tensor->shape[d] == (uint64_t)view->dims[d];
    return same;
}

/* What an optimizer or this program keeps beside the model's own variables: neither missed nor unexpected. */
static bool is_beside(reading *r, const char *name) {
    return strcmp(name, VG_CHECKPOINT_FINDINGS) == 0 || strncmp(name, "train.", 6) == 0 ||
           strncmp(name, "train[", 6) == 0 || vg_checkpoint_is_loaded(&r->arena, name, NULL);
}

static const char *tensor_text(reading *r, const vg_safetensor *tensor) {
    vg_text text = vg_text_new(&r->mem);
    vg_text_format(&text, "%s [", tensor->dtype);
    for (uint32_t d = 0; d < tensor->rank; d++)
        vg_text_format(&text, "%s%llu", d ? ", " : "", (unsigned long long)tensor->shape[d]);
    vg_text_format(&text, "]");
    return vg_text_c(&text);
}

static const char *view_text(reading *r, const vg_view *view) {
    vg_text text = vg_text_new(&r->mem);
    vg_text_format(&text, "%s [", r->run->real == 8 ? "F64" : "F32");
    for (uint32_t d = 0; d < view->rank; d++) vg_text_format(&text, "%s%lld", d ? ", " : "", (long long)view->dims[d]);
    vg_text_format(&text, "]");
    return vg_text_c(&text);
}

static const vg_view *view_of(const vg_run *run, uint32_t variable) {
    return &run->store.slots.items[run->variable_slots[variable]].view;
}

static const vg_safetensor *tensor_of(const reading *r, uint32_t variable) {
    const uint32_t place = vg_map_get(&r->places, r->run->unit->variables.items[variable].path);
    return place ? &r->file.tensors.items[place - 1] : NULL;
}

static vg_load_row variable_row(reading *r, uint32_t k) {
    const vg_variable *variable = &r->run->unit->variables.items[k];
    const vg_safetensor *tensor = tensor_of(r, k);
    vg_load_row row = { .name = vg_run_text(r->run, variable->path), .beside = variable->optimizer };
    row.model = view_text(r, view_of(r->run, k));
    row.file = tensor ? tensor_text(r, tensor) : NULL;
    row.state = !tensor ? VG_LOADED_NOT : fits(tensor, view_of(r->run, k)) ? VG_LOADED : VG_LOADED_OTHER_SHAPE;
    return row;
}

/* Every name: the variables in their order, then what the model has not. */
static vg_load_row *list_rows(reading *r, uint32_t *count) {
    vg_run *run = r->run;
    const vg_strings *strings = &run->model->ir.strings;
    vg_load_row *rows = VG_ARRAY(&r->arena, vg_load_row, run->variable_count + r->file.tensors.count);
    uint8_t *wanted = VG_ARRAY(&r->arena, uint8_t, r->file.tensors.count);
    for (uint32_t k = 0; k < r->file.tensors.count; k++) {
        const char *name = r->file.tensors.items[k].name;
        const vg_str id = vg_strings_find(strings, name, strlen(name));
        if (id) vg_map_put(&r->mem, &r->places, id, k + 1);
    }
    for (uint32_t k = 0; k < run->variable_count; k++) {
        const vg_safetensor *tensor = tensor_of(r, k);
        rows[k] = variable_row(r, k);
        if (tensor) wanted[tensor - r->file.tensors.items] = 1;
    }
    *count = run->variable_count;
    for (uint32_t k = 0; k < r->file.tensors.count; k++) {
        const vg_safetensor *tensor = &r->file.tensors.items[k];
        if (!wanted[k])
            rows[(*count)++] = (vg_load_row){ .name = tensor->name, .state = VG_LOADED_UNEXPECTED,
                                              .file = tensor_text(r, tensor), .beside = is_beside(r, tensor->name) };
    }
    return rows;
}

/* ---- the answer */

static const char *const state_words[STATES] = {
    [VG_LOADED] = "loaded", [VG_LOADED_NOT] = "missing", [VG_LOADED_OTHER_SHAPE] = "of another shape",
    [VG_LOADED_UNEXPECTED] = "unexpected"
};

/* Whether a row is in the way. */
static bool is_wrong(const reading *r, const vg_load_row *row) {
    if (row->state == VG_LOADED || r->options.partial) return false;
    return !row->beside || (r->exact && row->state != VG_LOADED_UNEXPECTED);
}

static void note(reading *r, const vg_load_row *row) {
    vg_diags *diags = &r->run->model->ir.diags;
    const vg_span none = { 0, 0 };
    switch (row->state) {
    case VG_LOADED:             vg_diags_note(diags, none, "loaded: %s %s", row->name, row->model); break;
    case VG_LOADED_NOT:         vg_diags_note(diags, none, "missing: %s %s", row->name, row->model); break;
    case VG_LOADED_UNEXPECTED:  vg_diags_note(diags, none, "unexpected: %s %s", row->name, row->file); break;
    case VG_LOADED_OTHER_SHAPE:
        vg_diags_note(diags, none, "of another shape: %s is %s in the file, and %s in the model", row->name, row->file,
                      row->model);
        break;
    }
}

static vg_status report_mismatch(reading *r, const vg_load_row *rows, uint32_t count) {
    vg_diags *diags = &r->run->model->ir.diags;
    vg_text text = vg_text_new(&r->mem);
    uint32_t counts[STATES] = { 0 };
    for (uint32_t k = 0; k < count; k++)
        if (rows[k].state == VG_LOADED || is_wrong(r, &rows[k])) counts[rows[k].state]++;
    for (uint32_t state = 0; state < STATES; state++)
        if (counts[state]) vg_text_format(&text, "%s%u %s", text.length ? ", " : "", counts[state], state_words[state]);
    if (counts[VG_LOADED]) vg_report(diags, checkpoint_mismatch, ((vg_span){ 0, 0 }), 0, r->path, vg_text_c(&text));
    else vg_report(diags, checkpoint_strange, ((vg_span){ 0, 0 }), 0, r->path, vg_text_c(&text));
    for (uint32_t k = 0; k < count; k++)
        if (is_wrong(r, &rows[k])) note(r, &rows[k]);
    for (uint32_t k = 0; k < count; k++)
        if (rows[k].state == VG_LOADED) note(r, &rows[k]);
    return VG_FAILED_MODEL;
}

static vg_status read_variables(reading *r) {
    uint32_t count;
    const vg_load_row *rows = list_rows(r, &count);
    uint32_t loaded = 0, own = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (is_wrong(r, &rows[k])) return report_mismatch(r, rows, count);
        own += rows[k].state != VG_LOADED_UNEXPECTED && !rows[k].beside;
        loaded += rows[k].state == VG_LOADED && !rows[k].beside;
    }
    if (own > 0 && loaded == 0) {      /* not even a part */
        r->options.partial = false;
        return report_mismatch(r, rows, count);
    }
    for (uint32_t k = 0; k < r->run->variable_count; k++)
        if (rows[k].state == VG_LOADED) copy(r, tensor_of(r, k), view_of(r->run, k));
    for (uint32_t k = 0; k < count && r->options.report; k++)
        if (!r->options.report(r->options.user, &rows[k])) return VG_FAILED_RESOURCE;
    return VG_OK;
}

static vg_status load(void *user) {
    reading *r = user;
    vg_model *model = r->run->model;
    if (!vg_checkpoint_open(model, &r->mem, r->path, false, &r->file)) return vg_model_status(model);
    r->run->loaded = vg_arena_copy(&model->ir.arena, r->path, strlen(r->path));
    return read_variables(r);
}

/* `body` over a reading that is set up, and everything it held released. */
static vg_status with_file(vg_run *run, reading *r, vg_body body) {
    vg_mem_init(&r->mem);
    r->mem.calls = run->mem.calls;      /* the call that a test lets fail may be one of these */
    r->mem.fail_at = run->mem.fail_at;
    vg_arena_init(&r->arena, &r->mem);
    r->run = run;
    const vg_status status = vg_model_guard(run->model, &r->mem, body, r);
    run->mem.calls = r->mem.calls;
    vg_mem_release(&r->mem);
    return status;
}

vg_status vg_run_load(vg_run *run, const char *path, const vg_load_options *options) {
    reading r = { .path = path };
    if (options) r.options = *options;
    return with_file(run, &r, load);
}

/* ---- going on */

static vg_status differ(const reading *r, const char *what) {
    vg_report(&r->run->model->ir.diags, resume_differs, ((vg_span){ 0, 0 }), 0, r->path, what);
    return VG_FAILED_USAGE;
}

/* ---- what is another than it was: told with what it was and what it is */

/* The first line in which two texts differ. */
static const char *line_difference(reading *r, const char *name, const char *then, const char *now) {
    uint32_t line = 1;
    const char *a = then, *b = now;
    for (;; line++) {
        const size_t left = strcspn(a, "\n"), right = strcspn(b, "\n");
        const bool same = left == right && strncmp(a, b, left) == 0;
        if (!same)
            return vg_arena_format(&r->arena, "line %u of '%s' was '%.*s', and is '%.*s'", line, name, (int)left, a, (int)right, b);
        if (!a[left] || !b[right])
            return vg_arena_format(&r->arena, "'%s' has %s lines than it had", name, a[left] ? "fewer" : "more");
        a += left + 1;
        b += right + 1;
    }
}

/* Files may have moved: their texts count. */
static const char *source_difference(reading *r, const json_t *then, const json_t *now) {
    if (json_array_size(then) != json_array_size(now)) return "the number of the model's files is another";
    for (size_t k = 0; k < json_array_size(then); k++) {
        const json_t *old = json_array_get(json_array_get(then, k), 1), *new = json_array_get(json_array_get(now, k), 1);
        const char *name = json_string_value(json_array_get(json_array_get(now, k), 0));
        if (json_equal(old, new) || !json_is_string(old)) continue;
        return line_difference(r, name, json_string_value(old), json_string_value(new));
    }
    return NULL;
}

/* "name=text", or the text of an option without a name. */
static const char *option_text(reading *r, const json_t *item) {
    if (json_is_string(item)) return json_string_value(item);
    const char *name = json_string_value(json_array_get(item, 0)), *text = json_string_value(json_array_get(item, 1));
    return vg_arena_format(&r->arena, "%s=%s", name ? name : "", text ? text : "");
}

static bool has_item(const json_t *list, const json_t *item) {
    for (size_t k = 0; k < json_array_size(list); k++)
        if (json_equal(json_array_get(list, k), item)) return true;
    return false;
}

/* Their order does not matter. */
static const char *option_difference(reading *r, const char *option, const json_t *then, const json_t *now) {
    for (size_t k = 0; k < json_array_size(then); k++)
        if (!has_item(now, json_array_get(then, k)))
            return vg_arena_format(&r->arena, "it was begun with --%s %s", option, option_text(r, json_array_get(then, k)));
    for (size_t k = 0; k < json_array_size(now); k++)
        if (!has_item(then, json_array_get(now, k)))
            return vg_arena_format(&r->arena, "it was begun without --%s %s", option, option_text(r, json_array_get(now, k)));
    return NULL;
}

/* NULL, or what is another than it was. `steps` alone may be. */
static const char *difference(reading *r, const json_t *model, const json_t *facts, const json_t *run) {
    static const char *const options[] = { "set", "data", "summary" };
    const json_t *now = vg_checkpoint_describe(r->run->model, &r->mem);
    const json_t *data = vg_checkpoint_own(&r->mem, vg_facts_list(r->run->unit, &r->run->model->ir.strings));
    const json_int_t seed = json_integer_value(json_object_get(run, "seed"));
    const json_int_t batch = json_integer_value(json_object_get(model, "batch"));
    const char *what = source_difference(r, json_object_get(model, "sources"), json_object_get(now, "sources"));
    for (size_t k = 0; k < sizeof options / sizeof *options && !what; k++)
        what = option_difference(r, options[k], json_object_get(model, options[k]), json_object_get(now, options[k]));
    if (what) return what;
    if ((uint64_t)batch != r->run->model->front.batch)
        return batch ? vg_arena_format(&r->arena, "it was begun with --batch %lld", (long long)batch) : "it was begun without --batch";
    if ((uint64_t)seed != r->run->context.seed) return vg_arena_format(&r->arena, "its seed is %lld", (long long)seed);
    if (json_is_true(json_object_get(run, "float64")) != (r->run->real == 8))
        return r->run->real == 8 ? "it was begun without --float64" : "it was begun with --float64";
    return json_equal(data, facts) ? NULL : "its data sets are not what they were";
}

/* Where the loaders, the expects and the evaluation stand. False: that is not of this model. */
static bool take_place(vg_run *run, const json_t *object) {
    const json_t *loaders = json_object_get(object, "loaders"), *expects = json_object_get(object, "expects");
    const json_t *best = json_object_get(object, "best");
    const json_int_t step = json_integer_value(json_object_get(object, "step"));
    if (step < 0 || json_array_size(loaders) != run->loader_count ||
        json_array_size(expects) != run->unit->expectations.count) return false;
    for (uint32_t k = 0; k < run->loader_count; k++) {
        const json_t *place = json_array_get(loaders, k);
        const json_int_t epoch = json_integer_value(json_array_get(place, 1));
        const json_int_t next = json_integer_value(json_array_get(place, 2));
        if (epoch < 0 || next < 0 || next > run->loaders[k].count) return false;
        vg_loader_seek(&run->loaders[k], (uint64_t)epoch, (uint32_t)next);
    }
    for (uint32_t k = 0; k < run->unit->expectations.count; k++)
        run->expects[k].failures = (uint64_t)json_integer_value(json_array_get(expects, k));
    run->done = (uint64_t)step;
    run->kept = run->done + 1;
    /* An evaluation at the end is no longer one at the end where more steps follow. */
    if (run->done >= run->steps)
        run->evaluation.done = (uint64_t)json_integer_value(json_object_get(object, "evaluated"));
    if (best) run->evaluation.best = json_number_value(best);
    return true;
}

static vg_status resume(void *user) {
    reading *r = user;
    vg_run *run = r->run;
    vg_model *model = run->model;
    if (!vg_checkpoint_open(model, &r->mem, r->path, true, &r->file)) return vg_model_status(model);
    const json_t *object = vg_checkpoint_object(model, &r->mem, &r->file, VG_CHECKPOINT_MODEL);
    const json_t *facts = vg_checkpoint_object(model, &r->mem, &r->file, VG_CHECKPOINT_DATA);
    const json_t *place = vg_checkpoint_object(model, &r->mem, &r->file, VG_CHECKPOINT_RUN);
    if (!object || !facts || !place) return vg_model_status(model);
    const char *what = difference(r, object, facts, place);
    if (what) return differ(r, what);
    const vg_status status = read_variables(r);
    if (status != VG_OK) return status;
    const vg_safetensor *findings = vg_safetensors_find(&r->file, VG_CHECKPOINT_FINDINGS);
    if (findings && !vg_judge_recall(run, findings->data, findings->bytes))
        return differ(r, "it has looked for other things (--no-watch)");
    return take_place(run, place) ? VG_OK : differ(r, "it has other data sets or expects");
}

vg_status vg_run_resume(vg_run *run, const char *path) {
    reading r = { .path = path, .exact = true };
    if (run->done || run->started >= 0) return VG_FAILED_USAGE;
    return with_file(run, &r, resume);
}
