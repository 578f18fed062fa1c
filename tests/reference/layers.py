"""Layers: convolution, embedding, attention; by their inputs and by all of their variables, first and second
derivatives."""
import torch
import torch.nn.functional as F

from large import large_layer
from suite import Suite, draw, integers

# (images, channels, kernel, in the language, stride, PyTorch's padding (left, right, top, bottom), act)
CONVOLUTIONS = [
    ([2, 3, 5, 4], 4, (3, 3), "4, 3", 1, (1, 1, 1, 1), None),
    ([1, 2, 6, 5], 3, (3, 3), "3, 3, stride = 2", 2, (1, 1, 0, 1), None),
    ([2, 1, 7, 7], 2, (3, 3), "2, 3, stride = 3", 3, (1, 1, 1, 1), None),
    ([1, 2, 4, 6], 2, (2, 4), "2, [2, 4]", 1, (1, 2, 0, 1), None),
    ([1, 1, 6, 7], 2, (2, 3), "2, [2, 3], stride = [3, 2]", (3, 2), (1, 1, 0, 0), None),
    ([2, 2, 5, 5], 3, (3, 3), "3, 3, pad = 0, act = tanh", 1, (0, 0, 0, 0), torch.tanh),
    ([1, 3, 5, 4], 2, (3, 2), "2, [3, 2], stride = 2, pad = 1, act = sigmoid", 2, (1, 1, 1, 1), torch.sigmoid),
    ([2, 2, 4, 4], 2, (3, 3), "2, 3, pad = [2, 1], act = silu", 1, (1, 1, 2, 2), F.silu),
    ([1, 2, 3, 4], 2, (2, 2), "2, 2, pad = [[1, 0], [0, 2]], act = relu", 1, (0, 2, 1, 0), torch.relu),
    ([3, 2, 1, 1], 1, (1, 1), "1, 1", 1, (0, 0, 0, 0), None), ([1, 1, 1, 1], 2, (3, 3), "2, 3", 1, (1, 1, 1, 1), None),
]

ATTENTIONS = [    # (x, heads, causal)
    ([2, 3, 4], 1, False), ([2, 3, 4], 2, False), ([1, 4, 4], 4, False), ([2, 3, 4], 1, True), ([2, 4, 4], 2, True),
    ([1, 3, 4], 4, True), ([2, 1, 4], 2, False), ([2, 1, 4], 2, True), ([3, 2, 1], 1, True),
]


def convolutions(suite):
    for k, (images, channels, kernel, words, stride, pads, act) in enumerate(CONVOLUTIONS):
        for bias in (True, False):
            variables = {"W": draw([channels, images[1], *kernel], k + 20, -1, 1)}
            if bias:
                variables["b"] = draw([channels], k + 40)
            call = f"conv(x, {words}{'' if bias else ', bias = false'})"

            def function(x, v):
                y = F.conv2d(F.pad(x, pads), v["W"], v.get("b"), stride)
                return act(y) if act else y

            suite.layer(f"{call} of {images}", call, {"x": draw(images, k)}, variables, function,
                        power=1 if act else 2, tolerance=1e-4)


def embeddings(suite):
    for k, (ids, vocab, dim) in enumerate([
            ([0, 2, 1], 3, 2), ([1, 1, 3, 1], 4, 3), ([[0, 4, 0], [4, 4, 2]], 5, 2), ([0, 0], 1, 3), (2, 3, 4),
            ([[[1], [0]]], 2, 1)]):
        suite.layer(f"embedding of {ids} in {vocab}", f"embedding(i, {vocab}, {dim})", {"i": integers(ids)},
                    {"W": draw([vocab, dim], k)}, lambda i, v: F.embedding(i, v["W"]), power=3)
    suite.layer("embedding, projected", "dense(embedding(i, 4, 3), 2, tanh)", {"i": integers([[1, 3, 1], [0, 1, 3]])},
                {"embedding.W": draw([4, 3], 10), "W": draw([3, 2], 11), "b": draw([2], 12)},
                lambda i, v: torch.tanh(F.embedding(i, v["embedding.W"]) @ v["W"] + v["b"]))


def attended(x, v, heads, causal):
    length, width = x.shape[1:]
    weights = torch.cat([v["query.W"].T, v["key.W"].T, v["value.W"].T])
    biases = torch.cat([v["query.b"], v["key.b"], v["value.b"]])
    mask = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
    x = x.transpose(0, 1)
    out = F.multi_head_attention_forward(x, x, x, width, heads, weights, biases, None, None, False, 0.0, v["out.W"].T,
                                         v["out.b"], need_weights=False, attn_mask=mask)
    return out[0].transpose(0, 1)


def attention_weights(d, k):
    variables = {}
    for i, name in enumerate(["query", "key", "value", "out"]):
        variables[f"{name}.W"] = draw([d, d], 10 * k + i, -1, 1)
        variables[f"{name}.b"] = draw([d], 10 * k + i + 5)
    return variables


def attentions(suite):
    for k, (shape, heads, causal) in enumerate(ATTENTIONS):
        words = f"attention(x, {heads}{', causal = true' if causal else ''})"
        suite.layer(f"{words} of {shape}", words, {"x": draw(shape, k)}, attention_weights(shape[2], k),
                    lambda x, v: attended(x, v, heads, causal),
                    vanishing={"out.key.b": "out.query.b"})    # softmax takes it out
    v = attention_weights(8, 20)
    v["key.b"] = v["key.b"].detach()
    large_layer(suite, "attention, long", "attention(x, 2, causal = true)", [3, 40, 8], v,
                lambda x, v: attended(x, v, 2, True))


def suites():
    suite = Suite("layers")
    convolutions(suite)
    embeddings(suite)
    attentions(suite)
    return [suite]
