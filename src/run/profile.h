/* Where a step's time goes: laps of one clock on the caller's thread, each of which begins where the one before ended,
 * so that all of them together are the step. */
#ifndef VG_RUN_PROFILE_H
#define VG_RUN_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/os.h"

/* The lines that are no rows of a program. */
typedef enum vg_lap {
    VG_LAP_loading,        /* the mini-batch */
    VG_LAP_scalars,        /* computed on the host */
    VG_LAP_waiting,        /* for the other threads */
    VG_LAP_recording,      /* summaries, expects and fetches handed over */
    VG_LAP_updates,        /* new values copied into their variables */
    VG_LAP_rest,
    VG_LAP_COUNT
} vg_lap;

/* By line: VG_LAP_COUNT, then the steps of each program from its first_line on. */
typedef struct vg_profile {
    double    at;          /* when the last lap ended */
    double   *seconds;     /* of this step */
    uint32_t *laps;
} vg_profile;

/* What has passed since the last lap belongs to `line`. NULL: nobody measures. */
static inline void vg_profile_lap(vg_profile *profile, uint32_t line) {
    if (profile == NULL) return;
    const double now = vg_os_seconds();
    profile->seconds[line] += now - profile->at;
    profile->laps[line]++;
    profile->at = now;
}

#endif
