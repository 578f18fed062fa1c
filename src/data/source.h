/* What the sources share: their rows' functions, and how they read arguments and say what is wrong. */
#ifndef VG_DATA_SOURCE_H
#define VG_DATA_SOURCE_H

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

/* Both return false, for `return vg_data_fail(...)`: the data are wrong; an argument is. */
bool vg_data_fail(vg_data_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool vg_data_refuse(vg_data_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Argument k, or its default. */
double      vg_argument_number(const vg_dataset *set, uint32_t k);
const char *vg_argument_text(const vg_dataset *set, uint32_t k);   /* "" when not given */
/* False, with the error said, unless it is a whole number within the bounds. */
bool vg_argument_whole(const vg_dataset *set, uint32_t k, double low, double high, vg_data_error *error);

/* The largest `count` of a source that draws its examples. */
#define VG_COUNT_LIMIT 10e6
/* The largest seed: up to here a double holds every whole number. */
#define VG_SEED_LIMIT 0x1p53

#endif
