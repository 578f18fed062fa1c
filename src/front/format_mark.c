/* What a token is for, which the tree knows: a sign or a minus, the bracket of a call or of a list, an operator within
 * an index; and which statements can be brought into line with their neighbours, at which tokens. */
#include "front/format.h"

/* The first token at `offset` or behind it. */
static vg_format_item *token_from(const vg_formatter *f, uint32_t offset) {
    uint32_t low = 0, high = f->items.count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (f->items.items[middle].span.begin < offset) low = middle + 1;
        else high = middle;
    }
    while (f->items.items[low].kind == 0) low++;
    return &f->items.items[low];
}

static vg_format_item *token_at(const vg_formatter *f, vg_tree_id id) {
    return token_from(f, vg_tree_span(f->tree, id).begin);
}
static vg_format_item *token_behind(const vg_formatter *f, vg_tree_id id) {
    return token_from(f, vg_tree_span(f->tree, id).end);
}
/* The = before an expression. */
static vg_format_item *token_before(const vg_formatter *f, vg_tree_id id) {
    vg_format_item *item = token_at(f, id) - 1;
    while (item->kind == 0) item--;
    return item;
}

static void mark(vg_formatter *f, vg_tree_id id, bool tight);

static void mark_list(vg_formatter *f, uint32_t list, bool tight) {
    for (uint32_t k = 0; k < vg_tree_count(f->tree, list); k++) mark(f, vg_tree_item(f->tree, list, k), tight);
}

static void mark_children(vg_formatter *f, vg_tree_id id, bool tight) {
    const uint32_t count = vg_tree_children(f->tree, id, NULL);
    vg_tree_id *children = vg_mem_alloc(f->mem, (count + 1) * sizeof *children);
    vg_tree_children(f->tree, id, children);
    for (uint32_t k = 0; k < count; k++) mark(f, children[k], tight);
    vg_mem_free(f->mem, children);
}

/* A statement's class and its cells: at most three tokens, 0 or NULL where there is none. */
static void mark_cells(vg_formatter *f, vg_tree_id id, vg_format_class class, vg_format_item *one, vg_format_item *two,
                       vg_format_item *three) {
    token_at(f, id)->class = (uint8_t)class;
    if (one) one->cell = 1;
    if (two) two->cell = 2;
    if (three) three->cell = 3;
}

static void mark_statement(vg_formatter *f, vg_tree_id id) {
    const uint32_t a = f->tree->a.items[id], b = f->tree->b.items[id], c = f->tree->c.items[id];
    switch (vg_tree_kind(f->tree, id)) {
    case VG_K_const:   mark_cells(f, id, VG_FORMAT_CONST, token_before(f, b), NULL, NULL); break;
    case VG_K_data:    mark_cells(f, id, VG_FORMAT_DATA, token_before(f, b), NULL, NULL); break;
    case VG_K_update:  mark_cells(f, id, VG_FORMAT_UPDATE, token_before(f, b), NULL, NULL); break;
    case VG_K_setting: mark_cells(f, id, VG_FORMAT_SETTING, token_before(f, b), NULL, NULL); break;
    case VG_K_bind:
        mark_cells(f, id, VG_FORMAT_BIND, token_before(f, c), NULL, NULL);
        if (b) token_behind(f, a)->glued = true;
        break;
    case VG_K_input:
        mark_cells(f, id, VG_FORMAT_INPUT, token_at(f, b), c ? token_before(f, c) : NULL, NULL);
        break;
    case VG_K_var:
    case VG_K_state:
        mark_cells(f, id, VG_FORMAT_VARIABLE, token_at(f, a), token_at(f, b), token_at(f, c));
        break;
    case VG_K_summary:
        mark_cells(f, id, VG_FORMAT_SUMMARY, token_behind(f, a), NULL, NULL);
        token_at(f, id)->fills = true;
        break;
    case VG_K_expect:
        token_at(f, id)->fills = true;
        break;
    case VG_K_def:
    case VG_K_layer:
    case VG_K_initializer:
    case VG_K_optimizer:
        token_behind(f, a)->glued = true;
        break;
    default:
        break;
    }
}

/* The dimensions of an input, spaced as in a list though `int[batch]` is an index by its looks. */
static void mark_input(vg_formatter *f, vg_tree_id shape, vg_tree_id source) {
    if (vg_tree_kind(f->tree, shape) == VG_K_subscript) {
        token_behind(f, f->tree->a.items[shape])->glued = true;
        mark_list(f, f->tree->b.items[shape], false);
    } else {
        mark(f, shape, false);
    }
    mark(f, source, false);
}

/* `tight`: within an index or the ends of a range, where operators stand without spaces. */
static void mark(vg_formatter *f, vg_tree_id id, bool tight) {
    const vg_tree *t = f->tree;
    const vg_kind kind = vg_tree_kind(t, id);
    const uint32_t a = t->a.items[id], b = t->b.items[id], c = t->c.items[id];
    mark_statement(f, id);
    switch (kind) {
    case VG_K_string:
        return;   /* stays as it is written, expressions within it too */
    case VG_K_call:
        token_behind(f, a)->glued = true;
        mark(f, a, tight);
        mark_list(f, b, false);
        return;
    case VG_K_subscript:
        token_behind(f, a)->glued = true;
        mark(f, a, tight);
        mark_list(f, b, true);
        return;
    case VG_K_sub_range:
        (a ? token_behind(f, a) : token_at(f, id))->tight = true;
        break;
    case VG_K_signature:
        if (a) token_behind(f, a)->glued = true;
        break;
    case VG_K_negate:
        token_at(f, id)->unary = true;
        break;
    case VG_K_add: case VG_K_subtract: case VG_K_multiply: case VG_K_divide: case VG_K_matmul: case VG_K_power:
        token_behind(f, a)->tight = tight;
        break;
    case VG_K_input:
        mark_input(f, b, c);
        return;
    case VG_K_bind:
        mark_list(f, b, true);
        mark(f, c, false);
        return;
    case VG_K_build:
        mark(f, a, false);
        mark(f, vg_tree_extra(t, c, 0), true);
        mark(f, vg_tree_extra(t, c, 1), true);
        mark(f, vg_tree_extra(t, c, 2), false);
        return;
    case VG_K_for:
        mark(f, vg_tree_extra(t, b, 0), true);
        mark(f, vg_tree_extra(t, b, 1), true);
        mark(f, c, false);
        return;
    default:
        break;
    }
    const bool expression = kind == VG_K_not || kind == VG_K_negate || kind == VG_K_group || kind == VG_K_if_else ||
                            kind == VG_K_sub_range || kind == VG_K_member || kind == VG_K_member_star ||
                            kind == VG_K_member_deep || (kind >= VG_K_add && kind <= VG_K_or);
    mark_children(f, id, expression && tight);
}

void vg_format_mark(vg_formatter *f, vg_tree_id root) {
    if (f->items.count) mark(f, root, false);
}
