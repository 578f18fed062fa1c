/* Replaces grad and replace by the nodes they stand for.
 *
 * The graph is copied in id order. The originals keep their identity; a placeholder is expanded on what has been
 * copied before it, where y and v already are, so a gradient of a gradient finds plain nodes and nesting closes
 * inside out. Nodes that an expansion emits fold and merge among themselves. */
#include "ir/build.h"
#include "pass/adjoint.h"
#include "pass/cone.h"
#include "pass/pass.h"

/* A grad whose y does not reach its v. It is zero, and an error if that holds of all grads of its call. */
typedef struct missing { vg_node y, v; uint32_t group; vg_place place; } missing;

enum { GROUP_FOUND = 1, GROUP_REPORTED = 2 };
enum { TARGET_GRAD = 1, TARGET_REPLACED = 2 };

typedef struct copy {
    const vg_graph *from;
    vg_graph       *into;
    vg_mem         *mem;
    vg_node        *map;            /* node of `from` -> node of `into` */
    uint8_t        *targets;        /* by node of `from`: TARGET_ of what is taken as a value of its own */
    vg_adjoints     adjoints;
    VG_VEC(missing) missing;
    vg_map          groups;         /* group -> GROUP_ */
    VG_VEC(vg_node) operands;       /* of the node being copied */
} copy;

/* What a placeholder becomes: a node of its own, whatever it is worth, since v is taken as a value of its own. */
static vg_node stand_in(copy *c, vg_node placeholder, vg_node value, vg_node forward) {
    const vg_place *place = &c->from->place.items[placeholder];
    c->into->mode = VG_EMIT_FAITHFUL;
    c->into->here = (vg_place){ place->span, place->call, forward };
    return vg_build_map1(c->into, VG_OP_alias, value);
}

/* ---- grad */

static vg_node expand_grad(copy *c, vg_node node) {
    vg_node  y = c->map[vg_operand(c->from, node, 0)], v = c->map[vg_operand(c->from, node, 1)];
    uint32_t count, group = (uint32_t)vg_attr_words(c->from->ir, c->from->attr.items[node], &count)[0];
    c->into->mode = VG_EMIT_GRADIENT;
    vg_node adjoint = vg_adjoints_of(&c->adjoints, y, v);
    if (adjoint != 0) {
        vg_map_put(c->mem, &c->groups, group, GROUP_FOUND);
    } else {
        const vg_place *place = &c->from->place.items[node];
        c->into->here = (vg_place){ place->span, place->call, v };
        vg_vec_push(c->mem, &c->missing, ((missing){ y, v, group, *place }));
        adjoint = vg_build_fill(c->into, vg_node_shape(c->into, v), 0, VG_F32);
    }
    return stand_in(c, node, adjoint, v);
}

/* One error for each call none of whose gradients exists; an integer is one by itself. */
static void report_missing(copy *c) {
    for (uint32_t k = 0; k < c->missing.count; k++) {
        const missing *item = &c->missing.items[k];
        bool integer = vg_node_dtype(c->into, item->v) == VG_I32;
        if (!integer && vg_map_get(&c->groups, item->group) != 0) continue;
        vg_map_put(c->mem, &c->groups, item->group, GROUP_REPORTED);
        vg_gradient_missing(c->into, item->y, item->v, &item->place);
    }
}

/* ---- replace */

/* Copies `node` of the new graph onto what stands for its operands; itself where nothing does. */
static vg_node recompute(copy *c, vg_node node, const vg_map *swaps) {
    bool     changed = false;
    uint32_t count = c->into->operand_count.items[node];
    c->operands.count = 0;
    vg_vec_reserve(c->mem, &c->operands, count);
    for (uint32_t k = 0; k < count; k++) {
        vg_node operand = vg_operand(c->into, node, k), swap = vg_map_get(swaps, operand);
        c->operands.items[k] = swap ? swap : operand;
        changed = changed || swap;
    }
    return changed ? vg_emit_copy(c->into, c->into, node, c->operands.items, NULL) : node;
}

/* The part of y that depends on the v's, computed again: found by falling id, down to the lowest v, and copied by
 * rising id. What does not depend on a v (draws, inputs, other variables) stays the same node. */
static vg_node expand_replace(copy *c, vg_node node) {
    vg_node y = c->map[vg_operand(c->from, node, 0)], lowest = y;
    vg_map  swaps = { 0 };
    for (uint32_t k = 1; k + 1 < c->from->operand_count.items[node]; k += 2) {
        vg_node v = c->map[vg_operand(c->from, node, k)];
        if (v < lowest) lowest = v;
        vg_map_put(c->mem, &swaps, v, c->map[vg_operand(c->from, node, k + 1)]);
    }
    vg_cone cone;
    VG_VEC(vg_node) affected = { 0 };
    vg_cone_init(&cone, c->mem);
    vg_cone_add(&cone, y);
    while (vg_cone_next(&cone) > lowest) {
        vg_node next = vg_cone_take(&cone);
        if (vg_map_get(&swaps, next)) continue;
        vg_vec_push(c->mem, &affected, next);
        for (uint32_t k = 0; k < c->into->operand_count.items[next]; k++) {
            vg_cone_add(&cone, vg_operand(c->into, next, k));
        }
    }
    for (uint32_t k = affected.count; k-- > 0 && !c->into->full;) {
        vg_node again = recompute(c, affected.items[k], &swaps);
        if (again != affected.items[k] && again != 0) vg_map_put(c->mem, &swaps, affected.items[k], again);
    }
    vg_node swap = vg_map_get(&swaps, y);
    vg_map_free(c->mem, &swaps);
    vg_vec_free(c->mem, &affected);
    vg_cone_release(&cone);
    if (!swap) {
        const vg_place *place = &c->from->place.items[node];
        vg_report0(&c->into->ir->diags, replace_none, place->span, place->call);
    }
    return stand_in(c, node, swap ? swap : y, 0);
}

/* ---- the copy */

static vg_node copy_node(copy *c, vg_node node) {
    vg_op op = vg_node_op(c->from, node);
    if (op == VG_OP_grad) return expand_grad(c, node);
    if (op == VG_OP_replace) return expand_replace(c, node);
    uint32_t count = c->from->operand_count.items[node];
    c->operands.count = 0;
    vg_vec_reserve(c->mem, &c->operands, count);
    for (uint32_t k = 0; k < count; k++) c->operands.items[k] = c->map[vg_operand(c->from, node, k)];
    return vg_emit_copy(c->into, c->from, node, c->operands.items, c->map);
}

/* Everything that will be asked for is known before the first sweep, so none goes where nothing is asked. */
static void mark_targets(copy *c) {
    for (vg_node node = 1; node < vg_graph_count(c->from); node++) {
        vg_op op = vg_node_op(c->from, node);
        if (op == VG_OP_grad) c->targets[vg_operand(c->from, node, 1)] |= TARGET_GRAD;
        if (op != VG_OP_replace) continue;
        for (uint32_t k = 1; k + 1 < c->from->operand_count.items[node]; k += 2) {
            c->targets[vg_operand(c->from, node, k)] |= TARGET_REPLACED;
        }
    }
}

/* No fold of an expansion may look into a target: then a later grad would not find it. */
static vg_node guard_target(copy *c, vg_node node) {
    vg_node copied = c->map[node];
    if (c->targets[node] == 0 || copied == 0) return copied;
    if (vg_fold_looks_into(vg_node_op(c->into, copied))) {
        c->into->mode = VG_EMIT_FAITHFUL;
        c->into->here = c->into->place.items[copied];
        copied = vg_build_map1(c->into, VG_OP_alias, copied);
    }
    if (copied != 0 && c->targets[node] & TARGET_GRAD) vg_adjoints_want(&c->adjoints, copied);
    return copied;
}

void vg_pass_differentiate(const vg_graph *from, vg_graph *into) {
    uint32_t count = vg_graph_count(from);
    vg_mem  *mem = into->ir->mem;
    copy     c = { .from = from, .into = into, .mem = mem };
    c.map = vg_mem_alloc(mem, count * sizeof *c.map);
    c.targets = vg_mem_alloc(mem, count);
    vg_adjoints_init(&c.adjoints, into);
    mark_targets(&c);
    for (vg_node node = 1; node < count && !into->full; node++) {
        into->mode = VG_EMIT_FAITHFUL;
        c.map[node] = copy_node(&c, node);
        c.map[node] = guard_target(&c, node);
    }
    if (!into->full) {
        for (uint32_t k = 0; k < from->names.count; k++) {
            vg_graph_name(into, from->names.items[k].path, c.map[from->names.items[k].node]);
        }
        report_missing(&c);
    }
    vg_adjoints_release(&c.adjoints);
    vg_vec_free(mem, &c.missing);
    vg_vec_free(mem, &c.operands);
    vg_map_free(mem, &c.groups);
    vg_mem_free(mem, c.targets);
    vg_mem_free(mem, c.map);
}
