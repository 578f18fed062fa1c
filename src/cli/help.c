/* vgraph help: explains a word of the language, or lists all. */
#include "cli.h"

vg_status vg_cli_help(const vg_cli_options *options) {
    const char *name = options->argument_count ? options->arguments[0] : "";
    return vg_help(name, vg_cli_write, options->output) ? VG_OK : VG_FAILED_USAGE;
}
