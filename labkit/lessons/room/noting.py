"""The learner's side of the room: one line for each check, hint and prediction.

A line says what was chosen and what came of it, under an alias: no names, no code, no
sentences of the learner's, no paths. A room that cannot be written to costs the learner
one sentence and no check.
"""

from typing import Any

from labkit.base import echo, settings
from labkit.base.errors import LabError
from labkit.base.files import lines
from labkit.lessons.journal import Event
from labkit.lessons.room.aliases import alias

#: Of the form of the lines.
SCHEMA = 1
#: What is noted, of all that happens.
NOTED = ("predicted", "compared", "checked", "hinted")
#: The fields of a line after `schema`, `at` and `alias`.
TOLD = ("kind", "step", "name", "outcome", "choice", "answer", "rung")

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
        # the instructor makes the folder: one made here would not be seen
        lines.append(folder / f"{name}.jsonl", _line(event, name), mode=0o644)
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
        "Each check, hint and prediction appends one line to "
        f"{folder / f'{name}.jsonl'}: when, which exercise or question, the outcome, and "
        f"which answer you chose, under the alias {name}. Your name, your code and your own "
        "sentences are not in it. LABKIT_ALIAS gives you another alias."
    )


def _line(event: Event, name: str) -> dict[str, Any]:
    told = {field: getattr(event, field) for field in TOLD}
    return {"schema": SCHEMA, "at": event.at.isoformat(), "alias": name, **told}


def _in_a_sentence(problem: LabError) -> str:
    return " ".join(filter(None, (problem.expected, problem.found))).rstrip(".")


def _say_once(why: str) -> None:
    if why not in _said:
        _said.add(why)
        echo.say(f"The room's log was not written: {why}. Your work is not affected.")
