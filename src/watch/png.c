/* Images as PNG by libpng's simplified interface, which answers errors instead of jumping or printing (png.h). */
#include "watch/png.h"

#include <png.h>

const char vg_png_failed[] = "an image could not be written as PNG";

bool vg_png_make(const vg_image *image, uint32_t index, vg_arena *arena, vg_png *out) {
    const size_t row = (size_t)image->width * image->channels, area = row * image->height;
    const size_t plain = area + image->height;   /* each row begins with the number of its filter */
    png_image png = { .version = PNG_IMAGE_VERSION, .width = image->width, .height = image->height,
                      .format = image->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY };
    png_alloc_size_t length = PNG_IMAGE_PNG_SIZE_MAX_(png, PNG_ZLIB_MAX_SIZE(plain));
    out->bytes = vg_arena_alloc(arena, length);
    const bool fine = png_image_write_to_memory(&png, out->bytes, &length, 0, image->pixels + index * area,
                                                (png_int_32)row, NULL);
    out->length = fine ? length : 0;
    return fine;
}

bool vg_png_read(const uint8_t *bytes, size_t length, vg_image *image, uint32_t index, vg_arena *arena,
                 uint8_t **pixels) {
    enum { LARGEST = 1 << 28 };   /* of all pixels: what a damaged head asks for is not given */
    png_image png = { .version = PNG_IMAGE_VERSION };
    if (!png_image_begin_read_from_memory(&png, bytes, length)) {
        return false;
    }
    const uint32_t channels = png.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
    if (index == 0) {
        image->width = png.width;
        image->height = png.height;
        image->channels = channels;
    }
    const size_t row = (size_t)png.width * channels;
    bool fine = image->width == png.width && image->height == png.height && image->channels == channels &&
                row <= LARGEST && row * png.height <= LARGEST / image->count;
    if (fine && index == 0) {
        png_image_free(&png);         /* nothing of libpng's is held where an allocation may jump away */
        *pixels = vg_arena_alloc(arena, row * image->height * image->count);
        png = (png_image){ .version = PNG_IMAGE_VERSION };
        fine = png_image_begin_read_from_memory(&png, bytes, length);
    }
    png.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    fine = fine && png_image_finish_read(&png, NULL, *pixels + index * row * image->height, (png_int_32)row, NULL);
    png_image_free(&png);
    return fine;
}

const char *vg_png_base64(const vg_png *png, vg_arena *arena) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = vg_arena_alloc(arena, (png->length + 2) / 3 * 4 + 1), *to = text;
    for (size_t i = 0; i < png->length; i += 3) {
        const size_t left = png->length - i;
        const uint32_t bits = (uint32_t)png->bytes[i] << 16 | (left > 1 ? (uint32_t)png->bytes[i + 1] << 8 : 0)
                            | (left > 2 ? png->bytes[i + 2] : 0);
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[bits & 63] : '=';
    }
    return text;
}
