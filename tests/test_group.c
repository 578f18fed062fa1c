/* Groups of elementwise operators, made by chance: every operator over shapes of all kinds, with operands that are repeated
 * along any axes, of both types, with results in an operand's place, as a whole and in parts; in some of them rows are
 * reduced, and what is one number a row is computed with. What comes out is what the same loops make of each element by
 * itself, and the reductions' kernels of whole arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "run/group.h"

enum { INPUTS = 5, MEMBERS = 12, AXES = 4, RANDOM_SHAPES = 12 };

static const struct { uint32_t rank; int64_t dims[AXES]; } shapes[] = {
    { 0, { 0 } }, { 1, { 1 } }, { 1, { 7 } }, { 1, { 0 } }, { 2, { 3, 5 } }, { 2, { 1, 5 } }, { 2, { 5, 1 } },
    { 2, { 0, 3 } },
    { 3, { 2, 0, 3 } }, { 3, { 1, 1, 1 } }, { 3, { 2, 3, 4 } }, { 3, { 4, 1, 3 } }, { 1, { 5003 } }, { 2, { 3, 4100 } },
    { 2, { 4100, 3 } }, { 2, { 1, 4097 } }, { 4, { 2, 3, 4, 5 } }, { 4, { 3, 1, 2, 33 } }, { 2, { 130, 65 } },
    { 4, { 7, 2, 1, 9 } }, { 2, { 39, 2 } }, { 3, { 3, 33, 15 } }
};

typedef struct bench {
    uint64_t  seed, drawn;
    uint32_t  real;
    const vg_kernels *kernels;
    vg_view   in[INPUTS], out[MEMBERS];
    vg_view   want[VG_GROUP_PLACES];        /* by place, of members */
    vg_op     ops[MEMBERS];
    bool      narrow[VG_GROUP_PLACES];      /* one number for each row: or for all, of inputs */
    vg_dtype  types[VG_GROUP_PLACES];
    vg_member members[MEMBERS];
    uint8_t   size[VG_GROUP_PLACES];
    int64_t   stride[(INPUTS + MEMBERS) * VG_GROUP_AXES];
    vg_group  group;
    uint8_t   known[VG_GROUP_PLACES];       /* places that members read, in order of making */
    uint32_t  known_count;
} bench;

static uint32_t chance(bench *b, uint32_t bound) {
    return (uint32_t)vg_random_below((vg_random_key){ b->seed, 2 }, b->drawn++, bound);
}

static size_t size_of(const bench *b, vg_dtype type) { return type == VG_I32 ? sizeof(int32_t) : b->real; }

static void set(const bench *b, void *at, vg_dtype type, double value) {
    if (type == VG_I32) *(int32_t *)at = (int32_t)value;
    else if (b->real == 8) *(double *)at = value;
    else *(float *)at = (float)value;
}

static void make_view(const bench *b, vg_view *view, vg_dtype type) {
    view->dtype = type;
    view->count = 1;
    for (uint32_t k = 0; k < view->rank; k++) view->count *= view->dims[k];
    const size_t bytes = (size_t)view->count * size_of(b, type);
    view->data = aligned_alloc(64, bytes / 64 * 64 + 64);
    memset(view->data, 0x5a, bytes);
}

/* Of the shape, with some axes of length 1 and some left out in front; plain: of all the shape, or a scalar. */
static void make_input(bench *b, uint32_t k, uint32_t shape, bool plain) {
    static const double odd[] = { 0, -0.0, INFINITY, -INFINITY, NAN, 1e30, -1, 1, 2.5, 0.5 };
    const uint32_t rank = shapes[shape].rank, less = plain ? rank : chance(b, rank + 1);
    const uint32_t missing = chance(b, 3) ? 0 : less;
    vg_view *view = &b->in[k];
    view->rank = rank - missing;
    for (uint32_t axis = missing; axis < rank; axis++)
        view->dims[axis - missing] = plain || chance(b, 4) ? shapes[shape].dims[axis] : 1;
    b->narrow[k] = view->rank == 0 || view->dims[view->rank - 1] == 1;
    make_view(b, view, chance(b, 3) ? VG_F32 : VG_I32);
    for (int64_t i = 0; i < view->count; i++) {
        double value = (double)chance(b, 4001) / 1000 - 2;
        if (view->dtype == VG_I32) value = (double)chance(b, 11) - 5;
        else if (chance(b, 10) == 0) value = odd[chance(b, sizeof odd / sizeof *odd)];
        set(b, (char *)view->data + (size_t)i * size_of(b, view->dtype), view->dtype, value);
    }
    b->types[k] = view->dtype;
    b->known[b->known_count++] = (uint8_t)k;
}

/* Some place of this type, or of any: -1. False when there is none. */
static bool find_place(bench *b, int type, bool narrow, uint8_t *place) {
    for (uint32_t tries = 0; tries < 50; tries++) {
        *place = b->known[chance(b, b->known_count)];
        if ((type < 0 || (int)b->types[*place] == type) && (!narrow || b->narrow[*place])) return true;
    }
    return false;
}

/* A reduction of something that is not reduced yet; its result's type. */
static bool reduce(bench *b, uint32_t k, vg_dtype *type) {
    static const vg_op ops[] = { VG_OP_sum, VG_OP_sum, VG_OP_prod, VG_OP_max, VG_OP_min };
    const vg_op op = ops[chance(b, 5)];
    uint8_t place;
    if (!find_place(b, op == VG_OP_prod ? VG_F32 : -1, false, &place)) return false;
    if (place < INPUTS || b->narrow[place]) return false;
    b->ops[k] = op;
    b->members[k].in[0] = place;
    b->members[k].in_count = 1;
    *type = b->types[place];
    return true;
}

/* An operator whose operands there are; its result's type. */
static vg_dtype choose(bench *b, uint32_t k, bool narrow) {
    vg_member *member = &b->members[k];
    member->narrow = narrow;
    if (chance(b, 8) == 0) {
        bool found = true;
        const int type = (int)chance(b, 2);
        for (uint32_t j = 0; j < 3; j++) found = found && find_place(b, type, narrow, &member->in[j]);
        member->in_count = 3;
        b->ops[k] = VG_OP_addn;
        if (found) return (vg_dtype)type;
    }
    for (;;) {
        const vg_op op = 1 + chance(b, VG_OP_COUNT - 1);
        const vg_op_row *row = &vg_op_rows[op];
        if (!vg_op_is(op, VG_FLAG_map)) continue;
        const int one = row->types == VG_TYPES_real ? VG_F32 : (int)chance(b, 2);
        bool found = true;
        for (uint32_t j = 0; j < row->least && found; j++) {
            const bool any = row->types == VG_TYPES_toint || row->types == VG_TYPES_toreal
                          || (row->types == VG_TYPES_select && j == 0);
            found = find_place(b, any ? -1 : one, narrow, &member->in[j]);
        }
        if (!found) continue;
        member->in_count = row->least;
        b->ops[k] = op;
        if (row->types == VG_TYPES_test || row->types == VG_TYPES_toint) return VG_I32;
        return row->types == VG_TYPES_toreal ? VG_F32 : (vg_dtype)one;
    }
}

static void make_result(bench *b, uint32_t k, uint32_t shape, vg_view *view) {
    const uint8_t place = b->members[k].out;
    view->rank = shapes[shape].rank;
    for (uint32_t axis = 0; axis < view->rank; axis++) view->dims[axis] = shapes[shape].dims[axis];
    if (b->narrow[place]) view->dims[view->rank - 1] = 1;
    make_view(b, view, b->types[place]);
}

/* The last one is always kept, others sometimes. */
static void make_members(bench *b, uint32_t shape) {
    vg_group *g = &b->group;
    bool stored[MEMBERS];
    const uint32_t rank = shapes[shape].rank;
    const bool rows = rank > 1 && shapes[shape].dims[rank - 1] > 1 && chance(b, 2);
    g->member_count = 1 + chance(b, MEMBERS);
    for (uint32_t k = 0; k < g->member_count; k++) {
        stored[k] = k + 1 == g->member_count || chance(b, 4) == 0;
        g->outputs += stored[k];
    }
    uint32_t outputs = 0;
    for (uint32_t k = 0; k < g->member_count; k++) {
        vg_dtype type = VG_F32;
        const bool reduces = rows && chance(b, 3) == 0 && reduce(b, k, &type);
        const bool narrow = !reduces && g->whole_rows && chance(b, 3) == 0;
        if (!reduces) type = choose(b, k, narrow);
        const uint8_t place = (uint8_t)(stored[k] ? INPUTS + outputs : INPUTS + g->outputs + g->buffers);
        b->members[k].out = place;
        b->members[k].loop = b->kernels->loop(b->ops[k], type, b->types[b->members[k].in[0]]);
        b->types[place] = type;
        b->known[b->known_count++] = place;
        b->narrow[place] = reduces || narrow;
        g->whole_rows = g->whole_rows || reduces;
        g->narrow |= (uint64_t)b->narrow[place] << place;
        make_result(b, k, shape, &b->want[place]);
        if (stored[k]) make_result(b, k, shape, &b->out[outputs++]);
        else g->buffers++;
    }
    for (uint32_t k = 0; k < INPUTS + g->outputs + g->buffers; k++) b->size[k] = (uint8_t)size_of(b, b->types[k]);
}

/* Where element `i` of the result's shape lies in an operand, by NumPy's rule. */
static int64_t element_of(const vg_view *whole, const vg_view *view, int64_t i) {
    int64_t at = 0, stride = 1;
    for (uint32_t k = 0; k < whole->rank; k++) {      /* from the last axis on */
        const uint32_t axis = whole->rank - 1 - k;
        const int64_t index = i % whole->dims[axis];
        i /= whole->dims[axis];
        if (k >= view->rank) continue;
        const int64_t length = view->dims[view->rank - 1 - k];
        at += (length == 1 ? 0 : index) * stride;
        stride *= length;
    }
    return at;
}

static void reduce_alone(bench *b, const vg_member *member, vg_op op) {
    const vg_view *out = &b->want[member->out];
    double *scratch = aligned_alloc(64, ((size_t)out->count * sizeof(double) + 64) / 64 * 64);
    const uint64_t words[] = { 1, out->rank - 1 };
    vg_context context = { .scratch = scratch };
    b->kernels->row[op](&(vg_work){ .out = out, .in = &b->want[member->in[0]], .in_count = 1, .words = words,
                                    .word_count = 2, .context = &context });
    free(scratch);
}

/* Each element by itself, of one operator after the other. */
static void compute_alone(bench *b) {
    double values[4];
    for (uint32_t k = 0; k < b->group.member_count; k++) {
        const vg_member *member = &b->members[k], own = { .out = 3, .in = { 0, 1, 2 }, .in_count = member->in_count };
        const vg_view *out = &b->want[member->out];
        vg_tile t = { .rows = 1, .count = 1 };
        for (uint32_t j = 0; j < 4; j++) {
            t.at[j] = (char *)&values[j];
            t.stride[j] = 1;
        }
        if (!vg_op_is(b->ops[k], VG_FLAG_map) && b->ops[k] != VG_OP_addn) reduce_alone(b, member, b->ops[k]);
        for (int64_t i = 0; i < out->count && (vg_op_is(b->ops[k], VG_FLAG_map) || b->ops[k] == VG_OP_addn); i++) {
            for (uint32_t j = 0; j < member->in_count; j++) {
                const uint8_t place = member->in[j];
                const vg_view *in = place < INPUTS ? &b->in[place] : &b->want[place];
                memcpy(&values[j], (char *)in->data + element_of(out, in, i) * b->size[place], b->size[place]);
            }
            member->loop(&t, &own);
            memcpy((char *)out->data + i * b->size[member->out], &values[3], b->size[member->out]);
        }
    }
}

/* The last result may lie in the place of an operand that is as long and of its type: each member reads what it needs of
 * it before, since the last one comes last. */
static void place_last(bench *b) {
    vg_view *last = &b->out[b->group.outputs - 1];
    for (uint32_t k = 0; k < INPUTS && chance(b, 2); k++) {
        if (b->in[k].dtype != last->dtype || b->in[k].count != last->count) continue;
        free(last->data);
        last->data = b->in[k].data;
        return;
    }
}

static void run(bench *b, uint32_t parts) {
    vg_context context = { .scratch = NULL };
    const int64_t rows = b->out[0].rank ? b->out[0].dims[0] : 1;
    vg_work work = { .out = b->out, .in = b->in, .in_count = INPUTS, .group = &b->group, .context = &context };
    const uint64_t bytes = vg_group_scratch(&b->group);
    context.scratch = aligned_alloc(64, bytes + 64);
    for (uint32_t t = 0; t < parts; t++) {
        work.from = vg_share_begin(rows, t, parts);
        work.to = vg_share_begin(rows, t + 1, parts);
        if (parts == 1) work.to = 0;
        if (work.from < work.to || parts == 1) b->kernels->group(&work);
    }
    free(context.scratch);
}

static bool same(const bench *b, const vg_view *x, const vg_view *y) {
    if (memcmp(x->data, y->data, (size_t)x->count * size_of(b, x->dtype)) == 0) return true;
    for (int64_t i = 0; i < x->count; i++) {
        const float *f = x->data, *g = y->data;
        const double *d = x->data, *e = y->data;
        if (x->dtype == VG_I32) return false;
        if (b->real == 4 ? memcmp(&f[i], &g[i], 4) && !(isnan(f[i]) && isnan(g[i]))
                         : memcmp(&d[i], &e[i], 8) && !(isnan(d[i]) && isnan(e[i]))) return false;
    }
    return true;
}

static void release(bench *b) {
    for (uint32_t k = 0; k < b->group.outputs; k++) {
        bool shared = false;
        for (uint32_t j = 0; j < INPUTS; j++) shared = shared || b->in[j].data == b->out[k].data;
        if (!shared) free(b->out[k].data);
    }
    for (uint32_t k = 0; k < b->group.member_count; k++) free(b->want[b->members[k].out].data);
    for (uint32_t k = 0; k < INPUTS; k++) free(b->in[k].data);
}

static void check(uint64_t seed, uint32_t shape, const vg_kernels *kernels, uint32_t real) {
    bench b = { .seed = seed, .real = real, .kernels = kernels };
    b.group = (vg_group){ .inputs = INPUTS, .members = b.members, .size = b.size, .stride = b.stride,
                          .pitch = VG_GROUP_AXES };
    const bool plain = chance(&b, 2);
    for (uint32_t k = 0; k < INPUTS; k++) make_input(&b, k, shape, plain);
    make_members(&b, shape);
    compute_alone(&b);
    place_last(&b);
    vg_view whole = { .rank = shapes[shape].rank };
    for (uint32_t axis = 0; axis < whole.rank; axis++) whole.dims[axis] = shapes[shape].dims[axis];
    vg_group_shape(&b.group, &whole, b.in, b.out);
    run(&b, 1 + chance(&b, 4));
    for (uint32_t k = 0; k < b.group.outputs; k++)
        if (!same(&b, &b.out[k], &b.want[INPUTS + k]))
            fail_msg("%s, %u bytes, shape %u, seed %u: result %u", kernels->isa, real, shape, (unsigned)seed, k);
    release(&b);
}

static void test_by_chance(void **state) {
    (void)state;
    for (uint32_t real = 4; real <= 8; real += 4)
        for (vg_isa isa = VG_ISA_base; isa < VG_ISA_COUNT; isa++)
            for (uint32_t shape = 0; shape < sizeof shapes / sizeof *shapes && vg_kernels_of(isa, real); shape++)
                for (uint64_t seed = 1; seed <= RANDOM_SHAPES; seed++)
                    check(seed * 100 + shape, shape, vg_kernels_of(isa, real), real);
}

/* Neighbouring axes that all go through as one are one; threads cut along the first. */
static void test_axes(void **state) {
    (void)state;
    static const struct { vg_view in; uint32_t rank; int64_t dims[3], unit; uint32_t cut; } rows[] = {
        { { .rank = 3, .dims = { 4, 5, 6 } }, 2, { 1, 120 }, 30, 1 },
        { { .rank = 1, .dims = { 6 } }, 2, { 20, 6 }, 5, 0 },
        { { .rank = 3, .dims = { 4, 1, 6 } }, 3, { 4, 5, 6 }, 1, 0 },
        { { .rank = 3, .dims = { 1, 5, 6 } }, 2, { 4, 30 }, 1, 0 },
        { { .rank = 3, .dims = { 4, 5, 1 } }, 2, { 20, 6 }, 5, 0 },
        { { .rank = 0 }, 2, { 1, 120 }, 30, 1 },
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        const vg_view out = { .rank = 3, .dims = { 4, 5, 6 }, .count = 120 };
        uint8_t size[2] = { 4, 4 };
        int64_t stride[2 * VG_GROUP_AXES];
        vg_group g = { .inputs = 1, .outputs = 1, .size = size, .stride = stride, .pitch = VG_GROUP_AXES };
        vg_group_shape(&g, &out, &rows[k].in, &out);
        assert_int_equal(g.rank, rows[k].rank);
        for (uint32_t axis = 0; axis < g.rank; axis++) assert_int_equal(g.dims[axis], rows[k].dims[axis]);
        assert_int_equal(g.unit, rows[k].unit);
        assert_int_equal(g.cut, rows[k].cut);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_by_chance), cmocka_unit_test(test_axes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
