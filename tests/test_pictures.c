/* The source images: PNG and JPEG files in folders, resized, in planes, with splits of their own; and every kind of bad
 * one. The pictures are drawn here. */
#include <ftw.h>
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
#include <jpeglib.h>
#include <png.h>

#include "data/picture.h"
#include "data_fixture.h"
#include "memory_fixture.h"

enum { FOLDER, HEIGHT, WIDTH, CHANNELS };

/* ---- making pictures */

static void make_folder(const fixture *f, const char *name) { assert_int_equal(mkdir(path_of(f, name), 0700), 0); }

static void write_png(const fixture *f, const char *name, uint32_t format, uint32_t height, uint32_t width,
                      const uint8_t *pixels) {
    png_image image = { .version = PNG_IMAGE_VERSION, .height = height, .width = width, .format = format };
    assert_true(png_image_write_to_file(&image, path_of(f, name), 0, pixels, 0, NULL));
}

/* Of one colour, which JPEG keeps nearly. */
static void write_jpeg(const fixture *f, const char *name, int channels, uint32_t height, uint32_t width, uint8_t red,
                       uint8_t green, uint8_t blue) {
    struct jpeg_compress_struct jpeg = { .err = NULL };
    struct jpeg_error_mgr manager;
    FILE *file = fopen(path_of(f, name), "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&manager);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_height = height;
    jpeg.image_width = width;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 3 ? JCS_RGB : channels == 4 ? JCS_CMYK : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    uint8_t line[256];
    for (uint32_t k = 0; k < width; k++) {
        const uint8_t colour[] = { red, green, blue, 0 };
        memcpy(line + k * (uint32_t)channels, colour, (size_t)channels);
    }
    for (uint32_t y = 0; y < height; y++) {
        JSAMPROW row = line;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)kind, (void)place;
    return remove(path);
}
static void clear(const fixture *f) {
    nftw(f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    mkdir(f->folder, 0700);
}
static int tear_all_down(void **state) {
    clear(*state);
    return tear_down(state);
}

static vg_dataset dataset(fixture *f, int height, int width, int channels) {
    vg_dataset set = { .mem = &f->mem, .source = row_of("images"), .folder = f->folder, .test = -1 };
    set.arguments[FOLDER] = (vg_argument){ .text = "", .given = true };
    set.arguments[HEIGHT] = (vg_argument){ .number = height, .given = height != 0 };
    set.arguments[WIDTH] = (vg_argument){ .number = width, .given = width != 0 };
    set.arguments[CHANNELS] = (vg_argument){ .number = channels, .given = channels != 0 };
    return set;
}

static bool loads(fixture *f, vg_dataset *set) {
    return vg_dataset_describe(set, &f->error) && vg_dataset_load(set, &f->error);
}

static void load(fixture *f, vg_dataset *set) {
    if (!loads(f, set)) {
        fail_msg("%s", f->error.text);
    }
}

static const uint8_t *pixels_of(const vg_dataset *set, uint32_t example) {
    const vg_column *images = &set->columns[0];
    size_t size = 1;
    for (uint32_t k = 0; k < images->rank; k++) {
        size *= images->shape[k];
    }
    return (const uint8_t *)images->data + example * size;
}

/* ---- good ones */

static const uint8_t grey[] = { 0, 50, 100, 150, 200, 250 };                   /* [2, 3] */
static const uint8_t colours[] = { 1, 2, 3, 4, 5, 6 };                         /* [1, 2, 3] */

static void test_grey(void **state) {
    fixture *f = *state;
    make_folder(f, "b");
    make_folder(f, "a");
    write_png(f, "b/2.png", PNG_FORMAT_GRAY, 2, 3, grey);
    write_png(f, "b/1.PNG", PNG_FORMAT_GRAY, 2, 3, grey);
    write_jpeg(f, "a/z.jpeg", 1, 2, 3, 77, 0, 0);
    write_file(f, "notes.txt", BYTES("not a folder"));
    write_file(f, "a/.hidden.png", BYTES("not a picture"));
    vg_dataset set = dataset(f, 0, 0, 0), large = set;
    load(f, &set);
    assert_int_equal(set.count, 3);
    assert_int_equal(set.columns[0].rank, 2);
    assert_int_equal(set.columns[0].shape[0] * 10 + set.columns[0].shape[1], 23);
    assert_string_equal(set.columns[1].texts[0], "a");
    assert_string_equal(set.class_texts[1], "b");
    assert_int_equal(set.classes, 2);
    assert_memory_equal(set.columns[1].data, "\0\1\1", 3);
    assert_in_range(pixels_of(&set, 0)[5], 76, 78);
    assert_memory_equal(pixels_of(&set, 1), grey, sizeof grey);
    float values[6];
    static const uint32_t second = 1;
    vg_dataset_gather(&set, 0, &second, 1, values, false);
    assert_true(values[5] == 250 * (1 / 255.0f));
    large.room = 1;                                                            /* on the disk */
    load(f, &large);
    assert_true(large.columns[0].mapped);
    assert_memory_equal(pixels_of(&large, 1), grey, sizeof grey);
}

static void test_colours(void **state) {
    fixture *f = *state;
    static const uint8_t planes[] = { 1, 4, 2, 5, 3, 6 }, clear_red[] = { 255, 0, 0, 0, 255, 0, 0, 255 };
    make_folder(f, "a");
    write_png(f, "a/1.png", PNG_FORMAT_RGB, 1, 2, colours);
    write_png(f, "a/2.png", PNG_FORMAT_GRAY, 1, 2, grey + 1);
    write_png(f, "a/3.png", PNG_FORMAT_RGBA, 1, 2, clear_red);
    write_jpeg(f, "a/4.jpg", 3, 1, 2, 200, 100, 50);
    vg_dataset set = dataset(f, 0, 0, 0), flat = dataset(f, 0, 0, 1);
    load(f, &set);
    assert_int_equal(set.columns[0].rank, 3);
    assert_int_equal(set.columns[0].shape[0] * 100 + set.columns[0].shape[1] * 10 + set.columns[0].shape[2], 312);
    assert_memory_equal(pixels_of(&set, 0), planes, 6);
    assert_memory_equal(pixels_of(&set, 1), ((uint8_t[]){ 50, 100, 50, 100, 50, 100 }), 6);
    assert_memory_equal(pixels_of(&set, 2), ((uint8_t[]){ 255, 255, 255, 0, 255, 0 }), 6);   /* transparent is white */
    const uint8_t *last = pixels_of(&set, 3);
    assert_true(abs(last[0] - 200) < 4 && abs(last[2] - 100) < 4 && abs(last[4] - 50) < 4);
    load(f, &flat);
    assert_int_equal(flat.columns[0].rank, 2);
    assert_memory_equal(pixels_of(&flat, 1), grey + 1, 2);
}

static void test_splits(void **state) {
    fixture *f = *state;
    static const char *const made[] = { "train", "train/a", "train/b", "test", "test/b" };
    for (size_t k = 0; k < COUNT(made); k++) {
        make_folder(f, made[k]);
    }
    write_png(f, "train/a/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
    write_png(f, "train/b/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
    write_png(f, "test/b/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
    vg_dataset set = dataset(f, 0, 0, 0), unknown = set;
    load(f, &set);
    assert_int_equal(set.train_count, 2);
    assert_int_equal(set.test_count, 1);
    assert_int_equal(set.test_examples[0], 2);
    assert_memory_equal(set.columns[1].data, "\0\1\1", 3);
    make_folder(f, "test/c");
    assert_false(loads(f, &unknown));
    assert_non_null(strstr(f->error.text, "test/c' is a class that there is no folder for among the training pictures"));
}

/* ---- another size */

static void resize(fixture *f, const uint8_t *from, vg_extent old, vg_extent now, uint8_t *to) {
    vg_picture_resize(&f->mem, from, old, 1, to, now);
}

static void test_resize(void **state) {
    fixture *f = *state;
    uint8_t out[64], ramp[64], flat[100];
    resize(f, grey, (vg_extent){ 2, 3 }, (vg_extent){ 2, 3 }, out);
    assert_memory_equal(out, grey, sizeof grey);                               /* the same size: the same picture */
    memset(flat, 93, sizeof flat);
    resize(f, flat, (vg_extent){ 10, 10 }, (vg_extent){ 3, 7 }, out);
    for (int k = 0; k < 21; k++) {
        assert_int_equal(out[k], 93);
    }
    for (int k = 0; k < 64; k++) {
        ramp[k] = (uint8_t)(4 * (k % 8));
    }
    resize(f, ramp, (vg_extent){ 8, 8 }, (vg_extent){ 4, 4 }, out);
    for (int k = 0; k < 16; k++) {
        const int middle = 8 * (k % 4) + 2;                                    /* halfway between two, but at the ends */
        assert_true(abs(out[k] - middle) <= (k % 4 == 0 || k % 4 == 3));
    }
    resize(f, (const uint8_t[]){ 0, 100 }, (vg_extent){ 1, 2 }, (vg_extent){ 1, 4 }, out);
    assert_memory_equal(out, ((uint8_t[]){ 0, 25, 75, 100 }), 4);              /* bilinear */
}

static void test_sizes(void **state) {
    fixture *f = *state;
    make_folder(f, "a");
    write_png(f, "a/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
    write_png(f, "a/2.png", PNG_FORMAT_GRAY, 3, 2, grey);
    vg_dataset set = dataset(f, 0, 0, 0), sized = dataset(f, 4, 5, 3);
    assert_false(loads(f, &set));
    assert_non_null(strstr(f->error.text, "a/2.png' is 3 pixels high and 2 wide, '"));
    assert_non_null(strstr(f->error.text, "a/1.png' 2 and 3: height = 2, width = 3 makes all of one size"));
    load(f, &sized);
    assert_int_equal(sized.columns[0].shape[0] * 100 + sized.columns[0].shape[1] * 10 + sized.columns[0].shape[2], 345);
}

/* ---- bad ones */

static void assert_fails(fixture *f, vg_dataset set, const char *text, bool argument) {
    if (loads(f, &set)) {
        fail_msg("loaded, instead of: %s", text);
    }
    if (!strstr(f->error.text, text)) {
        fail_msg("'%s' is not in: %s", text, f->error.text);
    }
    assert_int_equal(f->error.argument, argument);
}

static void test_bad_arguments(void **state) {
    fixture *f = *state;
    assert_fails(f, dataset(f, 3, 0, 0), "height and width are given both or not at all", true);
    assert_fails(f, dataset(f, -3, 4, 0), "height must be a whole number from 1 to 32768, not -3", true);
    assert_fails(f, dataset(f, 3, 4, 2), "channels is 1 (grey) or 3 (red, green, blue), not 2", true);
}

static void test_bad_folders(void **state) {
    fixture *f = *state;
    vg_dataset set = dataset(f, 0, 0, 0), missing = set, file = set;
    assert_fails(f, set, "there is no folder in '", false);
    missing.arguments[FOLDER].text = "nowhere";
    assert_fails(f, missing, "nowhere' cannot be read: No such file or directory", false);
    make_folder(f, "a");
    assert_fails(f, set, "there is no picture (.png, .jpg, .jpeg) in '", false);
    write_file(f, "a/2.gif", BYTES("GIF89a"));
    assert_fails(f, set, "a', a folder for a class, holds 1 file that is no PNG or JPEG (.png, .jpg, .jpeg): '2.gif': "
                 "convert it, or take it out of the folder", false);
    write_file(f, "a/3.webp", BYTES("RIFF"));
    write_png(f, "a/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
    assert_fails(f, set, "a', a folder for a class, holds also 2 files that are no PNG or JPEG (.png, .jpg, .jpeg), such "
                 "as '2.gif': convert them, or take them out of the folder", false);
    remove(path_of(f, "a/2.gif"));
    remove(path_of(f, "a/3.webp"));
    write_png(f, "z.png", PNG_FORMAT_GRAY, 2, 3, grey);
    file.arguments[FOLDER].text = "z.png";
    assert_fails(f, file, "z.png' is not a folder", false);
    write_png(f, "a/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
    assert_fails(f, set, "z.png' lies in no class's folder: pictures of one class stand in a folder with its name", false);
}

static void test_bad_pictures(void **state) {
    fixture *f = *state;
    make_folder(f, "a");
    vg_dataset set = dataset(f, 0, 0, 0);
    write_file(f, "a/1.png", BYTES(""));
    assert_fails(f, set, "a/1.png' is empty: a picture was expected", false);
    write_file(f, "a/1.png", BYTES("GIF89a"));
    assert_fails(f, set, "a/1.png' is neither a PNG nor a JPEG file: it begins with 47 49", false);
    write_file(f, "a/1.png", BYTES("\xff\xd8\xff"));
    assert_fails(f, set, "a/1.png' is damaged, or no picture that can be read: ", false);
    write_jpeg(f, "a/1.png", 4, 2, 2, 1, 2, 3);                                /* the bytes tell what it is, not the name */
    assert_fails(f, set, "a/1.png' is damaged, or no picture that can be read: Unsupported color conversion", false);
    write_file(f, "a/1.png", BYTES("\x89PNG\r\n\x1a\n\0\0\0\15IHDR\0\0\377\377\0\0\377\377\10\0\0\0\0\330\26\23\347"));
    assert_false(loads(f, &set));
}

/* Cut at every byte, and with every byte another one: refused or read, and never more. */
static void test_every_byte(void **state) {
    fixture *f = *state;
    make_folder(f, "a");
    for (int kind = 0; kind < 2; kind++) {
        char path[512], *bytes;
        size_t length;
        vg_dataset set = dataset(f, 2, 2, 0);
        kind ? write_jpeg(f, "a/1.png", 3, 9, 9, 200, 100, 50) : write_png(f, "a/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
        snprintf(path, sizeof path, "%s", path_of(f, "a/1.png"));
        assert_int_equal(vg_file_read(&f->mem, path, 1 << 20, &bytes, &length), 0);
        for (size_t cut = 0; cut + 12 < length; cut++) {                       /* PNG's last 12 bytes only say "end" */
            vg_dataset one = set;
            write_file(f, "a/1.png", bytes, cut);
            assert_false(loads(f, &one));
        }
        for (size_t k = 0; k < length; k++) {
            vg_dataset one = set;
            bytes[k] = (char)(bytes[k] ^ 0x55);
            write_file(f, "a/1.png", bytes, length);
            loads(f, &one);
            bytes[k] = (char)(bytes[k] ^ 0x55);
        }
    }
}

/* ---- into a trained model */

/* One picture is read as the data set reads it, whatever its size and colours. */
static void test_one_goes_in(void **state) {
    fixture *f = *state;
    static const uint32_t first = 0;
    make_folder(f, "a");
    write_png(f, "a/1.png", PNG_FORMAT_RGB, 1, 2, colours);
    for (int channels = 1; channels <= 3; channels += 2) {
        float want[12], have[12];
        vg_dataset set = dataset(f, 2, 2, channels), one = { .mem = &f->mem };
        load(f, &set);
        vg_column like = set.columns[0];
        like.data = NULL;
        if (!vg_dataset_input(&one, &like, path_of(f, "a/1.png"), &f->error)) {
            fail_msg("%s", f->error.text);
        }
        assert_int_equal(one.count, 1);
        vg_dataset_gather(&set, 0, &first, 1, want, false);
        vg_dataset_gather(&one, 0, &first, 1, have, false);
        assert_memory_equal(want, have, sizeof *want * 4 * (size_t)channels);
        like.shape[0] = 1;
        like.rank = 1;
        vg_dataset other = { .mem = &f->mem };
        assert_false(vg_dataset_input(&other, &like, path_of(f, "a/1.png"), &f->error));
        assert_non_null(strstr(f->error.text, "is a picture (PNG): for 'images', which is of no pictures, .npy or CSV was "
                               "expected"));
    }
}

static void load_pictures(vg_mem *mem, void *user) {
    fixture *f = user;
    vg_dataset set = dataset(f, 4, 4, 3);
    set.mem = mem;
    assert_true(loads(f, &set));
}

static void test_memory_fails_at_every_call(void **state) {
    fixture *f = *state;
    make_folder(f, "a");
    make_folder(f, "b");
    write_png(f, "a/1.png", PNG_FORMAT_GRAY, 2, 3, grey);
    write_jpeg(f, "b/1.jpg", 3, 4, 4, 200, 100, 50);
    int before = dup(0);
    close(before);
    assert_true(survive_every_call(load_pictures, f) > 20);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_all_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_grey), TEST(test_colours), TEST(test_splits), TEST(test_resize), TEST(test_sizes),
        TEST(test_bad_arguments), TEST(test_bad_folders), TEST(test_bad_pictures), TEST(test_every_byte),
        TEST(test_one_goes_in), TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
