/* Records as JSON lines, one object a line, written as they happen (COMMANDS.md has the keys). */
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch/png.h"
#include "watch/object.h"
#include "watch/sink.h"

typedef struct json_sink {
    vg_sink  sink;
    vg_file *file;
    vg_arena arena;      /* for one record's texts */
} json_sink;

enum { IMAGES = 8 };

/* A record's texts as UTF-8, made before the first JSON object: an allocation that jumps away leaks none. */
typedef struct texts { const char *tag, *message, *images[IMAGES]; const vg_finding *finding; } texts;

/* Nine significant digits bring every float32 back. */
enum { DIGITS_FLOAT = 9, DIGITS_SECONDS = 6 };

/* The fewest digits that bring `value` back: as a float32 where it is one, else as a double. */
static size_t digits_of(double value) {
    const bool is_float = (double)(float)value == value;
    int digits = is_float ? FLT_DIG : DBL_DIG;
    for (; digits < (is_float ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG); digits++) {
        char buffer[40];
        snprintf(buffer, sizeof buffer, "%.*g", digits, value);
        const double back = strtod(buffer, NULL);
        if (is_float ? (float)back == (float)value : back == value) {
            break;
        }
    }
    return (size_t)digits;
}

/* JSON has no NaN and no infinity. */
static json_t *number(double value) {
    return isnan(value) ? json_string("nan")
         : isinf(value) ? json_string(value > 0 ? "inf" : "-inf") : json_real(value);
}

static const char *utf8(json_sink *self, const char *text) {
    return text ? vg_sink_utf8(&self->arena, text, strlen(text)) : NULL;
}

static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *bucket_list(const vg_histogram *histogram) {
    json_t *list = json_array();
    for (size_t i = 0; i < histogram->bucket_count; i++) {
        const vg_bucket *bucket = &histogram->buckets[i];
        if (json_array_append_new(list, json_pack("[o, o, o]", number(bucket->low), number(bucket->high),
                                                  whole(bucket->count))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *histogram_object(const vg_record *record, texts text) {
    const vg_histogram *h = record->histogram;
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "kind", "histogram", "step", whole(record->step), "tag", text.tag,
                     "count", whole(h->count), "zeros", whole(h->zeros), "nan", whole(h->nans), "inf", whole(h->infs),
                     "min", number(h->min), "max", number(h->max), "mean", number(h->mean), "std", number(h->std),
                     "rms", number(h->rms), "buckets", bucket_list(h));
}

static json_t *image_object(const vg_record *record, texts text) {
    const vg_image *image = record->image;
    json_t *list = json_array();
    for (uint32_t i = 0; i < image->count; i++) {
        if (json_array_append_new(list, json_string(text.images[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "kind", "image", "step", whole(record->step), "tag", text.tag, "height", whole(image->height),
                     "width", whole(image->width), "channels", whole(image->channels), "min", number(image->min),
                     "max", number(image->max), "png", list);
}

static json_t *expect_object(const vg_record *record, texts text) {
    json_t *object = json_pack("{s:s, s:o, s:s, s:b}", "kind", "expect", "step", whole(record->step),
                               "expr", text.tag, "ok", record->ok);
    int failed = 0;
    if (record->message) {
        failed |= json_object_set_new(object, "message", json_string(text.message));
    }
    if (record->last) {
        failed |= json_object_set_new(object, "failures", whole(record->failures));
    }
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* NULL without memory. START and STEP are for progress displays and make no line: *silent. */
static json_t *object_of(const vg_record *record, texts text, size_t *digits, bool *silent) {
    switch (record->kind) {
    case VG_RECORD_START:
    case VG_RECORD_UNITS:      /* for displays; the findings say what matters */
    case VG_RECORD_RATIO:
    case VG_RECORD_CHECKPOINT:
    case VG_RECORD_STEP:
        *silent = true;
        return NULL;
    case VG_RECORD_SCALAR:
        *digits = isfinite(record->value) ? digits_of(record->value) : DIGITS_FLOAT;
        return json_pack("{s:s, s:o, s:s, s:s*, s:o}", "kind", "scalar", "step", whole(record->step), "tag", text.tag,
                         "split", record->test ? "test" : NULL, "value", number(record->value));
    case VG_RECORD_HISTOGRAM:
        return histogram_object(record, text);
    case VG_RECORD_IMAGE:
        return image_object(record, text);
    case VG_RECORD_EXPECT:
        return expect_object(record, text);
    case VG_RECORD_FINDING:
        return vg_finding_object(text.finding);
    case VG_RECORD_DONE:
        *digits = DIGITS_SECONDS;
        return json_pack("{s:s, s:o, s:o, s:i}", "kind", "done", "steps", whole(record->step),
                         "seconds", number(record->seconds), "exit", (int)record->status);
    }
    return NULL;
}

static bool add_images(json_sink *self, const vg_image *image, texts *text) {
    for (uint32_t i = 0; image && i < image->count; i++) {
        vg_png png;
        if (!vg_png_make(image, i, &self->arena, &png)) {
            return vg_sink_fail(&self->sink, vg_png_failed);
        }
        text->images[i] = vg_png_base64(&png, &self->arena);
    }
    return true;
}

static bool watch(vg_sink *sink, const vg_record *record) {
    json_sink *self = (json_sink *)sink;
    size_t digits = DIGITS_FLOAT;
    bool silent = false;
    texts text = { .tag = utf8(self, record->tag), .message = utf8(self, record->message) };
    vg_finding finding;
    if (record->finding) {
        finding = vg_finding_copy(&self->arena, record->finding);
        text.finding = &finding;
    }
    if (!add_images(self, record->image, &text)) {
        return false;
    }
    json_t *object = object_of(record, text, &digits, &silent);
    if (silent) {
        return true;
    }
    char *line = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(digits)) : NULL;
    json_decref(object);
    if (!line) {
        vg_mem_fail(&sink->mem);
    }
    const size_t length = strlen(line);
    line[length] = '\n';   /* in the place of the NUL: a line is one write */
    const int failed = vg_file_write(self->file, line, length + 1);
    free(line);
    vg_arena_release(&self->arena);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

static bool open_file(vg_sink *sink, const void *options) {
    json_sink *self = (json_sink *)sink;
    const char *path = options;
    vg_arena_init(&self->arena, &sink->mem);
    if (strcmp(path, "-") == 0) {
        self->file = vg_file_borrow(&sink->mem, &sink->disk, STDOUT_FILENO);
        return true;
    }
    const int failed = vg_file_create(&sink->mem, &sink->disk, path, false, &self->file);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

static bool close_file(vg_sink *sink) {
    const int failed = vg_file_close(((json_sink *)sink)->file);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

static const vg_sink_kind kind = { sizeof(json_sink), open_file, watch, close_file };

vg_sink *vg_sink_json(const char *path, const char **error) {
    return vg_sink_new(&kind, path, error);
}
