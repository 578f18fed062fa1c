/* What a run records while it goes on: scalars, histograms, images (run_image.c), expects. Read from the program's
 * memory before the turn's updates; nothing here allocates but an expect's message. */
#include <math.h>

#include "api/judge.h"

/* ---- summaries */

static void emit_histogram(vg_run *run, const vg_distribution *d, bool wide, vg_record record) {
    for (uint32_t k = 0; k < d->tally_count; k++) {
        vg_bucket *bucket = &run->buckets[k];
        if (wide) vg_key_edges_f64(d->tallies[k].key, &bucket->low, &bucket->high);
        else vg_key_edges_f32(d->tallies[k].key, &bucket->low, &bucket->high);
        bucket->count = d->tallies[k].count;
    }
    const vg_histogram histogram = { d->count, d->zeros, d->nans, d->infs, d->min, d->max, d->mean, d->std, d->rms,
                                     run->buckets, d->tally_count };
    record.kind = VG_RECORD_HISTOGRAM;
    record.histogram = &histogram;
    vg_run_emit(run, record);
}

/* words: tag, kind, every, turn */
static void observe_summary(vg_run *run, const vg_program *program, const vg_root_row *root, const vg_word *words) {
    const vg_view *view = &program->views.items[root->view];
    vg_record record = { .step = run->context.step, .tag = vg_run_text(run, (vg_str)words[0]) };
    switch ((vg_summary_kind)words[1]) {
    case VG_SUMMARY_SCALAR:
        record.kind = VG_RECORD_SCALAR;
        record.value = vg_view_get(view, 0, run->real);
        vg_run_emit(run, record);
        break;
    case VG_SUMMARY_HISTOGRAM:
        emit_histogram(run, &program->taken.items[root->taken], view->dtype == VG_F32 && run->real == 8, record);
        break;
    case VG_SUMMARY_IMAGE:
        vg_run_emit_image(run, view, record);
        break;
    case VG_SUMMARY_BEST:      /* of the whole test split: run_eval.c */
        break;
    }
}

/* ---- expects */

/* An operand of the condition's shape shows the element that failed; a scalar itself; another its range. */
static void add_operand(vg_run *run, vg_str text, const vg_view *view, const vg_view *condition, int64_t at) {
    vg_text_format(&run->message, "%s", vg_run_text(run, text));
    if (view->count == condition->count || view->count == 1) {
        const double value = vg_view_get(view, view->count == 1 ? 0 : at, run->real);
        vg_text_format(&run->message, " is %.6g", isnan(value) ? (double)NAN : value);      /* "nan", whatever its sign */
        return;
    }
    double least = INFINITY, most = -INFINITY;
    int64_t wrong = 0;
    for (int64_t i = 0; i < view->count; i++) {
        const double value = vg_view_get(view, i, run->real);
        if (!isfinite(value)) { wrong++; continue; }
        if (value < least) least = value;
        if (value > most) most = value;
    }
    if (wrong < view->count)
        vg_text_format(&run->message, " lies between %.6g and %.6g", least, most);
    if (wrong > 0)
        vg_text_format(&run->message, "%s has %lld NaN or infinite", wrong < view->count ? " and" : "",
                       (long long)wrong);
}

/* The model's message, then the values. */
static const char *expect_message(vg_run *run, const vg_program *program, const vg_root_row *root,
                                  const vg_expectation *expectation, int64_t at) {
    const vg_graph *graph = program->graph;
    const vg_view *condition = &program->views.items[root->view];
    run->message.length = 0;
    const char *between = expectation->message ? ": " : "";
    vg_text_format(&run->message, "%s", vg_run_text(run, expectation->message));
    for (uint32_t k = 1; k < root->view_count; k++) {
        const vg_node operand = vg_operand(graph, root->node, k);
        double number;
        if (vg_node_uniform(graph, operand, &number)) continue;      /* it stands in the expect's own text */
        vg_text_format(&run->message, "%s", between);
        add_operand(run, expectation->shown[k - 1], condition + k, condition, at);
        between = ", ";
    }
    if (run->message.length == 0) vg_text_format(&run->message, "it does not hold");
    vg_run_add_place(run, condition, at, 0);
    return vg_text_c(&run->message);
}

/* words: index, every. Several roots of one index are the members of a selection. */
static void observe_expect(vg_run *run, const vg_program *program, const vg_root_row *root, const vg_word *words) {
    const vg_view *condition = &program->views.items[root->view];
    const uint32_t index = (uint32_t)words[0];
    vg_expect_state *state = &run->expects[index];
    int64_t at = 0;
    while (at < condition->count && vg_view_get(condition, at, run->real) != 0) at++;
    if (at == condition->count || state->failing) return;
    state->failing = true;
    if (state->failures++ > 0) return;
    const vg_expectation *expectation = &run->unit->expectations.items[index];
    vg_run_emit(run, (vg_record){ .kind = VG_RECORD_EXPECT, .step = run->context.step,
                                  .tag = vg_run_text(run, expectation->text),
                                  .message = expect_message(run, program, root, expectation, at),
                                  .failures = 1 });
}

/* ---- a turn */

void vg_run_observe(vg_run *run, vg_turn *turn) {
    const vg_program *program = &turn->program;
    const uint64_t due = vg_program_due(program, run->context.step, run->steps, false);
    const uint64_t due_last = vg_program_due(program, run->context.step, run->steps, true);
    for (uint32_t k = 0; k < run->unit->expectations.count; k++) run->expects[k].failing = false;
    for (uint32_t k = 0; k < program->roots.count; k++) {
        const vg_root_row *root = &program->roots.items[k];
        const vg_view *view = &program->views.items[root->view];
        uint32_t count;
        const vg_word *words = vg_attr_words(&run->model->ir, program->graph->attr.items[root->node], &count);
        const bool at_end = root->op == VG_OP_summary || root->op == VG_OP_evidence;
        if ((root->cadences & (at_end ? due_last : due)) == 0) continue;
        if (root->op == VG_OP_summary) observe_summary(run, program, root, words);
        else if (root->op == VG_OP_expect) observe_expect(run, program, root, words);
        else if (root->op == VG_OP_fetch) {
            vg_run_fetch_keep(run, &run->fetches[words[0]]);
            run->fetched = true;
        }
        else if (root->op == VG_OP_evidence) vg_judge_see(run, (uint32_t)words[0], view);
        else if (root->op == VG_OP_loss) run->loss = vg_view_get(view, 0, run->real);
    }
}
