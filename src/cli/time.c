/* vgraph time: where a step's time goes, as two tables: by operator, and the kernel calls that take the most of it. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { SHOWN_ROWS = 20, SHOWN_PERCENT = 90, LONGEST = 40 };

/* Times are shown in the unit that a step asks for. */
typedef struct tables {
    FILE            *stream;
    const vg_timing *timing;
    const char      *unit;
    double           scale;
    int              width;      /* of the texts in the first column */
} tables;

static int by_what(const void *a, const void *b) {
    const vg_timing_row *x = a, *y = b;
    return x->computes != y->computes ? y->computes - x->computes : strcmp(x->what, y->what);
}

/* The parts of a step that compute nothing come last. */
static int by_seconds(const void *a, const void *b) {
    const vg_timing_row *x = a, *y = b;
    const int slower = (x->seconds < y->seconds) - (x->seconds > y->seconds);
    return x->computes != y->computes ? y->computes - x->computes : slower;
}

/* A copy of the rows in that order; with `merge` those of the same operators are one. To be freed. */
static vg_timing_row *sorted(const vg_timing *timing, bool merge, size_t *count) {
    vg_timing_row *rows = vg_cli_alloc(timing->row_count, sizeof *rows);
    memcpy(rows, timing->rows, timing->row_count * sizeof *rows);
    qsort(rows, timing->row_count, sizeof *rows, by_what);
    *count = 0;
    for (size_t i = 0; i < timing->row_count; i++) {
        vg_timing_row *last = *count ? &rows[*count - 1] : NULL;
        if (!merge || !last || by_what(last, &rows[i]) != 0) {
            rows[(*count)++] = rows[i];
            continue;
        }
        last->calls += rows[i].calls;
        last->seconds += rows[i].seconds;
        last->flops += rows[i].flops;
        last->bytes += rows[i].bytes;
        last->limit += rows[i].limit;
    }
    qsort(rows, *count, sizeof *rows, by_seconds);
    return rows;
}

/* ---- what was measured, and against what */

static const char *bytes_text(char text[16], double bytes) {
    const bool large = bytes >= 1 << 20;
    snprintf(text, 16, "%.0f %s", bytes / (large ? 1 << 20 : 1 << 10), large ? "MB" : "KB");
    return text;
}

static void show_head(const tables *t, const char *name) {
    const vg_timing *timing = t->timing;
    char size[16];
    fprintf(t->stream, "%s: a step", name);
    if (timing->batch) {
        fprintf(t->stream, " of batch %llu", (unsigned long long)timing->batch);
    }
    fprintf(t->stream, " takes %.2f %s\n", timing->seconds * t->scale, t->unit);
    fprintf(t->stream, "  measured   %llu steps on %u thread%s; means of the fastest quarter%s\n",
            (unsigned long long)timing->steps, timing->threads, timing->threads == 1 ? "" : "s",
            timing->threads == 1 ? "" : ", of what the first thread does");
    fprintf(t->stream, "  kernels    %s; %s\n", timing->isa, timing->blas);
    fprintf(t->stream, "  limit      %.1f GFLOP/s (a product of %u x %u x %u)\n             ",
            timing->product_rate * 1e-9, timing->product_size, timing->product_size, timing->product_size);
    for (size_t i = 0; i < VG_TIMING_COPIES; i++) {
        fprintf(t->stream, "%s%.1f%s (%s)", i ? ", " : "", timing->copies[i].rate * 1e-9, i ? "" : " GB/s",
                bytes_text(size, timing->copies[i].bytes));
    }
    fputs(" read and written by copying\n"
          "  of limit   the time that arithmetic or traffic takes at least at these rates, of the time taken\n", t->stream);
}

/* ---- tables */

static void show_what(const tables *t, const char *what) {
    if ((int)strlen(what) <= t->width) {
        fprintf(t->stream, "\n  %-*s", t->width, what);
    } else {
        fprintf(t->stream, "\n  %.*s..", t->width - 2, what);
    }
}

static void show_numbers(const tables *t, const vg_timing_row *row) {
    fprintf(t->stream, " %10.2f %6.1f %%", row->seconds * t->scale,
            t->timing->sum > 0 ? 100 * row->seconds / t->timing->sum : 0);
    if (!row->computes) {
        return;
    }
    const double seconds = row->seconds > 0 ? row->seconds : 1;
    fprintf(t->stream, row->calls < 100 ? " %7.3g" : " %7.0f", row->calls);
    fprintf(t->stream, " %8.1f %8.1f %6.0f %%", row->flops / seconds * 1e-9, row->bytes / seconds * 1e-9,
            row->seconds > 0 ? 100 * row->limit / seconds : 0);
}

static void show_heading(const tables *t, const char *title) {
    fprintf(t->stream, "\n%-*s %10s %8s %7s %8s %8s %8s", t->width + 2, title, t->unit, "share", "calls", "GFLOP/s",
            "GB/s", "of limit");
}

static void show_operators(const tables *t) {
    size_t count;
    vg_timing_row *rows = sorted(t->timing, true, &count);
    show_heading(t, "by operator");
    for (size_t i = 0; i < count; i++) {
        show_what(t, rows[i].what);
        show_numbers(t, &rows[i]);
    }
    fprintf(t->stream, "\n  %-*s %10.2f  %.3f of the step as it is without a clock in it\n", t->width, "in all",
            t->timing->sum * t->scale, t->timing->seconds > 0 ? t->timing->sum / t->timing->seconds : 0);
    free(rows);
}

static void show_slowest(const tables *t) {
    size_t count;
    vg_timing_row *rows = sorted(t->timing, false, &count);
    double all = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        all += rows[i].computes ? rows[i].seconds : 0;
    }
    show_heading(t, "slowest");
    fprintf(t->stream, "  what, shape, place");
    for (size_t i = 0; i < count && i < SHOWN_ROWS && rows[i].computes && sum * 100 < all * SHOWN_PERCENT; i++) {
        show_what(t, rows[i].what);
        show_numbers(t, &rows[i]);
        fprintf(t->stream, "  %s %s", rows[i].name, rows[i].shape);
        if (rows[i].line) {
            fprintf(t->stream, " %s:%u", rows[i].file, rows[i].line);
        }
        sum += rows[i].seconds;
    }
    fprintf(t->stream, "\n");
    free(rows);
}

static void show(const vg_timing *timing, const char *name) {
    static const struct { double seconds, scale; const char *unit; } units[] = {
        { 1e-2, 1e3, "ms" }, { 1e-5, 1e6, "us" }, { 0, 1e9, "ns" }
    };
    size_t unit = 0;
    while (timing->seconds < units[unit].seconds) {
        unit++;
    }
    tables t = { stdout, timing, units[unit].unit, units[unit].scale, 12 };
    for (size_t i = 0; i < timing->row_count; i++) {
        const size_t length = strlen(timing->rows[i].what);
        t.width = (int)length > t.width ? (int)length : t.width;
    }
    t.width = t.width > LONGEST ? LONGEST : t.width;
    show_head(&t, name);
    show_operators(&t);
    show_slowest(&t);
}

vg_status vg_cli_time(const vg_cli_options *options) {
    vg_model *model;
    vg_run *run;
    vg_timing timing;
    vg_cli_options changes = *options;
    changes.steps = 0;      /* the model's own count of them stays as it is */
    vg_status status = vg_cli_load(&changes, options->arguments[0], NULL, 0, VG_WATCH_NOTHING, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    const vg_run_options run_options = { .seed = options->seed, .has_seed = options->has_seed,
                                         .float64 = options->float64, .no_fuse = options->no_fuse,
                                         .threads = options->threads ? (uint32_t)options->threads : 1 };
    status = vg_run_new(model, &run_options, &run);
    if (status == VG_OK) {
        status = vg_run_time(run, options->steps, &timing);
    }
    if (status == VG_OK) {
        show(&timing, vg_model_name(model));
    }
    vg_run_free(run);
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
