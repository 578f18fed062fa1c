/* The state that the files of the elaborator share: the tree of names, the frames, and what is put off to the end.
 *
 * Names. Every binding is an entry in a tree: the root's children are the top level, a layer call's bindings are the
 * children of the entry that owns the call (h[1] -> W, b). `h[1]` is a member of the family entry `h`. Functions'
 * frames hang their names under an entry of no path. An entry's value and its children are two things: h[1] is a
 * tensor and has members. */
#ifndef VG_FRONT_ELABORATOR_H
#define VG_FRONT_ELABORATOR_H

#include "front/elaborate.h"
#include "front/value.h"

typedef uint32_t vg_entry;

typedef enum vg_entry_kind {
    VG_E_scope,      /* the root, a frame of a function, a layer's call outside a binding */
    VG_E_value,      /* a binding */
    VG_E_const, VG_E_data, VG_E_input, VG_E_dimension, VG_E_function,
    VG_E_variable,   /* var or state */
    VG_E_family      /* its children are members */
} vg_entry_kind;

typedef struct vg_entry_row {
    vg_entry_kind kind;
    vg_entry parent;
    vg_str   name;               /* of a member: 0 */
    vg_str   path;               /* made when first asked for */
    uint32_t first_index, index_count;   /* of a member: indices */
    vg_value value;
    vg_entry first_child, last_child, next;
    uint32_t variable;           /* index of unit->variables + 1 */
    uint32_t layer;              /* of a layer's call: its function + 1 */
    vg_entry shares;             /* of a layer's call with weights: whose variables it uses */
    vg_span  span;
    bool     open;               /* its statement is being elaborated: it is not known yet */
    /* of a family made by a plain name in a loop: how many loops are around it, and the innermost one's statement */
    bool     plain;
    uint32_t depth;
    vg_tree_id loop;
    uint32_t turn;               /* of a member of such a family: the turn it was bound in */
    vg_node  pending;            /* of a variable: its value after the updates so far */
    uint32_t updates;            /* the newest of its pending updates + 1; they are linked by `previous` */
} vg_entry_row;

typedef struct vg_loop { vg_tree_id statement; vg_str name; int64_t index; uint32_t turn; } vg_loop;
typedef struct vg_local { vg_str name; vg_value value; vg_span span; } vg_local;

typedef enum vg_frame_kind {
    VG_FRAME_top, VG_FRAME_def, VG_FRAME_layer, VG_FRAME_initializer, VG_FRAME_optimizer
} vg_frame_kind;

/* One activation: the top level, or a function's body. Where its names live, and what `return` gave. */
typedef struct vg_frame {
    struct vg_frame *caller;
    vg_frame_kind kind;
    uint32_t  function;          /* values.functions; unused at top */
    vg_entry  scope;             /* its names are this entry's children */
    vg_entry  top;               /* the top level its text was written in */
    vg_call   call;
    VG_VEC(vg_local) locals;     /* parameters, signature dimensions, and the loops' variables (newest last) */
    VG_VEC(vg_loop)  loops;
    bool      returned;
    bool      weights_failed;    /* the call's weights do not fit: reported once */
    vg_value  result;
    vg_span   result_span;
} vg_frame;

/* The binding whose right side is being evaluated: it owns layer calls and names draws. */
typedef struct vg_binding {
    vg_entry entry;              /* under which calls get their names; 0: layer calls are not allowed */
    bool     sole;               /* exactly one outermost layer call: it owns `entry` itself */
    uint32_t inside;             /* how many layer calls' arguments we are in */
    vg_str   draw_path;          /* identity of draws; 0: entry's path */
    const char *refuses;         /* why layer calls are not allowed here: "a def", "a summary" */
} vg_binding;

typedef struct vg_deferred { vg_tree_id statement; vg_frame *frame; } vg_deferred;
/* A const that `use "file" (name = value)` sets. */
typedef struct vg_use_const { vg_str name; vg_value value; vg_span span; bool used; } vg_use_const;
typedef struct vg_pending_update {
    vg_entry variable;
    vg_node  value;
    vg_span  span;
    vg_call  call;
    uint32_t turn;
    uint64_t every;
    bool     optimizer;
    uint32_t previous;           /* of the same variable: index of updates + 1 */
} vg_pending_update;

enum {
    VG_TURN_LIMIT = 1 << 20,     /* of one loop or list */
    VG_WORK_LIMIT = 1 << 26,     /* expressions evaluated, all turns and calls counted */
    VG_FRAME_LIMIT = 64,         /* calls within each other */
    VG_EVALUATION_LIMIT = 1500,  /* expressions within each other, calls counted in */
    VG_LIST_LIMIT = 1 << 20,
    VG_STRING_LIMIT = 1 << 16,
    VG_ARGUMENT_LIMIT = 24
};

typedef struct vg_elaborator {
    vg_mem    *mem;
    vg_arena   arena;            /* frames */
    vg_ir     *ir;
    vg_unit   *unit;
    vg_graph  *graph;
    vg_front  *front;
    vg_tree   *tree;
    vg_diags  *diags;
    vg_values  values;
    bool       training;
    VG_VEC(vg_entry_row) entries;
    VG_VEC(int64_t)      indices;
    vg_map     entry_map;        /* (parent, name) or (family, indices) -> entry */
    vg_map     node_entry;       /* variable node -> its entry */
    vg_map     builtin_map;      /* name -> function value id + 1 */
    vg_map     variable_rows;    /* path -> index of unit->variables + 1, for the second elaboration */
    vg_map     draw_numbers;     /* path -> draws so far + 1 */
    vg_entry   root, library;
    vg_frame  *frame;
    vg_binding binding;
    uint32_t   turns;            /* serial numbers of loop turns */
    uint32_t   work, depth, frames;
    bool       work_reported;
    bool       names_missing;    /* a used file could not be read: what it would bind is not reported again */
    uint32_t   block;            /* the train block whose settings or optimizer is being elaborated; 0: none */
    uint64_t   block_every;
    VG_VEC(vg_deferred)        trains, summaries, expects;
    VG_VEC(vg_pending_update)  updates;
    VG_VEC(vg_span)            tags;         /* of each summary */
    vg_map                     tag_map;      /* (kind, tag) -> index of tags + 1 */
    VG_VEC(vg_node)            losses;       /* of the train blocks; 0 after a mistake */
    VG_VEC(uint32_t)           gradient_turn;/* by node (as far as asked): 0 when it depends on no gradient, else the turn
                                                in which its summary is taken: see watch.c */
    VG_VEC(struct { vg_str path; vg_span span; }) used;      /* files */
    VG_VEC(vg_use_const)       use_consts;
    VG_VEC(uint32_t)   active;   /* functions being run */
    VG_VEC(vg_value)   stack;    /* scratch for lists being built */
    uint64_t   steps, batch, seed;      /* of the run, once known; steps 0: not yet */
    bool       steps_busy;
    vg_span    steps_span;              /* where 'steps' was asked for first */
    bool       input_lost;              /* an input could not be made, or its data: what it would read is not known */
} vg_elaborator;

static inline const char *vg_text_of(const vg_elaborator *e, vg_str id) { return vg_strings_text(&e->ir->strings, id); }

/* ---- scope.c */
vg_entry    vg_entry_add(vg_elaborator *e, vg_entry parent, vg_str name, vg_entry_kind kind, vg_span span);
vg_entry    vg_entry_member(vg_elaborator *e, vg_entry family, const int64_t *indices, uint32_t count, vg_span span);
vg_entry    vg_entry_find(const vg_elaborator *e, vg_entry parent, vg_str name);
vg_entry    vg_entry_find_member(const vg_elaborator *e, vg_entry family, const int64_t *indices, uint32_t count);
vg_str      vg_entry_path(vg_elaborator *e, vg_entry entry);
static inline vg_entry_row *vg_entry_at(const vg_elaborator *e, vg_entry entry) { return &e->entries.items[entry]; }
/* Makes the entry for a name bound in the current frame: plain, or a member of a family (indices, or the turns of
 * the loops around). 0 after reporting that the name is taken. */
vg_entry    vg_bind_entry(vg_elaborator *e, vg_tree_id name, const int64_t *indices, uint32_t count,
                          vg_entry_kind kind);
/* Gives an entry its value, and makes it known; tensors enter the graph's names. */
void        vg_bind_value(vg_elaborator *e, vg_entry entry, vg_value value);
/* What a name means here: a local's value, or an entry (its value, too). False when unknown; nothing is reported. */
bool        vg_name_find(vg_elaborator *e, vg_str name, vg_value *value, vg_entry *entry);
/* The same, reporting: unknown (with a suggestion), or a loop's name used outside its turn. */
vg_value    vg_name_value(vg_elaborator *e, vg_tree_id name, vg_entry *entry);

/* ---- expression.c */
vg_value    vg_evaluate(vg_elaborator *e, vg_tree_id expression);
/* An expression that must be of one kind; reports and gives a poison or false otherwise. `what` names its role. */
bool        vg_evaluate_whole(vg_elaborator *e, vg_tree_id expression, const char *what, int64_t *out);
bool        vg_evaluate_bool(vg_elaborator *e, vg_tree_id expression, const char *what, bool *out);
vg_node     vg_evaluate_tensor(vg_elaborator *e, vg_tree_id expression);
vg_str      vg_evaluate_string(vg_elaborator *e, vg_tree_id string);
vg_str      vg_expression_text(vg_elaborator *e, vg_tree_id expression);   /* as written, white space folded, no comments */
/* What is at a place: the entry a name, subscript or member leads to; 0 when it leads to none (nothing reported). */
vg_entry    vg_evaluate_place(vg_elaborator *e, vg_tree_id expression);
/* A family's is the family; a scope has none, which is reported at `span`. */
vg_value    vg_entry_value(vg_elaborator *e, vg_entry entry, vg_span span);
void        vg_here(vg_elaborator *e, vg_span span);                       /* where the next nodes come from */

/* ---- operator.c */
vg_value    vg_operate(vg_elaborator *e, vg_kind kind, vg_value a, vg_value b, vg_span span);   /* b absent: unary */
vg_value    vg_apply_map(vg_elaborator *e, vg_op op, const vg_value *arguments, uint32_t count, vg_span span);
/* Applies a function to each element of the selections among `values` (pairwise), giving a selection. */
vg_value    vg_map_selections(vg_elaborator *e, const vg_value *values, uint32_t count, vg_span span,
                              vg_value (*apply)(vg_elaborator *e, void *user, const vg_value *values), void *user);

/* ---- convert.c */
/* "0.5" or "a list": what a message says was found. */
const char *vg_value_found(vg_elaborator *e, vg_value value);
/* A value as a tensor: numbers, dimensions and lists of them become constants (int32 when `integer` and whole, and
 * of shapes). 0 after reporting. */
vg_node     vg_to_tensor(vg_elaborator *e, vg_value value, bool integer, vg_span span);
bool        vg_is_tensor_like(vg_value value);                             /* tensor, dim, number, bool, list */
bool        vg_to_dim(vg_elaborator *e, vg_value value, const char *what, vg_span span, vg_dim *out);
bool        vg_to_shape(vg_elaborator *e, vg_value value, vg_span span, vg_shape *out);
const char *vg_shape_shown(vg_elaborator *e, vg_shape shape);              /* for a message, in e->arena */
vg_value    vg_dim_value_of(vg_elaborator *e, vg_dim dim);                 /* a number where it is one */

/* ---- subscript.c */
vg_value    vg_subscript(vg_elaborator *e, vg_tree_id expression);

/* ---- select.c */
bool        vg_is_pattern(const vg_elaborator *e, vg_tree_id expression);
vg_value    vg_select(vg_elaborator *e, vg_tree_id pattern);
vg_value    vg_select_text(vg_elaborator *e, vg_str pattern, vg_span span);   /* vars("**.W"); 0: all trainable */

/* ---- call.c */
vg_value    vg_call_expression(vg_elaborator *e, vg_tree_id call);
/* Runs a def's or an initialiser's body, or finishes an optimizer's: see vg_bound. `locals` are bound behind the
 * parameters (p and g, shape). The scope is a new one, or `scope` where that is not 0. */
vg_value    vg_run_function(vg_elaborator *e, uint32_t function, const vg_value *arguments, const vg_span *spans,
                            vg_span span, const vg_local *locals, uint32_t local_count, vg_entry scope);
vg_frame   *vg_frame_push(vg_elaborator *e, vg_frame_kind kind, uint32_t function, vg_entry scope, vg_span span);
void        vg_frame_pop(vg_elaborator *e);
void        vg_local_add(vg_elaborator *e, vg_str name, vg_value value, vg_span span);
/* Binds parameters in the frame just pushed: defaults, signatures. False after reporting. */
bool        vg_bind_parameters(vg_elaborator *e, const vg_function *function, const vg_value *arguments,
                               const vg_span *spans, vg_span call);
uint32_t    vg_function_parameters(const vg_elaborator *e, const vg_function *function);   /* list(PARAMETER) */
vg_tree_id  vg_function_block(const vg_elaborator *e, const vg_function *function);
bool        vg_may_call(vg_elaborator *e, uint32_t function, vg_span span);   /* no recursion, not too deep */
/* Counts one evaluation, call or turn; false at the limit. */
bool        vg_spend(vg_elaborator *e, vg_span span);

/* ---- layer.c */
vg_value    vg_call_layer(vg_elaborator *e, uint32_t function, const vg_value *arguments, const vg_span *spans,
                          vg_tree_id weights, vg_span span);
/* Starts a binding's right side: counts its outermost layer calls. Returns what to restore. */
vg_binding  vg_binding_begin(vg_elaborator *e, vg_entry entry, vg_tree_id expression);
vg_binding  vg_binding_refuse(vg_elaborator *e, const char *why, vg_str draw_path);
vg_str      vg_draw_path(vg_elaborator *e, uint32_t *number);

/* ---- statement.c */
void        vg_execute(vg_elaborator *e, vg_tree_id statement);
void        vg_execute_block(vg_elaborator *e, vg_tree_id block);
/* def, layer, initializer, optimizer are known in the whole file. */
void        vg_hoist(vg_elaborator *e, vg_tree_id block, vg_entry top);

/* ---- declare.c, input.c, update.c */
void        vg_declare_const(vg_elaborator *e, vg_tree_id statement);
void        vg_declare_variable(vg_elaborator *e, vg_tree_id statement);
void        vg_variables_compare(vg_elaborator *e);   /* evaluation must make those that training made */
void        vg_declare_data(vg_elaborator *e, vg_tree_id statement);
void        vg_declare_input(vg_elaborator *e, vg_tree_id statement);
/* Reports the --input options that no input has taken. */
void        vg_check_fed(vg_elaborator *e);
void        vg_declare_update(vg_elaborator *e, vg_tree_id statement);
void        vg_updates_emit(vg_elaborator *e);
/* The value of a dataset's member: a column, classes, count. */
vg_value    vg_data_member(vg_elaborator *e, vg_value data, vg_tree_id name);
/* Samples of a distribution of this shape; fixed: the initial value of `path`. 0 after reporting. */
vg_node     vg_draw(vg_elaborator *e, vg_value distribution, vg_shape shape, bool fixed, vg_str path, vg_span span);
vg_override *vg_override_find(vg_elaborator *e, vg_str name);

/* ---- train.c, watch.c */
void        vg_elaborate_trains(vg_elaborator *e);
void        vg_elaborate_summary(vg_elaborator *e, vg_tree_id statement);
void        vg_elaborate_expect(vg_elaborator *e, vg_tree_id statement);
void        vg_elaborate_fetch(vg_elaborator *e, const vg_override *fetch, uint32_t index);
/* 0 when the node depends on no gradient; else the turn in which a summary of it is taken: that of the block whose loss's
 * gradients it depends on, the first when they are several blocks' or another value's. */
uint32_t    vg_gradient_turn(vg_elaborator *e, vg_node node);
/* Settings that must be known before the end: steps, batch. */
uint64_t    vg_run_step_count(vg_elaborator *e, vg_span span);
vg_node     vg_gradient_node(vg_elaborator *e, vg_node y, vg_node v, uint32_t group);

/* ---- builtin.c */
void        vg_builtins_register(vg_elaborator *e);
vg_value    vg_call_builtin(vg_elaborator *e, uint32_t row, const vg_value *arguments, const vg_span *spans,
                            vg_span span);
/* The parameters of a builtin row or an elementwise one: count, and names. */
uint32_t    vg_builtin_parameters(const vg_elaborator *e, const vg_function *function, vg_str *names, bool *required);
bool        vg_builtin_takes_selections(uint32_t row);
bool        vg_builtin_library_only(uint32_t row);
bool        vg_builtin_is_value(uint32_t row);                              /* the name alone calls it: vars, step */

#endif
