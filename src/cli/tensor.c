/* Tensors as NumPy prints them, as a line of JSON, and as .npy bytes. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Above SHOWN elements, only EDGE at each end of an axis are shown. */
enum { SHOWN = 1000, EDGE = 3, LINE = 100, DIGITS_SHOWN = 6, DIGITS_JSON = 9 };

typedef struct printer {
    FILE            *stream;
    const vg_tensor *tensor;
    bool             elide;
    int              width;    /* of an element */
    uint32_t         depth;    /* brackets open */
    int              column;
} printer;

static int format_element(const printer *p, double value, char *text, size_t size) {
    if (isnan(value)) {
        return snprintf(text, size, "nan");   /* whose sign means nothing */
    }
    return p->tensor->integer ? snprintf(text, size, "%.0f", value) : snprintf(text, size, "%.*g", DIGITS_SHOWN, value);
}

static void put_element(printer *p, double value) {
    char text[40];
    const int length = format_element(p, value, text, sizeof text);
    if (p->column + p->width + 1 > LINE) {
        p->column = (int)p->depth;
        fprintf(p->stream, "\n%*s", p->column, "");
    }
    fprintf(p->stream, "%*s%s", p->width - length, "", text);
    p->column += p->width;
}

/* Only what will be shown decides the width. A rank is at most 8, which bounds the recursion. */
static void measure(printer *p, uint32_t axis, const double *elements, size_t count) {
    if (axis == p->tensor->rank) {
        char text[40];
        const int length = format_element(p, *elements, text, sizeof text);
        p->width = length > p->width ? length : p->width;
        return;
    }
    const size_t extent = (size_t)p->tensor->shape[axis], part = extent ? count / extent : 0;
    for (size_t i = 0; i < extent; i++) {
        if (p->elide && extent > 2 * EDGE && i == EDGE) {
            i = extent - EDGE;
        }
        measure(p, axis + 1, elements + i * part, part);
    }
}

/* Between two parts of an axis: a blank, or a new line and one more for each axis between this and the last two. */
static void separate(printer *p, uint32_t axis) {
    const uint32_t inner = p->tensor->rank - axis - 1;
    if (inner > 0) {
        fprintf(p->stream, "%.*s%*s", (int)inner, "\n\n\n\n\n\n\n\n", (int)p->depth, "");
    } else {
        fputc(' ', p->stream);
        p->column++;
    }
}

static void put_axis(printer *p, uint32_t axis, const double *elements, size_t count) {
    if (axis == p->tensor->rank) {
        put_element(p, *elements);
        return;
    }
    const size_t extent = (size_t)p->tensor->shape[axis], part = extent ? count / extent : 0;
    fputc('[', p->stream);
    p->depth++;
    p->column = (int)p->depth;
    for (size_t i = 0; i < extent; i++) {
        if (i > 0) {
            separate(p, axis);
        }
        if (p->elide && extent > 2 * EDGE && i == EDGE) {
            p->column += fprintf(p->stream, "...");
            separate(p, axis);
            i = extent - EDGE;
        }
        put_axis(p, axis + 1, elements + i * part, part);
    }
    p->depth--;
    fputc(']', p->stream);
}

void vg_cli_tensor_text(FILE *stream, const vg_tensor *tensor, const char *dtype) {
    fprintf(stream, "%s: %s[", tensor->name, dtype);
    for (uint32_t axis = 0; axis < tensor->rank; axis++) {
        fprintf(stream, "%s%" PRId64, axis ? ", " : "", tensor->shape[axis]);
    }
    fputs("]\n", stream);
    printer p = { .stream = stream, .tensor = tensor, .elide = tensor->count > SHOWN };
    measure(&p, 0, tensor->elements, tensor->count);
    put_axis(&p, 0, tensor->elements, tensor->count);
    fputc('\n', stream);
}

/* Element by element: a tensor may be too large for a tree of JSON values. */
bool vg_cli_tensor_json(FILE *stream, const vg_tensor *tensor, const char *dtype) {
    json_t *name = json_string(tensor->name);
    char *text = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
    json_decref(name);
    if (!text) {
        vg_cli_complain("there is not enough memory");
        return false;
    }
    fprintf(stream, "{\"expr\":%s,\"dtype\":\"%s\",\"shape\":[", text, dtype);
    free(text);
    for (uint32_t axis = 0; axis < tensor->rank; axis++) {
        fprintf(stream, "%s%" PRId64, axis ? "," : "", tensor->shape[axis]);
    }
    fputs("],\"data\":[", stream);
    for (size_t i = 0; i < tensor->count; i++) {
        const double value = tensor->elements[i];
        fputs(i ? "," : "", stream);
        if (isfinite(value)) {
            fprintf(stream, "%.*g", tensor->integer ? 10 : DIGITS_JSON, value);
        } else {
            fputs(isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"", stream);
        }
    }
    fputs("]}\n", stream);
    return !ferror(stream);
}

/* Version 1.0: the dictionary is padded so that the data starts at a multiple of 64. */
void vg_cli_npy_head(FILE *stream, const char *dtype, const int64_t *shape, uint32_t rank) {
    enum { ALIGNMENT = 64, PREFIX = 10 };
    const bool single = strcmp(dtype, "f32") == 0, whole = strcmp(dtype, "i32") == 0;
    char header[512];
    int used = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                        single ? "<f4" : whole ? "<i4" : "<f8");
    for (uint32_t axis = 0; axis < rank; axis++) {   /* a comma behind each: (3,) is a tuple, (3) is not */
        used += snprintf(header + used, sizeof header - (size_t)used, "%" PRId64 ", ", shape[axis]);
    }
    used += snprintf(header + used, sizeof header - (size_t)used, ")}");
    const int padded = (PREFIX + used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - PREFIX;
    fprintf(stream, "%sNUMPY%c%c%c%c%-*s\n", "\x93", 1, 0, padded & 0xFF, padded >> 8, padded - 1, header);
}

/* As this machine holds them, little endian. */
void vg_cli_npy_elements(FILE *stream, const char *dtype, const double *elements, size_t count) {
    const bool single = strcmp(dtype, "f32") == 0, whole = strcmp(dtype, "i32") == 0;
    for (size_t i = 0; i < count; i++) {
        const double value = elements[i];
        const float narrow = (float)value;
        const int32_t integer = whole ? (int32_t)value : 0;
        const void *bytes = single ? (const void *)&narrow : whole ? (const void *)&integer : (const void *)&value;
        fwrite(bytes, single || whole ? 4 : 8, 1, stream);
    }
}

bool vg_cli_tensor_npy(FILE *stream, const vg_tensor *tensor, const char *dtype) {
    vg_cli_npy_head(stream, dtype, tensor->shape, tensor->rank);
    vg_cli_npy_elements(stream, dtype, tensor->elements, tensor->count);
    return !ferror(stream);
}
