/* vgraph fmt: files in the one layout, rewritten where they lie. A file is replaced by a whole one or not at all. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

typedef struct buffer { char *text; size_t length, capacity; } buffer;

static bool append(void *user, const char *bytes, size_t length) {
    buffer *b = user;
    if (length > b->capacity - b->length) {
        const size_t capacity = 2 * b->capacity + length;
        char *grown = realloc(b->text, capacity);
        if (!grown) {
            vg_cli_complain("there is not enough memory");
            return false;
        }
        b->text = grown;
        b->capacity = capacity;
    }
    memcpy(b->text + b->length, bytes, length);
    b->length += length;
    return true;
}

/* What can be read of `file` to its end; 0, or errno. */
static int read_stream(FILE *file, buffer *text) {
    char block[1 << 14];
    size_t got;
    errno = 0;
    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        if (!append(text, block, got)) {
            return ENOMEM;
        }
    }
    return ferror(file) ? (errno ? errno : EIO) : 0;
}

static int read_path(const char *path, buffer *text) {
    FILE *file = fopen(path, "rbe");
    if (!file) {
        return errno;
    }
    const int failed = read_stream(file, text);
    fclose(file);
    return failed;
}

/* ---- writing */

static int write_whole(int descriptor, const buffer *text) {
    for (size_t at = 0; at < text->length;) {
        const ssize_t done = write(descriptor, text->text + at, text->length - at);
        if (done < 0 && errno != EINTR) {
            return errno;
        }
        at += done > 0 ? (size_t)done : 0;
    }
    return fsync(descriptor) ? errno : 0;
}

/* The owner, where that is allowed, and the permissions, which a change of the owner may take away. */
static int keep_rights(int descriptor, const struct stat *status) {
    const bool kept = fchown(descriptor, status->st_uid, status->st_gid) == 0;
    return fchmod(descriptor, status->st_mode & (kept ? 07777 : 0777)) ? errno : 0;
}

/* Writes a file beside `path` and renames it; 0, or errno. */
static int replace(const char *path, const buffer *text) {
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno;
    }
    if (access(path, W_OK) != 0) {
        return errno;   /* the folder's permission would do, but the file is not to be changed */
    }
    char *beside = vg_cli_format("%s.XXXXXX", path);
    const int descriptor = mkstemp(beside);
    int failed = descriptor < 0 ? errno : keep_rights(descriptor, &status);
    if (descriptor >= 0) {
        failed = failed ? failed : write_whole(descriptor, text);
        failed = close(descriptor) && !failed ? errno : failed;
        failed = !failed && rename(beside, path) ? errno : failed;
        if (failed) {
            unlink(beside);
        }
    }
    free(beside);
    return failed;
}

/* ---- one file */

static vg_status put(const vg_cli_options *options, const char *path, const char *name, const buffer *old,
                     const buffer *laid) {
    const bool same = old->length == laid->length && (!old->length || memcmp(old->text, laid->text, old->length) == 0);
    if (options->check) {
        if (!same) {
            vg_cli_write(options->output, name, strlen(name));
            vg_cli_write(options->output, "\n", 1);
        }
        return same ? VG_OK : VG_FAILED_MODEL;
    }
    if (!path) {
        return !laid->length || vg_cli_write(options->output, laid->text, laid->length) ? VG_OK : VG_FAILED_RESOURCE;
    }
    const int failed = same ? 0 : replace(path, laid);
    if (failed) {
        vg_cli_complain("cannot write '%s': %s", name, strerror(failed));
    }
    return failed ? VG_FAILED_RESOURCE : VG_OK;
}

static vg_status cannot_read(const char *name, int failed) {
    vg_cli_complain("cannot read '%s': %s", name, strerror(failed));
    return VG_FAILED_RESOURCE;
}

/* `path`: where the text lies, symbolic links followed; NULL: standard input. */
static vg_status format(const vg_cli_options *options, const char *path, const char *name) {
    buffer old = { 0 }, laid = { 0 };
    const int failed = path ? read_path(path, &old) : read_stream(stdin, &old);
    vg_status status = failed ? cannot_read(name, failed) : VG_OK;
    vg_model *model = failed ? NULL : vg_model_new();
    if (!failed && !model) {
        vg_cli_complain("there is not enough memory");
        status = VG_FAILED_RESOURCE;
    }
    if (model) {
        status = vg_model_format(model, name, old.text ? old.text : "", old.length, append, &laid);
        vg_cli_explain(options, model, 0);
        vg_model_free(model);
        status = status == VG_OK ? put(options, path, name, &old, &laid) : status;
    }
    free(old.text);
    free(laid.text);
    return status;
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static vg_status format_path(const vg_cli_options *options, const char *name) {
    char *path = realpath(name, NULL);
    const vg_status status = path ? format(options, path, name) : cannot_read(name, errno);
    free(path);
    return status;
}

static int is_model(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name && strcmp(dot, ".nn") == 0;
}

/* The models that lie in a folder itself. */
static vg_status format_folder(const vg_cli_options *options, const char *folder) {
    struct dirent **entries;
    const int count = scandir(folder, &entries, is_model, alphasort);
    if (count < 0) {
        return cannot_read(folder, errno);
    }
    vg_status status = VG_OK;
    for (int i = 0; i < count; i++) {
        const bool slash = folder[strlen(folder) - 1] == '/';
        char *name = vg_cli_format("%s%s%s", folder, slash ? "" : "/", entries[i]->d_name);
        status = vg_cli_worse(status, format_path(options, name));
        free(name);
        free(entries[i]);
    }
    free(entries);
    return status;
}

vg_status vg_cli_fmt(const vg_cli_options *options) {
    vg_status status = VG_OK;
    for (int i = 0; i < options->argument_count; i++) {
        const char *name = options->arguments[i];
        status = vg_cli_worse(status, strcmp(name, "-") == 0 ? format(options, NULL, "standard input") :
                                      is_folder(name)        ? format_folder(options, name)
                                                             : format_path(options, name));
    }
    return status;
}
