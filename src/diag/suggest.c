/* "did you mean" (suggest.h). */
#include "diag/suggest.h"

#include <string.h>

enum { LONGEST = 63 };   /* longer names are not guessed at */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }
static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment, capitals being equal to small letters: insertions, deletions, substitutions and
 * swapped neighbours. Rows i-2, i-1 and i of the table are kept. */
static size_t distance_of(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t differs = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + differs);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

void vg_suggest_start(vg_suggest *suggest, const char *wanted) {
    size_t length = strlen(wanted), limit = length / 3 ? length / 3 : 1;
    *suggest = (vg_suggest){ .wanted = wanted, .distance = limit + 1 };   /* to be beaten */
}

void vg_suggest_offer(vg_suggest *suggest, const char *candidate) {
    size_t wanted = strlen(suggest->wanted), length = strlen(candidate);
    if (wanted > LONGEST || length > LONGEST || strcmp(suggest->wanted, candidate) == 0) {
        return;
    }
    size_t distance = distance_of(suggest->wanted, wanted, candidate, length);
    /* Where as much is changed as there is, as from 'x' to 'y', nothing speaks for the candidate. */
    if (distance < suggest->distance && (distance < wanted || !distance)) {
        suggest->distance = distance;
        suggest->best = candidate;
    }
}

const char *vg_suggest_best(const vg_suggest *suggest) {
    return suggest->best;
}
