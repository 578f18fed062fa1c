#!/usr/bin/env python3
"""Every model under models/ has the right gradients, and the right derivatives of them: `vgraph gradcheck` in both orders,
on small batches. `test_gradcheck_models.py PROGRAM [MODEL...]` checks some of them; two run at a time."""
import concurrent.futures
import glob
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
TOLERANCE = 1e-7
SKIPPED = 0.01      # of all entries
AT_ONCE = 2

# Smaller, where a model's size makes differences slow: what is checked are the same layers.
OPTIONS = {
    "fifty": ["--set", "hidden=16"],
    "gru": ["--set", "units=16"],
    "lstm": ["--set", "units=16"],
    "transformer": ["--set", "length=12", "--set", "width=16", "--batch", "4"],
    "residual": ["--batch", "4"],
    "lenet": ["--batch", "4"],
}

# In the black margin of a digit a convolution is its bias, which is 0 at first: relu is at its kink there, and has no
# derivative by the bias. These models see noise instead, which is black nowhere.
NOISE = {"lenet", "residual"}


def write_noise(folder):
    """A pair of IDX files: 64 pictures of 28 x 28 bytes from 1 to 255, labels from 0 to 9."""
    source = random.Random(1)
    images, labels = os.path.join(folder, "images"), os.path.join(folder, "labels")
    with open(images, "wb") as file:
        file.write(struct.pack(">IIII", 0x803, 64, 28, 28) + bytes(source.randint(1, 255) for _ in range(64 * 784)))
    with open(labels, "wb") as file:
        file.write(struct.pack(">II", 0x801, 64) + bytes(k % 10 for k in range(64)))
    return 'digits=idx("%s", "%s")' % (images, labels)


def check(path, second, noise):
    """One line about a model in one order, and whether it is as it has to be."""
    name = os.path.splitext(os.path.basename(path))[0]
    options = list(OPTIONS.get(name, []))
    if "--batch" not in options:
        options += ["--batch", "8"]
    if name in NOISE:
        options += ["--data", noise]
    if second:
        options.append("--second")
    started = time.time()
    done = subprocess.run([PROGRAM, "gradcheck", path, *options], capture_output=True, text=True)
    seconds = time.time() - started
    found = re.search(r"^\d+ variables?: (?:(\d+) wrong, )?(\d+) checked, (\d+) skipped .*worst (\S+)$", done.stdout, re.M)
    if not found:
        return "%s%s: exit %d\n%s%s" % (name, " --second" if second else "", done.returncode, done.stdout, done.stderr), False
    checked, skipped, worst = int(found.group(2)), int(found.group(3)), float(found.group(4))
    right = done.returncode == 0 and worst <= TOLERANCE and checked > 0 and skipped <= SKIPPED * (checked + skipped)
    text = "%-22s %-6s %8d checked %5d skipped   worst %.1e %6.1f s%s" % (
        name, "second" if second else "first", checked, skipped, worst, seconds, "" if right else "   WRONG")
    return text if right else text + "\n" + done.stdout, right


def main():
    wanted = set(sys.argv[2:])
    paths = sorted(glob.glob(os.path.join(ROOT, "models", "*.nn")))
    if wanted:
        paths = [path for path in paths if os.path.splitext(os.path.basename(path))[0] in wanted]
    assert paths
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        noise = write_noise(folder)
        results = pool.map(lambda job: check(job[0], job[1], noise), [(path, second) for path in paths for second in (False, True)])
        wrong = 0
        for text, right in results:
            print(text, flush=True)
            wrong += not right
    print("%d models, %d wrong" % (len(paths), wrong))
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
