/* Checkpoints on the command line: values that are loaded, and runs that go on. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static const char file_name[] = "checkpoint.safetensors";

/* ---- --load */

static bool list_row(void *user, const vg_load_row *row) {
    (void)user;
    if (row->beside) {      /* optimizers begin anew as well */
        return true;
    }
    switch (row->state) {
    case VG_LOADED:
        break;
    case VG_LOADED_NOT:
        fprintf(stderr, "not loaded: %s %s is not in the file\n", row->name, row->model);
        break;
    case VG_LOADED_OTHER_SHAPE:
        fprintf(stderr, "not loaded: %s is %s in the file, and %s in the model\n", row->name, row->file, row->model);
        break;
    case VG_LOADED_UNEXPECTED:
        fprintf(stderr, "not loaded: %s %s is not in the model\n", row->name, row->file);
        break;
    }
    return true;
}

char *vg_cli_values_path(const vg_cli_options *options) {
    if (!options->load) {
        return vg_cli_checkpoint_path(options->arguments[0]);
    }
    char *path = vg_cli_checkpoint_path(options->load);
    return path ? path : vg_cli_format("%s", options->load);
}

vg_status vg_cli_needs_values(const vg_cli_options *options) {
    char *path = vg_cli_values_path(options);
    const bool has = path != NULL;
    free(path);
    return has ? VG_OK : vg_cli_usage(options->verb, "'vgraph %s' needs --load: the checkpoint with the values",
                                      options->verb->name);
}

vg_status vg_cli_load_values(const vg_cli_options *options, vg_run *run) {
    const vg_load_options how = { .partial = options->partial, .report = options->partial ? list_row : NULL };
    char *path = vg_cli_values_path(options);
    if (!path && options->partial) {
        return vg_cli_usage(options->verb, "--partial goes with --load");
    }
    const vg_status status = path ? vg_run_load(run, path, &how) : VG_OK;
    free(path);
    return status;
}

/* ---- --resume */

static bool has_checkpoint(const char *folder, struct stat *status) {
    char *path = vg_cli_format("%s/%s", folder, file_name);
    const bool has = stat(path, status) == 0;
    free(path);
    return has;
}

/* Of the folders runs/NAME-..., the one whose checkpoint is the latest; NULL: none has one. */
static char *newest_folder(const char *name) {
    char *prefix = vg_cli_format("%s-", name), *newest = NULL;
    struct timespec latest = { 0 };
    DIR *directory = opendir("runs");
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0) {
            continue;
        }
        struct stat status;
        char *folder = vg_cli_format("runs/%s", entry->d_name);
        const bool has = has_checkpoint(folder, &status);
        const struct timespec time = has ? status.st_mtim : latest;
        if (has && (!newest || time.tv_sec > latest.tv_sec ||
                    (time.tv_sec == latest.tv_sec && time.tv_nsec > latest.tv_nsec))) {
            free(newest);
            newest = folder;
            latest = time;
        } else {
            free(folder);
        }
    }
    if (directory) {
        closedir(directory);
    }
    free(prefix);
    return newest;
}

char *vg_cli_resume_folder(const vg_cli_options *options, const char *model_path, vg_status *status) {
    struct stat seen;
    if (options->out && stat(options->out, &seen) == 0 && S_ISDIR(seen.st_mode)) {
        return vg_cli_format("%s", options->out);
    }
    if (options->out) {
        *status = vg_cli_usage(options->verb, "'%s' is no run's folder to go on in; without --resume a run begins there",
                               options->out);
        return NULL;
    }
    char *name = vg_cli_base_name(model_path), *folder = newest_folder(name);
    if (!folder) {
        *status = vg_cli_usage(options->verb, "no folder runs/%s-... has a checkpoint to go on from; --out names the "
                               "folder", name);
    }
    free(name);
    return folder;
}

/* What a run that was killed while it wrote a file has left beside it: NAME.NUMBER. */
static void clear_remains(const char *folder) {
    static const char *const names[] = { file_name, "best.safetensors", "run.json", "report.html" };
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const size_t length = strlen(names[i]);
            const char *number = entry->d_name + length + 1;
            if (strncmp(entry->d_name, names[i], length) == 0 && entry->d_name[length] == '.' && *number &&
                number[strspn(number, "0123456789")] == '\0') {
                unlinkat(dirfd(directory), entry->d_name, 0);
            }
        }
    }
    if (directory) {
        closedir(directory);
    }
}

vg_status vg_cli_resume(vg_run *run, const char *folder) {
    struct stat status;
    clear_remains(folder);
    if (!has_checkpoint(folder, &status)) {
        fprintf(stderr, "note: '%s' has no checkpoint yet: the run begins at its first step\n", folder);
        return VG_OK;
    }
    char *path = vg_cli_format("%s/%s", folder, file_name);
    const vg_status answer = vg_run_resume(run, path);
    free(path);
    return answer;
}
