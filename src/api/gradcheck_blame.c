/* Which operator's derivative is wrong: every one on the way from the variable to the loss is checked alone, at the
 * values it has in the model, each operand moved by a small amount of its own; and where each one's derivative is
 * right, the derivative of its derivative, since a rule may be right in value and hide what its value depends on. */
#include "api/gradcheck.h"

#include "ir/build.h"

enum { OPERANDS = 16 };      /* of an operator with more, the first are moved */

/* "models/a.nn:24:12: p = softmax(logits)"; NULL without a place. */
static const char *describe_place(const vg_graph *graph, vg_node node) {
    vg_ir *ir = graph->ir;
    const vg_position at = vg_sources_position(&ir->diags.sources, graph->place.items[node].span.begin);
    if (at.source == NULL) return NULL;
    const char *line = at.source->text;
    for (uint32_t k = 1; k < at.line; k++) line = __builtin_strchr(line, '\n') + 1;
    while (*line == ' ' || *line == '\t') line++;
    const int length = (int)__builtin_strcspn(line, "\n");
    return vg_arena_format(&ir->arena, "%s:%u:%u: %.*s", at.source->name, at.line, at.column, length, line);
}

/* "'softmax' at models/a.nn:24:12: p = softmax(logits)"; of what a gradient rule made, with the rule's operator. */
static const char *describe(const vg_graph *graph, vg_node node) {
    vg_arena *arena = &graph->ir->arena;
    const vg_node forward = graph->place.items[node].forward;
    const char *name = vg_op_rows[vg_node_op(graph, node)].name, *place = describe_place(graph, node);
    const char *text = vg_arena_format(arena, "'%s'", name);
    if (forward)
        text = vg_arena_format(arena, "%s in the gradient of '%s'", text, vg_op_rows[vg_node_op(graph, forward)].name);
    return place ? vg_arena_format(arena, "%s at %s", text, place) : text;
}

/* ---- one operator alone: its operands are leaves that hold what they are in the model */

typedef struct alone {
    vg_graph graph;
    vg_node  moved[OPERANDS];      /* the different float ones among them */
    uint32_t count;
} alone;

/* sum(weights * value), the weights drawn once and for all. */
static vg_node weighted(vg_graph *graph, vg_node value, uint32_t number) {
    vg_ir *ir = graph->ir;
    const vg_word words[] = { vg_node_shape(graph, value), vg_strings_c(&ir->strings, "gradcheck"), number, 1,
                              vg_word_real(0.5), vg_word_real(1.5) };
    const vg_node weights = vg_emit(graph, VG_OP_random_uniform, NULL, 0, vg_attr_of(ir, words, 6));
    const vg_node product = vg_build_map2(graph, VG_OP_mul, value, weights);
    return vg_build_reduce(graph, VG_OP_sum, product, (1u << vg_node_rank(graph, value)) - 1, false);
}

/* The operator's result; the leaves of what depends on a variable are in `a`. */
static vg_node copy_alone(const vg_blame *blame, vg_node node, alone *a) {
    const vg_graph *from = &blame->graph;
    vg_mem *mem = from->ir->mem;
    VG_VEC(vg_node) leaves = { 0 };
    for (uint32_t k = 0; k < from->operand_count.items[node]; k++) {
        vg_node leaf = 0;
        for (uint32_t before = 0; before < k && leaf == 0; before++)
            if (vg_operand(from, node, before) == vg_operand(from, node, k)) leaf = leaves.items[before];
        if (leaf == 0) {
            const vg_node operand = vg_operand(from, node, k);
            leaf = vg_gradcheck_held(&a->graph, &blame->operands, operand);
            const bool moves = blame->depends[operand] && vg_node_dtype(from, operand) == VG_F32;
            if (moves && a->count < OPERANDS) a->moved[a->count++] = leaf;
        }
        vg_vec_push(mem, &leaves, leaf);
    }
    const vg_node result = vg_emit_copy(&a->graph, from, node, leaves.items, NULL);
    a->graph.place.items[result].forward = 0;      /* what it was derived for stays behind */
    vg_vec_free(mem, &leaves);
    return result;
}

/* The weighted sum of what is moved, so that there always is a derivative. */
static vg_node add_moved(alone *a, vg_node total) {
    for (uint32_t k = 0; k < a->count; k++)
        total = vg_build_map2(&a->graph, VG_OP_add, total, weighted(&a->graph, a->moved[k], 1 + k));
    return total;
}

/* Fetch 0 is a weighted sum of the result, or, with `second`, of its derivatives; fetch 1 + k what it changes by when
 * operand k does. */
static void make_alone(const vg_blame *blame, vg_node node, bool second, alone *a) {
    vg_graph *graph = &a->graph;
    const vg_node result = copy_alone(blame, node, a);
    if (a->count == 0) return;
    vg_node total = add_moved(a, weighted(graph, result, 0)), parts[OPERANDS];
    if (second) {
        const vg_attr first = vg_attr_of(graph->ir, (vg_word[]){ ++graph->ir->groups }, 1);
        for (uint32_t k = 0; k < a->count; k++) {
            const vg_node derivative = vg_emit(graph, VG_OP_grad, (vg_node[]){ total, a->moved[k] }, 2, first);
            parts[k] = weighted(graph, derivative, 1 + OPERANDS + k);
        }
        total = add_moved(a, vg_build_addn(graph, parts, a->count));
    }
    vg_gradcheck_fetch(graph, total, 0);
    const vg_attr group = vg_attr_of(graph->ir, (vg_word[]){ ++graph->ir->groups }, 1);
    for (uint32_t k = 0; k < a->count; k++)
        vg_gradcheck_fetch(graph, vg_emit(graph, VG_OP_grad, (vg_node[]){ total, a->moved[k] }, 2, group), 1 + k);
}

static bool derivatives_fit(vg_run *run, const alone *a, const vg_str *paths, vg_program *program, vg_random_key key) {
    bool ok = true;
    for (uint32_t k = 0; ok && k < a->count; k++) {
        vg_context context = { .seed = run->context.seed, .turn = 1 };
        const vg_view *view = vg_gradcheck_view(program, 1 + k);
        const uint32_t place = vg_store_slot(&run->store, paths[k], view->dims, view->rank, VG_F32);
        const vg_view slot = run->store.slots.items[place].view;
        double *gradient = vg_mem_alloc(&run->mem, (size_t)slot.count * sizeof *gradient);
        vg_program_execute(program, &context, 1);
        vg_run_convert(run, view, gradient);
        ok = vg_probe_compare(run, program, &slot, gradient, key).ok;
        vg_mem_free(&run->mem, gradient);
    }
    return ok;
}

static bool fits(const vg_blame *blame, vg_run *run, vg_node node, bool second, vg_random_key key) {
    alone a = { .count = 0 };
    vg_str paths[OPERANDS];
    vg_program program;
    bool ok = true;
    vg_graph_init(&a.graph, blame->graph.ir, VG_EMIT_FAITHFUL);
    make_alone(blame, node, second, &a);
    for (uint32_t k = 0; k < a.count; k++) {
        uint32_t words;
        paths[k] = (vg_str)vg_attr_words(a.graph.ir, a.graph.attr.items[a.moved[k]], &words)[1];
    }
    if (a.count > 0 && vg_gradcheck_program(run, &a.graph, &program)) {
        ok = derivatives_fit(run, &a, paths, &program, key);
        vg_program_release(&program);
    }
    vg_graph_free(&a.graph);
    return ok;
}

/* ---- all of them */

/* A stop_gradient is what it says; where a rule has put one that is wrong, the rule's operator is to blame. */
static bool is_suspect(const vg_blame *blame, vg_node node) {
    const vg_op op = vg_node_op(&blame->graph, node);
    return blame->depends[node] && vg_node_dtype(&blame->graph, node) == VG_F32 && op != VG_OP_stop_gradient &&
           !vg_op_is(op, VG_FLAG_leaf | VG_FLAG_effect | VG_FLAG_holder);
}

void vg_blame_begin(vg_blame *blame, vg_run *run) {
    const vg_graph *graph = &blame->graph;
    const uint32_t count = vg_graph_count(graph);
    blame->operands = (vg_held){ graph, "operand", vg_mem_alloc(&run->mem, count) };
    blame->depends = vg_gradcheck_dependents(run, graph, 0);
    for (vg_node node = 1; node < count; node++)
        for (uint32_t k = 0; is_suspect(blame, node) && k < graph->operand_count.items[node]; k++)
            blame->operands.marks[vg_operand(graph, node, k)] = 1;
    for (uint32_t k = 0; k < 2; k++) blame->verdict[k] = vg_mem_alloc(&run->mem, count);
    blame->ready = vg_gradcheck_hold(run, &blame->operands);
}

static bool is_wrong(vg_blame *blame, vg_run *run, vg_node node, bool second, vg_random_key key) {
    enum { UNKNOWN, RIGHT, WRONG };
    uint8_t *verdict = &blame->verdict[second][node];
    if (*verdict == UNKNOWN) *verdict = fits(blame, run, node, second, key) ? RIGHT : WRONG;
    return *verdict == WRONG;
}

const char *vg_blame_find(vg_blame *blame, vg_run *run, vg_str variable, vg_random_key key) {
    uint8_t *depends = vg_gradcheck_dependents(run, &blame->graph, variable);
    const char *found = NULL;
    for (int second = 0; second < 2 && blame->ready; second++)
        for (vg_node node = 1; node < vg_graph_count(&blame->graph) && found == NULL; node++)
            if (depends[node] && is_suspect(blame, node) && is_wrong(blame, run, node, second, key))
                found = describe(&blame->graph, node);
    vg_mem_free(&run->mem, depends);
    return found ? found : "no single operator: each one's own derivative is right";
}
