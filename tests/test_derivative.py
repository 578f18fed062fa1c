#!/usr/bin/env python3
"""`graph --wrt` writes a model that checks, is laid out, and whose `derivative` at the first step is what `print` says of
grad(loss, NAME): for the first and the last variables of each model of the gallery, made small, and for what is hard."""
import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import small_models

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
OPTIONS = small_models.options(small_models.STEPS)
CLOSE = 1e-4      # of the tensor's largest element: sums are added in another order

# (model, NAME, --of or None): operators that the gallery's derivatives do not have.
CORNERS = [
    ("var w: [4] = [1, 2, -3, 0.5]\nloss = sum(w ^ 3) / 2 - w[1] * w[2]\ntrain loss { steps = 1 }\n", "w", None),
    ("var w: [3, 4] ~ normal(0, 1)\na = concat([w[:, 0:2], w[:, 2:4] * 2], axis = 1)\nloss = mean(softmax(a, axis = 0) ^ 2)\n"
     "train loss { steps = 1 }\n", "w", None),
    ("var w: [5, 3] ~ normal(0, 1)\ni = int([[1, 4], [1, 0]])\nloss = sum(tanh(gather(w, i)) ^ 2)\ntrain loss { steps = 1 }\n",
     "w", None),
    ("var w: [2, 5] ~ normal(0, 1)\ni = int([1, 4, 1])\nloss = sum(tanh(gather(w, i, axis = 1)) ^ 2)\n"
     "train loss { steps = 1 }\n", "w", None),
    ("var w: [2, 2, 9, 8] ~ normal(0, 1)\nvar f: [4, 1, 3, 2] ~ normal(0, 1)\n"
     "y = conv2d(w, f, stride = [2, 1], pad = [[1, 0], [2, 1]], dilation = [1, 2], groups = 2)\n"
     "loss = sum(tanh(max_pool2d(y, 2, stride = 1)) ^ 2) + sum(avg_pool2d(y, [2, 3], pad = 1) ^ 2)\n"
     "train loss { steps = 1 }\n", "w", None),
    ("var w: [2, 2, 9, 8] ~ normal(0, 1)\nvar f: [4, 1, 3, 2] ~ normal(0, 1)\n"
     "y = conv2d(w, f, stride = [2, 1], groups = 2)\nloss = sum(tanh(y) ^ 2)\ntrain loss { steps = 1 }\n", "f", None),
    ("for i in 1..3 {\n var w: [i] ~ normal(0, 1)\n}\nmean = sum(w[2] ^ 2) + sum(sqrt(square(w[3]) + 1))\n"
     "train mean { steps = 1 }\n", "w[3]", None),
    ("var w: [3] = 1\nz = w * sample(normal(0, 1), [3]) + sample(uniform(0, 1), [3])\nloss = sum(square(z))\n"
     "other = sum(exp(z)) + loss\ntrain loss { steps = 1; seed = 9 }\n", "z", "other"),
    ("var w: [6] ~ normal(0, 1)\nloss = sum(cumsum(flip(w), 0) ^ 2) + max(w) * prod(w) + total([norm(w), std(w)])\n"
     "train loss { steps = 1 }\n", "w", None),
    ("var w: [6] ~ normal(0, 1)\ninner = sum(sigmoid(w) ^ 3)\nloss = sum(square(grad(inner, w)))\ntrain loss { steps = 1 }\n",
     "w", None),
    ("var u: [6] ~ normal(0, 1)\nvar w: [6] = concat([0.1 * float(arange(2)), ones([4])])\nvar v: [6] ~ truncated_normal(0, 2)\n"
     "loss = sum(maximum(w, v) * select(v > 0 and not (w < 0.9), w, mod(v + u, 0.7)))\ntrain loss { steps = 1 }\n", "w", None),
    ("layer noisy(x: [n]) {\n var W: [n] = 1\n a = dropout(x * W, 0.5)\n return a + sample(normal(0, 1), [n])\n}\n"
     "var u: [8] = 2\nt = noisy(noisy(u) + sample(uniform(1, 2), [8]))\nloss = sum(square(t))\ntrain loss { steps = 1 }\n", "u", None),
]

# (model, NAME, --of or None): values that are no variables, and losses that are not the first.
VALUES = [("deep_sigmoid", "h[2]", None), ("gan", "G.a.W", "g_loss"), ("wgan_gp", "D.b.W", "d_loss"), ("lstm", "s.h[0]", None),
          ("lenet", "c[1]", None)]


def vgraph(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


def values(*arguments):
    done = vgraph("print", *arguments, "--format", "json")
    if done.returncode:
        raise ValueError("print %s: %s" % (" ".join(arguments), done.stderr))
    tensor = json.loads(done.stdout)
    return tensor["shape"], [float(x) for x in tensor["data"]]


def compare(model, options, name, of, path):
    """What is wrong with the derivative that is written, or None."""
    done = vgraph("graph", model, *options, "--wrt", name, *(["--of", of] if of else []))
    if done.returncode:
        return "graph --wrt %s ends with %d\n%s" % (name, done.returncode, done.stderr)
    with open(path, "w") as file:
        file.write(done.stdout)
    checked, laid = vgraph("check", path), vgraph("fmt", "--check", path)
    if checked.returncode or laid.returncode or laid.stdout:
        return "%s\n%s%s" % (done.stdout, checked.stderr, laid.stdout)
    loss = of or re.search(r"^# .*: the derivative of (.*) with respect to ", done.stdout).group(1)
    shape, found = values(path, "derivative")
    wanted_shape, wanted = values(model, "grad(%s, %s)" % (loss, name), *options)
    largest = max(map(abs, wanted))
    worst = max(abs(a - b) for a, b in zip(found, wanted))
    if shape != wanted_shape or not worst <= CLOSE * largest or not math.isfinite(largest):
        return "%s: %s off by %g of %g\n%s" % (name, wanted_shape, worst, largest, done.stdout)
    return None


def trained(model, options):
    """The variables that train, by what describe lists."""
    done = vgraph("describe", model, *options)
    rows = re.search(r"^variables\n((?:  .*\n)*)", done.stdout, re.MULTILINE).group(1)
    return [name for name, shape in re.findall(r"^  (\S+) +(\[.*?\]) ", rows, re.MULTILINE)]


def main():
    wrong, count = [], 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for model in sorted(glob.glob(os.path.join(ROOT, "models", "*.nn"))):
            name = os.path.basename(model)[:-3]
            options = OPTIONS.get(name, [])
            variables = trained(model, options)
            for variable in dict.fromkeys([variables[0], variables[-1]]):
                count += 1
                path = os.path.join(folder, "d.nn")
                message = compare(model, options, variable, None, path)
                if message and "does not depend on" not in message:      # another block's variable
                    wrong.append("%s: %s" % (model, message))
        for model, name, of in VALUES:
            count += 1
            message = compare(os.path.join(ROOT, "models", model + ".nn"), OPTIONS[model], name, of, os.path.join(folder, "d.nn"))
            if message:
                wrong.append("%s: %s" % (model, message))
        for k, (text, name, of) in enumerate(CORNERS):
            model = os.path.join(folder, "corner%d.nn" % k)
            with open(model, "w") as file:
                file.write(text)
            message = compare(model, [], name, of, os.path.join(folder, "d.nn"))
            if message:
                wrong.append("corner %d: %s" % (k, message))
    print("\n".join(wrong))
    print("%d derivatives of models, %d corners, %d wrong" % (count, len(CORNERS), len(wrong)))
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
