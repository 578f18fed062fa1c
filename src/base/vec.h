/* Growing arrays: `VG_VEC(type)` declares one, zero-initialised is empty. An element's address does not survive
 * a push. Counts are uint32_t, as all ids are. */
#ifndef VG_BASE_VEC_H
#define VG_BASE_VEC_H

#include "base/mem.h"

#define VG_VEC(type) struct { type *items; uint32_t count, capacity; }

/* Makes room for `more` further elements of `size` bytes; used through the macros. */
void vg_vec_reserve_bytes(vg_mem *mem, void **items, uint32_t count, uint32_t *capacity, uint32_t more, size_t size);

#define vg_vec_reserve(mem, vec, more) \
    ((more) <= (vec)->capacity - (vec)->count ? (void)0 : \
     vg_vec_reserve_bytes((mem), (void **)&(vec)->items, (vec)->count, &(vec)->capacity, (more), sizeof *(vec)->items))
#define vg_vec_push(mem, vec, value) \
    (vg_vec_reserve((mem), (vec), 1), (void)((vec)->items[(vec)->count++] = (value)))
#define vg_vec_pop(vec)        ((vec)->items[--(vec)->count])
#define vg_vec_last(vec)       ((vec)->items[(vec)->count - 1])
#define vg_vec_free(mem, vec) \
    (vg_mem_free((mem), (vec)->items), (void)((vec)->items = NULL, (vec)->count = (vec)->capacity = 0))

#endif
