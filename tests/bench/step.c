/* vgraph's contender: the training steps of a model, through the public interface.
 *
 *     echo 'percentiles 1000' | .build/release/tests/bench/bench_step tests/bench/dense.nn --batch 64 --threads 2
 *
 * It says "ready", the number of threads in use, and the milliseconds from the text to the end of the first step, by
 * the clock and spent on this thread, the data being loaded in between; then it does as contender.h says. A step is what vg_run_step does: the mini-batch
 * gathered from a data set in memory, forward, backward, update, and, with --summary and --out, the records written. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contender.h"
#include "vgraph.h"

typedef struct contender {
    vg_model *model;
    vg_run   *run;
    vg_sink  *sink, *queue;     /* as the command has them; NULL: nobody watches */
    const char *folder;
    unsigned  threads;
} contender;

static bool write_error(void *user, const char *bytes, size_t length) {
    (void)user;
    return fwrite(bytes, 1, length, stderr) == length;
}

static bool complain(const contender *c) {
    vg_model_explain(c->model, 0, false, write_error, NULL);
    return false;
}

/* --set and --data take NAME=TEXT. */
static bool set_named(contender *c, vg_status (*set)(vg_model *, const char *, const char *), char *text) {
    char *equals = strchr(text, '=');
    if (!equals) {
        fprintf(stderr, "NAME=TEXT is wanted, not '%s'\n", text);
        return false;
    }
    *equals = '\0';
    return set(c->model, text, equals + 1) == VG_OK || complain(c);
}

static bool read_option(contender *c, int option, char *value) {
    switch (option) {
    case 's': return set_named(c, vg_model_set, value);
    case 'd': return set_named(c, vg_model_data, value);
    case 'm': return vg_model_summary(c->model, value) == VG_OK || complain(c);
    case 'b': return vg_model_batch(c->model, strtoul(value, NULL, 10)) == VG_OK || complain(c);
    case 't': c->threads = (unsigned)strtoul(value, NULL, 10); return true;
    case 'o': c->folder = value; return true;
    default: return false;
    }
}

/* The model's path, or NULL. */
static const char *read_options(contender *c, int count, char **arguments) {
    static const struct option table[] = {
        { "set", required_argument, NULL, 's' },     { "data", required_argument, NULL, 'd' },
        { "summary", required_argument, NULL, 'm' }, { "batch", required_argument, NULL, 'b' },
        { "threads", required_argument, NULL, 't' }, { "out", required_argument, NULL, 'o' },
        { NULL, 0, NULL, 0 },
    };
    for (int option; (option = getopt_long(count, arguments, "", table, NULL)) != -1;)
        if (!read_option(c, option, optarg)) return NULL;
    if (optind == count - 1) return arguments[optind];
    fprintf(stderr, "usage: %s [--set N=EXPR] [--data N=SOURCE] [--batch N] [--threads N] [--summary S --out DIR] "
                    "MODEL\n", arguments[0]);
    return NULL;
}

static bool open_sink(contender *c) {
    const char *error;
    c->sink = vg_sink_tensorboard(c->folder, c->model, &error);
    if (c->sink) c->queue = vg_sink_queue(vg_sink_watch, c->sink, &error);
    if (!c->queue) fprintf(stderr, "%s: %s\n", c->folder, error);
    /* What vg_run_all would say first: a sink writes its head then. */
    return c->queue && vg_sink_watch(c->queue, &(vg_record){ .kind = VG_RECORD_START });
}

static bool begin(contender *c, const char *path) {
    if (vg_model_load_file(c->model, path) != VG_OK) return complain(c);
    if (c->folder && !open_sink(c)) return false;
    /* More steps than are ever asked for: a run ends at its last. */
    const vg_run_options options = { .steps = UINT32_MAX, .threads = c->threads, .watch = c->queue ? vg_sink_watch : NULL,
                                     .user = c->queue };
    return vg_run_new(c->model, &options, &c->run) == VG_OK || complain(c);
}

static bool step(void *user) {
    contender *c = user;
    return vg_run_step(c->run) == VG_OK || complain(c);
}

static bool end(contender *c) {
    const char *error;
    vg_sink_close(c->queue, &error);
    const bool fine = vg_sink_close(c->sink, &error);
    if (!fine) fprintf(stderr, "%s: %s\n", c->folder, error);
    vg_run_free(c->run);
    vg_model_free(c->model);
    return fine;
}

int main(int count, char **arguments) {
    const uint64_t begun = contender_now(), spent = contender_spent();
    contender c = { .model = vg_model_new(), .threads = 1 };
    if (!c.model) return 1;
    const char *path = read_options(&c, count, arguments);
    bool fine = path && begin(&c, path) && step(&c);
    if (fine) {
        printf("ready %u %.3f %.3f\n", c.threads, (double)(contender_now() - begun) / 1e6,
               (double)(contender_spent() - spent) / 1e6);
        fflush(stdout);
        fine = contender_serve(step, &c) == 0;
    }
    return end(&c) && fine ? 0 : 1;
}
