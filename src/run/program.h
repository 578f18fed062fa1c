/* A program: flat steps over one arena, made from a graph for given numbers (batch size, precision). */
#ifndef VG_RUN_PROGRAM_H
#define VG_RUN_PROGRAM_H

#include "ir/unit.h"
#include "pass/pass.h"
#include "run/kernel.h"
#include "run/pace.h"
#include "run/profile.h"

/* Storage that outlives programs and is shared by them: variables and the inputs' batches. */
typedef struct vg_slot { vg_str path; vg_view view; } vg_slot;
typedef struct vg_store {
    vg_mem  *mem;
    uint32_t real;            /* bytes of a float element: 4 or 8 */
    const vg_kernels *kernels;   /* of the best instruction set; a test may put another */
    vg_map   map;             /* path -> slot index + 1 */
    VG_VEC(vg_slot) slots;
} vg_store;

void vg_store_init(vg_store *store, vg_mem *mem, uint32_t real);
void vg_store_release(vg_store *store);
/* The slot of this path, made (of zeros) when there is none: its index. */
uint32_t vg_store_slot(vg_store *store, vg_str path, const int64_t *dims, uint32_t rank, vg_dtype dtype);

/* Reading and writing elements as doubles, whatever a view holds. */
double vg_view_get(const vg_view *view, int64_t index, uint32_t real);
void   vg_view_set(const vg_view *view, int64_t index, uint32_t real, double value);
static inline size_t vg_view_bytes(const vg_view *view, uint32_t real) {
    return (size_t)view->count * (view->dtype == VG_I32 ? sizeof(int32_t) : real);
}

/* A kernel call: of one node, or of a group of elementwise ones. Or a histogram to take: then kernel is NULL. */
typedef struct vg_step_row {
    vg_kernel kernel;
    vg_node   node;                 /* of a group the last */
    uint32_t  first_in, in_count;   /* into program->views */
    uint32_t  out;                  /* of a group the first of its outputs, which lie behind each other */
    uint32_t  first_word, word_count;
    uint32_t  taken;                /* of a histogram: its place in program->taken */
    bool      stores;               /* writes variables: not run where the step has failed */
    uint64_t  cadences;
    struct vg_group *group;         /* NULL: none */
    vg_share  share;
} vg_step_row;

/* What a thread works with. */
typedef struct vg_worker {
    vg_context context;
    vg_node    fault_node;          /* of context.fault: the first in the graph's order, whatever runs first */
    uint32_t  *counters;            /* of histograms (kernel.h), all 0 between two; NULL: the program takes none */
    vg_tally  *tallies;
} vg_worker;

/* A root and where its operands' values lie: program->views[view .. view + view_count). */
typedef struct vg_root_row {
    vg_node  node;
    vg_op    op;
    uint32_t view, view_count;
    uint64_t cadences;
    uint32_t slot;            /* update, initial: of the variable */
    uint32_t after;           /* initial: the steps that come before it */
    uint32_t taken;           /* histogram: its place in program->taken */
    bool     stored;          /* update whose new value is written straight into the variable */
    void    *staging;         /* update whose new value is itself a variable's memory: copied here first; else NULL */
} vg_root_row;

/* A scalar computed in double on the host once a turn; `view` receives it. fixed: once, as it depends on no step. */
typedef struct vg_host_row { vg_node node; uint32_t view; bool fixed; } vg_host_row;

/* How a program is made. */
typedef struct vg_program_options {
    vg_part  part;
    uint32_t turn;
    bool     updates;
    bool     no_fuse;         /* one step a node, in id order: for tests and for looking */
    struct vg_pool *pool;     /* threads that share the steps; NULL: the caller's alone */
} vg_program_options;

typedef struct vg_program {
    vg_mem         *mem;
    vg_arena        arena;          /* groups, and what histograms need */
    const vg_unit  *unit;
    const vg_graph *graph;
    vg_store       *store;
    const int64_t  *symbols;        /* by vg_symbol: belongs to the caller, who keeps it */
    vg_part         part;
    vg_schedule     schedule;
    vg_plan         plan;
    uint32_t        real;           /* 4 or 8 */
    VG_VEC(vg_view)     views;
    VG_VEC(uint64_t)    words;
    VG_VEC(vg_step_row) once, steps;
    VG_VEC(vg_root_row) roots;
    VG_VEC(vg_distribution) taken;  /* histograms of the last execution in which they were due */
    VG_VEC(vg_host_row) host;       /* in the order of their nodes */
    double         *host_values;    /* by place in `host` */
    uint32_t       *host_of;        /* by node: place in `host` + 1; 0 is none */
    uint32_t       *view_of;        /* by node; 0 is none */
    char           *memory, *kept, *host_memory, *scratch;
    uint64_t        scratch_bytes;
    struct vg_pool *pool;
    vg_worker      *workers;        /* one a thread of schedule.threads */
    vg_pace         pace;           /* whether they work together, where there are several */
    uint64_t        due, updates_due;      /* the cadences of the execution, and of its updates: not all at the last step */
    bool            uses_blas;      /* around an execution, vg_blas_enter and vg_blas_leave */
    bool            once_done;
    vg_node         fault_node;     /* where the fault of the last execution came from; 0 is none */
    vg_profile     *profile;        /* the caller's, who sets it; NULL: nobody asks where the time goes */
    uint32_t        first_line;     /* there: of `steps` */
} vg_program;

/* False after reporting (sizes that overflow). */
bool vg_program_make(vg_program *program, vg_mem *mem, const vg_unit *unit, const vg_graph *graph, vg_store *store,
                     vg_program_options options, const int64_t *symbols, uint32_t real);
/* Computes everything that is due at `context->step` of `steps`. Some updates are written into their variables on the way
 * (root.stored), but nothing where there was a fault before, or the loss is not finite; the others wait for
 * vg_program_apply. The initial part writes each value into its variable as soon as it is there, since a later one may read
 * it. False after a fault. */
bool vg_program_execute(vg_program *program, vg_context *context, uint64_t steps);
/* Copies the new values of the updates that are due into their variables, all together. */
void vg_program_apply(vg_program *program, const vg_context *context, uint64_t steps);
/* The cadences that are due at a step. With last_counts, everything is at the last, too. */
uint64_t vg_program_due(const vg_program *program, uint64_t step, uint64_t steps, bool last_counts);
void vg_program_release(vg_program *program);

#endif
