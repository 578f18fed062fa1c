"""Tensors large enough to be cut into parts and shared out among threads. They are made by the language itself from
whole numbers; compared are a weighted sum of each result, and corners and root mean squares of it and of its
gradients."""
import torch

from suite import Suite

FILL = """def filled(count, k) = (mod(37 * arange(count) + 11 * k, 1009) - 504.5) / 512
"""

CASES = [    # (shapes of a and b, in the language, in PyTorch)
    ([300, 170], [300, 170], "a * b + a / (2 + b)", lambda a, b: a * b + a / (2 + b)),
    ([300, 170], [170], "tanh(a * b)", lambda a, b: torch.tanh(a * b)),
    ([40, 1, 50], [30, 1], "exp(a - b)", lambda a, b: torch.exp(a - b)),
    ([3, 1, 4, 1, 5, 1], [2, 1, 3, 1, 6], "sin(a + 2 * b)", lambda a, b: torch.sin(a + 2 * b)),
    ([150, 170], [170, 130], "a @ b", torch.matmul), ([12, 40, 30], [12, 30, 50], "a @ b", torch.matmul),
    ([6, 1, 20, 30], [5, 30, 20], "a @ b", torch.matmul),
    ([130, 90], [130, 110], "transpose(a) @ sigmoid(b)", lambda a, b: a.T @ torch.sigmoid(b)),
    ([90, 130], [110, 130], "a @ transpose(b)", lambda a, b: a @ b.T),
    ([200, 300], [200, 1], "softmax(a * b)", lambda a, b: (a * b).softmax(-1)),
    ([300, 200], [1, 200], "log_softmax(a * b, axis = 0)", lambda a, b: (a * b).log_softmax(0)),
    ([300, 7], [7], "cross_entropy(a * b, int(mod(arange(300), 7)))",
     lambda a, b: torch.nn.functional.cross_entropy(a * b, torch.arange(300) % 7, reduction="none")),
    ([50, 2500], [50, 1], "cross_entropy(a * b, 50 * int(arange(50)))",
     lambda a, b: torch.nn.functional.cross_entropy(a * b, 50 * torch.arange(50), reduction="none")),
    ([50, 40, 30], [40, 1], "sum(a * b, axis = [0, 2]) ^ 2", lambda a, b: (a * b).sum([0, 2]) ** 2),
    ([50, 40, 30], [30], "norm(a + b, axis = 1)", lambda a, b: torch.linalg.vector_norm(a + b, dim=1)),
    ([60000], [1], "logsumexp(a * b)", lambda a, b: (a * b).logsumexp(0)),
    ([50, 40, 30], [1], "max(a * b, axis = [0, 1])", lambda a, b: (a * b).amax([0, 1])),
    ([50, 400, 3], [3], "cumsum(a, axis = 1) * b", lambda a, b: a.cumsum(1) * b),
    ([50, 40, 30], [30, 40, 50], "transpose(a) * b", lambda a, b: a.permute(2, 1, 0) * b),
    ([50, 40, 30], [40, 30, 50], "transpose(a, [1, 2, 0]) * b", lambda a, b: a.permute(1, 2, 0) * b),
    ([500, 40], [900, 40], "gather(a, int(mod(arange(900), 500))) * b", lambda a, b: a[torch.arange(900) % 500] * b),
    ([300, 70], [300, 50], "concat([a, b, a], 1) ^ 2", lambda a, b: torch.cat([a, b, a], 1) ** 2),
    ([300, 70], [298, 68], "a[1:-1, 2:] * b * a[2:, 1:-1]", lambda a, b: a[1:-1, 2:] * b * a[2:, 1:-1]),
]


def filled(shape, k):
    count = torch.Size(shape).numel()
    return (((37 * torch.arange(count) + 11 * k) % 1009 - 504.5) / 512).reshape(shape).requires_grad_()


def corner(name, tensor):
    """The last two places along every axis, in the language and here."""
    lengths = [min(2, length) for length in tensor.shape]
    if not lengths:
        return {name: tensor}
    places = ", ".join(f"-{length}:" for length in lengths)
    return {f"{name}[{places}]": tensor[tuple(slice(-length, None) for length in lengths)]}


def large_layer(suite, name, call, shape, variables, function):
    """A layer of a filled x, with corners of its values and of its gradients; for the files of the layers."""
    x, count = filled(shape, 1), torch.Size(shape).numel()
    out = function(x, variables)
    score = (out * filled(out.shape, 3)).sum()
    leaves = {"x": x, **{f"out.{path}": value for path, value in variables.items() if value.requires_grad}}
    fetch = {"score": score, "rms(out)": out.square().mean().sqrt(), **corner("out", out)}
    for path, value in zip(leaves, torch.autograd.grad(score, leaves.values())):
        fetch.update(corner(f"grad(score, {path})", value))
        fetch[f"rms(grad(score, {path}))"] = value.square().mean().sqrt()
    text = FILL + f"""var x: {shape} = reshape(filled({count}, 1), {shape})
out = {call}
score = sum(out * reshape(filled({out.numel()}, 3), {list(out.shape)}))
"""
    suite.add(name, text, fetch, tolerance=1e-4, given={f"out.{path}": value for path, value in variables.items()})


def suites():
    suite = Suite("large")
    for left, right, expression, function in CASES:
        a, b = filled(left, 1), filled(right, 2)
        out = function(a, b)
        score = (out * filled(out.shape, 3)).sum()
        by_a, by_b = torch.autograd.grad(score, [a, b])
        size = torch.Size(left).numel(), torch.Size(right).numel()
        text = FILL + f"""var a: {left} = reshape(filled({size[0]}, 1), {left})
var b: {right} = reshape(filled({size[1]}, 2), {right})
out = {expression}
score = sum(out * reshape(filled({out.numel()}, 3), {list(out.shape)}))
"""
        fetch = {"score": score, "rms(out)": out.square().mean().sqrt(), **corner("out", out)}
        for name, value in (("a", by_a), ("b", by_b)):
            slope = f"grad(score, {name})"
            fetch.update(corner(slope, value))
            fetch[f"rms({slope})"] = value.square().mean().sqrt()
        suite.add(f"{expression} of {left} and {right}", text, fetch, tolerance=1e-4)
    return [suite]
