/* What gradcheck.c (every variable of the loss) and gradcheck_blame.c (which operator is wrong) share. */
#ifndef VG_API_GRADCHECK_H
#define VG_API_GRADCHECK_H

#include "api/run.h"
#include "base/random.h"

/* A function of what lies in slots: fetch 0 of a program, at step 0 with all draws held fixed. */
typedef struct vg_probe {
    vg_program *program;
    vg_context  context;
    double      value;        /* where the slots hold what they held at first */
} vg_probe;

typedef struct vg_comparison {
    uint64_t checked, skipped;
    double   worst;           /* the largest difference / the tensor's largest gradient */
    bool     ok;
} vg_comparison;

/* Copies into `into` what the `count` targets of `from` depend on; returns the copies in `targets`. With `hold`, a
 * variable of its own (vg_gradcheck_held) stands for each stop_gradient: differences must not see through it either. */
void vg_gradcheck_copy(const vg_graph *from, vg_graph *into, vg_node *targets, uint32_t count, bool hold);
vg_str vg_gradcheck_held(vg_ir *ir, vg_node stop_gradient);
/* A new variable of the graph. */
vg_node vg_gradcheck_variable(vg_graph *graph, vg_shape shape, vg_str path);
/* A root that reads `node`. */
void vg_gradcheck_fetch(vg_graph *graph, vg_node node, uint32_t index);
/* Differentiates and simplifies; false after reporting. The graph is replaced. */
bool vg_gradcheck_pass(vg_run *run, vg_graph *graph);
/* The program of the graph's fetches, in float64, over the run's variables and batch. */
bool vg_gradcheck_program(vg_run *run, const vg_graph *graph, vg_program *program);
/* Where fetch `index` lies; NULL when it is not there. */
const vg_view *vg_gradcheck_view(const vg_program *program, uint32_t index);

vg_probe      vg_probe_of(vg_run *run, vg_program *program);
/* `gradient` against differences of the probe by the slot's elements: all of up to 64, else 32 random ones and along
 * 4 random directions. */
vg_comparison vg_probe_compare(vg_probe *probe, const vg_view *slot, const double *gradient, vg_random_key key);

/* The operator on the way from the variable to the loss whose own derivative is wrong, with its source line, in
 * ir->arena; a general answer when none stands out. */
const char *vg_gradcheck_blame(vg_run *run, const vg_graph *graph, vg_str variable, vg_random_key key);

#endif
