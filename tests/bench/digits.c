/* Times the drawing of 12,000 digits, and, with an argument, writes a sheet of them, a row a class, as PNG:
 *
 *     cmake --build --preset release --target bench
 *     .build/release/tests/bench/bench_digits examples/digits.png */
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "base/os.h"
#include "front/dataset.h"

enum { SIDE = 28, ROWS = 10, COLUMNS = 20, WIDTH = COLUMNS * SIDE, HEIGHT = ROWS * SIDE };
enum { LINE = 1 + WIDTH / 2 };   /* bytes of a PNG's line: its filter, then two pixels of 16 greys a byte */

static void write_chunk(FILE *file, const char *type, const uint8_t *bytes, uint32_t length) {
    const uLong sum = crc32(crc32(0, (const Bytef *)type, 4), bytes, length);
    const uint32_t numbers[2] = { length, (uint32_t)sum };
    uint8_t big[2][4];
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 4; k++) {
            big[i][k] = (uint8_t)(numbers[i] >> (24 - 8 * k));
        }
    }
    fwrite(big[0], 1, 4, file);
    fwrite(type, 1, 4, file);
    fwrite(bytes, 1, length, file);
    fwrite(big[1], 1, 4, file);
}

/* Ink is black. */
static void put(uint8_t *sheet, int row, int column, const uint8_t *image) {
    for (int y = 0; y < SIDE; y++) {
        uint8_t *line = sheet + (row * SIDE + y) * LINE + 1 + column * SIDE / 2;
        for (int x = 0; x < SIDE; x++) {
            int grey = 15 - (image[y * SIDE + x] * 15 + 127) / 255;
            line[x / 2] = (uint8_t)(line[x / 2] | (x % 2 ? grey : grey << 4));
        }
    }
}

static bool write_sheet(const char *path, const vg_dataset *set) {
    static uint8_t sheet[HEIGHT * LINE], packed[HEIGHT * LINE + 1000];
    const uint8_t header[13] = { 0, 0, WIDTH >> 8, WIDTH & 255, 0, 0, HEIGHT >> 8, HEIGHT & 255, 4, 0, 0, 0, 0 };
    const uint8_t *images = set->columns[0].data, *labels = set->columns[1].data;
    int filled[ROWS] = { 0 };
    for (uint32_t i = 0; i < set->count; i++) {
        if (filled[labels[i]] < COLUMNS) {
            put(sheet, labels[i], filled[labels[i]]++, images + (size_t)i * SIDE * SIDE);
        }
    }
    uLongf length = sizeof packed;
    FILE *file = fopen(path, "wb");
    if (!file || compress2(packed, &length, sheet, sizeof sheet, Z_BEST_COMPRESSION) != Z_OK) {
        return false;
    }
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);
    write_chunk(file, "IHDR", header, sizeof header);
    write_chunk(file, "IDAT", packed, (uint32_t)length);
    write_chunk(file, "IEND", packed, 0);
    bool failed = ferror(file);
    return fclose(file) == 0 && !failed;
}

int main(int count, char **arguments) {
    vg_mem mem;
    jmp_buf escape;
    vg_data_error error;
    vg_mem_init(&mem);
    mem.escape = &escape;
    if (setjmp(escape)) {
        fprintf(stderr, "there is not enough memory\n");
        return 1;
    }
    vg_dataset set = { .mem = &mem, .source = &vg_source_rows[0], .folder = "", .test = -1 };
    double start = vg_os_seconds();
    if (!vg_dataset_describe(&set, &error) || !vg_dataset_load(&set, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("%u digits drawn in %.3f s\n", set.count, vg_os_seconds() - start);
    bool written = count < 2 || write_sheet(arguments[1], &set);
    if (!written) {
        fprintf(stderr, "'%s' cannot be written\n", arguments[1]);
    }
    vg_mem_release(&mem);
    return !written;
}
