/* What all sinks share: making, watching and closing one, with the place where a failed allocation lands. */
#include "watch/sink.h"

#include <string.h>

static const char out_of_memory[] = "there is not enough memory";

/* A function of its own, so that no local of the caller lives across the jump. */
bool vg_sink_guard(vg_sink *sink, bool (*body)(vg_sink *sink, const void *argument), const void *argument) {
    jmp_buf here;
    if (setjmp(here) != 0) {
        sink->mem.escape = NULL;
        return vg_sink_fail(sink, out_of_memory);
    }
    sink->mem.escape = &here;
    const bool fine = body(sink, argument);
    sink->mem.escape = NULL;
    return fine;
}

/* The sink lives in its own memory, which therefore starts outside of it. NULL without memory. */
static vg_sink *allocate(const vg_sink_kind *kind, vg_mem *mem) {
    jmp_buf here;
    if (setjmp(here) != 0) {
        return NULL;
    }
    mem->escape = &here;
    vg_sink *sink = vg_mem_alloc(mem, kind->size);
    mem->escape = NULL;
    sink->kind = kind;
    sink->mem = *mem;
    return sink;
}

static void release(vg_sink *sink) {
    vg_mem mem = sink->mem;   /* the sink is one of its own blocks */
    vg_mem_release(&mem);
}

static bool open_body(vg_sink *sink, const void *options) { return sink->kind->open(sink, options); }
static bool watch_body(vg_sink *sink, const void *record) { return sink->kind->watch(sink, record); }
static bool close_body(vg_sink *sink, const void *nothing) {
    (void)nothing;
    return sink->kind->close(sink);
}

vg_sink *vg_sink_new(const vg_sink_kind *kind, const void *options, const char **error) {
    vg_mem mem;
    vg_mem_init(&mem);
    vg_sink *sink = allocate(kind, &mem);
    if (!sink) {
        *error = out_of_memory;
        return NULL;
    }
    if (!vg_sink_guard(sink, open_body, options)) {
        *error = sink->error;
        release(sink);
        return NULL;
    }
    return sink;
}

bool vg_sink_watch(void *user, const vg_record *record) {
    vg_sink *sink = user;
    return !sink->error && vg_sink_guard(sink, watch_body, record);
}

bool vg_sink_close(vg_sink *sink, const char **error) {
    if (!sink) {
        return true;
    }
    const bool fine = vg_sink_guard(sink, close_body, NULL) && !sink->error;
    if (!fine) {
        *error = sink->error;
    }
    release(sink);
    return fine;
}

const char *vg_sink_note(const vg_sink *sink) { return sink->note; }

bool vg_sink_fail(vg_sink *sink, const char *reason) {
    if (!sink->error) {
        sink->error = reason;
    }
    return false;
}

const char *vg_sink_reason(int error) {
    const char *text = strerrordesc_np(error);
    return text ? text : "unknown error";
}

bool vg_sink_replace(vg_sink *sink, const char *path, const vg_piece *pieces, size_t count) {
    const int failed = vg_file_replace(&sink->mem, &sink->disk, path, pieces, count, false);
    return failed ? vg_sink_fail(sink, vg_sink_reason(failed)) : true;
}

/* The length of the well-formed UTF-8 sequence at `text` (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t sequence_length(const unsigned char *text, size_t left) {
    const unsigned char first = text[0];
    if (first < 0x80) {
        return 1;
    }
    const size_t length = first >= 0xC2 && first <= 0xDF ? 2 : first >= 0xE0 && first <= 0xEF ? 3
                        : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
    if (length == 0 || length > left) {
        return 0;
    }
    const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

const char *vg_sink_utf8(vg_arena *arena, const char *text, size_t length) {
    static const char replacement[] = "\xEF\xBF\xBD";   /* U+FFFD */
    char *copy = vg_arena_alloc(arena, 3 * length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        const size_t step = sequence_length((const unsigned char *)text + i, length - i);
        memcpy(copy + used, step ? text + i : replacement, step ? step : 3);
        used += step ? step : 3;
        i += step ? step : 1;
    }
    return copy;
}
