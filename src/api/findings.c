/* What is wrong with a network: the rules of finding.def over what a run has kept (judge.h).
 *
 * Flow is judged by the gradients with respect to the layers' outputs: those with respect to weights are averaged over a
 * batch and shrink with sparse inputs, so that narrow ones need not be a fault. */
#include <math.h>
#include <string.h>

#include "api/findings.h"

/* ---- numbers that are none */

/* The first step that the surveys or the loss know of, + 1; 0: none. */
static uint64_t first_wrong(const vg_finder *f) {
    const vg_track *loss = &f->judge->loss;
    uint64_t first = 0;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const uint64_t wrong = vg_finder_track(f, k)->wrong;
        if (wrong && (first == 0 || wrong < first)) first = wrong;
    }
    for (uint32_t k = 0; k < loss->count && k < VG_WINDOW; k++)
        if (!isfinite(loss->ring[k].of[VG_MEASURE_rms]) && f->unit->blocks.count > 0 &&
            (first == 0 || loss->ring[k].step + 1 < first)) first = loss->ring[k].step + 1;
    return first;
}

/* A run that was watched now and then may have gone wrong in a step that nobody looked at: the one before is tried, too. */
static void find_nonfinite(vg_finder *f) {
    static const double LONG = 20;      /* seconds that nobody waits for a second time */
    const uint64_t first = first_wrong(f);
    if (first == 0) return;
    const unsigned long long step = first - 1;
    vg_origin origin;
    const bool again = vg_run_seconds(f->run) < LONG;
    bool found = again && step > 0 && vg_trace_nonfinite(f->run, step - 1, &origin);
    const unsigned long long at = found ? step - 1 : step;
    found = found || (again && vg_trace_nonfinite(f->run, step, &origin));
    vg_places p = vg_places_new(f, 1);
    const char *say = VG_FINDER_FORMAT(f, "at step %llu the loss or a gradient is NaN or infinite", at);
    if (found) {
        vg_places_add(f, &p, 0, origin.span, origin.call);
        say =
            VG_FINDER_FORMAT(f, "at step %llu %s%s: '%s' makes NaN or infinity of finite numbers%s", at, origin.text,
                             *origin.text ? " is the first to go wrong" : "the first goes wrong", origin.op,
                             origin.operand ? VG_FINDER_FORMAT(f, " (from %.4g to %.4g)", origin.low, origin.high)
                                            : "");
    }
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_NONFINITE, &p, (double)at, say,
            "a number overflowed, or something was divided by 0, or had its logarithm or root taken out of range"),
        at > 0 ? vg_advise_rate(f->run, 0, 0.1) : (vg_edit){ NULL, NULL },
        "a bound on what is divided by or has its logarithm taken, as max(x, 1e-6); log_softmax and cross_entropy instead of the logarithm of softmax; clip_norm in the train block");
}

/* ---- updates */

enum { LEAST_STEPS = 50 };      /* before which nothing is said of progress */

static bool makes_no_progress(const vg_finder *f) {
    const double first = vg_finder_median(f, &f->judge->loss, VG_MEASURE_rms, false),
                 last = vg_finder_median(f, &f->judge->loss, VG_MEASURE_rms, true);
    return f->unit->blocks.count == 1 && f->steps >= LEAST_STEPS && first > 0 &&
           last > vg_rules[VG_RULE_NOPROGRESS].limit * first;
}

static double largest_of(const vg_track *track) {
    double largest = 0;
    for (uint32_t k = 0; k < track->count && k < VG_WINDOW; k++)
        largest = fmax(largest, (double)track->first[k].of[VG_MEASURE_rms]);
    return largest;
}

static double largest_leap(const vg_finder *f) {
    double largest = 0;
    for (uint32_t k = 0; k < f->unit->weights.count; k++)
        largest = fmax(largest, largest_of(&f->judge->moving[k].track));
    return largest;
}

static void find_rates(vg_finder *f) {
    vg_places high = vg_places_new(f, f->unit->weights.count), low = vg_places_new(f, f->unit->weights.count);
    double most = 0, largest = 0;
    uint32_t known = 0;
    for (uint32_t k = 0; k < f->unit->weights.count; k++) {
        const vg_weight *weight = &f->unit->weights.items[k];
        const vg_variable *v = &f->unit->variables.items[weight->variable];
        const double ratio = vg_finder_persists(f, &f->judge->moving[k].track, VG_MEASURE_rms);
        const double last = fmax(vg_finder_median(f, &f->judge->moving[k].track, VG_MEASURE_rms, false),
                                 vg_finder_median(f, &f->judge->moving[k].track, VG_MEASURE_rms, true));
        if (isnan(ratio)) continue;
        known++;
        if (ratio > vg_rules[VG_RULE_LRHIGH].limit) vg_places_add(f, &high, v->path, v->span, v->call);
        if (last < vg_rules[VG_RULE_FROZEN].limit && last > 0) vg_places_add(f, &low, v->path, v->span, v->call);
        most = fmax(most, ratio);
        largest = fmax(largest, last);
    }
    const double leap = largest_leap(f);
    const bool broken = vg_finder_has(f, VG_RULE_ZEROGRAD) || vg_finder_has(f, VG_RULE_DEAD);
    if (broken && leap > 1 && high.count == 0) {
        for (uint32_t k = 0; k < f->unit->weights.count; k++) {
            const vg_variable *v = &f->unit->variables.items[f->unit->weights.items[k].variable];
            if (largest_of(&f->judge->moving[k].track) == leap) vg_places_add(f, &high, v->path, v->span, v->call);
        }
        vg_finding_advise(
            vg_finding_add(
                f, VG_RULE_LRHIGH, &high, leap,
                VG_FINDER_FORMAT(
                    f, "one of the first steps changed %s by %.3g times its norm, and after it units were dead",
                    vg_places_text(f, &high), leap),
                "a step as long as this throws away the initial weights; a hundredth to a thousandth of the norm is usual"),
            vg_advise_rate(f->run, 0, 0.01 / leap), "a smaller rate");
        return;
    }
    /* one layer may well move fast while the others learn */
    if (2 * high.count > known || (high.count > 0 && makes_no_progress(f)))
        vg_finding_advise(
            vg_finding_add(
                f, VG_RULE_LRHIGH, &high, most,
                VG_FINDER_FORMAT(f, "a step changes %s by %.0f %% of its norm", vg_places_text(f, &high),
                                 vg_percent(most)),
                "steps this long leap over what they aim at; a hundredth to a thousandth of the norm is usual"),
            vg_advise_rate(f->run, 0, 0.01 / most), "a smaller rate");
    if (known > 0 && low.count == known)
        vg_finding_advise(vg_finding_add(f, VG_RULE_FROZEN, &low, largest,
                                         VG_FINDER_FORMAT(f, "a step changes %s by %.1g of its norm at most",
                                                          vg_places_text(f, &low), largest),
                                         "at this pace nothing is learnt in any number of steps that one waits for"),
                          vg_advise_rate(f->run, 0, 0.001 / largest), "a larger rate");
}

static bool is_matrix(const vg_finder *f, uint32_t variable) {
    return vg_shape_rank(&f->run->model->ir.dims, f->unit->variables.items[variable].shape) >= 2;
}

static void find_zero_gradients(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->evidence.count);
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        /* a bias may cancel from a loss that is a difference */
        if (row->role == VG_ROLE_gradient && is_matrix(f, row->variable) &&
            vg_finder_persists(f, vg_finder_track(f, k), VG_MEASURE_zeros) >= 1)
            vg_places_add(f, &p, row->path, row->span, row->call);
    }
    if (p.count == 0) return;
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_ZEROGRAD, &p, (double)p.count,
            VG_FINDER_FORMAT(f,
                             "the gradient with respect to %s is 0 in every element, at the beginning and at the end",
                             vg_places_text(f, &p)),
            "nothing of the loss passes through it: its units are dead or constant, its initial values cancel, or a stop_gradient or a whole number stands in between"),
        (vg_edit){ NULL, NULL }, "look at what lies between it and the loss: vgraph graph --stage backward");
}

static void find_symmetry(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->weights.count);
    double share = 0;
    const vg_weight *first = NULL;
    for (uint32_t k = 0; k < f->unit->weights.count; k++) {
        const vg_weight *weight = &f->unit->weights.items[k];
        const vg_moving *moving = &f->judge->moving[k];
        const vg_variable *v = &f->unit->variables.items[weight->variable];
        const double alike = fmin(moving->alike, moving->alike_last);
        if (alike <= vg_rules[VG_RULE_SYMMETRIC].limit) continue;
        vg_places_add(f, &p, v->path, v->span, v->call);
        share = fmax(share, alike);
        if (first == NULL) first = weight;
    }
    if (first == NULL) return;
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_SYMMETRIC, &p, share,
            VG_FINDER_FORMAT(
                f, "%.0f %% of the units of %s have the same weights as another, from the first step to the last",
                vg_percent(share), vg_places_text(f, &p)),
            "equal units get equal gradients and stay equal: the layer works as if it had one unit"),
        vg_advise_initial(f->run, first->variable, vg_initializer_for(first->act)),
        "random initial weights, as glorot_uniform()");
}

/* ---- scale */

/* What keeps the scale of what flows through: He et al. 2015 for relu; for a sigmoid one over its slope at 0, Glorot, Bengio
 * 2010; tanh's 5/3 after LeCun et al. 1998. */
static double gain_of(uint8_t act) {
    return act == VG_OP_relu ? sqrt(2) : act == VG_OP_tanh ? 5.0 / 3 : act == VG_OP_sigmoid ? 4 : 1;
}

static bool shows_large(const vg_finder *f) {
    return vg_finder_has(f, VG_RULE_INITLOSS) || vg_finder_has(f, VG_RULE_SATURATED) || vg_finder_has(f, VG_RULE_DEAD) ||
           vg_finder_has(f, VG_RULE_ACTGROW) || vg_finder_has(f, VG_RULE_EXPLODE) || vg_finder_has(f, VG_RULE_NONFINITE);
}

static bool shows_small(const vg_finder *f) {
    const bool shrinks = vg_finder_has(f, VG_RULE_ACTSHRINK) || vg_finder_has(f, VG_RULE_CONSTUNITS) || vg_finder_has(f, VG_RULE_VANISH);
    return shrinks && !vg_finder_has(f, VG_RULE_SATURATED);      /* then it is that */
}

/* Only together with what it does: many a net begins with small weights and learns. */
static void find_initial_scale(vg_finder *f) {
    static const char why_large[] = "a unit adds up as many products as it has inputs; with weights this large its sum lies far "
                                    "out, where it hardly answers to a change";
    static const char why_small[] = "a unit adds up as many products as it has inputs; with weights this small each layer passes "
                                    "on less than it gets";
    const double limit = vg_rules[VG_RULE_INITSCALE].limit;
    vg_places p = vg_places_new(f, f->unit->weights.count);
    double worst = 1;
    uint32_t at = 0, first = UINT32_MAX;
    for (uint32_t k = 0; k < f->unit->weights.count; k++) {
        const vg_weight *weight = &f->unit->weights.items[k];
        const vg_variable *v = &f->unit->variables.items[weight->variable];
        const double scale = f->judge->moving[k].std * sqrt((double)weight->fan_in) / gain_of(weight->act);
        if (!(scale > 0) || (scale <= limit && scale >= 1 / limit)) continue;
        vg_places_add(f, &p, v->path, v->span, v->call);
        if (first == UINT32_MAX) first = k;
        if (fabs(log(scale)) <= fabs(log(worst))) continue;
        worst = scale;
        at = k;
    }
    if (first == UINT32_MAX || !(worst > 1 ? shows_large(f) : shows_small(f))) return;
    const vg_weight *weight = &f->unit->weights.items[first];
    const char *say = VG_FINDER_FORMAT(f, "the initial weights of %s are %s%.3g times as %s as their number of inputs asks for "
                                       "(%s: std %.3g, fan_in %llu)", vg_places_text(f, &p), p.count > 1 ? "up to " : "",
                                       worst > 1 ? worst : 1 / worst, worst > 1 ? "large" : "small",
                                       vg_run_text(f->run, f->unit->variables.items[f->unit->weights.items[at].variable].path),
                                       f->judge->moving[at].std, (unsigned long long)f->unit->weights.items[at].fan_in);
    vg_finding_advise(vg_finding_add(f, VG_RULE_INITSCALE, &p, worst, say, worst > 1 ? why_large : why_small),
                      vg_advise_initial(f->run, weight->variable, vg_initializer_for(weight->act)),
                      "an initializer that knows fan_in, as glorot_uniform() or he_normal()");
}

static void find_initial_loss(vg_finder *f) {
    const double classes = (double)f->unit->classes;
    if (classes < 2 || f->judge->loss.count == 0) return;
    const double first = (double)f->judge->loss.first[0].of[VG_MEASURE_rms], guess = log(classes);
    if (!(first > vg_rules[VG_RULE_INITLOSS].limit * guess)) return;
    vg_places p = vg_places_new(f, 1);
    const vg_block *block = &f->unit->blocks.items[0];
    vg_places_add(f, &p, block->loss, block->span, 0);
    const vg_weight *last = f->unit->weights.count ? &f->unit->weights.items[f->unit->weights.count - 1] : NULL;
    vg_finding *finding = vg_finding_add(
        f, VG_RULE_INITLOSS, &p, first / guess,
        VG_FINDER_FORMAT(f, "the first loss is %.3g, guessing among %.0f classes has %.3g", first, classes, guess),
        "before anything is learnt the outputs already differ much: the last layer's weights, or what it gets, are too large");
    if (last)
        vg_finding_advise(finding, vg_advise_initial(f->run, last->variable, "glorot_uniform()"),
                          "smaller initial weights in the last layer");
}

/* ---- the whole */

static void find_no_progress(vg_finder *f) {
    const double first = vg_finder_median(f, &f->judge->loss, VG_MEASURE_rms, false),
                 last = vg_finder_median(f, &f->judge->loss, VG_MEASURE_rms, true);
    if (!makes_no_progress(f)) return;
    vg_places p = vg_places_new(f, 1);
    vg_places_add(f, &p, f->unit->blocks.items[0].loss, f->unit->blocks.items[0].span, 0);
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_NOPROGRESS, &p, last / first,
            VG_FINDER_FORMAT(f, "the loss is %.4g at the beginning and %.4g at the end", first, last),
            "either something above keeps it from learning, or the steps are too short or too few, or the inputs tell nothing of the targets"),
        (vg_edit){ NULL, NULL },
        "a few examples alone should be learnt by heart in some hundred steps: try --batch 8 with another rate");
}

static void find_half(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->evidence.count);
    double worst = 0;
    for (uint32_t k = 0; k < f->unit->evidence.count; k++) {
        const vg_evidence *row = vg_finder_evidence(f, k);
        if (row->role != VG_ROLE_gradient) continue;
        const double tiny = vg_finder_median(f, vg_finder_track(f, k), VG_MEASURE_tiny, true),
                     zeros = vg_finder_median(f, vg_finder_track(f, k), VG_MEASURE_zeros, true);
        const double share = zeros < 1 ? tiny / (1 - zeros) : 0;
        if (!(share > vg_rules[VG_RULE_HALF].limit)) continue;
        vg_places_add(f, &p, row->path, row->span, row->call);
        worst = fmax(worst, share);
    }
    if (p.count == 0) return;
    vg_finding_add(f, VG_RULE_HALF, &p, worst,
                   VG_FINDER_FORMAT(f, "%.0f %% of the gradient of %s that is not 0 would be 0 in float16",
                                    vg_percent(worst), vg_places_text(f, &p)),
                   "float16 ends at 6e-8; training in it would need the loss to be scaled up")
        ->try_this = "nothing, in float32";
}

/* Where a rule's finding stands: a gradient is 0 because of what is dead or saturated, where something is. */
static vg_rule place_of(const vg_finder *f, vg_rule rule) {
    const bool explained = vg_finder_has(f, VG_RULE_DEAD) || vg_finder_has(f, VG_RULE_SATURATED);
    return rule == VG_RULE_ZEROGRAD && explained ? VG_RULE_DEAD : rule;
}

/* Two edits of one line would contradict each other: what follows from the fault is mended with it. */
static void agree(vg_finding *finding, const vg_finding *fault) {
    const size_t line = strcspn(fault->try_this, ":");
    if (strncmp(fault->try_this, "line ", 5) != 0 || strncmp(finding->try_this, fault->try_this, line + 1) != 0) return;
    finding->try_this = fault->try_this;
    finding->option = fault->option;
}

/* By the order of the rules; what comes behind the first fault goes with it. */
static void put_in_order(vg_finder *f) {
    VG_VEC(vg_finding) sorted = { 0 };
    bool fault = false;
    for (uint32_t rule = 0; rule < VG_RULE_COUNT; rule++)
        for (uint32_t k = f->list.count; k-- > 0;) {      /* ZEROGRAD was found before DEAD, and comes behind it */
            vg_finding finding = f->list.items[k];
            if (place_of(f, f->rules.items[k]) != rule) continue;
            finding.follows = fault && finding.severity == VG_SEVERITY_FAULT;
            if (finding.follows) agree(&finding, &sorted.items[0]);
            fault = fault || finding.severity == VG_SEVERITY_FAULT;
            vg_vec_push(&f->run->mem, &sorted, finding);
        }
    vg_mem_free(&f->run->mem, f->judge->findings);
    f->judge->findings = sorted.items;
    f->judge->finding_count = sorted.count;
    f->judge->judged = f->steps;
    vg_vec_free(&f->run->mem, &f->list);
    vg_vec_free(&f->run->mem, &f->rules);
}

void vg_judge_find(vg_run *run) {
    vg_finder f = { .run = run, .judge = run->judge, .unit = run->unit, .steps = run->done };
    if (run->judge->judged == run->done) return;
    vg_judge_ends(run);
    find_nonfinite(&f);
    find_zero_gradients(&f);
    find_symmetry(&f);
    find_initial_loss(&f);
    vg_find_saturation(&f);
    vg_find_dead(&f);
    find_rates(&f);
    vg_find_scale_along(&f);
    vg_find_still(&f);
    vg_find_flow_along(&f);
    find_initial_scale(&f);      /* behind all that it shows in */
    find_no_progress(&f);
    find_half(&f);
    put_in_order(&f);
}
