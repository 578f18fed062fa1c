/* vgraph check: silent when all is well; else the errors of every file. */
#include "cli.h"

vg_status vg_cli_check(const vg_cli_options *options) {
    vg_status status = VG_OK;
    for (int i = 0; i < options->argument_count; i++) {
        vg_model *model;
        status = vg_cli_worse(status, vg_cli_load(options, options->arguments[i], NULL, 0, VG_WATCH_NOTHING, &model));
        vg_model_free(model);
    }
    return status;
}
