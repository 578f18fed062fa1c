/* A hash table from 64-bit keys to 32-bit values, open addressing; the value 0 means absent. Whoever interns
 * larger things hashes them to a key and keeps a chain of its own (see str.c). */
#ifndef VG_BASE_MAP_H
#define VG_BASE_MAP_H

#include "base/mem.h"

/* A key in two halves, so that it takes no more room than it needs and lies beside its value. */
typedef struct vg_map_slot { uint32_t key[2], value; } vg_map_slot;
typedef struct vg_map {
    vg_map_slot *slots;
    uint32_t     count, capacity;   /* capacity is a power of two, or 0 */
} vg_map;

uint32_t vg_map_get(const vg_map *map, uint64_t key);                       /* 0 when absent */
void     vg_map_put(vg_mem *mem, vg_map *map, uint64_t key, uint32_t value); /* value is not 0; replaces */
void     vg_map_clear(vg_map *map);                                          /* keeps the memory */
void     vg_map_free(vg_mem *mem, vg_map *map);

/* A 64-bit hash of bytes; the same on every machine (initial values are keyed by it: see run/random.h). */
uint64_t vg_hash_bytes(const void *bytes, size_t length, uint64_t seed);
/* The same purpose for what consists of 32-bit words, `bytes` of them: faster, for tables that live in memory only,
 * since it depends on the machine's order of bytes. */
uint64_t vg_hash_words(const void *words, size_t bytes, uint64_t seed);
static inline uint64_t vg_hash_pair(uint64_t a, uint64_t b) {
    uint64_t h = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2))) * 0xff51afd7ed558ccdu;
    return h ^ (h >> 32);
}

#endif
