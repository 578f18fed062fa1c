/* x[...]: the member of a family, the item of a list, the slice of a tensor. */
#include <inttypes.h>

#include "front/elaborator.h"
#include "ir/build.h"

/* ---- families */

/* All members' indices, a few of them, for a message. */
static const char *members_text(vg_elaborator *e, vg_entry family) {
    vg_text text = vg_text_new(e->mem);
    vg_entry last = vg_entry_at(e, family)->last_child;
    uint32_t count = 0;
    for (vg_entry c = vg_entry_at(e, family)->first_child; c; c = vg_entry_at(e, c)->next) {
        if (vg_entry_at(e, c)->open || (count++ >= 3 && c != last)) continue;
        vg_text_format(&text, "%s%s", count == 1 ? "" : count > 4 ? " ... " : ", ",
                       vg_text_of(e, vg_entry_path(e, c)));
    }
    const char *copy = vg_arena_copy(&e->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copy;
}

static vg_value family_member(vg_elaborator *e, vg_tree_id expression, vg_entry family) {
    uint32_t subs = e->tree->b.items[expression], count = vg_tree_count(e->tree, subs);
    const char *path = vg_text_of(e, vg_entry_path(e, family));
    int64_t indices[VG_RANK_LIMIT * 2];
    if (count > VG_RANK_LIMIT * 2) count = VG_RANK_LIMIT * 2;
    for (uint32_t k = 0; k < count; k++) {
        vg_tree_id sub = vg_tree_item(e->tree, subs, k);
        if (vg_tree_kind(e->tree, sub) == VG_K_sub_range) {
            vg_report(e->diags, family_slice, vg_tree_span(e->tree, sub), e->frame->call, path, path, path);
            return vg_value_poison();
        }
        if (!vg_evaluate_whole(e, sub, "the index of a family", &indices[k])) return vg_value_poison();
    }
    vg_entry member = vg_entry_find_member(e, family, indices, count);
    vg_span span = vg_tree_span(e->tree, expression);
    if (member && !vg_entry_at(e, member)->open) return vg_entry_value(e, member, span);
    vg_text wanted = vg_text_new(e->mem);
    for (uint32_t k = 0; k < count; k++) vg_text_format(&wanted, "%s%lld", k ? ", " : "", (long long)indices[k]);
    vg_report(e->diags, no_family_member, span, e->frame->call, path, vg_text_c(&wanted));
    vg_text_free(&wanted);
    const char *members = members_text(e, family);
    if (*members) vg_diags_note(e->diags, vg_entry_at(e, family)->span, "bound so far: %s", members);
    return vg_value_poison();
}

/* ---- lists */

static vg_value list_item(vg_elaborator *e, vg_tree_id expression, vg_value list) {
    uint32_t subs = e->tree->b.items[expression];
    int64_t length = vg_list_count(&e->values, list), from = 0, to = length;
    vg_tree_id sub = vg_tree_item(e->tree, subs, 0);
    vg_span span = vg_tree_span(e->tree, expression);
    if (vg_tree_count(e->tree, subs) != 1) {
        vg_report0(e->diags, list_one_index, span, e->frame->call);
        return vg_value_poison();
    }
    if (vg_tree_kind(e->tree, sub) == VG_K_sub_range) {
        vg_tree_id a = e->tree->a.items[sub], b = e->tree->b.items[sub];
        if (a && !vg_evaluate_whole(e, a, "where a slice begins", &from)) return vg_value_poison();
        if (b && !vg_evaluate_whole(e, b, "where a slice ends", &to)) return vg_value_poison();
        from = from < 0 ? from + length : from;
        to = to < 0 ? to + length : to;
        if (from >= 0 && from <= to && to <= length) {
            vg_value *items = VG_ARRAY(&e->arena, vg_value, to - from + 1);
            for (int64_t k = from; k < to; k++) items[k - from] = vg_list_item(&e->values, list, (uint32_t)k);
            return vg_value_list(&e->values, items, (uint32_t)(to - from));
        }
    } else {
        if (!vg_evaluate_whole(e, sub, "the index of a list", &from)) return vg_value_poison();
        int64_t at = from < 0 ? from + length : from;
        if (at >= 0 && at < length) return vg_list_item(&e->values, list, (uint32_t)at);
    }
    vg_report(e->diags, list_range, span, e->frame->call, vg_arena_format(&e->arena, "%lld", (long long)from),
              vg_arena_format(&e->arena, "%lld", (long long)length));
    return vg_value_poison();
}

/* ---- tensors */

/* An axis that is indexed, and the axis's length. */
typedef struct vg_axis { vg_node node; uint32_t number; vg_dim length; } vg_axis;

/* Whether `whole` lies in an axis of `length` known elements, from the end when negative; else reported. */
static bool index_fits(vg_elaborator *e, vg_tree_id tree, vg_axis axis, int64_t whole, bool bound) {
    int64_t length;
    if (!vg_dim_is_number(&e->ir->dims, axis.length, &length)) return true;
    if (whole >= -length && whole < length + bound) return true;
    vg_report(e->diags, index_range, vg_tree_span(e->tree, tree), e->frame->call,
              vg_arena_format(&e->arena, "%" PRId64, whole),
              vg_arena_format(&e->arena, "%u", axis.number), vg_shape_shown(e, vg_node_shape(e->graph, axis.node)));
    return false;
}

/* An index, or a bound of a slice: a number or dimension, from the end when negative. */
static bool slice_bound(vg_elaborator *e, vg_tree_id tree, vg_axis axis, bool bound, vg_dim *out) {
    vg_value value = vg_evaluate(e, tree);
    int64_t whole;
    vg_span span = vg_tree_span(e->tree, tree);
    if (value.kind == VG_V_poison) return false;
    if (vg_value_whole(value, &whole)) {
        if (!index_fits(e, tree, axis, whole, bound)) return false;
        vg_dim number = vg_dim_number(&e->ir->dims, whole);
        *out = whole < 0 ? vg_dim_add(&e->ir->dims, axis.length, number) : number;
        return *out != 0;
    }
    if (value.kind == VG_V_dim) {
        *out = value.id;
        return true;
    }
    if (value.kind == VG_V_tensor) {
        vg_report0(e->diags, index_tensor, span, e->frame->call);
        return false;
    }
    vg_report(e->diags, not_whole, span, e->frame->call, "an index",
              vg_value_found(e, value));
    return false;
}

/* One subscript: from, to, and whether the axis drops out. */
static bool slice_axis(vg_elaborator *e, vg_tree_id sub, vg_axis axis, vg_dim *from, vg_dim *to, bool *drop) {
    vg_dims *dims = &e->ir->dims;
    *drop = false;
    *from = vg_dim_number(dims, 0);
    *to = axis.length;
    if (vg_tree_kind(e->tree, sub) == VG_K_sub_range) {
        vg_tree_id a = e->tree->a.items[sub], b = e->tree->b.items[sub];
        return (!a || slice_bound(e, a, axis, true, from)) && (!b || slice_bound(e, b, axis, true, to));
    }
    if (!slice_bound(e, sub, axis, false, from)) return false;
    *to = vg_dim_add(dims, *from, vg_dim_number(dims, 1));
    *drop = true;
    return *to != 0;
}

static vg_value tensor_slice(vg_elaborator *e, vg_tree_id expression, vg_node node) {
    uint32_t subs = e->tree->b.items[expression], count = vg_tree_count(e->tree, subs);
    vg_span span = vg_tree_span(e->tree, expression);
    vg_dim dims[VG_RANK_LIMIT], bounds[VG_RANK_LIMIT * 2], kept[VG_RANK_LIMIT];
    uint32_t rank = vg_shape_list(&e->ir->dims, vg_node_shape(e->graph, node), dims), kept_count = 0;
    if (count > rank) {
        vg_report(e->diags, too_many_indices, span, e->frame->call, vg_arena_format(&e->arena, "%u", count),
                  vg_shape_shown(e, vg_node_shape(e->graph, node)));
        return vg_value_poison();
    }
    bool whole = true;
    for (uint32_t k = 0; k < rank; k++) {
        bool drop = false;
        bounds[2 * k] = vg_dim_number(&e->ir->dims, 0);
        bounds[2 * k + 1] = dims[k];
        const vg_axis axis = { node, k, dims[k] };
        vg_tree_id sub = k < count ? vg_tree_item(e->tree, subs, k) : 0;
        if (sub && !slice_axis(e, sub, axis, &bounds[2 * k], &bounds[2 * k + 1], &drop)) return vg_value_poison();
        whole &= vg_dim_is(&e->ir->dims, bounds[2 * k], 0) && bounds[2 * k + 1] == dims[k] && !drop;
        if (!drop) kept[kept_count++] = vg_dim_subtract(&e->ir->dims, bounds[2 * k + 1], bounds[2 * k]);
    }
    if (whole) return vg_value_tensor(node);
    vg_here(e, span);
    vg_node slice = vg_build_slice(e->graph, node, bounds);
    if (slice && kept_count < rank)
        slice = vg_build_reshape(e->graph, slice, vg_shape_of(&e->ir->dims, kept, kept_count));
    return vg_value_tensor(slice);
}

vg_value vg_subscript(vg_elaborator *e, vg_tree_id expression) {
    vg_tree_id base = e->tree->a.items[expression];
    vg_entry entry = vg_evaluate_place(e, base);
    vg_value value = entry ? vg_entry_value(e, entry, vg_tree_span(e->tree, base)) : vg_evaluate(e, base);
    switch (value.kind) {
    case VG_V_family: return family_member(e, expression, value.id);
    case VG_V_list:   return list_item(e, expression, value);
    case VG_V_tensor: return tensor_slice(e, expression, value.id);
    case VG_V_poison: return value;
    case VG_V_absent: case VG_V_number: case VG_V_dim: case VG_V_bool: case VG_V_string: case VG_V_function:
    case VG_V_distribution: case VG_V_optimizer: case VG_V_data: case VG_V_column: case VG_V_selection: case VG_V_axes:
        break;
    }
    vg_report(e->diags, no_subscript, vg_tree_span(e->tree, expression), e->frame->call, vg_value_noun(value.kind));
    return vg_value_poison();
}
