#!/bin/bash
# Runs every check and every test, on a real engine (tools/engine.sh).
#
# Arguments go to pytest. With CI set, a missing engine is a failure; without, or where the
# engine is a simulated one, the tests that need a real one are skipped.
set -eu
cd "$(dirname "$0")/.."

if ! . tools/engine.sh; then
    [ -z "${CI:-}" ] || exit 1
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
