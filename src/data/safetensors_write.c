/* Writing safetensors files (safetensors.h): the header is made by the JSON library, the elements are taken from where
 * they lie. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/str.h"
#include "data/safetensors.h"

enum { LENGTH = 8, ALIGN = 8 };

static bool is_utf8(const char *text) {
    for (size_t left = strlen(text), bytes; left; left -= bytes, text += bytes) {
        uint32_t code;
        bytes = vg_utf8_decode(text, left, &code);
        if (!bytes) {
            return false;
        }
    }
    return true;
}

static bool are_utf8(const vg_safetensor *tensors, uint32_t count, const vg_metadata *pairs, uint32_t pair_count) {
    bool fine = true;
    for (uint32_t k = 0; k < count; k++) {
        fine = fine && is_utf8(tensors[k].name);
    }
    for (uint32_t k = 0; k < pair_count; k++) {
        fine = fine && is_utf8(pairs[k].name) && is_utf8(pairs[k].text);
    }
    return fine;
}

/* Puts a new value, NULL for want of memory, under a name that is not taken. */
static void put(vg_mem *mem, json_t *object, const char *name, json_t *value) {
    assert(!json_object_get(object, name));
    if (json_object_set_new(object, name, value)) {   /* also when value is NULL */
        vg_mem_fail(mem);
    }
}

static void put_tensor(vg_mem *mem, json_t *root, const vg_safetensor *tensor, uint64_t begin, uint64_t end) {
    json_t *object = json_object(), *shape = json_array(), *offsets;
    put(mem, root, tensor->name, object);             /* from here on the root owns it */
    put(mem, object, "dtype", json_string(tensor->dtype));
    put(mem, object, "shape", shape);
    for (uint32_t k = 0; k < tensor->rank; k++) {
        if (json_array_append_new(shape, json_integer((json_int_t)tensor->shape[k]))) {
            vg_mem_fail(mem);
        }
    }
    offsets = json_pack("[I, I]", (json_int_t)begin, (json_int_t)end);
    put(mem, object, "data_offsets", offsets);
}

static uint64_t bytes_of(const vg_safetensor *tensor) {
    uint64_t bytes = vg_safetensor_size(tensor->dtype);
    assert(bytes);
    for (uint32_t k = 0; k < tensor->rank; k++) {
        bytes *= tensor->shape[k];
    }
    return bytes;
}

static void put_all(vg_mem *mem, json_t *root, const vg_safetensor *tensors, uint32_t count, const vg_metadata *pairs,
                    uint32_t pair_count) {
    uint64_t at = 0;
    if (pair_count) {
        json_t *metadata = json_object();
        put(mem, root, "__metadata__", metadata);
        for (uint32_t k = 0; k < pair_count; k++) {
            put(mem, metadata, pairs[k].name, json_string(pairs[k].text));
        }
    }
    for (uint32_t k = 0; k < count; k++) {
        uint64_t end = at + bytes_of(&tensors[k]);
        put_tensor(mem, root, &tensors[k], at, end);
        at = end;
    }
}

static void release_json(void *object) { json_decref(object); }

/* The length, the header and spaces up to where data may begin. */
static void make_header(vg_mem *mem, const vg_safetensor *tensors, uint32_t count, const vg_metadata *pairs,
                        uint32_t pair_count, vg_text *out) {
    json_t *root = json_object();
    if (!root) {
        vg_mem_fail(mem);
    }
    void *root_handle = vg_mem_own(mem, release_json, root);
    put_all(mem, root, tensors, count, pairs, pair_count);
    char *text = json_dumps(root, JSON_COMPACT);
    if (!text) {
        vg_mem_fail(mem);
    }
    void *text_handle = vg_mem_own(mem, free, text);
    static const char spaces[] = "        ";
    uint8_t length[LENGTH];
    uint64_t written = strlen(text), padded = (written + ALIGN - 1) / ALIGN * ALIGN;
    for (int k = 0; k < LENGTH; k++) {
        length[k] = (uint8_t)(padded >> 8 * k);
    }
    vg_text_add(out, (const char *)length, LENGTH);
    vg_text_add(out, text, (size_t)written);
    vg_text_add(out, spaces, (size_t)(padded - written));
    vg_mem_disown(mem, text_handle, true);
    vg_mem_disown(mem, root_handle, true);
}

int vg_safetensors_write(vg_mem *mem, vg_disk *disk, const char *path, const vg_safetensor *tensors, uint32_t count,
                         const vg_metadata *pairs, uint32_t pair_count) {
    if (!are_utf8(tensors, count, pairs, pair_count)) {
        return EILSEQ;
    }
    vg_text header = vg_text_new(mem);
    make_header(mem, tensors, count, pairs, pair_count, &header);
    int failed = header.length > LENGTH + VG_SAFETENSORS_HEADER ? EFBIG : 0;
    if (!failed) {
        vg_piece *pieces = vg_mem_alloc(mem, (count + 1) * sizeof *pieces);
        pieces[0] = (vg_piece){ header.text, header.length };
        for (uint32_t k = 0; k < count; k++) {
            pieces[k + 1] = (vg_piece){ tensors[k].data, (size_t)bytes_of(&tensors[k]) };
        }
        failed = vg_file_replace(mem, disk, path, pieces, count + 1, true);
        vg_mem_free(mem, pieces);
    }
    vg_text_free(&header);
    return failed;
}
