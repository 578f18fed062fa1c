/* Room for growing arrays (vec.h). */
#include "base/vec.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

void vg_vec_reserve_bytes(vg_mem *mem, void **items, uint32_t count, uint32_t *capacity, uint32_t more, size_t size) {
    if (more <= *capacity - count) {
        return;
    }
    uint64_t needed = (uint64_t)count + more;
    uint64_t grown = *capacity ? 2 * (uint64_t)*capacity : FIRST_CAPACITY;
    grown = grown < needed ? needed : grown;
    grown = grown < UINT32_MAX ? grown : UINT32_MAX;
    if (needed > UINT32_MAX || grown > SIZE_MAX / 2 / size) {
        vg_mem_fail(mem);
    }
    /* `items` is really a `type **`: read and written as bytes, which may alias anything. */
    void *block;
    memcpy(&block, items, sizeof block);
    block = vg_mem_resize(mem, block, (size_t)grown * size);
    memcpy(items, &block, sizeof block);
    *capacity = (uint32_t)grown;
}
