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
static const double deviations = 12;        /* so many standard deviations are the most that rounding makes */

/* ---- a window */

/* How many standard deviations of a value's rounding there are in the result from so many steps, the first being 1, and
 * in the jump: the root of the sum of the squares of the values' weights. */
static const struct { double quotient, jump; } weight[VG_HALVINGS + 1] = {
    [1] = { 0.71, 0 }, [2] = { 1.9, 10.3 }, [3] = { 4.1, 24 }
};

typedef struct window {
    double slope[VG_HALVINGS];      /* by step: the central difference quotient */
    double bend[VG_HALVINGS];       /* the second difference, divided by the step */
    double deviation;               /* of a value's rounding, divided by the first step: as much as is allowed for */
} window;

/* Two steps: enough where the result is what the symbolic derivative says. Where the quotients hardly differ, the
 * longer step's, which has the least rounding, is taken as it is. */
static void read_two(const vg_judge *j, const window *w, vg_reading *r) {
    const double change = w->slope[1] - w->slope[0], jump = 2 * w->bend[1] - w->bend[0];
    const double plain = w->deviation * weight[1].quotient + fabs(change) * 4 / 3;
    const double extrapolated = w->deviation * weight[2].quotient;
    r->numeric = plain < extrapolated ? w->slope[0] : w->slope[1] + change / 3;
    r->rounding = fmin(plain, extrapolated);
    r->size = fmax(j->scale, fabs(r->numeric));
    const double limit = VG_TOLERANCE * r->size;
    const bool near = fabs(r->numeric - j->symbolic) <= 0.05 * limit + r->rounding;
    r->settled = near && fabs(change) <= 1e-3 * r->size + extrapolated &&
                 fabs(jump) <= 10 * limit + w->deviation * weight[2].jump;
}

static void read_three(const vg_judge *j, const window *w, vg_reading *r) {
    const double first = w->slope[1] - w->slope[0], second = w->slope[2] - w->slope[1];
    const double once = w->slope[1] + first / 3, again = w->slope[2] + second / 3;
    const double bent_once = 2 * w->bend[1] - w->bend[0], bent_again = 2 * w->bend[2] - w->bend[1];
    const double jump = (8 * bent_again - bent_once) / 7;
    r->numeric = (16 * again - once) / 15;
    r->rounding = w->deviation * weight[3].quotient;
    r->size = fmax(j->scale, fabs(r->numeric));
    const double limit = VG_TOLERANCE * r->size, noticeable = 0.03 * limit + r->rounding;
    const bool converges = fabs(second) <= 0.4 * fabs(first) + noticeable;
    r->settled = converges && fabs(r->numeric - again) <= noticeable &&
                 fabs(jump) <= limit + w->deviation * weight[3].jump;
}

static vg_reading read_window(const vg_judge *j, const vg_samples *s) {
    window w = { .deviation = deviations * j->noise / s->step };
    vg_reading r = { .step = s->step };
    for (uint32_t k = 0; k < s->count; k++) {
        const double step = ldexp(s->step, -(int)k);
        w.slope[k] = (s->above[k] - s->below[k]) / (2 * step);
        w.bend[k] = (s->above[k] - 2 * j->middle + s->below[k]) / step;
    }
    if (s->count < VG_HALVINGS) read_two(j, &w, &r);
    else read_three(j, &w, &r);
    return r;
}

static double bound(const vg_reading *r) { return VG_TOLERANCE * r->size + r->rounding; }

static bool agree(const vg_reading *a, const vg_reading *b) {
    return fabs(a->numeric - b->numeric) <= bound(a) + bound(b);
}

/* Settled, and so far off the symbolic derivative that it is not rounding. Where there is much of that in the values,
 * it may be small kinks that pass for it, and what they make of a difference has to be left behind far. */
static bool contradicts(const vg_judge *j, const vg_reading *r) {
    const double apart = fabs(r->numeric - j->symbolic), value = fabs(j->middle);
    const double margin = j->noise > 200 * VG_ROUNDING * value ? 32 : 4;
    const bool noisy = j->noise > 1e-6 * fmax(value, apart * r->step);
    return r->settled && !noisy && !(apart <= bound(r)) && !(apart <= margin * r->rounding);
}

/* Whether another reading shows the derivative that the claim shows. */
static bool confirms(const vg_judge *j, const vg_reading *r) {
    return contradicts(j, r) && !(fabs(r->numeric - j->claim.numeric) > 0.25 * fabs(j->claim.numeric - j->symbolic));
}

static bool fits(const vg_judge *j, const vg_reading *r) { return fabs(r->numeric - j->symbolic) <= bound(r); }

/* ---- the judge */

vg_judge vg_judge_of(double scale, double middle, double noise, double unit) {
    const bool finite = isfinite(middle) && isfinite(noise);
    return (vg_judge){ .scale = scale, .middle = middle, .noise = fmax(noise, VG_ROUNDING * fabs(middle)),
                       .first = first_step * unit, .step = finite ? first_step * unit : 0,
                       .verdict = VG_VERDICT_unsure };
}

static void decide(vg_judge *j, vg_verdict verdict, const vg_reading *r) {
    j->verdict = verdict;
    j->step = 0;
    if (verdict == VG_VERDICT_unsure) return;
    const double difference = fabs(r->numeric - j->symbolic), limit = VG_TOLERANCE * r->size;
    if (verdict == VG_VERDICT_wrong) j->off = difference < r->size ? difference / r->size : 1;
    else if (r->rounding < limit) j->off = VG_TOLERANCE * difference / bound(r);
    else if (difference > r->rounding) j->off = fmin((difference - r->rounding) / r->size, VG_TOLERANCE);
}

/* How much rounding there may be in a reading at a shorter step than the first. */
static double most_rounding(const vg_judge *j) {
    const double first = deviations * j->noise * weight[VG_HALVINGS].quotient / j->first;
    const double enough = 5 * VG_TOLERANCE * j->scale;
    return first <= enough ? enough : factor * factor * first;
}

/* On to a shorter step, as long as rounding allows. A claim stands when some more steps have not brought it down. */
static void shorten(vg_judge *j, double from) {
    const bool claimed = j->claim.step > 0;
    if (j->phase != VG_JUDGE_shorten) j->tries = 0;
    j->phase = VG_JUDGE_shorten;
    j->step = from / factor;
    j->tries++;
    const bool rough = deviations * j->noise * weight[1].quotient / j->step > most_rounding(j);
    if (claimed && j->tries > CLAIM_TRIES) decide(j, VG_VERDICT_wrong, &j->claim);
    else if (!claimed && (rough || j->tries > TRIES)) decide(j, VG_VERDICT_unsure, &j->claim);
}

/* A claim is repeated at a step near by, and at a longer one or, where that is too long, at a shorter one. */
static const double repeats[] = { 0.75, 4, 0.25 };

/* What the longest settled reading says: the symbolic derivative fits, or that it does not is repeated, or a less exact
 * reading has to do. */
static void conclude(vg_judge *j, const vg_reading *r) {
    if (fits(j, r)) {
        decide(j, VG_VERDICT_fine, r);
    } else if (contradicts(j, r)) {
        j->claim = *r;
        j->phase = VG_JUDGE_repeat;
        j->tries = 0;
        j->step = repeats[0] * r->step;
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
    const bool sharp = r->rounding <= 0.5 * VG_TOLERANCE * r->size;
    const bool hopeless = r->rounding > pow(factor, LENGTHENED) * r->size;
    const bool calm = j->noise <= 100 * VG_ROUNDING * fabs(j->middle);      /* else there may be kinks in it */
    if (better && !sharp && !hopeless && calm && j->tries++ < LENGTHENED) j->step *= factor;
    else if (j->best.step > 0) conclude(j, &j->best);
    else shorten(j, j->step);
}

static void hear_again(vg_judge *j, const vg_reading *r) {
    const double from = j->claim.step;
    const bool same = confirms(j, r);
    if (j->tries == (same ? 0 : 1)) {
        j->step = repeats[++j->tries] * from;
    } else if (same) {
        shorten(j, from);
    } else {
        j->claim.step = 0;
        if (j->fitting.step > 0) decide(j, VG_VERDICT_fine, &j->fitting);
        else shorten(j, from);
    }
}

/* Whether a shorter step bears a claim out, or shows that it was made from afar, across kinks. */
static void test_claim(vg_judge *j, const vg_reading *r) {
    const double apart = fabs(j->claim.numeric - j->symbolic), near = fabs(r->numeric - j->symbolic);
    const bool exact = near <= 0.01 * VG_TOLERANCE * r->size;      /* rounding does not do that */
    const bool nearer = isfinite(apart) && r->rounding <= 2 * apart && near <= 0.3 * apart;
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
    else if (r->settled && r->rounding <= most_rounding(j)) conclude(j, r);
    else shorten(j, r->step);
}

bool vg_judge_hear(vg_judge *judge, const vg_samples *samples) {
    const vg_reading r = read_window(judge, samples);
    if (samples->count < VG_HALVINGS && !r.settled) return false;
    switch (judge->phase) {
    case VG_JUDGE_lengthen: hear_first(judge, &r); break;
    case VG_JUDGE_repeat:   hear_again(judge, &r); break;
    case VG_JUDGE_shorten:  hear_shorter(judge, &r); break;
    }
    return true;
}

/* ---- rounding */

double vg_noise_distance(uint32_t round, int side, int i) {
    /* No powers of 2, which would round nothing. */
    static const double steps[VG_NOISE_STEPS] = { 7e-8, 7e-11, 7e-14 };
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
    return fmax(most / sqrt(70), VG_ROUNDING * largest);   /* where nothing shows there is that much */
}

static bool is_flat(const double *values) {
    for (uint32_t k = 1; k < VG_NOISE_POINTS; k++)
        if (values[k] != values[0]) return false;
    return values[0] != 0;
}

void vg_noise_hear(double *noise, const double *one_side, const double *other_side, double middle) {
    const double one = noise_of(one_side), other = noise_of(other_side);
    const double less = fmin(one, other), more = fmax(one, other);
    /* What a kink makes is in proportion to the distances. Noise that is gone altogether is that of numbers too coarse
     * to have changed at all. */
    const bool coarse = is_flat(one_side) && is_flat(other_side) && *noise > 4096 * VG_ROUNDING * fabs(middle);
    if (!vg_noise_suspect(*noise, middle) || (coarse && isfinite(*noise))) return;
    *noise = fmin(*noise, more <= 16 * less ? more : less);
}
