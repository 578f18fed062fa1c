#!/usr/bin/env python3
"""Reads the event file of a run with a reader of its own, written from the format alone: frames and their CRC-32C,
protobuf's wire format, and what TensorBoard's messages are made of. Compared with the run's JSON lines."""
import base64
import glob
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import zlib

MODEL = """
const depth = 2
const act   = tanh
const noise = 0.5
data points = spirals(count = 400, noise = noise, seed = 1)
input x: [batch, 2] = points.features
input y: [batch]    = points.target
h[0] = x
for i in 1..depth { h[i] = dense(h[i-1], 8, act) }
logits = dense(h[depth], 2)
loss = mean(cross_entropy(logits, y))
train loss {
    optimizer = sgd(rate = 0.1)
    batch = 16
    steps = 7
    eval_every = 3
}
summary scalar loss, loss * 0 as "zero" every 3
summary histogram grad(loss, h[*].W), h[*] every 2
summary histogram log(h[1] * 0) as "lost"
summary histogram h[1].b * 0 + 3 as "same"
grey  = reshape(arange(24), [2, 3, 4])
rgb   = reshape(arange(30), [1, 3, 2, 5]) / 8 - 1
wide  = expand(h[1], 0)
both  = expand(h[2], 1)
summary image grey, rgb, wide, both every 3
summary histogram both every 3
"""

SETS = ["--set", "depth=3", "--set", "act=relu", "--set", "noise=0.02", "--set", "train.steps=3 + 4"]


def crc32c(data):
    table = []
    for i in range(256):
        c = i
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
        table.append(c)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(data):
    c = crc32c(data)
    return ((c >> 15 | c << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        head = data[at:at + 8]
        length, = struct.unpack("<Q", head)
        check, = struct.unpack("<I", data[at + 8:at + 12])
        assert check == masked(head), "checksum of a length"
        body = data[at + 12:at + 12 + length]
        assert len(body) == length, "a whole record"
        check, = struct.unpack("<I", data[at + 12 + length:at + 16 + length])
        assert check == masked(body), "checksum of a record"
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """{number: [values]}: varints as int, fixed ones and the rest as bytes."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        else:
            assert kind == 2, "a wire type that TensorBoard's messages have"
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        found.setdefault(key >> 3, []).append(value)
    return found


def one(message, number, default=None):
    values = message.get(number, [])
    assert len(values) <= 1
    return values[0] if values else default


def bins_of(value):
    tensor = fields(one(value, 8))
    assert one(tensor, 1) == 2, "DOUBLE"
    dims = [one(fields(dim), 1) for dim in fields(one(tensor, 2))[2]]
    content = one(tensor, 4)
    assert dims[1] == 3 and len(content) == 8 * 3 * dims[0]
    flat = struct.unpack("<%dd" % (3 * dims[0]), content)
    return [flat[i:i + 3] for i in range(0, len(flat), 3)]


def plugin_of(value):
    metadata = one(value, 9)
    if not metadata:
        return None
    name = one(fields(one(fields(metadata), 1)), 1).decode()
    assert one(fields(metadata), 4) == {"histograms": 2, "images": 3, "text": 2, "hparams": 2}[name], "data class"
    return name


def exact_of(value):
    """Our own field beside TensorBoard's, which its readers skip: {number: value}."""
    return {number: values[0] for number, values in fields(one(value, 1000, b"")).items()}


def double(data):
    return struct.unpack("<d", data)[0]


def check_text(value):
    """The model's source, as Markdown shows code: indented by four blanks."""
    tensor = fields(one(value, 8))
    assert one(tensor, 1) == 7 and one(tensor, 2) == b"", "a STRING without axes"
    text = one(tensor, 8).decode()
    assert text == "".join("    " + line for line in MODEL.splitlines(True))


def hparams_of(value):
    """The message that the hparams plugin finds in the metadata; the tensor has no elements."""
    tensor = fields(one(value, 8))
    assert one(tensor, 1) == 1 and one(fields(one(fields(one(tensor, 2)), 2)), 1) == 0, "FLOAT [0]"
    plugin = fields(one(fields(one(value, 9)), 1))
    message = fields(one(plugin, 2))
    assert one(plugin, 1) == b"hparams" and one(message, 1) == 0, "version"
    return message


def settings_of(start):
    """The map of a session's start: numbers as such, the rest as text."""
    found = {}
    for entry in map(fields, start[1]):
        constant = fields(one(entry, 2))
        assert len(constant) == 1
        found[one(entry, 1).decode()] = double(constant[2][0]) if 2 in constant else constant[3][0].decode()
    return found


def check_hparams(start, end):
    start, end = fields(one(start, 3)), fields(one(end, 4))
    found = settings_of(start)
    assert found == {"depth": 3.0, "act": "relu", "noise": 0.02, "train.steps": "3 + 4"}, found
    assert one(start, 4) == b"r", "the group is called as the folder"
    assert one(end, 1) == 1 and 1.6e9 < double(one(start, 5)) <= double(one(end, 2)) < 1e10


def paeth(a, b, c):
    distances = [(abs(b - c), a), (abs(a - c), b), (abs(a + b - 2 * c), c)]
    return min(distances, key=lambda pair: pair[0])[1]


def png_of(data):
    """Width, height, channels and the pixels' bytes of a PNG without interlace, of eight bits a channel."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, header = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body, check = data[at + 8:at + 8 + size], data[at + 8 + size:at + 12 + size]
        assert struct.unpack(">I", check)[0] == zlib.crc32(kind + body)
        header = body if kind == b"IHDR" else header
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    assert kind == b"IEND" and at == len(data)
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    channels = {0: 1, 2: 3}[colour]
    assert (depth, compression, filtering, interlace) == (8, 0, 0, 0)
    row, plain, pixels, above = width * channels, zlib.decompress(packed), b"", None
    assert len(plain) == height * (row + 1)
    for y in range(height):
        kind, line = plain[y * (row + 1)], bytearray(plain[y * (row + 1) + 1:(y + 1) * (row + 1)])
        for i in range(row):
            left = line[i - channels] if i >= channels else 0
            up = above[i] if above else 0
            corner = above[i - channels] if above and i >= channels else 0
            line[i] = (line[i] + [0, left, up, (left + up) // 2, paeth(left, up, corner)][kind]) & 255
        pixels, above = pixels + bytes(line), line
    return width, height, channels, pixels


def check_images(value, line):
    """`line` is the same record as JSON: both have the same PNGs, and what they show is known for two of them."""
    tensor = fields(one(value, 8))
    dims = [one(fields(dim), 1) for dim in fields(one(tensor, 2))[2]]
    width, height, *files = tensor[8]
    assert one(tensor, 1) == 7 and dims == [len(files) + 2], "STRING"
    assert (int(width), int(height)) == (line["width"], line["height"])
    assert [base64.b64decode(text, validate=True) for text in line["png"]] == files
    images = [png_of(file) for file in files]
    assert all(image[:3] == (line["width"], line["height"], line["channels"]) for image in images)
    if line["tag"] == "grey":
        assert (line["min"], line["max"]) == (0, 23)
        assert b"".join(image[3] for image in images) == bytes(int(i / 23 * 255 + 0.5) for i in range(24))
    if line["tag"] == "rgb":
        assert (line["min"], line["max"]) == (-1, 2.625)
        assert images[0][3] == bytes(int((i % 3 * 10 + i // 3) / 29 * 255 + 0.5) for i in range(30))
    if line["tag"] == "both":
        assert len(images) == 8, "the first eight of sixteen"


def check_graph(data):
    graph = fields(data)
    assert one(fields(one(graph, 4)), 1) >= 1, "versions.producer"
    nodes, inputs = {}, []
    for node in map(fields, graph[1]):
        name = one(node, 1).decode()
        assert name not in nodes, "names are unique: " + name
        nodes[name] = node
        inputs += [text.decode() for text in node.get(3, [])]
        for attribute in map(fields, node.get(5, [])):
            assert one(attribute, 1) == b"_output_shapes"
            shapes = fields(one(fields(one(attribute, 2)), 1))[7]
            assert len(shapes) == 1
    assert set(inputs) <= set(nodes), "every input is a node"
    for name in ("x", "loss", "h/h[1]/W", "h/h[3]/b", "logits/W"):
        assert name in nodes, name
    assert any(name.startswith("gradients/") for name in nodes)
    assert one(nodes["h/h[1]/W"], 2) == b"variable"


def check_bins(rows, line):
    """`line` is the same histogram as JSON: its fine buckets and exact moments."""
    lost = line["nan"] + line["inf"]
    assert 1 <= len(rows) <= 96
    assert sum(count for _, _, count in rows) == line["count"] - lost
    assert all(count > 0 for _, _, count in rows)
    assert math.isclose(rows[0][0], line["min"], rel_tol=1e-7, abs_tol=1e-45)
    assert math.isclose(rows[-1][1], line["max"], rel_tol=1e-7, abs_tol=1e-45)
    if line["min"] == line["max"]:
        assert len(rows) == 1
        return
    for left, right, _ in rows:
        assert math.isfinite(left) and math.isfinite(right) and left < right
    for before, after in zip(rows, rows[1:]):
        assert before[1] <= after[0]
    if line["zeros"]:
        assert any(left <= 0 <= right and count == line["zeros"] for left, right, count in rows)
    mean = sum((left + right) / 2 * count for left, right, count in rows) / (line["count"] - lost)
    assert abs(mean - line["mean"]) < 0.05 * line["rms"], "the bins' mean is about the exact one"


def check_exact(exact, line):
    """What the rows do not tell of a histogram."""
    assert [exact[number] for number in (3, 4, 5, 6)] == [line[key] for key in ("count", "zeros", "nan", "inf")]
    for number, key in ((7, "mean"), (8, "std"), (9, "rms")):
        assert math.isclose(double(exact[number]), line[key], rel_tol=1e-7, abs_tol=1e-30)   # JSON's nine digits


def check_event_file(data, lines):
    scalars = {(l["tag"], l["step"]): l["value"] for l in lines if l["kind"] == "scalar" and "split" not in l}
    histograms = {(l["tag"], l["step"]): l for l in lines if l["kind"] == "histogram"}
    images = {(l["tag"], l["step"]): l for l in lines if l["kind"] == "image"}
    assert {key[1] for key in images} == {0, 3, 6} and {key[0] for key in images} == {"grey", "rgb", "wide", "both"}
    described, last_step, hparams, graphs, nonfinite = {}, {}, [], 0, 0
    events = [fields(body) for body in records(data)]
    assert one(events[0], 3) == b"brain.Event:2" and set(events[0]) == {1, 3}
    for event in events[1:]:
        assert 1.6e9 < struct.unpack("<d", one(event, 1))[0] < 1e10, "wall time"
        if 4 in event:
            graphs += 1
            check_graph(one(event, 4))
            continue
        step = one(event, 2, 0)
        for value in map(fields, fields(one(event, 5))[1]):
            tag = one(value, 1).decode("utf-8")
            assert step > last_step.get(tag, -1), "steps rise"
            last_step[tag] = step
            if 2 in value:
                number, = struct.unpack("<f", one(value, 2))
                if tag.endswith("/nonfinite"):
                    line = histograms[tag[:-len("/nonfinite")], step]
                    assert number == line["nan"] + line["inf"] > 0
                    check_exact(exact_of(value), line)
                    nonfinite += 1
                else:
                    assert one(value, 2) == struct.pack("<f", scalars.pop((tag, step)))
                    assert 1000 not in value, "a float32 tells all"
                continue
            assert (plugin_of(value) is None) == (tag in described), "metadata on the first record"
            described.setdefault(tag, plugin_of(value))
            if described[tag] == "text":
                check_text(value)
            elif described[tag] == "hparams":
                hparams.append((tag, hparams_of(value)))
            elif described[tag] == "images":
                check_images(value, images.pop((tag, step)))
            else:
                name = "both" if tag == "both/histograms" else tag
                check_exact(exact_of(value), histograms[name, step])
                assert exact_of(value).get(1, tag.encode()) == name.encode(), "its own tag"
                check_bins(bins_of(value), histograms.pop((name, step)))
    assert [tag for tag, _ in hparams] == ["_hparams_/session_start_info", "_hparams_/session_end_info"]
    check_hparams(hparams[0][1], hparams[1][1])
    assert described["model"] == "text"
    assert graphs == 1 and not scalars and not images and nonfinite > 0
    assert described["both"] == "images" and described["both/histograms"] == "histograms", "a tag has one plugin"
    for line in histograms.values():
        assert line["count"] == line["nan"] + line["inf"], "only what has no finite element is left out"


def check_test_file(data, lines):
    """The run of the values over the test split: scalars alone."""
    scalars = {(l["tag"], l["step"]): l["value"] for l in lines if l["kind"] == "scalar" and l.get("split") == "test"}
    assert sorted(scalars) == [(tag, step) for tag in ("zero/loss", "zero/loss * 0") for step in (0, 3, 6, 7)]
    events = [fields(body) for body in records(data)]
    assert one(events[0], 3) == b"brain.Event:2" and set(events[0]) == {1, 3}
    for event in events[1:]:
        assert set(event) == {1, 2, 5}
        value, = map(fields, fields(one(event, 5))[1])
        assert set(value) in ({1, 2}, {1, 2, 1000})
        exact = scalars.pop((one(value, 1).decode(), one(event, 2)))
        assert one(value, 2) == struct.pack("<f", exact)
        assert 1000 not in value or double(exact_of(value)[2]) == exact, "a mean over examples is no float32"
    assert not scalars


def event_file(folder):
    files = glob.glob(os.path.join(folder, "events.out.tfevents.*"))
    assert len(files) == 1
    seconds, host_pid_n = os.path.basename(files[0])[len("events.out.tfevents."):].split(".", 1)
    assert len(seconds) == 10 and seconds.isdigit() and host_pid_n.count(".") >= 2
    return open(files[0], "rb").read()


def main():
    assert crc32c(b"123456789") == 0xE3069283 and masked(b"123456789") == 0xC78AB0E5
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "a.nn"), "w") as file:
            file.write(MODEL)
        done = subprocess.run([program, "run", "a.nn", "--out", "r", "--jsonl", "r.jsonl", "--quiet", *SETS],
                              cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in open(os.path.join(folder, "r.jsonl"))]
        check_event_file(event_file(os.path.join(folder, "r")), lines)
        check_test_file(event_file(os.path.join(folder, "r", "test")), lines)
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
