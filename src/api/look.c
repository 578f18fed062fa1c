/* Looking at a model: its graph as text. */
#include "api/look.h"

#include <inttypes.h>

vg_status vg_look_send(const vg_looking *l, vg_text *text) {
    bool written = !text->length || l->write(l->user, text->text, text->length);
    vg_text_free(text);
    return written ? VG_OK : VG_FAILED_RESOURCE;
}

/* ---- plans */

uint32_t vg_look_turns(const vg_model *model) { return model->unit.blocks.count ? model->unit.blocks.count : 1; }

bool vg_look_plan(vg_model *model, uint32_t turn, vg_planned *p) {
    const vg_unit *unit = &model->unit;
    p->batch = unit->blocks.count ? unit->blocks.items[turn - 1].batch : unit->batch_size;
    p->symbols = vg_mem_alloc(&model->mem, (model->ir.dims.symbols.count + 1) * sizeof *p->symbols);
    for (uint32_t k = 0; k < unit->batch_symbols.count; k++)
        p->symbols[unit->batch_symbols.items[k]] = (int64_t)p->batch;
    vg_schedule_make(&p->schedule, &model->mem, &unit->graph[1], VG_PART_STEP, turn, true);
    vg_fuse(&p->schedule, &model->mem, &unit->graph[1]);
    if (vg_plan_make(&p->plan, &model->mem, &unit->graph[1], &p->schedule, p->symbols, sizeof(float))) return true;
    vg_schedule_release(&p->schedule);
    return false;
}

void vg_look_plan_release(vg_model *model, vg_planned *p) {
    vg_plan_release(&p->plan);
    vg_schedule_release(&p->schedule);
    vg_mem_free(&model->mem, p->symbols);
}

typedef struct printer { const vg_graph *graph; const vg_planned *planned; bool places; vg_text *out; } printer;

static void print_node(const printer *print, vg_node node, bool grouped) {
    const vg_graph *graph = print->graph;
    const vg_planned *p = print->planned;
    vg_text *out = print->out;
    const int64_t offset = p->plan.offset[node];
    vg_text_format(out, "%s%%%u = %s", grouped ? "    " : "", node, vg_op_rows[vg_node_op(graph, node)].name);
    for (uint32_t j = 0; j < graph->operand_count.items[node]; j++)
        vg_text_format(out, "%s%%%u", j ? ", " : "(", vg_operand(graph, node, j));
    vg_text_format(out, "%s : ", graph->operand_count.items[node] ? ")" : "");
    vg_text_format(out, "%s", vg_node_type_text(graph, node));
    if (p->schedule.stores[node]) vg_text_format(out, " in its variable");
    else if (print->places && offset >= 0) vg_text_format(out, " at %" PRId64 ", %" PRIu64 " bytes", offset, p->plan.bytes[node]);
    else if (print->places && p->plan.kept[node] >= 0) vg_text_format(out, " kept at %" PRId64, p->plan.kept[node]);
    vg_text_format(out, "\n");
}

/* A line for each node, those of one pass together. */
static void print_plan(vg_model *model, const vg_planned *p, uint32_t turn, bool places, vg_text *out) {
    const printer print = { &model->unit.graph[1], p, places, out };
    if (vg_look_turns(model) > 1) vg_text_format(out, "%s# the turn of train block %u\n", turn > 1 ? "\n" : "", turn);
    vg_text_format(out, "# %u nodes in %u passes, %" PRIu64 " bytes planned (at least %" PRIu64
                        " are alive at once), %" PRIu64 " bytes kept, batch %" PRIu64 "\n", p->schedule.order_count,
                   p->schedule.step_count, p->plan.size, p->plan.bound, p->plan.kept_size, p->batch);
    for (uint32_t k = 0; k < p->schedule.step_count; k++) {
        const uint32_t first = p->schedule.step[k], end = p->schedule.step[k + 1];
        if (end - first > 1) vg_text_format(out, "# one pass\n");
        for (uint32_t j = first; j < end; j++) print_node(&print, p->schedule.order[j], end - first > 1);
    }
}

static vg_status look_plans(const vg_looking *l, vg_text *text) {
    for (uint32_t turn = 1; turn <= vg_look_turns(l->model); turn++) {
        vg_planned p;
        if (!vg_look_plan(l->model, turn, &p)) return vg_model_status(l->model);
        if (l->format == VG_GRAPH_JSON) vg_look_json_plan(l->model, &p, turn, text);
        else print_plan(l->model, &p, turn, l->stage == VG_STAGE_PLAN, text);
        vg_look_plan_release(l->model, &p);
    }
    return vg_look_send(l, text);
}

/* ---- graphs */

static vg_status look_graph(void *user) {
    const vg_looking *l = user;
    vg_text text = vg_text_new(&l->model->mem);
    if (!l->model->loaded) return VG_FAILED_USAGE;
    if (l->stage >= VG_STAGE_FUSED) return l->format == VG_GRAPH_DOT ? VG_FAILED_USAGE : look_plans(l, &text);
    const vg_graph *graph = l->stage == VG_STAGE_FORWARD ? &l->model->elaborated[1] : &l->model->unit.graph[1];
    if (l->format == VG_GRAPH_DOT) vg_print_dot(graph, &text);
    else if (l->format == VG_GRAPH_JSON) vg_look_json(l->model, graph, &text);
    else vg_print(graph, &text);
    return vg_look_send(l, &text);
}

vg_status vg_model_graph(vg_model *model, vg_stage stage, vg_graph_format format, vg_write write, void *user) {
    vg_looking l = { model, stage, format, write, user };
    return vg_model_guard(model, NULL, look_graph, &l);
}
