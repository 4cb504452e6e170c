"""The learner's side of the room: a line for each thing that they do, and an alias.

A line says what was chosen and what came of it, under an alias: no names, no code, no
sentences of the learner's, no paths. A room that cannot be written to costs the learner
one sentence and no check. Nobody is named after their login: unless they choose an alias, two
words are drawn, and kept in `.labkit/alias`.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from labkit.base import echo, settings
from labkit.base.errors import BadValue, LabError, expecting
from labkit.base.files import lines
from labkit.base.rules import words
from labkit.lessons.journal import BEGINS, Event

#: Of the form of the lines.
SCHEMA = 1
#: What is noted, of all that happens.
NOTED = (*BEGINS, "began", "predicted", "compared", "checked", "hinted", "stuck", "unstuck")
#: The fields of a line after `schema`, `at` and `alias`; `seconds` came later.
TOLD = ("kind", "step", "name", "outcome", "choice", "answer", "rung", "seconds")

#: What was said already in this process, so that it is said once.
_said: set[str] = set()


def note(event: Event) -> None:
    """Append an event to this learner's file in the room's folder, if the room is on.

    Raises nothing: what keeps it from being written is said once a process.
    """
    folder = settings.class_folder()
    if folder is None or event.kind not in NOTED:
        return
    try:
        name = alias()
        # a setgid folder passes its group on, and only that group is to read what is in it
        mode = 0o640 if folder.stat().st_mode & stat.S_ISGID else 0o644
        # the instructor makes the folder: one made here would not be seen
        lines.append(folder / f"{name}.jsonl", _line(event, name), mode=mode)
    except LabError as problem:
        _say_once(_in_a_sentence(problem))
    except (OSError, ValueError) as problem:  # a ValueError is for a path that cannot be
        _say_once(f"{problem}")


def announcement() -> str:
    """Return the sentences for the first page when the room is on, and `""` when it is off."""
    folder = settings.class_folder()
    if folder is None:
        return ""
    try:
        name = alias()
    except LabError as problem:
        return f"The room's log is on (LABKIT_CLASS), but: {_in_a_sentence(problem)}."
    return (
        "The room's log is on: your instructor turned it on (LABKIT_CLASS). "
        "Each notebook and exercise that you begin, each check, hint and prediction, and each "
        f"press of *I'm stuck* appends one line to {folder / f'{name}.jsonl'}: when, which "
        "exercise or question, the outcome, which answer you chose, and how long your update "
        f"took, under the alias {name}. Your name, your code and your own sentences are not in "
        "it. LABKIT_ALIAS gives you another alias."
    )


def sign() -> str:
    """Return a sentence for a card when the room is on, and `""` when it is off."""
    if settings.class_folder() is None:
        return ""
    try:
        return f"Your instructor sees how you get on with this, under the alias **{alias()}**."
    except LabError:  # which the first page and each note have in whole
        return ""


def handed_in(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return the lines that a room would have of these events; `[]` without an alias."""
    try:
        name = alias()
    except LabError:
        return []
    return [_line(event, name) for event in events if event.kind in NOTED]


def _line(event: Event, name: str) -> dict[str, Any]:
    told = {field: getattr(event, field) for field in TOLD}
    return {"schema": SCHEMA, "at": event.at.isoformat(), "alias": name, **told}


def _in_a_sentence(problem: LabError) -> str:
    return " ".join(filter(None, (problem.expected, problem.found))).rstrip(".")


def _say_once(why: str) -> None:
    if why not in _said:
        _said.add(why)
        echo.say(f"The room's log was not written: {why}. Your work is not affected.")


# ---- the alias -------------------------------------------------------------------

#: What an alias is made of. It also names a file.
FORM = re.compile(r"[A-Za-z0-9_-]{1,40}")

#: The first and the second words of a drawn one.
_WORDS = Path(__file__).with_suffix(".yaml")
_TRIES = 20


def alias() -> str:
    """Return what this learner is called; draws it the first time.

    Raises `BadValue` for an invalid `LABKIT_ALIAS`, and `LabError` where a drawn one
    cannot be kept.
    """
    chosen = settings.chosen_alias()
    if not chosen:
        return kept() or _drawn()
    if FORM.fullmatch(chosen):
        return chosen
    raise BadValue(f"LABKIT_ALIAS must be up to 40 letters, digits, - and _, not {chosen[:60]!r}")


def kept() -> str:
    """Return what was drawn before; `""` if nothing was."""
    try:
        found = _file().read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
    return found if FORM.fullmatch(found) else ""


def _drawn() -> str:
    """Draw an alias that is not in the room's folder yet, and keep it."""
    folder = settings.class_folder()
    drawn = ""
    for _ in range(_TRIES):
        drawn = "-".join(secrets.choice(each.split()) for each in words(_WORDS).values())
        if not (folder and (folder / f"{drawn}.jsonl").exists()):
            break
    expected = f"to store your alias for the room's log in {_file()}."
    with expecting(expected, "choose a name yourself: LABKIT_ALIAS=…"):
        return _keep(drawn)


def _keep(drawn: str) -> str:
    """Keep an alias, and return it, or the one that another kernel has just kept."""
    _file().parent.mkdir(parents=True, exist_ok=True)
    mine = _file().with_name(f"alias.{secrets.token_hex(4)}")
    mine.write_text(drawn + "\n", encoding="utf-8")
    try:
        os.link(mine, _file())  # of two at once, one is the first
    except (OSError, AttributeError):  # a browser's Python has no `link`
        # there is one, or the disk has no links; what is kept may not be an alias
        if not kept():
            mine.replace(_file())
    finally:
        mine.unlink(missing_ok=True)
    return kept() or drawn


def _file() -> Path:
    return settings.state_dir() / "alias"
