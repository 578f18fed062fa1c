#!/usr/bin/env bash
# Trains every model of the gallery whole and holds it to what it states: an accuracy (or another scalar) and a time.
#   tests/gallery.sh [NAME...]         on the digits that the program draws; NAME: only these models
#   MNIST=DIR tests/gallery.sh         the same on real MNIST files, where a row has a bound for them: the t10k pair
#                                      suffices, of which a tenth is held out
# Needs a release build (examples/quickstart.sh makes one). It takes some minutes; ctest runs a few steps of each model.
set -euo pipefail
cd "$(dirname "$0")/.."
program=.build/release/vgraph
[ -x "$program" ] || { echo "there is no $program: run examples/quickstart.sh first" >&2; exit 2; }

# model | the scalar | of the training batches or the test split | at least or at most | bound | bound with MNIST, or - | seconds
rows="
deep_sigmoid         loss            train  <  4.5   5     3
deep_relu            accuracy        train  >  0.9   0.85  5
linear               error           train  <  0.2   -     3
xor                  accuracy        train  >  0.9   -     3
spirals              accuracy        train  >  0.95  -     10
logistic             accuracy        test   >  0.80  0.88  5
autoencoder          error           test   <  0.05  0.055 25
vae                  loss            test   <  170   130   40
lenet                accuracy        test   >  0.99  0.98  60
residual             accuracy        test   >  0.97  0.94  40
siamese              accuracy        test   >  0.95  -     15
gan                  means           train  <  0.13  0.13  90
wgan_gp              distance        train  <  0.12  -     15
lstm                 bits            test   <  3.4   -     40
gru                  bits            test   <  3.3   -     40
transformer          bits            test   <  1.1   -     90
differential         error           train  <  0.05  -     5
maml                 loss            train  <  2     -     10
fifty                short_accuracy  train  >  0.5   0.5   40
cure_activation      accuracy        test   >  0.93  0.90  10
cure_initialisation  accuracy        test   >  0.92  0.88  20
cure_normalisation   accuracy        test   >  0.85  0.86  15
cure_residual        accuracy        test   >  0.83  0.84  15
cure_clipping        accuracy        test   >  0.89  0.88  15
"

# last_value FILE TAG SPLIT: the last value of a scalar in JSON lines.
last_value() {
    local lines
    lines=$(grep -F "\"tag\":\"$2\"" "$1" || true)
    if [ "$3" = test ]; then lines=$(grep '"split":"test"' <<<"$lines"); else lines=$(grep -v '"split"' <<<"$lines"); fi
    tail -n 1 <<<"$lines" | sed -E 's/.*"value":"?([^,}"]*).*/\1/'
}

printf '%-20s %-28s %10s %10s %9s %9s\n' model scalar value bound seconds stated
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0 run=0
while read -r model tag split sign bound mnist stated; do
    [ -n "$model" ] || continue
    if [ $# -gt 0 ] && ! grep -qw -- "$model" <<<"$*"; then continue; fi
    options=()
    if [ -n "${MNIST:-}" ]; then
        [ "$mnist" != - ] || continue
        bound=$mnist
        options=(--data "digits=mnist(\"$MNIST\", test = 0.1)")
    fi
    begun=$(date +%s.%N)
    status=0
    "$program" run "models/$model.nn" --no-files --quiet --jsonl - "${options[@]}" >"$log" || status=$?
    seconds=$(awk "BEGIN { print $(date +%s.%N) - $begun }")
    value=$(last_value "$log" "$tag" "$split")
    verdict=$(awk "BEGIN { print ($status == 0 && \"$value\" != \"\" && \"$value\" + 0 $sign $bound) ? ($seconds <= $stated ? \"\" : \"too slow\") : \"FAILED\" }")
    [ -z "$verdict" ] || failed=$((failed + 1))
    run=$((run + 1))
    printf '%-20s %-28s %10.4g %10s %9.1f %9s  %s\n' "$model" "$tag, $split" "${value:-nan}" "$sign $bound" "$seconds" "$stated" "$verdict"
done <<<"$rows"
echo "$((run - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
