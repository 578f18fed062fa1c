/* Graphs and programs of gradcheck's own: parts of the model's graph, with leaves where values are to stay what they
 * are. */
#include <string.h>

#include "api/gradcheck.h"
#include "ir/build.h"

/* ---- parts of a graph */

static vg_str path_of_held(const vg_held *held, vg_node node) {
    return vg_strings_format(&held->graph->ir->strings, "%s %u", held->name, node);
}

vg_node vg_gradcheck_leaf(vg_graph *graph, vg_shape shape, vg_dtype dtype, vg_str path) {
    const vg_word words[] = { shape, path, dtype };
    if (dtype == VG_F32) return vg_emit(graph, VG_OP_variable, NULL, 0, vg_attr_of(graph->ir, words, 2));
    return vg_emit(graph, VG_OP_input, NULL, 0, vg_attr_of(graph->ir, words, 3));
}

vg_node vg_gradcheck_held(vg_graph *graph, const vg_held *held, vg_node node) {
    const vg_graph *from = held->graph;
    return vg_gradcheck_leaf(graph, vg_node_shape(from, node), vg_node_dtype(from, node), path_of_held(held, node));
}

void vg_gradcheck_copy(const vg_graph *from, vg_graph *into, vg_node *targets, uint32_t count, const vg_held *held) {
    vg_mem *mem = from->ir->mem;
    const uint32_t nodes = vg_graph_count(from);
    bool *live = vg_mem_alloc(mem, nodes);
    vg_node *map = vg_mem_alloc(mem, nodes * sizeof *map);
    VG_VEC(vg_node) operands = { 0 };
    for (uint32_t k = 0; k < count; k++) live[targets[k]] = true;
    for (vg_node node = nodes; node-- > 1;) {
        if (!live[node] || (held && held->marks[node])) continue;
        for (uint32_t k = 0; k < from->operand_count.items[node]; k++) live[vg_operand(from, node, k)] = true;
    }
    for (vg_node node = 1; node < nodes; node++) {
        if (!live[node]) continue;
        if (held && held->marks[node]) {
            map[node] = vg_gradcheck_held(into, held, node);
            continue;
        }
        operands.count = 0;
        for (uint32_t k = 0; k < from->operand_count.items[node]; k++)
            vg_vec_push(mem, &operands, map[vg_operand(from, node, k)]);
        map[node] = vg_emit_copy(into, from, node, operands.items, map);
    }
    for (uint32_t k = 0; k < count; k++) targets[k] = map[targets[k]];
    vg_vec_free(mem, &operands);
    vg_mem_free(mem, map);
    vg_mem_free(mem, live);
}

static vg_str path_of(const vg_graph *graph, vg_node variable) {
    uint32_t count;
    return (vg_str)vg_attr_words(graph->ir, graph->attr.items[variable], &count)[1];
}

static bool is_trainable(const vg_run *run, vg_str path) {
    for (uint32_t k = 0; k < run->unit->variables.count; k++)
        if (run->unit->variables.items[k].path == path) return run->unit->variables.items[k].trainable;
    return false;
}

uint8_t *vg_gradcheck_dependents(vg_run *run, const vg_graph *graph, vg_str variable) {
    const uint32_t count = vg_graph_count(graph);
    uint8_t *depends = vg_mem_alloc(&run->mem, count);
    for (vg_node node = 1; node < count; node++) {
        if (vg_node_op(graph, node) == VG_OP_variable) {
            const vg_str path = path_of(graph, node);
            depends[node] = variable ? path == variable : is_trainable(run, path);
        }
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++)
            depends[node] |= depends[vg_operand(graph, node, k)];
    }
    return depends;
}

/* ---- losses and gradients */

void vg_gradcheck_fetch(vg_graph *graph, vg_node node, uint32_t index) {
    vg_emit(graph, VG_OP_fetch, &node, 1, vg_attr_of(graph->ir, (vg_word[]){ index }, 1));
}

vg_node vg_gradcheck_losses(const vg_graph *from, vg_graph *into) {
    vg_mem *mem = from->ir->mem;
    VG_VEC(vg_node) losses = { 0 };
    for (uint32_t k = 0; k < from->roots.count; k++)
        if (vg_node_op(from, from->roots.items[k]) == VG_OP_loss)
            vg_vec_push(mem, &losses, vg_operand(from, from->roots.items[k], 0));
    if (losses.count == 0) return 0;
    vg_gradcheck_copy(from, into, losses.items, losses.count, NULL);
    for (uint32_t k = 1; k < losses.count; k++)
        losses.items[k] = vg_build_map2(into, VG_OP_mul, losses.items[k], vg_build_scalar(into, 1 + 0.37 * k));
    const vg_node sum = losses.count == 1 ? losses.items[0] : vg_build_addn(into, losses.items, losses.count);
    vg_gradcheck_fetch(into, sum, 0);
    vg_vec_free(mem, &losses);
    return sum;
}

void vg_gradcheck_gradients(vg_run *run, vg_graph *graph, vg_node loss, vg_node *gradients) {
    const uint32_t last = vg_graph_count(graph);
    const vg_attr group = vg_attr_of(graph->ir, (vg_word[]){ ++graph->ir->groups }, 1);
    /* A gradient that exists, in the same call as the others: that none of them does is no mistake here. */
    const vg_node any = vg_gradcheck_leaf(graph, VG_SHAPE_SCALAR, VG_F32, vg_strings_c(&graph->ir->strings, "value"));
    vg_emit(graph, VG_OP_grad, (vg_node[]){ any, any }, 2, group);
    for (uint32_t k = 0; k < run->unit->variables.count; k++) {
        const vg_variable *variable = &run->unit->variables.items[k];
        gradients[k] = 0;
        for (vg_node node = 1; variable->trainable && node < last; node++) {
            if (vg_node_op(graph, node) != VG_OP_variable || path_of(graph, node) != variable->path) continue;
            const vg_node part = vg_emit(graph, VG_OP_grad, (vg_node[]){ loss, node }, 2, group);
            gradients[k] = gradients[k] ? vg_build_map2(graph, VG_OP_add, gradients[k], part) : part;
        }
    }
}

void vg_gradcheck_fetch_gradients(vg_run *run, vg_graph *graph, vg_node loss) {
    const uint32_t count = run->unit->variables.count;
    vg_node *gradients = vg_mem_alloc(&run->mem, count * sizeof *gradients);
    vg_gradcheck_gradients(run, graph, loss, gradients);
    for (uint32_t k = 0; k < count; k++)
        if (gradients[k]) vg_gradcheck_fetch(graph, gradients[k], 1 + k);
    vg_mem_free(&run->mem, gradients);
}

/* ---- programs */

static bool pass(vg_run *run, vg_graph *graph) {
    vg_unit unit = *run->unit;
    vg_graph before = *graph;
    unit.graph[1] = before;
    const bool done = vg_passes_run(&unit, 1, NULL);
    *graph = unit.graph[1];
    if (graph->op.items != before.op.items) vg_graph_free(&before);
    return done;
}

bool vg_gradcheck_program(vg_run *run, vg_graph *graph, vg_program *program) {
    if (!pass(run, graph)) return false;
    return vg_program_make(program, &run->mem, run->unit, graph, &run->store,
                           (vg_program_options){ .part = VG_PART_STEP, .turn = 1 }, run->turns[0].symbols, 8);
}

static uint32_t fetch_index(const vg_program *program, const vg_root_row *root) {
    uint32_t count;
    return (uint32_t)vg_attr_words(program->graph->ir, program->graph->attr.items[root->node], &count)[0];
}

const vg_view *vg_gradcheck_view(const vg_program *program, uint32_t index) {
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        if (root->op == VG_OP_fetch && fetch_index(program, root) == index) return &program->views.items[root->view];
    }
    return NULL;
}

/* ---- values held */

static void keep_values(vg_run *run, const vg_program *program, const vg_held *held, const vg_node *nodes) {
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        const vg_view *view = &program->views.items[root->view];
        const vg_str path = path_of_held(held, nodes[fetch_index(program, root)]);
        const uint32_t slot = vg_store_slot(&run->store, path, view->dims, view->rank, view->dtype);
        if (view->count) memcpy(run->store.slots.items[slot].view.data, view->data, vg_view_bytes(view, 8));
    }
}

bool vg_gradcheck_hold(vg_run *run, const vg_held *held) {
    vg_mem *mem = &run->mem;
    vg_graph copy;
    vg_program program;
    VG_VEC(vg_node) nodes = { 0 };
    VG_VEC(vg_node) targets = { 0 };
    for (vg_node node = 1; node < vg_graph_count(held->graph); node++) {
        if (!held->marks[node]) continue;
        vg_vec_push(mem, &nodes, node);
        vg_vec_push(mem, &targets, node);
    }
    vg_graph_init(&copy, held->graph->ir, VG_EMIT_FAITHFUL);
    vg_gradcheck_copy(held->graph, &copy, targets.items, targets.count, NULL);
    for (uint32_t k = 0; k < targets.count; k++) vg_gradcheck_fetch(&copy, targets.items[k], k);
    const bool made = vg_gradcheck_program(run, &copy, &program);
    if (made) {
        vg_context context = { .seed = run->context.seed, .turn = 1 };
        vg_program_execute(&program, &context, 1);
        keep_values(run, &program, held, nodes.items);
        vg_program_release(&program);
    }
    vg_graph_free(&copy);
    vg_vec_free(mem, &nodes);
    vg_vec_free(mem, &targets);
    return made;
}
