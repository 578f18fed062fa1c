/* A tensor's distribution: every value lies in its bucket, nothing is lost, moments are exact. */
#include "tensor.h"

static uint64_t next_bits(uint64_t *seed) {
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t bits = *seed;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

/* The one bucket that a single value is counted in; -1 for none. */
static int64_t bucket_of(const vg_distribution *d, uint32_t keys) {
    int64_t found = -1;
    for (uint32_t key = 0; key < keys; key++) {
        if (d->keys[key] == 0) continue;
        assert_int_equal(d->keys[key], 1);
        assert_true(found < 0);
        found = key;
    }
    return found;
}

static void check_f32(float value, uint64_t *keys) {
    vg_distribution d = { .keys = keys };
    double low, high;
    memset(keys, 0, VG_KEYS_F32 * sizeof *keys);
    vg_distribution_of_f32(&value, 1, &d);
    const int64_t key = bucket_of(&d, VG_KEYS_F32);
    assert_int_equal(d.zeros, value == 0);
    assert_int_equal(d.nans, isnan(value) != 0);
    assert_int_equal(d.infs, isinf(value) != 0);
    assert_int_equal(key < 0, value == 0 || !isfinite(value));
    if (key < 0) return;
    vg_key_edges_f32((uint32_t)key, &low, &high);
    if (!(low <= (double)value && (double)value < high)) fail_msg("%a is not in [%a, %a)", (double)value, low, high);
    assert_true(d.min == (double)value && d.max == (double)value && d.mean == (double)value && d.std == 0);
}

static void check_f64(double value, uint64_t *keys) {
    vg_distribution d = { .keys = keys };
    double low, high;
    memset(keys, 0, VG_KEYS_F64 * sizeof *keys);
    vg_distribution_of_f64(&value, 1, &d);
    const int64_t key = bucket_of(&d, VG_KEYS_F64);
    assert_int_equal(key < 0, value == 0 || !isfinite(value));
    if (key < 0) return;
    vg_key_edges_f64((uint32_t)key, &low, &high);
    if (!(low <= value && value < high)) fail_msg("%a is not in [%a, %a)", value, low, high);
}

static void check_i32(int32_t value, uint64_t *keys) {
    vg_distribution d = { .keys = keys };
    double low, high;
    memset(keys, 0, VG_KEYS_F32 * sizeof *keys);
    vg_distribution_of_i32(&value, 1, &d);
    const int64_t key = bucket_of(&d, VG_KEYS_F32);
    assert_int_equal(key < 0, value == 0);
    if (key < 0) return;
    vg_key_edges_f32((uint32_t)key, &low, &high);
    if (!(low <= value && value < high)) fail_msg("%d is not in [%a, %a)", value, low, high);
}

static void test_edges(void **state) {
    (void)state;
    uint64_t seed = 1, *keys = calloc(VG_KEYS_F64, sizeof *keys);
    static const double special[] = {
        0, -0.0, 1, -1, 0.0625, -0.0625, 1.125, -1.125, 2, -2, 3.4028234663852886e38, -3.4028234663852886e38, 1.1754943508222875e-38,
        -1.1754943508222875e-38, 1.401298464324817e-45, -1.401298464324817e-45, INFINITY, -INFINITY, NAN, 1.469367938527859e-39
    };
    static const int32_t whole[] = { 0, 1, -1, 7, -8, 16777217, -16777217, INT32_MAX, INT32_MIN, INT32_MIN + 1 };
    for (size_t k = 0; k < sizeof special / sizeof *special; k++) {
        check_f32((float)special[k], keys);
        check_f64(special[k], keys);
    }
    check_f64(1.7976931348623157e308, keys);
    check_f64(-1.7976931348623157e308, keys);
    check_f64(4.94e-324, keys);
    check_f64(-4.94e-324, keys);
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) check_i32(whole[k], keys);
    for (int k = 0; k < 20000; k++) {
        const uint64_t bits = next_bits(&seed);
        float narrow;
        double wide;
        memcpy(&narrow, &bits, sizeof narrow);
        memcpy(&wide, &bits, sizeof wide);
        check_f32(narrow, keys);
        if (k < 2000) check_f64(wide, keys);
        check_i32((int32_t)(uint32_t)bits, keys);
    }
    free(keys);
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

static void test_moments(void **state) {
    (void)state;
    enum { COUNT = 4099 };
    uint64_t seed = 7, counted = 0, *keys = calloc(VG_KEYS_F32, sizeof *keys);
    float *values = malloc(COUNT * sizeof *values);
    double sum = 0, centred = 0, square = 0, least = INFINITY, most = -INFINITY;
    const uint64_t finite = COUNT - 6;
    for (int k = 0; k < COUNT; k++) values[k] = 1000 + (float)((double)(next_bits(&seed) >> 11) * 0x1p-53);
    values[3] = values[99] = 0;
    values[5] = values[4098] = NAN;
    values[6] = values[2000] = INFINITY;
    values[7] = -INFINITY;
    values[8] = NAN;
    for (int k = 0; k < COUNT; k++) {
        if (!isfinite(values[k])) continue;
        sum += (double)values[k];
        square += (double)values[k] * (double)values[k];
        least = fmin(least, (double)values[k]);
        most = fmax(most, (double)values[k]);
    }
    const double mean = sum / (double)finite;
    for (int k = 0; k < COUNT; k++)
        if (isfinite(values[k])) centred += ((double)values[k] - mean) * ((double)values[k] - mean);
    vg_distribution d = { .keys = keys };
    vg_distribution_of_f32(values, COUNT, &d);
    assert_int_equal(d.count, COUNT);
    assert_int_equal(d.zeros, 2);
    assert_int_equal(d.nans, 3);
    assert_int_equal(d.infs, 3);
    assert_near(d.mean, mean, 1e-14, "mean", 0);
    assert_near(d.std, sqrt(centred / (double)finite), 1e-12, "std", 0);
    assert_near(d.rms, sqrt(square / (double)finite), 1e-14, "rms", 0);
    assert_true(d.min == least && d.max == most);
    for (uint32_t key = 0; key < VG_KEYS_F32; key++) counted += keys[key];
    assert_int_equal(counted, finite - d.zeros);
    free(values);
    free(keys);
}

static void test_empty(void **state) {
    (void)state;
    uint64_t *keys = calloc(VG_KEYS_F32, sizeof *keys);
    const float values[2] = { NAN, INFINITY };
    vg_distribution d = { .keys = keys };
    vg_distribution_of_f32(values, 0, &d);
    assert_true(d.count == 0 && d.min == 0 && d.max == 0 && d.mean == 0 && d.std == 0 && d.rms == 0);
    vg_distribution_of_f32(values, 2, &d);
    assert_true(d.count == 2 && d.nans == 1 && d.infs == 1 && d.min == 0 && d.max == 0 && d.rms == 0);
    free(keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges), cmocka_unit_test(test_neighbours), cmocka_unit_test(test_moments), cmocka_unit_test(test_empty)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
