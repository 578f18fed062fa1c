/* Short hands for vg_emit, for the gradient rules and for the elaborator. Each returns 0 when an operand is 0. */
#ifndef VG_IR_BUILD_H
#define VG_IR_BUILD_H

#include "ir/graph.h"

vg_node vg_build_fill(vg_graph *g, vg_shape shape, double value, vg_dtype dtype);
vg_node vg_build_scalar(vg_graph *g, double value);                      /* float, [] */
vg_node vg_build_constant(vg_graph *g, vg_shape shape, const double *elements, uint64_t count, vg_dtype dtype);
/* A node of one that is among the ir's already. */
vg_node vg_build_constant_again(vg_graph *g, uint32_t constant);
vg_node vg_build_dimension(vg_graph *g, vg_dim dim);
vg_node vg_build_map1(vg_graph *g, vg_op op, vg_node a);
vg_node vg_build_map2(vg_graph *g, vg_op op, vg_node a, vg_node b);
vg_node vg_build_select(vg_graph *g, vg_node condition, vg_node a, vg_node b);
vg_node vg_build_float(vg_graph *g, vg_node a);                          /* a itself when it is float */
/* sum, prod, max, min over the axes whose bit is set; `axes` 0 with rank > 0 is no reduction: returns a. */
vg_node vg_build_reduce(vg_graph *g, vg_op op, vg_node a, uint32_t axes, bool keep);
vg_node vg_build_mean(vg_graph *g, vg_node a, uint32_t axes, bool keep); /* sum / number of elements */
vg_node vg_build_reshape(vg_graph *g, vg_node a, vg_shape shape);        /* a itself when it has the shape */
vg_node vg_build_broadcast(vg_graph *g, vg_node a, vg_shape shape);
vg_node vg_build_transpose(vg_graph *g, vg_node a, const uint32_t *perm);
vg_node vg_build_matmul(vg_graph *g, vg_node a, vg_node b, bool ta, bool tb);
vg_node vg_build_addn(vg_graph *g, const vg_node *nodes, uint32_t count);
/* The adjoint of NumPy's broadcast: sums `a` over what was repeated, to exactly `shape`. */
vg_node vg_build_unbroadcast(vg_graph *g, vg_node a, vg_shape shape);
/* bounds: from, to for each axis */
vg_node vg_build_slice(vg_graph *g, vg_node a, const vg_dim *bounds);

/* Whether folding looks into an operand of this kind, at its value or at what it is made of. Not behind an alias. */
bool vg_fold_looks_into(vg_op op);

/* The broadcast shape of two, or 0 (nothing is reported). */
vg_shape vg_shape_broadcast(vg_ir *ir, vg_shape a, vg_shape b);
/* The length of `axis` of a node follows from where it was written: walks back through operators to the leaf (an
 * input, a variable, a constant, a reshape) whose axis it is. For the notes of shape errors. */
void vg_shape_origin(const vg_graph *g, vg_node node, uint32_t axis, vg_node *leaf, uint32_t *leaf_axis);
/* Adds to the diagnostic just reported: each operand's shape. */
void vg_shape_explain(const vg_graph *g, const vg_node *operands, uint32_t count);
/* Adds to it where the length of one axis came from: "128 is axis 1 of variable h[1].W". */
void vg_shape_explain_axis(const vg_graph *g, vg_node node, uint32_t axis);

#endif
