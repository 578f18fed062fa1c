/* Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011), by the Random123 library. A number depends on its key and its place alone, never on what was drawn
 * before; LANGUAGE.md says what the keys are made of. */
#ifndef VG_BASE_RANDOM_H
#define VG_BASE_RANDOM_H

#include <stdint.h>

typedef struct vg_random_key { uint64_t stream; uint64_t turn; } vg_random_key;

/* Four 32-bit numbers of block `index`. */
void vg_random_block(vg_random_key key, uint64_t index, uint32_t out[4]);
/* Number `index` as a double in [0, 1) with 53 bits / in (0, 1) never 0. Each index owns half a block. */
double vg_random_uniform(vg_random_key key, uint64_t index);
double vg_random_open(vg_random_key key, uint64_t index);
/* Numbers 2*pair and 2*pair+1 of the standard normal distribution (Box and Muller 1958), in double. */
void vg_random_normal_pair(vg_random_key key, uint64_t pair, double out[2]);
/* The same for many: numbers first .. first + count - 1 in [0, 1); pairs first .. first + pairs - 1, behind each other.
 * The bits are those of the functions above. */
void vg_random_uniforms(vg_random_key key, uint64_t first, uint32_t count, double *out);
void vg_random_normal_pairs(vg_random_key key, uint64_t first, uint32_t pairs, double *out);
/* out[i] = mean + deviation * number i of the standard normal distribution, computed in double; to float rounded once.
 * As a kernel wants them; the float ones in half the time, with the same bits. */
void vg_random_normals_f32(vg_random_key key, double mean, double deviation, float *out, uint64_t count);
void vg_random_normals_f64(vg_random_key key, double mean, double deviation, double *out, uint64_t count);
/* A whole number in [0, bound), without bias worth speaking of (64-bit multiply-shift). bound > 0. */
uint64_t vg_random_below(vg_random_key key, uint64_t index, uint64_t bound);
/* Fisher-Yates: fills order[0..count) with a permutation of 0..count-1. */
void vg_random_shuffle(vg_random_key key, uint32_t *order, uint32_t count);

#endif
