/* A text in the layout that all models have. */
#include "front/format.h"

#include "api/model.h"

typedef struct formatting {
    vg_model *model;
    const char *name, *text;
    size_t length;
    vg_write write;
    void *user;
} formatting;

static vg_status format(void *user) {
    const formatting *x = user;
    const uint32_t source = vg_model_add_source(x->model, VG_SOURCE_MODEL, x->name, x->text, x->length);
    vg_text out = vg_text_new(&x->model->mem);
    if (!source || !vg_format(&x->model->ir.diags, source, &out)) return vg_model_status(x->model);
    const bool written = !out.length || x->write(x->user, out.text, out.length);
    vg_text_free(&out);
    return written ? VG_OK : VG_FAILED_RESOURCE;
}

vg_status vg_model_format(vg_model *model, const char *name, const char *text, size_t length, vg_write write,
                          void *user) {
    formatting x = { model, name, text, length, write, user };
    return vg_model_guard(model, NULL, format, &x);
}
