#!/bin/sh
# tests/fuzz/run.sh SECONDS: builds the fuzz target (clang) and runs it from the seeds; what it finds is kept in .build/fuzz.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:?usage: tests/fuzz/run.sh SECONDS}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz_front
mkdir -p .build/fuzz/found
exec .build/fuzz/tests/fuzz_front -max_total_time="$seconds" -max_len=8192 -timeout=60 -rss_limit_mb=4096 \
    -dict=tests/fuzz/model.dict -artifact_prefix=.build/fuzz/ -print_final_stats=1 \
    .build/fuzz/found tests/fuzz/corpus tests/golden/errors tests/golden/sketches grammar/std
