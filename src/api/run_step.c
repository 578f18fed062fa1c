/* Steps: each block's turn with its own mini-batch, what is watched, then its updates all together. The test split
 * is evaluated before them, and once more behind the last. */
#include <math.h>

#include "api/judge.h"
#include "base/os.h"
#include "run/blas.h"

/* ---- what can go wrong */

static vg_status check_fed(vg_run *run) {
    for (uint32_t k = 0; k < run->unit->inputs.count; k++) {
        const vg_input *input = &run->unit->inputs.items[k];
        if (run->inputs[k].loader || run->inputs[k].fed || !run->inputs[k].read) continue;
        vg_report(&run->model->ir.diags, input_not_fed, input->span, 0, vg_run_text(run, input->path));
        return VG_FAILED_USAGE;
    }
    return VG_OK;
}

static vg_status report_loss(vg_run *run, uint32_t turn) {
    const vg_block *block = &run->unit->blocks.items[turn];
    char number[32];
    vg_report(&run->model->ir.diags, loss_not_finite, block->span, 0, vg_run_text(run, block->loss),
              vg_number_text(number, run->loss), vg_run_number(run, (int64_t)run->context.step));
    return VG_FAILED_NUMBERS;
}

/* ---- a step */

vg_status vg_run_prepare(vg_run *run, uint32_t turn) {
    const vg_status status = check_fed(run);
    return status == VG_OK ? vg_run_take_batch(run, &run->turns[turn]) : status;
}

static vg_status take_turn(vg_run *run, uint32_t k, double *first_loss) {
    vg_turn *turn = &run->turns[k];
    run->context.turn = k + 1;
    run->context.fault = VG_FAULT_none;
    run->loss = NAN;
    const vg_status loaded = vg_run_take_batch(run, turn);
    if (loaded != VG_OK) return loaded;
    vg_run_load_ahead(run, k);
    vg_profile_lap(turn->program.profile, VG_LAP_loading);
    if (turn->program.uses_blas) vg_blas_enter();
    const bool fine = vg_program_execute(&turn->program, &run->context, run->steps);
    if (turn->program.uses_blas) vg_blas_leave();
    if (!fine) return vg_run_report_fault(run, &turn->program, &run->context);
    vg_run_observe(run, turn);
    vg_profile_lap(turn->program.profile, VG_LAP_recording);
    if (k == 0) *first_loss = run->loss;
    if (run->unit->blocks.count > 0 && !run->options.fetches_only && !isfinite(run->loss)) return report_loss(run, k);
    vg_program_apply(&turn->program, &run->context, run->steps);
    vg_profile_lap(turn->program.profile, VG_LAP_updates);
    return VG_OK;
}

static vg_status step(void *user) {
    vg_run *run = user;
    double loss = NAN;
    vg_status status = run->done == 0 ? check_fed(run) : VG_OK;
    if (status != VG_OK) return status;
    if (run->started < 0) run->started = vg_os_seconds();
    run->context.step = run->done;
    run->context.batch = run->options.evaluation ? run->done + 1 : 0;
    status = vg_run_evaluate(run);
    vg_judge_before(run);
    for (uint32_t k = 0; k < run->turn_count && status == VG_OK; k++)
        if (run->context.step % run->turns[k].every == 0) status = take_turn(run, k, &loss);
    vg_judge_after(run, loss);
    if (status == VG_FAILED_RESOURCE) return run->failed = status;
    run->done++;
    vg_run_emit(run, (vg_record){ .kind = VG_RECORD_STEP, .step = run->context.step, .value = loss, .steps = run->steps,
                                  .seconds = vg_run_seconds(run), .ok = true });
    if (status == VG_OK && !run->refused && run->done == run->steps) status = vg_run_evaluate(run);
    if (status == VG_OK && !run->refused) status = vg_run_keep(run, false);
    if (run->refused) status = VG_FAILED_RESOURCE;
    return run->failed = status;
}

vg_status vg_run_step(vg_run *run) {
    if (run->failed != VG_OK) return run->failed;
    return vg_model_guard(run->model, &run->mem, step, run);
}

uint64_t vg_run_steps(const vg_run *run) { return run->steps; }
uint64_t vg_run_done(const vg_run *run) { return run->done; }

/* ---- all of them */

static bool emit_expects(vg_run *run) {
    bool held = true;
    for (uint32_t k = 0; k < run->unit->expectations.count && !run->options.fetches_only; k++) {
        const vg_expectation *expectation = &run->unit->expectations.items[k];
        const bool ok = run->expects[k].failures == 0, said = !ok && expectation->message;
        vg_run_emit(run, (vg_record){ .kind = VG_RECORD_EXPECT, .step = run->done ? run->done - 1 : 0,
                                      .tag = vg_run_text(run, expectation->text), .ok = ok,
                                      .message = said ? vg_run_text(run, expectation->message) : NULL,
                                      .failures = run->expects[k].failures, .last = true });
        held = held && ok;
    }
    return held;
}

static vg_status keep_last(void *user) { return vg_run_keep(user, true); }

static vg_status find(void *user) {
    vg_judge_find(user);
    return VG_OK;
}

vg_status vg_run_findings(vg_run *run, const vg_finding **findings, size_t *count) {
    *count = 0;
    if (run->judge == NULL) return VG_OK;
    const vg_status status = vg_model_guard(run->model, &run->mem, find, run);
    *findings = run->judge->findings;
    *count = status == VG_OK ? run->judge->finding_count : 0;
    return status;
}

static void emit_findings(vg_run *run) {
    const vg_finding *findings;
    size_t count;
    vg_run_findings(run, &findings, &count);
    for (size_t k = 0; k < count; k++)
        vg_run_emit(run, (vg_record){ .kind = VG_RECORD_FINDING, .step = run->done, .finding = &findings[k] });
}

vg_status vg_run_all(vg_run *run, const volatile int *stop) {
    vg_status status = run->failed;
    vg_run_emit(run, (vg_record){ .kind = VG_RECORD_START, .step = run->done, .steps = run->steps });
    if (run->refused) status = VG_FAILED_RESOURCE;
    while (status == VG_OK && run->done < run->steps) {
        status = vg_run_step(run);
        if (status == VG_OK && stop && *stop && run->done < run->steps) status = VG_INTERRUPTED;
    }
    const bool held = emit_expects(run);
    emit_findings(run);
    if ((status == VG_OK || status == VG_INTERRUPTED) && !run->refused) {
        const vg_status kept = vg_model_guard(run->model, &run->mem, keep_last, run);
        if (kept != VG_OK) status = kept;
    }
    if (status == VG_OK && !held) status = VG_FAILED_EXPECT;
    if (run->refused) status = VG_FAILED_RESOURCE;
    vg_run_emit(run, (vg_record){ .kind = VG_RECORD_DONE, .step = run->done, .steps = run->steps,
                                  .seconds = vg_run_seconds(run), .status = status });
    return run->refused ? VG_FAILED_RESOURCE : status;
}
