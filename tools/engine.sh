# Sourced by what needs an engine: makes sure that there is one, and names it in DOCKER_HOST.
#
# It is the one that `labkit up` finds. Unless it was up before, `labkit down` undoes that
# when the script that sources this ends, which must not `exec`. Returns 1 without an engine.
# shellcheck shell=bash
PATH=$PWD/.venv/bin:$PATH
log=.labkit/engine.log
mkdir -p .labkit

stop_engine() {
    labkit down >"$log" 2>&1 || cat "$log" >&2
}

if ! [ -e "${LABKIT_HOME:-.}/.labkit/state.json" ] || ! labkit env >"$log" 2>&1; then
    # `down` stops an engine of the lab's own; another leaves the swarm that `up` made of it
    trap stop_engine EXIT
    trap 'exit 143' INT TERM
fi
labkit up --no-stack && eval "$(labkit env)"
