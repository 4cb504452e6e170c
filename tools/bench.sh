#!/bin/bash
# Runs the benchmarks, on a real engine (tools/engine.sh). Arguments name some of them.
set -eu
cd "$(dirname "$0")/.."
. tools/engine.sh
python -m benchmarks "$@"
