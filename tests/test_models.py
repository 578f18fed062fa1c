#!/usr/bin/env python3
"""Every model under models/ checks, is short enough to read, and does what its first line says."""
import glob
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
import small_models

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))


def model_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def run(name, *options):
    """{tag: [values]} of a run's scalars, {tag: [lines]} of its histograms."""
    path = os.path.join(ROOT, "models", name + ".nn")
    done = subprocess.run([PROGRAM, "run", path, "--no-files", "--quiet", "--jsonl", "-", *options],
                          capture_output=True, text=True)
    assert done.returncode == 0, "%s: exit %d\n%s" % (name, done.returncode, done.stderr)
    found = {}
    for line in map(json.loads, done.stdout.splitlines()):
        if line["kind"] in ("scalar", "histogram") and "split" not in line:
            found.setdefault(line["tag"], []).append(line.get("value", line))
    return found


def test_short_and_right():
    files = sorted(glob.glob(os.path.join(ROOT, "models", "*.nn")))
    assert len(files) >= 24
    for path in files:
        lines = open(path).read().split("\n")
        assert len(lines) < 60, path
        assert all(len(line) <= 120 for line in lines), path
        assert lines[0].startswith("# models/%s: " % os.path.basename(path)), lines[0]
    done = subprocess.run([PROGRAM, "check", *files], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "" and done.stderr == "", done.stderr


def test_deep_sigmoid():
    found = run("deep_sigmoid")
    std = [found["grad(loss)/h[%d].W" % i][0]["std"] for i in range(1, 5)]
    assert std[0] < std[1] / 2 and std[1] < std[2] < std[3], std
    assert 5 < found["loss"][0] < 25 and found["loss"][-1] < found["loss"][0] / 2
    assert found["accuracy"][-1] < 0.5


def test_deep_relu():
    found = run("deep_relu")
    std = [found["grad(loss)/h[%d].W" % i][0]["rms"] for i in range(1, 5)]
    assert max(std) < 10 * min(std), std
    assert sum(found["accuracy"][-20:]) / 20 > 0.8, found["accuracy"][-20:]


def test_linear():
    found = run("linear")
    assert found["error"][0] == 8 and found["error"][-1] < 0.2


def test_xor():
    assert run("xor")["accuracy"][-1] > 0.9


def test_spirals():
    accuracy = run("spirals")["accuracy"]
    assert sum(accuracy[-10:]) / 10 > 0.95, accuracy[-10:]


# Whole trainings are tests/gallery.sh's; here a few steps of each model, its data small where that is what takes long.
def test_every_model_trains():
    """Every loss is finite, and the same one again with everything watched: watching changes no number (test_bits.c has
    the bits)."""
    small = small_models.options(small_models.STEPS)
    assert sorted(small) == sorted(map(model_of, glob.glob(os.path.join(ROOT, "models", "*.nn"))))

    def losses(path, *options):
        done = subprocess.run([PROGRAM, "run", path, "--no-files", "--quiet", "--jsonl", "-", "--steps", "4",
                               *small[model_of(path)], *options], capture_output=True, text=True)
        assert done.returncode in (0, 3), "%s: exit %d\n%s" % (path, done.returncode, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        found = [(line["step"], line["value"]) for line in lines if line["kind"] == "scalar" and "split" not in line
                 and line["tag"] in ("loss", "d_loss", "plain_loss")]
        assert found and all(isinstance(value, float) for _, value in found), (path, found)
        return found

    for path in sorted(glob.glob(os.path.join(ROOT, "models", "*.nn"))):
        watched = losses(path, "--summary", "histogram vars every 2", "--summary", "scalar rms(vars) every 2")
        assert losses(path) == watched, path


def test_sketches_train():
    """The language's first sketches, written before there was a program, say what they were meant to."""
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/golden/sketches", "*.nn"))):
        if "\ntrain " not in open(path).read():
            continue
        done = subprocess.run([PROGRAM, "run", path, "--no-files", "--quiet", "--jsonl", "-", "--steps", "3",
                               "--batch", "8"], capture_output=True, text=True)
        assert done.returncode == 0, "%s: exit %d\n%s" % (path, done.returncode, done.stderr)
        assert '"kind":"done","steps":3,' in done.stdout, (path, done.stdout[-300:])


def test_workloads_check():
    """The benchmark's models, with the settings that it gives them."""
    sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))
    from bench import WORKLOADS
    assert len(WORKLOADS) == 8
    for name, workload in WORKLOADS.items():
        done = subprocess.run([PROGRAM, "check", *workload.arguments], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", "%s: exit %d\n%s" % (name, done.returncode, done.stderr)


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    failed = 0
    for name, test in tests:
        try:
            test()
        except AssertionError as error:
            failed += 1
            print("FAILED %s\n%s" % (name, error))
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
