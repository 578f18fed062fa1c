/* Collects the records of a run's folder by tag (series.h). */
#include "series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- digests (FNV-1a, 64 bits) */

static uint64_t mix_bytes(uint64_t hash, const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    }
    return hash;
}

static uint64_t mix_whole(uint64_t hash, uint64_t number) { return mix_bytes(hash, &number, sizeof number); }

/* One NaN is as good as another; a zero's sign counts. */
static uint64_t mix_number(uint64_t hash, double number) {
    const double canonical = isnan(number) ? (double)NAN : number;
    return mix_bytes(hash, &canonical, sizeof canonical);
}

static uint64_t mix_histogram(uint64_t hash, const vg_histogram *h) {
    const uint64_t counts[] = { h->count, h->zeros, h->nans, h->infs };
    const double moments[] = { h->min, h->max, h->mean, h->std, h->rms };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        hash = mix_whole(hash, counts[i]);
    }
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        hash = mix_number(hash, moments[i]);
    }
    for (size_t i = 0; i < h->bucket_count; i++) {
        const vg_bucket *b = &h->buckets[i];
        hash = mix_whole(mix_number(mix_number(hash, b->low), b->high), b->count);
    }
    return hash;
}

static uint64_t mix_image(uint64_t hash, const vg_image *image) {
    const uint64_t sizes[] = { image->count, image->height, image->width, image->channels };
    size_t bytes = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        hash = mix_whole(hash, sizes[i]);
        bytes *= sizes[i];
    }
    return mix_bytes(mix_number(mix_number(hash, image->min), image->max), image->pixels, bytes);
}

static uint64_t digest_of(const vg_record *record) {
    uint64_t hash = 0xcbf29ce484222325u;
    if (record->kind == VG_RECORD_HISTOGRAM) {
        return mix_histogram(hash, record->histogram);
    }
    return record->kind == VG_RECORD_IMAGE ? mix_image(hash, record->image) : mix_number(hash, record->value);
}

/* ---- series */

static bool is_series(const vg_cli_series *series, const char *tag, vg_record_kind kind, bool test) {
    return series->kind == kind && series->test == test && strcmp(series->tag, tag) == 0;
}

/* Tags come in the same order at each step: the next one is looked for where the last one was found. */
static vg_cli_series *series_of(vg_cli_log *log, const vg_record *record) {
    for (size_t i = 0; i < log->count; i++) {
        const size_t place = (log->next + i) % log->count;
        if (is_series(&log->series[place], record->tag, record->kind, record->test)) {
            log->next = place + 1;
            return &log->series[place];
        }
    }
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 16;
        log->series = vg_cli_resize(log->series, log->capacity, sizeof *log->series);
    }
    log->next = log->count + 1;
    log->series[log->count] = (vg_cli_series){ .tag = vg_cli_format("%s", record->tag), .kind = record->kind,
                                               .test = record->test };
    return &log->series[log->count++];
}

static bool collect(void *user, const vg_record *record) {
    vg_cli_log *log = user;
    double value = record->value;
    if (record->kind == VG_RECORD_HISTOGRAM) {
        value = record->histogram->rms;
    } else if (record->kind != VG_RECORD_SCALAR && record->kind != VG_RECORD_IMAGE) {
        return true;
    }
    vg_cli_series *series = series_of(log, record);
    if (series->count == series->capacity) {
        series->capacity = series->capacity ? 2 * series->capacity : 16;
        series->points = vg_cli_resize(series->points, series->capacity, sizeof *series->points);
    }
    series->points[series->count++] = (vg_cli_point){ record->step, value, digest_of(record) };
    return true;
}

bool vg_cli_log_read(vg_cli_log *log, const char *folder) {
    *log = (vg_cli_log){ .archive = vg_archive_open(folder) };
    if (log->archive && vg_archive_replay(log->archive, collect, log)) {
        log->info = vg_archive_info_of(log->archive);
        return true;
    }
    const char *error = log->archive ? vg_archive_error(log->archive) : NULL;
    vg_cli_complain("%s", error ? error : "there is not enough memory");
    return false;
}

void vg_cli_log_free(vg_cli_log *log) {
    for (size_t i = 0; i < log->count; i++) {
        free(log->series[i].tag);
        free(log->series[i].points);
    }
    free(log->series);
    vg_archive_close(log->archive);
}

const vg_cli_series *vg_cli_log_find(const vg_cli_log *log, const vg_cli_series *like, size_t near) {
    for (size_t i = 0; i < log->count; i++) {
        const vg_cli_series *series = &log->series[(near + i) % log->count];
        if (is_series(series, like->tag, like->kind, like->test)) {
            return series;
        }
    }
    return NULL;
}

size_t vg_cli_series_best(const vg_cli_series *series, int direction) {
    size_t best = series->count;
    for (size_t i = 0; i < series->count; i++) {
        const double value = series->points[i].value;
        if (!isnan(value) && (best == series->count || direction * (value - series->points[best].value) > 0)) {
            best = i;
        }
    }
    return best;
}
