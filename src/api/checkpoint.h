/* Checkpoints: a run's variables and where it stands, as a safetensors file, with the model that it is of.
 *
 * The tensors are the variables and states by their paths (F32, or F64 of a run with float64), the arrays that
 * `load` has read (under load("PATH")), and what findings are judged by (FINDINGS, of bytes: of this program alone). The
 * metadata are four texts, three of them JSON:
 *   vgraph          the layout's number, VG_CHECKPOINT_LAYOUT
 *   vgraph.model    {"name", "sources": [[name, text]...], "set": [[name, text]...], "data": ..., "summary": [text...],
 *                   "batch", "steps", "seed"}: what the model was made from, the main file first
 *   vgraph.data     what its data sets were (data/facts.h)
 *   vgraph.run      {"step", "steps", "seed", "float64", "loaders": [[data, epoch, next]...], "expects": [failures...],
 *                   "evaluated", "best"}: how far the run is
 * Nothing in it depends on when or where it was written: the same run leaves the same bytes. */
#ifndef VG_API_CHECKPOINT_H
#define VG_API_CHECKPOINT_H

#include <jansson.h>

#include "api/run.h"
#include "data/safetensors.h"

#define VG_CHECKPOINT_LAYOUT   "1"
#define VG_CHECKPOINT_MODEL    "vgraph.model"
#define VG_CHECKPOINT_DATA     "vgraph.data"
#define VG_CHECKPOINT_RUN      "vgraph.run"
#define VG_CHECKPOINT_FINDINGS "vgraph.findings"

/* Takes over what a function of jansson has made; ends as a failed allocation does where it is NULL. `mem` destroys it
 * when it is released. */
json_t *vg_checkpoint_own(vg_mem *mem, json_t *object);

/* ---- checkpoint_model.c: vgraph.model */
/* A new reference, of `mem`. */
json_t *vg_checkpoint_describe(vg_model *model, vg_mem *mem);
/* Opens a checkpoint; false after reporting: it cannot be read, or (`ours`) is none of this program's. The file is mem's. */
bool vg_checkpoint_open(vg_model *model, vg_mem *mem, const char *path, bool ours, vg_safetensors *file);
/* A metadata's JSON, of `mem`; NULL after reporting that it is none. */
json_t *vg_checkpoint_object(vg_model *model, vg_mem *mem, const vg_safetensors *file, const char *key);
/* Whether a tensor is one of the arrays that `load` has read: its path, in `arena`. */
bool vg_checkpoint_is_loaded(vg_arena *arena, const char *tensor, const char **path);

/* ---- judge_keep.c */
/* What a run's findings are judged by, as bytes (mem's, `length` of them); NULL: nobody judges. */
void *vg_judge_keep(vg_run *run, vg_mem *mem, size_t *length);
/* Takes them up again; false when they are not this model's. */
bool  vg_judge_recall(vg_run *run, const void *bytes, size_t length);

#endif
