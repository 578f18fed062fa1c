/* What npy, npz and safetensors have in common: arrays in the bytes of files, the first axis of which are the examples,
 * as columns. Where the elements lie in order they stay in the (mapped) file; else they are put in order once. */
#ifndef VG_DATA_ARRAYS_H
#define VG_DATA_ARRAYS_H

#include "base/vec.h"
#include "data/npy.h"

typedef struct vg_raw {
    const char *name;                /* of the column */
    vg_npy      form;
    const char *elements;            /* in the file, or unpacked */
    bool        mapped;              /* they take no memory */
} vg_raw;

typedef VG_VEC(vg_raw) vg_raws;

/* A column of the array's elements as they lie when they are in order. False, with the error said, of an array without
 * examples, or of more dimensions than a column has. */
bool vg_raw_column(const vg_raw *raw, vg_column *column, vg_data_error *error);
/* Whether elements have to be put in order: they are of the other byte order, or the first axis is the fastest. */
bool vg_raw_is_moved(const vg_raw *raw);
void vg_raw_move(const vg_raw *raw, void *out);
/* Whether the elements, in order at `data`, are what a column can give: finite, or integers from `least` to `most`.
 * Says where one is not. Their least and largest are left in range, which may be NULL. */
bool vg_raw_check(const vg_raw *raw, const vg_column *column, const void *data, double least, double most,
                  double range[2], vg_data_error *error);

/* The columns of a data set, of arrays that have a name each; D.classes is that of `y`, `labels` or `target`. */
bool vg_arrays_describe(vg_dataset *set, const vg_raws *raws, vg_data_error *error);
bool vg_arrays_load(vg_dataset *set, const vg_raws *raws, vg_data_error *error);

#endif
