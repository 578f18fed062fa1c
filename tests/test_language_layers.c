/* What layers of the library do beside computing (which test_reference compares with PyTorch): variables shared by
 * `weights`, running statistics, scopes, members, and mistakes, of which each call has one. */
#include "language_fixture.h"

#define IMAGES "x = reshape(arange(32), [2, 1, 4, 4]) / 8\n"
#define SEQUENCES "x = reshape(mod(7 * arange(30), 11) - 5, [2, 5, 3]) / 4\n"
#define FAR_APART(a, b) "max(abs(" a " - " b ")) > 1e-5"

static const vg_row sharing[] = {
    { "conv", IMAGES "a = conv(x, 2, 3)\nb = conv(2 * x, 2, 3, stride = 2, pad = 1, weights = a)\n"
      "c = conv(2 * x, 2, 3, act = relu, weights = b)",
      .wants = { { FAR_APART("relu(2 * a)", "c"), "int 0" }, { "shape(b)", "int [4] 2 2 2 2" },
                 { FAR_APART("grad(sum(b), a.b)", "[8, 8]"), "int 0" } },
      .variables = "a.W [2, 1, 3, 3]; a.b [2]" },
    { "conv, another kernel", IMAGES "a = conv(x, 2, 3)\nb = conv(x, 2, 5, weights = a)", .error = "weights-shape" },
    { "conv, without a bias", IMAGES "a = conv(x, 2, 3, bias = false)\nb = conv(x, 2, 3, weights = a)",
      .error = "weights-missing" },
    { "embedding", "a = embedding(int([0, 2]), 3, 4)\nb = embedding(int([[2], [0]]), 3, 4, weights = a)",
      .wants = { { FAR_APART("b[1, 0]", "a[0]"), "int 0" }, { "grad(sum(b), a.W)", "[3, 4] 1 1 1 1 0 0 0 0 1 1 1 1" } },
      .variables = "a.W [3, 4]" },
    { "embedding, fewer rows", "a = embedding(int([0, 2]), 3, 4)\nb = embedding(int([0]), 2, 4, weights = a)",
      .error = "weights-shape" },
    { "embedding and dense are different layers", "a = dense(ones([1, 3]), 4, bias = false)\n"
      "b = embedding(int([0]), 3, 4, weights = a)", .error = "weights-other" },
    { "attention, its inner layers too", "x = sample(normal(0, 1), [2, 3, 4])\na = attention(x, 2, causal = true)\n"
      "b = attention(x[:, 0:2], 2, causal = true, weights = a)\nc = attention(x, 1, weights = b)",
      .wants = { { FAR_APART("b", "a[:, 0:2]"), "int 0" }, { FAR_APART("c", "a"), "int 1" },
                 { FAR_APART("b.query", "a.query[:, 0:2]"), "int 0" }, { "len(vars)", "8" } },
      .variables = "a.query.W [4, 4]; a.query.b [4]; a.key.W [4, 4]; a.key.b [4]; a.value.W [4, 4]; a.value.b [4]; "
                   "a.out.W [4, 4]; a.out.b [4]" },
    { "recurrent layers, on a part of the sequence", SEQUENCES "a = rnn(x, 2)\nb = rnn(x[:, 0:2], 2, weights = a)\n"
      "c = lstm(x, 2)\nd = lstm(x[:, 0:2], 2, weights = c)\ne = gru(x, 2)\nf = gru(x[:, 0:2], 2, weights = e)",
      .wants = { { FAR_APART("b", "a[:, 0:2]"), "int 0" }, { FAR_APART("d", "c[:, 0:2]"), "int 0" },
                 { FAR_APART("f", "e[:, 0:2]"), "int 0" }, { FAR_APART("d.c[1]", "c.c[1]"), "int 0" },
                 { "len(f.h[*])", "2" } },
      .variables = "a.W [3, 2]; a.U [2, 2]; a.b [2]; c.W [3, 8]; c.U [2, 8]; c.b [8]; e.W [3, 6]; e.U [2, 6]; "
                   "e.b [6]" },
    { "a layer upon itself", SEQUENCES "s[0] = x\nfor i in 1..3 {\ns[i] = gru(s[i-1], 3, weights = s[1])\n}",
      .wants = { { "shape(s[3].h[4])", "int [2] 2 3" } }, .variables = "s[1].W [3, 9]; s[1].U [3, 9]; s[1].b [9]" },
    { "recurrent layers of different kinds", SEQUENCES "a = rnn(x, 2)\nb = gru(x, 2, weights = a)",
      .error = "weights-other" },
    { "recurrent layers of different width", SEQUENCES "a = lstm(x, 2)\nb = lstm(x, 3, weights = a)",
      .error = "weights-shape" },
    { "layer_norm and rms_norm", SEQUENCES "a = layer_norm(x)\nb = layer_norm(x[0] * 2, epsilon = 4e-5, weights = a)\n"
      "c = rms_norm(x)\nd = rms_norm(x[0] * 2, 4e-6, weights = c)",
      .wants = { { FAR_APART("b", "a[0]"), "int 0" }, { FAR_APART("d", "c[0]"), "int 0" } },
      .variables = "a.gamma [3]; a.beta [3]; c.gamma [3]" },
    { "layer_norm of another length", SEQUENCES "a = layer_norm(x)\nb = layer_norm(x[:, :, 0:2], weights = a)",
      .error = "weights-shape" },
};

/* Means of x and y are 1 and 20, their unbiased variances 2 and 200. */
#define TWO "x = [[0], [2]]\ny = [[10], [30]]\na = batch_norm(x, momentum = 0.5)\n"
static const vg_row statistics[] = {
    { "of one call", TWO, .wants = { { "a.mean_run", "[1] 0.5" }, { "a.var_run", "[1] 1.5" } }, .steps = 2 },
    { "of two calls, in their order", TWO "b = batch_norm(y, momentum = 0.5, weights = a)",
      .wants = { { "a.mean_run", "[1] 10.25" }, { "a.var_run", "[1] 100.75" } }, .steps = 2,
      .variables = "a.gamma [1]; a.beta [1]; a.mean_run [1]; a.var_run [1]" },
    { "of a single example", "a = batch_norm([[1, 2]])",
      .wants = { { "a", "[1, 2] 0 0" }, { "a.mean_run", "[2] 0.1 0.2" }, { "a.var_run", "[2] 0.9 0.9" } }, .steps = 2 },
    { "stay in evaluation", TWO, .wants = { { "a", "[2, 1] 0 1.9999900001" }, { "a.mean_run", "[1] 0" } }, .steps = 2,
      .evaluation = true },
    { "no optimizer touches them", TWO "loss = sum(square(a - 1))\ntrain loss {\nsteps = 3\n}",
      .wants = { { "a.mean_run", "[1] 0.75" }, { "a.var_run", "[1] 1.75" } }, .steps = 3,
      .variables = "a.gamma [1]; a.beta [1]; a.mean_run [1]; a.var_run [1]" },
    { "are no trainable variables", TWO, .wants = { { "len(vars)", "2" }, { "len(vars(\"a.*\"))", "2" } } },
};
#undef TWO

static const vg_row scopes[] = {
    { "layers in layers", "layer block(x: [n, t, d]) {\na = x + attention(layer_norm(x), 1)\n"
      "return a + dense(rms_norm(a), d, relu, bias = false)\n}\np = block(ones([1, 2, 2]))\n"
      "q = block(p, weights = p)", .wants = { { "len(vars(\"p.**.W\"))", "5" }, { "shape(q.a)", "int [3] 1 2 2" } },
      .variables = "p.a.layer_norm.gamma [2]; p.a.layer_norm.beta [2]; p.a.query.W [2, 2]; p.a.query.b [2]; "
                   "p.a.key.W [2, 2]; p.a.key.b [2]; p.a.value.W [2, 2]; p.a.value.b [2]; p.a.out.W [2, 2]; "
                   "p.a.out.b [2]; p.rms_norm.gamma [2]; p.dense.W [2, 2]" },
    { "one recurrent layer upon another", SEQUENCES "for i in 1..2 {\nh[i] = lstm(if i == 1 then x else h[1], 2)\n}",
      .wants = { { "len(h[2].h[*])", "5" }, { FAR_APART("h[1].h[4]", "h[1][:, 4]"), "int 0" },
                 { "len(grad(sum(h[2]), h[1].h[*]))", "5" } },
      .variables = "h[1].W [3, 8]; h[1].U [2, 8]; h[1].b [8]; h[2].W [2, 8]; h[2].U [2, 8]; h[2].b [8]" },
    { "an lstm remembers at first", SEQUENCES "a = lstm(x, 2)", .wants = { { "a.b", "[8] 0 0 1 1 0 0 0 0" } } },
    { "in a binding of two calls", IMAGES "a = conv(x, 2, 3) + batch_norm(x)",
      .variables = "a.conv.W [2, 1, 3, 3]; a.conv.b [2]; a.batch_norm.gamma [1]; a.batch_norm.beta [1]; "
                   "a.batch_norm.mean_run [1]; a.batch_norm.var_run [1]" },
    { "in a binding of one kind twice", IMAGES "a = conv(conv(x, 2, 3), 2, 3)", .variables =
      "a.conv.W [2, 1, 3, 3]; a.conv.b [2]; a.W [2, 2, 3, 3]; a.b [2]" },
};

#define FED "input x: [batch, 8]\ninput s: [batch, 4, 8]\ninput i: int[batch, 4]\n"
static const vg_row mistakes[] = {
    { "floats as ids", FED "a = embedding(s, 10, 4)", .error = "argument-integer" },
    { "a vocabulary of half a word", FED "a = embedding(i, 0.5, 4)", .error = "not-dimension" },
    { "as many rows as examples", FED "a = embedding(i, dim(x, 0), 4)", .error = "variable-open" },
    { "heads that do not divide", FED "a = attention(s, 3)", .error = "not-count" },
    { "no head", FED "a = attention(s, 0)", .error = "not-count" },
    { "half a head", FED "a = attention(s, 0.5)", .error = "not-count" },
    { "attention to no sequence", FED "a = attention(x, 2)", .error = "argument-shape" },
    { "attention over what is open", FED "a = attention(transpose(s, [1, 2, 0]), 2)", .error = "not-count" },
    { "causal, or how much", FED "a = attention(s, 2, causal = 1)", .error = "not-bool" },
    { "an image without channels", FED "a = conv(s, 4, 3)", .error = "argument-shape" },
    { "a kernel of three", FED "a = conv(expand(s, 1), 4, [3, 3, 3])", .error = "window-argument" },
    { "half a channel", FED "a = conv(expand(s, 1), 0.5, 3)", .error = "not-count" },
    { "a kernel that is too large", FED "a = conv(expand(s, 1), 4, 5, pad = 0)", .error = "window-large" },
    { "as long as the batch", FED "a = lstm(transpose(s, [1, 0, 2]), 4)", .error = "not-count" },
    { "as long as the batch (rnn)", FED "a = rnn(transpose(s, [1, 0, 2]), 4)", .error = "not-count" },
    { "as long as the batch (gru)", FED "a = gru(transpose(s, [1, 0, 2]), 4)", .error = "not-count" },
    { "no time", FED "a = rnn(s[:, 0:0], 4)", .error = "not-count" },
    { "no sequence", FED "a = gru(x, 4)", .error = "argument-shape" },
    { "half a unit", FED "a = lstm(s, 0.5)", .error = "not-count" },
    { "an activation that is none", FED "a = rnn(s, 4, act = 3)", .error = "not-function" },
    { "one axis has no channels", FED "a = batch_norm(x[:, 0])", .error = "argument-shape" },
    { "channels that are open", FED "a = batch_norm(transpose(x))", .error = "variable-open" },
    { "a norm of nothing to share", FED "a = layer_norm(sum(x))", .error = "argument-shape" },
    { "dropped more than once", FED "a = dropout(x, 1.5)", .error = "distribution-range" },
    { "dropped less than never", FED "a = dropout(x, -0.5)", .error = "distribution-range" },
    { "dropped by a tensor", FED "a = dropout(x, mean(x))", .error = "distribution-tensor" },
};
#undef FED

static void test_sharing(void **state) { (void)state; CHECK_ROWS(sharing); }
static void test_statistics(void **state) { (void)state; CHECK_ROWS(statistics); }
static void test_scopes(void **state) { (void)state; CHECK_ROWS(scopes); }
static void test_mistakes(void **state) { (void)state; CHECK_ROWS(mistakes); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sharing), cmocka_unit_test(test_statistics), cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
