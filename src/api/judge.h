/* What a run keeps to be judged by (judge.c), and the rules over it (findings.c, advice.c). */
#ifndef VG_API_JUDGE_H
#define VG_API_JUDGE_H

#include "api/run.h"

/* What is kept of one survey. */
typedef enum vg_measure {
    VG_MEASURE_rms,
    VG_MEASURE_edge,         /* share beyond the survey's limits */
    VG_MEASURE_zeros,
    VG_MEASURE_tiny,
    VG_MEASURE_wrong,
    VG_MEASURE_still,        /* share of units whose standard deviation is below a hundredth of their mean's size */
    VG_MEASURE_silent,       /* share of units that are never above 0 */
    VG_MEASURE_mean,
    VG_MEASURE_COUNT
} vg_measure;

enum { VG_WINDOW = 64 };     /* samples of a window at most */
typedef struct vg_sample { uint64_t step; float of[VG_MEASURE_COUNT]; } vg_sample;

/* The first VG_WINDOW samples, and a ring of the last. */
typedef struct vg_track {
    vg_sample first[VG_WINDOW], ring[VG_WINDOW];
    uint32_t  count;         /* samples so far */
    uint32_t  units;
    uint32_t *active;        /* by unit: the number of the last sample in which it was above 0, from 1 */
    uint64_t  wrong;         /* the first step with NaN or infinity, + 1; 0: none */
    double    bias;          /* of an activation: the mean of the initial values of what is added to its product */
} vg_track;

/* A weight over time: how far an update moves it. */
typedef struct vg_moving {
    uint32_t  slot;
    double   *before;        /* its elements before the update of this step */
    vg_track  track;         /* VG_MEASURE_rms: norm of the update over that of the weight */
    double    std;           /* of the initial values */
    double    alike, alike_last;   /* share of its units that have the same weights as another, at first and at the end */
} vg_moving;

typedef struct vg_judge {
    vg_track  *tracks;       /* as unit->evidence */
    vg_moving *moving;       /* as unit->weights */
    double    *numbers;      /* of one survey */
    vg_track   loss;         /* VG_MEASURE_rms: the loss of the first block */
    vg_finding *findings;    /* by the first `judged` steps */
    size_t     finding_count;
    uint64_t   judged;
} vg_judge;

/* Memory, when the model has evidence; else nothing. Behind the programs and the initial values. */
void vg_judge_make(vg_run *run);
/* A survey [VG_SURVEY_ROWS, units] of this step. */
void vg_judge_see(vg_run *run, uint32_t index, const vg_view *survey);
/* At the end, before vg_judge_find. */
void vg_judge_ends(vg_run *run);
/* Around a step. loss: of the first block. */
void vg_judge_before(vg_run *run);
void vg_judge_after(vg_run *run, double loss);

/* The median of a measure over the samples of the first or of the last tenth of the steps; NaN without any. */
double vg_track_median(const vg_track *track, vg_measure measure, bool last, uint64_t steps);
/* The share of units that were not active once in the last 20 samples; 0 with fewer. */
double vg_track_dead(const vg_track *track);

/* Fills judge->findings, unless no step came since it did; texts live with the model. */
void vg_judge_find(vg_run *run);

/* ---- trace.c */
/* Where numbers that are none come from at a step. */
typedef struct vg_origin {
    const char *text;        /* "log(p)", as the model says it; or "the gradient of log(p)" */
    const char *op;
    double      low, high;   /* of the operand's elements; both 0 of none */
    bool        operand;
    vg_span     span;
    vg_call     call;
} vg_origin;
/* Goes the same way again up to `step`, and finds the first node, in the order of the graph, that makes NaN or infinity of
 * finite operands. False when none does. */
bool vg_trace_nonfinite(vg_run *run, uint64_t step, vg_origin *origin);

/* ---- advice.c: edits of the model's own text */
typedef struct vg_edit {
    const char *text;        /* "line 7: const init = he_normal()"; NULL: no place was found */
    const char *option;      /* "--set 'init=he_normal()'"; NULL: none does the same */
} vg_edit;
/* All of them: no edit, text NULL, where the model, or --set, says that already. */
/* Another initializer for a variable; another initial value for one that has `= VALUE`; another rate for a block's optimizer,
 * `times` the present one, of two digits. */
vg_edit vg_advise_initial(vg_run *run, uint32_t variable, const char *initializer);
vg_edit vg_advise_value(vg_run *run, uint32_t variable, const char *value);
vg_edit vg_advise_rate(vg_run *run, uint32_t block, double times);
/* An input brought to mean 0 and deviation 1 where it is first used. */
vg_edit vg_advise_input(vg_run *run, const vg_evidence *row, double mean, double deviation);
/* A softmax left out. */
vg_edit vg_advise_unsoftened(vg_run *run, vg_place softmax);
/* Two at once: the first alone where both are edits of one line. */
vg_edit vg_advise_both(vg_run *run, vg_edit a, vg_edit b);
/* Another activation for what is made by the call. */
vg_edit vg_advise_activation(vg_run *run, vg_span span, vg_call call, const char *from, const char *to);

#endif
