/* From trees to graphs: names become nodes, loops unroll, layers make variables. */
#ifndef VG_FRONT_ELABORATE_H
#define VG_FRONT_ELABORATE_H

#include "front/tree.h"
#include "ir/unit.h"

/* An option of the command line: --set NAME=EXPR, --data NAME=SOURCE; name 0 for a summary or a value to fetch. */
typedef struct vg_override {
    vg_str     name;
    vg_tree_id tree;      /* the expression, or the summary statement */
    vg_span    span;
    bool       used;
} vg_override;

/* A data set of the host program's, instead of the model's of this name. */
typedef struct vg_provided { vg_str name; vg_dataset *set; bool used; } vg_provided;

/* A file that `load` has read: its index of ir->constants, 0 when that failed. Both graphs see the same numbers. */
typedef struct vg_loaded { vg_str path; uint32_t constant; } vg_loaded;

/* The text of a model file that is not read from the disk. */
typedef struct vg_known_file { vg_str path; const char *text; size_t length; } vg_known_file;
/* --input NAME=FILE: what an input reads instead of its data set's column. */
typedef struct vg_fed { vg_str name; const char *path; bool used; } vg_fed;

typedef struct vg_front {
    vg_tree    tree;
    vg_tree_id root;                    /* of the model file */
    vg_str     path;                    /* of the model file, for `use` and data */
    VG_VEC(vg_tree_id) library;         /* roots of the standard library's files */
    VG_VEC(struct { vg_str path; vg_tree_id root; }) used;   /* files read by `use`, parsed once for both graphs */
    VG_VEC(vg_loaded)   loaded;
    VG_VEC(vg_override) sets, data, summaries, fetches;
    VG_VEC(vg_fed)      fed;
    VG_VEC(vg_known_file) files;        /* a checkpoint's: for `use` */
    VG_VEC(struct vg_facts *) facts;    /* a checkpoint's: what its data sets were, which then need not be there */
    VG_VEC(vg_provided) provided;
    uint64_t   batch, steps;            /* options; 0: not given */
    uint64_t   seed;
    bool       has_seed;
} vg_front;

/* Fills unit->graph[training] and, the first time, unit's tables. Errors are reported. `training` true comes first. */
void vg_elaborate(vg_unit *unit, vg_front *front, bool training);

#endif
