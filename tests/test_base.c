/* The lowest floor: memory that unwinds, tables, text, files, the machine. */
#include <errno.h>
#include <fcntl.h>
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

#include "base/file.h"
#include "base/os.h"
#include "base/random.h"
#include "base/str.h"
#include "memory_fixture.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A vg_mem whose failures fail the test. */
#define WITH_MEM(mem)                    \
    vg_mem mem;                          \
    jmp_buf mem##_escape;                \
    vg_mem_init(&mem);                   \
    mem.escape = &mem##_escape;          \
    if (setjmp(mem##_escape)) {          \
        fail_msg("out of memory");       \
    }

/* ---- memory */

static void test_mem_blocks(void **state) {
    (void)state;
    WITH_MEM(mem);
    unsigned char *blocks[50];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        blocks[i] = vg_mem_alloc(&mem, i * 7);
        assert_int_equal((uintptr_t)blocks[i] % VG_MEM_ALIGN, 0);
        for (size_t k = 0; k < i * 7; k++) {
            assert_int_equal(blocks[i][k], 0);
            blocks[i][k] = (unsigned char)i;
        }
    }
    for (size_t i = 0; i < COUNT(blocks); i++) {
        blocks[i] = vg_mem_resize(&mem, blocks[i], i * 14);
        for (size_t k = 0; k < i * 14; k++) {
            assert_int_equal(blocks[i][k], k < i * 7 ? i : 0);
        }
    }
    for (size_t i = 0; i < COUNT(blocks); i += 2) {   /* from the middle of the list */
        vg_mem_free(&mem, blocks[i]);
    }
    vg_mem_free(&mem, NULL);
    assert_int_equal(mem.bytes, 14 * 25 * 25);
    vg_mem_release(&mem);
    assert_int_equal(mem.bytes, 0);
    assert_null(mem.blocks);
    assert_true(mem.peak >= 14 * 49 * 25);
}

static char order[8];
static void note_down(void *object) { strncat(order, object, 1); }

static void test_mem_owned(void **state) {
    (void)state;
    WITH_MEM(mem);
    order[0] = '\0';
    vg_mem_own(&mem, note_down, "a");
    void *b = vg_mem_own(&mem, note_down, "b");
    vg_mem_alloc(&mem, 10);
    void *c = vg_mem_own(&mem, note_down, "c");
    vg_mem_own(&mem, note_down, "d");
    vg_mem_disown(&mem, b, false);
    vg_mem_disown(&mem, c, true);
    assert_string_equal(order, "c");
    vg_mem_release(&mem);
    assert_string_equal(order, "cda");   /* the newest first */

    order[0] = '\0';                     /* an object that cannot be registered is destroyed all the same */
    mem.fail_at = mem.calls + 1;
    if (!setjmp(mem_escape)) {
        vg_mem_own(&mem, note_down, "e");
        fail_msg("did not jump");
    }
    assert_string_equal(order, "e");
}

static int living;
static void count_down(void *object) { (void)object; living--; }

/* A bit of everything that allocates. */
static void use_everything(vg_mem *mem, void *user) {
    (void)user;
    vg_arena arena;
    vg_strings strings;
    VG_VEC(uint64_t) numbers = { 0 };
    vg_map map = { 0 };
    vg_text text = vg_text_new(mem);
    living++;
    vg_mem_own(mem, count_down, NULL);
    vg_arena_init(&arena, mem);
    vg_strings_init(&strings, mem);
    for (uint32_t i = 1; i <= 40; i++) {
        vg_arena_alloc(&arena, i * 700);
        vg_vec_push(mem, &numbers, i);
        vg_map_put(mem, &map, i, i);
        vg_text_format(&text, "%u, ", i);
        vg_strings_format(&strings, "name %u", i);
    }
    living++;
    vg_mem_own(mem, count_down, NULL);
    char *read;
    size_t length;
    assert_int_equal(vg_file_read(mem, "/proc/self/status", 1 << 20, &read, &length), 0);
    vg_mem_free(mem, vg_path_join_sibling(mem, "a/b", "c"));
}

static void test_mem_fails_at_every_call(void **state) {
    (void)state;
    assert_true(survive_every_call(use_everything, NULL) > 49);
    assert_int_equal(living, 0);
}

static void alloc_too_much(vg_mem *mem) { vg_mem_alloc(mem, SIZE_MAX - 8); }
static void arena_too_much(vg_mem *mem) {
    vg_arena arena;
    vg_arena_init(&arena, mem);
    vg_arena_alloc(&arena, SIZE_MAX - 8);
}
static void push_too_much(vg_mem *mem) {
    VG_VEC(uint64_t) numbers = { .count = UINT32_MAX, .capacity = UINT32_MAX };
    vg_vec_reserve(mem, &numbers, 1);
}
static void write_too_much(vg_mem *mem) {
    vg_text text = vg_text_new(mem);
    vg_text_add(&text, "x", SIZE_MAX / 2);
}

static bool jumps(void (*too_much)(vg_mem *)) {
    vg_mem mem;
    jmp_buf escape;
    vg_mem_init(&mem);
    mem.escape = &escape;
    if (setjmp(escape)) {
        return true;
    }
    too_much(&mem);
    return false;
}

static void test_mem_refuses_impossible_sizes(void **state) {
    (void)state;
    assert_true(jumps(alloc_too_much));
    assert_true(jumps(arena_too_much));
    assert_true(jumps(push_too_much));
    assert_true(jumps(write_too_much));
}

static void test_arena(void **state) {
    (void)state;
    WITH_MEM(mem);
    vg_arena arena;
    vg_arena_init(&arena, &mem);
    char *texts[300];
    for (size_t i = 0; i < COUNT(texts); i++) {   /* small ones, and some larger than any chunk */
        char *room = vg_arena_alloc(&arena, i % 50 ? i : 300000);
        assert_int_equal((uintptr_t)room % 16, 0);
        memset(room, 0xaa, i % 50 ? i : 300000);
        texts[i] = vg_arena_format(&arena, "text %zu", i);
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "text %zu", i);
        assert_string_equal(texts[i], wanted);
    }
    vg_arena_release(&arena);
    assert_int_equal(mem.bytes, 0);
    assert_string_equal(vg_arena_copy(&arena, "again", 3), "aga");
    vg_mem_release(&mem);
}

/* ---- tables and text */

static void test_map(void **state) {
    (void)state;
    WITH_MEM(mem);
    vg_map map = { 0 };
    assert_int_equal(vg_map_get(&map, 0), 0);
    for (uint64_t key = 0; key < 5000; key++) {
        vg_map_put(&mem, &map, key << 40, (uint32_t)key + 1);   /* 0 is a key like any other */
    }
    vg_map_put(&mem, &map, 0, 77);
    assert_int_equal(map.count, 5000);
    assert_int_equal(vg_map_get(&map, 0), 77);
    for (uint64_t key = 1; key < 5000; key++) {
        assert_int_equal(vg_map_get(&map, key << 40), key + 1);
    }
    assert_int_equal(vg_map_get(&map, 1), 0);
    vg_map_clear(&map);
    assert_int_equal(vg_map_get(&map, 0), 0);
    assert_int_equal(map.count, 0);
    vg_map_free(&mem, &map);
    assert_int_equal(mem.bytes, 0);
    vg_mem_release(&mem);
}

static void test_hash_is_the_same_everywhere(void **state) {
    (void)state;
    static const struct { const char *text; uint64_t seed, hash; } rows[] = {
        { "", 0, 0xefd01f60ba992926 }, { "h[1].W", 0, 0xaa2d031fcb485302 },
        { "h[1].W", 1, 0x9fe064e97e7c5a32 }, { "\xff", 0, 0x1bbd5c813c69a8d7 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(vg_hash_bytes(rows[i].text, strlen(rows[i].text), rows[i].seed) == rows[i].hash);
    }
}

/* Every bit of every word counts, and how many words there are. */
static void test_hash_of_words(void **state) {
    (void)state;
    uint32_t words[6] = { 0 };
    for (size_t count = 0; count <= 5; count++) {
        const uint64_t zeros = vg_hash_words(words, count * sizeof *words, 0);
        assert_true(zeros != vg_hash_words(words, (count + 1) * sizeof *words, 0));
        assert_true(zeros != vg_hash_words(words, count * sizeof *words, 1));
        for (size_t k = 0; k < 32 * count; k++) {
            words[k / 32] = 1u << k % 32;
            assert_true(zeros != vg_hash_words(words, count * sizeof *words, 0));
            words[k / 32] = 0;
        }
    }
}

static void test_whole_numbers(void **state) {
    (void)state;
    WITH_MEM(mem);
    vg_text text = vg_text_new(&mem);
    static const int64_t numbers[] = { 0, 7, -7, 10, 12345, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        vg_text_add(&text, " ", 1);
        vg_text_whole(&text, numbers[i]);
    }
    assert_string_equal(text.text, " 0 7 -7 10 12345 9223372036854775807 -9223372036854775808");
    vg_mem_release(&mem);
}

static void test_strings(void **state) {
    (void)state;
    WITH_MEM(mem);
    vg_strings strings;
    vg_strings_init(&strings, &mem);
    assert_int_equal(vg_strings_c(&strings, ""), 0);
    assert_string_equal(vg_strings_text(&strings, 0), "");
    vg_str a = vg_strings_c(&strings, "alpha");
    assert_int_not_equal(a, 0);
    for (int i = 0; i < 2000; i++) {
        vg_strings_format(&strings, "n%d", i);
    }
    assert_int_equal(vg_strings_add(&strings, "alphabet", 5), a);
    assert_int_equal(vg_strings_find(&strings, "alpha", 5), a);
    assert_int_equal(vg_strings_find(&strings, "alphabet", 8), 0);
    assert_int_not_equal(vg_strings_add(&strings, "al\0ha", 5), vg_strings_add(&strings, "al\0hb", 5));
    assert_int_equal(strings.text.count, 1 + 1 + 2000 + 2);
    vg_mem_release(&mem);
}

/* Every code point there and back; what is none is refused. */
static void test_utf8(void **state) {
    (void)state;
    static const char *const wrong[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xff" };
    uint32_t longest = 0, read;
    char text[5];
    for (uint32_t code = 0; code < 0x110000; code++) {
        if (code == 0xd800) {
            code = 0xe000;      /* surrogates are no characters */
        }
        uint32_t length = vg_utf8_encode(code, text);
        assert_true(length >= longest && text[length] == '\0');
        assert_int_equal(vg_utf8_decode(text, length, &read), length);
        assert_int_equal(read, code);
        assert_int_equal(length > 1 ? vg_utf8_decode(text, length - 1, &read) : 0, 0);
        longest = length;
    }
    assert_int_equal(longest, 4);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(vg_utf8_decode(wrong[i], strlen(wrong[i]), &read), 0);
    }
}

static void test_numbers_as_text(void **state) {
    (void)state;
    static const struct { double number; const char *text; } rows[] = {
        { 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { 0.01, "0.01" }, { 1e-5, "1e-05" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3, "0.3333333333333333" }, { 100000000000000, "100000000000000" }, { 1e22, "1e+22" }, { -2.5, "-2.5" },
        { 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" }, { INFINITY, "inf" },
        { -INFINITY, "-inf" }, { NAN, "nan" }, { -NAN, "nan" },
    };
    char buffer[32];
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(vg_number_text(buffer, rows[i].number), rows[i].text);
    }
    for (uint64_t i = 0; i < 20000; i++) {   /* any double reads back as itself */
        double number = ldexp(vg_random_open((vg_random_key){ 1, 0 }, i), (int)(i % 2000) - 1000);
        assert_true(strtod(vg_number_text(buffer, number), NULL) == number);
    }
}

/* ---- files */

static char *temporary_folder(void) {
    static char folder[64];
    snprintf(folder, sizeof folder, "/tmp/vgraph-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void test_files(void **state) {
    (void)state;
    WITH_MEM(mem);
    char path[128], below[128], *folder = temporary_folder(), *text = NULL;
    size_t length = 0;
    vg_file *file = NULL;
    snprintf(below, sizeof below, "%s/a//b", folder);
    snprintf(path, sizeof path, "%s/a/b/file", folder);
    assert_int_equal(vg_folder_create(below), 0);
    assert_int_equal(vg_folder_create(below), 0);
    assert_false(vg_file_exists(path));
    assert_int_equal(vg_file_read(&mem, path, 100, &text, &length), ENOENT);
    assert_int_equal(vg_file_read(&mem, folder, 100, &text, &length), EISDIR);
    assert_int_equal(vg_file_create(&mem, NULL, path, true, &file), 0);
    assert_int_equal(vg_file_write(file, "hello ", 6), 0);
    assert_int_equal(vg_file_close(file), 0);
    assert_int_equal(vg_file_create(&mem, NULL, path, true, &file), EEXIST);
    assert_int_equal(vg_file_create(&mem, NULL, path, false, &file), 0);
    assert_int_equal(vg_file_write(file, "world", 5), 0);
    assert_int_equal(vg_file_close(file), 0);
    assert_int_equal(vg_file_read(&mem, path, 11, &text, &length), 0);
    assert_int_equal(length, 11);
    assert_string_equal(text, "hello world");
    assert_int_equal(vg_file_read(&mem, path, 10, &text, &length), EFBIG);
    assert_int_equal(vg_folder_create(path), ENOTDIR);
    vg_mem_free(&mem, text);
    assert_int_equal(mem.bytes, 0);
    unlink(path);
    for (int i = 0; i < 3; i++, *strrchr(path, '/') = '\0') {
        rmdir(path);
    }
    rmdir(folder);
    vg_mem_release(&mem);
}

static void test_pipes_are_read_to_their_end(void **state) {
    (void)state;
    WITH_MEM(mem);
    int ends[2];
    char path[64], sent[20000], *text;
    size_t length;
    memset(sent, 'x', sizeof sent);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], sent, sizeof sent), (ssize_t)sizeof sent);
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(vg_file_read(&mem, path, 1 << 20, &text, &length), 0);
    assert_int_equal(length, sizeof sent);
    close(ends[0]);
    vg_mem_release(&mem);
}

static void test_write_fails_at_every_call(void **state) {
    (void)state;
    WITH_MEM(mem);
    for (uint64_t n = 1; n <= 4; n++) {
        vg_disk disk = { .fail_at = n };
        int null = open("/dev/null", O_WRONLY);
        vg_file *file = vg_file_borrow(&mem, &disk, null);
        for (uint64_t i = 1; i <= 3; i++) {
            assert_int_equal(vg_file_write(file, "x", 1), i == n ? ENOSPC : 0);
        }
        assert_int_equal(vg_file_write(file, "", 0), 0);
        assert_int_equal(disk.writes, 3);
        assert_int_equal(vg_file_close(file), 0);
        assert_int_equal(close(null), 0);   /* a borrowed descriptor is still open */
    }
    assert_int_equal(mem.bytes, 0);
}

static void test_paths(void **state) {
    (void)state;
    WITH_MEM(mem);
    static const char *const rows[][3] = {
        { "models/a.nn", "b.nn", "models/b.nn" }, { "a.nn", "b.nn", "b.nn" }, { "/x/y/a.nn", "../b", "/x/y/../b" },
        { "models/a.nn", "/b.nn", "/b.nn" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(vg_path_join_sibling(&mem, rows[i][0], rows[i][1]), rows[i][2]);
    }
    vg_mem_release(&mem);
}

/* Whether large pages are asked for at an address: its mapping's flags (man 5 proc). -1: this system does not say. */
static int asks_for_large_pages(const void *at) {
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512];
    int answer = -1;
    bool here = false;
    while (file && fgets(line, sizeof line, file)) {
        unsigned long begin, end;
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2) here = (uintptr_t)at >= begin && (uintptr_t)at < end;
        else if (here && strncmp(line, "VmFlags:", 8) == 0) answer = strstr(line, " hg") != NULL;
    }
    if (file) fclose(file);
    return access("/sys/kernel/mm/transparent_hugepage", F_OK) == 0 ? answer : -1;
}

static void test_large_blocks_ask_for_large_pages(void **state) {
    (void)state;
    WITH_MEM(mem);
    const size_t large = 40 << 20;
    char *block = vg_mem_alloc(&mem, large), *small = vg_mem_alloc(&mem, 1 << 18);
    if (asks_for_large_pages(block + large / 2) >= 0) {
        assert_int_equal(asks_for_large_pages(block + large / 2), 1);
        assert_int_equal(asks_for_large_pages(small + (1 << 17)), 0);
    }
    for (size_t k = 0; k < large; k += 4096) assert_int_equal(block[k], 0);
    vg_mem_release(&mem);
}

static void test_machine(void **state) {
    (void)state;
    char text[64];
    assert_true(vg_os_seconds() <= vg_os_seconds() && vg_os_wall_time() > 1.6e9);
    vg_os_date(text, sizeof text);
    assert_int_equal(strlen(text), strlen("20261123-130706"));
    vg_os_hostname(text, sizeof text);
    assert_true(*text && vg_os_process() == (uint32_t)getpid());
    assert_true(vg_os_memory() > 1u << 20);
    vg_os_machine(text, sizeof text);
    assert_true(*text && !strchr(text, '\n'));
    int null = open("/dev/null", O_RDWR);
    assert_false(vg_os_is_terminal(null));
    assert_int_equal(vg_os_columns(null), 80);
    close(null);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mem_blocks), cmocka_unit_test(test_mem_owned),
        cmocka_unit_test(test_mem_fails_at_every_call), cmocka_unit_test(test_mem_refuses_impossible_sizes),
        cmocka_unit_test(test_arena), cmocka_unit_test(test_map), cmocka_unit_test(test_hash_is_the_same_everywhere),
        cmocka_unit_test(test_hash_of_words), cmocka_unit_test(test_whole_numbers), cmocka_unit_test(test_strings), cmocka_unit_test(test_utf8), cmocka_unit_test(test_numbers_as_text),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_pipes_are_read_to_their_end), cmocka_unit_test(test_write_fails_at_every_call),
        cmocka_unit_test(test_paths), cmocka_unit_test(test_machine),
        cmocka_unit_test(test_large_blocks_ask_for_large_pages),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
