#!/bin/bash
# Runs the site in Firefox as Debian has it; as root it is installed if it is missing.
set -eu
cd "$(dirname "$0")/.."
if ! command -v firefox-esr >/dev/null; then
    echo "Installing firefox-esr ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends firefox-esr
fi
PATH=$PWD/.venv/bin:$PATH exec python -m pytest -m site tests/browser/test_firefox.py "$@"
