/* Reverse-mode sweeps: the adjoint of any node, one table for each y, filled lazily and shared by every v.
 *
 * A sweep for y goes through the nodes y depends on by falling id and stops above the v that is asked for; a lower
 * v continues it. So all gradients of one y together cost one sweep. */
#ifndef VG_PASS_ADJOINT_H
#define VG_PASS_ADJOINT_H

#include "base/arena.h"
#include "ir/graph.h"

typedef struct vg_sweep vg_sweep;

typedef struct vg_adjoints {
    vg_graph *graph;                /* the adjoints are emitted into it */
    vg_mem   *mem;
    vg_arena  arena;
    vg_map    index;                /* y -> place in sweeps, from 1 */
    VG_VEC(vg_sweep *) sweeps;
    VG_VEC(uint8_t) wanted;         /* by node: it is, or depends on, a v of some grad */
    VG_VEC(vg_node) buffer;         /* the results of the rule at work */
} vg_adjoints;

void    vg_adjoints_init(vg_adjoints *adjoints, vg_graph *graph);
void    vg_adjoints_release(vg_adjoints *adjoints);
/* `node`, just emitted, will be asked for as a v. What depends on no such node is not swept. */
void    vg_adjoints_want(vg_adjoints *adjoints, vg_node node);
/* The adjoint of v in y (a float scalar): a node of v's shape, or 0 when no gradient of y reaches v. */
vg_node vg_adjoints_of(vg_adjoints *adjoints, vg_node y, vg_node v);

/* Reports at `place` why no gradient of y reaches v (missing.c). */
void    vg_gradient_missing(const vg_graph *graph, vg_node y, vg_node v, const vg_place *place);

#endif
