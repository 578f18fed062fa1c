/* Made-up records for the tests of sinks. */
#ifndef VG_TESTS_RECORD_FIXTURE_H
#define VG_TESTS_RECORD_FIXTURE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vgraph.h"

enum { MADE_BUCKETS = 8192 };
typedef struct made_histogram { vg_histogram histogram; vg_bucket buckets[MADE_BUCKETS]; } made_histogram;

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The histogram of `values` as the language defines it: each power of two in eight equal parts, signs apart. Sorts
 * the values; non-finite ones must not be among them. */
static void make_histogram(made_histogram *made, double *values, size_t count) {
    vg_histogram *h = &made->histogram;
    *h = (vg_histogram){ .count = count, .buckets = made->buckets };
    qsort(values, count, sizeof *values, by_value);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        squares += values[i] * values[i];
        if (values[i] == 0) {
            h->zeros++;
            continue;
        }
        int exponent;
        frexp(fabs(values[i]), &exponent);
        const double width = fmax(ldexp(1, exponent - 4), 0x1p-1025), low = floor(fabs(values[i]) / width) * width;
        const double from = values[i] < 0 ? -low - width : low;
        if (h->bucket_count == 0 || made->buckets[h->bucket_count - 1].low != from) {
            made->buckets[h->bucket_count++] = (vg_bucket){ from, from + width, 0 };
        }
        made->buckets[h->bucket_count - 1].count++;
    }
    if (count) {
        h->min = values[0];
        h->max = values[count - 1];
        h->mean = sum / (double)count;
        h->rms = sqrt(squares / (double)count);
        h->std = sqrt(fmax(squares / (double)count - h->mean * h->mean, 0));
    }
}

/* `count` quantiles of the logistic distribution, whose standard deviation is 1.81 times `scale`. */
static inline void make_bell(made_histogram *made, size_t count, double scale, double share_of_zeros) {
    double *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        const double p = ((double)i + 0.5) / (double)count;
        values[i] = (double)(i * 7 % 100) < share_of_zeros * 100 ? 0 : scale * log(p / (1 - p));
    }
    make_histogram(made, values, count);
    free(values);
}

static vg_record scalar_record(uint64_t step, const char *tag, double value) {
    return (vg_record){ .kind = VG_RECORD_SCALAR, .step = step, .tag = tag, .value = value };
}
static inline vg_record test_record(uint64_t step, const char *tag, double value) {
    return (vg_record){ .kind = VG_RECORD_SCALAR, .step = step, .tag = tag, .value = value, .test = true };
}
static vg_record histogram_record(uint64_t step, const char *tag, const made_histogram *made) {
    return (vg_record){ .kind = VG_RECORD_HISTOGRAM, .step = step, .tag = tag, .histogram = &made->histogram };
}
static inline vg_record image_record(uint64_t step, const char *tag, const vg_image *image) {
    return (vg_record){ .kind = VG_RECORD_IMAGE, .step = step, .tag = tag, .image = image };
}

#endif
