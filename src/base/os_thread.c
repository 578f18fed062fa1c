/* Threads on Linux (thread.h): POSIX threads, futex(2), sched_getaffinity(2), cgroup v2's cpu.max. */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"

struct vg_thread {
    pthread_t handle;
    pid_t     process;
    void    (*body)(void *user);
    void     *user;
};

static void *enter(void *argument) {
    vg_thread *thread = argument;
    thread->body(thread->user);
    return NULL;
}

/* The handle lives outside of any vg_mem: a failed allocation here is "no thread", not the end of the run. */
vg_thread *vg_thread_start(void (*body)(void *user), void *user) {
    sigset_t all, before;
    vg_thread *thread = malloc(sizeof *thread);
    if (thread == NULL) return NULL;
    *thread = (vg_thread){ .process = getpid(), .body = body, .user = user };
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&thread->handle, NULL, enter, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0) return thread;
    free(thread);
    return NULL;
}

bool vg_thread_is_here(const vg_thread *thread) { return thread->process == getpid(); }

void vg_thread_join(vg_thread *thread) {
    if (thread == NULL) return;
    if (vg_thread_is_here(thread)) pthread_join(thread->handle, NULL);
    free(thread);
}

void vg_thread_wait(vg_word32 *word, uint32_t seen, uint32_t spin) {
    for (uint32_t k = 0; k < spin; k++) {
        if (atomic_load_explicit(word, memory_order_acquire) != seen) return;
        vg_thread_pause();
    }
    while (atomic_load_explicit(word, memory_order_acquire) == seen)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void vg_thread_nap(vg_word32 *word, uint32_t seen, uint32_t microseconds) {
    const struct timespec most = { microseconds / 1000000, (long)(microseconds % 1000000) * 1000 };
    if (atomic_load_explicit(word, memory_order_acquire) == seen)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &most, NULL, 0);
}

void vg_thread_wake(vg_word32 *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

uint32_t vg_thread_cores(void) {
    cpu_set_t set;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
    long long quota, period;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file && fscanf(file, "%lld %lld", &quota, &period) == 2 && period > 0 && quota > 0) {   /* "max": no limit */
        const long long share = (quota + period - 1) / period;
        if (share < cores) cores = (long)share;
    }
    if (file) fclose(file);
    return cores > 0 ? (uint32_t)cores : 1;
}
