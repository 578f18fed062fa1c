"""Recurrent layers: outputs, derivatives by the sequence and by all variables, gradients on their way back through
time."""
import torch

from large import large_layer
from suite import Suite, draw


def flat(v):
    """PyTorch's order of a layer's weights; the second bias is 0."""
    return [v["W"].T, v["U"].T, v["b"], torch.zeros_like(v["b"])]


def start(x, v):
    return torch.zeros(1, x.shape[0], v["U"].shape[0])


def rnn(x, v, h=None):
    return torch.rnn_tanh(x, start(x, v) if h is None else h, flat(v), True, 1, 0.0, False, False, True)


def rnn_relu(x, v, h=None):
    return torch.rnn_relu(x, start(x, v) if h is None else h, flat(v), True, 1, 0.0, False, False, True)


def gru(x, v, h=None):
    return torch.gru(x, start(x, v) if h is None else h, flat(v), True, 1, 0.0, False, False, True)


def lstm(x, v, state=None):
    h, c = state or (start(x, v), start(x, v))
    out, h, c = torch.lstm(x, (h, c), flat(v), True, 1, 0.0, False, False, True)
    return out, (h, c)


def lstm_cell(x, v, state=None):
    """The same as a composition, where the cell's own state can be differentiated by."""
    h, c = state or (start(x, v)[0], start(x, v)[0])
    enters, forgets, new, leaves = (x[:, 0] @ v["W"] + h @ v["U"] + v["b"]).chunk(4, 1)
    c = forgets.sigmoid() * c + enters.sigmoid() * new.tanh()
    h = leaves.sigmoid() * c.tanh()
    return h, (h, c)


KINDS = [("rnn", "", rnn, 1), ("rnn", ", act = relu", rnn_relu, 1), ("gru", "", gru, 3), ("lstm", "", lstm, 4)]

SHAPES = [    # (x, units)
    ([2, 5, 3], 4), ([3, 1, 2], 3), ([1, 5, 1], 1), ([2, 2, 4], 1), ([1, 3, 2], 2),
]


def weights(d, units, gates, k):
    return {"W": draw([d, gates * units], k + 1, -1, 1), "U": draw([units, gates * units], k + 2, -1, 1),
            "b": draw([gates * units], k + 3, -1, 1)}


def sequences(suite):
    for name, words, function, gates in KINDS:
        for k, (shape, units) in enumerate(SHAPES):
            call, v = f"{name}(x, {units}{words})", weights(shape[2], units, gates, 10 * k)
            if shape[1] == 1:
                v["U"] = v["U"].detach()    # a single time has no state before it
            suite.layer(f"{call} of {shape}", call, {"x": draw(shape, k)}, v, lambda x, v: function(x, v)[0])


def moments(suite):
    """Every time's own state and its gradient: the layer called once for each time."""
    for name, words, function, gates in KINDS:
        x, v, state, times = draw([2, 4, 3], 50), weights(3, 2, gates, 60), None, []
        cell = lstm_cell if name == "lstm" else function
        for k in range(4):
            _, state = cell(x[:, k:k + 1], v, state)
            times.append(state)
        members = {"h": times}
        if name == "lstm":
            members = {"h": [h for h, _ in times], "c": [c for _, c in times]}
        out = torch.stack([h.reshape(2, 2) for h in members["h"]], 1)
        assert torch.allclose(out, function(x, v)[0], rtol=0, atol=1e-14)
        score = (out ** 2).sum() + out[:, 3, 0].sum()
        fetch = {"score": score}
        for letter, values in members.items():
            slopes = torch.autograd.grad(score, values, retain_graph=True)
            for k, (value, slope) in enumerate(zip(values, slopes)):
                fetch[f"out.{letter}[{k}]"] = value.reshape(2, 2)
                fetch[f"grad(score, out.{letter}[{k}])"] = slope.reshape(2, 2)
        text = f"""input x: [batch, 4, 3]
out = {name}(x, 2{words})
score = sum(square(out)) + sum(out[:, 3, 0])
"""
        suite.add(f"{name}{words}: every time", text, fetch, feed={"x": x}, batch=2,
                  given={f"out.{path}": value for path, value in v.items()})


def towers(suite):
    """One layer upon another, and one layer's weights for two sequences."""
    for name, words, function, gates in KINDS:
        below, above = weights(3, 2, gates, 70), weights(2, 3, gates, 80)
        variables = {**{f"{name}.{path}": value for path, value in below.items()}, **above}

        def both(x, v):
            inner = {path: v[f"{name}.{path}"] for path in ("W", "U", "b")}
            return function(function(x, inner)[0], {path: v[path] for path in ("W", "U", "b")})[0][:, -1]

        suite.layer(f"{name}{words} upon another", f"{name}({name}(x, 2{words}), 3{words})[:, -1]",
                    {"x": draw([2, 3, 3], 90)}, variables, both)


def long(suite):
    """Forty times."""
    for name, words, function, gates in KINDS:
        v = {path: (value.detach() / 2).requires_grad_() for path, value in weights(5, 4, gates, 95).items()}
        large_layer(suite, f"{name}{words}, long", f"{name}(x, 4{words})", [3, 40, 5], v,
                    lambda x, v: function(x, v)[0])


def suites():
    suite = Suite("recurrent")
    sequences(suite)
    moments(suite)
    towers(suite)
    long(suite)
    return [suite]
