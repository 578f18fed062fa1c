#!/bin/sh
# tests/bench/start.sh [BUILD [REPEATS]]: what it takes before the first step, and how that grows
#
# BUILD is a build's folder (.build/release). Three tables, each figure a median of REPEATS (a tenth of them for nets of
# more than a thousand layers): a process that only starts, one that checks the main model, and the main job whole; the
# main model from its text to its second step, with few data; checking nets of 1,000, 10,000 and 50,000 layers, plain,
# residual and recurrent, where a layer costs as much in each row when growth is linear.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:-$root/.build/release}" && pwd)
repeats=${2:-50}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# shellcheck disable=SC2046 # the flags are words
${CC:-cc} -O2 -D_GNU_SOURCE -I"$root/include" -o "$work/start" "$here/start.c" "$build/src/libvgraph.a" \
    $(pkg-config --libs openblas jansson libprotobuf-c libisal libpng libjpeg zlib) -lpthread -lm

row() { # label, repeats, command
    label=$1 times=$2
    shift 2
    # shellcheck disable=SC2046 # three numbers
    printf '%-34s %9s %9s %9s\n' "$label" $("$work/start" process "$times" "$@")
}

cd "$work" # where runs leave their files
program=$build/vgraph
model=$root/models/deep_sigmoid.nn
few=$((repeats / 10 > 0 ? repeats / 10 : 1))
printf '%-34s %9s %9s %9s\n' process 'wall ms' 'cpu ms' 'peak MB'
row 'help' "$repeats" "$program" help
row 'check deep_sigmoid' "$repeats" "$program" check "$model"
row 'run deep_sigmoid' "$few" "$program" run "$model"

printf '\n%-34s %9s %9s %9s %9s\n' 'deep_sigmoid, 1,000 digits' 'load ms' 'new ms' 'step 1' 'step 2'
# shellcheck disable=SC2046 # four numbers
printf '%-34s %9s %9s %9s %9s\n' '' $("$work/start" model "$repeats" "$model" digits 'digits(count = 1000)')

sed 's/return tanh(x @ W)/return x + tanh(x @ W)/' "$here/deep.nn" >"$work/residual.nn"
printf '\n%-34s %9s %9s %9s\n' 'check, layers' 'wall ms' 'cpu ms' 'peak MB'
for number in 1000 10000 50000; do
    times=$([ "$number" -gt 1000 ] && echo "$few" || echo "$repeats")
    row "deep_sigmoid $number" "$times" "$program" check "$model" --set "depth=$number" --set hidden=16
    row "residual $number" "$times" "$program" check "$work/residual.nn" --set "depth=$number"
    row "recurrence $number" "$times" "$program" check "$here/recurrence.nn" --set "length=$number"
done
