"""Models made by chance: chains of operators on tensors of all kinds of shapes, each step taking what came before it.
They find what no list of single operators does: rules that are right alone and wrong together. Left out are the
models that PyTorch itself computes badly in float32."""
import random

import torch
import torch.nn.functional as F

from suite import Suite, draw, initial

CASES, LARGEST = 150, 150    # models; elements of a value

UNARY = [
    ("tanh({})", torch.tanh), ("sigmoid({})", torch.sigmoid), ("sin({})", torch.sin), ("square({})", torch.square),
    ("relu({})", torch.relu), ("abs({})", torch.abs), ("softplus({})", F.softplus), ("gelu({})", F.gelu),
    ("silu({})", F.silu), ("erf({})", torch.erf), ("log1p(square({}))", lambda a: (a * a).log1p()), ("elu({})", F.elu),
    ("2 - {} / 2", lambda a: 2 - a / 2), ("rsqrt(1 + square({}))", lambda a: (1 + a * a).rsqrt()),
    ("clamp({}, -1, 0.75)", lambda a: a.clamp(-1, 0.75)), ("expm1(tanh({}))", lambda a: a.tanh().expm1()),
    ("2 ^ tanh({})", lambda a: 2 ** a.tanh()), ("tanh({}) ^ 3", lambda a: a.tanh() ** 3),
    ("stop_gradient({0}) * tanh({0})", lambda a: a.detach() * a.tanh()),
]

BINARY = [
    ("{} + {}", torch.add), ("{} - {}", torch.sub), ("{} * tanh({})", lambda a, b: a * b.tanh()),
    ("{} / (2 + tanh({}))", lambda a, b: a / (2 + b.tanh())), ("maximum({}, {})", torch.maximum),
    ("minimum({}, {})", torch.minimum), ("(1 + square({})) ^ tanh({})", lambda a, b: (1 + a * a) ** b.tanh()),
    ("select({0} > {1}, 2 * {0}, tanh({1}))", lambda a, b: torch.where(a > b, 2 * a, b.tanh())),
]

ALONG = [
    ("softmax", torch.softmax), ("log_softmax", torch.log_softmax), ("cumsum", torch.cumsum),
    ("flip", lambda x, axis: x.flip(axis)),
]

OVER = [
    ("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax), ("min", torch.amin), ("logsumexp", torch.logsumexp),
    ("variance", lambda x, axes, keep: x.var(axes, unbiased=False, keepdim=keep)),
    ("rms", lambda x, axes, keep: x.square().mean(axes, keepdim=keep).sqrt()),
]


class Chain:
    """Values, each a name, a tensor, and the function and operands (places of earlier values) it is made of."""

    def __init__(self, dice):
        self.dice, self.names, self.values, self.steps, self.lines = dice, [], [], [], []
        for _ in range(dice.randint(1, 3)):
            rank = dice.choice([0, 1, 1, 2, 2, 3, 4, 4])
            shape = [dice.randint(0 if dice.random() < 0.05 else 1, 3) for _ in range(rank)]
            self.leaf(shape if len(shape) < 4 else shape[:2] + [dice.randint(1, 5), dice.randint(1, 5)])
        for _ in range(dice.randint(4, 9)):
            kind = dice.choice([self.unary, self.unary, self.binary, self.binary, self.over, self.along, self.move,
                                self.move, self.join, self.product, self.window])
            kind(len(self.names) - 1 if dice.random() < 0.75 else dice.randrange(len(self.names)))

    def leaf(self, shape):
        value = draw(shape, self.dice.randrange(10000), -1.5, 1.5) if torch.Size(shape).numel() else torch.zeros(shape)
        self.names.append(f"x{len(self.names)}")
        self.values.append(value.detach().requires_grad_())
        self.steps.append(None)
        self.lines.append(f"var {self.names[-1]}: {list(shape)} = {initial(value)}")
        return len(self.names) - 1

    def put(self, text, function, *places):
        """The text has {} for the operands; what does not fit is left out."""
        try:
            value = function(*(self.values[place] for place in places))
        except (RuntimeError, IndexError):
            return
        if value.numel() > LARGEST or value.dim() > 5 or not value.isfinite().all():
            return
        self.lines.append(f"y{len(self.names)} = {text.format(*(self.names[place] for place in places))}")
        self.names.append(f"y{len(self.names)}")
        self.values.append(value)
        self.steps.append((function, places))

    def shape(self, place):
        return list(self.values[place].shape)

    def unary(self, a):
        self.put(*self.dice.choice(UNARY), a)

    def binary(self, a):
        text, function = self.dice.choice(BINARY)
        self.put(text, function, a, self.dice.randrange(len(self.names)))

    def over(self, a):
        rank = len(self.shape(a))
        if rank and self.values[a].numel():
            (name, function), keep = self.dice.choice(OVER), self.dice.random() < 0.5
            axes = sorted(self.dice.sample(range(rank), self.dice.randint(1, rank)))
            self.put(f"{name}({{}}, axis = {axes}, keep = {str(keep).lower()})", lambda x: function(x, axes, keep), a)

    def along(self, a):
        (name, function), axis = self.dice.choice(ALONG), self.dice.choice([-2, -1, 0, 1, 2])
        if self.shape(a):
            self.put(f"{name}({{}}, axis = {axis})", lambda x: function(x, axis), a)

    def move(self, a):
        dice, shape = self.dice, self.shape(a)
        rank, kind = len(shape), dice.randrange(6)
        if kind == 0:
            perm = dice.sample(range(rank), rank)
            self.put(f"transpose({{}}, {perm})", lambda x: x.permute(perm), a)
        elif kind == 1 and rank > 1 and min(shape):
            merged = [shape[0] * shape[1]] + shape[2:] + [1] * dice.randrange(2)
            self.put(f"reshape({{}}, {merged})", lambda x: x.reshape(merged), a)
        elif kind == 2 and rank and min(shape):
            bounds = [sorted(dice.sample(range(length + 1), 2)) for length in shape]
            self.put("{}[" + ", ".join(f"{low}:{high}" for low, high in bounds) + "]",
                     lambda x: x[tuple(slice(low, high) for low, high in bounds)], a)
        elif kind == 3 and rank:
            widths = [[dice.randrange(3), dice.randrange(3)] for _ in shape]
            flat = [width for pair in reversed(widths) for width in pair]
            self.put(f"pad({{}}, {widths}, value = 0.5)", lambda x: F.pad(x, flat, value=0.5), a)
        elif kind == 4:
            axis = dice.randint(0, rank)
            self.put(f"expand({{}}, {axis})", lambda x: x.unsqueeze(axis), a)
        elif kind == 5:
            wide = [dice.randint(1, 3)] + [dice.randint(1, 3) if length == 1 else length for length in shape]
            self.put(f"broadcast({{}}, {wide})", lambda x: x.expand(wide), a)

    def join(self, a):
        dice, rank = self.dice, len(self.shape(a))
        axis, other = dice.randrange(max(rank, 1)), dice.randrange(len(self.names))
        kind = dice.randrange(3)
        if kind == 0 and len(self.shape(other)) == rank:    # PyTorch joins [0] with anything
            self.put(f"concat([{{0}}, {{1}}, {{0}}], {axis})", lambda x, y: torch.cat([x, y, x], axis), a, other)
        elif kind == 1:
            self.put(f"stack([{{0}}, {{1}}], {axis})", lambda x, y: torch.stack([x, y], axis), a, other)
        elif rank and self.shape(a)[axis]:
            rows = [dice.randrange(self.shape(a)[axis]) for _ in range(dice.randint(1, 4))]
            self.put(f"gather({{}}, {rows}, axis = {axis})", lambda x: x.index_select(axis, torch.tensor(rows)), a)

    def product(self, a):
        shape = self.shape(a)
        if len(shape) >= 2:
            others = [k for k in range(len(self.names)) if len(self.shape(k)) > 1 and self.shape(k)[-2] == shape[-1]]
            b = self.dice.choice(others) if others else self.leaf([shape[-1], self.dice.randint(1, 3)])
            self.put("{} @ {}", torch.matmul, a, b)

    def window(self, a):
        dice, shape = self.dice, self.shape(a)
        if len(shape) != 4 or not min(shape):
            return
        kernel, stride = [dice.randint(1, 3), dice.randint(1, 3)], [dice.randint(1, 3), dice.randint(1, 3)]
        if dice.random() < 0.5:
            pad = [kernel[0] // 2, kernel[1] // 2]
            name, function = dice.choice([("max_pool2d", F.max_pool2d), ("avg_pool2d", F.avg_pool2d)])
            self.put(f"{name}({{}}, {kernel}, stride = {stride}, pad = {pad})",
                     lambda x: function(x, kernel, stride, pad), a)
            return
        groups = dice.choice([k for k in range(1, shape[1] + 1) if shape[1] % k == 0])
        dilation = [dice.randint(1, 2), dice.randint(1, 2)]
        sides = [[dice.randrange(3), dice.randrange(3)] for _ in range(2)]
        filters = self.leaf([groups * dice.randint(1, 2), shape[1] // groups, *kernel])
        self.put(f"conv2d({{}}, {{}}, stride = {stride}, pad = {sides}, dilation = {dilation}, groups = {groups})",
                 lambda x, w: F.conv2d(F.pad(x, sides[1] + sides[0]), w, None, stride, 0, dilation, groups), a, filters)

    def needed(self):
        """The places of what the last value is made of, in order."""
        found = {len(self.names) - 1}
        for place in reversed(range(len(self.names))):
            if place in found and self.steps[place]:
                found.update(self.steps[place][1])
        return sorted(found)

    def text(self):
        return [self.lines[place] for place in self.needed()] + [f"out = {self.names[-1]}"]

    def fetches(self, suite, power, lines):
        """Values and derivatives of the last value, in the precision that is the default."""
        values, leaves = {}, {}
        for place in self.needed():
            if self.steps[place]:
                function, operands = self.steps[place]
                values[place] = function(*(values[operand] for operand in operands))
            else:
                values[place] = self.values[place].detach().to(torch.get_default_dtype()).requires_grad_()
                leaves[self.names[place]] = values[place]
        out = values[len(self.names) - 1]
        slopes = torch.autograd.grad(out.sum(), leaves.values(), allow_unused=True, retain_graph=True)
        leaves = {path: leaf for (path, leaf), slope in zip(leaves.items(), slopes) if slope is not None}
        fetch = {"out": out}
        suite.differentiate(lines, fetch, leaves, out, 2, power, {})
        return fetch


def precise(exact, rough):
    """Whether float32 is enough, and nothing is rounding alone."""
    for path, value in exact.items():
        size = value.abs().max() if value.numel() else torch.tensor(1.0)
        if not 1e-3 < size < 1e4 or (value.numel() and (value - rough[path]).abs().max() > 1e-6 * size):
            return False
    return True


def suites():
    suite, dice = Suite("chance"), random.Random(1)
    while len(suite.cases) < CASES:
        chain = Chain(dice)
        if not chain.values[-1].requires_grad or sum(chain.steps[place] is not None for place in chain.needed()) < 3:
            continue
        power, lines = dice.choice([1, 2]), chain.text()
        exact = chain.fetches(suite, power, lines)
        torch.set_default_dtype(torch.float32)
        rough = chain.fetches(suite, power, [])
        torch.set_default_dtype(torch.float64)
        if precise(exact, rough):
            suite.add(f"number {len(suite.cases)}", "\n".join(lines) + "\n", exact)
    return [suite]
