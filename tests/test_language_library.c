/* The language: the library's functions and layers, against values worked out elsewhere. */
#include "language_fixture.h"

#define X "x = zeros([5]) + [-2.5, -0.5, 0, 0.3, 3.5]\n"
static const vg_row elementwise[] = {
    { "functions", X,
      .wants = { { "abs(x)", "[5] 2.5 0.5 0 0.3 3.5" },
        { "exp(x)", "[5] 0.0820849986239 0.606530659713 1 1.34985880758 33.1154519587" },
        { "expm1(x)", "[5] -0.917915001376 -0.393469340287 0 0.349858807576 32.1154519587" },
        { "square(x)", "[5] 6.25 0.25 0 0.09 12.25" },
        { "sin(x)", "[5] -0.598472144104 -0.479425538604 0 0.295520206661 -0.35078322769" },
        { "cos(x)", "[5] -0.801143615547 0.87758256189 1 0.955336489126 -0.936456687291" },
        { "erf(x)", "[5] -0.999593047983 -0.520499877813 0 0.328626759459 0.999999256902" },
        { "sign(x)", "[5] -1 -1 0 1 1" }, { "floor(x)", "[5] -3 -1 0 0 3" }, { "ceil(x)", "[5] -2 0 0 1 4" },
        { "round(x)", "[5] -2 0 0 0 4" },
        { "sigmoid(x)", "[5] 0.0758581800212 0.377540668798 0.5 0.574442516812 0.970687769249" },
        { "tanh(x)", "[5] -0.986614298151 -0.46211715726 0 0.291312612452 0.998177897611" },
        { "relu(x)", "[5] 0 0 0 0.3 3.5" }, { "leaky_relu(x)", "[5] -0.025 -0.005 0 0.3 3.5" },
        { "leaky_relu(x, 0.2)", "[5] -0.5 -0.1 0 0.3 3.5" },
        { "elu(x)", "[5] -0.917915001376 -0.393469340287 0 0.3 3.5" },
        { "elu(x, alpha = 2)", "[5] -1.83583000275 -0.786938680575 0 0.3 3.5" },
        { "selu(x)", "[5] -1.61378575887 -0.691758187803 0 0.315210296207 3.67745345574" },
        { "gelu(x)", "[5] -0.0155241633144 -0.154268769363 0 0.185373426657 3.49918579822" } } },
    { "activations and choices", X,
      .wants = { { "gelu_tanh(x)", "[5] -0.01508426609 -0.154285990175 0 0.185370923543 3.49938380234" },
        { "silu(x)", "[5] -0.189645450053 -0.188770334399 0 0.172332755043 3.39740719237" },
        { "mish(x)", "[5] -0.196816203907 -0.220743774652 0 0.208001372348 3.49399071512" },
        { "softplus(x)", "[5] 0.0788897342925 0.47407698418 0.69314718056 0.854355244469 3.52975041827" },
        { "softsign(x)", "[5] -0.714285714286 -0.333333333333 0 0.230769230769 0.777777777778" },
        { "hard_sigmoid(x)", "[5] 0.0833333333333 0.416666666667 0.5 0.55 1" },
        { "hard_tanh(x)", "[5] -1 -0.5 0 0.3 1" }, { "identity(x)", "[5] -2.5 -0.5 0 0.3 3.5" },
        { "maximum(x, 0.1)", "[5] 0.1 0.1 0.1 0.3 3.5" }, { "minimum(x, 0.1)", "[5] -2.5 -0.5 0 0.1 0.1" },
        { "clamp(x, -1, 2)", "[5] -1 -0.5 0 0.3 2" }, { "clamp(x, 3, 2)", "[5] 2 2 2 2 2" }, { "select(x > 0, 1, x)", "[5] -2.5 -0.5 0 1 1" },
        { "mod(x, 2)", "[5] 1.5 1.5 0 0.3 1.5" }, { "mod(x, -2)", "[5] -0.5 -0.5 0 -1.7 -0.5" },
        { "x ^ 2", "[5] 6.25 0.25 0 0.09 12.25" },
        { "2 ^ x", "[5] 0.176776695297 0.707106781187 1 1.23114441334 11.313708499" } } },
    { "of positive numbers", "p = zeros([3]) + [0.25, 1, 4]",
      .wants = { { "log(p)", "[3] -1.38629436112 0 1.38629436112" },
        { "log1p(p)", "[3] 0.223143551314 0.69314718056 1.60943791243" }, { "sqrt(p)", "[3] 0.5 1 2" },
        { "rsqrt(p)", "[3] 2 1 0.5" }, { "p ^ 0.5", "[3] 0.5 1 2" }, { "p ^ -1", "[3] 4 1 0.25" } } },
    { "with NaN and infinities", "z = zeros([4]) + [0, 1, -1, 2]\nb = z / 0",
      .wants = { { "isnan(b)", "int [4] 1 0 0 0" }, { "isinf(b)", "int [4] 0 1 1 1" }, { "finite(b)", "int 0" },
        { "finite(b[1:])", "int 0" }, { "finite(z)", "int 1" }, { "finite(b[0:0])", "int 1" },
        { "maximum(b, 0)", "[4] nan inf 0 inf" },
        { "relu(b)", "[4] nan inf 0 inf" }, { "clamp(b, 0, 1)", "[4] nan 1 0 1" }, { "max(b)", "nan" },
        { "select(isnan(b), 0, b)", "[4] 0 inf -inf inf" }, { "sigmoid(b)", "[4] nan 1 0 1" } } },
    { "two tensors", "a = zeros([3]) + [1, 5, 3]\nb = zeros([3]) + [2, 4, 3]",
      .wants = { { "maximum(a, b)", "[3] 2 5 3" }, { "minimum(a, b)", "[3] 1 4 3" },
        { "select(a > b, a, b)", "[3] 2 5 3" }, { "a == b", "int [3] 0 0 1" }, { "a != b", "int [3] 1 1 0" },
        { "a <= b", "int [3] 1 0 1" } } },
};
#undef X

#define X "x = float(reshape(arange(6), [2, 3])) + [[1, 0, 0], [0, 0, 0]]\n"   /* 1 1 2; 3 4 5 */
static const vg_row reductions[] = {
    { "over all", X,
      .wants = { { "sum(x)", "16" }, { "mean(x)", "2.66666666666667" }, { "max(x)", "5" }, { "min(x)", "1" },
        { "prod(x)", "120" }, { "variance(x)", "2.22222222222222" }, { "std(x)", "1.49071198499986" },
        { "norm(x)", "7.48331477354788" }, { "rms(x)", "3.05505046330389" }, { "logsumexp(x)", "5.46350321636" } }
      },
    { "over an axis", X,
      .wants = { { "sum(x, axis = 0)", "[3] 4 5 7" }, { "sum(x, 1)", "[2] 4 12" },
        { "mean(x, axis = -1)", "[2] 1.33333333333333 4" }, { "max(x, axis = 0)", "[3] 3 4 5" },
        { "min(x, 1)", "[2] 1 3" }, { "prod(x, 1)", "[2] 2 60" }, { "variance(x, 0)", "[3] 1 2.25 2.25" },
        { "std(x, 0)", "[3] 1 1.5 1.5" }, { "norm(x, axis = 1)", "[2] 2.44948974278318 7.07106781186548" },
        { "rms(x, axis = 0)", "[3] 2.23606797749979 2.91547594742265 3.80788655293195" },
        { "logsumexp(x, axis = 0)", "[3] 3.12692801104 4.04858735157 5.04858735157" } } },
    { "several axes, keeping them", X,
      .wants = { { "sum(x, axis = [0, 1])", "16" }, { "sum(x, axis = [1], keep = true)", "[2, 1] 4 12" },
        { "sum(x, keep = true)", "[1, 1] 16" }, { "max(x, 0, true)", "[1, 3] 3 4 5" },
        { "std(x, 0, true)", "[1, 3] 1 1.5 1.5" },
        { "logsumexp(x, 1, keep = true) - expand(logsumexp(x, 1), 1)", "[2, 1] 0 0" },
        { "sum(x, axis = [])", "[2, 3] 1 1 2 3 4 5" }, { "sum(x, axis = all)", "16" },
        { "norm(x, axis = [0, 1])", "7.48331477354788" } } },
    { "places", X,
      .wants = { { "argmax(x)", "int [2] 2 2" }, { "argmin(x)", "int [2] 0 0" },
        { "argmax(x, axis = 0)", "int [3] 1 1 1" }, { "cumsum(x, 0)", "[2, 3] 1 1 2 4 5 7" },
        { "cumsum(x, axis = 1)", "[2, 3] 1 2 4 3 7 12" } } },
    { "of a scalar", "x = ones([]) * 3",
      .wants = { { "sum(x)", "3" }, { "mean(x)", "3" }, { "max(x)", "3" }, { "std(x)", "0" }, { "norm(x)", "3" },
        { "logsumexp(x)", "3" }, { "prod(x)", "3" }, { "sum(x, keep = true)", "3" } } },
    { "logsumexp of large numbers", "x = zeros([2]) + [1000, 1000]\ny = zeros([2]) - inf",
      .wants = { { "logsumexp(x)", "1000.69314718056" }, { "logsumexp(y)", "-inf" } } },
    { "an axis that is not there", X "y = sum(x, axis = 2)", .error = "axis-outside" },
    { "an axis twice", X "y = sum(x, axis = [0, -2])", .error = "axis-again" },
};

static const vg_row shapes[] = {
    { "reshape, transpose, flatten", X,
      .wants = { { "reshape(x, [3, 2])", "[3, 2] 1 1 2 3 4 5" }, { "reshape(x, [-1])", "[6] 1 1 2 3 4 5" },
        { "reshape(x, 6)", "[6] 1 1 2 3 4 5" }, { "reshape(x, [3, -1])[2]", "[2] 4 5" },
        { "transpose(x)", "[3, 2] 1 3 1 4 2 5" }, { "transpose(x, [0, 1])", "[2, 3] 1 1 2 3 4 5" },
        { "flatten(x)", "[6] 1 1 2 3 4 5" }, { "flatten(ones([2, 1, 2]), 1)", "[2, 2] 1 1 1 1" },
        { "shape(transpose(ones([2, 3, 4])))", "int [3] 4 3 2" },
        { "shape(transpose(ones([2, 3, 4]), perm = [1, 2, 0]))", "int [3] 3 4 2" },
        { "transpose(ones([2]))", "[2] 1 1" } } },
    { "concat, stack", X "i = arange(2)",
      .wants = { { "concat([x, x], axis = 1)[0]", "[6] 1 1 2 1 1 2" }, { "concat([x, x])[2]", "[3] 1 1 2" },
        { "concat([x[0], x[1], x[0]])", "[9] 1 1 2 3 4 5 1 1 2" },
        { "stack([x[0], x[1]], axis = 1)", "[3, 2] 1 3 1 4 2 5" }, { "stack([1, 2, 3])", "[3] 1 2 3" },
        { "shape(stack([x, x], axis = -1))", "int [3] 2 3 2" }, { "concat([x, x], -1)[1]", "[6] 3 4 5 3 4 5" } } },
    { "pad, broadcast, expand, squeeze, flip", X,
      .wants = { { "pad(x[0], 1)", "[5] 0 1 1 2 0" }, { "pad(x[0], [0, 2], value = 9)", "[5] 1 1 2 9 9" },
        { "pad(x, [[1, 0], [0, 1]])", "[3, 4] 0 0 0 0 1 1 2 0 3 4 5 0" },
        { "broadcast(x[0], [2, 3])", "[2, 3] 1 1 2 1 1 2" }, { "broadcast(1, [2])", "[2] 1 1" },
        { "shape(expand(x, 0))", "int [3] 1 2 3" }, { "shape(expand(x, -1))", "int [3] 2 3 1" },
        { "squeeze(x[0:1])", "[3] 1 1 2" }, { "squeeze(x[0:1], axis = 0)", "[3] 1 1 2" },
        { "flip(x, axis = 1)", "[2, 3] 2 1 1 5 4 3" }, { "flip(x)", "[2, 3] 5 4 3 2 1 1" },
        { "pad(arange(2), 1, 0.5)", "[4] 0.5 0 1 0.5" } } },
    { "squeeze of another length", X "y = squeeze(x, axis = 0)", .error = "squeeze-length" },
    { "one_hot and gather", X "i = gather(arange(3), [2, 0])",
      .wants = { { "one_hot(i, 3)", "[2, 3] 0 0 1 1 0 0" }, { "gather(x, i, axis = 1)", "[2, 2] 2 1 5 3" },
        { "gather(x, [1])", "[1, 3] 3 4 5" }, { "gather(x, 1)", "[3] 3 4 5" },
        { "gather(x, [[0, 1], [1, 0]])[1, 0]", "[3] 3 4 5" }, { "one_hot([0, 1], 2)", "[2, 2] 1 0 0 1" },
        { "shape(gather(x, [[0, 1, 2]], axis = 1))", "int [3] 2 1 3" },
        { "gather(x, int(x[0] - 1))[2]", "[3] 3 4 5" } } },
    { "what a shape says", "data p = xor(100)\ninput x: [batch, 2] = p.features",
      .wants = { { "rank(x)", "2" }, { "dim(x, 1)", "2" }, { "dim(x, -2)", "32" }, { "size(x)", "64" },
        { "shape(x)[-1]", "2" }, { "len(shape(x))", "2" }, { "shape(x) + [3]", "[3] 32 2 3" },
        { "size(zeros(shape(x)))", "64" }, { "sum(ones([batch]))", "32" }, { "max(arange(batch))", "int 31" },
        { "gather(arange(batch), batch - 1)", "int 31" } } },
    { "a reshape that does not divide", X "y = reshape(x, [4, -1])", .error = "reshape-rest" },
};

static const vg_row networks[] = {
    { "softmax", "x = zeros([2, 3]) + [1, 2, 3]",
      .wants = { { "softmax(x)[0]", "[3] 0.0900305731704 0.244728471055 0.665240955775" },
        { "log_softmax(x)[1]", "[3] -2.40760596444 -1.40760596444 -0.407605964444" },
        { "softmax(x, axis = 0)", "[2, 3] 0.5 0.5 0.5 0.5 0.5 0.5" },
        { "log_softmax(1000 * x)[0]", "[3] -2000 -1000 0" } } },
    { "cross_entropy", "x = zeros([2, 3]) + [1, 2, 3]\ny = gather(arange(3), [0, 2])\n"
      "q = zeros([2, 3]) + [0.5, 0, 0.5]\ns = zeros([3]) + [1, 2, 3]",
      .wants = { { "cross_entropy(x, y)", "[2] 2.40760596444 0.407605964444" },
        { "cross_entropy(x, q)", "[2] 1.40760596444 1.40760596444" },
        { "cross_entropy(s, gather(arange(3), 1))", "1.40760596444" },
        { "mean(cross_entropy(x, one_hot(y, 3)) - cross_entropy(x, y))", "0" },
        { "shape(cross_entropy(zeros([2, 4, 3]), reshape(gather(arange(3), [0, 1, 2, 0, 1, 2, 0, 1]), [2, 4])))",
          "int [2] 2 4" }, { "cross_entropy(zeros([1, 2]) + [0, -inf], [[1, 0]] * ones([1, 2]))", "[1] 0" } } },
    { "binary_cross_entropy", "l = zeros([3]) + [0, 2, -1000]\ny = zeros([3]) + [1, 0.25, 1]",
      .wants = { { "binary_cross_entropy(l, y)", "[3] 0.69314718056 1.62692801104 1000" } } },
    { "mse, mae, huber", "a = zeros([4]) + [0, 0.5, 2, -3]\nb = zeros([4])",
      .wants = { { "mse(a, b)", "3.3125" }, { "mae(a, b)", "1.375" }, { "huber(a, b)", "1.03125" },
        { "huber(a, b, delta = 2)", "1.53125" }, { "huber(b, a)", "1.03125" } } },
    { "nothing is broadcast", "a = mse(ones([2, 3]), ones([3]))", .error = "loss-shapes" },
    { "labels of another shape", "a = cross_entropy(ones([2, 3]), gather(arange(3), [0, 1, 2]))",
      .error = "label-shapes" },
    { "labels that are no integers", "a = cross_entropy(ones([2, 3]), ones([2]))", .error = "labels-float" },
    { "dense", "x = zeros([2, 2]) + [1, 2]\na = dense(x, 3, init = normal(1, 0))\n"
      "b = dense(x, 1, act = square, init = normal(2, 0), bias = false)\nc = dense(ones([2, 5, 3]), 4)\n"
      "d = dense(ones([3]), 2)",
      .wants = { { "a", "[2, 3] 3 3 3 3 3 3" }, { "b", "[2, 1] 36 36" }, { "shape(c)", "int [3] 2 5 4" },
        { "shape(d)", "int [1] 2" } },
      .variables = "a.W [2, 3]; a.b [3]; b.W [2, 1]; c.W [3, 4]; c.b [4]; d.W [3, 2]; d.b [2]" },
    { "dense without units", "a = dense(ones([2, 3]))", .error = "missing-argument" },
    { "dropout keeps the mean", "x = ones([20000])\nd = dropout(x, 0.3)", .single = true,
      .wants = { { "abs(mean(d) - 1) < 0.02", "int 1" }, { "abs(mean(d == 0) - 0.3) < 0.02", "int 1" },
        { "abs(max(d) - 1 / 0.7) < 1e-6", "int 1" } } },
    { "a convolution", "x = reshape(arange(16), [1, 1, 4, 4])\na = conv(x, 2, 3, act = relu)\nb = conv(x, 3, [3, 1], "
      "stride = 2, bias = false)", .wants = { { "shape(a)", "int [4] 1 2 4 4" }, { "shape(b)", "int [4] 1 3 2 2" } },
      .variables = "a.W [2, 1, 3, 3]; a.b [2]; b.W [3, 1, 3, 1]" },
    { "layers within a binding have their own names", "x = ones([2, 3, 4, 4])\na = relu(batch_norm(conv(x, 5, 3, "
      "bias = false)))", .variables = "a.conv.W [5, 3, 3, 3]; a.gamma [5]; a.beta [5]; a.mean_run [5]; a.var_run [5]" },
    { "batch_norm normalises each channel", "x = reshape(arange(24), [2, 3, 4])\na = batch_norm(x)",
      .wants = { { "max(abs(mean(a, axis = [0, 2]))) < 1e-6", "int 1" }, { "max(abs(variance(a, axis = [0, 2]) - 1)) < 1e-4", "int 1" } } },
    { "and by its running means in evaluation", "x = reshape(arange(12), [4, 3])\na = batch_norm(x, epsilon = 0)",
      .wants = { { "max(abs(a - x)) < 1e-5", "int 1" } }, .evaluation = true },
    { "layer_norm and rms_norm work on the last axis", "x = reshape(arange(12) + 1, [2, 2, 3])\na = layer_norm(x)\n"
      "b = rms_norm(x)", .wants = { { "max(abs(mean(a, axis = -1))) < 1e-5", "int 1" }, { "max(abs(rms(b, axis = -1) - 1)) < 1e-5", "int 1" } },
      .variables = "a.gamma [3]; a.beta [3]; b.gamma [3]" },
    { "recurrent layers give all outputs, and name each", "x = sample(normal(0, 1), [2, 5, 3])\na = rnn(x, 4)\nb = lstm(x, 4)\n"
      "c = gru(x, 4)", .wants = { { "max(abs(a[:, 4] - a.h[4])) == 0", "int 1" }, { "max(abs(b[:, 0] - b.h[0])) == 0", "int 1" },
        { "shape(c)", "int [3] 2 5 4" }, { "shape(b.c[4])", "int [2] 2 4" } },
      .variables = "a.W [3, 4]; a.U [4, 4]; a.b [4]; b.W [3, 16]; b.U [4, 16]; b.b [16]; c.W [3, 12]; c.U [4, 12]; c.b [12]" },
    { "causal attention sees no later place", "var x: [1, 4, 6] ~ normal(0, 1)\na = attention(x, 2, causal = true)\n"
      "g = grad(sum(a[:, 1]), x)", .wants = { { "max(abs(g[:, 2:]))", "0" }, { "min(abs(g[:, 0:2])) > 0", "int 1" } },
      .variables = "x [1, 4, 6]; a.query.W [6, 6]; a.query.b [6]; a.key.W [6, 6]; a.key.b [6]; a.value.W [6, 6]; "
                   "a.value.b [6]; a.out.W [6, 6]; a.out.b [6]" },
    { "an embedding's rows", "a = embedding(int([[2, 0], [2, 1]]), 3, 4)",
      .wants = { { "max(abs(a[0, 0] - a.W[2])) + max(abs(a[1, 1] - a.W[1]))", "0" }, { "shape(a)", "int [3] 2 2 4" } } },
    { "schedules", "a = warmup_cosine(step, peak = 2, warmup = 4, total = 8)\nb = exponential_decay(step, 1, 0.5, every = 2)\n"
      "c = step_decay(step, 1, 0.1, 3)", .wants = { { "a", "2" }, { "b", "0.25" }, { "c", "0.1" },
        { "warmup_cosine(0, 2, 4, 8)", "0.5" }, { "warmup_cosine(8, 2, 4, 8)", "0" }, { "warmup_cosine(3, 2, 0, 3)", "0" } },
      .steps = 5 },
};
#undef X

static void test_elementwise(void **state) { (void)state; CHECK_ROWS(elementwise); }
static void test_reductions(void **state) { (void)state; CHECK_ROWS(reductions); }
static void test_shapes(void **state) { (void)state; CHECK_ROWS(shapes); }
static void test_networks(void **state) { (void)state; CHECK_ROWS(networks); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elementwise), cmocka_unit_test(test_reductions), cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
