/* A set of nodes with a binary heap of those whose turn has not come (see cone.h). */
#include "pass/cone.h"

void vg_cone_init(vg_cone *cone, vg_mem *mem) {
    *cone = (vg_cone){ .mem = mem };
}

void vg_cone_release(vg_cone *cone) {
    vg_map_free(cone->mem, &cone->places);
    vg_vec_free(cone->mem, &cone->waiting);
}

static void sift_up(vg_node *heap, uint32_t k) {
    vg_node node = heap[k];
    while (k > 0 && heap[(k - 1) / 2] < node) {
        heap[k] = heap[(k - 1) / 2];
        k = (k - 1) / 2;
    }
    heap[k] = node;
}

static void sift_down(vg_node *heap, uint32_t count) {
    vg_node  node = heap[0];
    uint32_t k = 0;
    for (;;) {
        uint32_t child = 2 * k + 1;
        if (child >= count) break;
        if (child + 1 < count && heap[child + 1] > heap[child]) child++;
        if (heap[child] <= node) break;
        heap[k] = heap[child];
        k = child;
    }
    heap[k] = node;
}

uint32_t vg_cone_add(vg_cone *cone, vg_node node) {
    uint32_t place = vg_map_get(&cone->places, node);
    if (place != 0) return place;
    vg_map_put(cone->mem, &cone->places, node, ++cone->count);
    vg_vec_push(cone->mem, &cone->waiting, node);
    sift_up(cone->waiting.items, cone->waiting.count - 1);
    return cone->count;
}

uint32_t vg_cone_find(const vg_cone *cone, vg_node node) {
    return vg_map_get(&cone->places, node);
}

vg_node vg_cone_take(vg_cone *cone) {
    if (cone->waiting.count == 0) return 0;
    vg_node node = cone->waiting.items[0];
    cone->waiting.items[0] = vg_vec_pop(&cone->waiting);
    if (cone->waiting.count > 0) sift_down(cone->waiting.items, cone->waiting.count);
    return node;
}
