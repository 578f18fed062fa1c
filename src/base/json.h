/* JSON objects and lists made piece by piece: a piece that is NULL, for want of memory, makes NULL of the whole. (json_pack
 * leaks what it was handed when it fails.) Everything handed in is taken over. */
#ifndef VG_BASE_JSON_H
#define VG_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "base/mem.h"

static inline void vg_json_destroy(void *object) { json_decref(object); }

/* Takes an object over for as long as `mem` lives. */
static inline void vg_json_own(vg_mem *mem, json_t *object) { vg_mem_own(mem, vg_json_destroy, object); }

static inline json_t *vg_json_keep(json_t *whole, bool fine) {
    if (fine) return whole;
    json_decref(whole);
    return NULL;
}

static inline json_t *vg_json_put(json_t *object, const char *key, json_t *value) {
    return vg_json_keep(object, json_object_set_new(object, key, value) == 0);
}

static inline json_t *vg_json_add(json_t *list, json_t *item) {
    return vg_json_keep(list, json_array_append_new(list, item) == 0);
}

#endif
