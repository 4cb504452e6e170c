"""The exercises of the lesson: a module a subject; their words are in the YAML files."""

from __future__ import annotations

from labkit.lessons.checks.content import in_order
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

#: Each exercise by its name, in the order of the lesson.
EXERCISES = in_order(Exercise, _MODULES, "exercises/exercises")
