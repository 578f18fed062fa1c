"""Convolutions and poolings: odd strides and pads, dilation, groups, images and kernels of one pixel, first and second
derivatives by images and by filters."""
import torch
import torch.nn.functional as F

from suite import Suite, draw, integers, leaf

# (images, filters, in the language, in PyTorch)
CONVOLUTIONS = [
    ([2, 3, 5, 4], [4, 3, 3, 2], "", {}), ([1, 1, 1, 1], [1, 1, 1, 1], "", {}), ([2, 2, 3, 3], [3, 2, 1, 1], "", {}),
    ([1, 2, 3, 4], [2, 2, 3, 4], "", {}),
    ([2, 2, 6, 5], [3, 2, 3, 3], ", stride = 2", {"stride": 2}),
    ([1, 2, 7, 5], [2, 2, 3, 2], ", stride = [3, 2], pad = 1", {"stride": (3, 2), "padding": 1}),
    ([2, 1, 4, 5], [2, 1, 3, 3], ", pad = [2, 1]", {"padding": (2, 1)}),
    ([1, 2, 7, 6], [2, 2, 3, 2], ", dilation = 2", {"dilation": 2}),
    ([1, 1, 6, 7], [2, 1, 2, 3], ", dilation = [3, 2], stride = 2, pad = [1, 3]",
     {"dilation": (3, 2), "stride": 2, "padding": (1, 3)}),
    ([2, 4, 4, 4], [4, 2, 3, 3], ", pad = 1, groups = 2", {"padding": 1, "groups": 2}),
    ([1, 3, 5, 5], [6, 1, 3, 3], ", stride = 2, pad = 1, groups = 3", {"stride": 2, "padding": 1, "groups": 3}),
    ([2, 4, 3, 2], [6, 2, 1, 1], ", groups = 2", {"groups": 2}),
    ([2, 3, 3, 2], [2, 3, 1, 1], ", stride = 2", {"stride": 2}),
    ([1, 2, 3, 3], [2, 2, 1, 1], ", pad = 1", {"padding": 1}),
]

SAME = [    # (images, kernel, stride, dilation): padded as TensorFlow pads, the odd one at the end
    ([1, 2, 5, 4], (3, 3), (1, 1), (1, 1)), ([1, 1, 5, 6], (2, 4), (1, 1), (1, 1)), ([2, 1, 7, 6], (3, 3), (2, 2), (1, 1)),
    ([1, 2, 5, 8], (3, 2), (3, 2), (1, 1)), ([1, 1, 7, 7], (3, 3), (1, 1), (2, 2)), ([1, 1, 4, 4], (1, 1), (3, 3), (1, 1)),
]

POOLS = [    # (images, in the language, in PyTorch)
    ([2, 3, 4, 6], "2", {"kernel_size": 2}), ([1, 2, 5, 5], "2", {"kernel_size": 2}), ([1, 1, 3, 3], "3", {"kernel_size": 3}),
    ([1, 2, 5, 6], "3, stride = 1", {"kernel_size": 3, "stride": 1}),
    ([2, 1, 7, 5], "[3, 2], stride = [2, 1]", {"kernel_size": (3, 2), "stride": (2, 1)}),
    ([1, 2, 5, 5], "3, stride = 2, pad = 1", {"kernel_size": 3, "stride": 2, "padding": 1}),
    ([1, 1, 4, 6], "[2, 4], pad = [1, 2]", {"kernel_size": (2, 4), "padding": (1, 2)}),
    ([3, 2, 1, 1], "1", {"kernel_size": 1}),
]


def same_pads(length, kernel, stride, dilation):
    lacks = max((-(-length // stride) - 1) * stride + dilation * (kernel - 1) + 1 - length, 0)
    return lacks // 2, lacks - lacks // 2


def convolutions(suite):
    for k, (images, filters, words, options) in enumerate(CONVOLUTIONS):
        suite.operator(f"conv2d of {images} with {filters}{words}", {"x": draw(images, k), "w": draw(filters, k + 50)},
                       f"conv2d(x, w{words})", lambda x, w: F.conv2d(x, w, **options), power=2, tolerance=1e-4)
    for k, (images, kernel, stride, dilation) in enumerate(SAME):
        filters = [2, images[1], *kernel]
        top, bottom = same_pads(images[2], kernel[0], stride[0], dilation[0])
        left, right = same_pads(images[3], kernel[1], stride[1], dilation[1])
        suite.operator(f"same: {images} with {filters}, stride {stride}, dilation {dilation}",
                       {"x": draw(images, k), "w": draw(filters, k + 70)},
                       f'conv2d(x, w, pad = "same", stride = {list(stride)}, dilation = {list(dilation)})',
                       lambda x, w: F.conv2d(F.pad(x, (left, right, top, bottom)), w, stride=stride, dilation=dilation),
                       power=2, tolerance=1e-4)
    suite.operator("each side by itself", {"x": draw([1, 1, 3, 4], 1), "w": draw([1, 1, 2, 2], 2)},
                   "conv2d(x, w, pad = [[1, 0], [0, 2]])", lambda x, w: F.conv2d(F.pad(x, (0, 2, 1, 0)), w), power=2,
                   tolerance=1e-4)
    third = lambda x, w: torch.tanh(F.conv2d(torch.tanh(F.conv2d(x, w, padding=1)), w, padding=1))
    suite.operator("two convolutions of one filter", {"x": draw([1, 2, 4, 4], 5), "w": draw([2, 2, 3, 3], 6, -0.5, 0.5)},
                   "tanh(conv2d(tanh(conv2d(x, w, pad = 1)), w, pad = 1))", third, tolerance=1e-4)
    whole = integers([[[[1, 2, 3], [4, 5, 6]]]])
    suite.operator("of integers", {"x": whole, "w": draw([1, 1, 2, 2], 7)}, "conv2d(x, w)",
                   lambda x, w: F.conv2d(x.double(), w), power=2, tolerance=1e-4)


def pools(suite):
    for k, (images, words, options) in enumerate(POOLS):
        for name, function in (("max", F.max_pool2d), ("avg", F.avg_pool2d)):
            suite.operator(f"{name}_pool2d({words}) of {images}", {"x": draw(images, k)}, f"{name}_pool2d(x, {words})",
                           lambda x: function(x, **options), power=2)
    ties = leaf([[[[1.0, 1, 2, 2], [1, 1, 2, 3], [0, 0, -1, -1], [0, 0, -1, -1]]]])
    suite.operator("max_pool2d, ties", {"x": ties}, "max_pool2d(x, 2)", lambda x: F.max_pool2d(x, 2), power=2)
    suite.operator("max_pool2d, overlapping ties", {"x": ties}, "max_pool2d(x, 3, stride = 1)",
                   lambda x: F.max_pool2d(x, 3, 1), power=2)
    suite.operator("max_pool2d, fed", {"x": draw([3, 2, 4, 4], 9)}, "max_pool2d(x, 2)", lambda x: F.max_pool2d(x, 2),
                   power=2, feed=True)
    suite.operator("below 0 and padded", {"x": draw([1, 1, 3, 3], 8, -2, 0)}, "max_pool2d(x, 2, pad = 1)",
                   lambda x: F.max_pool2d(x, 2, padding=1), power=2)


def large(suite):
    """More rows than are unfolded at once, and images of several blocks."""
    x = ((torch.arange(2 * 16 * 60 * 50) * 37 % 1009) - 504.5).reshape(2, 16, 60, 50) / 512
    w = (((torch.arange(8 * 16 * 9) * 29 % 997) - 498.5) / 512).reshape(8, 16, 3, 3)
    x, w = x.requires_grad_(), w.requires_grad_()
    out = F.conv2d(x, w, stride=(1, 2), padding=1)
    score = (out * out).mean()
    by_x, by_w = torch.autograd.grad(score, [x, w])
    text = """var x: [2, 16, 60, 50] = reshape((mod(37 * arange(96000), 1009) - 504.5) / 512, [2, 16, 60, 50])
var w: [8, 16, 3, 3] = reshape((mod(29 * arange(1152), 997) - 498.5) / 512, [8, 16, 3, 3])
out = conv2d(x, w, stride = [1, 2], pad = 1)
score = mean(square(out))
"""
    suite.add("a large convolution", text, {
        "score": score, "out[1, 7, -2:, -3:]": out[1, 7, -2:, -3:], "rms(out)": out.square().mean().sqrt(),
        "grad(score, w)": by_w, "rms(grad(score, x))": by_x.square().mean().sqrt(),
        "grad(score, x)[1, 15, -2:, -3:]": by_x[1, 15, -2:, -3:]}, tolerance=1e-4)


def suites():
    suite = Suite("window")
    convolutions(suite)
    pools(suite)
    large(suite)
    return [suite]
