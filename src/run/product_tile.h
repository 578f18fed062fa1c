/* The micro-kernel of our matrix product, for one width of vector: kernel_product.c includes this file once for each
 * width that it uses, with TILE(name) giving its names and TILE_BYTES its vectors.
 *
 * The last vector of a tile may have fewer elements than lanes (`some`), where the instruction set loads and stores
 * only those that are there; elsewhere (MASKS 0) a tile's vectors are whole. */

/* In memory a vector lies at any element. */
typedef vg_real TILE(vector) __attribute__((vector_size(TILE_BYTES)));
typedef vg_real TILE(loose) __attribute__((vector_size(TILE_BYTES), aligned(sizeof(vg_real)), may_alias));

/* The first `count` lanes, 1 to all of them: their mask, a load of them (zeros beside), a store. `add`: sum + x * line,
 * of one rounding where there is such an instruction, whatever the compiler would make of it. */
#if defined __AVX512VL__
typedef uint32_t TILE(mask);
static inline TILE(mask) TILE(first)(int64_t count) { return (1u << count) - 1; }
#if TILE_BYTES == 64 && defined VG_REAL_double
#define TILE_LOAD(from, mask)          _mm512_maskz_loadu_pd((__mmask8)(mask), from)
#define TILE_ADD(x, line, sum)         _mm512_fmadd_pd(_mm512_set1_pd(x), (__m512d)(line), (__m512d)(sum))
#define TILE_STORE(to, mask, v)        _mm512_mask_storeu_pd(to, (__mmask8)(mask), (__m512d)(v))
#elif TILE_BYTES == 64
#define TILE_LOAD(from, mask)          _mm512_maskz_loadu_ps((__mmask16)(mask), from)
#define TILE_ADD(x, line, sum)         _mm512_fmadd_ps(_mm512_set1_ps(x), (__m512)(line), (__m512)(sum))
#define TILE_STORE(to, mask, v)        _mm512_mask_storeu_ps(to, (__mmask16)(mask), (__m512)(v))
#elif defined VG_REAL_double
#define TILE_LOAD(from, mask)          _mm256_maskz_loadu_pd((__mmask8)(mask), from)
#define TILE_ADD(x, line, sum)         _mm256_fmadd_pd(_mm256_set1_pd(x), (__m256d)(line), (__m256d)(sum))
#define TILE_STORE(to, mask, v)        _mm256_mask_storeu_pd(to, (__mmask8)(mask), (__m256d)(v))
#else
#define TILE_LOAD(from, mask)          _mm256_maskz_loadu_ps((__mmask8)(mask), from)
#define TILE_ADD(x, line, sum)         _mm256_fmadd_ps(_mm256_set1_ps(x), (__m256)(line), (__m256)(sum))
#define TILE_STORE(to, mask, v)        _mm256_mask_storeu_ps(to, (__mmask8)(mask), (__m256)(v))
#endif
static inline TILE(vector) TILE(load)(const vg_real *from, TILE(mask) mask) {
    return (TILE(vector))TILE_LOAD(from, mask);
}
static inline void TILE(store)(vg_real *to, TILE(vector) v, TILE(mask) mask, int64_t count) {
    (void)count;
    TILE_STORE(to, mask, v);
}
static inline TILE(vector) TILE(add)(vg_real x, TILE(vector) line, TILE(vector) sum) {
    return (TILE(vector))TILE_ADD(x, line, sum);
}
#undef TILE_ADD
#undef TILE_LOAD
#undef TILE_STORE
#elif defined __AVX2__
typedef __m256i TILE(mask);
/* A masked store takes longer than the few stores that count's bits ask for. */
#ifdef VG_REAL_double
static inline TILE(mask) TILE(first)(int64_t count) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
static inline TILE(vector) TILE(load)(const vg_real *from, TILE(mask) mask) {
    return (TILE(vector))_mm256_maskload_pd(from, mask);
}
static inline TILE(vector) TILE(add)(vg_real x, TILE(vector) line, TILE(vector) sum) {
    return (TILE(vector))_mm256_fmadd_pd(_mm256_set1_pd(x), (__m256d)line, (__m256d)sum);
}
static inline void TILE(store)(vg_real *to, TILE(vector) v, TILE(mask) mask, int64_t count) {
    (void)mask;
    __m128d part = _mm256_castpd256_pd128((__m256d)v);
    if (count == 4) *(TILE(loose) *)to = v;
    if (count == 4) return;
    if (count & 2) {
        _mm_storeu_pd(to, part);
        part = _mm256_extractf128_pd((__m256d)v, 1);
    }
    if (count & 1) _mm_store_sd(to + (count & 2), part);
}
#else
static inline TILE(mask) TILE(first)(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline TILE(vector) TILE(load)(const vg_real *from, TILE(mask) mask) {
    return (TILE(vector))_mm256_maskload_ps(from, mask);
}
static inline TILE(vector) TILE(add)(vg_real x, TILE(vector) line, TILE(vector) sum) {
    return (TILE(vector))_mm256_fmadd_ps(_mm256_set1_ps(x), (__m256)line, (__m256)sum);
}
static inline void TILE(store)(vg_real *to, TILE(vector) v, TILE(mask) mask, int64_t count) {
    (void)mask;
    __m128 part = _mm256_castps256_ps128((__m256)v);
    if (count == 8) *(TILE(loose) *)to = v;
    if (count == 8) return;
    if (count & 4) {
        _mm_storeu_ps(to, part);
        part = _mm256_extractf128_ps((__m256)v, 1);
    }
    if (count & 2) {
        _mm_storel_pi((__m64 *)(void *)(to + (count & 4)), part);
        part = _mm_movehl_ps(part, part);
    }
    if (count & 1) _mm_store_ss(to + (count & 6), part);
}
#endif
#else
typedef int TILE(mask);
static inline TILE(vector) TILE(add)(vg_real x, TILE(vector) line, TILE(vector) sum) { return sum + x * line; }
static inline TILE(mask) TILE(first)(int64_t count) { return (int)count; }
static inline TILE(vector) TILE(load)(const vg_real *from, TILE(mask) mask) {
    (void)mask;
    return *(const TILE(loose) *)from;
}
static inline void TILE(store)(vg_real *to, TILE(vector) v, TILE(mask) mask, int64_t count) {
    (void)mask, (void)count;
    *(TILE(loose) *)to = v;
}
#endif

static inline __attribute__((always_inline)) void TILE(multiply)(const tile *t, int rows, int vectors, bool some,
                                                                 bool add, vg_real *c, int64_t ldc) {
    enum { WIDE = TILE_BYTES / sizeof(vg_real), THREES = 4 };
    TILE(vector) sum[12][2];
    const int64_t row = t->left.across, step = t->left.deep, b_step = t->right.deep, depth = t->depth;
    const int64_t last = some ? t->last : (int64_t)WIDE;
    const TILE(mask) mask = TILE(first)(last);
    const vg_real *restrict b = t->right.at, *a[THREES];
    vg_real *to[THREES];      /* of every third row: an address reaches the two behind it */
#pragma GCC unroll 4
    for (int i = 0; i < THREES; i++) {
        a[i] = t->left.at + (3 * i < rows ? 3 * i : 0) * row;
        to[i] = c + (3 * i < rows ? 3 * i : 0) * ldc;
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) sum[i][v] = (TILE(vector)){ 0 };
    for (int64_t p = depth; p > 0; p--, b += b_step) {
        TILE(vector) line[2];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            const vg_real *from = b + v * WIDE;
            if (some && v == vectors - 1) line[v] = TILE(load)(from, mask);
            else line[v] = *(const TILE(loose) *)from;
        }
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            const vg_real x = a[i / 3][i % 3 * row];
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) sum[i][v] = TILE(add)(x, line[v], sum[i][v]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < THREES; i++) a[i] += step;
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            vg_real *at = to[i / 3] + i % 3 * ldc + v * WIDE;
            if (some && v == vectors - 1) {
                if (add) sum[i][v] += TILE(load)(at, mask);
                TILE(store)(at, sum[i][v], mask, last);
            } else {
                if (add) sum[i][v] += *(TILE(loose) *)at;
                *(TILE(loose) *)at = sum[i][v];
            }
        }
}
#undef TILE
#undef TILE_BYTES
