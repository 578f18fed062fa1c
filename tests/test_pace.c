/* The choice between threads together and one alone (run/pace.h), for machines that are made up: which way is taken, how much
 * of the time is lost with the other, and how soon a change is noticed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/pace.h"

/* Seconds of a step in both ways; every `period` seconds a step together is longer by `stall` (period 0: never). */
typedef struct machine { double alone, together, period, stall; } machine;
typedef struct outcome { double seconds, share; } outcome;      /* of all steps; the share of steps together */

static outcome work(vg_pace *pace, const machine *m, uint32_t steps) {
    outcome all = { 0, 0 };
    double until = m->period;
    for (uint32_t k = 0; k < steps; k++) {
        const bool together = vg_pace_is_together(pace);
        double seconds = together ? m->together : m->alone;
        if (together && m->period > 0 && all.seconds > until) {
            seconds += m->stall;
            until = all.seconds + seconds + m->period;
        }
        vg_pace_add(pace, seconds);
        all.seconds += seconds;
        all.share += together;
    }
    all.share /= steps;
    return all;
}

static void check_work(vg_pace *pace, const char *what, machine m, uint32_t steps, double least, double most,
                       double seconds) {
    const outcome o = work(pace, &m, steps);
    if (o.share >= least && o.share <= most && o.seconds <= seconds) return;
    print_error("%s: together in %.3f of the steps, %.3f s\n", what, o.share, o.seconds);
    fail();
}

static void takes_what_is_faster(void **state) {
    (void)state;
    vg_pace a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
    check_work(&a, "quiet", (machine){ .alone = 1e-3, .together = .55e-3 }, 20000, .99, 1, 11.1);
    check_work(&b, "always slower", (machine){ .alone = 1e-3, .together = 1.5e-3 }, 20000, 0, .05, 20.5);
    check_work(&c, "stalls of a time slice", (machine){ .alone = 1e-3, .together = .55e-3, .period = 8e-3, .stall = 8e-3 },
               20000, 0, .2, 20.6);
    check_work(&d, "few stalls", (machine){ .alone = 1e-3, .together = .55e-3, .period = .1, .stall = 5e-3 }, 20000, .97, 1,
               11.8);
}

static void long_steps_are_looked_at_seldom(void **state) {
    (void)state;
    vg_pace a = { 0 }, b = { 0 };
    check_work(&a, "a second", (machine){ .alone = 1, .together = .55 }, 400, .95, 1, 232);
    check_work(&b, "a second, slower", (machine){ .alone = 1, .together = 1.5 }, 400, 0, .15, 440);
}

static void follows_a_change(void **state) {
    (void)state;
    const machine quiet = { .alone = 1e-3, .together = .55e-3 }, busy = { .alone = 1e-3, .together = 1.6e-3 };
    vg_pace pace = { 0 };
    check_work(&pace, "quiet at first", quiet, 5000, .98, 1, 2.9);
    check_work(&pace, "then busy", busy, 5000, 0, .1, 5.4);
    check_work(&pace, "then quiet again", quiet, 5000, .7, 1, 3.4);
}

static void stays_together_for_who_wants_that(void **state) {
    (void)state;
    vg_pace pace = { .fixed = true };
    check_work(&pace, "fixed", (machine){ .alone = 1e-3, .together = 3e-3 }, 1000, 1, 1, 3.01);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_faster),
        cmocka_unit_test(long_steps_are_looked_at_seldom),
        cmocka_unit_test(follows_a_change),
        cmocka_unit_test(stays_together_for_who_wants_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
