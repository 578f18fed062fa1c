/* Random numbers: Philox's known answers, and what is made of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* The known answers of Random123's kat_vectors. */
static void test_philox(void **state) {
    (void)state;
    static const struct { uint64_t index, turn, stream; uint32_t out[4]; } rows[] = {
        { 0, 0, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { UINT64_MAX, UINT64_MAX, UINT64_MAX, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { 0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822,
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t out[4];
        vg_random_block((vg_random_key){ rows[i].stream, rows[i].turn }, rows[i].index, out);
        assert_memory_equal(out, rows[i].out, sizeof out);
    }
    vg_random_key zero = { 0, 0 };   /* each index owns half a block, the low word first */
    assert_true(vg_random_uniform(zero, 0) == (double)(0xe169c58d6627e8d5 >> 11) * 0x1p-53);
    assert_true(vg_random_uniform(zero, 1) == (double)(0x9b00dbd8bc57ac4c >> 11) * 0x1p-53);
}

/* Many at once are the same as one by one, wherever they begin and however many there are. */
static void test_many(void **state) {
    (void)state;
    enum { MOST = 300 };
    static const uint64_t firsts[] = { 0, 1, 77, UINT32_MAX - 5ull, (1ull << 40) + 3 };
    static const uint32_t counts[] = { 0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 255, 256, 257, MOST };
    vg_random_key key = { 0x123456789abcdef0, 77 };
    for (size_t i = 0; i < COUNT(firsts); i++) {
        for (size_t j = 0; j < COUNT(counts); j++) {
            double uniforms[MOST + 1], normals[2 * MOST + 1];
            uniforms[counts[j]] = normals[2 * counts[j]] = -77;
            vg_random_uniforms(key, firsts[i], counts[j], uniforms);
            vg_random_normal_pairs(key, firsts[i], counts[j], normals);
            for (uint32_t k = 0; k < counts[j]; k++) {
                double pair[2];
                vg_random_normal_pair(key, firsts[i] + k, pair);
                assert_true(uniforms[k] == vg_random_uniform(key, firsts[i] + k));
                assert_memory_equal(pair, normals + 2 * k, sizeof pair);
            }
            assert_true(uniforms[counts[j]] == -77 && normals[2 * counts[j]] == -77);   /* and no more than those */
        }
    }
    double pair[2];
    vg_random_normal_pair((vg_random_key){ 0, 0 }, 0, pair);   /* from the known block: Box and Muller's formula */
    double radius = sqrt(-2 * log(((double)(0xe169c58d6627e8d5 >> 12) + 0.5) * 0x1p-52));
    double angle = 2 * M_PI * ((double)(0x9b00dbd8bc57ac4c >> 11) * 0x1p-53);
    assert_true(pair[0] == radius * cos(angle) && pair[1] == radius * sin(angle));
}

/* A float is the double, rounded, whatever computed it: also where the sum nearly cancels, lies between two floats, is
 * subnormal, overflows or is no number. */
static void test_floats(void **state) {
    (void)state;
    enum { N = 40001 };
    static const double rows[][2] = {
        { 0, 1 }, { 1, 0.02 }, { -3.3, 2 }, { 0.1, 1e-9 }, { 0.5, -0.5 }, { 1e20, 1e30 }, { 0, 1e-42 }, { 0, 1e300 },
        { 1 + 0x1p-24, 0x1p-60 }, { 0, 0 }, { 0, INFINITY }, { NAN, 1 },
    };
    static float floats[N];
    static double doubles[N];
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint64_t count = 0; count <= N; count += count < 300 ? 43 : N - 301) {
            vg_random_key key = { i, count };
            vg_random_normals_f32(key, rows[i][0], rows[i][1], floats, count);
            vg_random_normals_f64(key, rows[i][0], rows[i][1], doubles, count);
            for (uint64_t k = 0; k < count; k++) {
                double pair[2];
                vg_random_normal_pair(key, k / 2, pair);
                double wanted = rows[i][0] + rows[i][1] * pair[k % 2];
                float rounded = (float)wanted;
                assert_true(isnan(wanted) ? isnan(doubles[k]) && isnan(floats[k])
                                          : doubles[k] == wanted && floats[k] == rounded);
                assert_true(!!signbit(floats[k]) == !!signbit(rounded) || isnan(wanted));
            }
        }
    }
}

static void test_moments(void **state) {
    (void)state;
    enum { N = 200000 };
    vg_random_key key = { 5, 9 };
    double sums[4] = { 0 }, uniform = 0;
    for (uint64_t i = 0; i < N / 2; i++) {
        double pair[2], u = vg_random_open(key, i);
        assert_true(u > 0 && u < 1);
        uniform += u;
        vg_random_normal_pair(key, i, pair);
        for (int k = 0; k < 2; k++) {
            double power = 1;
            for (int p = 0; p < 4; p++) {
                sums[p] += power *= pair[k];
            }
        }
    }
    static const double wanted[4] = { 0, 1, 0, 3 }, spread[4] = { 1, 1.5, 4, 10 };
    for (int p = 0; p < 4; p++) {
        assert_true(fabs(sums[p] / N - wanted[p]) < 4 * spread[p] / sqrt(N));
    }
    assert_true(fabs(uniform / (N / 2) - 0.5) < 0.005);
}

static void test_shuffle(void **state) {
    (void)state;
    enum { N = 1000 };
    uint32_t first[N], second[N];
    bool seen[N] = { false };
    vg_random_shuffle((vg_random_key){ 1, 2 }, first, N);
    vg_random_shuffle((vg_random_key){ 1, 3 }, second, N);
    assert_memory_not_equal(first, second, sizeof first);
    uint32_t fixed = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_true(first[i] < N && !seen[first[i]]);
        seen[first[i]] = true;
        fixed += first[i] == i;
        assert_true(vg_random_below((vg_random_key){ 7, 7 }, i, 3) < 3);
    }
    assert_true(fixed < 10);   /* one is expected */
    uint32_t wanted[N] = { 0 };        /* Fisher and Yates, inside out */
    for (uint32_t i = 0; i < N; i++) {
        const uint32_t other = (uint32_t)vg_random_below((vg_random_key){ 1, 2 }, i, i + 1);
        wanted[i] = wanted[other];
        wanted[other] = i;
    }
    assert_memory_equal(first, wanted, sizeof first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox), cmocka_unit_test(test_many), cmocka_unit_test(test_floats), cmocka_unit_test(test_moments), cmocka_unit_test(test_shuffle),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
