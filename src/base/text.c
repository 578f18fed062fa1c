/* Growing text, and numbers as text (str.h). */
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

void vg_text_format_list(vg_text *text, const char *format, va_list list) {
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    if (length < 0) {
        va_end(again);
        vg_mem_fail(text->mem);
    }
    reserve(text, (size_t)length);
    vsnprintf(text->text + text->length, (size_t)length + 1, format, again);
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

const char *vg_number_text(char buffer[32], double number) {
    if (isnan(number)) {
        return strcpy(buffer, "nan");   /* whatever its sign */
    }
    /* Fifteen digits always survive being read, and %g drops their trailing zeros; subnormals have fewer. */
    int digits = fabs(number) < DBL_MIN ? 1 : DBL_DIG;
    do {
        snprintf(buffer, NUMBER_SIZE, "%.*g", digits, number);
    } while (strtod(buffer, NULL) != number && digits++ < DBL_DECIMAL_DIG);
    char *comma = strchr(buffer, ',');   /* the host's locale is not ours */
    if (comma) {
        *comma = '.';
    }
    return buffer;
}
