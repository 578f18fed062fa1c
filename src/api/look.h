/* What the files that look at a model share (look.c: its graph; describe.c: what it is made of). */
#ifndef VG_API_LOOK_H
#define VG_API_LOOK_H

#include "api/model.h"

typedef struct vg_looking {
    vg_model *model;
    vg_stage stage;
    vg_graph_format format;
    vg_write write;
    void *user;
} vg_looking;

/* Writes the text and frees it. */
vg_status vg_look_send(const vg_looking *l, vg_text *text);

/* The plan of one train block's turn, from 1, for its batch size; a model that trains nothing has one, too. */
typedef struct vg_planned { vg_schedule schedule; vg_plan plan; int64_t *symbols; uint64_t batch; } vg_planned;

uint32_t vg_look_turns(const vg_model *model);
bool     vg_look_plan(vg_model *model, uint32_t turn, vg_planned *planned);      /* false after reporting */
void     vg_look_plan_release(vg_model *model, vg_planned *planned);

/* look_json.c: a JSON object a line for each node; of a plan those that are computed, in their order. */
void vg_look_json(vg_model *model, const vg_graph *graph, vg_text *out);
void vg_look_json_plan(vg_model *model, const vg_planned *planned, uint32_t turn, vg_text *out);

/* The comment lines directly above a definition's line in a file's text; the line itself where there are none. */
const char *vg_definition_comment(const char *text, const char *line);

#endif
