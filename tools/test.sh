#!/bin/bash
# Runs every check and every test, on a real engine.
#
# The engine is the one that `labkit up` finds. If it has to start one, that is stopped at
# the end. Arguments go to pytest. With CI set, a missing engine is a failure; without, or
# where the engine is a simulated one, the tests that need a real one are skipped.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
log=.labkit/test-engine.log
mkdir -p .labkit

stop_engine() {
    labkit down >"$log" 2>&1 || cat "$log" >&2
}

if ! labkit env >"$log" 2>&1; then
    # `down` stops an engine of the lab's own and leaves every other as it is
    trap stop_engine EXIT
    trap 'exit 143' INT TERM
fi
if labkit up --no-stack; then
    eval "$(labkit env)"
elif [ -n "${CI:-}" ]; then
    exit 1
else
    echo "There is no engine: the tests that need one are skipped." >&2
fi

failed=0
# the tests run even if the style is wrong: both are worth knowing
for check in "ruff check" "ruff format --check" mypy; do
    $check || failed=1
done
# not exec: the trap runs when this ends
python -m pytest "$@" || failed=1
exit $failed
