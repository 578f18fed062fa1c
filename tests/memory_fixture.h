/* Without memory: work that has its memory refused at one call after the other. Included after cmocka.h. */
#ifndef VG_TESTS_MEMORY_FIXTURE_H
#define VG_TESTS_MEMORY_FIXTURE_H

#include "base/mem.h"

typedef void work_with_memory(vg_mem *mem, void *user);

/* Does the work with call n failing; true when it needed fewer calls. Either way nothing may be left. */
static bool survives(work_with_memory *work, void *user, uint64_t n) {
    vg_mem mem;
    jmp_buf escape;
    vg_mem_init(&mem);
    mem.escape = &escape;
    mem.fail_at = n;
    const bool jumped = setjmp(escape);
    if (!jumped) {
        work(&mem, user);
    }
    assert_true(jumped ? mem.calls == n : mem.calls < n);
    vg_mem_release(&mem);
    assert_int_equal(mem.bytes, 0);
    return !jumped;
}

/* With call 1, 2, ... failing, until none does; how many calls the work needs. */
static uint64_t survive_every_call(work_with_memory *work, void *user) {
    uint64_t n = 1;
    while (!survives(work, user, n)) {
        n++;
    }
    return n - 1;
}

#endif
