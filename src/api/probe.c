/* Central differences of a program's value. A difference quotient that does not settle as its step shrinks, or whose
 * two sides do not come together, is beside a kink: such an entry is skipped. */
#include <math.h>

#include "api/gradcheck.h"

enum { ALL_UP_TO = 64, ENTRIES = 32, DIRECTIONS = 4, STEPS = 4 };

static const double first_step = 1e-3;
static const double tolerance = 1e-5;       /* of the tensor's largest gradient */

/* A line through the slot's values: one element, or a direction (one number for each). */
typedef struct line { const vg_view *slot; const double *values, *direction; int64_t entry; } line;

static double value_at(vg_probe *probe, const line *l, double distance) {
    vg_context context = probe->context;
    if (l->direction == NULL) vg_view_set(l->slot, l->entry, 8, l->values[l->entry] + distance);
    for (int64_t i = 0; l->direction && i < l->slot->count; i++)
        vg_view_set(l->slot, i, 8, l->values[i] + distance * l->direction[i]);
    vg_program_execute(probe->program, &context, 1);
    const double value = vg_view_get(vg_gradcheck_view(probe->program, 0), 0, 8);
    if (l->direction == NULL) vg_view_set(l->slot, l->entry, 8, l->values[l->entry]);
    for (int64_t i = 0; l->direction && i < l->slot->count; i++) vg_view_set(l->slot, i, 8, l->values[i]);
    return value;
}

vg_probe vg_probe_of(vg_run *run, vg_program *program) {
    vg_probe probe = { .program = program, .context = { .seed = run->context.seed, .turn = 1 } };
    vg_context context = probe.context;
    vg_program_execute(program, &context, 1);
    probe.value = vg_view_get(vg_gradcheck_view(program, 0), 0, 8);
    return probe;
}

/* What one line says: how far the symbolic derivative is off, or that it cannot be told. */
typedef enum verdict { FINE, WRONG, UNSURE } verdict;

/* Two steps, the second half as long, extrapolated to none (Richardson). Shorter ones are tried until the derivative
 * fits or rounding covers it: a kink nearby shows the clearer the shorter the step, and the last word counts. What the
 * loss's own rounding makes of the first step counts as zero: such a derivative is checked to be no larger. */
static verdict compare_line(vg_probe *probe, const line *l, double symbolic, double scale, double *off) {
    const double rounding = 16 * 2.3e-16 * fmax(1, fabs(probe->value)), zero = rounding / first_step;
    verdict last = UNSURE;
    double step = first_step;
    for (int k = 0; k < STEPS; k++, step /= 10) {
        const double half = step / 2, noise = rounding / step;
        const double above = value_at(probe, l, step), below = value_at(probe, l, -step);
        const double above_half = value_at(probe, l, half), below_half = value_at(probe, l, -half);
        const double whole = (above - below) / (2 * step), near = (above_half - below_half) / (2 * half);
        const double gap = fabs(above - 2 * probe->value + below) / step;
        const double near_gap = fabs(above_half - 2 * probe->value + below_half) / half;
        const double size = fmax(scale, fabs(near)), fits = tolerance * size + noise;
        const double numeric = (4 * near - whole) / 3, difference = fabs(numeric - symbolic);
        const bool hidden = noise > 0.01 * size;      /* rounding has more to say than the derivative */
        if (hidden && (last == WRONG || (k > 0 && scale > zero))) break;
        const bool settled = fabs(whole - near) <= 10 * tolerance * size + noise;
        const bool joined = near_gap <= 0.75 * gap || near_gap <= fits;
        const bool clear = settled && joined;
        if (clear && difference <= fits) {
            *off = tolerance * difference / fits;
            return FINE;
        }
        if (clear && hidden) break;
        last = clear ? WRONG : UNSURE;
        *off = size > 0 ? fmin(difference / size, 1) : 0;
    }
    return last;
}

static void count(vg_comparison *result, verdict v, double off) {
    if (v == UNSURE) {
        result->skipped++;
        return;
    }
    result->checked++;
    if (off > result->worst) result->worst = off;
    if (v == WRONG) result->ok = false;
}

vg_comparison vg_probe_compare(vg_probe *probe, const vg_view *slot, const double *gradient, vg_random_key key) {
    vg_mem *mem = probe->program->mem;
    vg_comparison result = { .ok = true };
    const int64_t size = slot->count;
    const bool all = size <= ALL_UP_TO;
    double largest = 0, off = 0;
    double *values = vg_mem_alloc(mem, (size_t)size * sizeof *values);
    double *direction = vg_mem_alloc(mem, (size_t)size * sizeof *direction);
    for (int64_t i = 0; i < size; i++) {
        values[i] = vg_view_get(slot, i, 8);
        largest = fmax(largest, fabs(gradient[i]));
    }
    for (int64_t k = 0; k < (all ? size : ENTRIES); k++) {
        const int64_t entry = all ? k : (int64_t)vg_random_below(key, (uint64_t)k, (uint64_t)size);
        const line l = { slot, values, NULL, entry };
        off = 0;
        const verdict v = compare_line(probe, &l, gradient[entry], largest, &off);
        count(&result, v, off);
    }
    for (uint64_t k = 0; !all && k < DIRECTIONS; k++) {
        const vg_random_key own = { key.stream, key.turn + 1 + k };
        double symbolic = 0, square = 0;
        for (int64_t i = 0; i < size; i++) {
            direction[i] = 2 * vg_random_uniform(own, (uint64_t)i) - 1;
            square += direction[i] * direction[i];
        }
        for (int64_t i = 0; i < size; i++) {
            direction[i] /= sqrt(square);
            symbolic += direction[i] * gradient[i];
        }
        const line l = { slot, values, direction, 0 };
        off = 0;
        const verdict v = compare_line(probe, &l, symbolic, largest, &off);
        count(&result, v, off);
    }
    vg_mem_free(mem, values);
    vg_mem_free(mem, direction);
    return result;
}
