/* Ctrl-C, and what else asks a run to end. */
#include <signal.h>

#include "cli.h"

/* The one thing that a signal handler can reach. */
static volatile sig_atomic_t stop_asked;
_Static_assert(_Generic(stop_asked, int: true, default: false), "what the library looks at is an int");

static void ask_to_stop(int signal_number) {
    (void)signal_number;
    stop_asked = 1;
}

/* The first Ctrl-C ends the run after the step; the handler is gone then, so that a second one kills. A terminal that
 * is closed may say so twice, to the shell's jobs and to its own, and is not listened to under nohup. */
const volatile int *vg_cli_stop_listen(void) {
    struct sigaction action = { .sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND | SA_RESTART }, hang_up;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_flags = SA_RESTART;
    if (sigaction(SIGHUP, NULL, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, &action, NULL);
    }
    return &stop_asked;
}
