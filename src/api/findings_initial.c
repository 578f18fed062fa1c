/* Rules about how a net begins: initial weights, the first loss, inputs (findings.h); and which initializer to propose. */
#include <math.h>
#include <string.h>

#include "api/findings.h"

/* What keeps the scale of what flows through: He et al. 2015 for relu; for a sigmoid one over its slope at 0, Glorot, Bengio
 * 2010; tanh's 5/3 after LeCun et al. 1998. */
static double gain_of(uint8_t act) {
    return act == VG_OP_relu ? sqrt(2) : act == VG_OP_tanh ? 5.0 / 3 : act == VG_OP_sigmoid ? 4 : 1;
}

static double scale_of(const vg_weight *weight, double std) {
    return std * sqrt((double)weight->fan_in) / gain_of(weight->act);
}

/* What no other layer follows may begin larger: its scale is the outputs', which the first steps bring down. */
static double limit_of(const vg_weight *weight) {
    return vg_rules[VG_RULE_INITSCALE].limit * (weight->last ? 2 : 1);
}

/* ---- proposals */

/* act: what it is made for. gain: of both fans (Glorot), or of fan_in alone. */
typedef struct proposal { const char *text; vg_op act; double gain; bool both; } proposal;
static const proposal proposals[] = {
    { "he_normal()",       VG_OP_relu,    1.4142135623730951, false },
    { "glorot_uniform(4)", VG_OP_sigmoid, 4,                  true },      /* its slope at 0 is 1/4 */
    { "glorot_uniform()",  VG_OP_tanh,    1,                  true },
    { "lecun_normal()",    VG_OP_none,    1,                  false }
};
enum { PROPOSALS = sizeof proposals / sizeof *proposals };

static double std_of(const proposal *p, const vg_weight *weight) {
    const double in = (double)weight->fan_in, out = (double)weight->fan_out;
    return p->both ? p->gain * sqrt(2 / (in + out)) : p->gain / sqrt(in);
}

static bool is_granted(vg_wish wish, double before, double after) {
    static const double FELT = 1.25;
    return wish == VG_WISH_random || (wish == VG_WISH_smaller ? before > FELT * after : after > FELT * before);
}

/* One text may give several weights their values, whose activations differ: all of them have to be right with it. */
static bool suits(const vg_finder *f, const proposal *p, uint32_t k, vg_wish wish, vg_edit edit) {
    bool granted = false;
    for (uint32_t j = 0; j < f->unit->weights.count; j++) {
        const vg_weight *weight = &f->unit->weights.items[j];
        const vg_edit same = vg_advise_initial(f->run, weight->variable, p->text);
        if (same.text == NULL || strcmp(same.text, edit.text) != 0) continue;
        const double after = std_of(p, weight), scale = scale_of(weight, after);
        if (scale > limit_of(weight) || scale < 1 / limit_of(weight)) return false;
        granted = granted || ((j == k || !weight->last) && is_granted(wish, f->judge->moving[j].std, after));
    }
    return granted;
}

static vg_edit propose(const vg_finder *f, const proposal *p, uint32_t k, vg_wish wish) {
    const vg_edit edit = vg_advise_initial(f->run, f->unit->weights.items[k].variable, p->text);
    return edit.text && suits(f, p, k, wish, edit) ? edit : (vg_edit){ NULL, NULL };
}

vg_edit vg_propose_initial(const vg_finder *f, uint32_t k, vg_wish wish) {
    const vg_op act = (vg_op)f->unit->weights.items[k].act;
    vg_edit edit = { NULL, NULL };
    for (uint32_t n = 0; n < PROPOSALS && edit.text == NULL; n++)
        if (proposals[n].act == act) edit = propose(f, &proposals[n], k, wish);
    for (uint32_t n = 0; n < PROPOSALS && edit.text == NULL; n++) edit = propose(f, &proposals[n], k, wish);
    return edit;
}

vg_edit vg_propose_initial_for(const vg_finder *f, uint8_t act, vg_wish wish) {
    vg_edit edit = { NULL, NULL };
    for (uint32_t k = 0; k < f->unit->weights.count && edit.text == NULL; k++) {
        const vg_weight *weight = &f->unit->weights.items[k];
        if (act ? weight->act == act : !weight->last) edit = vg_propose_initial(f, k, wish);
    }
    return edit;
}

/* ---- units that are all the same */

void vg_find_symmetry(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->weights.count);
    double share = 0;
    uint32_t first = UINT32_MAX;
    for (uint32_t k = 0; k < f->unit->weights.count; k++) {
        const vg_moving *moving = &f->judge->moving[k];
        const vg_variable *v = &f->unit->variables.items[f->unit->weights.items[k].variable];
        const double alike = fmin(moving->alike, moving->alike_last);
        if (alike <= vg_rules[VG_RULE_SYMMETRIC].limit) continue;
        vg_places_add(f, &p, v->path, v->span, v->call);
        share = fmax(share, alike);
        if (first == UINT32_MAX) first = k;
    }
    if (first == UINT32_MAX) return;
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_SYMMETRIC, &p, share,
            VG_FINDER_FORMAT(
                f, "%.0f %% of the units of %s have the same weights as another, from the first step to the last",
                vg_percent(share), vg_places_text(f, &p)),
            "equal units get equal gradients and stay equal: the layer works as if it had one unit"),
        vg_propose_initial(f, first, VG_WISH_random), "random initial weights, as glorot_uniform()");
}

/* ---- scale */

static bool shows_large(const vg_finder *f) {
    return vg_finder_has(f, VG_RULE_INITLOSS) || vg_finder_has(f, VG_RULE_SATURATED) || vg_finder_has(f, VG_RULE_DEAD) ||
           vg_finder_has(f, VG_RULE_ACTGROW) || vg_finder_has(f, VG_RULE_EXPLODE) || vg_finder_has(f, VG_RULE_NONFINITE);
}

static bool shows_small(const vg_finder *f) {
    const bool shrinks = vg_finder_has(f, VG_RULE_ACTSHRINK) || vg_finder_has(f, VG_RULE_CONSTUNITS) || vg_finder_has(f, VG_RULE_VANISH);
    return shrinks && !vg_finder_has(f, VG_RULE_SATURATED);      /* then it is that */
}

/* Only together with what it does: many a net begins with small weights and learns. */
void vg_find_initial_scale(vg_finder *f) {
    static const char why_large[] = "a unit adds up as many products as it has inputs; with weights this large its sum lies far "
                                    "out, where it hardly answers to a change";
    static const char why_small[] = "a unit adds up as many products as it has inputs; with weights this small each layer passes "
                                    "on less than it gets";
    vg_places p = vg_places_new(f, f->unit->weights.count);
    double worst = 1;
    uint32_t at = 0, first = UINT32_MAX;
    for (uint32_t k = 0; k < f->unit->weights.count; k++) {
        const vg_weight *weight = &f->unit->weights.items[k];
        const vg_variable *v = &f->unit->variables.items[weight->variable];
        const double scale = scale_of(weight, f->judge->moving[k].std);
        if (!(scale > 0) || (scale <= limit_of(weight) && scale >= 1 / limit_of(weight))) continue;
        vg_places_add(f, &p, v->path, v->span, v->call);
        if (first == UINT32_MAX) first = k;
        if (fabs(log(scale)) <= fabs(log(worst))) continue;
        worst = scale;
        at = k;
    }
    if (first == UINT32_MAX || !(worst > 1 ? shows_large(f) : shows_small(f))) return;
    const char *say = VG_FINDER_FORMAT(f, "the initial weights of %s are %s%.3g times as %s as their number of inputs asks for "
                                       "(%s: std %.3g, fan_in %llu)", vg_places_text(f, &p), p.count > 1 ? "up to " : "",
                                       worst > 1 ? worst : 1 / worst, worst > 1 ? "large" : "small",
                                       vg_run_text(f->run, f->unit->variables.items[f->unit->weights.items[at].variable].path),
                                       f->judge->moving[at].std, (unsigned long long)f->unit->weights.items[at].fan_in);
    const vg_wish wish = worst > 1 ? VG_WISH_smaller : VG_WISH_larger;
    vg_edit edit = vg_propose_initial(f, first, wish);
    if (edit.text == NULL && at != first) edit = vg_propose_initial(f, at, wish);
    vg_finding_advise(vg_finding_add(f, VG_RULE_INITSCALE, &p, worst, say, worst > 1 ? why_large : why_small), edit,
                      "an initializer that knows fan_in, as glorot_uniform() or he_normal(): one for each kind of layer, "
                      "where what follows it differs");
}

static bool is_last_large(const vg_finder *f, uint32_t k) {
    const vg_weight *weight = &f->unit->weights.items[k];
    return weight->last && scale_of(weight, f->judge->moving[k].std) > limit_of(weight);
}

/* Steps until the loss is as low as that; all that are known, if it never was. */
static uint32_t steps_above(const vg_track *loss, double value) {
    uint32_t k = 0;
    while (k < loss->count && k < VG_WINDOW && !((double)loss->first[k].of[VG_MEASURE_rms] <= value)) k++;
    return k;
}

void vg_find_initial_loss(vg_finder *f) {
    enum { SOON = 20 };      /* steps in which a loss may come down by itself */
    const double classes = (double)f->unit->classes;
    if (classes < 2 || f->judge->loss.count == 0) return;
    const double first = (double)f->judge->loss.first[0].of[VG_MEASURE_rms], guess = log(classes);
    const double limit = vg_rules[VG_RULE_INITLOSS].limit * guess;
    const uint32_t above = steps_above(&f->judge->loss, limit);
    bool large = false;
    for (uint32_t k = 0; k < f->unit->weights.count; k++) large = large || is_last_large(f, k);
    if (!(first > limit) || (!large && above <= SOON && above < f->judge->loss.count)) return;
    vg_places p = vg_places_new(f, 1);
    const vg_block *block = &f->unit->blocks.items[0];
    vg_places_add(f, &p, block->loss, block->span, 0);
    vg_edit edit = { NULL, NULL };
    for (uint32_t k = f->unit->weights.count; k-- > 0 && edit.text == NULL;)
        if (is_last_large(f, k)) edit = vg_propose_initial(f, k, VG_WISH_smaller);
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_INITLOSS, &p, first / guess,
            VG_FINDER_FORMAT(f, "the first loss is %.3g, guessing among %.0f classes has %.3g", first, classes, guess),
            "before anything is learnt the outputs already differ much: the last layer's weights, or what it gets, are too large"),
        edit, "a last layer that begins small: initial weights of its own, as lecun_normal(); nothing that multiplies its "
              "result; inputs of it that are not large");
}

/* ---- inputs */

static bool shows_inputs(const vg_finder *f) {
    static const vg_rule rules[] = { VG_RULE_NONFINITE, VG_RULE_LRHIGH,     VG_RULE_INITLOSS, VG_RULE_SATURATED,
                                     VG_RULE_DEAD,      VG_RULE_CONSTUNITS, VG_RULE_ACTSHRINK, VG_RULE_NOPROGRESS,
                                     VG_RULE_INITSCALE };
    for (uint32_t k = 0; k < sizeof rules / sizeof *rules; k++)
        if (vg_finder_has(f, rules[k])) return true;
    return false;
}

/* Of several the one whose rms is largest; what learns well from large inputs is left alone. */
void vg_find_input_scale(vg_finder *f) {
    const double limit = vg_rules[VG_RULE_INPUTSCALE].limit;
    const vg_evidence *worst = NULL;
    double rms = 0, mean = 0;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        const vg_track *track = vg_finder_track(f, k);
        if (row->role != VG_ROLE_input) continue;
        const double own = vg_finder_median(f, track, VG_MEASURE_rms, false),
                     middle = vg_finder_median(f, track, VG_MEASURE_mean, false);
        const double deviation = sqrt(fmax(own * own - middle * middle, 0));
        if (!(own > limit || fabs(middle) > limit * deviation) || !(deviation > 0) || own <= rms) continue;
        worst = row;
        rms = own;
        mean = middle;
    }
    if (worst == NULL || !shows_inputs(f)) return;
    const double deviation = sqrt(rms * rms - mean * mean);
    vg_places p = vg_places_new(f, 1);
    vg_places_add(f, &p, worst->path, worst->span, worst->call);
    vg_finding_advise(
        vg_finding_add(f, VG_RULE_INPUTSCALE, &p, rms,
                       VG_FINDER_FORMAT(f, "the inputs %s have rms %.3g, mean %.3g and deviation %.3g", p.names[0], rms, mean,
                                        deviation),
                       "weights and rates are made for inputs of mean 0 and deviation 1: others multiply all that the first layer puts out, and its gradients, or hide what differs between examples"),
        vg_advise_input(f->run, worst, mean, deviation),
        VG_FINDER_FORMAT(f, "inputs of mean 0 and deviation 1: (%s - %.2g) / %.2g", p.names[0], mean, deviation));
}
