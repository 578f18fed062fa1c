/* Looking at a model: its graph as text, and what it is made of. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/model.h"
#include "diag/escape.h"
#include "front/dataset.h"
#include "ir/cost.h"

typedef struct looking {
    vg_model *model;
    vg_stage stage;
    vg_graph_format format;
    vg_write write;
    void *user;
} looking;

static vg_status send(const looking *l, vg_text *text) {
    bool written = !text->length || l->write(l->user, text->text, text->length);
    vg_text_free(text);
    return written ? VG_OK : VG_FAILED_RESOURCE;
}

/* The numbers of the symbols at the model's batch size, by vg_symbol. */
static int64_t *symbol_numbers(const vg_model *model) {
    const vg_dims *dims = &model->ir.dims;
    int64_t *numbers = vg_mem_alloc(&((vg_model *)(uintptr_t)model)->mem, (dims->symbols.count + 1) * sizeof *numbers);
    for (uint32_t k = 0; k < model->unit.batch_symbols.count; k++)
        numbers[model->unit.batch_symbols.items[k]] = (int64_t)model->unit.batch_size;
    return numbers;
}

/* ---- the plan, a line for each step */

typedef struct planned { vg_schedule schedule; vg_plan plan; int64_t *symbols; } planned;

static bool make_plan(vg_model *model, planned *p) {
    p->symbols = symbol_numbers(model);
    vg_schedule_make(&p->schedule, &model->mem, &model->unit.graph[1], VG_PART_STEP, 1, true);
    if (vg_plan_make(&p->plan, &model->mem, &model->unit.graph[1], &p->schedule, p->symbols, sizeof(float))) return true;
    vg_schedule_release(&p->schedule);
    return false;
}

static void release_plan(vg_model *model, planned *p) {
    vg_plan_release(&p->plan);
    vg_schedule_release(&p->schedule);
    vg_mem_free(&model->mem, p->symbols);
}

static void print_plan(vg_model *model, const planned *p, vg_text *out) {
    const vg_graph *graph = &model->unit.graph[1];
    vg_text_format(out, "# %u steps, %" PRIu64 " bytes planned (at least %" PRIu64 " are alive at once), %" PRIu64
                        " bytes kept, batch %" PRIu64 "\n", p->schedule.order_count, p->plan.size, p->plan.bound,
                   p->plan.kept_size, model->unit.batch_size);
    for (uint32_t k = 0; k < p->schedule.order_count; k++) {
        vg_node node = p->schedule.order[k];
        int64_t offset = p->plan.offset[node];
        vg_text_format(out, "%%%u = %s", node, vg_op_rows[vg_node_op(graph, node)].name);
        for (uint32_t j = 0; j < graph->operand_count.items[node]; j++)
            vg_text_format(out, "%s%%%u", j ? ", " : "(", vg_operand(graph, node, j));
        vg_text_format(out, "%s : ", graph->operand_count.items[node] ? ")" : "");
        vg_text_format(out, "%s", vg_node_type_text(graph, node));
        if (offset >= 0) vg_text_format(out, " at %" PRId64 ", %" PRIu64 " bytes", offset, p->plan.bytes[node]);
        else if (p->plan.kept[node] >= 0) vg_text_format(out, " kept at %" PRId64, p->plan.kept[node]);
        vg_text_format(out, "\n");
    }
}

static vg_status look_graph(void *user) {
    const looking *l = user;
    vg_text text = vg_text_new(&l->model->mem);
    if (!l->model->loaded) return VG_FAILED_USAGE;
    if (l->stage == VG_STAGE_PLAN) {
        planned p;
        if (l->format == VG_GRAPH_DOT) return VG_FAILED_USAGE;
        if (!make_plan(l->model, &p)) return vg_model_status(l->model);
        print_plan(l->model, &p, &text);
        release_plan(l->model, &p);
        return send(l, &text);
    }
    const vg_graph *graph = l->stage == VG_STAGE_FORWARD ? &l->model->elaborated[1] : &l->model->unit.graph[1];
    if (l->format == VG_GRAPH_DOT) vg_print_dot(graph, &text);
    else vg_print(graph, &text);
    return send(l, &text);
}

vg_status vg_model_graph(vg_model *model, vg_stage stage, vg_graph_format format, vg_write write, void *user) {
    looking l = { model, stage, format, write, user };
    return vg_model_guard(model, NULL, look_graph, &l);
}

/* ---- describe */

static int64_t elements(const vg_model *model, vg_shape shape, const int64_t *symbols) {
    vg_dim dims[VG_RANK_LIMIT];
    int64_t product = 1;
    uint32_t rank = vg_shape_list(&model->ir.dims, shape, dims);
    for (uint32_t k = 0; k < rank; k++) product *= vg_dim_value(&model->ir.dims, dims[k], symbols);
    return product;
}

static const char *text_of(const vg_model *model, vg_str id) { return vg_strings_text(&model->ir.strings, id); }

/* 1234567 -> 1,234,567 */
static const char *grouped(char buffer[32], uint64_t number) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
    for (int k = 0; k < length; k++) {
        if (k && (length - k) % 3 == 0) buffer[at++] = ',';
        buffer[at++] = digits[k];
    }
    buffer[at] = 0;
    return buffer;
}

/* 12.3 M, as engineers write numbers. */
static const char *scaled(char buffer[32], double number) {
    static const char *const unit[] = { " ", " k", " M", " G", " T", " P" };
    int k = 0;
    while (number >= 1000 && k < 5) {
        number /= 1000;
        k++;
    }
    snprintf(buffer, 32, k ? "%.3g%s" : "%.0f%s", number, unit[k]);
    return buffer;
}

static void describe_inputs(const vg_model *model, vg_text *out) {
    if (!model->unit.inputs.count) return;
    vg_text_format(out, "inputs\n");
    for (uint32_t k = 0; k < model->unit.inputs.count; k++) {
        const vg_input *input = &model->unit.inputs.items[k];
        vg_text_format(out, "  %-16s %s", text_of(model, input->path), input->dtype == VG_I32 ? "int" : "");
        vg_shape_text(&model->ir.dims, &model->ir.strings, input->shape, out);
        if (input->dataset)
            vg_text_format(out, " from %s.%s (%u training examples, %u test)", text_of(model, input->dataset->name),
                           input->dataset->columns[input->column].name, input->dataset->train_count,
                           input->dataset->test_count);
        else
            vg_text_format(out, ", to be fed");
        vg_text_format(out, "\n");
    }
}

/* The names of the classes a data set has, as many as fit into a line: 30 classes: \n space , . a b c ... */
static void describe_classes(const vg_model *model, vg_text *out) {
    enum { WIDTH = 100 };
    uint32_t shown = 0;
    char number[32];
    for (uint32_t k = 0; k < model->unit.datasets.count; k++) {
        const vg_dataset *set = model->unit.datasets.items[k];
        if (!set->class_texts) continue;
        vg_text line = vg_text_new(out->mem);
        vg_text_format(&line, "  %-16s %s classes:", text_of(model, set->name), grouped(number, set->classes));
        for (uint32_t c = 0; c < set->classes; c++) {
            const char *text = strcmp(set->class_texts[c], " ") == 0 ? "space" : set->class_texts[c];
            if (line.length > WIDTH) {
                vg_text_format(&line, " ...");
                break;
            }
            vg_text_format(&line, " ");
            vg_escape(&line, text, strlen(text), WIDTH / 4);
        }
        vg_text_format(out, "%s%s\n", shown++ ? "" : "data\n", vg_text_c(&line));
        vg_text_free(&line);
    }
}

static void describe_variables(const vg_model *model, const char *title, bool trainable, bool optimizer, vg_text *out) {
    uint64_t total = 0;
    uint32_t shown = 0, width = 8;
    char number[32];
    for (uint32_t k = 0; k < model->unit.variables.count; k++) {
        const vg_variable *v = &model->unit.variables.items[k];
        size_t length = strlen(text_of(model, v->path));
        if (v->trainable == trainable && v->optimizer == optimizer && length > width) width = length < 40 ? (uint32_t)length : 40;
    }
    for (uint32_t k = 0; k < model->unit.variables.count; k++) {
        const vg_variable *v = &model->unit.variables.items[k];
        if (v->trainable != trainable || v->optimizer != optimizer) continue;
        uint64_t count = (uint64_t)elements(model, v->shape, NULL);
        total += count;
        if (!shown++) vg_text_format(out, "%s\n", title);
        if (shown > 200) continue;
        vg_text shape = vg_text_new(out->mem);
        vg_shape_text(&model->ir.dims, &model->ir.strings, v->shape, &shape);
        vg_text_format(out, "  %-*s %-16s %12s  %s\n", (int)width, text_of(model, v->path), vg_text_c(&shape),
                       grouped(number, count), text_of(model, v->initial));
        vg_text_free(&shape);
    }
    if (shown > 200) vg_text_format(out, "  ... and %u more\n", shown - 200);
    if (shown) vg_text_format(out, "  %-*s %-16s %12s\n", (int)width, "in all", "", grouped(number, total));
}

/* The calls of layers, as the frames of the call table keep them: which layer, from where. */
static void describe_layers(const vg_model *model, vg_text *out) {
    const vg_diags *diags = &model->ir.diags;
    uint32_t shown = 0;
    for (uint32_t k = 0; k < model->unit.variables.count; k++) {
        const vg_variable *v = &model->unit.variables.items[k];
        if (!v->call || diags->calls.items[v->call].kind != VG_CALL_LAYER) continue;
        if (k && model->unit.variables.items[k - 1].call == v->call) continue;
        const vg_call_row *call = &diags->calls.items[v->call];
        const char *path = text_of(model, v->path), *dot = strrchr(path, '.');
        vg_span span = vg_diags_place(diags, call->span, call->parent);
        vg_position at = vg_sources_position(&diags->sources, span.begin);
        const vg_source *made = vg_sources_at(&diags->sources, v->span.begin);
        if (!shown++) vg_text_format(out, "layers\n");
        if (shown > 200) continue;
        vg_text_format(out, "  %-16.*s %-12s line %u%s%s\n", dot ? (int)(dot - path) : 0, path, text_of(model, call->name),
                       at.line, made && made->kind == VG_SOURCE_LIBRARY ? ", of the library: " : "",
                       made && made->kind == VG_SOURCE_LIBRARY ? made->name : "");
    }
    if (shown > 200) vg_text_format(out, "  ... and %u more\n", shown - 200);
}

static void describe_step(vg_model *model, const planned *p, vg_text *out) {
    const vg_graph *g = &model->unit.graph[1];
    double flops = 0, bytes = 0;
    char number[32], other[32];
    for (uint32_t k = 0; k < p->schedule.order_count; k++) {
        const vg_node_cost cost = vg_node_cost_of(g, p->schedule.order[k], p->symbols, sizeof(float));
        flops += cost.flops;
        bytes += cost.bytes;
    }
    vg_text_format(out, "a step of batch %" PRIu64 "\n", model->unit.batch_size);
    vg_text_format(out, "  nodes            %s in the graph, %u of them work in a step\n",
                   grouped(number, vg_graph_count(g) - 1), p->schedule.order_count);
    vg_text_format(out, "  arithmetic       %sFLOP\n", scaled(number, flops));
    vg_text_format(out, "  memory traffic   %sB read and written\n", scaled(number, bytes));
    vg_text_format(out, "  planned memory   %s bytes (at least %s are alive at once)\n",
                   grouped(number, p->plan.size), grouped(other, p->plan.bound));
    if (p->plan.kept_size)
        vg_text_format(out, "  constants        %s bytes, computed once\n", grouped(number, p->plan.kept_size));
    if (model->unit.blocks.count)
        vg_text_format(out, "  a run            %s steps, seed %" PRIu64 "\n", grouped(number, model->unit.steps),
                       model->unit.seed);
}

static vg_status describe(void *user) {
    const looking *l = user;
    planned p;
    if (!l->model->loaded) return VG_FAILED_USAGE;
    if (!make_plan(l->model, &p)) return vg_model_status(l->model);
    vg_text out = vg_text_new(&l->model->mem);
    vg_text_format(&out, "%s\n", l->model->name);
    describe_inputs(l->model, &out);
    describe_classes(l->model, &out);
    describe_layers(l->model, &out);
    describe_variables(l->model, "variables", true, false, &out);
    describe_variables(l->model, "states", false, false, &out);
    describe_variables(l->model, "the optimizer's states", false, true, &out);
    describe_step(l->model, &p, &out);
    release_plan(l->model, &p);
    return send(l, &out);
}

vg_status vg_model_describe(vg_model *model, vg_write write, void *user) {
    looking l = { model, VG_STAGE_PLAN, VG_GRAPH_TEXT, write, user };
    return vg_model_guard(model, NULL, describe, &l);
}
