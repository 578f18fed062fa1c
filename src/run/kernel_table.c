/* What is compiled for one precision and instruction set: a row that is work and has no kernel does not link. */
#include "run/product.h"

#define TEXT(isa) #isa
#define TEXT_EXPANDED(isa) TEXT(isa)

extern const vg_kernels VG_VARIANT(vg_kernels);

static void add_moments(const void *values, int64_t count, vg_moments *part, uint32_t *counters) {
    VG_VARIANT(vg_moments_add)(values, count, part, counters);
}

static void distance(const void *now, const void *before, int64_t count, double *moved, double *norm) {
    VG_VARIANT(vg_distance)(now, before, count, moved, norm);
}

const vg_kernels VG_VARIANT(vg_kernels) = {
    .isa = TEXT_EXPANDED(VG_ISA),
    .cuts = !VG_PRODUCT_BY_BLAS,
    .group = VG_VARIANT(vg_group_run),
    .moments = add_moments,
    .distance = distance,
    .loop = VG_VARIANT(vg_map_loop),
    .row = {
#define ROW(name) [VG_OP_##name] = VG_KERNEL(name),
        VG_WORK_ROWS(ROW)
#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) ROW(name)
#include "op.def"
#undef VG_MAP
#undef VG_OP
#undef ROW
    }
};
