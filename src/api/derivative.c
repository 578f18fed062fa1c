/* The derivative of a loss with respect to a variable or another value, as statements named after those of the model
 * (derivative.h). Its graph is made like any gradient's, with the adjoints of all values on the way asked for at once,
 * so that it is known which node is whose adjoint. */
#include "api/derivative.h"

#include <string.h>

#include "front/builtin.h"
#include "front/format.h"
#include "front/std.h"
#include "ir/build.h"

#define TEXT(...) vg_arena_format(&w->arena, __VA_ARGS__)

enum { INLINE_WIDTH = 60 };   /* characters of an expression, beyond which its longest part becomes a statement */

/* ---- the graph */

/* By node of the elaborated graph. */
typedef struct cone { const vg_graph *from; vg_node y, v; uint8_t *live, *between; vg_node *map; } cone;

static void mark_cone(cone *c, vg_mem *mem) {
    const uint32_t count = vg_graph_count(c->from);
    uint8_t *reaches = vg_mem_alloc(mem, count);
    c->live[c->y] = c->live[c->v] = reaches[c->y] = 1;
    for (uint32_t k = 0; k < c->from->roots.count; k++)
        if (vg_node_op(c->from, c->from->roots.items[k]) == VG_OP_initial) c->live[c->from->roots.items[k]] = 1;
    for (vg_node node = count; node-- > 1;)
        for (uint32_t k = 0; k < c->from->operand_count.items[node]; k++) {
            c->live[vg_operand(c->from, node, k)] |= c->live[node];
            reaches[vg_operand(c->from, node, k)] |= reaches[node];
        }
    for (vg_node node = c->v; node < count; node++) {
        c->between[node] = node == c->v;
        for (uint32_t k = 0; k < c->from->operand_count.items[node]; k++)
            c->between[node] |= c->between[vg_operand(c->from, node, k)];
    }
    for (vg_node node = 1; node < count; node++) c->between[node] &= reaches[node];
    vg_mem_free(mem, reaches);
}

static void copy_cone(cone *c, vg_graph *into, vg_mem *mem) {
    VG_VEC(vg_node) operands = { 0 };
    for (vg_node node = 1; node < vg_graph_count(c->from); node++) {
        if (!c->live[node]) continue;
        operands.count = 0;
        for (uint32_t k = 0; k < c->from->operand_count.items[node]; k++)
            vg_vec_push(mem, &operands, c->map[vg_operand(c->from, node, k)]);
        c->map[node] = vg_emit_copy(into, c->from, node, operands.items, c->map);
    }
    for (uint32_t k = 0; k < c->from->names.count; k++)
        if (c->map[c->from->names.items[k].node])
            vg_graph_name(into, c->from->names.items[k].path, c->map[c->from->names.items[k].node]);
    vg_vec_free(mem, &operands);
}

static void fetch(vg_graph *graph, vg_node node, uint32_t index) {
    vg_emit(graph, VG_OP_fetch, &node, 1, vg_attr_of(graph->ir, (vg_word[]){ index }, 1));
}

/* Fetch 0 is the derivative, 1 is y, then come values on the way and the adjoint of each. */
static void ask(cone *c, vg_graph *graph) {
    const vg_attr group = vg_attr_of(graph->ir, (vg_word[]){ ++graph->ir->groups }, 1);
    const vg_place *place = &c->from->place.items[c->y];
    const vg_node y = c->map[c->y];
    graph->here = (vg_place){ place->span, place->call, 0 };
    fetch(graph, vg_emit(graph, VG_OP_grad, (vg_node[]){ y, c->map[c->v] }, 2, group), 0);
    fetch(graph, y, 1);
    uint32_t index = 2;
    for (vg_node node = c->v + 1; node < c->y; node++) {
        const bool holder = vg_op_is(vg_node_op(c->from, node), VG_FLAG_holder);
        if (!c->between[node] || vg_node_dtype(c->from, node) != VG_F32 || holder) continue;
        fetch(graph, c->map[node], index++);
        fetch(graph, vg_emit(graph, VG_OP_grad, (vg_node[]){ y, c->map[node] }, 2, group), index++);
    }
}

static bool make_graph(vg_model *model, vg_node y, vg_node v, vg_graph *into) {
    const vg_graph *from = &model->elaborated[1];
    vg_mem *mem = &model->mem;
    const uint32_t count = vg_graph_count(from), reported = model->ir.diags.list.count;
    cone c = { .from = from, .y = y, .v = v };
    c.live = vg_mem_alloc(mem, count);
    c.between = vg_mem_alloc(mem, count);
    c.map = vg_mem_alloc(mem, count * sizeof *c.map);
    vg_graph asked, whole;
    vg_graph_init(&asked, &model->ir, VG_EMIT_FAITHFUL);
    mark_cone(&c, mem);
    copy_cone(&c, &asked, mem);
    ask(&c, &asked);
    vg_mem_free(mem, c.live);
    vg_mem_free(mem, c.between);
    vg_mem_free(mem, c.map);
    vg_graph_init(&whole, &model->ir, VG_EMIT_FAITHFUL);
    vg_pass_differentiate(&asked, &whole);
    vg_graph_free(&asked);
    if (model->ir.diags.list.count == reported) vg_pass_simplify(&whole, into);
    vg_graph_free(&whole);
    return model->ir.diags.list.count == reported;
}

/* ---- names */

static bool is_reserved(const char *name) {
    static const char *const words[] = { "var", "for", "in", "if", "then", "else", "true", "false", "and", "or", "not",
                                         "pi", "inf", "int", "all", "derivative" };
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcmp(name, words[k]) == 0) return true;
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++)
        if (strcmp(name, vg_builtin_rows[k].name) == 0) return true;
    const vg_op op = vg_op_find(name);
    return op != VG_OP_none && vg_builtin_is_map(op);
}

/* What stands in the way of a name is a scope or a word of the language, or another value: "_out" or a number tells. */
const char *vg_write_name(vg_writer *w, const char *wanted) {
    vg_strings *strings = &w->model->ir.strings;
    vg_mem *mem = &w->model->mem;
    const vg_str id = vg_strings_c(strings, wanted);
    const bool hidden = is_reserved(wanted) || vg_map_get(&w->scopes, id);
    const char *name = hidden ? TEXT("%s_out", wanted) : wanted;
    for (uint32_t next; vg_map_get(&w->used, vg_strings_c(strings, name)); name = TEXT("%s_%u", wanted, next)) {
        const uint32_t last = vg_map_get(&w->used, id);
        next = last < 2 ? 2 : last + 1;
        vg_map_put(mem, &w->used, id, next);   /* numbers are not tried twice */
    }
    vg_map_put(mem, &w->used, vg_strings_c(strings, name), 1);
    return name;
}

const char *vg_write_flat(vg_writer *w, const char *path) {
    char *flat = vg_arena_copy(&w->arena, path, strlen(path)), *to = flat;
    for (const char *from = path; *from; from++) {
        const bool word = (unsigned char)*from >= 0x80 || strchr("_.,", *from) || (*from >= '0' && *from <= '9') ||
                          (*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z');
        if (word) *to++ = *from == '.' || *from == ',' ? '_' : *from;
    }
    *to = '\0';
    return flat;
}

/* The name that the model has for each node, and for those without the one of what they are for. */
static const char **model_names(vg_writer *w) {
    const vg_graph *g = w->graph;
    const char **names = VG_ARRAY(&w->arena, const char *, vg_graph_count(g));
    for (uint32_t k = g->names.count; k-- > 0;)
        names[g->names.items[k].node] = vg_write_flat(w, vg_strings_text(&g->ir->strings, g->names.items[k].path));
    return names;
}

static bool is_leaf(const vg_graph *g, vg_node node) { return g->operand_count.items[node] == 0; }

static void suggest_names(vg_writer *w, const char *const *names, const char **wanted) {
    const vg_graph *g = w->graph;
    vg_node *goal = VG_ARRAY(&w->arena, vg_node, vg_graph_count(g));
    for (vg_node node = vg_graph_count(g); node-- > 1;) {
        if (!w->live[node] || g->place.items[node].forward) continue;
        const vg_node to = names[node] ? node : goal[node];
        for (uint32_t k = 0; k < g->operand_count.items[node] && to; k++) goal[vg_operand(g, node, k)] = to;
    }
    for (vg_node node = 1; node < vg_graph_count(g); node++) {
        const vg_op op = vg_node_op(g, node);
        const bool sum = op == VG_OP_add || op == VG_OP_matmul || op == VG_OP_conv2d || op == VG_OP_sub;
        if (names[node]) wanted[node] = names[node];
        else if (goal[node] && !is_leaf(g, node) && sum) wanted[node] = TEXT("z_%s", names[goal[node]]);
        else if (goal[node] && !is_leaf(g, node)) wanted[node] = TEXT("%s_%s", names[goal[node]], vg_op_rows[op].name);
    }
}

/* ---- statements */

static const char *line_of(vg_writer *w, vg_node node) {
    const vg_place *place = &w->graph->place.items[node];
    const vg_span span = vg_diags_place(&w->model->ir.diags, place->span, place->call);
    if (!span.end) return "";
    const vg_position at = vg_sources_position(&w->model->ir.diags.sources, span.begin);
    if (strcmp(at.source->name, w->model->name) == 0) return TEXT(", line %u", at.line);
    return TEXT(", %s:%u", at.source->name, at.line);
}

const char *vg_write_extra(vg_writer *w, const char *wanted, const char *text) {
    const char *name = vg_write_name(w, wanted);
    if (!w->explained)
        vg_text_format(&w->out,
                       "\n# grad(sum(f(o) * d), o): the derivative by o where that by the result of f is d.\n");
    w->explained = true;
    vg_text_format(&w->out, "%s = %s\n", name, text);
    return name;
}

void vg_write_statement(vg_writer *w, vg_node node, const char *wanted) {
    if (w->name[node]) return;
    double number;
    const bool plain = vg_node_rank(w->graph, node) == 0 && vg_node_uniform(w->graph, node, &number);
    w->name[node] = strcmp(wanted, "derivative") == 0 ? wanted : vg_write_name(w, wanted);
    vg_text_format(&w->out, plain ? "%s = full([], %s)" : "%s = %s", w->name[node], w->written[node].text);
    vg_text_format(&w->out, "  # %s%s\n", vg_write_shape(w, vg_node_shape(w->graph, node)), line_of(w, node));
    w->written[node] = (vg_written){ w->name[node], VG_BINDS_ATOM };
}

/* Of what is no adjoint itself: after what it is a part of the derivative of. */
static const char *part_name(vg_writer *w, vg_node node, const char *const *wanted) {
    const vg_node forward = w->graph->place.items[node].forward;
    return forward && wanted[forward] ? TEXT("d_%s_part", wanted[forward]) : "part";
}

/* The operand that the expression of such a node has twice; UINT32_MAX: none. */
static uint32_t repeated(vg_op op) {
    return op == VG_OP_sigmoid_input ? 0 : op == VG_OP_log_softmax_input ? 1 : UINT32_MAX;
}

/* Parts that are long become statements until the whole is not; what is written twice is one before. */
static void shorten(vg_writer *w, vg_node node, const char *const *wanted) {
    const vg_graph *g = w->graph;
    if (repeated(vg_node_op(g, node)) != UINT32_MAX) {
        const vg_node part = vg_operand(g, node, repeated(vg_node_op(g, node)));
        if (!is_leaf(g, part)) vg_write_statement(w, part, wanted[part] ? wanted[part] : part_name(w, part, wanted));
    }
    for (;;) {
        size_t total = 0, longest = 0;
        vg_node which = 0;
        for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
            const vg_node part = vg_operand(g, node, k);
            const size_t length = strlen(w->written[part].text);
            total += length;
            if (is_leaf(g, part) || w->name[part] || length <= longest) continue;
            longest = length;
            which = part;
        }
        if (total <= INLINE_WIDTH || !which) return;
        vg_write_statement(w, which, wanted[which] ? wanted[which] : part_name(w, which, wanted));
    }
}

/* Which nodes are statements: what has a name in the model, the adjoint of it, and what is used more than once. */
static void write_statements(vg_writer *w, vg_node y, vg_node v, const char *const *names, const char **wanted,
                             const uint8_t *keep) {
    const vg_graph *g = w->graph;
    bool backward = false;
    for (vg_node node = 1; node < vg_graph_count(g) && !w->failed; node++) {
        if (!w->live[node] || w->written[node].text) continue;
        shorten(w, node, wanted);
        const bool gradient = g->place.items[node].forward != 0;
        if (gradient && !backward && !is_leaf(g, node)) {
            vg_text_format(&w->out, "\n# The way back: d_NAME is the derivative with respect to NAME.\n");
            backward = true;
        }
        w->written[node] = vg_write_node(w, node);
        const bool named = names[node] && !gradient;
        const bool own = node == y || (!is_leaf(g, node) && (named || keep[node] || w->uses[node] > 1));
        const char *spare = node == y ? "y" : part_name(w, node, wanted);
        if (own && node != v) vg_write_statement(w, node, wanted[node] ? wanted[node] : spare);
    }
}

/* The adjoints that get their names: of what the model names, and of what is used more than once. */
static void name_adjoints(vg_writer *w, const char *const *names, const char **wanted, uint8_t *keep) {
    const vg_graph *g = w->graph;
    uint32_t words;
    vg_node value = 0;
    for (uint32_t k = 0; k < g->roots.count; k++) {
        const vg_node root = g->roots.items[k];
        if (vg_node_op(g, root) != VG_OP_fetch) continue;
        const uint64_t index = vg_attr_words(g->ir, g->attr.items[root], &words)[0];
        const vg_node node = vg_operand(g, root, 0);
        if (index >= 2 && index % 2 == 0) value = node;
        if (index < 2 || index % 2 == 0 || !w->live[node] || !w->live[value] || is_leaf(g, node) || !wanted[value])
            continue;
        if (!g->place.items[node].forward || (!names[value] && (w->uses[node] < 2 || keep[node] == 2))) continue;
        wanted[node] = TEXT("d_%s", wanted[value]);
        keep[node] = names[value] ? 2 : 1;
        keep[value] |= !is_leaf(g, value);
    }
}

static void count_uses(vg_writer *w, vg_node derivative, vg_node y) {
    const vg_graph *g = w->graph;
    w->live[derivative] = w->live[y] = 1;
    for (vg_node node = vg_graph_count(g); node-- > 1;)
        for (uint32_t k = 0; k < g->operand_count.items[node] && w->live[node]; k++) {
            w->live[vg_operand(g, node, k)] = 1;
            w->uses[vg_operand(g, node, k)]++;
        }
}

static bool trains(const vg_writer *w, vg_node y) {
    const vg_unit *unit = &w->model->unit;
    uint8_t *reaches = VG_ARRAY((vg_arena *)(uintptr_t)&w->arena, uint8_t, vg_graph_count(w->graph));
    uint32_t count;
    reaches[y] = 1;
    for (vg_node node = y + 1; node-- > 1;) {
        for (uint32_t k = 0; k < w->graph->operand_count.items[node]; k++)
            reaches[vg_operand(w->graph, node, k)] |= reaches[node];
        if (!reaches[node] || vg_node_op(w->graph, node) != VG_OP_variable) continue;
        const vg_str path = (vg_str)vg_attr_words(w->graph->ir, w->graph->attr.items[node], &count)[1];
        for (uint32_t k = 0; k < unit->variables.count; k++)
            if (unit->variables.items[k].path == path && unit->variables.items[k].trainable) return true;
    }
    return false;
}

/* ---- the whole */

static vg_node fetched(const vg_graph *g, uint32_t index) {
    uint32_t words;
    for (uint32_t k = 0; k < g->roots.count; k++) {
        const vg_node root = g->roots.items[k];
        if (vg_node_op(g, root) != VG_OP_fetch) continue;
        if (vg_attr_words(g->ir, g->attr.items[root], &words)[0] == index) return vg_operand(g, root, 0);
    }
    return 0;
}

static vg_node first_loss(const vg_graph *g) {
    for (uint32_t k = 0; k < g->roots.count; k++)
        if (vg_node_op(g, g->roots.items[k]) == VG_OP_loss) return vg_operand(g, g->roots.items[k], 0);
    return 0;
}

static void write_all(vg_writer *w, const char *of, const char *wrt) {
    const uint32_t count = vg_graph_count(w->graph);
    const vg_node derivative = fetched(w->graph, 0), y = fetched(w->graph, 1);
    w->written = VG_ARRAY(&w->arena, vg_written, count);
    w->name = VG_ARRAY(&w->arena, const char *, count);
    w->live = VG_ARRAY(&w->arena, uint8_t, count);
    w->uses = VG_ARRAY(&w->arena, uint32_t, count);
    count_uses(w, derivative, y);
    vg_text_format(&w->out, "# %s: the derivative of %s with respect to %s, written by vgraph graph --wrt.\n",
                   w->model->name, of, wrt);
    vg_write_scope(w);
    if (w->failed) return;
    const char **names = model_names(w), **wanted = VG_ARRAY(&w->arena, const char *, count);
    uint8_t *keep = VG_ARRAY(&w->arena, uint8_t, count);
    suggest_names(w, names, wanted);
    name_adjoints(w, names, wanted, keep);
    write_statements(w, y, derivative, names, wanted, keep);
    if (w->failed) return;
    if (w->name[derivative] || is_leaf(w->graph, derivative)) {
        const char *text = w->written[derivative].text;
        double number;
        if (vg_node_rank(w->graph, derivative) == 0 && vg_node_uniform(w->graph, derivative, &number))
            text = TEXT("full([], %s)", text);
        const char *shape = vg_write_shape(w, vg_node_shape(w->graph, derivative));
        vg_text_format(&w->out, "derivative = %s  # %s\n", text, shape);
    } else {
        vg_write_statement(w, derivative, "derivative");
    }
    vg_write_train(w, w->written[y].text, trains(w, y));
}

typedef struct request { vg_model *model; uint32_t wrt; const uint32_t *of; vg_write write; void *user; } request;

static vg_status send(const request *r, vg_writer *w) {
    vg_model *model = r->model;
    if (w->failed) {
        const vg_place *place = &w->graph->place.items[w->failed];
        const char *name = vg_op_rows[vg_node_op(w->graph, w->failed)].name;
        vg_report(&model->ir.diags, derivative_unwritable, place->span, place->call, name);
        return vg_model_status(model);
    }
    const uint32_t source = vg_model_add_source(model, VG_SOURCE_OPTION, "the derivative", vg_text_c(&w->out),
                                                w->out.length);
    vg_text laid = vg_text_new(&model->mem);
    if (!source || !vg_format(&model->ir.diags, source, &laid)) return vg_model_status(model);
    const bool written = r->write(r->user, laid.text, laid.length);
    vg_text_free(&laid);
    return written ? VG_OK : VG_FAILED_RESOURCE;
}

static vg_status derive(void *user) {
    const request *r = user;
    vg_model *model = r->model;
    const vg_graph *from = &model->elaborated[1];
    const vg_span nowhere = { 0, 0 };
    if (!model->loaded || r->wrt >= model->unit.fetches.count) return VG_FAILED_USAGE;
    const vg_node v = fetched(from, r->wrt), y = r->of ? fetched(from, *r->of) : first_loss(from);
    const char *wrt = vg_strings_text(&model->ir.strings, model->unit.fetches.items[r->wrt]);
    if (!y) {
        vg_report0(&model->ir.diags, derivative_of_nothing, nowhere, 0);
        return vg_model_status(model);
    }
    const char *of = vg_strings_text(&model->ir.strings, r->of ? model->unit.fetches.items[*r->of]
                                     : model->unit.blocks.items[0].loss);
    if (vg_node_rank(from, y) != 0 || vg_node_dtype(from, y) != VG_F32) {
        vg_report(&model->ir.diags, grad_not_scalar, from->place.items[y].span, 0, vg_node_type_text(from, y));
        return vg_model_status(model);
    }
    vg_graph graph;
    vg_graph_init(&graph, &model->ir, VG_EMIT_FOLD);
    if (!make_graph(model, y, v, &graph)) return vg_model_status(model);
    vg_writer w = { .model = model, .graph = &graph, .out = vg_text_new(&model->mem) };
    vg_arena_init(&w.arena, &model->mem);
    write_all(&w, of, wrt);
    const vg_status status = send(r, &w);
    vg_text_free(&w.out);
    vg_map_free(&model->mem, &w.used);
    vg_map_free(&model->mem, &w.scopes);
    vg_arena_release(&w.arena);
    vg_graph_free(&graph);
    return status;
}

vg_status vg_model_derivative(vg_model *model, const uint32_t *of, uint32_t wrt, vg_write write, void *user) {
    request r = { model, wrt, of, write, user };
    return vg_model_guard(model, NULL, derive, &r);
}
