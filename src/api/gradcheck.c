/* Every trainable variable's symbolic gradient of the training loss against central differences in float64. Starts
 * from the elaborated graph, to which it adds the gradients as fetches; a second program gives the loss alone. */
#include "api/gradcheck.h"

#include <string.h>

#include "ir/build.h"
#include "run/blas.h"

/* ---- graphs and programs of its own */

vg_node vg_gradcheck_variable(vg_graph *graph, vg_shape shape, vg_str path) {
    return vg_emit(graph, VG_OP_variable, NULL, 0, vg_attr_of(graph->ir, (vg_word[]){ shape, path }, 2));
}

vg_str vg_gradcheck_held(vg_ir *ir, vg_node stop_gradient) {
    return vg_strings_format(&ir->strings, "stop_gradient %u", stop_gradient);
}

static bool is_held(const vg_graph *graph, vg_node node) {
    return vg_node_op(graph, node) == VG_OP_stop_gradient && vg_node_dtype(graph, node) == VG_F32;
}

void vg_gradcheck_copy(const vg_graph *from, vg_graph *into, vg_node *targets, uint32_t count, bool hold) {
    vg_mem *mem = from->ir->mem;
    const uint32_t nodes = vg_graph_count(from);
    bool *live = vg_mem_alloc(mem, nodes);
    vg_node *map = vg_mem_alloc(mem, nodes * sizeof *map);
    VG_VEC(vg_node) operands = { 0 };
    for (uint32_t k = 0; k < count; k++) live[targets[k]] = true;
    for (vg_node node = nodes; node-- > 1;) {
        if (!live[node] || (hold && is_held(from, node))) continue;
        for (uint32_t k = 0; k < from->operand_count.items[node]; k++) live[vg_operand(from, node, k)] = true;
    }
    for (vg_node node = 1; node < nodes; node++) {
        if (!live[node]) continue;
        if (hold && is_held(from, node)) {
            map[node] = vg_gradcheck_variable(into, vg_node_shape(from, node), vg_gradcheck_held(from->ir, node));
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

void vg_gradcheck_fetch(vg_graph *graph, vg_node node, uint32_t index) {
    vg_emit(graph, VG_OP_fetch, &node, 1, vg_attr_of(graph->ir, (vg_word[]){ index }, 1));
}

bool vg_gradcheck_pass(vg_run *run, vg_graph *graph) {
    vg_unit unit = *run->unit;
    vg_graph before = *graph;
    unit.graph[1] = before;
    const bool done = vg_passes_run(&unit, 1, NULL);
    *graph = unit.graph[1];
    if (graph->op.items != before.op.items) vg_graph_free(&before);
    return done;
}

bool vg_gradcheck_program(vg_run *run, const vg_graph *graph, vg_program *program) {
    return vg_program_make(program, &run->mem, run->unit, graph, &run->store, VG_PART_STEP, 1, false,
                           run->turns[0].symbols, 8);
}

const vg_view *vg_gradcheck_view(const vg_program *program, uint32_t index) {
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        uint32_t count;
        const vg_word *words = vg_attr_words(program->graph->ir, program->graph->attr.items[root->node], &count);
        if (root->op == VG_OP_fetch && words[0] == index) return &program->views.items[root->view];
    }
    return NULL;
}

/* ---- the check */

typedef struct check {
    vg_model *model;
    vg_run   *run;
    uint64_t  seed;
    bool    (*report)(void *user, const vg_gradcheck_row *row);
    void     *user;
    vg_graph  loss, gradients;
    vg_status status;
} check;

/* Fetch 0: the sum of all blocks' losses. With `hold` as vg_gradcheck_copy has it; without, the values to be held
 * are fetched, too, from index `first_held` on. 0 when nothing is trained. */
static vg_node add_losses(const vg_graph *from, vg_graph *into, bool hold, uint32_t first_held) {
    vg_mem *mem = from->ir->mem;
    VG_VEC(vg_node) targets = { 0 };
    for (uint32_t k = 0; k < from->roots.count; k++)
        if (vg_node_op(from, from->roots.items[k]) == VG_OP_loss)
            vg_vec_push(mem, &targets, vg_operand(from, from->roots.items[k], 0));
    const uint32_t losses = targets.count;
    for (vg_node node = 1; !hold && node < vg_graph_count(from); node++)
        if (is_held(from, node)) vg_vec_push(mem, &targets, node);
    if (losses == 0) return 0;
    vg_gradcheck_copy(from, into, targets.items, targets.count, hold);
    const vg_node sum = losses == 1 ? targets.items[0] : vg_build_addn(into, targets.items, losses);
    vg_gradcheck_fetch(into, sum, 0);
    for (uint32_t k = losses; k < targets.count; k++)
        vg_gradcheck_fetch(into, targets.items[k], first_held + k - losses);
    vg_vec_free(mem, &targets);
    return sum;
}

/* The values that stay as they are where nothing is moved yet: into the variables that stand for them. */
static void hold_values(check *c, const vg_program *gradients) {
    const vg_graph *from = &c->model->elaborated[1];
    uint32_t index = 1 + c->run->unit->variables.count;
    for (vg_node node = 1; node < vg_graph_count(from); node++) {
        if (!is_held(from, node)) continue;
        const vg_view *view = vg_gradcheck_view(gradients, index++);
        const vg_str path = vg_gradcheck_held(from->ir, node);
        const uint32_t slot = vg_store_slot(&c->run->store, path, view->dims, view->rank, VG_F32);
        memcpy(c->run->store.slots.items[slot].view.data, view->data, vg_view_bytes(view, 8));
    }
}

/* The gradient by each of the variable's nodes, added up: they all stand for it. */
static vg_node gradient_of(vg_graph *graph, vg_node loss, uint32_t last, vg_str path, uint32_t group) {
    const vg_attr attr = vg_attr_of(graph->ir, (vg_word[]){ group }, 1);
    vg_node sum = 0;
    for (vg_node node = 1; node < last; node++) {
        uint32_t count;
        if (vg_node_op(graph, node) != VG_OP_variable) continue;
        if ((vg_str)vg_attr_words(graph->ir, graph->attr.items[node], &count)[1] != path) continue;
        const vg_node part = vg_emit(graph, VG_OP_grad, (vg_node[]){ loss, node }, 2, attr);
        sum = sum ? vg_build_map2(graph, VG_OP_add, sum, part) : part;
    }
    return sum;
}

static bool make_graphs(check *c) {
    const vg_graph *from = &c->model->elaborated[1];
    vg_ir *ir = &c->model->ir;
    vg_graph_init(&c->loss, ir, VG_EMIT_FAITHFUL);
    vg_graph_init(&c->gradients, ir, VG_EMIT_FAITHFUL);
    if (add_losses(from, &c->loss, true, 0) == 0) {
        vg_report0(&ir->diags, gradcheck_no_loss, ((vg_span){ 0, 0 }), 0);
        return false;
    }
    const vg_node loss = add_losses(from, &c->gradients, false, 1 + c->run->unit->variables.count);
    const uint32_t last = vg_graph_count(&c->gradients), group = ++ir->groups;
    for (uint32_t k = 0; k < c->run->unit->variables.count; k++) {
        const vg_variable *variable = &c->run->unit->variables.items[k];
        if (!variable->trainable) continue;
        const vg_node gradient = gradient_of(&c->gradients, loss, last, variable->path, group);
        if (gradient) vg_gradcheck_fetch(&c->gradients, gradient, 1 + k);
    }
    return vg_gradcheck_pass(c->run, &c->loss) && vg_gradcheck_pass(c->run, &c->gradients);
}

/* Where it is wrong, the way there is built again without simplification, so that nothing is out of sight. */
static const char *blame(check *c, vg_str variable, vg_random_key key) {
    vg_graph faithful, graph;
    vg_graph_init(&faithful, &c->model->ir, VG_EMIT_FAITHFUL);
    vg_graph_init(&graph, &c->model->ir, VG_EMIT_FAITHFUL);
    add_losses(&c->model->elaborated[1], &faithful, true, 0);
    vg_pass_differentiate(&faithful, &graph);
    const char *text = vg_gradcheck_blame(c->run, &graph, variable, key);
    vg_graph_free(&graph);
    vg_graph_free(&faithful);
    return text;
}

static bool check_variable(check *c, uint32_t k, vg_probe *probe, const vg_program *gradients) {
    const vg_variable *variable = &c->run->unit->variables.items[k];
    const vg_view *slot = &c->run->store.slots.items[c->run->variable_slots[k]].view;
    const vg_view *view = vg_gradcheck_view(gradients, 1 + k);
    const char *name = vg_strings_text(&c->model->ir.strings, variable->path);
    const vg_random_key key = { vg_hash_pair(c->seed, vg_hash_bytes(name, strlen(name), 0)), 0 };
    double *gradient = vg_mem_alloc(&c->run->mem, (size_t)slot->count * sizeof *gradient);
    if (view) vg_run_convert(c->run, view, gradient);      /* a variable that the loss does not see: zeros */
    const vg_comparison result = vg_probe_compare(probe, slot, gradient, key);
    vg_mem_free(&c->run->mem, gradient);
    if (!result.ok) c->status = VG_FAILED_MODEL;
    const vg_gradcheck_row row = { name, result.checked, result.skipped, result.worst, result.ok,
                                   result.ok ? NULL : blame(c, variable->path, key) };
    return c->report == NULL || c->report(c->user, &row);
}

static vg_status body(void *user) {
    check *c = user;
    vg_program loss, gradients;
    vg_status status = vg_run_prepare(c->run, 0);
    if (status != VG_OK) return status;
    if (!make_graphs(c)) return vg_model_status(c->model);
    if (!vg_gradcheck_program(c->run, &c->loss, &loss) || !vg_gradcheck_program(c->run, &c->gradients, &gradients))
        return vg_model_status(c->model);
    vg_context context = { .seed = c->run->context.seed, .turn = 1 };
    if (!vg_program_execute(&gradients, &context, 1)) return vg_run_report_fault(c->run, &gradients, &context);
    hold_values(c, &gradients);
    vg_probe probe = vg_probe_of(c->run, &loss);
    for (uint32_t k = 0; k < c->run->unit->variables.count; k++)
        if (c->run->unit->variables.items[k].trainable && !check_variable(c, k, &probe, &gradients))
            return VG_FAILED_RESOURCE;
    return c->status;
}

vg_status vg_model_gradcheck(vg_model *model, uint64_t seed, bool (*report)(void *user, const vg_gradcheck_row *row),
                             void *user) {
    check c = { .model = model, .seed = seed, .report = report, .user = user };
    vg_status status = vg_run_new(model, &(vg_run_options){ .steps = 1, .float64 = true }, &c.run);
    if (status != VG_OK) return status;
    const int threads = vg_blas_enter();
    status = vg_model_guard(model, &c.run->mem, body, &c);
    vg_blas_leave(threads);
    vg_graph_free(&c.loss);
    vg_graph_free(&c.gradients);
    vg_run_free(c.run);
    return status;
}
