/* What findings are judged by: surveys of what the layers put out, of the gradients with respect to it, and of those with
 * respect to the variables, added to the training graph as roots. Which values these are follows from the graph and its
 * names: outputs are what the model's own text names on the way from a variable to the loss. */
#include <math.h>
#include <string.h>

#include "ir/build.h"
#include "ir/survey.h"
#include "pass/pass.h"

typedef struct witness {
    vg_unit  *unit;
    vg_graph *graph;
    vg_mem   *mem;
    uint32_t  count;         /* nodes before anything was added */
    vg_str   *path;          /* by node: its shortest name; 0 is none */
    uint8_t  *learns;        /* by node: depends on a trainable variable */
    uint8_t  *varies;        /* by node: depends on an input or a draw */
    uint8_t  *reaches;       /* by node: the loss of this block depends on it */
    uint32_t *readers;       /* by node: how many others that reach the loss read it */
    vg_node  *reader;        /* by node: the last of them */
    uint8_t  *before;        /* by node: a product with a variable lies between it and the loss */
    uint32_t *variable;      /* by node: number + 1 of the trainable variable that it is, through views and transposes */
    uint8_t  *weighed;       /* by variable: it is among the weights, or was passed over */
    uint8_t  *gate;          /* by node: a sigmoid, or 1 less it, that something which learns is multiplied by */
    uint8_t  *fed;           /* by node: an input of a product with a variable that is looked at */
    uint8_t  *reached;       /* by variable: by the loss of some block */
    bool      every_step;
    uint32_t  most;
} witness;

/* ---- what the graph says of each node */

static const char *text_of(const witness *w, vg_str id) { return vg_strings_text(&w->graph->ir->strings, id); }

static void find_paths(witness *w) {
    for (uint32_t k = 0; k < w->graph->names.count; k++) {
        const vg_named *named = &w->graph->names.items[k];
        vg_str *own = &w->path[named->node];
        if (*own == 0 || strlen(text_of(w, named->path)) < strlen(text_of(w, *own))) *own = named->path;
    }
}

static void find_dependences(witness *w) {
    const vg_graph *g = w->graph;
    vg_map numbers = { 0 };      /* by path: of a trainable variable, + 1 */
    for (uint32_t k = 0; k < w->unit->variables.count; k++)
        if (w->unit->variables.items[k].trainable) vg_map_put(w->mem, &numbers, w->unit->variables.items[k].path, k + 1);
    for (vg_node node = 1; node < w->count; node++) {
        const vg_op op = vg_node_op(g, node);
        uint32_t words;
        if (op == VG_OP_variable) {
            w->variable[node] = vg_map_get(&numbers, vg_attr_words(g->ir, g->attr.items[node], &words)[1]);
            w->learns[node] = w->variable[node] != 0;
        }
        if (op == VG_OP_input || vg_op_is(op, VG_FLAG_draws)) w->varies[node] = 1;
        for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
            w->learns[node] |= w->learns[vg_operand(g, node, k)];
            w->varies[node] |= w->varies[vg_operand(g, node, k)];
        }
        if (op == VG_OP_transpose || vg_op_is(op, VG_FLAG_view))
            w->variable[node] = w->variable[vg_operand(g, node, 0)];
    }
    vg_map_free(w->mem, &numbers);
}

/* The sigmoid that a factor is: itself, or 1 - itself. */
static vg_node sigmoid_of(const witness *w, vg_node node) {
    const vg_graph *g = w->graph;
    double value;
    if (vg_node_op(g, node) == VG_OP_sub && vg_node_uniform(g, vg_operand(g, node, 0), &value) && value == 1)
        node = vg_operand(g, node, 1);
    return vg_node_op(g, node) == VG_OP_sigmoid ? node : 0;
}

static void find_gates(witness *w) {
    const vg_graph *g = w->graph;
    for (vg_node node = 1; node < w->count; node++) {
        if (vg_node_op(g, node) != VG_OP_mul) continue;
        for (uint32_t k = 0; k < 2; k++) {
            const vg_node sigmoid = sigmoid_of(w, vg_operand(g, node, k));
            const vg_node other = vg_operand(g, node, 1 - k);
            if (!sigmoid || !w->learns[other]) continue;
            w->gate[sigmoid] = 1;
            if (vg_node_op(g, other) == VG_OP_tanh) w->gate[other] = 1;      /* what a gate lets in: the cell has other ways */
        }
    }
}

/* By falling id, along paths that pass a gradient. */
static void find_reach(witness *w, vg_node loss) {
    const vg_graph *g = w->graph;
    memset(w->reaches, 0, w->count * sizeof *w->reaches);
    memset(w->readers, 0, w->count * sizeof *w->readers);
    memset(w->before, 0, w->count * sizeof *w->before);
    w->reaches[loss] = 1;
    for (vg_node node = loss; node > 0; node--) {
        const vg_op op = vg_node_op(g, node);
        if (w->reaches[node] && w->variable[node]) w->reached[w->variable[node] - 1] = 1;
        if (!w->reaches[node] || vg_node_dtype(g, node) != VG_F32 || !vg_op_rows[op].has_gradient) continue;
        const bool product = op == VG_OP_matmul || op == VG_OP_conv2d;
        for (uint32_t k = 0; k < g->operand_count.items[node]; k++) {
            const vg_node operand = vg_operand(g, node, k);
            w->reaches[operand] = 1;
            w->readers[operand]++;
            w->reader[operand] = node;
            w->before[operand] |=
                w->before[node] | (product && w->learns[vg_operand(g, node, 1)] && !w->varies[vg_operand(g, node, 1)]);
        }
    }
}

/* ---- which values are looked at */

static bool is_batch(const witness *w, vg_node node) {
    int64_t number;
    const vg_dims *dims = &w->graph->ir->dims;
    return vg_node_dtype(w->graph, node) == VG_F32 && vg_node_rank(w->graph, node) >= 2 && w->varies[node] &&
           !vg_dim_is_number(dims, vg_shape_dim(dims, vg_node_shape(w->graph, node), 0), &number);
}

static bool is_activation(vg_op op) { return op == VG_OP_sigmoid || op == VG_OP_tanh || op == VG_OP_relu; }

/* Named in the model's own text, not within a layer; and not merely on the way to another such name. */
static bool is_output(const witness *w, vg_node node) {
    if (!w->reaches[node] || !w->learns[node] || w->path[node] == 0 || !is_batch(w, node)) return false;
    if (strchr(text_of(w, w->path[node]), '.') || vg_op_is(vg_node_op(w->graph, node), VG_FLAG_view)) return false;
    const vg_node next = w->reader[node];
    const bool on_the_way = w->readers[node] == 1 && is_activation(vg_node_op(w->graph, next)) && w->path[next] != 0 &&
                            !strchr(text_of(w, w->path[next]), '.');
    return !on_the_way;
}

/* An output that is a sum in which an earlier output is a term, perhaps behind an activation. */
static bool is_shortcut(const witness *w, vg_node node) {
    const vg_graph *g = w->graph;
    if (is_activation(vg_node_op(g, node))) node = vg_operand(g, node, 0);
    if (vg_node_op(g, node) != VG_OP_add) return false;
    return is_output(w, vg_operand(g, node, 0)) || is_output(w, vg_operand(g, node, 1));
}

/* What an activation's product has added to it, through elementwise operators that have one reader: number + 1. */
static uint32_t bias_of(const witness *w, vg_node node) {
    enum { FAR = 4 };
    const vg_graph *g = w->graph;
    for (uint32_t k = 0; k < FAR; k++) {
        const vg_node operand = vg_operand(g, node, 0);
        if (vg_node_op(g, operand) == VG_OP_add) {
            const uint32_t right = w->variable[vg_operand(g, operand, 1)];
            return right ? right : w->variable[vg_operand(g, operand, 0)];
        }
        if (!vg_op_is(vg_node_op(g, operand), VG_FLAG_view)) return 0;
        node = operand;
    }
    return 0;
}

static uint32_t add_row(const witness *w, vg_evidence row, vg_node value, int64_t axis, double low, double high) {
    vg_graph *g = w->graph;
    const vg_word limits[3] = { (vg_word)axis, vg_word_real(low), vg_word_real(high) };
    g->here = (vg_place){ .span = row.span, .call = row.call };
    const vg_node survey = vg_emit(g, VG_OP_survey, &value, 1, vg_attr_of(g->ir, limits, 3));
    const vg_word sparse = row.role == VG_ROLE_gradient ? VG_CADENCE_RARE : VG_CADENCE_SPARSE;
    const vg_word every = row.role == VG_ROLE_input ? VG_CADENCE_FIRST : w->every_step ? 1 : sparse;
    const vg_word root[3] = { w->unit->evidence.count, every, row.block + 1 };
    vg_vec_push(w->mem, &w->unit->evidence, row);
    vg_emit(g, VG_OP_evidence, &survey, 1, vg_attr_of(g->ir, root, 3));
    return w->unit->evidence.count - 1;
}

/* Units are the last axis, of images their channels. */
static int64_t axis_of(const witness *w, vg_node node) {
    const uint32_t rank = vg_node_rank(w->graph, node);
    return rank == 4 ? 1 : rank - 1;
}

static uint32_t add_value(const witness *w, vg_node node, vg_role role, uint32_t block) {
    const vg_op op = vg_node_op(w->graph, node);
    const vg_place place = w->graph->place.items[node];
    const vg_evidence row = { .role = role, .path = w->path[node], .op = (uint8_t)op, .block = block,
                              .last = !w->before[node], .gate = w->gate[node] != 0,
                              .shortcut = role == VG_ROLE_output && is_shortcut(w, node),
                              .bias = is_activation(op) ? bias_of(w, node) : 0, .span = place.span, .call = place.call };
    const double low = op == VG_OP_sigmoid ? 0.05 : op == VG_OP_tanh ? -0.95 : -INFINITY;
    return add_row(w, row, node, axis_of(w, node), low, op == VG_OP_sigmoid || op == VG_OP_tanh ? 0.95 : INFINITY);
}

static void add_gradient(const witness *w, vg_node loss, vg_node with_respect_to, vg_attr group, vg_evidence row,
                         int64_t axis) {
    const vg_node operands[2] = { loss, with_respect_to };
    w->graph->here = (vg_place){ .span = row.span, .call = row.call };
    const vg_node gradient = vg_emit(w->graph, VG_OP_grad, operands, 2, group);
    add_row(w, row, gradient, axis, -INFINITY, INFINITY);
}

/* Of `count` things `most` are taken, the first and the last among them. */
static bool is_taken(uint32_t k, uint32_t count, uint32_t most) {
    if (count <= most) return true;
    const uint64_t step = count - 1, parts = most - 1;
    const uint64_t own = k * parts / step;
    return own * step / parts == k || (own * step + parts - 1) / parts == k;
}

typedef bool (*choice)(const witness *w, vg_node node);

static bool is_hidden_activation(const witness *w, vg_node node) {
    return is_activation(vg_node_op(w->graph, node)) && w->before[node] && w->learns[node] && is_batch(w, node) &&
           !is_output(w, node);
}

static bool is_parameter(const witness *w, vg_node node) {
    return w->reaches[node] && vg_node_op(w->graph, node) == VG_OP_variable && w->variable[node] != 0;
}

static uint32_t count_of(const witness *w, choice is, vg_node loss) {
    uint32_t count = 0;
    for (vg_node node = 1; node <= loss; node++) count += is(w, node);
    return count;
}

static void add_block(witness *w, vg_node loss, uint32_t block) {
    vg_graph *g = w->graph;
    const vg_attr group = vg_attr_of(g->ir, (vg_word[]){ ++g->ir->groups }, 1);
    const uint32_t outputs = count_of(w, is_output, loss), activations = count_of(w, is_hidden_activation, loss);
    const uint32_t parameters = count_of(w, is_parameter, loss);
    uint32_t output = 0, activation = 0, parameter = 0;
    for (vg_node node = 1; node <= loss; node++) {
        const vg_place place = g->place.items[node];
        vg_evidence row = { .path = w->path[node], .block = block, .span = place.span, .call = place.call };
        if (is_output(w, node) && is_taken(output++, outputs, w->most)) {
            row.role = VG_ROLE_flow;
            row.partner = add_value(w, node, VG_ROLE_output, block);
            add_gradient(w, loss, node, group, row, axis_of(w, node));
        } else if (is_hidden_activation(w, node) && is_taken(activation++, activations, w->most)) {
            add_value(w, node, VG_ROLE_activation, block);
        } else if (is_parameter(w, node) && is_taken(parameter++, parameters, 2 * w->most)) {
            row.role = VG_ROLE_gradient;
            row.variable = w->variable[node] - 1;
            row.path = w->unit->variables.items[row.variable].path;
            row.span = w->unit->variables.items[row.variable].span;
            row.call = w->unit->variables.items[row.variable].call;
            add_gradient(w, loss, node, group, row, VG_SURVEY_WHOLE);
        }
    }
}

/* ---- weights */

static int64_t length(const witness *w, vg_node node, uint32_t axis) {
    int64_t number = 0;
    const vg_dims *dims = &w->graph->ir->dims;
    vg_dim_is_number(dims, vg_shape_dim(dims, vg_node_shape(w->graph, node), axis), &number);
    return number;
}

/* The first activation behind a product, through elementwise operators that have one reader. */
static vg_op activation_behind(const witness *w, vg_node node) {
    enum { FAR = 4 };
    for (uint32_t k = 0; k < FAR && w->readers[node] == 1; k++) {
        node = w->reader[node];
        if (is_activation(vg_node_op(w->graph, node))) return vg_node_op(w->graph, node);
        if (!vg_op_is(vg_node_op(w->graph, node), VG_FLAG_map | VG_FLAG_view)) break;
    }
    return VG_OP_none;
}

/* A product with a trainable variable on the right. */
static bool is_weighing(const witness *w, vg_node node) {
    const vg_op op = vg_node_op(w->graph, node);
    return (op == VG_OP_matmul || op == VG_OP_conv2d) && w->reaches[node] && w->variable[vg_operand(w->graph, node, 1)] != 0;
}

static void add_weight(const witness *w, vg_node node) {
    const vg_graph *g = w->graph;
    const vg_op op = vg_node_op(g, node);
    const vg_node right = vg_operand(g, node, 1);
    const uint32_t rank = vg_node_rank(g, right);
    uint32_t words;
    int64_t fan_in = 1, fan_out = length(w, right, 0);
    for (uint32_t k = 1; op == VG_OP_conv2d && k < rank; k++) fan_in *= length(w, right, k);
    for (uint32_t k = 2; op == VG_OP_conv2d && k < rank; k++) fan_out *= length(w, right, k);
    if (op == VG_OP_matmul) {
        const uint32_t turned = vg_attr_words(g->ir, g->attr.items[node], &words)[1] ? 1 : 0;
        fan_in = length(w, right, rank - 2 + turned);
        fan_out = length(w, right, rank - 1 - turned);
    }
    const vg_weight weight = { w->variable[right] - 1, (uint64_t)fan_in, (uint64_t)fan_out,
                               (uint8_t)activation_behind(w, node), !w->before[node], g->place.items[node].span,
                               g->place.items[node].call };
    vg_vec_push(w->mem, &w->unit->weights, weight);
}

/* What a product reads that is made of inputs alone: once, however many read it. */
static void add_inputs(const witness *w, vg_node loss, uint32_t block) {
    const vg_graph *g = w->graph;
    uint32_t count = 0;
    for (vg_node node = 1; node <= loss && count < w->most; node++) {
        if (!is_weighing(w, node)) continue;
        const vg_node left = vg_operand(g, node, 0);
        if (w->learns[left] || w->fed[left] || !is_batch(w, left)) continue;
        const vg_place place = g->place.items[left], reader = g->place.items[node];
        const vg_evidence row = { .role = VG_ROLE_input, .path = w->path[left], .op = (uint8_t)vg_node_op(g, left),
                                  .block = block, .span = place.span, .call = place.call, .reader = reader.span,
                                  .reader_call = reader.call };
        add_row(w, row, left, axis_of(w, left), -INFINITY, INFINITY);
        w->fed[left] = 1;
        count++;
    }
}

/* Each where it is used first; of many as many as of variables' gradients. */
static void add_weights(const witness *w, vg_node loss) {
    VG_VEC(vg_node) products = { 0 };
    for (vg_node node = 1; node <= loss; node++) {
        if (!is_weighing(w, node)) continue;
        uint8_t *weighed = &w->weighed[w->variable[vg_operand(w->graph, node, 1)] - 1];
        if (!*weighed) vg_vec_push(w->mem, &products, node);
        *weighed = 1;
    }
    for (uint32_t k = 0; k < products.count; k++)
        if (is_taken(k, products.count, 2 * w->most)) add_weight(w, products.items[k]);
    vg_vec_free(w->mem, &products);
}

/* ---- classes */

static double constant_of(const witness *w, vg_node node) {
    double value = 0;
    return vg_node_uniform(w->graph, node, &value) ? value : 0;
}

/* The classes of a loss that is a mean of cross-entropies with integer labels: through mean's sum and division and a
 * sign, whose order is free, to the place where one logarithm of each row is picked. */
static uint64_t classes_of(const witness *w, vg_node node) {
    enum { FAR = 12 };
    const vg_graph *g = w->graph;
    bool mean = false;
    for (uint32_t k = 0; k < FAR; k++) {
        const vg_op op = vg_node_op(g, node);
        if (op == VG_OP_pick) {
            const vg_node rows = vg_operand(g, node, 0);
            const bool known = mean && vg_node_op(g, rows) == VG_OP_log_softmax;
            const vg_node under = known ? vg_operand(g, rows, 0) : 0;
            if (known && vg_node_op(g, under) == VG_OP_softmax) w->unit->softened = g->place.items[under];
            return known ? (uint64_t)length(w, rows, vg_node_rank(g, rows) - 1) : 0;
        }
        if (op == VG_OP_div) mean = constant_of(w, vg_operand(g, node, 1)) == 0;
        else if (op != VG_OP_neg && op != VG_OP_sum && op != VG_OP_alias && !vg_op_is(op, VG_FLAG_view)) return 0;
        node = vg_operand(g, node, 0);
    }
    return 0;
}

/* ---- variables that nothing trains */

static void find_untrained(const witness *w) {
    const vg_unit *unit = w->unit;
    for (uint32_t k = 0; k < unit->blocks.count; k++)
        if (unit->blocks.items[k].chosen) return;
    for (uint32_t k = 0; k < unit->variables.count && unit->blocks.count > 0; k++)
        if (unit->variables.items[k].trainable && !w->reached[k]) vg_vec_push(w->mem, &w->unit->untrained, k);
}

void vg_evidence_add(vg_unit *unit, vg_graph *graph, bool every_step, uint32_t most) {
    const uint32_t count = vg_graph_count(graph), roots = graph->roots.count;
    vg_arena arena;
    vg_arena_init(&arena, unit->ir->mem);
    witness w = {
        .unit = unit, .graph = graph, .mem = unit->ir->mem, .count = count, .every_step = every_step, .most = most
    };
    w.path = VG_ARRAY(&arena, vg_str, count);
    w.learns = VG_ARRAY(&arena, uint8_t, count);
    w.varies = VG_ARRAY(&arena, uint8_t, count);
    w.reaches = VG_ARRAY(&arena, uint8_t, count);
    w.readers = VG_ARRAY(&arena, uint32_t, count);
    w.reader = VG_ARRAY(&arena, vg_node, count);
    w.before = VG_ARRAY(&arena, uint8_t, count);
    w.variable = VG_ARRAY(&arena, uint32_t, count);
    w.weighed = VG_ARRAY(&arena, uint8_t, unit->variables.count);
    w.gate = VG_ARRAY(&arena, uint8_t, count);
    w.fed = VG_ARRAY(&arena, uint8_t, count);
    w.reached = VG_ARRAY(&arena, uint8_t, unit->variables.count);
    find_paths(&w);
    find_dependences(&w);
    find_gates(&w);
    for (uint32_t k = 0; k < roots; k++) {
        const vg_node root = graph->roots.items[k];
        uint32_t words;
        if (vg_node_op(graph, root) != VG_OP_loss) continue;
        const vg_node loss = vg_operand(graph, root, 0);
        find_reach(&w, loss);
        add_weights(&w, loss);
        if (unit->blocks.count == 1) unit->classes = classes_of(&w, loss);
        const uint32_t block = (uint32_t)vg_attr_words(graph->ir, graph->attr.items[root], &words)[0] - 1;
        add_block(&w, loss, block);
        add_inputs(&w, loss, block);
    }
    find_untrained(&w);
    vg_arena_release(&arena);
}
