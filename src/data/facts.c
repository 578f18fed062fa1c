/* The facts of a data set (facts.h): to JSON and back, and a data set that is made of them or held against them. */
#include "data/facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "data/source.h"

enum { LARGEST = 1 << 24 };      /* columns, classes, scales: more than any file has */

/* ---- to JSON: each NULL without memory */

static json_t *text_list(const char *const *texts, uint32_t count) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < count; k++) list = vg_json_add(list, json_string(texts[k]));
    return list;
}

static json_t *float_list(const float *numbers, uint32_t count) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < count; k++) list = vg_json_add(list, json_real((double)numbers[k]));
    return list;
}

static json_t *shape_list(const vg_column *column) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < column->rank; k++) list = vg_json_add(list, json_integer(column->shape[k]));
    return list;
}

static bool same_texts(const char *const *a, const char *const *b, uint32_t count) {
    if (!a || !b) return a == b;
    for (uint32_t k = 0; k < count; k++)
        if (strcmp(a[k], b[k]) != 0) return false;
    return true;
}

/* How many names a column has in its file. */
static uint32_t names_of(const vg_column *column) { return column->members ? column->shape[0] : 1; }

static bool is_named_otherwise(const vg_column *column) {
    return column->given && !same_texts(column->given, column->members ? column->members : &column->name,
                                        names_of(column));
}

static json_t *column_object(const vg_column *column) {
    json_t *object = json_object();
    object = vg_json_put(object, "name", json_string(column->name));
    object = vg_json_put(object, "integer", json_boolean(column->dtype == VG_I32));
    object = vg_json_put(object, "bytes", json_boolean(column->storage == VG_STORE_U8));
    object = vg_json_put(object, "scale", json_real((double)column->scale));
    object = vg_json_put(object, "shape", shape_list(column));
    object = vg_json_put(object, "classes", json_integer(column->classes));
    if (column->texts) object = vg_json_put(object, "texts", text_list(column->texts, column->classes));
    if (column->members) object = vg_json_put(object, "members", text_list(column->members, column->shape[0]));
    if (is_named_otherwise(column)) object = vg_json_put(object, "given", text_list(column->given, names_of(column)));
    if (column->scalings) {
        object = vg_json_put(object, "gain", float_list(column->gain, column->scalings));
        object = vg_json_put(object, "shift", float_list(column->shift, column->scalings));
    }
    return object;
}

static json_t *set_object(const vg_dataset *set, const char *name) {
    json_t *columns = json_array(), *object = json_object();
    for (uint32_t k = 0; k < set->column_count; k++) columns = vg_json_add(columns, column_object(&set->columns[k]));
    object = vg_json_put(object, "name", json_string(name));
    object = vg_json_put(object, "source", json_string(set->source->name));
    object = vg_json_put(object, "count", json_integer(set->count));
    object = vg_json_put(object, "train", json_integer(set->train_count));
    object = vg_json_put(object, "test", json_integer(set->test_count));
    object = vg_json_put(object, "classes", json_integer(set->classes));
    object = vg_json_put(object, "columns", columns);
    if (set->class_texts) object = vg_json_put(object, "texts", text_list(set->class_texts, set->classes));
    return object;
}

json_t *vg_facts_list(const vg_unit *unit, const vg_strings *strings) {
    json_t *list = json_array();
    for (uint32_t k = 0; k < unit->datasets.count; k++) {
        const vg_dataset *set = unit->datasets.items[k];
        list = vg_json_add(list, set_object(set, vg_strings_text(strings, set->name)));
    }
    return list;
}

/* ---- from JSON */

static bool number_of(const json_t *object, const char *key, json_int_t most, uint32_t *number) {
    const json_t *value = json_object_get(object, key);
    const json_int_t whole_value = json_integer_value(value);
    *number = (uint32_t)whole_value;
    return json_is_integer(value) && whole_value >= 0 && whole_value <= most;
}

static const char *text_of(vg_arena *arena, const json_t *value) {
    return json_is_string(value) ? vg_arena_copy(arena, json_string_value(value), json_string_length(value)) : NULL;
}

/* `count` texts; true and NULL where there are none. */
static bool read_texts(vg_arena *arena, const json_t *list, uint32_t count, const char *const **texts) {
    *texts = NULL;
    if (!list) return true;
    if (json_array_size(list) != count) return false;
    const char **read = VG_ARRAY(arena, const char *, count);
    for (uint32_t k = 0; k < count; k++)
        if ((read[k] = text_of(arena, json_array_get(list, k))) == NULL) return false;
    *texts = read;
    return true;
}

static const float *read_floats(vg_arena *arena, const json_t *list) {
    float *numbers = VG_ARRAY(arena, float, json_array_size(list) + 1);
    for (size_t k = 0; k < json_array_size(list); k++) numbers[k] = (float)json_number_value(json_array_get(list, k));
    return numbers;
}

static bool read_column(vg_arena *arena, const json_t *object, vg_column *column) {
    const json_t *shape = json_object_get(object, "shape"), *gain = json_object_get(object, "gain");
    uint64_t elements = 1;
    *column = (vg_column){ .name = text_of(arena, json_object_get(object, "name")),
                           .rank = (uint32_t)json_array_size(shape) };
    column->dtype = json_is_true(json_object_get(object, "integer")) ? VG_I32 : VG_F32;
    column->storage = json_is_true(json_object_get(object, "bytes")) ? VG_STORE_U8
                    : column->dtype == VG_I32 ? VG_STORE_I32 : VG_STORE_F32;
    column->scale = (float)json_number_value(json_object_get(object, "scale"));
    if (!column->name || column->rank > sizeof column->shape / sizeof *column->shape) return false;
    for (uint32_t k = 0; k < column->rank; k++) {
        const json_int_t length = json_integer_value(json_array_get(shape, k));
        if (length < 0 || length > INT32_MAX) return false;
        column->shape[k] = (uint32_t)length;
        elements *= (uint64_t)length;
        if (elements > INT32_MAX) return false;
    }
    if (!number_of(object, "classes", LARGEST, &column->classes) ||
        !read_texts(arena, json_object_get(object, "texts"), column->classes, &column->texts) ||
        !read_texts(arena, json_object_get(object, "members"), column->rank ? column->shape[0] : 0,
                    &column->members) ||
        !read_texts(arena, json_object_get(object, "given"), names_of(column), &column->given))
        return false;
    if (column->members && column->rank != 1) return false;
    column->scalings = (uint32_t)json_array_size(gain);
    if (column->scalings == 0) return true;
    if (column->scalings != 1 && column->scalings != elements) return false;
    column->gain = read_floats(arena, gain);
    column->shift = read_floats(arena, json_object_get(object, "shift"));
    return json_array_size(json_object_get(object, "shift")) == column->scalings;
}

vg_facts *vg_facts_read(vg_arena *arena, const json_t *object) {
    const json_t *columns = json_object_get(object, "columns");
    vg_facts *facts = VG_NEW(arena, vg_facts);
    vg_dataset *set = &facts->set;
    facts->name = text_of(arena, json_object_get(object, "name"));
    set->column_count = (uint32_t)json_array_size(columns);
    set->columns = VG_ARRAY(arena, vg_column, set->column_count + 1);
    if (!facts->name || !number_of(object, "count", INT32_MAX, &set->count) ||
        !number_of(object, "train", INT32_MAX, &set->train_count) ||
        !number_of(object, "test", INT32_MAX, &set->test_count) ||
        !number_of(object, "classes", LARGEST, &set->classes) ||
        !read_texts(arena, json_object_get(object, "texts"), set->classes, &set->class_texts)) return NULL;
    for (uint32_t k = 0; k < set->column_count; k++)
        if (!read_column(arena, json_array_get(columns, k), &set->columns[k])) return NULL;
    return facts;
}

/* ---- a data set by its facts */

void vg_dataset_recall(vg_dataset *set, const vg_facts *facts) {
    const vg_dataset *known = &facts->set;
    memcpy(vg_dataset_columns(set, known->column_count), known->columns, known->column_count * sizeof *set->columns);
    set->classes = known->classes;
    set->class_texts = known->class_texts;
    set->count = known->count;
    set->train_count = known->train_count;
    set->test_count = known->test_count;
    set->facts = facts;
    set->recalled = true;
}

static vg_column *column_named(const vg_dataset *set, const char *name) {
    for (uint32_t k = 0; k < set->column_count; k++)
        if (strcmp(set->columns[k].name, name) == 0) return &set->columns[k];
    return NULL;
}

/* A word as messages have it: cut, and what is no sign as its code. */
static const char *quoted(char out[48], const char *const *texts, uint32_t k, uint32_t count) {
    if (k >= count) snprintf(out, 48, "missing");
    else if ((unsigned char)texts[k][0] < ' ' && texts[k][0]) snprintf(out, 48, "\\x%02x", (unsigned)texts[k][0]);
    else snprintf(out, 48, "'%.32s'", texts[k]);
    return out;
}

/* Says which is the first that differs of two lists. */
static bool refuse_words(const char *whose, const char *const *here, uint32_t count, const char *const *there,
                         uint32_t known, vg_data_error *error) {
    char now[48], then[48];
    uint32_t k = 0;
    while (k < count && k < known && strcmp(here[k], there[k]) == 0) k++;
    return vg_data_fail(error, "%s are not those that the checkpoint was trained with, in the same order (%u here, %u "
                        "there): the first that differs is %s here and %s there", whose, count, known,
                        quoted(now, here, k, count), quoted(then, there, k, known));
}

/* Classes that are words are the same ones; of those that are numbers there may be fewer in a file than there were:
 * they are as many as there were. */
static bool classes_match(vg_column *column, const vg_column *known, vg_data_error *error) {
    if (column->texts && known->texts) {
        char whose[64];
        if (column->classes == known->classes && same_texts(column->texts, known->texts, known->classes)) return true;
        snprintf(whose, sizeof whose, "the classes of '%.32s'", known->name);
        return refuse_words(whose, column->texts, column->classes, known->texts, known->classes, error);
    }
    if (column->texts || known->texts)
        return vg_data_fail(error, "the checkpoint was trained with a column '%s' of %s, which is of %s here",
                            known->name, known->texts ? "words" : "numbers", column->texts ? "words" : "numbers");
    if (column->classes > known->classes && known->classes)
        return vg_data_fail(error, "the largest number of '%s' is %u, and the checkpoint was trained with the classes "
                            "0 to %u", known->name, column->classes - 1, known->classes - 1);
    if (!column->classes && known->classes)
        return vg_data_fail(error, "'%s' holds a number that is no class: the checkpoint was trained with 0 to %u",
                            known->name, known->classes - 1);
    column->classes = known->classes;
    return true;
}

/* A column that an input may read is what it was: its scale is taken over later. */
static bool matches(vg_column *column, const vg_column *known, vg_data_error *error) {
    const bool same = column && column->dtype == known->dtype && column->rank == known->rank &&
                      memcmp(column->shape, known->shape, known->rank * sizeof *known->shape) == 0;
    if (!same)
        return vg_data_fail(error, "the checkpoint was trained with a column '%s' that is %s here", known->name,
                            column ? "of another type or shape" : "missing");
    if (!column->members || !known->members || same_texts(column->members, known->members, known->shape[0]))
        return classes_match(column, known, error);
    return refuse_words("the features", column->members, known->shape[0], known->members, known->shape[0], error);
}

bool vg_dataset_matches(vg_dataset *set, vg_data_error *error) {
    const vg_dataset *known = &set->facts->set;
    const bool words = set->class_texts && known->class_texts;
    if (words && (set->classes != known->classes || !same_texts(set->class_texts, known->class_texts, known->classes)))
        return refuse_words("the classes", set->class_texts, set->classes, known->class_texts, known->classes, error);
    for (uint32_t k = 0; k < known->column_count; k++)
        if (!matches(column_named(set, known->columns[k].name), &known->columns[k], error)) return false;
    if (!set->class_texts) set->classes = known->classes;
    return true;
}

void vg_dataset_take_scales(vg_dataset *set) {
    for (uint32_t k = 0; k < set->column_count; k++) {
        const vg_column *known = column_named(&set->facts->set, set->columns[k].name);
        if (!known) continue;
        set->columns[k].scalings = known->scalings;
        set->columns[k].gain = known->gain;
        set->columns[k].shift = known->shift;
    }
}
