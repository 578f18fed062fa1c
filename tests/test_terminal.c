/* What a person sees of a run, for made-up records: tests/golden/terminal/NAME.txt. `test_terminal --bless` rewrites
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "record_fixture.h"

static bool blessing;

typedef struct written { char text[1 << 16]; size_t length; } written;

static bool collect(void *user, const char *bytes, size_t length) {
    written *to = user;
    assert_true(to->length + length < sizeof to->text);
    memcpy(to->text + to->length, bytes, length);
    to->length += length;
    return true;
}

static void compare(const char *name, const written *text) {
    static char golden[1 << 16];
    char path[512];
    snprintf(path, sizeof path, "%s/golden/terminal/%s.txt", VG_TESTS, name);
    if (blessing) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(text->text, 1, text->length, file), text->length);
        fclose(file);
        return;
    }
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    golden[fread(golden, 1, sizeof golden - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text->text, golden);
}

/* A sink whose progress goes into a pipe; its text comes first in `out`. */
typedef struct screen { vg_sink *sink; int pipe[2]; written out; } screen;

static void screen_open(screen *s, vg_terminal_options options) {
    memset(s, 0, sizeof *s);
    assert_int_equal(pipe(s->pipe), 0);
    options.progress = s->pipe[1];
    options.write = collect;
    options.user = &s->out;
    s->sink = vg_sink_terminal(&options);
    assert_non_null(s->sink);
}

static void screen_close(screen *s, const char *golden) {
    const char *error = NULL;
    assert_true(vg_sink_close(s->sink, &error));
    close(s->pipe[1]);
    static written all;
    memset(&all, 0, sizeof all);
    for (ssize_t got; (got = read(s->pipe[0], all.text + all.length, 4096)) > 0;) {
        all.length += (size_t)got;
    }
    close(s->pipe[0]);
    collect(&all, s->out.text, s->out.length);
    compare(golden, &all);
}

static void watch(screen *s, vg_record record) { assert_true(vg_sink_watch(s->sink, &record)); }

/* The network that the project exists for: gradients that narrow towards the input. */
static void deep_sigmoid(screen *s) {
    static const double scales[] = { 0.0025, 0.008, 0.012, 0.017 };
    static made_histogram made;
    watch(s, (vg_record){ .kind = VG_RECORD_START, .steps = 100 });
    for (uint64_t step = 0; step < 100; step++) {
        watch(s, scalar_record(step, "loss", 11.56 * exp(-0.012 * (double)step)));
        watch(s, scalar_record(step, "accuracy", 0.09375 + 0.0001 * (double)step));
        for (int layer = 0; layer < 4 && step % 33 == 0; layer++) {
            char tag[32];
            snprintf(tag, sizeof tag, "grad(loss)/h[%d].W", layer + 1);
            make_bell(&made, 5000, scales[layer] * (1 - 0.004 * (double)step), layer == 0 ? 0.34 : 0);
            watch(s, histogram_record(step, tag, &made));
        }
        watch(s, (vg_record){ .kind = VG_RECORD_STEP, .step = step, .value = 11.56 * exp(-0.012 * (double)step),
                              .steps = 100, .seconds = 0.125 * (double)(step + 1) });
    }
    watch(s, (vg_record){ .kind = VG_RECORD_DONE, .step = 100, .seconds = 12.5 });
}

static void test_deep_sigmoid(void **state) {
    (void)state;
    screen s;
    screen_open(&s, (vg_terminal_options){ .unicode = true, .columns = 100 });
    deep_sigmoid(&s);
    screen_close(&s, "deep_sigmoid");
}

static void test_ascii(void **state) {
    (void)state;
    screen s;
    screen_open(&s, (vg_terminal_options){ .columns = 80 });
    deep_sigmoid(&s);
    screen_close(&s, "deep_sigmoid_ascii");
}

/* In place and in colour, on a terminal too narrow for anything. */
static void test_live(void **state) {
    (void)state;
    screen s;
    screen_open(&s, (vg_terminal_options){ .live = true, .colour = true, .unicode = true, .columns = 30,
                                           .progress_columns = 30 });
    deep_sigmoid(&s);
    screen_close(&s, "live");
}

/* Three steps of two tensors, the loss falling. */
static void three_steps(screen *s) {
    static made_histogram made[3];
    for (uint64_t step = 0; step < 3; step++) {
        make_bell(&made[step], 2000, 1e-5, 0.1 / (double)(step + 1));
        watch(s, histogram_record(step, "grad(loss)/h[1].W", &made[step]));
        watch(s, histogram_record(step, "grad(loss)/h[2].W", &made[0]));
        watch(s, (vg_record){ .kind = VG_RECORD_STEP, .step = step, .steps = 3, .value = 3 - (double)step,
                              .seconds = (double)step + 1 });
    }
    watch(s, (vg_record){ .kind = VG_RECORD_DONE, .step = 3, .seconds = 3 });
}

/* A row for each watched tensor below the line, drawn over the one before; where there is no room, the line alone. */
static void test_live_rows(void **state) {
    (void)state;
    screen s;
    screen_open(&s, (vg_terminal_options){ .live = true, .unicode = true, .columns = 90, .progress_columns = 90,
                                           .progress_rows = 12 });
    three_steps(&s);
    screen_close(&s, "live_rows");
    screen_open(&s, (vg_terminal_options){ .live = true, .columns = 90, .progress_columns = 50, .progress_rows = 12 });
    three_steps(&s);
    screen_close(&s, "live_narrow");
}

/* Names and numbers at several widths: no line is longer than the terminal. */
static void test_narrow(void **state) {
    (void)state;
    static made_histogram made;
    make_bell(&made, 5000, 1e-5, 0.2);
    made.histogram.count += 2;
    made.histogram.nans = 2;
    for (uint32_t columns = 46; columns <= 140; columns++) {
        screen s;
        screen_open(&s, (vg_terminal_options){ .columns = columns });
        for (uint64_t step = 0; step < 2; step++) {
            watch(&s, scalar_record(step, "rms(grad(loss, encoder[*].W))/encoder[1].W", -1.2345e-5));
            watch(&s, histogram_record(step, "g/encoder[1].attention.W", &made));
            watch(&s, histogram_record(step, "g/b", &made));
        }
        watch(&s, (vg_record){ .kind = VG_RECORD_DONE, .step = 2, .seconds = 1 });
        for (const char *line = s.out.text; *line; line += strcspn(line, "\n") + 1) {
            assert_in_range(strcspn(line, "\n"), 0, columns);
        }
        const char *error;
        assert_true(vg_sink_close(s.sink, &error));
        close(s.pipe[0]);
        close(s.pipe[1]);
    }
}

/* Values over the test split stand behind those of the steps, and before the distributions. */
static void test_split(void **state) {
    (void)state;
    static made_histogram made;
    screen s;
    make_bell(&made, 100, 1, 0);
    screen_open(&s, (vg_terminal_options){ .unicode = true, .columns = 80 });
    for (uint64_t step = 0; step <= 40; step += 20) {
        watch(&s, test_record(step, "loss", 2.5 - 0.02 * (double)step));
        watch(&s, test_record(step, "accuracy", 0.1 + 0.01 * (double)step));
        watch(&s, test_record(step, "rms(h)/h[1]", 1));
        if (step < 40) {
            watch(&s, histogram_record(step, "h[1].W", &made));
            watch(&s, scalar_record(step, "loss", 2 - 0.02 * (double)step));
            watch(&s, scalar_record(step, "rms(h)/h[1]", 3));
        }
    }
    watch(&s, (vg_record){ .kind = VG_RECORD_DONE, .step = 40, .seconds = 1 });
    screen_close(&s, "split");
}

/* Rings in grey, of two tags, and bars in colour of an odd height: as many as fit; one too large, ones too many. */
static void watch_images(screen *s) {
    enum { SIDE = 16, HEIGHT = 5, WIDTH = 24, LARGE = 65 };
    static uint8_t rings[4][SIDE][SIDE], black[4][SIDE][SIDE], bars[2][HEIGHT][WIDTH][3], large[LARGE];
    for (int k = 0; k < 4 * SIDE * SIDE; k++) {
        const int x = k % SIDE * 2 - SIDE + 1, y = k / SIDE % SIDE * 2 - SIDE + 1, image = k / (SIDE * SIDE);
        const double distance = fabs(sqrt(x * x + y * y) - 5 - 3 * image);
        rings[image][k / SIDE % SIDE][k % SIDE] = (uint8_t)fmax(0, 255 - 45 * distance);
    }
    for (int k = 0; k < 2 * HEIGHT * WIDTH * 3; k++) {
        const int channel = k % 3, x = k / 3 % WIDTH, y = k / (3 * WIDTH) % HEIGHT, image = k / (3 * WIDTH * HEIGHT);
        bars[image][y][x][channel] = (uint8_t)((x / 8 == channel ? 255 : 0) / (1 + y * image));
    }
    const vg_image early = { 4, SIDE, SIDE, 1, 0, 0, black[0][0] };
    const vg_image grey = { 4, SIDE, SIDE, 1, -0.25, 1e-3, rings[0][0] };
    const vg_image rgb = { 2, HEIGHT, WIDTH, 3, 0, 255, bars[0][0][0] }, wide = { 1, 1, LARGE, 1, 0, 1, large };
    watch(s, image_record(0, "rings", &early));
    watch(s, image_record(0, "bars", &rgb));
    watch(s, image_record(40, "rings", &grey));
    watch(s, image_record(40, "wide", &wide));
    for (int k = 0; k < 8; k++) {
        char tag[32];
        snprintf(tag, sizeof tag, "more[%d]", k);
        watch(s, image_record(40, tag, &wide));
        watch(s, image_record(41, tag, &wide));
    }
    watch(s, (vg_record){ .kind = VG_RECORD_DONE, .step = 40, .seconds = 1 });
}

static void test_images(void **state) {
    (void)state;
    static const struct { const char *golden; vg_terminal_options options; } rows[] = {
        { "images", { .unicode = true, .columns = 70, .files = true } },
        { "images_ascii", { .columns = 30 } },
        { "images_colour", { .unicode = true, .colour = true, .columns = 51 } },
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        screen s;
        screen_open(&s, rows[k].options);
        watch_images(&s);
        screen_close(&s, rows[k].golden);
    }
}

/* Only members that differ in an index are one family; a list of numbers is no index. */
static void test_families(void **state) {
    (void)state;
    static const struct { const char *tags[4]; const char *title; } rows[] = {
        { { "h[1].b", "h[2].b", "h[10].b" }, "h[*].b" }, { { "c[0]" }, "c[0]" },
        { { "c[0][1, 2]", "c[0][1, 3]" }, "c[0][*]" }, { { "c[0][1]", "c[1][1]", "c[1][22]" }, "c[*][*]" },
        { { "sample(normal(0, 1), [1000])" }, "sample(normal(0, 1), [1000])" }, { { "f([1, 2])[3]" }, "f([1, 2])[3]" },
        { { "mean(h[*], axis = 0)[1]", "mean(h[*], axis = 0)[2]" }, "mean(h[*], axis = 0)[*]" },
        { { "w / 2" }, "w / 2" }, { { "grad(loss)/h[1].W" }, "grad(loss)" },
    };
    static made_histogram made;
    make_bell(&made, 10, 1, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        screen s;
        char wanted[80];
        screen_open(&s, (vg_terminal_options){ .columns = 100 });
        for (size_t k = 0; k < 4 && rows[i].tags[k]; k++) {
            watch(&s, histogram_record(0, rows[i].tags[k], &made));
        }
        watch(&s, (vg_record){ .kind = VG_RECORD_DONE, .step = 1, .seconds = 1 });
        snprintf(wanted, sizeof wanted, "\n%s, step 0\n", rows[i].title);
        assert_int_equal(strncmp(s.out.text, wanted, strlen(wanted)), 0);
        assert_null(strstr(s.out.text + strlen(wanted), ", step 0\n"));   /* no second family */
        const char *error;
        assert_true(vg_sink_close(s.sink, &error));
        close(s.pipe[0]);
        close(s.pipe[1]);
    }
}

/* 10,000 layers: memory stays small, and a line says what was left out. */
static void test_thousands(void **state) {
    (void)state;
    static made_histogram made;
    screen s;
    screen_open(&s, (vg_terminal_options){ .unicode = true, .columns = 100 });
    for (uint64_t step = 0; step < 2; step++) {
        for (int layer = 1; layer <= 10000; layer++) {
            char tag[64];
            snprintf(tag, sizeof tag, "rms(grad(loss))/h[%d]", layer);
            watch(&s, scalar_record(step, tag, 1.0 / layer));
            snprintf(tag, sizeof tag, "h[%d].W", layer);
            if (layer % 512 == 1) {   /* what is left out need not be made anew */
                make_bell(&made, 100, 0.001 * layer, 0);
            }
            watch(&s, histogram_record(step, tag, &made));
        }
    }
    watch(&s, (vg_record){ .kind = VG_RECORD_DONE, .step = 2, .seconds = 1 });
    screen_close(&s, "thousands");
}

/* What distributions there are: one value, none, positive ones, not a number; an expect that fails. */
static void test_odd(void **state) {
    (void)state;
    static made_histogram made;
    screen s;
    screen_open(&s, (vg_terminal_options){ .unicode = true, .columns = 90 });
    double same[] = { 3, 3, 3 }, zeros[] = { 0, 0 }, positive[] = { 0.1, 0.2, 0.25, 0.3, 0.9, 0, 0 };
    make_histogram(&made, same, 3);
    watch(&s, histogram_record(0, "same", &made));
    make_histogram(&made, zeros, 2);
    watch(&s, histogram_record(0, "zeros", &made));
    make_histogram(&made, positive, 7);
    watch(&s, histogram_record(0, "positive values of a very long name, too long to be shown", &made));
    made.histogram = (vg_histogram){ .count = 12, .nans = 9, .infs = 3 };
    watch(&s, histogram_record(0, "broken", &made));
    watch(&s, scalar_record(0, "loss", -(double)NAN));
    watch(&s, (vg_record){ .kind = VG_RECORD_STEP, .step = 0, .value = NAN, .steps = 1, .seconds = 0 });
    watch(&s, (vg_record){ .kind = VG_RECORD_EXPECT, .step = 0, .tag = "finite(loss)", .message = "loss is nan",
                          .failures = 1 });
    watch(&s, (vg_record){ .kind = VG_RECORD_EXPECT, .step = 0, .tag = "finite(loss)", .failures = 1, .last = true });
    watch(&s, (vg_record){ .kind = VG_RECORD_DONE, .step = 1, .seconds = 0.25, .status = VG_FAILED_NUMBERS });
    screen_close(&s, "odd");
}

int main(int argc, char **argv) {
    blessing = argc > 1 && strcmp(argv[1], "--bless") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deep_sigmoid), cmocka_unit_test(test_ascii), cmocka_unit_test(test_live), cmocka_unit_test(test_live_rows),
        cmocka_unit_test(test_narrow), cmocka_unit_test(test_split), cmocka_unit_test(test_families),
        cmocka_unit_test(test_images), cmocka_unit_test(test_thousands), cmocka_unit_test(test_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
