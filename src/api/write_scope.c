/* What the statements stand on (derivative.h): data, inputs,
    and variables and draws under the very paths that they have
 * in the model, since their numbers are keyed by the path. A path within a layer's scope needs a layer: one that holds
 * nothing but what belongs there. */
#include <string.h>

#include "api/derivative.h"
#include "front/dataset.h"

#define TEXT(...) vg_arena_format(&w->arena, __VA_ARGS__)

/* A piece of a path, "h[1]", and what is below it. */
typedef struct scope scope;
struct scope {
    const char *segment, *path;
    scope      *first, *last, *next;      /* children, in the order of definition */
    const vg_variable *variable;
    vg_node     initial;                  /* of the variable */
    uint32_t    draws;                    /* the highest number of one */
    vg_node    *draw;                     /* by number, from 1; 0: nobody needs it */
};

typedef struct scoping {
    vg_writer  *w;
    scope       root;
    vg_node    *initial;                  /* by variable */
    VG_VEC(const char *) bodies, layers;  /* of layers: the same body is the same layer */
} scoping;

static vg_str path_of(const vg_writer *w, vg_node node) {
    uint32_t count;
    return (vg_str)vg_attr_words(w->graph->ir, w->graph->attr.items[node], &count)[1];
}
static const char *string(const vg_writer *w, vg_str id) { return vg_strings_text(&w->graph->ir->strings, id); }

/* ---- the tree of paths */

/* The length of the first piece: up to a dot outside of brackets. */
static size_t piece(const char *path) {
    size_t depth = 0, at = 0;
    for (; path[at] && (path[at] != '.' || depth); at++) {
        depth += path[at] == '[';
        depth -= path[at] == ']' && depth;
    }
    return at;
}

static scope *scope_at(vg_writer *w, scope *parent, const char *path) {
    for (const char *at = path; *at;) {
        const size_t length = piece(at);
        scope *child = parent->first;
        while (child && (strlen(child->segment) != length || strncmp(child->segment, at,
                                                                     length) != 0)) child = child->next;
        if (!child) {
            child = VG_NEW(&w->arena, scope);
            child->segment = vg_arena_copy(&w->arena, at, length);
            child->path = vg_arena_copy(&w->arena, path, (size_t)(at - path) + length);
            if (parent->last) parent->last->next = child;
            else parent->first = child;
            parent->last = child;
        }
        parent = child;
        at += length + (at[length] == '.');
    }
    return parent;
}

static void add_variables(scoping *s) {
    vg_writer *w = s->w;
    const vg_unit *unit = &w->model->unit;
    vg_map nodes = { 0 };
    for (vg_node node = 1; node < vg_graph_count(w->graph); node++)
        if (vg_node_op(w->graph, node) == VG_OP_variable && w->live[node])
            vg_map_put(w->graph->ir->mem, &nodes, path_of(w, node), node);
    vg_map initials = { 0 };
    for (uint32_t k = 0; k < w->graph->roots.count; k++) {
        const vg_node root = w->graph->roots.items[k];
        uint32_t count;
        if (vg_node_op(w->graph, root) != VG_OP_initial) continue;
        vg_map_put(w->graph->ir->mem, &initials, vg_attr_words(w->graph->ir, w->graph->attr.items[root], &count)[0],
                   vg_operand(w->graph, root, 0));
    }
    for (uint32_t k = 0; k < unit->variables.count; k++) {
        const vg_variable *variable = &unit->variables.items[k];
        const vg_node node = vg_map_get(&nodes, variable->path);
        if (!node) continue;
        scope *at = scope_at(w, &s->root, string(w, variable->path));
        at->variable = variable;
        at->initial = vg_map_get(&initials, variable->path);
        w->written[node] = (vg_written){ at->path, VG_BINDS_ATOM };
        if (variable->optimizer && !w->failed) w->failed = node;
    }
    vg_map_free(w->graph->ir->mem, &nodes);
    vg_map_free(w->graph->ir->mem, &initials);
}

static void add_draws(scoping *s) {
    vg_writer *w = s->w;
    for (vg_node node = 1; node < vg_graph_count(w->graph); node++) {
        if (!w->live[node] || !vg_op_is(vg_node_op(w->graph, node), VG_FLAG_draws)) continue;
        uint32_t count;
        const vg_word *words = vg_attr_words(w->graph->ir, w->graph->attr.items[node], &count);
        const char *path = string(w, (vg_str)words[1]);
        if ((words[3] || strchr(path, ' ')) && !w->failed)
            w->failed = node;   /* of an initial value, or of no binding */
        if (w->failed) return;
        scope *at = scope_at(w, &s->root, path);
        const uint32_t number = (uint32_t)words[2];
        if (number > at->draws) {
            vg_node *grown = VG_ARRAY(&w->arena, vg_node, number + 1);
            if (at->draws) memcpy(grown, at->draw, (at->draws + 1) * sizeof *grown);
            at->draw = grown;
            at->draws = number;
        }
        at->draw[number] = node;
    }
}

/* ---- what they are written as */

/* The expression of an initial value, which is made of constants, and of draws only where it is one. */
static vg_written initial_of(vg_writer *w, vg_node node) {
    if (w->written[node].text) return w->written[node];
    if (vg_op_is(vg_node_op(w->graph, node), VG_FLAG_draws) && !w->failed) w->failed = node;
    for (uint32_t k = 0; k < w->graph->operand_count.items[node]; k++) initial_of(w, vg_operand(w->graph, node, k));
    return w->written[node] = vg_write_node(w, node);
}

/* "W" in a scope of loops, "W[2]", is declared in a turn of its own. */
static const char *variable_text(scoping *s, const scope *at) {
    vg_writer *w = s->w;
    const char *bracket = strchr(at->segment, '[');
    const size_t length = bracket ? (size_t)(bracket - at->segment) : strlen(at->segment);
    const char *distribution = vg_write_distribution(w, at->initial), *value;
    double number;
    if (distribution) value = TEXT("~ %s", distribution);
    else if (vg_node_uniform(w->graph, at->initial, &number)) value = TEXT("= %s", vg_write_number(w, number));
    else value = TEXT("= %s", initial_of(w, at->initial).text);
    const char *text = TEXT("%s %.*s: %s %s\n", at->variable->trainable ? "var" : "state", (int)length, at->segment,
                            vg_write_shape(w, at->variable->shape), value);
    for (const char *index = bracket; index && *index != ']'; index = strpbrk(index + 1, ",]")) {
        const size_t digits = strcspn(index + 1, ",]");
        text = TEXT("for turn%u in %.*s..%.*s {\n%s}\n", (unsigned)(index - bracket), (int)digits, index + 1,
                    (int)digits,
                    index + 1, text);
    }
    return text;
}

static const char *children_text(scoping *s, const scope *parent);

static const char *draws_text(scoping *s, const scope *at, const char *before) {
    vg_writer *w = s->w;
    const char *text = before;
    for (uint32_t number = 1; number <= at->draws; number++) {
        const vg_node node = at->draw[number];
        const char *draw = node ? TEXT("sample(%s, %s)", vg_write_distribution(w, node),
                                       vg_write_shape(w, vg_node_shape(w->graph, node)))
                                : "sample(normal(0, 1), [])";   /* another's, whose number it keeps */
        text = TEXT("%s%s%s", text, *text ? ", " : "", draw);
        if (node)
            w->written[node] = (vg_written){ TEXT("%s[%u]", at->path, number - (*before == '\0')), VG_BINDS_ATOM };
    }
    return TEXT("[%s]", text);
}

/* What the layer was called that made a scope's variables; the path of a scope that has none. */
static const char *layer_of(scoping *s, const scope *at) {
    vg_writer *w = s->w;
    for (const scope *child = at->first; child; child = child->next) {
        if (!child->variable) continue;
        const vg_call_row *row = &w->graph->ir->diags.calls.items[child->variable->call];
        if (child->variable->call && row->kind == VG_CALL_LAYER) return string(w, row->name);
    }
    return vg_write_flat(w, at->path);
}

/* The call of a layer that makes the scope. */
static const char *holder(scoping *s, const scope *at) {
    vg_writer *w = s->w;
    const char *body = children_text(s, at);
    for (uint32_t k = 0; k < s->bodies.count; k++)
        if (strcmp(s->bodies.items[k], body) == 0) return TEXT("%s()", s->layers.items[k]);
    const char *name = vg_write_name(w, TEXT("%s_scope", layer_of(s, at)));
    vg_vec_push(w->graph->ir->mem, &s->bodies, body);
    vg_vec_push(w->graph->ir->mem, &s->layers, name);
    vg_text_format(&w->out, "layer %s() {\n%sreturn 0\n}\n", name, body);
    return TEXT("%s()", name);
}

static const char *scope_text(scoping *s, const scope *at) {
    vg_writer *w = s->w;
    if (at->variable) return variable_text(s, at);
    const char *call = at->first ? holder(s, at) : "";
    const char *value = at->draws ? draws_text(s, at, call) : call;
    return TEXT("%s = %s\n", at->segment, value);
}

static const char *children_text(scoping *s, const scope *parent) {
    vg_writer *w = s->w;
    vg_text text = vg_text_new(w->graph->ir->mem);
    for (const scope *child = parent->first; child; child = child->next) {
        const char *line = scope_text(s, child);
        vg_text_add(&text, line, strlen(line));
    }
    const char *copy = vg_arena_copy(&w->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copy;
}

/* ---- data and inputs */

static const char *argument_text(vg_writer *w, const vg_dataset *set, uint32_t k) {
    const vg_argument *argument = &set->arguments[k];
    if (set->source->parameters[k].kind == VG_ARGUMENT_NUMBER) return vg_write_number(w, argument->number);
    vg_text text = vg_text_new(w->graph->ir->mem);
    if (*set->folder && argument->text[0] != '/') vg_text_format(&text, "%s", set->folder);   /* ends with / */
    for (const char *p = argument->text; *p; p++) {
        if (strchr("\"\\{}", *p)) vg_text_add(&text, "\\", 1);
        vg_text_add(&text, p, 1);
    }
    const char *copy = TEXT("\"%s\"", vg_text_c(&text));
    vg_text_free(&text);
    return copy;
}

static void write_data(vg_writer *w) {
    const vg_unit *unit = &w->model->unit;
    for (uint32_t k = 0; k < unit->datasets.count; k++) {
        const vg_dataset *set = unit->datasets.items[k];
        const char *text = "";
        for (uint32_t i = 0; i < set->source->parameter_count; i++)
            if (set->arguments[i].given)
                text = TEXT("%s%s%s = %s", text, *text ? ", " : "", set->source->parameters[i].name,
                            argument_text(w, set, i));
        if (set->test >= 0) text = TEXT("%s%stest = %s", text, *text ? ", " : "", vg_write_number(w, set->test));
        vg_text_format(&w->out, "data %s = %s(%s)\n", string(w, set->name), set->source->name, text);
    }
    for (uint32_t k = 0; k < unit->inputs.count; k++) {
        const vg_input *input = &unit->inputs.items[k];
        vg_text_format(&w->out, "input %s: %s%s", string(w, input->path), input->dtype == VG_I32 ? "int" : "",
                       vg_write_shape(w, input->shape));
        if (input->dataset)
            vg_text_format(&w->out, " = %s.%s", string(w, input->dataset->name),
                           input->dataset->columns[input->column].name);
        vg_text_format(&w->out, "\n");
    }
    vg_text_format(&w->out, "\n");
}

static void take_name(vg_writer *w, const char *name) {
    vg_map_put(w->graph->ir->mem, &w->scopes, vg_strings_c(&w->graph->ir->strings, name), 1);
}

/* Names that stand before those of values are chosen: of data, inputs, dimensions, and the first pieces of paths. */
static void take_names(scoping *s) {
    vg_writer *w = s->w;
    const vg_unit *unit = &w->model->unit;
    const vg_dims *dims = &w->graph->ir->dims;
    for (uint32_t k = 0; k < unit->datasets.count; k++) take_name(w, string(w, unit->datasets.items[k]->name));
    for (uint32_t k = 0; k < unit->inputs.count; k++) take_name(w, string(w, unit->inputs.items[k].path));
    for (uint32_t k = 1; k < dims->symbols.count; k++) take_name(w, string(w, dims->symbols.items[k].name));
    for (const scope *child = s->root.first; child; child = child->next)
        take_name(w, vg_arena_copy(&w->arena, child->segment, strcspn(child->segment, "[")));
}

void vg_write_scope(vg_writer *w) {
    scoping s = { .w = w };
    add_variables(&s);
    add_draws(&s);
    if (w->failed) return;
    take_names(&s);
    write_data(w);
    const char *scopes = children_text(&s, &s.root);
    vg_text_format(&w->out, "\n%s\n", scopes);
    vg_vec_free(w->graph->ir->mem, &s.bodies);
    vg_vec_free(w->graph->ir->mem, &s.layers);
    for (vg_node node = 1; node < vg_graph_count(w->graph); node++)
        if (vg_node_op(w->graph, node) == VG_OP_input)
            w->written[node] = (vg_written){ string(w, path_of(w, node)), VG_BINDS_ATOM };
}

/* The same mini-batch as in the model: its size and the order of the data are said here. */
void vg_write_train(vg_writer *w, const char *loss, bool trains) {
    const vg_unit *unit = &w->model->unit;
    if (!unit->blocks.count || !trains) return;
    vg_text_format(&w->out,
                   "\ntrain %s {\noptimizer = sgd(rate = 0) # for its batch and seed only: nothing moves\nbatch = %llu\n"
                            "steps = %llu\nseed = %llu\n%s}\n", loss, (unsigned long long)unit->blocks.items[0].batch,
                   (unsigned long long)(unit->steps ? unit->steps : 1), (unsigned long long)unit->seed,
                   unit->shuffle ? "" : "shuffle = false\n");
}
