/* What a person sees of a run: one progress line while it goes on, and at its end the scalars, the distributions and
 * the images (terminal_text.c, terminal_distributions.c, terminal_images.c). A run's own clock says when to draw, so
 * that a test sees the same. */
#include <math.h>
#include <stdio.h>

#include "watch/sink.h"
#include "watch/terminal.h"

typedef struct terminal_sink {
    vg_sink             sink;
    vg_terminal_options options;
    vg_file    *progress;      /* NULL: none */
    vg_families families;
    vg_gallery  gallery;
    VG_VEC(vg_finding) findings;      /* their texts are the run's, which outlives the records */
    double      drawn_at;      /* seconds of the run; < 0: not yet */
    uint64_t    drawn_step;    /* steps done then */
    vg_live     live;
    bool        line_open;     /* a live line stands unfinished */
} terminal_sink;

enum { LEAST_ROWS = 6 };      /* of a terminal: below, there is the progress line alone */
static const double LIVE_INTERVAL = 0.1, PLAIN_INTERVAL = 1, PLAIN_LONGEST = 5;

/* Progress that cannot be shown ends no run. */
static void say(terminal_sink *self, const vg_text *text) {
    if (self->progress && text->length) {
        (void)vg_file_write(self->progress, text->text, text->length);
    }
}

static void add_duration(vg_text *out, double seconds) {
    const unsigned long whole = seconds < 3.6e8 ? (unsigned long)ceil(seconds) : 360000000;
    if (whole >= 3600) {
        vg_text_format(out, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        vg_text_format(out, "%lu:%02lu", whole / 60, whole % 60);
    }
}

/* Ten times a second in place; elsewhere every tenth of the run, but not more than one line a second, and at least
 * one every five. */
static bool is_due(const terminal_sink *self, const vg_record *record) {
    const double since = record->seconds - self->drawn_at;
    if (self->drawn_at < 0) {
        return self->options.live;
    }
    if (self->options.live) {
        return since >= LIVE_INTERVAL;
    }
    const bool tenth = (record->step + 1 - self->drawn_step) * 10 >= record->steps;
    return since >= PLAIN_LONGEST || (tenth && since >= PLAIN_INTERVAL);
}

/* Moves `part` to the progress line if it fits: a line that wraps cannot be drawn over. The last column stays free,
 * since some terminals go on to the next line after it. */
static void add_part(const terminal_sink *self, vg_text *line, size_t begun, vg_text *part) {
    const uint32_t columns = self->options.progress_columns;
    const uint32_t width = vg_show_width(vg_text_c(line) + begun) + vg_show_width(vg_text_c(part));
    if (columns == 0 || width <= columns) {   /* the line begins with \r */
        vg_text_add(line, part->text, part->length);
    }
    part->length = 0;
}

/* To the first line of what is drawn. */
static void go_up(terminal_sink *self, vg_text *text) {
    if (self->live.lines > 0) {
        vg_text_format(text, "\x1b[%uA", self->live.lines);
    }
    self->live.lines = 0;
}

static void show_progress(terminal_sink *self, const vg_record *record) {
    const uint64_t done = record->step + 1;
    if (!is_due(self, record)) {
        self->drawn_at = fmax(self->drawn_at, 0);
        return;
    }
    self->drawn_at = record->seconds;
    self->drawn_step = done;
    vg_text text = vg_text_new(&self->sink.mem), part = vg_text_new(&self->sink.mem);
    const vg_style style = { self->options.colour, self->options.unicode, self->options.progress_columns };
    go_up(self, &text);
    const size_t begun = text.length;
    vg_text_format(&text, "%sstep %llu/%llu", self->options.live ? "\r" : "", (unsigned long long)done,
                   (unsigned long long)record->steps);
    if (!isnan(record->value)) {
        vg_text_format(&part, "  loss %.4g", record->value);
        add_part(self, &text, begun, &part);
    }
    if (record->seconds > 0) {
        vg_text_format(&part, "  ");
        add_duration(&part, record->seconds / (double)done * (double)(record->steps - done));
        vg_text_format(&part, " left");
        add_part(self, &text, begun, &part);
        vg_text_format(&part, "  %.4g steps/s", (double)done / record->seconds);
        add_part(self, &text, begun, &part);
    }
    if (self->options.live && self->live.count > 1) {
        vg_text_format(&part, "  ");
        vg_show_spark(&part, &self->live, style);
        add_part(self, &text, begun, &part);
    }
    vg_text_format(&text, self->options.live ? "\x1b[K" : "\n");
    if (self->options.live && self->options.progress_rows > LEAST_ROWS) {
        self->live.lines = vg_show_live(&text, &self->families, self->options.progress_rows - 2, style);
        vg_text_format(&text, "\x1b[J");
    }
    say(self, &text);
    vg_text_free(&part);
    vg_text_free(&text);
    self->line_open = self->options.live;
}

/* Before anything else is written, the live view gives way. */
static void clear_line(terminal_sink *self, vg_text *text) {
    if (self->line_open) {
        const bool several = self->live.lines > 0;
        go_up(self, text);
        vg_text_format(text, several ? "\r\x1b[J" : "\r\x1b[K");
        self->line_open = false;
    }
}

static void show_expect(terminal_sink *self, const vg_record *record) {
    if (record->ok) {
        return;
    }
    vg_text text = vg_text_new(&self->sink.mem);
    clear_line(self, &text);
    vg_text_format(&text, self->options.colour ? "\x1b[1;31mexpect failed\x1b[0m" : "expect failed");
    if (record->last) {
        vg_text_format(&text, " %llu time%s: %s\n", (unsigned long long)record->failures,
                       record->failures == 1 ? "" : "s", record->tag);
    } else {
        vg_text_format(&text, " at step %llu: %s%s%s\n", (unsigned long long)record->step, record->tag,
                       record->message ? ": " : "", record->message ? record->message : "");
    }
    say(self, &text);
    vg_text_free(&text);
}

/* "100 steps in 0.21 s (476 steps/s)" */
static void show_done(terminal_sink *self, const vg_record *record) {
    vg_text text = vg_text_new(&self->sink.mem);
    clear_line(self, &text);
    vg_text_format(&text, "%s%llu step%s in %.3g s", record->status == VG_INTERRUPTED ? "interrupted after " : "",
                   (unsigned long long)record->step, record->step == 1 ? "" : "s", record->seconds);
    if (record->seconds > 0 && record->step > 0) {
        vg_text_format(&text, " (%.4g steps/s)", (double)record->step / record->seconds);
    }
    vg_text_add(&text, "\n", 1);
    say(self, &text);
    vg_text_free(&text);
}

static void add_families(const terminal_sink *self, vg_text *text, vg_family_kind kind, vg_style style) {
    for (uint32_t i = 0; i < self->families.list.count; i++) {
        const vg_family *family = &self->families.list.items[i];
        if (family->kind != kind) {
            continue;
        }
        vg_text_add(text, "\n", 1);
        if (kind == VG_FAMILY_HISTOGRAMS) {
            vg_show_distributions(text, family, style);
        } else {
            vg_show_scalars(text, family, style);
        }
    }
}

static bool show_summary(terminal_sink *self) {
    const vg_terminal_options *options = &self->options;
    const vg_style style = { options->colour, options->unicode, options->columns ? options->columns : 80 };
    vg_text text = vg_text_new(&self->sink.mem);
    if (options->diagnose) {
        vg_show_findings(&text, self->findings.items, self->findings.count, options->diagnose, style);
        if (self->findings.count == 0) {
            vg_text_format(&text, "nothing is wrong that the rules know of\n");
        }
        const bool written = options->write(options->user, text.text, text.length);
        vg_text_free(&text);
        return written ? true : vg_sink_fail(&self->sink, "the findings could not be written");
    }
    for (vg_family_kind kind = 0; kind < VG_FAMILY_KINDS; kind++) {
        add_families(self, &text, kind, style);
    }
    if (self->families.left_out) {
        vg_text_format(&text, "\nand %llu more summaries\n", (unsigned long long)self->families.left_out);
    }
    vg_show_findings(&text, self->findings.items, self->findings.count, options->diagnose, style);
    vg_show_images(&text, &self->gallery, style);
    if (self->gallery.list.count && options->files) {
        vg_text_format(&text, "TensorBoard shows the images of every step\n");
    }
    const bool fine = text.length == 0 || options->write(options->user, text.text, text.length);
    vg_text_free(&text);
    return fine ? true : vg_sink_fail(&self->sink, "the summary could not be written");
}

static bool watch(vg_sink *sink, const vg_record *record) {
    terminal_sink *self = (terminal_sink *)sink;
    switch (record->kind) {
    case VG_RECORD_START:
    case VG_RECORD_UNITS:
    case VG_RECORD_RATIO:
    case VG_RECORD_CHECKPOINT:
        return true;
    case VG_RECORD_SCALAR:
    case VG_RECORD_HISTOGRAM:
        vg_families_add(&self->families, record);
        return true;
    case VG_RECORD_IMAGE:
        vg_gallery_add(&self->gallery, record);
        return true;
    case VG_RECORD_EXPECT:
        show_expect(self, record);
        return true;
    case VG_RECORD_FINDING:
        vg_vec_push(&sink->mem, &self->findings, *record->finding);
        return true;
    case VG_RECORD_STEP:
        vg_live_add(&self->live, record->value);
        show_progress(self, record);
        return true;
    case VG_RECORD_DONE:
        show_done(self, record);
        return !self->options.write || show_summary(self);
    }
    return true;
}

static bool open_terminal(vg_sink *sink, const void *options) {
    terminal_sink *self = (terminal_sink *)sink;
    self->options = *(const vg_terminal_options *)options;
    self->drawn_at = -1;
    vg_families_init(&self->families, &sink->mem);
    self->gallery.mem = &sink->mem;
    if (self->options.progress >= 0) {
        self->progress = vg_file_borrow(&sink->mem, &sink->disk, self->options.progress);
    }
    return true;
}

/* A run that broke off leaves its line unfinished. */
static bool close_terminal(vg_sink *sink) {
    terminal_sink *self = (terminal_sink *)sink;
    if (self->line_open) {
        vg_text text = vg_text_new(&sink->mem);
        clear_line(self, &text);
        say(self, &text);
    }
    return true;
}

static const vg_sink_kind kind = { sizeof(terminal_sink), open_terminal, watch, close_terminal };

vg_sink *vg_sink_terminal(const vg_terminal_options *options) {
    const char *error;
    return vg_sink_new(&kind, options, &error);
}
