/* What moves elements without looking at them: transpose, broadcast, slice, place, concat, pad, flip, iota. Each is a
 * strided copy (or sum) of a part of one array onto a part of another. */
#include "run/kernel_real.h"

#include "ir/graph.h"

#define COPY(name, TYPE, assign)                                                                               \
    static void name(int64_t count, char *const *at, const int64_t *stride) {                                  \
        TYPE *to = (TYPE *)at[0];                                                                              \
        const TYPE *from = (const TYPE *)at[1];                                                                \
        const int64_t s = stride[0], t = stride[1];                                                            \
        if (s == 1 && t == 1) {                                                                                \
            VG_INDEPENDENT for (int64_t i = 0; i < count; i++) to[i] = (TYPE)(assign(to[i], from[i]));         \
        } else {                                                                                               \
            for (int64_t i = 0; i < count; i++) to[i * s] = (TYPE)(assign(to[i * s], from[i * t]));            \
        }                                                                                                      \
    }
#define SECOND(a, b) (b)
#define SUM(a, b) ((a) + (b))
#define SUM_WRAPPING(a, b) ((uint32_t)(a) + (uint32_t)(b))
COPY(copy_real, vg_real, SECOND)
COPY(copy_whole, int32_t, SECOND)
COPY(add_real, vg_real, SUM)
COPY(add_whole, int32_t, SUM_WRAPPING)
#undef COPY
#undef SECOND
#undef SUM
#undef SUM_WRAPPING

static vg_inner copier(vg_dtype dtype) { return dtype == VG_I32 ? copy_whole : copy_real; }
static vg_inner adder(vg_dtype dtype) { return dtype == VG_I32 ? add_whole : add_real; }

static void set_all(const vg_view *out, double value) {
    if (out->dtype == VG_I32) {
        int32_t *to = out->data;
        for (int64_t i = 0; i < out->count; i++) to[i] = (int32_t)value;
    } else {
        vg_real *to = out->data;
        for (int64_t i = 0; i < out->count; i++) to[i] = (vg_real)value;
    }
}

/* The walk over `part` (one of the two) with `to` as array 0 and `from` as array 1, both with their own dense
 * strides: a part of the larger one, from the place where each begins. */
static vg_walk walk_part(const vg_view *part, const vg_view *to, const vg_view *from) {
    vg_walk walk = vg_walk_over(part);
    const size_t size = vg_element_size(to->dtype);
    walk.arrays = 2;
    walk.at[0] = to->data;
    walk.at[1] = from->data;
    walk.size[0] = walk.size[1] = size;
    vg_walk_strides(to->dims, to->rank, walk.stride[0]);
    vg_walk_strides(from->dims, from->rank, walk.stride[1]);
    return walk;
}

static void begin_at(vg_walk *walk, uint32_t array, uint32_t axis, int64_t index) {
    walk->at[array] += index * walk->stride[array][axis] * (int64_t)walk->size[array];
}

/* ---- transpose */

enum { TILE = 16 };

#define TRANSPOSE(name, TYPE)                                                                                  \
    /* to [rows, columns] with row stride s; from has stride 1 along rows and t along columns */              \
    static void name(TYPE *to, const TYPE *from, int64_t rows, int64_t columns, int64_t s, int64_t t) {        \
        for (int64_t r0 = 0; r0 < rows; r0 += TILE)                                                            \
            for (int64_t c0 = 0; c0 < columns; c0 += TILE) {                                                   \
                const int64_t r1 = r0 + TILE < rows ? r0 + TILE : rows;                                        \
                const int64_t c1 = c0 + TILE < columns ? c0 + TILE : columns;                                  \
                for (int64_t r = r0; r < r1; r++)                                                              \
                    for (int64_t c = c0; c < c1; c++) to[r * s + c] = from[c * t + r];                         \
            }                                                                                                  \
    }
TRANSPOSE(tiles_real, vg_real)
TRANSPOSE(tiles_whole, int32_t)
#undef TRANSPOSE

/* [..., rows, columns] of the result, where `rows` is the operand's last axis. */
static void transpose_tiles(const vg_walk *walk, vg_dtype dtype) {
    const uint32_t last = walk->rank - 1, row = last - 1;
    int64_t batches = 1;
    for (uint32_t k = 0; k < row; k++) batches *= walk->dims[k];
    for (int64_t batch = 0; batch < batches; batch++) {
        int64_t rest = batch, to = 0, from = 0;
        for (uint32_t k = row; k-- > 0; rest /= walk->dims[k]) {
            to += rest % walk->dims[k] * walk->stride[0][k];
            from += rest % walk->dims[k] * walk->stride[1][k];
        }
        void *const at = walk->at[0] + to * (int64_t)walk->size[0];
        const void *const source = walk->at[1] + from * (int64_t)walk->size[1];
        const int64_t rows = walk->dims[row], columns = walk->dims[last];
        if (dtype == VG_I32) tiles_whole(at, source, rows, columns, walk->stride[0][row], walk->stride[1][last]);
        else tiles_real(at, source, rows, columns, walk->stride[0][row], walk->stride[1][last]);
    }
}

void VG_KERNEL(transpose)(const vg_work *work) {
    const vg_view *in = &work->in[0], *out = work->out;
    int64_t strides[VG_RANK_LIMIT];
    vg_walk walk = walk_part(out, out, in);
    vg_walk_strides(in->dims, in->rank, strides);
    for (uint32_t k = 0; k < out->rank; k++) walk.stride[1][k] = strides[work->words[k]];
    if (out->count == 0) return;
    vg_walk_merge(&walk);
    const bool tiles = walk.rank >= 2 && walk.stride[1][walk.rank - 2] == 1;
    if (tiles)
        transpose_tiles(&walk, out->dtype);
    else
        vg_walk_run(&walk, copier(out->dtype));
}

/* ---- the others */

void VG_KERNEL(broadcast)(const vg_work *work) {
    const size_t size = vg_element_size(work->out->dtype);
    vg_walk walk = vg_walk_over(work->out);
    vg_walk_dense(&walk, work->out->data, size);
    vg_walk_repeat(&walk, &work->in[0], size);
    vg_walk_run(&walk, copier(work->out->dtype));
}

void VG_KERNEL(slice)(const vg_work *work) {
    const vg_view *out = work->out;
    vg_walk walk = walk_part(out, out, &work->in[0]);
    for (uint32_t k = 0; k < out->rank; k++) begin_at(&walk, 1, k, (int64_t)work->words[2 * k]);
    vg_walk_run(&walk, copier(out->dtype));
}

/* words: the shape, then each operand's origin. */
void VG_KERNEL(place)(const vg_work *work) {
    const vg_view *out = work->out;
    set_all(out, 0);
    for (uint32_t i = 0; i < work->in_count; i++) {
        const uint64_t *origin = work->words + 1 + i * out->rank;
        vg_walk walk = walk_part(&work->in[i], out, &work->in[i]);
        for (uint32_t k = 0; k < out->rank; k++) begin_at(&walk, 0, k, (int64_t)origin[k]);
        vg_walk_run(&walk, adder(out->dtype));
    }
}

void VG_KERNEL(concat)(const vg_work *work) {
    const vg_view *out = work->out;
    const uint32_t axis = (uint32_t)work->words[0];
    int64_t at = 0;
    for (uint32_t i = 0; i < work->in_count; i++) {
        vg_walk walk = walk_part(&work->in[i], out, &work->in[i]);
        begin_at(&walk, 0, axis, at);
        vg_walk_run(&walk, copier(out->dtype));
        at += work->in[i].dims[axis];
    }
}

/* words: the value, then before and behind of each axis. */
void VG_KERNEL(pad)(const vg_work *work) {
    const vg_view *out = work->out, *in = &work->in[0];
    set_all(out, vg_real_word(work->words[0]));
    vg_walk walk = walk_part(in, out, in);
    for (uint32_t k = 0; k < in->rank; k++) begin_at(&walk, 0, k, (int64_t)work->words[1 + 2 * k]);
    vg_walk_run(&walk, copier(out->dtype));
}

void VG_KERNEL(flip)(const vg_work *work) {
    const vg_view *out = work->out;
    vg_walk walk = walk_part(out, out, &work->in[0]);
    for (uint32_t i = 0; i < work->word_count; i++) {
        const uint32_t axis = (uint32_t)work->words[i];
        begin_at(&walk, 1, axis, out->dims[axis] > 0 ? out->dims[axis] - 1 : 0);
        walk.stride[1][axis] = -walk.stride[1][axis];
    }
    vg_walk_run(&walk, copier(out->dtype));
}

void VG_KERNEL(iota)(const vg_work *work) {
    int32_t *out = work->out->data;
    for (int64_t i = 0; i < work->out->count; i++) out[i] = (int32_t)i;
}
