"""The exercises of the lesson: their words and rules in YAML, their facts in a module a subject."""

from __future__ import annotations

from labkit.lessons.checks import content
from labkit.lessons.checks.exercise import Exercise
from labkit.lessons.checks.exercises import parallel, reading, returning, silent, stopping

_MODULES = (parallel, reading, returning, silent, stopping)

#: Each exercise by its name, in the order of the lesson.
EXERCISES = content.in_order(Exercise, _MODULES, content.EXERCISES)
