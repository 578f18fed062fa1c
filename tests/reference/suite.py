"""What the reference cases have in common: numbers that float32 holds exactly, the model text of a case, its file."""
import json
import random

import torch

torch.set_default_dtype(torch.float64)

# A model's initial values: the same small fractions here (`pattern`) and in the language.
GIVEN = """initializer given(k) for shape {
    count = if len(shape) == 1 then shape[0] else shape[0] * shape[1]
    i = arange(count)
    return reshape((mod(i * i + 5 * i + 3 * k, 31) - 15) / 16, shape)
}
"""


def pattern(shape, k):
    """The values of `~ given(k)`, as a leaf that gradients are taken of."""
    count = 1
    for length in shape:
        count *= length
    return leaf([((i * i + 5 * i + 3 * k) % 31 - 15) / 16 for i in range(count)], shape)


def leaf(values, shape=None):
    tensor = torch.tensor(values)
    if shape is not None:
        tensor = tensor.reshape(shape)
    return tensor.requires_grad_() if tensor.is_floating_point() else tensor


def draw(shape, seed, least=-2.0, most=2.0):
    """Numbers between the bounds: different ones as far as that goes, never whole, exact in float32."""
    count = 1
    for length in shape:
        count *= length
    places = range(int(least * 32), int(most * 32))
    dice = random.Random(seed)
    chosen = dice.sample(places, count) if count <= len(places) else dice.choices(places, k=count)
    return leaf([(2 * place + 1) / 64 for place in chosen], shape)


def integers(values):
    return torch.tensor(values, dtype=torch.int64)


def text_of(value):
    """A (nested) list of numbers as the language writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(text_of(item) for item in value) + "]"
    return repr(int(value)) if value == value and abs(value) < 1e9 and value == int(value) else repr(value)


def initial(value):
    """A tensor as the language writes it; an empty one has no brackets."""
    return text_of(value.tolist()) if value.numel() else f"zeros({list(value.shape)})"


def dims_of(tensor, batched=False):
    dims = [str(length) for length in tensor.shape]
    return ", ".join(["batch"] + dims[1:] if batched else dims)


def number(value):
    """As it goes into the file: 15 digits; JSON knows no NaN and no infinity."""
    if not isinstance(value, float):
        return int(value)
    return float(f"{value:.15g}") if abs(value) < float("inf") else repr(value)


class Suite:
    """The cases of one file."""

    def __init__(self, name):
        self.name, self.cases, self.numbers = name, [], 0

    def add(self, name, text, fetch, variables=None, feed=None, batch=None, steps=1, tolerance=None, given=None,
            evaluation=False):
        """A model and what PyTorch says: fetch: expression -> tensor, or one for each step; variables: path -> value
        after the last step; given: path -> value before the first. `tolerance` is float32's, when sums are too long for
        the usual one."""
        case = {"name": name, "text": text, "steps": steps}
        if batch:
            case["batch"] = batch
        if tolerance:
            case["tolerance"] = tolerance
        if evaluation:
            case["evaluation"] = True
        if given:
            case["set"] = {path: value.flatten().tolist() for path, value in given.items()}
        if feed:
            case["feed"] = {path: value.flatten().tolist() for path, value in feed.items()}
        case["fetch"] = [self.expected(text, value, steps) for text, value in fetch.items()]
        case["variables"] = [self.expected(path, value, 1) for path, value in (variables or {}).items()]
        self.cases.append(case)

    def expected(self, name, value, steps):
        tensors = value if isinstance(value, list) else [value]
        assert len(tensors) == steps, name
        values = [number(item) for tensor in tensors for item in tensor.detach().flatten().tolist()]
        self.numbers += len(values)
        return {"name": name, "shape": list(tensors[0].shape), "integer": not tensors[0].is_floating_point(),
                "values": values}

    def operator(self, name, inputs, expression, function, order=2, power=1, feed=False, tolerance=None):
        """The values of an expression, the gradients of a weighted sum of them, and the gradients of the sum of those
        gradients' squares. The values are taken to `power` before they are summed: 2 gives linear operators a second
        derivative, 3 gives those one whose gradients have a constant length; `feed` declares the inputs as
        [batch, ...] and feeds them."""
        lines, leaves, fed = [], {}, {}
        for path, value in inputs.items():
            if not value.is_floating_point():
                lines.append(f"{path} = int({initial(value)})")
                continue
            leaves[path] = value
            if feed:
                fed[path] = value
                lines.append(f"input {path}: [{dims_of(value, True)}]")
            else:
                lines.append(f"var {path}: [{dims_of(value)}] = {initial(value)}")
        out = function(*inputs.values())
        lines.append(f"out = {expression}")
        fetch = {"out": out}
        if order >= 1 and out.is_floating_point():
            self.differentiate(lines, fetch, leaves, out, order, power, fed)
        batch = next(iter(fed.values())).shape[0] if feed else None
        self.add(name, "\n".join(lines) + "\n", fetch, feed=fed, batch=batch, tolerance=tolerance)

    def layer(self, name, call, inputs, variables, function, order=2, power=1, tolerance=None, evaluation=False,
              vanishing=None):
        """`out = call`, a layer's: as `operator`, by its inputs (floats are fed, what is empty or integer is constant)
        and by its variables, which are set; states have no gradient. function(inputs ..., variables). `vanishing` are
        those whose gradients are 0 but for rounding, each with one whose gradient says how much of it is fair: the two
        are compared as one."""
        lines, fed = [], {}
        for path, value in inputs.items():
            if not value.is_floating_point():
                lines.append(f"{path} = int({initial(value)})")
            elif value.numel():
                fed[path] = value
                lines.append(f"input {path}: [{dims_of(value, True)}]")
            else:
                lines.append(f"var {path}: [{dims_of(value)}] = {initial(value)}")
        out = function(*inputs.values(), variables)
        lines.append(f"out = {call}")
        fetch, given = {"out": out}, {f"out.{path}": value for path, value in variables.items()}
        leaves = {path: value for path, value in {**inputs, **given}.items() if value.requires_grad}
        batch = next(iter(fed.values())).shape[0] if fed else None
        if order >= 1:
            self.differentiate(lines, fetch, leaves, out, order, power, fed)
        for path, other in (vanishing or {}).items():
            for y in ("score", "squares"):
                pair = [f"grad({y}, {path})", f"grad({y}, {other})"]
                if pair[0] in fetch:
                    values = torch.cat([fetch.pop(pair[0]).flatten(), fetch[pair[1]].flatten()])
                    fetch[f"concat([flatten({pair[0]}), flatten({pair[1]})])"] = values
        self.add(name, "\n".join(lines) + "\n", fetch, feed=fed, batch=batch, tolerance=tolerance, given=given,
                 evaluation=evaluation)

    def differentiate(self, lines, fetch, leaves, out, order, power, feed):
        weights = torch.tensor([((7 * i) % 11 - 5.5) / 4 for i in range(out.numel())]).reshape(out.shape)
        score = (weights * out ** power).sum()
        values = ["", "out", "square(out)", "out ^ 3"][power]
        if feed and out.dim() and out.shape[0] == next(iter(leaves.values())).shape[0]:
            feed["weights"] = weights
            lines.append(f"input weights: [{dims_of(weights, feed)}]\nscore = sum(weights * {values})")
        else:
            numbers = f"(mod(7 * arange({out.numel()}), 11) - 5.5) / 4"
            lines.append(f"score = sum(reshape({numbers}, [{dims_of(weights)}]) * {values})")
        first = torch.autograd.grad(score, leaves.values(), create_graph=True, allow_unused=True)
        first = {path: value for path, value in zip(leaves, first) if value is not None}
        fetch.update({f"grad(score, {path})": value for path, value in first.items()})
        curved = [(path, value) for path, value in first.items() if value.requires_grad]
        if order < 2 or not curved:
            return
        squares = sum((value * value).sum() for _, value in curved)
        lines.append("squares = " + " + ".join(f"sum(square(grad(score, {path})))" for path, _ in curved))
        second = torch.autograd.grad(squares, leaves.values(), allow_unused=True)
        for path, value in zip(leaves, second):
            if value is not None and (value != 0).any():
                fetch[f"grad(squares, {path})"] = value

    def write(self, folder):
        head = {"made": f"PyTorch {torch.__version__}, tests/reference/make.py", "numbers": self.numbers}
        path = folder / f"{self.name}.json"
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(head)[:-1] + ', "cases": [\n')
            file.write(",\n".join(json.dumps(case, allow_nan=False) for case in self.cases) + "\n]}\n")
        print(f"{path.name}: {len(self.cases)} cases, {self.numbers} numbers, {path.stat().st_size} bytes")
