"""What moves values about: shapes, slices, joins, gathers; and constants."""
import torch
import torch.nn.functional as F

from suite import Suite, draw, integers

MOVES = [    # (shape, in the language, in PyTorch); squared, so that each has a second derivative
    ([2, 6], "reshape(x, [3, 4])", lambda x: x.reshape(3, 4)),
    ([2, 6], "reshape(x, [4, -1])", lambda x: x.reshape(4, -1)),
    ([1], "reshape(x, [])", lambda x: x.reshape([])), ([], "reshape(x, [1, 1])", lambda x: x.reshape(1, 1)),
    ([2, 3], "transpose(x)", lambda x: x.T), ([2, 3, 4], "transpose(x)", lambda x: x.permute(2, 1, 0)),
    ([2, 3, 4], "transpose(x, [1, 2, 0])", lambda x: x.permute(1, 2, 0)),
    ([2, 1, 3, 2], "transpose(x, [0, 2, 1, 3])", lambda x: x.permute(0, 2, 1, 3)),
    ([2, 3, 2], "flatten(x)", lambda x: x.flatten()), ([2, 3, 2], "flatten(x, 1)", lambda x: x.flatten(1)),
    ([3], "broadcast(x, [2, 3])", lambda x: x.expand(2, 3)),
    ([2, 1, 2], "broadcast(x, [2, 3, 2])", lambda x: x.expand(2, 3, 2)),
    ([], "broadcast(x, [2, 2])", lambda x: x.expand(2, 2)), ([2, 3], "expand(x, 1)", lambda x: x.unsqueeze(1)),
    ([2, 3], "expand(x, -1)", lambda x: x.unsqueeze(-1)), ([1, 3, 1], "squeeze(x)", lambda x: x.squeeze()),
    ([1, 3, 1], "squeeze(x, 0)", lambda x: x.squeeze(0)), ([2, 3], "flip(x)", lambda x: x.flip(0, 1)),
    ([2, 3, 2], "flip(x, 1)", lambda x: x.flip(1)), ([2, 3, 2], "flip(x, [0, -1])", lambda x: x.flip(0, 2)),
    ([3, 4], "x[1]", lambda x: x[1]), ([3, 4], "x[-1, 1:3]", lambda x: x[-1, 1:3]),
    ([3, 4], "x[:, 2]", lambda x: x[:, 2]),
    ([3, 4], "x[:-1, 1:]", lambda x: x[:-1, 1:]), ([2, 3, 4], "x[1, :, -2:]", lambda x: x[1, :, -2:]),
    ([4], "x[1:] * x[:-1]", lambda x: x[1:] * x[:-1]),
    ([4, 2], "x[0:2] + x[1:3] - 2 * x[2:4]", lambda x: x[0:2] + x[1:3] - 2 * x[2:4]),
    ([3], "pad(x, 2)", lambda x: F.pad(x, (2, 2))),
    ([2, 2], "pad(x, [1, 2], value = 0.5)", lambda x: F.pad(x, (1, 2, 1, 2), value=0.5)),
    ([2, 3], "pad(x, [[0, 1], [2, 0]], value = -1)", lambda x: F.pad(x, (2, 0, 0, 1), value=-1.0)),
    ([2, 3], "concat([x, x * x], 0)", lambda x: torch.cat([x, x * x])),
    ([2, 3], "stack([x, x, -x], 1)", lambda x: torch.stack([x, x, -x], 1)),
    ([4, 3], "gather(x, [2, 0, 2])", lambda x: x[[2, 0, 2]]),
    ([4, 3], "gather(x, [[0, 1], [3, 3]])", lambda x: x[torch.tensor([[0, 1], [3, 3]])]),
    ([2, 3, 2], "gather(x, [2, 2, 1, 0], axis = 1)", lambda x: x[:, [2, 2, 1, 0]]),
    ([2, 3], "gather(x, [[1], [0]], axis = -1)", lambda x: x[:, torch.tensor([[1], [0]])]),
]

FED = [    # of [batch, 3, 2]
    ("transpose(x, [0, 2, 1])", lambda x: x.transpose(1, 2)), ("flatten(x, 1)", lambda x: x.flatten(1)),
    ("reshape(x, [dim(x, 0), 2, 3, 1])", lambda x: x.reshape(4, 2, 3, 1)), ("x[:, 0]", lambda x: x[:, 0]),
    ("x[:, :, 1:]", lambda x: x[:, :, 1:]), ("flip(x, 0)", lambda x: x.flip(0)),
    ("concat([x, x], axis = 2)", lambda x: torch.cat([x, x], 2)), ("size(x) * x", lambda x: 24 * x),
    ("gather(x, [1, 1], axis = 2)", lambda x: x[:, :, [1, 1]]), ("sum(x[1:], axis = 0)", lambda x: x[1:].sum(0)),
]

CONSTANTS = [
    ("zeros([2, 3])", torch.zeros(2, 3)), ("ones([3])", torch.ones(3)), ("full([2, 2], 0.5)", torch.full((2, 2), 0.5)),
    ("arange(5)", torch.arange(5)), ("linspace(-1, 2, 7)", torch.linspace(-1, 2, 7)), ("eye(3)", torch.eye(3)),
    ("one_hot([2, 0, 1], 4)", F.one_hot(torch.tensor([2, 0, 1]), 4).double()),
    ("one_hot([[1], [0]], 2)", F.one_hot(torch.tensor([[1], [0]]), 2).double()),
    ("[1, 2] + [3]", torch.tensor([1.0, 2, 3])), ("float([[1, 2], [3, 4]])", torch.tensor([[1.0, 2], [3, 4]])),
    ("abs(arange(5) - 2)", torch.tensor([2, 1, 0, 1, 2])), ("sum(arange(10))", torch.tensor(45)),
    ("maximum(arange(4), 2)", torch.tensor([2, 2, 2, 3])), ("arange(3) / 2", torch.tensor([0, 0.5, 1])),
]

PRODUCTS = [    # shapes of a and b in a @ b
    ([2, 3], [3, 4]), ([1, 3], [3, 1]), ([2, 1], [1, 2]), ([5, 2, 3], [5, 3, 4]), ([5, 2, 3], [3, 4]),
    ([2, 3], [4, 3, 2]),
    ([2, 1, 2, 3], [3, 3, 2]), ([1, 2, 2], [3, 2, 2]), ([5, 19], [19, 7]),
]


def moves(suite):
    for k, (shape, expression, function) in enumerate(MOVES):
        suite.operator(f"{expression} of {shape}", {"x": draw(shape, k)}, expression, function, power=2)
    a, b = draw([2, 3], 1), draw([2, 2], 2)
    suite.operator("concat of two", {"a": a, "b": b}, "concat([a, b, a], axis = 1)",
                   lambda a, b: torch.cat([a, b, a], 1), power=2)
    suite.operator("stack of two", {"a": a, "b": draw([2, 3], 3)}, "stack([a, b])", lambda a, b: torch.stack([a, b]),
                   power=2)
    for expression, function in FED:
        suite.operator(f"{expression}, fed", {"x": draw([4, 3, 2], 6)}, expression, function, power=2, feed=True)


def gathers(suite):
    rows = integers([[0, 4, 4], [1, 0, 2]])
    suite.operator("an embedding", {"W": draw([5, 3], 4), "i": rows}, "gather(W, i)", lambda W, i: W[i], power=2)
    suite.operator("an embedding times a one_hot", {"W": draw([5, 3], 4), "i": rows}, "one_hot(i, 5) @ W",
                   lambda W, i: W[i], power=2)
    x, i = draw([2, 6], 5), integers([5, 0])
    suite.operator("an element of each row", {"x": x, "i": i}, "sum(x * one_hot(i, 6), axis = 1)",
                   lambda x, i: x.gather(1, i[:, None])[:, 0], power=2)


def products(suite):
    for k, (left, right) in enumerate(PRODUCTS):
        suite.operator(f"{left} @ {right}", {"a": draw(left, k), "b": draw(right, k + 30)}, "a @ b", torch.matmul)
    suite.operator("batched, fed", {"a": draw([3, 2, 4], 1), "b": draw([3, 4, 2], 2)}, "a @ b", torch.matmul, feed=True)
    suite.operator("a transposed, fed", {"a": draw([3, 4], 1), "b": draw([3, 2], 2)}, "transpose(a) @ b",
                   lambda a, b: a.T @ b, feed=True)
    a, b = draw([3, 2], 1), draw([4, 3], 2)
    suite.operator("a transposed", {"a": a, "b": draw([3, 4], 2)}, "transpose(a) @ b", lambda a, b: a.T @ b)
    suite.operator("b transposed", {"a": draw([2, 3], 1), "b": b}, "a @ transpose(b)", lambda a, b: a @ b.T)
    suite.operator("both", {"a": a, "b": b}, "transpose(a) @ transpose(b)", lambda a, b: a.T @ b.T)
    suite.operator("a with itself", {"a": a}, "a @ transpose(a)", lambda a: a @ a.T)
    suite.operator("three", {"a": draw([2, 3], 1), "b": draw([3, 3], 2)}, "a @ b @ b", lambda a, b: a @ b @ b)
    suite.operator("long", {"a": draw([3, 300], 1), "b": draw([300, 2], 2)}, "a @ b", torch.matmul, order=1,
                   tolerance=1e-4)


def suites():
    suite = Suite("arrange")
    moves(suite)
    gathers(suite)
    products(suite)
    for expression, value in CONSTANTS:
        suite.add(expression, "", {expression: value})
    return [suite]
