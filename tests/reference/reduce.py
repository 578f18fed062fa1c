"""Reductions over some axes or all, statistics, running sums, softmax."""
import torch

from suite import Suite, draw, leaf

AXES = [    # (shape, axes, as the language says it)
    ([2, 3, 4], [0, 1, 2], ""), ([2, 3, 4], [1], ", axis = 1"), ([2, 3, 4], [0, 2], ", axis = [0, 2]"),
    ([2, 3, 4], [2], ", axis = -1, keep = true"), ([2, 3, 4], [0, 1], ", axis = [0, 1], keep = true"),
    ([3, 1, 2], [1], ", axis = 1"), ([3, 1, 2], [0, 1, 2], ", keep = true"), ([5], [0], ", axis = 0"),
]


def product(x, axes, keep):
    for axis in sorted(axes, reverse=True):
        x = torch.prod(x, axis, keep)
    return x


def rms(x, axes, keep):
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    return torch.linalg.vector_norm(x, dim=axes, keepdim=keep) / count ** 0.5


REDUCTIONS = [    # (name, in PyTorch, the power that its second derivative needs)
    ("sum", lambda x, axes, keep: torch.sum(x, axes, keep), 2),
    ("mean", lambda x, axes, keep: torch.mean(x, axes, keep), 2),
    ("max", lambda x, axes, keep: torch.amax(x, axes, keep), 2),
    ("min", lambda x, axes, keep: torch.amin(x, axes, keep), 2),
    ("prod", product, 2),
    ("variance", lambda x, axes, keep: torch.var(x, axes, unbiased=False, keepdim=keep), 1),
    ("std", lambda x, axes, keep: torch.std(x, axes, unbiased=False, keepdim=keep), 3),
    ("logsumexp", lambda x, axes, keep: torch.logsumexp(x, axes, keep), 1),
    ("norm", lambda x, axes, keep: torch.linalg.vector_norm(x, dim=axes, keepdim=keep), 3),
    ("rms", rms, 3),
]


def logsumexp(x, axis):
    """As torch.logsumexp, whose gradient loses digits where the result is large."""
    top = torch.amax(x, axis, True).detach()
    return (x - top).exp().sum(axis).log() + top.squeeze(axis)


def flat(name, shape, axes):
    """Whether each result is of one element, so that its deviation is 0 and has no second derivative."""
    return name == "std" and all(shape[axis] == 1 for axis in axes)


def reductions(suite):
    for name, function, power in REDUCTIONS:
        for k, (shape, axes, words) in enumerate(AXES):
            call = lambda x: function(x, axes, "keep" in words)
            order = 1 if flat(name, shape, axes) else 2
            suite.operator(f"{name} of {shape}{words}", {"x": draw(shape, k)}, f"{name}(x{words})", call, order, power)
        suite.operator(f"{name}, fed", {"x": draw([3, 2, 2], 7)}, f"{name}(x, axis = [0, -1])",
                       lambda x: function(x, [0, 2], False), 2, power, feed=True)
        suite.operator(f"{name}, fed, each example", {"x": draw([3, 2, 2], 8)}, f"{name}(x, axis = [1, 2])",
                       lambda x: function(x, [1, 2], False), 2, power, feed=True)


def kinks(suite):
    ties = [[3.0, 1, 3], [2, 2, 2], [-1, -2, -1]]
    for name, function in (("max", torch.amax), ("min", torch.amin)):
        for words, axes in (("", [0, 1]), (", axis = 1", [1]), (", axis = 0", [0])):
            suite.operator(f"{name}, ties{words}", {"x": leaf(ties)}, f"{name}(x{words})",
                           lambda x: function(x, axes), power=2)
    zeros = leaf([[2.0, 3, 4], [2, 0, 4], [0, 3, 0], [0, 0, 0]])
    suite.operator("prod with zeros", {"x": zeros}, "prod(x, axis = 1)", lambda x: torch.prod(x, 1))
    for name, function, _ in REDUCTIONS[-4:]:
        if name != "logsumexp":
            suite.operator(f"{name} at 0", {"x": leaf([[0.0, 0, 0], [1, -2, 2]])}, f"{name}(x, axis = 1)",
                           lambda x: function(x, [1], False), order=1)
    same = leaf([[1.5, 1.5], [1.5, -1.5]])
    suite.operator("std of equals", {"x": same}, "std(x, axis = -1)", lambda x: torch.std(x, 1, False), order=1)
    far = leaf([[10000.0, -10000, 9999.5], [-10000, -10000.25, -10001], [-1, 0, 1000]])
    for name, function in (("logsumexp", logsumexp), ("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        suite.operator(f"{name}, far out", {"x": far}, f"{name}(x, axis = 1)", lambda x: function(x, 1))
    inf = float("inf")
    suite.operator("logsumexp, infinite", {"x": leaf([[-inf, -inf], [1.0, inf], [-inf, 2]])}, "logsumexp(x, axis = 1)",
                   lambda x: torch.logsumexp(x, 1), order=0)
    suite.operator("softmax with -inf", {"x": leaf([[-inf, 0.5, 1]])}, "softmax(x)",
                   lambda x: torch.softmax(x, 1), order=1)


def places(suite):
    x = leaf([[1.0, 3, 3, -1], [5, -5, -5, 5], [0, 0, 0, 0]])
    for name, function in (("argmax", torch.argmax), ("argmin", torch.argmin)):
        for words, axis in (("", -1), (", axis = 0", 0)):
            suite.operator(f"{name}{words}", {"x": x}, f"{name}(x{words})",
                           lambda x: first_of(x, function, axis), order=0)


def first_of(x, function, axis):
    """The first of equals; PyTorch may take any: a slope far below the values' distances decides."""
    length = x.shape[axis]
    slope = torch.arange(length) * 1e-9
    slope = slope.reshape([length] + [1] * (x.dim() - 1 - axis % x.dim()))
    return function(x - slope if function is torch.argmax else x + slope, axis)


def along(suite):
    for shape, axis in (([5], 0), ([3, 4], 0), ([3, 4], -1), ([2, 3, 2], 1), ([2, 1, 3], 1)):
        for k, (name, function) in enumerate((("cumsum", torch.cumsum), ("softmax", torch.softmax),
                                              ("log_softmax", torch.log_softmax))):
            suite.operator(f"{name} of {shape} along {axis}", {"x": draw(shape, k + 11)}, f"{name}(x, axis = {axis})",
                           lambda x: function(x, axis), power=2 if name == "cumsum" else 1)
    for name, function in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        suite.operator(f"{name}, fed", {"x": draw([4, 3], 5)}, f"{name}(x)", lambda x: function(x, -1), feed=True)
    suite.operator("cumsum, fed", {"x": draw([4, 3], 5)}, "cumsum(x, axis = 0)", lambda x: x.cumsum(0), power=2,
                   feed=True)


def long_sums(suite):
    """More elements than one part of a reduction has, made by the language itself."""
    x = "x = reshape((mod(37 * arange(12000), 1009) - 504.5) / 256, [400, 30])\nvar scale: [30] = 1\n"
    values = (((37 * torch.arange(12000)) % 1009 - 504.5) / 256).reshape(400, 30)
    for name, function, _ in REDUCTIONS:
        if name == "prod":
            continue
        scale = torch.ones(30, requires_grad=True)
        whole, rows, columns = (function(values * scale, axes, False) for axes in ([0, 1], [1], [0]))
        text = x + f"y = x * scale\nscore = {name}(y) + sum({name}(y, axis = 1)) + sum({name}(y, axis = 0))\n"
        gradient = torch.autograd.grad(whole + rows.sum() + columns.sum(), scale)[0]
        suite.add(f"{name} of 12000", text, {f"{name}(y)": whole, f"{name}(y, axis = 0)": columns,
                                             "grad(score, scale)": gradient}, tolerance=1e-4)


def suites():
    suite = Suite("reduce")
    reductions(suite)
    kinks(suite)
    places(suite)
    along(suite)
    long_sums(suite)
    return [suite]
