/* vgraph gradcheck: symbolic gradients against central differences, a line a variable. */
#include "cli.h"

enum { DEFAULT_SEED = 1 };

static bool show_row(void *user, const vg_gradcheck_row *row) {
    FILE *stream = user;
    const char *verdict = !row->ok ? "WRONG" : row->checked ? "ok" : "unsure";
    fprintf(stream, "%-6s %-24s ", verdict, row->variable);
    if (row->checked) {
        fprintf(stream, "worst %8.2e   %llu checked", row->worst, (unsigned long long)row->checked);
    } else {
        fputs("not checked", stream);
    }
    if (row->skipped) {
        fprintf(stream, ", %llu skipped beside a kink", (unsigned long long)row->skipped);
    }
    if (row->blame) {
        fprintf(stream, "\n       %s", row->blame);
    }
    fputc('\n', stream);
    return !ferror(stream);
}

vg_status vg_cli_gradcheck(const vg_cli_options *options) {
    vg_model *model;
    vg_status status = vg_cli_load(options, options->arguments[0], NULL, 0, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    const uint64_t seed = options->has_seed ? options->seed : DEFAULT_SEED;
    printf("seed %llu\n", (unsigned long long)seed);
    status = vg_model_gradcheck(model, &(vg_gradcheck_options){ seed, options->second ? 2 : 1 }, show_row, stdout);
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
