/* The settings of a train block: reading them, and the run's numbers: batch, steps, seed. */
#include "front/settings.h"

#include <string.h>

#include "diag/suggest.h"
#include "front/dataset.h"

static const char *const setting_names[VG_SETTING_COUNT] = {
    "optimizer", "batch", "params", "clip_norm", "clip_value", "every", "steps", "epochs", "seed", "shuffle",
    "eval_every", "checkpoint_every", "checkpoint_best"
};

static const char *text_of(vg_elaborator *e, vg_str id) { return vg_strings_text(&e->ir->strings, id); }

static int setting_find(const char *name) {
    for (int k = 0; k < VG_SETTING_COUNT; k++)
        if (strcmp(setting_names[k], name) == 0) return k;
    return -1;
}

static void report_setting(vg_elaborator *e, vg_tree_id name) {
    const char *text = text_of(e, vg_tree_name(e->tree, name));
    vg_report(e->diags, unknown_setting, vg_tree_span(e->tree, name), e->frame->call, text);
    vg_suggest suggest;
    vg_suggest_start(&suggest, text);
    for (int k = 0; k < VG_SETTING_COUNT; k++) vg_suggest_offer(&suggest, setting_names[k]);
    if (vg_suggest_best(&suggest))
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    else
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "it has optimizer, batch, params, clip_norm, clip_value, every, "
                      "steps, epochs, seed, shuffle, eval_every");
}

/* Both steps and epochs are there: --set's one counts. */
static void choose_length(vg_elaborator *e, vg_settings *settings, bool report) {
    bool steps = vg_override_find(e, vg_strings_find(&e->ir->strings, "train.steps", 11)) != NULL;
    bool epochs = vg_override_find(e, vg_strings_find(&e->ir->strings, "train.epochs", 12)) != NULL;
    if (steps == epochs && report)
        vg_report0(e->diags, steps_and_epochs, vg_tree_span(e->tree, settings->tree[VG_S_epochs]), e->frame->call);
    settings->tree[epochs && !steps ? VG_S_steps : VG_S_epochs] = 0;
}

/* The settings of a block, those of --set in their place. */
static void read(vg_elaborator *e, vg_tree_id statement, vg_settings *settings, bool report) {
    uint32_t list = e->tree->b.items[statement];
    vg_span seen[VG_SETTING_COUNT] = { { 0, 0 } };
    memset(settings, 0, sizeof *settings);
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id setting = vg_tree_item(e->tree, list, k), name = e->tree->a.items[setting];
        int at = setting_find(text_of(e, vg_tree_name(e->tree, name)));
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
    for (uint32_t k = 0; k < e->front->sets.count; k++) {
        const char *name = text_of(e, e->front->sets.items[k].name);
        int at = strncmp(name, "train.", 6) == 0 ? setting_find(name + 6) : -1;
        if (at < 0) continue;
        settings->tree[at] = e->front->sets.items[k].tree;
        e->front->sets.items[k].used = true;
    }
    if (settings->tree[VG_S_steps] && settings->tree[VG_S_epochs]) choose_length(e, settings, report);
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

static vg_tree_id first_train(vg_elaborator *e) {
    uint32_t list = e->front->root ? e->tree->a.items[e->front->root] : 0;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++)
        if (vg_tree_kind(e->tree, vg_tree_item(e->tree, list, k)) == VG_K_train) return vg_tree_item(e->tree, list, k);
    return e->trains.count ? e->trains.items[0].statement : 0;
}

static uint64_t batch_size(vg_elaborator *e, const vg_settings *s) {
    if (e->front->batch) return e->front->batch;
    return whole_setting(e, s, VG_S_batch, 1, 32);
}

static const vg_dataset *first_dataset(const vg_elaborator *e) {
    for (uint32_t k = 0; k < e->unit->inputs.count; k++)
        if (e->unit->inputs.items[k].dataset) return e->unit->inputs.items[k].dataset;
    return NULL;
}

static uint64_t count_steps(vg_elaborator *e, const vg_settings *s) {
    const vg_dataset *set = first_dataset(e);
    if (e->front->steps) return e->front->steps;
    if (s->tree[VG_S_steps] || !set) return whole_setting(e, s, VG_S_steps, 1, 1000);
    uint64_t epochs = whole_setting(e, s, VG_S_epochs, 1, 1), each = set->train_count / batch_size(e, s);
    return each ? epochs * each : 1;
}

/* `steps` may be asked for above what decides it. What is found then is held to at the end: see vg_settings_run. */
uint64_t vg_run_step_count(vg_elaborator *e, vg_span span) {
    vg_settings s = { { 0 } };
    vg_tree_id train = first_train(e);
    if (e->steps) return e->steps;
    if (e->steps_busy) {
        vg_report0(e->diags, steps_of_itself, span, e->frame->call);
        return 1;
    }
    vg_frame *asking = e->frame;
    uint32_t errors = e->diags->list.count;
    while (e->frame->caller) e->frame = e->frame->caller;      /* settings are an expression of the top level */
    e->steps_busy = true;
    if (train) read(e, train, &s, false);
    e->steps = train ? count_steps(e, &s) : e->front->steps ? e->front->steps : 1;
    e->steps_busy = false;
    e->steps_span = span;
    e->frame = asking;
    if (e->diags->list.count > errors) vg_diags_note(e->diags, span, "'steps' asks for it here");
    return e->steps;
}

/* Every data set must fill a batch. */
static void check_counts(vg_elaborator *e) {
    for (uint32_t k = 0; k < e->unit->inputs.count; k++) {
        const vg_input *input = &e->unit->inputs.items[k];
        vg_dim first = vg_shape_dim(&e->ir->dims, input->shape, 0);
        int64_t number;
        if (vg_dim_is_number(&e->ir->dims, first, &number) && (uint64_t)number != e->batch)
            vg_report(e->diags, input_batch, input->span, 0, text_of(e, input->path),
                      vg_arena_format(&e->arena, "%lld", (long long)number),
                      vg_arena_format(&e->arena, "%llu", (unsigned long long)e->batch));
        bool again = false;
        for (uint32_t j = 0; j < k; j++) again |= e->unit->inputs.items[j].dataset == input->dataset;
        if (!input->dataset || again || input->dataset->train_count >= e->batch) continue;
        vg_report(e->diags, too_few_examples, input->span, 0, text_of(e, input->dataset->name),
                  vg_arena_format(&e->arena, "%u", input->dataset->train_count),
                  vg_arena_format(&e->arena, "%llu", (unsigned long long)e->batch));
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
                  text_of(e, set->name), text_of(e, input->path));
        vg_diags_note(e->diags, input->span, "a name as its first dimension, [batch, ...], stands for every length");
        return;
    }
}

/* Every data set that an input reads must have a test split. */
static void read_evaluation(vg_elaborator *e, const vg_settings *s) {
    vg_tree_id tree = s->tree[VG_S_eval_every];
    uint32_t errors = e->diags->list.count;
    e->unit->eval_every = whole_setting(e, s, VG_S_eval_every, 1, 0);
    if (!e->unit->eval_every) return;
    for (uint32_t k = 0; k < e->unit->inputs.count; k++) {
        const vg_dataset *set = e->unit->inputs.items[k].dataset;
        if (set && !set->test_count)
            vg_report(e->diags, no_test_split, vg_tree_span(e->tree, tree), 0, text_of(e, set->name));
    }
    if (e->diags->list.count == errors) check_last_batch(e, vg_tree_span(e->tree, tree));
}

void vg_settings_run(vg_elaborator *e, const vg_settings *s) {
    vg_unit *unit = e->unit;
    bool truth = true;
    e->batch = batch_size(e, s);
    if (s->tree[VG_S_shuffle]) vg_evaluate_bool(e, s->tree[VG_S_shuffle], "shuffle", &truth);
    uint64_t seed = whole_setting(e, s, VG_S_seed, 0, 1);
    if (e->front->has_seed) seed = e->front->seed;
    uint64_t steps = e->trains.count ? count_steps(e, s) : e->front->steps ? e->front->steps : 1;
    if (e->steps && e->steps != steps && !e->diags->list.count)
        vg_report(e->diags, steps_early, e->steps_span, 0,
                  vg_arena_format(&e->arena, "%llu", (unsigned long long)steps));
    e->steps = steps;
    if (!e->training) return;
    unit->batch_size = e->batch;
    unit->shuffle = truth;
    unit->seed = seed;
    unit->steps = e->steps;
    check_counts(e);
    read_evaluation(e, s);
}

/* ---- reading a block's settings */

static void refuse(vg_elaborator *e, const vg_settings *s) {
    static const vg_setting later[] = { VG_S_checkpoint_every, VG_S_checkpoint_best };
    for (size_t k = 0; k < sizeof later / sizeof *later; k++)
        if (s->tree[later[k]])
            vg_report(e->diags, not_built, vg_tree_span(e->tree, s->tree[later[k]]), e->frame->call,
                      setting_names[later[k]], "setting");
}

void vg_settings_read(vg_elaborator *e, vg_tree_id statement, vg_settings *settings) {
    read(e, statement, settings, true);
    refuse(e, settings);
    if (settings->tree[VG_S_every])
        vg_report0(e->diags, first_every, vg_tree_span(e->tree, settings->tree[VG_S_every]), e->frame->call);
}
