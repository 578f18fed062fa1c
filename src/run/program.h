/* A program: flat steps over one arena, made from a graph for given numbers (batch size, precision). */
#ifndef VG_RUN_PROGRAM_H
#define VG_RUN_PROGRAM_H

#include "ir/unit.h"
#include "pass/pass.h"
#include "run/kernel.h"

/* Storage that outlives programs and is shared by them: variables and the inputs' batches. */
typedef struct vg_slot { vg_str path; vg_view view; } vg_slot;
typedef struct vg_store {
    vg_mem *mem;
    vg_map  map;              /* path -> slot index + 1 */
    VG_VEC(vg_slot) slots;
} vg_store;

typedef struct vg_step_row {
    vg_kernel kernel;
    vg_node   node;
    uint32_t  first_in, in_count;   /* into program->views */
    uint32_t  out;
    uint32_t  first_word, word_count;
    uint64_t  cadences;
} vg_step_row;

/* A root and where its value lies. */
typedef struct vg_root_row { vg_node node; vg_op op; uint32_t view, view_count; uint64_t cadences; uint32_t slot; } vg_root_row;

typedef struct vg_program {
    vg_mem         *mem;
    const vg_graph *graph;
    vg_schedule     schedule;
    vg_plan         plan;
    uint32_t        real;           /* 4 or 8 */
    VG_VEC(vg_view)     views;
    VG_VEC(uint64_t)    words;
    VG_VEC(vg_step_row) once, steps;
    VG_VEC(vg_root_row) roots;
    VG_VEC(vg_node)     host;       /* host scalars in order */
    double         *host_values;    /* by place in `host` */
    uint32_t       *view_of;        /* by node; 0 is none */
    void           *memory, *kept, *scratch;
    uint64_t        scratch_bytes;
    bool            once_done;
} vg_program;

/* False after reporting (sizes that overflow, an input without a value). */
bool vg_program_make(vg_program *program, vg_mem *mem, const vg_unit *unit, const vg_graph *graph, vg_store *store,
                     vg_part part, uint32_t turn, bool updates, const int64_t *symbols, uint32_t real);
/* Computes everything that is due at `context->step` of `steps`, without applying updates. */
bool vg_program_execute(vg_program *program, vg_context *context, uint64_t steps);
/* Copies the new values of updates (or initial values) into their variables. */
void vg_program_apply(vg_program *program, const vg_context *context, uint64_t steps);
bool vg_program_due(const vg_program *program, uint64_t cadences, uint64_t step, uint64_t steps, bool last_counts);
void vg_program_release(vg_program *program);

#endif
