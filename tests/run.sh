#!/usr/bin/env bash
# All tests: builds with the address and undefined-behaviour sanitizers, warnings being errors, runs ctest, and fuzzes
# the front for a minute from the corpus.
#   --fast    without the fuzzing
#   --bless   rewrite the golden files from what the program says now; read the difference before committing it
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/packages.sh

fast=no bless=no
for option in "$@"; do
    case "$option" in
    --fast) fast=yes ;;
    --bless) bless=yes ;;
    *) echo "usage: tests/run.sh [--fast] [--bless]" >&2; exit 2 ;;
    esac
done

install_packages $build_packages $test_packages
if apt-cache show $browser_packages >/dev/null 2>&1; then
    install_packages $browser_packages
fi
echo "== building with sanitizers into .build/asan"
cmake --preset asan -DVGRAPH_WERROR=ON >/dev/null
cmake --build --preset asan -j "$(nproc)"

if [ "$bless" = yes ]; then
    for source in $(grep -l -e '--bless' tests/test_*.c); do
        ".build/asan/tests/$(basename "$source" .c)" --bless
    done
fi

if [ "$fast" = no ]; then
    install_packages $fuzz_packages
    echo "== fuzzing for 60 seconds"
    tests/fuzz/run.sh 60
fi

echo "== testing"
ctest --preset asan -j "$(nproc)"
