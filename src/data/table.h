/* The source csv: what describe (table.c) has found out about a file, for load (table_load.c). */
#ifndef VG_DATA_TABLE_H
#define VG_DATA_TABLE_H

#include "data/csv.h"

typedef enum vg_table_kind { VG_TABLE_LEFT_OUT, VG_TABLE_WHOLE, VG_TABLE_REAL, VG_TABLE_WORDS } vg_table_kind;

/* A column of the file. */
typedef struct vg_table_column {
    const char   *given, *name;                       /* in the file, in a model */
    vg_table_kind kind;
    bool          skipped;                            /* is no feature, whatever it holds */
    const char   *refused;                            /* of one that is skipped: why it cannot be read */
    uint64_t      word, hole, empty;                  /* the line of the first field that is no number, that is missing
                                                         or even empty, that is infinite, or too large for a float32; */
    uint64_t      infinite, large;                    /* 0: there is none */
    char          sample[32], odd[32];                /* that word; what stood for a missing or infinite number */
    bool          numbers, fractions;                 /* there are numbers; some are not whole, or no int32 */
    double        least, most;
    vg_strings    words;                              /* of a column of words */
    const char  **texts;                              /* in sorted order */
    uint32_t     *class_of;                           /* by the words' ids */
    uint32_t      classes;
    uint32_t      place;                              /* among the features */
    uint32_t      column;                             /* of the dataset */
} vg_table_column;

enum { VG_TABLE_NONE = UINT32_MAX };

typedef struct vg_table {
    vg_csv           csv;
    vg_mapping      *mapping;
    bool             header, fills;                   /* a line of names; missing = "mean" */
    vg_table_column *columns;
    uint32_t         count, target, rows;
    uint32_t         places;                          /* how many columns are features */
    uint32_t         features;                        /* of the dataset; VG_TABLE_NONE: there are no features */
} vg_table;

/* The columns of the file by their names, then `features` and `target`. table_columns.c */
void vg_table_columns(vg_table *table, vg_dataset *set);

#endif
