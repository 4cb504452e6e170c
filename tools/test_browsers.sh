#!/bin/bash
# Runs the site in Firefox and WebKit as Debian has them; as root, installs what is missing.
set -eu
cd "$(dirname "$0")/.."
missing=()
command -v firefox-esr >/dev/null || missing+=(firefox-esr)
command -v WebKitWebDriver >/dev/null || missing+=(webkit2gtk-driver)
command -v Xvfb >/dev/null || missing+=(xvfb)
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${missing[*]} ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
PATH=$PWD/.venv/bin:$PATH exec python -m pytest -m site tests/browser/test_other_browsers.py "$@"
