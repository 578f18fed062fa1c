/* Reading safetensors files (safetensors.h). A header is believed in nothing: every number in it is compared with the
 * file's length before it is used. */
#include "data/safetensors.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "data/source.h"

enum { LENGTH = 8 };

static const struct { const char *name; uint32_t size; } types[] = {
    { "F32", 4 }, { "F64", 8 }, { "F16", 2 }, { "BF16", 2 }, { "I64", 8 }, { "I32", 4 }, { "I16", 2 }, { "I8", 1 },
    { "U8", 1 }, { "U16", 2 }, { "U32", 4 }, { "U64", 8 }, { "BOOL", 1 }, { "F8_E4M3", 1 }, { "F8_E5M2", 1 },
};
enum { TYPES = sizeof types / sizeof *types };

uint32_t vg_safetensor_size(const char *dtype) {
    for (size_t k = 0; k < TYPES; k++) {
        if (strcmp(types[k].name, dtype) == 0) {
            return types[k].size;
        }
    }
    return 0;
}

/* "'path' ..."; returns false. */
__attribute__((format(printf, 3, 4)))
static bool complain(const vg_safetensors *file, vg_data_error *error, const char *format, ...) {
    char text[sizeof error->text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return vg_data_fail(error, "'%s' %s", file->path, text);
}

/* ---- one tensor */

/* The elements that a shape has, and their bytes; false where no file could hold them. */
static bool measure(vg_safetensor *tensor, uint32_t size) {
    uint64_t bytes = size;
    bool empty = false, fits = true;
    for (uint32_t k = 0; k < tensor->rank; k++) {
        empty = empty || tensor->shape[k] == 0;
        fits = fits && (tensor->shape[k] == 0 || !__builtin_mul_overflow(bytes, tensor->shape[k], &bytes));
    }
    tensor->bytes = empty ? 0 : bytes;
    tensor->count = tensor->bytes / size;
    return fits || empty;
}

static bool read_type(const vg_safetensors *file, vg_safetensor *tensor, const json_t *value, vg_data_error *error) {
    const char *text = json_string_value(value);
    if (!text) {
        return complain(file, error, "has a header that cannot be read: 'dtype' of '%s' is no text", tensor->name);
    }
    for (size_t k = 0; k < TYPES; k++) {
        if (strcmp(types[k].name, text) == 0) {
            tensor->dtype = types[k].name;
            return true;
        }
    }
    return complain(file, error, "holds '%s' with elements of type '%s', which is not known: F32, F64, F16, BF16, I64, "
                                 "I32, I16, I8, U8 and the like are", tensor->name, text);
}

/* A list of whole numbers from 0 on, at most `most` of them. */
static bool read_numbers(const vg_safetensors *file, const vg_safetensor *tensor, const json_t *list, const char *what,
                         size_t most, uint64_t *numbers, vg_data_error *error) {
    if (!json_is_array(list)) {
        return complain(file, error, "has a header that cannot be read: '%s' of '%s' is no list", what, tensor->name);
    }
    if (json_array_size(list) > most) {
        return complain(file, error, "has a header that cannot be read: '%s' of '%s' has %zu numbers, and the limit is "
                                     "%zu", what, tensor->name, json_array_size(list), most);
    }
    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *number = json_array_get(list, k);
        if (!json_is_integer(number) || json_integer_value(number) < 0) {
            return complain(file, error, "has a header that cannot be read: '%s' of '%s' holds something else than "
                                         "whole numbers from 0 on", what, tensor->name);
        }
        numbers[k] = (uint64_t)json_integer_value(number);
    }
    return true;
}

/* Of the data, which are `held` bytes long; what a later version of the format may say besides is left out. */
static bool read_tensor(vg_safetensors *file, const char *name, const json_t *object, const char *data, uint64_t held,
                        vg_data_error *error) {
    vg_safetensor tensor = { .name = name };
    uint64_t place[2] = { 0 };
    const json_t *shape = json_object_get(object, "shape"), *offsets = json_object_get(object, "data_offsets");
    if (!json_is_object(object)) {
        return complain(file, error, "has a header that cannot be read: '%s' is no object", name);
    }
    if (!read_type(file, &tensor, json_object_get(object, "dtype"), error)
        || !read_numbers(file, &tensor, shape, "shape", VG_RANK_LIMIT, tensor.shape, error)
        || !read_numbers(file, &tensor, offsets, "data_offsets", 2, place, error)) {
        return false;
    }
    tensor.rank = (uint32_t)json_array_size(shape);
    if (json_array_size(offsets) != 2 || place[0] > place[1]) {
        return complain(file, error, "has a header that cannot be read: 'data_offsets' of '%s' must be where its data "
                                     "begin and where they end", name);
    }
    if (place[1] > held) {
        return complain(file, error, "promises data up to byte %" PRIu64 " behind its header for '%s', but holds only %"
                                     PRIu64 ": is it complete?", place[1], name, held);
    }
    if (!measure(&tensor, vg_safetensor_size(tensor.dtype)) || tensor.bytes != place[1] - place[0]) {
        return complain(file, error, "has %" PRIu64 " bytes for '%s', whose type %s and shape need another number",
                        place[1] - place[0], name, tensor.dtype);
    }
    tensor.data = data + place[0];
    vg_vec_push(file->mem, &file->tensors, tensor);
    return true;
}

static bool read_metadata(vg_safetensors *file, const json_t *object, vg_data_error *error) {
    if (!json_is_object(object)) {
        return complain(file, error, "has a header that cannot be read: '__metadata__' is no object");
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        if (!json_is_string(value)) {
            return complain(file, error, "has a header that cannot be read: '%s' of '__metadata__' is no text", name);
        }
        vg_metadata pair = {
            vg_arena_copy(&file->arena, name, strlen(name)),
            vg_arena_copy(&file->arena, json_string_value(value), json_string_length(value))
        };
        vg_vec_push(file->mem, &file->metadata, pair);
    }
    return true;
}

/* ---- the header */

static int by_place(const void *a, const void *b) {
    const vg_safetensor *one = a, *two = b;
    uintptr_t first = (uintptr_t)one->data, second = (uintptr_t)two->data;
    if (first != second) {
        return first < second ? -1 : 1;
    }
    return (one->bytes > two->bytes) - (one->bytes < two->bytes);   /* what is empty lies before what is not */
}

static bool check_places(vg_safetensors *file, const char *data, uint64_t held, vg_data_error *error) {
    const char *next = data;
    if (file->tensors.count) {
        qsort(file->tensors.items, file->tensors.count, sizeof *file->tensors.items, by_place);
    }
    for (uint32_t k = 0; k < file->tensors.count; k++) {
        const vg_safetensor *tensor = &file->tensors.items[k];
        const char *begin = tensor->data;
        if (begin > next) {
            return complain(file, error, "has a hole before the data of '%s' (byte %zu)", tensor->name,
                            (size_t)(begin - file->mapping->bytes));
        }
        if (begin < next) {
            return complain(file, error, "has the data of '%s' (byte %zu) where another tensor's lie", tensor->name,
                            (size_t)(begin - file->mapping->bytes));
        }
        next = begin + tensor->bytes;
    }
    return next == data + held
        || complain(file, error, "goes on behind byte %zu, where its last tensor ends",
                    (size_t)(next - file->mapping->bytes));
}

static bool read_header(vg_safetensors *file, const json_t *root, const char *data, uint64_t held,
                        vg_data_error *error) {
    const char *name;
    json_t *value;
    if (!json_is_object(root)) {
        return complain(file, error, "is not a safetensors file: its header is no JSON object");
    }
    json_object_foreach((json_t *)(uintptr_t)root, name, value) {
        bool meta = strcmp(name, "__metadata__") == 0;
        bool fine = meta ? read_metadata(file, value, error)
                         : read_tensor(file, vg_arena_copy(&file->arena, name, strlen(name)), value, data, held, error);
        if (!fine) {
            return false;
        }
    }
    return check_places(file, data, held, error);
}

static void release_json(void *object) { json_decref(object); }

static bool parse(vg_safetensors *file, const char *text, size_t length, uint64_t held, vg_data_error *error) {
    json_error_t wrong;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
    if (!root && json_error_code(&wrong) == json_error_out_of_memory) {
        vg_mem_fail(file->mem);
    }
    if (!root) {
        return complain(file, error, "has a header that is not JSON: %s, at byte %d", wrong.text,
                        LENGTH + wrong.position);
    }
    void *handle = vg_mem_own(file->mem, release_json, root);
    bool fine = read_header(file, root, text + length, held, error);
    vg_mem_disown(file->mem, handle, true);
    return fine;
}

static bool read_file(vg_safetensors *file, vg_data_error *error) {
    const uint8_t *bytes = (const uint8_t *)file->mapping->bytes;
    uint64_t header = 0, length = file->mapping->length;
    if (!length) {
        return complain(file, error, "is empty: a safetensors file was expected");
    }
    if (length < LENGTH) {
        return complain(file, error, "ends at byte %" PRIu64 ", within the length of its header", length);
    }
    for (int k = LENGTH; k-- > 0;) {
        header = header << 8 | bytes[k];
    }
    /* Before the length, which any other file promises too much of. */
    if (length > LENGTH && bytes[LENGTH] != '{') {
        return complain(file, error, "is not a safetensors file: no '{' stands at byte %d", LENGTH);
    }
    if (header > VG_SAFETENSORS_HEADER) {
        return complain(file, error, "promises a header of %" PRIu64 " bytes, and the limit is %d", header,
                        VG_SAFETENSORS_HEADER);
    }
    if (header > length - LENGTH) {
        return complain(file, error, "ends at byte %" PRIu64 ", within its header of %" PRIu64 " bytes: is it "
                "complete?",
                        length, header);
    }
    return parse(file, file->mapping->bytes + LENGTH, (size_t)header, length - LENGTH - header, error);
}

/* ---- the door */

bool vg_safetensors_open(vg_safetensors *file, vg_mem *mem, const char *path, vg_data_error *error) {
    *file = (vg_safetensors){ .mem = mem, .path = path };
    vg_arena_init(&file->arena, mem);
    if (!vg_data_map(mem, path, &file->mapping, error)) {
        return false;
    }
    bool fine = read_file(file, error);
    if (!fine) {
        vg_safetensors_close(file);
    }
    return fine;
}

void vg_safetensors_close(vg_safetensors *file) {
    vg_vec_free(file->mem, &file->tensors);
    vg_vec_free(file->mem, &file->metadata);
    vg_arena_release(&file->arena);
    vg_file_unmap(file->mapping);
}

const vg_safetensor *vg_safetensors_find(const vg_safetensors *file, const char *name) {
    for (uint32_t k = 0; k < file->tensors.count; k++) {
        if (strcmp(file->tensors.items[k].name, name) == 0) {
            return &file->tensors.items[k];
        }
    }
    return NULL;
}

const char *vg_safetensors_metadata(const vg_safetensors *file, const char *name) {
    for (uint32_t k = 0; k < file->metadata.count; k++) {
        if (strcmp(file->metadata.items[k].name, name) == 0) {
            return file->metadata.items[k].text;
        }
    }
    return NULL;
}
