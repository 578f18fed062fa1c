/* From the trees to one graph: the library's names, the file's statements in order, then what was put off to the
 * end, and a word about options that nothing used. */
#include "front/elaborate.h"

#include <string.h>

#include "diag/suggest.h"
#include "front/dataset.h"
#include "front/elaborator.h"

static void start(vg_elaborator *e, vg_unit *unit, vg_front *front, bool training) {
    *e = (vg_elaborator){ .mem = unit->ir->mem, .ir = unit->ir, .unit = unit, .graph = &unit->graph[training],
                          .front = front, .tree = &front->tree, .diags = &unit->ir->diags, .training = training };
    vg_arena_init(&e->arena, e->mem);
    e->values.mem = e->mem;
    vg_graph_init(e->graph, unit->ir, VG_EMIT_FAITHFUL);
    vg_vec_push(e->mem, &e->entries, (vg_entry_row){ 0 });
    vg_vec_push(e->mem, &e->gradient_turn, 0);
    e->root = vg_entry_add(e, 0, 0, VG_E_scope, (vg_span){ 0, 0 });
    e->library = vg_entry_add(e, 0, 0, VG_E_scope, (vg_span){ 0, 0 });
    for (uint32_t k = 0; k < unit->variables.count && !training; k++)
        vg_map_put(e->mem, &e->variable_rows, unit->variables.items[k].path, k + 1);
    vg_builtins_register(e);
    for (uint32_t k = 0; k < front->library.count; k++) vg_hoist(e, front->library.items[k], e->library);
    e->frame = VG_NEW(&e->arena, vg_frame);
    e->frame->scope = e->frame->top = e->root;
}

static void run_deferred(vg_elaborator *e, const vg_deferred *list, uint32_t count,
                         void (*run)(vg_elaborator *e, vg_tree_id statement)) {
    vg_frame *top = e->frame;
    for (uint32_t k = 0; k < count; k++) {
        e->frame = list[k].frame;
        run(e, list[k].statement);
    }
    e->frame = top;
}

static void option_summary(vg_elaborator *e) {
    for (uint32_t k = 0; k < e->front->summaries.count; k++) vg_elaborate_summary(e, e->front->summaries.items[k].tree);
}

static void report_unused(vg_elaborator *e, vg_str set, vg_span span, bool data) {
    const vg_strings *strings = &e->ir->strings;
    const char *name = vg_strings_text(strings, set);
    if (!data) vg_report(e->diags, unused_set, span, 0, name);
    else if (span.end) vg_report(e->diags, unused_data, span, 0, name);
    else vg_report(e->diags, unused_provided, span, 0, name);
    vg_suggest suggest;
    vg_suggest_start(&suggest, name);
    for (vg_entry c = vg_entry_at(e, e->root)->first_child; c; c = vg_entry_at(e, c)->next)
        if (vg_entry_at(e, c)->kind == (data ? VG_E_data : VG_E_const))
            vg_suggest_offer(&suggest, vg_strings_text(strings, vg_entry_at(e, c)->name));
    if (!data && e->trains.count) {
        vg_suggest_offer(&suggest, "train.steps");
        vg_suggest_offer(&suggest, "train.batch");
        vg_suggest_offer(&suggest, "train.optimizer");
        vg_suggest_offer(&suggest, "train.seed");
        vg_suggest_offer(&suggest, "train.epochs");
    }
    if (vg_suggest_best(&suggest)) {
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    } else if (data && e->unit->datasets.count) {
        vg_text all = vg_text_new(e->mem);
        for (uint32_t k = 0; k < e->unit->datasets.count; k++)
            vg_text_format(&all, "%s%s", k ? ", " : "", vg_text_of(e, e->unit->datasets.items[k]->name));
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "the model has the data sets %s", vg_text_c(&all));
        vg_text_free(&all);
    }
}

static void check_options(vg_elaborator *e) {
    if (!e->training || vg_diags_status(e->diags) == VG_CLASS_MODEL) return;
    for (uint32_t k = 0; k < e->front->sets.count; k++)
        if (!e->front->sets.items[k].used)
            report_unused(e, e->front->sets.items[k].name, e->front->sets.items[k].span, false);
    for (uint32_t k = 0; k < e->front->data.count; k++)
        if (!e->front->data.items[k].used)
            report_unused(e, e->front->data.items[k].name, e->front->data.items[k].span, true);
    for (uint32_t k = 0; k < e->front->provided.count; k++)
        if (!e->front->provided.items[k].used)
            report_unused(e, e->front->provided.items[k].name, (vg_span){ 0, 0 }, true);
    vg_check_fed(e);
}

/* Everything that lives no longer than the elaboration. */
static void finish(vg_elaborator *e) {
    vg_vec_free(e->mem, &e->entries);
    vg_vec_free(e->mem, &e->indices);
    vg_map_free(e->mem, &e->entry_map);
    vg_map_free(e->mem, &e->node_entry);
    vg_map_free(e->mem, &e->builtin_map);
    vg_map_free(e->mem, &e->variable_rows);
    vg_map_free(e->mem, &e->draw_numbers);
    vg_map_free(e->mem, &e->tag_map);
    vg_vec_free(e->mem, &e->trains);
    vg_vec_free(e->mem, &e->summaries);
    vg_vec_free(e->mem, &e->expects);
    vg_vec_free(e->mem, &e->updates);
    vg_vec_free(e->mem, &e->tags);
    vg_vec_free(e->mem, &e->losses);
    vg_vec_free(e->mem, &e->gradient_turn);
    vg_vec_free(e->mem, &e->used);
    vg_vec_free(e->mem, &e->use_consts);
    vg_vec_free(e->mem, &e->active);
    vg_vec_free(e->mem, &e->stack);
    vg_vec_free(e->mem, &e->values.items);
    vg_vec_free(e->mem, &e->values.lists);
    vg_vec_free(e->mem, &e->values.functions);
    vg_vec_free(e->mem, &e->values.bound);
    vg_vec_free(e->mem, &e->values.distributions);
    vg_vec_free(e->mem, &e->values.selected);
    vg_vec_free(e->mem, &e->values.selections);
    vg_arena_release(&e->arena);
}

void vg_elaborate(vg_unit *unit, vg_front *front, bool training) {
    vg_elaborator e;
    start(&e, unit, front, training);
    if (front->root) {
        vg_hoist(&e, front->root, e.root);
        vg_execute_block(&e, front->root);
    }
    vg_elaborate_trains(&e);
    run_deferred(&e, e.summaries.items, e.summaries.count, vg_elaborate_summary);
    option_summary(&e);
    run_deferred(&e, e.expects.items, e.expects.count, vg_elaborate_expect);
    for (uint32_t k = 0; k < front->fetches.count; k++) vg_elaborate_fetch(&e, &front->fetches.items[k], k);
    vg_updates_emit(&e);
    check_options(&e);
    if (!vg_diags_status(e.diags)) vg_variables_compare(&e);
    finish(&e);
}
