/* Safetensors files: what is written is read back, every kind of bad file is told, and a write that fails leaves what
 * was there. */
#include <errno.h>
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

#include "data/safetensors.h"
#include "data_fixture.h"
#include "memory_fixture.h"

/* ---- making files */

/* The length of the header before it, and the data behind it. */
static size_t make(char *out, const char *header, const char *data, size_t length) {
    size_t text = strlen(header);
    for (size_t k = 0; k < 8; k++) {
        out[k] = (char)(k < 4 ? text >> 8 * k : 0);
    }
    memcpy(out + 8, header, text);
    if (length) {
        memcpy(out + 8 + text, data, length);
    }
    return 8 + text + length;
}

static bool opens(fixture *f, vg_safetensors *file) {
    static char path[512];
    snprintf(path, sizeof path, "%s", path_of(f, "file"));
    return vg_safetensors_open(file, &f->mem, path, &f->error);
}

static const float weights[2][3] = { { 1, 2, 3 }, { 4, 5, -6 } };
static const int64_t step = 1234567890123;
static const vg_safetensor tensors[] = {
    { .name = "layers[0].W", .dtype = "F32", .rank = 2, .shape = { 2, 3 }, .data = weights },
    { .name = "nothing", .dtype = "F64", .rank = 2, .shape = { 0, 4294967296 }, .data = "" },
    { .name = "step \"now\"\n", .dtype = "I64", .rank = 0, .data = &step },
};
static const vg_metadata pairs[] = { { "model", "x = 1\n\"\\\x01 \xc3\xa9" }, { "empty", "" } };

static int write_whole(const fixture *f, vg_mem *mem, vg_disk *disk) {
    return vg_safetensors_write(mem, disk, path_of(f, "file"), tensors, 3, pairs, 2);
}

/* ---- good files */

static void test_round_trip(void **state) {
    fixture *f = *state;
    vg_safetensors file;
    assert_int_equal(write_whole(f, &f->mem, NULL), 0);
    if (!opens(f, &file)) {
        fail_msg("%s", f->error.text);
    }
    assert_int_equal(file.tensors.count, 3);
    const vg_safetensor *w = vg_safetensors_find(&file, "layers[0].W"), *n = vg_safetensors_find(&file, "nothing");
    const vg_safetensor *s = vg_safetensors_find(&file, "step \"now\"\n");
    assert_true(w && n && s);
    assert_string_equal(w->dtype, "F32");
    assert_true(w->rank == 2 && w->shape[0] == 2 && w->shape[1] == 3 && w->count == 6 && w->bytes == sizeof weights);
    assert_memory_equal(w->data, weights, sizeof weights);
    assert_int_equal((uintptr_t)w->data % 8, 0);
    assert_true(n->count == 0 && n->bytes == 0 && n->shape[1] == 4294967296);
    assert_true(s->rank == 0 && s->count == 1);
    assert_memory_equal(s->data, &step, sizeof step);
    assert_null(vg_safetensors_find(&file, "model"));
    assert_int_equal(file.metadata.count, 2);
    assert_string_equal(vg_safetensors_metadata(&file, "model"), pairs[0].text);
    assert_string_equal(vg_safetensors_metadata(&file, "empty"), "");
    assert_null(vg_safetensors_metadata(&file, "step"));
    vg_safetensors_close(&file);
    assert_int_equal(f->mem.bytes, 0);
    assert_int_equal(vg_safetensors_write(&f->mem, NULL, path_of(f, "file"), NULL, 0, NULL, 0), 0);
    assert_true(opens(f, &file));
    assert_true(file.tensors.count == 0 && file.metadata.count == 0);
    vg_safetensors_close(&file);
}

/* As others write them: no padding, so that the elements lie anywhere; the header in another order than the data. */
static void test_foreign(void **state) {
    fixture *f = *state;
    char bytes[512];
    vg_safetensors file;
    write_file(f, "file", bytes, make(bytes, "{\"b\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[3,5]}, "
        "\"a\":{\"later\":{},\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
        "\"none\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[3,3]} }\n", BYTES("abc\0\74")));
    if (!opens(f, &file)) {
        fail_msg("%s", f->error.text);
    }
    assert_string_equal(file.tensors.items[0].name, "a");
    assert_string_equal(file.tensors.items[1].name, "none");
    assert_string_equal(file.tensors.items[2].name, "b");
    assert_memory_equal(file.tensors.items[2].data, "\0\74", 2);
    vg_safetensors_close(&file);
}

/* ---- bad files */

#define T(dtype, shape, offsets) "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define UNREADABLE "has a header that cannot be read: "
static const struct { const char *header, *data; size_t length; const char *text; } broken[] = {
    { "[]", BYTES(""), "is not a safetensors file: no '{' stands at byte 8" },
    { "{", BYTES(""), "has a header that is not JSON: string or '}' expected near end of file, at byte 9" },
    { "{\"a\":" T("\"U8\"", "[1]", "[0,1]") ",\"a\":" T("\"U8\"", "[1]", "[0,1]") "}", BYTES("x"),
      "has a header that is not JSON: duplicate object key near '\"a\"', at byte 64" },
    { "{\"\xff\":1}", BYTES(""), "has a header that is not JSON: unable to decode byte 0xff near '\"', at byte 10" },
    { "{\"a\":1}", BYTES(""), UNREADABLE "'a' is no object" },
    { "{\"a\":{}}", BYTES(""), UNREADABLE "'dtype' of 'a' is no text" },
    { "{\"a\":" T("\"F4\"", "[1]", "[0,1]") "}", BYTES("x"), "holds 'a' with elements of type 'F4', which is not known: "
      "F32, F64, F16, BF16, I64, I32, I16, I8, U8 and the like are" },
    { "{\"a\":" T("\"U8\"", "3", "[0,1]") "}", BYTES("x"), UNREADABLE "'shape' of 'a' is no list" },
    { "{\"a\":" T("\"U8\"", "[-1]", "[0,1]") "}", BYTES("x"), UNREADABLE "'shape' of 'a' holds something else than "
      "whole numbers from 0 on" },
    { "{\"a\":" T("\"U8\"", "[1.0]", "[0,1]") "}", BYTES("x"), UNREADABLE "'shape' of 'a' holds something else than "
      "whole numbers from 0 on" },
    { "{\"a\":" T("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", BYTES("x"),
      UNREADABLE "'shape' of 'a' has 9 numbers, and the limit is 8" },
    { "{\"a\":" T("\"U8\"", "[1]", "[0]") "}", BYTES("x"), UNREADABLE "'data_offsets' of 'a' must be where its data begin "
      "and where they end" },
    { "{\"a\":" T("\"U8\"", "[1]", "[1,0]") "}", BYTES("x"), UNREADABLE "'data_offsets' of 'a' must be where its data "
      "begin and where they end" },
    { "{\"a\":" T("\"U8\"", "[2]", "[0,2]") "}", BYTES("x"),
      "promises data up to byte 2 behind its header for 'a', but holds only 1: is it complete?" },
    { "{\"a\":" T("\"F32\"", "[1]", "[0,1]") "}", BYTES("x"),
      "has 1 bytes for 'a', whose type F32 and shape need another number" },
    { "{\"a\":" T("\"F64\"", "[4294967296,4294967296]", "[0,0]") "}", BYTES(""),
      "has 0 bytes for 'a', whose type F64 and shape need another number" },
    { "{\"a\":" T("\"U8\"", "[1]", "[1,2]") "}", BYTES("xy"), "has a hole before the data of 'a' (byte 62)" },
    { "{\"a\":" T("\"U8\"", "[2]", "[0,2]") ",\"b\":" T("\"U8\"", "[1]", "[1,2]") "}", BYTES("xy"),
      "has the data of 'b' (byte 114) where another tensor's lie" },
    { "{\"a\":" T("\"U8\"", "[1]", "[0,1]") "}", BYTES("xy"), "goes on behind byte 62, where its last tensor ends" },
    { "{\"__metadata__\":[]}", BYTES(""), UNREADABLE "'__metadata__' is no object" },
    { "{\"__metadata__\":{\"a\":1}}", BYTES(""), UNREADABLE "'a' of '__metadata__' is no text" },
};

static void assert_fails(fixture *f, const char *text) {
    vg_safetensors file;
    char wanted[600];
    size_t before = f->mem.bytes;
    assert_false(opens(f, &file));
    snprintf(wanted, sizeof wanted, "'%s' %s", path_of(f, "file"), text);
    assert_string_equal(f->error.text, wanted);
    assert_false(f->error.argument);
    assert_int_equal(f->mem.bytes, before);
}

static void test_bad_headers(void **state) {
    fixture *f = *state;
    char bytes[512];
    for (size_t i = 0; i < COUNT(broken); i++) {
        write_file(f, "file", bytes, make(bytes, broken[i].header, broken[i].data, broken[i].length));
        assert_fails(f, broken[i].text);
    }
}

static void test_bad_files(void **state) {
    fixture *f = *state;
    static const struct { const char *bytes; size_t length; const char *text; } rows[] = {
        { BYTES(""), "is empty: a safetensors file was expected" },
        { BYTES("\2\0\0"), "ends at byte 3, within the length of its header" },
        { BYTES("\2\0\0\0\0\0\0\0"), "ends at byte 8, within its header of 2 bytes: is it complete?" },
        { BYTES("\0\344\13\124\2\0\0\0{}"), "promises a header of 10000000000 bytes, and the limit is 100000000" },
        { BYTES("\377\377\377\377\377\377\377\377{}"),
          "promises a header of 18446744073709551615 bytes, and the limit is 100000000" },
        { BYTES("\200\0\0\0\0\0\0\0{}"), "ends at byte 10, within its header of 128 bytes: is it complete?" },
        { BYTES("# a model of digits"), "is not a safetensors file: no '{' stands at byte 8" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file(f, "file", rows[i].bytes, rows[i].length);
        assert_fails(f, rows[i].text);
    }
    assert_int_equal(remove(path_of(f, "file")), 0);
    assert_fails(f, "cannot be read: No such file or directory");
    assert_int_equal(mkdir(path_of(f, "file"), 0700), 0);
    assert_fails(f, "is not a file but a folder");
    assert_int_equal(rmdir(path_of(f, "file")), 0);
    assert_int_equal(mkfifo(path_of(f, "file"), 0600), 0);
    assert_fails(f, "is not a file");
    assert_int_equal(remove(path_of(f, "file")), 0);
    write_file(f, "file", BYTES("x"));
    assert_int_equal(chmod(path_of(f, "file"), 0), 0);
    if (geteuid() != 0) {
        assert_fails(f, "cannot be read: Permission denied");
    }
}

/* Cut at every byte, and with every byte another one: refused or read, never more. */
static void test_every_byte(void **state) {
    fixture *f = *state;
    char path[512], *bytes;
    size_t length;
    vg_safetensors file;
    assert_int_equal(write_whole(f, &f->mem, NULL), 0);
    snprintf(path, sizeof path, "%s", path_of(f, "file"));
    assert_int_equal(vg_file_read(&f->mem, path, 1 << 20, &bytes, &length), 0);
    for (size_t cut = 0; cut < length; cut++) {
        write_file(f, "file", bytes, cut);
        assert_false(opens(f, &file));
    }
    for (size_t k = 0; k < length; k++) {
        for (int bit = 0; bit < 8; bit += 3) {
            bytes[k] = (char)(bytes[k] ^ 1 << bit);
            write_file(f, "file", bytes, length);
            if (opens(f, &file)) {
                vg_safetensors_close(&file);
            }
            bytes[k] = (char)(bytes[k] ^ 1 << bit);
        }
    }
}

/* ---- writing */

static unsigned files_in(const fixture *f) {
    unsigned count = 0;
    DIR *folder = opendir(f->folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static void test_every_write_fails(void **state) {
    fixture *f = *state;
    vg_safetensors file;
    uint64_t n = 1;
    for (;; n++) {
        vg_disk disk = { .fail_at = n };
        assert_int_equal(vg_safetensors_write(&f->mem, NULL, path_of(f, "file"), tensors, 1, NULL, 0), 0);
        int failed = write_whole(f, &f->mem, &disk);
        assert_int_equal(files_in(f), 1);
        assert_true(opens(f, &file));
        assert_true(disk.writes < n || failed == ENOSPC);
        /* The last of the calls syncs the folder: the new file is there already. */
        assert_true(file.tensors.count == 1 || file.tensors.count == 3);
        assert_true(failed == 0 || n == 5 || file.tensors.count == 1);
        vg_safetensors_close(&file);
        if (!failed) {
            break;
        }
    }
    assert_int_equal(n, 6);   /* header, two that are not empty, file and folder synced; then none fails */
    assert_int_equal(f->mem.bytes, 0);
}

static void test_refused_writes(void **state) {
    fixture *f = *state;
    const vg_safetensor name = { .name = "\xff", .dtype = "U8", .rank = 1, .shape = { 0 }, .data = "" };
    const vg_metadata pair = { "a", "\xc3" };
    char text[4096];
    assert_int_equal(vg_safetensors_write(&f->mem, NULL, path_of(f, "file"), &name, 1, NULL, 0), EILSEQ);
    assert_int_equal(vg_safetensors_write(&f->mem, NULL, path_of(f, "file"), NULL, 0, &pair, 1), EILSEQ);
    assert_int_equal(vg_safetensors_write(&f->mem, NULL, path_of(f, "no/file"), tensors, 3, NULL, 0), ENOENT);
    assert_int_equal(mkdir(path_of(f, "file"), 0700), 0);
    snprintf(text, sizeof text, "%s", path_of(f, "file"));
    assert_int_equal(vg_safetensors_write(&f->mem, NULL, text, tensors, 3, NULL, 0), EISDIR);
    assert_int_equal(files_in(f), 1);
}

/* What a killed process has left in the place of the temporary file is no hindrance. */
static void test_leftovers(void **state) {
    fixture *f = *state;
    char name[64];
    snprintf(name, sizeof name, "file.%ld", (long)gettid());
    write_file(f, name, BYTES("half a fi"));
    assert_int_equal(write_whole(f, &f->mem, NULL), 0);
    assert_int_equal(files_in(f), 1);
}

static void there_and_back(vg_mem *mem, void *user) {
    fixture *f = user;
    vg_safetensors file;
    char path[512];
    snprintf(path, sizeof path, "%s", path_of(f, "file"));
    assert_int_equal(write_whole(f, mem, NULL), 0);
    assert_true(vg_safetensors_open(&file, mem, path, &f->error));
}

static void test_memory_fails_at_every_call(void **state) {
    fixture *f = *state;
    int before = dup(0);
    close(before);
    assert_true(survive_every_call(there_and_back, f) > 10);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

/* ---- scratch */

static void test_scratch(void **state) {
    fixture *f = *state;
    vg_mapping *mapping;
    assert_int_equal(vg_file_scratch(&f->mem, 100000, &mapping), 0);
    assert_int_equal(mapping->length, 100000);
    for (size_t k = 0; k < mapping->length; k++) {
        assert_int_equal(mapping->bytes[k], 0);
        mapping->bytes[k] = (char)k;
    }
    vg_file_unmap(mapping);
    assert_int_equal(vg_file_scratch(&f->mem, (size_t)1 << 60, &mapping), EFBIG);
    assert_int_equal(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    assert_int_equal(vg_file_scratch(&f->mem, 1, &mapping), ENOENT);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_int_equal(f->mem.bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_foreign), TEST(test_bad_headers), TEST(test_bad_files), TEST(test_every_byte),
        TEST(test_every_write_fails), TEST(test_refused_writes), TEST(test_leftovers),
        TEST(test_memory_fails_at_every_call), TEST(test_scratch),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
