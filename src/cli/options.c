/* One table of options for all verbs, read by getopt_long; the help of each verb is made from the same rows. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef enum option_id {
    OPTION_SET, OPTION_DATA, OPTION_SUMMARY, OPTION_BATCH, OPTION_DUMP, OPTION_STEPS, OPTION_SEED, OPTION_SECOND,
    OPTION_OUT, OPTION_FLOAT64, OPTION_NO_FUSE, OPTION_THREADS, OPTION_JSONL, OPTION_NO_FILES, OPTION_NO_WATCH, OPTION_QUIET,
    OPTION_RESUME, OPTION_LOAD, OPTION_PARTIAL, OPTION_CHECKPOINT_EVERY, OPTION_FETCH, OPTION_INPUT, OPTION_CLASSES,
    OPTION_STAGE, OPTION_FORMAT, OPTION_COLOUR, OPTION_CHECK, OPTION_WRT, OPTION_OF, OPTION_JOBS, OPTION_HELP
} option_id;

typedef struct option_row {
    const char *name, *value;
    option_id   id;
    unsigned    verbs;
    const char *help;
} option_row;

enum { CHANGED = VG_CLI_RUN | VG_CLI_GRAPH | VG_CLI_CHECK };

static const option_row rows[] = {
    { "set", "NAME=A,B,C", OPTION_SET, VG_CLI_SWEEP,
      "values to try of a const or a train setting; one value: for all runs" },
    { "set", "NAME=EXPR", OPTION_SET, VG_CLI_MODEL & ~VG_CLI_SWEEP,
      "another value for a const, or a train setting: train.steps=500" },
    { "data", "NAME=SOURCE", OPTION_DATA, VG_CLI_MODEL, "read a data set from elsewhere: digits=mnist(\"DIR\")" },
    { "summary", "STATEMENT", OPTION_SUMMARY, VG_CLI_MODEL, "watch more: 'histogram grad(loss, h[*].W) every 10'" },
    { "batch", "N", OPTION_BATCH, VG_CLI_MODEL, "examples in a mini-batch" },
    { "steps", "N", OPTION_STEPS, VG_CLI_RUN | VG_CLI_SWEEP, "how many steps to train" },
    { "steps", "N", OPTION_STEPS, VG_CLI_DOCTOR, "how many steps to look at; default: the model's, at most 200" },
    { "steps", "N", OPTION_STEPS, VG_CLI_TIME, "how many steps to measure; default: about a second, at least 20" },
    { "seed", "N", OPTION_SEED, VG_CLI_RUN | VG_CLI_PRINT | VG_CLI_GRADCHECK | VG_CLI_TIME | VG_CLI_DOCTOR | VG_CLI_SWEEP,
      "the seed of every random draw" },
    { "second", NULL, OPTION_SECOND, VG_CLI_GRADCHECK, "check the derivative of the gradient instead" },
    { "threads", "N", OPTION_THREADS, VG_CLI_RUN | VG_CLI_DOCTOR | VG_CLI_EVAL | VG_CLI_PREDICT, "threads that compute; default: the cores this process may use" },
    { "threads", "N", OPTION_THREADS, VG_CLI_TIME, "threads that compute; default: 1" },
    { "no-fuse", NULL, OPTION_NO_FUSE, VG_CLI_RUN | VG_CLI_TIME | VG_CLI_SWEEP,
      "one operator after the other: the same bits, slower" },
    { "float64", NULL, OPTION_FLOAT64, VG_CLI_RUN | VG_CLI_DOCTOR | VG_CLI_PRINT | VG_CLI_TIME | VG_CLI_SWEEP | VG_CLI_EVAL | VG_CLI_PREDICT,
      "compute in double precision" },
    { "out", "DIR", OPTION_OUT, VG_CLI_RUN, "the run's folder, instead of runs/NAME-DATE-TIME" },
    { "out", "DIR", OPTION_OUT, VG_CLI_SWEEP, "the sweep's folder, instead of sweeps/NAME-DATE-TIME" },
    { "out", "DIR", OPTION_OUT, VG_CLI_REPORT, "the folder for report.html" },
    { "jobs", "N", OPTION_JOBS, VG_CLI_SWEEP, "runs at a time; default: the cores this process may use" },
    { "out", "FILE", OPTION_OUT, VG_CLI_PRINT, "write there (needed by --format npy)" },
    { "out", "FILE", OPTION_OUT, VG_CLI_PREDICT, "write there, in the format that its name ends with" },
    { "checkpoint-every", "N", OPTION_CHECKPOINT_EVERY, VG_CLI_RUN,
      "keep the run's state after every N steps, to go on from; at its end it is kept anyway" },
    { "resume", NULL, OPTION_RESUME, VG_CLI_RUN,
      "go on where the run in --out stopped, or the newest one of this model; bit for bit" },
    { "load", "FILE", OPTION_LOAD, VG_CLI_RUN | VG_CLI_PRINT,
      "begin with the values of a checkpoint, or of another safetensors file" },
    { "load", "FILE", OPTION_LOAD, VG_CLI_EVAL | VG_CLI_PREDICT,
      "the checkpoint; not needed where the model is one" },
    { "partial", NULL, OPTION_PARTIAL, VG_CLI_RUN | VG_CLI_PRINT | VG_CLI_EVAL | VG_CLI_PREDICT,
      "with --load: what does not fit is listed, and no error" },
    { "fetch", "EXPR", OPTION_FETCH, VG_CLI_PREDICT, "the value to compute; may be given again" },
    { "input", "NAME=FILE", OPTION_INPUT, VG_CLI_PREDICT,
      "an input's examples: .npy or .csv, - is standard input; without any: the test split" },
    { "classes", "DATA.COLUMN", OPTION_CLASSES, VG_CLI_PREDICT,
      "write the words of this column's classes where a value is whole numbers" },
    { "jsonl", "FILE", OPTION_JSONL, VG_CLI_RUN | VG_CLI_DOCTOR | VG_CLI_SWEEP | VG_CLI_EVAL,
      "append each value as a line of JSON; - is standard output" },
    { "no-files", NULL, OPTION_NO_FILES, VG_CLI_RUN, "leave no run folder" },
    { "no-watch", NULL, OPTION_NO_WATCH, VG_CLI_RUN | VG_CLI_SWEEP, "do not look for what is wrong" },
    { "quiet", NULL, OPTION_QUIET, VG_CLI_RUN | VG_CLI_SWEEP, "no progress, no summary at the end" },
    { "stage", "STAGE", OPTION_STAGE, VG_CLI_GRAPH, "forward, backward (the default), fused, or plan" },
    { "format", "FORMAT", OPTION_FORMAT, VG_CLI_GRAPH, "text (the default), dot, or json, a node a line" },
    { "format", "FORMAT", OPTION_FORMAT, VG_CLI_PRINT, "text (the default), json or npy" },
    { "format", "FORMAT", OPTION_FORMAT, VG_CLI_PREDICT, "csv (the default), json (an object a line for each example), or npy" },
    { "wrt", "NAME", OPTION_WRT, VG_CLI_GRAPH, "write the derivative of the loss with respect to NAME as a model" },
    { "of", "EXPR", OPTION_OF, VG_CLI_GRAPH, "with --wrt: derive this, not the first train block's loss" },
    { "dump", "PASS", OPTION_DUMP, CHANGED, "print the graph after elaborate, differentiate, simplify or arrange" },
    { "check", NULL, OPTION_CHECK, VG_CLI_FMT, "write nothing: list the files that would change, with exit status 1" },
    { "color", "WHEN", OPTION_COLOUR, VG_CLI_MODEL | VG_CLI_FMT | VG_CLI_REPORT,
      "always, never, or auto: on a terminal, unless NO_COLOR is set" },
    { "help", NULL, OPTION_HELP, VG_CLI_MODEL | VG_CLI_HELP | VG_CLI_FMT | VG_CLI_DIFF | VG_CLI_REPORT, "show this" },
};
enum { ROW_COUNT = sizeof rows / sizeof *rows, FIRST_VALUE = 256 };   /* getopt's values begin behind the characters */

vg_status vg_cli_usage(const vg_cli_verb *verb, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("vgraph: ", stderr);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "\ntry 'vgraph %s%s--help'\n", verb ? verb->name : "", verb ? " " : "");
    return VG_FAILED_USAGE;
}

bool vg_cli_option_at(const vg_cli_verb *verb, size_t index, vg_cli_option_text *out) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((rows[i].verbs & verb->bit) && rows[i].help && index-- == 0) {
            *out = (vg_cli_option_text){ rows[i].name, rows[i].value, rows[i].help };
            return true;
        }
    }
    return false;
}

void vg_cli_options_help(const vg_cli_verb *verb) {
    printf("usage: vgraph %s %s [options]\n\n%s\n%s\n", verb->name, verb->arguments, verb->does,
           verb->detail ? verb->detail : "");
    vg_cli_option_text o;
    for (size_t i = 0; vg_cli_option_at(verb, i, &o); i++) {
        printf("  --%s%s%-*s  %s\n", o.name, o.value ? " " : "", (int)(20 - strlen(o.name) - (o.value != NULL)),
               o.value ? o.value : "", o.help);
    }
    printf("\nexample: %s\n", verb->example);
}

/* A whole number from 1 (or 0) on, as the language has them. */
static bool read_number(const char *text, uint64_t least, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *number >= least && *number <= INT64_MAX;
}

/* NAME=TEXT, or the whole text for --summary. The same name twice leaves open which one counts. */
static vg_status add_change(vg_cli_options *options, const option_row *row, vg_cli_change_kind kind, const char *text) {
    vg_cli_change change = { kind, NULL, text, NULL };
    if (kind != VG_CLI_SUMMARY) {
        const char *equals = strchr(text, '=');
        if (!equals || equals == text) {
            return vg_cli_usage(options->verb, "--%s takes %s, not '%s'", row->name, row->value, text);
        }
        change.name = vg_cli_format("%.*s", (int)(equals - text), text);
        change.value = equals + 1;
    }
    change.text = vg_cli_format("--%s %s", row->name, text);
    vg_status status = VG_OK;
    for (size_t i = 0; i < options->change_count && change.name; i++) {
        const vg_cli_change *other = &options->changes[i];
        if (other->kind == kind && strcmp(other->name, change.name) == 0) {
            status = vg_cli_usage(options->verb, "--%s %s is given twice", row->name, change.name);
            break;
        }
    }
    options->changes[options->change_count++] = change;
    return status;
}

static vg_status read_colour(vg_cli_options *options, const char *text) {
    static const char *const names[] = { "auto", "always", "never" };   /* in the order of vg_cli_colour */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            options->colour = (vg_cli_colour)i;
            return VG_OK;
        }
    }
    return vg_cli_usage(options->verb, "--color is always, never or auto, not '%s'", text);
}

static vg_status take_number(const vg_cli_options *options, const option_row *row, const char *text, uint64_t least,
                             uint64_t *number) {
    if (read_number(text, least, number)) {
        return VG_OK;
    }
    if (*text && text[strspn(text, "0123456789")] == '\0' && text[strspn(text, "0")] != '\0') {
        return vg_cli_usage(options->verb, "--%s takes a whole number up to %lld, not '%s'", row->name,
                            (long long)INT64_MAX, text);
    }
    return vg_cli_usage(options->verb, "--%s takes a whole number%s, not '%s'", row->name, least ? " above 0" : "",
                        text);
}

static vg_status take_threads(vg_cli_options *options, const option_row *row, const char *text) {
    enum { MOST = 256 };
    const vg_status status = take_number(options, row, text, 1, &options->threads);
    if (status != VG_OK || options->threads <= MOST) {
        return status;
    }
    return vg_cli_usage(options->verb, "--threads takes a number up to %d, not '%s'", MOST, text);
}

static vg_status take_option(vg_cli_options *options, const option_row *row, char *text, bool *help) {
    switch (row->id) {
    case OPTION_SET:       return add_change(options, row, VG_CLI_SET, text);
    case OPTION_DATA:      return add_change(options, row, VG_CLI_DATA, text);
    case OPTION_SUMMARY:   return add_change(options, row, VG_CLI_SUMMARY, text);
    case OPTION_BATCH:     return take_number(options, row, text, 1, &options->batch);
    case OPTION_STEPS:     return take_number(options, row, text, 1, &options->steps);
    case OPTION_THREADS:   return take_threads(options, row, text);
    case OPTION_JOBS:      return take_number(options, row, text, 1, &options->jobs);
    case OPTION_SEED:      options->has_seed = true; return take_number(options, row, text, 0, &options->seed);
    case OPTION_DUMP:      options->dumps[options->dump_count++] = text; return VG_OK;
    case OPTION_CHECKPOINT_EVERY: return take_number(options, row, text, 1, &options->checkpoint_every);
    case OPTION_RESUME:    options->resume = true; return VG_OK;
    case OPTION_LOAD:      options->load = text; return VG_OK;
    case OPTION_PARTIAL:   options->partial = true; return VG_OK;
    case OPTION_FETCH:     options->fetches[options->fetch_count++] = text; return VG_OK;
    case OPTION_CLASSES:   options->classes = text; return VG_OK;
    case OPTION_INPUT:     return add_change(options, row, VG_CLI_INPUT, text);
    case OPTION_OUT:       options->out = text; return VG_OK;
    case OPTION_JSONL:     options->jsonl = text; return VG_OK;
    case OPTION_STAGE:     options->stage = text; return VG_OK;
    case OPTION_FORMAT:    options->format = text; return VG_OK;
    case OPTION_WRT:       options->wrt = text; return VG_OK;
    case OPTION_OF:        options->of = text; return VG_OK;
    case OPTION_CHECK:     options->check = true; return VG_OK;
    case OPTION_SECOND:    options->second = true; return VG_OK;
    case OPTION_FLOAT64:   options->float64 = true; return VG_OK;
    case OPTION_NO_FUSE:   options->no_fuse = true; return VG_OK;
    case OPTION_NO_FILES:  options->no_files = true; return VG_OK;
    case OPTION_NO_WATCH:  options->no_watch = true; return VG_OK;
    case OPTION_QUIET:     options->quiet = true; return VG_OK;
    case OPTION_COLOUR:    return read_colour(options, text);
    case OPTION_HELP:      *help = true; return VG_OK;
    }
    return VG_OK;
}

/* Why getopt_long did not take `text`: unknown here, unknown at all, ambiguous, or with a value it does not take. */
static vg_status refuse_option(const vg_cli_verb *verb, const char *text, int value) {
    if (text[1] != '-') {
        return vg_cli_usage(verb, "there is no option '%s'; an argument that begins with '-' is written behind '--'",
                            text);
    }
    const int length = (int)strcspn(text, "=");
    if (value >= FIRST_VALUE) {
        return vg_cli_usage(verb, "--%s takes no value", rows[value - FIRST_VALUE].name);
    }
    const char *names[ROW_COUNT];
    char dashed[ROW_COUNT][24], given[64];
    snprintf(given, sizeof given, "%.*s", length, text);
    size_t count = 0, begun = 0;
    bool elsewhere = false;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        snprintf(dashed[i], sizeof dashed[i], "--%s", rows[i].name);
        if (rows[i].verbs & verb->bit) {
            names[count++] = dashed[i];
            begun += strncmp(dashed[i], given, strlen(given)) == 0;
        }
        elsewhere |= strcmp(dashed[i], given) == 0;
    }
    if (begun > 1) {
        return vg_cli_usage(verb, "'%s' is the beginning of several options", given);
    }
    if (elsewhere) {
        return vg_cli_usage(verb, "'%s' is not an option of 'vgraph %s'", given, verb->name);
    }
    const char *near = vg_nearest(given, names, count);
    return near ? vg_cli_usage(verb, "there is no option '%s'; did you mean '%s'?", given, near)
                : vg_cli_usage(verb, "there is no option '%s'", given);
}

static vg_status check_arguments(const vg_cli_options *options) {
    const vg_cli_verb *verb = options->verb;
    if (options->argument_count < verb->least) {
        return vg_cli_usage(verb, "'vgraph %s' needs %s", verb->name, verb->arguments);
    }
    if (options->argument_count > verb->most) {
        return vg_cli_usage(verb, "'%s' is one argument too many", options->arguments[verb->most]);
    }
    return VG_OK;
}

/* The option that argv[optind] begins. Its text is kept from getopt_long, which is told of no single letters, so that
 * -h[1] is not taken for -h and something behind it. */
static vg_status read_option(vg_cli_options *options, int value, char *text, bool *help) {
    if (value == '?' && strcmp(text, "-h") == 0) {
        *help = true;
        return VG_OK;
    }
    if (value == ':') {
        return vg_cli_usage(options->verb, "%s needs a value", text);
    }
    return value == '?' ? refuse_option(options->verb, text, optopt)
                        : take_option(options, &rows[value - FIRST_VALUE], optarg, help);
}

/* An argument as a shell reads it, behind what is there already. */
static char *quote_behind(char *line, const char *argument) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=,./:@%^";
    if (*argument && argument[strspn(argument, plain)] == '\0') {
        char *longer = vg_cli_format("%s %s", line, argument);
        free(line);
        return longer;
    }
    char *quoted = vg_cli_alloc(4 * strlen(argument) + 1, 1), *to = quoted;
    for (const char *from = argument; *from; from++) {
        to = stpcpy(to, *from == '\'' ? "'\\''" : (char[]){ *from, '\0' });
    }
    char *longer = vg_cli_format("%s '%s'", line, quoted);
    free(quoted);
    free(line);
    return longer;
}

vg_status vg_cli_options_read(vg_cli_options *options, const vg_cli_verb *verb, int argc, char **argv, bool *help) {
    struct option table[ROW_COUNT + 1] = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].verbs & verb->bit) {
            table[count++] = (struct option){ rows[i].name, rows[i].value ? required_argument : no_argument, NULL,
                                              FIRST_VALUE + (int)i };
        }
    }
    options->verb = verb;
    options->command = vg_cli_format("vgraph");
    for (int i = 0; i < argc; i++) {
        options->command = quote_behind(options->command, argv[i]);
    }
    options->changes = vg_cli_alloc((size_t)argc, sizeof *options->changes);
    options->dumps = vg_cli_alloc((size_t)argc, sizeof *options->dumps);
    options->fetches = vg_cli_alloc((size_t)argc, sizeof *options->fetches);
    options->arguments = vg_cli_alloc((size_t)argc, sizeof *options->arguments);
    opterr = 0;
    bool only_arguments = false;   /* behind -- */
    while (optind < argc) {
        const int before = optind;
        const int value = only_arguments ? -1 : getopt_long(argc, argv, "+:", table, NULL);
        if (value == -1 && optind > before) {
            only_arguments = true;
        } else if (value == -1) {
            options->arguments[options->argument_count++] = argv[optind++];
        } else {
            const vg_status status = read_option(options, value, argv[before], help);
            if (status != VG_OK) {
                return status;
            }
        }
    }
    return *help ? VG_OK : check_arguments(options);
}

void vg_cli_options_free(vg_cli_options *options) {
    for (size_t i = 0; i < options->change_count; i++) {
        free(options->changes[i].name);
        free(options->changes[i].text);
    }
    free(options->command);
    free(options->changes);
    free(options->dumps);
    free(options->fetches);
    free(options->arguments);
}
