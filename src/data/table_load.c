/* The source csv: reading the rows once more, into the columns that table.c has described. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/table.h"

/* Where the columns go: the features, [rows, places], in which those of floats lie too, and what has room of its own.
 * */
typedef struct filling {
    vg_table   *table;
    vg_dataset *set;
    float      *features;
} filling;

static bool make_room(filling *f, vg_data_error *error) {
    const vg_table *table = f->table;
    vg_dataset *set = f->set;
    if (table->features != VG_TABLE_NONE) {
        vg_column *features = &set->columns[table->features];
        void *room;
        if (!vg_data_room(set, features->mapped, (uint64_t)table->rows * table->places * sizeof(float), &room, error)) {
            return false;
        }
        features->data = f->features = room;
    }
    for (uint32_t k = 0; k < table->count; k++) {
        const vg_table_column *from = &table->columns[k];
        if (from->kind == VG_TABLE_LEFT_OUT) {
            continue;
        }
        vg_column *column = &set->columns[from->column];
        if (column->shares) {
            column->data = f->features + from->place;
            column->stride = table->places * sizeof(float);
            continue;
        }
        void *room;
        uint64_t bytes = (uint64_t)table->rows * vg_storage_size(column->storage);
        if (!vg_data_room(set, column->mapped, bytes, &room, error)) {
            return false;
        }
        column->data = room;
    }
    return true;
}

/* -1: no column of words has it. */
static int64_t class_of(const vg_table_column *column, const vg_csv_field *field) {
    vg_str word = vg_strings_find(&column->words, field->text, field->length);
    return word ? (int64_t)column->class_of[word] : -1;
}

static bool fill_field(const filling *f, const vg_table_column *from, const vg_csv_field *field, uint32_t row) {
    const vg_column *column = &f->set->columns[from->column];
    void *data = (void *)(uintptr_t)column->data;
    double value = 0;
    if (from->kind == VG_TABLE_WORDS) {
        int64_t class = class_of(from, field);
        if (column->storage == VG_STORE_U8) {
            ((uint8_t *)data)[row] = (uint8_t)class;
        } else {
            ((int32_t *)data)[row] = (int32_t)class;
        }
        return class >= 0;
    }
    vg_cell cell = vg_csv_cell(&f->table->csv, field, &value);
    if (cell == VG_CELL_MISSING && from->kind == VG_TABLE_REAL) {
        value = NAN;                                   /* until the mean is known */
    } else if (cell != VG_CELL_WHOLE && (cell != VG_CELL_REAL || from->kind != VG_TABLE_REAL)) {
        return false;
    }
    if (from->place != VG_TABLE_NONE) {
        f->features[(size_t)row * f->table->places + from->place] = (float)value;
    }
    if (from->kind == VG_TABLE_WHOLE && value >= INT32_MIN && value <= INT32_MAX) {
        ((int32_t *)data)[row] = (int32_t)value;
    } else if (from->kind == VG_TABLE_REAL && !column->shares) {
        ((float *)data)[row] = (float)value;
    }
    return true;
}

/* False: it is not the file that was described. */
static bool fill(const filling *f, vg_data_error *error) {
    vg_table *table = f->table;
    vg_csv *csv = &table->csv;
    uint32_t row = 0;
    vg_csv_rewind(csv);
    bool fine = !table->header || vg_csv_row(csv, error);
    for (; fine && vg_csv_row(csv, error); row++) {
        fine = csv->fields.count == table->count && row < table->rows;
        for (uint32_t k = 0; fine && k < table->count; k++) {
            const vg_table_column *column = &table->columns[k];
            fine = column->kind == VG_TABLE_LEFT_OUT || fill_field(f, column, &csv->fields.items[k], row);
        }
    }
    return fine && !csv->failed && row == table->rows;
}

/* `target` is the column that it was made of, by another name. */
static void share_target(const vg_table *table, vg_dataset *set) {
    vg_column *last = &set->columns[set->column_count - 1];
    if (table->target != VG_TABLE_NONE && last->shares && strcmp(last->name, "target") == 0) {
        last->data = set->columns[table->columns[table->target].column].data;
    }
}

bool vg_table_load(vg_dataset *set, vg_data_error *error) {
    filling f = { .table = set->state, .set = set };
    if (!make_room(&f, error)) {
        return false;
    }
    bool fine = fill(&f, error) || vg_data_fail(error, "'%s' has changed while it was being read", f.table->csv.path);
    share_target(f.table, set);
    vg_csv_close(&f.table->csv);
    vg_file_unmap(f.table->mapping);
    return fine;
}

/* ---- missing numbers */

/* The mean of those of the training split that are there; NaN where none is. */
static double mean_of(const vg_dataset *set, const float *values, size_t stride) {
    double sum = 0, count = 0;
    for (uint32_t i = 0; i < set->train_count; i++) {
        float value = values[set->train[i] * stride];
        sum += isnan(value) ? 0 : value;
        count += !isnan(value);
    }
    return sum / count;
}

bool vg_table_finish(vg_dataset *set, vg_data_error *error) {
    const vg_table *table = set->state;
    for (uint32_t k = 0; k < table->count; k++) {
        const vg_table_column *from = &table->columns[k];
        if (from->kind != VG_TABLE_REAL || !from->hole) {
            continue;
        }
        float *values = (float *)(uintptr_t)set->columns[from->column].data;
        size_t stride = from->place == VG_TABLE_NONE ? 1 : table->places;
        double mean = mean_of(set, values, stride);
        if (isnan(mean)) {
            return vg_data_fail(error, "'%s' has no value for column '%s' in any of the training examples, so that "
                                "there is no mean: leave it out with skip = \"%s\"", table->csv.path, from->given,
                                from->given);
        }
        for (uint32_t i = 0; i < set->count; i++) {
            float *value = &values[i * stride];
            *value = isnan(*value) ? (float)mean : *value;
        }
    }
    return true;
}
