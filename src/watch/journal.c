/* run.json: the record of a run that another person, or a later `report`, needs to know what was run. It stands from
 * the first step on, and is replaced as a whole at the end: whoever reads it never sees half of it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/model.h"
#include "base/os.h"
#include "run/blas.h"
#include "watch/sink.h"
#include "watch/tensorboard.h"

enum { FORMAT = 1, DIGITS = 9 };

typedef struct journal_expect { const char *text; uint64_t failures; } journal_expect;

typedef struct journal_sink {
    vg_sink     sink;
    vg_model   *model;
    vg_arena    arena;
    const char *path, *beside;            /* run.json, and the file that becomes it */
    const char *source;                   /* the model's text, as UTF-8 */
    const char **overrides;
    size_t      override_count;
    uint64_t    seed, steps, steps_done;
    bool        float64, started, done;
    char        date[32];
    double      seconds;
    vg_status   status;
    VG_VEC(journal_expect) expects;
} journal_sink;

typedef struct journal_arguments {
    const char *folder;
    vg_model   *model;
    const vg_journal_options *options;
} journal_arguments;

/* The parts are made by functions that return NULL without memory; json_pack then answers NULL for the whole. */

static json_t *machine_object(void) {
    char host[128], processor[256];
    vg_os_hostname(host, sizeof host);
    vg_os_machine(processor, sizeof processor);
    return json_pack("{s:s, s:s, s:s}", "host", host, "processor", processor, "blas", vg_blas_version());
}

static json_t *override_list(const journal_sink *self) {
    json_t *list = json_array();
    for (size_t i = 0; i < self->override_count; i++) {
        if (json_array_append_new(list, json_string(self->overrides[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *expect_list(const journal_sink *self) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < self->expects.count; i++) {
        const journal_expect *expect = &self->expects.items[i];
        if (json_array_append_new(list, json_pack("{s:s, s:b, s:I}", "expr", expect->text, "ok", expect->failures == 0,
                                                  "failures", (json_int_t)expect->failures)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *error_list(const journal_sink *self) {
    json_t *list = json_array();
    vg_diagnostic error;
    for (size_t i = 0; vg_model_diagnostic(self->model, i, &error); i++) {
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:I}", "code", error.code,
                                                  "message", error.message, "file", error.file,
                                                  "line", (json_int_t)error.line,
                                                  "column", (json_int_t)error.column)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* What the folder lacks. */
static json_t *note_list(const journal_sink *self) {
    const char *missing = vg_tensorboard_graph_missing(&self->model->unit.graph[1]);
    return missing ? json_pack("[s]", missing) : json_array();
}

static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *journal_object(const journal_sink *self) {
    json_t *object = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o}",
        "format", FORMAT, "version", vg_version(), "model", vg_model_name(self->model), "source", self->source,
        "overrides", override_list(self), "seed", whole(self->seed), "steps", whole(self->steps),
        "batch", whole(self->model->unit.batch_size), "float64", self->float64, "started", self->date,
        "machine", machine_object(), "expects", expect_list(self), "errors", error_list(self),
        "notes", note_list(self));
    int failed = 0;
    if (self->done) {
        failed |= json_object_set_new(object, "steps_done", whole(self->steps_done));
        failed |= json_object_set_new(object, "seconds", json_real(self->seconds));
        failed |= json_object_set_new(object, "exit", json_integer(self->status));
    }
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* 0, or errno. */
static int replace_file(journal_sink *self, const char *text, size_t length) {
    vg_file *file;
    int failed = vg_file_create(&self->sink.mem, &self->sink.disk, self->beside, true, &file);
    if (failed) {
        return failed;
    }
    failed = vg_file_write(file, text, length);
    const int closed = vg_file_close(file);
    failed = failed ? failed : closed;
    if (!failed && rename(self->beside, self->path) != 0) {
        failed = errno;
    }
    if (failed) {
        unlink(self->beside);
    }
    return failed;
}

static bool write_journal(journal_sink *self) {
    json_t *object = journal_object(self);
    char *text = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(object);
    if (!text) {
        vg_mem_fail(&self->sink.mem);
    }
    void *owned = vg_mem_own(&self->sink.mem, free, text);
    const size_t length = strlen(text);
    text[length] = '\n';   /* in the place of the NUL */
    const int failed = replace_file(self, text, length + 1);
    vg_mem_disown(&self->sink.mem, owned, true);
    return failed ? vg_sink_fail(&self->sink, vg_sink_reason(failed)) : true;
}

static const char *copy(journal_sink *self, const char *text) {
    return vg_sink_utf8(&self->arena, text, strlen(text));
}

static bool open_journal(vg_sink *sink, const void *user) {
    journal_sink *self = (journal_sink *)sink;
    const journal_arguments *arguments = user;
    const vg_journal_options *options = arguments->options;
    self->model = arguments->model;
    vg_arena_init(&self->arena, &sink->mem);
    self->path = vg_arena_format(&self->arena, "%s/run.json", arguments->folder);
    self->beside = vg_arena_format(&self->arena, "%s/run.json.%u", arguments->folder, (unsigned)vg_os_process());
    size_t length;
    const char *source = vg_model_source(self->model, &length);
    self->source = vg_sink_utf8(&self->arena, source, length);
    self->override_count = options->override_count;
    self->overrides = VG_ARRAY(&self->arena, const char *, options->override_count);
    for (size_t i = 0; i < options->override_count; i++) {
        self->overrides[i] = copy(self, options->overrides[i]);
    }
    self->seed = options->run->has_seed ? options->run->seed : self->model->unit.seed;
    self->float64 = options->run->float64;
    vg_os_date(self->date, sizeof self->date);
    const int failed = vg_folder_create(arguments->folder);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

static bool watch(vg_sink *sink, const vg_record *record) {
    journal_sink *self = (journal_sink *)sink;
    switch (record->kind) {
    case VG_RECORD_START:
        self->steps = record->steps;
        self->started = true;
        return write_journal(self);
    case VG_RECORD_EXPECT:
        if (record->last) {
            const journal_expect expect = { copy(self, record->tag), record->failures };
            vg_vec_push(&sink->mem, &self->expects, expect);
        }
        return true;
    case VG_RECORD_DONE:
        self->done = true;
        self->steps_done = record->step;
        self->seconds = record->seconds;
        self->status = record->status;
        return true;
    case VG_RECORD_SCALAR:
    case VG_RECORD_HISTOGRAM:
    case VG_RECORD_IMAGE:
    case VG_RECORD_STEP:
        return true;
    }
    return true;
}

static bool close_journal(vg_sink *sink) {
    journal_sink *self = (journal_sink *)sink;
    return !self->started || write_journal(self);
}

static const vg_sink_kind kind = { sizeof(journal_sink), open_journal, watch, close_journal };

vg_sink *vg_sink_journal(const char *folder, vg_model *model, const vg_journal_options *options, const char **error) {
    const journal_arguments arguments = { folder, model, options };
    return vg_sink_new(&kind, &arguments, error);
}
