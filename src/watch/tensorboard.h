/* The parts of the TensorBoard sink: framing, histograms, the graph, what is told of the model. */
#ifndef VG_WATCH_TENSORBOARD_H
#define VG_WATCH_TENSORBOARD_H

#include "base/arena.h"
#include "base/str.h"
#include "ir/graph.h"
#include "tensorboard.pb-c.h"
#include "vgraph.h"

enum { VG_TENSORBOARD_FLOAT = 1, VG_TENSORBOARD_DOUBLE = 2, VG_TENSORBOARD_STRING = 7,      /* dtypes */
       VG_TENSORBOARD_CLASS_TENSOR = 2, VG_TENSORBOARD_CLASS_BLOBS = 3 };

#define VG_TENSORBOARD_PREFIX "events.out.tfevents."      /* what an event file's name begins with */

uint32_t vg_crc32c(const void *bytes, size_t length);
uint32_t vg_crc32c_masked(const void *bytes, size_t length);
/* Appends one record: length, its CRC, the bytes, their CRC. */
void vg_tensorboard_frame(vg_text *out, const void *bytes, size_t length);
/* Appends an event as one record. */
void vg_tensorboard_event(vg_text *out, vg_arena *arena, const VgTb__Event *event);
/* Appends an event of one value. */
void vg_tensorboard_value(vg_text *out, vg_arena *arena, double wall_time, uint64_t step, VgTb__Value *value);
/* Appends the record every event file begins with. */
void vg_tensorboard_version(vg_text *out, vg_arena *arena, double wall_time);

enum { VG_BIN_LIMIT = 96 };

/* left, right, count: a row of the histogram tensor. */
typedef struct vg_bin { double left, right, count; } vg_bin;
_Static_assert(sizeof(vg_bin) == 3 * sizeof(double), "rows lie behind each other in the tensor");

/* A histogram as at most VG_BIN_LIMIT rising bins: neighbours merged, the outer edges min and max, zeros in a
 * narrow bin of their own. Returns how many; 0 when no element is finite. */
size_t vg_bins_of(const vg_histogram *histogram, vg_arena *arena, vg_bin bins[VG_BIN_LIMIT]);

typedef struct vg_bytes { const uint8_t *bytes; size_t length; } vg_bytes;
/* Why the event file goes without this graph, a constant text; NULL: it does not. */
const char *vg_tensorboard_graph_missing(const vg_graph *graph);
/* The packed GraphDef; empty when the graph is, or is larger than TensorBoard can show. */
vg_bytes vg_tensorboard_graph(const vg_graph *graph, vg_arena *arena);

/* ---- what is told of the model: its source as text, its --set values as hyperparameters */

#define VG_TENSORBOARD_MODEL_TAG "model"
#define VG_TENSORBOARD_START_TAG "_hparams_/session_start_info"
#define VG_TENSORBOARD_END_TAG   "_hparams_/session_end_info"
/* Appends the source, and the hyperparameters when there are any. `group`: what TensorBoard calls the run. */
void vg_tensorboard_model(vg_text *out, vg_arena *arena, const vg_model *model, const char *group, double wall_time);
/* Appends how the run with these hyperparameters ended. Nothing without any. */
void vg_tensorboard_model_end(vg_text *out, vg_arena *arena, const vg_model *model, vg_status status, double wall_time);

#endif
