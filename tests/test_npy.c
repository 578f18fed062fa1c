/* NPY files: every element type and order, every kind of bad header, from bytes made here. */
#include <math.h>
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

#include "data/npy.h"
#include "data_fixture.h"
#include "memory_fixture.h"

/* ---- making files */

static bool read_made(fixture *f, unsigned version, const char *dict, const char *data, size_t length,
                      vg_array *array) {
    char bytes[1024];
    write_file(f, "array", bytes, make_npy(bytes, version, dict, data, length));
    return vg_array_read(&f->mem, path_of(f, "array"), array, &f->error);
}

/* ---- good ones */

typedef struct good { unsigned version; const char *dict, *data; size_t length; const char *wants; } good;

#define C(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"
#define F(descr, shape) "{'descr': '" descr "', 'fortran_order': True, 'shape': " shape ", }"
static const good files[] = {
    { 1, C("<f4", "(2,)"), BYTES("\0\0\200\77\0\0\0\300"), "f[2] 1 -2" },
    { 1, C(">f4", "(2,)"), BYTES("\77\200\0\0\300\0\0\0"), "f[2] 1 -2" },
    { 2, C("<f8", "(1, 1)"), BYTES("\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "f[1, 1] 0.1" },
    { 3, C(">f8", "()"), BYTES("\x3f\xb9\x99\x99\x99\x99\x99\x9a"), "f[] 0.1" },
    { 1, C("<f4", "(3,)"), BYTES("\0\0\xc0\x7f\0\0\x80\x7f\0\0\x80\xff"), "f[3] nan inf -inf" },
    { 1, C("<i4", "(2,)"), BYTES("\1\2\0\0\377\377\377\377"), "i[2] 513 -1" },
    { 1, C(">i4", "(2,)"), BYTES("\0\0\2\1\200\0\0\0"), "i[2] 513 -2147483648" },
    { 1, C("<i8", "(2,)"), BYTES("\377\377\377\177\0\0\0\0\0\0\0\200\377\377\377\377"), "i[2] 2147483647 -2147483648" },
    { 1, C(">i8", "(1,)"), BYTES("\377\377\377\377\377\377\377\376"), "i[1] -2" },
    { 1, C("<f2", "(3,)"), BYTES("\0\74\0\300\1\0"), "f[3] 1 -2 5.9604644775390625e-08" },
    { 1, C(">f2", "(1,)"), BYTES("\74\0"), "f[1] 1" },
    { 1, C("|i1", "(2,)"), BYTES("\177\377"), "i[2] 127 -1" },
    { 1, C(">i2", "(2,)"), BYTES("\1\0\377\377"), "i[2] 256 -1" },
    { 1, C("<u2", "(2,)"), BYTES("\1\0\377\377"), "i[2] 1 65535" },
    { 1, C("|u1", "(3,)"), BYTES("\0\177\377"), "i[3] 0 127 255" },
    { 1, C("|b1", "(3,)"), BYTES("\0\1\2"), "i[3] 0 1 1" },
    { 1, C("|u1", "(2, 3)"), BYTES("\1\2\3\4\5\6"), "i[2, 3] 1 2 3 4 5 6" },
    { 1, F("|u1", "(2, 3)"), BYTES("\1\2\3\4\5\6"), "i[2, 3] 1 3 5 2 4 6" },
    { 1, F("|u1", "(2, 1, 2, 2)"), BYTES("\0\1\2\3\4\5\6\7"), "i[2, 1, 2, 2] 0 4 2 6 1 5 3 7" },
    { 1, F("<f4", "()"), BYTES("\0\0\200\77"), "f[] 1" },
    { 1, C("|u1", "(1, 1, 1, 1, 1, 1, 1, 2)"), BYTES("\1\2"), "i[1, 1, 1, 1, 1, 1, 1, 2] 1 2" },
    { 1, C("<f8", "(3, 0)"), BYTES(""), "f[3, 0]" },
    { 1, F("<f8", "(2147483647, 2147483647, 2147483647, 0)"), BYTES(""), "f[2147483647, 2147483647, 2147483647, 0]" },
    { 1, "{\"shape\":(1,),\"descr\":\"|u1\",\"fortran_order\":True}", BYTES("\7"), "i[1] 7" },
    { 1, " {'descr':\t'|u1' ,'fortran_order' : False,\n'shape':( 2 , ),}  ", BYTES("\1\2"), "i[2] 1 2" },
};

static void test_good_files(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT(files); i++) {
        vg_array array;
        if (!read_made(f, files[i].version, files[i].dict, files[i].data, files[i].length, &array)) {
            fail_msg("%s: %s", files[i].dict, f->error.text);
        }
        vg_text text = vg_text_new(&f->mem);
        char number[32];
        vg_text_format(&text, "%s", array.dtype == VG_I32 ? "i[" : "f[");
        for (uint32_t k = 0; k < array.rank; k++) {
            vg_text_format(&text, "%s%u", k ? ", " : "", array.shape[k]);
        }
        vg_text_format(&text, "]");
        for (uint64_t k = 0; k < array.count; k++) {
            vg_text_format(&text, " %s", vg_number_text(number, array.elements[k]));
        }
        assert_string_equal(vg_text_c(&text), files[i].wants);
    }
}

/* ---- bad ones */

typedef struct bad { const char *dict, *data; size_t length; const char *text; } bad;

static const bad broken[] = {
    { C("<f4", "(2,)"), BYTES("\0\0\200\77\0\0\0"), "promises 8 bytes behind its header of 128, but holds only 7: "
      "is it complete?" },
    { C("<f4", "(2,)"), BYTES("\0\0\200\77\0\0\0\0\0"), "promises 8 bytes behind its header of 128, but there are 9: "
      "something follows the data" },
    { C("<f4", "(0,)"), BYTES("\0"), "promises 0 bytes behind its header of 128, but there are 1: "
      "something follows the data" },
    { C("<f16", "(1,)"), BYTES("\0\0"), "holds elements of type '<f16': only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 can be read" },
    { C("<u4", "(1,)"), BYTES("\0\0\0\0"), "holds elements of type '<u4': only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 can be read" },
    { C("|f4", "(1,)"), BYTES("\0\0\0\0"), "holds elements of type '|f4': only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 can be read" },
    { C("|O", "(1,)"), BYTES("\x80\4."), "holds elements of type '|O', Python objects: only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 "
      "can be read" },
    { C("", "(1,)"), BYTES("\0"), "holds elements of type '': only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 can be read" },
    { C("<M8[generalised nonsense of no end]", "(1,)"), BYTES("\0"),
      "holds elements of type '<M8[generalised nonsens': only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 can be read" },
    { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", BYTES("\0\0\0\0"),
      "holds records: only f2, f4, f8, i1, i2, i4, i8, u1, u2 and b1 can be read" },
    { C("|u1", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), BYTES("\1"), "has more than 8 dimensions, which is the limit" },
    { C("|u1", "(1, 99999999999999999999999)"), BYTES("\1"), "says that dimension 1 is larger than 2147483647: that is "
      "too large" },
    { C("|u1", "(2147483647, 2147483647, 2147483647)"), BYTES("\1"),
      "has a shape of more elements than any file holds" },
    { C("|u1", "(-1,)"), BYTES("\1"), "has a header that cannot be read: a dimension was expected at byte 61" },
    { C("|u1", "(1 2)"), BYTES("\1"), "has a header that cannot be read: ')' was expected at byte 63" },
    { C("|u1", "(,)"), BYTES("\1"), "has a header that cannot be read: a dimension was expected at byte 61" },
    { C("|u1", "1"), BYTES("\1"), "has a header that cannot be read: a shape was expected at byte 60" },
    { C("|u1", "(1"), BYTES("\1"), "has a header that cannot be read: a dimension was expected at byte 64" },
    { C("<i4'", "(1,)"), BYTES("\1"), "has a header that cannot be read: '}' was expected at byte 25" },
    { "{'descr': 4, 'fortran_order': False, 'shape': (1,), }", BYTES("\1"),
      "has a header that cannot be read: an element type was expected at byte 20" },
    { "{'descr': '|u1', 'fortran_order': Maybe, 'shape': (1,), }", BYTES("\1"),
      "has a header that cannot be read: True or False was expected at byte 44" },
    { "{'descr': '|u1', 'fortran_order': False, 'shape' (1,), }", BYTES("\1"),
      "has a header that cannot be read: ':' was expected at byte 59" },
    { "{'descr': '|u1', 'fortran_order': False, 'sharpe': (1,), }", BYTES("\1"),
      "has a header that cannot be read: its key 'sharpe' is not known" },
    { "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", BYTES("\1"),
      "has a header that cannot be read: its key 'descr' is there twice" },
    { "{'descr': '|u1', 'fortran_order': False, }", BYTES("\1"), "has a header without 'shape'" },
    { "{'descr': '|u1', shape: (1,), }", BYTES("\1"),
      "has a header that cannot be read: a key was expected at byte 27" },
    { "{'descr", BYTES("\1"), "has a header that cannot be read: a closing quote was expected at byte 64" },
    { "('descr', '|u1')", BYTES("\1"), "has a header that cannot be read: '{' was expected at byte 10" },
    { C("|u1", "(1,)") " or so", BYTES("\1"), "has a header that cannot be read: the end of the header was expected at "
      "byte 68" },
    { C("<i8", "(2, 3)"), BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\200\0\0\0\0"
      "\0\0\0\0\1\0\0\0"), "holds 2147483648 at [1, 1]: integers must fit an int32" },
    { F("<i8", "(2, 3)"), BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\200\0\0\0\0"
      "\0\0\0\0\1\0\0\0"), "holds 2147483648 at [0, 2]: integers must fit an int32" },
    { C(">i8", "()"), BYTES("\200\0\0\0\0\0\0\0"), "holds -9223372036854775808 at []: integers must fit an int32" },
};
#undef C
#undef F

static void assert_refused(fixture *f, const char *text) {
    char wanted[512];
    vg_array array;
    assert_false(vg_array_read(&f->mem, path_of(f, "array"), &array, &f->error));
    assert_false(f->error.argument);
    snprintf(wanted, sizeof wanted, "'%s' %s", path_of(f, "array"), text);
    assert_string_equal(f->error.text, wanted);
}

static void test_bad_files(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        char bytes[1024];
        write_file(f, "array", bytes, make_npy(bytes, 1, broken[i].dict, broken[i].data, broken[i].length));
        assert_refused(f, broken[i].text);
    }
}

static void test_bad_beginnings(void **state) {
    fixture *f = *state;
    static const struct { const char *bytes; size_t length; const char *text; } rows[] = {
        { BYTES(""), "is empty: an NPY file was expected" },
        { BYTES("\x93NUM"), "ends at byte 4, within the beginning of an NPY file" },
        { BYTES("\x93NUMPY\1"), "ends at byte 7, within the beginning of an NPY file" },
        { BYTES("\x93NUMPY\1\0\1"), "ends at byte 9, within the beginning of an NPY file" },
        { BYTES("\x93NUMPY\2\0\1\0\0"), "ends at byte 11, within the beginning of an NPY file" },
        { BYTES("PK\3\4 it is an archive"), "is not an NPY file: it does not begin with \\x93NUMPY" },
        { BYTES("\x93NUMPX\1\0\0\0"), "is not an NPY file: it does not begin with \\x93NUMPY" },
        { BYTES("\x93NUMPY\4\0\0\0\0\0"), "is an NPY file of version 4.0: 1.0, 2.0 and 3.0 can be read" },
        { BYTES("\x93NUMPY\0\0\0\0\0\0"), "is an NPY file of version 0.0: 1.0, 2.0 and 3.0 can be read" },
        { BYTES("\x93NUMPY\1\1\0\0\0\0"), "is an NPY file of version 1.1: 1.0, 2.0 and 3.0 can be read" },
        { BYTES("\x93NUMPY\1\0\166\0{'descr'"), "ends at byte 18, within its header of 118 bytes: is it complete?" },
        { BYTES("\x93NUMPY\2\0\0\0\1\0{'descr'"),
          "ends at byte 20, within its header of 65536 bytes: is it complete?" },
        { BYTES("\x93NUMPY\2\0\377\377\377\377{'descr'"),
          "promises a header of 4294967295 bytes, and the limit is 65536" },
        { BYTES("\x93NUMPY\1\0\0\0"), "has a header that cannot be read: '{' was expected at byte 10" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file(f, "array", rows[i].bytes, rows[i].length);
        size_t before = f->mem.peak;
        assert_refused(f, rows[i].text);
        assert_true(f->mem.peak - before < 10000);         /* what is promised is not made ready for */
    }
}

/* Every file that is cut short, or has a bit turned over, is read or refused: the sanitizers watch. */
static void test_damaged_files(void **state) {
    fixture *f = *state;
    char bytes[1024], *damaged = NULL, elements[32] = { 0 };
    vg_npy npy;
    double out[4];
    size_t length = make_npy(bytes, 2, "{'descr': '<i8', 'fortran_order': True, 'shape': (2, 2), }", elements,
                         sizeof elements), read = 0;
    for (size_t cut = 0; cut < length; cut++) {
        damaged = malloc(cut + 1);                         /* a block of its own, so that reading beyond it is seen */
        memcpy(damaged, bytes, cut);
        assert_false(vg_npy_open(&npy, "cut", damaged, cut, &f->error));
        free(damaged);
    }
    for (size_t bit = 0; bit < 8 * length; bit++) {
        damaged = malloc(length);
        memcpy(damaged, bytes, length);
        damaged[bit / 8] = (char)(damaged[bit / 8] ^ 1 << bit % 8);
        if (vg_npy_open(&npy, "damaged", damaged, length, &f->error) && npy.count <= COUNT(out)) {
            read += vg_npy_read(&npy, damaged, out, &f->error);
        }
        free(damaged);
    }
    assert_true(read < 8 * length);
}

static void test_limits(void **state) {
    fixture *f = *state;
    char bytes[1024];
    const size_t length = make_npy(bytes, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (16777217,), }", "", 0);
    write_file(f, "array", bytes, length);
    assert_int_equal(truncate(path_of(f, "array"), (off_t)(length + 16777217)), 0);
    assert_refused(f, "has 16777217 elements: a constant has at most 16777216");
    assert_int_equal(truncate(path_of(f, "array"), 10000000000), 0);
    size_t before = f->mem.peak;
    assert_refused(f, "is too large: a constant has at most 16777216 elements");
    assert_true(f->mem.peak == before);
    unlink(path_of(f, "array"));
    assert_refused(f, "cannot be read: No such file or directory");
    assert_int_equal(mkdir(path_of(f, "array"), 0700), 0);
    assert_refused(f, "is not a file but a folder");
}

/* ---- without memory */

static void read_array(vg_mem *mem, void *user) {
    vg_data_error error;
    vg_array array;
    assert_true(vg_array_read(mem, path_of(user, "array"), &array, &error));
}

static void test_memory_fails_at_every_call(void **state) {
    fixture *f = *state;
    vg_array array;
    assert_true(read_made(f, files[0].version, files[0].dict, files[0].data, files[0].length, &array));
    assert_true(survive_every_call(read_array, f) > 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_good_files), TEST(test_bad_files), TEST(test_bad_beginnings), TEST(test_damaged_files),
        TEST(test_limits), TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("npy", tests, NULL, NULL);
}
