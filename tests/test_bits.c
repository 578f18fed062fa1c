/* Watching decides no arithmetic, nor does how it is run: some steps of every model of the gallery leave its variables
 * with the same bits whether nothing is watched, everything, or each of its own summaries alone; in groups or operator by
 * operator; by any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <math.h>

#include "gallery_fixture.h"

enum { STEPS = 3, SUMMARIES = 40 };

/* The variables of a run, one behind the other, and what its records said. */
typedef struct finals { double *values; size_t count; bool shared; uint32_t records; } finals;

static bool watch(void *user, const vg_record *record) {
    finals *f = user;
    const vg_record_kind kind = record->kind;
    f->records += kind == VG_RECORD_SCALAR || kind == VG_RECORD_HISTOGRAM || kind == VG_RECORD_IMAGE;
    return true;
}

/* Runs the model and lets go of it. */
static finals run_model(const gallery_model *m, vg_model *model, vg_run_options options) {
    finals f = { .count = 0 };
    vg_run *run;
    options.steps = STEPS;
    if (options.watch) options.user = &f;
    if (vg_run_new(model, &options, &run) != VG_OK) {
        vg_model_explain(model, 0, false, to_stderr, NULL);
        fail_msg("%s: no run", m->name);
    }
    for (uint32_t k = 0; k < run->turn_count; k++) f.shared = f.shared || run->turns[k].program.schedule.threads > 1;
    for (uint32_t k = 0; k < STEPS; k++) assert_int_equal(vg_run_step(run), VG_OK);
    for (size_t k = 0; k < vg_run_variables(run); k++) {
        vg_tensor t;
        assert_int_equal(vg_run_variable(run, k, &t), VG_OK);
        f.values = realloc(f.values, (f.count + t.count + 1) * sizeof *f.values);
        memcpy(f.values + f.count, t.elements, t.count * sizeof *f.values);
        f.count += t.count;
    }
    vg_run_free(run);
    vg_model_free(model);
    return f;
}

static void assert_same(const gallery_model *m, const char *way, const finals *want, finals have) {
    assert_int_equal(have.count, want->count);
    for (size_t k = 0; k < want->count; k++)
        if (memcmp(&have.values[k], &want->values[k], sizeof *have.values) != 0)
            fail_msg("%s, %s: value %zu is %.17g, not %.17g", m->name, way, k, have.values[k], want->values[k]);
    free(have.values);
}

/* ---- everything that has a name */

/* The name that a line binds: `family` where it has members. False: none, or in a layer, a function, a block. */
static bool bound_name(const char *line, bool in_loop, char *name, bool *family) {
    const size_t indent = strspn(line, " ");
    size_t length = 0;
    if ((indent > 0) != in_loop) return false;
    line += indent;
    while (isalnum((unsigned char)line[length]) || line[length] == '_') length++;
    const char *behind = line + length;
    *family = in_loop || *behind == '[';
    if (*behind == '[') behind = strchr(behind, ']') + 1;
    behind += strspn(behind, " ");
    if (length == 0 || behind[0] != '=' || behind[1] == '=') return false;
    snprintf(name, GALLERY_WIDTH, "%.*s", (int)length, line);
    return true;
}

/* The gradients of all variables, the variables, every tensor that is bound: each as one summary, all at each step. */
static uint32_t everything(const gallery_model *m, char (*out)[GALLERY_WIDTH]) {
    uint32_t count = 0;
    bool in_loop = false, inside = false;
    snprintf(out[count++], GALLERY_WIDTH, "histogram vars as \"v\"");
    for (uint32_t k = 0; k < m->line_count; k++) {
        const char *line = m->lines[k];
        char name[GALLERY_WIDTH];
        bool family;
        if (line[0] == '}') inside = in_loop = false;
        const bool opens = strchr(line, '{') && line[0] != ' ' && line[0] != '#', loop = !strncmp(line, "for ", 4);
        in_loop = in_loop || (opens && loop);
        inside = inside || (opens && !loop);
        if (sscanf(line, "train %199[^ {]", name) == 1)
            snprintf(out[count++], GALLERY_WIDTH, "histogram grad(%.80s, vars) as \"g%.80s\"", name, name);
        if (inside || !bound_name(line, in_loop, name, &family)) continue;
        bool known = false;
        char text[GALLERY_WIDTH];
        snprintf(text, sizeof text, "histogram %.80s%s as \"t%.80s\"", name, family ? "[*]" : "", name);
        for (uint32_t j = 0; j < count; j++) known = known || !strcmp(out[j], text);
        assert_true(count + 2 < SUMMARIES);
        if (!known) memcpy(out[count++], text, sizeof text);
    }
    return count;
}

/* ---- the ways */

static void check_watched(const gallery_model *m, const finals *bare, vg_run_options options) {
    char summaries[SUMMARIES][GALLERY_WIDTH];
    const uint32_t count = everything(m, summaries);
    for (uint32_t k = 0; k < m->line_count; k++)
        if (watches(m->lines[k])) assert_same(m, m->lines[k], bare, run_model(m, open_model(m, k + 1, NULL, 0), options));
    options.watch = watch;
    const finals all = run_model(m, open_model(m, AS_IT_STANDS, summaries, count), options);
    assert_true(all.records >= count * STEPS);
    assert_same(m, "everything watched", bare, all);
}

/* Whether any of its programs was shared by threads. */
static bool check_run(const gallery_model *m, const finals *bare, bool wide) {
    static const uint32_t threads[] = { 2, 3, 5 };
    bool shared = false;
    const vg_run_options alone = { .no_fuse = true, .threads = 1, .float64 = wide };
    assert_same(m, "operator by operator", bare, run_model(m, open_model(m, 0, NULL, 0), alone));
    for (uint32_t k = 0; k < sizeof threads / sizeof *threads; k++) {
        const vg_run_options several = { .threads = threads[k], .float64 = wide, .no_fuse = threads[k] == 5 };
        const finals f = run_model(m, open_model(m, AS_IT_STANDS, NULL, 0), several);
        shared = shared || f.shared;
        assert_same(m, "several threads", bare, f);
    }
    return shared;
}

static void test_gallery(void **state) {
    (void)state;
    static gallery_model models[GALLERY];
    const uint32_t count = read_gallery(models);
    uint32_t shared = 0;
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t wide = 0; wide <= (k % 4 == 1); wide++) {
            const vg_run_options options = { .threads = 1, .float64 = wide };
            const finals bare = run_model(&models[k], open_model(&models[k], 0, NULL, 0), options);
            if (!wide) check_watched(&models[k], &bare, options);
            shared += check_run(&models[k], &bare, wide);
            free(bare.values);
        }
    assert_true(shared > count / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gallery) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
