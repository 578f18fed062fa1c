/* vgraph gradcheck: symbolic derivatives against central differences, a line a variable, and what they come to. */
#include "cli.h"

enum { DEFAULT_SEED = 1 };

typedef struct totals {
    FILE              *stream;
    unsigned long long variables, wrong, checked, skipped;
    double             worst;
} totals;

static bool show_row(void *user, const vg_gradcheck_row *row) {
    totals *t = user;
    const char *verdict = !row->ok ? "WRONG" : row->checked ? "ok" : "unsure";
    fprintf(t->stream, "%-6s %-24s ", verdict, row->variable);
    if (row->checked) {
        fprintf(t->stream, "worst %8.2e   %llu checked", row->worst, (unsigned long long)row->checked);
    } else {
        fputs("not checked", t->stream);
    }
    if (row->skipped) {
        fprintf(t->stream, ", %llu skipped beside a kink", (unsigned long long)row->skipped);
    }
    if (row->blame) {
        fprintf(t->stream, "\n       %s", row->blame);
    }
    fputc('\n', t->stream);
    t->variables++;
    t->wrong += !row->ok;
    t->checked += row->checked;
    t->skipped += row->skipped;
    t->worst = row->worst > t->worst ? row->worst : t->worst;
    return !ferror(t->stream);
}

static void show_totals(const totals *t) {
    const unsigned long long all = t->checked + t->skipped;
    fprintf(t->stream, "%llu variable%s: ", t->variables, t->variables == 1 ? "" : "s");
    if (t->wrong) {
        fprintf(t->stream, "%llu wrong, ", t->wrong);
    }
    fprintf(t->stream, "%llu checked, %llu skipped (%.2f %%), worst %.2e\n", t->checked, t->skipped,
            all ? 100 * (double)t->skipped / (double)all : 0, t->worst);
}

vg_status vg_cli_gradcheck(const vg_cli_options *options) {
    vg_model *model;
    vg_status status = vg_cli_load(options, options->arguments[0], NULL, 0, VG_WATCH_NOTHING, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    const vg_gradcheck_options asked = { options->has_seed ? options->seed : DEFAULT_SEED, options->second ? 2 : 1 };
    totals t = { .stream = stdout };
    printf("%s order, seed %llu\n", options->second ? "second" : "first", (unsigned long long)asked.seed);
    status = vg_model_gradcheck(model, &asked, show_row, &t);
    if (t.variables) {
        show_totals(&t);
    }
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
