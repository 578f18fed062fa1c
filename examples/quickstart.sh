#!/usr/bin/env bash
# From a fresh clone to a trained network: installs what is missing, builds, and runs models/deep_sigmoid.nn.
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/packages.sh

install_packages $build_packages

echo "== building into .build/release"
cmake --preset release >/dev/null
cmake --build --preset release --target vgraph_program vgraph_shared -j "$(nproc)"   # what cmake --install puts in place

echo "== .build/release/vgraph run models/deep_sigmoid.nn"
.build/release/vgraph run models/deep_sigmoid.nn
