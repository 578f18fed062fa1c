/* Names that select: h[*].W, enc.*.b, h[1].**, vars("**.W"). A pattern is a row of steps, matched against the tree of
 * names in the order of definition. */
#include <stdlib.h>
#include <string.h>

#include "front/elaborator.h"

typedef enum vg_step_kind { VG_STEP_NAME, VG_STEP_STAR, VG_STEP_DEEP } vg_step_kind;
typedef enum vg_index_kind { VG_INDEX_NONE, VG_INDEX_GIVEN, VG_INDEX_ANY } vg_index_kind;

/* One name of a pattern. Indices given: each a number, or any where the bit of `any` is set. */
typedef struct vg_pattern_step {
    vg_step_kind  kind;
    vg_str        name;
    vg_index_kind index;
    uint32_t      count, any;
    int64_t       indices[VG_RANK_LIMIT];
} vg_pattern_step;

enum { STEP_LIMIT = 32 };
typedef struct vg_pattern { vg_pattern_step steps[STEP_LIMIT]; uint32_t count; vg_span span; } vg_pattern;

typedef struct vg_match {
    vg_elaborator *e;
    const vg_pattern *pattern;
    bool    variables_only;
    vg_map  seen;                    /* entries taken already */
    VG_VEC(vg_selected) found;
    bool    failed;
} vg_match;

bool vg_is_pattern(const vg_elaborator *e, vg_tree_id expression) {
    for (;;) {
        switch ((int)vg_tree_kind(e->tree, expression)) {
        case VG_K_member_star: case VG_K_member_deep: return true;
        case VG_K_member: break;
        case VG_K_subscript: {
            uint32_t subs = e->tree->b.items[expression];
            for (uint32_t k = 0; k < vg_tree_count(e->tree, subs); k++)
                if (vg_tree_kind(e->tree, vg_tree_item(e->tree, subs, k)) == VG_K_sub_all) return true;
            break;
        }
        default: return false;
        }
        expression = e->tree->a.items[expression];
    }
}

/* ---- matching */

static void take(vg_match *m, vg_entry entry) {
    vg_elaborator *e = m->e;
    const vg_entry_row *row = vg_entry_at(e, entry);
    if (row->open || row->kind == VG_E_scope) return;
    if (m->variables_only && (!row->variable || !e->unit->variables.items[row->variable - 1].trainable)) return;
    vg_value value = row->value;
    if (value.kind == VG_V_number || value.kind == VG_V_dim)
        value = vg_value_tensor(vg_to_tensor(e, value, false, m->pattern->span));
    if (value.kind != VG_V_tensor) {
        m->failed |= value.kind == VG_V_poison;
        return;
    }
    vg_entry maker = vg_map_get(&e->node_entry, value.id);   /* a variable goes by where it was made */
    if (maker) entry = maker;
    if (vg_map_get(&m->seen, entry)) return;
    vg_map_put(e->mem, &m->seen, entry, 1);
    vg_selected selected = { vg_entry_path(e, entry), value.id };
    vg_vec_push(e->mem, &m->found, selected);
}

static bool indices_fit(const vg_elaborator *e, const vg_pattern_step *step, const vg_entry_row *row) {
    if (step->kind != VG_STEP_NAME || step->index == VG_INDEX_ANY) return true;
    if (step->index == VG_INDEX_NONE) return row->index_count == 0;
    if (step->count != row->index_count) return false;
    for (uint32_t k = 0; k < step->count; k++)
        if (!(step->any >> k & 1) && step->indices[k] != e->indices.items[row->first_index + k]) return false;
    return true;
}

static void match_children(vg_match *m, vg_entry scope, uint32_t at);

/* `entry` (a name or a member) stands for step `at`: goes on behind it. */
static void match_behind(vg_match *m, vg_entry entry, uint32_t at) {
    uint32_t rest = at + 1;
    while (rest < m->pattern->count && m->pattern->steps[rest].kind == VG_STEP_DEEP) rest++;
    if (rest == m->pattern->count) take(m, entry);       /* what follows can stand for no name at all */
    if (at + 1 < m->pattern->count) match_children(m, entry, at + 1);
}

static void match_entry(vg_match *m, vg_entry entry, uint32_t at) {
    const vg_pattern_step *step = &m->pattern->steps[at];
    const vg_entry_row *row = vg_entry_at(m->e, entry);
    const vg_str name = row->name ? row->name : vg_entry_at(m->e, row->parent)->name;   /* a member has its family's */
    if (step->kind == VG_STEP_NAME && name != step->name) return;
    if (row->kind == VG_E_value && row->value.kind == VG_V_poison && !row->first_child && !row->open) m->failed = true;
    if (step->kind == VG_STEP_DEEP) {
        if (at + 1 == m->pattern->count) take(m, entry);
        else match_entry(m, entry, at + 1);          /* ** stands for no further name */
        match_children(m, entry, at);                /* or for this one, and more */
        return;
    }
    if (indices_fit(m->e, step, row)) match_behind(m, entry, at);
}

/* The children of a scope, families opened into their members; `train` is a scope that has members, too. */
static void match_children(vg_match *m, vg_entry scope, uint32_t at) {
    const vg_elaborator *e = m->e;
    const vg_pattern_step *step = &m->pattern->steps[at];
    for (vg_entry c = vg_entry_at(e, scope)->first_child; c; c = vg_entry_at(e, c)->next) {
        if (step->kind == VG_STEP_NAME && vg_entry_at(e, c)->name != step->name) continue;
        if (vg_entry_at(e, c)->index_count) continue;
        if (vg_entry_at(e, c)->kind != VG_E_family) match_entry(m, c, at);
        for (vg_entry f = vg_entry_at(e, c)->first_child; f; f = vg_entry_at(e, f)->next)
            if (vg_entry_at(e, f)->index_count) match_entry(m, f, at);
    }
}

static int by_node(const void *a, const void *b) {
    const vg_selected *x = a, *y = b;
    return x->node < y->node ? -1 : x->node > y->node;
}

static vg_value finish(vg_elaborator *e, vg_match *m, vg_span span, const char *text) {
    vg_value result = vg_value_poison();
    if (m->found.count) {
        /* Nodes are numbered in the order of definition, and an alias shares its node: stable enough. */
        if (m->variables_only) qsort(m->found.items, m->found.count, sizeof *m->found.items, by_node);
        result = vg_value_selection(&e->values, m->found.items, m->found.count);
    } else if (!m->failed) {
        vg_report(e->diags, selects_nothing, span, e->frame->call, text);
    }
    vg_vec_free(e->mem, &m->found);
    vg_map_free(e->mem, &m->seen);
    return result;
}

static vg_value match_all(vg_elaborator *e, const vg_pattern *pattern, vg_entry scope, vg_str text) {
    vg_match match = { .e = e, .pattern = pattern };
    match.variables_only = pattern->steps[pattern->count - 1].kind != VG_STEP_NAME;
    match_children(&match, scope, 0);
    return finish(e, &match, pattern->span, vg_text_of(e, text));
}

/* ---- patterns from expressions */

static bool add_step(vg_elaborator *e, vg_pattern *pattern, vg_pattern_step step) {
    if (pattern->count == STEP_LIMIT) {
        vg_report(e->diags, limit_pattern, pattern->span, e->frame->call,
                  vg_arena_format(&e->arena, "%d", STEP_LIMIT));
        return false;
    }
    pattern->steps[pattern->count++] = step;
    return true;
}

static bool step_indices(vg_elaborator *e, vg_tree_id subscript, vg_pattern_step *step) {
    uint32_t subs = e->tree->b.items[subscript];
    step->count = vg_tree_count(e->tree, subs);
    step->index = VG_INDEX_GIVEN;
    if (step->count > VG_RANK_LIMIT || step->kind != VG_STEP_NAME) {
        vg_report0(e->diags, pattern_wrong, vg_tree_span(e->tree, subscript), e->frame->call);
        return false;
    }
    for (uint32_t k = 0; k < step->count; k++) {
        vg_tree_id sub = vg_tree_item(e->tree, subs, k);
        if (vg_tree_kind(e->tree, sub) == VG_K_sub_all) step->any |= 1u << k;
        else if (vg_tree_kind(e->tree, sub) == VG_K_sub_range) {
            vg_report0(e->diags, pattern_wrong, vg_tree_span(e->tree, sub), e->frame->call);
            return false;
        } else if (!vg_evaluate_whole(e, sub, "the index of a family", &step->indices[k])) return false;
    }
    if (step->count == 1 && step->any) step->index = VG_INDEX_ANY;   /* [*]: any indices */
    return true;
}

static bool collect(vg_elaborator *e, vg_tree_id expression, vg_pattern *pattern) {
    vg_tree_id base = e->tree->a.items[expression];
    switch ((int)vg_tree_kind(e->tree, expression)) {
    case VG_K_group: return collect(e, base, pattern);
    case VG_K_name:
        return add_step(e, pattern, (vg_pattern_step){ .name = vg_tree_name(e->tree, expression) });
    case VG_K_member:
        return collect(e, base, pattern) &&
               add_step(e, pattern, (vg_pattern_step){ .name = vg_tree_name(e->tree, e->tree->b.items[expression]) });
    case VG_K_member_star:
        return collect(e, base, pattern) && add_step(e, pattern, (vg_pattern_step){ .kind = VG_STEP_STAR });
    case VG_K_member_deep:
        return collect(e, base, pattern) && add_step(e, pattern, (vg_pattern_step){ .kind = VG_STEP_DEEP });
    case VG_K_subscript:
        return collect(e, base, pattern) && step_indices(e, expression, &pattern->steps[pattern->count - 1]);
    }
    vg_report0(e->diags, pattern_wrong, vg_tree_span(e->tree, expression), e->frame->call);
    return false;
}

/* The scope in which a pattern's first name lies. */
static vg_entry first_scope(vg_elaborator *e, vg_str name) {
    vg_frame *frame = e->frame;
    if (vg_entry_find(e, frame->scope, name)) return frame->scope;
    return vg_entry_find(e, frame->top, name) ? frame->top : 0;
}

static vg_tree_id first_name(const vg_elaborator *e, vg_tree_id expression) {
    while (vg_tree_kind(e->tree, expression) != VG_K_name) expression = e->tree->a.items[expression];
    return expression;
}

vg_value vg_select(vg_elaborator *e, vg_tree_id expression) {
    vg_pattern *pattern = VG_NEW(&e->arena, vg_pattern);
    pattern->span = vg_tree_span(e->tree, expression);
    if (!collect(e, expression, pattern)) return vg_value_poison();
    vg_entry scope = first_scope(e, pattern->steps[0].name);
    if (scope) {
        vg_str text = vg_expression_text(e, expression);
        /* `t.W` in a loop's body, t plain: this turn's member. */
        vg_value value;
        vg_entry entry;
        vg_pattern_step *first = &pattern->steps[0];
        if (first->index == VG_INDEX_NONE && vg_name_find(e, first->name, &value, &entry) && entry &&
            vg_entry_at(e, entry)->index_count) {
            vg_match match = { .e = e, .pattern = pattern };
            match.variables_only = pattern->steps[pattern->count - 1].kind != VG_STEP_NAME;
            match_behind(&match, entry, 0);
            return finish(e, &match, pattern->span, vg_text_of(e, text));
        }
        return match_all(e, pattern, scope, text);
    }
    vg_entry entry;
    vg_value value = vg_name_value(e, first_name(e, expression), &entry);
    if (value.kind != VG_V_poison)
        vg_report(e->diags, no_members_select, pattern->span, e->frame->call, vg_value_noun(value.kind));
    return vg_value_poison();
}

/* ---- patterns from text: vars("**.W") */

static bool text_indices(const char **at, vg_pattern_step *step) {
    step->index = VG_INDEX_GIVEN;
    do {
        ++*at;
        while (**at == ' ') ++*at;
        if (step->count == VG_RANK_LIMIT) return false;
        if (**at == '*') {
            step->any |= 1u << step->count;
            ++*at;
        } else {
            char *end;
            step->indices[step->count] = strtoll(*at, &end, 10);
            if (end == *at) return false;
            *at = end;
        }
        step->count++;
    } while (**at == ',');
    if (step->count == 1 && step->any) step->index = VG_INDEX_ANY;
    return *(*at)++ == ']';
}

static bool text_pattern(vg_elaborator *e, const char *at, vg_pattern *pattern) {
    for (;;) {
        vg_pattern_step step = { 0 };
        size_t length = strcspn(at, ".[*");
        if (strncmp(at, "**", 2) == 0) {
            step.kind = VG_STEP_DEEP;
            length = 2;
        } else if (*at == '*') {
            step.kind = VG_STEP_STAR;
            length = 1;
        } else {
            step.name = vg_strings_add(&e->ir->strings, at, length);
        }
        if (!length) return false;
        at += length;
        if (*at == '[' && (step.kind != VG_STEP_NAME || !text_indices(&at, &step))) return false;
        if (!add_step(e, pattern, step)) return true;
        if (!*at) return true;
        if (*at++ != '.') return false;
    }
}

vg_value vg_select_text(vg_elaborator *e, vg_str text, vg_span span) {
    vg_pattern *pattern = VG_NEW(&e->arena, vg_pattern);
    pattern->span = span;
    const char *chars = text ? vg_text_of(e, text) : "vars";
    if (!text_pattern(e, text ? chars : "**", pattern) || !pattern->count) {
        vg_report(e->diags, pattern_text, span, e->frame->call, chars);
        return vg_value_poison();
    }
    vg_match match = { .e = e, .pattern = pattern, .variables_only = true };   /* vars are trainable variables */
    match_children(&match, e->root, 0);
    return finish(e, &match, span, chars);
}
