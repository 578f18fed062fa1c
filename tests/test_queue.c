/* The queue in front of watchers: all records, whole and in order, whatever becomes of the originals; what is refused
 * is told; nothing waits for another record to come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "base/thread.h"
#include "record_fixture.h"

enum { ROUNDS = 700, LARGE_SIDE = 400, TEXT = 200 };

/* What came, as a text. No assertion is made on another thread. */
typedef struct log_text { char *text; size_t length, capacity; } log_text;

static void add_line(log_text *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_line(log_text *log, const char *format, ...) {
    va_list list;
    if (log->capacity - log->length < 2000) {
        log->capacity = log->capacity * 2 + 4000;
        log->text = realloc(log->text, log->capacity);
    }
    va_start(list, format);
    log->length += (size_t)vsnprintf(log->text + log->length, log->capacity - log->length, format, list);
    va_end(list);
}

static uint64_t hash_of(const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < count; i++) hash = (hash ^ at[i]) * 1099511628211u;
    return hash;
}

static void log_record(log_text *log, const vg_record *r) {
    add_line(log, "%d %llu %s %g %d %d %s %llu %d %llu %g %d\n", (int)r->kind, (unsigned long long)r->step,
             r->tag ? r->tag : "-", r->value, r->test, r->ok, r->message ? r->message : "-",
             (unsigned long long)r->failures, r->last, (unsigned long long)r->steps, r->seconds, (int)r->status);
    if (r->histogram) {
        const vg_histogram *h = r->histogram;
        add_line(log, " %llu %g %zu %llx\n", (unsigned long long)h->count, h->rms, h->bucket_count,
                 (unsigned long long)hash_of(h->buckets, h->bucket_count * sizeof *h->buckets));
    }
    if (r->image) {
        const vg_image *i = r->image;
        add_line(log, " %u %u %u %u %llx\n", i->count, i->height, i->width, i->channels,
                 (unsigned long long)hash_of(i->pixels, (size_t)i->count * i->height * i->width * i->channels));
    }
}

typedef struct watcher {
    log_text    log;
    uint64_t    refuse_at;    /* the record, from 1, that is refused; 0: none */
    unsigned    pause_every;  /* rest for a millisecond after that many records; 0: never */
    atomic_uint count;
    bool        same_thread;  /* all came on the thread that made this */
    pthread_t   maker;
    vg_status   status;       /* DONE's */
} watcher;

static bool watch(void *user, const vg_record *record) {
    watcher *w = user;
    log_record(&w->log, record);
    w->same_thread = w->same_thread && pthread_equal(pthread_self(), w->maker);
    if (record->kind == VG_RECORD_DONE) w->status = record->status;
    const unsigned count = atomic_fetch_add(&w->count, 1) + 1;
    if (w->pause_every && count % w->pause_every == 0) nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    return count != w->refuse_at;
}

static watcher watcher_new(void) { return (watcher){ .same_thread = true, .maker = pthread_self() }; }

static vg_sink *queue_new(watcher *w) {
    const char *error = NULL;
    vg_sink *queue = vg_sink_queue(watch, w, &error);
    assert_non_null(queue);
    return queue;
}

/* ---- all kinds of records, whose texts and arrays are spoilt as soon as they have been handed over */

typedef struct source { made_histogram made; char tag[TEXT], message[TEXT]; uint8_t *pixels; } source;

static void spoil(source *s) {
    memset(&s->made, 0xAA, sizeof s->made);
    memset(s->tag, 'X', sizeof s->tag - 1);
    memset(s->message, 'X', sizeof s->message - 1);
    memset(s->pixels, 0xAA, LARGE_SIDE * LARGE_SIDE);
}

static vg_record record_of(source *s, uint64_t n, vg_image *image) {
    snprintf(s->tag, sizeof s->tag, "tag %llu %.*s", (unsigned long long)n, (int)(n * 7 % 90),
             "..........................................................................................");
    snprintf(s->message, sizeof s->message, "because of %llu", (unsigned long long)n * 3);
    const uint32_t side = n % 97 == 5 ? LARGE_SIDE : 5;   /* the large one is passed through */
    switch (n % 5) {
    case 0:
        s->made.histogram = (vg_histogram){ .count = n, .rms = 1 / (double)(n + 1), .buckets = s->made.buckets,
                                            .bucket_count = n * 31 % 1000 };
        for (size_t k = 0; k < s->made.histogram.bucket_count; k++)
            s->made.buckets[k] = (vg_bucket){ (double)k, (double)(k + n), n ^ k };
        return histogram_record(n, s->tag, &s->made);
    case 1:
        *image = (vg_image){ 2, side, side, 1, 0, 1, s->pixels };
        for (uint32_t k = 0; k < 2 * side * side; k++) s->pixels[k] = (uint8_t)(k * n);
        return image_record(n, s->tag, image);
    case 2:
        return (vg_record){ .kind = VG_RECORD_EXPECT, .step = n, .tag = s->tag, .message = s->message, .failures = n };
    case 3:
        return (vg_record){ .kind = VG_RECORD_STEP, .step = n, .steps = ROUNDS, .value = (double)n, .seconds = 2 };
    default:
        return scalar_record(n, s->tag, 0.5 * (double)n);
    }
}

static const vg_record start = { .kind = VG_RECORD_START, .steps = ROUNDS };
static const vg_record done = { .kind = VG_RECORD_DONE, .step = ROUNDS, .steps = ROUNDS, .seconds = 3 };

static void check_stream(unsigned pause_every) {
    static source s;
    watcher w = watcher_new();
    log_text wanted = { 0 };
    w.pause_every = pause_every;
    s.pixels = malloc(2 * LARGE_SIDE * LARGE_SIDE);
    vg_sink *queue = queue_new(&w);
    log_record(&wanted, &start);
    assert_true(vg_sink_watch(queue, &start));
    assert_int_equal(w.count, 1);   /* all that came before it is done */
    for (uint64_t n = 0; n < ROUNDS; n++) {
        vg_image image;
        const vg_record record = record_of(&s, n, &image);
        log_record(&wanted, &record);
        assert_true(vg_sink_watch(queue, &record));
        spoil(&s);
    }
    log_record(&wanted, &done);
    assert_true(vg_sink_watch(queue, &done));
    assert_int_equal(w.count, ROUNDS + 2);
    assert_string_equal(w.log.text, wanted.text);
    assert_int_equal(w.same_thread, vg_thread_cores() == 1);
    const char *error;
    assert_true(vg_sink_close(queue, &error));
    assert_int_equal(w.count, ROUNDS + 2);
    free(s.pixels);
    free(w.log.text);
    free(wanted.text);
}

/* A watcher that is faster than the run, and some that are slower, so that the ring is full again and again. */
static void test_streams(void **state) {
    (void)state;
    check_stream(0);
    check_stream(1);
    check_stream(60);
}

/* A refusal is told by one of the next records, at the latest by DONE, and in DONE; everything is still handed on. */
static void test_refusal(void **state) {
    (void)state;
    static const uint64_t at[] = { 1, 2, 40, 101, 102 };
    for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
        watcher w = watcher_new();
        w.refuse_at = at[k];
        vg_sink *queue = queue_new(&w);
        bool fine = vg_sink_watch(queue, &start);
        assert_int_equal(fine, at[k] != 1);
        for (uint64_t n = 0; n < 100; n++) {
            const vg_record record = scalar_record(n, "loss", 1);
            const bool now = vg_sink_watch(queue, &record);
            assert_true(fine || !now);   /* once refused, always */
            fine = now;
        }
        assert_false(vg_sink_watch(queue, &done));
        assert_int_equal(w.count, 102);
        if (vg_thread_cores() > 1) assert_int_equal(w.status, at[k] < 102 ? VG_FAILED_RESOURCE : VG_OK);
        const char *error;
        assert_true(vg_sink_close(queue, &error));
        free(w.log.text);
    }
}

/* Waits for the records to come by themselves, a minute at most. */
static bool come(watcher *w, unsigned count) {
    for (int k = 0; k < 60000 && w->count < count; k++) nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    return w->count == count;
}

/* A record that none follows is handed on, however long the writer has had nothing to do. */
static void test_timely(void **state) {
    (void)state;
    watcher w = watcher_new();
    vg_sink *queue = queue_new(&w);
    for (unsigned n = 0; n < 30; n++) {
        const vg_record record = scalar_record(n, "loss", 1);
        nanosleep(&(struct timespec){ 0, (long)(n % 6) * 500000 }, NULL);
        assert_true(vg_sink_watch(queue, &record));
        if (n % 3) assert_true(come(&w, n + 1));
    }
    const char *error;
    assert_true(vg_sink_close(queue, &error));
    free(w.log.text);
}

/* A run that broke off has no DONE: closing hands on what is left. */
static void test_close(void **state) {
    (void)state;
    watcher w = watcher_new();
    w.pause_every = 1;
    vg_sink *queue = queue_new(&w);
    for (unsigned n = 0; n < 20; n++) {
        const vg_record record = scalar_record(n, "loss", 1);
        assert_true(vg_sink_watch(queue, &record));
    }
    const char *error;
    assert_true(vg_sink_close(queue, &error));
    assert_int_equal(w.count, 20);
    free(w.log.text);
    queue = queue_new(&w);   /* nothing came at all */
    assert_true(vg_sink_close(queue, &error));
}

/* With one core, on the caller's thread and at once. */
static void test_one_core(void **state) {
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    watcher w = watcher_new();
    w.refuse_at = 2;
    vg_sink *queue = queue_new(&w);
    for (unsigned n = 0; n < 3; n++) {
        const vg_record record = scalar_record(n, "loss", 1);
        assert_int_equal(vg_sink_watch(queue, &record), n != 1);
        assert_int_equal(w.count, n + 1);
    }
    assert_true(w.same_thread);
    const char *error;
    assert_true(vg_sink_close(queue, &error));
    free(w.log.text);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams), cmocka_unit_test(test_refusal), cmocka_unit_test(test_timely),
        cmocka_unit_test(test_close), cmocka_unit_test(test_one_core)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
