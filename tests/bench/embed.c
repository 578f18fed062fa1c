/* A program that embeds the library: STEPS steps of a model by vg_run_step, each followed by reading the loss, linked with
 * the shared library. interface.py holds it against the command line.
 *
 *     bench_embed MODEL STEPS THREADS
 */
#include <stdio.h>
#include <stdlib.h>

#include "vgraph.h"

static bool write_error(void *user, const char *bytes, size_t length) {
    (void)user;
    return fwrite(bytes, 1, length, stderr) == length;
}

int main(int count, char **arguments) {
    vg_model *model = count == 4 ? vg_model_new() : NULL;
    vg_run *run = NULL;
    vg_raw loss;
    uint32_t index;
    double sum = 0;
    if (!model) return 2;
    const uint64_t steps = strtoull(arguments[2], NULL, 10);
    const vg_run_options options = { .steps = steps, .threads = (uint32_t)strtoul(arguments[3], NULL, 10) };
    vg_status status = vg_model_fetch(model, "loss", &index);
    if (status == VG_OK) status = vg_model_load_file(model, arguments[1]);
    if (status == VG_OK) status = vg_run_new(model, &options, &run);
    for (uint64_t step = 0; status == VG_OK && step < steps; step++) {
        status = vg_run_step(run);
        if (status == VG_OK) status = vg_run_fetch_raw(run, index, &loss);
        if (status == VG_OK) sum += *(const float *)loss.elements;
    }
    vg_model_explain(model, 0, false, write_error, NULL);
    printf("mean loss %.9g\n", sum / (double)steps);
    vg_run_free(run);
    vg_model_free(model);
    return (int)status;
}
