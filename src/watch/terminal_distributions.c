/* The distributions of a family below each other on one common axis, so that they can be compared by eye:
 *
 *     grad(loss), step 0
 *              -0.1                  0                  0.1         min        max        rms   zeros
 *       h[1].W |               .  ▂█▂  .               |    -0.0412     0.0421    0.00447    34 %
 *
 * A bar's height is the square root of the number of a row's non-zero elements in its column, relative to the row's
 * highest column: gradients have sharp peaks, and on a linear scale their tails, which are what is compared, would
 * lie flat. A dot is a column that has elements, but too few for a bar.
 *
 * A narrow terminal shows fewer of the numbers, then shorter names: a row that wraps can be compared with no other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "watch/terminal.h"

enum { LEVELS = 8, WIDEST = 81, NARROWEST = 15, NUMBER = 10, ZEROS = 8 };
enum { FRAME = 2 + 2 + 2, LONGEST_LABEL = 32, SHORTEST_LABEL = 6 };   /* FRAME: the indent, the borders, two blanks */

static const double FAINTEST = 0.002;   /* of the highest column: below that, no dot */

typedef struct axis { double from, to; uint32_t columns; } axis;

/* What of a row there is room for. */
typedef struct layout {
    vg_style style;
    uint32_t label;              /* characters of it */
    bool     range, zeros, rms;  /* range: min and max */
    axis     on;
} layout;

/* The value below which `share` of the buckets' elements lie in absolute value. */
static double reach(const vg_histogram *h, double share) {
    double total = 0;
    for (size_t i = 0; i < h->bucket_count; i++) {
        total += (double)h->buckets[i].count;
    }
    /* Outside in: the two ends are sorted by distance from zero already. */
    size_t low = 0, high = h->bucket_count;
    double outside = 0, at = 0;
    while (low < high) {
        const bool left = -h->buckets[low].low > h->buckets[high - 1].high;
        const vg_bucket *bucket = left ? &h->buckets[low++] : &h->buckets[--high];
        at = left ? -bucket->low : fmax(bucket->high, -bucket->low);
        outside += (double)bucket->count;
        if (outside > (1 - share) * total) {
            break;
        }
    }
    return fmin(at, fmax(fabs(h->min), fabs(h->max)));
}

/* The next of 1, 1.2, 1.5, 2 ... 8 times a power of ten, not below. */
static double round_up(double value) {
    static const double steps[] = { 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 };
    if (value < 1e-300) {
        return value > 0 ? value : 1;
    }
    const double power = pow(10, floor(log10(value)));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i] * power >= value * (1 - 1e-9)) {
            return steps[i] * power;
        }
    }
    return value;
}

/* Symmetric about zero, or beginning there when all values lie on one side. */
static axis fit_axis(const vg_family *family, uint32_t columns) {
    double widest = 0, min = 0, max = 0;
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_sample *const samples[] = { &family->rows.items[i]->first, &family->rows.items[i]->last };
        for (size_t k = 0; k < 2; k++) {
            const vg_histogram *h = &samples[k]->histogram;
            widest = fmax(widest, reach(h, 0.99));
            min = fmin(min, h->min);
            max = fmax(max, h->max);
        }
    }
    const double end = round_up(widest);
    return (axis){ min < 0 || max <= 0 ? -end : 0, max > 0 || min >= 0 ? end : 0, columns };
}

/* Shares each bucket's elements out over the columns that it overlaps; what lies beyond the ends is left out. */
static void fill_columns(const vg_histogram *h, axis on, double *columns) {
    memset(columns, 0, on.columns * sizeof *columns);
    for (size_t i = 0; i < h->bucket_count; i++) {
        const vg_bucket *bucket = &h->buckets[i];
        /* in columns from the left end */
        const double low = (fmax(bucket->low, h->min) - on.from) / (on.to - on.from) * on.columns;
        const double high = (fmin(bucket->high, h->max) - on.from) / (on.to - on.from) * on.columns;
        if (high <= low) {   /* one value: the smallest or the largest */
            if (low >= 0 && low <= on.columns) {
                columns[(uint32_t)fmin(low, on.columns - 1)] += (double)bucket->count;
            }
            continue;
        }
        for (double k = fmax(floor(low), 0); k < fmin(high, on.columns); k++) {
            columns[(uint32_t)k] += (fmin(high, k + 1) - fmax(low, k)) / (high - low) * (double)bucket->count;
        }
    }
}

static void add_bars(vg_text *out, const vg_histogram *h, axis on, vg_style style) {
    static const char *const blocks[] = { "·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const ascii[] = { ".", "_", ",", "-", "=", "+", "o", "#", "@" };
    double columns[WIDEST], highest = 0;
    fill_columns(h, on, columns);
    for (uint32_t k = 0; k < on.columns; k++) {
        highest = fmax(highest, columns[k]);
    }
    vg_text_format(out, style.colour ? "\x1b[36m" : "");
    for (uint32_t k = 0; k < on.columns; k++) {
        const size_t level = highest > 0 ? (size_t)(sqrt(columns[k] / highest) * LEVELS + 0.5) : 0;
        const bool empty = columns[k] < fmax(0.5, highest * FAINTEST);
        vg_text_format(out, "%s", empty ? " " : style.unicode ? blocks[level] : ascii[level]);
    }
    vg_text_format(out, style.colour ? "\x1b[0m" : "");
}

/* The axis' ends, and its middle when there is room, above the bars; then what the numbers are. */
static void add_axis(vg_text *out, const layout *l) {
    char from[32], middle[32], to[32];
    snprintf(from, sizeof from, "%.3g", l->on.from);
    snprintf(middle, sizeof middle, "%.3g", (l->on.from + l->on.to) / 2);
    snprintf(to, sizeof to, "%.3g", l->on.to);
    const int columns = (int)l->on.columns, right = (int)strlen(to), centre = (int)strlen(middle);
    const int begin = columns / 2 - centre / 2, rest = columns - begin - centre;
    const int left = (int)strlen(from) + right < columns ? (int)strlen(from) : 0;
    vg_text_format(out, "  %*s  %.*s", (int)l->label, "", left, from);
    if (left < begin && right < rest) {
        vg_text_format(out, "%*s%*s", begin - left + centre, middle, rest, to);
    } else {
        vg_text_format(out, "%*s", columns - left, to);
    }
    if (l->range || l->rms) {
        vg_text_add(out, "  ", 2);
    }
    if (l->range) {
        vg_text_format(out, "%*s%*s", NUMBER, "min", NUMBER, "max");
    }
    if (l->rms) {
        vg_text_format(out, "%*s", NUMBER, "rms");
    }
    if (l->zeros) {
        vg_text_format(out, "%*s", ZEROS, "zeros");
    }
    vg_text_add(out, "\n", 1);
}

/* What keeps a tensor from being finite, or nothing. Returns its length. */
static int lost_text(char text[64], const vg_histogram *h) {
    *text = '\0';
    return h->nans + h->infs ? snprintf(text, 64, "  %llu nan, %llu inf", (unsigned long long)h->nans,
                                        (unsigned long long)h->infs) : 0;
}

static void add_row(vg_text *out, const char *label, const vg_histogram *h, const layout *l) {
    const char *border = l->style.unicode ? "│" : "|";
    const double share = h->count ? 100 * (double)h->zeros / (double)h->count : 0;
    char zeros[16], lost[64];
    snprintf(zeros, sizeof zeros, h->zeros && share < 0.5 ? "<1 %%" : "%.0f %%", share);
    lost_text(lost, h);
    vg_text_add(out, "  ", 2);
    vg_show_label(out, label, l->label, l->style);
    vg_text_format(out, " %s", border);
    add_bars(out, h, l->on, l->style);
    vg_text_format(out, l->range || l->rms ? "%s " : "%s", border);
    if (l->range) {
        vg_text_format(out, "%*.3g%*.3g", NUMBER, h->min, NUMBER, h->max);
    }
    if (l->rms) {
        vg_text_format(out, "%*.3g", NUMBER, h->rms);
    }
    if (l->zeros) {
        vg_text_format(out, "%*s", ZEROS, zeros);
    }
    vg_text_format(out, "%s\n", lost);
}

static void show_step(vg_text *out, const vg_family *family, bool first, uint64_t step, const layout *l) {
    vg_show_title(out, family->title, l->style);
    vg_text_format(out, ", step %llu\n", (unsigned long long)step);
    add_axis(out, l);
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_row *row = family->rows.items[i];
        const vg_sample *sample = first ? &row->first : &row->last;
        add_row(out, row->tag + family->prefix, &sample->histogram, l);
    }
}

/* The numbers give way first: the outermost two, then the zeros, then the last. */
static layout fit_layout(const vg_family *family, vg_style style) {
    uint32_t label = 1, lost = 0;
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_row *row = family->rows.items[i];
        char text[64];
        const uint32_t widths[] = { vg_show_width(row->tag + family->prefix),
                                    (uint32_t)lost_text(text, &row->first.histogram),
                                    (uint32_t)lost_text(text, &row->last.histogram) };
        label = widths[0] > label ? widths[0] : label;
        lost = widths[1] > lost ? widths[1] : lost;
        lost = widths[2] > lost ? widths[2] : lost;
    }
    uint32_t most = style.columns / 4;
    most = most > LONGEST_LABEL ? LONGEST_LABEL : most < SHORTEST_LABEL ? SHORTEST_LABEL : most;
    layout l = { .style = style, .label = label < most ? label : most };
    const uint32_t fixed = FRAME + l.label + lost;
    const uint32_t room = style.columns > fixed + NARROWEST ? style.columns - fixed - NARROWEST : 0;
    l.rms = room >= NUMBER;
    l.zeros = room >= NUMBER + ZEROS;
    l.range = room >= 3 * NUMBER + ZEROS;
    const uint32_t numbers = l.range ? 3 * NUMBER + ZEROS : l.zeros ? NUMBER + ZEROS : l.rms ? NUMBER : 0;
    const uint32_t columns = NARROWEST + room - numbers;
    const uint32_t plot = columns > WIDEST ? WIDEST : columns - 1 + columns % 2;   /* odd: zero has one of its own */
    l.on = fit_axis(family, plot);
    return l;
}

void vg_show_distributions(vg_text *out, const vg_family *family, vg_style style) {
    if (family->rows.count == 0) {
        return;
    }
    uint64_t first = UINT64_MAX, last = 0;
    for (uint32_t i = 0; i < family->rows.count; i++) {
        const vg_row *row = family->rows.items[i];
        first = row->first.step < first ? row->first.step : first;
        last = row->last.step > last ? row->last.step : last;
    }
    const layout l = fit_layout(family, style);
    show_step(out, family, true, first, &l);
    if (last > first) {
        show_step(out, family, false, last, &l);
    }
    vg_show_thinned(out, family, style);
}
