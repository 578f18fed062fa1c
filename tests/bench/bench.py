#!/usr/bin/env python3
"""How fast a training step is, beside the floor under it and beside PyTorch: see run.sh, which builds and calls this.

Each workload is measured by processes that live as long as it takes and take turns in slices of a tenth of a second:
vgraph (step.c), the floor (floor.c: the matrix products alone), PyTorch where it is installed (step_torch.py), and a
copy of 64 MB, counted as STREAM does, read and written. A ratio is the median of the rounds' ratios of medians; p5
behind it is the ratio of the 5th percentiles of all steps. spread: from the 5th to the 95th percentile, as a share of
the median. aim: what the ratio should reach, at most where a low one is good.
"""
import argparse
import datetime
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from contenders import SPIN, Contender, Torch, duration, find_torch, interleave, table

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, ".build", "release")
COPIED = 2 * (64 << 20)


class Workload:
    """floor, torch, threads: what is aimed at; how many times the floor at most, PyTorch's time and one thread's at
    least. None: nothing, or not measured (threads)."""

    def __init__(self, title, batch, model, changes=(), floor=None, torch=None, threads=None, histograms=False):
        self.title, self.batch, self.floor, self.torch, self.threads = title, batch, floor, torch, threads
        self.histograms = histograms
        self.arguments = [f"--batch={batch}"] + [f"--set={c}" for c in changes] + [os.path.join(HERE, model)]


WORKLOADS = {
    "W1": Workload("784-128x4-10 sigmoid", 128, "dense.nn", floor=1.05, threads=1.7, histograms=True),
    "W2": Workload("784-512x4-10 relu", 256, "dense.nn", ["hidden=512", "act=relu", "init=he_normal()"], floor=1.03,
                   threads=1.85, histograms=True),
    "W3": Workload("2-16-16-2 tanh", 32, "small.nn", floor=1.0, threads=1.0),
    "W4": Workload("784-128x64-10 tanh", 128, "dense.nn", ["depth=64", "act=tanh", "init=lecun_normal()"], floor=1.08,
                   threads=1.8, histograms=True),
    "W5": Workload("convolutions 8, 16, dense 64, 10", 64, "conv.nn", floor=1.25, threads=1.8),
    "W6": Workload("LSTM 64, 32 steps", 32, "lstm.nn", torch=1.5),
    "W7": Workload("2 transformer blocks, 128 wide", 16, "transformer.nn", torch=1.5),
    "W8": Workload("W1 with Adam", 128, "dense.nn", ["train.optimizer=adam(rate = 0.001)"], torch=1.5),
}
BUSY_GOAL, HISTOGRAM_GOAL = 1.2, 1.1
LOW = 0.05      # the quantile of steps that nothing disturbed


def aim(ratio):
    return f"{ratio:.2f}" if ratio else ""


def program(name):
    return os.path.join(BUILD, "tests", "bench", "bench_" + name)


def ours(workload, threads=1, extra=()):
    command = [program("step"), f"--threads={threads}", *extra, *WORKLOADS[workload].arguments]
    return Contender(command)


def floor(workload, threads=1):
    return Contender([program("floor"), workload, str(threads)], pause=SPIN if threads > 1 else 0,
                     share=0.2 if workload == "copy" else 1)


class Bench:
    def __init__(self, names, quick, cpu, markdown):
        self.names, self.quick, self.cpu, self.markdown = names, quick, cpu, markdown
        Contender.verb = "cpu" if cpu else "go"
        self.rounds, self.seconds, self.tuning, self.jobs = (5, 0.05, 0.05, 3) if quick else (13, 0.1, 0.12, 7)
        self.load = os.getloadavg()[0]
        self.python = find_torch()
        self.torch_version = None
        self.libraries, self.copies, self.tables = {}, [], []

    def say(self, what):
        print(what, file=sys.stderr, flush=True)

    def measure(self, contenders, names=None):
        series = interleave(contenders, self.rounds, self.seconds)
        for name, contender in contenders.items():
            self.libraries.setdefault(names[name] if names and name in names else name, contender.blas())
        return series

    def torch(self, threads):
        """PyTorch on so many threads, or None."""
        if not self.python:
            return None
        torch = Torch(self.python, threads, self.quick)
        self.torch_version = torch.version
        return torch

    def add_table(self, title, header, rows):
        if rows:
            self.tables.append(table(title, header, rows, self.markdown))

    # ---- one thread

    def one_thread(self):
        torch, copy, rows = self.torch(1), floor("copy"), []
        for name in self.names:
            self.say(f"{name}, one thread")
            workload = WORKLOADS[name]
            contenders, how = {"vgraph": ours(name), "floor": floor(name), "copy": copy}, ""
            if torch:
                contenders["PyTorch"], how = torch.best(name, self.tuning)
            series = self.measure(contenders, {"PyTorch": f"PyTorch, {how.split(',')[0]}"})
            self.copies.append(series["copy"].median)
            rows.append(self.one_thread_row(name, workload, series, how))
            contenders["vgraph"].close()
            contenders["floor"].close()
        copy.close()
        if torch:
            torch.close()
        self.add_table("One thread", ["", "batch", "vgraph", "p5", "spread", "floor", "spread", "PyTorch", "spread",
                                      "its best", "vgraph / floor", "p5", "aim", "PyTorch / vgraph", "p5", "aim"], rows)

    @staticmethod
    def one_thread_row(name, workload, series, how):
        mine, least, torch = series["vgraph"], series["floor"], series.get("PyTorch")
        row = [f"{name} {workload.title}", str(workload.batch)]
        row += [duration(mine.median), duration(mine.at(LOW)), f"{mine.spread:.0%}"]
        for other in (least, torch):
            row += [duration(other.median), f"{other.spread:.0%}"] if other else ["", ""]
        row += [how, f"{mine.over(least):.2f}", f"{mine.over(least, LOW):.2f}", aim(workload.floor)]
        return row + ([f"{torch.over(mine):.2f}", f"{torch.over(mine, LOW):.2f}"] if torch else ["", ""]) + [
            aim(workload.torch)]

    # ---- two threads

    def two_threads(self):
        names, rows = [name for name in self.names if WORKLOADS[name].threads], []
        if not names or len(os.sched_getaffinity(0)) < 2:
            return
        torch = self.torch(2)
        for name in names:
            self.say(f"{name}, two threads")
            contenders, how = {"one": ours(name), "two": ours(name, 2), "floor": floor(name, 2)}, ""
            if torch:
                contenders["PyTorch"], how = torch.best(name, self.tuning)
            series = self.measure(contenders, {"one": "vgraph", "two": "vgraph",
                                               "PyTorch": f"PyTorch, {how.split(',')[0]}"})
            busy = self.beside_busy({key: contenders[key] for key in ("one", "two")})
            rows.append(self.two_threads_row(name, series, busy, how))
            for key in ("one", "two", "floor"):
                contenders[key].close()
        if torch:
            torch.close()
        self.add_table("Two threads", ["", "vgraph", "p5", "one / two, p5", "aim", "floor", "PyTorch", "its best",
                                       "vgraph / floor, p5", "PyTorch / vgraph, p5", "two / one, a core busy", "aim"],
                       rows)

    def beside_busy(self, contenders):
        """The same while another process keeps the last core busy."""
        core = max(os.sched_getaffinity(0))
        spinner = subprocess.Popen(["sh", "-c", "while :; do :; done"],
                                   preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        try:
            return interleave(contenders, self.rounds, self.seconds)
        finally:
            spinner.kill()
            spinner.wait()

    @staticmethod
    def two_threads_row(name, series, busy, how):
        one, two, least, torch = (series.get(key) for key in ("one", "two", "floor", "PyTorch"))
        return [f"{name} {WORKLOADS[name].title}", duration(two.median), duration(two.at(LOW)),
                f"{one.over(two, LOW):.2f}", aim(WORKLOADS[name].threads), duration(least.median),
                duration(torch.median) if torch else "", how, f"{two.over(least, LOW):.2f}",
                f"{torch.over(two, LOW):.2f}" if torch else "", f"{busy['two'].over(busy['one']):.2f}",
                aim(BUSY_GOAL)]

    # ---- watched

    def histograms(self):
        rows = []
        for name in (name for name in self.names if WORKLOADS[name].histograms):
            self.say(f"{name}, watched")
            with tempfile.TemporaryDirectory() as folder:
                watched = ['--summary=histogram grad(loss, vars("**.W"))', f"--out={folder}"]
                contenders = {"bare": ours(name), "watched": ours(name, extra=watched)}
                series = self.measure(contenders, {"bare": "vgraph", "watched": "vgraph"})
                for contender in contenders.values():
                    contender.close()
            bare, watched = series["bare"], series["watched"]
            rows.append([f"{name} {WORKLOADS[name].title}", duration(bare.median), duration(watched.median),
                         f"{watched.over(bare):.2f}", f"{watched.over(bare, LOW):.2f}", aim(HISTOGRAM_GOAL)])
        self.add_table("Histograms of all weight gradients at every step, in the event file; one thread",
                       ["", "without", "with", "with / without", "p5", "aim"], rows)

    # ---- whole programs

    def job(self, *command):
        """The medians of seconds and peak MB."""
        with tempfile.TemporaryDirectory() as folder:
            said = subprocess.run([program("job"), str(self.jobs), *command], cwd=folder, check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
        runs = [line.split() for line in said.splitlines()]
        if any(run[-1] != "0" for run in runs):
            sys.exit(f"{' '.join(command)} failed: {said}")
        return (statistics.median(float(run[self.cpu]) for run in runs),
                statistics.median(int(run[2]) for run in runs) / 1e3)

    def start(self):
        """Milliseconds from the main model's text to the end of its first step, with hardly any data."""
        times = []
        for _ in range(self.jobs):
            contender = Contender([program("step"), "--data=digits=digits(count = 20)", "--batch=8",
                                   os.path.join(ROOT, "models", "deep_sigmoid.nn")])
            times.append(float(contender.greeting[2 + self.cpu]))
            contender.close()
        return statistics.median(times)

    def programs(self):
        self.say("whole programs")
        vgraph = os.path.join(BUILD, "vgraph")
        main = self.job(vgraph, "run", os.path.join(ROOT, "models", "deep_sigmoid.nn"))
        deep = self.job(vgraph, "check", os.path.join(HERE, "deep.nn"))
        self.add_table("Whole programs", ["", "measured", "aim"], [
            ["vgraph run models/deep_sigmoid.nn", f"{main[0]:.3f} s, {main[1]:.0f} MB", "0.4 s, 64 MB"],
            ["from its text to the first step, 20 digits drawn", f"{self.start():.1f} ms", "5 ms"],
            ["vgraph check tests/bench/deep.nn, 10,000 layers", f"{deep[0]:.3f} s, {deep[1]:.0f} MB", "0.3 s"]])

    # ---- all of it

    def heading(self, seconds):
        with open("/proc/cpuinfo") as info:
            model = re.search(r"model name\s*: (.*)", info.read())
        revision = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()
        core = Contender([program("floor"), "W3"])
        lines = [f"{datetime.date.today():%d %B %Y}, vgraph {revision}, {model[1] if model else os.uname().machine}, "
                 f"{len(os.sched_getaffinity(0))} cores, Linux {os.uname().release}: {self.rounds} rounds, "
                 f"{seconds:.0f} s{', processor time' if self.cpu else ''}",
                 f"processes that wanted a core just before: {self.load:.1f} (the load average)",
                 f"OpenBLAS takes this for {core.greeting[2]}",
                 f"PyTorch: {self.torch_version or 'not installed'}"]
        core.close()
        if self.copies:
            lines.insert(2, f"copy of 64 MB: {COPIED / statistics.median(self.copies):.1f} GB/s read and written")
        lines += [f"{name} has mapped {', '.join(paths) or 'no BLAS'}"
                  for name, paths in sorted(self.libraries.items()) if name != "copy"]
        return "\n".join(f"- {line}" for line in lines) + "\n"

    def run(self, whole):
        begun = time.monotonic()
        self.one_thread()
        if not self.cpu:
            self.two_threads()
        self.histograms()
        if whole:
            self.programs()
        print(self.heading(time.monotonic() - begun))
        print("\n".join(self.tables))


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="workloads: " + "; ".join(f"{k} {w.title}" for k, w in WORKLOADS.items()))
    parser.add_argument("workload", nargs="*", help="only these, and no whole programs")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--cpu", action="store_true", help="processor time (of a step: spent on its thread) "
                        "instead of the clock's, for a machine that others keep busy; nothing on two threads")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown, as README.md has them")
    options = parser.parse_args()
    for name in options.workload:
        if name not in WORKLOADS:
            parser.error(f"there is no workload '{name}'; there are {', '.join(WORKLOADS)}")
    Bench(options.workload or list(WORKLOADS), options.quick, options.cpu, options.markdown).run(not options.workload)


if __name__ == "__main__":
    main()
