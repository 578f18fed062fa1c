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
    bool      flattened;     /* sigmoids or tanhs that began well were saturated by the first steps */
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

/* The edit that makes steps as short as is usual, by how far the first one went; none where they are short. (findings.c) */
vg_edit vg_finder_slower(const vg_finder *f, uint32_t block);
/* Many layers without a shortcut; and words for them, where the initial weights are right. (findings_layers.c) */
bool vg_finder_is_deep(const vg_finder *f);
extern const char vg_advice_depth[];

/* ---- initial values (findings_initial.c) */

/* What a proposed initializer has to do with the present deviation. */
typedef enum vg_wish { VG_WISH_smaller, VG_WISH_larger, VG_WISH_random } vg_wish;
/* An edit that gives weight `k` an initializer with which every weight that it serves has the right scale; none when there
 * is none that also changes something. */
vg_edit vg_propose_initial(const vg_finder *f, uint32_t k, vg_wish wish);
/* For the first weight for which there is one, of those that the activation follows; VG_OP_none: of all with another layer
 * behind them. */
vg_edit vg_propose_initial_for(const vg_finder *f, uint8_t act, vg_wish wish);
void vg_find_symmetry(vg_finder *f);
void vg_find_input_scale(vg_finder *f);
void vg_find_initial_scale(vg_finder *f);
void vg_find_initial_loss(vg_finder *f);

/* ---- rules of layers (findings_layers.c) */
void vg_find_saturation(vg_finder *f);
void vg_find_dead(vg_finder *f);
void vg_find_still(vg_finder *f);
void vg_find_scale_along(vg_finder *f);
void vg_find_flow_along(vg_finder *f);

#endif
