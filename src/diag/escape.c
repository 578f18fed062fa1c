/* Characters as they can be shown (escape.h). */
#include "diag/escape.h"

#include <stdio.h>
#include <string.h>

typedef struct range { uint32_t first, last; } range;

/* What a terminal would obey and not show: the C1 controls, line separators, marks of direction. */
static const range unseen[] = {
    { 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c }, { 0x200b, 0x200f },
    { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
};
/* Of Unicode's combining marks and wide characters the blocks met in practice. */
static const range combining[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f }, { 0x1ab0, 0x1aff },
    { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};
static const range wide[] = {
    { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
    { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff },
    { 0x20000, 0x3fffd },
};

static bool lies_in(const range *ranges, size_t count, uint32_t code) {
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}
#define LIES_IN(ranges, code) lies_in((ranges), sizeof(ranges) / sizeof *(ranges), (code))

vg_glyph vg_glyph_at(const char *text, size_t left) {
    vg_glyph glyph = { .bytes = 1 };
    uint32_t code = 0, length = vg_utf8_decode(text, left, &code);
    if (!length) {
        snprintf(glyph.text, sizeof glyph.text, "\\x%02x", (unsigned)(unsigned char)text[0]);
    } else if (LIES_IN(unseen, code)) {
        const char *letter = code == '\n' ? "\\n" : code == '\t' ? "\\t" : code == '\r' ? "\\r" : NULL;
        if (letter) {
            snprintf(glyph.text, sizeof glyph.text, "%s", letter);
        } else {
            snprintf(glyph.text, sizeof glyph.text, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
        }
        glyph.bytes = length;
    } else {
        memcpy(glyph.text, text, length);
        glyph.bytes = length;
        glyph.width = LIES_IN(combining, code) ? 0 : LIES_IN(wide, code) ? 2 : 1;
        return glyph;
    }
    glyph.width = (uint32_t)strlen(glyph.text);
    return glyph;
}

void vg_escape(vg_text *out, const char *bytes, size_t length, size_t limit) {
    for (size_t at = 0, column = 0; at < length;) {
        vg_glyph glyph = vg_glyph_at(bytes + at, length - at);
        if (column + glyph.width > limit) {
            vg_text_add(out, "...", 3);
            return;
        }
        vg_text_add(out, glyph.text, strlen(glyph.text));
        column += glyph.width;
        at += glyph.bytes;
    }
}
#undef LIES_IN
