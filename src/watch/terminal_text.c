/* Text in columns, and the table of scalars (terminal.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "watch/terminal.h"

void vg_show_title(vg_text *out, const char *text, vg_style style) {
    vg_text_format(out, style.colour ? "\x1b[1m%s\x1b[0m" : "%s", text);
}

static bool starts_character(char byte) { return ((unsigned char)byte & 0xC0) != 0x80; }

uint32_t vg_show_width_of(const char *text, size_t length) {
    uint32_t width = 0;
    for (size_t i = 0; i < length; i++) {
        width += starts_character(text[i]);
    }
    return width;
}

uint32_t vg_show_width(const char *text) { return vg_show_width_of(text, strlen(text)); }

void vg_show_label(vg_text *out, const char *text, uint32_t width, vg_style style) {
    const uint32_t length = vg_show_width(text);
    if (length <= width) {
        vg_text_format(out, "%s%*s", text, (int)(width - length), "");
        return;
    }
    const char *mark = style.unicode ? "…" : "~";
    for (uint32_t skip = length - width + 1; skip > 0; skip--) {
        do {
            text++;
        } while (!starts_character(*text));
    }
    vg_text_format(out, "%s%s", mark, text);
}

void vg_show_thinned(vg_text *out, const vg_family *family, vg_style style) {
    if (family->seen == family->rows.count) {
        return;
    }
    vg_text_format(out, "  %s %u of %u rows: every %u%s, and the last\n", style.unicode ? "…" : "...",
                   family->rows.count, family->seen, family->stride, family->stride == 2 ? "nd" : "th");
}

/* With four significant digits; of a NaN the sign means nothing. */
static void add_number(vg_text *out, double value, uint32_t width) {
    if (isnan(value)) {
        vg_text_format(out, "%*s", (int)width, "nan");
    } else {
        vg_text_format(out, "%*.4g", (int)width, value);
    }
}

/* The columns of a table of scalars; a narrow terminal shows the last values alone. */
typedef struct table { uint32_t label; uint64_t first, last; bool both; } table;
enum { NUMBER = 13, LEAST_LABEL = 8 };

static table fit_table(const vg_family *family, vg_style style) {
    table t = { .label = LEAST_LABEL, .first = UINT64_MAX };
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_row *row = family->rows.items[i];
        const uint32_t width = vg_show_width(row->tag + family->prefix);
        t.label = width > t.label ? width : t.label;
        t.first = row->first.step < t.first ? row->first.step : t.first;
        t.last = row->last.step > t.last ? row->last.step : t.last;
    }
    const uint32_t title = vg_show_width(family->title);
    t.label = title > t.label + 2 ? title - 2 : t.label;   /* rows are indented by two */
    t.both = t.last > t.first && style.columns >= 2 + LEAST_LABEL + 2 * NUMBER;
    const uint32_t numbers = t.both ? 2 * NUMBER : NUMBER;
    const uint32_t most = style.columns > 2 + LEAST_LABEL + numbers ? style.columns - 2 - numbers : LEAST_LABEL;
    t.label = t.label < most ? t.label : most;
    return t;
}

/* A title that is too long for its column has a line of its own. */
static void add_head(vg_text *out, const vg_family *family, const table *t, vg_style style) {
    char head[2][32];
    snprintf(head[0], sizeof head[0], "step %llu", (unsigned long long)t->first);
    snprintf(head[1], sizeof head[1], "step %llu", (unsigned long long)t->last);
    const uint32_t title = vg_show_width(family->title), room = 2 + t->label;
    vg_show_title(out, family->title, style);
    if (title > room) {
        vg_text_add(out, "\n", 1);
    }
    vg_text_format(out, "%*s", (int)(NUMBER + room - (title > room ? 0 : title)), head[t->both ? 0 : 1]);
    if (t->both) {
        vg_text_format(out, "%*s", NUMBER, head[1]);
    }
    vg_text_add(out, "\n", 1);
}

void vg_show_scalars(vg_text *out, const vg_family *family, vg_style style) {
    if (family->rows.count == 0) {
        return;
    }
    const table t = fit_table(family, style);
    add_head(out, family, &t, style);
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_row *row = family->rows.items[i];
        vg_text_add(out, "  ", 2);
        vg_show_label(out, row->tag + family->prefix, t.label, style);
        if (t.both) {
            add_number(out, row->first.value, NUMBER);
        }
        add_number(out, row->last.value, NUMBER);
        vg_text_add(out, "\n", 1);
    }
    vg_show_thinned(out, family, style);
}
