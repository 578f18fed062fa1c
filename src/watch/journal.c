/* run.json: the record of a run that another person, or a later `report`, needs to know what was run. It stands from
 * the first step on, and is replaced as a whole at the end: whoever reads it never sees half of it. */
#include <stdlib.h>
#include <string.h>

#include "watch/account.h"

enum { DIGITS = 9 };

typedef struct journal_sink {
    vg_sink     sink;
    vg_account  account;
    const char *path;
} journal_sink;

typedef struct journal_arguments {
    const char *folder;
    vg_model   *model;
    const vg_journal_options *options;
} journal_arguments;

static bool write_journal(journal_sink *self) {
    json_t *object = vg_account_object(&self->account);
    char *text = object ? json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(object);
    if (!text) {
        vg_mem_fail(&self->sink.mem);
    }
    void *owned = vg_mem_own(&self->sink.mem, free, text);
    const vg_piece pieces[] = { { text, strlen(text) }, { "\n", 1 } };
    const bool fine = vg_sink_replace(&self->sink, self->path, pieces, 2);
    vg_mem_disown(&self->sink.mem, owned, true);
    return fine;
}

static bool open_journal(vg_sink *sink, const void *user) {
    journal_sink *self = (journal_sink *)sink;
    const journal_arguments *arguments = user;
    vg_account_begin(&self->account, &sink->mem, arguments->model, arguments->options);
    self->path = vg_arena_format(&self->account.arena, "%s/run.json", arguments->folder);
    const int failed = vg_folder_create(arguments->folder);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

static bool watch(vg_sink *sink, const vg_record *record) {
    journal_sink *self = (journal_sink *)sink;
    vg_account_add(&self->account, record);
    return record->kind != VG_RECORD_START || write_journal(self);
}

static bool close_journal(vg_sink *sink) {
    journal_sink *self = (journal_sink *)sink;
    return !self->account.started || write_journal(self);
}

static const vg_sink_kind kind = { sizeof(journal_sink), open_journal, watch, close_journal };

vg_sink *vg_sink_journal(const char *folder, vg_model *model, const vg_journal_options *options, const char **error) {
    const journal_arguments arguments = { folder, model, options };
    return vg_sink_new(&kind, &arguments, error);
}
