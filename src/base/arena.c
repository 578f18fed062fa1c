/* Bump allocation (arena.h): chunks that double up to a limit, chained through their first word. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ALIGN = 16, LINK = 16, FIRST_CHUNK = 4 << 10, LARGEST_CHUNK = 256 << 10 };
_Static_assert(sizeof(char *) <= LINK && LINK % ALIGN == 0, "a chunk's first word leaves the rest aligned");

void vg_arena_init(vg_arena *arena, vg_mem *mem) {
    *arena = (vg_arena){ .mem = mem };
}

static char *earlier(char *chunk) {
    char *link;
    memcpy(&link, chunk, sizeof link);
    return link;
}
static void set_earlier(char *chunk, char *link) {
    memcpy(chunk, &link, sizeof link);
}

void vg_arena_release(vg_arena *arena) {
    for (char *chunk = arena->chunk; chunk;) {
        char *next = earlier(chunk);
        vg_mem_free(arena->mem, chunk);
        chunk = next;
    }
    vg_arena_init(arena, arena->mem);
}

/* A block too large to share a chunk goes behind the chunk being filled, whose rest stays in use. */
static void *alloc_alone(vg_arena *arena, size_t bytes) {
    char *chunk = vg_mem_alloc(arena->mem, LINK + bytes);
    if (arena->chunk) {
        set_earlier(chunk, earlier(arena->chunk));
        set_earlier(arena->chunk, chunk);
    } else {
        arena->chunk = chunk;
        arena->used = arena->size = LINK + bytes;
    }
    return chunk + LINK;
}

void *vg_arena_alloc(vg_arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX / 2) {
        vg_mem_fail(arena->mem);
    }
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > arena->size - arena->used) {
        if (bytes > LARGEST_CHUNK / 4) {
            return alloc_alone(arena, bytes);
        }
        size_t size = arena->size < FIRST_CHUNK / 2 ? FIRST_CHUNK : arena->size * 2;
        size = size < LARGEST_CHUNK ? size : LARGEST_CHUNK;
        size = size < LINK + bytes ? LINK + bytes : size;
        char *chunk = vg_mem_alloc(arena->mem, size);
        set_earlier(chunk, arena->chunk);
        arena->chunk = chunk;
        arena->used = LINK;
        arena->size = size;
    }
    void *result = arena->chunk + arena->used;
    arena->used += bytes;
    return result;
}

char *vg_arena_copy(vg_arena *arena, const char *text, size_t length) {
    char *copy = vg_arena_alloc(arena, length + 1);
    if (length) {
        memcpy(copy, text, length);
    }
    return copy;
}

char *vg_arena_format(vg_arena *arena, const char *format, ...) {
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (length < 0) {
        va_end(again);
        vg_mem_fail(arena->mem);
    }
    char *text = vg_arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
