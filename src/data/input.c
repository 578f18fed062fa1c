/* What goes into a trained model (vg_dataset_input): an array or a table, in the form of a column that the model was
 * trained with. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/arrays.h"
#include "data/csv.h"

typedef struct source {
    vg_dataset      *set;
    const vg_column *like;
    const char      *path, *bytes;      /* the path as it is said */
    size_t           length, elements;  /* of the file; of an example */
    bool             mapped;
} source;

/* "[28, 28]" */
static const char *shape_text(vg_mem *mem, const uint32_t *shape, uint32_t rank, const char *first) {
    vg_text text = vg_text_new(mem);
    vg_text_format(&text, "[%s", first);
    for (uint32_t k = 0; k < rank; k++) {
        vg_text_format(&text, "%s%u", k || *first ? ", " : "", shape[k]);
    }
    vg_text_format(&text, "]");
    return text.text;
}

static const char *name_of(const vg_column *like) { return like->name ? like->name : "the input"; }

/* Whether the data set's own examples are bytes that stand for larger or smaller numbers. */
static bool is_of_bytes(const vg_column *like) {
    return like->dtype == VG_F32 && like->storage == VG_STORE_U8 && like->scale > 0;
}

/* ---- an array */

static bool check_form(const source *s, const vg_raw *raw, vg_data_error *error) {
    vg_mem *mem = s->set->mem;
    const vg_npy *form = &raw->form;
    bool real = form->kind == 'f', fits = form->rank > 0 && form->shape[0] > 0;
    fits = fits && form->count / form->shape[0] == s->elements;
    if (!fits) {
        return vg_data_fail(error, "'%s' is an array %s: for '%s' %s was expected, n examples", s->path,
                            shape_text(mem, form->shape, form->rank, ""), name_of(s->like),
                            shape_text(mem, s->like->shape, s->like->rank, "n"));
    }
    return !real || s->like->dtype == VG_F32
        || vg_data_fail(error, "'%s' holds floats, and '%s' takes integers", s->path, name_of(s->like));
}

static bool read_array(const source *s, vg_column *column, vg_data_error *error) {
    vg_raw raw = { .name = s->like->name };
    vg_column own;
    if (!vg_npy_open(&raw.form, s->path, s->bytes, s->length, error) || !check_form(s, &raw, error)) {
        return false;
    }
    raw.elements = s->bytes + raw.form.header;
    const void *data = raw.elements;
    if (!vg_raw_column(&raw, &own, error)) {
        return false;
    }
    if (vg_raw_is_moved(&raw)) {
        void *room;
        uint64_t bytes = raw.form.count * raw.form.size;
        column->mapped = vg_data_is_large(s->set, bytes);
        if (!vg_data_room(s->set, column->mapped, bytes, &room, error)) {
            return false;
        }
        vg_raw_move(&raw, room);
        data = room;
    }
    bool classes = s->like->dtype == VG_I32 && s->like->classes;
    double most = raw.form.kind == 'b' ? 1 : INT32_MAX, least = raw.form.kind == 'b' ? 0 : INT32_MIN;
    if (!vg_raw_check(&raw, &own, data, classes ? 0 : least, classes ? s->like->classes - 1.0 : most, NULL, error)) {
        return false;
    }
    column->storage = own.storage;
    column->scale = is_of_bytes(s->like) && raw.form.kind == 'u' ? s->like->scale : 1;
    column->data = data;
    s->set->count = raw.form.shape[0];
    return true;
}

/* ---- a table */

typedef struct table {
    const source *s;
    vg_csv        csv;
    bool          header;
    uint32_t      fields;               /* of a line */
    uint32_t     *places;               /* by element: its field */
    vg_strings    words;                /* class + 1 by word */
} table;

/* The field of the first line that has this name in a model; UINT32_MAX: none has. */
static uint32_t field_named(const table *t, const char *name) {
    uint32_t found = UINT32_MAX;
    for (uint32_t k = 0; k < t->csv.fields.count && found == UINT32_MAX; k++) {
        const vg_csv_field *field = &t->csv.fields.items[k];
        char *known = vg_column_name(t->csv.mem, field->text, field->length, k + 1);
        found = strcmp(known, name) == 0 ? k : found;
        vg_mem_free(t->csv.mem, known);
    }
    return found;
}

/* Whether every name that is wanted stands in the first line; *missing is the first that does not. */
static bool find_names(table *t, const char **missing) {
    const vg_column *like = t->s->like;
    bool fine = like->members != NULL || (t->s->elements == 1 && like->name);
    *missing = NULL;
    for (uint32_t k = 0; fine && k < t->s->elements; k++) {
        const char *name = like->members ? like->members[k] : like->name;
        t->places[k] = field_named(t, name);
        fine = t->places[k] != UINT32_MAX;
        *missing = fine ? NULL : name;
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
    const char *missing, *name = name_of(t->s->like);
    t->fields = csv->fields.count;
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
        if (missing) {
            return vg_csv_complain(csv, csv->row, error, "there is no column '%s', which '%s' is made of: a first "
                                   "line of names must have it, in any place", missing, name);
        }
        return vg_csv_complain(csv, csv->row, error, "'%.*s' is no %s of '%s', which has no names that a first line "
                               "could hold: lines of %zu values were expected", shown, field->text,
                               t->s->like->texts ? "class" : "number", name, t->s->elements);
    }
    for (uint32_t k = 0; k < t->s->elements; k++) {
        t->places[k] = k;
    }
    return csv->fields.count == t->s->elements
        || vg_csv_complain(csv, csv->row, error, "there are %u fields: '%s' has %zu values, one for each field of a "
                           "line; or the first line must hold names", csv->fields.count, name, t->s->elements);
}

/* How many examples there are. */
static bool count_rows(table *t, vg_data_error *error) {
    vg_csv *csv = &t->csv;
    uint64_t rows = !t->header;
    while (vg_csv_row(csv, error)) {
        if (csv->fields.count != t->fields) {
            return vg_csv_complain(csv, csv->row, error, "there are %u fields, where the first line has %u",
                                   csv->fields.count, t->fields);
        }
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
                                   "with, such as '%s'", shown, field->text, t->s->like->classes, name_of(t->s->like),
                                   t->s->like->texts[0]);
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
        return vg_csv_complain(&t->csv, field->line, error, "a value is missing for '%s'", name_of(like));
    }
    if ((cell != VG_CELL_WHOLE && cell != VG_CELL_REAL) || fabs(value) > (double)FLT_MAX) {
        return vg_csv_complain(&t->csv, field->line, error, "'%.*s' is no finite number, as '%s' takes them", shown,
                               field->text, name_of(like));
    }
    if (like->dtype == VG_F32) {
        *(float *)out = is_of_bytes(like) ? (float)value * like->scale : (float)value;
        return true;
    }
    double least = like->classes ? 0 : INT32_MIN, most = like->classes ? like->classes - 1.0 : INT32_MAX;
    char low[32], high[32];
    if (cell != VG_CELL_WHOLE || value < least || value > most) {
        return vg_csv_complain(&t->csv, field->line, error, "'%.*s' is no whole number from %s to %s, as '%s' takes "
                               "them", shown, field->text, vg_number_text(low, least), vg_number_text(high, most),
                               name_of(like));
    }
    *(int32_t *)out = (int32_t)value;
    return true;
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

static bool read_table(const source *s, vg_column *column, vg_data_error *error) {
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
    vg_csv_close(&t.csv);
    vg_mem_free(mem, t.places);
    column->storage = column->dtype == VG_I32 ? VG_STORE_I32 : VG_STORE_F32;
    column->data = room;
    return fine;
}

/* ---- the door */

static bool open_source(source *s, const char *path, vg_data_error *error) {
    vg_mem *mem = s->set->mem;
    vg_mapping *mapping;
    if (strcmp(path, "-") == 0) {
        char *text;
        s->path = "standard input";
        int failed = vg_file_read_open(mem, 0, SIZE_MAX / 4, &text, &s->length);
        s->bytes = text;
        return failed ? vg_data_unreadable(error, s->path, failed) : true;
    }
    s->path = path;
    if (!vg_data_map(mem, path, &mapping, error)) {
        return false;
    }
    s->mapped = true;
    s->bytes = mapping->bytes;
    s->length = mapping->length;
    return true;
}

/* A column in the form of another one, which need not live as long. */
static vg_column form_of(vg_mem *mem, const vg_column *like) {
    vg_column column = { .name = like->name, .dtype = like->dtype, .rank = like->rank, .classes = like->classes,
                         .texts = like->texts, .members = like->members, .scale = 1 };
    memcpy(column.shape, like->shape, sizeof column.shape);
    if (like->scalings) {
        float *gain = vg_mem_alloc(mem, like->scalings * sizeof *gain);
        float *shift = vg_mem_alloc(mem, like->scalings * sizeof *shift);
        memcpy(gain, like->gain, like->scalings * sizeof *gain);
        memcpy(shift, like->shift, like->scalings * sizeof *shift);
        column.scalings = like->scalings;
        column.gain = gain;
        column.shift = shift;
    }
    return column;
}

/* All examples are of both splits. */
static void split(vg_dataset *set) {
    uint32_t *all = vg_mem_alloc(set->mem, set->count * sizeof *all);
    for (uint32_t k = 0; k < set->count; k++) {
        all[k] = k;
    }
    set->train = set->test_examples = all;
    set->train_count = set->test_count = set->count;
    set->in_order = set->loaded = true;
}

bool vg_dataset_input(vg_dataset *set, const vg_column *like, const char *path, vg_data_error *error) {
    source s = { .set = set, .like = like, .elements = vg_column_elements(like) };
    vg_column *column = vg_dataset_columns(set, 1);
    *column = form_of(set->mem, like);
    if (!open_source(&s, path, error)) {
        return false;
    }
    column->mapped = s.mapped;
    bool array = s.length && s.bytes[0] == '\x93';       /* which begins no text in UTF-8 */
    if (!(array ? read_array(&s, column, error) : read_table(&s, column, error))) {
        return false;
    }
    set->classes = like->classes;
    set->class_texts = like->texts;
    split(set);
    return true;
}
