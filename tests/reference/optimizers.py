"""Optimizers and schedules: losses of every step, variables and the optimizers' own states after twenty."""
import math

import torch
from torch.optim import lr_scheduler

from suite import Suite, draw, initial
from train import STEPS, Net, train


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2; PyTorch 1.13 has none."""

    def __init__(self, leaves, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(leaves, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            first, second = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = torch.sign(first * m + (1 - first) * p.grad)
                p.copy_(p - group["lr"] * (update + group["weight_decay"] * p))
                m.copy_(second * m + (1 - second) * p.grad)


RULES = [    # (in the language, PyTorch's, its options)
    ("adagrad()", torch.optim.Adagrad, {}),
    ("adagrad(0.2)", torch.optim.Adagrad, {"lr": 0.2}),
    ("adagrad(0.2, rate_decay = 0.25, decay = 0.125)", torch.optim.Adagrad,
     {"lr": 0.2, "lr_decay": 0.25, "weight_decay": 0.125}),
    ("adagrad(rate = 0.2, initial = 0.5, epsilon = 0.01)", torch.optim.Adagrad,
     {"lr": 0.2, "initial_accumulator_value": 0.5, "eps": 0.01}),
    ("rmsprop()", torch.optim.RMSprop, {}),
    ("rmsprop(0.02, alpha = 0.75)", torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.75}),
    ("rmsprop(0.01, momentum = 0.5)", torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.5}),
    ("rmsprop(0.01, centered = true)", torch.optim.RMSprop, {"lr": 0.01, "centered": True}),
    ("rmsprop(0.01, 0.75, 0.001, 0.25, 0.5, true)", torch.optim.RMSprop,
     {"lr": 0.01, "alpha": 0.75, "eps": 0.001, "weight_decay": 0.25, "momentum": 0.5, "centered": True}),
    ("adam()", torch.optim.Adam, {}),
    ("adam(0.1)", torch.optim.Adam, {"lr": 0.1}),
    ("adam(0.05, beta1 = 0.5, beta2 = 0.75, epsilon = 0.01)", torch.optim.Adam,
     {"lr": 0.05, "betas": (0.5, 0.75), "eps": 0.01}),
    ("adam(0.05, decay = 0.25)", torch.optim.Adam, {"lr": 0.05, "weight_decay": 0.25}),
    ("adamw()", torch.optim.AdamW, {}),
    ("adamw(0.1, beta2 = 0.75)", torch.optim.AdamW, {"lr": 0.1, "betas": (0.9, 0.75)}),
    ("adamw(0.05, beta1 = 0.5, epsilon = 0.01, decay = 0.5)", torch.optim.AdamW,
     {"lr": 0.05, "betas": (0.5, 0.999), "eps": 0.01, "weight_decay": 0.5}),
    ("lion()", Lion, {}),
    ("lion(0.01)", Lion, {"lr": 0.01}),
    ("lion(0.01, beta1 = 0.5, beta2 = 0.75, decay = 0.25)", Lion,
     {"lr": 0.01, "betas": (0.5, 0.75), "weight_decay": 0.25}),
    ("sgd(0.05, momentum = 0.5)", torch.optim.SGD, {"lr": 0.05, "momentum": 0.5}),
]

STATES = {    # the language's names of PyTorch's states
    torch.optim.Adagrad: {"sum": "v"},
    torch.optim.RMSprop: {"square_avg": "v", "grad_avg": "a", "momentum_buffer": "m"},
    torch.optim.Adam: {"exp_avg": "m", "exp_avg_sq": "v"}, torch.optim.AdamW: {"exp_avg": "m", "exp_avg_sq": "v"},
    torch.optim.SGD: {"momentum_buffer": "m"}, Lion: {"m": "m"},
}


class Odd:
    """Variables of unusual shapes, one of them without a slope."""

    def __init__(self):
        self.leaves = {"point": draw([], 1), "one": draw([1], 2), "row": draw([1, 3], 3), "cube": draw([2, 1, 2], 4),
                       "still": draw([2], 5, 1.25, 2), "none": torch.zeros(0, 2, requires_grad=True)}

    def loss(self):
        point, one, row, cube, still, none = self.leaves.values()
        return (point - 1) ** 2 + (one ** 4).sum() + ((row * point - 2) ** 2).sum() + (cube.tanh() * one).sum() \
            + (0 * still).sum() + none.sum()

    def text(self, settings):
        lines = [f"var {path}: {list(value.shape)} = {initial(value)}" for path, value in self.leaves.items()]
        return "\n".join(lines) + f"""
loss = square(point - 1) + sum(one ^ 4) + sum(square(row * point - 2)) + sum(tanh(cube) * one) + sum(0 * still) +
    sum(none)
train loss {{
    {settings}
    steps = {STEPS}
}}
"""


def variables_of(net, optimizer):
    """The variables and the optimizer's states, by the language's paths."""
    found = dict(net.leaves)
    for path, leaf in net.leaves.items():
        for theirs, ours in STATES[type(optimizer)].items():
            state = optimizer.state[leaf].get(theirs)
            if state is not None:
                found[f"train.{path}.{ours}"] = state
    return found


def rules(suite):
    for words, rule, options in RULES:
        for make in (Net, Odd):
            net = make()
            text = net.text(f"optimizer = {words}")
            optimizer = rule(net.leaves.values(), **options)
            losses = train(net.loss, optimizer)
            suite.add(f"{words}, {make.__name__}", text, {"loss": losses}, variables_of(net, optimizer), steps=STEPS)


def mixed(suite):
    """Two optimizers side by side; gradients clipped before the optimizer sees them."""
    net = Net()
    weights, biases = ([net.leaves[path] for path in net.leaves if path.endswith(end)] for end in ("W", "b"))
    groups = [{"params": weights, "weight_decay": 0.25}, {"params": biases, "weight_decay": 0.0}]
    pair = torch.optim.AdamW(groups, lr=0.05)
    text = net.text('optimizer = [[vars("**.W"), adamw(0.05, decay = 0.25)], [vars, adam(0.05)]]')
    suite.add("adamw and adam", text, {"loss": train(net.loss, pair)}, variables_of(net, pair), steps=STEPS)
    net = Net()
    adam = torch.optim.Adam(net.leaves.values(), lr=0.1)

    def clip():
        torch.nn.utils.clip_grad_value_(net.leaves.values(), 0.125)
        torch.nn.utils.clip_grad_norm_(net.leaves.values(), 0.25)
    text = net.text("optimizer = adam(0.1)\n    clip_value = 0.125\n    clip_norm = 0.25")
    suite.add("adam, clipped", text, {"loss": train(net.loss, adam, clip)}, variables_of(net, adam), steps=STEPS)


def warmup_cosine(step, peak, warmup, total):
    if step < warmup:
        return peak * (step + 1) / warmup
    through = min((step - warmup) / max(total - warmup, 1), 1)
    return peak * 0.5 * (1 + math.cos(math.pi * through))


def warm(optimizer):
    """PyTorch's own way to say warmup_cosine(step, lr, 5, 20)."""
    rising = lr_scheduler.LinearLR(optimizer, start_factor=1 / 5, total_iters=4)
    falling = lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS - 5)
    return lr_scheduler.SequentialLR(optimizer, [rising, falling], milestones=[5])


SCHEDULES = [    # (in the language, PyTorch's)
    ("exponential_decay(step, 0.1, 0.75)", lambda o: lr_scheduler.ExponentialLR(o, 0.75)),
    ("exponential_decay(step, 0.1, 0.5, every = 8)", lambda o: lr_scheduler.ExponentialLR(o, 0.5 ** (1 / 8))),
    ("step_decay(step, 0.1, 0.5, 4)", lambda o: lr_scheduler.StepLR(o, 4, 0.5)),
    ("step_decay(step, rate = 0.1, factor = 0.25, every = 1)", lambda o: lr_scheduler.StepLR(o, 1, 0.25)),
    ("warmup_cosine(step, 0.1, 0, steps)", lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS)),
    ("warmup_cosine(step, 0.1, 5, steps)", warm),
]

FORMULAS = [    # (peak, warmup, total)
    (0.5, 5, 20), (0.5, 0, 10), (1.0, 1, 25), (0.25, 30, 40), (1.0, 4, 4), (1.0, 8, 3), (2.0, 0, 0),
]


def schedules(suite):
    for words, make in SCHEDULES:
        for rule, name in ((torch.optim.SGD, "sgd"), (torch.optim.Adam, "adam")):
            net = Net()
            text = net.text(f"optimizer = {name}({words})")
            optimizer = rule(net.leaves.values(), lr=0.1)
            schedule, losses = make(optimizer), []
            for _ in range(STEPS):
                losses += train(net.loss, optimizer, steps=1)
                schedule.step()
            suite.add(f"{name}({words})", text, {"loss": losses}, variables_of(net, optimizer), steps=STEPS)
    for numbers in FORMULAS:
        words = f"warmup_cosine(step, {', '.join(map(str, numbers))})"
        values = [torch.tensor(warmup_cosine(step, *numbers)) for step in range(25)]
        suite.add(words, "", {words: values}, steps=25)
    for words, function in [
            ("exponential_decay(step, 2, 0.75, 3)", lambda step: 2 * 0.75 ** (step / 3)),
            ("step_decay(step, 2, 0.75, 3)", lambda step: 2 * 0.75 ** (step // 3)),
            ("step_decay(step, 2, 0.75, 2.5)", lambda step: 2 * 0.75 ** (step // 2.5))]:
        suite.add(words, "", {words: [torch.tensor(function(step)) for step in range(25)]}, steps=25)


def suites():
    suite = Suite("optimizers")
    rules(suite)
    mixed(suite)
    schedules(suite)
    return [suite]
