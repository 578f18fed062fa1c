/* vgraph diff RUN RUN: what was run differently, and which values came out so. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"

/* One line where both say the same, else two. */
static void show_fact(FILE *stream, const char *label, const char *a, const char *b) {
    if (strcmp(a, b) == 0) {
        fprintf(stream, "%-10s %s\n", label, a);
    } else {
        fprintf(stream, "%-10s a: %s\n%-10s b: %s\n", label, a, "", b);
    }
}

static void show_number(FILE *stream, const char *label, uint64_t a, uint64_t b) {
    char *one = vg_cli_format("%" PRIu64, a), *other = vg_cli_format("%" PRIu64, b);
    show_fact(stream, label, one, other);
    free(one);
    free(other);
}

static char *options_text(const vg_archive_info *info) {
    char *text = vg_cli_format("%s", info->override_count ? "" : "none");
    for (size_t i = 0; i < info->override_count; i++) {
        char *longer = vg_cli_format("%s%s%s", text, i ? " " : "", info->overrides[i]);
        free(text);
        text = longer;
    }
    return text;
}

static char *threads_text(const vg_archive_info *info) {
    return info->threads ? vg_cli_format("%u", info->threads) : vg_cli_format("not told");
}

static char *end_text(const vg_archive_info *info) {
    return info->done ? vg_cli_format("exit status %d after %" PRIu64 " steps", (int)info->status, info->steps_done)
                      : vg_cli_format("not yet, of %" PRIu64 " steps", info->steps);
}

static void show_texts(FILE *stream, const char *label, char *a, char *b) {
    show_fact(stream, label, a, b);
    free(a);
    free(b);
}

static void show_facts(FILE *stream, const vg_archive_info *a, const vg_archive_info *b) {
    fprintf(stream, "a          %s, %s\nb          %s, %s\n\n", a->folder, a->started, b->folder, b->started);
    show_fact(stream, "model", a->model, b->model);
    if (strcmp(a->source, b->source) == 0) {
        fprintf(stream, "source     the same\n");
    } else {
        fprintf(stream, "source     differs\n");
        vg_cli_diff_lines(stream, a->source, b->source);
    }
    show_texts(stream, "options", options_text(a), options_text(b));
    show_number(stream, "seed", a->seed, b->seed);
    show_number(stream, "batch", a->batch, b->batch);
    show_texts(stream, "ended", end_text(a), end_text(b));
    show_fact(stream, "precision", a->float64 ? "float64" : "float32", b->float64 ? "float64" : "float32");
    show_texts(stream, "threads", threads_text(a), threads_text(b));
    show_texts(stream, "machine", vg_cli_format("%s, %s", a->host, a->processor),
               vg_cli_format("%s, %s", b->host, b->processor));
    show_fact(stream, "BLAS", a->blas, b->blas);
    show_fact(stream, "vgraph", a->version, b->version);
}

vg_status vg_cli_diff(const vg_cli_options *options) {
    vg_cli_log a, b;
    const bool a_fine = vg_cli_log_read(&a, options->arguments[0]), b_fine = vg_cli_log_read(&b, options->arguments[1]);
    vg_status status = VG_FAILED_RESOURCE;
    if (a_fine && b_fine) {
        FILE *stream = options->output->file;
        show_facts(stream, a.info, b.info);
        const bool same = vg_cli_diff_values(stream, &a, &b);
        if (same) {
            fprintf(stream, "\nthe values are the same to the last bit\n");
        }
        status = same ? VG_OK : (vg_status)1;   /* as diff has it; the model may well be right */
    }
    vg_cli_log_free(&a);
    vg_cli_log_free(&b);
    return status;
}
