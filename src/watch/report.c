/* report.html: what a run showed, as one file that opens from the disk. The values are kept while the run goes on and
 * written at its end. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "watch/account.h"
#include "watch/archive.h"
#include "watch/png.h"
#include "watch/report.h"

enum { FORMAT = 1 };

typedef struct report_sink {
    vg_sink     sink;
    vg_account  account;
    vg_keep     keep;
    vg_album    album;
    const char *loss;               /* the training loss as a scalar: its tag while no scalar is watched, else NULL */
    bool        began;              /* a step is done */
    const char *path;
    const vg_archive *archive;      /* of a run that is over, or NULL */
} report_sink;

typedef struct report_arguments {
    const char *folder;
    vg_model   *model;
    const vg_journal_options *options;
} report_arguments;

/* ---- the data */

/* What the report is without. */
static json_t *note_list(const report_sink *self, const char *no_graph) {
    json_t *list = json_array();
    int failed = list ? 0 : -1;
    if (no_graph) {
        failed |= json_array_append_new(list, json_string(no_graph));
    }
    if (self->keep.left_out) {
        failed |= json_array_append_new(list, json_sprintf("Only the first %d tags are in the report; %llu records of "
            "others are not.", VG_KEEP_TAGS, (unsigned long long)self->keep.left_out));
    }
    if (self->album.left_out) {
        failed |= json_array_append_new(list, json_sprintf("%llu image records are not in the report, which holds "
            "%d MB of pixels.", (unsigned long long)self->album.left_out, VG_ALBUM_BYTES >> 20));
    }
    if (failed != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* What is told of a run that is over is what was told then. */
static json_t *run_object(const report_sink *self) {
    json_t *run = vg_account_object(&self->account);
    if (run && self->archive && json_object_update(run, self->archive->json) != 0) {
        json_decref(run);
        return NULL;
    }
    return run;
}

static json_t *data_object(const report_sink *self, const vg_report_graph *graph, const char *no_graph, size_t length) {
    return json_pack("{s:i, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "format", FORMAT,
                     "run", run_object(self), "wide", self->account.float64,
                     "bytes", json_integer((json_int_t)length),
                     "curves", vg_keep_curves(&self->keep), "films", vg_keep_films(&self->keep),
                     "images", vg_album_list(&self->album), "graph", vg_report_graph_object(graph),
                     "notes", note_list(self, no_graph));
}

static bool write_report(report_sink *self) {
    if (!vg_album_pack(&self->album)) {
        return vg_sink_fail(&self->sink, vg_png_failed);
    }
    const char *no_graph;
    vg_text columns = vg_text_new(&self->sink.mem);
    vg_keep_columns(&self->keep, self->account.float64, &columns);
    const vg_report_graph *graph = vg_report_graph_of(&self->account.model->unit, &self->account.arena, &no_graph);
    const vg_report_page page = { vg_report_head, vg_report_head_length, vg_report_tail, vg_report_tail_length };
    return vg_report_write(&self->sink, &self->account.arena, self->path, &page,
                           data_object(self, graph, no_graph, columns.length), &columns);
}

/* ---- the sink */

static bool open_report(vg_sink *sink, const void *user) {
    report_sink *self = (report_sink *)sink;
    const report_arguments *arguments = user;
    vg_account_begin(&self->account, &sink->mem, arguments->model, arguments->options);
    vg_keep_init(&self->keep, &self->account.arena);
    self->album.arena = &self->account.arena;
    self->archive = arguments->options->archive;
    self->path = vg_arena_format(&self->account.arena, "%s/report.html", arguments->folder);
    const int failed = vg_folder_create(arguments->folder);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

/* A model without any scalar summary still has a loss. */
static void add_loss(report_sink *self, const vg_record *record) {
    const vg_unit *unit = &self->account.model->unit;
    if (!self->began && !self->keep.curves.count && unit->blocks.count) {
        self->loss = unit->blocks.count == 1 ? vg_strings_text(&unit->ir->strings, unit->blocks.items[0].loss) : "loss";
    }
    self->began = true;
    if (self->loss) {
        const vg_record scalar = { .kind = VG_RECORD_SCALAR, .step = record->step, .tag = self->loss,
                                   .value = record->value };
        vg_keep_add(&self->keep, &scalar);
    }
}

/* ---- what was looked at for the findings: curves of what the units of a tensor do together */

static void add_curve(report_sink *self, const char *family, const char *name, uint64_t step, double value) {
    char tag[256];
    if (isnan(value)) {
        return;
    }
    snprintf(tag, sizeof tag, "%s/%s", family, name);
    vg_keep_add(&self->keep, &(vg_record){ .kind = VG_RECORD_SCALAR, .step = step, .tag = tag, .value = value });
}

static void add_units(report_sink *self, const vg_record *record) {
    static const char *const rms[] = { [VG_WATCHED_OUTPUT] = "outputs, rms", [VG_WATCHED_ACTIVATION] = NULL,
                                       [VG_WATCHED_FLOW] = "gradients of outputs, rms",
                                       [VG_WATCHED_GRADIENT] = "gradients of variables, rms" };
    const vg_units *units = record->units;
    if (!*record->tag) {
        return;
    }
    if (rms[units->of]) {
        add_curve(self, rms[units->of], record->tag, record->step, units->rms);
    }
    add_curve(self, "saturated, share", record->tag, record->step, units->saturated);
    add_curve(self, "never active, share of units", record->tag, record->step, units->silent);
}

static bool watch(vg_sink *sink, const vg_record *record) {
    report_sink *self = (report_sink *)sink;
    vg_account_add(&self->account, record);
    switch (record->kind) {
    case VG_RECORD_SCALAR:
    case VG_RECORD_HISTOGRAM:
        vg_keep_add(&self->keep, record);
        return true;
    case VG_RECORD_UNITS:
        add_units(self, record);
        return true;
    case VG_RECORD_RATIO:
        add_curve(self, "update / weight", record->tag, record->step, record->value);
        return true;
    case VG_RECORD_IMAGE:
        vg_album_add(&self->album, record);
        return true;
    case VG_RECORD_STEP:
        add_loss(self, record);
        return true;
    case VG_RECORD_START:
    case VG_RECORD_EXPECT:
    case VG_RECORD_CHECKPOINT:
    case VG_RECORD_FINDING:
    case VG_RECORD_DONE:
        return true;
    }
    return true;
}

/* What an allocation that failed has left half done is not shown. */
static bool close_report(vg_sink *sink) {
    report_sink *self = (report_sink *)sink;
    return !sink->error && (!self->account.started || write_report(self));
}

static const vg_sink_kind kind = { sizeof(report_sink), open_report, watch, close_report };

vg_sink *vg_sink_report(const char *folder, vg_model *model, const vg_journal_options *options, const char **error) {
    const report_arguments arguments = { folder, model, options };
    return vg_sink_new(&kind, &arguments, error);
}
