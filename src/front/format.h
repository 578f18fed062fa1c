/* `vgraph fmt`: a text in the one layout that all have (grammar/LANGUAGE.md, Layout). The tokens stay as they are
 * written and in their order, and so does every comment; what is decided anew is the white space between them. A line
 * break that the writer put within a statement stays, and so does one empty line. format.c takes the text apart,
 * format_mark.c asks the tree what a token is for, format_layout.c makes lines of them. */
#ifndef VG_FRONT_FORMAT_H
#define VG_FRONT_FORMAT_H

#include "front/tree.h"

/* Adds the text of source `index` in its layout to `out`. False after reporting when it does not parse. */
bool vg_format(vg_diags *diags, uint32_t index, vg_text *out);

/* ---- what the three files share */

enum {
    VG_FORMAT_INDENT = 4, VG_FORMAT_WIDTH = 120,   /* columns */
    VG_FORMAT_SPREAD = 12,                         /* what is further apart is not brought into line */
    VG_FORMAT_CELLS  = 3
};

/* Statements of one class in neighbouring lines are brought into line, cell by cell. */
typedef enum vg_format_class {
    VG_FORMAT_NONE, VG_FORMAT_CONST, VG_FORMAT_DATA, VG_FORMAT_INPUT, VG_FORMAT_VARIABLE, VG_FORMAT_UPDATE,
        VG_FORMAT_BIND,
    VG_FORMAT_SETTING, VG_FORMAT_SUMMARY
} vg_format_class;

/* A token, or a comment; `kind` of a comment is 0. */
typedef struct vg_format_item {
    vg_span  span;
    int      kind;
    uint32_t width;       /* in characters */
    uint32_t pad;         /* spaces before it beyond what is usual, for alignment */
    uint8_t  newlines;    /* that the writer put before it; 2 for more */
    uint8_t  cell;        /* of its statement: 1 ... begins here */
    uint8_t  class;       /* vg_format_class of the statement that begins here */
    bool     starts;      /* a statement, or ends a block that is not empty */
    bool     breaks;      /* begins a line within its statement */
    bool     own;         /* a comment in a line of its own */
    bool     glued;       /* no space before it: the bracket of a call or an index */
    bool     tight;       /* an operator without spaces around it */
    bool     unary;       /* a sign: no space behind it */
    bool     fills;       /* begins a statement whose commas may end lines outside of brackets, too */
} vg_format_item;

typedef struct vg_formatter {
    vg_mem         *mem;
    const vg_tree  *tree;
    const char     *text;     /* of the source, which begins at `base` */
    uint32_t        base;
    VG_VEC(vg_format_item) items;
} vg_formatter;

void vg_format_mark(vg_formatter *f, vg_tree_id root);
void vg_format_layout(vg_formatter *f, vg_text *out);

#endif
