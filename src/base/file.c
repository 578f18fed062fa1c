/* The door for files (file.h). Descriptors are registered with the vg_mem while allocations can fail. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct vg_file {
    vg_mem  *mem;
    vg_disk *disk;
    int      descriptor;
    void    *handle;    /* NULL: borrowed, not to be closed */
};

static void close_descriptor(void *object) {
    close((int)(intptr_t)object);
}
static void *own_descriptor(vg_mem *mem, int descriptor) {
    return vg_mem_own(mem, close_descriptor, (void *)(intptr_t)descriptor);
}

/* Reads to the end, whatever the file's length was said to be: pipes have none, and files grow. */
static int read_all(vg_mem *mem, int descriptor, size_t expected, size_t limit, char **text, size_t *length) {
    size_t capacity = expected + 1, used = 0;
    char *block = vg_mem_alloc(mem, capacity + 1);
    for (;;) {
        ssize_t got = read(descriptor, block + used, capacity - used);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        int failed = got < 0 ? errno : 0;
        used += got > 0 ? (size_t)got : 0;
        failed = used > limit ? EFBIG : failed;
        if (failed) {
            vg_mem_free(mem, block);
            return failed;
        }
        if (got == 0) {
            block[used] = '\0';
            *text = block;
            *length = used;
            return 0;
        }
        if (used == capacity) {
            capacity *= 2;
            block = vg_mem_resize(mem, block, capacity + 1);
        }
    }
}

int vg_file_read(vg_mem *mem, const char *path, size_t limit, char **text, size_t *length) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return errno;
    }
    void *handle = own_descriptor(mem, descriptor);
    struct stat status;
    int failed = fstat(descriptor, &status) ? errno : 0;
    size_t expected = 0;
    if (!failed && S_ISDIR(status.st_mode)) {
        failed = EISDIR;
    } else if (!failed && S_ISREG(status.st_mode)) {
        expected = (size_t)status.st_size;
        failed = expected > limit ? EFBIG : 0;
    }
    if (!failed) {
        failed = read_all(mem, descriptor, expected, limit, text, length);
    }
    vg_mem_disown(mem, handle, true);
    return failed;
}

int vg_file_read_open(vg_mem *mem, int descriptor, size_t limit, char **text, size_t *length) {
    struct stat status;
    int failed = fstat(descriptor, &status) ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
    return failed ? failed : read_all(mem, descriptor, 1 << 16, limit, text, length);
}

static vg_file *new_file(vg_mem *mem, vg_disk *disk, int descriptor) {
    vg_file *file = vg_mem_alloc(mem, sizeof *file);
    *file = (vg_file){ .mem = mem, .disk = disk, .descriptor = descriptor };
    return file;
}

int vg_file_create(vg_mem *mem, vg_disk *disk, const char *path, bool exclusive, vg_file **file) {
    vg_file *made = new_file(mem, disk, -1);   /* before the descriptor, which has no owner yet */
    made->descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (exclusive ? O_EXCL : 0), 0666);
    if (made->descriptor < 0) {
        int failed = errno;
        vg_mem_free(mem, made);
        return failed;
    }
    made->handle = own_descriptor(mem, made->descriptor);
    *file = made;
    return 0;
}

vg_file *vg_file_borrow(vg_mem *mem, vg_disk *disk, int descriptor) {
    return new_file(mem, disk, descriptor);
}

/* Whether a test wants this call to fail. */
static bool is_refused(const vg_file *file) {
    return file->disk && ++file->disk->writes == file->disk->fail_at;
}

int vg_file_write(vg_file *file, const void *bytes, size_t length) {
    const char *next = bytes;
    while (length) {
        if (is_refused(file)) {
            return ENOSPC;
        }
        ssize_t done = write(file->descriptor, next, length);
        if (done < 0 && errno != EINTR) {
            return errno;
        }
        if (done > 0) {
            next += done;
            length -= (size_t)done;
        }
    }
    return 0;
}

int vg_file_sync(vg_file *file) {
    return is_refused(file) ? ENOSPC : fsync(file->descriptor) ? errno : 0;
}

int vg_file_close(vg_file *file) {
    int failed = 0;
    if (file->handle) {
        vg_mem_disown(file->mem, file->handle, false);
        failed = close(file->descriptor) ? errno : 0;
    }
    vg_mem_free(file->mem, file);
    return failed;
}

/* ---- replacing */

/* Nothing is allocated while the descriptors of this part are open, so they need no owner. Closes this one. */
static int write_pieces(vg_disk *disk, int descriptor, const vg_piece *pieces, size_t count, bool sync) {
    if (descriptor < 0) {
        return errno;
    }
    vg_file file = { .disk = disk, .descriptor = descriptor };
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++) {
        failed = vg_file_write(&file, pieces[i].bytes, pieces[i].length);
    }
    failed = failed || !sync ? failed : vg_file_sync(&file);
    int closed = close(descriptor) ? errno : 0;
    return failed ? failed : closed;
}

/* A new file, with the mode of the one that it will replace, where there is one. */
static int create_beside(const char *path, const struct stat *old) {
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC };
    int descriptor = open(path, FLAGS, 0666);
    if (descriptor < 0 && errno == EEXIST) {   /* of a process that was killed: no thread that lives has our number */
        unlink(path);
        descriptor = open(path, FLAGS, 0666);
    }
    if (descriptor >= 0 && old && fchmod(descriptor, old->st_mode & 07777)) {
        errno = 0;      /* some file systems have no modes */
    }
    return descriptor;
}

/* A name is on the disk when its folder is. There are file systems that cannot sync a folder and need not. */
static int sync_folder(vg_disk *disk, const char *folder) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return errno;
    }
    vg_file file = { .disk = disk, .descriptor = descriptor };
    int failed = vg_file_sync(&file);
    close(descriptor);
    return failed == EINVAL ? 0 : failed;
}

int vg_file_replace(vg_mem *mem, vg_disk *disk, const char *path, const vg_piece *pieces, size_t count, bool sync) {
    struct stat old;
    char target[PATH_MAX];
    const bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode)) {      /* a device or a pipe has nothing to be replaced */
        return write_pieces(disk, open(path, O_WRONLY | O_CLOEXEC), pieces, count, false);
    }
    if (exists && realpath(path, target)) {     /* a link goes on being one */
        path = target;
    }
    size_t room = strlen(path) + 24;
    char *beside = vg_mem_alloc(mem, room), *folder = vg_path_join_sibling(mem, path, ".");
    snprintf(beside, room, "%s.%ld", path, (long)gettid());
    int failed = write_pieces(disk, create_beside(beside, exists ? &old : NULL), pieces, count, sync);
    if (!failed && rename(beside, path)) {
        failed = errno;
    }
    if (failed) {
        unlink(beside);
    }
    failed = failed || !sync ? failed : sync_folder(disk, folder);
    vg_mem_free(mem, folder);
    vg_mem_free(mem, beside);
    return failed;
}

/* ---- folders */

static int make_folder(const char *path) {
    struct stat status;
    if (mkdir(path, 0777) == 0) {
        return 0;
    }
    int failed = errno;
    if (failed == EEXIST) {
        failed = stat(path, &status) ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    }
    return failed;
}

int vg_folder_create(const char *path) {
    char prefix[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof prefix) {
        return ENAMETOOLONG;
    }
    memcpy(prefix, path, length + 1);
    for (size_t i = 1; i < length; i++) {
        if (path[i] == '/' && path[i - 1] != '/') {
            prefix[i] = '\0';
            int failed = make_folder(prefix);
            if (failed) {
                return failed;
            }
            prefix[i] = '/';
        }
    }
    return make_folder(path);
}

bool vg_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool vg_file_same(const char *a, const char *b) {
    struct stat one, two;
    return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

char *vg_path_join_sibling(vg_mem *mem, const char *beside, const char *path) {
    const char *slash = *path == '/' ? NULL : strrchr(beside, '/');
    size_t folder = slash ? (size_t)(slash + 1 - beside) : 0, rest = strlen(path);
    char *joined = vg_mem_alloc(mem, folder + rest + 1);
    memcpy(joined, beside, folder);
    memcpy(joined + folder, path, rest);
    return joined;
}
