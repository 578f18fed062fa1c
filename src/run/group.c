/* How a group goes through its shape: axes, strides and tiles (group.h). */
#include "run/group.h"

#include "run/walk.h"

enum { TILE_BYTES = 24 << 10, TILE_LEAST = 256, TILE_MOST = 4096 };      /* of a first-level cache; in elements */

/* True when every array steps over axis `outer` as if axis `inner` went on. */
static bool joins(const vg_group *group, uint32_t outer, uint32_t inner) {
    for (uint32_t k = 0; k < group->inputs + group->outputs; k++)
        if (vg_group_stride(group, k)[outer] != vg_group_stride(group, k)[inner] * group->dims[inner]) return false;
    return true;
}

static void move_axis(vg_group *group, uint32_t to, uint32_t from) {
    for (uint32_t k = 0; k < group->inputs + group->outputs; k++) vg_group_stride(group, k)[to] = vg_group_stride(group, k)[from];
}

/* Drops axes of length 1 (but the first, along which threads cut) and merges neighbours; rows stay rows where they are
 * taken as a whole. */
static void merge(vg_group *group) {
    uint32_t kept = group->rank > 0;      /* the first */
    group->unit = 1;
    for (uint32_t axis = 1; axis < group->rank; axis++) {
        const bool row = group->whole_rows && axis + 1 == group->rank;
        if (group->dims[axis] == 1 && !row) continue;
        const bool join = !row && (joins(group, kept - 1, axis) || group->dims[kept - 1] == 1);
        const uint32_t to = join ? kept - 1 : kept++;
        if (join && to == 0) group->unit *= group->dims[axis];
        group->dims[to] = (join ? group->dims[to] : 1) * group->dims[axis];
        move_axis(group, to, axis);
    }
    group->rank = kept;
    group->cut = 0;
    while (group->rank < 2) {      /* an axis of one row in front */
        for (uint32_t axis = group->rank; axis > 0; axis--) {
            group->dims[axis] = group->dims[axis - 1];
            move_axis(group, axis, axis - 1);
        }
        group->dims[0] = 1;
        for (uint32_t k = 0; k < group->inputs + group->outputs; k++) vg_group_stride(group, k)[0] = 0;
        if (group->rank++ == 1) group->cut = 1;
    }
}

static void set_tile(vg_group *group, uint32_t size) {
    const uint32_t arrays = group->inputs + group->outputs;
    const int64_t places = group->buffers + (arrays < 4 ? arrays : 4), fit = TILE_BYTES / (places * size);
    const int64_t elements = fit < TILE_LEAST ? TILE_LEAST : fit > TILE_MOST ? TILE_MOST : fit;
    const int64_t columns = group->dims[group->rank - 1];
    group->columns = columns < elements || group->whole_rows ? columns : elements;
    group->rows = group->columns > 0 && group->columns < elements ? elements / group->columns : 1;
}

/* Whether the tile's rows lie one behind the other there. */
static bool is_flat(const vg_group *group, uint32_t place) {
    if (place >= group->inputs + group->outputs) return (group->narrow >> place & 1) == 0;
    const int64_t *stride = vg_group_stride(group, place);
    return stride[group->rank - 1] * group->dims[group->rank - 1] == stride[group->rank - 2];
}

void vg_group_shape(vg_group *group, const vg_view *shape, const vg_view *in, const vg_view *out) {
    uint32_t widest = sizeof(int32_t);
    group->rank = shape->rank;
    for (uint32_t k = 0; k < shape->rank; k++) group->dims[k] = shape->dims[k];
    for (uint32_t k = 0; k < group->inputs; k++)
        vg_walk_repeated(in[k].dims, in[k].rank, shape->rank, vg_group_stride(group, k));
    for (uint32_t k = 0; k < group->outputs; k++)
        vg_walk_repeated(out[k].dims, out[k].rank, shape->rank, vg_group_stride(group, group->inputs + k));
    merge(group);
    for (uint32_t k = 0; k < group->inputs + group->outputs + group->buffers; k++)
        if (group->size[k] > widest) widest = group->size[k];
    set_tile(group, widest);
    for (uint32_t k = 0; k < group->member_count; k++) {
        vg_member *member = &group->members[k];
        member->flat = is_flat(group, member->out);
        for (uint32_t j = 0; j < member->in_count; j++) member->flat = member->flat && is_flat(group, member->in[j]);
    }
}

uint64_t vg_group_scratch(const vg_group *group) {
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < group->buffers; k++) bytes += vg_group_buffer(group, group->inputs + group->outputs + k);
    return bytes;
}
