/* The program with one call that fails: VGRAPH_FAIL is "alloc N" (allocation N answers NULL), "write N" (call N that
 * writes finds the disk full, half of its bytes written), "full N" (so do all from N on), or "count", which tells on
 * standard error how many there are. The linker puts the functions below before those of the C library in everything of
 * ours (--wrap, tests/CMakeLists.txt); the program has jansson allocate there, too. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

int program_main(int argc, char **argv);      /* src/cli/main.c's */

static atomic_ullong allocations, writes;
static unsigned long long failing_allocation, failing_write;      /* 0: none */
static bool stays_full;

static bool allocation_fails(void) { return ++allocations == failing_allocation; }

static bool write_fails(void) {
    const unsigned long long n = ++writes;
    if (failing_write == 0 || (stays_full ? n < failing_write : n != failing_write)) return false;
    errno = ENOSPC;
    return true;
}

/* ---- memory */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_reallocarray(void *block, size_t count, size_t size);
int   __real_vasprintf(char **text, const char *format, va_list list);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
int   __wrap_vasprintf(char **text, const char *format, va_list list);

static void *none(void) {
    errno = ENOMEM;
    return NULL;
}

void *__wrap_malloc(size_t size) { return allocation_fails() ? none() : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return allocation_fails() ? none() : __real_calloc(count, size); }
void *__wrap_realloc(void *block, size_t size) { return allocation_fails() ? none() : __real_realloc(block, size); }

void *__wrap_reallocarray(void *block, size_t count, size_t size) {
    return allocation_fails() ? none() : __real_reallocarray(block, count, size);
}

int __wrap_vasprintf(char **text, const char *format, va_list list) {
    return allocation_fails() ? -1 : __real_vasprintf(text, format, list);
}

/* ---- the disk */

ssize_t __real_write(int descriptor, const void *bytes, size_t length);
int     __real_fsync(int descriptor);
int     __real_rename(const char *from, const char *to);
int     __real_mkdir(const char *path, mode_t mode);
int     __real_open(const char *path, int flags, ...);
FILE   *__real_fopen(const char *path, const char *mode);
int     __real_fclose(FILE *file);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t length);
int     __wrap_fsync(int descriptor);
int     __wrap_rename(const char *from, const char *to);
int     __wrap_mkdir(const char *path, mode_t mode);
int     __wrap_open(const char *path, int flags, ...);
FILE   *__wrap_fopen(const char *path, const char *mode);
int     __wrap_fclose(FILE *file);

ssize_t __wrap_write(int descriptor, const void *bytes, size_t length) {
    if (!write_fails()) return __real_write(descriptor, bytes, length);
    if (length > 1 && __real_write(descriptor, bytes, length / 2) < 0) return -1;
    errno = ENOSPC;
    return -1;
}

int __wrap_fsync(int descriptor) { return write_fails() ? -1 : __real_fsync(descriptor); }
int __wrap_rename(const char *from, const char *to) { return write_fails() ? -1 : __real_rename(from, to); }
int __wrap_mkdir(const char *path, mode_t mode) { return write_fails() ? -1 : __real_mkdir(path, mode); }

int __wrap_open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    const bool writing = (flags & O_ACCMODE) != O_RDONLY;
    return writing && write_fails() ? -1 : __real_open(path, flags, mode);
}

FILE *__wrap_fopen(const char *path, const char *mode) {
    return mode[0] != 'r' && write_fails() ? NULL : __real_fopen(path, mode);
}

/* What is still buffered is lost, as where closing finds the disk full. */
int __wrap_fclose(FILE *file) {
    if (!write_fails()) return __real_fclose(file);
    __real_fclose(file);
    errno = ENOSPC;
    return EOF;
}

/* ---- */

static void tell(void) { fprintf(stderr, "alloc %llu write %llu\n", allocations, writes); }

int main(int argc, char **argv) {
    const char *what = getenv("VGRAPH_FAIL"), *number = what ? strchr(what, ' ') : NULL;
    if (what && strcmp(what, "count") == 0) atexit(tell);
    if (number && strncmp(what, "alloc", 5) == 0) failing_allocation = strtoull(number, NULL, 10);
    else if (number) failing_write = strtoull(number, NULL, 10);
    stays_full = what && strncmp(what, "full", 4) == 0;
    return program_main(argc, argv);
}
