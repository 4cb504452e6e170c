"""The exercises of the lesson: a module a subject; their words are in the YAML files."""

from __future__ import annotations

from labkit.lessons.checks.content import words
from labkit.lessons.checks.exercise import Exercise
from labkit.lessons.checks.exercises import (
    failing,
    parallel,
    reading,
    returning,
    silent,
    stopping,
)

_MODULES = (failing, parallel, reading, returning, silent, stopping)
_FOUND = {
    each.name: each
    for module in _MODULES
    for each in vars(module).values()
    if isinstance(each, Exercise)
}

#: Each exercise by its name, in the order of the lesson.
EXERCISES = {name: _FOUND[name] for name in words("exercises/exercises")}
