/* vgraph VERB FILE.nn [options]: finds the verb, reads its options, and lets it act. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const vg_cli_verb verbs[] = {
    { "run", "FILE.nn", "train the model, watch it, and leave a run's files",
      "vgraph run models/deep_sigmoid.nn --steps 200 --set act=relu --summary 'histogram h[*]'",
      "Without a train block the summaries are evaluated, once or --steps times. The files of a run go to\n"
      "runs/NAME-DATE-TIME/: TensorBoard's event file and run.json. Ctrl-C ends the run after the current step.\n"
      "Values over the test split (--set train.eval_every=N) have an event file of their own, in the folder's test/.\n",
      VG_CLI_RUN, 1, 1, vg_cli_run },
    { "check", "FILE.nn...", "check models without training; silent when all is well",
      "vgraph check models/*.nn", NULL, VG_CLI_CHECK, 1, INT32_MAX, vg_cli_check },
    { "graph", "FILE.nn", "print the graph",
      "vgraph graph models/xor.nn --stage forward --format dot | dot -Tsvg > xor.svg",
      "With --wrt it is written as a model of its own, in which `derivative` is what grad(loss, NAME) is: the same data,\n"
      "variables and draws, the values that it is made of, and the derivative of each on the way back to NAME.\n",
      VG_CLI_GRAPH, 1, 1, vg_cli_graph },
    { "print", "FILE.nn EXPR...", "print the values of expressions at the first step",
      "vgraph print models/xor.nn 'grad(loss, h.W)' 'max(abs(x))' --format json", NULL, VG_CLI_PRINT, 2, INT32_MAX,
      vg_cli_print },
    { "describe", "FILE.nn", "list variables, layers, shapes, and what a step costs",
      "vgraph describe models/deep_sigmoid.nn --batch 64", NULL, VG_CLI_DESCRIBE, 1, 1, vg_cli_describe },
    { "gradcheck", "FILE.nn", "compare every variable's gradient with central differences",
      "vgraph gradcheck models/xor.nn --batch 8 --second",
      "In float64, a hundredth off the initial values: 32 random entries and 4 random directions a variable (all\n"
      "entries up to 64), each within 1e-7 of the tensor's largest derivative. An entry beside a kink, of relu say, is\n"
      "tried with shorter steps, then skipped. With --second a row is about the variable that moves, and looks at all\n"
      "gradients. A small --batch is faster, and has fewer kinks.\n",
      VG_CLI_GRADCHECK, 1, 1, vg_cli_gradcheck },
    { "doctor", "FILE.nn", "say what is wrong with a network, and what to change",
      "vgraph doctor models/deep_sigmoid.nn --steps 50",
      "Trains with every layer's output, its gradient and every variable looked at in every step, and judges by ratios\n"
      "between layers that persist over the first and the last tenth of the steps. The cause comes first, with an edit\n"
      "of the model's text that should mend it; what goes with it stands below. Leaves no files. The exit status is 0\n"
      "whatever it finds, and a run's where the run fails (3, 4, 5).\n",
      VG_CLI_DOCTOR, 1, 1, vg_cli_doctor },
    { "time", "FILE.nn", "measure where a step's time goes, by operator and by node",
      "vgraph time models/deep_sigmoid.nn --no-fuse",
      "Trains for about a second, or --steps, every other step with the clock read between kernels. A row is a\n"
      "kernel's call: operators that run as one pass stand together, as in add+sigmoid. 'of limit' compares its time with\n"
      "what its arithmetic or its traffic takes at least here, which is measured first; it can be above 100 % where\n"
      "operands lie in a nearer cache than a copy's of that size. Summaries are taken as in a run, but nothing is\n"
      "written. With several threads the first one's time is told, and how long it waits for the others.\n",
      VG_CLI_TIME, 1, 1, vg_cli_time },
    { "fmt", "FILE.nn...", "write models in the one layout",
      "vgraph fmt --check models",
      "Rewrites the files where they lie, or those of a folder; - is standard input, to standard output. Tokens,\n"
      "comments, line breaks within a statement and single empty lines stay. A file that does not parse is left alone.\n",
      VG_CLI_FMT, 1, INT32_MAX, vg_cli_fmt },
    { "sweep", "FILE.nn", "train all combinations of settings, and put them in one table",
      "vgraph sweep models/deep_sigmoid.nn --set act=sigmoid,tanh,relu --set 'init=normal(0, 1),he_normal()'",
      "Each --set gives values to try, apart by commas (not those within brackets and strings). All combinations, at\n"
      "most 1,000, are trained, each by a process of its own with its share of the cores, --jobs of them at a time.\n"
      "Their folders lie in sweeps/NAME-DATE-TIME/, where TensorBoard shows them side by side, with sweep.json, which\n"
      "has the table's numbers, and report.html about all. A combination that fails does not stop the others; the exit status is that of the\n"
      "worst. Ctrl-C ends all of them. In the table * marks the best last value of a scalar whose name says which way\n"
      "is better: loss, error and the like down, accuracy, score and the like up.\n",
      VG_CLI_SWEEP, 1, 1, vg_cli_sweep },
    { "diff", "RUN RUN", "compare the folders of two runs",
      "vgraph diff runs/xor-20261126-101500 runs/xor-20261126-101502",
      "What was run (source, options, seed, machine), then the values that differ: the first, last and best of each\n"
      "scalar side by side, and histograms' rms at the first and last step that both have. Values are compared to the\n"
      "last bit. The exit status is 0 when all values are the same, whatever was run, 1 when one differs, and 4 when a\n"
      "folder cannot be read.\n",
      VG_CLI_DIFF, 2, 2, vg_cli_diff },
    { "report", "RUN...", "make report.html of a run's folder, or of several, side by side",
      "vgraph report sweeps/deep_sigmoid-20261126-101500",
      "A RUN is a run's folder, or a sweep's, which stands for all of its runs. Of one run without a report (it was\n"
      "killed, say), or with --out, one is made with the model loaded as it was. Of several it shows the settings that\n"
      "differ, the last values, and a picture of each value over steps with a line a run; it goes to the folder that\n"
      "holds them, else to this one.\n",
      VG_CLI_REPORT, 1, INT32_MAX, vg_cli_report },
    { "help", "[NAME]", "explain an operator, layer, setting, data source or message",
      "vgraph help cross_entropy", NULL, VG_CLI_HELP, 0, 1, vg_cli_help },
    { "eval", "FILE.nn", "compute the scalar summaries over the test split",
      "vgraph eval models/lenet.nn --load runs/lenet-20261126-101500/checkpoint.safetensors",
      "With the values of --load, and `training` false. FILE may be a checkpoint itself, which has its model in it; the data\n"
      "are read where the model says, or --data. A summary with a gradient in it is left out.\n",
      VG_CLI_EVAL, 1, 1, vg_cli_eval },
    { "predict", "FILE.nn", "compute values with what was trained, for a file's examples or the test split",
      "vgraph predict checkpoint.safetensors --input x=new.csv --fetch 'argmax(logits)' --out classes.csv",
      "With the values of --load, and `training` false. FILE may be a checkpoint itself: then neither the model's file nor\n"
      "its data need be there. An input's file is .npy, an array with as many elements an example as the input; or CSV, with\n"
      "the names that its data set has, in any order (or without names, one field an element), numbers as they are there\n"
      "before scaling, words for classes. Inputs that the values do not need are not wanted. Each --fetch has an example a\n"
      "row; several stand side by side in CSV, and in the object that JSON has for each example; .npy holds one.\n"
      "For inputs of pictures a file may be a PNG or JPEG, one example; of arrays integers are bytes 0 to 255, floats 0 to 1.\n",
      VG_CLI_PREDICT, 1, 1, vg_cli_predict },
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

static void show_help(FILE *stream) {
    fprintf(stream, "vgraph: models in a small text language, trained and watched\n\n"
                    "usage: vgraph VERB FILE.nn [options]\n\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        fprintf(stream, "  %-10s %s\n", verbs[i].name, verbs[i].does);
    }
    fprintf(stream, "\n'vgraph VERB --help' lists a verb's options, 'vgraph help NAME' explains a word.\n"
                    "example: vgraph run models/deep_sigmoid.nn\n");
}

const vg_cli_verb *vg_cli_verbs(size_t *count) {
    *count = VERB_COUNT;
    return verbs;
}

static const vg_cli_verb *find_verb(const char *name) {
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static vg_status unknown_verb(const char *name) {
    const char *names[VERB_COUNT];
    for (size_t i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs[i].name;
    }
    const char *near = vg_nearest(name, names, VERB_COUNT);
    return near ? vg_cli_usage(NULL, "there is no verb '%s'; did you mean '%s'?", name, near)
                : vg_cli_usage(NULL, "there is no verb '%s'", name);
}

static vg_status act(const vg_cli_verb *verb, int argc, char **argv, vg_cli_stream *output) {
    vg_cli_stream messages = { stderr, 0 };
    vg_cli_options options = { .output = output, .messages = &messages };
    bool help = false;
    vg_status status = vg_cli_options_read(&options, verb, argc, argv, &help);
    if (help) {
        vg_cli_options_help(verb);
    } else if (status == VG_OK) {
        status = verb->act(&options);
    }
    vg_cli_options_free(&options);
    return status;
}

/* What was written must have arrived; a reader who has gone away knows that himself. */
static vg_status close_output(vg_status status, vg_cli_stream *output) {
    vg_cli_flush(output);
    if (!output->error && !ferror(output->file)) {
        return status;
    }
    if (output->error != EPIPE) {
        vg_cli_complain("cannot write to standard output%s%s", output->error ? ": " : "",
                        output->error ? strerror(output->error) : "");
    }
    return vg_cli_worse(status, VG_FAILED_RESOURCE);
}

/* Were one of the three closed, the next file opened would get its number, and what is meant for the terminal would
 * go into that file. Opened for reading: writing to it fails as to one that is closed. */
static bool occupy_standard_streams(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != descriptor) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    if (!occupy_standard_streams()) {
        return VG_FAILED_RESOURCE;
    }
    setlocale(LC_CTYPE, "");
    json_set_alloc_funcs(vg_cli_json_alloc, free);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);      /* a file that may not grow is told of like a full disk */
    vg_cli_stream output = { stdout, 0 };
    if (argc < 2) {
        show_help(stderr);
        return VG_FAILED_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        show_help(stdout);
        return (int)close_output(VG_OK, &output);
    }
    if (strcmp(name, "--version") == 0) {
        printf("vgraph %s\n", vg_version());
        return (int)close_output(VG_OK, &output);
    }
    /* For who builds and installs. */
    if (strcmp(name, "--manual") == 0) {
        vg_cli_manual(stdout);
        return (int)close_output(VG_OK, &output);
    }
    if (strcmp(name, "--completion") == 0 && argc == 3 && vg_cli_completion(stdout, argv[2])) {
        return (int)close_output(VG_OK, &output);
    }
    const vg_cli_verb *verb = find_verb(name);
    if (!verb) {
        return (int)unknown_verb(name);
    }
    return (int)close_output(act(verb, argc - 1, argv + 1, &output), &output);
}
