/* The derivative of the gradient. With r a random direction of a variable p and g = sum(r * grad(loss, p)), the
 * symbolic gradient of g by every variable q is compared with differences: those of grad(loss, q) as p moves along r.
 * Second derivatives do not depend on the order in which they are taken, and so a few executions of the gradient serve
 * all entries of all variables, where differences of g itself would need some for each. */
#include "api/gradcheck.h"

#include <math.h>

#include "ir/build.h"

enum { ALL = UINT32_MAX };

/* A variable, and what is looked at of the gradient by it: entries, and projections on directions. */
typedef struct tensor {
    uint32_t variable;
    int64_t  size;
    double  *data;                 /* the variable: [size], as all that follow */
    double  *values, *step;        /* what it is at first, and the direction in which it moves */
    double  *weights;              /* the r of g; zeros but when this variable is p */
    double  *directions;           /* [size, VG_DIRECTIONS] */
    uint32_t direction_count, line_count;      /* the lines: directions, then entries */
    int64_t  entries[VG_ALL_UP_TO];
    double   unit;
    const vg_view *slope, *curve;  /* grad(loss, this) and grad(g, this); NULL: zeros */
} tensor;

typedef struct second {
    vg_check  *check;
    vg_graph   slope_graph, curve_graph;
    vg_program slope, curve;
    tensor    *tensors;
    uint32_t   tensor_count, line_count;
    double    *middle, *noise;     /* [lines]: of the gradient where nothing is moved */
    double    *above[VG_HALVINGS], *below[VG_HALVINGS];      /* [lines] */
    vg_judge  *judges;             /* [lines] */
    bool      *waiting;            /* [lines]: for a third halving */
} second;

/* ---- graphs */

/* The gradient, as a program whose derivative is to be found by differences. */
static void make_slopes(const vg_check *c, vg_graph *graph) {
    vg_node loss = c->loss;
    vg_gradcheck_copy(&c->base, graph, &loss, 1, &c->stopped);
    vg_gradcheck_fetch_gradients(c->run, graph, loss);
}

static vg_str weights_path(vg_ir *ir, uint32_t variable) {
    return vg_strings_format(&ir->strings, "weights %u", variable);
}

/* The gradient of g. */
static void make_curves(const vg_check *c, vg_graph *graph) {
    const uint32_t count = c->run->unit->variables.count;
    vg_node *gradients = vg_mem_alloc(&c->run->mem, count * sizeof *gradients);
    VG_VEC(vg_node) parts = { 0 };
    vg_gradcheck_gradients(c->run, graph, vg_gradcheck_losses(&c->model->elaborated[1], graph), gradients);
    for (uint32_t k = 0; k < count; k++) {
        if (gradients[k] == 0) continue;
        const vg_shape shape = vg_node_shape(graph, gradients[k]);
        const vg_node weights = vg_gradcheck_leaf(graph, shape, VG_F32, weights_path(graph->ir, k));
        const vg_node product = vg_build_map2(graph, VG_OP_mul, weights, gradients[k]);
        const uint32_t axes = (1u << vg_node_rank(graph, product)) - 1;
        vg_vec_push(&c->run->mem, &parts, vg_build_reduce(graph, VG_OP_sum, product, axes, false));
    }
    if (parts.count > 0)
        vg_gradcheck_fetch_gradients(c->run, graph, vg_build_addn(graph, parts.items, parts.count));
    vg_vec_free(&c->run->mem, &parts);
    vg_mem_free(&c->run->mem, gradients);
}

static bool make_programs(second *s) {
    const vg_check *c = s->check;
    make_slopes(c, &s->slope_graph);
    make_curves(c, &s->curve_graph);
    return vg_gradcheck_program(c->run, &s->slope_graph, &s->slope) &&
           vg_gradcheck_program(c->run, &s->curve_graph, &s->curve);
}

/* ---- lines */

static void *zeros(const second *s, int64_t count) {
    return vg_mem_alloc(&s->check->run->mem, (size_t)count * sizeof(double));
}

static void fill_tensor(second *s, tensor *t, uint32_t variable) {
    vg_run *run = s->check->run;
    const vg_view slot = run->store.slots.items[run->variable_slots[variable]].view;
    const vg_str path = weights_path(&s->check->model->ir, variable);
    const vg_random_key key = vg_check_key(s->check, variable);
    const uint32_t weights = vg_store_slot(&run->store, path, slot.dims, slot.rank, VG_F32);
    *t = (tensor){ .variable = variable, .size = slot.count, .data = slot.data };
    t->weights = run->store.slots.items[weights].view.data;
    t->values = zeros(s, t->size);
    t->step = zeros(s, t->size);
    t->slope = vg_gradcheck_view(&s->slope, 1 + variable);
    t->curve = vg_gradcheck_view(&s->curve, 1 + variable);
    t->direction_count = t->size > VG_ALL_UP_TO ? VG_DIRECTIONS : 0;
    t->directions = zeros(s, t->direction_count * t->size);
    const uint32_t entries = t->size > VG_ALL_UP_TO ? VG_ENTRIES : (uint32_t)t->size;
    for (uint32_t k = 0; k < entries; k++) t->entries[k] = vg_draw_entry(key, k, t->size);
    for (uint32_t k = 0; k < t->direction_count; k++) {
        vg_draw_direction(t->step, t->size, (vg_random_key){ key.stream, key.turn + 1 + k });
        for (int64_t i = 0; i < t->size; i++) t->directions[i * VG_DIRECTIONS + k] = t->step[i];
    }
    vg_draw_direction(t->step, t->size, key);
    for (int64_t i = 0; i < t->size; i++) t->values[i] = t->data[i];
    t->unit = vg_tensor_unit(t->values, t->size);
    t->line_count = t->direction_count + entries;
    s->line_count += t->line_count;
}

static void make_lines(second *s) {
    vg_run *run = s->check->run;
    s->tensors = vg_mem_alloc(&run->mem, run->unit->variables.count * sizeof *s->tensors);
    for (uint32_t k = 0; k < run->unit->variables.count; k++)
        if (run->unit->variables.items[k].trainable) fill_tensor(s, &s->tensors[s->tensor_count++], k);
    s->middle = zeros(s, s->line_count);
    s->noise = zeros(s, s->line_count);
    for (uint32_t k = 0; k < VG_HALVINGS; k++) {
        s->above[k] = zeros(s, s->line_count);
        s->below[k] = zeros(s, s->line_count);
    }
    s->judges = vg_mem_alloc(&run->mem, s->line_count * sizeof *s->judges);
    s->waiting = vg_mem_alloc(&run->mem, s->line_count * sizeof *s->waiting);
}

/* What the lines show of a program's result, in order, `stride` numbers apart. */
static void read_lines(const second *s, bool curve, double *out, uint32_t stride) {
    for (uint32_t k = 0; k < s->tensor_count; k++) {
        const tensor *t = &s->tensors[k];
        const vg_view *view = curve ? t->curve : t->slope;
        const double *data = view ? view->data : NULL;
        double sums[VG_DIRECTIONS] = { 0 };      /* side by side: each alone would wait for its own last addition */
        for (int64_t i = 0; data && t->direction_count > 0 && i < t->size; i++)
            for (uint32_t d = 0; d < VG_DIRECTIONS; d++) sums[d] += t->directions[i * VG_DIRECTIONS + d] * data[i];
        for (uint32_t i = 0; i < t->line_count; i++, out += stride) {
            if (i < t->direction_count) *out = sums[i];
            else *out = data ? data[t->entries[i - t->direction_count]] : 0;
        }
    }
}

/* The gradient with one tensor (or ALL, each by its own unit) moved along its direction. */
static void measure(second *s, uint32_t which, double distance, double *out, uint32_t stride) {
    vg_context context = { .seed = s->check->run->context.seed, .turn = 1 };
    for (uint32_t k = 0; k < s->tensor_count; k++) {
        tensor *t = &s->tensors[k];
        const double by = which == ALL ? distance * t->unit : distance;
        if (which != ALL && which != k) continue;
        for (int64_t i = 0; i < t->size; i++) t->data[i] = t->values[i] + by * t->step[i];
    }
    vg_program_execute(&s->slope, &context, 1);
    read_lines(s, false, out, stride);
    for (uint32_t k = 0; k < s->tensor_count; k++) {
        tensor *t = &s->tensors[k];
        if (which != ALL && which != k) continue;
        for (int64_t i = 0; i < t->size; i++) t->data[i] = t->values[i];
    }
}

static void find_noise(second *s) {
    const int64_t count = (int64_t)s->line_count * VG_NOISE_POINTS;
    double *values[2] = { zeros(s, count), zeros(s, count) };
    for (uint32_t line = 0; line < s->line_count; line++) s->noise[line] = INFINITY;
    for (uint32_t round = 0; round < VG_NOISE_STEPS; round++) {
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < VG_NOISE_POINTS; i++)
                measure(s, ALL, vg_noise_distance(round, side, i), values[side] + i, VG_NOISE_POINTS);
        for (uint32_t line = 0; line < s->line_count; line++) {
            const double *one = values[0] + line * VG_NOISE_POINTS, *other = values[1] + line * VG_NOISE_POINTS;
            vg_noise_hear(&s->noise[line], one, other, s->middle[line]);
        }
    }
    vg_mem_free(&s->check->run->mem, values[0]);
    vg_mem_free(&s->check->run->mem, values[1]);
}

/* ---- the check */

/* A judge for each line, with what the symbolic derivative says. False after a fault. */
static bool begin(second *s, tensor *moving, vg_context *context) {
    double *symbolic = zeros(s, s->line_count);
    uint32_t line = 0;
    for (int64_t i = 0; i < moving->size; i++) moving->weights[i] = moving->step[i];
    const bool fine = vg_program_execute(&s->curve, context, 1);
    for (int64_t i = 0; i < moving->size; i++) moving->weights[i] = 0;
    read_lines(s, true, symbolic, 1);
    for (uint32_t k = 0; k < s->tensor_count; k++) {
        const tensor *t = &s->tensors[k];
        const double *data = t->curve ? t->curve->data : NULL;
        double largest = 0;
        for (int64_t i = 0; data && i < t->size; i++)
            if (isfinite(data[i])) largest = fmax(largest, fabs(data[i]));
        for (uint32_t i = 0; i < t->line_count; i++, line++) {
            s->judges[line] = vg_judge_of(largest, s->middle[line], s->noise[line], moving->unit);
            s->judges[line].symbolic = symbolic[line];
        }
    }
    vg_mem_free(&s->check->run->mem, symbolic);
    return fine;
}

static double wanted_step(const second *s) {
    for (uint32_t line = 0; line < s->line_count; line++)
        if (s->judges[line].step > 0) return s->judges[line].step;
    return 0;
}

/* Lets the judges that want this step (or, with 3 halvings, those that wait) hear of it. True if one waits for more. */
static bool tell(second *s, double step, uint32_t halvings) {
    bool more = false;
    for (uint32_t line = 0; line < s->line_count; line++) {
        if (s->judges[line].step != step || (halvings == VG_HALVINGS && !s->waiting[line])) continue;
        vg_samples samples = { .step = step, .count = halvings };
        for (uint32_t k = 0; k < halvings; k++) {
            samples.above[k] = s->above[k][line];
            samples.below[k] = s->below[k][line];
        }
        s->waiting[line] = !vg_judge_hear(&s->judges[line], &samples);
        more = more || s->waiting[line];
    }
    return more;
}

static vg_comparison compare(second *s, uint32_t moving) {
    vg_comparison result = { .ok = true };
    for (double step; (step = wanted_step(s)) > 0;) {
        for (uint32_t k = 0; k < VG_HALVINGS; k++) {
            measure(s, moving, ldexp(step, -(int)k), s->above[k], 1);
            measure(s, moving, -ldexp(step, -(int)k), s->below[k], 1);
            if (k > 0 && !tell(s, step, k + 1)) break;
        }
    }
    for (uint32_t line = 0; line < s->line_count; line++) vg_comparison_add(&result, &s->judges[line]);
    return result;
}

/* Any operator of the gradient may be wrong, whichever variable it does not depend on. */
static const char *blame(vg_check *c, uint32_t variable) {
    vg_blame *b = &c->blame;
    if (b->graph.ir == NULL) {
        vg_graph slopes;
        vg_graph_init(&slopes, c->base.ir, VG_EMIT_FAITHFUL);
        vg_graph_init(&b->graph, c->base.ir, VG_EMIT_FAITHFUL);
        make_slopes(c, &slopes);
        vg_pass_differentiate(&slopes, &b->graph);
        vg_graph_free(&slopes);
        vg_blame_begin(b, c->run);
    }
    return vg_blame_find(b, c->run, 0, vg_check_key(c, variable));
}

static vg_status check_tensors(second *s) {
    vg_check *c = s->check;
    for (uint32_t k = 0; k < s->tensor_count; k++) {
        vg_context context = { .seed = c->run->context.seed, .turn = 1 };
        const uint32_t variable = s->tensors[k].variable;
        if (!begin(s, &s->tensors[k], &context)) return vg_run_report_fault(c->run, &s->curve, &context);
        const vg_comparison result = compare(s, k);
        if (!vg_check_report(c, variable, &result, result.ok ? NULL : blame(c, variable))) return VG_FAILED_RESOURCE;
    }
    return c->status;
}

vg_status vg_gradcheck_second(vg_check *check) {
    second s = { .check = check };
    vg_status status;
    vg_graph_init(&s.slope_graph, check->base.ir, VG_EMIT_FAITHFUL);
    vg_graph_init(&s.curve_graph, check->base.ir, VG_EMIT_FAITHFUL);
    if (vg_gradcheck_hold(check->run, &check->stopped) && make_programs(&s)) {
        make_lines(&s);
        measure(&s, ALL, 0, s.middle, 1);
        find_noise(&s);
        status = check_tensors(&s);
    } else {
        status = vg_model_status(check->model);
    }
    vg_graph_free(&s.slope_graph);
    vg_graph_free(&s.curve_graph);
    return status;
}
