"""The processes that take turns (contender.h), what they measured, and the table that shows it. For bench.py."""
import functools
import glob
import math
import os
import re
import statistics
import subprocess
import sys
import time


class Contender:
    """A process that takes steps when it is told to. `pause`: seconds until its idle threads no longer spin; `share`:
    of the time that others get."""

    verb = "go"     # "cpu": processor time

    def __init__(self, command, environment=None, pause=0.0, share=1.0):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **(environment or {})))
        self.command, self.pause, self.share = command, pause, share

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.command)} ended with status {self.process.wait()}")
        return line.split()

    @functools.cached_property
    def greeting(self):
        """What it says when it is ready; waited for when first asked for, so that several can start together."""
        return self.answer()

    def ask(self, *words):
        assert self.greeting[0] == "ready"
        print(*words, file=self.process.stdin, flush=True)
        return self.answer()

    def go(self, seconds):
        """The nanoseconds of the steps that it takes in that time, one by one."""
        return [int(word) for word in self.ask(self.verb, math.ceil(seconds * self.share * 1000))]

    def blas(self):
        """The BLAS libraries that it has mapped."""
        with open(f"/proc/{self.process.pid}/maps") as maps:
            return sorted(set(re.findall(r"(/\S*/lib\S*(?:blas|mkl|blis)\S*\.so\S*)", maps.read())))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def quantile(values, q):
    ordered = sorted(values)
    return ordered[int((len(ordered) - 1) * q)]


class Series:
    """The steps of one contender: nanoseconds, by round."""

    def __init__(self):
        self.rounds = []

    def at(self, q):
        return quantile([t for times in self.rounds for t in times], q)

    @property
    def median(self):
        return self.at(0.5)

    @property
    def spread(self):
        """From the 5th to the 95th percentile, as a share of the median."""
        return (self.at(0.95) - self.at(0.05)) / self.median

    def over(self, other, q=None):
        """The ratio of the medians, round by round, since what disturbs a round disturbs both: its median. With q the
        ratio at that quantile of all steps: a low one is what is left on a machine that is never quiet."""
        if q is not None:
            return self.at(q) / other.at(q)
        return statistics.median(statistics.median(a) / statistics.median(b)
                                 for a, b in zip(self.rounds, other.rounds))


def interleave(contenders, rounds, seconds):
    """Lets them take turns, beginning with another one in each round; {name: Series}."""
    for contender in contenders.values():
        contender.go(seconds / 10)
    series, names = {name: Series() for name in contenders}, list(contenders)
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            series[name].rounds.append(contenders[name].go(seconds))
            time.sleep(contenders[name].pause)
    return series


# ---- PyTorch

SPIN = 0.04     # OpenBLAS's and OpenMP's threads spin that long before they sleep


def find_torch():
    """An interpreter that has PyTorch, or None."""
    for python in (sys.executable, "/usr/bin/python3"):
        probe = [python, "-c", "import torch"]
        if os.path.exists(python) and subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


def blas_folders():
    """{flavour: folder} of Debian's OpenBLAS packages, and of the folders that BENCH_BLAS names."""
    folders = glob.glob("/usr/lib/*/openblas-*") + os.environ.get("BENCH_BLAS", "").split(":")
    found = {os.path.basename(os.path.normpath(folder)).replace("openblas-", ""): folder
             for folder in folders if folder and glob.glob(os.path.join(folder, "libblas.so*"))}
    return found or {"the system's BLAS": ""}


class Torch:
    """PyTorch with each of the BLAS flavours, or with one of them."""

    def __init__(self, python, threads, one):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "step_torch.py")
        self.flavours = {}
        for name, folder in list(blas_folders().items())[:1 if one else None]:
            environment = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
            if folder:
                environment["LD_LIBRARY_PATH"] = folder
            self.flavours[name] = Contender([python, script, str(threads)], environment, SPIN if threads > 1 else 0)
        self.version = next(iter(self.flavours.values())).greeting[2]

    def best(self, workload, seconds):
        """The fastest contender and what it is: all variants with the first flavour, the best with the others."""
        def tried(flavour, variant):
            contender = self.flavours[flavour]
            contender.ask("use", workload, variant)
            return quantile(contender.go(seconds), 0.25), flavour, variant

        first, *others = self.flavours
        best = min(tried(first, variant) for variant in self.flavours[first].ask("variants", workload))
        best = min([best] + [tried(flavour, best[2]) for flavour in others])
        self.flavours[best[1]].ask("use", workload, best[2])
        return self.flavours[best[1]], ", ".join([best[1]] + best[2].split("-"))

    def close(self):
        for contender in self.flavours.values():
            contender.close()


# ---- what is printed

def duration(nanoseconds):
    """Three digits at least, in us or ms."""
    us = nanoseconds / 1e3
    for unit, value in (("us", us), ("ms", us / 1e3)):
        if value < 10000:
            return f"{value:.{0 if value >= 1000 else 1 if value >= 100 else 2}f} {unit}"
    return f"{us / 1e6:.2f} s"


def table(title, header, rows, markdown):
    """Rows of texts under a header; the first column is flush left. '' where there is nothing to say."""
    if markdown:
        lines = [f"**{title}**", "", "| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"
    widths = [max(len(row[k]) for row in [header] + rows) for k in range(len(header))]
    lines = ["  ".join(cell.ljust(width) if k == 0 else cell.rjust(width)
                       for k, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in [header] + rows]
    return "\n".join([title] + ["  " + line for line in lines]) + "\n"
