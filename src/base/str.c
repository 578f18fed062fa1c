/* Interned strings (str.h): the map leads from a hash to the newest string with it, `chain` to the older ones. */
#include "base/str.h"

#include <string.h>

void vg_strings_init(vg_strings *strings, vg_mem *mem) {
    *strings = (vg_strings){ .mem = mem };
    vg_arena_init(&strings->arena, mem);
    vg_vec_push(mem, &strings->text, "");
    vg_vec_push(mem, &strings->length, 0);
    vg_vec_push(mem, &strings->chain, 0);
}

static vg_str find_hashed(const vg_strings *strings, uint64_t hash, const char *text, size_t length) {
    vg_str id = vg_map_get(&strings->map, hash);
    while (id && (strings->length.items[id] != length || memcmp(strings->text.items[id], text, length) != 0)) {
        id = strings->chain.items[id];
    }
    return id;
}

vg_str vg_strings_find(const vg_strings *strings, const char *text, size_t length) {
    return length ? find_hashed(strings, vg_hash_bytes(text, length, 0), text, length) : 0;
}

vg_str vg_strings_add(vg_strings *strings, const char *text, size_t length) {
    if (!length) {
        return 0;
    }
    uint64_t hash = vg_hash_bytes(text, length, 0);
    vg_str id = find_hashed(strings, hash, text, length);
    if (id) {
        return id;
    }
    if (length >= UINT32_MAX) {
        vg_mem_fail(strings->mem);
    }
    id = strings->text.count;
    vg_vec_push(strings->mem, &strings->length, (uint32_t)length);
    vg_vec_push(strings->mem, &strings->chain, vg_map_get(&strings->map, hash));
    vg_vec_push(strings->mem, &strings->text, vg_arena_copy(&strings->arena, text, length));
    vg_map_put(strings->mem, &strings->map, hash, id);
    return id;
}

vg_str vg_strings_format(vg_strings *strings, const char *format, ...) {
    vg_text text = vg_text_new(strings->mem);
    va_list list;
    va_start(list, format);
    vg_text_format_list(&text, format, list);
    va_end(list);
    vg_str id = vg_strings_add(strings, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return id;
}
