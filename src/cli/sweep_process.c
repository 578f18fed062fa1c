/* The processes of a sweep. Each run is this very program, executed anew: a copy of a running one, made by fork alone,
 * would have lost the threads that its libraries have started. A run's messages come through a pipe, as do its JSON
 * lines, to which its name is added; when both pipes are closed it has ended.
 *
 * A run is a process group of its own, so that Ctrl-C reaches the sweep alone, which passes it on once: the run ends
 * after its step and leaves its files. When the sweep is killed its runs get the system's word for it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sweep.h"

enum { MOST_SAID = 1 << 16, TICK = 200, PART = 1 << 16 };   /* bytes, milliseconds, bytes */

/* ---- the command line of a run */

typedef struct arguments { char **list; size_t count; } arguments;

static void add(arguments *to, char *text) {
    to->list = vg_cli_resize(to->list, to->count + 2, sizeof *to->list);
    to->list[to->count++] = text;
    to->list[to->count] = NULL;
}

static void add_number(arguments *to, const char *name, uint64_t number) {
    add(to, vg_cli_format("--%s=%" PRIu64, name, number));
}

static arguments run_arguments(const vg_cli_grid *sweep, const vg_cli_sweep_run *run) {
    const vg_cli_options *options = sweep->options;
    arguments to = { 0 };
    add(&to, vg_cli_format("vgraph"));
    add(&to, vg_cli_format("run"));
    add(&to, vg_cli_format("--quiet"));
    add(&to, vg_cli_format("--out=%s", run->folder));
    add(&to, vg_cli_format("--color=%s", vg_cli_has_colour(options, stderr) ? "always" : "never"));
    add_number(&to, "threads", sweep->threads);
    for (size_t i = 0; i < sweep->setting_count; i++) {
        add(&to, vg_cli_format("--set=%s=%s", sweep->settings[i].name, run->values[i]));
    }
    for (size_t i = 0; i < options->change_count; i++) {
        const vg_cli_change *change = &options->changes[i];
        if (change->kind == VG_CLI_DATA) {
            add(&to, vg_cli_format("--data=%s=%s", change->name, change->value));
        } else if (change->kind == VG_CLI_SUMMARY) {
            add(&to, vg_cli_format("--summary=%s", change->value));
        }
    }
    if (options->batch) add_number(&to, "batch", options->batch);
    if (options->steps) add_number(&to, "steps", options->steps);
    if (options->has_seed) add_number(&to, "seed", options->seed);
    if (options->float64) add(&to, vg_cli_format("--float64"));
    if (options->no_fuse) add(&to, vg_cli_format("--no-fuse"));
    if (options->no_watch) add(&to, vg_cli_format("--no-watch"));
    if (sweep->lines) add(&to, vg_cli_format("--jsonl=-"));
    add(&to, vg_cli_format("--"));
    add(&to, vg_cli_format("%s", sweep->model));
    return to;
}

static void free_arguments(arguments *all) {
    for (size_t i = 0; i < all->count; i++) {
        free(all->list[i]);
    }
    free(all->list);
}

/* ---- starting one */

/* In the new process. Only what is safe between fork and exec. */
static _Noreturn void become_run(char **list, pid_t parent, int lines, int messages) {
    static const char failed[] = "vgraph: cannot execute /proc/self/exe\n";
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (getppid() == parent && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
        dup2(lines >= 0 ? lines : nothing, STDOUT_FILENO) >= 0 && dup2(messages, STDERR_FILENO) >= 0) {
        execv("/proc/self/exe", list);
        (void)!write(STDERR_FILENO, failed, sizeof failed - 1);
    }
    _exit(VG_FAILED_RESOURCE);
}

/* The run's status and message when it could not even begin. */
static void fail_run(vg_cli_sweep_run *run, const char *what, int error) {
    run->state = VG_CLI_ENDED;
    run->status = VG_FAILED_RESOURCE;
    run->said.bytes = vg_cli_format("vgraph: cannot make %s: %s\n", what, strerror(error));
    run->said.length = strlen(run->said.bytes);
}

static void close_ends(const int ends[2]) {
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) {
            close(ends[i]);
        }
    }
}

static void start_run(const vg_cli_grid *sweep, vg_cli_sweep_run *run) {
    int messages[2] = { -1, -1 }, lines[2] = { -1, -1 };
    if (pipe2(messages, O_CLOEXEC) != 0 || (sweep->lines && pipe2(lines, O_CLOEXEC) != 0)) {
        fail_run(run, "a pipe", errno);
        close_ends(messages);
        return;
    }
    arguments all = run_arguments(sweep, run);
    const pid_t parent = getpid();
    run->process = fork();
    if (run->process == 0) {
        become_run(all.list, parent, lines[1], messages[1]);
    }
    free_arguments(&all);
    if (run->process < 0) {
        fail_run(run, "a process", errno);
        close_ends(messages);
        close_ends(lines);
        return;
    }
    setpgid(run->process, run->process);   /* whoever of the two comes first */
    close(messages[1]);
    if (lines[1] >= 0) {
        close(lines[1]);
    }
    run->messages = messages[0];
    run->lines = lines[0];
    run->state = VG_CLI_RUNNING;
}

/* ---- what it says */

static void append(vg_cli_buffer *buffer, const char *bytes, size_t length) {
    if (buffer->length + length + 1 > buffer->capacity) {
        buffer->capacity = 2 * (buffer->length + length + 1);
        buffer->bytes = vg_cli_resize(buffer->bytes, buffer->capacity, 1);
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

/* A whole line of JSON, {...}, gets the run's name as its first member. */
static bool write_line(const vg_cli_grid *sweep, const vg_cli_sweep_run *run) {
    json_t *name = json_string(run->name);
    if (!name) {   /* no UTF-8 */
        name = json_string(strrchr(run->folder, '/') + 1);
    }
    char *text = json_dumps(name, JSON_ENCODE_ANY);
    json_decref(name);
    char *line = vg_cli_format("{\"run\":%s,%s", text ? text : "null", run->line.bytes + 1);
    const bool fine = vg_cli_write(sweep->lines, line, strlen(line));
    vg_cli_flush(sweep->lines);
    free(line);
    free(text);
    return fine && !sweep->lines->error;
}

static bool take_lines(const vg_cli_grid *sweep, vg_cli_sweep_run *run, const char *bytes, size_t length) {
    bool fine = true;
    while (length && fine) {
        const char *end = memchr(bytes, '\n', length);
        const size_t part = end ? (size_t)(end + 1 - bytes) : length;
        append(&run->line, bytes, part);
        if (end) {
            fine = write_line(sweep, run);
            run->line.length = 0;
        }
        bytes += part;
        length -= part;
    }
    return fine;
}

/* Reads what has come; closes at the end. */
static bool read_pipe(const vg_cli_grid *sweep, vg_cli_sweep_run *run, int *descriptor) {
    char bytes[PART];
    const ssize_t got = read(*descriptor, bytes, sizeof bytes);
    if (got <= 0) {
        if (got == 0 || errno != EINTR) {
            close(*descriptor);
            *descriptor = -1;
        }
        return true;
    }
    if (descriptor == &run->lines) {
        return take_lines(sweep, run, bytes, (size_t)got);
    }
    const size_t room = MOST_SAID - run->said.length;
    append(&run->said, bytes, (size_t)got < room ? (size_t)got : room);
    return true;
}

static void end_run(vg_cli_sweep_run *run) {
    int status = 0;
    while (waitpid(run->process, &status, 0) < 0 && errno == EINTR) {}
    run->state = VG_CLI_ENDED;
    run->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    run->status = run->signal == SIGINT || run->signal == SIGTERM ? VG_INTERRUPTED
                : run->signal ? VG_FAILED_RESOURCE : (vg_status)WEXITSTATUS(status);
    vg_cli_sweep_read(run);
}

/* ---- all of them */

typedef struct crowd { size_t next, running, ended; bool told, broken, shown; struct timespec begun; } crowd;

static double seconds_since(const struct timespec *begun) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) * 1e-9;
}

/* The time left is told once some have ended: they are about equally long. */
static void show_progress(const vg_cli_grid *sweep, crowd *all) {
    const double passed = seconds_since(&all->begun);
    const size_t left = sweep->run_count - all->ended;
    char line[160], rest[40] = "";
    if (all->ended > 0 && left > 0) {
        snprintf(rest, sizeof rest, ", %.0f s left", passed / (double)all->ended * (double)left);
    }
    snprintf(line, sizeof line, "%zu of %zu done, %zu running, %.0f s%s", all->ended, sweep->run_count, all->running,
             passed, rest);
    fprintf(stderr, "\r%.*s\x1b[K", (int)vg_cli_columns(stderr, sizeof line) - 1, line);
    all->shown = true;
}

static void ask_to_end(const vg_cli_grid *sweep) {
    for (size_t k = 0; k < sweep->run_count; k++) {
        if (sweep->runs[k].state == VG_CLI_RUNNING) {
            kill(sweep->runs[k].process, SIGINT);
        }
    }
}

/* Waits for something to come, and takes it. */
static void attend(const vg_cli_grid *sweep, crowd *all) {
    struct pollfd *polls = vg_cli_alloc(2 * all->running, sizeof *polls);
    nfds_t count = 0;
    for (size_t k = 0; k < all->next; k++) {
        const vg_cli_sweep_run *run = &sweep->runs[k];
        if (run->messages >= 0) polls[count++] = (struct pollfd){ run->messages, POLLIN, 0 };
        if (run->lines >= 0) polls[count++] = (struct pollfd){ run->lines, POLLIN, 0 };
    }
    const bool some = poll(polls, count, TICK) > 0;
    for (size_t k = 0, i = 0; k < all->next && some; k++) {
        vg_cli_sweep_run *run = &sweep->runs[k];
        if (run->messages >= 0 && polls[i++].revents) {
            read_pipe(sweep, run, &run->messages);
        }
        if (run->lines >= 0 && polls[i++].revents && !read_pipe(sweep, run, &run->lines)) {
            all->broken = true;
        }
        if (run->state == VG_CLI_RUNNING && run->messages < 0 && run->lines < 0) {
            end_run(run);
            all->running--;
            all->ended++;
        }
    }
    free(polls);
}

static void start_some(const vg_cli_grid *sweep, crowd *all) {
    while (all->running < sweep->jobs && all->next < sweep->run_count) {
        vg_cli_sweep_run *run = &sweep->runs[all->next++];
        start_run(sweep, run);
        all->running += run->state == VG_CLI_RUNNING;
        all->ended += run->state == VG_CLI_ENDED;
    }
}

vg_status vg_cli_sweep_execute(vg_cli_grid *sweep) {
    const bool live = !sweep->options->quiet && vg_cli_is_terminal(stderr);
    const volatile int *stop = vg_cli_stop_listen();
    crowd all = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &all.begun);
    while (all.running > 0 || (all.next < sweep->run_count && !*stop && !all.broken)) {
        if ((*stop || all.broken) && !all.told) {
            ask_to_end(sweep);
            all.told = true;
        }
        if (!all.told) {
            start_some(sweep, &all);
        }
        if (live) {
            show_progress(sweep, &all);
        }
        if (all.running > 0) {
            attend(sweep, &all);
        }
    }
    if (all.shown) {
        fputs("\r\x1b[K", stderr);
    }
    sweep->interrupted = *stop;
    return all.broken ? VG_FAILED_RESOURCE : VG_OK;
}
