/* The address allocator of the planner (see space.h). */
#include <stdlib.h>
#include <string.h>

#include "pass/space.h"

enum { SCAN_LIMIT = 32 };   /* blocks of one bin looked at for the best fit */

void vg_space_init(vg_space *space, vg_mem *mem) {
    *space = (vg_space){ .mem = mem };
    vg_vec_push(mem, &space->blocks, (vg_space_block){ 0 });
}

void vg_space_release(vg_space *space) {
    vg_vec_free(space->mem, &space->blocks);
}

/* ---- bins */

/* By the highest bit of the size and the two behind it. Sizes are multiples of 64, so there are always two. */
static uint32_t bin_of(uint64_t size) {
    uint32_t high = 63 - (uint32_t)__builtin_clzll(size);
    return high * 4 + (uint32_t)(size >> (high - 2) & 3);
}

static void enter_bin(vg_space *space, uint32_t block) {
    vg_space_block *at = &space->blocks.items[block];
    uint32_t        bin = bin_of(at->size);
    at->free = true;
    at->previous = 0;
    at->next = space->bins[bin];
    if (at->next != 0) space->blocks.items[at->next].previous = block;
    space->bins[bin] = block;
    space->filled[bin / 64] |= (uint64_t)1 << bin % 64;
}

static void leave_bin(vg_space *space, uint32_t block) {
    vg_space_block *at = &space->blocks.items[block];
    uint32_t        bin = bin_of(at->size);
    at->free = false;
    if (at->next != 0) space->blocks.items[at->next].previous = at->previous;
    if (at->previous != 0) space->blocks.items[at->previous].next = at->next;
    else space->bins[bin] = at->next;
    if (space->bins[bin] == 0) space->filled[bin / 64] &= ~((uint64_t)1 << bin % 64);
}

/* The first filled bin from `bin` on, or VG_SPACE_BINS. */
static uint32_t next_filled(const vg_space *space, uint32_t bin) {
    while (bin < VG_SPACE_BINS) {
        uint64_t left = space->filled[bin / 64] >> bin % 64;
        if (left != 0) return bin + (uint32_t)__builtin_ctzll(left);
        bin = (bin / 64 + 1) * 64;
    }
    return VG_SPACE_BINS;
}

static uint32_t best_fit(const vg_space *space, uint64_t size) {
    uint32_t bin = bin_of(size);
    while ((bin = next_filled(space, bin)) < VG_SPACE_BINS) {
        uint32_t best = 0, left = SCAN_LIMIT;
        for (uint32_t block = space->bins[bin]; block != 0 && left-- > 0; block = space->blocks.items[block].next) {
            uint64_t own = space->blocks.items[block].size;
            if (own >= size && (best == 0 || own < space->blocks.items[best].size)) best = block;
        }
        if (best != 0) return best;
        bin++;
    }
    return 0;
}

/* ---- blocks */

/* A used block behind `before` (0: the first). */
static uint32_t insert(vg_space *space, uint32_t before, uint64_t offset, uint64_t size) {
    uint32_t block = space->blocks.count;
    uint32_t after = before ? space->blocks.items[before].after : 0;
    vg_vec_push(space->mem, &space->blocks,
                ((vg_space_block){ .offset = offset, .size = size, .before = before, .after = after }));
    if (before != 0) space->blocks.items[before].after = block;
    if (after != 0) space->blocks.items[after].before = block;
    else space->last = block;
    return block;
}

/* Where nothing fits, the end grows: by the whole size, or by what a free block there lacks. */
static uint32_t grow(vg_space *space, uint64_t size) {
    uint32_t        last = space->last;
    vg_space_block *at = &space->blocks.items[last];
    if (last != 0 && at->free) {
        leave_bin(space, last);
        space->size += size - at->size;
        at->size = size;
        return last;
    }
    uint64_t offset = space->size;
    space->size += size;
    return insert(space, last, offset, size);
}

uint32_t vg_space_take(vg_space *space, uint64_t bytes) {
    uint64_t size = vg_space_round(bytes);
    uint32_t block = best_fit(space, size);
    if (block == 0) return grow(space, size);
    leave_bin(space, block);
    uint64_t rest = space->blocks.items[block].size - size;
    if (rest > 0) {
        space->blocks.items[block].size = size;
        enter_bin(space, insert(space, block, space->blocks.items[block].offset + size, rest));
    }
    return block;
}

/* Joins `block` with the one behind it, whose record is left over. */
static void absorb_next(vg_space *space, uint32_t block) {
    vg_space_block *at = &space->blocks.items[block];
    vg_space_block *other = &space->blocks.items[at->after];
    at->size += other->size;
    at->after = other->after;
    if (at->after != 0) space->blocks.items[at->after].before = block;
    else space->last = block;
}

void vg_space_give(vg_space *space, uint32_t block) {
    uint32_t before = space->blocks.items[block].before, after = space->blocks.items[block].after;
    if (after != 0 && space->blocks.items[after].free) {
        leave_bin(space, after);
        absorb_next(space, block);
    }
    if (before != 0 && space->blocks.items[before].free) {
        leave_bin(space, before);
        absorb_next(space, before);
        block = before;
    }
    enter_bin(space, block);
}

/* ---- all at once */

typedef struct sized { uint64_t bytes; uint32_t begin, life; } sized;

static int compare(const void *a, const void *b) {
    const sized *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* `placed` by rising offset; where among them the new one lies is returned. */
static uint32_t place(vg_life *lives, const uint32_t *placed, uint32_t count, vg_life *new) {
    uint64_t low = 0, narrowest = UINT64_MAX;
    for (uint32_t k = 0; k < count; k++) {
        const vg_life *other = &lives[placed[k]];
        if (other->begin > new->end || new->begin > other->end) continue;
        if (other->offset >= low + new->bytes && other->offset - low < narrowest) {
            narrowest = other->offset - low;
            new->offset = low;
        }
        if (other->offset + other->bytes > low) low = other->offset + other->bytes;
    }
    if (narrowest == UINT64_MAX) new->offset = low;
    uint32_t at = count;
    while (at > 0 && lives[placed[at - 1]].offset > new->offset) at--;
    return at;
}

uint64_t vg_space_pack(vg_mem *mem, vg_life *lives, uint32_t count) {
    sized *order = vg_mem_alloc(mem, count * sizeof *order);
    uint32_t *placed = vg_mem_alloc(mem, count * sizeof *placed);
    uint64_t size = 0;
    for (uint32_t k = 0; k < count; k++) order[k] = (sized){ lives[k].bytes, lives[k].begin, k };
    if (count > 1) qsort(order, count, sizeof *order, compare);
    for (uint32_t k = 0; k < count; k++) {
        vg_life *new = &lives[order[k].life];
        const uint32_t at = place(lives, placed, k, new);
        memmove(placed + at + 1, placed + at, (k - at) * sizeof *placed);
        placed[at] = order[k].life;
        if (new->offset + new->bytes > size) size = new->offset + new->bytes;
    }
    vg_mem_free(mem, placed);
    vg_mem_free(mem, order);
    return size;
}
