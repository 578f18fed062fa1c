/* Growing text, UTF-8, and numbers as text (str.h). */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { FIRST_CAPACITY = 64, NUMBER_SIZE = 32 };

/* Room for `more` bytes and the NUL. */
static void reserve(vg_text *text, size_t more) {
    if (more < text->capacity - text->length) {
        return;
    }
    if (more > SIZE_MAX / 4 - text->length) {
        vg_mem_fail(text->mem);
    }
    size_t needed = text->length + more + 1;
    size_t grown = text->capacity ? 2 * text->capacity : FIRST_CAPACITY;
    text->capacity = grown < needed ? needed : grown;
    text->text = vg_mem_resize(text->mem, text->text, text->capacity);
}

void vg_text_add(vg_text *text, const char *bytes, size_t length) {
    reserve(text, length);
    if (length) {
        memcpy(text->text + text->length, bytes, length);
    }
    text->length += length;
    text->text[text->length] = '\0';
}

void vg_text_whole(vg_text *text, int64_t number) {
    char digits[24], *at = digits + sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + left % 10);
    } while (left /= 10);
    if (number < 0) {
        *--at = '-';
    }
    vg_text_add(text, at, (size_t)(digits + sizeof digits - at));
}

/* Nearly everything fits at the first attempt. */
void vg_text_format_list(vg_text *text, const char *format, va_list list) {
    enum { USUAL = 40 };
    va_list again;
    va_copy(again, list);
    reserve(text, USUAL);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->text + text->length, room, format, list);
    if (length < 0) {
        va_end(again);
        vg_mem_fail(text->mem);
    }
    if ((size_t)length >= room) {
        reserve(text, (size_t)length);
        vsnprintf(text->text + text->length, (size_t)length + 1, format, again);
    }
    va_end(again);
    text->length += (size_t)length;
}

void vg_text_format(vg_text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vg_text_format_list(text, format, list);
    va_end(list);
}

void vg_text_free(vg_text *text) {
    vg_mem_free(text->mem, text->text);
    *text = vg_text_new(text->mem);
}

uint32_t vg_utf8_decode(const char *text, size_t left, uint32_t *code) {
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *p = (const unsigned char *)text;
    uint32_t length = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (length <= 1 || length > left) {
        *code = p[0];
        return length == 1;
    }
    uint32_t value = p[0] & (0x7fu >> length);
    for (uint32_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2) {
            return 0;
        }
        value = value << 6 | (p[i] & 0x3f);
    }
    *code = value;
    return value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ? 0 : length;
}

uint32_t vg_utf8_encode(uint32_t code, char text[5]) {
    static const unsigned char lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    uint32_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    text[length] = '\0';
    for (uint32_t i = length; i-- > 1; code >>= 6) {
        text[i] = (char)(0x80 | (code & 0x3f));
    }
    text[0] = (char)(lead[length] | code);
    return length;
}

const char *vg_number_text(char buffer[32], double number) {
    if (isnan(number)) {
        return strcpy(buffer, "nan");   /* whatever its sign */
    }
    /* Fifteen digits always survive being read, and %g drops their trailing zeros; subnormals have fewer. */
    int digits = fabs(number) < DBL_MIN ? 1 : DBL_DIG;
    int length;   /* 24 at most: -1.7976931348623157e+308 */
    do {
        length = snprintf(buffer, NUMBER_SIZE, "%.*g", digits, number);
    } while ((length >= NUMBER_SIZE || strtod(buffer, NULL) != number) && digits++ < DBL_DECIMAL_DIG);
    char *comma = strchr(buffer, ',');   /* the host's locale is not ours */
    if (comma) {
        *comma = '.';
    }
    return buffer;
}
