/* What stands behind the public handles, for the files of this folder alone. */
#ifndef VG_API_MODEL_H
#define VG_API_MODEL_H

#include "front/elaborate.h"
#include "ir/unit.h"
#include "pass/pass.h"
#include "vgraph.h"

/* Where the text of a pass's graph goes. */
typedef struct vg_dump_to { vg_write write; void *user; } vg_dump_to;

struct vg_model {
    vg_mem      mem;
    vg_ir       ir;
    vg_unit     unit;
    vg_graph    elaborated[2];       /* as unit.graph was before the passes: what gradcheck starts from */
    vg_front    front;               /* trees and options */
    vg_dump     dump;                /* passes whose graphs are written out */
    vg_dump_to  dumps[VG_PASS_COUNT + 1];
    vg_watching watch;
    bool        evaluates;           /* unit.graph[0] is made */
    bool        loaded;              /* without an error: runs can be made */
    const char *name;                /* what messages call the text */
    const char *source;
    size_t      source_length;
};

/* An entry point's work. Called by vg_model_guard with the escapes set. */
typedef vg_status (*vg_body)(void *user);

/* Runs `body(user)` so that an allocation that fails in the model's memory or in `other` (NULL: none) ends here:
 * reported as memory_failed, with VG_FAILED_RESOURCE as the answer. Guards nest. */
vg_status vg_model_guard(vg_model *model, vg_mem *other, vg_body body, void *user);
/* The same, but then `complain(user)` is called to report what there was no memory for. */
vg_status vg_model_guard_or(vg_model *model, vg_mem *other, vg_body body, vg_body complain, void *user);

/* Copies a text among the sources of the diagnostics. Its index; 0 after reporting that it is too long. */
uint32_t vg_model_add_source(vg_model *model, vg_source_kind kind, const char *name, const char *text, size_t length);

/* Whether the host program provides the data set of this name. src/api/provide.c */
bool vg_model_provides(const vg_model *model, vg_str name);

/* The exit status that the model's diagnostics ask for; VG_OK without any. */
vg_status vg_model_status(const vg_model *model);

/* Makes unit.graph[0] (`training` false) when it is not made yet. False after reporting. Inside a guard. */
bool vg_model_evaluation(vg_model *model);

#endif
