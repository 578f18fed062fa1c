/* The settings of a train block: which were given, --set in their place, and the run's numbers among them. */
#ifndef VG_FRONT_SETTINGS_H
#define VG_FRONT_SETTINGS_H

#include "front/elaborator.h"

typedef enum vg_setting {
    VG_S_optimizer, VG_S_batch, VG_S_params, VG_S_clip_norm, VG_S_clip_value, VG_S_every,
    VG_S_steps, VG_S_epochs, VG_S_seed, VG_S_shuffle, VG_S_eval_every, VG_S_checkpoint_every, VG_S_checkpoint_best,
    VG_SETTING_COUNT
} vg_setting;

/* Each setting's expression; 0: not given. */
typedef struct vg_settings { vg_tree_id tree[VG_SETTING_COUNT]; } vg_settings;

/* The settings of all train blocks, in their order, --set's in their place: e->trains.count of them, in e->arena.
 * Reports unknown, repeated and misplaced settings. */
vg_settings *vg_settings_read(vg_elaborator *e);
/* batch, steps, seed, shuffle, eval_every, checkpoint_every and _best: into the elaborator and, the first time, the unit. Without a block `blocks` is empty. */
void vg_settings_run(vg_elaborator *e, const vg_settings *blocks);
/* Examples in a mini-batch of block `k`, from 0. */
uint64_t vg_settings_batch(vg_elaborator *e, const vg_settings *blocks, uint32_t k);
/* How often block `k` has its turn. */
uint64_t vg_settings_every(vg_elaborator *e, const vg_settings *blocks, uint32_t k);

#endif
