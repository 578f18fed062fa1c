/* A queue in front of other watchers: the run's thread copies its records into a ring, and a thread of the queue's own,
 * the writer, hands them on.
 *
 * Records lie in the ring one behind the other. `written` and `read` count bytes, modulo 2^32; each is changed by one
 * thread alone. To wake a thread costs more than to copy a record, so a writer that has nothing to do first naps: a
 * run of short steps never wakes it, it wakes by itself and finds what came meanwhile. Only after a nap in which
 * nothing came does it sleep, and the next record wakes it. */
#include <string.h>

#include "base/thread.h"
#include "watch/sink.h"

enum { RING = 1 << 20, LARGEST = RING / 4, URGENT = RING / 2, ALIGN = 16, NAP = 1000, SPIN = 100 };

/* What a writer is at. */
enum { AWAKE, NAPS, SLEEPS };

/* The head of a place in the ring. record: behind it, or the caller's own; NULL where the end of the ring is left. */
typedef struct slot { const vg_record *record; uint32_t bytes; } slot;
_Static_assert(sizeof(slot) <= ALIGN, "the end that is left free has room for a slot");

typedef struct queue_sink {
    vg_sink    sink;
    vg_watch   behind;
    void      *user;
    vg_thread *writer;                      /* NULL: there is none, records are handed on directly */
    char      *ring;
    atomic_bool refused, closing;
    _Alignas(VG_MEM_ALIGN) vg_word32 written;
    _Alignas(VG_MEM_ALIGN) vg_word32 read;
    _Alignas(VG_MEM_ALIGN) vg_word32 state; /* of the writer */
    _Alignas(VG_MEM_ALIGN) vg_word32 waits; /* 1: the run's thread does, until `read` reaches the target */
    vg_word32  target;
} queue_sink;

static bool reached(uint32_t at, uint32_t target) { return (int32_t)(at - target) >= 0; }

/* ---- the writer */

/* What was refused before the end is known only now: DONE tells it. */
static void hand_on(queue_sink *self, const vg_record *record) {
    vg_record last;
    if (record->kind == VG_RECORD_DONE && self->refused) {
        last = *record;
        last.status = VG_FAILED_RESOURCE;
        record = &last;
    }
    if (!self->behind(self->user, record)) {
        self->refused = true;
    }
}

static void empty_ring(queue_sink *self) {
    uint32_t at = self->read;
    while (at != self->written) {
        const slot *next = (const void *)(self->ring + at % RING);
        if (next->record) {
            hand_on(self, next->record);
        }
        self->read = at += next->bytes;
        if (self->waits && reached(at, self->target)) {
            self->waits = 0;
            vg_thread_wake(&self->waits);
        }
    }
}

static void write_records(void *user) {
    queue_sink *self = user;
    bool napped = false;
    for (;;) {
        const bool closing = self->closing;
        napped = napped && self->read == self->written;
        empty_ring(self);
        if (closing) {
            return;
        }
        self->state = napped ? SLEEPS : NAPS;
        if (self->read == self->written && !self->closing) {   /* whoever writes from now on sees the state */
            if (napped) {
                vg_thread_wait(&self->state, SLEEPS, 0);
            } else {
                vg_thread_nap(&self->state, NAPS, NAP);
            }
        }
        napped = self->state == NAPS;
        self->state = AWAKE;
    }
}

/* ---- the run's thread */

static void wake_writer(queue_sink *self, bool urgent) {
    const uint32_t state = self->state;
    if (state == SLEEPS || (state == NAPS && urgent)) {
        self->state = AWAKE;
        vg_thread_wake(&self->state);
    }
}

static void wait_for(queue_sink *self, uint32_t target) {
    while (!reached(self->read, target)) {
        self->target = target;
        self->waits = 1;
        wake_writer(self, true);
        if (!reached(self->read, target)) {
            vg_thread_wait(&self->waits, 1, SPIN);
        }
    }
    self->waits = 0;
}

/* A place for so many bytes in one piece. When there is none, waits until half of the ring is free. */
static char *reserve(queue_sink *self, uint32_t bytes) {
    const uint32_t at = self->written, left = RING - at % RING, end = left < bytes ? left : 0;
    if (RING - (at - self->read) < end + bytes) {
        wait_for(self, at - RING / 2);
    }
    if (end > 0) {
        *(slot *)(void *)(self->ring + at % RING) = (slot){ NULL, end };
        self->written = at + end;
    }
    return self->ring + self->written % RING;
}

static void publish(queue_sink *self, uint32_t bytes, bool urgent) {
    self->written += bytes;
    wake_writer(self, urgent || self->written - self->read > URGENT);
}

/* By reference: everything is done when this returns. */
static void pass_through(queue_sink *self, const vg_record *record) {
    slot *place = (void *)reserve(self, ALIGN);
    *place = (slot){ record, ALIGN };
    publish(self, ALIGN, true);
    wait_for(self, self->written);
}

static size_t aligned(size_t bytes) { return (bytes + ALIGN - 1) / ALIGN * ALIGN; }
static size_t text_bytes(const char *text) { return text ? strlen(text) + 1 : 0; }

static size_t pixel_bytes(const vg_image *image) {
    return (size_t)image->count * image->height * image->width * image->channels;
}

/* What a record and all that it points to need in the ring. */
static size_t bytes_of(const vg_record *record) {
    size_t bytes = ALIGN + aligned(sizeof *record) + aligned(text_bytes(record->tag)) +
                   aligned(text_bytes(record->message));
    if (record->histogram) {
        bytes += aligned(sizeof *record->histogram) +
                 aligned(record->histogram->bucket_count * sizeof *record->histogram->buckets);
    }
    if (record->units) {
        bytes += aligned(sizeof *record->units) + 5 * aligned(record->units->count * sizeof(double));
    }
    if (record->image) {
        bytes += aligned(sizeof *record->image) + aligned(pixel_bytes(record->image));
    }
    return bytes;
}

/* Copies to *place, which moves on. NULL stays NULL. */
static void *put(char **place, const void *from, size_t bytes) {
    if (!from) {
        return NULL;
    }
    char *to = *place;
    memcpy(to, from, bytes);
    *place += aligned(bytes);
    return to;
}

static void copy_record(char *place, const vg_record *record, uint32_t bytes) {
    slot *head = (void *)place;
    place += ALIGN;
    vg_record *copy = put(&place, record, sizeof *record);
    copy->tag = put(&place, record->tag, text_bytes(record->tag));
    copy->message = put(&place, record->message, text_bytes(record->message));
    if (record->histogram) {
        vg_histogram *histogram = put(&place, record->histogram, sizeof *histogram);
        histogram->buckets = put(&place, histogram->buckets, histogram->bucket_count * sizeof *histogram->buckets);
        copy->histogram = histogram;
    }
    if (record->units) {
        vg_units *units = put(&place, record->units, sizeof *units);
        const double **const columns[] = { &units->active, &units->min, &units->max, &units->mean, &units->variance };
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
            *columns[k] = put(&place, *columns[k], units->count * sizeof(double));
        }
        copy->units = units;
    }
    if (record->image) {
        vg_image *image = put(&place, record->image, sizeof *image);
        image->pixels = put(&place, image->pixels, pixel_bytes(image));
        copy->image = image;
    }
    *head = (slot){ copy, bytes };
}

static bool watch(vg_sink *sink, const vg_record *record) {
    queue_sink *self = (queue_sink *)sink;
    if (!self->writer) {
        return self->behind(self->user, record);
    }
    const size_t bytes = bytes_of(record);
    const bool waits = record->kind == VG_RECORD_START || record->kind == VG_RECORD_CHECKPOINT ||
                       record->kind == VG_RECORD_DONE;
    if (waits || record->finding || bytes > LARGEST) {
        pass_through(self, record);
    } else {
        copy_record(reserve(self, (uint32_t)bytes), record, (uint32_t)bytes);
        publish(self, (uint32_t)bytes, record->kind == VG_RECORD_EXPECT);
    }
    return !self->refused;
}

typedef struct queue_arguments { vg_watch behind; void *user; } queue_arguments;

static bool open_queue(vg_sink *sink, const void *user) {
    queue_sink *self = (queue_sink *)sink;
    const queue_arguments *arguments = user;
    self->behind = arguments->behind;
    self->user = arguments->user;
    if (vg_thread_cores() == 1) {
        return true;
    }
    self->ring = vg_mem_alloc(&sink->mem, RING);
    self->writer = vg_thread_start(write_records, self);
    return true;
}

static bool close_queue(vg_sink *sink) {
    queue_sink *self = (queue_sink *)sink;
    if (self->writer) {
        self->closing = true;
        wake_writer(self, true);
        vg_thread_join(self->writer);
    }
    return true;
}

static const vg_sink_kind kind = { sizeof(queue_sink), open_queue, watch, close_queue };

vg_sink *vg_sink_queue(vg_watch behind, void *user, const char **error) {
    const queue_arguments arguments = { behind, user };
    return vg_sink_new(&kind, &arguments, error);
}
