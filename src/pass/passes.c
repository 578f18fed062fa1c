/* The pipeline of pass.def: pass, verify, dump if asked, stop on errors. */
#include <string.h>

#include "pass/pass.h"

typedef struct pass_row {
    const char *name;
    void (*run)(const vg_graph *from, vg_graph *into);
} pass_row;

static const pass_row pass_rows[VG_PASS_COUNT] = {
#define VG_PASS(name, needs, gives, doc) [VG_PASS_##name] = { #name, vg_pass_##name },
#include "pass/pass.def"
#undef VG_PASS
};

const char *const vg_pass_names[VG_PASS_COUNT + 1] = {
#define VG_PASS(name, needs, gives, doc) [VG_PASS_##name] = #name,
#include "pass/pass.def"
#undef VG_PASS
    [VG_PASS_COUNT] = "elaborate",
};

bool vg_pass_find(const char *name, uint32_t *index) {
    for (uint32_t k = 0; k <= VG_PASS_COUNT; k++) {
        if (strcmp(name, vg_pass_names[k]) != 0) continue;
        *index = k;
        return true;
    }
    return false;
}

static void dump_graph(const vg_graph *graph, const vg_dump *dump, uint32_t pass) {
    if (!dump || !dump->wanted[pass]) return;
    vg_text text = vg_text_new(graph->ir->mem);
    vg_print(graph, &text);
    dump->write(dump->user, vg_pass_names[pass], vg_text_c(&text), text.length);
    vg_text_free(&text);
}

/* A graph that breaks an invariant is our mistake: it is reported with what the verifier found. */
static bool check_graph(const vg_graph *graph, uint32_t pass) {
    bool        differentiated = pass != VG_PASS_COUNT;
    const char *wrong = vg_verify(graph, differentiated);
    if (!wrong) return true;
    vg_report(&graph->ir->diags, internal_error, ((vg_span){ 0, 0 }), 0, vg_pass_names[pass], wrong);
    return false;
}

bool vg_passes_run(vg_unit *unit, uint32_t k, const vg_dump *dump) {
    vg_graph *graph = &unit->graph[k];
    uint32_t  reported = unit->ir->diags.list.count;
    if (!check_graph(graph, VG_PASS_COUNT)) return false;
    dump_graph(graph, dump, VG_PASS_COUNT);
    for (uint32_t pass = 0; pass < VG_PASS_COUNT; pass++) {
        vg_graph next;
        if (pass != VG_PASS_arrange || vg_arrange_changes(graph)) {
            vg_graph_init(&next, unit->ir, VG_EMIT_FAITHFUL);
            pass_rows[pass].run(graph, &next);
            if (pass > 0) vg_graph_free(graph);   /* the elaborated one stays the caller's */
            *graph = next;
        }
        if (unit->ir->diags.list.count > reported || !check_graph(graph, pass)) return false;
        dump_graph(graph, dump, pass);
    }
    return true;
}
