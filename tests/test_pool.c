/* The pool of threads: all take part, nobody passes a meeting before the last has come, what was written before it is
 * seen behind it; whether they wait for a moment or for so long that they sleep. Most of it is worth most under the
 * thread sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "memory_fixture.h"
#include "run/pool.h"

enum { MOST = 8, LEVELS = 5 };

typedef struct table {
    vg_pool *pool;
    uint32_t threads;
    uint64_t round;
    uint64_t cells[LEVELS][MOST];      /* by level and thread: plain memory, that the meetings alone keep in order */
    uint64_t sums[MOST];
    uint32_t slow;                     /* the thread that comes late, + 1 */
} table;

static void sleep_long(void) {
    nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);      /* longer than anybody spins */
}

/* On each level each adds up what all others left on the one before. */
static void add_levels(void *user, uint32_t t) {
    table *a = user;
    for (uint32_t level = 0; level < LEVELS; level++) {
        uint64_t sum = a->round + t;
        if (level > 0) {
            sum = 0;
            for (uint32_t k = 0; k < a->threads; k++) sum += a->cells[level - 1][k];
        }
        if (a->slow == t + 1 && level == 2) sleep_long();
        a->cells[level][t] = sum + t;
        if (level + 1 < LEVELS) vg_pool_meet(a->pool);
    }
    a->sums[t] = a->cells[LEVELS - 1][t];
}

/* What add_levels leaves, by one thread. */
static void check_levels(const table *a) {
    uint64_t before[MOST] = { 0 };
    for (uint32_t level = 0; level < LEVELS; level++) {
        uint64_t sum = 0, now[MOST];
        for (uint32_t k = 0; k < a->threads; k++) sum += before[k];
        for (uint32_t t = 0; t < a->threads; t++) now[t] = (level ? sum : a->round + t) + t;
        for (uint32_t t = 0; t < a->threads; t++) before[t] = now[t];
    }
    for (uint32_t t = 0; t < a->threads; t++) assert_int_equal(a->sums[t], before[t]);
}

static void start(vg_mem *mem, jmp_buf *escape) {
    vg_mem_init(mem);
    mem->escape = escape;
}

static void check_rounds(uint32_t threads, uint64_t rounds) {
    vg_mem mem;
    jmp_buf escape;
    table a = { .threads = threads };
    start(&mem, &escape);
    if (setjmp(escape)) fail_msg("out of memory");
    a.pool = vg_pool_new(&mem, threads);
    assert_int_equal(vg_pool_threads(a.pool), threads);
    const uint64_t calls = mem.calls;
    for (uint64_t k = 0; k < rounds; k++) {
        a.round++;
        vg_pool_run(a.pool, add_levels, &a);
        check_levels(&a);
    }
    assert_int_equal(mem.calls, calls);
    vg_pool_free(a.pool);
    vg_mem_release(&mem);
    assert_int_equal(mem.bytes, 0);
}

static void test_rounds(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) check_rounds(threads, 1500);
    for (uint32_t threads = 4; threads <= MOST; threads++) check_rounds(threads, 25);
}

/* Each in turn comes so late that the others sleep; in between nobody calls. */
static void test_sleep(void **state) {
    (void)state;
    vg_mem mem;
    jmp_buf escape;
    table a = { .threads = 3 };
    start(&mem, &escape);
    if (setjmp(escape)) fail_msg("out of memory");
    a.pool = vg_pool_new(&mem, a.threads);
    for (a.round = 0; a.round < 24; a.round++) {
        a.slow = (uint32_t)(a.round % 4);
        vg_pool_run(a.pool, add_levels, &a);
        check_levels(&a);
        if (a.slow == 0) sleep_long();
    }
    vg_mem_release(&mem);      /* ends the pool, too */
    assert_int_equal(mem.bytes, 0);
}

static void count_threads(void *user, uint32_t t) {
    uint32_t *seen = user;
    seen[t]++;
}

/* Work without a meeting, of which only the end is waited for; several pools beside each other. */
static void test_several(void **state) {
    (void)state;
    vg_mem mem;
    jmp_buf escape;
    vg_pool *pools[4];
    uint32_t seen[4][MOST] = { { 0 } };
    start(&mem, &escape);
    if (setjmp(escape)) fail_msg("out of memory");
    for (uint32_t k = 0; k < 4; k++) pools[k] = vg_pool_new(&mem, k + 1);
    for (uint32_t round = 0; round < 200; round++)
        for (uint32_t k = 0; k < 4; k++) vg_pool_run(pools[k], count_threads, seen[k]);
    for (uint32_t k = 0; k < 4; k++)
        for (uint32_t t = 0; t < MOST; t++) assert_int_equal(seen[k][t], t <= k ? 200 : 0);
    vg_pool_free(pools[1]);
    vg_pool_free(NULL);
    vg_mem_release(&mem);
    assert_int_equal(mem.bytes, 0);
}

/* Ended at once, by hand, with the memory, or because there is none. */
static void work(vg_mem *mem, void *user) {
    vg_pool *pool = vg_pool_new(mem, 3);
    uint32_t seen[3] = { 0 };
    vg_mem_alloc(mem, 100);
    if (user) vg_pool_run(pool, count_threads, seen);
    vg_mem_alloc(mem, 100);
}

static void test_ends(void **state) {
    (void)state;
    int any = 0;
    for (uint32_t round = 0; round < 50; round++) {
        survive_every_call(work, NULL);
        survive_every_call(work, &any);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds), cmocka_unit_test(test_sleep), cmocka_unit_test(test_several),
        cmocka_unit_test(test_ends)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
