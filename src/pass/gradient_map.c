/* Gradient rules of the elementwise operators. */
#include "pass/gradient.h"

/* adjoint where `test` is not zero, else 0. */
static vg_node where(vg_graph *graph, vg_node test, vg_node adjoint) {
    return vg_build_select(graph, test, adjoint, vg_build_scalar(graph, 0));
}

static vg_node unless(vg_graph *graph, vg_node test, vg_node adjoint) {
    return vg_build_select(graph, test, vg_build_scalar(graph, 0), adjoint);
}

/* ---- arithmetic */

VG_RULE(neg) {
    out[0] = negate(graph, adjoint);
}

VG_RULE(add) {
    out[0] = out[1] = adjoint;
}

/* Summed back to the operand's shape here rather than by the sweep: what follows is then work on as many elements as
 * the operand has. */
static vg_node summed(vg_graph *graph, vg_node a, vg_node operand) {
    return vg_build_unbroadcast(graph, a, vg_node_shape(graph, operand));
}

VG_RULE(sub) {
    out[0] = adjoint;
    out[1] = negate(graph, summed(graph, adjoint, vg_operand(graph, node, 1)));
}

VG_RULE(mul) {
    vg_node a = vg_operand(graph, node, 0), b = vg_operand(graph, node, 1);
    out[0] = multiply(graph, adjoint, b);
    out[1] = multiply(graph, adjoint, a);
}

VG_RULE(div) {
    vg_node b = vg_operand(graph, node, 1);
    out[0] = divide(graph, adjoint, b);
    out[1] = negate(graph, divide(graph, summed(graph, multiply(graph, adjoint, node), b), b));
}

/* An exponent that is one number everywhere. */
static vg_node power_base(vg_graph *graph, vg_node a, double exponent, vg_node adjoint) {
    if (exponent == 0) return vg_build_fill(graph, vg_node_shape(graph, a), 0, VG_F32);
    if (exponent == 1) return adjoint;
    if (exponent == 2) return multiply(graph, scale(graph, adjoint, 2), a);
    vg_node lower = vg_build_map2(graph, VG_OP_pow, a, vg_build_scalar(graph, exponent - 1));
    return multiply(graph, scale(graph, adjoint, exponent), lower);
}

/* b * a^(b-1), and a^b * log(a). Where a formula would give 0 * inf, its base is replaced by 1 before the power or
 * the logarithm is taken, so that no derivative of the untaken branch brings a NaN back. */
VG_RULE(pow) {
    vg_node a = vg_operand(graph, node, 0), b = vg_operand(graph, node, 1), one = vg_build_scalar(graph, 1);
    vg_node zero_base = compare(graph, VG_OP_eq, a, 0);
    double  exponent;
    if (vg_node_uniform(graph, b, &exponent)) {
        out[0] = power_base(graph, a, exponent, adjoint);
    } else {
        vg_node both = vg_build_map2(graph, VG_OP_and, zero_base, compare(graph, VG_OP_eq, b, 0));
        vg_node base = vg_build_select(graph, both, one, a);
        vg_node lower = vg_build_map2(graph, VG_OP_pow, base, subtract(graph, b, one));
        out[0] = multiply(graph, adjoint, multiply(graph, b, lower));
    }
    vg_node flat = vg_build_map2(graph, VG_OP_and, zero_base, compare(graph, VG_OP_ge, b, 0));
    vg_node base = vg_build_select(graph, flat, one, a);
    out[1] = multiply(graph, adjoint, multiply(graph, node, vg_build_map1(graph, VG_OP_log, base)));
}

VG_RULE(mod) {
    vg_node a = vg_operand(graph, node, 0), b = vg_operand(graph, node, 1);
    vg_node quotient = vg_build_map1(graph, VG_OP_floor, divide(graph, a, b));
    out[0] = adjoint;
    out[1] = negate(graph, multiply(graph, adjoint, quotient));
}

/* The whole adjoint to the one that was chosen, half to each of equals; a NaN passes it to both, as in PyTorch. */
static void choose(vg_graph *graph, vg_node node, vg_node adjoint, vg_op loses, vg_node *out) {
    vg_node a = vg_operand(graph, node, 0), b = vg_operand(graph, node, 1);
    vg_node tie = vg_build_map2(graph, VG_OP_eq, a, b);
    vg_node shared = vg_build_select(graph, tie, scale(graph, adjoint, 0.5), adjoint);
    out[0] = unless(graph, vg_build_map2(graph, loses, a, b), shared);
    out[1] = unless(graph, vg_build_map2(graph, loses, b, a), shared);
}

VG_RULE(maximum) {
    choose(graph, node, adjoint, VG_OP_lt, out);
}

VG_RULE(minimum) {
    choose(graph, node, adjoint, VG_OP_gt, out);
}

VG_RULE(abs) {
    out[0] = multiply(graph, adjoint, vg_build_map1(graph, VG_OP_sign, vg_operand(graph, node, 0)));
}

/* ---- functions: written with the node's own value where that is simpler */

VG_RULE(exp) {
    out[0] = multiply(graph, adjoint, node);
}

VG_RULE(log) {
    out[0] = divide(graph, adjoint, vg_operand(graph, node, 0));
}

VG_RULE(log1p) {
    out[0] = divide(graph, adjoint, add(graph, vg_operand(graph, node, 0), vg_build_scalar(graph, 1)));
}

VG_RULE(expm1) {
    out[0] = multiply(graph, adjoint, add(graph, node, vg_build_scalar(graph, 1)));
}

VG_RULE(sqrt) {
    out[0] = divide(graph, scale(graph, adjoint, 0.5), node);
}

VG_RULE(rsqrt) {
    vg_node cube = multiply(graph, node, square(graph, node));
    out[0] = multiply(graph, scale(graph, adjoint, -0.5), cube);
}

VG_RULE(square) {
    out[0] = multiply(graph, scale(graph, adjoint, 2), vg_operand(graph, node, 0));
}

VG_RULE(sin) {
    out[0] = multiply(graph, adjoint, vg_build_map1(graph, VG_OP_cos, vg_operand(graph, node, 0)));
}

VG_RULE(cos) {
    out[0] = negate(graph, multiply(graph, adjoint, vg_build_map1(graph, VG_OP_sin, vg_operand(graph, node, 0))));
}

VG_RULE(erf) {
    const double two_over_sqrt_pi = 1.1283791670955126;
    vg_node bell = vg_build_map1(graph, VG_OP_exp, negate(graph, square(graph, vg_operand(graph, node, 0))));
    out[0] = multiply(graph, scale(graph, adjoint, two_over_sqrt_pi), bell);
}

VG_RULE(sigmoid) {
    out[0] = vg_build_map2(graph, VG_OP_sigmoid_input, node, adjoint);
}

VG_RULE(sigmoid_input) {
    vg_node a = vg_operand(graph, node, 0), b = vg_operand(graph, node, 1);
    vg_node slope = subtract(graph, vg_build_scalar(graph, 1), scale(graph, a, 2));
    out[0] = multiply(graph, multiply(graph, adjoint, b), slope);
    out[1] = vg_build_map2(graph, VG_OP_sigmoid_input, a, adjoint);
}

VG_RULE(tanh) {
    out[0] = vg_build_map2(graph, VG_OP_tanh_input, node, adjoint);
}

VG_RULE(tanh_input) {
    vg_node a = vg_operand(graph, node, 0), b = vg_operand(graph, node, 1);
    out[0] = multiply(graph, multiply(graph, adjoint, b), scale(graph, a, -2));
    out[1] = vg_build_map2(graph, VG_OP_tanh_input, a, adjoint);
}

/* By the result, which others read too, and not by the operand, which need not be kept for it. */
VG_RULE(relu) {
    out[0] = where(graph, compare(graph, VG_OP_gt, node, 0), adjoint);
}

/* ---- choice and identity */

VG_RULE(select) {
    vg_node condition = vg_operand(graph, node, 0);
    out[1] = where(graph, condition, adjoint);
    out[2] = unless(graph, condition, adjoint);
}

VG_RULE(float) {
    out[0] = adjoint;
}

VG_RULE(alias) {
    out[0] = adjoint;
}
