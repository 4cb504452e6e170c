"""The edits that the lesson asks for, made to the learner's own files.

A learner may make them by hand in JupyterLab; `edit` makes the same ones, shows the
difference, and says so when there is nothing left to do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from labkit.base import echo
from labkit.base.errors import BadValue, LabError, expecting
from labkit.base.rules import words
from labkit.lessons import workspace
from labkit.swarm.images import baseimage

WORKER = "worker/worker.py"
DOCKERFILE = "worker/Dockerfile"
COMPOSE = "docker-compose.yml"
#: All files that an edit may be made to.
FILES = (WORKER, DOCKERFILE, COMPOSE)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of one file of dockercoins, as `edits.yaml` has it and explains it."""

    file: str
    what: str
    find: str
    replace: str
    made_where: str | Mapping[str, Any] = ""
    times: int = 1
    unless: str = ""

    def apply(self, text: str) -> str:
        """Return a file with the edit made to it; unchanged if the place is not there."""
        if self.unless and self.unless in _deploy_of_worker(text):
            return text  # the learner's own, with other values
        return re.sub(self.find, self.replace, text, count=self.times, flags=re.MULTILINE)

    def made(self, text: str) -> bool:
        """Whether it has been made in a file."""
        if isinstance(self.made_where, Mapping):
            return self.made_where.items() <= _deploy_of_worker(text).items()
        found = re.search(self.made_where or self.find, text, re.MULTILINE)
        return bool(found) == bool(self.made_where)


@cache  # PyYAML takes long, and a reset asks for each of its edits
def _deploy_of_worker(text: str) -> dict[str, Any]:
    """Return what a compose file says of worker under `deploy`; nothing if it is broken."""
    try:
        return dict(yaml.safe_load(text)["services"]["worker"]["deploy"])
    except (yaml.YAMLError, LookupError, TypeError, ValueError):
        return {}


EDITS = {
    name: Edit(made_where=said.pop("made", ""), **said)
    for name, said in words(Path(__file__).with_suffix(".yaml")).items()
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
    advice = "run `labkit.reset(...)`, which restores it; your version is kept beside it."
    with expecting(f"to read {shown}.", advice):
        before = path.read_text(encoding="utf-8")
    if change.made(before):
        echo.say(f"{shown} already has the change: {change.what}.")
        return
    after = change.apply(before)
    if after == before:
        raise LabError(
            f"to change {shown} so that {change.what}.",
            "the line to change was not found: the file has been edited.",
            "make the change by hand, or run `labkit.reset(...)` to start this step again.",
        )
    path.write_text(after, encoding="utf-8", newline="\n")
    echo.say(f"{shown}: {change.what}.")
    lines = unified_diff(
        before.splitlines(), after.splitlines(), "before", "after", n=1, lineterm=""
    )
    echo.say("\n".join(lines))


def put(file: str, edits: tuple[str, ...], base: str = baseimage.OFFICIAL) -> str:
    """Bring a file to what it is after some of the edits; returns what was done, or `""`.

    A version of the learner's own is kept beside it. `base` is as in `workspace.refresh`.
    """
    path = workspace.mine(file)
    original = workspace.for_learners(workspace.shipped(file), base).decode()
    wanted = _after(original, file, edits)
    # a file that is not UTF-8 is not a version of the lesson's
    present = path.read_text(encoding="utf-8", errors="replace")
    if present == wanted:
        return ""
    kept = "" if present in _known(original, file) else workspace.keep_a_copy(path).name
    path.write_text(wanted, encoding="utf-8", newline="\n")
    done = "restored" if wanted == original else "set to its starting point"
    return f"dockercoins/{file} {done}" + (f" (your version is kept as {kept})" if kept else "")


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
