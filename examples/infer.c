/* Inference: a trained model, out of a checkpoint, is given examples on standard input, and writes an expression's value for
 * each. Neither the model's file nor data nor labels need be there.
 *
 *     cc infer.c -o infer $(pkg-config --cflags --libs vgraph)
 *     vgraph run models/spirals.nn --checkpoint-every 500 --out spirals
 *     echo 0.5 -1 | ./infer spirals/checkpoint.safetensors 'softmax(logits)'
 */
#include <stdio.h>
#include <stdlib.h>

#include <vgraph.h>

static bool show(void *file, const char *text, size_t length) { return fwrite(text, 1, length, file) == length; }

int main(int argc, char **argv) {
    const vg_run_options options = { .evaluation = true, .fetches_only = true, .no_data = true, .batch = 1 };
    vg_model *model = argc == 3 ? vg_model_new() : NULL;
    if (model == NULL) return fprintf(stderr, "usage: infer CHECKPOINT EXPRESSION\n"), VG_FAILED_USAGE;
    vg_run *run = NULL;
    vg_input_info input = { .count = 0 };
    vg_tensor out;
    uint32_t fetch;
    vg_status status = vg_model_fetch(model, argv[2], &fetch);
    if (status == VG_OK) status = vg_model_load_checkpoint(model, argv[1]);
    if (status == VG_OK) status = vg_run_new(model, &options, &run);
    if (status == VG_OK) status = vg_run_load(run, argv[1], NULL);
    for (size_t k = 0; status == VG_OK && vg_run_input(run, k, &input) == VG_OK && !input.needed; k++) {}
    float *values = calloc(input.count + 1, sizeof *values);
    for (size_t have = 0; status == VG_OK && values && scanf("%f", &values[have]) == 1;) {
        if (++have < input.count) continue;
        status = vg_run_feed_f32(run, input.name, values, have);
        if (status == VG_OK) status = vg_run_step(run);
        if (status == VG_OK) status = vg_run_fetch(run, fetch, &out);
        for (size_t k = 0; status == VG_OK && k < out.count; k++) printf("%.6g%c", out.elements[k], k + 1 < out.count ? ' ' : '\n');
        have = 0;
    }
    vg_model_explain(model, 0, false, show, stderr);
    free(values);
    vg_run_free(run);
    vg_model_free(model);
    return (int)status;
}
