/* The one place where a failed allocation lands: every entry point of the library goes through vg_model_guard. */
#include "api/model.h"

/* A function of its own, so that no local of the entry point lives across the jump. */
static vg_status guarded(vg_mem *mem, vg_mem *other, vg_body body, void *user, bool *failed) {
    jmp_buf here;
    jmp_buf *const outer = mem->escape;
    jmp_buf *const other_outer = other ? other->escape : NULL;
    *failed = true;
    if (setjmp(here) == 0) {
        mem->escape = &here;
        if (other) other->escape = &here;
        const vg_status answer = body(user);
        mem->escape = outer;
        if (other) other->escape = other_outer;
        *failed = false;
        return answer;
    }
    mem->escape = outer;
    if (other) other->escape = other_outer;
    return VG_FAILED_RESOURCE;
}

static vg_status report_memory(void *user) {
    vg_model *model = user;
    vg_report0(&model->ir.diags, memory_failed, ((vg_span){ 0, 0 }), 0);
    return VG_OK;
}

vg_status vg_model_guard(vg_model *model, vg_mem *other, vg_body body, void *user) {
    return vg_model_guard_or(model, other, body, NULL, user);
}

vg_status vg_model_guard_or(vg_model *model, vg_mem *other, vg_body body, vg_body complain, void *user) {
    bool failed = false;
    const vg_status status = guarded(&model->mem, other, body, user, &failed);
    if (!failed) return status;
    if (complain) guarded(&model->mem, other, complain, user, &failed);
    if (failed) guarded(&model->mem, NULL, report_memory, model, &failed);   /* said if there is memory to say it */
    return VG_FAILED_RESOURCE;
}

vg_status vg_model_status(const vg_model *model) {
    return (vg_status)vg_diags_status(&model->ir.diags);
}
