/* run.json, read again (journal.c writes it). */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "watch/archive.h"
#include "watch/sink.h"

enum { FORMAT = 1, LARGEST = 256 << 20 };

/* The texts of a list of strings; what is no string is left out. */
static void read_overrides(vg_archive *archive, const json_t *list) {
    const size_t count = json_array_size(list);
    const char **texts = VG_ARRAY(&archive->arena, const char *, count);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text) {
            texts[archive->info.override_count++] = text;
        }
    }
    archive->info.overrides = texts;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* A number, or the text that stands for one that JSON has not: "nan", "inf", "-inf". */
static double number_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

static vg_finding finding_of(vg_archive *archive, const json_t *object) {
    const json_t *where = json_object_get(object, "where");
    const json_int_t line = json_integer_value(json_object_get(object, "line"));
    const char **names = VG_ARRAY(&archive->arena, const char *, json_array_size(where));
    vg_finding finding = { .rule = text_of(object, "rule"), .where = names, .file = text_of(object, "file"),
                           .say = text_of(object, "say"), .why = text_of(object, "why"),
                           .try_this = text_of(object, "try"),
                           .option = json_string_value(json_object_get(object, "option")),
                           .value = number_of(object, "value"), .limit = number_of(object, "limit") };
    finding.severity = strcmp(text_of(object, "severity"), "fault") == 0 ? VG_SEVERITY_FAULT : VG_SEVERITY_NOTE;
    finding.follows = json_is_true(json_object_get(object, "follows"));
    finding.line = line > 0 && line <= UINT32_MAX ? (uint32_t)line : 0;
    for (size_t i = 0; i < json_array_size(where); i++) {
        const char *name = json_string_value(json_array_get(where, i));
        if (name) {
            names[finding.where_count++] = name;
        }
    }
    return finding;
}

static void read_findings(vg_archive *archive, const json_t *list) {
    const size_t count = json_array_size(list);
    vg_finding *findings = VG_ARRAY(&archive->arena, vg_finding, count);
    for (size_t i = 0; i < count; i++) {
        findings[i] = finding_of(archive, json_array_get(list, i));
    }
    archive->info.findings = findings;
    archive->info.finding_count = count;
}

static void read_expects(vg_archive *archive, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *object = json_array_get(list, i);
        const json_int_t failures = json_integer_value(json_object_get(object, "failures"));
        const vg_archive_expect expect = { text_of(object, "expr"), failures > 0 ? (uint64_t)failures : 0 };
        vg_vec_push(&archive->mem, &archive->expects, expect);
    }
}

/* The fields, whose types are checked. */
static bool unpack(vg_archive *archive, const char *path, json_t *object) {
    vg_archive_info *info = &archive->info;
    json_error_t error;
    json_int_t seed = 0, steps = 0, batch = 0, threads = 0, done = -1;
    json_t *overrides = NULL, *expects = NULL, *findings = NULL;
    int float64 = 0, status = VG_OK;
    const int failed = json_unpack_ex(object, &error, 0,
        "{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:b, s:{s:s, s:s, s:s}, s?I, s?o, s?o, s?I, s?F, s?i}",
        "version", &info->version, "model", &info->model, "source", &info->source, "started", &info->started,
        "overrides", &overrides, "seed", &seed, "steps", &steps, "batch", &batch, "float64", &float64,
        "machine", "host", &info->host, "processor", &info->processor, "blas", &info->blas,
        "threads", &threads, "expects", &expects, "findings", &findings,
        "steps_done", &done, "seconds", &info->seconds, "exit", &status);
    if (failed) {
        return vg_archive_fail(archive, "%s: this is not a run's: %s", path, error.text);
    }
    if (seed < 0 || steps < 0 || batch < 0 || threads < 0 || threads > UINT32_MAX) {
        return vg_archive_fail(archive, "%s: this is not a run's: a count below 0", path);
    }
    info->seed = (uint64_t)seed;
    info->steps = (uint64_t)steps;
    info->batch = (uint64_t)batch;
    info->threads = (uint32_t)threads;
    info->float64 = float64;
    info->done = done >= 0;
    info->steps_done = info->done ? (uint64_t)done : 0;
    info->status = (vg_status)status;
    read_overrides(archive, overrides);
    read_findings(archive, findings);
    read_expects(archive, expects);
    return true;
}

bool vg_archive_read_info(vg_archive *archive) {
    const char *path = vg_arena_format(&archive->arena, "%s/run.json", archive->info.folder);
    char *text;
    size_t length;
    const int failed = vg_file_read(&archive->mem, path, LARGEST, &text, &length);
    if (failed == ENOENT || failed == ENOTDIR) {
        const char *folder = archive->info.folder;
        const bool sweep = access(vg_arena_format(&archive->arena, "%s/sweep.json", folder), F_OK) == 0;
        return vg_archive_fail(archive, sweep ? "'%s' is a sweep's folder: name one of the runs in it"
                                              : "'%s' is not a run's folder: there is no run.json in it", folder);
    }
    if (failed) {
        return vg_archive_fail(archive, "%s: %s", path, vg_sink_reason(failed));
    }
    json_error_t error;
    json_t *object = json_loadb(text, length, 0, &error);
    vg_mem_free(&archive->mem, text);
    if (!object && json_error_code(&error) == json_error_out_of_memory) {
        vg_mem_fail(&archive->mem);
    }
    if (!object) {
        return vg_archive_fail(archive, "%s: byte %d: %s", path, error.position, error.text);
    }
    vg_json_own(&archive->mem, object);   /* its texts live with the archive */
    archive->json = object;
    const json_t *format = json_object_get(object, "format");
    if (json_is_integer(format) && json_integer_value(format) != FORMAT) {
        return vg_archive_fail(archive, "%s: its format is %lld, which another version of vgraph writes", path,
                               (long long)json_integer_value(format));
    }
    return unpack(archive, path, object);
}
