#!/bin/sh
# tests/fuzz/run.sh SECONDS: builds the fuzz targets (clang) and runs them from the seeds, the language for as long,
# files of data for a third of it; what they find is kept in .build/fuzz.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:?usage: tests/fuzz/run.sh SECONDS}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz_front fuzz_data
mkdir -p .build/fuzz/found .build/fuzz/found_data
.build/fuzz/tests/fuzz_data -max_total_time="$((seconds / 3 + 1))" -max_len=4096 -timeout=60 -rss_limit_mb=4096 \
    -artifact_prefix=.build/fuzz/ -print_final_stats=1 .build/fuzz/found_data tests/fuzz/data
exec .build/fuzz/tests/fuzz_front -max_total_time="$seconds" -max_len=8192 -timeout=60 -rss_limit_mb=4096 \
    -dict=tests/fuzz/model.dict -artifact_prefix=.build/fuzz/ -print_final_stats=1 \
    .build/fuzz/found tests/fuzz/corpus tests/golden/errors tests/golden/sketches grammar/std
