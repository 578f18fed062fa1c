/* The tree of names: entries, families and their members, paths, and how a name is looked up and bound. */
#include <string.h>

#include "diag/suggest.h"
#include "front/elaborator.h"

static uint64_t name_key(vg_entry parent, vg_str name) { return (uint64_t)parent << 32 | name; }

/* Ids stay below 2^31, so the top bit keeps members and names apart. */
static uint64_t member_key(vg_entry family, const int64_t *indices, uint32_t count) {
    return vg_hash_words(indices, count * sizeof *indices, family) | UINT64_C(1) << 63;
}

static vg_entry append(vg_elaborator *e, vg_entry parent, vg_entry_row row) {
    vg_entry id = e->entries.count;
    row.parent = parent;
    vg_vec_push(e->mem, &e->entries, row);
    if (parent) {
        vg_entry_row *up = vg_entry_at(e, parent);
        if (up->last_child) vg_entry_at(e, up->last_child)->next = id;
        else up->first_child = id;
        up->last_child = id;
    }
    return id;
}

vg_entry vg_entry_add(vg_elaborator *e, vg_entry parent, vg_str name, vg_entry_kind kind, vg_span span) {
    vg_entry id = append(e, parent, (vg_entry_row){ .kind = kind, .name = name, .span = span });
    if (parent) vg_map_put(e->mem, &e->entry_map, name_key(parent, name), id);
    return id;
}

vg_entry vg_entry_member(vg_elaborator *e, vg_entry family, const int64_t *indices, uint32_t count, vg_span span) {
    vg_entry_row row = { .kind = VG_E_value, .first_index = e->indices.count, .index_count = count, .span = span };
    for (uint32_t k = 0; k < count; k++) vg_vec_push(e->mem, &e->indices, indices[k]);
    uint64_t key = member_key(family, indices, count);
    while (vg_map_get(&e->entry_map, key)) key++;
    vg_entry id = append(e, family, row);
    vg_map_put(e->mem, &e->entry_map, key, id);
    return id;
}

vg_entry vg_entry_find(const vg_elaborator *e, vg_entry parent, vg_str name) {
    return vg_map_get(&e->entry_map, name_key(parent, name));
}

vg_entry vg_entry_find_member(const vg_elaborator *e, vg_entry family, const int64_t *indices, uint32_t count) {
    uint64_t key = member_key(family, indices, count);
    for (vg_entry id; (id = vg_map_get(&e->entry_map, key)) != 0; key++) {
        const vg_entry_row *row = vg_entry_at(e, id);
        if (row->parent == family && row->index_count == count &&
            memcmp(e->indices.items + row->first_index, indices, count * sizeof *indices) == 0) return id;
    }
    return 0;
}

static void add_string(vg_elaborator *e, vg_text *text, vg_str string) {
    vg_text_add(text, vg_text_of(e, string), e->ir->strings.length.items[string]);
}

/* As the model file would write it: h[1].W, t[2, 3]. Recursion is as deep as scopes stand within each other. Without
 * printf, since everything has a path. */
vg_str vg_entry_path(vg_elaborator *e, vg_entry entry) {
    vg_entry_row *row = vg_entry_at(e, entry);
    if (row->path || entry == e->root || entry == e->library || !row->parent) return row->path;
    vg_text text = vg_text_new(e->mem);
    vg_str up = vg_entry_path(e, row->parent);
    if (up) add_string(e, &text, up);
    row = vg_entry_at(e, entry);
    if (row->index_count) {
        for (uint32_t k = 0; k < row->index_count; k++) {
            vg_text_add(&text, k ? ", " : "[", k ? 2 : 1);
            vg_text_whole(&text, e->indices.items[row->first_index + k]);
        }
        vg_text_add(&text, "]", 1);
    } else {
        if (up) vg_text_add(&text, ".", 1);
        add_string(e, &text, row->name);
    }
    vg_str path = vg_strings_c(&e->ir->strings, vg_text_c(&text));
    vg_text_free(&text);
    vg_entry_at(e, entry)->path = path;
    return path;
}

/* The member that a family's plain name means in this turn of the loops around: 0 before its line; the family itself
 * outside of the loop that bound it. */
static vg_entry turn_member(const vg_elaborator *e, vg_entry family) {
    const vg_entry_row *row = vg_entry_at(e, family);
    const vg_frame *frame = e->frame;
    int64_t indices[VG_RANK_LIMIT];
    if (frame->scope != row->parent || frame->loops.count < row->depth) return family;
    for (uint32_t k = 0; k < row->depth; k++) indices[k] = frame->loops.items[k].index;
    const vg_loop *inner = &frame->loops.items[row->depth - 1];
    vg_entry member = vg_entry_find_member(e, family, indices, row->depth);
    if (member && vg_entry_at(e, member)->turn == inner->turn) return member;
    return row->loop == inner->statement ? 0 : family;
}

static void report_taken(vg_elaborator *e, vg_tree_id name, vg_entry old) {
    const vg_entry_row *row = vg_entry_at(e, old);
    const char *text = vg_text_of(e, vg_tree_name(e->tree, name));
    vg_span span = vg_tree_span(e->tree, name);
    bool in_loop = e->frame->loops.count > 0 && row->kind != VG_E_function && row->kind != VG_E_family;
    if (in_loop) vg_report(e->diags, bound_outside_loop, span, e->frame->call, text);
    else vg_report(e->diags, bound_twice, span, e->frame->call, text);
    if (row->span.end) vg_diags_note(e->diags, row->span, "'%s' is bound here", text);
    if (row->kind == VG_E_value) vg_entry_at(e, old)->value = vg_value_poison();   /* which was meant is not known */
    if (in_loop) vg_diags_note(e->diags, (vg_span){ 0, 0 },
        "a name is bound once; give each turn its own: h[i] = ... h[i-1] ...");
}

static vg_entry bind_member(vg_elaborator *e, vg_tree_id name, vg_entry family, const int64_t *indices, uint32_t count,
                            vg_entry_kind kind) {
    vg_span span = vg_tree_span(e->tree, name);
    vg_entry old = vg_entry_find_member(e, family, indices, count);
    if (old) {
        const char *path = vg_text_of(e, vg_entry_path(e, old));
        vg_report(e->diags, bound_twice, span, e->frame->call, path);
        vg_diags_note(e->diags, vg_entry_at(e, old)->span, "'%s' is bound here", path);
        if (vg_entry_at(e, old)->kind == VG_E_value) vg_entry_at(e, old)->value = vg_value_poison();
        return 0;
    }
    vg_entry member = vg_entry_member(e, family, indices, count, span);
    vg_entry_at(e, member)->kind = kind;
    return member;
}

vg_entry vg_bind_entry(vg_elaborator *e, vg_tree_id name, const int64_t *indices, uint32_t count, vg_entry_kind kind) {
    vg_frame *frame = e->frame;
    vg_str text = vg_tree_name(e->tree, name);
    vg_span span = vg_tree_span(e->tree, name);
    for (uint32_t k = 0; k < frame->locals.count; k++) {
        if (frame->locals.items[k].name != text) continue;
        vg_report(e->diags, bound_twice, span, frame->call, vg_text_of(e, text));
        vg_diags_note(e->diags, frame->locals.items[k].span, "'%s' is bound here",
                      vg_text_of(e, text));
        return 0;
    }
    bool plain = count == 0 && frame->loops.count > 0;
    vg_entry old = vg_entry_find(e, frame->scope, text);
    if (count == 0 && !plain) {
        if (old) {
            report_taken(e, name, old);
            return 0;
        }
        return vg_entry_add(e, frame->scope, text, kind, span);
    }
    if (old && (vg_entry_at(e, old)->kind != VG_E_family || vg_entry_at(e, old)->plain != plain)) {
        report_taken(e, name, old);
        return 0;
    }
    uint32_t depth = frame->loops.count;
    if (old && plain && vg_entry_at(e, old)->depth != depth) {
        report_taken(e, name, old);
        return 0;
    }
    vg_entry family = old ? old : vg_entry_add(e, frame->scope, text, VG_E_family, span);
    if (!plain) return bind_member(e, name, family, indices, count, kind);
    int64_t turns[VG_RANK_LIMIT];
    for (uint32_t k = 0; k < depth; k++) turns[k] = frame->loops.items[k].index;
    vg_entry member = bind_member(e, name, family, turns, depth, kind);
    if (!member) return 0;
    vg_entry_row *row = vg_entry_at(e, family);
    row->plain = true;
    row->depth = depth;
    row->loop = frame->loops.items[depth - 1].statement;
    vg_entry_at(e, member)->turn = frame->loops.items[depth - 1].turn;
    return member;
}

void vg_bind_value(vg_elaborator *e, vg_entry entry, vg_value value) {
    vg_entry_at(e, entry)->value = value;
    vg_entry_at(e, entry)->open = false;
    if (value.kind != VG_V_tensor) return;
    for (vg_entry up = entry; up; up = vg_entry_at(e, up)->parent)
        if (up == e->root) {
            vg_graph_name(e->graph, vg_entry_path(e, entry), value.id);
            return;
        }
}

/* The entry that a name means in a scope; 0 where it is not known there, or not yet. */
static vg_entry known(const vg_elaborator *e, vg_entry scope, vg_str name) {
    vg_entry id = vg_entry_find(e, scope, name);
    if (id && vg_entry_at(e, id)->plain) id = turn_member(e, id);
    return id && !vg_entry_at(e, id)->open && vg_entry_at(e, id)->kind != VG_E_scope ? id : 0;
}

bool vg_name_find(vg_elaborator *e, vg_str name, vg_value *value, vg_entry *entry) {
    vg_frame *frame = e->frame;
    *entry = 0;
    for (uint32_t k = frame->locals.count; k-- > 0;)
        if (frame->locals.items[k].name == name) {
            *value = frame->locals.items[k].value;
            return true;
        }
    *entry = known(e, frame->scope, name);
    if (!*entry && frame->top != frame->scope) *entry = known(e, frame->top, name);
    if (!*entry && frame->top != e->library) *entry = known(e, e->library, name);
    if (*entry) {
        *value = vg_entry_value(e, *entry, (vg_span){ 0, 0 });   /* no scope: see known */
        return true;
    }
    uint32_t builtin = vg_map_get(&e->builtin_map, name);
    if (!builtin) return false;
    const vg_function *row = &e->values.functions.items[builtin - 1];
    if (row->kind == VG_F_builtin && vg_builtin_library_only(row->tree) && frame->top != e->library) return false;
    *value = (vg_value){ VG_V_function, builtin - 1, 0 };
    return true;
}

/* Offers all names known here. */
static void offer_names(vg_elaborator *e, vg_suggest *suggest) {
    const vg_strings *strings = &e->ir->strings;
    for (uint32_t k = 0; k < e->frame->locals.count; k++)
        vg_suggest_offer(suggest, vg_strings_text(strings, e->frame->locals.items[k].name));
    vg_entry scopes[3] = { e->frame->scope, e->frame->top, e->library };
    for (uint32_t s = 0; s < 3; s++)
        for (vg_entry c = vg_entry_at(e, scopes[s])->first_child; c; c = vg_entry_at(e, c)->next)
            if (known(e, scopes[s], vg_entry_at(e, c)->name))
                vg_suggest_offer(suggest, vg_strings_text(strings, vg_entry_at(e, c)->name));
    for (uint32_t k = 0; k < e->values.functions.count; k++) {
        const vg_function *row = &e->values.functions.items[k];
        if (row->kind == VG_F_map || (row->kind == VG_F_builtin && !vg_builtin_library_only(row->tree)))
            vg_suggest_offer(suggest, vg_strings_text(strings, row->name));
    }
}

/* The NAME that a statement of the model's top level binds to this text; 0: none does. */
static vg_tree_id bound_below(const vg_elaborator *e, vg_str name) {
    uint32_t list = e->front->root ? e->tree->a.items[e->front->root] : 0;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id statement = vg_tree_item(e->tree, list, k), bound = e->tree->a.items[statement];
        switch ((int)vg_tree_kind(e->tree, statement)) {
        case VG_K_bind: case VG_K_const: case VG_K_var: case VG_K_state: case VG_K_input: case VG_K_data:
            if (vg_tree_name(e->tree, bound) == name) return bound;
        }
    }
    return 0;
}

static void report_unknown(vg_elaborator *e, vg_tree_id name) {
    const char *text = vg_text_of(e, vg_tree_name(e->tree, name));
    vg_span span = vg_tree_span(e->tree, name);
    if (e->names_missing) return;
    vg_report(e->diags, unknown_name, span, e->frame->call, text);
    vg_entry later_bound = vg_entry_find(e, e->frame->scope, vg_tree_name(e->tree, name));
    if (later_bound && vg_entry_at(e, later_bound)->kind != VG_E_scope) {
        vg_diags_note(e->diags, vg_entry_at(e, later_bound)->span, "'%s' is known from behind this statement on", text);
        return;
    }
    vg_tree_id below = bound_below(e, vg_tree_name(e->tree, name));
    if (below) {
        vg_diags_note(e->diags, vg_tree_span(e->tree, below),
                      "'%s' is bound below: it is known from behind this statement on", text);
        return;
    }
    vg_suggest suggest;
    vg_suggest_start(&suggest, text);
    offer_names(e, &suggest);
    if (vg_suggest_best(&suggest))
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
}

vg_value vg_name_value(vg_elaborator *e, vg_tree_id name, vg_entry *entry) {
    vg_value value;
    if (!vg_name_find(e, vg_tree_name(e->tree, name), &value, entry)) {
        report_unknown(e, name);
        return vg_value_poison();
    }
    if (value.kind == VG_V_family && vg_entry_at(e, value.id)->plain) {
        const char *text = vg_text_of(e, vg_tree_name(e->tree, name));
        vg_report(e->diags, loop_name_outside, vg_tree_span(e->tree, name), e->frame->call, text, text, text);
        return vg_value_poison();
    }
    return value;
}
