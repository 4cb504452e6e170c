#!/bin/bash
# Runs every check and every test, on a real engine (tools/engine.sh).
#
# Arguments go to pytest. With CI set, a missing engine is a failure; without, or where the
# engine is a simulated one, the tests that need a real one are skipped.
set -eu
cd "$(dirname "$0")/.."
# else each of some hundred processes would compile all that it imports
unset PYTHONDONTWRITEBYTECODE

# Prints what the linters have found, in one go when they are done.
lint() {
    local failed=0 check said
    for check in "ruff check" "ruff format --check" mypy; do
        said=$(.venv/bin/$check 2>&1) || { failed=1; printf '\n%s\n' "$said"; }
    done
    return $failed
}

lint & # and the tests run even if the style is wrong: both are worth knowing
linters=$!

case " $* " in
*" not engine"*) PATH=$PWD/.venv/bin:$PATH ;;
*)
    if ! . tools/engine.sh; then
        [ -z "${CI:-}" ] || exit 1
        echo "There is no engine: the tests that need one are skipped." >&2
    fi
    ;;
esac

failed=0
# not exec: the trap runs when this ends
if [ $# -gt 0 ]; then
    python -m pytest -n 2 "$@" || failed=1
else
    # what needs a processor first; then what waits for containers and pages, which is judged
    # by times and so is not to be held up by the others (tests/lanes.py)
    python -m pytest -n 2 -m "not engine and not browser" || failed=1
    python -m pytest -n 2 -m "engine or browser" || failed=1
fi
wait "$linters" || { failed=1; echo "ruff or mypy found something: see above." >&2; }
exit $failed
