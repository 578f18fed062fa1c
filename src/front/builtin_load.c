/* load("file.npy"): an array of a file as a constant. A file is read once, however often it is asked for. */
#include "base/file.h"
#include "front/builtin.h"
#include "front/dataset.h"
#include "ir/build.h"

/* A relative path starts at the file that the call is written in; in an option, at the current folder. */
static vg_str path_of(const vg_built_call *c, vg_str given) {
    vg_elaborator *e = c->e;
    const vg_source *here = vg_sources_at(&e->diags->sources, c->span.begin);
    const char *beside = here && here->kind != VG_SOURCE_OPTION ? here->name : "";
    char *joined = vg_path_join_sibling(e->mem, beside, vg_text_of(e, given));
    vg_str path = vg_strings_c(&e->ir->strings, joined);
    vg_mem_free(e->mem, joined);
    return path;
}

/* The file as a new constant; 0 after reporting. */
static uint32_t read_constant(const vg_built_call *c, vg_str path) {
    vg_ir *ir = c->e->ir;
    vg_array array;
    vg_data_error error;
    vg_dim dims[VG_RANK_LIMIT];
    if (!vg_array_read(ir->mem, vg_strings_text(&ir->strings, path), &array, &error)) {
        vg_report(c->e->diags, load_failed, vg_built_span(c, 0), c->e->frame->call, error.text);
        return 0;
    }
    for (uint32_t k = 0; k < array.rank; k++) dims[k] = vg_dim_number(&ir->dims, array.shape[k]);
    vg_shape shape = vg_shape_of(&ir->dims, dims, array.rank);
    vg_vec_push(ir->mem, &ir->constants, ((vg_constant){ shape, array.dtype, array.elements, array.count }));
    return ir->constants.count - 1;
}

vg_value vg_call_load(const vg_built_call *c) {
    vg_elaborator *e = c->e;
    if (c->a[0].kind != VG_V_string) {
        vg_report(e->diags, load_file, vg_built_span(c, 0), e->frame->call, vg_value_noun(c->a[0].kind));
        return vg_value_poison();
    }
    vg_str path = path_of(c, c->a[0].id);
    uint32_t k = 0;
    while (k < e->front->loaded.count && e->front->loaded.items[k].path != path) k++;
    if (k == e->front->loaded.count) {
        vg_loaded loaded = { path, read_constant(c, path) };
        vg_vec_push(e->mem, &e->front->loaded, loaded);
    }
    uint32_t constant = e->front->loaded.items[k].constant;
    return constant ? vg_value_tensor(vg_build_constant_again(e->graph, constant)) : vg_value_poison();
}
