/* The sources npy, npz and safetensors: which arrays are in their files. Files stay mapped as long as the data set is
 * there. */
#include <string.h>

#include "data/arrays.h"
#include "data/csv.h"
#include "data/safetensors.h"
#include "data/zip.h"

/* What describe keeps for load. */
typedef struct state {
    vg_raws raws;
    vg_zip  zip;                     /* of npz */
} state;

static state *new_state(vg_dataset *set) {
    state *s = vg_mem_alloc(set->mem, sizeof *s);
    set->state = s;
    return s;
}

static bool load(vg_dataset *set, vg_data_error *error) {
    const state *s = set->state;
    return vg_arrays_load(set, &s->raws, error);
}

/* ---- npy */

static bool add_npy(vg_dataset *set, uint32_t k, vg_data_error *error) {
    state *s = set->state;
    vg_mapping *mapping;
    const char *path = vg_argument_path(set, k);
    vg_raw raw = { .name = set->source->parameters[k].name, .mapped = true };
    if (!vg_data_map(set->mem, path, &mapping, error)
        || !vg_npy_open(&raw.form, path, mapping->bytes, mapping->length, error)) {
        return false;
    }
    raw.elements = mapping->bytes + raw.form.header;
    vg_vec_push(set->mem, &s->raws, raw);
    return true;
}

bool vg_npy_describe(vg_dataset *set, vg_data_error *error) {
    state *s = new_state(set);
    bool fine = true;
    for (uint32_t k = 0; fine && k < set->source->parameter_count; k++) {
        fine = !set->arguments[k].given || add_npy(set, k, error);
    }
    return fine && vg_arrays_describe(set, &s->raws, error);
}

bool vg_npy_load(vg_dataset *set, vg_data_error *error) { return load(set, error); }

/* ---- npz */

/* "dir/a.npz/x.npy", for messages, and x for the column. */
static bool add_member(vg_dataset *set, const vg_zip_member *member, const char *bytes, bool mapped,
                       vg_data_error *error) {
    state *s = set->state;
    vg_text path = vg_text_new(set->mem);
    size_t length = strlen(member->name) - strlen(".npy");
    vg_raw raw = { .mapped = mapped };
    vg_text_format(&path, "%s/%s", s->zip.path, member->name);
    raw.name = vg_column_name(set->mem, member->name, length, s->raws.count + 1);
    if (!vg_npy_open(&raw.form, path.text, bytes, (size_t)member->size, error)) {
        return false;
    }
    raw.elements = bytes + raw.form.header;
    vg_vec_push(set->mem, &s->raws, raw);
    return true;
}

static bool is_array(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".npy") == 0;
}

/* Deflated members are unpacked at once, since only then their headers can be read; the others stay where they are. */
static bool read_members(vg_dataset *set, bool large, vg_data_error *error) {
    state *s = set->state;
    for (uint32_t k = 0; k < s->zip.members.count; k++) {
        const vg_zip_member *member = &s->zip.members.items[k];
        const char *bytes = member->bytes;
        if (!is_array(member->name)) {
            return vg_data_fail(error, "'%s' holds '%s', which is no array: an NPZ file has members NAME.npy",
                                s->zip.path,
                                member->name);
        }
        if (member->deflated) {
            void *room;
            if (!vg_data_room(set, large, member->size, &room, error)
                || !vg_zip_inflate(&s->zip, member, room, error)) {
                return false;
            }
            bytes = room;
        }
        if (!add_member(set, member, bytes, large || !member->deflated, error)) {
            return false;
        }
    }
    return s->zip.members.count || vg_data_fail(error, "'%s' holds no array", s->zip.path);
}

bool vg_npz_describe(vg_dataset *set, vg_data_error *error) {
    state *s = new_state(set);
    vg_mapping *mapping;
    const char *path = vg_argument_path(set, 0);
    uint64_t unpacked = 0;
    if (!vg_data_map(set->mem, path, &mapping, error)
        || !vg_zip_open(&s->zip, set->mem, path, mapping->bytes, mapping->length, error)) {
        return false;
    }
    for (uint32_t k = 0; k < s->zip.members.count; k++) {
        unpacked += s->zip.members.items[k].deflated ? s->zip.members.items[k].size : 0;
    }
    return read_members(set, vg_data_is_large(set, unpacked), error) && vg_arrays_describe(set, &s->raws, error);
}

bool vg_npz_load(vg_dataset *set, vg_data_error *error) {
    const state *s = set->state;
    for (uint32_t k = 0; k < s->zip.members.count; k++) {
        const vg_zip_member *member = &s->zip.members.items[k];
        if (!member->deflated && !vg_zip_check(&s->zip, member, error)) {
            return false;
        }
    }
    return load(set, error);
}

/* ---- safetensors */

static bool add_tensor(vg_dataset *set, const char *path, const vg_safetensor *tensor, vg_data_error *error) {
    static const struct { const char *dtype; char kind; } kinds[] = {
        { "F16", 'f' }, { "F32", 'f' }, { "F64", 'f' }, { "BF16", 'w' }, { "I8", 'i' }, { "I16", 'i' }, { "I32", 'i' },
        { "I64", 'i' }, { "U8", 'u' }, { "U16", 'u' }, { "BOOL", 'b' },
    };
    state *s = set->state;
    size_t known = 0;
    while (known < sizeof kinds / sizeof *kinds && strcmp(kinds[known].dtype, tensor->dtype) != 0) {
        known++;
    }
    if (known == sizeof kinds / sizeof *kinds) {
        return vg_data_fail(error, "'%s/%s' has elements of type %s: only F16, BF16, F32, F64, I8 to I64, U8, U16 and "
                            "BOOL can be data", path, tensor->name, tensor->dtype);
    }
    vg_text where = vg_text_new(set->mem);
    vg_text_format(&where, "%s/%s", path, tensor->name);
    vg_raw raw = { .mapped = true, .elements = tensor->data };
    raw.name = vg_column_name(set->mem, tensor->name, strlen(tensor->name), s->raws.count + 1);
    raw.form = (vg_npy){ .path = where.text, .kind = kinds[known].kind, .size = vg_safetensor_size(tensor->dtype),
                         .rank = tensor->rank, .count = tensor->count };
    for (uint32_t k = 0; k < tensor->rank; k++) {
        if (tensor->shape[k] > INT32_MAX) {
            return vg_data_fail(error, "'%s' says that dimension %u is larger than %d: that is too large", where.text,
                                k,
                                INT32_MAX);
        }
        raw.form.shape[k] = (uint32_t)tensor->shape[k];
    }
    vg_vec_push(set->mem, &s->raws, raw);
    return true;
}

bool vg_safetensors_describe(vg_dataset *set, vg_data_error *error) {
    state *s = new_state(set);
    vg_safetensors file;
    const char *path = vg_argument_path(set, 0);
    if (!vg_safetensors_open(&file, set->mem, path, error)) {
        return false;
    }
    for (uint32_t k = 0; k < file.tensors.count; k++) {
        if (!add_tensor(set, path, &file.tensors.items[k], error)) {
            return false;
        }
    }
    return s->raws.count ? vg_arrays_describe(set, &s->raws, error)
                         : vg_data_fail(error, "'%s' holds no tensor", path);
}

bool vg_safetensors_load(vg_dataset *set, vg_data_error *error) { return load(set, error); }
