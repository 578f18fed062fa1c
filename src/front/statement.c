/* Statements: bindings, loops, choices, and what is put off until the whole file is known. */
#include <string.h>

#include "base/file.h"
#include "front/elaborator.h"

/* ---- definitions are known in the whole file */

static vg_function_kind function_kind(vg_kind kind) {
    switch ((int)kind) {
    case VG_K_layer:       return VG_F_layer;
    case VG_K_initializer: return VG_F_initializer;
    case VG_K_optimizer:   return VG_F_optimizer;
    }
    return VG_F_def;
}

static bool is_definition(vg_kind kind) {
    return kind == VG_K_def || kind == VG_K_layer || kind == VG_K_initializer || kind == VG_K_optimizer;
}

/* `...` stands once in a signature, since it takes all further dimensions. */
static void check_signature(vg_elaborator *e, uint32_t signature) {
    uint32_t list = e->tree->b.items[signature], seen = 0;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id item = vg_tree_item(e->tree, list, k);
        if (vg_tree_kind(e->tree, item) == VG_K_ellipsis && ++seen == 2)
            vg_report0(e->diags, ellipsis_twice, vg_tree_span(e->tree, item), 0);
    }
}

/* Two parameters of one name, and what signatures say. */
static void check_parameters(vg_elaborator *e, vg_tree_id statement) {
    uint32_t list = e->tree->b.items[statement], count = vg_tree_count(e->tree, list);
    for (uint32_t k = 0; k < count; k++) {
        vg_tree_id parameter = vg_tree_item(e->tree, list, k), name = e->tree->a.items[parameter];
        if (e->tree->c.items[parameter]) check_signature(e, e->tree->c.items[parameter]);
        for (uint32_t j = 0; j < k; j++) {
            vg_tree_id other = e->tree->a.items[vg_tree_item(e->tree, list, j)];
            if (vg_tree_name(e->tree, other) != vg_tree_name(e->tree, name)) continue;
            vg_report(e->diags, bound_twice, vg_tree_span(e->tree, name), 0,
                      vg_text_of(e, vg_tree_name(e->tree, name)));
            vg_diags_note(e->diags, vg_tree_span(e->tree, other), "'%s' is bound here",
                          vg_text_of(e, vg_tree_name(e->tree, name)));
            break;
        }
    }
}

static void define(vg_elaborator *e, vg_tree_id statement, vg_entry top) {
    vg_tree_id name = e->tree->a.items[statement];
    check_parameters(e, statement);
    vg_entry old = vg_entry_find(e, top, vg_tree_name(e->tree, name));
    if (old) {
        vg_report(e->diags, bound_twice, vg_tree_span(e->tree, name), 0,
                  vg_text_of(e, vg_tree_name(e->tree, name)));
        vg_diags_note(e->diags, vg_entry_at(e, old)->span, "'%s' is bound here",
                      vg_text_of(e, vg_tree_name(e->tree, name)));
        return;
    }
    vg_function f = { function_kind(vg_tree_kind(e->tree, statement)), vg_tree_name(e->tree, name), statement, top, false };
    vg_vec_push(e->mem, &e->values.functions, f);
    vg_entry entry = vg_entry_add(e, top, f.name, VG_E_function, vg_tree_span(e->tree, name));
    vg_entry_at(e, entry)->value = (vg_value){ VG_V_function, e->values.functions.count - 1, 0 };
}

void vg_hoist(vg_elaborator *e, vg_tree_id block, vg_entry top) {
    uint32_t list = e->tree->a.items[block];
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id statement = vg_tree_item(e->tree, list, k);
        if (is_definition(vg_tree_kind(e->tree, statement))) define(e, statement, top);
    }
}

/* ---- bindings */

/* A statement that cannot be run because of a mistake already reported: what it would have bound swallows what
 * follows. As deep as blocks stand within each other, which the parser limits. */
static void poison_names(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id a = e->tree->a.items[statement], b = e->tree->b.items[statement], c = e->tree->c.items[statement];
    switch ((int)vg_tree_kind(e->tree, statement)) {
    case VG_K_block:
        for (uint32_t k = 0; k < vg_tree_count(e->tree, a); k++) poison_names(e, vg_tree_item(e->tree, a, k));
        return;
    case VG_K_if:
        poison_names(e, b);
        if (c) poison_names(e, c);
        return;
    case VG_K_for: poison_names(e, c); return;
    case VG_K_return: e->frame->returned |= e->frame->kind != VG_FRAME_top; return;
    case VG_K_bind: case VG_K_var: case VG_K_state: case VG_K_input: case VG_K_data: case VG_K_const:
        if (!vg_entry_find(e, e->frame->scope, vg_tree_name(e->tree, a)))
            vg_entry_add(e, e->frame->scope, vg_tree_name(e->tree, a), VG_E_value, vg_tree_span(e->tree, a));
        return;
    }
}

static void execute_bind(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id name = e->tree->a.items[statement], expression = e->tree->c.items[statement];
    uint32_t list = e->tree->b.items[statement], count = vg_tree_count(e->tree, list);
    int64_t indices[VG_RANK_LIMIT];
    if (count > VG_RANK_LIMIT) {
        vg_report(e->diags, limit_indices, vg_tree_span(e->tree, statement), e->frame->call,
                  vg_arena_format(&e->arena, "%d", VG_RANK_LIMIT));
        return;
    }
    for (uint32_t k = 0; k < count; k++)
        if (!vg_evaluate_whole(e, vg_tree_item(e->tree, list, k), "the index of a family", &indices[k])) {
            poison_names(e, statement);
            return;
        }
    vg_entry entry = vg_bind_entry(e, name, indices, count, VG_E_value);
    if (!entry) return;
    bool body = e->frame->kind == VG_FRAME_def || e->frame->kind == VG_FRAME_optimizer ||
                e->frame->kind == VG_FRAME_initializer;
    vg_binding outer = body ? e->binding : vg_binding_begin(e, entry, expression);
    vg_entry_at(e, entry)->open = true;
    vg_value value = vg_evaluate(e, expression);
    e->binding = outer;
    vg_bind_value(e, entry, value);
}

/* ---- loops and choices */

static bool loop_bounds(vg_elaborator *e, vg_tree_id statement, int64_t *from, int64_t *to) {
    uint32_t more = e->tree->b.items[statement];
    vg_tree_id first = vg_tree_extra(e->tree, more, 0), last = vg_tree_extra(e->tree, more, 1);
    bool whole = vg_evaluate_whole(e, first, "where a loop begins", from);
    if (!vg_evaluate_whole(e, last, "where a loop ends", to) || !whole) return false;
    if (*to < *from || *to - *from < VG_TURN_LIMIT) return true;
    vg_report(e->diags, limit_turns, vg_tree_span(e->tree, last), e->frame->call,
              vg_arena_format(&e->arena, "%lld", (long long)(*to - *from) + 1));
    return false;
}

/* A loop's variable hides nothing. */
static bool loop_name_free(vg_elaborator *e, vg_tree_id name) {
    vg_value value;
    vg_entry entry;
    vg_str text = vg_tree_name(e->tree, name);
    bool local = false;
    for (uint32_t k = 0; k < e->frame->locals.count; k++) local |= e->frame->locals.items[k].name == text;
    if (!local && !vg_entry_find(e, e->frame->scope, text) && !vg_entry_find(e, e->frame->top, text)) return true;
    vg_report(e->diags, bound_twice, vg_tree_span(e->tree, name), e->frame->call,
              vg_text_of(e, text));
    if (vg_name_find(e, text, &value, &entry) && entry)
        vg_diags_note(e->diags, vg_entry_at(e, entry)->span, "'%s' is bound here",
                      vg_text_of(e, text));
    return false;
}

static void execute_for(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id name = e->tree->a.items[statement], body = e->tree->c.items[statement];
    int64_t from, to;
    if (!loop_bounds(e, statement, &from, &to) || !loop_name_free(e, name)) {
        poison_names(e, body);
        return;
    }
    vg_frame *frame = e->frame;
    vg_call outer = frame->call;
    if (frame->loops.count >= VG_RANK_LIMIT) {
        vg_report(e->diags, limit_loops, vg_tree_span(e->tree, name), outer,
                  vg_arena_format(&e->arena, "%d", VG_RANK_LIMIT));
        return;
    }
    for (int64_t k = from; k <= to && !frame->returned && !e->graph->full; k++) {
        if (!vg_spend(e, vg_tree_span(e->tree, name))) break;
        vg_loop loop = { statement, vg_tree_name(e->tree, name), k, ++e->turns };
        vg_vec_push(e->mem, &frame->loops, loop);
        vg_local_add(e, loop.name, vg_value_number((double)k), vg_tree_span(e->tree, name));
        uint32_t locals = frame->locals.count;
        frame->call = vg_diags_call(e->diags, outer, VG_CALL_LOOP, vg_tree_span(e->tree, name), loop.name, k);
        vg_execute_block(e, body);
        frame->locals.count = locals - 1;
        frame->loops.count--;
    }
    frame->call = outer;
}

static void execute_if(vg_elaborator *e, vg_tree_id statement) {
    bool truth;
    if (!vg_evaluate_bool(e, e->tree->a.items[statement], "the condition of 'if'", &truth)) {
        poison_names(e, statement);
        return;
    }
    vg_tree_id chosen = truth ? e->tree->b.items[statement] : e->tree->c.items[statement];
    if (chosen) vg_execute(e, chosen);
}

static void execute_return(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id expression = e->tree->a.items[statement];
    if (e->frame->kind == VG_FRAME_top || e->frame->kind == VG_FRAME_optimizer) {
        vg_report0(e->diags, return_outside, vg_tree_span(e->tree, statement), e->frame->call);
        return;
    }
    e->frame->result = vg_evaluate(e, expression);
    e->frame->result_span = vg_tree_span(e->tree, expression);
    e->frame->returned = true;
}

/* ---- use */

/* `use "path.nn" (depth = 8)`: the arguments stand before the file's consts as overrides of their own. */
static void add_use_overrides(vg_elaborator *e, vg_tree_id statement) {
    uint32_t list = e->tree->b.items[statement];
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id argument = vg_tree_item(e->tree, list, k), name = e->tree->a.items[argument];
        if (!name) {
            vg_report0(e->diags, use_argument, vg_tree_span(e->tree, argument), e->frame->call);
            continue;
        }
        vg_use_const given = { vg_tree_name(e->tree, name), vg_evaluate(e, e->tree->b.items[argument]),
                               vg_tree_span(e->tree, name), false };
        vg_vec_push(e->mem, &e->use_consts, given);
    }
}

static void check_use_overrides(vg_elaborator *e, uint32_t from, const char *file) {
    for (uint32_t k = from; k < e->use_consts.count; k++)
        if (!e->use_consts.items[k].used)
            vg_report(e->diags, use_unknown_const, e->use_consts.items[k].span, e->frame->call, file,
                      vg_text_of(e, e->use_consts.items[k].name));
    e->use_consts.count = from;
}

/* The file's text among the sources: a checkpoint's, else read. 0 after reporting. */
static uint32_t used_source(vg_elaborator *e, vg_str path, const char *name, vg_span span) {
    char *text;
    size_t length;
    for (uint32_t k = 0; k < e->front->files.count; k++) {
        const vg_known_file *file = &e->front->files.items[k];
        if (file->path != path) continue;
        return vg_sources_add(&e->diags->sources, VG_SOURCE_MODEL, name, file->text, file->length);
    }
    int failed = vg_file_read(e->mem, name, VG_SOURCE_LIMIT, &text, &length);
    if (failed) {
        vg_report(e->diags, file_failed, span, e->frame->call, name, strerror(failed));
        return 0;
    }
    uint32_t source = vg_sources_add(&e->diags->sources, VG_SOURCE_MODEL, name, text, length);
    vg_mem_free(e->mem, text);
    return source;
}

/* Parsed once, also when the file is elaborated a second time for evaluation. 0 after reporting. */
static vg_tree_id use_root(vg_elaborator *e, vg_str path, vg_span span) {
    for (uint32_t k = 0; k < e->front->used.count; k++)
        if (e->front->used.items[k].path == path) return e->front->used.items[k].root;
    const char *name = vg_text_of(e, path);
    uint32_t source = used_source(e, path, name, span);
    if (!source) return 0;
    vg_tree_id root = vg_parse_file(e->tree, e->diags, source);
    vg_vec_reserve(e->mem, &e->front->used, 1);
    e->front->used.items[e->front->used.count].path = path;
    e->front->used.items[e->front->used.count++].root = root;
    return root;
}

static bool same_file(const vg_elaborator *e, vg_str a, vg_str b) {
    return a == b || vg_file_same(vg_text_of(e, a), vg_text_of(e, b));
}

static void execute_use(vg_elaborator *e, vg_tree_id statement) {
    vg_str given = vg_evaluate_string(e, e->tree->a.items[statement]);
    vg_span span = vg_tree_span(e->tree, e->tree->a.items[statement]);
    const vg_source *here = vg_sources_at(&e->diags->sources, span.begin);
    char *joined = vg_path_join_sibling(e->mem, here ? here->name : "", vg_text_of(e, given));
    vg_str path = vg_strings_c(&e->ir->strings, joined);
    vg_mem_free(e->mem, joined);
    if (same_file(e, e->front->path, path)) return;      /* the model file itself: it is here already */
    for (uint32_t k = 0; k < e->used.count; k++) {
        if (!same_file(e, e->used.items[k].path, path)) continue;
        if (vg_tree_count(e->tree, e->tree->b.items[statement])) {
            vg_report(e->diags, use_twice, span, e->frame->call, vg_text_of(e, path));
            vg_diags_note(e->diags, e->used.items[k].span, "used here");
        }
        return;
    }
    vg_vec_reserve(e->mem, &e->used, 1);
    e->used.items[e->used.count].path = path;
    e->used.items[e->used.count++].span = span;
    uint32_t errors = e->diags->list.count;
    vg_tree_id root = use_root(e, path, span);
    e->names_missing |= e->diags->list.count > errors;
    if (!root) return;
    uint32_t from = e->use_consts.count;
    add_use_overrides(e, statement);
    vg_hoist(e, root, e->root);
    if (++e->depth < VG_EVALUATION_LIMIT) vg_execute_block(e, root);
    e->depth--;
    check_use_overrides(e, from, vg_text_of(e, path));
}

/* ---- put off to the end */

static void defer(vg_elaborator *e, vg_tree_id statement) {
    if (e->frame->kind != VG_FRAME_top && e->frame->kind != VG_FRAME_layer) {
        vg_report0(e->diags, statement_in_function, vg_tree_span(e->tree, statement), e->frame->call);
        return;
    }
    vg_frame *frame = VG_NEW(&e->arena, vg_frame);
    *frame = *e->frame;
    frame->caller = e->frame->kind == VG_FRAME_top ? NULL : frame->caller;
    memset(&frame->locals, 0, sizeof frame->locals);
    memset(&frame->loops, 0, sizeof frame->loops);
    for (uint32_t k = 0; k < e->frame->locals.count; k++)
        vg_vec_push(e->mem, &frame->locals, e->frame->locals.items[k]);
    for (uint32_t k = 0; k < e->frame->loops.count; k++) vg_vec_push(e->mem, &frame->loops, e->frame->loops.items[k]);
    vg_deferred deferred = { statement, frame };
    switch ((int)vg_tree_kind(e->tree, statement)) {
    case VG_K_train:   vg_vec_push(e->mem, &e->trains, deferred); return;
    case VG_K_summary: vg_vec_push(e->mem, &e->summaries, deferred); return;
    case VG_K_expect:  vg_vec_push(e->mem, &e->expects, deferred); return;
    }
}

/* `const`, `data`, `input`, `train`, `use` and definitions stand at top level, not in a body. */
static bool at_top(vg_elaborator *e, vg_tree_id statement, const char *what) {
    vg_kind kind = vg_tree_kind(e->tree, statement);
    vg_tree_id name = e->tree->a.items[statement];
    if (e->frame->kind == VG_FRAME_top && e->frame->loops.count == 0) return true;
    vg_span span = vg_tree_span(e->tree, is_definition(kind) ? name : statement);
    vg_report(e->diags, not_top_level, span, e->frame->call, what);
    if (kind != VG_K_train && kind != VG_K_use) vg_bind_entry(e, name, NULL, 0, VG_E_value);   /* swallows its uses */
    return false;
}

/* Those of a file's own lines are known already; one in an `if` is from here on. */
static void execute_definition(vg_elaborator *e, vg_tree_id statement) {
    vg_entry entry = vg_entry_find(e, e->frame->top, vg_tree_name(e->tree, e->tree->a.items[statement]));
    bool function = entry && vg_entry_at(e, entry)->kind == VG_E_function;
    if (function && e->values.functions.items[vg_entry_at(e, entry)->value.id].tree == statement) return;
    if (at_top(e, statement, "a definition")) define(e, statement, e->frame->top);
}

void vg_execute(vg_elaborator *e, vg_tree_id statement) {
    vg_kind kind = vg_tree_kind(e->tree, statement);
    switch ((int)kind) {
    case VG_K_bind:   execute_bind(e, statement); return;
    case VG_K_for:    execute_for(e, statement); return;
    case VG_K_if:     execute_if(e, statement); return;
    case VG_K_block:  vg_execute_block(e, statement); return;
    case VG_K_return: execute_return(e, statement); return;
    case VG_K_var: case VG_K_state: vg_declare_variable(e, statement); return;
    case VG_K_update: vg_declare_update(e, statement); return;
    case VG_K_const:  if (at_top(e, statement, "const")) vg_declare_const(e, statement); return;
    case VG_K_data:   if (at_top(e, statement, "data")) vg_declare_data(e, statement); return;
    case VG_K_input:  if (at_top(e, statement, "input")) vg_declare_input(e, statement); return;
    case VG_K_use:    if (at_top(e, statement, "use")) execute_use(e, statement); return;
    case VG_K_train:  if (at_top(e, statement, "train")) defer(e, statement); return;
    case VG_K_summary: case VG_K_expect: defer(e, statement); return;
    case VG_K_def: case VG_K_layer: case VG_K_initializer: case VG_K_optimizer:
        execute_definition(e, statement);
        return;
    }
}

void vg_execute_block(vg_elaborator *e, vg_tree_id block) {
    uint32_t list = e->tree->a.items[block];
    if (e->depth >= VG_EVALUATION_LIMIT) return;      /* reported where an expression met it */
    e->depth++;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list) && !e->frame->returned; k++) {
        vg_tree_id statement = vg_tree_item(e->tree, list, k);
        vg_execute(e, statement);
        if (vg_tree_kind(e->tree, statement) != VG_K_return || k + 1 == vg_tree_count(e->tree, list)) continue;
        vg_tree_id behind = vg_tree_item(e->tree, list, k + 1);
        vg_report0(e->diags, behind_return, vg_tree_span(e->tree, behind), e->frame->call);
    }
    e->depth--;
}
