/* The door for memory: every block that the library owns is made, grown and freed here.
 *
 * A vg_mem owns its blocks in one list, so that releasing it releases everything, whatever was going on. When
 * the system has no memory left (or a test asks for call n to fail) the door does not return NULL: it jumps to
 * the escape that the public entry point set, and the caller there answers VG_FAILED_RESOURCE. Nothing between
 * the two has to check, and nothing leaks, as long as what is not memory (a file, another library's object) is
 * registered with vg_mem_own before the next allocation. */
#ifndef VG_BASE_MEM_H
#define VG_BASE_MEM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VG_MEM_ALIGN = 64 };

typedef struct vg_block vg_block;

typedef struct vg_mem {
    vg_block *blocks;   /* all living blocks, newest first */
    jmp_buf  *escape;   /* where a failed allocation goes; must be set before the first call */
    uint64_t  calls;    /* allocations asked for so far */
    uint64_t  fail_at;  /* for tests: the call (from 1) that fails; 0 is none */
    size_t    bytes;    /* living bytes */
    size_t    peak;     /* the most that ever lived at once */
} vg_mem;

void  vg_mem_init(vg_mem *mem);
/* Frees every block and destroys every owned object, newest first. */
void  vg_mem_release(vg_mem *mem);
/* A zeroed block of `bytes` (0 is allowed), aligned to VG_MEM_ALIGN. Never NULL. */
void *vg_mem_alloc(vg_mem *mem, size_t bytes);
/* Grows or shrinks; `block` may be NULL. New bytes are zero. Never NULL. */
void *vg_mem_resize(vg_mem *mem, void *block, size_t bytes);
void  vg_mem_free(vg_mem *mem, void *block);   /* NULL is allowed */
/* `destroy(object)` runs at release, or at vg_mem_disown(handle, true). */
void *vg_mem_own(vg_mem *mem, void (*destroy)(void *), void *object);
void  vg_mem_disown(vg_mem *mem, void *handle, bool destroy);
/* Jumps to the escape as a failed allocation does: for sizes that overflow and other libraries' out-of-memory. */
_Noreturn void vg_mem_fail(vg_mem *mem);

#endif
