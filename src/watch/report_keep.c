/* What the report keeps of scalars and histograms: all of them as long as they fit, then evenly fewer (report.h). */
#include <math.h>
#include <string.h>

#include "watch/report.h"
#include "watch/sink.h"

/* About what a frame takes when compressed, without its cells: little but the four moments. */
enum { FRAME_BYTES = 20 };

void vg_keep_init(vg_keep *keep, vg_arena *arena) {
    *keep = (vg_keep){ .mem = arena->mem, .arena = arena, .curve_limit = VG_CURVE_POINTS,
                       .film_limit = VG_FILMS_BYTES };
}

static const char *copy(vg_keep *keep, const char *text) { return vg_sink_utf8(keep->arena, text, strlen(text)); }

/* ---- curves */

static vg_point join(vg_point a, vg_point b, double weight_a, double weight_b) {
    const vg_point both = { a.step, (a.mean * weight_a + b.mean * weight_b) / (weight_a + weight_b),
                            isnan(b.min) || b.min < a.min ? b.min : a.min,
                            isnan(b.max) || b.max > a.max ? b.max : a.max };
    return both;
}

/* Two points of `stride` records become one; the last may be one of fewer. */
static void halve_curve(vg_keep *keep, vg_curve *curve) {
    const uint64_t rest = curve->seen % curve->stride;
    const double weight = (double)curve->stride;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < curve->points.count; i += 2) {
        const bool alone = i + 1 == curve->points.count, short_one = i + 2 == curve->points.count && rest;
        const vg_point *p = &curve->points.items[i];
        curve->points.items[kept++] = alone ? p[0] : join(p[0], p[1], weight, short_one ? (double)rest : weight);
    }
    keep->curve_points -= curve->points.count - kept;
    curve->points.count = kept;
    curve->stride *= 2;
}

static void thin_curves(vg_keep *keep) {
    if (keep->curve_points > VG_CURVES_POINTS && keep->curve_limit > VG_FILM_LEAST) {
        keep->curve_limit /= 2;
        for (uint32_t i = 0; i < keep->curves.count; i++) {
            while (keep->curves.items[i]->points.count > keep->curve_limit) {
                halve_curve(keep, keep->curves.items[i]);
            }
        }
    }
}

static void add_value(vg_keep *keep, vg_curve *curve, const vg_record *record) {
    const vg_point point = { record->step, record->value, record->value, record->value };
    const uint64_t before = curve->seen % curve->stride;
    if (before) {
        vg_point *last = &vg_vec_last(&curve->points);
        *last = join(*last, point, (double)before, 1);
    } else {
        vg_vec_push(keep->mem, &curve->points, point);
        keep->curve_points++;
    }
    curve->first = curve->seen == 0 ? record->value : curve->first;
    curve->last = record->value;
    curve->seen++;
    if (curve->points.count > keep->curve_limit) {
        halve_curve(keep, curve);
    }
    thin_curves(keep);
}

/* ---- films */

/* The cells have six bits, and less in them. */
static size_t frame_bytes(const vg_frame *frame) { return FRAME_BYTES + 2 * (size_t)frame->kept * 5 / 8; }

static void drop_last(vg_keep *keep, vg_film *film) {
    const vg_frame frame = vg_vec_pop(&film->frames);
    film->cells.count -= 2u * frame.kept;
    keep->film_bytes -= frame_bytes(&frame);
}

/* Every second frame goes, but not the newest. */
static void halve_film(vg_keep *keep, vg_film *film) {
    uint32_t kept = 0, from = 0, to = 0;
    film->stride *= 2;
    for (uint32_t i = 0; i < film->frames.count; i++) {
        const vg_frame frame = film->frames.items[i];
        const uint32_t bytes = 2u * frame.kept;
        if (frame.index % film->stride == 0 || i + 1 == film->frames.count) {
            memmove(film->cells.items + to, film->cells.items + from, bytes);
            film->frames.items[kept++] = frame;
            to += bytes;
        } else {
            keep->film_bytes -= frame_bytes(&frame);
        }
        from += bytes;
    }
    film->frames.count = kept;
    film->cells.count = to;
}

/* The longest give first, so that steps stay common to all and what is rare is not thinned. */
static void thin_films(vg_keep *keep) {
    uint32_t longest = 0;
    for (uint32_t i = 0; i < keep->films.count; i++) {
        const uint32_t count = keep->films.items[i]->frames.count;
        longest = count > longest ? count : longest;
    }
    if (longest <= VG_FILM_LEAST) {
        keep->film_limit += keep->film_limit / 2;   /* so many tensors that nothing else helps: the file grows */
        return;
    }
    for (uint32_t i = 0; i < keep->films.count; i++) {
        if (keep->films.items[i]->frames.count > longest / 2) {
            halve_film(keep, keep->films.items[i]);
        }
    }
}

static void add_frame(vg_keep *keep, vg_film *film, const vg_record *record) {
    const vg_histogram *h = record->histogram;
    vg_cells cells;
    if (film->frames.count && vg_vec_last(&film->frames).index % film->stride != 0) {
        drop_last(keep, film);
    }
    vg_cells_of(h, &cells);
    const vg_frame frame = { record->step, film->seen++, h->mean, h->std, h->min, h->max, h->count, h->zeros,
                             h->nans + h->infs, cells.octave, cells.kept };
    const uint32_t bytes = 2u * cells.kept;
    vg_vec_push(keep->mem, &film->frames, frame);
    vg_vec_reserve(keep->mem, &film->cells, bytes);
    if (bytes) {
        memcpy(film->cells.items + film->cells.count, cells.bytes, bytes);
    }
    film->cells.count += bytes;
    keep->film_bytes += frame_bytes(&frame);
    if (keep->film_bytes > keep->film_limit) {
        thin_films(keep);
    }
}

void vg_keep_add(vg_keep *keep, const vg_record *record) {
    const bool histogram = record->kind == VG_RECORD_HISTOGRAM;
    const uint64_t key = vg_hash_bytes(record->tag, strlen(record->tag), (uint64_t)histogram * 2 + record->test);
    uint32_t place = vg_map_get(&keep->by_tag, key);
    if (!place && keep->curves.count + keep->films.count == VG_KEEP_TAGS) {
        keep->left_out++;
        return;
    }
    if (!place && histogram) {
        vg_film *film = vg_mem_alloc(keep->mem, sizeof *film);
        film->tag = copy(keep, record->tag);
        film->stride = 1;
        vg_vec_push(keep->mem, &keep->films, film);
        place = keep->films.count;
        vg_map_put(keep->mem, &keep->by_tag, key, place);
    } else if (!place) {
        vg_curve *curve = vg_mem_alloc(keep->mem, sizeof *curve);
        curve->tag = copy(keep, record->tag);
        curve->test = record->test;
        curve->stride = 1;
        vg_vec_push(keep->mem, &keep->curves, curve);
        place = keep->curves.count;
        vg_map_put(keep->mem, &keep->by_tag, key, place);
    }
    if (histogram) {
        add_frame(keep, keep->films.items[place - 1], record);
    } else {
        add_value(keep, keep->curves.items[place - 1], record);
    }
}

/* ---- the file */

static void put_u32(vg_text *out, uint64_t value) {
    const uint32_t v = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
    const char bytes[] = { (char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24) };
    vg_text_add(out, bytes, sizeof bytes);
}

static void put_real(vg_text *out, double value, bool wide) {
    uint64_t bits = 0;
    const float narrow = (float)value;
    if (wide) {
        memcpy(&bits, &value, sizeof value);
    } else {
        memcpy(&bits, &narrow, sizeof narrow);   /* into the lower half, or shifted there */
        bits = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? bits >> 32 : bits;
    }
    char bytes[8];
    for (uint32_t i = 0; i < 8; i++) {
        bytes[i] = (char)(bits >> 8 * i);
    }
    vg_text_add(out, bytes, wide ? 8 : 4);
}

#define COLUMN(vec, item, type, put) \
    for (uint32_t row = 0; row < (vec)->count; row++) { const type *item = &(vec)->items[row]; put; }

static void put_curve(vg_text *out, const vg_curve *curve, bool wide) {
    uint64_t before = 0;
    COLUMN(&curve->points, p, vg_point, (put_u32(out, p->step - before), before = p->step))
    COLUMN(&curve->points, p, vg_point, put_real(out, p->mean, wide))
    if (curve->stride > 1) {
        COLUMN(&curve->points, p, vg_point, put_real(out, p->min, wide))
        COLUMN(&curve->points, p, vg_point, put_real(out, p->max, wide))
        put_real(out, curve->first, wide);
        put_real(out, curve->last, wide);
    }
}

static void put_film(vg_text *out, const vg_film *film, bool wide) {
    uint64_t before = 0;
    COLUMN(&film->frames, f, vg_frame, (put_u32(out, f->step - before), before = f->step))
    COLUMN(&film->frames, f, vg_frame, put_real(out, f->mean, wide))
    COLUMN(&film->frames, f, vg_frame, put_real(out, f->std, wide))
    COLUMN(&film->frames, f, vg_frame, put_real(out, f->min, wide))
    COLUMN(&film->frames, f, vg_frame, put_real(out, f->max, wide))
    COLUMN(&film->frames, f, vg_frame, put_u32(out, f->zeros))
    COLUMN(&film->frames, f, vg_frame, put_u32(out, f->lost))
    COLUMN(&film->frames, f, vg_frame, put_u32(out, f->count))
    COLUMN(&film->frames, f, vg_frame, vg_text_add(out, (char[]){ (char)f->octave, (char)(f->octave >> 8) }, 2))
    COLUMN(&film->frames, f, vg_frame, vg_text_add(out, (const char *)&f->kept, 1))
    vg_text_add(out, (const char *)film->cells.items, film->cells.count);
}

#undef COLUMN

void vg_keep_columns(const vg_keep *keep, bool wide, vg_text *out) {
    for (uint32_t i = 0; i < keep->curves.count; i++) {
        put_curve(out, keep->curves.items[i], wide);
    }
    for (uint32_t i = 0; i < keep->films.count; i++) {
        put_film(out, keep->films.items[i], wide);
    }
}
