/* The live view: while a run goes on, what it does now is drawn over what it did before. Below the progress line stands a row
 * for each watched tensor: how its values are distributed over magnitudes, on an axis of powers that a family shares, its
 * rms, its zeros, and how its rms has changed since the first step. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "watch/terminal.h"

enum { LEVELS = 8, LABEL = 18, NUMBERS = 28, LEAST_BARS = 12, MOST_BARS = 60 };
static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const ascii[] = { " ", ".", "_", ",", "-", "=", "+", "o", "#" };

static const char *block(size_t level, vg_style style) { return style.unicode ? blocks[level] : ascii[level]; }

/* ---- the loss, as a line of blocks */

void vg_live_add(vg_live *live, double loss) {
    if (!isfinite(loss)) {
        return;
    }
    if (live->stride == 0) {
        live->stride = 1;
    }
    live->sum += loss;
    if (++live->pending < live->stride) {
        return;
    }
    if (live->count == VG_LIVE_LOSSES) {      /* two become one, so that all of the run is in it */
        for (uint32_t k = 0; k < VG_LIVE_LOSSES / 2; k++) {
            live->losses[k] = (live->losses[2 * k] + live->losses[2 * k + 1]) / 2;
        }
        live->count = VG_LIVE_LOSSES / 2;
        live->stride *= 2;
    }
    live->losses[live->count++] = live->sum / (double)live->pending;
    live->sum = 0;
    live->pending = 0;
}

void vg_show_spark(vg_text *out, const vg_live *live, vg_style style) {
    double least = INFINITY, most = -INFINITY;
    for (uint32_t k = 0; k < live->count; k++) {
        least = fmin(least, live->losses[k]);
        most = fmax(most, live->losses[k]);
    }
    for (uint32_t k = 0; k < live->count; k++) {
        const double height = most > least ? (live->losses[k] - least) / (most - least) : 0;
        vg_text_format(out, "%s", block(1 + (size_t)(height * (LEVELS - 1) + 0.5), style));
    }
}

/* ---- distributions over magnitudes */

typedef struct axis { int from, to; uint32_t columns; } axis;      /* powers of two */

static double magnitude_of(const vg_bucket *bucket) {
    const double a = fabs(bucket->low), b = fabs(bucket->high);
    return a > 0 && b > 0 ? sqrt(a) * sqrt(b) : fmax(a, b) / 2;
}

/* All of the largest, and of the smallest all but the last hundredth of the elements. */
static void widen(axis *on, const vg_histogram *h) {
    enum { OCTAVES = 1200, ZERO = 1100 };
    double counts[OCTAVES] = { 0 }, total = 0, below = 0;
    for (size_t i = 0; i < h->bucket_count; i++) {
        const int octave = ilogb(magnitude_of(&h->buckets[i])) + ZERO;
        counts[octave < 0 ? 0 : octave >= OCTAVES ? OCTAVES - 1 : octave] += (double)h->buckets[i].count;
        total += (double)h->buckets[i].count;
    }
    for (int k = 0; k < OCTAVES && total > 0; k++) {
        below += counts[k];
        if (below > 0.01 * total && k - ZERO < on->from) {
            on->from = k - ZERO;
        }
        if (below > 0.01 * total) {
            break;
        }
    }
    for (int k = OCTAVES; k-- > 0;) {
        if (counts[k] > 0) {
            on->to = k - ZERO + 1 > on->to ? k - ZERO + 1 : on->to;
            break;
        }
    }
}

static axis fit_axis(const vg_family *family, uint32_t rows, uint32_t columns) {
    axis on = { 2000, -2000, columns };
    for (uint32_t k = 0; k < rows; k++) {
        widen(&on, &family->rows.items[k]->last.histogram);
    }
    if (on.from >= on.to) {
        on.from = on.to - 1;
    }
    return on;
}

static void add_bars(vg_text *out, const vg_histogram *h, axis on, vg_style style) {
    double columns[MOST_BARS] = { 0 }, highest = 0;
    for (size_t i = 0; i < h->bucket_count; i++) {
        const double at = (log2(magnitude_of(&h->buckets[i])) - on.from) / (on.to - on.from) * on.columns;
        if (at >= 0 && at < on.columns) {
            columns[(uint32_t)at] += (double)h->buckets[i].count;
        }
    }
    for (uint32_t k = 0; k < on.columns; k++) {
        highest = fmax(highest, columns[k]);
    }
    vg_text_format(out, style.colour ? "\x1b[36m" : "");
    for (uint32_t k = 0; k < on.columns; k++) {
        const double share = highest > 0 ? columns[k] / highest : 0;
        vg_text_format(out, "%s", block(columns[k] > 0 ? 1 + (size_t)(sqrt(share) * (LEVELS - 1) + 0.5) : 0, style));
    }
    vg_text_format(out, style.colour ? "\x1b[0m" : "");
}

static void add_row(vg_text *out, const vg_row *row, const vg_family *family, axis on, vg_style style) {
    const vg_histogram *h = &row->last.histogram;
    const double first = row->first.histogram.rms;
    vg_text_format(out, "\n  ");
    vg_show_label(out, row->tag + family->prefix, LABEL, style);
    vg_text_format(out, " %s", style.unicode ? "│" : "|");
    add_bars(out, h, on, style);
    vg_text_format(out, "%s%10.3g%6.0f %%", style.unicode ? "│" : "|", h->rms, h->count ? 100.0 * (double)h->zeros / (double)h->count : 0);
    if (first > 0) {
        vg_text_format(out, "  x%-6.3g", h->rms / first);
    }
    vg_text_format(out, "\x1b[K");
}

/* "2^-20" and "2^-3" at the ends of the axis. */
static void add_head(vg_text *out, const vg_family *family, axis on, vg_style style) {
    char from[32], to[32];
    snprintf(from, sizeof from, "%.1g", ldexp(1, on.from));
    snprintf(to, sizeof to, "%.1g", ldexp(1, on.to));
    vg_text_format(out, "\n");
    vg_show_label(out, family->title, LABEL + 2, style);
    vg_text_format(out, "  %s%*s%10s%8s  %-6s\x1b[K", from, (int)(on.columns - strlen(from)), to, "rms", "zeros", "x first");
}

uint32_t vg_show_live(vg_text *out, const vg_families *families, uint32_t lines, vg_style style) {
    const uint32_t used = 2 + LABEL + 3 + NUMBERS;
    uint32_t drawn = 0;
    if (style.columns < used + LEAST_BARS) {
        return 0;
    }
    const uint32_t columns = style.columns - used < MOST_BARS ? style.columns - used : MOST_BARS;
    for (uint32_t i = 0; i < families->list.count; i++) {
        const vg_family *family = &families->list.items[i];
        if (family->kind != VG_FAMILY_HISTOGRAMS || drawn + 2 > lines) {
            continue;
        }
        const uint32_t rows = family->rows.count < lines - drawn - 1 ? family->rows.count : lines - drawn - 1;
        const axis on = fit_axis(family, rows, columns);
        add_head(out, family, on, style);
        for (uint32_t k = 0; k < rows; k++) {
            add_row(out, family->rows.items[k], family, on, style);
        }
        drawn += 1 + rows;
    }
    return drawn;
}
