/* Windows that slide over images [n, c, h, w]: what the attributes of the convolutions and poolings say, as numbers. */
#ifndef VG_IR_WINDOW_H
#define VG_IR_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* Of h and of w. The attribute's words lie in this order, without the kernel where the filter tells it. */
typedef struct vg_window {
    int64_t kernel[2], stride[2], dilation[2];
    int64_t before[2], behind[2];    /* padding: top and left, bottom and right */
} vg_window;

enum { VG_CONV_WORDS = 9, VG_POOL_WORDS = 8 };

/* words: stride, dilation, top, bottom, left, right, groups; the kernel is [kh, kw]. */
static inline vg_window vg_window_of_conv(const uint64_t *words, int64_t kh, int64_t kw) {
    return (vg_window){ { kh, kw }, { (int64_t)words[0], (int64_t)words[1] }, { (int64_t)words[2], (int64_t)words[3] },
                        { (int64_t)words[4], (int64_t)words[6] }, { (int64_t)words[5], (int64_t)words[7] } };
}
/* words: kernel, stride, top, bottom, left, right */
static inline vg_window vg_window_of_pool(const uint64_t *words) {
    return (vg_window){ { (int64_t)words[0], (int64_t)words[1] }, { (int64_t)words[2], (int64_t)words[3] }, { 1, 1 },
                        { (int64_t)words[4], (int64_t)words[6] }, { (int64_t)words[5], (int64_t)words[7] } };
}
/* From the first to the last element of a window, both included. */
static inline int64_t vg_window_span(const vg_window *w, int axis) {
    return w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}
/* How many windows an axis of `length` elements has: floor((length + padding - span) / stride) + 1; below 1: none fits. */
static inline int64_t vg_window_count(const vg_window *w, int axis, int64_t length) {
    const int64_t room = length + w->before[axis] + w->behind[axis] - vg_window_span(w, axis);
    return room < 0 ? 0 : room / w->stride[axis] + 1;
}

#endif
