/* What a node costs, from its row's kind of cost and its shapes, for numbers put in for the symbols. */
#ifndef VG_IR_COST_H
#define VG_IR_COST_H

#include "ir/graph.h"

typedef struct vg_node_cost { double flops, bytes; } vg_node_cost;

/* `symbols` by vg_symbol, from 1; `real` is the size of a float: 4 or 8. */
vg_node_cost vg_node_cost_of(const vg_graph *graph, vg_node node, const int64_t *symbols, uint32_t real);

#endif
