/* Threads, and words that they wait on: a bounded spin, then a futex, so that a core taken by another process costs
 * little. Words are only ever written by the threads that share them; whoever changes one wakes those that wait. */
#ifndef VG_BASE_THREAD_H
#define VG_BASE_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct vg_thread vg_thread;
typedef _Atomic uint32_t vg_word32;

/* Runs body(user) on a thread of its own, which blocks every signal: they are the host's. NULL where the system gives
 * no thread (the caller then does the work itself). */
vg_thread *vg_thread_start(void (*body)(void *user), void *user);
/* Whether it is this process's: a child of fork(2) has none of its parent's threads. */
bool       vg_thread_is_here(const vg_thread *thread);
/* Waits for its end and forgets it; NULL is allowed. One that is not here is only forgotten. */
void       vg_thread_join(vg_thread *thread);

/* Returns when *word is no longer `seen` (acquire). Spins for about `spin` pauses first. */
void vg_thread_wait(vg_word32 *word, uint32_t seen, uint32_t spin);
/* The same, but not longer than about that many microseconds. */
void vg_thread_nap(vg_word32 *word, uint32_t seen, uint32_t microseconds);
/* Wakes all that wait for `word`, which has been changed (release). */
void vg_thread_wake(vg_word32 *word);

/* What a loop that waits does between two looks. */
static inline void vg_thread_pause(void) {
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* The cores this process may use: its affinity, and its group's share of processor time, rounded up. */
uint32_t vg_thread_cores(void);

#endif
