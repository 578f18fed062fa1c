/* What texts have in common (source.h): the columns now and next, and the alphabet. */
#include "data/source.h"

#include "base/str.h"

enum { BYTE_CLASSES = 256, CODE_BYTES = 5 };

/* Each code as UTF-8. */
static const char *const *alphabet_texts(vg_mem *mem, const uint32_t *codes, uint32_t classes) {
    const char **texts = vg_mem_alloc(mem, classes * sizeof *texts);
    char *bytes = vg_mem_alloc(mem, (size_t)classes * CODE_BYTES);
    for (uint32_t k = 0; k < classes; k++, bytes += CODE_BYTES) {
        vg_utf8_encode(codes[k], bytes);
        texts[k] = bytes;
    }
    return texts;
}

void vg_characters_describe(vg_dataset *set, uint32_t count, uint32_t length, const uint32_t *codes, uint32_t classes) {
    vg_column column = {
        .dtype = VG_I32, .storage = classes <= BYTE_CLASSES ? VG_STORE_U8 : VG_STORE_I32,
        .rank = 1, .shape = { length }, .classes = classes
    };
    vg_dataset_columns(set, 2);
    set->columns[VG_NOW] = set->columns[VG_NEXT] = column;
    set->columns[VG_NOW].name = "now";
    set->columns[VG_NEXT].name = "next";
    set->columns[VG_NEXT].shares = true;
    set->count = count;
    set->in_order = true;
    set->classes = classes;
    if (classes) {
        set->class_texts = alphabet_texts(set->mem, codes, classes);
    }
}

void *vg_characters_alloc(vg_dataset *set) {
    size_t size = set->columns[VG_NOW].storage == VG_STORE_U8 ? sizeof(uint8_t) : sizeof(int32_t);
    char *ids = vg_mem_alloc(set->mem, ((size_t)set->count * set->columns[VG_NOW].shape[0] + 1) * size);
    set->columns[VG_NOW].data = ids;
    set->columns[VG_NEXT].data = ids + size;
    return ids;
}
