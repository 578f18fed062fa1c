/* The command line: options, verbs, and what the verbs share. Everything goes through vgraph.h. */
#ifndef VG_CLI_CLI_H
#define VG_CLI_CLI_H

#include <stdio.h>

#include "vgraph.h"

/* Which verbs an option belongs to. */
typedef enum vg_cli_verb_bit {
    VG_CLI_RUN = 1, VG_CLI_CHECK = 2, VG_CLI_GRAPH = 4, VG_CLI_PRINT = 8, VG_CLI_DESCRIBE = 16, VG_CLI_GRADCHECK = 32,
    VG_CLI_HELP = 64, VG_CLI_TIME = 128, VG_CLI_DOCTOR = 256, VG_CLI_FMT = 512, VG_CLI_SWEEP = 1024, VG_CLI_DIFF = 2048,
    VG_CLI_REPORT = 4096,
    VG_CLI_MODEL = VG_CLI_RUN | VG_CLI_CHECK | VG_CLI_GRAPH | VG_CLI_PRINT | VG_CLI_DESCRIBE | VG_CLI_GRADCHECK |
                   VG_CLI_TIME | VG_CLI_DOCTOR | VG_CLI_SWEEP
} vg_cli_verb_bit;

typedef enum vg_cli_colour { VG_CLI_COLOUR_AUTO, VG_CLI_COLOUR_ALWAYS, VG_CLI_COLOUR_NEVER } vg_cli_colour;

/* An option that shapes the model, in the order given. name is NULL for --summary. */
typedef enum vg_cli_change_kind { VG_CLI_SET, VG_CLI_DATA, VG_CLI_SUMMARY } vg_cli_change_kind;
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
    uint64_t   threads, steps, seed, batch;        /* steps, batch: 0 is "as the model says" */
    uint64_t   jobs;                               /* 0: not given */
    bool       has_seed, float64, no_fuse, quiet, no_files, no_watch, second, check;
    const char *out, *jsonl, *stage, *format, *wrt, *of;   /* NULL: not given */
    vg_cli_colour colour;
    vg_cli_stream *output, *messages;
} vg_cli_options;

struct vg_cli_verb {
    const char *name, *arguments, *does;
    const char *example;
    const char *detail;                   /* lines of the help, or NULL */
    vg_cli_verb_bit bit;
    int         least, most;              /* how many arguments */
    vg_status (*act)(const vg_cli_options *options);   /* NULL: not built yet */
};

/* ---- options.c */

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
char *vg_cli_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool vg_cli_has_colour(const vg_cli_options *options, FILE *stream);
bool vg_cli_has_unicode(void);
bool vg_cli_is_terminal(FILE *stream);   /* one that moves its cursor, at that */
uint32_t vg_cli_columns(FILE *stream, uint32_t otherwise);   /* of a terminal; `otherwise` of what is none */
uint32_t vg_cli_rows(FILE *stream);                          /* the same; 0 */
bool vg_cli_write(void *stream, const char *bytes, size_t length);   /* a vg_write to a vg_cli_stream */
void vg_cli_flush(vg_cli_stream *stream);
/* "vgraph: ..." on standard error. */
void vg_cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Which of two exit statuses is told: 2 and 1, then 4 before 5 before 3, then 130. */
vg_status vg_cli_worse(vg_status a, vg_status b);

/* ---- model.c */

/* A model with the options' changes, loaded from `path`; *model is NULL after its errors were shown. Each of
 * `fetches` (NULL: none) is asked for by its place. */
vg_status vg_cli_load(const vg_cli_options *options, const char *path, char *const *fetches, int fetch_count,
                      vg_watching watching, vg_model **model);
/* Shows the diagnostics from `from` on. */
void      vg_cli_explain(const vg_cli_options *options, const vg_model *model, size_t from);

/* ---- tensor.c: what `print` prints */

void vg_cli_tensor_text(FILE *stream, const vg_tensor *tensor, const char *dtype);
bool vg_cli_tensor_json(FILE *stream, const vg_tensor *tensor, const char *dtype);
/* The .npy bytes of a tensor of type `dtype`: f32, f64 or i32. False when they could not be written. */
bool vg_cli_tensor_npy(FILE *stream, const vg_tensor *tensor, const char *dtype);

/* ---- folder.c */

/* runs/NAME-DATE-TIME, or `out`, for what is one of `parent`'s ("runs", "sweeps"). NULL after saying why, with *status;
 * to be freed. */
char *vg_cli_folder_make(const vg_cli_options *options, const char *parent, const char *model_path, vg_status *status);
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

#endif
