/* What the tests of the passes share: an ir of its own for each test, graphs from text, deep nets. */
#ifndef VG_TESTS_PASS_FIXTURE_H
#define VG_TESTS_PASS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ir/build.h"
#include "pass/pass.h"

typedef struct fixture {
    vg_mem  mem;
    jmp_buf escape;
    vg_ir  *ir;
} fixture;

/* Memory that fails by itself fails the test. */
#define FIXTURE_BEGIN(f)                                        \
    do {                                                        \
        vg_mem_init(&(f)->mem);                                 \
        (f)->mem.escape = &(f)->escape;                         \
        if (setjmp((f)->escape)) fail_msg("out of memory");     \
        (f)->ir = vg_mem_alloc(&(f)->mem, sizeof *(f)->ir);     \
        vg_ir_init((f)->ir, &(f)->mem);                         \
    } while (0)

static inline void fixture_end(fixture *f) {
    vg_mem_release(&f->mem);
}

static inline const char *last_message(const fixture *f) {
    return f->ir->diags.list.count > 0 ? vg_vec_last(&f->ir->diags.list).text : "";
}

static inline void read_graph(fixture *f, vg_graph *graph, const char *text) {
    vg_graph_init(graph, f->ir, VG_EMIT_FAITHFUL);
    if (!vg_read(graph, "test", text)) fail_msg("%s", last_message(f));
}

/* A pass and the verifier. */
static inline void run_pass(fixture *f, void (*pass)(const vg_graph *, vg_graph *), const vg_graph *from,
                            vg_graph *into) {
    vg_graph_init(into, f->ir, VG_EMIT_FAITHFUL);
    pass(from, into);
    if (f->ir->diags.list.count > 0) fail_msg("%s", last_message(f));
    const char *wrong = vg_verify(into, true);
    if (wrong) fail_msg("%s", wrong);
}

static inline vg_node make_variable(vg_graph *g, vg_shape shape, const char *family, uint32_t index) {
    vg_str  path = vg_strings_format(&g->ir->strings, "%s[%u]", family, index);
    vg_node node = vg_emit(g, VG_OP_variable, NULL, 0, vg_attr_of(g->ir, (vg_word[]){ shape, path }, 2));
    vg_graph_name(g, path, node);
    return node;
}

static inline vg_node make_grad(vg_graph *g, vg_node y, vg_node v, uint32_t group) {
    return vg_emit(g, VG_OP_grad, (vg_node[]){ y, v }, 2, vg_attr_of(g->ir, (vg_word[]){ group }, 1));
}

/* sigmoid layers [batch, width], all of whose weights learn, and the size of the gradient at every layer watched. */
static inline void make_deep_net(vg_graph *g, uint32_t depth, int64_t width) {
    vg_ir   *ir = g->ir;
    vg_str   name = vg_strings_c(&ir->strings, "batch");
    vg_dim   batch = vg_dim_symbol(&ir->dims, vg_dims_symbol(&ir->dims, name, (vg_span){ 0, 0 }));
    vg_dim   units = vg_dim_number(&ir->dims, width);
    vg_shape rows = vg_shape_of(&ir->dims, (vg_dim[]){ batch, units }, 2);
    vg_shape square = vg_shape_of(&ir->dims, (vg_dim[]){ units, units }, 2);
    vg_node *weights = vg_mem_alloc(ir->mem, depth * sizeof *weights);
    vg_node *layers = vg_mem_alloc(ir->mem, depth * sizeof *layers);
    vg_str   x = vg_strings_c(&ir->strings, "x");
    vg_node  h = vg_emit(g, VG_OP_input, NULL, 0, vg_attr_of(ir, (vg_word[]){ rows, x, VG_F32 }, 3));
    for (uint32_t k = 0; k < depth; k++) {
        weights[k] = make_variable(g, square, "W", k);
        h = layers[k] = vg_build_map1(g, VG_OP_sigmoid, vg_build_matmul(g, h, weights[k], false, false));
    }
    vg_node loss = vg_build_mean(g, vg_build_map1(g, VG_OP_square, h), 3, false);
    vg_emit(g, VG_OP_loss, &loss, 1, vg_attr_of(ir, (vg_word[]){ 1 }, 1));
    for (uint32_t k = 0; k < depth; k++) {
        vg_node step = vg_build_map2(g, VG_OP_mul, vg_build_scalar(g, 0.1), make_grad(g, loss, weights[k], 1));
        vg_node next = vg_build_map2(g, VG_OP_sub, weights[k], step);
        vg_str  path = vg_strings_format(&ir->strings, "W[%u]", k);
        vg_emit(g, VG_OP_update, &next, 1, vg_attr_of(ir, (vg_word[]){ path, 1, 1 }, 3));
    }
    for (uint32_t k = 0; k < depth; k++) {
        vg_node size = vg_build_mean(g, vg_build_map1(g, VG_OP_square, make_grad(g, loss, layers[k], 2)), 3, false);
        vg_node rms = vg_build_map1(g, VG_OP_sqrt, size);
        vg_str  tag = vg_strings_format(&ir->strings, "rms/h[%u]", k);
        vg_emit(g, VG_OP_summary, &rms, 1, vg_attr_of(ir, (vg_word[]){ tag, VG_SUMMARY_SCALAR, 10, 1 }, 4));
    }
}

#endif
