/* The source images: pictures in a folder for each class; or such folders within train and test, which are then the
 * splits. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "data/picture.h"

enum { FOLDER, HEIGHT, WIDTH, CHANNELS };              /* the parameters, in order */
enum { IMAGES, LABELS, COLUMNS };

typedef VG_VEC(const char *) names;
typedef struct file { const char *path; uint32_t class; } file;

/* What describe keeps for load. */
typedef struct album {
    vg_mem *mem;
    names   classes;
    VG_VEC(file) files;
    vg_extent size;
    uint32_t  channels;
    bool      resizes;
} album;

/* ---- folders */

static void close_folder(void *object) { closedir(object); }

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is in a folder, in sorted order, but for what is hidden. */
static bool list(vg_mem *mem, const char *path, names *out, vg_data_error *error) {
    *out = (names){ 0 };
    DIR *folder = opendir(path);
    if (!folder) {
        int failed = errno;
        return failed == ENOTDIR ? vg_data_fail(error, "'%s' is not a folder", path)
                                 : vg_data_unreadable(error, path, failed);
    }
    void *handle = vg_mem_own(mem, close_folder, folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] != '.') {
            vg_vec_push(mem, out, vg_data_path(mem, "", entry->d_name, ""));
        }
    }
    vg_mem_disown(mem, handle, true);
    if (out->count) {
        qsort(out->items, out->count, sizeof *out->items, by_text);
    }
    return true;
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_picture(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

/* "'pics/red' holds 3 files ..."; nothing that somebody put there is passed over without a word. */
static bool refuse_others(const char *folder, uint32_t others, const char *first, bool pictures, vg_data_error *error) {
    const bool one = others == 1;
    return vg_data_fail(error, "'%s', a folder for a class, holds%s %u file%s that %s no PNG or JPEG (.png, .jpg, "
                        ".jpeg)%s'%s': convert %s, or take %s out of the folder", folder,
                        pictures ? " also" : "", others, one ? "" : "s", one ? "is" : "are", one ? ": " : ", such as ",
                        first, one ? "it" : "them", one ? "it" : "them");
}

static bool add_class(album *a, const char *folder, uint32_t class, vg_data_error *error) {
    names inside;
    const char *other = NULL;
    uint32_t before = a->files.count, others = 0;
    if (!list(a->mem, folder, &inside, error)) {
        return false;
    }
    for (uint32_t k = 0; k < inside.count; k++) {
        if (is_picture(inside.items[k])) {
            file one = { vg_data_path(a->mem, folder, inside.items[k], ""), class };
            vg_vec_push(a->mem, &a->files, one);
        } else if (others++ == 0) {
            other = inside.items[k];
        }
    }
    vg_vec_free(a->mem, &inside);
    if (others) {
        return refuse_others(folder, others, other, a->files.count > before, error);
    }
    return a->files.count > before
        || vg_data_fail(error, "there is no picture (.png, .jpg, .jpeg) in '%s', a folder for a class", folder);
}

/* The folders in `path`, which are the classes, or must be among those that are known. */
static bool add_classes(album *a, const char *path, bool known, vg_data_error *error) {
    names inside;
    if (!list(a->mem, path, &inside, error)) {
        return false;
    }
    for (uint32_t k = 0; k < inside.count; k++) {
        const char *name = inside.items[k], *folder = vg_data_path(a->mem, path, name, "");
        uint32_t class = 0;
        if (!is_folder(folder) && is_picture(name)) {
            return vg_data_fail(error, "'%s' lies in no class's folder: pictures of one class stand in a folder with "
                                       "its name",
                                folder);
        }
        if (!is_folder(folder)) {
            continue;
        }
        while (class < a->classes.count && strcmp(a->classes.items[class], name) != 0) {
            class++;
        }
        if (class == a->classes.count && known) {
            return vg_data_fail(error, "'%s' is a class that there is no folder for among the training pictures",
                                folder);
        }
        if (class == a->classes.count) {
            vg_vec_push(a->mem, &a->classes, name);
        }
        if (!add_class(a, folder, class, error)) {
            return false;
        }
    }
    return a->files.count || vg_data_fail(error, "there is no folder in '%s': pictures of one class stand in a folder "
                                                 "with its name", path);
}

static bool find_files(album *a, vg_dataset *set, const char *path, vg_data_error *error) {
    const char *train = vg_data_path(a->mem, path, "train", ""), *test = vg_data_path(a->mem, path, "test", "");
    if (!is_folder(train) || !is_folder(test)) {
        return add_classes(a, path, false, error);
    }
    if (!add_classes(a, train, false, error)) {
        return false;
    }
    set->own_train = a->files.count;
    return add_classes(a, test, true, error)
        && (a->files.count > set->own_train || vg_data_fail(error, "there is no picture in '%s'", test));
}

/* ---- what they are like */

static bool take_size(album *a, const vg_dataset *set, vg_data_error *error) {
    bool height = set->arguments[HEIGHT].given, width = set->arguments[WIDTH].given;
    double channels = vg_argument_number(set, CHANNELS);
    if (height != width) {
        return vg_data_refuse(error, "height and width are given both or not at all");
    }
    if (set->arguments[CHANNELS].given && channels != 1 && channels != 3) {
        char shown[32];
        return vg_data_refuse(error, "channels is 1 (grey) or 3 (red, green, blue), not %s",
                              vg_number_text(shown, channels));
    }
    if (height && (!vg_argument_whole(set, HEIGHT, 1, VG_PICTURE_SIDE, error)
                   || !vg_argument_whole(set, WIDTH, 1, VG_PICTURE_SIDE, error))) {
        return false;
    }
    a->resizes = height;
    a->size = (vg_extent){ (uint32_t)vg_argument_number(set, HEIGHT), (uint32_t)vg_argument_number(set, WIDTH) };
    a->channels = (uint32_t)channels;
    return true;
}

/* What is not given is as in the first picture. */
static bool ask_first(album *a, vg_data_error *error) {
    vg_picture picture;
    vg_mapping *mapping;
    const char *path = a->files.items[0].path;
    if (!vg_data_map(a->mem, path, &mapping, error)) {
        return false;
    }
    bool fine = vg_picture_open(&picture, path, mapping->bytes, mapping->length, error);
    if (fine) {
        a->size = a->resizes ? a->size : (vg_extent){ picture.height, picture.width };
        a->channels = a->channels ? a->channels : picture.channels;
    }
    vg_file_unmap(mapping);
    return fine;
}

bool vg_images_describe(vg_dataset *set, vg_data_error *error) {
    album *a = vg_mem_alloc(set->mem, sizeof *a);
    const char *path = vg_argument_path(set, FOLDER);
    a->mem = set->mem;
    set->state = a;
    set->own_train = 0;
    if (!take_size(a, set, error) || !find_files(a, set, *path ? path : ".", error) || !ask_first(a, error)) {
        return false;
    }
    vg_column *columns = vg_dataset_columns(set, COLUMNS);
    columns[IMAGES] = (vg_column){ .name = "images", .dtype = VG_F32, .storage = VG_STORE_U8, .scale = 1 / 255.0f,
                                   .rank = 2, .shape = { a->size.height, a->size.width } };
    if (a->channels == 3) {
        columns[IMAGES].rank = 3;
        columns[IMAGES].shape[0] = 3;
        columns[IMAGES].shape[1] = a->size.height;
        columns[IMAGES].shape[2] = a->size.width;
    }
    columns[LABELS] = (vg_column){ .name = "labels", .dtype = VG_I32, .classes = a->classes.count,
                                   .texts = a->classes.items,
                                   .storage = a->classes.count <= 256 ? VG_STORE_U8 : VG_STORE_I32 };
    set->classes = a->classes.count;
    set->class_texts = a->classes.items;
    set->count = a->files.count;
    vg_data_plan(set);
    return true;
}

/* ---- reading them */

static bool load_file(album *a, const char *path, uint8_t *out, vg_data_error *error) {
    vg_picture picture;
    vg_mapping *mapping;
    if (!vg_data_map(a->mem, path, &mapping, error)) {
        return false;
    }
    bool fine = vg_picture_open(&picture, path, mapping->bytes, mapping->length, error);
    if (fine && !a->resizes && (picture.height != a->size.height || picture.width != a->size.width)) {
        fine = vg_data_fail(error, "'%s' is %u pixels high and %u wide, '%s' %u and %u: height = %u, width = %u makes "
                            "all of one size", path, picture.height, picture.width, a->files.items[0].path,
                            a->size.height,
                            a->size.width, a->size.height, a->size.width);
    }
    fine = fine && vg_picture_fit(a->mem, &picture, a->channels, a->size, out, error);
    vg_file_unmap(mapping);
    return fine;
}

bool vg_images_load(vg_dataset *set, vg_data_error *error) {
    album *a = set->state;
    vg_column *images = &set->columns[IMAGES], *labels = &set->columns[LABELS];
    size_t bytes = vg_column_elements(images);
    void *pixels, *classes;
    if (!vg_data_room(set, images->mapped, (uint64_t)bytes * set->count, &pixels, error)
        || !vg_data_room(set, labels->mapped, (uint64_t)set->count * vg_storage_size(labels->storage), &classes,
                         error)) {
        return false;
    }
    for (uint32_t k = 0; k < set->count; k++) {
        if (!load_file(a, a->files.items[k].path, (uint8_t *)pixels + k * bytes, error)) {
            return false;
        }
        if (labels->storage == VG_STORE_U8) {
            ((uint8_t *)classes)[k] = (uint8_t)a->files.items[k].class;
        } else {
            ((int32_t *)classes)[k] = (int32_t)a->files.items[k].class;
        }
    }
    images->data = pixels;
    labels->data = classes;
    return true;
}
