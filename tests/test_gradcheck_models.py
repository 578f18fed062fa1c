#!/usr/bin/env python3
"""Every model under models/ has the right gradients, and the right derivatives of them: `vgraph gradcheck` in both
orders, on small batches. `test_gradcheck_models.py PROGRAM [MODEL...]` checks some of them; two run at a time."""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import small_models

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
TOLERANCE = 1e-7
SKIPPED = 0.01      # of all entries
TOTALS = re.compile(r"^\d+ variables?: (?:\d+ wrong, )?(\d+) checked, (\d+) skipped .*worst (\S+)$", re.M)
AT_ONCE = 2

# Smaller, where a model's size makes differences slow: what is checked are the same layers.
OPTIONS = small_models.options(small_models.GRADIENTS)


def check(path, second):
    """One line about a model in one order, and whether it is as it has to be."""
    name = os.path.splitext(os.path.basename(path))[0]
    options = OPTIONS[name] + (["--second"] if second else [])
    started = time.time()
    done = subprocess.run([PROGRAM, "gradcheck", path, *options], capture_output=True, text=True)
    seconds = time.time() - started
    found = TOTALS.search(done.stdout)
    if not found:
        return "%s %s: exit %d\n%s%s" % (name, options, done.returncode, done.stdout, done.stderr), False
    checked, skipped, worst = int(found.group(1)), int(found.group(2)), float(found.group(3))
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
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda job: check(*job), [(path, second) for path in paths for second in (False, True)])
        for text, right in results:
            print(text, flush=True)
            wrong += not right
    print("%d models, %d wrong" % (len(paths), wrong))
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
