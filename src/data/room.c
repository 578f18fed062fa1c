/* Room for what a source makes of its files: memory, or, where the whole would take too much of it, a file without a
 * name on the disk, of which the system keeps in memory what is used. */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "data/source.h"

enum { SMALL = 1 << 20 };      /* bytes: what is smaller is never worth a file */

static uint64_t bytes_of(const vg_dataset *set, const vg_column *column) {
    return (uint64_t)set->count * vg_column_elements(column) * vg_storage_size(column->storage);
}

bool vg_data_is_large(const vg_dataset *set, uint64_t bytes) {
    return bytes > (set->room ? set->room : vg_os_memory() / 4);
}

void vg_data_plan(vg_dataset *set) {
    uint64_t total = 0;
    for (uint32_t k = 0; k < set->column_count; k++) {
        const vg_column *column = &set->columns[k];
        total += column->shares || column->mapped ? 0 : bytes_of(set, column);
    }
    for (uint32_t k = 0; k < set->column_count && vg_data_is_large(set, total); k++) {
        vg_column *column = &set->columns[k];
        uint64_t bytes = bytes_of(set, column);
        column->mapped = column->mapped || (!column->shares && bytes && (bytes >= SMALL || set->room));
    }
}

bool vg_data_room(vg_dataset *set, bool mapped, uint64_t bytes, void **room, vg_data_error *error) {
    vg_mapping *mapping;
    if (!mapped || !bytes) {
        *room = vg_mem_alloc(set->mem, (size_t)bytes);
        return true;
    }
    int failed = vg_file_scratch(set->mem, (size_t)bytes, &mapping);
    if (failed) {
        return vg_data_fail(error, "%.1f GB of data are too much for the memory, and a file for them can not be made "
                            "in $TMPDIR or /var/tmp: %s", (double)bytes / 1e9, strerror(failed));
    }
    *room = mapping->bytes;
    return true;
}
