"""Elementwise operators and activations, at kinks and far from zero too, with NumPy's broadcasting."""
import torch
import torch.nn.functional as F

from suite import Suite, draw, leaf

# Every kink of the library, both zeros, and what lies between.
REAL = [-6, -3.5, -3, -2.25, -1.5, -1, -0.75, -0.25, -0.0, 0, 0.125, 0.5, 1, 1.75, 2.5, 3, 3.25, 5]
POSITIVE = [2.0 ** -20, 0.125, 0.5, 0.9375, 1, 1.0625, 2, 7.5, 1000]
FAR = [-800, -100, -30, -15, -1.25, 1.25, 15, 30, 100, 800]

SMOOTH = [    # (in the language, in PyTorch, where)
    ("-a", torch.neg, REAL), ("exp(a)", torch.exp, REAL), ("log(a)", torch.log, POSITIVE),
    ("log1p(a)", torch.log1p, POSITIVE), ("log1p(a)", torch.log1p, [-0.75, -2.0 ** -20, 0, 2.0 ** -30]),
    ("expm1(a)", torch.expm1, REAL), ("expm1(a)", torch.expm1, [-100, -2.0 ** -20, 0, 2.0 ** -30]),
    ("sqrt(a)", torch.sqrt, POSITIVE), ("rsqrt(a)", torch.rsqrt, POSITIVE), ("square(a)", torch.square, REAL),
    ("sin(a)", torch.sin, REAL), ("cos(a)", torch.cos, REAL), ("sin(a)", torch.sin, [100, -1000, 10000.5]),
    ("erf(a)", torch.erf, REAL), ("abs(a)", torch.abs, REAL), ("float(a)", lambda a: a * 1, REAL),
    ("1 / a", torch.reciprocal, POSITIVE), ("a ^ 3", lambda a: a ** 3, REAL), ("a ^ 0.5", lambda a: a ** 0.5, POSITIVE),
    ("a ^ -2", lambda a: a ** -2, POSITIVE[1:]), ("2 ^ a", lambda a: torch.pow(torch.tensor(2.0), a), REAL),
    ("stop_gradient(a) * a", lambda a: a.detach() * a, REAL),
]

ACTIVATIONS = [
    ("identity", lambda a: a * 1), ("relu", torch.relu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh),
    ("leaky_relu", F.leaky_relu), ("elu", F.elu), ("selu", F.selu), ("gelu", F.gelu),
    ("gelu_tanh", lambda a: F.gelu(a, approximate="tanh")), ("silu", F.silu), ("mish", F.mish),
    ("softplus", lambda a: F.softplus(a, threshold=1000)), ("softsign", F.softsign),
    ("hard_sigmoid", lambda a: F.relu6(a + 3) / 6),    # F.hardsigmoid's gradient is 1/6 of float32 in float64, too
    ("hard_tanh", F.hardtanh),
]

EXACT = {    # where PyTorch's own overflow; the second derivatives of these do, too
    "softplus": lambda a: torch.logaddexp(a, torch.zeros_like(a)),
    "mish": lambda a: a * torch.tanh(torch.logaddexp(a, torch.zeros_like(a))),
}

SETTINGS = [
    ("leaky_relu(a, 0.25)", lambda a: F.leaky_relu(a, 0.25)), ("elu(a, alpha = 0.5)", lambda a: F.elu(a, 0.5)),
    ("clamp(a, -1, 3)", lambda a: a.clamp(-1, 3)),
]

FLAT = [    # no gradient
    ("sign(a)", torch.sign), ("floor(a)", torch.floor), ("ceil(a)", torch.ceil), ("round(a)", torch.round),
    ("isnan(a - a)", lambda a: torch.isnan(a - a)), ("isinf(a)", torch.isinf), ("not a", torch.logical_not),
    ("int(clamp(a, -9, 9))", lambda a: a.clamp(-9, 9).int()),
    ("a == 1", lambda a: a == 1), ("a != 1", lambda a: a != 1), ("a < 0", lambda a: a < 0),
    ("a <= 0", lambda a: a <= 0),
    ("a > 0", lambda a: a > 0), ("a >= 0", lambda a: a >= 0), ("a > -1 and a < 1", lambda a: (a > -1) & (a < 1)),
    ("a < -1 or a", lambda a: (a < -1) | (a != 0)), ("finite(a)", lambda a: torch.isfinite(a).all()),
    ("finite(a / 0)", lambda a: torch.isfinite(a / 0).all()),
]

BROADCASTS = [
    ([2, 3], [2, 3]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1], [1, 3]), ([], [2, 3]), ([2, 1, 3], [4, 1]), ([1], [3]),
    ([1, 1], [2, 1, 2]), ([], []),
]

PAIRS = [    # (in the language, in PyTorch, both above zero)
    ("a + b", torch.add, False), ("a - b", torch.sub, False), ("a * b", torch.mul, False), ("a / b", torch.div, True),
    ("a ^ b", torch.pow, True), ("maximum(a, b)", torch.maximum, False), ("minimum(a, b)", torch.minimum, False),
    ("mod(a, b)", torch.remainder, True), ("a * b - a / (b + a)", lambda a, b: a * b - a / (b + a), True),
    ("select(a > b, a * b, b)", lambda a, b: torch.where(a > b, a * b, b), False),
]


def unary(suite):
    for expression, function, values in SMOOTH:
        suite.operator(f"{expression} from {values[0]:g}", {"a": leaf([float(value) for value in values])}, expression,
                       function)
    for name, function in ACTIVATIONS:
        suite.operator(f"{name}, kinks", {"a": leaf([float(value) for value in REAL], [3, 6])}, f"{name}(a)", function)
        suite.operator(f"{name}, far out", {"a": leaf([float(value) for value in FAR])}, f"{name}(a)",
                       EXACT.get(name, function), order=1 if name in EXACT else 2)
        suite.operator(f"{name}, fed", {"a": draw([4, 2], 3, -4, 4)}, f"{name}(a)", function, feed=True)
    for expression, function in SETTINGS:
        suite.operator(expression, {"a": leaf([float(value) for value in REAL])}, expression,
                       function)
    for expression, function in FLAT:
        suite.operator(expression, {"a": leaf([float(value) for value in REAL] + [float("inf")])}, expression,
                       function, order=0)


def binary(suite):
    for expression, function, positive in PAIRS:
        for k, (left, right) in enumerate(BROADCASTS):
            least = 0.125 if positive else -2
            suite.operator(f"{expression} of {left} and {right}",
                           {"a": draw(left, k + 1, least), "b": draw(right, k + 20, least)}, expression,
                           function)
    suite.operator("a * b, fed", {"a": draw([3, 1, 2], 1), "b": draw([3, 4, 1], 2)}, "a * b", torch.mul, feed=True)
    suite.operator("a / b, fed", {"a": draw([2, 3], 1), "b": draw([2, 3], 2, 1, 3)}, "a / b", torch.div, feed=True)
    ties = {"a": leaf([1.0, 2, 3, 0]), "b": leaf([1.0, 1, 4, 0])}
    suite.operator("maximum, ties", ties, "maximum(a, b)", torch.maximum, power=2)
    suite.operator("minimum, ties", ties, "minimum(a, b)", torch.minimum, power=2)
    signs = {"a": leaf([5.5, -5.5, 5.5, -5.5, 6]), "b": leaf([2.0, 2, -2, -2, 3])}
    suite.operator("mod, signs", signs, "mod(a, b)", torch.remainder)
    suite.operator("a ^ b, negative base", {"a": leaf([-2.0, -0.5, -1.5])}, "a ^ 5", lambda a: a ** 5)
    suite.operator("a ^ b, zero base", {"a": leaf([0.0, 0, 0]), "b": leaf([0.0, 1, 2])}, "a ^ b", torch.pow, order=1)
    bounds = {"a": leaf([-2.0, -1, 0, 1, 2]), "lo": leaf([-1.0, -1, -1, -1, -1]), "hi": leaf([1.0, 1, -0.5, 1, 1])}
    suite.operator("clamp by tensors", bounds, "clamp(a, lo, hi)", lambda a, lo, hi: torch.clamp(a, lo, hi), power=2)
    suite.operator("x * x counts twice", {"a": draw([2, 3], 9)}, "a * a * a + a", lambda a: a * a * a + a)
    suite.operator("powers of one value", {"a": draw([5], 9)}, "exp(a) * sin(a) / (1 + a * a)",
                   lambda a: a.exp() * a.sin() / (1 + a * a))


def suites():
    suite = Suite("elementwise")
    unary(suite)
    binary(suite)
    return [suite]
