/* Digits drawn by the program: grey pictures of 28 by 28 that look written by hand, so that a network can be trained
 * without a file. Each example is drawn from a Philox key of its own. A way of writing (strokes.c) is chosen, its
 * points are shaken, curves are laid through them, bent, sheared, scaled, turned and shifted, and covered with ink of
 * some thickness; then the picture is blurred and made noisy. Nothing but + - * / and sqrt in float: the pictures are
 * the same bits on every machine. */
#include "data/digits.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/thread.h"
#include "data/source.h"

enum { COUNT, SEED };              /* the parameters, in order */
enum { IMAGES, LABELS, COLUMNS };
enum { SIDE = 28, MARGIN = 4, PIXELS = SIDE * SIDE, CLASSES = 10 };
enum { LANES = 4, PITCH = SIDE + LANES };   /* distances are computed for so many pixels of a row at once */
enum { GRAIN = SIDE - 2 * MARGIN, GRAIN_WORDS = GRAIN * GRAIN / 4 };

bool vg_digits_describe(vg_dataset *set, vg_data_error *error) {
    if (!vg_argument_whole(set, COUNT, 1, VG_COUNT_LIMIT, error)
        || !vg_argument_whole(set, SEED, 0, VG_SEED_LIMIT, error)) {
        return false;
    }
    vg_dataset_columns(set, COLUMNS);
    set->columns[IMAGES] = (vg_column){
        .name = "images", .dtype = VG_F32, .storage = VG_STORE_U8, .scale = 1 / 255.0f,
        .rank = 2, .shape = { SIDE, SIDE }
    };
    set->columns[LABELS] = (vg_column){ .name = "labels", .dtype = VG_I32, .storage = VG_STORE_U8, .classes = CLASSES };
    set->classes = CLASSES;
    set->count = (uint32_t)vg_argument_number(set, COUNT);
    return true;
}

/* ---- chance */

/* The numbers of one example, in the order they are asked for. */
typedef struct stream { vg_random_key key; uint64_t block; uint32_t words[4], left; } stream;

static uint32_t draw_word(stream *chance) {
    if (!chance->left) {
        vg_random_block(chance->key, chance->block++, chance->words);
        chance->left = 4;
    }
    return chance->words[--chance->left];
}
static uint32_t draw_below(stream *chance, uint32_t bound) {
    return (uint32_t)((uint64_t)draw_word(chance) * bound >> 32);
}
/* In [0, 1). */
static float draw_unit(stream *chance) { return (float)(draw_word(chance) >> 8) * 0x1p-24f; }
static float draw_between(stream *chance, float low, float high) { return low + (high - low) * draw_unit(chance); }
/* Around 0, up to `most` to either side, the middle likeliest: the sum of two uniform numbers. */
static float draw_around(stream *chance, float most) { return most * (draw_unit(chance) + draw_unit(chance) - 1); }

/* ---- from strokes to pixels */

typedef struct point { float x, y; } point;

/* How this example's writer writes. */
typedef struct style {
    float xx, xy, yx, yy;       /* the linear map from the box to pixels */
    float left, top;            /* where the middle comes to lie */
    float bend_x, bend_y;       /* how far the outer parts lean over */
    float shake;                /* how far points stray, in the box */
    float radius;               /* half the pen's width, in pixels */
} style;

static style draw_style(stream *chance) {
    style hand = { .shake = 7, .radius = draw_between(chance, 0.7f, 1.7f) };
    float half = draw_around(chance, 0.22f);   /* the tangent of half the angle: the turn without sine and cosine */
    float cosine = (1 - half * half) / (1 + half * half), sine = 2 * half / (1 + half * half);
    float shear = draw_around(chance, 0.4f) - 0.1f;
    float width = draw_between(chance, 0.14f, 0.27f), height = draw_between(chance, 0.17f, 0.27f);
    hand.xx = cosine * width;
    hand.xy = cosine * shear * width - sine * height;
    hand.yx = sine * width;
    hand.yy = sine * shear * width + cosine * height;
    hand.left = SIDE / 2 + draw_around(chance, 3);
    hand.top = SIDE / 2 + draw_around(chance, 3);
    hand.bend_x = draw_around(chance, 10);
    hand.bend_y = draw_around(chance, 8);
    return hand;
}

/* A point of the box in the picture. */
static point place(const style *hand, float x, float y) {
    float u = (x - 50) / 50, v = (y - 50) / 50;
    float across = x - 50 + hand->bend_x * (v * v - 0.5f), down = y - 50 + hand->bend_y * (u * u - 0.3f);
    return (point){ hand->left + hand->xx * across + hand->xy * down, hand->top + hand->yx * across + hand->yy * down };
}

/* fminf and fmaxf are calls, for the sake of NaN. */
static float least(float a, float b) { return a < b ? a : b; }
static float most(float a, float b) { return a > b ? a : b; }
static float clamp(float value) { return least(most(value, 0), 1); }
static int clip(int value) { return value < 0 ? 0 : value > SIDE ? SIDE : value; }

static const float SLACK = 0.001f;   /* of pixels, for what rounding moves */

/* Lowers `nearest` (squared distances, [SIDE, PITCH]) to that of the line from a to b, for the pixels that its ink can
 * reach, and some beside them. What does not change along a row or a column is computed once. */
static void add_line(float *nearest, point a, point b, float reach) {
    const int left = clip((int)(least(a.x, b.x) - reach)), right = clip((int)(most(a.x, b.x) + reach) + 1);
    const int top = clip((int)(least(a.y, b.y) - reach)), bottom = clip((int)(most(a.y, b.y) + reach) + 1);
    const float dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
    const float scale = square > 0 ? 1 / square : 0;
    for (int column = left; column < right; column += LANES) {
        float x[LANES], across[LANES];
        for (int k = 0; k < LANES; k++) {
            x[k] = (float)(column + k) + 0.5f - a.x;
            across[k] = x[k] * dx;
        }
        for (int row = top; row < bottom; row++) {
            const float y = (float)row + 0.5f - a.y, down = y * dy;
            float *at = &nearest[row * PITCH + column];
            for (int k = 0; k < LANES; k++) {
                const float along = clamp((across[k] + down) * scale);
                const float ex = x[k] - along * dx, ey = y - along * dy, distance = ex * ex + ey * ey;
                at[k] = least(distance, at[k]);
            }
        }
    }
}

/* Catmull and Rom's curve at t between b and c. */
static float curve(float a, float b, float c, float d, float t) {
    return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/* A curve through the points of one stroke, cut into lines of about two pixels. */
static void add_stroke(float *nearest, const point *points, uint32_t count, float reach) {
    for (uint32_t i = 0; i + 1 < count; i++) {
        point a = points[i ? i - 1 : 0], b = points[i], c = points[i + 1], d = points[i + 2 < count ? i + 2 : i + 1];
        float length = fabsf(c.x - b.x) + fabsf(c.y - b.y);
        int pieces = 1 + (int)(length / 2.5f);
        point from = b;
        for (int k = 1; k <= pieces; k++) {
            float t = (float)k / (float)pieces;
            point to = { curve(a.x, b.x, c.x, d.x, t), curve(a.y, b.y, c.y, d.y, t) };
            add_line(nearest, from, to, reach);
            from = to;
        }
    }
}

static void add_writing(float *nearest, const vg_handwriting *writing, const style *hand, stream *chance) {
    point stroke[VG_PEN_POINTS];
    uint32_t count = 0;
    const vg_pen_point *last = writing->points;
    for (const vg_pen_point *at = writing->points; at < writing->points + VG_PEN_POINTS && at->y; last = at++) {
        if (at->x < 0) {
            add_stroke(nearest, stroke, count, hand->radius + SLACK);
            count = 0;
        } else if (count && at->x == last->x && at->y == last->y) {
            stroke[count] = stroke[count - 1];   /* a corner stays one */
            count++;
        } else {
            float x = at->x + draw_around(chance, hand->shake), y = at->y + draw_around(chance, hand->shake);
            stroke[count++] = place(hand, x, y);
        }
    }
    add_stroke(nearest, stroke, count, hand->radius + SLACK);
}

/* ---- ink, blur, noise */

/* out = (1 - share) * in + share * the mean of in with its neighbours `step` away, the middle counted twice. Where a
 * row ends, its neighbour is the next one's beginning: paper, nearly always. */
static void blur(const float *in, float *out, int step, float share) {
    memcpy(out, in, PIXELS * sizeof *out);
    for (int i = step; i < PIXELS - step; i++) {
        out[i] = in[i] + share * (0.25f * (in[i - step] + in[i + step]) - 0.5f * in[i]);
    }
}

/* Four pixels' grain from one word, in -1..1. The margin has none: as in scanned digits, some pixels are blank in
 * every picture, and the gradients of their weights are zeros. */
static void draw_grain(stream *chance, float *grain) {
    uint8_t bytes[GRAIN_WORDS * 4];
    for (int i = 0; i < GRAIN_WORDS; i++) {
        const uint32_t word = draw_word(chance);
        for (int k = 0; k < 4; k++) {
            bytes[4 * i + k] = (uint8_t)(word >> 8 * k & 0xff);
        }
    }
    memset(grain, 0, PIXELS * sizeof *grain);
    for (int row = 0; row < GRAIN; row++) {
        float *at = &grain[(row + MARGIN) * SIDE + MARGIN];
        for (int k = 0; k < GRAIN; k++) {
            at[k] = ((float)bytes[row * GRAIN + k] - 127.5f) * (1 / 127.5f);
        }
    }
}

static void finish(const float *nearest, uint8_t *image, const style *hand, stream *chance) {
    float ink[PIXELS], soft[PIXELS], grain[PIXELS];
    float dark = draw_between(chance, 0.7f, 1), share = draw_between(chance, 0.2f, 1);
    float noise = draw_between(chance, 0.02f, 0.16f);
    float edge = hand->radius + 0.5f;   /* a pixel is a pixel wide */
    for (int row = 0; row < SIDE; row++) {
        for (int k = 0; k < SIDE; k++) {
            const float distance = nearest[row * PITCH + k];
            ink[row * SIDE + k] = distance < edge * edge ? clamp(edge - sqrtf(distance)) : 0;
        }
    }
    blur(ink, soft, 1, share);
    blur(soft, ink, SIDE, share);
    draw_grain(chance, grain);
    for (int i = 0; i < PIXELS; i++) {
        image[i] = (uint8_t)(clamp(dark * ink[i] + noise * grain[i]) * 255 + 0.5f);
    }
}

static uint8_t draw_digit(const uint8_t first[CLASSES + 1], vg_random_key key, uint8_t *image) {
    stream chance = { .key = key };
    uint8_t digit = (uint8_t)draw_below(&chance, CLASSES);
    uint32_t variants = first[digit + 1] - first[digit];
    const vg_handwriting *writing = &vg_handwritings[first[digit] + draw_below(&chance, variants)];
    style hand = draw_style(&chance);
    float nearest[SIDE * PITCH];
    for (int i = 0; i < SIDE * PITCH; i++) {
        nearest[i] = PIXELS;
    }
    add_writing(nearest, writing, &hand, &chance);
    finish(nearest, image, &hand, &chance);
    return digit;
}

/* ---- all of them */

enum { TOGETHER = 64, MOST_HELPERS = 15 };   /* digits taken at once by a thread; threads beside the caller's */

/* What the threads share: the next digit that nobody draws yet, and where they all go. */
typedef struct sheet {
    _Atomic uint32_t next;
    uint32_t         count;
    uint64_t         stream;
    uint8_t          first[CLASSES + 1];   /* where each digit's rows begin */
    uint8_t         *images, *labels;
} sheet;

static void draw_some(void *user) {
    sheet *all = user;
    uint32_t begin;
    while ((begin = atomic_fetch_add(&all->next, TOGETHER)) < all->count) {
        for (uint32_t i = begin; i < all->count && i < begin + TOGETHER; i++) {
            vg_random_key key = { all->stream, i };
            all->labels[i] = draw_digit(all->first, key, all->images + (size_t)i * PIXELS);
        }
    }
}

/* A digit depends on its key alone: whoever draws it, it is the same. */
static void draw_all(sheet *all) {
    vg_thread *helpers[MOST_HELPERS];
    uint32_t count = 0, parts = all->count / (4 * TOGETHER), cores = parts > 1 ? vg_thread_cores() : 1;
    while (count < MOST_HELPERS && count + 1 < cores && count + 1 < parts
           && (helpers[count] = vg_thread_start(draw_some, all))) {
        count++;
    }
    draw_some(all);
    while (count > 0) {
        vg_thread_join(helpers[--count]);
    }
}

bool vg_digits_load(vg_dataset *set, vg_data_error *error) {
    (void)error;
    static const char name[] = "digits";
    sheet all = { .count = set->count };
    all.stream = vg_hash_bytes(name, sizeof name - 1, (uint64_t)vg_argument_number(set, SEED));
    for (uint32_t i = 0; i < vg_handwriting_count; i++) {
        all.first[vg_handwritings[i].digit + 1] = (uint8_t)(i + 1);
    }
    all.images = vg_mem_alloc(set->mem, (size_t)set->count * PIXELS);
    all.labels = vg_mem_alloc(set->mem, set->count);
    draw_all(&all);
    set->columns[IMAGES].data = all.images;
    set->columns[LABELS].data = all.labels;
    return true;
}
