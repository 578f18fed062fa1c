/* The command line: options, verbs, and what the verbs share. Everything goes through vgraph.h. */
#ifndef VG_CLI_CLI_H
#define VG_CLI_CLI_H

#include <stdio.h>

#include "vgraph.h"

/* Which verbs an option belongs to. */
typedef enum vg_cli_verb_bit {
    VG_CLI_RUN = 1, VG_CLI_CHECK = 2, VG_CLI_GRAPH = 4, VG_CLI_PRINT = 8, VG_CLI_DESCRIBE = 16, VG_CLI_GRADCHECK = 32,
    VG_CLI_HELP = 64, VG_CLI_TIME = 128, VG_CLI_DOCTOR = 256, VG_CLI_FMT = 512, VG_CLI_SWEEP = 1024, VG_CLI_DIFF = 2048,
    VG_CLI_REPORT = 4096, VG_CLI_EVAL = 8192, VG_CLI_PREDICT = 16384,
    VG_CLI_MODEL = VG_CLI_RUN | VG_CLI_CHECK | VG_CLI_GRAPH | VG_CLI_PRINT | VG_CLI_DESCRIBE | VG_CLI_GRADCHECK |
                   VG_CLI_TIME | VG_CLI_DOCTOR | VG_CLI_SWEEP | VG_CLI_EVAL | VG_CLI_PREDICT
} vg_cli_verb_bit;

typedef enum vg_cli_colour { VG_CLI_COLOUR_AUTO, VG_CLI_COLOUR_ALWAYS, VG_CLI_COLOUR_NEVER } vg_cli_colour;

/* An option that shapes the model, in the order given. name is NULL for --summary. */
typedef enum vg_cli_change_kind { VG_CLI_SET, VG_CLI_DATA, VG_CLI_SUMMARY, VG_CLI_INPUT } vg_cli_change_kind;
typedef struct vg_cli_change {
    vg_cli_change_kind kind;
    char       *name;
    const char *value;
    char       *text;       /* as it would be written again: "--set depth=8" */
} vg_cli_change;

/* Standard output or standard error, and why writing to it failed first: 0, or errno. */
typedef struct vg_cli_stream { FILE *file; int error; } vg_cli_stream;

typedef struct vg_cli_verb vg_cli_verb;

typedef struct vg_cli_options {
    const vg_cli_verb *verb;
    char      *command;                   /* the whole line, as a shell reads it */
    char     **arguments;                 /* FILE and what follows */
    int        argument_count;
    vg_cli_change *changes;
    size_t     change_count;
    const char **dumps;
    size_t     dump_count;
    char     **fetches;
    int        fetch_count;
    uint64_t   threads, steps, seed, batch;        /* steps, batch: 0 is "as the model says" */
    uint64_t   jobs, checkpoint_every;             /* 0: not given */
    bool       resume, partial;
    bool       has_seed, float64, no_fuse, quiet, no_files, no_watch, second, check;
    const char *out, *load, *classes, *jsonl, *stage, *format, *wrt, *of;   /* NULL: not given */
    vg_cli_colour colour;
    vg_cli_stream *output, *messages;
} vg_cli_options;

struct vg_cli_verb {
    const char *name, *arguments, *does;
    const char *example;
    const char *detail;                   /* lines of the help, or NULL */
    vg_cli_verb_bit bit;
    int         least, most;              /* how many arguments */
    vg_status (*act)(const vg_cli_options *options);
};

/* ---- main.c */

/* All verbs, those that are not built yet too. */
const vg_cli_verb *vg_cli_verbs(size_t *count);

/* ---- manual.c, completion.c: what is installed beside the program, made from the tables of verbs and options */

void vg_cli_manual(FILE *stream);
/* For bash, zsh or fish; false: another shell. */
bool vg_cli_completion(FILE *stream, const char *shell);

/* ---- options.c */

/* An option as its verb's help tells it. */
typedef struct vg_cli_option_text { const char *name, *value, *help; } vg_cli_option_text;   /* value: NULL: it takes none */
/* The verb's option `index`, in the help's order; false behind the last. */
bool      vg_cli_option_at(const vg_cli_verb *verb, size_t index, vg_cli_option_text *out);

/* Reads the options behind the verb. VG_OK, or VG_FAILED_USAGE after saying why; *help: only help was asked for. */
vg_status vg_cli_options_read(vg_cli_options *options, const vg_cli_verb *verb, int argc, char **argv, bool *help);
void      vg_cli_options_free(vg_cli_options *options);
void      vg_cli_options_help(const vg_cli_verb *verb);
/* One line, then where help is. Returns VG_FAILED_USAGE. `verb` may be NULL. */
vg_status vg_cli_usage(const vg_cli_verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- output.c */

/* calloc, realloc, and printf into a block, that end the program with VG_FAILED_RESOURCE without memory. */
void *vg_cli_alloc(size_t count, size_t size);
void *vg_cli_resize(void *block, size_t count, size_t size);
void *vg_cli_json_alloc(size_t size);   /* for jansson, whose parser loses characters where there is no memory for them */
char *vg_cli_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool vg_cli_has_colour(const vg_cli_options *options, FILE *stream);
bool vg_cli_has_unicode(void);
bool vg_cli_is_terminal(FILE *stream);   /* one that moves its cursor, at that */
uint32_t vg_cli_columns(FILE *stream, uint32_t otherwise);   /* of a terminal; `otherwise` of what is none */
uint32_t vg_cli_rows(FILE *stream);                          /* the same; 0 */
bool vg_cli_write(void *stream, const char *bytes, size_t length);   /* a vg_write to a vg_cli_stream */
void vg_cli_flush(vg_cli_stream *stream);
/* A file for results: what was there stays until the new one is whole. `path` NULL: standard output. */
typedef struct vg_cli_result { FILE *file; char *beside, *path; } vg_cli_result;
bool vg_cli_result_open(vg_cli_result *result, const char *path);      /* false after saying why */
/* keep: else the file is thrown away. False after saying why. */
bool vg_cli_result_close(vg_cli_result *result, bool keep);
void vg_cli_result_abandon(void);      /* the program ends: what is being written is thrown away */
/* "vgraph: ..." on standard error. */
void vg_cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Which of two exit statuses is told: 2 and 1, then 4 before 5 before 3, then 130. */
vg_status vg_cli_worse(vg_status a, vg_status b);

/* ---- model.c */

/* A model with the options' changes, loaded from `path`; *model is NULL after its errors were shown. Each of
 * `fetches` (NULL: none) is asked for by its place. */
vg_status vg_cli_load(const vg_cli_options *options, const char *path, char *const *fetches, int fetch_count,
                      vg_watching watching, vg_model **model);
/* The checkpoint that stands for its model, and its values: FILE.safetensors, or the one in a run's folder. NULL: the path
 * is neither. To be freed. */
char     *vg_cli_checkpoint_path(const char *path);
/* Shows the diagnostics from `from` on. */
void      vg_cli_explain(const vg_cli_options *options, const vg_model *model, size_t from);

/* ---- checkpoint.c */

/* Where they are: --load, or the checkpoint that is the model; NULL: nowhere. To be freed. */
char     *vg_cli_values_path(const vg_cli_options *options);
/* Says so when there are no values to be loaded: neither --load, nor a checkpoint as the model. */
vg_status vg_cli_needs_values(const vg_cli_options *options);
/* What --load says, or the checkpoint that is the model, into a run that has not begun; with --partial what does not fit is listed on standard error. */
vg_status vg_cli_load_values(const vg_cli_options *options, vg_run *run);
/* The folder of the run that --resume goes on with: --out, or the newest of this model with a checkpoint in it. NULL after
 * saying why, with *status; to be freed. */
char *vg_cli_resume_folder(const vg_cli_options *options, const char *model_path, vg_status *status);
/* Goes on from the folder's checkpoint; where it has none yet, the run begins at the beginning. */
vg_status vg_cli_resume(vg_run *run, const char *folder);

/* ---- tensor.c: what `print` prints */

void vg_cli_tensor_text(FILE *stream, const vg_tensor *tensor, const char *dtype);
bool vg_cli_tensor_json(FILE *stream, const vg_tensor *tensor, const char *dtype);
/* The .npy bytes of a tensor of type `dtype`: f32, f64 or i32. False when they could not be written. */
void vg_cli_npy_head(FILE *stream, const char *dtype, const int64_t *shape, uint32_t rank);
void vg_cli_npy_elements(FILE *stream, const char *dtype, const double *elements, size_t count);
bool vg_cli_tensor_npy(FILE *stream, const vg_tensor *tensor, const char *dtype);

/* ---- folder.c */

/* runs/NAME-DATE-TIME, or `out`, for what is one of `parent`'s ("runs", "sweeps"). NULL after saying why, with *status;
 * to be freed. */
char *vg_cli_folder_make(const vg_cli_options *options, const char *parent, const char *model_path, vg_status *status);
/* This process alone writes to the folder, which exists, as long as it lives. False after saying that another one does. */
bool  vg_cli_folder_lock(const char *folder);
/* "models/deep_sigmoid.nn" -> "deep_sigmoid"; to be freed. */
char *vg_cli_base_name(const char *path);
/* Makes a folder with its parents; one that exists is fine. False after saying why. */
bool  vg_cli_folder_create(const char *path);

/* ---- stop.c */

/* Listens for Ctrl-C and its like: what is returned becomes nonzero then. The second Ctrl-C kills. */
const volatile int *vg_cli_stop_listen(void);

/* ---- the verbs, one a file */

vg_status vg_cli_run(const vg_cli_options *options);
vg_status vg_cli_check(const vg_cli_options *options);
vg_status vg_cli_graph(const vg_cli_options *options);
vg_status vg_cli_print(const vg_cli_options *options);
vg_status vg_cli_describe(const vg_cli_options *options);
vg_status vg_cli_gradcheck(const vg_cli_options *options);
vg_status vg_cli_time(const vg_cli_options *options);
vg_status vg_cli_doctor(const vg_cli_options *options);
vg_status vg_cli_fmt(const vg_cli_options *options);
vg_status vg_cli_help(const vg_cli_options *options);
vg_status vg_cli_sweep(const vg_cli_options *options);
vg_status vg_cli_diff(const vg_cli_options *options);
vg_status vg_cli_report(const vg_cli_options *options);
vg_status vg_cli_eval(const vg_cli_options *options);
vg_status vg_cli_predict(const vg_cli_options *options);

#endif
