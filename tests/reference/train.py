"""Training: optimizers, clipping, states, gradients within the loss; losses of every step, variables
at the end."""
import torch
import torch.nn.functional as F

from suite import GIVEN, Suite, draw, pattern, text_of

STEPS = 20

SGD = [    # (in the language, torch.optim.SGD's)
    ("rate = 0.1", {"lr": 0.1}),
    ("0.05, momentum = 0.9", {"lr": 0.05, "momentum": 0.9}),
    ("rate = 0.05, momentum = 0.5, nesterov = true", {"lr": 0.05, "momentum": 0.5, "nesterov": True}),
    ("rate = 0.1, decay = 0.25", {"lr": 0.1, "weight_decay": 0.25}),
    ("rate = 0.05, momentum = 0.9, nesterov = true, decay = 0.125",
     {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.125}),
]

CLIPS = [    # (in the language, by value, by norm)
    ("clip_norm = 0.25", None, 0.25), ("clip_value = 0.0625", 0.0625, None),
    ("clip_value = 0.125\n    clip_norm = 0.25", 0.125, 0.25), ("clip_norm = 1000", None, 1000.0),
]

RATES = [    # (in the language, of the step)
    ("0.5 / (1 + step)", lambda step: 0.5 / (1 + step)), ("0.2 * 0.75 ^ step", lambda step: 0.2 * 0.75 ** step),
    ("0.1 * (1 + cos(pi * step / steps))", lambda step: 0.1 * (1 + torch.cos(torch.tensor(torch.pi * step / STEPS)))),
    ("select(step < 5, 0.2, 0.02)", lambda step: 0.2 if step < 5 else 0.02),
]


class Net:
    """Two layers of tanh and a line, in the language and here, on eight fixed examples."""

    def __init__(self):
        self.x, self.y = draw([8, 3], 1).detach(), draw([8, 2], 2).detach()
        shapes = {"h.W": [3, 5], "h.b": [5], "out.W": [5, 2], "out.b": [2]}
        self.leaves = {path: pattern(shape, k) for k, (path, shape) in enumerate(shapes.items())}

    def loss(self):
        h = torch.tanh(self.x @ self.leaves["h.W"] + self.leaves["h.b"])
        return F.mse_loss(h @ self.leaves["out.W"] + self.leaves["out.b"], self.y)

    def text(self, settings):
        return GIVEN + f"""x = {text_of(self.x.tolist())}
y = {text_of(self.y.tolist())}
layer line(x: [n, d], units, k, act = identity) {{
    var W: [d, units] ~ given(k)
    var b: [units]    ~ given(k + 1)
    return act(x @ W + b)
}}
h = line(x, 5, 0, tanh)
out = line(h, 2, 2)
loss = mse(out, y)
train loss {{
    {settings}
    steps = {STEPS}
}}
"""


def train(loss, optimizer, before=lambda: None, steps=STEPS):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        losses.append(value.detach())
        value.backward()
        before()
        optimizer.step()
    return losses


def descend(suite, name, settings, options, before=lambda net: None, schedule=None):
    net = Net()
    optimizer = torch.optim.SGD(net.leaves.values(), **options)
    if schedule:
        steps = iter(range(STEPS))

        def set_rate():
            optimizer.param_groups[0]["lr"] = float(schedule(next(steps)))
    losses = train(net.loss, optimizer, set_rate if schedule else lambda: before(net))
    suite.add(name, net.text(settings), {"loss": losses}, net.leaves, steps=STEPS)


def sgd(suite):
    for words, options in SGD:
        descend(suite, f"sgd({words})", f"optimizer = sgd({words})", options)
    descend(suite, "by default", "", {"lr": 0.01})
    for words, value, norm in CLIPS:
        def clip(net):
            if value:
                torch.nn.utils.clip_grad_value_(net.leaves.values(), value)
            if norm:
                torch.nn.utils.clip_grad_norm_(net.leaves.values(), norm)
        descend(suite, words, f"optimizer = sgd(0.2, momentum = 0.5)\n    {words}", {"lr": 0.2, "momentum": 0.5}, clip)
    for words, schedule in RATES:
        descend(suite, f"rate {words}", f"optimizer = sgd(rate = {words})", {"lr": 1.0}, schedule=schedule)


def groups(suite):
    net = Net()
    weights, biases = ([net.leaves[path] for path in net.leaves if path.endswith(end)] for end in ("W", "b"))
    heavy = torch.optim.SGD([{"params": weights, "momentum": 0.5}, {"params": biases, "lr": 0.02}], lr=0.1)
    text = net.text('optimizer = [[vars("**.W"), sgd(0.1, momentum = 0.5)], [vars, sgd(0.02)]]')
    suite.add("two optimizers", text, {"loss": train(net.loss, heavy)}, net.leaves, steps=STEPS)
    net = Net()
    half = torch.optim.SGD([net.leaves["out.W"], net.leaves["out.b"]], lr=0.1)
    text = net.text("optimizer = sgd(0.1)\n    params = out.*")
    suite.add("params", text, {"loss": train(net.loss, half)}, net.leaves, steps=STEPS)


def many(suite):
    """A hundred variables, each named several times in `params`: each is trained once."""
    w = torch.stack([torch.full((2,), k / 64) for k in range(1, 101)]).requires_grad_()
    losses = train(lambda: (w * w * w).sum(), torch.optim.SGD([w], lr=0.1))
    text = f"""for i in 1..100 {{
    var w: [2] = i / 64
}}
loss = total(sum(vars ^ 3))
train loss {{
    optimizer = sgd(0.1)
    params = [vars, w[*], vars("w[3]"), vars]
    steps = {STEPS}
}}
"""
    suite.add("params named again", text, {"loss": losses}, {f"w[{k}]": w[k - 1] for k in (1, 3, 50, 100)}, steps=STEPS)


def states(suite):
    """A running mean that no optimizer touches, and one step's use of it."""
    w, mean = pattern([4], 1), torch.zeros(4)
    optimizer = torch.optim.SGD([w], lr=0.1)
    losses, means = [], []
    for _ in range(STEPS):
        means.append(mean.clone())
        losses.append(((w - 1) ** 2).sum().detach() + (mean * w.detach()).sum())
        optimizer.zero_grad()
        (((w - 1) ** 2).sum() + (mean * w).sum()).backward()
        mean = 0.75 * mean + 0.25 * w.detach()
        optimizer.step()
    text = GIVEN + f"""var w: [4] ~ given(1)
state average: [4] = 0
update average = 0.75 * average + 0.25 * w
loss = sum(square(w - 1)) + sum(average * w)
train loss {{
    optimizer = sgd(0.1)
    steps = {STEPS}
}}
"""
    suite.add("a running mean", text, {"loss": losses, "average": means}, {"w": w, "average": mean}, steps=STEPS)


def penalty(suite):
    """The loss has the length of a gradient in it."""
    net, rows = Net(), draw([8, 3], 1)
    rate = 0.05
    net.x = rows

    def loss():
        h = torch.tanh(rows @ net.leaves["h.W"] + net.leaves["h.b"])
        out = h @ net.leaves["out.W"] + net.leaves["out.b"]
        slope = torch.autograd.grad(out.sum(), rows, create_graph=True)[0]
        return F.mse_loss(out, net.y) + ((torch.linalg.vector_norm(slope, dim=1) - 1) ** 2).mean()

    losses = train(loss, torch.optim.SGD(net.leaves.values(), lr=rate), lambda: rows.grad.zero_())
    text = net.text(f"optimizer = sgd({rate})").replace("loss = mse(out, y)", "slope = grad(sum(out), rows)\n"
        "loss = mse(out, y) + mean(square(norm(slope, axis = 1) - 1))").replace("line(x, 5", "line(rows, 5")
    text = text.replace("x = ", "rows = float(", 1).replace("\ny = ", ")\ny = ")
    suite.add("a gradient's length in the loss", text, {"loss": losses}, net.leaves, steps=STEPS)


def fast_weights(suite):
    """One step of gradient descent within the loss (MAML)."""
    net = Net()
    x, y = draw([4, 3], 5).detach(), draw([4, 2], 6).detach()

    def forward(weights, x, y):
        h = torch.tanh(x @ weights[0] + weights[1])
        return F.mse_loss(h @ weights[2] + weights[3], y)

    def loss():
        weights = list(net.leaves.values())
        slopes = torch.autograd.grad(net.loss(), weights, create_graph=True)
        return forward([w - 0.125 * g for w, g in zip(weights, slopes)], x, y)

    text = net.text("optimizer = sgd(0.1)").replace("loss = mse(out, y)\n", f"""inner = mse(out, y)
h2 = line({text_of(x.tolist())}, 5, 0, tanh, weights = h)
out2 = line(h2, 2, 2, weights = out)
loss = replace(mse(out2, {text_of(y.tolist())}), vars, vars - 0.125 * grad(inner, vars))
""")
    losses = train(loss, torch.optim.SGD(net.leaves.values(), lr=0.1))
    suite.add("fast weights", text, {"loss": losses}, net.leaves, steps=STEPS)


def unrolled(suite):
    """A recurrent cell, unrolled: its weights get gradients from every turn."""
    x, y = draw([2, 6, 3], 7).detach(), draw([2, 4], 8).detach()
    leaves = {"s[1].W": pattern([3, 4], 1), "s[1].U": pattern([4, 4], 2), "s[1].b": pattern([4], 3)}

    def loss():
        s = torch.zeros(2, 4)
        for t in range(6):
            s = torch.tanh(x[:, t] @ leaves["s[1].W"] + s @ leaves["s[1].U"] + leaves["s[1].b"])
        return F.mse_loss(s, y)

    text = GIVEN + f"""x = {text_of(x.tolist())}
layer cell(x: [n, d], s: [n, h]) {{
    var W: [d, h] ~ given(1)
    var U: [h, h] ~ given(2)
    var b: [h]    ~ given(3)
    return tanh(x @ W + s @ U + b)
}}
s[0] = zeros([2, 4])
for t in 1..6 {{
    s[t] = cell(float(x)[:, t - 1], s[t-1], weights = s[1])
}}
loss = mse(s[6], {text_of(y.tolist())})
train loss {{
    optimizer = sgd(0.1, momentum = 0.5)
    steps = {STEPS}
}}
"""
    losses = train(loss, torch.optim.SGD(leaves.values(), lr=0.1, momentum=0.5))
    suite.add("an unrolled cell", text, {"loss": losses}, leaves, steps=STEPS)


def suites():
    suite = Suite("train")
    sgd(suite)
    groups(suite)
    many(suite)
    states(suite)
    penalty(suite)
    fast_weights(suite)
    unrolled(suite)
    return [suite]
