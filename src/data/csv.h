/* Tables as text, in the form of RFC 4180: fields between separators, quoted where they hold one, a quote (doubled) or
 * a line break; lines that end in LF or CRLF, or all in CR, where there is no LF; in UTF-8. White space around a field
 * that is not quoted, and lines with nothing in them, do not count. */
#ifndef VG_DATA_CSV_H
#define VG_DATA_CSV_H

#include <locale.h>

#include "base/str.h"
#include "base/vec.h"
#include "data/source.h"

typedef struct vg_csv_field { const char *text; size_t length; uint64_t line; } vg_csv_field;

typedef struct vg_csv {
    vg_mem     *mem;
    const char *path;               /* for messages; belongs to the caller, as the bytes do */
    const char *bytes, *at, *end;
    char        separator, ending;  /* of a line: LF, or CR in a text without one */
    uint64_t    line;               /* the next one's number */
    uint64_t    row;                /* the line that the row below began on */
    VG_VEC(vg_csv_field) fields;        /* of the row; good until the next one */
    vg_text     unquoted;           /* what quoted fields are, one behind the other */
    bool        failed;
    locale_t    c;                  /* numbers have a point, whatever the host's locale */
    void       *handle;             /* its owner */
} vg_csv;

void vg_csv_open(vg_csv *csv, vg_mem *mem, const char *path, const char *bytes, size_t length, char separator);
/* To the beginning. */
void vg_csv_rewind(vg_csv *csv);
/* The next row. False at the end, and (csv->failed) with *error where the text is no table. */
bool vg_csv_row(vg_csv *csv, vg_data_error *error);
void vg_csv_close(vg_csv *csv);

/* What a field says. Missing: nothing, NA, N/A, NaN, null, none or ?, in letters of any case. */
typedef enum vg_cell { VG_CELL_WORD, VG_CELL_WHOLE, VG_CELL_REAL, VG_CELL_MISSING, VG_CELL_INFINITE } vg_cell;
/* Of a number *value is the nearest double. */
vg_cell vg_csv_cell(const vg_csv *csv, const vg_csv_field *field, double *value);

/* "'path' line 3: ..."; returns false. */
bool vg_csv_complain(const vg_csv *csv, uint64_t line, vg_data_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A name that a model can write: what it cannot write becomes _, a digit in front gets one before it, a word of the
 * language one behind it, and an empty one is called c and its number, from 1. mem's. */
char *vg_column_name(vg_mem *mem, const char *text, size_t length, uint32_t number);

#endif
