/* Data sources: drawn ones, splits, gathering, arguments. (IDX files: test_idx.c.) */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/digits.h"
#include "data_fixture.h"
#include "memory_fixture.h"

/* The source with its default arguments. */
static vg_dataset dataset(fixture *f, const char *source) {
    return (vg_dataset){ .mem = &f->mem, .source = row_of(source), .folder = "", .test = -1 };
}

static void give(vg_dataset *set, uint32_t k, double number) {
    set->arguments[k] = (vg_argument){ .number = number, .given = true };
}

static void load(fixture *f, vg_dataset *set) {
    if (!vg_dataset_describe(set, &f->error) || !vg_dataset_load(set, &f->error)) {
        fail_msg("%s", f->error.text);
    }
}

/* ---- the table */

static void test_every_source_says_what_it_is(void **state) {
    (void)state;
    static const char *const named[] = { "digits", "mnist", "idx", "csv", "npy", "npz", "safetensors", "images", "spirals", "moons", "circles",
                                         "xor", "text", "sentences" };
    assert_int_equal(vg_source_row_count, COUNT(named));
    for (size_t i = 0; i < COUNT(named); i++) {
        const vg_source_row *row = row_of(named[i]);
        assert_true(row->parameter_count >= 1 && row->parameter_count <= VG_SOURCE_PARAMETERS);
        assert_true(row->describe && row->load);
        assert_memory_equal(row->signature, row->name, strlen(row->name));
        for (uint32_t k = 0; k < row->parameter_count; k++) {
            assert_non_null(strstr(row->signature, row->parameters[k].name));
        }
    }
}

static void test_arguments_are_checked(void **state) {
    fixture *f = *state;
    static const struct { const char *source; uint32_t k; double value; const char *text; } rows[] = {
        { "digits", 0, 0, "count must be a whole number from 1 to 10000000, not 0" },
        { "digits", 0, 2.5, "count must be a whole number from 1 to 10000000, not 2.5" },
        { "digits", 0, 1e8, "count must be a whole number from 1 to 10000000, not 100000000" },
        { "digits", 0, NAN, "count must be a whole number from 1 to 10000000, not nan" },
        { "digits", 1, -1, "seed must be a whole number from 0 to 9007199254740992, not -1" },
        { "xor", 0, INFINITY, "count must be a whole number from 1 to 10000000, not inf" },
        { "moons", 1, -0.5, "noise is a standard deviation and must be from 0 to 1e6, not -0.5" },
        { "circles", 1, NAN, "noise is a standard deviation and must be from 0 to 1e6, not nan" },
        { "spirals", 2, 0.5, "seed must be a whole number from 0 to 9007199254740992, not 0.5" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vg_dataset set = dataset(f, rows[i].source);
        give(&set, rows[i].k, rows[i].value);
        assert_false(vg_dataset_describe(&set, &f->error));
        assert_true(f->error.argument);
        assert_string_equal(f->error.text, rows[i].text);
    }
    static const double shares[] = { 1, 1.5, -0.5, NAN };
    for (size_t i = 0; i < COUNT(shares); i++) {
        vg_dataset set = dataset(f, "xor");
        set.test = shares[i];
        assert_false(vg_dataset_describe(&set, &f->error));
        assert_true(f->error.argument);
        assert_memory_equal(f->error.text, "test is the share", strlen("test is the share"));
    }
}

/* ---- digits */

static void test_digits(void **state) {
    fixture *f = *state;
    vg_dataset set = dataset(f, "digits");
    assert_true(vg_dataset_describe(&set, &f->error));
    assert_int_equal(set.count, 12000);
    assert_int_equal(set.train_count, 9600);
    assert_int_equal(set.classes, 10);
    assert_null(set.columns[0].data);
    give(&set, 0, 2000);
    load(f, &set);
    const uint8_t *images = set.columns[0].data, *labels = set.columns[1].data;
    uint32_t of_class[10] = { 0 };
    for (uint32_t i = 0; i < set.count; i++) {
        const uint8_t *image = images + (size_t)i * 784;
        uint32_t ink = 0, border = 0;
        for (uint32_t k = 0; k < 784; k++) {
            bool edge = k < 28 || k >= 756 || k % 28 == 0 || k % 28 == 27;
            ink += image[k] >= 100;
            border += edge && image[k] >= 100;
        }
        assert_true(labels[i] < 10);
        of_class[labels[i]]++;
        assert_in_range(ink, 10, 300);      /* something is written, and paper is left */
        assert_true(border <= 12);          /* nearly all of it inside */
    }
    for (int digit = 0; digit < 10; digit++) {
        assert_in_range(of_class[digit], 140, 260);
    }
}

static void test_digits_are_the_same_everywhere(void **state) {
    fixture *f = *state;
    vg_dataset few = dataset(f, "digits"), more = few, other = few;
    give(&few, 0, 100);
    give(&more, 0, 150);
    give(&other, 0, 100);
    give(&other, 1, 2);
    load(f, &few);
    load(f, &more);
    load(f, &other);
    assert_memory_equal(few.columns[0].data, more.columns[0].data, 100 * 784);   /* an example has its own key */
    assert_memory_equal(few.columns[1].data, more.columns[1].data, 100);
    assert_memory_not_equal(few.columns[0].data, other.columns[0].data, 100 * 784);
    assert_memory_not_equal(few.columns[1].data, other.columns[1].data, 100);
    assert_true(vg_hash_bytes(few.columns[0].data, 100 * 784, 0) == 0x5b332634132aeb53);
    assert_true(vg_hash_bytes(few.columns[1].data, 100, 0) == 0xbfea57a56ecdfe7a);
}

/* Pixels and labels of a thousand digits and more: whatever draws them faster draws the same. The counts leave the
 * last of any group of examples that is drawn together unfilled. */
static void test_digits_keep_their_bits(void **state) {
    fixture *f = *state;
    static const struct { double count, seed; uint64_t images, labels; } rows[] = {
        { 3001, 1, 0x4a150e731e75d9fd, 0x59891c8fcc5781fb },
        { 1999, 7, 0x22de4508b8bc44d3, 0xa83ea13144a09bdc },
        { 1027, 9007199254740992.0, 0x2ecc636bab4e5ec5, 0xf39f972517e289d9 },
        { 1, 3, 0xc986f2e95233380e, 0xd8c9bb075c493102 },
    };
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        vg_dataset set = dataset(f, "digits");
        give(&set, 0, rows[i].count);
        give(&set, 1, rows[i].seed);
        load(f, &set);
        const uint64_t images = vg_hash_bytes(set.columns[0].data, (size_t)set.count * 784, 0);
        const uint64_t labels = vg_hash_bytes(set.columns[1].data, set.count, 0);
        if (images != rows[i].images || labels != rows[i].labels) {
            print_error("seed %.0f: 0x%016" PRIx64 ", 0x%016" PRIx64 "\n", rows[i].seed, images, labels);
        }
        assert_true(images == rows[i].images);
        assert_true(labels == rows[i].labels);
    }
}

static void test_handwritings(void **state) {
    (void)state;
    uint32_t rows[10] = { 0 };
    for (uint32_t i = 0; i < vg_handwriting_count; i++) {
        const vg_handwriting *row = &vg_handwritings[i];
        assert_true(row->digit < 10 && (!i || row->digit >= row[-1].digit));   /* digits.c finds them by order */
        assert_int_equal(row->points[VG_PEN_POINTS - 1].y, 0);
        rows[row->digit]++;
    }
    for (int digit = 0; digit < 10; digit++) {
        assert_true(rows[digit] >= 2);
    }
}

/* ---- splits and gathering */

static void test_splits(void **state) {
    fixture *f = *state;
    static const struct { double count, test; uint32_t test_count; } rows[] = {
        { 1000, -1, 200 }, { 10, 0.3, 3 }, { 100, 0.29, 29 }, { 7, 0, 0 }, { 1, 0.9, 0 }, { 2, 0.99, 1 }, { 3, -1, 1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vg_dataset set = dataset(f, "xor"), again;
        give(&set, 0, rows[i].count);
        set.test = rows[i].test;
        again = set;
        give(&again, 2, 99);                /* the split does not depend on the source's seed */
        load(f, &set);
        load(f, &again);
        assert_int_equal(set.test_count, rows[i].test_count);
        assert_int_equal(set.train_count + set.test_count, set.count);
        uint32_t train = 0, test = 0;
        for (uint32_t example = 0; example < set.count; example++) {   /* each once, rising */
            if (train < set.train_count && set.train[train] == example) {
                train++;
            } else {
                assert_int_equal(set.test_examples[test++], example);
            }
        }
        assert_memory_equal(set.train, again.train, set.train_count * sizeof *set.train);
        uint32_t last = set.test_count ? set.test_examples[set.test_count - 1] : 0;   /* drawn, not one piece */
        assert_true(set.test_count < 20 || set.test_examples[0] + set.test_count - 1 != last);
    }
}

static void test_loads_once(void **state) {
    fixture *f = *state;
    vg_dataset set = dataset(f, "moons");
    load(f, &set);
    const void *data = set.columns[0].data;
    uint64_t calls = f->mem.calls;
    assert_true(vg_dataset_load(&set, &f->error));
    assert_ptr_equal(set.columns[0].data, data);
    assert_int_equal(f->mem.calls, calls);
}

static void test_gather(void **state) {
    fixture *f = *state;
    vg_dataset set = dataset(f, "digits");
    give(&set, 0, 20);
    load(f, &set);
    static const uint32_t examples[] = { 19, 3, 3 };
    float narrow[3 * 784];
    double wide[3 * 784];
    int32_t labels[3];
    vg_dataset_gather(&set, 0, examples, 3, narrow, false);
    vg_dataset_gather(&set, 0, examples, 3, wide, true);
    vg_dataset_gather(&set, 1, examples, 3, labels, true);   /* integers stay as they are */
    for (size_t i = 0; i < COUNT(narrow); i++) {
        uint8_t pixel = ((const uint8_t *)set.columns[0].data)[examples[i / 784] * 784 + i % 784];
        assert_true(narrow[i] == (float)pixel * (1 / 255.0f) && narrow[i] <= 1);
        assert_true(wide[i] == narrow[i]);
    }
    for (size_t i = 0; i < COUNT(labels); i++) {
        assert_int_equal(labels[i], ((const uint8_t *)set.columns[1].data)[examples[i]]);
    }
}

/* Rows of few numbers, each length by itself. */
static void test_gather_short(void **state) {
    (void)state;
    static const float values[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    static const int32_t whole[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    static const uint32_t examples[] = { 2, 0, 1, 2 };
    enum { MANY = COUNT(examples) };
    for (uint32_t length = 1; length <= 5; length++) {
        vg_column columns[2] = {
            { .dtype = VG_F32, .storage = VG_STORE_F32, .rank = 1, .shape = { length }, .data = values },
            { .dtype = VG_I32, .storage = VG_STORE_I32, .rank = 1, .shape = { length }, .data = whole }
        };
        vg_dataset set = { .count = 3, .columns = columns, .column_count = 2 };
        float narrow[5 * MANY + 1] = { 0 };
        double wide[5 * MANY + 1] = { 0 };
        int32_t integers[5 * MANY + 1] = { 0 };
        vg_dataset_gather(&set, 0, examples, MANY, narrow, false);
        vg_dataset_gather(&set, 0, examples, MANY, wide, true);
        vg_dataset_gather(&set, 1, examples, MANY, integers, false);
        for (uint32_t i = 0; i < length * MANY; i++) {
            const float wanted = values[examples[i / length] * length + i % length];
            assert_true(narrow[i] == wanted && wide[i] == (double)wanted && integers[i] == (int32_t)wanted);
        }
        assert_true(narrow[length * MANY] == 0 && integers[length * MANY] == 0);
    }
}

/* Every storage, at an address that fits none of them, as one example and as several with a stride between. */
static void test_gather_storages(void **state) {
    (void)state;
    static const struct { vg_storage storage; const char *bytes; size_t length; double values[4]; } rows[] = {
        { VG_STORE_U8, BYTES("\0\1\177\377"), { 0, 1, 127, 255 } },
        { VG_STORE_I8, BYTES("\0\1\177\377"), { 0, 1, 127, -1 } },
        { VG_STORE_I16, BYTES("\1\0\377\177\0\200\377\377"), { 1, 32767, -32768, -1 } },
        { VG_STORE_U16, BYTES("\1\0\377\177\0\200\377\377"), { 1, 32767, 32768, 65535 } },
        { VG_STORE_I32, BYTES("\1\0\0\0\377\377\377\177\0\0\0\200\376\377\377\377"), { 1, 2147483647, -2147483648.0, -2 } },
        { VG_STORE_I64, BYTES("\5\0\0\0\0\0\0\0\376\377\377\377\377\377\377\377\0\0\0\200\377\377\377\377\0\0\0\0\0\0\0\0"),
          { 5, -2, -2147483648.0, 0 } },
        { VG_STORE_F16, BYTES("\0\74\0\300\1\0\377\173"), { 1, -2, 0x1p-24, 65504 } },
        { VG_STORE_BF16, BYTES("\200\77\0\300\0\200\111\100"), { 1, -2, -0.0, 3.140625 } },
        { VG_STORE_F32, BYTES("\0\0\200\77\0\0\0\300\0\0\0\200\0\0\200\0"), { 1, -2, -0.0, 0x1p-126 } },
        { VG_STORE_F64, BYTES("\0\0\0\0\0\0\360\77\0\0\0\0\0\0\0\300\0\0\0\0\0\0\0\0\x9a\x99\x99\x99\x99\x99\xb9\x3f"),
          { 1, -2, 0, 0.1 } },
    };
    static const uint32_t examples[] = { 2, 0 }, first = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char bytes[256] = { 0 };
        const size_t size = vg_storage_size(rows[i].storage), stride = rows[i].length + 3;
        assert_int_equal(4 * size, rows[i].length);
        memcpy(bytes + 1, rows[i].bytes, rows[i].length);
        memcpy(bytes + 1 + 2 * stride, rows[i].bytes, rows[i].length);
        const bool whole = rows[i].storage != VG_STORE_F16 && rows[i].storage != VG_STORE_BF16
                        && rows[i].storage != VG_STORE_F32 && rows[i].storage != VG_STORE_F64;
        vg_column columns[2] = { { .dtype = VG_F32, .storage = rows[i].storage, .scale = 1, .rank = 1, .shape = { 4 },
                                   .data = bytes + 1, .stride = stride } };
        columns[1] = columns[0];
        columns[1].dtype = VG_I32;
        vg_dataset set = { .count = 3, .columns = columns, .column_count = 2 };
        float narrow[8];
        double wide[8];
        int32_t integers[8];
        vg_dataset_gather(&set, 0, examples, 2, narrow, false);
        vg_dataset_gather(&set, 0, examples, 2, wide, true);
        if (whole) vg_dataset_gather(&set, 1, examples, 2, integers, false);
        for (int k = 0; k < 8; k++) {
            const double wanted = rows[i].values[k % 4];
            assert_true(wide[k] == wanted && signbit(wide[k]) == signbit(wanted) && narrow[k] == (float)wanted);
            assert_true(!whole || integers[k] == (int32_t)wanted);
        }
        static const float gain[] = { 2, 0.5f, 1, 0 }, shift[] = { 1, 0, -1, 7 };
        columns[0].gain = gain;
        columns[0].shift = shift;
        for (uint32_t scalings = 1; scalings <= 4; scalings += 3) {
            columns[0].scalings = scalings;
            vg_dataset_gather(&set, 0, &first, 1, narrow, false);
            vg_dataset_gather(&set, 0, &first, 1, wide, true);
            for (int k = 0; k < 4; k++) {
                const int at = scalings == 1 ? 0 : k;
                assert_true(narrow[k] == (float)rows[i].values[k] * gain[at] + shift[at]);
                assert_true(wide[k] == rows[i].values[k] * gain[at] + shift[at]);
            }
        }
    }
}

/* ---- points of the plane */

/* How far from its class's figure a point without noise lies, and the other way round for the other class. */
static double off_spiral(int class, double x, double y) {
    double radius = hypot(x, y), angle = 3.5 * M_PI * (radius - 0.1) / 0.9 + (class ? M_PI : 0);
    return hypot(x - radius * cos(angle), y - radius * sin(angle));
}
static double off_moon(int class, double x, double y) {
    return class ? fabs(hypot(x - 1, y - 0.5) - 1) : fabs(hypot(x, y) - 1);
}
static double off_circle(int class, double x, double y) { return fabs(hypot(x, y) - (class ? 0.5 : 1)); }
static double off_xor(int class, double x, double y) { return (x * y < 0) == (class == 1) ? 0 : 1; }

static void test_toys(void **state) {
    fixture *f = *state;
    static const struct { const char *name; double (*off)(int, double, double); } rows[] = {
        { "spirals", off_spiral }, { "moons", off_moon }, { "circles", off_circle }, { "xor", off_xor },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vg_dataset set = dataset(f, rows[i].name), shaken = set;
        give(&set, 1, 0);
        load(f, &set);
        load(f, &shaken);
        assert_int_equal(set.column_count, 4);
        assert_int_equal(set.classes, 2);
        assert_string_equal(set.columns[2].name, "features");
        assert_string_equal(set.columns[3].name, "target");
        double square = 0;
        uint32_t ones = 0;
        for (uint32_t k = 0; k < set.count; k++) {
            float x, y, features[2], moved[2];
            int32_t target;
            vg_dataset_gather(&set, 0, &k, 1, &x, false);
            vg_dataset_gather(&set, 1, &k, 1, &y, false);
            vg_dataset_gather(&set, 2, &k, 1, features, false);
            vg_dataset_gather(&set, 3, &k, 1, &target, false);
            vg_dataset_gather(&shaken, 2, &k, 1, moved, false);
            assert_true(x == features[0] && y == features[1]);
            assert_true(rows[i].off(target, x, y) < 1e-5);
            ones += target == 1;
            square += (moved[0] - x) * (moved[0] - x) + (moved[1] - y) * (moved[1] - y);
        }
        assert_int_equal(ones, 500);
        assert_true(fabs(sqrt(square / (2 * set.count)) - 0.1) < 0.01);   /* noise is its standard deviation */
    }
}

/* ---- without memory */

static void load_few(vg_mem *mem, void *user) {
    vg_data_error error;
    vg_dataset set = { .mem = mem, .source = row_of(user), .folder = "", .test = -1 };
    give(&set, 0, 10);
    assert_true(vg_dataset_describe(&set, &error) && vg_dataset_load(&set, &error));
}

static void test_memory_fails_at_every_call(void **state) {
    (void)state;
    assert_true(survive_every_call(load_few, "digits") > 3);
    assert_true(survive_every_call(load_few, "spirals") > 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_every_source_says_what_it_is), TEST(test_arguments_are_checked),
        TEST(test_digits), TEST(test_digits_are_the_same_everywhere),
        TEST(test_digits_keep_their_bits), TEST(test_handwritings), TEST(test_splits),
        TEST(test_loads_once), TEST(test_gather), TEST(test_gather_short), TEST(test_gather_storages),
        TEST(test_toys), TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
