/* Nodes as expressions of the language (derivative.h). What has no name in it is written by what has one. */
#include <math.h>
#include <string.h>

#include "api/derivative.h"
#include "front/builtin.h"
#include "ir/window.h"

#define TEXT(...) vg_arena_format(&w->arena, __VA_ARGS__)
#define CALL(...) ((vg_written){ TEXT(__VA_ARGS__), VG_BINDS_ATOM })

static vg_written unwritable(vg_writer *w, vg_node node) {
    if (!w->failed) w->failed = node;
    return (vg_written){ "0", VG_BINDS_ATOM };
}

static const vg_word *words_of(const vg_writer *w, vg_node node, uint32_t *count) {
    return vg_attr_words(w->graph->ir, w->graph->attr.items[node], count);
}

static const char *operand(const vg_writer *w, vg_node node, uint32_t k) {
    return w->written[vg_operand(w->graph, node, k)].text;
}

/* In brackets where it binds less tightly than `least`. */
static const char *within(vg_writer *w, vg_node node, vg_binds least) {
    const vg_written at = w->written[node];
    return at.binds >= least ? at.text : TEXT("(%s)", at.text);
}
static const char *operand_within(vg_writer *w, vg_node node, uint32_t k, vg_binds least) {
    return within(w, vg_operand(w->graph, node, k), least);
}

const char *vg_write_number(vg_writer *w, double number) {
    char buffer[32];
    if (isnan(number)) return "(inf - inf)";
    if (isinf(number)) return number > 0 ? "inf" : "-inf";
    const char *text = vg_number_text(buffer, number);
    return vg_arena_copy(&w->arena, text, strlen(text));
}

static const char *dim_text(vg_writer *w, vg_dim dim) {
    vg_text text = vg_text_new(&w->model->mem);
    vg_dim_text(&w->graph->ir->dims, &w->graph->ir->strings, dim, &text);
    const char *copy = vg_arena_copy(&w->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copy;
}

const char *vg_write_shape(vg_writer *w, vg_shape shape) {
    vg_text text = vg_text_new(&w->model->mem);
    vg_shape_text(&w->graph->ir->dims, &w->graph->ir->strings, shape, &text);
    const char *copy = vg_arena_copy(&w->arena, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return copy;
}

static const char *shape_of(vg_writer *w, vg_node node) { return vg_write_shape(w, vg_node_shape(w->graph, node)); }
static uint32_t rank_of(const vg_writer *w, vg_node node) { return vg_node_rank(w->graph, node); }
static vg_dim dim_of(const vg_writer *w, vg_node node, uint32_t axis) {
    return vg_shape_dim(&w->graph->ir->dims, vg_node_shape(w->graph, node), axis);
}

/* "2", or "[0, 2]" */
static const char *integers(vg_writer *w, const vg_word *list, uint32_t count) {
    if (count == 1) return TEXT("%d", (int)list[0]);
    const char *text = "[";
    for (uint32_t k = 0; k < count; k++) text = TEXT("%s%s%d", text, k ? ", " : "", (int)list[k]);
    return TEXT("%s]", text);
}

/* ---- constants */

static vg_written fill(vg_writer *w, vg_node node) {
    double value = 0;
    vg_node_uniform(w->graph, node, &value);
    const char *number = vg_write_number(w, value), *shape = shape_of(w, node);
    if (rank_of(w, node) == 0) return (vg_written){ number, value < 0 ? VG_BINDS_NEGATE : VG_BINDS_ATOM };
    const char *text = value == 0 ? TEXT("zeros(%s)", shape) : value == 1 ? TEXT("ones(%s)", shape)
                                                             : TEXT("full(%s, %s)", shape, number);
    return vg_node_dtype(w->graph, node) == VG_I32 ? CALL("int(%s)", text) : CALL("%s", text);
}

static vg_written constant(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_constant *row = &w->graph->ir->constants.items[words_of(w, node, &count)[1]];
    if (row->count > VG_PRINT_ELEMENTS) return unwritable(w, node);
    const char *text = "[";
    for (uint64_t k = 0; k < row->count; k++)
        text = TEXT("%s%s%s", text, k ? ", " : "", vg_write_number(w, row->elements[k]));
    text = TEXT("reshape(%s], %s)", text, shape_of(w, node));
    return row->dtype == VG_I32 ? CALL("int(%s)", text) : CALL("%s", text);
}

const char *vg_write_distribution(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_op op = vg_node_op(w->graph, node);
    if (!vg_op_is(op, VG_FLAG_draws)) return NULL;
    const vg_word *words = words_of(w, node, &count);
    const char *a = vg_write_number(w, vg_real_word(words[4])), *b = vg_write_number(w, vg_real_word(words[5]));
    switch (op) {
    case VG_OP_random_normal:    return TEXT("normal(%s, %s)", a, b);
    case VG_OP_random_truncated: return TEXT("truncated_normal(%s, %s)", a, b);
    case VG_OP_random_uniform:   return TEXT("uniform(%s, %s)", a, b);
    case VG_OP_random_bernoulli: return TEXT("bernoulli(%s)", a);
    default:                     return TEXT("orthogonal(%s)", a);
    }
}

/* ---- elementwise */

typedef struct sign { vg_op op; vg_binds binds, left, right; } sign;

/* How tightly the operands have to bind: of equals the left one may stand without brackets, of powers the right one. */
static const sign signs[] = {
    { VG_OP_add, VG_BINDS_ADD, VG_BINDS_ADD, VG_BINDS_MULTIPLY },
    { VG_OP_sub, VG_BINDS_ADD, VG_BINDS_ADD, VG_BINDS_MULTIPLY },
    { VG_OP_mul, VG_BINDS_MULTIPLY, VG_BINDS_MULTIPLY, VG_BINDS_NEGATE },
    { VG_OP_div, VG_BINDS_MULTIPLY, VG_BINDS_MULTIPLY, VG_BINDS_NEGATE },
    { VG_OP_pow, VG_BINDS_POWER, VG_BINDS_ATOM, VG_BINDS_NEGATE },
    { VG_OP_eq, VG_BINDS_COMPARE, VG_BINDS_ADD, VG_BINDS_ADD },
    { VG_OP_ne, VG_BINDS_COMPARE, VG_BINDS_ADD, VG_BINDS_ADD },
    { VG_OP_lt, VG_BINDS_COMPARE, VG_BINDS_ADD, VG_BINDS_ADD },
    { VG_OP_le, VG_BINDS_COMPARE, VG_BINDS_ADD, VG_BINDS_ADD },
    { VG_OP_gt, VG_BINDS_COMPARE, VG_BINDS_ADD, VG_BINDS_ADD },
    { VG_OP_ge, VG_BINDS_COMPARE, VG_BINDS_ADD, VG_BINDS_ADD },
    { VG_OP_and, VG_BINDS_AND, VG_BINDS_AND, VG_BINDS_NOT },
    { VG_OP_or, VG_BINDS_OR, VG_BINDS_OR, VG_BINDS_AND },
};

/* The adjoint of a function by its result `a`: d * (a * (1 - a)), d * (1 - square(a)). */
static vg_written by_result(vg_writer *w, vg_node node, vg_op op) {
    const char *a = operand_within(w, node, 0, VG_BINDS_NEGATE), *d = operand_within(w, node, 1, VG_BINDS_MULTIPLY);
    const char *slope = op == VG_OP_sigmoid_input ? TEXT("(%s * (1 - %s))", a, a)
                                                  : TEXT("(1 - square(%s))", operand(w, node, 0));
    return (vg_written){ TEXT("%s * %s", d, slope), VG_BINDS_MULTIPLY };
}

static vg_written map(vg_writer *w, vg_node node) {
    const vg_op op = vg_node_op(w->graph, node);
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        if (signs[k].op == op)
            return (vg_written){ TEXT("%s %s %s", operand_within(w, node, 0, signs[k].left), vg_op_sign(op),
                                      operand_within(w, node, 1, signs[k].right)), signs[k].binds };
    if (op == VG_OP_neg)
        return (vg_written){ TEXT("-%s", operand_within(w, node, 0, VG_BINDS_POWER)), VG_BINDS_NEGATE };
    if (op == VG_OP_not)
        return (vg_written){ TEXT("not %s", operand_within(w, node, 0, VG_BINDS_COMPARE)), VG_BINDS_NOT };
    if (op == VG_OP_sigmoid_input || op == VG_OP_tanh_input) return by_result(w, node, op);
    if (op == VG_OP_alias) return w->written[vg_operand(w->graph, node, 0)];
    if (!vg_builtin_is_map(op)) return unwritable(w, node);
    const char *text = operand(w, node, 0);
    for (uint32_t k = 1; k < w->graph->operand_count.items[node]; k++) text = TEXT("%s, %s", text, operand(w, node, k));
    return CALL("%s(%s)", vg_op_rows[op].name, text);
}

/* ---- reductions, products, sums */

static vg_written reduce(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    const uint32_t rank = rank_of(w, vg_operand(w->graph, node, 0));
    const char *axes = count > 1 && count - 1 < rank ? TEXT(", axis = %s", integers(w, words + 1, count - 1)) : "";
    return CALL("%s(%s%s%s)", vg_op_rows[vg_node_op(w->graph, node)].name, operand(w, node, 0), axes,
                words[0] ? ", keep = true" : "");
}

/* softmax(x), argmax(x, axis = 0): the last axis need not be said. */
static vg_written along(vg_writer *w, vg_node node, bool always) {
    uint32_t count;
    const uint32_t axis = (uint32_t)words_of(w, node, &count)[0];
    const char *name = vg_op_rows[vg_node_op(w->graph, node)].name;
    if (!always && axis + 1 == rank_of(w, vg_operand(w->graph, node, 0)))
        return CALL("%s(%s)", name, operand(w, node, 0));
    return CALL("%s(%s, axis = %u)", name, operand(w, node, 0), axis);
}

/* The adjoints of log_softmax and cross_entropy. */
static vg_written by_softmax(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    const uint32_t last = rank_of(w, vg_operand(w->graph, node, 0)) - 1;
    if (vg_node_op(w->graph, node) == VG_OP_log_softmax_input) {
        const uint32_t axis = (uint32_t)words[0];
        const char *shares = axis == last ? TEXT("softmax(%s)", operand(w, node, 0))
                                          : TEXT("softmax(%s, axis = %u)", operand(w, node, 0), axis);
        return (vg_written){ TEXT("%s - %s * sum(%s, axis = %u, keep = true)", operand_within(w, node, 1, VG_BINDS_ADD),
                                  shares, operand(w, node, 1), axis), VG_BINDS_ADD };
    }
    const char *classes = dim_text(w, dim_of(w, vg_operand(w->graph, node, 0), last));
    return (vg_written){ TEXT("expand(%s, %u) * (softmax(%s) - one_hot(%s, %s))", operand(w, node, 2), last,
                              operand(w, node, 0), operand(w, node, 1), classes), VG_BINDS_MULTIPLY };
}

/* A factor of a product, its last two axes changed where that is asked for. */
static const char *factor(vg_writer *w, vg_node node, uint32_t k, bool turned, vg_binds least) {
    if (!turned) return operand_within(w, node, k, least);
    const uint32_t rank = rank_of(w, vg_operand(w->graph, node, k));
    if (rank == 2) return TEXT("transpose(%s)", operand(w, node, k));
    vg_word perm[VG_RANK_LIMIT];
    for (uint32_t axis = 0; axis < rank; axis++) perm[axis] = axis;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return TEXT("transpose(%s, %s)", operand(w, node, k), integers(w, perm, rank));
}

static vg_written matmul(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    const char *left = factor(w, node, 0, words[0] != 0, VG_BINDS_MULTIPLY);
    return (vg_written){ TEXT("%s @ %s", left, factor(w, node, 1, words[1] != 0, VG_BINDS_NEGATE)), VG_BINDS_MULTIPLY };
}

static vg_written addn(vg_writer *w, vg_node node) {
    const char *text = operand_within(w, node, 0, VG_BINDS_ADD);
    for (uint32_t k = 1; k < w->graph->operand_count.items[node]; k++)
        text = TEXT("%s + %s", text, operand_within(w, node, k, VG_BINDS_MULTIPLY));
    return (vg_written){ text, VG_BINDS_ADD };
}

/* ---- shapes */

static vg_written transpose(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *perm = words_of(w, node, &count);
    bool reversed = true;
    for (uint32_t k = 0; k < count; k++) reversed &= perm[k] == count - 1 - k;
    return reversed ? CALL("transpose(%s)", operand(w, node, 0))
                    : CALL("transpose(%s, %s)", operand(w, node, 0), integers(w, perm, count));
}

/* A scalar that was made [1, ...] to be repeated need not be. */
static vg_written broadcast(vg_writer *w, vg_node node) {
    vg_node from = vg_operand(w->graph, node, 0);
    if (vg_node_op(w->graph, from) == VG_OP_reshape && rank_of(w, vg_operand(w->graph, from, 0)) == 0 && !w->name[from])
        from = vg_operand(w->graph, from, 0);
    return CALL("broadcast(%s, %s)", w->written[from].text, shape_of(w, node));
}

static vg_written slice(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *bounds = words_of(w, node, &count);
    const vg_node whole = vg_operand(w->graph, node, 0);
    const char *text = "";
    for (uint32_t k = 0; k < count / 2; k++) {
        const vg_dim from = (vg_dim)bounds[2 * k], to = (vg_dim)bounds[2 * k + 1];
        const bool all = vg_dim_is(&w->graph->ir->dims, from, 0) && to == dim_of(w, whole, k);
        text = TEXT("%s%s%s", text, k ? ", " : "", all ? ":" : TEXT("%s:%s", dim_text(w, from), dim_text(w, to)));
    }
    return CALL("%s[%s]", operand_within(w, node, 0, VG_BINDS_ATOM), text);
}

static vg_written concat(vg_writer *w, vg_node node) {
    uint32_t count;
    const char *text = operand(w, node, 0);
    for (uint32_t k = 1; k < w->graph->operand_count.items[node]; k++) text = TEXT("%s, %s", text, operand(w, node, k));
    return CALL("concat([%s], axis = %d)", text, (int)words_of(w, node, &count)[0]);
}

static vg_written pad(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    const char *text = "";
    for (uint32_t k = 1; k + 1 < count; k += 2)
        text = TEXT("%s%s[%s, %s]", text, k > 1 ? ", " : "", dim_text(w, (vg_dim)words[k]),
                    dim_text(w, (vg_dim)words[k + 1]));
    const double value = vg_real_word(words[0]);
    const char *filled = value != 0 ? TEXT(", %s", vg_write_number(w, value)) : "";
    return CALL("pad(%s, [%s]%s)", operand(w, node, 0), text, filled);
}

/* The parts of a `place` that together fill it along one axis, and only once: joined,
    in order. NULL when they do not. */
static const char *joined(vg_writer *w, vg_node node) {
    vg_dims *dims = &w->graph->ir->dims;
    uint32_t count, axis = 0;
    const vg_word *words = words_of(w, node, &count);
    const uint32_t rank = rank_of(w, node), parts = w->graph->operand_count.items[node];
    while (axis < rank && dim_of(w, vg_operand(w->graph, node, 0), axis) == dim_of(w, node, axis)) axis++;
    if (axis == rank) return NULL;
    vg_dim end = vg_dim_number(dims, 0);
    const char *text = "";
    for (uint32_t found = 0; found < parts; found++) {
        uint32_t k = 0;
        while (k < parts && words[1 + k * rank + axis] != end) k++;
        for (uint32_t other = 0; other < rank && k < parts; other++)
            if (other != axis && dim_of(w, vg_operand(w->graph, node, k), other) != dim_of(w, node, other)) return NULL;
        if (k == parts) return NULL;
        text = TEXT("%s%s%s", text, found ? ", " : "", operand(w, node, k));
        end = vg_dim_add(dims, end, dim_of(w, vg_operand(w->graph, node, k), axis));
    }
    return end == dim_of(w, node, axis) ? TEXT("concat([%s], axis = %u)", text, axis) : NULL;
}

/* Zeros with the operands added in: a sum of padded ones. */
static vg_written place(vg_writer *w, vg_node node) {
    const char *whole = joined(w, node);
    if (whole) return CALL("%s", whole);
    vg_dims *dims = &w->graph->ir->dims;
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    const uint32_t rank = rank_of(w, node), parts = w->graph->operand_count.items[node];
    const char *sum = "";
    for (uint32_t k = 0; k < parts; k++) {
        const char *widths = "";
        for (uint32_t axis = 0; axis < rank; axis++) {
            const vg_dim before = (vg_dim)words[1 + k * rank + axis];
            const vg_dim end = vg_dim_add(dims, before, dim_of(w, vg_operand(w->graph, node, k), axis));
            const vg_dim behind = vg_dim_subtract(dims, dim_of(w, node, axis), end);
            widths = TEXT("%s%s[%s, %s]", widths, axis ? ", " : "", dim_text(w, before), dim_text(w, behind));
        }
        sum = TEXT("%s%spad(%s, [%s])", sum, k ? " + " : "", operand(w, node, k), widths);
    }
    return (vg_written){ sum, parts > 1 ? VG_BINDS_ADD : VG_BINDS_ATOM };
}

/* ---- by index: with one_hot, and select, so that nothing infinite is multiplied by 0 */

static vg_written pick(vg_writer *w, vg_node node) {
    const vg_node rows = vg_operand(w->graph, node, 0), at = vg_operand(w->graph, node, 1);
    const uint32_t rank = rank_of(w, rows);
    const bool many = rank_of(w, at) == rank;
    const char *width = dim_text(w, dim_of(w, rows, rank - 1));
    return CALL("sum(select(one_hot(%s, %s), %s, 0), axis = -1)", operand(w, node, 1), width,
                many ? TEXT("expand(%s, %u)", operand(w, node, 0), rank - 1) : operand(w, node, 0));
}

static vg_written spread(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    const char *width = dim_text(w, (vg_dim)words[0]);
    const uint32_t rank = rank_of(w, vg_operand(w->graph, node, 0));
    const char *text = TEXT("select(one_hot(%s, %s), expand(%s, %u), 0)", operand(w, node, 1), width,
                            operand(w, node, 0), rank);
    return words[1] ? CALL("sum(%s, axis = %u)", text, rank - 1) : CALL("%s", text);
}

static vg_dim product_of(vg_writer *w, vg_node node, uint32_t from, uint32_t to) {
    vg_dim all = vg_dim_number(&w->graph->ir->dims, 1);
    for (uint32_t k = from; k < to && all; k++) all = vg_dim_multiply(&w->graph->ir->dims, all, dim_of(w, node, k));
    return all;
}

/* Slices added in at their indices: the product of the indices' one_hot with all slices, laid out as [before, slices,
 * behind]. */
static vg_written scatter(vg_writer *w, vg_node node) {
    uint32_t count;
    const uint32_t axis = (uint32_t)words_of(w, node, &count)[1];
    const vg_node slices = vg_operand(w->graph, node, 0), at = vg_operand(w->graph, node, 1);
    const vg_dim number = product_of(w, at, 0, rank_of(w, at)), before = product_of(w, slices, 0, axis);
    const vg_dim behind = product_of(w, slices, axis + rank_of(w, at), rank_of(w, slices));
    if (!number || !before || !behind) return unwritable(w, node);
    const char *hot = TEXT("transpose(one_hot(reshape(%s, [%s]), %s))", operand(w, node, 1), dim_text(w, number),
                           dim_text(w, dim_of(w, node, axis)));
    const bool first = vg_dim_is(&w->graph->ir->dims, before, 1);
    const char *shape = first ? TEXT("[%s, %s]", dim_text(w, number), dim_text(w, behind))
                              : TEXT("[%s, %s, %s]", dim_text(w, before), dim_text(w, number), dim_text(w, behind));
    return CALL("reshape(%s @ reshape(%s, %s), %s)", hot, operand(w, node, 0), shape, shape_of(w, node));
}

/* ---- windows */

/* "2", or "[2, 1]" */
static const char *pair(vg_writer *w, const vg_word *words) {
    return words[0] == words[1] ? integers(w, words, 1) : integers(w, words, 2);
}

/* Top, bottom, left, right: nothing where there is none. */
static const char *padding(vg_writer *w, const vg_word *words) {
    const bool even = words[0] == words[1] && words[2] == words[3];
    if (!even) return TEXT(", pad = [%s, %s]", integers(w, words, 2), integers(w, words + 2, 2));
    if (words[0] == 0 && words[2] == 0) return "";
    return TEXT(", pad = %s", pair(w, (vg_word[]){ words[0], words[2] }));
}

static const char *conv_options(vg_writer *w, const vg_word *words) {
    const char *stride = words[0] == 1 && words[1] == 1 ? "" : TEXT(", stride = %s", pair(w, words));
    const char *dilation = words[2] == 1 && words[3] == 1 ? "" : TEXT(", dilation = %s", pair(w, words + 2));
    const char *groups = words[8] == 1 ? "" : TEXT(", groups = %d", (int)words[8]);
    return TEXT("%s%s%s%s", stride, padding(w, words + 4), dilation, groups);
}

static const char *pool_options(vg_writer *w, const vg_word *words) {
    const bool apart = words[0] == words[2] && words[1] == words[3];
    const char *stride = apart ? "" : TEXT(", stride = %s", pair(w, words + 2));
    return TEXT(", %s%s%s", pair(w, words), stride, padding(w, words + 4));
}

/* What an adjoint without a name of its own is by definition: the derivative of the operator's own sum with `d`, at an
 * operand of its own, which stands between `before` and `behind`. */
static vg_written adjoint_of(vg_writer *w, const char *at, const char *before, const char *behind, const char *d) {
    const char *o = vg_write_extra(w, "o", at);
    return CALL("grad(sum(%s%s%s * %s), %s)", before, o, behind, d, o);
}

static vg_written window(vg_writer *w, vg_node node) {
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    const char *a = operand(w, node, 0), *b = w->graph->operand_count.items[node] > 1 ? operand(w, node, 1) : "";
    const char *zeros = TEXT("zeros(%s)", shape_of(w, node));
    const char *factor_a = operand_within(w, node, 0, VG_BINDS_NEGATE);
    switch (vg_node_op(w->graph, node)) {
    case VG_OP_conv2d:
        return CALL("conv2d(%s, %s%s)", a, b, conv_options(w, words));
    case VG_OP_conv2d_input:
        return adjoint_of(w, zeros, "conv2d(", TEXT(", %s%s)", b, conv_options(w, words + 1)), factor_a);
    case VG_OP_conv2d_filter:
        return adjoint_of(w, zeros, TEXT("conv2d(%s, ", a), TEXT("%s)", conv_options(w, words + 1)),
                          operand_within(w, node, 1, VG_BINDS_NEGATE));
    case VG_OP_pool_max:
        return CALL("max_pool2d(%s%s)", a, pool_options(w, words));
    case VG_OP_pool_max_input:
        return adjoint_of(w, TEXT("stop_gradient(%s)", a), "max_pool2d(", TEXT("%s)", pool_options(w, words)),
                          operand_within(w, node, 1, VG_BINDS_NEGATE));
    case VG_OP_pool_sum:
        return (vg_written){ TEXT("avg_pool2d(%s%s) * %d", a, pool_options(w, words), (int)(words[0] * words[1])),
                             VG_BINDS_MULTIPLY };
    case VG_OP_pool_spread:
        return adjoint_of(w, zeros, "avg_pool2d(", TEXT("%s) * %d", pool_options(w, words + 1),
                                                        (int)(words[1] * words[2])), factor_a);
    default:
        return unwritable(w, node);
    }
}

static vg_written dimension(vg_writer *w, vg_dim dim) {
    const char *text = dim_text(w, dim);
    return (vg_written){ text, strpbrk(text, " *+-") ? VG_BINDS_OR : VG_BINDS_ATOM };
}

/* ---- any */

vg_written vg_write_node(vg_writer *w, vg_node node) {
    const vg_op op = vg_node_op(w->graph, node);
    uint32_t count;
    const vg_word *words = words_of(w, node, &count);
    if (vg_op_is(op, VG_FLAG_map)) return map(w, node);
    switch (op) {
    case VG_OP_fill:        return fill(w, node);
    case VG_OP_constant:    return constant(w, node);
    case VG_OP_dimension:   return dimension(w, (vg_dim)words[0]);
    case VG_OP_iota:        return CALL("arange(%s)", dim_text(w, (vg_dim)words[0]));
    case VG_OP_step:        return words[0] ? unwritable(w, node) : CALL("step");
    case VG_OP_sum: case VG_OP_prod: case VG_OP_max: case VG_OP_min: return reduce(w, node);
    case VG_OP_argmax: case VG_OP_argmin: case VG_OP_softmax: case VG_OP_log_softmax: return along(w, node, false);
    case VG_OP_cross_entropy: return CALL("cross_entropy(%s, %s)", operand(w, node, 0), operand(w, node, 1));
    case VG_OP_log_softmax_input: case VG_OP_cross_entropy_input: return by_softmax(w, node);
    case VG_OP_cumsum:      return along(w, node, true);
    case VG_OP_reshape:     return CALL("reshape(%s, %s)", operand(w, node, 0), shape_of(w, node));
    case VG_OP_broadcast:   return broadcast(w, node);
    case VG_OP_transpose:   return transpose(w, node);
    case VG_OP_slice:       return slice(w, node);
    case VG_OP_place:       return place(w, node);
    case VG_OP_concat:      return concat(w, node);
    case VG_OP_pad:         return pad(w, node);
    case VG_OP_flip:        return CALL("flip(%s, axis = %s)", operand(w, node, 0), integers(w, words, count));
    case VG_OP_gather:      return CALL("gather(%s, %s, axis = %d)", operand(w, node, 0), operand(w, node, 1),
                                        (int)words[0]);
    case VG_OP_scatter:     return scatter(w, node);
    case VG_OP_pick:        return pick(w, node);
    case VG_OP_spread:      return spread(w, node);
    case VG_OP_addn:        return addn(w, node);
    case VG_OP_matmul:      return matmul(w, node);
    default:                return window(w, node);
    }
}
