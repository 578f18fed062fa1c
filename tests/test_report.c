/* The report: how distributions are stored, what is kept of a long run, and the file. tests/test_report.py looks at the
 * page in a browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "record_fixture.h"
#include "watch/report.h"
#include "watch/sink.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct scratch { vg_mem mem; vg_arena arena; jmp_buf escape; } scratch;
static void scratch_begin(scratch *s) {
    vg_mem_init(&s->mem);
    s->mem.escape = &s->escape;
    vg_arena_init(&s->arena, &s->mem);
}

/* ---- cells */

/* The edges of cell `i` as parts of 2^(octave + 1), from what report.h says, not from how it is computed. */
static void edges_of(uint32_t i, double *low, double *high) {
    if (i < VG_CELLS_QUARTERS) {
        *high = ldexp(1 + (4 - i % 4) / 4.0, -1 - (int)(i / 4));
        *low = *high - ldexp(0.25, -1 - (int)(i / 4));
    } else if (i < VG_CELLS_QUARTERS + VG_CELLS_HALVES) {
        i -= VG_CELLS_QUARTERS;
        *high = ldexp(1 + (2 - i % 2) / 2.0, -5 - (int)(i / 2));
        *low = *high - ldexp(0.5, -5 - (int)(i / 2));
    } else {
        *high = ldexp(1, -12 - (int)(i - VG_CELLS_QUARTERS - VG_CELLS_HALVES));
        *low = i == VG_CELLS - 1 ? 0 : *high / 2;
    }
}

static void test_one_value(void **state) {
    (void)state;
    static made_histogram made;
    static const struct { double value; int octave; uint32_t cell; } rows[] = {
        { 1, 0, 3 }, { 1.99, 0, 0 }, { 1.3, 0, 2 }, { -1.6, 0, 1 }, { 0x1p-149, -149, 3 }, { -0x1.8p127, 127, 1 },
        { 0x1p-1070, -1026, 3 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double value = rows[i].value;
        vg_cells cells;
        make_histogram(&made, &value, 1);
        vg_cells_of(&made.histogram, &cells);
        assert_int_equal(cells.octave, rows[i].octave);
        assert_int_equal(cells.kept, rows[i].cell + 1);
        for (uint32_t k = 0; k < 2u * cells.kept; k++) {
            assert_int_equal(cells.bytes[k], k == rows[i].cell + (value < 0 ? cells.kept : 0) ? 63 : 0);
        }
    }
}

static void test_nothing_but_zeros(void **state) {
    (void)state;
    static made_histogram made;
    double values[] = { 0, 0, 0 };
    vg_cells cells;
    make_histogram(&made, values, 3);
    vg_cells_of(&made.histogram, &cells);
    assert_int_equal(cells.kept, 0);
    made.histogram = (vg_histogram){ .count = 4, .nans = 4 };
    vg_cells_of(&made.histogram, &cells);
    assert_int_equal(cells.kept, 0);
}

/* float64's outermost bucket ends at infinity. */
static void test_infinite_edge(void **state) {
    (void)state;
    const vg_bucket buckets[] = { { -INFINITY, -0x1.ep1023, 1 }, { 1, 1.125, 2 } };
    const vg_histogram h = { .count = 3, .buckets = buckets, .bucket_count = 2 };
    vg_cells cells;
    vg_cells_of(&h, &cells);
    assert_int_equal(cells.octave, 1023);
    assert_int_equal(cells.kept, VG_CELLS);
    assert_int_equal(cells.bytes[VG_CELLS - 1], 63);
    assert_int_equal(cells.bytes[VG_CELLS], (int)ceil(63 * sqrt(0.5)));
}

/* What is read from the cells is the distribution: the share beyond any cell's edge is right to a part of a hundred. */
static void test_shares(void **state) {
    (void)state;
    static made_histogram made;
    static const double scales[] = { 1, 1e-30, 0.003, 1e20 };
    for (size_t n = 0; n < COUNT(scales); n++) {
        vg_cells cells;
        make_bell(&made, 100000, scales[n], 0);
        vg_cells_of(&made.histogram, &cells);
        assert_in_range(cells.kept, 24, 40);
        double total = 0, beyond = 0;
        for (uint32_t i = 0; i < 2u * cells.kept; i++) {
            total += cells.bytes[i] * cells.bytes[i];
        }
        for (uint32_t i = 0; i < cells.kept; i++) {
            double low, high;
            beyond += cells.bytes[i] * cells.bytes[i];   /* positive ones from the outside in */
            edges_of(i, &low, &high);
            const double x = ldexp(low, cells.octave + 1) / scales[n], truth = 1 / (1 + exp(x));
            assert_true(fabs(beyond / total - truth) < 0.01);
        }
    }
}

/* ---- what is kept */

static void test_curves_keep_peaks(void **state) {
    (void)state;
    scratch s;
    vg_keep keep;
    scratch_begin(&s);
    vg_keep_init(&keep, &s.arena);
    keep.curve_limit = 100;
    double sum = 0;
    const uint64_t count = 12345;
    for (uint64_t step = 0; step < count; step++) {
        const double value = step == 7777 ? 1000 : (double)(step % 10);
        const vg_record record = scalar_record(3 * step, "a", value), other = test_record(3 * step, "a", 1);
        vg_keep_add(&keep, &record);
        if (step % 100 == 0) vg_keep_add(&keep, &other);
        sum += value;
    }
    assert_int_equal(keep.curves.count, 2);
    const vg_curve *curve = keep.curves.items[0];
    assert_int_equal(curve->seen, count);
    assert_int_equal(curve->stride, 128);
    assert_int_equal(curve->points.count, (count + 127) / 128);
    double kept = 0;
    for (uint32_t i = 0; i < curve->points.count; i++) {
        const vg_point *p = &curve->points.items[i];
        const uint64_t weight = i + 1 < curve->points.count ? 128 : count % 128;
        assert_int_equal(p->step, 3 * 128 * i);
        assert_true(p->min == 0 && p->max == (i == 7777 / 128 ? 1000 : 9));
        kept += p->mean * (double)weight;
    }
    assert_true(fabs(kept - sum) < 1e-6 * sum);
    assert_true(keep.curves.items[1]->test && keep.curves.items[1]->stride == 2);
    vg_mem_release(&s.mem);
}

/* NaN stays to be seen. */
static void test_curves_keep_nan(void **state) {
    (void)state;
    scratch s;
    vg_keep keep;
    scratch_begin(&s);
    vg_keep_init(&keep, &s.arena);
    keep.curve_limit = 4;
    for (uint64_t step = 0; step < 8; step++) {
        const vg_record record = scalar_record(step, "a", step == 5 ? (double)NAN : 1);
        vg_keep_add(&keep, &record);
    }
    const vg_curve *curve = keep.curves.items[0];
    assert_int_equal(curve->points.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(isnan(curve->points.items[i].mean) != 0, i == 2);
    }
    vg_mem_release(&s.mem);
}

/* Frames thin evenly, the newest is always there, and each keeps its own cells; what is rare is left alone. */
static void test_films_thin_evenly(void **state) {
    (void)state;
    static made_histogram made[2];
    scratch s;
    vg_keep keep;
    scratch_begin(&s);
    vg_keep_init(&keep, &s.arena);
    keep.film_limit = 20000;
    make_bell(&made[0], 1000, 1, 0);
    make_bell(&made[1], 100, 1e-3, 0);
    for (uint64_t step = 0; step < 5000; step++) {
        const vg_record record = histogram_record(step, "long", &made[step % 3 == 0]);
        const vg_record rare = histogram_record(step, "rare", &made[1]);
        vg_keep_add(&keep, &record);
        if (step % 200 == 0) vg_keep_add(&keep, &rare);
        const vg_film *film = keep.films.items[0];
        assert_int_equal(vg_vec_last(&film->frames).step, step);
        assert_true(keep.film_bytes <= keep.film_limit);
    }
    const vg_film *film = keep.films.items[0];
    assert_true(film->stride > 1 && film->frames.count > 40);
    uint32_t at = 0;
    for (uint32_t i = 0; i < film->frames.count; i++) {
        const vg_frame *frame = &film->frames.items[i];
        vg_cells cells;
        assert_int_equal(frame->step, i + 1 < film->frames.count ? i * film->stride : 4999);
        vg_cells_of(&made[frame->step % 3 == 0].histogram, &cells);
        assert_int_equal(frame->kept, cells.kept);
        assert_memory_equal(film->cells.items + at, cells.bytes, 2u * cells.kept);
        at += 2u * frame->kept;
    }
    assert_int_equal(at, film->cells.count);
    assert_int_equal(keep.films.items[1]->stride, 1);
    assert_int_equal(keep.films.items[1]->frames.count, 25);
    vg_mem_release(&s.mem);
}

static void test_columns(void **state) {
    (void)state;
    static made_histogram made;
    double values[] = { 0, 1, 1, -3 };
    make_histogram(&made, values, 4);
    made.histogram.count += 2;
    made.histogram.infs = 2;
    scratch s;
    vg_keep keep;
    scratch_begin(&s);
    vg_keep_init(&keep, &s.arena);
    const vg_record records[] = { scalar_record(5, "a", 0.5), histogram_record(300, "h", &made),
                                  scalar_record(7, "a", -2) };
    for (size_t i = 0; i < COUNT(records); i++) {
        vg_keep_add(&keep, &records[i]);
    }
    vg_text out = vg_text_new(&s.mem);
    vg_keep_columns(&keep, false, &out);
    static const uint8_t wanted[] = {
        5, 0, 0, 0, 2, 0, 0, 0,  0, 0, 0, 0x3F, 0, 0, 0, 0xC0,              /* steps, values */
        44, 1, 0, 0,  0, 0, 0x80, 0xBE,  0x89, 0xD6, 0xD1, 0x3F,            /* step, mean -1/4, std */
        0, 0, 0x40, 0xC0,  0, 0, 0x80, 0x3F,                                /* min -3, max 1 */
        1, 0, 0, 0,  2, 0, 0, 0,  6, 0, 0, 0,  1, 0,  8,                    /* zeros, lost, all, octave, kept */
        0, 0, 0, 0, 0, 0, 0, 63,  0, 45, 0, 0, 0, 0, 0, 0 };
    assert_true(out.length == sizeof wanted);
    assert_memory_equal(out.text, wanted, sizeof wanted);
    vg_text wide = vg_text_new(&s.mem);
    vg_keep_columns(&keep, true, &wide);
    assert_int_equal(wide.length, out.length + 4 * (2 + 4));
    vg_mem_release(&s.mem);
}

static void test_images(void **state) {
    (void)state;
    uint8_t pixels[4] = { 0 };
    const vg_image image = { 1, 2, 2, 1, 0, 1, pixels };
    scratch s;
    scratch_begin(&s);
    vg_album album = { .arena = &s.arena };
    for (uint64_t step = 0; step < 100; step++) {
        const vg_record record = image_record(step, "x", &image);
        pixels[3] = (uint8_t)step;
        vg_album_add(&album, &record);
        assert_int_equal(vg_vec_last(&album.list.items[0].stills).step, step);
    }
    const vg_sequence *x = &album.list.items[0];
    assert_in_range(x->stills.count, 3, VG_STILLS);
    for (uint32_t i = 0; i < x->stills.count; i++) {
        assert_int_equal(x->stills.items[i].step, i + 1 < x->stills.count ? i * x->stride : 99);
        assert_int_equal(x->stills.items[i].pixels[3], x->stills.items[i].step);
    }
    assert_int_equal(album.bytes, 4 * x->stills.count);
    vg_mem_release(&s.mem);
}

/* ---- the file */

static const char source[] = "input x: [batch, 3]\nvar w: [3] = 1\nh[0] = x * w   # </script>\n"
                             "h[1] = sigmoid(h[0])\nloss = mean(h[1])\ntrain loss { optimizer = sgd(rate = 0.1) }\n";

typedef struct stage { vg_model *model; vg_run_options run; char folder[32]; } stage;

static void stage_begin(stage *s) {
    s->model = vg_model_new();
    s->run = (vg_run_options){ 0 };
    assert_int_equal(vg_model_load_text(s->model, "m.nn", source, strlen(source)), VG_OK);
    strcpy(s->folder, "/tmp/vgraph-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
}

static void stage_end(stage *s) {
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", s->folder);
    assert_int_equal(system(command), 0);
    vg_model_free(s->model);
}

static vg_sink *open_sink(const stage *s, const char **error) {
    static const char *const overrides[] = { "--set a=<b>" };
    const vg_journal_options options = { overrides, 1, "vgraph run 'm.nn'", &s->run, NULL };
    return vg_sink_report(s->folder, s->model, &options, error);
}

static char *read_page(const stage *s, size_t *length) {
    char path[64];
    snprintf(path, sizeof path, "%s/report.html", s->folder);
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(*length + 1, 1);
    assert_int_equal(fread(text, 1, *length, file), *length);
    fclose(file);
    return text;
}

/* The JSON between the tags, parsed: the only '<' behind it is the end tag. */
static json_t *data_of(const char *page) {
    static const char begin[] = "<script type=\"application/json\" id=\"data\">";
    const char *from = strstr(page, begin);
    assert_non_null(from);
    from += strlen(begin);
    json_t *data = json_loadb(from, strcspn(from, "<"), 0, NULL);
    assert_non_null(data);
    return data;
}

static const char *text_at(const json_t *object, const char *list, const char *key) {
    return json_string_value(json_object_get(json_array_get(json_object_get(object, list), 0), key));
}

static void test_page(void **state) {
    (void)state;
    static made_histogram made;
    stage s;
    const char *error = NULL;
    stage_begin(&s);
    make_bell(&made, 100, 1, 0.1);
    vg_sink *sink = open_sink(&s, &error);
    assert_non_null(sink);
    static const char *const where[] = { "h[1]" };
    const vg_finding finding = { .rule = "SATURATED", .severity = VG_SEVERITY_FAULT, .where = where, .where_count = 1,
                                 .value = 0.7, .limit = 0.5, .file = "m.nn", .line = 4, .say = "h[1] <is> saturated\xFF",
                                 .why = "why", .try_this = "what" };
    const vg_record records[] = {
        { .kind = VG_RECORD_START, .steps = 2 }, histogram_record(0, "grad(loss)/h[1]\xFF", &made),
        { .kind = VG_RECORD_STEP, .step = 0, .value = 0.5 }, { .kind = VG_RECORD_STEP, .step = 1, .value = 0.25 },
        { .kind = VG_RECORD_EXPECT, .step = 2, .tag = "loss < 1", .ok = true, .last = true },
        { .kind = VG_RECORD_FINDING, .step = 2, .finding = &finding },
        { .kind = VG_RECORD_DONE, .step = 2, .seconds = 0.5 } };
    for (size_t i = 0; i < COUNT(records); i++) {
        assert_true(vg_sink_watch(sink, &records[i]));
    }
    assert_true(vg_sink_close(sink, &error));
    size_t length;
    char *page = read_page(&s, &length);
    assert_non_null(page);
    json_t *data = data_of(page), *run = json_object_get(data, "run");
    assert_string_equal(json_string_value(json_object_get(run, "source")), source);
    assert_string_equal(json_string_value(json_object_get(run, "command")), "vgraph run 'm.nn'");
    assert_string_equal(text_at(run, "findings", "say"), "h[1] <is> saturated\xEF\xBF\xBD");
    assert_string_equal(text_at(run, "findings", "rule"), "SATURATED");
    assert_string_equal(text_at(data, "films", "tag"), "grad(loss)/h[1]\xEF\xBF\xBD");
    assert_string_equal(text_at(data, "curves", "tag"), "loss");   /* no scalar is watched */
    json_t *graph = json_object_get(data, "graph");
    assert_true(json_array_size(json_object_get(graph, "op")) > 10);
    assert_int_equal(json_array_size(json_object_get(graph, "op")), json_array_size(json_object_get(graph, "line")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(graph, "variables"), 0)), "w");
    assert_string_equal(page + length - strlen("</html>\n"), "</html>\n");
    assert_null(strstr(page, "@SCRIPT@"));
    assert_null(strstr(page, "@STYLE@"));
    json_decref(data);
    free(page);
    stage_end(&s);
}

/* Ten thousand steps of twenty histograms. */
static void test_size(void **state) {
    (void)state;
    static made_histogram made[8];
    stage s;
    const char *error = NULL;
    stage_begin(&s);
    for (size_t k = 0; k < COUNT(made); k++) {
        make_bell(&made[k], 5000 + 777 * k, pow(3, -(double)k), 0.05 * (double)k);
    }
    vg_sink *sink = open_sink(&s, &error);
    const vg_record start = { .kind = VG_RECORD_START, .steps = 10000 };
    assert_true(vg_sink_watch(sink, &start));
    uint32_t noise = 1;
    for (uint64_t step = 0; step < 10000; step++) {
        for (uint32_t k = 0; k < 20; k++) {
            char tag[32];
            made_histogram *m = &made[(noise >> 20) % COUNT(made)];
            snprintf(tag, sizeof tag, "grad(loss)/h[%u].W", k);
            for (size_t i = 0; i < m->histogram.bucket_count; i++) {   /* nothing repeats */
                noise = noise * 1664525 + 1013904223;
                m->buckets[i].count = m->buckets[i].count * (90 + (noise >> 24) % 21) / 100 + 1;
            }
            m->histogram.mean = m->histogram.std * ((double)noise / UINT32_MAX - 0.5);
            const vg_record record = histogram_record(step, tag, m);
            assert_true(vg_sink_watch(sink, &record));
        }
    }
    assert_true(vg_sink_close(sink, &error));
    size_t length;
    char *page = read_page(&s, &length);
    assert_in_range(length, 5000000, 20000000);
    json_t *data = data_of(page), *film = json_array_get(json_object_get(data, "films"), 19);
    assert_int_equal(json_integer_value(json_object_get(film, "seen")), 10000);
    assert_int_equal(json_integer_value(json_object_get(film, "frames")), 10000);
    json_decref(data);
    free(page);
    stage_end(&s);
}

/* Whatever fails, there is a whole report or none, and nothing beside it. */
static void test_failures(void **state) {
    (void)state;
    static made_histogram made;
    make_bell(&made, 1000, 1, 0.1);
    const vg_image image = { 2, 1, 2, 1, 0, 1, (const uint8_t[]){ 0, 255, 255, 0 } };
    const vg_record records[] = { { .kind = VG_RECORD_START, .steps = 1 }, scalar_record(0, "loss", 1),
                                  histogram_record(0, "g", &made), image_record(0, "g", &image),
                                  { .kind = VG_RECORD_DONE, .step = 1 } };
    bool memory_failed = false, disk_failed = false;
    for (uint64_t n = 1; n <= 120; n++) {   /* even: allocation n / 2 fails; odd: write (n + 1) / 2 */
        stage s;
        const char *error = NULL;
        stage_begin(&s);
        vg_sink *sink = open_sink(&s, &error);
        assert_non_null(sink);
        sink->mem.fail_at = n % 2 ? 0 : sink->mem.calls + n / 2;
        sink->disk.fail_at = n % 2 ? (n + 1) / 2 : 0;
        bool fine = true;
        for (size_t i = 0; i < COUNT(records) && fine; i++) {
            fine = vg_sink_watch(sink, &records[i]);
        }
        fine = vg_sink_close(sink, &error) && fine;
        if (!fine) {
            assert_string_equal(error, n % 2 ? "No space left on device" : "there is not enough memory");
            memory_failed |= n % 2 == 0;
            disk_failed |= n % 2 == 1;
        }
        size_t length;
        char *page = read_page(&s, &length);
        assert_int_equal(page != NULL, fine);
        if (page) assert_string_equal(page + length - strlen("</html>\n"), "</html>\n");
        free(page);
        char command[96];
        snprintf(command, sizeof command, "test $(ls '%s' | grep -vc '^report.html$') = 0", s.folder);
        assert_int_equal(system(command), 0);
        stage_end(&s);
    }
    assert_true(memory_failed && disk_failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_value), cmocka_unit_test(test_nothing_but_zeros),
        cmocka_unit_test(test_infinite_edge),
        cmocka_unit_test(test_shares), cmocka_unit_test(test_curves_keep_peaks), cmocka_unit_test(test_curves_keep_nan),
        cmocka_unit_test(test_films_thin_evenly), cmocka_unit_test(test_columns), cmocka_unit_test(test_images),
        cmocka_unit_test(test_page), cmocka_unit_test(test_size), cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
