/* What goes into a trained model (vg_dataset_input): an array, a picture or (input_table.c) a table, in the form of a
 * column that the model was trained with. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "data/arrays.h"
#include "data/input.h"
#include "data/picture.h"

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

const char *vg_input_name(const vg_column *like) {
    return like->given && !like->members ? like->given[0] : like->name ? like->name : "the input";
}

bool vg_input_of_bytes(const vg_column *like) {
    return like->dtype == VG_F32 && like->storage == VG_STORE_U8 && like->scale > 0;
}

bool vg_input_is_far(const vg_column *like, double value) {
    const double range = 255 * (double)like->scale;
    return vg_input_of_bytes(like) && (value < -range || value > 2 * range);
}

/* ---- an array */

static bool check_form(const vg_input_file *s, const vg_raw *raw, vg_data_error *error) {
    vg_mem *mem = s->set->mem;
    const vg_npy *form = &raw->form;
    if (form->rank > 0 && form->shape[0] == 0) {
        return vg_data_fail(error, "'%s' is an array %s: it holds no example", s->path,
                            shape_text(mem, form->shape, form->rank, ""));
    }
    if (form->rank == 0 || form->count / form->shape[0] != s->elements) {
        return vg_data_fail(error, "'%s' is an array %s: for '%s' %s was expected, n examples", s->path,
                            shape_text(mem, form->shape, form->rank, ""), vg_input_name(s->like),
                            shape_text(mem, s->like->shape, s->like->rank, "n"));
    }
    return form->kind != 'f' || s->like->dtype == VG_F32
        || vg_data_fail(error, "'%s' holds floats, and '%s' takes integers", s->path, vg_input_name(s->like));
}

/* Whether the elements are what the column takes; `bytes`: from 0 to 255. */
static bool check_elements(const vg_input_file *s, const vg_raw *raw, const vg_column *own, const void *data,
                           bool bytes, vg_data_error *error) {
    const vg_column *like = s->like;
    const bool classes = like->dtype == VG_I32 && like->classes, truths = raw->form.kind == 'b';
    double range[2], least = truths ? 0 : INT32_MIN, most = truths ? 1 : INT32_MAX;
    if (bytes || classes) {
        least = 0;
        most = bytes ? 255 : like->classes - 1.0;
    }
    if (!vg_raw_check(raw, own, data, least, most, range, error)) {
        const size_t length = strlen(error->text);
        snprintf(error->text + length, sizeof error->text - length, "%s", bytes ? ", as bytes: so integers are taken "
                 "where the data set is of bytes, and floats as the model sees them" : "");
        return false;
    }
    const double far = vg_input_is_far(like, range[0]) ? range[0] : range[1];
    char shown[32];
    return raw->form.kind != 'f' || !vg_input_is_far(like, far)
        || vg_data_fail(error, "'%s' holds %s: floats are taken as the model sees '%s', which is from 0 to %g; "
                        "integers from 0 to 255 are scaled to that", s->path, vg_number_text(shown, far), vg_input_name(like),
                        255 * (double)like->scale);
}

/* Integers, known to be from 0 to 255, as bytes; those of one byte are so already. */
static bool narrow(const vg_input_file *s, const vg_raw *raw, vg_column *column, const void *data,
                   vg_data_error *error) {
    enum { BLOCK = 1024 };
    int32_t block[BLOCK];
    const uint32_t size = raw->form.size;
    void *room;
    column->data = data;
    if (size == 1) {
        return true;
    }
    column->mapped = vg_data_is_large(s->set, raw->form.count);
    if (!vg_data_room(s->set, column->mapped, raw->form.count, &room, error)) {
        return false;
    }
    for (uint64_t from = 0; from < raw->form.count; from += BLOCK) {
        const size_t count = raw->form.count - from < BLOCK ? (size_t)(raw->form.count - from) : BLOCK;
        vg_elements_whole(column->storage, (const char *)data + from * size, count, block);
        for (size_t i = 0; i < count; i++) {
            ((uint8_t *)room)[from + i] = (uint8_t)block[i];
        }
    }
    column->data = room;
    return true;
}

static bool read_array(const vg_input_file *s, vg_column *column, vg_data_error *error) {
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
    const bool bytes = vg_input_of_bytes(s->like) && (raw.form.kind == 'u' || raw.form.kind == 'i');
    s->set->count = raw.form.shape[0];
    column->storage = own.storage;
    column->data = data;
    if (!check_elements(s, &raw, &own, data, bytes, error) || (bytes && !narrow(s, &raw, column, data, error))) {
        return false;
    }
    column->storage = bytes ? VG_STORE_U8 : column->storage;
    column->scale = bytes ? s->like->scale : 1;
    return true;
}

/* ---- a picture */

static bool read_picture(const vg_input_file *s, vg_column *column, vg_data_error *error) {
    const vg_column *like = s->like;
    const bool grey = like->rank == 2, colours = like->rank == 3 && like->shape[0] == 3;
    vg_picture picture;
    void *room;
    if (!vg_input_of_bytes(like) || (!grey && !colours)) {
        return vg_data_fail(error, "'%s' is a picture (%s): for '%s', which is of no pictures, .npy or CSV was "
                            "expected", s->path, s->bytes[1] == 'P' ? "PNG" : "JPEG", vg_input_name(like));
    }
    if (!vg_picture_open(&picture, s->path, s->bytes, s->length, error)) {
        return false;
    }
    const vg_extent size = { like->shape[like->rank - 2], like->shape[like->rank - 1] };
    if (!vg_data_room(s->set, false, s->elements, &room, error)
        || !vg_picture_fit(s->set->mem, &picture, colours ? 3 : 1, size, room, error)) {
        return false;
    }
    column->storage = VG_STORE_U8;
    column->scale = like->scale;
    column->data = room;
    s->set->count = 1;
    return true;
}

/* ---- the door */

static bool open_source(vg_input_file *s, const char *path, vg_data_error *error) {
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
    int failed = vg_file_map(mem, path, &mapping);
    if (failed) {
        return failed == EISDIR ? vg_data_fail(error, "'%s' is a folder: an input is read from one file, .npy, CSV or "
                                               "a picture", path) : vg_data_unreadable(error, path, failed);
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
    vg_input_file s = { .set = set, .like = like, .elements = vg_column_elements(like) };
    vg_column *column = vg_dataset_columns(set, 1);
    *column = form_of(set->mem, like);
    if (!open_source(&s, path, error)) {
        return false;
    }
    column->mapped = s.mapped;                       /* as long as its data lie there */
    const bool array = s.length && s.bytes[0] == '\x93';       /* which begins no text in UTF-8 */
    const bool fine = array ? read_array(&s, column, error)
                    : vg_picture_is(s.bytes, s.length) ? read_picture(&s, column, error)
                                                       : vg_input_table(&s, column, error);
    if (!fine) {
        return false;
    }
    set->classes = like->classes;
    set->class_texts = like->texts;
    split(set);
    return true;
}
