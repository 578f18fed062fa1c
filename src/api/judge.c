/* Collecting what findings are judged by: surveys as the steps bring them, weights before and after their updates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/judge.h"
#include "base/map.h"
#include "ir/survey.h"

/* ---- samples */

static vg_sample *next_sample(vg_track *track, uint64_t step) {
    vg_sample *sample = &track->ring[track->count++ % VG_WINDOW];
    *sample = (vg_sample){ .step = step };
    return sample;
}

static void keep_first(vg_track *track) {
    const uint32_t last = track->count - 1;
    if (last < VG_WINDOW) track->first[last] = track->ring[last];
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static bool is_in(const vg_sample *sample, bool last, uint64_t steps) {
    const uint64_t tenth = steps / 10;
    return last ? sample->step + (tenth ? tenth : 1) >= steps : sample->step < (tenth < 10 ? 10 : tenth);
}

double vg_track_median(const vg_track *track, vg_measure measure, bool last, uint64_t steps) {
    double values[VG_WINDOW];
    const uint32_t most = track->count < VG_WINDOW ? track->count : VG_WINDOW;
    const vg_sample *samples = last ? track->ring : track->first;
    uint32_t count = 0;
    for (uint32_t k = 0; k < most; k++)
        if (is_in(&samples[k], last, steps) && !isnan(samples[k].of[measure]))
            values[count++] = (double)samples[k].of[measure];
    if (count == 0) return NAN;
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double vg_track_dead(const vg_track *track) {
    enum { BATCHES = 20 };
    uint32_t dead = 0;
    if (track->count < BATCHES || track->units == 0) return 0;
    for (uint32_t unit = 0; unit < track->units; unit++) dead += track->active[unit] + BATCHES <= track->count;
    return dead / (double)track->units;
}

/* ---- surveys */

/* The survey's rows as doubles: [VG_SURVEY_ROWS, units], in the judge's own memory. */
static const double *rows_of(const vg_run *run, const vg_view *survey) {
    double *numbers = run->judge->numbers;
    if (run->real == 4)
        for (int64_t i = 0; i < survey->count; i++) numbers[i] = (double)((const float *)survey->data)[i];
    else
        memcpy(numbers, survey->data, (size_t)survey->count * sizeof *numbers);
    return numbers;
}

static void emit_units(vg_run *run, const vg_evidence *row, const vg_sample *sample, const double *rows, size_t units) {
    static const vg_watched watched[] = { [VG_ROLE_output] = VG_WATCHED_OUTPUT, [VG_ROLE_activation] = VG_WATCHED_ACTIVATION,
                                          [VG_ROLE_flow] = VG_WATCHED_FLOW, [VG_ROLE_gradient] = VG_WATCHED_GRADIENT };
    const vg_units record = {
        .of = watched[row->role], .count = units,
        .active = rows + VG_SURVEY_active * units, .min = rows + VG_SURVEY_min * units, .max = rows + VG_SURVEY_max * units,
        .mean = rows + VG_SURVEY_mean * units, .variance = rows + VG_SURVEY_variance * units,
        .rms = (double)sample->of[VG_MEASURE_rms], .zeros = (double)sample->of[VG_MEASURE_zeros],
        .saturated = row->op == VG_OP_sigmoid || row->op == VG_OP_tanh ? (double)sample->of[VG_MEASURE_edge] : NAN,
        .silent = row->op == VG_OP_relu ? (double)sample->of[VG_MEASURE_silent] : NAN
    };
    vg_run_emit(run, (vg_record){ .kind = VG_RECORD_UNITS, .step = run->context.step, .units = &record,
                                  .tag = row->path ? vg_run_text(run, row->path) : "" });
}

void vg_judge_see(vg_run *run, uint32_t index, const vg_view *survey) {
    vg_track *track = &run->judge->tracks[index];
    vg_sample *sample = next_sample(track, run->context.step);
    const int64_t units = survey->dims[1];
    const double *rows = rows_of(run, survey), all = (double)(units > 0 ? units : 1);
    double sums[VG_MEASURE_COUNT] = { 0 };
    for (int64_t unit = 0; unit < units; unit++) {
        const double mean = rows[VG_SURVEY_mean * units + unit], variance = rows[VG_SURVEY_variance * units + unit];
        const double active = rows[VG_SURVEY_active * units + unit];
        sums[VG_MEASURE_rms] += variance + mean * mean;
        sums[VG_MEASURE_edge] += rows[VG_SURVEY_low * units + unit] + rows[VG_SURVEY_high * units + unit];
        sums[VG_MEASURE_zeros] += rows[VG_SURVEY_zeros * units + unit];
        sums[VG_MEASURE_tiny] += rows[VG_SURVEY_tiny * units + unit];
        sums[VG_MEASURE_wrong] += rows[VG_SURVEY_wrong * units + unit];
        sums[VG_MEASURE_still] += variance <= 1e-4 * mean * mean && mean != 0;
        sums[VG_MEASURE_silent] += active == 0;
        sums[VG_MEASURE_mean] += mean;
        if (track->active && active > 0) track->active[unit] = track->count;
    }
    for (uint32_t k = 0; k < VG_MEASURE_COUNT; k++)
        sample->of[k] = (float)(k == VG_MEASURE_rms ? sqrt(sums[k] / all) : sums[k] / all);
    if (sums[VG_MEASURE_wrong] > 0 && track->wrong == 0) track->wrong = run->context.step + 1;
    keep_first(track);
    if (run->options.evidence && run->unit->evidence.items[index].role != VG_ROLE_input) emit_units(run, &run->unit->evidence.items[index], sample, rows, (size_t)units);
}

/* ---- weights */

static const vg_view *view_of(const vg_run *run, const vg_moving *moving) {
    return &run->store.slots.items[moving->slot].view;
}

static bool is_moving_due(const vg_run *run) {
    const uint64_t step = run->done;
    return run->model->watch == VG_WATCH_ALL || vg_is_rarely_due(step) || step + 1 == run->steps;
}

void vg_judge_before(vg_run *run) {
    if (run->judge == NULL || !is_moving_due(run)) return;
    for (uint32_t k = 0; k < run->unit->weights.count; k++) {
        vg_moving *moving = &run->judge->moving[k];
        const vg_view *view = view_of(run, moving);
        memcpy(moving->before, view->data, vg_view_bytes(view, run->real));
    }
}

static double ratio_of(const vg_run *run, const vg_moving *moving) {
    const vg_view *view = view_of(run, moving);
    double moved, norm;
    run->store.kernels->distance(view->data, moving->before, view->count, &moved, &norm);
    return norm > 0 ? sqrt(moved / norm) : NAN;
}

void vg_judge_after(vg_run *run, double value) {
    if (run->judge == NULL) return;
    vg_sample *loss = next_sample(&run->judge->loss, run->context.step);
    loss->of[VG_MEASURE_rms] = (float)value;
    keep_first(&run->judge->loss);
    if (!is_moving_due(run)) return;
    for (uint32_t k = 0; k < run->unit->weights.count; k++) {
        vg_moving *moving = &run->judge->moving[k];
        vg_sample *sample = next_sample(&moving->track, run->context.step);
        const double ratio = ratio_of(run, moving);
        sample->of[VG_MEASURE_rms] = (float)ratio;
        keep_first(&moving->track);
        if (!run->options.evidence || isnan(ratio)) continue;
        const vg_variable *variable = &run->unit->variables.items[run->unit->weights.items[k].variable];
        vg_run_emit(run, (vg_record){ .kind = VG_RECORD_RATIO, .step = run->context.step, .value = ratio,
                                      .tag = vg_run_text(run, variable->path) });
    }
}

static double mean_of(const vg_view *view, uint32_t real) {
    double sum = 0;
    for (int64_t i = 0; i < view->count; i++) sum += vg_view_get(view, i, real);
    return view->count ? sum / (double)view->count : 0;
}

static double std_of(const vg_view *view, uint32_t real) {
    const double mean = mean_of(view, real);
    double square = 0;
    if (view->count == 0) return 0;
    for (int64_t i = 0; i < view->count; i++)
        square += (vg_view_get(view, i, real) - mean) * (vg_view_get(view, i, real) - mean);
    return sqrt(square / (double)view->count);
}

/* The share of units whose weights are those of another, by a hash of their bits: units are the last axis, of filters the
 * first. */
static double alike_of(vg_run *run, const vg_view *view) {
    enum { FAR = 32 };      /* weights of a unit that are looked at */
    const bool filters = view->rank == 4;
    const int64_t units = view->dims[filters ? 0 : view->rank - 1], each = units > 0 ? view->count / units : 0;
    uint32_t twins = 0;
    vg_map seen = { 0 };
    if (units < 2) return 0;
    for (int64_t unit = 0; unit < units; unit++) {
        uint64_t hash = 0;
        for (int64_t i = 0; i < each && i < FAR; i++) {
            const double value = vg_view_get(view, filters ? unit * each + i : i * units + unit, run->real);
            hash = vg_hash_bytes(&value, sizeof value, hash);
        }
        hash |= 1;
        if (vg_map_get(&seen, hash)) twins++;
        vg_map_put(&run->mem, &seen, hash, 1);
    }
    vg_map_free(&run->mem, &seen);
    return twins / (double)(units - 1);
}

void vg_judge_ends(vg_run *run) {
    for (uint32_t k = 0; k < run->unit->weights.count; k++) {
        vg_moving *moving = &run->judge->moving[k];
        moving->alike_last = alike_of(run, view_of(run, moving));
    }
}

/* ---- making */

static void find_units(vg_run *run) {
    for (uint32_t turn = 0; turn < run->turn_count; turn++) {
        const vg_program *program = &run->turns[turn].program;
        for (uint32_t k = 0; k < program->roots.count; k++) {
            const vg_root_row *root = &program->roots.items[k];
            uint32_t count;
            if (root->op != VG_OP_evidence) continue;
            const vg_word *words = vg_attr_words(program->graph->ir, program->graph->attr.items[root->node], &count);
            run->judge->tracks[words[0]].units = (uint32_t)program->views.items[root->view].dims[1];
        }
    }
}

void vg_judge_make(vg_run *run) {
    const vg_unit *unit = run->unit;
    if (unit->evidence.count == 0 || run->options.evaluation || run->options.fetches_only) return;
    vg_judge *judge = run->judge = vg_mem_alloc(&run->mem, sizeof *judge);
    judge->tracks = vg_mem_alloc(&run->mem, unit->evidence.count * sizeof *judge->tracks);
    judge->moving = vg_mem_alloc(&run->mem, unit->weights.count * sizeof *judge->moving);
    uint32_t most = 1;
    find_units(run);
    for (uint32_t k = 0; k < unit->evidence.count; k++) {
        vg_track *track = &judge->tracks[k];
        most = track->units > most ? track->units : most;
        if (!vg_evidence_is_value(&unit->evidence.items[k])) continue;
        const uint32_t bias = unit->evidence.items[k].bias;
        if (bias) track->bias = mean_of(&run->store.slots.items[run->variable_slots[bias - 1]].view, run->real);
        track->active = vg_mem_alloc(&run->mem, track->units * sizeof *track->active);
    }
    judge->numbers = vg_mem_alloc(&run->mem, VG_SURVEY_ROWS * (size_t)most * sizeof *judge->numbers);
    for (uint32_t k = 0; k < unit->weights.count; k++) {
        vg_moving *moving = &judge->moving[k];
        moving->slot = run->variable_slots[unit->weights.items[k].variable];
        const vg_view *view = view_of(run, moving);
        moving->before = vg_mem_alloc(&run->mem, vg_view_bytes(view, run->real));
        moving->std = std_of(view, run->real);
        moving->alike = alike_of(run, view);
    }
}
