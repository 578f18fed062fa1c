/* vgraph graph: the graph as text or for Graphviz, or a derivative as a model. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* By the value of vg_stage and vg_graph_format. */
static const char *const stages[] = { "forward", "backward", "fused", "plan" };
static const char *const formats[] = { "text", "dot", "json" };
enum { STAGES = VG_STAGE_PLAN + 1, FORMATS = VG_GRAPH_JSON + 1 };

/* The place of `name` in the list; the default when it was not given; -1 after saying why. */
static int choose(const vg_cli_verb *verb, const char *option, const char *name, int otherwise,
                  const char *const *list, int count) {
    if (!name) {
        return otherwise;
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(name, list[i]) == 0) {
            return i;
        }
    }
    const char *near = vg_nearest(name, list, (size_t)count);
    vg_cli_usage(verb, "--%s knows no '%s'%s%s%s", option, name, near ? "; did you mean '" : "", near ? near : "",
                 near ? "'?" : "");
    return -1;
}

/* --wrt NAME [--of EXPR]: what is derived and by what are fetched, so that they are named as everywhere. */
static vg_status derive(const vg_cli_options *options) {
    if (options->stage || options->format) {
        return vg_cli_usage(options->verb, "--wrt writes a model: it takes no --%s", options->stage ? "stage" : "format");
    }
    char *const fetches[] = { vg_cli_format("%s", options->wrt), vg_cli_format("%s", options->of ? options->of : "") };
    const uint32_t of = 1;
    vg_model *model;
    vg_status status = vg_cli_load(options, options->arguments[0], fetches, options->of ? 2 : 1, VG_WATCH_NOTHING, &model);
    if (status == VG_OK) {
        const size_t known = vg_model_diagnostics(model);
        status = vg_model_derivative(model, options->of ? &of : NULL, 0, vg_cli_write, options->output);
        vg_cli_explain(options, model, known);
    }
    vg_model_free(model);
    free(fetches[0]);
    free(fetches[1]);
    return status;
}

vg_status vg_cli_graph(const vg_cli_options *options) {
    if (options->of && !options->wrt) {
        return vg_cli_usage(options->verb, "--of says what --wrt NAME derives");
    }
    if (options->wrt) {
        return derive(options);
    }
    const int stage = choose(options->verb, "stage", options->stage, VG_STAGE_BACKWARD, stages, STAGES);
    if (stage < 0) {
        return VG_FAILED_USAGE;
    }
    const int format = choose(options->verb, "format", options->format, VG_GRAPH_TEXT, formats, FORMATS);
    if (format < 0) {
        return VG_FAILED_USAGE;
    }
    if (format == VG_GRAPH_DOT && stage >= VG_STAGE_FUSED) {
        return vg_cli_usage(options->verb, "--format dot shows the stages forward and backward; of %s there are text and json",
                            stages[stage]);
    }
    vg_model *model;
    vg_status status = vg_cli_load(options, options->arguments[0], NULL, 0, VG_WATCH_NOTHING, &model);
    if (status != VG_OK) {
        return status;
    }
    const size_t known = vg_model_diagnostics(model);
    status = vg_model_graph(model, (vg_stage)stage, (vg_graph_format)format, vg_cli_write, options->output);
    vg_cli_explain(options, model, known);
    vg_model_free(model);
    return status;
}
