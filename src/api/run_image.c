/* Image summaries: the first pictures of a tensor as bytes, made where they are due. */
#include <math.h>

#include "api/run.h"

enum { IMAGES = 8, SIDE_LIMIT = 1 << 14 };

/* [n, height, width], or [n, channels, height, width] */
static vg_image image_of(const vg_view *view) {
    const int64_t *last = view->dims + view->rank - 2;
    return (vg_image){ .count = (uint32_t)(view->dims[0] < IMAGES ? view->dims[0] : IMAGES),
                       .channels = view->rank == 4 ? (uint32_t)view->dims[1] : 1,
                       .height = (uint32_t)last[0],
                       .width = (uint32_t)last[1] };
}

static size_t bytes_of(const vg_image *image) {
    return (size_t)image->count * image->channels * image->height * image->width;
}

/* ---- making */

static bool fits(vg_run *run, const vg_place *place, const vg_view *view) {
    const int64_t height = view->dims[view->rank - 2], width = view->dims[view->rank - 1];
    if (height <= SIDE_LIMIT && width <= SIDE_LIMIT) return true;
    vg_arena *arena = &run->model->ir.arena;
    vg_report(&run->model->ir.diags, image_size, place->span, place->call,
              vg_arena_format(arena, "%lld", (long long)width), vg_arena_format(arena, "%lld", (long long)height),
              vg_arena_format(arena, "%d", SIDE_LIMIT));
    return false;
}

static bool is_image(const vg_program *program, const vg_root_row *root) {
    uint32_t count;
    if (root->op != VG_OP_summary) return false;
    const vg_attr attr = program->graph->attr.items[root->node];
    return vg_attr_words(program->graph->ir, attr, &count)[1] == VG_SUMMARY_IMAGE;      /* tag, kind, every, turn */
}

bool vg_run_images_make(vg_run *run) {
    size_t most = 0;
    for (uint32_t t = 0; t < run->turn_count; t++) {
        const vg_program *program = &run->turns[t].program;
        for (uint32_t k = 0; k < program->roots.count; k++) {
            const vg_root_row *root = &program->roots.items[k];
            const vg_view *view = &program->views.items[root->view];
            if (!is_image(program, root)) continue;
            if (!fits(run, &program->graph->place.items[root->node], view)) return false;
            const vg_image image = image_of(view);
            if (bytes_of(&image) > most) most = bytes_of(&image);
        }
    }
    run->pixels = vg_mem_alloc(&run->mem, most);
    return true;
}

/* ---- a record */

static void find_range(const vg_run *run, const vg_view *view, vg_image *image) {
    double min = INFINITY, max = -INFINITY;
    const int64_t count = (int64_t)bytes_of(image);
    for (int64_t i = 0; i < count; i++) {
        const double value = vg_view_get(view, i, run->real);
        if (!isfinite(value)) continue;
        if (value < min) min = value;
        if (value > max) max = value;
    }
    image->min = min <= max ? min : 0;
    image->max = min <= max ? max : 0;
}

static uint8_t level_of(double value, const vg_image *image) {
    const double range = image->max - image->min;
    if (isnan(value) || value < image->min) return 0;
    if (value > image->max) return UINT8_MAX;
    if (range == 0) return 128;
    const double share = isinf(range) ? (value / 2 - image->min / 2) / (image->max / 2 - image->min / 2)
                                      : (value - image->min) / range;
    return (uint8_t)(share * UINT8_MAX + 0.5);
}

void vg_run_emit_image(vg_run *run, const vg_view *view, vg_record record) {
    vg_image image = image_of(view);
    const size_t area = (size_t)image.height * image.width, planes = (size_t)image.count * image.channels;
    if (area * planes == 0) return;      /* there is nothing to be seen */
    find_range(run, view, &image);
    for (size_t plane = 0; plane < planes; plane++) {
        uint8_t *to = run->pixels + plane / image.channels * area * image.channels + plane % image.channels;
        for (size_t i = 0; i < area; i++)
            to[i * image.channels] = level_of(vg_view_get(view, (int64_t)(plane * area + i), run->real), &image);
    }
    image.pixels = run->pixels;
    record.kind = VG_RECORD_IMAGE;
    record.image = &image;
    vg_run_emit(run, record);
}
