/* A table that goes into a trained model (input.h): its first line, which may hold names, and its numbers or words. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/csv.h"
#include "data/input.h"

typedef struct table {
    const vg_input_file *s;
    vg_csv     csv;
    bool       header, fractions, above; /* there are numbers that are not whole, that are above 1 */
    uint32_t   fields;                   /* of a line */
    char     **names;                    /* by field of the first line: what a model calls it */
    uint32_t  *places;                   /* by element: its field */
    vg_strings words;                    /* class + 1 by word */
} table;

/* ---- the first line */

static void take_names(table *t) {
    t->fields = t->csv.fields.count;
    t->names = vg_mem_alloc(t->csv.mem, t->fields * sizeof *t->names);
    for (uint32_t k = 0; k < t->fields; k++) {
        const vg_csv_field *field = &t->csv.fields.items[k];
        t->names[k] = vg_column_name(t->csv.mem, field->text, field->length, k + 1);
    }
}

static void free_names(table *t) {
    for (uint32_t k = 0; t->names && k < t->fields; k++) {
        vg_mem_free(t->csv.mem, t->names[k]);
    }
    vg_mem_free(t->csv.mem, t->names);
}

/* The field of the first line that has this name in a model; UINT32_MAX: none has. */
static uint32_t field_named(const table *t, const char *name) {
    for (uint32_t k = 0; k < t->fields; k++) {
        if (strcmp(t->names[k], name) == 0) {
            return k;
        }
    }
    return UINT32_MAX;
}

/* The field that an element is called after in the file that the model was trained with (`given`), or else in the
 * model: `target` is the former's `kind`. */
static uint32_t field_of(const table *t, const char *given, const char *name) {
    char *known = vg_column_name(t->csv.mem, given, strlen(given), 1);
    const uint32_t field = field_named(t, known);
    vg_mem_free(t->csv.mem, known);
    return field != UINT32_MAX ? field : field_named(t, name);
}

/* Whether every name that is wanted stands in the first line; *missing is the first that does not. */
static bool find_names(table *t, const char **missing) {
    const vg_column *like = t->s->like;
    bool fine = like->members != NULL || (t->s->elements == 1 && like->name);
    *missing = NULL;
    for (uint32_t k = 0; fine && k < t->s->elements; k++) {
        const char *name = like->members ? like->members[k] : like->name;
        const char *given = like->given ? like->given[k] : name;
        t->places[k] = field_of(t, given, name);
        fine = t->places[k] != UINT32_MAX;
        *missing = fine ? NULL : given;
    }
    return fine;
}

static bool is_value(const table *t, const vg_csv_field *field) {
    double value;
    vg_cell cell = vg_csv_cell(&t->csv, field, &value);
    return t->s->like->texts ? vg_strings_find(&t->words, field->text, field->length) != 0
                             : cell != VG_CELL_WORD;
}

/* What the first line is. */
static bool read_first(table *t, vg_data_error *error) {
    const vg_csv *csv = &t->csv;
    const char *missing, *name = vg_input_name(t->s->like);
    take_names(t);
    t->header = find_names(t, &missing);
    if (t->header) {
        return true;
    }
    for (uint32_t k = 0; k < csv->fields.count; k++) {
        const vg_csv_field *field = &csv->fields.items[k];
        if (is_value(t, field)) {
            continue;
        }
        int shown = field->length < 32 ? (int)field->length : 32;
        const bool made = t->s->like->members != NULL;
        if (missing) {
            return vg_csv_complain(csv, csv->row, error, "there is no column '%s'%s%s%s: a first line of names must have "
                                   "it, in any place", missing, made ? ", which '" : "", made ? name : "",
                                   made ? "' is made of" : "");
        }
        return vg_csv_complain(csv, csv->row, error, "'%.*s' is no %s of '%s', which has no names that a first line "
                               "could hold: lines of %zu values were expected", shown, field->text,
                               t->s->like->texts ? "class" : "number", name, t->s->elements);
    }
    for (uint32_t k = 0; k < t->s->elements; k++) {
        t->places[k] = k;
    }
    return csv->fields.count == t->s->elements
        || vg_csv_complain(csv, csv->row, error, "there %s %u field%s: '%s' has %zu value%s, one for each field of "
                           "a line; or the first line must hold names", csv->fields.count == 1 ? "is" : "are",
                           csv->fields.count, csv->fields.count == 1 ? "" : "s", name, t->s->elements,
                           t->s->elements == 1 ? "" : "s");
}

/* ---- the others */

/* Where the data set is of bytes, what is whole and not all 0 or 1 is so here. */
static void survey(table *t) {
    for (size_t k = 0; k < t->s->elements && vg_input_of_bytes(t->s->like); k++) {
        double value = 0;
        vg_cell cell = vg_csv_cell(&t->csv, &t->csv.fields.items[t->places[k]], &value);
        t->fractions = t->fractions || cell == VG_CELL_REAL;
        t->above = t->above || value > 1;
    }
}

static bool is_of_bytes(const table *t) { return vg_input_of_bytes(t->s->like) && t->above && !t->fractions; }

/* How many examples there are. */
static bool count_rows(table *t, vg_data_error *error) {
    vg_csv *csv = &t->csv;
    uint64_t rows = !t->header;
    if (rows) {
        survey(t);
    }
    while (vg_csv_row(csv, error)) {
        if (csv->fields.count != t->fields) {
            return vg_csv_complain(csv, csv->row, error, "there %s %u field%s, where the first line has %u",
                                   csv->fields.count == 1 ? "is" : "are", csv->fields.count,
                                   csv->fields.count == 1 ? "" : "s", t->fields);
        }
        survey(t);
        rows++;
    }
    t->s->set->count = rows <= INT32_MAX ? (uint32_t)rows : 0;
    return !csv->failed && (t->s->set->count || vg_data_fail(error, "'%s' holds %s", t->s->path, rows ? "too many lines"
                                                             : "only names, and no example"));
}

static bool read_class(const table *t, const vg_csv_field *field, int32_t *out, vg_data_error *error) {
    vg_str word = vg_strings_find(&t->words, field->text, field->length);
    int shown = field->length < 32 ? (int)field->length : 32;
    *out = (int32_t)word - 1;
    return word || vg_csv_complain(&t->csv, field->line, error, "'%.*s' is none of the %u words that '%s' was trained "
                                   "with, such as '%s'", shown, field->text, t->s->like->classes,
                                   vg_input_name(t->s->like), t->s->like->texts[0]);
}

static bool read_real(const table *t, const vg_csv_field *field, double value, float *out, vg_data_error *error) {
    const vg_column *like = t->s->like;
    const bool bytes = is_of_bytes(t);
    int shown = field->length < 32 ? (int)field->length : 32;
    *out = bytes ? (float)value * like->scale : (float)value;
    if (bytes && (value < 0 || value > 255)) {
        return vg_csv_complain(&t->csv, field->line, error, "'%.*s' is no byte: '%s' is made of bytes from 0 to 255, "
                               "and so are the numbers of a table where all are whole, and one is above 1", shown,
                               field->text, vg_input_name(like));
    }
    return bytes || !vg_input_is_far(like, value)
        || vg_csv_complain(&t->csv, field->line, error, "'%.*s' is far outside of 0 to %g, as the model sees '%s': a "
                           "table is taken so unless all its numbers are whole, and one is above 1: those are bytes", shown,
                           field->text, 255 * (double)like->scale, vg_input_name(like));
}

static bool read_whole(const table *t, const vg_csv_field *field, double value, bool whole, int32_t *out,
                       vg_data_error *error) {
    const vg_column *like = t->s->like;
    double least = like->classes ? 0 : INT32_MIN, most = like->classes ? like->classes - 1.0 : INT32_MAX;
    int shown = field->length < 32 ? (int)field->length : 32;
    char low[32], high[32];
    if (!whole || value < least || value > most) {
        return vg_csv_complain(&t->csv, field->line, error, "'%.*s' is no whole number from %s to %s, as '%s' takes "
                               "them", shown, field->text, vg_number_text(low, least), vg_number_text(high, most),
                               vg_input_name(like));
    }
    *out = (int32_t)value;
    return true;
}

static bool read_value(const table *t, const vg_csv_field *field, void *out, vg_data_error *error) {
    const vg_column *like = t->s->like;
    double value = 0;
    if (like->texts) {
        return read_class(t, field, out, error);
    }
    vg_cell cell = vg_csv_cell(&t->csv, field, &value);
    int shown = field->length < 32 ? (int)field->length : 32;
    if (cell == VG_CELL_MISSING && !field->length) {
        return vg_csv_complain(&t->csv, field->line, error, "a value is missing for '%s'", vg_input_name(like));
    }
    if ((cell != VG_CELL_WHOLE && cell != VG_CELL_REAL) || fabs(value) > (double)FLT_MAX) {
        return vg_csv_complain(&t->csv, field->line, error, "'%.*s' is no finite number, as '%s' takes them", shown,
                               field->text, vg_input_name(like));
    }
    return like->dtype == VG_F32 ? read_real(t, field, value, out, error)
                                 : read_whole(t, field, value, cell == VG_CELL_WHOLE, out, error);
}

static bool fill(table *t, char *out, vg_data_error *error) {
    vg_csv *csv = &t->csv;
    const uint32_t rows = t->s->set->count;
    vg_csv_rewind(csv);
    bool fine = !t->header || vg_csv_row(csv, error);
    for (uint32_t row = 0; fine && row < rows; row++) {
        fine = vg_csv_row(csv, error) && csv->fields.count == t->fields;
        for (size_t k = 0; fine && k < t->s->elements; k++, out += sizeof(float)) {
            if (!read_value(t, &csv->fields.items[t->places[k]], out, error)) {
                return false;
            }
        }
    }
    return fine || vg_data_fail(error, "'%s' has changed while it was being read", t->s->path);
}

static void take_words(table *t) {
    const vg_column *like = t->s->like;
    vg_strings_init(&t->words, t->csv.mem);
    for (uint32_t k = 0; like->texts && k < like->classes; k++) {
        vg_strings_add(&t->words, like->texts[k], strlen(like->texts[k]));
    }
}

bool vg_input_table(const vg_input_file *s, vg_column *column, vg_data_error *error) {
    vg_mem *mem = s->set->mem;
    table t = { .s = s, .places = vg_mem_alloc(mem, s->elements * sizeof *t.places) };
    vg_csv_open(&t.csv, mem, s->path, s->bytes, s->length, ',');
    take_words(&t);
    if (!vg_csv_row(&t.csv, error)) {
        return t.csv.failed ? false : vg_data_fail(error, "'%s' is empty: a table or an NPY file was expected",
                                                   s->path);
    }
    void *room = NULL;
    bool fine = read_first(&t, error) && count_rows(&t, error);
    uint64_t bytes = fine ? (uint64_t)s->set->count * s->elements * sizeof(float) : 0;
    column->mapped = vg_data_is_large(s->set, bytes);
    fine = fine && vg_data_room(s->set, column->mapped, bytes, &room, error) && fill(&t, room, error);
    free_names(&t);
    vg_csv_close(&t.csv);
    vg_mem_free(mem, t.places);
    column->storage = column->dtype == VG_I32 ? VG_STORE_I32 : VG_STORE_F32;
    column->data = room;
    return fine;
}
