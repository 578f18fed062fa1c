/* The table of data sources. A new one is one row here and its two functions. */
#include "data/source.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define NUMBER(name, value) { (name), VG_ARGUMENT_NUMBER, false, (value) }
#define TRUTH(name, value)  { (name), VG_ARGUMENT_TRUTH, false, (value) }
#define WANTED(name)        { (name), VG_ARGUMENT_TEXT, true, 0 }
#define OPTION(name)        { (name), VG_ARGUMENT_TEXT, false, 0 }

static const vg_source_parameter digits_parameters[] = { NUMBER("count", 12000), NUMBER("seed", 1) };
static const vg_source_parameter mnist_parameters[] = { WANTED("folder") };
static const vg_source_parameter idx_parameters[] = { WANTED("images"), WANTED("labels") };
static const vg_source_parameter csv_parameters[] = {
    WANTED("file"), OPTION("target"), TRUTH("header", 1), OPTION("separator"), OPTION("missing"), OPTION("skip")
};
static const vg_source_parameter npy_parameters[] = { WANTED("x"), OPTION("y") };
static const vg_source_parameter file_parameters[] = { WANTED("file") };
static const vg_source_parameter images_parameters[] = {
    WANTED("folder"), NUMBER("height", 0), NUMBER("width", 0), NUMBER("channels", 0)
};
static const vg_source_parameter toy_parameters[] = { NUMBER("count", 1000), NUMBER("noise", 0.1), NUMBER("seed", 1) };
static const vg_source_parameter text_parameters[] = { WANTED("file"), NUMBER("length", 64) };
static const vg_source_parameter sentences_parameters[] = {
    NUMBER("count", 2000), NUMBER("seed", 1), NUMBER("length", 64)
};

#define FINISHED(name, signature, parameters, describe, load, finish, doc) \
    { (name), (signature), (doc), (parameters), sizeof(parameters) / sizeof *(parameters), (describe), (load), \
      (finish) }
#define SOURCE(name, signature, parameters, describe, load, doc) \
    FINISHED(name, signature, parameters, describe, load, NULL, doc)

const vg_source_row vg_source_rows[] = {
    SOURCE("digits", "digits(count = 12000, seed = 1)", digits_parameters, vg_digits_describe, vg_digits_load,
           "handwritten-looking digits drawn by the program: images [28, 28] in 0..1, labels in ten classes"),
    SOURCE("mnist", "mnist(folder)", mnist_parameters, vg_mnist_describe, vg_mnist_load,
           "the four IDX files of MNIST in a folder, or only the t10k pair, gzipped or not: images, labels"),
    SOURCE("idx", "idx(images, labels)", idx_parameters, vg_idx_describe, vg_idx_load,
           "a pair of IDX files of bytes, gzipped or not: images scaled to 0..1, labels"),
    FINISHED("csv", "csv(file, target, header = true, separator = \",\", missing, skip)", csv_parameters,
             vg_table_describe, vg_table_load, vg_table_finish,
             "a table in CSV: its columns by name, features (all but the target, as floats), target; words are "
             "classes in sorted order. missing = \"mean\" fills in numbers, skip = \"a, b\" leaves columns out of the "
             "features"),
    SOURCE("npy", "npy(x, y)", npy_parameters, vg_npy_describe, vg_npy_load,
           "NumPy arrays, the examples along the first axis: the columns x and y; y may be left out"),
    SOURCE("npz", "npz(file)", file_parameters, vg_npz_describe, vg_npz_load,
           "NumPy's archive of arrays, packed or not: a column for each, the examples along the first axis"),
    SOURCE("safetensors", "safetensors(file)", file_parameters, vg_safetensors_describe, vg_safetensors_load,
           "a column for each tensor, the examples along the first axis"),
    SOURCE("images", "images(folder, height, width, channels)", images_parameters, vg_images_describe, vg_images_load,
           "PNG and JPEG files in a folder for each class (within train and test: the splits): images [h, w] of grey "
           "or [3, h, w] of colours in 0..1, of the first one's size or resized to height and width; labels"),
    SOURCE("text", "text(file, length = 64)", text_parameters, vg_text_describe, vg_text_load,
           "a text in UTF-8, cut into examples of so many characters: now, and next, one character later; "
           "its last part is the test split"),
    SOURCE("sentences", "sentences(count = 2000, seed = 1, length = 64)", sentences_parameters, vg_sentences_describe,
           vg_sentences_load, "English sentences drawn by the program, as text reads a file: count examples of now and "
           "next; the last of them are the test split"),
    SOURCE("spirals", "spirals(count = 1000, noise = 0.1, seed = 1)", toy_parameters, vg_toy_describe, vg_spirals_load,
           "two spiral arms wound around each other: x, y, features [2], target"),
    SOURCE("moons", "moons(count = 1000, noise = 0.1, seed = 1)", toy_parameters, vg_toy_describe, vg_moons_load,
           "two half circles that reach into each other: x, y, features [2], target"),
    SOURCE("circles", "circles(count = 1000, noise = 0.1, seed = 1)", toy_parameters, vg_toy_describe, vg_circles_load,
           "a circle within a circle: x, y, features [2], target"),
    SOURCE("xor", "xor(count = 1000, noise = 0.1, seed = 1)", toy_parameters, vg_toy_describe, vg_xor_load,
           "four quadrants, opposite ones of one class: x, y, features [2], target"),
};
const uint32_t vg_source_row_count = sizeof vg_source_rows / sizeof *vg_source_rows;

#undef NUMBER
#undef WANTED
#undef OPTION
#undef TRUTH
#undef FINISHED
#undef SOURCE

bool vg_data_fail(vg_data_error *error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(error->text, sizeof error->text, format, list);
    va_end(list);
    error->argument = false;
    return false;
}

bool vg_data_refuse(vg_data_error *error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(error->text, sizeof error->text, format, list);
    va_end(list);
    error->argument = true;
    return false;
}

bool vg_data_unreadable(vg_data_error *error, const char *path, int failed) {
    switch (failed) {
    case EISDIR:
        return vg_data_fail(error, "'%s' is not a file but a folder", path);
    case ENODEV:
        return vg_data_fail(error, "'%s' is not a file", path);
    default:
        return vg_data_fail(error, "'%s' cannot be read: %s", path, strerror(failed));
    }
}

bool vg_data_map(vg_mem *mem, const char *path, vg_mapping **mapping, vg_data_error *error) {
    int failed = vg_file_map(mem, path, mapping);
    return failed ? vg_data_unreadable(error, path, failed) : true;
}

double vg_argument_number(const vg_dataset *set, uint32_t k) {
    return set->arguments[k].given ? set->arguments[k].number : set->source->parameters[k].number;
}

const char *vg_argument_text(const vg_dataset *set, uint32_t k) {
    return set->arguments[k].given && set->arguments[k].text ? set->arguments[k].text : "";
}

char *vg_data_path(vg_mem *mem, const char *folder, const char *name, const char *ending) {
    vg_text text = vg_text_new(mem);
    const char *slash = !*folder || folder[strlen(folder) - 1] == '/' ? "" : "/";
    vg_text_format(&text, "%s%s%s%s", *name == '/' ? "" : folder, *name == '/' ? "" : slash, name, ending);
    return text.text;
}

char *vg_argument_path(const vg_dataset *set, uint32_t k) {
    return vg_data_path(set->mem, set->folder, vg_argument_text(set, k), "");
}

bool vg_argument_whole(const vg_dataset *set, uint32_t k, double low, double high, vg_data_error *error) {
    double number = vg_argument_number(set, k);
    if (number >= low && number <= high && number == floor(number)) {
        return true;
    }
    char shown[32], least[32], most[32];
    return vg_data_refuse(error, "%s must be a whole number from %s to %s, not %s", set->source->parameters[k].name,
                          vg_number_text(least, low), vg_number_text(most, high), vg_number_text(shown, number));
}
