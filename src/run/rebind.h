/* The views of a program that lie in the memory of one slot, so that an input's next batch can be made elsewhere and
 * taken over without being copied. */
#ifndef VG_RUN_REBIND_H
#define VG_RUN_REBIND_H

#include "run/program.h"

typedef struct vg_binding {
    vg_program *program;
    char       *data;             /* where the views lie now */
    uint32_t   *views, count;     /* places in program->views: of the input, of views of it, of steps' operands */
} vg_binding;

/* Finds them; the list is mem's. The program and its views stay where they are. */
void vg_binding_make(vg_binding *binding, vg_mem *mem, vg_program *program, const vg_slot *slot);
/* From now on the program reads `data`, which is as large as the slot. */
void vg_binding_move(vg_binding *binding, void *data);

#endif
