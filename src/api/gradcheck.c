/* Every trainable variable's symbolic gradient of the training loss against central differences in float64. The
 * gradients come from the elaborated graph, as those of a run do; the differences from graphs of the loss alone, one
 * for each variable: in them what does not depend on the variable has been computed once and for all. */
#include "api/gradcheck.h"

#include <math.h>
#include <string.h>

#include "run/blas.h"

/* ---- what both orders begin with */

static bool make_base(vg_check *c) {
    vg_ir *ir = &c->model->ir;
    vg_graph loss;
    vg_graph_init(&loss, ir, VG_EMIT_FAITHFUL);
    if (vg_gradcheck_losses(&c->model->elaborated[1], &loss) == 0) {
        vg_report0(&ir->diags, gradcheck_no_loss, ((vg_span){ 0, 0 }), 0);
        return false;
    }
    vg_pass_differentiate(&loss, &c->base);
    vg_graph_free(&loss);
    c->loss = vg_operand(&c->base, vg_vec_last(&c->base.roots), 0);
    c->stopped = (vg_held){ &c->base, "value", vg_mem_alloc(&c->run->mem, vg_graph_count(&c->base)) };
    /* One that a gradient rule made is part of what is checked. */
    for (vg_node node = 1; node < vg_graph_count(&c->base); node++)
        c->stopped.marks[node] = vg_node_op(&c->base, node) == VG_OP_stop_gradient &&
                                 vg_node_dtype(&c->base, node) == VG_F32 && c->base.place.items[node].forward == 0;
    return true;
}

vg_random_key vg_check_key(const vg_check *check, uint32_t variable) {
    const char *name = vg_strings_text(&check->model->ir.strings, check->run->unit->variables.items[variable].path);
    return (vg_random_key){ vg_hash_pair(check->seed, vg_hash_bytes(name, strlen(name), 0)), 0 };
}

bool vg_check_report(vg_check *check, uint32_t variable, const vg_comparison *result, const char *blame) {
    const char *name = vg_strings_text(&check->model->ir.strings, check->run->unit->variables.items[variable].path);
    const vg_gradcheck_row row = { name, result->checked, result->skipped, result->worst, result->ok, blame };
    if (!result->ok) check->status = VG_FAILED_MODEL;
    return check->report == NULL || check->report(check->user, &row);
}

/* ---- the first order */

/* Marks what stays as it is while the variable moves: what does not depend on it, and what the model stops. */
static void mark_still(const vg_check *c, vg_str variable, uint8_t *marks) {
    const vg_graph *graph = &c->base;
    uint8_t *depends = vg_gradcheck_dependents(c->run, graph, variable);
    for (vg_node node = 1; node < vg_graph_count(graph); node++) {
        marks[node] |= c->stopped.marks[node];
        if (!depends[node] && node != c->loss) continue;
        for (uint32_t k = 0; k < graph->operand_count.items[node]; k++) {
            const vg_node operand = vg_operand(graph, node, k);
            const vg_op op = vg_node_op(graph, operand);
            const bool computed = !vg_op_is(op, VG_FLAG_leaf) || vg_op_is(op, VG_FLAG_draws);
            if (computed && !depends[operand]) marks[operand] = 1;
        }
    }
    vg_mem_free(&c->run->mem, depends);
}

static bool hold_values(const vg_check *c) {
    const vg_held all = { &c->base, c->stopped.name, vg_mem_alloc(&c->run->mem, vg_graph_count(&c->base)) };
    for (uint32_t k = 0; k < c->run->unit->variables.count; k++) {
        const vg_variable *variable = &c->run->unit->variables.items[k];
        if (variable->trainable) mark_still(c, variable->path, all.marks);
    }
    const bool done = vg_gradcheck_hold(c->run, &all);
    vg_mem_free(&c->run->mem, all.marks);
    return done;
}

/* The program of the loss as a function of the variable alone. */
static bool make_loss(const vg_check *c, vg_str variable, vg_graph *graph, vg_program *program) {
    const vg_held still = { &c->base, c->stopped.name, vg_mem_alloc(&c->run->mem, vg_graph_count(&c->base)) };
    vg_node loss = c->loss;
    mark_still(c, variable, still.marks);
    vg_gradcheck_copy(&c->base, graph, &loss, 1, &still);
    vg_gradcheck_fetch(graph, loss, 0);
    vg_mem_free(&c->run->mem, still.marks);
    return vg_gradcheck_program(c->run, graph, program);
}

/* `view`: where the gradient lies; NULL where the loss does not see the variable. */
static bool compare(const vg_check *c, uint32_t k, const vg_view *view, vg_comparison *result) {
    vg_run *run = c->run;
    const vg_view *slot = &run->store.slots.items[run->variable_slots[k]].view;
    double *gradient = vg_mem_alloc(&run->mem, (size_t)slot->count * sizeof *gradient);
    vg_graph graph;
    vg_program program;
    vg_graph_init(&graph, c->base.ir, VG_EMIT_FAITHFUL);
    if (view) vg_run_convert(run, view, gradient);
    const bool made = make_loss(c, run->unit->variables.items[k].path, &graph, &program);
    if (made) {
        *result = vg_probe_compare(run, &program, slot, gradient, vg_check_key(c, k));
        vg_program_release(&program);
    }
    vg_graph_free(&graph);
    vg_mem_free(&run->mem, gradient);
    return made;
}

static const char *blame(vg_check *c, uint32_t k) {
    vg_blame *b = &c->blame;
    if (b->graph.ir == NULL) {
        vg_node loss = c->loss;
        vg_graph_init(&b->graph, c->base.ir, VG_EMIT_FAITHFUL);
        vg_gradcheck_copy(&c->base, &b->graph, &loss, 1, &c->stopped);
        vg_blame_begin(b, c->run);
    }
    return vg_blame_find(b, c->run, c->run->unit->variables.items[k].path, vg_check_key(c, k));
}

static vg_status check_variables(vg_check *c, const vg_program *gradients) {
    for (uint32_t k = 0; k < c->run->unit->variables.count; k++) {
        vg_comparison result;
        if (!c->run->unit->variables.items[k].trainable) continue;
        if (!compare(c, k, vg_gradcheck_view(gradients, 1 + k), &result)) return vg_model_status(c->model);
        if (!vg_check_report(c, k, &result, result.ok ? NULL : blame(c, k))) return VG_FAILED_RESOURCE;
    }
    return c->status;
}

static vg_status check_first(vg_check *c) {
    vg_context context = { .seed = c->run->context.seed, .turn = 1 };
    vg_graph graph;
    vg_program gradients;
    vg_status status;
    vg_graph_init(&graph, c->base.ir, VG_EMIT_FAITHFUL);
    vg_gradcheck_fetch_gradients(c->run, &graph, vg_gradcheck_losses(&c->model->elaborated[1], &graph));
    if (!vg_gradcheck_program(c->run, &graph, &gradients)) status = vg_model_status(c->model);
    else if (!vg_program_execute(&gradients, &context, 1)) status = vg_run_report_fault(c->run, &gradients, &context);
    else if (!hold_values(c)) status = vg_model_status(c->model);
    else status = check_variables(c, &gradients);
    vg_graph_free(&graph);
    return status;
}

/* ---- the point */

/* A hundredth away from the initial values: b = 0 and a black image meet exactly in relu's kink, zeros and ones hide
 * mistakes. */
static void move_variables(const vg_check *c) {
    enum { APART = 1 << 16 };      /* from the directions that are drawn later */
    vg_run *run = c->run;
    for (uint32_t k = 0; k < run->unit->variables.count; k++) {
        const vg_view *slot = &run->store.slots.items[run->variable_slots[k]].view;
        if (!run->unit->variables.items[k].trainable || slot->count == 0) continue;
        double *values = vg_mem_alloc(&run->mem, (size_t)slot->count * sizeof *values), square = 0;
        const vg_random_key key = vg_check_key(c, k);
        for (int64_t i = 0; i < slot->count; i++) square += vg_view_get(slot, i, run->real) * vg_view_get(slot, i, run->real);
        const double size = 0.01 * (square > 0 ? sqrt(square) : sqrt((double)slot->count));
        vg_draw_direction(values, slot->count, (vg_random_key){ key.stream, key.turn + APART });
        for (int64_t i = 0; i < slot->count; i++)
            vg_view_set(slot, i, run->real, vg_view_get(slot, i, run->real) + size * values[i]);
        vg_mem_free(&run->mem, values);
    }
}

/* ---- the entry point */

typedef struct request { vg_check *check; uint32_t order; } request;

static vg_status body(void *user) {
    const request *r = user;
    vg_check *c = r->check;
    const vg_status status = vg_run_prepare(c->run, 0);
    if (status != VG_OK) return status;
    move_variables(c);
    vg_graph_init(&c->base, &c->model->ir, VG_EMIT_FAITHFUL);
    if (!make_base(c)) return vg_model_status(c->model);
    return r->order == 2 ? vg_gradcheck_second(c) : check_first(c);
}

vg_status vg_model_gradcheck(vg_model *model, const vg_gradcheck_options *options,
                             bool (*report)(void *user, const vg_gradcheck_row *row), void *user) {
    const uint32_t order = options && options->order ? options->order : 1;
    vg_check c = { .model = model, .seed = options ? options->seed : 0, .report = report, .user = user };
    if (order > 2) return VG_FAILED_USAGE;
    vg_status status = vg_run_new(model, &(vg_run_options){ .steps = 1, .float64 = true }, &c.run);
    if (status != VG_OK) return status;
    vg_blas_enter();
    status = vg_model_guard(model, &c.run->mem, body, &(request){ &c, order });
    vg_blas_leave();
    if (c.base.ir) vg_graph_free(&c.base);
    if (c.blame.graph.ir) vg_graph_free(&c.blame.graph);
    vg_run_free(c.run);
    return status;
}
