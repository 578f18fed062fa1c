"""Losses, layers, small networks: values, gradients by inputs and by weights, and gradients of gradients."""
import torch
import torch.nn.functional as F

from suite import GIVEN, Suite, draw, integers, leaf, pattern

LABELS = integers([2, 0, 3])
CHANCES = [[0.5, 0.25, 0.125, 0.125], [0.0, 1, 0, 0], [0.25, 0.25, 0.25, 0.25]]
FAR = [[10000.0, -10000, 0, 5], [-10000, 10000, 9999.5, 10000], [10000, 10000, 10000, 10000]]


def distribution(logits, labels):
    return -(labels * torch.log_softmax(logits, -1)).sum(-1)


def binary(logits, y):
    """binary_cross_entropy_with_logits, by its gradient too: PyTorch 1.13's has none by y."""
    size = logits.abs()
    return torch.relu(logits) - logits * y + torch.log1p(torch.exp(-size))


def classes(suite):
    mean = lambda x, y: F.cross_entropy(x, y)
    suite.operator("cross_entropy", {"x": draw([3, 4], 1), "y": LABELS}, "cross_entropy(x, y)",
                   lambda x, y: F.cross_entropy(x, y, reduction="none"))
    suite.operator("its mean", {"x": draw([3, 4], 1), "y": LABELS}, "mean(cross_entropy(x, y))", mean)
    suite.operator("of one example", {"x": draw([1, 4], 2), "y": integers([1])}, "mean(cross_entropy(x, y))", mean)
    suite.operator("of one class", {"x": draw([2, 1], 3), "y": integers([0, 0])}, "cross_entropy(x, y)",
                   lambda x, y: F.cross_entropy(x, y, reduction="none"), order=0)
    suite.operator("of a sequence", {"x": draw([2, 3, 5], 4), "y": integers([[0, 4, 2], [2, 2, 1]])},
                   "cross_entropy(x, y)", lambda x, y: F.cross_entropy(x.transpose(1, 2), y, reduction="none"))
    suite.operator("of many classes", {"x": draw([3, 20], 8), "y": integers([19, 0, 7])}, "cross_entropy(x, y)",
                   lambda x, y: F.cross_entropy(x, y, reduction="none"))
    suite.operator("and an entropy", {"x": draw([3, 4], 2), "y": LABELS},
                   "0.5 * sum(softmax(x) * log_softmax(x), axis = -1) - cross_entropy(x, y)",
                   lambda x, y: 0.5 * (x.softmax(-1) * x.log_softmax(-1)).sum(-1)
                   - F.cross_entropy(x, y, reduction="none"))
    suite.operator("along another axis", {"x": draw([4, 3], 3)}, "log_softmax(x, axis = 0) ^ 2",
                   lambda x: x.log_softmax(0) ** 2)
    suite.operator("of a distribution", {"x": draw([3, 4], 5), "y": leaf(CHANCES)}, "cross_entropy(x, y)", distribution)
    suite.operator("of PyTorch's distribution", {"x": draw([3, 4], 5), "y": leaf(CHANCES)}, "mean(cross_entropy(x, y))",
                   F.cross_entropy)
    suite.operator("of a sequence of distributions", {"x": draw([2, 3, 4], 6), "y": draw([2, 3, 4], 7, 0, 1)},
                   "cross_entropy(x, y)", distribution)
    suite.operator("cross_entropy, far out", {"x": leaf(FAR), "y": LABELS}, "cross_entropy(x, y)",
                   lambda x, y: F.cross_entropy(x, y, reduction="none"))
    suite.operator("distribution, far out", {"x": leaf(FAR), "y": leaf(CHANCES)}, "cross_entropy(x, y)", distribution)
    suite.operator("cross_entropy with -inf", {"x": leaf([[0.5, -float("inf"), 1, 2]]), "y": integers([2])},
                   "cross_entropy(x, y)", lambda x, y: F.cross_entropy(x, y, reduction="none"), order=1)


def halves(suite):
    y = leaf([[0.0, 1, 0.25], [1, 0, 0.5]])
    suite.operator("binary_cross_entropy", {"x": draw([2, 3], 1), "y": y}, "binary_cross_entropy(x, y)", binary)
    suite.operator("its mean", {"x": draw([2, 3], 2), "y": y}, "mean(binary_cross_entropy(x, y))",
                   lambda x, y: binary(x, y).mean())
    plain = y.detach()
    suite.operator("PyTorch's own", {"x": draw([2, 3], 2)}, f"binary_cross_entropy(x, {plain.tolist()})",
                   lambda x: F.binary_cross_entropy_with_logits(x, plain, reduction="none"))
    far = leaf([[10000.0, 10000, 10000], [-10000, -10000, -10000]])
    suite.operator("far out", {"x": far}, f"binary_cross_entropy(x, {plain.tolist()})",
                   lambda x: F.binary_cross_entropy_with_logits(x, plain, reduction="none"), order=1)


def distances(suite):
    pair = {"a": draw([2, 3], 1), "b": draw([2, 3], 2)}
    edges = {"a": leaf([-3.0, -1, 0, 0.5, 1, 3]), "b": leaf([0.0] * 6)}
    for words, function, power in (
            ("mse(a, b)", F.mse_loss, 1), ("mae(a, b)", F.l1_loss, 2), ("huber(a, b)", F.huber_loss, 1),
            ("huber(a, b, delta = 0.5)", lambda a, b: F.huber_loss(a, b, delta=0.5), 1),
            ("huber(a, b, 2)", lambda a, b: F.huber_loss(a, b, delta=2.0), 2)):
        suite.operator(words, pair, words, function, power=power)
        suite.operator(f"{words}, edges", edges, words, function, order=1)
        suite.operator(f"{words}, fed", {"a": draw([4, 2], 3), "b": draw([4, 2], 4)}, words, function,
                       power=power, feed=True)


ACTS = [
    ("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("relu", torch.relu), ("gelu", F.gelu), ("silu", F.silu),
    ("elu", F.elu), ("mish", F.mish), ("identity", lambda x: x), ("softmax", lambda x: torch.softmax(x, -1)),
]


def layers(suite):
    for k, (name, act) in enumerate(ACTS):
        for shape in ([3, 4], [2, 3, 4]):
            x, weight, bias = draw(shape, k), pattern([4, 5], 1), torch.zeros(5, requires_grad=True)
            out = act(x @ weight + bias)
            text = GIVEN + f"""input x: [batch, {', '.join(map(str, shape[1:]))}]
h = dense(x, 5, act = {name}, init = given(1))
loss = mean(h ^ 3)
squares = sum(square(grad(loss, x))) + sum(square(grad(loss, h.W))) + sum(square(grad(loss, h.b)))
"""
            leaves = {"x": x, "h.W": weight, "h.b": bias}
            suite.add(f"dense, {name} of {shape}", text, {"h": out, **twice((out ** 3).mean(), leaves)},
                      feed={"x": x}, batch=shape[0])
    x, weight = draw([2, 3], 1), pattern([3, 2], 4)
    suite.add("dense without bias", GIVEN + "input x: [batch, 3]\nh = dense(x, 2, bias = false, init = given(4))\n",
              {"h": x @ weight}, {"h.W": weight}, feed={"x": x}, batch=2)


def twice(loss, leaves):
    """Fetches of the gradients of `loss`, and of `squares`, the sum of their squares."""
    first = torch.autograd.grad(loss, leaves.values(), create_graph=True)
    squares = sum((value * value).sum() for value in first)
    second = torch.autograd.grad(squares, leaves.values())
    return {**{f"grad(loss, {path})": value for path, value in zip(leaves, first)},
            **{f"grad(squares, {path})": value for path, value in zip(leaves, second)}}


def deep_sigmoid(suite):
    """The tutorial's network, smaller: four hidden layers of sigmoids, then ten classes."""
    for name, act in (("sigmoid", torch.sigmoid), ("relu", torch.relu)):
        x, y = draw([6, 20], 1, 0, 1), integers([0, 3, 9, 1, 7, 3])
        widths, leaves, h = [20, 8, 8, 8, 8], {}, x
        for i in range(1, 5):
            leaves[f"h[{i}].W"], leaves[f"h[{i}].b"] = pattern([widths[i - 1], 8], i), pattern([8], i)
            h = act(h @ leaves[f"h[{i}].W"] + leaves[f"h[{i}].b"])
        leaves["logits.W"], leaves["logits.b"] = pattern([8, 10], 5), pattern([10], 5)
        logits = h @ leaves["logits.W"] + leaves["logits.b"]
        loss = F.cross_entropy(logits, y)
        text = GIVEN + f"""input x: [batch, 20]
input y: int[batch]
layer dense(x: [n, d], units, k, act = identity) {{
    var W: [d, units] ~ given(k)
    var b: [units]    ~ given(k)
    return act(x @ W + b)
}}
h[0] = x
for i in 1..4 {{
    h[i] = dense(h[i-1], 8, i, {name})
}}
logits = dense(h[4], 10, 5)
loss = mean(cross_entropy(logits, y))
accuracy = mean(argmax(logits) == y)
squares = total(sum(square(grad(loss, vars))))
"""
        accuracy = (logits.argmax(1) == y).double().mean()
        suite.add(f"deep {name}", text, {"logits": logits, "loss": loss, "accuracy": accuracy, **twice(loss, leaves)},
                  feed={"x": x, "y": y}, batch=6)


def suites():
    suite = Suite("network")
    classes(suite)
    halves(suite)
    distances(suite)
    layers(suite)
    deep_sigmoid(suite)
    return [suite]
