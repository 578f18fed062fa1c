/* The nodes that something depends on, visited from the highest id down. Node ids are a topological order, so a
 * node's turn comes when everything that uses it has had its own. Its memory and work grow with the nodes added,
 * not with the graph. */
#ifndef VG_PASS_CONE_H
#define VG_PASS_CONE_H

#include "base/map.h"
#include "base/vec.h"
#include "ir/graph.h"

typedef struct vg_cone {
    vg_mem  *mem;
    vg_map   places;            /* node -> its place: the order of being added, from 1 */
    uint32_t count;
    VG_VEC(vg_node) waiting;    /* a binary heap, the highest id first */
} vg_cone;

void     vg_cone_init(vg_cone *cone, vg_mem *mem);
void     vg_cone_release(vg_cone *cone);
/* The place of `node`; one that is new waits for its turn. A node must be added before a lower one is taken. */
uint32_t vg_cone_add(vg_cone *cone, vg_node node);
uint32_t vg_cone_find(const vg_cone *cone, vg_node node);                     /* 0 when it was not added */
static inline vg_node vg_cone_next(const vg_cone *cone) {                     /* 0 when none waits */
    return cone->waiting.count > 0 ? cone->waiting.items[0] : 0;
}
vg_node  vg_cone_take(vg_cone *cone);                                         /* the same, which then waits no more */

#endif
