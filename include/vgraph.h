/* vgraph: models written in a small text language, trained and watched.
 *
 * The one public header. A vg_model is loaded from text, checked, and asked about; a vg_run is one training run of
 * it, or one evaluation. What follows holds for all functions that do not say otherwise.
 *
 * Ownership. Handles are opaque and the caller's until freed; a model must outlive its runs. What is passed in is
 * copied or read during the call. A text that is handed out lives with its model, run or archive; what a run hands
 * out besides is valid until the next call on that run.
 *
 * Errors. What can fail returns a vg_status, and the reasons are diagnostics of the model (vg_model_diagnostic).
 * Without memory the answer is VG_FAILED_RESOURCE, and the handles can still be freed. A handle that is NULL is a
 * mistake of the caller's where it is not said to be allowed, and so is a NULL text.
 *
 * Numbers. Tensors are dense and row by row (the last axis is the fastest); floats are float32, or float64 in a run
 * that asks for it; integers are int32. Times are seconds, memory bytes, steps count from 0.
 *
 * Threads. Nothing is shared between models: two of them can be used by two threads at once, one model and its runs
 * by one thread at a time, whichever. A run's own threads block all signals, and call nothing of the host's but
 * vg_provider.gather (a vg_sink_queue: what stands behind it). Nothing here prints, exits, changes the locale or
 * handles signals. Where a run computes by OpenBLAS (orthogonal initial values; all products where the processor is
 * no x86-64), that library has one thread meanwhile, for the whole process; before, between and after steps the
 * host's setting is as it was.
 *
 * After fork(2) the threads of a run stay with the parent: the child may free the parent's runs and models, and make
 * its own, but cannot go on with them, and must not close the parent's sinks. Fork while no other thread is within a
 * call. */
#ifndef VGRAPH_H
#define VGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VG_API __attribute__((visibility("default")))

/* Also the exit statuses of the command line. */
typedef enum vg_status {
    VG_OK              = 0,
    VG_FAILED_MODEL    = 1,    /* the model is wrong */
    VG_FAILED_USAGE    = 2,    /* an option or argument is wrong */
    VG_FAILED_EXPECT   = 3,    /* an `expect` failed */
    VG_FAILED_RESOURCE = 4,    /* data, disk or memory failed */
    VG_FAILED_NUMBERS  = 5,    /* NaN or infinity in the loss */
    VG_INTERRUPTED     = 130
} vg_status;

typedef struct vg_model vg_model;
typedef struct vg_run vg_run;

/* "0.1.0"; static. */
VG_API const char *vg_version(void);

/* Writes `length` bytes; returns false to stop (the caller then gets VG_FAILED_RESOURCE). */
typedef bool (*vg_write)(void *user, const char *bytes, size_t length);

/* ---- A model ------------------------------------------------------------------------------------------------ */

VG_API vg_model *vg_model_new(void);               /* NULL without memory */
VG_API void      vg_model_free(vg_model *model);   /* NULL is allowed */

/* What the command line's options say; all before loading. Syntax errors are diagnostics (VG_FAILED_MODEL); the same
 * name twice is VG_FAILED_USAGE. A name that the model does not have is found when it is loaded. */
VG_API vg_status vg_model_set(vg_model *model, const char *name, const char *expression);   /* --set name=expression */
VG_API vg_status vg_model_data(vg_model *model, const char *name, const char *source);      /* --data name=source */
VG_API vg_status vg_model_summary(vg_model *model, const char *statement);                  /* --summary statement */
VG_API vg_status vg_model_batch(vg_model *model, uint64_t batch);   /* --batch, 1 to 2^31 - 1; else VG_FAILED_USAGE */
VG_API vg_status vg_model_steps(vg_model *model, uint64_t steps);   /* --steps, from 1: the model's `steps`, too */
VG_API vg_status vg_model_seed(vg_model *model, uint64_t seed);     /* --seed */
/* --input name=path: an input's examples, all of its test split, from a file instead of its data set: .npy, CSV, or
 * "-", standard input; in the form that the data set has them: with its columns' names, words for classes, unscaled.
 * For vg_run_predict. */
VG_API vg_status vg_model_input(vg_model *model, const char *name, const char *path);
/* An expression of the model's names, to be read after each step (vg_run_fetch): "logits", "mean(loss)",
 * "grad(loss, h.W)". *index counts from 0. */
VG_API vg_status vg_model_fetch(vg_model *model, const char *expression, uint32_t *index);
/* Data of the host's instead of a file's. */
typedef struct vg_provider_column {
    const char *name;          /* as in the model: images in `input x: [batch, 784] = digits.images` */
    bool        integer;       /* int32; else float */
    uint32_t    rank;          /* axes of one example: 0 to 4 */
    uint32_t    shape[4];      /* their lengths, from 1 */
    uint32_t    classes;       /* of an integer column: how many (the model's digits.classes); 0: it has none */
} vg_provider_column;
typedef struct vg_provider {
    const vg_provider_column *columns;   /* copied */
    size_t      column_count;  /* 1 to 16 */
    uint64_t    count;         /* all examples: 1 to 2^31 - 1 */
    uint64_t    train;         /* the first so many are trained on, the rest is the test split; 0: a fifth is drawn */
    /* Fills `out` with column `column` (from 0) of the examples with these numbers (below `count`): [examples, shape]
     * row by row, float or int32 as the column says, also in a run of float64. False when it cannot: the run ends
     * with VG_FAILED_RESOURCE. Called within vg_run_step and vg_run_all, by their thread, or for the step to come by
     * a thread of the run's that loads ahead; of one run never twice at once, so that it needs locks only against the
     * host's own threads and other runs. It must not call the library on this model, nor leave by longjmp or an
     * exception. */
    bool      (*gather)(void *user, size_t column, const uint32_t *examples, size_t count, void *out);
    void       *user;          /* the host's, for as long as the model lives */
} vg_provider;
/* Takes the place of the model's `data NAME = ...`, as vg_model_data does; before loading. VG_FAILED_USAGE when
 * something of it is out of bounds. */
VG_API vg_status vg_model_provide(vg_model *model, const char *name, const vg_provider *provider);
/* For looking at the passes: the graph's text after the pass of this name goes to `write` while it is loaded.
 * VG_FAILED_USAGE: there is no such pass. */
VG_API vg_status vg_model_dump(vg_model *model, const char *pass, vg_write write, void *user);

/* What a run looks at so that it can say what is wrong (vg_finding). SOME: the first ten steps, every twentieth and the
 * last tenth; ALL: every step. It changes no bit of what is computed. */
typedef enum vg_watching { VG_WATCH_NOTHING, VG_WATCH_SOME, VG_WATCH_ALL } vg_watching;
VG_API vg_status vg_model_watch(vg_model *model, vg_watching watching);

/* Parses, elaborates, differentiates and checks. `name` is what messages call the text; relative paths in the model
 * start at its folder. `text` is UTF-8, `length` bytes. Reads of the data only what shapes and class counts need.
 * Once per model: again is VG_FAILED_USAGE. VG_FAILED_MODEL: the text is wrong; VG_FAILED_RESOURCE: a file cannot be
 * read. */
VG_API vg_status vg_model_load_file(vg_model *model, const char *path);
VG_API vg_status vg_model_load_text(vg_model *model, const char *name, const char *text, size_t length);

/* The model of a checkpoint, whose text, options and files are in it, as are the shapes, classes and scales of its
 * data: neither its file nor its data need be there before a run reads them. What was set before counts. Its values
 * are vg_run_load's. */
VG_API vg_status vg_model_load_checkpoint(vg_model *model, const char *path);
/* Before loading from a file or a text: what the data sets are is taken from this checkpoint, not read. */
VG_API vg_status vg_model_recall_data(vg_model *model, const char *path);

/* Writes `text` in the layout that all models have: the same tokens and comments, other white space. Nothing is loaded;
 * the model is there for the diagnostics. VG_FAILED_MODEL, and nothing written, when the text does not parse. */
VG_API vg_status vg_model_format(vg_model *model, const char *name, const char *text, size_t length, vg_write write,
                                 void *user);

/* ---- Diagnostics -------------------------------------------------------------------------------------------- */

typedef struct vg_diagnostic {
    const char *code;         /* "shape-mismatch" */
    const char *message;      /* one line */
    const char *file;         /* "" without a place */
    uint32_t    line, column; /* from 1; 0 without a place */
    vg_status   status;
} vg_diagnostic;

/* How many there are, and one of them, in the order in which they came. False: there is no such. `vg_help` explains a
 * code. */
VG_API size_t vg_model_diagnostics(const vg_model *model);
VG_API bool   vg_model_diagnostic(const vg_model *model, size_t index, vg_diagnostic *out);
/* Those from `from` on as a person reads them: source lines, carets, notes; with `colour` in ANSI's colours. */
VG_API vg_status vg_model_explain(const vg_model *model, size_t from, bool colour, vg_write write, void *user);

/* ---- Looking at a model ------------------------------------------------------------------------------------- */

typedef enum vg_stage { VG_STAGE_FORWARD, VG_STAGE_BACKWARD, VG_STAGE_FUSED, VG_STAGE_PLAN } vg_stage;
typedef enum vg_graph_format { VG_GRAPH_TEXT, VG_GRAPH_DOT, VG_GRAPH_JSON } vg_graph_format;

/* The graph, as text that can be read back, for Graphviz (not FUSED and PLAN: VG_FAILED_USAGE), or as JSON, an object
 * a line for each node: id, op, operands (ids), dtype, shape, and where there are such names, file, line, gradient_of
 * (the id of the forward node); of FUSED and PLAN also turn, pass (nodes with the same are one pass over memory), at
 * and bytes (its place). VG_FAILED_MODEL: the model is not loaded. */
VG_API vg_status vg_model_graph(vg_model *model, vg_stage stage, vg_graph_format format, vg_write write, void *user);
/* The derivative of a value with respect to another as a model of its own, in which `derivative` is bound to it: its
 * value at the first step is that of grad(y, v). `wrt` and `of` are indices of vg_model_fetch; `of` NULL: the first
 * train block's loss. VG_FAILED_MODEL when there is none, or when it has an operator that the language cannot write. */
VG_API vg_status vg_model_derivative(vg_model *model, const uint32_t *of, uint32_t wrt, vg_write write, void *user);
/* Variables, layers, shapes, parameters, FLOPs and bytes of a step, planned memory. */
VG_API vg_status vg_model_describe(vg_model *model, vg_write write, void *user);
/* What messages call the model, and its text, `length` bytes; "" before it is loaded. */
VG_API const char *vg_model_name(const vg_model *model);
VG_API const char *vg_model_source(const vg_model *model, size_t *length);

/* The word of class `index` (from 0) of a column, as in "points.verdict"; lives with the model. NULL: there is no such
 * class or column, or its classes have no words. */
VG_API const char *vg_model_class(const vg_model *model, const char *column, size_t index);

/* ---- Records: what a run says while it goes on --------------------------------------------------------------- */

typedef struct vg_bucket { double low, high; uint64_t count; } vg_bucket;   /* low <= x < high */

typedef struct vg_histogram {
    uint64_t count;                 /* all elements */
    uint64_t zeros, nans, infs;     /* not in the buckets */
    double   min, max, mean, std, rms;   /* exact, of the finite elements; 0 when there are none */
    const vg_bucket *buckets;       /* the non-empty ones, rising: LANGUAGE.md, Summaries */
    size_t   bucket_count;
} vg_histogram;

/* The first images of a tensor [n, height, width] or [n, channels, height, width]. The finite pixels of all of them
 * together are scaled from min..max to 0..255, and are 128 where min is max; infinity is 255, minus infinity and NaN
 * are 0. */
typedef struct vg_image {
    uint32_t count;                 /* 1 to 8 */
    uint32_t height, width;         /* at least 1 */
    uint32_t channels;              /* 1: grey; 3: red, green, blue */
    double   min, max;              /* of the finite pixels; 0 when there are none */
    const uint8_t *pixels;          /* [count, height, width, channels] */
} vg_image;

/* What is wrong with a network, by a rule of COMMANDS.md's `doctor`. */
typedef enum vg_severity { VG_SEVERITY_FAULT, VG_SEVERITY_NOTE } vg_severity;
typedef struct vg_finding {
    const char *rule;               /* "SATURATED" */
    vg_severity severity;
    bool        follows;            /* from the first fault: it may go away with that */
    const char *const *where;       /* variables, or names of layers' outputs, in order */
    size_t      where_count;
    double      value;              /* what the rule compares with its limit */
    double      limit;
    const char *file;               /* where that stands in the model; "" and 0 without a place */
    uint32_t    line;
    const char *say, *why;          /* what is the case, and how it comes about */
    const char *try_this;           /* what to change: an edit of the model's text where there is one */
    const char *option;             /* that does the same on the command line; NULL: none */
} vg_finding;

/* What the units of a tensor do over a mini-batch: the last axis of what layers put out, the channels of images; of a
 * gradient with respect to a variable all elements are one unit. */
typedef enum vg_watched {
    VG_WATCHED_OUTPUT,              /* what the model's text names between inputs and loss; tag: its name */
    VG_WATCHED_ACTIVATION,          /* another sigmoid, tanh or relu; "" where it has no name */
    VG_WATCHED_FLOW,                /* the gradient of the loss with respect to an output; tag: the output */
    VG_WATCHED_GRADIENT             /* with respect to a variable; tag: the variable */
} vg_watched;
typedef struct vg_units {
    vg_watched of;
    size_t count;                   /* units */
    const double *active;           /* by unit: the share of its elements above 0 */
    const double *min, *max, *mean, *variance;
    double rms;                     /* of all elements */
    double zeros;                   /* the share of elements that are 0 */
    double saturated;               /* that lie beyond .05 and .95 of a sigmoid, beyond .95 of a tanh; NaN of others */
    double silent;                  /* the share of units that are never above 0, of a relu; NaN of others */
} vg_units;

typedef enum vg_record_kind {
    VG_RECORD_START,        /* before step 0 */
    VG_RECORD_SCALAR,
    VG_RECORD_HISTOGRAM,
    VG_RECORD_IMAGE,
    VG_RECORD_EXPECT,       /* an expect's first failure, as it happens; at the end one for each expect */
    VG_RECORD_STEP,         /* after each step */
    VG_RECORD_UNITS,        /* with vg_run_options.evidence, at steps that are watched (vg_model_watch) */
    VG_RECORD_RATIO,        /* the same: norm of an update over that of its variable */
    VG_RECORD_CHECKPOINT,   /* before one is written: what came before it must be safe when the watcher returns */
    VG_RECORD_FINDING,      /* at the end, the cause first */
    VG_RECORD_DONE          /* last */
} vg_record_kind;

/* Valid during the callback only. */
typedef struct vg_record {
    vg_record_kind kind;
    uint64_t    step;          /* of the step whose batch was seen, before its update; START, CHECKPOINT, DONE: steps
                                  done so far; START's is above 0 in a run that goes on (vg_run_resume) */
    const char *tag;           /* SCALAR, HISTOGRAM, IMAGE: its tag. UNITS, RATIO: a name. EXPECT: its text.
                                  CHECKPOINT: the file's name in the folder of vg_run_checkpoints */
    double      value;         /* SCALAR, RATIO: the value. STEP: the loss (NaN without one). */
    bool        test;          /* SCALAR: of the whole test split (eval_every), before this step's update; at the end
                                  `step` is the number of steps */
    const vg_histogram *histogram;
    const vg_image *image;
    const vg_units *units;
    const vg_finding *finding;
    bool        ok;            /* EXPECT */
    const char *message;       /* EXPECT failed: the message and the values; NULL otherwise */
    uint64_t    failures;      /* EXPECT at the end: how often it failed */
    bool        last;          /* EXPECT: the count at the end of the run */
    uint64_t    steps;         /* START, STEP, CHECKPOINT: of the whole run */
    double      seconds;       /* STEP, DONE: since the first step began */
    vg_status   status;        /* DONE */
} vg_record;

/* Returns false to end the run after this step with VG_FAILED_RESOURCE. */
typedef bool (*vg_watch)(void *user, const vg_record *record);

/* ---- A run -------------------------------------------------------------------------------------------------- */

/* All 0, which is what a NULL for them means, too: train as the model says. */
typedef struct vg_run_options {
    uint64_t steps;            /* 0: as the model says */
    uint64_t seed;             /* used when has_seed */
    bool     has_seed;
    bool     float64;          /* arithmetic in double */
    uint32_t threads;          /* that compute; 0: as many as cores may be used. The same bits with any number */
    bool     no_fuse;          /* one operator after the other: the same bits, slower */
    bool     evaluation;       /* run the graph with `training` false, without updates */
    bool     evidence;         /* watch gets UNITS and RATIO records, too */
    vg_watch watch;            /* NULL: nobody watches */
    void    *user;
    uint64_t batch;            /* examples in a mini-batch, of all train blocks, up to 2^31 - 1; 0: as the model says */
    bool     fetches_only;     /* a step computes the fetches and nothing else: no update, summary, expect or loss; data
                                  that they do not need are not read. With `evaluation` this is inference */
    bool     no_data;          /* data are not read: every input that a step needs is fed */
} vg_run_options;

/* Plans the programs, loads the data, makes the initial values (those of the seed). *run is NULL when it fails;
 * VG_FAILED_MODEL: the model is not loaded, or its data have too few examples for a batch. */
VG_API vg_status vg_run_new(vg_model *model, const vg_run_options *options, vg_run **run);
VG_API void      vg_run_free(vg_run *run);   /* NULL is allowed */

typedef struct vg_input_info {
    const char    *name;
    bool           integer;    /* int32; else float */
    uint32_t       rank;
    const int64_t *shape;      /* [batch, ...], with the run's batch (of several train blocks the largest) */
    size_t         count;      /* their product */
    bool           has_data;   /* it gets its values from data, and cannot be fed */
    bool           needed;     /* a step of this run reads it: without data it must be fed before the first one */
} vg_input_info;
/* The model's inputs, in its order. VG_FAILED_USAGE: there is no such. */
VG_API size_t    vg_run_inputs(const vg_run *run);
VG_API vg_status vg_run_input(const vg_run *run, size_t index, vg_input_info *out);

/* Gives a value to an input without data: `count` numbers of the shape that vg_run_input tells, copied, and kept
 * until it is fed again. They are converted where the input's type is another: floats to int32 towards 0.
 * VG_FAILED_USAGE: there is no such input, it has data, or the count is not right; the run can go on. */
VG_API vg_status vg_run_feed(vg_run *run, const char *input, const double *values, size_t count);
VG_API vg_status vg_run_feed_f32(vg_run *run, const char *input, const float *values, size_t count);
VG_API vg_status vg_run_feed_i32(vg_run *run, const char *input, const int32_t *values, size_t count);
/* One step. It may be called beyond `steps`, as often as wanted: `steps` is what vg_run_all goes to, what schedules
 * of the rate count on, and where what is due "at the end" is due; learning goes on, and an evaluation looks at the
 * data again from the beginning. Behind the first step nothing is allocated. VG_FAILED_USAGE: an input has not been
 * fed, which can still be done. VG_FAILED_NUMBERS: the loss is not finite; VG_FAILED_RESOURCE: data could not be
 * gathered, an index of the data is out of range, or the watcher has refused. After these two every further step
 * answers the same, and what the train block in question would have updated is as it was. */
VG_API vg_status vg_run_step(vg_run *run);
/* All remaining steps, with the START and DONE records; stops after the step in which *stop becomes nonzero
 * (NULL: never), with VG_INTERRUPTED, from which another call goes on. VG_FAILED_EXPECT: all steps were done, but an
 * `expect` did not hold. Else as vg_run_step. */
VG_API vg_status vg_run_all(vg_run *run, const volatile int *stop);
/* `steps`, as the options or the model say; and how many are done. */
VG_API uint64_t  vg_run_steps(const vg_run *run);
VG_API uint64_t  vg_run_done(const vg_run *run);
/* ---- Keeping and going on. A checkpoint is a safetensors file: the variables, states and optimizers' states by their
 * paths; and in its metadata the model's text and options, what the data sets were, and how far the run is. */

/* Writes the run as it is between two steps: whole and on the disk, in the place of what was there, or not at all (then
 * VG_FAILED_RESOURCE). A link goes on pointing where it does; a pipe or a device is written to as it is. */
VG_API vg_status vg_run_save(vg_run *run, const char *path);

/* From now on vg_run_step leaves checkpoint.safetensors in this folder (made when missing) after every so many steps
 * (0: as the model says), vg_run_all at the end, too, unless numbers or resources failed; and best.safetensors where
 * the model has checkpoint_best. Each replaces the one before. `folder` is copied; NULL ends it. */
VG_API vg_status vg_run_checkpoints(vg_run *run, const char *folder, uint64_t every);

typedef enum vg_load_state { VG_LOADED, VG_LOADED_NOT, VG_LOADED_OTHER_SHAPE, VG_LOADED_UNEXPECTED } vg_load_state;
typedef struct vg_load_row {
    const char   *name;              /* the variable's path; UNEXPECTED: the tensor's name */
    vg_load_state state;             /* NOT: the file has none of this name; UNEXPECTED: the model has not */
    bool          beside;            /* a state of an optimizer, or what a checkpoint keeps beside: not needed */
    const char   *model, *file;      /* types and shapes, as in "F32 [784, 128]"; NULL: it has none */
} vg_load_row;
typedef struct vg_load_options {
    bool  partial;                   /* what is missing, unexpected or of another shape is no error, if anything fits */
    bool (*report)(void *user, const vg_load_row *row);   /* NULL: nobody; of every name, when loading succeeds. Valid
                                        during the call; false ends with VG_FAILED_RESOURCE */
    void *user;
} vg_load_options;
/* Gives the variables the values of a safetensors file's tensors of the same names and shapes: a checkpoint, or another
 * program's (floats of 16, 32 or 64 bits, whole numbers). The run begins at step 0 all the same. What does not fit is
 * VG_FAILED_MODEL, its diagnostic lists every name, and no variable is changed. States of optimizers need not be there:
 * then they begin as ever. `options` NULL: all 0. */
VG_API vg_status vg_run_load(vg_run *run, const char *path, const vg_load_options *options);
/* Before the first step: goes on where the checkpoint was written, bit for bit as if the run had never stopped. The
 * model must be the same, with the same options, seed, precision and data, or it is VG_FAILED_USAGE; only the number
 * of steps may be another. */
VG_API vg_status vg_run_resume(vg_run *run, const char *path);

/* ---- Using what was trained */

/* Computes the scalar summaries over the test split, with `training` false, as eval_every does, and records them
 * (SCALAR, test); *examples (NULL is allowed): how many it has. A summary with a gradient in it is left out. */
VG_API vg_status vg_run_test(vg_run *run, uint64_t *examples);
/* Of a run of `evaluation` and `fetches_only`: computes the fetches for all examples of the test split, batch by
 * batch, in their order, and calls each(user, first, count, examples) after each batch, in which vg_run_fetch gives
 * the values of the `count` examples from `first` on, of `examples` in all; false from it ends with
 * VG_FAILED_RESOURCE. The last batch may be smaller. Without data it is one batch. */
VG_API vg_status vg_run_predict(vg_run *run, bool (*each)(void *user, uint64_t first, uint64_t count, uint64_t examples),
                                void *user);

/* What is wrong, judged by the steps so far (vg_model_watch): the cause first. Texts live with the model, the list
 * until the next call on the run. */
VG_API vg_status vg_run_findings(vg_run *run, const vg_finding **findings, size_t *count);
/* The cores that this process may use: its affinity, and its group's share of processor time, rounded up. */
VG_API uint32_t  vg_cores(void);

typedef struct vg_tensor {
    const char    *name;         /* the expression's or variable's text */
    bool           integer;      /* int32; else float */
    uint32_t       rank;
    const int64_t *shape;
    size_t         count;
    const double  *elements;     /* row by row */
} vg_tensor;

/* The value of fetch `index` at the last step, before its updates, as doubles. VG_FAILED_USAGE: there is no such
 * fetch, or no step was done yet. */
VG_API vg_status vg_run_fetch(vg_run *run, uint32_t index, vg_tensor *out);

/* The same where it lies, in the type that it was computed in: nothing is copied. */
typedef enum vg_elements { VG_ELEMENTS_FLOAT, VG_ELEMENTS_DOUBLE, VG_ELEMENTS_INT32 } vg_elements;
typedef struct vg_raw {
    const char    *name;         /* the expression's text */
    vg_elements    type;
    uint32_t       rank;
    const int64_t *shape;
    size_t         count;
    const void    *elements;     /* row by row */
} vg_raw;
VG_API vg_status vg_run_fetch_raw(const vg_run *run, uint32_t index, vg_raw *out);

/* The variables, those that are trained, the states, and the optimizers', in the order of their definition, as they are
 * after the last step, or at first. VG_FAILED_USAGE: there is no such. */
VG_API size_t    vg_run_variables(const vg_run *run);
VG_API vg_status vg_run_variable(vg_run *run, size_t index, vg_tensor *out);
/* Gives a variable, by its name ("h[1].W"), other values: `count` numbers row by row, converted like those that are
 * fed. VG_FAILED_USAGE: there is no such variable, or the count is not right; nothing has changed then. */
VG_API vg_status vg_run_set_variable(vg_run *run, const char *name, const double *values, size_t count);

/* ---- Where the time of a step goes --------------------------------------------------------------------------- */

/* What one call of a kernel computes: an operator, or several that run as one pass; or a part of the step beside them.
 * `calls`, `seconds`, `flops`, `bytes` and `limit` are a step's: what is due in every tenth step has 0.1 calls. With
 * several threads they are of the caller's thread. */
typedef struct vg_timing_row {
    const char *what;          /* "matmul", "add+sigmoid"; beside them "loading", "recording" and the like */
    bool        computes;      /* operators; else the rest up to `calls` is NULL and 0 */
    const char *name;          /* of the value, or an expression with names; "" without any */
    const char *shape;         /* "[batch, 128]" */
    const char *file;          /* where it comes from in the model; "" and line 0 without a place */
    uint32_t    line;
    uint32_t    nodes;         /* of the graph */
    double      calls;
    double      seconds;       /* without what the clock itself takes */
    double      flops, bytes;  /* bytes: read and written, without what is passed on within the pass */
    double      limit;         /* seconds that the work needs at least, by what vg_timing says of the machine */
} vg_timing_row;

#define VG_TIMING_COPIES 5
typedef struct vg_timing {
    uint64_t    steps;         /* that were measured */
    double      seconds;       /* of a step without clocks in it */
    double      sum;           /* of the rows' */
    const char *isa;           /* the kernels' instruction set */
    const char *blas;
    uint32_t    threads;       /* that compute */
    uint64_t    batch;         /* 0: train blocks have their own */
    uint32_t    product_size;  /* the limits of a core here, measured before: a square product of so many rows, */
    double      product_rate;  /* FLOP/s; */
    struct { double bytes, rate; } copies[VG_TIMING_COPIES];   /* copies, of rising size: read and written, a second */
    size_t      row_count;
    const vg_timing_row *rows; /* as they are computed, then the others; owned by the run until the next call */
} vg_timing;

/* Trains for `steps` steps (0: as many as take about a second, at least 20) after a few that do not count, half of them
 * with the clock read between kernels. Times are means over the fastest quarter of the steps, since others on the
 * machine only make steps longer; where not the same is due in all steps, over that of each kind, weighted by how often
 * it came. So the rows add up, and `sum` can be held against `seconds`. An answer other than VG_OK is a step's. */
VG_API vg_status vg_run_time(vg_run *run, uint64_t steps, vg_timing *out);

/* ---- Checking gradients ------------------------------------------------------------------------------------- */

typedef struct vg_gradcheck_options {
    uint64_t seed;                   /* of the entries and directions that are drawn */
    uint32_t order;                  /* 1 (or 0): the gradient; 2: the derivative of the gradient */
} vg_gradcheck_options;

typedef struct vg_gradcheck_row {
    const char *variable;
    uint64_t    checked, skipped;    /* entries and directions; skipped: beside a kink */
    double      worst;               /* the largest |symbolic - numeric| / the tensor's largest derivative; what the
                                        values' rounding makes of a difference is not held against it */
    bool        ok;                  /* nothing is wrong; nothing is known, either, when nothing was checked */
    const char *blame;               /* when not ok: the operator and its source line; else NULL */
} vg_gradcheck_row;

/* Order 1: every trainable variable's symbolic gradient of the training loss (of a sum of all blocks' losses) against
 * central differences, in float64, at the first mini-batch, with all draws held fixed, a hundredth off the initial
 * values, so that nothing stands exactly on a kink: 32 random entries and 4 random directions a variable, all entries
 * up to 64. Order 2: the derivative of that gradient along a random direction of one variable after the other, at
 * such entries and directions of all variables; a row is about the variable that moves. What is further off than 1e-7
 * of the tensor's largest derivative is wrong. What cannot be told because of a kink (of relu at 0, say) nearby, at
 * however short a distance, is skipped. `report` (NULL: nobody) gets one row a variable, in order, whose texts live
 * with the model; false from it ends the check with VG_FAILED_RESOURCE. VG_FAILED_MODEL when one is wrong or nothing
 * is trained, VG_FAILED_USAGE for another order. `options` NULL: all 0. */
VG_API vg_status vg_model_gradcheck(vg_model *model, const vg_gradcheck_options *options,
                                    bool (*report)(void *user, const vg_gradcheck_row *row), void *user);

/* ---- Where records go ---------------------------------------------------------------------------------------- */

typedef struct vg_sink vg_sink;   /* a ready-made watcher */

/* JSON lines, as COMMANDS.md gives them; "-" is standard output. NULL with *error (static or the model's text). */
VG_API vg_sink *vg_sink_json(const char *path, const char **error);
/* TensorBoard's event file in `folder` (made when missing); the graph comes from `model`. */
VG_API vg_sink *vg_sink_tensorboard(const char *folder, vg_model *model, const char **error);
/* run.json in `folder` (made when missing): what was run, where, and how it ended. Written when the run starts and
 * rewritten as a whole when the sink is closed. `overrides` are the options that changed the model, as the user would
 * write them ("--set depth=8"), `command` the whole command line (NULL: there is none); copied, like `run`, whose seed
 * counts when it has one. */
typedef struct vg_journal_options {
    const char *const *overrides;
    size_t override_count;
    const char *command;
    const vg_run_options *run;
    const struct vg_archive *archive;   /* vg_sink_report tells of a run that is over what its run.json does; or NULL */
} vg_journal_options;
VG_API vg_sink *vg_sink_journal(const char *folder, vg_model *model, const vg_journal_options *options, const char **error);
/* report.html in `folder` (made when missing): the run's values, the graph and the source as one page for a browser,
 * which needs no network. Written when the sink is closed. */
VG_API vg_sink *vg_sink_report(const char *folder, vg_model *model, const vg_journal_options *options,
                               const char **error);
/* Progress on `descriptor`, and, at the end of a run, scalars, the distributions of every histogram summary side by
 * side, and small images, through `write`. */
typedef struct vg_terminal_options {
    int      progress;         /* descriptor of the progress line; -1: none */
    bool     live;             /* redraw in place */
    bool     colour, unicode;
    uint32_t columns;          /* for what goes through `write`; 0: 80 */
    uint32_t progress_columns; /* for the progress line; 0: no limit */
    uint32_t progress_rows;    /* live: rows for watched tensors stand below it, on a terminal this high; 0: none do */
    bool     diagnose;         /* what is wrong and nothing else; also says when nothing is */
    bool     files;            /* the run leaves files where the images can be seen, too */
    vg_write write;
    void    *user;
} vg_terminal_options;
VG_API vg_sink *vg_sink_terminal(const vg_terminal_options *options);
/* Hands records on to `behind` from a thread of its own, in their order, so that the run does not wait while they are
 * formatted and written. The queue holds copies in a fixed memory; when that is full the run waits, and nothing is
 * lost. Between two records of a run `behind` gets one within a few milliseconds. It has got, and answered, all that
 * came before when the START, CHECKPOINT and DONE records return: at these alone it may look at the model. A false
 * answer of its ends the run like any other, at the next record or, at the latest, in the status of DONE. With one
 * core, or without threads, `behind` is called directly. Sinks behind a queue are closed after it. */
VG_API vg_sink *vg_sink_queue(vg_watch behind, void *user, const char **error);
VG_API bool     vg_sink_watch(void *sink, const vg_record *record);      /* a vg_watch */
/* What a sink leaves out, in a sentence; NULL: nothing. */
VG_API const char *vg_sink_note(const vg_sink *sink);
/* Ends and frees (NULL is allowed); false with *error when something could not be written. */
VG_API bool     vg_sink_close(vg_sink *sink, const char **error);

/* ---- A run's folder, read again ------------------------------------------------------------------------------ */

/* run.json and the event files, as the sinks wrote them. Nothing is locked: a run that goes on can be read, too. */
typedef struct vg_archive vg_archive;

/* What run.json says; texts and lists live with the archive. */
typedef struct vg_archive_info {
    const char *folder, *version, *model, *source, *started;   /* model: the path, source: its text */
    const char *host, *processor, *blas;
    const char *const *overrides;     /* "--set depth=8" */
    size_t      override_count;
    uint64_t    seed, steps, batch;   /* steps: of the whole run */
    uint32_t    threads;              /* 0: not told */
    bool        float64;
    const vg_finding *findings;       /* the cause first */
    size_t      finding_count;
    bool        done;                 /* the run has ended; the rest is 0 before that */
    uint64_t    steps_done;
    double      seconds;
    vg_status   status;
} vg_archive_info;

/* Reads run.json. NULL without memory; what else is wrong, vg_archive_error tells. */
VG_API vg_archive *vg_archive_open(const char *folder);
VG_API void        vg_archive_close(vg_archive *archive);         /* NULL is allowed */
/* Why opening or replaying failed: "FILE: byte N: what is wrong". NULL: it did not. Lives with the archive. */
VG_API const char *vg_archive_error(const vg_archive *archive);
/* All is 0 and NULL but the folder after an error. */
VG_API const vg_archive_info *vg_archive_info_of(const vg_archive *archive);
/* The run's records again, in their order: START, scalars, histograms, images, the expects' counts, findings, and
 * DONE when the run has ended. Values and moments are exact, a histogram's buckets at most 96, neighbours merged;
 * STEP, UNITS and RATIO records and an expect's message are not kept. A record that is not whole at the end of a file
 * is being written, and left out. False when a file is damaged, or `watch` has answered false (then without an
 * error). Can be called again. */
VG_API bool vg_archive_replay(vg_archive *archive, vg_watch watch, void *user);

/* ---- A report on several runs -------------------------------------------------------------------------------- */

typedef struct vg_report_run {
    const char *name;          /* "act=relu,depth=8" */
    const char *link;          /* to the run's own report, as seen from `folder`; NULL: there is none */
    vg_archive *archive;       /* NULL: the run did not come to be, and is only named */
} vg_report_run;

/* report.html in `folder` (made when missing): the runs' settings, last values and faults as a table, each scalar and
 * each histogram's rms over steps as one picture with a line a run. False with *error, static or an archive's. */
VG_API bool vg_report_runs(const char *folder, const vg_report_run *runs, size_t count, const char **error);

/* ---- Help ---------------------------------------------------------------------------------------------------- */

/* Signature, meaning and source of an operator, library function, layer, setting, data source or message. False
 * when there is none; then what is near is written instead. An empty name lists all. */
VG_API bool vg_help(const char *name, vg_write write, void *user);
/* The candidate that `word` was probably meant to be ("did you mean"), or NULL when none is near. */
VG_API const char *vg_nearest(const char *word, const char *const *candidates, size_t count);
/* Which way a scalar of this tag gets better, as its name says: -1 down (a loss), 1 up (an accuracy), 0 not known. */
VG_API int vg_direction(const char *tag);

#ifdef __cplusplus
}
#endif

#endif
