/* A histogram's fine buckets made few enough for TensorBoard.
 *
 * Its time series are drawn on a linear axis, its percentiles are read by interpolating within a bin, and our own
 * report looks at them on a logarithmic axis. So neighbours merge until a bin ends either because the linear axis
 * reaches its next cell or because the next equal share of the elements does: the first keeps the tails, the second
 * the fine structure near zero, where most elements of a gradient lie. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "watch/tensorboard.h"

/* Each axis ends at most CELLS - 1 bins, the bin of zeros two more. */
enum { CELLS = 46 };
_Static_assert(2 * (CELLS - 1) + 2 + 1 <= VG_BIN_LIMIT, "the bins must fit");

/* The zeros' bin reaches half way to its neighbours at most, and is thin beside the whole axis. */
static double zero_width(const vg_histogram *h) {
    double width = fmax(fabs(h->min), fabs(h->max)) * 0x1p-20;
    size_t positive = 0;
    while (positive < h->bucket_count && h->buckets[positive].low < 0) {
        positive++;
    }
    if (positive < h->bucket_count) {
        width = fmin(width, h->buckets[positive].low / 2);
    }
    if (positive > 0) {
        width = fmin(width, -h->buckets[positive - 1].high / 2);
    }
    return fmax(width, DBL_TRUE_MIN);   /* the lowest subnormal bucket begins at 0 itself */
}

/* Puts the zeros between the negative and the positive buckets. Returns the number of rows. */
static size_t list_rows(const vg_histogram *h, vg_bin *rows, size_t *zero_row) {
    size_t count = 0;
    *zero_row = SIZE_MAX;
    const double width = zero_width(h);
    for (size_t i = 0; i <= h->bucket_count; i++) {
        const bool end = i == h->bucket_count;
        if (h->zeros && *zero_row == SIZE_MAX && (end || h->buckets[i].low >= 0)) {
            *zero_row = count;
            rows[count++] = (vg_bin){ h->min < 0 ? -width : 0, h->max > 0 ? width : 0, (double)h->zeros };
        }
        if (!end) {
            const vg_bucket *b = &h->buckets[i];
            rows[count++] = (vg_bin){ b->low, b->high, (double)b->count };
        }
    }
    return count;
}

/* Which cell of `CELLS` a position between 0 and 1 lies in. */
static int cell_of(double position) {
    const double cell = position * CELLS;
    return !(cell > 0) ? 0 : cell < CELLS - 1 ? (int)cell : CELLS - 1;
}

static size_t merge_rows(const vg_histogram *h, const vg_bin *rows, size_t count, size_t zero_row, vg_bin *bins) {
    double total = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        total += i == zero_row ? 0 : rows[i].count;
    }
    size_t used = 0;
    int linear = -1, share = -1;
    for (size_t i = 0; i < count; i++) {
        const double middle = rows[i].left / 2 + rows[i].right / 2;
        const int linear_now = cell_of((middle / 2 - h->min / 2) / (h->max / 2 - h->min / 2));
        const int share_now = i == zero_row ? share : cell_of(before / total);
        const bool apart = i == zero_row || (i > 0 && i - 1 == zero_row);
        if (used == 0 || apart || linear_now != linear || share_now != share) {
            bins[used++] = rows[i];
        } else {
            bins[used - 1].right = rows[i].right;
            bins[used - 1].count += rows[i].count;
        }
        linear = linear_now;
        share = share_now;
        before += i == zero_row ? 0 : rows[i].count;
    }
    return used;
}

/* A bucket may begin with the largest value (or end with the smallest), and nothing else in it: with that value as
 * its outer edge it has no width. It takes a little of the gap to its neighbour, or joins it: false. */
static bool widen_end(vg_bin *end, vg_bin *neighbour, bool upper) {
    const double edge = upper ? end->right : end->left, next = upper ? neighbour->right : neighbour->left;
    const double inner = edge + (next - edge) * 0x1p-10;
    if (end->left < end->right) {
        return true;
    }
    if (inner != edge) {
        *(upper ? &end->left : &end->right) = inner;
        return true;
    }
    neighbour->count += end->count;
    *(upper ? &neighbour->right : &neighbour->left) = edge;
    return false;
}

size_t vg_bins_of(const vg_histogram *h, vg_arena *arena, vg_bin bins[VG_BIN_LIMIT]) {
    const uint64_t finite = h->count - h->nans - h->infs;
    if (finite == 0) {
        return 0;
    }
    if (h->min == h->max) {
        bins[0] = (vg_bin){ h->min, h->max, (double)finite };
        return 1;
    }
    vg_bin *rows = VG_ARRAY(arena, vg_bin, h->bucket_count + 1);
    size_t zero_row;
    const size_t count = list_rows(h, rows, &zero_row);
    size_t used = merge_rows(h, rows, count, zero_row, bins);
    bins[0].left = h->min;
    bins[used - 1].right = h->max;
    for (size_t i = 1; i < used; i++) {   /* only where a subnormal bucket touches the zeros' */
        bins[i].left = fmax(bins[i].left, bins[i - 1].right);
    }
    if (used > 1 && !widen_end(&bins[used - 1], &bins[used - 2], true)) {
        used--;
    }
    if (used > 1 && !widen_end(&bins[0], &bins[1], false)) {
        memmove(bins, bins + 1, --used * sizeof *bins);
    }
    return used;
}
