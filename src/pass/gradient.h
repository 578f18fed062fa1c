/* What the gradient rules share. A rule takes a node and its adjoint and emits the adjoints of its operands from
 * differentiable nodes, so that derivatives of any order close; at kinks it keeps PyTorch's conventions. A result
 * may have the broadcast shape of a map, and an operand that is an integer may be given one: the sweep
 * (pass/adjoint.c) sums the first back and drops the second. */
#ifndef VG_PASS_GRADIENT_H
#define VG_PASS_GRADIENT_H

#include "ir/build.h"
#include "pass/pass.h"

#define VG_UNUSED __attribute__((unused))
#define VG_RULE(name) \
    void vg_gradient_##name(vg_graph *graph VG_UNUSED, vg_node node VG_UNUSED, vg_node adjoint, vg_node *out)
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) VG_RULE(gradient);
#define VG_OP(name, least, most, shape, gradient, cost, flags, attr, doc) VG_RULE(gradient);
#include "op.def"
#undef VG_MAP
#undef VG_OP

static inline vg_node negate(vg_graph *graph, vg_node a) { return vg_build_map1(graph, VG_OP_neg, a); }
static inline vg_node add(vg_graph *graph, vg_node a, vg_node b) { return vg_build_map2(graph, VG_OP_add, a, b); }
static inline vg_node subtract(vg_graph *graph, vg_node a, vg_node b) { return vg_build_map2(graph, VG_OP_sub, a, b); }
static inline vg_node multiply(vg_graph *graph, vg_node a, vg_node b) { return vg_build_map2(graph, VG_OP_mul, a, b); }
static inline vg_node divide(vg_graph *graph, vg_node a, vg_node b) { return vg_build_map2(graph, VG_OP_div, a, b); }
static inline vg_node scale(vg_graph *graph, vg_node a, double factor) {
    return multiply(graph, a, vg_build_scalar(graph, factor));
}
static inline vg_node square(vg_graph *graph, vg_node a) { return vg_build_map1(graph, VG_OP_square, a); }
/* 1 where a `test` b, else 0; b a number. */
static inline vg_node compare(vg_graph *graph, vg_op test, vg_node a, double b) {
    return vg_build_map2(graph, test, a, vg_build_scalar(graph, b));
}

/* Word k of the node's attribute. */
static inline vg_word attr_word(const vg_graph *graph, vg_node node, uint32_t k) {
    uint32_t count;
    return vg_attr_words(graph->ir, graph->attr.items[node], &count)[k];
}
static inline vg_node emit_with(vg_graph *graph, vg_op op, vg_node a, vg_attr attr) {
    return vg_emit(graph, op, &a, 1, attr);
}

#endif
