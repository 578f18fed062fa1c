/* What is wrong, at the end of a run: the cause with why and what to try, and what goes with it in a line each. */
#include <stdio.h>
#include <string.h>

#include "watch/terminal.h"

enum { INDENT = 2, DEEPER = 8 };

/* Bytes of the first `width` characters, or of all. */
static size_t bytes_of(const char *text, size_t length, uint32_t width) {
    size_t bytes = 0;
    for (; bytes < length; bytes++)
        if (((unsigned char)text[bytes] & 0xC0) != 0x80 && width-- == 0) break;
    return bytes;
}

/* `text` in lines of the terminal's width, all but the first indented; the first begins at column `at`. A word that is
 * longer than a line is cut. */
static void add_wrapped(vg_text *out, const char *text, uint32_t at, uint32_t indent, vg_style style) {
    indent = indent + 12 < style.columns ? indent : INDENT;
    const uint32_t most = style.columns > indent + 4 ? style.columns - 1 : indent + 4;
    uint32_t column = at;
    bool first = true;      /* of the line */
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, " ");
        const uint32_t width = vg_show_width_of(p, length), room = column + !first < most ? most - column - !first : 0;
        if (width > room && (!first || width > most - indent || column > indent)) {
            const bool cut = first && width > most - indent && room > 4;
            if (cut) {
                length = bytes_of(p, length, room);
                vg_text_add(out, p, length);
                p += length;
            }
            vg_text_format(out, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
            if (cut || width <= most - indent) continue;
        }
        if (width > most - indent) {
            length = bytes_of(p, length, most - column);
        }
        if (!first) vg_text_add(out, " ", 1);
        vg_text_add(out, p, length);
        column += vg_show_width_of(p, length) + !first;
        first = false;
        for (p += length; *p == ' '; p++) continue;
    }
    vg_text_add(out, "\n", 1);
}

static void add_row(vg_text *out, const char *label, const char *text, vg_style style) {
    vg_text_format(out, "%*s%-4s", INDENT + 2, "", label);
    add_wrapped(out, text, DEEPER, DEEPER, style);
}

static void add_rule(vg_text *out, const vg_finding *finding, uint32_t indent, vg_style style) {
    const bool fault = finding->severity == VG_SEVERITY_FAULT;
    vg_text_format(out, "%*s", (int)indent, "");
    vg_text_format(out, style.colour ? (fault ? "\x1b[1;31m%s\x1b[0m" : "\x1b[1m%s\x1b[0m") : "%s", finding->rule);
    vg_text line = vg_text_new(out->mem);
    vg_text_format(&line, "  %s", finding->say);
    if (finding->line) vg_text_format(&line, " (%s:%u)", finding->file, finding->line);
    vg_text_add(out, "  ", 2);
    add_wrapped(out, vg_text_c(&line) + 2, indent + (uint32_t)strlen(finding->rule) + 2, DEEPER, style);
    vg_text_free(&line);
}

static void add_whole(vg_text *out, const vg_finding *finding, vg_style style) {
    add_rule(out, finding, INDENT, style);
    add_row(out, "why", finding->why, style);
    if (*finding->try_this) add_row(out, "try", finding->try_this, style);
    if (finding->option) add_row(out, "or", finding->option, style);
}

void vg_show_findings(vg_text *out, const vg_finding *findings, size_t count, bool notes, vg_style style) {
    bool more = false, begun = false;
    for (size_t k = 0; k < count; k++) {
        const vg_finding *finding = &findings[k];
        if (finding->severity == VG_SEVERITY_NOTE && !notes) continue;
        if (!begun) {
            begun = true;
            vg_text_add(out, "\n", 1);
            vg_show_title(out, finding->severity == VG_SEVERITY_FAULT ? "what is wrong" : "to know", style);
            vg_text_add(out, "\n", 1);
        }
        if (finding->follows) {
            if (!more) vg_text_format(out, "%*swith it:\n", INDENT, "");
            more = true;
            add_rule(out, finding, INDENT + 2, style);
        } else {
            add_whole(out, finding, style);
        }
    }
}
