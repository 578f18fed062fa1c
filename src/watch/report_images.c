/* The images that the report keeps: a few of each tag, evenly over the run, and the newest. They become PNGs at the
 * end. */
#include <string.h>

#include "watch/png.h"
#include "watch/report.h"
#include "watch/sink.h"

static size_t pixel_bytes(const vg_image *image) {
    return (size_t)image->count * image->height * image->width * image->channels;
}

static void drop(vg_album *album, vg_still *still) {
    album->bytes -= pixel_bytes(&still->image);
    vg_mem_free(album->arena->mem, still->pixels);
}

/* The newest gives way unless it is one of the stride's; a full sequence doubles its stride. */
static void make_room(vg_album *album, vg_sequence *sequence) {
    if (sequence->stills.count && vg_vec_last(&sequence->stills).index % sequence->stride != 0) {
        drop(album, &vg_vec_pop(&sequence->stills));
    }
    if (sequence->stills.count < VG_STILLS) {
        return;
    }
    sequence->stride *= 2;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sequence->stills.count; i++) {
        vg_still *still = &sequence->stills.items[i];
        if (still->index % sequence->stride == 0) {
            sequence->stills.items[kept++] = *still;
        } else {
            drop(album, still);
        }
    }
    sequence->stills.count = kept;
}

static vg_sequence *sequence_of(vg_album *album, const char *tag) {
    const uint64_t key = vg_hash_bytes(tag, strlen(tag), 0);
    uint32_t place = vg_map_get(&album->by_tag, key);
    if (!place) {
        const vg_sequence sequence = { .tag = vg_sink_utf8(album->arena, tag, strlen(tag)), .stride = 1 };
        vg_vec_push(album->arena->mem, &album->list, sequence);
        place = album->list.count;
        vg_map_put(album->arena->mem, &album->by_tag, key, place);
    }
    return &album->list.items[place - 1];
}

void vg_album_add(vg_album *album, const vg_record *record) {
    vg_sequence *sequence = sequence_of(album, record->tag);
    const size_t bytes = pixel_bytes(record->image);
    make_room(album, sequence);
    const uint64_t index = sequence->seen++;
    if (bytes > VG_ALBUM_BYTES - album->bytes) {
        album->left_out++;
        return;
    }
    vg_still still = { .step = record->step, .index = index, .image = *record->image };
    still.pixels = memcpy(vg_mem_alloc(album->arena->mem, bytes), record->image->pixels, bytes);
    still.image.pixels = still.pixels;
    album->bytes += bytes;
    vg_vec_push(album->arena->mem, &sequence->stills, still);
}

bool vg_album_pack(vg_album *album) {
    for (uint32_t i = 0; i < album->list.count; i++) {
        vg_sequence *sequence = &album->list.items[i];
        for (uint32_t k = 0; k < sequence->stills.count; k++) {
            vg_still *still = &sequence->stills.items[k];
            still->png = VG_ARRAY(album->arena, const char *, still->image.count);
            for (uint32_t n = 0; n < still->image.count; n++) {
                vg_png png;
                if (!vg_png_make(&still->image, n, album->arena, &png)) {
                    return false;
                }
                still->png[n] = vg_png_base64(&png, album->arena);
            }
        }
    }
    return true;
}
