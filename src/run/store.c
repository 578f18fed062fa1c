/* Variables and batches: memory that programs share, found by path. */
#include <string.h>

#include "run/program.h"

void vg_store_init(vg_store *store, vg_mem *mem, uint32_t real) {
    *store = (vg_store){ .mem = mem, .real = real, .kernels = vg_kernels_best(real) };
}

void vg_store_release(vg_store *store) {
    for (uint32_t k = 0; k < store->slots.count; k++) vg_mem_free(store->mem, store->slots.items[k].view.data);
    vg_vec_free(store->mem, &store->slots);
    vg_map_free(store->mem, &store->map);
}

uint32_t vg_store_slot(vg_store *store, vg_str path, const int64_t *dims, uint32_t rank, vg_dtype dtype) {
    const uint32_t known = vg_map_get(&store->map, path);
    if (known) return known - 1;
    vg_slot slot = { path, { .dtype = dtype, .rank = rank, .count = 1 } };
    for (uint32_t k = 0; k < rank; k++) {
        slot.view.dims[k] = dims[k];
        slot.view.count *= dims[k];
    }
    slot.view.data = vg_mem_alloc(store->mem, vg_view_bytes(&slot.view, store->real));
    vg_vec_push(store->mem, &store->slots, slot);
    vg_map_put(store->mem, &store->map, path, store->slots.count);
    return store->slots.count - 1;
}

double vg_view_get(const vg_view *view, int64_t index, uint32_t real) {
    if (view->dtype == VG_I32) return ((const int32_t *)view->data)[index];
    return real == 8 ? ((const double *)view->data)[index] : (double)((const float *)view->data)[index];
}

void vg_view_set(const vg_view *view, int64_t index, uint32_t real, double value) {
    if (view->dtype == VG_I32) ((int32_t *)view->data)[index] = (int32_t)value;
    else if (real == 8) ((double *)view->data)[index] = value;
    else ((float *)view->data)[index] = (float)value;
}
