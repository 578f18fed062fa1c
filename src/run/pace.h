/* Whether the threads of a program work together or the caller's works alone: whichever takes less time now.
 *
 * Threads that meet wait for the slowest. Where another process wants one of their cores, that is a thread which the system
 * has taken off its core, for longer than a whole step may take; one thread alone is faster then. No bit depends on the
 * choice, so it may change from step to step.
 *
 * Both ways are measured by means over windows of steps, long enough to have the system's time slices in them. Together, the
 * other way is looked at now and then; alone, the more seldom the more often it was in vain. */
#ifndef VG_RUN_PACE_H
#define VG_RUN_PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum vg_pace_state { VG_PACE_together, VG_PACE_look_alone, VG_PACE_alone, VG_PACE_look_together } vg_pace_state;

/* All zeros at first. Times in seconds, of the program's own steps alone: what lies between them does not count. */
typedef struct vg_pace {
    vg_pace_state state;
    uint32_t steps;          /* of this window */
    double   seconds;
    double   alone;          /* mean of a step, when last looked at; 0: not yet */
    double   since;          /* spent in this way since the other was looked at */
    uint32_t patience;       /* how long alone until the next look: times the shortest; 0: not alone for long */
    bool     fixed;          /* together, whatever it takes: for who asks what that takes */
} vg_pace;

static inline bool vg_pace_is_together(const vg_pace *pace) {
    return pace->fixed || pace->state == VG_PACE_together || pace->state == VG_PACE_look_together;
}
/* A step took so long, in the way that vg_pace_is_together said before it. */
void vg_pace_add(vg_pace *pace, double seconds);

#endif
