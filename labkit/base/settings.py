"""What a learner can set from outside: environment variables, and where things live.

README lists the variables.
"""

import base64
import contextlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from labkit.base.errors import BadValue
from swarmsim.go import references

#: Everything the lab deploys carries this label; nothing without it is touched.
LAB_LABEL = "labkit.lab"
#: What may stand before the `_web` of a service's name.
_STACK_NAME = re.compile(r"[a-zA-Z0-9][-_a-zA-Z0-9]*")
#: Maximum speed-up.
FASTEST = 10_000

#: Where labkit was imported from: the root of a checkout, or site-packages.
SOURCE = Path(__file__).resolve().parents[2]
#: Where a wheel has the files of the lesson (`pyproject.toml` puts them there).
_IN_A_WHEEL = SOURCE / "labkit" / "_lesson"
#: Where docker's configuration has logins, or what keeps them.
LOGINS = {"auths", "credsStore", "credHelpers"}


def engine_choice() -> str:
    """Return which engine to use, as `labkit up --engine` takes it."""
    return os.environ.get("LABKIT_ENGINE") or "auto"


def speed() -> float:
    """Return how many times as fast as real time a simulated engine's clock is to run.

    Raises `BadValue` unless it is a number above zero, at most `FASTEST`.
    """
    return _number("LABKIT_SPEED", f"a number above 0, at most {FASTEST}", FASTEST) or 1


def sleep_after() -> float | None:
    """Return after how many seconds tasks of a simulated engine sleep that nobody looks at.

    `None` is never. Raises `BadValue` unless it is a number above zero.
    """
    return _number("LABKIT_SLEEP_AFTER", "seconds, a number above 0", sys.float_info.max)


def _number(variable: str, wanted: str, most: float) -> float | None:
    if not (chosen := os.environ.get(variable)):
        return None
    with contextlib.suppress(ValueError):
        if 0 < (number := float(chosen)) <= most:
            return number
    raise BadValue(f"{variable} must be {wanted}, not {chosen!r}")


def images() -> Path | None:
    """Return the folder of images that a new simulated engine begins with, if there is one."""
    folder = Path(os.environ.get("LABKIT_IMAGES") or os.devnull)
    return folder if folder.is_dir() else None


def stack_name() -> str:
    """Return the name of the learner's stack. Raises `BadValue` for one that Swarm would refuse."""
    return valid_stack_name(os.environ.get("LABKIT_STACK") or "dc")


def valid_stack_name(name: str) -> str:
    """Return the name of a stack. Raises `BadValue` for one that Swarm would refuse."""
    if _STACK_NAME.fullmatch(name):
        return name
    raise BadValue(
        "a stack's name (LABKIT_STACK) must be letters, digits, - and _, beginning with a letter "
        f"or a digit, not {name!r}"
    )


def docker_id() -> str:
    """Return the `<Docker ID>` that image names begin with.

    The logged-in one is read as the docker command line reads it, credential
    helpers included; a helper that fails counts as not logged in. Raises `BadValue` if
    `LABKIT_DOCKER_ID` cannot be the beginning of an image's name.
    """
    chosen = os.environ.get("LABKIT_DOCKER_ID")
    if chosen:
        if references.is_valid(f"{chosen}/dockercoins_worker:1.0"):
            return chosen
        raise BadValue(f"LABKIT_DOCKER_ID must be what image names can begin with, not {chosen!r}")
    if not LOGINS & docker_config().keys():
        return "lab"
    from docker import auth  # takes as long to import as most commands take to run

    try:
        login = auth.resolve_authconfig(auth.load_config(config_dict=docker_config()))
    except Exception:  # a broken credential helper can raise anything
        login = None
    return str((login or {}).get("username") or (login or {}).get("Username") or "lab")


def check() -> None:
    """Raise `BadValue`, naming the variable, if one of these cannot be used."""
    speed()
    sleep_after()
    stack_name()
    if os.environ.get("LABKIT_DOCKER_ID"):
        docker_id()


def docker_config() -> dict[str, Any]:
    """Return what can be used of the docker command line's `config.json`; `{}` without one.

    What it would pass over is left out, because docker-py dies of it: a section or a login
    that is none, and a credential helper that is not installed.
    """
    folder = os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker"
    try:
        found = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    usable: dict[str, Any] = {}
    for key, value in found.items() if isinstance(found, dict) else ():
        if key in _OF_EACH and isinstance(value, dict):
            usable[key] = {name: each for name, each in value.items() if _OF_EACH[key](each)}
        elif key in _OF_ONE and _OF_ONE[key](value):
            usable[key] = value
    return usable


def _is_text(found: object) -> bool:
    return isinstance(found, str)


def _is_helper(found: object) -> bool:
    return isinstance(found, str) and bool(shutil.which(f"docker-credential-{found}"))


def _is_login(found: object) -> bool:
    if not isinstance(found, dict) or "auth" not in found:
        return isinstance(found, dict)
    try:
        return ":" in base64.b64decode(found["auth"], validate=True).decode()
    except (TypeError, ValueError):
        return False


def _is_proxy(found: object) -> bool:
    return isinstance(found, dict) and all(map(_is_text, found.values()))


#: Whether each entry of a section of docker's configuration can be used, or a value itself.
_OF_EACH = {
    "auths": _is_login,
    "credHelpers": _is_helper,
    "HttpHeaders": _is_text,
    "proxies": _is_proxy,
}
_OF_ONE = {"credsStore": _is_helper, "currentContext": _is_text, "detachKeys": _is_text}


def is_checkout() -> bool:
    """Whether labkit runs from a checkout; from a wheel it is installed elsewhere."""
    return not _IN_A_WHEEL.is_dir()


def lesson_files() -> Path:
    """Return the folder with `notebooks/` and `dockercoins/` as they were shipped."""
    return SOURCE if is_checkout() else _IN_A_WHEEL


def home() -> Path:
    """Return the folder that labkit may write to.

    `LABKIT_HOME`; else the checkout; else, as git does, the nearest folder with a `.labkit/`
    of this user's, from the current one upwards; else the current one.
    """
    if chosen := os.environ.get("LABKIT_HOME"):
        return Path(chosen)
    if is_checkout():
        return SOURCE
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if _is_a_home(each / ".labkit")), here)


def _is_a_home(state: Path) -> bool:
    # somebody else's, as in a folder that all may write to, would have a say in what is run
    return state.is_dir() and state.stat().st_uid == os.geteuid()


def state_dir() -> Path:
    """Return `.labkit/`: the private engine, recordings, and what `up` made."""
    return home() / ".labkit"


def workspace() -> Path:
    """Return `lab/`: the learner's own copy of the notebooks and of dockercoins."""
    return home() / "lab"


def built(version: str) -> Path:
    """Return the folder that a version of the notebooks is built into."""
    return home() / "build" / "notebooks" / version


def class_folder() -> Path | None:
    """Return the folder that the room's log is kept in; `None` where it is off."""
    chosen = os.environ.get("LABKIT_CLASS")
    # `Path.expanduser` raises for `~nobody`, and a missing folder is not an error
    return Path(os.path.expanduser(chosen)) if chosen else None  # noqa: PTH111


def chosen_alias() -> str:
    """Return what the learner wants to be called in the room's log, unchecked; `""` for nothing."""
    return os.environ.get("LABKIT_ALIAS", "")
