/* What a run is made of, for the files api/run_*.c, records.c and loader.c. */
#ifndef VG_API_RUN_H
#define VG_API_RUN_H

#include "api/model.h"
#include "base/file.h"
#include "base/thread.h"
#include "front/dataset.h"
#include "run/program.h"
#include "run/rebind.h"

/* Where a data set's examples come from, in which order. */
typedef struct vg_loader {
    vg_dataset     *set;
    const uint32_t *split;        /* example numbers of the split in use */
    uint32_t        count;
    uint32_t       *order;        /* this epoch's: places in `split` */
    uint32_t       *batch;        /* the example numbers of the mini-batch in use */
    uint32_t       *coming;       /* and of the next one, when it is loaded ahead; else NULL */
    uint32_t        next;         /* the first place of the order not seen yet */
    uint64_t        epoch;
    uint32_t        seen;         /* `next` and `epoch` behind the mini-batch in use, whatever is loaded ahead */
    uint64_t        seen_epoch;
    uint64_t        seed;
    bool            shuffle;
} vg_loader;

void vg_loader_init(vg_loader *loader, vg_mem *mem, const vg_strings *strings, vg_dataset *set, bool test, bool shuffle,
                    uint64_t seed, uint32_t largest_batch);
/* Goes on to the next `size` examples: their numbers. A training step sees a full batch: what an epoch leaves over is
 * left out. */
void vg_loader_next(vg_loader *loader, uint32_t size, uint32_t *batch);
/* Goes to where `seen` and `seen_epoch` once were. */
void vg_loader_seek(vg_loader *loader, uint64_t epoch, uint32_t next);

/* loader: its place + 1; 0: must be fed, where `read`, by a program of the run. wanted: its data are read. coming: where its
 * next batch is made, as large as the slot; NULL: nowhere. */
typedef struct vg_input_state { uint32_t slot; uint32_t loader; bool wanted, read, fed; void *coming; } vg_input_state;

/* What was fetched: `view` is the program's. Of what a later call may change, a variable or an input, `kept` has it as it
 * was in the step; else NULL. tensor.elements are made when first asked for. */
typedef struct vg_fetched { vg_tensor tensor; const vg_view *view; void *kept; } vg_fetched;

/* The next mini-batch, made by a thread of its own while the step runs. Only that thread touches the loaders and what
 * is `coming` while the batch is being made. */
typedef enum vg_ahead_state {
    VG_AHEAD_idle,
    VG_AHEAD_asked,         /* nobody has begun: the thread will, or the step itself when it comes first */
    VG_AHEAD_begun,         /* by the thread */
    VG_AHEAD_made,
    VG_AHEAD_over           /* the thread ends */
} vg_ahead_state;
typedef struct vg_ahead {
    bool       wanted;      /* the batches are large enough to be worth it, and there is a core for it */
    vg_thread *thread;      /* NULL: not begun yet */
    vg_word32  state;
    uint32_t   batch;       /* examples of the one that was asked for */
    uint32_t   failed;      /* the number + 1 of the input that could not be gathered; 0: none */
} vg_ahead;

typedef struct vg_turn {
    vg_program program;
    int64_t   *symbols;
    uint64_t   every;
    uint32_t   batch;
    vg_binding *bindings;   /* by input; NULL: inputs do not move */
} vg_turn;

/* eval_every: the test split in batches, over the variables and inputs of the run. */
enum { VG_EVAL_FULL, VG_EVAL_REST, VG_EVAL_SIZES };
typedef struct vg_evaluation {
    uint64_t   every;                   /* 0: the run has none */
    uint64_t   done;                    /* the step it was done at last, + 1; 0: none */
    uint32_t   examples;                /* in the test split; without data as many as one batch has */
    uint32_t   sizes[VG_EVAL_SIZES];    /* of a batch, and of what is left behind the full ones (0: nothing is) */
    int64_t   *symbols[VG_EVAL_SIZES];
    vg_program programs[VG_EVAL_SIZES];
    vg_binding *bindings[VG_EVAL_SIZES];
    uint32_t  *batch;                   /* example numbers */
    double    *sums;                    /* by the programs' roots: values times examples */
    double     best;                    /* the lowest value of checkpoint_best so far; infinity: there was none */
} vg_evaluation;

typedef struct vg_expect_state { uint64_t failures; bool failing; } vg_expect_state;   /* failing: in this step */

struct vg_run {
    vg_mem         mem;
    vg_model      *model;
    vg_unit       *unit;
    vg_run_options options;
    bool            large;              /* a batch is worth sharing among threads */
    struct vg_pool *pool;               /* the threads that compute */
    vg_store       store;
    uint32_t       variable_count;
    uint32_t      *variable_slots;
    vg_tensor     *variables;           /* what vg_run_variable handed out; elements made when first asked for */
    vg_fetched    *fetches;
    bool           fetched;             /* they hold the values of a batch */
    vg_input_state *inputs;             /* as unit->inputs */
    vg_loader     *loaders;
    uint32_t       loader_count;
    bool           provided;            /* some data are the host's, who is not asked by two threads at once */
    vg_ahead       ahead;
    vg_turn       *turns;
    uint32_t       turn_count;
    vg_evaluation  evaluation;
    vg_context     context;
    struct vg_judge *judge;             /* NULL: nobody asks what is wrong */
    vg_expect_state *expects;
    vg_bucket     *buckets;
    uint8_t       *pixels;              /* of one image record */
    vg_text        message;
    vg_timing_row *timing_rows;         /* what vg_run_time handed out */
    uint64_t       steps, done;
    uint32_t       real;                /* 4 or 8 */
    double         started;             /* seconds, when the first step began; < 0 before */
    double         loss;
    bool           refused;             /* the watcher asked to stop */
    vg_status      failed;              /* what ended the run; VG_OK while it can go on */
    const char    *loaded;              /* the file whose values it began with; NULL: with its own. The model's text */
    bool           given;               /* the host has fed an input or set a variable: nobody can do the same again */
    vg_text        checkpoints;         /* the folder for them; empty: none are kept */
    uint64_t       checkpoint_every;    /* 0: as the model says */
    uint64_t       kept;                /* the steps that were done at the last checkpoint, + 1; 0: none */
    vg_disk        disk;                /* for what the run itself writes */
};

/* ---- run_report.c */
void        vg_run_emit(vg_run *run, vg_record record);
/* Since the first step began. */
double      vg_run_seconds(const vg_run *run);
/* A string's text, and a number's in the model's arena: what messages are made of. */
const char *vg_run_text(const vg_run *run, vg_str id);
const char *vg_run_number(vg_run *run, int64_t number);
/* " at [1, 2]": adds to the message where element `at` lies on the view's axes from `first` on; nothing without any. */
void        vg_run_add_place(vg_run *run, const vg_view *view, int64_t at, uint32_t first);
/* What stopped a program: an index out of range, with the example, or LAPACK. */
vg_status   vg_run_report_fault(vg_run *run, const vg_program *program, const vg_context *context);

/* ---- records.c */
/* The summaries and expects of a turn that are due, its fetches and its loss; before its updates. */
void vg_run_observe(vg_run *run, vg_turn *turn);

/* ---- run_image.c */
/* Memory for the largest image record of the turns. False after reporting an image that is too large. */
bool vg_run_images_make(vg_run *run);
void vg_run_emit_image(vg_run *run, const vg_view *view, vg_record record);

/* ---- run_step.c */
/* Loads a turn's mini-batch; an error when an input was not fed. */
vg_status vg_run_prepare(vg_run *run, uint32_t turn);

/* ---- run_load.c */
/* Memory for loading ahead, where that pays. Behind the programs. */
void vg_run_load_make(vg_run *run);
/* The mini-batch of a turn, from the loading ahead or made now. VG_FAILED_RESOURCE, reported, when it cannot be had. */
vg_status vg_run_take_batch(vg_run *run, vg_turn *turn);
/* Where the host is asked for examples: from now until the next step the loading thread does not ask. */
void vg_run_load_settle(vg_run *run);
/* Reports that input `k`'s examples could not be gathered. */
vg_status vg_run_report_gather(vg_run *run, uint32_t k);
/* Asks for the mini-batch of the turn that comes after `turn`, if one does. */
void vg_run_load_ahead(vg_run *run, uint32_t turn);
/* By input, where a program made now reads it; NULL: inputs do not move. */
vg_binding *vg_run_load_bindings(vg_run *run, vg_program *program);
/* A program reads the inputs where they are now. NULL is allowed. */
void vg_run_load_bind(vg_run *run, vg_binding *bindings);
/* Ends the thread. */
void vg_run_load_end(vg_run *run);

/* ---- run_eval.c */
/* Which batches the test split falls into; nothing when nobody asks for it, or nobody watches. Behind the turns. */
void      vg_run_eval_sizes(vg_run *run);
/* The programs for these batches. False after reporting. */
bool      vg_run_eval_make(vg_run *run);
/* Records the scalar summaries over the test split, when that is due at what is now the next step (or the end). */
vg_status vg_run_evaluate(vg_run *run);

/* ---- checkpoint_write.c */
/* Writes a checkpoint where one is due after the steps so far; ends: at the end of the run, whatever is due. */
vg_status vg_run_keep(vg_run *run, bool ends);
/* The value of checkpoint_best over the test split: where it is the lowest, this state is kept. */
vg_status vg_run_keep_best(vg_run *run, double value);

/* What part of the graph a step is. */
static inline vg_part vg_run_part(const vg_run *run) {
    return run->options.fetches_only ? VG_PART_FETCHES : VG_PART_STEP;
}
/* The input's data set; NULL: it must be fed, when something reads it. */
static inline vg_dataset *vg_run_dataset(const vg_run *run, uint32_t input) {
    return run->inputs[input].wanted ? run->unit->inputs.items[input].dataset : NULL;
}

/* ---- run_needs.c: of the run's variables, data and values of a step, for the batches of its turns */
/* What the symbols stand for with a batch of that many examples, by vg_symbol. */
int64_t *vg_run_symbols(vg_run *run, uint64_t batch);
/* False when the variables and the data alone are more than there can be. */
bool vg_run_fits(vg_run *run);
/* Reports how much memory is needed, and what needs the most of it. */
void vg_run_report_needs(vg_run *run);

/* ---- run_read.c: what is handed out, as doubles but for vg_raw */
void vg_run_convert(const vg_run *run, const vg_view *view, double *elements);
void vg_run_fetches_make(vg_run *run);
/* Keeps of a fetch what would be gone when it is asked for. */
void vg_run_fetch_keep(const vg_run *run, const vg_fetched *fetched);

#endif
