/* The sources npy, npz and safetensors: columns of every type, mapped, unpacked and put in order; and every kind of bad
 * archive. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "data/safetensors.h"
#include "data_fixture.h"
#include "memory_fixture.h"

#define C(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"
#define F(descr, shape) "{'descr': '" descr "', 'fortran_order': True, 'shape': " shape ", }"

/* ---- making archives */

typedef struct archive { uint8_t bytes[8192], directory[2048]; size_t length, directory_length, count; } archive;

static void put(uint8_t *out, size_t *at, uint64_t value, int size) {
    for (int k = 0; k < size; k++) {
        out[(*at)++] = (uint8_t)(k < 8 ? value >> 8 * k : 0);
    }
}

/* A member, as NumPy writes it: `wide` with sizes of 64 bits in the directory's extra field. */
static void add_member(archive *a, const char *name, const void *bytes, size_t length, bool deflated, bool wide) {
    uint8_t packed[4096];
    size_t size = length, offset = a->length;
    if (deflated) {
        z_stream stream = { .next_in = (z_const Bytef *)(uintptr_t)bytes, .avail_in = (unsigned)length, .next_out = packed,
                            .avail_out = sizeof packed };
        assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        size = stream.total_out;
        deflateEnd(&stream);
    } else {
        memcpy(packed, bytes, length);
    }
    const uint64_t crc = crc32(0, bytes, (unsigned)length), method = deflated ? 8 : 0;
    size_t *at = &a->length;
    put(a->bytes, at, 0x04034b50, 4), put(a->bytes, at, 20, 2), put(a->bytes, at, 0, 2), put(a->bytes, at, method, 2);
    put(a->bytes, at, 0, 4), put(a->bytes, at, crc, 4), put(a->bytes, at, size, 4), put(a->bytes, at, length, 4);
    put(a->bytes, at, strlen(name), 2), put(a->bytes, at, 0, 2);
    memcpy(a->bytes + *at, name, strlen(name));
    *at += strlen(name);
    memcpy(a->bytes + *at, packed, size);
    *at += size;
    at = &a->directory_length;
    put(a->directory, at, 0x02014b50, 4), put(a->directory, at, 20, 2), put(a->directory, at, 20, 2);
    put(a->directory, at, 0, 2), put(a->directory, at, method, 2), put(a->directory, at, 0, 4), put(a->directory, at, crc, 4);
    put(a->directory, at, wide ? UINT32_MAX : size, 4), put(a->directory, at, wide ? UINT32_MAX : length, 4);
    put(a->directory, at, strlen(name), 2), put(a->directory, at, wide ? 20 : 0, 2), put(a->directory, at, 0, 2);
    put(a->directory, at, 0, 2), put(a->directory, at, 0, 2), put(a->directory, at, 0, 4), put(a->directory, at, offset, 4);
    memcpy(a->directory + *at, name, strlen(name));
    *at += strlen(name);
    if (wide) {
        put(a->directory, at, 1, 2), put(a->directory, at, 16, 2), put(a->directory, at, length, 8);
        put(a->directory, at, size, 8);
    }
    a->count++;
}

/* The directory, of 64 bits when `wide`, and the end. */
static void close_archive(archive *a, bool wide) {
    const uint64_t from = a->length, large = from + a->directory_length;
    memcpy(a->bytes + a->length, a->directory, a->directory_length);
    size_t *at = &a->length;
    *at += a->directory_length;
    if (wide) {
        put(a->bytes, at, 0x06064b50, 4), put(a->bytes, at, 44, 8), put(a->bytes, at, 0, 12), put(a->bytes, at, a->count, 8);
        put(a->bytes, at, a->count, 8), put(a->bytes, at, a->directory_length, 8), put(a->bytes, at, from, 8);
        put(a->bytes, at, 0x07064b50, 4), put(a->bytes, at, 0, 4), put(a->bytes, at, large, 8), put(a->bytes, at, 1, 4);
    }
    put(a->bytes, at, 0x06054b50, 4), put(a->bytes, at, 0, 4), put(a->bytes, at, wide ? 0xffff : a->count, 2);
    put(a->bytes, at, wide ? 0xffff : a->count, 2), put(a->bytes, at, wide ? UINT32_MAX : a->directory_length, 4);
    put(a->bytes, at, wide ? UINT32_MAX : from, 4), put(a->bytes, at, 0, 2);
}

static void add_array(archive *a, const char *name, const char *dict, const char *data, size_t length, bool deflated,
                      bool wide) {
    char bytes[1024];
    add_member(a, name, bytes, make_npy(bytes, 1, dict, data, length), deflated, wide);
}

static void write_archive(const fixture *f, archive *a, bool wide) {
    close_archive(a, wide);
    write_file(f, "a.npz", a->bytes, a->length);
}

static void write_npy(const fixture *f, const char *name, const char *dict, const char *data, size_t length) {
    char bytes[1024];
    write_file(f, name, bytes, make_npy(bytes, 1, dict, data, length));
}

/* ---- loading */

static vg_dataset dataset(fixture *f, const char *source, const char *first, const char *second) {
    vg_dataset set = { .mem = &f->mem, .source = row_of(source), .folder = f->folder, .test = 0 };
    set.arguments[0] = (vg_argument){ .text = first, .given = true };
    set.arguments[1] = (vg_argument){ .text = second, .given = second != NULL };
    return set;
}

static bool loads(fixture *f, vg_dataset *set) {
    return vg_dataset_describe(set, &f->error) && vg_dataset_load(set, &f->error);
}

/* "x[2]=1,2 3,4 y:i=0 1" */
static const char *show(fixture *f, const vg_dataset *set) {
    vg_text text = vg_text_new(&f->mem);
    char number[32];
    for (uint32_t k = 0; k < set->column_count; k++) {
        const vg_column *column = &set->columns[k];
        size_t elements = 1;
        vg_text_format(&text, "%s%s%s", k ? " " : "", column->name, column->dtype == VG_I32 ? ":i" : "");
        for (uint32_t j = 0; j < column->rank; j++) {
            vg_text_format(&text, "[%u]", column->shape[j]);
            elements *= column->shape[j];
        }
        vg_text_format(&text, "%s=", column->mapped ? ":m" : "");
        for (uint32_t i = 0; i < set->count; i++) {
            double values[64];
            vg_dataset_gather(set, k, &i, 1, values, true);
            for (size_t j = 0; j < elements; j++) {
                double value = column->dtype == VG_I32 ? ((int32_t *)(void *)values)[j] : values[j];
                vg_text_format(&text, "%s%s", j ? "," : i ? " " : "", vg_number_text(number, value));
            }
        }
    }
    return text.text;
}

/* ---- npy */

static void test_npy(void **state) {
    fixture *f = *state;
    static const struct { const char *dict, *bytes; size_t length; const char *wants; } rows[] = {
        { C("<f4", "(2,)"), BYTES("\0\0\200\77\0\0\0\300"), "x:m=1 -2" },
        { C(">f4", "(2, 1)"), BYTES("\77\200\0\0\300\0\0\0"), "x[1]=1 -2" },
        { C("<f8", "(1, 1, 1)"), BYTES("\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "x[1][1]:m=0.1" },
        { C("<f2", "(2,)"), BYTES("\0\74\0\300"), "x:m=1 -2" },
        { C("<i8", "(2,)"), BYTES("\5\0\0\0\0\0\0\0\376\377\377\377\377\377\377\377"), "x:i:m=5 -2" },
        { C(">i2", "(2,)"), BYTES("\0\1\377\376"), "x:i=1 -2" },
        { C("|u1", "(2, 2)"), BYTES("\0\1\2\377"), "x:i[2]:m=0,1 2,255" },
        { C("<u2", "(2,)"), BYTES("\1\0\377\377"), "x:i:m=1 65535" },
        { C("|i1", "(2,)"), BYTES("\1\377"), "x:i:m=1 -1" },
        { C("|b1", "(2,)"), BYTES("\0\1"), "x:i:m=0 1" },
        { F("|u1", "(2, 3)"), BYTES("\1\2\3\4\5\6"), "x:i[3]=1,3,5 2,4,6" },
        { F(">i2", "(2, 2)"), BYTES("\0\1\0\2\0\3\0\4"), "x:i[2]=1,3 2,4" },
        { F("<f4", "(2,)"), BYTES("\0\0\200\77\0\0\0\300"), "x:m=1 -2" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_npy(f, "x.npy", rows[i].dict, rows[i].bytes, rows[i].length);
        vg_dataset set = dataset(f, "npy", "x.npy", NULL);
        if (!loads(f, &set)) {
            fail_msg("%s: %s", rows[i].dict, f->error.text);
        }
        assert_string_equal(show(f, &set), rows[i].wants);
        assert_int_equal(set.classes, 0);
    }
}

static void test_labels(void **state) {
    fixture *f = *state;
    write_npy(f, "x.npy", C("<f4", "(2,)"), BYTES("\0\0\200\77\0\0\0\300"));
    write_npy(f, "y.npy", C(">i8", "(2,)"), BYTES("\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\1"));
    vg_dataset set = dataset(f, "npy", "x.npy", "y.npy"), negative = set, scaled = set;
    assert_true(loads(f, &set));
    assert_string_equal(show(f, &set), "x:m=1 -2 y:i=6 1");
    assert_int_equal(set.classes, 7);
    assert_int_equal(set.columns[1].classes, 7);
    scaled.scale = "unit";
    assert_true(loads(f, &scaled));
    assert_string_equal(show(f, &scaled), "x:m=1.0000000298023224 0 y:i=6 1");
    write_npy(f, "y.npy", C("|i1", "(2,)"), BYTES("\1\377"));
    assert_true(loads(f, &negative));
    assert_int_equal(negative.classes, 0);
}

static void assert_fails(fixture *f, vg_dataset *set, const char *wanted) {
    char text[600];
    assert_false(loads(f, set));
    assert_false(f->error.argument);
    size_t length = 0;
    for (const char *p = f->error.text; *p;) {           /* without the folder */
        if (strncmp(p, f->folder, strlen(f->folder)) == 0) {
            p += strlen(f->folder) + 1;
        } else {
            text[length++] = *p++;
        }
    }
    text[length] = '\0';
    if (strcmp(text, wanted) != 0) {
        fail_msg("\"%s\" != \"%s\"", text, wanted);
    }
}

static void test_bad_npy(void **state) {
    fixture *f = *state;
    static const struct { const char *dict, *bytes; size_t length; const char *text; } rows[] = {
        { C("|u1", "()"), BYTES("\1"), "'x.npy' holds a single number: its first axis must be the examples, one or more" },
        { C("|u1", "(0, 2)"), BYTES(""), "'x.npy' holds no example: its first axis must be the examples, one or more" },
        { C("|u1", "(2, 0)"), BYTES(""), "'x.npy' has examples of 0 elements: there must be from 1 to 2147483647" },
        { C("<f4", "(2, 2)"), BYTES("\0\0\200\77\0\0\200\77\0\0\200\77\0\0\xc0\x7f"),
          "'x.npy' holds nan at [1, 1]: numbers must be finite" },
        { C(">f2", "(2,)"), BYTES("\74\0\374\0"), "'x.npy' holds -inf at [1]: numbers must be finite" },
        { C("<i8", "(2,)"), BYTES("\0\0\0\0\0\0\0\0\0\0\0\200\0\0\0\0"),
          "'x.npy' holds 2147483648 at [1]: integers must be from -2147483648 to 2147483647" },
        { C("|b1", "(2,)"), BYTES("\1\2"), "'x.npy' holds 2 at [1]: integers must be from 0 to 1" },
        { C("|u1", "(2,)"), BYTES("\1"), "'x.npy' promises 2 bytes behind its header of 128, but holds only 1: is it complete?" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_npy(f, "x.npy", rows[i].dict, rows[i].bytes, rows[i].length);
        vg_dataset set = dataset(f, "npy", "x.npy", NULL);
        assert_fails(f, &set, rows[i].text);
    }
    write_npy(f, "x.npy", C("|u1", "(2,)"), BYTES("\1\2"));
    write_npy(f, "y.npy", C("|u1", "(3,)"), BYTES("\1\2\3"));
    vg_dataset set = dataset(f, "npy", "x.npy", "y.npy"), missing = dataset(f, "npy", "z.npy", NULL);
    vg_dataset folder = dataset(f, "npy", ".", NULL);
    assert_fails(f, &set, "'x.npy' has 2 examples, 'y.npy' 3: the first axis of all arrays must be the same");
    assert_fails(f, &missing, "'z.npy' cannot be read: No such file or directory");
    assert_fails(f, &folder, "'.' is not a file but a folder");
}

/* ---- npz */

static void test_npz(void **state) {
    fixture *f = *state;
    for (int k = 0; k < 16; k++) {
        archive a = { 0 };
        add_array(&a, "arr 0.npy", C("<f4", "(2, 2)"), BYTES("\0\0\200\77\0\0\0\300\0\0\0\0\0\0\200\77"), k & 1, k & 2);
        add_array(&a, "labels.npy", C("|u1", "(2,)"), BYTES("\3\1"), k & 4, false);
        write_archive(f, &a, k & 8);
        vg_dataset set = dataset(f, "npz", "a.npz", NULL);
        if (!loads(f, &set)) {
            fail_msg("%s", f->error.text);
        }
        char wants[64];
        snprintf(wants, sizeof wants, "arr_0[2]%s=1,-2 0,1 labels:i%s=3 1", k & 1 ? "" : ":m", k & 4 ? "" : ":m");
        assert_string_equal(show(f, &set), wants);
        assert_int_equal(set.classes, 4);
    }
}

/* Unpacked onto the disk, where it would take too much of the memory. */
static void test_large_npz(void **state) {
    fixture *f = *state;
    archive a = { 0 };
    add_array(&a, "x.npy", C(">f4", "(2,)"), BYTES("\77\200\0\0\300\0\0\0"), true, false);
    write_archive(f, &a, false);
    vg_dataset set = dataset(f, "npz", "a.npz", NULL);
    set.room = 1;
    assert_true(loads(f, &set));
    assert_string_equal(show(f, &set), "x:m=1 -2");
}

static void test_bad_npz(void **state) {
    fixture *f = *state;
    vg_dataset set = dataset(f, "npz", "a.npz", NULL);
    write_file(f, "a.npz", BYTES(""));
    assert_fails(f, &set, "'a.npz' is empty: an NPZ file was expected");
    write_file(f, "a.npz", BYTES("\x93NUMPY"));
    assert_fails(f, &set, "'a.npz' is not an NPZ file: it does not begin with PK, as a zip archive does");
    write_file(f, "a.npz", BYTES("PK\3\4 and no end"));
    assert_fails(f, &set, "'a.npz' has no directory at its end (byte 15): is it complete?");
    archive none = { 0 }, text = { 0 }, twice = { 0 }, spoiled = { 0 }, bomb = { 0 };
    write_archive(f, &none, false);
    assert_fails(f, &set, "'a.npz' holds no array");
    add_member(&text, "notes.txt", BYTES("hello"), false, false);
    write_archive(f, &text, false);
    assert_fails(f, &set, "'a.npz' holds 'notes.txt', which is no array: an NPZ file has members NAME.npy");
    add_array(&twice, "a b.npy", C("|u1", "(1,)"), BYTES("\1"), false, false);
    add_array(&twice, "a_b.npy", C("|u1", "(1,)"), BYTES("\1"), true, false);
    write_archive(f, &twice, false);
    assert_fails(f, &set, "'a.npz/a b.npy' and 'a.npz/a_b.npy' are both called a_b in a model: call one otherwise");
    for (int deflated = 0; deflated < 2; deflated++) {
        memset(&spoiled, 0, sizeof spoiled);
        add_array(&spoiled, "x.npy", C("|u1", "(1,)"), BYTES("\1"), deflated, false);
        spoiled.directory[16] ^= 1;
        write_archive(f, &spoiled, false);
        assert_fails(f, &set, "'a.npz' is damaged: the sum of 'x.npy' (byte 35) is another one");
    }
    add_array(&bomb, "x.npy", C("|u1", "(1,)"), BYTES("\1"), true, false);
    memset(bomb.directory + 24, 0xfe, 4);
    write_archive(f, &bomb, false);
    assert_false(loads(f, &set));
    assert_non_null(strstr(f->error.text, "promises 4278124286 bytes of 'x.npy', which "));
    assert_true(f->mem.peak < 1000000);
}

/* ---- safetensors */

static const int16_t whole[2][2] = { { 1, 2 }, { -3, 4 } };
static const uint16_t halves[2] = { 0x3c00, 0xc000 }, brains[2] = { 0x3f80, 0xc000 };
static const uint8_t truths[2] = { 1, 0 };
static const float floats[2] = { 0.5f, 0.25f };
static const uint32_t large[2] = { 1, 2 };

static void write_tensors(const fixture *f, vg_mem *mem, const vg_safetensor *tensors, uint32_t count) {
    assert_int_equal(vg_safetensors_write(mem, NULL, path_of(f, "a.st"), tensors, count, NULL, 0), 0);
}

static const vg_safetensor good[] = {
    { .name = "layer.0", .dtype = "I16", .rank = 2, .shape = { 2, 2 }, .data = whole },
    { .name = "half", .dtype = "F16", .rank = 1, .shape = { 2 }, .data = halves },
    { .name = "brain", .dtype = "BF16", .rank = 1, .shape = { 2 }, .data = brains },
    { .name = "target", .dtype = "BOOL", .rank = 1, .shape = { 2 }, .data = truths },
    { .name = "f", .dtype = "F32", .rank = 2, .shape = { 2, 1 }, .data = floats },
};

static void test_safetensors(void **state) {
    fixture *f = *state;
    write_tensors(f, &f->mem, good, COUNT(good));
    vg_dataset set = dataset(f, "safetensors", "a.st", NULL);
    if (!loads(f, &set)) {
        fail_msg("%s", f->error.text);
    }
    assert_string_equal(show(f, &set), "layer_0:i[2]:m=1,2 -3,4 half:m=1 -2 brain:m=1 -2 target:i:m=1 0 f[1]:m=0.5 0.25");
    assert_int_equal(set.classes, 2);
    const vg_safetensor odd[] = {
        { .name = "u", .dtype = "U32", .rank = 1, .shape = { 2 }, .data = large },
        { .name = "f", .dtype = "F32", .rank = 1, .shape = { 1 }, .data = floats },
        { .name = "h", .dtype = "F16", .rank = 1, .shape = { 2 }, .data = halves },
        { .name = "n", .dtype = "F32", .rank = 0, .data = floats },
    };
    write_tensors(f, &f->mem, odd, 1);
    assert_fails(f, &set, "'a.st/u' has elements of type U32: only F16, BF16, F32, F64, I8 to I64, U8, U16 and BOOL can be data");
    write_tensors(f, &f->mem, odd + 1, 2);
    assert_fails(f, &set, "'a.st/f' has 1 example, 'a.st/h' 2: the first axis of all arrays must be the same");
    write_tensors(f, &f->mem, odd + 3, 1);
    assert_fails(f, &set, "'a.st/n' holds a single number: its first axis must be the examples, one or more");
    write_tensors(f, &f->mem, odd, 0);
    assert_fails(f, &set, "'a.st' holds no tensor");
}

/* ---- every byte */

static void spoil(fixture *f, const char *source, const char *name, const char *second) {
    char *bytes;
    size_t length;
    assert_int_equal(vg_file_read(&f->mem, path_of(f, name), 1 << 20, &bytes, &length), 0);
    for (size_t cut = 0; cut < length; cut++) {
        write_file(f, name, bytes, cut);
        vg_dataset set = dataset(f, source, name, second);
        assert_false(loads(f, &set));
        assert_true(f->error.text[0] == '\'');
    }
    for (size_t k = 0; k < length; k++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes[k] = (char)(bytes[k] ^ 1 << bit);
            write_file(f, name, bytes, length);
            vg_dataset set = dataset(f, source, name, second);
            loads(f, &set);
            bytes[k] = (char)(bytes[k] ^ 1 << bit);
        }
    }
}

static void test_every_byte(void **state) {
    fixture *f = *state;
    write_npy(f, "x.npy", C(">f4", "(2, 1)"), BYTES("\77\200\0\0\300\0\0\0"));
    spoil(f, "npy", "x.npy", NULL);
    archive a = { 0 };
    add_array(&a, "x.npy", F(">i2", "(2, 1)"), BYTES("\0\1\0\2"), true, true);
    add_array(&a, "y.npy", C("|u1", "(2,)"), BYTES("\3\1"), false, false);
    write_archive(f, &a, true);
    spoil(f, "npz", "a.npz", NULL);
    write_tensors(f, &f->mem, good, 2);
    spoil(f, "safetensors", "a.st", NULL);
}

static void load_npz(vg_mem *mem, void *user) {
    fixture *f = user;
    vg_dataset set = dataset(f, "npz", "a.npz", NULL), tensors = dataset(f, "safetensors", "a.st", NULL);
    set.mem = tensors.mem = mem;
    assert_true(loads(f, &set));
    assert_true(loads(f, &tensors));
}

static void test_memory_fails_at_every_call(void **state) {
    fixture *f = *state;
    archive a = { 0 };
    add_array(&a, "x.npy", F(">i2", "(2, 2)"), BYTES("\0\1\0\2\0\3\0\4"), true, true);
    add_array(&a, "y.npy", C("|u1", "(2,)"), BYTES("\3\1"), false, false);
    write_archive(f, &a, true);
    write_tensors(f, &f->mem, good, 2);
    int before = dup(0);
    close(before);
    assert_true(survive_every_call(load_npz, f) > 20);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_npy), TEST(test_labels), TEST(test_bad_npy), TEST(test_npz), TEST(test_large_npz), TEST(test_bad_npz),
        TEST(test_safetensors), TEST(test_every_byte), TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("arrays", tests, NULL, NULL);
}
