/* Values as what a place needs: a tensor, a dimension, a shape. */
#include "front/elaborator.h"
#include "ir/build.h"

vg_value vg_dim_value_of(vg_elaborator *e, vg_dim dim) {
    int64_t number;
    if (!dim) return vg_value_poison();
    if (vg_dim_is_number(&e->ir->dims, dim, &number)) return vg_value_number((double)number);
    return (vg_value){ VG_V_dim, dim, 0 };
}

bool vg_is_tensor_like(vg_value value) {
    return value.kind == VG_V_tensor || value.kind == VG_V_dim || value.kind == VG_V_number ||
           value.kind == VG_V_list || value.kind == VG_V_bool;
}

const char *vg_shape_shown(vg_elaborator *e, vg_shape shape) {
    vg_text text = vg_text_new(e->mem);
    vg_shape_text(&e->ir->dims, &e->ir->strings, shape, &text);
    const char *copy = vg_arena_copy(&e->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copy;
}

const char *vg_value_found(vg_elaborator *e, vg_value value) {
    char number[32];
    if (value.kind != VG_V_number) return vg_value_noun(value.kind);
    return vg_arena_format(&e->arena, "%s", vg_number_text(number, value.number));
}

/* ---- values as tensors */

/* Nested lists of numbers and dimensions on their way to a tensor; the elements are pushed onto the stack. */
typedef struct flat {
    vg_elaborator *e;
    vg_span  span;
    int64_t  dims[VG_RANK_LIMIT];    /* -1: not known yet */
    uint32_t rank, base;             /* rank 0: no element yet */
    bool     whole;
} flat;

static bool flatten(flat *f, vg_value list, uint32_t depth) {
    vg_elaborator *e = f->e;
    uint32_t count = vg_list_count(&e->values, list);
    if (depth >= VG_RANK_LIMIT || (f->dims[depth] >= 0 && f->dims[depth] != count)) return false;
    f->dims[depth] = count;
    for (uint32_t k = 0; k < count; k++) {
        vg_value item = vg_list_item(&e->values, list, k);
        int64_t number;
        if (!vg_spend(e, f->span) || e->stack.count - f->base > VG_LIST_LIMIT) return false;
        if (item.kind == VG_V_list) {
            if ((f->rank && f->rank <= depth + 1) || !flatten(f, item, depth + 1)) return false;
        } else if (item.kind == VG_V_number || item.kind == VG_V_dim) {
            if (f->rank && f->rank != depth + 1) return false;
            f->rank = depth + 1;
            f->whole &= item.kind == VG_V_dim ||
                        (vg_value_whole(item, &number) && number >= INT32_MIN && number <= INT32_MAX);
            vg_vec_push(e->mem, &e->stack, item);
        } else {
            return false;
        }
    }
    return true;
}

static vg_node dim_tensor(vg_elaborator *e, vg_dim dim, bool integer) {
    vg_node node = vg_build_dimension(e->graph, dim);
    return integer ? vg_build_map1(e->graph, VG_OP_int, node) : node;
}

/* The elements on the stack from `base` on: a constant, or, where there are dimensions among them, joined scalars. */
static vg_node elements_tensor(vg_elaborator *e, uint32_t base, vg_shape shape, vg_dtype dtype) {
    uint32_t count = e->stack.count - base;
    bool constant = true;
    for (uint32_t k = 0; k < count; k++) constant &= e->stack.items[base + k].kind == VG_V_number;
    if (constant) {
        double *elements = VG_ARRAY(&e->ir->arena, double, count);
        for (uint32_t k = 0; k < count; k++) elements[k] = e->stack.items[base + k].number;
        return vg_build_constant(e->graph, shape, elements, count, dtype);
    }
    vg_node *nodes = VG_ARRAY(&e->arena, vg_node, count);
    vg_dim one = vg_dim_number(&e->ir->dims, 1);
    vg_shape single = vg_shape_of(&e->ir->dims, &one, 1);
    for (uint32_t k = 0; k < count; k++) {
        vg_value item = e->stack.items[base + k];
        nodes[k] = item.kind == VG_V_dim ? vg_build_reshape(e->graph, dim_tensor(e, item.id, dtype == VG_I32), single)
                                         : vg_build_fill(e->graph, single, item.number, dtype);
    }
    vg_word axis = 0;
    vg_node joined = vg_emit(e->graph, VG_OP_concat, nodes, count, vg_attr_of(e->ir, &axis, 1));
    return vg_build_reshape(e->graph, joined, shape);
}

static vg_node list_tensor(vg_elaborator *e, vg_value list, bool integer, vg_span span) {
    flat f = { .e = e, .span = span, .base = e->stack.count, .whole = true };
    for (uint32_t k = 0; k < VG_RANK_LIMIT; k++) f.dims[k] = -1;
    bool fits = flatten(&f, list, 0);
    if (e->stack.count - f.base > VG_LIST_LIMIT) {
        vg_report(e->diags, limit_list, span, e->frame->call, vg_arena_format(&e->arena, "%d", VG_LIST_LIMIT));
        fits = false;
    } else if (!fits || !f.rank) {
        if (!e->work_reported) vg_report0(e->diags, list_not_tensor, span, e->frame->call);
        fits = false;
    }
    vg_dim dims[VG_RANK_LIMIT];
    for (uint32_t k = 0; k < f.rank; k++) dims[k] = vg_dim_number(&e->ir->dims, f.dims[k]);
    vg_shape shape = vg_shape_of(&e->ir->dims, dims, f.rank);
    vg_node node = fits ? elements_tensor(e, f.base, shape, integer && f.whole ? VG_I32 : VG_F32) : 0;
    e->stack.count = f.base;
    return node;
}

vg_node vg_to_tensor(vg_elaborator *e, vg_value value, bool integer, vg_span span) {
    int64_t whole;
    vg_here(e, span);
    switch (value.kind) {
    case VG_V_poison: return 0;
    case VG_V_tensor: return value.id;
    case VG_V_number:
        integer = integer && vg_value_whole(value, &whole) && whole >= INT32_MIN && whole <= INT32_MAX;
        return vg_build_fill(e->graph, VG_SHAPE_SCALAR, value.number, integer ? VG_I32 : VG_F32);
    case VG_V_bool: return vg_build_fill(e->graph, VG_SHAPE_SCALAR, value.id, VG_I32);
    case VG_V_dim:  return dim_tensor(e, value.id, integer);
    case VG_V_list: return list_tensor(e, value, integer || value.number != 0, span);
    case VG_V_absent: case VG_V_string: case VG_V_function: case VG_V_distribution: case VG_V_optimizer:
    case VG_V_data: case VG_V_column: case VG_V_selection: case VG_V_family: case VG_V_axes:
        break;
    }
    vg_report(e->diags, not_tensor, span, e->frame->call, vg_value_noun(value.kind));
    if (value.kind == VG_V_distribution)
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "draw from it with sample(distribution, shape)");
    if (value.kind == VG_V_family)
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "name one member, '%s[k]', or all of them, '%s[*]'",
                      vg_text_of(e, vg_entry_path(e, value.id)),
                      vg_text_of(e, vg_entry_path(e, value.id)));
    return 0;
}

bool vg_to_dim(vg_elaborator *e, vg_value value, const char *what, vg_span span, vg_dim *out) {
    int64_t number;
    if (value.kind == VG_V_poison) return false;
    if (value.kind == VG_V_dim) {
        *out = value.id;
        return true;
    }
    if (vg_value_whole(value, &number) && number >= 0 && number <= INT32_MAX) {
        *out = vg_dim_number(&e->ir->dims, number);
        return true;
    }
    vg_report(e->diags, not_dimension, span, e->frame->call, what,
              vg_value_found(e, value));
    return false;
}

bool vg_to_shape(vg_elaborator *e, vg_value value, vg_span span, vg_shape *out) {
    vg_dim dims[VG_RANK_LIMIT];
    if (value.kind == VG_V_poison) return false;
    if (value.kind == VG_V_number || value.kind == VG_V_dim) {   /* zeros(10), as NumPy takes it */
        if (!vg_to_dim(e, value, "a dimension", span, &dims[0])) return false;
        *out = vg_shape_of(&e->ir->dims, dims, 1);
        return true;
    }
    if (value.kind != VG_V_list || vg_list_count(&e->values, value) > VG_RANK_LIMIT) {
        vg_report(e->diags, not_shape, span, e->frame->call, vg_value_noun(value.kind));
        return false;
    }
    uint32_t rank = vg_list_count(&e->values, value);
    for (uint32_t k = 0; k < rank; k++)
        if (!vg_to_dim(e, vg_list_item(&e->values, value, k), "a dimension", span, &dims[k])) return false;
    *out = vg_shape_of(&e->ir->dims, dims, rank);
    return true;
}
