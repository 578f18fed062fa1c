"""Tensors without elements: sums of nothing, products over an axis of length 0, no examples; dropout where it does
nothing; poolings padded unevenly, which PyTorch's are not."""
import torch
import torch.nn.functional as F

from layers import attended, attention_weights
from recurrent import lstm_cell
from suite import Suite, draw, integers

NOTHING = [    # (shape, in the language, in PyTorch)
    ([0, 3], "x * x", lambda x: x * x), ([0, 3], "tanh(x) / 2", lambda x: torch.tanh(x) / 2),
    ([0], "sum(x)", torch.sum), ([0, 3], "sum(x, axis = 0)", lambda x: x.sum(0)),
    ([3, 0], "sum(x, axis = 1, keep = true)", lambda x: x.sum(1, keepdim=True)),
    ([2, 0, 3], "sum(x, axis = [0, 1])", lambda x: x.sum([0, 1])), ([0, 3], "sum(x, axis = 1)", lambda x: x.sum(1)),
    ([0, 3], "prod(x)", torch.prod), ([3, 0], "prod(x, axis = 1)", lambda x: x.prod(1)),
    ([0], "mean(x)", torch.mean), ([0, 2], "mean(x, axis = 0)", lambda x: x.mean(0)),
    ([0, 2], "mean(x, axis = 1)", lambda x: x.mean(1)),
    ([0], "variance(x)", lambda x: x.square().mean()), ([0, 2], "norm(x)", lambda x: (x * x).sum()),
    ([0, 3], "max(x, axis = 1)", lambda x: x.amax(1)), ([0, 3], "argmax(x)", lambda x: x.argmax(1)),
    ([0, 3], "cumsum(x, axis = 0)", lambda x: x.cumsum(0)), ([2, 0], "cumsum(x, axis = 0)", lambda x: x.cumsum(0)),
    ([0, 3], "softmax(x)", lambda x: x.softmax(-1)), ([3, 0], "log_softmax(x)", lambda x: x.log_softmax(-1)),
    ([0, 3], "logsumexp(x, axis = 1)", lambda x: x.logsumexp(1)),
    ([0, 3], "transpose(x)", lambda x: x.T), ([0, 3], "reshape(x, [3, 2, 0])", lambda x: x.reshape(3, 2, 0)),
    ([0, 3], "x[:, 1:]", lambda x: x[:, 1:]), ([2, 3], "x[1:1]", lambda x: x[1:1]),
    ([0, 3], "flip(x, 0)", lambda x: x.flip(0)), ([0, 1], "broadcast(x, [2, 0, 3])", lambda x: x.expand(2, 0, 3)),
    ([1, 2], "broadcast(x, [0, 2])", lambda x: x.expand(0, 2)),
    ([0, 2], "pad(x, 1, value = 0.5)", lambda x: F.pad(x, (1, 1, 1, 1), value=0.5)),
    ([0, 2], "stack([x, x], 0)", lambda x: torch.stack([x, x])),
    ([2, 3], "gather(x, int(zeros([0])))", lambda x: x[integers([])]),
    ([0, 3], "gather(x, [1, 1], axis = 1)", lambda x: x[:, [1, 1]]),
    ([0, 1, 4, 5], "max_pool2d(x, 2)", lambda x: F.max_pool2d(x, 2)),
    ([0, 2, 3, 3], "avg_pool2d(x, 2, stride = 1)", lambda x: F.avg_pool2d(x, 2, 1)),
    ([0, 3], "isnan(x)", torch.isnan), ([0], "finite(x)", lambda x: torch.isfinite(x).all()),
]

PAIRS = [    # (shapes of a and b, in the language, in PyTorch)
    ([2, 0], [0, 3], "a @ b", torch.matmul), ([0, 3], [3, 2], "a @ b", torch.matmul),
    ([3, 2], [2, 0], "a @ b", torch.matmul), ([0, 2, 3], [3, 2], "a @ b", torch.matmul),
    ([2, 3, 0], [2, 0, 1], "a @ b", torch.matmul), ([0, 3], [1, 3], "a * b", lambda a, b: a * b),
    ([0, 1], [4], "a + b", lambda a, b: a + b), ([2, 1, 0], [3, 1], "maximum(a, b)", torch.maximum),
    ([0, 3], [2, 3], "concat([a, b], 0)", lambda a, b: torch.cat([a, b])),
    ([2, 0], [2, 3], "concat([a, b, a], 1)", lambda a, b: torch.cat([a, b, a], 1)),
    ([0, 2], [0, 2], "mse(a, b)", F.mse_loss), ([0, 2], [0, 2], "binary_cross_entropy(a, b)", lambda a, b: a * b),
    ([0, 2, 4, 5], [3, 2, 3, 3], "conv2d(a, b)", F.conv2d),
    ([0, 2, 4, 4], [2, 2, 3, 3], "conv2d(a, b, stride = 2, pad = 1)", lambda a, b: F.conv2d(a, b, stride=2, padding=1)),
]


POOLS = [    # (images, in the language, kernel, stride, padding (left, right, top, bottom))
    ([1, 2, 5, 4], '3, pad = "same", stride = 1', 3, 1, (1, 1, 1, 1)),
    ([2, 1, 5, 4], '2, pad = "same", stride = 2', 2, 2, (0, 0, 0, 1)),
    ([1, 1, 7, 6], '[3, 2], pad = "same", stride = [3, 2]', (3, 2), (3, 2), (0, 0, 1, 1)),
    ([1, 1, 4, 4], '[2, 4], pad = "same", stride = 1', (2, 4), 1, (1, 2, 0, 1)),
    ([1, 2, 3, 4], "2, stride = 1, pad = [[1, 0], [0, 1]]", 2, 1, (0, 1, 1, 0)),
    ([1, 1, 3, 3], "3, stride = 3, pad = [[2, 1], [1, 2]]", 3, 3, (1, 2, 2, 1)),
]


def empty(shape, k):
    return draw(shape, k) if torch.Size(shape).numel() else torch.zeros(shape, requires_grad=True)


def nothing(suite):
    for k, (shape, expression, function) in enumerate(NOTHING):
        suite.operator(f"{expression} of {shape}", {"x": empty(shape, k)}, expression, function, power=2)
    for k, (left, right, expression, function) in enumerate(PAIRS):
        suite.operator(f"{expression} of {left} and {right}", {"a": empty(left, k), "b": empty(right, k + 50)},
                       expression, function, power=2)
    none = integers([])
    suite.operator("cross_entropy of no examples", {"x": empty([0, 3], 1), "y": none}, "cross_entropy(x, y)",
                   lambda x, y: F.cross_entropy(x, y, reduction="none"))
    suite.operator("its mean", {"x": empty([0, 3], 1), "y": none}, "mean(cross_entropy(x, y))", F.cross_entropy,
                   order=0)


def without_examples(suite):
    """Layers whose variables get a gradient of exactly 0."""
    suite.layer("dense", "dense(x, 2, tanh)", {"x": empty([0, 3], 0)}, {"W": draw([3, 2], 1), "b": draw([2], 2)},
                lambda x, v: torch.tanh(x @ v["W"] + v["b"]))
    suite.layer("dense of no numbers", "dense(x, 2, tanh)", {"x": empty([4, 0], 0)},
                {"W": empty([0, 2], 1), "b": draw([2], 2)}, lambda x, v: torch.tanh(x @ v["W"] + v["b"]))
    suite.layer("conv", "conv(x, 2, 3)", {"x": empty([0, 1, 4, 4], 0)}, {"W": draw([2, 1, 3, 3], 1), "b": draw([2], 2)},
                lambda x, v: F.conv2d(x, v["W"], v["b"], padding=1), power=2)
    suite.layer("embedding", "embedding(i, 3, 2)", {"i": integers([])}, {"W": draw([3, 2], 1)},
                lambda i, v: v["W"][i], power=2)
    suite.layer("layer_norm", "layer_norm(x)", {"x": empty([0, 3], 0)}, {"gamma": draw([3], 1), "beta": draw([3], 2)},
                lambda x, v: F.layer_norm(x, [3], v["gamma"], v["beta"]))
    suite.layer("attention", "attention(x, 1, true)", {"x": empty([0, 3, 2], 0)}, attention_weights(2, 3),
                lambda x, v: attended(x, v, 1, True))
    suite.layer("lstm", "lstm(x, 2)[:, 0]", {"x": empty([0, 1, 3], 0)},
                {"W": draw([3, 8], 1), "U": draw([2, 8], 2).detach(), "b": draw([8], 3)},
                lambda x, v: lstm_cell(x, v, (torch.zeros(0, 2), torch.zeros(0, 2)))[0])


def idle(suite):
    for p in (0.5, 0.0, 1.0):
        suite.operator(f"dropout({p}) in evaluation", {"x": draw([2, 3], 1)}, f"dropout(x, {p})", lambda x: x * 1,
                       power=2)
        suite.cases[-1]["evaluation"] = True


def uneven(suite):
    for k, (images, words, kernel, stride, pads) in enumerate(POOLS):
        suite.operator(f"max_pool2d({words}) of {images}", {"x": draw(images, k)}, f"max_pool2d(x, {words})",
                       lambda x: F.max_pool2d(F.pad(x, pads, value=-float("inf")), kernel, stride), power=2)
        suite.operator(f"avg_pool2d({words}) of {images}", {"x": draw(images, k)}, f"avg_pool2d(x, {words})",
                       lambda x: F.avg_pool2d(F.pad(x, pads), kernel, stride), power=2)


def suites():
    suite = Suite("edges")
    nothing(suite)
    without_examples(suite)
    idle(suite)
    uneven(suite)
    return [suite]
