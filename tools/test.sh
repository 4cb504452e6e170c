#!/bin/bash
# Runs every check and every test, on a real engine (tools/engine.sh).
#
# Arguments go to pytest. With CI set, a missing engine is a failure; without, or where the
# engine is a simulated one, the tests that need a real one are skipped.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
# else each of some hundred processes would compile all that it imports
unset PYTHONDONTWRITEBYTECODE
failed=0

# Prints what the linters have found, in one go when they are done.
lint() {
    local failed=0 check said
    for check in "ruff check" "ruff format --check" mypy; do
        said=$(nice -n 5 $check 2>&1) || { failed=1; printf '\n%s\n' "$said"; }
    done
    return $failed
}

# Runs tests, or waits for them; where pytest itself fails, nothing else is run.
run() {
    local status=0
    "$@" || status=$?
    [ $status -le 1 ] || exit $status
    [ $status = 0 ] || failed=1
}

lint & # and the tests run even if the style is wrong: both are worth knowing
linters=$!

# What needs no real engine goes on in the time that the other tests leave: they mostly wait for
# containers and pages, and are judged by times (tests/lanes.py). Two pytests share no cache.
between=.pytest_cache/between
pid_between=
if [ $# = 0 ]; then
    rm -f {.pytest_cache,$between}/v/cache/lastfailed
    said=$(mktemp)
    python tools/in_between.py python -m pytest -n 2 -o cache_dir=$between \
        -m "long or not engine and not browser" >"$said" 2>&1 &
    pid_between=$!
fi
stop_between() {
    [ -z "$pid_between" ] || kill -- -"$pid_between" 2>/dev/null || true
}
stop_too=stop_between # where tools/engine.sh stops the engine
trap stop_between EXIT

case " $* " in
*" not engine"*) set -- -n 4 "$@" ;; # half of their time they wait, and none is judged by it
*)
    if ! . tools/engine.sh; then
        [ -z "${CI:-}" ] || exit 1
        echo "There is no engine: the tests that need one are skipped." >&2
    fi
    ;;
esac

# Prints the names of the tests that failed and have not passed since.
remembered() {
    sed -n 's/^ *"\(.*::.*\)": true.*/  \1/p' "$1/v/cache/lastfailed" 2>/dev/null || true
}

# Runs once more what has failed while other tests held it up, now that none does: containers
# that share two cores may be seconds late. Of more than twenty (a scenario is two, or three),
# something else is wrong.
run_alone() {
    local names cache
    names=$(remembered .pytest_cache; remembered $between)
    [ "$(wc -l <<<"$names")" -le 20 ] || return 0
    failed=0
    for cache in .pytest_cache $between; do
        [ -z "$(remembered $cache)" ] || run python -m pytest -o cache_dir=$cache --last-failed
    done
    [ $failed = 1 ] || printf 'These failed beside others and passed alone:\n%s\n' "$names"
}

if [ $# -gt 0 ]; then
    run python -m pytest -n 2 "$@"
else
    run python -m pytest -n 3 -m "(engine or browser) and not long and not nodes"
    run wait $pid_between
    pid_between=
    cat "$said"
    rm "$said"
    [ $failed = 0 ] || run_alone
fi
wait "$linters" || { failed=1; echo "ruff or mypy found something: see above." >&2; }
exit $failed
