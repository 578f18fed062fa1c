/* What a model is made of: inputs, layers, variables, the code of what it uses, what a step costs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/look.h"
#include "diag/escape.h"
#include "front/dataset.h"
#include "ir/cost.h"

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

/* ---- the code of what it is made of */

/* A layer, optimizer or initializer that the model uses: the comment above it, and its text, of the library or of the
 * model's own files. */
static void describe_definition(const vg_model *model, uint32_t tree, vg_text *out) {
    const vg_span span = vg_tree_span(&model->front.tree, tree);
    const vg_source *source = vg_sources_at(&model->ir.diags.sources, span.begin);
    if (!source) return;
    const char *text = source->text, *line = text + (span.begin - source->base), *end = text + (span.end - source->base);
    const vg_position at = vg_sources_position(&model->ir.diags.sources, span.begin);
    vg_text_format(out, "  %s:%u\n", source->name, at.line);
    while (line > text && line[-1] != '\n') line--;
    for (line = vg_definition_comment(text, line); line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        const int length = (int)((stop ? stop : end) - line);
        vg_text_format(out, length ? "    %.*s\n" : "\n", length, line);
        line += length + 1;
    }
}

static void describe_definitions(const vg_model *model, vg_text *out) {
    bool any = false;
    for (uint32_t k = 0; k < model->unit.definitions.count; k++) {
        const uint32_t tree = model->unit.definitions.items[k];
        const vg_kind kind = vg_tree_kind(&model->front.tree, tree);
        if (kind != VG_K_layer && kind != VG_K_optimizer && kind != VG_K_initializer) continue;
        if (!any) vg_text_format(out, "made of\n");
        any = true;
        describe_definition(model, tree, out);
    }
}

/* ---- what a step costs */

static void describe_turn(vg_model *model, uint32_t turn, const vg_planned *p, vg_text *out) {
    const vg_graph *g = &model->unit.graph[1];
    double flops = 0, bytes = 0;
    char number[32], other[32];
    for (uint32_t k = 0; k < p->schedule.order_count; k++) {
        const vg_node_cost cost = vg_node_cost_of(g, p->schedule.order[k], p->symbols, sizeof(float));
        flops += cost.flops;
        bytes += cost.bytes;
    }
    if (vg_look_turns(model) == 1) {
        vg_text_format(out, "a step of batch %" PRIu64 "\n", p->batch);
    } else {
        const vg_block *block = &model->unit.blocks.items[turn - 1];
        vg_text_format(out, "a turn of train block %u, '%s', of batch %" PRIu64, turn, text_of(model, block->loss),
                       p->batch);
        vg_text_format(out, block->every > 1 ? ", every %" PRIu64 " steps\n" : "\n", block->every);
    }
    vg_text_format(out, "  nodes            %s in the graph, %u of them work in a step, in %u passes\n",
                   grouped(number, vg_graph_count(g) - 1), p->schedule.order_count, p->schedule.step_count);
    vg_text_format(out, "  arithmetic       %sFLOP\n", scaled(number, flops));
    vg_text_format(out, "  memory traffic   %sB read and written\n", scaled(number, bytes));
    vg_text_format(out, "  planned memory   %s bytes (at least %s are alive at once)\n",
                   grouped(number, p->plan.size), grouped(other, p->plan.bound));
    if (p->plan.kept_size)
        vg_text_format(out, "  constants        %s bytes, computed once\n", grouped(number, p->plan.kept_size));
}

static vg_status describe(void *user) {
    const vg_looking *l = user;
    char number[32];
    if (!l->model->loaded) return VG_FAILED_USAGE;
    vg_text out = vg_text_new(&l->model->mem);
    vg_text_format(&out, "%s\n", l->model->name);
    describe_inputs(l->model, &out);
    describe_classes(l->model, &out);
    describe_layers(l->model, &out);
    describe_variables(l->model, "variables", true, false, &out);
    describe_variables(l->model, "states", false, false, &out);
    describe_variables(l->model, "the optimizer's states", false, true, &out);
    for (uint32_t turn = 1; turn <= vg_look_turns(l->model); turn++) {
        vg_planned p;
        if (!vg_look_plan(l->model, turn, &p)) return vg_model_status(l->model);
        describe_turn(l->model, turn, &p, &out);
        vg_look_plan_release(l->model, &p);
    }
    if (l->model->unit.blocks.count)
        vg_text_format(&out, "  a run            %s steps, seed %" PRIu64 "\n", grouped(number, l->model->unit.steps),
                       l->model->unit.seed);
    describe_definitions(l->model, &out);
    return vg_look_send(l, &out);
}

vg_status vg_model_describe(vg_model *model, vg_write write, void *user) {
    vg_looking l = { model, VG_STAGE_PLAN, VG_GRAPH_TEXT, write, user };
    return vg_model_guard(model, NULL, describe, &l);
}
