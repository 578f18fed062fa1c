/* Data of one's own: the examples of a model come from a function of this program, which computes them, where another one
 * would ask a database or a sensor. The model's text says from where it would read otherwise.
 *
 *     cc source.c -o source $(pkg-config --cflags --libs vgraph) -lm
 *     ./source
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <vgraph.h>

static const char model_text[] =
    "data waves = idx(\"places.idx\", \"heights.idx\")\n"
    "input x: [batch, 2] = waves.place\n"
    "input y: [batch]    = waves.height\n"
    "h     = tanh(dense(x, 48))\n"
    "guess = dense(h, 1)[:, 0]\n"
    "error = mean((guess - y)^2)\n"
    "train error {\n"
    "    optimizer  = adam(rate = 0.01)\n"
    "    batch      = 100\n"
    "    steps      = 2000\n"
    "    eval_every = 500\n"
    "}\n"
    "summary scalar error every 500\n";

enum { COLUMNS = 2, SIDE = 100, EXAMPLES = SIDE * SIDE, TRAIN = 9000, STRIDE = 7919 };

/* Example n: a point of a grid over [-1, 1] x [-1, 1], and the height there. As STRIDE shares no factor with EXAMPLES, each
 * point is met once, and those behind TRAIN, which are never trained on, lie everywhere. Called by a thread of the library,
 * one call at a time, while the step before is computed. */
static bool gather(void *user, size_t column, const uint32_t *examples, size_t count, void *out) {
    float *to = out;
    unsigned long *calls = user;
    for (size_t k = 0; k < count; k++) {
        const unsigned long n = (unsigned long)examples[k] * STRIDE % EXAMPLES;
        const double a = 2.0 * (double)(n % SIDE) / SIDE - 1, b = 2.0 * (double)(n / SIDE) / SIDE - 1;
        if (column == 0) {
            to[2 * k] = (float)a;
            to[2 * k + 1] = (float)b;
        } else {
            to[k] = (float)(sin(3 * a) * cos(2 * b));
        }
    }
    ++*calls;
    return true;      /* false: it could not, and the run ends */
}

static bool watch(void *user, const vg_record *record) {
    (void)user;
    if (record->kind == VG_RECORD_SCALAR)
        printf("step %4llu: %-5s error %.5f\n", (unsigned long long)record->step, record->test ? "test" : "train",
               record->value);
    return true;
}

int main(void) {
    static const vg_provider_column columns[COLUMNS] = {
        { .name = "place", .rank = 1, .shape = { 2 } },
        { .name = "height" }
    };
    unsigned long calls = 0;
    const vg_provider waves = { columns, COLUMNS, EXAMPLES, TRAIN, gather, &calls };
    const vg_run_options options = { .watch = watch };
    vg_run *run = NULL;
    vg_diagnostic d;
    vg_model *model = vg_model_new();
    if (model == NULL) return VG_FAILED_RESOURCE;
    vg_status status = vg_model_provide(model, "waves", &waves);
    if (status == VG_OK) status = vg_model_load_text(model, "waves.nn", model_text, strlen(model_text));
    if (status == VG_OK) status = vg_run_new(model, &options, &run);
    if (status == VG_OK) status = vg_run_all(run, NULL);
    for (size_t k = 0; vg_model_diagnostic(model, k, &d); k++) fprintf(stderr, "line %u: %s\n", (unsigned)d.line, d.message);
    vg_run_free(run);
    vg_model_free(model);
    printf("asked for %lu columns of a mini-batch\n", calls);
    return (int)status;
}
