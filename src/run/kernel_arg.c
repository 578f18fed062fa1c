/* Along one axis of [outer, n, inner]: argmax, argmin (the first of equals; a NaN counts as found, as in NumPy)
 * and running sums (accumulated in double). */
#include "run/kernel_real.h"

typedef struct lines { int64_t outer, count, inner; } lines;

static lines lines_of(const vg_view *view, uint64_t axis) {
    const uint32_t k = (uint32_t)axis;
    return (lines){ vg_extent(view, 0, k), view->dims[k], vg_extent(view, k + 1, view->rank) };
}

#define FIND(name, TYPE, better)                                                                               \
    static int32_t name(const TYPE *from, int64_t count, int64_t stride) {                                     \
        int64_t found = 0;                                                                                     \
        TYPE best = count ? from[0] : 0;                                                                       \
        for (int64_t i = 1; i < count && best == best; i++) {                                                  \
            const TYPE value = from[i * stride];                                                               \
            if (value better best || value != value) { best = value; found = i; }                              \
        }                                                                                                      \
        return (int32_t)found;                                                                                 \
    }
FIND(largest_real, vg_real, >)
FIND(largest_whole, int32_t, >)
FIND(smallest_real, vg_real, <)
FIND(smallest_whole, int32_t, <)
#undef FIND

#define ARG(name, find)                                                                                        \
    void VG_KERNEL(name)(const vg_work *work) {                                                                \
        const vg_view *in = &work->in[0];                                                                      \
        const lines l = lines_of(in, work->words[0]);                                                          \
        int32_t *out = work->out->data;                                                                        \
        for (int64_t o = 0; o < l.outer; o++)                                                                  \
            for (int64_t j = 0; j < l.inner; j++) {                                                            \
                const int64_t first = o * l.count * l.inner + j;                                               \
                *out++ = in->dtype == VG_I32 ? find##_whole((const int32_t *)in->data + first, l.count, l.inner) \
                                             : find##_real((const vg_real *)in->data + first, l.count, l.inner); \
            }                                                                                                  \
    }
ARG(argmax, largest)
ARG(argmin, smallest)
#undef ARG

#define RUNNING(name, TYPE, ACC)                                                                               \
    static void name(const TYPE *from, TYPE *to, int64_t count, int64_t stride) {                              \
        ACC sum = 0;                                                                                           \
        for (int64_t i = 0; i < count; i++) {                                                                  \
            sum += (ACC)from[i * stride];                                                                      \
            to[i * stride] = (TYPE)sum;                                                                        \
        }                                                                                                      \
    }
RUNNING(running_real, vg_real, double)
RUNNING(running_whole, int32_t, uint32_t)
#undef RUNNING

void VG_KERNEL(cumsum)(const vg_work *work) {
    const vg_view *in = &work->in[0];
    const lines l = lines_of(in, work->words[0]);
    for (int64_t o = 0; o < l.outer; o++)
        for (int64_t j = 0; j < l.inner; j++) {
            const int64_t first = o * l.count * l.inner + j;
            if (in->dtype == VG_I32)
                running_whole((const int32_t *)in->data + first, (int32_t *)work->out->data + first, l.count, l.inner);
            else
                running_real((const vg_real *)in->data + first, (vg_real *)work->out->data + first, l.count, l.inner);
        }
}
