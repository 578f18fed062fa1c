/* The sums of convolutions over strips (conv.h).
 *
 * Compiled with contraction of a * b + c allowed, as kernel_product.c. */
#include "run/conv.h"
#include "run/micro.h"

/* ---- the result: pixels side by side in vectors, each a sum over depth in order */

/* Some filters, tiles [depth, step], and the pixels that they see: b + places[p]. What a sum is finished by: see vg_sweep. */
typedef struct tile {
    const vg_real *a; int64_t step;
    const vg_real *b; const int64_t *places;
    int64_t depth;
    bool    add;
    const vg_real *bias;
    bool    relu;
} tile;

/* By bytes of a vector, multiply_N: c [rows, vectors of them] = the sums, in registers to their end. All but the tile and c
 * are constants where it is called. */
#define MULTIPLY(bytes)                                                                                        \
    typedef vg_real vector_##bytes __attribute__((vector_size(bytes)));                                        \
    typedef vg_real loose_##bytes __attribute__((vector_size(bytes), aligned(sizeof(vg_real)), may_alias));    \
    typedef vg_lane lanes_##bytes __attribute__((vector_size(bytes)));                                         \
    static inline __attribute__((always_inline)) void multiply_##bytes(const tile *t, int rows, int vectors,   \
                                                                       vg_real *c, int64_t ldc) {              \
        enum { LANES = bytes / sizeof(vg_real) };                                                              \
        vector_##bytes sum[VG_TILE_ROWS][VG_TILE_VECTORS];                                                     \
        const vg_real *restrict a = t->a, *restrict b = t->b;                                                  \
        const int64_t *restrict places = t->places;                                                            \
        const int64_t step = t->step, depth = t->depth;                                                        \
        FOR(i, rows) FOR(v, vectors) sum[i][v] = (vector_##bytes){ 0 };                                        \
        for (int64_t p = 0; p < depth; p++, a += step) {                                                       \
            vector_##bytes line[VG_TILE_VECTORS];                                                              \
            const vg_real *const at = b + places[p];                                                           \
            FOR(v, vectors) line[v] = *(const loose_##bytes *)(at + v * LANES);                                \
            FOR(i, rows) FOR(v, vectors) sum[i][v] += a[i] * line[v];                                          \
        }                                                                                                      \
        if (t->add) FOR(i, rows) FOR(v, vectors) sum[i][v] += *(const loose_##bytes *)(c + i * ldc + v * LANES); \
        if (t->bias) FOR(i, rows) FOR(v, vectors) sum[i][v] += t->bias[i];                                     \
        if (t->relu)      /* not below 0; a NaN is kept */                                                     \
            FOR(i, rows) FOR(v, vectors)                                                                       \
                sum[i][v] = (vector_##bytes)((lanes_##bytes)sum[i][v] & ~(sum[i][v] <= (vector_##bytes){ 0 })); \
        FOR(i, rows) FOR(v, vectors) *(loose_##bytes *)(c + i * ldc + v * LANES) = sum[i][v];                  \
    }
#define FOR(i, count) _Pragma("GCC unroll 12") for (int i = 0; i < (count); i++)

/* For each height of a tile, one of two vectors, one of one, and those of parts of one: `count` tiles side by side. */
typedef void (*sweep)(const tile *t, int64_t count, vg_real *c, int64_t ldc);
#define SWEEP(rows, vectors, bytes)                                                                            \
    static __attribute__((noinline)) void sweep_##rows##_##vectors##_##bytes(const tile *t, int64_t count,     \
                                                                             vg_real *c, int64_t ldc) {        \
        enum { COLUMNS = vectors * bytes / sizeof(vg_real) };                                                  \
        tile at = *t;                                                                                          \
        for (; count > 0; count--, at.b += COLUMNS, c += COLUMNS) {                                            \
            for (int i = 0; i < rows; i++)                                                                     \
                for (int v = 0; v < COLUMNS; v += VG_MICRO_LANES) __builtin_prefetch(c + i * ldc + v, 1);      \
            multiply_##bytes(&at, rows, vectors, c, ldc);                                                      \
        }                                                                                                      \
    }
#if defined __AVX512F__
MULTIPLY(64) MULTIPLY(32) MULTIPLY(16)
#define SWEEPS(rows) SWEEP(rows, 2, 64) SWEEP(rows, 1, 64) SWEEP(rows, 1, 32) SWEEP(rows, 1, 16)
#define NAMES(rows) { sweep_##rows##_2_64, sweep_##rows##_1_64, sweep_##rows##_1_32, sweep_##rows##_1_16 },
enum { KINDS = 4 };
#elif defined __AVX2__
MULTIPLY(32) MULTIPLY(16)
#define SWEEPS(rows) SWEEP(rows, 2, 32) SWEEP(rows, 1, 32) SWEEP(rows, 1, 16)
#define NAMES(rows) { sweep_##rows##_2_32, sweep_##rows##_1_32, sweep_##rows##_1_16 },
enum { KINDS = 3 };
#else
MULTIPLY(16)
#define SWEEPS(rows) SWEEP(rows, 2, 16) SWEEP(rows, 1, 16)
#define NAMES(rows) { sweep_##rows##_2_16, sweep_##rows##_1_16 },
enum { KINDS = 2 };
#endif
VG_TILE_HEIGHTS(SWEEPS)
static const sweep sweeps[VG_TILE_ROWS][KINDS] = { VG_TILE_HEIGHTS(NAMES) };
#undef MULTIPLY
#undef FOR
#undef SWEEP
#undef SWEEPS
#undef NAMES

int64_t VG_VARIANT(vg_conv_tile)(int64_t outputs) {
    const int64_t tiles = (outputs + VG_TILE_ROWS - 1) / VG_TILE_ROWS;
    return (outputs + tiles - 1) / tiles;
}

/* The pixels behind the last whole vector, in the smallest part of one that has them all; beside the result, where they
 * do not fill it. */
static void sweep_tail(const tile *t, int64_t rows, int64_t pixels, vg_real *c, int64_t ldc) {
    vg_real beside[VG_TILE_ROWS * VG_MICRO_LANES] __attribute__((aligned(64)));
    int64_t kind = 1, lanes = VG_MICRO_LANES;
    for (; kind + 1 < KINDS && pixels <= lanes / 2; kind++) lanes /= 2;
    if (pixels == lanes) {
        sweeps[rows - 1][kind](t, 1, c, ldc);
        return;
    }
    if (t->add) {
        memset(beside, 0, sizeof beside);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = 0; k < pixels; k++) beside[i * VG_MICRO_LANES + k] = c[i * ldc + k];
    }
    sweeps[rows - 1][kind](t, 1, beside, VG_MICRO_LANES);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < pixels; k++) c[i * ldc + k] = beside[i * VG_MICRO_LANES + k];
}

void VG_VARIANT(vg_conv_sweep)(const vg_sweep *s) {
    enum { TOGETHER = 4 * VG_TILE_COLUMNS };      /* pixels that all filters see before the next: they stay in cache */
    const int64_t whole = s->pixels / VG_MICRO_LANES * VG_MICRO_LANES;
    for (int64_t j = 0, count; j < s->pixels; j += count) {
        const int64_t tiles = (whole - j) / VG_TILE_COLUMNS;
        count = tiles > 0 ? tiles * VG_TILE_COLUMNS : whole - j > 0 ? whole - j : s->pixels - j;
        if (count > TOGETHER) count = TOGETHER;
        tile t = { .a = s->filters, .step = s->height, .b = s->strips + j, .places = s->places, .depth = s->depth,
                   .add = s->add, .bias = s->bias, .relu = s->relu };
        for (int64_t i = 0; i < s->outputs; i += s->height, t.a += s->tile_step) {
            const int64_t rows = s->outputs - i < s->height ? s->outputs - i : s->height;
            vg_real *const c = s->result + i * s->result_step + j;
            if (s->bias) t.bias = s->bias + i;
            if (tiles > 0) sweeps[rows - 1][0](&t, count / VG_TILE_COLUMNS, c, s->result_step);
            else if (j < whole) sweeps[rows - 1][1](&t, 1, c, s->result_step);
            else sweep_tail(&t, rows, count, c, s->result_step);
        }
    }
}

/* ---- the filters' adjoint: each sum in lanes over the pixels, joined at the end in a fixed tree */

#if defined __AVX512F__ || defined __aarch64__
enum { DOT_ROWS = 4, DOT_COLUMNS = 6 };
#else
enum { DOT_ROWS = 3, DOT_COLUMNS = 4 };
#endif

/* All ones in the first `count` lanes, as bytes. */
typedef char bytes __attribute__((vector_size(VG_VECTOR_BYTES)));
static bytes first_lanes(int64_t count) {
    bytes mask;
    memset(&mask, 0, sizeof mask);
    memset(&mask, 0xff, (size_t)count * sizeof(vg_real));
    return mask;
}

/* The sum of a vector's lanes: its halves added, then theirs. */
typedef vg_real sixteen __attribute__((vector_size(16)));
static inline __attribute__((always_inline)) vg_real total(const vg_vector *lanes) {
    typedef int64_t words __attribute__((vector_size(VG_VECTOR_BYTES)));
    const words x = (words)*lanes;
#define HALF(type, vector, ...) (type)__builtin_shufflevector(vector, vector, __VA_ARGS__)
#if defined __AVX512F__
    typedef vg_real half __attribute__((vector_size(32)));
    typedef int64_t half_words __attribute__((vector_size(32)));
    const half_words y = (half_words)(HALF(half, x, 0, 1, 2, 3) + HALF(half, x, 4, 5, 6, 7));
    const sixteen z = HALF(sixteen, y, 0, 1) + HALF(sixteen, y, 2, 3);
#elif defined __AVX2__
    const sixteen z = HALF(sixteen, x, 0, 1) + HALF(sixteen, x, 2, 3);
#else
    const sixteen z = (sixteen)x;
#endif
#undef HALF
#ifdef VG_REAL_double
    return z[0] + z[1];
#else
    return (z[0] + z[2]) + (z[1] + z[3]);
#endif
}

static inline __attribute__((always_inline)) void dot(const vg_gather *g, int rows, int columns, int64_t output,
                                                      int64_t place) {
    vg_vector sum[DOT_ROWS][DOT_COLUMNS];
    const int64_t row = g->adjoint_row, whole = g->pixels / VG_MICRO_LANES * VG_MICRO_LANES;
    const bytes mask = first_lanes(g->pixels - whole);
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 6
        for (int k = 0; k < columns; k++) sum[i][k] = (vg_vector){ 0 };
    for (int64_t n = 0; n < g->images; n++) {
        const vg_real *from[DOT_COLUMNS], *adjoint = g->adjoint + n * g->adjoint_step + output * row;
#pragma GCC unroll 6
        for (int k = 0; k < columns; k++) from[k] = g->strips + n * g->strips_step + g->places[place + k];
        for (int64_t q = 0; q < whole; q += VG_MICRO_LANES) {
            vg_vector line[DOT_ROWS];
#pragma GCC unroll 4
            for (int i = 0; i < rows; i++) line[i] = *(const vg_loose *)(adjoint + i * row + q);
#pragma GCC unroll 6
            for (int k = 0; k < columns; k++) {
                const vg_vector x = *(const vg_loose *)(from[k] + q);
#pragma GCC unroll 4
                for (int i = 0; i < rows; i++) sum[i][k] += line[i] * x;
            }
        }
        if (whole == g->pixels) continue;
        const vg_real *const tail = g->tails + (n * g->outputs + output) * VG_MICRO_LANES;
#pragma GCC unroll 6
        for (int k = 0; k < columns; k++) {
            const vg_vector x = (vg_vector)((bytes)*(const vg_loose *)(from[k] + whole) & mask);
#pragma GCC unroll 4
            for (int i = 0; i < rows; i++) sum[i][k] += *(const vg_vector *)(tail + i * VG_MICRO_LANES) * x;
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 6
        for (int k = 0; k < columns; k++) {
            vg_real *const to = &g->sum[(output + i) * g->sum_step + place + k];
            const vg_real value = total(&sum[i][k]);
            *to = g->add ? *to + value : value;
        }
}

typedef void (*micro_dot)(const vg_gather *g, int64_t output, int64_t place);
#define DOT(rows, columns)                                                                                     \
    static __attribute__((noinline)) void dot_##rows##_##columns(const vg_gather *g, int64_t output, int64_t place) { \
        dot(g, rows, columns, output, place);                                                                  \
    }
#define NAME(rows, columns) dot_##rows##_##columns,
#if defined __AVX512F__ || defined __aarch64__
#define LINE(X, rows) X(rows, 1) X(rows, 2) X(rows, 3) X(rows, 4) X(rows, 5) X(rows, 6)
#define LINES(Y) Y(1) Y(2) Y(3) Y(4)
#else
#define LINE(X, rows) X(rows, 1) X(rows, 2) X(rows, 3) X(rows, 4)
#define LINES(Y) Y(1) Y(2) Y(3)
#endif
#define DOTS(rows) LINE(DOT, rows)
#define NAMES(rows) { LINE(NAME, rows) },
LINES(DOTS)
static const micro_dot dots[DOT_ROWS][DOT_COLUMNS] = { LINES(NAMES) };
#undef DOT
#undef NAME
#undef LINE
#undef LINES
#undef DOTS
#undef NAMES

/* As many as all tiles of about the same size have, none above `most`. */
static int64_t even(int64_t count, int64_t most) {
    const int64_t tiles = (count + most - 1) / most;
    return (count + tiles - 1) / tiles;
}

/* The pixels behind the last whole vector, filled up with zeros. */
static void copy_tails(const vg_gather *g) {
    const int64_t whole = g->pixels / VG_MICRO_LANES * VG_MICRO_LANES, own = g->pixels - whole;
    vg_real *to = g->tails;
    if (own == 0) return;
    for (int64_t n = 0; n < g->images; n++)
        for (int64_t i = 0; i < g->outputs; i++, to += VG_MICRO_LANES) {
            const vg_real *const from = g->adjoint + n * g->adjoint_step + i * g->adjoint_row + whole;
            for (int64_t k = 0; k < VG_MICRO_LANES; k++) to[k] = k < own ? from[k] : 0;
        }
}

void VG_VARIANT(vg_conv_gather)(const vg_gather *g) {
    const int64_t high = even(g->outputs, DOT_ROWS), wide = even(g->depth, DOT_COLUMNS);
    copy_tails(g);
    for (int64_t place = 0; place < g->depth; place += wide) {
        const int64_t columns = g->depth - place < wide ? g->depth - place : wide;
        for (int64_t output = 0; output < g->outputs; output += high) {
            const int64_t rows = g->outputs - output < high ? g->outputs - output : high;
            dots[rows - 1][columns - 1](g, output, place);
        }
    }
}
