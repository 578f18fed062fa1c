/* Bump allocation: many small things that die together. */
#ifndef VG_BASE_ARENA_H
#define VG_BASE_ARENA_H

#include "base/mem.h"

typedef struct vg_arena {
    vg_mem *mem;
    char   *chunk;      /* the chunk being filled; earlier ones are reached through its first word */
    size_t  used, size;
} vg_arena;

void  vg_arena_init(vg_arena *arena, vg_mem *mem);
void  vg_arena_release(vg_arena *arena);
/* Zeroed, aligned to 16. Never NULL (see base/mem.h). */
void *vg_arena_alloc(vg_arena *arena, size_t bytes);
/* A NUL-terminated copy. */
char *vg_arena_copy(vg_arena *arena, const char *text, size_t length);
/* printf into the arena; the result is NUL-terminated. */
char *vg_arena_format(vg_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3), nonnull(2)));

#define VG_NEW(arena, type)          ((type *)vg_arena_alloc((arena), sizeof(type)))
#define VG_ARRAY(arena, type, count) ((type *)vg_arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
