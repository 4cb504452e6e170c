"""The lesson *Updating a Service*: its steps, its exercises, and what a learner has done.

| room, module | what is in it                                                        |
|--------------|----------------------------------------------------------------------|
| `checks`     | questions and exercises, and what a recording answers; pure          |
| `steps`      | where each notebook begins, and the edits that the lesson asks for   |
| `practice`   | a learner at work: exercise session, hints, activity log, a restart  |
| `journal`    | what a learner has done, kept in a file                              |
| `room`       | what a class predicts and where it is stuck                          |
| `notebooks`  | the versions of the notebooks, built from their sources              |
| `workspace`  | the learner's copy of the files                                      |
| `coins`      | how fast dockercoins works                                           |

The names below are loaded when they are first used, so that `checks` can be imported
without Docker.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.lessons.practice.helping import Hint, Solution, hint, solution
    from labkit.lessons.practice.restart import restart
    from labkit.lessons.steps.edits import edit
    from labkit.lessons.steps.steps import REPLICAS, STEPS, Step, find, reset

_HOMES = {
    "Hint": "practice.helping",
    "Solution": "practice.helping",
    "hint": "practice.helping",
    "solution": "practice.helping",
    "restart": "practice.restart",
    "edit": "steps.edits",
    "REPLICAS": "steps.steps",
    "STEPS": "steps.steps",
    "Step": "steps.steps",
    "find": "steps.steps",
    "reset": "steps.steps",
}

__all__ = [
    "REPLICAS",
    "STEPS",
    "Hint",
    "Solution",
    "Step",
    "edit",
    "find",
    "hint",
    "reset",
    "restart",
    "solution",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"labkit.lessons has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"labkit.lessons.{_HOMES[name]}"), name)
