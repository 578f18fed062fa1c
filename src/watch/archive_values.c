/* What an event's values mean: the records that tensorboard.c made them of. Values of other kinds (the model's text,
 * hyperparameters) are passed over, as are other programs'. */
#include <math.h>
#include <string.h>

#include "watch/archive.h"
#include "watch/png.h"
#include "watch/tensorboard.h"

enum { IMAGES = 8 };

static const char bad_rows[] = "the histogram's rows are not left, right, count, rising";
static const char bad_image[] = "the image cannot be read";

static bool hand_on(vg_event_stream *stream, const vg_replay *replay, const VgTb__Value *value, vg_record record) {
    record.step = (uint64_t)stream->event->step;
    record.tag = value->exact && value->exact->tag ? value->exact->tag : value->tag;
    return replay->watch(replay->user, &record);
}

/* ---- histograms */

/* Moments as they were written; where they were not (another program's file), those of the rows' middles. */
static void take_moments(vg_histogram *h, const VgTb__Exact *exact, const vg_bin *rows, size_t count) {
    if (exact && exact->has_count) {
        h->count = exact->count;
        h->zeros = exact->zeros;
        h->nans = exact->nans;
        h->infs = exact->infs;
        h->mean = exact->mean;
        h->std = exact->std;
        h->rms = exact->rms;
        return;
    }
    double total = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double middle = rows[i].left / 2 + rows[i].right / 2;
        total += rows[i].count;
        sum += middle * rows[i].count;
        squares += middle * middle * rows[i].count;
    }
    h->count = (uint64_t)total;
    h->mean = total > 0 ? sum / total : 0;
    h->rms = total > 0 ? sqrt(squares / total) : 0;
    h->std = total > 0 ? sqrt(fmax(squares / total - h->mean * h->mean, 0)) : 0;
}

static bool rows_are_fine(const vg_bin *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(rows[i].left) || !isfinite(rows[i].right) || !(rows[i].left <= rows[i].right) ||
            !(rows[i].count >= 0 && rows[i].count <= 0x1p53) || (i > 0 && rows[i].left < rows[i - 1].right)) {
            return false;
        }
    }
    return true;
}

/* The row that holds the zeros; SIZE_MAX: none does. A neighbour may end at 0, too, but hardly with as many. */
static size_t zero_row(const vg_histogram *h, const vg_bin *rows, size_t count) {
    for (size_t i = 0; h->zeros && i < count; i++) {
        if (rows[i].left <= 0 && rows[i].right >= 0 && rows[i].count == (double)h->zeros) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool replay_rows(vg_event_stream *stream, const vg_replay *replay, const VgTb__Value *value) {
    const ProtobufCBinaryData *content = &value->tensor->tensor_content;
    const size_t count = content->len / sizeof(vg_bin);
    const VgTb__Shape *shape = value->tensor->tensor_shape;
    if (shape->dim[0]->size < 0 || (uint64_t)shape->dim[0]->size != count || content->len != count * sizeof(vg_bin)) {
        return vg_event_stream_fail(stream, bad_rows);
    }
    vg_bin *rows = VG_ARRAY(&stream->arena, vg_bin, count);
    memcpy(rows, content->data, count * sizeof *rows);
    if (count == 0) {
        return true;
    }
    if (!rows_are_fine(rows, count)) {
        return vg_event_stream_fail(stream, bad_rows);
    }
    vg_histogram h = { .min = rows[0].left, .max = rows[count - 1].right };
    take_moments(&h, value->exact, rows, count);
    const size_t zeros = zero_row(&h, rows, count);
    vg_bucket *buckets = VG_ARRAY(&stream->arena, vg_bucket, count);
    for (size_t i = 0; i < count; i++) {
        if (i != zeros) {
            buckets[h.bucket_count++] = (vg_bucket){ rows[i].left, rows[i].right, (uint64_t)rows[i].count };
        }
    }
    h.buckets = buckets;
    return hand_on(stream, replay, value, (vg_record){ .kind = VG_RECORD_HISTOGRAM, .histogram = &h });
}

/* ---- scalars */

/* The count of what is not finite stands beside its histogram, and for it where nothing is finite. */
static bool replay_scalar(vg_event_stream *stream, bool test, const vg_replay *replay, const VgTb__Value *value) {
    const VgTb__Exact *exact = value->exact;
    if (exact && exact->has_count) {
        vg_histogram h = { 0 };
        take_moments(&h, exact, NULL, 0);
        return exact->nans + exact->infs != exact->count ||
               hand_on(stream, replay, value, (vg_record){ .kind = VG_RECORD_HISTOGRAM, .histogram = &h });
    }
    const double number = exact && exact->has_value ? exact->value : (double)value->simple_value;
    return hand_on(stream, replay, value, (vg_record){ .kind = VG_RECORD_SCALAR, .value = number, .test = test });
}

/* ---- images */

/* Their pixels, [count, height, width, channels]; NULL when they cannot be read or differ in size. */
static const uint8_t *read_pixels(vg_event_stream *stream, const ProtobufCBinaryData *files, vg_image *image) {
    uint8_t *pixels = NULL;
    for (uint32_t i = 0; i < image->count; i++) {
        if (!vg_png_read(files[i].data, files[i].len, image, i, &stream->arena, &pixels)) {
            return NULL;
        }
    }
    return pixels;
}

static bool replay_images(vg_event_stream *stream, const vg_replay *replay, const VgTb__Value *value) {
    const VgTb__Tensor *tensor = value->tensor;
    if (tensor->n_string_val < 3 || tensor->n_string_val > 2 + IMAGES) {
        return vg_event_stream_fail(stream, bad_image);
    }
    vg_image image = { .count = (uint32_t)tensor->n_string_val - 2, .min = value->exact->min,
                       .max = value->exact->max };
    image.pixels = read_pixels(stream, tensor->string_val + 2, &image);
    return image.pixels ? hand_on(stream, replay, value, (vg_record){ .kind = VG_RECORD_IMAGE, .image = &image })
                        : vg_event_stream_fail(stream, bad_image);
}

/* ---- */

static bool is_rows(const VgTb__Tensor *tensor) {
    const VgTb__Shape *shape = tensor->tensor_shape;
    return tensor->dtype == VG_TENSORBOARD_DOUBLE && shape && shape->n_dim == 2 && shape->dim[1]->size == 3;
}

static bool replay_value(vg_event_stream *stream, bool test, const vg_replay *replay, const VgTb__Value *value) {
    if (!value->tag) {
        return true;
    }
    if (value->has_simple_value) {
        return replay_scalar(stream, test, replay, value);
    }
    if (value->tensor && is_rows(value->tensor)) {
        return replay_rows(stream, replay, value);
    }
    if (value->tensor && value->tensor->dtype == VG_TENSORBOARD_STRING && value->exact && value->exact->has_min) {
        return replay_images(stream, replay, value);
    }
    return true;
}

bool vg_event_replay(vg_event_stream *stream, bool test, const vg_replay *replay) {
    const VgTb__Summary *summary = stream->event->summary;
    for (size_t i = 0; i < summary->n_value; i++) {
        if (!replay_value(stream, test, replay, summary->value[i])) {
            return false;
        }
    }
    return true;
}
