/* For the tests of what reads files: a folder of one's own, and a memory whose failures end the test. Included after
 * cmocka.h. */
#ifndef VG_TESTS_DATA_FIXTURE_H
#define VG_TESTS_DATA_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/dataset.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define BYTES(text) (text), sizeof(text) - 1

typedef struct fixture { vg_mem mem; jmp_buf escape; vg_data_error error; char folder[64]; } fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    vg_mem_init(&f->mem);
    f->mem.escape = &f->escape;
    snprintf(f->folder, sizeof f->folder, "/tmp/vgraph-test-XXXXXX");
    return setjmp(f->escape) || !mkdtemp(f->folder);
}

/* The path of a file in the folder, good until the next call. */
static const char *path_of(const fixture *f, const char *name) {
    static char path[sizeof f->folder + 256];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    return path;
}

static int tear_down(void **state) {
    fixture *f = *state;
    DIR *folder = opendir(f->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        remove(path_of(f, entry->d_name));
    }
    if (folder) {
        closedir(folder);
    }
    rmdir(f->folder);
    vg_mem_release(&f->mem);
    free(f);
    return 0;
}

static inline void write_file(const fixture *f, const char *name, const void *bytes, size_t length) {
    FILE *file = fopen(path_of(f, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* The bytes of an NPY file with this dict, padded as NumPy pads it; returns their number. */
static inline size_t make_npy(char *out, unsigned version, const char *dict, const char *data, size_t length) {
    const size_t head = version == 1 ? 10 : 12, text = strlen(dict), whole = (head + text + 1 + 63) / 64 * 64;
    const size_t promised = whole - head;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (char)version;
    out[7] = 0;
    for (size_t k = 8; k < head; k++) {
        out[k] = (char)(promised >> 8 * (k - 8));
    }
    memset(out + head, ' ', promised);
    memcpy(out + head, dict, text);
    out[whole - 1] = '\n';
    if (length) {
        memcpy(out + whole, data, length);
    }
    return whole + length;
}

/* The row of a data source that there is. */
static inline const vg_source_row *row_of(const char *name) {
    uint32_t i = 0;
    while (strcmp(vg_source_rows[i].name, name) != 0) {
        i++;
        assert_true(i < vg_source_row_count);
    }
    return &vg_source_rows[i];
}

#endif
