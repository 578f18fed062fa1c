/* What is the same for every source (front/dataset.h): columns, counts and splits. (Batches: gather.c.) */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "data/source.h"

static const double DEFAULT_TEST = 0.2;
static const double NOT_GIVEN = -1;

static bool count_splits(vg_dataset *set, vg_data_error *error) {
    if (set->own_train && set->test == NOT_GIVEN) {
        set->train_count = set->own_train;
    } else {
        double share = set->test == NOT_GIVEN ? DEFAULT_TEST : set->test;
        if (!(share >= 0 && share < 1)) {
            char shown[32];
            return vg_data_refuse(error, "test is the share of the test split: at least 0 and less than 1, not %s",
                                  vg_number_text(shown, share));
        }
        uint32_t test = (uint32_t)round(share * set->count);
        set->train_count = test < set->count ? set->count - test : 1;   /* never without an example to train on */
    }
    set->test_count = set->count - set->train_count;
    return true;
}

vg_column *vg_dataset_columns(vg_dataset *set, uint32_t count) {
    if (count > set->column_room) {
        set->columns = vg_mem_resize(set->mem, set->columns, count * sizeof *set->columns);
        set->column_room = count;
    }
    set->column_count = count;
    return set->columns;
}

bool vg_dataset_describe(vg_dataset *set, vg_data_error *error) {
    return set->source->describe(set, error) && count_splits(set, error) && vg_scale_check(set, error);
}

/* Whether the test split is the last part of the examples: where the source has such a split itself and is not asked
 * for another, and where one example follows the other, so that a drawn one would stand between its neighbours. */
static bool test_is_last(const vg_dataset *set) {
    return set->in_order || (set->own_train && set->test == NOT_GIVEN);
}

/* Both splits hold rising example numbers. A drawn test split depends on the number of examples alone. */
static void split(vg_dataset *set) {
    uint32_t *train = vg_mem_alloc(set->mem, set->train_count * sizeof *train);
    uint32_t *test = vg_mem_alloc(set->mem, set->test_count * sizeof *test);
    uint8_t *chosen = vg_mem_alloc(set->mem, set->count);
    if (test_is_last(set)) {
        memset(chosen + set->train_count, 1, set->test_count);
    } else {
        static const char stream[] = "test split";
        vg_random_key key = { vg_hash_bytes(stream, sizeof stream - 1, 0), 0 };
        uint32_t *order = vg_mem_alloc(set->mem, set->count * sizeof *order);
        vg_random_shuffle(key, order, set->count);
        for (uint32_t i = 0; i < set->test_count; i++) {
            chosen[order[i]] = 1;
        }
        vg_mem_free(set->mem, order);
    }
    uint32_t *next[2] = { train, test };
    for (uint32_t i = 0; i < set->count; i++) {
        *next[chosen[i]]++ = i;
    }
    vg_mem_free(set->mem, chosen);
    set->train = train;
    set->test_examples = test;
}

/* What reads a model that was built of the facts knows its columns by their places. */
static bool columns_are_in_place(const vg_dataset *set, vg_data_error *error) {
    const vg_dataset *known = &set->facts->set;
    for (uint32_t k = 0; k < known->column_count; k++) {
        const char *here = k < set->column_count ? set->columns[k].name : "nothing", *there = known->columns[k].name;
        if (strcmp(here, there) != 0) {
            return vg_data_fail(error, "its columns are not in the order that the checkpoint was trained with: '%s' is "
                                "where '%s' was; with --data they are found by their names", here, there);
        }
    }
    return true;
}

/* One that was made of its facts is looked at now, by a source that finds nothing filled in, and must be what they
 * say. */
static bool describe_recalled(vg_dataset *set, vg_data_error *error) {
    if (!set->recalled) {
        return true;
    }
    set->recalled = false;
    set->column_count = set->count = set->classes = 0;
    set->class_texts = NULL;
    return vg_dataset_describe(set, error) && vg_dataset_matches(set, error) && columns_are_in_place(set, error);
}

bool vg_dataset_load(vg_dataset *set, vg_data_error *error) {
    if (!set->loaded) {
        if (!describe_recalled(set, error) || !set->source->load(set, error)) {
            return false;
        }
        split(set);
        if (set->source->finish && !set->source->finish(set, error)) {
            return false;
        }
        vg_scale_fit(set);
        if (set->facts) {
            vg_dataset_take_scales(set);
        }
        set->loaded = true;
    }
    return true;
}
