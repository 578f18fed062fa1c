#!/usr/bin/env python3
"""PyTorch's contender: the same steps as tests/bench/*.nn, by run.sh, in the ways that make them fast.

    echo 'use W1 foreach
    percentiles 1000' | /usr/bin/python3 tests/bench/step_torch.py THREADS

The same layers, loss and optimizer; like ours, a step begins with the gathering of a shuffled mini-batch from a data
set that is in memory (as tensors of the type that the net takes). The loss is computed but not looked at. What can be
chosen, written with '-' between:
    single, foreach             the optimizer's loop over variables, or all of them in one call
    plain, channels_last        the memory format of W5
    separate, joined, encoder   W7: query, key and value by three products, by one, or torch.nn.TransformerEncoderLayer
Commands beside those of contender.h: "variants W" says what can be chosen for W; "use W VARIANT" builds that step.
"""
import gc
import inspect
import itertools
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

EXAMPLES = 2048
SYMBOLS = 30           # of sentences()


def dense_net(widths, act, init):
    layers = []
    for fan_in, units in zip(widths, widths[1:]):
        layer = nn.Linear(fan_in, units)
        nn.init.normal_(layer.weight, std=init(fan_in))
        nn.init.zeros_(layer.bias)
        layers += [layer, act()]
    return nn.Sequential(*layers[:-1])


def conv_net():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
                         nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(784, 64), nn.ReLU(inplace=True), nn.Linear(64, 10))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, 64)
        self.lstm = nn.LSTM(64, 64)
        self.head = nn.Linear(64, SYMBOLS)

    def forward(self, now):                                    # [batch, time] to [time * batch, symbols]
        out, _ = self.lstm(self.embedding(now.t()))
        return self.head(out).reshape(-1, SYMBOLS)


class Attention(nn.Module):
    def __init__(self, width, heads, places, joined):
        super().__init__()
        self.heads = heads
        self.parts = nn.ModuleList([nn.Linear(width, 3 * width)] if joined else
                                   [nn.Linear(width, width) for _ in range(3)])
        self.out = nn.Linear(width, width)
        self.register_buffer("mask", torch.full((places, places), -math.inf).triu(1))

    def forward(self, x):
        n, t, d = x.shape
        parts = [part(x) for part in self.parts]
        q, k, v = (part.view(n, t, self.heads, -1).transpose(1, 2)
                   for part in (parts if len(parts) == 3 else parts[0].split(d, dim=2)))
        scores = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(d // self.heads) + self.mask
        mixed = torch.matmul(F.softmax(scores, dim=-1), v)
        return self.out(mixed.transpose(1, 2).reshape(n, t, d))


class Block(nn.Module):
    def __init__(self, width, heads, places, joined):
        super().__init__()
        self.a, self.b = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, places, joined)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        mixed = x + self.attention(self.a(x))
        return mixed + self.narrow(F.gelu(self.wide(self.b(mixed))))


class EncoderBlock(nn.Module):
    def __init__(self, width, heads, places):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0, activation="gelu",
                                                batch_first=True, norm_first=True)
        self.register_buffer("mask", torch.full((places, places), -math.inf).triu(1))

    def forward(self, x):
        return self.layer(x, self.mask)


class Transformer(nn.Module):
    def __init__(self, kind, width=128, heads=4, places=64):
        super().__init__()
        self.symbol, self.place = nn.Embedding(SYMBOLS, width), nn.Embedding(places, width)
        self.blocks = nn.Sequential(*[EncoderBlock(width, heads, places) if kind == "encoder" else
                                      Block(width, heads, places, kind == "joined") for _ in range(2)])
        self.top, self.head = nn.LayerNorm(width), nn.Linear(width, SYMBOLS)
        self.register_buffer("places", torch.arange(places))

    def forward(self, now):
        h = self.blocks(self.symbol(now) + self.place(self.places))
        return self.head(self.top(h)).reshape(-1, SYMBOLS)


def pictures(*shape):
    return torch.rand(EXAMPLES, *shape), torch.randint(10, (EXAMPLES,))


def characters(length, transposed):
    book = torch.randint(SYMBOLS, (EXAMPLES, length + 1))
    return book[:, :-1].contiguous(), book[:, 1:].contiguous(), transposed


def sgd(parameters, foreach):
    return torch.optim.SGD(parameters, lr=0.01, **({"foreach": foreach} if len(LOOPS) > 1 else {}))


def adam(parameters, foreach):
    return torch.optim.Adam(parameters, lr=0.001, **({"foreach": foreach} if len(LOOPS) > 1 else {}))


def digits_net(depth, hidden, act, init):
    return lambda kind: dense_net([784] + [hidden] * depth + [10], act, init)


LOOPS = ["single", "foreach"] if "foreach" in inspect.signature(torch.optim.SGD).parameters else ["single"]
# workload: batch, the net, the data, the optimizer, what can be chosen beside its loop
WORKLOADS = {
    "W1": (128, digits_net(4, 128, nn.Sigmoid, lambda n: 1), lambda: pictures(784), sgd, []),
    "W2": (256, digits_net(4, 512, nn.ReLU, lambda n: math.sqrt(2 / n)), lambda: pictures(784), sgd, []),
    "W3": (32, lambda kind: dense_net([2, 16, 16, 2], nn.Tanh, lambda n: math.sqrt(1 / n)),
           lambda: (torch.randn(EXAMPLES, 2), torch.randint(2, (EXAMPLES,))), sgd, []),
    "W4": (128, digits_net(64, 128, nn.Tanh, lambda n: math.sqrt(1 / n)), lambda: pictures(784), sgd, []),
    "W5": (64, lambda kind: conv_net(), lambda: pictures(1, 28, 28), sgd, ["plain", "channels_last"]),
    "W6": (32, lambda kind: Lstm(), lambda: characters(32, True), sgd, []),
    "W7": (16, Transformer, lambda: characters(64, False), sgd, ["separate", "joined", "encoder"]),
    "W8": (128, digits_net(4, 128, nn.Sigmoid, lambda n: 1), lambda: pictures(784), adam, []),
}


def variants(name):
    kinds = WORKLOADS[name][4]
    return ["-".join(choice) for choice in itertools.product(LOOPS, kinds or [""])] if kinds else list(LOOPS)


def build(name, variant):
    """The step of a workload, a function without arguments."""
    batch, make, data, optimizer, _ = WORKLOADS[name]
    loop, _, kind = variant.partition("-")
    torch.manual_seed(1)
    net, (inputs, targets, *transposed) = make(kind), data()
    if kind == "channels_last":
        net, inputs = net.to(memory_format=torch.channels_last), inputs.to(memory_format=torch.channels_last)
    update = optimizer(net.parameters(), loop == "foreach")
    transposed = transposed == [True]

    def batches():
        while True:
            order = torch.randperm(EXAMPLES)
            for start in range(0, EXAMPLES - batch + 1, batch):
                yield order[start:start + batch]

    chosen = batches()

    def step():
        examples = next(chosen)
        x, y = inputs.index_select(0, examples), targets.index_select(0, examples)
        update.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), (y.t() if transposed else y).reshape(-1)).backward()
        update.step()

    return step


def take(step, seconds, clock=time.perf_counter_ns):
    """Nanoseconds of steps for a while; at least of one."""
    times, started = [], clock()
    begun = started
    while not times or begun - started < seconds * 1e9:
        step()
        ended = clock()
        times.append(ended - begun)
        begun = ended
    return times


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    torch.set_num_threads(threads)
    gc.disable()
    print("ready", threads, torch.__version__, flush=True)
    step = None
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "variants":
            print(*variants(words[0]), flush=True)
        elif verb == "use":
            step = build(*words)
            gc.collect()
            print("using", *words, flush=True)
        elif verb in ("go", "cpu", "percentiles"):
            seconds = int(words[0]) / 1e3
            take(step, seconds / 10)
            times = take(step, seconds, time.thread_time_ns if verb == "cpu" else time.perf_counter_ns)
            if verb == "percentiles":
                times.sort()
                times = [f"p{p} {times[(len(times) - 1) * p // 100] / 1e3:.3f} us," for p in (5, 50, 95)] + [
                    f"{len(times)} steps"]
            print(*times, flush=True)
        else:
            sys.exit(f"there is no command '{verb}'")


if __name__ == "__main__":
    main()
