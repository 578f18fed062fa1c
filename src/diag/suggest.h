/* "did you mean": the nearest of some names by Damerau-Levenshtein distance (optimal string alignment), not
 * further than a third of the word's length (at least 1). */
#ifndef VG_DIAG_SUGGEST_H
#define VG_DIAG_SUGGEST_H

#include <stddef.h>

typedef struct vg_suggest { const char *wanted; const char *best; size_t distance; } vg_suggest;

void vg_suggest_start(vg_suggest *suggest, const char *wanted);
void vg_suggest_offer(vg_suggest *suggest, const char *candidate);   /* keeps the pointer when it is the best */
/* The best candidate, or NULL when none is near. */
const char *vg_suggest_best(const vg_suggest *suggest);

#endif
