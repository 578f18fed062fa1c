/* Data that the host program provides (vg_model_provide): nothing is kept, each batch is asked for when it is due. */
#include <string.h>

#include "data/source.h"

static bool describe(vg_dataset *set, vg_data_error *error) {
    (void)set;
    (void)error;
    return true;
}

const vg_source_row vg_source_provided = {
    .name = "provided", .signature = "provided()", .doc = "data of the program that uses the library",
    .describe = describe, .load = describe
};

/* `floats` are the second half of `out`'s doubles: each is read before it is written over. */
static void widen(const char *floats, size_t count, double *out) {
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, floats + i * sizeof value, sizeof value);
        out[i] = value;
    }
}

bool vg_dataset_read(const vg_dataset *set, uint32_t column, const uint32_t *examples, uint32_t count, void *out,
                     bool wide) {
    if (!set->gather) {
        vg_dataset_gather(set, column, examples, count, out, wide);
        return true;
    }
    const vg_column *from = &set->columns[column];
    const bool widens = wide && from->dtype == VG_F32;
    size_t elements = count;
    for (uint32_t k = 0; k < from->rank; k++) {
        elements *= from->shape[k];
    }
    char *floats = (char *)out + (widens ? elements * sizeof(float) : 0);
    if (!set->gather(set->gather_user, column, examples, count, floats)) {
        return false;
    }
    if (widens) {
        widen(floats, elements, out);
    }
    return true;
}
