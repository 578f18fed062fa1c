/* What is wrong with a network: the rules of finding.def over what a run has kept (judge.h).
 *
 * Flow is judged by the gradients with respect to the layers' outputs: those with respect to weights are averaged over a
 * batch and shrink with sparse inputs, so that narrow ones need not be a fault. */
#include <math.h>
#include <string.h>

#include "api/findings.h"

/* ---- the rate */

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

/* Of the first step alone: what comes behind one that is too long says little of the rate. */
static double first_leap(const vg_finder *f) {
    double largest = 0;
    for (uint32_t k = 0; k < f->unit->weights.count; k++) {
        const vg_track *track = &f->judge->moving[k].track;
        if (track->count > 0 && isfinite(track->first[0].of[VG_MEASURE_rms]))
            largest = fmax(largest, (double)track->first[0].of[VG_MEASURE_rms]);
    }
    return largest;
}

/* Shares of a weight's norm that a step changes. */
static const double SHORT_STEP = 1e-3, USUAL_STEP = 0.01;

static vg_edit advise_slower(const vg_finder *f, uint32_t block) {
    const double leap = first_leap(f);
    return vg_advise_rate(f->run, block, leap > vg_rules[VG_RULE_LRHIGH].limit ? USUAL_STEP / leap : 0.1);
}

vg_edit vg_finder_slower(const vg_finder *f, uint32_t block) {
    return largest_leap(f) > SHORT_STEP ? advise_slower(f, block) : (vg_edit){ NULL, NULL };
}

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
    static const char bound[] = "a bound on what is divided by or has its logarithm taken, as maximum(x, 1e-6), and clip_norm in the train block";
    const bool logarithm = found && strcmp(origin.op, "log") == 0;
    vg_finding_advise(
        vg_finding_add(
            f, VG_RULE_NONFINITE, &p, (double)at, say,
            "a number overflowed, or something was divided by 0, or had its logarithm or root taken out of range"),
        at > 0 && !logarithm ? vg_finder_slower(f, 0) : (vg_edit){ NULL, NULL },
        logarithm ? "log_softmax(x) instead of log(softmax(x)), cross_entropy(x, y) instead of a loss made of it; or a bound, as log(maximum(x, 1e-6))"
                  : bound);
}

/* ---- updates */

enum { LEAST_STEPS = 50 };      /* before which nothing is said of progress */

static bool makes_no_progress(const vg_finder *f) {
    const double first = vg_finder_median(f, &f->judge->loss, VG_MEASURE_rms, false),
                 last = vg_finder_median(f, &f->judge->loss, VG_MEASURE_rms, true);
    return f->unit->blocks.count == 1 && f->steps >= LEAST_STEPS && first > 0 &&
           last > vg_rules[VG_RULE_NOPROGRESS].limit * first;
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
    const bool broken = vg_finder_has(f, VG_RULE_ZEROGRAD) || vg_finder_has(f, VG_RULE_DEAD) || f->flattened;
    if (broken && leap > 1 && high.count == 0) {
        for (uint32_t k = 0; k < f->unit->weights.count; k++) {
            const vg_variable *v = &f->unit->variables.items[f->unit->weights.items[k].variable];
            if (largest_of(&f->judge->moving[k].track) == leap) vg_places_add(f, &high, v->path, v->span, v->call);
        }
        vg_finding_advise(
            vg_finding_add(
                f, VG_RULE_LRHIGH, &high, leap,
                VG_FINDER_FORMAT(
                    f, "one of the first steps changed %s by %.3g times its norm, and after it units were %s",
                    vg_places_text(f, &high), leap, f->flattened ? "saturated" : "dead"),
                "a step as long as this throws away the initial weights; a hundredth to a thousandth of the norm is usual"),
            advise_slower(f, 0), "a smaller rate");
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
            advise_slower(f, 0), "a smaller rate");
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

/* ---- what the graph says by itself */

static void find_softened(vg_finder *f) {
    const vg_place place = f->unit->softened;
    if (!place.span.end) return;
    vg_places p = vg_places_new(f, 1);
    vg_places_add(f, &p, 0, place.span, place.call);
    vg_finding_advise(
        vg_finding_add(f, VG_RULE_SOFTTWICE, &p, 2, "cross_entropy is given what a softmax has made",
                       "cross_entropy takes the softmax itself: of shares, which lie in 0..1, it makes nearly even ones, so that the loss can never be small and hardly any gradient comes back"),
        vg_advise_unsoftened(f->run, place), "the logits as they are, without the softmax");
}

static void find_untrained(vg_finder *f) {
    vg_places p = vg_places_new(f, f->unit->untrained.count);
    for (uint32_t k = 0; k < f->unit->untrained.count; k++) {
        const vg_variable *v = &f->unit->variables.items[f->unit->untrained.items[k]];
        vg_places_add(f, &p, v->path, v->span, v->call);
    }
    if (p.count == 0) return;
    vg_finding_advise(
        vg_finding_add(f, VG_RULE_UNTRAINED, &p, (double)p.count,
                       VG_FINDER_FORMAT(f, "%s %s never trained: no gradient of the loss comes there", vg_places_text(f, &p),
                                        p.count == 1 ? "is" : "are"),
                       "the loss does not depend on it, or only through a stop_gradient, a comparison or a whole number"),
        (vg_edit){ NULL, NULL },
        "leave out what stands in between; if it is meant: `params` in the train block names what is trained");
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
        vg_finder_is_deep(f) ? vg_advice_depth :
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

/* Where a rule's finding stands: a gradient is 0 because of what is dead or saturated, where something is; and numbers that overflow in a net which begins far out do so because of that. */
static vg_rule place_of(const vg_finder *f, vg_rule rule) {
    const bool explained = vg_finder_has(f, VG_RULE_DEAD) || vg_finder_has(f, VG_RULE_SATURATED);
    const bool far_out = vg_finder_has(f, VG_RULE_NONFINITE) && vg_finder_has(f, VG_RULE_INITLOSS);
    if (rule == VG_RULE_ZEROGRAD && explained) return VG_RULE_DEAD;
    if (rule == VG_RULE_INITSCALE && far_out) return VG_RULE_INPUTSCALE;
    return rule;
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
    find_softened(&f);
    find_untrained(&f);
    find_zero_gradients(&f);
    vg_find_symmetry(&f);
    vg_find_initial_loss(&f);
    vg_find_saturation(&f);
    vg_find_dead(&f);
    find_rates(&f);
    vg_find_scale_along(&f);
    vg_find_still(&f);
    vg_find_flow_along(&f);
    vg_find_initial_scale(&f);   /* behind all that it shows in */
    find_no_progress(&f);
    vg_find_input_scale(&f);     /* the same */
    find_half(&f);
    put_in_order(&f);
}
