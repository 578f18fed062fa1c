/* The elementwise kernels, made from op.def's formulas: one inner loop a row and type, walked over NumPy's
 * broadcast. */
#include "run/kernel_real.h"

/* All operands dense, or some repeated: the loops that matter are written out, so that they vectorise. */
#define LOOP_1(loop, TA, TB, TO, formula)                                                                      \
    static void loop(int64_t count, char *const *at, const int64_t *stride) {                                  \
        typedef TB T;                                                                                          \
        TO *out = (TO *)at[0];                                                                                 \
        const TB *pa = (const TB *)at[1];                                                                      \
        const int64_t sa = stride[1];                                                                          \
        if (sa == 1) {                                                                                         \
            VG_INDEPENDENT                                                                                     \
            for (int64_t i = 0; i < count; i++) { const T a = pa[i]; (void)a; out[i] = (TO)(formula); }        \
        } else {                                                                                               \
            for (int64_t i = 0; i < count; i++) { const T a = pa[i * sa]; (void)a; out[i] = (TO)(formula); }   \
        }                                                                                                      \
    }
#define LOOP_2(loop, TA, TB, TO, formula)                                                                      \
    static void loop(int64_t count, char *const *at, const int64_t *stride) {                                  \
        typedef TB T;                                                                                          \
        TO *out = (TO *)at[0];                                                                                 \
        const TB *pa = (const TB *)at[1], *pb = (const TB *)at[2];                                             \
        const int64_t sa = stride[1], sb = stride[2];                                                          \
        if (sa == 1 && sb == 1) {                                                                              \
            VG_INDEPENDENT                                                                                     \
            for (int64_t i = 0; i < count; i++) { const T a = pa[i], b = pb[i]; out[i] = (TO)(formula); }      \
        } else if (sa == 1 && sb == 0) {                                                                       \
            const T b = *pb;                                                                                   \
            VG_INDEPENDENT for (int64_t i = 0; i < count; i++) { const T a = pa[i]; out[i] = (TO)(formula); }  \
        } else if (sa == 0 && sb == 1) {                                                                       \
            const T a = *pa;                                                                                   \
            VG_INDEPENDENT for (int64_t i = 0; i < count; i++) { const T b = pb[i]; out[i] = (TO)(formula); }  \
        } else {                                                                                               \
            for (int64_t i = 0; i < count; i++) {                                                              \
                const T a = pa[i * sa], b = pb[i * sb];                                                        \
                out[i] = (TO)(formula);                                                                        \
            }                                                                                                  \
        }                                                                                                      \
    }
#define LOOP_3(loop, TA, TB, TO, formula)                                                                      \
    static void loop(int64_t count, char *const *at, const int64_t *stride) {                                  \
        TO *out = (TO *)at[0];                                                                                 \
        const TA *pa = (const TA *)at[1];                                                                      \
        const TB *pb = (const TB *)at[2], *pc = (const TB *)at[3];                                             \
        const int64_t sa = stride[1], sb = stride[2], sc = stride[3];                                          \
        if (sa == 1 && sb == 1 && sc == 1) {                                                                   \
            VG_INDEPENDENT for (int64_t i = 0; i < count; i++) {                                               \
                const TA a = pa[i];                                                                            \
                const TB b = pb[i], c = pc[i];                                                                 \
                out[i] = (TO)(formula);                                                                        \
            }                                                                                                  \
        } else {                                                                                               \
            for (int64_t i = 0; i < count; i++) {                                                              \
                const TA a = pa[i * sa];                                                                       \
                const TB b = pb[i * sb], c = pc[i * sc];                                                       \
                out[i] = (TO)(formula);                                                                        \
            }                                                                                                  \
        }                                                                                                      \
    }

static void map(const vg_work *work, vg_inner inner) {
    vg_walk walk = vg_walk_over(work->out);
    vg_walk_dense(&walk, work->out->data, vg_element_size(work->out->dtype));
    for (uint32_t k = 0; k < work->in_count; k++)
        vg_walk_repeat(&walk, &work->in[k], vg_element_size(work->in[k].dtype));
    vg_walk_run(&walk, inner);
}

static bool whole(const vg_view *view) { return view->dtype == VG_I32; }

/* What a row's types ask for: the loops, and which one a call takes. */
#define KERNEL(name, choice) void VG_KERNEL(name)(const vg_work *work) { map(work, choice); }
#define TYPES_keep(name, arity, real, integer)                                                                 \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    KERNEL(name, whole(work->out) ? name##_whole : name##_real)
#define TYPES_real(name, arity, real, integer)                                                                 \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    KERNEL(name, name##_real)
#define TYPES_test(name, arity, real, integer)                                                                 \
    LOOP_##arity(name##_real, vg_real, vg_real, int32_t, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    KERNEL(name, whole(&work->in[0]) ? name##_whole : name##_real)
#define TYPES_select(name, arity, real, integer)                                                               \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    LOOP_##arity(name##_real_by_whole, int32_t, vg_real, vg_real, real)                                        \
    LOOP_##arity(name##_whole_by_real, vg_real, int32_t, int32_t, integer)                                     \
    KERNEL(name, whole(work->out) ? (whole(&work->in[0]) ? name##_whole : name##_whole_by_real)                \
                                  : (whole(&work->in[0]) ? name##_real_by_whole : name##_real))
#define TYPES_toint(name, arity, real, integer)                                                                \
    LOOP_##arity(name##_real, vg_real, vg_real, int32_t, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, int32_t, integer)                                             \
    KERNEL(name, whole(&work->in[0]) ? name##_whole : name##_real)
#define TYPES_toreal(name, arity, real, integer)                                                               \
    LOOP_##arity(name##_real, vg_real, vg_real, vg_real, real)                                                 \
    LOOP_##arity(name##_whole, int32_t, int32_t, vg_real, integer)                                             \
    KERNEL(name, whole(&work->in[0]) ? name##_whole : name##_real)

#define VG_MAP(name, arity, types, gradient, flops, real, integer, doc) TYPES_##types(name, arity, real, integer)
#include "op.def"
#undef VG_MAP
#undef VG_OP

#undef LOOP_1
#undef LOOP_2
#undef LOOP_3
#undef KERNEL
#undef TYPES_keep
#undef TYPES_real
#undef TYPES_test
#undef TYPES_select
#undef TYPES_toint
#undef TYPES_toreal
