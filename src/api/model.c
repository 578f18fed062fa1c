/* A model: options, loading, and its diagnostics. */
#include "api/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "diag/render.h"
#include "front/std.h"

const char *vg_version(void) { return VG_VERSION; }

static vg_status start(void *user) {
    vg_model *model = user;
    vg_ir_init(&model->ir, &model->mem);
    model->unit.ir = &model->ir;
    vg_tree_init(&model->front.tree, &model->mem);
    model->name = "";
    model->source = "";
    return VG_OK;
}

/* There are no diagnostics yet to say it with. */
static vg_status say_nothing(void *user) {
    (void)user;
    return VG_OK;
}

vg_model *vg_model_new(void) {
    vg_model *model = calloc(1, sizeof *model);   /* the one block that no vg_mem owns: it holds one */
    if (!model) return NULL;
    vg_mem_init(&model->mem);
    if (vg_model_guard_or(model, NULL, start, say_nothing, model) == VG_OK) return model;
    vg_model_free(model);
    return NULL;
}

void vg_model_free(vg_model *model) {
    if (!model) return;
    vg_mem_release(&model->mem);
    free(model);
}

/* ---- options */

typedef struct option { vg_model *model; const char *kind, *name, *text; uint32_t *index; } option;

uint32_t vg_model_add_source(vg_model *model, vg_source_kind kind, const char *name, const char *text, size_t length) {
    if (length <= VG_SOURCE_LIMIT) {
        uint32_t source = vg_sources_add(&model->ir.diags.sources, kind, name, text, length);
        if (source) return source;
    }
    vg_report(&model->ir.diags, limit_file, ((vg_span){ 0, 0 }), 0, name,
              vg_arena_format(&model->ir.arena, "%d", VG_SOURCE_LIMIT >> 20));
    return 0;
}

static vg_span source_span(const vg_model *model, uint32_t source) {
    const vg_source *row = &model->ir.diags.sources.list.items[source];
    return (vg_span){ row->base, row->base + row->length };
}

/* An option's text as a source of its own: "--set act". Fills everything but the tree. */
static bool option_source(const option *o, vg_override *row, uint32_t *source) {
    const char *shown = o->name ? vg_arena_format(&o->model->ir.arena, "%s %s", o->kind, o->name) : o->kind;
    *source = vg_model_add_source(o->model, VG_SOURCE_OPTION, shown, o->text, strlen(o->text));
    if (!*source) return false;
    row->name = o->name ? vg_strings_c(&o->model->ir.strings, o->name) : 0;
    row->span = source_span(o->model, *source);
    return true;
}

static vg_status add_named(const option *o, bool data) {
    vg_model *model = o->model;
    vg_override row = { 0 };
    uint32_t source;
    if (!option_source(o, &row, &source)) return vg_model_status(model);
    uint32_t count = data ? model->front.data.count : model->front.sets.count;
    const vg_override *list = data ? model->front.data.items : model->front.sets.items;
    for (uint32_t k = 0; k < count; k++)
        if (list[k].name == row.name) {
            vg_report(&model->ir.diags, option_twice, row.span, 0, o->kind, o->name);
            return VG_FAILED_USAGE;
        }
    if (data && vg_model_provides(model, row.name)) {
        vg_report(&model->ir.diags, option_twice, row.span, 0, o->kind, o->name);
        return VG_FAILED_USAGE;
    }
    row.tree = vg_parse_expression(&model->front.tree, &model->ir.diags, source);
    if (data) vg_vec_push(&model->mem, &model->front.data, row);
    else vg_vec_push(&model->mem, &model->front.sets, row);
    return vg_model_status(model);
}

static vg_status add_set(void *user) { return add_named(user, false); }
static vg_status add_data(void *user) { return add_named(user, true); }

static vg_status add_summary(void *user) {
    const option *o = user;
    vg_override row = { 0 };
    uint32_t source;
    if (!option_source(o, &row, &source)) return vg_model_status(o->model);
    row.tree = vg_parse_summary(&o->model->front.tree, &o->model->ir.diags, source);
    if (row.tree) vg_vec_push(&o->model->mem, &o->model->front.summaries, row);
    return vg_model_status(o->model);
}

static vg_status add_fetch(void *user) {
    const option *o = user;
    vg_override row = { 0 };
    uint32_t source;
    if (!option_source(o, &row, &source)) return vg_model_status(o->model);
    row.tree = vg_parse_expression(&o->model->front.tree, &o->model->ir.diags, source);
    *o->index = o->model->front.fetches.count;
    vg_vec_push(&o->model->mem, &o->model->front.fetches, row);
    return vg_model_status(o->model);
}

vg_status vg_model_set(vg_model *model, const char *name, const char *expression) {
    option o = { model, "--set", name, expression, NULL };
    return vg_model_guard(model, NULL, add_set, &o);
}

vg_status vg_model_data(vg_model *model, const char *name, const char *source) {
    option o = { model, "--data", name, source, NULL };
    return vg_model_guard(model, NULL, add_data, &o);
}

vg_status vg_model_summary(vg_model *model, const char *statement) {
    option o = { model, "--summary", NULL, statement, NULL };
    return vg_model_guard(model, NULL, add_summary, &o);
}

vg_status vg_model_fetch(vg_model *model, const char *expression, uint32_t *index) {
    option o = { model, "expression", NULL, expression, index };
    return vg_model_guard(model, NULL, add_fetch, &o);
}

static vg_status add_input(void *user) {
    const option *o = user;
    vg_model *model = o->model;
    const vg_str name = vg_strings_c(&model->ir.strings, o->name);
    for (uint32_t k = 0; k < model->front.fed.count; k++)
        if (model->front.fed.items[k].name == name) {
            vg_report(&model->ir.diags, option_twice, ((vg_span){ 0, 0 }), 0, o->kind, o->name);
            return VG_FAILED_USAGE;
        }
    const vg_fed fed = { name, vg_arena_copy(&model->ir.arena, o->text, strlen(o->text)), false };
    vg_vec_push(&model->mem, &model->front.fed, fed);
    return VG_OK;
}

vg_status vg_model_input(vg_model *model, const char *name, const char *path) {
    option o = { model, "--input", name, path, NULL };
    return vg_model_guard(model, NULL, add_input, &o);
}

vg_status vg_model_batch(vg_model *model, uint64_t batch) {
    model->front.batch = batch;
    return batch > 0 && batch <= INT32_MAX ? VG_OK : VG_FAILED_USAGE;
}

vg_status vg_model_steps(vg_model *model, uint64_t steps) {
    model->front.steps = steps;
    return steps > 0 ? VG_OK : VG_FAILED_USAGE;
}

vg_status vg_model_seed(vg_model *model, uint64_t seed) {
    model->front.seed = seed;
    model->front.has_seed = true;
    return VG_OK;
}

vg_status vg_model_watch(vg_model *model, vg_watching watching) {
    model->watch = watching;
    return model->source_length || watching > VG_WATCH_ALL ? VG_FAILED_USAGE : VG_OK;
}

vg_status vg_model_dump(vg_model *model, const char *pass, vg_write write, void *user) {
    uint32_t index;
    if (!vg_pass_find(pass, &index)) return VG_FAILED_USAGE;
    model->dump.wanted[index] = true;
    model->dumps[index] = (vg_dump_to){ write, user };
    return VG_OK;
}

static void write_dump(void *user, const char *pass, const char *text, size_t length) {
    vg_model *model = user;
    uint32_t index;
    if (vg_pass_find(pass, &index)) model->dumps[index].write(model->dumps[index].user, text, length);
}

/* ---- loading */

static void parse_library(vg_model *model) {
    for (unsigned k = 0; k < vg_std_file_count; k++) {
        uint32_t source = vg_model_add_source(model, VG_SOURCE_LIBRARY, vg_std_files[k].name, vg_std_files[k].text,
                                     vg_std_files[k].length);
        vg_tree_id root = source ? vg_parse_file(&model->front.tree, &model->ir.diags, source) : 0;
        if (root) vg_vec_push(&model->mem, &model->front.library, root);
    }
}

/* Elaborates and runs the passes. False after reporting. */
static bool build(vg_model *model, bool training) {
    vg_unit *unit = &model->unit;
    vg_elaborate(unit, &model->front, training);
    if (vg_diags_status(&model->ir.diags)) return false;
    if (training && model->watch != VG_WATCH_NOTHING)
        vg_evidence_add(unit, &unit->graph[1], model->watch == VG_WATCH_ALL, model->watch == VG_WATCH_ALL ? 256 : 64);
    model->elaborated[training] = unit->graph[training];
    model->dump.write = write_dump;
    model->dump.user = model;
    return vg_passes_run(unit, training, training ? &model->dump : NULL);
}

bool vg_model_evaluation(vg_model *model) {
    if (!model->evaluates) model->evaluates = build(model, false);
    return model->evaluates;
}

static vg_status load(vg_model *model, const char *text, size_t length) {
    vg_diags *diags = &model->ir.diags;
    uint32_t source = vg_model_add_source(model, VG_SOURCE_MODEL, model->name, text, length);
    if (!source) return vg_model_status(model);
    const vg_source *row = &diags->sources.list.items[source];
    model->source = row->text;
    model->source_length = row->length;
    model->front.path = vg_strings_c(&model->ir.strings, model->name);
    parse_library(model);
    model->front.root = vg_parse_file(&model->front.tree, diags, source);
    if (vg_diags_status(diags)) return vg_model_status(model);
    bool built = build(model, true);
    if (built && (model->unit.uses_training || model->unit.eval_every)) built = vg_model_evaluation(model);
    model->loaded = built && vg_diags_status(diags) == 0;
    return vg_model_status(model);
}

typedef struct loading { vg_model *model; const char *name, *text; size_t length; } loading;

static bool may_load(const loading *l) {
    if (!l->model->source_length && !l->model->name[0]) return true;
    vg_report0(&l->model->ir.diags, loaded_twice, ((vg_span){ 0, 0 }), 0);
    return false;
}

static vg_status load_text(void *user) {
    const loading *l = user;
    if (!may_load(l)) return VG_FAILED_USAGE;
    l->model->name = vg_arena_copy(&l->model->ir.arena, l->name, strlen(l->name));
    return load(l->model, l->text, l->length);
}

static vg_status load_file(void *user) {
    const loading *l = user;
    vg_model *model = l->model;
    char *text;
    size_t length;
    if (!may_load(l)) return VG_FAILED_USAGE;
    model->name = vg_arena_copy(&model->ir.arena, l->name, strlen(l->name));
    int failed = vg_file_read(&model->mem, l->name, VG_SOURCE_LIMIT, &text, &length);
    if (failed == EFBIG) {
        vg_report(&model->ir.diags, limit_file, ((vg_span){ 0, 0 }), 0, l->name,
                  vg_arena_format(&model->ir.arena, "%d", VG_SOURCE_LIMIT >> 20));
        return vg_model_status(model);
    }
    if (failed) {
        vg_report(&model->ir.diags, file_failed, ((vg_span){ 0, 0 }), 0, l->name, strerror(failed));
        return vg_model_status(model);
    }
    vg_status status = load(model, text, length);
    vg_mem_free(&model->mem, text);
    return status;
}

vg_status vg_model_load_text(vg_model *model, const char *name, const char *text, size_t length) {
    loading l = { model, name, text, length };
    return vg_model_guard(model, NULL, load_text, &l);
}

vg_status vg_model_load_file(vg_model *model, const char *path) {
    loading l = { model, path, NULL, 0 };
    return vg_model_guard(model, NULL, load_file, &l);
}

const char *vg_model_name(const vg_model *model) { return model->name; }

const char *vg_model_source(const vg_model *model, size_t *length) {
    *length = model->source_length;
    return model->source;
}

/* ---- diagnostics */

size_t vg_model_diagnostics(const vg_model *model) { return model->ir.diags.list.count; }

/* "shape_mismatch" as people write it: shape-mismatch. */
static const char *code_name(vg_model *model, vg_code code) {
    char *name = vg_arena_copy(&model->ir.arena, vg_code_rows[code].name, strlen(vg_code_rows[code].name));
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
    return name;
}

typedef struct reading { vg_model *model; size_t index; vg_diagnostic *out; } reading;

static vg_status read_diagnostic(void *user) {
    const reading *r = user;
    const vg_diag *diag = &r->model->ir.diags.list.items[r->index];
    vg_span span = vg_diags_place(&r->model->ir.diags, diag->span, diag->call);
    *r->out = (vg_diagnostic){ code_name(r->model, diag->code), diag->text, "", 0, 0,
                               (vg_status)vg_code_rows[diag->code].class };
    if (!span.end) return VG_OK;
    vg_position position = vg_sources_position(&r->model->ir.diags.sources, span.begin);
    r->out->file = position.source ? position.source->name : "";
    r->out->line = position.line;
    r->out->column = position.column;
    return VG_OK;
}

bool vg_model_diagnostic(const vg_model *model, size_t index, vg_diagnostic *out) {
    if (index >= model->ir.diags.list.count) return false;
    reading r = { (vg_model *)(uintptr_t)model, index, out };   /* the name's text is kept by the model */
    return vg_model_guard(r.model, NULL, read_diagnostic, &r) == VG_OK;
}

typedef struct explaining { vg_model *model; size_t from; bool colour; vg_write write; void *user; } explaining;

static vg_status explain(void *user) {
    const explaining *x = user;
    vg_text text = vg_text_new(&x->model->mem);
    vg_render(&x->model->ir.diags, (uint32_t)x->from, x->colour, &text);
    bool written = !text.length || x->write(x->user, text.text, text.length);
    vg_text_free(&text);
    return written ? VG_OK : VG_FAILED_RESOURCE;
}

vg_status vg_model_explain(const vg_model *model, size_t from, bool colour, vg_write write, void *user) {
    explaining x = { (vg_model *)(uintptr_t)model, from, colour, write, user };
    return vg_model_guard(x.model, NULL, explain, &x);
}
