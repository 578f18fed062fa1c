/* Threads that work on one program together: they are started once, wait for work by spinning for a while and then
 * sleeping, and can meet in the middle of it. */
#ifndef VG_RUN_POOL_H
#define VG_RUN_POOL_H

#include "base/mem.h"
#include "base/thread.h"

typedef struct vg_pool vg_pool;

/* `threads` >= 1 with the caller's own. Fewer are started where the system gives no more: see vg_pool_threads. The
 * memory is mem's. */
vg_pool *vg_pool_new(vg_mem *mem, uint32_t threads);
void     vg_pool_free(vg_pool *pool);      /* NULL is allowed; also runs when mem is released */
uint32_t vg_pool_threads(const vg_pool *pool);
/* Runs work(user, t) for every thread t of the pool, 0 being the caller's; returns when all are done. */
void     vg_pool_run(vg_pool *pool, void (*work)(void *user, uint32_t thread), void *user);
/* Within work: returns when all of them have called it. */
void     vg_pool_meet(vg_pool *pool);

#endif
