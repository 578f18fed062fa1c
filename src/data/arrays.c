/* Arrays of files as columns (arrays.h). */
#include "data/arrays.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one array */

static vg_storage storage_of(const vg_npy *form) {
    uint32_t size = form->size;
    switch (form->kind) {
    case 'f':
        return size == 2 ? VG_STORE_F16 : size == 4 ? VG_STORE_F32 : VG_STORE_F64;
    case 'w':
        return VG_STORE_BF16;
    case 'i':
        return size == 1 ? VG_STORE_I8 : size == 2 ? VG_STORE_I16 : size == 4 ? VG_STORE_I32 : VG_STORE_I64;
    case 'u':
        return size == 1 ? VG_STORE_U8 : VG_STORE_U16;
    default:
        return VG_STORE_U8;   /* truths */
    }
}

bool vg_raw_column(const vg_raw *raw, vg_column *column, vg_data_error *error) {
    const vg_npy *form = &raw->form;
    if (form->rank == 0 || form->shape[0] == 0) {
        return vg_data_fail(error, "'%s' holds %s: its first axis must be the examples, one or more", form->path,
                            form->rank ? "no example" : "a single number");
    }
    bool real = form->kind == 'f' || form->kind == 'w';
    *column = (vg_column){ .name = raw->name, .dtype = real ? VG_F32 : VG_I32, .storage = storage_of(form),
                           .rank = form->rank - 1 };
    memcpy(column->shape, form->shape + 1, column->rank * sizeof *column->shape);
    uint64_t elements = form->count / form->shape[0];
    if (elements == 0 || elements > INT32_MAX) {
        return vg_data_fail(error, "'%s' has examples of %" PRIu64 " elements: there must be from 1 to %d", form->path,
                            elements, INT32_MAX);
    }
    return true;
}

bool vg_raw_is_moved(const vg_raw *raw) {
    return (raw->form.big && raw->form.size > 1) || (raw->form.fortran && raw->form.rank > 1);
}

void vg_raw_move(const vg_raw *raw, void *out) {
    const vg_npy *form = &raw->form;
    uint32_t place[VG_RANK_LIMIT] = { 0 };
    uint64_t stride[VG_RANK_LIMIT], step = 1, from = 0;     /* in elements of the file */
    char *to = out;
    for (uint32_t j = 0; j < form->rank; j++) {
        uint32_t k = form->fortran ? j : form->rank - 1 - j;
        stride[k] = step;
        step *= form->shape[k];
    }
    for (uint64_t i = 0; i < form->count; i++, to += form->size) {
        const char *element = raw->elements + from * form->size;
        for (uint32_t b = 0; b < form->size; b++) {
            to[b] = element[form->big ? form->size - 1 - b : b];
        }
        for (uint32_t k = form->rank; k-- > 0; place[k] = 0) {
            from += stride[k];
            if (++place[k] < form->shape[k]) {
                break;
            }
            from -= stride[k] * form->shape[k];
        }
    }
}

/* "holds nan at [17, 3]" */
static bool refuse_element(const vg_raw *raw, uint64_t at, double value, double least, double most,
                           vg_data_error *error) {
    char place[16 * VG_RANK_LIMIT] = "", shown[32], low[32], high[32];
    uint64_t left[VG_RANK_LIMIT];
    size_t length = 0;
    for (uint32_t k = raw->form.rank; k-- > 0; at /= raw->form.shape[k]) {
        left[k] = at % raw->form.shape[k];
    }
    for (uint32_t k = 0; k < raw->form.rank; k++) {
        length += (size_t)snprintf(place + length, sizeof place - length, "%s%" PRIu64, k ? ", " : "", left[k]);
    }
    vg_number_text(shown, value);
    if (raw->form.kind == 'f' || raw->form.kind == 'w') {
        return vg_data_fail(error, "'%s' holds %s at [%s]: numbers must be finite", raw->form.path, shown, place);
    }
    return vg_data_fail(error, "'%s' holds %s at [%s]: integers must be from %s to %s", raw->form.path, shown, place,
                        vg_number_text(low, least), vg_number_text(high, most));
}

bool vg_raw_check(const vg_raw *raw, const vg_column *column, const void *data, double least, double most,
                  double range[2], vg_data_error *error) {
    enum { BLOCK = 1024 };
    double values[BLOCK], low = INFINITY, high = -INFINITY;
    bool real = column->dtype == VG_F32;
    uint32_t size = vg_storage_size(column->storage);
    for (uint64_t from = 0; from < raw->form.count; from += BLOCK) {
        size_t count = raw->form.count - from < BLOCK ? (size_t)(raw->form.count - from) : BLOCK;
        vg_elements_real(column->storage, (const char *)data + from * size, count, values, true);
        bool fine = true;
        for (size_t i = 0; i < count; i++) {
            fine &= real ? fabs(values[i]) < INFINITY : values[i] >= least && values[i] <= most;
            low = values[i] < low ? values[i] : low;
            high = values[i] > high ? values[i] : high;
        }
        for (size_t i = 0; i < count && !fine; i++) {
            if (real ? !isfinite(values[i]) : !(values[i] >= least && values[i] <= most)) {
                return refuse_element(raw, from + i, values[i], least, most, error);
            }
        }
    }
    if (range) {
        range[0] = low;
        range[1] = high;
    }
    return true;
}

/* ---- a data set of them */

static bool is_label(const char *name) {
    return strcmp(name, "y") == 0 || strcmp(name, "labels") == 0 || strcmp(name, "target") == 0;
}

/* How many classes a column of integers from 0 on has, the largest and one; none where one is negative. */
static bool count_classes(vg_dataset *set, const vg_raw *raw, vg_column *column, vg_data_error *error) {
    double range[2];
    void *ordered = NULL;
    if (vg_raw_is_moved(raw)) {
        ordered = vg_mem_alloc(set->mem, (size_t)raw->form.count * raw->form.size);
        vg_raw_move(raw, ordered);
    }
    bool fine = vg_raw_check(raw, column, ordered ? ordered : raw->elements, INT32_MIN, INT32_MAX, range, error);
    vg_mem_free(set->mem, ordered);
    if (fine && range[0] >= 0 && range[1] < INT32_MAX) {
        set->classes = column->classes = (uint32_t)range[1] + 1;
    }
    return fine;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const vg_raw *)a)->name, ((const vg_raw *)b)->name);
}

/* Every column has a name of its own. */
static bool check_names(vg_dataset *set, const vg_raws *raws, vg_data_error *error) {
    bool fine = true;
    vg_raw *sorted = vg_mem_alloc(set->mem, raws->count * sizeof *sorted);
    memcpy(sorted, raws->items, raws->count * sizeof *sorted);
    qsort(sorted, raws->count, sizeof *sorted, by_name);
    for (uint32_t k = 1; k < raws->count && fine; k++) {
        fine = strcmp(sorted[k - 1].name, sorted[k].name) != 0
            || vg_data_fail(error, "'%s' and '%s' are both called %s in a model: call one otherwise",
                            sorted[k - 1].form.path, sorted[k].form.path, sorted[k].name);
    }
    vg_mem_free(set->mem, sorted);
    return fine;
}

bool vg_arrays_describe(vg_dataset *set, const vg_raws *raws, vg_data_error *error) {
    if (!check_names(set, raws, error)) {
        return false;
    }
    vg_column *columns = vg_dataset_columns(set, raws->count);
    set->column_count = 0;                              /* until they are known */
    for (uint32_t k = 0; k < raws->count; k++) {
        const vg_raw *raw = &raws->items[k], *first = &raws->items[0];
        if (!vg_raw_column(raw, &columns[k], error)) {
            return false;
        }
        if (raw->form.shape[0] != first->form.shape[0]) {
            return vg_data_fail(error, "'%s' has %u example%s, '%s' %u: the first axis of all arrays must be the "
                                "same", first->form.path, first->form.shape[0], first->form.shape[0] == 1 ? "" : "s",
                                raw->form.path, raw->form.shape[0]);
        }
        columns[k].mapped = raw->mapped && !vg_raw_is_moved(raw);
        bool label = is_label(raw->name) && columns[k].dtype == VG_I32 && !set->classes;
        if (label && !count_classes(set, raw, &columns[k], error)) {
            return false;
        }
    }
    set->column_count = raws->count;
    set->count = raws->items[0].form.shape[0];
    vg_data_plan(set);
    return true;
}

bool vg_arrays_load(vg_dataset *set, const vg_raws *raws, vg_data_error *error) {
    for (uint32_t k = 0; k < raws->count; k++) {
        const vg_raw *raw = &raws->items[k];
        vg_column *column = &set->columns[k];
        const void *data = raw->elements;
        if (vg_raw_is_moved(raw)) {
            void *room;
            if (!vg_data_room(set, column->mapped, raw->form.count * raw->form.size, &room, error)) {
                return false;
            }
            vg_raw_move(raw, room);
            data = room;
        }
        bool truths = raw->form.kind == 'b';
        if (!vg_raw_check(raw, column, data, truths ? 0 : INT32_MIN, truths ? 1 : INT32_MAX, NULL, error)) {
            return false;
        }
        column->data = data;
    }
    return true;
}
