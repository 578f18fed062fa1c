/* Strided walks: see walk.h. */
#include "run/walk.h"

vg_walk vg_walk_over(const vg_view *shape) {
    vg_walk walk = { .rank = shape->rank };
    for (uint32_t k = 0; k < shape->rank; k++) walk.dims[k] = shape->dims[k];
    return walk;
}

void vg_walk_strides(const int64_t *dims, uint32_t rank, int64_t *strides) {
    int64_t stride = 1;
    for (uint32_t k = rank; k-- > 0;) {
        strides[k] = stride;
        stride *= dims[k];
    }
}

void vg_walk_dense(vg_walk *walk, void *data, size_t size) {
    const uint32_t k = walk->arrays++;
    walk->at[k] = data;
    walk->size[k] = size;
    vg_walk_strides(walk->dims, walk->rank, walk->stride[k]);
}

void vg_walk_repeated(const int64_t *dims, uint32_t own, uint32_t rank, int64_t *strides) {
    const uint32_t missing = rank - own;
    int64_t dense[VG_RANK_LIMIT];
    vg_walk_strides(dims, own, dense);
    for (uint32_t k = 0; k < rank; k++) {
        const bool repeated = k < missing || dims[k - missing] == 1;
        strides[k] = repeated ? 0 : dense[k - missing];
    }
}

void vg_walk_repeat(vg_walk *walk, const vg_view *view, size_t size) {
    const uint32_t array = walk->arrays++;
    walk->at[array] = view->data;
    walk->size[array] = size;
    vg_walk_repeated(view->dims, view->rank, walk->rank, walk->stride[array]);
}

/* True when every array steps over axis `outer` as if axis `inner` went on. */
static bool joins(const vg_walk *walk, uint32_t outer, uint32_t inner) {
    for (uint32_t k = 0; k < walk->arrays; k++)
        if (walk->stride[k][outer] != walk->stride[k][inner] * walk->dims[inner]) return false;
    return true;
}

void vg_walk_merge(vg_walk *walk) {
    uint32_t kept = 0;
    for (uint32_t axis = 0; axis < walk->rank; axis++) {
        if (walk->dims[axis] == 1) continue;
        const bool join = kept > 0 && joins(walk, kept - 1, axis);
        const uint32_t to = join ? kept - 1 : kept++;
        walk->dims[to] = (join ? walk->dims[to] : 1) * walk->dims[axis];
        for (uint32_t k = 0; k < walk->arrays; k++) walk->stride[k][to] = walk->stride[k][axis];
    }
    walk->rank = kept;
}

void vg_walk_run(vg_walk *walk, vg_inner inner) {
    for (uint32_t k = 0; k < walk->rank; k++)
        if (walk->dims[k] == 0) return;
    vg_walk_merge(walk);
    int64_t line[VG_WALK_ARRAYS] = { 0 };
    int64_t index[VG_RANK_LIMIT] = { 0 };
    char *at[VG_WALK_ARRAYS] = { 0 };
    const uint32_t outer = walk->rank ? walk->rank - 1 : 0;
    for (uint32_t k = 0; k < walk->arrays; k++) {
        at[k] = walk->at[k];
        line[k] = walk->rank ? walk->stride[k][outer] : 0;
    }
    const int64_t count = walk->rank ? walk->dims[outer] : 1;
    for (;;) {
        inner(count, at, line);
        uint32_t axis = outer;
        for (;; axis--) {       /* the next line: count up, the last outer axis fastest */
            if (axis == 0) return;
            const uint32_t up = axis - 1;
            const bool wraps = ++index[up] == walk->dims[up];
            if (wraps) index[up] = 0;
            const int64_t steps = wraps ? 1 - walk->dims[up] : 1;
            for (uint32_t k = 0; k < walk->arrays; k++)
                at[k] += steps * walk->stride[k][up] * (int64_t)walk->size[k];
            if (!wraps) break;
        }
    }
}
