/* vgraph describe: variables, layers, and what a step costs. */
#include "cli.h"

vg_status vg_cli_describe(const vg_cli_options *options) {
    vg_model *model;
    vg_status status = vg_cli_load(options, options->arguments[0], NULL, 0, VG_WATCH_NOTHING, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    status = vg_model_describe(model, vg_cli_write, options->output);
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
