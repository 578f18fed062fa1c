/* The floor under a step: only the matrix products that forward, backward and update of a workload need, by OpenBLAS.
 *
 *     echo 'percentiles 1000' | .build/release/tests/bench/bench_floor W1 [THREADS]
 *
 * No activation, bias, loss, data or update. Everything is written with beta = 0 where not said otherwise; the first
 * layer's input has no gradient. Values flow from product to product as in the net, drawn at a scale at which none
 * becomes infinite or subnormal.
 *
 * - A dense layer of n examples: Y = X W, then dW = X' dY and dX = dY W'.
 * - A convolution, for each image: Y = W C; dW += dY C' (beta = 0 for the first image); dC = W' dY, but for the first
 *   layer. C are the columns that im2col would make, [channels * 9, height * width], made once and the same for all
 *   images; neither im2col nor its reverse is counted.
 * - An LSTM: A = X W of all times at once; A[t] += h[t-1] U, and back dh = dA[t] U', for each time but the first; then
 *   dU, dW and dX of all times at once.
 * - Attention: query, key, value and output as dense layers; for each example and head S = Q K', O = S V, and back
 *   dV = S' dO, dS = dO V', dQ = dS K, dK = dS' Q, on slices of the dense layers' outputs, nothing moved.
 *
 * "copy" is no workload but the machine's bandwidth: a step copies 64 MB.
 *
 * It says "ready", the number of threads, the processor that OpenBLAS takes this one for, and the MFLOP of a step; then
 * it does as contender.h says. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contender.h"

enum { COPY_BYTES = 64 << 20, LINE_BYTES = 64 };

/* c [m, n] = op(a) op(b) + beta c, where op(a) is [m, k]; rows lie lda, ldb, ldc apart. */
typedef struct product {
    bool ta, tb;
    int m, n, k, lda, ldb, ldc;
    float beta;
    const float *a, *b;
    float *c;
} product;

typedef struct work {
    product *list;
    size_t count;
    float *from, *to;   /* of "copy" */
} work;

static void *allocate(size_t bytes) {
    void *memory = aligned_alloc(LINE_BYTES, (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES);
    if (!memory) {
        fprintf(stderr, "there is not enough memory\n");
        exit(1);
    }
    return memory;
}

/* `count` numbers drawn evenly around 0, of the given standard deviation. */
static float *tensor(size_t count, double deviation) {
    static uint32_t state = 1;
    float *out = allocate(count * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (float)((state / 4294967296.0 - 0.5) * sqrt(12) * deviation);
    }
    return out;
}

static void add(work *w, product p) {
    w->list = realloc(w->list, (w->count + 1) * sizeof p);
    if (!w->list) exit(1);
    w->list[w->count++] = p;
}

/* ---- dense */

typedef struct dense { int n, in, out; float *x, *w, *y, *dx, *dw, *dy; } dense;

/* dx NULL: the input has no gradient. */
static dense dense_make(int n, int in, int out, float *x, float *dx) {
    return (dense){
        .n = n, .in = in, .out = out, .x = x, .dx = dx, .w = tensor((size_t)(in * out), 1 / sqrt(in)),
        .y = tensor((size_t)(n * out), 1), .dw = tensor((size_t)(in * out), 1), .dy = tensor((size_t)(n * out), 1)
    };
}

static void dense_forward(work *w, const dense *l) {
    add(w, (product){ false, false, l->n, l->out, l->in, l->in, l->out, l->out, 0, l->x, l->w, l->y });
}

static void dense_backward(work *w, const dense *l) {
    add(w, (product){ true, false, l->in, l->out, l->n, l->in, l->out, l->out, 0, l->x, l->dy, l->dw });
    if (l->dx) add(w, (product){ false, true, l->n, l->in, l->out, l->out, l->out, l->in, 0, l->dy, l->w, l->dx });
}

enum { LAYERS = 70 };

/* widths: of the input, each layer, the output; ends with 0. first_dx: where the input's gradient goes, or NULL. */
static void chain(work *w, int batch, const int *widths, float *input, float *first_dx) {
    dense layers[LAYERS];
    int count = 0;
    for (float *x = input, *dx = first_dx; widths[count + 1]; count++) {
        layers[count] = dense_make(batch, widths[count], widths[count + 1], x, dx);
        dense_forward(w, &layers[count]);
        x = layers[count].y;
        dx = layers[count].dy;
    }
    while (count > 0) dense_backward(w, &layers[--count]);
}

static void digits_net(work *w, int batch, int depth, int hidden) {
    int widths[LAYERS] = { 784 };
    for (int i = 1; i <= depth; i++) widths[i] = hidden;
    widths[depth + 1] = 10;
    chain(w, batch, widths, tensor((size_t)batch * 784, 1), NULL);
}

static void make_w1(work *w) { digits_net(w, 128, 4, 128); }
static void make_w2(work *w) { digits_net(w, 256, 4, 512); }
static void make_w4(work *w) { digits_net(w, 128, 64, 128); }

static void make_w3(work *w) {
    chain(w, 32, (const int[]){ 2, 16, 16, 2, 0 }, tensor(32 * 2, 1), NULL);
}

/* ---- convolution: filters of 3 by 3, as many places as pixels */

typedef struct conv { int images, places, in, out; float *columns, *dcolumns, *w, *dw, *y, *dy; } conv;

static conv conv_make(int images, int side, int channels, int out, bool first) {
    const int places = side * side, in = channels * 9;
    const size_t columns = (size_t)(in * places), all = (size_t)images * (size_t)(out * places);
    return (conv){
        .images = images, .places = places, .in = in, .out = out, .columns = tensor(columns, 1),
        .dcolumns = first ? NULL : tensor(columns, 1), .w = tensor((size_t)(in * out), 1 / sqrt(in)),
        .dw = tensor((size_t)(in * out), 1), .y = tensor(all, 1), .dy = tensor(all, 1)
    };
}

static void conv_forward(work *w, const conv *l) {
    for (int i = 0; i < l->images; i++)
        add(w, (product){ false, false, l->out, l->places, l->in, l->in, l->places, l->places, 0, l->w, l->columns,
                          l->y + i * l->out * l->places });
}

static void conv_backward(work *w, const conv *l) {
    for (int i = 0; i < l->images; i++) {
        const float *dy = l->dy + i * l->out * l->places;
        add(w, (product){ false, true, l->out, l->in, l->places, l->places, l->places, l->in, i > 0, dy, l->columns,
                          l->dw });
        if (!l->dcolumns) continue;
        add(w, (product){ true, false, l->in, l->places, l->out, l->in, l->places, l->places, 0, l->w, dy,
                          l->dcolumns });
    }
}

static void make_w5(work *w) {
    enum { BATCH = 64, FLAT = 16 * 7 * 7 };
    const conv first = conv_make(BATCH, 28, 1, 8, true), second = conv_make(BATCH, 14, 8, 16, false);
    conv_forward(w, &first);
    conv_forward(w, &second);
    chain(w, BATCH, (const int[]){ FLAT, 64, 10, 0 }, tensor(BATCH * FLAT, 1), tensor(BATCH * FLAT, 1));
    conv_backward(w, &second);
    conv_backward(w, &first);
}

/* ---- LSTM: what is one time's lies together */

enum { SYMBOLS = 30 };   /* of sentences() */

static void make_w6(work *w) {
    enum { TIMES = 32, BATCH = 32, ALL = TIMES * BATCH, UNITS = 64, GATES = 4 * UNITS };
    const dense input = dense_make(ALL, UNITS, GATES, tensor(ALL * UNITS, 1), tensor(ALL * UNITS, 1));
    const dense head = dense_make(ALL, UNITS, SYMBOLS, tensor(ALL * UNITS, 1), tensor(ALL * UNITS, 1));
    float *u = tensor(UNITS * GATES, 1 / sqrt(UNITS)), *du = tensor(UNITS * GATES, 1);
    dense_forward(w, &input);
    for (int t = 1; t < TIMES; t++)
        add(w, (product){ false, false, BATCH, GATES, UNITS, UNITS, GATES, GATES, 1, head.x + (t - 1) * BATCH * UNITS,
                          u, input.y + t * BATCH * GATES });
    dense_forward(w, &head);
    dense_backward(w, &head);
    for (int t = TIMES - 1; t > 0; t--)
        add(w, (product){ false, true, BATCH, UNITS, GATES, GATES, GATES, UNITS, 0, input.dy + t * BATCH * GATES, u,
                          head.dx + (t - 1) * BATCH * UNITS });
    add(w, (product){ true, false, UNITS, GATES, ALL - BATCH, UNITS, GATES, GATES, 0, head.x, input.dy + BATCH * GATES,
                      du });
    dense_backward(w, &input);
}

/* ---- transformer */

enum { EXAMPLES = 16, PLACES = 64, WIDTH = 128, HEADS = 4, ROWS = EXAMPLES * PLACES, HEAD = WIDTH / HEADS,
       SCORES = PLACES * PLACES, BLOCKS = 2 };

typedef struct block { dense q, k, v, out, wide, narrow; float *s, *ds; } block;

static block block_make(float *x, float *dx) {
    block b = { .s = tensor(EXAMPLES * HEADS * SCORES, 1), .ds = tensor(EXAMPLES * HEADS * SCORES, 1) };
    b.q = dense_make(ROWS, WIDTH, WIDTH, x, dx);
    b.k = dense_make(ROWS, WIDTH, WIDTH, x, dx);
    b.v = dense_make(ROWS, WIDTH, WIDTH, x, dx);
    b.out = dense_make(ROWS, WIDTH, WIDTH, tensor(ROWS * WIDTH, 1), tensor(ROWS * WIDTH, 1));
    b.wide = dense_make(ROWS, WIDTH, 4 * WIDTH, b.out.y, b.out.dy);
    b.narrow = dense_make(ROWS, 4 * WIDTH, WIDTH, b.wide.y, b.wide.dy);
    return b;
}

static void heads_forward(work *w, const block *b) {
    for (int i = 0; i < EXAMPLES * HEADS; i++) {
        const int at = i / HEADS * PLACES * WIDTH + i % HEADS * HEAD;
        float *s = b->s + i * SCORES;
        add(w, (product){ false, true, PLACES, PLACES, HEAD, WIDTH, WIDTH, PLACES, 0, b->q.y + at, b->k.y + at, s });
        add(w, (product){ false, false, PLACES, HEAD, PLACES, PLACES, WIDTH, WIDTH, 0, s, b->v.y + at, b->out.x + at });
    }
}

static void heads_backward(work *w, const block *b) {
    for (int i = 0; i < EXAMPLES * HEADS; i++) {
        const int at = i / HEADS * PLACES * WIDTH + i % HEADS * HEAD;
        const float *s = b->s + i * SCORES, *dout = b->out.dx + at;
        float *ds = b->ds + i * SCORES;
        add(w, (product){ true, false, PLACES, HEAD, PLACES, PLACES, WIDTH, WIDTH, 0, s, dout, b->v.dy + at });
        add(w, (product){ false, true, PLACES, PLACES, HEAD, WIDTH, WIDTH, PLACES, 0, dout, b->v.y + at, ds });
        add(w, (product){ false, false, PLACES, HEAD, PLACES, PLACES, WIDTH, WIDTH, 0, ds, b->k.y + at, b->q.dy + at });
        add(w, (product){ true, false, PLACES, HEAD, PLACES, PLACES, WIDTH, WIDTH, 0, ds, b->q.y + at, b->k.dy + at });
    }
}

static void make_w7(work *w) {
    block blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        block *b = &blocks[i];
        *b = block_make(i ? b[-1].narrow.y : tensor(ROWS * WIDTH, 1), i ? b[-1].narrow.dy : tensor(ROWS * WIDTH, 1));
        dense_forward(w, &b->q);
        dense_forward(w, &b->k);
        dense_forward(w, &b->v);
        heads_forward(w, b);
        dense_forward(w, &b->out);
        dense_forward(w, &b->wide);
        dense_forward(w, &b->narrow);
    }
    const dense head = dense_make(ROWS, WIDTH, SYMBOLS, blocks[BLOCKS - 1].narrow.y, blocks[BLOCKS - 1].narrow.dy);
    dense_forward(w, &head);
    dense_backward(w, &head);
    for (int i = BLOCKS - 1; i >= 0; i--) {
        const block *b = &blocks[i];
        dense_backward(w, &b->narrow);
        dense_backward(w, &b->wide);
        dense_backward(w, &b->out);
        heads_backward(w, b);
        dense_backward(w, &b->v);
        dense_backward(w, &b->k);
        dense_backward(w, &b->q);
    }
}

/* ---- all of them */

static void make_copy(work *w) {
    w->from = tensor(COPY_BYTES / sizeof(float), 1);
    w->to = tensor(COPY_BYTES / sizeof(float), 1);
}

static double megaflops(const work *w) {
    double sum = 0;
    for (size_t i = 0; i < w->count; i++) sum += 2e-6 * w->list[i].m * w->list[i].n * w->list[i].k;
    return sum;
}

static bool step(void *user) {
    const work *w = user;
    for (size_t i = 0; i < w->count; i++) {
        const product *p = &w->list[i];
        cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans, p->m, p->n,
                    p->k, 1, p->a, p->lda, p->b, p->ldb, p->beta, p->c, p->ldc);
    }
    if (w->from) memcpy(w->to, w->from, COPY_BYTES);
    return true;
}

int main(int count, char **arguments) {
    static const struct { const char *name; void (*make)(work *w); } table[] = {
        { "W1", make_w1 }, { "W2", make_w2 }, { "W3", make_w3 }, { "W4", make_w4 }, { "W5", make_w5 },
        { "W6", make_w6 }, { "W7", make_w7 }, { "W8", make_w1 }, { "copy", make_copy },
    };
    const int threads = count > 2 ? atoi(arguments[2]) : 1;
    work w = { 0 };
    for (size_t i = 0; count > 1 && i < sizeof table / sizeof *table; i++)
        if (!strcmp(arguments[1], table[i].name)) table[i].make(&w);
    if ((!w.list && !w.from) || threads < 1) {
        fprintf(stderr, "usage: %s W1|...|W8|copy [THREADS]\n", arguments[0]);
        return 2;
    }
    openblas_set_num_threads(threads);
    step(&w);
    printf("ready %d %s %.3f\n", openblas_get_num_threads(), openblas_get_corename(), megaflops(&w));
    fflush(stdout);
    return contender_serve(step, &w);
}
