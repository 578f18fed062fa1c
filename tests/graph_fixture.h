/* An empty ir for a test, and graphs from their text. */
#ifndef VG_TESTS_GRAPH_FIXTURE_H
#define VG_TESTS_GRAPH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ir/graph.h"

typedef struct fixture {
    vg_mem  mem;
    jmp_buf escape;
    vg_ir   ir;
} fixture;

static inline int fixture_start(void **state) {
    fixture *f = calloc(1, sizeof *f);
    vg_mem_init(&f->mem);
    f->mem.escape = &f->escape;
    if (setjmp(f->escape)) abort();   /* out of memory */
    vg_ir_init(&f->ir, &f->mem);
    *state = f;
    return 0;
}

static inline int fixture_end(void **state) {
    fixture *f = *state;
    vg_mem_release(&f->mem);
    free(f);
    return 0;
}

static inline const char *fixture_text(fixture *f, const vg_graph *graph) {
    vg_text text = vg_text_new(&f->mem);
    vg_print(graph, &text);
    return vg_text_c(&text);          /* kept until the fixture ends */
}

/* Reads a graph that is known to be right. */
static inline void fixture_read(fixture *f, vg_graph *graph, const char *text) {
    vg_graph_init(graph, &f->ir, VG_EMIT_FAITHFUL);
    if (!vg_read(graph, "test", text)) fail_msg("%s", vg_vec_last(&f->ir.diags.list).text);
}

#endif
