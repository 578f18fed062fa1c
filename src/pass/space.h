/* Addresses for blocks that come and go: best fit over the free blocks, neighbours joined when they are given back.
 * Free blocks lie in bins by size, four to each power of two, so that taking and giving back cost about the same
 * however many there are. Only addresses are handed out; there is no memory behind them. */
#ifndef VG_PASS_SPACE_H
#define VG_PASS_SPACE_H

#include "base/vec.h"

enum { VG_SPACE_ALIGN = 64, VG_SPACE_BINS = 256 };

typedef struct vg_space_block {
    uint64_t offset, size;
    uint32_t before, after;     /* neighbours by address; 0 is none */
    uint32_t previous, next;    /* in its bin, while free */
    bool     free;
} vg_space_block;

typedef struct vg_space {
    vg_mem  *mem;
    VG_VEC(vg_space_block) blocks;              /* from 1 */
    uint32_t bins[VG_SPACE_BINS];               /* the first free block of each; 0 is none */
    uint64_t filled[VG_SPACE_BINS / 64];        /* which bins have one, as bits */
    uint32_t last;                              /* the block with the highest address */
    uint64_t size;                              /* the end of the highest block there ever was */
} vg_space;

void     vg_space_init(vg_space *space, vg_mem *mem);
void     vg_space_release(vg_space *space);
/* A multiple of VG_SPACE_ALIGN that holds `bytes`, at least one. */
static inline uint64_t vg_space_round(uint64_t bytes) {
    return bytes == 0 ? VG_SPACE_ALIGN : (bytes + VG_SPACE_ALIGN - 1) / VG_SPACE_ALIGN * VG_SPACE_ALIGN;
}
uint32_t vg_space_take(vg_space *space, uint64_t bytes);
void     vg_space_give(vg_space *space, uint32_t block);
static inline uint64_t vg_space_offset(const vg_space *space, uint32_t block) {
    return space->blocks.items[block].offset;
}

/* A block whose whole life is known: it is there from one time to another, both with it. `bytes`: rounded. */
typedef struct vg_life { uint32_t begin, end; uint64_t bytes, offset; } vg_life;
enum { VG_LIVES = 1 << 12 };      /* no more, since each is compared with all others */
/* Gives each its offset, the largest first, in the narrowest gap between those that live at the same time (Pisarchyk, Lee:
 * "Efficient memory management for deep neural net inference", 2020). Returns the size of all. */
uint64_t vg_space_pack(vg_mem *mem, vg_life *lives, uint32_t count);

#endif
