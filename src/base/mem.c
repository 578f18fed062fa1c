/* The door for memory (mem.h). Each block carries a header in front of its payload: its neighbours in the list of
 * living blocks, so that freeing takes constant time, and, when it stands for another library's object, how to
 * destroy that. */
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

struct vg_block {
    vg_block *newer, *older;
    void     *raw;               /* what calloc gave; the header lies at the first aligned place behind it */
    size_t    bytes;             /* of the payload */
    void    (*destroy)(void *);  /* of an owned object, else NULL */
    void     *object;
};
enum { HEADER = VG_MEM_ALIGN };
enum { LARGE = 4 << 20 };        /* from here on large pages pay: a tensor that is gone through is then a few of them */
_Static_assert(sizeof(vg_block) <= HEADER, "the payload starts one alignment behind the header");

void vg_mem_init(vg_mem *mem) {
    *mem = (vg_mem){ 0 };
}

_Noreturn void vg_mem_fail(vg_mem *mem) {
    assert(mem->escape);
    longjmp(*mem->escape, 1);
}

static void *payload_of(vg_block *block) { return (char *)block + HEADER; }
static vg_block *block_of(void *payload) { return (vg_block *)(void *)((char *)payload - HEADER); }

/* NULL when the system has nothing left, or the test says so. calloc, since its large blocks are zero pages that
 * cost nothing until they are touched. */
static void *try_alloc(vg_mem *mem, size_t bytes) {
    mem->calls++;
    if (mem->calls == mem->fail_at || bytes > SIZE_MAX / 2) {
        return NULL;
    }
    char *raw = calloc(1, bytes + HEADER + VG_MEM_ALIGN);
    if (!raw) {
        return NULL;
    }
    if (bytes >= LARGE) {
        vg_os_large_pages(raw, bytes);
    }
    vg_block *block = (vg_block *)(void *)(raw + (VG_MEM_ALIGN - (uintptr_t)raw % VG_MEM_ALIGN));
    *block = (vg_block){ .older = mem->blocks, .raw = raw, .bytes = bytes };
    if (mem->blocks) {
        mem->blocks->newer = block;
    }
    mem->blocks = block;
    mem->bytes += bytes;
    if (mem->bytes > mem->peak) {
        mem->peak = mem->bytes;
    }
    return payload_of(block);
}

static void unlink_block(vg_mem *mem, vg_block *block) {
    if (block->newer) {
        block->newer->older = block->older;
    } else {
        mem->blocks = block->older;
    }
    if (block->older) {
        block->older->newer = block->newer;
    }
    mem->bytes -= block->bytes;
}

void vg_mem_release(vg_mem *mem) {
    while (mem->blocks) {
        vg_block *block = mem->blocks;
        unlink_block(mem, block);
        if (block->destroy) {
            block->destroy(block->object);
        }
        free(block->raw);
    }
}

void *vg_mem_alloc(vg_mem *mem, size_t bytes) {
    void *payload = try_alloc(mem, bytes);
    if (!payload) {
        vg_mem_fail(mem);
    }
    return payload;
}

void *vg_mem_resize(vg_mem *mem, void *block, size_t bytes) {
    void *grown = vg_mem_alloc(mem, bytes);
    if (block) {
        size_t old = block_of(block)->bytes;
        memcpy(grown, block, old < bytes ? old : bytes);
        vg_mem_free(mem, block);
    }
    return grown;
}

void vg_mem_free(vg_mem *mem, void *block) {
    if (!block) {
        return;
    }
    vg_block *header = block_of(block);
    assert(!header->destroy);
    unlink_block(mem, header);
    free(header->raw);
}

void *vg_mem_own(vg_mem *mem, void (*destroy)(void *), void *object) {
    void *handle = try_alloc(mem, 0);
    if (!handle) {
        destroy(object);   /* nobody else would */
        vg_mem_fail(mem);
    }
    block_of(handle)->destroy = destroy;
    block_of(handle)->object = object;
    return handle;
}

void vg_mem_disown(vg_mem *mem, void *handle, bool destroy) {
    vg_block *block = block_of(handle);
    unlink_block(mem, block);
    if (destroy) {
        block->destroy(block->object);
    }
    free(block->raw);
}
