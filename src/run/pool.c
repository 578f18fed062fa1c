/* A pool of threads (pool.h). Each word that is waited for lies in a cache line of its own; a sleeper is counted, so that
 * who changes a word asks the system to wake somebody only where somebody sleeps. */
#include "run/pool.h"

enum { SPIN = 3000, LINE = 64 };      /* pauses: some 50 us, longer than what lies between two steps */

typedef struct spot {
    _Alignas(LINE) vg_word32 word;
    _Atomic uint32_t sleepers;
} spot;

typedef struct helper { vg_pool *pool; vg_thread *thread; uint32_t number; } helper;

struct vg_pool {
    spot      start;                 /* the number of the work; all ones: the end */
    spot      meeting;               /* the number of the meeting */
    _Alignas(LINE) _Atomic uint32_t here;      /* how many have come to it */
    spot      done;                  /* how many of the helpers are through with the work */
    vg_mem   *mem;
    void     *handle;
    uint32_t  threads;
    void    (*work)(void *user, uint32_t thread);
    void     *user;
    helper    helpers[];
};

enum { THE_END = UINT32_MAX };

static void wait_on(spot *s, uint32_t seen) {
    for (uint32_t k = 0; k < SPIN; k++) {
        if (atomic_load_explicit(&s->word, memory_order_acquire) != seen) return;
        vg_thread_pause();
    }
    atomic_fetch_add(&s->sleepers, 1);
    vg_thread_wait(&s->word, seen, 0);
    atomic_fetch_sub(&s->sleepers, 1);
}

/* Behind the change, in the one order of all such accesses: either the sleeper is seen, or it sees the change. */
static void wake(spot *s) {
    if (atomic_load(&s->sleepers) > 0) vg_thread_wake(&s->word);
}

static void help(void *user) {
    helper *h = user;
    vg_pool *pool = h->pool;
    uint32_t seen = 0;
    for (;;) {
        wait_on(&pool->start, seen);
        seen = atomic_load(&pool->start.word);
        if (seen == THE_END) return;
        pool->work(pool->user, h->number);
        if (atomic_fetch_add(&pool->done.word, 1) + 2 == pool->threads) wake(&pool->done);
    }
}

/* Ends and joins the helpers; the memory is released by who owns it. */
static void end(void *object) {
    vg_pool *pool = object;
    atomic_store(&pool->start.word, THE_END);
    wake(&pool->start);
    for (uint32_t k = 1; k < pool->threads; k++) vg_thread_join(pool->helpers[k].thread);
}

vg_pool *vg_pool_new(vg_mem *mem, uint32_t threads) {
    vg_pool *pool = vg_mem_alloc(mem, sizeof *pool + threads * sizeof *pool->helpers);
    pool->mem = mem;
    pool->threads = 1;
    pool->handle = vg_mem_own(mem, end, pool);
    while (pool->threads < threads) {
        helper *h = &pool->helpers[pool->threads];
        *h = (helper){ .pool = pool, .number = pool->threads };
        h->thread = vg_thread_start(help, h);
        if (h->thread == NULL) break;
        pool->threads++;
    }
    return pool;
}

void vg_pool_free(vg_pool *pool) {
    if (pool == NULL) return;
    vg_mem_disown(pool->mem, pool->handle, true);
    vg_mem_free(pool->mem, pool);
}

uint32_t vg_pool_threads(const vg_pool *pool) { return pool->threads; }

void vg_pool_run(vg_pool *pool, void (*work)(void *user, uint32_t thread), void *user) {
    if (pool->threads > 1) {
        pool->work = work;
        pool->user = user;
        atomic_store(&pool->done.word, 0);
        const uint32_t next = atomic_load(&pool->start.word) + 1;
        atomic_store(&pool->start.word, next == THE_END ? 0 : next);
        wake(&pool->start);
    }
    work(user, 0);
    for (uint32_t seen; (seen = atomic_load(&pool->done.word)) + 1 < pool->threads;) wait_on(&pool->done, seen);
}

void vg_pool_meet(vg_pool *pool) {
    const uint32_t number = atomic_load(&pool->meeting.word);
    if (atomic_fetch_add(&pool->here, 1) + 1 == pool->threads) {
        atomic_store(&pool->here, 0);
        atomic_store(&pool->meeting.word, number + 1);
        wake(&pool->meeting);
        return;
    }
    wait_on(&pool->meeting, number);
}
