/* Random graphs: operators of all kinds over shapes of up to four axes (with axes of length 1, of the batch's, empty
 * ones), variables that begin as some value and are updated to another, and what is watched. For tests of what may not
 * depend on how a graph is run. */
#ifndef VG_TESTS_RANDOM_GRAPH_H
#define VG_TESTS_RANDOM_GRAPH_H

#include "base/random.h"
#include "pass_fixture.h"

enum { RANDOM_NODES = 160, RANDOM_VARIABLES = 24, RANDOM_ELEMENTS = 3000 };

/* smooth: without what jumps (tests, integers made of floats, the largest of several), so that another rounding stays a
 * small difference. fault: an index out of range somewhere. infinite: a loss that is no number. */
typedef struct random_graph {
    vg_graph *g;
    uint64_t  seed, drawn;
    int64_t  *symbols;          /* by vg_symbol */
    vg_dim    batch;
    bool      smooth, fault, infinite;
    vg_node   made[RANDOM_NODES + 8], variables[RANDOM_VARIABLES];
    uint32_t  made_count, variable_count, next_update, watched;
} random_graph;

static inline uint32_t chance(random_graph *r, uint32_t bound) {
    return (uint32_t)vg_random_below((vg_random_key){ r->seed, 1 }, r->drawn++, bound);
}

static inline vg_node one_of(random_graph *r) { return r->made[chance(r, r->made_count)]; }

static inline vg_node float_of(random_graph *r) { return vg_build_float(r->g, one_of(r)); }

static inline int64_t length_of(const random_graph *r, vg_node node, uint32_t axis) {
    const vg_dims *dims = &r->g->ir->dims;
    return vg_dim_value(dims, vg_shape_dim(dims, vg_node_shape(r->g, node), axis), r->symbols);
}

static inline int64_t elements_of(const random_graph *r, vg_node node) {
    int64_t count = 1;
    for (uint32_t k = 0; k < vg_node_rank(r->g, node); k++) count *= length_of(r, node, k);
    return count;
}

/* Too large ones are forgotten. */
static inline void keep(random_graph *r, vg_node node) {
    if (node == 0 || r->made_count == RANDOM_NODES) return;
    if (vg_node_rank(r->g, node) > 4 || elements_of(r, node) > RANDOM_ELEMENTS) return;
    r->made[r->made_count++] = node;
}

static inline vg_shape shape_by_chance(random_graph *r) {
    vg_dims *dims = &r->g->ir->dims;
    vg_dim list[3];
    const uint32_t rank = chance(r, 8) ? 1 + chance(r, 3) : 0;
    for (uint32_t k = 0; k < rank; k++) {
        const uint32_t choice = chance(r, 8);
        static const int64_t lengths[8] = { 3, 3, 3, 1, 1, 7, 7, 2 };
        list[k] = k == 0 && choice < 5 ? r->batch : vg_dim_number(dims, lengths[choice]);
        if (chance(r, 60) == 0) list[k] = vg_dim_number(dims, 0);
    }
    return vg_shape_of(dims, list, rank);
}

/* ---- leaves */

static inline vg_node random_draw(random_graph *r, vg_shape shape, bool fixed) {
    vg_ir *ir = r->g->ir;
    const vg_str path = vg_strings_format(&ir->strings, "draw%u", (unsigned)r->drawn);
    return vg_emit(r->g, VG_OP_random_normal, NULL, 0,
                   vg_attr_of(ir, (vg_word[]){ shape, path, 0, fixed, vg_word_real(0), vg_word_real(1) }, 6));
}

/* Its initial value is drawn, or some value that is there already, which other initial values may be made of, too. */
static inline void add_variable(random_graph *r) {
    vg_ir *ir = r->g->ir;
    if (r->variable_count == RANDOM_VARIABLES) return;
    vg_node value = r->made_count && chance(r, 3) == 0 ? float_of(r) : random_draw(r, shape_by_chance(r), true);
    if (vg_node_rank(r->g, value) > 4 || elements_of(r, value) > RANDOM_ELEMENTS) return;
    if (chance(r, 3) == 0) value = vg_build_map1(r->g, VG_OP_sin, value);
    const vg_str path = vg_strings_format(&ir->strings, "v[%u]", r->variable_count);
    vg_emit(r->g, VG_OP_initial, &value, 1, vg_attr_of(ir, (vg_word[]){ path }, 1));
    const vg_node node = vg_emit(r->g, VG_OP_variable, NULL, 0,
                                 vg_attr_of(ir, (vg_word[]){ vg_node_shape(r->g, value), path }, 2));
    r->variables[r->variable_count++] = node;
    keep(r, node);
}

/* ---- operators */

static inline vg_node elementwise(random_graph *r) {
    static const vg_op ones[] = { VG_OP_tanh, VG_OP_sin, VG_OP_sigmoid, VG_OP_neg, VG_OP_erf, VG_OP_alias,
                                  VG_OP_relu, VG_OP_abs, VG_OP_round, VG_OP_sign };
    return vg_build_map1(r->g, ones[chance(r, r->smooth ? 6 : 10)], r->smooth ? float_of(r) : one_of(r));
}

/* Of two that fit together; of a pair that does not, the first with itself. The result is kept within bounds. */
static inline vg_node pairwise(random_graph *r) {
    static const vg_op twos[] = { VG_OP_add, VG_OP_sub, VG_OP_mul, VG_OP_maximum, VG_OP_minimum, VG_OP_lt, VG_OP_ge,
                                  VG_OP_ne };
    const vg_op op = twos[chance(r, r->smooth ? 3 : 8)];
    vg_node a = one_of(r), b = 0;
    for (uint32_t k = 0; k < 8 && b == 0; k++) {
        const vg_node other = one_of(r);
        if (vg_shape_broadcast(r->g->ir, vg_node_shape(r->g, a), vg_node_shape(r->g, other))) b = other;
    }
    if (b == 0) b = a;
    if (r->smooth) a = vg_build_float(r->g, a);
    if (op == VG_OP_mul) b = vg_build_map1(r->g, VG_OP_sin, b);
    return vg_build_map2(r->g, op, a, b);
}

static inline vg_node chosen(random_graph *r) {
    const vg_node a = one_of(r), b = vg_build_map1(r->g, VG_OP_neg, a);
    vg_node condition = one_of(r);
    const bool fits = vg_shape_broadcast(r->g->ir, vg_node_shape(r->g, condition), vg_node_shape(r->g, a)) != 0;
    if (!fits) condition = a;
    return vg_build_select(r->g, condition, a, chance(r, 2) ? b : a);
}

static inline vg_node reduced(random_graph *r) {
    static const vg_op ops[] = { VG_OP_sum, VG_OP_sum, VG_OP_max, VG_OP_min };
    const vg_node a = float_of(r);
    const uint32_t rank = vg_node_rank(r->g, a);
    if (rank == 0 || elements_of(r, a) == 0) return 0;
    const uint32_t axes = 1 + chance(r, (1u << rank) - 1);
    const vg_node sum = vg_build_reduce(r->g, ops[chance(r, r->smooth ? 2 : 4)], a, axes, chance(r, 2));
    return vg_build_map1(r->g, VG_OP_tanh, sum);
}

/* Rows, and what they are reduced to: as a norm does it. */
static inline vg_node normalised(random_graph *r) {
    static const vg_op ops[] = { VG_OP_sum, VG_OP_max, VG_OP_min }, twos[] = { VG_OP_sub, VG_OP_mul };
    const vg_node a = float_of(r);
    const uint32_t rank = vg_node_rank(r->g, a);
    if (rank < 2 || elements_of(r, a) == 0) return 0;
    vg_node row = vg_build_reduce(r->g, ops[r->smooth ? 0 : chance(r, 3)], a, 1u << (rank - 1), true);
    if (chance(r, 2)) row = vg_build_map2(r->g, VG_OP_mul, vg_build_scalar(r->g, 0.3), row);
    row = vg_build_map1(r->g, VG_OP_tanh, row);
    if (chance(r, 2)) row = vg_build_broadcast(r->g, row, vg_node_shape(r->g, a));
    if (chance(r, 3) == 0) keep(r, row);
    return vg_build_map2(r->g, twos[chance(r, 2)], a, row);
}

/* Axes of length 1 get another length, or one is put in front. */
static inline vg_node repeated(random_graph *r) {
    vg_dims *dims = &r->g->ir->dims;
    const vg_node a = one_of(r);
    vg_dim list[VG_RANK_LIMIT], more[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(dims, vg_node_shape(r->g, a), list), front = chance(r, 2);
    more[0] = chance(r, 2) ? r->batch : vg_dim_number(dims, 1 + chance(r, 2));
    for (uint32_t k = 0; k < rank; k++)
        more[k + front] = vg_dim_is(dims, list[k], 1) && chance(r, 2) ? r->batch : list[k];
    return rank < 4 ? vg_build_broadcast(r->g, a, vg_shape_of(dims, more, rank + front)) : 0;
}

static inline vg_node turned(random_graph *r) {
    const vg_node a = one_of(r);
    const uint32_t rank = vg_node_rank(r->g, a);
    uint32_t perm[VG_RANK_LIMIT];
    for (uint32_t k = 0; k < rank; k++) perm[k] = k;
    for (uint32_t k = rank; k > 1; k--) {
        const uint32_t other = chance(r, k), held = perm[k - 1];
        perm[k - 1] = perm[other];
        perm[other] = held;
    }
    return rank ? vg_build_transpose(r->g, a, perm) : 0;
}

/* Two axes become one, or all do, or one of length 1 comes in front. */
static inline vg_node viewed(random_graph *r) {
    vg_dims *dims = &r->g->ir->dims;
    const vg_node a = one_of(r);
    vg_dim list[VG_RANK_LIMIT + 1];
    uint32_t rank = vg_shape_list(dims, vg_node_shape(r->g, a), list + 1);
    const uint32_t choice = chance(r, 3);
    const vg_dim size = vg_shape_size(dims, vg_node_shape(r->g, a));
    list[0] = vg_dim_number(dims, 1);
    if (choice == 0 || rank == 0) return vg_build_reshape(r->g, a, vg_shape_of(dims, list, rank + 1));
    if (choice == 1) return vg_build_reshape(r->g, a, vg_shape_of(dims, &size, 1));
    if (rank < 2) return 0;
    list[2] = vg_dim_multiply(dims, list[1], list[2]);
    return vg_build_reshape(r->g, a, vg_shape_of(dims, list + 2, rank - 1));
}

static inline vg_node multiplied(random_graph *r) {
    vg_dims *dims = &r->g->ir->dims;
    const vg_node a = float_of(r);
    vg_node b = a, product;
    const uint32_t rank = vg_node_rank(r->g, a), choice = chance(r, 3);
    if (rank < 2 || rank > 4) return 0;
    if (choice == 0) {
        const vg_dim depth = vg_shape_dim(dims, vg_node_shape(r->g, a), rank - 1);
        const vg_dim columns = vg_dim_number(dims, 1 + chance(r, 20));
        b = random_draw(r, vg_shape_of(dims, (vg_dim[]){ depth, columns }, 2), chance(r, 2));
    }
    product = vg_build_matmul(r->g, a, b, choice == 1, choice == 2);
    if (rank > 2 && chance(r, 2)) {      /* of heads; added to what is there */
        const vg_word words[] = { 0, 1, 0, 1, 2 };
        const vg_attr attr = vg_attr_of(r->g->ir, words, 4 + chance(r, 2));
        const vg_node operands[] = { a, chance(r, 2) ? vg_build_map1(r->g, VG_OP_sin, a) : a,
                                     vg_emit(r->g, VG_OP_product, (vg_node[]){ a, a }, 2, attr) };
        product = vg_emit(r->g, VG_OP_product, operands, 2 + chance(r, 2), attr);
    }
    return vg_build_map1(r->g, VG_OP_tanh, product);
}

static inline vg_node whole_number(random_graph *r, int64_t value) {
    return vg_build_fill(r->g, VG_SHAPE_SCALAR, (double)value, VG_I32);
}

/* A node whose attribute is words. */
static inline vg_node emit(random_graph *r, vg_op op, const vg_node *operands, uint32_t count, vg_word word, vg_word more) {
    const bool none = op == VG_OP_pick || op == VG_OP_cross_entropy || op == VG_OP_cross_entropy_input;
    const uint32_t words = op == VG_OP_scatter || op == VG_OP_spread ? 2 : none ? 0 : 1;
    return vg_emit(r->g, op, operands, count, vg_attr_of(r->g->ir, (vg_word[]){ word, more }, words));
}

/* An integer from 0 to limit - 1, whatever the value. */
static inline vg_node clamped(random_graph *r, vg_node value, int64_t limit) {
    vg_graph *g = r->g;
    vg_node index = vg_node_dtype(g, value) == VG_I32 ? value
                  : vg_build_map1(g, VG_OP_int, vg_build_map2(g, VG_OP_mul, value, vg_build_scalar(g, 3)));
    index = vg_build_map2(g, VG_OP_minimum, index, whole_number(r, limit - 1));
    return vg_build_map2(g, VG_OP_maximum, index, whole_number(r, 0));
}

static inline vg_node gathered(random_graph *r) {
    const vg_node a = one_of(r);
    const uint32_t rank = vg_node_rank(r->g, a);
    if (rank == 0) return 0;
    const uint32_t axis = chance(r, rank);
    const int64_t limit = length_of(r, a, axis);
    if (limit == 0) return 0;
    vg_node index = one_of(r);
    if (r->smooth || elements_of(r, index) > 30 || vg_node_rank(r->g, index) > 2)
        index = emit(r, VG_OP_iota, NULL, 0, vg_dim_number(&r->g->ir->dims, 1 + chance(r, 9)), 0);
    index = clamped(r, index, limit);
    if (r->fault && chance(r, 2)) index = vg_build_map2(r->g, VG_OP_add, index, whole_number(r, 2));
    const vg_node part = emit(r, VG_OP_gather, (vg_node[]){ a, index }, 2, axis, 0);
    return chance(r, 2) ? part : emit(r, VG_OP_scatter, (vg_node[]){ part, index }, 2, vg_node_shape(r->g, a), axis);
}

static inline vg_node picked(random_graph *r) {
    const vg_node a = one_of(r);
    const uint32_t rank = vg_node_rank(r->g, a);
    if (rank == 0 || elements_of(r, a) == 0) return 0;
    const int64_t width = length_of(r, a, rank - 1);
    const bool many = chance(r, 2);
    const vg_node index = many ? clamped(r, a, width) : emit(r, VG_OP_argmax, &a, 1, rank - 1, 0);
    const vg_node part = emit(r, VG_OP_pick, (vg_node[]){ a, index }, 2, 0, 0);
    if (chance(r, 2)) return part;
    return emit(r, VG_OP_spread, (vg_node[]){ part, index }, 2, vg_dim_number(&r->g->ir->dims, width), many);
}

static inline vg_node crossed(random_graph *r) {
    const vg_node a = float_of(r);
    const uint32_t rank = vg_node_rank(r->g, a);
    if (rank == 0 || elements_of(r, a) == 0) return 0;
    vg_node index = emit(r, VG_OP_argmax, &a, 1, rank - 1, 0);
    if (r->fault && chance(r, 2)) index = vg_build_map2(r->g, VG_OP_add, index, whole_number(r, 1));
    const vg_node row = emit(r, VG_OP_cross_entropy, (vg_node[]){ a, index }, 2, 0, 0);
    return chance(r, 2) ? row : emit(r, VG_OP_cross_entropy_input, (vg_node[]){ a, index, row }, 3, 0, 0);
}

static inline vg_node along(random_graph *r) {
    static const vg_op ops[] = { VG_OP_softmax, VG_OP_log_softmax, VG_OP_cumsum, VG_OP_argmax, VG_OP_argmin };
    const vg_node a = float_of(r);
    const uint32_t rank = vg_node_rank(r->g, a);
    if (rank == 0 || elements_of(r, a) == 0) return 0;
    const vg_node line = emit(r, ops[chance(r, r->smooth ? 3 : 5)], &a, 1, chance(r, rank), 0);
    return vg_build_map1(r->g, VG_OP_alias, line);
}

static inline vg_node moved(random_graph *r) {
    vg_ir *ir = r->g->ir;
    const vg_node a = one_of(r);
    const uint32_t rank = vg_node_rank(r->g, a), choice = chance(r, 4);
    if (rank == 0) return 0;
    const uint32_t axis = chance(r, rank);
    if (choice == 0) return emit(r, VG_OP_concat, (vg_node[]){ a, a, a }, 2 + chance(r, 2), axis, 0);
    if (choice == 1) return emit(r, VG_OP_flip, &a, 1, axis, 0);
    const vg_node minus = vg_build_map1(r->g, VG_OP_neg, a);
    if (choice == 2) return vg_build_addn(r->g, (vg_node[]){ a, minus, a, a }, 3 + chance(r, 2));
    vg_dim bounds[2 * VG_RANK_LIMIT];
    for (uint32_t k = 0; k < rank; k++) {
        bounds[2 * k] = vg_dim_number(&ir->dims, k == axis && length_of(r, a, k) > 1);
        bounds[2 * k + 1] = vg_shape_dim(&ir->dims, vg_node_shape(r->g, a), k);
    }
    return length_of(r, a, axis) > 1 ? vg_build_slice(r->g, a, bounds) : 0;
}

/* ---- images [n, c, h, w] */

static inline vg_node images_of(random_graph *r) {
    vg_dims *dims = &r->g->ir->dims;
    vg_node images = float_of(r);
    if (vg_node_rank(r->g, images) != 4)
        images = random_draw(r, vg_shape_of(dims, (vg_dim[]){ r->batch, vg_dim_number(dims, 1 + chance(r, 3)),
                                                              vg_dim_number(dims, 4), vg_dim_number(dims, 6) }, 4), false);
    return vg_build_map1(r->g, VG_OP_tanh, images);
}

/* Often with a bias and relu behind it; each of them may be read by others. */
static inline vg_node convolved(random_graph *r) {
    vg_ir *ir = r->g->ir;
    vg_dims *dims = &ir->dims;
    const vg_node images = images_of(r);
    const vg_dim channels = vg_shape_dim(dims, vg_node_shape(r->g, images), 1), one = vg_dim_number(dims, 1);
    const vg_dim outputs = vg_dim_number(dims, 1 + chance(r, 5)), size = vg_dim_number(dims, chance(r, 2) ? 3 : 1);
    const vg_word edge = !vg_dim_is(dims, size, 1);
    const vg_node filters = random_draw(r, vg_shape_of(dims, (vg_dim[]){ outputs, channels, size, size }, 4), true);
    const vg_node bias = random_draw(r, vg_shape_of(dims, (vg_dim[]){ one, outputs, one, one }, 4), chance(r, 2));
    const vg_node sum = vg_emit(r->g, VG_OP_conv2d, (vg_node[]){ images, filters }, 2,
                                vg_attr_of(ir, (vg_word[]){ 1, 1, 1, 1, edge, edge, edge, edge, 1 }, 9));
    if (sum == 0 || chance(r, 4) == 0) return sum;
    if (chance(r, 4) == 0) keep(r, sum);
    const bool first = chance(r, 2);
    const vg_node biased = vg_build_map2(r->g, VG_OP_add, first ? bias : sum, first ? sum : bias);
    if (chance(r, 3) == 0) keep(r, biased);
    return chance(r, 3) ? vg_build_map1(r->g, VG_OP_relu, biased) : biased;
}

/* ---- updates and what is watched */

static inline vg_node sum_of_all(random_graph *r, vg_node a) {
    return vg_build_reduce(r->g, VG_OP_sum, vg_build_float(r->g, a), (1u << vg_node_rank(r->g, a)) - 1, false);
}

/* Each variable once, in order, at some time: to a value of its shape, made of the old one or not. */
static inline void add_update(random_graph *r) {
    vg_graph *g = r->g;
    if (r->next_update >= r->variable_count) return;
    const vg_node variable = r->variables[r->next_update];
    const vg_shape shape = vg_node_shape(g, variable);
    vg_node value = 0;
    for (uint32_t k = 0; k < 20 && value == 0; k++) {
        const vg_node other = float_of(r);
        if (vg_shape_broadcast(g->ir, shape, vg_node_shape(g, other)) == shape) value = other;
    }
    if (value == 0) value = variable;
    if (chance(r, 6) == 0) {
        value = vg_build_broadcast(g, value, shape);
    } else {
        value = vg_build_map2(g, VG_OP_mul, vg_build_scalar(g, 0.1), vg_build_map1(g, VG_OP_tanh, value));
        value = vg_build_map2(g, VG_OP_sub, variable, value);
    }
    if (chance(r, 4) == 0) value = vg_build_map1(g, VG_OP_sin, value);
    if (chance(r, 4) == 0) keep(r, value);
    const vg_word path = vg_attr_words(g->ir, g->attr.items[variable], &(uint32_t){ 0 })[1];
    const vg_word every = chance(r, 5) ? 1 : 2;
    vg_emit(g, VG_OP_update, &value, 1, vg_attr_of(g->ir, (vg_word[]){ path, 1, every }, 3));
    r->next_update++;
}

static inline void add_watched(random_graph *r) {
    vg_graph *g = r->g;
    vg_node node = one_of(r);
    const bool histogram = chance(r, 2);
    const vg_str tag = vg_strings_format(&g->ir->strings, "tag%u", r->watched);
    const vg_word every = 1 + chance(r, 3), index = r->watched++;
    if (chance(r, 3) == 0) {
        vg_emit(g, VG_OP_fetch, &node, 1, vg_attr_of(g->ir, &index, 1));
        return;
    }
    if (!histogram) node = sum_of_all(r, node);
    vg_emit(g, VG_OP_summary, &node, 1,
            vg_attr_of(g->ir, (vg_word[]){ tag, histogram ? VG_SUMMARY_HISTOGRAM : VG_SUMMARY_SCALAR, every, 1 }, 4));
}

/* The size of some value; sometimes of one that has a gradient's place, that of a scalar variable's new value. */
static inline void add_loss(random_graph *r) {
    vg_graph *g = r->g;
    const vg_node value = vg_build_map1(g, VG_OP_tanh, sum_of_all(r, one_of(r)));
    keep(r, value);
    vg_node loss = vg_build_map1(g, VG_OP_square, value);
    if (r->infinite) loss = vg_build_map1(g, VG_OP_log, vg_build_map2(g, VG_OP_sub, vg_build_scalar(g, -1), loss));
    vg_emit(g, VG_OP_loss, &loss, 1, vg_attr_of(g->ir, (vg_word[]){ 1 }, 1));
}

/* What threads share has to be worth meeting for: work that is estimated as large, and due only where everything is. */
static inline void add_burden(random_graph *r) {
    vg_ir *ir = r->g->ir;
    vg_dims *dims = &ir->dims;
#define NUMBERS(a, b, c, d)                                                                                    \
    vg_shape_of(dims, (vg_dim[]){ vg_dim_number(dims, a), vg_dim_number(dims, b), vg_dim_number(dims, c),       \
                                  vg_dim_number(dims, d) }, 4)
    const vg_node images = make_variable(r->g, NUMBERS(48, 8, 16, 16), "images", 0);
    const vg_node filters = make_variable(r->g, NUMBERS(16, 8, 9, 9), "filters", 0);
#undef NUMBERS
    const vg_node all = vg_emit(r->g, VG_OP_conv2d, (vg_node[]){ images, filters }, 2,
                                vg_attr_of(ir, (vg_word[]){ 1, 1, 1, 1, 0, 0, 0, 0, 1 }, 9));
    const vg_node sum = vg_build_reduce(r->g, VG_OP_sum, all, 15, false);
    vg_emit(r->g, VG_OP_summary, &sum, 1,
            vg_attr_of(ir, (vg_word[]){ vg_strings_c(&ir->strings, "burden"), VG_SUMMARY_SCALAR, 1u << 30, 1 }, 4));
}

static inline void add_node(random_graph *r) {
    typedef vg_node make(random_graph *r);
    static make *const makes[] = { elementwise, elementwise, elementwise, pairwise, pairwise, pairwise, pairwise,
                                   reduced, normalised, normalised, repeated, repeated, turned, viewed, multiplied,
                                   gathered, along, moved, moved, convolved, convolved,
                                   chosen, picked, crossed };      /* the last three jump */
    const size_t count = sizeof makes / sizeof *makes;
    keep(r, makes[chance(r, (uint32_t)(r->smooth ? count - 3 : count))](r));
}

static inline void make_random_graph(random_graph *r, vg_graph *g, uint64_t seed, int64_t batch) {
    vg_dims *dims = &g->ir->dims;
    const vg_symbol symbol = vg_dims_symbol(dims, vg_strings_c(&g->ir->strings, "batch"), (vg_span){ 0, 0 });
    r->g = g;
    r->seed = seed;
    r->batch = vg_dim_symbol(dims, symbol);
    r->symbols = vg_mem_alloc(g->ir->mem, (symbol + 1u) * sizeof *r->symbols);
    r->symbols[symbol] = batch;
    for (uint32_t k = 0; k < 4; k++) add_variable(r);
    const uint32_t count = 20 + chance(r, 100), loss_at = chance(r, count);
    for (uint32_t k = 0; k < count; k++) {
        add_node(r);
        const uint32_t also = chance(r, 24);
        if (k == loss_at) add_loss(r);
        if (also == 0) add_variable(r);
        else if (also < 4) add_update(r);
        else if (also < 7) add_watched(r);
    }
    while (r->next_update < r->variable_count && chance(r, 8)) add_update(r);
    for (uint32_t k = 0; k < 4; k++) add_watched(r);
    g->ir->diags.list.count = 0;      /* what did not fit together was left out */
}

#endif
