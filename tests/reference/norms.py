"""Layers that normalise: derivatives, running statistics, evaluation."""
import torch
import torch.nn.functional as F

from large import large_layer
from suite import Suite, draw, text_of

BATCHES = [    # (x, in the language, momentum, epsilon)
    ([4, 3], "", 0.1, 1e-5), ([2, 3], ", 0.1, 0.5", 0.1, 0.5), ([5, 1], ", momentum = 0.5", 0.5, 1e-5),
    ([3, 2, 4], ", epsilon = 0.25", 0.1, 0.25), ([1, 2, 3], "", 0.1, 1e-5), ([2, 3, 1], ", 0.25, 0.125", 0.25, 0.125),
    ([2, 2, 3, 2], "", 0.1, 1e-5), ([1, 1, 2, 2], "", 0.1, 1e-5), ([2, 1, 1, 2, 2], ", momentum = 1", 1.0, 1e-5),
]

STEPS = 6


def channels(count, k):
    """gamma, beta and the running statistics of a batch_norm that has been trained."""
    return {"gamma": draw([count], k + 1), "beta": draw([count], k + 2), "mean_run": draw([count], k + 3).detach(),
            "var_run": draw([count], k + 4, 0.25, 2).detach()}


def batch_norms(suite):
    for k, (shape, words, momentum, epsilon) in enumerate(BATCHES):
        for training in (True, False):
            def function(x, v):
                return F.batch_norm(x, v["mean_run"].clone(), v["var_run"].clone(), v["gamma"], v["beta"], training,
                                    momentum, epsilon)

            suite.layer(f"batch_norm of {shape}{words}{'' if training else ', evaluation'}", f"batch_norm(x{words})",
                        {"x": draw(shape, k)}, channels(shape[1], 10 * k), function, power=2, evaluation=not training)
    v = {path: value for path, value in channels(4, 99).items() if value.requires_grad}
    large_layer(suite, "batch_norm of many", "batch_norm(x)", [16, 4, 9, 11], v,
                lambda x, v: F.batch_norm(x, None, None, v["gamma"], v["beta"], True))


def running(suite):
    """The statistics after several steps on different examples, through a layer called once and one called twice."""
    for k, (shape, words, momentum, _) in enumerate(BATCHES):
        start, change = draw(shape, k).detach(), draw(shape, k + 100).detach()
        v, outs = channels(shape[1], 10 * k), []
        for step in range(STEPS):
            outs.append(F.batch_norm(start + 0.5 * step * change, v["mean_run"], v["var_run"], training=True,
                                     momentum=momentum))
        first = channels(shape[1], 10 * k)
        text = f"""start = {text_of(start.tolist())}
change = {text_of(change.tolist())}
x = start + 0.5 * step * change
out = batch_norm(x{words.split(', epsilon')[0].split(', 0.125')[0]})
"""
        suite.add(f"running statistics of {shape}{words}", text, {},
                  {f"out.{name}": v[name] for name in ("mean_run", "var_run")}, steps=STEPS,
                  given={f"out.{name}": first[name] for name in ("mean_run", "var_run")})
    x, y = draw([4, 3], 1).detach(), draw([4, 3], 2).detach()
    mean, variance = torch.zeros(3), torch.ones(3)
    for step in range(STEPS):
        for value in (x + step, y * (step + 1)):
            F.batch_norm(value, mean, variance, training=True, momentum=0.25)
    text = f"""a = batch_norm({text_of(x.tolist())} + step, momentum = 0.25)
b = batch_norm({text_of(y.tolist())} * (step + 1), momentum = 0.25, weights = a)
"""
    suite.add("shared statistics", text, {}, {"a.mean_run": mean, "a.var_run": variance}, steps=STEPS)


def trained(suite):
    """The layer within a network that is trained: its variables, its statistics."""
    x, y = draw([8, 3], 1).detach(), draw([8, 2], 2).detach()
    v = {"h.dense.W": draw([3, 4], 3, -1, 1), "h.dense.b": draw([4], 4), "h.gamma": draw([4], 5),
         "h.beta": draw([4], 6), "out.W": draw([4, 2], 7, -1, 1), "out.b": draw([2], 8)}
    given = {path: value.detach().clone() for path, value in v.items()}
    mean, variance, losses = torch.zeros(4), torch.ones(4), []
    optimizer = torch.optim.SGD(v.values(), lr=0.05, momentum=0.5)
    for _ in range(20):
        h = F.batch_norm(x @ v["h.dense.W"] + v["h.dense.b"], mean, variance, v["h.gamma"], v["h.beta"], True)
        loss = F.mse_loss(torch.tanh(h) @ v["out.W"] + v["out.b"], y)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    text = f"""h = batch_norm(dense({text_of(x.tolist())}, 4))
out = dense(tanh(h), 2)
loss = mse(out, {text_of(y.tolist())})
train loss {{
    optimizer = sgd(0.05, momentum = 0.5)
    steps = 20
}}
"""
    del v["h.dense.b"]    # batch_norm takes it out: its gradient is rounding
    suite.add("a network with batch_norm", text, {"loss": losses},
              {**v, "h.mean_run": mean, "h.var_run": variance}, steps=20, given=given)


def last_axis(suite):
    """One number alone is taken out by layer_norm and made 1 or -1 by rms_norm, two become 1 and -1: what is left of
    their derivatives is epsilon's work, so it is not as small there."""
    def rms_norm(x, v, epsilon):
        return x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt() * v["gamma"]

    for k, (shape, words, epsilon) in enumerate([
            ([3, 4], "", None), ([2, 2], ", 0.5", 0.5), ([2, 3, 5], ", epsilon = 0.25", 0.25), ([1, 2, 1, 3], "", None),
            ([4, 1], ", 0.5", 0.5), ([1, 6], ", 0.125", 0.125)]):
        d = shape[-1]
        gamma, beta = draw([d], k + 20), draw([d], k + 30)
        suite.layer(f"layer_norm of {shape}{words}", f"layer_norm(x{words})", {"x": draw(shape, k)},
                    {"gamma": gamma, "beta": beta},
                    lambda x, v: F.layer_norm(x, [d], v["gamma"], v["beta"], epsilon or 1e-5), power=2,
                    vanishing={"x": "out.beta", "out.gamma": "out.beta"} if d == 1 else None)
        suite.layer(f"rms_norm of {shape}{words}", f"rms_norm(x{words})", {"x": draw(shape, k)}, {"gamma": gamma},
                    lambda x, v: rms_norm(x, v, epsilon or 1e-6), power=2)


def suites():
    suite = Suite("norms")
    batch_norms(suite)
    running(suite)
    trained(suite)
    last_axis(suite)
    return [suite]
