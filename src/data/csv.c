/* Reading tables (csv.h), a row at a time. */
#include "data/csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool vg_csv_complain(const vg_csv *csv, uint64_t line, vg_data_error *error, const char *format, ...) {
    char text[sizeof error->text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return vg_data_fail(error, "'%s' line %" PRIu64 ": %s", csv->path, line, text);
}

static void release_locale(void *object) { freelocale((locale_t)object); }

void vg_csv_open(vg_csv *csv, vg_mem *mem, const char *path, const char *bytes, size_t length, char separator) {
    *csv = (vg_csv){ .mem = mem, .path = path, .bytes = bytes, .end = bytes + length, .separator = separator };
    csv->ending = !length || memchr(bytes, '\n', length) || !memchr(bytes, '\r', length) ? '\n' : '\r';
    csv->unquoted = vg_text_new(mem);
    csv->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!csv->c) {
        vg_mem_fail(mem);
    }
    csv->handle = vg_mem_own(mem, release_locale, csv->c);
    vg_csv_rewind(csv);
}

void vg_csv_rewind(vg_csv *csv) {
    static const char mark[] = "\xEF\xBB\xBF";       /* U+FEFF, which some programs begin a text with */
    bool marked = csv->end - csv->bytes >= 3 && memcmp(csv->bytes, mark, 3) == 0;
    csv->at = csv->bytes + (marked ? 3 : 0);
    csv->line = 1;
}

void vg_csv_close(vg_csv *csv) {
    vg_vec_free(csv->mem, &csv->fields);
    vg_text_free(&csv->unquoted);
    vg_mem_disown(csv->mem, csv->handle, true);
}

/* ---- rows */

static bool fail_at(vg_csv *csv, vg_data_error *error, const char *text) {
    csv->failed = true;
    return vg_csv_complain(csv, csv->line, error, "%s", text);
}

/* Over one character, which is neither a separator nor a quote nor the end of a line. */
static bool pass(vg_csv *csv, vg_data_error *error) {
    unsigned char c = (unsigned char)*csv->at;
    uint32_t code, bytes = c < 0x80 ? c != 0 : vg_utf8_decode(csv->at, (size_t)(csv->end - csv->at), &code);
    if (!bytes) {
        csv->failed = true;
        return c ? vg_csv_complain(csv, csv->line, error, "byte %zu, %02x, begins no character of UTF-8; iconv "
                                   "converts texts", (size_t)(csv->at - csv->bytes), c)
                 : vg_csv_complain(csv, csv->line, error, "byte %zu is NUL: this is not a text",
                                   (size_t)(csv->at - csv->bytes));
    }
    csv->at += bytes;
    return true;
}

/* CR counts only before LF, but where there is no LF. */
static bool is_line_end(const vg_csv *csv) {
    return *csv->at == csv->ending || (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n');
}

/* From behind the opening quote to behind the closing one. What it holds is gathered, and found when the row is whole:
 * until then `text` is NULL, as the buffer may move. */
static bool read_quoted(vg_csv *csv, vg_csv_field *field, vg_data_error *error) {
    uint64_t opened = csv->line;
    size_t before = csv->unquoted.length;
    for (;;) {
        const char *from = csv->at;
        while (csv->at < csv->end && *csv->at != '"') {
            csv->line += *csv->at == csv->ending;
            if (!pass(csv, error)) {
                return false;
            }
        }
        vg_text_add(&csv->unquoted, from, (size_t)(csv->at - from));
        if (csv->at == csv->end) {
            csv->line = opened;
            return fail_at(csv, error, "the quote that opens here is never closed");
        }
        csv->at++;
        if (csv->at == csv->end || *csv->at != '"') {
            break;
        }
        vg_text_add(&csv->unquoted, "\"", 1);
        csv->at++;
    }
    *field = (vg_csv_field){ NULL, csv->unquoted.length - before, opened };
    while (csv->at < csv->end && (*csv->at == ' ' || *csv->at == '\t') && *csv->at != csv->separator) {
        csv->at++;
    }
    return csv->at == csv->end || *csv->at == csv->separator || is_line_end(csv)
        || fail_at(csv, error, "something follows a closing quote; a quote within a quoted field is written twice");
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool read_field(vg_csv *csv, vg_csv_field *field, vg_data_error *error) {
    while (csv->at < csv->end && (*csv->at == ' ' || *csv->at == '\t') && *csv->at != csv->separator) {
        csv->at++;
    }
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        return read_quoted(csv, field, error);
    }
    const char *from = csv->at;
    while (csv->at < csv->end && *csv->at != csv->separator && !is_line_end(csv)) {
        if (*csv->at == '"') {
            return fail_at(csv, error, "a quote stands within a field that does not begin with one; quote the whole "
                                       "field, and write the quote in it twice");
        }
        if (!pass(csv, error)) {
            return false;
        }
    }
    const char *to = csv->at;
    while (to > from && is_blank(to[-1])) {
        to--;
    }
    *field = (vg_csv_field){ from, (size_t)(to - from), csv->line };
    return true;
}

static void find_unquoted(vg_csv *csv) {
    size_t at = 0;
    for (uint32_t k = 0; k < csv->fields.count; k++) {
        vg_csv_field *field = &csv->fields.items[k];
        if (!field->text) {
            field->text = vg_text_c(&csv->unquoted) + at;
            at += field->length;
        }
    }
}

/* Whether the line was not empty. */
static bool read_line(vg_csv *csv, vg_data_error *error) {
    csv->fields.count = 0;
    csv->unquoted.length = 0;
    csv->row = csv->line;
    for (;;) {
        vg_csv_field field;
        if (!read_field(csv, &field, error)) {
            return false;
        }
        vg_vec_push(csv->mem, &csv->fields, field);
        if (csv->at == csv->end || *csv->at != csv->separator) {
            break;
        }
        csv->at++;
    }
    if (csv->at < csv->end) {
        csv->at += *csv->at == csv->ending ? 1 : 2;
        csv->line++;
    }
    find_unquoted(csv);
    const vg_csv_field *only = csv->fields.items;
    return csv->fields.count > 1 || only->length || only->text == vg_text_c(&csv->unquoted);
}

bool vg_csv_row(vg_csv *csv, vg_data_error *error) {
    while (csv->at < csv->end && !csv->failed) {
        if (read_line(csv, error)) {
            return true;
        }
    }
    return false;
}

/* ---- numbers */

static bool is_missing(const vg_csv_field *field) {
    static const char *const words[] = { "na", "n/a", "nan", "null", "none", "?" };
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        if (strlen(words[k]) == field->length && strncasecmp(words[k], field->text, field->length) == 0) {
            return true;
        }
    }
    return !field->length;
}

static bool is_infinite(const vg_csv_field *field) {
    size_t sign = field->length && (*field->text == '-' || *field->text == '+');
    const char *text = field->text + sign;
    size_t length = field->length - sign;
    return (length == 3 && strncasecmp(text, "inf", 3) == 0) || (length == 8 && strncasecmp(text, "infinity", 8) == 0);
}

/* A decimal number: [sign] digits [. digits] [e [sign] digits], with a digit before or behind the point. */
typedef struct decimal { bool fine, whole, negative; uint64_t digits; int exponent; uint32_t used; } decimal;

static decimal read_decimal(const char *p, const char *end) {
    decimal d = { .whole = true };
    bool any = false;
    d.negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    for (bool point = false; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            d.whole = false;
            continue;
        }
        any = true;
        d.digits = d.used < 19 ? 10 * d.digits + (uint64_t)(*p - '0') : d.digits;
        d.used += d.used || *p != '0';
        d.exponent -= point;
    }
    d.fine = any;
    if (any && p < end && (*p == 'e' || *p == 'E')) {
        int exponent = 0, sign = 1;
        d.whole = false;
        p++;
        sign = p < end && *p == '-' ? -1 : 1;
        p += p < end && (*p == '-' || *p == '+');
        d.fine = p < end;
        for (; p < end && *p >= '0' && *p <= '9'; p++) {
            exponent = exponent < 100000 ? 10 * exponent + (*p - '0') : exponent;
        }
        d.exponent += sign * exponent;
    }
    d.fine = d.fine && p == end;
    return d;
}

/* Digits of up to 2^53 and powers of ten of up to 22 are doubles themselves, so that one rounding is all (Clinger, How
 * to read floating point numbers accurately, 1990); the rest is left to the library. */
static double value_of(const vg_csv *csv, const vg_csv_field *field, const decimal *d) {
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
                                     1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    if (d->used < 19 && d->digits <= (uint64_t)1 << 53 && d->exponent >= -22 && d->exponent <= 22) {
        double value = (double)d->digits;
        value = d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
        return d->negative ? -value : value;
    }
    char *text = vg_mem_alloc(csv->mem, field->length + 1);
    memcpy(text, field->text, field->length);
    double value = strtod_l(text, NULL, csv->c);
    vg_mem_free(csv->mem, text);
    return value;
}

vg_cell vg_csv_cell(const vg_csv *csv, const vg_csv_field *field, double *value) {
    decimal d = read_decimal(field->text, field->text + field->length);
    if (d.fine) {
        *value = value_of(csv, field, &d);
        return d.whole ? VG_CELL_WHOLE : VG_CELL_REAL;
    }
    return is_missing(field) ? VG_CELL_MISSING : is_infinite(field) ? VG_CELL_INFINITE : VG_CELL_WORD;
}

/* ---- names */

char *vg_column_name(vg_mem *mem, const char *text, size_t length, uint32_t number) {
    vg_text name = vg_text_new(mem);
    if (!length) {
        vg_text_format(&name, "c%u", number);
        return name.text;
    }
    if (*text >= '0' && *text <= '9') {
        vg_text_add(&name, "_", 1);
    }
    for (size_t at = 0; at < length;) {
        char letter[5] = "";
        uint32_t code, bytes = vg_utf8_decode(text + at, length - at, &code);
        bytes = bytes ? bytes : 1;
        memcpy(letter, text + at, bytes);
        bool digit = *letter >= '0' && *letter <= '9';
        bool keeps = digit || vg_name_length(letter) == bytes;
        vg_text_add(&name, keeps ? letter : "_", keeps ? bytes : 1);
        at += bytes;
    }
    if (vg_name_length(name.text) != name.length) {
        vg_text_add(&name, "_", 1);                    /* a word of the language */
    }
    return name.text;
}
