/* The settings of a train block: reading them, and the run's numbers: batch, steps, seed. */
#include "front/settings.h"

#include <stdlib.h>
#include <string.h>

#include "diag/suggest.h"
#include "front/dataset.h"
#include "ir/direction.h"

static const char *const setting_names[VG_SETTING_COUNT] = {
    "optimizer", "batch", "params", "clip_norm", "clip_value", "every", "steps", "epochs", "seed", "shuffle",
    "eval_every", "checkpoint_every", "checkpoint_best"
};

static int setting_find(const char *name) {
    for (int k = 0; k < VG_SETTING_COUNT; k++)
        if (strcmp(setting_names[k], name) == 0) return k;
    return -1;
}

static void report_setting(vg_elaborator *e, vg_tree_id name) {
    const char *text = vg_text_of(e, vg_tree_name(e->tree, name));
    vg_report(e->diags, unknown_setting, vg_tree_span(e->tree, name), e->frame->call, text);
    vg_suggest suggest;
    vg_suggest_start(&suggest, text);
    for (int k = 0; k < VG_SETTING_COUNT; k++) vg_suggest_offer(&suggest, setting_names[k]);
    if (vg_suggest_best(&suggest))
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    else
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "it has optimizer, batch, params, clip_norm, clip_value, every, "
                      "steps, epochs, seed, shuffle, eval_every, checkpoint_every, checkpoint_best");
}

/* ---- the text of the blocks */

/* What a block's own lines say. */
static void read_block(vg_elaborator *e, vg_tree_id statement, vg_settings *settings, bool report) {
    uint32_t list = e->tree->b.items[statement];
    vg_span seen[VG_SETTING_COUNT] = { { 0, 0 } };
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id setting = vg_tree_item(e->tree, list, k), name = e->tree->a.items[setting];
        int at = setting_find(vg_text_of(e, vg_tree_name(e->tree, name)));
        if (at < 0) {
            if (report) report_setting(e, name);
            continue;
        }
        if (seen[at].end && report) {
            vg_report(e->diags, bound_twice, vg_tree_span(e->tree, name), e->frame->call, setting_names[at]);
            vg_diags_note(e->diags, seen[at], "'%s' is bound here", setting_names[at]);
        }
        seen[at] = vg_tree_span(e->tree, name);
        settings->tree[at] = e->tree->b.items[setting];
    }
}

/* The settings of the run stand in one block, whichever. */
static bool is_run_setting(int setting) { return setting >= VG_S_steps; }

/* The block that has a setting, from 1; 0: none. With `from` it is looked for behind that one. */
static uint32_t block_with(const vg_settings *blocks, uint32_t count, int setting, uint32_t from) {
    for (uint32_t k = from; k < count; k++)
        if (blocks[k].tree[setting]) return k + 1;
    return 0;
}

static void check_run_settings(vg_elaborator *e, const vg_settings *blocks, uint32_t count) {
    for (int k = VG_S_steps; k < VG_SETTING_COUNT; k++) {
        uint32_t first = block_with(blocks, count, k, 0), again = first ? block_with(blocks, count, k, first) : 0;
        if (!again) continue;
        vg_report(e->diags, run_setting_again, vg_tree_span(e->tree, blocks[again - 1].tree[k]), e->frame->call,
                  setting_names[k]);
        vg_diags_note(e->diags, vg_tree_span(e->tree, blocks[first - 1].tree[k]), "'%s' is set here", setting_names[k]);
    }
}

/* ---- --set train.KEY and train[N].KEY */

/* "train.batch" is (0, batch), "train[2].batch" (2, batch). False for other names. */
static bool read_name(const char *name, uint32_t *block, int *setting) {
    char *end;
    *block = 0;
    if (strncmp(name, "train", 5) != 0) return false;
    name += 5;
    if (*name == '[') {
        unsigned long number = strtoul(name + 1, &end, 10);
        if (end == name + 1 || *end != ']' || number < 1 || number > UINT16_MAX) return false;
        *block = (uint32_t)number;
        name = end + 1;
    }
    *setting = *name == '.' ? setting_find(name + 1) : -1;
    return *setting >= 0;
}

/* The block that --set train.KEY means: the only one that has the setting or, where none has, that may have it; 0 after
 * reporting. */
static uint32_t meant_block(vg_elaborator *e, const vg_override *set, const vg_settings *blocks, uint32_t count,
                            int setting, bool report) {
    uint32_t found = block_with(blocks, count, setting, 0);
    if (is_run_setting(setting)) return found ? found : 1;
    if (found && !block_with(blocks, count, setting, found)) return found;
    if (count == 1) return 1;
    if (!found && setting == VG_S_every && count == 2) return 2;
    if (report)
        vg_report(e->diags, setting_block, set->span, 0, setting_names[setting],
                  vg_arena_format(&e->arena, "%u", count), setting_names[setting]);
    return 0;
}

static void report_block(vg_elaborator *e, const vg_override *set, uint32_t count) {
    const char *blocks = count == 0 ? "no train block"
                       : count == 1 ? "one train block" : vg_arena_format(&e->arena, "%u train blocks", count);
    vg_report(e->diags, block_missing, set->span, 0, vg_text_of(e, set->name), blocks);
}

static void apply_options(vg_elaborator *e, vg_settings *blocks, uint32_t count, bool report) {
    for (uint32_t k = 0; k < e->front->sets.count; k++) {
        vg_override *set = &e->front->sets.items[k];
        uint32_t block;
        int setting;
        if (!read_name(vg_text_of(e, set->name), &block, &setting)) continue;
        if (block > count) {
            if (report) report_block(e, set, count);
            set->used = true;
            continue;
        }
        if (!block || is_run_setting(setting)) block = meant_block(e, set, blocks, count, setting, report);
        if (block) blocks[block - 1].tree[setting] = set->tree;
        set->used = true;
    }
}

/* Both steps and epochs are there: --set's one counts. */
static void choose_length(vg_elaborator *e, vg_settings *blocks, uint32_t count, bool report) {
    uint32_t with_steps = block_with(blocks, count, VG_S_steps, 0), with_epochs = block_with(blocks, count, VG_S_epochs, 0);
    if (!with_steps || !with_epochs) return;
    bool steps = vg_override_find(e, vg_strings_find(&e->ir->strings, "train.steps", 11)) != NULL;
    bool epochs = vg_override_find(e, vg_strings_find(&e->ir->strings, "train.epochs", 12)) != NULL;
    vg_tree_id *length = &blocks[with_epochs - 1].tree[VG_S_epochs];
    if (steps == epochs && report)
        vg_report0(e->diags, steps_and_epochs, vg_tree_span(e->tree, *length), e->frame->call);
    if (epochs && !steps) length = &blocks[with_steps - 1].tree[VG_S_steps];
    *length = 0;
}

static vg_settings *read_all(vg_elaborator *e, const vg_tree_id *statements, uint32_t count, bool report) {
    vg_settings *blocks = VG_ARRAY(&e->arena, vg_settings, count + 1);
    for (uint32_t k = 0; k < count; k++) read_block(e, statements[k], &blocks[k], report);
    if (report) check_run_settings(e, blocks, count);
    apply_options(e, blocks, count, report);
    choose_length(e, blocks, count, report);
    return blocks;
}

/* A whole number of at least `least`; `fallback` when not given or after reporting. */
static uint64_t whole_setting(vg_elaborator *e, const vg_settings *s, vg_setting which, int64_t least,
                              uint64_t fallback) {
    int64_t number;
    if (!s->tree[which]) return fallback;
    if (!vg_evaluate_whole(e, s->tree[which], setting_names[which], &number)) return fallback;
    if (number >= least) return (uint64_t)number;
    vg_report(e->diags, setting_range, vg_tree_span(e->tree, s->tree[which]), e->frame->call, setting_names[which],
              vg_arena_format(&e->arena, "%lld", (long long)least),
              vg_arena_format(&e->arena, "%lld", (long long)number));
    return fallback;
}

/* ---- the run's numbers */

uint64_t vg_settings_batch(vg_elaborator *e, const vg_settings *blocks, uint32_t k) {
    if (e->front->batch) return e->front->batch;
    return whole_setting(e, &blocks[blocks[k].tree[VG_S_batch] ? k : 0], VG_S_batch, 1, 32);
}

uint64_t vg_settings_every(vg_elaborator *e, const vg_settings *blocks, uint32_t k) {
    return k ? whole_setting(e, &blocks[k], VG_S_every, 1, 1) : 1;
}

/* What the run's setting is, wherever it stands; 0 entries where no block has it. */
static vg_settings run_settings(const vg_settings *blocks, uint32_t count) {
    vg_settings run = { { 0 } };
    for (int k = VG_S_steps; k < VG_SETTING_COUNT; k++) {
        uint32_t block = block_with(blocks, count, k, 0);
        if (block) run.tree[k] = blocks[block - 1].tree[k];
    }
    return run;
}

static const vg_dataset *first_dataset(const vg_elaborator *e) {
    for (uint32_t k = 0; k < e->unit->inputs.count; k++)
        if (e->unit->inputs.items[k].dataset) return e->unit->inputs.items[k].dataset;
    return NULL;
}

static uint64_t count_steps(vg_elaborator *e, const vg_settings *blocks, uint32_t count) {
    const vg_dataset *set = first_dataset(e);
    vg_settings run = run_settings(blocks, count);
    if (e->front->steps) return e->front->steps;
    if (run.tree[VG_S_steps] || !set) return whole_setting(e, &run, VG_S_steps, 1, 1000);
    uint64_t epochs = whole_setting(e, &run, VG_S_epochs, 1, 1);
    uint64_t each = set->train_count / vg_settings_batch(e, blocks, 0);
    return each ? epochs * each : 1;
}

/* The train statements of the model's top level: those known while the file is still being read. */
static vg_tree_id *written_trains(vg_elaborator *e, uint32_t *count) {
    uint32_t list = e->front->root ? e->tree->a.items[e->front->root] : 0, length = vg_tree_count(e->tree, list);
    vg_tree_id *statements = VG_ARRAY(&e->arena, vg_tree_id, length + e->trains.count + 1);
    *count = 0;
    for (uint32_t k = 0; k < length; k++)
        if (vg_tree_kind(e->tree, vg_tree_item(e->tree, list, k)) == VG_K_train)
            statements[(*count)++] = vg_tree_item(e->tree, list, k);
    for (uint32_t k = 0; *count == 0 && k < e->trains.count; k++) statements[(*count)++] = e->trains.items[k].statement;
    return statements;
}

/* `steps` may be asked for above what decides it. What is found then is held to at the end: see vg_settings_run. */
uint64_t vg_run_step_count(vg_elaborator *e, vg_span span) {
    uint32_t trains;
    if (e->steps) return e->steps;
    if (e->steps_busy) {
        vg_report0(e->diags, steps_of_itself, span, e->frame->call);
        return 1;
    }
    vg_tree_id *statements = written_trains(e, &trains);
    vg_frame *asking = e->frame;
    uint32_t errors = e->diags->list.count;
    while (e->frame->caller) e->frame = e->frame->caller;      /* settings are an expression of the top level */
    e->steps_busy = true;
    if (trains) e->steps = count_steps(e, read_all(e, statements, trains, false), trains);
    else e->steps = e->front->steps ? e->front->steps : 1;
    e->steps_busy = false;
    e->steps_span = span;
    e->frame = asking;
    if (e->diags->list.count > errors) vg_diags_note(e->diags, span, "'steps' asks for it here");
    return e->steps;
}

/* Every data set must fill a batch of `batch`. */
static void check_counts(vg_elaborator *e, uint64_t batch) {
    for (uint32_t k = 0; k < e->unit->inputs.count; k++) {
        const vg_input *input = &e->unit->inputs.items[k];
        vg_dim first = vg_shape_dim(&e->ir->dims, input->shape, 0);
        int64_t number;
        if (vg_dim_is_number(&e->ir->dims, first, &number) && (uint64_t)number != batch)
            vg_report(e->diags, input_batch, input->span, 0, vg_text_of(e, input->path),
                      vg_arena_format(&e->arena, "%lld", (long long)number),
                      vg_arena_format(&e->arena, "%llu", (unsigned long long)batch));
        bool again = false;
        for (uint32_t j = 0; j < k; j++) again |= e->unit->inputs.items[j].dataset == input->dataset;
        if (!input->dataset || again || input->dataset->fed || input->dataset->train_count >= batch) continue;
        vg_report(e->diags, too_few_examples, input->span, 0, vg_text_of(e, input->dataset->name),
                  vg_arena_format(&e->arena, "%u", input->dataset->train_count),
                  vg_arena_format(&e->arena, "%llu", (unsigned long long)batch));
    }
}

/* Each size once. */
static void check_batches(vg_elaborator *e, const vg_settings *blocks) {
    uint32_t count = e->trains.count ? e->trains.count : 1;
    for (uint32_t k = 0; k < count; k++) {
        uint64_t batch = vg_settings_batch(e, blocks, k);
        bool again = false;
        for (uint32_t j = 0; j < k; j++) again |= vg_settings_batch(e, blocks, j) == batch;
        if (!again) check_counts(e, batch);
    }
}

/* ---- eval_every */

/* What the first input's data set leaves for the last batch cannot be seen by an input of a fixed length. */
static void check_last_batch(vg_elaborator *e, vg_span span) {
    const vg_dataset *set = first_dataset(e);
    int64_t number;
    if (!set || set->test_count == INT32_MAX || set->test_count % e->batch == 0) return;   /* INT32_MAX: not known */
    for (uint32_t k = 0; k < e->unit->inputs.count; k++) {
        const vg_input *input = &e->unit->inputs.items[k];
        if (!vg_dim_is_number(&e->ir->dims, vg_shape_dim(&e->ir->dims, input->shape, 0), &number)) continue;
        vg_report(e->diags, eval_batch, span, 0, vg_arena_format(&e->arena, "%u", set->test_count),
                  vg_text_of(e, set->name), vg_text_of(e, input->path));
        vg_diags_note(e->diags, input->span, "a name as its first dimension, [batch, ...], stands for every length");
        return;
    }
}

/* Every data set that an input reads must have a test split. */
static void read_evaluation(vg_elaborator *e, const vg_settings *run) {
    vg_tree_id tree = run->tree[VG_S_eval_every];
    uint32_t errors = e->diags->list.count;
    e->unit->eval_every = whole_setting(e, run, VG_S_eval_every, 1, 0);
    if (!e->unit->eval_every) return;
    e->unit->eval_span = vg_tree_span(e->tree, tree);
    for (uint32_t k = 0; k < e->unit->inputs.count; k++) {
        const vg_dataset *set = e->unit->inputs.items[k].dataset;
        if (set && !set->test_count)
            vg_report(e->diags, no_test_split, vg_tree_span(e->tree, tree), 0, vg_text_of(e, set->name));
    }
    if (e->diags->list.count == errors) check_last_batch(e, vg_tree_span(e->tree, tree));
}

/* ---- checkpoints */

/* In the evaluation graph, which computes it over the test split, what checkpoint_best keeps the lowest of. */
static void read_best(vg_elaborator *e, vg_tree_id tree) {
    vg_span span = vg_tree_span(e->tree, tree);
    vg_strings *strings = &e->ir->strings;
    if (e->training) {
        e->unit->checkpoint_best = e->unit->eval_every > 0;
        if (!e->unit->eval_every) vg_report0(e->diags, best_without_eval, span, 0);
        return;
    }
    const char *text = vg_text_of(e, vg_expression_text(e, tree));
    if (vg_tag_direction(text) > 0) vg_report(e->diags, best_direction, span, 0, text);
    vg_binding outer = vg_binding_refuse(e, "a train block", vg_strings_c(strings, "checkpoint_best"));
    vg_node node = vg_evaluate_tensor(e, tree);
    e->binding = outer;
    if (!node) return;
    if (vg_node_rank(e->graph, node) != 0) {
        vg_report(e->diags, best_not_scalar, span, 0, vg_shape_shown(e, vg_node_shape(e->graph, node)));
        return;
    }
    if (vg_gradient_turn(e, node)) {
        vg_report0(e->diags, best_gradient, span, 0);
        return;
    }
    vg_word words[4] = { vg_strings_c(strings, "checkpoint_best"), VG_SUMMARY_BEST, 1, 1 };
    vg_here(e, span);
    vg_emit(e->graph, VG_OP_summary, &node, 1, vg_attr_of(e->ir, words, 4));
}

void vg_settings_run(vg_elaborator *e, const vg_settings *blocks) {
    vg_unit *unit = e->unit;
    vg_settings run = run_settings(blocks, e->trains.count);
    bool truth = true;
    e->batch = vg_settings_batch(e, blocks, 0);
    if (run.tree[VG_S_shuffle]) vg_evaluate_bool(e, run.tree[VG_S_shuffle], "shuffle", &truth);
    uint64_t seed = whole_setting(e, &run, VG_S_seed, 0, 1);
    if (e->front->has_seed) seed = e->front->seed;
    uint64_t steps = e->trains.count ? count_steps(e, blocks, e->trains.count) : e->front->steps ? e->front->steps : 1;
    if (e->steps && e->steps != steps && !e->diags->list.count)
        vg_report(e->diags, steps_early, e->steps_span, 0,
                  vg_arena_format(&e->arena, "%llu", (unsigned long long)steps));
    e->steps = steps;
    if (!e->training) {
        if (run.tree[VG_S_checkpoint_best]) read_best(e, run.tree[VG_S_checkpoint_best]);
        return;
    }
    const bool without_data = e->trains.count && !e->input_lost && !first_dataset(e);
    if (run.tree[VG_S_epochs] && without_data)
        vg_report(e->diags, setting_no_data, vg_tree_span(e->tree, run.tree[VG_S_epochs]), 0, "epochs");
    if (run.tree[VG_S_shuffle] && without_data)
        vg_report(e->diags, setting_no_data, vg_tree_span(e->tree, run.tree[VG_S_shuffle]), 0, "shuffle");
    unit->batch_size = e->batch;
    unit->shuffle = truth;
    unit->seed = seed;
    unit->steps = e->steps;
    check_batches(e, blocks);
    read_evaluation(e, &run);
    unit->checkpoint_every = whole_setting(e, &run, VG_S_checkpoint_every, 1, 0);
    if (run.tree[VG_S_checkpoint_best]) read_best(e, run.tree[VG_S_checkpoint_best]);
}

/* ---- reading the blocks' settings */

vg_settings *vg_settings_read(vg_elaborator *e) {
    uint32_t count = e->trains.count;
    vg_tree_id *statements = VG_ARRAY(&e->arena, vg_tree_id, count + 1);
    for (uint32_t k = 0; k < count; k++) statements[k] = e->trains.items[k].statement;
    vg_settings *blocks = read_all(e, statements, count, true);
    if (count && blocks[0].tree[VG_S_every])
        vg_report0(e->diags, first_every, vg_tree_span(e->tree, blocks[0].tree[VG_S_every]), e->frame->call);
    return blocks;
}
