/* scale = "standard" and scale = "unit": what the training split says of the numbers of a column, and how they are then
 * moved. A column of features is scaled element by element, any other (images) as one. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "data/source.h"

bool vg_scale_check(vg_dataset *set, vg_data_error *error) {
    if (!set->scale) {
        return true;
    }
    if (strcmp(set->scale, "standard") != 0 && strcmp(set->scale, "unit") != 0) {
        return vg_data_refuse(error, "scale is \"standard\" (mean 0, standard deviation 1) or \"unit\" (from 0 to 1), "
                                     "not \"%s\"", set->scale);
    }
    for (uint32_t k = 0; k < set->column_count; k++) {
        if (set->columns[k].dtype == VG_F32 && !set->columns[k].refused) {
            return true;
        }
    }
    return vg_data_refuse(error, "scale = \"%s\" has nothing to scale: there is no column of floats, and integers "
                                 "stay as they are", set->scale);
}

/* What is gathered of each element (or, `whole`, of all of them together). */
typedef struct moments { double sum, square, least, most; } moments;

typedef struct survey {
    const vg_dataset *set;
    uint32_t          column;
    size_t            elements;      /* of an example */
    bool              whole;
    moments          *of;            /* one, or `elements` */
    double           *means;         /* likewise; NULL in the first round */
} survey;

static void take(moments *of, double value, double mean) {
    double away = value - mean;
    of->sum += value;
    of->square += away * away;
    of->least = fmin(of->least, value);
    of->most = fmax(of->most, value);
}

/* Goes through the training split, some examples at a time. */
static void go_through(survey *s) {
    enum { NUMBERS = 4096 };
    vg_mem *mem = s->set->mem;
    size_t block = s->elements < NUMBERS ? NUMBERS / s->elements : 1;
    double *values = vg_mem_alloc(mem, block * s->elements * sizeof *values);
    for (size_t k = 0; k < (s->whole ? 1 : s->elements); k++) {
        s->of[k] = (moments){ .least = INFINITY, .most = -INFINITY };
    }
    for (size_t from = 0; from < s->set->train_count; from += block) {
        size_t count = s->set->train_count - from < block ? s->set->train_count - from : block;
        vg_dataset_gather(s->set, s->column, s->set->train + from, (uint32_t)count, values, true);
        for (size_t i = 0; i < count * s->elements; i++) {
            size_t k = s->whole ? 0 : i % s->elements;
            take(&s->of[k], values[i], s->means ? s->means[k] : 0);
        }
    }
    vg_mem_free(mem, values);
}

/* Without a spread there is nothing to see: 0s, whatever a test example has there. */
static void choose(const moments *of, double mean, double count, bool unit, float *gain, float *shift) {
    double width = unit ? of->most - of->least : sqrt(of->square / count), origin = unit ? of->least : mean;
    bool constant = !(of->most > of->least) || !(1 / width <= FLT_MAX);
    *gain = constant ? 0 : (float)(1 / width);
    *shift = constant ? 0 : (float)(-origin * (double)*gain);   /* by the gain as it is, so that the origin is 0 */
}

static void fit(vg_dataset *set, uint32_t k) {
    vg_column *column = &set->columns[k];
    survey s = { .set = set, .column = k, .elements = vg_column_elements(column), .whole = column->rank != 1 };
    size_t scalings = s.whole ? 1 : s.elements;
    double count = (double)set->train_count * (double)(s.whole ? s.elements : 1);
    bool unit = strcmp(set->scale, "unit") == 0;
    float *gain = vg_mem_alloc(set->mem, scalings * sizeof *gain), *shift = vg_mem_alloc(set->mem,
                                                                                         scalings * sizeof *shift);
    double *means = vg_mem_alloc(set->mem, scalings * sizeof *means);
    s.of = vg_mem_alloc(set->mem, scalings * sizeof *s.of);
    go_through(&s);
    for (size_t i = 0; i < scalings; i++) {
        means[i] = s.of[i].sum / count;
    }
    s.means = means;
    if (!unit) {
        go_through(&s);
    }
    for (size_t i = 0; i < scalings; i++) {
        choose(&s.of[i], means[i], count, unit, &gain[i], &shift[i]);
    }
    vg_mem_free(set->mem, s.of);
    vg_mem_free(set->mem, means);
    column->gain = gain;
    column->shift = shift;
    column->scalings = (uint32_t)scalings;
}

/* Whether a column is one of those that `features` is made of, in its place; then it is scaled as it is there. */
static bool follow(vg_column *column, const vg_column *features) {
    const char *at = column->data, *row = features->data;
    if (!column->shares || !column->stride || at < row || at >= row + column->stride) {
        return false;
    }
    size_t k = (size_t)(at - row) / sizeof(float);
    column->gain = &features->gain[k];
    column->shift = &features->shift[k];
    column->scalings = 1;
    return true;
}

void vg_scale_fit(vg_dataset *set) {
    const vg_column *features = NULL;
    for (uint32_t k = 0; set->scale && k < set->column_count; k++) {
        if (set->columns[k].members && !set->columns[k].refused) {
            fit(set, k);
            features = &set->columns[k];
        }
    }
    for (uint32_t k = 0; set->scale && k < set->column_count; k++) {
        vg_column *column = &set->columns[k];
        bool done = column->dtype != VG_F32 || column->refused || column == features
                 || (features && follow(column, features));
        if (!done) {
            fit(set, k);
        }
    }
}
