/* Philox by Random123 (random.h): the stream is its key; the block's index and the turn are its counter. */
#include "base/random.h"

#include <math.h>

#include <Random123/philox.h>

void vg_random_block(vg_random_key key, uint64_t index, uint32_t out[4]) {
    philox4x32_ctr_t counter = {
        { (uint32_t)index, (uint32_t)(index >> 32), (uint32_t)key.turn, (uint32_t)(key.turn >> 32) }
    };
    philox4x32_key_t words = { { (uint32_t)key.stream, (uint32_t)(key.stream >> 32) } };
    philox4x32_ctr_t block = philox4x32_R(10, counter, words);
    for (int i = 0; i < 4; i++) {
        out[i] = block.v[i];
    }
}

/* Number `index` as 64 bits: one half of a block. */
static uint64_t bits_at(vg_random_key key, uint64_t index) {
    uint32_t block[4];
    vg_random_block(key, index / 2, block);
    const uint32_t *half = block + 2 * (index % 2);
    return half[0] | (uint64_t)half[1] << 32;
}

static double to_uniform(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }
static double to_open(uint64_t bits) { return ((double)(bits >> 12) + 0.5) * 0x1p-52; }

double vg_random_uniform(vg_random_key key, uint64_t index) { return to_uniform(bits_at(key, index)); }
double vg_random_open(vg_random_key key, uint64_t index) { return to_open(bits_at(key, index)); }

void vg_random_normal_pair(vg_random_key key, uint64_t pair, double out[2]) {
    uint32_t block[4];
    vg_random_block(key, pair, block);
    double radius = sqrt(-2 * log(to_open(block[0] | (uint64_t)block[1] << 32)));
    double angle = 2 * M_PI * to_uniform(block[2] | (uint64_t)block[3] << 32);
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}

uint64_t vg_random_below(vg_random_key key, uint64_t index, uint64_t bound) {
    return (uint64_t)((unsigned __int128)bits_at(key, index) * bound >> 64);
}

void vg_random_shuffle(vg_random_key key, uint32_t *order, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = (uint32_t)vg_random_below(key, i, (uint64_t)i + 1);
        order[i] = order[other];   /* itself when other is i */
        order[other] = i;
    }
}
