/* See pace.h. */
#include "run/pace.h"

/* Seconds, and the steps that they are at least. A window together has to have some time slices in it; one alone is not
 * disturbed by them. */
typedef struct stretch { double seconds; uint32_t steps; } stretch;
static const stretch TOGETHER = { 0.01, 4 }, ALONE = { 0.002, 1 };      /* windows */
static const stretch FIRST_LOOK = { 0.05, 20 }, NEXT_LOOK = { 1, 200 }, PATIENCE = { 0.04, 8 };
enum { PATIENCE_MOST = 32 };

static bool is_over(stretch s, double times, double seconds, double mean) {
    return seconds > times * s.seconds && seconds > times * s.steps * mean;
}

static void turn(vg_pace *pace, vg_pace_state state) {
    pace->state = state;
    pace->since = 0;
}

static void judge_together(vg_pace *pace, double mean) {
    const bool looks = pace->state == VG_PACE_look_together;
    if (pace->alone > 0 && mean > pace->alone) {
        pace->patience = pace->patience == 0 ? 1 : looks && pace->patience < PATIENCE_MOST ? 2 * pace->patience : pace->patience;
        turn(pace, VG_PACE_alone);
    } else if (looks) {
        turn(pace, VG_PACE_together);
    } else if (is_over(pace->alone > 0 ? NEXT_LOOK : FIRST_LOOK, 1, pace->since, mean)) {
        pace->patience = 0;      /* it went well for long */
        turn(pace, VG_PACE_look_alone);
    }
}

static void judge_alone(vg_pace *pace, double mean) {
    pace->alone = mean;
    if (pace->state == VG_PACE_look_alone) turn(pace, VG_PACE_together);
    else if (is_over(PATIENCE, pace->patience, pace->since, mean)) turn(pace, VG_PACE_look_together);
}

void vg_pace_add(vg_pace *pace, double seconds) {
    const bool together = vg_pace_is_together(pace);
    const stretch window = together ? TOGETHER : ALONE;
    pace->steps++;
    pace->seconds += seconds;
    pace->since += seconds;
    if (pace->steps < window.steps || pace->seconds < window.seconds) return;
    const double mean = pace->seconds / pace->steps;
    pace->steps = 0;
    pace->seconds = 0;
    if (together) judge_together(pace, mean);
    else judge_alone(pace, mean);
}
