/* Hash tables of numbers (map.h): linear probing, at most three quarters full, nothing is ever taken out. */
#include "base/map.h"

#include <string.h>

enum { FIRST_CAPACITY = 16 };

/* The last step of MurmurHash3: every bit of the result depends on every bit of the input. */
static uint64_t mix(uint64_t h) {
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

static uint64_t key_of(const vg_map_slot *slot) { return slot->key[0] | (uint64_t)slot->key[1] << 32; }

/* The slot that holds `key`, or the empty one where it belongs. */
static vg_map_slot *slot_of(const vg_map *map, uint64_t key) {
    uint32_t mask = map->capacity - 1;
    uint32_t at = (uint32_t)mix(key) & mask;
    while (map->slots[at].value && key_of(&map->slots[at]) != key) {
        at = (at + 1) & mask;
    }
    return &map->slots[at];
}

uint32_t vg_map_get(const vg_map *map, uint64_t key) {
    return map->capacity ? slot_of(map, key)->value : 0;
}

static void grow(vg_mem *mem, vg_map *map) {
    if (map->capacity > UINT32_MAX / 2) {
        vg_mem_fail(mem);
    }
    uint32_t capacity = map->capacity ? 2 * map->capacity : FIRST_CAPACITY;
    vg_map grown = { .count = map->count, .capacity = capacity };
    grown.slots = vg_mem_alloc(mem, capacity * sizeof *grown.slots);
    for (uint32_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].value) {
            *slot_of(&grown, key_of(&map->slots[i])) = map->slots[i];
        }
    }
    vg_map_free(mem, map);
    *map = grown;
}

void vg_map_put(vg_mem *mem, vg_map *map, uint64_t key, uint32_t value) {
    if (map->count >= map->capacity / 4 * 3) {
        grow(mem, map);
    }
    vg_map_slot *slot = slot_of(map, key);
    map->count += !slot->value;
    *slot = (vg_map_slot){ { (uint32_t)key, (uint32_t)(key >> 32) }, value };
}

void vg_map_clear(vg_map *map) {
    if (map->capacity) {
        memset(map->slots, 0, map->capacity * sizeof *map->slots);
    }
    map->count = 0;
}

void vg_map_free(vg_mem *mem, vg_map *map) {
    vg_mem_free(mem, map->slots);
    *map = (vg_map){ 0 };
}

/* FNV-1a over the bytes, from a start that depends on the seed, then mixed. Byte by byte, so that the order of
 * bytes in a machine's words does not matter. */
uint64_t vg_hash_bytes(const void *bytes, size_t length, uint64_t seed) {
    const uint8_t *p = bytes;
    uint64_t h = 0xcbf29ce484222325u ^ mix(seed);
    for (size_t i = 0; i < length; i++) {
        h = (h ^ p[i]) * 0x100000001b3u;
    }
    return mix(h);
}

uint64_t vg_hash_words(const void *words, size_t bytes, uint64_t seed) {
    const char *at = words;
    uint64_t h = mix(seed + bytes), word;
    for (; bytes >= sizeof word; bytes -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        h = vg_hash_pair(h, word);
    }
    if (bytes) {
        uint32_t half;
        memcpy(&half, at, sizeof half);
        h = vg_hash_pair(h, half);
    }
    return h;
}
