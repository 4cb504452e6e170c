#!/bin/bash
# Makes .venv with everything that labkit needs, or finds it made. uv installs it, or pip
# where uv cannot be had.
#
#   tools/bootstrap.sh lab     what a learner needs
#   tools/bootstrap.sh hub     that, and what a hub for a class needs
#   tools/bootstrap.sh test    all that, and what the tests need
#
# On Debian as root it installs what the machine lacks from Debian's own packages, and
# says so: Docker too, unless LABKIT_ENGINE asks for another engine. Where Docker cannot be
# had the lab goes on without it. Anywhere else nothing is installed outside of the
# checkout, and what is missing gets a sentence. Written for bash 3.2, which macOS has.
set -eu
cd "$(dirname "$0")/.."
purpose=$1
stamp=.venv/labkit-stamp

say() { printf '%s\n' "$*" >&2; }

give_up() {
    say "$@"
    exit 1
}

is_debian_root() {
    [ "$(id -u)" = 0 ] && [ -r /etc/os-release ] && grep -q '^ID=debian' /etc/os-release
}

# Prints the first Python that is new enough and can make environments.
find_python() {
    for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# Whether a Docker engine seems to be here, or one that can be started.
has_engine() {
    [ -n "${DOCKER_HOST:-}" ] || [ -S /var/run/docker.sock ] || command -v dockerd >/dev/null
}

# Prints the packages that nothing works without.
lacking() {
    [ -n "$(find_python)" ] || echo python3 python3-venv
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
    if [ "$purpose" = test ]; then
        command -v chromium >/dev/null || echo chromium
    fi
}

# Prints the packages that a real engine of the lab's own needs.
lacking_for_an_engine() {
    case ${LABKIT_ENGINE:-auto} in auto | private) ;; *) return ;; esac
    has_engine || echo docker.io
    # for the network of a private engine, and for the base image where no registry answers
    command -v iptables >/dev/null || echo iptables
    command -v ip >/dev/null || echo iproute2
    command -v mmdebstrap >/dev/null || echo mmdebstrap
}

# Installs the packages that are named; what apt-get says is kept if it fails.
install() {
    say "Installing from Debian's packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"; } \
        >.apt.log 2>&1 || return 1
    rm -f .apt.log
}

install_packages() {
    # shellcheck disable=SC2046 # the list is split into words
    set -- $(lacking)
    [ $# = 0 ] || install "$@" || give_up "apt-get failed:" "$(tail -n 15 .apt.log)"
}

install_packages_for_an_engine() {
    # shellcheck disable=SC2046
    set -- $(lacking_for_an_engine)
    [ $# = 0 ] || install "$@" || say "apt-get failed, and the lab goes on without these:" \
        "where there is no Docker, its simulated engine needs none." "$(tail -n 15 .apt.log)"
}

# Without it the tests run in Chromium, which needs half as much processor time again.
install_for_faster_tests() {
    [ "$purpose" != test ] || command -v chromium-headless-shell >/dev/null ||
        install chromium-headless-shell || rm -f .apt.log
}

# What the environment depends on; when this changes, it is brought up to date.
wanted() {
    printf '%s\n' "$PWD" "$(cat pyproject.toml constraints.txt | cksum)"
}

is_ready() {
    [ -x .venv/bin/labkit ] && [ -r "$stamp" ] && [ "$(sed 1d "$stamp")" = "$(wanted)" ] \
        && case $(head -n 1 "$stamp") in "$purpose" | test) ;; hub) [ "$purpose" = lab ] ;; *) false ;; esac
}

# Whether there is an environment that can be brought up to date: one that was made whole
# at this place (it holds full paths), with a Python that is still there.
usable() {
    [ -r "$stamp" ] && [ "$(sed -n 2p "$stamp")" = "$PWD" ] && .venv/bin/python -c '' 2>/dev/null
}

# Whether a Python has a pip that can install into an environment without one.
has_pip() {
    "$1" -c 'import pip, sys; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (22, 3))' \
        2>/dev/null
}

# Makes an environment with no pip of its own where it can: making one takes seconds.
make_venv() {
    if has_pip "$python"; then
        "$python" -m venv --clear --without-pip .venv
    else
        "$python" -m venv --clear .venv
    fi
}

# Installs into the environment with whichever pip there is.
pip_install() {
    "$pip_python" -m pip --python .venv/bin/python --disable-pip-version-check \
        install --quiet --constraint constraints.txt "$@"
}

# Finds uv, or installs it into the environment; where it cannot be had, `uv` is empty.
find_uv() {
    for uv in "$(command -v uv || true)" .venv/bin/uv; do
        if "$uv" --version >/dev/null 2>&1; then return; fi
    done
    say "Installing uv, which installs the rest in seconds …"
    uv=.venv/bin/uv
    pip_install --only-binary :all: uv && "$uv" --version >/dev/null && return
    say "uv cannot be had; pip installs the rest, which takes a minute …"
    uv=""
}

# Both install labkit and what it needs; and pip, for what a learner adds to that.
install_with_uv() {
    find_uv
    [ -n "$uv" ] || return 1
    say "Installing labkit and what it needs with uv …"
    "$pip_python" tools/uv_like_pip.py "$uv" pip install --quiet --python .venv/bin/python \
        --constraint constraints.txt --editable ".$extra" pip && compile_meanwhile && return
    say "uv failed; pip tries the same, which takes a minute …"
    return 1
}

# uv leaves compiling to the first import, which costs each first use of a package seconds,
# and every later one, too, where PYTHONDONTWRITEBYTECODE is set.
compile_meanwhile() {
    nice -n 19 .venv/bin/python -m compileall -q -x /tests/ .venv/lib </dev/null >/dev/null 2>&1 &
}

install_with_pip() {
    pip_install --editable ".$extra" || return 1
    has_pip .venv/bin/python || pip_install pip || .venv/bin/python -m ensurepip >/dev/null
}

make_environment() {
    python=$(find_python)
    [ -n "$python" ] || give_up "labkit needs Python 3.11 or newer with venv and pip;" \
        "install one (python.org, your system's packages, or conda: see environment.yml)."
    if usable; then
        say "Bringing .venv up to date …"
    else
        say "Making .venv with $("$python" --version) …"
        make_venv
    fi
    extra=""
    case $purpose in hub) extra="[hub]" ;; test) extra="[hub,test]" ;; esac
    pip_python=.venv/bin/python
    has_pip "$pip_python" || pip_python=$python
    install_with_uv || install_with_pip \
        || give_up "pip failed; what it said is above. It needs a package index to install from."
    { echo "$purpose"; wanted; } >"$stamp"
}

if is_debian_root; then
    PATH=$PATH:/usr/sbin:/sbin
    install_packages
    # Docker and the environment need nothing of each other
    { install_packages_for_an_engine; install_for_faster_tests; } &
    packages=$!
    trap 'wait "$packages"' EXIT
fi
is_ready || make_environment
