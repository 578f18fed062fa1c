/* The door for files: reads whole files or maps them, writes, replaces, folders. A test can make write call n fail. */
#ifndef VG_BASE_FILE_H
#define VG_BASE_FILE_H

#include "base/mem.h"

typedef struct vg_disk {
    uint64_t writes;    /* calls so far that write or sync */
    uint64_t fail_at;   /* for tests: the one (from 1) that fails with ENOSPC; 0 is none */
} vg_disk;

typedef struct vg_file vg_file;

/* 0, or errno. Text read is followed by a NUL that `length` does not count; more than `limit` bytes is EFBIG. */
int  vg_file_read(vg_mem *mem, const char *path, size_t limit, char **text, size_t *length);
/* The same of what is open already, such as standard input, which stays so. */
int  vg_file_read_open(vg_mem *mem, int descriptor, size_t limit, char **text, size_t *length);
/* Opens for appending; creates. `exclusive` fails with EEXIST. The file is owned by `mem` until closed. */
int  vg_file_create(vg_mem *mem, vg_disk *disk, const char *path, bool exclusive, vg_file **file);
/* A vg_file over a descriptor that is not closed (standard output). */
vg_file *vg_file_borrow(vg_mem *mem, vg_disk *disk, int descriptor);
int  vg_file_write(vg_file *file, const void *bytes, size_t length);   /* whole or an error; EINTR is retried */
int  vg_file_sync(vg_file *file);                                      /* what was written is on the disk */
int  vg_file_close(vg_file *file);

typedef struct vg_piece { const void *bytes; size_t length; } vg_piece;
/* Writes a file of these pieces beside `path` and renames it, so that nobody ever sees half of it. Where it fails,
 * what was there before still is, and nothing is left beside it. `sync`: not even a power cut shows half of it, and
 * what is returned from is on the disk (when only syncing the folder fails, the new file is there, and the error is
 * returned). The mode stays; where `path` is a link, what it points to is replaced; what is no regular file is written
 * to as it is. */
int  vg_file_replace(vg_mem *mem, vg_disk *disk, const char *path, const vg_piece *pieces, size_t count, bool sync);

/* A file's bytes in the address space: read from the disk where they are touched, and not counted as memory. The
 * file must not be made shorter meanwhile: touching what is gone ends the process (SIGBUS), as no handler could tell
 * whose bytes they were. Replacing a file, as above, is no harm: the old one lives on. */
typedef struct vg_mapping {
    vg_mem *mem;
    char   *bytes;          /* only to be read, unless it is scratch; not NULL, also of an empty file */
    size_t  length;
    void   *handle;         /* its owner */
} vg_mapping;

/* 0, or errno: EISDIR a folder, ENODEV what is no regular file. mem's until unmapped. */
int  vg_file_map(vg_mem *mem, const char *path, vg_mapping **mapping);
/* Zeros on the disk instead of in memory: a file without a name in $TMPDIR or /var/tmp, gone when it is unmapped. Its
 * place on the disk is taken at once, so that ENOSPC is found here. `length` is at least 1. */
int  vg_file_scratch(vg_mem *mem, size_t length, vg_mapping **mapping);
void vg_file_unmap(vg_mapping *mapping);

int  vg_folder_create(const char *path);                               /* with its parents; existing is fine */
bool vg_file_exists(const char *path);
bool vg_file_same(const char *a, const char *b);                       /* two ways to one file that exists */
/* "models/a.nn" + "b.nn" -> "models/b.nn"; an absolute `path` stays. */
char *vg_path_join_sibling(vg_mem *mem, const char *beside, const char *path);

#endif
