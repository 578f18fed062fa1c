/* A training loop of one's own: a model given as text, settings from the command line, a value looked at after each step,
 * and an end that the program decides on.
 *
 *     cc train.c -o train $(pkg-config --cflags --libs vgraph)
 *     ./train 48 0.005         # units and rate
 */
#include <stdio.h>
#include <string.h>

#include <vgraph.h>

static const char model_text[] =
    "const units = 32\n"
    "const rate  = 0.01\n"
    "data spirals = spirals(count = 4000, noise = 0.02)\n"
    "input x: [batch, 2] = spirals.features\n"
    "input y: [batch]    = spirals.target\n"
    "h      = relu(dense(x, units))\n"
    "g      = relu(dense(h, units))\n"
    "f      = relu(dense(g, units))\n"
    "logits = dense(f, spirals.classes)\n"
    "loss   = mean(cross_entropy(logits, y))\n"
    "right  = mean(argmax(logits) == y)\n"
    "train loss {\n"
    "    optimizer = adam(rate = rate)\n"
    "    batch     = 64\n"
    "    steps     = 3000\n"
    "}\n";

/* Everything that is wrong, one line each. */
static int complain(const vg_model *model, vg_status status) {
    vg_diagnostic d;
    for (size_t k = 0; vg_model_diagnostic(model, k, &d); k++)
        fprintf(stderr, "%s:%u:%u: %s [%s]\n", d.file, (unsigned)d.line, (unsigned)d.column, d.message, d.code);
    return (int)status;
}

static vg_status train(vg_model *model, uint32_t right) {
    vg_run *run;
    vg_tensor share = { .elements = NULL };
    uint64_t step = 0;
    double mean = 0;
    vg_status status = vg_run_new(model, NULL, &run);
    while (status == VG_OK && step < vg_run_steps(run) && mean < 0.99) {
        status = vg_run_step(run);
        if (status == VG_OK) status = vg_run_fetch(run, right, &share);
        if (status != VG_OK) break;
        mean = 0.95 * mean + 0.05 * share.elements[0];      /* over the last mini-batches */
        if (++step % 100 == 0) printf("step %4llu: %5.1f %% right\n", (unsigned long long)step, 100 * mean);
    }
    if (status == VG_OK) printf("%5.1f %% after %llu steps\n", 100 * mean, (unsigned long long)step);
    for (size_t k = 0; status == VG_OK && k < vg_run_variables(run); k++) {
        vg_tensor v;      /* those that begin with "train." are the optimizer's */
        if (vg_run_variable(run, k, &v) != VG_OK || strncmp(v.name, "train.", 6) == 0) continue;
        printf("%-12s %zu numbers, the first is %g\n", v.name, v.count, v.elements[0]);
    }
    vg_run_free(run);
    return status;
}

int main(int argc, char **argv) {
    uint32_t right;
    vg_model *model = vg_model_new();
    if (model == NULL) return VG_FAILED_RESOURCE;
    vg_status status = vg_model_fetch(model, "right", &right);
    if (status == VG_OK && argc > 1) status = vg_model_set(model, "units", argv[1]);
    if (status == VG_OK && argc > 2) status = vg_model_set(model, "rate", argv[2]);
    if (status == VG_OK) status = vg_model_load_text(model, "spirals.nn", model_text, sizeof model_text - 1);
    if (status == VG_OK) status = train(model, right);
    if (status != VG_OK) complain(model, status);
    vg_model_free(model);
    return (int)status;
}
