/* Measuring what a core can do (limit.h). */
#include "run/limit.h"

#include <math.h>
#include <string.h>

#include "base/os.h"

/* Copies of 32 KB, 256 KB, 2 MB, 16 MB and 128 MB of traffic. */
enum { TRIES = 5, LEAST_BYTES = 1 << 15, GROWTH = 8, TRY_BYTES = 1 << 20 };

/* The best of several tries, each of `times` times the work, after one that finds the memory; for `about` so long. */
static double best_of(void (*work)(void *user), void *user, uint32_t times, double about) {
    double best = INFINITY;
    const double start = vg_os_seconds();
    work(user);
    for (uint32_t k = 0; k < TRIES || vg_os_seconds() - start < about; k++) {
        const double before = vg_os_seconds();
        for (uint32_t j = 0; j < times; j++) work(user);
        best = fmin(best, (vg_os_seconds() - before) / times);
    }
    return best;
}

/* ---- products */

typedef struct product { vg_kernel kernel; vg_work work; } product;

static void multiply(void *user) {
    const product *p = user;
    p->kernel(&p->work);
}

static vg_view square(vg_mem *mem, uint32_t real) {
    const int64_t side = VG_LIMIT_PRODUCT;
    return (vg_view){ .data = vg_mem_alloc(mem, (size_t)(side * side) * real), .rank = 2, .dims = { side, side },
                      .count = side * side };
}

static double product_rate(vg_mem *mem, const vg_kernels *kernels, uint32_t real) {
    const double flops = 2.0 * VG_LIMIT_PRODUCT * VG_LIMIT_PRODUCT * VG_LIMIT_PRODUCT, about = 0.03;
    const uint64_t words[2] = { 0 };      /* neither is transposed */
    const vg_view in[] = { square(mem, real), square(mem, real) }, out = square(mem, real);
    vg_context context = { .fault = VG_FAULT_none };
    product p = { kernels->row[VG_OP_matmul],
                  { .out = &out, .in = in, .in_count = 2, .words = words, .word_count = 2, .context = &context } };
    context.scratch_bytes = vg_kernel_scratch(VG_OP_matmul, &p.work, real);
    context.scratch = vg_mem_alloc(mem, context.scratch_bytes);
    const double seconds = best_of(multiply, &p, 1, about);
    vg_mem_free(mem, context.scratch);
    vg_mem_free(mem, out.data);
    for (uint32_t k = 0; k < 2; k++) vg_mem_free(mem, in[k].data);
    return flops / seconds;
}

/* ---- copies */

typedef struct copy { char *to, *from; size_t bytes; } copy;

static void run_copy(void *user) {
    const copy *c = user;
    memcpy(c->to, c->from, c->bytes);
}

vg_limits vg_limits_measure(vg_mem *mem, const vg_kernels *kernels, uint32_t real) {
    vg_limits limits = { .product = product_rate(mem, kernels, real) };
    double bytes = LEAST_BYTES;
    const double about = 0.005;
    for (uint32_t k = 0; k < VG_LIMIT_COPIES; k++, bytes *= GROWTH) {
        const uint32_t times = bytes < TRY_BYTES ? (uint32_t)(TRY_BYTES / bytes) : 1;
        copy c = { .bytes = (size_t)bytes / 2 };
        c.to = vg_mem_alloc(mem, c.bytes);
        c.from = vg_mem_alloc(mem, c.bytes);
        memset(c.from, 1, c.bytes);
        limits.copy[k] = (vg_limit_copy){ bytes, bytes / best_of(run_copy, &c, times, about) };
        vg_mem_free(mem, c.to);
        vg_mem_free(mem, c.from);
    }
    return limits;
}

double vg_limits_seconds(const vg_limits *limits, double flops, double bytes) {
    uint32_t k = 0;
    while (k + 1 < VG_LIMIT_COPIES && limits->copy[k].bytes < bytes) k++;
    return fmax(flops / limits->product, bytes / limits->copy[k].rate);
}
