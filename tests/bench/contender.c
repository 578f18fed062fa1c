/* The loop of a contender: see contender.h. */
#include "contender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS_LIMIT = 100000, LINE = 100, SHORT = 100000 };   /* SHORT: nanoseconds */

static uint64_t look(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t contender_now(void) { return look(CLOCK_MONOTONIC); }
uint64_t contender_spent(void) { return look(CLOCK_THREAD_CPUTIME_ID); }

static int by_size(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void say_all(const uint64_t *times, size_t count) {
    for (size_t i = 0; i < count; i++) printf(i ? " %llu" : "%llu", (unsigned long long)times[i]);
    printf("\n");
}

static void say_percentiles(uint64_t *times, size_t count) {
    static const size_t percents[] = { 5, 50, 95 };
    qsort(times, count, sizeof *times, by_size);
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++)
        printf("p%zu %.3f us, ", percents[i], (double)times[(count - 1) * percents[i] / 100] / 1e3);
    printf("%zu steps\n", count);
}

/* One look at the clock a step: where one ends, the next begins. False when a step failed. */
static bool take(bool (*step)(void *user), void *user, uint64_t (*clock)(void), uint64_t length, uint64_t *times,
                 size_t *count) {
    const uint64_t started = clock();
    uint64_t begun = started;
    *count = 0;
    do {
        if (!step(user)) return false;
        const uint64_t ended = clock();
        times[(*count)++] = ended - begun;
        begun = ended;
    } while (begun - started < length && *count < STEPS_LIMIT);
    return true;
}

static bool are_short(const uint64_t *times, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (times[i] < SHORT) return true;
    return false;
}

static bool serve_line(bool (*step)(void *user), void *user, const char *line, uint64_t *times) {
    unsigned milliseconds;
    size_t count;
    const bool cpu = sscanf(line, "cpu %u", &milliseconds) == 1, all = cpu || sscanf(line, "go %u", &milliseconds) == 1;
    if (!all && sscanf(line, "percentiles %u", &milliseconds) != 1) {
        fprintf(stderr, "'go MS', 'cpu MS' or 'percentiles MS', not '%.*s'\n", (int)strcspn(line, "\n"), line);
        return false;
    }
    const uint64_t length = (uint64_t)milliseconds * 1000000u;
    if (!take(step, user, contender_now, length / 10, times, &count)) return false;
    const bool spent = cpu && !are_short(times, count);
    if (!take(step, user, spent ? contender_spent : contender_now, length, times, &count)) return false;
    if (all) say_all(times, count);
    else say_percentiles(times, count);
    fflush(stdout);
    return true;
}

int contender_serve(bool (*step)(void *user), void *user) {
    char line[LINE];
    uint64_t *times = malloc(STEPS_LIMIT * sizeof *times);
    bool fine = times != NULL;
    while (fine && fgets(line, sizeof line, stdin)) fine = serve_line(step, user, line, times);
    free(times);
    return fine ? 0 : 1;
}
