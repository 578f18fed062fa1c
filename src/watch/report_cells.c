/* A histogram's fine buckets in a bounded number of cells (report.h): fine where a linear axis shows them, near the
 * largest magnitudes, and wide enough apart for a logarithmic one below. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "watch/report.h"

enum { SMALL_SHARE = 512, FULL = 63 };

/* The cell of a magnitude `octaves` below the outermost octave, in that eighth of its own. */
static uint32_t cell_of(uint32_t octaves, uint32_t eighth) {
    if (octaves < VG_CELLS_QUARTERS / 4) {
        return 4 * octaves + 3 - eighth / 2;
    }
    octaves -= VG_CELLS_QUARTERS / 4;
    if (octaves < VG_CELLS_HALVES / 2) {
        return VG_CELLS_QUARTERS + 2 * octaves + 1 - eighth / 4;
    }
    octaves -= VG_CELLS_HALVES / 2;
    return octaves < VG_CELLS_OCTAVES ? VG_CELLS_QUARTERS + VG_CELLS_HALVES + octaves : VG_CELLS - 1;
}

/* A magnitude within a bucket; its inner edge may be 0, its outer one infinite. */
static double middle_of(const vg_bucket *bucket) {
    const double middle = fabs(bucket->low / 2 + bucket->high / 2);
    return isfinite(middle) ? middle : fmin(fabs(bucket->low), fabs(bucket->high));
}

/* o of a magnitude in [2^o, 2^(o+1)), and the eighth of the octave, read from its bits, as this is done for every
 * bucket that a run records. */
static int octave_of(double magnitude, uint32_t *eighth) {
    uint64_t bits;
    int exponent = 0;
    if (magnitude < DBL_MIN) {
        magnitude = frexp(magnitude, &exponent);
    }
    memcpy(&bits, &magnitude, sizeof bits);
    *eighth = bits >> 49 & 7;
    return (int)(bits >> 52) - 1023 + exponent;
}

/* Buckets rise: the largest magnitude is the first's or the last's. */
static int outermost_of(const vg_histogram *h) {
    uint32_t eighth;
    const int first = octave_of(middle_of(&h->buckets[0]), &eighth);
    const int last = octave_of(middle_of(&h->buckets[h->bucket_count - 1]), &eighth);
    return first > last ? first : last;
}

/* Neighbours mostly fall into one cell: each is written once. */
static void count_cells(const vg_histogram *h, int outermost, uint64_t counts[2 * VG_CELLS]) {
    uint32_t cell = 0, eighth;
    uint64_t sum = 0;
    for (size_t i = 0; i < h->bucket_count; i++) {
        const vg_bucket *bucket = &h->buckets[i];
        const int octave = octave_of(middle_of(bucket), &eighth);
        const uint32_t next = cell_of((uint32_t)(outermost - octave), eighth) + (bucket->low < 0 ? VG_CELLS : 0);
        if (next != cell) {
            counts[cell] += sum;
            sum = 0;
            cell = next;
        }
        sum += bucket->count;
    }
    counts[cell] += sum;
}

/* Returns how many cells of each sign are worth keeping. */
static uint32_t kept_of(const uint64_t counts[2 * VG_CELLS]) {
    uint64_t total = 0, inner = 0;
    for (uint32_t i = 0; i < 2 * VG_CELLS; i++) {
        total += counts[i];
    }
    uint32_t kept = VG_CELLS;
    while (kept > 0 && inner + counts[kept - 1] + counts[VG_CELLS + kept - 1] <= total / SMALL_SHARE) {
        kept--;
        inner += counts[kept] + counts[VG_CELLS + kept];
    }
    return kept;
}

static uint8_t byte_of(uint64_t count, uint64_t most) {
    const double height = FULL * sqrt((double)count / (double)most);
    const int whole = (int)height;
    return (uint8_t)(whole + (whole < height));
}

void vg_cells_of(const vg_histogram *h, vg_cells *out) {
    uint64_t counts[2 * VG_CELLS] = { 0 }, most = 0;
    out->octave = 0;
    out->kept = 0;
    if (h->bucket_count == 0) {
        return;
    }
    const int outermost = outermost_of(h);
    count_cells(h, outermost, counts);
    for (uint32_t i = 0; i < 2 * VG_CELLS; i++) {
        most = counts[i] > most ? counts[i] : most;
    }
    out->octave = (int16_t)outermost;
    out->kept = (uint8_t)kept_of(counts);
    for (uint32_t i = 0; i < out->kept; i++) {
        out->bytes[i] = byte_of(counts[i], most);
        out->bytes[out->kept + i] = byte_of(counts[VG_CELLS + i], most);
    }
}
