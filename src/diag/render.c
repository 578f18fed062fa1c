/* Diagnostics as a person reads them (render.h). */
#include "diag/render.h"

#include <stdlib.h>
#include <string.h>

#include "diag/escape.h"

enum { TAB = 4, LONGEST_LINE = 160, BEFORE_CARET = 60, CALL_LIMIT = 12, LONGEST_NAME = 400 };

typedef struct view { const vg_diags *diags; vg_text *out; bool colour; } view;

static const char BOLD[] = "\033[1m", RED[] = "\033[1;31m", GREEN[] = "\033[1;32m", CYAN[] = "\033[1;36m",
                  PLAIN[] = "\033[0m";

static void add(const view *v, const char *text) { vg_text_add(v->out, text, strlen(text)); }
static void paint(const view *v, const char *colour) {
    if (v->colour) {
        add(v, colour);
    }
}

static void add_name(const view *v, const char *name) { vg_escape(v->out, name, strlen(name), LONGEST_NAME); }

/* file:line:column, or nothing for no place. */
static void add_place(const view *v, vg_span span) {
    vg_position position = vg_sources_position(&v->diags->sources, span.begin);
    if (position.source) {
        add_name(v, position.source->name);
        vg_text_format(v->out, ":%u:%u", position.line, position.column);
    }
}

/* ---- the source line and its caret */

/* A line's columns on the terminal: where the span begins and ends in it, and its width. */
typedef struct extent { size_t begin, end, width; } extent;

/* A tab is as many blanks as are left to the next stop. */
static vg_glyph cell_at(const char *text, size_t left, size_t column) {
    if (*text == '\t') {
        vg_glyph blanks = { .bytes = 1, .width = (uint32_t)(TAB - column % TAB) };
        memset(blanks.text, ' ', blanks.width);
        return blanks;
    }
    return vg_glyph_at(text, left);
}

static extent measure(const char *line, size_t length, size_t begin, size_t end) {
    extent found = { 0, 0, 0 };
    for (size_t at = 0; at < length;) {
        vg_glyph cell = cell_at(line + at, length - at, found.width);
        if (at <= begin) {
            found.begin = found.width;
        }
        at += cell.bytes;
        found.width += cell.width;
        if (at <= end) {
            found.end = found.width;
        }
    }
    if (begin >= length) {
        found.begin = found.width;
    }
    return found;
}

/* The columns from `first` up to `last` of the line. */
static void add_columns(const view *v, const char *line, size_t length, size_t first, size_t last) {
    for (size_t at = 0, column = 0; at < length && column < last;) {
        vg_glyph cell = cell_at(line + at, length - at, column);
        if (column >= first && column + cell.width <= last) {
            add(v, cell.text);
        }
        at += cell.bytes;
        column += cell.width;
    }
}

static void add_caret(const view *v, size_t indent, size_t width) {
    vg_text_format(v->out, "%*s", (int)indent, "");
    paint(v, GREEN);
    add(v, "^");
    for (size_t i = 1; i < width; i++) {
        add(v, "~");
    }
    paint(v, PLAIN);
    add(v, "\n");
}

/* The line a span begins in, with its number, and a caret under the part of the span that lies in it. */
static void add_source_line(const view *v, vg_span span) {
    vg_position position = vg_sources_position(&v->diags->sources, span.begin);
    const vg_source *source = position.source;
    if (!source) {
        return;
    }
    size_t begin = span.begin - source->base, start = begin;
    while (start && source->text[start - 1] != '\n') {
        start--;
    }
    const char *line = source->text + start;
    const char *newline = memchr(line, '\n', source->length - start);
    size_t length = newline ? (size_t)(newline - line) : source->length - start;
    length -= length && line[length - 1] == '\r';
    size_t stop = span.end - source->base - start;
    extent at = measure(line, length, begin - start, stop < length ? stop : length);
    size_t first = 0, last = at.width;
    if (at.width > LONGEST_LINE) {
        first = at.begin > LONGEST_LINE - BEFORE_CARET ? at.begin - BEFORE_CARET : 0;
        last = first + LONGEST_LINE < at.width ? first + LONGEST_LINE : at.width;
    }
    const char *before = first ? "..." : "";
    vg_text_format(v->out, "%4u |%s%s", position.line, at.width ? " " : "", before);
    add_columns(v, line, length, first, last);
    add(v, last < at.width ? "...\n" : "\n");
    add(v, "     | ");
    size_t end = at.end < last ? at.end : last;
    add_caret(v, at.begin - first + strlen(before), end > at.begin ? end - at.begin : 1);
}

/* ---- notes and calls */

static void add_note(const view *v, const vg_note *note) {
    add(v, "  ");
    if (note->span.begin) {
        paint(v, BOLD);
        add_place(v, note->span);
        add(v, ": ");
        paint(v, PLAIN);
        paint(v, CYAN);
        add(v, "note: ");
        paint(v, PLAIN);
    }
    add(v, note->text);
    add(v, "\n");
    add_source_line(v, note->span);
}

/* ", i = 2, j = 3" for the loops from `call` outwards up to the next call, outermost first; returns that call. */
static vg_call add_loops(const view *v, vg_call call) {
    const vg_call_row *rows = v->diags->calls.items;
    vg_call outside = call;
    uint32_t depth = 0;
    for (; outside && rows[outside].kind == VG_CALL_LOOP; outside = rows[outside].parent) {
        depth++;
    }
    for (; depth; depth--) {
        vg_call loop = call;
        for (uint32_t k = 1; k < depth; k++) {
            loop = rows[loop].parent;
        }
        add(v, ", ");
        add_name(v, vg_strings_text(v->diags->strings, rows[loop].name));
        vg_text_format(v->out, " = %lld", (long long)rows[loop].index);
    }
    return outside;
}

/* From inside out: the loops the place itself stands in, then each call with the loops around it. */
static void add_calls(const view *v, vg_call call) {
    const vg_call_row *rows = v->diags->calls.items;
    if (call && rows[call].kind == VG_CALL_LOOP) {
        add(v, "  in the loop");
        call = add_loops(v, call);
        add(v, "\n");
    }
    for (uint32_t shown = 0; call; shown++) {
        const vg_call_row *row = &rows[call];
        if (shown == CALL_LIMIT) {
            add(v, "  in further calls\n");
            return;
        }
        add(v, "  in ");
        add_name(v, vg_strings_text(v->diags->strings, row->name));
        add(v, "(...) called at ");
        add_place(v, row->span);
        call = add_loops(v, row->parent);
        add(v, "\n");
    }
}

/* ---- diagnostics */

static void add_heading(const view *v, const vg_diag *diag, vg_span place) {
    paint(v, BOLD);
    if (place.begin) {
        add_place(v, place);
    } else {
        add(v, "vgraph");
    }
    add(v, ": ");
    paint(v, PLAIN);
    paint(v, RED);
    add(v, "error: ");
    paint(v, PLAIN);
    add(v, diag->text);
    add(v, " [");
    for (const char *p = vg_code_rows[diag->code].name; *p; p++) {
        vg_text_add(v->out, *p == '_' ? "-" : p, 1);
    }
    add(v, "]\n");
}

void vg_render_one(const vg_diags *diags, uint32_t index, bool colour, vg_text *out) {
    const view v = { diags, out, colour };
    const vg_diag *diag = &diags->list.items[index];
    vg_span place = vg_diags_place(diags, diag->span, diag->call);
    add_heading(&v, diag, place);
    add_source_line(&v, place);
    for (uint32_t i = 0; i < diag->note_count; i++) {
        add_note(&v, &diags->notes.items[diag->first_note + i]);
    }
    if (place.begin != diag->span.begin) {
        add(&v, "  in the library: ");
        add_place(&v, diag->span);
        add(&v, "\n");
        add_source_line(&v, diag->span);
    }
    add_calls(&v, diag->call);
}

typedef struct ranked { uint32_t place, index; } ranked;

static int compare(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    uint32_t x = a->place == b->place ? a->index : a->place, y = a->place == b->place ? b->index : b->place;
    return (x > y) - (x < y);
}

void vg_render(const vg_diags *diags, uint32_t from, bool colour, vg_text *out) {
    uint32_t count = diags->list.count - from;
    ranked *order = vg_mem_alloc(diags->mem, count * sizeof *order);
    for (uint32_t i = 0; i < count; i++) {
        const vg_diag *diag = &diags->list.items[from + i];
        vg_span place = vg_diags_place(diags, diag->span, diag->call);
        order[i] = (ranked){ place.begin ? place.begin : UINT32_MAX, from + i };   /* those without a place last */
    }
    qsort(order, count, sizeof *order, compare);
    for (uint32_t i = 0; i < count && i < VG_RENDER_LIMIT; i++) {
        vg_render_one(diags, order[i].index, colour, out);
    }
    if (count > VG_RENDER_LIMIT) {
        uint32_t more = count - VG_RENDER_LIMIT;
        vg_text_format(out, "and %u more error%s\n", more, more == 1 ? "" : "s");
    }
    vg_mem_free(diags->mem, order);
}
