/* Which operator's derivative is wrong: every one on the way from the variable to the loss is checked alone, at the
 * values it has in the model, each operand moved by a small amount of its own. */
#include "api/gradcheck.h"

#include "ir/build.h"

enum { OPERANDS = 16 };      /* of an operator with more, the first are moved */

/* "'softmax' at models/a.nn:24:12: p = softmax(logits)" */
static const char *describe(const vg_graph *graph, vg_node node) {
    vg_ir *ir = graph->ir;
    const char *name = vg_op_rows[vg_node_op(graph, node)].name;
    const vg_position at = vg_sources_position(&ir->diags.sources, graph->place.items[node].span.begin);
    if (at.source == NULL) return vg_arena_format(&ir->arena, "'%s'", name);
    const char *line = at.source->text;
    for (uint32_t k = 1; k < at.line; k++) line = __builtin_strchr(line, '\n') + 1;
    while (*line == ' ' || *line == '\t') line++;
    const int length = (int)__builtin_strcspn(line, "\n");
    return vg_arena_format(&ir->arena, "'%s' at %s:%u:%u: %.*s", name, at.source->name, at.line, at.column, length,
                           line);
}

/* One operator alone: its operands as they are in the model, each float one plus a variable that is zero. */
typedef struct alone {
    vg_graph graph;
    vg_node  moved[OPERANDS];      /* those variables; 0 where the operand is not moved */
    vg_str   paths[OPERANDS];
    uint32_t count;
} alone;

/* sum(weights * value), the weights drawn once and for all. */
static vg_node weighted(vg_graph *graph, vg_node value) {
    vg_ir *ir = graph->ir;
    const vg_word words[] = { vg_node_shape(graph, value), vg_strings_c(&ir->strings, "gradcheck"), 0, 1,
                              vg_word_real(0.5), vg_word_real(1.5) };
    const vg_node weights = vg_emit(graph, VG_OP_random_uniform, NULL, 0, vg_attr_of(ir, words, 6));
    const vg_node product = vg_build_map2(graph, VG_OP_mul, value, weights);
    return vg_build_reduce(graph, VG_OP_sum, product, (1u << vg_node_rank(graph, value)) - 1, false);
}

/* Fetch 0 is the weighted sum of the result and of what is moved (so that there always is a derivative), fetch 1 + k
 * the derivative by what operand k is moved. */
static void make_alone(const vg_graph *from, vg_node node, alone *a) {
    vg_ir *ir = from->ir;
    vg_graph *graph = &a->graph;
    VG_VEC(vg_node) operands = { 0 };
    a->count = from->operand_count.items[node];
    for (uint32_t k = 0; k < a->count; k++) vg_vec_push(ir->mem, &operands, vg_operand(from, node, k));
    vg_gradcheck_copy(from, graph, operands.items, a->count, false);
    vg_node total = 0;
    for (uint32_t k = 0; k < a->count; k++) {
        if (k >= OPERANDS || vg_node_dtype(graph, operands.items[k]) != VG_F32) continue;
        const vg_node fixed = vg_build_map1(graph, VG_OP_stop_gradient, operands.items[k]);
        a->paths[k] = vg_strings_format(&ir->strings, "gradcheck %u.%u", node, k);
        a->moved[k] = vg_gradcheck_variable(graph, vg_node_shape(graph, fixed), a->paths[k]);
        operands.items[k] = vg_build_map2(graph, VG_OP_add, fixed, a->moved[k]);
        const vg_node part = weighted(graph, a->moved[k]);
        total = total ? vg_build_map2(graph, VG_OP_add, total, part) : part;
    }
    const vg_node result = vg_emit_copy(graph, from, node, operands.items, NULL);
    vg_vec_free(ir->mem, &operands);
    if (total == 0) return;
    total = vg_build_map2(graph, VG_OP_add, total, weighted(graph, result));
    vg_gradcheck_fetch(graph, total, 0);
    const vg_attr group = vg_attr_of(ir, (vg_word[]){ ++ir->groups }, 1);
    for (uint32_t k = 0; k < a->count && k < OPERANDS; k++)
        if (a->moved[k])
            vg_gradcheck_fetch(graph, vg_emit(graph, VG_OP_grad, (vg_node[]){ total, a->moved[k] }, 2, group), 1 + k);
}

static bool derivatives_fit(vg_run *run, alone *a, vg_program *program, vg_random_key key) {
    bool ok = true;
    for (uint32_t k = 0; ok && k < a->count && k < OPERANDS; k++) {
        if (a->moved[k] == 0) continue;
        const vg_view *view = vg_gradcheck_view(program, 1 + k);
        const uint32_t place = vg_store_slot(&run->store, a->paths[k], view->dims, view->rank, VG_F32);
        const vg_view slot = run->store.slots.items[place].view;
        double *gradient = vg_mem_alloc(&run->mem, (size_t)slot.count * sizeof *gradient);
        vg_probe probe = vg_probe_of(run, program);      /* executes, so that the gradient is that of where it stands */
        vg_run_convert(run, view, gradient);
        ok = vg_probe_compare(&probe, &slot, gradient, key).ok;
        vg_mem_free(&run->mem, gradient);
    }
    return ok;
}

static bool fits(vg_run *run, const vg_graph *from, vg_node node, vg_random_key key) {
    alone a = { .count = 0 };
    vg_program program;
    bool ok = true;
    vg_graph_init(&a.graph, from->ir, VG_EMIT_FAITHFUL);
    make_alone(from, node, &a);
    const bool any = a.graph.roots.count > 0;
    if (any && vg_gradcheck_pass(run, &a.graph) && vg_gradcheck_program(run, &a.graph, &program)) {
        ok = derivatives_fit(run, &a, &program, key);
        vg_program_release(&program);
    }
    vg_graph_free(&a.graph);
    return ok;
}

const char *vg_gradcheck_blame(vg_run *run, const vg_graph *graph, vg_str variable, vg_random_key key) {
    const uint32_t count = vg_graph_count(graph);
    bool *depends = vg_mem_alloc(&run->mem, count);
    const char *found = NULL;
    for (vg_node node = 1; node < count && found == NULL; node++) {
        const vg_op op = vg_node_op(graph, node);
        uint32_t words;
        if (op == VG_OP_variable)
            depends[node] = (vg_str)vg_attr_words(graph->ir, graph->attr.items[node], &words)[1] == variable;
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++)
            depends[node] = depends[node] || depends[vg_operand(graph, node, k)];
        const bool computed = op != VG_OP_variable && !vg_op_is(op, VG_FLAG_effect | VG_FLAG_holder);
        if (!depends[node] || !computed || vg_node_dtype(graph, node) != VG_F32) continue;
        if (!fits(run, graph, node, key)) found = describe(graph, node);
    }
    vg_mem_free(&run->mem, depends);
    return found ? found : "no single operator: each one's own derivative is right";
}
