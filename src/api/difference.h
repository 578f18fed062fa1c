/* Whether a derivative is the one that central differences show. The function's values along a line come from outside:
 * a judge says how far from the middle it wants to hear them next, until it has decided. */
#ifndef VG_API_DIFFERENCE_H
#define VG_API_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Of the tensor's largest derivative: what is further off is wrong. */
#define VG_TOLERANCE 1e-7

/* Half a unit in the last place of a double, relative: what rounding makes of a value at least. */
#define VG_ROUNDING 1.2e-16

enum { VG_HALVINGS = 3 };

/* The function at step, step / 2, step / 4 above and below the middle; the first `count` (2 or 3) of them. */
typedef struct vg_samples {
    double   step;
    uint32_t count;
    double   above[VG_HALVINGS], below[VG_HALVINGS];
} vg_samples;

typedef enum vg_verdict {
    VG_VERDICT_fine,
    VG_VERDICT_wrong,
    VG_VERDICT_unsure      /* beside a kink: no step is short enough for a difference and long enough to be exact */
} vg_verdict;

/* What a window of samples shows. */
typedef struct vg_reading {
    double numeric;        /* the derivative */
    double size;           /* what differences are relative to */
    double rounding;       /* the most that the values' own rounding makes of `numeric` */
    double step;
    bool   settled;        /* the function is smooth there, and the step short enough for `numeric` to be exact */
} vg_reading;

typedef enum vg_judge_phase { VG_JUDGE_lengthen, VG_JUDGE_repeat, VG_JUDGE_shorten } vg_judge_phase;

typedef struct vg_judge {
    double symbolic;       /* the derivative that is judged */
    double scale;          /* the tensor's largest */
    double middle;         /* the function's value there */
    double noise;          /* standard deviation of what rounding adds to a value */
    double first;          /* the first step */
    double step;           /* the next one wanted; 0: it has decided */
    vg_verdict verdict;
    double off;            /* how far `symbolic` is off, relative; what rounding explains does not count */
    vg_judge_phase phase;
    uint32_t tries;        /* steps in this phase */
    vg_reading best;       /* settled, at the longest step so far (step 0: none) */
    vg_reading fitting;    /* the last of these that `symbolic` fits (step 0: none) */
    vg_reading claim;      /* settled and not what `symbolic` says (step 0: none) */
} vg_judge;

/* `unit`: how far a line is followed for the function to change noticeably. The symbolic derivative is to be set. What
 * is not finite in the middle cannot be told. */
vg_judge vg_judge_of(double scale, double middle, double noise, double unit);
/* Takes samples at the wanted step. False when two halvings do not tell: a third is needed. */
bool vg_judge_hear(vg_judge *judge, const vg_samples *samples);

/* ---- rounding
 *
 * What rounding adds to a value shows in values so near to each other that the function is a straight line but for it:
 * in their fourth differences (Hamming 1971; More, Wild 2011, "Estimating computational noise"). A kink among them
 * would pass for rounding; so they are taken on both sides of the middle, and where there seems to be much of it, again
 * at much shorter distances. */
enum { VG_NOISE_POINTS = 8, VG_NOISE_STEPS = 3 };

/* Where value i of this round on this side (0 or 1) is taken. */
double vg_noise_distance(uint32_t round, int side, int i);
/* Whether there is more of it (at first INFINITY) than one expects of a value like this: a next round is due. */
bool   vg_noise_suspect(double noise, double middle);
/* Takes a round's VG_NOISE_POINTS values on each side: *noise becomes the standard deviation, when it was suspect. */
void   vg_noise_hear(double *noise, const double *one_side, const double *other_side, double middle);

#endif
