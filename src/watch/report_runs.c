/* report.html about several runs: their values side by side, each run's as one line in each picture. The page has the
 * columns of report.h, all runs' curves in one list; of a histogram there is the curve of its root mean square. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "watch/archive.h"
#include "watch/report.h"

enum { FORMAT = 1, POINTS_OF_ALL = 1 << 17, POINTS_MOST = 1024, POINTS_LEAST = 64 };

typedef struct told_run {
    const char *name, *link;              /* as UTF-8; link: NULL where there is none */
    const vg_archive_info *info;
    vg_keep     scalars, rms;
} told_run;

typedef struct runs_sink {
    vg_sink     sink;
    vg_arena    arena;
    const char *path;
    size_t      points;                   /* of a curve, at most */
    VG_VEC(told_run *) runs;
    VG_VEC(const char *) missing;         /* names of those that did not come to be */
} runs_sink;

/* ---- the data; NULL without memory */

static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *override_list(const vg_archive_info *info) {
    json_t *list = json_array();
    for (size_t i = 0; i < info->override_count; i++) {
        list = vg_json_add(list, json_string(info->overrides[i]));
    }
    return list;
}

static json_t *fault_list(const vg_archive_info *info) {
    json_t *list = json_array();
    for (size_t i = 0; i < info->finding_count; i++) {
        const vg_finding *finding = &info->findings[i];
        if (finding->severity == VG_SEVERITY_FAULT) {
            list = vg_json_add(list, json_pack("{s:s, s:s, s:b}", "rule", finding->rule, "say", finding->say,
                                               "follows", finding->follows));
        }
    }
    return list;
}

static json_t *run_list(const runs_sink *self) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < self->runs.count; i++) {
        const told_run *run = self->runs.items[i];
        const vg_archive_info *info = run->info;
        json_t *object = json_pack("{s:s, s:s*, s:s, s:s, s:o, s:o, s:o, s:o}", "name", run->name, "link", run->link,
                                   "model", info->model, "started", info->started, "seed", whole(info->seed),
                                   "steps", whole(info->steps), "overrides", override_list(info),
                                   "faults", fault_list(info));
        if (object && info->done && (json_object_set_new(object, "steps_done", whole(info->steps_done)) != 0 ||
                                     json_object_set_new(object, "seconds", json_real(info->seconds)) != 0 ||
                                     json_object_set_new(object, "exit", json_integer(info->status)) != 0)) {
            json_decref(object);
            object = NULL;
        }
        list = vg_json_add(list, object);
    }
    return list;
}

/* Which way a scalar's values get better; 0: not known, or they are a histogram's. */
static int direction_of(const json_t *curve, bool rms) {
    return rms ? 0 : vg_direction(json_string_value(json_object_get(curve, "tag")));
}

/* A keep's curves behind those that are there, with whose they are. */
static json_t *add_curves(json_t *list, const vg_keep *keep, uint32_t run, bool rms) {
    json_t *own = vg_keep_curves(keep);
    size_t i;
    json_t *curve;
    bool fine = own != NULL;
    json_array_foreach(own, i, curve) {
        fine = fine && json_object_set_new(curve, "run", whole(run)) == 0 &&
               json_object_set_new(curve, "rms", json_boolean(rms)) == 0 &&
               json_object_set_new(curve, "direction", json_integer(direction_of(curve, rms))) == 0;
    }
    fine = fine && list && json_array_extend(list, own) == 0;
    json_decref(own);
    if (!fine) {
        json_decref(list);
    }
    return fine ? list : NULL;
}

static json_t *missing_list(const runs_sink *self) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < self->missing.count; i++) {
        list = vg_json_add(list, json_string(self->missing.items[i]));
    }
    return list;
}

static json_t *data_object(const runs_sink *self, size_t bytes) {
    json_t *curves = json_array();
    for (uint32_t i = 0; i < self->runs.count; i++) {
        curves = add_curves(curves, &self->runs.items[i]->scalars, i, false);
        curves = add_curves(curves, &self->runs.items[i]->rms, i, true);
    }
    return json_pack("{s:i, s:{s:s, s:s}, s:b, s:o, s:o, s:[], s:o, s:o}", "format", FORMAT,
                     "run", "version", vg_version(), "model", self->runs.count ? self->runs.items[0]->info->model : "",
                     "wide", true, "bytes", whole(bytes), "curves", curves, "films", "runs", run_list(self),
                     "missing", missing_list(self));
}

/* ---- the sink */

static bool open_runs(vg_sink *sink, const void *user) {
    runs_sink *self = (runs_sink *)sink;
    const char *folder = user;
    vg_arena_init(&self->arena, &sink->mem);
    self->path = vg_arena_format(&self->arena, "%s/report.html", folder);
    const int failed = vg_folder_create(folder);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

static bool begin_run(vg_sink *sink, const void *user) {
    runs_sink *self = (runs_sink *)sink;
    const vg_report_run *run = user;
    if (!run->archive) {
        vg_vec_push(&sink->mem, &self->missing, vg_sink_utf8(&self->arena, run->name, strlen(run->name)));
        return true;
    }
    told_run *told = VG_NEW(&self->arena, told_run);
    told->name = vg_sink_utf8(&self->arena, run->name, strlen(run->name));
    told->link = run->link ? vg_sink_utf8(&self->arena, run->link, strlen(run->link)) : NULL;
    told->info = vg_archive_info_of(run->archive);
    vg_keep_init(&told->scalars, &self->arena);
    vg_keep_init(&told->rms, &self->arena);
    told->scalars.curve_limit = told->rms.curve_limit = self->points;
    vg_vec_push(&sink->mem, &self->runs, told);
    return true;
}

static bool watch(vg_sink *sink, const vg_record *record) {
    told_run *run = vg_vec_last(&((runs_sink *)sink)->runs);
    if (record->kind == VG_RECORD_SCALAR) {
        vg_keep_add(&run->scalars, record);
    } else if (record->kind == VG_RECORD_HISTOGRAM) {
        vg_record rms = *record;
        rms.kind = VG_RECORD_SCALAR;
        rms.value = record->histogram->rms;
        vg_keep_add(&run->rms, &rms);
    }
    return true;
}

static bool close_runs(vg_sink *sink) {
    runs_sink *self = (runs_sink *)sink;
    if (sink->error) {
        return false;
    }
    vg_text columns = vg_text_new(&sink->mem);
    for (uint32_t i = 0; i < self->runs.count; i++) {
        vg_keep_columns(&self->runs.items[i]->scalars, true, &columns);
        vg_keep_columns(&self->runs.items[i]->rms, true, &columns);
    }
    const vg_report_page page = { vg_report_runs_head, vg_report_runs_head_length, vg_report_runs_tail,
                                  vg_report_runs_tail_length };
    return vg_report_write(sink, &self->arena, self->path, &page, data_object(self, columns.length), &columns);
}

static const vg_sink_kind kind = { sizeof(runs_sink), open_runs, watch, close_runs };

/* The more runs, the fewer points of each: there is not more room for them on a screen, either. */
static size_t points_of(size_t runs) {
    const size_t share = POINTS_OF_ALL / (runs ? runs : 1);
    return share > POINTS_MOST ? POINTS_MOST : share < POINTS_LEAST ? POINTS_LEAST : share;
}

bool vg_report_runs(const char *folder, const vg_report_run *runs, size_t count, const char **error) {
    vg_sink *sink = vg_sink_new(&kind, folder, error);
    if (!sink) {
        return false;
    }
    ((runs_sink *)sink)->points = points_of(count);
    const char *damaged = NULL;
    for (size_t i = 0; i < count && !damaged && !sink->error; i++) {
        if (vg_sink_guard(sink, begin_run, &runs[i]) && runs[i].archive &&
            !vg_archive_replay(runs[i].archive, vg_sink_watch, sink)) {
            damaged = vg_archive_error(runs[i].archive);   /* NULL: the sink's own error is why */
        }
    }
    if (damaged) {
        vg_sink_fail(sink, damaged);
    }
    return vg_sink_close(sink, error);
}
