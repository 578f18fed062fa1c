/* What is told of a run beside its values: what was run, where, how, and how it ended. run.json is this (journal.c),
 * and report.html carries it (report.c). */
#ifndef VG_WATCH_ACCOUNT_H
#define VG_WATCH_ACCOUNT_H

#include <jansson.h>

#include "api/model.h"
#include "watch/sink.h"

typedef struct vg_account_expect { const char *text; uint64_t failures; } vg_account_expect;
typedef struct vg_account_data {
    const char *name, *source;
    uint64_t    train, test;
    const char *const *classes;           /* the words of its classes; class_count 0: they have none */
    uint32_t    class_count;
} vg_account_data;

typedef struct vg_account {
    vg_mem     *mem;
    vg_model   *model;
    vg_arena    arena;
    const char *source;                   /* the model's text, as UTF-8 */
    const char *command;                  /* NULL: nobody said */
    const char **overrides;
    size_t      override_count;
    VG_VEC(vg_account_data) data;
    uint64_t    seed, steps, steps_done;
    uint64_t    resumed;                  /* the steps that were done when it went on; 0: it began at the beginning */
    uint32_t    threads;
    bool        float64, fused, started, done;
    char        date[32], host[128], processor[256];
    double      seconds;
    vg_status   status;
    VG_VEC(vg_account_expect) expects;
    VG_VEC(vg_finding) findings;
} vg_account;

/* Copies what it needs of `options`; `mem` is the sink's. */
void vg_account_begin(vg_account *account, vg_mem *mem, vg_model *model, const vg_journal_options *options);
/* START, findings and the expects' counts at the end, DONE. */
void vg_account_add(vg_account *account, const vg_record *record);
/* A new reference; NULL without memory. Allocates nothing of `mem`. */
json_t *vg_account_object(const vg_account *account);

#endif
