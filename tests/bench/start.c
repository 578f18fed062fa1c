/* For start.sh, which compiles it: how long a process takes from its start to its end, and, within one, how long it is
 * from a model's text to its first step.
 *
 *     start process REPEATS PROGRAM ARGUMENT...   median wall and processor milliseconds, peak memory in MB
 *     start model REPEATS MODEL [NAME SOURCE]     median milliseconds of loading, making a run, and its first two steps;
 *                                                 with other data where that is given */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vgraph.h"

enum { REPEATS = 1000, TIMES = 4 };
extern char **environ;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static double milliseconds(struct timeval time) { return (double)time.tv_sec * 1e3 + (double)time.tv_usec * 1e-3; }

static int time_process(int repeats, char **command) {
    static double wall[REPEATS], processor[REPEATS];
    double peak = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    for (int k = 0; k < repeats; k++) {
        struct rusage usage;
        pid_t child;
        int status = 0;
        const double begin = now();
        if (posix_spawn(&child, command[0], &actions, NULL, command, environ) != 0) return 1;
        if (wait4(child, &status, 0, &usage) < 0 || status != 0) {
            fprintf(stderr, "%s %s fails\n", command[0], command[1]);
            return 1;
        }
        wall[k] = now() - begin;
        processor[k] = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
        if ((double)usage.ru_maxrss / 1000 > peak) peak = (double)usage.ru_maxrss / 1000;
    }
    printf("%.2f %.2f %.1f\n", median(wall, repeats), median(processor, repeats), peak);
    posix_spawn_file_actions_destroy(&actions);
    return 0;
}

static int time_model(int repeats, char **arguments) {
    static double times[TIMES][REPEATS];
    for (int k = 0; k < repeats; k++) {
        double at[TIMES + 1];
        vg_run *run = NULL;
        at[0] = now();
        vg_model *model = vg_model_new();
        if (arguments[1]) vg_model_data(model, arguments[1], arguments[2]);
        if (vg_model_load_file(model, arguments[0]) != VG_OK) return 1;
        at[1] = now();
        if (vg_run_new(model, NULL, &run) != VG_OK) return 1;
        at[2] = now();
        if (vg_run_step(run) != VG_OK) return 1;
        at[3] = now();
        if (vg_run_step(run) != VG_OK) return 1;
        at[4] = now();
        vg_run_free(run);
        vg_model_free(model);
        for (int i = 0; i < TIMES; i++) times[i][k] = at[i + 1] - at[i];
    }
    for (int i = 0; i < TIMES; i++) printf("%.2f%c", median(times[i], repeats), i + 1 < TIMES ? ' ' : '\n');
    return 0;
}

int main(int count, char **arguments) {
    const int repeats = count > 3 ? atoi(arguments[2]) : 0;
    if (repeats < 1 || repeats > REPEATS) return 2;
    return strcmp(arguments[1], "process") == 0 ? time_process(repeats, arguments + 3) : time_model(repeats, arguments + 3);
}
