/* `vgraph graph --wrt NAME`: a derivative as a program of the language. derivative.c makes the graph and its statements,
 * write_scope.c what they stand on (data, inputs, variables, draws), write_expression.c the operators. */
#ifndef VG_API_DERIVATIVE_H
#define VG_API_DERIVATIVE_H

#include "api/model.h"

/* How tightly an expression binds, rising, as in the grammar. */
typedef enum vg_binds {
    VG_BINDS_OR, VG_BINDS_AND, VG_BINDS_NOT, VG_BINDS_COMPARE, VG_BINDS_ADD, VG_BINDS_MULTIPLY, VG_BINDS_NEGATE,
    VG_BINDS_POWER, VG_BINDS_ATOM
} vg_binds;

typedef struct vg_written { const char *text; vg_binds binds; } vg_written;   /* text NULL: not written yet */

typedef struct vg_writer {
    vg_model     *model;
    const vg_graph *graph;
    vg_arena      arena;
    vg_text       out;
    vg_map        used;          /* names that are taken: vg_str -> 1, or the last number behind it */
    vg_map        scopes;        /* names of data, inputs, variables and scopes: vg_str -> 1 */
    bool          explained;     /* what vg_write_extra's statements are for */
    vg_written   *written;       /* by node */
    const char  **name;          /* by node: of its statement; NULL: stands where it is used */
    uint8_t      *live;          /* by node: the value or its derivative needs it */
    uint32_t     *uses;          /* by node */
    vg_node       failed;        /* the first that the language cannot write */
} vg_writer;

/* A name that is free, like `wanted`, which is now taken. */
const char *vg_write_name(vg_writer *w, const char *wanted);
/* "h[1].W" -> "h1_W" */
const char *vg_write_flat(vg_writer *w, const char *path);
/* The node as a statement of its own, if it is none yet. */
void        vg_write_statement(vg_writer *w, vg_node node, const char *wanted);
/* A statement that is no node's: `text`, under a name like `wanted`, which is returned. */
const char *vg_write_extra(vg_writer *w, const char *wanted, const char *text);

/* write_expression.c: the expression of a node whose operands are written. */
vg_written  vg_write_node(vg_writer *w, vg_node node);
const char *vg_write_shape(vg_writer *w, vg_shape shape);
const char *vg_write_number(vg_writer *w, double number);
/* "normal(0, 1)"; NULL when the node is no draw. */
const char *vg_write_distribution(vg_writer *w, vg_node node);

/* write_scope.c: everything before the statements. Fills written[] of variables, inputs and draws. */
void        vg_write_scope(vg_writer *w);
void        vg_write_train(vg_writer *w, const char *loss, bool trains);

#endif
