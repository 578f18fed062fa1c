#!/usr/bin/env python3
"""Checkpoints: what is in them by a reader of our own, runs that go on after kill -9, values that are loaded, and eval and
predict in a folder that has neither the model nor its data. KILLS: how often a run is killed (default 50)."""
import glob
import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath(sys.argv[1])
KILLS = int(os.environ.get("KILLS", "50"))

# What a run can have of state: an optimizer's, a layer's, dropout, a shuffle, two blocks in turns, a best value.
MODEL = """
const units = 12
data points = spirals(count = 200, noise = 0.05, seed = 3)
input x: [batch, 2] = points.features
input y: [batch]    = points.target
h = dropout(batch_norm(dense(x, units, act = tanh)), 0.2)
g = dense(h, units, act = relu)
logits = dense(g, 2)
loss = mean(cross_entropy(logits, y))
accuracy = mean(argmax(logits) == y)
state seen: [] = 0
update seen = seen + 1
var shift: [2] = 0
other = mean(square(shift - mean(x, axis = 0)))
train loss { optimizer = adam(rate = warmup_cosine(step, peak = 0.02, warmup = 20, total = 400)); batch = 16; steps = 400
             eval_every = 25; checkpoint_best = loss; checkpoint_every = 4; params = [vars("h.**"), vars("g.**"), vars("logits.**")] }
train other { every = 3; batch = 8; params = shift }
summary scalar loss, accuracy, seen
summary histogram grad(loss, vars("*.W")) every 5
expect loss < 0.5 every 3
"""


def vgraph(*arguments, folder=None, env=None, text=None):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, input=text,
                          env={**os.environ, **(env or {})})


def read(path):
    """A safetensors file: tensors as (dtype, shape, bytes) by name, and the metadata."""
    whole = open(path, "rb").read()
    length, = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8:8 + length])
    assert (8 + length) % 8 == 0, "the data is not aligned"
    data, metadata, end = whole[8 + length:], header.pop("__metadata__", {}), 0
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"a hole before {name}"
        end = stop
        tensors[name] = (entry["dtype"], entry["shape"], data[begin:stop])
    assert end == len(data)
    return tensors, metadata


def write(path, tensors, metadata=None):
    """{name: (dtype, shape, bytes)}, as another program would."""
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def values_of(path, name):
    _, _, content = read(path)[0][name]
    return struct.unpack(f"<{len(content) // 4}f", content)


# ---- going on

def lines_of(path):
    """The last line of each value of each step: a step that was run again has its lines twice."""
    found = {}
    for line in open(path):
        record = json.loads(line)
        if record["kind"] in ("scalar", "histogram"):
            found[record["kind"], record["step"], record["tag"], record.get("split")] = line
    return found


def start(folder, *more):
    return subprocess.Popen([PROGRAM, "run", "model.nn", "--out", folder, "--quiet", "--jsonl", folder + ".jsonl", *more],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_killed_runs_go_on():
    whole = vgraph("run", "model.nn", "--out", "whole", "--quiet", "--jsonl", "whole.jsonl")
    assert whole.returncode == 3, whole.stderr      # the expect fails at first
    begun = time.monotonic()
    reference = start("timed")
    reference.wait()
    length = time.monotonic() - begun
    draw = random.Random(os.environ.get("KILL_SEED", "1"))
    killed = attempts = parts = 0
    while killed < KILLS:
        folder = f"part{attempts}"
        attempts += 1
        run = start(folder)
        while True:
            try:
                run.wait(timeout=draw.uniform(0.05, 0.6 * length))
                break
            except subprocess.TimeoutExpired:
                if killed == KILLS:
                    run.wait()
                    break
                run.kill()
                run.wait()
                killed += 1
            for name in ("checkpoint", "best"):      # whatever is there is whole
                path = os.path.join(folder, name + ".safetensors")
                if os.path.exists(path):
                    read(path)
            parts += 1
            run = start(folder, "--resume") if os.path.exists(folder) else start(folder)
        assert run.returncode == 3, run.stderr.read()
        for name in ("checkpoint", "best"):
            a, b = (open(f"{which}/{name}.safetensors", "rb").read() for which in ("whole", folder))
            assert a == b, f"{folder}/{name}.safetensors differs after {parts} parts"
        assert lines_of("whole.jsonl") == lines_of(folder + ".jsonl"), folder
        same = vgraph("diff", "whole", folder)
        assert same.returncode == 0, same.stdout
        a, b = (json.load(open(f"{which}/run.json")) for which in ("whole", folder))
        assert (a["findings"], a["expects"]) == (b["findings"], b["expects"]), folder
        assert not glob.glob(folder + "/*.safetensors.*"), os.listdir(folder)
        shutil.rmtree(folder)
    print(f"{killed} kills in {attempts} runs")


def test_interrupted_and_extended():
    stopped("stopped")
    step = json.loads(read("stopped/checkpoint.safetensors")[1]["vgraph.run"])["step"]
    assert 0 < step < 400
    assert vgraph("run", "model.nn", "--out", "stopped", "--resume", "--quiet").returncode == 3
    assert open("stopped/checkpoint.safetensors", "rb").read() == open("whole/checkpoint.safetensors", "rb").read()
    assert json.load(open("stopped/run.json"))["resumed_at"] == step
    more = vgraph("run", "model.nn", "--out", "stopped", "--resume", "--quiet", "--steps", "410")
    assert more.returncode == 3, more.stderr
    assert json.loads(read("stopped/checkpoint.safetensors")[1]["vgraph.run"])["step"] == 410
    # by its name alone: the newest folder of this model
    vgraph("run", "model.nn", "--quiet", "--steps", "8")
    again = vgraph("run", "model.nn", "--resume", "--quiet", "--steps", "12")
    folder, = glob.glob("runs/model-*")
    assert json.loads(read(folder + "/checkpoint.safetensors")[1]["vgraph.run"])["step"] == 12, again.stderr


def stopped(folder, *more):
    """A run that was interrupted after its first checkpoint; another one where it was done before the signal came."""
    for _ in range(20):
        run = start(folder, *more)
        while not os.path.exists(folder + "/checkpoint.safetensors"):
            time.sleep(0.002)
        run.send_signal(2)
        run.wait()
        if run.returncode == 130:
            return
        assert run.returncode == 3, run.stderr.read()
        shutil.rmtree(folder)
    raise AssertionError("no run could be interrupted")


def test_in_double_precision_and_on_one_thread():
    vgraph("run", "model.nn", "--out", "wide", "--float64", "--quiet", "--threads", "2")
    stopped("wide1", "--float64", "--threads", "1")
    assert vgraph("run", "model.nn", "--out", "wide1", "--float64", "--resume", "--quiet", "--no-fuse").returncode == 3
    a, b = (open(f"{which}/checkpoint.safetensors", "rb").read() for which in ("wide", "wide1"))
    assert a == b and b"F64" in a
    assert vgraph("diff", "wide", "wide1").returncode == 0


def test_a_clock_that_was_ahead():
    """What was written first is read first, whatever the names say of the time."""
    stopped("early")
    for folder in ("early", "early/test"):
        name, = glob.glob(folder + "/events.out.*")
        seconds = int(os.path.basename(name).split(".")[3])
        os.rename(name, name.replace(str(seconds), str(seconds + 10 ** 6)))
    assert vgraph("run", "model.nn", "--out", "early", "--resume", "--quiet").returncode == 3
    same = vgraph("diff", "whole", "early")
    assert same.returncode == 0, same.stdout


def test_what_differs_is_refused():
    for more, what in ((["--set", "units=13"], "begun without --set units=13"), (["--seed", "4"], "its seed is 1"),
                       (["--float64"], "begun without --float64"), (["--batch", "8"], "begun without --batch"),
                       (["--set", "train.steps=9"], "begun without --set train.steps=9"),
                       (["--data", "points=moons()"], "begun without --data points=moons()")):
        refused = vgraph("run", "model.nn", "--out", "whole", "--resume", *more)
        assert refused.returncode == 2 and what in refused.stderr, (more, refused.stderr)
    vgraph("run", "model.nn", "--out", "set", "--quiet", "--steps", "4", "--set", "units=5", "--set", "train[2].every=2")
    for more, what in (([], "begun with --set units=5"), (["--set", "units=6", "--set", "train[2].every=2"], "units=5")):
        refused = vgraph("run", "model.nn", "--out", "set", "--resume", *more)
        assert refused.returncode == 2 and what in refused.stderr, (more, refused.stderr)
    ended = vgraph("run", "model.nn", "--out", "set", "--resume", "--steps", "4", "--set", "train[2].every=2", "--set", "units=5")
    assert ended.returncode == 3 and "nothing is left to do" in ended.stderr, ended.stderr
    for where in ("nowhere", "whole.jsonl"):
        refused = vgraph("run", "model.nn", "--out", where, "--resume")
        assert refused.returncode == 2 and "is no run's folder" in refused.stderr, refused.stderr
    again = vgraph("run", "model.nn", "--out", "whole")
    assert again.returncode == 2 and "--resume" in again.stderr, again.stderr
    longer = start("locked", "--steps", "100000")
    while not os.path.exists("locked/checkpoint.safetensors"):
        time.sleep(0.01)
    both = vgraph("run", "model.nn", "--out", "locked", "--resume", "--steps", "100000")
    longer.kill()
    longer.wait()
    assert both.returncode == 4 and "another run is writing to 'locked'" in both.stderr, both.stderr
    shutil.copytree("whole", "other")
    text = MODEL.replace("0.2)", "0.3)")
    open("changed.nn", "w").write(text)
    refused = vgraph("run", "changed.nn", "--out", "other", "--resume")
    assert refused.returncode == 2 and "line 6 of 'changed.nn' was" in refused.stderr, refused.stderr
    for at in (0, 7, 8, 100, 2000, -1):
        content = open("whole/checkpoint.safetensors", "rb").read()
        open("other/checkpoint.safetensors", "wb").write(content[:at])
        refused = vgraph("run", "model.nn", "--out", "other", "--resume")
        assert refused.returncode == 4 and "checkpoint.safetensors" in refused.stderr, (at, refused.stderr)
        assert open("other/checkpoint.safetensors", "rb").read() == content[:at]


def test_best_is_the_lowest():
    losses = {}
    for line in open("whole.jsonl"):
        record = json.loads(line)
        if record["kind"] == "scalar" and record["tag"] == "loss" and record.get("split") == "test":
            losses[record["step"]] = record["value"]
    best = min(losses, key=losses.get)
    assert 0 < best < 400, losses
    place = json.loads(read("whole/best.safetensors")[1]["vgraph.run"])
    assert place["step"] == best and abs(place["best"] - losses[best]) < 1e-6
    told = vgraph("eval", "whole/best.safetensors")
    assert told.returncode == 0 and "40 test examples" in told.stdout, told.stderr
    value = float(told.stdout.split("loss")[1].split()[0])
    assert abs(value - losses[best]) < 1e-5 * losses[best], (value, losses[best])


# ---- loading

def test_names_that_do_not_fit():
    tensors, _ = read("whole/checkpoint.safetensors")
    del tensors["g.b"]
    tensors["g.weight"] = ("F32", [2], bytes(8))
    dtype, shape, content = tensors["logits.W"]
    tensors["logits.W"] = (dtype, shape[::-1], content)
    tensors["seen"] = ("F8_E4M3", [], bytes(1))
    write("foreign.safetensors", tensors)
    wrong = vgraph("run", "model.nn", "--load", "foreign.safetensors", "--no-files")
    assert wrong.returncode == 1, wrong.stderr
    for line in ("missing: g.b F32 [12]", "unexpected: g.weight F32 [2]",
                 "of another shape: logits.W is F32 [2, 12] in the file, and F32 [12, 2] in the model",
                 "of another shape: seen is F8_E4M3 [] in the file, and F32 [] in the model",
                 "loaded: h.dense.W F32 [2, 12]", "--partial"):
        assert line in wrong.stderr, (line, wrong.stderr)
    partly = vgraph("run", "model.nn", "--load", "foreign.safetensors", "--partial", "--steps", "1", "--quiet", "--out", "p")
    assert partly.returncode == 3, partly.stderr
    assert "not loaded: g.b F32 [12] is not in the file" in partly.stderr
    assert "g.weight F32 [2] is not in the model" in partly.stderr and "findings" not in partly.stderr


def test_types_of_other_programs():
    open("line.nn", "w").write("var w: [3] = 0\nvar k: [2] = 0\nstate n: [2] = 0\nstate u: [2] = 0\n")
    half = struct.pack("<3e", 1.5, -2, 6e-8)
    bfloat = b"".join(struct.pack("<f", v)[2:] for v in (0.5, -256))
    write("types.safetensors", {"w": ("F16", [3], half), "k": ("BF16", [2], bfloat),
                                "n": ("I64", [2], struct.pack("<2q", 7, -2 ** 31)), "u": ("U8", [2], b"\x00\xff")},
          {"format": "pt"})
    shown = vgraph("print", "line.nn", "--load", "types.safetensors", "w", "k", "n", "u", "--format", "json")
    assert shown.returncode == 0, shown.stderr
    w, k, n, u = (json.loads(line)["data"] for line in shown.stdout.splitlines())
    assert w[:2] == [1.5, -2] and abs(w[2] - 2 ** -24) < 1e-12 and k == [0.5, -256] and n == [7, -2.14748365e+09], shown.stdout
    assert u == [0, 255]


def test_nothing_that_fits():
    write("strange.safetensors", {"fc1.weight": ("F32", [2], bytes(8))})
    wrong = vgraph("run", "model.nn", "--load", "strange.safetensors", "--partial", "--no-files")
    assert wrong.returncode == 1 and "has nothing that the model could load" in wrong.stderr, wrong.stderr


def test_where_files_are_written():
    open("target.csv", "w").write("old\n")
    os.chmod("target.csv", 0o600)
    os.symlink("target.csv", "link.csv")
    done = vgraph("predict", "whole", "--fetch", "argmax(logits)", "--out", "link.csv")      # the folder stands for its checkpoint
    assert done.returncode == 0 and os.path.islink("link.csv"), done.stderr
    assert open("target.csv").read().startswith("argmax(logits)\n") and os.stat("target.csv").st_mode & 0o777 == 0o600
    shutil.copytree("whole", "linked")
    os.rename("linked/checkpoint.safetensors", "far.safetensors")
    os.chmod("far.safetensors", 0o640)
    os.symlink("../far.safetensors", "linked/checkpoint.safetensors")
    assert vgraph("run", "model.nn", "--out", "linked", "--resume", "--steps", "404", "--quiet").returncode == 3
    assert os.path.islink("linked/checkpoint.safetensors") and os.stat("far.safetensors").st_mode & 0o777 == 0o640
    assert json.loads(read("far.safetensors")[1]["vgraph.run"])["step"] == 404


def test_a_loaded_run_begins_again():
    done = vgraph("run", "model.nn", "--load", "whole/checkpoint.safetensors", "--steps", "1", "--quiet", "--out", "again",
                  "--set", "train.optimizer=sgd(rate = 0)", "--set", "train.checkpoint_best=loss")
    assert done.returncode in (0, 3), done.stderr
    assert values_of("again/checkpoint.safetensors", "g.W") == values_of("whole/checkpoint.safetensors", "g.W")
    assert json.loads(read("again/checkpoint.safetensors")[1]["vgraph.run"])["step"] == 1
    assert not [name for name in read("again/checkpoint.safetensors")[0] if name.startswith("train.")]


# ---- without the model's file and its data

def test_in_an_empty_folder():
    os.makedirs("there/parts")
    open("there/parts/layer.nn", "w").write("const gain = 2\n")
    rows = [(a, b, "yes" if a > b else "no") for a, b in ((i * 37 % 101 / 10, i * 53 % 97 / 10) for i in range(100))]
    with open("there/points.csv", "w") as file:
        file.write("a,b,verdict\n" + "".join(f"{a},{b},{v}\n" for a, b, v in rows))
    scale = struct.pack("<2f", 1, 1)
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(117) + "\n"
    open("there/scale.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head.encode() + scale)
    open("there/model.nn", "w").write("""
use "parts/layer.nn" (gain = 3)
data points = csv("points.csv", target = "verdict", scale = "standard")
input x: [batch, 2] = points.features
input y: [batch] = points.verdict
logits = dense(x * load("scale.npy") * gain, 2)
loss = mean(cross_entropy(logits, y))
train loss { optimizer = adam(rate = 0.05); batch = 20; epochs = 40 }
summary scalar loss, mean(argmax(logits) == y) as "accuracy"
""")
    done = vgraph("run", "there/model.nn", "--out", "trained", "--quiet")
    assert done.returncode == 0, done.stderr
    want = vgraph("predict", "there/model.nn", "--load", "trained/checkpoint.safetensors", "--input", "x=there/points.csv",
                  "--fetch", "argmax(logits)", "--fetch", "logits")
    assert want.returncode == 0, want.stderr
    right = [int(line.split(",")[0]) for line in want.stdout.splitlines()[1:]]
    assert sum((v == "yes") == bool(p) for (_, _, v), p in zip(rows, right)) > 90, want.stdout
    with tempfile.TemporaryDirectory() as empty:
        shutil.copy("trained/checkpoint.safetensors", empty)
        shutil.rmtree("there")
        text = "b,a\n" + "".join(f"{b},{a}\n" for a, b, _ in rows)      # in another order
        for source, given in (("-", text), ("x.csv", None)):
            if not given:
                open(os.path.join(empty, source), "w").write(text)
            told = vgraph("predict", "checkpoint.safetensors", "--input", "x=" + source, "--fetch", "argmax(logits)", "--fetch",
                          "logits", folder=empty, text=given)
            assert told.returncode == 0, told.stderr
            assert told.stdout == want.stdout
        words = vgraph("predict", "checkpoint.safetensors", "--input", "x=x.csv", "--fetch", "argmax(logits)", "--classes",
                       "points.verdict", folder=empty)
        assert words.stdout.splitlines()[1:] == ["no yes".split()[k] for k in right], words.stderr
        lines = vgraph("predict", "checkpoint.safetensors", "--input", "x=x.csv", "--fetch", "argmax(logits)", "--classes",
                       "points.verdict", "--format", "json", folder=empty)
        assert json.loads(lines.stdout.splitlines()[0])["argmax(logits)"] in ("no", "yes")
        for column in ("points.a", "points", "verdict", "other.verdict"):
            wrong = vgraph("predict", "checkpoint.safetensors", "--fetch", "logits", "--classes", column, folder=empty)
            assert wrong.returncode == 2 and "is no column of words" in wrong.stderr, wrong.stderr
        nowhere = vgraph("eval", "checkpoint.safetensors", folder=empty)
        assert nowhere.returncode == 4 and "points.csv" in nowhere.stderr, nowhere.stderr
        assert vgraph("describe", "checkpoint.safetensors", folder=empty).returncode == 0
        for name, wrong in (("a\n1\n", "b"), ("a,b\n1,2\n3\n", "3"), ("a,b\n1,x\n", "x"), ("", "")):
            open(os.path.join(empty, "wrong.csv"), "w").write(name)
            told = vgraph("predict", "checkpoint.safetensors", "--input", "x=wrong.csv", "--fetch", "logits", "--out", "p.csv",
                          folder=empty)
            assert told.returncode == 4 and "wrong.csv" in told.stderr and wrong in told.stderr, told.stderr
            assert not os.path.exists(os.path.join(empty, "p.csv"))
        needs = vgraph("predict", "checkpoint.safetensors", "--input", "x=x.csv", "--fetch", "argmax(logits) == y", folder=empty)
        assert needs.returncode == 2 and "needs the input 'y', too" in needs.stderr, needs.stderr
        unknown = vgraph("predict", "checkpoint.safetensors", "--input", "z=x.csv", "--fetch", "logits", folder=empty)
        assert unknown.returncode == 2 and "no such input" in unknown.stderr, unknown.stderr


def test_predictions_are_those_of_the_run():
    told = vgraph("predict", "whole/checkpoint.safetensors", "--fetch", "logits", "--format", "json", "--set", "train[1].batch=7")
    rows = [json.loads(line)["logits"] for line in told.stdout.splitlines()]
    assert len(rows) == 40, told.stderr
    one = vgraph("predict", "whole/checkpoint.safetensors", "--fetch", "logits", "--out", "p.npy")
    assert one.returncode == 0, one.stderr
    content = open("p.npy", "rb").read()
    numbers = struct.unpack("<80f", content[-320:])
    assert b"'shape': (40, 2, )" in content
    flat = [v for row in rows for v in row]
    assert all(abs(a - b) < 1e-5 * max(1, abs(b)) for a, b in zip(flat, numbers)), (flat[:4], numbers[:4])
    scalar = vgraph("predict", "whole/checkpoint.safetensors", "--fetch", "loss")
    assert scalar.returncode == 2 and "no row for each example" in scalar.stderr, scalar.stderr


# ---- what fails

def test_a_folder_that_cannot_be_written():
    done = vgraph("run", "model.nn", "--out", "/proc/nowhere", "--quiet", "--steps", "4")
    assert done.returncode == 4 and "/proc/nowhere" in done.stderr, done.stderr
    shutil.copytree("set", "small")
    before = open("small/checkpoint.safetensors", "rb").read()
    limited = subprocess.run([PROGRAM, "run", "model.nn", "--out", "small", "--resume", "--quiet", "--steps", "9", "--set",
                              "units=5", "--set", "train[2].every=2"], capture_output=True, text=True, timeout=60,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)))
    assert limited.returncode == 4 and "File too large" in limited.stderr, limited.stderr
    assert open("small/checkpoint.safetensors", "rb").read() == before
    shown = vgraph("predict", "whole/checkpoint.safetensors", "--fetch", "logits", "--out", "/dev/full", "--format", "csv")
    assert shown.returncode == 4 and "/dev/full" in shown.stderr, shown.stderr
    pipe = subprocess.run(f"{PROGRAM} predict whole/checkpoint.safetensors --fetch h --format json | head -1", shell=True,
                          capture_output=True, text=True, timeout=60)
    assert pipe.stderr == "" and pipe.stdout.startswith('{"h":'), pipe.stderr


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        open("model.nn", "w").write(MODEL)
        tests = [(name, value) for name, value in globals().items() if name.startswith("test_")]
        for name, test in tests:
            try:
                test()
            except Exception as error:      # every one is told of
                print(f"FAILED {name}\n{type(error).__name__}: {error}")
                failed += 1
        os.chdir("/")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
