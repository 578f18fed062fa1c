/* What an input's file is read into (vg_dataset_input): input.c finds out what it is, input_table.c reads tables. */
#ifndef VG_DATA_INPUT_H
#define VG_DATA_INPUT_H

#include "data/source.h"

typedef struct vg_input_file {
    vg_dataset      *set;
    const vg_column *like;              /* the column that the model was trained with */
    const char      *path, *bytes;      /* the path as it is said */
    size_t           length, elements;  /* of the file; of an example */
    bool             mapped;
} vg_input_file;

/* What messages call the column: as its file does. */
const char *vg_input_name(const vg_column *like);
/* Whether the data set's own examples are bytes that stand for larger or smaller numbers. */
bool vg_input_of_bytes(const vg_column *like);
/* Whether a number, which is not taken as a byte, is nothing that such a data set could give: further out than its
 * whole range is wide. */
bool vg_input_is_far(const vg_column *like, double value);
/* Reads the table into the column and counts set->count; the column's form is known. */
bool vg_input_table(const vg_input_file *s, vg_column *column, vg_data_error *error);

#endif
