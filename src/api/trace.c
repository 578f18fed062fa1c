/* Where the first NaN or infinity comes from. A run is the same every time: so it is run again up to the step in question,
 * which is then taken with all values kept. */
#include <math.h>

#include "api/judge.h"

static bool is_finite(const vg_view *view, uint32_t real) {
    for (int64_t i = 0; i < view->count; i++)
        if (!isfinite(vg_view_get(view, i, real))) return false;
    return true;
}

static bool has_view(const vg_program *program, vg_node node) {
    return node != 0 && program->view_of[node] != 0 && vg_node_dtype(program->graph, node) == VG_F32;
}

/* An infinite constant, as a mask has it, is meant. */
static bool is_meant(const vg_program *program, vg_node node) {
    double value;
    return vg_node_op(program->graph, node) == VG_OP_constant || vg_node_uniform(program->graph, node, &value);
}

static bool makes_wrong(const vg_program *program, vg_node node) {
    const vg_graph *g = program->graph;
    if (vg_node_op(g, node) == VG_OP_survey) return false;      /* ours: its squares overflow before what it looks at */
    if (!has_view(program, node) || vg_op_is(vg_node_op(g, node), VG_FLAG_view) || is_meant(program, node))
        return false;
    if (is_finite(&program->views.items[program->view_of[node]], program->real)) return false;
    for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
        const vg_node operand = vg_operand(g, node, k);
        if (has_view(program, operand) && !is_finite(&program->views.items[program->view_of[operand]], program->real))
            return false;
    }
    return true;
}

/* What stands at a place, in one line. */
static const char *text_at(vg_run *run, vg_span place) {
    const vg_source *source = vg_sources_at(&run->model->ir.diags.sources, place.begin);
    if (source == NULL || !place.end) return "";
    const char *text = source->text + (place.begin - source->base);
    size_t length = 0;
    while (length < place.end - place.begin && text[length] != '\n') length++;
    return vg_arena_format(&run->model->ir.arena, "%.*s", (int)length, text);
}

static void describe(vg_run *run, const vg_program *program, vg_node node, vg_origin *origin) {
    const vg_graph *g = program->graph;
    const vg_place place = g->place.items[node];
    const char *text = text_at(run, vg_diags_place(&run->model->ir.diags, place.span, place.call));
    *origin = (vg_origin){ .op = vg_op_sign(vg_node_op(g, node)),
                           .span = place.span,
                           .call = place.call,
                           .low = INFINITY,
                           .high = -INFINITY,
                           .text = place.forward ? vg_arena_format(&run->model->ir.arena, "the gradient of %s", text)
                                                 : text };
    for (uint32_t k = g->operand_count.items[node]; k-- > 0;) { /* the last one: what is divided by, or the only one */
        const vg_node operand = vg_operand(g, node, k);
        if (!has_view(program, operand)) continue;
        const vg_view *view = &program->views.items[program->view_of[operand]];
        for (int64_t i = 0; i < view->count; i++) {
            origin->low = fmin(origin->low, vg_view_get(view, i, program->real));
            origin->high = fmax(origin->high, vg_view_get(view, i, program->real));
        }
        origin->operand = view->count > 0;
        break;
    }
}

static bool look(vg_run *again, uint32_t turn, vg_origin *origin) {
    vg_program program;
    const vg_program_options options = {
        .part = VG_PART_STEP, .turn = turn + 1, .updates = true, .no_fuse = true, .keeps = true
    };
    bool found = false;
    if (!vg_program_make(&program, &again->mem, again->unit, &again->unit->graph[1], &again->store, options,
                         again->turns[turn].symbols, again->real)) return false;
    vg_context context = again->context;
    context.turn = turn + 1;
    context.fault = VG_FAULT_none;
    vg_program_execute(&program, &context, again->steps);
    for (vg_node node = 1; node < vg_graph_count(program.graph) && !found; node++) {
        if (program.schedule.phase[node] == VG_PHASE_dead || !makes_wrong(&program, node)) continue;
        found = true;
        describe(again, &program, node, origin);
    }
    vg_program_release(&program);
    return found;
}

typedef struct search { vg_run *again; vg_origin *origin; bool found; } search;

static vg_status look_at_turns(void *user) {
    search *s = user;
    s->again->context.step = s->again->done;
    for (uint32_t turn = 0; turn < s->again->turn_count && !s->found; turn++) {
        if (s->again->done % s->again->turns[turn].every != 0) continue;
        const vg_status status = vg_run_prepare(s->again, turn);
        if (status != VG_OK) return status;
        s->found = look(s->again, turn, s->origin);
    }
    return VG_OK;
}

bool vg_trace_nonfinite(vg_run *run, uint64_t step, vg_origin *origin) {
    vg_run_options options = run->options;
    search s = { .origin = origin };
    options.watch = NULL;
    options.steps = run->steps;
    if (run->given) return false;
    if (vg_run_new(run->model, &options, &s.again) != VG_OK) return false;
    const vg_load_options load = { .partial = true };
    vg_status status = run->loaded ? vg_run_load(s.again, run->loaded, &load) : VG_OK;
    while (s.again->done < step && status == VG_OK) status = vg_run_step(s.again);
    if (status == VG_OK) vg_model_guard(run->model, &s.again->mem, look_at_turns, &s);
    vg_run_free(s.again);
    return s.found;
}
