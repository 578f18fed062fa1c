/* A run's folder, read again: what comes back is what was recorded, and what is damaged is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <dirent.h>

#include "record_fixture.h"
#include "watch/archive.h"
#include "watch/sink.h"
#include "watch/tensorboard.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
enum { FILE_MOST = 1 << 20, RECORDS_MOST = 2000 };

/* ---- folders */

static void make_folder(char path[32]) {
    strcpy(path, "/tmp/vgraph-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static void remove_folder(const char *folder) {
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t length) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void event_path(const char *folder, char path[400]) {
    DIR *directory = opendir(folder);
    *path = '\0';
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strncmp(entry->d_name, "events.", 7) == 0) snprintf(path, 400, "%s/%s", folder, entry->d_name);
    }
    closedir(directory);
    assert_string_not_equal(path, "");
}

static size_t read_path(const char *path, uint8_t *bytes) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t length = fread(bytes, 1, FILE_MOST, file);
    fclose(file);
    return length;
}

static const char journal[] =
    "{\"format\": 1, \"version\": \"0\", \"model\": \"a.nn\", \"source\": \"a = 1\\n\",\n"
    " \"overrides\": [\"--set a=2\"],\n"
    " \"seed\": 7, \"steps\": 9, \"batch\": 4, \"float64\": true, \"started\": \"d\", \"threads\": 2,\n"
    " \"machine\": {\"host\": \"h\", \"processor\": \"p\", \"blas\": \"b\"},\n"
    " \"findings\": [{\"rule\": \"DEAD\", \"severity\": \"fault\", \"follows\": true,\n"
    " \"where\": [\"h[1]\", \"h[2]\"],\n"
    " \"value\": \"inf\", \"limit\": 0.25, \"file\": \"a.nn\", \"line\": 3,\n"
    " \"say\": \"s\", \"why\": \"w\", \"try\": \"t\"}],\n"
    " \"expects\": [{\"expr\": \"a > 0\", \"ok\": false, \"failures\": 3}], \"steps_done\": 5, \"seconds\": 1.5,\n"
    " \"exit\": 3}\n";

/* ---- records, kept */

typedef struct kept { vg_record record; vg_histogram histogram; vg_image image; char tag[400]; } kept;
typedef struct keeper { kept *list; size_t count, stop_at; } keeper;

static void *copy_of(const void *bytes, size_t length) {
    void *copy = malloc(length ? length : 1);
    if (length) memcpy(copy, bytes, length);
    return copy;
}

static bool keep(void *user, const vg_record *record) {
    keeper *all = user;
    if (record->kind == VG_RECORD_STEP || (record->kind == VG_RECORD_EXPECT && !record->last)) return true;
    assert_true(all->count < RECORDS_MOST);
    kept *k = &all->list[all->count++];
    k->record = *record;
    if (record->tag) snprintf(k->tag, sizeof k->tag, "%s", record->tag);
    if (record->finding) snprintf(k->tag, sizeof k->tag, "%s: %s", record->finding->rule, record->finding->say);
    if (record->histogram) {
        k->histogram = *record->histogram;
        k->histogram.buckets = copy_of(record->histogram->buckets, record->histogram->bucket_count * sizeof(vg_bucket));
    }
    if (record->image) {
        const vg_image *i = record->image;
        k->image = *i;
        k->image.pixels = copy_of(i->pixels, (size_t)i->count * i->height * i->width * i->channels);
    }
    return all->count != all->stop_at;
}

static keeper new_keeper(void) { return (keeper){ calloc(RECORDS_MOST, sizeof(kept)), 0, 0 }; }

static void free_keeper(keeper *all) {
    for (size_t i = 0; i < all->count; i++) {
        free((void *)(uintptr_t)all->list[i].histogram.buckets);
        free((void *)(uintptr_t)all->list[i].image.pixels);
    }
    free(all->list);
}

/* ---- what was recorded comes back */

static const char model_text[] =
    "data points = spirals(count = 200, noise = 0.02, seed = 1)\n"
    "input x: [batch, 2] = points.features\n"
    "input y: [batch] = points.target\n"
    "const units = 8\n"
    "layer far(x: [n, d], units) {\n"            /* its weights are far too large: a finding */
    "    var W: [d, units] ~ normal(0, 30)\n"
    "    var b: [units] = 0\n"
    "    return tanh(x @ W + b)\n"
    "}\n"
    "h = far(x, units)\n"
    "logits = dense(h, 2)\n"
    "loss = mean(cross_entropy(logits, y))\n"
    "train loss { optimizer = sgd(rate = 0.1); batch = 16; steps = 6; eval_every = 4 }\n"
    "model = loss / 3\n"
    "summary scalar loss, log(loss * 0 - 1), model\n"
    "summary histogram grad(loss, h.W), h every 2\n"
    "summary histogram log(h * 0 - 1), log(h), h.b * 0, h.b * 0 + 3\n"
    "both = expand(h, 1)\n"
    "summary image both every 3\n"
    "summary histogram both every 3\n"
    "expect loss > 0\n"
    "expect loss < 0\n";

typedef struct recorder { keeper *keeper; vg_sink *sinks[2]; } recorder;

static bool record_all(void *user, const vg_record *record) {
    recorder *all = user;
    return keep(all->keeper, record) && vg_sink_watch(all->sinks[0], record) && vg_sink_watch(all->sinks[1], record);
}

static void record_run(const char *folder, bool float64, keeper *all) {
    vg_model *model = vg_model_new();
    const char *error, *overrides[] = { "--set units=6" };
    assert_int_equal(vg_model_set(model, "units", "6"), VG_OK);
    assert_int_equal(vg_model_watch(model, VG_WATCH_ALL), VG_OK);
    const vg_status loaded = vg_model_load_text(model, "a.nn", model_text, strlen(model_text));
    vg_diagnostic wrong;
    if (vg_model_diagnostic(model, 0, &wrong)) print_error("%u: %s\n", wrong.line, wrong.message);
    assert_int_equal(loaded, VG_OK);
    recorder to = { .keeper = all };
    const vg_run_options options = { .seed = 5, .has_seed = true, .float64 = float64, .watch = record_all,
                                     .user = &to };
    const vg_journal_options journal_options = { .overrides = overrides, .override_count = 1, .run = &options };
    vg_run *run;
    assert_int_equal(vg_run_new(model, &options, &run), VG_OK);
    to.sinks[0] = vg_sink_tensorboard(folder, model, &error);
    to.sinks[1] = vg_sink_journal(folder, model, &journal_options, &error);
    assert_int_equal(vg_run_all(run, NULL), VG_FAILED_EXPECT);
    assert_true(vg_sink_close(to.sinks[0], &error) && vg_sink_close(to.sinks[1], &error));
    vg_run_free(run);
    vg_model_free(model);
}

static bool same_number(double a, double b) { return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)); }

/* The buckets are merged neighbours: the same elements within the same edges. */
static void compare_histograms(const vg_histogram *a, const vg_histogram *b) {
    assert_true(a->count == b->count && a->zeros == b->zeros && a->nans == b->nans && a->infs == b->infs);
    assert_true(same_number(a->min, b->min) && same_number(a->max, b->max) && same_number(a->mean, b->mean));
    assert_true(same_number(a->std, b->std) && same_number(a->rms, b->rms));
    assert_true(b->bucket_count <= VG_BIN_LIMIT);
    uint64_t in_a = 0, in_b = 0;
    for (size_t i = 0; i < a->bucket_count; i++) in_a += a->buckets[i].count;
    for (size_t i = 0; i < b->bucket_count; i++) in_b += b->buckets[i].count;
    assert_int_equal(in_a, in_b);
    for (size_t i = 1; i < b->bucket_count; i++) assert_true(b->buckets[i].low >= b->buckets[i - 1].high);
}

static void compare(const kept *a, const kept *b) {
    assert_int_equal(a->record.kind, b->record.kind);
    assert_string_equal(a->tag, b->tag);
    assert_int_equal(a->record.step, b->record.step);
    assert_true(a->record.test == b->record.test && same_number(a->record.value, b->record.value));
    if (a->record.kind == VG_RECORD_HISTOGRAM) compare_histograms(&a->histogram, &b->histogram);
    if (a->record.kind == VG_RECORD_IMAGE) {
        const vg_image *i = &a->image, *j = &b->image;
        assert_true(i->count == j->count && i->height == j->height && i->width == j->width &&
                    i->channels == j->channels && i->min == j->min && i->max == j->max);
        assert_memory_equal(i->pixels, j->pixels, (size_t)i->count * i->height * i->width * i->channels);
    }
    if (a->record.kind == VG_RECORD_EXPECT)
        assert_true(a->record.ok == b->record.ok && a->record.failures == b->record.failures && b->record.last);
    if (a->record.kind == VG_RECORD_DONE) {
        assert_true(a->record.status == b->record.status && b->record.seconds > 0);
        assert_true(fabs(a->record.seconds - b->record.seconds) < 1e-6);
    }
}

static void what_was_recorded_comes_back(void **state) {
    (void)state;
    for (int float64 = 0; float64 < 2; float64++) {
        char folder[32];
        make_folder(folder);
        keeper before = new_keeper(), after = new_keeper();
        record_run(folder, float64, &before);
        vg_archive *archive = vg_archive_open(folder);
        assert_null(vg_archive_error(archive));
        const vg_archive_info *info = vg_archive_info_of(archive);
        assert_string_equal(info->source, model_text);
        assert_string_equal(info->model, "a.nn");
        assert_true(info->override_count == 1 && info->seed == 5 && info->steps == 6 && info->batch == 16);
        assert_string_equal(info->overrides[0], "--set units=6");
        assert_true(info->done && info->steps_done == 6 && info->status == VG_FAILED_EXPECT);
        assert_true(info->float64 == float64);
        for (int again = 0; again < 2; again++) {
            free_keeper(&after);
            after = new_keeper();
            assert_true(vg_archive_replay(archive, keep, &after));
            assert_int_equal(after.count, before.count);
            for (size_t i = 0; i < before.count; i++) compare(&before.list[i], &after.list[i]);
        }
        assert_true(info->finding_count > 0);
        vg_archive_close(archive);
        free_keeper(&before);
        free_keeper(&after);
        remove_folder(folder);
    }
}

/* A watcher that has seen enough is asked no further, and that is no error. */
static void a_watcher_can_end_it(void **state) {
    (void)state;
    char folder[32];
    make_folder(folder);
    keeper before = new_keeper(), after = new_keeper();
    record_run(folder, false, &before);
    vg_archive *archive = vg_archive_open(folder);
    for (after.stop_at = 1; after.stop_at <= before.count; after.stop_at += 7) {
        after.count = 0;
        assert_false(vg_archive_replay(archive, keep, &(keeper){ after.list, 0, after.stop_at }));
        assert_null(vg_archive_error(archive));
        for (size_t i = 0; i < after.stop_at; i++) {   /* only what this turn has kept is its own */
            free((void *)(uintptr_t)after.list[i].histogram.buckets);
            free((void *)(uintptr_t)after.list[i].image.pixels);
            after.list[i] = (kept){ 0 };
        }
    }
    vg_archive_close(archive);
    free_keeper(&before);
    free(after.list);
    remove_folder(folder);
}

/* ---- damage */

/* A small run's folder with an event file by hand: two scalars, a histogram with zeros and NaN. */
static size_t small_file(const char *folder, uint8_t *bytes) {
    static made_histogram made;
    const char *error;
    char path[400];
    double values[] = { 0, -1, 2 };
    make_histogram(&made, values, COUNT(values));
    made.histogram.nans = 1;
    made.histogram.count++;
    const vg_record records[] = { scalar_record(0, "loss", 1.0 / 3), histogram_record(0, "w", &made),
                                  scalar_record(1, "loss", 0.25) };
    vg_sink *sink = vg_sink_tensorboard(folder, NULL, &error);
    for (size_t i = 0; i < COUNT(records); i++) assert_true(vg_sink_watch(sink, &records[i]));
    assert_true(vg_sink_close(sink, &error));
    event_path(folder, path);
    const size_t length = read_path(path, bytes);
    unlink(path);
    write_file(folder, "run.json", journal, strlen(journal));
    return length;
}

/* How many values there were, between START and the expect, the finding, DONE; -1 and the error's text otherwise. */
static int count_values(const char *folder, char *error, size_t size) {
    vg_archive *archive = vg_archive_open(folder);
    assert_null(vg_archive_error(archive));
    keeper all = new_keeper();
    const bool fine = vg_archive_replay(archive, keep, &all);
    assert_true(fine == (vg_archive_error(archive) == NULL));
    snprintf(error, size, "%s", fine ? "" : vg_archive_error(archive));
    const int count = fine ? (int)all.count - 4 : -1;
    free_keeper(&all);
    vg_archive_close(archive);
    return count;
}

static const char name[] = "events.out.tfevents.1700000000.h.1.0";

static void a_partial_tail_is_left_out(void **state) {
    (void)state;
    char folder[32], error[400];
    static uint8_t bytes[FILE_MOST];
    make_folder(folder);
    const size_t length = small_file(folder, bytes);
    int before = 0;
    for (size_t part = 0; part <= length; part++) {
        uint8_t *exact = copy_of(bytes, part);   /* a block of its own: what reads beyond is found */
        write_file(folder, name, exact, part);
        free(exact);
        const int count = count_values(folder, error, sizeof error);
        assert_true(count == before || count == before + 1);
        assert_true(part > 0 || count == 0);
        before = count;
    }
    assert_int_equal(before, 3);
    remove_folder(folder);
}

/* Every bit is under a checksum; the error names the file and where the damaged record begins. */
static void a_damaged_byte_is_told(void **state) {
    (void)state;
    char folder[32], error[400], wanted[400];
    static uint8_t bytes[FILE_MOST];
    make_folder(folder);
    const size_t length = small_file(folder, bytes);
    size_t begin = 0, next = 0;
    for (size_t at = 0; at < length; at++) {
        if (at == next) {
            begin = next;
            next += 16 + bytes[begin] + 256 * (size_t)bytes[begin + 1];
        }
        bytes[at] ^= 0x40;
        write_file(folder, name, bytes, length);
        bytes[at] ^= 0x40;
        assert_int_equal(count_values(folder, error, sizeof error), -1);
        snprintf(wanted, sizeof wanted, "%s/%s: byte %zu: ", folder, name, begin);
        assert_memory_equal(error, wanted, strlen(wanted));
    }
    remove_folder(folder);
}

/* ---- files of others, and wrong ones whose checksums fit */

typedef struct forge { vg_mem mem; vg_arena arena; jmp_buf escape; vg_text text; } forge;

static void forge_begin(forge *f) {
    vg_mem_init(&f->mem);
    f->mem.escape = &f->escape;
    vg_arena_init(&f->arena, &f->mem);
    f->text = vg_text_new(&f->mem);
    vg_tensorboard_version(&f->text, &f->arena, 1.7e9);
}

/* A value of k rows by 3 of doubles. */
static void forge_rows(forge *f, int64_t k, const double *rows, size_t count) {
    char tag[] = "w";
    VgTb__Dim height = VG_TB__DIM__INIT, width = VG_TB__DIM__INIT;
    height.size = k;
    width.size = 3;
    height.has_size = width.has_size = true;
    VgTb__Shape shape = VG_TB__SHAPE__INIT;
    shape.n_dim = 2;
    shape.dim = (VgTb__Dim *[]){ &height, &width };
    VgTb__Tensor tensor = VG_TB__TENSOR__INIT;
    tensor.has_dtype = tensor.has_tensor_content = true;
    tensor.dtype = VG_TENSORBOARD_DOUBLE;
    tensor.tensor_shape = &shape;
    tensor.tensor_content = (ProtobufCBinaryData){ count * sizeof *rows, (uint8_t *)(uintptr_t)rows };
    VgTb__Value value = VG_TB__VALUE__INIT;
    value.tag = tag;
    value.tensor = &tensor;
    vg_tensorboard_value(&f->text, &f->arena, 1.7e9, 0, &value);
}

static void forge_image(forge *f, const char *png) {
    char tag[] = "i";
    ProtobufCBinaryData strings[] = { { 1, (uint8_t[]){ '1' } }, { 1, (uint8_t[]){ '1' } },
                                      { strlen(png), (uint8_t *)(uintptr_t)png } };
    VgTb__Tensor tensor = VG_TB__TENSOR__INIT;
    tensor.has_dtype = true;
    tensor.dtype = VG_TENSORBOARD_STRING;
    tensor.n_string_val = strlen(png) ? 3 : 2;
    tensor.string_val = strings;
    VgTb__Exact exact = VG_TB__EXACT__INIT;
    exact.has_min = true;
    VgTb__Value value = VG_TB__VALUE__INIT;
    value.tag = tag;
    value.tensor = &tensor;
    value.exact = &exact;
    vg_tensorboard_value(&f->text, &f->arena, 1.7e9, 0, &value);
}

/* Writes the file and reads it: the values, or -1 with the error behind "byte N: ". */
static int forge_end(forge *f, const char *folder, char *error, size_t size) {
    char whole[400];
    write_file(folder, name, f->text.text, f->text.length);
    vg_mem_release(&f->mem);
    const int count = count_values(folder, whole, sizeof whole);
    const char *byte = strstr(whole, ": byte ");
    const char *what = byte ? strstr(byte + 7, ": ") : NULL;
    snprintf(error, size, "%s", what ? what + 2 : whole);
    return count;
}

static void values_that_make_no_sense_are_told(void **state) {
    (void)state;
    static const char rows[] = "the histogram's rows are not left, right, count, rising";
    static const struct { int64_t k; double rows[6]; size_t count; const char *error; } table[] = {
        { 2, { 0, 1, 5, 1, 2, 7 }, 6, "" },            { 3, { 0, 1, 5, 1, 2, 7 }, 6, rows },
        { 2, { 0, 1, 5, 1, 2, 7 }, 5, rows },          { -1, { 0, 1, 5 }, 3, rows },
        { 2, { 1, 2, 5, 0, 1, 7 }, 6, rows },          { 1, { 2, 1, 5 }, 3, rows },
        { 1, { 0, 1, -5 }, 3, rows },                  { 1, { 0, NAN, 5 }, 3, rows },
        { 1, { -INFINITY, 1, 5 }, 3, rows },           { 1, { 0, 1, 1e300 }, 3, rows },
        { 1, { 0, 1, NAN }, 3, rows },
    };
    char folder[32], error[400];
    make_folder(folder);
    write_file(folder, "run.json", journal, strlen(journal));
    forge f;
    for (size_t i = 0; i < COUNT(table); i++) {
        forge_begin(&f);
        forge_rows(&f, table[i].k, table[i].rows, table[i].count);
        assert_int_equal(forge_end(&f, folder, error, sizeof error), *table[i].error ? -1 : 1);
        assert_string_equal(error, table[i].error);
    }
    static const char *const pngs[] = { "", "no picture", "\x89PNG\r\n\x1a\n" };
    for (size_t i = 0; i < COUNT(pngs); i++) {
        forge_begin(&f);
        forge_image(&f, pngs[i]);
        assert_int_equal(forge_end(&f, folder, error, sizeof error), -1);
        assert_string_equal(error, "the image cannot be read");
    }
    remove_folder(folder);
}

/* Rows without moments: another program's. They are taken from the middles. */
static void moments_that_were_not_written(void **state) {
    (void)state;
    static const double rows[] = { -2, 0, 1, 0, 4, 3 };
    char folder[32];
    make_folder(folder);
    write_file(folder, "run.json", journal, strlen(journal));
    forge f;
    forge_begin(&f);
    forge_rows(&f, 2, rows, 6);
    write_file(folder, name, f.text.text, f.text.length);
    vg_mem_release(&f.mem);
    vg_archive *archive = vg_archive_open(folder);
    keeper all = new_keeper();
    assert_true(vg_archive_replay(archive, keep, &all));
    const vg_histogram *h = &all.list[1].histogram;
    assert_true(h->count == 4 && h->zeros == 0 && h->min == -2 && h->max == 4 && h->bucket_count == 2);
    assert_true(h->mean == 1.25 && fabs(h->rms - sqrt(13.0 / 4)) < 1e-15 && fabs(h->std - sqrt(27.0 / 16)) < 1e-15);
    free_keeper(&all);
    vg_archive_close(archive);
    remove_folder(folder);
}

static void what_is_no_event_is_told(void **state) {
    (void)state;
    char folder[32], error[400];
    make_folder(folder);
    write_file(folder, "run.json", journal, strlen(journal));
    forge f;
    forge_begin(&f);
    vg_tensorboard_frame(&f.text, "\xFF\xFF\xFF", 3);
    assert_int_equal(forge_end(&f, folder, error, sizeof error), -1);
    assert_string_equal(error, "the record is no event of TensorBoard's");
    forge_begin(&f);
    f.text.length = 0;
    vg_tensorboard_frame(&f.text, "\x10\x01", 2);
    assert_int_equal(forge_end(&f, folder, error, sizeof error), -1);
    assert_string_equal(error, "this is not TensorBoard's event file");
    forge_begin(&f);
    f.text.length = 0;
    vg_text_format(&f.text, "something else altogether");
    assert_int_equal(forge_end(&f, folder, error, sizeof error), -1);
    assert_string_equal(error, "this is not TensorBoard's event file");
    forge_begin(&f);
    vg_tensorboard_frame(&f.text, "\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11);
    assert_int_equal(forge_end(&f, folder, error, sizeof error), -1);
    assert_string_equal(error, "the event's step is below 0");
    remove_folder(folder);
}

/* ---- run.json */

static void opens_with(const char *folder, const char *text, const char *wanted) {
    char error[400], expected[400];
    if (text) write_file(folder, "run.json", text, strlen(text));
    vg_archive *archive = vg_archive_open(folder);
    snprintf(error, sizeof error, "%s", vg_archive_error(archive) ? vg_archive_error(archive) : "");
    if (text) snprintf(expected, sizeof expected, "%s/run.json: %s", folder, wanted);
    else snprintf(expected, sizeof expected, "'%s' %s", folder, wanted);
    assert_string_equal(error, expected);
    assert_null(vg_archive_info_of(archive)->source);
    assert_false(vg_archive_replay(archive, keep, NULL));
    vg_archive_close(archive);
}

static void a_wrong_run_json_is_told(void **state) {
    (void)state;
    char folder[32], text[2000];
    make_folder(folder);
    opens_with(folder, NULL, "is not a run's folder: there is no run.json in it");
    opens_with(folder, "", "byte 0: '[' or '{' expected near end of file");
    opens_with(folder, "{\"format\": 1, 3", "byte 15: string or '}' expected near '3'");
    opens_with(folder, "[1]", "this is not a run's: Expected object, got array");
    opens_with(folder, "{\"format\": 2}", "its format is 2, which another version of vgraph writes");
    opens_with(folder, "{\"format\": 1}", "this is not a run's: Object item not found: version");
    for (size_t part = 0; part + 2 < strlen(journal); part++) {   /* the last brace and the newline */
        snprintf(text, sizeof text, "%.*s", (int)part, journal);
        write_file(folder, "run.json", text, part);
        vg_archive *archive = vg_archive_open(folder);
        assert_non_null(vg_archive_error(archive));
        vg_archive_close(archive);
    }
    strcpy(text, journal);
    memcpy(strstr(text, "\"steps\": 9"), "\"steps\":-9", 10);
    opens_with(folder, text, "this is not a run's: a count below 0");
    write_file(folder, "run.json", journal, strlen(journal));
    vg_archive *archive = vg_archive_open(folder);
    const vg_archive_info *info = vg_archive_info_of(archive);
    assert_null(vg_archive_error(archive));
    assert_true(info->threads == 2 && info->float64 && info->seconds == 1.5 && info->finding_count == 1);
    assert_string_equal(info->findings[0].rule, "DEAD");
    const vg_finding *finding = &info->findings[0];
    assert_true(finding->follows && finding->severity == VG_SEVERITY_FAULT && finding->where_count == 2);
    assert_string_equal(finding->where[1], "h[2]");
    assert_true(isinf(finding->value) && finding->limit == 0.25 && finding->line == 3 && finding->option == NULL);
    assert_false(vg_archive_replay(archive, keep, NULL));
    char wanted[80];
    snprintf(wanted, sizeof wanted, "%s: there is no event file", folder);
    assert_string_equal(vg_archive_error(archive), wanted);
    vg_archive_close(archive);
    remove_folder(folder);
}

/* ---- without memory: call n of replaying fails, for every n */

static void without_memory(void **state) {
    (void)state;
    char folder[32];
    static uint8_t bytes[FILE_MOST];
    make_folder(folder);
    write_file(folder, name, bytes, small_file(folder, bytes));
    bool fine = false;
    for (uint64_t n = 1; !fine; n++) {
        vg_archive *archive = vg_archive_open(folder);
        keeper all = new_keeper();
        archive->mem.fail_at = archive->mem.calls + n;
        fine = vg_archive_replay(archive, keep, &all);
        if (!fine) assert_string_equal(vg_archive_error(archive), "there is not enough memory");
        assert_true(n < 10000);
        free_keeper(&all);
        vg_archive_close(archive);
    }
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_comes_back), cmocka_unit_test(a_watcher_can_end_it),
        cmocka_unit_test(a_partial_tail_is_left_out), cmocka_unit_test(a_damaged_byte_is_told),
        cmocka_unit_test(values_that_make_no_sense_are_told), cmocka_unit_test(moments_that_were_not_written),
        cmocka_unit_test(what_is_no_event_is_told), cmocka_unit_test(a_wrong_run_json_is_told),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
