/* Interned strings: equal text is equal id, 0 is the empty string. And a growing text buffer. */
#ifndef VG_BASE_STR_H
#define VG_BASE_STR_H

#include <stdarg.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"

typedef uint32_t vg_str;

typedef struct vg_strings {
    vg_mem   *mem;
    vg_arena  arena;
    vg_map    map;                                    /* hash -> newest id with it */
    VG_VEC(const char *) text;                        /* by id, NUL-terminated */
    VG_VEC(uint32_t)     length;
    VG_VEC(uint32_t)     chain;                       /* the next older id with the same hash */
} vg_strings;

void        vg_strings_init(vg_strings *strings, vg_mem *mem);
vg_str      vg_strings_add(vg_strings *strings, const char *text, size_t length);
vg_str      vg_strings_find(const vg_strings *strings, const char *text, size_t length);   /* 0 when unknown */
vg_str      vg_strings_format(vg_strings *strings, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline vg_str vg_strings_c(vg_strings *strings, const char *text) {
    return vg_strings_add(strings, text, __builtin_strlen(text));
}
static inline const char *vg_strings_text(const vg_strings *strings, vg_str id) { return strings->text.items[id]; }

/* A text buffer, always NUL-terminated; zero-initialised is empty (text NULL). */
typedef struct vg_text {
    vg_mem *mem;
    char   *text;
    size_t  length, capacity;
} vg_text;

static inline vg_text vg_text_new(vg_mem *mem) { return (vg_text){ mem, NULL, 0, 0 }; }
void vg_text_add(vg_text *text, const char *bytes, size_t length);
void vg_text_whole(vg_text *text, int64_t number);
void vg_text_format(vg_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vg_text_format_list(vg_text *text, const char *format, va_list list) __attribute__((format(printf, 2, 0)));
void vg_text_free(vg_text *text);
static inline const char *vg_text_c(const vg_text *text) { return text->text ? text->text : ""; }

/* The bytes of the UTF-8 sequence at `text`, which has `left` > 0 bytes, and its code point; 0 when it is none
 * (overlong forms and surrogates included). */
uint32_t vg_utf8_decode(const char *text, size_t left, uint32_t *code);
/* Writes a code point and a NUL behind it; returns its bytes. */
uint32_t vg_utf8_encode(uint32_t code, char text[5]);

/* The shortest decimal text that reads back as the same double: 1, 0.01, 1e-05. `buffer` holds 32 bytes. */
const char *vg_number_text(char buffer[32], double number);

#endif
