/* Clocks and dates (os.h). */
#include <time.h>

#include "base/os.h"

static double read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double vg_os_seconds(void) { return read_clock(CLOCK_MONOTONIC); }
double vg_os_wall_time(void) { return read_clock(CLOCK_REALTIME); }

void vg_os_date(char *text, size_t size) {
    time_t now = time(NULL);
    struct tm fields;
    text[0] = '\0';
    if (localtime_r(&now, &fields)) {
        strftime(text, size, "%Y%m%d-%H%M%S", &fields);
    }
}
