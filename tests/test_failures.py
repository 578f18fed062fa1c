#!/usr/bin/env python3
"""Every allocation and every write of a small run, one after the other, fails (as SQLite's tests do it): no crash, no leak,
one clear answer, and whatever was there before is whole. A run that goes on, and a prediction. FAILURES: how many calls
of a kind are tried, evenly spread, 0 for all; default 120. The sanitizers tell of what a crash would hide."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "tests", "vgraph_failing")
MOST = int(os.environ.get("FAILURES", "120"))
SANITIZED = 99

MODEL = """
data points = csv("points.csv", target = "kind", test = 0.25, scale = "standard")
input x: [batch, 2] = points.features
input y: [batch] = points.kind
h = dense(x, 4, act = tanh)
logits = dense(h, 2)
loss = mean(cross_entropy(logits, y))
train loss { optimizer = adam(rate = 0.01); batch = 4; steps = 6; eval_every = 3; checkpoint_best = loss; checkpoint_every = 2 }
summary scalar loss
summary histogram grad(loss, vars)
summary image reshape(h, [batch, 2, 2])
expect finite(loss)
"""


def run(folder, fail, *arguments):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "VGRAPH_FAIL": fail, "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8",
                               "ASAN_OPTIONS": f"exitcode={SANITIZED}:detect_leaks=1:allocator_may_return_null=1",
                               "UBSAN_OPTIONS": f"exitcode={SANITIZED}:halt_on_error=1"})


def step_of(path):
    """Of a whole checkpoint; anything else raises."""
    whole = open(path, "rb").read()
    length, = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8:8 + length])
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    assert max(ends) == len(whole) - 8 - length
    return json.loads(header["__metadata__"]["vgraph.run"])["step"]


def check_answer(done, where):
    assert done.returncode in (0, 4), f"{where}: exit status {done.returncode}\n{done.stderr}"
    assert done.returncode == 0 or done.stderr.strip(), f"{where}: no word about it"


def check_run(begun, whole, fail):
    """A run that goes on from its second step, with one failure; then it goes on without."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(begun, folder, dirs_exist_ok=True)
        done = run(folder, fail, "run", "model.nn", "--out", "r", "--resume", "--jsonl", "r.jsonl")
        check_answer(done, fail)
        path = os.path.join(folder, "r", "checkpoint.safetensors")
        assert step_of(path) in (2, 4, 6), fail
        if done.returncode == 0:
            assert step_of(path) == 6, f"{fail}: exit status 0, but the end is not kept"
        for name in os.listdir(os.path.join(folder, "r")):
            assert ".safetensors." not in name and ".json." not in name and ".html." not in name, f"{fail}: {name} is left"
        again = run(folder, "", "run", "model.nn", "--out", "r", "--resume", "--quiet")
        assert again.returncode == 0, f"{fail}, then: {again.stderr}"
        assert open(path, "rb").read() == whole, f"{fail}: what went on is not the same"
        json.load(open(os.path.join(folder, "r", "run.json")))


def check_predict(begun, whole, fail):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(begun, folder, dirs_exist_ok=True)
        out = os.path.join(folder, "p.csv")
        open(out, "w").write("before\n")
        done = run(folder, fail, "predict", "r/checkpoint.safetensors", "--fetch", "logits", "--out", "p.csv")
        check_answer(done, fail)
        assert open(out).read() == (whole if done.returncode == 0 else "before\n"), f"{fail}: p.csv is neither"
        assert sorted(os.listdir(folder)) == ["model.nn", "p.csv", "points.csv", "r"], f"{fail}: {os.listdir(folder)}"


def spread(count):
    if MOST == 0 or count <= MOST:
        return range(1, count + 1)
    return sorted({1 + k * (count - 1) // (MOST - 1) for k in range(MOST)})


def main():
    failed = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "points.csv"), "w") as file:
            file.write("a,b,kind\n" + "".join(f"{i * 7 % 11},{i * 5 % 13},{'ab'[i % 2]}\n" for i in range(32)))
        open(os.path.join(folder, "model.nn"), "w").write(MODEL)
        first = run(folder, "", "run", "model.nn", "--out", "r", "--quiet", "--steps", "2")
        assert first.returncode == 0, first.stderr
        with tempfile.TemporaryDirectory() as other:
            shutil.copytree(folder, other, dirs_exist_ok=True)
            told = run(other, "count", "run", "model.nn", "--out", "r", "--resume", "--jsonl", "r.jsonl")
            assert told.returncode == 0, told.stderr
            whole = open(os.path.join(other, "r", "checkpoint.safetensors"), "rb").read()
        with tempfile.TemporaryDirectory() as other:
            shutil.copytree(folder, other, dirs_exist_ok=True)
            shown = run(other, "count", "predict", "r/checkpoint.safetensors", "--fetch", "logits", "--out", "p.csv")
            assert shown.returncode == 0, shown.stderr
            rows = open(os.path.join(other, "p.csv")).read()
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            jobs = []
            for done, check, what, said in ((told, check_run, whole, "run"), (shown, check_predict, rows, "predict")):
                words = done.stderr.split()
                counts = {"alloc": int(words[words.index("alloc") + 1]), "write": int(words[-1])}
                counts["full"] = counts["write"]
                for kind, count in counts.items():
                    jobs += [pool.submit(check, folder, what, f"{kind} {n}") for n in spread(count)]
                print(f"{said}: {counts['alloc']} allocations, {counts['write']} writes")
            for job in jobs:
                tried += 1
                try:
                    job.result()
                except Exception as error:      # every one is told of
                    failed += 1
                    print(f"FAILED {type(error).__name__}: {error}")
    print(f"{tried} failures tried, {failed} wrong")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
