#!/usr/bin/env bash
# How many branches of the core the tests take: builds with counters, runs every test, and prints the share of each
# floor. Ends with 1 when a floor falls below what it must reach.
#   tests/coverage.sh [--missing]     with the lines that still have a branch nobody took
#
# Not counted: generated C, and the branches of assert(), which only a mistake of ours takes.
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/packages.sh

least=90 floors="front ir pass diag" missing=no
case "${1:-}" in
--missing) missing=yes ;;
"") ;;
*) echo "usage: tests/coverage.sh [--missing]" >&2; exit 2 ;;
esac

install_packages $build_packages $test_packages gcovr
build=.build/coverage
cmake --preset coverage -DVGRAPH_TESTS=ON >/dev/null
find "$build" -name '*.gcda' -delete
cmake --build --preset coverage -j "$(nproc)"
ctest --preset coverage -j "$(nproc)" --quiet || echo "some tests failed: see $build/Testing/Temporary/LastTest.log" >&2

# The table of one floor, made by gcovr, ends in: TOTAL <branches> <taken> <percent>%.
branches_of() {
    gcovr --root . --object-directory "$build" "$build/src" --filter "src/$1/" --branches \
        --exclude-unreachable-branches --exclude-throw-branches --exclude-branches-by-pattern '.*\bassert\(.*'
}

low=no
echo "== branches taken"
for floor in $floors; do
    table=$(branches_of "$floor")
    [ "$missing" = no ] || echo "$table"
    read -r _ all taken _ <<<"$(grep '^TOTAL' <<<"$table")"
    awk -v floor="src/$floor" -v all="$all" -v taken="$taken" -v least="$least" 'BEGIN {
        printf "%-10s %5.1f %%  (%d of %d)\n", floor, 100 * taken / all, taken, all
        exit 100 * taken / all < least }' || low=yes
done
if [ "$low" = yes ]; then
    echo "a floor is below $least %" >&2
    exit 1
fi
