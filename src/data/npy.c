/* Reading NPY files (npy.h): the magic number, a Python dict as text that says what follows, the elements. The format
 * is numpy.lib.format's. */
#include "data/npy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { MAGIC = 6, VERSION = 2, HEADER_LIMIT = 1 << 16, DESCR = 24 };

/* "'path' ..."; returns false. */
__attribute__((format(printf, 3, 4)))
static bool complain(const vg_npy *npy, vg_data_error *error, const char *format, ...) {
    char text[sizeof error->text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return vg_data_fail(error, "'%s' %s", npy->path, text);
}

/* ---- the dict: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */

typedef struct reader {
    vg_npy        *npy;
    vg_data_error *error;
    const char    *bytes, *at, *end;       /* of the file; of the dict */
} reader;

static bool unreadable(const reader *r, const char *wanted) {
    return complain(r->npy, r->error, "has a header that cannot be read: %s was expected at byte %zu", wanted,
                    (size_t)(r->at - r->bytes));
}

/* The next character that is no white space; 0 at the end. */
static char peek(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) {
        r->at++;
    }
    return r->at < r->end ? *r->at : '\0';
}

static bool take(reader *r, char sign) {
    if (peek(r) != sign) {
        return false;
    }
    r->at++;
    return true;
}

/* What stands between quotes, which are known to open here, cut to `out`. */
static bool read_string(reader *r, char out[DESCR]) {
    char quote = *r->at++;
    size_t length = 0;
    for (; r->at < r->end && *r->at != quote; r->at++) {
        if (length < DESCR - 1) {
            out[length++] = *r->at;
        }
    }
    out[length] = '\0';
    return take(r, quote) || unreadable(r, "a closing quote");
}

static bool take_word(reader *r, const char *word) {
    size_t length = strlen(word);
    if (peek(r) != word[0] || (size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) {
        return false;
    }
    r->at += length;
    return true;
}

static bool read_descr(reader *r) {
    static const char *const known[] = { "f4", "f8", "f2", "i4", "i8", "i2", "i1", "u1", "u2", "b1" };
    static const char only[] = "only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 can be read";
    char descr[DESCR];
    if (peek(r) == '[') {
        return complain(r->npy, r->error, "holds records: %s", only);
    }
    if (peek(r) != '\'' && peek(r) != '"') {
        return unreadable(r, "an element type");
    }
    if (!read_string(r, descr)) {
        return false;
    }
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        bool single = known[k][1] == '1';
        if (descr[0] && strcmp(descr + 1, known[k]) == 0 && strchr(single ? "|<>" : "<>", descr[0])) {
            r->npy->kind = known[k][0];
            r->npy->size = (uint32_t)(known[k][1] - '0');
            r->npy->big = descr[0] == '>';
            return true;
        }
    }
    return complain(r->npy, r->error, "holds elements of type '%s'%s: %s", descr,
                    descr[0] && descr[1] == 'O' ? ", Python objects" : "", only);
}

static bool read_order(reader *r) {
    r->npy->fortran = take_word(r, "True");
    return r->npy->fortran || take_word(r, "False") || unreadable(r, "True or False");
}

static bool read_dimension(reader *r) {
    uint64_t length = 0;
    if (peek(r) < '0' || peek(r) > '9') {
        return unreadable(r, "a dimension");
    }
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        length = length > INT32_MAX ? length : 10 * length + (uint64_t)(*r->at - '0');
    }
    if (r->npy->rank == VG_RANK_LIMIT) {
        return complain(r->npy, r->error, "has more than %d dimensions, which is the limit", VG_RANK_LIMIT);
    }
    if (length > INT32_MAX) {
        return complain(r->npy, r->error, "says that dimension %u is larger than %d: that is too large", r->npy->rank,
                        INT32_MAX);
    }
    r->npy->shape[r->npy->rank++] = (uint32_t)length;
    return true;
}

static bool read_shape(reader *r) {
    bool more = true;
    if (!take(r, '(')) {
        return unreadable(r, "a shape");
    }
    while (!take(r, ')')) {
        if (!more) {
            return unreadable(r, "')'");
        }
        if (!read_dimension(r)) {
            return false;
        }
        more = take(r, ',');
    }
    return true;
}

static bool read_dict(reader *r) {
    static const struct { const char *name; bool (*read)(reader *r); } keys[] = {
        { "descr", read_descr }, { "fortran_order", read_order }, { "shape", read_shape }
    };
    enum { KEYS = sizeof keys / sizeof *keys };
    bool seen[KEYS] = { false }, more = true;
    char key[DESCR];
    if (!take(r, '{')) {
        return unreadable(r, "'{'");
    }
    while (!take(r, '}')) {
        size_t k = 0;
        if (!more || (peek(r) != '\'' && peek(r) != '"')) {
            return unreadable(r, more ? "a key" : "'}'");
        }
        if (!read_string(r, key)) {
            return false;
        }
        while (k < KEYS && strcmp(keys[k].name, key) != 0) {
            k++;
        }
        if (k == KEYS || seen[k]) {
            return complain(r->npy, r->error, "has a header that cannot be read: its key '%s' is %s", key,
                            k == KEYS ? "not known" : "there twice");
        }
        if (!take(r, ':')) {
            return unreadable(r, "':'");
        }
        if (!keys[k].read(r)) {
            return false;
        }
        seen[k] = true;
        more = take(r, ',');
    }
    for (size_t k = 0; k < KEYS; k++) {
        if (!seen[k]) {
            return complain(r->npy, r->error, "has a header without '%s'", keys[k].name);
        }
    }
    return !peek(r) || unreadable(r, "the end of the header");
}

/* ---- the header */

/* Up to the dict, whose place and length it gives. */
static bool read_magic(vg_npy *npy, const char *bytes, size_t length, size_t *from, vg_data_error *error) {
    static const char magic[] = "\x93NUMPY";
    const uint8_t *p = (const uint8_t *)bytes;
    if (!length) {
        return complain(npy, error, "is empty: an NPY file was expected");
    }
    if (memcmp(bytes, magic, length < MAGIC ? length : MAGIC) != 0) {
        return complain(npy, error, "is not an NPY file: it does not begin with \\x93NUMPY");
    }
    if (length < MAGIC + VERSION) {
        return complain(npy, error, "ends at byte %zu, within the beginning of an NPY file", length);
    }
    if (p[6] < 1 || p[6] > 3 || p[7]) {
        return complain(npy, error, "is an NPY file of version %u.%u: 1.0, 2.0 and 3.0 can be read", p[6], p[7]);
    }
    *from = MAGIC + VERSION + (p[6] == 1 ? 2 : 4);
    if (length < *from) {
        return complain(npy, error, "ends at byte %zu, within the beginning of an NPY file", length);
    }
    uint64_t dict = p[8] | (uint32_t)p[9] << 8;
    if (p[6] > 1) {
        dict |= (uint32_t)p[10] << 16 | (uint32_t)p[11] << 24;
    }
    if (dict > HEADER_LIMIT) {
        return complain(npy, error, "promises a header of %" PRIu64 " bytes, and the limit is %d", dict, HEADER_LIMIT);
    }
    if (dict > length - *from) {
        return complain(npy, error, "ends at byte %zu, within its header of %" PRIu64 " bytes: is it complete?", length,
                        dict);
    }
    npy->header = *from + (size_t)dict;
    return true;
}

/* Whether the file holds what its shape promises, and no more. */
static bool check_length(vg_npy *npy, size_t length, vg_data_error *error) {
    uint64_t promised = npy->size, held = length - npy->header;
    bool empty = false, fits = true;
    npy->count = 1;
    for (uint32_t k = 0; k < npy->rank; k++) {
        empty = empty || npy->shape[k] == 0;
        fits = fits && (npy->shape[k] == 0 || !__builtin_mul_overflow(promised, npy->shape[k], &promised));
    }
    if (!fits && !empty) {
        return complain(npy, error, "has a shape of more elements than any file holds");
    }
    promised = empty ? 0 : promised;
    npy->count = promised / npy->size;
    return held == promised
        || complain(npy, error, "promises %" PRIu64 " bytes behind its header of %zu, but %s %" PRIu64 ": %s", promised,
                    npy->header, held < promised ? "holds only" : "there are", held,
                    held < promised ? "is it complete?" : "something follows the data");
}

bool vg_npy_open(vg_npy *npy, const char *path, const char *bytes, size_t length, vg_data_error *error) {
    size_t from = 0;
    *npy = (vg_npy){ .path = path };
    if (!read_magic(npy, bytes, length, &from, error)) {
        return false;
    }
    reader r = { npy, error, bytes, bytes + from, bytes + npy->header };
    return read_dict(&r) && check_length(npy, length, error);
}

vg_dtype vg_npy_dtype(const vg_npy *npy) { return npy->kind == 'f' ? VG_F32 : VG_I32; }

/* ---- the elements */

static uint64_t word_at(const vg_npy *npy, const char *p) {
    uint64_t word = 0;
    for (uint32_t k = 0; k < npy->size; k++) {
        word = word << 8 | (uint8_t)p[npy->big ? k : npy->size - 1 - k];
    }
    return word;
}

static double float_of(uint64_t word, uint32_t size) {
    vg_storage storage = size == 2 ? VG_STORE_F16 : size == 4 ? VG_STORE_F32 : VG_STORE_F64;
    double value;
    vg_elements_real(storage, &word, 1, &value, true);   /* its first bytes are the element: little endian */
    return value;
}

static int64_t integer_of(const vg_npy *npy, uint64_t word) {
    if (npy->kind == 'b') {
        return word != 0;
    }
    int unused = 64 - 8 * (int)npy->size;
    return npy->kind == 'u' ? (int64_t)word : (int64_t)(word << unused) >> unused;
}

static bool refuse_integer(const vg_npy *npy, const uint32_t *place, int64_t value, vg_data_error *error) {
    char text[16 * VG_RANK_LIMIT] = "";
    size_t at = 0;
    for (uint32_t k = 0; k < npy->rank; k++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u", k ? ", " : "", place[k]);
    }
    return complain(npy, error, "holds %" PRId64 " at [%s]: integers must fit an int32", value, text);
}

bool vg_npy_read(const vg_npy *npy, const char *bytes, double *out, vg_data_error *error) {
    uint32_t place[VG_RANK_LIMIT] = { 0 };
    uint64_t stride[VG_RANK_LIMIT], step = 1, from = 0;     /* in elements of the file */
    for (uint32_t j = 0; j < npy->rank; j++) {
        uint32_t k = npy->fortran ? j : npy->rank - 1 - j;
        stride[k] = step;
        step *= npy->shape[k];
    }
    for (uint64_t i = 0; i < npy->count; i++) {
        uint64_t word = word_at(npy, bytes + npy->header + from * npy->size);
        if (npy->kind == 'f') {
            out[i] = float_of(word, npy->size);
        } else {
            int64_t value = integer_of(npy, word);
            if (value < INT32_MIN || value > INT32_MAX) {
                return refuse_integer(npy, place, value, error);
            }
            out[i] = (double)value;
        }
        for (uint32_t k = npy->rank; k-- > 0; place[k] = 0) {
            from += stride[k];
            if (++place[k] < npy->shape[k]) {
                break;
            }
            from -= stride[k] * npy->shape[k];
        }
    }
    return true;
}

/* ---- constants */

bool vg_array_read(vg_mem *mem, const char *path, vg_array *array, vg_data_error *error) {
    size_t length, limit = VG_ARRAY_LIMIT * sizeof(double) + HEADER_LIMIT + MAGIC + VERSION + 4;
    char *bytes;
    vg_npy npy = { .path = path };
    int failed = vg_file_read(mem, path, limit, &bytes, &length);
    if (failed == EFBIG) {
        return complain(&npy, error, "is too large: a constant has at most %d elements", VG_ARRAY_LIMIT);
    }
    if (failed) {
        return failed == EISDIR ? complain(&npy, error, "is not a file but a folder")
                                : complain(&npy, error, "cannot be read: %s", strerror(failed));
    }
    bool fine = vg_npy_open(&npy, path, bytes, length, error);
    if (fine && npy.count > VG_ARRAY_LIMIT) {
        fine = complain(&npy, error, "has %" PRIu64 " elements: a constant has at most %d", npy.count, VG_ARRAY_LIMIT);
    }
    if (fine) {
        *array = (vg_array){ vg_npy_dtype(&npy), npy.rank, { 0 }, npy.count, NULL };
        memcpy(array->shape, npy.shape, sizeof array->shape);
        array->elements = vg_mem_alloc(mem, (size_t)npy.count * sizeof *array->elements);
        fine = vg_npy_read(&npy, bytes, array->elements, error);
    }
    vg_mem_free(mem, bytes);
    return fine;
}
