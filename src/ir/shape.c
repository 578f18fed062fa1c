/* Shapes: interned lists of dimensions, each with its number of elements. */
#include <assert.h>
#include <string.h>

#include "ir/dim.h"

vg_shape vg_shape_of(vg_dims *dims, const vg_dim *list, uint32_t rank) {
    assert(rank <= VG_RANK_LIMIT);
    for (uint32_t k = 0; k < rank; k++)
        if (!list[k]) return 0;
    const size_t bytes = rank * sizeof *list;
    const void *first = rank ? list : &(vg_dim){ 0 };   /* never NULL, for memcmp's sake */
    const uint64_t key = vg_hash_words(first, bytes, 1);
    const vg_shape newest = vg_map_get(&dims->shape_map, key);
    for (vg_shape s = newest; s; s = dims->shapes.items[s].chain) {
        const vg_shape_row *row = &dims->shapes.items[s];
        if (row->rank == rank && !memcmp(dims->lists.items + row->first_dim, first, bytes)) return s;
    }
    const vg_shape made = dims->shapes.count;
    vg_shape_row row = { dims->lists.count, rank, newest, vg_dim_number(dims, 1) };
    for (uint32_t k = 0; k < rank; k++) {
        row.size = vg_dim_multiply(dims, row.size, list[k]);
        vg_vec_push(dims->mem, &dims->lists, list[k]);
    }
    vg_vec_push(dims->mem, &dims->shapes, row);
    vg_map_put(dims->mem, &dims->shape_map, key, made);
    return made;
}

uint32_t vg_shape_rank(const vg_dims *dims, vg_shape shape) { return dims->shapes.items[shape].rank; }

vg_dim vg_shape_dim(const vg_dims *dims, vg_shape shape, uint32_t axis) {
    assert(axis < dims->shapes.items[shape].rank);
    return dims->lists.items[dims->shapes.items[shape].first_dim + axis];
}

uint32_t vg_shape_list(const vg_dims *dims, vg_shape shape, vg_dim *list) {
    const vg_shape_row *row = &dims->shapes.items[shape];
    memcpy(list, dims->lists.items + row->first_dim, row->rank * sizeof *list);
    return row->rank;
}

vg_dim vg_shape_size(const vg_dims *dims, vg_shape shape) { return dims->shapes.items[shape].size; }

void vg_shape_text(const vg_dims *dims, const vg_strings *strings, vg_shape shape, vg_text *out) {
    const vg_shape_row *row = &dims->shapes.items[shape];
    vg_text_format(out, "[");
    for (uint32_t k = 0; k < row->rank; k++) {
        if (k) vg_text_format(out, ", ");
        vg_dim_text(dims, strings, dims->lists.items[row->first_dim + k], out);
    }
    vg_text_format(out, "]");
}
