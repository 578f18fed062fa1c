/* Gathering a batch out of a column: elements of any storage become floats, doubles or integers. */
#include <string.h>

#include "base/half.h"
#include "data/source.h"

uint32_t vg_storage_size(vg_storage storage) {
    switch (storage) {
    case VG_STORE_U8: case VG_STORE_I8:
        return 1;
    case VG_STORE_F16: case VG_STORE_BF16: case VG_STORE_I16: case VG_STORE_U16:
        return 2;
    case VG_STORE_F32: case VG_STORE_I32:
        return 4;
    case VG_STORE_F64: case VG_STORE_I64:
        return 8;
    }
    return 0;
}

size_t vg_column_elements(const vg_column *column) {
    size_t elements = 1;
    for (uint32_t k = 0; k < column->rank; k++) {
        elements *= column->shape[k];
    }
    return elements;
}

/* ---- elements, which may lie at any address */

typedef struct half { uint16_t bits; } half;          /* IEEE 754 binary16 */
typedef struct brain { uint16_t bits; } brain;        /* the upper half of a float */

#define CONVERT(name, from_type, to_type, expression) \
    static void name(const char *from, size_t count, to_type *to) { \
        for (size_t i = 0; i < count; i++) { \
            from_type x; \
            memcpy(&x, from + i * sizeof x, sizeof x); \
            to[i] = (to_type)(expression); \
        } \
    }
#define REAL(name, type, expression) CONVERT(name##_float, type, float, expression) \
                                     CONVERT(name##_double, type, double, expression)
REAL(u8, uint8_t, x)
REAL(f32, float, x)
REAL(i32, int32_t, x)
REAL(f64, double, x)
REAL(f16, half, vg_half_of_bits(x.bits))
REAL(bf16, brain, vg_bfloat_of_bits(x.bits))
REAL(i8, int8_t, x)
REAL(i16, int16_t, x)
REAL(u16, uint16_t, x)
REAL(i64, int64_t, x)
CONVERT(u8_whole, uint8_t, int32_t, x)
CONVERT(i32_whole, int32_t, int32_t, x)
CONVERT(i8_whole, int8_t, int32_t, x)
CONVERT(i16_whole, int16_t, int32_t, x)
CONVERT(u16_whole, uint16_t, int32_t, x)
CONVERT(i64_whole, int64_t, int32_t, x)
#undef REAL
#undef CONVERT

#define CASE(storage, name) \
    case storage: \
        wide ? name##_double(from, count, to) : name##_float(from, count, to); \
        return
void vg_elements_real(vg_storage storage, const void *from, size_t count, void *to, bool wide) {
    switch (storage) {
    CASE(VG_STORE_U8, u8);
    CASE(VG_STORE_F32, f32);
    CASE(VG_STORE_I32, i32);
    CASE(VG_STORE_F64, f64);
    CASE(VG_STORE_F16, f16);
    CASE(VG_STORE_BF16, bf16);
    CASE(VG_STORE_I8, i8);
    CASE(VG_STORE_I16, i16);
    CASE(VG_STORE_U16, u16);
    CASE(VG_STORE_I64, i64);
    }
}
#undef CASE

/* No integer column has floats: those of a storage of them would be cut. */
void vg_elements_whole(vg_storage storage, const void *from, size_t count, int32_t *to) {
    switch (storage) {
    case VG_STORE_U8:
        u8_whole(from, count, to);
        return;
    case VG_STORE_I32:
        i32_whole(from, count, to);
        return;
    case VG_STORE_I8:
        i8_whole(from, count, to);
        return;
    case VG_STORE_I16:
        i16_whole(from, count, to);
        return;
    case VG_STORE_U16:
        u16_whole(from, count, to);
        return;
    case VG_STORE_I64:
        i64_whole(from, count, to);
        return;
    case VG_STORE_F32: case VG_STORE_F64: case VG_STORE_F16: case VG_STORE_BF16:
        memset(to, 0, count * sizeof *to);
        return;
    }
}

/* Bytes as numbers: the product is rounded to float first, also where doubles are wanted, so that both precisions
 * see the same picture. */
static void scale_bytes(const uint8_t *from, size_t count, float scale, void *to, bool wide) {
    if (wide) {
        double *out = to;
        for (size_t i = 0; i < count; i++) {
            out[i] = (float)from[i] * scale;
        }
    } else {
        float *out = to;
        for (size_t i = 0; i < count; i++) {
            out[i] = (float)from[i] * scale;
        }
    }
}

/* ---- rows */

/* Examples lie anywhere, and their order is known: the beginning of one that is due soon is asked for early, the rest
 * follows by itself. */
static void prefetch(const char *row, size_t bytes) {
    enum { LINE = 64, MOST = 32 * LINE };
    for (size_t at = 0; at < bytes && at < MOST; at += LINE) {
        __builtin_prefetch(row + at);
    }
}

/* Short rows as they are; of a length that is known here each is a move or two, not a call. */
static inline void copy_rows(const char *from, size_t stride, size_t row, const uint32_t *examples, uint32_t count,
                             char *to) {
    for (uint32_t i = 0; i < count; i++) {
        memcpy(to + i * row, from + examples[i] * stride, row);
    }
}

/* Labels: one byte for each example. */
static void copy_labels(const uint8_t *from, const uint32_t *examples, uint32_t count, int32_t *to) {
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[examples[i]];
    }
}

/* False for other rows than of one number, two or four that stay as they are, or of one label. */
static bool copy_short(const vg_column *column, size_t row, bool same, const uint32_t *examples, uint32_t count,
                       void *to) {
    const void *from = column->data;
    if (column->storage == VG_STORE_U8 && column->dtype == VG_I32 && row == 1 && !column->stride) {
        copy_labels(from, examples, count, to);
        return true;
    }
    switch (same ? row : 0) {
    case 4:
        copy_rows(from, column->stride ? column->stride : 4, 4, examples, count, to);
        return true;
    case 8:
        copy_rows(from, column->stride ? column->stride : 8, 8, examples, count, to);
        return true;
    case 16:
        copy_rows(from, column->stride ? column->stride : 16, 16, examples, count, to);
        return true;
    default:
        return false;
    }
}

/* One example. */
static void copy_long(const vg_column *column, const char *from, size_t elements, bool same, void *to, bool wide) {
    if (same) {
        memcpy(to, from, elements * vg_storage_size(column->storage));
    } else if (column->dtype == VG_I32) {
        vg_elements_whole(column->storage, from, elements, to);
    } else if (column->storage == VG_STORE_U8) {
        scale_bytes((const uint8_t *)from, elements, column->scale, to, wide);
    } else {
        vg_elements_real(column->storage, from, elements, to, wide);
    }
}

/* value * gain + shift, in the precision that is wanted: of all by the same, or of each by its own. */
#define RESCALE(name, real) \
    static void name(const vg_column *column, size_t elements, size_t count, real *restrict to) { \
        const float *restrict gain = column->gain, *restrict shift = column->shift; \
        if (column->scalings == 1) { \
            for (size_t i = 0; i < count * elements; i++) { \
                to[i] = to[i] * gain[0] + shift[0]; \
            } \
            return; \
        } \
        for (size_t i = 0; i < count; i++, to += elements) { \
            for (size_t k = 0; k < elements; k++) { \
                to[k] = to[k] * gain[k] + shift[k]; \
            } \
        } \
    }
RESCALE(rescale_floats, float)
RESCALE(rescale_doubles, double)
#undef RESCALE

void vg_dataset_gather(const vg_dataset *set, uint32_t column, const uint32_t *examples, uint32_t count, void *out,
                       bool wide) {
    enum { SOON = 4 };
    const vg_column *from = &set->columns[column];
    size_t elements = vg_column_elements(from);
    size_t size = from->dtype == VG_I32 ? sizeof(int32_t) : wide ? sizeof(double) : sizeof(float);
    size_t row = elements * vg_storage_size(from->storage), stride = from->stride ? from->stride : row;
    char *to = out;
    bool same = from->dtype == VG_I32 ? from->storage == VG_STORE_I32
              : from->storage == (wide ? VG_STORE_F64 : VG_STORE_F32);
    if (!copy_short(from, row, same, examples, count, out)) {
        for (uint32_t i = 0; i < count; i++, to += elements * size) {
            if (i + SOON < count) {
                prefetch((const char *)from->data + examples[i + SOON] * stride, row);
            }
            copy_long(from, (const char *)from->data + examples[i] * stride, elements, same, to, wide);
        }
    }
    if (from->scalings && wide) {
        rescale_doubles(from, elements, count, out);
    } else if (from->scalings) {
        rescale_floats(from, elements, count, out);
    }
}
