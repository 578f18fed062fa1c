/* What a model was built from of its data: names, types, shapes, classes, scales and counts, without an example. A
 * checkpoint holds them, so that its model can be built where the data are not. */
#ifndef VG_DATA_FACTS_H
#define VG_DATA_FACTS_H

#include <jansson.h>

#include "front/dataset.h"
#include "ir/unit.h"

/* The facts of a model's data sets as a list of objects, of those that are loaded with the scales of their columns. A new
 * reference, NULL without memory. Texts are UTF-8. */
json_t *vg_facts_list(const vg_unit *unit, const vg_strings *strings);
/* One of them, read again: in the arena. NULL when something is missing or out of its range. */
vg_facts *vg_facts_read(vg_arena *arena, const json_t *object);

#endif
