/* Zip archives, as NumPy writes them: members that are stored or deflated, also of more than 4 GB (PKWARE's
 * APPNOTE.TXT, 4.3 and 4.5.3). */
#ifndef VG_DATA_ZIP_H
#define VG_DATA_ZIP_H

#include "base/vec.h"
#include "data/source.h"

typedef struct vg_zip_member {
    const char *name;                /* mem's */
    bool        deflated;
    uint32_t    crc;
    uint64_t    size, packed;        /* bytes, and those that they are packed in */
    const char *bytes;               /* packed, in the archive */
} vg_zip_member;

typedef struct vg_zip {
    vg_mem     *mem;
    const char *path;                /* for messages; belongs to the caller, as the bytes do */
    const char *bytes;
    uint64_t    length;
    VG_VEC(vg_zip_member) members;
} vg_zip;

/* Reads the directory of an archive, and compares what it promises with the archive's length. */
bool vg_zip_open(vg_zip *zip, vg_mem *mem, const char *path, const char *bytes, size_t length, vg_data_error *error);
/* Unpacks a deflated member into `out` of member->size bytes, and checks its sum. */
bool vg_zip_inflate(const vg_zip *zip, const vg_zip_member *member, void *out, vg_data_error *error);
/* Checks the sum of a stored member. */
bool vg_zip_check(const vg_zip *zip, const vg_zip_member *member, vg_data_error *error);

#endif
