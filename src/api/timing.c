/* Where a step's time goes: steps are run in turns with laps (run/profile.h) and without. What disturbs a step on a
 * machine that has other things to do makes it longer, so that the fastest quarter of the steps counts, with the mean of
 * each line over it: the lines add up to the step, as medians would not. (Two cores beside about eight busy processes,
 * 40 runs on five models: lines and step were 0.2 % apart in the median, 1.9 % in nine of ten; by the middle half of the
 * steps several times that.) Steps in which other things are due are of another kind: each kind has its own fastest, and
 * counts as often as it came. */
#include "api/timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/blas.h"

enum {
    WARM = 3,                 /* steps that are not counted: memory is new to them */
    LEAST = 20,               /* steps, where it is not said how many */
    KINDS = 64,               /* what comes after them counts as the last */
    SAMPLES = 1000,           /* of a kind: the latest, */
    LAPS = 1 << 24,           /* but no more laps than these */
    CLOCK_LINES = 50          /* in which the clock itself is measured */
};

/* Steps in which the same is due. A sample has a value for each line, in seconds. */
typedef struct step_kind {
    uint64_t  due, steps;
    uint64_t  bare_count, lapped_count;       /* of all; the latest of them are kept */
    VG_VEC(float) bare, lapped;
    uint32_t *laps;                           /* by line, of one step */
} step_kind;

typedef struct sample { double seconds; uint32_t index; } sample;

typedef struct timer {
    vg_run      *run;
    uint64_t     steps;
    vg_timing   *out;
    vg_profile   profile;
    uint32_t     lines, kind_count, most;     /* most: samples of a kind */
    double       clock;                       /* what a lap takes */
    step_kind    kinds[KINDS];
    sample      *order;
} timer;

/* A little work, the same each time, with laps of changing lines between its pieces or without; seconds. */
static double work_with(vg_profile *profile) {
    enum { MANY = 500, CHAIN = 40 };
    volatile uint64_t kept = 1;
    const double start = vg_os_seconds();
    for (uint32_t k = 0; k < MANY; k++) {
        uint64_t hash = kept;
        for (uint32_t j = 0; j < CHAIN; j++) hash = vg_hash_pair(hash, j);
        kept = hash;
        vg_profile_lap(profile, k % CLOCK_LINES);
    }
    return (vg_os_seconds() - start) / MANY;
}

/* What a lap costs between pieces of work, with which the processor does some of it at the same time: less than among
 * laps alone. The best of several times. */
static double clock_cost(void) {
    enum { TRIES = 40 };
    double seconds[CLOCK_LINES] = { 0 }, with = INFINITY, without = INFINITY;
    uint32_t laps[CLOCK_LINES] = { 0 };
    vg_profile profile = { 0, seconds, laps };
    for (uint32_t k = 0; k < TRIES; k++) {
        with = fmin(with, work_with(&profile));
        without = fmin(without, work_with(NULL));
    }
    return fmax(with - without, 0);
}

/* ---- steps */

/* What is due in the next step. */
static uint64_t due_next(const vg_run *run) {
    const vg_evaluation *evaluation = &run->evaluation;
    uint64_t due = evaluation->every > 0 && run->done % evaluation->every == 0;
    for (uint32_t k = 0; k < run->turn_count; k++)
        if (run->done % run->turns[k].every == 0)
            due = vg_hash_pair(due + k, vg_program_due(&run->turns[k].program, run->done, run->steps, false));
    return due;
}

static step_kind *kind_of(timer *t) {
    const uint64_t due = due_next(t->run);
    for (uint32_t k = 0; k < t->kind_count; k++)
        if (t->kinds[k].due == due) return &t->kinds[k];
    if (t->kind_count == KINDS) return &t->kinds[KINDS - 1];
    step_kind *made = &t->kinds[t->kind_count++];
    made->due = due;
    made->laps = vg_mem_alloc(&t->run->mem, t->lines * sizeof *made->laps);
    return made;
}

static void set_profile(timer *t, vg_profile *profile) {
    for (uint32_t k = 0; k < t->run->turn_count; k++) {
        t->run->turns[k].program.profile = profile;
        t->run->turns[k].program.pace.fixed = true;      /* what is measured is threads together */
    }
}

static void keep(timer *t, step_kind *kind) {
    const uint32_t at = (uint32_t)(kind->lapped_count++ % t->most) * t->lines;
    if (at == kind->lapped.count) {
        vg_vec_reserve(&t->run->mem, &kind->lapped, t->lines);
        kind->lapped.count += t->lines;
    }
    for (uint32_t k = 0; k < t->lines; k++) kind->lapped.items[at + k] = (float)t->profile.seconds[k];
    memcpy(kind->laps, t->profile.laps, t->lines * sizeof *kind->laps);
}

static void keep_bare(timer *t, step_kind *kind, double seconds) {
    const uint32_t at = (uint32_t)(kind->bare_count++ % t->most);
    if (at == kind->bare.count) vg_vec_push(&t->run->mem, &kind->bare, 0);
    kind->bare.items[at] = (float)(seconds - t->clock);
}

static vg_status take(timer *t) {
    step_kind *kind = kind_of(t);
    const bool lapped = kind->steps++ % 2 == 0;
    memset(t->profile.seconds, 0, t->lines * sizeof *t->profile.seconds);
    memset(t->profile.laps, 0, t->lines * sizeof *t->profile.laps);
    set_profile(t, lapped ? &t->profile : NULL);
    const double before = t->profile.at = vg_os_seconds();
    const vg_status status = vg_run_step(t->run);
    if (lapped) vg_profile_lap(&t->profile, VG_LAP_rest);
    const double seconds = vg_os_seconds() - before;
    if (lapped) keep(t, kind);
    else keep_bare(t, kind, seconds);
    return status;
}

static vg_status take_all(timer *t) {
    vg_status status = VG_OK;
    for (uint32_t k = 0; k < WARM && status == VG_OK; k++) status = vg_run_step(t->run);
    const double start = vg_os_seconds(), about = 1;
    uint64_t done = 0;
    for (; status == VG_OK; done++) {
        if (t->steps ? done == t->steps : done >= LEAST && vg_os_seconds() - start >= about) break;
        status = take(t);
    }
    t->out->steps = done;
    return status;
}

/* ---- what they come to */

static int compare(const void *a, const void *b) {
    const sample *x = a, *y = b;
    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

/* Puts the fastest of `count` samples to the front of t->order: how many of them count. */
static uint32_t find_fastest(timer *t, uint32_t count) {
    qsort(t->order, count, sizeof *t->order, compare);
    return (count + 3) / 4;
}

static double bare_seconds(timer *t, const step_kind *kind) {
    double sum = 0;
    for (uint32_t k = 0; k < kind->bare.count; k++) t->order[k] = (sample){ (double)kind->bare.items[k], k };
    const uint32_t fastest = find_fastest(t, kind->bare.count);
    for (uint32_t k = 0; k < fastest; k++) sum += t->order[k].seconds;
    return sum / fastest;
}

/* Adds to each line what it takes in a step of this kind, `share` of it; the sum. */
static double add_lapped(timer *t, const step_kind *kind, double share, vg_line *lines) {
    const uint32_t count = kind->lapped.count / t->lines;
    double sum = 0;
    for (uint32_t k = 0; k < count; k++) {
        t->order[k] = (sample){ 0, k };
        for (uint32_t line = 0; line < t->lines; line++)
            t->order[k].seconds += (double)kind->lapped.items[(size_t)k * t->lines + line];
    }
    const uint32_t fastest = find_fastest(t, count);
    for (uint32_t line = 0; line < t->lines; line++) {
        double seconds = 0;
        for (uint32_t k = 0; k < fastest; k++)
            seconds += (double)kind->lapped.items[(size_t)t->order[k].index * t->lines + line];
        seconds = fmax(seconds / fastest - kind->laps[line] * t->clock, 0);
        lines[line].calls += share * kind->laps[line];
        lines[line].seconds += share * seconds;
        sum += seconds;
    }
    return sum;
}

/* A kind that came once was run with laps only: it stands for itself. */
static void sum_up(timer *t, vg_line *lines) {
    vg_timing *out = t->out;
    for (uint32_t k = 0; k < t->kind_count; k++) {
        const step_kind *kind = &t->kinds[k];
        const double share = (double)kind->steps / (double)out->steps, lapped = add_lapped(t, kind, share, lines);
        out->seconds += share * (kind->bare.count ? bare_seconds(t, kind) : lapped);
        out->sum += share * lapped;
    }
}

static void say_what(const vg_run *run, const vg_limits *limits, vg_timing *out) {
    _Static_assert((int)VG_TIMING_COPIES == (int)VG_LIMIT_COPIES, "as many are told as are measured");
    out->isa = run->store.kernels->isa;
    out->blas = vg_blas_version();
    out->threads = 1;
    out->batch = run->turns[0].batch;
    for (uint32_t k = 0; k < run->turn_count; k++) {
        const vg_turn *turn = &run->turns[k];
        if (turn->program.schedule.threads > out->threads) out->threads = turn->program.schedule.threads;
        if (turn->batch != out->batch) out->batch = 0;
    }
    out->product_size = VG_LIMIT_PRODUCT;
    out->product_rate = limits->product;
    for (uint32_t k = 0; k < VG_LIMIT_COPIES; k++) {
        out->copies[k].bytes = limits->copy[k].bytes;
        out->copies[k].rate = limits->copy[k].rate;
    }
}

static vg_status measure(void *user) {
    timer *t = user;
    vg_run *run = t->run;
    vg_mem_free(&run->mem, run->timing_rows);
    run->timing_rows = NULL;
    t->lines = vg_timing_lines(run);
    t->most = LAPS / t->lines < LEAST ? LEAST : LAPS / t->lines > SAMPLES ? SAMPLES : LAPS / t->lines;
    t->profile.seconds = vg_mem_alloc(&run->mem, t->lines * sizeof *t->profile.seconds);
    t->profile.laps = vg_mem_alloc(&run->mem, t->lines * sizeof *t->profile.laps);
    t->order = vg_mem_alloc(&run->mem, t->most * sizeof *t->order);
    vg_line *lines = vg_mem_alloc(&run->mem, t->lines * sizeof *lines);
    const vg_limits limits = vg_limits_measure(&run->mem, run->store.kernels, run->real);
    t->clock = clock_cost();
    const vg_status status = take_all(t);
    if (status == VG_OK) {
        sum_up(t, lines);
        say_what(run, &limits, t->out);
        t->out->rows = run->timing_rows = vg_timing_rows(run, lines, &limits, &t->out->row_count);
    }
    for (uint32_t k = 0; k < t->kind_count; k++) {
        vg_vec_free(&run->mem, &t->kinds[k].bare);
        vg_vec_free(&run->mem, &t->kinds[k].lapped);
        vg_mem_free(&run->mem, t->kinds[k].laps);
    }
    vg_mem_free(&run->mem, lines);
    vg_mem_free(&run->mem, t->order);
    vg_mem_free(&run->mem, t->profile.laps);
    vg_mem_free(&run->mem, t->profile.seconds);
    return status;
}

/* No step counts as the run's last, in which everything is due. */
vg_status vg_run_time(vg_run *run, uint64_t steps, vg_timing *out) {
    timer t = { .run = run, .steps = steps, .out = out };
    const uint64_t own = run->steps;
    *out = (vg_timing){ .steps = 0 };
    if (run->failed != VG_OK) return run->failed;
    run->steps = UINT64_MAX;
    const vg_status status = vg_model_guard(run->model, &run->mem, measure, &t);
    run->steps = own;
    set_profile(&t, NULL);
    return status;
}
