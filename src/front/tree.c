/* The syntax tree's columns, and its text for tests. What the words of a node hold is the table `layouts`. */
#include "front/tree.h"

/* One letter a word: n a node or 0, l a list, 2 and 3 a run of so many ids, . no node. */
typedef struct vg_layout { const char *name; char words[3]; } vg_layout;

static const vg_layout layouts[] = {
    [VG_K_none]        = { "none", "..." },
    [VG_K_number]      = { "number", "..." },
    [VG_K_string]      = { "string", "l.." },
    [VG_K_string_text] = { "text", "..." },
    [VG_K_bool]        = { "bool", "..." },
    [VG_K_name]        = { "name", "..." },
    [VG_K_list]        = { "list", "l.." },
    [VG_K_build]       = { "build", "nn3" },
    [VG_K_call]        = { "call", "nl." },
    [VG_K_argument]    = { "argument", "nn." },
    [VG_K_subscript]   = { "subscript", "nl." },
    [VG_K_sub_all]     = { "all", "..." },
    [VG_K_sub_range]   = { "range", "nn." },
    [VG_K_member]      = { "member", "nn." },
    [VG_K_member_star] = { "member_star", "n.." },
    [VG_K_member_deep] = { "member_deep", "n.." },
    [VG_K_negate]      = { "negate", "n.." },
    [VG_K_not]         = { "not", "n.." },
    [VG_K_add]         = { "add", "nn." },
    [VG_K_subtract]    = { "subtract", "nn." },
    [VG_K_multiply]    = { "multiply", "nn." },
    [VG_K_divide]      = { "divide", "nn." },
    [VG_K_matmul]      = { "matmul", "nn." },
    [VG_K_power]       = { "power", "nn." },
    [VG_K_eq]          = { "eq", "nn." },
    [VG_K_ne]          = { "ne", "nn." },
    [VG_K_lt]          = { "lt", "nn." },
    [VG_K_le]          = { "le", "nn." },
    [VG_K_gt]          = { "gt", "nn." },
    [VG_K_ge]          = { "ge", "nn." },
    [VG_K_and]         = { "and", "nn." },
    [VG_K_or]          = { "or", "nn." },
    [VG_K_if_else]     = { "if_else", "nnn" },
    [VG_K_group]       = { "group", "n.." },
    [VG_K_use]         = { "use", "nl." },
    [VG_K_const]       = { "const", "nn." },
    [VG_K_data]        = { "data", "nn." },
    [VG_K_input]       = { "input", "nnn" },
    [VG_K_var]         = { "var", "nnn" },
    [VG_K_state]       = { "state", "nnn" },
    [VG_K_init_value]  = { "value", "n.." },
    [VG_K_init_draw]   = { "draw", "n.." },
    [VG_K_update]      = { "update", "nn." },
    [VG_K_bind]        = { "bind", "nln" },
    [VG_K_def]         = { "def", "nln" },
    [VG_K_layer]       = { "layer", "nln" },
    [VG_K_initializer] = { "initializer", "nl2" },
    [VG_K_optimizer]   = { "optimizer", "nl3" },
    [VG_K_parameter]   = { "parameter", "nnn" },
    [VG_K_signature]   = { "signature", "nl." },
    [VG_K_ellipsis]    = { "ellipsis", "..." },
    [VG_K_for]         = { "for", "n2n" },
    [VG_K_if]          = { "if", "nnn" },
    [VG_K_block]       = { "block", "l.." },
    [VG_K_return]      = { "return", "n.." },
    [VG_K_train]       = { "train", "nl." },
    [VG_K_setting]     = { "setting", "nn." },
    [VG_K_summary]     = { "summary", "nl2" },
    [VG_K_expect]      = { "expect", "nnn" },
    [VG_K_error]       = { "error", "n.." },
};

void vg_tree_init(vg_tree *tree, vg_mem *mem) {
    *tree = (vg_tree){ .mem = mem };
    vg_tree_add(tree, VG_K_none, (vg_span){ 0, 0 }, 0, 0, 0);
    tree->depth.items[0] = 0;
    vg_vec_push(mem, &tree->extra, 0);
}

/* The children that word `k` of a node holds; their count. */
static uint32_t word_children(const vg_tree *tree, char letter, uint32_t word, const vg_tree_id **children) {
    switch (letter) {
    case 'l':
        *children = tree->extra.items + word + 1;
        return tree->extra.items[word];
    case '2':
    case '3':
        *children = tree->extra.items + word;
        return (uint32_t)(letter - '0');
    default:
        return 0;
    }
}

uint32_t vg_tree_children(const vg_tree *tree, vg_tree_id id, vg_tree_id *out) {
    const char *letters = layouts[vg_tree_kind(tree, id)].words;
    const uint32_t words[3] = { tree->a.items[id], tree->b.items[id], tree->c.items[id] };
    uint32_t total = 0;
    for (uint32_t k = 0; k < 3; k++) {
        const vg_tree_id *children = &words[k];
        const uint32_t count = letters[k] == 'n' ? 1 : word_children(tree, letters[k], words[k], &children);
        for (uint32_t i = 0; out && i < count; i++) {
            out[total + i] = children[i];
        }
        total += count;
    }
    return total;
}

static uint16_t deepest(const vg_tree *tree, vg_tree_id id) {
    const char *letters = layouts[vg_tree_kind(tree, id)].words;
    const uint32_t words[3] = { tree->a.items[id], tree->b.items[id], tree->c.items[id] };
    uint16_t depth = 0;
    for (uint32_t k = 0; k < 3; k++) {
        const vg_tree_id *children = &words[k];
        const uint32_t count = letters[k] == 'n' ? 1 : word_children(tree, letters[k], words[k], &children);
        for (uint32_t i = 0; i < count; i++) {
            const uint16_t child = tree->depth.items[children[i]];
            if (child > depth) depth = child;
        }
    }
    return depth;
}

vg_tree_id vg_tree_add(vg_tree *tree, vg_kind kind, vg_span span, uint32_t a, uint32_t b, uint32_t c) {
    const vg_tree_id id = tree->kind.count;
    vg_vec_push(tree->mem, &tree->kind, (uint8_t)kind);
    vg_vec_push(tree->mem, &tree->span, span);
    vg_vec_push(tree->mem, &tree->a, a);
    vg_vec_push(tree->mem, &tree->b, b);
    vg_vec_push(tree->mem, &tree->c, c);
    vg_vec_push(tree->mem, &tree->depth, 0);
    const uint16_t below = deepest(tree, id);
    tree->depth.items[id] = below == VG_DEPTH_BROKEN ? below : (uint16_t)(below + 1);
    return id;
}

uint32_t vg_tree_run(vg_tree *tree, const vg_tree_id *items, uint32_t count) {
    const uint32_t first = tree->extra.count;
    for (uint32_t k = 0; k < count; k++) {
        vg_vec_push(tree->mem, &tree->extra, items[k]);
    }
    return first;
}

uint32_t vg_tree_list(vg_tree *tree, const vg_tree_id *items, uint32_t count) {
    if (count == 0) {
        return 0;
    }
    const uint32_t list = tree->extra.count;
    vg_vec_push(tree->mem, &tree->extra, count);
    vg_tree_run(tree, items, count);
    return list;
}

void vg_tree_text(const vg_tree *tree, const vg_strings *strings, vg_tree_id id, vg_text *out) {
    const vg_kind kind = vg_tree_kind(tree, id);
    const uint32_t a = tree->a.items[id];
    char number[32];
    if (kind == VG_K_name) {
        vg_text_format(out, "%s", vg_strings_text(strings, a));
    } else if (kind == VG_K_string_text) {
        vg_text_format(out, "\"%s\"", vg_strings_text(strings, a));
    } else if (kind == VG_K_number) {
        vg_text_format(out, "%s", vg_number_text(number, tree->numbers.items[a]));
    } else if (kind == VG_K_bool) {
        vg_text_format(out, "%s", a ? "true" : "false");
    } else if (id == 0) {
        vg_text_add(out, "-", 1);
    } else {
        const uint32_t count = vg_tree_children(tree, id, NULL);
        vg_tree_id *children = vg_mem_alloc(tree->mem, count * sizeof *children);
        vg_tree_children(tree, id, children);
        vg_text_format(out, "(%s", layouts[kind].name);
        for (uint32_t k = 0; k < count; k++) {
            vg_text_add(out, " ", 1);
            vg_tree_text(tree, strings, children[k], out);
        }
        vg_text_add(out, ")", 1);
        vg_mem_free(tree->mem, children);
    }
}
