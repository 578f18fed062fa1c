/* Moving what a program reads to other memory of the same shape (rebind.h). */
#include "run/rebind.h"

static bool lies_in(const vg_view *view, const char *data, size_t bytes) {
    const uintptr_t at = (uintptr_t)view->data, begin = (uintptr_t)data;
    return at >= begin && at < begin + bytes;
}

void vg_binding_make(vg_binding *binding, vg_mem *mem, vg_program *program, const vg_slot *slot) {
    *binding = (vg_binding){ .program = program, .data = slot->view.data };
    const size_t bytes = vg_view_bytes(&slot->view, program->real);
    for (uint32_t k = 0; k < program->views.count; k++)
        binding->count += lies_in(&program->views.items[k], binding->data, bytes);
    binding->views = vg_mem_alloc(mem, binding->count * sizeof *binding->views);
    uint32_t found = 0;
    for (uint32_t k = 0; k < program->views.count; k++)
        if (lies_in(&program->views.items[k], binding->data, bytes)) binding->views[found++] = k;
}

void vg_binding_move(vg_binding *binding, void *data) {
    char *to = data;
    if (to == binding->data) return;
    for (uint32_t k = 0; k < binding->count; k++) {
        vg_view *view = &binding->program->views.items[binding->views[k]];
        view->data = to + ((char *)view->data - binding->data);
    }
    binding->data = to;
}
