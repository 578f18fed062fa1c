/* What the files of gradcheck share: gradcheck.c (every variable of the loss), gradcheck_second.c (the derivative of
 * its gradient), gradcheck_blame.c (which operator is wrong), gradcheck_graph.c (graphs and programs), probe.c (lines
 * through a variable's values). */
#ifndef VG_API_GRADCHECK_H
#define VG_API_GRADCHECK_H

#include "api/difference.h"
#include "api/run.h"
#include "base/random.h"

/* Nodes of a graph that leaves stand for in copies of it, holding the values that the nodes had. */
typedef struct vg_held {
    const vg_graph *graph;
    const char     *name;      /* the leaves' paths begin with it; of each graph its own */
    uint8_t        *marks;     /* by node */
} vg_held;

/* What is known of single operators, once something is wrong. */
typedef struct vg_blame {
    vg_graph graph;        /* differentiated, not simplified, so that nothing is out of sight; ir NULL: not made yet */
    vg_held  operands;     /* of the operators in it */
    uint8_t *depends;      /* by node: on a trainable variable */
    uint8_t *verdict[2];   /* by node: of its derivative, and of the derivative of that */
    bool     ready;        /* the operands' values are known */
} vg_blame;

typedef struct vg_check {
    vg_model *model;
    vg_run   *run;
    uint64_t  seed;
    bool    (*report)(void *user, const vg_gradcheck_row *row);
    void     *user;
    vg_graph  base;        /* the losses' sum as plain nodes: grad and replace expanded, nothing simplified; fetch 0 */
    vg_node   loss;        /* in base */
    vg_held   stopped;     /* of base: the model's stop_gradients, through which differences must not see either */
    vg_blame  blame;
    vg_status status;
} vg_check;

typedef struct vg_comparison {
    uint64_t checked, skipped;
    double   worst;        /* the largest difference / the tensor's largest derivative */
    bool     ok;
} vg_comparison;

/* Adds a judgement. */
void vg_comparison_add(vg_comparison *comparison, const vg_judge *judge);
/* One row for the caller, with the blame when it is wrong; false when he has enough. */
bool vg_check_report(vg_check *check, uint32_t variable, const vg_comparison *result, const char *blame);
/* The draws of this variable's check. */
vg_random_key vg_check_key(const vg_check *check, uint32_t variable);

/* ---- gradcheck_graph.c */

/* Fetch 0 of the elaborated graph's copy: the sum of all blocks' losses; 0 when nothing is trained. Each has a weight
 * of its own, so that one does not take away another's gradient, as players in a game do. */
vg_node vg_gradcheck_losses(const vg_graph *from, vg_graph *into);
/* The gradient of `loss` by each trainable variable (by all nodes that stand for it), by variable: zeros where `loss`
 * does not depend on it, 0 where it is not in the graph. */
void vg_gradcheck_gradients(vg_run *run, vg_graph *graph, vg_node loss, vg_node *gradients);
/* The same as fetches: 1 + k is that of variable k. */
void vg_gradcheck_fetch_gradients(vg_run *run, vg_graph *graph, vg_node loss);
/* A leaf whose value lies in the store under `path`. */
vg_node vg_gradcheck_leaf(vg_graph *graph, vg_shape shape, vg_dtype dtype, vg_str path);
/* The leaf that stands for a node. */
vg_node vg_gradcheck_held(vg_graph *graph, const vg_held *held, vg_node node);
/* Copies into `into` what the `count` targets of `from` depend on, with leaves for the marked nodes (NULL: none);
 * returns the copies in `targets`. */
void vg_gradcheck_copy(const vg_graph *from, vg_graph *into, vg_node *targets, uint32_t count, const vg_held *held);
/* Puts the values that the marked nodes have now where their leaves find them. False after reporting. */
bool vg_gradcheck_hold(vg_run *run, const vg_held *held);
/* Marks the nodes that depend on the variable (0: on any trainable one). To be freed. */
uint8_t *vg_gradcheck_dependents(vg_run *run, const vg_graph *graph, vg_str variable);
/* A root that reads `node`. */
void vg_gradcheck_fetch(vg_graph *graph, vg_node node, uint32_t index);
/* Differentiates and simplifies the graph, which is replaced, and makes the program of its fetches, in float64, over
 * the run's variables and batch. False after reporting. */
bool vg_gradcheck_program(vg_run *run, vg_graph *graph, vg_program *program);
/* Where fetch `index` lies; NULL when it is not there. */
const vg_view *vg_gradcheck_view(const vg_program *program, uint32_t index);

/* ---- probe.c */

enum { VG_ALL_UP_TO = 64, VG_ENTRIES = 32, VG_DIRECTIONS = 4 };   /* of larger tensors 32 entries and 4 directions */

/* A random direction of length 1. */
void   vg_draw_direction(double *direction, int64_t size, vg_random_key key);
/* Entry number `index` of those that are looked at. */
int64_t vg_draw_entry(vg_random_key key, uint64_t index, int64_t size);
/* How far a tensor is moved for what depends on it to change noticeably. */
double vg_tensor_unit(const double *values, int64_t size);

/* Fetch 0 of a program along the lines through what lies in the slot, against `gradient`; all draws are held. */
vg_comparison vg_probe_compare(vg_run *run, vg_program *program, const vg_view *slot, const double *gradient,
                               vg_random_key key);

/* ---- gradcheck_second.c */

/* The derivative of the gradient, a row a variable. */
vg_status vg_gradcheck_second(vg_check *check);

/* ---- gradcheck_blame.c */

/* Makes ready to look for the wrong operator of blame->graph, whose columns the caller fills and frees. */
void vg_blame_begin(vg_blame *blame, vg_run *run);
/* The first operator on the way from the variable (0: from any) whose own derivative is wrong, or its derivative's,
 * with its source line, in ir->arena; a general answer when none stands out. */
const char *vg_blame_find(vg_blame *blame, vg_run *run, vg_str variable, vg_random_key key);

#endif
