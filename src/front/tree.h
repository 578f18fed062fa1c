/* The syntax tree: columns, ids are uint32_t, 0 is none. Lists (statements, arguments, ...) are runs in `extra`. */
#ifndef VG_FRONT_TREE_H
#define VG_FRONT_TREE_H

#include "base/str.h"
#include "base/vec.h"
#include "diag/diag.h"

typedef uint32_t vg_tree_id;

/* kind(a, b, c): what the three words of a node hold. list(x): an index into extra where a count stands, and the
 * items behind it; 0 is the empty list. str: a vg_str. Names carry their own span in the node NAME. */
typedef enum vg_kind {
    VG_K_none,
    /* expressions */
    VG_K_number,      /* a: index into numbers */
    VG_K_string,      /* a: list(parts): STRING_TEXT and expressions */
    VG_K_string_text, /* a: str */
    VG_K_bool,        /* a: 0 or 1 */
    VG_K_name,        /* a: str */
    VG_K_list,        /* a: list(expr) */
    VG_K_build,       /* [a for b in c..d if e]: a: expr; b: NAME; c: extra index of three ids: from, to, cond or 0 */
    VG_K_call,        /* a: callee; b: list(ARGUMENT) */
    VG_K_argument,    /* a: NAME or 0; b: expr */
    VG_K_subscript,   /* a: expr; b: list(SUB...: expr, SUB_ALL, SUB_RANGE) */
    VG_K_sub_all,     /* * : any index of a family */
    VG_K_sub_range,   /* a: from or 0; b: to or 0; `:` has neither */
    VG_K_member,      /* a: expr; b: NAME */
    VG_K_member_star, /* a: expr; .* */
    VG_K_member_deep, /* a: expr; .** */
    VG_K_negate, VG_K_not,                                       /* a */
    VG_K_add, VG_K_subtract, VG_K_multiply, VG_K_divide, VG_K_matmul, VG_K_power,
    VG_K_eq, VG_K_ne, VG_K_lt, VG_K_le, VG_K_gt, VG_K_ge, VG_K_and, VG_K_or,   /* a, b */
    VG_K_if_else,     /* a: condition; b: then; c: else */
    VG_K_group,       /* a: expr, in parentheses */
    /* statements */
    VG_K_use,         /* a: STRING; b: list(ARGUMENT) */
    VG_K_const,       /* a: NAME; b: expr */
    VG_K_data,        /* a: NAME; b: expr */
    VG_K_input,       /* a: NAME; b: shape expr (LIST, or SUBSCRIPT of the name `int`); c: expr or 0 */
    VG_K_var,         /* a: NAME; b: shape; c: INIT */
    VG_K_state,       /* a: NAME; b: shape; c: INIT */
    VG_K_init_value,  /* a: expr (= expr) */
    VG_K_init_draw,   /* a: expr (~ expr) */
    VG_K_update,      /* a: target expr; b: expr */
    VG_K_bind,        /* a: NAME; b: list(index expr) or 0; c: expr */
    VG_K_def,         /* a: NAME; b: list(PARAMETER); c: BLOCK, or an expr */
    VG_K_layer,       /* a: NAME; b: list(PARAMETER); c: BLOCK */
    VG_K_initializer, /* a: NAME; b: list(PARAMETER); c: extra index of ids: NAME of the shape, BLOCK */
    VG_K_optimizer,   /* a: NAME; b: list(PARAMETER); c: extra index of ids: NAME p, NAME g, BLOCK */
    VG_K_parameter,   /* a: NAME; b: default or 0; c: SIGNATURE or 0 */
    VG_K_signature,   /* a: NAME of the type (`int`) or 0; b: list(dim: expr or ELLIPSIS) */
    VG_K_ellipsis,
    VG_K_for,         /* a: NAME; b: extra index of two ids: from, to; c: BLOCK */
    VG_K_if,          /* a: condition; b: BLOCK; c: BLOCK, IF, or 0 */
    VG_K_block,       /* a: list(statement) */
    VG_K_return,      /* a: expr */
    VG_K_train,       /* a: expr; b: list(SETTING) */
    VG_K_setting,     /* a: NAME; b: expr */
    VG_K_summary,     /* a: NAME of the kind; b: list(expr); c: extra index of two ids: STRING tag or 0, every or 0 */
    VG_K_expect,      /* a: expr; b: STRING or 0; c: every or 0 */
    VG_K_error        /* a statement that did not parse, reported; a: NAME of what it would have bound, or 0 */
} vg_kind;

typedef struct vg_tree {
    vg_mem *mem;
    VG_VEC(uint8_t)  kind;
    VG_VEC(vg_span)  span;           /* of the whole node; of a binary operator too (from its first operand's begin) */
    VG_VEC(uint32_t) a, b, c;
    VG_VEC(uint16_t) depth;          /* nodes on the longest way down, this one included; VG_DEPTH_BROKEN at most */
    VG_VEC(uint32_t) extra;          /* extra.items[0] is 0: the empty list */
    VG_VEC(double)   numbers;
} vg_tree;

enum {
    VG_NESTING_LIMIT = 200,                    /* brackets within each other */
    VG_DEPTH_LIMIT   = 4 * VG_NESTING_LIMIT,   /* nodes below each other: what a walk may recurse */
    VG_DEPTH_BROKEN  = UINT16_MAX              /* of what did not parse: its statement becomes VG_K_error */
};

void vg_tree_init(vg_tree *tree, vg_mem *mem);
vg_tree_id vg_tree_add(vg_tree *tree, vg_kind kind, vg_span span, uint32_t a, uint32_t b, uint32_t c);
/* A list of `count` items (0 when there are none), and a run of ids without a count. */
uint32_t vg_tree_list(vg_tree *tree, const vg_tree_id *items, uint32_t count);
uint32_t vg_tree_run(vg_tree *tree, const vg_tree_id *items, uint32_t count);
/* The children of a node, in the order of its words, into `out` when that is not NULL; returns how many. */
uint32_t vg_tree_children(const vg_tree *tree, vg_tree_id id, vg_tree_id *out);
/* As a person can check it: (add a (multiply b 2)). Recurses, as deep as the tree is. */
void vg_tree_text(const vg_tree *tree, const vg_strings *strings, vg_tree_id id, vg_text *out);
static inline vg_kind    vg_tree_kind(const vg_tree *t, vg_tree_id id) { return (vg_kind)t->kind.items[id]; }
static inline vg_span    vg_tree_span(const vg_tree *t, vg_tree_id id) { return t->span.items[id]; }
static inline vg_str     vg_tree_name(const vg_tree *t, vg_tree_id name) { return t->a.items[name]; }
static inline uint32_t   vg_tree_count(const vg_tree *t, uint32_t list) { return t->extra.items[list]; }
static inline vg_tree_id vg_tree_item(const vg_tree *t, uint32_t list, uint32_t k) {
    return t->extra.items[list + 1 + k];
}
static inline vg_tree_id vg_tree_extra(const vg_tree *t, uint32_t first, uint32_t k) {
    return t->extra.items[first + k];
}

/* Parse source `index` of diags->sources into the same tree. The root BLOCK of the file, or 0 when nothing at all
 * could be made of it; errors are reported, and statements that did not parse are VG_K_error. */
vg_tree_id vg_parse_file(vg_tree *tree, vg_diags *diags, uint32_t source);
/* One expression that must fill the whole text (--set, print's EXPR). 0 after an error. */
vg_tree_id vg_parse_expression(vg_tree *tree, vg_diags *diags, uint32_t source);
/* One `summary` statement without its first word (--summary 'histogram h[1].W every 10'). 0 after an error. */
vg_tree_id vg_parse_summary(vg_tree *tree, vg_diags *diags, uint32_t source);

#endif
