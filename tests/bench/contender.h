/* What takes part in the benchmark is a process that lives as long as its workload is measured and takes steps for a
 * while whenever it is told to, so that several of them take turns and the machine's noise hits all alike. */
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of a clock that nobody sets, and those that a processor has spent on this thread. */
uint64_t contender_now(void);
uint64_t contender_spent(void);

/* Reads commands from standard input until its end, and answers each with a line:
 *     go MS               warms up for a tenth of MS milliseconds, then says the nanoseconds of each step taken in MS
 *     cpu MS              the same in time spent on this thread, in which others on this machine have no part; not of
 *                         steps under 100 us, since looking at that clock takes a while, too
 *     percentiles MS      as go, for a person: 5th, 50th and 95th percentile in microseconds, and how many steps
 * At least one step warms up and one is timed; more than a hundred thousand are not. Returns the program's exit
 * status: 1 when a step failed (it has said why) or a command is wrong. */
int contender_serve(bool (*step)(void *user), void *user);

#endif
