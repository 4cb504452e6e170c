"""Run uv with what pip is configured with here: indexes, certificates, proxies, constraints.

    python tools/uv_like_pip.py UV pip install …

uv reads none of pip's configuration, and on many a machine that is the only way to any
package. What it says goes to uv in environment variables, which no other user can see and
nothing prints; what uv is configured with itself (`UV_…`) stays. pip is asked that the Python
which runs this has, if it has one. Ends as uv does; with status 1 where pip cannot say it.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Later ones win, as in pip's documentation of its configuration.
_SECTIONS = ("global", "install", ":env:")
#: Each of pip's options, and the variables by which uv is told the same.
_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "extra-index-url": ("UV_INDEX",),
    "find-links": ("UV_FIND_LINKS",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
}
#: Of these options pip takes several values; uv wants other signs between those.
_SEPARATORS = {"extra-index-url": " ", "find-links": ",", "trusted-host": " "}
#: By any of these a person has told uv where packages come from.
_UVS_OWN = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")


def options(listed: str) -> dict[str, str]:
    """Return pip's options from the lines of `pip config list`, such as `global.cert='…'`."""
    pairs = [line.split("=", 1) for line in listed.splitlines() if "=" in line]
    sections: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for key, value in pairs:
        section, _, name = key.rpartition(".")
        if section in sections:
            sections[section][name] = str(ast.literal_eval(value))
    return {name: value for section in sections.values() for name, value in section.items()}


def variables(configured: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that have uv do as pip does, next to those of `env`, which win."""
    own = any(name in env for name in _UVS_OWN)
    wanted = {
        name: _joined(option, configured[option])
        for option, names in _VARIABLES.items()
        if configured.get(option) and not (own and "index" in option)
        for name in names
    }
    if "UV_INDEX" in wanted:  # pip takes the best of all its indexes, uv of the first that answers
        wanted["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in wanted.items() if value and name not in env}


def arguments(configured: Mapping[str, str]) -> list[str]:
    """Return the arguments for what uv takes no variable for, or not beside an argument."""
    constraints = configured.get("constraint", "").split()
    alone = ["--no-index"] if configured.get("no-index") in ("1", "true", "yes", "on") else []
    return [*alone, *(word for file in constraints for word in ("--constraint", file))]


def _joined(option: str, value: str) -> str:
    if option not in _SEPARATORS:
        return value
    return _SEPARATORS[option].join(each for each in value.split() if _may_be_there(each))


def _may_be_there(place: str) -> bool:
    """Whether a place is not a folder that is missing: pip passes over one, and uv ends."""
    parts = urlsplit(place)
    is_local = parts.scheme == "file" or place.startswith(("/", "."))
    return not is_local or Path(unquote(parts.path)).exists()


def main(command: list[str]) -> None:
    """Become uv, configured as pip is."""
    listed = ""
    if find_spec("pip"):
        ask = (sys.executable, "-m", "pip", "config", "list")
        answer = subprocess.run(ask, capture_output=True, text=True, check=False)
        if answer.returncode:
            sys.exit(1)
        listed = answer.stdout
    configured = options(listed)
    os.environ.update(variables(configured, os.environ))
    installs = command[1:2] == ["pip"]  # `uv venv` takes no constraints
    os.execv(command[0], [*command, *(arguments(configured) if installs else [])])


if __name__ == "__main__":
    main(sys.argv[1:])
