/* Runs a command some times and says of each run its seconds by the clock, those that processors spent on it, its peak
 * resident memory in kB and its exit status:
 *
 *     bench_job TIMES COMMAND [ARGUMENT...]
 *
 * A program of its own, since a process inherits the peak of the one that starts it: here that is next to nothing. The
 * command's output goes to /dev/null. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contender.h"

static _Noreturn void become(char **command) {
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    execvp(command[0], command);
    _exit(127);
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static bool run_once(char **command) {
    const uint64_t begun = contender_now();
    const pid_t child = fork();
    if (child == 0) become(command);
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror(command[0]);
        return false;
    }
    printf("%.6f %.6f %ld %d\n", (double)(contender_now() - begun) / 1e9,
           seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    fflush(stdout);
    return true;
}

int main(int count, char **arguments) {
    const long times = count > 2 ? strtol(arguments[1], NULL, 10) : 0;
    if (times < 1) {
        fprintf(stderr, "usage: %s TIMES COMMAND [ARGUMENT...]\n", arguments[0]);
        return 2;
    }
    for (long k = 0; k < times; k++)
        if (!run_once(arguments + 2)) return 1;
    return 0;
}
