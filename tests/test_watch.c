/* Sinks that write files: JSON lines, TensorBoard's records and bins, failing memory and disks. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <png.h>

#include "record_fixture.h"
#include "watch/png.h"
#include "watch/sink.h"
#include "watch/tensorboard.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A vg_mem for the parts that are tested without a sink. */
typedef struct scratch { vg_mem mem; vg_arena arena; jmp_buf escape; } scratch;
static void scratch_begin(scratch *s) {
    vg_mem_init(&s->mem);
    s->mem.escape = &s->escape;
    vg_arena_init(&s->arena, &s->mem);
}

/* A new folder in /tmp. */
static void make_folder(char path[32]) {
    strcpy(path, "/tmp/vgraph-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static void empty_folder(const char *folder) {
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static size_t read_file(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t length = fread(text, 1, size - 1, file);
    fclose(file);
    text[length] = '\0';
    return length;
}

/* ---- JSON lines */

static void test_json(void **state) {
    (void)state;
    static made_histogram made;
    double values[] = { 0, 0, 0.5, -0.5, 2, 2, 2.125 };
    make_histogram(&made, values, COUNT(values));
    made.histogram.count += 3;
    made.histogram.nans = 2;
    made.histogram.infs = 1;
    const struct { vg_record record; const char *line; } rows[] = {
        { { .kind = VG_RECORD_START, .steps = 3 }, "" },
        { scalar_record(0, "loss", (double)11.56f),
          "{\"kind\":\"scalar\",\"step\":0,\"tag\":\"loss\",\"value\":11.56}\n" },
        { scalar_record(1, "a", 1.0 / 3),
          "{\"kind\":\"scalar\",\"step\":1,\"tag\":\"a\",\"value\":0.3333333333333333}\n" },
        { scalar_record(1, "a", 2), "{\"kind\":\"scalar\",\"step\":1,\"tag\":\"a\",\"value\":2.0}\n" },
        { test_record(1, "a", 0.5),
          "{\"kind\":\"scalar\",\"step\":1,\"tag\":\"a\",\"split\":\"test\",\"value\":0.5}\n" },
        { scalar_record(1, "a", NAN), "{\"kind\":\"scalar\",\"step\":1,\"tag\":\"a\",\"value\":\"nan\"}\n" },
        { scalar_record(1, "a", INFINITY), "{\"kind\":\"scalar\",\"step\":1,\"tag\":\"a\",\"value\":\"inf\"}\n" },
        { scalar_record(1, "a", -INFINITY), "{\"kind\":\"scalar\",\"step\":1,\"tag\":\"a\",\"value\":\"-inf\"}\n" },
        { scalar_record(1, "caf\xC3\xA9 \xFF\"", 1),
          "{\"kind\":\"scalar\",\"step\":1,\"tag\":\"caf\xC3\xA9 \xEF\xBF\xBD\\\"\",\"value\":1.0}\n" },
        { histogram_record(2, "g/h[1].W", &made),
          "{\"kind\":\"histogram\",\"step\":2,\"tag\":\"g/h[1].W\",\"count\":10,\"zeros\":2,\"nan\":2,\"inf\":1,"
          "\"min\":-0.5,\"max\":2.125,\"mean\":0.875,\"std\":1.04582503,\"rms\":1.36358901,\"buckets\":[[-0.5625,-0.5,1],"
          "[0.5,0.5625,1],[2.0,2.25,3]]}\n" },
        { { .kind = VG_RECORD_EXPECT, .step = 0, .tag = "finite(loss)", .message = "loss is nan", .failures = 1 },
          "{\"kind\":\"expect\",\"step\":0,\"expr\":\"finite(loss)\",\"ok\":false,\"message\":\"loss is nan\"}\n" },
        { { .kind = VG_RECORD_EXPECT, .step = 2, .tag = "x > 0", .ok = true, .last = true },
          "{\"kind\":\"expect\",\"step\":2,\"expr\":\"x > 0\",\"ok\":true,\"failures\":0}\n" },
        { { .kind = VG_RECORD_STEP, .step = 2, .steps = 3 }, "" },
        { { .kind = VG_RECORD_DONE, .step = 3, .seconds = 0.21, .status = VG_FAILED_EXPECT },
          "{\"kind\":\"done\",\"steps\":3,\"seconds\":0.21,\"exit\":3}\n" },
    };
    char folder[32], path[64], text[8192], wanted[8192] = "";
    make_folder(folder);
    snprintf(path, sizeof path, "%s/a.jsonl", folder);
    const char *error = NULL;
    vg_sink *sink = vg_sink_json(path, &error);
    assert_non_null(sink);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(vg_sink_watch(sink, &rows[i].record));
        strcat(wanted, rows[i].line);
        read_file(path, text, sizeof text);   /* each line stands as soon as it happened */
        assert_string_equal(text, wanted);
    }
    assert_true(vg_sink_close(sink, &error));
    unlink(path);
    rmdir(folder);
}

/* ---- images */

static void test_base64(void **state) {
    (void)state;
    static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
        { "\xFF\xFE\xFD\xFB", "//79+w==" } };
    scratch s;
    scratch_begin(&s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const vg_png bytes = { (uint8_t *)(uintptr_t)rows[i][0], strlen(rows[i][0]) };
        assert_string_equal(vg_png_base64(&bytes, &s.arena), rows[i][1]);
    }
    vg_mem_release(&s.mem);
}

/* What libpng reads is what was written, of noise too, which is longer than its pixels. */
static void test_png(void **state) {
    (void)state;
    static uint8_t pixels[3 * 300 * 200 * 3], back[300 * 200 * 3];
    static const vg_image rows[] = { { 3, 300, 200, 1, 0, 1, pixels }, { 3, 200, 300, 3, 0, 1, pixels },
                                     { 1, 1, 1, 1, 0, 0, pixels }, { 2, 1, 7, 3, 0, 0, pixels } };
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof pixels; i++) {
        noise = noise * 1664525 + 1013904223;
        pixels[i] = (uint8_t)(noise >> 24);
    }
    scratch s;
    scratch_begin(&s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const size_t area = (size_t)rows[i].height * rows[i].width * rows[i].channels;
        for (uint32_t k = 0; k < rows[i].count; k++) {
            vg_png png;
            assert_true(vg_png_make(&rows[i], k, &s.arena, &png));
            png_image image = { .version = PNG_IMAGE_VERSION };
            assert_int_equal(png_image_begin_read_from_memory(&image, png.bytes, png.length), 1);
            assert_int_equal(image.format, rows[i].channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY);
            assert_true(image.width == rows[i].width && image.height == rows[i].height);
            assert_int_equal(png_image_finish_read(&image, NULL, back, 0, NULL), 1);
            assert_memory_equal(back, pixels + k * area, area);
        }
    }
    vg_mem_release(&s.mem);
}

/* An image that libpng refuses, by its own limit of a million columns, ends the sink and nothing else. */
static void test_image_lines(void **state) {
    (void)state;
    uint8_t *row = calloc(1000001, 1);
    static const uint8_t pixels[] = { 0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255 };
    const vg_image image = { 2, 1, 2, 3, -0.5, 1.25, pixels };
    const vg_image large = { 1, 1, 1000001, 1, 0, 0, row };
    vg_png pngs[2];
    char folder[32], path[64], text[4096], wanted[4096];
    make_folder(folder);
    snprintf(path, sizeof path, "%s/a.jsonl", folder);
    scratch s;
    scratch_begin(&s);
    for (uint32_t k = 0; k < 2; k++) {
        assert_true(vg_png_make(&image, k, &s.arena, &pngs[k]));
    }
    snprintf(wanted, sizeof wanted, "{\"kind\":\"image\",\"step\":7,\"tag\":\"x\",\"height\":1,\"width\":2,"
             "\"channels\":3,\"min\":-0.5,\"max\":1.25,\"png\":[\"%s\",\"%s\"]}\n", vg_png_base64(&pngs[0], &s.arena),
             vg_png_base64(&pngs[1], &s.arena));
    vg_mem_release(&s.mem);
    const char *error = NULL;
    vg_sink *const sinks[] = { vg_sink_json(path, &error), vg_sink_tensorboard(folder, NULL, &error) };
    for (size_t k = 0; k < COUNT(sinks); k++) {
        const vg_record good = image_record(7, "x", &image), bad = image_record(8, "x", &large);
        assert_true(vg_sink_watch(sinks[k], &good));
        assert_false(vg_sink_watch(sinks[k], &bad));
        assert_false(vg_sink_close(sinks[k], &error));
        assert_string_equal(error, "an image could not be written as PNG");
    }
    read_file(path, text, sizeof text);
    assert_string_equal(text, wanted);
    empty_folder(folder);
    free(row);
}

/* ---- TensorBoard */

static void test_checksums(void **state) {
    (void)state;
    assert_int_equal(vg_crc32c("123456789", 9), 0xE3069283);
    assert_int_equal(vg_crc32c_masked("123456789", 9), 0xC78AB0E5);
}

static void test_first_record(void **state) {
    (void)state;
    static const char wanted[] = "1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d";
    scratch s;
    scratch_begin(&s);
    vg_text text = vg_text_new(&s.mem);
    vg_tensorboard_version(&text, &s.arena, 1.7e9);
    char hex[sizeof wanted] = "";
    assert_int_equal(2 * text.length, sizeof wanted - 1);
    for (size_t i = 0; i < text.length; i++) {
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text.text[i]);
    }
    assert_string_equal(hex, wanted);
    vg_mem_release(&s.mem);
}

/* What every list of bins must keep, and what the plain histogram says. */
static size_t check_bins(const vg_histogram *h, vg_bin bins[VG_BIN_LIMIT]) {
    scratch s;
    scratch_begin(&s);
    const size_t count = vg_bins_of(h, &s.arena, bins);
    vg_mem_release(&s.mem);
    const double finite = (double)(h->count - h->nans - h->infs);
    assert_true(count <= VG_BIN_LIMIT);
    assert_int_equal(count == 0, finite == 0);
    double sum = 0;
    bool zeros_found = h->zeros == 0 || h->min == h->max;
    for (size_t i = 0; i < count; i++) {
        assert_true(isfinite(bins[i].left) && isfinite(bins[i].right));
        assert_true(bins[i].left < bins[i].right || h->min == h->max);
        assert_true(i == 0 || bins[i - 1].right <= bins[i].left);
        assert_true(bins[i].count > 0);
        zeros_found |= bins[i].left <= 0 && bins[i].right >= 0 && bins[i].count == (double)h->zeros;
        sum += bins[i].count;
    }
    assert_true(sum == finite);
    assert_true(zeros_found);
    if (count) {
        assert_true(bins[0].left == h->min && bins[count - 1].right == h->max);
    }
    return count;
}

static void test_bins(void **state) {
    (void)state;
    static made_histogram made;
    vg_bin bins[VG_BIN_LIMIT];
    static const struct { size_t count; double scale, zeros; } bells[] = {
        { 100000, 0.0045, 0.34 }, { 100000, 1, 0 }, { 5, 1e-30, 0.4 }, { 100000, 1e30, 0.01 }, { 1, 3, 0 } };
    for (size_t i = 0; i < COUNT(bells); i++) {
        make_bell(&made, bells[i].count, bells[i].scale, bells[i].zeros);
        check_bins(&made.histogram, bins);
    }
    static double tables[][4] = { { 0, 0, 0, 0 }, { 0, 0, 1, 2 }, { -1, -2, 0, 0 }, { 3, 3, 3, 3 }, { 1, 1, 1, 1.5 },
        { 0, 0x1p-149, 1, 2 }, { -0x1p-149, 0, 0, 0x1p-149 }, { 0, DBL_TRUE_MIN, DBL_MIN, 1 },
        { -DBL_MAX / 2, 0, 1, DBL_MAX / 2 }, { 1, 2, 3, DBL_MAX } };
    for (size_t i = 0; i < COUNT(tables); i++) {
        make_histogram(&made, tables[i], 4);
        assert_true(check_bins(&made.histogram, bins) <= 4);
    }
    made.histogram = (vg_histogram){ .count = 3, .nans = 2, .infs = 1 };
    assert_int_equal(check_bins(&made.histogram, bins), 0);
    made.histogram = (vg_histogram){ .count = 0 };
    assert_int_equal(check_bins(&made.histogram, bins), 0);
}

/* Merging keeps both the linear picture and the fine structure near zero: no bin but the zeros' holds much more than
 * its share, and none is much wider than its part of the axis. */
static void test_bins_keep_the_picture(void **state) {
    (void)state;
    static made_histogram made;
    vg_bin bins[VG_BIN_LIMIT];
    make_bell(&made, 100000, 0.01, 0.3);
    const size_t count = check_bins(&made.histogram, bins);
    assert_true(count > 60);
    for (size_t i = 0; i < count; i++) {
        assert_true(bins[i].count == (double)made.histogram.zeros || bins[i].count < 0.05 * 100000);
        assert_true(bins[i].right - bins[i].left < (made.histogram.max - made.histogram.min) / 16);
    }
}

/* ---- what fails */

static vg_sink *open_sink(const char *kind, const char *folder, const char **error) {
    char path[64];
    snprintf(path, sizeof path, "%s/a.jsonl", folder);
    return strcmp(kind, "json") == 0 ? vg_sink_json(path, error) : vg_sink_tensorboard(folder, NULL, error);
}

static void test_failures(void **state) {
    (void)state;
    static made_histogram made;
    make_bell(&made, 1000, 1, 0.1);
    const vg_image image = { 2, 1, 2, 1, 0, 1, (const uint8_t[]){ 0, 255, 255, 0 } };
    static const char *const kinds[] = { "json", "tensorboard" };
    for (size_t k = 0; k < COUNT(kinds); k++) {
        bool memory_failed = false, disk_failed = false;
        for (uint64_t n = 1; n <= 80; n++) {   /* even: allocation n / 2 fails; odd: write (n + 1) / 2 */
            char folder[32];
            make_folder(folder);
            const char *error = NULL;
            vg_sink *sink = open_sink(kinds[k], folder, &error);
            assert_non_null(sink);
            sink->mem.fail_at = n % 2 ? 0 : sink->mem.calls + n / 2;
            sink->disk.fail_at = n % 2 ? sink->disk.writes + (n + 1) / 2 : 0;
            bool fine = true;
            for (uint64_t step = 0; step < 4; step++) {
                const vg_record records[] = { scalar_record(step, "loss", 1), histogram_record(step, "g", &made),
                                              test_record(step, "loss", 1), image_record(step, "g", &image) };
                for (size_t i = 0; i < COUNT(records) && fine; i++) {
                    fine = vg_sink_watch(sink, &records[i]);
                }
            }
            sink->mem.fail_at = 0;
            assert_int_equal(vg_sink_close(sink, &error), fine);
            if (!fine) {
                assert_string_equal(error, n % 2 ? "No space left on device" : "there is not enough memory");
                memory_failed |= n % 2 == 0;
                disk_failed |= n % 2 == 1;
            }
            empty_folder(folder);
        }
        assert_true(memory_failed && disk_failed);
    }
    const char *error = NULL;
    assert_null(vg_sink_json("/nowhere/at/all", &error));
    assert_string_equal(error, "No such file or directory");
    assert_null(vg_sink_tensorboard("/dev/null/x", NULL, &error));
    assert_string_equal(error, "Not a directory");
}

static void test_utf8(void **state) {
    (void)state;
    static const struct { const char *text, *wanted; } rows[] = {
        { "plain", "plain" }, { "\xE2\x82\xAC\xF0\x9F\x98\x80", "\xE2\x82\xAC\xF0\x9F\x98\x80" },
        { "\x80", "\xEF\xBF\xBD" }, { "a\xC3", "a\xEF\xBF\xBD" }, { "\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xF4\x90\x80\x80z", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz" },
    };
    scratch s;
    scratch_begin(&s);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(vg_sink_utf8(&s.arena, rows[i].text, strlen(rows[i].text)), rows[i].wanted);
    }
    vg_mem_release(&s.mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json), cmocka_unit_test(test_base64), cmocka_unit_test(test_png),
        cmocka_unit_test(test_image_lines), cmocka_unit_test(test_checksums), cmocka_unit_test(test_first_record),
        cmocka_unit_test(test_bins), cmocka_unit_test(test_bins_keep_the_picture), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
