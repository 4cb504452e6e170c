#!/bin/bash
# Runs the tests that need a real engine on three generations of Docker Engine, one after the other:
# this machine's own (Debian 12 has 20.10), and those of two newer Debian releases.
#
# Each runs as the private engine of a lab under build/engines/. Arguments go to pytest.
# Needs root, and mmdebstrap for what is not there yet. A skipped test names its reason.
set -u
cd "$(dirname "$0")/.." || exit
export PATH=$PWD/.venv/bin:$PATH
# with CI set a skipped test counts as failed, and some tests are about one of these engines only
unset CI

# Runs the tests on an engine; its name, and what to put before PATH.
on() {
    local status=0
    export LABKIT_HOME=$PWD/build/engines/$1/lab PATH=$2$PATH
    printf "\nThe engine of %s\n" "$1"
    mkdir -p "$LABKIT_HOME"
    labkit up --engine private --no-stack && tools/test.sh -m "engine and not long and not hub" "${@:3}" || status=1
    labkit down
    return $status
}

failed=0
(on own "" "$@") || failed=1
for release in trixie forky; do
    if bin=$(tools/debian_engine.sh $release); then
        (on $release "$bin:" "$@") || failed=1
    else
        failed=1
    fi
done
exit $failed
