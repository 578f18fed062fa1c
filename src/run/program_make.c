/* Making a program: every node gets a view of where its value lies, every node that is work a flat step. */
#include "run/program_make.h"

#include "base/os.h"
#include "run/pool.h"

typedef vg_maker maker;

vg_view vg_program_shape(const maker *m, vg_node node) {
    vg_dim list[VG_RANK_LIMIT];
    vg_view view = { .dtype = vg_node_dtype(m->graph, node), .count = 1 };
    view.rank = vg_shape_list(&m->ir->dims, vg_node_shape(m->graph, node), list);
    for (uint32_t k = 0; k < view.rank; k++) {
        view.dims[k] = vg_dim_value(&m->ir->dims, list[k], m->symbols);
        view.count *= view.dims[k];
    }
    return view;
}

static uint32_t add_view(const maker *m, vg_view view) {
    vg_vec_push(m->program->mem, &m->program->views, view);
    return m->program->views.count - 1;
}

void vg_program_view(const maker *m, uint32_t view) {
    const vg_view copy = m->program->views.items[view];
    add_view(m, copy);
}

static vg_word attr_word(const maker *m, vg_node node, uint32_t k) {
    uint32_t count;
    return vg_attr_words(m->ir, m->graph->attr.items[node], &count)[k];
}

/* The system promises more memory than it has, and ends the process that takes it at its word: what cannot be had is
 * not asked for. */
static void check_memory(vg_mem *mem, uint64_t bytes) {
    if (mem->bytes + bytes > vg_os_memory()) vg_mem_fail(mem);
}

/* ---- which scalars the host knows */

static bool host_knows(const maker *m, vg_node node) {
    const vg_graph *graph = m->graph;
    const vg_op op = vg_node_op(graph, node);
    double value;
    if (vg_node_rank(graph, node) != 0) return false;
    if (op == VG_OP_step || op == VG_OP_dimension || vg_node_uniform(graph, node, &value)) return true;
    if (!vg_op_is(op, VG_FLAG_map)) return false;
    for (uint32_t k = 0; k < graph->operand_count.items[node]; k++)
        if (m->program->host_of[vg_operand(graph, node, k)] == 0) return false;
    return true;
}

/* Of one that the host knows. */
static bool is_fixed(const maker *m, vg_node node) {
    if (vg_node_op(m->graph, node) == VG_OP_step) return false;
    for (uint32_t k = 0; k < m->graph->operand_count.items[node]; k++)
        if (!m->program->host.items[m->program->host_of[vg_operand(m->graph, node, k)] - 1].fixed) return false;
    return true;
}

/* Marks them; their views come with the others'. */
static void find_host(const maker *m) {
    vg_program *program = m->program;
    for (vg_node node = 1; node < vg_graph_count(m->graph); node++) {
        const vg_phase phase = (vg_phase)program->schedule.phase[node];
        if ((phase != VG_PHASE_host && phase != VG_PHASE_once) || !host_knows(m, node)) continue;
        vg_vec_push(program->mem, &program->host, ((vg_host_row){ node, 0, is_fixed(m, node) }));
        program->host_of[node] = program->host.count;
    }
    program->host_values = vg_mem_alloc(program->mem, program->host.count * sizeof(double));
    program->host_memory = vg_mem_alloc(program->mem, program->host.count * sizeof(double));
}

/* ---- where values lie */

static void *data_of(const maker *m, vg_node node, const vg_view *view) {
    vg_program *program = m->program;
    const vg_op op = vg_node_op(m->graph, node);
    const bool slot = op == VG_OP_variable || op == VG_OP_input;
    if (slot) {
        const uint32_t k = vg_store_slot(m->store, (vg_str)attr_word(m, node, 1), view->dims, view->rank, view->dtype);
        return m->store->slots.items[k].view.data;
    }
    if (program->schedule.stores[node]) {
        const vg_str path = (vg_str)attr_word(m, program->schedule.stores[node], 0);
        const uint32_t k = vg_store_slot(m->store, path, view->dims, view->rank, view->dtype);
        return m->store->slots.items[k].view.data;
    }
    if (program->host_of[node]) return program->host_memory + (program->host_of[node] - 1) * sizeof(double);
    if (vg_op_is(op, VG_FLAG_view)) return program->views.items[program->view_of[vg_operand(m->graph, node, 0)]].data;
    if (program->plan.kept[node] != VG_PLAN_NONE) return program->kept + program->plan.kept[node];
    return program->memory + program->plan.offset[node];
}

/* The elements of a constant leaf, which no kernel makes. */
static void fill_leaf(const maker *m, vg_node node, const vg_view *view) {
    double value = 0;
    if (vg_node_op(m->graph, node) == VG_OP_constant) {
        const vg_constant *constant = &m->ir->constants.items[attr_word(m, node, 1)];
        for (int64_t i = 0; i < view->count; i++) vg_view_set(view, i, m->program->real, constant->elements[i]);
    } else if (vg_node_uniform(m->graph, node, &value)) {
        for (int64_t i = 0; i < view->count; i++) vg_view_set(view, i, m->program->real, value);
    }
}

static void make_views(const maker *m) {
    vg_program *program = m->program;
    for (vg_node node = 1; node < vg_graph_count(m->graph); node++) {
        const vg_op op = vg_node_op(m->graph, node);
        if (program->schedule.phase[node] == VG_PHASE_dead || vg_op_is(op, VG_FLAG_effect) ||
            program->schedule.inner[node]) continue;
        vg_view view = vg_program_shape(m, node);
        view.data = data_of(m, node, &view);
        program->view_of[node] = add_view(m, view);
        if (program->host_of[node])
            program->host.items[program->host_of[node] - 1].view = program->view_of[node];
        else if (op == VG_OP_constant || op == VG_OP_fill)
            fill_leaf(m, node, &view);
    }
}

/* The operands' views behind each other. */
static uint32_t operand_views(const maker *m, vg_node node) {
    vg_program *program = m->program;
    const uint32_t first = program->views.count;
    for (uint32_t k = 0; k < m->graph->operand_count.items[node]; k++)
        vg_program_view(m, program->view_of[vg_operand(m->graph, node, k)]);
    return first;
}

/* ---- steps */

/* The attribute's words as kernels read them: dimensions as numbers, texts as hashes. */
static void add_words(const maker *m, vg_node node, vg_step_row *row) {
    vg_program *program = m->program;
    const char *layout = vg_op_rows[vg_node_op(m->graph, node)].attr;
    const vg_word *words = vg_attr_words(m->ir, m->graph->attr.items[node], &row->word_count);
    char letter = 'i';
    row->first_word = program->words.count;
    for (uint32_t k = 0; k < row->word_count; k++) {
        if (layout && *layout) {      /* "name:letter,", or "name:letter*" to the end */
            layout = strchr(layout, ':') + 1;
            letter = *layout++;
            if (*layout == '*') layout = NULL;
        }
        uint64_t word = words[k];
        if (letter == 'd') {
            word = (uint64_t)vg_dim_value(&m->ir->dims, (vg_dim)word, m->symbols);
        } else if (letter == 's') {
            const char *text = vg_strings_text(&m->ir->strings, (vg_str)word);
            word = vg_hash_bytes(text, strlen(text), 0);
        }
        vg_vec_push(program->mem, &program->words, word);
    }
}

static void need_scratch(const maker *m, uint64_t bytes) {
    if (bytes > m->program->scratch_bytes) m->program->scratch_bytes = bytes;
}

static vg_step_row step_of(const maker *m, vg_node node) {
    vg_program *program = m->program;
    const vg_op op = vg_node_op(m->graph, node);
    vg_step_row row = {
        .kernel = m->store->kernels->row[op],
        .node = node,
        .out = program->view_of[node],
        .in_count = m->graph->operand_count.items[node],
        .cadences = program->schedule.cadences[node]
    };
    if (row.kernel == NULL) return row;
    program->uses_blas = program->uses_blas || !m->store->kernels->cuts || op == VG_OP_random_orthogonal;
    if (vg_op_is(op, VG_FLAG_map)) {
        row.kernel = m->store->kernels->group;
        row.group = vg_program_group(m, &node, 1, &row);
        return row;
    }
    row.first_in = operand_views(m, node);
    add_words(m, node, &row);
    const vg_work work = { .out = &program->views.items[row.out], .in = &program->views.items[row.first_in],
                           .words = &program->words.items[row.first_word], .word_count = row.word_count };
    need_scratch(m, vg_kernel_scratch(op, &work, program->real));
    return row;
}

/* A convolution that adds a bias, its third operand, and applies relu, as a word behind its own says (kernel_conv.c). */
static vg_step_row finished_of(const maker *m, const vg_node *nodes, uint32_t count) {
    vg_program *program = m->program;
    const vg_node conv = nodes[0], last = nodes[count - 1];
    vg_step_row row = { .kernel = m->store->kernels->row[VG_OP_conv2d], .node = last, .out = program->view_of[last],
                        .in_count = 3, .cadences = program->schedule.cadences[last] };
    row.first_in = operand_views(m, conv);
    vg_program_view(m, program->view_of[vg_finish_bias(m->graph, conv, nodes[1])]);
    add_words(m, conv, &row);
    vg_vec_push(program->mem, &program->words, (uint64_t)(last != nodes[1]));
    row.word_count++;
    const vg_work work = { .out = &program->views.items[row.out], .in = &program->views.items[row.first_in],
                           .words = &program->words.items[row.first_word] };
    need_scratch(m, vg_kernel_scratch(VG_OP_conv2d, &work, program->real));
    program->uses_blas = program->uses_blas || !m->store->kernels->cuts;
    return row;
}

/* A bucket more than there are values is never filled. */
static vg_step_row histogram_of(const maker *m, vg_node node) {
    vg_program *program = m->program;
    const uint32_t keys = program->real == 8 ? VG_KEYS_F64 : VG_KEYS_F32;
    vg_step_row row = { .node = node, .in_count = 1, .taken = program->taken.count,
                        .cadences = program->schedule.cadences[node] };
    row.first_in = operand_views(m, node);
    const int64_t count = program->views.items[row.first_in].count;
    const size_t most = count < keys ? (size_t)count : keys;
    const vg_distribution taken = { .tallies = VG_ARRAY(&program->arena, vg_tally, most) };
    vg_vec_push(program->mem, &program->taken, taken);
    for (uint32_t t = 0; t < program->schedule.threads && program->taken.count == 1; t++) {
        program->workers[t].counters = VG_ARRAY(&program->arena, uint32_t, keys * VG_LANES);
        program->workers[t].tallies = VG_ARRAY(&program->arena, vg_tally, keys);
    }
    return row;
}

static vg_step_row group_of(const maker *m, const vg_node *nodes, uint32_t count) {
    vg_step_row row = { .kernel = m->store->kernels->group, .node = nodes[count - 1],
                        .cadences = m->program->schedule.cadences[nodes[count - 1]] };
    row.group = vg_program_group(m, nodes, count, &row);
    need_scratch(m, vg_group_scratch(row.group));
    return row;
}

static void make_once(const maker *m) {
    vg_program *program = m->program;
    for (vg_node node = 1; node < vg_graph_count(m->graph); node++) {
        if (program->schedule.phase[node] != VG_PHASE_once || program->host_of[node]) continue;
        const vg_step_row row = step_of(m, node);
        if (row.kernel) vg_vec_push(program->mem, &program->once, row);
    }
}

static void make_steps(const maker *m) {
    vg_program *program = m->program;
    const vg_schedule *schedule = &program->schedule;
    make_once(m);
    for (uint32_t k = 0; k < schedule->step_count; k++) {
        const vg_node *nodes = &schedule->order[schedule->step[k]];
        const uint32_t count = schedule->step[k + 1] - schedule->step[k];
        vg_step_row row;
        if (vg_is_finished(schedule, m->graph, k)) row = finished_of(m, nodes, count);
        else if (count > 1) row = group_of(m, nodes, count);
        else row = vg_node_op(m->graph, *nodes) == VG_OP_summary ? histogram_of(m, *nodes) : step_of(m, *nodes);
        row.share = schedule->share[k];
        for (uint32_t j = 0; j < count; j++) row.stores = row.stores || schedule->stores[nodes[j]] != 0;
        vg_vec_push(program->mem, &program->steps, row);
        for (uint32_t j = 0; j < count; j++) m->step_of[nodes[j]] = program->steps.count;
    }
    program->scratch_bytes = (program->scratch_bytes + 63) / 64 * 64;
    check_memory(program->mem, program->scratch_bytes * schedule->threads);
    program->scratch = vg_mem_alloc(program->mem, program->scratch_bytes * schedule->threads);
    for (uint32_t t = 0; t < schedule->threads; t++)
        program->workers[t].context.scratch = program->scratch + t * program->scratch_bytes;
}

/* ---- roots */

/* The node whose memory `node` is. */
static vg_node owner(const maker *m, vg_node node) {
    while (vg_op_is(vg_node_op(m->graph, node), VG_FLAG_view)) node = vg_operand(m->graph, node, 0);
    return node;
}

static void add_root(const maker *m, vg_node node) {
    vg_program *program = m->program;
    vg_root_row root = {
        .node = node,
        .op = vg_node_op(m->graph, node),
        .view_count = m->graph->operand_count.items[node],
        .cadences = program->schedule.cadences[node]
    };
    root.view = operand_views(m, node);
    if (vg_is_step(&program->schedule, m->graph, node)) root.taken = program->steps.items[m->step_of[node] - 1].taken;
    if (root.op == VG_OP_update || root.op == VG_OP_initial) {
        const vg_node value = owner(m, vg_operand(m->graph, node, 0));
        const bool shared = vg_node_op(m->graph, value) == VG_OP_variable;      /* another update may write it first */
        const vg_view view = program->views.items[root.view];
        root.slot = vg_store_slot(m->store, (vg_str)attr_word(m, node, 0), view.dims, view.rank, view.dtype);
        root.stored = program->schedule.stores[value] == node;
        if (root.op == VG_OP_initial) root.after = m->step_of[value];
        else if (shared) root.staging = vg_mem_alloc(program->mem, vg_view_bytes(&view, program->real));
    }
    vg_vec_push(program->mem, &program->roots, root);
}

bool vg_program_make(vg_program *program, vg_mem *mem, const vg_unit *unit, const vg_graph *graph, vg_store *store,
                     vg_program_options options, const int64_t *symbols, uint32_t real) {
    const uint32_t count = vg_graph_count(graph);
    *program = (vg_program){ .mem = mem, .unit = unit, .graph = graph, .store = store, .symbols = symbols,
                             .part = options.part, .real = real };
    vg_arena_init(&program->arena, mem);
    maker m = { program, graph, unit->ir, store, symbols, NULL };
    vg_schedule_make(&program->schedule, mem, graph, options.part, options.turn, options.updates);
    program->schedule.keeps = options.keeps;
    if (!options.no_fuse) vg_fuse(&program->schedule, mem, graph);
    const uint32_t threads = options.pool && options.part != VG_PART_INITIAL ? vg_pool_threads(options.pool) : 1;
    vg_share_make(&program->schedule, mem, graph, symbols, threads, store->kernels->cuts);
    program->pool = options.pool;
    program->workers = VG_ARRAY(&program->arena, vg_worker, program->schedule.threads);
    if (!vg_plan_make(&program->plan, mem, graph, &program->schedule, symbols, real)) {
        vg_schedule_release(&program->schedule);
        vg_plan_release(&program->plan);
        return false;
    }
    m.step_of = vg_mem_alloc(mem, count * sizeof *m.step_of);
    program->view_of = vg_mem_alloc(mem, count * sizeof *program->view_of);
    program->host_of = vg_mem_alloc(mem, count * sizeof *program->host_of);
    check_memory(mem, program->plan.size + program->plan.kept_size);
    program->memory = vg_mem_alloc(mem, program->plan.size);
    program->kept = vg_mem_alloc(mem, program->plan.kept_size);
    add_view(&m, (vg_view){ .rank = 0 });      /* view 0 is none */
    find_host(&m);
    make_views(&m);
    make_steps(&m);
    for (uint32_t k = 0; k < graph->roots.count; k++)
        if (program->schedule.phase[graph->roots.items[k]] != VG_PHASE_dead) add_root(&m, graph->roots.items[k]);
    vg_mem_free(mem, m.step_of);
    return true;
}

void vg_program_release(vg_program *program) {
    vg_mem *mem = program->mem;
    for (uint32_t k = 0; k < program->roots.count; k++) vg_mem_free(mem, program->roots.items[k].staging);
    vg_schedule_release(&program->schedule);
    vg_plan_release(&program->plan);
    vg_vec_free(mem, &program->views);
    vg_vec_free(mem, &program->words);
    vg_vec_free(mem, &program->once);
    vg_vec_free(mem, &program->steps);
    vg_vec_free(mem, &program->roots);
    vg_vec_free(mem, &program->host);
    vg_vec_free(mem, &program->taken);
    vg_arena_release(&program->arena);
    vg_mem_free(mem, program->host_values);
    vg_mem_free(mem, program->host_of);
    vg_mem_free(mem, program->view_of);
    vg_mem_free(mem, program->memory);
    vg_mem_free(mem, program->kept);
    vg_mem_free(mem, program->host_memory);
    vg_mem_free(mem, program->scratch);
}
