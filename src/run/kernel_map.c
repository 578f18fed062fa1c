/* The elementwise kernels, made from op.def's formulas: one loop a row and type, and the pass of a group over its shape
 * (group.h), which calls them tile by tile. */
#include "run/group.h"
#include "run/kernel_real.h"

/* Operands side by side, or repeated: the loops that matter are written out, so that they vectorise. */
#define FOR(i) VG_INDEPENDENT for (int64_t i = 0; i < count; i++)
#define ROWS_OF(t, m)                                                                                          \
    const int64_t rows = (m)->flat ? 1 : (t)->rows, count = (m)->flat ? (t)->rows * (t)->count : (t)->count;   \
    for (int64_t r = 0; r < rows; r++)
#define AT(TYPE, t, place) (TYPE *)((t)->at[place] + r * (t)->row[place])
#define LOOP_1(loop, TA, TB, TO, formula)                                                                      \
    static void loop(const vg_tile *t, const vg_member *m) {                                                   \
        typedef TB T;                                                                                          \
        const int64_t sa = t->stride[m->in[0]];                                                                \
        ROWS_OF(t, m) {                                                                                        \
            TO *out = AT(TO, t, m->out);                                                                       \
            const TB *pa = AT(const TB, t, m->in[0]);                                                          \
            if (sa == 1) {                                                                                     \
                FOR(i) { const T a = pa[i]; (void)a; out[i] = (TO)(formula); }                                 \
            } else if (sa == 0) {                                                                              \
                const T a = *pa;                                                                               \
                const TO value = (TO)(formula);                                                                \
                (void)a;                                                                                       \
                FOR(i) out[i] = value;                                                                         \
            } else {                                                                                           \
                for (int64_t i = 0; i < count; i++) { const T a = pa[i * sa]; (void)a; out[i] = (TO)(formula); } \
            }                                                                                                  \
        }                                                                                                      \
    }
#define LOOP_2(loop, TA, TB, TO, formula)                                                                      \
    static void loop(const vg_tile *t, const vg_member *m) {                                                   \
        typedef TB T;                                                                                          \
        const int64_t sa = t->stride[m->in[0]], sb = t->stride[m->in[1]];                                      \
        ROWS_OF(t, m) {                                                                                        \
            TO *out = AT(TO, t, m->out);                                                                       \
            const TB *pa = AT(const TB, t, m->in[0]), *pb = AT(const TB, t, m->in[1]);                         \
            if (sa == 1 && sb == 1) {                                                                          \
                FOR(i) { const T a = pa[i], b = pb[i]; out[i] = (TO)(formula); }                               \
            } else if (sa == 1 && sb == 0) {                                                                   \
                const T b = *pb;                                                                               \
                FOR(i) { const T a = pa[i]; out[i] = (TO)(formula); }                                          \
            } else if (sa == 0 && sb == 1) {                                                                   \
                const T a = *pa;                                                                               \
                FOR(i) { const T b = pb[i]; out[i] = (TO)(formula); }                                          \
            } else if (sa == 0 && sb == 0) {                                                                   \
                const T a = *pa, b = *pb;                                                                      \
                const TO value = (TO)(formula);                                                                \
                FOR(i) out[i] = value;                                                                         \
            } else {                                                                                           \
                for (int64_t i = 0; i < count; i++) {                                                          \
                    const T a = pa[i * sa], b = pb[i * sb];                                                    \
                    out[i] = (TO)(formula);                                                                    \
                }                                                                                              \
            }                                                                                                  \
        }                                                                                                      \
    }
#define EACH_3(B, C, formula)                                                                                  \
    FOR(i) { const TA_ a = pa[i]; const TB_ b = (B), c = (C); out[i] = (TO_)(formula); }
#define LOOP_3(loop, TA, TB, TO, formula)                                                                      \
    static void loop(const vg_tile *t, const vg_member *m) {                                                   \
        typedef TA TA_;                                                                                        \
        typedef TB TB_;                                                                                        \
        typedef TO TO_;                                                                                        \
        const int64_t sa = t->stride[m->in[0]], sb = t->stride[m->in[1]], sc = t->stride[m->in[2]];            \
        ROWS_OF(t, m) {                                                                                        \
            TO *out = AT(TO, t, m->out);                                                                       \
            const TA *pa = AT(const TA, t, m->in[0]);                                                          \
            const TB *pb = AT(const TB, t, m->in[1]), *pc = AT(const TB, t, m->in[2]);                         \
            if (sa == 1 && sb == 1 && sc == 1) {                                                               \
                EACH_3(pb[i], pc[i], formula)                                                                  \
            } else if (sa == 1 && sb == 1 && sc == 0) {                                                        \
                const TB_ one = *pc;                                                                           \
                EACH_3(pb[i], one, formula)                                                                    \
            } else if (sa == 1 && sb == 0 && sc == 1) {                                                        \
                const TB_ one = *pb;                                                                           \
                EACH_3(one, pc[i], formula)                                                                    \
            } else if (sa == 1 && sb == 0 && sc == 0) {                                                        \
                const TB_ one = *pb, other = *pc;                                                              \
                EACH_3(one, other, formula)                                                                    \
            } else {                                                                                           \
                for (int64_t i = 0; i < count; i++) {                                                          \
                    const TA a = pa[i * sa];                                                                   \
                    const TB b = pb[i * sb], c = pc[i * sc];                                                   \
                    out[i] = (TO)(formula);                                                                    \
                }                                                                                              \
            }                                                                                                  \
        }                                                                                                      \
    }

/* What a row's types ask for: the loops, and which one a call takes by the types of its result and first operand. */
#define CHOOSE(name, choice)                                                                                   \
    static vg_loop name##_loop(bool out_whole, bool in_whole) { (void)out_whole; (void)in_whole; return choice; }
#define TYPES_keep(name, arity, real, integer)                                                                 \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    CHOOSE(name, out_whole ? name##_whole : name##_real)
#define TYPES_real(name, arity, real, integer)                                                                 \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    CHOOSE(name, name##_real)
#define TYPES_test(name, arity, real, integer)                                                                 \
    LOOP_##arity(name##_real, vg_real, vg_real, int32_t, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    CHOOSE(name, in_whole ? name##_whole : name##_real)
#define TYPES_select(name, arity, real, integer)                                                               \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    LOOP_##arity(name##_real_by_whole, int32_t, vg_real, vg_real, real)                                        \
    LOOP_##arity(name##_whole_by_real, vg_real, int32_t, int32_t, integer)                                     \
    CHOOSE(name, out_whole ? (in_whole ? name##_whole : name##_whole_by_real)                                  \
                           : (in_whole ? name##_real_by_whole : name##_real))
#define TYPES_toint(name, arity, real, integer)                                                                \
    LOOP_##arity(name##_real, vg_real, vg_real, int32_t, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    CHOOSE(name, in_whole ? name##_whole : name##_real)
#define TYPES_toreal(name, arity, real, integer)                                                               \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, vg_real, integer)                                             \
    CHOOSE(name, in_whole ? name##_whole : name##_real)

#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) TYPES_##types(name, arity, real, integer)
#include "op.def"
#undef VG_MAP
#undef VG_OP

TYPES_keep(addn, 3, a + b + c, VG_WRAP(VG_WRAP(a, +, b), +, c))      /* of three */

#undef FOR
#undef ROWS_OF
#undef AT
#undef LOOP_1
#undef LOOP_2
#undef LOOP_3
#undef EACH_3
#undef CHOOSE
#undef TYPES_keep
#undef TYPES_real
#undef TYPES_test
#undef TYPES_select
#undef TYPES_toint
#undef TYPES_toreal

vg_loop VG_VARIANT(vg_map_loop)(vg_op op, vg_dtype out, vg_dtype in) {
    static vg_loop (*const loops[VG_OP_COUNT])(bool, bool) = {
        [VG_OP_addn] = addn_loop,
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) [VG_OP_##name] = name##_loop,
#include "op.def"
#undef VG_MAP
#undef VG_OP
    };
    return loops[op] ? loops[op](out == VG_I32, in == VG_I32) : VG_VARIANT(vg_reduce_loop)(op, out);
}

/* ---- the pass */

/* What members on narrow values see of a tile: its rows are elements. */
static void turn(const vg_group *g, const vg_tile *t, vg_tile *narrow) {
    narrow->rows = 1;
    narrow->count = t->rows;
    for (uint32_t k = 0; k < g->inputs + g->outputs + g->buffers; k++) {
        narrow->at[k] = t->at[k];
        narrow->row[k] = 0;
        narrow->stride[k] = t->row[k] / g->size[k];
    }
}

static void run_members(const vg_group *g, const vg_tile *t) {
    if (!g->whole_rows) {
        for (uint32_t k = 0; k < g->member_count; k++) g->members[k].loop(t, &g->members[k]);
        return;
    }
    vg_tile narrow;
    turn(g, t, &narrow);
    for (uint32_t k = 0; k < g->member_count; k++)
        g->members[k].loop(g->members[k].narrow ? &narrow : t, &g->members[k]);
}

/* Of a tile whose rows are so short that each costs more to begin than to go through, MANY are taken as one: where rows
 * lie behind each other they are one already, and what is repeated for each row (a bias) is repeated MANY times first.
 * Of such there may be PATTERNS. */
enum { SHORT = 15, MANY = 16, PATTERNS = 2, WIDEST = 8 };

static bool takes_many(const vg_group *g, const vg_tile *t) {
    uint32_t patterns = 0;
    if (g->whole_rows || t->count > SHORT || t->rows < 2 * MANY) return false;
    for (uint32_t k = 0; k < g->inputs + g->outputs; k++) {
        if (t->row[k] == t->stride[k] * t->count * g->size[k]) continue;
        if (t->row[k] != 0 || t->stride[k] != 1 || patterns++ == PATTERNS) return false;
    }
    return true;
}

/* One row, as words, MANY times. */
static void repeat(const char *row, size_t bytes, char *to) {
    enum { WORD = sizeof(int32_t) };
    for (int r = 0; r < MANY; r++, to += bytes)
        for (size_t k = 0; k < bytes; k += WORD) memcpy(to + k, row + k, WORD);
}

static void run_many(const vg_group *g, const vg_tile *t) {
    _Alignas(64) char pattern[PATTERNS][MANY * SHORT * WIDEST];
    const uint32_t arrays = g->inputs + g->outputs, places = arrays + g->buffers;
    const int64_t rows = t->rows / MANY, left = t->rows % MANY;
    uint32_t patterns = 0;
    vg_tile many, last;
    many.rows = rows, last.rows = left;
    many.count = MANY * t->count, last.count = t->count;
    for (uint32_t k = 0; k < places; k++) {
        const bool repeated = t->row[k] != t->stride[k] * t->count * g->size[k];
        many.stride[k] = last.stride[k] = t->stride[k];
        many.row[k] = MANY * t->row[k], last.row[k] = t->row[k];
        many.at[k] = t->at[k], last.at[k] = k < arrays ? t->at[k] + rows * many.row[k] : t->at[k];
        if (!repeated) continue;
        many.at[k] = pattern[patterns++];
        repeat(t->at[k], (size_t)(t->count * g->size[k]), many.at[k]);
    }
    run_members(g, &many);
    if (left > 0) run_members(g, &last);
}

static void run_tile(const vg_group *g, const vg_tile *t) {
    if (takes_many(g, t)) run_many(g, t);
    else run_members(g, t);
}

/* The rows and columns of one plane (the last two axes), tile by tile; at: where it begins in each array. */
static void run_plane(const vg_group *g, vg_tile *t, char *const *at, int64_t rows, int64_t columns) {
    const uint32_t arrays = g->inputs + g->outputs, places = arrays + g->buffers;
    for (int64_t r = 0; r < rows; r += g->rows)
        for (int64_t c = 0; c < columns; c += g->columns) {
            t->rows = rows - r < g->rows ? rows - r : g->rows;
            t->count = columns - c < g->columns ? columns - c : g->columns;
            for (uint32_t k = 0; k < arrays; k++) t->at[k] = at[k] + r * t->row[k] + c * t->stride[k] * g->size[k];
            for (uint32_t k = arrays; k < places; k++) t->row[k] = (g->narrow >> k & 1 ? 1 : t->count) * g->size[k];
            run_tile(g, t);
        }
}

/* All of a shape that is one tile: little is computed, and what surrounds it must be little, too. */
static void run_one_tile(const vg_work *work) {
    const vg_group *g = work->group;
    const uint32_t arrays = g->inputs + g->outputs;
    const int64_t *stride = g->stride;
    char *buffer = work->context->scratch;
    vg_tile t;
    t.rows = g->dims[0];
    t.count = g->dims[1];
    for (uint32_t k = 0; k < arrays; k++, stride += g->pitch) {
        t.at[k] = k < g->inputs ? work->in[k].data : work->out[k - g->inputs].data;
        t.row[k] = stride[0] * g->size[k];
        t.stride[k] = stride[1];
    }
    for (uint32_t k = arrays; k < arrays + g->buffers; k++) {
        const bool narrow = g->narrow >> k & 1;
        t.at[k] = buffer;
        t.row[k] = (narrow ? 1 : t.count) * g->size[k];
        t.stride[k] = !narrow;
        buffer += vg_group_buffer(g, k);
    }
    run_tile(g, &t);
}

/* Rows [from, to) of the shape's first axis; work->group, its inputs, its outputs. */
void VG_VARIANT(vg_group_run)(const vg_work *work) {
    const vg_group *g = work->group;
    if (work->to == 0 && g->rank == 2 && g->dims[0] <= g->rows && g->dims[1] <= g->columns) {
        if (g->dims[0] > 0 && g->dims[1] > 0) run_one_tile(work);
        return;
    }
    const uint32_t arrays = g->inputs + g->outputs, outer = g->rank - 2;
    int64_t dims[VG_GROUP_AXES], index[VG_GROUP_AXES] = { 0 };
    char *at[VG_GROUP_ARRAYS], *buffer = work->context->scratch;
    vg_tile t;
    for (uint32_t k = 0; k < g->rank; k++) dims[k] = g->dims[k];
    if (work->to > 0) dims[g->cut] = (work->to - work->from) * g->unit;
    for (uint32_t k = 0; k < g->rank; k++) if (dims[k] == 0) return;
    for (uint32_t k = 0; k < arrays; k++) {
        at[k] = k < g->inputs ? work->in[k].data : work->out[k - g->inputs].data;
        const int64_t *stride = vg_group_stride(g, k);
        at[k] += work->from * g->unit * stride[g->cut] * g->size[k];
        t.row[k] = stride[g->rank - 2] * g->size[k];
        t.stride[k] = stride[g->rank - 1];
    }
    for (uint32_t k = arrays; k < arrays + g->buffers; k++) {
        t.at[k] = buffer;
        t.stride[k] = !(g->narrow >> k & 1);
        buffer += vg_group_buffer(g, k);
    }
    for (;;) {
        run_plane(g, &t, at, dims[outer], dims[outer + 1]);
        uint32_t axis = outer;
        for (;; axis--) {       /* the next plane: count up, the last outer axis fastest */
            if (axis == 0) return;
            const uint32_t up = axis - 1;
            const bool wraps = ++index[up] == dims[up];
            if (wraps) index[up] = 0;
            const int64_t steps = wraps ? 1 - dims[up] : 1;
            for (uint32_t k = 0; k < arrays; k++) at[k] += steps * vg_group_stride(g, k)[up] * g->size[k];
            if (!wraps) break;
        }
    }
}

/* One operator by itself: a group of one, made for the call. */
static void map(vg_op op, const vg_work *work) {
    vg_member member = { .loop = VG_VARIANT(vg_map_loop)(op, work->out->dtype, work->in[0].dtype),
                         .out = (uint8_t)work->in_count, .in_count = (uint8_t)work->in_count };
    uint8_t size[4];
    int64_t stride[4 * VG_GROUP_AXES];
    vg_group group = { .inputs = work->in_count, .outputs = 1, .member_count = 1, .members = &member, .size = size,
                       .stride = stride, .pitch = VG_GROUP_AXES };
    for (uint32_t k = 0; k < work->in_count; k++) {
        member.in[k] = (uint8_t)k;
        group.size[k] = (uint8_t)vg_element_size(work->in[k].dtype);
    }
    group.size[work->in_count] = (uint8_t)vg_element_size(work->out->dtype);
    vg_group_shape(&group, work->out, work->in, work->out);
    vg_work own = *work;
    own.group = &group;
    VG_VARIANT(vg_group_run)(&own);
}
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc)                                        \
    void VG_KERNEL(name)(const vg_work *work) { map(VG_OP_##name, work); }
#include "op.def"
#undef VG_MAP
#undef VG_OP
