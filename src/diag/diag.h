/* Diagnostics are data: a code, a place, arguments, notes and the chain of calls; they are rendered at the end
 * (diag/render.h). diag.def has one row a message. */
#ifndef VG_DIAG_DIAG_H
#define VG_DIAG_DIAG_H

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "diag/source.h"

/* The exit statuses of COMMANDS.md. */
typedef enum vg_class {
    VG_CLASS_MODEL = 1, VG_CLASS_USAGE = 2, VG_CLASS_EXPECT = 3, VG_CLASS_RESOURCE = 4, VG_CLASS_NUMBERS = 5
} vg_class;

typedef enum vg_code {
    VG_D_none,
#define VG_DIAG(name, class, arguments, text, help) VG_D_##name,
#include "diag.def"
#undef VG_DIAG
    VG_CODE_COUNT
} vg_code;

/* VG_ARGUMENTS_name: how many {k} its text takes; vg_report checks it when it is compiled. */
enum {
    VG_ARGUMENTS_none = 0,
#define VG_DIAG(name, class, arguments, text, help) VG_ARGUMENTS_##name = (arguments),
#include "diag.def"
#undef VG_DIAG
};

typedef struct vg_code_row {
    const char *name;       /* "shape_mismatch"; shown with '-' for '_' */
    vg_class    class;
    uint32_t    arguments;
    const char *text;       /* "{0}" is the first argument */
    const char *help;       /* what to do, for `vgraph help NAME`; NULL when the text says it all */
} vg_code_row;

extern const vg_code_row vg_code_rows[VG_CODE_COUNT];

/* A frame of the live call stack: a call of a layer or function, or a turn of a loop. Frames are kept as long as
 * the sources, so that a node can say which call made it. 0 is the top level. */
typedef uint32_t vg_call;
typedef enum vg_call_kind { VG_CALL_FUNCTION, VG_CALL_LAYER, VG_CALL_LOOP } vg_call_kind;
typedef struct vg_call_row {
    vg_call      parent;
    vg_call_kind kind;
    vg_span      span;     /* of the call, or of the loop's head */
    vg_str       name;     /* of the function, or of the loop's variable */
    int64_t      index;    /* the loop variable's value */
    uint32_t     arguments; /* of a function of the library: the last one, in vg_diags.arguments; 0: none */
} vg_call_row;

/* What a call gives to a parameter: so that a mistake in the library is shown at the argument it comes from. */
typedef struct vg_argument_row { vg_str parameter; vg_span span; uint32_t next; } vg_argument_row;

typedef struct vg_note { vg_span span; const char *text; } vg_note;   /* span {0,0}: no source line */

typedef struct vg_diag {
    vg_code     code;
    vg_span     span;
    vg_call     call;
    const char *text;       /* the row's text with its arguments put in */
    uint32_t    first_note, note_count;
} vg_diag;

typedef struct vg_diags {
    vg_mem             *mem;
    vg_arena            arena;
    vg_strings         *strings;
    vg_sources          sources;
    VG_VEC(vg_call_row) calls;      /* calls.items[0] is the top level */
    VG_VEC(vg_argument_row) arguments;   /* items[0] is none */
    VG_VEC(vg_diag)     list;
    VG_VEC(vg_note)     notes;      /* grouped by diagnostic: notes are added right after their vg_report */
    vg_map              seen;       /* (code, span), or a call of the library: one mistake, one error */
    bool                muted;      /* the last report was a repetition: its notes are dropped */
} vg_diags;

void vg_diags_init(vg_diags *diags, vg_mem *mem, vg_strings *strings);
vg_call vg_diags_call(vg_diags *diags, vg_call parent, vg_call_kind kind, vg_span span, vg_str name, int64_t index);
/* The call's argument for a parameter, which stands at `parameter`; kept when that is in the library. */
void vg_diags_argument(vg_diags *diags, vg_call call, vg_str name, vg_span parameter, vg_span argument);

/* Used through vg_report. Arguments are copied. */
void vg_diags_add(vg_diags *diags, vg_code code, vg_span span, vg_call call, const char *const *arguments);
/* A note to the diagnostic reported last. */
void vg_diags_note(vg_diags *diags, vg_span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Where a mistake at `span` within `call` is shown. In the library: at the user's call that led there, or at that one of
 * its arguments which the mistaken expression is about. */
vg_span vg_diags_place(const vg_diags *diags, vg_span span, vg_call call);
/* The highest claim to the exit status among what was reported: 0, or a vg_class (4 before 5 before 3; 1 first). */
int  vg_diags_status(const vg_diags *diags);

/* vg_report(diags, unknown_name, span, call, name_text): every argument is a const char *. Without arguments
 * write vg_report0(diags, code, span, call). */
#define vg_report(diags, code, span, call, ...)                                                               \
    do {                                                                                                      \
        const char *const report_arguments[] = { __VA_ARGS__ };                                               \
        _Static_assert(sizeof report_arguments / sizeof *report_arguments == VG_ARGUMENTS_##code,             \
                       "wrong number of arguments for this message");                                        \
        vg_diags_add((diags), VG_D_##code, (span), (call), report_arguments);                                 \
    } while (0)
#define vg_report0(diags, code, span, call)                                                                   \
    do {                                                                                                      \
        _Static_assert(VG_ARGUMENTS_##code == 0, "this message takes arguments");                            \
        vg_diags_add((diags), VG_D_##code, (span), (call), NULL);                                             \
    } while (0)

#endif
