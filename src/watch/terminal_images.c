/* Small images in a terminal (terminal.h). A character is as high as two pixels: in colour it is a half block with the
 * upper pixel in front of the lower one, in the palette of 256 colours; else a shade of their mean, the brighter the
 * denser. */
#include <string.h>

#include "watch/terminal.h"

enum { LARGEST = 64 };   /* pixels a side */

/* ---- gathering */

static bool is_small(const vg_image *image) { return image->height <= LARGEST && image->width <= LARGEST; }

static size_t bytes_of(const vg_image *image) {
    return (size_t)image->count * image->height * image->width * image->channels;
}

static vg_exhibit *exhibit_of(vg_gallery *gallery, const vg_record *record) {
    const uint64_t key = vg_hash_bytes(record->tag, strlen(record->tag), 0);
    const uint32_t known = vg_map_get(&gallery->by_tag, key);
    if (known) {
        return known > VG_GALLERY_LIMIT ? NULL : &gallery->list.items[known - 1];
    }
    if (gallery->list.count == VG_GALLERY_LIMIT) {
        vg_map_put(gallery->mem, &gallery->by_tag, key, VG_GALLERY_LIMIT + 1);
        gallery->left_out++;
        return NULL;
    }
    vg_exhibit exhibit = { .tag = vg_mem_alloc(gallery->mem, strlen(record->tag) + 1) };
    strcpy(exhibit.tag, record->tag);
    if (is_small(record->image)) {
        exhibit.pixels = vg_mem_alloc(gallery->mem, bytes_of(record->image));   /* a tag's images are of one shape */
    }
    vg_vec_push(gallery->mem, &gallery->list, exhibit);
    vg_map_put(gallery->mem, &gallery->by_tag, key, gallery->list.count);
    return &vg_vec_last(&gallery->list);
}

void vg_gallery_add(vg_gallery *gallery, const vg_record *record) {
    vg_exhibit *exhibit = exhibit_of(gallery, record);
    if (!exhibit) {
        return;
    }
    exhibit->step = record->step;
    exhibit->image = *record->image;
    if (exhibit->pixels) {
        memcpy(exhibit->pixels, record->image->pixels, bytes_of(record->image));
    }
    exhibit->image.pixels = exhibit->pixels;
}

/* ---- drawing */

/* 16: black, 231: white, between them 24 greys (232 is 8, 255 is 238); or the cube of six steps for each colour. */
static int palette_grey(int level) {
    return level < 4 ? 16 : level > 246 ? 231 : 232 + (level - 3) / 10;
}

static int palette_step(int level) {   /* 0, 95, 135, 175, 215, 255 */
    return level < 48 ? 0 : level < 115 ? 1 : (level - 35) / 40;
}

static int palette_of(const uint8_t *pixel, uint32_t channels) {
    return channels == 1 ? palette_grey(*pixel)
         : 16 + 36 * palette_step(pixel[0]) + 6 * palette_step(pixel[1]) + palette_step(pixel[2]);
}

/* Luminance by Rec. 601. */
static int brightness_of(const uint8_t *pixel, uint32_t channels) {
    return channels == 1 ? *pixel : (299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2]) / 1000;
}

/* `lower` is NULL below the last row of an odd height. */
static void add_shade(vg_text *out, const uint8_t *upper, const uint8_t *lower, uint32_t channels, bool unicode) {
    static const char *const blocks[] = { " ", "░", "▒", "▓", "█" };
    static const char ascii[] = " .:-=+*#%@";
    const int mean = (brightness_of(upper, channels) + brightness_of(lower ? lower : upper, channels)) / 2;
    if (unicode) {
        vg_text_format(out, "%s", blocks[mean * 5 / 256]);
    } else {
        vg_text_add(out, &ascii[mean * 10 / 256], 1);
    }
}

static void add_halves(vg_text *out, const uint8_t *upper, const uint8_t *lower, uint32_t channels) {
    vg_text_format(out, "\x1b[38;5;%d", palette_of(upper, channels));
    if (lower) {
        vg_text_format(out, ";48;5;%d", palette_of(lower, channels));
    }
    vg_text_format(out, "m▀");
}

/* Pixel rows `y` and `y` + 1 of one image. */
static void add_line(vg_text *out, const vg_image *image, uint32_t index, uint32_t y, vg_style style) {
    const size_t row = (size_t)image->width * image->channels;
    const uint8_t *upper = image->pixels + (index * (size_t)image->height + y) * row;
    const uint8_t *lower = y + 1 < image->height ? upper + row : NULL;
    for (uint32_t x = 0; x < image->width; x++) {
        const size_t at = (size_t)x * image->channels;
        if (style.colour && style.unicode) {
            add_halves(out, upper + at, lower ? lower + at : NULL, image->channels);
        } else {
            add_shade(out, upper + at, lower ? lower + at : NULL, image->channels, style.unicode);
        }
    }
    vg_text_format(out, style.colour && style.unicode ? "\x1b[0m" : "");
}

static void show_exhibit(vg_text *out, const vg_exhibit *exhibit, vg_style style) {
    const vg_image *image = &exhibit->image;
    const uint32_t room = style.columns > 1 ? (style.columns - 1) / (image->width + 1) : 0;
    const uint32_t drawn = !image->pixels ? 0 : room < image->count ? room : image->count;
    vg_text_add(out, "\n", 1);
    vg_show_title(out, exhibit->tag, style);
    vg_text_format(out, ", step %llu\n  %u image%s of %u x %u, from %.3g to %.3g%s\n",
                   (unsigned long long)exhibit->step, image->count, image->count == 1 ? "" : "s", image->width,
                   image->height, image->min, image->max, drawn ? "" : ": too large to be drawn here");
    for (uint32_t y = 0; drawn && y < image->height; y += 2) {
        vg_text_add(out, " ", 1);
        for (uint32_t i = 0; i < drawn; i++) {
            vg_text_add(out, " ", 1);
            add_line(out, image, i, y, style);
        }
        while (out->text[out->length - 1] == ' ') {
            out->length--;
        }
        vg_text_add(out, "\n", 1);
    }
}

void vg_show_images(vg_text *out, const vg_gallery *gallery, vg_style style) {
    for (uint32_t i = 0; i < gallery->list.count; i++) {
        show_exhibit(out, &gallery->list.items[i], style);
    }
    if (gallery->left_out) {
        vg_text_format(out, "\nand images of %llu more summaries\n", (unsigned long long)gallery->left_out);
    }
}
