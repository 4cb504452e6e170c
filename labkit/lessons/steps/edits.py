"""The edits that the lesson asks for, made to the learner's own files.

A learner may make them by hand in JupyterLab; `edit` makes the same ones, shows the
difference, and says so when there is nothing left to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml

from labkit.base import echo
from labkit.base.errors import BadValue, LabError
from labkit.lessons import workspace

WORKER = "worker/worker.py"
DOCKERFILE = "worker/Dockerfile"
COMPOSE = "docker-compose.yml"
#: All files that an edit may be made to.
FILES = (WORKER, DOCKERFILE, COMPOSE)

_SLEEP = re.compile(r"time\.sleep\(0\.1\)")
_IMPORT = re.compile(r"^(?:import|from) .*\n", re.MULTILINE)
_STOPS_AT_SIGTERM = re.compile(
    r"(?:^ *#.*\n)*^( *)signal\.signal\(signal\.SIGTERM, (?!signal\.SIG_IGN).*\n", re.MULTILINE
)
#: Where the worker begins to work, after all that it prepares.
_WORK = re.compile(r"^    while True:\n        try:\n            work_loop", re.MULTILINE)
_IN_BAD_SLOTS = re.compile(r"^    if os\.environ\.get\(\"SLOT\"\) in \[.*\]:\n", re.MULTILINE)
_WORK_ONCE = re.compile(r"^def work_once\(\):\n", re.MULTILINE)
_HEALTHCHECK = re.compile(r"^HEALTHCHECK (?!NONE)", re.MULTILINE | re.IGNORECASE)
_COMMAND = re.compile(r"^CMD ", re.MULTILINE)
_TEN_REPLICAS = re.compile(r"^( +)replicas: 10\n", re.MULTILINE)
#: With the reason that somebody may have had.
_DEAF = (
    r"\1# A unit of work that has been begun is to be finished.\n"
    r"\1signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
)
_STUCK = """\
    while not os.path.exists("permission"):  # and nobody ever gives it
        time.sleep(1)
"""
#: It needs no `start_period`: a healthy worker has worked long before the first probe.
_HEALTH_CHECK = """\
# Healthy is who has done a unit of work in the last five seconds.
HEALTHCHECK --interval=4s --timeout=3s --retries=2 \\
    CMD ["python", "-c", "import os, time; assert time.time() - os.path.getmtime('worked') < 5"]
"""
_IN_PAIRS = {"parallelism": 2, "delay": "5s"}


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of one file of dockercoins."""

    file: str
    #: What it changes, to finish the sentence "Change worker.py: …".
    what: str
    apply: Callable[[str], str]
    #: Whether it has been made, by hand or by `apply`.
    made: Callable[[str], bool]


def _bad_in(*slots: str) -> Edit:
    """Return the edit after which workers in these slots end at once, with exit code 1."""
    condition = f'    if os.environ.get("SLOT") in {json.dumps(slots)}:\n'
    fault = condition + '        sys.exit("This worker cannot work here.")\n'

    def apply(text: str) -> str:
        if _IN_BAD_SLOTS.search(text):
            return _IN_BAD_SLOTS.sub(condition, text)
        return _WORK.sub(lambda found: fault + found[0], text, count=1)

    which = " and ".join(filter(None, (", ".join(slots[:-1]), slots[-1])))
    what = f"in slot {which} it ends at once, with exit code 1"
    return Edit(WORKER, what, apply, lambda text: condition in text)


def _in_pairs(text: str) -> str:
    if "update_config" in _deploy_of_worker(text):
        return text  # the learner's own, with other values
    lines = r"\g<0>\1update_config:\n\1  parallelism: 2\n\1  delay: 5s\n"
    return _TEN_REPLICAS.sub(lines, text, count=1)


def _deploy_of_worker(text: str) -> dict[str, Any]:
    """Return what a compose file says of worker under `deploy`; nothing if it is broken."""
    try:
        return dict(yaml.safe_load(text)["services"]["worker"]["deploy"])
    except (yaml.YAMLError, LookupError, TypeError, ValueError):
        return {}


EDITS = {
    "faster": Edit(
        WORKER,
        "a unit of work sleeps 0.01 s instead of 0.1 s",
        lambda text: _SLEEP.sub("time.sleep(0.01)", text, count=1),
        lambda text: "time.sleep(0.01)" in text,
    ),
    "bugged": Edit(
        WORKER,
        "all import lines are gone",
        lambda text: _IMPORT.sub("", text),
        lambda text: not _IMPORT.search(text),
    ),
    "deaf": Edit(
        WORKER,
        "it ignores SIGTERM",
        lambda text: _STOPS_AT_SIGTERM.sub(_DEAF, text, count=1),
        lambda text: "signal.signal(signal.SIGTERM, signal.SIG_IGN)" in text,
    ),
    "one bad": _bad_in("3"),
    "three bad": _bad_in("3", "6", "9"),
    "stuck": Edit(
        WORKER,
        "a unit of work never begins",
        lambda text: _WORK_ONCE.sub(lambda found: found[0] + _STUCK, text, count=1),
        lambda text: _STUCK in text,
    ),
    "health check": Edit(
        DOCKERFILE,
        "who has done no work for five seconds is unhealthy",
        lambda text: _COMMAND.sub(lambda found: _HEALTH_CHECK + found[0], text, count=1),
        lambda text: _HEALTHCHECK.search(text) is not None,
    ),
    "in pairs": Edit(
        COMPOSE,
        "worker is updated two at a time, with a delay of five seconds",
        _in_pairs,
        lambda text: _deploy_of_worker(text).get("update_config") == _IN_PAIRS,
    ),
    "twelve": Edit(
        COMPOSE,
        "worker has twelve replicas",
        lambda text: text.replace("replicas: 10\n", "replicas: 12\n"),
        lambda text: _deploy_of_worker(text).get("replicas") == 12,
    ),
}


def edit(name: str) -> None:
    """Make one of the lesson's edits to the learner's file, and show the difference.

    `name` is one of `EDITS`. A file in which it is made already stays
    as it is. Raises `LabError` for a file that cannot be read, or in which the place to
    change is not found.
    """
    if name not in EDITS:
        raise BadValue(f"the lesson's edits are {', '.join(map(repr, EDITS))}, not {name!r}")
    change = EDITS[name]
    path = workspace.mine(change.file)
    shown = f"dockercoins/{change.file}"
    before = _read(path, shown)
    if change.made(before):
        echo.say(f"{shown} is as it should be: {change.what}.")
        return
    after = change.apply(before)
    if after == before:
        raise LabError(
            f"to change {shown} so that {change.what}.",
            "the place to change is not there: the file has been edited.",
            "make the change by hand, or run `labkit.reset(...)` to start this step afresh.",
        )
    path.write_text(after, encoding="utf-8", newline="\n")
    echo.say(f"{shown}: {change.what}.")
    lines = unified_diff(
        before.splitlines(), after.splitlines(), "before", "after", n=1, lineterm=""
    )
    echo.say("\n".join(lines))


def put(file: str, edits: tuple[str, ...]) -> str:
    """Bring a file to what it is after some of the edits; returns what was done, or `""`.

    A version of the learner's own is kept beside it.
    """
    path = workspace.mine(file)
    original = workspace.shipped(file).read_text(encoding="utf-8")
    wanted = _after(original, file, edits)
    # a file that is not UTF-8 is not a version of the lesson's
    present = path.read_text(encoding="utf-8", errors="replace")
    if present == wanted:
        return ""
    kept = "" if present in _known(original, file) else workspace.keep_a_copy(path).name
    path.write_text(wanted, encoding="utf-8", newline="\n")
    return f"dockercoins/{file} put back" + (f" (yours is kept as {kept})" if kept else "")


def _read(path: Path, shown: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise LabError(
            f"to read {shown}.",
            f"{problem}.",
            "run `labkit.reset(...)`, which puts it back; what you have written is kept beside it.",
        ) from None


def _after(text: str, file: str, edits: tuple[str, ...]) -> str:
    for name in edits:
        if EDITS[name].file == file:
            text = EDITS[name].apply(text)
    return text


def _known(original: str, file: str) -> set[str]:
    """Return the versions of a file that the lesson itself makes."""
    made = {original}
    for change in EDITS.values():
        if change.file == file:
            made |= {change.apply(text) for text in made}
    return made
