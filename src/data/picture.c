/* Reading pictures (picture.h). Nothing of ours is allocated while a library's objects are open. */
#include "data/picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

/* ---- PNG */

static bool refuse(const vg_picture *picture, const char *reason, vg_data_error *error) {
    return vg_data_fail(error, "'%s' is damaged, or no picture that can be read: %s", picture->path, reason);
}

static bool begin_png(const vg_picture *picture, png_image *image, vg_data_error *error) {
    *image = (png_image){ .version = PNG_IMAGE_VERSION };
    return png_image_begin_read_from_memory(image, picture->bytes, picture->length) != 0
        || refuse(picture, image->message, error);
}

static bool open_png(vg_picture *picture, vg_data_error *error) {
    png_image image;
    if (!begin_png(picture, &image, error)) {
        return false;
    }
    picture->height = image.height;
    picture->width = image.width;
    picture->channels = image.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
    png_image_free(&image);
    return true;
}

static bool read_png(const vg_picture *picture, uint32_t channels, uint8_t *out, vg_data_error *error) {
    static const png_color white = { 255, 255, 255 };
    png_image image;
    if (!begin_png(picture, &image, error)) {
        return false;
    }
    image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    bool fine = image.height == picture->height && image.width == picture->width;   /* for which there is room */
    fine = fine && png_image_finish_read(&image, &white, out, 0, NULL) != 0;
    if (!fine) {
        refuse(picture, image.message, error);
    }
    png_image_free(&image);
    return fine;
}

/* ---- JPEG */

/* An error jumps; a warning (of data that end too soon, or are no code) is one. */
typedef struct failure { struct jpeg_error_mgr manager; jmp_buf escape; char text[JMSG_LENGTH_MAX]; } failure;

static void fail_jpeg(j_common_ptr jpeg) {
    failure *f = (failure *)(void *)jpeg->err;
    jpeg->err->format_message(jpeg, f->text);
    longjmp(f->escape, 1);
}

static void warn_jpeg(j_common_ptr jpeg, int level) {
    if (level < 0) {
        fail_jpeg(jpeg);
    }
}

static void start_jpeg(const vg_picture *picture, struct jpeg_decompress_struct *jpeg, failure *f) {
    jpeg->err = jpeg_std_error(&f->manager);
    f->manager.error_exit = fail_jpeg;
    f->manager.emit_message = warn_jpeg;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, (const unsigned char *)picture->bytes, (unsigned long)picture->length);
    jpeg_read_header(jpeg, TRUE);
}

/* Both keep what they need behind a jump in memory that is not theirs. */
static bool open_jpeg(vg_picture *picture, vg_data_error *error) {
    struct jpeg_decompress_struct jpeg = { .err = NULL };
    failure f;
    if (setjmp(f.escape)) {
        jpeg_destroy_decompress(&jpeg);
        return refuse(picture, f.text, error);
    }
    start_jpeg(picture, &jpeg, &f);
    picture->height = jpeg.image_height;
    picture->width = jpeg.image_width;
    picture->channels = jpeg.num_components == 1 ? 1 : 3;
    jpeg_destroy_decompress(&jpeg);
    return true;
}

static bool read_jpeg(const vg_picture *picture, uint32_t channels, uint8_t *out, vg_data_error *error) {
    struct jpeg_decompress_struct jpeg = { .err = NULL };
    failure f;
    if (setjmp(f.escape)) {
        jpeg_destroy_decompress(&jpeg);
        return refuse(picture, f.text, error);
    }
    start_jpeg(picture, &jpeg, &f);
    jpeg.out_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height && jpeg.output_height == picture->height
           && jpeg.output_width == picture->width) {
        JSAMPROW row = out + (size_t)jpeg.output_scanline * picture->width * channels;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return true;
}

/* ---- either */

static bool is_png(const char *bytes, size_t length) {
    return length >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

bool vg_picture_is(const char *bytes, size_t length) {
    return is_png(bytes, length) || (length >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0);
}

bool vg_picture_open(vg_picture *picture, const char *path, const char *bytes, size_t length, vg_data_error *error) {
    *picture = (vg_picture){ .path = path, .bytes = bytes, .length = length };
    if (!length) {
        return vg_data_fail(error, "'%s' is empty: a picture was expected", path);
    }
    picture->is_png = is_png(bytes, length);
    if (!vg_picture_is(bytes, length)) {
        return vg_data_fail(error, "'%s' is neither a PNG nor a JPEG file: it begins with %02x %02x", path,
                            (unsigned)(uint8_t)bytes[0], length > 1 ? (unsigned)(uint8_t)bytes[1] : 0);
    }
    if (!(picture->is_png ? open_png(picture, error) : open_jpeg(picture, error))) {
        return false;
    }
    return (picture->height <= VG_PICTURE_SIDE && picture->width <= VG_PICTURE_SIDE)
        || vg_data_fail(error, "'%s' says that it is %u pixels high and %u wide: at most %d can be read", path,
                        picture->height, picture->width, VG_PICTURE_SIDE);
}

bool vg_picture_read(const vg_picture *picture, uint32_t channels, uint8_t *out, vg_data_error *error) {
    return picture->is_png ? read_png(picture, channels, out, error) : read_jpeg(picture, channels, out, error);
}

/* ---- another size */

/* For each new place along an axis: the old ones from `first` on, and their weights. */
typedef struct tap { uint32_t first, count; const float *weights; } tap;

static tap *taps_of(vg_arena *arena, uint32_t old, uint32_t now) {
    double ratio = (double)old / now, reach = ratio > 1 ? ratio : 1;
    tap *taps = VG_ARRAY(arena, tap, now);
    for (uint32_t i = 0; i < now; i++) {
        double centre = (i + 0.5) * ratio, low = floor(centre - reach), high = ceil(centre + reach), sum = 0;
        uint32_t first = low > 0 ? (uint32_t)low : 0, end = high < old ? (uint32_t)high : old;
        float *weights = VG_ARRAY(arena, float, end - first);
        for (uint32_t j = first; j < end; j++) {
            sum += fmax(0, 1 - fabs(j + 0.5 - centre) / reach);
        }
        for (uint32_t j = first; j < end; j++) {
            weights[j - first] = (float)(fmax(0, 1 - fabs(j + 0.5 - centre) / reach) / sum);
        }
        taps[i] = (tap){ first, end - first, weights };
    }
    return taps;
}

void vg_picture_resize(vg_mem *mem, const uint8_t *from, vg_extent old, uint32_t channels, uint8_t *to, vg_extent now) {
    vg_arena arena;
    vg_arena_init(&arena, mem);
    const tap *across = taps_of(&arena, old.width, now.width), *down = taps_of(&arena, old.height, now.height);
    const size_t line = (size_t)now.width * channels;
    float *lines = vg_mem_alloc(mem, old.height * line * sizeof *lines);   /* [old height, new width, channels] */
    for (uint32_t y = 0; y < old.height; y++) {
        for (size_t x = 0; x < line; x++) {
            const tap *t = &across[x / channels];
            const uint8_t *pixel = from + ((size_t)y * old.width + t->first) * channels + x % channels;
            float sum = 0;
            for (uint32_t j = 0; j < t->count; j++) {
                sum += t->weights[j] * (float)pixel[j * channels];
            }
            lines[y * line + x] = sum;
        }
    }
    for (uint32_t y = 0; y < now.height; y++) {
        for (size_t x = 0; x < line; x++) {
            float sum = 0.5f;                                              /* rounds */
            for (uint32_t j = 0; j < down[y].count; j++) {
                sum += down[y].weights[j] * lines[(down[y].first + j) * line + x];
            }
            to[y * line + x] = (uint8_t)(sum < 255 ? sum : 255);
        }
    }
    vg_mem_free(mem, lines);
    vg_arena_release(&arena);
}

/* From pixels with their channels together to one plane for each. */
static void part(const uint8_t *from, size_t pixels, uint32_t channels, uint8_t *out) {
    for (uint32_t c = 0; c < channels; c++) {
        for (size_t k = 0; k < pixels; k++) {
            out[c * pixels + k] = from[k * channels + c];
        }
    }
}

bool vg_picture_fit(vg_mem *mem, const vg_picture *picture, uint32_t channels, vg_extent size, uint8_t *out,
                    vg_data_error *error) {
    size_t pixels = (size_t)size.height * size.width, own = (size_t)picture->height * picture->width;
    uint8_t *raw = vg_mem_alloc(mem, own * channels), *sized = raw;
    bool fine = vg_picture_read(picture, channels, raw, error);
    if (fine && (picture->height != size.height || picture->width != size.width)) {
        sized = vg_mem_alloc(mem, pixels * channels);
        vg_picture_resize(mem, raw, (vg_extent){ picture->height, picture->width }, channels, sized, size);
    }
    if (fine) {
        part(sized, pixels, channels, out);
    }
    if (sized != raw) {
        vg_mem_free(mem, sized);
    }
    vg_mem_free(mem, raw);
    return fine;
}
