"""The exercises of the lesson: their words and rules in YAML, their facts in a module a subject."""

from labkit.lessons.checks import content
from labkit.lessons.checks.exercise import Exercise
from labkit.lessons.checks.exercises import backwards, parallel, returning, stopping, typed

_MODULES = (backwards, parallel, returning, stopping, typed)
_ALL = content.in_order(Exercise, _MODULES, content.EXERCISES)

#: Each exercise by its name, in the order of the lesson; and each step that is typed.
EXERCISES = {name: each for name, each in _ALL.items() if not each.typed}
TYPED = {name: each for name, each in _ALL.items() if each.typed}
