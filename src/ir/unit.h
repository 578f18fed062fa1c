/* A model after elaboration: its two graphs (training true and false) and the tables beside them. The front makes
 * it, the passes rewrite the graphs, the runtime reads it. */
#ifndef VG_IR_UNIT_H
#define VG_IR_UNIT_H

#include "ir/graph.h"

/* BEST stands in the evaluation graph alone: what checkpoint_best keeps the lowest of. */
typedef enum vg_summary_kind { VG_SUMMARY_SCALAR, VG_SUMMARY_HISTOGRAM, VG_SUMMARY_IMAGE, VG_SUMMARY_BEST } vg_summary_kind;

typedef struct vg_variable {
    vg_str   path;
    vg_shape shape;        /* numbers only */
    vg_dtype dtype;
    bool     trainable;    /* var; else state */
    bool     optimizer;    /* a state that an optimizer made */
    vg_span  span;
    vg_call  call;
    vg_str   initial;      /* the text of its distribution or expression, for describe */
} vg_variable;

typedef struct vg_dataset vg_dataset;   /* front/dataset.h */

typedef struct vg_input {
    vg_str      path;
    vg_shape    shape;
    vg_dtype    dtype;
    vg_dataset *dataset;   /* NULL: must be fed */
    uint32_t    column;
    vg_span     span;
} vg_input;

typedef struct vg_block {  /* a train block: a turn of each step */
    vg_str   loss;         /* its text */
    uint64_t batch;
    uint64_t every;
    bool     chosen;       /* its variables are named by `params` */
    vg_span  span;
} vg_block;

typedef struct vg_expectation {
    vg_str   text, message;
    vg_str   shown[2];     /* the texts of the expect node's operands behind the condition */
    uint64_t every;
    vg_span  span;
} vg_expectation;

/* What a survey is of, and of whom findings speak. */
typedef enum vg_role {
    VG_ROLE_output,          /* what the model's own text names on the way from the inputs to the loss */
    VG_ROLE_activation,      /* another sigmoid, tanh or relu there */
    VG_ROLE_flow,            /* the gradient of the loss with respect to an output */
    VG_ROLE_gradient,        /* with respect to a variable; one unit */
    VG_ROLE_input            /* what the first product with a variable reads, made of inputs alone */
} vg_role;

typedef struct vg_evidence {
    vg_role  role;
    vg_str   path;           /* of the output or variable; 0: an activation without a name */
    uint8_t  op;             /* of an output or activation: the operator that made it */
    uint32_t block;          /* whose loss */
    uint32_t partner;        /* flow: the place of its output among the evidence */
    uint32_t variable;       /* gradient: its number */
    bool     last;           /* an output that no product with a variable follows */
    bool     gate;           /* a sigmoid that something else that learns is multiplied by, meant to be open or shut; a tanh that is this */
    bool     shortcut;       /* an output that an earlier output is a term of */
    uint32_t bias;           /* an activation: number + 1 of the variable that is added to its product; 0: none is */
    vg_span  span;
    vg_call  call;
    vg_span  reader;         /* input: the product that reads it */
    vg_call  reader_call;
} vg_evidence;

/* What a layer puts out; else a gradient. */
static inline bool vg_evidence_is_value(const vg_evidence *row) {
    return row->role == VG_ROLE_output || row->role == VG_ROLE_activation;
}

/* How a variable is multiplied: what its initial scale is judged by. */
typedef struct vg_weight {
    uint32_t variable;
    uint64_t fan_in;         /* products that are summed to one value */
    uint64_t fan_out;        /* values that one input reaches */
    uint8_t  act;            /* the first sigmoid, tanh or relu behind it, through elementwise operators; else 0 */
    bool     last;           /* no other product with a variable follows */
    vg_span  span;           /* of the product */
    vg_call  call;
} vg_weight;

typedef struct vg_unit {
    vg_ir    *ir;
    vg_graph  graph[2];                    /* [1]: training, [0]: evaluation */
    VG_VEC(vg_variable)    variables;      /* in order of definition; the same for both graphs */
    VG_VEC(vg_input)       inputs;
    VG_VEC(vg_dataset *)   datasets;
    VG_VEC(vg_block)       blocks;         /* empty: nothing is trained */
    VG_VEC(vg_expectation) expectations;
    VG_VEC(vg_evidence)    evidence;       /* of the training graph, by the index of its roots; empty: nobody judges */
    VG_VEC(vg_weight)      weights;        /* the same; of many some, evenly */
    uint64_t               classes;        /* of a loss that is a mean of cross-entropies; 0: it is not */
    vg_place               softened;       /* a softmax whose result such a loss takes the softmax of; begin and end 0: none */
    VG_VEC(uint32_t)       untrained;      /* trainable variables that no loss reaches, though no `params` leaves them out */
    VG_VEC(uint32_t)       definitions;    /* statements of the functions that were called, each once, as they came */
    VG_VEC(vg_str)         fetches;        /* texts of what the caller asked for */
    vg_symbol batch;                       /* the first dimension's symbol of the inputs; 0 without inputs */
    VG_VEC(vg_symbol)      batch_symbols;  /* all symbols that stand for the batch size */
    uint64_t  batch_size, steps, seed;     /* of the run; steps 0: not given (a model without train: 1) */
    uint64_t  eval_every;                  /* the test split is evaluated at every so many steps; 0: never */
    vg_span   eval_span;                   /* where that stands */
    uint64_t  checkpoint_every;            /* the run's state is kept after every so many steps; 0: not by the model */
    bool      checkpoint_best;             /* graph[0] has a summary of VG_SUMMARY_BEST */
    bool      shuffle;
    bool      uses_training;               /* the two graphs differ */
} vg_unit;

#endif
