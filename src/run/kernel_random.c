/* Random draws: element i depends on the draw's key and on i alone, and both precisions use the same bits (values
 * are made in double and rounded). */
#include "run/kernel_real.h"

#include "base/map.h"
#include "base/random.h"
#include "ir/graph.h"
#include "run/blas.h"

/* words: shape, path (already a hash), number, fixed, a, b */
typedef struct draw { vg_random_key key; double a, b; vg_real *out; int64_t count; } draw;

static draw draw_of(const vg_work *work) {
    const uint64_t *words = work->words;
    const vg_context *context = work->context;
    const uint64_t stream = vg_hash_pair(vg_hash_pair(context->seed, words[1]), words[2]);
    /* Turns count from 1, so that no turn has the key of a batch. */
    const uint64_t now = context->batch ? context->batch << 16 : (context->step << 16) + context->turn;
    const uint64_t turn = words[3] ? 0 : now;
    const double a = vg_real_word(words[4]), b = vg_real_word(words[5]);
    return (draw){ { stream, turn }, a, b, work->out->data, work->out->count };
}

enum { TOGETHER = 256 };       /* numbers drawn at once; even */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void VG_KERNEL(random_normal)(const vg_work *work) {
    const draw d = draw_of(work);
    VG_PRECISE(vg_random_normals)(d.key, d.a, d.b, d.out, (uint64_t)d.count);
}

/* A standard normal number within two: the first of the element's own sequence of pairs that is (one in 22 is not,
 * so that the sequence practically never ends). */
static double within_two(vg_random_key key, uint64_t element) {
    enum { TRIES = 64 };
    for (uint64_t attempt = 0; attempt < TRIES; attempt++) {
        double pair[2];
        vg_random_normal_pair(key, element * TRIES + attempt, pair);
        if (fabs(pair[0]) < 2) return pair[0];
        if (fabs(pair[1]) < 2) return pair[1];
    }
    return 0;
}

void VG_KERNEL(random_truncated)(const vg_work *work) {
    const draw d = draw_of(work);
    for (int64_t i = 0; i < d.count; i++) d.out[i] = (vg_real)(d.a + d.b * within_two(d.key, (uint64_t)i));
}

void VG_KERNEL(random_uniform)(const vg_work *work) {
    const draw d = draw_of(work);
    const vg_real end = (vg_real)d.b, before = VG_M(nextafter)(end, (vg_real)-INFINITY);
    for (int64_t begin = 0; begin < d.count; begin += TOGETHER) {
        const int64_t count = least(d.count - begin, TOGETHER);
        double values[TOGETHER];
        vg_random_uniforms(d.key, (uint64_t)begin, (uint32_t)count, values);
        for (int64_t k = 0; k < count; k++) {
            const vg_real rounded = (vg_real)(d.a + (d.b - d.a) * values[k]);
            d.out[begin + k] = d.a < d.b && rounded >= end ? before : rounded;   /* rounding may reach the excluded end */
        }
    }
}

void VG_KERNEL(random_bernoulli)(const vg_work *work) {
    const draw d = draw_of(work);
    for (int64_t begin = 0; begin < d.count; begin += TOGETHER) {
        const int64_t count = least(d.count - begin, TOGETHER);
        double values[TOGETHER];
        vg_random_uniforms(d.key, (uint64_t)begin, (uint32_t)count, values);
        for (int64_t k = 0; k < count; k++) d.out[begin + k] = values[k] < d.a ? 1 : 0;
    }
}

/* The first axis against all others, as in PyTorch: rows orthonormal when there are fewer rows, else columns. The
 * matrix is handed to LAPACK tall and column by column: row by row when it is tall already only through a copy. */
void VG_KERNEL(random_orthogonal)(const vg_work *work) {
    const draw d = draw_of(work);
    const vg_view *out = work->out;
    if (out->count == 0) return;
    const int64_t rows = out->rank ? out->dims[0] : 1, columns = out->count / rows;
    const bool tall = rows >= columns;
    const int64_t height = tall ? rows : columns, width = tall ? columns : rows;
    double *q = work->context->scratch, *scratch = q + out->count;
    for (int64_t begin = 0; begin < out->count; begin += TOGETHER) {
        const int64_t count = least(out->count - begin, TOGETHER);
        double values[TOGETHER];
        vg_random_normal_pairs(d.key, (uint64_t)begin / 2, (uint32_t)(count + 1) / 2, values);
        for (int64_t k = 0; k < count; k++) {
            const int64_t i = begin + k, at = tall ? i % columns * height + i / columns : i;
            q[at] = values[k];
        }
    }
    if (!vg_blas_orthogonal(height, width, q, scratch, vg_blas_orthogonal_scratch(height, width))
        && work->context->fault == VG_FAULT_none)
        work->context->fault = VG_FAULT_lapack;
    for (int64_t i = 0; i < out->count; i++) {
        const int64_t at = tall ? i % columns * height + i / columns : i;
        d.out[i] = (vg_real)(d.a * q[at]);
    }
}
