/* Text in columns, and the table of scalars (terminal.h). */
#include <stdio.h>
#include <string.h>

#include "watch/terminal.h"

void vg_show_title(vg_text *out, const char *text, vg_style style) {
    vg_text_format(out, style.colour ? "\x1b[1m%s\x1b[0m" : "%s", text);
}

static bool starts_character(char byte) { return ((unsigned char)byte & 0xC0) != 0x80; }

uint32_t vg_show_width(const char *text) {
    uint32_t width = 0;
    for (; *text; text++) {
        width += starts_character(*text);
    }
    return width;
}

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

void vg_show_scalars(vg_text *out, const vg_family *family, vg_style style) {
    enum { NUMBER = 13, ROOM = 2 + 3 * NUMBER };
    const uint32_t title = vg_show_width(family->title);
    uint32_t label = title > 8 ? title - 2 : 8;   /* rows are indented by two */
    const vg_sample *first = NULL, *last = NULL;
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_row *row = family->rows.items[i];
        const uint32_t width = vg_show_width(row->tag + family->prefix);
        label = width > label ? width : label;
        first = !first || row->first.step < first->step ? &row->first : first;
        last = !last || row->last.step > last->step ? &row->last : last;
    }
    if (!first) {
        return;
    }
    const uint32_t most = style.columns > ROOM + 16 ? style.columns - ROOM : 16;
    label = label < most ? label : most;
    const uint32_t gap = label + 2 + NUMBER > title ? label + 2 + NUMBER - title : NUMBER;
    char head[2][32];
    snprintf(head[0], sizeof head[0], "step %llu", (unsigned long long)first->step);
    snprintf(head[1], sizeof head[1], "step %llu", (unsigned long long)last->step);
    vg_show_title(out, family->title, style);
    vg_text_format(out, "%*s", (int)gap, head[0]);
    if (last->step > first->step) {
        vg_text_format(out, "%*s", NUMBER, head[1]);
    }
    vg_text_add(out, "\n", 1);
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_row *row = family->rows.items[i];
        vg_text_add(out, "  ", 2);
        vg_show_label(out, row->tag + family->prefix, label, style);
        vg_text_format(out, "%*.4g", NUMBER, row->first.value);
        if (last->step > first->step) {
            vg_text_format(out, "%*.4g", NUMBER, row->last.value);
        }
        vg_text_add(out, "\n", 1);
    }
    vg_show_thinned(out, family, style);
}
