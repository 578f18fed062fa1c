/* A histogram's fine buckets in a bounded number of cells (report.h): fine where a linear axis shows them, near the
 * largest magnitudes, and wide enough apart for a logarithmic one below. */
#include <math.h>
#include <string.h>

#include "watch/report.h"

enum { SMALL_SHARE = 512, FULL = 63 };

/* The cell of a magnitude `octaves` below the outermost octave, `mantissa` in [1, 2). */
static uint32_t cell_of(int octaves, double mantissa) {
    if (octaves < VG_CELLS_QUARTERS / 4) {
        return (uint32_t)(4 * octaves + 3 - (int)((mantissa - 1) * 4));
    }
    octaves -= VG_CELLS_QUARTERS / 4;
    if (octaves < VG_CELLS_HALVES / 2) {
        return (uint32_t)(VG_CELLS_QUARTERS + 2 * octaves + 1 - (int)((mantissa - 1) * 2));
    }
    octaves -= VG_CELLS_HALVES / 2;
    const int outer = VG_CELLS_QUARTERS + VG_CELLS_HALVES;
    return (uint32_t)(octaves < VG_CELLS_OCTAVES ? outer + octaves : VG_CELLS - 1);
}

/* A magnitude within a bucket; its inner edge may be 0, its outer one infinite. */
static double middle_of(const vg_bucket *bucket) {
    const double middle = fabs(bucket->low / 2 + bucket->high / 2);
    return isfinite(middle) ? middle : fmin(fabs(bucket->low), fabs(bucket->high));
}

/* o of a magnitude in [2^o, 2^(o+1)), read from its bits, as this is done for every bucket that a run records. */
static int octave_of(double magnitude, double *mantissa) {
    uint64_t bits;
    int octave;
    memcpy(&bits, &magnitude, sizeof bits);
    octave = (int)(bits >> 52) - 1023;
    if (octave == -1023) {   /* subnormal */
        *mantissa = 2 * frexp(magnitude, &octave);
        return octave - 1;
    }
    bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
    memcpy(mantissa, &bits, sizeof bits);
    return octave;
}

/* Buckets rise: the largest magnitude is the first's or the last's. */
static int outermost_of(const vg_histogram *h) {
    double mantissa;
    const int first = octave_of(middle_of(&h->buckets[0]), &mantissa);
    const int last = octave_of(middle_of(&h->buckets[h->bucket_count - 1]), &mantissa);
    return first > last ? first : last;
}

/* Returns how many cells of each sign are worth keeping. */
static uint32_t kept_of(const double counts[2][VG_CELLS]) {
    double total = 0, inner = 0;
    for (uint32_t i = 0; i < VG_CELLS; i++) {
        total += counts[0][i] + counts[1][i];
    }
    uint32_t kept = VG_CELLS;
    while (kept > 0 && inner + counts[0][kept - 1] + counts[1][kept - 1] <= total / SMALL_SHARE) {
        kept--;
        inner += counts[0][kept] + counts[1][kept];
    }
    return kept;
}

void vg_cells_of(const vg_histogram *h, vg_cells *out) {
    double counts[2][VG_CELLS] = { { 0 } }, mantissa, most = 0;
    *out = (vg_cells){ 0 };
    if (h->bucket_count == 0) {
        return;
    }
    const int outermost = outermost_of(h);
    for (size_t i = 0; i < h->bucket_count; i++) {
        const vg_bucket *bucket = &h->buckets[i];
        const int octave = octave_of(middle_of(bucket), &mantissa);
        double *cell = &counts[bucket->low < 0][cell_of(outermost - octave, mantissa)];
        *cell += (double)bucket->count;
        most = *cell > most ? *cell : most;
    }
    out->octave = (int16_t)outermost;
    out->kept = (uint8_t)kept_of(counts);
    for (uint32_t i = 0; i < out->kept; i++) {
        for (uint32_t sign = 0; sign < 2; sign++) {
            out->bytes[sign * out->kept + i] = (uint8_t)ceil(FULL * sqrt(counts[sign][i] / most));
        }
    }
}
