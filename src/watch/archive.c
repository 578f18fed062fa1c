/* A run's folder, read again: the entry points, with the place where a failed allocation lands. */
#include "watch/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/thread.h"

typedef bool (*archive_body)(vg_archive *archive, const void *argument);

/* A function of its own, so that no local of the entry point lives across the jump. */
static bool guarded(vg_archive *archive, archive_body body, const void *argument) {
    jmp_buf here;
    if (setjmp(here) != 0) {
        archive->mem.escape = NULL;
        archive->error = archive->error ? archive->error : "there is not enough memory";
        return false;
    }
    archive->mem.escape = &here;
    const bool fine = body(archive, argument);
    archive->mem.escape = NULL;
    return fine;
}

bool vg_archive_fail(vg_archive *archive, const char *format, ...) {
    if (!archive->error) {
        vg_text text = vg_text_new(&archive->mem);
        va_list list;
        va_start(list, format);
        vg_text_format_list(&text, format, list);
        va_end(list);
        archive->error = vg_text_c(&text);
    }
    return false;
}

static bool open_body(vg_archive *archive, const void *folder) {
    vg_arena_init(&archive->arena, &archive->mem);
    archive->info.folder = "";
    archive->info.folder = vg_arena_copy(&archive->arena, folder, strlen(folder));
    const vg_archive_info nothing = { .folder = archive->info.folder };
    if (!vg_archive_read_info(archive)) {
        archive->info = nothing;
        archive->expects.count = 0;
    }
    return archive->error == NULL;
}

vg_archive *vg_archive_open(const char *folder) {
    vg_archive *archive = calloc(1, sizeof *archive);   /* the one block that no vg_mem owns: it holds one */
    if (archive) {
        vg_mem_init(&archive->mem);
        guarded(archive, open_body, folder);
    }
    return archive;
}

void vg_archive_close(vg_archive *archive) {
    if (archive) {
        vg_mem_release(&archive->mem);
        free(archive);
    }
}

const char *vg_archive_error(const vg_archive *archive) { return archive->error; }
const vg_archive_info *vg_archive_info_of(const vg_archive *archive) { return &archive->info; }

/* ---- replaying */

static bool hand_on(const vg_replay *replay, const vg_record *record) { return replay->watch(replay->user, record); }

/* What is of the test split comes before what its step's own batch gave. */
static bool replay_values(vg_event_stream *own, vg_event_stream *test, const vg_replay *replay) {
    bool fine = vg_event_stream_next(own) && vg_event_stream_next(test);
    while (fine && (own->event || test->event)) {
        const bool first = test->event && (!own->event || test->event->step <= own->event->step);
        vg_event_stream *stream = first ? test : own;
        fine = vg_event_replay(stream, first, replay) && vg_event_stream_next(stream);
    }
    return fine;
}

static bool replay_end(const vg_archive *archive, const vg_replay *replay) {
    const vg_archive_info *info = &archive->info;
    for (uint32_t i = 0; info->done && i < archive->expects.count; i++) {
        const vg_archive_expect *expect = &archive->expects.items[i];
        const vg_record record = { .kind = VG_RECORD_EXPECT, .tag = expect->text, .ok = expect->failures == 0,
                                   .step = info->steps_done ? info->steps_done - 1 : 0,
                                   .failures = expect->failures, .last = true };
        if (!hand_on(replay, &record)) {
            return false;
        }
    }
    for (size_t i = 0; info->done && i < info->finding_count; i++) {
        const vg_record record = { .kind = VG_RECORD_FINDING, .step = info->steps_done, .finding = &info->findings[i] };
        if (!hand_on(replay, &record)) {
            return false;
        }
    }
    const vg_record done = { .kind = VG_RECORD_DONE, .step = info->steps_done, .steps = info->steps,
                             .seconds = info->seconds, .status = info->status };
    return !info->done || hand_on(replay, &done);
}

static bool replay_body(vg_archive *archive, const void *argument) {
    const vg_replay *replay = argument;
    vg_event_stream own, test;
    bool found, tested;
    const char *test_folder = vg_arena_format(&archive->arena, "%s/test", archive->info.folder);
    if (!vg_event_stream_open(&own, archive, archive->info.folder, &found) ||
        !vg_event_stream_open(&test, archive, test_folder, &tested)) {
        return false;
    }
    if (!found) {
        return vg_archive_fail(archive, "%s: there is no event file", archive->info.folder);
    }
    const vg_record start = { .kind = VG_RECORD_START, .steps = archive->info.steps };
    const bool fine = hand_on(replay, &start) && replay_values(&own, &test, replay) && replay_end(archive, replay);
    vg_event_stream_close(&own);
    vg_event_stream_close(&test);
    return fine;
}

bool vg_archive_replay(vg_archive *archive, vg_watch watch, void *user) {
    const vg_replay replay = { watch, user };
    return !archive->error && guarded(archive, replay_body, &replay);
}

uint32_t vg_cores(void) { return vg_thread_cores(); }
