/* Epochs and mini-batches of one data set. The order of an epoch depends on the run's seed, the data set's name and
 * the epoch's number alone. */
#include <string.h>

#include "api/run.h"
#include "base/random.h"

enum { SHUFFLE_DOMAIN = 1 };    /* hashes names apart from the paths of draws */

static void begin_epoch(vg_loader *loader) {
    loader->next = 0;
    if (loader->shuffle) {
        vg_random_shuffle((vg_random_key){ loader->seed, loader->epoch }, loader->order, loader->count);
        return;
    }
    for (uint32_t k = 0; k < loader->count; k++) loader->order[k] = k;
}

void vg_loader_init(vg_loader *loader, vg_mem *mem, const vg_strings *strings, vg_dataset *set, bool test, bool shuffle,
                    uint64_t seed, uint32_t largest_batch) {
    const char *name = vg_strings_text(strings, set->name);
    *loader = (vg_loader){
        .set = set,
        .split = test ? set->test_examples : set->train,
        .count = test ? set->test_count : set->train_count,
        .seed = vg_hash_pair(seed, vg_hash_bytes(name, strlen(name), SHUFFLE_DOMAIN)),
        .shuffle = shuffle && !test
    };
    loader->order = vg_mem_alloc(mem, loader->count * sizeof *loader->order);
    loader->batch = vg_mem_alloc(mem, largest_batch * sizeof *loader->batch);
    begin_epoch(loader);
}

void vg_loader_next(vg_loader *loader, uint32_t size, uint32_t *batch) {
    if (loader->count - loader->next < size) {
        loader->epoch++;
        begin_epoch(loader);
    }
    for (uint32_t k = 0; k < size; k++) batch[k] = loader->split[loader->order[loader->next + k]];
    loader->next += size;
}

void vg_loader_seek(vg_loader *loader, uint64_t epoch, uint32_t next) {
    loader->epoch = loader->seen_epoch = epoch;
    begin_epoch(loader);
    loader->next = loader->seen = next;
}
