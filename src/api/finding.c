/* Making a finding: where, how much, why, and what to try (findings.h). */
#include <math.h>
#include <string.h>

#include "api/findings.h"

const vg_rule_row vg_rules[VG_RULE_COUNT] = {
#define VG_FINDING(rule, severity, limit, doc) [VG_RULE_##rule] = { #rule, VG_SEVERITY_##severity, limit, doc },
#include "api/finding.def"
#undef VG_FINDING
};

/* ---- finding's parts */

static const char *line_of(const vg_finder *f, vg_span span, vg_call call, uint32_t *line) {
    const vg_diags *diags = &f->run->model->ir.diags;
    const vg_span place = vg_diags_place(diags, span, call);
    *line = 0;
    if (!place.end) return "";
    const vg_position position = vg_sources_position(&diags->sources, place.begin);
    *line = position.line;
    return position.source ? position.source->name : "";
}

vg_places vg_places_new(const vg_finder *f, size_t most) {
    return (vg_places){ .names = VG_ARRAY(&f->run->model->ir.arena, const char *, most + 1) };
}

void vg_places_add(const vg_finder *f, vg_places *p, vg_str path, vg_span span, vg_call call) {
    uint32_t line;
    if (p->count == 0) {
        p->span = span;
        p->call = call;
    }
    const char *file = path ? vg_run_text(f->run, path) : line_of(f, span, call, &line);
    p->names[p->count++] = path ? file : VG_FINDER_FORMAT(f, "line %u", line);
    if (!path) return;
    const char *kept = p->names[p->count - 1];      /* in front of those without a name */
    for (size_t k = p->count - 1; k > p->named; k--) p->names[k] = p->names[k - 1];
    p->names[p->named++] = kept;
}

vg_finding *vg_finding_add(vg_finder *f, vg_rule rule, const vg_places *p, double value, const char *say,
                           const char *why) {
    vg_finding finding = { .rule = vg_rules[rule].name,
                           .severity = vg_rules[rule].severity,
                           .where = p->names,
                           .where_count = p->count,
                           .value = value,
                           .limit = vg_rules[rule].limit,
                           .say = say,
                           .why = why,
                           .file = "",
                           .try_this = "" };
    if (p->span.end) finding.file = line_of(f, p->span, p->call, &finding.line);
    vg_vec_push(&f->run->mem, &f->list, finding);
    vg_vec_push(&f->run->mem, &f->rules, rule);
    return &f->list.items[f->list.count - 1];
}

void vg_finding_advise(vg_finding *finding, vg_edit edit, const char *otherwise) {
    finding->try_this = edit.text ? edit.text : otherwise;
    finding->option = edit.option;
}

/* "h[1]", "h[1] and h[2]", "h[1] to h[4]"; places without a name are only mentioned. */
const char *vg_places_text(const vg_finder *f, const vg_places *p) {
    const size_t named = p->named ? p->named : p->count;
    const char *more = named < p->count ? " and within layers" : "";
    if (p->count == 0) return "";
    if (named == 1) return VG_FINDER_FORMAT(f, "%s%s", p->names[0], more);
    return VG_FINDER_FORMAT(f, "%s %s %s%s", p->names[0], named == 2 ? "and" : "to", p->names[named - 1], more);
}

/* ---- reading what was kept */

double vg_finder_median(const vg_finder *f, const vg_track *track, vg_measure measure, bool last) {
    return vg_track_median(track, measure, last, f->steps);
}

/* In both windows: the lesser of the two. */
double vg_finder_persists(const vg_finder *f, const vg_track *track, vg_measure measure) {
    return fmin(vg_finder_median(f, track, measure, false), vg_finder_median(f, track, measure, true));
}

bool vg_finder_has(const vg_finder *f, vg_rule rule) {
    for (uint32_t k = 0; k < f->rules.count; k++)
        if (f->rules.items[k] == rule) return true;
    return false;
}
