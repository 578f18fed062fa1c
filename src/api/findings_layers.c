/* Rules about layers: what they put out, and what comes back to them (findings.h). */
#include <math.h>

#include "api/findings.h"

static const char *op_of(uint8_t op) { return vg_op_rows[op].name; }

/* ---- activations */

/* The initial bias that is farthest from 0, and of which evidence. */
static void note_bias(const vg_finder *f, uint32_t k, double *bias, uint32_t *at) {
    const double own = vg_finder_track(f, k)->bias;
    if (vg_finder_evidence(f, k)->bias == 0 || fabs(own) <= fabs(*bias)) return;
    *bias = own;
    *at = k;
}

/* A bias that an activation of mean 0 and deviation 1 would hardly overcome becomes 0. */
static vg_edit advise_bias(const vg_finder *f, double bias, uint32_t at) {
    static const double FAR = 0.5;
    if (fabs(bias) < FAR) return (vg_edit){ NULL, NULL };
    return vg_advise_value(f->run, vg_finder_evidence(f, at)->bias - 1, "0");
}

void vg_find_saturation(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->evidence.count);
    double worst = 0, born = 0, bias = 0;
    uint32_t at = 0;
    const vg_evidence *first = NULL;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        const bool bounded = row->op == VG_OP_sigmoid || row->op == VG_OP_tanh;
        if (!vg_evidence_is_value(row) || !bounded || row->last || row->gate) continue;
        const double share = vg_finder_median(f, vg_finder_track(f, k), VG_MEASURE_edge, false);
        if (!(share > vg_rules[VG_RULE_SATURATED].limit)) continue;
        vg_places_add(f, &p, row->path, row->span, row->call);
        worst = fmax(worst, share);
        born = fmax(born, (double)vg_finder_track(f, k)->first[0].of[VG_MEASURE_edge]);
        if (first == NULL) first = row;
        note_bias(f, k, &bias, &at);
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
    f->flattened = born <= vg_rules[VG_RULE_SATURATED].limit;
    const vg_edit edit = f->flattened ? vg_finder_slower(f, first->block) : advise_bias(f, bias, at);
    vg_finding_advise(finding, edit.text ? edit : vg_propose_initial_for(f, first->op, VG_WISH_smaller),
                      "smaller inputs of it: initial weights that know fan_in, a normalisation in front, no bias that is far from 0");
}

void vg_find_dead(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->evidence.count);
    double worst = 0, born = 0, bias = 0;
    uint32_t at = 0;
    const vg_evidence *first = NULL;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        const vg_track *track = vg_finder_track(f, k);
        if (!vg_evidence_is_value(row) || row->op != VG_OP_relu || row->last) continue;
        const double share = vg_track_dead(track);
        if (!(share > vg_rules[VG_RULE_DEAD].limit)) continue;
        vg_places_add(f, &p, row->path, row->span, row->call);
        worst = fmax(worst, share);
        born = fmax(born, (double)track->first[0].of[VG_MEASURE_silent]);
        if (first == NULL) first = row;
        if (track->bias < 0) note_bias(f, k, &bias, &at);
    }
    if (first == NULL) return;
    const bool at_first = 2 * born > worst;      /* before any step could have done it */
    vg_finding *finding = vg_finding_add(
        f, VG_RULE_DEAD, &p, worst,
        VG_FINDER_FORMAT(f, "up to %.0f %% of the units of %s are 0 for every example of the last 20 batches",
                         vg_percent(worst), vg_places_text(f, &p)),
        at_first ? "a relu that is never above 0 has gradient 0 and does not come back: these were so at the first step, their bias or inputs are too low"
                 : "a relu that is never above 0 has gradient 0 and does not come back: steps were too long, or its bias or inputs too low");
    vg_edit edit = advise_bias(f, bias, at);
    if (edit.text == NULL && at_first) edit = vg_propose_initial_for(f, VG_OP_relu, VG_WISH_random);
    if (edit.text == NULL && !at_first) edit = vg_finder_slower(f, first->block);
    vg_finding_advise(finding, edit, at_first ? "a bias and inputs that are not below 0 for all examples, or leaky_relu"
                                              : "leaky_relu, or a smaller rate");
}

const char vg_advice_depth[] =
    "shortcuts past the layers, as h[i] = h[i-1] + dense(h[i-1], ...), or a normalisation between them, as layer_norm(h[i-1]): "
    "the scale of the initial weights alone does not carry a signal through this many";

bool vg_finder_is_deep(const vg_finder *f) {
    enum { DEEP = 8 };
    uint32_t count = 0;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        if (row->shortcut) return false;
        count += row->role == VG_ROLE_output;
    }
    return count >= DEEP;
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
        vg_finder_has(f, VG_RULE_SATURATED) ? (vg_edit){ NULL, NULL }
                                            : vg_propose_initial_for(f, VG_OP_none, VG_WISH_larger),
        vg_finder_is_deep(f) ? vg_advice_depth :
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

/* Behind a shortcut a layer's output is a sum, which grows with each term: of its growth in the second half of the way a sum
 * has little, a product as much as in the first. */
static double growth_of(const vg_finder *f, const uint32_t *chain, uint32_t count) {
    bool shortcuts = false;
    for (uint32_t k = 0; k < count; k++) shortcuts = shortcuts || vg_finder_evidence(f, chain[k])->shortcut;
    const double last = vg_finder_median(f, vg_finder_track(f, chain[count - 1]), VG_MEASURE_rms, false);
    const double half = vg_finder_median(f, vg_finder_track(f, chain[count / 2]), VG_MEASURE_rms, false);
    const double first = vg_finder_median(f, vg_finder_track(f, chain[0]), VG_MEASURE_rms, false);
    return shortcuts ? fmin(last / first, (last / half) * (last / half)) : last / first;
}

void vg_find_scale_along(vg_finder *f) {
    uint32_t *chain = VG_ARRAY(&f->run->model->ir.arena, uint32_t, f->unit->evidence.count);
    const uint32_t count = chain_of(f, VG_ROLE_output, chain);
    if (count < 3) return;
    const double first = vg_finder_median(f, vg_finder_track(f, chain[0]), VG_MEASURE_rms, false);
    const double last = vg_finder_median(f, vg_finder_track(f, chain[count - 1]), VG_MEASURE_rms, false);
    const double ratio = last > first ? growth_of(f, chain, count) : last / first;
    const vg_rule rule = ratio < 1 ? VG_RULE_ACTSHRINK : VG_RULE_ACTGROW;
    if (!(first > 0) || isnan(ratio) || !(fmax(ratio, 1 / ratio) > vg_rules[rule].limit)) return;
    const vg_places p = ends_of(f, chain, count);
    const double each = pow(last / first, 1.0 / (count - 1));
    vg_finding *finding =
        vg_finding_add(f, rule, &p, fmax(ratio, 1 / ratio),
                       VG_FINDER_FORMAT(f, "the outputs' rms goes from %.2g at %s to %.2g at %s: times %.2g a layer",
                                        first, p.names[0], last, p.names[1], each),
                       ratio < 1
                           ? "each layer passes on less than it gets, and the gradients on the way back shrink with it"
                           : "each layer passes on more than it gets, until the last saturate or overflow");
    vg_finding_advise(finding, vg_propose_initial_for(f, VG_OP_none, ratio < 1 ? VG_WISH_larger : VG_WISH_smaller),
                      vg_advice_depth);
}

/* Relus in the place of sigmoids, with the initial weights that suit them. */
static vg_edit advise_relu(const vg_finder *f, vg_span span, vg_call call) {
    const vg_edit edit = vg_advise_activation(f->run, span, call, "sigmoid", "relu");
    for (uint32_t k = 0; k < f->unit->weights.count && edit.text; k++)
        if (f->unit->weights.items[k].act == VG_OP_sigmoid)
            return vg_advise_both(f->run, edit, vg_advise_initial(f->run, f->unit->weights.items[k].variable, "he_normal()"));
    return edit;
}

void vg_find_flow_along(vg_finder *f) {
    uint32_t *chain = VG_ARRAY(&f->run->model->ir.arena, uint32_t, f->unit->evidence.count);
    const uint32_t count = chain_of(f, VG_ROLE_flow, chain);
    if (count < 3) return;
    double ratio[2];
    for (int last = 0; last < 2; last++)
        ratio[last] = vg_finder_median(f, vg_finder_track(f, chain[0]), VG_MEASURE_rms, last != 0) /
                      vg_finder_median(f, vg_finder_track(f, chain[count - 1]), VG_MEASURE_rms, last != 0);
    const bool vanishes = ratio[0] < 1;
    const double least = vanishes ? fmin(1 / ratio[0], 1 / ratio[1]) : fmin(ratio[0], ratio[1]);
    if (!(least > vg_rules[VG_RULE_VANISH].limit) || isinf(least)) return;      /* of nothing: ZEROGRAD, DEAD */
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
    vg_edit edit = vg_propose_initial_for(f, VG_OP_none, vanishes ? VG_WISH_larger : VG_WISH_smaller);
    if (vanishes && op == VG_OP_sigmoid && edit.text == NULL)      /* its slope is 1/4 at most */
        edit = advise_relu(f, p.span, p.call);
    vg_finding_advise(finding, edit, vg_advice_depth);
}
