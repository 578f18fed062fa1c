/* What is the same for every source (front/dataset.h): counts and splits, and gathering a batch. */
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

bool vg_dataset_describe(vg_dataset *set, vg_data_error *error) {
    if (!set->source->describe) {
        return vg_data_refuse(error, "the source '%s' is part of the language, but this version cannot read it yet",
                              set->source->name);
    }
    return set->source->describe(set, error) && count_splits(set, error);
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

/* One that was made of its facts is looked at now, and must be what they say. */
static bool describe_recalled(vg_dataset *set, vg_data_error *error) {
    if (!set->recalled) {
        return true;
    }
    set->recalled = false;
    return vg_dataset_describe(set, error) && vg_dataset_matches(set, error);
}

bool vg_dataset_load(vg_dataset *set, vg_data_error *error) {
    if (!set->loaded) {
        if (!describe_recalled(set, error) || !set->source->load(set, error)) {
            return false;
        }
        if (set->facts) {
            vg_dataset_take_scales(set);
        }
        split(set);
        set->loaded = true;
    }
    return true;
}

static size_t elements_of(const vg_column *column) {
    size_t elements = 1;
    for (uint32_t k = 0; k < column->rank; k++) {
        elements *= column->shape[k];
    }
    return elements;
}

/* Bytes as numbers: the product is rounded to float first, also where doubles are wanted, so that both precisions
 * see the same picture. */
static void scale_bytes(const uint8_t *from, size_t count, float scale, void *to, bool wide) {
    if (wide) {
        double *out = to;
        for (size_t i = 0; i < count; i++) {
            out[i] = (float)from[i] * scale;
        }
    } else {
        float *out = to;
        for (size_t i = 0; i < count; i++) {
            out[i] = (float)from[i] * scale;
        }
    }
}

static void widen_bytes(const uint8_t *from, size_t count, int32_t *to) {
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

static void widen_floats(const float *from, size_t count, double *to) {
    for (size_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

/* Examples lie anywhere, and their order is known: the beginning of one that is due soon is asked for early, the rest
 * follows by itself. */
static void prefetch(const char *row, size_t bytes) {
    enum { LINE = 64, MOST = 32 * LINE };
    for (size_t at = 0; at < bytes && at < MOST; at += LINE) {
        __builtin_prefetch(row + at);
    }
}

/* Short rows as they are; of a length that is known here each is a move or two, not a call. */
static inline void copy_rows(const char *from, size_t row, const uint32_t *examples, uint32_t count, char *to) {
    for (uint32_t i = 0; i < count; i++) {
        memcpy(to + i * row, from + examples[i] * row, row);
    }
}

/* Labels: one byte for each example. */
static void copy_labels(const uint8_t *from, const uint32_t *examples, uint32_t count, int32_t *to) {
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[examples[i]];
    }
}

/* False for other rows than of one number, two or four that stay as they are, or of one label. */
static bool copy_short(const vg_column *column, size_t row, bool same, const uint32_t *examples, uint32_t count,
                       void *to) {
    const void *from = column->data;
    if (column->storage == VG_STORE_U8 && column->dtype == VG_I32 && row == 1) {
        copy_labels(from, examples, count, to);
        return true;
    }
    switch (same ? row : 0) {
    case 4:
        copy_rows(from, 4, examples, count, to);
        return true;
    case 8:
        copy_rows(from, 8, examples, count, to);
        return true;
    case 16:
        copy_rows(from, 16, examples, count, to);
        return true;
    default:
        return false;
    }
}

void vg_dataset_gather(const vg_dataset *set, uint32_t column, const uint32_t *examples, uint32_t count, void *out,
                       bool wide) {
    enum { SOON = 4 };
    const vg_column *from = &set->columns[column];
    size_t elements = elements_of(from);
    size_t size = from->dtype == VG_I32 ? sizeof(int32_t) : wide ? sizeof(double) : sizeof(float);
    size_t row = elements * (from->storage == VG_STORE_U8 ? sizeof(uint8_t) : sizeof(float));
    char *to = out;
    bool same = from->storage == VG_STORE_I32 || (from->storage == VG_STORE_F32 && !wide);
    if (copy_short(from, row, same, examples, count, out)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++, to += elements * size) {
        const char *example = (const char *)from->data + examples[i] * row;
        if (i + SOON < count) {
            prefetch((const char *)from->data + examples[i + SOON] * row, row);
        }
        switch (from->storage) {
        case VG_STORE_U8:
            if (from->dtype == VG_I32) {
                widen_bytes((const uint8_t *)example, elements, (int32_t *)(void *)to);
            } else {
                scale_bytes((const uint8_t *)example, elements, from->scale, to, wide);
            }
            break;
        case VG_STORE_F32:
            if (wide) {
                widen_floats((const float *)(const void *)example, elements, (double *)(void *)to);
            } else {
                memcpy(to, example, elements * size);
            }
            break;
        case VG_STORE_I32:
            memcpy(to, example, elements * size);
            break;
        }
    }
}
