/* Rules about layers: what they put out, and what comes back to them (findings.h). */
#include <math.h>

#include "api/findings.h"

static const char *op_of(uint8_t op) { return vg_op_rows[op].name; }

/* ---- activations */

void vg_find_saturation(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->evidence.count);
    double worst = 0;
    const vg_evidence *first = NULL;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        const bool bounded = row->op == VG_OP_sigmoid || row->op == VG_OP_tanh;
        if (!vg_evidence_is_value(row) || !bounded || row->last) continue;
        const double share = vg_finder_median(f, vg_finder_track(f, k), VG_MEASURE_edge, false);
        if (!(share > vg_rules[VG_RULE_SATURATED].limit)) continue;
        vg_places_add(f, &p, row->path, row->span, row->call);
        worst = fmax(worst, share);
        if (first == NULL) first = row;
    }
    if (first == NULL) return;
    vg_finding *finding = vg_finding_add(
        f, VG_RULE_SATURATED, &p, worst,
        VG_FINDER_FORMAT(f, "%.0f %% of what %s put%s out %s", vg_percent(worst), vg_places_text(f, &p),
                         p.count == 1 ? "s" : "",
                         first->op == VG_OP_sigmoid ? "is below 0.05 or above 0.95" : "is below -0.95 or above 0.95"),
        VG_FINDER_FORMAT(
            f, "there a %s is flat, and its slope, by which every gradient on the way back is multiplied, is nearly 0",
            op_of(first->op)));
    const vg_weight *weight = NULL;
    for (uint32_t k = 0; k < f->unit->weights.count && weight == NULL; k++)
        if (f->unit->weights.items[k].act == first->op) weight = &f->unit->weights.items[k];
    if (weight)
        vg_finding_advise(finding, vg_advise_initial(f->run, weight->variable, vg_initializer_for(first->op)),
                          "smaller initial weights, as glorot_uniform()");
}

void vg_find_dead(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->evidence.count);
    double worst = 0;
    const vg_evidence *first = NULL;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        if (!vg_evidence_is_value(row) || row->op != VG_OP_relu || row->last) continue;
        const double share = vg_track_dead(vg_finder_track(f, k));
        if (!(share > vg_rules[VG_RULE_DEAD].limit)) continue;
        vg_places_add(f, &p, row->path, row->span, row->call);
        worst = fmax(worst, share);
        if (first == NULL) first = row;
    }
    if (first == NULL) return;
    vg_finding *finding = vg_finding_add(
        f, VG_RULE_DEAD, &p, worst,
        VG_FINDER_FORMAT(f, "up to %.0f %% of the units of %s are 0 for every example of the last 20 batches",
                         vg_percent(worst), vg_places_text(f, &p)),
        "a relu that is never above 0 has gradient 0 and does not come back: steps were too long, or its bias or inputs too low");
    vg_finding_advise(finding, vg_advise_rate(f->run, first->block, 0.1), "a smaller rate, or leaky_relu");
}

void vg_find_still(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->evidence.count);
    double worst = 0;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        if (row->role != VG_ROLE_output) continue;
        const double share = vg_finder_persists(f, vg_finder_track(f, k), VG_MEASURE_still);
        if (!(share > vg_rules[VG_RULE_CONSTUNITS].limit)) continue;
        vg_places_add(f, &p, row->path, row->span, row->call);
        worst = fmax(worst, share);
    }
    if (p.count == 0) return;
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_CONSTUNITS, &p, worst,
            VG_FINDER_FORMAT(f, "%.0f %% of the units of %s put out nearly the same for every example", vg_percent(worst),
                             vg_places_text(f, &p)),
            "what is the same for all examples tells nothing of them: the layers behind cannot tell them apart"),
        (vg_edit){ NULL, NULL },
        "initial weights of the right scale, inputs of mean 0 and deviation 1 (scale = \"standard\"), or a normalisation between the layers");
}

/* ---- along the layers */

/* The outputs of the first block, or the flows at them; the last of all is what the loss reads and has a scale of its
 * own. Their places. */
static uint32_t chain_of(const vg_finder *f, vg_role role, uint32_t *chain) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        const vg_evidence *output =
            role == VG_ROLE_flow && row->role == role ? vg_finder_evidence(f, row->partner) : row;
        if (row->role == role && row->block == 0 && !output->last) chain[count++] = k;
    }
    return count;
}

static vg_places ends_of(const vg_finder *f, const uint32_t *chain, uint32_t count) {
    vg_places p = vg_places_new(f, 2);
    const vg_evidence *first = vg_finder_evidence(f, chain[0]), *last = vg_finder_evidence(f, chain[count - 1]);
    vg_places_add(f, &p, first->path, first->span, first->call);
    vg_places_add(f, &p, last->path, last->span, last->call);
    return p;
}

static vg_edit advise_scale(const vg_finder *f, const char **otherwise) {
    const vg_weight *weight = f->unit->weights.count ? &f->unit->weights.items[0] : NULL;
    *otherwise =
        "initial weights that keep the scale (he_normal() for relu, glorot_uniform() for tanh), a normalisation, or residual connections";
    return weight ? vg_advise_initial(f->run, weight->variable, vg_initializer_for(weight->act))
                  : (vg_edit){ NULL, NULL };
}

void vg_find_scale_along(vg_finder *f) {
    uint32_t *chain = VG_ARRAY(&f->run->model->ir.arena, uint32_t, f->unit->evidence.count);
    const uint32_t count = chain_of(f, VG_ROLE_output, chain);
    const char *otherwise;
    if (count < 3) return;
    const double first = vg_finder_median(f, vg_finder_track(f, chain[0]), VG_MEASURE_rms, false);
    const double last = vg_finder_median(f, vg_finder_track(f, chain[count - 1]), VG_MEASURE_rms, false);
    const double ratio = last / first;
    const vg_rule rule = ratio < 1 ? VG_RULE_ACTSHRINK : VG_RULE_ACTGROW;
    if (!(first > 0) || isnan(ratio) || !(fmax(ratio, 1 / ratio) > vg_rules[rule].limit)) return;
    const vg_places p = ends_of(f, chain, count);
    const double each = pow(ratio, 1.0 / (count - 1));
    vg_finding *finding =
        vg_finding_add(f, rule, &p, fmax(ratio, 1 / ratio),
                       VG_FINDER_FORMAT(f, "the outputs' rms goes from %.2g at %s to %.2g at %s: times %.2g a layer",
                                        first, p.names[0], last, p.names[1], each),
                       ratio < 1
                           ? "each layer passes on less than it gets, and the gradients on the way back shrink with it"
                           : "each layer passes on more than it gets, until the last saturate or overflow");
    const vg_edit edit = advise_scale(f, &otherwise);
    vg_finding_advise(finding, edit, otherwise);
}

void vg_find_flow_along(vg_finder *f) {
    uint32_t *chain = VG_ARRAY(&f->run->model->ir.arena, uint32_t, f->unit->evidence.count);
    const uint32_t count = chain_of(f, VG_ROLE_flow, chain);
    const char *otherwise;
    if (count < 3) return;
    double ratio[2];
    for (int last = 0; last < 2; last++)
        ratio[last] = vg_finder_median(f, vg_finder_track(f, chain[0]), VG_MEASURE_rms, last != 0) /
                      vg_finder_median(f, vg_finder_track(f, chain[count - 1]), VG_MEASURE_rms, last != 0);
    const bool vanishes = ratio[0] < 1;
    const double least = vanishes ? fmin(1 / ratio[0], 1 / ratio[1]) : fmin(ratio[0], ratio[1]);
    if (!(least > vg_rules[VG_RULE_VANISH].limit)) return;
    const vg_places p = ends_of(f, chain, count);
    vg_finding *finding = vg_finding_add(
        f, vanishes ? VG_RULE_VANISH : VG_RULE_EXPLODE, &p, least,
        VG_FINDER_FORMAT(
            f,
            "the gradient at %s is %.2g times %s than at %s, at the beginning and at the end: times %.2g a layer on the way back",
            p.names[0], least, vanishes ? "smaller" : "larger", p.names[1], pow(ratio[0], 1.0 / (count - 1))),
        vanishes
            ? "each layer multiplies what comes back by its slope and its weights, and their product is too small: the first layers hardly learn"
            : "each layer multiplies what comes back by its slope and its weights, and their product is too large: the first layers are thrown about");
    const uint8_t op = vg_finder_evidence(f, vg_finder_evidence(f, chain[0])->partner)->op;
    vg_edit edit = { NULL, NULL };
    if (vanishes && op == VG_OP_sigmoid && !vg_finder_has(f, VG_RULE_INITSCALE))
        edit = vg_advise_activation(f->run, p.span, p.call, "sigmoid", "relu");
    if (edit.text == NULL) edit = advise_scale(f, &otherwise);
    else otherwise = "";
    vg_finding_advise(finding, edit, otherwise);
}
