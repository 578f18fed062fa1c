/* TensorBoard's event files, read record by record. What is not whole at the end is being written: it is left out, as
 * TensorBoard leaves it. Everything else that does not fit is an error. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "watch/archive.h"
#include "watch/sink.h"
#include "watch/tensorboard.h"

enum { HEAD = 12, TAIL = 4 };   /* length and its checksum; the record's checksum */
static const char prefix[] = VG_TENSORBOARD_PREFIX;

bool vg_event_stream_fail(const vg_event_stream *stream, const char *what) {
    return vg_archive_fail(stream->archive, "%s: byte %llu: %s", stream->paths.items[stream->next - 1],
                           (unsigned long long)stream->at, what);
}

/* ---- files */

static void close_directory(void *directory) { closedir(directory); }
static void close_file(void *file) { fclose(file); }

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool find_limits(vg_event_stream *stream);

bool vg_event_stream_open(vg_event_stream *stream, vg_archive *archive, const char *folder, bool *found) {
    *stream = (vg_event_stream){ .archive = archive };
    vg_arena_init(&stream->arena, &archive->mem);
    DIR *directory = opendir(folder);
    *found = false;
    if (!directory) {
        return errno == ENOENT || errno == ENOTDIR ? true
             : vg_archive_fail(archive, "%s: %s", folder, vg_sink_reason(errno));
    }
    void *handle = vg_mem_own(&archive->mem, close_directory, directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            const char *path = vg_arena_format(&archive->arena, "%s/%s", folder, entry->d_name);
            vg_vec_push(&archive->mem, &stream->paths, path);
        }
    }
    vg_mem_disown(&archive->mem, handle, true);
    *found = stream->paths.count > 0;
    if (*found) {
        qsort(stream->paths.items, stream->paths.count, sizeof *stream->paths.items, by_name);
    }
    return find_limits(stream);
}

static void end_file(vg_event_stream *stream) {
    if (stream->handle) {
        vg_mem_disown(&stream->archive->mem, stream->handle, true);
    }
    stream->handle = stream->file = NULL;
}

void vg_event_stream_close(vg_event_stream *stream) {
    end_file(stream);
    vg_arena_release(&stream->arena);
    vg_vec_free(&stream->archive->mem, &stream->paths);
    vg_vec_free(&stream->archive->mem, &stream->limits);
    stream->event = NULL;
}

static bool begin_file(vg_event_stream *stream) {
    const char *path = stream->paths.items[stream->next++];
    FILE *file = fopen(path, "re");
    struct stat status;
    if (!file) {
        return vg_archive_fail(stream->archive, "%s: %s", path, vg_sink_reason(errno));
    }
    stream->handle = vg_mem_own(&stream->archive->mem, close_file, file);
    stream->file = file;
    stream->at = stream->end = 0;
    if (fstat(fileno(file), &status) != 0) {
        return vg_archive_fail(stream->archive, "%s: %s", path, vg_sink_reason(errno));
    }
    stream->size = (uint64_t)status.st_size;
    return true;
}

/* ---- records */

static uint64_t little_endian(const uint8_t *bytes, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static void *protobuf_alloc(void *arena, size_t size) { return vg_arena_alloc(arena, size); }
static void protobuf_free(void *arena, void *block) { (void)arena, (void)block; }

/* NULL when it is no message. Without memory it jumps, over protobuf-c's frames, which own nothing but the arena's. */
static VgTb__Event *unpack(vg_event_stream *stream, const uint8_t *bytes, size_t length) {
    ProtobufCAllocator allocator = { protobuf_alloc, protobuf_free, &stream->arena };
    return vg_tb__event__unpack(&allocator, length, bytes);
}

static bool read_bytes(vg_event_stream *stream, uint8_t *bytes, size_t length) {
    if (fread(bytes, 1, length, stream->file) == length) {
        return true;
    }
    return ferror((FILE *)stream->file) ? vg_event_stream_fail(stream, vg_sink_reason(errno))
                                        : vg_event_stream_fail(stream, "the file has become shorter");
}

/* The record at stream->at, which is whole: its length is within the file. */
static bool read_body(vg_event_stream *stream, uint64_t length) {
    uint8_t *body = vg_arena_alloc(&stream->arena, length + TAIL);
    if (!read_bytes(stream, body, length + TAIL)) {
        return false;
    }
    if (little_endian(body + length, TAIL) != vg_crc32c_masked(body, length)) {
        return vg_event_stream_fail(stream, "the record's checksum does not fit: the file is damaged");
    }
    VgTb__Event *event = unpack(stream, body, length);
    if (!event) {
        return vg_event_stream_fail(stream, "the record is no event of TensorBoard's");
    }
    if (stream->at == 0 && (!event->file_version || strncmp(event->file_version, "brain.Event:", 12) != 0)) {
        return vg_event_stream_fail(stream, "this is not TensorBoard's event file");
    }
    if (event->step < 0) {
        return vg_event_stream_fail(stream, "the event's step is below 0");
    }
    stream->event = event;
    stream->end = stream->at + HEAD + length + TAIL;
    return true;
}

/* The next whole record of the open file; without one the file is ended. */
static bool read_record(vg_event_stream *stream) {
    stream->at = stream->end;
    uint8_t head[HEAD];
    if (stream->size - stream->at < HEAD) {
        end_file(stream);
        return true;
    }
    if (!read_bytes(stream, head, HEAD)) {
        return false;
    }
    if (little_endian(head + 8, 4) != vg_crc32c_masked(head, 8)) {
        return vg_event_stream_fail(stream, stream->at ? "the length's checksum does not fit: the file is damaged"
                                                       : "this is not TensorBoard's event file");
    }
    const uint64_t length = little_endian(head, 8), left = stream->size - stream->at - HEAD;
    if (left < TAIL || length > left - TAIL) {
        end_file(stream);
        return true;
    }
    return read_body(stream, length);
}

/* The step at which the file of this path goes on with what is in the ones before it; UINT64_MAX: it does not. That stands
 * at the file's beginning. */
static bool find_start(vg_event_stream *stream, uint32_t path, uint64_t *start) {
    enum { BEGINNING = 16 };
    *start = UINT64_MAX;
    stream->next = path;
    bool fine = begin_file(stream);
    for (uint32_t k = 0; fine && stream->handle && k < BEGINNING && *start == UINT64_MAX; k++) {
        stream->event = NULL;
        vg_arena_release(&stream->arena);
        fine = read_record(stream);
        if (stream->event && stream->event->session_log) {
            *start = (uint64_t)stream->event->step;
        }
    }
    end_file(stream);
    stream->event = NULL;
    return fine;
}

static bool find_limits(vg_event_stream *stream) {
    uint64_t limit = UINT64_MAX;
    for (uint32_t k = 0; k < stream->paths.count; k++) {
        vg_vec_push(&stream->archive->mem, &stream->limits, UINT64_MAX);
    }
    for (uint32_t k = stream->paths.count; k-- > 1;) {
        uint64_t start;
        if (!find_start(stream, k, &start)) {
            return false;
        }
        limit = start < limit ? start : limit;
        stream->limits.items[k - 1] = limit;
    }
    stream->next = 0;
    return true;
}

bool vg_event_stream_next(vg_event_stream *stream) {
    do {
        stream->event = NULL;
        vg_arena_release(&stream->arena);
        if (!stream->handle) {
            if (stream->next == stream->paths.count) {
                return true;
            }
            if (!begin_file(stream)) {
                return false;
            }
        }
        if (!read_record(stream)) {
            return false;
        }
    } while (!stream->event || !stream->event->summary ||
             (uint64_t)stream->event->step >= stream->limits.items[stream->next - 1]);
    return true;
}
