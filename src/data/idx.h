/* IDX files: two zero bytes, the type, the rank, big-endian dimensions, then the elements; plain or gzipped. */
#ifndef VG_DATA_IDX_H
#define VG_DATA_IDX_H

#include "data/source.h"

enum { VG_IDX_RANK = 5 };

/* An open file whose header has been read and compared with the file's length. */
typedef struct vg_idx {
    vg_mem     *mem;
    const char *path;                /* for messages; belongs to the caller */
    void       *stream, *handle;     /* a gzFile, and its owner */
    bool        gzipped;
    uint32_t    rank, shape[VG_IDX_RANK];
    uint64_t    header, size;        /* bytes of the header, and of the elements it promises */
} vg_idx;

/* Opens `path` and reads the header, which must be of `least`..`most` dimensions. False with *error, all closed. */
bool vg_idx_open(vg_idx *idx, vg_mem *mem, const char *path, uint32_t least, uint32_t most, vg_data_error *error);
/* Reads all elements into `out` (idx->size bytes) and checks that the file ends there. */
bool vg_idx_read(vg_idx *idx, uint8_t *out, vg_data_error *error);
void vg_idx_close(vg_idx *idx);

#endif
