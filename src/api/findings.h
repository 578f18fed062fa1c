/* What the rules of findings share: reading what a run has kept, and making a finding of it. */
#ifndef VG_API_FINDINGS_H
#define VG_API_FINDINGS_H

#include "api/judge.h"

typedef enum vg_rule {
#define VG_FINDING(rule, severity, limit, doc) VG_RULE_##rule,
#include "api/finding.def"
#undef VG_FINDING
    VG_RULE_COUNT
} vg_rule;

typedef struct vg_rule_row { const char *name; vg_severity severity; double limit; const char *doc; } vg_rule_row;
extern const vg_rule_row vg_rules[VG_RULE_COUNT];

typedef struct vg_finder {
    vg_run   *run;
    vg_judge *judge;
    const vg_unit *unit;
    uint64_t  steps;         /* that were taken */
    VG_VEC(vg_finding) list;
    VG_VEC(vg_rule)    rules;         /* of `list` */
} vg_finder;

/* Texts live with the model. */
#define VG_FINDER_FORMAT(f, ...) vg_arena_format(&(f)->run->model->ir.arena, __VA_ARGS__)

static inline double vg_percent(double share) { return 100 * share; }

/* ---- reading (finding.c) */

double vg_finder_median(const vg_finder *f, const vg_track *track, vg_measure measure, bool last);
/* In both windows: the lesser of the two. */
double vg_finder_persists(const vg_finder *f, const vg_track *track, vg_measure measure);
static inline const vg_track *vg_finder_track(const vg_finder *f, uint32_t k) { return &f->judge->tracks[k]; }
static inline const vg_evidence *vg_finder_evidence(const vg_finder *f, uint32_t k) { return &f->unit->evidence.items[k]; }
/* Whether the rule has spoken. */
bool vg_finder_has(const vg_finder *f, vg_rule rule);
/* What suits a weight that this activation (0: none) follows. */
const char *vg_initializer_for(uint8_t act);

/* ---- places that a rule speaks of, the named ones first; the finding is shown at the one added first */

typedef struct vg_places { const char **names; size_t count, named; vg_span span; vg_call call; } vg_places;
vg_places vg_places_new(const vg_finder *f, size_t most);
void      vg_places_add(const vg_finder *f, vg_places *p, vg_str path, vg_span span, vg_call call);
/* "h[1]", "h[1] and h[2]", "h[1] to h[4]"; those without a name are only mentioned. */
const char *vg_places_text(const vg_finder *f, const vg_places *p);

/* ---- findings */

/* In f->list, until the next one is added. */
vg_finding *vg_finding_add(vg_finder *f, vg_rule rule, const vg_places *p, double value, const char *say, const char *why);
/* An edit of the model's text, or where there is none, words. */
void vg_finding_advise(vg_finding *finding, vg_edit edit, const char *otherwise);

/* ---- rules of layers (findings_layers.c) */
void vg_find_saturation(vg_finder *f);
void vg_find_dead(vg_finder *f);
void vg_find_still(vg_finder *f);
void vg_find_scale_along(vg_finder *f);
void vg_find_flow_along(vg_finder *f);

#endif
