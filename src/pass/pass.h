/* The passes between the elaborated graph and the program. pass.def is the pipeline; vg_passes_run goes through
 * it: pass, verify, dump if asked, stop on errors. */
#ifndef VG_PASS_PASS_H
#define VG_PASS_PASS_H

#include "ir/unit.h"

typedef enum vg_pass {
#define VG_PASS(name, needs, gives, doc) VG_PASS_##name,
#include "pass/pass.def"
#undef VG_PASS
    VG_PASS_COUNT
} vg_pass;

/* Called with the graph's text after a pass that is to be dumped. */
typedef struct vg_dump {
    bool   wanted[VG_PASS_COUNT + 1];   /* [VG_PASS_COUNT]: elaborate */
    void (*write)(void *user, const char *pass, const char *text, size_t length);
    void  *user;
} vg_dump;

/* Replaces unit->graph[k] pass by pass; the elaborated graph's columns are not freed, so that a copy of the struct
 * made before stays good. True, or false after errors were reported. */
bool vg_passes_run(vg_unit *unit, uint32_t k, const vg_dump *dump);
/* The index of a pass's name, or VG_PASS_COUNT for "elaborate"; false when there is none. */
bool vg_pass_find(const char *name, uint32_t *index);
extern const char *const vg_pass_names[VG_PASS_COUNT + 1];

/* One pass: reads `from`, fills the fresh graph `into`. Errors go to the graph's diagnostics. */
void vg_pass_differentiate(const vg_graph *from, vg_graph *into);
void vg_pass_simplify(const vg_graph *from, vg_graph *into);
void vg_pass_arrange(const vg_graph *from, vg_graph *into);
/* False where it would make the same graph once more. */
bool vg_arrange_changes(const vg_graph *graph);
/* By node: elementwise nodes of the gradient had better compute it once more than read it (recompute.c). `again` is zeroed
 * and has room for all. False when there is none. */
bool vg_find_recomputed(const vg_graph *graph, vg_mem *mem, uint8_t *again);

/* ---- gradient rules (pass/gradient_*.c), one per op.def row that has one */

/* Emits the adjoints of the operands of `node`, given its own; `out` has one place per operand, 0 is "none". An
 * adjoint may have the broadcast shape: the caller sums it back (vg_build_unbroadcast) in one place. */
typedef void (*vg_gradient_rule)(vg_graph *graph, vg_node node, vg_node adjoint, vg_node *out);
typedef struct vg_gradient_table { vg_gradient_rule rules[VG_OP_COUNT]; } vg_gradient_table;   /* NULL: passes none */
extern const vg_gradient_table vg_gradients;

/* Adds to an elaborated training graph what findings are judged by (ir/unit.h, vg_evidence), at every step or as seldom as
 * VG_CADENCE_SPARSE says, of at most `most` places in a row of outputs. */
void vg_evidence_add(vg_unit *unit, vg_graph *graph, bool every_step, uint32_t most);

/* ---- schedule and plan: from a graph to what a program needs */

/* What one node has to do with the run. */
typedef enum vg_phase {
    VG_PHASE_dead,      /* nobody needs it */
    VG_PHASE_once,      /* depends on constants alone: computed before step 0, behind the host's scalars, and kept */
    VG_PHASE_host,      /* a scalar of step and constants: in double on the host, once a turn */
    VG_PHASE_device     /* every turn in which it is due; variables and inputs, which live elsewhere, too */
} vg_phase;

/* Which roots a program runs. EVALUATION: the summaries alone, of every turn, however often they are due.
 * FETCHES: the fetches alone. */
typedef enum vg_part { VG_PART_STEP, VG_PART_INITIAL, VG_PART_EVALUATION, VG_PART_FETCHES } vg_part;

/* A cadence of its own: the first ten steps, every twentieth, and the last tenth. */
#define VG_CADENCE_SPARSE UINT64_MAX
/* The same without the last tenth, for what is large: of that the twentieths are enough. */
#define VG_CADENCE_RARE   (UINT64_MAX - 1)
/* The first ten steps alone, for what hardly changes. */
#define VG_CADENCE_FIRST  (UINT64_MAX - 2)
static inline bool vg_is_at_first_due(uint64_t step) { return step < 10; }
static inline bool vg_is_rarely_due(uint64_t step) { return step < 10 || step % 20 == 0; }
static inline bool vg_is_sparsely_due(uint64_t step, uint64_t steps) {
    return vg_is_rarely_due(step) || step >= steps - steps / 10;
}

/* How threads share a step. */
typedef struct vg_share {
    uint32_t level;          /* all threads meet between two levels */
    bool     cut;            /* each has some rows; else `owner` has all */
    uint8_t  whole;          /* of a single node: the operands that are not cut with it, as bits */
    uint32_t owner;
    int64_t  unit;           /* the rows are cut where as many as these are: a multiple of them */
} vg_share;
enum { VG_SHARE_OPERANDS = 8 };      /* of a node that is cut, at most */

typedef struct vg_schedule {
    vg_arena  arena;
    vg_part   part;
    uint8_t  *phase;         /* by node */
    uint64_t *cadences;      /* by node: bit k is set when cadence k needs it */
    uint64_t *cadence_every; /* by bit: 0 is "always" */
    uint32_t  cadence_count;
    /* The device nodes to execute, in order. Views, variables and inputs are no work. Histograms are taken on the way; the
     * other roots are read at the end of the turn, up to which the plan keeps their operands. */
    vg_node  *order;
    uint32_t  order_count;
    /* Steps: order[step[k] .. step[k + 1]) run as one. vg_schedule_make gives each node its own, vg_fuse makes groups. */
    uint32_t *step;
    uint32_t  step_count;
    vg_share *share;         /* by step (vg_share_make); NULL: one thread has all */
    uint32_t  threads;
    uint8_t  *inner;         /* by node: only its own group reads it, so it needs no place in memory */
    bool      keeps;         /* no value dies before the end */
    vg_node  *stores;        /* by node: the update whose variable it is written into where it is made; 0 is none */
} vg_schedule;

/* For turn `turn` (from 1; of no meaning but to VG_PART_STEP): its updates, losses, summaries; turn 1 has the expects
 * and fetches too. */
void vg_schedule_make(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph, vg_part part, uint32_t turn,
                      bool updates);
void vg_schedule_release(vg_schedule *schedule);
/* By node: the node whose memory it is, itself unless it is a view. `base` has room for all. */
void vg_find_bases(const vg_graph *graph, vg_node *base);
bool vg_is_histogram(const vg_graph *graph, vg_node node);
/* Whether a live root is taken on the way, as one of the steps. */
bool vg_is_step(const vg_schedule *schedule, const vg_graph *graph, vg_node root);

/* Whether such a node can stop a step: by an index out of range, or by a factorisation that fails. */
static inline bool vg_can_fault(vg_op op) {
    return op == VG_OP_gather || op == VG_OP_scatter || op == VG_OP_pick || op == VG_OP_spread
        || op == VG_OP_cross_entropy || op == VG_OP_cross_entropy_input || op == VG_OP_random_orthogonal;
}

/* The most that one group has, and reads and writes (run/group.h). */
enum { VG_GROUP_INPUTS = 16, VG_GROUP_OUTPUTS = 8, VG_GROUP_MEMBERS = 32, VG_GROUP_ROW = 2048 };

/* Elementwise nodes of one shape that follow each other become groups, with sums of their rows up to VG_GROUP_ROW and
 * what is made of them; updates and histograms go to where their operands
 * have just been made, and a new value is written straight into its variable where nobody reads the old one any more. No
 * bit of a result depends on it. */
void vg_fuse(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph);

/* The end of vg_fuse: a convolution's bias and relu go into its step, which then is [conv2d, add] or [conv2d, add, relu]. */
void vg_finish(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph);
static inline bool vg_is_finished(const vg_schedule *schedule, const vg_graph *graph, uint32_t step) {
    const uint32_t first = schedule->step[step];
    return schedule->step[step + 1] - first > 1 && vg_node_op(graph, schedule->order[first]) == VG_OP_conv2d;
}
/* What is added to it. */
static inline vg_node vg_finish_bias(const vg_graph *graph, vg_node conv, vg_node add) {
    return vg_operand(graph, add, vg_operand(graph, add, 0) == conv);
}

/* Cuts the steps for as many threads, where that pays, and puts them in order of their levels. cuts: products may be cut
 * without changing their bits. */
void vg_share_make(vg_schedule *schedule, vg_mem *mem, const vg_graph *graph, const int64_t *symbols, uint32_t threads,
                   bool cuts);
/* The rows of `unit` that part `t` of `threads` begins with. */
static inline int64_t vg_share_begin(int64_t unit, uint32_t t, uint32_t threads) { return unit * t / threads; }

enum { VG_PLAN_NONE = -1 };
typedef struct vg_plan {
    vg_arena  arena;
    int64_t  *offset;        /* by node: bytes into the turn's arena; VG_PLAN_NONE: has no place there */
    int64_t  *kept;          /* by node: bytes into the memory kept between turns (phase once); VG_PLAN_NONE */
    uint64_t *bytes;         /* by node */
    uint64_t  size;          /* of the turn's arena */
    uint64_t  kept_size;
    uint64_t  bound;         /* the most bytes alive at once: no plan can be smaller */
} vg_plan;

/* Offsets, 64-byte aligned, for the numbers that `symbols` (by vg_symbol, from 1) puts in. An operand that dies at
 * a map of the same size gives it its place. `real` is 4 or 8. False (reported: out of memory sizes) on overflow. */
bool vg_plan_make(vg_plan *plan, vg_mem *mem, const vg_graph *graph, const vg_schedule *schedule,
                  const int64_t *symbols, uint32_t real);
void vg_plan_release(vg_plan *plan);

#endif
