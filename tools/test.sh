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
# with pytest's assertions in them, which else each of the processes below would put there
[ $# -gt 0 ] || .venv/bin/python -m pytest --collect-only -qq >/dev/null 2>&1 &
compiles=$!

processes=2
case " $* " in
*" not engine"*)
    PATH=$PWD/.venv/bin:$PATH
    processes=4 # more than half of the time these wait for something
    ;;
*)
    if ! . tools/engine.sh; then
        [ -z "${CI:-}" ] || exit 1
        echo "There is no engine: the tests that need one are skipped." >&2
    fi
    ;;
esac

failed=0
remembered=.pytest_cache/v/cache/lastfailed

# Runs tests; where pytest itself fails, nothing else is run.
run() {
    local status=0
    python -m pytest "$@" || status=$?
    [ $status -le 1 ] || exit $status
    [ $status = 0 ] || failed=1
}

# Runs once more, with the same arguments, what has failed while other tests held it up, now that
# none does: containers that share two cores may be seconds late, and a browser that ends takes
# with it the tests that come after. Of more than sixty, something else is wrong.
run_alone() {
    local names
    names=$(sed -n 's/^ *"\(.*::.*\)": true.*/  \1/p' $remembered)
    [ "$(wc -l <<<"$names")" -le 60 ] || return 0
    failed=0
    run --last-failed --last-failed-no-failures none "$@"
    [ $failed = 1 ] || printf 'These failed beside others and passed alone:\n%s\n' "$names"
}

# not exec: the trap runs when this ends
rm -f $remembered
if [ $# -gt 0 ]; then
    run -n $processes "$@"
else
    # what needs no containers first; then what waits for them and for pages, which is judged
    # by times and so is not to be held up by the others (tests/lanes.py)
    wait $compiles || true # the others say what is wrong
    run -n 3 -m "(long or not engine and not browser) and not site and not hub"
    # (only from files that have such tests: collecting all files takes seconds in each process)
    words=$(sed -n 's/^MARKED = "\(.*\)"$/\1/p' tests/lanes.py)
    mapfile -t files < <(grep -rlE "$words" tests --include='test_*.py')
    run -n 2 -m "(engine or browser) and not long and not nodes and not again and not hub" "${files[@]}"
fi
[ $failed = 0 ] || run_alone "$@"
wait "$linters" || { failed=1; echo "ruff or mypy found something: see above." >&2; }
exit $failed
