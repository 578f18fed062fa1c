/* A file for results, which replaces the one that was there when it is whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* What is being written; "" is nothing. The program writes one result at a time. */
static char writing[4096];

void vg_cli_result_abandon(void) {
    if (*writing) {
        unlink(writing);
    }
}

static bool complain(const char *path, int error) {
    vg_cli_complain("cannot write '%s': %s", path, strerror(error));
    return false;
}

bool vg_cli_result_open(vg_cli_result *result, const char *path) {
    struct stat status;
    *result = (vg_cli_result){ .file = stdout };
    if (!path) {
        return true;
    }
    /* A pipe or a device is written to as it is; a link goes on being one. */
    const bool exists = stat(path, &status) == 0;
    result->path = exists ? realpath(path, NULL) : vg_cli_format("%s", path);
    if (result->path && (!exists || S_ISREG(status.st_mode))) {
        result->beside = vg_cli_format("%s.%ld", result->path, (long)getpid());
    }
    result->file = result->path ? fopen(result->beside ? result->beside : path, result->beside ? "wxe" : "we") : NULL;
    if (result->file && result->beside && exists) {
        fchmod(fileno(result->file), status.st_mode & 07777);      /* some file systems have no modes */
    }
    if (result->file) {
        snprintf(writing, sizeof writing, "%s", result->beside ? result->beside : "");
        return true;
    }
    complain(path, errno);
    free(result->beside);
    free(result->path);
    return false;
}

bool vg_cli_result_close(vg_cli_result *result, bool keep) {
    if (!result->path) {
        return true;      /* the end of the program looks at standard output */
    }
    int failed = ferror(result->file) ? EIO : 0;
    errno = 0;
    if (fclose(result->file) != 0) {
        failed = errno ? errno : EIO;
    }
    if (result->beside && keep && !failed && rename(result->beside, result->path) != 0) {
        failed = errno;
    }
    if (result->beside && (!keep || failed)) {
        unlink(result->beside);
    }
    *writing = '\0';
    const bool fine = !failed || complain(result->path, failed);
    free(result->beside);
    free(result->path);
    return fine;
}
