/* Files in the address space (file.h). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static void unmap(void *object) {
    const vg_mapping *mapping = object;
    if (mapping->length) {
        munmap(mapping->bytes, mapping->length);
    }
}

/* The mapping is made before there is anything to lose, and owned before anything else is allocated. */
static int map(vg_mapping *made, int descriptor, size_t length, bool written) {
    static char nothing[1];
    void *bytes = nothing;
    if (length) {
        bytes = mmap(NULL, length, written ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0);
        if (bytes == MAP_FAILED) {
            return errno;
        }
    }
    made->bytes = bytes;
    made->length = length;
    return 0;
}

/* Hands it over, or frees it where it failed. */
static int finish(vg_mapping *made, int failed, vg_mapping **mapping) {
    vg_mem *mem = made->mem;
    if (failed) {
        vg_mem_free(mem, made);
        return failed;
    }
    made->handle = vg_mem_own(mem, unmap, made);
    *mapping = made;
    return 0;
}

static vg_mapping *start(vg_mem *mem) {
    vg_mapping *made = vg_mem_alloc(mem, sizeof *made);
    made->mem = mem;
    return made;
}

int vg_file_map(vg_mem *mem, const char *path, vg_mapping **mapping) {
    struct stat status;
    vg_mapping *made = start(mem);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);   /* a pipe is refused, not waited for */
    if (descriptor < 0) {
        return finish(made, errno, mapping);
    }
    int failed = fstat(descriptor, &status) ? errno : S_ISDIR(status.st_mode) ? EISDIR
               : S_ISREG(status.st_mode) ? 0 : ENODEV;
    failed = failed ? failed : map(made, descriptor, (size_t)status.st_size, false);
    close(descriptor);
    return finish(made, failed, mapping);
}

/* A file that has lost its name again; -1 with errno. */
static int open_nameless(void) {
    char path[PATH_MAX];
    const char *folder = getenv("TMPDIR");
    folder = folder && *folder ? folder : "/var/tmp";   /* not /tmp, which may lie in memory */
    if ((size_t)snprintf(path, sizeof path, "%s/vgraph-XXXXXX", folder) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0) {
        unlink(path);
    }
    return descriptor;
}

int vg_file_scratch(vg_mem *mem, size_t length, vg_mapping **mapping) {
    vg_mapping *made = start(mem);
    int descriptor = open_nameless();
    if (descriptor < 0) {
        return finish(made, errno, mapping);
    }
    int failed = posix_fallocate(descriptor, 0, (off_t)length);
    failed = failed ? failed : map(made, descriptor, length, true);
    close(descriptor);
    return finish(made, failed, mapping);
}

void vg_file_unmap(vg_mapping *mapping) {
    vg_mem_disown(mapping->mem, mapping->handle, true);
    vg_mem_free(mapping->mem, mapping);
}
