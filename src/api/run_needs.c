/* What the batch's symbols stand for, and how much memory a run needs then, and what for: counted from shapes alone, so
 * that it can be said when there is not as much. */
#include "api/run.h"

#include "base/os.h"

int64_t *vg_run_symbols(vg_run *run, uint64_t batch) {
    const vg_unit *unit = run->unit;
    int64_t *symbols = vg_mem_alloc(&run->mem, (run->model->ir.dims.symbols.count + 1) * sizeof *symbols);
    for (uint32_t k = 0; k <= run->model->ir.dims.symbols.count; k++) symbols[k] = 1;
    for (uint32_t k = 0; k < unit->batch_symbols.count; k++) symbols[unit->batch_symbols.items[k]] = (int64_t)batch;
    if (unit->batch) symbols[unit->batch] = (int64_t)batch;
    return symbols;
}

typedef struct needs {
    vg_run     *run;
    uint64_t    total, largest;      /* bytes */
    const char *what;                /* the largest */
    vg_span     span;
    vg_call     call;
} needs;

static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static void add(needs *n, uint64_t bytes) {
    if (__builtin_add_overflow(n->total, bytes, &n->total)) n->total = UINT64_MAX;
}

/* Whether a part is the largest so far; then the caller says what it is. */
static bool leads(needs *n, uint64_t bytes, vg_span span, vg_call call) {
    if (bytes <= n->largest) return false;
    n->largest = bytes;
    n->span = span;
    n->call = call;
    return true;
}

static const char *named(const needs *n, const char *what, vg_str name) {
    vg_ir *ir = &n->run->model->ir;
    return vg_arena_format(&ir->arena, "%s '%s'", what, vg_strings_text(&ir->strings, name));
}

/* ---- variables and data */

static uint64_t shape_bytes(const vg_run *run, vg_shape shape, vg_dtype dtype, const int64_t *symbols) {
    vg_dim list[VG_RANK_LIMIT];
    const uint32_t rank = vg_shape_list(&run->model->ir.dims, shape, list);
    uint64_t bytes = dtype == VG_I32 ? sizeof(int32_t) : run->real;
    bool empty = false;
    for (uint32_t k = 0; k < rank; k++) {
        const int64_t length = vg_dim_value(&run->model->ir.dims, list[k], symbols);
        if (length <= 0) empty = true;      /* below zero is another message, the plan's */
        else bytes = times(bytes, (uint64_t)length);
    }
    return empty ? 0 : bytes;
}

static void add_variables(needs *n) {
    const vg_unit *unit = n->run->unit;
    for (uint32_t k = 0; k < unit->variables.count; k++) {
        const vg_variable *v = &unit->variables.items[k];
        const uint64_t bytes = shape_bytes(n->run, v->shape, v->dtype, n->run->turns[0].symbols);
        add(n, bytes);
        if (leads(n, bytes, v->span, v->call)) n->what = named(n, "variable", v->path);
    }
}

static uint64_t dataset_bytes(const vg_dataset *set) {
    uint64_t example = 0;
    if (set->gather) return 0;
    for (uint32_t k = 0; k < set->column_count; k++) {
        const vg_column *column = &set->columns[k];
        uint64_t bytes = column->shares || column->mapped ? 0 : vg_storage_size(column->storage);
        for (uint32_t axis = 0; axis < column->rank; axis++) bytes = times(bytes, column->shape[axis]);
        if (__builtin_add_overflow(example, bytes, &example)) return UINT64_MAX;
    }
    return times(example, set->count);
}

static bool is_new(const vg_unit *unit, uint32_t input) {
    for (uint32_t k = 0; k < input; k++)
        if (unit->inputs.items[k].dataset == unit->inputs.items[input].dataset) return false;
    return true;
}

static void add_data(needs *n) {
    const vg_unit *unit = n->run->unit;
    for (uint32_t k = 0; k < unit->inputs.count; k++) {
        const vg_input *input = &unit->inputs.items[k];
        uint64_t bytes = 0;
        for (uint32_t t = 0; t < n->run->turn_count; t++) {
            const uint64_t batch = shape_bytes(n->run, input->shape, input->dtype, n->run->turns[t].symbols);
            if (batch > bytes) bytes = batch;
        }
        add(n, bytes);
        if (leads(n, bytes, input->span, 0)) n->what = named(n, "input", input->path);
        if (vg_run_dataset(n->run, k) == NULL || !is_new(unit, k)) continue;
        bytes = dataset_bytes(input->dataset);
        add(n, bytes);
        if (leads(n, bytes, input->span, 0)) n->what = named(n, "data", input->dataset->name);
    }
}

bool vg_run_fits(vg_run *run) {
    needs n = { .run = run };
    add_variables(&n);
    add_data(&n);
    return n.total <= vg_os_memory();
}

/* ---- values */

static const char *value_text(const needs *n, vg_shape shape) {
    vg_ir *ir = &n->run->model->ir;
    vg_text text = vg_text_new(&n->run->mem);
    vg_shape_text(&ir->dims, &ir->strings, shape, &text);
    const char *what = vg_arena_format(&ir->arena, "a value of shape %s", vg_text_c(&text));
    vg_text_free(&text);
    return what;
}

/* A program's values. False after reporting: a shape that is a mistake in itself. */
static bool add_program(needs *n, bool training, vg_part part, uint32_t turn, const int64_t *symbols) {
    vg_run *run = n->run;
    const vg_graph *graph = &run->unit->graph[training];
    vg_schedule schedule;
    vg_plan plan;
    vg_schedule_make(&schedule, &run->mem, graph, part, turn, training);
    const bool made = vg_plan_make(&plan, &run->mem, graph, &schedule, symbols, run->real);
    add(n, plan.size);
    add(n, plan.kept_size);
    for (vg_node node = 1; made && node < vg_graph_count(graph); node++) {
        const vg_place place = graph->place.items[node];
        if (plan.offset[node] == VG_PLAN_NONE && plan.kept[node] == VG_PLAN_NONE) continue;
        if (leads(n, plan.bytes[node], place.span, place.call)) n->what = value_text(n, vg_node_shape(graph, node));
    }
    vg_plan_release(&plan);
    vg_schedule_release(&schedule);
    return made;
}

static bool add_programs(needs *n) {
    const vg_run *run = n->run;
    const vg_evaluation *evaluation = &run->evaluation;
    const bool training = !run->options.evaluation;
    for (uint32_t k = 0; k < run->turn_count && (training || run->model->evaluates); k++)
        if (!add_program(n, training, vg_run_part(run), k + 1, run->turns[k].symbols)) return false;
    for (uint32_t k = 0; k < VG_EVAL_SIZES; k++)
        if (evaluation->sizes[k] && !add_program(n, false, VG_PART_EVALUATION, 0, evaluation->symbols[k])) return false;
    return true;
}

/* "3.6 TB" */
static const char *bytes_text(const needs *n, uint64_t bytes) {
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB", "EB" };
    double number = (double)bytes;
    uint32_t unit = 0;
    for (; number >= 999.95 && unit + 1 < sizeof units / sizeof *units; unit++) number /= 1000;
    return vg_arena_format(&n->run->model->ir.arena, unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
}

void vg_run_report_needs(vg_run *run) {
    needs n = { .run = run };
    add_variables(&n);
    add_data(&n);
    if (!add_programs(&n)) return;
    if (n.what == NULL) vg_report0(&run->model->ir.diags, memory_failed, n.span, 0);      /* it needs nothing to speak of */
    else vg_report(&run->model->ir.diags, memory_needed, n.span, n.call, bytes_text(&n, n.total), n.what,
                   bytes_text(&n, n.largest));
}
