/* What names tell: "did you mean", for whoever reads words from people, and which way a value gets better. */
#include "diag/suggest.h"
#include "ir/direction.h"
#include "vgraph.h"

const char *vg_nearest(const char *word, const char *const *candidates, size_t count) {
    vg_suggest suggest;
    vg_suggest_start(&suggest, word);
    for (size_t i = 0; i < count; i++) {
        vg_suggest_offer(&suggest, candidates[i]);
    }
    return vg_suggest_best(&suggest);
}

int vg_direction(const char *tag) { return vg_tag_direction(tag); }
