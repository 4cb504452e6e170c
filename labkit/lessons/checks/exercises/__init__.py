"""The exercises of the lesson, in its order."""

from __future__ import annotations

from labkit.lessons.checks.exercise import Exercise
from labkit.lessons.checks.exercises.failing import ONE_BAD_IN_TEN
from labkit.lessons.checks.exercises.parallel import HALF_THE_TIME, NEVER_FEWER
from labkit.lessons.checks.exercises.reading import READ_BACKWARDS
from labkit.lessons.checks.exercises.returning import WAY_BACK, WHICH_FLAG
from labkit.lessons.checks.exercises.silent import SILENT_BUG
from labkit.lessons.checks.exercises.stopping import TWELVE_SECONDS

_ALL: tuple[Exercise, ...] = (
    TWELVE_SECONDS,
    HALF_THE_TIME,
    NEVER_FEWER,
    READ_BACKWARDS,
    WHICH_FLAG,
    ONE_BAD_IN_TEN,
    WAY_BACK,
    SILENT_BUG,
)

#: Each exercise by its name, in the order of the lesson.
EXERCISES = {exercise.name: exercise for exercise in sorted(_ALL, key=lambda each: each.step)}
