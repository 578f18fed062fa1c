/* Collecting diagnostics (diag.h). */
#include "diag/diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "diag/escape.h"

enum { LONGEST_ARGUMENT = 400, LONGEST_NOTE = 2000 };   /* columns; a name may be a megabyte */

void vg_diags_init(vg_diags *diags, vg_mem *mem, vg_strings *strings) {
    *diags = (vg_diags){ .mem = mem, .strings = strings };
    vg_arena_init(&diags->arena, mem);
    vg_sources_init(&diags->sources, &diags->arena);
    vg_vec_push(mem, &diags->calls, ((vg_call_row){ 0 }));
    vg_vec_push(mem, &diags->arguments, ((vg_argument_row){ 0 }));
}

vg_call vg_diags_call(vg_diags *diags, vg_call parent, vg_call_kind kind, vg_span span, vg_str name, int64_t index) {
    vg_call_row row = { parent, kind, span, name, index, 0 };
    vg_vec_push(diags->mem, &diags->calls, row);
    return diags->calls.count - 1;
}

static bool in_library(const vg_diags *diags, vg_span span) {
    const vg_source *source = vg_sources_at(&diags->sources, span.begin);
    return source && source->kind == VG_SOURCE_LIBRARY;
}

/* The user's call that led to a place in the library; 0: the place is not there, or no call led there. */
static vg_call library_call(const vg_diags *diags, vg_span span, vg_call call) {
    if (!in_library(diags, span)) {
        return 0;
    }
    for (vg_call at = call; at; at = diags->calls.items[at].parent) {
        const vg_call_row *row = &diags->calls.items[at];
        if (row->kind != VG_CALL_LOOP && row->span.begin && !in_library(diags, row->span)) {
            return at;
        }
    }
    return 0;
}

void vg_diags_argument(vg_diags *diags, vg_call call, vg_str name, vg_span parameter, vg_span argument) {
    if (!in_library(diags, parameter) || call == 0) {
        return;
    }
    vg_call_row *row = &diags->calls.items[call];
    vg_argument_row argument_row = { name, argument, row->arguments };
    row->arguments = diags->arguments.count;
    vg_vec_push(diags->mem, &diags->arguments, argument_row);
}

/* The call's argument for the parameter with this name. */
static const vg_argument_row *argument_named(const vg_diags *diags, vg_call call, const char *name, size_t length) {
    for (uint32_t k = diags->calls.items[call].arguments; k; k = diags->arguments.items[k].next) {
        const char *parameter = vg_strings_text(diags->strings, diags->arguments.items[k].parameter);
        if (strlen(parameter) == length && memcmp(parameter, name, length) == 0) {
            return &diags->arguments.items[k];
        }
    }
    return NULL;
}

/* The argument of `call` that an expression is about: the only one it names, calling and indexing nothing. */
static const vg_argument_row *argument_of(const vg_diags *diags, vg_span span, vg_call call) {
    const vg_source *source = vg_sources_at(&diags->sources, span.begin);
    const char *text = source->text + (span.begin - source->base);
    const size_t length = span.end - span.begin;
    const vg_argument_row *found = NULL;
    for (size_t k = 0, end; k < length; k = end) {
        for (end = k; end < length && (isalnum((unsigned char)text[end]) || text[end] == '_'); end++) { }
        if (strchr("([.", text[k])) {
            return NULL;
        }
        const vg_argument_row *argument = argument_named(diags, call, text + k, end - k);
        if (argument && found && argument != found) {
            return NULL;
        }
        found = argument ? argument : found;
        end += end == k;
    }
    return found;
}

vg_span vg_diags_place(const vg_diags *diags, vg_span span, vg_call call) {
    const vg_call users = library_call(diags, span, call);
    if (!users) {
        return span;
    }
    for (vg_call at = call;; at = diags->calls.items[at].parent) {
        if (diags->calls.items[at].kind == VG_CALL_LOOP) {
            continue;      /* the function around it has the parameters */
        }
        const vg_argument_row *argument = argument_of(diags, span, at);
        if (!argument) {
            return diags->calls.items[users].span;
        }
        span = argument->span;
        if (at == users) {
            return span;
        }
    }
}

/* The row's text with {k} replaced by argument k. */
static const char *fill_in(vg_diags *diags, const vg_code_row *row, const char *const *arguments) {
    vg_text text = vg_text_new(diags->mem);
    for (const char *p = row->text; *p; p++) {
        uint32_t k = (uint32_t)(p[1] - '0');   /* p[1] is the NUL at the worst */
        if (p[0] == '{' && p[1] >= '0' && k < row->arguments && p[2] == '}') {
            vg_escape(&text, arguments[k], strlen(arguments[k]), LONGEST_ARGUMENT);
            p += 2;
        } else {
            vg_text_add(&text, p, 1);
        }
    }
    const char *copy = vg_arena_copy(&diags->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copy;
}

/* The same mistake is the same message at the same place: turns of a loop and calls of the user's own layers do
 * not count. Inside the library, or without a place, the text tells. */
static uint64_t identity(const vg_diags *diags, vg_code code, vg_span span, vg_call call, const char *text) {
    vg_span place = vg_diags_place(diags, span, call);
    uint64_t where = (uint64_t)code << 32 | place.begin;
    if (span.begin && place.begin == span.begin) return where;
    return vg_hash_bytes(text, strlen(text), where) | UINT64_C(1) << 63;   /* apart from the others */
}

/* Of a model's mistakes within one call of the library only the first is the user's: what a layer was given is wrong,
 * and its further lines break on it. The key of that call; 0: none. */
static uint64_t call_key(const vg_diags *diags, vg_code code, vg_span span, vg_call call) {
    vg_call users = vg_code_rows[code].class == VG_CLASS_MODEL ? library_call(diags, span, call) : 0;
    return users ? users | UINT64_C(1) << 62 : 0;
}

void vg_diags_add(vg_diags *diags, vg_code code, vg_span span, vg_call call, const char *const *arguments) {
    const char *text = fill_in(diags, &vg_code_rows[code], arguments);
    uint64_t key = identity(diags, code, span, call, text), users = call_key(diags, code, span, call);
    diags->muted = vg_map_get(&diags->seen, key) != 0 || (users && vg_map_get(&diags->seen, users) != 0);
    if (diags->muted) {
        return;
    }
    vg_diag diag = { code, span, call, text, diags->notes.count, 0 };
    vg_vec_push(diags->mem, &diags->list, diag);
    vg_map_put(diags->mem, &diags->seen, key, diags->list.count);
    if (users) {
        vg_map_put(diags->mem, &diags->seen, users, diags->list.count);
    }
}

void vg_diags_note(vg_diags *diags, vg_span span, const char *format, ...) {
    if (diags->muted || !diags->list.count) {
        return;
    }
    vg_text raw = vg_text_new(diags->mem), shown = vg_text_new(diags->mem);
    va_list list;
    va_start(list, format);
    vg_text_format_list(&raw, format, list);
    va_end(list);
    vg_escape(&shown, vg_text_c(&raw), raw.length, LONGEST_NOTE);
    vg_note note = { span, vg_arena_copy(&diags->arena, vg_text_c(&shown), shown.length) };
    vg_text_free(&raw);
    vg_text_free(&shown);
    vg_vec_push(diags->mem, &diags->notes, note);
    vg_vec_last(&diags->list).note_count++;
}

/* How strong a class's claim to the exit status is. */
static int claim(vg_class class) {
    switch (class) {
    case VG_CLASS_EXPECT:   return 1;
    case VG_CLASS_NUMBERS:  return 2;
    case VG_CLASS_RESOURCE: return 3;
    case VG_CLASS_USAGE:    return 4;
    case VG_CLASS_MODEL:    return 5;
    }
    return 0;
}

int vg_diags_status(const vg_diags *diags) {
    int status = 0, strongest = 0;
    for (uint32_t i = 0; i < diags->list.count; i++) {
        vg_class class = vg_code_rows[diags->list.items[i].code].class;
        if (claim(class) > strongest) {
            strongest = claim(class);
            status = (int)class;
        }
    }
    return status;
}
