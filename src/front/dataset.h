/* What the front asks of a data source: columns, types, shapes, classes and counts. The table of sources is
 * declared here and filled in by src/data, so that the front knows no source by name. So is the reader of arrays. */
#ifndef VG_FRONT_DATASET_H
#define VG_FRONT_DATASET_H

#include "base/mem.h"
#include "base/str.h"
#include "ir/dim.h"
#include "ir/op.h"

/* How an element lies in memory or in a mapped file: little endian, at any address. */
typedef enum vg_storage {
    VG_STORE_U8, VG_STORE_F32, VG_STORE_I32,
    VG_STORE_F64, VG_STORE_F16, VG_STORE_BF16, VG_STORE_I8, VG_STORE_I16, VG_STORE_U16, VG_STORE_I64
} vg_storage;
uint32_t vg_storage_size(vg_storage storage);   /* bytes of an element */

typedef struct vg_column {
    const char *name;
    vg_dtype    dtype;          /* what an input of it is */
    vg_storage  storage;        /* VG_STORE_U8 with dtype float: value * scale */
    float       scale;
    uint32_t    rank;           /* of one example */
    uint32_t    shape[VG_RANK_LIMIT - 1];
    uint32_t    classes;        /* of an integer column of classes, else 0 */
    const char *const *texts;   /* by class, in UTF-8: the words that a file has for them; NULL: it has numbers */
    const char *const *members; /* of `features`: the shape[0] columns that it is made of; NULL: of any other column */
    const char *const *given;   /* what the file calls it, or each of its members; NULL: as a model does */
    uint32_t    scalings;       /* of the two below: 0: none; 1: for all elements; or one for each element */
    const float *gain, *shift;  /* what an input sees is value * gain + shift (`scale = ...` in the model) */
    const void *data;           /* [count, shape], row by row; NULL until loaded; owned by the dataset's mem */
    size_t      stride;         /* bytes from one example to the next; 0: as many as one has */
    bool        shares;         /* its data lie within another column's: they take no memory */
    bool        mapped;         /* they lie in a mapped file, and take none either */
    const char *refused;        /* why no input can read it, for the diagnostic data_wrong; NULL: one can */
} vg_column;

typedef enum vg_argument_kind { VG_ARGUMENT_NUMBER, VG_ARGUMENT_TEXT, VG_ARGUMENT_TRUTH } vg_argument_kind;
/* One parameter of a source, as in `digits(count = 12000, seed = 1)`. A truth is the number 0 or 1. */
typedef struct vg_source_parameter {
    const char      *name;
    vg_argument_kind kind;
    bool             required;
    double           number;    /* the default */
} vg_source_parameter;

enum { VG_SOURCE_PARAMETERS = 8 };
typedef struct vg_argument { double number; const char *text; bool given; } vg_argument;

typedef struct vg_source_row vg_source_row;

/* Why a source failed, for the diagnostic data_failed (exit status 4) or data_argument (1). */
typedef struct vg_data_error { char text[480]; bool argument; } vg_data_error;

/* Fills `out` with a column's numbers, float or int32, of these examples: [count, shape]. False: it could not. */
typedef bool (*vg_gather)(void *user, size_t column, const uint32_t *examples, size_t count, void *out);

struct vg_dataset {
    vg_mem             *mem;
    const vg_source_row *source;
    vg_str              name;                            /* in the model: digits */
    vg_argument         arguments[VG_SOURCE_PARAMETERS]; /* in the order of the row's parameters */
    const char         *folder;                          /* relative paths start here ("" is the current folder) */
    double              test;                            /* the share of the test split; -1: not given */
    const char         *scale;                           /* "standard", "unit"; NULL: not given */
    uint64_t            room;                            /* bytes of an array above which it goes to the disk; 0: a
                                                            quarter of the machine's memory */
    void               *state;                           /* the source's own, between describe and load; mem's */
    vg_column          *columns;                         /* made by vg_dataset_columns */
    uint32_t            column_count, column_room;
    uint32_t            classes;                         /* D.classes; 0: has none */
    const char *const  *class_texts;                     /* by class, in UTF-8; NULL: they have no names; mem's */
    uint32_t            count;                           /* all examples */
    uint32_t            own_train;                       /* of a source with a split of its own: the first own_train
                                                            examples are train; 0 otherwise */
    bool                in_order;                        /* the examples follow each other: a share for tests is the
                                                            last part of them, else it is drawn */
    bool                failed;                          /* describe has: what it left out is not known */
    const uint32_t     *train, *test_examples;           /* example numbers of each split, after vg_dataset_load */
    uint32_t            train_count, test_count;         /* known after describe */
    bool                loaded;
    bool                fed;                             /* it is an input's file (--input): vg_dataset_input made it */
    const struct vg_facts *facts;                        /* of the checkpoint's: what it must be like; NULL: nobody says */
    bool                recalled;                        /* all that is known of it are the facts: nothing was read yet */
    vg_gather           gather;                          /* the host program's, of a set that it provides; else NULL */
    void               *gather_user;
};
typedef struct vg_dataset vg_dataset;

/* What a data set was, as a checkpoint says (data/facts.h). Of `set` columns, classes and counts are filled. */
typedef struct vg_facts { const char *name; vg_dataset set; } vg_facts;

struct vg_source_row {
    const char         *name;
    const char         *signature;                       /* "digits(count = 12000, seed = 1)" */
    const char         *doc;
    const vg_source_parameter *parameters;
    uint32_t            parameter_count;
    /* Fills columns, classes, count: reads no more than that takes. Columns filled in spite of a failure are still
     * checked against by the model. */
    bool (*describe)(vg_dataset *set, vg_data_error *error);
    bool (*load)(vg_dataset *set, vg_data_error *error);       /* fills columns[].data, unless describe had to */
    /* NULL, or what is left to do when the splits are known. */
    bool (*finish)(vg_dataset *set, vg_data_error *error);
};

extern const vg_source_row vg_source_rows[];             /* src/data/sources.c */
extern const uint32_t      vg_source_row_count;

/* Makes the columns `count`, new ones of zeros; returns them. */
vg_column *vg_dataset_columns(vg_dataset *set, uint32_t count);
/* describe, then the split counts. `test` and `scale` are set before. False with *error. */
bool vg_dataset_describe(vg_dataset *set, vg_data_error *error);
/* Fills a data set, whose source and arguments are known, with what its facts say. src/data/facts.c */
void vg_dataset_recall(vg_dataset *set, const vg_facts *facts);
/* Whether a described data set is what its facts say. False with *error. Classes that are numbers are as many as they
 * say, where the data hold no larger one. */
bool vg_dataset_matches(vg_dataset *set, vg_data_error *error);
/* Its columns are scaled as the facts say. */
void vg_dataset_take_scales(vg_dataset *set);
/* load once, then the splits (the source's own; or a share, the last part or drawn with a fixed key), then the scaling
 * that the training split asks for, or the facts. */
bool vg_dataset_load(vg_dataset *set, vg_data_error *error);
/* Copies `count` examples of a column into a batch: out is float (or double when wide) for a float column, int32
 * for an integer one, [count, shape] row by row. */
void vg_dataset_gather(const vg_dataset *set, uint32_t column, const uint32_t *examples, uint32_t count, void *out,
                       bool wide);

/* The same of a set that the host program may provide: called by one thread at a time then. False when that could not. */
bool vg_dataset_read(const vg_dataset *set, uint32_t column, const uint32_t *examples, uint32_t count, void *out,
                     bool wide);
/* The source of such a set, whose columns, classes, count and own_train are filled in already. src/data/provided.c */
extern const vg_source_row vg_source_provided;
/* What goes into a trained model: a data set of one column in the form of `like`, which may be without data, and of all
 * examples of a file in the file's order, which are both splits. `set` is zero but for its mem. The file is known by
 * its first bytes: NPY, an array [n, like's shape] or of as many elements; PNG or JPEG, one example, resized, for an
 * input on pictures; else CSV. Of that, a first line of names says where like->members are, or `like` itself, by their
 * names in a model or in the file that it was trained with; without one a line has as many fields as an example has
 * elements. "-" is standard input. Values are as in a file of like's own data set, and are scaled as it is. Where that
 * holds bytes, so do arrays of integers, and a table whose numbers are whole and not all 0 or 1: from 0 to 255; others
 * are taken as the model sees its data set before `scale`. False with *error. src/data/input.c, input_table.c */
bool vg_dataset_input(vg_dataset *set, const vg_column *like, const char *path, vg_data_error *error);

/* How many bytes of `text` are a name that a model can write; 0: none, also where a word of the language stands. */
uint32_t vg_name_length(const char *text);               /* src/front/lexer.c */

/* An array of a file, row by row: integers are VG_I32. For the function load("file.npy"). */
typedef struct vg_array {
    vg_dtype  dtype;
    uint32_t  rank;
    uint32_t  shape[VG_RANK_LIMIT];
    uint64_t  count;
    double   *elements;         /* owned by the mem it was read with */
} vg_array;

enum { VG_ARRAY_LIMIT = 1 << 24 };                       /* elements of a constant */

/* Reads an NPY file of at most VG_ARRAY_LIMIT elements. False with *error (never an argument's). src/data/npy.c */
bool vg_array_read(vg_mem *mem, const char *path, vg_array *array, vg_data_error *error);

#endif
