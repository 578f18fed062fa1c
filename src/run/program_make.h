/* What the files that make a program share (program_make.c, program_group.c). */
#ifndef VG_RUN_PROGRAM_MAKE_H
#define VG_RUN_PROGRAM_MAKE_H

#include <string.h>

#include "run/group.h"
#include "run/program.h"

typedef struct vg_maker {
    vg_program     *program;
    const vg_graph *graph;
    vg_ir          *ir;
    vg_store       *store;
    const int64_t  *symbols;
    uint32_t       *step_of;       /* by node: its place in program->steps + 1; 0 is none */
} vg_maker;

/* A view of this node's shape and type, without memory. */
vg_view vg_program_shape(const vg_maker *m, vg_node node);
/* Adds a copy of a view to the program's. */
void vg_program_view(const vg_maker *m, uint32_t view);
/* The group of these nodes, the last of which is its leader; fills the row's views. Belongs to the program's arena. */
vg_group *vg_program_group(const vg_maker *m, const vg_node *nodes, uint32_t count, vg_step_row *row);

#endif
