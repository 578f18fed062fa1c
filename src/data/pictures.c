/* The sources made of IDX files: mnist (a folder, with a split of its own) and idx (a pair of files). */
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "data/idx.h"

enum { IMAGES, LABELS, COLUMNS };
enum { MNIST_CLASSES = 10, PARTS = 2 };

/* Up to two pairs of files behind each other: of mnist the training pair, then the t10k pair. */
typedef struct pair { const char *images, *labels; } pair;
typedef struct collection { pair parts[PARTS]; uint32_t count; } collection;

/* ---- which files */

/* The file, plain or gzipped; NULL when there is neither. */
static const char *find(vg_mem *mem, const char *folder, const char *name) {
    char *plain = vg_data_path(mem, folder, name, ""), *gzipped = vg_data_path(mem, folder, name, ".gz");
    return vg_file_exists(plain) ? plain : vg_file_exists(gzipped) ? gzipped : NULL;
}

static bool find_mnist(const vg_dataset *set, collection *files, vg_data_error *error) {
    static const char *const names[PARTS][2] = {
        { "train-images-idx3-ubyte", "train-labels-idx1-ubyte" }, { "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" }
    };
    const char *folder = vg_argument_path(set, 0);
    folder = *folder ? folder : ".";
    if (!vg_file_exists(folder)) {
        return vg_data_fail(error, "there is no folder '%s'", folder);
    }
    *files = (collection){ .count = 0 };
    for (uint32_t k = 0; k < PARTS; k++) {
        pair part = { find(set->mem, folder, names[k][0]), find(set->mem, folder, names[k][1]) };
        if (part.images && part.labels) {
            files->parts[files->count++] = part;
        } else if (part.images || part.labels || k == 1) {   /* the training pair alone may be missing */
            return vg_data_fail(error, "there is no '%s' in '%s', nor the same with .gz",
                                names[k][part.images != NULL], folder);
        }
    }
    return true;
}

static bool find_pair(const vg_dataset *set, collection *files, vg_data_error *error) {
    (void)error;
    files->parts[0].images = vg_argument_path(set, 0);
    files->parts[0].labels = vg_argument_path(set, 1);
    files->count = 1;
    return true;
}

/* ---- what is in them */

/* A pair's headers, which must be of equally many examples. */
static bool open_part(const vg_dataset *set, const pair *part, vg_idx *images, vg_idx *labels, vg_data_error *error) {
    if (!vg_idx_open(images, set->mem, part->images, 2, VG_IDX_RANK, error)) {
        return false;
    }
    if (!vg_idx_open(labels, set->mem, part->labels, 1, 1, error)) {
        vg_idx_close(images);
        return false;
    }
    if (images->shape[0] != labels->shape[0]) {
        vg_idx_close(labels);
        vg_idx_close(images);
        return vg_data_fail(error, "'%s' holds %u images, '%s' %u labels: there must be one for each", part->images,
                            images->shape[0], part->labels, labels->shape[0]);
    }
    return true;
}

/* Takes a part's shape into the columns: the first one says it, the second must agree. */
static bool take_shape(vg_dataset *set, const vg_idx *images, vg_data_error *error) {
    vg_column column = {
        .name = "images", .dtype = VG_F32, .storage = VG_STORE_U8, .scale = 1 / 255.0f, .rank = images->rank - 1
    };
    memcpy(column.shape, images->shape + 1, column.rank * sizeof *column.shape);
    if (set->count && (column.rank != set->columns[IMAGES].rank
                       || memcmp(column.shape, set->columns[IMAGES].shape, sizeof column.shape) != 0)) {
        return vg_data_fail(error, "the images in '%s' are of another size than those of the training files",
                            images->path);
    }
    if (images->shape[0] > INT32_MAX - set->count || images->size / images->shape[0] > INT32_MAX) {
        return vg_data_fail(error, "'%s' holds too many examples", images->path);
    }
    set->columns[IMAGES] = column;
    set->count += images->shape[0];
    return true;
}

/* `alone`: the images are all in one file that is not packed, and can stay there. */
static bool describe_files(vg_dataset *set, const collection *files, bool *alone, vg_data_error *error) {
    vg_dataset_columns(set, COLUMNS);
    set->column_count = 0;                      /* until they are known */
    set->count = set->own_train = 0;
    for (uint32_t k = 0; k < files->count; k++) {
        vg_idx images, labels;
        set->own_train = set->count;
        if (!open_part(set, &files->parts[k], &images, &labels, error)) {
            return false;
        }
        bool fits = take_shape(set, &images, error);
        *alone = files->count == 1 && !images.gzipped;
        vg_idx_close(&labels);
        vg_idx_close(&images);
        if (!fits) {
            return false;
        }
    }
    set->columns[IMAGES].mapped = *alone;
    set->columns[LABELS] = (vg_column){ .name = "labels", .dtype = VG_I32, .storage = VG_STORE_U8 };
    set->column_count = COLUMNS;
    vg_data_plan(set);
    return true;
}

static bool read_labels(vg_idx *idx, uint8_t *labels, uint32_t classes, vg_data_error *error) {
    if (!vg_idx_read(idx, labels, error)) {
        return false;
    }
    for (uint32_t i = 0; i < idx->shape[0]; i++) {
        if (labels[i] >= classes) {
            return vg_data_fail(error, "'%s' says class %u (byte %" PRIu64 "): there are only %u classes, from 0 on",
                                idx->path, labels[i], idx->header + i, classes);
        }
    }
    return true;
}

static bool say_changed(const collection *files, vg_data_error *error) {
    return vg_data_fail(error, "'%s' has changed while it was being read", files->parts[0].images);
}

/* The images of a part: read behind those before it; or, of a file that is alone and not packed, where they lie. */
static bool load_images(vg_dataset *set, vg_idx *images, bool alone, uint8_t *all, vg_data_error *error) {
    if (!alone) {
        return vg_idx_read(images, all, error);
    }
    vg_mapping *mapping;
    if (!vg_data_map(set->mem, images->path, &mapping, error)) {
        return false;
    }
    set->columns[IMAGES].data = mapping->bytes + images->header;
    return mapping->length == images->header + images->size
        || vg_data_fail(error, "'%s' has changed while it was being read", images->path);
}

static bool load_parts(vg_dataset *set, const collection *files, bool alone, uint8_t *all_images, uint8_t *all_labels,
                       vg_data_error *error) {
    uint64_t pixels = vg_column_elements(&set->columns[IMAGES]), done = 0;
    for (uint32_t k = 0; k < files->count; k++) {
        vg_idx images, labels;
        if (!open_part(set, &files->parts[k], &images, &labels, error)) {
            return false;
        }
        bool fits = images.size == images.shape[0] * pixels && images.shape[0] <= set->count - done
                 && alone == (files->count == 1 && !images.gzipped);
        bool read = fits ? load_images(set, &images, alone, all_images + done * pixels, error)
                               && read_labels(&labels, all_labels + done, set->classes, error)
                         : say_changed(files, error);
        done += images.shape[0];
        vg_idx_close(&labels);
        vg_idx_close(&images);
        if (!read) {
            return false;
        }
    }
    return true;
}

static bool load_files(vg_dataset *set, const collection *files, vg_data_error *error) {
    uint32_t expected = set->count, classes = set->classes;
    bool alone;
    void *all_images = NULL, *all_labels;
    if (!describe_files(set, files, &alone, error)) {   /* again: the files may have changed */
        return false;
    }
    if (set->count != expected) {
        return say_changed(files, error);
    }
    set->classes = set->columns[LABELS].classes = classes;
    uint64_t bytes = vg_column_elements(&set->columns[IMAGES]) * set->count;
    if ((!alone && !vg_data_room(set, set->columns[IMAGES].mapped, bytes, &all_images, error))
        || !vg_data_room(set, set->columns[LABELS].mapped, set->count, &all_labels, error)) {
        return false;
    }
    set->columns[IMAGES].data = all_images;
    if (!load_parts(set, files, alone, all_images, all_labels, error)) {
        return false;
    }
    set->columns[LABELS].data = all_labels;
    return true;
}

/* ---- the sources */

/* Where the files cannot be read, what every MNIST has is still known, so that a model's other mistakes are found. */
bool vg_mnist_describe(vg_dataset *set, vg_data_error *error) {
    collection files;
    bool alone, found = find_mnist(set, &files, error) && describe_files(set, &files, &alone, error);
    if (!found) {
        vg_dataset_columns(set, COLUMNS);
        set->columns[IMAGES] = (vg_column){ .name = "images", .dtype = VG_F32, .storage = VG_STORE_U8,
                                            .scale = 1 / 255.0f, .rank = 2, .shape = { 28, 28 } };
        set->columns[LABELS] = (vg_column){ .name = "labels", .dtype = VG_I32, .storage = VG_STORE_U8 };
    }
    set->columns[LABELS].classes = set->classes = MNIST_CLASSES;
    return found;
}

bool vg_mnist_load(vg_dataset *set, vg_data_error *error) {
    collection files;
    return find_mnist(set, &files, error) && load_files(set, &files, error);
}

/* The labels say how many classes there are, so they are read at once. */
bool vg_idx_describe(vg_dataset *set, vg_data_error *error) {
    collection files;
    bool alone;
    vg_idx file;
    if (!find_pair(set, &files, error) || !describe_files(set, &files, &alone, error)
        || !vg_idx_open(&file, set->mem, files.parts[0].labels, 1, 1, error)) {
        return false;
    }
    uint8_t *labels = vg_mem_alloc(set->mem, (size_t)file.size), most = 0;
    bool read = vg_idx_read(&file, labels, error);
    for (uint32_t i = 0; read && i < file.size; i++) {
        most = labels[i] > most ? labels[i] : most;
    }
    vg_mem_free(set->mem, labels);
    vg_idx_close(&file);
    set->columns[LABELS].classes = set->classes = most + 1u;
    return read;
}

bool vg_idx_load(vg_dataset *set, vg_data_error *error) {
    collection files;
    return find_pair(set, &files, error) && load_files(set, &files, error);
}
