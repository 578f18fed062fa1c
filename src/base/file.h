/* The door for files: reads whole files, writes, folders. A test can make write call n fail. */
#ifndef VG_BASE_FILE_H
#define VG_BASE_FILE_H

#include "base/mem.h"

typedef struct vg_disk {
    uint64_t writes;    /* write calls so far */
    uint64_t fail_at;   /* for tests: the write (from 1) that fails with ENOSPC; 0 is none */
} vg_disk;

typedef struct vg_file vg_file;

/* 0, or errno. Text read is followed by a NUL that `length` does not count; more than `limit` bytes is EFBIG. */
int  vg_file_read(vg_mem *mem, const char *path, size_t limit, char **text, size_t *length);
/* Opens for appending; creates. `exclusive` fails with EEXIST. The file is owned by `mem` until closed. */
int  vg_file_create(vg_mem *mem, vg_disk *disk, const char *path, bool exclusive, vg_file **file);
/* A vg_file over a descriptor that is not closed (standard output). */
vg_file *vg_file_borrow(vg_mem *mem, vg_disk *disk, int descriptor);
int  vg_file_write(vg_file *file, const void *bytes, size_t length);   /* whole or an error; EINTR is retried */
int  vg_file_close(vg_file *file);
int  vg_folder_create(const char *path);                               /* with its parents; existing is fine */
bool vg_file_exists(const char *path);
bool vg_file_same(const char *a, const char *b);                       /* two ways to one file that exists */
/* "models/a.nn" + "b.nn" -> "models/b.nn"; an absolute `path` stays. */
char *vg_path_join_sibling(vg_mem *mem, const char *beside, const char *path);

#endif
