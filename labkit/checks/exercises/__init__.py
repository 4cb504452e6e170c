"""The exercises of the lesson, in its order."""

from __future__ import annotations

from labkit.checks.exercise import Exercise

_ALL: tuple[Exercise, ...] = ()

#: Each exercise by its name, in the order of the lesson.
EXERCISES = {exercise.name: exercise for exercise in sorted(_ALL, key=lambda each: each.step)}
