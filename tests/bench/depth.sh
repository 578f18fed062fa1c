#!/bin/sh
# tests/bench/depth.sh [PROGRAM [REPEATS]]: how time and memory grow with depth
#
# Checks and runs (20 steps) nets of 100, 1,000 and 10,000 layers: deep.nn without and with its summary of every
# layer's gradient, and recurrence.nn. A row gives the median of the repeats' seconds and peak memory, and what each
# layer beyond the row above costs: where both stay as they are from row to row, growth is linear.
# Needs /usr/bin/time as GNU has it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../../.build/release/vgraph}
repeats=${2:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

sed 's/^summary .*/summary scalar loss every 10/' "$here/deep.nn" >"$work/deep.nn"

median() { # of a column of the measurements
    cut -d ' ' -f "$1" "$work/times" | sort -n | sed -n "$(((repeats + 1) / 2))p"
}

row() { # label, file, constant, number, verb and its options
    label=$1 file=$2 constant=$3 number=$4 verb=$5
    shift 4
    : >"$work/times"
    for _ in $(seq "$repeats"); do
        /usr/bin/time -f '%e %M' -o "$work/times" -a "$program" "$@" "$file" --set "$constant=$number" >"$work/said" 2>&1 ||
            { cat "$work/said" >&2; exit 1; }
    done
    echo "$label $verb $number $(median 1) $(median 2)" >>"$work/rows"
}

for number in 100 1000 10000; do
    for verb in check "run --no-files --quiet"; do
        # shellcheck disable=SC2086 # the verb and its options are words
        {
            row deep "$work/deep.nn" depth "$number" $verb
            row deep+gradients "$here/deep.nn" depth "$number" $verb
            row recurrence "$here/recurrence.nn" length "$number" $verb
        }
    done
done

sort -s -k 1,2 "$work/rows" | awk '
    BEGIN { printf "%-15s %-6s %7s %9s %9s %12s %11s\n", "model", "verb", "layers", "seconds", "peak MB", "us a layer", "kB a layer" }
    {
        printf "%-15s %-6s %7d %9.2f %9.1f", $1, $2, $3, $4, $5 / 1000
        if ($1 $2 == last) printf " %12.0f %11.1f", ($4 - seconds) * 1e6 / ($3 - number), ($5 - memory) / ($3 - number)
        print ""
        last = $1 $2; number = $3; seconds = $4; memory = $5
    }'
