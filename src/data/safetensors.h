/* Safetensors files: tensors by name, and texts about them. The format that weights are exchanged in, here for
 * checkpoints and as a source of data: the length of a header (uint64, little endian), the header in JSON, the
 * elements of all tensors one behind the other (https://github.com/huggingface/safetensors). */
#ifndef VG_DATA_SAFETENSORS_H
#define VG_DATA_SAFETENSORS_H

#include "base/arena.h"
#include "base/file.h"
#include "base/vec.h"
#include "front/dataset.h"

enum { VG_SAFETENSORS_HEADER = 100000000 };   /* bytes: what is longer is refused, as by every other reader */

typedef struct vg_safetensor {
    const char *name;                    /* in UTF-8 */
    const char *dtype;                   /* "F32": one of those that vg_safetensor_size knows */
    uint32_t    rank;
    uint64_t    shape[VG_RANK_LIMIT];
    uint64_t    count;                   /* elements */
    const void *data;                    /* count elements, little endian, row by row; in a file that we have not made
                                            maybe not aligned */
    size_t      bytes;
} vg_safetensor;

typedef struct vg_metadata { const char *name, *text; } vg_metadata;

/* An open file. All that it holds lives until it is closed. */
typedef struct vg_safetensors {
    vg_mem     *mem;
    const char *path;                    /* for messages; belongs to the caller */
    vg_arena    arena;
    vg_mapping *mapping;
    VG_VEC(vg_safetensor) tensors;       /* in the order of their data */
    VG_VEC(vg_metadata)   metadata;      /* as in the file */
} vg_safetensors;

/* Bytes of an element of a type: BOOL, U8, I8, F8_E4M3, F8_E5M2, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64;
 * 0 for any other text. */
uint32_t vg_safetensor_size(const char *dtype);

/* Maps the file and checks all that it says: that the header is what it should be, that every tensor has as many bytes
 * as its type and shape need, and that the tensors lie one behind the other up to the file's end. False with *error
 * (never an argument's), all closed. */
bool vg_safetensors_open(vg_safetensors *file, vg_mem *mem, const char *path, vg_data_error *error);
void vg_safetensors_close(vg_safetensors *file);
/* NULL: there is none of this name. */
const vg_safetensor *vg_safetensors_find(const vg_safetensors *file, const char *name);
const char          *vg_safetensors_metadata(const vg_safetensors *file, const char *name);

/* Writes a file, whole and synced or not at all (vg_file_replace). Of a tensor name, dtype, rank, shape and data are
 * taken; names differ from each other and from "__metadata__", and so do those of the pairs. 0, or errno: EILSEQ for
 * a name or a text that is not UTF-8, EFBIG for a header that no reader would take. */
int vg_safetensors_write(vg_mem *mem, vg_disk *disk, const char *path, const vg_safetensor *tensors, uint32_t count,
                         const vg_metadata *pairs, uint32_t pair_count);

#endif
