/* A run's account (account.h), and its JSON. */
#include "watch/account.h"
#include "watch/object.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/os.h"
#include "base/thread.h"
#include "front/dataset.h"
#include "run/blas.h"
#include "watch/tensorboard.h"

enum { FORMAT = 1 };

static const char *copy(vg_account *account, const char *text) {
    return vg_sink_utf8(&account->arena, text, strlen(text));
}

/* ---- the beginning */

/* digits(count = 12000): the source with what the model gives it. */
static const char *source_text(vg_account *account, const vg_dataset *set) {
    vg_text text = vg_text_new(account->mem);
    char number[32];
    const char *between = "";
    vg_text_format(&text, "%s(", set->source->name);
    for (uint32_t i = 0; i < set->source->parameter_count; i++) {
        const vg_source_parameter *parameter = &set->source->parameters[i];
        const vg_argument *argument = &set->arguments[i];
        if (!argument->given) {
            continue;
        }
        vg_text_format(&text, "%s%s = ", between, parameter->name);
        if (parameter->kind == VG_ARGUMENT_TEXT) {
            vg_text_format(&text, "\"%s\"", argument->text);
        } else {
            vg_text_format(&text, "%s", vg_number_text(number, argument->number));
        }
        between = ", ";
    }
    if (set->scale) {
        vg_text_format(&text, "%sscale = \"%s\"", between, set->scale);
        between = ", ";
    }
    if (set->test >= 0) {
        vg_text_format(&text, "%stest = %s", between, vg_number_text(number, set->test));
    }
    vg_text_add(&text, ")", 1);
    const char *copied = copy(account, vg_text_c(&text));
    vg_text_free(&text);
    return copied;
}

/* The first column of words; NULL: there is none. */
static const vg_column *words_of(const vg_dataset *set) {
    for (uint32_t k = 0; k < set->column_count; k++) {
        if (set->columns[k].texts) {
            return &set->columns[k];
        }
    }
    return NULL;
}

/* Of the column of classes, the target where there is one: its words. */
static void add_classes(vg_account *account, const vg_dataset *set, vg_account_data *data) {
    const vg_column *column = words_of(set);
    for (uint32_t k = 0; k < set->column_count; k++) {
        const bool target = set->columns[k].texts && set->columns[k].classes == set->classes;
        column = target ? &set->columns[k] : column;
    }
    const char **classes = column ? VG_ARRAY(&account->arena, const char *, column->classes) : NULL;
    for (uint32_t k = 0; column && k < column->classes; k++) {
        classes[k] = copy(account, column->texts[k]);
    }
    data->classes = classes;
    data->class_count = column ? column->classes : 0;
}

static void add_data(vg_account *account) {
    const vg_unit *unit = &account->model->unit;
    for (uint32_t i = 0; i < unit->datasets.count; i++) {
        const vg_dataset *set = unit->datasets.items[i];
        const char *name = vg_strings_text(&account->model->ir.strings, set->name);
        vg_account_data data = { .name = copy(account, name), .source = source_text(account, set),
                                 .train = set->train_count, .test = set->test_count };
        add_classes(account, set, &data);
        vg_vec_push(account->mem, &account->data, data);
    }
}

void vg_account_begin(vg_account *account, vg_mem *mem, vg_model *model, const vg_journal_options *options) {
    const vg_run_options *run = options->run;
    account->mem = mem;
    account->model = model;
    vg_arena_init(&account->arena, mem);
    size_t length;
    const char *source = vg_model_source(model, &length);
    account->source = vg_sink_utf8(&account->arena, source, length);
    account->command = options->command ? copy(account, options->command) : NULL;
    account->override_count = options->override_count;
    account->overrides = VG_ARRAY(&account->arena, const char *, options->override_count);
    for (size_t i = 0; i < options->override_count; i++) {
        account->overrides[i] = copy(account, options->overrides[i]);
    }
    add_data(account);
    account->seed = run->has_seed ? run->seed : model->unit.seed;
    account->threads = run->threads ? run->threads : vg_thread_cores();
    account->float64 = run->float64;
    account->fused = !run->no_fuse;
    vg_os_date(account->date, sizeof account->date);
    vg_os_hostname(account->host, sizeof account->host);
    vg_os_machine(account->processor, sizeof account->processor);
}

void vg_account_add(vg_account *account, const vg_record *record) {
    switch (record->kind) {
    case VG_RECORD_START:
        account->steps = record->steps;
        account->resumed = record->step;
        account->started = true;
        return;
    case VG_RECORD_EXPECT:
        if (record->last) {
            const vg_account_expect expect = { copy(account, record->tag), record->failures };
            vg_vec_push(account->mem, &account->expects, expect);
        }
        return;
    case VG_RECORD_DONE:
        account->done = true;
        account->steps_done = record->step;
        account->seconds = record->seconds;
        account->status = record->status;
        return;
    case VG_RECORD_FINDING: {
        const vg_finding finding = vg_finding_copy(&account->arena, record->finding);
        vg_vec_push(account->mem, &account->findings, finding);
        return;
    }
    case VG_RECORD_SCALAR:
    case VG_RECORD_HISTOGRAM:
    case VG_RECORD_IMAGE:
    case VG_RECORD_STEP:
    case VG_RECORD_UNITS:
    case VG_RECORD_RATIO:
    case VG_RECORD_CHECKPOINT:
        return;
    }
}

/* ---- JSON. The parts are made by functions that return NULL without memory; json_pack then answers NULL for the
 * whole. */

static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *machine_object(const vg_account *account) {
    return json_pack("{s:s, s:s, s:s}", "host", account->host, "processor", account->processor,
                     "blas", vg_blas_version());
}

static json_t *override_list(const vg_account *account) {
    json_t *list = json_array();
    for (size_t i = 0; i < account->override_count; i++) {
        list = vg_json_add(list, json_string(account->overrides[i]));
    }
    return list;
}

static json_t *data_list(const vg_account *account) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < account->data.count; i++) {
        const vg_account_data *data = &account->data.items[i];
        json_t *object = json_pack("{s:s, s:s, s:o, s:o}", "name", data->name, "source", data->source,
                                   "train", whole(data->train), "test", whole(data->test));
        json_t *classes = data->class_count ? json_array() : NULL;
        for (uint32_t k = 0; k < data->class_count; k++) {
            classes = vg_json_add(classes, json_string(data->classes[k]));
        }
        list = vg_json_add(list, data->class_count ? vg_json_put(object, "classes", classes) : object);
    }
    return list;
}

static json_t *expect_list(const vg_account *account) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < account->expects.count; i++) {
        const vg_account_expect *expect = &account->expects.items[i];
        list = vg_json_add(list, json_pack("{s:s, s:b, s:o}", "expr", expect->text, "ok", expect->failures == 0,
                                           "failures", whole(expect->failures)));
    }
    return list;
}

static json_t *finding_list(const vg_account *account) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < account->findings.count; i++) {
        list = vg_json_add(list, vg_finding_object(&account->findings.items[i]));
    }
    return list;
}

static json_t *error_list(const vg_account *account) {
    json_t *list = json_array();
    vg_diagnostic error;
    for (size_t i = 0; vg_model_diagnostic(account->model, i, &error); i++) {
        list = vg_json_add(list, json_pack("{s:s, s:s, s:s, s:o, s:o}", "code", error.code, "message", error.message,
                                           "file", error.file, "line", whole(error.line),
                                           "column", whole(error.column)));
    }
    return list;
}

/* What the folder lacks. */
static json_t *note_list(const vg_account *account) {
    const char *missing = vg_tensorboard_graph_missing(&account->model->unit.graph[1]);
    return missing ? json_pack("[s]", missing) : json_array();
}

json_t *vg_account_object(const vg_account *account) {
    json_t *object = json_pack("{s:i, s:s, s:s, s:s, s:s*, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:s, s:o, s:o, s:o, "
        "s:o, s:o}",
        "format", FORMAT, "version", vg_version(), "model", vg_model_name(account->model), "source", account->source,
        "command", account->command, "overrides", override_list(account), "data", data_list(account),
        "seed", whole(account->seed), "steps", whole(account->steps), "batch", whole(account->model->unit.batch_size),
        "float64", account->float64, "fused", account->fused, "threads", whole(account->threads),
        "started", account->date, "machine", machine_object(account),
        "findings", finding_list(account), "expects", expect_list(account),
        "errors", error_list(account), "notes", note_list(account));
    int failed = 0;
    if (object && account->resumed) {
        failed |= json_object_set_new(object, "resumed_at", whole(account->resumed));
    }
    if (object && account->done) {
        failed |= json_object_set_new(object, "steps_done", whole(account->steps_done));
        failed |= json_object_set_new(object, "seconds", json_real(isfinite(account->seconds) ? account->seconds : 0));
        failed |= json_object_set_new(object, "exit", json_integer(account->status));
    }
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}
