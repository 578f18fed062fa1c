/* Live histograms: the records of a run, as they come, drawn in the terminal. Any model can be watched: the histograms are
 * added to it from here.
 *
 *     cc watch.c -o watch $(pkg-config --cflags --libs vgraph) -lm
 *     ./watch models/deep_sigmoid.nn 'grad(loss, h[*].W)'
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vgraph.h>

enum { CELLS = 48, ROWS = 64, TAG = 32 };

/* The screen: a row for each histogram, in the order in which they were seen first. */
typedef struct screen {
    char     tag[ROWS][TAG];
    double   row[ROWS][CELLS], rms[ROWS];
    uint32_t rows;
    bool     live;
} screen;

/* A histogram's counts over [-limit, limit], each bucket shared out among the cells that it covers. */
static void spread(const vg_histogram *h, double limit, double *cells) {
    memset(cells, 0, CELLS * sizeof *cells);
    for (size_t k = 0; k < h->bucket_count; k++) {
        const vg_bucket *b = &h->buckets[k];
        const double low = (b->low / limit + 1) / 2 * CELLS, high = (b->high / limit + 1) / 2 * CELLS;
        if (low >= CELLS || high <= 0) continue;
        const int first = (int)fmax(0, floor(low));
        if (high - low < 1e-6) cells[first] += (double)b->count;      /* close to 0 buckets are as narrow as one likes */
        else
            for (int c = first; c < CELLS && c < high; c++)
                cells[c] += (double)b->count * (fmin(high, c + 1) - fmax(low, c)) / (high - low);
    }
}

static void draw(const screen *s, uint64_t step) {
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    printf("step %llu\n", (unsigned long long)step);
    for (uint32_t r = 0; r < s->rows; r++) {
        double most = 0;
        for (int c = 0; c < CELLS; c++) most = fmax(most, s->row[r][c]);
        printf("%-*s │", TAG - 1, s->tag[r]);
        for (int c = 0; c < CELLS; c++)      /* the square root, so that tails are seen */
            fputs(blocks[most > 0 ? (int)ceil(8 * sqrt(s->row[r][c] / most)) : 0], stdout);
        printf("│ rms %.3g\n", s->rms[r]);
    }
    fflush(stdout);
}

static bool watch(void *user, const vg_record *record) {
    screen *s = user;
    if (record->kind == VG_RECORD_HISTOGRAM && strncmp(record->tag, "seen", 4) == 0) {      /* not the model's own */
        uint32_t r = 0;
        while (r < s->rows && strncmp(s->tag[r], record->tag, TAG - 1) != 0) r++;
        if (r == ROWS) return true;
        if (r == s->rows) snprintf(s->tag[s->rows++], TAG, "%s", record->tag);
        s->rms[r] = record->histogram->rms;
        spread(record->histogram, record->histogram->rms > 0 ? 3 * record->histogram->rms : 1, s->row[r]);
    }
    if (record->kind == VG_RECORD_STEP && s->rows > 0 && (record->step % 10 == 0 || record->step + 1 == record->steps)) {
        if (s->live && record->step > 0) printf("\033[%uA\033[J", s->rows + 1);      /* over what was drawn before */
        draw(s, record->step);
    }
    return true;
}

int main(int argc, char **argv) {
    if (argc < 3) return fprintf(stderr, "usage: watch MODEL.nn EXPRESSION [STEPS]\n"), VG_FAILED_USAGE;
    char statement[512];
    screen *s = calloc(1, sizeof *s);
    vg_model *model = vg_model_new();
    vg_run *run = NULL;
    vg_diagnostic d;
    if (s == NULL || model == NULL) return VG_FAILED_RESOURCE;
    s->live = isatty(STDOUT_FILENO);
    snprintf(statement, sizeof statement, "histogram %s as \"seen\" every 10", argv[2]);
    const vg_run_options options = { .steps = argc > 3 ? strtoull(argv[3], NULL, 10) : 0, .watch = watch, .user = s };
    vg_status status = vg_model_summary(model, statement);
    if (status == VG_OK) status = vg_model_load_file(model, argv[1]);
    if (status == VG_OK) status = vg_run_new(model, &options, &run);
    if (status == VG_OK) status = vg_run_all(run, NULL);
    for (size_t k = 0; vg_model_diagnostic(model, k, &d); k++)
        fprintf(stderr, "%s:%u: %s\n", d.file, (unsigned)d.line, d.message);
    vg_run_free(run);
    vg_model_free(model);
    free(s);
    return (int)status;
}
