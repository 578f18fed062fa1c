/* Convolutions, their adjoints and poolings against naive loops over multi-indices, for shapes that reach every path:
 * strides, dilations, groups, paddings, images of several blocks and of fewer elements than a vector has. */
#include "tensor.h"

#include "ir/window.h"

typedef struct conv {
    int64_t images, groups, inputs, outputs, height, width;      /* channels of one group */
    int64_t kernel[2], stride[2], dilation[2], top, bottom, left, right;
} conv;

static const conv convs[] = {
    { 2, 1, 1, 1, 3, 3, { 1, 1 }, { 1, 1 }, { 1, 1 }, 0, 0, 0, 0 },
    { 1, 1, 3, 4, 5, 7, { 1, 1 }, { 1, 1 }, { 1, 1 }, 0, 0, 0, 0 },
    { 5, 1, 2, 8, 28, 28, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },
    { 17, 1, 8, 16, 14, 14, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },
    { 3, 1, 3, 13, 9, 11, { 5, 5 }, { 1, 1 }, { 1, 1 }, 2, 2, 2, 2 },
    { 3, 1, 2, 5, 9, 11, { 3, 2 }, { 1, 1 }, { 1, 1 }, 0, 0, 0, 0 },
    { 2, 1, 2, 3, 9, 11, { 3, 3 }, { 2, 2 }, { 1, 1 }, 1, 1, 1, 1 },
    { 2, 1, 2, 3, 10, 12, { 3, 4 }, { 3, 2 }, { 1, 1 }, 0, 2, 3, 0 },
    { 2, 1, 2, 3, 13, 12, { 3, 3 }, { 1, 1 }, { 2, 3 }, 2, 2, 3, 3 },
    { 2, 1, 2, 3, 15, 14, { 3, 2 }, { 2, 3 }, { 3, 2 }, 4, 1, 0, 5 },
    { 2, 1, 2, 3, 15, 14, { 2, 3 }, { 2, 3 }, { 2, 2 }, 1, 1, 1, 1 },      /* lines that no window reads */
    { 2, 1, 1, 2, 7, 7, { 2, 2 }, { 3, 3 }, { 1, 1 }, 0, 0, 0, 0 },
    { 2, 1, 2, 2, 6, 6, { 1, 1 }, { 2, 2 }, { 1, 1 }, 0, 0, 0, 0 },
    { 2, 3, 2, 3, 8, 9, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },
    { 3, 4, 1, 1, 8, 8, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },      /* depthwise */
    { 3, 4, 1, 2, 8, 8, { 3, 3 }, { 2, 2 }, { 1, 1 }, 1, 1, 1, 1 },
    { 2, 1, 2, 3, 4, 4, { 3, 3 }, { 1, 1 }, { 1, 1 }, 5, 6, 7, 4 },      /* windows in the padding alone */
    { 2, 1, 2, 3, 3, 2, { 3, 2 }, { 1, 1 }, { 1, 1 }, 0, 0, 0, 0 },
    { 2, 1, 70, 3, 5, 4, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },     /* deeper than a block */
    { 2, 1, 3, 27, 6, 5, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },
    { 1, 1, 40, 2, 40, 40, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },   /* more rows than a block */
    { 1, 1, 2, 2, 5, 6000, { 2, 3 }, { 1, 1 }, { 1, 1 }, 0, 0, 1, 1 },
    { 2, 1, 2, 2, 12, 3000, { 3, 2 }, { 2, 2 }, { 1, 1 }, 1, 0, 1, 1 },
    { 0, 1, 2, 3, 4, 4, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },
    { 2, 1, 2, 3, 0, 4, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1, 1, 0, 0 },
    { 2, 1, 0, 3, 4, 4, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 },
    { 2, 1, 3, 0, 4, 4, { 3, 3 }, { 1, 1 }, { 1, 1 }, 1, 1, 1, 1 }
};

static vg_window window_of(const conv *c) {
    return (vg_window){ { c->kernel[0], c->kernel[1] }, { c->stride[0], c->stride[1] },
                        { c->dilation[0], c->dilation[1] }, { c->top, c->left }, { c->bottom, c->right } };
}

typedef struct three { tensor images, filters, result; } three;

static three three_new(const conv *c) {
    const vg_window w = window_of(c);
    const shape images = SHAPE(c->images, c->groups * c->inputs, c->height, c->width);
    const shape filters = SHAPE(c->groups * c->outputs, c->inputs, c->kernel[0], c->kernel[1]);
    const shape result = SHAPE(c->images, c->groups * c->outputs, vg_window_count(&w, 0, c->height),
                               vg_window_count(&w, 1, c->width));
    const three t = { tensor_new(images, VG_F32), tensor_new(filters, VG_F32), tensor_new(result, VG_F32) };
    return t;
}

static void three_free(three *t) {
    free(t->images.data);
    free(t->filters.data);
    free(t->result.data);
}

/* result += images * filters for each window and element, where `op` tells which of them is the sum. */
static void naive(const conv *c, vg_op op, three *t) {
    const int64_t rows = t->result.dims[2], columns = t->result.dims[3], area = c->height * c->width;
    for (int64_t n = 0; n < c->images; n++)
        for (int64_t o = 0; o < c->groups * c->outputs; o++)
            for (int64_t i = 0; i < c->inputs; i++)
                for (int64_t ky = 0; ky < c->kernel[0]; ky++)
                    for (int64_t kx = 0; kx < c->kernel[1]; kx++) {
                        const int64_t tap = ((o * c->inputs + i) * c->kernel[0] + ky) * c->kernel[1] + kx;
                        double *const filter = &t->filters.data[tap];
                        const int64_t channel = (n * c->groups + o / c->outputs) * c->inputs + i;
                        double *const image = t->images.data + channel * area;
                        double *const result = t->result.data + (n * c->groups * c->outputs + o) * rows * columns;
                        for (int64_t r = 0; r < rows; r++)
                            for (int64_t x = 0; x < columns; x++) {
                                const int64_t y = r * c->stride[0] + ky * c->dilation[0] - c->top;
                                const int64_t z = x * c->stride[1] + kx * c->dilation[1] - c->left;
                                if (y < 0 || y >= c->height || z < 0 || z >= c->width) continue;
                                double *const pixel = &image[y * c->width + z], *const value = &result[r * columns + x];
                                if (op == VG_OP_conv2d) *value += *pixel * *filter;
                                else if (op == VG_OP_conv2d_input) *pixel += *value * *filter;
                                else *filter += *pixel * *value;
                            }
                    }
}

/* infinite: the element of the first operand that is; -1: none */
static void check_conv(const conv *c, vg_op op, bool wide, int64_t infinite) {
    vg_context context = { 0 };
    three t = three_new(c);
    tensor *const out = op == VG_OP_conv2d ? &t.result : op == VG_OP_conv2d_input ? &t.images : &t.filters;
    const tensor in[2] = { op == VG_OP_conv2d_input ? t.result : t.images,
                           op == VG_OP_conv2d_filter ? t.result : t.filters };
    const uint64_t words[10] = { 0, (uint64_t)c->stride[0], (uint64_t)c->stride[1], (uint64_t)c->dilation[0],
                                 (uint64_t)c->dilation[1], (uint64_t)c->top, (uint64_t)c->bottom, (uint64_t)c->left,
                                 (uint64_t)c->right, (uint64_t)c->groups };
    const bool adjoint = op != VG_OP_conv2d;
    for (uint32_t k = 0; k < 2; k++) {
        tensor filled = in[k];
        tensor_fill(&filled, 3 * k + 1, -0.2, 0.2);
    }
    if (infinite >= 0 && infinite < in[0].count) in[0].data[infinite] = INFINITY;
    naive(c, op, &t);
    double *const wanted = calloc((size_t)out->count + 1, sizeof *wanted);
    memcpy(wanted, out->data, (size_t)out->count * sizeof *wanted);
    tensor_call(op, wide, out, in, 2, adjoint ? words : words + 1, adjoint ? 10 : 9, &context);
    /* A sum of n products of numbers below 0.2 is off by some roundings of a sum as large as sqrt(n) of them. */
    const double tolerance = wide ? 1e-12 : op == VG_OP_conv2d_filter ? 3e-5 : 5e-6;
    for (int64_t k = 0; k < out->count; k++) assert_near(out->data[k], wanted[k], tolerance, "convolution", k);
    free(wanted);
    three_free(&t);
}

static void test_conv(void **state) {
    (void)state;
    static const vg_op ops[] = { VG_OP_conv2d, VG_OP_conv2d_input, VG_OP_conv2d_filter };
    for (size_t k = 0; k < sizeof convs / sizeof *convs; k++)
        for (size_t op = 0; op < 3; op++) {
            check_conv(&convs[k], ops[op], false, -1);
            check_conv(&convs[k], ops[op], true, -1);
        }
}

/* What is infinite in an image is in those windows alone that see it: nothing is multiplied by padding or by what lies
 * behind a row. */
static void test_conv_infinite(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof convs / sizeof *convs; k++)
        for (int64_t at = 0; at < 40; at += 13) {
            check_conv(&convs[k], VG_OP_conv2d, false, at);
            check_conv(&convs[k], VG_OP_conv2d_input, false, at);
            check_conv(&convs[k], VG_OP_conv2d_filter, false, at);
        }
}

/* ---- parts, as threads take them: the same bits */

/* The rows [from, to) of a view. */
static vg_view rows_of(const vg_view *view, int64_t from, int64_t to) {
    vg_view part = *view;
    const int64_t each = view->count / view->dims[0];
    part.data = (float *)view->data + from * each;
    part.dims[0] = to - from;
    part.count = (to - from) * each;
    return part;
}

/* cut: the operand that is cut with the result; 2: none, the result tells by work.from which of its rows are meant */
static void check_parts(const conv *c, vg_op op, uint32_t cut) {
    three t = three_new(c);
    tensor *const out = op == VG_OP_conv2d ? &t.result : op == VG_OP_conv2d_input ? &t.images : &t.filters;
    tensor in[2] = { op == VG_OP_conv2d_input ? t.result : t.images, op == VG_OP_conv2d_filter ? t.result : t.filters };
    const uint64_t words[10] = { 0, (uint64_t)c->stride[0], (uint64_t)c->stride[1], (uint64_t)c->dilation[0],
                                 (uint64_t)c->dilation[1], (uint64_t)c->top, (uint64_t)c->bottom, (uint64_t)c->left,
                                 (uint64_t)c->right, (uint64_t)c->groups };
    const bool adjoint = op != VG_OP_conv2d;
    for (uint32_t k = 0; k < 2; k++) tensor_fill(&in[k], 3 * k + 1, -1, 1);
    const vg_view whole = view_of(out, false), parts = view_of(out, false);
    const vg_view views[2] = { view_of(&in[0], false), view_of(&in[1], false) };
    vg_context context = { 0 };
    vg_work work = { .out = &whole, .in = views, .in_count = 2, .words = adjoint ? words : words + 1,
                     .word_count = adjoint ? 10 : 9, .context = &context };
    context.scratch_bytes = vg_kernel_scratch(op, &work, 4);
    context.scratch = aligned_alloc(64, (context.scratch_bytes + 64) / 64 * 64);
    for (vg_isa isa = VG_ISA_base; isa < VG_ISA_COUNT && out->dims[0] > 1; isa++) {
        const vg_kernels *kernels = vg_kernels_of(isa, 4);
        if (kernels == NULL) continue;
        work = (vg_work){ .out = &whole, .in = views, .in_count = 2, .words = work.words,
                          .word_count = work.word_count, .context = &context };
        kernels->row[op](&work);
        const int64_t ends[4] = { 0, 1, out->dims[0] / 2 + 1, out->dims[0] };
        for (int k = 0; k < 3; k++) {
            const vg_view part = rows_of(&parts, ends[k], ends[k + 1]);
            vg_view own[2] = { views[0], views[1] };
            if (ends[k] == ends[k + 1]) continue;
            if (cut < 2) own[cut] = rows_of(&views[cut], ends[k], ends[k + 1]);
            work.out = &part;
            work.in = own;
            work.from = ends[k];
            work.to = ends[k + 1];
            kernels->row[op](&work);
        }
        assert_memory_equal(parts.data, whole.data, (size_t)whole.count * sizeof(float));
    }
    free(context.scratch);
    free(whole.data);
    free(parts.data);
    free(views[0].data);
    free(views[1].data);
    three_free(&t);
}

static void test_parts(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof convs / sizeof *convs; k++) {
        check_parts(&convs[k], VG_OP_conv2d, 0);
        check_parts(&convs[k], VG_OP_conv2d_input, 0);
        if (convs[k].groups == 1) check_parts(&convs[k], VG_OP_conv2d_filter, 2);
    }
}

/* ---- a bias and relu, applied before the result is written: the same bits as applied behind it */

static void check_finish(const conv *c, const vg_kernels *kernels, bool relu) {
    three t = three_new(c);
    tensor bias = tensor_new((shape)SHAPE(1, c->groups * c->outputs, 1, 1), VG_F32);
    const uint64_t words[10] = { (uint64_t)c->stride[0], (uint64_t)c->stride[1], (uint64_t)c->dilation[0],
                                 (uint64_t)c->dilation[1], (uint64_t)c->top, (uint64_t)c->bottom, (uint64_t)c->left,
                                 (uint64_t)c->right, (uint64_t)c->groups, relu };
    tensor_fill(&t.images, 3, -1, 1);
    tensor_fill(&t.filters, 4, -1, 1);
    tensor_fill(&bias, 5, -1, 1);
    if (bias.count > 1) bias.data[1] = NAN;
    const vg_view out = view_of(&t.result, false), finished = view_of(&t.result, false);
    const vg_view in[3] = { view_of(&t.images, false), view_of(&t.filters, false), view_of(&bias, false) };
    vg_context context = { 0 };
    vg_work work = { .out = &out, .in = in, .in_count = 2, .words = words, .word_count = 9, .context = &context };
    context.scratch = aligned_alloc(64, (vg_kernel_scratch(VG_OP_conv2d, &work, 4) + 64) / 64 * 64);
    kernels->row[VG_OP_conv2d](&work);
    work = (vg_work){ .out = &finished, .in = in, .in_count = 3, .words = words, .word_count = 10, .context = &context };
    kernels->row[VG_OP_conv2d](&work);
    const int64_t pixels = out.dims[2] * out.dims[3];
    for (int64_t k = 0; k < out.count; k++) {
        const float sum = ((const float *)out.data)[k] + ((const float *)in[2].data)[k / pixels % out.dims[1]];
        const float wanted = relu && sum <= 0 ? 0 : sum, have = ((const float *)finished.data)[k];
        if (isnan(wanted)) assert_true(isnan(have));
        else assert_memory_equal(&have, &wanted, sizeof wanted);
    }
    free(context.scratch);
    free(out.data);
    free(finished.data);
    for (int k = 0; k < 3; k++) free(in[k].data);
    free(bias.data);
    three_free(&t);
}

static void test_finish(void **state) {
    (void)state;
    for (vg_isa isa = VG_ISA_base; isa < VG_ISA_COUNT; isa++) {
        const vg_kernels *kernels = vg_kernels_of(isa, 4);
        for (size_t k = 0; kernels && k < sizeof convs / sizeof *convs; k++) {
            check_finish(&convs[k], kernels, false);
            check_finish(&convs[k], kernels, true);
        }
    }
}

/* ---- poolings */

typedef struct pool { int64_t planes, height, width, kernel[2], stride[2], top, bottom, left, right; } pool;

static const pool pools[] = {
    { 3, 28, 28, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 }, { 3, 14, 14, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 },
    { 2, 7, 9, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 },   { 2, 6, 6, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 },
    { 2, 3, 17, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 },  { 2, 6, 8, { 2, 2 }, { 2, 2 }, 1, 1, 1, 1 },
    { 2, 6, 9, { 3, 3 }, { 1, 1 }, 1, 1, 1, 1 },   { 2, 9, 10, { 3, 2 }, { 2, 3 }, 2, 0, 0, 1 },
    { 2, 5, 150, { 3, 3 }, { 2, 2 }, 1, 1, 1, 1 }, { 2, 5, 150, { 2, 3 }, { 1, 1 }, 0, 0, 2, 2 },
    { 2, 5, 7, { 5, 7 }, { 1, 1 }, 0, 0, 0, 0 },   { 0, 4, 4, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 },
    { 2, 8, 9, { 1, 2 }, { 3, 4 }, 0, 0, 0, 0 },   { 3, 5, 15, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 },
    { 1, 4, 10, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 },  { 2, 2, 13, { 2, 2 }, { 2, 2 }, 0, 0, 0, 0 }
};

/* large: the images, or what is made of their shape; chosen: the images of pool_max_input */
static void naive_pool(const pool *p, vg_op op, const tensor *chosen, tensor *large, tensor *small) {
    for (int64_t at = 0; at < small->count; at++) {
        int64_t index[4];
        tensor_index(small, at, index);
        const int64_t first = index[0] * p->height * p->width;
        double best = 0, *const value = &small->data[at];
        int64_t found = -1;
        for (int64_t ky = 0; ky < p->kernel[0]; ky++)
            for (int64_t kx = 0; kx < p->kernel[1]; kx++) {
                const int64_t y = index[2] * p->stride[0] + ky - p->top, x = index[3] * p->stride[1] + kx - p->left;
                if (y < 0 || y >= p->height || x < 0 || x >= p->width) continue;
                double *const element = &large->data[first + y * p->width + x];
                const double seen = chosen->data[first + y * p->width + x];
                if (op == VG_OP_pool_sum) *value += *element;
                if (op == VG_OP_pool_spread) *element += *value;
                if (found < 0 || seen > best || (isnan(seen) && !isnan(best))) {
                    best = seen;
                    found = y * p->width + x;
                }
            }
        if (op == VG_OP_pool_argmax) *value = (double)found;
        if (op == VG_OP_pool_max) *value = best;
        if (op == VG_OP_pool_max_input) large->data[first + found] += *value;
    }
}

/* Equal ones, and others that matter to which is the largest. */
static void make_hard(tensor *images) {
    for (int64_t k = 0; k < images->count; k++) {
        images->data[k] = floor(images->data[k] * 3);
        if (k % 11 == 3) images->data[k] = NAN;
        if (k % 5 == 1) images->data[k] = -INFINITY;
    }
}

static void check_pool(const pool *p, vg_op op, bool wide) {
    const vg_window w = { { p->kernel[0], p->kernel[1] }, { p->stride[0], p->stride[1] }, { 1, 1 },
                          { p->top, p->left }, { p->bottom, p->right } };
    const shape full = SHAPE(p->planes, 1, p->height, p->width);
    const shape few = SHAPE(p->planes, 1, vg_window_count(&w, 0, p->height), vg_window_count(&w, 1, p->width));
    const uint64_t words[9] = { 0, (uint64_t)p->kernel[0], (uint64_t)p->kernel[1], (uint64_t)p->stride[0],
                                (uint64_t)p->stride[1], (uint64_t)p->top, (uint64_t)p->bottom, (uint64_t)p->left,
                                (uint64_t)p->right };
    const bool shaped = op == VG_OP_pool_spread, back = shaped || op == VG_OP_pool_max_input;
    tensor large = tensor_new(full, VG_F32), small = tensor_new(few, op == VG_OP_pool_argmax ? VG_I32 : VG_F32);
    tensor images = tensor_new(full, VG_F32);
    vg_context context = { 0 };
    tensor_fill(back ? &small : &large, 5, -1, 1);
    tensor_fill(&images, 6, -1, 1);
    make_hard(&images);
    if (op == VG_OP_pool_argmax || op == VG_OP_pool_max)
        memcpy(large.data, images.data, (size_t)large.count * sizeof(double));
    const tensor in[2] = { op == VG_OP_pool_max_input ? images : back ? small : large, small };
    tensor *const out = back ? &large : &small;
    naive_pool(p, op, &images, &large, &small);
    double *const wanted = calloc((size_t)out->count + 1, sizeof *wanted);
    memcpy(wanted, out->data, (size_t)out->count * sizeof *wanted);
    const uint32_t operands = op == VG_OP_pool_max_input ? 2 : 1;
    tensor_call(op, wide, out, in, operands, shaped ? words : words + 1, shaped ? 9 : 8, &context);
    for (int64_t k = 0; k < out->count; k++) assert_near(out->data[k], wanted[k], wide ? 1e-12 : 2e-6, "pooling", k);
    free(wanted);
    free(large.data);
    free(small.data);
    free(images.data);
}

static void test_pool(void **state) {
    (void)state;
    static const vg_op ops[] = { VG_OP_pool_argmax, VG_OP_pool_max, VG_OP_pool_max_input, VG_OP_pool_sum,
                                 VG_OP_pool_spread };
    for (size_t k = 0; k < sizeof pools / sizeof *pools; k++)
        for (size_t op = 0; op < sizeof ops / sizeof *ops; op++) {
            check_pool(&pools[k], ops[op], false);
            check_pool(&pools[k], ops[op], true);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_conv), cmocka_unit_test(test_conv_infinite),
                                        cmocka_unit_test(test_parts), cmocka_unit_test(test_finish),
                                        cmocka_unit_test(test_pool) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
