/* Findings as JSON, for more than one sink. */
#ifndef VG_WATCH_OBJECT_H
#define VG_WATCH_OBJECT_H

#include <jansson.h>

#include "base/arena.h"
#include "vgraph.h"

/* A copy whose texts are UTF-8, in the arena. */
vg_finding vg_finding_copy(vg_arena *arena, const vg_finding *finding);
/* As COMMANDS.md gives it; a new reference, NULL without memory. The texts are UTF-8. */
json_t *vg_finding_object(const vg_finding *finding);

#endif
