/* Which of the compiled instruction sets this machine has: the best of them is taken, so that one binary runs anywhere. */
#include "run/kernel.h"

extern const vg_kernels vg_kernels_f32_base, vg_kernels_f64_base;
#ifdef VG_X86
extern const vg_kernels vg_kernels_f32_avx2, vg_kernels_f64_avx2, vg_kernels_f32_avx512, vg_kernels_f64_avx512;

/* What -march=x86-64-v3 and -v4 may use, as far as a compiler makes use of it in kernels. */
static bool has(vg_isa isa) {
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi")
                 && __builtin_cpu_supports("bmi2");
    switch (isa) {
    case VG_ISA_base: return true;
    case VG_ISA_avx2: return v3;
    case VG_ISA_avx512:
        return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl");
    case VG_ISA_COUNT: break;
    }
    return false;
}

const vg_kernels *vg_kernels_of(vg_isa isa, uint32_t real) {
    static const vg_kernels *const tables[VG_ISA_COUNT][2] = {
        { &vg_kernels_f32_base, &vg_kernels_f64_base },
        { &vg_kernels_f32_avx2, &vg_kernels_f64_avx2 },
        { &vg_kernels_f32_avx512, &vg_kernels_f64_avx512 }
    };
    return has(isa) ? tables[isa][real == 8] : NULL;
}
#else
const vg_kernels *vg_kernels_of(vg_isa isa, uint32_t real) {
    if (isa != VG_ISA_base) return NULL;
    return real == 8 ? &vg_kernels_f64_base : &vg_kernels_f32_base;
}
#endif

const vg_kernels *vg_kernels_best(uint32_t real) {
    const vg_kernels *best = NULL;
    for (vg_isa isa = VG_ISA_COUNT; best == NULL; isa--) best = vg_kernels_of(isa - 1, real);
    return best;
}

void vg_moments_add_f32(const float *values, int64_t count, vg_moments *part, uint32_t *counters) {
    vg_kernels_best(sizeof(float))->moments(values, count, part, counters);
}

void vg_moments_add_f64(const double *values, int64_t count, vg_moments *part, uint32_t *counters) {
    vg_kernels_best(sizeof(double))->moments(values, count, part, counters);
}
