/* A tensor's distribution: every value lies in its bucket, nothing is lost, moments are exact. */
#include "tensor.h"

static uint64_t next_bits(uint64_t *seed) {
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t bits = *seed;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

/* Counters that hold either kind's keys, and room for what comes out. */
typedef struct bench { uint32_t *counters; vg_distribution d; } bench;

static bench bench_new(void) {
    return (bench){ calloc((size_t)VG_KEYS_F64 * VG_LANES, sizeof(uint32_t)),
                    { .tallies = calloc(VG_KEYS_F64, sizeof(vg_tally)) } };
}

/* Every counter must be 0 again. */
static void bench_free(bench *b) {
    for (uint32_t k = 0; k < (uint32_t)VG_KEYS_F64 * VG_LANES; k++) assert_int_equal(b->counters[k], 0);
    free(b->counters);
    free(b->d.tallies);
}

/* What a single value leaves behind: one bucket that it lies in, or none, and its own moments. */
static void check_one(const bench *b, double value, bool wide) {
    const vg_distribution *d = &b->d;
    double low, high;
    const bool counted = value != 0 && isfinite(value);
    assert_int_equal(d->count, 1);
    assert_int_equal(d->zeros, value == 0);
    assert_int_equal(d->nans, isnan(value) != 0);
    assert_int_equal(d->infs, isinf(value) != 0);
    assert_int_equal(d->tally_count, counted);
    if (!counted) return;
    assert_int_equal(d->tallies->count, 1);
    if (wide) vg_key_edges_f64(d->tallies->key, &low, &high);
    else vg_key_edges_f32(d->tallies->key, &low, &high);
    if (!(low <= value && value < high)) fail_msg("%a is not in [%a, %a)", value, low, high);
    assert_true(d->min == value && d->max == value && d->mean == value && d->std == 0);
}

static void check_f32(float value, bench *b) {
    vg_distribution_of_f32(&value, 1, b->counters, &b->d);
    check_one(b, (double)value, false);
}

static void check_f64(double value, bench *b) {
    vg_distribution_of_f64(&value, 1, b->counters, &b->d);
    check_one(b, value, true);
}

static void check_i32(int32_t value, bench *b) {
    vg_distribution_of_i32(&value, 1, b->counters, &b->d);
    check_one(b, value, false);
}

static void test_edges(void **state) {
    (void)state;
    uint64_t seed = 1;
    bench b = bench_new();
    static const double special[] = {
        0, -0.0, 1, -1, 0.0625, -0.0625, 1.125, -1.125, 2, -2, 3.4028234663852886e38, -3.4028234663852886e38, 1.1754943508222875e-38,
        -1.1754943508222875e-38, 1.401298464324817e-45, -1.401298464324817e-45, INFINITY, -INFINITY, NAN, 1.469367938527859e-39
    };
    static const int32_t whole[] = { 0, 1, -1, 7, -8, 16777217, -16777217, INT32_MAX, INT32_MIN, INT32_MIN + 1 };
    for (size_t k = 0; k < sizeof special / sizeof *special; k++) {
        check_f32((float)special[k], &b);
        check_f64(special[k], &b);
    }
    check_f64(1.7976931348623157e308, &b);
    check_f64(-1.7976931348623157e308, &b);
    check_f64(4.94e-324, &b);
    check_f64(-4.94e-324, &b);
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) check_i32(whole[k], &b);
    for (int k = 0; k < 20000; k++) {
        const uint64_t bits = next_bits(&seed);
        float narrow;
        double wide;
        memcpy(&narrow, &bits, sizeof narrow);
        memcpy(&wide, &bits, sizeof wide);
        check_f32(narrow, &b);
        if (k < 2000) check_f64(wide, &b);
        check_i32((int32_t)(uint32_t)bits, &b);
    }
    bench_free(&b);
}

/* Buckets of one sign follow each other without a gap, each power of two in eight equal parts. */
static void test_neighbours(void **state) {
    (void)state;
    for (uint32_t key = 0; key + 1 < (VG_KEYS_F32 / 2 - 8); key++) {
        double low, high, next, last, negative_low, negative_high;
        vg_key_edges_f32(key, &low, &high);
        vg_key_edges_f32(key + 1, &next, &last);
        vg_key_edges_f32(key + VG_KEYS_F32 / 2, &negative_low, &negative_high);
        assert_true(high == next && low < high);
        assert_true(negative_low == -high && negative_high == -low);
    }
    double low, high;
    vg_key_edges_f32(127 << 3, &low, &high);
    assert_true(low == 1 && high == 1.125);
}

/* ---- many values */

/* What the record must say, from two passes over the values in long double. */
typedef struct expected { uint64_t finite, zeros, nans, infs; double min, max, mean, std, rms; } expected;

static expected expect_of(const double *values, int64_t count) {
    expected e = { .min = INFINITY, .max = -INFINITY };
    long double sum = 0, square = 0, centred = 0;
    for (int64_t k = 0; k < count; k++) {
        e.nans += isnan(values[k]) != 0;
        e.infs += isinf(values[k]) != 0;
        if (!isfinite(values[k])) continue;
        e.finite++;
        e.zeros += values[k] == 0;
        e.min = fmin(e.min, values[k]);
        e.max = fmax(e.max, values[k]);
        sum += values[k];
        square += (long double)values[k] * values[k];
    }
    if (e.finite == 0) return (expected){ .nans = e.nans, .infs = e.infs };
    const long double finite = (long double)e.finite, mean = sum / finite;
    for (int64_t k = 0; k < count; k++)
        if (isfinite(values[k])) centred += (values[k] - mean) * (values[k] - mean);
    e.mean = (double)mean;
    e.std = (double)sqrtl(centred / finite);
    e.rms = (double)sqrtl(square / finite);
    return e;
}

/* Each bucket holds as many values as lie between its edges; buckets are not empty, and rise. */
static void check_buckets(const vg_distribution *d, const double *values, int64_t count, bool wide) {
    double low, high, before = -INFINITY;
    uint64_t all = 0;
    for (uint32_t k = 0; k < d->tally_count; k++) {
        if (wide) vg_key_edges_f64(d->tallies[k].key, &low, &high);
        else vg_key_edges_f32(d->tallies[k].key, &low, &high);
        uint64_t there = 0;
        for (int64_t i = 0; i < count; i++) there += values[i] != 0 && low <= values[i] && values[i] < high;
        assert_true(there > 0 && before <= low);
        assert_int_equal(d->tallies[k].count, there);
        before = high;
        all += there;
    }
    assert_int_equal(all + d->zeros + d->nans + d->infs, count);
}

static void check_record(const vg_distribution *d, const double *values, int64_t count, double tolerance,
                         const char *what) {
    const expected e = expect_of(values, count);
    assert_int_equal(d->count, count);
    assert_int_equal(d->zeros, e.zeros);
    assert_int_equal(d->nans, e.nans);
    assert_int_equal(d->infs, e.infs);
    assert_true(d->min == e.min && d->max == e.max);
    assert_near(d->mean, e.mean, tolerance, what, 0);
    assert_near(d->std, e.std, tolerance, what, 1);
    assert_near(d->rms, e.rms, tolerance, what, 2);
}

typedef double (*value_at)(uint64_t *seed, int64_t k);
static double uniform(uint64_t *seed) { return (double)(next_bits(seed) >> 11) * 0x1p-53; }
static double any(uint64_t *seed, int64_t k) {
    (void)k;
    return (uniform(seed) - 0.5) * exp2(floor(uniform(seed) * 20));
}
static double far_off(uint64_t *seed, int64_t k) { (void)k; return 1000 + uniform(seed); }
static double equal(uint64_t *seed, int64_t k) { (void)seed, (void)k; return (double)0.1f; }
static double outlier(uint64_t *seed, int64_t k) { return k == 0 ? 1e6 : uniform(seed) - 0.5; }
static double one_late(uint64_t *seed, int64_t k) { (void)seed; return k == VG_PART + 77 ? 2 : 1; }
static double sparse(uint64_t *seed, int64_t k) {
    return next_bits(seed) & 1 ? (k & 2 ? 0.0 : -0.0) : uniform(seed) - 0.5;
}
static double spoilt(uint64_t *seed, int64_t k) {
    static const double wrong[] = { NAN, INFINITY, -INFINITY };
    return k < 9 || k % 701 == 0 ? wrong[k % 3] : uniform(seed) - 0.5;
}
static double all_wrong(uint64_t *seed, int64_t k) { (void)seed; return k % 2 ? NAN : -INFINITY; }
/* A part of NaNs between two that are not. */
static double hole(uint64_t *seed, int64_t k) { return k / VG_PART == 1 ? NAN : uniform(seed) + (double)(k / VG_PART); }

static const struct { const char *name; value_at at; double tolerance; } kinds[] = {
    { "any", any, 1e-13 }, { "far off", far_off, 1e-12 }, { "equal", equal, 0 }, { "an outlier first", outlier, 1e-10 },
    { "one late", one_late, 1e-13 }, { "sparse", sparse, 1e-13 }, { "spoilt", spoilt, 1e-13 },
    { "all wrong", all_wrong, 0 }, { "a hole", hole, 1e-13 }
};
static const int64_t counts[] = { 0, 1, 7, 8, 9, 40, 1023, 1025, 4099, VG_PART, 2 * VG_PART + 1, 3 * VG_PART + 1234 };
enum { KINDS = sizeof kinds / sizeof *kinds, COUNTS = sizeof counts / sizeof *counts, MOST = 3 * VG_PART + 1234 };

static void test_moments(void **state) {
    (void)state;
    bench b = bench_new();
    float *narrow = malloc(MOST * sizeof *narrow);
    double *wide = malloc(MOST * sizeof *wide), *rounded = malloc(MOST * sizeof *rounded);
    for (int kind = 0; kind < KINDS; kind++) {
        for (int k = 0; k < COUNTS; k++) {
            uint64_t seed = 7;
            for (int64_t i = 0; i < counts[k]; i++) {
                wide[i] = kinds[kind].at(&seed, i);
                narrow[i] = (float)wide[i];
                rounded[i] = (double)narrow[i];
            }
            vg_distribution_of_f32(narrow, counts[k], b.counters, &b.d);
            check_record(&b.d, rounded, counts[k], kinds[kind].tolerance, kinds[kind].name);
            if (counts[k] < 5000) check_buckets(&b.d, rounded, counts[k], false);
            if (kinds[kind].at == equal) assert_true(b.d.std == 0);
            vg_distribution_of_f64(wide, counts[k], b.counters, &b.d);
            check_record(&b.d, wide, counts[k], kinds[kind].tolerance, kinds[kind].name);
            if (counts[k] < 5000) check_buckets(&b.d, wide, counts[k], true);
        }
    }
    free(narrow);
    free(wide);
    free(rounded);
    bench_free(&b);
}

static void test_integers(void **state) {
    (void)state;
    enum { COUNT = 4099 };
    uint64_t seed = 3;
    bench b = bench_new();
    int32_t *values = malloc(COUNT * sizeof *values);
    double *wide = malloc(COUNT * sizeof *wide);
    for (int k = 0; k < COUNT; k++) {
        values[k] = (int32_t)(next_bits(&seed) >> 32) >> (next_bits(&seed) & 31);
        wide[k] = values[k];
    }
    vg_distribution_of_i32(values, COUNT, b.counters, &b.d);
    check_record(&b.d, wide, COUNT, 1e-13, "integers");
    check_buckets(&b.d, wide, COUNT, false);
    free(values);
    free(wide);
    bench_free(&b);
}

static void assert_same(const vg_distribution *a, const vg_distribution *b) {
    assert_memory_equal(&a->count, &b->count, offsetof(vg_distribution, tallies));
    assert_int_equal(a->tally_count, b->tally_count);
    for (uint32_t k = 0; k < a->tally_count; k++)
        assert_true(a->tallies[k].key == b->tallies[k].key && a->tallies[k].count == b->tallies[k].count);
}

/* Not a bit depends on the pieces in which a part is handed over, nor on who counts: here two threads would, taking the
 * parts in turn, last part first. Parts that are empty are joined without a trace. */
static void test_pieces(void **state) {
    (void)state;
    bench whole = bench_new(), cut = bench_new();
    uint32_t *other = calloc((size_t)VG_KEYS_F32 * VG_LANES, sizeof *other);
    uint32_t *const counters[] = { cut.counters, other };
    float *values = malloc(MOST * sizeof *values);
    enum { PARTS = (MOST + VG_PART - 1) / VG_PART };
    for (int kind = 0; kind < KINDS; kind++) {
        uint64_t seed = 11;
        vg_moments parts[PARTS], nothing;
        for (int64_t i = 0; i < MOST; i++) values[i] = (float)kinds[kind].at(&seed, i);
        vg_distribution_of_f32(values, MOST, whole.counters, &whole.d);
        for (int p = PARTS; p-- > 0;) {
            const int64_t end = (p + 1) * VG_PART < MOST ? (p + 1) * VG_PART : MOST;
            vg_moments_start(&parts[p]);
            for (int64_t i = p * VG_PART, piece; i < end; i += piece) {
                const uint64_t large = next_bits(&seed) & 1 ? next_bits(&seed) % 3000 : 0;
                piece = (int64_t)(large + (next_bits(&seed) & 15));
                if (piece > end - i) piece = end - i;
                vg_moments_add_f32(values + i, piece, &parts[p], counters[p % 2]);
            }
        }
        vg_moments_start(&nothing);
        vg_distribution_start(&cut.d);
        for (int p = 0; p < PARTS; p++) {
            vg_distribution_join(&cut.d, &nothing);
            vg_distribution_join(&cut.d, &parts[p]);
        }
        vg_distribution_finish(&cut.d, counters, 2, false);
        assert_same(&whole.d, &cut.d);
    }
    for (uint32_t k = 0; k < VG_KEYS_F32 * VG_LANES; k++) assert_int_equal(other[k], 0);
    free(values);
    free(other);
    bench_free(&whole);
    bench_free(&cut);
}

/* Doubles whose squares are none: the mean stands, the rest is infinite. */
static void test_overflow(void **state) {
    (void)state;
    bench b = bench_new();
    double values[100];
    for (int k = 0; k < 100; k++) values[k] = k % 2 ? 1e200 : 3e200;
    vg_distribution_of_f64(values, 100, b.counters, &b.d);
    assert_near(b.d.mean, 2e200, 1e-14, "mean", 0);
    assert_true(isinf(b.d.std) && isinf(b.d.rms) && b.d.min == 1e200 && b.d.max == 3e200);
    check_buckets(&b.d, values, 100, true);
    bench_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges), cmocka_unit_test(test_neighbours), cmocka_unit_test(test_moments),
        cmocka_unit_test(test_integers), cmocka_unit_test(test_pieces), cmocka_unit_test(test_overflow)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
