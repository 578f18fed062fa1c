/* libFuzzer: any bytes are read as data, or refused with a message. The first byte says as what: csv (with and without a
 * header), npy, npz, safetensors, or what goes into a trained model. The file lies in memory. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "front/dataset.h"

static const vg_source_row *row_of(const char *name) {
    for (uint32_t k = 0; k < vg_source_row_count; k++) {
        if (strcmp(vg_source_rows[k].name, name) == 0) {
            return &vg_source_rows[k];
        }
    }
    abort();
}

/* Goes through the first and the last example of every column. */
static void look(vg_mem *mem, const vg_dataset *set) {
    for (uint32_t k = 0; k < set->column_count; k++) {
        const vg_column *column = &set->columns[k];
        uint64_t elements = 1;
        for (uint32_t j = 0; j < column->rank; j++) {
            elements *= column->shape[j];
        }
        const uint32_t ends[] = { 0, set->count - 1 };
        if (!column->refused) {
            vg_dataset_gather(set, k, ends, 2, vg_mem_alloc(mem, 2 * elements * sizeof(double)), true);
        }
    }
}

/* False with a reason, or true without one. */
static void check(vg_mem *mem, bool fine, const vg_dataset *set, const vg_data_error *error) {
    if (!fine && !error->text[0]) {
        abort();
    }
    if (fine) {
        look(mem, set);
    }
}

static void read_as(vg_mem *mem, const char *path, uint8_t what) {
    static const char *const sources[] = { "csv", "csv", "npy", "npz", "safetensors" };
    static const char *const members[] = { "a", "b" };
    enum { SOURCES = sizeof sources / sizeof *sources, HEADER = 2, MISSING = 4 };
    vg_data_error error = { .text = "" };
    vg_dataset set = { .mem = mem, .test = -1, .folder = "" };
    if (what >= SOURCES) {
        const vg_column like = { .name = "x", .dtype = what & 1 ? VG_I32 : VG_F32, .rank = 1, .shape = { 2 }, .classes = 9,
                                 .members = what & 2 ? members : NULL };
        check(mem, vg_dataset_input(&set, &like, path, &error), &set, &error);
        return;
    }
    set.source = row_of(sources[what]);
    set.arguments[0] = (vg_argument){ .text = path, .given = true };
    if (what == 1) {
        set.arguments[HEADER] = (vg_argument){ .number = 0, .given = true };
        set.arguments[MISSING] = (vg_argument){ .text = "mean", .given = true };
        set.scale = "standard";
    }
    check(mem, vg_dataset_describe(&set, &error) && vg_dataset_load(&set, &error), &set, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { KINDS = 9 };
    char path[64];
    jmp_buf escape;
    vg_mem mem;
    if (size == 0) {
        return -1;
    }
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file < 0 || write(file, data + 1, size - 1) != (ssize_t)size - 1) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    vg_mem_init(&mem);
    mem.escape = &escape;
    if (setjmp(escape) == 0) {
        read_as(&mem, path, data[0] % KINDS);
    }
    vg_mem_release(&mem);
    close(file);
    return 0;
}
