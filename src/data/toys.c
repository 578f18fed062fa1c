/* Points of the plane in two classes: spirals, moons, circles, xor. Each example is drawn from a key of its own, so
 * that example 5 is the same whatever the count. */
#include <math.h>

#include "base/random.h"
#include "data/source.h"

enum { COUNT, NOISE, SEED };               /* the parameters, in order */
enum { X, Y, FEATURES, TARGET, COLUMNS };

bool vg_toy_describe(vg_dataset *set, vg_data_error *error) {
    double noise = vg_argument_number(set, NOISE);
    if (!vg_argument_whole(set, COUNT, 1, VG_COUNT_LIMIT, error)
        || !vg_argument_whole(set, SEED, 0, VG_SEED_LIMIT, error)) {
        return false;
    }
    if (!(noise >= 0 && noise <= 1e6)) {
        char shown[32];
        return vg_data_refuse(error, "noise is a standard deviation and must be from 0 to 1e6, not %s",
                              vg_number_text(shown, noise));
    }
    vg_dataset_columns(set, COLUMNS);
    set->columns[X] = (vg_column){ .name = "x", .dtype = VG_F32, .storage = VG_STORE_F32 };
    set->columns[Y] = (vg_column){ .name = "y", .dtype = VG_F32, .storage = VG_STORE_F32 };
    set->columns[FEATURES] = (vg_column){
        .name = "features", .dtype = VG_F32, .storage = VG_STORE_F32, .rank = 1, .shape = { 2 }
    };
    set->columns[TARGET] = (vg_column){ .name = "target", .dtype = VG_I32, .storage = VG_STORE_U8, .classes = 2 };
    set->classes = 2;
    set->count = (uint32_t)vg_argument_number(set, COUNT);
    return true;
}

typedef struct point { double x, y; } point;

/* The point of one class at `t` in [0, 1) along its figure, and `u` in [0, 1) for figures with a second freedom. */
typedef point (*figure)(unsigned class, double t, double u);

static point on_spiral(unsigned class, double t, double u) {
    (void)u;
    double radius = 0.1 + 0.9 * t, angle = 3.5 * M_PI * t + (class ? M_PI : 0);
    return (point){ radius * cos(angle), radius * sin(angle) };
}

static point on_moon(unsigned class, double t, double u) {
    (void)u;
    double x = cos(M_PI * t), y = sin(M_PI * t);
    return class ? (point){ 1 - x, 0.5 - y } : (point){ x, y };
}

static point on_circle(unsigned class, double t, double u) {
    (void)u;
    double radius = class ? 0.5 : 1;
    return (point){ radius * cos(2 * M_PI * t), radius * sin(2 * M_PI * t) };
}

/* Class 1 where the signs differ. */
static point in_quadrant(unsigned class, double t, double u) {
    double x = 2 * t - 1;
    return (point){ x, (x < 0) == (class == 0) ? -u : u };
}

static bool draw(vg_dataset *set, figure figure_of, const char *name) {
    double noise = vg_argument_number(set, NOISE);
    uint64_t stream = vg_hash_bytes(name, __builtin_strlen(name), (uint64_t)vg_argument_number(set, SEED));
    float *x = vg_mem_alloc(set->mem, set->count * sizeof *x);
    float *y = vg_mem_alloc(set->mem, set->count * sizeof *y);
    float *features = vg_mem_alloc(set->mem, 2 * set->count * sizeof *features);   /* [count, 2] */
    uint8_t *target = vg_mem_alloc(set->mem, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        vg_random_key key = { stream, i };
        unsigned class = i % 2;
        double shake[2];
        vg_random_normal_pair(key, 1, shake);
        point at = figure_of(class, vg_random_uniform(key, 0), vg_random_uniform(key, 1));   /* block 0 */
        x[i] = (float)(at.x + noise * shake[0]);
        y[i] = (float)(at.y + noise * shake[1]);
        features[2 * i] = x[i];
        features[2 * i + 1] = y[i];
        target[i] = (uint8_t)class;
    }
    set->columns[X].data = x;
    set->columns[Y].data = y;
    set->columns[FEATURES].data = features;
    set->columns[TARGET].data = target;
    return true;
}

bool vg_spirals_load(vg_dataset *set, vg_data_error *error) { (void)error; return draw(set, on_spiral, "spirals"); }
bool vg_moons_load(vg_dataset *set, vg_data_error *error) { (void)error; return draw(set, on_moon, "moons"); }
bool vg_circles_load(vg_dataset *set, vg_data_error *error) { (void)error; return draw(set, on_circle, "circles"); }
bool vg_xor_load(vg_dataset *set, vg_data_error *error) { (void)error; return draw(set, in_quadrant, "xor"); }
