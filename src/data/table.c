/* The source csv: columns, classes and count of a file, for which it is read from end to end: what a column is, only
 * its last line can say. */
#include "data/table.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_NAME, TARGET, HEADER, SEPARATOR, MISSING, SKIP };   /* the parameters, in order */
enum { WORDS_LIMIT = 1 << 20, NAMES = 6 };

/* ---- names */

/* "a, b, c, ..." */
static void list_names(const vg_table *table, vg_text *out) {
    for (uint32_t k = 0; k < table->count && k < NAMES; k++) {
        vg_text_format(out, "%s%s", k ? ", " : "", table->columns[k].given);
    }
    vg_text_format(out, "%s", table->count > NAMES ? ", ..." : "");
}

/* The column that is called so in the file, or else in a model; VG_TABLE_NONE: there is none. */
static uint32_t find_column(const vg_table *table, const char *name, size_t length) {
    for (uint32_t k = 0; k < table->count; k++) {
        const char *given = table->columns[k].given;
        if (strlen(given) == length && memcmp(given, name, length) == 0) {
            return k;
        }
    }
    for (uint32_t k = 0; k < table->count; k++) {
        const char *known = table->columns[k].name;
        if (strlen(known) == length && memcmp(known, name, length) == 0) {
            return k;
        }
    }
    return VG_TABLE_NONE;
}

/* A file that has a single column may have been meant to have others. */
static const char *separator_hint(const vg_table *table) {
    static const struct { char sign; const char *hint; } likely[] = {
        { ';', "; is it separated by ';'? separator = \";\" says so" },
        { '\t', "; is it separated by tabs? separator = \"\\t\" says so" },
        { ',', "; is it separated by ','? separator = \",\" says so" },
        { '|', "; is it separated by '|'? separator = \"|\" says so" },
    };
    for (size_t k = 0; table->count == 1 && k < sizeof likely / sizeof *likely; k++) {
        if (strchr(table->columns[0].given, likely[k].sign)) {
            return likely[k].hint;
        }
    }
    return "";
}

/* A first line that is all numbers may be no line of names. */
static const char *header_hint(const vg_table *table) {
    for (uint32_t k = 0; k < table->count; k++) {
        const vg_csv_field field = { table->columns[k].given, strlen(table->columns[k].given), 1 };
        double value;
        vg_cell cell = vg_csv_cell(&table->csv, &field, &value);
        if (!table->header || (cell != VG_CELL_WHOLE && cell != VG_CELL_REAL)) {
            return "";
        }
    }
    return "; the first line is all numbers: where it is an example, and not names, header = false says so, and the "
           "columns are c1, c2, ...";
}

static bool refuse_column(const vg_table *table, const char *what, const char *name, size_t length,
                          vg_data_error *error) {
    vg_text names = vg_text_new(table->csv.mem);
    list_names(table, &names);
    vg_data_refuse(error, "%s: '%s' has no column '%.*s', but %s%s%s", what, table->csv.path, (int)length, name,
                   vg_text_c(&names), separator_hint(table), header_hint(table));
    vg_text_free(&names);
    return false;
}

static bool choose_target(vg_table *table, const vg_dataset *set, vg_data_error *error) {
    const char *target = vg_argument_text(set, TARGET);
    table->target = VG_TABLE_NONE;
    if (!set->arguments[TARGET].given) {
        return true;
    }
    table->target = find_column(table, target, strlen(target));
    return table->target != VG_TABLE_NONE || refuse_column(table, "target", target, strlen(target), error);
}

/* skip = "name, city" */
static bool choose_skipped(vg_table *table, const vg_dataset *set, vg_data_error *error) {
    const char *p = vg_argument_text(set, SKIP);
    while (*(p += strspn(p, " ,"))) {
        size_t length = strcspn(p, ",");
        const char *next = p + length;
        while (length && p[length - 1] == ' ') {
            length--;
        }
        uint32_t k = find_column(table, p, length);
        if (k == VG_TABLE_NONE) {
            return refuse_column(table, "skip", p, length, error);
        }
        if (k == table->target) {
            return vg_data_refuse(error, "skip leaves out '%.*s', which is the target", (int)length, p);
        }
        table->columns[k].skipped = true;
        p = next;
    }
    return true;
}

/* Of two that have one name, the one that is skipped comes last. */
static int by_name(const void *a, const void *b) {
    const vg_table_column *const *one = a, *const *two = b;
    int order = strcmp((*one)->name, (*two)->name);
    return order ? order : (*one)->skipped - (*two)->skipped;
}

static bool is_taken(const vg_table *table, uint32_t k) {
    const char *name = table->columns[k].name;
    return strcmp(name, "features") == 0
        || (strcmp(name, "target") == 0 && table->target != VG_TABLE_NONE && table->target != k);
}

/* Every column must have a name of its own in a model, which leaves `features` and `target` to what they are; one that
 * is skipped may be without. */
static bool check_names(vg_table *table, vg_data_error *error) {
    vg_mem *mem = table->csv.mem;
    vg_table_column **sorted = vg_mem_alloc(mem, table->count * sizeof *sorted);
    bool fine = true;
    for (uint32_t k = 0; k < table->count; k++) {
        vg_table_column *column = sorted[k] = &table->columns[k];
        if (is_taken(table, k) && column->skipped) {
            column->kind = VG_TABLE_LEFT_OUT;
        } else if (is_taken(table, k)) {
            const char *meaning = *column->name == 'f' ? "all columns but the target" : "what is to be learnt";
            fine = fine && vg_csv_complain(&table->csv, 1, error, "a column is called '%s', which in a model is %s; "
                                           "call it otherwise, or leave it out with skip = \"%s\"", column->given,
                                           meaning,
                                           column->given);
        }
    }
    qsort(sorted, table->count, sizeof *sorted, by_name);
    for (uint32_t k = 1; k < table->count && fine; k++) {
        if (strcmp(sorted[k - 1]->name, sorted[k]->name) != 0) {
            continue;
        }
        if (sorted[k]->skipped) {
            sorted[k]->kind = VG_TABLE_LEFT_OUT;
            continue;
        }
        fine = vg_csv_complain(&table->csv, 1, error, "the columns '%s' and '%s' are both called %s in a model; call "
                               "one otherwise, or leave it out with skip%s", sorted[k - 1]->given, sorted[k]->given,
                               sorted[k]->name, header_hint(table));
    }
    vg_mem_free(mem, sorted);
    return fine;
}

/* The first line: names, or only how many there are. */
static bool read_names(vg_table *table, vg_data_error *error) {
    vg_csv *csv = &table->csv;
    if (!vg_csv_row(csv, error)) {
        return csv->failed ? false : vg_data_fail(error, "'%s' is empty: a table was expected", csv->path);
    }
    table->count = csv->fields.count;
    table->columns = vg_mem_alloc(csv->mem, table->count * sizeof *table->columns);
    for (uint32_t k = 0; k < table->count; k++) {
        vg_table_column *column = &table->columns[k];
        const vg_csv_field *field = &csv->fields.items[k];
        column->kind = VG_TABLE_WHOLE;
        column->name = vg_column_name(csv->mem, field->text, table->header ? field->length : 0, k + 1);
        column->given = column->name;
        column->least = INFINITY;
        column->most = -INFINITY;
        if (table->header && field->length) {
            char *given = vg_mem_alloc(csv->mem, field->length + 1);
            memcpy(given, field->text, field->length);
            column->given = given;
        }
    }
    if (!table->header) {
        vg_csv_rewind(csv);
    }
    return true;
}

/* ---- what is in the columns */

static void keep(char *out, size_t size, const vg_csv_field *field) {
    size_t length = field->length < size - 1 ? field->length : size - 1;
    memcpy(out, field->text, length);
    out[length] = '\0';
}

static void note(uint64_t *first, char *sample, size_t size, const vg_csv_field *field) {
    if (!*first) {
        *first = field->line;
        keep(sample, size, field);
    }
}

static void survey(const vg_csv *csv, vg_table_column *column, const vg_csv_field *field) {
    double value = 0;
    vg_cell cell = vg_csv_cell(csv, field, &value);
    switch (cell) {
    case VG_CELL_WORD:
        note(&column->word, column->sample, sizeof column->sample, field);
        return;
    case VG_CELL_MISSING:
        note(&column->hole, column->odd, sizeof column->odd, field);
        column->empty = column->empty || field->length ? column->empty : field->line;
        return;
    case VG_CELL_INFINITE:
        column->infinite = column->infinite ? column->infinite : field->line;
        return;
    case VG_CELL_WHOLE: case VG_CELL_REAL:
        column->numbers = true;
        column->fractions = column->fractions || cell == VG_CELL_REAL || value < INT32_MIN || value > INT32_MAX;
        column->large = column->large || fabs(value) <= (double)FLT_MAX ? column->large : field->line;
        column->least = fmin(column->least, value);
        column->most = fmax(column->most, value);
        return;
    }
}

static bool refuse_ragged(const vg_table *table, vg_data_error *error) {
    const vg_csv *csv = &table->csv;
    uint32_t have = csv->fields.count;
    return vg_csv_complain(csv, csv->row, error, "there %s %u field%s, where %s %u: %s", have == 1 ? "is" : "are", have,
                           have == 1 ? "" : "s", table->header ? "the header names" : "the first line has",
                           table->count, have < table->count ? "is something missing?"
                           : "a field that holds the separator must be quoted");
}

/* All rows behind the header. */
static bool survey_rows(vg_table *table, vg_data_error *error) {
    vg_csv *csv = &table->csv;
    for (table->rows = 0; vg_csv_row(csv, error); table->rows++) {
        if (csv->fields.count != table->count) {
            return refuse_ragged(table, error);
        }
        if (table->rows == INT32_MAX) {
            return vg_csv_complain(csv, csv->row, error, "there are more than %d rows, which is the limit", INT32_MAX);
        }
        for (uint32_t k = 0; k < table->count; k++) {
            if (table->columns[k].kind != VG_TABLE_LEFT_OUT) {
                survey(csv, &table->columns[k], &csv->fields.items[k]);
            }
        }
    }
    return !csv->failed
        && (table->rows || vg_csv_complain(csv, csv->line, error, "there is only a header, and no row"));
}

/* A column of numbers must have one in each row, unless the mean of the others may stand there. */
static bool check_numbers(const vg_table *table, const vg_table_column *column, bool target, vg_data_error *error) {
    const vg_csv *csv = &table->csv;
    const char *given = column->given;
    if (column->infinite) {
        return vg_csv_complain(csv, column->infinite, error, "column '%s' holds an infinite number: correct it, or "
                               "leave the column out with skip = \"%s\"", given, given);
    }
    if (column->large) {
        return vg_csv_complain(csv, column->large, error, "column '%s' holds a number that is too large for a float32",
                               given);
    }
    if (!column->hole || (table->fills && !target)) {
        return true;
    }
    bool empty = !column->odd[0];
    if (target) {
        return vg_csv_complain(csv, column->hole, error, "the target '%s' %s%s%s: what is to be learnt cannot be made "
                               "up; give it a number, or take the line away", given, empty ? "is missing" : "is '",
                               column->odd, empty ? "" : "'");
    }
    return vg_csv_complain(csv, column->hole, error, "column '%s' %s%s%s: give it a number, leave the column out with "
                           "skip = \"%s\", or take the mean of the others with missing = \"mean\"", given,
                           empty ? "has no value" : "holds '", column->odd, empty ? "" : "', which is no number",
                           given);
}

static bool judge(const vg_table *table, vg_table_column *column, bool target, vg_data_error *error) {
    const vg_csv *csv = &table->csv;
    if (column->word && column->empty) {
        return vg_csv_complain(csv, column->empty, error, "column '%s' of words has no value here: give it a word, or "
                               "leave the column out with skip = \"%s\"", column->given, column->given);
    }
    if (column->word) {
        column->kind = VG_TABLE_WORDS;
        return true;
    }
    if (!column->numbers && !column->infinite) {
        return vg_csv_complain(csv, column->hole, error, "column '%s' has no value anywhere: leave it out with skip = "
                               "\"%s\"", column->given, column->given);
    }
    column->kind = column->fractions || column->hole ? VG_TABLE_REAL : VG_TABLE_WHOLE;
    return check_numbers(table, column, target, error);
}

/* Of a column that is skipped only whoever reads it hears what is wrong with it. */
static void set_aside(const vg_table *table, vg_table_column *column, const vg_data_error *error) {
    char *text = vg_mem_alloc(table->csv.mem, sizeof error->text);
    memcpy(text, error->text, sizeof error->text);
    column->refused = text;
    column->kind = VG_TABLE_LEFT_OUT;
}

static bool judge_all(vg_table *table, vg_data_error *error) {
    for (uint32_t k = 0; k < table->count; k++) {
        vg_table_column *column = &table->columns[k];
        if (column->kind == VG_TABLE_LEFT_OUT || judge(table, column, k == table->target, error)) {
            continue;
        }
        if (!column->skipped) {
            return false;
        }
        set_aside(table, column, error);
    }
    return true;
}

/* ---- words */

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Words become classes in sorted order, which is that of their code points. */
static void sort_words(vg_mem *mem, vg_table_column *column) {
    column->classes = column->words.text.count - 1;      /* the interner's first string is the empty one */
    column->texts = vg_mem_alloc(mem, column->classes * sizeof *column->texts);
    for (uint32_t k = 0; k < column->classes; k++) {
        column->texts[k] = vg_strings_text(&column->words, k + 1);
    }
    qsort(column->texts, column->classes, sizeof *column->texts, by_text);
    column->class_of = vg_mem_alloc(mem, (column->classes + 1) * sizeof *column->class_of);
    for (uint32_t k = 0; k < column->classes; k++) {
        column->class_of[vg_strings_find(&column->words, column->texts[k], strlen(column->texts[k]))] = k;
    }
}

/* The words of a row. */
static bool collect(vg_table *table, vg_data_error *error) {
    const vg_csv *csv = &table->csv;
    for (uint32_t k = 0; k < table->count && k < csv->fields.count; k++) {
        vg_table_column *column = &table->columns[k];
        if (column->kind != VG_TABLE_WORDS) {
            continue;
        }
        vg_strings_add(&column->words, csv->fields.items[k].text, csv->fields.items[k].length);
        if (column->words.text.count <= WORDS_LIMIT) {
            continue;
        }
        vg_csv_complain(csv, csv->row, error, "column '%s' holds more than %d different words, which is the limit: "
                        "leave it out with skip = \"%s\"", column->given, WORDS_LIMIT, column->given);
        if (!column->skipped) {
            return false;
        }
        set_aside(table, column, error);
    }
    return true;
}

static bool collect_words(vg_table *table, vg_data_error *error) {
    vg_csv *csv = &table->csv;
    bool any = false;
    for (uint32_t k = 0; k < table->count; k++) {
        if (table->columns[k].kind == VG_TABLE_WORDS) {
            vg_strings_init(&table->columns[k].words, csv->mem);
            any = true;
        }
    }
    vg_csv_rewind(csv);
    for (bool names = table->header; any && vg_csv_row(csv, error); names = false) {
        if (!names && !collect(table, error)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < table->count; k++) {
        if (table->columns[k].kind == VG_TABLE_WORDS) {
            sort_words(csv->mem, &table->columns[k]);
        }
    }
    return !csv->failed;
}

/* ---- the source */

static bool take_arguments(vg_table *table, const vg_dataset *set, char *separator, vg_data_error *error) {
    const char *sign = set->arguments[SEPARATOR].given ? vg_argument_text(set, SEPARATOR) : ",";
    const char *missing = vg_argument_text(set, MISSING);
    table->header = vg_argument_number(set, HEADER) != 0;
    table->fills = strcmp(missing, "mean") == 0;
    *separator = sign[0];
    if (strlen(sign) != 1 || strchr("\"\n\r.+-0123456789", *sign) || *sign < 0 || vg_name_length(sign)) {
        return vg_data_refuse(error, "separator is one character, as \",\" \";\" or \"\\t\", that stands in no number "
                                     "and no name, not \"%s\"", sign);
    }
    return table->fills || !set->arguments[MISSING].given
        || vg_data_refuse(error, "missing says what stands for a number that is missing, and the only word for it is "
                                 "\"mean\", not \"%s\"", missing);
}

static bool read_table(vg_table *table, vg_dataset *set, vg_data_error *error) {
    return read_names(table, error) && choose_target(table, set, error) && choose_skipped(table, set, error)
        && check_names(table, error) && survey_rows(table, error) && judge_all(table, error)
        && collect_words(table, error);
}

bool vg_table_describe(vg_dataset *set, vg_data_error *error) {
    vg_table *table = vg_mem_alloc(set->mem, sizeof *table);
    const char *path = vg_argument_path(set, FILE_NAME);
    char separator;
    if (!take_arguments(table, set, &separator, error) || !vg_data_map(set->mem, path, &table->mapping, error)) {
        return false;
    }
    vg_csv_open(&table->csv, set->mem, path, table->mapping->bytes, table->mapping->length, separator);
    set->state = table;
    if (!read_table(table, set, error)) {
        return false;
    }
    vg_table_columns(table, set);
    vg_data_plan(set);
    return true;
}
