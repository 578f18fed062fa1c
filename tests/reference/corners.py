"""Infinity and NaN, functions of compile-time numbers and of uniform tensors, derivatives of high order, gradients by
what stands in the middle."""
import torch
import torch.nn.functional as F

from elementwise import ACTIVATIONS, FLAT, SMOOTH
from suite import Suite, draw, leaf, text_of

NAN = [    # of a / b = [inf, -inf, nan, 1]
    ("relu(x)", torch.relu), ("sigmoid(x)", torch.sigmoid), ("tanh(x)", torch.tanh), ("leaky_relu(x)", F.leaky_relu),
    ("elu(x)", F.elu), ("selu(x)", F.selu), ("softplus(x)", lambda x: torch.logaddexp(x, torch.zeros(4))),
    ("hard_tanh(x)", F.hardtanh), ("clamp(x, -2, 2)", lambda x: x.clamp(-2, 2)), ("abs(x)", torch.abs),
    ("exp(x)", torch.exp),
    ("sqrt(x)", torch.sqrt), ("log(x)", torch.log), ("floor(x)", torch.floor), ("round(x)", torch.round),
    ("erf(x)", torch.erf),
    ("square(x)", torch.square), ("x ^ 3", lambda x: x ** 3), ("x ^ 0", lambda x: x ** 0),
    ("maximum(x, 0.5)", lambda x: torch.maximum(x, torch.tensor(0.5))),
    ("minimum(0.5, x)", lambda x: torch.minimum(torch.tensor(0.5), x)), ("isnan(x)", torch.isnan),
    ("isinf(x)", torch.isinf),
    ("finite(x)", lambda x: torch.isfinite(x).all()), ("finite(x[3:])", lambda x: torch.isfinite(x[3:]).all()),
    ("x == x", lambda x: x == x), ("x != x", lambda x: x != x), ("x < 2", lambda x: x < 2),
    ("not x", torch.logical_not),
    ("sum(x)", torch.sum), ("mean(x)", torch.mean), ("max(x)", torch.max), ("min(x)", torch.min),
    ("max(x[0:2])", lambda x: x[0:2].max()),
    ("sum(x[1:2])", lambda x: x[1:2].sum()), ("prod(x)", torch.prod), ("cumsum(x, axis = 0)", lambda x: x.cumsum(0)),
    ("norm(x)", torch.norm), ("std(x)", torch.std), ("variance(x[0:2])", lambda x: x[0:2].var(unbiased=False)),
    ("softmax(x)", lambda x: x.softmax(0)), ("log_softmax(x)", lambda x: x.log_softmax(0)),
    ("logsumexp(x[0:2])", lambda x: x[0:2].logsumexp(0)), ("argmax(x[0:2])", lambda x: x[0:2].argmax()),
    ("argmin(x[0:2])", lambda x: x[0:2].argmin()), ("argmax(x)", torch.argmax), ("argmin(x)", torch.argmin),
    ("x * 0", lambda x: x * 0), ("x - x", lambda x: x - x), ("x / x", lambda x: x / x),
    ("0 * x + 1", lambda x: 0 * x + 1),
    ("stack([x, x], 1) @ [[0, 0], [0, 1]]", lambda x: torch.stack([x, x], 1) @ torch.tensor([[0.0, 0], [0, 1]])),
    ("one_hot([1], 4) @ expand(x, 1)", lambda x: torch.eye(4)[1:2] @ x[:, None]),
    ("select(x > 0, x, 0)", lambda x: torch.where(x > 0, x, torch.tensor(0.0))),
]

TOWERS = [    # smooth to any order
    ("exp(x)", torch.exp), ("log(x)", torch.log), ("sqrt(x)", torch.sqrt), ("rsqrt(x)", torch.rsqrt),
    ("sin(x)", torch.sin),
    ("cos(x)", torch.cos), ("tanh(x)", torch.tanh), ("sigmoid(x)", torch.sigmoid), ("erf(x)", torch.erf),
    ("x ^ 5", lambda x: x ** 5),
    ("1 / x", lambda x: 1 / x), ("x ^ x", lambda x: torch.exp(x * x.log())), ("log1p(x)", torch.log1p),
    ("expm1(x)", torch.expm1),
    ("square(square(x)) * x", lambda x: (x * x) ** 2 * x), ("silu(x)", lambda x: x * torch.sigmoid(x)),
    ("softplus(x)", lambda x: x.exp().log1p()),
    ("gelu(x)", lambda x: 0.5 * x * (1 + torch.erf(x * 0.5 ** 0.5))), ("softmax(x)", lambda x: x.softmax(0) * 1),
    ("log_softmax(x) ^ 2", lambda x: x.log_softmax(0) ** 2), ("prod(x) * x", lambda x: x[0] * x[1] * x[2] * x),
    ("norm(x) * x", lambda x: (x * x).sum().sqrt() * x),
    ("x @ [[1, 2, 3], [0, 1, 0], [-1, 0, 2]] * x ^ 3",
     lambda x: x @ torch.tensor([[1.0, 2, 3], [0, 1, 0], [-1, 0, 2]]) * x ** 3),
    ("cumsum(x, axis = 0) ^ 4", lambda x: x.cumsum(0) ** 4),
    ("gather(x, [2, 0, 2]) * x ^ 3", lambda x: x[[2, 0, 2]] * x ** 3),
    ("logsumexp(x) * x", lambda x: x.exp().sum().log() * x),
    ("variance(x) * exp(x)", lambda x: x.var(unbiased=False) * x.exp()),
]


def not_numbers(suite):
    values = {"a": leaf([1.0, -1, 0, 2]), "b": leaf([0.0, 0, 0, 2])}
    for expression, function in NAN:
        suite.operator(f"{expression} of what is not finite", values, expression,
                       lambda a, b: function(a / b), order=0)
        case = suite.cases[-1]
        case["text"] = case["text"].replace("out = ", "x = a / b\nout = ")


def constants(suite):
    """The same functions where vgraph works them out before it runs."""
    numbers, above = [-2.5, -0.75, 0.5, 1.5], [0.25, 0.5, 1.0, 1.5]
    activations = [(f"{name}(a)", function) for name, function in ACTIVATIONS]
    # Compile-time numbers have no types: what gives integers is left out.
    flat = [row for row in FLAT if row[1](torch.tensor(1.0)).is_floating_point()]
    for expression, function in [row[:2] for row in SMOOTH] + activations + flat:
        values = above if any(word in expression for word in ("log", "sqrt", "/", "^")) else numbers
        fetch = {f"g({value})": function(torch.tensor(value)) for value in values}
        fetch.update({f"g(full([2, 3], {value}))": function(torch.full((2, 3), value)) for value in values[1:3]})
        suite.add(f"{expression} of constants", f"def g(a) = {expression}\n", fetch)


def towers(suite):
    """Four derivatives, one of another."""
    for expression, function in TOWERS:
        x = draw([3], 11, 0.25, 1.75)
        y = function(x)
        lines, fetch = [f"var x: [3] = {text_of(x.tolist())}", f"y0 = {expression}"], {"y0": y}
        for order in range(1, 5):
            y = torch.autograd.grad((y * torch.tensor([1.0, -2, 0.5])).sum(), x, create_graph=True)[0]
            lines.append(f"y{order} = grad(sum(y{order - 1} * [1, -2, 0.5]), x)")
            fetch[f"y{order}"] = y
        suite.add(f"four derivatives of {expression}", "\n".join(lines) + "\n", fetch)


def middles(suite):
    """Gradients by values that are themselves computed, by several at once, through stops and shared parts."""
    x, w = draw([2, 3], 1), draw([3, 3], 2)
    h = torch.tanh(x @ w)
    z = torch.sigmoid(h @ w) * h
    loss = (z * z).sum() + h.mean()
    text = f"""var x: [2, 3] = {text_of(x.tolist())}
var w: [3, 3] = {text_of(w.tolist())}
h = tanh(x @ w)
z = sigmoid(h @ w) * h
loss = sum(square(z)) + mean(h)
both = grad(loss, [x, w])
stopped = sum(square(stop_gradient(h) * w[0:2]))
product = grad(sum(grad(loss, w) * [[1, 0, -1], [2, 1, 0], [0, 0.5, 1]]), w)
"""
    by_h, by_z, by_x, by_w = torch.autograd.grad(loss, [h, z, x, w], create_graph=True)
    stopped = torch.autograd.grad(((h.detach() * w[0:2]) ** 2).sum(), w)[0]
    direction = torch.tensor([[1, 0, -1], [2, 1, 0], [0, 0.5, 1]])
    product = torch.autograd.grad((by_w * direction).sum(), w)[0]
    suite.add("by what stands in the middle", text, {
        "grad(loss, h)": by_h, "grad(loss, z)": by_z, "both[0]": by_x, "both[1]": by_w, "grad(stopped, w)": stopped,
        "product": product})


def suites():
    suite = Suite("corners")
    not_numbers(suite)
    constants(suite)
    towers(suite)
    middles(suite)
    return [suite]
