/* Philox by Random123 (random.h): the stream is its key; the block's index and the turn are its counter. */
#include "base/random.h"

#include <math.h>
#include <string.h>

#include <Random123/philox.h>

static inline philox4x32_ctr_t block_at(vg_random_key key, uint64_t index) {
    philox4x32_ctr_t counter = {
        { (uint32_t)index, (uint32_t)(index >> 32), (uint32_t)key.turn, (uint32_t)(key.turn >> 32) }
    };
    philox4x32_key_t words = { { (uint32_t)key.stream, (uint32_t)(key.stream >> 32) } };
    return philox4x32_R(10, counter, words);
}

void vg_random_block(vg_random_key key, uint64_t index, uint32_t out[4]) {
    philox4x32_ctr_t block = block_at(key, index);
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

/* ---- many at once */

enum { TOGETHER = 64 };
/* Blocks behind each other, word by word, so that compilers make several at once. */
typedef struct blocks { uint32_t words[4][TOGETHER]; } blocks;

static uint64_t bits_of(const blocks *b, uint32_t half, uint32_t k) {
    return b->words[2 * half][k] | (uint64_t)b->words[2 * half + 1][k] << 32;
}

static void make_blocks(vg_random_key key, uint64_t first, uint32_t count, blocks *out) {
    for (uint32_t k = 0; k < count; k++) {
        philox4x32_ctr_t block = block_at(key, first + k);
        for (int i = 0; i < 4; i++) {
            out->words[i][k] = block.v[i];
        }
    }
}

void vg_random_uniforms(vg_random_key key, uint64_t first, uint32_t count, double *out) {
    while (count > 0) {
        blocks some;
        double values[2 * TOGETHER];
        uint32_t half = first % 2, room = 2 * TOGETHER - half, now = count < room ? count : room;
        uint32_t needed = (half + now + 1) / 2;
        make_blocks(key, first / 2, needed, &some);
        for (uint32_t k = 0; k < needed; k++) {
            values[2 * k] = to_uniform(bits_of(&some, 0, k));
            values[2 * k + 1] = to_uniform(bits_of(&some, 1, k));
        }
        memcpy(out, values + half, now * sizeof *out);
        first += now;
        count -= now;
        out += now;
    }
}

/* Loops of one kind each: those without a call are vectorized, and of the others many calls are under way at once. */
static void some_normal_pairs(vg_random_key key, uint64_t first, uint32_t pairs, double *out) {
    double radius[TOGETHER], angle[TOGETHER];
    blocks some;
    make_blocks(key, first, pairs, &some);
    for (uint32_t k = 0; k < pairs; k++) {
        radius[k] = to_open(bits_of(&some, 0, k));
        angle[k] = 2 * M_PI * to_uniform(bits_of(&some, 1, k));
    }
    for (uint32_t k = 0; k < pairs; k++) {
        radius[k] = -2 * log(radius[k]);
    }
    for (uint32_t k = 0; k < pairs; k++) {
        radius[k] = sqrt(radius[k]);
    }
    for (uint32_t k = 0; k < pairs; k++) {
        out[2 * k] = radius[k] * cos(angle[k]);
        out[2 * k + 1] = radius[k] * sin(angle[k]);
    }
}

void vg_random_normal_pairs(vg_random_key key, uint64_t first, uint32_t pairs, double *out) {
    for (uint32_t begin = 0, now; begin < pairs; begin += now) {
        now = pairs - begin < TOGETHER ? pairs - begin : TOGETHER;
        some_normal_pairs(key, first + begin, now, out + 2 * (size_t)begin);
    }
}

void vg_random_normal_pair(vg_random_key key, uint64_t pair, double out[2]) {
    some_normal_pairs(key, pair, 1, out);
}

/* ---- one */

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
