/* The values of two runs, side by side where they differ. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "diff.h"

enum { MOST_SHOWN = 30, LABEL = 26 };

typedef struct pair { const vg_cli_series *a, *b; } pair;

/* ---- what differs */

/* The first step at which one of the two has a record that the other has not, or another one. False: there is none. */
static bool first_difference(pair p, uint64_t *step) {
    size_t i = 0;
    while (i < p.a->count && i < p.b->count && p.a->points[i].step == p.b->points[i].step &&
           p.a->points[i].digest == p.b->points[i].digest) {
        i++;
    }
    const uint64_t a = i < p.a->count ? p.a->points[i].step : UINT64_MAX;
    const uint64_t b = i < p.b->count ? p.b->points[i].step : UINT64_MAX;
    *step = a < b ? a : b;
    return i < p.a->count || i < p.b->count;
}

typedef struct tally { size_t same, differ, only; } tally;

/* Of the series of one kind. */
static tally count_series(const vg_cli_log *a, const vg_cli_log *b, vg_record_kind kind) {
    tally all = { 0, 0, 0 };
    for (size_t i = 0; i < a->count; i++) {
        const pair p = { &a->series[i], vg_cli_log_find(b, &a->series[i], i) };
        uint64_t step;
        if (p.a->kind == kind) {
            all.only += !p.b;
            all.differ += p.b && first_difference(p, &step);
            all.same += p.b && !first_difference(p, &step);
        }
    }
    for (size_t i = 0; i < b->count; i++) {
        all.only += b->series[i].kind == kind && !vg_cli_log_find(a, &b->series[i], i);
    }
    return all;
}

/* ---- showing it */

static void show_row(FILE *stream, const char *label, double a, double b, double last) {
    fprintf(stream, "    %-*s %12.6g %12.6g %12.4g\n", LABEL - 2, label, a, b, last);
}

static void show_points(FILE *stream, const char *what, const vg_cli_point *a, const vg_cli_point *b) {
    char label[64];
    if (a->step == b->step) {
        snprintf(label, sizeof label, "%s, step %" PRIu64, what, a->step);
    } else {
        snprintf(label, sizeof label, "%s, steps %" PRIu64 ", %" PRIu64, what, a->step, b->step);
    }
    show_row(stream, label, a->value, b->value, b->value - a->value);
}

static void show_scalar(FILE *stream, pair p) {
    const int direction = vg_direction(p.a->tag) > 0 ? 1 : -1;
    const size_t a = vg_cli_series_best(p.a, direction), b = vg_cli_series_best(p.b, direction);
    show_points(stream, "first", &p.a->points[0], &p.b->points[0]);
    show_points(stream, "last", &p.a->points[p.a->count - 1], &p.b->points[p.b->count - 1]);
    if (a < p.a->count && b < p.b->count) {
        show_points(stream, direction > 0 ? "highest" : "lowest", &p.a->points[a], &p.b->points[b]);
    }
}

/* The rms at the first and the last step that both have. */
static void show_histogram(FILE *stream, pair p) {
    const vg_cli_point *first[2] = { NULL, NULL }, *last[2] = { NULL, NULL };
    for (size_t i = 0, j = 0; i < p.a->count && j < p.b->count;) {
        const vg_cli_point *a = &p.a->points[i], *b = &p.b->points[j];
        if (a->step == b->step) {
            first[0] = first[0] ? first[0] : a;
            first[1] = first[1] ? first[1] : b;
            last[0] = a;
            last[1] = b;
        }
        i += a->step <= b->step;
        j += b->step <= a->step;
    }
    char label[40];
    if (first[0]) {
        snprintf(label, sizeof label, "step %" PRIu64, first[0]->step);
        show_row(stream, label, first[0]->value, first[1]->value, first[1]->value / first[0]->value);
    }
    if (last[0] != first[0]) {
        snprintf(label, sizeof label, "step %" PRIu64, last[0]->step);
        show_row(stream, label, last[0]->value, last[1]->value, last[1]->value / last[0]->value);
    }
}

static void show_series(FILE *stream, pair p) {
    uint64_t step = 0;
    first_difference(p, &step);
    fprintf(stream, "  %s%s, from step %" PRIu64 " on\n", p.a->tag, p.a->test ? " (test split)" : "", step);
    if (p.a->kind == VG_RECORD_SCALAR) {
        show_scalar(stream, p);
    } else if (p.a->kind == VG_RECORD_HISTOGRAM) {
        show_histogram(stream, p);
    }
}

static void show_only(FILE *stream, const vg_cli_log *a, const vg_cli_log *b, vg_record_kind kind, const char *whose) {
    for (size_t i = 0, shown = 0; i < a->count && shown < MOST_SHOWN; i++) {
        if (a->series[i].kind == kind && !vg_cli_log_find(b, &a->series[i], i)) {
            fprintf(stream, "  %s%s, only in %s\n", a->series[i].tag, a->series[i].test ? " (test split)" : "", whose);
            shown++;
        }
    }
}

/* `last` is the title of the last column; NULL: there are none. True when nothing of this kind differs. */
static bool show_kind(FILE *stream, const vg_cli_log *a, const vg_cli_log *b, vg_record_kind kind, const char *title,
                      const char *last) {
    const tally all = count_series(a, b, kind);
    if (all.differ + all.only == 0) {
        if (all.same) {
            fprintf(stream, "\n%s: the same to the last bit (%zu)\n", title, all.same);
        }
        return true;
    }
    if (last) {
        fprintf(stream, "\n%-*s %12s %12s %12s\n", LABEL + 2, title, "a", "b", last);
    } else {
        fprintf(stream, "\n%s\n", title);
    }
    size_t shown = 0;
    for (size_t i = 0; i < a->count; i++) {
        const pair p = { &a->series[i], vg_cli_log_find(b, &a->series[i], i) };
        uint64_t step;
        if (p.a->kind == kind && p.b && first_difference(p, &step) && shown++ < MOST_SHOWN) {
            show_series(stream, p);
        }
    }
    show_only(stream, a, b, kind, "a");
    show_only(stream, b, a, kind, "b");
    if (shown > MOST_SHOWN) {
        fprintf(stream, "  and %zu more that differ\n", shown - MOST_SHOWN);
    }
    if (all.same) {
        fprintf(stream, "  %zu more: the same to the last bit\n", all.same);
    }
    return false;
}

bool vg_cli_diff_values(FILE *stream, const vg_cli_log *a, const vg_cli_log *b) {
    const bool scalars = show_kind(stream, a, b, VG_RECORD_SCALAR, "scalars", "b - a");
    const bool histograms = show_kind(stream, a, b, VG_RECORD_HISTOGRAM, "rms of histograms", "b / a");
    const bool images = show_kind(stream, a, b, VG_RECORD_IMAGE, "images", NULL);
    return scalars && histograms && images;
}
