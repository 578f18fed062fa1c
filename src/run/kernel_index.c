/* What is addressed by integers: gather and its adjoint scatter, pick and its adjoint spread. An index out of range
 * is a fault of the step (the data is wrong, not the program): it is noted, zeros stand for the value. */
#include "run/kernel_real.h"

static bool fits(const vg_work *work, const int32_t *indices, int64_t at, int64_t limit) {
    return vg_index_fits(work->context, indices, at, limit);
}

/* in[0] [outer, n, inner] at in[1] [count] -> [outer, count, inner] */
void VG_KERNEL(gather)(const vg_work *work) {
    const vg_view *in = &work->in[0];
    const uint32_t axis = (uint32_t)work->words[0];
    const int64_t outer = vg_extent(in, 0, axis), limit = in->dims[axis], count = work->in[1].count;
    const size_t bytes = (size_t)vg_extent(in, axis + 1, in->rank) * vg_element_size(in->dtype);
    const int32_t *indices = work->in[1].data;
    const char *from = in->data;
    char *to = work->out->data;
    if (bytes == 0) return;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++, to += bytes) {
            if (fits(work, indices, i, limit))
                memcpy(to, from + (size_t)(o * limit + indices[i]) * bytes, bytes);
            else
                memset(to, 0, bytes);
        }
}

/* in[0] [outer, count, inner] at in[1] [count] -> [outer, n, inner], in the order of the indices */
void VG_KERNEL(scatter)(const vg_work *work) {
    const vg_view *in = &work->in[0], *out = work->out;
    const uint32_t axis = (uint32_t)work->words[1];
    const int64_t outer = vg_extent(out, 0, axis), limit = out->dims[axis], count = work->in[1].count;
    const int64_t inner = vg_extent(out, axis + 1, out->rank);
    const int32_t *indices = work->in[1].data;
    memset(out->data, 0, (size_t)out->count * vg_element_size(out->dtype));
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < count; i++) {
            if (!fits(work, indices, i, limit)) continue;
            const int64_t to = (o * limit + indices[i]) * inner, from = (o * count + i) * inner;
            if (out->dtype == VG_I32) {
                uint32_t *sum = (uint32_t *)out->data + to;
                const int32_t *part = (const int32_t *)in->data + from;
                for (int64_t j = 0; j < inner; j++) sum[j] += (uint32_t)part[j];
            } else {
                vg_real *sum = (vg_real *)out->data + to;
                const vg_real *part = (const vg_real *)in->data + from;
                for (int64_t j = 0; j < inner; j++) sum[j] += part[j];
            }
        }
}

/* in[0] [rows, n], in[1] [rows, m] -> [rows, m]; without an axis of its own m is 1 */
#define PICK(name, TYPE)                                                                                       \
    static void name(const vg_work *work, int64_t width, int64_t each) {                                       \
        const int32_t *indices = work->in[1].data;                                                             \
        const TYPE *from = work->in[0].data;                                                                   \
        TYPE *to = work->out->data;                                                                            \
        const bool fit = vg_indices_fit(work, width);                                                                 \
        for (int64_t first = 0; first < work->in[1].count; first += each, from += width) {                     \
            const int32_t *const at = indices + first;                                                         \
            if (fit) {                                                                                         \
                for (int64_t k = 0; k < each; k++) to[first + k] = from[at[k]];                                \
            } else {                                                                                           \
                for (int64_t k = 0; k < each; k++) to[first + k] = at[k] >= 0 && at[k] < width ? from[at[k]] : 0; \
            }                                                                                                  \
        }                                                                                                      \
    }
PICK(pick_real, vg_real)
PICK(pick_whole, int32_t)
#undef PICK

void VG_KERNEL(pick)(const vg_work *work) {
    const vg_view *in = &work->in[0], *at = &work->in[1];
    const int64_t width = in->dims[in->rank - 1], each = at->rank == in->rank ? at->dims[at->rank - 1] : 1;
    if (in->dtype == VG_I32) pick_whole(work, width, each);
    else pick_real(work, width, each);
}

/* in[0], in[1] [rows, m] -> [rows, n], in the order of the indices; word 1: m has an axis of its own, else it is 1 */
#define SPREAD(name, TYPE)                                                                                     \
    static void name(const vg_work *work, int64_t width, int64_t each) {                                       \
        const int32_t *indices = work->in[1].data;                                                             \
        const TYPE *from = work->in[0].data;                                                                   \
        TYPE *to = work->out->data;                                                                            \
        const bool fit = vg_indices_fit(work, width);                                                                 \
        for (int64_t first = 0; first < work->in[1].count; first += each, to += width) {                       \
            const int32_t *const at = indices + first;                                                         \
            memset(to, 0, (size_t)width * sizeof *to);                                                         \
            for (int64_t k = 0; k < each; k++)                                                                 \
                if (fit || (at[k] >= 0 && at[k] < width)) to[at[k]] += from[first + k];                        \
        }                                                                                                      \
    }
SPREAD(spread_real, vg_real)
SPREAD(spread_whole, uint32_t)
#undef SPREAD

void VG_KERNEL(spread)(const vg_work *work) {
    const vg_view *in = &work->in[0], *out = work->out;
    const int64_t width = out->dims[out->rank - 1], each = work->words[1] ? in->dims[in->rank - 1] : 1;
    if (in->count == 0) memset(out->data, 0, (size_t)out->count * vg_element_size(out->dtype));
    else if (out->dtype == VG_I32) spread_whole(work, width, each);
    else spread_real(work, width, each);
}
