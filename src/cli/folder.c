/* A run's folder. Nothing of an earlier run is overwritten. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "cli.h"

enum { TRIES = 1000 };

char *vg_cli_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    const size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    return vg_cli_format("%.*s", (int)length, name);
}

static char *complain_about(char *folder, int error, vg_status *status) {
    vg_cli_complain("cannot make the run's folder '%s': %s", folder, strerror(error));
    *status = VG_FAILED_RESOURCE;
    free(folder);
    return NULL;
}

/* Two runs in one second get -2, -3, ... */
static char *make_dated(const char *parent, const char *model_path, vg_status *status) {
    char date[32] = "";
    const time_t now = time(NULL);
    struct tm fields;
    if (localtime_r(&now, &fields)) {
        strftime(date, sizeof date, "%Y%m%d-%H%M%S", &fields);
    }
    if (mkdir(parent, 0777) != 0 && errno != EEXIST) {
        return complain_about(vg_cli_format("%s", parent), errno, status);
    }
    char *name = vg_cli_base_name(model_path);
    char *folder = vg_cli_format("%s/%s-%s", parent, name, date);
    int failed = mkdir(folder, 0777) != 0 ? errno : 0;
    for (int n = 2; failed == EEXIST && n < TRIES; n++) {
        free(folder);
        folder = vg_cli_format("%s/%s-%s-%d", parent, name, date, n);
        failed = mkdir(folder, 0777) != 0 ? errno : 0;
    }
    free(name);
    return failed ? complain_about(folder, failed, status) : folder;
}

static bool holds_run(const char *folder) {
    DIR *directory = opendir(folder);
    bool found = false;
    for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        found = strcmp(entry->d_name, "run.json") == 0 || strcmp(entry->d_name, "sweep.json") == 0 ||
                strncmp(entry->d_name, "events.out.tfevents.", 20) == 0;
    }
    if (directory) {
        closedir(directory);
    }
    return found;
}

bool vg_cli_folder_create(const char *path) {
    char *prefix = vg_cli_format("%s", path);
    int failed = 0;
    for (char *slash = prefix; !failed && slash; *slash = '/') {
        slash = strchr(slash + 1, '/');
        if (!slash) {
            break;
        }
        *slash = '\0';
        failed = mkdir(prefix, 0777) != 0 && errno != EEXIST ? errno : 0;
    }
    free(prefix);
    if (!failed && mkdir(path, 0777) != 0 && errno != EEXIST) {
        failed = errno;
    }
    if (failed) {
        vg_cli_complain("cannot make the folder '%s': %s", path, strerror(failed));
    }
    return !failed;
}

char *vg_cli_folder_make(const vg_cli_options *options, const char *parent, const char *model_path, vg_status *status) {
    if (!options->out) {
        return make_dated(parent, model_path, status);
    }
    if (holds_run(options->out)) {
        *status = vg_cli_usage(options->verb, "'%s' holds the files of an earlier run; name another folder%s", options->out,
                               options->verb->bit == VG_CLI_RUN ? ", or go on with --resume" : "");
        return NULL;
    }
    return vg_cli_format("%s", options->out);   /* the sinks make it, with its parents */
}

bool vg_cli_folder_lock(const char *folder) {
    const int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);      /* open, and locked, until the end */
    if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        return true;      /* where there are no locks nobody can tell */
    }
    vg_cli_complain("another run is writing to '%s'", folder);
    return false;
}
