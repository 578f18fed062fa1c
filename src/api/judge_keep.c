/* What a run's findings are judged by, as bytes for a checkpoint, and back: samples, units' last activity, weights. Only
 * the program that wrote them reads them; a number at their beginning says how they are laid out. */
#include <string.h>

#include "api/checkpoint.h"
#include "api/judge.h"

enum { LAYOUT = 2 };

/* One way for both directions: `bytes` is written or read, or, where it is NULL, only counted. */
typedef struct keeping {
    vg_run *run;
    char   *bytes;
    size_t  length, at;
    bool    reads, fine;
} keeping;

static void pass(keeping *k, void *value, size_t size) {
    k->fine = k->fine && (k->bytes == NULL || size <= k->length - k->at);
    if (k->fine && k->bytes) memcpy(k->reads ? value : k->bytes + k->at, k->reads ? k->bytes + k->at : value, size);
    k->at += size;
}

static void pass_track(keeping *k, vg_track *track) {
    uint32_t units = track->active ? track->units : 0, had = units;
    pass(k, &track->count, sizeof track->count);
    pass(k, &track->wrong, sizeof track->wrong);
    pass(k, &track->bias, sizeof track->bias);
    pass(k, &had, sizeof had);
    k->fine = k->fine && had == units;
    if (!k->fine) return;
    const uint32_t samples = track->count < VG_WINDOW ? track->count : VG_WINDOW;
    pass(k, track->first, samples * sizeof *track->first);
    pass(k, track->ring, samples * sizeof *track->ring);
    if (units) pass(k, track->active, units * sizeof *track->active);
}

static void pass_all(keeping *k) {
    const vg_unit *unit = k->run->unit;
    vg_judge *judge = k->run->judge;
    uint32_t head[3] = { LAYOUT, unit->evidence.count, unit->weights.count }, had[3];
    memcpy(had, head, sizeof had);
    pass(k, had, sizeof had);
    k->fine = k->fine && memcmp(had, head, sizeof head) == 0;
    pass_track(k, &judge->loss);
    for (uint32_t i = 0; i < unit->evidence.count && k->fine; i++) pass_track(k, &judge->tracks[i]);
    for (uint32_t i = 0; i < unit->weights.count && k->fine; i++) {
        vg_moving *moving = &judge->moving[i];
        pass_track(k, &moving->track);
        pass(k, &moving->std, sizeof moving->std);
        pass(k, &moving->alike, sizeof moving->alike);
    }
}

void *vg_judge_keep(vg_run *run, vg_mem *mem, size_t *length) {
    if (run->judge == NULL) return NULL;
    keeping counted = { .run = run, .fine = true };
    pass_all(&counted);
    keeping written = { .run = run, .fine = true, .bytes = vg_mem_alloc(mem, counted.at), .length = counted.at };
    pass_all(&written);
    *length = counted.at;
    return written.bytes;
}

bool vg_judge_recall(vg_run *run, const void *bytes, size_t length) {
    if (run->judge == NULL) return true;
    keeping read = { .run = run, .fine = true, .reads = true, .bytes = (char *)(uintptr_t)bytes, .length = length };
    pass_all(&read);
    return read.fine && read.at == length;
}
