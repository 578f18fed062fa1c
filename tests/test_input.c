/* What goes into a trained model: arrays and tables in the form of a column, from files and from standard input. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data_fixture.h"
#include "memory_fixture.h"

#define C(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"

static const char *const members[] = { "length", "my_width" }, *const words[] = { "big", "red", "small" };
static const float gain[] = { 2, 0.5f }, shift[] = { 1, 0 }, half[] = { 0.5f }, one[] = { 1 };

/* Columns as a model may have been trained with. */
static const vg_column features = { .name = "features", .dtype = VG_F32, .storage = VG_STORE_F32, .rank = 1, .shape = { 2 },
                                    .members = members, .scalings = 2, .gain = gain, .shift = shift };
static const char *const given[] = { "length", "4th" }, *const numbered[] = { "length", "_4th" }, *const own[] = { "kind" };
static const vg_column flowers = { .name = "features", .dtype = VG_F32, .storage = VG_STORE_F32, .rank = 1, .shape = { 2 },
                                   .members = numbered, .given = given };
static const vg_column target = { .name = "target", .dtype = VG_I32, .classes = 3, .texts = words, .given = own };
static const vg_column kind = { .name = "kind", .dtype = VG_I32, .classes = 3, .texts = words };
static const vg_column images = { .name = "images", .dtype = VG_F32, .storage = VG_STORE_U8, .scale = 0.5f, .rank = 2,
                                  .shape = { 1, 2 } };
static const vg_column scaled = { .name = "images", .dtype = VG_F32, .storage = VG_STORE_U8, .scale = 0.5f, .rank = 2,
                                  .shape = { 1, 2 }, .scalings = 1, .gain = half, .shift = one };
static const vg_column ids = { .name = "now", .dtype = VG_I32, .rank = 1, .shape = { 2 }, .classes = 5 };
static const vg_column plain = { .dtype = VG_F32, .rank = 1, .shape = { 2 } };
static const vg_column number = { .name = "x", .dtype = VG_F32 };

typedef struct row { const vg_column *like; const char *dict, *bytes; size_t length; const char *wants; } row;

/* A table without a dict, an array with one. */
static void write_row(const fixture *f, const row *r) {
    char bytes[1024];
    if (r->dict) {
        write_file(f, "in", bytes, make_npy(bytes, 1, r->dict, r->bytes, r->length));
    } else {
        write_file(f, "in", r->bytes, r->length);
    }
}

static bool reads(fixture *f, vg_dataset *set, const vg_column *like) {
    char path[512];
    snprintf(path, sizeof path, "%s", path_of(f, "in"));
    *set = (vg_dataset){ .mem = &f->mem };
    return vg_dataset_input(set, like, path, &f->error);
}

/* "1,2 3,4" */
static const char *show(fixture *f, const vg_dataset *set) {
    vg_text text = vg_text_new(&f->mem);
    const vg_column *column = &set->columns[0];
    size_t elements = 1;
    char shown[32];
    for (uint32_t k = 0; k < column->rank; k++) {
        elements *= column->shape[k];
    }
    for (uint32_t i = 0; i < set->test_count; i++) {
        float values[16];
        vg_dataset_gather(set, 0, &set->test_examples[i], 1, values, false);
        for (size_t k = 0; k < elements; k++) {
            vg_text_format(&text, "%s%s", k ? "," : i ? " " : "", vg_number_text(shown, column->dtype == VG_I32
                           ? (double)((int32_t *)(void *)values)[k] : (double)values[k]));
        }
    }
    return vg_text_c(&text);
}

static const row good[] = {
    { &features, NULL, BYTES("length,my width\n1,2\n3,4.5\n"), "3,1 7,2.25" },
    { &features, NULL, BYTES("\xEF\xBB\xBFmy_width,kind,\"length\"\r\n2,x,1\r\n4.5,,3"), "3,1 7,2.25" },
    { &features, NULL, BYTES("1,2\n3,4.5\n"), "3,1 7,2.25" },
    { &features, C("<f4", "(1, 2)"), BYTES("\0\0\200\77\0\0\0\100"), "3,1" },
    { &features, C(">f8", "(1, 2, 1)"), BYTES("\77\360\0\0\0\0\0\0\100\0\0\0\0\0\0\0"), "3,1" },
    { &features, C("<i8", "(1, 2)"), BYTES("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"), "3,1" },
    { &features, C("|u1", "(1, 2)"), BYTES("\1\2"), "3,1" },
    { &kind, NULL, BYTES("size,kind\n1,small\n2,big\n"), "2 0" },
    { &kind, NULL, BYTES("red\nsmall\n"), "1 2" },
    { &kind, C("|u1", "(2,)"), BYTES("\2\0"), "2 0" },
    { &images, C("|u1", "(2, 1, 2)"), BYTES("\1\2\3\4"), "0.5,1 1.5,2" },
    { &images, C("<f4", "(1, 2)"), BYTES("\0\0\200\77\0\0\0\100"), "1,2" },
    { &images, C("<i4", "(1, 2)"), BYTES("\1\0\0\0\2\0\0\0"), "0.5,1" },
    { &images, C(">u2", "(1, 2)"), BYTES("\0\1\0\377"), "0.5,127.5" },
    { &images, C("|i1", "(1, 2)"), BYTES("\1\177"), "0.5,63.5" },
    { &images, C("<i8", "(1, 2)"), BYTES("\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "0.5,0" },
    { &images, C("|b1", "(1, 2)"), BYTES("\1\0"), "1,0" },
    { &images, NULL, BYTES("1,2\n"), "0.5,1" },
    { &images, NULL, BYTES("1,0\n0,255\n"), "0.5,0 0,127.5" },
    { &images, NULL, BYTES("1,0\n0,1\n"), "1,0 0,1" },
    { &images, NULL, BYTES("1,100\n0.5,0\n"), "1,100 0.5,0" },
    { &scaled, NULL, BYTES("1,2\n"), "1.25,1.5" },
    { &scaled, C("<i8", "(1, 2)"), BYTES("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"), "1.25,1.5" },
    { &flowers, NULL, BYTES("4th,length\n1,2\n"), "2,1" },
    { &flowers, NULL, BYTES("_4th,length\r1,2\r3,4\r"), "2,1 4,3" },
    { &target, NULL, BYTES("size,kind\n1,small\n"), "2" },
    { &target, NULL, BYTES("target,size\nsmall,1\n"), "2" },
    { &target, NULL, BYTES("target,kind\nsmall,big\n"), "0" },
    { &scaled, C("|u1", "(1, 2)"), BYTES("\1\2"), "1.25,1.5" },
    { &scaled, C("<f4", "(1, 2)"), BYTES("\0\0\200\77\0\0\0\100"), "1.5,2" },
    { &ids, NULL, BYTES("4,0\n"), "4,0" },
    { &ids, C("<i2", "(1, 2)"), BYTES("\4\0\0\0"), "4,0" },
    { &plain, NULL, BYTES("1,-2e1\n"), "1,-20" },
    { &plain, C("|b1", "(1, 2)"), BYTES("\1\0"), "1,0" },
    { &number, NULL, BYTES("y,x\n1,2\n3,4\n"), "2 4" },
    { &number, NULL, BYTES("7\n"), "7" },
    { &number, C("<f4", "(1, 1)"), BYTES("\0\0\200\77"), "1" },
};

static void test_good_files(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT(good); i++) {
        vg_dataset set;
        write_row(f, &good[i]);
        if (!reads(f, &set, good[i].like)) {
            fail_msg("%zu: %s", i, f->error.text);
        }
        assert_string_equal(show(f, &set), good[i].wants);
        assert_int_equal(set.train_count, set.count);
        assert_true(set.loaded && set.column_count == 1 && set.columns[0].texts == good[i].like->texts);
        assert_int_equal(set.classes, good[i].like->classes);
    }
}

static const row broken[] = {
    { &features, NULL, BYTES(""), "'in' is empty: a table or an NPY file was expected" },
    { &features, NULL, BYTES("length,my width\n"), "'in' holds only names, and no example" },
    { &features, NULL, BYTES("length,width\n1,2\n"), "'in' line 1: there is no column 'my_width', which 'features' is made of: a "
      "first line of names must have it, in any place" },
    { &features, NULL, BYTES("1,2,3\n"), "'in' line 1: there are 3 fields: 'features' has 2 values, one for each field of a line; "
      "or the first line must hold names" },
    { &features, NULL, BYTES("1,2\n1\n"), "'in' line 2: there is 1 field, where the first line has 2" },
    { &features, NULL, BYTES("1,2\n1,x\n"), "'in' line 2: 'x' is no finite number, as 'features' takes them" },
    { &features, NULL, BYTES("1,2\n1,nan\n"), "'in' line 2: 'nan' is no finite number, as 'features' takes them" },
    { &features, NULL, BYTES("1,2\n1,\n"), "'in' line 2: a value is missing for 'features'" },
    { &features, NULL, BYTES("1,2\n1,\xff\n"), "'in' line 2: byte 6, ff, begins no character of UTF-8; iconv converts texts" },
    { &kind, NULL, BYTES("kind\nred\nblue\n"), "'in' line 3: 'blue' is none of the 3 words that 'kind' was trained with, such as "
      "'big'" },
    { &kind, C("|u1", "(2,)"), BYTES("\2\3"), "'in' holds 3 at [1]: integers must be from 0 to 2" },
    { &kind, C("<f4", "(1,)"), BYTES("\0\0\200\77"), "'in' holds floats, and 'kind' takes integers" },
    { &ids, NULL, BYTES("4,5\n"), "'in' line 1: '5' is no whole number from 0 to 4, as 'now' takes them" },
    { &ids, NULL, BYTES("4,0.5\n"), "'in' line 1: '0.5' is no whole number from 0 to 4, as 'now' takes them" },
    { &images, C("|u1", "(2,)"), BYTES("\1\2"), "'in' is an array [2]: for 'images' [n, 1, 2] was expected, n examples" },
    { &images, C("|u1", "(0, 2)"), BYTES(""), "'in' is an array [0, 2]: it holds no example" },
    { &images, C("<i4", "(1, 2)"), BYTES("\1\0\0\0\0\1\0\0"), "'in' holds 256 at [0, 1]: integers must be from 0 to 255, "
      "as bytes: so integers are taken where the data set is of bytes, and floats as the model sees them" },
    { &images, C("|i1", "(1, 2)"), BYTES("\1\377"), "'in' holds -1 at [0, 1]: integers must be from 0 to 255, as bytes: "
      "so integers are taken where the data set is of bytes, and floats as the model sees them" },
    { &images, C("<f4", "(1, 2)"), BYTES("\0\0\0\0\0\0\200\103"), "'in' holds 256: floats are taken as the model sees "
      "'images', which is from 0 to 127.5; integers from 0 to 255 are scaled to that" },
    { &images, NULL, BYTES("1,2\n0,256\n"), "'in' line 2: '256' is no byte: 'images' is made of bytes from 0 to 255, and "
      "so are the numbers of a table where all are whole, and one is above 1" },
    { &images, NULL, BYTES("0.5,256\n"), "'in' line 1: '256' is far outside of 0 to 127.5, as the model sees 'images': a "
      "table is taken so unless all its numbers are whole, and one is above 1: those are bytes" },
    { &flowers, NULL, BYTES("length,fourth\n1,2\n"), "'in' line 1: there is no column '4th', which 'features' is made of: "
      "a first line of names must have it, in any place" },
    { &target, NULL, BYTES("size\n1\n"), "'in' line 1: there is no column 'kind': a first line of names must have it, in "
      "any place" },
    { &target, NULL, BYTES("kind\nblue\n"), "'in' line 2: 'blue' is none of the 3 words that 'kind' was trained with, "
      "such as 'big'" },
    { &number, NULL, BYTES("1,2\n"), "'in' line 1: there are 2 fields: 'x' has 1 value, one for each field of a line; or "
      "the first line must hold names" },
    { &plain, NULL, BYTES("\x89PNG\r\n\x1a\n"), "'in' is a picture (PNG): for 'the input', which is of no pictures, "
      ".npy or CSV was expected" },
    { &plain, NULL, BYTES("a,b\n1,2\n"), "'in' line 1: 'a' is no number of 'the input', which has no names that a first line could "
      "hold: lines of 2 values were expected" },
    { &plain, C("<f4", "(1, 2)"), BYTES("\0\0\200\177\0\0\0\0"), "'in' holds inf at [0, 0]: numbers must be finite" },
    { &plain, NULL, BYTES("\x93NUM"), "'in' ends at byte 4, within the beginning of an NPY file" },
};

/* The values of a float array of bytes may lie a little outside of what the data set has. */
static void test_floats_beyond_bytes(void **state) {
    static const row low = { &images, C("<f4", "(1, 2)"), BYTES("\0\0\0\303\0\0\0\103"), "" };
    fixture *f = *state;
    vg_dataset set;
    write_row(f, &low);
    assert_false(reads(f, &set, &images));                                 /* -128 */
    assert_non_null(strstr(f->error.text, "holds -128: floats are taken"));
    const float near[] = { -127, 254 };
    char bytes[1024];
    write_file(f, "in", bytes, make_npy(bytes, 1, low.dict, (const char *)near, sizeof near));
    assert_true(reads(f, &set, &images));
}

static void test_a_folder(void **state) {
    fixture *f = *state;
    vg_dataset set = { .mem = &f->mem };
    assert_false(vg_dataset_input(&set, &features, f->folder, &f->error));
    assert_non_null(strstr(f->error.text, "is a folder: an input is read from one file, .npy, CSV or a picture"));
}

static void test_bad_files(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        vg_dataset set;
        char text[600], *folder;
        write_row(f, &broken[i]);
        assert_false(reads(f, &set, broken[i].like));
        folder = strstr(f->error.text, f->folder);
        assert_non_null(folder);
        snprintf(text, sizeof text, "%.*s%s", (int)(folder - f->error.text), f->error.text, folder + strlen(f->folder) + 1);
        assert_string_equal(text, broken[i].wants);
        assert_false(f->error.argument);
    }
}

/* Both kinds through a pipe. */
static void test_standard_input(void **state) {
    fixture *f = *state;
    char array[1024];
    const size_t length = make_npy(array, 1, C("|u1", "(1, 2)"), BYTES("\1\2"));
    for (int k = 0; k < 2; k++) {
        int ends[2], kept = dup(0);
        assert_int_equal(pipe(ends), 0);
        assert_true(write(ends[1], k ? array : "1,2\n", k ? length : 4) > 0);
        close(ends[1]);
        dup2(ends[0], 0);
        vg_dataset set = { .mem = &f->mem };
        const bool fine = vg_dataset_input(&set, &features, "-", &f->error);
        dup2(kept, 0);
        close(ends[0]);
        close(kept);
        if (!fine) {
            fail_msg("%s", f->error.text);
        }
        assert_string_equal(show(f, &set), "3,1");
    }
}

static void read_all(vg_mem *mem, void *user) {
    fixture *f = user;
    char path[512];
    snprintf(path, sizeof path, "%s", path_of(f, "in"));
    for (size_t i = 1; i < COUNT(good); i += 6) {
        vg_dataset set = { .mem = mem };
        write_row(f, &good[i]);
        assert_true(vg_dataset_input(&set, good[i].like, path, &f->error));
    }
}

static void test_memory_fails_at_every_call(void **state) {
    int before = dup(0);
    close(before);
    assert_true(survive_every_call(read_all, *state) > 20);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_good_files), TEST(test_floats_beyond_bytes), TEST(test_a_folder), TEST(test_bad_files),
        TEST(test_standard_input), TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
