/* The source text: a file's characters, cut into examples. Which characters there are is known only behind the last
 * of them, so the file is read, checked and numbered at once; what does not fill an example at its end is left out,
 * though its characters count among the classes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "data/source.h"

enum { FILE_NAME, LENGTH };                /* the parameters, in order */
enum { CODES = 0x110000 };                 /* of Unicode */
#define TEXT_LIMIT 1000000000              /* bytes of a file */

typedef struct book {
    vg_mem     *mem;
    const char *path;
    char       *text;
    size_t      length;                    /* in bytes */
    uint64_t    characters;
    uint32_t   *class_of;                  /* by code: first not 0 where it occurs, then its class */
} book;

static bool read_book(book *b, vg_data_error *error) {
    int failed = vg_file_read(b->mem, b->path, TEXT_LIMIT, &b->text, &b->length);
    switch (failed) {
    case 0:
        return true;
    case EISDIR:
        return vg_data_fail(error, "'%s' is not a file but a folder", b->path);
    case EFBIG:
        return vg_data_fail(error, "'%s' is larger than 1 GB, which is the limit of a text", b->path);
    default:
        return vg_data_fail(error, "'%s' cannot be read: %s", b->path, strerror(failed));
    }
}

/* What stands at byte `at` is no character. */
static bool refuse_byte(const book *b, size_t at, vg_data_error *error) {
    uint64_t line = 1;
    for (const char *p = b->text; (p = memchr(p, '\n', (size_t)(b->text + at - p))); p++) {
        line++;
    }
    if (b->text[at] == '\0') {
        return vg_data_fail(error, "'%s' is not a text: byte %zu (line %" PRIu64 ") is NUL", b->path, at, line);
    }
    return vg_data_fail(error, "'%s' is not a text in UTF-8: byte %zu (line %" PRIu64 "), %02x, begins no character; "
                               "iconv converts texts", b->path, at, line, (unsigned)(unsigned char)b->text[at]);
}

/* Counts the characters and marks those that occur. */
static bool survey(book *b, vg_data_error *error) {
    for (size_t at = 0; at < b->length;) {
        uint32_t code = 0, bytes = vg_utf8_decode(b->text + at, b->length - at, &code);
        if (!bytes || !code) {
            return refuse_byte(b, at, error);
        }
        b->class_of[code] = 1;
        b->characters++;
        at += bytes;
    }
    return true;
}

/* Gives each code that occurs its class; how many there are, and which in `codes`, which is mem's. */
static uint32_t number_classes(book *b, uint32_t **codes) {
    uint32_t classes = 0;
    for (uint32_t code = 0; code < CODES; code++) {
        classes += b->class_of[code];
    }
    *codes = vg_mem_alloc(b->mem, classes * sizeof **codes);
    classes = 0;
    for (uint32_t code = 0; code < CODES; code++) {
        if (b->class_of[code]) {
            (*codes)[classes] = code;
            b->class_of[code] = classes++;
        }
    }
    return classes;
}

static void write_ids(const book *b, vg_dataset *set) {
    uint64_t wanted = (uint64_t)set->count * set->columns[VG_NOW].shape[0] + 1;
    bool narrow = set->columns[VG_NOW].storage == VG_STORE_U8;
    void *ids = vg_characters_alloc(set);
    size_t at = 0;
    for (uint64_t k = 0; k < wanted; k++) {
        uint32_t code = 0;
        at += vg_utf8_decode(b->text + at, b->length - at, &code);
        if (narrow) {
            ((uint8_t *)ids)[k] = (uint8_t)b->class_of[code];
        } else {
            ((int32_t *)ids)[k] = (int32_t)b->class_of[code];
        }
    }
}

static bool take_book(book *b, vg_dataset *set, uint32_t length, vg_data_error *error) {
    uint32_t *codes;
    if (!b->length) {
        return vg_data_fail(error, "'%s' is empty: a text was expected", b->path);
    }
    if (!survey(b, error)) {
        return false;
    }
    if (b->characters <= length) {
        return vg_data_fail(error, "'%s' has %" PRIu64 " characters, fewer than the %u of an example: its length, "
                            "and one more to come next", b->path, b->characters, length + 1);
    }
    uint32_t classes = number_classes(b, &codes);
    vg_characters_describe(set, (uint32_t)((b->characters - 1) / length), length, codes, classes);
    vg_mem_free(b->mem, codes);
    write_ids(b, set);
    return true;
}

bool vg_text_describe(vg_dataset *set, vg_data_error *error) {
    if (!vg_argument_whole(set, LENGTH, 1, VG_LENGTH_LIMIT, error)) {
        return false;
    }
    uint32_t length = (uint32_t)vg_argument_number(set, LENGTH);
    book b = { .mem = set->mem, .path = vg_argument_path(set, FILE_NAME) };
    vg_characters_describe(set, 0, length, NULL, 0);   /* what is known of the columns anyway */
    if (!read_book(&b, error)) {
        return false;
    }
    b.class_of = vg_mem_alloc(b.mem, CODES * sizeof *b.class_of);
    bool taken = take_book(&b, set, length, error);
    vg_mem_free(b.mem, b.class_of);
    vg_mem_free(b.mem, b.text);
    return taken;
}

bool vg_text_load(vg_dataset *set, vg_data_error *error) {
    (void)set;                                         /* describe has read it */
    (void)error;
    return true;
}
