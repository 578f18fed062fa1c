/* Central differences, extrapolated (Romberg 1955), and what they say of a derivative.
 *
 * A window is the function at three steps, each half the one before. Where it is smooth there, the quotients' even
 * powers of the step are eliminated one by one, and the last elimination shows how exact the result is; the second
 * differences, divided by the step, must go to zero with it: what they go to is how much the slope jumps at the middle.
 * The first step is one where both truncation and rounding are usually far below the tolerance. Where rounding is not,
 * a longer one is taken; where a kink or a high curvature is in the way, shorter ones. Nothing is called wrong on one
 * window's word: among many small kinks a window can look smooth by chance. */
#include "api/difference.h"

#include <math.h>

enum { LENGTHENED = 2, TRIES = 8, CLAIM_TRIES = 5 };      /* steps at most: longer, shorter, shorter with a claim */
static const double first_step = 0x1p-8;
static const double factor = 16;            /* from one step to the next longer or shorter */
static const double deviations = 8;         /* what is more than so many standard deviations of the rounding is not it */

/* ---- a window */

/* How many standard deviations of a value's rounding there are in the extrapolated quotient, and in the jump, at step 1:
 * the root of the sum of the squares of the values' weights. */
static const struct { double quotient, jump; } weight[VG_HALVINGS + 1] = { [2] = { 1.9, 10.3 }, [3] = { 4.1, 24 } };

static vg_reading read_window(const vg_judge *j, const vg_samples *s) {
    double slope[VG_HALVINGS] = { 0 }, bend[VG_HALVINGS] = { 0 };
    vg_reading r = { .step = s->step };
    for (uint32_t k = 0; k < s->count; k++) {
        const double step = ldexp(s->step, -(int)k);
        slope[k] = (s->above[k] - s->below[k]) / (2 * step);
        bend[k] = (s->above[k] - 2 * j->middle + s->below[k]) / step;
    }
    const double once = (4 * slope[1] - slope[0]) / 3, bent_once = 2 * bend[1] - bend[0];
    const double deviation = deviations * j->noise / s->step;
    r.rounding = deviation * weight[s->count].quotient;
    if (s->count == 2) {
        r.numeric = once;
        r.size = fmax(j->scale, fabs(once));
        const double limit = VG_TOLERANCE * r.size;
        r.settled = fabs(slope[1] - slope[0]) <= 1e-3 * r.size + r.rounding &&
                    fabs(bent_once) <= 10 * limit + deviation * weight[2].jump;
        return r;
    }
    const double again = (4 * slope[2] - slope[1]) / 3, bent_again = 2 * bend[2] - bend[1];
    r.numeric = (16 * again - once) / 15;
    r.size = fmax(j->scale, fabs(r.numeric));
    const double limit = VG_TOLERANCE * r.size, jump = (8 * bent_again - bent_once) / 7;
    const bool converges = fabs(slope[2] - slope[1]) <= 0.4 * fabs(slope[1] - slope[0]) + 0.03 * limit + r.rounding;
    r.settled = converges && fabs(r.numeric - again) <= 0.03 * limit + r.rounding &&
                fabs(jump) <= limit + deviation * weight[3].jump;
    return r;
}

static double bound(const vg_reading *r) { return VG_TOLERANCE * r->size + r->rounding; }

static bool agree(const vg_reading *a, const vg_reading *b) {
    return fabs(a->numeric - b->numeric) <= bound(a) + bound(b);
}

/* Settled, and so far off the symbolic derivative that it is not rounding. Where there is much of that in the values, it
 * may be small kinks that pass for it, and they can make anything of a difference. */
static bool contradicts(const vg_judge *j, const vg_reading *r) {
    const double apart = fabs(r->numeric - j->symbolic);
    const bool noisy = j->noise > 1e-6 * fmax(fabs(j->middle), apart * r->step);
    return r->settled && !noisy && !(apart <= bound(r)) && !(apart <= 4 * r->rounding);
}

/* Whether another reading shows the derivative that the claim shows. */
static bool confirms(const vg_judge *j, const vg_reading *r) {
    return contradicts(j, r) && !(fabs(r->numeric - j->claim.numeric) > 0.25 * fabs(j->claim.numeric - j->symbolic));
}

static bool fits(const vg_judge *j, const vg_reading *r) { return fabs(r->numeric - j->symbolic) <= bound(r); }

/* ---- the judge */

vg_judge vg_judge_of(double scale, double middle, double noise, double unit) {
    noise = fmax(noise, VG_ROUNDING * fabs(middle));
    return (vg_judge){ .scale = scale, .middle = middle, .noise = noise, .first = first_step * unit,
                       .step = first_step * unit, .verdict = VG_VERDICT_unsure };
}

static void decide(vg_judge *j, vg_verdict verdict, const vg_reading *r) {
    j->verdict = verdict;
    j->step = 0;
    if (verdict == VG_VERDICT_unsure) return;
    const double difference = fabs(r->numeric - j->symbolic), most = bound(r);
    if (verdict == VG_VERDICT_fine) j->off = most > 0 ? VG_TOLERANCE * difference / most : 0;
    else j->off = difference < r->size ? difference / r->size : 1;
}

/* On to a shorter step, unless rounding would have more to say there than the tolerance allows. A claim stands when some
 * more steps have not brought it down. */
static void shorten(vg_judge *j, double from) {
    const double unit_rounding = deviations * j->noise * weight[VG_HALVINGS].quotient;
    const double enough = 5 * VG_TOLERANCE * j->scale, first = unit_rounding / j->first;
    const double most = first <= enough ? enough : factor * factor * first;
    const bool claimed = j->claim.step > 0;
    if (j->phase != VG_JUDGE_shorten) j->tries = 0;
    j->phase = VG_JUDGE_shorten;
    j->step = from / factor;
    j->tries++;
    if (claimed && j->tries > CLAIM_TRIES) decide(j, VG_VERDICT_wrong, &j->claim);
    else if (!claimed && (unit_rounding / j->step > most || j->tries > TRIES)) decide(j, VG_VERDICT_unsure, &j->claim);
}

/* What the longest settled reading says: the symbolic derivative fits, or the window is repeated with another step, or
 * a less exact one has to do. */
static void conclude(vg_judge *j, const vg_reading *r) {
    if (fits(j, r)) {
        decide(j, VG_VERDICT_fine, r);
    } else if (contradicts(j, r)) {
        j->claim = *r;
        j->phase = VG_JUDGE_repeat;
        j->step = 0.75 * r->step;
    } else if (j->fitting.step > 0) {
        decide(j, VG_VERDICT_fine, &j->fitting);
    } else {
        shorten(j, r->step);
    }
}

static void hear_first(vg_judge *j, const vg_reading *r) {
    const bool better = r->settled && (j->best.step == 0 || agree(&j->best, r));
    if (better) j->best = *r;
    if (better && fits(j, r)) j->fitting = *r;
    const bool sharp = r->rounding <= 0.1 * VG_TOLERANCE * r->size;
    const bool hopeless = r->rounding > pow(factor, LENGTHENED) * r->size;
    const bool calm = j->noise <= 100 * VG_ROUNDING * fabs(j->middle);      /* else there may be kinks in it */
    if (better && !sharp && !hopeless && calm && j->tries++ < LENGTHENED) j->step *= factor;
    else if (j->best.step > 0) conclude(j, &j->best);
    else shorten(j, j->step);
}

static void hear_again(vg_judge *j, const vg_reading *r) {
    const double from = j->claim.step;
    if (!confirms(j, r)) j->claim.step = 0;
    if (j->claim.step == 0 && j->fitting.step > 0) decide(j, VG_VERDICT_fine, &j->fitting);
    else shorten(j, from);
}

/* Whether a shorter step bears a claim out, or shows that it was made from afar, across kinks. */
static void test_claim(vg_judge *j, const vg_reading *r) {
    const double apart = fabs(j->claim.numeric - j->symbolic), near = fabs(r->numeric - j->symbolic);
    const bool exact = near <= 0.01 * VG_TOLERANCE * r->size;      /* rounding does not do that */
    const bool nearer = r->rounding <= 2 * apart && near <= 0.3 * apart;
    if (exact) {
        decide(j, VG_VERDICT_fine, r);
    } else {
        if (nearer || !r->settled) j->claim.step = 0;
        if (nearer && r->settled) conclude(j, r);
        else shorten(j, r->step);
    }
}

static void hear_shorter(vg_judge *j, const vg_reading *r) {
    if (j->claim.step > 0) test_claim(j, r);
    else if (r->settled) conclude(j, r);
    else shorten(j, r->step);
}

bool vg_judge_hear(vg_judge *judge, const vg_samples *samples) {
    const vg_reading r = read_window(judge, samples);
    const bool near = fabs(r.numeric - judge->symbolic) <= 0.05 * VG_TOLERANCE * r.size + r.rounding;
    if (samples->count < VG_HALVINGS && !(r.settled && near)) return false;
    switch (judge->phase) {
    case VG_JUDGE_lengthen: hear_first(judge, &r); break;
    case VG_JUDGE_repeat:   hear_again(judge, &r); break;
    case VG_JUDGE_shorten:  hear_shorter(judge, &r); break;
    }
    return true;
}

/* ---- rounding */

double vg_noise_distance(uint32_t round, int side, int i) {
    static const double steps[VG_NOISE_STEPS] = { 0x1p-24, 0x1p-34 };
    return (side ? -1 : 1) * (i + 1) * steps[round];
}

bool vg_noise_suspect(double noise, double middle) { return !(noise <= 16 * VG_ROUNDING * fabs(middle)); }

/* The square of a fourth difference of pure rounding is 70 of its variances. */
static double noise_of(const double *values) {
    double most = 0, largest = 0;
    for (uint32_t k = 0; k < VG_NOISE_POINTS; k++) largest = fmax(largest, fabs(values[k]));
    for (uint32_t k = 0; k + 4 < VG_NOISE_POINTS; k++) {
        const double *v = values + k;
        most = fmax(most, fabs(v[0] - 4 * v[1] + 6 * v[2] - 4 * v[3] + v[4]));
    }
    return fmax(most / sqrt(70), VG_ROUNDING * largest);   /* where nothing shows, half a unit in the last place is there */
}

void vg_noise_hear(double *noise, const double *one_side, const double *other_side, double middle) {
    const double one = noise_of(one_side), other = noise_of(other_side);
    const double less = fmin(one, other), more = fmax(one, other);
    if (vg_noise_suspect(*noise, middle)) *noise = fmin(*noise, more <= 16 * less ? more : less);
}
