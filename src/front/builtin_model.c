/* Library functions about the model: gradients, selections, distributions, steps, and what layers and losses check. */
#include <math.h>

#include "front/builtin.h"
#include "ir/build.h"

static const char *shape_text(const vg_built_call *c, vg_node node) {
    return vg_shape_shown(c->e, vg_node_shape(c->e->graph, node));
}

/* ---- gradients */

static vg_value gradient_of(const vg_built_call *c, vg_node y, vg_value v, uint32_t group) {
    vg_elaborator *e = c->e;
    if (!vg_spend(e, c->span)) return vg_value_poison();
    if (v.kind == VG_V_list) {
        uint32_t count = vg_list_count(&e->values, v);
        vg_value *items = VG_ARRAY(&e->arena, vg_value, count + 1);
        for (uint32_t k = 0; k < count; k++) {
            items[k] = gradient_of(c, y, vg_list_item(&e->values, v, k), group);
            if (items[k].kind == VG_V_poison) return items[k];
        }
        return vg_value_list(&e->values, items, count);
    }
    if (v.kind == VG_V_selection) {
        uint32_t count = vg_selection_count(&e->values, v);
        vg_selected *items = VG_ARRAY(&e->arena, vg_selected, count + 1);
        for (uint32_t k = 0; k < count; k++) {
            items[k] = vg_selection_item(&e->values, v, k);
            items[k].node = vg_gradient_node(e, y, items[k].node, group);
            if (!items[k].node) return vg_value_poison();
        }
        return vg_value_selection(&e->values, items, count);
    }
    if (v.kind == VG_V_tensor) return vg_value_tensor(vg_gradient_node(e, y, v.id, group));
    if (v.kind != VG_V_poison)
        vg_report(e->diags, grad_not_node, vg_built_span(c, 1), e->frame->call, vg_value_noun(v.kind));
    if (v.kind == VG_V_family)
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "name one member, '%s[k]', or all of them, '%s[*]'",
                      vg_text_of(e, vg_entry_path(e, v.id)),
                      vg_text_of(e, vg_entry_path(e, v.id)));
    return vg_value_poison();
}

vg_value vg_call_grad(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_node y = vg_built_tensor(c, 0);
    if (!y) return vg_value_poison();
    if (vg_node_rank(e->graph, y) != 0) {
        vg_report(e->diags, grad_not_scalar, vg_built_span(c, 0), e->frame->call, shape_text(c, y));
        return vg_value_poison();
    }
    return gradient_of(c, vg_build_float(e->graph, y), c->a[1], ++e->ir->groups);
}

/* The nodes of a value: one, or those of a selection or list. */
static vg_node *nodes_of(const vg_built_call *c, uint32_t k, uint32_t *count) {
    if (c->a[k].kind == VG_V_selection || c->a[k].kind == VG_V_list) return vg_built_nodes(c, k, count);
    vg_node *one = VG_NEW(&c->e->arena, vg_node);
    *one = vg_built_tensor(c, k);
    *count = 1;
    return *one ? one : NULL;
}

vg_value vg_call_replace(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    uint32_t many, others;
    vg_node y = vg_built_tensor(c, 0), one, *v = nodes_of(c, 1, &many), *w = &one;
    if (v && c->a[1].kind == VG_V_tensor && c->a[2].kind == VG_V_list) {   /* one node, and its value in numbers */
        one = vg_built_tensor(c, 2);
        others = 1;
    } else {
        w = nodes_of(c, 2, &others);
    }
    if (!y || !v || !w || !*w) return vg_value_poison();
    if (many != others) {
        vg_report(e->diags, selection_lengths, c->span, e->frame->call, vg_arena_format(&e->arena, "%u", many),
                  vg_arena_format(&e->arena, "%u", others));
        return vg_value_poison();
    }
    vg_node *operands = VG_ARRAY(&e->arena, vg_node, 1 + 2 * many);
    operands[0] = y;
    for (uint32_t k = 0; k < many; k++) {
        operands[1 + 2 * k] = v[k];
        operands[2 + 2 * k] = w[k];
        if (vg_node_shape(e->graph, v[k]) == vg_node_shape(e->graph, w[k])) continue;
        vg_report(e->diags, replace_shape, vg_built_span(c, 2), e->frame->call, shape_text(c, v[k]),
                  shape_text(c, w[k]));
        return vg_value_poison();
    }
    return vg_value_tensor(vg_emit(e->graph, VG_OP_replace, operands, 1 + 2 * many, 0));
}

/* ---- selections */

vg_value vg_call_vars(const vg_built_call *c) {
    if (c->a[0].kind == VG_V_absent) return vg_select_text(c->e, 0, c->span);
    if (c->a[0].kind == VG_V_string) return vg_select_text(c->e, c->a[0].id, vg_built_span(c, 0));
    vg_report(c->e->diags, vars_pattern, vg_built_span(c, 0), c->e->frame->call, vg_value_noun(c->a[0].kind));
    return vg_value_poison();
}

vg_value vg_call_total(const vg_built_call *c) {
    uint32_t count;
    vg_node *nodes = vg_built_nodes(c, 0, &count);
    if (!nodes) return vg_value_poison();
    bool same = true;
    for (uint32_t k = 1; k < count; k++)
        same &= vg_node_shape(c->e->graph, nodes[k]) == vg_node_shape(c->e->graph, nodes[0]);
    if (same) return vg_value_tensor(vg_build_addn(c->e->graph, nodes, count));
    vg_node sum = nodes[0];
    for (uint32_t k = 1; k < count; k++) sum = vg_build_map2(c->e->graph, VG_OP_add, sum, nodes[k]);
    return vg_value_tensor(sum);
}

vg_value vg_call_len(const vg_built_call *c) {
    vg_value value = c->a[0];
    if (value.kind == VG_V_list) return vg_value_number(vg_list_count(&c->e->values, value));
    if (value.kind == VG_V_selection) return vg_value_number(vg_selection_count(&c->e->values, value));
    if (value.kind != VG_V_poison)
        vg_report(c->e->diags, not_list, vg_built_span(c, 0), c->e->frame->call, vg_value_noun(value.kind));
    return vg_value_poison();
}

vg_value vg_call_finite(const vg_built_call *c) {
    vg_graph *g = c->e->graph;
    vg_node x = vg_built_tensor(c, 0);
    if (!x) return vg_value_poison();
    vg_node bad = vg_build_map2(g, VG_OP_or, vg_build_map1(g, VG_OP_isnan, x), vg_build_map1(g, VG_OP_isinf, x));
    uint32_t rank = bad ? vg_node_rank(g, bad) : 0;      /* none bad, which holds of no elements, too */
    return vg_value_tensor(vg_build_map1(g, VG_OP_not, vg_build_reduce(g, VG_OP_sum, bad, (1u << rank) - 1, false)));
}

/* ---- distributions */

vg_value vg_call_sample(const vg_built_call *c) {
    vg_shape shape;
    if (c->a[0].kind == VG_V_poison) return vg_value_poison();
    if (!vg_to_shape(c->e, c->a[1], vg_built_span(c, 1), &shape)) return vg_value_poison();
    if (c->a[0].kind != VG_V_distribution) {
        vg_report(c->e->diags, not_distribution, vg_built_span(c, 0), c->e->frame->call, vg_value_noun(c->a[0].kind));
        return vg_value_poison();
    }
    return vg_value_tensor(vg_draw(c->e, c->a[0], shape, false, 0, c->span));
}

/* A parameter of a distribution: a compile-time number; a tensor gets the hint of LANGUAGE.md, Distributions. */
static bool parameter(const vg_built_call *c, uint32_t k, double fallback, double *out) {
    if (c->a[k].kind != VG_V_tensor && c->a[k].kind != VG_V_dim) return vg_built_number(c, k, fallback, out);
    vg_report0(c->e->diags, distribution_tensor, vg_built_span(c, k), c->e->frame->call);
    return false;
}

static vg_value distribution(const vg_built_call *c, vg_op op, double a, double b) {
    vg_distribution_row row = { op, a, b, 0 };
    vg_vec_push(c->e->mem, &c->e->values.distributions, row);
    return (vg_value){ VG_V_distribution, c->e->values.distributions.count - 1, 0 };
}

static vg_value wrong_parameter(const vg_built_call *c, uint32_t k, const char *want) {
    vg_report(c->e->diags, distribution_range, vg_built_span(c, k), c->e->frame->call, want);
    return vg_value_poison();
}

static vg_value spread(const vg_built_call *c, vg_op op) {
    double mean, std;
    if (!parameter(c, 0, 0, &mean) || !parameter(c, 1, 1, &std)) return vg_value_poison();
    if (!(std >= 0)) return wrong_parameter(c, 1, "a standard deviation of at least 0");
    return distribution(c, op, mean, std);
}

vg_value vg_call_normal(const vg_built_call *c) { return spread(c, VG_OP_random_normal); }
vg_value vg_call_truncated_normal(const vg_built_call *c) { return spread(c, VG_OP_random_truncated); }

vg_value vg_call_uniform(const vg_built_call *c) {
    double lo, hi;
    if (!parameter(c, 0, 0, &lo) || !parameter(c, 1, 1, &hi)) return vg_value_poison();
    if (!(lo <= hi)) return wrong_parameter(c, 1, "an upper end that is not below the lower");
    return distribution(c, VG_OP_random_uniform, lo, hi);
}

vg_value vg_call_bernoulli(const vg_built_call *c) {
    double p;
    if (!parameter(c, 0, 0.5, &p)) return vg_value_poison();
    if (!(p >= 0 && p <= 1)) return wrong_parameter(c, 0, "a probability between 0 and 1");
    return distribution(c, VG_OP_random_bernoulli, p, 0);
}

vg_value vg_call_orthogonal(const vg_built_call *c) {
    double gain;
    if (!parameter(c, 0, 1, &gain)) return vg_value_poison();
    return distribution(c, VG_OP_random_orthogonal, gain, 0);
}

/* PyTorch's fans, for [in, out] as dense has them and for a filter [out, in, ...]. */
static vg_value fan(const vg_built_call *c, bool in) {
    vg_elaborator *e = c->e;
    vg_value list = c->a[0];
    double numbers[VG_RANK_LIMIT], rest = 1;
    uint32_t rank = list.kind == VG_V_list ? vg_list_count(&e->values, list) : 0;
    bool fits = rank >= 2 && rank <= VG_RANK_LIMIT;
    for (uint32_t k = 0; k < rank && fits; k++) {
        vg_value item = vg_list_item(&e->values, list, k);
        fits = item.kind == VG_V_number;
        numbers[k] = item.number;
        if (k >= 2) rest *= item.number;
    }
    if (fits) return vg_value_number(rank == 2 ? numbers[in ? 0 : 1] : numbers[in ? 1 : 0] * rest);
    if (list.kind != VG_V_poison) vg_report0(e->diags, fan_shape, vg_built_span(c, 0), e->frame->call);
    return vg_value_poison();
}

vg_value vg_call_fan_in(const vg_built_call *c) { return fan(c, true); }
vg_value vg_call_fan_out(const vg_built_call *c) { return fan(c, false); }

/* ---- the run */

vg_value vg_call_step(const vg_built_call *c) {
    vg_word word[1] = { c->e->block };
    return vg_value_tensor(vg_emit(c->e->graph, VG_OP_step, NULL, 0, vg_attr_of(c->e->ir, word, 1)));
}

vg_value vg_call_steps(const vg_built_call *c) {
    return vg_value_number((double)vg_run_step_count(c->e, c->span));
}

vg_value vg_call_training(const vg_built_call *c) {
    c->e->unit->uses_training = true;
    return vg_value_bool(c->e->training);
}

/* ---- what layers and losses check */

vg_value vg_call_count(const vg_built_call *c) {
    const vg_value n = c->a[0];
    int64_t number;
    if (n.kind == VG_V_poison || c->a[1].kind == VG_V_poison) return vg_value_poison();
    if (vg_value_whole(n, &number) && number >= 1) return n;
    vg_report(c->e->diags, not_count, vg_built_span(c, 0), c->e->frame->call, vg_strings_text(&c->e->ir->strings, c->a[1].id),
              vg_value_found(c->e, n));
    return vg_value_poison();
}

vg_value vg_call_same_shape(const vg_built_call *c) {
    vg_node a = vg_built_tensor(c, 0), b = vg_built_tensor(c, 1);
    if (!a || !b) return vg_value_poison();
    if (vg_node_shape(c->e->graph, a) == vg_node_shape(c->e->graph, b)) return vg_value_bool(true);
    vg_report(c->e->diags, loss_shapes, c->span, c->e->frame->call, shape_text(c, a), shape_text(c, b));
    uint32_t left = vg_node_rank(c->e->graph, a), right = vg_node_rank(c->e->graph, b);
    if (left != right)
        vg_diags_note(c->e->diags, (vg_span){ 0, 0 }, "p[:, 0] takes an axis away from p, expand(p, 1) puts one in");
    vg_node both[2] = { a, b };
    vg_shape_explain(c->e->graph, both, 2);
    return vg_value_poison();
}

vg_value vg_call_label_shape(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    vg_node logits = vg_built_tensor(c, 0), labels = vg_to_tensor(e, c->a[1], true, vg_built_span(c, 1));
    vg_dim dims[VG_RANK_LIMIT];
    if (!logits || !labels) return vg_value_poison();
    bool alike = vg_node_shape(e->graph, logits) == vg_node_shape(e->graph, labels) && vg_node_rank(e->graph, logits);
    if (alike && (vg_node_dtype(e->graph, labels) == VG_F32 || c->a[1].kind == VG_V_list)) return vg_value_bool(false);
    uint32_t rank = vg_shape_list(&e->ir->dims, vg_node_shape(e->graph, logits), dims);
    bool fits = rank && vg_shape_of(&e->ir->dims, dims, rank - 1) == vg_node_shape(e->graph, labels);
    if (fits && vg_node_dtype(e->graph, labels) == VG_I32) return vg_value_bool(true);
    if (fits) vg_report0(e->diags, labels_float, c->span, e->frame->call);
    else vg_report(e->diags, label_shapes, c->span, e->frame->call, shape_text(c, logits), shape_text(c, labels));
    vg_node both[2] = { logits, labels };
    vg_shape_explain(e->graph, both, 2);
    return vg_value_poison();
}
