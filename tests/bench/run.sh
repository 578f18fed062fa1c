#!/usr/bin/env bash
# How fast a training step is: tests/bench/run.sh [W1 W2 ...] [--quick] [--cpu] [--markdown]
#
# vgraph's step, the matrix products alone (the floor), and PyTorch's step where it is installed, measured in turns; on
# one thread and on two; beside a busy core; with histograms of all weight gradients; whole programs. About three
# minutes, 40 s with --quick; --cpu counts processor time, for a machine that others keep busy; --markdown prints the
# tables of README.md. Builds into .build/release, installs nothing.
# PyTorch is tried with each flavour of OpenBLAS that is installed (libopenblas0-pthread, -openmp, -serial), and with
# those in the folders that BENCH_BLAS names (DIR:DIR).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
(
    cd "$root"
    cmake --preset release >/dev/null
    cmake --build --preset release --target bench -j "$(nproc)" >/dev/null
)
exec python3 -B "$root/tests/bench/bench.py" "$@"
