#!/usr/bin/env python3
"""vgraph doctor over networks that are sick in one way each, and healthy ones: battery.txt says what it has to find.

With --verbose, prints what was found for each, and how many of each set were right.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def cases():
    with open(os.path.join(HERE, "battery.txt"), encoding="utf-8") as table:
        for line in table:
            words = line.split("#")[0].split()
            if words:
                yield words[0], words[1].split(","), words[2], words[3:]


def findings(program, model, options):
    command = [program, "doctor", os.path.join(HERE, model), "--jsonl", "-", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3, 5):
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if line["kind"] == "finding" and line["severity"] == "fault"]


def main():
    program, verbose = sys.argv[1], "--verbose" in sys.argv
    right, count, wrong = {}, {}, []
    for group, expected, model, options in cases():
        found = findings(program, model, options)
        first = found[0]["rule"] if found else "none"
        key = (group, "healthy" if expected == ["none"] else "sick")
        count[key] = count.get(key, 0) + 1
        right[key] = right.get(key, 0) + (first in expected)
        what = f"{model} {' '.join(options)}: expected {' or '.join(expected)}, found " + ", ".join(
            f"{f['rule']} {float(f['value']):.3g}" for f in found or [{"rule": "none", "value": 0}])
        if first not in expected:
            wrong.append(what)
        if verbose:
            print("      " if first in expected else "WRONG ", what, flush=True)
    for key, total in sorted(count.items()):
        print(f"{key[0]} {key[1]}: {right[key]} of {total}")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
