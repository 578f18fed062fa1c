/* The source csv: the columns of a dataset, out of what table.c has found in a file. */
#include <string.h>

#include "data/table.h"

static vg_column describe_column(const vg_table_column *from, bool target) {
    vg_column column = { .name = from->name, .given = &from->given, .refused = from->refused };
    switch (from->kind) {
    case VG_TABLE_REAL:
        column.dtype = VG_F32;
        column.storage = VG_STORE_F32;
        break;
    case VG_TABLE_WHOLE:
        column.dtype = VG_I32;
        column.storage = VG_STORE_I32;
        column.classes = target && from->least >= 0 && from->most < INT32_MAX ? (uint32_t)from->most + 1 : 0;
        break;
    case VG_TABLE_WORDS:
        column.dtype = VG_I32;
        column.storage = from->classes <= 256 ? VG_STORE_U8 : VG_STORE_I32;
        column.classes = from->classes;
        column.texts = from->texts;
        break;
    case VG_TABLE_LEFT_OUT:
        break;
    }
    return column;
}

/* The features are all columns but the target, so they are numbers only where all of those are. */
static void describe_features(vg_table *table, vg_dataset *set, uint32_t at) {
    const vg_table_column *words = NULL;
    const char **members = vg_mem_alloc(set->mem, (table->places + 1) * sizeof *members);
    const char **given = vg_mem_alloc(set->mem, (table->places + 1) * sizeof *given);
    for (uint32_t k = 0, place = 0; k < table->count; k++) {
        const vg_table_column *column = &table->columns[k];
        if (k == table->target || column->skipped) {
            continue;
        }
        words = words || column->kind != VG_TABLE_WORDS ? words : column;
        if (column->kind != VG_TABLE_WORDS) {
            given[place] = column->given;
            members[place++] = column->name;
        }
    }
    set->columns[at] = (vg_column){ .name = "features", .dtype = VG_F32, .storage = VG_STORE_F32, .rank = 1,
                                    .shape = { table->places }, .members = members, .given = given };
    if (words) {
        char line[32];
        vg_text text = vg_text_new(set->mem);
        vg_text_format(&text, "features are all columns but the target, and '%s' holds words ('%s' in line %s), which "
                       "are no numbers; leave it out of them with skip = \"%s\"; read by itself, one_hot(x, n) makes "
                       "numbers of its classes", words->given, words->sample, vg_number_text(line, (double)words->word),
                       words->given);
        set->columns[at].refused = text.text;
    }
}

void vg_table_columns(vg_table *table, vg_dataset *set) {
    uint32_t count = 0;
    bool some = false;                                  /* there are features */
    table->places = 0;
    for (uint32_t k = 0; k < table->count; k++) {
        vg_table_column *column = &table->columns[k];
        bool feature = k != table->target && !column->skipped && column->kind != VG_TABLE_WORDS;
        column->column = column->kind == VG_TABLE_LEFT_OUT && !column->refused ? VG_TABLE_NONE : count++;
        column->place = feature ? table->places++ : VG_TABLE_NONE;
        some = some || (k != table->target && !column->skipped);
    }
    bool target = table->target != VG_TABLE_NONE && strcmp(table->columns[table->target].name, "target") != 0;
    vg_column *columns = vg_dataset_columns(set, count + some + target);
    for (uint32_t k = 0; k < table->count; k++) {
        if (table->columns[k].column != VG_TABLE_NONE) {
            vg_column *column = &columns[table->columns[k].column];
            *column = describe_column(&table->columns[k], k == table->target);
            column->shares = column->dtype == VG_F32 && table->columns[k].place != VG_TABLE_NONE;
        }
    }
    table->features = some ? count : VG_TABLE_NONE;
    if (some) {
        describe_features(table, set, count);
    }
    if (table->target != VG_TABLE_NONE) {
        const vg_column *own = &columns[table->columns[table->target].column];
        set->classes = own->classes;
        set->class_texts = own->texts;
        if (target) {
            columns[count + some] = *own;
            columns[count + some].name = "target";
            columns[count + some].shares = true;
        }
    }
    set->count = table->rows;
}
