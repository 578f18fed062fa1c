/* NPY files, NumPy's format for one array (versions 1.0 to 3.0), from their bytes in memory. */
#ifndef VG_DATA_NPY_H
#define VG_DATA_NPY_H

#include "data/source.h"

/* What a header says. */
typedef struct vg_npy {
    const char *path;                /* for messages; belongs to the caller */
    char        kind;                /* f float, i integer, u unsigned, b bool */
    uint32_t    size;                /* bytes of an element */
    bool        big;                 /* big-endian */
    bool        fortran;             /* the first axis varies fastest */
    uint32_t    rank;
    uint32_t    shape[VG_RANK_LIMIT];
    uint64_t    count;               /* elements */
    size_t      header;              /* the elements' place */
} vg_npy;

/* Reads the header of a file's bytes, and compares what it promises with their number. */
bool vg_npy_open(vg_npy *npy, const char *path, const char *bytes, size_t length, vg_data_error *error);
/* VG_I32 for integers, bytes and bools. */
vg_dtype vg_npy_dtype(const vg_npy *npy);
/* All elements, row by row whatever their order in the file; `bytes` as above, `out` of npy->count. False at the first
 * integer that does not fit an int32. */
bool vg_npy_read(const vg_npy *npy, const char *bytes, double *out, vg_data_error *error);

#endif
