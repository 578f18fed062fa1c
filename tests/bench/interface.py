#!/usr/bin/env python3
"""What a step costs through the C interface, beside the command line's: tests/bench/interface.py [--wall] [ROUNDS]

Two processes take turns, one that embeds the shared library (embed.c, which reads the loss after each step) and `vgraph
run`, of the same model and steps on one thread, without files. A step's time is that of many steps less that of a few,
divided by their number, so that what it takes to begin does not count; processor time, or the clock's with --wall.
"""
import os
import resource
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, ".build", "release")
MODELS = {"dense.nn": 1500, "small.nn": 300000, "conv.nn": 700}
FEW, GOAL = 20, 1.02


def seconds(command, wall):
    begun, spent = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begun if wall else now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime


def step(make, steps, wall):
    return (seconds(make(steps), wall) - seconds(make(FEW), wall)) / (steps - FEW)


def main():
    wall = "--wall" in sys.argv
    rounds = int(next((word for word in sys.argv[1:] if word.isdigit()), 9))
    quiet = dict(check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, **quiet)
    subprocess.run(["cmake", "--build", BUILD, "--target", "bench_embed", "vgraph_program"], **quiet)
    for name, steps in MODELS.items():
        path = os.path.join(HERE, name)
        contenders = {
            "interface": lambda n: [os.path.join(BUILD, "tests/bench/bench_embed"), path, str(n), "1"],
            "command": lambda n: [os.path.join(BUILD, "vgraph"), "run", path, "--steps", str(n), "--threads", "1", "--no-files",
                                  "--no-watch", "--quiet"],
        }
        times = {key: [] for key in contenders}
        for turn in range(rounds):
            for key in list(contenders)[::1 if turn % 2 else -1]:
                times[key].append(step(contenders[key], steps, wall))
        ratios = sorted(a / b for a, b in zip(times["interface"], times["command"]))
        low = min(times["interface"]) / min(times["command"])
        print("%-10s a step: interface %8.2f us, command line %8.2f us; ratio %.3f (best of each %.3f, rounds %.3f to %.3f), aim %.2f" % (
            name, *(statistics.median(times[key]) * 1e6 for key in contenders), statistics.median(ratios), low, ratios[0], ratios[-1], GOAL))


if __name__ == "__main__":
    main()
