/* A program's value along lines through what lies in a slot, against the gradient there. */
#include <math.h>

#include "api/gradcheck.h"

typedef struct probe {
    vg_program    *program;
    const vg_view *value;          /* fetch 0 */
    const vg_view *slot;
    const double  *values;         /* what the slot holds at first */
    const double  *direction;      /* of the line; NULL: element `entry` alone */
    int64_t        entry;
    uint64_t       seed;
} probe;

static double value_at(const probe *p, double distance) {
    vg_context context = { .seed = p->seed, .turn = 1 };
    if (p->direction == NULL) vg_view_set(p->slot, p->entry, 8, p->values[p->entry] + distance);
    for (int64_t i = 0; p->direction && i < p->slot->count; i++)
        vg_view_set(p->slot, i, 8, p->values[i] + distance * p->direction[i]);
    vg_program_execute(p->program, &context, 1);
    if (p->direction == NULL) vg_view_set(p->slot, p->entry, 8, p->values[p->entry]);
    for (int64_t i = 0; p->direction && i < p->slot->count; i++) vg_view_set(p->slot, i, 8, p->values[i]);
    return vg_view_get(p->value, 0, 8);
}

static double noise_along(const probe *p, double middle, double unit) {
    double noise = INFINITY, values[2][VG_NOISE_POINTS];
    for (uint32_t round = 0; round < VG_NOISE_STEPS && vg_noise_suspect(noise, middle); round++) {
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < VG_NOISE_POINTS; i++)
                values[side][i] = value_at(p, unit * vg_noise_distance(round, side, i));
        vg_noise_hear(&noise, values[0], values[1], middle);
    }
    return noise;
}

static void take(const probe *p, vg_samples *s) {
    const double step = ldexp(s->step, -(int)s->count);
    s->above[s->count] = value_at(p, step);
    s->below[s->count++] = value_at(p, -step);
}

static void compare_line(const probe *p, vg_judge judge, double symbolic, vg_comparison *result) {
    judge.symbolic = symbolic;
    while (judge.step > 0) {
        vg_samples s = { .step = judge.step };
        take(p, &s);
        take(p, &s);
        if (vg_judge_hear(&judge, &s)) continue;
        take(p, &s);
        vg_judge_hear(&judge, &s);
    }
    vg_comparison_add(result, &judge);
}

void vg_comparison_add(vg_comparison *comparison, const vg_judge *judge) {
    if (judge->verdict == VG_VERDICT_unsure) comparison->skipped++;
    else comparison->checked++;
    if (judge->verdict == VG_VERDICT_wrong) comparison->ok = false;
    comparison->worst = fmax(comparison->worst, judge->off);
}

/* ---- what is looked at */

void vg_draw_direction(double *direction, int64_t size, vg_random_key key) {
    double square = 0;
    for (int64_t i = 0; i < size; i++) {
        direction[i] = 2 * vg_random_uniform(key, (uint64_t)i) - 1;
        square += direction[i] * direction[i];
    }
    for (int64_t i = 0; i < size; i++) direction[i] /= sqrt(square);
}

int64_t vg_draw_entry(vg_random_key key, uint64_t index, int64_t size) {
    return size <= VG_ALL_UP_TO ? (int64_t)index : (int64_t)vg_random_below(key, index, (uint64_t)size);
}

double vg_tensor_unit(const double *values, int64_t size) {
    double square = 0;
    for (int64_t i = 0; i < size; i++) square += values[i] * values[i];
    return fmax(1, sqrt(square / (double)size));
}

static double along(const double *direction, const double *gradient, int64_t size) {
    double sum = 0;
    for (int64_t i = 0; i < size; i++) sum += direction[i] * gradient[i];
    return sum;
}

vg_comparison vg_probe_compare(vg_run *run, vg_program *program, const vg_view *slot, const double *gradient,
                               vg_random_key key) {
    vg_comparison result = { .ok = true };
    const int64_t size = slot->count;
    const bool all = size <= VG_ALL_UP_TO;
    double largest = 0;
    double *values = vg_mem_alloc(&run->mem, (size_t)size * sizeof *values);
    double *direction = vg_mem_alloc(&run->mem, (size_t)size * sizeof *direction);
    for (int64_t i = 0; i < size; i++) {
        values[i] = vg_view_get(slot, i, 8);
        if (isfinite(gradient[i])) largest = fmax(largest, fabs(gradient[i]));
    }
    probe p = { program, vg_gradcheck_view(program, 0), slot, values, direction, 0, run->context.seed };
    const double unit = vg_tensor_unit(values, size), middle = value_at(&p, 0);
    vg_draw_direction(direction, size, key);
    const vg_judge judge = vg_judge_of(largest, middle, noise_along(&p, middle, unit), unit);
    for (uint64_t k = 0; k < VG_DIRECTIONS && !all; k++) {
        vg_draw_direction(direction, size, (vg_random_key){ key.stream, key.turn + 1 + k });
        compare_line(&p, judge, along(direction, gradient, size), &result);
    }
    p.direction = NULL;
    for (uint64_t k = 0; k < (all ? (uint64_t)size : VG_ENTRIES); k++) {
        p.entry = vg_draw_entry(key, k, size);
        compare_line(&p, judge, gradient[p.entry], &result);
    }
    vg_mem_free(&run->mem, values);
    vg_mem_free(&run->mem, direction);
    return result;
}
