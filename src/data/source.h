/* What the sources share: their rows' functions, and how they read arguments and say what is wrong. */
#ifndef VG_DATA_SOURCE_H
#define VG_DATA_SOURCE_H

#include "base/file.h"
#include "front/dataset.h"

bool vg_digits_describe(vg_dataset *set, vg_data_error *error);
bool vg_digits_load(vg_dataset *set, vg_data_error *error);
bool vg_mnist_describe(vg_dataset *set, vg_data_error *error);
bool vg_mnist_load(vg_dataset *set, vg_data_error *error);
bool vg_idx_describe(vg_dataset *set, vg_data_error *error);
bool vg_idx_load(vg_dataset *set, vg_data_error *error);
bool vg_toy_describe(vg_dataset *set, vg_data_error *error);
bool vg_spirals_load(vg_dataset *set, vg_data_error *error);
bool vg_moons_load(vg_dataset *set, vg_data_error *error);
bool vg_circles_load(vg_dataset *set, vg_data_error *error);
bool vg_xor_load(vg_dataset *set, vg_data_error *error);
bool vg_table_describe(vg_dataset *set, vg_data_error *error);
bool vg_table_load(vg_dataset *set, vg_data_error *error);
bool vg_table_finish(vg_dataset *set, vg_data_error *error);
bool vg_npy_describe(vg_dataset *set, vg_data_error *error);
bool vg_npy_load(vg_dataset *set, vg_data_error *error);
bool vg_npz_describe(vg_dataset *set, vg_data_error *error);
bool vg_npz_load(vg_dataset *set, vg_data_error *error);
bool vg_safetensors_describe(vg_dataset *set, vg_data_error *error);
bool vg_safetensors_load(vg_dataset *set, vg_data_error *error);
bool vg_images_describe(vg_dataset *set, vg_data_error *error);
bool vg_images_load(vg_dataset *set, vg_data_error *error);
bool vg_text_describe(vg_dataset *set, vg_data_error *error);
bool vg_text_load(vg_dataset *set, vg_data_error *error);
bool vg_sentences_describe(vg_dataset *set, vg_data_error *error);
bool vg_sentences_load(vg_dataset *set, vg_data_error *error);

/* Both return false, for `return vg_data_fail(...)`: the data are wrong; an argument is. */
bool vg_data_fail(vg_data_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool vg_data_refuse(vg_data_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "'path' is not a file but a folder" and the like, of an errno; false, too. */
bool vg_data_unreadable(vg_data_error *error, const char *path, int failed);
/* vg_file_map, saying so where it fails. */
bool vg_data_map(vg_mem *mem, const char *path, vg_mapping **mapping, vg_data_error *error);

/* Elements of an example. */
size_t vg_column_elements(const vg_column *column);
/* Elements of a storage, `count` of them at any address, as float (or double when wide) or int32. */
void vg_elements_real(vg_storage storage, const void *from, size_t count, void *to, bool wide);
void vg_elements_whole(vg_storage storage, const void *from, size_t count, int32_t *to);

/* Whether so many bytes are too many for the memory. */
bool vg_data_is_large(const vg_dataset *set, uint64_t bytes);
/* When all columns are described: marks as mapped those whose data go to the disk. */
void vg_data_plan(vg_dataset *set);
/* Zeros for a column's data, in memory or on the disk; set->mem's. */
bool vg_data_room(vg_dataset *set, bool mapped, uint64_t bytes, void **room, vg_data_error *error);

/* `scale`: whether the set has what can be scaled; and then, when it is loaded, how. */
bool vg_scale_check(vg_dataset *set, vg_data_error *error);
void vg_scale_fit(vg_dataset *set);

/* Argument k, or its default. */
double      vg_argument_number(const vg_dataset *set, uint32_t k);
const char *vg_argument_text(const vg_dataset *set, uint32_t k);   /* "" when not given */
/* "folder/name.gz"; an absolute `name` stays. */
char       *vg_data_path(vg_mem *mem, const char *folder, const char *name, const char *ending);
/* The file that argument k names, seen from set->folder; set->mem's, as the one above is mem's. */
char       *vg_argument_path(const vg_dataset *set, uint32_t k);
/* False, with the error said, unless it is a whole number within the bounds. */
bool vg_argument_whole(const vg_dataset *set, uint32_t k, double low, double high, vg_data_error *error);

/* Of a text: the columns `now` and `next` of count examples, next being one character later, out of `codes`, the
 * alphabet in order; none (classes 0): it is not known. Both lie in one array of count * length + 1 ids, as bytes
 * where that is enough; its address is columns[VG_NOW].data, and `VG_NEXT`'s one id behind it. */
enum { VG_NOW, VG_NEXT };
void vg_characters_describe(vg_dataset *set, uint32_t count, uint32_t length, const uint32_t *codes, uint32_t classes);
/* Makes that array, of zeros, and hands it to the columns. */
void *vg_characters_alloc(vg_dataset *set);

/* The largest `count` of a source that draws its examples. */
#define VG_COUNT_LIMIT 10e6
/* The largest `length` of an example of a text. */
#define VG_LENGTH_LIMIT 1e6
/* The largest seed: up to here a double holds every whole number. */
#define VG_SEED_LIMIT 0x1p53

#endif
