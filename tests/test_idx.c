/* IDX files: the sources mnist and idx with good files, and with every kind of bad one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/file.h"
#include "data_fixture.h"
#include "memory_fixture.h"

static const char *const mnist_files[] = {
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"
};

/* ---- making files */

static void write_gzip(const fixture *f, const char *name, const void *bytes, size_t length) {
    gzFile file = gzopen(path_of(f, name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)length), (int)length);
    assert_int_equal(gzclose(file), Z_OK);
}

/* Images of 2 by 3 whose pixels count up from `first`, and labels that count from 0. */
static size_t make_images(uint8_t *out, uint8_t count, uint8_t first) {
    const uint8_t header[] = { 0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 3 };
    memcpy(out, header, sizeof header);
    for (uint32_t i = 0; i < count * 6u; i++) {
        out[sizeof header + i] = (uint8_t)(first + i);
    }
    return sizeof header + count * 6u;
}
static size_t make_labels(uint8_t *out, uint8_t count) {
    const uint8_t header[] = { 0, 0, 8, 1, 0, 0, 0, count };
    memcpy(out, header, sizeof header);
    for (uint8_t i = 0; i < count; i++) {
        out[sizeof header + i] = i;
    }
    return sizeof header + count;
}

static vg_dataset dataset(fixture *f, const char *source, const char *first, const char *second) {
    vg_dataset set = { .mem = &f->mem, .source = row_of(source), .folder = f->folder, .test = -1 };
    set.arguments[0] = (vg_argument){ .text = first, .given = true };
    set.arguments[1] = (vg_argument){ .text = second, .given = second != NULL };
    return set;
}

static bool loads(fixture *f, vg_dataset *set) {
    return vg_dataset_describe(set, &f->error) && vg_dataset_load(set, &f->error);
}

/* ---- good files */

static void test_idx(void **state) {
    fixture *f = *state;
    uint8_t bytes[64], pair[] = { 0, 0, 8, 1, 0, 0, 0, 2, 7, 3 };
    write_file(f, "images", bytes, make_images(bytes, 2, 100));
    for (int packed = 0; packed < 2; packed++) {
        (packed ? write_gzip : write_file)(f, "labels", pair, sizeof pair);
        vg_dataset set = dataset(f, "idx", "images", "labels");
        set.test = 0.5;
        assert_true(vg_dataset_describe(&set, &f->error));
        assert_null(set.columns[0].data);
        assert_true(loads(f, &set));
        assert_int_equal(set.count, 2);
        assert_int_equal(set.train_count, 1);
        assert_int_equal(set.classes, 8);                /* 0..7 */
        assert_int_equal(set.columns[1].classes, 8);
        assert_int_equal(set.columns[0].rank, 2);
        assert_int_equal(set.columns[0].shape[0] * 10 + set.columns[0].shape[1], 23);
        float pixels[6];
        uint32_t second = 1;
        vg_dataset_gather(&set, 0, &second, 1, pixels, false);
        assert_true(pixels[5] == 111 * (1 / 255.0f));
    }
}

static void test_mnist(void **state) {
    fixture *f = *state;
    uint8_t bytes[128];
    write_gzip(f, mnist_files[2], bytes, make_images(bytes, 2, 50));
    write_file(f, mnist_files[3], bytes, make_labels(bytes, 2));
    vg_dataset pair = dataset(f, "mnist", ".", NULL);
    assert_true(loads(f, &pair));                        /* without a split of its own */
    assert_int_equal(pair.count, 2);
    assert_int_equal(pair.own_train, 0);
    write_file(f, mnist_files[0], bytes, make_images(bytes, 5, 0));
    write_gzip(f, mnist_files[1], bytes, make_labels(bytes, 5));
    vg_dataset all = dataset(f, "mnist", f->folder, NULL), shared = all;
    all.folder = "/nowhere";                             /* an absolute path does not begin there */
    assert_true(loads(f, &all));
    assert_int_equal(all.train_count, 5);
    assert_int_equal(all.test_count, 2);
    assert_int_equal(all.test_examples[0], 5);
    assert_int_equal(all.classes, 10);
    static const uint32_t examples[] = { 4, 5, 6 };
    int32_t labels[3];
    float images[3 * 6];
    vg_dataset_gather(&all, 1, examples, 3, labels, false);
    vg_dataset_gather(&all, 0, examples, 3, images, false);
    assert_true(labels[0] == 4 && labels[1] == 0 && labels[2] == 1);
    assert_true(images[0] == 24 * (1 / 255.0f) && images[6] == 50 * (1 / 255.0f));
    shared.test = 0.3;                                   /* goes before the files' own split */
    assert_true(loads(f, &shared));
    assert_int_equal(shared.test_count, 2);
    assert_int_equal(shared.train_count, 5);
    assert_true(shared.test_examples[0] != 5 || shared.test_examples[1] != 6);
}

/* ---- bad files */

#define GOOD "\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\2ab"

static void test_bad_images(void **state) {
    fixture *f = *state;
    static const struct { const char *bytes; size_t length; const char *text; } rows[] = {
        { BYTES(""), "is empty: an IDX file was expected" },
        { BYTES("\0\0\10"), "ends at byte 3, within the magic number of an IDX file" },
        { BYTES("P5 28 28"), "is not an IDX file: it begins with 50 35 20, 00 00 08 was expected" },
        { BYTES("\0\0\15\3\0\0\0\1\0\0\0\1\0\0\0\1abcd"),
          "holds elements of type 0d (byte 2): only bytes (08) can be read" },
        { BYTES("\0\0\10\1\0\0\0\1a"), "has 1 dimensions (byte 3): at least 2 expected" },
        { BYTES("\0\0\10\6\0\0\0\1a"), "has 6 dimensions (byte 3): at most 5 expected" },
        { BYTES("\0\0\10\3\0\0\0\1\0\0"), "ends at byte 10, within its dimensions" },
        { BYTES("\0\0\10\3\0\0\0\1\0\0\0\0\0\0\0\2"), "says that dimension 1 is 0 (byte 8): there is nothing in it" },
        { BYTES("\0\0\10\3\0\0\0\1\377\377\377\377\0\0\0\2a"),
          "says that dimension 1 is 4294967295 (byte 8): that is too large" },
        { BYTES("\0\0\10\5\177\0\0\0\177\0\0\0\177\0\0\0\0\0\0\1\0\0\0\1"),
          "says that dimension 2 is 2130706432 (byte 12): that is too large" },
        { BYTES("\0\0\10\3\0\0\0\1\0\1\0\0\0\1\100\0a"),
          "promises 5368709120 bytes behind its header of 16, but holds only 1: is it complete?" },
        { BYTES("\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\2a"),
          "promises 2 bytes behind its header of 16, but holds only 1: is it complete?" },
        { BYTES(GOOD "c"),
          "promises 2 bytes behind its header of 16, but there are 3: something follows the data" },
    };
    write_file(f, "labels", BYTES("\0\0\10\1\0\0\0\1\3"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file(f, "images", rows[i].bytes, rows[i].length);
        vg_dataset set = dataset(f, "idx", "images", "labels");
        char wanted[600];
        snprintf(wanted, sizeof wanted, "'%s/images' %s", f->folder, rows[i].text);
        assert_false(loads(f, &set));
        assert_string_equal(f->error.text, wanted);
        assert_false(f->error.argument);
        assert_true(f->mem.peak < 100000);               /* nothing was allocated on a header's word */
    }
    write_file(f, "images", BYTES(GOOD));
    vg_dataset set = dataset(f, "idx", "images", "labels");
    assert_true(loads(f, &set));
}

/* Packs `bytes` and returns the packed file, for spoiling. */
static char *packed(fixture *f, const void *bytes, size_t length, size_t *packed_length) {
    char path[128], *text;
    write_gzip(f, "images", bytes, length);
    snprintf(path, sizeof path, "%s/images", f->folder);
    assert_int_equal(vg_file_read(&f->mem, path, 1 << 20, &text, packed_length), 0);
    return text;
}

static void assert_images_fail(fixture *f, const char *text) {
    vg_dataset set = dataset(f, "idx", "images", "labels");
    assert_false(loads(f, &set));
    if (!strstr(f->error.text, text)) {
        fail_msg("'%s' is not in: %s", text, f->error.text);
    }
}

static void test_bad_gzip(void **state) {
    fixture *f = *state;
    write_file(f, "labels", BYTES("\0\0\10\1\0\0\0\1\3"));
    uint8_t large[20016] = "\0\0\10\3\0\0\0\1\0\0\0\144\0\0\0\310";   /* 1 image of 100 by 200 */
    for (uint32_t i = 16; i < sizeof large; i++) {
        large[i] = (uint8_t)(i * i >> 3);
    }
    size_t length;
    char *good = packed(f, large, sizeof large, &length);
    vg_dataset set = dataset(f, "idx", "images", "labels");
    assert_true(loads(f, &set));
    write_file(f, "images", good, length / 2);
    assert_images_fail(f, "ends within its gzip data");
    write_file(f, "images", good, length - 4);           /* the checksum is there, the length is not */
    assert_images_fail(f, "ends within its gzip data");
    good[length - 6] ^= 1;
    write_file(f, "images", good, length);
    assert_images_fail(f, "is damaged");
    write_file(f, "images", BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3 not deflate at all"));
    assert_images_fail(f, "is damaged");
    packed(f, large, sizeof large - 1, &length);
    assert_images_fail(f, "ends at byte 20015: its header promises 20016 bytes, is it complete?");
    packed(f, BYTES("\0\0\10\3\0\0\0\1\177\0\0\0\0\0\0\1"), &length);
    assert_images_fail(f, "promises 2130706432 bytes, more than ");
}

/* A small file that unpacks to much more than its header says is read no further than that. */
static void test_gzip_bomb(void **state) {
    fixture *f = *state;
    write_file(f, "labels", BYTES("\0\0\10\1\0\0\0\1\3"));
    static uint8_t bomb[8 << 20] = GOOD;
    size_t length;
    packed(f, bomb, sizeof bomb, &length);
    size_t before = f->mem.peak;
    assert_images_fail(f, "goes on behind byte 18, where its header says it ends");
    assert_true(f->mem.peak - before < 100000);
}

static void test_pairs_must_fit(void **state) {
    fixture *f = *state;
    uint8_t bytes[128];
    write_file(f, "images", bytes, make_images(bytes, 3, 0));
    write_file(f, "labels", bytes, make_labels(bytes, 2));
    assert_images_fail(f, "there must be one for each");
    vg_dataset swapped = dataset(f, "idx", "labels", "images");
    assert_false(loads(f, &swapped));
    assert_non_null(strstr(f->error.text, "labels' has 1 dimensions"));
    vg_dataset folder = dataset(f, "idx", ".", "labels"), missing = dataset(f, "idx", "images", "no such");
    assert_false(loads(f, &folder));
    assert_non_null(strstr(f->error.text, "is not a file but a folder"));
    assert_false(loads(f, &missing));
    assert_non_null(strstr(f->error.text, "no such' cannot be opened: No such file"));
}

static void test_bad_mnist(void **state) {
    fixture *f = *state;
    uint8_t bytes[128];
    vg_dataset nowhere = dataset(f, "mnist", "nowhere", NULL), empty = dataset(f, "mnist", ".", NULL);
    vg_dataset half = empty, odd = empty, classes = empty;
    assert_false(loads(f, &nowhere));
    assert_non_null(strstr(f->error.text, "there is no folder '"));
    assert_false(loads(f, &empty));
    assert_non_null(strstr(f->error.text, "there is no 't10k-images-idx3-ubyte' in"));
    write_file(f, mnist_files[0], bytes, make_images(bytes, 3, 0));
    assert_false(loads(f, &half));
    assert_non_null(strstr(f->error.text, "there is no 'train-labels-idx1-ubyte' in"));
    write_gzip(f, mnist_files[1], bytes, make_labels(bytes, 3));
    write_gzip(f, mnist_files[2], BYTES("\0\0\10\3\0\0\0\1\0\0\0\3\0\0\0\2abcdef"));   /* 3 by 2, not 2 by 3 */
    write_file(f, mnist_files[3], bytes, make_labels(bytes, 1));
    assert_false(loads(f, &odd));
    assert_non_null(strstr(f->error.text, "of another size than those of the training files"));
    write_gzip(f, mnist_files[2], bytes, make_images(bytes, 1, 0));
    write_file(f, mnist_files[3], BYTES("\0\0\10\1\0\0\0\1\12"));
    assert_true(vg_dataset_describe(&classes, &f->error));   /* only headers are read */
    assert_false(vg_dataset_load(&classes, &f->error));
    assert_non_null(strstr(f->error.text, "says class 10 (byte 8): there are only 10 classes, from 0 on"));
}

static void test_files_that_change(void **state) {
    fixture *f = *state;
    uint8_t bytes[128];
    write_file(f, "images", bytes, make_images(bytes, 3, 0));
    write_file(f, "labels", bytes, make_labels(bytes, 3));
    vg_dataset set = dataset(f, "idx", "images", "labels");
    assert_true(vg_dataset_describe(&set, &f->error));
    write_file(f, "images", bytes, make_images(bytes, 4, 0));
    write_file(f, "labels", bytes, make_labels(bytes, 4));
    assert_false(vg_dataset_load(&set, &f->error));
    assert_non_null(strstr(f->error.text, "has changed"));
}

/* The real files, where they are. */
static void test_real_mnist(void **state) {
    fixture *f = *state;
    const char *folder = getenv("VGRAPH_MNIST");
    if (!folder || !vg_file_exists(folder)) {
        skip();
    }
    vg_dataset set = dataset(f, "mnist", folder, NULL);
    set.folder = "";
    if (!loads(f, &set)) {
        fail_msg("%s", f->error.text);
    }
    uint32_t first = set.count - 10000;
    int32_t label;
    vg_dataset_gather(&set, 1, &first, 1, &label, false);
    assert_int_equal(label, 7);   /* the first of the t10k files */
    assert_int_equal(set.columns[0].shape[0] * set.columns[0].shape[1], 784);
}

static void load_idx(vg_mem *mem, void *user) {
    fixture *f = user;
    vg_dataset set = dataset(f, "idx", "images", "labels");
    set.mem = mem;
    assert_true(loads(f, &set));
}

/* Descriptors too: with one left open each time, opening would fail soon (and the leak checker would speak). */
static void test_memory_fails_at_every_call(void **state) {
    fixture *f = *state;
    uint8_t bytes[128];
    write_gzip(f, "images", bytes, make_images(bytes, 3, 0));
    write_file(f, "labels", bytes, make_labels(bytes, 3));
    int before = dup(0);
    close(before);
    assert_true(survive_every_call(load_idx, f) > 7);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_idx), TEST(test_mnist), TEST(test_bad_images), TEST(test_bad_gzip), TEST(test_gzip_bomb),
        TEST(test_pairs_must_fit), TEST(test_bad_mnist), TEST(test_files_that_change), TEST(test_real_mnist),
        TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("idx", tests, NULL, NULL);
}
